use std::sync::Arc;

use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::messages::{GetManyMessagesQuery, GetMessageQuery};
use natterjack_protocol::{Cid, MessageId, Timestamp};
use natterjack_storage::{Message, Tx};

use crate::actions::channels::check_member_custom_include;
use crate::actions::{check_count, message_id};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::MANY_MESSAGES_MAX;
use crate::present::{self, Bundle, MessageContext};
use crate::state::{CachedChannel, State};

/// A message and the channel in which it is seen.
///
/// # Errors
/// When there is no such message, or its channel is deleted, or it lies before what the channel shows.
pub(crate) async fn find_with_channel(
    state: &State,
    caller: &Caller,
    id: &MessageId,
) -> Result<(Message, Arc<CachedChannel>)> {
    let dropped = state.dropped();
    let found = state
        .store
        .read("find_message_with_channel", (caller.app.pk, id.clone()), |tx, (app_pk, id)| {
            Box::pin(async move {
                let Some(message) = tx.find_message(*app_pk, id.as_str()).await? else { return Ok(None) };
                let channel = tx.list_channels(vec![message.channel_pk]).await?.pop();
                Ok::<_, Error>(channel.map(|channel| (message, channel)))
            })
        })
        .await?;
    let (message, channel) = found
        .filter(|(message, channel)| {
            channel.deleted_at.is_none() && message.created_at > channel.history_from
        })
        .ok_or_else(|| Error::not_found("message", id.as_str()))?;
    Ok((message, state.remember_channel(&caller.app, channel, dropped)))
}

/// Within a transaction that has locked the channel, whose history begins after `history_from`: the message, kept from
/// changing, when it is still seen there.
pub(super) async fn lock_in_channel(
    tx: &mut Tx,
    app_pk: i64,
    channel_pk: i64,
    history_from: Timestamp,
    id: &str,
) -> Result<Message> {
    tx.lock_message(app_pk, id)
        .await?
        .filter(|message| message.channel_pk == channel_pk && message.created_at > history_from)
        .ok_or_else(|| Error::not_found("message", id))
}

/// One message with its channel.
pub(crate) async fn get_message(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    query: GetMessageQuery,
) -> Result<MessageResponse> {
    let (message, channel) = find_with_channel(state, caller, id).await?;
    let context = MessageContext {
        show_deleted: query.show_deleted_message == Some(true) && caller.is_server(),
        ..MessageContext::of(caller)
    };
    let more_users: Vec<String> = [&channel.channel.created_by_id, &channel.channel.truncated_by_id]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let (message, mut bundle) = load(state, context, vec![message], more_users).await?;
    bundle.add_channel(channel.channel.pk, &channel.channel.cid);
    let message = message.first().ok_or_else(|| Error::not_found("message", id.as_str()))?;
    let mut response = bundle.message(message);
    response.channel =
        Some(Arc::new(present::channel(&channel.channel, &channel.config, &bundle.users, None)));
    Ok(response)
}

/// Several messages of one channel. Those that are not there are just missing.
pub(crate) async fn get_many_messages(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    query: GetManyMessagesQuery,
) -> Result<Vec<MessageResponse>> {
    let ids = query.ids.0;
    if ids.is_empty() {
        return Err(Error::required("ids"));
    }
    check_count("ids", ids.len(), MANY_MESSAGES_MAX)?;
    for id in &ids {
        message_id("ids", id)?;
    }
    let include = check_member_custom_include(query.member_custom_include.0)?;
    let input = (caller.app.pk, cid.to_string(), ids);
    let (channel, found) = state
        .store
        .read("list_messages_with_ids", input, |tx, (app_pk, cid, ids)| {
            Box::pin(async move {
                let channel = tx.find_channel(*app_pk, cid).await?;
                let channel = channel.filter(|channel| channel.deleted_at.is_none());
                let channel = channel.ok_or_else(|| Error::not_found("channel", cid))?;
                Ok::<_, Error>((channel, tx.list_messages_with_ids(*app_pk, ids.clone()).await?))
            })
        })
        .await?;
    let here = found
        .into_iter()
        .filter(|message| message.channel_pk == channel.pk && message.created_at > channel.history_from)
        .collect();
    let context = MessageContext { member_custom_include: include, ..MessageContext::of(caller) };
    let (messages, mut bundle) = load(state, context, here, Vec::new()).await?;
    bundle.add_channel(channel.pk, &channel.cid);
    Ok(messages.iter().map(|message| bundle.message(message)).collect())
}

/// Reads what messages refer to.
async fn load(
    state: &State,
    context: MessageContext,
    messages: Vec<Message>,
    more_users: Vec<String>,
) -> Result<(Vec<Message>, Bundle)> {
    let input = (context, messages, more_users, state.now());
    state
        .store
        .read("load_messages", input, |tx, (context, messages, more_users, now)| {
            Box::pin(async move {
                let referring: Vec<&Message> = messages.iter().collect();
                let bundle =
                    Bundle::load(tx, context.clone(), &referring, more_users.iter().cloned(), *now).await?;
                Ok::<_, Error>((messages.clone(), bundle))
            })
        })
        .await
}
