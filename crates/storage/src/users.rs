use std::collections::BTreeMap;

use natterjack_protocol::users::PrivacySettingsResponse;
use natterjack_protocol::{Custom, Timestamp};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Param, Row, json_unless_default, params};

/// A user as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub app_pk: i64,
    pub id: String,
    pub name: Option<String>,
    pub image: Option<String>,
    pub role: String,
    /// ISO 639-1, empty when not set.
    pub language: String,
    pub teams: Vec<String>,
    pub teams_role: BTreeMap<String, String>,
    pub invisible: bool,
    /// Banned from the whole app, for good or until `ban_expires`; see [`User::ban_at`].
    pub banned: bool,
    /// The same without being told.
    pub shadow_banned: bool,
    pub ban_expires: Option<Timestamp>,
    pub privacy_settings: Option<PrivacySettingsResponse>,
    pub custom: Custom,
    /// Changes with every change of the row; what was cached under another version is stale.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_active: Option<Timestamp>,
    pub deactivated_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub revoke_tokens_issued_before: Option<Timestamp>,
    /// Whether a connection is open that others may know of.
    pub online: bool,
}

/// How a user, or what is a user's, is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deletion {
    /// Marked as deleted; everything is kept.
    Soft,
    /// Marked as deleted, and emptied.
    Pruning,
    /// Removed.
    Hard,
}

impl Deletion {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Pruning => "pruning",
            Self::Hard => "hard",
        }
    }
}

/// Whether a user is connected.
#[derive(Debug, Clone, PartialEq)]
pub struct Presence {
    pub app_pk: i64,
    pub user_id: String,
    pub online: bool,
    /// `None` leaves it as it was.
    pub last_active: Option<Timestamp>,
}

/// The state that a user is to have after an upsert.
#[derive(Debug, Clone, PartialEq)]
pub struct UserChange {
    pub id: String,
    pub name: Option<String>,
    pub image: Option<String>,
    pub role: String,
    pub language: String,
    pub teams: Vec<String>,
    pub teams_role: BTreeMap<String, String>,
    pub invisible: bool,
    pub privacy_settings: Option<PrivacySettingsResponse>,
    pub custom: Custom,
}

pub(crate) const USER_COLUMNS: &str = "u.app_pk, u.id, u.name, u.image, u.role, u.language, u.teams, \
    u.teams_role, u.invisible, u.banned, u.privacy_settings, u.custom, u.version, u.created_at, u.updated_at, \
    u.last_active, u.deactivated_at, u.deleted_at, u.revoke_tokens_issued_before, u.shadow_banned, u.ban_expires, u.online";

pub(crate) fn user_from_row(row: Row<'_>) -> Result<User> {
    Ok(User {
        app_pk: row.int(0)?,
        id: row.text(1)?,
        name: row.optional_text(2)?,
        image: row.optional_text(3)?,
        role: row.text(4)?,
        language: row.text(5)?,
        teams: row.json(6, "users.teams")?,
        teams_role: row.json(7, "users.teams_role")?,
        invisible: row.bool(8)?,
        banned: row.bool(9)?,
        privacy_settings: row.json(10, "users.privacy_settings")?,
        custom: row.json(11, "users.custom")?,
        version: row.int(12)?,
        created_at: row.time(13)?,
        updated_at: row.time(14)?,
        last_active: row.optional_time(15)?,
        deactivated_at: row.optional_time(16)?,
        deleted_at: row.optional_time(17)?,
        revoke_tokens_issued_before: row.optional_time(18)?,
        shadow_banned: row.bool(19)?,
        ban_expires: row.optional_time(20)?,
        online: row.bool(21)?,
    })
}

/// What two names have in common that are taken for the same: white space and special characters are left out, capital
/// letters are small. `None` when nothing is left.
pub fn name_key(name: &str) -> Option<String> {
    let key: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    (!key.is_empty()).then_some(key)
}

impl Tx {
    /// Keeps others from giving a user one of these names, by their [`name_key`], until the end of the transaction.
    pub async fn lock_names(&mut self, app_pk: i64, mut keys: Vec<String>) -> Result<()> {
        keys.sort();
        for key in &keys {
            self.lock_key("user_names", app_pk, key).await?;
        }
        Ok(())
    }

