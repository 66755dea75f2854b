//! The conditions of custom permissions: a filter whose fields are those of the subject and of the resource.

use std::cmp::Ordering;

use natterjack_protocol::JsonMap;
use serde_json::Value;

use crate::error::{Error, Result};

/// Objects inside each other that a condition may have.
const DEPTH_MAX: usize = 5;
const OPERATORS: [&str; 9] = ["$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$exists"];

/// Refuses a condition that could not be evaluated.
pub(crate) fn check(condition: &JsonMap) -> Result<()> {
    check_at(condition, 1)
}

fn check_at(condition: &JsonMap, depth: usize) -> Result<()> {
    if depth > DEPTH_MAX {
        return Err(Error::field("condition", format!("is more than {DEPTH_MAX} levels deep")));
    }
    for (key, operand) in condition {
        match key.as_str() {
            "$and" | "$or" => {
                let parts = operand.as_array().filter(|parts| !parts.is_empty());
                let parts = parts.ok_or_else(|| {
                    Error::field("condition", format!("has {key} without a list of conditions"))
                })?;
                for part in parts {
                    let part = part.as_object().ok_or_else(|| {
                        Error::field("condition", format!("has something else than conditions in {key}"))
                    })?;
                    check_at(part, depth + 1)?;
                }
            }
            path if path_of(path).is_some() => check_operand(path, operand)?,
            other => {
                return Err(Error::field(
                    "condition",
                    format!("names {other:?}; fields begin with $subject. or $resource."),
                ));
            }
        }
    }
    Ok(())
}

fn check_operand(path: &str, operand: &Value) -> Result<()> {
    let Value::Object(operators) = operand else { return Ok(()) };
    for (operator, value) in operators {
        let fits = match operator.as_str() {
            "$in" | "$nin" => value.is_array() || value.as_str().and_then(path_of).is_some(),
            "$exists" => value.is_boolean(),
            known => OPERATORS.contains(&known),
        };
        if !fits {
            return Err(Error::field(
                "condition",
                format!("has an operator that does not fit at {path}: {operator}"),
            ));
        }
    }
    Ok(())
}

/// Which of the two objects a path leads into, and where.
fn path_of(path: &str) -> Option<(bool, &str)> {
    let rest = path.strip_prefix("$subject.").map(|rest| (true, rest));
    rest.or_else(|| path.strip_prefix("$resource.").map(|rest| (false, rest)))
}

/// Whether the condition holds between a subject and a resource.
pub(crate) fn holds(condition: &JsonMap, subject: &Value, resource: &Value) -> bool {
    condition.iter().all(|(key, operand)| match key.as_str() {
        "$and" => parts(operand).all(|part| holds(part, subject, resource)),
        "$or" => parts(operand).any(|part| holds(part, subject, resource)),
        path => {
            let found = resolve(path, subject, resource);
            match operand {
                Value::Object(operators) => operators
                    .iter()
                    .all(|(operator, operand)| applies(operator, found, operand, subject, resource)),
                operand => applies("$eq", found, operand, subject, resource),
            }
        }
    })
}

/// Whether it depends on a field, such as `$resource.member_count`, what is true of it.
pub(crate) fn names(condition: &JsonMap, field: &str) -> bool {
    condition.iter().any(|(key, operand)| match key.as_str() {
        "$and" | "$or" => parts(operand).any(|part| names(part, field)),
        key => {
            let is_field = |value: &Value| value.as_str() == Some(field);
            key == field
                || is_field(operand)
                || operand.as_object().is_some_and(|of| of.values().any(is_field))
        }
    })
}

fn parts(operand: &Value) -> impl Iterator<Item = &JsonMap> {
    operand.as_array().into_iter().flatten().filter_map(Value::as_object)
}

fn resolve<'a>(path: &str, subject: &'a Value, resource: &'a Value) -> Option<&'a Value> {
    let (of_subject, path) = path_of(path)?;
    let object = if of_subject { subject } else { resource };
    path.split('.').try_fold(object, |value, key| value.get(key)).filter(|value| !value.is_null())
}

