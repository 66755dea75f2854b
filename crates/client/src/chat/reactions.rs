use natterjack_protocol::reactions::{
    DeleteReaction, DeleteReactionQuery, DeleteReactionResponse, GetReactions, GetReactionsQuery,
    GetReactionsResponse, QueryReactions, QueryReactionsRequest, QueryReactionsResponse, SendReaction,
    SendReactionRequest, SendReactionResponse,
};
use natterjack_protocol::{NoBody, NoQuery, ReactionPath};

use super::{Chat, message};
use crate::{Error, Reply};

impl Chat<'_> {
    /// Adds a reaction to a message. A user has one reaction of each type per message: sending it again replaces it.
    ///
    /// # Errors
    /// [`Error::Api`] when there is no such message or the channel takes no reactions. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::reactions::{ReactionRequest, SendReactionRequest};
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let reaction = ReactionRequest {
    ///     kind: "like".to_owned(),
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// let request = SendReactionRequest { reaction, ..Default::default() };
    /// let reply = client.chat().send_reaction("order-4711", request).await?;
    /// println!("{:?}", reply.message.reaction_counts);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_reaction(
        &self,
        id: impl Into<String>,
        request: SendReactionRequest,
    ) -> Result<Reply<SendReactionResponse>, Error> {
        self.client.call::<SendReaction>(message(id), NoQuery, request).await
    }

    /// Takes a user's reaction of one type back. With a server token the query names the user.
    ///
    /// When the connection breaks and the call is repeated, the second attempt may find the reaction gone already and
    /// give `NotFound`.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when the user has no such reaction. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::reactions::DeleteReactionQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = DeleteReactionQuery { user_id: Some("jane".to_owned()) };
    /// client.chat().delete_reaction("order-4711", "like", query).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_reaction(
        &self,
        id: impl Into<String>,
        kind: impl Into<String>,
        query: DeleteReactionQuery,
    ) -> Result<Reply<DeleteReactionResponse>, Error> {
        let path = ReactionPath { id: id.into(), kind: kind.into() };
        self.client.call::<DeleteReaction>(path, query, NoBody).await
    }

    /// Reads the reactions to a message, newest first. One page: at most 300, an offset of at most 1000.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is no such message. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::reactions::GetReactionsQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = GetReactionsQuery { limit: Some(20), ..Default::default() };
    /// for reaction in &client.chat().get_reactions("order-4711", query).await?.reactions {
    ///     println!("{}: {}", reaction.user_id, reaction.kind);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_reactions(
        &self,
        id: impl Into<String>,
        query: GetReactionsQuery,
    ) -> Result<Reply<GetReactionsResponse>, Error> {
        self.client.call::<GetReactions>(message(id), query, NoBody).await
    }

    /// Finds reactions to a message, newest first (see [`filter::reactions`](crate::filter::reactions)). One page: at
    /// most 100, with cursors to the pages beside it.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is no such message, or when the filter is not valid. Any other kind of
    /// [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::filter::reactions;
    /// use natterjack_client::protocol::reactions::QueryReactionsRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = QueryReactionsRequest {
    ///     filter: reactions::kind().is_in(["like", "love"]).into(),
    ///     ..Default::default()
    /// };
    /// let found = client.chat().query_reactions("order-4711", request).await?;
    /// println!("{} reactions", found.reactions.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_reactions(
        &self,
        id: impl Into<String>,
        request: QueryReactionsRequest,
    ) -> Result<Reply<QueryReactionsResponse>, Error> {
        self.client.call::<QueryReactions>(message(id), NoQuery, request).await
    }
}
