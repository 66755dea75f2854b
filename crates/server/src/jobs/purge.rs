use std::time::Instant;

use natterjack_storage::SpanKey;

use crate::error::Result;
use crate::state::State;

/// Rows removed in one transaction: few enough to keep no sender waiting.
const BATCH: i64 = 100;
/// How much longer than each step took the job rests, so that the work takes a fifth of the writer at most.
const REST: u32 = 4;
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
/// How long it is remembered when a channel was quiet for somebody, or a user muted, who has read past it. Who goes back further than that
/// finds unread what was sent then.
const QUIET_RETENTION_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Removes what was deleted for good or taken away from everybody. What a stopped server left is gone on with.
pub(crate) async fn run(state: &State) {
    if let Err(error) = purge(state).await {
        tracing::warn!(error = crate::error_chain(&error), "deleted data could not be removed");
    }
}

async fn purge(state: &State) -> Result<()> {
    if !state.store.read("has_purges", (), |tx, ()| Box::pin(tx.has_purges())).await? {
        return Ok(());
    }
    loop {
        let started = Instant::now();
        if !state.store.write("purge", (), |tx, ()| Box::pin(tx.run_purge_step(BATCH))).await? {
            return Ok(());
        }
        tokio::time::sleep(started.elapsed() * REST).await;
    }
}

/// Removes corrections of unread counts that nobody needs any more.
pub(crate) async fn run_gaps(state: &State) {
    let pruned = async {
        prune_quiet_spans(state).await?;
        prune_mute_spans(state).await?;
        prune_gaps(state).await
    };
    if let Err(error) = pruned.await {
        tracing::warn!(
            error = crate::error_chain(&error),
            "corrections of unread counts could not be removed"
        );
    }
}

async fn prune_gaps(state: &State) -> Result<()> {
    let mut after = 0;
    loop {
        let started = Instant::now();
        let pruned = state
            .store
            .write("prune_unread_gaps", after, |tx, after| Box::pin(tx.prune_unread_gaps(*after, GAPS_BATCH)))
            .await?;
        match pruned {
            None => break,
            Some((channel_pk, has_more)) => after = channel_pk - i64::from(has_more),
        }
        tokio::time::sleep(started.elapsed() * REST).await;
    }
    let mut after = 0;
    loop {
        let started = Instant::now();
        let pruned = state
            .store
            .write("prune_thread_unread_gaps", after, |tx, after| {
                Box::pin(tx.prune_thread_unread_gaps(*after, THREADS_BATCH, THREAD_GAPS_BATCH))
            })
            .await?;
        match pruned {
            None => return Ok(()),
            Some(last) => after = last,
        }
        tokio::time::sleep(started.elapsed() * REST).await;
    }
}

async fn prune_mute_spans(state: &State) -> Result<()> {
    let before = state.now().plus_seconds(-QUIET_RETENTION_SECONDS);
    let mut after = SpanKey::default();
    loop {
        let started = Instant::now();
        let pruned = state
            .store
            .write("prune_mute_spans", (after, before), |tx, (after, before)| {
                Box::pin(tx.prune_mute_spans(after, *before, MUTE_SPANS_BATCH))
            })
            .await?;
        match pruned {
            None => return Ok(()),
            Some(last) => after = last,
        }
        tokio::time::sleep(started.elapsed() * REST).await;
    }
}

/// Before the gaps, which stay in channels with quiet spans.
async fn prune_quiet_spans(state: &State) -> Result<()> {
    let before = state.now().plus_seconds(-QUIET_RETENTION_SECONDS);
    let mut after = 0;
    loop {
        let started = Instant::now();
        let pruned = state
            .store
            .write("prune_quiet_spans", (after, before), |tx, (after, before)| {
                Box::pin(tx.prune_quiet_spans(*after, *before, QUIET_CHANNELS_BATCH))
            })
            .await?;
        match pruned {
            None => return Ok(()),
            Some(last) => after = last,
        }
        tokio::time::sleep(started.elapsed() * REST).await;
    }
}
