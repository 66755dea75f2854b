use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::dialect::Dialect;
use crate::error::{Error, Result, Transient};
use crate::events::Moved;
use crate::migrate;
use crate::postgres::Postgres;
use crate::sqlite::{OpFuture, Sqlite};
use crate::tx::Tx;

/// Where the data is: read from `sqlite:PATH` or `postgres://…`.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A database file of the embedded database.
    Sqlite(PathBuf),
    /// A PostgreSQL server and database.
    Postgres(String),
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(formatter, "sqlite:{}", path.display()),
            Self::Postgres(_) => formatter.write_str("postgres://[redacted]"),
        }
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err("sqlite: needs a path, as in sqlite:data/natterjack.db".to_owned());
            }
            Ok(Self::Sqlite(path.into()))
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Ok(Self::Postgres(text.to_owned()))
        } else {
            Err("expecting sqlite:PATH or postgres://USER@HOST/DATABASE".to_owned())
        }
    }
}

/// Is told which logs a committed transaction appended to. It must return at once.
pub type Listener = dyn Fn(Vec<Moved>) + Send + Sync;

/// How operations of one channel that share a transaction stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Statements of others that say the same may run between those of the operation. It reads nothing that one of them
    /// changes, other than by the statement that changes it too.
    Any,
    /// It begins when those before it are through, and the next ones when it is.
    OneByOne,
}

/// The database of a server. Cheap to clone.
///
/// There are two ways in: [`Store::read`] sees one consistent state, [`Store::write`] runs an operation in a
/// transaction and answers when it is on disk. With SQLite there is one writer, and operations that wait for it share
/// a transaction and its sync to disk; with PostgreSQL each has a transaction of its own, but for those of
/// [`Store::write_in_channel`].
#[derive(Clone)]
pub struct Store {
    engine: Engine,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").field("dialect", &self.dialect()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, creates it when it is missing (SQLite), and brings its tables up to date.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the database cannot be reached, is too old, or was written by a newer version.
    pub async fn open(url: &DatabaseUrl) -> Result<Self> {
        let engine = match url {
            DatabaseUrl::Sqlite(path) => {
                let path = path.clone();
                let opened =
                    tokio::task::spawn_blocking(move || Sqlite::open(&path, migrate::migrate_sqlite)).await;
                Engine::Sqlite(Arc::new(opened.map_err(|source| Error::Database(source.into()))??))
            }
            DatabaseUrl::Postgres(url) => {
                let postgres = Postgres::open(url).await?;
                migrate::migrate_postgres(&mut *postgres.client().await?).await?;
                Engine::Postgres(Arc::new(postgres))
            }
        };
        Ok(Self { engine })
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The file of the embedded database.
    pub fn file(&self) -> Option<&Path> {
        match &self.engine {
            Engine::Sqlite(sqlite) => Some(sqlite.path()),
            Engine::Postgres(_) => None,
        }
    }

    /// Whether writing has stopped after a failed sync to disk.
    pub fn is_stopped(&self) -> bool {
        matches!(&self.engine, Engine::Sqlite(sqlite) if sqlite.is_stopped())
    }

    /// Runs `operation` in a transaction and answers when its outcome is durable. `name` is the operation's name in
    /// metrics.
    ///
    /// The operation may be run again when the database asks for it, so it has no effects outside its transaction.
    /// It is not cut short when the caller goes away.
    ///
    /// # Errors
    /// The operation's own error, which rolls back everything it wrote; or [`Error::CommitUnknown`].
    pub async fn write<I, F, R, E>(&self, name: &'static str, input: I, operation: F) -> Result<R, E>
    where
        I: Send + Sync + 'static,
        F: for<'t> Fn(&'t mut Tx, &'t I) -> OpFuture<'t, R, E> + Send + Sync + 'static,
        R: Send + 'static,
        E: Transient,
    {
        let operation = erase(input, operation);
        let output = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(name, operation).await,
            Engine::Postgres(postgres) => postgres.write(name, operation).await,
        };
        output.map(restore)
    }

    /// As [`Store::write`], for an operation that locks a channel's row first and then changes what belongs to the channel,
    /// or adds to the logs of a few users.
    ///
    /// Such operations share transactions with PostgreSQL too, in which `turn` says how they stand to each other. When
    /// one fails in the midst of others, all of them are run again, each alone.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_in_channel<I, F, R, E>(
        &self,
        channel_pk: i64,
        turn: Turn,
        name: &'static str,
        input: I,
        operation: F,
    ) -> Result<R, E>
    where
        I: Send + Sync + 'static,
        F: for<'t> Fn(&'t mut Tx, &'t I) -> OpFuture<'t, R, E> + Send + Sync + 'static,
        R: Send + 'static,
        E: Transient,
    {
        let operation = erase(input, operation);
        let output = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(name, operation).await,
            Engine::Postgres(postgres) => postgres.write_in_channel(channel_pk, turn, name, operation).await,
        };
        output.map(restore)
    }

    /// Runs `operation`, which only reads, on one consistent state of the database.
    ///
    /// # Errors
    /// The operation's own error, or that the database failed or took too long.
    pub async fn read<I, F, R, E>(&self, name: &'static str, input: I, operation: F) -> Result<R, E>
    where
        I: Send + Sync + 'static,
        F: for<'t> Fn(&'t mut Tx, &'t I) -> OpFuture<'t, R, E> + Send + Sync + 'static,
        R: Send + 'static,
        E: Transient,
    {
        let operation = erase(input, operation);
        let output = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(name, operation).await,
            Engine::Postgres(postgres) => postgres.read(name, operation).await,
        };
        output.map(restore)
    }

    /// A transaction of its own that sees the state of this moment until it ends, however long that takes.
    pub(crate) async fn snapshot(&self) -> Result<Tx> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.snapshot(),
            Engine::Postgres(postgres) => postgres.snapshot().await,
        }
    }

    /// Has `listener` told of the logs that each transaction of this store appended to, after its commit. Transactions
    /// of one channel are told in the order of their commits, except that with PostgreSQL two may overtake each other on
    /// the way. The first listener stays.
    pub fn listen(&self, listener: Box<Listener>) {
        // A second one would be a mistake of the program, which has one hub.
        let is_first = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.listeners().set(listener).is_ok(),
            Engine::Postgres(postgres) => postgres.listeners().set(listener).is_ok(),
        };
        debug_assert!(is_first, "a store has one listener");
    }

    /// Waits until everything that was accepted is committed, then closes the database. Other clones of this store
    /// keep it open until they are gone.
    pub async fn close(self) {
        match self.engine {
            Engine::Sqlite(sqlite) => {
                if let Some(sqlite) = Arc::into_inner(sqlite) {
                    drop(tokio::task::spawn_blocking(move || sqlite.close()).await);
                }
            }
            Engine::Postgres(postgres) => postgres.close(),
        }
    }
}

