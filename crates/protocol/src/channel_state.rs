//! A channel as it is answered, alone and with everything around it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::channel_types::ChannelTypeConfig;
use crate::members::ChannelMemberResponse;
use crate::message_types::{DraftResponse, MessageResponse, SharedLocationResponseData};
use crate::reads::ReadStateResponse;
use crate::threads::ThreadStateResponse;
use crate::users::UserResponse;
use crate::{Custom, Timestamp};

/// A channel, without its messages and members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelResponse {
    /// `<type>:<id>` of the channel.
    pub cid: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// True closes the channel to every client; servers keep their access.
    pub disabled: bool,
    /// True stops new messages and reactions.
    pub frozen: bool,
    /// Id within the type.
    pub id: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The channel type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The app's own fields, `name` and `image` among them.
    pub custom: Custom,
    /// Whether messages are translated when they are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_translation_enabled: Option<bool>,
    /// Language codes to translate into, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_translation_language: Option<String>,
    /// True for a two-member channel whose other member the acting user has blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// Slow mode: seconds between messages of one user; absent when off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<i64>,
    /// When it was deleted; absent while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Whether the acting user has hidden the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
    /// Older messages are hidden from the acting user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_messages_before: Option<Timestamp>,
    /// When the last message was sent; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Timestamp>,
    /// Number of members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_count: Option<i64>,
    /// Number of messages; present where the channel counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_count: Option<i64>,
    /// When the acting user's mute ends; absent for a lasting one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mute_expires_at: Option<Timestamp>,
    /// Whether the acting user has muted the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// The team it belongs to, with multi-tenancy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Messages up to this moment were removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated_at: Option<Timestamp>,
    /// Labels to filter channels by, at most 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_tags: Option<Vec<String>>,
    /// Present in some events only; replies carry members beside the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<ChannelMemberResponse>>,
    /// What the acting user may do here, such as `send-message`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_capabilities: Option<Vec<Cow<'static, str>>>,
    /// The settings in effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Arc<ChannelTypeConfig>>,
    /// Who created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Arc<UserResponse>>,
    /// Who removed the messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated_by: Option<Arc<UserResponse>>,
}

/// A channel with what is around it, as far as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelStateResponse {
    /// At most 100.
    #[serde(deserialize_with = "crate::null_default")]
    pub members: Vec<ChannelMemberResponse>,
    /// The newest page, oldest first, without replies that are not shown in the channel.
    #[serde(deserialize_with = "crate::null_default")]
    pub messages: Vec<MessageResponse>,
    /// At most 10, most recently pinned first.
    #[serde(deserialize_with = "crate::null_default")]
    pub pinned_messages: Vec<MessageResponse>,
    /// Threads of the channel; usually empty.
    #[serde(deserialize_with = "crate::null_default")]
    pub threads: Vec<ThreadStateResponse>,
    /// Whether the acting user has hidden the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
    /// Older messages are hidden from the acting user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_messages_before: Option<Timestamp>,
    /// Connections that watch the channel; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watcher_count: Option<i64>,
    /// Places being shared live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_live_locations: Option<Vec<SharedLocationResponseData>>,
    /// The acting user's messages that wait for a commit, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_messages: Option<Vec<PendingMessageResponse>>,
    /// Read states of members, at most 100, the acting user's among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<Vec<ReadStateResponse>>,
    /// Users who watch the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watchers: Option<Vec<Arc<UserResponse>>>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// What the acting user has begun to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<Box<DraftResponse>>,
    /// The acting user as a member; absent for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<ChannelMemberResponse>,
    /// The acting user's push preferences for this channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_preferences: Option<ChannelPushPreferencesResponse>,
}

/// One channel of a query's answer.
pub type ChannelStateResponseFields = ChannelStateResponse;

/// A message that waits for a commit; only its sender sees it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PendingMessageResponse {
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageResponse>,
    /// What the sender stored beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, String>>,
    /// The sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
}

/// Which messages of a channel cause a push for a user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelPushPreferencesResponse {
    /// `all`, `all_mentions`, `direct_mentions`, `mentions` (older), `none` or `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_level: Option<String>,
    /// Sends none until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_until: Option<Timestamp>,
    /// Which kinds of messages cause a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_preferences: Option<ChatPreferencesResponse>,
}

/// Which kinds of messages cause a push for a user: `all` or `none` for each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatPreferencesResponse {
    /// Mentions of the whole channel: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_mentions: Option<String>,
    /// Whatever no other field covers: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_preference: Option<String>,
    /// Mentions of the user: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct_mentions: Option<String>,
    /// Mentions of the user's groups: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_mentions: Option<String>,
    /// Mentions of everybody online: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub here_mentions: Option<String>,
    /// Mentions of the user's role: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_mentions: Option<String>,
    /// Replies in the user's threads: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_replies: Option<String>,
}

/// The channel that a message was sent to, in short.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelContextResponse {
    /// `<type>:<id>` of the channel.
    pub cid: String,
    /// Id within the type.
    pub id: String,
    /// The channel type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Arc<UserResponse>>,
}
