//! `natterjack backup` and `natterjack restore`: a whole database in one file.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use natterjack_storage::{DatabaseUrl, Store};

use super::database::{DatabaseArgs, beside, check_and_close, open_existing, partial, put_in_place};
use super::transfer::transfer;

/// Writes everything to one file, a database of SQLite, and checks the copy. The server may go on running: the file holds
/// the state at the start.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The file to be written; must not be there yet
    file: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Puts the content of a backup into a database that is not there yet, or is empty (PostgreSQL), and checks it.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The file that `natterjack backup` wrote
    file: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Makes a backup.
///
/// # Errors
/// When the file is there already, something fails, or the copy breaks a rule of `natterjack check`. Then there is no
/// file of that name.
pub async fn backup(args: BackupArgs) -> Result<()> {
    ensure!(!args.file.exists(), "{} is there already", args.file.display());
    let store = open_existing(&args.database.url()).await?;
    ensure!(!store.is_half_transferred().await?, "the database is the target of an unfinished move");
    let unfinished = Unfinished::new(partial(&args.file))?;
    let url = DatabaseUrl::Sqlite(unfinished.path.clone());
    let copy = if store.file().is_some() {
        store.copy_file(&unfinished.path).await.context("the file cannot be copied")?;
        Store::open(&url).await.context("the copy cannot be opened")?
    } else {
        let copy = Store::open(&url).await.context("the copy cannot be made")?;
        transfer(&store, &copy).await?;
        copy.finish_transfer().await?;
        copy
    };
    store.close().await;
    let report = check_and_close(copy).await.context("the copy is not good")?;
    put_in_place(&unfinished.path, &args.file)?;
    println!("{}: {}", args.file.display(), counts(&report.counts));
    Ok(())
}

/// Restores a backup.
///
/// # Errors
/// When the database has something in it already, something fails, or the backup breaks a rule of `natterjack check`.
pub async fn restore(args: RestoreArgs) -> Result<()> {
    ensure!(args.file.is_file(), "there is no file {}", args.file.display());
    let url = args.database.url();
    // A copy is opened, so that the backup stays as it is, whatever its version.
    let (unfinished, _folder) = match &url {
        DatabaseUrl::Sqlite(path) => {
            ensure!(!path.exists(), "{} is there already", path.display());
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("{} cannot be made", folder.display()))?;
            }
            (Unfinished::new(partial(path))?, None)
        }
        DatabaseUrl::Postgres(_) => {
            let folder = tempfile::tempdir()?;
            (Unfinished::new(folder.path().join("backup"))?, Some(folder))
        }
    };
    std::fs::copy(&args.file, &unfinished.path)
        .with_context(|| format!("{} cannot be copied", args.file.display()))?;
    let copy = open_existing(&DatabaseUrl::Sqlite(unfinished.path.clone())).await?;
    let report = match &url {
        DatabaseUrl::Sqlite(path) => {
            let report = check_and_close(copy).await.context("the backup is not good")?;
            put_in_place(&unfinished.path, path)?;
            report
        }
        DatabaseUrl::Postgres(_) => {
            let target = Store::open(&url).await.context("cannot open the database")?;
            transfer(&copy, &target).await?;
            target.finish_transfer().await?;
            copy.close().await;
            check_and_close(target).await.context("what was restored is not good")?
        }
    };
    println!("restored: {}", counts(&report.counts));
    Ok(())
}

fn counts(counts: &[(&'static str, i64)]) -> String {
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    counts.join(", ")
}

/// A database file that is removed, with what belongs to it, unless it was put in place.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    fn new(path: PathBuf) -> Result<Self> {
        let this = Self { path };
        // An earlier attempt may have left its own.
        this.remove();
        Ok(this)
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm"] {
            // Mostly there is nothing to be removed.
            drop(std::fs::remove_file(beside(&self.path, end)));
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.remove();
    }
}
