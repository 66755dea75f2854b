//! Users: writing, deactivating, deleting and finding them.

mod activation;
mod address;
mod connect;
mod deactivate;
mod delete;
mod guest;
mod partial;
mod reach;
mod reactivate;
mod teams;

pub(crate) use address::note_address;
pub(crate) use connect::{connect_user, own_user};
pub(crate) use deactivate::of_one_channel;
pub(crate) use deactivate::{DeactivateUsers, deactivate_user, deactivate_users};
pub(crate) use delete::{DeleteUsers, check_deletion, delete_users, restore_users};
pub(crate) use guest::create_guest;
pub(crate) use partial::update_users_partial;
pub(crate) use reach::within_teams;
use reach::{check_may_update, limit_to_reach};
pub(crate) use reactivate::{ReactivateUsers, reactivate_user, reactivate_users};
use teams::LeavePlan;
pub(crate) use teams::LeaveTeams;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use natterjack_filter::{Expression, Operand, Operator, limits::SORT_FIELDS_MAX, parse, parse_sort};
use natterjack_protocol::users::{
    ChannelMute, FullUserResponse, PrivacySettingsResponse, QueryUsersPayload, UpdateUsersRequest,
    UpdateUsersResponse, UserMuteResponse, UserRequest,
};
use natterjack_protocol::{ErrorCode, Timestamp, UserId};
use natterjack_storage::queries::USERS;
use natterjack_storage::{Tx, User, UserChange, UserEvent, UserQuery, name_key};

use super::mutes::{load_mutes, present_mutes};
use super::reads::load_unread;
use super::user_mutes::present_user_mutes;
use super::watching::Watch;
use super::{check_count, check_custom, check_length, comparison, given, limit, offset};
use crate::auth::{Caller, Who};
use crate::error::{Error, Result};
use crate::limits::{
    BATCH_MAX, BLOCKS_SHOWN_MAX, NAME_LENGTH_MAX, OFFSET_MAX, ROLE_LENGTH_MAX, TEAM_SIZE_MAX, TEAMS_MAX,
    URL_LENGTH_MAX, USER_MUTES_SHOWN_MAX, USERS_PAGE_DEFAULT, USERS_PAGE_MAX,
};
use crate::permissions::{CHANNEL_ROLES, Subject};
use crate::present::{self, Users};
use crate::state::{CachedUser, State, access};

/// Role of a guest.
const ROLE_GUEST: &str = "guest";
/// Role of a user for whom none was given.
const ROLE_DEFAULT: &str = "user";
/// A language code.
const LANGUAGE_LENGTH_MAX: usize = 16;

/// What an upsert does with the keys that are not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// Name, image and custom data vanish: the call describes the whole user.
    Vanish,
    /// They stay: the user object only accompanies another call.
    Stay,
}

/// Where two users may not have the same name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum UniqueNames {
    #[default]
    Nowhere,
    InApp,
    InTeam,
}

impl UniqueNames {
    /// As the app is set.
    pub(crate) fn of(state: &State, caller: &Caller) -> Self {
        match state.current_app(&caller.app).app.settings.enforce_unique_usernames.as_deref() {
            Some("app") => Self::InApp,
            Some("team") => Self::InTeam,
            _ => Self::Nowhere,
        }
    }
}

/// Users to be created or updated, checked.
struct Upsert {
    app_pk: i64,
    unique_names: UniqueNames,
    leaving: LeavePlan,
    requests: Vec<UserRequest>,
    missing: Missing,
    now: Timestamp,
}

/// Creates or replaces users.
pub(crate) async fn update_users(
    state: &State,
    caller: &Caller,
    request: UpdateUsersRequest,
) -> Result<UpdateUsersResponse> {
    if request.users.is_empty() {
        return Err(Error::required("users"));
    }
    check_count("users", request.users.len(), BATCH_MAX)?;
    for (key, user) in &request.users {
        check_request(&format!("users.{key}"), user)?;
        if *key != user.id {
            return Err(Error::field(&format!("users.{key}.id"), "must be equal to the key"));
        }
    }
    let requests: Vec<UserRequest> = request.users.into_values().collect();
    for request in &requests {
        check_may_update(state, caller, request).await?;
    }
    let (users, task_id) = upsert(state, caller, requests, Missing::Vanish).await?;
    let users = users.iter().map(|cached| &cached.user).collect();
    updated(state, caller, users, task_id).await
}

