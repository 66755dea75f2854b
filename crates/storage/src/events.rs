use natterjack_protocol::Timestamp;

use crate::dialect::Dialect;
use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Row, params};

/// Something that happened in a channel.
#[derive(Debug, Clone)]
pub struct ChannelEvent<'a> {
    pub channel_pk: i64,
    /// Its place in the channel's sequence, reserved by [`Tx::advance_channel`].
    pub seq: i64,
    /// The event type, such as `message.new`.
    pub kind: &'static str,
    /// Who caused it.
    pub user_id: Option<&'a str>,
    /// The message it is about.
    pub message_id: Option<&'a str>,
    /// JSON of what cannot be read from the rows that the event names.
    pub payload: Option<String>,
}

/// Something that concerns one user's connections only.
#[derive(Debug, Clone)]
pub struct UserEvent<'a> {
    pub app_pk: i64,
    /// Whose log it goes to; [`Tx::append_user_events`] goes by its own list.
    pub user_id: &'a str,
    /// The event type, such as `user.updated`.
    pub kind: &'static str,
    pub channel_pk: Option<i64>,
    /// JSON of what cannot be read from the rows that the event names.
    pub payload: Option<String>,
}

/// That a log was appended to: what [`Store::listen`](crate::Store::listen) tells of a committed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// The log of a channel.
    Channel {
        channel_pk: i64,
        /// The sequence number that was appended.
        seq: i64,
        /// Whether the event says that somebody came to the channel or left it.
        of_members: bool,
        /// Who caused it.
        user_id: Option<String>,
    },
    /// The log of a user.
    User {
        app_pk: i64,
        user_id: String,
        /// The sequence number that was appended.
        seq: i64,
    },
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    pub seq: i64,
    /// The event type, such as `message.new`.
    pub kind: String,
    /// Who caused it; in the log of a user, whose log it is.
    pub user_id: Option<String>,
    /// The channel it is about.
    pub channel_pk: Option<i64>,
    /// The message it is about.
    pub message_id: Option<String>,
    /// JSON of what cannot be read from the rows that the event names.
    pub payload: Option<String>,
    pub created_at: Timestamp,
}

pub(crate) const INSERT_CHANNEL_EVENT: &str = "INSERT INTO channel_events \
    (channel_pk, seq, kind, user_id, message_id, payload, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";

fn entry_from_row(row: Row<'_>) -> Result<LogEntry> {
    Ok(LogEntry {
        seq: row.int(0)?,
        kind: row.text(1)?,
        user_id: row.optional_text(2)?,
        channel_pk: row.optional_int(3)?,
        message_id: row.optional_text(4)?,
        payload: row.optional_text(5)?,
        created_at: row.time(6)?,
    })
}

impl Tx {
    /// Appends to the log of a channel.
    pub async fn append_channel_event(&mut self, event: ChannelEvent<'_>, now: Timestamp) -> Result<()> {
        self.execute(
            INSERT_CHANNEL_EVENT,
            params![
                event.channel_pk,
                event.seq,
                event.kind,
                event.user_id,
                event.message_id,
                event.payload,
                now
            ],
        )
        .await?;
        self.note_channel_event(event.channel_pk, event.seq, event.kind, event.user_id);
        Ok(())
    }

    pub(crate) fn note_channel_event(
        &mut self,
        channel_pk: i64,
        seq: i64,
        kind: &str,
        user_id: Option<&str>,
    ) {
        self.note_moved(Moved::Channel {
            channel_pk,
            seq,
            of_members: kind.starts_with("member."),
            user_id: user_id.map(str::to_owned),
        });
    }

    /// Entries of a channel's log behind `after`, the oldest first.
    pub async fn list_channel_events(
        &mut self,
        channel_pk: i64,
        after: i64,
        limit: i64,
    ) -> Result<Vec<LogEntry>> {
        self.list_channel_entries("", channel_pk, after, limit).await
    }

    /// Those of the entries of a channel's log behind `after` that say that somebody came to the channel or left it, the
    /// oldest first.
    pub async fn list_comings_and_goings(
        &mut self,
        channel_pk: i64,
        after: i64,
        limit: i64,
    ) -> Result<Vec<LogEntry>> {
        let condition = " AND kind IN ('member.added', 'member.removed')";
        self.list_channel_entries(condition, channel_pk, after, limit).await
    }

    async fn list_channel_entries(
        &mut self,
        condition: &str,
        channel_pk: i64,
        after: i64,
        limit: i64,
    ) -> Result<Vec<LogEntry>> {
        let sql = format!(
            "SELECT seq, kind, user_id, channel_pk, message_id, payload, created_at FROM channel_events \
             WHERE channel_pk = $1 AND seq > $2{condition} ORDER BY seq LIMIT $3"
        );
        self.query(&sql, params![channel_pk, after, limit], entry_from_row).await
    }

