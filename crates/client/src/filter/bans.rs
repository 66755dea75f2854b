//! Fields of queries of bans.

use super::field::fields;

fields! {
    /// Who is banned.
    user_id = "user_id": Word;
    /// Who bans.
    banned_by_id = "banned_by_id": Word;
    /// The channel, `type:id`.
    channel_cid = "channel_cid": Word;
    /// Why.
    reason = "reason": Remark;
    /// Since when.
    created_at = "created_at": Moment;
}
