use natterjack_protocol::Timestamp;
use natterjack_protocol::users::{DeleteUsersRequest, RestoreUsersRequest, UserResponse};
use natterjack_storage::{Advance, ChannelEvent, Deletion, Tx, User, UserChange};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::deactivate::of_one_channel;
use super::{check_ids, do_log, existing, new_user};
use crate::actions::blocks;
use crate::actions::channels::{do_bury, do_delete_channel};
use crate::actions::given;
use crate::actions::members::removal;
use crate::actions::messages::{Sweep, do_sweep_next};
use crate::actions::reactions::do_take_back_all;
use crate::actions::tasks::{self, Context, Phase, Step, Work};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::SWEEP_BATCH;
use crate::present;
use crate::state::State;

/// Threads that a user leaves in one transaction.
const THREADS_BATCH: i64 = 500;
/// What the id of the owner begins with who gets the channels of users that are removed, when none is named.
const OWNER_PREFIX: &str = "delete-user-";

/// Users to be deleted, and what goes with them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeleteUsers {
    user_ids: Vec<String>,
    user: Deletion,
    messages: Option<Deletion>,
    conversations: Option<Deletion>,
    new_channel_owner_id: Option<String>,
}

/// Deletions that may be carried out.
struct DeletePlan {
    app_pk: i64,
    task_id: String,
    work: Work,
    /// Whether who does not exist counts as deleted, beside others who do exist.
    passes_unknown: bool,
    now: Timestamp,
}

/// Deletes users: nobody sees them any more when the call is answered, the rest is a task. Answers its id.
pub(crate) async fn delete_users(
    state: &State,
    caller: &Caller,
    request: DeleteUsersRequest,
    passes_unknown: bool,
) -> Result<String> {
    let (task_id, _) = mark_deleted(state, caller, &request, passes_unknown).await?;
    Ok(task_id)
}

/// As [`delete_users`], for one user, who is answered too.
pub(crate) async fn delete_user(
    state: &State,
    caller: &Caller,
    request: DeleteUsersRequest,
) -> Result<(String, Option<UserResponse>)> {
    let (task_id, users) = mark_deleted(state, caller, &request, false).await?;
    Ok((task_id, users.first().map(|user| present::user(user, state.now()))))
}

/// Marks users as deleted and begins the task. Answers its id, and the users.
async fn mark_deleted(
    state: &State,
    caller: &Caller,
    request: &DeleteUsersRequest,
    passes_unknown: bool,
) -> Result<(String, Vec<User>)> {
    let work = check_delete(state, caller, request).await?;
    let user_ids = work.user_ids.clone();
    let task_id = tasks::new_id();
    let plan = DeletePlan {
        app_pk: caller.app.pk,
        task_id: task_id.clone(),
        work: Work::DeleteUsers(work),
        passes_unknown,
        now: state.now(),
    };
    let users =
        state.store.write("delete_users", plan, |tx, plan| Box::pin(do_mark_deleted(tx, plan))).await?;
    user_ids.iter().for_each(|id| state.forget_user(caller.app.pk, id));
    state.tasks.notify_one();
    Ok((task_id, users))
}

async fn check_delete(state: &State, caller: &Caller, request: &DeleteUsersRequest) -> Result<DeleteUsers> {
    let user_ids = check_ids("user_ids", &request.user_ids)?;
    let user = check_deletion("user", request.user.as_ref(), true)?.unwrap_or(Deletion::Soft);
    let messages = check_deletion("messages", request.messages.as_ref(), true)?;
    let conversations = check_deletion("conversations", request.conversations.as_ref(), false)?;
    check_deletion("calls", request.calls.as_ref(), false)?;
    for (field, given) in [("messages", messages), ("conversations", conversations)] {
        if user == Deletion::Hard && given != Some(Deletion::Hard) {
            return Err(Error::field(field, "must be hard when users are deleted hard"));
        }
    }
    let new_channel_owner_id = match given(request.new_channel_owner_id.as_ref()) {
        None => None,
        Some(id) if user_ids.iter().any(|other| other == id) => {
            return Err(Error::field(
                "new_channel_owner_id",
                format!("names a user who is to be deleted: {id}"),
            ));
        }
        Some(id) => Some(existing(state, caller, "new_channel_owner_id", id).await?.user.id.clone()),
    };
    Ok(DeleteUsers { user_ids, user, messages, conversations, new_channel_owner_id })
}

