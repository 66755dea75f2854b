use natterjack_protocol::UserId;
use natterjack_protocol::guests::{CreateGuestRequest, CreateGuestResponse};
use natterjack_protocol::users::UserRequest;
use uuid::Uuid;

use super::{Grounds, Missing, ROLE_GUEST, check_request, upsert};
use crate::auth::{Caller, sign_user_token};
use crate::error::{Error, Result};
use crate::state::State;

/// Creates a guest with an id of his or her own, whoever asks.
pub(crate) async fn create_guest(
    state: &State,
    caller: &Caller,
    request: CreateGuestRequest,
) -> Result<CreateGuestResponse> {
    let settings = &state.current_app(&caller.app).app.settings;
    if settings.guest_user_creation_disabled == Some(true) {
        return Err(Error::denied("guest users are not enabled for this app"));
    }
    if settings.multi_tenant_enabled == Some(true) {
        return Err(Error::denied("guest users are not available with multi-tenancy"));
    }
    check_request("user", &request.user)?;
    let id = format!("guest-{}-{}", Uuid::new_v4(), request.user.id);
    let id = UserId::parse(&id).map_err(|error| Error::id("user.id", &error))?;
    let guest = UserRequest {
        id: id.as_str().to_owned(),
        role: Some(ROLE_GUEST.to_owned()),
        teams: None,
        teams_role: None,
        ..request.user
    };
    let (mut guests, _) = upsert(state, caller, vec![guest], Grounds::default(), Missing::Stay).await?;
    let guest = guests.pop().expect("an upsert answers each user");
    Ok(CreateGuestResponse { access_token: sign_user_token(&caller.app, &id)?, user: guest.response.clone() })
}
