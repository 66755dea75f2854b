//! Users whom users muted: what they send does not count as unread for who muted them.
//!
//! A mute writes to no channel. Its span says from behind which message on, up to which one and until when it held; the
//! keys of messages grow with time in the whole database, so no two messages of the same moment are mistaken for each
//! other. [`unread`](crate::unread) takes off what lies in the spans.

use natterjack_protocol::Timestamp;

use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Param, Row, params};

/// The `until_pk` of a span that goes on.
const OPEN: i64 = i64::MAX;
/// The `until_at` of a mute that lasts.
const ENDLESS: Timestamp = Timestamp::from_nanoseconds(i64::MAX);

/// A user whom another muted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMute {
    pub user_id: String,
    pub target_id: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When it ends by itself; `None` for a lasting one.
    pub expires: Option<Timestamp>,
}

const MUTE_COLUMNS: &str = "user_id, target_id, created_at, updated_at, expires";

fn mute_from_row(row: Row<'_>) -> Result<UserMute> {
    Ok(UserMute {
        user_id: row.text(0)?,
        target_id: row.text(1)?,
        created_at: row.time(2)?,
        updated_at: row.time(3)?,
        expires: row.optional_time(4)?,
    })
}

/// As SQL: whether a user had muted the sender of the message `message` when it was sent.
pub(crate) fn muted_at(message: &str, user_id: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM mute_spans k WHERE k.app_pk = {message}.app_pk AND k.user_id = {user_id} \
         AND k.target_id = {message}.user_id AND k.from_pk < {message}.pk AND k.until_pk >= {message}.pk \
         AND k.until_at > {message}.created_at)"
    )
}

/// As SQL: whether a user mutes another at this moment.
pub(crate) fn mutes_now(app_pk: &str, user_id: &str, target_id: &str, now: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM user_mutes y WHERE y.app_pk = {app_pk} AND y.user_id = {user_id} \
         AND y.target_id = {target_id} AND (y.expires IS NULL OR y.expires > {now}))"
    )
}

impl Tx {
    /// Keeps others from changing whom this user mutes until the end of the transaction.
    pub async fn lock_user_mutes(&mut self, app_pk: i64, user_id: &str) -> Result<()> {
        self.lock_key("user_mutes", app_pk, user_id).await
    }

    /// Mutes users for a user whose mutes are locked, or gives the mutes another end. Answers the mutes in the order of
    /// the targets.
    pub async fn upsert_user_mutes(
        &mut self,
        app_pk: i64,
        user_id: &str,
        target_ids: &[String],
        expires: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Vec<UserMute>> {
        let newest = self.find_newest_message_key().await?;
        let until = expires.unwrap_or(ENDLESS);
        // The parameters of a statement about each target: those before app, user and target, and those behind.
        let of_targets = |before: &[Param<'static>], behind: &[Param<'static>]| -> Vec<Vec<Param<'_>>> {
            let key = |target_id| [Param::Int(app_pk), Param::Text(user_id), Param::Text(target_id)];
            let of_target = |target_id| {
                before.iter().cloned().chain(key(target_id)).chain(behind.iter().cloned()).collect()
            };
            target_ids.iter().map(|target_id| of_target(target_id.as_str())).collect()
        };
        // A span that has ended by the clock ends here too: the next one may begin.
        self.query_each(
            "UPDATE mute_spans SET until_pk = $1 WHERE app_pk = $2 AND user_id = $3 AND target_id = $4 \
             AND until_pk = 9223372036854775807 AND until_at <= $5 RETURNING from_pk",
            &of_targets(&[newest.into()], &[now.into()]),
            |row| row.int(0),
        )
        .await?;
        let moved = self
            .query_each(
                "UPDATE mute_spans SET until_at = $1 WHERE app_pk = $2 AND user_id = $3 AND target_id = $4 \
                 AND until_pk = 9223372036854775807 RETURNING target_id",
                &of_targets(&[until.into()], &[]),
                |row| row.text(0),
            )
            .await?;
        let missing: Vec<_> = of_targets(&[], &[newest.into(), OPEN.into(), until.into()])
            .into_iter()
            .zip(moved)
            .filter_map(|(params, moved)| moved.is_empty().then_some(params))
            .collect();
        self.query_each(
            "INSERT INTO mute_spans (app_pk, user_id, target_id, from_pk, until_pk, until_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (app_pk, user_id, target_id, from_pk) DO UPDATE SET \
             until_pk = excluded.until_pk, until_at = excluded.until_at RETURNING from_pk",
            &missing,
            |row| row.int(0),
        )
        .await?;
        let sql = format!(
            "INSERT INTO user_mutes AS x (app_pk, user_id, target_id, created_at, updated_at, expires) \
             VALUES ($1, $2, $3, $4, $4, $5) ON CONFLICT (app_pk, user_id, target_id) DO UPDATE SET \
             created_at = CASE WHEN x.expires <= excluded.updated_at THEN excluded.created_at ELSE x.created_at END, \
             updated_at = excluded.updated_at, expires = excluded.expires RETURNING {MUTE_COLUMNS}"
        );
        let stored =
            self.query_each(&sql, &of_targets(&[], &[now.into(), expires.into()]), mute_from_row).await?;
        Ok(stored.into_iter().flatten().collect())
    }

