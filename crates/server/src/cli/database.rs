//! The database that a command works on.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use natterjack_storage::{DatabaseUrl, Report, Store};

/// The file of the embedded database in the data folder.
const DATABASE_FILE: &str = "natterjack.db";

/// Says where the database is.
#[derive(Debug, Clone, clap::Args)]
pub struct DatabaseArgs {
    /// The server's data folder
    #[arg(long, default_value = "natterjack-data", env = "NATTERJACK_DATA_DIR")]
    pub data_dir: PathBuf,
    /// The database, sqlite:PATH or postgres://…; natterjack.db in the data folder when left out
    #[arg(long, env = "NATTERJACK_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<DatabaseUrl>,
}

impl DatabaseArgs {
    /// Where the database is.
    pub fn url(&self) -> DatabaseUrl {
        match &self.database_url {
            Some(url) => url.clone(),
            None => DatabaseUrl::Sqlite(self.data_dir.join(DATABASE_FILE)),
        }
    }
}

/// Keeps a second server off a file: each would go by what it has cached of rows that the other changes. Ends with what is
/// answered, or with the process. PostgreSQL is asked by each server what others have changed.
///
/// # Errors
/// When another server has it.
pub fn claim(url: &DatabaseUrl) -> Result<Option<File>> {
    let DatabaseUrl::Sqlite(path) = url else { return Ok(None) };
    let name = beside(path, ".lock");
    let file = File::create(&name).with_context(|| format!("{} cannot be made", name.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => bail!("another server runs on {}", path.display()),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("{} cannot be locked", name.display()))
        }
    }
}

/// Opens a database that has to be there, and brings its tables up to date.
///
/// # Errors
/// When there is none, or it cannot be used.
pub async fn open_existing(url: &DatabaseUrl) -> Result<Store> {
    if let DatabaseUrl::Sqlite(path) = url {
        // Opening it would create it.
        ensure!(path.is_file(), "there is no database {}", path.display());
    }
    Store::open(url).await.with_context(|| format!("cannot open the database {url:?}"))
}

/// Checks a database and closes it.
///
/// # Errors
/// When something in it breaks a rule.
pub async fn check_and_close(store: Store) -> Result<Report> {
    let checked = store.check(|_| ()).await;
    store.close().await;
    let report = checked.context("cannot check the database")?;
    if let Some(violation) = report.violations().next() {
        let total = report.violations_total();
        anyhow::bail!("{total} violations, the first of {}: {}", violation.rule, violation.detail);
    }
    Ok(report)
}

/// What a finished database file is called while it is not finished.
pub fn partial(file: &Path) -> PathBuf {
    beside(file, ".partial")
}

/// A file beside a database file, whose name has this end more.
pub fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Gives a finished database file its name, once it is on disk.
///
/// # Errors
/// When the file cannot be synced or renamed, when its log was not taken into it, or when another one has its name.
pub fn put_in_place(partial: &Path, file: &Path) -> Result<()> {
    ensure!(!beside(partial, "-wal").exists(), "{} is not whole without its log", partial.display());
    std::fs::File::open(partial)?.sync_all()?;
    ensure!(!file.exists(), "{} is there already", file.display());
    std::fs::rename(partial, file).with_context(|| format!("{} cannot be made", file.display()))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}
