//! Users: writing and finding them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::channel_state::ChannelResponse;
use crate::{Custom, JsonMap, JsonParam, SortParam, Timestamp, UserPath, operation, query_params};

operation! {
    /// Creates or replaces up to 100 users; custom keys that are not sent are dropped, role, teams and
    /// language stay. One invalid user fails the whole call: 4 for bad input or a deleted id, 22 for custom
    /// data above 5 KB, 17 for changing somebody else or role and teams with a user token.
    UpdateUsers = "update_users", Post "/api/v2/users",
        body: UpdateUsersRequest, response: UpdateUsersResponse, repeatable: true,
}

/// The users to write.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateUsersRequest {
    /// By id, at most 100. The key and the `id` inside have to agree.
    #[serde(deserialize_with = "crate::null_default")]
    pub users: BTreeMap<String, UserRequest>,
}

operation! {
    /// Changes fields of up to 100 users and leaves the others alone. Keys are built-in fields or paths of custom data,
    /// names joined by dots; `privacy_settings` is merged key by key. One invalid entry fails the whole call: 4 for bad
    /// input, a user who does not exist or was deleted, 22 for custom data above 5 KB.
    UpdateUsersPartial = "update_users_partial", Patch "/api/v2/users",
        body: UpdateUsersPartialRequest, response: UpdateUsersResponse,
}

/// The changes of users.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateUsersPartialRequest {
    /// One entry for each user, at most 100.
    #[serde(deserialize_with = "crate::null_default")]
    pub users: Vec<UpdateUserPartialRequest>,
}

/// The changes of one user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateUserPartialRequest {
    /// The user's id.
    pub id: String,
    /// Fields to take away.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// Fields to set, by name or path.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub set: JsonMap,
}

operation! {
    /// Deactivates a user, who then cannot act or connect and is left out of user queries, and stays in all channels. 16
    /// when the user does not exist.
    DeactivateUser = "deactivate_user", Post "/api/v2/users/{user_id}/deactivate",
        path: UserPath, body: DeactivateUserRequest, response: DeactivateUserResponse, repeatable: true, server_side_only: true,
}

/// How to deactivate a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeactivateUserRequest {
    /// Who is said to have done it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by_id: Option<String>,
    /// True deletes the user's messages softly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark_messages_deleted: Option<bool>,
}

/// The deactivated user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeactivateUserResponse {
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserResponse>,
}

operation! {
    /// Deactivates up to 100 users by a task. 4 when one of them does not exist.
    DeactivateUsers = "deactivate_users", Post "/api/v2/users/deactivate",
        body: DeactivateUsersRequest, response: DeactivateUsersResponse, repeatable: true, server_side_only: true,
}

/// Whom to deactivate, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeactivateUsersRequest {
    /// The users, at most 100.
    #[serde(deserialize_with = "crate::null_default")]
    pub user_ids: Vec<String>,
    /// Who is said to have done it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by_id: Option<String>,
    /// True deletes the channels that the users created softly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark_channels_deleted: Option<bool>,
    /// True deletes the users' messages softly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark_messages_deleted: Option<bool>,
}

/// The task that deactivates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeactivateUsersResponse {
    /// The task, for `get_task`.
    pub task_id: String,
}

operation! {
    /// Takes a deactivation back. 4 when the user is not deactivated, 16 when there is none.
    ReactivateUser = "reactivate_user", Post "/api/v2/users/{user_id}/reactivate",
        path: UserPath, body: ReactivateUserRequest, response: ReactivateUserResponse, server_side_only: true,
}

/// How to reactivate a user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactivateUserRequest {
    /// Who is said to have done it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by_id: Option<String>,
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// True brings back the messages that the deactivation deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_messages: Option<bool>,
}

/// The reactivated user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReactivateUserResponse {
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserResponse>,
}

operation! {
    /// Takes the deactivation of up to 100 users back by a task. 4 when one of them does not exist; one who is not
    /// deactivated is an error in the task's result.
    ReactivateUsers = "reactivate_users", Post "/api/v2/users/reactivate",
        body: ReactivateUsersRequest, response: ReactivateUsersResponse, server_side_only: true,
}

