//! Brings the tables up to date. Migrations are numbered, only go forward, and are never edited once released.

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// One step, written once per database under the same number and name.
struct Migration {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal;)*) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }),*]
    };
}

const MIGRATIONS: &[Migration] = migrations! {
    1 "0001_foundation";
    2 "0002_search";
    3 "0003_words";
    4 "0004_tasks";
    5 "0005_purges";
    6 "0006_relations";
    7 "0007_types";
    8 "0008_history";
    9 "0009_threads";
    10 "0010_roles";
    11 "0011_moderation";
    13 "0013_live";
    14 "0014_id_key";
    15 "0015_flag_items";
    16 "0016_word_age";
    17 "0017_thread_queue";
    18 "0018_unread_threads";
};

/// Key of the lock that lets one node migrate at a time.
const POSTGRES_LOCK: i64 = 0x6e61_7474_6572;

const CREATE_HISTORY: &str = "CREATE TABLE IF NOT EXISTS migrations \
    (number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";
const SELECT_HISTORY: &str = "SELECT number, checksum FROM migrations ORDER BY number";
const INSERT_HISTORY: &str = "INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)";

fn checksum(sql: &str) -> String {
    Sha256::digest(sql).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Which migrations are still to be run.
///
/// # Errors
/// When the database was written by a newer version, or an applied migration has another text than this version's.
fn pending(
    applied: &[(i64, String)],
    text: impl Fn(&Migration) -> &'static str,
) -> Result<&'static [Migration]> {
    for (number, recorded) in applied {
        let Some(known) = MIGRATIONS.iter().find(|migration| migration.number == *number) else {
            return Err(Error::Unusable(format!(
                "the database has migration {number}, which this version does not know; run a newer version"
            )));
        };
        if checksum(text(known)) != *recorded {
            return Err(Error::Unusable(format!(
                "migration {} of the database differs from this version's",
                known.name
            )));
        }
    }
    Ok(&MIGRATIONS[applied.len()..])
}

pub(crate) fn migrate_sqlite(connection: &rusqlite::Connection) -> Result<()> {
    connection.execute_batch(CREATE_HISTORY)?;
    let applied = connection
        .prepare(SELECT_HISTORY)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    for migration in pending(&applied, |migration| migration.sqlite)? {
        tracing::info!(migration = migration.name, "migrating");
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(migration.sqlite)?;
        transaction.execute(
            INSERT_HISTORY,
            rusqlite::params![migration.number, migration.name, checksum(migration.sqlite)],
        )?;
        transaction.commit()?;
    }
    Ok(())
}

pub(crate) async fn migrate_postgres(client: &mut tokio_postgres::Client) -> Result<()> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&POSTGRES_LOCK]).await?;
    transaction.batch_execute(CREATE_HISTORY).await?;
    let mut applied = Vec::new();
    for row in transaction.query(SELECT_HISTORY, &[]).await? {
        applied.push((row.try_get(0)?, row.try_get(1)?));
    }
    for migration in pending(&applied, |migration| migration.postgres)? {
        tracing::info!(migration = migration.name, "migrating");
        transaction.batch_execute(migration.postgres).await?;
        transaction
            .execute(INSERT_HISTORY, &[&migration.number, &migration.name, &checksum(migration.postgres)])
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}
