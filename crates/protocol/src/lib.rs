//! What travels on the wire between a client and a server of the Stream Chat API: operations, requests, replies,
//! error codes, ids and time. No I/O.
//!
//! The server and the SDK compile against the same types, so they cannot drift apart. Each operation is declared
//! once ([`Operation`]): its method, its path, what it takes and what it answers.
//!
//! # Conventions
//! - Field names are the API's own; where a name is a Rust keyword (`type`) the field is called `kind`.
//! - The plain `serde` form of every type is the v2 encoding: [`Timestamp`]s are integers (nanoseconds since the Unix
//!   epoch) on the way out and integers or RFC 3339 strings on the way in, custom data stands under `custom`.
//! - A request field that may be left out is an `Option`, or a list or map whose `null` means empty.
//! - A reply field that the API requires is always written, lists as `[]` and maps as `{}`. Reading is lenient: what
//!   another server leaves out takes its default.
//! - Every reply carries `duration`. It is not a field of the reply types: the server writes it, the SDK reads it,
//!   both around the reply ([`Timed`]).

#![deny(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod app;
pub mod bans;
pub mod blocks;
pub mod channel_state;
pub mod channel_types;
pub mod channels;
mod custom;
mod error;
pub mod events;
pub mod flags;
pub mod guests;
mod ids;
pub mod members;
pub mod message_types;
pub mod messages;
pub mod mutes;
mod operation;
pub mod own_user;
pub mod permissions;
pub mod polls;
pub mod predefined_filters;
mod query;
pub mod rate_limits;
pub mod reactions;
pub mod reads;
pub mod roles;
pub mod search;
pub mod tasks;
pub mod threads;
mod time;
pub mod user_mutes;
pub mod users;
pub mod v1;

pub use custom::Custom;
pub use error::{ErrorBody, ErrorCode};
pub use ids::{ChannelId, ChannelTypeName, Cid, IdError, MessageId, ReactionType, UserId};
#[doc(hidden)]
pub use operation::without_prefix;
pub use operation::{
    ChannelPath, ChannelTypePath, MemberPath, MessagePath, Method, NoBody, NoPath, NoQuery, Operation,
    ParentMessagePath, PathParams, PermissionPath, PredefinedFilterPath, ReactionPath, ReportPath, RolePath,
    TaskPath, ThreadPath, Timed, UserPath,
};
pub use query::{CommaList, JsonList, JsonParam, QueryError, QueryParam, QueryParams};
pub use time::Timestamp;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A JSON object without a fixed shape, its keys in the order in which they were written.
pub type JsonMap = serde_json::Map<String, serde_json::Value>;

/// One entry of a sort list: order by `field`, ascending (`1`, the default) or descending (`-1`).
///
/// `kind` (`type` on the wire) says how a custom field is compared: `number` or `boolean`; left out, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SortParam {
    /// Name of the field, dotted for a nested custom field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// `1` ascending, `-1` descending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<i32>,
    /// `number` or `boolean` for custom fields.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl SortParam {
    /// Orders by `field`, smallest first.
    pub fn ascending(field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), direction: Some(1), kind: None }
    }

    /// Orders by `field`, largest first.
    pub fn descending(field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), direction: Some(-1), kind: None }
    }
}

/// Reads `null` as the default value. Clients send unset lists and maps as `null`.
pub(crate) fn null_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a field that may be missing (`None`), `null` (`Some(None)`) or given.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Reads a time that only the server sets, in an object that clients make up or give back. Clients whose times cannot be
/// missing write the first moment of the year 1 for one that was never set, which is missing here.
pub(crate) fn set_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    match Option::<serde_json::Value>::deserialize(deserializer)? {
        Some(time) if time != NEVER_SET => Timestamp::deserialize(time).map(Some).map_err(de::Error::custom),
        _ => Ok(None),
    }
}

/// A time that was never set.
const NEVER_SET: &str = "0001-01-01T00:00:00Z";

/// Reads a list or map that `null` clears, as empty does; missing it stays `None`.
pub(crate) fn null_clears<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    null_default(deserializer).map(Some)
}

/// Reads a map and drops the entries whose value is `null`; `null` itself is empty.
pub(crate) fn without_nulls<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let entries: Option<BTreeMap<String, Option<T>>> = Option::deserialize(deserializer)?;
    Ok(entries.into_iter().flatten().filter_map(|(key, value)| Some((key, value?))).collect())
}

/// Reads a sort list: `[{"field": "name", "direction": -1}]`, the older `{"name": -1}`, or `null` for none.
pub(crate) fn sort_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SortParam>, D::Error> {
    struct SortList;
    impl<'de> Visitor<'de> for SortList {
        type Value = Vec<SortParam>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list of {field, direction} or an object of directions by field")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut sort = Vec::new();
            while let Some(entry) = entries.next_element()? {
                sort.push(entry);
            }
            Ok(sort)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut sort = Vec::new();
            while let Some((field, direction)) = entries.next_entry::<String, i32>()? {
                sort.push(SortParam { field: Some(field), direction: Some(direction), kind: None });
            }
            Ok(sort)
        }
    }
    deserializer.deserialize_any(SortList)
}
