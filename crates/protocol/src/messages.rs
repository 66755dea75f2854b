//! Messages: sending, reading, changing and deleting them. What they look like is in
//! [`message_types`](crate::message_types).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::channel_state::ChannelContextResponse;
use crate::message_types::{Attachment, MessageResponse};
use crate::users::UserRequest;
use crate::{
    ChannelPath, CommaList, Custom, JsonList, JsonMap, JsonParam, MessagePath, ParentMessagePath, SortParam,
    Timestamp, operation, query_params,
};

operation! {
    /// Sends a message to a channel. Not safe to repeat without a message id; with one, the second call
    /// fails with 4 (`already exists`). 16 for a missing channel, 17 when banned or frozen out, 20 for text
    /// above the channel's limit, 21 for a reply to a reply, 22 for custom data or attachments above 5 KB,
    /// 60 in slow mode, 73 when moderation refuses.
    SendMessage = "send_message", Post "/api/v2/chat/channels/{type}/{id}/message",
        path: ChannelPath, body: SendMessageRequest, response: SendMessageResponse,
}

/// The message and switches for this one sending.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SendMessageRequest {
    /// The message to send.
    pub message: MessageRequest,
    /// True moderates the message although a server sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_moderation: Option<bool>,
    /// True answers the channel in short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_channel_context: Option<bool>,
    /// True answers which of the mentioned users are members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_mentioned_members: Option<bool>,
    /// True leaves the channel hidden for those who hid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_channel_hidden: Option<bool>,
    /// True keeps the message to its sender until it is committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<bool>,
    /// True leaves links in the text without a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_enrich_url: Option<bool>,
    /// True sends no push notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_push: Option<bool>,
    /// Texts to store beside a pending message.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub pending_message_metadata: BTreeMap<String, String>,
}

operation! {
    /// One message with its channel. 16 when it does not exist, 17 when its channel may not be read.
    GetMessage = "get_message", Get "/api/v2/chat/messages/{id}",
        path: MessagePath, query: GetMessageQuery, response: GetMessageResponse,
}

query_params! {
    /// Whether a deleted message is shown.
    pub struct GetMessageQuery {
        /// True shows the content of a soft-deleted message; servers only.
        pub show_deleted_message: Option<bool>,
    }
}

operation! {
    /// Up to 50 messages of one channel by id; ids that do not exist are left out. 4 for none or more than
    /// 50.
    GetManyMessages = "get_many_messages", Get "/api/v2/chat/channels/{type}/{id}/messages",
        path: ChannelPath, query: GetManyMessagesQuery, response: GetManyMessagesResponse,
}

query_params! {
    /// Which messages.
    pub struct GetManyMessagesQuery {
        /// Ids of the messages, 1 to 50.
        pub ids: CommaList,
        /// Keys of the sender's member data to copy into each message's `member.custom`: at most 8, of 64
        /// characters each.
        pub member_custom_include: CommaList,
    }
}

operation! {
    /// Replaces text, attachments, mentions and all custom data of a message. 4 for what cannot change
    /// (`silent`, `parent_id`, author) and for deleted messages, 16 when it does not exist, 20
    /// for text above the channel's limit.
    UpdateMessage = "update_message", Post "/api/v2/chat/messages/{id}",
        path: MessagePath, body: UpdateMessageRequest, response: UpdateMessageResponse, repeatable: true,
}

/// The new content and switches for this one change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateMessageRequest {
    /// The new content; everything of the old one is replaced.
    pub message: MessageRequest,
    /// True leaves links in the text without a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_enrich_url: Option<bool>,
    /// True sends no push notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_push: Option<bool>,
}

operation! {
    /// Changes only the parts of a message that are named. 4 for what cannot change and for deleted messages,
    /// 16 when it does not exist, 20 for text above the channel's limit, 22 for custom data or attachments above
    /// 5 KB.
    UpdateMessagePartial = "update_message_partial", Put "/api/v2/chat/messages/{id}",
        path: MessagePath, body: UpdateMessagePartialRequest, response: UpdateMessagePartialResponse,
}

/// What to change, and switches for this one change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateMessagePartialRequest {
    /// New values by name: `text`, `html`, `mml`, `attachments`, `mentioned_users` (ids), `mentioned_roles`,
    /// `mentioned_here`, `mentioned_channel`, `quoted_message_id`, `pinned`, `pin_expires`; any other name, dotted
    /// for a nested one, is custom data.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub set: JsonMap,
    /// Names of what to take away, as in `set`.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// True leaves links in the text without a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_enrich_url: Option<bool>,
    /// True sends no push notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_push: Option<bool>,
    /// Who changes the message, when a server calls on behalf of a user. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Who changes it as an object, created when missing; for servers. Excludes `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

