use std::collections::HashMap;

use natterjack_filter::{Expression, Field, FieldRef, Kind, Operand, Operators, Schema, SortKey};

use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_sql::{Column, Resolve, SqlWriter, param, write_expression};
use crate::threads::{THREAD_COLUMNS, Thread, thread_from_row};
use crate::tx::Tx;
use crate::value::{Row, params};

/// `$eq $gt $gte $in $lt $lte`.
const COUNTED: Operators = Operators::COMPARISON.union(Operators::IN);

/// What may be asked of a user's threads.
pub static THREADS: Schema = Schema {
    resource: "threads",
    fields: &[
        Field::new("channel_cid", Kind::Text, Operators::EQUALITY),
        Field::new("parent_message_id", Kind::Text, Operators::EQUALITY).sortable(),
        Field::new("created_by_user_id", Kind::Text, Operators::EQUALITY),
        Field::new("channel.team", Kind::Text, Operators::EQUALITY),
        Field::new("channel.disabled", Kind::Boolean, Operators::EQ),
        Field::new("has_unread", Kind::Boolean, Operators::EQ).sortable(),
        Field::new("created_at", Kind::Time, COUNTED).sortable(),
        Field::new("updated_at", Kind::Time, COUNTED).sortable(),
        Field::new("last_message_at", Kind::Time, COUNTED).sortable(),
        Field::new("reply_count", Kind::Integer, COUNTED).sortable(),
        Field::new("participant_count", Kind::Integer, COUNTED).sortable(),
        Field::new("active_participant_count", Kind::Integer, COUNTED).sortable(),
    ],
    custom: Some(
        COUNTED
            .union(Operators::EXISTS)
            .union(Operators::NE)
            .union(Operators::NIN)
            .union(Operators::CONTAINS)
            .union(Operators::AUTOCOMPLETE)
            .union(Operators::Q),
    ),
};

/// A page of the threads in which a user takes part.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadQuery {
    pub user_id: String,
    /// Parsed against [`THREADS`].
    pub filter: Expression,
    /// Parsed against [`THREADS`], only built-in fields, so many that no two threads are equal in all of them.
    pub sort: Vec<SortKey>,
    /// The value of each sort key of the thread behind which the page begins.
    pub from: Option<Vec<Operand>>,
    /// Whether the page is the one before that thread. It is still answered in the order of `sort`.
    pub backward: bool,
    pub limit: i64,
}

/// A thread of a page, and where it stands in the order.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedThread {
    pub thread: Thread,
    /// The value of each sort key.
    pub place: Vec<Operand>,
}

/// Fields of `threads t`, its parent `messages m`, its channel `channels c` and the user's part in it,
/// `thread_participants p`.
struct ThreadFields;

impl Resolve for ThreadFields {
    fn column(&self, _: Dialect, field: &FieldRef) -> Column {
        let FieldRef::Builtin(field) = field else {
            return Column::Custom("t.custom");
        };
        match field.name {
            "channel_cid" => Column::text("c.cid"),
            "parent_message_id" => Column::text("m.id"),
            "created_by_user_id" => Column::text("t.created_by_id"),
            "channel.team" => Column::text("c.team"),
            "channel.disabled" => Column::boolean("c.disabled"),
            "has_unread" => Column::boolean("p.has_unread"),
            "created_at" => Column::time("t.created_at"),
            "updated_at" => Column::time("t.updated_at"),
            "last_message_at" => Column::time("p.last_message_at"),
            "reply_count" => Column::integer("m.reply_count"),
            // Nobody can leave a thread.
            "participant_count" | "active_participant_count" => Column::integer("t.participant_count"),
            _ => Column::Special,
        }
    }
}

/// The columns of the index that a user's threads are read by, behind app and user.
const INDEXED: [&str; 2] = ["p.has_unread", "p.last_message_at"];

/// One column of the order of a page. None of them is ever `NULL`.
struct Key {
    sql: String,
    kind: Kind,
    /// As the page is read, which is the other way round before a thread.
    descending: bool,
}

impl Key {
    fn all(query: &ThreadQuery, dialect: Dialect) -> Vec<Self> {
        let keys = query.sort.iter().filter_map(|key| {
            let FieldRef::Builtin(field) = &key.field else { return None };
            let sql = match ThreadFields.column(dialect, &key.field) {
                Column::Text(sql) | Column::Integer(sql) | Column::Boolean(sql) | Column::Time(sql) => sql,
                _ => return None,
            };
            let descending = key.descending != query.backward;
            Some(Self { sql: sql.into_owned(), kind: field.kind, descending })
        });
        keys.collect()
    }

