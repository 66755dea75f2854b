//! Taking the messages up to a moment away: from everybody, or from some members.

use natterjack_protocol::Timestamp;

use crate::error::Result;
use crate::reads::corrections;
use crate::tx::Tx;
use crate::value::params;

impl Tx {
    /// Takes the messages up to a moment away from everybody; those that are stored remain until they are purged. The
    /// counters are those of the messages that stay, which are counted: none when the moment is now.
    pub async fn truncate_channel(
        &mut self,
        channel_pk: i64,
        upto: Timestamp,
        truncated_by_id: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        let seq = self.find_unread_seq_at(channel_pk, upto).await?;
        self.execute(
            "UPDATE channels SET truncated_at = CASE WHEN truncated_at > $1 THEN truncated_at ELSE $1 END, \
             truncated_by_id = $2, updated_at = $3, \
             history_from = CASE WHEN history_from > $1 THEN history_from ELSE $1 END, \
             history_seq = CASE WHEN history_seq > $4 THEN history_seq ELSE $4 END, \
             last_message_at = CASE WHEN last_message_at > $1 THEN last_message_at END WHERE pk = $5",
            params![upto, truncated_by_id, now, seq, channel_pk],
        )
        .await?;
        // Each half of the messages has an index of its own.
        let left = "SELECT (SELECT COUNT(*) FROM messages m WHERE m.channel_pk = c.pk \
            AND m.in_channel AND m.created_at > c.history_from AND m.deleted_at IS NULL) \
            + (SELECT COUNT(*) FROM messages m WHERE m.channel_pk = c.pk AND NOT m.in_channel \
            AND m.created_at > c.history_from AND m.deleted_at IS NULL) FROM channels c WHERE c.pk = $1";
        let left = self.query_optional(left, params![channel_pk], |row| row.int(0)).await?.unwrap_or(0);
        // The oldest go, and the oldest are those that are not counted.
        self.execute(
            "UPDATE channels SET messages_uncounted = CASE WHEN messages_uncounted IS NULL THEN NULL \
             WHEN messages_uncounted > message_count - $1 THEN messages_uncounted - (message_count - $1) ELSE 0 END, \
             message_count = $1 WHERE pk = $2",
            params![left, channel_pk],
        )
        .await?;
        self.settle_members(channel_pk).await
    }

    /// Takes the messages up to a moment away from these members. Answers which of them are members.
    pub async fn truncate_for_members(
        &mut self,
        channel_pk: i64,
        user_ids: Vec<String>,
        upto: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        let dialect = self.dialect();
        let sql = format!(
            "UPDATE members SET updated_at = $1, \
             hide_messages_before = CASE WHEN hide_messages_before > $2 THEN hide_messages_before ELSE $2 END \
             WHERE channel_pk = $3 AND {} RETURNING user_id",
            dialect.is_in("user_id", 4)
        );
        let mut found =
            self.query(&sql, params![now, upto, channel_pk, user_ids.clone()], |row| row.text(0)).await?;
        found.sort();
        let seq = self.find_unread_seq_at(channel_pk, upto).await?;
        let sql = format!(
            "UPDATE members SET read_seq = CASE WHEN read_seq > $1 THEN read_seq ELSE $1 END, read_up_to = $2, \
             unread_less = ({}) WHERE channel_pk = $3 AND read_up_to < $2 AND {}",
            corrections(dialect, "members.user_id", "members.channel_pk", "$2"),
            dialect.is_in("user_id", 4)
        );
        self.execute(&sql, params![seq, upto, channel_pk, user_ids]).await?;
        Ok(found)
    }

    /// The channel's `unread_seq` as it was at a moment.
    async fn find_unread_seq_at(&mut self, channel_pk: i64, at: Timestamp) -> Result<i64> {
        let seq = self
            .query_optional(
                "SELECT m.unread_seq FROM messages m WHERE m.channel_pk = $1 AND m.in_channel \
                 AND m.created_at <= $2 ORDER BY m.created_at DESC LIMIT 1",
                params![channel_pk, at],
                |row| row.int(0),
            )
            .await?;
        Ok(seq.unwrap_or(0))
    }

    /// After a channel's history has been cut: who has not read up to there starts there, and what corrects the
    /// number of unread messages is about later ones only. Of all members only those with a correction are touched.
    pub(crate) async fn settle_members(&mut self, channel_pk: i64) -> Result<()> {
        const FROM: &str = "(SELECT h.history_from FROM channels h WHERE h.pk = members.channel_pk)";
        let dialect = self.dialect();
        let sql = format!(
            "UPDATE members {} SET read_seq = (SELECT h.history_seq FROM channels h WHERE h.pk = members.channel_pk), \
             read_up_to = {FROM}, unread_less = ({}) \
             WHERE channel_pk = $1 AND unread_less <> 0 AND read_up_to < {FROM}",
            dialect.indexed_by("members_corrected"),
            corrections(dialect, "members.user_id", "members.channel_pk", FROM),
        );
        self.execute(&sql, params![channel_pk]).await?;
        Ok(())
    }
}
