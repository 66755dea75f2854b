use natterjack_protocol::{Custom, Timestamp};

use crate::error::Result;
use crate::messages::Message;
use crate::tx::Tx;
use crate::value::{Param, Row, json_unless_default, params};

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
    pub participant_count: i64,
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
    /// Own replies behind that place.
    pub unread_less: i64,
    pub last_read: Timestamp,
    pub last_read_message_id: Option<String>,
    pub last_thread_message_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Unread replies that were deleted since.
    pub unread_gaps: i64,
}

impl ThreadParticipant {
    /// Replies that the user has not read, by the thread's counter.
    pub fn unread(&self, reply_seq: i64) -> i64 {
        (reply_seq - self.read_seq - self.unread_less - self.unread_gaps).max(0)
    }
}

/// Up to where a participant has read a thread.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadReadPosition {
    /// The thread's `reply_seq` at that place.
    pub read_seq: i64,
    /// Own replies behind it.
    pub unread_less: i64,
    pub last_read: Timestamp,
    pub last_read_message_id: Option<String>,
}

/// Participants whose rows change together with a reply. In threads with more the job that empties `thread_queue`
/// follows.
const SPREAD_AT_ONCE_MAX: i64 = 100;

pub(crate) const THREAD_COLUMNS: &str = "t.parent_pk, t.channel_pk, t.created_by_id, t.title, t.custom, t.reply_seq, \
    t.participant_count, t.last_message_at, t.created_at, t.updated_at";
pub(crate) const THREAD_COLUMN_COUNT: usize = 10;

pub(crate) fn thread_from_row(row: Row<'_>) -> Result<Thread> {
    Ok(Thread {
        parent_pk: row.int(0)?,
        channel_pk: row.int(1)?,
        created_by_id: row.text(2)?,
        title: row.text(3)?,
        custom: row.json(4, "threads.custom")?,
        reply_seq: row.int(5)?,
        participant_count: row.int(6)?,
        last_message_at: row.time(7)?,
        created_at: row.time(8)?,
        updated_at: row.time(9)?,
    })
}

const PARTICIPANT_COLUMNS: &str = "p.parent_pk, p.user_id, p.read_seq, p.unread_less, p.last_read, \
    p.last_read_message_id, p.last_thread_message_at, p.created_at, \
    (SELECT COUNT(*) FROM thread_unread_gaps g WHERE g.parent_pk = p.parent_pk AND g.seq > p.read_seq)";

fn participant_from_row(row: Row<'_>) -> Result<ThreadParticipant> {
    Ok(ThreadParticipant {
        parent_pk: row.int(0)?,
        user_id: row.text(1)?,
        read_seq: row.int(2)?,
        unread_less: row.int(3)?,
        last_read: row.time(4)?,
        last_read_message_id: row.optional_text(5)?,
        last_thread_message_at: row.optional_time(6)?,
        created_at: row.time(7)?,
        unread_gaps: row.int(8)?,
    })
}

/// As SQL, what a participant's row holds about the thread.
macro_rules! last_message_at {
    () => {
        "(SELECT t.last_message_at FROM threads t WHERE t.parent_pk = thread_participants.parent_pk)"
    };
}
macro_rules! has_unread {
    () => {
        "((SELECT t.reply_seq FROM threads t WHERE t.parent_pk = thread_participants.parent_pk) \
        - read_seq - unread_less - (SELECT COUNT(*) FROM thread_unread_gaps g \
        WHERE g.parent_pk = thread_participants.parent_pk AND g.seq > thread_participants.read_seq) > 0)"
    };
}

/// Brings the participants' rows up to date. Those that are it are not written: PostgreSQL would keep the old ones, which
/// whoever counts the unread threads has to pass over.
const SPREAD: &str = concat!(
    "UPDATE thread_participants SET last_message_at = ",
    last_message_at!(),
    ", has_unread = ",
    has_unread!(),
    " WHERE parent_pk = $1 AND (last_message_at <> ",
    last_message_at!(),
    " OR has_unread <> ",
    has_unread!(),
    ")"
);