pub(crate) fn check_deletion(
    field: &str,
    mode: Option<&String>,
    may_prune: bool,
) -> Result<Option<Deletion>> {
    match given(mode) {
        None => Ok(None),
        Some("soft") => Ok(Some(Deletion::Soft)),
        Some("hard") => Ok(Some(Deletion::Hard)),
        Some("pruning") if may_prune => Ok(Some(Deletion::Pruning)),
        Some(_) if may_prune => Err(Error::field(field, "must be one of soft, pruning and hard")),
        Some(_) => Err(Error::field(field, "must be one of soft and hard")),
    }
}

/// Marks all users as deleted, or none when one of them does not exist. Answers them.
async fn do_mark_deleted(tx: &mut Tx, plan: &DeletePlan) -> Result<Vec<User>> {
    let Work::DeleteUsers(work) = &plan.work else { unreachable!("the plan is made for it") };
    let mut locked = tx.lock_users(plan.app_pk, work.user_ids.clone()).await?;
    let is_there = |id: &String| locked.iter().any(|user| user.id == *id);
    let unknown: Vec<&str> = work.user_ids.iter().filter(|id| !is_there(id)).map(String::as_str).collect();
    if !unknown.is_empty() && (!plan.passes_unknown || locked.is_empty()) {
        return Err(Error::field(
            "user_ids",
            format!("names users who don't exist: [{}]", unknown.join(" ")),
        ));
    }
    let mode = |deletion: Option<Deletion>| deletion.map_or("", Deletion::as_str);
    let payload = json!({
        "hard_delete": work.user == Deletion::Hard,
        "mark_messages_deleted": work.messages.is_some(),
        "delete_user": work.user.as_str(),
        "delete_messages": mode(work.messages),
        "delete_conversation": mode(work.conversations),
        "delete_conversation_channels": work.conversations.is_some(),
    });
    for id in work.user_ids.iter().filter(|id| is_there(id)) {
        tx.delete_user(plan.app_pk, id, work.user, plan.now).await?;
        do_log(tx, plan.app_pk, id, "user.deleted", Some(payload.clone()), plan.now).await?;
    }
    tasks::do_enqueue(tx, plan.app_pk, &plan.task_id, &plan.work, plan.now).await?;
    for user in &mut locked {
        user.deleted_at.get_or_insert(plan.now);
    }
    Ok(locked)
}

/// Brings back users whose deletion was soft: the users themselves, not what was deleted with them.
pub(crate) async fn restore_users(
    state: &State,
    caller: &Caller,
    request: RestoreUsersRequest,
) -> Result<()> {
    let user_ids = check_ids("user_ids", &request.user_ids)?;
    let plan = (caller.app.pk, user_ids.clone(), state.now());
    state
        .store
        .write("restore_users", plan, |tx, (app_pk, ids, now)| Box::pin(do_restore(tx, *app_pk, ids, *now)))
        .await?;
    user_ids.iter().for_each(|id| state.forget_user(caller.app.pk, id));
    Ok(())
}

