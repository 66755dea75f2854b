//! How many messages a member has not read: the one place that says how it is computed.
//!
//! A channel counts the messages that count as unread, a member keeps the value of that counter up to which he or she
//! has read; where the channel's history was cut since, the counter's value at the cut stands in for it. From the
//! difference is taken off:
//! - `unread_less`, what is different for this member: the own messages behind the position, less the restricted ones
//!   that the member may see;
//! - the gaps behind the position: messages that counted and were deleted;
//! - what was sent while the channel was quiet for the member, because he or she had muted it or blocked the other
//!   member. That is found by the counter's values at both ends of each quiet span; where a span ends by the clock,
//!   by that of the last message before its end;
//! - what users sent whom the member had muted at the time, by the spans of these mutes.
//!
//! Each message is taken off once: `unread_less` holds nothing that was sent in a quiet span, and a gap in a span is not
//! subtracted again with it.

use natterjack_protocol::Timestamp;

use crate::error::Result;
use crate::members::Member;
use crate::tx::Tx;
use crate::value::params;

/// The end of a span that has none yet.
const ENDLESS: Timestamp = Timestamp::from_nanoseconds(i64::MAX);

/// As SQL: the value of the channel's counter up to which nothing is unread for the member `$member`. A channel whose
/// history was cut has one of its own, which stands in for a smaller one of the member.
macro_rules! read_seq {
    ($member:literal) => {
        concat!(
            "(SELECT CASE WHEN h.history_seq > ",
            $member,
            ".read_seq THEN h.history_seq ELSE ",
            $member,
            ".read_seq END FROM channels h WHERE h.pk = ",
            $member,
            ".channel_pk)"
        )
    };
}

/// The same where the member's channel is at hand as `$channel`: nothing is looked up.
macro_rules! read_seq_in {
    ($member:literal, $channel:literal) => {
        concat!(
            "(CASE WHEN ",
            $channel,
            ".history_seq > ",
            $member,
            ".read_seq THEN ",
            $channel,
            ".history_seq ELSE ",
            $member,
            ".read_seq END)"
        )
    };
}

/// As SQL: what counted for others and does not, or no longer, count for the member `$member`: gaps, what was sent
/// while the channel was quiet, and what users sent whom the member had muted. `$channel` as for `read_seq_in`, where it
/// is at hand.
macro_rules! not_counted {
    ($member:literal) => {
        $crate::unread::not_counted!(@ $member, read_seq!($member))
    };
    ($member:literal, $channel:literal) => {
        $crate::unread::not_counted!(@ $member, read_seq_in!($member, $channel))
    };
    (@ $member:literal, $read_seq:ident!($($of:literal),*)) => {
        concat!(
            "((SELECT COUNT(*) FROM unread_gaps g WHERE g.channel_pk = ",
            $member,
            ".channel_pk AND g.seq > ",
            $crate::unread::$read_seq!($($of),*),
            ") + CASE WHEN ",
            $member,
            ".quiet_until = 0 THEN 0 ELSE (SELECT CAST(COALESCE(SUM(s.until_seq - s.from_seq - \
             (SELECT COUNT(*) FROM unread_gaps g WHERE g.channel_pk = ",
            $member,
            ".channel_pk AND g.seq > s.from_seq AND g.seq <= s.until_seq)), 0) AS BIGINT) FROM (SELECT \
             CASE WHEN q.from_seq > ",
            $crate::unread::$read_seq!($($of),*),
            " THEN q.from_seq ELSE ",
            $crate::unread::$read_seq!($($of),*),
            " END AS from_seq, COALESCE((SELECT x.unread_seq FROM messages x \
             WHERE x.channel_pk = q.channel_pk AND x.in_channel AND x.created_at < q.until_at \
             ORDER BY x.created_at DESC LIMIT 1), 0) AS until_seq FROM quiet_spans q WHERE q.channel_pk = ",
            $member,
            ".channel_pk AND q.user_id = ",
            $member,
            ".user_id) AS s WHERE s.until_seq > s.from_seq) END + \
             (SELECT COUNT(*) FROM mute_spans k CROSS JOIN messages x \
             WHERE k.app_pk = ",
            $member,
            ".app_pk AND k.user_id = ",
            $member,
            ".user_id AND x.app_pk = k.app_pk AND x.user_id = k.target_id AND x.channel_pk = ",
            $member,
            ".channel_pk AND x.pk > k.from_pk AND x.pk <= k.until_pk AND x.created_at < k.until_at \
             AND x.in_channel AND x.counts_unread AND x.deleted_at IS NULL AND x.unread_seq > ",
            $crate::unread::$read_seq!($($of),*),
            " AND (",
            $member,
            ".quiet_until = 0 OR NOT EXISTS (SELECT 1 FROM quiet_spans q WHERE q.channel_pk = x.channel_pk \
             AND q.user_id = k.user_id AND q.from_at < x.created_at AND q.until_at > x.created_at))))"
        )
    };
}

