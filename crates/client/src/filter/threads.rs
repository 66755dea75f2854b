//! Fields of queries of a user's threads.

use super::Field;
use super::field::fields;
use super::kinds::Anything;

fields! {
    /// The channel, `type:id`.
    channel_cid = "channel_cid": Word;
    /// The message that the thread hangs on.
    parent_message_id = "parent_message_id": Word;
    /// Who began the thread.
    created_by_user_id = "created_by_user_id": Word;
    /// The team of the channel.
    channel_team = "channel.team": Word;
    /// Whether the channel is closed.
    channel_disabled = "channel.disabled": Flag;
    /// Whether there are replies that the user has not read.
    has_unread = "has_unread": Flag;
    /// When the first reply was sent.
    created_at = "created_at": Time;
    /// When the thread was last changed.
    updated_at = "updated_at": Time;
    /// When the last reply was sent.
    last_message_at = "last_message_at": Time;
    /// How many replies there are.
    reply_count = "reply_count": Number;
    /// How many users take part.
    participant_count = "participant_count": Number;
    /// How many users take part who have not left.
    active_participant_count = "active_participant_count": Number;
}

/// A field of the thread's custom data, dotted when nested.
pub fn custom(name: impl Into<String>) -> Field<Anything> {
    Field::named(name.into())
}
