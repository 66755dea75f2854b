//! Filters and sort lists as SQL.
//!
//! Agrees with [`Expression::matches`]: every condition written here is true or false, never `NULL`, so that `NOT`
//! is a complement. Values are always parameters; only the names that a [`Resolve`] gives become text.

use std::borrow::Cow;

use natterjack_filter::{CustomKind, Expression, Field, FieldRef, Operand, Operator, SortKey, words};

use crate::dialect::{Dialect, JsonKind, JsonValue};
use crate::value::Param;

/// A statement under construction.
#[derive(Debug)]
pub(crate) struct SqlWriter {
    pub dialect: Dialect,
    pub sql: String,
    pub params: Vec<Param<'static>>,
}

/// How a field is stored. The SQL stands by itself in any expression (a column, a call, or in parentheses) and may
/// be `NULL` for a missing value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    Text(Cow<'static, str>),
    Integer(Cow<'static, str>),
    Boolean(Cow<'static, str>),
    /// Nanoseconds.
    Time(Cow<'static, str>),
    /// A column with a JSON array of texts, `NULL` or empty when missing. Cannot be sorted by.
    TextList(&'static str),
    /// The column with the JSON object of custom data.
    Custom(&'static str),
    /// Written by [`Resolve::write_special`]. Cannot be sorted by.
    Special,
}

impl Column {
    pub(crate) const fn text(sql: &'static str) -> Self {
        Self::Text(Cow::Borrowed(sql))
    }

    pub(crate) const fn integer(sql: &'static str) -> Self {
        Self::Integer(Cow::Borrowed(sql))
    }

    pub(crate) const fn boolean(sql: &'static str) -> Self {
        Self::Boolean(Cow::Borrowed(sql))
    }

    pub(crate) const fn time(sql: &'static str) -> Self {
        Self::Time(Cow::Borrowed(sql))
    }

    /// The text under `key` of the custom data in `column`; anything but text counts as missing.
    pub(crate) fn custom_text(dialect: Dialect, column: &str, key: &str) -> Self {
        let value = JsonValue::of_key(dialect, column, key);
        let (is_text, text) = (value.is(JsonKind::Text), value.get(JsonKind::Text));
        Self::Text(format!("(CASE WHEN {is_text} THEN {text} END)").into())
    }
}

/// Where the fields of one resource are stored.
pub(crate) trait Resolve {
    /// How `field` is stored.
    fn column(&self, dialect: Dialect, field: &FieldRef) -> Column;

    /// Writes a condition on a [`Column::Special`] that is never `NULL`. `operator` is never `$ne` or `$nin`: they
    /// are written as `NOT` of `$eq` and `$in`.
    fn write_special(
        &self,
        writer: &mut SqlWriter,
        field: &'static Field,
        operator: Operator,
        operand: &Operand,
    ) {
        let _ = (operator, operand);
        debug_assert!(false, "{} has no SQL of its own", field.name);
        writer.push("FALSE");
    }
}

impl SqlWriter {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect, sql: String::new(), params: Vec::new() }
    }

    pub(crate) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// Appends a parameter.
    pub(crate) fn bind(&mut self, param: impl Into<Param<'static>>) {
        let placeholder = self.reserve(param);
        self.sql.push_str(&placeholder);
    }

    /// Adds a parameter and answers its placeholder, for text that is pushed later and may name it several times.
    /// Whatever is reserved first must appear first.
    pub(crate) fn reserve(&mut self, param: impl Into<Param<'static>>) -> String {
        self.params.push(param.into());
        format!("${}", self.params.len())
    }

    /// Appends the condition that `column` is one of a list, which is [`Param::Texts`] or [`Param::Ints`].
    pub(crate) fn push_in(&mut self, column: &str, list: impl Into<Param<'static>>) {
        self.params.push(list.into());
        self.sql.push_str(&self.dialect.is_in(column, self.params.len()));
    }

    /// Appends the bounds of a page.
    pub(crate) fn push_page(&mut self, limit: i64, offset: i64) {
        self.push(" LIMIT ");
        self.bind(limit);
        self.push(" OFFSET ");
        self.bind(offset);
    }

    /// The value at `path` of the JSON in `column`, its path as parameters.
    fn json_value(&mut self, column: &str, path: &[String]) -> JsonValue {
        let steps: Vec<String> =
            self.dialect.json_path(path).into_iter().map(|step| self.reserve(step)).collect();
        JsonValue::at_path(self.dialect, column, &steps)
    }
}

/// Writes `expression` as a condition in parentheses.
pub(crate) fn write_expression(writer: &mut SqlWriter, expression: &Expression, resolver: &impl Resolve) {
    match expression {
        Expression::All(parts) => write_joined(writer, parts, (" AND ", "TRUE"), resolver),
        Expression::Any(parts) => write_joined(writer, parts, (" OR ", "FALSE"), resolver),
        Expression::None(parts) => {
            writer.push("NOT ");
            write_joined(writer, parts, (" OR ", "FALSE"), resolver);
        }
        Expression::Comparison(comparison) => {
            let operator = match comparison.operator {
                Operator::Ne => Operator::Eq,
                Operator::Nin => Operator::In,
                operator => operator,
            };
            writer.push(if operator == comparison.operator { "(" } else { "NOT (" });
            write_comparison(writer, resolver, &comparison.field, operator, &comparison.operand);
            writer.push(")");
        }
    }
}

fn write_joined(
    writer: &mut SqlWriter,
    parts: &[Expression],
    (separator, empty): (&str, &str),
    resolver: &impl Resolve,
) {
    writer.push("(");
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            writer.push(separator);
        }
        write_expression(writer, part, resolver);
    }
    if parts.is_empty() {
        writer.push(empty);
    }
    writer.push(")");
}

