//! What deactivating and reactivating have in common: a user changes at once, and what goes with that follows.

use natterjack_protocol::users::UserResponse;
use natterjack_protocol::{Timestamp, UserId};
use natterjack_storage::{Task, Tx, User};

use super::{all_existing, check_created_by, check_ids};
use crate::actions::tasks::{self, Context, Phase, Position, Step, Work};
use crate::auth::Caller;
use crate::error::Result;
use crate::present;
use crate::state::State;

/// Users who are deactivated, or reactivated, with what goes along.
pub(super) trait Activation: Clone + Into<Work> + Send + Sync + 'static {
    /// Changes a user. Answers the user, and since when he or she is, or was, deactivated.
    fn do_change(
        &self,
        tx: &mut Tx,
        app_pk: i64,
        id: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<(User, Timestamp)>> + Send;

    /// What goes along first, if anything.
    fn first_phase(&self) -> Option<Phase>;
}

/// A change of one user that may be carried out by the call itself.
struct Plan<W> {
    app_pk: i64,
    user_id: String,
    task_id: String,
    work: W,
    now: Timestamp,
}

/// The users whom a call names, and who causes it.
pub(super) async fn check_many(
    state: &State,
    caller: &Caller,
    user_ids: &[String],
    created_by_id: Option<&String>,
) -> Result<(Vec<String>, Option<String>)> {
    let user_ids = check_ids("user_ids", user_ids)?;
    all_existing(state, caller, "user_ids", &user_ids).await?;
    Ok((user_ids, check_created_by(state, caller, created_by_id).await?))
}

/// Changes one user. What goes along is done before the call is answered, unless that is very much.
pub(super) async fn change_one<W: Activation>(
    state: &State,
    caller: &Caller,
    operation: &'static str,
    user_id: &UserId,
    work: W,
) -> Result<UserResponse> {
    let plan = Plan {
        app_pk: caller.app.pk,
        user_id: user_id.as_str().to_owned(),
        task_id: tasks::new_id(),
        work,
        now: state.now(),
    };
    let (user, task) =
        state.store.write(operation, plan, |tx, plan| Box::pin(do_change_one(tx, plan))).await?;
    state.forget_user(caller.app.pk, &user.id);
    if let Some(task) = task {
        tasks::work_in_call(state, task).await;
    }
    Ok(present::user(&user, state.now()))
}

async fn do_change_one<W: Activation>(tx: &mut Tx, plan: &Plan<W>) -> Result<(User, Option<Task>)> {
    let (user, since) = plan.work.do_change(tx, plan.app_pk, &plan.user_id, plan.now).await?;
    let Some(phase) = plan.work.first_phase() else { return Ok((user, None)) };
    let position = Position { phase, since, ..Position::default() };
    let work = plan.work.clone().into();
    let task = tasks::do_enqueue_held(tx, plan.app_pk, &plan.task_id, &work, position, plan.now).await?;
    Ok((user, Some(task)))
}

/// Changes the next user of a task. What goes along follows.
pub(super) async fn do_begin<W: Activation>(work: &W, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
    let (user, since) = work.do_change(tx, context.app_pk, context.subject, context.now).await?;
    let next = work.first_phase().map(|phase| Position { phase, since, ..Position::default() });
    Ok(next.map_or_else(Step::done, Step::go_on).touching_user(&user.id))
}
