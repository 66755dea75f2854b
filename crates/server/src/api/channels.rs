use std::sync::Arc;

use natterjack_protocol::channel_state::ChannelStateResponse;
use natterjack_protocol::channels::{
    DeleteChannel, DeleteChannelResponse, DeleteChannels, DeleteChannelsResponse, FindChannels, GetChannel,
    GetOrCreateChannel, GetOrCreateDistinctChannel, HideChannel, HideChannelResponse, QueryChannels,
    QueryChannelsResponse, ShowChannel, ShowChannelResponse, TruncateChannel, TruncateChannelResponse,
    UpdateChannel, UpdateChannelPartial, UpdateChannelPartialResponse, UpdateChannelResponse,
};
use natterjack_protocol::{ChannelTypeName, Operation};

use super::Call;
use crate::actions::{channels, cid_of};
use crate::error::{Error, Result};

pub(crate) async fn get_or_create_channel(call: Call<GetOrCreateChannel>) -> Result<ChannelStateResponse> {
    let Call { state, caller, path, body, connection_id, .. } = call;
    channels::get_or_create_channel(&state, &caller, &cid_of(&path)?, body, connection_id.as_deref()).await
}

pub(crate) async fn get_or_create_distinct_channel(
    call: Call<GetOrCreateDistinctChannel>,
) -> Result<<GetOrCreateDistinctChannel as Operation>::Response> {
    let Call { state, caller, path, body, connection_id, .. } = call;
    let kind = ChannelTypeName::parse(&path.kind).map_err(|error| Error::id("type", &error))?;
    channels::get_or_create_distinct_channel(&state, &caller, kind, body, connection_id.as_deref()).await
}

pub(crate) async fn get_channel(call: Call<GetChannel>) -> Result<ChannelStateResponse> {
    let Call { state, caller, path, query, .. } = call;
    channels::get_channel(&state, &caller, &cid_of(&path)?, query).await
}

pub(crate) async fn query_channels(call: Call<QueryChannels>) -> Result<QueryChannelsResponse> {
    let Call { state, caller, body, connection_id, .. } = call;
    channels::query_channels(&state, &caller, body, connection_id.as_deref()).await
}

pub(crate) async fn find_channels(call: Call<FindChannels>) -> Result<QueryChannelsResponse> {
    let Call { state, caller, query, connection_id, .. } = call;
    let payload = query.payload.ok_or_else(|| Error::required("payload"))?.0;
    channels::query_channels(&state, &caller, payload, connection_id.as_deref()).await
}

pub(crate) async fn update_channel(call: Call<UpdateChannel>) -> Result<UpdateChannelResponse> {
    let Call { state, caller, path, body, .. } = call;
    channels::update_channel(&state, &caller, &cid_of(&path)?, body).await
}

pub(crate) async fn update_channel_partial(
    call: Call<UpdateChannelPartial>,
) -> Result<UpdateChannelPartialResponse> {
    let Call { state, caller, path, body, .. } = call;
    channels::update_channel_partial(&state, &caller, &cid_of(&path)?, body).await
}

pub(crate) async fn hide_channel(call: Call<HideChannel>) -> Result<HideChannelResponse> {
    let Call { state, caller, path, body, .. } = call;
    channels::hide_channel(&state, &caller, &cid_of(&path)?, body).await?;
    Ok(HideChannelResponse {})
}

pub(crate) async fn show_channel(call: Call<ShowChannel>) -> Result<ShowChannelResponse> {
    let Call { state, caller, path, body, .. } = call;
    channels::show_channel(&state, &caller, &cid_of(&path)?, body).await?;
    Ok(ShowChannelResponse {})
}

pub(crate) async fn truncate_channel(call: Call<TruncateChannel>) -> Result<TruncateChannelResponse> {
    let Call { state, caller, path, body, .. } = call;
    channels::truncate_channel(&state, &caller, &cid_of(&path)?, body).await
}

pub(crate) async fn delete_channel(call: Call<DeleteChannel>) -> Result<DeleteChannelResponse> {
    let Call { state, caller, path, query, .. } = call;
    let hard = query.hard_delete == Some(true);
    let channel = channels::delete_channel(&state, &caller, &cid_of(&path)?, hard).await?;
    Ok(DeleteChannelResponse { channel: Some(Arc::new(channel)) })
}

pub(crate) async fn delete_channels(call: Call<DeleteChannels>) -> Result<DeleteChannelsResponse> {
    let Call { state, caller, body, .. } = call;
    channels::delete_channels(&state, &caller, body).await
}
