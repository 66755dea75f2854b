//! `natterjack load FILE`: sends recorded conversations to a running server, or reads them back and compares.
//!
//! It speaks to the server over HTTP like any other client. Message ids follow from the file, so that a load that was
//! interrupted continues where it stopped when it is started again.

mod dataset;
mod search;
mod send;
mod verify;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use natterjack_client::{Client, RetryPolicy};
use serde::Deserialize;

use dataset::Dataset;

/// The file in the data folder in which the server leaves its key and secret.
const CREDENTIALS_FILE: &str = "credentials.toml";

/// The time limit of one call. Above the SDK's, because a load keeps the server as busy as it can.
const CALL_TIME_MAX: Duration = Duration::from_secs(30);

/// How often a call is sent at most. A load outlasts a restart of the server.
const CALL_ATTEMPTS_MAX: u32 = 8;

/// Loads recorded conversations into a running server.
///
/// The file has one JSON object on each line, and may be gzipped: channel, n (increasing within the channel), kind
/// (say, action or join), at, user, text, and reply_to where the line answers another.
#[derive(Debug, clap::Args)]
pub struct LoadArgs {
    /// The conversations: JSON lines, gzipped or not
    file: PathBuf,
    /// Where the server is
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// The app's key; from the data folder when left out
    #[arg(long, env = "NATTERJACK_API_KEY")]
    api_key: Option<String>,
    /// The app's secret; from the data folder when left out
    #[arg(long, env = "NATTERJACK_API_SECRET", hide_env_values = true)]
    api_secret: Option<String>,
    /// The server's data folder, which holds its key and secret
    #[arg(long, env = "NATTERJACK_DATA_DIR", default_value = "natterjack-data")]
    data_dir: PathBuf,
    /// The type of the channels
    #[arg(long, default_value = "messaging")]
    channel_type: String,
    /// How many channels are worked on at a time
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    in_flight: u16,
    /// Reads everything back and compares, instead of loading
    #[arg(long)]
    verify: bool,
    /// Only the first lines of the file
    #[arg(long, value_name = "LINES")]
    limit: Option<usize>,
}

/// What loading and verifying share.
struct Context {
    client: Client,
    channel_type: String,
    in_flight: usize,
    dataset: Dataset,
}

impl Context {
    fn cid(&self, channel: &dataset::Channel) -> String {
        format!("{}:{}", self.channel_type, channel.id)
    }
}

/// Loads or verifies the file, as the arguments say.
///
/// # Errors
/// When the file is not of the format, the server cannot be reached or refuses a call, or, with `--verify`, what it
/// answers differs from the file.
pub async fn run(args: LoadArgs) -> Result<()> {
    let (key, secret) = credentials(&args)?;
    let client = Client::builder(key, secret)
        .base_url(&args.url)
        .timeout(CALL_TIME_MAX)
        .retry(RetryPolicy { max_attempts: CALL_ATTEMPTS_MAX, ..RetryPolicy::default() })
        .client_name(concat!("natterjack-load-", env!("CARGO_PKG_VERSION")))
        .build()?;
    let (file, limit) = (args.file, args.limit.unwrap_or(usize::MAX));
    let dataset = tokio::task::spawn_blocking(move || Dataset::read(&file, limit)).await??;
    eprintln!(
        "{} lines of {} users in {} channels",
        dataset.lines,
        dataset.users.len(),
        dataset.channels.len()
    );
    let context =
        Context { client, channel_type: args.channel_type, in_flight: usize::from(args.in_flight), dataset };
    if args.verify { verify::verify(&context).await } else { send::load(&context).await }
}

/// The key and secret of the arguments, or else those that the server wrote to its data folder.
fn credentials(args: &LoadArgs) -> Result<(String, String)> {
    match (&args.api_key, &args.api_secret) {
        (Some(key), Some(secret)) => Ok((key.clone(), secret.clone())),
        (None, None) => read_credentials(&args.data_dir),
        (Some(_), None) => bail!("--api-key needs --api-secret"),
        (None, Some(_)) => bail!("--api-secret needs --api-key"),
    }
}

fn read_credentials(data_dir: &Path) -> Result<(String, String)> {
    #[derive(Deserialize)]
    struct Credentials {
        api_key: String,
        api_secret: String,
    }
    let path = data_dir.join(CREDENTIALS_FILE);
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}; give --api-key and --api-secret, or --data-dir", path.display())
    })?;
    // The parser's own message would quote the secret.
    let Ok(read) = toml::from_str::<Credentials>(&text) else {
        bail!("{} does not hold api_key and api_secret", path.display());
    };
    Ok((read.api_key, read.api_secret))
}
