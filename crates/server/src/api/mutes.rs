use natterjack_protocol::mutes::{MuteChannel, MuteChannelResponse, UnmuteChannel, UnmuteResponse};

use super::Call;
use crate::actions::mutes;
use crate::error::Result;

pub(crate) async fn mute_channel(call: Call<MuteChannel>) -> Result<MuteChannelResponse> {
    let Call { state, app, body, .. } = call;
    mutes::mute_channel(&state, &app, body).await
}

pub(crate) async fn unmute_channel(call: Call<UnmuteChannel>) -> Result<UnmuteResponse> {
    let Call { state, app, body, .. } = call;
    mutes::unmute_channel(&state, &app, body).await?;
    Ok(UnmuteResponse::default())
}
