use std::sync::Arc;

use natterjack_protocol::own_user::OwnUserResponse;
use natterjack_protocol::users::UserRequest;
use natterjack_protocol::{ErrorCode, JsonMap, UserId};
use natterjack_storage::User;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{accompany, change, check_custom, full_users};
use crate::auth::{Caller, Who};
use crate::error::{Error, Result};
use crate::state::{CachedUser, State};

/// Where the user object of a client that connects stands.
const PLACE: &str = "user_details";
/// Fields that belong to the server.
const RESERVED: [&str; 16] = [
    "created_at",
    "updated_at",
    "deleted_at",
    "deactivated_at",
    "last_active",
    "online",
    "banned",
    "shadow_banned",
    "ban_expires",
    "mutes",
    "channel_mutes",
    "blocked_user_ids",
    "total_unread_count",
    "unread_channels",
    "unread_count",
    "revoke_tokens_issued_before",
];

/// Creates the user who connects, or merges what the client says of him or her into what is stored: keys that are given
/// are set, others stay. Writes only when something changes.
///
/// # Errors
/// Code 5 when the teams differ from the stored ones, 4 for reserved fields, 22 when the data is too big.
pub(crate) async fn connect_user(
    state: &State,
    caller: &Caller,
    id: &UserId,
    details: JsonMap,
) -> Result<Arc<CachedUser>> {
    let stored = state.user(caller.app.pk, id.as_str()).await?;
    let request = check_details(id, details, stored.as_deref())?;
    let merged = change(&request, stored.as_ref().map(|user| &user.user), super::Missing::Stay);
    check_custom(PLACE, &merged.custom)?;
    accompany(state, caller, PLACE, &request).await
}

/// What a client may say of its user, custom data beside the built-in fields or under `custom`.
fn check_details(id: &UserId, mut details: JsonMap, stored: Option<&CachedUser>) -> Result<UserRequest> {
    if let Some(name) = RESERVED.iter().find(|name| details.contains_key(**name)) {
        return Err(Error::reserved(&format!("{PLACE}.{name}")));
    }
    match details.remove("id") {
        None | Some(Value::Null) => {}
        Some(Value::String(named)) if named == id.as_str() => {}
        Some(_) => {
            let text = format!("{PLACE}.id is not the user of the token");
            return Err(Error::caller(ErrorCode::Authentication, text));
        }
    }
    // Nobody raises the own role; a client that knows it repeats it.
    details.remove("role");
    let teams: Option<Vec<String>> = take(&mut details, "teams")?;
    let was = stored.map(|user| user.user.teams.as_slice()).unwrap_or_default();
    if teams.is_some_and(|teams| teams != was)
        || details.remove("teams_role").is_some_and(|role| !role.is_null())
    {
        return Err(Error::caller(ErrorCode::Authentication, "user teams can only be updated server-side"));
    }
    let request = UserRequest {
        id: id.as_str().to_owned(),
        name: take(&mut details, "name")?,
        image: take(&mut details, "image")?,
        language: take(&mut details, "language")?,
        invisible: take(&mut details, "invisible")?,
        privacy_settings: take(&mut details, "privacy_settings")?,
        ..UserRequest::default()
    };
    if let Some(Value::Object(nested)) = details.remove("custom") {
        details.extend(nested);
    }
    Ok(UserRequest { custom: (!details.is_empty()).then(|| details.into()), ..request })
}

fn take<T: DeserializeOwned>(details: &mut JsonMap, name: &str) -> Result<Option<T>> {
    let Some(value) = details.remove(name) else { return Ok(None) };
    serde_json::from_value(value)
        .map_err(|error| Error::field(&format!("{PLACE}.{name}"), format!("is not valid: {error}")))
}

/// A user as he or she sees himself or herself.
pub(crate) async fn own_user(state: &State, app_pk: i64, user: &User) -> Result<OwnUserResponse> {
    let app = state.app_with_pk(app_pk).ok_or_else(|| Error::not_found("app", &app_pk.to_string()))?;
    let caller = Caller { app, who: Who::Server };
    let mut full = full_users(state, &caller, vec![user]).await?;
    Ok(full.pop().unwrap_or_default().into())
}
