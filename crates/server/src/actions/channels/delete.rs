use natterjack_protocol::channel_state::ChannelResponse;
use natterjack_protocol::{Cid, Timestamp};
use natterjack_storage::{Advance, Channel, ChannelEvent, PurgeKind, Tx, UserEvent};

use super::create;
use crate::actions::{bans, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::permissions::Action;
use crate::state::access::Access;
use crate::state::{State, access};

/// A deletion that may be carried out.
struct DeletePlan {
    app_pk: i64,
    cid: String,
    hard: bool,
    /// Whether the channel may be one that is deleted softly.
    again: bool,
    now: Timestamp,
}

/// Members of a deleted channel that are told, at most. Who is not told learns of it with the next query.
const NOTIFIED_MAX: i64 = 1000;

/// Deletes a channel: hidden from everybody, or removed with all that is in it. A server may also remove what was hidden
/// before.
pub(crate) async fn delete_channel(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    hard_delete: bool,
) -> Result<ChannelResponse> {
    let access = find_to_delete(state, caller, &cid.to_string(), hard_delete).await?;
    bans::check_not_banned(state, caller, Some(&access)).await?;
    let plan = DeletePlan {
        app_pk: caller.app.pk,
        cid: cid.to_string(),
        hard: hard_delete,
        again: hard_delete && caller.is_server(),
        now: state.now(),
    };
    let channel = state.store.write("delete_channel", plan, |tx, plan| Box::pin(do_delete(tx, plan))).await?;
    state.forget_channel(caller.app.pk, &channel.cid);
    let ids = [&channel.created_by_id, &channel.truncated_by_id].into_iter().flatten();
    let users = users::shown(state, caller, ids.map(String::as_str)).await?;
    let viewer = access::viewer(state, caller, None).await?;
    access::show_alone(state, caller, viewer.as_ref(), &channel, &users).await
}

async fn find_to_delete(state: &State, caller: &Caller, cid: &str, hard: bool) -> Result<Access> {
    if !hard || !caller.is_server() {
        return access::channel(state, caller, cid, &[Action::DeleteChannel]).await;
    }
    let found = create::find(state, caller, cid).await?;
    let channel = found.ok_or_else(|| Error::not_found("channel", cid))?;
    access::this_channel(state, caller, channel, &[Action::DeleteChannel]).await
}

async fn do_delete(tx: &mut Tx, plan: &DeletePlan) -> Result<Channel> {
    let gone = || Error::not_found("channel", &plan.cid);
    let channel = tx.lock_channel(plan.app_pk, &plan.cid).await?.ok_or_else(gone)?;
    if channel.deleted_at.is_some() && !plan.again {
        return Err(gone());
    }
    do_delete_channel(tx, channel, plan.hard, plan.now).await
}

/// Deletes a channel whose row is locked.
pub(crate) async fn do_delete_channel(
    tx: &mut Tx,
    channel: Channel,
    hard: bool,
    now: Timestamp,
) -> Result<Channel> {
    let deleted = do_mark_deleted(tx, channel, hard, now).await?;
    do_notify(tx, &deleted, hard, now).await?;
    if hard {
        do_bury(tx, &deleted).await?;
    }
    Ok(deleted)
}

/// Hides a channel from everybody, and says so in its log, which ends with that. Its members are not told yet.
pub(super) async fn do_mark_deleted(
    tx: &mut Tx,
    channel: Channel,
    hard: bool,
    now: Timestamp,
) -> Result<Channel> {
    if channel.deleted_at.is_some() {
        return Ok(channel);
    }
    let advance = Advance { events: 1, version: true, ..Advance::default() };
    let advanced = tx.advance_channel(channel.pk, advance, now).await?;
    let advanced = advanced.ok_or_else(|| Error::not_found("channel", &channel.cid))?;
    tx.delete_channel_softly(channel.pk, advanced.at).await?;
    let event = ChannelEvent {
        channel_pk: channel.pk,
        seq: advanced.event_seq,
        kind: "channel.deleted",
        user_id: None,
        message_id: None,
        payload: Some(serde_json::json!({ "cid": channel.cid, "hard_delete": hard }).to_string()),
    };
    tx.append_channel_event(event, advanced.at).await?;
    Ok(Channel { deleted_at: Some(advanced.at), updated_at: advanced.at, ..channel })
}

/// Makes the id of a deleted channel free and has its rows removed in the background.
pub(crate) async fn do_bury(tx: &mut Tx, deleted: &Channel) -> Result<()> {
    let at = deleted.deleted_at.unwrap_or(deleted.updated_at);
    tx.bury_channel(deleted.pk, at).await?;
    Ok(tx.insert_purge(deleted.pk, PurgeKind::Channel, at, at).await?)
}

/// Tells the members that their channel is gone.
pub(super) async fn do_notify(tx: &mut Tx, channel: &Channel, hard: bool, at: Timestamp) -> Result<()> {
    let members = tx.list_members_of_channels(&[channel.pk], NOTIFIED_MAX, 0).await?;
    let payload = serde_json::json!({ "cid": channel.cid, "hard_delete": hard }).to_string();
    let members: Vec<String> = members.into_iter().flatten().map(|member| member.user_id).collect();
    let event = UserEvent {
        app_pk: channel.app_pk,
        user_id: "",
        kind: "notification.channel_deleted",
        channel_pk: Some(channel.pk),
        payload: Some(payload),
    };
    Ok(tx.append_user_events(&members, event, at).await?)
}
