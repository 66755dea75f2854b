use natterjack_protocol::{Custom, Timestamp};

use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Param, Row, params};

/// A thread: the replies to one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Thread {
    pub parent_pk: i64,
    pub channel_pk: i64,
    pub created_by_id: String,
    pub title: String,
    pub custom: Custom,
    /// Replies ever sent.
    pub reply_seq: i64,
    pub last_message_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A user who takes part in a thread: wrote its parent or a reply, or was mentioned in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadParticipant {
    pub parent_pk: i64,
    pub user_id: String,
    /// The thread's `reply_seq` up to which the user has read.
    pub read_seq: i64,
    pub last_read: Timestamp,
    pub last_read_message_id: Option<String>,
    pub last_thread_message_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

const PARTICIPANT_COLUMNS: &str =
    "parent_pk, user_id, read_seq, last_read, last_read_message_id, last_thread_message_at, created_at";

fn participant_from_row(row: Row<'_>) -> Result<ThreadParticipant> {
    Ok(ThreadParticipant {
        parent_pk: row.int(0)?,
        user_id: row.text(1)?,
        read_seq: row.int(2)?,
        last_read: row.time(3)?,
        last_read_message_id: row.optional_text(4)?,
        last_thread_message_at: row.optional_time(5)?,
        created_at: row.time(6)?,
    })
}

impl Tx {
    /// Counts a reply in, creating the thread with the first one. Answers the reply's number.
    pub async fn advance_thread(
        &mut self,
        app_pk: i64,
        channel_pk: i64,
        parent_pk: i64,
        user_id: &str,
        at: Timestamp,
    ) -> Result<i64> {
        let seq = self
            .query_optional(
                "INSERT INTO threads (parent_pk, app_pk, channel_pk, created_by_id, last_message_at, created_at, \
                 updated_at, title, reply_seq) VALUES ($1, $2, $3, $4, $5, $5, $5, '', 1) \
                 ON CONFLICT (parent_pk) DO UPDATE SET reply_seq = threads.reply_seq + 1, \
                 last_message_at = excluded.last_message_at, updated_at = excluded.updated_at \
                 RETURNING reply_seq",
                params![parent_pk, app_pk, channel_pk, user_id, at],
                |row| row.int(0),
            )
            .await?;
        Ok(seq.expect("an upsert returns its row"))
    }

    /// Lets the sender of a reply take part, having read everything up to it.
    pub async fn join_thread_by_reply(
        &mut self,
        app_pk: i64,
        parent_pk: i64,
        user_id: &str,
        reply_seq: i64,
        reply_id: &str,
        at: Timestamp,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO thread_participants (parent_pk, user_id, app_pk, read_seq, last_read, \
             last_read_message_id, last_thread_message_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $5, $5) \
             ON CONFLICT (parent_pk, user_id) DO UPDATE SET read_seq = excluded.read_seq, \
             last_read = excluded.last_read, last_read_message_id = excluded.last_read_message_id, \
             last_thread_message_at = excluded.last_thread_message_at",
            params![parent_pk, user_id, app_pk, reply_seq, at, reply_id],
        )
        .await?;
        Ok(())
    }

    /// Lets users take part who did not write the reply: the parent's author and those mentioned. The reply is
    /// unread for those who are new; the others stay as they are.
    pub async fn join_thread(
        &mut self,
        app_pk: i64,
        parent_pk: i64,
        user_ids: &[&str],
        read_seq: i64,
        at: Timestamp,
    ) -> Result<()> {
        let params: Vec<_> = user_ids
            .iter()
            .map(|user_id| {
                vec![
                    Param::Int(parent_pk),
                    Param::Text(user_id),
                    Param::Int(app_pk),
                    Param::Int(read_seq),
                    at.into(),
                ]
            })
            .collect();
        self.query_each(
            "INSERT INTO thread_participants (parent_pk, user_id, app_pk, read_seq, last_read, created_at) \
             VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (parent_pk, user_id) DO NOTHING RETURNING read_seq",
            &params,
            |row| row.int(0),
        )
        .await?;
        Ok(())
    }

    /// Moves a participant's read position to the newest reply. Answers whether the user takes part.
    pub async fn read_thread(
        &mut self,
        parent_pk: i64,
        user_id: &str,
        last_read_message_id: Option<&str>,
        now: Timestamp,
    ) -> Result<bool> {
        let changed = self
            .execute(
                "UPDATE thread_participants SET last_read_message_id = $1, last_read = $2, \
                 read_seq = (SELECT reply_seq FROM threads WHERE threads.parent_pk = thread_participants.parent_pk) \
                 WHERE parent_pk = $3 AND user_id = $4",
                params![last_read_message_id, now, parent_pk, user_id],
            )
            .await?;
        Ok(changed == 1)
    }

    /// The thread of a message.
    pub async fn find_thread(&mut self, parent_pk: i64) -> Result<Option<Thread>> {
        self.query_optional(
            "SELECT parent_pk, channel_pk, created_by_id, title, custom, reply_seq, last_message_at, created_at, \
             updated_at FROM threads WHERE parent_pk = $1",
            params![parent_pk],
            |row| {
                Ok(Thread {
                    parent_pk: row.int(0)?,
                    channel_pk: row.int(1)?,
                    created_by_id: row.text(2)?,
                    title: row.text(3)?,
                    custom: row.json(4, "threads.custom")?,
                    reply_seq: row.int(5)?,
                    last_message_at: row.time(6)?,
                    created_at: row.time(7)?,
                    updated_at: row.time(8)?,
                })
            },
        )
        .await
    }

    /// For each parent at most `limit` participants, earliest first.
    pub async fn list_thread_participants(
        &mut self,
        parent_pks: &[i64],
        limit: i64,
    ) -> Result<Vec<ThreadParticipant>> {
        let params: Vec<_> = parent_pks.iter().map(|pk| vec![Param::Int(*pk), Param::Int(limit)]).collect();
        let sql = format!(
            "SELECT {PARTICIPANT_COLUMNS} FROM thread_participants WHERE parent_pk = $1 \
             ORDER BY created_at, user_id LIMIT $2"
        );
        let participants = self.query_each(&sql, &params, participant_from_row).await?;
        Ok(participants.into_iter().flatten().collect())
    }

    /// The participation of one user in a thread.
    pub async fn find_thread_participant(
        &mut self,
        parent_pk: i64,
        user_id: &str,
    ) -> Result<Option<ThreadParticipant>> {
        let sql = format!(
            "SELECT {PARTICIPANT_COLUMNS} FROM thread_participants WHERE parent_pk = $1 AND user_id = $2"
        );
        self.query_optional(&sql, params![parent_pk, user_id], participant_from_row).await
    }

    /// How many users take part in a thread.
    pub async fn count_thread_participants(&mut self, parent_pk: i64) -> Result<i64> {
        let count = self
            .query_optional(
                "SELECT COUNT(*) FROM thread_participants WHERE parent_pk = $1",
                params![parent_pk],
                |row| row.int(0),
            )
            .await?;
        Ok(count.unwrap_or(0))
    }

    /// Removes a thread and who took part, when its parent is gone.
    pub async fn delete_thread(&mut self, parent_pk: i64) -> Result<()> {
        for sql in [
            "DELETE FROM thread_participants WHERE parent_pk = $1",
            "DELETE FROM thread_unread_gaps WHERE parent_pk = $1",
            "DELETE FROM threads WHERE parent_pk = $1",
        ] {
            self.execute(sql, params![parent_pk]).await?;
        }
        Ok(())
    }
}
