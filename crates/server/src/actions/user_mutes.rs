//! Users whom users mute.

use std::collections::HashSet;
use std::sync::Arc;

use natterjack_protocol::user_mutes::{MuteRequest, MuteResponse};
use natterjack_protocol::users::UserMuteResponse;
use natterjack_protocol::{Timestamp, UserId};
use natterjack_storage::{Tx, UserEvent, UserMute};
use serde_json::json;

use super::bans::check_timeout;
use super::{check_count, given, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::MUTED_USERS_MAX;
use crate::permissions::Action;
use crate::state::{CachedUser, State, access};

/// Mutes that may be made or taken back. Only [`check_mute`] makes one.
struct MutePlan {
    app_pk: i64,
    user_id: String,
    /// In the order of the request, each once.
    target_ids: Vec<String>,
    expires: Option<Timestamp>,
    now: Timestamp,
}

/// What a request asks for.
struct Checked {
    user: Arc<CachedUser>,
    plan: MutePlan,
    /// Ids that no user has.
    unknown: Vec<String>,
}

/// Mutes users for a user.
pub(crate) async fn mute(state: &State, caller: &Caller, request: MuteRequest) -> Result<MuteResponse> {
    let names_one = given(request.target_id.as_ref()).is_some();
    let Checked { user, plan, unknown } = check_mute(state, caller, &request).await?;
    let mutes = state.store.write("mute", plan, |tx, plan| Box::pin(do_mute(tx, plan))).await?;
    let mutes = present_user_mutes(state, caller, &mutes).await?;
    let own_user = users::own_user(state, caller.app.pk, &user.user).await?;
    Ok(MuteResponse {
        mute: mutes.first().filter(|_| names_one).cloned(),
        mutes: Some(mutes),
        non_existing_users: Some(unknown).filter(|unknown| !unknown.is_empty()),
        own_user: Some(own_user),
    })
}

/// Takes mutes back. Answers the ids that no user has.
pub(crate) async fn unmute(state: &State, caller: &Caller, request: MuteRequest) -> Result<Vec<String>> {
    let Checked { plan, unknown, .. } = check_mute(state, caller, &request).await?;
    state.store.write("unmute", plan, |tx, plan| Box::pin(do_unmute(tx, plan))).await?;
    Ok(unknown)
}

async fn check_mute(state: &State, caller: &Caller, request: &MuteRequest) -> Result<Checked> {
    const FIELD: &str = "target_ids";
    let mut wanted = request.target_ids.clone();
    wanted.extend(given(request.target_id.as_ref()).map(str::to_owned));
    if wanted.is_empty() {
        return Err(Error::required(FIELD));
    }
    check_count(FIELD, wanted.len(), MUTED_USERS_MAX)?;
    let mut seen = HashSet::new();
    wanted.retain(|id| seen.insert(id.clone()));
    for id in &wanted {
        UserId::parse(id).map_err(|error| Error::id(FIELD, &error))?;
    }
    let now = state.now();
    let expires = check_timeout(request.timeout, now)?;
    let user =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let user_id = user.user.id.clone();
    if wanted.contains(&user_id) {
        return Err(Error::field(FIELD, "must not name the user who mutes"));
    }
    let found = state.users(caller.app.pk, wanted.iter().map(String::as_str)).await?;
    for target in found.values() {
        access::require_in_app(state, caller, Action::MuteUser, target).await?;
    }
    let exists = |id: &String| found.get(id).is_some_and(|user| user.user.deleted_at.is_none());
    let (target_ids, unknown) = wanted.into_iter().partition(exists);
    let plan = MutePlan { app_pk: caller.app.pk, user_id, target_ids, expires, now };
    Ok(Checked { user, plan, unknown })
}

/// Keeps the mutes of the user from changing, and user and targets from being removed. Answers the targets that are
/// still there.
async fn lock(tx: &mut Tx, plan: &MutePlan) -> Result<Vec<String>> {
    tx.lock_user_mutes(plan.app_pk, &plan.user_id).await?;
    let ids = plan.target_ids.iter().chain([&plan.user_id]).cloned().collect();
    let there: HashSet<String> =
        tx.list_users(plan.app_pk, ids).await?.into_iter().map(|user| user.id).collect();
    if !there.contains(&plan.user_id) {
        return Err(Error::field("user_id", format!("names a user who doesn't exist: {}", plan.user_id)));
    }
    Ok(plan.target_ids.iter().filter(|id| there.contains(*id)).cloned().collect())
}

async fn do_mute(tx: &mut Tx, plan: &MutePlan) -> Result<Vec<UserMute>> {
    let targets = lock(tx, plan).await?;
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let mutes = tx.upsert_user_mutes(plan.app_pk, &plan.user_id, &targets, plan.expires, plan.now).await?;
    append_events(tx, plan, "user.muted", &targets).await?;
    Ok(mutes)
}

async fn do_unmute(tx: &mut Tx, plan: &MutePlan) -> Result<()> {
    let targets = lock(tx, plan).await?;
    let unmuted = tx.delete_user_mutes(plan.app_pk, &plan.user_id, targets, plan.now).await?;
    if unmuted.is_empty() {
        return Ok(());
    }
    append_events(tx, plan, "user.unmuted", &unmuted).await
}

/// Tells webhooks whom, and the user's own connections that the mutes are others now.
async fn append_events(
    tx: &mut Tx,
    plan: &MutePlan,
    kind: &'static str,
    target_ids: &[String],
) -> Result<()> {
    let payload = json!({ "target_user_ids": target_ids, "expires": plan.expires }).to_string();
    for (kind, payload) in [(kind, Some(payload)), ("notification.mutes_updated", None)] {
        let event =
            UserEvent { app_pk: plan.app_pk, user_id: &plan.user_id, kind, channel_pk: None, payload };
        tx.append_user_event(event, plan.now).await?;
    }
    Ok(())
}

/// Mutes as they travel on the wire, in their order.
pub(super) async fn present_user_mutes(
    state: &State,
    caller: &Caller,
    mutes: &[UserMute],
) -> Result<Vec<UserMuteResponse>> {
    let ids = mutes.iter().flat_map(|mute| [mute.user_id.as_str(), mute.target_id.as_str()]);
    let users = users::shown(state, caller, ids).await?;
    let shown = mutes.iter().map(|mute| UserMuteResponse {
        created_at: mute.created_at,
        updated_at: mute.updated_at,
        expires: mute.expires,
        target: Some(users.get(&mute.target_id)),
        user: Some(users.get(&mute.user_id)),
    });
    Ok(shown.collect())
}
