//! Channels that users mute.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use natterjack_protocol::mutes::{MuteChannelRequest, MuteChannelResponse};
use natterjack_protocol::users::ChannelMute;
use natterjack_protocol::{Cid, ErrorCode, Timestamp};
use natterjack_storage::{self as storage, Advance, Advanced, Channel, Tx, UserEvent};

use super::{check_count, given, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{CHANNEL_MUTES_SHOWN_MAX, MUTED_CHANNELS_MAX};
use crate::permissions::Action;
use crate::present;
use crate::state::{CachedUser, State, access};

/// Mutes that may be made or taken back. Only [`check_mute`] makes one.
struct MutePlan {
    app_pk: i64,
    user_id: String,
    /// Keys and names, in the order of the request, each once.
    channels: Vec<(i64, String)>,
    expires: Option<Timestamp>,
    now: Timestamp,
}

/// Mutes with their channels, by key.
pub(super) type Muted = (Vec<storage::ChannelMute>, HashMap<i64, Channel>);

/// Mutes channels for a user.
pub(crate) async fn mute_channel(
    state: &State,
    caller: &Caller,
    request: MuteChannelRequest,
) -> Result<MuteChannelResponse> {
    let (user, plan) = check_mute(state, caller, &request, &[Action::MuteChannel]).await?;
    let (mutes, channels) =
        state.store.write("mute_channel", plan, |tx, plan| Box::pin(do_mute(tx, plan))).await?;
    let mut mutes = present_mutes(state, caller, &mutes, &channels).await?;
    let own_user = users::own_user(state, caller.app.pk, &user.user).await?;
    let channel_mute = if mutes.len() == 1 { mutes.pop() } else { None };
    Ok(MuteChannelResponse {
        channel_mutes: channel_mute.is_none().then_some(mutes),
        channel_mute,
        own_user: Some(own_user),
    })
}

/// Takes mutes back.
pub(crate) async fn unmute_channel(
    state: &State,
    caller: &Caller,
    request: MuteChannelRequest,
) -> Result<()> {
    let (_, plan) = check_mute(state, caller, &request, access::ANY).await?;
    state.store.write("unmute_channel", plan, |tx, plan| Box::pin(do_unmute(tx, plan))).await
}

async fn check_mute(
    state: &State,
    caller: &Caller,
    request: &MuteChannelRequest,
    actions: &[Action],
) -> Result<(Arc<CachedUser>, MutePlan)> {
    const FIELD: &str = "channel_cids";
    let one = given(request.channel_cid.as_ref());
    let cids: Vec<&str> = request.channel_cids.iter().map(String::as_str).chain(one).collect();
    if cids.is_empty() {
        return Err(Error::required(FIELD));
    }
    check_count(FIELD, cids.len(), MUTED_CHANNELS_MAX)?;
    let now = state.now();
    let expires = check_expiration(request.expiration, now)?;
    let mut seen = HashSet::new();
    let (mut channels, mut unknown) = (Vec::new(), Vec::new());
    for text in cids.into_iter().filter(|cid| seen.insert(*cid)) {
        let cid = Cid::parse(text).map_err(|error| Error::id(FIELD, &error))?.to_string();
        match access::channel(state, caller, &cid, actions).await {
            Ok(channel) => channels.push((channel.channel.pk, cid)),
            Err(Error::Caller(fault)) if fault.code == ErrorCode::NotFound => unknown.push(cid),
            Err(error) => return Err(error),
        }
    }
    if !unknown.is_empty() {
        return Err(missing(&unknown));
    }
    let user =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let user_id = user.user.id.clone();
    Ok((user, MutePlan { app_pk: caller.app.pk, user_id, channels, expires, now }))
}

/// When a mute of so many milliseconds ends; `None` is never.
fn check_expiration(milliseconds: Option<i64>, now: Timestamp) -> Result<Option<Timestamp>> {
    match milliseconds.unwrap_or(0) {
        0 => Ok(None),
        given if given < 0 => Err(Error::field("expiration", "must not be negative")),
        given => {
            let end = given.checked_mul(1_000_000).and_then(|it| it.checked_add(now.nanoseconds()));
            let end = end.ok_or_else(|| Error::field("expiration", "is too far in the future"))?;
            Ok(Some(Timestamp::from_nanoseconds(end)))
        }
    }
}

fn missing(cids: &[String]) -> Error {
    Error::input(format!("some channels do not exist or were deleted: ({})", cids.join(", ")))
}

/// Locks the channels, all in the same order, and answers where their counters and clocks stand, by key.
async fn lock_channels(tx: &mut Tx, plan: &MutePlan) -> Result<Vec<(i64, Advanced)>> {
    let mut channels: Vec<&(i64, String)> = plan.channels.iter().collect();
    channels.sort();
    let mut locked = Vec::with_capacity(channels.len());
    for (channel_pk, cid) in channels {
        let advanced = tx.advance_channel(*channel_pk, Advance::default(), plan.now).await?;
        locked.push((*channel_pk, advanced.ok_or_else(|| missing(std::slice::from_ref(cid)))?));
    }
    Ok(locked)
}

async fn do_mute(tx: &mut Tx, plan: &MutePlan) -> Result<Muted> {
    let mut mutes = HashMap::new();
    for (channel_pk, advanced) in lock_channels(tx, plan).await? {
        let mute = storage::ChannelMute {
            channel_pk,
            user_id: plan.user_id.clone(),
            expires: plan.expires,
            created_at: plan.now,
            updated_at: plan.now,
        };
        let mute = tx.upsert_channel_mute(plan.app_pk, &mute, advanced.at, advanced.unread_seq).await?;
        mutes.insert(channel_pk, mute);
    }
    let cids: Vec<&str> = plan.channels.iter().map(|(_, cid)| cid.as_str()).collect();
    append_events(tx, plan, "channel.muted", &cids).await?;
    let pks = plan.channels.iter().map(|(pk, _)| *pk).collect();
    let channels = tx.list_channels(pks).await?.into_iter().map(|channel| (channel.pk, channel)).collect();
    Ok((plan.channels.iter().filter_map(|(pk, _)| mutes.remove(pk)).collect(), channels))
}

async fn do_unmute(tx: &mut Tx, plan: &MutePlan) -> Result<()> {
    let mut unmuted = HashSet::new();
    for (channel_pk, advanced) in lock_channels(tx, plan).await? {
        if tx.delete_channel_mute(channel_pk, &plan.user_id, advanced.at, advanced.unread_seq).await? {
            unmuted.insert(channel_pk);
        }
    }
    let of_unmuted = plan.channels.iter().filter(|(pk, _)| unmuted.contains(pk));
    let cids: Vec<&str> = of_unmuted.map(|(_, cid)| cid.as_str()).collect();
    if cids.is_empty() {
        return Ok(());
    }
    append_events(tx, plan, "channel.unmuted", &cids).await
}

/// Tells webhooks which channels, and the user's own connections that the mutes are others now.
async fn append_events(tx: &mut Tx, plan: &MutePlan, kind: &'static str, cids: &[&str]) -> Result<()> {
    // What is muted is gone from the tables when it is no longer.
    let payload = serde_json::json!({ "channel_cids": cids, "expires": plan.expires }).to_string();
    for (kind, payload) in [(kind, Some(payload)), ("notification.channel_mutes_updated", None)] {
        let event =
            UserEvent { app_pk: plan.app_pk, user_id: &plan.user_id, kind, channel_pk: None, payload };
        tx.append_user_event(event, plan.now).await?;
    }
    Ok(())
}

/// The channels that these users have muted at the moment.
pub(super) async fn load_mutes(
    tx: &mut Tx,
    app_pk: i64,
    user_ids: &[String],
    now: Timestamp,
) -> Result<Muted> {
    let mutes = tx.list_channel_mutes(app_pk, user_ids, now, CHANNEL_MUTES_SHOWN_MAX).await?;
    let pks: BTreeSet<i64> = mutes.iter().map(|mute| mute.channel_pk).collect();
    if pks.is_empty() {
        return Ok((mutes, HashMap::new()));
    }
    let channels = tx.list_channels(pks.into_iter().collect()).await?;
    Ok((mutes, channels.into_iter().map(|channel| (channel.pk, channel)).collect()))
}

/// Mutes as they travel on the wire, in their order.
pub(super) async fn present_mutes(
    state: &State,
    caller: &Caller,
    mutes: &[storage::ChannelMute],
    channels: &HashMap<i64, Channel>,
) -> Result<Vec<ChannelMute>> {
    let mut ids: Vec<&str> = mutes.iter().map(|mute| mute.user_id.as_str()).collect();
    for channel in channels.values() {
        ids.extend(channel.created_by_id.as_deref());
        ids.extend(channel.truncated_by_id.as_deref());
    }
    let users = users::shown(state, caller, ids).await?;
    let viewer = access::viewer(state, caller, None).await?;
    let mut shown = Vec::with_capacity(mutes.len());
    for mute in mutes {
        let Some(channel) = channels.get(&mute.channel_pk) else { continue };
        let mut response = access::show_alone(state, caller, viewer.as_ref(), channel, &users).await?;
        present::mute(&mut response, Some(mute));
        shown.push(ChannelMute {
            created_at: mute.created_at,
            updated_at: mute.updated_at,
            expires: mute.expires,
            channel: Some(Arc::new(response)),
            user: Some(users.get(&mute.user_id)),
        });
    }
    Ok(shown)
}
