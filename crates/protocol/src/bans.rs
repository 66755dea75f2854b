//! Users who may not write, in a channel or in the whole app.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::channel_state::ChannelResponse;
use crate::users::{UserRequest, UserResponse};
use crate::{JsonMap, JsonParam, SortParam, Timestamp, operation, query_params};

operation! {
    /// Bans a user from writing, in one channel or in the whole app, in place of an earlier ban of the same kind. A banned
    /// user can still read. With `shadow` the user is not told and may go on, but others see what he or she sends as
    /// shadowed. 4 for a user who does not exist, who calls to ban himself or herself, or a timeout below 0. 16 for a channel
    /// that does not exist. 17 for who may not ban.
    Ban = "ban", Post "/api/v2/moderation/ban",
        body: BanRequest, response: ModerationBanResponse, repeatable: true,
}

/// Who is banned, from where and for how long.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BanRequest {
    /// The user to be banned.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub target_user_id: String,
    /// Who bans, when a server calls on behalf of one. Excludes `banned_by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned_by_id: Option<String>,
    /// The channel as `<type>:<id>`; without it the ban is one from the whole app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_cid: Option<String>,
    /// What becomes of the messages that the user sent there: `soft`, `pruning` or `hard` deletes them, in the
    /// background when there are many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_messages: Option<String>,
    /// True keeps everybody from writing who calls from the address at which the user was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_ban: Option<bool>,
    /// Why, at most 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// True keeps it from the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<bool>,
    /// Minutes until the ban ends by itself; left out or 0, it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// True bans from the channels too that who bans creates later; at most 1000 users for each who bans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban_from_future_channels: Option<bool>,
    /// Who bans as an object; created when missing. Excludes `banned_by_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned_by: Option<UserRequest>,
    /// The older name of `banned_by_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The older name of `banned_by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
    /// The channel's type, with `id` the older form of `channel_cid`. Empty means the whole app.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The channel's id, with `type` the older form of `channel_cid`. Empty means the whole app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The user is banned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModerationBanResponse {}

operation! {
    /// Takes a ban back, open or not: the one from the channel that is named, or else the one from the whole app. Nothing
    /// happens when there is none. 4 for a user who does not exist, 16 for a channel that does not exist, 17 for who may
    /// not ban.
    Unban = "unban", Post "/api/v2/moderation/unban",
        query: UnbanQuery, body: UnbanRequest, response: UnbanResponse, repeatable: true,
}

operation! {
    /// [`Unban`] as version 1 has it: all of it stands in the query.
    LiftBan = "unban", Delete "/moderation/ban",
        query: LiftBanQuery, response: UnbanResponse, named: "Unban",
}

query_params! {
    /// Whose ban is taken back, as version 1 says it.
    pub struct LiftBanQuery {
        /// The user.
        pub target_user_id: Option<String>,
        /// The channel's type; without it the ban is the one from the whole app.
        pub r#type: Option<String>,
        /// The channel's id.
        pub id: Option<String>,
        /// Who takes it back, when a server calls on behalf of one.
        pub created_by: Option<String>,
        /// As in [`UnbanQuery`].
        pub remove_future_channels_ban: Option<bool>,
    }
}

query_params! {
    /// Whose ban is taken back.
    pub struct UnbanQuery {
        /// The user.
        pub target_user_id: Option<String>,
        /// The channel as `<type>:<id>`; without it the ban is the one from the whole app.
        pub channel_cid: Option<String>,
        /// Who takes it back, when a server calls on behalf of one and the body does not say so.
        pub created_by: Option<String>,
        /// True takes back the bans from channels too that are created later; what came of them already stays. Only
        /// those by the user who is named as acting; without one, all.
        pub remove_future_channels_ban: Option<bool>,
    }
}

/// Who takes a ban back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UnbanRequest {
    /// The acting user, when a server calls on behalf of one. Excludes `unbanned_by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unbanned_by_id: Option<String>,
    /// The acting user as an object; created when missing. Excludes `unbanned_by_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unbanned_by: Option<UserRequest>,
}

/// The ban is taken back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnbanResponse {}

operation! {
    /// Finds bans by a filter, those that are over included unless they are excluded. 4 for a field or operator that is
    /// not allowed.
    QueryBannedUsers = "query_banned_users", Get "/api/v2/chat/query_banned_users",
        query: QueryBannedUsersQuery, response: QueryBannedUsersResponse,
}

query_params! {
    /// Carries the question as one JSON object.
    pub struct QueryBannedUsersQuery {
        /// Filter, order and page.
        pub payload: Option<JsonParam<QueryBannedUsersPayload>>,
    }
}

/// Filter, order and page of a query for bans.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryBannedUsersPayload {
    /// Which ones, as a filter object over `user_id`, `banned_by_id`, `channel_cid`, `reason` and `created_at`; empty
    /// means all.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub filter_conditions: JsonMap,
    /// True leaves out bans that are over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_expired_bans: Option<bool>,
    /// Greatest number of bans, at most 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many bans to skip, at most 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// The acting user, when a server calls on behalf of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// By `created_at`; left out, newest first.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
    /// The acting user as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// A page of bans.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryBannedUsersResponse {
    /// The bans that match.
    #[serde(deserialize_with = "crate::null_default")]
    pub bans: Vec<BanResponse>,
}

/// A ban.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BanResponse {
    /// Since when.
    pub created_at: Timestamp,
    /// When it ends by itself; absent for a lasting one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Why, when that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it is kept from the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<bool>,
    /// Who bans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned_by: Option<Arc<UserResponse>>,
    /// From which channel; absent for a ban from the whole app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// Who is banned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
}

operation! {
    /// Lists bans from channels that are created later, newest first. 4 for a page out of bounds.
    QueryFutureChannelBans = "query_future_channel_bans", Get "/api/v2/chat/query_future_channel_bans",
        query: QueryFutureChannelBansQuery, response: QueryFutureChannelBansResponse,
}

query_params! {
    /// Carries the question as one JSON object.
    pub struct QueryFutureChannelBansQuery {
        /// Whose bans, and which page.
        pub payload: Option<JsonParam<QueryFutureChannelBansPayload>>,
    }
}

/// Whose bans from later channels, and which page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryFutureChannelBansPayload {
    /// True leaves out bans that are over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_expired_bans: Option<bool>,
    /// True counts all bans that match, up to 100,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_total: Option<bool>,
    /// Greatest number of bans, at most 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many bans to skip, at most 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Only the bans of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_user_id: Option<String>,
    /// Only the bans by this user, when a server asks; a user is shown his or her own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The same as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// A page of bans from later channels.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryFutureChannelBansResponse {
    /// The bans, newest first.
    #[serde(deserialize_with = "crate::null_default")]
    pub bans: Vec<FutureChannelBanResponse>,
    /// How many there are in all, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

/// A ban from channels that are created later.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FutureChannelBanResponse {
    /// Since when.
    pub created_at: Timestamp,
    /// When it ends by itself; absent for a lasting one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Why, when that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it is kept from the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<bool>,
    /// Who bans, and in whose channels it will hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned_by: Option<Arc<UserResponse>>,
    /// Who is banned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
}
