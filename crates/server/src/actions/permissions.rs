//! The permissions of an app: the built-in ones and those that it made.

use natterjack_protocol::channel_types::Grants;
use natterjack_protocol::permissions::{Permission, PermissionRequest};
use natterjack_protocol::{JsonMap, Timestamp};
use natterjack_storage::{CustomPermissionRow, Tx};
use serde_json::json;

use super::{check_count, check_length, check_size, given};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{
    CUSTOM_PERMISSIONS_MAX, CUSTOM_SIZE_MAX, DESCRIPTION_LENGTH_MAX, GRANTED_ROLES_MAX, GRANTS_OF_ROLE_MAX,
    NAME_LENGTH_MAX, PERMISSION_LENGTH_MAX, ROLE_LENGTH_MAX,
};
use crate::permissions::{self as rules, Action, CHANNEL_ROLES, USER_ROLES, condition};
use crate::state::State;

/// What a permission of the app's own is about.
const CUSTOM_TAG: &str = "custom";

/// Every permission, by id.
pub(crate) async fn list_permissions(state: &State, caller: &Caller) -> Result<Vec<Permission>> {
    let own = list_own(state, caller).await?;
    let built_in = rules::Permission::all().into_iter().map(built_in);
    let mut all: Vec<Permission> = built_in.chain(own.into_iter().map(custom)).collect();
    all.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(all)
}

/// One permission.
pub(crate) async fn get_permission(state: &State, caller: &Caller, id: &str) -> Result<Permission> {
    if let Some(permission) = rules::Permission::parse(id) {
        return Ok(built_in(permission));
    }
    let own = list_own(state, caller).await?;
    own.into_iter().find(|row| row.id == id).map(custom).ok_or_else(|| not_found(id))
}

async fn list_own(state: &State, caller: &Caller) -> Result<Vec<CustomPermissionRow>> {
    let listed = state.store.read("list_custom_permissions", caller.app.pk, |tx, app_pk| {
        Box::pin(tx.list_custom_permissions(*app_pk))
    });
    Ok(listed.await?)
}

fn not_found(id: &str) -> Error {
    Error::not_found("permission", id)
}

fn built_in(permission: rules::Permission) -> Permission {
    let rules::Permission { action, owner, same_team } = permission;
    let whose = if owner { ", for the owner" } else { "" };
    let team = if same_team { "" } else { ", in all teams" };
    let description = format!("{}{whose}{team}", action.description());
    Permission {
        id: permission.id(),
        name: description.clone(),
        description,
        custom: false,
        condition: built_in_condition(action, owner, same_team),
        ..shape(action, owner, same_team)
    }
}

/// What a built-in permission asks of who acts and of what is acted upon, in the words of a condition.
fn built_in_condition(action: Action, owner: bool, same_team: bool) -> Option<JsonMap> {
    let owned_as = match action.resource() {
        "channel" => "$resource.created_by_id",
        "user" => "$resource.id",
        _ => "$resource.user_id",
    };
    let owner = owner.then(|| (owned_as.to_owned(), json!("$subject.id")));
    let team = same_team.then(|| ("$resource.team".to_owned(), json!({ "$in": "$subject.teams" })));
    let condition: JsonMap = owner.into_iter().chain(team).collect();
    Some(condition).filter(|condition| !condition.is_empty())
}

fn shape(action: Action, owner: bool, same_team: bool) -> Permission {
    Permission {
        action: action.name().to_owned(),
        owner,
        owner_resource: action.resource().to_owned(),
        same_team,
        level: action.level().as_str().to_owned(),
        tags: vec![action.resource().to_owned()],
        ..Permission::default()
    }
}

fn custom(row: CustomPermissionRow) -> Permission {
    let shape = Action::named(&row.action).map(|action| shape(action, row.owner, row.same_team));
    let mut permission = shape.unwrap_or_default();
    permission.tags.push(CUSTOM_TAG.to_owned());
    Permission {
        id: row.id,
        name: row.name,
        description: row.description,
        custom: true,
        condition: row.condition,
        ..permission
    }
}

/// Makes a permission.
pub(crate) async fn create_permission(
    state: &State,
    caller: &Caller,
    request: PermissionRequest,
) -> Result<()> {
    let id = given(request.id.as_ref()).ok_or_else(|| Error::required("id"))?.to_owned();
    if !is_name(&id) {
        return Err(Error::field(
            "id",
            format!("must be 1 to {PERMISSION_LENGTH_MAX} letters a-z and A-Z, digits, _ and -"),
        ));
    }
    if rules::Permission::parse(&id).is_some() {
        return Err(taken(&id));
    }
    let row = check(id, request, state.now())?;
    state
        .store
        .write("create_permission", (caller.app.pk, row), |tx, (app_pk, row)| {
            Box::pin(async move {
                let stored = do_advance(tx, *app_pk, row.created_at).await?;
                if stored.iter().any(|stored| stored.id == row.id) {
                    return Err(taken(&row.id));
                }
                if stored.len() >= CUSTOM_PERMISSIONS_MAX {
                    return Err(Error::input(format!(
                        "an app has at most {CUSTOM_PERMISSIONS_MAX} permissions of its own"
                    )));
                }
                Ok(tx.put_custom_permission(*app_pk, row).await?)
            })
        })
        .await?;
    state.reload_apps().await
}