async fn do_restore(tx: &mut Tx, app_pk: i64, user_ids: &[String], now: Timestamp) -> Result<()> {
    let locked = tx.lock_users(app_pk, user_ids.to_vec()).await?;
    for id in user_ids {
        let user = locked.iter().find(|user| user.id == *id);
        let user =
            user.ok_or_else(|| Error::field("user_ids", format!("names a user who doesn't exist: {id}")))?;
        if user.deleted_at.is_none() {
            return Err(Error::field("user_ids", format!("names a user who is not deleted: {id}")));
        }
        if !tx.restore_user(app_pk, id, now).await? {
            let problem = format!("names a user whose deletion was not soft and cannot be undone: {id}");
            return Err(Error::field("user_ids", problem));
        }
        do_log(tx, app_pk, id, "user.updated", None, now).await?;
    }
    Ok(())
}

impl DeleteUsers {
    /// The ids of the users.
    pub(crate) fn subjects(&self) -> Vec<&str> {
        self.user_ids.iter().map(String::as_str).collect()
    }

    /// Does a part of the work on one user. The phases come in the order in which they stand here.
    pub(crate) async fn step(&self, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
        let position = context.position;
        match position.phase {
            Phase::Begin => Ok(Step::go_on(position.phase(Phase::Conversations))),
            Phase::Conversations => self.do_delete_conversation(tx, context).await,
            Phase::Messages => self.do_delete_messages(tx, context).await,
            Phase::Reactions => do_take_reactions(tx, context).await,
            Phase::Threads => {
                let left = tx.leave_threads(context.app_pk, context.subject, THREADS_BATCH).await?;
                let phase = if left == 0 { Phase::Memberships } else { Phase::Threads };
                Ok(Step::go_on(position.phase(phase)))
            }
            Phase::Memberships => do_remove_next(tx, context).await,
            Phase::Channels => self.do_hand_over_channels(tx, context).await,
            Phase::End => {
                // Somebody may have been faster than what is known of the deletion.
                if tx.find_channel_of_member(context.app_pk, context.subject, 0).await?.is_some() {
                    return Ok(Step::go_on(position.phase(Phase::Memberships)));
                }
                tx.delete_user_rows(context.app_pk, context.subject).await?;
                Ok(Step::done().touching_user(context.subject))
            }
        }
    }

    async fn do_delete_conversation(&self, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
        let position = context.position;
        let hard = self.conversations == Some(Deletion::Hard);
        let found = match self.conversations {
            None => None,
            Some(_) => {
                tx.find_conversation(context.app_pk, context.subject, position.channel_pk, hard).await?
            }
        };
        let Some(found) = found else { return Ok(Step::go_on(position.phase(Phase::Messages))) };
        let next = Step::go_on(position.behind_channel(found.pk));
        let locked = tx.lock_channel(context.app_pk, &found.cid).await?;
        let Some(channel) = locked.filter(|channel| channel.pk == found.pk && channel.member_count == 2)
        else {
            return Ok(next);
        };
        let cid = channel.cid.clone();
        if channel.deleted_at.is_none() {
            do_delete_channel(tx, channel, hard, context.now).await?;
        } else if hard {
            do_bury(tx, &channel).await?;
        }
        Ok(next.touching_channel(&cid))
    }

    async fn do_delete_messages(&self, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
        let position = context.position;
        let swept = match self.messages {
            None => None,
            Some(deletion) => {
                let sweep = Sweep { deletion, channel_pk: None, with_user_at: None, deleted_by: None };
                do_sweep_next(tx, context, sweep).await?
            }
        };
        Ok(match (swept, self.user) {
            (Some(position), _) => Step::go_on(position),
            (None, Deletion::Hard) => Step::go_on(position.phase(Phase::Reactions)),
            (None, Deletion::Soft | Deletion::Pruning) => Step::done(),
        })
    }

