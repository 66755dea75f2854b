use natterjack_protocol::UserId;
use natterjack_protocol::users::{
    DeactivateUser, DeactivateUserResponse, DeactivateUsers, DeactivateUsersResponse, DeleteUsers,
    DeleteUsersResponse, QueryUsers, QueryUsersResponse, ReactivateUser, ReactivateUserResponse,
    ReactivateUsers, ReactivateUsersResponse, RestoreUsers, RestoreUsersResponse, UpdateUsers,
    UpdateUsersPartial, UpdateUsersResponse,
};

use super::Call;
use crate::actions::users;
use crate::error::{Error, Result};

pub(crate) async fn update_users(call: Call<UpdateUsers>) -> Result<UpdateUsersResponse> {
    let Call { state, app, body, .. } = call;
    let users = users::update_users(&state, &app, body).await?;
    Ok(UpdateUsersResponse { users, membership_deletion_task_id: String::new() })
}

pub(crate) async fn update_users_partial(call: Call<UpdateUsersPartial>) -> Result<UpdateUsersResponse> {
    let Call { state, app, body, .. } = call;
    let users = users::update_users_partial(&state, &app, body).await?;
    Ok(UpdateUsersResponse { users, membership_deletion_task_id: String::new() })
}

pub(crate) async fn deactivate_user(call: Call<DeactivateUser>) -> Result<DeactivateUserResponse> {
    let Call { state, app, path, body, .. } = call;
    let user = users::deactivate_user(&state, &app, &user_id(&path.user_id)?, body).await?;
    Ok(DeactivateUserResponse { user: Some(user) })
}

pub(crate) async fn deactivate_users(call: Call<DeactivateUsers>) -> Result<DeactivateUsersResponse> {
    let Call { state, app, body, .. } = call;
    Ok(DeactivateUsersResponse { task_id: users::deactivate_users(&state, &app, body).await? })
}

pub(crate) async fn reactivate_user(call: Call<ReactivateUser>) -> Result<ReactivateUserResponse> {
    let Call { state, app, path, body, .. } = call;
    let user = users::reactivate_user(&state, &app, &user_id(&path.user_id)?, body).await?;
    Ok(ReactivateUserResponse { user: Some(user) })
}

pub(crate) async fn reactivate_users(call: Call<ReactivateUsers>) -> Result<ReactivateUsersResponse> {
    let Call { state, app, body, .. } = call;
    Ok(ReactivateUsersResponse { task_id: users::reactivate_users(&state, &app, body).await? })
}

pub(crate) async fn delete_users(call: Call<DeleteUsers>) -> Result<DeleteUsersResponse> {
    let Call { state, app, body, .. } = call;
    Ok(DeleteUsersResponse { task_id: users::delete_users(&state, &app, body).await? })
}

pub(crate) async fn restore_users(call: Call<RestoreUsers>) -> Result<RestoreUsersResponse> {
    let Call { state, app, body, .. } = call;
    users::restore_users(&state, &app, body).await?;
    Ok(RestoreUsersResponse {})
}

pub(crate) async fn query_users(call: Call<QueryUsers>) -> Result<QueryUsersResponse> {
    let Call { state, app, query, .. } = call;
    let payload = query.payload.ok_or_else(|| Error::required("payload"))?;
    Ok(QueryUsersResponse { users: users::query_users(&state, &app, payload.0).await? })
}

fn user_id(text: &str) -> Result<UserId> {
    UserId::parse(text).map_err(|error| Error::id("user_id", &error))
}
