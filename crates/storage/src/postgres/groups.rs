//! Group commit: operations that wait share a transaction, its sync to disk, and the ways to the database and back.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, oneshot};

use super::{Connections, PostgresTx};
use crate::error::{Error, Result, Transient};
use crate::events::Moved;
use crate::store::{Operation, Output, Turn};
use crate::tx::Tx;

/// What a group's transaction begins with. A group that waits for a row of others keeps many from going on, and two may
/// wait for each other: it gives up soon, and its operations are run alone.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '250ms'";
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
        let job = Waiting { channel_pk, turn, name, operation, reply, result: None };
        let queue = &self.queues[channel_pk.rem_euclid(GROUPS as i64) as usize];
        if queue.send(Box::new(job)).await.is_err() {
            return Err(Error::Stopped.into());
        }
        answer.await.unwrap_or_else(|_| Err(Error::Stopped.into()))
    }
}

/// An operation and who waits for it, their types hidden.
trait Job: Send {
    fn channel_pk(&self) -> i64;
    fn turn(&self) -> Turn;
    /// Runs inside the transaction of a group.
    fn run(self: Box<Self>, transaction: Arc<PostgresTx>) -> BoxFuture<'static, Ran>;
    /// Runs in a transaction of its own, because the group's was rolled back, and tells the caller.
    fn run_alone(self: Box<Self>, connections: Arc<Connections>) -> BoxFuture<'static, ()>;
    /// Tells the caller after the commit: that it is done, or why that is not known.
    fn finish(self: Box<Self>, outcome: Result<(), &str>);
}

/// A job that was run, and the logs that it appended to; `None` when it has spoilt the transaction.
struct Ran {
    job: Box<dyn Job>,
    moved: Option<Vec<Moved>>,
}

struct Waiting<E> {
    channel_pk: i64,
    turn: Turn,
    name: &'static str,
    operation: Arc<dyn Operation<E>>,
    reply: oneshot::Sender<Result<Output, E>>,
    result: Option<Result<Output, E>>,
}

impl<E: Transient> Job for Waiting<E> {
    fn channel_pk(&self) -> i64 {
        self.channel_pk
    }

    fn turn(&self) -> Turn {
        self.turn
    }

    fn run(mut self: Box<Self>, transaction: Arc<PostgresTx>) -> BoxFuture<'static, Ran> {
        Box::pin(async move {
            let mut tx = Tx::postgres(transaction);
            // One that panics is run again alone, where its caller is told.
            self.result = AssertUnwindSafe(self.operation.run(&mut tx)).catch_unwind().await.ok();
            tx.report(self.name);
            let is_sound = match &self.result {
                Some(Ok(_)) => true,
                // One that was refused before it wrote leaves nothing behind.
                Some(Err(_)) => !tx.has_written(),
                None => false,
            };
            let moved = is_sound.then(|| tx.take_moved());
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
        let result = match (self.result, outcome) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(output)), Ok(())) => Ok(output),
            (None, Ok(())) => Err(Error::Stopped.into()),
            (_, Err(text)) => Err(Error::CommitUnknown(text.into()).into()),
        };
        drop(self.reply.send(result));
    }
}

async fn commit_groups(connections: Arc<Connections>, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = jobs.recv().await {
        let Ok(client) = connections.client().await else {
            // Each finds out for itself what is the matter. Nobody waits for the others to have found out.
            for job in std::iter::once(first).chain(std::iter::from_fn(|| jobs.try_recv().ok())) {
                tokio::spawn(job.run_alone(Arc::clone(&connections)));
            }
            continue;
        };
        let mut group = Group::new(PostgresTx::new(client, BEGIN));
        group.admit(first);
        group.run(&mut jobs).await;
        group.finish(&connections).await;
    }
}

/// The operations of one channel in a group, in the order in which they came.
#[derive(Default)]
struct Line {
    running: usize,
    /// The one that runs is to be through before the next one begins.
    is_alone: bool,
    waiting: VecDeque<Box<dyn Job>>,
}

impl Line {
    /// The next one, when it may run now. It counts as running from here on.
    fn next(&mut self) -> Option<Box<dyn Job>> {
        let wants_alone = self.waiting.front()?.turn() == Turn::OneByOne;
        if self.running > 0 && (self.is_alone || wants_alone) {
            return None;
        }
        self.running += 1;
        self.is_alone = wants_alone;
        self.waiting.pop_front()
    }
}

/// Operations in one transaction.
struct Group {
    transaction: Arc<PostgresTx>,
    started: Instant,
    length: usize,
    running: FuturesUnordered<BoxFuture<'static, Ran>>,
    /// The channels of which something runs.
    lines: HashMap<i64, Line>,
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
            lines: HashMap::new(),
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
        let line = self.lines.entry(job.channel_pk()).or_default();
        line.waiting.push_back(job);
        while let Some(next) = line.next() {
            self.running.push(next.run(Arc::clone(&self.transaction)));
        }
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

    /// Notes the outcome of one, and lets those run that waited for it.
    fn settle(&mut self, ran: Ran) {
        let channel_pk = ran.job.channel_pk();
        self.done.push(ran.job);
        match ran.moved {
            Some(moved) => self.moved.extend(moved),
            None => self.failed = true,
        }
        let Some(line) = self.lines.get_mut(&channel_pk).filter(|_| !self.failed) else { return };
        line.running -= 1;
        while let Some(next) = line.next() {
            self.running.push(next.run(Arc::clone(&self.transaction)));
        }
        if line.running == 0 {
            self.lines.remove(&channel_pk);
        }
    }

    /// Commits, and answers. When one has failed nothing is committed, and each is run alone.
    async fn finish(mut self, connections: &Arc<Connections>) {
        metrics::histogram!("natterjack_db_group_size").record(self.length as f64);
        let transaction = Arc::into_inner(self.transaction).expect("nothing runs any more");
        // Where there was no answer those who are run again would wait for one as long.
        let committed = if self.failed && !transaction.is_lost() {
            transaction.roll_back().await;
            None
        } else {
            Some(transaction.commit().await)
        };
        self.done.extend(self.lines.into_values().flat_map(|line| line.waiting));
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
                for job in self.done {
                    tokio::spawn(job.run_alone(Arc::clone(connections)));
                }
            }
        }
    }
}
