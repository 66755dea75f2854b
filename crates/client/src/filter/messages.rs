//! Fields of the messages that a search looks for (`message_filter_conditions`).

use super::Field;
use super::field::fields;
use super::kinds::Anything;

fields! {
    /// The message's id.
    id = "id": Text;
    /// The message's type: `regular` or `reply`.
    kind = "type": Text;
    /// The message that it answers.
    parent_id = "parent_id": Text;
    /// How many replies it has.
    reply_count = "reply_count": Number;
    /// When it was sent.
    created_at = "created_at": Time;
    /// When it was last changed.
    updated_at = "updated_at": Time;
    /// The channel, `type:id`.
    cid = "cid": Text;
    /// The text.
    text = "text": Name;
    /// Whether it has attachments.
    attachments = "attachments": Presence;
    /// The type of any attachment.
    attachment_kind = "attachments.type": Word;
    /// The users whom it mentions.
    mentioned_user_ids = "mentioned_users.id": Holder;
    /// The author.
    user_id = "user.id": Word;
    /// Whether it is pinned.
    pinned = "pinned": Flag;
}

/// A field of the message's custom data, dotted when nested.
pub fn custom(name: impl Into<String>) -> Field<Anything> {
    Field::named(name.into())
}
