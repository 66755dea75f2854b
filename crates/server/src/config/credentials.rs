use std::fs::{OpenOptions, create_dir_all};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// Key and secret of the first app, kept in the data folder where only its owner reads them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// The public key.
    pub api_key: String,
    /// Signs tokens.
    pub api_secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("api_key", &self.api_key)
            .field("api_secret", &"[redacted]")
            .finish()
    }
}

impl Credentials {
    /// The file in a data folder.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("credentials.toml")
    }

    /// Makes a new key and secret.
    pub fn generate() -> Self {
        let mut random = rand::rng();
        let mut text = |length: usize| -> String {
            const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
            (0..length)
                .map(|_| ALPHABET[rand::Rng::random_range(&mut random, 0..ALPHABET.len())] as char)
                .collect()
        };
        Self { api_key: text(12), api_secret: text(64) }
    }

    /// Reads the file of a data folder. `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let path = Self::path(data_dir);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(toml::from_str(&text).with_context(|| path.display().to_string())?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    /// Writes the file, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, data_dir: &Path) -> anyhow::Result<()> {
        let text = toml::to_string(self)?;
        let kept = Self::path(data_dir);
        if std::fs::read_to_string(&kept).is_ok_and(|kept| kept == text) {
            return Ok(());
        }
        create_dir_all(data_dir).with_context(|| data_dir.display().to_string())?;
        // Written beside and moved into place, so that a crash leaves the old file or the new one.
        let path = kept.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).with_context(|| path.display().to_string())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&path, &kept).with_context(|| kept.display().to_string())
    }
}
