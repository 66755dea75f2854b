//! Which tables and columns there are: those of an empty database that the migrations have just made, so that no list has
//! to be kept.

use rusqlite::Connection;

use crate::error::Result;
use crate::migrate::migrate_sqlite;
use crate::value::Param;

/// A table that both databases have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The places of the primary key's columns.
    key: Vec<usize>,
    /// Whether the database gives out the primary key.
    pub(super) has_identity: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Boolean,
    Text,
}

impl Table {
    pub(super) fn column_names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }

    pub(super) fn key_names(&self) -> String {
        let names: Vec<&str> = self.key.iter().map(|index| self.columns[*index].name.as_str()).collect();
        names.join(", ")
    }

    /// The key of a row that has all columns.
    pub(super) fn key_of(&self, row: &[Param<'static>]) -> Vec<Param<'static>> {
        self.key.iter().map(|index| row[*index].clone()).collect()
    }
}

/// All tables but the text index and the record of migrations.
pub(super) fn tables() -> Result<Vec<Table>> {
    let empty = Connection::open_in_memory()?;
    migrate_sqlite(&empty)?;
    // Virtual tables and what lies behind them are of other types.
    let mut statement = empty.prepare(
        "SELECT l.name, s.sql LIKE '%AUTOINCREMENT%' FROM pragma_table_list AS l JOIN sqlite_schema AS s ON s.name = l.name \
         WHERE l.schema = 'main' AND l.type = 'table' AND l.name NOT LIKE 'sqlite!_%' ESCAPE '!' \
         AND l.name <> 'migrations' ORDER BY s.rowid",
    )?;
    let names = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(String, bool)>>>()?;
    names.into_iter().map(|(name, has_identity)| table(&empty, name, has_identity)).collect()
}

fn table(empty: &Connection, name: String, has_identity: bool) -> Result<Table> {
    let mut statement = empty.prepare("SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid")?;
    let rows = statement
        .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<Vec<(String, String, i64)>>>()?;
    let mut key: Vec<(i64, usize)> = rows
        .iter()
        .enumerate()
        .filter(|(_, (_, _, place))| *place > 0)
        .map(|(index, (_, _, place))| (*place, index))
        .collect();
    key.sort_unstable();
    let columns = rows
        .into_iter()
        .map(|(name, kind, _)| Column {
            name,
            kind: match kind.as_str() {
                "INTEGER" | "BIGINT" => Kind::Integer,
                "BOOLEAN" => Kind::Boolean,
                _ => Kind::Text,
            },
        })
        .collect();
    Ok(Table { name, columns, key: key.into_iter().map(|(_, index)| index).collect(), has_identity })
}

#[cfg(test)]
mod tests {
    use super::{Kind, tables};

    #[test]
    fn every_table_has_a_key_and_known_types() {
        let tables = tables().unwrap();
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        assert!(names.contains(&"messages") && names.contains(&"search_queue"), "{names:?}");
        assert!(!names.iter().any(|name| name.starts_with("message_words")), "{names:?}");
        for table in &tables {
            assert!(!table.key_names().is_empty(), "{} has no primary key", table.name);
        }
        let messages = tables.iter().find(|table| table.name == "messages").unwrap();
        assert!(messages.has_identity);
        assert_eq!(messages.key_names(), "pk");
        let silent = messages.columns.iter().find(|column| column.name == "silent").unwrap();
        assert_eq!(silent.kind, Kind::Boolean);
    }
}
