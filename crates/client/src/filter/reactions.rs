//! Fields of queries of the reactions to a message.

use super::field::fields;

fields! {
    /// The reaction's type, such as `like`.
    kind = "type": Word;
    /// Who reacted.
    user_id = "user_id": Word;
    /// When the reaction was made.
    created_at = "created_at": Moment;
}
