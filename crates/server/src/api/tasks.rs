use natterjack_protocol::tasks::{GetExportChannelsStatus, GetTask, GetTaskResponse};

use super::Call;
use crate::actions::tasks;
use crate::error::Result;

pub(crate) async fn get_task(call: Call<GetTask>) -> Result<GetTaskResponse> {
    let Call { state, caller, path, .. } = call;
    tasks::get_task(&state, &caller, &path.id).await
}

pub(crate) async fn get_export_channels_status(
    call: Call<GetExportChannelsStatus>,
) -> Result<GetTaskResponse> {
    let Call { state, caller, path, .. } = call;
    tasks::get_task(&state, &caller, &path.id).await
}