/// The answer to a call that changed users, and with it began a task, if any.
async fn updated(
    state: &State,
    caller: &Caller,
    users: Vec<&User>,
    task_id: Option<String>,
) -> Result<UpdateUsersResponse> {
    let users = full_users(state, caller, users).await?.into_iter().map(|user| (user.id.clone(), user));
    Ok(UpdateUsersResponse {
        users: users.collect(),
        membership_deletion_task_id: task_id.unwrap_or_default(),
    })
}

/// Finds the user who acts: the caller, or the one on whose behalf a server acts. `what` is the place in the request:
/// `user`, `message.user`, …
///
/// For a server, a `user` object creates the user or sets the keys that it holds, and a bare id must exist. A client acts
/// for nobody else: naming another user is refused.
pub(crate) async fn acting_user(
    state: &State,
    caller: &Caller,
    what: &str,
    user_id: Option<&String>,
    user: Option<&UserRequest>,
) -> Result<Arc<CachedUser>> {
    let user = match (&caller.who, given(user_id), user) {
        (Who::User(id), named_id, named) => {
            let mut named = named_id.into_iter().chain(named.map(|user| user.id.as_str()));
            if let Some(other) = named.find(|named| *named != id.as_str() && !named.is_empty()) {
                return Err(Error::caller(
                    ErrorCode::Authentication,
                    format!("{what} is {other:?}, who is not the user of the token"),
                ));
            }
            known(what, id.as_str(), state.user(caller.app.pk, id.as_str()).await?)?
        }
        (Who::Anonymous, ..) => {
            return Err(anonymous());
        }
        (Who::Server, None, None) => {
            return Err(Error::input(format!(
                "either {what} or {what}_id must be provided when using server side auth."
            )));
        }
        (Who::Server, Some(_), Some(_)) => {
            return Err(Error::input(format!("cannot set both {what} and {what}_id.")));
        }
        (Who::Server, None, Some(user)) => accompany(state, caller, what, user).await?,
        (Who::Server, Some(id), None) => existing(state, caller, &format!("{what}_id"), id).await?,
    };
    check_active(&user)?;
    Ok(user)
}

/// As [`acting_user`], for who sends a message to a channel: one whom a server names by a bare id comes to be by sending.
pub(crate) async fn sender(
    state: &State,
    caller: &Caller,
    cid: &str,
    user_id: Option<&String>,
    user: Option<&UserRequest>,
) -> Result<Arc<CachedUser>> {
    const WHAT: &str = "message.user";
    if let (Who::Server, Some(id), None) = (&caller.who, given(user_id), user) {
        let id = UserId::parse(id).map_err(|error| Error::id("message.user_id", &error))?;
        let Some(user) = state.user(caller.app.pk, id.as_str()).await? else {
            // Nobody comes to be by sending to nowhere.
            access::channel(state, caller, cid, access::ANY).await?;
            let new = UserRequest { id: id.as_str().to_owned(), ..UserRequest::default() };
            return accompany(state, caller, WHAT, &new).await;
        };
        let user = known("message.user_id", id.as_str(), Some(user))?;
        check_active(&user)?;
        return Ok(user);
    }
    acting_user(state, caller, WHAT, user_id, user).await
}

/// Nothing is done in the name of somebody without a token.
pub(crate) fn anonymous() -> Error {
    Error::denied("anonymous users are not allowed to perform this operation")
}

/// Refuses to act for a user who was deactivated or deleted.
pub(crate) fn check_active(user: &CachedUser) -> Result<()> {
    let id = &user.user.id;
    if user.user.deleted_at.is_some() {
        return Err(Error::denied(format!("user {id:?} was deleted")));
    }
    if user.user.deactivated_at.is_some() {
        return Err(Error::denied(format!("user {id:?} was deactivated")));
    }
    Ok(())
}

