//! Parameters and rows that look the same on both databases.

use natterjack_protocol::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::error::{BoxError, Error, Result};

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Param<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Real(f64),
    Text(&'a str),
    Owned(String),
    /// A list for the dialect's list membership: a JSON array in SQLite, an array in PostgreSQL.
    Texts(Vec<String>),
    /// As [`Param::Texts`], for integers.
    Ints(Vec<i64>),
}

macro_rules! param_from {
    ($($from:ty => $value:ident, $param:expr;)*) => { $(
        impl<'a> From<$from> for Param<'a> {
            fn from($value: $from) -> Self { $param }
        }
    )* };
}

param_from! {
    bool => value, Param::Bool(value);
    i64 => value, Param::Int(value);
    f64 => value, Param::Real(value);
    Timestamp => value, Param::Int(value.nanoseconds());
    &'a str => value, Param::Text(value);
    &'a String => value, Param::Text(value);
    String => value, Param::Owned(value);
    &'a natterjack_protocol::UserId => value, Param::Text(value.as_str());
    &'a natterjack_protocol::MessageId => value, Param::Text(value.as_str());
    Vec<i64> => value, Param::Ints(value);
    Vec<String> => value, Param::Texts(value);
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Param::Null, Into::into)
    }
}

/// A slice of parameters from values of different types.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::value::Param::from($value)),*] };
}
pub(crate) use params;

/// Writes a value as JSON text for a column, `NULL` when it is the default (an empty list, an empty map).
pub(crate) fn json_unless_default<T: Serialize + Default + PartialEq>(value: &T) -> Option<String> {
    (*value != T::default()).then(|| json(value))
}

/// Writes a value as JSON text for a column.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("stored types are maps with text keys and write without failure")
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, Value, ValueRef};
        Ok(match self {
            Param::Null => ToSqlOutput::Owned(Value::Null),
            Param::Bool(value) => ToSqlOutput::Owned(Value::Integer(i64::from(*value))),
            Param::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Param::Real(value) => ToSqlOutput::Owned(Value::Real(*value)),
            Param::Text(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Param::Owned(value) => ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())),
            Param::Texts(values) => ToSqlOutput::Owned(Value::Text(json(values))),
            Param::Ints(values) => ToSqlOutput::Owned(Value::Text(json(values))),
        })
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut tokio_postgres::types::private::BytesMut,
    ) -> std::result::Result<IsNull, BoxError> {
        match self {
            Param::Null => Ok(IsNull::Yes),
            Param::Bool(value) => value.to_sql_checked(kind, out),
            Param::Int(value) => value.to_sql_checked(kind, out),
            Param::Real(value) => value.to_sql_checked(kind, out),
            Param::Text(value) => value.to_sql_checked(kind, out),
            Param::Owned(value) => value.to_sql_checked(kind, out),
            Param::Texts(values) => values.to_sql_checked(kind, out),
            Param::Ints(values) => values.to_sql_checked(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// One row of a result, whichever database it came from. Columns are numbered from 0 in the order of the query.
#[derive(Clone, Copy)]
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

macro_rules! row_getters {
    ($($(#[$doc:meta])* $name:ident -> $type:ty;)*) => { $(
        $(#[$doc])*
        pub(crate) fn $name(&self, column: usize) -> Result<$type> {
            match self {
                Self::Sqlite(row) => Ok(row.get(column)?),
                Self::Postgres(row) => Ok(row.try_get(column)?),
            }
        }
    )* };
}

impl Row<'_> {
    row_getters! {
        bool -> bool;
        optional_bool -> Option<bool>;
        int -> i64;
        optional_int -> Option<i64>;
        real -> f64;
        text -> String;
        optional_text -> Option<String>;
    }

    pub(crate) fn time(&self, column: usize) -> Result<Timestamp> {
        self.int(column).map(Timestamp::from_nanoseconds)
    }

    pub(crate) fn optional_time(&self, column: usize) -> Result<Option<Timestamp>> {
        Ok(self.optional_int(column)?.map(Timestamp::from_nanoseconds))
    }

    /// Reads JSON text; `NULL` is the default value.
    pub(crate) fn json<T: DeserializeOwned + Default>(&self, column: usize, name: &'static str) -> Result<T> {
        let parse = |text: Option<&str>| match text {
            None => Ok(T::default()),
            Some(text) => serde_json::from_str(text)
                .map_err(|source| Error::Corrupt { column: name, source: source.into() }),
        };
        match self {
            Self::Sqlite(row) => {
                let value = row.get_ref(column)?;
                parse(
                    value
                        .as_str_or_null()
                        .map_err(|source| Error::Corrupt { column: name, source: source.into() })?,
                )
            }
            Self::Postgres(row) => parse(row.try_get(column)?),
        }
    }
}
