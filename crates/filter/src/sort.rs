use natterjack_protocol::SortParam;

use crate::error::clip;
use crate::parse::resolve;
use crate::{FieldRef, FilterError, Problem, Schema};

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// What is ordered by.
    pub field: FieldRef,
    /// Largest first.
    pub descending: bool,
    /// How a custom field compares; `None` as text. Always `None` for built-in fields, whose kind decides.
    pub kind: Option<CustomKind>,
}

/// How a custom field compares in an order, other than as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomKind {
    /// As a 64-bit float.
    Number,
    /// `false` before `true`.
    Boolean,
}

/// Reads a sort list against `schema`. `max` is the number of entries the operation allows, usually
/// [`SORT_FIELDS_MAX`](crate::limits::SORT_FIELDS_MAX).
///
/// A direction that is absent or 0 is ascending. An empty list gives no keys: the operation's own order.
///
/// # Errors
/// Too many entries, a field that is absent, unknown, not sortable or named twice, a bad direction or type.
pub fn parse_sort(schema: &Schema, sort: &[SortParam], max: usize) -> Result<Vec<SortKey>, FilterError> {
    if sort.len() > max {
        return Err(FilterError { path: "sort".to_owned(), problem: Problem::TooManySortFields { max } });
    }
    let mut keys: Vec<SortKey> = Vec::with_capacity(sort.len());
    for (position, entry) in sort.iter().enumerate() {
        let error = |problem| FilterError { path: format!("sort[{position}]"), problem };
        let key = parse_key(schema, entry).map_err(error)?;
        if keys.iter().any(|earlier| earlier.field == key.field) {
            return Err(error(Problem::DuplicateSortField { field: clip(&key.field.name()) }));
        }
        keys.push(key);
    }
    Ok(keys)
}

fn parse_key(schema: &Schema, entry: &SortParam) -> Result<SortKey, Problem> {
    let name = entry.field.as_deref().filter(|name| !name.is_empty()).ok_or(Problem::SortWithoutField)?;
    let field = resolve(schema, name)?;
    if matches!(field, FieldRef::Builtin(field) if !field.sortable) {
        return Err(Problem::NotSortable { field: clip(name) });
    }
    let descending = match entry.direction {
        None | Some(0 | 1) => false,
        Some(-1) => true,
        Some(direction) => return Err(Problem::BadDirection { field: clip(name), direction }),
    };
    let kind = match entry.kind.as_deref() {
        None | Some("") => None,
        Some("number") => Some(CustomKind::Number),
        Some("boolean") => Some(CustomKind::Boolean),
        Some(_) => return Err(Problem::BadSortType { field: clip(name) }),
    };
    let kind = kind.filter(|_| matches!(field, FieldRef::Custom(_)));
    Ok(SortKey { field, descending, kind })
}
