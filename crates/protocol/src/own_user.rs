//! A user as it sees itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::channel_state::ChatPreferencesResponse;
use crate::users::{
    ChannelMute, DeviceResponse, FullUserResponse, PrivacySettingsResponse, UserMuteResponse,
};
use crate::{Custom, Timestamp};

/// A user as it sees itself: with mutes, devices, unread totals and preferences.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnUserResponse {
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
    /// Replies not read in the 100 of these threads with the newest replies.
    pub unread_thread_messages: i64,
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
    /// Which messages cause a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_preferences: Option<PushPreferencesResponse>,
    /// Messages not read by team, the empty key for none; with multi-tenancy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_unread_count_by_team: Option<BTreeMap<String, i64>>,
}

/// Which messages cause a push for a user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PushPreferencesResponse {
    /// `all`, `none` or `default`, of calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_level: Option<String>,
    /// `all`, `all_mentions`, `direct_mentions`, `mentions` (older), `none` or `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_level: Option<String>,
    /// Sends none until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_until: Option<Timestamp>,
    /// `all`, `none` or `default`, of feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feeds_level: Option<String>,
    /// Which kinds of messages cause a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_preferences: Option<ChatPreferencesResponse>,
}

/// All but what a [`FullUserResponse`] does not have, such as the number of replies not read.
impl From<FullUserResponse> for OwnUserResponse {
    fn from(user: FullUserResponse) -> Self {
        Self {
            banned: user.banned,
            created_at: user.created_at,
            id: user.id,
            invisible: user.invisible,
            language: user.language,
            online: user.online,
            role: user.role,
            shadow_banned: user.shadow_banned,
            total_unread_count: user.total_unread_count,
            unread_channels: user.unread_channels,
            unread_count: user.unread_count,
            unread_threads: user.unread_threads,
            unread_thread_messages: 0,
            updated_at: user.updated_at,
            blocked_user_ids: user.blocked_user_ids,
            channel_mutes: user.channel_mutes,
            devices: user.devices,
            mutes: user.mutes,
            teams: user.teams,
            custom: user.custom,
            avg_response_time: user.avg_response_time,
            deactivated_at: user.deactivated_at,
            deleted_at: user.deleted_at,
            image: user.image,
            last_active: user.last_active,
            name: user.name,
            revoke_tokens_issued_before: user.revoke_tokens_issued_before,
            latest_hidden_channels: user.latest_hidden_channels,
            privacy_settings: user.privacy_settings,
            teams_role: user.teams_role,
            push_preferences: None,
            total_unread_count_by_team: None,
        }
    }
}
