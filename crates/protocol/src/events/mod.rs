//! Events: what a server tells those who are connected, what clients send to each other through it, and what they
//! missed.

mod kinds;

pub use kinds::{EventKind, KINDS, Receivers, is_built_in};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::AppResponseFields;
use crate::channel_state::ChannelResponse;
use crate::members::ChannelMemberResponse;
use crate::message_types::MessageResponse;
use crate::own_user::OwnUserResponse;
use crate::reactions::ReactionResponse;
use crate::threads::ThreadResponse;
use crate::users::{UserRequest, UserResponse};
use crate::{ChannelPath, Custom, ErrorBody, JsonMap, Timestamp, UserPath, operation};

/// An event. Which of its fields are there depends on its type: see [`KINDS`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// The event type: a built-in one, such as `message.new`, or one of the app's own.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    pub created_at: Timestamp,
    /// `<type>:<id>` of the channel; `*` in a health check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    /// Id of the channel within its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// The channel's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_type: Option<String>,
    /// The channel's team, with multi-tenancy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Members of the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_member_count: Option<i64>,
    /// Messages of the channel, where its type counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_message_count: Option<i64>,
    /// The channel's own data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_custom: Option<JsonMap>,
    /// When the channel's last message was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_last_message_at: Option<Timestamp>,
    /// The connection that the event goes to, in health checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    /// The app's settings, as clients see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<Box<AppResponseFields>>,
    /// The user of the connection, with mutes and unread totals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub me: Option<Box<OwnUserResponse>>,
    /// Why a connection was refused or is about to be closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    /// Who caused it, or whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
    /// The id of that user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Who caused it, where `user` is somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Arc<UserResponse>>,
    /// The channel, without anything of a single user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// The member it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<ChannelMemberResponse>,
    /// The message it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageResponse>,
    /// The id of that message, or of the one meant where the message itself is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// What an update changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_update: Option<MessageUpdate>,
    /// The reaction it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaction: Option<ReactionResponse>,
    /// The thread it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadResponse>,
    /// The id of the message that the thread hangs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The message whose thread the user types or reads in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Users who take part in the thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_participants: Option<Vec<Arc<UserResponse>>>,
    /// Id of the author of the message that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_author: Option<String>,
    /// Users who watch the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watcher_count: Option<i64>,
    /// The message that was read last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_read_message_id: Option<String>,
    /// Up to when was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_read_at: Option<Timestamp>,
    /// The first message that is unread again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_unread_message_id: Option<String>,
    /// Messages of the channel that are unread again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_messages: Option<i64>,
    /// When the last message arrived that is known to have arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_delivered_at: Option<Timestamp>,
    /// That message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_delivered_message_id: Option<String>,
    /// Messages that the receiver has not read, in all channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_unread_count: Option<i64>,
    /// The same, under its older name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_count: Option<i64>,
    /// Channels with messages that the receiver has not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_channels: Option<i64>,
    /// Threads with replies that the receiver has not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_threads: Option<i64>,
    /// Replies that the receiver has not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_thread_messages: Option<i64>,
    /// Whether hiding a channel also hid its messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear_history: Option<bool>,
    /// Whether what was deleted is gone for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_delete: Option<bool>,
    /// Whether the messages that were deleted stay in their places, without what they said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_delete: Option<bool>,
    /// Whether the message is gone for its receiver only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_for_me: Option<bool>,
    /// Why a user was banned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the ban ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Timestamp>,
    /// Whether the banned user does not notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<bool>,
    /// Whether the messages of a deleted user are marked as deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark_messages_deleted: Option<bool>,
    /// How a user was deleted: `soft`, `pruning` or `hard`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_user: Option<String>,
    /// How the messages of a deleted user were deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_messages: Option<String>,
    /// How the conversations of a deleted user were deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_conversation: Option<String>,
    /// Whether conversations of a deleted user were deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_conversation_channels: Option<bool>,
    /// Data of an event of the app's own, at most 5 KB.
    pub custom: Custom,
}

