use natterjack_protocol::Timestamp;

use crate::error::Result;
use crate::members::{MEMBER_COLUMNS, Member, member_from_row};
use crate::messages::Message;
use crate::tx::Tx;
use crate::unread::{quiet_at, unread};
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
                "UPDATE members SET read_seq = $1, read_up_to = $2, unread_less = $3, last_read = $4, \
                 last_read_message_id = $5, last_delivered_at = $4, last_delivered_message_id = $5 \
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
    /// other way round. What was sent while the channel was quiet for the user is taken off elsewhere.
    pub async fn count_unread_less(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        after: Timestamp,
    ) -> Result<i64> {
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(CASE WHEN counts_unread AND user_id = $1 AND deleted_at IS NULL THEN 1 \
             WHEN restricted_visibility IS NOT NULL AND deleted_at IS NULL AND NOT silent AND in_channel \
             AND user_id <> $1 AND EXISTS (SELECT 1 FROM {} WHERE each.value = $1) THEN -1 ELSE 0 END), 0) AS BIGINT) \
             FROM messages WHERE channel_pk = $2 AND in_channel AND created_at > $3 AND NOT {}",
            self.dialect().json_texts("restricted_visibility"),
            quiet_at!("messages.channel_pk", "$1", "messages.created_at")
        );
        let count = self.query_optional(&sql, params![user_id, channel_pk, after], |row| row.int(0)).await?;
        Ok(count.unwrap_or(0))
    }

    /// Counts a message sent at `at`, over which the channel's counter passed, for these members, except those for whom
    /// the channel is quiet.
    pub async fn count_restricted(
        &mut self,
        channel_pk: i64,
        user_ids: Vec<String>,
        at: Timestamp,
    ) -> Result<()> {
        let sql = format!(
            "UPDATE members SET unread_less = unread_less - 1 WHERE channel_pk = $1 AND {} AND NOT {}",
            self.dialect().is_in("user_id", 2),
            quiet_at!("members.channel_pk", "members.user_id", "$3")
        );
        self.execute(&sql, params![channel_pk, user_ids, at]).await?;
        Ok(())
    }

    /// Before a message is deleted: a member who had not read an own message that counts does not need the gap that
    /// is about to be left by it, since it was taken off already. With `tree` the same for the authors of replies.
    pub async fn restore_own_unread(&mut self, message: &Message, tree: bool) -> Result<()> {
        const RESTORE: &str = concat!(
            "UPDATE members SET unread_less = unread_less - (SELECT COUNT(*) FROM messages o \
             WHERE (o.pk = $1 OR (o.parent_pk = $1 AND $2)) AND o.counts_unread AND o.deleted_at IS NULL \
             AND o.user_id = members.user_id AND o.unread_seq > members.read_seq AND NOT ",
            quiet_at!("o.channel_pk", "o.user_id", "o.created_at"),
            ") WHERE channel_pk = $3 AND user_id IN (SELECT user_id FROM messages \
             WHERE pk = $1 OR (parent_pk = $1 AND $2))"
        );
        self.execute(RESTORE, params![message.pk, tree, message.channel_pk]).await?;
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
             AND user_id <> $3 AND {} AND NOT {}",
            self.dialect().is_in("user_id", 4),
            quiet_at!("members.channel_pk", "members.user_id", "$2")
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
            "SELECT * FROM (SELECT m.user_id, c.cid, c.kind, c.team, {} AS unread, m.last_read, c.last_message_at \
             FROM members m JOIN channels c ON c.pk = m.channel_pk \
             WHERE m.app_pk = $1 AND {} AND c.deleted_at IS NULL) AS counted \
             WHERE unread > 0 ORDER BY last_message_at DESC NULLS LAST, cid",
            unread!("m", "c"),
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
