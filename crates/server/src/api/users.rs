use natterjack_protocol::UserId;
use natterjack_protocol::guests::{CreateGuest, CreateGuestResponse};
use natterjack_protocol::users::{
    DeactivateUser, DeactivateUserResponse, DeactivateUsers, DeactivateUsersResponse, DeleteUser,
    DeleteUserResponse, DeleteUsers, DeleteUsersRequest, DeleteUsersResponse, QueryUsers, QueryUsersResponse,
    ReactivateUser, ReactivateUserResponse, ReactivateUsers, ReactivateUsersResponse, RestoreUsers,
    RestoreUsersResponse, UpdateUsers, UpdateUsersPartial, UpdateUsersResponse,
};

use super::Call;
use super::reply::Dialect;
use crate::actions::users;
use crate::error::{Error, Result};

pub(crate) async fn update_users(call: Call<UpdateUsers>) -> Result<UpdateUsersResponse> {
    let Call { state, caller, body, .. } = call;
    users::update_users(&state, &caller, body).await
}

pub(crate) async fn update_users_partial(call: Call<UpdateUsersPartial>) -> Result<UpdateUsersResponse> {
    let Call { state, caller, body, .. } = call;
    users::update_users_partial(&state, &caller, body).await
}

pub(crate) async fn deactivate_user(call: Call<DeactivateUser>) -> Result<DeactivateUserResponse> {
    let Call { state, caller, path, body, .. } = call;
    let user = users::deactivate_user(&state, &caller, &user_id(&path.user_id)?, body).await?;
    Ok(DeactivateUserResponse { user: Some(user) })
}

pub(crate) async fn deactivate_users(call: Call<DeactivateUsers>) -> Result<DeactivateUsersResponse> {
    let Call { state, caller, body, .. } = call;
    Ok(DeactivateUsersResponse { task_id: users::deactivate_users(&state, &caller, body).await? })
}

pub(crate) async fn reactivate_user(call: Call<ReactivateUser>) -> Result<ReactivateUserResponse> {
    let Call { state, caller, path, body, .. } = call;
    let user = users::reactivate_user(&state, &caller, &user_id(&path.user_id)?, body).await?;
    Ok(ReactivateUserResponse { user: Some(user) })
}

pub(crate) async fn reactivate_users(call: Call<ReactivateUsers>) -> Result<ReactivateUsersResponse> {
    let Call { state, caller, body, .. } = call;
    Ok(ReactivateUsersResponse { task_id: users::reactivate_users(&state, &caller, body).await? })
}

pub(crate) async fn delete_users(call: Call<DeleteUsers>) -> Result<DeleteUsersResponse> {
    let Call { state, caller, dialect, mut body, .. } = call;
    if dialect == Dialect::V1 && body.user.as_deref() == Some("hard") {
        // Older clients leave out what cannot be otherwise.
        body.messages.get_or_insert_with(|| "hard".to_owned());
        body.conversations.get_or_insert_with(|| "hard".to_owned());
    }
    let task_id = users::delete_users(&state, &caller, body, dialect == Dialect::V1).await?;
    Ok(DeleteUsersResponse { task_id })
}

pub(crate) async fn delete_user(call: Call<DeleteUser>) -> Result<DeleteUserResponse> {
    let Call { state, caller, path, query, .. } = call;
    let is_hard = query.hard_delete == Some(true);
    let kind = |asked: Option<bool>| match (is_hard, asked) {
        (true, _) => Some("hard".to_owned()),
        (false, Some(true)) => Some("soft".to_owned()),
        (false, _) => None,
    };
    let request = DeleteUsersRequest {
        user_ids: vec![user_id(&path.user_id)?.as_str().to_owned()],
        user: kind(Some(true)),
        messages: kind(query.mark_messages_deleted),
        conversations: kind(query.delete_conversation_channels),
        ..DeleteUsersRequest::default()
    };
    let (task_id, user) = users::delete_user(&state, &caller, request).await?;
    Ok(DeleteUserResponse { task_id, user })
}

pub(crate) async fn restore_users(call: Call<RestoreUsers>) -> Result<RestoreUsersResponse> {
    let Call { state, caller, body, .. } = call;
    users::restore_users(&state, &caller, body).await?;
    Ok(RestoreUsersResponse {})
}

pub(crate) async fn create_guest(call: Call<CreateGuest>) -> Result<CreateGuestResponse> {
    let Call { state, caller, body, .. } = call;
    users::create_guest(&state, &caller, body).await
}

pub(crate) async fn query_users(call: Call<QueryUsers>) -> Result<QueryUsersResponse> {
    let Call { state, caller, query, connection_id, .. } = call;
    let payload = query.payload.ok_or_else(|| Error::required("payload"))?;
    let users = users::query_users(&state, &caller, payload.0, connection_id.as_deref()).await?;
    Ok(QueryUsersResponse { users })
}

fn user_id(text: &str) -> Result<UserId> {
    UserId::parse(text).map_err(|error| Error::id("user_id", &error))
}
