//! What happened while a client was away, out of the logs.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use natterjack_protocol::Timestamp;
use natterjack_protocol::events::{Event, SyncRequest, SyncResponse};
use natterjack_storage::{Channel, Member, Tx};

use super::users;
use super::watching::Watch;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{SYNC_AGE_MAX, SYNC_CHANNELS_MAX, SYNC_EVENTS_MAX};
use crate::live::{replay_channel, replay_user};
use crate::state::access::{self, Rights};
use crate::state::{CachedUser, State};

/// A request that may be answered.
struct SyncPlan {
    app_pk: i64,
    user: Arc<CachedUser>,
    cids: BTreeSet<String>,
    since: Timestamp,
}

/// Answers what happened in channels since a client was there last, the oldest first.
pub(crate) async fn sync(
    state: &State,
    caller: &Caller,
    request: SyncRequest,
    connection_id: Option<&str>,
) -> Result<SyncResponse> {
    let watch = Watch::check(state, caller, connection_id, request.watch, None)?;
    let with_inaccessible = request.with_inaccessible_cids == Some(true);
    let plan = check_sync(state, caller, request).await?;
    let (app_pk, user_id, since) = (plan.app_pk, plan.user.user.id.clone(), plan.since);
    let cids = plan.cids.clone();
    let readable = list_readable(state, caller, plan).await?;
    let channels: Vec<Channel> = readable.iter().map(|readable| readable.channel.clone()).collect();
    if let Some(watch) = &watch {
        watch.begin(state, &channels).await?;
    }
    let mut events: Vec<Event> = Vec::new();
    for Readable { channel, membership, rights } in readable.iter().filter(|readable| readable.rights.reads) {
        // One more shows that there are too many.
        let limit = (SYNC_EVENTS_MAX + 1 - events.len()) as i64;
        let membership = membership.as_ref();
        events.extend(replay_channel(state, channel, &user_id, membership, *rights, since, limit).await?);
        check_number(events.len())?;
    }
    let pks: Vec<i64> = channels.iter().map(|channel| channel.pk).collect();
    let limit = (SYNC_EVENTS_MAX + 1) as i64;
    let own = replay_user(state, app_pk, &user_id, since, limit).await?;
    let is_asked = |channel_pk: Option<i64>, event: &Event| {
        channel_pk.is_some_and(|pk| pks.contains(&pk))
            || event.cid.as_ref().is_some_and(|cid| cids.contains(cid))
    };
    events.extend(own.into_iter().filter(|(pk, event)| is_asked(*pk, event)).map(|(_, event)| event));
    check_number(events.len())?;
    events.sort_by_key(|event| event.created_at);
    let found: BTreeSet<&str> = channels.iter().map(|channel| channel.cid.as_str()).collect();
    let inaccessible = cids.iter().filter(|cid| !found.contains(cid.as_str())).cloned();
    Ok(SyncResponse { events, inaccessible_cids: with_inaccessible.then(|| inaccessible.collect()) })
}

fn check_number(events: usize) -> Result<()> {
    if events > SYNC_EVENTS_MAX {
        return Err(Error::input("Too many events to sync, please use a more recent last_sync_at parameter"));
    }
    Ok(())
}

async fn check_sync(state: &State, caller: &Caller, request: SyncRequest) -> Result<SyncPlan> {
    if request.channel_cids.is_empty() {
        return Err(Error::required("channel_cids"));
    }
    if request.channel_cids.len() > SYNC_CHANNELS_MAX {
        let text = format!("must have at most {SYNC_CHANNELS_MAX} entries");
        return Err(Error::field("channel_cids", text));
    }
    let since = request.last_sync_at.ok_or_else(|| Error::required("last_sync_at"))?;
    let age = state.now().nanoseconds().saturating_sub(since.nanoseconds());
    if age > SYNC_AGE_MAX.as_nanos() as i64 {
        return Err(Error::input(
            "Too old last_sync_at time, please have last_sync_at argument no later than 30 days ago",
        ));
    }
    let user =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    Ok(SyncPlan { app_pk: caller.app.pk, user, cids: request.channel_cids.into_iter().collect(), since })
}

/// A channel that the user may read, and what he or she is told of it.
struct Readable {
    channel: Channel,
    membership: Option<Member>,
    rights: Rights,
}

/// Those of the channels that the user may read. Of others nothing is told.
async fn list_readable(state: &State, caller: &Caller, plan: SyncPlan) -> Result<Vec<Readable>> {
    let user = Arc::clone(&plan.user);
    let found =
        state.store.read("list_channels_to_sync", plan, |tx, plan| Box::pin(list_channels(tx, plan))).await?;
    let mut readable = Vec::with_capacity(found.len());
    for (channel, membership) in found {
        let rights_as = |role| access::rights(state, &caller.app, Some(Arc::clone(&user)), &channel, role);
        let rights = rights_as(membership.as_ref().map(|member| member.channel_role.as_str()));
        let is_pending = membership.as_ref().is_some_and(Member::is_pending);
        let has_blocked = membership.as_ref().is_some_and(|member| member.blocked);
        if rights.read_messages_of(&channel) && !has_blocked {
            // Who has not accepted an invite may read the channel, and is told what a stranger is told.
            let rights = if is_pending { rights_as(None) } else { rights };
            readable.push(Readable { channel, membership, rights });
        }
    }
    Ok(readable)
}

/// The channels that are there, each with the user's membership.
async fn list_channels(tx: &mut Tx, plan: &SyncPlan) -> Result<Vec<(Channel, Option<Member>)>> {
    let mut channels = Vec::new();
    for cid in &plan.cids {
        let found = tx.find_channel(plan.app_pk, cid).await?;
        channels.extend(found.filter(|channel| channel.deleted_at.is_none()));
    }
    let pks: Vec<i64> = channels.iter().map(|channel| channel.pk).collect();
    let members = tx.list_memberships(&plan.user.user.id, pks).await?;
    let mut members: HashMap<i64, Member> =
        members.into_iter().map(|member| (member.channel_pk, member)).collect();
    Ok(channels
        .into_iter()
        .map(|channel| (channel.pk, channel))
        .map(|(pk, channel)| (channel, members.remove(&pk)))
        .collect())
}
