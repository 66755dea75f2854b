use std::sync::Arc;

use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::messages::DeleteMessageQuery;
use natterjack_protocol::{MessageId, Timestamp};
use natterjack_storage::{Advance, ChannelEvent, Message, Tx, UserEvent, VersionEnd};

use super::read::lock_in_channel;
use crate::actions::{bans, given, users};
use crate::auth::{Caller, Who};
use crate::error::{Error, Result};
use crate::limits::DELETE_FOR_ME_MAX;
use crate::permissions::Action;
use crate::present::{Bundle, MessageContext};
use crate::state::{CachedChannel, State, access};

/// How a message is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Deletion {
    /// It stays in lists as a tombstone.
    Soft,
    /// It is gone, with its reactions and replies.
    Hard,
    /// One user sees it as deleted.
    ForUser(String),
}

/// A deletion that may be carried out.
struct DeletePlan {
    app_pk: i64,
    channel: Arc<CachedChannel>,
    message_id: String,
    deletion: Deletion,
    deleted_by: Option<String>,
    now: Timestamp,
}

/// Deletes a message.
pub(crate) async fn delete_message(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    query: DeleteMessageQuery,
) -> Result<MessageResponse> {
    let plan = check_delete(state, caller, id, &query).await?;
    let channel = Arc::clone(&plan.channel);
    let (message, mut bundle) =
        state.store.write("delete_message", plan, |tx, plan| Box::pin(do_delete(tx, plan))).await?;
    bundle.add_channel(message.channel_pk, &channel.channel.cid);
    Ok(bundle.seen_by(caller).message(&message))
}

async fn check_delete(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    query: &DeleteMessageQuery,
) -> Result<DeletePlan> {
    let hard = query.hard == Some(true);
    let for_me = query.delete_for_me == Some(true);
    if hard && for_me {
        return Err(Error::input("hard and delete_for_me cannot be used together"));
    }
    if caller.who == Who::Anonymous {
        return Err(users::anonymous());
    }
    let deleted_by = match (caller.user_id(), given(query.deleted_by.as_ref())) {
        (Some(id), _) => Some(id.as_str().to_owned()),
        (None, Some(id)) => Some(users::existing(state, caller, "deleted_by", id).await?.user.id.clone()),
        (None, None) => None,
    };
    let deletion = match (hard, for_me, &deleted_by) {
        (true, ..) => Deletion::Hard,
        (false, true, Some(user_id)) => Deletion::ForUser(user_id.clone()),
        (false, true, None) => return Err(Error::required("deleted_by")),
        (false, false, _) => Deletion::Soft,
    };
    let (message, access) = access::message(state, caller, id, access::ANY).await?;
    bans::check_not_banned(state, caller, Some(&access)).await?;
    match deletion {
        Deletion::ForUser(_) => access.require(Action::ReadChannel)?,
        Deletion::Soft | Deletion::Hard => access.require_to(Action::DeleteMessage, &message.user_id)?,
    }
    Ok(DeletePlan {
        app_pk: caller.app.pk,
        channel: access.cached,
        message_id: message.id,
        deletion,
        deleted_by,
        now: state.now(),
    })
}

async fn do_delete(tx: &mut Tx, plan: &DeletePlan) -> Result<(Message, Bundle)> {
    let gone = || Error::not_found("message", &plan.message_id);
    // Locks the channel, so that what is counted below stays as it is.
    let channel_pk = plan.channel.channel.pk;
    let locked = tx.advance_channel(channel_pk, Advance::default(), plan.now).await?.ok_or_else(gone)?;
    let found = lock_in_channel(tx, plan.app_pk, channel_pk, locked.history_from, &plan.message_id).await?;
    let context = MessageContext { app_pk: plan.app_pk, ..MessageContext::default() };
    if let Deletion::ForUser(user_id) = &plan.deletion {
        do_delete_for(tx, plan, &found, user_id).await?;
        let context = MessageContext { viewer: Some(user_id.clone()), ..context };
        let bundle = Bundle::load(tx, context, &[&found], [], plan.now).await?;
        return Ok((found, bundle));
    }
    if plan.deletion == Deletion::Soft && found.deleted_at.is_some() {
        // Deleting twice changes nothing.
        let bundle = Bundle::load(tx, context, &[&found], [], plan.now).await?;
        return Ok((found, bundle));
    }
    let hard = plan.deletion == Deletion::Hard;
    let bundle = Bundle::load(tx, context, &[&found], [], plan.now).await?;
    let taken = TakenAway {
        hard,
        without_system: plan.channel.config.skip_last_msg_update_for_system_msgs,
        by: plan.deleted_by.as_deref(),
        at: locked.at,
    };
    // All of it is shown, or it would not have been found.
    let fewer = do_take_away(tx, &found, taken, Timestamp::default()).await?;
    let is_live_reply = found.parent_pk.is_some() && found.deleted_at.is_none();
    let advance =
        Advance { events: if is_live_reply { 2 } else { 1 }, messages: -fewer, ..Advance::default() };
    let advanced = tx.advance_channel(channel_pk, advance, plan.now).await?.ok_or_else(gone)?;
    let deleted = Message { deleted_at: Some(locked.at), updated_at: locked.at, pin: None, ..found };
    let first = advanced.event_seq - advance.events + 1;
    let event = ChannelEvent {
        channel_pk,
        seq: first,
        kind: "message.deleted",
        user_id: plan.deleted_by.as_deref(),
        message_id: Some(&deleted.id),
        payload: Some(deletion_payload(&deleted, hard)),
    };
    tx.append_channel_event(event, advanced.at).await?;
    if is_live_reply {
        let message_id = deleted.parent_id.as_deref();
        let user_id = plan.deleted_by.as_deref();
        let kind = "message.updated";
        let event = ChannelEvent { channel_pk, seq: first + 1, kind, user_id, message_id, payload: None };
        tx.append_channel_event(event, advanced.at).await?;
    }
    Ok((deleted, bundle))
}