/// As [`acting_user`], where a server may name nobody, and anonymous callers are nobody.
pub(crate) async fn optional_user(
    state: &State,
    caller: &Caller,
    what: &str,
    user_id: Option<&String>,
    user: Option<&UserRequest>,
) -> Result<Option<Arc<CachedUser>>> {
    let names_nobody = given(user_id).is_none() && user.is_none();
    if caller.who == Who::Anonymous || (caller.is_server() && names_nobody) {
        return Ok(None);
    }
    acting_user(state, caller, what, user_id, user).await.map(Some)
}

/// The user that an id names.
pub(crate) async fn existing(
    state: &State,
    caller: &Caller,
    field: &str,
    id: &str,
) -> Result<Arc<CachedUser>> {
    let id = UserId::parse(id).map_err(|error| Error::id(field, &error))?;
    let found = state.user(caller.app.pk, id.as_str()).await?;
    let client = access::subject(state, caller).await?;
    let found = found.filter(|user| access::may_meet(state, caller, client.as_ref(), user));
    known(field, id.as_str(), found)
}

/// Refuses a user who was not found, or was deleted.
fn known(field: &str, id: &str, found: Option<Arc<CachedUser>>) -> Result<Arc<CachedUser>> {
    let user = found.ok_or_else(|| {
        Error::field(field, format!("names a user who doesn't exist: {id}. Please create the user first."))
    })?;
    if user.user.deleted_at.is_some() {
        return Err(Error::field(field, format!("names a user who was deleted: {id}")));
    }
    Ok(user)
}

/// The users with these ids as the caller sees them.
pub(crate) async fn shown<'a>(
    state: &State,
    caller: &Caller,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<Users> {
    let found = state.users(caller.app.pk, ids).await?;
    let users: Users = found.into_values().map(|user| Arc::clone(&user.response)).collect();
    Ok(users.seen_by(caller.user_id().map(UserId::as_str)))
}

/// The users that ids name; all of them must exist.
pub(crate) async fn all_existing(
    state: &State,
    caller: &Caller,
    field: &str,
    ids: &[String],
) -> Result<HashMap<String, Arc<CachedUser>>> {
    for id in ids {
        UserId::parse(id).map_err(|error| Error::id(field, &error))?;
    }
    let found = state.users(caller.app.pk, ids.iter().map(String::as_str)).await?;
    let client = access::subject(state, caller).await?;
    let unknown: Vec<&str> = ids
        .iter()
        .map(String::as_str)
        .filter(|id| found.get(*id).is_none_or(|user| !is_there(state, caller, client.as_ref(), user)))
        .collect();
    if unknown.is_empty() {
        return Ok(found);
    }
    Err(Error::field(field, format!("names users who don't exist: [{}]", unknown.join(" "))))
}

/// Whether a user exists, as far as the caller is concerned.
pub(crate) fn is_there(state: &State, caller: &Caller, client: Option<&Subject>, user: &CachedUser) -> bool {
    user.user.deleted_at.is_none() && access::may_meet(state, caller, client, user)
}

/// Creates or updates the user of a `user` object inside another call. Writes only when something changes.
async fn accompany(
    state: &State,
    caller: &Caller,
    what: &str,
    request: &UserRequest,
) -> Result<Arc<CachedUser>> {
    if let Some(user) = unchanged(state, caller, what, request).await? {
        return Ok(user);
    }
    let (mut users, _) = upsert(state, caller, vec![request.clone()], Missing::Stay).await?;
    Ok(users.pop().expect("an upsert answers each user"))
}

/// As for one `user` object, for those in the list of a server's call.
pub(crate) async fn accompany_all(
    state: &State,
    caller: &Caller,
    what: &str,
    requests: impl Iterator<Item = &UserRequest>,
) -> Result<()> {
    let mut changed: Vec<UserRequest> = Vec::new();
    for request in requests {
        let is_new = changed.iter().all(|other| other.id != request.id);
        if is_new && unchanged(state, caller, what, request).await?.is_none() {
            changed.push(request.clone());
        }
    }
    if !changed.is_empty() {
        upsert(state, caller, changed, Missing::Stay).await?;
    }
    Ok(())
}

