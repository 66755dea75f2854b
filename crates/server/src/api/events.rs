use natterjack_protocol::Operation;
use natterjack_protocol::events::{
    EventResponse, SendEvent, SendUserCustomEvent, SendUserCustomEventResponse, StopWatching,
    StopWatchingResponse, Sync, SyncResponse,
};

use super::Call;
use crate::actions::{cid_of, events, sync, watching};
use crate::error::Result;

pub(crate) async fn send_event(call: Call<SendEvent>) -> Result<EventResponse> {
    let Call { state, caller, path, body, .. } = call;
    Ok(EventResponse { event: events::send_event(&state, &caller, &cid_of(&path)?, body.event).await? })
}

pub(crate) async fn send_user_custom_event(
    call: Call<SendUserCustomEvent>,
) -> Result<<SendUserCustomEvent as Operation>::Response> {
    let Call { state, caller, path, body, .. } = call;
    events::send_user_custom_event(&state, &caller, &path.user_id, body.event).await?;
    Ok(SendUserCustomEventResponse {})
}

pub(crate) async fn stop_watching(call: Call<StopWatching>) -> Result<StopWatchingResponse> {
    let Call { state, caller, path, connection_id, .. } = call;
    watching::stop_watching(&state, &caller, &cid_of(&path)?, connection_id.as_deref()).await?;
    Ok(StopWatchingResponse {})
}

pub(crate) async fn sync(call: Call<Sync>) -> Result<SyncResponse> {
    let Call { state, caller, body, connection_id, .. } = call;
    sync::sync(&state, &caller, body, connection_id.as_deref()).await
}
