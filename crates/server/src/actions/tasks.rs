//! Work that goes on after the call that asked for it was answered.
//!
//! A task is about some things, its subjects, one after another. Each step is a transaction that does a bounded part of
//! the work on one subject and records how far it has come, so that after a crash somebody else goes on from there. Who
//! works on a task holds a lease on it: a step of one who has lost it is rolled back.

use std::sync::Arc;
use std::time::Duration;

use natterjack_protocol::tasks::{ErrorResult, GetTaskResponse};
use natterjack_protocol::{ErrorCode, JsonMap, Timestamp};
use natterjack_storage::{Lease, NewTask, Task, TaskError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::bans::DeleteMessages;
use super::channels::DeleteChannels;
use super::users::{DeactivateUsers, DeleteUsers, LeaveTeams, ReactivateUsers};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::state::State;

/// How long a task is held by the one who works on it without a sign of life: longer than any step takes.
const LEASE: Duration = Duration::from_secs(60);
/// How often a task is taken up without any progress before it is given up.
const ATTEMPTS_MAX: i64 = 5;
/// Steps of one task before the next one gets its turn.
const STEPS_IN_TURN: usize = 100;
/// Steps that a call takes itself before it leaves the rest to the job and answers.
const STEPS_IN_CALL: usize = 500;

/// What a task does.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Work {
    DeleteChannels(DeleteChannels),
    DeactivateUsers(DeactivateUsers),
    ReactivateUsers(ReactivateUsers),
    DeleteUsers(DeleteUsers),
    DeleteMessages(DeleteMessages),
    LeaveTeams(LeaveTeams),
}

/// Which part of the work on a subject comes next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    #[default]
    Begin,
    Conversations,
    Messages,
    Reactions,
    Threads,
    Memberships,
    Channels,
    End,
}

/// How far the work on a subject has come. The keys are of what was last worked on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) phase: Phase,
    pub(crate) channel_pk: i64,
    pub(crate) pk: i64,
    /// The deactivation that is carried out or taken back.
    pub(crate) since: Timestamp,
    /// Whether messages of the user in the channel were deleted by now.
    #[serde(default)]
    pub(crate) has_swept: bool,
}

impl Position {
    /// The beginning of another phase.
    pub(crate) fn phase(self, phase: Phase) -> Self {
        Self { phase, since: self.since, ..Self::default() }
    }

    /// The same phase, behind a channel.
    pub(crate) fn behind_channel(self, channel_pk: i64) -> Self {
        Self { channel_pk, pk: 0, ..self }
    }

    /// The same phase, behind a message.
    pub(crate) fn behind_message(self, channel_pk: i64, pk: i64) -> Self {
        Self { channel_pk, pk, ..self }
    }
}

/// What a step works on.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) app_pk: i64,
    pub(crate) task_id: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) position: Position,
    /// The channel types whose `last_message_at` passes over system messages.
    pub(crate) without_system: &'a [String],
    pub(crate) now: Timestamp,
}

/// What a step did.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// Where to go on; `None` when the subject is done.
    next: Option<Position>,
    user_ids: Vec<String>,
    cids: Vec<String>,
}

impl Step {
    /// The subject is done.
    pub(crate) fn done() -> Self {
        Self::default()
    }

    /// There is more to do on the subject.
    pub(crate) fn go_on(position: Position) -> Self {
        Self { next: Some(position), ..Self::default() }
    }

    /// The step changed this user.
    pub(crate) fn touching_user(mut self, user_id: &str) -> Self {
        self.user_ids.push(user_id.to_owned());
        self
    }

    /// The step changed this channel.
    pub(crate) fn touching_channel(mut self, cid: &str) -> Self {
        self.cids.push(cid.to_owned());
        self
    }
}

/// How far a task has come.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Progress {
    /// Number of the subject that is worked on.
    subject: usize,
    position: Position,
}

/// A task that is worked on.
struct Run {
    app_pk: i64,
    lease: Lease,
    work: Work,
    /// As in [`Context`].
    without_system: Vec<String>,
}

/// The next step of a task.
struct StepPlan {
    run: Arc<Run>,
    progress: Progress,
    result: JsonMap,
    /// The lease that the step leaves behind.
    until: Timestamp,
    now: Timestamp,
}

/// Where a task stands after a step.
struct Stepped {
    progress: Progress,
    result: JsonMap,
    user_ids: Vec<String>,
    cids: Vec<String>,
    is_ended: bool,
}

