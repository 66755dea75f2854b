use natterjack_protocol::Timestamp;

use crate::dialect::Dialect;
use crate::error::Result;
use crate::members::{MEMBER_COLUMNS, Member, member_from_row};
use crate::messages::Message;
use crate::tx::Tx;
use crate::value::params;

/// Up to where a member has read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadPosition {
    /// The channel's `unread_seq` at that place.
    pub read_seq: i64,
    /// The moment of that place: when the message read last was sent, or now.
    pub read_up_to: Timestamp,
    /// Messages behind it that do not count for this member.
    pub unread_less: i64,
    pub last_read: Timestamp,
    pub last_read_message_id: Option<String>,
}

/// A channel in which a user has unread messages.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelUnread {
    pub user_id: String,
    pub cid: String,
    pub channel_kind: String,
    pub team: Option<String>,
    pub unread: i64,
    pub last_read: Timestamp,
    pub last_message_at: Option<Timestamp>,
}

/// A thread in which a user has unread replies.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadUnread {
    pub user_id: String,
    pub parent_message_id: String,
    pub channel_kind: String,
    pub unread: i64,
    pub last_read: Timestamp,
    pub last_read_message_id: Option<String>,
}

/// As SQL, the `unread_seq` of the channel `c` up to which nothing is unread for the member `m`.
const READ_SEQ: &str = "CASE WHEN c.history_seq > m.read_seq THEN c.history_seq ELSE m.read_seq END";

/// As SQL, what the difference of the counters says too much or too little for the user about the messages of the
/// channel behind `after`: the user's own ones count there but not for the user, restricted ones that the user may see
/// the other way round.
pub(crate) fn corrections(dialect: Dialect, user_id: &str, channel_pk: &str, after: &str) -> String {
    format!(
        "SELECT CAST(COALESCE(SUM(CASE WHEN o.counts_unread AND o.user_id = {user_id} AND o.deleted_at IS NULL THEN 1 \
         WHEN o.restricted_visibility IS NOT NULL AND o.deleted_at IS NULL AND NOT o.silent \
         AND o.user_id <> {user_id} AND EXISTS (SELECT 1 FROM {} WHERE each.value = {user_id}) THEN -1 ELSE 0 END), 0) \
         AS BIGINT) FROM messages o WHERE o.channel_pk = {channel_pk} AND o.in_channel AND o.created_at > {after}",
        dialect.json_texts("o.restricted_visibility")
    )
}

impl Tx {
    /// Moves a member's read position. Does nothing for a user who is not a member.
    pub async fn update_read_position(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        position: &ReadPosition,
    ) -> Result<bool> {
        let changed = self
            .execute(
                // Gaps that everybody had read past may be pruned: to whoever goes back behind them they are made up
                // for.
                "UPDATE members SET read_seq = $1, read_up_to = $2, unread_less = $3 + COALESCE((SELECT \
                 c.unread_seq - CASE WHEN c.history_seq > $1 THEN c.history_seq ELSE $1 END \
                 - (SELECT COUNT(*) FROM messages o WHERE o.channel_pk = c.pk AND o.in_channel AND o.counts_unread \
                 AND o.deleted_at IS NULL AND o.created_at > $2 AND o.created_at > c.history_from) \
                 - (SELECT COUNT(*) FROM unread_gaps g WHERE g.channel_pk = c.pk AND g.seq > $1 \
                 AND g.seq > c.history_seq) FROM channels c WHERE c.pk = members.channel_pk AND c.unread_seq > $1), 0), \
                 last_read = $4, last_read_message_id = $5, last_delivered_at = $4, last_delivered_message_id = $5 \
                 WHERE channel_pk = $6 AND user_id = $7",
                params![
                    position.read_seq,
                    position.read_up_to,
                    position.unread_less,
                    position.last_read,
                    position.last_read_message_id.as_deref(),
                    channel_pk,
                    user_id
                ],
            )
            .await?;
        Ok(changed == 1)
    }

    /// What the difference of the counters says too much or too little for `user_id` about the messages behind
    /// `after`: the user's own ones count there but not for the user, restricted ones that the user may see the
    /// other way round.
    pub async fn count_unread_less(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        after: Timestamp,
    ) -> Result<i64> {
        let sql = format!(
            "{} AND o.created_at > (SELECT c.history_from FROM channels c WHERE c.pk = $2)",
            corrections(self.dialect(), "$1", "$2", "$3")
        );
        let count = self.query_optional(&sql, params![user_id, channel_pk, after], |row| row.int(0)).await?;
        Ok(count.unwrap_or(0))
    }

    /// Takes `by` off the number of unread messages of these members.
    pub async fn lower_unread(&mut self, channel_pk: i64, user_ids: Vec<String>, by: i64) -> Result<()> {
        let sql = format!(
            "UPDATE members SET unread_less = unread_less + $1 WHERE channel_pk = $2 AND {}",
            self.dialect().is_in("user_id", 3)
        );
        self.execute(&sql, params![by, channel_pk, user_ids]).await?;
        Ok(())
    }

