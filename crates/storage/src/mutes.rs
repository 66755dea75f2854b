use natterjack_protocol::Timestamp;

use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Row, params};

/// A channel that a user muted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelMute {
    pub channel_pk: i64,
    pub user_id: String,
    /// When it ends by itself; `None` for a lasting one.
    pub expires: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

const MUTE_COLUMNS: &str = "channel_pk, user_id, expires, created_at, updated_at";

fn mute_from_row(row: Row<'_>) -> Result<ChannelMute> {
    Ok(ChannelMute {
        channel_pk: row.int(0)?,
        user_id: row.text(1)?,
        expires: row.optional_time(2)?,
        created_at: row.time(3)?,
        updated_at: row.time(4)?,
    })
}

impl Tx {
    /// Mutes a channel for a user from `at` on, or gives a mute another end. `at` and `unread_seq` are those of
    /// [`Tx::advance_channel`], under whose lock this runs.
    pub async fn upsert_channel_mute(
        &mut self,
        app_pk: i64,
        mute: &ChannelMute,
        at: Timestamp,
        unread_seq: i64,
    ) -> Result<ChannelMute> {
        let sql = format!(
            "INSERT INTO channel_mutes AS x (channel_pk, user_id, app_pk, expires, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (channel_pk, user_id) DO UPDATE SET \
             created_at = CASE WHEN x.expires <= excluded.updated_at THEN excluded.created_at ELSE x.created_at END, \
             updated_at = excluded.updated_at, expires = excluded.expires RETURNING {MUTE_COLUMNS}"
        );
        let params =
            params![mute.channel_pk, &mute.user_id, app_pk, mute.expires, mute.created_at, mute.updated_at];
        let mut stored = self.query(&sql, params, mute_from_row).await?;
        self.settle_quiet(mute.channel_pk, &mute.user_id, at, unread_seq).await?;
        Ok(stored.pop().expect("an upsert returns its row"))
    }

    /// Ends the mute of a channel at `at`. `false` when there was none, or it was over. As
    /// [`Tx::upsert_channel_mute`] it needs the channel's lock.
    pub async fn delete_channel_mute(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        at: Timestamp,
        unread_seq: i64,
    ) -> Result<bool> {
        let sql = format!(
            "DELETE FROM channel_mutes WHERE channel_pk = $1 AND user_id = $2 RETURNING {MUTE_COLUMNS}"
        );
        let deleted = self.query_optional(&sql, params![channel_pk, user_id], mute_from_row).await?;
        let Some(mute) = deleted else { return Ok(false) };
        self.settle_quiet(channel_pk, user_id, at, unread_seq).await?;
        Ok(mute.expires.is_none_or(|expires| expires > at))
    }

    /// Which of these channels a user has muted at the moment.
    pub async fn list_channel_mutes_in(
        &mut self,
        user_id: &str,
        channel_pks: Vec<i64>,
        now: Timestamp,
    ) -> Result<Vec<ChannelMute>> {
        let sql = format!(
            "SELECT {MUTE_COLUMNS} FROM channel_mutes WHERE user_id = $1 AND {} \
             AND (expires IS NULL OR expires > $3) ORDER BY channel_pk",
            self.dialect().is_in("channel_pk", 2)
        );
        self.query(&sql, params![user_id, channel_pks, now], mute_from_row).await
    }

    /// The channels that each of these users has muted at the moment, newest mute first, at most `limit` for each.
    /// Channels that were deleted are left out.
    pub async fn list_channel_mutes(
        &mut self,
        app_pk: i64,
        user_ids: &[String],
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<ChannelMute>> {
        let params: Vec<_> = user_ids
            .iter()
            .map(|user_id| vec![app_pk.into(), user_id.as_str().into(), now.into(), limit.into()])
            .collect();
        let sql = "SELECT x.channel_pk, x.user_id, x.expires, x.created_at, x.updated_at FROM channel_mutes x \
            JOIN channels c ON c.pk = x.channel_pk WHERE x.app_pk = $1 AND x.user_id = $2 \
            AND (x.expires IS NULL OR x.expires > $3) AND c.deleted_at IS NULL \
            ORDER BY x.created_at DESC, x.channel_pk LIMIT $4";
        Ok(self.query_each(sql, &params, mute_from_row).await?.into_iter().flatten().collect())
    }

    /// Removes the mutes that ended up to `before`, and what was quiet up to then for those who have read past it, of
    /// the `limit` channels behind `after` that have such. Answers the last channel looked at, `None` when there are no
    /// more.
    pub async fn prune_quiet_spans(
        &mut self,
        after: i64,
        before: Timestamp,
        limit: i64,
    ) -> Result<Option<i64>> {
        let channels = self
            .query(
                "SELECT DISTINCT channel_pk FROM quiet_spans WHERE channel_pk > $1 AND until_at <= $2 \
                 ORDER BY channel_pk LIMIT $3",
                params![after, before, limit],
                |row| row.int(0),
            )
            .await?;
        // Read positions and mutes move under the channel's lock.
        let lock = format!("SELECT pk FROM channels WHERE pk = $1{}", self.dialect().for_update());
        let settle = format!(
            "UPDATE members SET quiet_until = COALESCE((SELECT MAX(q.until_at) FROM quiet_spans q \
             WHERE q.channel_pk = members.channel_pk AND q.user_id = members.user_id), 0) \
             WHERE channel_pk = $1 AND {}",
            self.dialect().is_in("user_id", 2)
        );
        for channel_pk in &channels {
            self.query_optional(&lock, params![*channel_pk], |row| row.int(0)).await?;
            self.execute(
                "DELETE FROM channel_mutes WHERE channel_pk = $1 AND expires <= $2",
                params![*channel_pk, before],
            )
            .await?;
            let user_ids = self
                .query(
                    "DELETE FROM quiet_spans WHERE channel_pk = $1 AND until_at <= $2 AND NOT EXISTS \
                     (SELECT 1 FROM members m WHERE m.channel_pk = quiet_spans.channel_pk \
                     AND m.user_id = quiet_spans.user_id AND m.read_up_to < quiet_spans.until_at) RETURNING user_id",
                    params![*channel_pk, before],
                    |row| row.text(0),
                )
                .await?;
            self.execute(&settle, params![*channel_pk, user_ids]).await?;
        }
        Ok(channels.last().copied())
    }
}
