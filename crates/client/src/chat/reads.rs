use natterjack_protocol::reads::{
    MarkChannelsRead, MarkChannelsReadRequest, MarkDelivered, MarkDeliveredQuery, MarkDeliveredRequest,
    MarkDeliveredResponse, MarkRead, MarkReadRequest, MarkReadResponse, MarkUnread, MarkUnreadRequest,
    MarkUnreadResponse, UnreadCounts, UnreadCountsBatch, UnreadCountsBatchRequest, UnreadCountsBatchResponse,
    UnreadCountsQuery, WrappedUnreadCountsResponse,
};
use natterjack_protocol::{NoBody, NoPath, NoQuery};

use super::{Chat, channel};
use crate::{Error, Reply};

impl Chat<'_> {
    /// Marks a channel as read for a user, up to `message_id` or as a whole; with `thread_id` only that thread.
    ///
    /// # Errors
    /// [`Error::Api`] when the channel or the message does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::reads::MarkReadRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = MarkReadRequest { user_id: Some("jane".to_owned()), ..Default::default() };
    /// client.chat().mark_read("messaging", "general", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mark_read(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        request: MarkReadRequest,
    ) -> Result<Reply<MarkReadResponse>, Error> {
        self.client.call::<MarkRead>(channel(kind, id), NoQuery, request).await
    }

    /// Counts what a user has not read, in all and by channel, channel type and thread. With a server token the query
    /// names the user.
    ///
    /// # Errors
    /// [`Error::Api`] when the user does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::reads::UnreadCountsQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = UnreadCountsQuery { user_id: Some("jane".to_owned()) };
    /// let counts = client.chat().unread_counts(query).await?;
    /// println!("{} unread", counts.total_unread_count);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unread_counts(
        &self,
        query: UnreadCountsQuery,
    ) -> Result<Reply<WrappedUnreadCountsResponse>, Error> {
        self.client.call::<UnreadCounts>(NoPath {}, query, NoBody).await
    }

    /// Marks several channels as read for a user: those in `read_by_channel`, at most 30, or every one with unread
    /// messages, at most 1000 in a call.
    ///
    /// # Errors
    /// [`Error::Api`] when a named channel or message does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::reads::MarkChannelsReadRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = MarkChannelsReadRequest { user_id: Some("jane".to_owned()), ..Default::default() };
    /// client.chat().mark_channels_read(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mark_channels_read(
        &self,
        request: MarkChannelsReadRequest,
    ) -> Result<Reply<MarkReadResponse>, Error> {
        self.client.call::<MarkChannelsRead>(NoPath {}, NoQuery, request).await
    }

    /// Marks a channel as unread for a user, from a message or a moment on, or a whole thread. Reaches back over the
    /// newest 100 messages.
    ///
    /// # Errors
    /// [`Error::Api`] when the message is not one of the newest 100, or not exactly one place is named. Any other kind
    /// of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::reads::MarkUnreadRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = MarkUnreadRequest {
    ///     message_id: Some("order-4711".to_owned()),
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// client.chat().mark_unread("messaging", "general", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mark_unread(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        request: MarkUnreadRequest,
    ) -> Result<Reply<MarkUnreadResponse>, Error> {
        self.client.call::<MarkUnread>(channel(kind, id), NoQuery, request).await
    }

    /// Tells which messages have reached a user's devices: of each channel the latest, at most 100. With a server token
    /// the query names the user. Messages and channels that do not exist are passed over.
    ///
    /// # Errors
    /// [`Error::Api`] when the user does not exist or nothing is named. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::reads::{
    ///     DeliveredMessagePayload, MarkDeliveredQuery, MarkDeliveredRequest,
    /// };
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let latest =
    ///     DeliveredMessagePayload { cid: "messaging:general".to_owned(), id: "order-4711".to_owned() };
    /// let request = MarkDeliveredRequest { latest_delivered_messages: vec![latest], ..Default::default() };
    /// let query = MarkDeliveredQuery { user_id: Some("jane".to_owned()) };
    /// client.chat().mark_delivered(query, request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mark_delivered(
        &self,
        query: MarkDeliveredQuery,
        request: MarkDeliveredRequest,
    ) -> Result<Reply<MarkDeliveredResponse>, Error> {
        self.client.call::<MarkDelivered>(NoPath {}, query, request).await
    }

    /// Counts as [`unread_counts`](Self::unread_counts) does, for at most 100 users at once. Ids that name nobody are
    /// missing in the answer.
    ///
    /// # Errors
    /// [`Error::Api`] when no user is named, or too many. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::reads::UnreadCountsBatchRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = UnreadCountsBatchRequest { user_ids: vec!["jane".to_owned(), "joe".to_owned()] };
    /// for (user_id, counts) in &client.chat().unread_counts_batch(request).await?.counts_by_user {
    ///     println!("{user_id}: {}", counts.total_unread_count);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unread_counts_batch(
        &self,
        request: UnreadCountsBatchRequest,
    ) -> Result<Reply<UnreadCountsBatchResponse>, Error> {
        self.client.call::<UnreadCountsBatch>(NoPath {}, NoQuery, request).await
    }
}
