//! Threads.

use natterjack_protocol::threads::{
    GetThread, GetThreadResponse, QueryThreads, QueryThreadsResponse, UpdateThreadPartial,
    UpdateThreadPartialResponse,
};

use super::Call;
use crate::actions::{message_id, threads};
use crate::error::Result;

pub(crate) async fn query_threads(call: Call<QueryThreads>) -> Result<QueryThreadsResponse> {
    let Call { state, caller, body, connection_id, .. } = call;
    threads::query_threads(&state, &caller, body, connection_id.as_deref()).await
}

pub(crate) async fn get_thread(call: Call<GetThread>) -> Result<GetThreadResponse> {
    let Call { state, caller, path, query, .. } = call;
    let id = message_id("message_id", &path.message_id)?;
    Ok(GetThreadResponse { thread: threads::get_thread(&state, &caller, &id, query).await? })
}

pub(crate) async fn update_thread_partial(
    call: Call<UpdateThreadPartial>,
) -> Result<UpdateThreadPartialResponse> {
    let Call { state, caller, path, body, .. } = call;
    let id = message_id("message_id", &path.message_id)?;
    let thread = threads::update_thread_partial(&state, &caller, &id, body).await?;
    Ok(UpdateThreadPartialResponse { thread })
}