    /// The teams of another user than `user_id` who is not deleted and has a name with this [`name_key`]; with `teams`
    /// given one who is in one of them, or in none when there are none.
    pub async fn find_namesake(
        &mut self,
        app_pk: i64,
        key: &str,
        user_id: &str,
        teams: Option<&[String]>,
    ) -> Result<Option<Vec<String>>> {
        let named = "SELECT u.teams FROM users u WHERE u.app_pk = $1 AND u.name_key = $2 AND u.id <> $3 \
                     AND u.deleted_at IS NULL";
        let of_row = |row: Row<'_>| row.json(0, "users.teams");
        match teams {
            None => {
                self.query_optional(&format!("{named} LIMIT 1"), params![app_pk, key, user_id], of_row).await
            }
            Some([]) => {
                let sql = format!("{named} AND u.teams IS NULL LIMIT 1");
                self.query_optional(&sql, params![app_pk, key, user_id], of_row).await
            }
            Some(teams) => {
                let sql = format!(
                    "{named} AND EXISTS (SELECT 1 FROM {} WHERE {}) LIMIT 1",
                    self.dialect().json_texts("u.teams"),
                    self.dialect().is_in("each.value", 4)
                );
                self.query_optional(&sql, params![app_pk, key, user_id, teams.to_vec()], of_row).await
            }
        }
    }

