//! Members of channels.

use natterjack_protocol::members::{MembersResponse, QueryMembers};

use super::Call;
use crate::actions::members;
use crate::error::{Error, Result};

pub(crate) async fn query_members(call: Call<QueryMembers>) -> Result<MembersResponse> {
    let Call { state, app, query, .. } = call;
    let payload = query.payload.ok_or_else(|| Error::required("payload"))?.0;
    let members = members::query_members(&state, &app, payload).await?;
    Ok(MembersResponse { members })
}
