//! Users who may not write, in a channel or in the whole app.

mod messages;
mod query;

pub(crate) use messages::DeleteMessages;
pub(crate) use query::{query_banned_users, query_future_channel_bans};

use std::sync::Arc;

use natterjack_protocol::bans::{BanRequest, UnbanQuery, UnbanRequest};
use natterjack_protocol::{ChannelId, ChannelTypeName, Cid, Timestamp, UserId};
use natterjack_storage::{Advance, Advanced, Ban, BanKind, ChannelEvent, Task, Tx, UserEvent, WHOLE_APP};
use serde_json::json;

use super::tasks::{self, Phase, Position, Work};
use super::{check_length, given, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{ADDRESS_BANS_MAX, BAN_REASON_LENGTH_MAX, FUTURE_CHANNEL_BANS_MAX};
use crate::permissions::Action;
use crate::state::access::Access;
use crate::state::{CachedChannel, CachedUser, Membership, State, access};

/// A ban that may be made. Only [`check_ban`] makes one.
struct BanPlan {
    app_pk: i64,
    cid: Option<String>,
    ban: Ban,
    ip_ban: bool,
    from_future_channels: bool,
    task_id: String,
    /// What is to become of the user's messages.
    messages: Option<Work>,
    now: Timestamp,
}

/// What follows from a ban that was made.
struct Banned {
    /// Removes the user's messages.
    task: Option<Task>,
    /// Whether other addresses are banned than before.
    moves_addresses: bool,
}

/// A ban that may be taken back. Only [`check_unban`] makes one.
struct UnbanPlan {
    app_pk: i64,
    channel_pk: i64,
    cid: Option<String>,
    user_id: String,
    unbanned_by_id: Option<String>,
    from_future_channels: bool,
    now: Timestamp,
}

/// Refuses to let a user write who is banned, in this channel or in the whole app, or who calls from where somebody was
/// banned together with the address. A server may write for anybody.
///
/// What it goes by are the cached versions of user, channel and app, which the transaction of a send compares.
pub(crate) async fn check_not_banned(state: &State, caller: &Caller, channel: Option<&Access>) -> Result<()> {
    if let Some(id) = caller.user_id() {
        check_user_not_banned(state, caller, id, channel).await?;
    }
    let Some(address) = caller.address else { return Ok(()) };
    let app = state.current_app(&caller.app);
    if app.banned_addresses.hold(address, channel.map(|channel| channel.channel.pk), state.now()) {
        return Err(Error::denied("a user was banned together with the address from which this call comes"));
    }
    Ok(())
}

async fn check_user_not_banned(
    state: &State,
    caller: &Caller,
    id: &UserId,
    channel: Option<&Access>,
) -> Result<()> {
    let now = state.now();
    let user = state.user(caller.app.pk, id.as_str()).await?;
    if user.is_some_and(|user| user.user.ban_at(now) == Some(BanKind::Open)) {
        return Err(Error::denied(format!("user {:?} was banned", id.as_str())));
    }
    let Some(channel) = channel else { return Ok(()) };
    let membership = match channel.membership() {
        Some(known) => known.clone(),
        None => state.membership(&channel.channel, id.as_str()).await?,
    };
    if membership.ban.and_then(|ban| ban.at(now)) == Some(BanKind::Open) {
        return Err(Error::denied(format!(
            "user {:?} was banned from channel {}",
            id.as_str(),
            channel.channel.cid
        )));
    }
    Ok(())
}

/// Whether what a user sends to a channel, in which he or she is this, is shown to the user alone.
pub(crate) fn is_shadow_banned(user: &CachedUser, membership: &Membership, now: Timestamp) -> bool {
    let in_channel = membership.ban.as_ref().and_then(|ban| ban.at(now));
    [user.user.ban_at(now), in_channel].contains(&Some(BanKind::Shadow))
}

/// The channel of a ban, when the caller may ban there.
async fn check_may_ban_in(state: &State, caller: &Caller, cid: &Cid) -> Result<Arc<CachedChannel>> {
    Ok(access::channel(state, caller, &cid.to_string(), &[Action::BanChannelMember]).await?.cached)
}

/// Bans a user. Messages that are to be deleted are gone when the call is answered, unless there are very many.
pub(crate) async fn ban(state: &State, caller: &Caller, request: BanRequest) -> Result<()> {
    let plan = check_ban(state, caller, &request).await?;
    let (cid, user_id) = (plan.cid.clone(), plan.ban.user_id.clone());
    let Banned { task, moves_addresses } =
        state.store.write("ban", plan, |tx, plan| Box::pin(do_ban(tx, plan))).await?;
    forget(state, caller, cid.as_deref(), &user_id);
    if moves_addresses {
        state.reload_apps().await?;
    }
    if let Some(task) = task {
        tasks::work_in_call(state, task).await;
    }
    Ok(())
}

fn forget(state: &State, caller: &Caller, cid: Option<&str>, user_id: &str) {
    match cid {
        Some(cid) => state.forget_channel(caller.app.pk, cid),
        None => state.forget_user(caller.app.pk, user_id),
    }
}

async fn check_ban(state: &State, caller: &Caller, request: &BanRequest) -> Result<BanPlan> {
    let now = state.now();
    let target = check_target(state, caller, Some(&request.target_user_id)).await?;
    let channel = find_channel(state, caller, request).await?;
    let banned_by = acting_user(state, caller, request).await?;
    if channel.is_none() {
        access::require_ban_in_app(state, caller, &target).await?;
    }
    if banned_by.user.id == target.user.id && !caller.is_server() {
        return Err(Error::field("target_user_id", "must not be the user who bans"));
    }
    let reason = given(request.reason.as_ref()).unwrap_or_default();
    check_length("reason", reason, BAN_REASON_LENGTH_MAX)?;
    let deletion = users::check_deletion("delete_messages", request.delete_messages.as_ref(), true)?;
    let channel_pk = channel.as_ref().map_or(WHOLE_APP, |channel| channel.channel.pk);
    let ban = Ban {
        channel_pk,
        user_id: target.user.id.clone(),
        banned_by_id: banned_by.user.id.clone(),
        reason: reason.to_owned(),
        shadow: request.shadow == Some(true),
        ip: None,
        created_at: now,
        expires: check_timeout(request.timeout, now)?,
    };
    let messages = deletion.map(|deletion| Work::DeleteMessages(DeleteMessages::new(&ban, deletion)));
    Ok(BanPlan {
        app_pk: caller.app.pk,
        cid: channel.map(|channel| channel.channel.cid.clone()),
        ban,
        ip_ban: request.ip_ban == Some(true),
        from_future_channels: request.ban_from_future_channels == Some(true),
        task_id: tasks::new_id(),
        messages,
        now,
    })
}

/// The user who is banned, or no longer.
async fn check_target(
    state: &State,
    caller: &Caller,
    target_user_id: Option<&String>,
) -> Result<Arc<CachedUser>> {
    const FIELD: &str = "target_user_id";
    let id = given(target_user_id).ok_or_else(|| Error::required(FIELD))?;
    users::existing(state, caller, FIELD, id).await
}

/// Who bans, by either name.
async fn acting_user(state: &State, caller: &Caller, request: &BanRequest) -> Result<Arc<CachedUser>> {
    let id = given(request.banned_by_id.as_ref()).map(|_| &request.banned_by_id).unwrap_or(&request.user_id);
    let user = request.banned_by.as_ref().or(request.user.as_ref());
    users::acting_user(state, caller, "banned_by", id.as_ref(), user).await
}

/// The channel of a ban, by either form of its name.
async fn find_channel(
    state: &State,
    caller: &Caller,
    request: &BanRequest,
) -> Result<Option<Arc<CachedChannel>>> {
    let cid = match (given(request.channel_cid.as_ref()), given(request.kind.as_ref())) {
        (Some(cid), _) => check_cid(cid)?,
        (None, Some(kind)) => {
            let id = given(request.id.as_ref()).ok_or_else(|| Error::required("id"))?;
            Cid {
                kind: ChannelTypeName::parse(kind).map_err(|error| Error::id("type", &error))?,
                id: ChannelId::parse(id).map_err(|error| Error::id("id", &error))?,
            }
        }
        (None, None) => return Ok(None),
    };
    check_may_ban_in(state, caller, &cid).await.map(Some)
}

fn check_cid(text: &str) -> Result<Cid> {
    Cid::parse(text).map_err(|error| Error::id("channel_cid", &error))
}

/// When what lasts so many minutes ends; `None` is never.
pub(super) fn check_timeout(minutes: Option<i64>, now: Timestamp) -> Result<Option<Timestamp>> {
    const MINUTE: i64 = 60 * 1_000_000_000;
    match minutes.unwrap_or(0) {
        0 => Ok(None),
        given if given < 0 => Err(Error::field("timeout", "must not be negative")),
        given => {
            let end = given.checked_mul(MINUTE).and_then(|it| it.checked_add(now.nanoseconds()));
            let end = end.ok_or_else(|| Error::field("timeout", "is too far in the future"))?;
            Ok(Some(Timestamp::from_nanoseconds(end)))
        }
    }
}

async fn do_ban(tx: &mut Tx, plan: &BanPlan) -> Result<Banned> {
    let advanced = lock(tx, plan.ban.channel_pk, plan.cid.as_deref(), 1, plan.now).await?;
    let ids = vec![plan.ban.user_id.clone(), plan.ban.banned_by_id.clone()];
    // Neither of them is removed before the ban is stored.
    let found = tx.lock_users(plan.app_pk, ids).await?;
    if [&plan.ban.user_id, &plan.ban.banned_by_id].iter().any(|id| found.iter().all(|user| user.id != **id)) {
        return Err(Error::field(
            "target_user_id",
            format!("names a user who doesn't exist: {}", plan.ban.user_id),
        ));
    }
    let mut ban = plan.ban.clone();
    if plan.ip_ban {
        ban.ip = tx.find_last_address(plan.app_pk, &ban.user_id).await?;
    }
    let earlier = tx.find_ban(plan.app_pk, ban.channel_pk, &ban.user_id).await?;
    let moves_addresses = ban.ip.is_some() || earlier.is_some_and(|earlier| earlier.ip.is_some());
    if moves_addresses {
        // From which addresses nobody may write is cached with the app.
        tx.advance_app(plan.app_pk, plan.now).await?;
    }
    tx.upsert_ban(plan.app_pk, &ban).await?;
    if ban.ip.is_some() && tx.count_address_bans(plan.app_pk, plan.now).await? > ADDRESS_BANS_MAX {
        return Err(Error::field("ip_ban", format!("is limited to {ADDRESS_BANS_MAX} bans at a time")));
    }
    if advanced.is_none() {
        tx.settle_user_ban(plan.app_pk, &ban.user_id).await?;
    }
    if plan.from_future_channels
        && !tx.upsert_future_channel_ban(plan.app_pk, &ban, FUTURE_CHANNEL_BANS_MAX).await?
    {
        return Err(Error::field(
            "ban_from_future_channels",
            format!("is limited to {FUTURE_CHANNEL_BANS_MAX} users for each who bans"),
        ));
    }
    let payload = json!({
        "created_by_id": ban.banned_by_id, "reason": ban.reason, "expiration": ban.expires,
        "shadow": ban.shadow, "total_bans": tx.count_bans(plan.app_pk, &ban.user_id).await?,
    });
    let told = Told { app_pk: plan.app_pk, user_id: &ban.user_id, shadow: ban.shadow, now: plan.now };
    append_events(tx, told, "user.banned", ban.channel_pk, advanced, &payload.to_string()).await?;
    let task = match &plan.messages {
        None => None,
        Some(work) => {
            let position = Position { phase: Phase::Messages, ..Position::default() };
            Some(tasks::do_enqueue_held(tx, plan.app_pk, &plan.task_id, work, position, plan.now).await?)
        }
    };
    Ok(Banned { task, moves_addresses })
}

/// Locks the channel of a ban and reserves events; `None` for a ban from the whole app.
async fn lock(
    tx: &mut Tx,
    channel_pk: i64,
    cid: Option<&str>,
    events: i64,
    now: Timestamp,
) -> Result<Option<Advanced>> {
    let Some(cid) = cid else { return Ok(None) };
    // What is known of a member is cached with the channel's version.
    let advance = Advance { events, version: true, ..Advance::default() };
    let advanced = tx.advance_channel(channel_pk, advance, now).await?;
    advanced.ok_or_else(|| Error::not_found("channel", cid)).map(Some)
}

/// Whose ban is told.
struct Told<'a> {
    app_pk: i64,
    user_id: &'a str,
    shadow: bool,
    now: Timestamp,
}

