//! What is a user's: messages, reactions, memberships, channels. Looked up in small batches, each behind the place where
//! the last one ended, for deactivating and deleting users.

use natterjack_protocol::Timestamp;

use crate::channels::{Advance, Advanced, CHANNEL_COLUMNS, Channel, channel_from_row};
use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Row, params};

/// Where a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageKey {
    pub channel_pk: i64,
    pub pk: i64,
    pub id: String,
}

fn message_key_from_row(row: Row<'_>) -> Result<MessageKey> {
    Ok(MessageKey { channel_pk: row.int(0)?, pk: row.int(1)?, id: row.text(2)? })
}

impl Tx {
    /// As [`Tx::advance_channel`], also for a channel that was deleted: its rows have to agree all the same. Answers
    /// the channel as it is then; for one that may be brought back with its history `history_from` is what it was
    /// before the deletion. `None` when its row is gone.
    pub async fn advance_any_channel(
        &mut self,
        channel_pk: i64,
        advance: Advance,
        now: Timestamp,
    ) -> Result<Option<(Advanced, Channel)>> {
        // Locks the row; what is read behind it is then what holds.
        let moved = self
            .query_optional(
                "UPDATE channels SET clock_at = CASE WHEN clock_at >= $1 THEN clock_at + 1 ELSE $1 END, \
                 event_seq = event_seq + $2, message_count = message_count + $3, \
                 messages_uncounted = CASE WHEN messages_uncounted > message_count + $3 THEN message_count + $3 \
                 ELSE messages_uncounted END, member_count = member_count + $4, \
                 version = version + $5 WHERE pk = $6 RETURNING clock_at, event_seq, \
                 COALESCE(history_before, history_from)",
                params![
                    now,
                    advance.events,
                    advance.messages,
                    advance.members,
                    i64::from(advance.version),
                    channel_pk
                ],
                |row| Ok((row.time(0)?, row.int(1)?, row.time(2)?)),
            )
            .await?;
        let Some((at, event_seq, history_from)) = moved else { return Ok(None) };
        let Some(channel) = self.list_channels(vec![channel_pk]).await?.pop() else { return Ok(None) };
        let advanced = Advanced {
            version: channel.version,
            at,
            event_seq,
            unread_seq: channel.unread_seq,
            message_count: channel.message_count,
            member_count: channel.member_count,
            is_hidden: false,
            history_from,
        };
        Ok(Some((advanced, Channel { history_from, ..channel })))
    }

    /// When a user last sent a message to a channel, or a reply in it.
    pub async fn find_last_sent_at(
        &mut self,
        app_pk: i64,
        user_id: &str,
        channel_pk: i64,
    ) -> Result<Option<Timestamp>> {
        let sql = "SELECT created_at FROM messages WHERE app_pk = $1 AND user_id = $2 AND channel_pk = $3 \
                   ORDER BY pk DESC LIMIT 1";
        self.query_optional(sql, params![app_pk, user_id, channel_pk], |row| row.time(0)).await
    }

    /// Messages of a user, those behind the place `after` of channel and message.
    pub async fn list_messages_of_user(
        &mut self,
        app_pk: i64,
        user_id: &str,
        after: (i64, i64),
        limit: i64,
    ) -> Result<Vec<MessageKey>> {
        self.query(
            "SELECT channel_pk, pk, id FROM messages WHERE app_pk = $1 AND user_id = $2 \
             AND (channel_pk, pk) > ($3, $4) ORDER BY channel_pk, pk LIMIT $5",
            params![app_pk, user_id, after.0, after.1, limit],
            message_key_from_row,
        )
        .await
    }

    /// As [`Tx::list_messages_of_user`], only those that this deactivation of the user deleted.
    pub async fn list_messages_deleted_with_user(
        &mut self,
        app_pk: i64,
        user_id: &str,
        deactivated_at: Timestamp,
        after: (i64, i64),
        limit: i64,
    ) -> Result<Vec<MessageKey>> {
        self.query(
            "SELECT channel_pk, pk, id FROM messages WHERE app_pk = $1 AND user_id = $2 \
             AND (channel_pk, pk) > ($3, $4) AND deleted_with_user_at IS NOT NULL AND deleted_with_user_at = $5 \
             AND deleted_at IS NOT NULL ORDER BY channel_pk, pk LIMIT $6",
            params![app_pk, user_id, after.0, after.1, deactivated_at, limit],
            message_key_from_row,
        )
        .await
    }

