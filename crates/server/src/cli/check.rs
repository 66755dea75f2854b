//! `natterjack check`: whether what is stored agrees with itself.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use natterjack_storage::{DatabaseUrl, Store};

/// The file of the embedded database in the data folder.
const DATABASE_FILE: &str = "natterjack.db";

/// Checks that what is stored agrees with itself: counters, references, copies, and with SQLite the file.
///
/// Reads everything. Changes nothing but to bring the tables of an older version up to date. The server may go on
/// running.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The server's data folder
    #[arg(long, default_value = "natterjack-data", env = "NATTERJACK_DATA_DIR")]
    data_dir: PathBuf,
    /// The database, sqlite:PATH or postgres://…; natterjack.db in the data folder when left out
    #[arg(long, env = "NATTERJACK_DATABASE_URL", hide_env_values = true)]
    database_url: Option<DatabaseUrl>,
}

/// Checks the database and prints what became of each rule.
///
/// # Errors
/// When the database cannot be read, or something in it breaks a rule.
pub async fn run(args: CheckArgs) -> Result<()> {
    let url = args.database_url.unwrap_or_else(|| DatabaseUrl::Sqlite(args.data_dir.join(DATABASE_FILE)));
    if let DatabaseUrl::Sqlite(path) = &url {
        // Opening it would create it.
        ensure!(path.is_file(), "there is no database {}; give --data-dir or --database-url", path.display());
    }
    let store = Store::open(&url).await.context("cannot open the database")?;
    let checked = store.check(|rule| eprintln!("checking {rule}")).await;
    store.close().await;
    let report = checked.context("cannot check the database")?;
    for outcome in &report.outcomes {
        if outcome.violations == 0 {
            println!("ok   {}: {}", outcome.rule, outcome.requires);
            continue;
        }
        println!("FAIL {}: {}: {} violations", outcome.rule, outcome.requires, outcome.violations);
        for detail in &outcome.details {
            println!("     - {detail}");
        }
    }
    let counts: Vec<String> = report.counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    println!("rows: {}", counts.join(", "));
    ensure!(report.is_clean(), "{} violations", report.violations_total());
    Ok(())
}
