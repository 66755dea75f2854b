//! Threads: the replies to one message, and who takes part.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::channel_state::ChannelResponse;
use crate::message_types::{DraftResponse, MessageResponse};
use crate::reads::ReadStateResponse;
use crate::users::{UserRequest, UserResponse};
use crate::{Custom, JsonMap, SortParam, ThreadPath, Timestamp, operation, query_params};

operation! {
    /// Finds the threads in which a user takes part: unread ones first, then by the latest reply, unless sorted. 4 for a
    /// field, operator, order or limit that is not allowed.
    QueryThreads = "query_threads", Post "/api/v2/chat/threads",
        body: QueryThreadsRequest, response: QueryThreadsResponse, repeatable: true,
}

/// Filter, order and page of the threads of a user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryThreadsRequest {
    /// Which ones, as a filter object; empty means all.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub filter: JsonMap,
    /// Order: by `has_unread`, `last_message_at`, `parent_message_id`, or by the last two, or by one of `created_at`,
    /// `updated_at`, `reply_count`, `participant_count`, `active_participant_count`, `parent_message_id`.
    #[serde(default, deserialize_with = "crate::sort_list", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
    /// Greatest number of threads, at most 100, 10 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Newest replies shown of each thread, at most 10, 2 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_limit: Option<i64>,
    /// Participants shown of each thread, at most 100, 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant_limit: Option<i64>,
    /// Members shown of the channel of each thread, at most 100, 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_limit: Option<i64>,
    /// The page behind an earlier one, from its reply. Excludes `prev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The page before an earlier one, from its reply. Excludes `next`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    /// Whether the caller's connection watches the channels of these threads from now on; refused for servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<bool>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// The threads found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryThreadsResponse {
    /// In the order asked for.
    #[serde(deserialize_with = "crate::null_default")]
    pub threads: Vec<ThreadStateResponse>,
    /// Leads to the page behind this one; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Leads to the page before this one; absent on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
}

operation! {
    /// Reads one thread. 16 when the message does not exist or has no replies.
    GetThread = "get_thread", Get "/api/v2/chat/threads/{message_id}",
        path: ThreadPath, query: GetThreadQuery, response: GetThreadResponse,
}

query_params! {
    /// How much is shown of the thread.
    pub struct GetThreadQuery {
        /// Newest replies, at most 10, 2 when left out.
        pub reply_limit: Option<i64>,
        /// Participants, at most 100, 100 when left out.
        pub participant_limit: Option<i64>,
        /// Members of the channel, at most 100, 100 when left out.
        pub member_limit: Option<i64>,
    }
}

/// The thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GetThreadResponse {
    /// With its latest replies and read states.
    pub thread: ThreadStateResponse,
}

operation! {
    /// Changes the title and the app's own fields of a thread, those that are named. 16 when the message does not exist
    /// or has no replies, 22 for custom data above 5 KB.
    UpdateThreadPartial = "update_thread_partial", Patch "/api/v2/chat/threads/{message_id}",
        path: ThreadPath, body: UpdateThreadPartialRequest, response: UpdateThreadPartialResponse,
        repeatable: true,
}

/// What changes: `title`, and any other name for a field of one's own, dotted for one inside an object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateThreadPartialRequest {
    /// New values.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub set: JsonMap,
    /// Fields to be removed.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// Who changes it, when a server calls on behalf of a user. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// As `user_id`, as an object; created when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// The thread as it is now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateThreadPartialResponse {
    /// Without replies and read states.
    pub thread: ThreadResponse,
}

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
    /// Heading; the text of the parent message while there is none.
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
    /// Heading; the text of the parent message while there is none.
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

impl From<ThreadResponse> for ThreadStateResponse {
    /// The thread without replies and read states.
    fn from(thread: ThreadResponse) -> Self {
        Self {
            active_participant_count: thread.active_participant_count,
            channel_cid: thread.channel_cid,
            created_at: thread.created_at,
            created_by_user_id: thread.created_by_user_id,
            parent_message_id: thread.parent_message_id,
            participant_count: thread.participant_count,
            reply_count: thread.reply_count,
            title: thread.title,
            updated_at: thread.updated_at,
            latest_replies: Vec::new(),
            custom: thread.custom,
            deleted_at: thread.deleted_at,
            last_message_at: thread.last_message_at,
            read: None,
            thread_participants: thread.thread_participants,
            channel: thread.channel,
            created_by: thread.created_by,
            draft: None,
            parent_message: thread.parent_message,
        }
    }
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
