//! The embedded database: one writer thread with group commit, and a few threads that only read.

use std::any::Any;
use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::error::{Error, Result, Transient};
use crate::store::{Listener, Operation, Output};
use crate::tx::Tx;

/// Oldest SQLite that is safe here: earlier ones can corrupt the write-ahead log under two connections.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// Most operations that share one transaction and so one sync to disk.
const GROUP_MAX: usize = 256;
/// Longest time for which a transaction takes in further operations before it is committed.
const GROUP_TIME_MAX: Duration = Duration::from_millis(20);
/// Operations that may wait for the writer; further callers wait outside.
const WRITE_QUEUE_LENGTH: usize = 4096;
/// Connections that only read, each on a thread of its own.
const READERS: usize = 4;
/// Prepared statements kept by each connection.
const STATEMENT_CACHE_CAPACITY: usize = 256;
/// Longest time that a read may take.
const READ_TIME_MAX: Duration = Duration::from_secs(20);
/// Pages that the writer keeps, in KiB. SQLite looks at each of them in a commit after a page was split, which with many
/// costs more than reading now and then one that is in the system's memory.
const WRITER_CACHE_KIB: i64 = 4 * 1024;
/// Pages that a reader keeps, in KiB.
const READER_CACHE_KIB: i64 = 8 * 1024;
/// Pages after which the write-ahead log is copied into the database, 4 KiB each.
const WAL_CHECKPOINT_PAGES: i64 = 4000;

/// An operation of the writer thread, its result type hidden.
trait WriteJob: Send {
    /// Runs inside an open transaction. On an error the caller rolls back what it did.
    fn run(&mut self, tx: &mut Tx) -> bool;
    /// Tells the caller after the commit.
    fn finish(self: Box<Self>, committed: Result<(), CommitFailure>);
}

/// A thread with a connection that only reads, by the way to give it work.
type Reader = std::sync::mpsc::Sender<ReadJob>;

/// A read and what follows it.
type ReadJob = Box<dyn FnOnce(&mut Tx) + Send>;

/// Why a group was not committed, for each of its members.
#[derive(Clone)]
enum CommitFailure {
    /// The sync failed: whether the group is on disk is not known.
    Unknown(String),
    /// Nothing was written, because the disk is full for instance.
    Refused(String),
    /// Another process held the database; nothing was written.
    Busy,
    Stopped,
}

/// What a storage operation returns: a future that borrows its transaction and its input.
pub type OpFuture<'t, R, E> = Pin<Box<dyn Future<Output = Result<R, E>> + Send + 't>>;

struct Job<E> {
    name: &'static str,
    operation: Arc<dyn Operation<E>>,
    result: Option<Result<Output, E>>,
    reply: oneshot::Sender<Result<Output, E>>,
}

impl<E: Transient> WriteJob for Job<E> {
    fn run(&mut self, tx: &mut Tx) -> bool {
        let outcome = run_caught(self.name, tx, &*self.operation);
        let succeeded = outcome.is_ok();
        self.result = Some(outcome);
        succeeded
    }

    fn finish(self: Box<Self>, committed: Result<(), CommitFailure>) {
        let result = match (self.result, committed) {
            // A refused operation wrote nothing, so a failed commit does not concern it.
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(output)), Ok(())) => Ok(output),
            (_, Err(CommitFailure::Unknown(text))) => Err(Error::CommitUnknown(text.into()).into()),
            (_, Err(CommitFailure::Refused(text))) => Err(Error::Database(text.into()).into()),
            (_, Err(CommitFailure::Busy)) => Err(Error::Busy("another process writes".into()).into()),
            (_, Err(CommitFailure::Stopped) | Ok(())) => Err(Error::Stopped.into()),
        };
        // The caller may have gone away. What was committed stays committed.
        drop(self.reply.send(result));
    }
}

/// Drives an operation on SQLite: its future is ready at the first poll. A panic becomes an error.
fn run_caught<E: Transient>(
    name: &'static str,
    tx: &mut Tx,
    operation: &dyn Operation<E>,
) -> Result<Output, E> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut future = operation.run(tx);
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => {
                Err(Error::Database("a storage operation waited for something else".into()).into())
            }
        }
    }));
    tx.report(name);
    outcome.unwrap_or_else(|panic| Err(Error::Database(panic_text(&*panic).into()).into()))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a storage operation panicked: {}", text.unwrap_or_default())
}

