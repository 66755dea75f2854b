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
pub struct WrappedUnreadCountsResponse {
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
    /// By thread; only those with replies not read.
    #[serde(deserialize_with = "crate::null_default")]
    pub threads: Vec<UnreadCountsThread>,
    /// Messages by team, the empty key for none; with multi-tenancy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_unread_count_by_team: Option<BTreeMap<String, i64>>,
}

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
