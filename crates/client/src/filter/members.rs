//! Fields of queries of a channel's members.

use super::Field;
use super::field::fields;
use super::kinds::Anything;

fields! {
    /// The member's user id.
    id = "id": Text;
    /// The member's user id.
    user_id = "user_id": Text;
    /// The channel, `type:id`.
    cid = "cid": Text;
    /// The user's name.
    name = "name": Lookup;
    /// The user's e-mail address.
    user_email = "user.email": Lookup;
    /// The role in the channel.
    channel_role = "channel_role": Word;
    /// Banned from the channel.
    banned = "banned": Flag;
    /// The invitation: `pending`, `accepted` or `rejected`.
    invite = "invite": Choice;
    /// A member that is neither invited nor has refused.
    joined = "joined": Flag;
    /// Whether the member is a moderator.
    is_moderator = "is_moderator": Flag;
    /// Whether the member's notifications are off.
    notifications_muted = "notifications_muted": Flag;
    /// When the member was added.
    created_at = "created_at": Time;
    /// When the member was last changed.
    updated_at = "updated_at": Time;
    /// When the user was last active.
    last_active = "last_active": Time;
    /// Whether the user is deactivated.
    user_deactivated = "user.nd_deactivated": Flag;
}

/// A field of the member's custom data, dotted when nested.
pub fn custom(name: impl Into<String>) -> Field<Anything> {
    Field::named(name.into())
}
