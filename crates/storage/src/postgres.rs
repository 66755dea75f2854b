//! The database server: a pool of connections, prepared statements, pipelining, group commit.

mod each;
mod groups;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod, Runtime};
use futures_util::future::{join, join_all};
use tokio::sync::{Mutex, Semaphore, oneshot};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row, Statement};

use self::each::Each;
use self::groups::Groups;
use crate::error::{Error, Result, Transient, error_chain};
use crate::events::Moved;
use crate::store::{Listener, Operation, Output, Turn};
use crate::tx::Tx;
use crate::value::Param;

/// Oldest server version that is supported.
const SERVER_VERSION_MIN: i64 = 150_000;
/// Connections in the pool.
const POOL_SIZE: usize = 16;
/// Most writes at a time that have a transaction of their own: when all of them wait for a lock, reads and groups go on.
const WRITES_ALONE_MAX: usize = 10;
/// Times that a write is run again after the database asked for it.
const ATTEMPTS_MAX: u32 = 8;
/// Longest wait for a free connection.
const POOL_WAIT_MAX: Duration = Duration::from_secs(20);

/// Longest wait for the answer to a statement. The database itself gives up earlier, unless it is not there any more.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(40);

/// What a transaction begins with. Every statement is bounded, and so is a lock that somebody else holds.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A PostgreSQL database.
pub(crate) struct Postgres {
    connections: Arc<Connections>,
    groups: Groups,
}

/// The connections to the database, and who is told of what they commit.
struct Connections {
    pool: Pool,
    alone: Semaphore,
    listener: OnceLock<Box<Listener>>,
}

impl Postgres {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let mut config: tokio_postgres::Config =
            url.parse().map_err(|error| Error::Unusable(format!("database-url: {error}")))?;
        let options = config.get_options().unwrap_or_default().to_owned();
        config.options(format!(
            "{options} -c statement_timeout=30000 -c synchronous_commit=on -c jit=off \
             -c idle_in_transaction_session_timeout=60000"
        ));
        config.application_name("natterjack");
        let manager =
            Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager)
            .max_size(POOL_SIZE)
            // The connection that was used last knows its statements, and their plans, best.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(POOL_WAIT_MAX))
            .create_timeout(Some(POOL_WAIT_MAX))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::Unusable(error.to_string()))?;
        let client = pool.get().await.map_err(|error| {
            Error::Unusable(format!("database-url: the database cannot be reached: {}", error_chain(&error)))
        })?;
        let row =
            client.query_one("SELECT CAST(current_setting('server_version_num') AS BIGINT)", &[]).await?;
        let version: i64 = row.try_get(0)?;
        if version < SERVER_VERSION_MIN {
            return Err(Error::Unusable(format!(
                "PostgreSQL {} is too old; 15 or newer is needed",
                version / 10_000
            )));
        }
        let alone = Semaphore::new(WRITES_ALONE_MAX);
        let connections = Arc::new(Connections { pool, alone, listener: OnceLock::new() });
        Ok(Self { groups: Groups::start(&connections), connections })
    }

    /// Where the one who listens is put.
    pub(crate) fn listeners(&self) -> &OnceLock<Box<Listener>> {
        &self.connections.listener
    }

    pub(crate) async fn client(&self) -> Result<Object> {
        self.connections.client().await
    }

    /// Runs an operation in a transaction of its own.
    pub(crate) async fn write<E: Transient>(
        &self,
        name: &'static str,
        operation: Arc<dyn Operation<E>>,
    ) -> Result<Output, E> {
        self.connections.write(name, operation).await
    }

    /// Runs an operation that changes one channel together with others.
    pub(crate) async fn write_in_channel<E: Transient>(
        &self,
        channel_pk: i64,
        turn: Turn,
        name: &'static str,
        operation: Arc<dyn Operation<E>>,
    ) -> Result<Output, E> {
        self.groups.write(channel_pk, turn, name, operation).await
    }

    /// Runs a reading operation in a task of its own: a caller that goes away would leave the database at work on a
    /// connection that the pool takes for lost.
    pub(crate) async fn read<E: Transient>(
        &self,
        name: &'static str,
        operation: Arc<dyn Operation<E>>,
    ) -> Result<Output, E> {
        let connections = Arc::clone(&self.connections);
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            let client = match connections.client().await {
                Ok(client) if answer.is_closed() => return drop(client),
                Ok(client) => client,
                Err(error) => return drop(answer.send(Err(error.into()))),
            };
            let mut tx = Tx::postgres(Arc::new(PostgresTx::new(client, BEGIN_READ)));
            let result = operation.run(&mut tx).await;
            tx.report(name);
            let connection = tx.into_postgres().expect("it is a PostgreSQL connection that nobody shares");
            // The answer does not wait for the end of a transaction that wrote nothing.
            drop(answer.send(result));
            connection.roll_back().await;
        });
        answered.await.unwrap_or_else(|_| Err(Error::Database("an operation panicked".into()).into()))
    }

    /// A reading transaction on a connection of its own.
    pub(crate) async fn snapshot(&self) -> Result<Tx> {
        let mut tx = Tx::postgres(Arc::new(PostgresTx::new(self.client().await?, BEGIN_READ)));
        // Between two pages the other side writes, which may take its time.
        tx.execute("SET LOCAL idle_in_transaction_session_timeout = 0", &[]).await?;
        tx.lift_time_limit().await?;
        Ok(tx)
    }

    pub(crate) fn close(&self) {
        self.connections.pool.close();
    }
}

