use natterjack_protocol::mutes::UnmuteResponse;
use natterjack_protocol::user_mutes::{Mute, MuteResponse, Unmute};

use super::Call;
use crate::actions::user_mutes;
use crate::error::Result;

pub(crate) async fn mute(call: Call<Mute>) -> Result<MuteResponse> {
    let Call { state, caller, body, .. } = call;
    user_mutes::mute(&state, &caller, body).await
}

pub(crate) async fn unmute(call: Call<Unmute>) -> Result<UnmuteResponse> {
    let Call { state, caller, body, .. } = call;
    let unknown = user_mutes::unmute(&state, &caller, body).await?;
    Ok(UnmuteResponse { non_existing_users: Some(unknown).filter(|unknown| !unknown.is_empty()) })
}