/// Checks a `user` object. Answers the user when nothing about him or her changes.
async fn unchanged(
    state: &State,
    caller: &Caller,
    what: &str,
    request: &UserRequest,
) -> Result<Option<Arc<CachedUser>>> {
    check_request(what, request)?;
    let Some(cached) = state.user(caller.app.pk, &request.id).await? else { return Ok(None) };
    if cached.user.deleted_at.is_some() {
        return Err(Error::field(&format!("{what}.id"), "names a user who was deleted"));
    }
    let is_same = change(request, Some(&cached.user), Missing::Stay) == change_of(&cached.user);
    Ok(is_same.then_some(cached))
}

async fn upsert(
    state: &State,
    caller: &Caller,
    requests: Vec<UserRequest>,
    missing: Missing,
) -> Result<(Vec<Arc<CachedUser>>, Option<String>)> {
    let plan = Upsert {
        app_pk: caller.app.pk,
        unique_names: UniqueNames::of(state, caller),
        leaving: LeavePlan::of(state, caller),
        requests,
        missing,
        now: state.now(),
    };
    let (users, task_id) =
        state.store.write("update_users", plan, |tx, plan| Box::pin(do_upsert(tx, plan))).await?;
    for user in &users {
        state.forget_user(caller.app.pk, &user.id);
    }
    if task_id.is_some() {
        state.tasks.notify_one();
    }
    Ok((users.into_iter().map(|user| state.remember_user(user)).collect(), task_id))
}

async fn do_upsert(tx: &mut Tx, plan: &Upsert) -> Result<(Vec<User>, Option<String>)> {
    let ids = plan.requests.iter().map(|request| request.id.clone()).collect();
    let existing: HashMap<String, User> =
        tx.lock_users(plan.app_pk, ids).await?.into_iter().map(|user| (user.id.clone(), user)).collect();
    let mut users = Vec::with_capacity(plan.requests.len());
    let mut changes = Vec::with_capacity(plan.requests.len());
    for request in &plan.requests {
        let stored = existing.get(&request.id);
        if stored.is_some_and(|user| user.deleted_at.is_some()) {
            return Err(was_deleted(&request.id));
        }
        changes.push((change(request, stored, plan.missing), stored));
    }
    lock_names(tx, plan.unique_names, plan.app_pk, &changes).await?;
    let mut left = LeaveTeams::default();
    for (change, stored) in &changes {
        check_name(tx, plan.unique_names, plan.app_pk, change, *stored).await?;
        if let Some(stored) = stored {
            plan.leaving.do_note(tx, &mut left, stored, &change.teams).await?;
        }
        let user = tx.upsert_user(plan.app_pk, change, plan.now).await?;
        do_log(tx, plan.app_pk, &change.id, "user.updated", None, plan.now).await?;
        users.push(user);
    }
    let task_id = plan.leaving.do_enqueue(tx, plan.app_pk, left, plan.now).await?;
    Ok((users, task_id))
}

/// The name that a change gives to a user, when it is new, or new to his or her teams.
fn new_name<'a>(change: &'a UserChange, stored: Option<&User>) -> Option<(&'a str, String)> {
    let name = change.name.as_deref()?;
    let key = name_key(name)?;
    let was = stored.filter(|stored| stored.teams == change.teams).and_then(|stored| stored.name.as_deref());
    (was.and_then(name_key).as_ref() != Some(&key)).then_some((name, key))
}

/// Where names are unique, keeps others from taking those that these changes give.
pub(crate) async fn lock_names(
    tx: &mut Tx,
    unique: UniqueNames,
    app_pk: i64,
    changes: &[(UserChange, Option<&User>)],
) -> Result<()> {
    if unique == UniqueNames::Nowhere {
        return Ok(());
    }
    let names = changes.iter().filter_map(|(change, stored)| new_name(change, *stored));
    Ok(tx.lock_names(app_pk, names.map(|(_, key)| key).collect()).await?)
}