/// Tells the user, unless the ban is one that he or she is not told of, and who watches the channel of the ban. The
/// event's user is the one who is banned; who delivers an event with `shadow` passes over that user.
async fn append_events(
    tx: &mut Tx,
    told: Told<'_>,
    kind: &'static str,
    channel_pk: i64,
    advanced: Option<Advanced>,
    payload: &str,
) -> Result<()> {
    if let Some(advanced) = advanced {
        let event = ChannelEvent {
            channel_pk,
            seq: advanced.event_seq,
            kind,
            user_id: Some(told.user_id),
            message_id: None,
            payload: Some(payload.to_owned()),
        };
        tx.append_channel_event(event, advanced.at).await?;
    }
    if told.shadow {
        return Ok(());
    }
    let event = UserEvent {
        app_pk: told.app_pk,
        user_id: told.user_id,
        kind,
        channel_pk: advanced.map(|_| channel_pk),
        payload: Some(payload.to_owned()),
    };
    Ok(tx.append_user_event(event, told.now).await?)
}

/// Takes a ban back.
pub(crate) async fn unban(
    state: &State,
    caller: &Caller,
    query: UnbanQuery,
    request: UnbanRequest,
) -> Result<()> {
    let plan = check_unban(state, caller, &query, &request).await?;
    let (cid, user_id) = (plan.cid.clone(), plan.user_id.clone());
    let moves_addresses = state.store.write("unban", plan, |tx, plan| Box::pin(do_unban(tx, plan))).await?;
    forget(state, caller, cid.as_deref(), &user_id);
    if moves_addresses {
        state.reload_apps().await?;
    }
    Ok(())
}