fn applies(
    operator: &str,
    found: Option<&Value>,
    operand: &Value,
    subject: &Value,
    resource: &Value,
) -> bool {
    // An operand may itself be a field.
    let wanted = match operand {
        Value::String(path) if path_of(path).is_some() => resolve(path, subject, resource),
        operand => Some(operand),
    };
    let is_in = || {
        let list = wanted.and_then(Value::as_array);
        list.is_some_and(|list| found.is_some_and(|found| list.contains(found)))
    };
    let compared = || order(found?, wanted?);
    match operator {
        "$eq" => found.is_some() && found == wanted,
        "$ne" => found != wanted,
        "$in" => is_in(),
        "$nin" => !is_in(),
        "$gt" => compared() == Some(Ordering::Greater),
        "$gte" => compared().is_some_and(Ordering::is_ge),
        "$lt" => compared() == Some(Ordering::Less),
        "$lte" => compared().is_some_and(Ordering::is_le),
        "$exists" => Some(found.is_some()) == operand.as_bool(),
        _ => false,
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{check, holds, names};

    fn evaluate(condition: &Value) -> bool {
        let condition = condition.as_object().unwrap();
        check(condition).unwrap();
        let subject = json!({ "id": "jane", "rank": 3, "desk": { "city": "Oslo" }, "teams": ["red"] });
        let resource = json!({
            "id": "general", "created_by_id": "jane", "level": 2, "frozen": false, "team": "red"
        });
        holds(condition, &subject, &resource)
    }

    #[test]
    fn compares_fields_with_values_and_with_each_other() {
        for (condition, holds) in [
            (json!({ "$subject.rank": 3 }), true),
            (json!({ "$subject.rank": 4 }), false),
            (json!({ "$subject.desk.city": { "$in": ["Oslo", "Rome"] } }), true),
            (json!({ "$resource.team": { "$in": "$subject.teams" } }), true),
            (json!({ "$resource.id": { "$in": "$subject.teams" } }), false),
            (json!({ "$subject.missing": { "$exists": false } }), true),
            (json!({ "$subject.missing": 1 }), false),
            (json!({ "$resource.created_by_id": "$subject.id" }), true),
            (json!({ "$subject.rank": { "$gt": "$resource.level" } }), true),
            (json!({ "$subject.rank": { "$gte": 1, "$lt": 3 } }), false),
            (json!({ "$or": [{ "$subject.id": "joe" }, { "$resource.frozen": false }] }), true),
            (json!({ "$and": [{ "$subject.id": "joe" }, { "$resource.frozen": false }] }), false),
        ] {
            assert_eq!(evaluate(&condition), holds, "{condition}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_evaluate() {
        for condition in [
            json!({ "rank": 3 }),
            json!({ "$subject.rank": { "$near": 3 } }),
            json!({ "$subject.rank": { "$in": 3 } }),
            json!({ "$subject.rank": { "$in": "Oslo" } }),
            json!({ "$and": [] }),
            json!({ "$or": [3] }),
        ] {
            assert!(check(condition.as_object().unwrap()).is_err(), "{condition}");
        }
    }

    #[test]
    fn says_which_fields_it_names() {
        for (condition, expected) in [
            (json!({ "$resource.member_count": 2 }), true),
            (json!({ "$resource.member_count": { "$lt": 2 } }), true),
            (json!({ "$subject.rank": "$resource.member_count" }), true),
            (json!({ "$subject.rank": { "$lt": 5, "$gt": "$resource.member_count" } }), true),
            (json!({ "$or": [{ "$subject.rank": 2 }, { "$and": [{ "$resource.member_count": 2 }] }] }), true),
            (json!({ "$subject.member_count": 2 }), false),
            (json!({ "$resource.level": { "$lt": 2 }, "$subject.rank": 3 }), false),
        ] {
            assert_eq!(
                names(condition.as_object().unwrap(), "$resource.member_count"),
                expected,
                "{condition}"
            );
        }
    }
}
