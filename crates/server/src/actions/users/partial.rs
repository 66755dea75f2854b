use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use natterjack_protocol::users::{
    PrivacySettingsResponse, UpdateUserPartialRequest, UpdateUsersPartialRequest, UpdateUsersResponse,
    UserRequest,
};
use natterjack_protocol::{JsonMap, Timestamp, UserId};
use natterjack_storage::{Tx, User, UserChange};
use serde_json::Value;

use super::teams::{LeavePlan, LeaveTeams};
use super::{
    Grounds, ROLE_DEFAULT, UniqueNames, change_of, check_may_update, check_name, check_request, concerned,
    do_log, lock_names, updated, was_deleted,
};
use crate::actions::check_count;
use crate::actions::partial::{PartialUpdate, set_at, unset_at};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{BATCH_MAX, TEAMS_MAX};
use crate::state::{Freshness, State};

/// Fields that belong to the server, and built-in ones that have nothing inside.
const RESERVED: [&str; 25] = [
    "id",
    "name",
    "image",
    "role",
    "language",
    "teams",
    "invisible",
    "revoke_tokens_issued_before",
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
    "unread_threads",
    "unread_thread_messages",
];

/// Changes of one user. `None` leaves a field as it is, `Some(None)` takes its value away.
struct Patch {
    id: String,
    /// The values that are set.
    set: UserRequest,
    /// The names of the built-in fields that are taken away.
    cleared: Vec<&'static str>,
    teams_role: Vec<(String, Option<Value>)>,
    privacy: Vec<(String, Option<Value>)>,
    revoke_tokens: Option<Option<Timestamp>>,
    custom: PartialUpdate,
}

/// Changes that may be made.
struct PatchPlan {
    app_pk: i64,
    unique_names: UniqueNames,
    leaving: LeavePlan,
    patches: Arc<Vec<Patch>>,
    grounds: Grounds,
    now: Timestamp,
}

/// Changes fields of users, all of them or none.
pub(crate) async fn update_users_partial(
    state: &State,
    caller: &Caller,
    request: UpdateUsersPartialRequest,
) -> Result<UpdateUsersResponse> {
    if request.users.is_empty() {
        return Err(Error::required("users"));
    }
    check_count("users", request.users.len(), BATCH_MAX)?;
    let patches = request.users.iter().enumerate();
    let patches = patches.map(|(place, patch)| check_patch(&format!("users[{place}]"), patch));
    let patches: Arc<Vec<Patch>> = Arc::new(patches.collect::<Result<_>>()?);
    let ids = concerned(caller, patches.iter().map(|patch| patch.id.as_str()));
    let mut fresh = Freshness::new(caller.app.pk, None, &ids);
    let (users, task_id) = loop {
        let mut grounds = Grounds::default();
        for patch in patches.iter() {
            check_may_patch(state, caller, patch, &mut grounds).await?;
        }
        let plan = PatchPlan {
            app_pk: caller.app.pk,
            unique_names: UniqueNames::of(state, caller),
            leaving: LeavePlan::of(state, caller),
            patches: Arc::clone(&patches),
            grounds,
            now: state.now(),
        };
        let outcome = state
            .store
            .write("update_users_partial", plan, |tx, plan| Box::pin(do_patch_all(tx, plan)))
            .await;
        if let Some(updated) = fresh.settle(state, outcome)? {
            break updated;
        }
    };
    users.iter().for_each(|user| state.forget_user(caller.app.pk, &user.id));
    if task_id.is_some() {
        state.tasks.notify_one();
    }
    updated(state, caller, users.iter().collect(), task_id).await
}

/// Refuses a change of a user that the caller may not make.
async fn check_may_patch(state: &State, caller: &Caller, patch: &Patch, grounds: &mut Grounds) -> Result<()> {
    if patch.revoke_tokens.is_some() && !caller.is_server() {
        return Err(Error::denied("revoke_tokens_issued_before can only be set with server-side auth"));
    }
    let clears = |name: &str| patch.cleared.contains(&name);
    let wanted = UserRequest {
        role: if clears("role") { Some(ROLE_DEFAULT.to_owned()) } else { patch.set.role.clone() },
        teams: if clears("teams") { Some(Vec::new()) } else { patch.set.teams.clone() },
        // Anything inside of it is a change.
        teams_role: match !patch.teams_role.is_empty() || clears("teams_role") {
            true => Some(BTreeMap::from([(String::new(), String::new())])),
            false => patch.set.teams_role.clone(),
        },
        id: patch.id.clone(),
        ..UserRequest::default()
    };
    check_may_update(state, caller, &wanted, grounds).await
}

fn check_patch(at: &str, request: &UpdateUserPartialRequest) -> Result<Patch> {
    UserId::parse(&request.id).map_err(|error| Error::id(&format!("{at}.id"), &error))?;
    let mut update = PartialUpdate::check(&request.set, &request.unset)?;
    let mut cleared = Vec::new();
    let set = UserRequest {
        id: request.id.clone(),
        name: take(&mut update, "name", &mut cleared)?,
        image: take(&mut update, "image", &mut cleared)?,
        role: take(&mut update, "role", &mut cleared)?,
        language: take(&mut update, "language", &mut cleared)?,
        invisible: take(&mut update, "invisible", &mut cleared)?,
        teams: take(&mut update, "teams", &mut cleared)?,
        teams_role: take(&mut update, "teams_role", &mut cleared)?,
        custom: None,
        privacy_settings: None,
    };
    check_request(&format!("{at}.set"), &set)?;
    let mut privacy = Vec::new();
    if let Some(settings) = take::<JsonMap>(&mut update, "privacy_settings", &mut cleared)? {
        // Merged key by key.
        privacy.extend(settings.into_iter().map(|(key, value)| (key, Some(value))));
    }
    privacy.extend(update.take_inside("privacy_settings"));
    let teams_role = update.take_inside("teams_role");
    let revoke_tokens = update.take("revoke_tokens_issued_before")?;
    update.refuse(&RESERVED, |name| Error::reserved(&format!("{at}.set.{name}")))?;
    Ok(Patch { id: request.id.clone(), set, cleared, teams_role, privacy, revoke_tokens, custom: update })
}