    /// Takes mutes of a user back, whose mutes are locked. Answers the targets whose mutes were not over.
    pub async fn delete_user_mutes(
        &mut self,
        app_pk: i64,
        user_id: &str,
        target_ids: Vec<String>,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        let newest = self.find_newest_message_key().await?;
        let dialect = self.dialect();
        let sql = format!(
            "UPDATE mute_spans SET until_pk = $1 WHERE app_pk = $2 AND user_id = $3 \
             AND until_pk = 9223372036854775807 AND {}",
            dialect.is_in("target_id", 4)
        );
        self.execute(&sql, params![newest, app_pk, user_id, target_ids.clone()]).await?;
        // A span in which nothing was sent says nothing.
        let sql = format!(
            "DELETE FROM mute_spans WHERE app_pk = $1 AND user_id = $2 AND from_pk >= until_pk AND {}",
            dialect.is_in("target_id", 3)
        );
        self.execute(&sql, params![app_pk, user_id, target_ids.clone()]).await?;
        let sql = format!(
            "DELETE FROM user_mutes WHERE app_pk = $1 AND user_id = $2 AND {} RETURNING {MUTE_COLUMNS}",
            dialect.is_in("target_id", 3)
        );
        let deleted = self.query(&sql, params![app_pk, user_id, target_ids], mute_from_row).await?;
        let active = deleted.into_iter().filter(|mute| mute.expires.is_none_or(|expires| expires > now));
        let mut unmuted: Vec<String> = active.map(|mute| mute.target_id).collect();
        unmuted.sort();
        Ok(unmuted)
    }

    /// Whom each of these users has muted at the moment, newest mute first, at most `limit` for each.
    pub async fn list_user_mutes(
        &mut self,
        app_pk: i64,
        user_ids: &[String],
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<UserMute>> {
        let params: Vec<_> = user_ids
            .iter()
            .map(|user_id| vec![app_pk.into(), user_id.as_str().into(), now.into(), limit.into()])
            .collect();
        let sql = format!(
            "SELECT {MUTE_COLUMNS} FROM user_mutes WHERE app_pk = $1 AND user_id = $2 \
             AND (expires IS NULL OR expires > $3) ORDER BY created_at DESC, target_id LIMIT $4"
        );
        Ok(self.query_each(&sql, &params, mute_from_row).await?.into_iter().flatten().collect())
    }

    /// The greatest key of a message, 0 when there is none.
    async fn find_newest_message_key(&mut self) -> Result<i64> {
        let newest = self
            .query_optional("SELECT COALESCE(MAX(pk), 0) FROM messages", params![], |row| row.int(0))
            .await?;
        Ok(newest.unwrap_or(0))
    }
}