/// Whom to reactivate, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactivateUsersRequest {
    /// The users, at most 100.
    #[serde(deserialize_with = "crate::null_default")]
    pub user_ids: Vec<String>,
    /// Who is said to have done it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by_id: Option<String>,
    /// True brings back the channels that the deactivation deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_channels: Option<bool>,
    /// True brings back the messages that the deactivation deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_messages: Option<bool>,
}

/// The task that reactivates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReactivateUsersResponse {
    /// The task, for `get_task`.
    pub task_id: String,
}

operation! {
    /// Deletes up to 100 users: they are not found any more when the call is answered, the rest is a task. 4 when one of
    /// them does not exist, or when `user` is `hard` and `messages` or `conversations` is not.
    DeleteUsers = "delete_users", Post "/api/v2/users/delete",
        body: DeleteUsersRequest, response: DeleteUsersResponse, repeatable: true, server_side_only: true,
}

/// Whom to delete, and what of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteUsersRequest {
    /// The users, at most 100.
    #[serde(deserialize_with = "crate::null_default")]
    pub user_ids: Vec<String>,
    /// `soft` or `hard`: what becomes of calls, of which there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<String>,
    /// `soft` or `hard`: deletes the channels of exactly two members, one of them the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversations: Option<String>,
    /// True deletes uploaded files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<bool>,
    /// `soft`, `pruning` or `hard`: deletes the users' messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<String>,
    /// Who gets the calls of users that are removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_call_owner_id: Option<String>,
    /// Who gets the channels of users that are removed; a new user when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_channel_owner_id: Option<String>,
    /// `soft`, the default, marks the users as deleted and keeps everything, `pruning` empties them, `hard` removes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// The task that deletes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeleteUsersResponse {
    /// The task, for `get_task`.
    pub task_id: String,
}

operation! {
    /// Brings back up to 100 users whose deletion was soft: the users, not memberships or messages. 4 for any other user;
    /// then none is brought back.
    RestoreUsers = "restore_users", Post "/api/v2/users/restore",
        body: RestoreUsersRequest, response: RestoreUsersResponse, server_side_only: true,
}

/// Whom to bring back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreUsersRequest {
    /// The users, at most 100.
    #[serde(deserialize_with = "crate::null_default")]
    pub user_ids: Vec<String>,
}

/// Nothing but that it was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestoreUsersResponse {}

operation! {
    /// Finds users, newest first unless sorted. 4 for a field, operator or limit that is not allowed.
    QueryUsers = "query_users", Get "/api/v2/users",
        query: QueryUsersQuery, response: QueryUsersResponse,
}

query_params! {
    /// Carries the question as one JSON object.
    pub struct QueryUsersQuery {
        /// Filter, order and page.
        pub payload: Option<JsonParam<QueryUsersPayload>>,
    }
}

/// The users as they are now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateUsersResponse {
    /// Task that removes memberships in channels of teams the users have left; empty when there is none.
    pub membership_deletion_task_id: String,
    /// By id.
    #[serde(deserialize_with = "crate::null_default")]
    pub users: BTreeMap<String, FullUserResponse>,
}

/// Filter, order and page of a user query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryUsersPayload {
    /// Which ones, as a filter object; empty means all.
    #[serde(deserialize_with = "crate::null_default")]
    pub filter_conditions: JsonMap,
    /// True includes deactivated users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_deactivated_users: Option<bool>,
    /// Greatest number of users, at most 100, 30 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many users to skip, at most 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Only users whose id comes before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_lt: Option<String>,
    /// The same, with the one who has this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_lte: Option<String>,
    /// Only users whose id comes after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_gt: Option<String>,
    /// The same, with the one who has this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_gte: Option<String>,
    /// Subscribes the caller's socket to the presence of the users in the answer; refused for server
    /// tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence: Option<bool>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Order, at most 5 entries.
    #[serde(default, deserialize_with = "crate::sort_list", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// The users found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryUsersResponse {
    /// In the order asked for.
    #[serde(deserialize_with = "crate::null_default")]
    pub users: Vec<FullUserResponse>,
}

