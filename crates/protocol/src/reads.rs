//! What users have read and what they have not.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::channel_state::ChannelResponse;
use crate::threads::ThreadResponse;
use crate::users::{UserRequest, UserResponse};
use crate::{ChannelPath, Timestamp, operation, query_params};

operation! {
    /// Marks a channel as read, wholly or up to a message, or one of its threads. Nothing happens for a user
    /// who is not a member. 18 where the channel type has read events switched off.
    MarkRead = "mark_read", Post "/api/v2/chat/channels/{type}/{id}/read",
        path: ChannelPath, body: MarkReadRequest, response: MarkReadResponse, repeatable: true,
}

/// Whose read state moves, and how far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MarkReadRequest {
    /// Reads up to this message; left out, up to the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Reads the thread of this parent message instead of the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

operation! {
    /// Marks several channels as read at once: those named, or every one in which the user has unread messages, at most
    /// 1000 of them, those with the latest messages first. Nothing happens where the user is not a member. 16 when a
    /// named channel does not exist.
    MarkChannelsRead = "mark_channels_read", Post "/api/v2/chat/channels/read",
        body: MarkChannelsReadRequest, response: MarkReadResponse, repeatable: true,
}

/// Whose read state moves, in which channels, and how far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MarkChannelsReadRequest {
    /// The last message read, by `<type>:<id>` of the channel; an empty text reads the whole channel. At most 30
    /// channels; none means all.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub read_by_channel: BTreeMap<String, String>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

operation! {
    /// Marks a channel as unread from a message or a moment on, or a whole thread. Nothing happens for a user who is not
    /// a member. 4 when the message is not one of the newest 100; 18 where the channel type has read events switched
    /// off.
    MarkUnread = "mark_unread", Post "/api/v2/chat/channels/{type}/{id}/unread",
        path: ChannelPath, body: MarkUnreadRequest, response: MarkUnreadResponse, repeatable: true,
}

/// Whose read state moves back, and how far: exactly one of `message_id`, `message_timestamp` and `thread_id`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MarkUnreadRequest {
    /// The first message that is to be unread, one of the newest 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The first message at or after this moment, one of the newest 100, and all behind it are to be unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_timestamp: Option<Timestamp>,
    /// The parent message of a thread whose replies are all to be unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// Nothing but how long it took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkUnreadResponse {}

operation! {
    /// Notes which messages have reached the devices of a user: of each channel the latest. Only moves forward; what is
    /// not a message of a channel that the user is a member of is passed over.
    MarkDelivered = "mark_delivered", Post "/api/v2/chat/channels/delivered",
        query: MarkDeliveredQuery, body: MarkDeliveredRequest, response: MarkDeliveredResponse, repeatable: true,
}

query_params! {
    /// Whose devices.
    pub struct MarkDeliveredQuery {
        /// The acting user, when a server calls on behalf of one.
        pub user_id: Option<String>,
    }
}

/// What has arrived.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MarkDeliveredRequest {
    /// At most 100.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub latest_delivered_messages: Vec<DeliveredMessagePayload>,
    /// The acting user, where older clients name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The same as an object; created when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// The latest message of a channel that has arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveredMessagePayload {
    /// `<type>:<id>` of the channel.
    #[serde(deserialize_with = "crate::null_default")]
    pub cid: String,
    /// The message's id.
    #[serde(deserialize_with = "crate::null_default")]
    pub id: String,
}

/// Nothing but how long it took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkDeliveredResponse {}

operation! {
    /// As [`UnreadCounts`], for several users at once. For servers only.
    UnreadCountsBatch = "unread_counts_batch", Post "/api/v2/chat/unread_batch",
        body: UnreadCountsBatchRequest, response: UnreadCountsBatchResponse, repeatable: true, server_side_only: true,
}

/// Whose counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadCountsBatchRequest {
    /// At most 100.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub user_ids: Vec<String>,
}

/// What several users have not read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnreadCountsBatchResponse {
    /// By user; ids that name nobody are missing.
    #[serde(deserialize_with = "crate::without_nulls")]
    pub counts_by_user: BTreeMap<String, UnreadCountsResponse>,
}

operation! {
    /// How much a user has not read: in total, by channel, by channel type and by thread.
    UnreadCounts = "unread_counts", Get "/api/v2/chat/unread",
        query: UnreadCountsQuery, response: WrappedUnreadCountsResponse,
}

query_params! {
    /// Whose counts.
    pub struct UnreadCountsQuery {
        /// Whose counts, when a server asks.
        pub user_id: Option<String>,
    }
}

/// What has happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MarkReadResponse {
    /// Absent when the read state did not move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<MarkReadResponseEvent>,
}

/// The event that tells of the reading.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MarkReadResponseEvent {
    /// Id of the channel within its type.
    pub channel_id: String,
    /// The channel's type.
    pub channel_type: String,
    /// `<type>:<id>` of the channel.
    pub cid: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// `message.read`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When the channel's last message was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_last_message_at: Option<Timestamp>,
    /// The last message read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_read_message_id: Option<String>,
    /// The channel's team, with multi-tenancy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// The thread, when one was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadResponse>,
    /// Who read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
}

/// What a user has not read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnreadCountsResponse {
    /// Messages in all channels.
    pub total_unread_count: i64,
    /// Threads with replies not read.
    pub total_unread_threads_count: i64,
    /// By channel type.
    #[serde(deserialize_with = "crate::null_default")]
    pub channel_type: Vec<UnreadCountsChannelType>,
    /// By channel: at most 100 with messages not read, those with the latest messages.
    #[serde(deserialize_with = "crate::null_default")]
    pub channels: Vec<UnreadCountsChannel>,
    /// By thread: at most 100 with replies not read, those with the latest replies.
    #[serde(deserialize_with = "crate::null_default")]
    pub threads: Vec<UnreadCountsThread>,
    /// Messages by team, the empty key for none; with multi-tenancy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_unread_count_by_team: Option<BTreeMap<String, i64>>,
}

/// The reply of [`UnreadCounts`].
pub type WrappedUnreadCountsResponse = UnreadCountsResponse;

/// What is not read in one channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnreadCountsChannel {
    /// `<type>:<id>` of the channel.
    pub channel_id: String,
    /// When the user last read.
    pub last_read: Timestamp,
    /// Messages not read.
    pub unread_count: i64,
}

/// What is not read in the channels of one type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnreadCountsChannelType {
    /// Channels with messages not read.
    pub channel_count: i64,
    /// The channel's type.
    pub channel_type: String,
    /// Messages not read.
    pub unread_count: i64,
}

/// What is not read in one thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnreadCountsThread {
    /// When the user last read.
    pub last_read: Timestamp,
    /// The last message read.
    pub last_read_message_id: String,
    /// The message that the thread hangs on.
    pub parent_message_id: String,
    /// Replies not read.
    pub unread_count: i64,
}

/// How far a user has read a channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadStateResponse {
    /// When the user last read.
    pub last_read: Timestamp,
    /// Messages not read.
    pub unread_messages: i64,
    /// The reader.
    pub user: Arc<UserResponse>,
    /// When a message last reached one of the user's devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_delivered_at: Option<Timestamp>,
    /// The last message that reached one of the user's devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_delivered_message_id: Option<String>,
    /// The last message read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_read_message_id: Option<String>,
}
