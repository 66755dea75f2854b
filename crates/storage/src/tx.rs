use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::dialect::Dialect;
use crate::error::Result;
use crate::events::Moved;
use crate::postgres::PostgresTx;
use crate::value::{Param, Row};

/// An open transaction on either database. Storage operations are methods on it, written once.
///
/// With SQLite every statement runs at once on the thread that owns the connection, so that an operation's future is
/// ready when it is first polled. With PostgreSQL statements travel over the pooled connection.
pub struct Tx {
    connection: Connection,
    /// Statements run since the last [`Tx::report`], also by those beside it.
    statements: Arc<AtomicU64>,
    /// Whether something else than a `SELECT` was among all of them.
    has_written: AtomicBool,
    /// Logs appended to, for those who wait for events.
    moved: Vec<Moved>,
}

enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(Arc<PostgresTx>),
}

/// Makes further ways into a transaction of PostgreSQL, for [`together!`](crate::together).
#[doc(hidden)]
pub struct Beside {
    connection: Arc<PostgresTx>,
    statements: Arc<AtomicU64>,
}

impl fmt::Debug for Beside {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Beside").finish_non_exhaustive()
    }
}

impl Beside {
    pub fn tx(&self) -> Tx {
        Tx { statements: Arc::clone(&self.statements), ..Tx::postgres(Arc::clone(&self.connection)) }
    }
}

/// Runs operations that only read, none of which needs what another one finds, on the transaction that the variable holds,
/// and gives the tuple of what they find. PostgreSQL gets what they begin with in one go, so that they share the ways to
/// the database and back; with SQLite they run one after the other. The first error leaves the function.
#[macro_export]
macro_rules! together {
    ($tx:ident: $($operation:expr),+ $(,)?) => {
        match $tx.beside() {
            Some(beside) => {
                let found = ::tokio::try_join!(biased; $(async {
                    let mut own = beside.tx();
                    let $tx = &mut own;
                    let found = $operation.await?;
                    Ok(found)
                }),+);
                match found {
                    Ok(found) => found,
                    Err(error) => return Err(error),
                }
            }
            None => ($($operation.await?),+),
        }
    };
}

impl fmt::Debug for Tx {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tx").field("dialect", &self.dialect()).finish_non_exhaustive()
    }
}

impl Tx {
    pub(crate) fn sqlite(connection: rusqlite::Connection) -> Self {
        Self::new(Connection::Sqlite(connection))
    }

    pub(crate) fn postgres(connection: Arc<PostgresTx>) -> Self {
        Self::new(Connection::Postgres(connection))
    }

    fn new(connection: Connection) -> Self {
        Self {
            connection,
            statements: Arc::default(),
            has_written: AtomicBool::new(false),
            moved: Vec::new(),
        }
    }

    /// Notes that a log was appended to. Those who listen are told when the transaction is committed.
    pub(crate) fn note_moved(&mut self, moved: Moved) {
        self.moved.push(moved);
    }

    /// The logs appended to since this was last asked.
    pub(crate) fn take_moved(&mut self) -> Vec<Moved> {
        std::mem::take(&mut self.moved)
    }

