//! The rules: a module per resource. `check_*` reads and may refuse, `do_*` writes what was checked, in one transaction
//! with its events. All writes start here.

pub(crate) mod app;
pub(crate) mod bans;
pub(crate) mod blocks;
pub(crate) mod channel_types;
pub(crate) mod channels;
pub(crate) mod cursor;
pub(crate) mod events;
pub(crate) mod flags;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod mutes;
pub(crate) mod pages;
pub(crate) mod partial;
pub(crate) mod permissions;
pub(crate) mod predefined_filters;
pub(crate) mod reactions;
pub(crate) mod reads;
pub(crate) mod replies;
pub(crate) mod roles;
pub(crate) mod search;
pub(crate) mod sync;
pub(crate) mod tasks;
pub(crate) mod threads;
pub(crate) mod user_mutes;
pub(crate) mod users;
pub(crate) mod watching;

use natterjack_filter::{Comparison, Expression, FieldRef, Operand, Operator, Schema};
use natterjack_protocol::{ChannelId, ChannelPath, ChannelTypeName, Cid, Custom, MessageId};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::limits::CUSTOM_SIZE_MAX;

/// The cid that a path names.
pub(crate) fn cid_of(path: &ChannelPath) -> Result<Cid> {
    Ok(Cid {
        kind: ChannelTypeName::parse(&path.kind).map_err(|error| Error::id("type", &error))?,
        id: ChannelId::parse(&path.id).map_err(|error| Error::id("id", &error))?,
    })
}

pub(crate) fn message_id(field: &str, text: &str) -> Result<MessageId> {
    MessageId::parse(text).map_err(|error| Error::id(field, &error))
}

/// An optional text, absent when it is empty: some clients send empty texts for what is not set.
pub(crate) fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// A part of a filter that the server adds, on a field that the schema has.
pub(crate) fn comparison(schema: &Schema, name: &str, operator: Operator, operand: Operand) -> Expression {
    let field = schema.field(name).expect("the server asks for fields of the schema");
    Expression::Comparison(Comparison { field: FieldRef::Builtin(field), operator, operand })
}

/// Checks the size of custom data.
pub(crate) fn check_custom(field: &str, custom: &Custom) -> Result<()> {
    check_size(field, custom, CUSTOM_SIZE_MAX)
}

/// Checks the size of something as JSON.
pub(crate) fn check_size(field: &str, value: &impl Serialize, limit_bytes: usize) -> Result<()> {
    /// Counts what is written.
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    let written = serde_json::to_writer(&mut counter, value);
    if written.is_err() || counter.0 > limit_bytes {
        return Err(Error::too_big(field, limit_bytes));
    }
    Ok(())
}

/// Checks the length of a text, in characters.
pub(crate) fn check_length(field: &str, text: &str, length_max: usize) -> Result<()> {
    if text.len() > length_max && text.chars().count() > length_max {
        return Err(Error::field(field, format!("must be at most {length_max} characters long")));
    }
    Ok(())
}

/// Checks the length of a list.
pub(crate) fn check_count(field: &str, count: usize, count_max: usize) -> Result<()> {
    if count > count_max {
        return Err(Error::field(field, format!("must have at most {count_max} entries")));
    }
    Ok(())
}

/// A limit within its bounds, or the default. Zero is the default too: clients send it for an unset limit.
pub(crate) fn limit(field: &str, given: Option<i64>, default: i64, max: i64) -> Result<i64> {
    match given {
        None | Some(0) => Ok(default),
        Some(limit) if limit < 0 => Err(Error::field(field, "must not be negative")),
        Some(limit) if limit > max => Err(Error::field(field, format!("must be {max} or less"))),
        Some(limit) => Ok(limit),
    }
}

/// An offset within its bounds.
pub(crate) fn offset(field: &str, given: Option<i64>, max: i64) -> Result<i64> {
    match given.unwrap_or(0) {
        offset if offset < 0 => Err(Error::field(field, "must not be negative")),
        offset if offset > max => Err(Error::field(field, format!("must be {max} or less"))),
        offset => Ok(offset),
    }
}
