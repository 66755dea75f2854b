//! Channels that users mute.

use serde::{Deserialize, Serialize};

use crate::operation;
use crate::own_user::OwnUserResponse;
use crate::users::{ChannelMute, UserRequest};

operation! {
    /// Mutes channels for a user, who need not be a member: what is sent from now on is not counted as unread, causes no
    /// push, and does not show a channel again that the user had hidden. Muting again gives the mute another end.
    /// 4 for more than 25 channels, or one that does not exist.
    MuteChannel = "mute_channel", Post "/api/v2/chat/moderation/mute/channel",
        body: MuteChannelRequest, response: MuteChannelResponse, repeatable: true,
}

/// Which channels to mute, for whom and for how long.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MuteChannelRequest {
    /// Milliseconds until the mute ends by itself; left out or 0, it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<i64>,
    /// The channels as `<type>:<id>`, 1 to 25.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub channel_cids: Vec<String>,
    /// One channel, in place of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_cid: Option<String>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

operation! {
    /// Takes mutes back. Channels that are not muted stay as they are. What was sent in the meantime stays uncounted.
    /// 4 for more than 25 channels, or one that does not exist.
    UnmuteChannel = "unmute_channel", Post "/api/v2/chat/moderation/unmute/channel",
        body: UnmuteChannelRequest, response: UnmuteResponse, repeatable: true,
}

/// Which mutes to take back. `expiration` has no effect.
pub type UnmuteChannelRequest = MuteChannelRequest;

/// The mutes, and the user who has them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MuteChannelResponse {
    /// The mutes in the order of the request, when it named several channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_mutes: Option<Vec<ChannelMute>>,
    /// The mute, when the request named one channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_mute: Option<ChannelMute>,
    /// Who muted, with all mutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_user: Option<OwnUserResponse>,
}

/// The mutes are taken back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnmuteResponse {
    /// Users that do not exist; absent for channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub non_existing_users: Option<Vec<String>>,
}
