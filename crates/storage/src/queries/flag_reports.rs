use natterjack_filter::{Expression, Field, FieldRef, Kind, Operators, Schema};
use natterjack_protocol::Timestamp;

use super::{COMPARABLE, WithinReach};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_sql::{Column, Resolve, SqlWriter, write_expression};
use crate::flags::{FLAG_COLUMNS, Flag, flag_from_row};
use crate::tx::Tx;
use crate::value::{Row, params};

/// What may be asked of the messages that were reported.
pub static FLAG_REPORTS: Schema = Schema {
    resource: "flag reports",
    fields: &[
        Field::new("report_id", Kind::Text, Operators::EQUALITY),
        Field::new("message_id", Kind::Text, Operators::EQUALITY),
        Field::new("channel_cid", Kind::Text, Operators::EQUALITY),
        Field::new("user_id", Kind::Text, Operators::EQUALITY),
        Field::new("team", Kind::Text, Operators::EQUALITY),
        Field::new("is_reviewed", Kind::Boolean, Operators::EQ),
        Field::new("review_result", Kind::Text, Operators::EQUALITY),
        Field::new("reviewed_by", Kind::Text, Operators::EQUALITY),
        Field::new("created_at", Kind::Time, COMPARABLE),
    ],
    custom: None,
};

/// A page of the messages that were reported.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagReportQuery {
    /// Parsed against [`FLAG_REPORTS`].
    pub filter: Expression,
    pub limit: i64,
    pub offset: i64,
    /// Leaves out what somebody may not be told of; `None` lists everything.
    pub within: Option<WithinReach>,
}

/// All flags of a message as one.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagReport {
    /// The earliest of them, which says what was decided.
    pub first: Flag,
    pub flags_count: i64,
    /// When one of them was last changed.
    pub updated_at: Timestamp,
}

struct FlagReportFields;

impl Resolve for FlagReportFields {
    fn column(&self, _: Dialect, field: &FieldRef) -> Column {
        match field.name().as_ref() {
            "report_id" => Column::text("f.item_id"),
            "message_id" => Column::text("m.id"),
            "channel_cid" => Column::text("c.cid"),
            "user_id" => Column::text("f.creator_id"),
            "team" => Column::text("c.team"),
            "is_reviewed" => Column::boolean("(f.reviewed_at IS NOT NULL)"),
            "review_result" => Column::text("f.review_result"),
            "reviewed_by" => Column::text("f.reviewed_by_id"),
            "created_at" => Column::time("f.created_at"),
            _ => Column::Special,
        }
    }
}

/// How many columns of a row are those of the flag.
const FLAG_WIDTH: usize = 14;

fn selection() -> String {
    format!(
        "SELECT {FLAG_COLUMNS}, (SELECT COUNT(*) FROM flags n WHERE n.message_pk = f.message_pk), \
         (SELECT MAX(n.updated_at) FROM flags n WHERE n.message_pk = f.message_pk) \
         FROM flags f JOIN messages m ON m.pk = f.message_pk JOIN channels c ON c.pk = f.channel_pk \
         WHERE c.deleted_at IS NULL AND m.created_at > c.history_from \
         AND NOT EXISTS (SELECT 1 FROM flags e WHERE e.message_pk = f.message_pk AND e.pk < f.pk)"
    )
}

fn report_from_row(row: Row<'_>) -> Result<FlagReport> {
    let (flags_count, updated_at) = (row.int(FLAG_WIDTH)?, row.time(FLAG_WIDTH + 1)?);
    Ok(FlagReport { first: flag_from_row(row)?, flags_count, updated_at })
}

impl Tx {
    /// A page of the app's reported messages that match, the last one to be reported for the first time first; without
    /// those that are deleted or that nobody sees any more. At most `limit`.
    pub async fn query_flag_reports(
        &mut self,
        app_pk: i64,
        query: &FlagReportQuery,
    ) -> Result<Vec<FlagReport>> {
        let mut writer = SqlWriter::new(self.dialect());
        writer.push(&selection());
        writer.push(" AND f.app_pk = ");
        writer.bind(app_pk);
        writer.push(" AND m.deleted_at IS NULL AND ");
        if let Some(within) = &query.within {
            within.write_channel(&mut writer, app_pk, "f.channel_pk");
            writer.push(" AND ");
        }
        write_expression(&mut writer, &query.filter, &FlagReportFields);
        writer.push(" ORDER BY f.created_at DESC, f.pk DESC");
        writer.push_page(query.limit, query.offset);
        self.query(&writer.sql, &writer.params, report_from_row).await
    }

    /// The reported message whose reports have this `item_id`, also when it is deleted.
    pub async fn find_flag_report(&mut self, app_pk: i64, item_id: &str) -> Result<Option<FlagReport>> {
        let sql = format!("{} AND f.app_pk = $1 AND f.item_id = $2", selection());
        self.query_optional(&sql, params![app_pk, item_id], report_from_row).await
    }
}
