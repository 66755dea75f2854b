use std::borrow::Cow;
use std::marker::PhantomData;

use natterjack_protocol::Timestamp;
use serde_json::Value;

use super::kinds::{
    Anything, Autocompleted, Containing, Equal, ExactSet, Flag, Kind, NoneOf, NotEqual, Number, OneOf,
    Optional, Ordered, Searched, Text, Time,
};
use super::{Filter, list};

/// A field of a query, which knows the operators that it takes.
///
/// ```
/// use natterjack_client::filter::{Filter, channels};
///
/// assert_eq!(channels::id().eq("general"), Filter::eq("id", "general"));
/// ```
#[derive(Debug, Clone)]
pub struct Field<K> {
    name: Cow<'static, str>,
    kind: PhantomData<K>,
}

impl<K: Kind> Field<K> {
    /// The field `name`, dotted for a nested one. For fields that this SDK does not know; whether the kind is right is
    /// for the caller to know.
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), kind: PhantomData }
    }

    /// The field's name on the wire.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn with(self, operator: &str, value: impl Into<Value>) -> Filter {
        Filter::operator(self.name, operator, value)
    }

    /// The field equals `value`.
    pub fn eq(self, value: impl Operand<K::Compared>) -> Filter
    where
        K: Equal,
    {
        self.with("$eq", value.into_json())
    }

    /// The field differs from `value`.
    pub fn ne(self, value: impl Operand<K::Compared>) -> Filter
    where
        K: NotEqual,
    {
        self.with("$ne", value.into_json())
    }

    /// The field is greater than `value`. Texts compare by their letters.
    pub fn gt(self, value: impl Operand<K::Compared>) -> Filter
    where
        K: Ordered,
    {
        self.with("$gt", value.into_json())
    }

    /// The field is greater than or equal to `value`.
    pub fn gte(self, value: impl Operand<K::Compared>) -> Filter
    where
        K: Ordered,
    {
        self.with("$gte", value.into_json())
    }

    /// The field is less than `value`.
    pub fn lt(self, value: impl Operand<K::Compared>) -> Filter
    where
        K: Ordered,
    {
        self.with("$lt", value.into_json())
    }

    /// The field is less than or equal to `value`.
    pub fn lte(self, value: impl Operand<K::Compared>) -> Filter
    where
        K: Ordered,
    {
        self.with("$lte", value.into_json())
    }

    /// The field, or an entry of it when it is a list, is one of `values`.
    pub fn is_in<V: Operand<K::Compared>>(self, values: impl IntoIterator<Item = V>) -> Filter
    where
        K: OneOf,
    {
        self.with("$in", list(values.into_iter().map(Operand::into_json)))
    }

    /// The field is none of `values`.
    pub fn not_in<V: Operand<K::Compared>>(self, values: impl IntoIterator<Item = V>) -> Filter
    where
        K: NoneOf,
    {
        self.with("$nin", list(values.into_iter().map(Operand::into_json)))
    }

    /// The field holds `values` and nothing else.
    pub fn is_exactly<V: Operand<K::Compared>>(self, values: impl IntoIterator<Item = V>) -> Filter
    where
        K: ExactSet,
    {
        self.with("$eq", list(values.into_iter().map(Operand::into_json)))
    }

    /// The field is a list that holds `value`.
    pub fn contains(self, value: impl Operand<K::Compared>) -> Filter
    where
        K: Containing,
    {
        self.with("$contains", value.into_json())
    }

    /// The field is set, or with `false` is not set.
    pub fn exists(self, exists: bool) -> Filter
    where
        K: Optional,
    {
        self.with("$exists", exists)
    }

    /// A word of the field starts with `prefix`. The prefix must hold a letter or digit.
    pub fn autocomplete(self, prefix: impl Into<String>) -> Filter
    where
        K: Autocompleted,
    {
        self.with("$autocomplete", prefix.into())
    }

    /// The field's text holds these words.
    pub fn q(self, words: impl Into<String>) -> Filter
    where
        K: Searched,
    {
        self.with("$q", words.into())
    }
}

/// A value that fields comparing with `C` take.
pub trait Operand<C> {
    /// The value as a filter writes it. Times are RFC 3339 text.
    fn into_json(self) -> Value;
}

macro_rules! operands {
    ($($compared:ty: $($type:ty)*;)*) => { $($(
        impl Operand<$compared> for $type {
            fn into_json(self) -> Value {
                Value::from(self)
            }
        }
    )*)* };
}

operands! {
    Text: &str String;
    Number: i32 i64 u32 u64 usize f64;
    Flag: bool;
    Anything: &str String i32 i64 u32 u64 usize f64 bool Value;
}

impl Operand<Text> for &String {
    fn into_json(self) -> Value {
        Value::from(self.as_str())
    }
}

impl Operand<Time> for Timestamp {
    fn into_json(self) -> Value {
        Value::from(self.to_string())
    }
}

impl Operand<Anything> for Timestamp {
    fn into_json(self) -> Value {
        Value::from(self.to_string())
    }
}

/// Declares a function for each field of a query.
macro_rules! fields {
    ($($(#[$doc:meta])* $function:ident = $name:literal: $kind:ident;)*) => { $(
        $(#[$doc])*
        pub fn $function() -> $crate::filter::Field<$crate::filter::kinds::$kind> {
            $crate::filter::Field::named($name)
        }
    )* };
}
pub(super) use fields;
