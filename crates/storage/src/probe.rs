//! What the database and the disk could do at best, for the benchmark to compare the server with.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::postgres::Postgres;
use crate::store::DatabaseUrl;

/// Size of one synced write: a page of SQLite.
const SYNC_BLOCK: usize = 4096;
/// Blocks of the file that is written to over and over, as the write-ahead log is.
const SYNC_FILE_BLOCKS: u64 = 1024;

/// Connections that a server has to PostgreSQL.
const POSTGRES_CONNECTIONS: usize = 16;

/// The table has what any store of messages has, and no index but the primary key.
const CREATE_TABLE: &str = "CREATE TABLE natterjack_probe \
    (pk BIGINT PRIMARY KEY, id TEXT NOT NULL, user_id TEXT NOT NULL, text TEXT NOT NULL, created_at BIGINT NOT NULL)";
const DROP_TABLE: &str = "DROP TABLE IF EXISTS natterjack_probe";
const INSERT_ROW: &str =
    "INSERT INTO natterjack_probe (pk, id, user_id, text, created_at) VALUES ($1, $2, $3, $4, $5)";
const USER_ID: &str = "bench-1234";
const TEXT: &str =
    "ninety characters of text, which is about the length of a message that people write in chat";

/// What [`measure_group_commit`] found.
#[derive(Debug, Clone, Copy)]
pub struct GroupCommit {
    /// Rows written and synced.
    pub rows: u64,
    /// The time that it took.
    pub elapsed: Duration,
}

/// Writes rows of a message's size into one table for about `duration`, as fast as the database takes them, each of
/// them durable: with SQLite `group` rows share a transaction and its sync; with PostgreSQL as many connections as a
/// server has, at most `group`, commit each row by itself. Give it a database of its own: a file that does not exist,
/// or one without a table `natterjack_probe`.
///
/// # Errors
/// When the database cannot be used.
pub async fn measure_group_commit(
    url: &DatabaseUrl,
    group: usize,
    duration: Duration,
) -> Result<GroupCommit> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let path = path.clone();
            tokio::task::spawn_blocking(move || measure_sqlite(&path, group, duration))
                .await
                .map_err(|source| Error::Database(source.into()))?
        }
        DatabaseUrl::Postgres(url) => measure_postgres(url, group, duration).await,
    }
}

fn measure_sqlite(path: &Path, group: usize, duration: Duration) -> Result<GroupCommit> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    connection.execute_batch(DROP_TABLE)?;
    connection.execute_batch(CREATE_TABLE)?;
    let mut insert = connection.prepare(INSERT_ROW)?;
    let mut rows: i64 = 0;
    let started = Instant::now();
    while started.elapsed() < duration {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..group {
            insert.execute((rows, row_id(rows), USER_ID, TEXT, rows))?;
            rows += 1;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(GroupCommit { rows: rows.unsigned_abs(), elapsed: started.elapsed() })
}

async fn measure_postgres(url: &str, group: usize, duration: Duration) -> Result<GroupCommit> {
    let postgres = Postgres::open(url).await?;
    let client = postgres.client().await?;
    client.batch_execute(DROP_TABLE).await?;
    client.batch_execute(CREATE_TABLE).await?;
    drop(client);
    // Connecting takes its time and is not part of the measurement.
    let clients = try_join_all((0..group.min(POSTGRES_CONNECTIONS)).map(|_| postgres.client())).await?;
    let step = clients.len();
    let started = Instant::now();
    let write = async |first: usize| -> Result<u64> {
        let client = &clients[first];
        let insert = client.prepare(INSERT_ROW).await?;
        let mut written = 0;
        let mut pk = i64::try_from(first).unwrap_or(i64::MAX);
        while started.elapsed() < duration {
            client.execute(&insert, &[&pk, &row_id(pk), &USER_ID, &TEXT, &pk]).await?;
            pk += i64::try_from(step).unwrap_or(i64::MAX);
            written += 1;
        }
        Ok(written)
    };
    let rows = try_join_all((0..step).map(write)).await?.into_iter().sum();
    let elapsed = started.elapsed();
    clients[0].batch_execute(DROP_TABLE).await?;
    drop(clients);
    postgres.close();
    Ok(GroupCommit { rows, elapsed })
}

fn row_id(pk: i64) -> String {
    format!("0199a0b1-c2d3-7e4f-8a5b-{pk:012x}")
}

/// Overwrites a block of a file in `folder` and syncs it, again and again for about `duration`; gives the time of each
/// write with its sync.
///
/// # Errors
/// When the file cannot be written.
pub fn measure_sync(folder: &Path, duration: Duration) -> io::Result<Vec<Duration>> {
    let path = folder.join("sync.probe");
    let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    let mut block = [0; SYNC_BLOCK];
    for index in 0..SYNC_FILE_BLOCKS {
        file.write_all_at(&block, index * SYNC_BLOCK as u64)?;
    }
    file.sync_all()?;
    let mut times = Vec::new();
    let started = Instant::now();
    for index in 0.. {
        if started.elapsed() >= duration {
            break;
        }
        block.fill((index % 251) as u8);
        let begun = Instant::now();
        file.write_all_at(&block, index % SYNC_FILE_BLOCKS * SYNC_BLOCK as u64)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    drop(file);
    std::fs::remove_file(&path)?;
    Ok(times)
}