/// Refuses a name that another user has, where names are unique. A name that stays is not looked at.
pub(crate) async fn check_name(
    tx: &mut Tx,
    unique: UniqueNames,
    app_pk: i64,
    change: &UserChange,
    stored: Option<&User>,
) -> Result<()> {
    let Some((name, key)) = new_name(change, stored) else { return Ok(()) };
    let teams = match unique {
        UniqueNames::Nowhere => return Ok(()),
        UniqueNames::InApp => None,
        UniqueNames::InTeam => Some(change.teams.as_slice()),
    };
    let Some(theirs) = tx.find_namesake(app_pk, &key, &change.id, teams).await? else { return Ok(()) };
    let shared = teams.and_then(|teams| teams.iter().find(|team| theirs.contains(team)));
    let place = shared.map(|team| format!(" in team '{team}'")).unwrap_or_default();
    Err(Error::caller(ErrorCode::DuplicateUsername, format!("username '{name}' already exists{place}")))
}

fn was_deleted(id: &str) -> Error {
    Error::input(format!("user {id:?} was deleted"))
}

/// Logs what happened to a user.
async fn do_log(
    tx: &mut Tx,
    app_pk: i64,
    user_id: &str,
    kind: &'static str,
    payload: Option<serde_json::Value>,
    now: Timestamp,
) -> Result<()> {
    let payload = payload.map(|payload| payload.to_string());
    let event = UserEvent { app_pk, user_id, kind, channel_pk: None, payload };
    Ok(tx.append_user_event(event, now).await?)
}

/// The ids that a call about many users names, each once.
pub(crate) fn check_ids(field: &str, ids: &[String]) -> Result<Vec<String>> {
    if ids.is_empty() {
        return Err(Error::required(field));
    }
    check_count(field, ids.len(), BATCH_MAX)?;
    let mut checked = Vec::with_capacity(ids.len());
    for (place, id) in ids.iter().enumerate() {
        UserId::parse(id).map_err(|error| Error::id(&format!("{field}[{place}]"), &error))?;
        checked.push(id.clone());
    }
    checked.sort();
    checked.dedup();
    Ok(checked)
}

/// The user who is said to have caused something.
async fn check_created_by(
    state: &State,
    caller: &Caller,
    created_by_id: Option<&String>,
) -> Result<Option<String>> {
    match given(created_by_id) {
        None => Ok(None),
        Some(id) => Ok(Some(existing(state, caller, "created_by_id", id).await?.user.id.clone())),
    }
}

/// The user with this id, kept from changing. One who was deleted is refused.
async fn do_lock(tx: &mut Tx, app_pk: i64, id: &str) -> Result<User> {
    let found = tx.lock_users(app_pk, vec![id.to_owned()]).await?.pop();
    let user = found.ok_or_else(|| Error::not_found("user", id))?;
    if user.deleted_at.is_some() {
        return Err(was_deleted(id));
    }
    Ok(user)
}

/// The state that a request gives to a user.
fn change(request: &UserRequest, stored: Option<&User>, missing: Missing) -> UserChange {
    let kept = stored.map(change_of);
    let described = kept.clone().filter(|_| missing == Missing::Stay);
    let mut custom = described.as_ref().map(|user| user.custom.clone()).unwrap_or_default();
    for (key, value) in request.custom.iter().flat_map(|custom| custom.iter()) {
        custom.insert(key.clone(), value.clone());
    }
    let kept = kept.unwrap_or_else(|| new_user(&request.id));
    UserChange {
        id: request.id.clone(),
        name: request.name.clone().or_else(|| described.as_ref().and_then(|user| user.name.clone())),
        image: request.image.clone().or_else(|| described.as_ref().and_then(|user| user.image.clone())),
        role: given(request.role.as_ref()).map_or(kept.role, str::to_owned),
        language: request.language.clone().unwrap_or(kept.language),
        teams: request.teams.clone().unwrap_or(kept.teams),
        teams_role: request.teams_role.clone().unwrap_or(kept.teams_role),
        invisible: request.invisible.unwrap_or(kept.invisible),
        privacy_settings: match (&request.privacy_settings, kept.privacy_settings) {
            (Some(given), Some(kept)) => Some(PrivacySettingsResponse {
                delivery_receipts: given.delivery_receipts.clone().or(kept.delivery_receipts),
                read_receipts: given.read_receipts.clone().or(kept.read_receipts),
                typing_indicators: given.typing_indicators.clone().or(kept.typing_indicators),
            }),
            (given, kept) => given.clone().or(kept),
        },
        custom,
    }
}

