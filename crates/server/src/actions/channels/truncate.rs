use std::sync::Arc;

use natterjack_protocol::channels::{TruncateChannelRequest, TruncateChannelResponse};
use natterjack_protocol::{Cid, Timestamp, UserId};
use natterjack_storage::{Advance, Advanced, Channel, ChannelEvent, Message, PurgeKind, Tx, UserEvent};

use crate::actions::members::not_a_member;
use crate::actions::messages::{NewSystemMessage, do_send_system_message};
use crate::actions::{bans, check_count, users};
use crate::auth::{Caller, Who};
use crate::error::{Error, Result};
use crate::limits::BATCH_MAX;
use crate::permissions::Action;
use crate::present::{Bundle, MessageContext};
use crate::state::{CachedChannel, CachedUser, Freshness, State, access};

const CHANNEL_TRUNCATED: &str = "channel.truncated";

/// A truncation that may be carried out. Only [`check_truncate`] makes one.
struct TruncatePlan {
    app_pk: i64,
    channel: Arc<CachedChannel>,
    /// `None` takes everything away.
    upto: Option<Timestamp>,
    hard: bool,
    /// The members who lose the messages, sorted; empty means everybody.
    member_ids: Vec<String>,
    message: Option<NewSystemMessage>,
    user_id: Option<String>,
    now: Timestamp,
}

/// What a truncation left.
struct Truncated {
    channel: Channel,
    message: Option<Message>,
    bundle: Bundle,
}

/// Takes the messages up to a moment away from everybody, or from some members.
pub(crate) async fn truncate_channel(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    request: TruncateChannelRequest,
) -> Result<TruncateChannelResponse> {
    let cid = cid.to_string();
    let user =
        users::optional_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    if caller.who == Who::Anonymous {
        return Err(users::anonymous());
    }
    let mut fresh = Freshness::new(caller.app.pk, Some(&cid), &[]);
    let truncated = loop {
        let plan = check_truncate(state, caller, &cid, &request, user.as_ref()).await?;
        let outcome =
            state.store.write("truncate_channel", plan, |tx, plan| Box::pin(do_truncate(tx, plan))).await;
        if let Some(truncated) = fresh.settle(state, outcome)? {
            break truncated;
        }
    };
    state.forget_channel(caller.app.pk, &cid);
    let Truncated { channel, message, bundle } = truncated;
    let mut bundle = bundle.seen_by(caller);
    bundle.add_channel(channel.pk, &channel.cid);
    let viewer = access::viewer(state, caller, user.as_ref()).await?;
    let shown = access::show_alone(state, caller, viewer.as_ref(), &channel, &bundle.users).await?;
    Ok(TruncateChannelResponse {
        channel: Some(Arc::new(shown)),
        message: message.map(|message| bundle.message(&message)),
    })
}

async fn check_truncate(
    state: &State,
    caller: &Caller,
    cid: &str,
    request: &TruncateChannelRequest,
    user: Option<&Arc<CachedUser>>,
) -> Result<TruncatePlan> {
    let access = access::channel(state, caller, cid, &[Action::TruncateChannel]).await?;
    bans::check_not_banned(state, caller, Some(&access)).await?;
    let channel = Arc::clone(&access.cached);
    let now = state.now();
    if request.truncated_at.is_some_and(|moment| moment > now) {
        return Err(Error::field("truncated_at", "must be in the past"));
    }
    let hard = request.hard_delete == Some(true);
    let mut member_ids = request.member_ids.clone();
    check_count("member_ids", member_ids.len(), BATCH_MAX)?;
    for id in &member_ids {
        UserId::parse(id).map_err(|error| Error::id("member_ids", &error))?;
    }
    if hard && !member_ids.is_empty() {
        return Err(Error::field(
            "hard_delete",
            "cannot be used with member_ids: the others keep the messages",
        ));
    }
    member_ids.sort();
    member_ids.dedup();
    let message = match &request.message {
        None => None,
        // Everything was just read, by taking it away: the message is no more unread than what it replaces.
        Some(message) => {
            access.require_thawed()?;
            Some(NewSystemMessage {
                counts_unread: false,
                ..NewSystemMessage::check(state, caller, &access, message, user).await?
            })
        }
    };
    Ok(TruncatePlan {
        app_pk: caller.app.pk,
        channel,
        upto: request.truncated_at,
        hard,
        member_ids,
        message,
        user_id: user.map(|user| user.user.id.clone()),
        now,
    })
}