async fn check_unban(
    state: &State,
    caller: &Caller,
    query: &UnbanQuery,
    request: &UnbanRequest,
) -> Result<UnbanPlan> {
    let target = check_target(state, caller, query.target_user_id.as_ref()).await?;
    let channel = match given(query.channel_cid.as_ref()) {
        None => None,
        Some(cid) => Some(check_may_ban_in(state, caller, &check_cid(cid)?).await?),
    };
    let id = match (given(request.unbanned_by_id.as_ref()), &request.unbanned_by) {
        (None, None) => query.created_by.as_ref(),
        _ => request.unbanned_by_id.as_ref(),
    };
    let by = users::optional_user(state, caller, "unbanned_by", id, request.unbanned_by.as_ref()).await?;
    if by.is_none() && !caller.is_server() {
        return Err(Error::denied("anonymous users are not allowed to perform this operation"));
    }
    if channel.is_none() {
        access::require_ban_in_app(state, caller, &target).await?;
    }
    Ok(UnbanPlan {
        app_pk: caller.app.pk,
        channel_pk: channel.as_ref().map_or(WHOLE_APP, |channel| channel.channel.pk),
        cid: channel.map(|channel| channel.channel.cid.clone()),
        user_id: target.user.id.clone(),
        unbanned_by_id: by.map(|by| by.user.id.clone()),
        from_future_channels: query.remove_future_channels_ban == Some(true),
        now: state.now(),
    })
}

