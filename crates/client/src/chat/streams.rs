use natterjack_protocol::channel_state::ChannelStateResponse;
use natterjack_protocol::channels::{
    GetChannelQuery, GetOrCreateChannelRequest, MessagePaginationParams, PaginationParams,
    QueryChannelsRequest,
};
use natterjack_protocol::members::{ChannelMemberResponse, QueryMembersPayload};
use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::messages::{
    GetRepliesQuery, MessageHistoryEntryResponse, QueryMessageHistoryRequest,
};
use natterjack_protocol::reactions::{GetReactionsQuery, QueryReactionsRequest, ReactionResponse};
use natterjack_protocol::search::{SearchPayload, SearchResult};
use natterjack_protocol::{JsonList, SortParam, Timestamp};

use super::Chat;
use crate::pages::{entries, next_offset};
use crate::{Client, Entries, Error};

/// The greatest pages that servers give.
const CHANNELS_PAGE_MAX: i64 = 30;
const MEMBERS_PAGE_MAX: i64 = 100;
const MESSAGES_PAGE_MAX: i64 = 300;
const SEARCH_PAGE_MAX: i64 = 100;

/// The pages of replies and reactions, whose size the caller does not choose.
const REPLIES_PAGE: i64 = 100;
const REACTIONS_PAGE: i64 = 100;