fn write_comparison(
    writer: &mut SqlWriter,
    resolver: &impl Resolve,
    field: &FieldRef,
    operator: Operator,
    operand: &Operand,
) {
    match (resolver.column(writer.dialect, field), field) {
        (Column::Text(sql) | Column::Integer(sql) | Column::Boolean(sql) | Column::Time(sql), _) => {
            write_scalar(writer, &sql, operator, operand);
        }
        (Column::TextList(column), _) => write_text_list(writer, column, operator, operand),
        (Column::Custom(column), FieldRef::Custom(path)) => {
            write_custom(writer, column, path, operator, operand);
        }
        (Column::Special, FieldRef::Builtin(field)) => {
            resolver.write_special(writer, field, operator, operand);
        }
        (Column::Custom(_), FieldRef::Builtin(_)) | (Column::Special, FieldRef::Custom(_)) => {
            debug_assert!(false, "{} is stored as another kind of field", field.name());
            writer.push("FALSE");
        }
    }
}

/// Writes a condition on a value of the operand's type that may be `NULL`. `IS NOT NULL AND` keeps it two-valued and,
/// unlike `COALESCE`, leaves an index on the column usable.
pub(crate) fn write_scalar(writer: &mut SqlWriter, sql: &str, operator: Operator, operand: &Operand) {
    writer.push(sql);
    match (operator, operand) {
        (Operator::Exists, Operand::Boolean(true)) => writer.push(" IS NOT NULL"),
        (Operator::Exists, _) | (Operator::Eq, Operand::Null) => writer.push(" IS NULL"),
        _ => {
            writer.push(" IS NOT NULL AND ");
            write_value_condition(writer, sql, operator, operand);
        }
    }
}

/// Writes a condition on a value of the operand's type, `NULL` when the value is.
fn write_value_condition(writer: &mut SqlWriter, sql: &str, operator: Operator, operand: &Operand) {
    let comparison = match operator {
        Operator::Eq | Operator::Contains => " = ",
        Operator::Gt => " > ",
        Operator::Gte => " >= ",
        Operator::Lt => " < ",
        Operator::Lte => " <= ",
        Operator::In => return write_in(writer, sql, operand),
        Operator::Autocomplete => return write_words(writer, "autocomplete", sql, operand),
        Operator::Q => return write_words(writer, "q", sql, operand),
        Operator::Any => return write_words(writer, "any", sql, operand),
        Operator::Ne | Operator::Nin | Operator::Exists => {
            debug_assert!(false, "{operator} is written elsewhere");
            return writer.push("FALSE");
        }
    };
    writer.push(sql);
    writer.push(comparison);
    writer.bind(param(operand));
}

fn write_in(writer: &mut SqlWriter, sql: &str, operand: &Operand) {
    let Operand::List(list) = operand else {
        return writer.push("FALSE");
    };
    match list.first() {
        None => writer.push("FALSE"),
        Some(Operand::Text(_)) => writer.push_in(sql, texts(list)),
        Some(Operand::Integer(_) | Operand::Time(_)) => writer.push_in(sql, integers(list)),
        Some(_) => {
            writer.push(sql);
            writer.push(" IN (");
            for (position, element) in list.iter().enumerate() {
                if position > 0 {
                    writer.push(", ");
                }
                writer.bind(param(element));
            }
            writer.push(")");
        }
    }
}

fn write_words(writer: &mut SqlWriter, mode: &str, sql: &str, operand: &Operand) {
    let Operand::Text(text) = operand else {
        return writer.push("FALSE");
    };
    writer.push(&format!("natterjack_words_match('{mode}', {sql}, "));
    writer.bind(words(text).collect::<Vec<_>>());
    writer.push(")");
}

