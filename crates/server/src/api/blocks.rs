use natterjack_protocol::blocks::{
    BlockUsers, BlockUsersResponse, GetBlockedUsers, GetBlockedUsersResponse, UnblockUsers,
    UnblockUsersResponse,
};

use super::Call;
use crate::actions::blocks;
use crate::error::Result;

pub(crate) async fn block_users(call: Call<BlockUsers>) -> Result<BlockUsersResponse> {
    let Call { state, caller, body, .. } = call;
    blocks::block_users(&state, &caller, body).await
}

pub(crate) async fn unblock_users(call: Call<UnblockUsers>) -> Result<UnblockUsersResponse> {
    let Call { state, caller, body, .. } = call;
    blocks::unblock_users(&state, &caller, body).await?;
    Ok(UnblockUsersResponse {})
}

pub(crate) async fn get_blocked_users(call: Call<GetBlockedUsers>) -> Result<GetBlockedUsersResponse> {
    let Call { state, caller, query, .. } = call;
    Ok(GetBlockedUsersResponse { blocks: blocks::get_blocked_users(&state, &caller, query).await? })
}
