use std::collections::BTreeMap;
use std::fmt;

use natterjack_filter::FilterError;
use natterjack_protocol::{ErrorCode, IdError};
use natterjack_storage as storage;

/// Why a request was not carried out.
#[derive(Debug)]
pub enum Error {
    /// The caller's fault: the caller is told what to do about it.
    Caller(Box<Fault>),
    /// What was cached about a channel or a user is no longer true. The checks are repeated with fresh data; this
    /// never leaves the actions.
    Stale,
    /// Ours: the caller learns nothing but that it happened, the operator everything.
    Internal(storage::Error),
}

/// A mistake of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The code that clients act upon.
    pub code: ErrorCode,
    /// What is wrong, for the caller to read; names the field.
    pub message: String,
    /// What is wrong with single fields, by path.
    pub fields: BTreeMap<String, String>,
}

/// What actions answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A fault with any code.
    pub fn caller(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Caller(Box::new(Fault { code, message: message.into(), fields: BTreeMap::new() }))
    }

    /// The input is not valid.
    pub fn input(message: impl Into<String>) -> Self {
        Self::caller(ErrorCode::Input, message)
    }

    /// One field is not valid: `problem` continues the field's name.
    pub fn field(field: &str, problem: impl fmt::Display) -> Self {
        let mut fields = BTreeMap::new();
        fields.insert(field.to_owned(), problem.to_string());
        Self::Caller(Box::new(Fault {
            code: ErrorCode::Input,
            message: format!("{field} {problem}"),
            fields,
        }))
    }

    /// A field is missing.
    pub fn required(field: &str) -> Self {
        Self::field(field, "is a required field")
    }

    /// A field may not be set by the caller.
    pub fn reserved(field: &str) -> Self {
        Self::field(field, "is a reserved field")
    }

    /// An id is not written as ids are.
    pub fn id(field: &str, error: &IdError) -> Self {
        Self::field(field, error)
    }

    /// A filter or a sort is not valid.
    pub fn filter(field: &str, error: &FilterError) -> Self {
        let mut fields = BTreeMap::new();
        fields.insert(format!("{field}.{}", error.path), error.to_string());
        Self::Caller(Box::new(Fault { code: ErrorCode::Input, message: format!("{field}: {error}"), fields }))
    }

    /// The object does not exist. `what` names its kind.
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::caller(ErrorCode::NotFound, format!("Can't find {what} with id {id:?}"))
    }

    /// The caller may not do this.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::caller(ErrorCode::NotAllowed, message)
    }

    /// An object's data is too big.
    pub fn too_big(field: &str, limit_bytes: usize) -> Self {
        let mut fields = BTreeMap::new();
        fields.insert(field.to_owned(), format!("exceeds {limit_bytes} bytes"));
        Self::Caller(Box::new(Fault {
            code: ErrorCode::PayloadTooBig,
            message: format!("{field} exceeds the limit of {limit_bytes} bytes"),
            fields,
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller(fault) => formatter.write_str(&fault.message),
            Self::Stale => formatter.write_str("what was cached is stale"),
            Self::Internal(_) => formatter.write_str("the storage failed"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Internal(error) => Some(error),
            Self::Caller(_) | Self::Stale => None,
        }
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            // What was asked is too much for the time there is, or others have asked for too much.
            storage::Error::Timeout(_) => {
                let text = "the request took too long; ask for less at a time, or again later";
                Self::caller(ErrorCode::Timeout, text)
            }
            error => Self::Internal(error),
        }
    }
}

impl storage::Transient for Error {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Internal(error) if error.is_transient())
    }
}
