use natterjack_protocol::messages::{
    DeleteMessage, DeleteMessageResponse, GetManyMessages, GetManyMessagesResponse, GetMessage,
    GetMessageResponse, GetPinnedMessages, GetPinnedMessagesResponse, GetReplies, GetRepliesResponse,
    QueryMessageHistory, QueryMessageHistoryResponse, SendMessage, SendMessageResponse, UndeleteMessage,
    UndeleteMessageResponse, UpdateMessage, UpdateMessagePartial, UpdateMessagePartialResponse,
    UpdateMessageResponse,
};
use natterjack_storage::ToldChange;

use super::Call;
use super::reply::Dialect;
use crate::actions::{cid_of, message_id, messages, replies};
use crate::error::Result;

pub(crate) async fn send_message(call: Call<SendMessage>) -> Result<SendMessageResponse> {
    let Call { state, caller, dialect, path, body, .. } = call;
    let mut sent = messages::send_message(&state, &caller, &cid_of(&path)?, body).await?;
    // In version 1 the answer is the sender's, who notices nothing of a shadow ban, also where a server hands it on.
    sent.message.shadowed &= dialect == Dialect::V2;
    Ok(sent)
}

pub(crate) async fn get_message(call: Call<GetMessage>) -> Result<GetMessageResponse> {
    let Call { state, caller, path, query, .. } = call;
    let message = messages::get_message(&state, &caller, &message_id("id", &path.id)?, query).await?;
    Ok(GetMessageResponse { message, pending_message_metadata: None })
}

pub(crate) async fn get_many_messages(call: Call<GetManyMessages>) -> Result<GetManyMessagesResponse> {
    let Call { state, caller, path, query, .. } = call;
    let messages = messages::get_many_messages(&state, &caller, &cid_of(&path)?, query).await?;
    Ok(GetManyMessagesResponse { messages })
}

pub(crate) async fn update_message(call: Call<UpdateMessage>) -> Result<UpdateMessageResponse> {
    let Call { state, caller, path, body, .. } = call;
    let message = messages::update_message(&state, &caller, &message_id("id", &path.id)?, body).await?;
    Ok(UpdateMessageResponse { message, pending_message_metadata: None })
}

pub(crate) async fn update_message_partial(
    call: Call<UpdateMessagePartial>,
) -> Result<UpdateMessagePartialResponse> {
    let Call { state, caller, path, body, .. } = call;
    let id = message_id("id", &path.id)?;
    let message = messages::update_message_partial(&state, &caller, &id, body).await?;
    Ok(UpdateMessagePartialResponse { message: Some(message), pending_message_metadata: None })
}

pub(crate) async fn delete_message(call: Call<DeleteMessage>) -> Result<DeleteMessageResponse> {
    let Call { state, caller, path, query, .. } = call;
    let message = messages::delete_message(&state, &caller, &message_id("id", &path.id)?, query).await?;
    Ok(DeleteMessageResponse { message })
}

pub(crate) async fn undelete_message(call: Call<UndeleteMessage>) -> Result<UndeleteMessageResponse> {
    let Call { state, caller, path, body, .. } = call;
    let message = messages::undelete_message(&state, &caller, &message_id("id", &path.id)?, body).await?;
    Ok(UndeleteMessageResponse { message })
}

pub(crate) async fn query_message_history(
    call: Call<QueryMessageHistory>,
) -> Result<QueryMessageHistoryResponse> {
    let Call { state, caller, dialect, body, .. } = call;
    let told = match dialect {
        Dialect::V1 => ToldChange::Ending,
        Dialect::V2 => ToldChange::Making,
    };
    messages::query_message_history(&state, &caller, body, told).await
}

pub(crate) async fn get_pinned_messages(call: Call<GetPinnedMessages>) -> Result<GetPinnedMessagesResponse> {
    let Call { state, caller, path, query, .. } = call;
    let payload = query.payload.map(|payload| payload.0).unwrap_or_default();
    let messages = messages::get_pinned_messages(&state, &caller, &cid_of(&path)?, payload).await?;
    Ok(GetPinnedMessagesResponse { messages })
}

pub(crate) async fn get_replies(call: Call<GetReplies>) -> Result<GetRepliesResponse> {
    let Call { state, caller, path, query, .. } = call;
    let parent_id = message_id("parent_id", &path.parent_id)?;
    Ok(GetRepliesResponse { messages: replies::get_replies(&state, &caller, &parent_id, query).await? })
}
