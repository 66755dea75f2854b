//! The roles of an app: the built-in ones and those that it made.

use std::collections::BTreeSet;

use natterjack_protocol::channel_types::Grants;
use natterjack_protocol::roles::{CreateRoleRequest, Role, SearchRolesQuery};
use natterjack_storage as storage;
use natterjack_storage::Tx;

use super::channel_types::check_one_of;
use super::{check_length, given, limit};
use crate::apps::CachedApp;
use crate::auth::Caller;
use crate::channel_types;
use crate::error::{Error, Result};
use crate::limits::{CUSTOM_ROLES_MAX, ROLE_LENGTH_MAX, ROLES_PAGE_DEFAULT, ROLES_PAGE_MAX};
use crate::permissions::{APP_SCOPE, CHANNEL_ROLES, USER_ROLES, grants};
use crate::state::State;

/// The roles whose permissions hold in all teams.
const GLOBAL_ROLES: [&str; 2] = ["global_admin", "global_moderator"];

/// Every role, by name.
pub(crate) async fn list_roles(state: &State, caller: &Caller) -> Result<Vec<Role>> {
    // Asked for seldom, and then to see what another process changed as well.
    state.reload_apps().await?;
    Ok(all(&state.current_app(&caller.app)))
}

fn all(of_app: &CachedApp) -> Vec<Role> {
    let created_at = of_app.app.created_at;
    let built_in = USER_ROLES.iter().chain(&CHANNEL_ROLES).map(|name| Role {
        name: (*name).to_owned(),
        custom: false,
        created_at,
        updated_at: created_at,
        ..Role::default()
    });
    let mut roles: Vec<Role> = built_in.chain(of_app.roles.iter().map(present)).collect();
    let app_grants = of_app.app.settings.grants.clone().flatten().unwrap_or_else(grants::app_defaults);
    for role in &mut roles {
        let of_types = of_app.types.iter().filter(|(_, kind)| {
            kind.of_type.grants.as_ref().is_some_and(|grants| grants.contains_key(&role.name))
        });
        role.scopes = app_grants
            .contains_key(&role.name)
            .then(|| APP_SCOPE.to_owned())
            .into_iter()
            .chain(of_types.map(|(name, _)| name.clone()))
            .collect();
    }
    roles.sort_by(|one, other| one.name.cmp(&other.name));
    roles
}

fn present(role: &storage::Role) -> Role {
    Role {
        name: role.name.clone(),
        custom: true,
        scopes: Vec::new(),
        created_at: role.created_at,
        updated_at: role.updated_at,
    }
}

/// Makes a role.
pub(crate) async fn create_role(state: &State, caller: &Caller, request: CreateRoleRequest) -> Result<Role> {
    let name = given(request.name.as_ref()).ok_or_else(|| Error::required("name"))?;
    check_length("name", name, ROLE_LENGTH_MAX)?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        return Err(Error::field("name", "may hold letters a-z and A-Z, digits, _ and -"));
    }
    let now = state.now();
    let role = storage::Role { name: name.to_owned(), created_at: now, updated_at: now };
    let shown = present(&role);
    state
        .store
        .write("create_role", (caller.app.pk, role), |tx, (app_pk, role)| {
            Box::pin(do_create(tx, *app_pk, role))
        })
        .await?;
    state.reload_apps().await?;
    Ok(shown)
}

async fn do_create(tx: &mut Tx, app_pk: i64, role: &storage::Role) -> Result<()> {
    tx.advance_app(app_pk, role.created_at).await?;
    let stored = tx.list_roles(app_pk).await?;
    let taken = USER_ROLES.into_iter().chain(CHANNEL_ROLES);
    if taken.chain(stored.iter().map(|stored| stored.name.as_str())).any(|name| name == role.name) {
        return Err(Error::field("name", format!("is taken: a role {} already exists", role.name)));
    }
    if stored.len() >= CUSTOM_ROLES_MAX {
        return Err(Error::input(format!("an app has at most {CUSTOM_ROLES_MAX} roles of its own")));
    }
    Ok(tx.insert_role(app_pk, role).await?)
}

/// Removes a role that nobody has and that has no permissions.
pub(crate) async fn delete_role(state: &State, caller: &Caller, name: &str) -> Result<()> {
    if USER_ROLES.contains(&name) || CHANNEL_ROLES.contains(&name) {
        return Err(Error::field("name", format!("names a built-in role, which cannot be deleted: {name}")));
    }
    let input = (caller.app.pk, name.to_owned(), state.now());
    state
        .store
        .write("delete_role", input, |tx, (app_pk, name, now)| {
            Box::pin(async move {
                tx.advance_app(*app_pk, *now).await?;
                do_delete(tx, *app_pk, name).await
            })
        })
        .await?;
    state.reload_apps().await
}

async fn do_delete(tx: &mut Tx, app_pk: i64, name: &str) -> Result<()> {
    if !tx.list_roles(app_pk).await?.iter().any(|role| role.name == name) {
        return Err(Error::not_found("role", name));
    }
    if let Some(scope) = find_granting_scope(tx, app_pk, name).await? {
        return Err(Error::field(
            "name",
            format!("names a role that has grants in scope {scope}; remove them before {name} is deleted"),
        ));
    }
    if let Some(user) = tx.find_user_with_role(app_pk, name).await? {
        return Err(Error::field("name", format!("names a role that user {user} has: {name}")));
    }
    if let Some(cid) = tx.find_channel_with_role(app_pk, name).await? {
        return Err(Error::field("name", format!("names a role that a member of channel {cid} has: {name}")));
    }
    Ok(tx.delete_role(app_pk, name).await?)
}

/// A scope in which a role has permissions.
async fn find_granting_scope(tx: &mut Tx, app_pk: i64, role: &str) -> Result<Option<String>> {
    let grants_role = |grants: &Grants| grants.get(role).is_some_and(|granted| !granted.is_empty());
    let app = tx.find_app(app_pk).await?;
    let of_app = app.and_then(|app| app.settings.grants.flatten());
    if of_app.as_ref().is_some_and(grants_role) {
        return Ok(Some(APP_SCOPE.to_owned()));
    }
    let stored = tx.list_channel_types(app_pk).await?;
    let granting = stored.into_iter().find(|kind| grants_role(&channel_types::grants_of(kind)));
    Ok(granting.map(|kind| kind.name))
}

/// Roles whose name begins with a text, by name.
pub(crate) async fn search_roles(
    state: &State,
    caller: &Caller,
    query: SearchRolesQuery,
) -> Result<Vec<Role>> {
    let text = given(query.query.as_ref()).ok_or_else(|| Error::required("query"))?.to_lowercase();
    check_length("query", &text, ROLE_LENGTH_MAX)?;
    let limit = limit("limit", query.limit, ROLES_PAGE_DEFAULT, ROLES_PAGE_MAX)?;
    check_one_of("role_type", query.role_type.as_deref(), &["user", "channel"])?;
    let excluded: BTreeSet<&str> = match query.role_type.as_deref() {
        Some("user") => CHANNEL_ROLES.into(),
        Some("channel") => USER_ROLES.into(),
        _ => BTreeSet::new(),
    };
    let after = given(query.name_gt.as_ref());
    let roles = list_roles(state, caller).await?.into_iter().filter(|role| {
        role.name.to_lowercase().starts_with(&text)
            && !excluded.contains(role.name.as_str())
            && (query.include_global_roles == Some(true) || !GLOBAL_ROLES.contains(&role.name.as_str()))
            && after.is_none_or(|after| role.name.as_str() > after)
    });
    Ok(roles.take(usize::try_from(limit).unwrap_or_default()).collect())
}