impl Connections {
    async fn client(&self) -> Result<Object> {
        Ok(self.pool.get().await?)
    }

    /// Tells who listens of the logs that were appended to.
    fn tell(&self, moved: Vec<Moved>) {
        if !moved.is_empty()
            && let Some(listener) = self.listener.get()
        {
            listener(moved);
        }
    }

    /// Runs an operation in a transaction of its own task: a caller that goes away does not cut it short.
    async fn write<E: Transient>(
        self: &Arc<Self>,
        name: &'static str,
        operation: Arc<dyn Operation<E>>,
    ) -> Result<Output, E> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let mut attempt = 1;
            loop {
                match this.write_once(name, &*operation).await {
                    Err(error) if error.is_transient() && attempt < ATTEMPTS_MAX => attempt += 1,
                    result => return result,
                }
            }
        });
        task.await.unwrap_or_else(|source| Err(Error::Database(source.into()).into()))
    }

    async fn write_once<E: Transient>(
        &self,
        name: &'static str,
        operation: &dyn Operation<E>,
    ) -> Result<Output, E> {
        let turn = tokio::time::timeout(POOL_WAIT_MAX, self.alone.acquire()).await;
        let _turn = turn.map_err(|waited| Error::Timeout(waited.into()))?;
        let mut tx = Tx::postgres(Arc::new(PostgresTx::new(self.client().await?, BEGIN_WRITE)));
        let result = operation.run(&mut tx).await;
        tx.report(name);
        let moved = tx.take_moved();
        let connection = tx.into_postgres().expect("it is a PostgreSQL connection that nobody shares");
        match result {
            Ok(output) => {
                let committed = connection.commit().await;
                // Also when the outcome is not known: who listens looks at the log.
                self.tell(moved);
                committed.map(|()| output).map_err(Into::into)
            }
            Err(error) => {
                connection.roll_back().await;
                Err(error)
            }
        }
    }
}

/// A connection with at most one transaction, which begins together with its first statement. Dropped before its end
/// it takes the connection out of the pool, so that nobody inherits it half-way.
///
/// Operations may share it: their statements take turns, in the order in which they are first polled.
pub(crate) struct PostgresTx {
    client: Option<Object>,
    begin: &'static str,
    begun: AtomicBool,
    /// A statement failed, after which the database refuses all others, and takes `COMMIT` for `ROLLBACK`.
    broken: AtomicBool,
    /// The database did not answer: nothing is asked on this connection any more.
    is_lost: AtomicBool,
    /// Nobody minds how long the database takes.
    is_unlimited: AtomicBool,
    /// Held while a statement is prepared, which others that are prepared already must not overtake.
    preparing: Mutex<()>,
}

impl PostgresTx {
    fn new(client: Object, begin: &'static str) -> Self {
        Self {
            client: Some(client),
            begin,
            begun: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
            is_unlimited: AtomicBool::new(false),
            preparing: Mutex::new(()),
        }
    }

    fn client(&self) -> &Object {
        self.client.as_ref().expect("the connection is only taken at the end")
    }

