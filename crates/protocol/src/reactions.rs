//! Reactions to messages.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::message_types::MessageResponse;
use crate::users::{UserRequest, UserResponse};
use crate::{Custom, JsonMap, MessagePath, ReactionPath, SortParam, Timestamp, operation, query_params};

operation! {
    /// Reacts to a message. The same user's reaction of the same type is replaced. 16 for a missing
    /// message, 17 in a frozen channel, 19 where reactions are off, 22 for custom data above 1 KB.
    SendReaction = "send_reaction", Post "/api/v2/chat/messages/{id}/reaction",
        path: MessagePath, body: SendReactionRequest, response: SendReactionResponse, repeatable: true,
}

/// The reaction and switches for this one call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SendReactionRequest {
    /// The reaction.
    pub reaction: ReactionRequest,
    /// True takes the user's other reactions to the message back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_unique: Option<bool>,
    /// True sends no push notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_push: Option<bool>,
}

operation! {
    /// Takes a reaction back. 16 when the message or the reaction does not exist.
    DeleteReaction = "delete_reaction", Delete "/api/v2/chat/messages/{id}/reaction/{type}",
        path: ReactionPath, query: DeleteReactionQuery, response: DeleteReactionResponse,
}

query_params! {
    /// Whose reaction.
    pub struct DeleteReactionQuery {
        /// Whose reaction, when a server calls.
        pub user_id: Option<String>,
    }
}

operation! {
    /// The reactions to a message, newest first.
    GetReactions = "get_reactions", Get "/api/v2/chat/messages/{id}/reactions",
        path: MessagePath, query: GetReactionsQuery, response: GetReactionsResponse,
}

query_params! {
    /// Which page of the reactions.
    pub struct GetReactionsQuery {
        /// Greatest number of reactions, at most 300.
        pub limit: Option<i64>,
        /// How many reactions to skip, at most 1000.
        pub offset: Option<i64>,
    }
}

operation! {
    /// The reactions to a message that a filter selects, newest first. 16 for a missing message, 19 where reactions
    /// are off.
    QueryReactions = "query_reactions", Post "/api/v2/chat/messages/{id}/reactions",
        path: MessagePath, body: QueryReactionsRequest, response: QueryReactionsResponse, repeatable: true,
}

/// Which reactions, in which order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryReactionsRequest {
    /// Conditions on `type`, `user_id` and `created_at`. Empty finds all.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub filter: JsonMap,
    /// Greatest number of reactions, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// The cursor of the page after this one, from an earlier answer. Excludes `prev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The cursor of the page before this one, from an earlier answer. Excludes `next`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    /// One entry for `created_at`, descending when left out.
    #[serde(default, deserialize_with = "crate::sort_list", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
    /// Who asks, when a server calls on behalf of a user. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Who asks as an object, created when missing; for servers. Excludes `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// A reaction as it is sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ReactionRequest {
    /// What is meant, such as `like`: at most 30 characters.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was made; the server sets its own time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Weight of the reaction, 1 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// When it was changed; the server sets its own time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Who reacts, when a server calls on behalf of a user. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The app's own fields, at most 1 KB.
    #[serde(default, skip_serializing_if = "Custom::is_empty")]
    pub custom: Custom,
    /// Who reacts as an object, created when missing; for servers. Excludes `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// The reaction and the message with its new counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SendReactionResponse {
    /// The message.
    pub message: MessageResponse,
    /// The reaction as it is stored.
    pub reaction: ReactionResponse,
}

/// The reaction taken back and the message with its new counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeleteReactionResponse {
    /// The message.
    pub message: MessageResponse,
    /// The reaction as it was.
    pub reaction: ReactionResponse,
}

/// One page of reactions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GetReactionsResponse {
    /// Newest first.
    #[serde(deserialize_with = "crate::null_default")]
    pub reactions: Vec<ReactionResponse>,
}

/// One page of reactions that a filter selects.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryReactionsResponse {
    /// In the order asked for.
    #[serde(deserialize_with = "crate::null_default")]
    pub reactions: Vec<ReactionResponse>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The cursor of the page before; absent on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// A reaction to a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReactionResponse {
    /// When it was created.
    pub created_at: Timestamp,
    /// The message.
    pub message_id: String,
    /// Weight of the reaction.
    pub score: i64,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who reacted.
    pub user_id: String,
    /// What is meant, such as `like`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The app's own fields, at most 1 KB.
    pub custom: Custom,
    /// Who reacted, as an object.
    pub user: Arc<UserResponse>,
}

/// The reactions of one type to a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReactionGroupResponse {
    /// How many.
    pub count: i64,
    /// When the first was made.
    pub first_reaction_at: Timestamp,
    /// When the last was made.
    pub last_reaction_at: Timestamp,
    /// Sum of the scores.
    pub sum_scores: i64,
    /// Who reacted, at most 10, newest first.
    #[serde(deserialize_with = "crate::null_default")]
    pub latest_reactions_by: Vec<ReactionGroupUserResponse>,
}

/// Who reacted, and when.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReactionGroupUserResponse {
    /// When it was created.
    pub created_at: Timestamp,
    /// Who reacted.
    pub user_id: String,
    /// Who reacted, as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
}
