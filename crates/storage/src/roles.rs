use natterjack_protocol::{JsonMap, Timestamp};

use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Row, json, params};

/// A role that an app has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name, unique in the app.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A permission that an app has made.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomPermissionRow {
    /// Unique in the app.
    pub id: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// What it allows, such as `CreateMessage`.
    pub action: String,
    /// Only on what is the subject's own.
    pub owner: bool,
    /// Only on what is of the subject's team.
    pub same_team: bool,
    /// Under which condition; `None` under any.
    pub condition: Option<JsonMap>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Roles and permissions of one app that are read at once; the actions allow fewer.
const LISTED_MAX: i64 = 1000;
const PERMISSION_COLUMNS: &str =
    "id, name, description, action, owner, same_team, condition, created_at, updated_at";

fn permission_from_row(row: Row<'_>) -> Result<CustomPermissionRow> {
    Ok(CustomPermissionRow {
        id: row.text(0)?,
        name: row.text(1)?,
        description: row.text(2)?,
        action: row.text(3)?,
        owner: row.bool(4)?,
        same_team: row.bool(5)?,
        condition: row.json(6, "permissions.condition")?,
        created_at: row.time(7)?,
        updated_at: row.time(8)?,
    })
}

/// All of these are called in a transaction that has moved the app's version, when they write, so that nobody decides by
/// what was cached.
impl Tx {
    /// The roles that an app has made, by name.
    pub async fn list_roles(&mut self, app_pk: i64) -> Result<Vec<Role>> {
        let sql = "SELECT name, created_at, updated_at FROM roles WHERE app_pk = $1 ORDER BY name LIMIT $2";
        self.query(sql, params![app_pk, LISTED_MAX], |row| {
            Ok(Role { name: row.text(0)?, created_at: row.time(1)?, updated_at: row.time(2)? })
        })
        .await
    }

    /// Stores a role.
    pub async fn insert_role(&mut self, app_pk: i64, role: &Role) -> Result<()> {
        self.execute(
            "INSERT INTO roles (app_pk, name, created_at, updated_at) VALUES ($1, $2, $3, $4)",
            params![app_pk, &role.name, role.created_at, role.updated_at],
        )
        .await?;
        Ok(())
    }

    /// Removes a role.
    pub async fn delete_role(&mut self, app_pk: i64, name: &str) -> Result<()> {
        self.execute("DELETE FROM roles WHERE app_pk = $1 AND name = $2", params![app_pk, name]).await?;
        Ok(())
    }

    /// A user of the app who has this role, in one team or everywhere.
    pub async fn find_user_with_role(&mut self, app_pk: i64, role: &str) -> Result<Option<String>> {
        let has_role = "SELECT id FROM users WHERE app_pk = $1 AND role = $2 AND role <> 'user' \
                        AND deleted_at IS NULL LIMIT 1";
        let found = self.query_optional(has_role, params![app_pk, role], |row| row.text(0)).await?;
        if found.is_some() {
            return Ok(found);
        }
        // Roles by team are rare enough to be looked for in the text of those who have any.
        let in_a_team = "SELECT id FROM users WHERE app_pk = $1 AND teams_role IS NOT NULL \
                         AND teams_role LIKE $2 ESCAPE '!' AND deleted_at IS NULL LIMIT 1";
        let escaped = role.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        self.query_optional(in_a_team, params![app_pk, format!("%:\"{escaped}\"%")], |row| row.text(0)).await
    }

    /// A channel of the app in which a member has this role.
    pub async fn find_channel_with_role(&mut self, app_pk: i64, role: &str) -> Result<Option<String>> {
        self.query_optional(
            "SELECT c.cid FROM members m JOIN channels c ON c.pk = m.channel_pk \
             WHERE m.channel_role = $1 AND m.channel_role <> 'channel_member' \
             AND m.channel_role <> 'channel_moderator' AND c.app_pk = $2 AND c.deleted_at IS NULL LIMIT 1",
            params![role, app_pk],
            |row| row.text(0),
        )
        .await
    }

    /// The permissions that an app has made, by id.
    pub async fn list_custom_permissions(&mut self, app_pk: i64) -> Result<Vec<CustomPermissionRow>> {
        let sql =
            format!("SELECT {PERMISSION_COLUMNS} FROM permissions WHERE app_pk = $1 ORDER BY id LIMIT $2");
        self.query(&sql, params![app_pk, LISTED_MAX], permission_from_row).await
    }

    /// Stores a permission, in place of the one with the same id.
    pub async fn put_custom_permission(
        &mut self,
        app_pk: i64,
        permission: &CustomPermissionRow,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO permissions (app_pk, id, name, description, action, owner, same_team, condition, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (app_pk, id) DO UPDATE SET name = EXCLUDED.name, \
             description = EXCLUDED.description, action = EXCLUDED.action, owner = EXCLUDED.owner, \
             same_team = EXCLUDED.same_team, condition = EXCLUDED.condition, updated_at = EXCLUDED.updated_at",
            params![
                app_pk,
                &permission.id,
                &permission.name,
                &permission.description,
                &permission.action,
                permission.owner,
                permission.same_team,
                permission.condition.as_ref().map(json),
                permission.created_at,
                permission.updated_at
            ],
        )
        .await?;
        Ok(())
    }

    /// Removes a permission.
    pub async fn delete_custom_permission(&mut self, app_pk: i64, id: &str) -> Result<()> {
        self.execute("DELETE FROM permissions WHERE app_pk = $1 AND id = $2", params![app_pk, id]).await?;
        Ok(())
    }
}
