use std::sync::Arc;

use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::messages::UndeleteMessageRequest;
use natterjack_protocol::{MessageId, Timestamp};
use natterjack_storage::{Advance, ChannelEvent, Message, Tx};

use super::read::lock_in_channel;
use crate::actions::users;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::present::{Bundle, MessageContext};
use crate::state::{CachedChannel, State, access};

/// An undeletion that may be carried out. Only [`check_undelete`] makes one.
struct UndeletePlan {
    app_pk: i64,
    channel: Arc<CachedChannel>,
    message_id: String,
    undeleted_by: String,
    now: Timestamp,
}

/// Brings a softly deleted message back: it counts again wherever it counted before.
pub(crate) async fn undelete_message(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    request: UndeleteMessageRequest,
) -> Result<MessageResponse> {
    let plan = check_undelete(state, caller, id, &request).await?;
    let channel = Arc::clone(&plan.channel);
    let (message, mut bundle) =
        state.store.write("undelete_message", plan, |tx, plan| Box::pin(do_undelete(tx, plan))).await?;
    bundle.add_channel(message.channel_pk, &channel.channel.cid);
    Ok(bundle.seen_by(caller).message(&message))
}

async fn check_undelete(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    request: &UndeleteMessageRequest,
) -> Result<UndeletePlan> {
    if request.undeleted_by.is_empty() {
        return Err(Error::required("undeleted_by"));
    }
    let user = users::existing(state, caller, "undeleted_by", &request.undeleted_by).await?;
    users::check_active(&user)?;
    let (message, channel) = access::message(state, caller, id, access::READ).await?;
    check_deleted(&message)?;
    Ok(UndeletePlan {
        app_pk: caller.app.pk,
        channel: channel.cached,
        message_id: message.id,
        undeleted_by: user.user.id.clone(),
        now: state.now(),
    })
}

fn check_deleted(message: &Message) -> Result<()> {
    if message.deleted_at.is_none() {
        return Err(Error::field("id", format!("names a message that is not deleted: {}", message.id)));
    }
    Ok(())
}

async fn do_undelete(tx: &mut Tx, plan: &UndeletePlan) -> Result<(Message, Bundle)> {
    let gone = || Error::not_found("message", &plan.message_id);
    let channel_pk = plan.channel.channel.pk;
    // Locks the channel, so that what is found below stays as it is.
    let locked = tx.advance_channel(channel_pk, Advance::default(), plan.now).await?.ok_or_else(gone)?;
    let message = lock_in_channel(tx, plan.app_pk, channel_pk, locked.history_from, &plan.message_id).await?;
    check_deleted(&message)?;
    let parent = match &message.parent_id {
        Some(parent_id) => Some(lock_parent(tx, plan, parent_id).await?),
        None => None,
    };
    let events = if parent.is_some() { 2 } else { 1 };
    let counting = Some(plan.channel.config.count_messages);
    let advance = Advance { events, messages: 1, counting, ..Advance::default() };
    let advanced = tx.advance_channel(channel_pk, advance, plan.now).await?.ok_or_else(gone)?;
    do_bring_back(tx, &message, advanced.at).await?;
    let event = ChannelEvent {
        channel_pk,
        seq: advanced.event_seq - events + 1,
        kind: "message.undeleted",
        user_id: Some(&plan.undeleted_by),
        message_id: Some(&message.id),
        payload: None,
    };
    tx.append_channel_event(event, advanced.at).await?;
    if let Some(parent) = &parent {
        let event = ChannelEvent {
            channel_pk,
            seq: advanced.event_seq,
            kind: "message.updated",
            user_id: Some(&plan.undeleted_by),
            message_id: Some(&parent.id),
            payload: None,
        };
        tx.append_channel_event(event, advanced.at).await?;
    }
    let undeleted = Message { deleted_at: None, updated_at: advanced.at, ..message };
    let context = MessageContext { app_pk: plan.app_pk, ..MessageContext::default() };
    let bundle = Bundle::load(tx, context, &[&undeleted], [], plan.now).await?;
    Ok((undeleted, bundle))
}

/// Takes a soft deletion back, with everything that goes with it but the counters of the channel, which is locked.
pub(super) async fn do_bring_back(tx: &mut Tx, message: &Message, at: Timestamp) -> Result<()> {
    tx.undelete_message(message.pk, at).await?;
    if message.counts_unread {
        tx.delete_unread_gap(message.channel_pk, message.unread_seq).await?;
    }
    tx.settle_undeleted(message).await?;
    let Some(parent_pk) = message.parent_pk else { return Ok(()) };
    tx.update_reply_counts(parent_pk, 1, -1).await?;
    // A shadowed reply counts for nobody in any case.
    if let Some(seq) = message.thread_seq.filter(|_| !message.shadowed) {
        tx.delete_thread_unread_gap(parent_pk, seq, &message.user_id).await?;
    }
    Ok(())
}

/// The parent of a reply, which has to be there and not deleted.
async fn lock_parent(tx: &mut Tx, plan: &UndeletePlan, parent_id: &str) -> Result<Message> {
    let parent = tx.lock_message(plan.app_pk, parent_id).await?;
    parent.filter(|parent| parent.deleted_at.is_none()).ok_or_else(|| {
        Error::field("id", format!("names a reply to a message that is deleted: {}", plan.message_id))
    })
}