impl Chat<'_> {
    /// Finds channels page after page, from `offset` on, as many as `limit` in a page (30 by default and at most). Ends
    /// at the offset 1000.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt as _;
    /// use natterjack_client::filter::channels;
    /// use natterjack_client::protocol::channels::QueryChannelsRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = QueryChannelsRequest {
    ///     filter_conditions: channels::kind().eq("messaging").into(),
    ///     ..Default::default()
    /// };
    /// let mut found = client.chat().query_channels_stream(request);
    /// while let Some(state) = found.try_next().await? {
    ///     println!("{} members", state.members.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn query_channels_stream(&self, request: QueryChannelsRequest) -> Entries<ChannelStateResponse> {
        let client = self.client.clone();
        let limit = request.limit.unwrap_or(CHANNELS_PAGE_MAX).clamp(1, CHANNELS_PAGE_MAX);
        entries(request.offset.unwrap_or(0), move |offset| {
            let (client, request) = (client.clone(), request.clone());
            async move {
                let page = QueryChannelsRequest { limit: Some(limit), offset: Some(offset), ..request };
                let channels = client.chat().query_channels(page).await?.into_inner().channels;
                let next = next_offset(offset, limit, channels.len());
                Ok((channels, next))
            }
        })
    }

    /// Finds members of one channel page after page, from `offset` on, as many as `limit` in a page (100 by default and
    /// at most). Ends at the offset 1000.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt as _;
    /// use natterjack_client::protocol::members::QueryMembersPayload;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = QueryMembersPayload {
    ///     kind: "messaging".to_owned(),
    ///     id: Some("general".to_owned()),
    ///     ..Default::default()
    /// };
    /// let members: Vec<_> = client.chat().query_members_stream(query).try_collect().await?;
    /// println!("{} members", members.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn query_members_stream(&self, query: QueryMembersPayload) -> Entries<ChannelMemberResponse> {
        let client = self.client.clone();
        let limit = query.limit.unwrap_or(MEMBERS_PAGE_MAX).clamp(1, MEMBERS_PAGE_MAX);
        entries(query.offset.unwrap_or(0), move |offset| {
            let (client, query) = (client.clone(), query.clone());
            async move {
                let page = QueryMembersPayload { limit: Some(limit), offset: Some(offset), ..query };
                let members = client.chat().query_members(page).await?.into_inner().members;
                let next = next_offset(offset, limit, members.len());
                Ok((members, next))
            }
        })
    }

    /// Finds messages page after page by cursor, beginning with the page that `query` asks for. Ends with the page that
    /// names no next one.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt as _;
    /// use natterjack_client::filter::channels;
    /// use natterjack_client::protocol::search::SearchPayload;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = SearchPayload {
    ///     filter_conditions: channels::members().is_in(["jane"]).into(),
    ///     query: Some("parcel".to_owned()),
    ///     ..Default::default()
    /// };
    /// let mut found = client.chat().search_stream(query);
    /// while let Some(result) = found.try_next().await? {
    ///     println!("{:?}", result.message.map(|message| message.text));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn search_stream(&self, query: SearchPayload) -> Entries<SearchResult> {
        let client = self.client.clone();
        let limit = query.limit.map(|limit| limit.clamp(1, SEARCH_PAGE_MAX));
        entries(SearchPayload { limit, ..query }, move |query| {
            let client = client.clone();
            async move {
                let found = client.chat().search(query.clone()).await?.into_inner();
                let next =
                    found.next.filter(|cursor| !cursor.is_empty() && query.next.as_ref() != Some(cursor));
                Ok((
                    found.results,
                    next.map(|next| SearchPayload { next: Some(next), offset: None, ..query }),
                ))
            }
        })
    }

    /// Reads all messages of a channel, newest first, `page_size` (1 to 300) in a call. Replies are only among them
    /// when they are shown in the channel.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt as _;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let mut messages = client.chat().messages_stream("messaging", "general", 100);
    /// while let Some(message) = messages.try_next().await? {
    ///     println!("{}", message.text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn messages_stream(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        page_size: u32,
    ) -> Entries<MessageResponse> {
        let (client, kind, id) = (self.client.clone(), kind.into(), id.into());
        let limit = i64::from(page_size).clamp(1, MESSAGES_PAGE_MAX);
        entries(None, move |before: Option<String>| {
            let (client, kind, id) = (client.clone(), kind.clone(), id.clone());
            async move {
                let query = GetChannelQuery { messages_id_lt: before, ..messages_only(limit) };
                let mut messages = client.chat().get_channel(kind, id, query).await?.into_inner().messages;
                messages.reverse();
                let next = end_of_full_page(&messages, limit);
                Ok((messages, next.map(Some)))
            }
        })
    }

    /// Reads all messages of a channel like [`messages_stream`](Self::messages_stream), but oldest first. Messages sent
    /// while it runs come at the end. It takes one call more, and never creates the channel.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt as _;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let mut messages = client.chat().messages_stream_oldest_first("messaging", "general", 100);
    /// while let Some(message) = messages.try_next().await? {
    ///     println!("{}", message.text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn messages_stream_oldest_first(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        page_size: u32,
    ) -> Entries<MessageResponse> {
        let (client, kind, id) = (self.client.clone(), kind.into(), id.into());
        let limit = i64::from(page_size).clamp(1, MESSAGES_PAGE_MAX);
        entries(None, move |after: Option<String>| {
            let (client, kind, id) = (client.clone(), kind.clone(), id.clone());
            async move {
                let messages = match after {
                    Some(after) => {
                        let query = GetChannelQuery { messages_id_gt: Some(after), ..messages_only(limit) };
                        client.chat().get_channel(kind, id, query).await?.into_inner().messages
                    }
                    None => oldest_messages(&client, kind, id, limit).await?,
                };
                let next = end_of_full_page(&messages, limit);
                Ok((messages, next.map(Some)))
            }
        })
    }

    /// Reads all replies to a message, oldest first.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt as _;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let mut replies = client.chat().replies_stream("order-4711");
    /// while let Some(reply) = replies.try_next().await? {
    ///     println!("{}", reply.text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn replies_stream(&self, parent_id: impl Into<String>) -> Entries<MessageResponse> {
        let (client, parent_id) = (self.client.clone(), parent_id.into());
        entries(None, move |after: Option<String>| {
            let (client, parent_id) = (client.clone(), parent_id.clone());
            async move {
                let query = GetRepliesQuery {
                    limit: Some(REPLIES_PAGE),
                    id_gt: after,
                    // Said openly, because without a pivot a server could as well begin with the newest.
                    sort: JsonList(vec![SortParam::ascending("created_at")]),
                    ..Default::default()
                };
                let replies = client.chat().get_replies(parent_id, query).await?.into_inner().messages;
                let next = end_of_full_page(&replies, REPLIES_PAGE);
                Ok((replies, next.map(Some)))
            }
        })
    }

    /// Reads the reactions to a message, newest first. Ends at the offset 1000.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt as _;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let mut reactions = client.chat().reactions_stream("order-4711");
    /// while let Some(reaction) = reactions.try_next().await? {
    ///     println!("{}: {}", reaction.user_id, reaction.kind);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn reactions_stream(&self, message_id: impl Into<String>) -> Entries<ReactionResponse> {
        let (client, message_id) = (self.client.clone(), message_id.into());
        entries(0, move |offset| {
            let (client, message_id) = (client.clone(), message_id.clone());
            async move {
                let query = GetReactionsQuery { limit: Some(REACTIONS_PAGE), offset: Some(offset) };
                let found = client.chat().get_reactions(message_id, query).await?.into_inner().reactions;
                let next = next_offset(offset, REACTIONS_PAGE, found.len());
                Ok((found, next))
            }
        })
    }

    /// Finds reactions to a message page after page by cursor, beginning with the page that `request` asks for.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt as _;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let mut reactions = client.chat().query_reactions_stream("order-4711", Default::default());
    /// while let Some(reaction) = reactions.try_next().await? {
    ///     println!("{}: {}", reaction.user_id, reaction.kind);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn query_reactions_stream(
        &self,
        message_id: impl Into<String>,
        request: QueryReactionsRequest,
    ) -> Entries<ReactionResponse> {
        let (client, message_id) = (self.client.clone(), message_id.into());
        entries(request, move |request| {
            let (client, message_id) = (client.clone(), message_id.clone());
            async move {
                let found = client.chat().query_reactions(message_id, request.clone()).await?.into_inner();
                let next = found.next.filter(|cursor| !cursor.is_empty());
                let next = next.map(|next| QueryReactionsRequest { next: Some(next), prev: None, ..request });
                Ok((found.reactions, next))
            }
        })
    }

    /// Finds what messages said before, page after page by cursor, beginning with the page that `request` asks for.
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt as _;
    /// use natterjack_client::filter::message_history;
    /// use natterjack_client::protocol::messages::QueryMessageHistoryRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = QueryMessageHistoryRequest {
    ///     filter: message_history::message_id().eq("order-4711").into(),
    ///     ..Default::default()
    /// };
    /// let mut versions = client.chat().query_message_history_stream(request);
    /// while let Some(version) = versions.try_next().await? {
    ///     println!("{}", version.text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn query_message_history_stream(
        &self,
        request: QueryMessageHistoryRequest,
    ) -> Entries<MessageHistoryEntryResponse> {
        let client = self.client.clone();
        entries(request, move |request| {
            let client = client.clone();
            async move {
                let found = client.chat().query_message_history(request.clone()).await?.into_inner();
                let next = found.next.filter(|cursor| !cursor.is_empty());
                let next =
                    next.map(|next| QueryMessageHistoryRequest { next: Some(next), prev: None, ..request });
                Ok((found.message_history, next))
            }
        })
    }
}

