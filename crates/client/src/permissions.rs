use natterjack_protocol::permissions::{
    CreatePermission, DeletePermission, GetCustomPermissionResponse, GetPermission, ListPermissions,
    ListPermissionsResponse, PermissionRequest, PermissionWritten, UpdatePermission,
};
use natterjack_protocol::roles::{
    CreateRole, CreateRoleRequest, CreateRoleResponse, DeleteRole, DeleteRoleResponse, ListRoles,
    ListRolesResponse, SearchRoles, SearchRolesQuery, SearchRolesResponse,
};
use natterjack_protocol::{NoBody, NoPath, NoQuery, PermissionPath, RolePath};

use crate::{Common, Error, Reply};

impl Common<'_> {
    /// Lists the roles, the built-in ones and those that the app made.
    ///
    /// # Errors
    /// All kinds of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// for role in &client.common().list_roles().await?.roles {
    ///     println!("{} in {:?}", role.name, role.scopes);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_roles(&self) -> Result<Reply<ListRolesResponse>, Error> {
        self.client.call::<ListRoles>(NoPath {}, NoQuery, NoBody).await
    }

    /// Makes a role. It may do nothing until a channel type, or the app, grants it permissions.
    ///
    /// # Errors
    /// [`Error::Api`] with code 4 when there is one of that name. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::roles::CreateRoleRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// client.common().create_role(CreateRoleRequest { name: Some("helper".to_owned()) }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_role(&self, request: CreateRoleRequest) -> Result<Reply<CreateRoleResponse>, Error> {
        self.client.call::<CreateRole>(NoPath {}, NoQuery, request).await
    }

    /// Removes a role that the app made.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that name, with code 4 when it is built in or in use. Any other
    /// kind of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// client.common().delete_role("helper").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_role(&self, name: impl Into<String>) -> Result<Reply<DeleteRoleResponse>, Error> {
        self.client.call::<DeleteRole>(RolePath { name: name.into() }, NoQuery, NoBody).await
    }

    /// Finds roles by the beginning of their names.
    ///
    /// # Errors
    /// [`Error::Api`] with code 4 when the query is missing. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::roles::SearchRolesQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = SearchRolesQuery { query: Some("mod".to_owned()), ..Default::default() };
    /// println!("{:?}", client.common().search_roles(query).await?.roles);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn search_roles(&self, query: SearchRolesQuery) -> Result<Reply<SearchRolesResponse>, Error> {
        self.client.call::<SearchRoles>(NoPath {}, query, NoBody).await
    }

    /// Lists the permissions, the built-in ones and those that the app made.
    ///
    /// # Errors
    /// All kinds of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// for permission in &client.common().list_permissions().await?.permissions {
    ///     println!("{}: {}", permission.id, permission.description);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_permissions(&self) -> Result<Reply<ListPermissionsResponse>, Error> {
        self.client.call::<ListPermissions>(NoPath {}, NoQuery, NoBody).await
    }

    /// Reads one permission.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that id. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let permission = &client.common().get_permission("create-message-owner").await?.permission;
    /// println!("{}", permission.action);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_permission(
        &self,
        id: impl Into<String>,
    ) -> Result<Reply<GetCustomPermissionResponse>, Error> {
        self.client.call::<GetPermission>(PermissionPath { id: id.into() }, NoQuery, NoBody).await
    }

    /// Makes a permission, which grants can then name: an action under a condition.
    ///
    /// # Errors
    /// [`Error::Api`] with code 4 when there is one of that id or the condition is not valid. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::permissions::PermissionRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = PermissionRequest {
    ///     id: Some("delete-message-of-experts".to_owned()),
    ///     action: Some("DeleteMessage".to_owned()),
    ///     condition: serde_json::json!({ "$subject.rank": { "$gte": 3 } }).as_object().cloned(),
    ///     ..Default::default()
    /// };
    /// client.common().create_permission(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_permission(
        &self,
        request: PermissionRequest,
    ) -> Result<Reply<PermissionWritten>, Error> {
        self.client.call::<CreatePermission>(NoPath {}, NoQuery, request).await
    }

    /// Replaces a permission that the app made.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that id, with code 4 when it is built in. Any other kind of
    /// [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::permissions::PermissionRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = PermissionRequest { action: Some("DeleteMessage".to_owned()), ..Default::default() };
    /// client.common().update_permission("delete-message-of-experts", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_permission(
        &self,
        id: impl Into<String>,
        request: PermissionRequest,
    ) -> Result<Reply<PermissionWritten>, Error> {
        self.client.call::<UpdatePermission>(PermissionPath { id: id.into() }, NoQuery, request).await
    }

    /// Removes a permission that the app made.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that id, with code 4 when it is built in. Any other kind of
    /// [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// client.common().delete_permission("delete-message-of-experts").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_permission(&self, id: impl Into<String>) -> Result<Reply<PermissionWritten>, Error> {
        self.client.call::<DeletePermission>(PermissionPath { id: id.into() }, NoQuery, NoBody).await
    }
}
