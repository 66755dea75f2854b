//! Threads: the replies to one message, and who takes part.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::channel_state::ChannelResponse;
use crate::message_types::{DraftResponse, MessageResponse};
use crate::reads::ReadStateResponse;
use crate::users::UserResponse;
use crate::{Custom, Timestamp};

/// A thread: the replies to one message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThreadResponse {
    /// Participants who have not left.
    pub active_participant_count: i64,
    /// `<type>:<id>` of the channel.
    pub channel_cid: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Id of the user who began the thread.
    pub created_by_user_id: String,
    /// The message that the thread hangs on.
    pub parent_message_id: String,
    /// Users who take part.
    pub participant_count: i64,
    /// Replies, without deleted ones.
    pub reply_count: i64,
    /// Heading; may be empty.
    pub title: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The app's own fields, at most 5 KB.
    pub custom: Custom,
    /// When it was deleted; absent while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// When the last reply was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Timestamp>,
    /// Users who take part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_participants: Option<Vec<ThreadParticipant>>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// Who created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Arc<UserResponse>>,
    /// The message that the thread hangs on, as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_message: Option<Box<MessageResponse>>,
}

/// A thread with its latest replies and read states.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThreadStateResponse {
    /// Participants who have not left.
    pub active_participant_count: i64,
    /// `<type>:<id>` of the channel.
    pub channel_cid: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Id of the user who began the thread.
    pub created_by_user_id: String,
    /// The message that the thread hangs on.
    pub parent_message_id: String,
    /// Users who take part.
    pub participant_count: i64,
    /// Replies, without deleted ones.
    pub reply_count: i64,
    /// Heading; may be empty.
    pub title: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Oldest first.
    #[serde(deserialize_with = "crate::null_default")]
    pub latest_replies: Vec<MessageResponse>,
    /// The app's own fields, at most 5 KB.
    pub custom: Custom,
    /// When it was deleted; absent while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// When the last reply was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Timestamp>,
    /// Read states of the participants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<Vec<ReadStateResponse>>,
    /// Users who take part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_participants: Option<Vec<ThreadParticipant>>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// Who created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Arc<UserResponse>>,
    /// What the acting user has begun to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<Box<DraftResponse>>,
    /// The message that the thread hangs on, as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_message: Option<Box<MessageResponse>>,
}

/// A user who takes part in a thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThreadParticipant {
    /// `<type>:<id>` of the channel.
    pub channel_cid: String,
    /// When the user joined.
    pub created_at: Timestamp,
    /// When the user last read the thread.
    pub last_read_at: Timestamp,
    /// The app's own fields, at most 5 KB.
    pub custom: Custom,
    /// When the user last replied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_thread_message_at: Option<Timestamp>,
    /// When the user left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_thread_at: Option<Timestamp>,
    /// The message that the thread hangs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The participant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The participant as an object.
    pub user: Arc<UserResponse>,
}