operation! {
    /// Brings a softly deleted message back. 4 when it is not deleted, or replies to a message that is; 16 when it
    /// does not exist. Servers only.
    UndeleteMessage = "undelete_message", Post "/api/v2/chat/messages/{id}/undelete",
        path: MessagePath, body: UndeleteMessageRequest, response: UndeleteMessageResponse, server_side_only: true,
}

/// Who brings the message back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UndeleteMessageRequest {
    /// Id of the user who brings it back.
    #[serde(default)]
    pub undeleted_by: String,
}

operation! {
    /// What messages said before they were changed, newest first. Servers only.
    QueryMessageHistory = "query_message_history", Post "/api/v2/chat/messages/history",
        body: QueryMessageHistoryRequest, response: QueryMessageHistoryResponse, repeatable: true, server_side_only: true,
}

/// Which entries, in which order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryMessageHistoryRequest {
    /// Conditions on `message_id` (required: `$eq` or `$in`), `message_updated_by_id`, `message_updated_at` and
    /// custom data.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub filter: JsonMap,
    /// Greatest number of entries, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// The cursor of the page after this one, from an earlier answer. Excludes `prev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The cursor of the page before this one, from an earlier answer. Excludes `next`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    /// One entry for `message_updated_at`, descending when left out.
    #[serde(default, deserialize_with = "crate::sort_list", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
}

operation! {
    /// Deletes a message: softly, for good, or for the caller only. 16 when it does not exist, 17 when it
    /// is somebody else's and the caller may delete only own ones.
    DeleteMessage = "delete_message", Delete "/api/v2/chat/messages/{id}",
        path: MessagePath, query: DeleteMessageQuery, response: DeleteMessageResponse,
}

query_params! {
    /// How to delete.
    pub struct DeleteMessageQuery {
        /// True removes message, reactions and replies for good.
        pub hard: Option<bool>,
        /// Id of the user who deletes, when a server calls.
        pub deleted_by: Option<String>,
        /// True deletes for the acting user only, at most 100 per user and channel.
        pub delete_for_me: Option<bool>,
    }
}

operation! {
    /// The replies to a message, oldest first. 16 when the parent does not exist. At most one of the `id_…`
    /// parameters.
    GetReplies = "get_replies", Get "/api/v2/chat/messages/{parent_id}/replies",
        path: ParentMessagePath, query: GetRepliesQuery, response: GetRepliesResponse,
}

query_params! {
    /// Which page of the replies.
    pub struct GetRepliesQuery {
        /// Greatest number of replies, at most 300.
        pub limit: Option<i64>,
        /// This message and those after it.
        pub id_gte: Option<String>,
        /// Messages after this one.
        pub id_gt: Option<String>,
        /// This message and those before it.
        pub id_lte: Option<String>,
        /// Messages before this one.
        pub id_lt: Option<String>,
        /// This message and those on both sides.
        pub id_around: Option<String>,
        /// Order: one entry on `created_at`.
        pub sort: JsonList<SortParam>,
        /// Keys of the sender's member data to copy into each message's `member.custom`: at most 8, of 64
        /// characters each.
        pub member_custom_include: CommaList,
    }
}

operation! {
    /// Reads the pinned messages of a channel, most recently pinned first unless `sort` says otherwise. In the older form
    /// only. At most one place to page from; 4 when it is a message that is not pinned here.
    GetPinnedMessages = "get_pinned_messages", Get "/channels/{type}/{id}/pinned_messages",
        path: ChannelPath, query: GetPinnedMessagesQuery, response: GetPinnedMessagesResponse,
}

query_params! {
    /// Carries the question as one JSON object.
    pub struct GetPinnedMessagesQuery {
        /// Which page, in which order.
        pub payload: Option<JsonParam<GetPinnedMessagesPayload>>,
    }
}

/// Which of a channel's pinned messages. Those before another one were pinned before it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GetPinnedMessagesPayload {
    /// Greatest number of messages, at most 300, 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Messages pinned before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_lt: Option<String>,
    /// This message and those pinned before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_lte: Option<String>,
    /// Messages pinned after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_gt: Option<String>,
    /// This message and those pinned after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_gte: Option<String>,
    /// This message and those on both sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_around: Option<String>,
    /// Messages pinned before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at_before: Option<Timestamp>,
    /// Messages pinned before this moment or at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at_before_or_equal: Option<Timestamp>,
    /// Messages pinned after this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at_after: Option<Timestamp>,
    /// Messages pinned after this moment or at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at_after_or_equal: Option<Timestamp>,
    /// Messages pinned on both sides of this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at_around: Option<Timestamp>,
    /// Order: one entry on `pinned_at`, descending when left out.
    #[serde(default, deserialize_with = "crate::sort_list", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// A page of pinned messages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GetPinnedMessagesResponse {
    /// In the order asked for.
    #[serde(deserialize_with = "crate::null_default")]
    pub messages: Vec<MessageResponse>,
}