/// The embedded database of one server.
pub(crate) struct Sqlite {
    queue: mpsc::Sender<Box<dyn WriteJob>>,
    /// Those that have nothing to do; the one that was used last, whose caches are warm, is used next.
    readers: Mutex<Vec<Reader>>,
    reader_permits: Arc<Semaphore>,
    stopped: Arc<AtomicBool>,
    listener: Arc<OnceLock<Box<Listener>>>,
    path: PathBuf,
    threads: Vec<JoinHandle<()>>,
}

impl Sqlite {
    /// Opens or creates the database file and starts the writer. `migrate` runs on the writing connection first.
    pub(crate) fn open(path: &Path, migrate: impl FnOnce(&Connection) -> Result<()>) -> Result<Self> {
        let version = rusqlite::version_number();
        if version < SQLITE_VERSION_MIN {
            return Err(Error::Unusable(format!(
                "SQLite {} is too old; 3.51.3 or newer is needed",
                rusqlite::version()
            )));
        }
        let writing = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        // Only before anything is written. Without it free pages would never go back to the disk.
        writing.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        writing.pragma_update(None, "journal_mode", "WAL")?;
        writing.pragma_update(None, "synchronous", "FULL")?;
        writing.pragma_update(None, "wal_autocheckpoint", WAL_CHECKPOINT_PAGES)?;
        writing.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        // What was left by one that was killed after a sync had failed may be in the system's memory only: nothing that is
        // written may stand behind it. Copied out of the log it is synced again.
        writing.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        migrate(&writing)?;
        let mut readers = Vec::with_capacity(READERS);
        let mut threads = Vec::with_capacity(READERS + 1);
        for _ in 0..READERS {
            let reading = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            reading.pragma_update(None, "query_only", true)?;
            reading.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
            let (reader, thread) = start_reader(Tx::sqlite(reading))?;
            readers.push(reader);
            threads.push(thread);
        }
        let (queue, jobs) = mpsc::channel(WRITE_QUEUE_LENGTH);
        let stopped = Arc::new(AtomicBool::new(false));
        let listener = Arc::new(OnceLock::new());
        let writer = std::thread::Builder::new()
            .name("natterjack-write".to_owned())
            .spawn({
                let stopped = Arc::clone(&stopped);
                let listener = Arc::clone(&listener);
                let file = File::at(path);
                move || write_groups(Tx::sqlite(writing), &file, jobs, &stopped, &listener)
            })
            .map_err(|source| Error::Database(source.into()))?;
        threads.push(writer);
        Ok(Self {
            queue,
            readers: Mutex::new(readers),
            reader_permits: Arc::new(Semaphore::new(READERS)),
            stopped,
            listener,
            path: path.to_owned(),
            threads,
        })
    }

    /// Whether a failed sync has stopped all writing.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Where the one who listens is put.
    pub(crate) fn listeners(&self) -> &OnceLock<Box<Listener>> {
        &self.listener
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) async fn write<E: Transient>(
        &self,
        name: &'static str,
        operation: Arc<dyn Operation<E>>,
    ) -> Result<Output, E> {
        let (reply, answer) = oneshot::channel();
        let job = Job { name, operation, result: None, reply };
        if self.queue.send(Box::new(job)).await.is_err() {
            return Err(Error::Stopped.into());
        }
        answer.await.unwrap_or_else(|_| Err(Error::Stopped.into()))
    }

    pub(crate) async fn read<E: Transient>(
        self: &Arc<Self>,
        name: &'static str,
        operation: Arc<dyn Operation<E>>,
    ) -> Result<Output, E> {
        let this = Arc::clone(self);
        let permit = Arc::clone(&self.reader_permits).acquire_owned().await.map_err(|_| Error::Stopped)?;
        let reader = self.idle_readers().pop().expect("a permit is held for each reader taken");
        let (reply, answer) = oneshot::channel();
        let job: ReadJob = Box::new({
            let reader = reader.clone();
            move |tx| {
                let result = read_snapshot(name, tx, &*operation);
                this.idle_readers().push(reader);
                // The permit goes with the reader: a caller that goes away takes neither with it.
                drop((permit, this));
                drop(reply.send(result));
            }
        });
        // It never ends while it can be given work.
        drop(reader.send(job));
        answer.await.unwrap_or_else(|_| Err(Error::Stopped.into()))
    }

