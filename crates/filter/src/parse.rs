use natterjack_protocol::JsonMap;
use serde_json::Value;

use crate::error::clip;
use crate::operand::{OperandReader, type_name};
use crate::{Comparison, Expression, FieldRef, FilterError, Operator, Operators, Problem, Schema, limits};

/// Reads `filter` against `schema`.
///
/// # Errors
/// The first thing that is wrong, with its place in the filter.
pub fn parse(schema: &Schema, filter: &JsonMap) -> Result<Expression, FilterError> {
    let mut parser = Parser { schema, path: String::new(), comparisons: 0, list_elements: 0 };
    match parser.filter(filter, 0) {
        Ok(expression) => Ok(expression),
        // The path stands where the parser stopped.
        Err(problem) => Err(FilterError { path: parser.path, problem }),
    }
}

/// Reads the name of a field: built in, or custom where the schema has custom fields.
pub(crate) fn resolve(schema: &Schema, name: &str) -> Result<FieldRef, Problem> {
    if let Some(field) = schema.field(name) {
        return Ok(FieldRef::Builtin(field));
    }
    if schema.custom.is_none() {
        return Err(Problem::UnknownField { field: clip(name), resource: schema.resource });
    }
    // One character more than allowed is enough to know, however long the name is.
    let too_long = name.chars().nth(limits::FIELD_NAME_LENGTH_MAX).is_some();
    if too_long || name.split('.').nth(limits::PATH_SEGMENTS_MAX).is_some() {
        return Err(Problem::FieldNameTooLong {
            field: clip(name),
            max_characters: limits::FIELD_NAME_LENGTH_MAX,
            max_segments: limits::PATH_SEGMENTS_MAX,
        });
    }
    // What would need escaping inside a JSON path never gets near one.
    let bad = |character: char| matches!(character, '"' | '\\') || character.is_control();
    if name.starts_with('$') || name.contains(bad) || name.split('.').any(str::is_empty) {
        return Err(Problem::BadFieldName { field: clip(name) });
    }
    Ok(FieldRef::Custom(name.split('.').map(str::to_owned).collect()))
}

struct Parser<'a> {
    schema: &'a Schema,
    /// Where the parser is, in the form of [`FilterError::path`]. Left as it is on an error.
    path: String,
    comparisons: usize,
    list_elements: usize,
}

impl Parser<'_> {
    /// Reads an object of entries inside `depth` levels of `$and`, `$or`, `$nor`.
    fn filter(&mut self, filter: &JsonMap, depth: usize) -> Result<Expression, Problem> {
        if filter.is_empty() {
            // Otherwise a filter could be huge without a single comparison.
            self.count_comparison()?;
        }
        let mut parts = Vec::new();
        for (key, value) in filter {
            let outside = self.path.len();
            if outside > 0 {
                self.path.push('.');
            }
            self.path.push_str(&clip(key));
            match key.as_str() {
                "$and" => parts.push(Expression::All(self.branches("$and", value, depth)?)),
                "$or" => parts.push(Expression::Any(self.branches("$or", value, depth)?)),
                "$nor" => parts.push(Expression::None(self.branches("$nor", value, depth)?)),
                operator if operator.starts_with('$') => {
                    return Err(Problem::UnknownOperator { operator: clip(operator) });
                }
                field => self.field(field, value, &mut parts)?,
            }
            self.path.truncate(outside);
        }
        Ok(match <[Expression; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(parts) => Expression::All(parts),
        })
    }

    fn branches(
        &mut self,
        operator: &'static str,
        value: &Value,
        depth: usize,
    ) -> Result<Vec<Expression>, Problem> {
        if depth >= limits::DEPTH_MAX {
            return Err(Problem::TooDeep { max: limits::DEPTH_MAX });
        }
        let branches = match value {
            Value::Array(branches) if !branches.is_empty() => branches,
            _ => return Err(Problem::ExpectingBranches { operator }),
        };
        if branches.len() > limits::BRANCHES_MAX {
            return Err(Problem::TooManyBranches { operator, max: limits::BRANCHES_MAX });
        }
        let mut parts = Vec::with_capacity(branches.len());
        for (position, branch) in branches.iter().enumerate() {
            let outside = self.path.len();
            self.path.push_str(&format!("[{position}]"));
            let Value::Object(branch) = branch else {
                return Err(Problem::BranchNotObject { operator, found: type_name(branch) });
            };
            parts.push(self.filter(branch, depth + 1)?);
            self.path.truncate(outside);
        }
        Ok(parts)
    }

    fn field(&mut self, name: &str, value: &Value, parts: &mut Vec<Expression>) -> Result<(), Problem> {
        let field = resolve(self.schema, name)?;
        let allowed = match &field {
            FieldRef::Builtin(field) => field.accepted_operators(),
            FieldRef::Custom(_) => self.schema.custom.unwrap_or_default(),
        };
        if allowed.is_empty() {
            return Err(Problem::NotFilterable { field: clip(name) });
        }
        let Value::Object(operations) = value else {
            parts.push(self.comparison(field, allowed, Operator::Eq, value)?);
            return Ok(());
        };
        if operations.is_empty() {
            if matches!(field, FieldRef::Builtin(field) if field.open) {
                return Ok(());
            }
            return Err(Problem::ExpectingOperator { field: clip(name), allowed });
        }
        for (key, operand) in operations {
            let Some(operator) = Operator::from_name(key) else {
                return Err(if key.starts_with('$') {
                    Problem::UnknownFieldOperator { field: clip(name), operator: clip(key), allowed }
                } else {
                    Problem::ExpectingOperator { field: clip(name), allowed }
                });
            };
            parts.push(self.comparison(field.clone(), allowed, operator, operand)?);
        }
        Ok(())
    }

    fn comparison(
        &mut self,
        field: FieldRef,
        allowed: Operators,
        operator: Operator,
        operand: &Value,
    ) -> Result<Expression, Problem> {
        self.count_comparison()?;
        if !allowed.has(operator) {
            return Err(Problem::OperatorNotAllowed { field: clip(&field.name()), operator, allowed });
        }
        let operand = OperandReader { field: &field, list_elements: &mut self.list_elements }
            .read(operator, operand)?;
        Ok(Expression::Comparison(Comparison { field, operator, operand }))
    }

    fn count_comparison(&mut self) -> Result<(), Problem> {
        self.comparisons += 1;
        if self.comparisons > limits::NODES_MAX {
            return Err(Problem::TooManyConditions { max: limits::NODES_MAX });
        }
        Ok(())
    }
}
