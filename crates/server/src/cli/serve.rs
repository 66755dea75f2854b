use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use natterjack_storage::{NewApp, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::database::claim;
use crate::clock::SystemClock;
use crate::config::{Config, Credentials, Settings};
use crate::serve::{Server, ServerParts};
use crate::telemetry;

/// Characters below which a secret is called short: as many bits as the signature has take 32.
const SECRET_LENGTH_ADVISED: usize = 32;

/// Arguments of `natterjack serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    settings: Settings,
}

/// Starts the server and waits until it is told to stop.
pub async fn run(args: ServeArgs) -> anyhow::Result<()> {
    let config = args.settings.resolve()?;
    telemetry::start_logging(config.log_format, &config.log);
    telemetry::start_metrics();
    super::raise_file_limit();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    // The database holds conversations and the secret: a new folder is its owner's alone.
    let mut folder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder
        .recursive(true)
        .create(&config.data_dir)
        .with_context(|| format!("data-dir: {} cannot be created", config.data_dir.display()))?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("listen: {} cannot be used", config.listen))?;
    let claim = claim(&config.database_url).context("the database cannot be used")?;
    let store = Store::open(&config.database_url).await.context("the database cannot be used")?;
    anyhow::ensure!(
        !store.is_half_transferred().await?,
        "database-url: the database is the target of an unfinished move: finish it, or begin with an empty database"
    );
    let credentials = first_app(&config, &store).await?;
    if config.dev && !config.listen.ip().is_loopback() {
        tracing::warn!(
            "in development mode everybody who reaches this server can act as any user, and as the app's owner"
        );
    }
    let server = Server::start(ServerParts {
        store,
        clock: Arc::new(SystemClock),
        first_app: Some(NewApp {
            name: "default".to_owned(),
            api_key: credentials.api_key.clone(),
            api_secret: credentials.api_secret.clone(),
        }),
        development: config.dev,
        listener,
        access: config.access.clone(),
    })
    .await
    .map_err(|error| anyhow::anyhow!(error))?;
    if let Err(error) = greet(&config, &server, &credentials) {
        // Nobody has to read the greeting for the server to run.
        tracing::warn!(error = &error as &dyn std::error::Error, "standard output cannot be written to");
    }

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    server.stop().await;
    drop(claim);
    tracing::info!("stopped");
    Ok(())
}

/// Key and secret of the first app: as set, else as kept in the data folder, else as in the database, else new.
async fn first_app(config: &Config, store: &Store) -> anyhow::Result<Credentials> {
    let apps = store.read("list_apps", (), |tx, ()| Box::pin(tx.list_apps())).await?;
    let kept = match (apps.into_iter().next(), Credentials::read(&config.data_dir)?) {
        // A folder may be left from another database; the database knows its own app.
        (Some(app), _) => Credentials { api_key: app.api_key, api_secret: app.api_secret },
        (None, Some(kept)) => kept,
        (None, None) => Credentials::generate(),
    };
    let credentials = Credentials {
        api_key: config.api_key.clone().unwrap_or(kept.api_key),
        api_secret: config.api_secret.clone().unwrap_or(kept.api_secret),
    };
    if credentials.api_secret.len() < SECRET_LENGTH_ADVISED {
        tracing::warn!("the API secret is short; tokens signed with it can be guessed");
    }
    credentials.write(&config.data_dir)?;
    Ok(credentials)
}

/// Tells how to reach the server.
fn greet(config: &Config, server: &Server, credentials: &Credentials) -> std::io::Result<()> {
    let url = format!("http://{}", server.address());
    // The line makes its own token, so that none stands in a log.
    let program = std::env::args().next().unwrap_or_else(|| "natterjack".to_owned());
    let folder = config.data_dir.display();
    let mut out = std::io::stdout().lock();
    writeln!(out, "natterjack {} is ready", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  URL      {url}")?;
    writeln!(out, "  API key  {}", credentials.api_key)?;
    writeln!(out, "  secret   in {}", Credentials::path(&config.data_dir).display())?;
    writeln!(out, "  data     {:?}", config.database_url)?;
    if config.dev {
        writeln!(out, "  demo     {url}/demo")?;
    }
    writeln!(out, "\nTry it:\n")?;
    writeln!(
        out,
        "  curl -s '{url}/api/v2/users?api_key={}' \\\n    -H \"Authorization: $({program} token --server --data-dir {folder})\" \\\n    \
         -H 'Stream-Auth-Type: jwt' -H 'Content-Type: application/json' \\\n    \
         -d '{{\"users\":{{\"jane\":{{\"id\":\"jane\",\"name\":\"Jane\"}}}}}}'\n",
        credentials.api_key
    )?;
    out.flush()?;
    Ok(())
}