/// A user with nothing but an id.
fn new_user(id: &str) -> UserChange {
    UserChange {
        id: id.to_owned(),
        name: None,
        image: None,
        role: ROLE_DEFAULT.to_owned(),
        language: String::new(),
        teams: Vec::new(),
        teams_role: BTreeMap::new(),
        invisible: false,
        privacy_settings: None,
        custom: Default::default(),
    }
}

fn change_of(user: &User) -> UserChange {
    UserChange {
        id: user.id.clone(),
        name: user.name.clone(),
        image: user.image.clone(),
        role: user.role.clone(),
        language: user.language.clone(),
        teams: user.teams.clone(),
        teams_role: user.teams_role.clone(),
        invisible: user.invisible,
        privacy_settings: user.privacy_settings.clone(),
        custom: user.custom.clone(),
    }
}

/// Refuses a user object that cannot be stored. `at` is its place in the request.
fn check_request(at: &str, request: &UserRequest) -> Result<()> {
    let field = |name: &str| format!("{at}.{name}");
    UserId::parse(&request.id).map_err(|error| Error::id(&field("id"), &error))?;
    if let Some(name) = &request.name {
        check_length(&field("name"), name, NAME_LENGTH_MAX)?;
    }
    if let Some(image) = &request.image {
        check_length(&field("image"), image, URL_LENGTH_MAX)?;
    }
    if let Some(role) = &request.role {
        check_role(&field("role"), role)?;
    }
    if let Some(language) = &request.language {
        check_length(&field("language"), language, LANGUAGE_LENGTH_MAX)?;
    }
    if let Some(custom) = &request.custom {
        check_custom(&field("custom"), custom)?;
    }
    let teams = request.teams.iter().flatten().chain(request.teams_role.iter().flat_map(BTreeMap::keys));
    for team in teams {
        if team.is_empty() || team.len() > TEAM_SIZE_MAX {
            return Err(Error::field(
                &field("teams"),
                format!("must hold names of 1 to {TEAM_SIZE_MAX} bytes"),
            ));
        }
    }
    check_count(&field("teams"), request.teams.as_ref().map_or(0, Vec::len), TEAMS_MAX)?;
    check_count(&field("teams_role"), request.teams_role.as_ref().map_or(0, BTreeMap::len), TEAMS_MAX)?;
    for role in request.teams_role.iter().flat_map(BTreeMap::values) {
        check_role(&field("teams_role"), role)?;
    }
    Ok(())
}

/// Refuses what cannot be the role of a user.
fn check_role(field: &str, role: &str) -> Result<()> {
    check_length(field, role, ROLE_LENGTH_MAX)?;
    if CHANNEL_ROLES.contains(&role) {
        return Err(Error::field(field, format!("must be a role of users, {role} is a role of a channel")));
    }
    Ok(())
}