impl Work {
    fn kind(&self) -> &'static str {
        match self {
            Self::DeleteChannels(_) => "delete_channels",
            Self::DeactivateUsers(_) => "deactivate_users",
            Self::ReactivateUsers(_) => "reactivate_users",
            Self::DeleteUsers(_) => "delete_users",
            Self::DeleteMessages(_) => "delete_messages",
            Self::LeaveTeams(_) => "leave_teams",
        }
    }

    fn subjects(&self) -> Vec<&str> {
        match self {
            Self::DeleteChannels(work) => work.subjects(),
            Self::DeactivateUsers(work) => work.subjects(),
            Self::ReactivateUsers(work) => work.subjects(),
            Self::DeleteUsers(work) => work.subjects(),
            Self::DeleteMessages(work) => work.subjects(),
            Self::LeaveTeams(work) => work.subjects(),
        }
    }

    async fn step(&self, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
        match self {
            Self::DeleteChannels(work) => work.step(tx, context).await,
            Self::DeactivateUsers(work) => work.step(tx, context).await,
            Self::ReactivateUsers(work) => work.step(tx, context).await,
            Self::DeleteUsers(work) => work.step(tx, context).await,
            Self::DeleteMessages(work) => work.step(tx, context).await,
            Self::LeaveTeams(work) => work.step(tx, context).await,
        }
    }
}

/// An id for a new task.
pub(crate) fn new_id() -> String {
    Uuid::new_v4().to_string()
}

/// Stores a task in the transaction of the operation that asks for it. It is begun when `state.tasks` is notified
/// after the commit, or else soon.
pub(crate) async fn do_enqueue(
    tx: &mut Tx,
    app_pk: i64,
    id: &str,
    work: &Work,
    now: Timestamp,
) -> Result<()> {
    tx.insert_task(&new_task(app_pk, id, work, None), None, now).await?;
    Ok(())
}

/// Stores a task that is all that a call asks for. Answers its id.
pub(crate) async fn enqueue(state: &State, caller: &Caller, work: Work) -> Result<String> {
    let id = new_id();
    let plan = (caller.app.pk, id.clone(), work, state.now());
    state
        .store
        .write("enqueue_task", plan, |tx, (app_pk, id, work, now)| {
            Box::pin(do_enqueue(tx, *app_pk, id, work, *now))
        })
        .await?;
    state.tasks.notify_one();
    Ok(id)
}

/// Stores a task that the call itself begins with, from `position` on, by [`work_in_call`].
pub(crate) async fn do_enqueue_held(
    tx: &mut Tx,
    app_pk: i64,
    id: &str,
    work: &Work,
    position: Position,
    now: Timestamp,
) -> Result<Task> {
    let new = new_task(app_pk, id, work, Some(&Progress { subject: 0, position }));
    Ok(tx.insert_task(&new, Some(lease_until(now)), now).await?)
}

fn new_task(app_pk: i64, id: &str, work: &Work, progress: Option<&Progress>) -> NewTask {
    let payload = json!(work).to_string();
    let progress = progress.map(|progress| json!(progress).to_string());
    NewTask { id: id.to_owned(), app_pk, kind: work.kind(), payload, progress }
}

fn lease_until(now: Timestamp) -> Timestamp {
    now.plus_seconds(LEASE.as_secs() as i64)
}

/// A task of the app.
pub(crate) async fn get_task(state: &State, caller: &Caller, id: &str) -> Result<GetTaskResponse> {
    let key = (caller.app.pk, id.to_owned());
    let found =
        state.store.read("get_task", key, |tx, (app_pk, id)| Box::pin(tx.find_task(*app_pk, id))).await?;
    let task = found.ok_or_else(|| Error::not_found("task", id))?;
    Ok(GetTaskResponse {
        task_id: task.id,
        status: task.status.as_str().to_owned(),
        created_at: task.created_at,
        updated_at: task.updated_at,
        result: (!task.result.is_empty()).then_some(task.result),
        error: task.error.map(|error| ErrorResult {
            kind: error.kind,
            description: error.description,
            ..ErrorResult::default()
        }),
    })
}

/// Takes up the task that has waited longest and works on it for a turn. `false` when none waits.
pub(crate) async fn work_on_next(state: &State) -> Result<bool> {
    let now = state.now();
    let claimed = state
        .store
        .write("claim_task", (lease_until(now), now), |tx, (until, now)| {
            Box::pin(tx.claim_task(*until, *now))
        })
        .await?;
    let Some(task) = claimed else { return Ok(false) };
    work_on(state, task, STEPS_IN_TURN).await?;
    Ok(true)
}

/// Works on a task on behalf of the call that stored it, so that it is done before the answer unless it is long.
/// The call is answered in any case: what is left, the job does.
pub(crate) async fn work_in_call(state: &State, task: Task) {
    if let Err(error) = work_on(state, task, STEPS_IN_CALL).await {
        tracing::warn!(error = crate::error_chain(&error), "a task failed for now");
    }
    state.tasks.notify_one();
}

