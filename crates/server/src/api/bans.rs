use natterjack_protocol::bans::{
    Ban, LiftBan, ModerationBanResponse, QueryBannedUsers, QueryBannedUsersResponse, QueryFutureChannelBans,
    QueryFutureChannelBansResponse, Unban, UnbanQuery, UnbanRequest, UnbanResponse,
};

use super::Call;
use crate::actions::bans;
use crate::error::{Error, Result};

pub(crate) async fn ban(call: Call<Ban>) -> Result<ModerationBanResponse> {
    let Call { state, caller, body, .. } = call;
    bans::ban(&state, &caller, body).await?;
    Ok(ModerationBanResponse {})
}

pub(crate) async fn unban(call: Call<Unban>) -> Result<UnbanResponse> {
    let Call { state, caller, query, body, .. } = call;
    bans::unban(&state, &caller, query, body).await?;
    Ok(UnbanResponse {})
}

pub(crate) async fn lift_ban(call: Call<LiftBan>) -> Result<UnbanResponse> {
    let Call { state, caller, query, .. } = call;
    let channel_cid = match (query.r#type, query.id) {
        (Some(kind), Some(id)) => Some(format!("{kind}:{id}")),
        (None, None) => None,
        (None, Some(_)) => return Err(Error::required("type")),
        (Some(_), None) => return Err(Error::required("id")),
    };
    let query = UnbanQuery {
        target_user_id: query.target_user_id,
        channel_cid,
        created_by: query.created_by,
        remove_future_channels_ban: query.remove_future_channels_ban,
    };
    bans::unban(&state, &caller, query, UnbanRequest::default()).await?;
    Ok(UnbanResponse {})
}

pub(crate) async fn query_banned_users(call: Call<QueryBannedUsers>) -> Result<QueryBannedUsersResponse> {
    let Call { state, caller, query, .. } = call;
    let payload = query.payload.ok_or_else(|| Error::required("payload"))?.0;
    Ok(QueryBannedUsersResponse { bans: bans::query_banned_users(&state, &caller, payload).await? })
}

pub(crate) async fn query_future_channel_bans(
    call: Call<QueryFutureChannelBans>,
) -> Result<QueryFutureChannelBansResponse> {
    let Call { state, caller, query, .. } = call;
    let payload = query.payload.map(|payload| payload.0).unwrap_or_default();
    bans::query_future_channel_bans(&state, &caller, payload).await
}
