use std::borrow::Cow;
use std::cmp::Ordering;

use natterjack_protocol::{JsonMap, Timestamp};
use serde_json::Value;

use crate::{Comparison, Expression, FieldRef, Kind, Operand, Operator, words};

/// A value that filters can be asked about.
pub trait Lookup {
    /// The value of the built-in field `name`, of the kind its schema gives it.
    fn builtin(&self, name: &str) -> FieldValue<'_>;

    /// The custom data, when there is any.
    fn custom(&self) -> Option<&JsonMap>;
}

/// The value of a built-in field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue<'a> {
    /// No value.
    Missing,
    /// True or false.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A float.
    Number(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// A moment.
    Time(Timestamp),
    /// The elements of a list field, or the several values of a text field. Empty: missing.
    TextList(Vec<Cow<'a, str>>),
}

impl FieldValue<'_> {
    fn is_missing(&self) -> bool {
        match self {
            Self::Missing => true,
            Self::TextList(elements) => elements.is_empty(),
            _ => false,
        }
    }
}

impl Expression {
    /// Whether `value` matches. The crate documentation says what each operator means.
    pub fn matches(&self, value: &impl Lookup) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(value)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(value)),
            Self::None(parts) => !parts.iter().any(|part| part.matches(value)),
            Self::Comparison(comparison) => comparison.matches(value),
        }
    }
}

impl Comparison {
    /// Whether `value` matches this comparison.
    pub fn matches(&self, value: &impl Lookup) -> bool {
        match self.operator {
            Operator::Ne => !self.holds(Operator::Eq, value),
            Operator::Nin => !self.holds(Operator::In, value),
            operator => self.holds(operator, value),
        }
    }

    /// Asks with `operator` in place of its own. Never `$ne` or `$nin`, which are complements of the answer.
    fn holds(&self, operator: Operator, value: &impl Lookup) -> bool {
        match &self.field {
            FieldRef::Builtin(field) => {
                let found = value.builtin(field.name);
                presence(operator, &self.operand, found.is_missing()).unwrap_or_else(|| {
                    match (field.kind, &found) {
                        (Kind::TextList, FieldValue::TextList(elements)) => {
                            list_holds(operator, &self.operand, elements)
                        }
                        (Kind::Text, FieldValue::TextList(values)) => values.iter().any(|text| {
                            scalar_holds(operator, &self.operand, &FieldValue::Text(Cow::Borrowed(text)))
                        }),
                        _ => scalar_holds(operator, &self.operand, &found),
                    }
                })
            }
            FieldRef::Custom(path) => {
                let found = value.custom().and_then(|custom| find(custom, path));
                presence(operator, &self.operand, found.is_none()).unwrap_or_else(|| {
                    match (operator, found) {
                        (Operator::Contains, Some(Value::Array(elements))) => elements
                            .iter()
                            .any(|element| compare(&scalar(element), &self.operand) == Some(Ordering::Equal)),
                        (Operator::Contains, _) | (_, None) => false,
                        (_, Some(found)) => scalar_holds(operator, &self.operand, &scalar(found)),
                    }
                })
            }
        }
    }
}

/// Decides the questions that depend only on whether there is a value.
fn presence(operator: Operator, operand: &Operand, missing: bool) -> Option<bool> {
    match (operator, operand) {
        (Operator::Exists, Operand::Boolean(wanted)) => Some(*wanted != missing),
        (Operator::Eq, Operand::Null) => Some(missing),
        _ if missing => Some(false),
        _ => None,
    }
}

/// Asks a set of texts. The operand of `$eq` is sorted and without repeats, the elements need not be.
fn list_holds(operator: Operator, operand: &Operand, elements: &[Cow<'_, str>]) -> bool {
    let wanted =
        |wanted: &Operand| matches!(wanted, Operand::Text(text) if elements.iter().any(|one| one == text));
    match (operator, operand) {
        (Operator::Contains, operand) => wanted(operand),
        (Operator::In, Operand::List(list)) => list.iter().any(wanted),
        (Operator::Eq, Operand::List(list)) => {
            let expected = |element: &Cow<'_, str>| {
                list.iter().any(|one| matches!(one, Operand::Text(text) if element == text))
            };
            list.iter().all(wanted) && elements.iter().all(expected)
        }
        _ => false,
    }
}

/// Asks one value that is there.
fn scalar_holds(operator: Operator, operand: &Operand, value: &FieldValue<'_>) -> bool {
    match operator {
        Operator::Eq => compare(value, operand) == Some(Ordering::Equal),
        Operator::Gt => compare(value, operand) == Some(Ordering::Greater),
        Operator::Gte => matches!(compare(value, operand), Some(Ordering::Greater | Ordering::Equal)),
        Operator::Lt => compare(value, operand) == Some(Ordering::Less),
        Operator::Lte => matches!(compare(value, operand), Some(Ordering::Less | Ordering::Equal)),
        Operator::In => {
            matches!(operand, Operand::List(list)
                if list.iter().any(|one| compare(value, one) == Some(Ordering::Equal)))
        }
        Operator::Autocomplete | Operator::Q | Operator::Any => match (value, operand) {
            (FieldValue::Text(text), Operand::Text(search)) => words_hold(operator, search, text),
            _ => false,
        },
        Operator::Ne | Operator::Nin | Operator::Exists | Operator::Contains => false,
    }
}

fn words_hold(operator: Operator, search: &str, text: &str) -> bool {
    let text: Vec<String> = words(text).collect();
    let mut search = words(search);
    match operator {
        Operator::Autocomplete => search.all(|start| text.iter().any(|word| word.starts_with(&start))),
        Operator::Any => search.any(|word| text.contains(&word)),
        _ => search.all(|word| text.contains(&word)),
    }
}

/// Orders two values of one type; `None` when the types differ.
fn compare(value: &FieldValue<'_>, operand: &Operand) -> Option<Ordering> {
    match (value, operand) {
        (FieldValue::Boolean(value), Operand::Boolean(operand)) => Some(value.cmp(operand)),
        (FieldValue::Integer(value), Operand::Integer(operand)) => Some(value.cmp(operand)),
        (FieldValue::Number(value), Operand::Number(operand)) => value.partial_cmp(operand),
        (FieldValue::Integer(value), Operand::Number(operand)) => (*value as f64).partial_cmp(operand),
        (FieldValue::Text(value), Operand::Text(operand)) => Some(value.as_ref().cmp(operand.as_str())),
        (FieldValue::Time(value), Operand::Time(operand)) => Some(value.cmp(operand)),
        _ => None,
    }
}

/// The custom value at `path`; `null` is none.
fn find<'a>(custom: &'a JsonMap, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(custom.get(first)?, |value, segment| value.as_object()?.get(segment))
        .filter(|found| !found.is_null())
}

/// A custom value as far as it compares: arrays and objects equal nothing.
fn scalar(value: &Value) -> FieldValue<'_> {
    match value {
        Value::Bool(value) => FieldValue::Boolean(*value),
        Value::Number(value) => value.as_f64().map_or(FieldValue::Missing, FieldValue::Number),
        Value::String(value) => FieldValue::Text(Cow::Borrowed(value)),
        Value::Null | Value::Array(_) | Value::Object(_) => FieldValue::Missing,
    }
}