async fn work_on(state: &State, task: Task, steps_max: usize) -> Result<()> {
    let lease = task.lease();
    if task.attempts > ATTEMPTS_MAX {
        return give_up(state, lease, task.result, "it was taken up too often without progress").await;
    }
    let progress = task.progress.as_deref().map(serde_json::from_str).transpose();
    let (work, progress) = match (serde_json::from_str(&task.payload), progress) {
        (Ok(work), Ok(progress)) => (work, progress.unwrap_or_default()),
        _ => return give_up(state, lease, task.result, "what it has to do cannot be read").await,
    };
    let run = Arc::new(Run {
        app_pk: task.app_pk,
        lease,
        work,
        without_system: state.types_without_system(task.app_pk),
    });
    let (mut progress, mut result): (Progress, JsonMap) = (progress, task.result);
    for step in 1..=steps_max {
        let now = state.now();
        let until = if step == steps_max { now } else { lease_until(now) };
        let plan =
            |progress: Progress, result| StepPlan { run: Arc::clone(&run), progress, result, until, now };
        let stepped = state
            .store
            .write("work_on_task", plan(progress.clone(), result.clone()), |tx, plan| {
                Box::pin(do_step(tx, plan))
            })
            .await;
        let stepped = match stepped {
            // The database was too slow: the same step may succeed later.
            Err(Error::Caller(fault)) if fault.code != ErrorCode::Timeout => {
                let refused = plan(refuse(&run, &progress, &mut result, &fault.message), result);
                state.store.write("work_on_task", refused, |tx, plan| Box::pin(do_record(tx, plan))).await
            }
            other => other,
        };
        let stepped = match stepped {
            // Somebody else has taken it up.
            Err(Error::Stale) => return Ok(()),
            other => other?,
        };
        stepped.user_ids.iter().for_each(|id| state.forget_user(run.app_pk, id));
        stepped.cids.iter().for_each(|cid| state.forget_channel(run.app_pk, cid));
        if stepped.is_ended {
            return Ok(());
        }
        (progress, result) = (stepped.progress, stepped.result);
    }
    Ok(())
}

async fn give_up(state: &State, lease: Lease, result: JsonMap, why: &str) -> Result<()> {
    tracing::error!(task = lease.task_id, why, "a task was given up");
    let error = TaskError { kind: "internal".to_owned(), description: why.to_owned() };
    let ended = (lease, result, error, state.now());
    state
        .store
        .write("end_task", ended, |tx, (lease, result, error, now)| {
            Box::pin(tx.end_task(lease, result, Some(error), *now))
        })
        .await?;
    Ok(())
}

/// Leaves the subject that is worked on, with what was wrong with it as its result.
fn refuse(run: &Run, progress: &Progress, result: &mut JsonMap, problem: &str) -> Progress {
    if let Some(subject) = run.work.subjects().get(progress.subject) {
        result.insert((*subject).to_owned(), json!({ "status": "error", "error": problem }));
    }
    Progress { subject: progress.subject + 1, position: Position::default() }
}

/// Does a part of the work on one subject.
async fn do_step(tx: &mut Tx, plan: &StepPlan) -> Result<Stepped> {
    let run = &plan.run;
    let subjects = run.work.subjects();
    let Some(subject) = subjects.get(plan.progress.subject) else { return do_record(tx, plan).await };
    let context = Context {
        app_pk: run.app_pk,
        task_id: &run.lease.task_id,
        subject,
        position: plan.progress.position,
        without_system: &run.without_system,
        now: plan.now,
    };
    let step = run.work.step(tx, &context).await?;
    let mut result = plan.result.clone();
    let progress = match step.next {
        Some(position) => Progress { subject: plan.progress.subject, position },
        None => {
            result.insert((*subject).to_owned(), json!({ "status": "ok" }));
            Progress { subject: plan.progress.subject + 1, position: Position::default() }
        }
    };
    let recorded = StepPlan { run: Arc::clone(run), progress, result, until: plan.until, now: plan.now };
    let stepped = do_record(tx, &recorded).await?;
    Ok(Stepped { user_ids: step.user_ids, cids: step.cids, ..stepped })
}

/// Records how far a task has come, and ends it when nothing is left.
async fn do_record(tx: &mut Tx, plan: &StepPlan) -> Result<Stepped> {
    let StepPlan { run, progress, result, until, now } = plan;
    let is_ended = progress.subject >= run.work.subjects().len();
    let is_held = if is_ended {
        tx.end_task(&run.lease, result, None, *now).await?
    } else {
        let progress = json!(progress).to_string();
        tx.advance_task(&run.lease, &progress, result, *until, *now).await?
    };
    if !is_held {
        return Err(Error::Stale);
    }
    Ok(Stepped {
        progress: progress.clone(),
        result: result.clone(),
        user_ids: Vec::new(),
        cids: Vec::new(),
        is_ended,
    })
}
