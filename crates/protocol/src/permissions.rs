//! What roles can be permitted to do.

use serde::{Deserialize, Serialize};

use crate::{JsonMap, PermissionPath, operation};

operation! {
    /// Every permission, the built-in ones and those that the app made, by id.
    ListPermissions = "list_permissions", Get "/api/v2/permissions",
        response: ListPermissionsResponse, server_side_only: true,
}

operation! {
    /// One permission. 16 when there is none of that id.
    GetPermission = "get_permission", Get "/api/v2/permissions/{id}",
        path: PermissionPath, response: GetCustomPermissionResponse, server_side_only: true,
}

operation! {
    /// Makes a permission. 4 when there is one of that id, or the app has made 100 of them. Of the older API version; has no
    /// path in version 2.
    CreatePermission = "create_permission", Post "/permissions",
        body: PermissionRequest, response: PermissionWritten, server_side_only: true,
}

operation! {
    /// Replaces a permission that the app made. 16 when there is none of that id, 4 for a built-in one. Of the older API
    /// version; has no path in version 2.
    UpdatePermission = "update_permission", Put "/permissions/{id}",
        path: PermissionPath, body: PermissionRequest, response: PermissionWritten, server_side_only: true,
}

operation! {
    /// Removes a permission that the app made; it then grants nothing any more. 16 when there is none of that id, 4 for a
    /// built-in one. Of the older API version; has no path in version 2.
    DeletePermission = "delete_permission", Delete "/permissions/{id}",
        path: PermissionPath, response: PermissionWritten, server_side_only: true,
}

/// A permission to be made or replaced.
///
/// `condition` is a filter that must hold between who acts and the channel: its fields are `$subject.` and `$resource.`
/// followed by the name of a field, such as `$subject.rank` or `$resource.frozen`, its values are constants or such fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PermissionRequest {
    /// What grants call it, 1 to 100 letters, digits, `_` and `-`. Required when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// For people, at most 255 characters; the id when none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For people, at most 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it allows, such as `DeleteMessage`. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Whether it is for the owner alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<bool>,
    /// Whether it is for what is of the same team alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_team: Option<bool>,
    /// Under which condition, at most 5 KiB as JSON; any when none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<JsonMap>,
}

/// A permission.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permission {
    /// What grants call it.
    pub id: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// What it allows, such as `DeleteMessage`.
    pub action: String,
    /// Whether the app made it.
    pub custom: bool,
    /// Whether it is for the owner alone.
    pub owner: bool,
    /// What the owner must own: `channel`, `message`, `user`, …
    pub owner_resource: String,
    /// Whether it is for what is of the same team alone.
    pub same_team: bool,
    /// `app` or `channel`.
    pub level: String,
    /// What it is about.
    #[serde(deserialize_with = "crate::null_default")]
    pub tags: Vec<String>,
    /// Under which condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<JsonMap>,
}

/// Every permission.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListPermissionsResponse {
    /// By id.
    #[serde(deserialize_with = "crate::null_default")]
    pub permissions: Vec<Permission>,
}

/// One permission.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GetCustomPermissionResponse {
    /// The permission.
    pub permission: Permission,
}

/// It is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PermissionWritten {}