/// Asks for `limit` messages of a channel and as little else as possible.
fn messages_only(limit: i64) -> GetChannelQuery {
    GetChannelQuery {
        state: Some(true),
        messages_limit: Some(limit),
        members_limit: Some(1),
        ..Default::default()
    }
}

/// The id of the last message of a full page, where the next one begins; `None` when the page is the last.
fn end_of_full_page(messages: &[MessageResponse], limit: i64) -> Option<String> {
    let is_full = i64::try_from(messages.len()).is_ok_and(|found| found >= limit);
    messages.last().filter(|_| is_full).map(|message| message.id.clone())
}

/// The first `limit` messages of a channel. Only the call that may create a channel can begin at the oldest message, so
/// the channel is read first, which fails when there is none.
async fn oldest_messages(
    client: &Client,
    kind: String,
    id: String,
    limit: i64,
) -> Result<Vec<MessageResponse>, Error> {
    let newest = client.chat().get_channel(kind.clone(), id.clone(), messages_only(1)).await?;
    if newest.messages.is_empty() {
        return Ok(Vec::new());
    }
    let request = GetOrCreateChannelRequest {
        state: Some(true),
        messages: Some(MessagePaginationParams {
            created_at_after_or_equal: Some(Timestamp::from_nanoseconds(0)),
            limit: Some(limit),
            ..Default::default()
        }),
        members: Some(PaginationParams { limit: Some(1), offset: None }),
        ..Default::default()
    };
    Ok(client.chat().get_or_create_channel(kind, id, request).await?.into_inner().messages)
}
