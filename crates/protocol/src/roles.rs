//! The roles that users and members have.

use serde::{Deserialize, Serialize};

use crate::{RolePath, Timestamp, operation, query_params};

operation! {
    /// Every role, the built-in ones and those that the app made, by name.
    ListRoles = "list_roles", Get "/api/v2/roles",
        response: ListRolesResponse, server_side_only: true,
}

operation! {
    /// Makes a role. 4 when there is one of that name, or the app has made 25 of them.
    CreateRole = "create_role", Post "/api/v2/roles",
        body: CreateRoleRequest, response: CreateRoleResponse, server_side_only: true,
}

operation! {
    /// Removes a role. 16 when there is none of that name; 4 when it is built in, has permissions left, or somebody has it.
    DeleteRole = "delete_role", Delete "/api/v2/roles/{name}",
        path: RolePath, response: DeleteRoleResponse, server_side_only: true,
}

operation! {
    /// Roles whose name begins with a text.
    SearchRoles = "search_roles", Get "/api/v2/roles/search",
        query: SearchRolesQuery, response: SearchRolesResponse, server_side_only: true,
}

/// A role to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateRoleRequest {
    /// Its name, 1 to 64 letters, digits, `_` and `-`. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

query_params! {
    /// Which roles are looked for.
    pub struct SearchRolesQuery {
        /// What the name begins with, whatever the case of its letters. Required.
        pub query: Option<String>,
        /// Greatest number of roles, 25 by default and at most 100.
        pub limit: Option<i64>,
        /// Only names after this one, for the next page.
        pub name_gt: Option<String>,
        /// `user` for roles that users may have, `channel` for those that members may have.
        pub role_type: Option<String>,
        /// Whether `global_admin` and `global_moderator` are among them; no by default.
        pub include_global_roles: Option<bool>,
    }
}

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Whether the app made it.
    pub custom: bool,
    /// Where it has permissions: `.app` and the names of channel types.
    #[serde(deserialize_with = "crate::null_default")]
    pub scopes: Vec<String>,
    /// When it was made; a built-in one with the app.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Every role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListRolesResponse {
    /// By name.
    #[serde(deserialize_with = "crate::null_default")]
    pub roles: Vec<Role>,
}

/// Roles that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchRolesResponse {
    /// By name.
    #[serde(deserialize_with = "crate::null_default")]
    pub roles: Vec<Role>,
}

/// The role that was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateRoleResponse {
    /// The role.
    pub role: Role,
}

/// The role is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeleteRoleResponse {}