    /// The users with these ids, in no particular order. Unknown ids are just missing.
    pub async fn list_users(&mut self, app_pk: i64, ids: Vec<String>) -> Result<Vec<User>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {USER_COLUMNS} FROM users u WHERE u.app_pk = $1 AND {}",
            self.dialect().is_in("u.id", 2)
        );
        self.query(&sql, params![app_pk, ids], user_from_row).await
    }

    /// As [`Tx::list_users`], and keeps the rows from changing, and absent ones from being created by others, until
    /// the end of the transaction.
    pub async fn lock_users(&mut self, app_pk: i64, mut ids: Vec<String>) -> Result<Vec<User>> {
        ids.sort();
        for id in &ids {
            self.lock_key("users", app_pk, id).await?;
        }
        let sql = format!(
            "SELECT {USER_COLUMNS} FROM users u WHERE u.app_pk = $1 AND {} ORDER BY u.id{}",
            self.dialect().is_in("u.id", 2),
            self.dialect().for_update()
        );
        self.query(&sql, params![app_pk, ids], user_from_row).await
    }

    /// Creates the user or replaces everything that a change holds. Answers the stored user.
    pub async fn upsert_user(&mut self, app_pk: i64, change: &UserChange, now: Timestamp) -> Result<User> {
        let sql = format!(
            "INSERT INTO users AS u (app_pk, id, name, image, role, language, teams, teams_role, invisible, \
             privacy_settings, custom, created_at, updated_at, name_key, banned, version, event_seq) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, FALSE, 1, 0) \
             ON CONFLICT (app_pk, id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key, image = excluded.image, \
             role = excluded.role, language = excluded.language, teams = excluded.teams, \
             teams_role = excluded.teams_role, invisible = excluded.invisible, \
             privacy_settings = excluded.privacy_settings, custom = excluded.custom, \
             updated_at = excluded.updated_at, version = u.version + 1 \
             RETURNING {}",
            USER_COLUMNS.replace("u.", "")
        );
        let params: &[Param<'_>] = params![
            app_pk,
            &change.id,
            change.name.as_deref(),
            change.image.as_deref(),
            &change.role,
            &change.language,
            json_unless_default(&change.teams),
            json_unless_default(&change.teams_role),
            change.invisible,
            json_unless_default(&change.privacy_settings),
            json_unless_default(&change.custom),
            now,
            change.name.as_deref().and_then(name_key),
        ];
        let mut stored = self.query(&sql, params, user_from_row).await?;
        Ok(stored.pop().expect("an upsert returns its row"))
    }
    /// Notes which users are connected, each with the moment of the last sign of life. Leaves versions alone: nothing is
    /// decided by it.
    pub async fn update_presence(&mut self, presences: &[Presence]) -> Result<()> {
        let mut presences: Vec<&Presence> = presences.iter().collect();
        presences.sort_by(|one, other| (one.app_pk, &one.user_id).cmp(&(other.app_pk, &other.user_id)));
        for presence in presences {
            self.execute(
                "UPDATE users SET online = $1, last_active = COALESCE($2, last_active) \
                 WHERE app_pk = $3 AND id = $4",
                params![presence.online, presence.last_active, presence.app_pk, &presence.user_id],
            )
            .await?;
        }
        Ok(())
    }

    /// Takes up to `limit` users for disconnected, after the server that knew of their connections has ended. `false`
    /// when there are no more.
    pub async fn clear_online(&mut self, limit: i64) -> Result<bool> {
        let cleared = self
            .execute(
                "UPDATE users SET online = FALSE WHERE (app_pk, id) IN \
                 (SELECT app_pk, id FROM users WHERE online LIMIT $1)",
                params![limit],
            )
            .await?;
        Ok(cleared > 0)
    }

    /// Sets from when on tokens of a user are good; `None` lets all be good. Goes together with [`Tx::upsert_user`],
    /// which changes the version.
    pub async fn revoke_user_tokens(
        &mut self,
        app_pk: i64,
        id: &str,
        before: Option<Timestamp>,
    ) -> Result<()> {
        self.execute(
            "UPDATE users SET revoke_tokens_issued_before = $1 WHERE app_pk = $2 AND id = $3",
            params![before, app_pk, id],
        )
        .await?;
        Ok(())
    }

    /// Deactivates a user, or with `None` takes that back. `None` when the user does not exist.
    pub async fn update_user_deactivation(
        &mut self,
        app_pk: i64,
        id: &str,
        deactivated_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<User>> {
        let sql = format!(
            "UPDATE users SET deactivated_at = $1, updated_at = $2, version = version + 1 \
             WHERE app_pk = $3 AND id = $4 RETURNING {}",
            USER_COLUMNS.replace("u.", "")
        );
        self.query_optional(&sql, params![deactivated_at, now, app_pk, id], user_from_row).await
    }

    /// Marks a user as deleted, and empties the row when that is asked for. What is gone or going stays so: a hard
    /// deletion is not made a soft one. `false` when the user does not exist.
    pub async fn delete_user(
        &mut self,
        app_pk: i64,
        id: &str,
        deletion: Deletion,
        now: Timestamp,
    ) -> Result<bool> {
        let emptied = match deletion {
            Deletion::Pruning => {
                ", name = NULL, image = NULL, language = '', teams = NULL, teams_role = NULL, \
                 privacy_settings = NULL, custom = NULL, last_ip = NULL"
            }
            Deletion::Soft | Deletion::Hard => "",
        };
        let sql = format!(
            "UPDATE users SET deleted_at = COALESCE(deleted_at, $1), updated_at = $1, \
             deletion = CASE WHEN deletion = 'hard' OR (deletion = 'pruning' AND $2 = 'soft') THEN deletion ELSE $2 END, \
             version = version + 1{emptied} WHERE app_pk = $3 AND id = $4"
        );
        Ok(self.execute(&sql, params![now, deletion.as_str(), app_pk, id]).await? == 1)
    }

    /// Brings back a user whose deletion was soft. `false` for any other.
    pub async fn restore_user(&mut self, app_pk: i64, id: &str, now: Timestamp) -> Result<bool> {
        let changed = self
            .execute(
                "UPDATE users SET deleted_at = NULL, deletion = NULL, updated_at = $1, version = version + 1 \
                 WHERE app_pk = $2 AND id = $3 AND deletion = 'soft'",
                params![now, app_pk, id],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Removes a user who is marked as hard deleted, with the log, once nothing refers to him or her any more.
    pub async fn delete_user_rows(&mut self, app_pk: i64, id: &str) -> Result<()> {
        for sql in [
            "DELETE FROM quiet_spans WHERE channel_pk IN \
             (SELECT channel_pk FROM channel_mutes WHERE app_pk = $1 AND user_id = $2) AND user_id = $2",
            "DELETE FROM channel_mutes WHERE app_pk = $1 AND user_id = $2",
            "DELETE FROM user_blocks WHERE app_pk = $1 AND (user_id = $2 OR blocked_user_id = $2)",
            // Which addresses are banned is cached with the app.
            "UPDATE apps SET version = version + 1 WHERE pk = $1 AND EXISTS \
             (SELECT 1 FROM bans WHERE app_pk = $1 AND user_id = $2 AND ip IS NOT NULL)",
            "DELETE FROM bans WHERE app_pk = $1 AND user_id = $2",
            "DELETE FROM future_channel_bans WHERE app_pk = $1 AND (user_id = $2 OR banned_by_id = $2)",
            "DELETE FROM user_mutes WHERE app_pk = $1 AND (user_id = $2 OR target_id = $2)",
            "DELETE FROM mute_spans WHERE app_pk = $1 AND (user_id = $2 OR target_id = $2)",
            "DELETE FROM flags WHERE app_pk = $1 AND (reporter_id = $2 OR creator_id = $2)",
            "DELETE FROM user_events WHERE app_pk = $1 AND user_id = $2",
            "DELETE FROM users WHERE app_pk = $1 AND id = $2 AND deletion = 'hard'",
        ] {
            self.execute(sql, params![app_pk, id]).await?;
        }
        Ok(())
    }
}