/// Takes a ban back. Answers whether other addresses are banned than before.
async fn do_unban(tx: &mut Tx, plan: &UnbanPlan) -> Result<bool> {
    // The lock comes first: until then it is not known whether there is anything to be told.
    lock(tx, plan.channel_pk, plan.cid.as_deref(), 0, plan.now).await?;
    tx.lock_users(plan.app_pk, vec![plan.user_id.clone()]).await?;
    if plan.from_future_channels {
        tx.delete_future_channel_bans(plan.app_pk, &plan.user_id, plan.unbanned_by_id.as_deref()).await?;
    }
    let Some(ban) = tx.delete_ban(plan.app_pk, plan.channel_pk, &plan.user_id).await? else {
        return Ok(false);
    };
    let moves_addresses = ban.ip.is_some();
    if moves_addresses {
        tx.advance_app(plan.app_pk, plan.now).await?;
    }
    if plan.cid.is_none() {
        tx.settle_user_ban(plan.app_pk, &plan.user_id).await?;
    }
    if ban.at(plan.now).is_none() {
        // It was over by itself.
        return Ok(moves_addresses);
    }
    let advanced = lock(tx, plan.channel_pk, plan.cid.as_deref(), 1, plan.now).await?;
    let payload = json!({ "created_by_id": plan.unbanned_by_id, "shadow": ban.shadow }).to_string();
    let told = Told { app_pk: plan.app_pk, user_id: &plan.user_id, shadow: ban.shadow, now: plan.now };
    append_events(tx, told, "user.unbanned", plan.channel_pk, advanced, &payload).await?;
    Ok(moves_addresses)
}
