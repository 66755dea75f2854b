use natterjack_filter::{Expression, Field, FieldRef, Kind, Operators, Schema, SortKey};
use natterjack_protocol::Timestamp;

use super::WithinReach;
use crate::bans::{BAN_COLUMNS, Ban, ban_from_row};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_sql::{Column, Resolve, SqlWriter, write_expression, write_order_by};
use crate::tx::Tx;

/// What may be asked of bans.
pub static BANS: Schema = Schema {
    resource: "bans",
    fields: &[
        Field::new("user_id", Kind::Text, Operators::EQUALITY),
        Field::new("banned_by_id", Kind::Text, Operators::EQUALITY),
        Field::new("channel_cid", Kind::Text, Operators::EQUALITY),
        Field::new("reason", Kind::Text, Operators::COMPARISON.union(Operators::AUTOCOMPLETE)),
        Field::new("created_at", Kind::Time, Operators::COMPARISON.union(Operators::IN)).sortable(),
    ],
    custom: None,
};

/// A page of bans.
#[derive(Debug, Clone, PartialEq)]
pub struct BanQuery {
    /// Parsed against [`BANS`].
    pub filter: Expression,
    /// Parsed against [`BANS`]; empty: newest first.
    pub sort: Vec<SortKey>,
    pub limit: i64,
    pub offset: i64,
    /// The moment at which bans that are over by then are left out; `None` lists them too.
    pub active_at: Option<Timestamp>,
    /// Leaves out what somebody may not be told of; `None` lists everything.
    pub within: Option<WithinReach>,
}

/// A page of bans from later channels, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct FutureBanQuery {
    /// Only those by this user.
    pub banned_by_id: Option<String>,
    /// Only those of this user.
    pub target_user_id: Option<String>,
    pub limit: i64,
    pub offset: i64,
    /// As in [`BanQuery`].
    pub active_at: Option<Timestamp>,
}

struct BanFields;

impl Resolve for BanFields {
    fn column(&self, _: Dialect, field: &FieldRef) -> Column {
        match field.name().as_ref() {
            "user_id" => Column::text("b.user_id"),
            "banned_by_id" => Column::text("b.banned_by_id"),
            "channel_cid" => Column::text("c.cid"),
            "reason" => Column::text("b.reason"),
            "created_at" => Column::time("b.created_at"),
            _ => Column::Special,
        }
    }
}

impl FutureBanQuery {
    fn write(&self, writer: &mut SqlWriter, app_pk: i64) {
        writer.push(" FROM future_channel_bans b WHERE b.app_pk = ");
        writer.bind(app_pk);
        for (column, wanted) in [("b.banned_by_id", &self.banned_by_id), ("b.user_id", &self.target_user_id)]
        {
            if let Some(id) = wanted {
                writer.push(&format!(" AND {column} = "));
                writer.bind(id.clone());
            }
        }
        write_active(writer, self.active_at);
    }
}

fn write_active(writer: &mut SqlWriter, active_at: Option<Timestamp>) {
    if let Some(now) = active_at {
        writer.push(" AND (b.expires IS NULL OR b.expires > ");
        writer.bind(now);
        writer.push(")");
    }
}

impl Tx {
    /// A page of the app's bans that match, without those from channels that were deleted. At most `limit`.
    pub async fn query_bans(&mut self, app_pk: i64, query: &BanQuery) -> Result<Vec<Ban>> {
        let mut writer = SqlWriter::new(self.dialect());
        writer.push(&format!(
            "SELECT {BAN_COLUMNS} FROM bans b LEFT JOIN channels c ON c.pk = b.channel_pk WHERE b.app_pk = "
        ));
        writer.bind(app_pk);
        writer.push(" AND (b.channel_pk = 0 OR c.deleted_at IS NULL)");
        write_active(&mut writer, query.active_at);
        if let Some(within) = &query.within {
            writer.push(" AND CASE WHEN b.channel_pk = 0 THEN ");
            within.write_user(&mut writer, app_pk, "b.user_id");
            writer.push(" ELSE ");
            within.write_channel(&mut writer, app_pk, "b.channel_pk");
            // Who is banned unnoticed does not find that.
            writer.push(" END AND NOT (b.shadow AND b.user_id = ");
            writer.bind(within.user_id.clone().unwrap_or_default());
            writer.push(")");
        }
        writer.push(" AND ");
        write_expression(&mut writer, &query.filter, &BanFields);
        let tie = if query.sort.is_empty() {
            "b.created_at DESC, b.user_id, b.channel_pk"
        } else {
            "b.user_id, b.channel_pk"
        };
        write_order_by(&mut writer, &query.sort, &BanFields, tie);
        writer.push_page(query.limit, query.offset);
        self.query(&writer.sql, &writer.params, ban_from_row).await
    }

    /// A page of the app's bans from later channels. At most `limit`.
    pub async fn query_future_channel_bans(
        &mut self,
        app_pk: i64,
        query: &FutureBanQuery,
    ) -> Result<Vec<Ban>> {
        let mut writer = SqlWriter::new(self.dialect());
        writer.push("SELECT CAST(0 AS BIGINT), b.user_id, b.banned_by_id, b.reason, b.shadow, CAST(NULL AS TEXT), b.created_at, b.expires");
        query.write(&mut writer, app_pk);
        writer.push(" ORDER BY b.created_at DESC, b.banned_by_id, b.user_id");
        writer.push_page(query.limit, query.offset);
        self.query(&writer.sql, &writer.params, ban_from_row).await
    }

    /// How many bans from later channels there are, counted up to `max`.
    pub async fn count_future_channel_bans(
        &mut self,
        app_pk: i64,
        query: &FutureBanQuery,
        max: i64,
    ) -> Result<i64> {
        let mut writer = SqlWriter::new(self.dialect());
        writer.push("SELECT COUNT(*) FROM (SELECT 1 AS one");
        query.write(&mut writer, app_pk);
        writer.push(" LIMIT ");
        writer.bind(max);
        writer.push(") AS counted");
        let count = self.query_optional(&writer.sql, &writer.params, |row| row.int(0)).await?;
        Ok(count.unwrap_or(0))
    }
}