async fn do_truncate(tx: &mut Tx, plan: &TruncatePlan) -> Result<Truncated> {
    let before = &plan.channel.channel;
    let for_all = plan.member_ids.is_empty();
    let advance = Advance {
        events: i64::from(for_all) + i64::from(plan.message.is_some()),
        version: true,
        ..Advance::default()
    };
    let advanced = tx.advance_channel_on(before.pk, plan.channel.basis(None), advance, plan.now);
    let advanced = advanced.await?.ok_or(Error::Stale)?;
    let upto = plan.upto.unwrap_or(advanced.at);
    if for_all {
        do_truncate_for_all(tx, plan, upto, advanced, advance).await?;
    } else {
        do_truncate_for_members(tx, plan, upto, advanced.at).await?;
    }
    let message = match &plan.message {
        None => None,
        Some(new) => {
            // A moment later, so that the message stays.
            let of_message = Advance {
                messages: 1,
                counting: Some(plan.channel.config.count_messages),
                last_message: !plan.channel.config.skip_last_msg_update_for_system_msgs,
                ..Advance::default()
            };
            let advanced = tx.advance_channel(before.pk, of_message, plan.now).await?.ok_or(Error::Stale)?;
            Some(do_send_system_message(tx, plan.app_pk, before.pk, new, advanced).await?)
        }
    };
    let channel = tx.find_channel(plan.app_pk, &before.cid).await?.ok_or(Error::Stale)?;
    let users = [&channel.created_by_id, &channel.truncated_by_id].into_iter().flatten().cloned();
    let context = MessageContext { app_pk: plan.app_pk, ..MessageContext::default() };
    let messages: Vec<&Message> = message.iter().collect();
    let bundle = Bundle::load(tx, context, &messages, users, plan.now).await?;
    Ok(Truncated { channel, message, bundle })
}

/// A few rows whatever the number of messages and members: what is left over is purged later.
async fn do_truncate_for_all(
    tx: &mut Tx,
    plan: &TruncatePlan,
    upto: Timestamp,
    advanced: Advanced,
    advance: Advance,
) -> Result<()> {
    let channel_pk = plan.channel.channel.pk;
    tx.truncate_channel(channel_pk, upto, plan.user_id.as_deref(), advanced.at).await?;
    let kind = if plan.hard { PurgeKind::Messages } else { PurgeKind::History };
    tx.insert_purge(channel_pk, kind, upto, advanced.at).await?;
    let event = ChannelEvent {
        channel_pk,
        seq: advanced.event_seq - advance.events + 1,
        kind: CHANNEL_TRUNCATED,
        user_id: plan.user_id.as_deref(),
        message_id: plan.message.as_ref().map(|message| message.id.as_str()),
        payload: Some(serde_json::json!({ "truncated_at": upto, "hard_delete": plan.hard }).to_string()),
    };
    Ok(tx.append_channel_event(event, advanced.at).await?)
}

/// Only these members lose the messages, and only they are told.
async fn do_truncate_for_members(
    tx: &mut Tx,
    plan: &TruncatePlan,
    upto: Timestamp,
    at: Timestamp,
) -> Result<()> {
    let channel = &plan.channel.channel;
    let found = tx.truncate_for_members(channel.pk, plan.member_ids.clone(), upto, at).await?;
    if let Some(stranger) = plan.member_ids.iter().find(|id| !found.contains(id)) {
        return Err(not_a_member(stranger, &channel.cid));
    }
    let event = UserEvent {
        app_pk: plan.app_pk,
        user_id: "",
        kind: CHANNEL_TRUNCATED,
        channel_pk: Some(channel.pk),
        payload: Some(serde_json::json!({ "truncated_at": upto }).to_string()),
    };
    Ok(tx.append_user_events(&found, event, at).await?)
}
