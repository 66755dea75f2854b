use natterjack_protocol::channel_types::{
    CreateChannelType, CreateChannelTypeResponse, DeleteChannelType, DeleteChannelTypeResponse,
    GetChannelType, GetChannelTypeResponse, ListChannelTypes, ListChannelTypesResponse, UpdateChannelType,
    UpdateChannelTypeResponse,
};

use super::Call;
use super::reply::Dialect;
use crate::actions::channel_types;
use crate::error::Result;

pub(crate) async fn list_channel_types(call: Call<ListChannelTypes>) -> Result<ListChannelTypesResponse> {
    let Call { state, caller, .. } = call;
    let types = channel_types::list_channel_types(&state, &caller).await?;
    let by_name = types.into_iter().map(|config| (config.name.clone(), config));
    Ok(ListChannelTypesResponse { channel_types: by_name.collect() })
}

pub(crate) async fn get_channel_type(call: Call<GetChannelType>) -> Result<GetChannelTypeResponse> {
    let Call { state, caller, path, .. } = call;
    channel_types::get_channel_type(&state, &caller, &path.kind).await
}

pub(crate) async fn create_channel_type(call: Call<CreateChannelType>) -> Result<CreateChannelTypeResponse> {
    let Call { state, caller, dialect, body, .. } = call;
    // Version 1 fills in what is left out.
    channel_types::create_channel_type(&state, &caller, body, dialect == Dialect::V2).await
}

pub(crate) async fn update_channel_type(call: Call<UpdateChannelType>) -> Result<UpdateChannelTypeResponse> {
    let Call { state, caller, path, body, .. } = call;
    channel_types::update_channel_type(&state, &caller, &path.kind, body).await
}

pub(crate) async fn delete_channel_type(call: Call<DeleteChannelType>) -> Result<DeleteChannelTypeResponse> {
    let Call { state, caller, path, .. } = call;
    channel_types::delete_channel_type(&state, &caller, &path.kind).await?;
    Ok(DeleteChannelTypeResponse {})
}