fn write_text_list(writer: &mut SqlWriter, column: &str, operator: Operator, operand: &Operand) {
    let each = writer.dialect.json_texts(column);
    match (operator, operand) {
        (Operator::Exists, Operand::Boolean(true)) => writer.push(&format!("EXISTS (SELECT 1 FROM {each})")),
        (Operator::Exists, _) | (Operator::Eq, Operand::Null) => {
            writer.push(&format!("NOT EXISTS (SELECT 1 FROM {each})"));
        }
        (Operator::Contains | Operator::In, _) => {
            writer.push(&format!("EXISTS (SELECT 1 FROM {each} WHERE "));
            write_value_condition(writer, "each.value", operator, operand);
            writer.push(")");
        }
        (Operator::Eq, Operand::List(list)) => {
            // The operand has no repeats: as many different elements, and none outside of it.
            writer.push(&format!("(SELECT COUNT(DISTINCT each.value) FROM {each}) = "));
            writer.bind(list.len() as i64);
            writer.push(&format!(" AND NOT EXISTS (SELECT 1 FROM {each} WHERE NOT "));
            writer.push_in("each.value", texts(list));
            writer.push(")");
        }
        _ => writer.push("FALSE"),
    }
}

fn write_custom(
    writer: &mut SqlWriter,
    column: &str,
    path: &[String],
    operator: Operator,
    operand: &Operand,
) {
    let value = writer.json_value(column, path);
    match (operator, operand) {
        (Operator::Exists, Operand::Boolean(true)) => writer.push(&value.exists()),
        (Operator::Exists, _) | (Operator::Eq, Operand::Null) => {
            writer.push(&format!("NOT {}", value.exists()));
        }
        (Operator::Contains, _) => {
            let (elements, element) = value.elements();
            let is_array = value.is(JsonKind::Array);
            writer.push(&format!("CASE WHEN {is_array} THEN EXISTS (SELECT 1 FROM {elements} WHERE "));
            write_json_condition(writer, &element, operator, operand);
            writer.push(") ELSE FALSE END");
        }
        _ => write_json_condition(writer, &value, operator, operand),
    }
}

/// Writes a condition on a JSON value, false when it is of another type than the operand. `CASE` keeps the database
/// from converting a value before its type is known.
fn write_json_condition(writer: &mut SqlWriter, value: &JsonValue, operator: Operator, operand: &Operand) {
    let sample = match operand {
        Operand::List(list) => list.first(),
        operand => Some(operand),
    };
    let kind = match sample {
        Some(Operand::Text(_)) => JsonKind::Text,
        Some(Operand::Number(_)) => JsonKind::Number,
        Some(Operand::Boolean(_)) => JsonKind::Boolean,
        // An empty list. The condition still names the path, whose parameters are there already.
        _ => return writer.push(&format!("({} AND FALSE)", value.exists())),
    };
    writer.push(&format!("CASE WHEN {} THEN ", value.is(kind)));
    write_value_condition(writer, &value.get(kind), operator, operand);
    writer.push(" ELSE FALSE END");
}

/// Writes `ORDER BY` with `keys` and then `tie`, which is written as it is. Missing values come last either way.
pub(crate) fn write_order_by(writer: &mut SqlWriter, keys: &[SortKey], resolver: &impl Resolve, tie: &str) {
    writer.push(" ORDER BY ");
    for key in keys {
        let sql = match (resolver.column(writer.dialect, &key.field), &key.field) {
            (Column::Text(sql) | Column::Integer(sql) | Column::Boolean(sql) | Column::Time(sql), _) => sql,
            (Column::Custom(column), FieldRef::Custom(path)) => {
                let value = writer.json_value(column, path);
                custom_order(&value, key.kind).into()
            }
            _ => {
                debug_assert!(false, "{} cannot be sorted by", key.field.name());
                continue;
            }
        };
        writer.push(&sql);
        writer.push(if key.descending { " DESC NULLS LAST, " } else { " ASC NULLS LAST, " });
    }
    writer.push(tie);
}

fn custom_order(value: &JsonValue, kind: Option<CustomKind>) -> String {
    let kind = match kind {
        None => return value.as_text(),
        Some(CustomKind::Number) => JsonKind::Number,
        Some(CustomKind::Boolean) => JsonKind::Boolean,
    };
    format!("CASE WHEN {} THEN {} END", value.is(kind), value.get(kind))
}

/// The texts of a list operand.
pub(crate) fn texts(list: &[Operand]) -> Vec<String> {
    let text = |one: &Operand| if let Operand::Text(text) = one { Some(text.clone()) } else { None };
    list.iter().filter_map(text).collect()
}

fn integers(list: &[Operand]) -> Vec<i64> {
    let integer = |one: &Operand| match one {
        Operand::Integer(value) => Some(*value),
        Operand::Time(value) => Some(value.nanoseconds()),
        _ => None,
    };
    list.iter().filter_map(integer).collect()
}

pub(crate) fn param(operand: &Operand) -> Param<'static> {
    match operand {
        Operand::Boolean(value) => Param::Bool(*value),
        Operand::Integer(value) => Param::Int(*value),
        Operand::Number(value) => Param::Real(*value),
        Operand::Text(text) => Param::Owned(text.clone()),
        Operand::Time(value) => Param::Int(value.nanoseconds()),
        Operand::Null | Operand::List(_) => Param::Null,
    }
}
