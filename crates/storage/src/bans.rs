//! Users who may not write, in a channel or in the whole app.

use natterjack_protocol::Timestamp;

use crate::error::Result;
use crate::members::Member;
use crate::tx::Tx;
use crate::users::{USER_COLUMNS, User, user_from_row};
use crate::value::{Row, params};

/// In place of a channel's key: the ban is one from the whole app.
pub const WHOLE_APP: i64 = 0;

/// A ban as stored. It is over when `expires` has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// [`WHOLE_APP`], or the only channel in which it holds.
    pub channel_pk: i64,
    pub user_id: String,
    pub banned_by_id: String,
    /// Empty when none was given.
    pub reason: String,
    /// Whether the user is not told.
    pub shadow: bool,
    /// The address from which nobody may write.
    pub ip: Option<String>,
    pub created_at: Timestamp,
    /// `None` for a lasting one.
    pub expires: Option<Timestamp>,
}

/// How a ban weighs on its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BanKind {
    /// Nothing can be written.
    Open,
    /// What is written is shown to the user alone.
    Shadow,
}

impl BanKind {
    /// What flags and an end say at a moment; `None` when there is no ban, or it is over.
    fn at(now: Timestamp, banned: bool, shadow_banned: bool, expires: Option<Timestamp>) -> Option<Self> {
        if expires.is_some_and(|expires| expires <= now) {
            return None;
        }
        match (banned, shadow_banned) {
            (true, _) => Some(Self::Open),
            (false, true) => Some(Self::Shadow),
            (false, false) => None,
        }
    }
}

impl Ban {
    /// How it weighs at a moment; `None` when it is over.
    pub fn at(&self, now: Timestamp) -> Option<BanKind> {
        BanKind::at(now, !self.shadow, self.shadow, self.expires)
    }
}

impl User {
    /// How the user is banned from the whole app at a moment.
    pub fn ban_at(&self, now: Timestamp) -> Option<BanKind> {
        BanKind::at(now, self.banned, self.shadow_banned, self.ban_expires)
    }
}

impl Member {
    /// How the member is banned from the channel at a moment.
    pub fn ban_at(&self, now: Timestamp) -> Option<BanKind> {
        BanKind::at(now, self.banned, self.shadow_banned, self.ban_expires)
    }
}

pub(crate) const BAN_COLUMNS: &str =
    "b.channel_pk, b.user_id, b.banned_by_id, b.reason, b.shadow, b.ip, b.created_at, b.expires";

pub(crate) fn ban_from_row(row: Row<'_>) -> Result<Ban> {
    Ok(Ban {
        channel_pk: row.int(0)?,
        user_id: row.text(1)?,
        banned_by_id: row.text(2)?,
        reason: row.text(3)?,
        shadow: row.bool(4)?,
        ip: row.optional_text(5)?,
        created_at: row.time(6)?,
        expires: row.optional_time(7)?,
    })
}

impl Tx {
    /// The ban of a user from a channel, or from the app, whether it is over or not.
    pub async fn find_ban(&mut self, app_pk: i64, channel_pk: i64, user_id: &str) -> Result<Option<Ban>> {
        let sql = format!(
            "SELECT {BAN_COLUMNS} FROM bans b WHERE b.app_pk = $1 AND b.channel_pk = $2 AND b.user_id = $3"
        );
        self.query_optional(&sql, params![app_pk, channel_pk, user_id], ban_from_row).await
    }

    /// Bans a user, in place of an earlier ban from the same. One from a channel goes together with
    /// [`Tx::advance_channel`], which changes the version, and one from the app with [`Tx::settle_user_ban`].
    pub async fn upsert_ban(&mut self, app_pk: i64, ban: &Ban) -> Result<()> {
        self.execute(
            "INSERT INTO bans (app_pk, channel_pk, user_id, banned_by_id, reason, shadow, ip, created_at, expires) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (app_pk, channel_pk, user_id) DO UPDATE SET \
             banned_by_id = excluded.banned_by_id, reason = excluded.reason, shadow = excluded.shadow, \
             ip = excluded.ip, created_at = excluded.created_at, expires = excluded.expires",
            params![
                app_pk,
                ban.channel_pk,
                &ban.user_id,
                &ban.banned_by_id,
                &ban.reason,
                ban.shadow,
                ban.ip.as_deref(),
                ban.created_at,
                ban.expires
            ],
        )
        .await?;
        if ban.channel_pk != WHOLE_APP {
            self.settle_member_ban(app_pk, ban.channel_pk, &ban.user_id).await?;
        }
        Ok(())
    }