/// What an update of a message changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageUpdate {
    /// The text before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_text: Option<String>,
    /// Which parts are others now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_set: Option<MessageChangeSet>,
}

/// Which parts of a message an update changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageChangeSet {
    /// The attachments.
    pub attachments: bool,
    /// The app's own fields.
    pub custom: bool,
    /// The rendered text.
    pub html: bool,
    /// Who is mentioned.
    pub mentioned_user_ids: bool,
    /// The text in MML.
    pub mml: bool,
    /// Whether and until when it is pinned.
    pub pin: bool,
    /// The message that it quotes.
    pub quoted_message_id: bool,
    /// Whether it counts as unread.
    pub silent: bool,
    /// The text.
    pub text: bool,
}

operation! {
    /// Sends an event to those who watch a channel: `typing.start`, `typing.stop`, `message.read`, an `ai_indicator`, or
    /// one of the app's own, whose type holds no built-in name. Nothing is stored, except that `message.read` marks the
    /// channel as read. Code 18 when the type is not for clients to send, or when the channel's type does not support
    /// it.
    SendEvent = "send_event", Post "/api/v2/chat/channels/{type}/{id}/event",
        path: ChannelPath, body: SendEventRequest, response: EventResponse,
}

/// An event to be sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SendEventRequest {
    /// The event.
    pub event: EventRequest,
}

/// An event as it is sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EventRequest {
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The message in whose thread the user types, or which thread is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Who sends it; for servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Data of the app's own, at most 5 KB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
    /// Who sends it; for servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// The event as its receivers got it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventResponse {
    /// The event.
    pub event: Event,
}

operation! {
    /// Sends an event of the app's own to all connections of a user. Its type holds no dot. Code 16 for an unknown user.
    SendUserCustomEvent = "send_user_custom_event", Post "/api/v2/chat/users/{user_id}/event",
        path: UserPath, body: SendUserCustomEventRequest, response: SendUserCustomEventResponse,
        server_side_only: true,
}

/// An event for a user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SendUserCustomEventRequest {
    /// The event.
    pub event: UserCustomEventRequest,
}

/// An event for a user, as it is sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UserCustomEventRequest {
    /// The event type, without a dot.
    #[serde(rename = "type")]
    pub kind: String,
    /// Data of the app's own, at most 5 KB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
}

/// That the event was sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SendUserCustomEventResponse {}

operation! {
    /// Ends the watching of a channel by one connection, which the query parameter `connection_id` names. Code 46 when
    /// it is not open.
    StopWatching = "stop_watching", Post "/channels/{type}/{id}/stop-watching",
        path: ChannelPath, body: StopWatchingRequest, response: StopWatchingResponse,
        repeatable: true,
}

/// Nothing: the connection stands in the query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StopWatchingRequest {}

/// That the channel is watched no more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StopWatchingResponse {}

operation! {
    /// What happened in channels while a client was not connected. Code 4 when it was away for more than 30 days, and
    /// when there is so much that reading the channels anew is cheaper.
    Sync = "sync", Post "/sync",
        body: SyncRequest, response: SyncResponse,
        repeatable: true,
}

/// Since when and where a client wants to know what happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncRequest {
    /// The channels, at most 255. Required.
    #[serde(deserialize_with = "crate::null_default")]
    pub channel_cids: Vec<String>,
    /// When the client last heard of them, at most 30 days ago. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_at: Option<Timestamp>,
    /// Whether the connection watches the channels from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<bool>,
    /// Whether channels that the user cannot read are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with_inaccessible_cids: Option<bool>,
    /// Who asks; for servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Who asks; for servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// What happened, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncResponse {
    /// The events.
    #[serde(deserialize_with = "crate::null_default")]
    pub events: Vec<Event>,
    /// The channels that are not there, or not for the user; as far as that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inaccessible_cids: Option<Vec<String>>,
}
