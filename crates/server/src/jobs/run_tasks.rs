use crate::actions::tasks;
use crate::error::Result;
use crate::state::State;

/// How long tasks that ended can be asked for.
const RETENTION_SECONDS: i64 = 30 * 24 * 60 * 60;
/// Tasks removed in one transaction.
const PRUNE_BATCH: i64 = 100;

/// Works on tasks, a turn each, until none waits.
pub(crate) async fn run(state: &State) -> Result<()> {
    loop {
        match tasks::work_on_next(state).await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                // It is held until its lease runs out, which leaves some time before the next attempt.
                tracing::warn!(error = crate::error_chain(&error), "a task failed for now");
            }
        }
    }
}

/// Removes tasks that ended long ago.
pub(crate) async fn prune(state: &State) -> Result<()> {
    let before = state.now().plus_seconds(-RETENTION_SECONDS);
    loop {
        let removed = state
            .store
            .write("prune_tasks", before, |tx, before| Box::pin(tx.prune_tasks(*before, PRUNE_BATCH)))
            .await?;
        if removed < PRUNE_BATCH as u64 {
            return Ok(());
        }
    }
}
