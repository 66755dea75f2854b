use natterjack_protocol::Timestamp;

use crate::dialect::Dialect;
use crate::error::Result;
use crate::tx::Tx;
use crate::value::params;

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

pub(crate) const INSERT_CHANNEL_EVENT: &str = "INSERT INTO channel_events \
    (channel_pk, seq, kind, user_id, message_id, payload, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";

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
        Ok(())
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
            "UPDATE users SET event_seq = event_seq + 1 WHERE app_pk = $1 AND {}",
            dialect.is_in("id", 2)
        );
        self.execute(&sql, params![event.app_pk, user_ids.to_vec()]).await?;
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
