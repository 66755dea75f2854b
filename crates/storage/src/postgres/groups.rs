//! Group commit: operations that wait share a transaction, its sync to disk, and the ways to the database and back.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot};

use super::{BEGIN_WRITE, Connections, PostgresTx};
use crate::error::{Error, Result, Transient};
use crate::events::Moved;
use crate::store::{Operation, Output, Turn};
use crate::tx::Tx;

/// Groups at the same time. The operations of a channel always come to the same one, so that no group waits for a row
/// that another has locked.
const GROUPS: usize = 2;
/// Most operations that share one transaction.
const GROUP_MAX: usize = 256;
/// Longest time for which a transaction takes in further operations before it is committed.
const GROUP_TIME_MAX: Duration = Duration::from_millis(20);
/// Operations that may wait for a group; further callers wait outside.
const QUEUE_LENGTH: usize = 2048;

/// The ways in to the groups. They end when this is dropped and everything that was accepted is done.
pub(super) struct Groups {
    queues: [mpsc::Sender<Box<dyn Job>>; GROUPS],
}

impl Groups {
    /// Starts the tasks that commit groups.
    pub(super) fn start(connections: &Arc<Connections>) -> Self {
        let queues = std::array::from_fn(|_| {
            let (queue, jobs) = mpsc::channel(QUEUE_LENGTH);
            tokio::spawn(commit_groups(Arc::clone(connections), jobs));
            queue
        });
        Self { queues }
    }

    /// Runs an operation in the next group of its channel.
    pub(super) async fn write<E: Transient>(
        &self,
        channel_pk: i64,
        turn: Turn,
        name: &'static str,
        operation: Arc<dyn Operation<E>>,
    ) -> Result<Output, E> {
        let (reply, answer) = oneshot::channel();
        let waits_for = (turn == Turn::OneByOne).then_some(channel_pk);
        let job = Waiting { waits_for, name, operation, reply, output: None };
        let queue = &self.queues[channel_pk.rem_euclid(GROUPS as i64) as usize];
        if queue.send(Box::new(job)).await.is_err() {
            return Err(Error::Stopped.into());
        }
        answer.await.unwrap_or_else(|_| Err(Error::Stopped.into()))
    }
}

/// An operation and who waits for it, their types hidden.
trait Job: Send {
    /// The channel whose other operations it waits for, if it does.
    fn waits_for(&self) -> Option<i64>;
    /// Runs inside the transaction of a group.
    fn run(self: Box<Self>, transaction: Arc<PostgresTx>) -> BoxFuture<'static, Ran>;
    /// Runs in a transaction of its own, because the group's was rolled back, and tells the caller.
    fn run_alone(self: Box<Self>, connections: Arc<Connections>) -> BoxFuture<'static, ()>;
    /// Tells the caller after the commit: that it is done, or why that is not known.
    fn finish(self: Box<Self>, outcome: Result<(), &str>);
}

/// A job that was run, and the logs that it appended to; none when it failed.
struct Ran {
    job: Box<dyn Job>,
    moved: Option<Vec<Moved>>,
}

struct Waiting<E> {
    waits_for: Option<i64>,
    name: &'static str,
    operation: Arc<dyn Operation<E>>,
    reply: oneshot::Sender<Result<Output, E>>,
    output: Option<Output>,
}

impl<E: Transient> Job for Waiting<E> {
    fn waits_for(&self) -> Option<i64> {
        self.waits_for
    }

    fn run(mut self: Box<Self>, transaction: Arc<PostgresTx>) -> BoxFuture<'static, Ran> {
        Box::pin(async move {
            let mut tx = Tx::postgres(transaction);
            // One that panics is run again alone, where its caller is told.
            let result = AssertUnwindSafe(self.operation.run(&mut tx)).catch_unwind().await;
            tx.report(self.name);
            self.output = result.ok().and_then(Result::ok);
            let moved = self.output.is_some().then(|| tx.take_moved());
            Ran { job: self, moved }
        })
    }

    fn run_alone(self: Box<Self>, connections: Arc<Connections>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let result = connections.write(self.name, self.operation).await;
            // The caller may have gone away. What was committed stays committed.
            drop(self.reply.send(result));
        })
    }

    fn finish(self: Box<Self>, outcome: Result<(), &str>) {
        let result = match (self.output, outcome) {
            (Some(output), Ok(())) => Ok(output),
            (None, Ok(())) => Err(Error::Stopped.into()),
            (_, Err(text)) => Err(Error::CommitUnknown(text.into()).into()),
        };
        drop(self.reply.send(result));
    }
}

