use crate::error::Result;
use crate::state::State;

/// Participants brought up to date in one transaction: few enough to keep no sender waiting.
const BATCH: i64 = 1000;

/// Tells the participants of large threads what is new in them.
pub(crate) async fn run(state: &State) -> Result<()> {
    let waits =
        async || state.store.read("find_queued_thread", (), |tx, ()| Box::pin(tx.has_queued_thread())).await;
    while waits().await? {
        state.store.write("spread_threads", (), |tx, ()| Box::pin(tx.spread_queued_thread(BATCH))).await?;
    }
    Ok(())
}
