//! Channels: creating, reading, finding, changing and deleting them. What they look like is in
//! [`channel_state`](crate::channel_state).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::channel_state::{ChannelResponse, ChannelStateResponse};
use crate::channel_types::ChannelConfigOverrides;
use crate::members::{ChannelMemberRequest, ChannelMemberResponse};
use crate::message_types::MessageResponse;
use crate::messages::MessageRequest;
use crate::users::UserRequest;
use crate::{
    ChannelPath, ChannelTypePath, Custom, JsonMap, JsonParam, SortParam, Timestamp, operation, query_params,
};

operation! {
    /// The channel with this id: created when it does not exist, returned untouched otherwise (`data` is
    /// ignored then). 4 when a server token creates without `data.created_by` or `data.created_by_id`, when
    /// users do not exist, or when the id starts with `!`; 22 for custom data above 5 KB.
    GetOrCreateChannel = "get_or_create_channel", Post "/api/v2/chat/channels/{type}/{id}/query",
        path: ChannelPath, body: GetOrCreateChannelRequest, response: ChannelStateResponse, repeatable: true,
}

/// What to create, and how much to answer. Used by both get-or-create calls.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GetOrCreateChannelRequest {
    /// True hides a new channel at once for its creator, until the next message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_for_creator: Option<bool>,
    /// True answers messages, members and read states too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<bool>,
    /// True adds unread counts to the threads in the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_unread_counts: Option<bool>,
    /// Keys of the sender's member data to copy into each message's `member.custom`: at most 8, of 64
    /// characters each.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub member_custom_include: Vec<String>,
    /// The channel to create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<ChannelInput>,
    /// Which page of members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<PaginationParams>,
    /// Which page of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<MessagePaginationParams>,
    /// Which page of watchers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watchers: Option<PaginationParams>,
    /// Subscribes the caller's socket to the channels in the answer; refused for server tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<bool>,
    /// Subscribes the caller's socket to the presence of the users in the answer; refused for server
    /// tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<bool>,
}

operation! {
    /// The channel of exactly these members: its id is derived from `data.members`, in any order. 4 with
    /// fewer than two members; otherwise as [`GetOrCreateChannel`].
    GetOrCreateDistinctChannel = "get_or_create_distinct_channel", Post "/api/v2/chat/channels/{type}/query",
        path: ChannelTypePath,
        body: GetOrCreateChannelRequest,
        response: ChannelStateResponse,
        repeatable: true,
}

operation! {
    /// Reads a channel and never creates it: 16 when it is missing or deleted.
    GetChannel = "get_channel", Get "/api/v2/chat/channels/{type}/{id}",
        path: ChannelPath, query: GetChannelQuery, response: ChannelStateResponse,
}

query_params! {
    /// How much to answer. At most one of the `messages_id_…` parameters.
    pub struct GetChannelQuery {
        /// True answers messages, members and read states too.
        pub state: Option<bool>,
        /// Greatest number of messages, at most 300.
        pub messages_limit: Option<i64>,
        /// Greatest number of members, at most 100.
        pub members_limit: Option<i64>,
        /// Greatest number of watchers, at most 100.
        pub watchers_limit: Option<i64>,
        /// Messages before this one.
        pub messages_id_lt: Option<String>,
        /// This message and those before it.
        pub messages_id_lte: Option<String>,
        /// Messages after this one.
        pub messages_id_gt: Option<String>,
        /// This message and those after it.
        pub messages_id_gte: Option<String>,
        /// This message and those on both sides.
        pub messages_id_around: Option<String>,
        /// Whose view of the channel, when a server asks.
        pub user_id: Option<String>,
    }
}

operation! {
    /// Finds channels, most recently active first unless sorted. 4 for a field, operator or page that is
    /// not allowed; 70 when the caller may see none of the channels asked for.
    QueryChannels = "query_channels", Post "/api/v2/chat/channels",
        body: QueryChannelsRequest, response: QueryChannelsResponse, repeatable: true,
}

operation! {
    /// [`QueryChannels`] as older clients of version 1 ask it: all of it stands in the query.
    FindChannels = "query_channels", Get "/channels",
        query: FindChannelsQuery, response: QueryChannelsResponse, named: "QueryChannels",
}

query_params! {
    /// Carries the question as one JSON object.
    pub struct FindChannelsQuery {
        /// Filter, order and page.
        pub payload: Option<JsonParam<QueryChannelsRequest>>,
    }
}

/// Filter, order and page; how much to answer of each channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryChannelsRequest {
    /// Greatest number of channels, at most 30, 10 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Greatest number of members of each channel, at most 100, 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_limit: Option<i64>,
    /// Greatest number of messages of each channel, at most 300, 25 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_limit: Option<i64>,
    /// How many channels to skip, at most 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Name of a stored filter and order, instead of `filter_conditions` and `sort`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predefined_filter: Option<String>,
    /// False answers the channels without messages, members and read states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<bool>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Keys of the sender's member data to copy into each message's `member.custom`: at most 8, of 64
    /// characters each.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub member_custom_include: Vec<String>,
    /// Order, at most 5 entries.
    #[serde(default, deserialize_with = "crate::sort_list", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
    /// Which ones, as a filter object; empty means all.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub filter_conditions: JsonMap,
    /// Values for the placeholders of the stored filter.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub filter_values: JsonMap,
    /// Values for the placeholders of the stored order.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub sort_values: JsonMap,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
    /// Subscribes the caller's socket to the channels in the answer; refused for server tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<bool>,
    /// Subscribes the caller's socket to the presence of the users in the answer; refused for server
    /// tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<bool>,
}

