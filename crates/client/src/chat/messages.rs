use natterjack_protocol::messages::{
    DeleteMessage, DeleteMessageQuery, DeleteMessageResponse, GetManyMessages, GetManyMessagesQuery,
    GetManyMessagesResponse, GetMessage, GetMessageQuery, GetMessageResponse, GetPinnedMessages,
    GetPinnedMessagesPayload, GetPinnedMessagesQuery, GetPinnedMessagesResponse, GetReplies, GetRepliesQuery,
    GetRepliesResponse, QueryMessageHistory, QueryMessageHistoryRequest, QueryMessageHistoryResponse,
    SendMessage, SendMessageRequest, SendMessageResponse, UndeleteMessage, UndeleteMessageRequest,
    UndeleteMessageResponse, UpdateMessage, UpdateMessagePartial, UpdateMessagePartialRequest,
    UpdateMessagePartialResponse, UpdateMessageRequest, UpdateMessageResponse,
};
use natterjack_protocol::search::{Search, SearchPayload, SearchQuery, SearchResponse};
use natterjack_protocol::{ErrorCode, JsonParam, NoBody, NoPath, NoQuery, ParentMessagePath};

use super::{Chat, channel, message};
use crate::transport::Attempts;
use crate::{Error, Reply};

impl Chat<'_> {
    /// Sends a message. With a server token `request.message` names the author by `user_id`.
    ///
    /// # What is repeated
    /// Without an id in `request.message` the call is repeated only when the server certainly did not take it, because
    /// it could appear twice; the error of a lost connection then leaves open whether it was sent. The SDK does not
    /// invent ids: what makes two messages the same one is for the caller to know.
    ///
    /// With an id, unique in the app, the call is repeated like any other. When a later attempt learns that the message
    /// already exists and an earlier one had an unknown outcome, that earlier one has succeeded: the message is fetched
    /// and given as the reply. Its `channel_context` and `mentioned_members` are missing then. An id that another user
    /// or another channel has taken stays an error.
    ///
    /// # Errors
    /// [`Error::Api`] when the channel does not exist, the author may not write, or the message is not valid. Any other
    /// kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::messages::{MessageRequest, SendMessageRequest};
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let message = MessageRequest {
    ///     id: Some("order-4711".to_owned()),
    ///     text: Some("Your parcel is on its way.".to_owned()),
    ///     user_id: Some("shop".to_owned()),
    ///     ..Default::default()
    /// };
    /// let request = SendMessageRequest { message, ..Default::default() };
    /// let sent = client.chat().send_message("messaging", "general", request).await?;
    /// println!("{}", sent.message.created_at);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_message(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        request: SendMessageRequest,
    ) -> Result<Reply<SendMessageResponse>, Error> {
        let path = channel(kind, id);
        let prepared = self.client.prepare::<SendMessage>(&path, &NoQuery, &request)?;
        let Some(message_id) = request.message.id.filter(|id| !id.is_empty()) else {
            return self.client.send(&prepared, false).await.result?.decode();
        };
        let author = request.message.user_id.or(request.message.user.map(|user| user.id));
        let Attempts { result, earlier_may_have_succeeded } = self.client.send(&prepared, true).await;
        let refusal = match result {
            Ok(answer) => return answer.decode(),
            Err(error) if earlier_may_have_succeeded && already_exists(&error) => error,
            Err(error) => return Err(error),
        };
        let found = self.get_message(message_id, GetMessageQuery::default()).await?;
        let is_ours = found.message.cid == format!("{}:{}", path.kind, path.id)
            && author.is_none_or(|author| author == found.message.user.id);
        if !is_ours {
            return Err(refusal);
        }
        Ok(found.map(|found| SendMessageResponse {
            message: found.message,
            pending_message_metadata: found.pending_message_metadata,
            ..Default::default()
        }))
    }

    /// Reads one message.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that id. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let found = client.chat().get_message("order-4711", Default::default()).await?;
    /// println!("{}", found.message.text);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_message(
        &self,
        id: impl Into<String>,
        query: GetMessageQuery,
    ) -> Result<Reply<GetMessageResponse>, Error> {
        self.client.call::<GetMessage>(message(id), query, NoBody).await
    }

    /// Reads 1 to 50 messages of one channel by their ids. Ids that the channel does not have are left out.
    ///
    /// # Errors
    /// [`Error::Api`] when there are no ids or too many. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::CommaList;
    /// use natterjack_client::protocol::messages::GetManyMessagesQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let ids = CommaList(vec!["order-4711".to_owned(), "order-4712".to_owned()]);
    /// let query = GetManyMessagesQuery { ids, ..Default::default() };
    /// let found = client.chat().get_many_messages("messaging", "general", query).await?;
    /// println!("{} of 2", found.messages.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_many_messages(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        query: GetManyMessagesQuery,
    ) -> Result<Reply<GetManyMessagesResponse>, Error> {
        self.client.call::<GetManyMessages>(channel(kind, id), query, NoBody).await
    }

    /// Replaces a message. What `request.message` leaves out is removed from it.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that id. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::messages::{MessageRequest, UpdateMessageRequest};
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let message = MessageRequest {
    ///     text: Some("Your parcel has arrived.".to_owned()),
    ///     user_id: Some("shop".to_owned()),
    ///     ..Default::default()
    /// };
    /// let request = UpdateMessageRequest { message, ..Default::default() };
    /// client.chat().update_message("order-4711", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_message(
        &self,
        id: impl Into<String>,
        request: UpdateMessageRequest,
    ) -> Result<Reply<UpdateMessageResponse>, Error> {
        self.client.call::<UpdateMessage>(message(id), NoQuery, request).await
    }

    /// Changes only the parts of a message that are named. With a server token the request names the user.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that id, with `Input` for what cannot be changed. Any other
    /// kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::messages::UpdateMessagePartialRequest;
    /// use serde_json::json;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = UpdateMessagePartialRequest {
    ///     set: serde_json::Map::from_iter([
    ///         ("pinned".to_owned(), json!(true)),
    ///         ("parcel.state".to_owned(), json!("delivered")),
    ///     ]),
    ///     unset: vec!["parcel.eta".to_owned()],
    ///     user_id: Some("shop".to_owned()),
    ///     ..Default::default()
    /// };
    /// client.chat().update_message_partial("order-4711", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_message_partial(
        &self,
        id: impl Into<String>,
        request: UpdateMessagePartialRequest,
    ) -> Result<Reply<UpdateMessagePartialResponse>, Error> {
        self.client.call::<UpdateMessagePartial>(message(id), NoQuery, request).await
    }

    /// Deletes a message; with `hard` for good, else it stays as a message of type `deleted`.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that id. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::messages::DeleteMessageQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = DeleteMessageQuery { hard: Some(true), ..Default::default() };
    /// client.chat().delete_message("order-4711", query).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_message(
        &self,
        id: impl Into<String>,
        query: DeleteMessageQuery,
    ) -> Result<Reply<DeleteMessageResponse>, Error> {
        self.client.call::<DeleteMessage>(message(id), query, NoBody).await
    }

    /// Brings a softly deleted message back.
    ///
    /// When the connection breaks it is not repeated: a second attempt would be refused because the message is not
    /// deleted any more.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is none of that id, with `Input` when it is not deleted or replies to
    /// a message that is. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::messages::UndeleteMessageRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = UndeleteMessageRequest { undeleted_by: "shop".to_owned() };
    /// client.chat().undelete_message("order-4711", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn undelete_message(
        &self,
        id: impl Into<String>,
        request: UndeleteMessageRequest,
    ) -> Result<Reply<UndeleteMessageResponse>, Error> {
        self.client.call::<UndeleteMessage>(message(id), NoQuery, request).await
    }

    /// Finds what messages said before they were changed or deleted, newest first (see
    /// [`filter::message_history`](crate::filter::message_history)); the filter has to name the messages. One page: at
    /// most 100.
    ///
    /// # Errors
    /// [`Error::Api`] when the filter is not valid or names no messages. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::filter::message_history;
    /// use natterjack_client::protocol::messages::QueryMessageHistoryRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = QueryMessageHistoryRequest {
    ///     filter: message_history::message_id().eq("order-4711").into(),
    ///     ..Default::default()
    /// };
    /// for version in &client.chat().query_message_history(request).await?.message_history {
    ///     println!("{}: {}", version.message_updated_at, version.text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_message_history(
        &self,
        request: QueryMessageHistoryRequest,
    ) -> Result<Reply<QueryMessageHistoryResponse>, Error> {
        self.client.call::<QueryMessageHistory>(NoPath {}, NoQuery, request).await
    }

    /// Reads pinned messages of a channel, most recently pinned first. One page: at most 300.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is no such channel. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::messages::GetPinnedMessagesPayload;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let page = GetPinnedMessagesPayload { limit: Some(20), ..Default::default() };
    /// for pinned in &client.chat().get_pinned_messages("messaging", "general", page).await?.messages {
    ///     println!("{}", pinned.text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_pinned_messages(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        payload: GetPinnedMessagesPayload,
    ) -> Result<Reply<GetPinnedMessagesResponse>, Error> {
        let query = GetPinnedMessagesQuery { payload: Some(JsonParam(payload)) };
        self.client.call::<GetPinnedMessages>(channel(kind, id), query, NoBody).await
    }

    /// Reads replies to a message, oldest first. One page: at most 300.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is no such message. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::messages::GetRepliesQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = GetRepliesQuery { limit: Some(20), ..Default::default() };
    /// for reply in &client.chat().get_replies("order-4711", query).await?.messages {
    ///     println!("{}", reply.text);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_replies(
        &self,
        parent_id: impl Into<String>,
        query: GetRepliesQuery,
    ) -> Result<Reply<GetRepliesResponse>, Error> {
        let path = ParentMessagePath { parent_id: parent_id.into() };
        self.client.call::<GetReplies>(path, query, NoBody).await
    }

    /// Finds messages in the channels that `filter_conditions` selects: by words (`query`) or by their fields
    /// (`message_filter_conditions`, see [`filter::messages`](crate::filter::messages)), not both. One page: at most
    /// 100.
    ///
    /// # Errors
    /// [`Error::Api`] when a filter is not valid or both ways or neither are used. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::filter::{channels, messages};
    /// use natterjack_client::protocol::search::SearchPayload;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = SearchPayload {
    ///     filter_conditions: channels::members().is_in(["jane"]).into(),
    ///     message_filter_conditions: messages::text().q("parcel").and(messages::pinned().eq(true)).into(),
    ///     ..Default::default()
    /// };
    /// let found = client.chat().search(query).await?;
    /// println!("{} messages", found.results.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn search(&self, query: SearchPayload) -> Result<Reply<SearchResponse>, Error> {
        let query = SearchQuery { payload: Some(JsonParam(query)) };
        self.client.call::<Search>(NoPath {}, query, NoBody).await
    }
}

/// Whether the server refused a message because its id is taken.
fn already_exists(error: &Error) -> bool {
    matches!(error, Error::Api { code: ErrorCode::Input, message, .. } if message.contains("already exists"))
}
