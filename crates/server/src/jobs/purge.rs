use natterjack_storage::SpanKey;

use super::walk;
use crate::error::Result;
use crate::state::State;

/// Rows removed in one transaction: few enough to keep no sender waiting.
const BATCH: i64 = 100;
/// Gaps removed in one transaction.
const GAPS_BATCH: i64 = 1000;
/// Threads looked at in one transaction.
const THREADS_BATCH: i64 = 20;
/// Gaps removed of each of them.
const THREAD_GAPS_BATCH: i64 = 100;
/// Spans of mutes looked at in one transaction.
const MUTE_SPANS_BATCH: i64 = 100;
/// Channels in which quiet spans are removed in one transaction.
const QUIET_CHANNELS_BATCH: i64 = 100;
/// How long it is remembered when a channel was quiet for somebody, or a user muted, who has read past it. Who goes back
/// further than that finds unread what was sent then.
const QUIET_RETENTION_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Removes what was deleted for good or taken away from everybody. What a stopped server left is gone on with.
pub(crate) async fn run(state: &State) -> Result<()> {
    if !state.store.read("has_purges", (), |tx, ()| Box::pin(tx.has_purges())).await? {
        return Ok(());
    }
    walk((), |()| async move {
        let purged = state.store.write("purge", (), |tx, ()| Box::pin(tx.run_purge_step(BATCH)));
        Ok(purged.await?.then_some(()))
    })
    .await
}

/// Removes corrections of unread counts that nobody needs any more. The spans come before the gaps, which stay in channels
/// with quiet spans.
pub(crate) async fn prune_gaps(state: &State) -> Result<()> {
    let before = state.now().plus_seconds(-QUIET_RETENTION_SECONDS);
    walk(0, |after| async move {
        let pruned = state.store.write("prune_quiet_spans", (after, before), |tx, (after, before)| {
            Box::pin(tx.prune_quiet_spans(*after, *before, QUIET_CHANNELS_BATCH))
        });
        Ok(pruned.await?)
    })
    .await?;
    walk(SpanKey::default(), |after| async move {
        let pruned = state.store.write("prune_mute_spans", (after, before), |tx, (after, before)| {
            Box::pin(tx.prune_mute_spans(after, *before, MUTE_SPANS_BATCH))
        });
        Ok(pruned.await?)
    })
    .await?;
    walk(0, |after| async move {
        let pruned = state.store.write("prune_unread_gaps", after, |tx, after| {
            Box::pin(tx.prune_unread_gaps(*after, GAPS_BATCH))
        });
        Ok(pruned.await?.map(|(channel_pk, has_more)| channel_pk - i64::from(has_more)))
    })
    .await?;
    walk(0, |after| async move {
        let pruned = state.store.write("prune_thread_unread_gaps", after, |tx, after| {
            Box::pin(tx.prune_thread_unread_gaps(*after, THREADS_BATCH, THREAD_GAPS_BATCH))
        });
        Ok(pruned.await?)
    })
    .await
}