operation! {
    /// Deletes one user, as version 1 has it: softly, unless `hard_delete` removes him or her with all messages and
    /// conversations. The rest of the work is a task.
    DeleteUser = "delete_user", Delete "/users/{user_id}",
        path: UserPath, query: DeleteUserQuery, response: DeleteUserResponse, server_side_only: true,
}

query_params! {
    /// What goes with the user.
    pub struct DeleteUserQuery {
        /// True deletes the user's messages, softly.
        pub mark_messages_deleted: Option<bool>,
        /// True removes the user, and everything that he or she wrote.
        pub hard_delete: Option<bool>,
        /// True deletes the channels of exactly two members, one of them the user.
        pub delete_conversation_channels: Option<bool>,
    }
}

/// The deleted user, and the work that goes on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeleteUserResponse {
    /// The task, for `get_task`.
    pub task_id: String,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserResponse>,
}

/// A user as it is written. Fields that are left out keep their value, `custom` apart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UserRequest {
    /// The user's id: 1 to 255 characters of letters, digits, `@`, `_` and `-`.
    pub id: String,
    /// URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// True shows the user as offline to everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invisible: Option<bool>,
    /// Language code (ISO 639-1); may be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Name for people to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user's role: `user`, `admin`, `guest`, `anonymous` or one of the app's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Teams of the user, at most 250 of 100 bytes each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teams: Option<Vec<String>>,
    /// The app's own fields, at most 5 KB. Replaces the stored ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
    /// Which signs of activity others get to see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_settings: Option<PrivacySettingsResponse>,
    /// Role within a team, by team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teams_role: Option<BTreeMap<String, String>>,
}

/// A user as others see it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserResponse {
    /// Banned from the whole app.
    pub banned: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// The id.
    pub id: String,
    /// True shows the user as offline to everybody.
    pub invisible: bool,
    /// Language code (ISO 639-1); may be empty.
    pub language: String,
    /// Whether a connection that is not invisible is open.
    pub online: bool,
    /// The user's role: `user`, `admin`, `guest`, `anonymous` or one of the app's own.
    pub role: String,
    /// Banned without noticing it: messages are visible to the user alone.
    pub shadow_banned: bool,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Users that this one has blocked.
    #[serde(deserialize_with = "crate::null_default")]
    pub blocked_user_ids: Vec<String>,
    /// Teams of the user, at most 250 of 100 bytes each.
    #[serde(deserialize_with = "crate::null_default")]
    pub teams: Vec<String>,
    /// The app's own fields, at most 5 KB.
    pub custom: Custom,
    /// Seconds until the user answers, on average; present where this is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avg_response_time: Option<i64>,
    /// When the ban ends; absent for a permanent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban_expires: Option<Timestamp>,
    /// True exempts the user from moderation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_moderation: Option<bool>,
    /// Since when the user is deactivated; absent while active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivated_at: Option<Timestamp>,
    /// When it was deleted; absent while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// When the user last connected, to within 15 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_active: Option<Timestamp>,
    /// Name for people to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tokens issued earlier are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke_tokens_issued_before: Option<Timestamp>,
    /// Where push notifications go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<Vec<DeviceResponse>>,
    /// Which signs of activity others get to see; absent until set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_settings: Option<PrivacySettingsResponse>,
    /// Whether push notifications are switched off, and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_notifications: Option<PushNotificationSettingsResponse>,
    /// Role within a team, by team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teams_role: Option<BTreeMap<String, String>>,
}

/// A user with its common fields only; here the same type as [`UserResponse`].
pub type UserResponseCommonFields = UserResponse;

