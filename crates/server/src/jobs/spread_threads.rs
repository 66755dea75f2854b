use crate::error::Result;
use crate::state::State;

/// Participants brought up to date in one transaction: few enough to keep no sender waiting.
const BATCH: i64 = 1000;

/// Tells the participants of large threads what is new in them, a batch of each thread in turn: a busy one does not keep
/// the others waiting.
pub(crate) async fn run(state: &State) -> Result<()> {
    let waits =
        async || state.store.read("find_queued_thread", (), |tx, ()| Box::pin(tx.has_queued_thread())).await;
    let mut after = 0;
    while waits().await? {
        let spread = state
            .store
            .write("spread_threads", after, |tx, after| Box::pin(tx.spread_queued_thread(*after, BATCH)))
            .await?;
        after = spread.unwrap_or(0);
    }
    Ok(())
}
