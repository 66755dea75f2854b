//! Fields of queries of messages that were reported.

use super::field::fields;

fields! {
    /// The report.
    report_id = "report_id": Word;
    /// The message.
    message_id = "message_id": Word;
    /// The channel, `type:id`.
    channel_cid = "channel_cid": Word;
    /// Who wrote the message.
    user_id = "user_id": Word;
    /// The channel's team.
    team = "team": Word;
    /// Whether a moderator has decided.
    is_reviewed = "is_reviewed": Flag;
    /// What was decided.
    review_result = "review_result": Word;
    /// Who decided.
    reviewed_by = "reviewed_by": Word;
    /// When it was reported first.
    created_at = "created_at": Moment;
}