/// A user as a server sees it: with mutes, devices and unread totals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FullUserResponse {
    /// Banned from the whole app.
    pub banned: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// The id.
    pub id: String,
    /// True shows the user as offline to everybody.
    pub invisible: bool,
    /// Language code (ISO 639-1); may be empty.
    pub language: String,
    /// Whether a connection that is not invisible is open.
    pub online: bool,
    /// The user's role: `user`, `admin`, `guest`, `anonymous` or one of the app's own.
    pub role: String,
    /// Banned without noticing it: messages are visible to the user alone.
    pub shadow_banned: bool,
    /// Messages not read in all channels.
    pub total_unread_count: i64,
    /// Channels with messages not read.
    pub unread_channels: i64,
    /// The same as `total_unread_count`, under its older name.
    pub unread_count: i64,
    /// Threads with replies not read.
    pub unread_threads: i64,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Users that this one has blocked.
    #[serde(deserialize_with = "crate::null_default")]
    pub blocked_user_ids: Vec<String>,
    /// Channels that the user has muted.
    #[serde(deserialize_with = "crate::null_default")]
    pub channel_mutes: Vec<ChannelMute>,
    /// Where push notifications go.
    #[serde(deserialize_with = "crate::null_default")]
    pub devices: Vec<DeviceResponse>,
    /// Users that the user has muted.
    #[serde(deserialize_with = "crate::null_default")]
    pub mutes: Vec<UserMuteResponse>,
    /// Teams of the user, at most 250 of 100 bytes each.
    #[serde(deserialize_with = "crate::null_default")]
    pub teams: Vec<String>,
    /// The app's own fields, at most 5 KB.
    pub custom: Custom,
    /// Seconds until the user answers, on average; present where this is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avg_response_time: Option<i64>,
    /// When the ban ends; absent for a permanent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban_expires: Option<Timestamp>,
    /// True exempts the user from moderation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_moderation: Option<bool>,
    /// Since when the user is deactivated; absent while active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivated_at: Option<Timestamp>,
    /// When it was deleted; absent while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// When the user last connected, to within 15 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_active: Option<Timestamp>,
    /// Name for people to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tokens issued earlier are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke_tokens_issued_before: Option<Timestamp>,
    /// Channels hidden lately, as `<type>:<id>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_hidden_channels: Option<Vec<String>>,
    /// Which signs of activity others get to see; absent until set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_settings: Option<PrivacySettingsResponse>,
    /// Role within a team, by team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub teams_role: Option<BTreeMap<String, String>>,
}

/// Which signs of activity others get to see. What is absent is switched on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PrivacySettingsResponse {
    /// Whether others see what was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_receipts: Option<DeliveryReceiptsResponse>,
    /// Whether others see what was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_receipts: Option<ReadReceiptsResponse>,
    /// Whether others see the user typing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typing_indicators: Option<TypingIndicatorsResponse>,
}

/// Visibility of typing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TypingIndicatorsResponse {
    /// True shows it.
    pub enabled: bool,
}

/// Visibility of reading.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadReceiptsResponse {
    /// True shows it.
    pub enabled: bool,
}

/// Visibility of delivery.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveryReceiptsResponse {
    /// True shows it.
    pub enabled: bool,
}

/// Whether a user gets push notifications.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PushNotificationSettingsResponse {
    /// True sends none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Sends none until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_until: Option<Timestamp>,
}

/// A device that push notifications go to, at most 25 per user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceResponse {
    /// When it was created.
    pub created_at: Timestamp,
    /// The push provider's token of the device.
    pub id: String,
    /// Kind of provider: `firebase`, `apn`, `huawei` or `xiaomi`.
    pub push_provider: String,
    /// The device's owner.
    pub user_id: String,
    /// True when deliveries failed for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Why it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// The same over reinstallations of the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_id: Option<String>,
    /// Which of several providers of that kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_provider_name: Option<String>,
    /// True for an Apple VoIP token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voip: Option<bool>,
}

/// A channel muted by a user: no push, nothing counted as unread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelMute {
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it ends by itself; absent for a lasting one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// Who muted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
}

/// A user muted by another.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserMuteResponse {
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it ends by itself; absent for a lasting one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Who is muted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Arc<UserResponse>>,
    /// Who muted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
}

/// A named set of users that can be mentioned together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserGroupResponse {
    /// When it was created.
    pub created_at: Timestamp,
    /// The id.
    pub id: String,
    /// Name for people to read.
    pub name: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Id of the user who created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The team it belongs to, with multi-tenancy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// The members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<UserGroupMember>>,
}

/// A user in a group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserGroupMember {
    /// Number of the app.
    pub app_pk: i64,
    /// When the user joined.
    pub created_at: Timestamp,
    /// The group.
    pub group_id: String,
    /// Whether the user administers the group.
    pub is_admin: bool,
    /// The user.
    pub user_id: String,
}
