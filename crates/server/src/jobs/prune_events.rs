use crate::error::Result;
use crate::state::State;

/// How long the log of events is kept.
const RETENTION_SECONDS: i64 = 30 * 24 * 60 * 60;
/// Channels, or users, looked at in one transaction.
const BATCH: i64 = 100;

/// Removes events that are too old to be asked for.
pub(crate) async fn run(state: &State) {
    if let Err(error) = prune(state).await {
        tracing::warn!(error = crate::error_chain(&error), "old events could not be removed");
    }
}

async fn prune(state: &State) -> Result<()> {
    let before = state.now().plus_seconds(-RETENTION_SECONDS);
    let mut after = 0;
    loop {
        let last = state
            .store
            .write("prune_channel_events", (after, before), |tx, (after, before)| {
                Box::pin(tx.prune_channel_events(*after, *before, BATCH))
            })
            .await?;
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    let mut after = (0, String::new());
    loop {
        let last = state
            .store
            .write("prune_user_events", (after, before), |tx, ((app_pk, id), before)| {
                Box::pin(tx.prune_user_events((*app_pk, id), *before, BATCH))
            })
            .await?;
        match last {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}
