use natterjack_protocol::permissions::{
    CreatePermission, DeletePermission, GetCustomPermissionResponse, GetPermission, ListPermissions,
    ListPermissionsResponse, Permission, PermissionWritten, UpdatePermission,
};
use natterjack_protocol::roles::{
    CreateRole, CreateRoleResponse, DeleteRole, DeleteRoleResponse, ListRoles, ListRolesResponse,
    SearchRoles, SearchRolesResponse,
};

use super::Call;
use super::reply::Dialect;
use crate::actions::{permissions, roles};
use crate::error::Result;

pub(crate) async fn list_roles(call: Call<ListRoles>) -> Result<ListRolesResponse> {
    let Call { state, caller, .. } = call;
    Ok(ListRolesResponse { roles: roles::list_roles(&state, &caller).await? })
}

pub(crate) async fn create_role(call: Call<CreateRole>) -> Result<CreateRoleResponse> {
    let Call { state, caller, body, .. } = call;
    Ok(CreateRoleResponse { role: roles::create_role(&state, &caller, body).await? })
}

pub(crate) async fn delete_role(call: Call<DeleteRole>) -> Result<DeleteRoleResponse> {
    let Call { state, caller, path, .. } = call;
    roles::delete_role(&state, &caller, &path.name).await?;
    Ok(DeleteRoleResponse {})
}

pub(crate) async fn search_roles(call: Call<SearchRoles>) -> Result<SearchRolesResponse> {
    let Call { state, caller, query, .. } = call;
    Ok(SearchRolesResponse { roles: roles::search_roles(&state, &caller, query).await? })
}

pub(crate) async fn list_permissions(call: Call<ListPermissions>) -> Result<ListPermissionsResponse> {
    let Call { state, caller, dialect, .. } = call;
    let permissions = permissions::list_permissions(&state, &caller).await?;
    let permissions = permissions.into_iter().map(|permission| shown(permission, dialect)).collect();
    Ok(ListPermissionsResponse { permissions })
}

pub(crate) async fn get_permission(call: Call<GetPermission>) -> Result<GetCustomPermissionResponse> {
    let Call { state, caller, dialect, path, .. } = call;
    let permission = permissions::get_permission(&state, &caller, &path.id).await?;
    Ok(GetCustomPermissionResponse { permission: shown(permission, dialect) })
}

/// A permission as a version of the API shows it: what a built-in one asks is a condition in version 1 alone.
fn shown(permission: Permission, dialect: Dialect) -> Permission {
    let condition = permission.condition.filter(|_| permission.custom || dialect == Dialect::V1);
    Permission { condition, ..permission }
}

pub(crate) async fn create_permission(call: Call<CreatePermission>) -> Result<PermissionWritten> {
    let Call { state, caller, body, .. } = call;
    permissions::create_permission(&state, &caller, body).await?;
    Ok(PermissionWritten {})
}

pub(crate) async fn update_permission(call: Call<UpdatePermission>) -> Result<PermissionWritten> {
    let Call { state, caller, path, body, .. } = call;
    permissions::update_permission(&state, &caller, &path.id, body).await?;
    Ok(PermissionWritten {})
}

pub(crate) async fn delete_permission(call: Call<DeletePermission>) -> Result<PermissionWritten> {
    let Call { state, caller, path, .. } = call;
    permissions::delete_permission(&state, &caller, &path.id).await?;
    Ok(PermissionWritten {})
}