/// Finds users.
pub(crate) async fn query_users(
    state: &State,
    caller: &Caller,
    payload: QueryUsersPayload,
    connection_id: Option<&str>,
) -> Result<Vec<FullUserResponse>> {
    let watch = Watch::check(state, caller, connection_id, None, payload.presence)?;
    optional_user(state, caller, "user", payload.user_id.as_ref(), payload.user.as_ref()).await?;
    let filter = parse(&USERS, &payload.filter_conditions)
        .map_err(|error| Error::filter("filter_conditions", &error))?;
    let bounds = [
        (Operator::Lt, &payload.id_lt),
        (Operator::Lte, &payload.id_lte),
        (Operator::Gt, &payload.id_gt),
        (Operator::Gte, &payload.id_gte),
    ];
    let bounds = bounds.into_iter().filter_map(|(operator, id)| {
        given(id.as_ref()).map(|id| comparison(&USERS, "id", operator, Operand::Text(id.to_owned())))
    });
    let filter = Expression::All([filter].into_iter().chain(bounds).collect());
    let query = UserQuery {
        filter: limit_to_reach(state, caller, filter).await?,
        sort: parse_sort(&USERS, &payload.sort, SORT_FIELDS_MAX)
            .map_err(|error| Error::filter("sort", &error))?,
        limit: limit("limit", payload.limit, USERS_PAGE_DEFAULT, USERS_PAGE_MAX)?,
        offset: offset("offset", payload.offset, OFFSET_MAX)?,
        include_deactivated: payload.include_deactivated_users == Some(true),
        now: state.now(),
    };
    let users = state
        .store
        .read("query_users", (caller.app.pk, query), |tx, (app_pk, query)| {
            Box::pin(tx.query_users(*app_pk, query))
        })
        .await?;
    if let Some(watch) = &watch {
        watch.subscribe(state, users.iter().map(|user| user.id.as_str()));
    }
    full_users(state, caller, users.iter().collect()).await
}

/// Users with the numbers of what they have not read, what they have muted and whom they have blocked.
pub(crate) async fn full_users(
    state: &State,
    caller: &Caller,
    users: Vec<&User>,
) -> Result<Vec<FullUserResponse>> {
    // What is nobody else's business is shown to servers and to the user alone.
    let is_private_to = |id: &str| caller.user_id().is_some_and(|own| own.as_str() == id);
    let ids = users.iter().map(|user| user.id.clone());
    let ids: Vec<String> = ids.filter(|id| caller.is_server() || is_private_to(id)).collect();
    let unread = load_unread(state, caller, ids.clone(), 0).await?;
    let now = state.now();
    let mut unread: HashMap<String, _> = ids.iter().cloned().zip(unread).collect();
    let (mutes, user_mutes, blocks) = state
        .store
        .read("list_mutes_and_blocks", (caller.app.pk, ids, now), |tx, (app_pk, ids, now)| {
            Box::pin(async move {
                let mutes = load_mutes(tx, *app_pk, ids, *now).await?;
                let user_mutes = tx.list_user_mutes(*app_pk, ids, *now, USER_MUTES_SHOWN_MAX).await?;
                let blocks = tx.list_user_blocks(*app_pk, ids, BLOCKS_SHOWN_MAX).await?;
                Ok::<_, Error>((mutes, user_mutes, blocks))
            })
        })
        .await?;
    let mutes = present_mutes(state, caller, &mutes.0, &mutes.1).await?;
    let user_mutes = present_user_mutes(state, caller, &user_mutes).await?;
    let full = users.into_iter().map(|user| {
        let Some((channels, threads)) = unread.remove(&user.id) else {
            return present::other_user(user, now);
        };
        let is_own = |mute: &&ChannelMute| mute.user.as_ref().is_some_and(|muter| muter.id == user.id);
        let blocked = blocks.iter().filter(|block| block.user_id == user.id);
        let has_muted =
            |mute: &&UserMuteResponse| mute.user.as_ref().is_some_and(|muter| muter.id == user.id);
        let shown = present::full_user(user, &channels, &threads, now);
        let is_viewer = caller.user_id().is_some_and(|viewer| viewer.as_str() == user.id);
        FullUserResponse {
            mutes: user_mutes.iter().filter(has_muted).cloned().collect(),
            channel_mutes: mutes.iter().filter(is_own).cloned().collect(),
            blocked_user_ids: blocked.map(|block| block.blocked_user_id.clone()).collect(),
            shadow_banned: shown.shadow_banned && !is_viewer,
            ban_expires: shown.ban_expires.filter(|_| !(shown.shadow_banned && is_viewer)),
            ..shown
        }
    });
    Ok(full.collect())
}
