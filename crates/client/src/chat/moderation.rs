use natterjack_protocol::bans::{
    QueryBannedUsers, QueryBannedUsersPayload, QueryBannedUsersQuery, QueryBannedUsersResponse,
    QueryFutureChannelBans, QueryFutureChannelBansPayload, QueryFutureChannelBansQuery,
    QueryFutureChannelBansResponse,
};
use natterjack_protocol::flags::{
    QueryMessageFlags, QueryMessageFlagsPayload, QueryMessageFlagsQuery, QueryMessageFlagsResponse,
};
use natterjack_protocol::{JsonParam, NoBody, NoPath};

use super::Chat;
use crate::{Error, Reply};

impl Chat<'_> {
    /// Finds bans by a filter, a page at a time.
    ///
    /// # Errors
    /// [`Error::Api`] when the filter is not valid. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::filter::bans;
    /// use natterjack_client::protocol::bans::QueryBannedUsersPayload;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = QueryBannedUsersPayload {
    ///     filter_conditions: bans::channel_cid().eq("messaging:general").into(),
    ///     ..Default::default()
    /// };
    /// for ban in &client.chat().query_banned_users(query).await?.bans {
    ///     println!("{:?} {:?}", ban.user, ban.reason);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_banned_users(
        &self,
        query: QueryBannedUsersPayload,
    ) -> Result<Reply<QueryBannedUsersResponse>, Error> {
        let query = QueryBannedUsersQuery { payload: Some(JsonParam(query)) };
        self.client.call::<QueryBannedUsers>(NoPath {}, query, NoBody).await
    }

    /// Lists bans from channels that are created later, newest first, a page at a time.
    ///
    /// # Errors
    /// [`Error::Api`] when the page is out of bounds. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::bans::QueryFutureChannelBansPayload;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = QueryFutureChannelBansPayload { user_id: Some("jane".to_owned()), ..Default::default() };
    /// for ban in &client.chat().query_future_channel_bans(query).await?.bans {
    ///     println!("{:?}", ban.user);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_future_channel_bans(
        &self,
        query: QueryFutureChannelBansPayload,
    ) -> Result<Reply<QueryFutureChannelBansResponse>, Error> {
        let query = QueryFutureChannelBansQuery { payload: Some(JsonParam(query)) };
        self.client.call::<QueryFutureChannelBans>(NoPath {}, query, NoBody).await
    }

    /// Finds reports of messages by a filter, a page at a time.
    ///
    /// # Errors
    /// [`Error::Api`] when the filter is not valid. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::filter::message_flags;
    /// use natterjack_client::protocol::flags::QueryMessageFlagsPayload;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = QueryMessageFlagsPayload {
    ///     filter_conditions: message_flags::channel_cid().eq("messaging:general").into(),
    ///     ..Default::default()
    /// };
    /// for flag in &client.chat().query_message_flags(query).await?.flags {
    ///     println!("{:?} {:?}", flag.message, flag.reason);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_message_flags(
        &self,
        query: QueryMessageFlagsPayload,
    ) -> Result<Reply<QueryMessageFlagsResponse>, Error> {
        let query = QueryMessageFlagsQuery { payload: Some(JsonParam(query)) };
        self.client.call::<QueryMessageFlags>(NoPath {}, query, NoBody).await
    }
}
