use natterjack_protocol::channel_state::ChannelStateResponse;
use natterjack_protocol::channel_types::{
    GetChannelType, GetChannelTypeResponse, ListChannelTypes, ListChannelTypesResponse,
};
use natterjack_protocol::channels::{
    DeleteChannel, DeleteChannelQuery, DeleteChannelResponse, DeleteChannels, DeleteChannelsRequest,
    DeleteChannelsResponse, GetChannel, GetChannelQuery, GetOrCreateChannel, GetOrCreateChannelRequest,
    GetOrCreateDistinctChannel, QueryChannels, QueryChannelsRequest, QueryChannelsResponse, UpdateChannel,
    UpdateChannelRequest, UpdateChannelResponse,
};
use natterjack_protocol::members::{MembersResponse, QueryMembers, QueryMembersPayload, QueryMembersQuery};
use natterjack_protocol::{ChannelTypePath, JsonParam, NoBody, NoPath, NoQuery};

use super::{Chat, channel};
use crate::{Error, Reply};

impl Chat<'_> {
    /// Lists the channel types of the app, by name.
    ///
    /// # Errors
    /// All kinds of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// for (name, kind) in &client.chat().list_channel_types().await?.channel_types {
    ///     println!("{name}: messages of at most {} characters", kind.max_message_length);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_channel_types(&self) -> Result<Reply<ListChannelTypesResponse>, Error> {
        self.client.call::<ListChannelTypes>(NoPath {}, NoQuery, NoBody).await
    }

    /// Reads one channel type.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that name. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let kind = client.chat().get_channel_type("messaging").await?;
    /// println!("replies: {}", kind.replies);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_channel_type(
        &self,
        name: impl Into<String>,
    ) -> Result<Reply<GetChannelTypeResponse>, Error> {
        let path = ChannelTypePath { kind: name.into() };
        self.client.call::<GetChannelType>(path, NoQuery, NoBody).await
    }

    /// Reads a channel, or creates it when there is none. With a server token a new channel must name its creator.
    ///
    /// # Errors
    /// [`Error::Api`] when a named user does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channels::{ChannelInput, GetOrCreateChannelRequest};
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let data = ChannelInput { created_by_id: Some("jane".to_owned()), ..Default::default() };
    /// let request = GetOrCreateChannelRequest { data: Some(data), ..Default::default() };
    /// let state = client.chat().get_or_create_channel("messaging", "general", request).await?;
    /// println!("{} messages", state.messages.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_create_channel(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        request: GetOrCreateChannelRequest,
    ) -> Result<Reply<ChannelStateResponse>, Error> {
        self.client.call::<GetOrCreateChannel>(channel(kind, id), NoQuery, request).await
    }

    /// Reads the channel of exactly the members in `request.data.members`, or creates it when there is none. Its id is
    /// made from the members.
    ///
    /// # Errors
    /// [`Error::Api`] when the members are missing or do not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channels::{ChannelInput, GetOrCreateChannelRequest};
    /// use natterjack_client::protocol::members::ChannelMemberRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let member = |id: &str| ChannelMemberRequest { user_id: id.to_owned(), ..Default::default() };
    /// let data = ChannelInput {
    ///     created_by_id: Some("jane".to_owned()),
    ///     members: Some(vec![member("jane"), member("joe")]),
    ///     ..Default::default()
    /// };
    /// let request = GetOrCreateChannelRequest { data: Some(data), ..Default::default() };
    /// let state = client.chat().get_or_create_distinct_channel("messaging", request).await?;
    /// println!("{:?}", state.channel.as_ref().map(|channel| &channel.cid));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_create_distinct_channel(
        &self,
        kind: impl Into<String>,
        request: GetOrCreateChannelRequest,
    ) -> Result<Reply<ChannelStateResponse>, Error> {
        let path = ChannelTypePath { kind: kind.into() };
        self.client.call::<GetOrCreateDistinctChannel>(path, NoQuery, request).await
    }

    /// Reads a channel. Never creates it.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when the channel does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channels::GetChannelQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = GetChannelQuery { messages_limit: Some(10), ..Default::default() };
    /// let state = client.chat().get_channel("messaging", "general", query).await?;
    /// println!("{} messages", state.messages.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_channel(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        query: GetChannelQuery,
    ) -> Result<Reply<ChannelStateResponse>, Error> {
        self.client.call::<GetChannel>(channel(kind, id), query, NoBody).await
    }

    /// Finds channels; the fields are in [`filter::channels`](crate::filter::channels). One page: at most 30 channels,
    /// 10 by default, an offset of at most 1000.
    ///
    /// # Errors
    /// [`Error::Api`] when the filter or the sort is not valid. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channels::QueryChannelsRequest;
    /// use natterjack_client::{filter, sort};
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = QueryChannelsRequest {
    ///     filter_conditions: filter::channels::members().is_in(["jane"]).into(),
    ///     sort: vec![sort::channels::last_message_at().descending()],
    ///     message_limit: Some(1),
    ///     ..Default::default()
    /// };
    /// let found = client.chat().query_channels(request).await?;
    /// println!("{} channels", found.channels.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_channels(
        &self,
        request: QueryChannelsRequest,
    ) -> Result<Reply<QueryChannelsResponse>, Error> {
        self.client.call::<QueryChannels>(NoPath {}, NoQuery, request).await
    }

    /// Changes a channel: its data as a whole, its members, invitations, roles and tags. What `data` leaves out is
    /// removed from the channel.
    ///
    /// With a `message` that has no id the call is not repeated when its outcome is unknown, since the message could
    /// appear twice.
    ///
    /// # Errors
    /// [`Error::Api`] when the channel or a named user does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channels::UpdateChannelRequest;
    /// use natterjack_client::protocol::members::ChannelMemberRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let joe = ChannelMemberRequest { user_id: "joe".to_owned(), ..Default::default() };
    /// let request = UpdateChannelRequest { add_members: vec![joe], ..Default::default() };
    /// let reply = client.chat().update_channel("messaging", "general", request).await?;
    /// println!("{} members", reply.members.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_channel(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        request: UpdateChannelRequest,
    ) -> Result<Reply<UpdateChannelResponse>, Error> {
        let repeatable = request.message.as_ref().is_none_or(|message| message.id.is_some());
        let request = self.client.prepare::<UpdateChannel>(&channel(kind, id), &NoQuery, &request)?;
        self.client.send(&request, repeatable).await.result?.decode()
    }

    /// Deletes a channel; with `hard_delete` its messages too, for good.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when the channel does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channels::DeleteChannelQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = DeleteChannelQuery { hard_delete: Some(true) };
    /// client.chat().delete_channel("messaging", "general", query).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_channel(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        query: DeleteChannelQuery,
    ) -> Result<Reply<DeleteChannelResponse>, Error> {
        self.client.call::<DeleteChannel>(channel(kind, id), query, NoBody).await
    }

    /// Deletes channels, at most 100 in one call; with `hard_delete` their messages too, for good. They are not seen any
    /// more at once, the rest is a task.
    ///
    /// # Errors
    /// [`Error::Api`] when one of them does not exist; then none is deleted. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channels::DeleteChannelsRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let cids = vec!["messaging:general".to_owned()];
    /// let request = DeleteChannelsRequest { cids, hard_delete: Some(true) };
    /// let reply = client.chat().delete_channels(request).await?;
    /// println!("{:?}", reply.task_id);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_channels(
        &self,
        request: DeleteChannelsRequest,
    ) -> Result<Reply<DeleteChannelsResponse>, Error> {
        self.client.call::<DeleteChannels>(NoPath {}, NoQuery, request).await
    }

    /// Finds members of one channel; the fields are in [`filter::members`](crate::filter::members). The payload names
    /// the channel by `kind` and `id`, or a distinct one by `kind` and `members`. One page: at most 100 members.
    ///
    /// # Errors
    /// [`Error::Api`] when the channel does not exist or the filter is not valid. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::filter::members;
    /// use natterjack_client::protocol::members::QueryMembersPayload;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = QueryMembersPayload {
    ///     kind: "messaging".to_owned(),
    ///     id: Some("general".to_owned()),
    ///     filter_conditions: members::channel_role().eq("channel_moderator").into(),
    ///     ..Default::default()
    /// };
    /// let moderators = client.chat().query_members(query).await?;
    /// println!("{} moderators", moderators.members.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_members(&self, query: QueryMembersPayload) -> Result<Reply<MembersResponse>, Error> {
        let query = QueryMembersQuery { payload: Some(JsonParam(query)) };
        self.client.call::<QueryMembers>(NoPath {}, query, NoBody).await
    }
}