/// Takes the value of a built-in field, or notes that it is taken away.
fn take<T: serde::de::DeserializeOwned>(
    update: &mut PartialUpdate,
    name: &'static str,
    cleared: &mut Vec<&'static str>,
) -> Result<Option<T>> {
    let taken = update.take(name)?;
    if matches!(taken, Some(None)) {
        cleared.push(name);
    }
    Ok(taken.flatten())
}

async fn do_patch_all(tx: &mut Tx, plan: &PatchPlan) -> Result<(Vec<User>, Option<String>)> {
    let mut ids: Vec<String> = plan.patches.iter().map(|patch| patch.id.clone()).collect();
    ids.sort();
    ids.dedup();
    let locked = plan.grounds.do_lock(tx, plan.app_pk, ids.clone()).await?;
    let mut users: HashMap<String, User> = locked.into_iter().map(|user| (user.id.clone(), user)).collect();
    let unknown: Vec<&str> = ids.iter().filter(|id| !users.contains_key(*id)).map(String::as_str).collect();
    if !unknown.is_empty() {
        return Err(Error::field("users", format!("names users who don't exist: [{}]", unknown.join(" "))));
    }
    // What is wrong with a patch is said below, where those before it have been applied.
    let changes: Vec<_> = plan
        .patches
        .iter()
        .filter_map(|patch| {
            users.get(&patch.id).and_then(|user| Some((patched(user, patch).ok()?, Some(user))))
        })
        .collect();
    lock_names(tx, plan.unique_names, plan.app_pk, &changes).await?;
    let mut left = LeaveTeams::default();
    for patch in plan.patches.iter() {
        let Some(user) = users.get(&patch.id) else { continue };
        if user.deleted_at.is_some() {
            return Err(was_deleted(&patch.id));
        }
        let change = patched(user, patch)?;
        check_name(tx, plan.unique_names, plan.app_pk, &change, Some(user)).await?;
        plan.leaving.do_note(tx, &mut left, user, &change.teams).await?;
        if let Some(before) = patch.revoke_tokens {
            tx.revoke_user_tokens(plan.app_pk, &patch.id, before).await?;
        }
        let user = tx.upsert_user(plan.app_pk, &change, plan.now).await?;
        do_log(tx, plan.app_pk, &patch.id, "user.updated", None, plan.now).await?;
        users.insert(patch.id.clone(), user);
    }
    let task_id = plan.leaving.do_enqueue(tx, plan.app_pk, left, plan.now).await?;
    Ok((users.into_values().collect(), task_id))
}

/// The state that a patch gives to a user.
fn patched(user: &User, patch: &Patch) -> Result<UserChange> {
    let mut change = change_of(user);
    for name in &patch.cleared {
        match *name {
            "name" => change.name = None,
            "image" => change.image = None,
            "role" => ROLE_DEFAULT.clone_into(&mut change.role),
            "language" => change.language.clear(),
            "invisible" => change.invisible = false,
            "teams" => change.teams.clear(),
            "teams_role" => change.teams_role.clear(),
            _ => change.privacy_settings = None,
        }
    }
    let set = &patch.set;
    change.name = set.name.clone().or(change.name);
    change.image = set.image.clone().or(change.image);
    change.role = set.role.clone().filter(|role| !role.is_empty()).unwrap_or(change.role);
    change.language = set.language.clone().unwrap_or(change.language);
    change.invisible = set.invisible.unwrap_or(change.invisible);
    change.teams = set.teams.clone().unwrap_or(change.teams);
    change.teams_role = set.teams_role.clone().unwrap_or(change.teams_role);
    change.teams_role = merged("teams_role", &change.teams_role, &patch.teams_role)?;
    check_count("set.teams_role", change.teams_role.len(), TEAMS_MAX)?;
    let privacy = change.privacy_settings.unwrap_or_default();
    let privacy: PrivacySettingsResponse = merged("privacy_settings", &privacy, &patch.privacy)?;
    change.privacy_settings = (privacy != PrivacySettingsResponse::default()).then_some(privacy);
    change.custom = patch.custom.clone().apply("custom", &change.custom)?;
    // What came in by a path is checked with the rest.
    let result = UserRequest {
        id: user.id.clone(),
        teams_role: Some(change.teams_role.clone()),
        ..UserRequest::default()
    };
    check_request("set", &result)?;
    Ok(change)
}

/// A built-in object with changes at paths inside it; a value of `null` takes what is there away.
fn merged<T>(name: &str, stored: &T, changes: &[(String, Option<Value>)]) -> Result<T>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let invalid =
        |error: serde_json::Error| Error::field(&format!("set.{name}"), format!("is not valid: {error}"));
    let mut map: JsonMap =
        serde_json::from_value(serde_json::to_value(stored).map_err(invalid)?).map_err(invalid)?;
    for (path, value) in changes {
        match value {
            None | Some(Value::Null) => unset_at(&mut map, path),
            Some(value) => set_at(&mut map, path, value.clone())?,
        }
    }
    serde_json::from_value(Value::Object(map)).map_err(invalid)
}