/// What the log says of a deletion. Of a message that is gone for good it says who may hear of it, and what clients
/// find it by.
pub(super) fn deletion_payload(message: &Message, hard: bool) -> String {
    let gone = hard.then(|| {
        serde_json::json!({
            "user_id": message.user_id,
            "parent_id": message.parent_id,
            "show_in_channel": message.extra.show_in_channel,
            "restricted_visibility": message.restricted_visibility,
            "created_at": message.created_at,
        })
    });
    serde_json::json!({ "hard_delete": hard, "gone": gone }).to_string()
}

/// How a message is taken away.
#[derive(Debug, Clone, Copy)]
pub(super) struct TakenAway<'a> {
    /// With its replies and for good.
    pub(super) hard: bool,
    /// Whether system messages are passed over in the channel's `last_message_at`.
    pub(super) without_system: bool,
    /// Whoever is said to have done it.
    pub(super) by: Option<&'a str>,
    pub(super) at: Timestamp,
}

/// Takes a message away, and out of everything that counts it but the channel's own counters. The channel is locked.
/// Answers how many messages the channel shows less, of those behind `shown_from`.
pub(super) async fn do_take_away(
    tx: &mut Tx,
    found: &Message,
    taken: TakenAway<'_>,
    shown_from: Timestamp,
) -> Result<i64> {
    let hard = taken.hard;
    // What counts of it and, when it goes with its replies, of them.
    let counted = tx.list_counted(found.pk, hard).await?;
    let gaps: Vec<i64> = counted.iter().filter_map(|message| message.unread_seq).collect();
    tx.insert_unread_gaps(found.channel_pk, &gaps).await?;
    tx.restore_own_unread(found, hard).await?;
    tx.settle_restricted(found, hard).await?;
    if hard {
        tx.delete_message_rows(found.pk).await?;
        tx.refresh_last_message_at(found.channel_pk, taken.without_system).await?;
    } else {
        // A server that names nobody deletes in the name of the author.
        let by_id = taken.by.unwrap_or(&found.user_id);
        let end = VersionEnd { is_deletion: true, at: taken.at, by_id };
        tx.insert_message_history(found, end).await?;
        tx.delete_message_softly(found.pk, taken.at).await?;
    }
    if let Some(parent_pk) = found.parent_pk
        && found.deleted_at.is_none()
    {
        // The parent counts one reply less, and who had not read the reply has one less to read.
        tx.update_reply_counts(parent_pk, -1, 1).await?;
        if let Some(seq) = found.thread_seq {
            tx.insert_thread_unread_gap(parent_pk, seq, &found.user_id).await?;
        }
    }
    Ok(counted.iter().filter(|message| message.created_at > shown_from).count() as i64)
}

async fn do_delete_for(tx: &mut Tx, plan: &DeletePlan, message: &Message, user_id: &str) -> Result<()> {
    let count = tx.count_messages_hidden_for(message.channel_pk, user_id).await?;
    let hidden = tx.hide_message_for(message, user_id, plan.now).await?;
    if !hidden {
        return Ok(());
    }
    if count >= DELETE_FOR_ME_MAX {
        return Err(Error::field(
            "delete_for_me",
            format!("is limited to {DELETE_FOR_ME_MAX} messages of a channel"),
        ));
    }
    let payload =
        serde_json::json!({ "message_id": message.id, "deleted_for_me": true, "hard_delete": false });
    let event = UserEvent {
        app_pk: plan.app_pk,
        user_id,
        kind: "message.deleted",
        channel_pk: Some(message.channel_pk),
        payload: Some(payload.to_string()),
    };
    tx.append_user_event(event, plan.now).await?;
    Ok(())
}
