use std::sync::Arc;

use natterjack_protocol::own_user::OwnUserResponse;
use natterjack_protocol::users::UserRequest;
use natterjack_protocol::{ErrorCode, JsonMap, UserId, v1};
use natterjack_storage::{UnreadQuery, UnreadThreads, User};
use serde_json::Value;

use super::{accompany, change, check_custom, full_users};
use crate::auth::{Caller, Who};
use crate::error::{Error, Result};
use crate::limits::UNREAD_LISTED_MAX;
use crate::present;
use crate::state::{CachedUser, State};

/// Where the user object of a client that connects stands.
const PLACE: &str = "user_details";
/// What the server alone says of a user. Servers give it back; a client that connects means to set it.
const RESERVED: [&str; 5] = ["created_at", "deactivated_at", "deleted_at", "last_active", "updated_at"];

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

/// What a client may say of its user, custom data beside the built-in fields.
fn check_details(id: &UserId, mut details: JsonMap, stored: Option<&CachedUser>) -> Result<UserRequest> {
    let named = details.entry("id").or_insert_with(|| id.as_str().into());
    if named.as_str() != Some(id.as_str()) {
        let text = format!("{PLACE}.id is not the user of the token");
        return Err(Error::caller(ErrorCode::Authentication, text));
    }
    if let Some(name) = RESERVED.iter().find(|name| details.contains_key(**name)) {
        return Err(Error::reserved(&format!("{PLACE}.{name}")));
    }
    let request: UserRequest = v1::from_value(Value::Object(details)).map_err(|error| {
        let problem = error.to_string();
        match v1::Reader::reserved_field(&problem) {
            Some(name) => Error::reserved(&format!("{PLACE}.{name}")),
            None => Error::field(PLACE, format!("is not valid: {problem}")),
        }
    })?;
    let was = stored.map(|user| user.user.teams.as_slice()).unwrap_or_default();
    if request.teams.as_ref().is_some_and(|teams| teams != was) || request.teams_role.is_some() {
        return Err(Error::caller(ErrorCode::Authentication, "user teams can only be updated server-side"));
    }
    // Nobody raises the own role; a client that knows it repeats it.
    Ok(UserRequest { role: None, teams: None, ..request })
}

/// A user as he or she sees himself or herself.
pub(crate) async fn own_user(state: &State, app_pk: i64, user: &User) -> Result<OwnUserResponse> {
    let app = state.app_with_pk(app_pk).ok_or_else(|| Error::not_found("app", &app_pk.to_string()))?;
    let caller = Caller { app, who: Who::Server, address: None };
    let full = full_users(state, &caller, vec![user]).await?.pop().unwrap_or_default();
    let mut own = OwnUserResponse::from(full);
    // Who is banned without being told does not learn it from this.
    own.shadow_banned = false;
    let muters = own.mutes.iter_mut().map(|mute| &mut mute.user);
    for muter in muters.chain(own.channel_mutes.iter_mut().map(|mute| &mut mute.user)) {
        *muter = muter.take().map(present::unaware);
    }
    for channel in own.channel_mutes.iter_mut().filter_map(|mute| mute.channel.as_mut()) {
        let channel = Arc::make_mut(channel);
        channel.created_by = channel.created_by.take().map(present::unaware);
        channel.truncated_by = channel.truncated_by.take().map(present::unaware);
    }
    if own.unread_threads > 0 {
        let query = UnreadQuery {
            app_pk,
            user_ids: vec![user.id.clone()],
            without_kinds: state.kinds_without_read_events_of(app_pk),
            limit: UNREAD_LISTED_MAX,
        };
        let unread =
            state.store.read("unread_threads", query, |tx, query| Box::pin(tx.list_unread_threads(query)));
        own.unread_thread_messages = unread.await?.iter().map(UnreadThreads::messages).sum();
    }
    Ok(own)
}
