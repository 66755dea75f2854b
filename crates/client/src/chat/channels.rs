use natterjack_protocol::channel_state::ChannelStateResponse;
use natterjack_protocol::channel_types::{
    CreateChannelType, CreateChannelTypeRequest, CreateChannelTypeResponse, DeleteChannelType,
    DeleteChannelTypeResponse, GetChannelType, GetChannelTypeResponse, ListChannelTypes,
    ListChannelTypesResponse, UpdateChannelType, UpdateChannelTypeRequest, UpdateChannelTypeResponse,
};
use natterjack_protocol::channels::{
    DeleteChannel, DeleteChannelQuery, DeleteChannelResponse, DeleteChannels, DeleteChannelsRequest,
    DeleteChannelsResponse, GetChannel, GetChannelQuery, GetOrCreateChannel, GetOrCreateChannelRequest,
    GetOrCreateDistinctChannel, HideChannel, HideChannelRequest, HideChannelResponse, QueryChannels,
    QueryChannelsRequest, QueryChannelsResponse, ShowChannel, ShowChannelRequest, ShowChannelResponse,
    TruncateChannel, TruncateChannelRequest, TruncateChannelResponse, UpdateChannel, UpdateChannelPartial,
    UpdateChannelPartialRequest, UpdateChannelPartialResponse, UpdateChannelRequest, UpdateChannelResponse,
};
use natterjack_protocol::members::{
    MembersResponse, QueryMembers, QueryMembersPayload, QueryMembersQuery, UpdateMemberPartial,
    UpdateMemberPartialQuery, UpdateMemberPartialRequest, UpdateMemberPartialResponse,
};
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

    /// Creates a channel type. The answer has commands by name.
    ///
    /// # Errors
    /// [`Error::Api`] with code 4 when the name is taken, a setting is not valid, or the app has 50 types. Any other
    /// kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channel_types::CreateChannelTypeRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = CreateChannelTypeRequest {
    ///     name: Some("support".to_owned()),
    ///     automod: Some("disabled".to_owned()),
    ///     automod_behavior: Some("flag".to_owned()),
    ///     max_message_length: Some(2000),
    ///     reactions: Some(false),
    ///     ..Default::default()
    /// };
    /// let created = client.chat().create_channel_type(request).await?;
    /// println!("{}", created.created_at);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_channel_type(
        &self,
        request: CreateChannelTypeRequest,
    ) -> Result<Reply<CreateChannelTypeResponse>, Error> {
        self.client.call::<CreateChannelType>(NoPath {}, NoQuery, request).await
    }

    /// Changes the settings of a channel type that are given. Holds at once in all channels of the type.
    ///
    /// # Errors
    /// [`Error::Api`] with code 16 when there is none of that name, 4 when a setting is not valid. Any other kind of
    /// [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channel_types::UpdateChannelTypeRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let change = UpdateChannelTypeRequest { replies: Some(false), ..Default::default() };
    /// let updated = client.chat().update_channel_type("livestream", change).await?;
    /// assert!(!updated.replies);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_channel_type(
        &self,
        name: impl Into<String>,
        request: UpdateChannelTypeRequest,
    ) -> Result<Reply<UpdateChannelTypeResponse>, Error> {
        let path = ChannelTypePath { kind: name.into() };
        self.client.call::<UpdateChannelType>(path, NoQuery, request).await
    }

    /// Deletes a channel type. A built-in one gets its defaults back.
    ///
    /// # Errors
    /// [`Error::Api`] with code 16 when there is none of that name, 4 while there are channels of it. Any other kind of
    /// [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// client.chat().delete_channel_type("support").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_channel_type(
        &self,
        name: impl Into<String>,
    ) -> Result<Reply<DeleteChannelTypeResponse>, Error> {
        let path = ChannelTypePath { kind: name.into() };
        self.client.call::<DeleteChannelType>(path, NoQuery, NoBody).await
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

    /// Changes single fields of a channel's data and leaves the others as they are.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when the channel does not exist, with `NotAllowed` for a field that cannot be set.
    /// Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channels::UpdateChannelPartialRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let mut request = UpdateChannelPartialRequest::default();
    /// request.set.insert("frozen".to_owned(), true.into());
    /// request.set.insert("address.city".to_owned(), "Utrecht".into());
    /// request.unset.push("color".to_owned());
    /// client.chat().update_channel_partial("messaging", "general", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_channel_partial(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        request: UpdateChannelPartialRequest,
    ) -> Result<Reply<UpdateChannelPartialResponse>, Error> {
        self.client.call::<UpdateChannelPartial>(channel(kind, id), NoQuery, request).await
    }

    /// Hides a channel from one member's queries until the next message; with `clear_history` that member never sees
    /// the messages so far again.
    ///
    /// # Errors
    /// [`Error::Api`] when the channel does not exist or the user is not a member. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channels::HideChannelRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = HideChannelRequest { user_id: Some("jane".to_owned()), ..Default::default() };
    /// client.chat().hide_channel("messaging", "general", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn hide_channel(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        request: HideChannelRequest,
    ) -> Result<Reply<HideChannelResponse>, Error> {
        self.client.call::<HideChannel>(channel(kind, id), NoQuery, request).await
    }

    /// Shows a channel again to a member who has hidden it.
    ///
    /// # Errors
    /// [`Error::Api`] when the channel does not exist or the user is not a member. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channels::ShowChannelRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = ShowChannelRequest { user_id: Some("jane".to_owned()), ..Default::default() };
    /// client.chat().show_channel("messaging", "general", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn show_channel(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        request: ShowChannelRequest,
    ) -> Result<Reply<ShowChannelResponse>, Error> {
        self.client.call::<ShowChannel>(channel(kind, id), NoQuery, request).await
    }

    /// Takes the messages of a channel away, up to a moment or all of them, from everybody or from some members.
    ///
    /// The call is not repeated when its outcome is unknown: a message that was sent meanwhile would go too.
    ///
    /// # Errors
    /// [`Error::Api`] when the channel does not exist or one of `member_ids` is not a member. Any other kind of
    /// [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::channels::TruncateChannelRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = TruncateChannelRequest { hard_delete: Some(true), ..Default::default() };
    /// client.chat().truncate_channel("messaging", "general", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn truncate_channel(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        request: TruncateChannelRequest,
    ) -> Result<Reply<TruncateChannelResponse>, Error> {
        self.client.call::<TruncateChannel>(channel(kind, id), NoQuery, request).await
    }

    /// Changes single fields of one member and leaves the others as they are: pins or archives the channel for that
    /// member, sets custom data or the role in the channel.
    ///
    /// # Errors
    /// [`Error::Api`] when the channel does not exist, the user is not a member, or a field cannot be set. Any other
    /// kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::members::UpdateMemberPartialRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let mut request = UpdateMemberPartialRequest::default();
    /// request.set.insert("pinned".to_owned(), true.into());
    /// let reply = client.chat().update_member_partial("messaging", "general", "jane", request).await?;
    /// println!("{:?}", reply.channel_member.as_ref().and_then(|member| member.pinned_at));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_member_partial(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        user_id: impl Into<String>,
        request: UpdateMemberPartialRequest,
    ) -> Result<Reply<UpdateMemberPartialResponse>, Error> {
        let query = UpdateMemberPartialQuery { user_id: Some(user_id.into()) };
        self.client.call::<UpdateMemberPartial>(channel(kind, id), query, request).await
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