    fn value(&self, row: Row<'_>, column: usize) -> Result<Operand> {
        Ok(match self.kind {
            Kind::Boolean => Operand::Boolean(row.bool(column)?),
            Kind::Time => Operand::Time(row.time(column)?),
            Kind::Integer => Operand::Integer(row.int(column)?),
            _ => Operand::Text(row.text(column)?),
        })
    }
}

/// Writes that a thread stands behind `from` in the order of `keys`.
fn write_behind(writer: &mut SqlWriter, keys: &[Key], from: &[Operand]) {
    let places: Vec<String> = from.iter().map(|value| writer.reserve(param(value))).collect();
    let then = |key: &Key| if key.descending { "<" } else { ">" };
    // Says less than what follows, in words that lead into the index.
    let leading: Vec<_> = keys
        .iter()
        .zip(INDEXED)
        .take_while(|(key, column)| key.sql == *column && key.descending == keys[0].descending)
        .collect();
    if let Some((first, _)) = leading.first() {
        let columns: Vec<_> = leading.iter().map(|(key, _)| key.sql.as_str()).collect();
        let places = places[..leading.len()].join(", ");
        writer.push(&format!(" AND ({}) {}= ({places})", columns.join(", "), then(first)));
    }
    writer.push(" AND ");
    for (position, (key, place)) in keys.iter().zip(&places).enumerate() {
        writer.push(&format!("({} {} {place}", key.sql, then(key)));
        if position + 1 < keys.len() {
            writer.push(&format!(" OR ({} = {place} AND ", key.sql));
        }
    }
    writer.push(&")".repeat(2 * keys.len() - 1));
}

fn write_query(dialect: Dialect, app_pk: i64, query: &ThreadQuery, keys: &[Key]) -> SqlWriter {
    let mut writer = SqlWriter::new(dialect);
    writer.push("SELECT p.parent_pk");
    for key in keys {
        writer.push(", ");
        writer.push(&key.sql);
    }
    writer.push(
        " FROM thread_participants p JOIN threads t ON t.parent_pk = p.parent_pk \
         JOIN messages m ON m.pk = p.parent_pk JOIN channels c ON c.pk = p.channel_pk WHERE p.app_pk = ",
    );
    writer.bind(app_pk);
    writer.push(" AND p.user_id = ");
    writer.bind(query.user_id.clone());
    writer.push(" AND c.deleted_at IS NULL AND m.created_at > c.history_from");
    if let Some(from) = &query.from {
        write_behind(&mut writer, keys, from);
    }
    writer.push(" AND ");
    write_expression(&mut writer, &query.filter, &ThreadFields);
    for (position, key) in keys.iter().enumerate() {
        writer.push(if position == 0 { " ORDER BY " } else { ", " });
        writer.push(&key.sql);
        writer.push(if key.descending { " DESC" } else { " ASC" });
    }
    writer.push(" LIMIT ");
    writer.bind(query.limit);
    writer
}

impl Tx {
    /// A page of the threads in which the user takes part and that match, in order. At most `limit`.
    pub async fn query_threads(&mut self, app_pk: i64, query: &ThreadQuery) -> Result<Vec<ListedThread>> {
        let keys = Key::all(query, self.dialect());
        let writer = write_query(self.dialect(), app_pk, query, &keys);
        let mut places = self
            .query(&writer.sql, &writer.params, |row| {
                let values = keys.iter().enumerate().map(|(position, key)| key.value(row, position + 1));
                Ok((row.int(0)?, values.collect::<Result<Vec<_>>>()?))
            })
            .await?;
        if query.backward {
            places.reverse();
        }
        let mut threads = self.list_threads(places.iter().map(|(pk, _)| *pk).collect()).await?;
        let listed = places.into_iter().filter_map(|(parent_pk, place)| {
            threads.remove(&parent_pk).map(|thread| ListedThread { thread, place })
        });
        Ok(listed.collect())
    }

    /// The threads of these messages, by the keys of the messages.
    async fn list_threads(&mut self, parent_pks: Vec<i64>) -> Result<HashMap<i64, Thread>> {
        let sql = format!(
            "SELECT {THREAD_COLUMNS} FROM threads t WHERE {}",
            self.dialect().is_in("t.parent_pk", 1)
        );
        let threads = self.query(&sql, params![parent_pks], thread_from_row).await?;
        Ok(threads.into_iter().map(|thread| (thread.parent_pk, thread)).collect())
    }
}
