use super::walk;
use crate::error::Result;
use crate::state::State;

/// How long the log of events is kept.
const RETENTION_SECONDS: i64 = 30 * 24 * 60 * 60;
/// Channels, or users, looked at in one transaction.
const BATCH: i64 = 100;

/// Removes events that are too old to be asked for.
pub(crate) async fn run(state: &State) -> Result<()> {
    let before = state.now().plus_seconds(-RETENTION_SECONDS);
    walk(0, |after| async move {
        let pruned = state.store.write("prune_channel_events", (after, before), |tx, (after, before)| {
            Box::pin(tx.prune_channel_events(*after, *before, BATCH))
        });
        Ok(pruned.await?)
    })
    .await?;
    walk((0, String::new()), |after| async move {
        let pruned = state.store.write("prune_user_events", (after, before), |tx, ((app_pk, id), before)| {
            Box::pin(tx.prune_user_events((*app_pk, id), *before, BATCH))
        });
        Ok(pruned.await?)
    })
    .await
}
