use natterjack_protocol::app::{GetApp, GetApplicationResponse, UpdateApp, UpdateAppResponse};

use super::Call;
use crate::actions::app;
use crate::error::Result;

pub(crate) async fn get_app(call: Call<GetApp>) -> Result<GetApplicationResponse> {
    let Call { state, caller, .. } = call;
    Ok(GetApplicationResponse { app: app::get_app(&state, &caller).await? })
}

pub(crate) async fn update_app(call: Call<UpdateApp>) -> Result<UpdateAppResponse> {
    let Call { state, caller, body, .. } = call;
    app::update_app(&state, &caller, body).await?;
    Ok(UpdateAppResponse {})
}