    /// Notes that a message was deleted by a deactivation of its author. Goes behind [`Tx::delete_message_softly`].
    pub async fn mark_message_deleted_with_user(
        &mut self,
        message_pk: i64,
        deactivated_at: Timestamp,
    ) -> Result<()> {
        self.execute(
            "UPDATE messages SET deleted_with_user_at = $1 WHERE pk = $2",
            params![deactivated_at, message_pk],
        )
        .await?;
        Ok(())
    }

    /// Empties a message that is deleted: nothing is left but that it was there.
    pub async fn prune_message(&mut self, message_pk: i64) -> Result<()> {
        self.execute(
            "UPDATE messages SET text = '', attachments = NULL, custom = NULL, extra = NULL, \
             mentioned_user_ids = NULL, quoted_message_id = NULL WHERE pk = $1",
            params![message_pk],
        )
        .await?;
        self.execute("DELETE FROM message_history WHERE message_pk = $1", params![message_pk]).await?;
        self.queue_for_search(message_pk).await
    }

    /// Messages with reactions of a user, those behind the key `after`.
    pub async fn list_messages_reacted_to(
        &mut self,
        app_pk: i64,
        user_id: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<MessageKey>> {
        self.query(
            "SELECT DISTINCT m.channel_pk, m.pk, m.id FROM reactions r JOIN messages m ON m.pk = r.message_pk \
             WHERE r.user_id = $1 AND r.message_pk > $2 AND m.app_pk = $3 ORDER BY m.pk LIMIT $4",
            params![user_id, after, app_pk, limit],
            message_key_from_row,
        )
        .await
    }

    /// Takes a user out of at most `limit` threads. Answers how many there were.
    pub async fn leave_threads(&mut self, app_pk: i64, user_id: &str, limit: i64) -> Result<usize> {
        let parents = self
            .query(
                "SELECT parent_pk FROM thread_participants WHERE app_pk = $1 AND user_id = $2 \
                 ORDER BY parent_pk LIMIT $3",
                params![app_pk, user_id, limit],
                |row| row.int(0),
            )
            .await?;
        let sql = format!(
            "UPDATE threads SET participant_count = participant_count - 1 WHERE {}",
            self.dialect().is_in("parent_pk", 1)
        );
        self.execute(&sql, params![parents.clone()]).await?;
        let sql = format!(
            "DELETE FROM thread_participants WHERE user_id = $1 AND {}",
            self.dialect().is_in("parent_pk", 2)
        );
        self.execute(&sql, params![user_id, parents.clone()]).await?;
        Ok(parents.len())
    }

    /// The first channel behind the key `after` that a user is a member of, deleted ones included.
    pub async fn find_channel_of_member(
        &mut self,
        app_pk: i64,
        user_id: &str,
        after: i64,
    ) -> Result<Option<i64>> {
        self.query_optional(
            "SELECT channel_pk FROM members WHERE app_pk = $1 AND user_id = $2 AND channel_pk > $3 \
             ORDER BY channel_pk LIMIT 1",
            params![app_pk, user_id, after],
            |row| row.int(0),
        )
        .await
    }

    /// The first channel of these teams, behind the key `after`, that a user is a member of, deleted ones included.
    pub async fn find_channel_of_member_in_teams(
        &mut self,
        app_pk: i64,
        user_id: &str,
        teams: &[String],
        after: i64,
    ) -> Result<Option<i64>> {
        let sql = format!(
            "SELECT m.channel_pk FROM members m JOIN channels c ON c.pk = m.channel_pk WHERE m.app_pk = $1 \
             AND m.user_id = $2 AND m.channel_pk > $3 AND {} ORDER BY m.channel_pk LIMIT 1",
            self.dialect().is_in("c.team", 4)
        );
        self.query_optional(&sql, params![app_pk, user_id, after, teams.to_vec()], |row| row.int(0)).await
    }

    /// The first conversation behind the key `after`: a channel of exactly two members, one of them the user. Deleted
    /// ones only when `deleted` asks for them. Channels that are being purged, whose cids have a comma, are none.
    pub async fn find_conversation(
        &mut self,
        app_pk: i64,
        user_id: &str,
        after: i64,
        deleted: bool,
    ) -> Result<Option<Channel>> {
        let sql = format!(
            "SELECT {CHANNEL_COLUMNS} FROM members m JOIN channels c ON c.pk = m.channel_pk \
             WHERE m.app_pk = $1 AND m.user_id = $2 AND m.channel_pk > $3 AND c.member_count = 2 \
             AND (c.deleted_at IS NULL OR $4) AND c.cid NOT LIKE '%,%' ORDER BY m.channel_pk LIMIT 1"
        );
        self.query_optional(&sql, params![app_pk, user_id, after, deleted], channel_from_row).await
    }

    /// Channels that a user created, those behind the key `after`, deleted ones included.
    pub async fn list_channels_of_creator(
        &mut self,
        app_pk: i64,
        user_id: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Channel>> {
        let sql = format!(
            "SELECT {CHANNEL_COLUMNS} FROM channels c WHERE c.app_pk = $1 AND c.created_by_id = $2 AND c.pk > $3 AND c.cid NOT LIKE '%,%' \
             ORDER BY c.pk LIMIT $4"
        );
        self.query(&sql, params![app_pk, user_id, after, limit], channel_from_row).await
    }

    /// Gives a channel to another owner. Goes together with [`Tx::advance_any_channel`], which changes the version.
    pub async fn update_channel_creator(&mut self, channel_pk: i64, user_id: &str) -> Result<()> {
        self.execute("UPDATE channels SET created_by_id = $1 WHERE pk = $2", params![user_id, channel_pk])
            .await?;
        Ok(())
    }

    /// Notes that a channel was deleted by a deactivation of its creator, and from where on its history was seen.
    /// Goes behind [`Tx::delete_channel_softly`].
    pub async fn mark_channel_deleted_with_user(
        &mut self,
        channel: &Channel,
        deactivated_at: Timestamp,
    ) -> Result<()> {
        self.execute(
            "UPDATE channels SET deleted_with_user_at = $1, history_before = $2, history_seq_before = $3 WHERE pk = $4",
            params![deactivated_at, channel.history_from, channel.history_seq, channel.pk],
        )
        .await?;
        Ok(())
    }

    /// Brings back a channel that this deactivation of its creator deleted, as it was. `false` for any other.
    pub async fn restore_channel(
        &mut self,
        channel_pk: i64,
        deactivated_at: Timestamp,
        without_system: bool,
        now: Timestamp,
    ) -> Result<bool> {
        let restored = self
            .execute(
                "UPDATE channels SET deleted_at = NULL, history_from = history_before, \
                 history_seq = history_seq_before, history_before = NULL, history_seq_before = NULL, \
                 deleted_with_user_at = NULL, updated_at = $1 WHERE pk = $2 AND deleted_at IS NOT NULL \
                 AND deleted_with_user_at = $3 AND cid NOT LIKE '%,%'",
                params![now, channel_pk, deactivated_at],
            )
            .await?;
        if restored == 1 {
            self.refresh_last_message_at(channel_pk, without_system).await?;
        }
        Ok(restored == 1)
    }

    /// Removes what a member who is gone has hidden from himself or herself in a channel, and when it was quiet.
    pub async fn delete_hidden_for(&mut self, channel_pk: i64, user_id: &str) -> Result<()> {
        for sql in [
            "DELETE FROM message_hidden_for WHERE channel_pk = $1 AND user_id = $2",
            "DELETE FROM quiet_spans WHERE channel_pk = $1 AND user_id = $2",
        ] {
            self.execute(sql, params![channel_pk, user_id]).await?;
        }
        Ok(())
    }
}
