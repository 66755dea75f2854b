//! Filling a channel with many messages at once, for benchmarks: what is stored, counted, logged and queued for the text
//! index is what as many sends leave behind.

use natterjack_protocol::Timestamp;

use crate::error::Result;
use crate::tx::Tx;
use crate::value::params;

/// The numbers from 1 to `$1`, as the table `n`.
const NUMBERS: &str = "WITH RECURSIVE n (i) AS \
    (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1)";

impl Tx {
    /// Stores `number` messages of a user who is no member of the channel, a nanosecond apart, the last of them at
    /// `now`. Each has a text of its own, which begins with `text`. `false` when the channel is gone.
    pub async fn fill_channel(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        text: &str,
        number: i64,
        now: Timestamp,
    ) -> Result<bool> {
        let advance = crate::Advance {
            events: number,
            unread: number,
            messages: number,
            last_message: true,
            ..crate::Advance::default()
        };
        let Some(advanced) = self.advance_channel(channel_pk, advance, now).await? else { return Ok(false) };
        let (seq, before) = (advanced.unread_seq - number, advanced.at.nanoseconds() - number);
        let messages = format!(
            "{NUMBERS} INSERT INTO messages (app_pk, channel_pk, id, user_id, kind, text, in_channel, counts_unread, \
             silent, shadowed, unread_seq, reply_count, deleted_reply_count, created_at, updated_at) \
             SELECT c.app_pk, c.pk, c.id || '-' || CAST($2 + i AS TEXT), CAST($3 AS TEXT), 'regular', \
             CAST($4 AS TEXT) || ' ' || CAST($2 + i AS TEXT), TRUE, TRUE, FALSE, FALSE, $2 + i, 0, 0, $5 + i, $5 + i \
             FROM n JOIN channels c ON c.pk = $6 ORDER BY i"
        );
        self.execute(&messages, params![number, seq, user_id, text, before, channel_pk]).await?;
        let events = format!(
            "{NUMBERS} INSERT INTO channel_events (channel_pk, seq, kind, user_id, message_id, created_at) \
             SELECT c.pk, $2 + i, 'message.new', CAST($3 AS TEXT), c.id || '-' || CAST($4 + i AS TEXT), $5 + i \
             FROM n JOIN channels c ON c.pk = $6 ORDER BY i"
        );
        let event_seq = advanced.event_seq - number;
        self.execute(&events, params![number, event_seq, user_id, seq, before, channel_pk]).await?;
        self.execute(
            "INSERT INTO search_queue (message_pk) SELECT pk FROM messages \
             WHERE channel_pk = $1 AND in_channel AND created_at > $2",
            params![channel_pk, before],
        )
        .await?;
        Ok(true)
    }
}
