//! Settings: flags, environment variables and a file, in that order of precedence, over defaults that start a working
//! server with none.

mod access;
mod credentials;

pub use crate::proxies::TrustedProxies;
pub use access::{Access, RateLimitSettings};
pub use credentials::Credentials;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use natterjack_storage::DatabaseUrl;
use serde::Deserialize;

use crate::limits::CONNECTIONS_PER_ADDRESS_DEFAULT;
use crate::telemetry::{self, LogFormat};

/// Settings as given on the command line or in the environment.
#[derive(Debug, Clone, Default, Args)]
pub struct Settings {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "NATTERJACK_LISTEN")]
    pub listen: Option<String>,
    /// Folder for the database and the credentials [default: natterjack-data]
    #[arg(long, env = "NATTERJACK_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// sqlite:PATH or postgres://USER@HOST/DATABASE [default: SQLite in the data folder]
    #[arg(long, env = "NATTERJACK_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// API key of the first app [default: made at the first start]
    #[arg(long, env = "NATTERJACK_API_KEY")]
    pub api_key: Option<String>,
    /// API secret of the first app [default: made at the first start]
    #[arg(long, env = "NATTERJACK_API_SECRET", hide_env_values = true)]
    pub api_secret: Option<String>,
    /// Development mode: any token is accepted, and there is a chat page at /demo. Not for the public
    #[arg(long, env = "NATTERJACK_DEV")]
    pub dev: bool,
    /// How log lines are written [default: text]
    #[arg(long, env = "NATTERJACK_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// What is logged, as in info or natterjack_server=debug [default: info]
    #[arg(long, env = "NATTERJACK_LOG")]
    pub log: Option<String>,
    /// Origins of web pages that may call, separated by commas [default: *]
    #[arg(long, env = "NATTERJACK_ALLOWED_ORIGINS")]
    pub allowed_origins: Option<String>,
    /// Open connections of one address [default: 15000]
    #[arg(long, env = "NATTERJACK_CONNECTIONS_PER_ADDRESS")]
    pub connections_per_address: Option<usize>,
    /// Addresses and networks of proxies, separated by commas, whose X-Forwarded-For is believed [default: none]
    #[arg(long, env = "NATTERJACK_TRUSTED_PROXIES")]
    pub trusted_proxies: Option<String>,
    /// Whether calls beyond the documented numbers are refused [default: false]
    #[arg(long, env = "NATTERJACK_RATE_LIMITS")]
    pub rate_limits: Option<bool>,
    /// File with the same settings in TOML, their names with _ for -
    #[arg(long, env = "NATTERJACK_CONFIG")]
    pub config: Option<PathBuf>,
}

/// The same settings in a file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    data_dir: Option<PathBuf>,
    database_url: Option<String>,
    api_key: Option<String>,
    api_secret: Option<String>,
    dev: Option<bool>,
    log_format: Option<String>,
    log: Option<String>,
    allowed_origins: Option<String>,
    connections_per_address: Option<usize>,
    trusted_proxies: Option<String>,
    rate_limits: Option<RateLimitSettings>,
}

/// Settings that are complete and valid.
#[derive(Clone)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Where the database and the credentials are.
    pub data_dir: PathBuf,
    /// Where the data is.
    pub database_url: DatabaseUrl,
    /// Key of the first app, when it is set.
    pub api_key: Option<String>,
    /// Secret of the first app, when it is set.
    pub api_secret: Option<String>,
    /// Whether this is for development: any token is accepted by the first app, and there is a chat page at `/demo`.
    pub dev: bool,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// What is logged.
    pub log: String,
    /// Who may call from where, and how often.
    pub access: Access,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("listen", &self.listen)
            .field("data_dir", &self.data_dir)
            .field("database_url", &self.database_url)
            .field("api_key", &self.api_key)
            .field("api_secret", &self.api_secret.as_ref().map(|_| "[redacted]"))
            .finish_non_exhaustive()
    }
}

const API_KEY_LENGTH_MAX: usize = 64;

/// Refuses what cannot be the key of an app.
///
/// # Errors
/// Says what is allowed.
pub fn check_api_key(key: &str) -> anyhow::Result<()> {
    let is_plain = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if key.is_empty() || key.len() > API_KEY_LENGTH_MAX || !is_plain {
        bail!("api-key: allowed are 1 to {API_KEY_LENGTH_MAX} letters, digits, - and _");
    }
    Ok(())
}

impl Settings {
    /// Puts flags, environment and file together and checks them.
    ///
    /// # Errors
    /// Names the setting that is wrong and says what is allowed.
    pub fn resolve(self) -> anyhow::Result<Config> {
        let file = match &self.config {
            None => File::default(),
            Some(path) => read_file(path)?,
        };
        let listen = self.listen.or(file.listen).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        let listen = listen.parse().map_err(|_| {
            anyhow::anyhow!(
                "listen: {listen:?} is not an address and port, such as 127.0.0.1:8080 or [::]:8080"
            )
        })?;
        let data_dir = self.data_dir.or(file.data_dir).unwrap_or_else(|| "natterjack-data".into());
        let database_url = match self.database_url.or(file.database_url) {
            None => DatabaseUrl::Sqlite(data_dir.join("natterjack.db")),
            Some(url) => url.parse().map_err(|error| anyhow::anyhow!("database-url: {error}"))?,
        };
        let api_key = self.api_key.or(file.api_key);
        if let Some(key) = &api_key {
            check_api_key(key)?;
        }
        let api_secret = self.api_secret.or(file.api_secret);
        if api_secret.as_ref().is_some_and(String::is_empty) {
            bail!("api-secret: must not be empty");
        }
        // A flag can only switch it on.
        let dev = self.dev || file.dev.unwrap_or_default();
        let log_format = match (self.log_format, file.log_format.as_deref()) {
            (Some(format), _) => format,
            (None, None | Some("text")) => LogFormat::Text,
            (None, Some("json")) => LogFormat::Json,
            (None, Some(other)) => bail!("log_format: {other:?} is not text or json"),
        };
        let log = self.log.or(file.log).unwrap_or_else(|| "info".to_owned());
        telemetry::check_filter(&log).map_err(|error| {
            anyhow::anyhow!("log: {error}; allowed are levels such as info, or natterjack_server=debug,info")
        })?;
        let mut rate_limits = file.rate_limits.unwrap_or_default();
        rate_limits.enabled = self.rate_limits.unwrap_or(rate_limits.enabled);
        let connections_per_address = self.connections_per_address.or(file.connections_per_address);
        if connections_per_address == Some(0) {
            bail!("connections-per-address: must be at least 1");
        }
        let trusted_proxies = self.trusted_proxies.or(file.trusted_proxies).unwrap_or_default();
        let access = Access {
            allowed_origins: access::allowed_origins(
                self.allowed_origins.or(file.allowed_origins).as_deref(),
            )?,
            connections_per_address: connections_per_address.unwrap_or(CONNECTIONS_PER_ADDRESS_DEFAULT),
            trusted_proxies: trusted_proxies.parse().context("trusted-proxies")?,
            rate_limits,
        };
        Ok(Config { listen, data_dir, database_url, api_key, api_secret, dev, log_format, log, access })
    }
}

fn read_file(path: &Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path).with_context(|| format!("config: {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("config: {}", path.display()))
}
