use crate::actions::tasks;
use crate::error::Result;
use crate::state::State;

/// How long tasks that ended can be asked for.
const RETENTION_SECONDS: i64 = 30 * 24 * 60 * 60;
/// Tasks removed in one transaction.
const PRUNE_BATCH: i64 = 100;

/// Works on tasks, a turn each, until none waits or one fails. That one is held until its lease runs out, which leaves some
/// time before the next attempt; the others go on at the next run, so that a database that fails is not asked without end.
pub(crate) async fn run(state: &State) -> Result<()> {
    while tasks::work_on_next(state).await? {}
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use natterjack_protocol::Timestamp;
    use natterjack_storage::{DatabaseUrl, Store};

    use crate::clock::ManualClock;
    use crate::state::State;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_database_that_fails_is_not_asked_without_end() {
        let cluster = xtask::postgres::shared().unwrap();
        let url = xtask::postgres::fresh_database(cluster).await.unwrap();
        let store = Store::open(&DatabaseUrl::Postgres(url.clone())).await.unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_nanoseconds(1)));
        let state = State::new(store.clone(), clock, false).await.unwrap();
        store.close().await;
        let ended = tokio::time::timeout(Duration::from_secs(60), super::run(&state)).await;
        ended.expect("it ends").unwrap_err();
        xtask::postgres::drop_database(&url).await.unwrap();
    }
}
