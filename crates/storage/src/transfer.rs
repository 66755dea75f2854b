//! Copies everything from one database into another one, of the same kind or the other, row for row, and compares.
//!
//! The source is read on one state, so that a server may go on using it; what it writes meanwhile is not copied. The
//! target records after every page how far it has come, in the transaction of the page, so that a transfer that was
//! interrupted goes on from there. At the end both databases are read again and compared by a checksum of each table,
//! which also finds that the source has changed between two attempts.
//!
//! The text index is not copied, for it is another thing in each database: the target queues all messages for it.

mod schema;

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest, Sha256};

use self::schema::{Column, Kind, Table};
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::store::Store;
use crate::tx::Tx;
use crate::value::{Param, Row, params};

/// Rows read, and written in one transaction.
const PAGE: usize = 1000;
/// Messages queued for the text index in one transaction.
const QUEUE_PAGE: i64 = 20_000;
/// Filled by the server from the messages that were copied.
const SEARCH_QUEUE: &str = "search_queue";
/// Where the target records how far it has come; there only while a transfer is not finished.
const PROGRESS: &str = "natterjack_transfer";

/// What a transfer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Rows were copied.
    Copying,
    /// Rows of the source were compared with those of the target.
    Verifying,
}

/// How far a transfer has come: told after every page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'t> {
    pub phase: Phase,
    pub table: &'t str,
    /// Rows since the last step. Those that an earlier attempt had copied count once, together.
    pub rows: u64,
}

/// One table of a finished transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableChecksum {
    pub table: String,
    pub rows: u64,
    /// SHA-256 of all its rows in the order of their keys, in hexadecimal.
    pub checksum: String,
}

