use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use natterjack_storage::{DatabaseUrl, Store};

/// The file of the embedded database in the data folder.
const DATABASE_FILE: &str = "natterjack.db";

/// Which database a subcommand works on: that of a server, which may go on running.
#[derive(Debug, clap::Args)]
pub struct DatabaseArgs {
    /// The server's data folder
    #[arg(long, default_value = "natterjack-data", env = "NATTERJACK_DATA_DIR")]
    pub data_dir: PathBuf,
    /// The database, sqlite:PATH or postgres://…; natterjack.db in the data folder when left out
    #[arg(long, env = "NATTERJACK_DATABASE_URL", hide_env_values = true)]
    database_url: Option<DatabaseUrl>,
}

impl DatabaseArgs {
    /// Opens the database, which must be there.
    ///
    /// # Errors
    /// When it is not, or cannot be used.
    pub async fn open(&self) -> Result<Store> {
        let in_folder = || DatabaseUrl::Sqlite(self.data_dir.join(DATABASE_FILE));
        let url = self.database_url.clone().unwrap_or_else(in_folder);
        if let DatabaseUrl::Sqlite(path) = &url {
            // Opening it would create it.
            ensure!(
                path.is_file(),
                "there is no database {}; give --data-dir or --database-url",
                path.display()
            );
        }
        Store::open(&url).await.context("cannot open the database")
    }
}