async fn commit_groups(connections: Arc<Connections>, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = jobs.recv().await {
        let client = match connections.client().await {
            Ok(client) => client,
            Err(_) => {
                // It finds out for itself what is the matter.
                tokio::spawn(first.run_alone(Arc::clone(&connections)));
                continue;
            }
        };
        let mut group = Group::new(PostgresTx::new(client, BEGIN_WRITE));
        group.admit(first);
        group.run(&mut jobs).await;
        group.finish(&connections).await;
    }
}

/// Operations in one transaction.
struct Group {
    transaction: Arc<PostgresTx>,
    started: Instant,
    length: usize,
    running: FuturesUnordered<BoxFuture<'static, Ran>>,
    /// By channel, those that wait for one that runs. A channel is in here while one runs that others have to wait for.
    behind: HashMap<i64, VecDeque<Box<dyn Job>>>,
    done: Vec<Box<dyn Job>>,
    moved: Vec<Moved>,
    failed: bool,
}

impl Group {
    fn new(transaction: PostgresTx) -> Self {
        Self {
            transaction: Arc::new(transaction),
            started: Instant::now(),
            length: 0,
            running: FuturesUnordered::new(),
            behind: HashMap::new(),
            done: Vec::new(),
            moved: Vec::new(),
            failed: false,
        }
    }

    fn is_open(&self) -> bool {
        !self.failed && self.length < GROUP_MAX && self.started.elapsed() < GROUP_TIME_MAX
    }

    fn admit(&mut self, job: Box<dyn Job>) {
        self.length += 1;
        if let Some(channel_pk) = job.waits_for() {
            match self.behind.entry(channel_pk) {
                Entry::Occupied(mut behind) => return behind.get_mut().push_back(job),
                Entry::Vacant(vacant) => drop(vacant.insert(VecDeque::new())),
            }
        }
        self.running.push(job.run(Arc::clone(&self.transaction)));
    }

    /// Runs what comes until nothing waits any more, or until one fails.
    async fn run(&mut self, jobs: &mut mpsc::Receiver<Box<dyn Job>>) {
        loop {
            while self.is_open()
                && let Ok(job) = jobs.try_recv()
            {
                self.admit(job);
            }
            let is_open = self.is_open();
            tokio::select! {
                ran = self.running.next() => match ran {
                    Some(ran) => self.settle(ran),
                    None => return,
                },
                Some(job) = jobs.recv(), if is_open => self.admit(job),
            }
        }
    }

    /// Notes the outcome of one, and lets the next run that waited for it.
    fn settle(&mut self, ran: Ran) {
        let waits_for = ran.job.waits_for();
        self.done.push(ran.job);
        match ran.moved {
            Some(moved) => self.moved.extend(moved),
            None => self.failed = true,
        }
        let Some(channel_pk) = waits_for.filter(|_| !self.failed) else { return };
        match self.behind.get_mut(&channel_pk).and_then(VecDeque::pop_front) {
            Some(next) => self.running.push(next.run(Arc::clone(&self.transaction))),
            None => drop(self.behind.remove(&channel_pk)),
        }
    }

    /// Commits, and answers. When one has failed nothing is committed, and each is run alone.
    async fn finish(mut self, connections: &Arc<Connections>) {
        metrics::histogram!("natterjack_db_group_size").record(self.length as f64);
        let transaction = Arc::into_inner(self.transaction).expect("nothing runs any more");
        let committed = if self.failed {
            transaction.roll_back().await;
            None
        } else {
            Some(transaction.commit().await)
        };
        match committed {
            Some(Ok(())) => {
                connections.tell(self.moved);
                self.done.into_iter().for_each(|job| job.finish(Ok(())));
            }
            Some(Err(Error::CommitUnknown(source))) => {
                // Who listens looks at the log.
                connections.tell(self.moved);
                let text = source.to_string();
                self.done.into_iter().for_each(|job| job.finish(Err(&text)));
            }
            None | Some(Err(_)) => {
                self.done.extend(self.behind.into_values().flatten());
                for job in self.done {
                    tokio::spawn(job.run_alone(Arc::clone(connections)));
                }
            }
        }
    }
}