    /// Whether the operation may have changed something, which is not so when it only ran plain `SELECT`s, and `UPDATE`s
    /// that found no row.
    pub(crate) fn has_written(&self) -> bool {
        self.has_written.load(Ordering::Relaxed)
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Sqlite(_) => Dialect::Sqlite,
            Connection::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Adds what has run since the last report to the metrics of the operation `name`.
    pub(crate) fn report(&self, name: &'static str) {
        metrics::counter!("natterjack_db_statements_total", "operation" => name)
            .increment(self.statements.swap(0, Ordering::Relaxed));
        metrics::counter!("natterjack_db_operations_total", "operation" => name).increment(1);
    }

    /// `None` with SQLite, whose connection has one way in.
    #[doc(hidden)]
    pub fn beside(&self) -> Option<Beside> {
        match &self.connection {
            Connection::Sqlite(_) => None,
            Connection::Postgres(connection) => {
                Some(Beside { connection: Arc::clone(connection), statements: Arc::clone(&self.statements) })
            }
        }
    }

    pub(crate) fn sqlite_connection(&self) -> Option<&rusqlite::Connection> {
        match &self.connection {
            Connection::Sqlite(connection) => Some(connection),
            Connection::Postgres(_) => None,
        }
    }

    pub(crate) fn sqlite_connection_mut(&mut self) -> Option<&mut rusqlite::Connection> {
        match &mut self.connection {
            Connection::Sqlite(connection) => Some(connection),
            Connection::Postgres(_) => None,
        }
    }

    /// The connection of a transaction that nobody shares.
    pub(crate) fn into_postgres(self) -> Option<PostgresTx> {
        match self.connection {
            Connection::Sqlite(_) => None,
            Connection::Postgres(connection) => Arc::into_inner(connection),
        }
    }

    /// Ends a reading transaction that was made by [`Store::snapshot`](crate::Store).
    pub(crate) async fn end(self) {
        if let Some(connection) = self.into_postgres() {
            connection.roll_back().await;
        }
    }

    /// Lets statements take as long as they need. The limit is back with the next transaction.
    pub(crate) async fn lift_time_limit(&mut self) -> Result<()> {
        match &mut self.connection {
            Connection::Sqlite(connection) => Ok(connection.progress_handler(0, None::<fn() -> bool>)?),
            Connection::Postgres(connection) => connection.lift_time_limit().await,
        }
    }

    /// Whether the database has a table of this name.
    pub(crate) async fn has_table(&mut self, name: &str) -> Result<bool> {
        let sql = match self.dialect() {
            Dialect::Sqlite => "SELECT COUNT(*) FROM sqlite_schema WHERE name = $1",
            Dialect::Postgres => {
                "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1"
            }
        };
        let count = self.query_optional(sql, &[Param::Text(name)], |row| row.int(0)).await?;
        Ok(count.is_some_and(|count| count > 0))
    }

    /// Runs a statement and answers the number of rows it changed.
    pub(crate) async fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        self.count(sql, 1);
        match &mut self.connection {
            Connection::Sqlite(connection) => execute_sqlite(connection, sql, params),
            Connection::Postgres(connection) => connection.execute(sql, params).await,
        }
    }

