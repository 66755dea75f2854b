use natterjack_protocol::channels::{HideChannelRequest, ShowChannelRequest};
use natterjack_protocol::{Cid, Timestamp};
use natterjack_storage::{Advance, Tx, UserEvent};

use crate::actions::members::not_a_member;
use crate::actions::users;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::state::{CachedUser, State, access};

/// Whether a member sees a channel in the lists.
struct HidePlan {
    app_pk: i64,
    cid: String,
    user_id: String,
    hidden: bool,
    clear_history: bool,
    /// Whether the call does nothing, instead of being refused, for who is no member and has no lists of channels.
    passes_others: bool,
    now: Timestamp,
}

/// Hides a channel from one member until the next message.
pub(crate) async fn hide_channel(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    request: HideChannelRequest,
) -> Result<()> {
    let user =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    write(state, caller, cid, &user, true, request.clear_history == Some(true)).await
}

/// Shows a channel again to a member who has hidden it.
pub(crate) async fn show_channel(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    request: ShowChannelRequest,
) -> Result<()> {
    let user =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    write(state, caller, cid, &user, false, false).await
}

async fn write(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    user: &CachedUser,
    hidden: bool,
    clear_history: bool,
) -> Result<()> {
    access::channel(state, caller, &cid.to_string(), access::READ).await?;
    let plan = HidePlan {
        app_pk: caller.app.pk,
        cid: cid.to_string(),
        user_id: user.user.id.clone(),
        hidden,
        clear_history,
        passes_others: caller.is_server()
            && state.current_app(&caller.app).app.settings.channel_hide_members_only != Some(true),
        now: state.now(),
    };
    let name = if hidden { "hide_channel" } else { "show_channel" };
    state.store.write(name, plan, |tx, plan| Box::pin(do_hide(tx, plan))).await
}

async fn do_hide(tx: &mut Tx, plan: &HidePlan) -> Result<()> {
    let gone = || Error::not_found("channel", &plan.cid);
    let channel = tx.lock_channel(plan.app_pk, &plan.cid).await?;
    let channel = channel.filter(|channel| channel.deleted_at.is_none()).ok_or_else(gone)?;
    let Some(member) = tx.find_member(channel.pk, &plan.user_id).await? else {
        return if plan.passes_others { Ok(()) } else { Err(not_a_member(&plan.user_id, &plan.cid)) };
    };
    if member.hidden == plan.hidden && !plan.clear_history {
        // Nothing changes, and nobody is told.
        return Ok(());
    }
    // The channel's own moment stands between the messages that are there and those to come.
    let advanced = tx.advance_channel(channel.pk, Advance::default(), plan.now).await?.ok_or_else(gone)?;
    let hide_before = plan.clear_history.then_some(advanced.at);
    tx.hide_channel_for(channel.pk, &plan.user_id, plan.hidden, hide_before).await?;
    let event = UserEvent {
        app_pk: plan.app_pk,
        user_id: &plan.user_id,
        kind: if plan.hidden { "channel.hidden" } else { "channel.visible" },
        channel_pk: Some(channel.pk),
        payload: plan.hidden.then(|| serde_json::json!({ "clear_history": plan.clear_history }).to_string()),
    };
    Ok(tx.append_user_event(event, advanced.at).await?)
}
