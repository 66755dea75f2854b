//! `natterjack check`: whether what is stored agrees with itself.

use anyhow::{Context as _, Result, ensure};

use super::database::DatabaseArgs;

/// Checks that what is stored agrees with itself: counters, references, copies, and with SQLite the file.
///
/// Reads everything. Changes nothing but to bring the tables of an older version up to date. The server may go on
/// running.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Checks the database and prints what became of each rule.
///
/// # Errors
/// When the database cannot be read, or something in it breaks a rule.
pub async fn run(args: CheckArgs) -> Result<()> {
    let store = args.database.open().await?;
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
