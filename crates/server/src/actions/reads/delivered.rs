use std::collections::BTreeMap;

use natterjack_protocol::Timestamp;
use natterjack_protocol::reads::{MarkDeliveredQuery, MarkDeliveredRequest};
use natterjack_storage::{Advance, ChannelEvent, Message, Tx};

use crate::actions::{check_count, given, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::DELIVERED_MESSAGES_MAX;
use crate::present;
use crate::state::{State, access};

/// Deliveries that may be noted. Only [`mark_delivered`] makes one.
struct DeliveredPlan {
    app_pk: i64,
    user_id: String,
    /// The message ids as the request names them, by cid.
    ids: Vec<(String, String)>,
    /// Whether others get to know, by cid of the channels that exist.
    is_public: BTreeMap<String, bool>,
    now: Timestamp,
}

/// Notes which messages have reached a user. What is not there, and what the user is no member of, is passed over.
pub(crate) async fn mark_delivered(
    state: &State,
    caller: &Caller,
    query: &MarkDeliveredQuery,
    request: MarkDeliveredRequest,
) -> Result<()> {
    const FIELD: &str = "latest_delivered_messages";
    let user_id = match (given(query.user_id.as_ref()), given(request.user_id.as_ref())) {
        (Some(one), Some(other)) if one != other => {
            return Err(Error::field("user_id", "names another user in the query than in the body"));
        }
        (Some(_), _) => query.user_id.as_ref(),
        (None, _) => request.user_id.as_ref(),
    };
    // Older clients name the same user in the query and by an object.
    let object = request.user.as_ref().filter(|user| given(user_id) != Some(user.id.as_str()));
    let user = users::acting_user(state, caller, "user", user_id, object).await?;
    let named = request.latest_delivered_messages;
    if named.is_empty() {
        return Err(Error::required(FIELD));
    }
    check_count(FIELD, named.len(), DELIVERED_MESSAGES_MAX)?;
    let mut is_public = BTreeMap::new();
    for named in &named {
        let channel = match access::channel(state, caller, &named.cid, access::READ).await {
            Ok(channel) => channel,
            Err(Error::Caller(_)) => continue,
            Err(error) => return Err(error),
        };
        let shown = channel.config.delivery_events && present::shows_deliveries(&user.response);
        is_public.insert(named.cid.clone(), shown);
    }
    let plan = DeliveredPlan {
        app_pk: caller.app.pk,
        user_id: user.user.id.clone(),
        ids: named.into_iter().map(|named| (named.cid, named.id)).collect(),
        is_public,
        now: state.now(),
    };
    state.store.write("mark_delivered", plan, |tx, plan| Box::pin(do_mark_delivered(tx, plan))).await
}

/// Notes the latest message of each channel, in the order of their cids, so that two such transactions wait for each
/// other's channels in the same order.
async fn do_mark_delivered(tx: &mut Tx, plan: &DeliveredPlan) -> Result<()> {
    let ids = plan.ids.iter().map(|(_, id)| id.clone()).collect();
    let messages = tx.list_messages_with_ids(plan.app_pk, ids).await?;
    let messages: BTreeMap<&str, &Message> =
        messages.iter().map(|message| (message.id.as_str(), message)).collect();
    for (cid, is_public) in &plan.is_public {
        let named =
            plan.ids.iter().filter(|(of, _)| of == cid).filter_map(|(_, id)| messages.get(id.as_str()));
        let latest = named.filter(|message| message.in_channel).max_by_key(|message| message.created_at);
        if let Some(message) = latest {
            do_note(tx, plan, cid, message, *is_public).await?;
        }
    }
    Ok(())
}

async fn do_note(
    tx: &mut Tx,
    plan: &DeliveredPlan,
    cid: &str,
    message: &Message,
    is_public: bool,
) -> Result<()> {
    let locked = tx.lock_channel(plan.app_pk, cid).await?;
    let is_here = locked.is_some_and(|channel| {
        channel.pk == message.channel_pk
            && channel.deleted_at.is_none()
            && message.created_at > channel.history_from
    });
    if !is_here || !tx.update_delivered(message, &plan.user_id, plan.now).await? || !is_public {
        return Ok(());
    }
    let advance = Advance { events: 1, ..Advance::default() };
    let advanced = tx.advance_channel(message.channel_pk, advance, plan.now).await?;
    let advanced = advanced.ok_or_else(|| Error::not_found("channel", cid))?;
    let payload = serde_json::json!({
        "last_delivered_at": plan.now,
        "last_delivered_message_id": message.id,
    });
    let event = ChannelEvent {
        channel_pk: message.channel_pk,
        seq: advanced.event_seq,
        kind: "message.delivered",
        user_id: Some(&plan.user_id),
        message_id: Some(&message.id),
        payload: Some(payload.to_string()),
    };
    Ok(tx.append_channel_event(event, advanced.at).await?)
}