fn taken(id: &str) -> Error {
    Error::field("id", format!("is taken: a permission {id} already exists"))
}

/// Replaces a permission that the app made.
pub(crate) async fn update_permission(
    state: &State,
    caller: &Caller,
    id: &str,
    request: PermissionRequest,
) -> Result<()> {
    check_own(id)?;
    if given(request.id.as_ref()).is_some_and(|given| given != id) {
        return Err(Error::field("id", "cannot be changed"));
    }
    let row = check(id.to_owned(), request, state.now())?;
    state
        .store
        .write("update_permission", (caller.app.pk, row), |tx, (app_pk, row)| {
            Box::pin(async move {
                let stored = do_advance(tx, *app_pk, row.updated_at).await?;
                if !stored.iter().any(|stored| stored.id == row.id) {
                    return Err(not_found(&row.id));
                }
                Ok(tx.put_custom_permission(*app_pk, row).await?)
            })
        })
        .await?;
    state.reload_apps().await
}

/// Removes a permission that the app made.
pub(crate) async fn delete_permission(state: &State, caller: &Caller, id: &str) -> Result<()> {
    check_own(id)?;
    let input = (caller.app.pk, id.to_owned(), state.now());
    state
        .store
        .write("delete_permission", input, |tx, (app_pk, id, now)| {
            Box::pin(async move {
                let stored = do_advance(tx, *app_pk, *now).await?;
                if !stored.iter().any(|stored| stored.id == *id) {
                    return Err(not_found(id));
                }
                Ok(tx.delete_custom_permission(*app_pk, id).await?)
            })
        })
        .await?;
    state.reload_apps().await
}

/// Moves the app's version; answers the permissions that it has made so far.
async fn do_advance(tx: &mut Tx, app_pk: i64, now: Timestamp) -> Result<Vec<CustomPermissionRow>> {
    tx.advance_app(app_pk, now).await?;
    Ok(tx.list_custom_permissions(app_pk).await?)
}

fn check_own(id: &str) -> Result<()> {
    match rules::Permission::parse(id) {
        Some(_) => {
            Err(Error::field("id", format!("names a built-in permission, which cannot be changed: {id}")))
        }
        None => Ok(()),
    }
}

fn check(id: String, request: PermissionRequest, now: Timestamp) -> Result<CustomPermissionRow> {
    let action = given(request.action.as_ref()).ok_or_else(|| Error::required("action"))?;
    if Action::named(action).is_none() {
        return Err(Error::field("action", format!("names no action: {action:?}")));
    }
    let name = given(request.name.as_ref()).unwrap_or(&id).to_owned();
    check_length("name", &name, NAME_LENGTH_MAX)?;
    let description = request.description.unwrap_or_default();
    check_length("description", &description, DESCRIPTION_LENGTH_MAX)?;
    let condition = request.condition.filter(|condition| !condition.is_empty());
    if let Some(condition) = &condition {
        check_size("condition", condition, CUSTOM_SIZE_MAX)?;
        condition::check(condition)?;
    }
    Ok(CustomPermissionRow {
        id,
        name,
        description,
        action: action.to_owned(),
        owner: request.owner == Some(true),
        same_team: request.same_team != Some(false),
        condition,
        created_at: now,
        updated_at: now,
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= PERMISSION_LENGTH_MAX
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// Refuses grants to roles, or of permissions, that are not there. `revocable`: a permission may begin with `!`.
pub(crate) fn check_grants(
    state: &State,
    caller: &Caller,
    field: &str,
    grants: &Grants,
    revocable: bool,
) -> Result<()> {
    let of_app = state.current_app(&caller.app);
    check_count(field, grants.len(), GRANTED_ROLES_MAX)?;
    for (role, permissions) in grants {
        check_length(field, role, ROLE_LENGTH_MAX)?;
        let mut roles = USER_ROLES.into_iter().chain(CHANNEL_ROLES);
        // Taking everything from a role that is gone is always possible.
        let is_known = roles.any(|known| known == role)
            || of_app.roles.iter().any(|known| known.name == *role)
            || (permissions.is_empty() && !role.is_empty());
        if !is_known {
            return Err(Error::field(field, format!("names a role that doesn't exist: {role:?}")));
        }
        let of_role = format!("{field}.{role}");
        check_count(&of_role, permissions.len(), GRANTS_OF_ROLE_MAX)?;
        for permission in permissions {
            let id = if revocable { permission.strip_prefix('!').unwrap_or(permission) } else { permission };
            if rules::Permission::parse(id).is_none() && !of_app.custom_permissions.contains_key(id) {
                return Err(Error::field(&of_role, format!("names no permission: {permission:?}")));
            }
        }
    }
    Ok(())
}
