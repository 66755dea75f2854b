use natterjack_protocol::predefined_filters::{
    CreatePredefinedFilter, CreatePredefinedFilterRequest, DeletePredefinedFilter,
    DeletePredefinedFilterResponse, GetPredefinedFilter, ListPredefinedFilters,
    ListPredefinedFiltersResponse, PredefinedFilterResponse, UpdatePredefinedFilter,
    UpdatePredefinedFilterRequest,
};
use natterjack_protocol::{NoBody, NoPath, NoQuery, PredefinedFilterPath};

use super::Chat;
use crate::{Error, Reply};

impl Chat<'_> {
    /// Lists the stored filters of the app, by name.
    ///
    /// # Errors
    /// All kinds of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// for filter in &client.chat().list_predefined_filters().await?.predefined_filters {
    ///     println!("{}: {}", filter.name, filter.description);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_predefined_filters(&self) -> Result<Reply<ListPredefinedFiltersResponse>, Error> {
        self.client.call::<ListPredefinedFilters>(NoPath {}, NoQuery, NoBody).await
    }

    /// Stores a filter and an order under a name, for queries to use.
    ///
    /// # Errors
    /// [`Error::Api`] with code 4 when the name is taken or the filter is not valid. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::SortParam;
    /// use natterjack_client::protocol::channels::QueryChannelsRequest;
    /// use natterjack_client::protocol::predefined_filters::{CreatePredefinedFilterRequest, QUERY_CHANNELS};
    /// use serde_json::json;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let filter = json!({ "members": { "$in": ["{{me}}"] } });
    /// let request = CreatePredefinedFilterRequest {
    ///     name: Some("mine".to_owned()),
    ///     operation: Some(QUERY_CHANNELS.to_owned()),
    ///     filter: filter.as_object().cloned(),
    ///     sort: vec![SortParam::descending("last_message_at")],
    ///     ..Default::default()
    /// };
    /// client.chat().create_predefined_filter(request).await?;
    ///
    /// let query = QueryChannelsRequest {
    ///     predefined_filter: Some("mine".to_owned()),
    ///     filter_values: json!({ "me": "jane" }).as_object().cloned().unwrap_or_default(),
    ///     ..Default::default()
    /// };
    /// let found = client.chat().query_channels(query).await?;
    /// println!("{} channels", found.channels.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_predefined_filter(
        &self,
        request: CreatePredefinedFilterRequest,
    ) -> Result<Reply<PredefinedFilterResponse>, Error> {
        self.client.call::<CreatePredefinedFilter>(NoPath {}, NoQuery, request).await
    }

    /// Reads one stored filter.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that name. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// println!("{:?}", client.chat().get_predefined_filter("mine").await?.predefined_filter.filter);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_predefined_filter(
        &self,
        name: impl Into<String>,
    ) -> Result<Reply<PredefinedFilterResponse>, Error> {
        let path = PredefinedFilterPath { name: name.into() };
        self.client.call::<GetPredefinedFilter>(path, NoQuery, NoBody).await
    }

    /// Replaces a stored filter. A sort and a description that are not given vanish.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that name. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::predefined_filters::UpdatePredefinedFilterRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let filter = serde_json::json!({ "frozen": false }).as_object().cloned();
    /// let request = UpdatePredefinedFilterRequest { filter, ..Default::default() };
    /// client.chat().update_predefined_filter("mine", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_predefined_filter(
        &self,
        name: impl Into<String>,
        request: UpdatePredefinedFilterRequest,
    ) -> Result<Reply<PredefinedFilterResponse>, Error> {
        let path = PredefinedFilterPath { name: name.into() };
        self.client.call::<UpdatePredefinedFilter>(path, NoQuery, request).await
    }

    /// Removes a stored filter.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that name. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// client.chat().delete_predefined_filter("mine").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_predefined_filter(
        &self,
        name: impl Into<String>,
    ) -> Result<Reply<DeletePredefinedFilterResponse>, Error> {
        let path = PredefinedFilterPath { name: name.into() };
        self.client.call::<DeletePredefinedFilter>(path, NoQuery, NoBody).await
    }
}