/// As SQL: when the mute of the channel by the member `$member` ends; `NULL` without one. Of those for whom the channel was
/// never quiet nothing is looked up.
macro_rules! muted_until {
    ($member:literal) => {
        concat!(
            "CASE WHEN ",
            $member,
            ".quiet_until = 0 THEN NULL ELSE (SELECT COALESCE(x.expires, 9223372036854775807) FROM channel_mutes x \
             WHERE x.channel_pk = ",
            $member,
            ".channel_pk AND x.user_id = ",
            $member,
            ".user_id) END"
        )
    };
}

/// As SQL: the unread messages of the member `$member` of its channel, `$channel`, 0 where there is no such member.
macro_rules! unread {
    ($member:literal, $channel:literal) => {
        concat!(
            "(CASE WHEN ",
            $member,
            ".user_id IS NULL OR (",
            $member,
            ".invited AND ",
            $member,
            ".invite_accepted_at IS NULL) OR ",
            $channel,
            ".unread_seq - ",
            $crate::unread::read_seq_in!($member, $channel),
            " - ",
            $member,
            ".unread_less <= 0 THEN 0 ELSE ",
            $channel,
            ".unread_seq - ",
            $crate::unread::read_seq_in!($member, $channel),
            " - ",
            $member,
            ".unread_less - ",
            $crate::unread::not_counted!($member, $channel),
            " END)"
        )
    };
}

/// As SQL: whether the channel was quiet for a user at a moment.
pub(crate) fn quiet_at(channel_pk: &str, user_id: &str, moment: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM quiet_spans q WHERE q.channel_pk = {channel_pk} AND q.user_id = {user_id} \
         AND q.from_at < {moment} AND q.until_at > {moment})"
    )
}

pub(crate) use {muted_until, not_counted, read_seq, read_seq_in, unread};

impl Member {
    /// Whether the member has muted the channel.
    pub fn is_muted(&self, now: Timestamp) -> bool {
        self.muted_until.is_some_and(|until| until > now)
    }

    /// Messages that the member has not read, by the channel's counter. For members whom an operation answers that has
    /// looked for it.
    pub fn unread(&self, unread_seq: i64) -> i64 {
        debug_assert!(self.not_counted.is_some(), "it is known what does not count");
        if self.is_pending() {
            return 0;
        }
        (unread_seq - self.read_seq - self.unread_less - self.not_counted.unwrap_or(0)).max(0)
    }
}

impl Tx {
    /// Makes the channel quiet for a user from `at` on for as long as a mute or a block wants it, or ends that. `at` and
    /// `unread_seq` are those of [`Tx::advance_channel`], under whose lock this runs.
    pub(crate) async fn settle_quiet(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        at: Timestamp,
        unread_seq: i64,
    ) -> Result<()> {
        let until = self.find_quiet_end(channel_pk, user_id, at).await?;
        // At most one span reaches beyond this moment.
        let moved = self
            .execute(
                "UPDATE quiet_spans SET until_at = $1 WHERE channel_pk = $2 AND user_id = $3 AND until_at > $4",
                params![until.unwrap_or(at), channel_pk, user_id, at],
            )
            .await?;
        if until.is_none() && moved > 0 {
            // A span in which nothing was sent says nothing.
            self.execute(
                "DELETE FROM quiet_spans WHERE channel_pk = $1 AND user_id = $2 AND until_at = $3 \
                 AND NOT EXISTS (SELECT 1 FROM messages x WHERE x.channel_pk = $1 AND x.in_channel \
                 AND x.created_at > quiet_spans.from_at)",
                params![channel_pk, user_id, at],
            )
            .await?;
        }
        if let Some(until) = until.filter(|_| moved == 0) {
            self.execute(
                "INSERT INTO quiet_spans (channel_pk, user_id, from_at, from_seq, until_at) \
                 VALUES ($1, $2, $3, $4, $5)",
                params![channel_pk, user_id, at, unread_seq, until],
            )
            .await?;
        }
        self.execute(
            "UPDATE members SET quiet_until = COALESCE((SELECT MAX(until_at) FROM quiet_spans \
             WHERE channel_pk = $1 AND user_id = $2), 0) WHERE channel_pk = $1 AND user_id = $2",
            params![channel_pk, user_id],
        )
        .await?;
        Ok(())
    }

    /// Up to when the channel is to be quiet for a user; `None` when it is not.
    async fn find_quiet_end(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        at: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let is_blocked = self
            .query_optional(
                "SELECT blocked FROM members WHERE channel_pk = $1 AND user_id = $2",
                params![channel_pk, user_id],
                |row| row.bool(0),
            )
            .await?;
        if is_blocked == Some(true) {
            return Ok(Some(ENDLESS));
        }
        let mutes = self.list_channel_mutes_in(user_id, vec![channel_pk], at).await?;
        Ok(mutes.first().map(|mute| mute.expires.unwrap_or(ENDLESS)))
    }
}