operation! {
    /// Changes a channel and its members in one call. With `data` all custom data is replaced, and built-in
    /// fields that are not given stay; without it the channel's data is left alone. 4 when a user is added
    /// and removed at once, 17 for what only a server may change or when outsiders are added to a distinct
    /// channel.
    UpdateChannel = "update_channel", Post "/api/v2/chat/channels/{type}/{id}",
        path: ChannelPath, body: UpdateChannelRequest, response: UpdateChannelResponse, repeatable: true,
}

/// New data, changes to members, and a message to go with them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateChannelRequest {
    /// True accepts the acting user's invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_invite: Option<bool>,
    /// Slow mode: seconds between messages of one user, 0 (off) to 120.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<i64>,
    /// True hides earlier messages from the members added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_history: Option<bool>,
    /// Hides messages before this moment from the members added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hide_history_before: Option<Timestamp>,
    /// True rejects the acting user's invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_invite: Option<bool>,
    /// True sends no push notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_push: Option<bool>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Labels to add; at most 10 on the channel.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub add_filter_tags: Vec<String>,
    /// Members to add, at most 100; those who are members already stay as they are.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub add_members: Vec<ChannelMemberRequest>,
    /// Ids of members who become moderators, at most 100. Servers only.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub add_moderators: Vec<String>,
    /// New channel roles of members, at most 100. Servers only.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub assign_roles: Vec<ChannelMemberRequest>,
    /// Ids of moderators who become members again, at most 100. Servers only.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub demote_moderators: Vec<String>,
    /// Users to invite, at most 100.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub invites: Vec<ChannelMemberRequest>,
    /// Labels to remove.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub remove_filter_tags: Vec<String>,
    /// Ids of members to remove, at most 100.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub remove_members: Vec<String>,
    /// New data of the channel; left out, the data stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<ChannelInput>,
    /// Posted to the channel as a system message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageRequest>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

operation! {
    /// Changes single fields of a channel's data; what is named neither in `set` nor in `unset` stays. 17 for
    /// `members`, `member_count`, `created_at`, `updated_at` and other fields that follow from something else,
    /// 22 when the custom data grows above 5 KB.
    UpdateChannelPartial = "update_channel_partial", Patch "/api/v2/chat/channels/{type}/{id}",
        path: ChannelPath,
        body: UpdateChannelPartialRequest,
        response: UpdateChannelPartialResponse,
        repeatable: true,
}

/// Which fields of a channel change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateChannelPartialRequest {
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Fields that go back to what they are in a new channel. Unknown ones are passed over.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// New values by field: `frozen`, `disabled`, `team`, `cooldown`, `filter_tags`, `config_overrides`,
    /// `auto_translation_enabled`, `auto_translation_language`, or a path into custom data such as `color` or
    /// `address.city`.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub set: JsonMap,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

operation! {
    /// Hides a channel from one member's queries until the next message. 4 for a user who is not a member.
    HideChannel = "hide_channel", Post "/api/v2/chat/channels/{type}/{id}/hide",
        path: ChannelPath, body: HideChannelRequest, response: HideChannelResponse, repeatable: true,
}

/// From whom the channel is hidden.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HideChannelRequest {
    /// True hides the messages so far from this member for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear_history: Option<bool>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

operation! {
    /// Shows a channel again to a member who has hidden it. 4 for a user who is not a member.
    ShowChannel = "show_channel", Post "/api/v2/chat/channels/{type}/{id}/show",
        path: ChannelPath, body: ShowChannelRequest, response: ShowChannelResponse, repeatable: true,
}

/// To whom the channel is shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShowChannelRequest {
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

operation! {
    /// Takes the messages up to a moment away from everybody, or from some members. 4 for a moment in the
    /// future, for a message of restricted visibility, and for `member_ids` who are not members.
    TruncateChannel = "truncate_channel", Post "/api/v2/chat/channels/{type}/{id}/truncate",
        path: ChannelPath, body: TruncateChannelRequest, response: TruncateChannelResponse,
}

/// What is taken away, from whom, and a message to go with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TruncateChannelRequest {
    /// True removes the messages for good. Excludes `member_ids`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_delete: Option<bool>,
    /// True sends no push notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_push: Option<bool>,
    /// Messages up to this moment are taken away; left out, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated_at: Option<Timestamp>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Only these members lose the messages, at most 100.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub member_ids: Vec<String>,
    /// Posted as a system message right after the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageRequest>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

