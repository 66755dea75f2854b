//! Members of channels.

use natterjack_protocol::ChannelPath;
use natterjack_protocol::members::{
    MembersResponse, QueryMembers, UpdateMemberPartial, UpdateMemberPartialByPath, UpdateMemberPartialQuery,
    UpdateMemberPartialResponse,
};

use super::Call;
use crate::actions::{cid_of, members};
use crate::error::{Error, Result};

pub(crate) async fn query_members(call: Call<QueryMembers>) -> Result<MembersResponse> {
    let Call { state, caller, query, .. } = call;
    let payload = query.payload.ok_or_else(|| Error::required("payload"))?.0;
    let members = members::query_members(&state, &caller, payload).await?;
    Ok(MembersResponse { members })
}

pub(crate) async fn update_member_partial(
    call: Call<UpdateMemberPartial>,
) -> Result<UpdateMemberPartialResponse> {
    let Call { state, caller, path, query, body, .. } = call;
    let member = members::update_member_partial(&state, &caller, &cid_of(&path)?, query, body).await?;
    Ok(UpdateMemberPartialResponse { channel_member: Some(member) })
}

pub(crate) async fn update_member_partial_by_path(
    call: Call<UpdateMemberPartialByPath>,
) -> Result<UpdateMemberPartialResponse> {
    let Call { state, caller, path, body, .. } = call;
    let query = UpdateMemberPartialQuery { user_id: Some(path.user_id) };
    let cid = cid_of(&ChannelPath { kind: path.kind, id: path.id })?;
    let member = members::update_member_partial(&state, &caller, &cid, query, body).await?;
    Ok(UpdateMemberPartialResponse { channel_member: Some(member) })
}