    /// Takes a ban back. Answers it, also when it was over. Goes together with the same as [`Tx::upsert_ban`].
    pub async fn delete_ban(&mut self, app_pk: i64, channel_pk: i64, user_id: &str) -> Result<Option<Ban>> {
        let sql = format!(
            "DELETE FROM bans WHERE app_pk = $1 AND channel_pk = $2 AND user_id = $3 RETURNING {}",
            BAN_COLUMNS.replace("b.", "")
        );
        let ban = self.query_optional(&sql, params![app_pk, channel_pk, user_id], ban_from_row).await?;
        if ban.is_some() && channel_pk != WHOLE_APP {
            self.settle_member_ban(app_pk, channel_pk, user_id).await?;
        }
        Ok(ban)
    }

    /// Copies the ban from a channel into the row of the member, who need not be one.
    async fn settle_member_ban(&mut self, app_pk: i64, channel_pk: i64, user_id: &str) -> Result<()> {
        let ban = self.find_ban(app_pk, channel_pk, user_id).await?;
        self.execute(
            "UPDATE members SET banned = $1, shadow_banned = $2, ban_expires = $3 \
             WHERE channel_pk = $4 AND user_id = $5",
            params![
                ban.as_ref().is_some_and(|ban| !ban.shadow),
                ban.as_ref().is_some_and(|ban| ban.shadow),
                ban.as_ref().and_then(|ban| ban.expires),
                channel_pk,
                user_id
            ],
        )
        .await?;
        Ok(())
    }

    /// Copies the ban from the whole app into the row of the user, and changes its version. `None` when the user does
    /// not exist.
    pub async fn settle_user_ban(&mut self, app_pk: i64, user_id: &str) -> Result<Option<User>> {
        let ban = self.find_ban(app_pk, WHOLE_APP, user_id).await?;
        let sql = format!(
            "UPDATE users SET banned = $1, shadow_banned = $2, ban_expires = $3, version = version + 1 \
             WHERE app_pk = $4 AND id = $5 RETURNING {}",
            USER_COLUMNS.replace("u.", "")
        );
        let params = params![
            ban.as_ref().is_some_and(|ban| !ban.shadow),
            ban.as_ref().is_some_and(|ban| ban.shadow),
            ban.as_ref().and_then(|ban| ban.expires),
            app_pk,
            user_id
        ];
        self.query_optional(&sql, params, user_from_row).await
    }

    /// How many bans a user has, those that are over included.
    pub async fn count_bans(&mut self, app_pk: i64, user_id: &str) -> Result<i64> {
        let count = self
            .query_optional(
                "SELECT COUNT(*) FROM bans WHERE app_pk = $1 AND user_id = $2",
                params![app_pk, user_id],
                |row| row.int(0),
            )
            .await?;
        Ok(count.unwrap_or(0))
    }

    /// From where a user was last seen.
    pub async fn find_last_address(&mut self, app_pk: i64, user_id: &str) -> Result<Option<String>> {
        let found = self
            .query_optional(
                "SELECT last_ip FROM users WHERE app_pk = $1 AND id = $2",
                params![app_pk, user_id],
                |row| row.optional_text(0),
            )
            .await?;
        Ok(found.flatten())
    }

    /// Notes from where a user calls. What is cached of the user does not hold it, so the version stays.
    pub async fn update_last_address(&mut self, app_pk: i64, user_id: &str, ip: &str) -> Result<()> {
        self.execute(
            "UPDATE users SET last_ip = $1 WHERE app_pk = $2 AND id = $3",
            params![ip, app_pk, user_id],
        )
        .await?;
        Ok(())
    }

    /// The bans by which nobody may write from an address that hold at a moment, the newest first. At most `limit`.
    pub async fn list_address_bans(&mut self, app_pk: i64, now: Timestamp, limit: i64) -> Result<Vec<Ban>> {
        let sql = format!(
            "SELECT {BAN_COLUMNS} FROM bans b WHERE b.app_pk = $1 AND b.ip IS NOT NULL AND NOT b.shadow \
             AND (b.expires IS NULL OR b.expires > $2) ORDER BY b.created_at DESC, b.user_id, b.channel_pk LIMIT $3"
        );
        self.query(&sql, params![app_pk, now, limit], ban_from_row).await
    }

