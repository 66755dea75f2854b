use natterjack_protocol::users::{QueryUsers, QueryUsersResponse, UpdateUsers, UpdateUsersResponse};

use super::Call;
use crate::actions::users;
use crate::error::{Error, Result};

pub(crate) async fn update_users(call: Call<UpdateUsers>) -> Result<UpdateUsersResponse> {
    let Call { state, app, body, .. } = call;
    let users = users::update_users(&state, &app, body).await?;
    Ok(UpdateUsersResponse { users, membership_deletion_task_id: String::new() })
}

pub(crate) async fn query_users(call: Call<QueryUsers>) -> Result<QueryUsersResponse> {
    let Call { state, app, query, .. } = call;
    let payload = query.payload.ok_or_else(|| Error::required("payload"))?;
    Ok(QueryUsersResponse { users: users::query_users(&state, &app, payload.0).await? })
}
