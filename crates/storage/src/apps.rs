use std::fmt;

use natterjack_protocol::Timestamp;

use crate::error::Result;
use crate::tx::Tx;
use crate::value::params;

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

impl Tx {
    /// All apps, oldest first.
    pub async fn list_apps(&mut self) -> Result<Vec<App>> {
        self.query(
            "SELECT pk, name, api_key, api_secret, created_at FROM apps ORDER BY pk",
            params![],
            |row| {
                Ok(App {
                    pk: row.int(0)?,
                    name: row.text(1)?,
                    api_key: row.text(2)?,
                    api_secret: row.text(3)?,
                    created_at: row.time(4)?,
                })
            },
        )
        .await
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
            "UPDATE apps SET api_key = $1, api_secret = $2, updated_at = $3 WHERE pk = $4",
            params![api_key, api_secret, now, app_pk],
        )
        .await?;
        Ok(())
    }
}
