use natterjack_protocol::users::{ReactivateUserRequest, ReactivateUsersRequest, UserResponse};
use natterjack_protocol::{Timestamp, UserId};
use natterjack_storage::{Advance, ChannelEvent, Tx, User, UserChange};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::activation::{Activation, change_one, check_many, do_begin};
use super::deactivate::of_one_channel;
use super::{UniqueNames, change_of, check_created_by, check_name, do_lock, do_log, lock_names};
use crate::actions::messages::do_restore;
use crate::actions::tasks::{self, Context, Phase, Step, Work};
use crate::actions::{check_length, given};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{NAME_LENGTH_MAX, SWEEP_BATCH};
use crate::state::State;

/// Users to be reactivated, and what comes back with them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ReactivateUsers {
    user_ids: Vec<String>,
    created_by_id: Option<String>,
    /// A new name.
    name: Option<String>,
    #[serde(skip)]
    unique_names: UniqueNames,
    messages: bool,
    channels: bool,
}

/// Lets a deactivated user act again. The messages that went with the deactivation come back before the call is
/// answered, unless there are very many.
pub(crate) async fn reactivate_user(
    state: &State,
    caller: &Caller,
    user_id: &UserId,
    request: ReactivateUserRequest,
) -> Result<UserResponse> {
    if let Some(name) = &request.name {
        check_length("name", name, NAME_LENGTH_MAX)?;
    }
    let work = ReactivateUsers {
        user_ids: vec![user_id.as_str().to_owned()],
        created_by_id: check_created_by(state, caller, request.created_by_id.as_ref()).await?,
        name: given(request.name.as_ref()).map(str::to_owned),
        unique_names: UniqueNames::of(state, caller),
        messages: request.restore_messages == Some(true),
        channels: false,
    };
    change_one(state, caller, "reactivate_user", user_id, work).await
}

/// Reactivates users by a task. Answers its id.
pub(crate) async fn reactivate_users(
    state: &State,
    caller: &Caller,
    request: ReactivateUsersRequest,
) -> Result<String> {
    let (user_ids, created_by_id) =
        check_many(state, caller, &request.user_ids, request.created_by_id.as_ref()).await?;
    let work = ReactivateUsers {
        user_ids,
        created_by_id,
        name: None,
        unique_names: UniqueNames::Nowhere,
        messages: request.restore_messages == Some(true),
        channels: request.restore_channels == Some(true),
    };
    tasks::enqueue(state, caller, work.into()).await
}

impl From<ReactivateUsers> for Work {
    fn from(work: ReactivateUsers) -> Self {
        Self::ReactivateUsers(work)
    }
}

impl Activation for ReactivateUsers {
    /// Takes a deactivation back. Answers since when the user was deactivated.
    async fn do_change(
        &self,
        tx: &mut Tx,
        app_pk: i64,
        id: &str,
        now: Timestamp,
    ) -> Result<(User, Timestamp)> {
        let user = do_lock(tx, app_pk, id).await?;
        let Some(since) = user.deactivated_at else {
            return Err(Error::input(format!("user {id:?} is not deactivated")));
        };
        if let Some(name) = &self.name {
            let change = UserChange { name: Some(name.clone()), ..change_of(&user) };
            let changes = [(change, Some(&user))];
            lock_names(tx, self.unique_names, app_pk, &changes).await?;
            let [(change, _)] = changes;
            check_name(tx, self.unique_names, app_pk, &change, Some(&user)).await?;
            tx.upsert_user(app_pk, &change, now).await?;
        }
        let reactivated = tx.update_user_deactivation(app_pk, id, None, now).await?;
        let payload = json!({ "created_by_id": self.created_by_id });
        do_log(tx, app_pk, id, "user.reactivated", Some(payload), now).await?;
        Ok((reactivated.unwrap_or(user), since))
    }

    /// What comes back first, if anything: channels before the messages in them.
    fn first_phase(&self) -> Option<Phase> {
        match (self.channels, self.messages) {
            (true, _) => Some(Phase::Channels),
            (false, true) => Some(Phase::Messages),
            (false, false) => None,
        }
    }
}

impl ReactivateUsers {
    /// The ids of the users.
    pub(crate) fn subjects(&self) -> Vec<&str> {
        self.user_ids.iter().map(String::as_str).collect()
    }

    /// Does a part of the work on one user.
    pub(crate) async fn step(&self, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
        match context.position.phase {
            Phase::Channels => self.do_restore_channels(tx, context).await,
            Phase::Messages => do_restore_messages(tx, context).await,
            _ => do_begin(self, tx, context).await,
        }
    }

    /// Brings back those of the next few channels of the user that went with the deactivation.
    async fn do_restore_channels(&self, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
        let position = context.position;
        let channels = tx
            .list_channels_of_creator(context.app_pk, context.subject, position.channel_pk, SWEEP_BATCH)
            .await?;
        let Some(last) = channels.last() else {
            let next = self.messages.then(|| Step::go_on(position.phase(Phase::Messages)));
            return Ok(next.unwrap_or_else(Step::done));
        };
        let mut step = Step::go_on(position.behind_channel(last.pk));
        for channel in channels {
            let without_system = context.without_system.contains(&channel.kind);
            if !tx.restore_channel(channel.pk, position.since, without_system, context.now).await? {
                continue;
            }
            let advance = Advance { events: 1, version: true, ..Advance::default() };
            if let Some(advanced) = tx.advance_channel(channel.pk, advance, context.now).await? {
                let event = ChannelEvent {
                    channel_pk: channel.pk,
                    seq: advanced.event_seq,
                    kind: "channel.updated",
                    user_id: None,
                    message_id: None,
                    payload: None,
                };
                tx.append_channel_event(event, advanced.at).await?;
            }
            step = step.touching_channel(&channel.cid);
        }
        Ok(step)
    }
}

/// Brings back the next few messages that went with the deactivation, all of one channel.
async fn do_restore_messages(tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
    let position = context.position;
    let after = (position.channel_pk, position.pk);
    let listed = tx
        .list_messages_deleted_with_user(context.app_pk, context.subject, position.since, after, SWEEP_BATCH)
        .await?;
    let keys = of_one_channel(listed);
    let Some(last) = keys.last() else { return Ok(Step::done()) };
    do_restore(tx, context.app_pk, &keys, context.now).await?;
    Ok(Step::go_on(position.behind_message(last.channel_pk, last.pk)))
}