    /// Gives the next few channels that the user created to another owner.
    async fn do_hand_over_channels(&self, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
        let position = context.position;
        let channels = tx
            .list_channels_of_creator(context.app_pk, context.subject, position.channel_pk, SWEEP_BATCH)
            .await?;
        let Some(last) = channels.last() else { return Ok(Step::go_on(position.phase(Phase::End))) };
        let mut step = Step::go_on(position.behind_channel(last.pk));
        let owner_id = match &self.new_channel_owner_id {
            Some(id) => id.clone(),
            None => format!("{OWNER_PREFIX}{}", context.task_id),
        };
        for channel in channels {
            let advance = Advance { events: 1, version: true, ..Advance::default() };
            let advanced = tx.advance_any_channel(channel.pk, advance, context.now).await?;
            let Some((advanced, _)) = advanced else { continue };
            tx.update_channel_creator(channel.pk, &owner_id).await?;
            let event = ChannelEvent {
                channel_pk: channel.pk,
                seq: advanced.event_seq,
                kind: "channel.updated",
                user_id: None,
                message_id: None,
                payload: None,
            };
            tx.append_channel_event(event, advanced.at).await?;
            step = step.touching_channel(&channel.cid);
        }
        do_make_owner(tx, context, &owner_id).await?;
        Ok(step.touching_user(&owner_id))
    }
}

/// Creates the owner of channels of users that are removed, when there is none yet.
async fn do_make_owner(tx: &mut Tx, context: &Context<'_>, id: &str) -> Result<()> {
    if !tx.list_users(context.app_pk, vec![id.to_owned()]).await?.is_empty() {
        return Ok(());
    }
    let owner: UserChange = new_user(id);
    tx.upsert_user(context.app_pk, &owner, context.now).await?;
    do_log(tx, context.app_pk, id, "user.updated", None, context.now).await
}

/// Takes the user's reactions off the next few messages, all of one channel.
async fn do_take_reactions(tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
    let position = context.position;
    let listed =
        tx.list_messages_reacted_to(context.app_pk, context.subject, position.pk, SWEEP_BATCH).await?;
    let keys = of_one_channel(listed);
    let Some(last) = keys.last() else { return Ok(Step::go_on(position.phase(Phase::Threads))) };
    for key in &keys {
        do_take_back_all(tx, context.app_pk, key, context.subject, context.now).await?;
    }
    Ok(Step::go_on(position.behind_message(last.channel_pk, last.pk)))
}

/// Takes the user out of the next channel.
async fn do_remove_next(tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
    let position = context.position;
    let found = tx.find_channel_of_member(context.app_pk, context.subject, position.channel_pk).await?;
    let Some(channel_pk) = found else { return Ok(Step::go_on(position.phase(Phase::Channels))) };
    do_remove_member(tx, context, channel_pk).await
}

/// Takes the user out of a channel. What comes next is behind it.
pub(super) async fn do_remove_member(tx: &mut Tx, context: &Context<'_>, channel_pk: i64) -> Result<Step> {
    let next = Step::go_on(context.position.behind_channel(channel_pk));
    let locked = tx.advance_any_channel(channel_pk, Advance::default(), context.now).await?;
    let Some((_, channel)) = locked else { return Ok(next) };
    let removed = tx.delete_members(channel_pk, vec![context.subject.to_owned()]).await?;
    tx.delete_hidden_for(channel_pk, context.subject).await?;
    let advance = Advance {
        events: removed.len() as i64,
        members: -(removed.len() as i64),
        version: true,
        ..Advance::default()
    };
    let advanced = tx.advance_any_channel(channel_pk, advance, context.now).await?;
    if let (Some((advanced, _)), [gone]) = (advanced, removed.as_slice()) {
        blocks::do_settle_left(tx, channel_pk, &removed, advanced).await?;
        let event = ChannelEvent {
            channel_pk,
            seq: advanced.event_seq,
            kind: "member.removed",
            user_id: Some(&gone.user_id),
            message_id: None,
            payload: Some(removal(gone)),
        };
        tx.append_channel_event(event, advanced.at).await?;
        if [1, 2].contains(&advanced.member_count) {
            blocks::do_settle_blocks(tx, context.app_pk, channel_pk, advanced).await?;
        }
    }
    Ok(next.touching_channel(&channel.cid))
}
