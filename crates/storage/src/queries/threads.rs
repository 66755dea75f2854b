use std::cmp::Ordering;

use natterjack_filter::{Expression, Field, FieldRef, Kind, Operand, Operators, Schema, SortKey};

use super::{CUSTOM, WithinReach};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_sql::{Column, Resolve, SqlWriter, param, write_expression};
use crate::members::is_in_history_of;
use crate::threads::{THREAD_COLUMN_COUNT, THREAD_COLUMNS, Thread, thread_from_row};
use crate::tx::Tx;
use crate::value::Row;

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
    custom: Some(CUSTOM),
};

/// A page of the threads in which a user takes part; of all that the user sees where the filter names channels or threads.
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
    /// Leaves out threads of channels that somebody may not be told of; `None` lists everything.
    pub within: Option<WithinReach>,
}

/// A thread of a page, and where it stands in the order.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedThread {
    pub thread: Thread,
    /// The value of each sort key.
    pub place: Vec<Operand>,
}

/// The columns of the index that a user's threads are read by, behind app and user.
const HAS_UNREAD: &str = "p.has_unread";
const LAST_MESSAGE_AT: &str = "p.last_message_at";

/// Fields of `threads t`, its parent `messages m`, its channel `channels c` and the user's part in it,
/// `thread_participants p`.
struct ThreadFields {
    /// Whether there may be no such part.
    named: bool,
}

impl Resolve for ThreadFields {
    fn column(&self, _: Dialect, field: &FieldRef) -> Column {
        let FieldRef::Builtin(field) = field else {
            return Column::Custom("t.custom");
        };
        match field.name {
            "has_unread" if self.named => Column::boolean("COALESCE(p.has_unread, FALSE)"),
            "last_message_at" if self.named => Column::time("t.last_message_at"),
            "channel_cid" => Column::text("c.cid"),
            "parent_message_id" => Column::text("m.id"),
            "created_by_user_id" => Column::text("t.created_by_id"),
            "channel.team" => Column::text("c.team"),
            "channel.disabled" => Column::boolean("c.disabled"),
            "has_unread" => Column::boolean(HAS_UNREAD),
            "created_at" => Column::time("t.created_at"),
            "updated_at" => Column::time("t.updated_at"),
            "last_message_at" => Column::time(LAST_MESSAGE_AT),
            "reply_count" => Column::integer("m.reply_count"),
            // Nobody can leave a thread.
            "participant_count" | "active_participant_count" => Column::integer("t.participant_count"),
            _ => Column::Special,
        }
    }
}

/// One column of the order of a page. None of them is ever `NULL`.
struct Key {
    sql: String,
    kind: Kind,
    /// As the page is read, which is the other way round before a thread.
    descending: bool,
}

