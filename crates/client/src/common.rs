use natterjack_protocol::app::{
    GetApp, GetApplicationResponse, UpdateApp, UpdateAppRequest, UpdateAppResponse,
};
use natterjack_protocol::blocks::{
    BlockUsers, BlockUsersRequest, BlockUsersResponse, GetBlockedUsers, GetBlockedUsersQuery,
    GetBlockedUsersResponse, UnblockUsers, UnblockUsersRequest, UnblockUsersResponse,
};
use natterjack_protocol::guests::{CreateGuest, CreateGuestRequest, CreateGuestResponse};
use natterjack_protocol::rate_limits::{GetRateLimits, GetRateLimitsQuery, GetRateLimitsResponse};
use natterjack_protocol::tasks::{GetTask, GetTaskResponse};
use natterjack_protocol::users::{
    DeactivateUser, DeactivateUserRequest, DeactivateUserResponse, DeactivateUsers, DeactivateUsersRequest,
    DeactivateUsersResponse, DeleteUsers, DeleteUsersRequest, DeleteUsersResponse, FullUserResponse,
    QueryUsers, QueryUsersPayload, QueryUsersQuery, QueryUsersResponse, ReactivateUser,
    ReactivateUserRequest, ReactivateUserResponse, ReactivateUsers, ReactivateUsersRequest,
    ReactivateUsersResponse, RestoreUsers, RestoreUsersRequest, RestoreUsersResponse, UpdateUsers,
    UpdateUsersPartial, UpdateUsersPartialRequest, UpdateUsersRequest, UpdateUsersResponse,
};
use natterjack_protocol::{JsonParam, NoBody, NoPath, NoQuery, TaskPath, UserPath};

use crate::pages::{entries, next_offset};
use crate::{Client, Entries, Error, Reply};

/// The greatest page of users.
const USERS_PAGE_MAX: i64 = 100;

/// The operations that chat shares with the API's other products, made by [`Client::common`].
#[derive(Debug, Clone, Copy)]
pub struct Common<'c> {
    pub(crate) client: &'c Client,
}

