//! `natterjack move`: from one database to another.

use anyhow::{Context as _, Result, ensure};
use natterjack_storage::{DatabaseUrl, Phase, Store, TableChecksum};

use super::database::{check_and_close, open_existing};
use super::progress::Progress;

/// Copies everything from one database to another, row for row, and compares. Stop the server first. A move that was
/// interrupted goes on where it stopped when it is started again.
#[derive(Debug, clap::Args)]
pub struct MoveArgs {
    /// The database to be copied, sqlite:PATH or postgres://…; it stays as it is
    #[arg(long, value_name = "URL")]
    from: DatabaseUrl,
    /// The database to copy to; not there yet, or empty
    #[arg(long, value_name = "URL")]
    to: DatabaseUrl,
}

/// Moves a database.
///
/// # Errors
/// When the target holds something else, the source was written to meanwhile, or the two differ at the end. The server
/// refuses to start on a target that was not finished.
pub async fn run(args: MoveArgs) -> Result<()> {
    ensure!(args.from != args.to, "--from and --to are the same database");
    let source = open_existing(&args.from).await.context("--from")?;
    ensure!(!source.is_half_transferred().await?, "--from is the target of an unfinished move");
    let target = Store::open(&args.to).await.context("--to: cannot open the database")?;
    let copied = transfer(&source, &target).await?;
    // Whatever was written after the state that was copied would be lost.
    let now = source.checksums().await.context("reading the source again")?;
    if let Some((table, _)) = copied.iter().zip(&now).find(|(copied, now)| copied != now) {
        anyhow::bail!(
            "the source was written to meanwhile ({} differs): stop its server, and begin again with an empty target",
            table.table
        );
    }
    target.finish_transfer().await?;
    source.close().await;
    check_and_close(target).await.context("the copy is not good")?;
    for TableChecksum { table, rows, checksum } in copied.iter().filter(|table| table.rows > 0) {
        println!("{table}: {rows} rows, checksum {checksum}");
    }
    println!("moved; messages are indexed for search when the server runs");
    Ok(())
}

/// Copies and compares, showing how far it has come.
pub async fn transfer(source: &Store, target: &Store) -> Result<Vec<TableChecksum>> {
    let rows = usize::try_from(source.count_rows().await?).unwrap_or(usize::MAX);
    // Each row is copied, and then read again to be compared.
    let (copying, verifying) = (Progress::start("rows copied", rows), Progress::start("rows compared", rows));
    let checksums = source
        .transfer(target, &mut |step| {
            let progress = if step.phase == Phase::Copying { &copying } else { &verifying };
            progress.add(usize::try_from(step.rows).unwrap_or(usize::MAX));
        })
        .await?;
    eprintln!("{}", copying.finish());
    eprintln!("{}", verifying.finish());
    Ok(checksums)
}