    /// Entries of a channel's log after a moment, the oldest first.
    pub async fn list_channel_events_since(
        &mut self,
        channel_pk: i64,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<LogEntry>> {
        // The log is ordered by number, and by time with it: what is new stands at its end.
        let mut entries = self
            .query(
                "SELECT seq, kind, user_id, channel_pk, message_id, payload, created_at FROM channel_events \
                 WHERE channel_pk = $1 AND created_at > $2 ORDER BY seq DESC LIMIT $3",
                params![channel_pk, since, limit],
                entry_from_row,
            )
            .await?;
        entries.reverse();
        Ok(entries)
    }

    /// Entries of a user's log behind `after`, the oldest first.
    pub async fn list_user_events(
        &mut self,
        app_pk: i64,
        user_id: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<LogEntry>> {
        self.query(
            "SELECT seq, kind, user_id, channel_pk, CAST(NULL AS TEXT), payload, created_at FROM user_events \
             WHERE app_pk = $1 AND user_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
            params![app_pk, user_id, after, limit],
            entry_from_row,
        )
        .await
    }

    /// Entries of a user's log after a moment, the newest of them, the oldest first.
    pub async fn list_user_events_since(
        &mut self,
        app_pk: i64,
        user_id: &str,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<LogEntry>> {
        let mut entries = self
            .query(
                "SELECT seq, kind, user_id, channel_pk, CAST(NULL AS TEXT), payload, created_at FROM user_events \
                 WHERE app_pk = $1 AND user_id = $2 AND created_at > $3 ORDER BY seq DESC LIMIT $4",
                params![app_pk, user_id, since, limit],
                entry_from_row,
            )
            .await?;
        entries.reverse();
        Ok(entries)
    }

    /// Appends to the log of a user, with the user's next sequence number. Does nothing for an unknown user.
    pub async fn append_user_event(&mut self, event: UserEvent<'_>, now: Timestamp) -> Result<()> {
        let seq = self
            .query_optional(
                "UPDATE users SET event_seq = event_seq + 1 WHERE app_pk = $1 AND id = $2 RETURNING event_seq",
                params![event.app_pk, event.user_id],
                |row| row.int(0),
            )
            .await?;
        let Some(seq) = seq else { return Ok(()) };
        self.execute(
            "INSERT INTO user_events (app_pk, user_id, seq, kind, channel_pk, payload, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            params![event.app_pk, event.user_id, seq, event.kind, event.channel_pk, event.payload, now],
        )
        .await?;
        self.note_moved(Moved::User { app_pk: event.app_pk, user_id: event.user_id.to_owned(), seq });
        Ok(())
    }

    /// Appends the same event to the logs of several users, in a few steps whatever their number. Passes over unknown
    /// ones.
    pub async fn append_user_events(
        &mut self,
        user_ids: &[String],
        event: UserEvent<'_>,
        now: Timestamp,
    ) -> Result<()> {
        if user_ids.is_empty() {
            return Ok(());
        }
        let dialect = self.dialect();
        if dialect == Dialect::Postgres {
            // In one order everywhere: who writes to the rows of the same users never waits in a circle.
            let sql = format!(
                "SELECT id FROM users WHERE app_pk = $1 AND {} ORDER BY id{}",
                dialect.is_in("id", 2),
                dialect.for_update()
            );
            self.query(&sql, params![event.app_pk, user_ids.to_vec()], |_| Ok(())).await?;
        }
        let sql = format!(
            "UPDATE users SET event_seq = event_seq + 1 WHERE app_pk = $1 AND {} RETURNING id, event_seq",
            dialect.is_in("id", 2)
        );
        let params = params![event.app_pk, user_ids.to_vec()];
        let numbers = self.query(&sql, params, |row| Ok((row.text(0)?, row.int(1)?))).await?;
        for (user_id, seq) in numbers {
            self.note_moved(Moved::User { app_pk: event.app_pk, user_id, seq });
        }
        let sql = format!(
            "INSERT INTO user_events (app_pk, user_id, seq, kind, channel_pk, payload, created_at) \
             SELECT app_pk, id, event_seq, CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS BIGINT) \
             FROM users WHERE app_pk = $5 AND {}",
            dialect.is_in("id", 6)
        );
        let params =
            params![event.kind, event.channel_pk, event.payload, now, event.app_pk, user_ids.to_vec()];
        self.execute(&sql, params).await?;
        Ok(())
    }

    /// Removes events older than `before` from at most `limit` channels, those behind the channel `after`.
    /// Answers the last channel looked at, `None` when there are no more.
    pub async fn prune_channel_events(
        &mut self,
        after: i64,
        before: Timestamp,
        limit: i64,
    ) -> Result<Option<i64>> {
        let channels = self
            .query(
                "SELECT pk FROM channels WHERE pk > $1 ORDER BY pk LIMIT $2",
                params![after, limit],
                |row| row.int(0),
            )
            .await?;
        for channel_pk in &channels {
            // Reads no more rows than it removes, and one.
            self.execute(
                "DELETE FROM channel_events WHERE channel_pk = $1 AND seq < COALESCE((SELECT seq \
                 FROM channel_events WHERE channel_pk = $1 AND created_at >= $2 ORDER BY seq LIMIT 1), \
                 9223372036854775807)",
                params![*channel_pk, before],
            )
            .await?;
        }
        Ok(channels.last().copied())
    }

    /// As [`Tx::prune_channel_events`], for the events of users: those behind the user `after` of that app.
    pub async fn prune_user_events(
        &mut self,
        after: (i64, &str),
        before: Timestamp,
        limit: i64,
    ) -> Result<Option<(i64, String)>> {
        let users = self
            .query(
                "SELECT app_pk, id FROM users WHERE (app_pk, id) > ($1, $2) ORDER BY app_pk, id LIMIT $3",
                params![after.0, after.1, limit],
                |row| Ok((row.int(0)?, row.text(1)?)),
            )
            .await?;
        for (app_pk, user_id) in &users {
            self.execute(
                "DELETE FROM user_events WHERE app_pk = $1 AND user_id = $2 AND seq < COALESCE((SELECT seq \
                 FROM user_events WHERE app_pk = $1 AND user_id = $2 AND created_at >= $3 ORDER BY seq LIMIT 1), \
                 9223372036854775807)",
                params![*app_pk, user_id, before],
            )
            .await?;
        }
        Ok(users.last().cloned())
    }
}
