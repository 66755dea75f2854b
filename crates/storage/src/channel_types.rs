use natterjack_protocol::channel_types::ChannelTypeConfig;

use crate::error::Result;
use crate::tx::Tx;
use crate::value::{json, params};

/// Rows that one app may have: more than it may have channel types.
const CHANNEL_TYPES_READ_MAX: i64 = 100;

impl Tx {
    /// The channel types that the app made or changed, by name. Those that are built in and unchanged are not stored.
    pub async fn list_channel_types(&mut self, app_pk: i64) -> Result<Vec<ChannelTypeConfig<String>>> {
        self.query(
            "SELECT name, config, created_at, updated_at FROM channel_types WHERE app_pk = $1 ORDER BY name LIMIT $2",
            params![app_pk, CHANNEL_TYPES_READ_MAX],
            |row| {
                let config: ChannelTypeConfig<String> = row.json(1, "channel_types.config")?;
                Ok(ChannelTypeConfig {
                    name: row.text(0)?,
                    created_at: row.time(2)?,
                    updated_at: row.time(3)?,
                    ..config
                })
            },
        )
        .await
    }

    /// Stores a channel type, in place of one of the same name. Goes together with [`Tx::advance_app`].
    pub async fn put_channel_type(&mut self, app_pk: i64, config: &ChannelTypeConfig<String>) -> Result<()> {
        self.execute(
            "INSERT INTO channel_types (app_pk, name, config, created_at, updated_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (app_pk, name) DO UPDATE SET config = excluded.config, updated_at = excluded.updated_at",
            params![app_pk, &config.name, json(config), config.created_at, config.updated_at],
        )
        .await?;
        Ok(())
    }

    /// Removes what is stored of a channel type. Goes together with [`Tx::advance_app`].
    pub async fn delete_channel_type(&mut self, app_pk: i64, name: &str) -> Result<()> {
        self.execute("DELETE FROM channel_types WHERE app_pk = $1 AND name = $2", params![app_pk, name])
            .await?;
        Ok(())
    }

    /// Whether there are channels of a type that are not deleted.
    pub async fn has_channels_of_type(&mut self, app_pk: i64, kind: &str) -> Result<bool> {
        let found = self
            .query_optional(
                "SELECT pk FROM channels WHERE app_pk = $1 AND kind = $2 AND deleted_at IS NULL LIMIT 1",
                params![app_pk, kind],
                |row| row.int(0),
            )
            .await?;
        Ok(found.is_some())
    }
}