operation! {
    /// Deletes a channel, softly unless `hard_delete`. A soft-deleted channel is hidden from every read; a server may
    /// still delete it hard. 16 when it does not exist.
    DeleteChannel = "delete_channel", Delete "/api/v2/chat/channels/{type}/{id}",
        path: ChannelPath, query: DeleteChannelQuery, response: DeleteChannelResponse,
}

query_params! {
    /// How thoroughly to delete.
    pub struct DeleteChannelQuery {
        /// True removes channel, messages and members for good.
        pub hard_delete: Option<bool>,
    }
}

operation! {
    /// Deletes up to 100 channels, softly unless `hard_delete`: none of them is seen any more when the call is answered,
    /// what remains to be done is a task. With `hard_delete` those that were deleted softly before may be among them. 4
    /// for a malformed cid, 16 for one of a channel that does not exist; then none is deleted.
    DeleteChannels = "delete_channels", Post "/api/v2/chat/channels/delete",
        body: DeleteChannelsRequest, response: DeleteChannelsResponse, server_side_only: true,
}

/// Which channels to delete, and how thoroughly.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteChannelsRequest {
    /// The channels, as `<type>:<id>`, at most 100.
    #[serde(deserialize_with = "crate::null_default")]
    pub cids: Vec<String>,
    /// True removes channels, messages and members for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_delete: Option<bool>,
}

/// What was deleted, and the task that does the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeleteChannelsResponse {
    /// The task, for `get_task`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// By cid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<BTreeMap<String, Option<DeleteChannelsResultResponse>>>,
}

/// What became of one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeleteChannelsResultResponse {
    /// `ok` or `error`.
    pub status: String,
    /// What was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a channel is created or updated with. What is left out keeps its value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChannelInput {
    /// Whether messages are translated when they are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_translation_enabled: Option<bool>,
    /// Language codes to translate into, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_translation_language: Option<String>,
    /// Id of the creator; it or `created_by` is required when a server creates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by_id: Option<String>,
    /// True closes the channel to every client; servers keep their access.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// True stops new messages and reactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frozen: Option<bool>,
    /// The team that the channel belongs to, with multi-tenancy; changed by servers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Id of the user in whose name the history was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated_by_id: Option<String>,
    /// Labels to filter channels by, at most 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_tags: Option<Vec<String>>,
    /// Users to invite, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invites: Option<Vec<ChannelMemberRequest>>,
    /// Members, at most 100; for a distinct channel at least 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<ChannelMemberRequest>>,
    /// What the channel sets differently from its type; an empty object clears it. Servers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_overrides: Option<ChannelConfigOverrides>,
    /// The creator as an object, created when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserRequest>,
    /// The app's own fields, `name` and `image` among them, at most 5 KB. Replaces the stored ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
}

/// What a channel is updated with: [`ChannelInput`] without the fields that matter at creation only.
pub type ChannelInputRequest = ChannelInput;

/// A page of members or watchers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PaginationParams {
    /// Greatest number of entries, at most 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many entries to skip, at most 10000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
}

/// A page of messages: a limit and at most one place to start from. Answered oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MessagePaginationParams {
    /// Messages created after this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_after: Option<Timestamp>,
    /// Messages created at this moment or after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_after_or_equal: Option<Timestamp>,
    /// Messages created on both sides of this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_around: Option<Timestamp>,
    /// Messages created before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_before: Option<Timestamp>,
    /// Messages created at this moment or before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_before_or_equal: Option<Timestamp>,
    /// This message and those on both sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_around: Option<String>,
    /// Messages after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_gt: Option<String>,
    /// This message and those after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_gte: Option<String>,
    /// Messages before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_lt: Option<String>,
    /// This message and those before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_lte: Option<String>,
    /// Greatest number of messages, at most 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many messages to skip, at most 1000, from the place where the page starts. Not with a page around something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
}

/// The channels found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryChannelsResponse {
    /// In the order asked for.
    #[serde(deserialize_with = "crate::null_default")]
    pub channels: Vec<ChannelStateResponse>,
    /// The stored filter as it was applied, when one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predefined_filter: Option<ParsedPredefinedFilterResponse>,
}

/// A stored filter with its placeholders filled in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ParsedPredefinedFilterResponse {
    /// The stored filter's name.
    pub name: String,
    /// The filter as it was applied.
    #[serde(deserialize_with = "crate::null_default")]
    pub filter: JsonMap,
    /// The order as it was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<Vec<SortParam>>,
}

/// The channel after the change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateChannelResponse {
    /// The members.
    #[serde(deserialize_with = "crate::null_default")]
    pub members: Vec<ChannelMemberResponse>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// The system message, when one was posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageResponse>,
}

/// The deleted channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeleteChannelResponse {
    /// With `deleted_at` set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
}

/// The channel after the change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateChannelPartialResponse {
    /// The members, at most 100.
    #[serde(deserialize_with = "crate::null_default")]
    pub members: Vec<ChannelMemberResponse>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
}

/// The channel is hidden.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HideChannelResponse {}

/// The channel is shown again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShowChannelResponse {}

/// The channel without the messages that were taken away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TruncateChannelResponse {
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// The system message, when one was posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageResponse>,
}