    /// Runs `work` on the connection, sending `BEGIN` in the same go when it is the first.
    async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&Object) -> std::result::Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        let client = self.client();
        let result = self
            .answer(async {
                if self.begun.swap(true, Ordering::Relaxed) {
                    return work(client).await;
                }
                let (begun, result) = join(client.batch_execute(self.begin), work(client)).await;
                begun.and(result)
            })
            .await;
        if !matches!(result, Ok(Ok(_))) {
            self.broken.store(true, Ordering::Relaxed);
        }
        Ok(result.map_err(|none| Error::Database(none.into()))??)
    }

    /// Waits for the database as long as it may take.
    async fn answer<T>(&self, asked: impl Future<Output = T>) -> Result<T, NoAnswer> {
        if self.is_unlimited.load(Ordering::Relaxed) {
            return Ok(asked.await);
        }
        if self.is_lost() {
            return Err(NoAnswer);
        }
        tokio::time::timeout(ANSWER_TIME_MAX, asked).await.map_err(|_| {
            self.is_lost.store(true, Ordering::Relaxed);
            NoAnswer
        })
    }

    fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    pub(crate) async fn lift_time_limit(&self) -> Result<()> {
        self.is_unlimited.store(true, Ordering::Relaxed);
        self.execute("SET LOCAL statement_timeout = 0", &[]).await.map(drop)
    }

    fn is_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    async fn prepare(
        &self,
        client: &Object,
        sql: &str,
    ) -> std::result::Result<Statement, tokio_postgres::Error> {
        // Who asked first goes on first.
        let _turn = self.preparing.lock().await;
        client.prepare_cached(sql).await
    }

    pub(crate) async fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        self.run(async |client| {
            let statement = self.prepare(client, sql).await?;
            client.execute(&statement, &references(params)).await
        })
        .await
    }

    pub(crate) async fn execute_all(&self, statements: &[(&str, &[Param<'_>])]) -> Result<Vec<u64>> {
        self.run(async |client| {
            let mut prepared = Vec::with_capacity(statements.len());
            for (sql, _) in statements {
                prepared.push(self.prepare(client, sql).await?);
            }
            let runs = prepared.iter().zip(statements).map(|(statement, (_, params))| async move {
                client.execute(statement, &references(params)).await
            });
            join_all(runs).await.into_iter().collect()
        })
        .await
    }

    pub(crate) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        self.run(async |client| {
            let statement = self.prepare(client, sql).await?;
            client.query(&statement, &references(params)).await
        })
        .await
    }

    /// Runs a `SELECT` with each list of parameters, as one statement that joins the lists with it.
    pub(crate) async fn query_each(&self, sql: &str, params: &[Vec<Param<'_>>]) -> Result<Vec<Vec<Row>>> {
        let [_, others @ ..] = params else { return Ok(Vec::new()) };
        if others.is_empty() {
            return Ok(vec![self.query(sql, &params[0]).await?]);
        }
        let rows = self
            .run(async |client| {
                let types = self.prepare(client, sql).await?.params().to_vec();
                let Some(each) = Each::of(sql, &types, params) else {
                    return Ok(None);
                };
                let statement = self.prepare(client, &each.sql).await?;
                client.query(&statement, &each.references()).await.map(Some)
            })
            .await?;
        let Some(rows) = rows else {
            return self.write_each(sql, params).await;
        };
        let mut found: Vec<Vec<Row>> = params.iter().map(|_| Vec::new()).collect();
        for row in rows {
            let position: i64 = row.try_get(row.len() - 1)?;
            found[position as usize - 1].push(row);
        }
        Ok(found)
    }

    /// Runs a statement with each list of parameters, all sent together.
    pub(crate) async fn write_each(&self, sql: &str, params: &[Vec<Param<'_>>]) -> Result<Vec<Vec<Row>>> {
        self.run(async |client| {
            let statement = &self.prepare(client, sql).await?;
            let runs =
                params.iter().map(|params| async { client.query(statement, &references(params)).await });
            join_all(runs).await.into_iter().collect()
        })
        .await
    }

    async fn commit(mut self) -> Result<()> {
        if !self.is_begun() {
            self.client = None;
            return Ok(());
        }
        if self.broken.load(Ordering::Relaxed) && !self.is_lost() {
            self.roll_back().await;
            return Err(Error::Database("an operation went on after a statement that failed".into()));
        }
        let committed = self.answer(self.client().batch_execute("COMMIT")).await;
        match committed {
            Ok(Ok(())) => {
                // Back to the pool.
                drop(self.client.take());
                Ok(())
            }
            Ok(Err(error)) if error.code().is_some_and(|code| !is_interruption(code)) => Err(error.into()),
            // The connection broke while the commit was on its way.
            Ok(Err(error)) => Err(Error::CommitUnknown(error.into())),
            Err(none) => Err(Error::CommitUnknown(none.into())),
        }
    }

    pub(crate) async fn roll_back(mut self) {
        if !self.is_begun()
            || matches!(self.answer(self.client().batch_execute("ROLLBACK")).await, Ok(Ok(())))
        {
            drop(self.client.take());
        }
    }
}

impl Drop for PostgresTx {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && self.is_begun()
        {
            drop(Object::take(client));
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the database server does not answer")]
struct NoAnswer;

/// Whether the connection was ended by the operator or the end of the database server. One that waited for a copy of what it
/// had committed ends with this too.
fn is_interruption(code: &SqlState) -> bool {
    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN].contains(code)
}

fn references<'a>(params: &'a [Param<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}
