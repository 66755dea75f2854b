//! `natterjack app`: the apps of a server. Nothing is shared between them.

use anyhow::{Context as _, Result, bail, ensure};
use natterjack_storage::{App, NewApp, Store};

use super::database::{DatabaseArgs, open_existing};
use crate::clock::{Clock, SystemClock};
use crate::config::{Credentials, check_api_key};
use crate::limits::{APPS_MAX, NAME_LENGTH_MAX};

/// Creates and lists apps, or gives one a new secret. A server that is running notices within a second.
#[derive(Debug, clap::Args)]
pub struct AppArgs {
    #[command(subcommand)]
    command: AppCommand,
}

#[derive(Debug, clap::Subcommand)]
enum AppCommand {
    /// Create an app and print its key and its secret
    Create {
        /// A name for people
        name: String,
        /// The public key [default: made at random]
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// List the apps, the first one first
    List {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Give an app a new secret and print it; tokens signed with the old one are refused
    RotateSecret {
        /// The app's public key
        key: String,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// Carries out the subcommand.
///
/// # Errors
/// When the database cannot be used, or the app is not there.
pub async fn run(args: AppArgs) -> Result<()> {
    let (AppCommand::Create { database, .. }
    | AppCommand::List { database }
    | AppCommand::RotateSecret { database, .. }) = &args.command;
    let store = open_existing(&database.url()).await?;
    let done = match &args.command {
        AppCommand::Create { name, key, .. } => create(&store, name, key.as_deref()).await,
        AppCommand::List { .. } => list(&store).await,
        AppCommand::RotateSecret { key, database } => rotate_secret(&store, key, database).await,
    };
    store.close().await;
    done
}

async fn apps(store: &Store) -> Result<Vec<App>> {
    let listed = store.read("list_apps", (), |tx, ()| Box::pin(tx.list_apps()));
    listed.await.context("cannot read the apps")
}

async fn create(store: &Store, name: &str, key: Option<&str>) -> Result<()> {
    ensure!(
        !name.is_empty() && name.chars().count() <= NAME_LENGTH_MAX,
        "name: must have 1 to {NAME_LENGTH_MAX} characters"
    );
    let mut credentials = Credentials::generate();
    if let Some(key) = key {
        check_api_key(key)?;
        credentials.api_key = key.to_owned();
    }
    ensure!(apps(store).await?.len() < APPS_MAX, "a server has at most {APPS_MAX} apps");
    let app = NewApp {
        name: name.to_owned(),
        api_key: credentials.api_key.clone(),
        api_secret: credentials.api_secret.clone(),
    };
    let created = store
        .write("insert_app", (app, SystemClock.now()), |tx, (app, now)| Box::pin(tx.insert_app(app, *now)))
        .await;
    match created {
        Err(natterjack_storage::Error::Conflict(_)) => bail!("key: there is an app with this key already"),
        created => created.context("cannot create the app")?,
    }
    println!("API key  {}\nsecret   {}", credentials.api_key, credentials.api_secret);
    Ok(())
}

async fn list(store: &Store) -> Result<()> {
    for app in apps(store).await? {
        println!("{}  {}  {}", app.api_key, app.created_at, app.name);
    }
    Ok(())
}

async fn rotate_secret(store: &Store, key: &str, database: &DatabaseArgs) -> Result<()> {
    let apps = apps(store).await?;
    let app = apps.iter().find(|app| app.api_key == key);
    let app = app.with_context(|| format!("there is no app with the key {key}"))?;
    let secret = Credentials::generate().api_secret;
    let input = (app.pk, key.to_owned(), secret.clone(), SystemClock.now());
    store
        .write("rotate_secret", input, |tx, (app_pk, key, secret, now)| {
            Box::pin(tx.update_app_credentials(*app_pk, key, secret, *now))
        })
        .await
        .context("cannot change the secret")?;
    // `natterjack token` signs with what is kept beside the database.
    if let Some(kept) = Credentials::read(&database.data_dir)?.filter(|kept| kept.api_key == key) {
        Credentials { api_secret: secret.clone(), ..kept }.write(&database.data_dir)?;
    }
    println!("{secret}");
    Ok(())
}