/// A message as it is sent or updated.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageRequest {
    /// HTML form of the text; settable by servers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Chosen by the client: at most 255 characters without `,` and `%`. Made by the server when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether every member is notified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentioned_channel: Option<bool>,
    /// Whether members who are online are notified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentioned_here: Option<bool>,
    /// Message Markup Language form of the text; settable by servers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mml: Option<String>,
    /// The message that this one replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// When the pin ends, in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin_expires: Option<Timestamp>,
    /// True pins the message, false unpins it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// Since when the message is pinned; the server sets its own time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at: Option<Timestamp>,
    /// The attached poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_id: Option<String>,
    /// The message that this one quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message_id: Option<String>,
    /// For a reply: true shows it among the channel's messages too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_in_channel: Option<bool>,
    /// True counts as read for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent: Option<bool>,
    /// The text, Markdown; its greatest length is the channel's `max_message_length`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The sender, when a server sends on behalf of a user. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// What to send: `regular`, `system`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// At most 30, together at most 5 KB.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Mentioned user groups, at most 10.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub mentioned_group_ids: Vec<String>,
    /// Mentioned roles, at most 10.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub mentioned_roles: Vec<String>,
    /// Ids of mentioned users, at most 100; each has to exist.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub mentioned_users: Vec<String>,
    /// Ids of the only users, besides the sender, who see the message, at most 10. An update may name others, but not
    /// restrict what everybody sees, nor the other way round.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub restricted_visibility: Vec<String>,
    /// The app's own fields, at most 5 KB.
    #[serde(default, skip_serializing_if = "Custom::is_empty")]
    pub custom: Custom,
    /// The shared place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_location: Option<SharedLocation>,
    /// The sender as an object, created when missing; for servers. Excludes `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// A place to share.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SharedLocation {
    /// Degrees north of the equator.
    pub latitude: f64,
    /// Degrees east of Greenwich.
    pub longitude: f64,
    /// The device that shares the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by_device_id: Option<String>,
    /// When live sharing ends; left out, the place is shared once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Timestamp>,
}

/// The message sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SendMessageResponse {
    /// The message.
    pub message: MessageResponse,
    /// The channel in short, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_context: Option<ChannelContextResponse>,
    /// Whether each mentioned user is a member, by user id, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentioned_members: Option<BTreeMap<String, bool>>,
    /// What the sender stored beside a pending message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_message_metadata: Option<BTreeMap<String, String>>,
}

/// The message with its channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GetMessageResponse {
    /// Its `channel` is set.
    pub message: MessageResponse,
    /// What the sender stored beside a pending message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_message_metadata: Option<BTreeMap<String, String>>,
}

/// The messages that exist.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GetManyMessagesResponse {
    /// Oldest first.
    #[serde(deserialize_with = "crate::null_default")]
    pub messages: Vec<MessageResponse>,
}

/// The message after the change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateMessageResponse {
    /// The message.
    pub message: MessageResponse,
    /// What the sender stored beside a pending message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_message_metadata: Option<BTreeMap<String, String>>,
}

/// The message after a partial change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateMessagePartialResponse {
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageResponse>,
    /// What the sender stored beside a pending message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_message_metadata: Option<BTreeMap<String, String>>,
}

/// The message that came back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UndeleteMessageResponse {
    /// The message, no longer of type `deleted`.
    pub message: MessageResponse,
}

/// One page of what messages said before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryMessageHistoryResponse {
    /// In the order asked for.
    #[serde(deserialize_with = "crate::null_default")]
    pub message_history: Vec<MessageHistoryEntryResponse>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The cursor of the page before; absent on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

/// A version of a message that another one replaced, or that was deleted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageHistoryEntryResponse {
    /// True when a deletion, not a newer version, ended this one.
    pub is_deleted: bool,
    /// The message.
    pub message_id: String,
    /// When this version was written; in version 1 of the API, when it was ended.
    pub message_updated_at: Timestamp,
    /// Who wrote it; in version 1 of the API, who ended it.
    pub message_updated_by_id: String,
    /// The text of this version.
    pub text: String,
    /// The attachments of this version.
    #[serde(deserialize_with = "crate::null_default")]
    pub attachments: Vec<Attachment>,
    /// The app's own fields of this version.
    pub custom: Custom,
}

/// The message as it was left.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeleteMessageResponse {
    /// Of type `deleted`, or as it was when it was removed for good.
    pub message: MessageResponse,
}

/// One page of replies.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GetRepliesResponse {
    /// Oldest first.
    #[serde(deserialize_with = "crate::null_default")]
    pub messages: Vec<MessageResponse>,
}