    /// How many of these there are.
    pub async fn count_address_bans(&mut self, app_pk: i64, now: Timestamp) -> Result<i64> {
        let count = self
            .query_optional(
                "SELECT COUNT(*) FROM bans WHERE app_pk = $1 AND ip IS NOT NULL AND NOT shadow \
                 AND (expires IS NULL OR expires > $2)",
                params![app_pk, now],
                |row| row.int(0),
            )
            .await?;
        Ok(count.unwrap_or(0))
    }

    /// Bans a user from the channels that `banned_by_id` will create, in place of an earlier such ban. `false` when
    /// there are `max` others already.
    pub async fn upsert_future_channel_ban(&mut self, app_pk: i64, ban: &Ban, max: i64) -> Result<bool> {
        self.lock_key("future_channel_bans", app_pk, &ban.banned_by_id).await?;
        let others = self
            .query_optional(
                "SELECT COUNT(*) FROM future_channel_bans WHERE app_pk = $1 AND banned_by_id = $2 AND user_id <> $3",
                params![app_pk, &ban.banned_by_id, &ban.user_id],
                |row| row.int(0),
            )
            .await?;
        if others.unwrap_or(0) >= max {
            return Ok(false);
        }
        self.execute(
            "INSERT INTO future_channel_bans (app_pk, banned_by_id, user_id, reason, shadow, created_at, expires) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (app_pk, banned_by_id, user_id) DO UPDATE SET \
             reason = excluded.reason, shadow = excluded.shadow, created_at = excluded.created_at, \
             expires = excluded.expires",
            params![
                app_pk,
                &ban.banned_by_id,
                &ban.user_id,
                &ban.reason,
                ban.shadow,
                ban.created_at,
                ban.expires
            ],
        )
        .await?;
        Ok(true)
    }

    /// Takes back the bans of a user from later channels: that by `banned_by_id`, or all. What came of them in channels
    /// stays. Answers how many there were.
    pub async fn delete_future_channel_bans(
        &mut self,
        app_pk: i64,
        user_id: &str,
        banned_by_id: Option<&str>,
    ) -> Result<u64> {
        self.execute(
            "DELETE FROM future_channel_bans WHERE app_pk = $1 AND user_id = $2 \
             AND ($3 = '' OR banned_by_id = $3)",
            params![app_pk, user_id, banned_by_id.unwrap_or_default()],
        )
        .await
    }

    /// Bans from a channel that was just created, or brought back, whom its creator banned from later channels. What
    /// members who were there before are told of it is copied by [`Tx::settle_member_bans`].
    pub async fn ban_from_new_channel(
        &mut self,
        app_pk: i64,
        channel_pk: i64,
        created_by_id: &str,
        now: Timestamp,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO bans (app_pk, channel_pk, user_id, banned_by_id, reason, shadow, created_at, expires) \
             SELECT f.app_pk, CAST($1 AS BIGINT), f.user_id, f.banned_by_id, f.reason, f.shadow, \
             CAST($2 AS BIGINT), f.expires FROM future_channel_bans f WHERE f.app_pk = $3 AND f.banned_by_id = $4 \
             AND (f.expires IS NULL OR f.expires > $2) ON CONFLICT (app_pk, channel_pk, user_id) DO UPDATE SET \
             banned_by_id = excluded.banned_by_id, reason = excluded.reason, shadow = excluded.shadow, ip = NULL, \
             created_at = excluded.created_at, expires = excluded.expires WHERE bans.expires <= excluded.created_at",
            params![channel_pk, now, app_pk, created_by_id],
        )
        .await?;
        Ok(())
    }

    /// Copies all bans from a channel into the rows of its members.
    pub async fn settle_member_bans(&mut self, channel_pk: i64) -> Result<()> {
        self.execute(
            "UPDATE members SET banned = NOT b.shadow, shadow_banned = b.shadow, ban_expires = b.expires FROM bans b \
             WHERE b.channel_pk = $1 AND members.channel_pk = b.channel_pk AND members.user_id = b.user_id",
            params![channel_pk],
        )
        .await?;
        Ok(())
    }
}
