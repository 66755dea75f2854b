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

/// What a span is found by: app, who muted, who is muted, and from behind which message on.
pub type SpanKey = (i64, String, String, i64);

/// Removes a span that ended up to `$5` unless what was sent in it is unread: the newest such message of a channel says so
/// for all.
const FORGET_SPAN: &str = "DELETE FROM mute_spans WHERE app_pk = $1 AND user_id = $2 AND target_id = $3 AND from_pk = $4 \
    AND until_pk < 9223372036854775807 AND (until_at <= $5 OR COALESCE((SELECT x.created_at FROM messages x \
    WHERE x.pk <= mute_spans.until_pk ORDER BY x.pk DESC LIMIT 1), 0) <= $5) \
    AND NOT EXISTS (SELECT 1 FROM members m JOIN channels c ON c.pk = m.channel_pk \
    WHERE m.app_pk = $1 AND m.user_id = $2 AND (SELECT x.created_at FROM messages x WHERE x.app_pk = $1 AND x.user_id = $3 \
    AND x.channel_pk = m.channel_pk AND x.pk > mute_spans.from_pk AND x.pk <= mute_spans.until_pk \
    AND x.created_at < mute_spans.until_at ORDER BY x.pk DESC LIMIT 1) \
    > CASE WHEN c.history_from > m.read_up_to THEN c.history_from ELSE m.read_up_to END)";

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
        self.write_each(
            "UPDATE mute_spans SET until_pk = CASE WHEN from_pk > $1 THEN from_pk ELSE $1 END \
             WHERE app_pk = $2 AND user_id = $3 AND target_id = $4 \
             AND until_pk = 9223372036854775807 AND until_at <= $5 RETURNING from_pk",
            &of_targets(&[newest.into()], &[now.into()]),
            |row| row.int(0),
        )
        .await?;
        let moved = self
            .write_each(
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
        // The newest message may have gone for good since the span before ended with it.
        self.write_each(
            "INSERT INTO mute_spans (app_pk, user_id, target_id, from_pk, until_pk, until_at) \
             VALUES ($1, $2, $3, (SELECT CASE WHEN MAX(k.until_pk) > $4 THEN MAX(k.until_pk) ELSE $4 END \
             FROM mute_spans k WHERE k.app_pk = $1 AND k.user_id = $2 AND k.target_id = $3), $5, $6) ON CONFLICT (app_pk, user_id, target_id, from_pk) DO UPDATE SET \
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
            self.write_each(&sql, &of_targets(&[], &[now.into(), expires.into()]), mute_from_row).await?;
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

    /// Removes mutes that ended up to `before` and their spans, of the `limit` spans behind `after`, unless who muted has
    /// not read yet what was sent in the span. Answers the last span looked at, `None` when there are no more.
    pub async fn prune_mute_spans(
        &mut self,
        after: &SpanKey,
        before: Timestamp,
        limit: i64,
    ) -> Result<Option<SpanKey>> {
        let listed = self
            .query(
                "SELECT app_pk, user_id, target_id, from_pk, until_pk, until_at FROM mute_spans \
                 WHERE (app_pk, user_id, target_id, from_pk) > ($1, $2, $3, $4) \
                 ORDER BY app_pk, user_id, target_id, from_pk LIMIT $5",
                params![after.0, &after.1, &after.2, after.3, limit],
                |row| {
                    let key = (row.int(0)?, row.text(1)?, row.text(2)?, row.int(3)?);
                    Ok((key, row.int(4)? == OPEN, row.time(5)?))
                },
            )
            .await?;
        let newest = self.find_newest_message_key().await?;
        for ((app_pk, user_id, target_id, from_pk), is_open, until) in &listed {
            if *is_open && *until > before {
                continue;
            }
            self.lock_user_mutes(*app_pk, user_id).await?;
            if *is_open {
                // The clock ended it long ago.
                self.execute(
                    "DELETE FROM user_mutes WHERE app_pk = $1 AND user_id = $2 AND target_id = $3 AND expires <= $4",
                    params![*app_pk, user_id, target_id, before],
                )
                .await?;
                self.execute(
                    "UPDATE mute_spans SET until_pk = CASE WHEN from_pk > $1 THEN from_pk ELSE $1 END \
                     WHERE app_pk = $2 AND user_id = $3 AND target_id = $4 AND from_pk = $5 \
                     AND until_pk = 9223372036854775807 AND until_at <= $6",
                    params![newest, *app_pk, user_id, target_id, *from_pk, before],
                )
                .await?;
            }
            self.execute(FORGET_SPAN, params![*app_pk, user_id, target_id, *from_pk, before]).await?;
        }
        Ok(listed.into_iter().next_back().map(|(key, ..)| key))
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
