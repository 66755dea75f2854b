//! Fields of queries of reports of messages.

use super::field::fields;

fields! {
    /// The channel, `type:id`.
    channel_cid = "channel_cid": Word;
    /// The message.
    message_id = "message_id": Word;
    /// Who wrote the message.
    user_id = "user_id": Word;
    /// Who reported it.
    reporter_id = "reporter_id": Word;
    /// The channel's team.
    team = "team": Word;
    /// Why.
    reason = "reason": Word;
    /// Whether a moderator has looked at it.
    is_reviewed = "is_reviewed": Flag;
    /// When it was reported.
    created_at = "created_at": Moment;
}
