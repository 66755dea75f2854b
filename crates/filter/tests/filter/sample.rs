//! A resource with a field of every kind.

use std::borrow::Cow;

use natterjack_filter::{Expression, Field, FieldValue, FilterError, Kind, Lookup, Operators, Schema, parse};
use natterjack_protocol::{JsonMap, Timestamp};
use serde_json::Value;

static FIELDS: [Field; 11] = [
    Field::new("cid", Kind::Text, Operators::EQUALITY).sortable(),
    Field::new("name", Kind::Text, Operators::ALL).sortable(),
    Field::new("parent_id", Kind::Text, Operators::ALL).nullable(),
    Field::new("member.user.name", Kind::Text, Operators::ALL),
    Field::new("invite", Kind::Text, Operators::ALL).values(&["pending", "accepted", "rejected"]),
    Field::new("member_count", Kind::Integer, Operators::ALL).sortable(),
    Field::new("score", Kind::Number, Operators::ALL),
    Field::new("frozen", Kind::Boolean, Operators::ALL),
    Field::new("created_at", Kind::Time, Operators::ALL).sortable(),
    Field::new("members", Kind::TextList, Operators::ALL).nullable(),
    Field::new("pinned_at", Kind::Time, Operators::NONE).sortable(),
];

/// Everything allowed.
pub static SCHEMA: Schema = Schema { resource: "samples", fields: &FIELDS, custom: Some(Operators::ALL) };

/// No custom fields.
pub static CLOSED: Schema = Schema { resource: "samples", fields: &FIELDS, custom: None };

/// A value of the resource.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    pub name: Option<String>,
    pub member_names: Vec<String>,
    pub member_count: Option<i64>,
    pub score: Option<f64>,
    pub frozen: Option<bool>,
    pub created_at: Option<i64>,
    pub members: Vec<String>,
    pub custom: Option<JsonMap>,
}

impl Lookup for Sample {
    fn builtin(&self, name: &str) -> FieldValue<'_> {
        let texts = |texts: &'_ [String]| texts.iter().map(|text| Cow::Owned(text.clone())).collect();
        match name {
            "name" => self.name.as_deref().map(|name| FieldValue::Text(name.into())),
            "member.user.name" => Some(FieldValue::TextList(texts(&self.member_names))),
            "member_count" => self.member_count.map(FieldValue::Integer),
            "score" => self.score.map(FieldValue::Number),
            "frozen" => self.frozen.map(FieldValue::Boolean),
            "created_at" => {
                self.created_at.map(|moment| FieldValue::Time(Timestamp::from_nanoseconds(moment)))
            }
            "members" => Some(FieldValue::TextList(texts(&self.members))),
            _ => None,
        }
        .unwrap_or(FieldValue::Missing)
    }

    fn custom(&self) -> Option<&JsonMap> {
        self.custom.as_ref()
    }
}

/// Parses a filter written with `json!`.
pub fn parse_value(filter: &Value) -> Result<Expression, FilterError> {
    parse(&SCHEMA, filter.as_object().expect("a filter is an object"))
}
