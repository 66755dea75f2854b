use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{ArgGroup, Args};
use natterjack_client::token::{TokenOptions, server_token, user_token};
use natterjack_protocol::UserId;

use crate::clock::{Clock, SystemClock};
use crate::config::Credentials;

/// Arguments of `natterjack token`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whose").required(true).args(["user", "server"])))]
pub struct TokenArgs {
    /// Make a token for this user
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Make a token for a server
    #[arg(long)]
    server: bool,
    /// Seconds for which a user's token is valid [default: for ever]
    #[arg(long, value_name = "SECONDS", requires = "user")]
    expires_in: Option<u64>,
    /// Folder with the credentials
    #[arg(long, env = "NATTERJACK_DATA_DIR", default_value = "natterjack-data")]
    data_dir: PathBuf,
    /// API secret of the app [default: the one in the data folder]
    #[arg(long, env = "NATTERJACK_API_SECRET", hide_env_values = true)]
    api_secret: Option<String>,
}

/// Prints a token.
pub fn run(args: &TokenArgs) -> anyhow::Result<()> {
    let secret = match &args.api_secret {
        Some(secret) => secret.clone(),
        None => {
            Credentials::read(&args.data_dir)?
                .with_context(|| {
                    format!(
                        "there are no credentials in {}; start the server first, or give --api-secret",
                        args.data_dir.display()
                    )
                })?
                .api_secret
        }
    };
    let token = match &args.user {
        None => server_token(&secret)?,
        Some(id) => {
            let id = UserId::parse(id).map_err(|error| anyhow::anyhow!("user: {error}"))?;
            let now =
                Duration::from_nanos(u64::try_from(SystemClock.now().nanoseconds()).unwrap_or_default());
            let now = std::time::UNIX_EPOCH + now;
            let options = TokenOptions {
                issued_at: Some(now),
                expires_at: args.expires_in.map(|seconds| now + Duration::from_secs(seconds)),
                ..TokenOptions::default()
            };
            user_token(&secret, id.as_str(), &options)?
        }
    };
    println!("{token}");
    Ok(())
}
