//! Users whom users mute.

use serde::{Deserialize, Serialize};

use crate::mutes::UnmuteResponse;
use crate::operation;
use crate::own_user::OwnUserResponse;
use crate::users::{UserMuteResponse, UserRequest};

operation! {
    /// Mutes users for a user: what they send from now on still arrives, but does not count as unread, causes no push, and
    /// does not show a channel again that the user had hidden. Muting again gives the mute another end. Users who do not
    /// exist are passed over and named. 4 for more than 1000 users, or the acting user.
    Mute = "mute", Post "/api/v2/moderation/mute",
        body: MuteRequest, response: MuteResponse, repeatable: true,
}

/// Whom to mute, for whom and for how long.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MuteRequest {
    /// The users to be muted, 1 to 1000.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub target_ids: Vec<String>,
    /// Minutes until the mute ends by itself; left out or 0, it lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
    /// The older form of `target_ids` for one user; the reply has its mute as `mute` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
}

/// The mutes, and the user who has them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MuteResponse {
    /// The mutes in the order of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutes: Option<Vec<UserMuteResponse>>,
    /// The mute, when the request named one user by `target_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mute: Option<UserMuteResponse>,
    /// Ids of the request that no user has; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub non_existing_users: Option<Vec<String>>,
    /// Who muted, with all mutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_user: Option<OwnUserResponse>,
}

operation! {
    /// Takes mutes back. Users who are not muted stay as they are. What was sent in the meantime stays uncounted.
    /// 4 for more than 1000 users.
    Unmute = "unmute", Post "/api/v2/moderation/unmute",
        body: UnmuteRequest, response: UnmuteResponse, repeatable: true,
}

/// Which mutes to take back. `timeout` has no effect.
pub type UnmuteRequest = MuteRequest;
