//! Users who block others.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::users::{UserRequest, UserResponse};
use crate::{Timestamp, operation, query_params};

operation! {
    /// Blocks a user for another. Channels that have just these two members are hidden from the one who blocks, and
    /// nothing that is sent there counts as unread; other channels stay as they are. The blocked user cannot add the
    /// other to channels: that is ignored without a word. 4 for a user who does not exist, or is the same.
    BlockUsers = "block_users", Post "/api/v2/users/block",
        body: BlockUsersRequest, response: BlockUsersResponse, repeatable: true,
}

/// Who blocks whom.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BlockUsersRequest {
    /// The user to be blocked.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub blocked_user_id: String,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

operation! {
    /// Takes a block back and shows the channels of the two again. Nothing happens when there is none. 4 for a user
    /// who does not exist.
    UnblockUsers = "unblock_users", Post "/api/v2/users/unblock",
        body: UnblockUsersRequest, response: UnblockUsersResponse, repeatable: true,
}

/// Who no longer blocks whom.
pub type UnblockUsersRequest = BlockUsersRequest;

operation! {
    /// Whom a user has blocked: at most 1000, the newest blocks first.
    GetBlockedUsers = "get_blocked_users", Get "/api/v2/users/block",
        query: GetBlockedUsersQuery, response: GetBlockedUsersResponse,
}

query_params! {
    /// Whose blocks.
    pub struct GetBlockedUsersQuery {
        /// Whose blocks, when a server asks.
        pub user_id: Option<String>,
    }
}

/// The block.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockUsersResponse {
    /// Who blocks.
    pub blocked_by_user_id: String,
    /// Who is blocked.
    pub blocked_user_id: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// The block is taken back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnblockUsersResponse {}

/// The blocks of a user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GetBlockedUsersResponse {
    /// The newest first.
    #[serde(deserialize_with = "crate::null_default")]
    pub blocks: Vec<BlockedUserResponse>,
}

/// That a user has blocked another.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockedUserResponse {
    /// Who is blocked.
    pub blocked_user_id: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Who blocks.
    pub user_id: String,
    /// Who is blocked.
    pub blocked_user: Arc<UserResponse>,
    /// Who blocks.
    pub user: Arc<UserResponse>,
}
