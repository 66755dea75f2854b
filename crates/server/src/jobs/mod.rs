//! What the server does on its own, apart from requests. Each job is a file; the schedule is the list below.

mod analyze;
mod index_messages;
mod prune_events;
mod purge;
mod run_tasks;
mod spread_threads;

pub(crate) use index_messages::index_before_search;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::Result;
use crate::state::State;

/// How much longer than a step took a job rests behind it where nobody waits for the work, so that it takes a fifth of
/// the writer at most.
const REST: u32 = 4;
/// Time between two looks at the queue of messages to index: what was sent is found by searches within it, and a
/// search that comes sooner indexes first.
const INDEX_INTERVAL: Duration = Duration::from_millis(200);
/// Time between two looks for what is to be purged. Nobody waits for it.
const PURGE_INTERVAL: Duration = Duration::from_secs(1);
/// Time between two rounds of pruning: the log is kept for weeks, an hour more or less makes no difference.
const PRUNE_INTERVAL: Duration = Duration::from_secs(3600);
/// Time between two looks at the versions of the apps: what another process changed is noticed within it.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// Time between two looks at how much the tables have grown: for about so long PostgreSQL has plans for empty ones.
const ANALYZE_INTERVAL: Duration = Duration::from_secs(2);

/// Time between two looks at the queue of large threads: participants find new replies in their lists within it.
const SPREAD_INTERVAL: Duration = Duration::from_millis(200);

/// Time between two looks for tasks: those of this process are begun at once, this one is for what others left behind.
const TASKS_INTERVAL: Duration = Duration::from_secs(1);

/// A job and when it runs.
struct Scheduled {
    /// In the log, when it fails.
    name: &'static str,
    interval: Duration,
    /// What wakes it up before its time.
    wake: Option<fn(&State) -> &Notify>,
    job: Job,
}

impl Scheduled {
    const fn every(interval: Duration, name: &'static str, job: Job) -> Self {
        Self { name, interval, wake: None, job }
    }
}

/// Starts every job.
pub(crate) fn start(state: &Arc<State>, tasks: &TaskTracker, stop: &CancellationToken) {
    let schedule = [
        Scheduled::every(INDEX_INTERVAL, "index_messages", |state| Box::pin(index_messages::run(state))),
        Scheduled {
            wake: Some(|state| &state.tasks),
            ..Scheduled::every(TASKS_INTERVAL, "run_tasks", |state| Box::pin(run_tasks::run(state)))
        },
        Scheduled::every(PURGE_INTERVAL, "purge", |state| Box::pin(purge::run(state))),
        Scheduled::every(REFRESH_INTERVAL, "refresh_apps", |state| Box::pin(state.reload_apps())),
        Scheduled::every(SPREAD_INTERVAL, "spread_threads", |state| Box::pin(spread_threads::run(state))),
        Scheduled::every(ANALYZE_INTERVAL, "analyze", |state| Box::pin(analyze::run(state))),
        Scheduled::every(PRUNE_INTERVAL, "prune_events", |state| Box::pin(prune_events::run(state))),
        Scheduled::every(PRUNE_INTERVAL, "prune_gaps", |state| Box::pin(purge::prune_gaps(state))),
        Scheduled::every(PRUNE_INTERVAL, "prune_tasks", |state| Box::pin(run_tasks::prune(state))),
        Scheduled::every(PRUNE_INTERVAL, "prune_words", |state| Box::pin(index_messages::prune_words(state))),
    ];
    for scheduled in schedule {
        tasks.spawn(repeat(scheduled, Arc::clone(state), stop.clone()));
    }
}

/// One run of a job. What fails is tried again at the next one.
type Job = fn(&State) -> Pin<Box<dyn Future<Output = Result<()>> + Send + '_>>;

/// Walks in steps, each of which begins behind what it is given and answers how far it came, and rests between them.
/// `None` is the end.
async fn walk<P, F>(mut after: P, mut step: impl FnMut(P) -> F) -> Result<()>
where
    F: Future<Output = Result<Option<P>>>,
{
    loop {
        let started = Instant::now();
        match step(after).await? {
            None => return Ok(()),
            Some(last) => after = last,
        }
        tokio::time::sleep(started.elapsed() * REST).await;
    }
}

async fn repeat(scheduled: Scheduled, state: Arc<State>, stop: CancellationToken) {
    let Scheduled { name, interval, wake, job } = scheduled;
    loop {
        let woken = async {
            match wake {
                Some(wake) => wake(&state).notified().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
            () = woken => {}
        }
        // A panic ends this run of the job, not the job. Its transactions are whole or not there at all, so that it
        // may be cut short at any wait.
        tokio::select! {
            () = stop.cancelled() => return,
            ended = AssertUnwindSafe(job(&state)).catch_unwind() => match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(job = name, error = crate::error_chain(&error), "a background job failed");
                }
                Err(_) => tracing::error!(job = name, "a background job panicked"),
            },
        }
    }
}