/// As SQL, how many gaps behind the position `$1` are pruned: everybody had read past them, and whoever goes back behind
/// them has them made up for.
const PRUNED_GAPS: &str = "COALESCE((SELECT t.reply_seq - $1 \
    - (SELECT COUNT(*) FROM messages m WHERE m.parent_pk = t.parent_pk AND m.thread_seq > $1 \
    AND m.deleted_at IS NULL AND NOT m.shadowed) \
    - (SELECT COUNT(*) FROM thread_unread_gaps g WHERE g.parent_pk = t.parent_pk AND g.seq > $1) \
    FROM threads t WHERE t.parent_pk = thread_participants.parent_pk AND t.reply_seq > $1), 0)";

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

    /// Lets the sender of a reply take part, having read everything up to it, and `others` who have not read it: the
    /// parent's author and those mentioned. Everybody who takes part gets to see that there is something new.
    pub async fn follow_reply(&mut self, reply: &Message, others: &[&str]) -> Result<()> {
        let (Some(parent_pk), Some(seq)) = (reply.parent_pk, reply.thread_seq) else { return Ok(()) };
        let at = reply.created_at;
        let sender = reply.user_id.as_str();
        let params: Vec<_> = others
            .iter()
            .filter(|user_id| **user_id != sender)
            .chain([&sender])
            .map(|user_id| {
                vec![
                    Param::Int(parent_pk),
                    Param::Text(user_id),
                    Param::Int(reply.app_pk),
                    Param::Int(reply.channel_pk),
                    Param::Int(seq - 1),
                    at.into(),
                ]
            })
            .collect();
        let joined = self
            .write_each(
                "INSERT INTO thread_participants (parent_pk, user_id, app_pk, channel_pk, read_seq, last_read, \
                 created_at, last_message_at, has_unread, unread_less) \
                 VALUES ($1, $2, $3, $4, $5, $6, $6, $6, TRUE, 0) \
                 ON CONFLICT (parent_pk, user_id) DO NOTHING RETURNING read_seq",
                &params,
                |row| row.int(0),
            )
            .await?;
        let joined = joined.iter().flatten().count() as i64;
        self.execute_all(&[
            (
                "UPDATE threads SET participant_count = participant_count + $1 WHERE parent_pk = $2",
                params![joined, parent_pk],
            ),
            (
                "UPDATE thread_participants SET read_seq = $1, unread_less = 0, last_read = $2, \
                 last_read_message_id = $3, last_thread_message_at = $2 WHERE parent_pk = $4 AND user_id = $5",
                params![seq, at, &reply.id, parent_pk, sender],
            ),
        ])
        .await?;
        // In a large thread the sender does not wait for the job.
        self.spread_thread(parent_pk, Some(sender)).await
    }

    /// Brings what the participants' rows hold about the thread up to date, `user_id`'s in any case at once.
    async fn spread_thread(&mut self, parent_pk: i64, user_id: Option<&str>) -> Result<()> {
        let count = self
            .query_optional(
                "SELECT participant_count FROM threads WHERE parent_pk = $1",
                params![parent_pk],
                |row| row.int(0),
            )
            .await?;
        if count.unwrap_or(0) <= SPREAD_AT_ONCE_MAX {
            self.execute(SPREAD, params![parent_pk]).await?;
            return Ok(());
        }
        if let Some(user_id) = user_id {
            self.execute(&format!("{SPREAD} AND user_id = $2"), params![parent_pk, user_id]).await?;
        }
        self.execute(
            "INSERT INTO thread_queue (parent_pk, after_user_id, again) VALUES ($1, '', FALSE) \
             ON CONFLICT (parent_pk) DO UPDATE SET again = TRUE",
            params![parent_pk],
        )
        .await?;
        Ok(())
    }

    /// Whether a large thread waits for its participants to be brought up to date.
    pub async fn has_queued_thread(&mut self) -> Result<bool> {
        let found =
            self.query("SELECT parent_pk FROM thread_queue LIMIT 1", params![], |row| row.int(0)).await?;
        Ok(!found.is_empty())
    }

    /// Brings up to date what at most `limit` participants hold about the first large thread that waits behind the key
    /// `after`. Answers the thread's key, `None` when none waits there.
    ///
    /// A reply that comes meanwhile has them gone through once more, from the start: to begin anew at once would never
    /// reach the last ones of a busy thread. The place in the queue is not locked while participants are: a reply locks
    /// its sender's row first.
    pub async fn spread_queued_thread(&mut self, after: i64, limit: i64) -> Result<Option<i64>> {
        let queued = self
            .query_optional(
                "SELECT parent_pk, after_user_id FROM thread_queue WHERE parent_pk > $1 ORDER BY parent_pk LIMIT 1",
                params![after],
                |row| Ok((row.int(0)?, row.text(1)?)),
            )
            .await?;
        let Some((parent_pk, after_user_id)) = queued else { return Ok(None) };
        let last = self
            .query(
                "SELECT user_id FROM thread_participants WHERE parent_pk = $1 AND user_id > $2 \
                 ORDER BY user_id LIMIT $3",
                params![parent_pk, &after_user_id, limit],
                |row| row.text(0),
            )
            .await?
            .pop();
        let Some(last) = last else {
            let done = self
                .execute("DELETE FROM thread_queue WHERE parent_pk = $1 AND NOT again", params![parent_pk])
                .await?;
            if done == 0 {
                self.execute(
                    "UPDATE thread_queue SET after_user_id = '', again = FALSE WHERE parent_pk = $1",
                    params![parent_pk],
                )
                .await?;
            }
            return Ok(Some(parent_pk));
        };
        let sql = format!("{SPREAD} AND user_id > $2 AND user_id <= $3");
        self.execute(&sql, params![parent_pk, &after_user_id, &last]).await?;
        self.execute(
            "UPDATE thread_queue SET after_user_id = $1 WHERE parent_pk = $2",
            params![&last, parent_pk],
        )
        .await?;
        Ok(Some(parent_pk))
    }

    /// Moves a participant's read position. Answers whether the user takes part.
    pub async fn update_thread_read_position(
        &mut self,
        parent_pk: i64,
        user_id: &str,
        position: &ThreadReadPosition,
    ) -> Result<bool> {
        let sql = format!(
            "UPDATE thread_participants SET read_seq = $1, unread_less = $2 + {PRUNED_GAPS}, last_read = $3, \
             last_read_message_id = $4 WHERE parent_pk = $5 AND user_id = $6"
        );
        let changed = self
            .execute(
                &sql,
                params![
                    position.read_seq,
                    position.unread_less,
                    position.last_read,
                    position.last_read_message_id.as_deref(),
                    parent_pk,
                    user_id
                ],
            )
            .await?;
        self.execute(&format!("{SPREAD} AND user_id = $2"), params![parent_pk, user_id]).await?;
        Ok(changed == 1)
    }

    /// How many replies of a user are in a thread and count there: deleted and shadowed ones do not.
    pub async fn count_own_replies(&mut self, parent_pk: i64, user_id: &str) -> Result<i64> {
        let count = self
            .query_optional(
                "SELECT COUNT(*) FROM messages WHERE parent_pk = $1 AND user_id = $2 AND deleted_at IS NULL \
                 AND NOT shadowed",
                params![parent_pk, user_id],
                |row| row.int(0),
            )
            .await?;
        Ok(count.unwrap_or(0))
    }

    /// Takes a deleted, or a shadowed, reply off what participants have not read. Its author, if the read position lies before it, does
    /// not need the gap: own replies were taken off already.
    pub async fn insert_thread_unread_gap(
        &mut self,
        parent_pk: i64,
        seq: i64,
        author_id: &str,
    ) -> Result<()> {
        let inserted = self
            .execute(
                "INSERT INTO thread_unread_gaps (parent_pk, seq) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                params![parent_pk, seq],
            )
            .await?;
        if inserted == 0 {
            return Ok(());
        }
        self.execute(
            "UPDATE thread_participants SET unread_less = unread_less - 1 \
             WHERE parent_pk = $1 AND user_id = $2 AND read_seq < $3",
            params![parent_pk, author_id, seq],
        )
        .await?;
        self.spread_thread(parent_pk, None).await
    }

    /// Counts an undeleted reply as unread again for participants who have not read so far: the reverse of
    /// [`Tx::insert_thread_unread_gap`].
    pub async fn delete_thread_unread_gap(
        &mut self,
        parent_pk: i64,
        seq: i64,
        author_id: &str,
    ) -> Result<()> {
        let deleted = self
            .execute(
                "DELETE FROM thread_unread_gaps WHERE parent_pk = $1 AND seq = $2",
                params![parent_pk, seq],
            )
            .await?;
        if deleted == 0 {
            return Ok(());
        }
        self.execute(
            "UPDATE thread_participants SET unread_less = unread_less + 1 \
             WHERE parent_pk = $1 AND user_id = $2 AND read_seq < $3",
            params![parent_pk, author_id, seq],
        )
        .await?;
        self.spread_thread(parent_pk, None).await
    }

    /// Changes what a thread is called and the app's own data of it.
    pub async fn update_thread(
        &mut self,
        parent_pk: i64,
        title: &str,
        custom: &Custom,
        now: Timestamp,
    ) -> Result<()> {
        self.execute(
            "UPDATE threads SET title = $1, custom = $2, updated_at = $3 WHERE parent_pk = $4",
            params![title, json_unless_default(custom), now, parent_pk],
        )
        .await?;
        Ok(())
    }

    /// The thread of a message.
    pub async fn find_thread(&mut self, parent_pk: i64) -> Result<Option<Thread>> {
        let sql = format!("SELECT {THREAD_COLUMNS} FROM threads t WHERE t.parent_pk = $1");
        self.query_optional(&sql, params![parent_pk], thread_from_row).await
    }

    /// For each parent at most `limit` participants, earliest first.
    pub async fn list_thread_participants(
        &mut self,
        parent_pks: &[i64],
        limit: i64,
    ) -> Result<Vec<ThreadParticipant>> {
        let params: Vec<_> = parent_pks.iter().map(|pk| vec![Param::Int(*pk), Param::Int(limit)]).collect();
        let sql = format!(
            "SELECT {PARTICIPANT_COLUMNS} FROM thread_participants p WHERE p.parent_pk = $1 \
             ORDER BY p.created_at, p.user_id LIMIT $2"
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
            "SELECT {PARTICIPANT_COLUMNS} FROM thread_participants p WHERE p.parent_pk = $1 AND p.user_id = $2"
        );
        self.query_optional(&sql, params![parent_pk, user_id], participant_from_row).await
    }

    /// Removes a thread and who took part, when its parent is gone.
    pub async fn delete_thread(&mut self, parent_pk: i64) -> Result<()> {
        for sql in [
            "DELETE FROM thread_participants WHERE parent_pk = $1",
            "DELETE FROM thread_unread_gaps WHERE parent_pk = $1",
            "DELETE FROM thread_queue WHERE parent_pk = $1",
            "DELETE FROM threads WHERE parent_pk = $1",
        ] {
            self.execute(sql, params![parent_pk]).await?;
        }
        Ok(())
    }
}
