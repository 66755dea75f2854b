/// Why the database did not do what was asked. "Not there" is not an error but `Option`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A row with the same key exists already.
    #[error("a unique constraint was violated")]
    Conflict(#[source] BoxError),
    /// The database was busy or two transactions collided; the same call may succeed at once.
    #[error("the database is busy")]
    Busy(#[source] BoxError),
    /// What is stored cannot be what was written: the named column holds something unexpected.
    #[error("the database holds something unexpected in {column}")]
    Corrupt {
        /// Table and column.
        column: &'static str,
        /// What was wrong with it.
        #[source]
        source: BoxError,
    },
    /// The statement took longer than it may.
    #[error("the statement took too long")]
    Timeout(#[source] BoxError),
    /// Whether the transaction was committed is not known.
    #[error("the outcome of a commit is not known")]
    CommitUnknown(#[source] BoxError),
    /// A sync to disk failed earlier. Nothing is written until the server has been restarted.
    #[error("writing stopped after a failed sync to disk; restart the server")]
    Stopped,
    /// The database cannot be used at all: too old, not reachable, of another version.
    #[error("{0}")]
    Unusable(String),
    /// Any other failure of the database.
    #[error("the database failed")]
    Database(#[source] BoxError),
}

/// A failure of a driver.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What storage operations answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that says whether the same transaction may succeed when it is run again.
pub trait Transient: From<Error> + Send + 'static {
    /// Whether running the transaction again may help.
    fn is_transient(&self) -> bool;
}

impl Transient for Error {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error().map(|failure| (failure.code, failure.extended_code)) {
            Some((ErrorCode::OperationInterrupted, _)) => Self::Timeout(error.into()),
            Some((ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _)) => Self::Busy(error.into()),
            Some((
                ErrorCode::ConstraintViolation,
                rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
            )) => Self::Conflict(error.into()),
            _ => Self::Database(error.into()),
        }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        match error.code() {
            Some(&SqlState::UNIQUE_VIOLATION) => Self::Conflict(error.into()),
            Some(&SqlState::QUERY_CANCELED) => Self::Timeout(error.into()),
            Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => {
                Self::Busy(error.into())
            }
            _ => Self::Database(error.into()),
        }
    }
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            // All connections are at work. One that cannot be made is no matter of how much is asked for.
            deadpool_postgres::PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => {
                Self::Timeout(error.into())
            }
            _ => Self::Database(error.into()),
        }
    }
}

/// The text of an error and of everything that caused it.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
