use std::sync::Arc;

use super::walk;
use crate::error::Result;
use crate::state::State;

/// Messages indexed in one transaction: enough for their words to share what a transaction of the index costs, few
/// enough to keep no sender waiting for long.
const BATCH: i64 = 256;
/// Messages that a search waits for. When more of them wait, it goes on with what is indexed.
const SEARCH_WAITS_FOR_MAX: i64 = 2000;

/// Words looked at in one transaction.
const WORDS_BATCH: i64 = 500;
/// How long after it was last seen in a new message it is looked whether a word is still in use.
const WORDS_RETENTION_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Indexes everything that was sent, changed or deleted since the last run.
pub(crate) async fn run(state: &State) -> Result<()> {
    while count_waiting(state, 1).await? > 0 && index_batch(state).await? == BATCH as usize {}
    Ok(())
}

/// Takes words off the list of those that are found by their parts when no message has had them for long.
pub(crate) async fn prune_words(state: &State) -> Result<()> {
    let now = state.now();
    let before = now.plus_seconds(-WORDS_RETENTION_SECONDS);
    walk((0, String::new()), |after| async move {
        let pruned = state.store.write(
            "prune_search_words",
            (after, before, now),
            |tx, ((app_pk, word), before, now)| {
                Box::pin(tx.prune_search_words((*app_pk, word), *before, *now, WORDS_BATCH))
            },
        );
        Ok(pruned.await?)
    })
    .await
}

/// Indexes what waits, unless it is very much, so that a search finds what was just sent. When that fails the search
/// goes on with what is indexed.
pub(crate) async fn index_before_search(state: &State) {
    if let Err(error) = index_some(state).await {
        tracing::warn!(error = crate::error_chain(&error), "messages could not be indexed before a search");
    }
}

async fn index_some(state: &State) -> Result<()> {
    let waiting = count_waiting(state, SEARCH_WAITS_FOR_MAX + 1).await?;
    if waiting > SEARCH_WAITS_FOR_MAX {
        return Ok(());
    }
    for _ in 0..(waiting + BATCH - 1) / BATCH {
        index_batch(state).await?;
    }
    Ok(())
}

async fn count_waiting(state: &State, limit: i64) -> Result<i64> {
    let counted = state
        .store
        .read("count_search_queue", limit, |tx, limit| Box::pin(tx.count_search_queue(*limit)))
        .await?;
    Ok(counted)
}

async fn index_batch(state: &State) -> Result<usize> {
    let known = Arc::clone(&state.known_words);
    let indexed = state
        .store
        .write("index_messages", (known, state.now()), |tx, (known, now)| {
            Box::pin(tx.index_queued_messages(BATCH, known, *now))
        })
        .await?;
    let messages = indexed.messages;
    state.known_words.learn(indexed);
    Ok(messages)
}
