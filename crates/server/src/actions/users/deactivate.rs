use natterjack_protocol::users::{DeactivateUserRequest, DeactivateUsersRequest, UserResponse};
use natterjack_protocol::{Timestamp, UserId};
use natterjack_storage::{Deletion, MessageKey, Tx, User};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::activation::{Activation, change_one, check_many, do_begin};
use super::{check_created_by, do_lock, do_log};
use crate::actions::channels::do_delete_channel;
use crate::actions::messages::{Sweep, do_sweep_next};
use crate::actions::tasks::{self, Context, Phase, Step, Work};
use crate::auth::Caller;
use crate::error::Result;
use crate::state::State;

/// Users to be deactivated, and what goes with them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeactivateUsers {
    user_ids: Vec<String>,
    created_by_id: Option<String>,
    messages: bool,
    channels: bool,
}

/// Deactivates a user: nobody can act as this user any more. The messages go before the call is answered, unless there
/// are very many.
pub(crate) async fn deactivate_user(
    state: &State,
    caller: &Caller,
    user_id: &UserId,
    request: DeactivateUserRequest,
) -> Result<UserResponse> {
    let work = DeactivateUsers {
        user_ids: vec![user_id.as_str().to_owned()],
        created_by_id: check_created_by(state, caller, request.created_by_id.as_ref()).await?,
        messages: request.mark_messages_deleted == Some(true),
        channels: false,
    };
    change_one(state, caller, "deactivate_user", user_id, work).await
}

/// Deactivates users by a task. Answers its id.
pub(crate) async fn deactivate_users(
    state: &State,
    caller: &Caller,
    request: DeactivateUsersRequest,
) -> Result<String> {
    let (user_ids, created_by_id) =
        check_many(state, caller, &request.user_ids, request.created_by_id.as_ref()).await?;
    let work = DeactivateUsers {
        user_ids,
        created_by_id,
        messages: request.mark_messages_deleted == Some(true),
        channels: request.mark_channels_deleted == Some(true),
    };
    tasks::enqueue(state, caller, work.into()).await
}

impl From<DeactivateUsers> for Work {
    fn from(work: DeactivateUsers) -> Self {
        Self::DeactivateUsers(work)
    }
}

impl Activation for DeactivateUsers {
    /// Deactivates a user. One who is deactivated stays so. Answers since when.
    async fn do_change(
        &self,
        tx: &mut Tx,
        app_pk: i64,
        id: &str,
        now: Timestamp,
    ) -> Result<(User, Timestamp)> {
        let user = do_lock(tx, app_pk, id).await?;
        if let Some(since) = user.deactivated_at {
            return Ok((user, since));
        }
        let deactivated = tx.update_user_deactivation(app_pk, id, Some(now), now).await?;
        let payload = json!({ "created_by_id": self.created_by_id, "mark_messages_deleted": self.messages });
        do_log(tx, app_pk, id, "user.deactivated", Some(payload), now).await?;
        Ok((deactivated.unwrap_or(user), now))
    }

    /// What goes with a user first, if anything.
    fn first_phase(&self) -> Option<Phase> {
        match (self.messages, self.channels) {
            (true, _) => Some(Phase::Messages),
            (false, true) => Some(Phase::Channels),
            (false, false) => None,
        }
    }
}

impl DeactivateUsers {
    /// The ids of the users.
    pub(crate) fn subjects(&self) -> Vec<&str> {
        self.user_ids.iter().map(String::as_str).collect()
    }

    /// Does a part of the work on one user.
    pub(crate) async fn step(&self, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
        let position = context.position;
        match position.phase {
            Phase::Messages => {
                let sweep = Sweep {
                    deletion: Deletion::Soft,
                    channel_pk: None,
                    with_user_at: Some(position.since),
                    deleted_by: self.created_by_id.as_deref(),
                };
                let swept = do_sweep_next(tx, context, sweep).await?;
                let next = swept.or_else(|| self.channels.then(|| position.phase(Phase::Channels)));
                Ok(next.map_or_else(Step::done, Step::go_on))
            }
            Phase::Channels => do_delete_next_channel(tx, context).await,
            _ => do_begin(self, tx, context).await,
        }
    }
}

/// The keys at the beginning that are of the same channel.
pub(crate) fn of_one_channel(mut keys: Vec<MessageKey>) -> Vec<MessageKey> {
    let first = keys.first().map(|key| key.channel_pk);
    let others = keys.iter().position(|key| Some(key.channel_pk) != first);
    keys.truncate(others.unwrap_or(keys.len()));
    keys
}

/// Hides the next channel that the user created, so that it can be brought back with the user.
async fn do_delete_next_channel(tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
    let position = context.position;
    let listed =
        tx.list_channels_of_creator(context.app_pk, context.subject, position.channel_pk, 1).await?.pop();
    let Some(listed) = listed else { return Ok(Step::done()) };
    let next = Step::go_on(position.behind_channel(listed.pk));
    let locked = tx.lock_channel(context.app_pk, &listed.cid).await?;
    let Some(channel) = locked.filter(|channel| channel.pk == listed.pk && channel.deleted_at.is_none())
    else {
        return Ok(next);
    };
    do_delete_channel(tx, channel.clone(), false, context.now).await?;
    tx.mark_channel_deleted_with_user(&channel, position.since).await?;
    Ok(next.touching_channel(&channel.cid))
}