/// What an operation answers, its type hidden.
pub(crate) type Output = Box<dyn Any + Send>;

/// An operation and its input, their types hidden, so that the engines are compiled once and not for each operation.
pub(crate) trait Operation<E>: Send + Sync {
    /// Runs the operation once.
    fn run<'t>(&'t self, tx: &'t mut Tx) -> OpFuture<'t, Output, E>;
}

struct Erased<I, F, R> {
    input: I,
    operation: F,
    output: PhantomData<fn() -> R>,
}

impl<I, F, R, E> Operation<E> for Erased<I, F, R>
where
    I: Send + Sync,
    F: for<'t> Fn(&'t mut Tx, &'t I) -> OpFuture<'t, R, E> + Send + Sync,
    R: Send + 'static,
    E: Send + 'static,
{
    fn run<'t>(&'t self, tx: &'t mut Tx) -> OpFuture<'t, Output, E> {
        let running = (self.operation)(tx, &self.input);
        Box::pin(async move { running.await.map(|output| Box::new(output) as Output) })
    }
}

fn erase<I, F, R, E>(input: I, operation: F) -> Arc<dyn Operation<E>>
where
    I: Send + Sync + 'static,
    F: for<'t> Fn(&'t mut Tx, &'t I) -> OpFuture<'t, R, E> + Send + Sync + 'static,
    R: Send + 'static,
    E: Send + 'static,
{
    Arc::new(Erased { input, operation, output: PhantomData })
}

/// What [`erase`] hid.
fn restore<R: 'static>(output: Output) -> R {
    *output.downcast().expect("an operation answers its own type")
}