impl Common<'_> {
    /// Reads the app's settings. Secrets are masked.
    ///
    /// # Errors
    /// All kinds of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let app = &client.common().get_app().await?.app;
    /// println!("{}: teams are kept apart: {}", app.name, app.multi_tenant_enabled);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_app(&self) -> Result<Reply<GetApplicationResponse>, Error> {
        self.client.call::<GetApp>(NoPath {}, NoQuery, NoBody).await
    }

    /// Changes the settings of the app that are given.
    ///
    /// # Errors
    /// [`Error::Api`] with code 4 when one is not valid; then none is changed. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::app::UpdateAppRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let change = UpdateAppRequest {
    ///     enforce_unique_usernames: Some("app".to_owned()),
    ///     ..Default::default()
    /// };
    /// client.common().update_app(change).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_app(&self, request: UpdateAppRequest) -> Result<Reply<UpdateAppResponse>, Error> {
        self.client.call::<UpdateApp>(NoPath {}, NoQuery, request).await
    }

    /// Creates a guest, who is to use the id and the token of the answer.
    ///
    /// # Errors
    /// [`Error::Api`] with code 17 when the app has switched guests off. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::guests::CreateGuestRequest;
    /// use natterjack_client::protocol::users::UserRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let user = UserRequest { id: "tommaso".to_owned(), ..Default::default() };
    /// let guest = client.common().create_guest(CreateGuestRequest { user }).await?;
    /// println!("{}: {}", guest.user.id, guest.access_token);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_guest(
        &self,
        request: CreateGuestRequest,
    ) -> Result<Reply<CreateGuestResponse>, Error> {
        self.client.call::<CreateGuest>(NoPath {}, NoQuery, request).await
    }

    /// Creates users or replaces them, at most 100 in one call. What a user had and is not given again is gone.
    ///
    /// # Errors
    /// [`Error::Api`] when a user is not valid; then none is written. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::users::{UpdateUsersRequest, UserRequest};
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let jane = UserRequest { id: "jane".to_owned(), name: Some("Jane".to_owned()), ..Default::default() };
    /// let users = [(jane.id.clone(), jane)].into();
    /// let reply = client.common().update_users(UpdateUsersRequest { users }).await?;
    /// println!("{}", reply.users["jane"].created_at);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_users(
        &self,
        request: UpdateUsersRequest,
    ) -> Result<Reply<UpdateUsersResponse>, Error> {
        self.client.call::<UpdateUsers>(NoPath {}, NoQuery, request).await
    }

    /// Changes fields of users and leaves the others alone, at most 100 users in one call. Keys may be paths into custom
    /// data: `address.city`.
    ///
    /// # Errors
    /// [`Error::Api`] when a user does not exist or a change is not valid; then none is made. Any other kind of
    /// [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::users::{UpdateUserPartialRequest, UpdateUsersPartialRequest};
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let jane = UpdateUserPartialRequest {
    ///     id: "jane".to_owned(),
    ///     set: [("name".to_owned(), "Jane Doe".into())].into_iter().collect(),
    ///     unset: vec!["address.city".to_owned()],
    /// };
    /// let reply = client.common().update_users_partial(UpdateUsersPartialRequest { users: vec![jane] }).await?;
    /// println!("{:?}", reply.users["jane"].name);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_users_partial(
        &self,
        request: UpdateUsersPartialRequest,
    ) -> Result<Reply<UpdateUsersResponse>, Error> {
        self.client.call::<UpdateUsersPartial>(NoPath {}, NoQuery, request).await
    }

    /// Deactivates a user, who cannot act until reactivated.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when the user does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::users::DeactivateUserRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = DeactivateUserRequest { mark_messages_deleted: Some(true), ..Default::default() };
    /// client.common().deactivate_user("jane", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn deactivate_user(
        &self,
        user_id: impl Into<String>,
        request: DeactivateUserRequest,
    ) -> Result<Reply<DeactivateUserResponse>, Error> {
        self.client.call::<DeactivateUser>(UserPath { user_id: user_id.into() }, NoQuery, request).await
    }

    /// Deactivates users by a task, at most 100 in one call.
    ///
    /// # Errors
    /// [`Error::Api`] when a user does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::users::DeactivateUsersRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let user_ids = vec!["jane".to_owned(), "joe".to_owned()];
    /// let request = DeactivateUsersRequest { user_ids, ..Default::default() };
    /// let task_id = client.common().deactivate_users(request).await?.into_inner().task_id;
    /// println!("{}", client.common().get_task(task_id).await?.status);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn deactivate_users(
        &self,
        request: DeactivateUsersRequest,
    ) -> Result<Reply<DeactivateUsersResponse>, Error> {
        self.client.call::<DeactivateUsers>(NoPath {}, NoQuery, request).await
    }

    /// Takes a deactivation back.
    ///
    /// # Errors
    /// [`Error::Api`] when the user does not exist or is not deactivated. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::users::ReactivateUserRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = ReactivateUserRequest { restore_messages: Some(true), ..Default::default() };
    /// client.common().reactivate_user("jane", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn reactivate_user(
        &self,
        user_id: impl Into<String>,
        request: ReactivateUserRequest,
    ) -> Result<Reply<ReactivateUserResponse>, Error> {
        self.client.call::<ReactivateUser>(UserPath { user_id: user_id.into() }, NoQuery, request).await
    }

    /// Takes deactivations back by a task, at most 100 users in one call. A user who is not deactivated is an error in
    /// the task's result.
    ///
    /// # Errors
    /// [`Error::Api`] when a user does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::users::ReactivateUsersRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = ReactivateUsersRequest { user_ids: vec!["jane".to_owned()], ..Default::default() };
    /// let task_id = client.common().reactivate_users(request).await?.into_inner().task_id;
    /// println!("{:?}", client.common().get_task(task_id).await?.result);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn reactivate_users(
        &self,
        request: ReactivateUsersRequest,
    ) -> Result<Reply<ReactivateUsersResponse>, Error> {
        self.client.call::<ReactivateUsers>(NoPath {}, NoQuery, request).await
    }

    /// Deletes users, at most 100 in one call. They are not found any more at once, the rest is a task.
    ///
    /// # Errors
    /// [`Error::Api`] when a user does not exist or the modes do not go together. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::users::DeleteUsersRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = DeleteUsersRequest {
    ///     user_ids: vec!["jane".to_owned()],
    ///     user: Some("soft".to_owned()),
    ///     messages: Some("hard".to_owned()),
    ///     ..Default::default()
    /// };
    /// let task_id = client.common().delete_users(request).await?.into_inner().task_id;
    /// println!("{}", client.common().get_task(task_id).await?.status);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_users(
        &self,
        request: DeleteUsersRequest,
    ) -> Result<Reply<DeleteUsersResponse>, Error> {
        self.client.call::<DeleteUsers>(NoPath {}, NoQuery, request).await
    }

    /// Brings back users whose deletion was soft, at most 100 in one call.
    ///
    /// # Errors
    /// [`Error::Api`] when one of them is not softly deleted; then none comes back. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::users::RestoreUsersRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// client.common().restore_users(RestoreUsersRequest { user_ids: vec!["jane".to_owned()] }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn restore_users(
        &self,
        request: RestoreUsersRequest,
    ) -> Result<Reply<RestoreUsersResponse>, Error> {
        self.client.call::<RestoreUsers>(NoPath {}, NoQuery, request).await
    }

    /// Reads how many calls are allowed within a minute, by platform and operation.
    ///
    /// # Errors
    /// [`Error::Api`] with code 4 when an operation is not known. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::CommaList;
    /// use natterjack_client::protocol::rate_limits::GetRateLimitsQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = GetRateLimitsQuery {
    ///     server_side: Some(true),
    ///     endpoints: CommaList(vec!["SendMessage".to_owned()]),
    ///     ..Default::default()
    /// };
    /// println!("{:?}", client.common().get_rate_limits(query).await?.server_side);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_rate_limits(
        &self,
        query: GetRateLimitsQuery,
    ) -> Result<Reply<GetRateLimitsResponse>, Error> {
        self.client.call::<GetRateLimits>(NoPath {}, query, NoBody).await
    }

    /// Reads how far a task has come.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let task = client.common().get_task("5b1d9a2e-4c1f-4a0e-8a43-0a5f7b1c2d3e").await?;
    /// println!("{}: {:?}", task.status, task.result);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_task(&self, id: impl Into<String>) -> Result<Reply<GetTaskResponse>, Error> {
        self.client.call::<GetTask>(TaskPath { id: id.into() }, NoQuery, NoBody).await
    }

    /// Finds users; the fields are in [`filter::users`](crate::filter::users). One page: at most 100 users, an offset
    /// of at most 1000.
    ///
    /// # Errors
    /// [`Error::Api`] when the filter or the sort is not valid. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::filter::users;
    /// use natterjack_client::protocol::users::QueryUsersPayload;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = QueryUsersPayload {
    ///     filter_conditions: users::name().autocomplete("ja").into(),
    ///     sort: vec![natterjack_client::sort::users::last_active().descending()],
    ///     ..Default::default()
    /// };
    /// for user in &client.common().query_users(query).await?.users {
    ///     println!("{}", user.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_users(&self, query: QueryUsersPayload) -> Result<Reply<QueryUsersResponse>, Error> {
        let query = QueryUsersQuery { payload: Some(JsonParam(query)) };
        self.client.call::<QueryUsers>(NoPath {}, query, NoBody).await
    }

    /// Finds users page after page, from `offset` on, as many as `limit` in a page. Ends at the offset 1000.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt as _;
    /// use natterjack_client::filter::users;
    /// use natterjack_client::protocol::users::QueryUsersPayload;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = QueryUsersPayload {
    ///     filter_conditions: users::role().eq("admin").into(),
    ///     ..Default::default()
    /// };
    /// let mut admins = client.common().query_users_stream(query);
    /// while let Some(user) = admins.try_next().await? {
    ///     println!("{}", user.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn query_users_stream(&self, query: QueryUsersPayload) -> Entries<FullUserResponse> {
        let client = self.client.clone();
        let limit = query.limit.unwrap_or(USERS_PAGE_MAX).clamp(1, USERS_PAGE_MAX);
        entries(query.offset.unwrap_or(0), move |offset| {
            let (client, query) = (client.clone(), query.clone());
            async move {
                let page = QueryUsersPayload { limit: Some(limit), offset: Some(offset), ..query };
                let users = client.common().query_users(page).await?.into_inner().users;
                let next = next_offset(offset, limit, users.len());
                Ok((users, next))
            }
        })
    }

    /// Blocks a user for another: channels that have just the two as members are hidden from the one who blocks.
    /// Blocking again changes nothing.
    ///
    /// # Errors
    /// [`Error::Api`] when one of the users does not exist, or both are the same. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::blocks::BlockUsersRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = BlockUsersRequest {
    ///     blocked_user_id: "joe".to_owned(),
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// let reply = client.common().block_users(request).await?;
    /// println!("blocked since {}", reply.created_at);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn block_users(&self, request: BlockUsersRequest) -> Result<Reply<BlockUsersResponse>, Error> {
        self.client.call::<BlockUsers>(NoPath {}, NoQuery, request).await
    }

    /// Takes a block back and shows the channels of the two again. Does nothing where there is no block.
    ///
    /// # Errors
    /// [`Error::Api`] when one of the users does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::blocks::UnblockUsersRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = UnblockUsersRequest {
    ///     blocked_user_id: "joe".to_owned(),
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// client.common().unblock_users(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unblock_users(
        &self,
        request: UnblockUsersRequest,
    ) -> Result<Reply<UnblockUsersResponse>, Error> {
        self.client.call::<UnblockUsers>(NoPath {}, NoQuery, request).await
    }

    /// Reads whom a user has blocked, the newest blocks first, at most 1000.
    ///
    /// # Errors
    /// [`Error::Api`] when the user does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::blocks::GetBlockedUsersQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = GetBlockedUsersQuery { user_id: Some("jane".to_owned()) };
    /// for block in &client.common().get_blocked_users(query).await?.blocks {
    ///     println!("{}", block.blocked_user_id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_blocked_users(
        &self,
        query: GetBlockedUsersQuery,
    ) -> Result<Reply<GetBlockedUsersResponse>, Error> {
        self.client.call::<GetBlockedUsers>(NoPath {}, query, NoBody).await
    }
}