impl Store {
    /// How many rows there are to copy.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_rows(&self) -> Result<u64> {
        let mut tx = self.snapshot().await?;
        let mut rows = 0;
        for table in schema::tables()?.iter().filter(|table| table.name != SEARCH_QUEUE) {
            rows += count(&mut tx, &table.name).await?;
        }
        tx.end().await;
        Ok(rows)
    }

    /// Copies everything into `target`, which has to be empty or to hold the beginning of the same transfer. Until
    /// [`Store::finish_transfer`] the target counts as unfinished.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the target holds something else, or when source and target differ at the end: then the
    /// target is of no use.
    pub async fn transfer(
        &self,
        target: &Store,
        progress: &mut (dyn FnMut(Step<'_>) + Send),
    ) -> Result<Vec<TableChecksum>> {
        let tables = schema::tables()?;
        let mut source = self.snapshot().await?;
        target.begin_transfer(&tables).await?;
        for table in tables.iter().filter(|table| table.name != SEARCH_QUEUE) {
            target.copy_table(&mut source, table, progress).await?;
        }
        target.queue_all_for_search().await?;
        let checksums = compare(&mut source, target, &tables, progress).await?;
        source.end().await;
        Ok(checksums)
    }

    /// Declares the transfer into this database finished: a server may use it from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_transfer(&self) -> Result<()> {
        write(self, (), |tx, ()| {
            Box::pin(
                async move { tx.execute(&format!("DROP TABLE {PROGRESS}"), params![]).await.map(|_| ()) },
            )
        })
        .await
    }

    /// Copies the file of the embedded database, on one state of it, to a file that is not there yet.
    ///
    /// # Errors
    /// When the database is none of SQLite, or it cannot be copied.
    pub async fn copy_file(&self, to: &Path) -> Result<()> {
        let Some(file) = self.file() else {
            return Err(Error::Unusable("only SQLite keeps its database in a file".to_owned()));
        };
        let (file, to) = (file.to_owned(), to.to_owned());
        let copying = tokio::task::spawn_blocking(move || -> Result<()> {
            let connection = rusqlite::Connection::open(file)?;
            connection.execute("VACUUM INTO $1", [to.to_string_lossy()])?;
            Ok(())
        });
        copying.await.map_err(|source| Error::Database(source.into()))?
    }

    /// The checksums of all tables, on one state of the database.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checksums(&self) -> Result<Vec<TableChecksum>> {
        let mut tx = self.snapshot().await?;
        let mut checksums = Vec::new();
        for table in schema::tables()?.iter().filter(|table| table.name != SEARCH_QUEUE) {
            checksums.push(checksum(&mut tx, table, &mut |_| ()).await?);
        }
        tx.end().await;
        Ok(checksums)
    }

    /// Whether the database is the target of a transfer that was not finished, and so holds only a part of what it should.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_half_transferred(&self) -> Result<bool> {
        self.read("is_half_transferred", (), |tx, ()| Box::pin(tx.has_table(PROGRESS))).await
    }

    async fn begin_transfer(&self, tables: &[Table]) -> Result<()> {
        if self.is_half_transferred().await? {
            return Ok(());
        }
        let mut tx = self.snapshot().await?;
        for table in tables {
            if count(&mut tx, &table.name).await? > 0 {
                let text = format!("the target is not empty: it has rows in {}", table.name);
                return Err(Error::Unusable(text));
            }
        }
        tx.end().await;
        write(self, (), |tx, ()| {
            Box::pin(async move {
                let sql = format!(
                    "CREATE TABLE {PROGRESS} (name TEXT PRIMARY KEY, last_key TEXT, row_count BIGINT NOT NULL, \
                     is_done BOOLEAN NOT NULL)"
                );
                tx.execute(&sql, params![]).await.map(|_| ())
            })
        })
        .await
    }

    /// Copies what is still missing of a table.
    async fn copy_table(
        &self,
        source: &mut Tx,
        table: &Table,
        progress: &mut (dyn FnMut(Step<'_>) + Send),
    ) -> Result<()> {
        let (mut after, rows, is_done) = self.find_progress(table).await?;
        progress(Step { phase: Phase::Copying, table: &table.name, rows });
        if is_done {
            return Ok(());
        }
        loop {
            let page = list_rows(source, table, after.as_deref()).await?;
            let rows = page.len();
            let is_done = rows < PAGE;
            after = page.last().map(|row| table.key_of(row)).or(after);
            let last_key = after.as_deref().map(key_text);
            write(self, (table.clone(), page, last_key, is_done), |tx, (table, page, last_key, is_done)| {
                Box::pin(insert_page(tx, table, page, last_key.as_deref(), *is_done))
            })
            .await?;
            progress(Step { phase: Phase::Copying, table: &table.name, rows: rows as u64 });
            if is_done {
                break;
            }
        }
        if table.has_identity {
            // Keys that the source has given out are not given out again.
            let last = last_identity(source, &table.name).await?;
            write(self, (table.name.clone(), last), |tx, (name, last)| {
                Box::pin(set_last_identity(tx, name, *last))
            })
            .await?;
        }
        Ok(())
    }

    /// How far a table was copied before: its last key, its rows, and whether that was all.
    async fn find_progress(&self, table: &Table) -> Result<(Option<Vec<Param<'static>>>, u64, bool)> {
        let found = self
            .read("find_transfer_progress", table.clone(), |tx, table| {
                Box::pin(async move {
                    let sql = format!("SELECT last_key, row_count, is_done FROM {PROGRESS} WHERE name = $1");
                    let name = table.name.as_str();
                    let map = |row: Row<'_>| Ok((row.optional_text(0)?, row.int(1)?, row.bool(2)?));
                    tx.query_optional(&sql, params![name], map).await
                })
            })
            .await?;
        let Some((last_key, rows, is_done)) = found else { return Ok((None, 0, false)) };
        let after = last_key.map(|text| parse_key(&text)).transpose()?;
        Ok((after, rows.unsigned_abs(), is_done))
    }

    async fn queue_all_for_search(&self) -> Result<()> {
        let mut after = 0;
        loop {
            let last = write(self, after, |tx, after| {
                Box::pin(async move {
                    let last = "SELECT MAX(pk) FROM (SELECT pk FROM messages WHERE pk > $1 ORDER BY pk LIMIT $2) AS page";
                    let last = tx
                        .query_optional(last, params![*after, QUEUE_PAGE], |row| row.optional_int(0))
                        .await?
                        .flatten();
                    let Some(last) = last else { return Ok(None) };
                    let sql = "INSERT INTO search_queue (message_pk) SELECT pk FROM messages \
                               WHERE pk > $1 AND pk <= $2 ON CONFLICT DO NOTHING";
                    tx.execute(sql, params![*after, last]).await?;
                    Ok(Some(last))
                })
            })
            .await?;
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }
}

async fn write<I, F, R>(store: &Store, input: I, operation: F) -> Result<R>
where
    I: Send + Sync + 'static,
    F: for<'t> Fn(&'t mut Tx, &'t I) -> crate::sqlite::OpFuture<'t, R, Error> + Send + Sync + 'static,
    R: Send + 'static,
{
    store.write("transfer", input, operation).await
}

/// Compares all tables by their checksums.
async fn compare(
    source: &mut Tx,
    target: &Store,
    tables: &[Table],
    progress: &mut (dyn FnMut(Step<'_>) + Send),
) -> Result<Vec<TableChecksum>> {
    let mut copied = target.snapshot().await?;
    let mut checksums = Vec::new();
    for table in tables.iter().filter(|table| table.name != SEARCH_QUEUE) {
        let expected = checksum(source, table, progress).await?;
        let found = checksum(&mut copied, table, &mut |_| ()).await?;
        if found != expected {
            return Err(Error::Unusable(format!(
                "{} differs: {} rows with checksum {} in the source, {} rows with checksum {} in the target; \
                 begin again with an empty target",
                table.name, expected.rows, expected.checksum, found.rows, found.checksum
            )));
        }
        checksums.push(expected);
    }
    copied.end().await;
    Ok(checksums)
}

async fn count(tx: &mut Tx, table: &str) -> Result<u64> {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    let count = tx.query_optional(&sql, params![], |row| row.int(0)).await?;
    Ok(count.unwrap_or_default().unsigned_abs())
}

/// The next rows of a table in the order of its key.
async fn list_rows(
    tx: &mut Tx,
    table: &Table,
    after: Option<&[Param<'static>]>,
) -> Result<Vec<Vec<Param<'static>>>> {
    let keys = table.key_names();
    let condition = match after {
        None => String::new(),
        Some(after) => {
            let places: Vec<String> = (1..=after.len()).map(|number| format!("${number}")).collect();
            format!("WHERE ({keys}) > ({})", places.join(", "))
        }
    };
    let sql = format!(
        "SELECT {} FROM {} {condition} ORDER BY {keys} LIMIT {PAGE}",
        table.column_names(),
        table.name
    );
    tx.query(&sql, after.unwrap_or_default(), |row| {
        table.columns.iter().enumerate().map(|(index, column)| value(row, index, column)).collect()
    })
    .await
}

fn value(row: Row<'_>, index: usize, column: &Column) -> Result<Param<'static>> {
    Ok(match column.kind {
        Kind::Integer => row.optional_int(index)?.map_or(Param::Null, Param::Int),
        Kind::Boolean => row.optional_bool(index)?.map_or(Param::Null, Param::Bool),
        Kind::Text => row.optional_text(index)?.map_or(Param::Null, Param::Owned),
    })
}

async fn insert_page(
    tx: &mut Tx,
    table: &Table,
    page: &[Vec<Param<'static>>],
    last_key: Option<&str>,
    is_done: bool,
) -> Result<()> {
    let places: Vec<String> = (1..=table.columns.len()).map(|number| format!("${number}")).collect();
    let sql = format!(
        "INSERT INTO {} ({}) {} VALUES ({})",
        table.name,
        table.column_names(),
        if table.has_identity { tx.dialect().overriding_identity() } else { "" },
        places.join(", ")
    );
    let statements: Vec<(&str, &[Param<'_>])> =
        page.iter().map(|row| (sql.as_str(), row.as_slice())).collect();
    tx.execute_all(&statements).await?;
    let sql = format!(
        "INSERT INTO {PROGRESS} (name, last_key, row_count, is_done) VALUES ($1, $2, $3, $4) ON CONFLICT (name) \
         DO UPDATE SET last_key = excluded.last_key, row_count = {PROGRESS}.row_count + excluded.row_count, \
         is_done = excluded.is_done"
    );
    tx.execute(&sql, params![table.name.as_str(), last_key, page.len() as i64, is_done]).await?;
    Ok(())
}

async fn last_identity(tx: &mut Tx, table: &str) -> Result<i64> {
    let last = match tx.dialect() {
        Dialect::Sqlite => "SELECT MAX(seq) FROM sqlite_sequence WHERE name = $1",
        Dialect::Postgres => {
            "SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence($1, 'pk') AS regclass))"
        }
    };
    let last = tx.query_optional(last, params![table], |row| row.optional_int(0)).await?;
    Ok(last.flatten().unwrap_or_default())
}

async fn set_last_identity(tx: &mut Tx, table: &str, last: i64) -> Result<()> {
    if last == 0 {
        return Ok(());
    }
    if tx.dialect() == Dialect::Postgres {
        let sql = "SELECT setval(CAST(pg_get_serial_sequence($1, 'pk') AS regclass), $2)";
        tx.query(sql, params![table, last], |_| Ok(())).await?;
        return Ok(());
    }
    // Without rows SQLite has not made the entry yet.
    tx.execute("DELETE FROM sqlite_sequence WHERE name = $1", params![table]).await?;
    tx.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", params![table, last]).await?;
    Ok(())
}

/// Reads a whole table.
async fn checksum(
    tx: &mut Tx,
    table: &Table,
    progress: &mut (dyn FnMut(Step<'_>) + Send),
) -> Result<TableChecksum> {
    let mut digest = Sha256::new();
    let mut rows = 0;
    let mut after: Option<Vec<Param<'static>>> = None;
    loop {
        let page = list_rows(tx, table, after.as_deref()).await?;
        for row in &page {
            row.iter().for_each(|value| add_to_digest(&mut digest, value));
        }
        rows += page.len() as u64;
        progress(Step { phase: Phase::Verifying, table: &table.name, rows: page.len() as u64 });
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(table.key_of(last)),
            _ => break,
        }
    }
    let mut checksum = String::new();
    for byte in digest.finalize() {
        write!(checksum, "{byte:02x}").expect("writing to a string does not fail");
    }
    Ok(TableChecksum { table: table.name.clone(), rows, checksum })
}

/// Each value with its type and, where it varies, its length, so that no two rows look alike.
fn add_to_digest(digest: &mut Sha256, value: &Param<'_>) {
    match value {
        Param::Int(value) => {
            digest.update([1]);
            digest.update(value.to_be_bytes());
        }
        Param::Bool(value) => digest.update([2, u8::from(*value)]),
        Param::Owned(text) => {
            digest.update([3]);
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        }
        _ => digest.update([0]),
    }
}

/// A key as JSON, to be recorded.
fn key_text(key: &[Param<'static>]) -> String {
    let values: Vec<serde_json::Value> = key
        .iter()
        .map(|value| match value {
            Param::Int(value) => (*value).into(),
            Param::Bool(value) => (*value).into(),
            Param::Owned(text) => text.as_str().into(),
            _ => serde_json::Value::Null,
        })
        .collect();
    serde_json::Value::Array(values).to_string()
}

fn parse_key(text: &str) -> Result<Vec<Param<'static>>> {
    let corrupt = |source| Error::Corrupt { column: "natterjack_transfer.last_key", source };
    let values: Vec<serde_json::Value> = serde_json::from_str(text).map_err(|error| corrupt(error.into()))?;
    values
        .into_iter()
        .map(|value| match value {
            serde_json::Value::Bool(value) => Ok(Param::Bool(value)),
            serde_json::Value::String(text) => Ok(Param::Owned(text)),
            value => value.as_i64().map(Param::Int).ok_or_else(|| corrupt("no key".into())),
        })
        .collect()
}
