//! What the server does on its own, apart from requests. Each job is a file; the schedule is the list below.

mod analyze;
mod index_messages;
mod prune_events;
mod purge;
mod refresh_apps;
mod run_tasks;
mod spread_threads;

pub(crate) use index_messages::index_before_search;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::state::State;

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
    interval: Duration,
    /// What wakes it up before its time.
    wake: Option<fn(&State) -> &Notify>,
    job: Job,
}

/// Starts every job.
pub(crate) fn start(state: &Arc<State>, tasks: &TaskTracker, stop: &CancellationToken) {
    let schedule: [Scheduled; 10] = [
        Scheduled { interval: INDEX_INTERVAL, wake: None, job: |state| Box::pin(index_messages::run(state)) },
        Scheduled {
            interval: TASKS_INTERVAL,
            wake: Some(|state| &state.tasks),
            job: |state| Box::pin(run_tasks::run(state)),
        },
        Scheduled { interval: PURGE_INTERVAL, wake: None, job: |state| Box::pin(purge::run(state)) },
        Scheduled { interval: REFRESH_INTERVAL, wake: None, job: |state| Box::pin(refresh_apps::run(state)) },
        Scheduled {
            interval: SPREAD_INTERVAL,
            wake: None,
            job: |state| Box::pin(spread_threads::run(state)),
        },
        Scheduled { interval: ANALYZE_INTERVAL, wake: None, job: |state| Box::pin(analyze::run(state)) },
        Scheduled { interval: PRUNE_INTERVAL, wake: None, job: |state| Box::pin(prune_events::run(state)) },
        Scheduled { interval: PRUNE_INTERVAL, wake: None, job: |state| Box::pin(purge::run_gaps(state)) },
        Scheduled { interval: PRUNE_INTERVAL, wake: None, job: |state| Box::pin(run_tasks::prune(state)) },
        Scheduled {
            interval: PRUNE_INTERVAL,
            wake: None,
            job: |state| Box::pin(index_messages::prune_words(state)),
        },
    ];
    for scheduled in schedule {
        tasks.spawn(repeat(scheduled, Arc::clone(state), stop.clone()));
    }
}

/// One run of a job.
type Job = fn(&State) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

async fn repeat(scheduled: Scheduled, state: Arc<State>, stop: CancellationToken) {
    let Scheduled { interval, wake, job } = scheduled;
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
            ended = AssertUnwindSafe(job(&state)).catch_unwind() => {
                if ended.is_err() {
                    tracing::error!("a background job panicked");
                }
            }
        }
    }
}
