//! Messages and users that users reported.

use natterjack_protocol::{Custom, JsonMap, Timestamp};

use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Param, Row, json_unless_default, params};

/// A report as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    pub pk: i64,
    /// The same for all flags of one thing.
    pub item_id: String,
    /// The message that is reported; `None` where a user is.
    pub message_pk: Option<i64>,
    pub channel_pk: Option<i64>,
    /// The user who is reported, or who wrote what is.
    pub creator_id: String,
    pub reporter_id: String,
    /// Empty when none was given.
    pub reason: String,
    pub custom: Custom,
    pub review_result: Option<String>,
    pub review_details: JsonMap,
    pub reviewed_by_id: Option<String>,
    pub reviewed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a moderator decided about what was reported.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    pub result: String,
    pub details: JsonMap,
    pub reviewed_by_id: Option<String>,
}

/// What is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagTarget {
    pub app_pk: i64,
    /// The message, as key of its channel and its own; `None` for a user.
    pub message: Option<(i64, i64)>,
    /// The user, or the author of the message.
    pub creator_id: String,
}

impl FlagTarget {
    fn message_pk(&self) -> Option<i64> {
        self.message.map(|(_, pk)| pk)
    }

    /// As SQL, which flags `f` are of it, with the parameters from `$1` on.
    fn condition(&self) -> (&'static str, Vec<Param<'_>>) {
        match self.message {
            Some((_, pk)) => ("f.message_pk = $1", vec![Param::Int(pk)]),
            None => (
                "f.app_pk = $1 AND f.creator_id = $2 AND f.message_pk IS NULL",
                vec![Param::Int(self.app_pk), Param::Text(&self.creator_id)],
            ),
        }
    }
}

pub(crate) const FLAG_COLUMNS: &str = "f.pk, f.item_id, f.message_pk, f.channel_pk, f.creator_id, f.reporter_id, \
    f.reason, f.custom, f.review_result, f.review_details, f.reviewed_by_id, f.reviewed_at, f.created_at, f.updated_at";

pub(crate) fn flag_from_row(row: Row<'_>) -> Result<Flag> {
    Ok(Flag {
        pk: row.int(0)?,
        item_id: row.text(1)?,
        message_pk: row.optional_int(2)?,
        channel_pk: row.optional_int(3)?,
        creator_id: row.text(4)?,
        reporter_id: row.text(5)?,
        reason: row.text(6)?,
        custom: row.json(7, "flags.custom")?,
        review_result: row.optional_text(8)?,
        review_details: row.json(9, "flags.review_details")?,
        reviewed_by_id: row.optional_text(10)?,
        reviewed_at: row.optional_time(11)?,
        created_at: row.time(12)?,
        updated_at: row.time(13)?,
    })
}

impl Tx {
    /// Keeps others from reporting the same thing, and taking that back, until the end of the transaction.
    pub async fn lock_flags(&mut self, target: &FlagTarget) -> Result<()> {
        let key = target.message_pk().map_or_else(|| target.creator_id.clone(), |pk| format!(",{pk}"));
        self.lock_key("flags", target.app_pk, &key).await
    }

    /// How often a thing is reported, and by which id.
    pub async fn count_flags(&mut self, target: &FlagTarget) -> Result<(i64, Option<String>)> {
        let (condition, params) = target.condition();
        let sql = format!("SELECT COUNT(*), MAX(f.item_id) FROM flags f WHERE {condition}");
        let found =
            self.query_optional(&sql, &params, |row| Ok((row.int(0)?, row.optional_text(1)?))).await?;
        Ok(found.unwrap_or_default())
    }

    /// The report of a thing by a user.
    pub async fn find_flag(&mut self, target: &FlagTarget, reporter_id: &str) -> Result<Option<Flag>> {
        let (condition, mut params) = target.condition();
        params.push(Param::Text(reporter_id));
        let number = params.len();
        let sql =
            format!("SELECT {FLAG_COLUMNS} FROM flags f WHERE {condition} AND f.reporter_id = ${number}");
        self.query_optional(&sql, &params, flag_from_row).await
    }

    /// Records a report.
    pub async fn insert_flag(
        &mut self,
        target: &FlagTarget,
        item_id: &str,
        reporter_id: &str,
        reason: &str,
        custom: &Custom,
        now: Timestamp,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO flags (app_pk, item_id, message_pk, channel_pk, creator_id, reporter_id, reason, custom, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
            params![
                target.app_pk,
                item_id,
                target.message_pk(),
                target.message.map(|(channel_pk, _)| channel_pk),
                &target.creator_id,
                reporter_id,
                reason,
                json_unless_default(custom),
                now
            ],
        )
        .await?;
        Ok(())
    }

    /// Changes what a report says.
    pub async fn update_flag(
        &mut self,
        pk: i64,
        reason: &str,
        custom: &Custom,
        now: Timestamp,
    ) -> Result<()> {
        self.execute(
            "UPDATE flags SET reason = $1, custom = $2, updated_at = $3 WHERE pk = $4",
            params![reason, json_unless_default(custom), now, pk],
        )
        .await?;
        Ok(())
    }

    /// Takes a report back.
    pub async fn delete_flag(&mut self, pk: i64) -> Result<()> {
        self.execute("DELETE FROM flags WHERE pk = $1", params![pk]).await?;
        Ok(())
    }

    /// Records what a moderator decided about a thing, with its `max` earliest reports.
    pub async fn review_flags(
        &mut self,
        app_pk: i64,
        item_id: &str,
        review: &Review,
        now: Timestamp,
        max: i64,
    ) -> Result<()> {
        self.execute(
            "UPDATE flags SET review_result = $1, review_details = $2, reviewed_by_id = $3, reviewed_at = $4, \
             updated_at = $4 WHERE pk IN (SELECT pk FROM flags WHERE app_pk = $5 AND item_id = $6 ORDER BY pk LIMIT $7)",
            params![
                &review.result,
                json_unless_default(&review.details),
                review.reviewed_by_id.as_deref(),
                now,
                app_pk,
                item_id,
                max
            ],
        )
        .await?;
        Ok(())
    }
}
