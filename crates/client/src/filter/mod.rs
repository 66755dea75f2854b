//! Filters: which objects a query finds.
//!
//! Three ways to write one, which mix freely:
//!
//! - typed fields, one module per query: [`channels`], [`users`], [`members`], [`messages`], [`reactions`],
//!   [`message_history`], [`message_flags`], [`bans`], [`threads`]. An operator that the field does not take does not compile;
//! - [`Filter`]'s functions with the field's name as text;
//! - [`Filter::raw`] with JSON.
//!
//! ```
//! use natterjack_client::filter::{Filter, channels};
//! use serde_json::json;
//!
//! let typed = channels::members().is_in(["jane"]).and(channels::member_count().gt(2));
//! let named = Filter::is_in("members", ["jane"]).and(Filter::gt("member_count", 2));
//! let raw = Filter::raw(json!({"$and": [{"members": {"$in": ["jane"]}}, {"member_count": {"$gt": 2}}]}))?;
//! assert_eq!(typed, named);
//! assert_eq!(named, raw);
//! # Ok::<(), natterjack_client::Error>(())
//! ```
//!
//! The wrong operator is found by the compiler:
//!
//! ```compile_fail
//! natterjack_client::filter::channels::frozen().gt(true);
//! ```
//!
//! Requests take filters as JSON objects; `filter.into()` makes one.

pub mod bans;
pub mod channels;
mod field;
pub mod flag_reports;
pub mod kinds;
pub mod members;
pub mod message_flags;
pub mod message_history;
pub mod messages;
pub mod reactions;
pub mod threads;
pub mod users;

use natterjack_protocol::JsonMap;
use serde_json::Value;

use crate::Error;

pub use field::{Field, Operand};

/// A condition on the objects of a query. The default finds everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter(JsonMap);

impl Filter {
    /// Finds everything.
    pub fn everything() -> Self {
        Self::default()
    }

    /// The field equals `value`.
    pub fn eq(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::operator(field, "$eq", value)
    }

    /// The field differs from `value`.
    pub fn ne(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::operator(field, "$ne", value)
    }

    /// The field is greater than `value`.
    pub fn gt(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::operator(field, "$gt", value)
    }

    /// The field is greater than or equal to `value`.
    pub fn gte(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::operator(field, "$gte", value)
    }

    /// The field is less than `value`.
    pub fn lt(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::operator(field, "$lt", value)
    }

    /// The field is less than or equal to `value`.
    pub fn lte(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::operator(field, "$lte", value)
    }

    /// The field is one of `values`; for a list, one of its entries is.
    pub fn is_in<V: Into<Value>>(field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self::operator(field, "$in", list(values))
    }

    /// The field is none of `values`.
    pub fn not_in<V: Into<Value>>(field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self::operator(field, "$nin", list(values))
    }

    /// The field is a list that holds `value`.
    pub fn contains(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::operator(field, "$contains", value)
    }

    /// The field is set, or with `false` is not set.
    pub fn exists(field: impl Into<String>, exists: bool) -> Self {
        Self::operator(field, "$exists", exists)
    }

    /// A word of the field starts with `prefix`, in upper or lower case. The prefix must hold a letter or digit.
    pub fn autocomplete(field: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self::operator(field, "$autocomplete", prefix.into())
    }

    /// The field's text holds these words.
    pub fn q(field: impl Into<String>, words: impl Into<String>) -> Self {
        Self::operator(field, "$q", words.into())
    }

    /// The field meets any operator, also one that this SDK does not know: `operator("name", "$autocomplete", "ja")`.
    pub fn operator(field: impl Into<String>, operator: &str, value: impl Into<Value>) -> Self {
        let condition = JsonMap::from_iter([(operator.to_owned(), value.into())]);
        Self(JsonMap::from_iter([(field.into(), condition.into())]))
    }

    /// All of `filters` hold. None of them at all finds everything.
    pub fn all_of(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::joined("$and", filters)
    }

    /// At least one of `filters` holds. The server refuses an empty list.
    pub fn any_of(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::joined("$or", filters)
    }

    /// None of `filters` holds. The server refuses an empty list.
    pub fn none_of(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::joined("$nor", filters)
    }