    /// Runs an `INSERT` of one row into a table with a `pk` and answers the one that it got; `None` when a conflict left
    /// it out. SQLite knows it without `RETURNING`, for which it would make a table, and a copy of each page that the
    /// statement changes.
    pub(crate) async fn insert(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Option<i64>> {
        self.count(sql, 1);
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                let inserted = execute_sqlite(connection, sql, params)?;
                Ok((inserted > 0).then(|| connection.last_insert_rowid()))
            }
            Connection::Postgres(connection) => {
                let rows = connection.query(&format!("{sql} RETURNING pk"), params).await?;
                rows.first().map(|row| Row::Postgres(row).int(0)).transpose()
            }
        }
    }

    /// Runs statements that do not depend on each other's results, in order. PostgreSQL gets them in one go.
    pub(crate) async fn execute_all(&mut self, statements: &[(&str, &[Param<'_>])]) -> Result<Vec<u64>> {
        for (sql, _) in statements {
            self.count(sql, 1);
        }
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                statements.iter().map(|(sql, params)| execute_sqlite(connection, sql, params)).collect()
            }
            Connection::Postgres(connection) => connection.execute_all(statements).await,
        }
    }

    /// Runs a query and maps each row.
    pub(crate) async fn query<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        mut map: impl FnMut(Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let had_written = self.has_written();
        self.count(sql, 1);
        match &mut self.connection {
            Connection::Sqlite(connection) => query_sqlite(connection, sql, params, &mut map),
            Connection::Postgres(connection) => {
                let rows = connection.query(sql, params).await?;
                if rows.is_empty() && sql.starts_with("UPDATE") && sql.contains(" RETURNING ") {
                    self.has_written.store(had_written, Ordering::Relaxed);
                }
                rows.iter().map(|row| map(Row::Postgres(row))).collect()
            }
        }
    }

    /// Runs a query that gives at most one row.
    pub(crate) async fn query_optional<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        map: impl FnMut(Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.query(sql, params, map).await?.pop())
    }

    /// Runs the same `SELECT` with each list of parameters. PostgreSQL gets one statement that joins the lists with it.
    pub(crate) async fn query_each<T>(
        &mut self,
        sql: &str,
        params: &[Vec<Param<'_>>],
        mut map: impl FnMut(Row<'_>) -> Result<T>,
    ) -> Result<Vec<Vec<T>>> {
        let number = if self.dialect() == Dialect::Sqlite { params.len() } else { 1 };
        self.count(sql, number as u64);
        match &mut self.connection {
            Connection::Sqlite(connection) => query_each_sqlite(connection, sql, params, &mut map),
            Connection::Postgres(connection) => {
                map_each(&connection.query_each(sql, params).await?, &mut map)
            }
        }
    }

    /// Runs the same changing statement, which answers rows, with each list of parameters. PostgreSQL gets them all in
    /// one go.
    pub(crate) async fn write_each<T>(
        &mut self,
        sql: &str,
        params: &[Vec<Param<'_>>],
        mut map: impl FnMut(Row<'_>) -> Result<T>,
    ) -> Result<Vec<Vec<T>>> {
        self.count(sql, params.len() as u64);
        match &mut self.connection {
            Connection::Sqlite(connection) => query_each_sqlite(connection, sql, params, &mut map),
            Connection::Postgres(connection) => {
                map_each(&connection.write_each(sql, params).await?, &mut map)
            }
        }
    }

    /// Keeps other transactions from taking the same lock until the end of this one, for a key whose row may not be
    /// there yet. SQLite has one writer and needs none.
    pub(crate) async fn lock_key(&mut self, table: &str, app_pk: i64, key: &str) -> Result<()> {
        if self.dialect() == Dialect::Postgres {
            let name = format!("{table}:{app_pk}:{key}");
            self.query(
                "SELECT CAST(pg_advisory_xact_lock(hashtextextended($1, 0)) AS TEXT)",
                &[Param::from(name)],
                |_| Ok(()),
            )
            .await?;
        }
        Ok(())
    }

    /// Gives up to `limit` pages that are free back to the disk. Answers how many. PostgreSQL does it by itself, and a
    /// SQLite file that was created before this was possible keeps them.
    pub(crate) async fn release_pages(&mut self, limit: i64) -> Result<i64> {
        const INCREMENTAL: i64 = 2;
        if self.dialect() == Dialect::Postgres {
            return Ok(0);
        }
        let mode = self.query_optional("PRAGMA auto_vacuum", &[], |row| row.int(0)).await?;
        let free = self.query_optional("PRAGMA freelist_count", &[], |row| row.int(0)).await?.unwrap_or(0);
        let pages = free.min(limit);
        if mode != Some(INCREMENTAL) || pages == 0 {
            return Ok(0);
        }
        // Each row that comes is a page that went.
        self.query(&format!("PRAGMA incremental_vacuum({pages})"), &[], |_| Ok(())).await?;
        Ok(pages)
    }

    fn count(&self, sql: &str, number: u64) {
        debug_assert!(placeholders_in_order(sql), "parameters must first appear in order: {sql}");
        self.statements.fetch_add(number, Ordering::Relaxed);
        if !sql.starts_with("SELECT") {
            self.has_written.store(true, Ordering::Relaxed);
        }
    }
}

fn execute_sqlite(connection: &rusqlite::Connection, sql: &str, params: &[Param<'_>]) -> Result<u64> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
}

fn query_sqlite<T>(
    connection: &rusqlite::Connection,
    sql: &str,
    params: &[Param<'_>],
    map: &mut impl FnMut(Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    rows_of(&mut *connection.prepare_cached(sql)?, params, map)
}

fn query_each_sqlite<T>(
    connection: &rusqlite::Connection,
    sql: &str,
    params: &[Vec<Param<'_>>],
    map: &mut impl FnMut(Row<'_>) -> Result<T>,
) -> Result<Vec<Vec<T>>> {
    let mut statement = connection.prepare_cached(sql)?;
    params.iter().map(|params| rows_of(&mut statement, params, map)).collect()
}

fn rows_of<T>(
    statement: &mut rusqlite::Statement<'_>,
    params: &[Param<'_>],
    map: &mut impl FnMut(Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    let mut mapped = Vec::new();
    while let Some(row) = rows.next()? {
        mapped.push(map(Row::Sqlite(row))?);
    }
    Ok(mapped)
}

fn map_each<T>(
    found: &[Vec<tokio_postgres::Row>],
    map: &mut impl FnMut(Row<'_>) -> Result<T>,
) -> Result<Vec<Vec<T>>> {
    found.iter().map(|rows| rows.iter().map(|row| map(Row::Postgres(row))).collect()).collect()
}

/// Whether `$1`, `$2`, … first appear in the order of their numbers: SQLite numbers parameters by appearance,
/// PostgreSQL by their digits, and only so do both mean the same.
fn placeholders_in_order(sql: &str) -> bool {
    let mut seen: HashMap<u32, ()> = HashMap::new();
    let mut next = 1;
    for part in sql.split('$').skip(1) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse::<u32>()
            && seen.insert(number, ()).is_none()
        {
            if number != next {
                return false;
            }
            next += 1;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::placeholders_in_order;

    #[test]
    fn parameters_must_appear_in_order() {
        assert!(placeholders_in_order("SELECT $1, $2, $1, $3"));
        assert!(!placeholders_in_order("SELECT $2, $1"));
        assert!(!placeholders_in_order("SELECT $1, $3"));
    }
}
