//! Fields of queries of the history of messages.

use super::Field;
use super::field::fields;
use super::kinds::Anything;

fields! {
    /// The message.
    message_id = "message_id": Word;
    /// Who wrote the version.
    message_updated_by_id = "message_updated_by_id": Word;
    /// When the version was written.
    message_updated_at = "message_updated_at": Moment;
}

/// A field of the version's custom data, dotted when nested.
pub fn custom(name: impl Into<String>) -> Field<Anything> {
    Field::named(name.into())
}
