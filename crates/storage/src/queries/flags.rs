use natterjack_filter::{Expression, Field, FieldRef, Kind, Operators, Schema, SortKey};

use super::WithinReach;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_sql::{Column, Resolve, SqlWriter, write_expression, write_order_by};
use crate::flags::{FLAG_COLUMNS, Flag, flag_from_row};
use crate::tx::Tx;

/// What may be asked of the flags of messages.
pub static FLAGS: Schema = Schema {
    resource: "message flags",
    fields: &[
        Field::new("channel_cid", Kind::Text, Operators::EQUALITY),
        Field::new("message_id", Kind::Text, Operators::EQUALITY),
        Field::new("user_id", Kind::Text, Operators::EQUALITY),
        Field::new("reporter_id", Kind::Text, Operators::EQUALITY),
        Field::new("team", Kind::Text, Operators::EQUALITY),
        Field::new("reason", Kind::Text, Operators::EQUALITY),
        Field::new("is_reviewed", Kind::Boolean, Operators::EQ),
        Field::new("created_at", Kind::Time, Operators::COMPARISON.union(Operators::IN)).sortable(),
    ],
    custom: None,
};

/// A page of the flags of messages.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagQuery {
    /// Parsed against [`FLAGS`].
    pub filter: Expression,
    /// Parsed against [`FLAGS`]; empty: newest first.
    pub sort: Vec<SortKey>,
    pub limit: i64,
    pub offset: i64,
    /// Whether flags of deleted messages are found too.
    pub include_deleted: bool,
    /// Leaves out what somebody may not be told of; `None` lists everything.
    pub within: Option<WithinReach>,
}

struct FlagFields;

impl Resolve for FlagFields {
    fn column(&self, _: Dialect, field: &FieldRef) -> Column {
        match field.name().as_ref() {
            "channel_cid" => Column::text("c.cid"),
            "message_id" => Column::text("m.id"),
            "user_id" => Column::text("f.creator_id"),
            "reporter_id" => Column::text("f.reporter_id"),
            "team" => Column::text("c.team"),
            "reason" => Column::text("f.reason"),
            "is_reviewed" => Column::boolean("(f.reviewed_at IS NOT NULL)"),
            "created_at" => Column::time("f.created_at"),
            _ => Column::Special,
        }
    }
}

impl Tx {
    /// A page of the app's flags of messages that match, without those of messages that are seen by nobody any more.
    /// At most `limit`.
    pub async fn query_message_flags(&mut self, app_pk: i64, query: &FlagQuery) -> Result<Vec<Flag>> {
        let mut writer = SqlWriter::new(self.dialect());
        writer.push(&format!(
            "SELECT {FLAG_COLUMNS} FROM flags f JOIN messages m ON m.pk = f.message_pk \
             JOIN channels c ON c.pk = f.channel_pk WHERE f.app_pk = "
        ));
        writer.bind(app_pk);
        writer.push(" AND c.deleted_at IS NULL AND m.created_at > c.history_from");
        if !query.include_deleted {
            writer.push(" AND m.deleted_at IS NULL");
        }
        if let Some(within) = &query.within {
            writer.push(" AND ");
            within.write_channel(&mut writer, app_pk, "f.channel_pk");
        }
        writer.push(" AND ");
        write_expression(&mut writer, &query.filter, &FlagFields);
        let tie = if query.sort.is_empty() { "f.created_at DESC, f.pk DESC" } else { "f.pk" };
        write_order_by(&mut writer, &query.sort, &FlagFields, tie);
        writer.push_page(query.limit, query.offset);
        self.query(&writer.sql, &writer.params, flag_from_row).await
    }
}
