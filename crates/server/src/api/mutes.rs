use natterjack_protocol::mutes::{MuteChannel, MuteChannelResponse, UnmuteChannel, UnmuteResponse};

use super::Call;
use crate::actions::mutes;
use crate::error::Result;

pub(crate) async fn mute_channel(call: Call<MuteChannel>) -> Result<MuteChannelResponse> {
    let Call { state, caller, body, .. } = call;
    mutes::mute_channel(&state, &caller, body).await
}

pub(crate) async fn unmute_channel(call: Call<UnmuteChannel>) -> Result<UnmuteResponse> {
    let Call { state, caller, body, .. } = call;
    mutes::unmute_channel(&state, &caller, body).await?;
    Ok(UnmuteResponse::default())
}
