//! The query language: JSON to a checked [`Expression`], limits, and an evaluator in memory. No SQL.
//!
//! A [`Schema`] lists the fields of one resource with what may be asked of each. [`parse`] reads a filter
//! against it, [`parse_sort`] a sort list. What comes out is safe to compile: every field is known, every
//! operator allowed, every operand of the right type, every size bounded by a constant of [`limits`].
//!
//! # Grammar
//! ```text
//! filter     = { entry, … }                          all entries hold; {} is always true
//! entry      = "$and": [filter, …]                   all hold          (one branch at least)
//!            | "$or":  [filter, …]                   at least one holds
//!            | "$nor": [filter, …]                   none holds
//!            | field: value                          short for {"$eq": value}
//!            | field: { operator: operand, … }       all hold; one operator at least, none on a field that is open
//! operator   = $eq $ne $gt $gte $lt $lte $in $nin $exists $contains $autocomplete $q $any
//! field      = a name of the schema, or else a dotted path into custom data
//! ```
//!
//! | operator | operand |
//! |---|---|
//! | `$eq` `$ne` | a value of the field's type; `null` on nullable and custom fields; on a list field an array of strings, or one string for the set of one |
//! | `$gt` `$gte` `$lt` `$lte` | a value of the field's type |
//! | `$in` `$nin` | an array of such values, without `null`; on custom fields all of one type; may be empty |
//! | `$exists` | a boolean |
//! | `$contains` | one element: a string, on custom fields also a number or a boolean |
//! | `$autocomplete` `$q` `$any` | a string with at least one word |
//!
//! Times are RFC 3339 strings or integers of nanoseconds. Integer fields take numbers without a fraction.
//!
//! # Semantics
//! Every comparison is true or false, never unknown, so that `$nor` is the complement of `$or`. Anything that
//! compiles an expression to another language must agree with [`Expression::matches`]:
//!
//! - **Missing values.** An absent value, JSON `null` and a list field without elements are the same:
//!   missing. For such a value `{"$exists": false}` and `{"$eq": null}` are true. Every other comparison is
//!   false, except `$ne` and `$nin`. An empty array in custom data is there, like any other array.
//! - **Complements.** `$ne` is exactly the complement of `$eq`, `$nin` of `$in`; both are therefore true for
//!   missing values and for values of another type.
//! - **Text** compares by bytes of its UTF-8 form, which is the order of code points.
//! - **Numbers.** Integer fields compare as 64-bit integers. Number fields and custom numbers compare as
//!   64-bit floats. `false` is less than `true`.
//! - **Custom values** compare by JSON type: a string never equals, precedes or follows a number. A path goes
//!   through objects only, never into an array. Arrays and objects exist, but only `$contains` looks inside,
//!   and only into an array.
//! - **List fields** are sets. `$eq` means exactly this set, `$in` any of these, `$contains` this element.
//! - **Text fields with several values** (the names of a channel's members): a comparison holds when it holds
//!   for one of the values; `$ne` and `$nin` stay complements.
//! - **Words.** `$q` holds when each word of the operand equals some word of the value, `$any` when one does,
//!   `$autocomplete` when each word of the operand begins some word of the value. Order does not matter.
//!   [`words`] says what a word is.

#![deny(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod evaluate;
mod expression;
pub mod limits;
mod operand;
mod parse;
mod schema;
mod sort;
mod words;

pub use error::{FilterError, Problem};
pub use evaluate::{FieldValue, Lookup};
pub use expression::{Comparison, Expression, FieldRef, Operand};
pub use parse::parse;
pub use schema::{Field, Kind, Operator, Operators, Schema};
pub use sort::{CustomKind, SortKey, parse_sort};
pub use words::{fold, words};