    /// This filter and `other` both hold. Joining to an `and` extends it; joining to [`Filter::everything`] gives
    /// `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self.0.is_empty() {
            return other;
        }
        if other.0.is_empty() {
            return self;
        }
        self.extended("$and", other)
    }

    /// This filter or `other` holds. Joining to an `or` extends it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.extended("$or", other)
    }

    /// Takes a filter as JSON, unchecked but for its being an object.
    ///
    /// # Errors
    /// [`Error::Request`] when `json` is not an object.
    pub fn raw(json: Value) -> Result<Self, Error> {
        match json {
            Value::Object(map) => Ok(Self(map)),
            other => Err(Error::request(format!("a filter is a JSON object, not {other}"))),
        }
    }

    /// The filter as JSON.
    pub const fn as_json(&self) -> &JsonMap {
        &self.0
    }

    fn joined(operator: &str, filters: impl IntoIterator<Item = Self>) -> Self {
        let filters: Vec<Value> = filters.into_iter().map(Value::from).collect();
        if filters.is_empty() && operator == "$and" {
            return Self::everything();
        }
        Self(JsonMap::from_iter([(operator.to_owned(), filters.into())]))
    }

    fn extended(mut self, operator: &str, other: Self) -> Self {
        if self.0.len() == 1
            && let Some(Value::Array(filters)) = self.0.get_mut(operator)
        {
            filters.push(other.into());
            return self;
        }
        Self::joined(operator, [self, other])
    }
}

pub(crate) fn list<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Value {
    Value::Array(values.into_iter().map(Into::into).collect())
}

impl From<JsonMap> for Filter {
    fn from(map: JsonMap) -> Self {
        Self(map)
    }
}

impl From<Filter> for JsonMap {
    fn from(filter: Filter) -> Self {
        filter.0
    }
}

impl From<Filter> for Option<JsonMap> {
    fn from(filter: Filter) -> Self {
        Some(filter.0)
    }
}

impl From<Filter> for Value {
    fn from(filter: Filter) -> Self {
        Self::Object(filter.0)
    }
}

#[cfg(test)]
mod tests {
    use natterjack_protocol::Timestamp;
    use serde_json::{Value, json};

    use super::{Filter, channels, members, message_history, messages, reactions, users};

    #[test]
    fn operators_are_written_by_name() {
        let both = |filter: Filter, json: Value| assert_eq!(Value::from(filter), json);
        both(Filter::eq("cid", "messaging:general"), json!({"cid": {"$eq": "messaging:general"}}));
        both(Filter::not_in("id", ["a", "b"]), json!({"id": {"$nin": ["a", "b"]}}));
        both(Filter::exists("team", false), json!({"team": {"$exists": false}}));
        both(Filter::q("text", "hello"), json!({"text": {"$q": "hello"}}));
        both(Filter::everything(), json!({}));
        assert!(Filter::raw(json!([])).is_err());
        assert_eq!(Filter::raw(json!({"a": 1})).unwrap().as_json()["a"], json!(1));
    }

    #[test]
    fn filters_join() {
        let (a, b, c) = (Filter::eq("a", 1), Filter::eq("b", 2), Filter::eq("c", 3));
        assert_eq!(
            a.clone().and(b.clone()).and(c.clone()),
            Filter::all_of([a.clone(), b.clone(), c.clone()])
        );
        assert_eq!(a.clone().or(b.clone()).or(c.clone()), Filter::any_of([a.clone(), b.clone(), c]));
        assert_eq!(Filter::everything().and(a.clone()), a);
        assert_eq!(a.clone().and(Filter::everything()), a);
        assert_eq!(Filter::all_of([]), Filter::everything());
        let nested = Filter::none_of([a.or(b)]);
        assert_eq!(Value::from(nested), json!({"$nor": [{"$or": [{"a": {"$eq": 1}}, {"b": {"$eq": 2}}]}]}));
    }

    #[test]
    fn typed_fields_write_the_same_filters() {
        let both = |filter: Filter, json: Value| assert_eq!(Value::from(filter), json);
        let epoch = Timestamp::from_nanoseconds(0);
        both(channels::created_at().gte(epoch), json!({"created_at": {"$gte": "1970-01-01T00:00:00Z"}}));
        both(channels::members().is_exactly(["a", "b"]), json!({"members": {"$eq": ["a", "b"]}}));
        both(channels::custom("color").eq("red"), json!({"color": {"$eq": "red"}}));
        both(
            channels::member_user_name().autocomplete("ja"),
            json!({"member.user.name": {"$autocomplete": "ja"}}),
        );
        both(users::teams().contains("red"), json!({"teams": {"$contains": "red"}}));
        both(users::id().not_in(["a"]), json!({"id": {"$nin": ["a"]}}));
        both(members::joined().eq(true), json!({"joined": {"$eq": true}}));
        both(reactions::created_at().lt(epoch), json!({"created_at": {"$lt": "1970-01-01T00:00:00Z"}}));
        both(message_history::message_id().eq("m1"), json!({"message_id": {"$eq": "m1"}}));
        both(messages::text().q("hi"), json!({"text": {"$q": "hi"}}));
        both(messages::attachments().exists(true), json!({"attachments": {"$exists": true}}));
    }
}
