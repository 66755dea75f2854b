//! Guests: users without an account.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::operation;
use crate::users::{UserRequest, UserResponse};

operation! {
    /// Creates a guest and signs a token for him or her. Needs no token. The guest's id contains the one asked for, and a
    /// random part. 17 when the app has switched guests off, or keeps teams apart.
    CreateGuest = "create_guest", Post "/api/v2/guest",
        body: CreateGuestRequest, response: CreateGuestResponse,
}

/// Who wants to be a guest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateGuestRequest {
    /// The guest; the role is always `guest`.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub user: UserRequest,
}

/// The guest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateGuestResponse {
    /// A token for the guest, which does not expire.
    pub access_token: String,
    /// The guest, with the id that is to be used from now on.
    pub user: Arc<UserResponse>,
}