impl Key {
    fn all(query: &ThreadQuery, dialect: Dialect) -> Vec<Self> {
        let fields = ThreadFields { named: names_threads(&query.filter) };
        let keys = query.sort.iter().filter_map(|key| {
            let FieldRef::Builtin(field) = &key.field else { return None };
            let (Column::Text(sql) | Column::Integer(sql) | Column::Boolean(sql) | Column::Time(sql)) =
                fields.column(dialect, &key.field)
            else {
                return None;
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

/// Writes that a thread stands behind `from` in the order of `keys`. `part` as in [`write_query`].
fn write_behind(writer: &mut SqlWriter, keys: &[Key], from: &[Operand], part: Option<bool>) {
    let places: Vec<String> = from.iter().map(|value| writer.reserve(param(value))).collect();
    let then = |key: &Key| if key.descending { "<" } else { ">" };
    writer.push(" AND ");
    for (position, (key, place)) in keys.iter().zip(&places).enumerate() {
        writer.push(&format!("({} {} {place}", key.sql, then(key)));
        if position + 1 < keys.len() {
            writer.push(&format!(" OR ({} = {place} AND ", key.sql));
        }
    }
    writer.push(&")".repeat(2 * keys.len() - 1));
    // Says less than the above, in words that lead into the index: the threads of the part lie on either side.
    let is_here = keys[0].sql != HAS_UNREAD || part.is_some_and(|part| from[0] == Operand::Boolean(part));
    let timed = keys.iter().zip(&places).find(|(key, _)| key.sql == LAST_MESSAGE_AT);
    if let (true, Some(_), Some((key, place))) = (is_here, part, timed) {
        writer.push(&format!(" AND {LAST_MESSAGE_AT} {}= {place}", then(key)));
    }
}

/// Whether only threads of certain channels, or certain threads, match.
fn names_threads(filter: &Expression) -> bool {
    let mut named = filter.demands().filter_map(|demand| demand.field.builtin());
    named.any(|name| ["channel_cid", "parent_message_id"].contains(&name))
}

/// Writes from which threads a page is: those in which the user takes part, which an index lists.
fn write_own(writer: &mut SqlWriter, app_pk: i64, query: &ThreadQuery, part: Option<bool>) {
    writer.push(" FROM thread_participants p ");
    if part.is_some() {
        let index = writer.dialect.indexed_by("thread_participants_in_order");
        writer.push(&index);
    }
    writer.push(
        " JOIN threads t ON t.parent_pk = p.parent_pk JOIN messages m ON m.pk = p.parent_pk \
         JOIN channels c ON c.pk = p.channel_pk WHERE p.app_pk = ",
    );
    writer.bind(app_pk);
    writer.push(" AND p.user_id = ");
    writer.bind(query.user_id.clone());
    writer.push(&format!(" AND {}", is_in_history_of("p.user_id")));
    match part {
        None => {}
        Some(true) => writer.push(" AND p.has_unread = TRUE"),
        Some(false) => writer.push(" AND p.has_unread = FALSE"),
    }
}

/// As [`write_own`], where the filter names channels or threads: also those in which the user takes no part, when the
/// message that they hang on is one that the user sees.
fn write_named(writer: &mut SqlWriter, app_pk: i64, query: &ThreadQuery) {
    let user = writer.reserve(query.user_id.clone());
    let readers = writer.dialect.json_texts("m.restricted_visibility");
    writer.push(&format!(
        " FROM threads t JOIN messages m ON m.pk = t.parent_pk JOIN channels c ON c.pk = t.channel_pk \
         LEFT JOIN thread_participants p ON p.parent_pk = t.parent_pk AND p.user_id = {user} \
         WHERE (p.user_id IS NOT NULL OR ((m.restricted_visibility IS NULL OR m.user_id = {user} OR EXISTS \
         (SELECT 1 FROM {readers} WHERE each.value = {user})) AND NOT EXISTS (SELECT 1 FROM members h \
         WHERE h.channel_pk = t.channel_pk AND h.user_id = {user} AND h.hide_messages_before >= m.created_at))) \
         AND t.app_pk = "
    ));
    writer.bind(app_pk);
}

/// Writes the query for a page, or for the `part` of it that has unread replies, or has none: within a part the index
/// that a user's threads are read by goes by the time of the last reply.
fn write_query(
    dialect: Dialect,
    app_pk: i64,
    query: &ThreadQuery,
    keys: &[Key],
    part: Option<bool>,
) -> SqlWriter {
    let mut writer = SqlWriter::new(dialect);
    writer.push("SELECT ");
    writer.push(THREAD_COLUMNS);
    for key in keys {
        writer.push(", ");
        writer.push(&key.sql);
    }
    let named = names_threads(&query.filter);
    if named {
        write_named(&mut writer, app_pk, query);
    } else {
        write_own(&mut writer, app_pk, query, part);
    }
    writer.push(" AND c.deleted_at IS NULL AND m.created_at > c.history_from");
    if let Some(within) = &query.within {
        writer.push(" AND ");
        within.write_channel(&mut writer, app_pk, "t.channel_pk");
    }
    if let Some(from) = &query.from {
        write_behind(&mut writer, keys, from, part);
    }
    writer.push(" AND ");
    write_expression(&mut writer, &query.filter, &ThreadFields { named });
    for (position, key) in keys.iter().enumerate() {
        writer.push(if position == 0 { " ORDER BY " } else { ", " });
        writer.push(&key.sql);
        writer.push(if key.descending { " DESC" } else { " ASC" });
    }
    writer.push(" LIMIT ");
    writer.bind(query.limit);
    writer
}

/// The parts in which a page is read, in their order, as in [`write_query`].
fn parts(query: &ThreadQuery, keys: &[Key]) -> Vec<Option<bool>> {
    // Of named threads the order's columns are others, and the page comes from no index.
    if ![HAS_UNREAD, LAST_MESSAGE_AT].contains(&keys[0].sql.as_str()) {
        return vec![None];
    }
    let mut parts = vec![true, false];
    for demand in query.filter.demands().filter(|demand| demand.field.builtin() == Some("has_unread")) {
        if let Operand::Boolean(demanded) = demand.operand {
            parts.retain(|unread| *unread == demanded);
        }
    }
    if keys[0].sql == HAS_UNREAD {
        if !keys[0].descending {
            parts.reverse();
        }
        if let Some(first) = query.from.as_ref().and_then(|from| from.first()) {
            let passed = parts.iter().position(|part| *first == Operand::Boolean(*part)).unwrap_or(0);
            parts.drain(..passed);
        }
    }
    parts.into_iter().map(Some).collect()
}

/// Which of two places comes first.
fn compare(keys: &[Key], one: &[Operand], other: &[Operand]) -> Ordering {
    let compared = keys.iter().zip(one.iter().zip(other)).map(|(key, values)| {
        let ordering = match values {
            (Operand::Boolean(one), Operand::Boolean(other)) => one.cmp(other),
            (Operand::Integer(one), Operand::Integer(other)) => one.cmp(other),
            (Operand::Time(one), Operand::Time(other)) => one.cmp(other),
            (Operand::Text(one), Operand::Text(other)) => one.cmp(other),
            _ => Ordering::Equal,
        };
        if key.descending { ordering.reverse() } else { ordering }
    });
    compared.fold(Ordering::Equal, Ordering::then)
}

impl Tx {
    /// A page of the user's threads that match, in order. At most `limit`.
    pub async fn query_threads(&mut self, app_pk: i64, query: &ThreadQuery) -> Result<Vec<ListedThread>> {
        let keys = Key::all(query, self.dialect());
        let limit = query.limit as usize;
        let mut listed = Vec::new();
        for part in parts(query, &keys) {
            if keys[0].sql == HAS_UNREAD && listed.len() >= limit {
                break;
            }
            let writer = write_query(self.dialect(), app_pk, query, &keys, part);
            let found = self
                .query(&writer.sql, &writer.params, |row| {
                    let place = keys.iter().zip(THREAD_COLUMN_COUNT..);
                    Ok(ListedThread {
                        thread: thread_from_row(row)?,
                        place: place.map(|(key, column)| key.value(row, column)).collect::<Result<_>>()?,
                    })
                })
                .await?;
            listed.extend(found);
        }
        listed.sort_by(|one, other| compare(&keys, &one.place, &other.place));
        listed.truncate(limit);
        if query.backward {
            listed.reverse();
        }
        Ok(listed)
    }
}