    fn idle_readers(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reading transaction on a connection of its own, without a limit of time.
    pub(crate) fn snapshot(&self) -> Result<Tx> {
        let reading = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        reading.pragma_update(None, "query_only", true)?;
        // A transaction sees the state of its first read.
        reading.execute_batch("BEGIN; SELECT COUNT(*) FROM sqlite_schema")?;
        Ok(Tx::sqlite(reading))
    }

    /// Waits until everything queued is committed and all connections are closed: the last of them takes the log into the
    /// file, which may be moved from then on.
    pub(crate) fn close(self) {
        drop((self.queue, self.readers));
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the database panicked");
            }
        }
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE_CAPACITY);
    // Without it a statement is planned anew whenever a bound of a range has another value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    crate::word_function::register(&connection)?;
    Ok(connection)
}

/// Starts a thread that reads until nobody can give it work any more. A fixed number of them, unlike the threads that the
/// runtime keeps for whatever blocks, keeps what they have allocated in few places.
fn start_reader(mut tx: Tx) -> Result<(Reader, JoinHandle<()>)> {
    let (reader, jobs) = std::sync::mpsc::channel::<ReadJob>();
    let thread = std::thread::Builder::new()
        .name("natterjack-read".to_owned())
        .spawn(move || jobs.into_iter().for_each(|job| job(&mut tx)))
        .map_err(|source| Error::Database(source.into()))?;
    Ok((reader, thread))
}

/// Runs a read inside one transaction, so that all its queries see the same state, and bounds its time.
fn read_snapshot<E: Transient>(
    name: &'static str,
    reader: &mut Tx,
    operation: &dyn Operation<E>,
) -> Result<Output, E> {
    fn begin(reader: &mut Tx) -> Result<()> {
        let connection = reader.sqlite_connection_mut().expect("readers are SQLite connections");
        let deadline = Instant::now() + READ_TIME_MAX;
        connection.progress_handler(20_000, Some(move || Instant::now() > deadline))?;
        connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(())
    }
    begin(reader)?;
    let result = run_caught(name, reader, operation);
    let connection = reader.sqlite_connection().expect("readers are SQLite connections");
    // Nothing was written: how the transaction ends makes no difference to the result.
    if let Err(error) = connection.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([])) {
        tracing::warn!(error = &error as &dyn std::error::Error, "a reading transaction did not end");
    }
    result
}

/// The writer thread: takes operations from the queue and commits many in one transaction.
fn write_groups(
    mut tx: Tx,
    file: &File,
    mut jobs: mpsc::Receiver<Box<dyn WriteJob>>,
    stopped: &AtomicBool,
    listener: &OnceLock<Box<Listener>>,
) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while let Some(first) = jobs.blocking_recv() {
        if stopped.load(Ordering::Acquire) {
            first.finish(Err(CommitFailure::Stopped));
            continue;
        }
        let source = JobSource { first: Some(first), jobs: &mut jobs, started: Instant::now() };
        let committed = write_group(&mut tx, file, source, &mut group);
        if let Err(CommitFailure::Unknown(text)) = &committed {
            // After a failed sync the kernel may have dropped pages that a later commit builds upon.
            stopped.store(true, Ordering::Release);
            tracing::error!(error = text, "a commit failed; writing stops until the server is restarted");
        }
        metrics::histogram!("natterjack_db_group_size").record(group.len() as f64);
        let moved = tx.take_moved();
        if committed.is_ok()
            && !moved.is_empty()
            && let Some(listener) = listener.get()
        {
            listener(moved);
        }
        for job in group.drain(..) {
            job.finish(committed.clone());
        }
    }
}

/// The file that was opened. One that is removed or replaced takes everything that is written, and is gone with the server.
struct File {
    path: PathBuf,
    id: Option<(u64, u64)>,
}

