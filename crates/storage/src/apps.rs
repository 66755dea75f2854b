use std::fmt;

use natterjack_protocol::Timestamp;
use natterjack_protocol::app::AppSettings;

use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Row, json_unless_default, params};

/// An app: a tenant of the server. Nothing is shared between apps.
#[derive(Clone)]
pub struct App {
    /// Key of every row of the app.
    pub pk: i64,
    /// A name for people.
    pub name: String,
    /// The public key that requests carry.
    pub api_key: String,
    /// Signs the tokens. Never printed.
    pub api_secret: String,
    /// The settings that were set.
    pub settings: AppSettings,
    /// Changes with the secret, the settings, the channel types and the banned addresses; what was cached under another version is stale.
    pub version: i64,
    /// When the app was created.
    pub created_at: Timestamp,
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("App")
            .field("pk", &self.pk)
            .field("name", &self.name)
            .field("api_key", &self.api_key)
            .field("api_secret", &"[redacted]")
            .finish_non_exhaustive()
    }
}

/// An app to be created.
#[derive(Clone)]
pub struct NewApp {
    /// A name for people.
    pub name: String,
    /// The public key; unique in the server.
    pub api_key: String,
    /// Signs the tokens.
    pub api_secret: String,
}

impl fmt::Debug for NewApp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NewApp")
            .field("name", &self.name)
            .field("api_key", &self.api_key)
            .field("api_secret", &"[redacted]")
            .finish()
    }
}

const APP_COLUMNS: &str = "pk, name, api_key, api_secret, version, created_at, settings";

fn app_from_row(row: Row<'_>) -> Result<App> {
    Ok(App {
        pk: row.int(0)?,
        name: row.text(1)?,
        api_key: row.text(2)?,
        api_secret: row.text(3)?,
        version: row.int(4)?,
        created_at: row.time(5)?,
        settings: row.json(6, "apps.settings")?,
    })
}

impl Tx {
    /// All apps, oldest first.
    pub async fn list_apps(&mut self) -> Result<Vec<App>> {
        let sql = format!("SELECT {APP_COLUMNS} FROM apps ORDER BY pk");
        self.query(&sql, params![], app_from_row).await
    }

    /// The app with this key.
    pub async fn find_app(&mut self, app_pk: i64) -> Result<Option<App>> {
        let sql = format!("SELECT {APP_COLUMNS} FROM apps WHERE pk = $1");
        self.query_optional(&sql, params![app_pk], app_from_row).await
    }

    /// The key and the version of every app.
    pub async fn list_app_versions(&mut self) -> Result<Vec<(i64, i64)>> {
        self.query("SELECT pk, version FROM apps ORDER BY pk", params![], |row| {
            Ok((row.int(0)?, row.int(1)?))
        })
        .await
    }

    /// The version of an app, 0 when it is not there.
    pub async fn find_app_version(&mut self, app_pk: i64) -> Result<i64> {
        let found = self
            .query_optional("SELECT version FROM apps WHERE pk = $1", params![app_pk], |row| row.int(0))
            .await?;
        Ok(found.unwrap_or_default())
    }

    /// As [`Tx::find_app_version`], and keeps the app's settings and channel types from changing until the end of the
    /// transaction. Others may do the same at the same time.
    pub async fn hold_app(&mut self, app_pk: i64) -> Result<i64> {
        let sql = format!("SELECT version FROM apps WHERE pk = $1{}", self.dialect().for_share());
        let found = self.query_optional(&sql, params![app_pk], |row| row.int(0)).await?;
        Ok(found.unwrap_or_default())
    }

    /// Moves the version of an app, and keeps others from doing so, or from relying on the app as it was, until the end
    /// of the transaction. `None` when the app is not there.
    pub async fn advance_app(&mut self, app_pk: i64, now: Timestamp) -> Result<Option<i64>> {
        self.query_optional(
            "UPDATE apps SET version = version + 1, updated_at = $1 WHERE pk = $2 RETURNING version",
            params![now, app_pk],
            |row| row.int(0),
        )
        .await
    }

    /// Sets an app's settings. Goes together with [`Tx::advance_app`].
    pub async fn update_app_settings(&mut self, app_pk: i64, settings: &AppSettings) -> Result<()> {
        let settings = json_unless_default(settings);
        self.execute("UPDATE apps SET settings = $1 WHERE pk = $2", params![settings, app_pk]).await?;
        Ok(())
    }

    /// Creates an app.
    ///
    /// # Errors
    /// [`Error::Conflict`](crate::Error::Conflict) when the key is taken.
    pub async fn insert_app(&mut self, app: &NewApp, now: Timestamp) -> Result<()> {
        self.execute(
            "INSERT INTO apps (name, api_key, api_secret, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)",
            params![&app.name, &app.api_key, &app.api_secret, now],
        )
        .await?;
        Ok(())
    }

    /// Sets an app's key and secret.
    pub async fn update_app_credentials(
        &mut self,
        app_pk: i64,
        api_key: &str,
        api_secret: &str,
        now: Timestamp,
    ) -> Result<()> {
        self.execute(
            "UPDATE apps SET api_key = $1, api_secret = $2, version = version + 1, updated_at = $3 WHERE pk = $4",
            params![api_key, api_secret, now, app_pk],
        )
        .await?;
        Ok(())
    }
}
