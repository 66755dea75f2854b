use natterjack_protocol::channel_types::{
    GetChannelType, GetChannelTypeResponse, ListChannelTypes, ListChannelTypesResponse,
};

use super::Call;
use crate::channel_types::{BUILT_IN, with_grants};
use crate::error::{Error, Result};

pub(crate) async fn list_channel_types(call: Call<ListChannelTypes>) -> Result<ListChannelTypesResponse> {
    let Call { state, app, .. } = call;
    let types = BUILT_IN.into_iter().filter_map(|name| {
        state.channel_type(&app, name).map(|config| (name.to_owned(), with_grants(config)))
    });
    Ok(ListChannelTypesResponse { channel_types: types.collect() })
}

pub(crate) async fn get_channel_type(call: Call<GetChannelType>) -> Result<GetChannelTypeResponse> {
    let Call { state, app, path, .. } = call;
    let config = state.channel_type(&app, &path.kind);
    config.map(with_grants).ok_or_else(|| Error::not_found("channel type", &path.kind))
}