impl File {
    fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), id: Self::id(path) }
    }

    fn id(path: &Path) -> Option<(u64, u64)> {
        std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
    }

    fn is_there(&self) -> bool {
        Self::id(&self.path) == self.id
    }
}

/// Where a group gets its operations from.
struct JobSource<'q> {
    first: Option<Box<dyn WriteJob>>,
    jobs: &'q mut mpsc::Receiver<Box<dyn WriteJob>>,
    started: Instant,
}

impl JobSource<'_> {
    /// The next operation for a group that has `length` of them; `None` when it is time to commit.
    fn next(&mut self, length: usize) -> Option<Box<dyn WriteJob>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        if length >= GROUP_MAX || self.started.elapsed() >= GROUP_TIME_MAX {
            return None;
        }
        self.jobs.try_recv().ok()
    }
}

/// Runs operations in one transaction and commits it.
///
/// An operation that fails must leave nothing behind. Few do, so that they run without savepoints, which cost a copy of
/// each page that an operation changes; when one fails after it has written, everything is rolled back and the group
/// runs again, this time with a savepoint for each.
fn write_group(
    tx: &mut Tx,
    file: &File,
    mut source: JobSource<'_>,
    group: &mut Vec<Box<dyn WriteJob>>,
) -> Result<(), CommitFailure> {
    let mut isolated = false;
    if !file.is_there() {
        group.extend(source.first.take());
        return Err(CommitFailure::Refused("the database file was removed or replaced".to_owned()));
    }
    let run = (|| -> rusqlite::Result<()> {
        control(tx, "BEGIN IMMEDIATE")?;
        while let Some(mut job) = source.next(group.len()) {
            if isolated {
                group.push(job);
                run_isolated(tx, group.last_mut().expect("it was just pushed").as_mut())?;
                continue;
            }
            let changes_before = changes(tx);
            let succeeded = job.run(tx);
            group.push(job);
            // After some failures, of the disk for instance, SQLite has rolled back by itself.
            let rolled_back = is_rolled_back(tx);
            if !succeeded && (rolled_back || changes(tx) != changes_before) {
                isolated = true;
                if !rolled_back {
                    control(tx, "ROLLBACK")?;
                }
                control(tx, "BEGIN IMMEDIATE")?;
                group.iter_mut().try_for_each(|job| run_isolated(tx, job.as_mut()))?;
            }
        }
        Ok(())
    })();
    let is_committing = run.is_ok();
    run.and_then(|()| control(tx, "COMMIT")).map_err(|error| {
        if !is_rolled_back(tx) {
            drop(control(tx, "ROLLBACK"));
        }
        // An operation that had to wait for its group finds out with it.
        group.extend(source.first.take());
        match error.sqlite_error().map(|failure| (failure.code, failure.extended_code)) {
            Some((ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _)) => {
                // So do those behind it: one after the other they would wait without end.
                group.extend(std::iter::from_fn(|| source.jobs.try_recv().ok()));
                CommitFailure::Busy
            }
            // The disk is full, or did not take the end of the transaction for another reason: the log ends before it.
            Some((ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_WRITE)) => {
                CommitFailure::Refused(error.to_string())
            }
            _ if is_committing => CommitFailure::Unknown(error.to_string()),
            _ => CommitFailure::Refused(error.to_string()),
        }
    })
}

/// Runs an operation that, when it fails, is rolled back alone.
fn run_isolated(tx: &mut Tx, job: &mut dyn WriteJob) -> rusqlite::Result<()> {
    control(tx, "SAVEPOINT operation")?;
    if !job.run(tx) {
        control(tx, "ROLLBACK TO operation")?;
    }
    control(tx, "RELEASE operation")
}

fn control(tx: &Tx, sql: &str) -> rusqlite::Result<()> {
    writing(tx).prepare_cached(sql)?.execute([]).map(|_| ())
}

/// Rows changed on this connection so far.
fn changes(tx: &Tx) -> u64 {
    writing(tx).total_changes()
}

fn is_rolled_back(tx: &Tx) -> bool {
    writing(tx).is_autocommit()
}

fn writing(tx: &Tx) -> &Connection {
    tx.sqlite_connection().expect("the writer is a SQLite connection")
}
