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
use crate::present::{Bundle, MessageContext};
use crate::state::{State, access};

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
    let (message, channel) = access::message(state, caller, id, access::READ).await?;
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
    let viewer = access::viewer(state, caller, None).await?;
    let shown = access::show_alone(state, caller, viewer.as_ref(), &channel.channel, &bundle.users);
    response.channel = Some(Arc::new(shown.await?));
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
    let viewer = caller.user_id().map(|id| id.as_str().to_owned());
    let input = (caller.app.pk, cid.to_string(), ids, viewer);
    let (channel, member, found) = state
        .store
        .read("list_messages_with_ids", input, |tx, (app_pk, cid, ids, viewer)| {
            Box::pin(async move {
                let channel = tx.find_channel(*app_pk, cid).await?;
                let channel = channel.filter(|channel| channel.deleted_at.is_none());
                let channel = channel.ok_or_else(|| Error::not_found("channel", cid))?;
                let member = match viewer {
                    Some(viewer) => tx.find_member(channel.pk, viewer).await?,
                    None => None,
                };
                Ok::<_, Error>((channel, member, tx.list_messages_with_ids(*app_pk, ids.clone()).await?))
            })
        })
        .await?;
    let access = access::this_channel(state, caller, channel, access::READ).await?;
    let channel = &access.channel;
    let from = channel.shown_from(member.as_ref());
    let here = found
        .into_iter()
        .filter(|message| message.channel_pk == channel.pk && message.created_at > from)
        .filter(|message| access.sees(message))
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
