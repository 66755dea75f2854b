use natterjack_filter::{Expression, Field, FieldRef, Kind, Operators, Schema};
use natterjack_protocol::Timestamp;
use serde::{Deserialize, Serialize};

use super::COMPARABLE;
use super::page::{Key, KeyPage, Page};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_sql::{Column, Resolve, SqlWriter, write_expression};
use crate::history::{HISTORY_COLUMNS, MessageHistoryEntry, ToldChange, history_entry_from_row};
use crate::tx::Tx;
use crate::value::Param;

/// What may be asked of the history of messages.
pub static MESSAGE_HISTORY: Schema = Schema {
    resource: "message history",
    fields: &[
        Field::new("message_id", Kind::Text, Operators::EQUALITY),
        Field::new("message_updated_by_id", Kind::Text, Operators::EQUALITY),
        Field::new("message_updated_at", Kind::Time, Operators::COMPARISON.union(Operators::IN)).sortable(),
    ],
    custom: Some(COMPARABLE.union(Operators::CONTAINS)),
};

/// The history with the changes that made the versions in the place of those that ended them. A deletion makes none:
/// what is brought back is the version of before.
const HISTORY_OF_MAKING: &str = "(SELECT e.pk, e.app_pk, e.message_pk, e.message_id, e.text, e.attachments, e.custom, \
     e.is_deleted, COALESCE(made.updated_at, sent.created_at) AS updated_at, \
     COALESCE(made.updated_by_id, sent.user_id) AS updated_by_id \
     FROM message_history e JOIN messages sent ON sent.pk = e.message_pk \
     LEFT JOIN message_history made ON made.pk = (SELECT b.pk FROM message_history b \
     WHERE b.app_pk = e.app_pk AND b.message_id = e.message_id AND b.updated_at < e.updated_at \
     AND b.message_pk = e.message_pk AND NOT b.is_deleted ORDER BY b.updated_at DESC LIMIT 1))";

/// A page of the history of messages, by the time of the changes told.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageHistoryQuery {
    /// Parsed against [`MESSAGE_HISTORY`].
    pub filter: Expression,
    pub told: ToldChange,
    pub page: KeyPage<MessageHistoryKey>,
}

/// The place of an entry in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageHistoryKey {
    pub updated_at: Timestamp,
    pub pk: i64,
}

impl Key for MessageHistoryKey {
    const COLUMNS: &'static [&'static str] = &["h.updated_at", "h.pk"];

    fn values(&self) -> Vec<Param<'static>> {
        vec![self.updated_at.into(), self.pk.into()]
    }
}

struct HistoryFields;

impl Resolve for HistoryFields {
    fn column(&self, _: Dialect, field: &FieldRef) -> Column {
        let FieldRef::Builtin(field) = field else {
            return Column::Custom("h.custom");
        };
        match field.name {
            "message_id" => Column::text("h.message_id"),
            "message_updated_by_id" => Column::text("h.updated_by_id"),
            "message_updated_at" => Column::time("h.updated_at"),
            _ => Column::Special,
        }
    }
}

impl Tx {
    /// A page of the versions of the app's messages that match, of messages that a channel still shows.
    pub async fn query_message_history(
        &mut self,
        app_pk: i64,
        query: &MessageHistoryQuery,
    ) -> Result<Page<MessageHistoryEntry, MessageHistoryKey>> {
        let history = match query.told {
            ToldChange::Making => HISTORY_OF_MAKING,
            ToldChange::Ending => "message_history",
        };
        let mut writer = SqlWriter::new(self.dialect());
        writer.push(&format!(
            "SELECT {HISTORY_COLUMNS} FROM {history} h JOIN messages m ON m.pk = h.message_pk \
             JOIN channels c ON c.pk = m.channel_pk WHERE m.created_at > c.history_from AND h.app_pk = "
        ));
        writer.bind(app_pk);
        writer.push(" AND ");
        write_expression(&mut writer, &query.filter, &HistoryFields);
        query.page.write(&mut writer);
        let found = self.query(&writer.sql, &writer.params, history_entry_from_row).await?;
        Ok(query.page.finish(found, |entry| MessageHistoryKey { updated_at: entry.updated_at, pk: entry.pk }))
    }
}