    /// Before a message is deleted: a member who had not read an own message that counts does not need the gap that
    /// is about to be left by it, since it was taken off already. With `tree` the same for the authors of replies.
    pub async fn restore_own_unread(&mut self, message: &Message, tree: bool) -> Result<()> {
        let sql = "UPDATE members SET unread_less = unread_less - (SELECT COUNT(*) FROM messages o \
            WHERE (o.pk = $1 OR (o.parent_pk = $1 AND $2)) AND o.counts_unread AND o.deleted_at IS NULL \
            AND o.user_id = members.user_id AND o.unread_seq > members.read_seq) \
            WHERE channel_pk = $3 AND user_id IN (SELECT user_id FROM messages \
            WHERE pk = $1 OR (parent_pk = $1 AND $2))";
        self.execute(sql, params![message.pk, tree, message.channel_pk]).await?;
        Ok(())
    }

    /// Before a message is deleted, with its replies when `tree` says so: takes what of it is restricted off the
    /// number of unread messages of those who see it and have not read it.
    pub async fn settle_restricted(&mut self, message: &Message, tree: bool) -> Result<()> {
        let restricted = self
            .query(
                "SELECT user_id, restricted_visibility, created_at FROM messages \
                 WHERE (pk = $1 OR (parent_pk = $1 AND $2)) AND restricted_visibility IS NOT NULL \
                 AND in_channel AND NOT silent AND deleted_at IS NULL",
                params![message.pk, tree],
                |row| {
                    let readers: Vec<String> = row.json(1, "messages.restricted_visibility")?;
                    Ok((row.text(0)?, readers, row.time(2)?))
                },
            )
            .await?;
        let sql = format!(
            "UPDATE members SET unread_less = unread_less + 1 WHERE channel_pk = $1 AND read_up_to < $2 \
             AND user_id <> $3 AND {}",
            self.dialect().is_in("user_id", 4)
        );
        for (author, readers, created_at) in restricted {
            self.execute(&sql, params![message.channel_pk, created_at, author, readers]).await?;
        }
        Ok(())
    }

    /// The read states of the earliest members of a channel. Those whose invite is pending have none.
    pub async fn list_reads(&mut self, channel_pk: i64, limit: i64) -> Result<Vec<Member>> {
        let sql = format!(
            "SELECT {MEMBER_COLUMNS} FROM members m WHERE m.channel_pk = $1 \
             AND NOT (m.invited AND m.invite_accepted_at IS NULL) \
             ORDER BY m.created_at, m.user_id LIMIT $2"
        );
        self.query(&sql, params![channel_pk, limit], member_from_row).await
    }

    /// The channels in which these users have unread messages, newest message first.
    pub async fn list_unread_channels(
        &mut self,
        app_pk: i64,
        user_ids: Vec<String>,
    ) -> Result<Vec<ChannelUnread>> {
        let sql = format!(
            "SELECT * FROM (SELECT m.user_id, c.cid, c.kind, c.team, \
             c.unread_seq - {READ_SEQ} - m.unread_less - (SELECT COUNT(*) FROM unread_gaps g \
             WHERE g.channel_pk = m.channel_pk AND g.seq > m.read_seq AND g.seq > c.history_seq) AS unread, m.last_read, c.last_message_at \
             FROM members m JOIN channels c ON c.pk = m.channel_pk \
             WHERE m.app_pk = $1 AND {} AND c.unread_seq - {READ_SEQ} - m.unread_less > 0 \
             AND c.deleted_at IS NULL AND NOT (m.invited AND m.invite_accepted_at IS NULL)) AS counted \
             WHERE unread > 0 ORDER BY last_message_at DESC NULLS LAST, cid",
            self.dialect().is_in("m.user_id", 2)
        );
        self.query(&sql, params![app_pk, user_ids], |row| {
            Ok(ChannelUnread {
                user_id: row.text(0)?,
                cid: row.text(1)?,
                channel_kind: row.text(2)?,
                team: row.optional_text(3)?,
                unread: row.int(4)?,
                last_read: row.time(5)?,
                last_message_at: row.optional_time(6)?,
            })
        })
        .await
    }

    /// The threads in which these users have unread replies, newest reply first.
    pub async fn list_unread_threads(
        &mut self,
        app_pk: i64,
        user_ids: Vec<String>,
    ) -> Result<Vec<ThreadUnread>> {
        let sql = format!(
            "SELECT * FROM (SELECT p.user_id, m.id, c.kind, t.reply_seq - p.read_seq - \
             (SELECT COUNT(*) FROM thread_unread_gaps g WHERE g.parent_pk = p.parent_pk AND g.seq > p.read_seq) \
             AS unread, p.last_read, p.last_read_message_id, t.last_message_at \
             FROM thread_participants p JOIN threads t ON t.parent_pk = p.parent_pk \
             JOIN messages m ON m.pk = p.parent_pk JOIN channels c ON c.pk = t.channel_pk \
             WHERE p.app_pk = $1 AND {} AND t.reply_seq > p.read_seq \
             AND c.deleted_at IS NULL AND m.created_at > c.history_from AND m.deleted_at IS NULL) AS counted \
             WHERE unread > 0 ORDER BY last_message_at DESC, id",
            self.dialect().is_in("p.user_id", 2)
        );
        self.query(&sql, params![app_pk, user_ids], |row| {
            Ok(ThreadUnread {
                user_id: row.text(0)?,
                parent_message_id: row.text(1)?,
                channel_kind: row.text(2)?,
                unread: row.int(3)?,
                last_read: row.time(4)?,
                last_read_message_id: row.optional_text(5)?,
            })
        })
        .await
    }
}
