use crate::{Operator, Operators};

/// A filter or sort list that cannot be used, through the caller's fault.
///
/// Its text is written for the caller and names the field or operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct FilterError {
    /// Where it stands: `$and[1].created_at`, `sort[0]`; empty for the whole filter.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a filter or sort list. Names taken from the caller are clipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the text of each variant says what its fields are")]
pub enum Problem {
    /// More levels than [`DEPTH_MAX`](crate::limits::DEPTH_MAX).
    #[error("filter is nested too deeply; at most {max} levels of $and, $or and $nor")]
    TooDeep { max: usize },
    /// More comparisons than [`NODES_MAX`](crate::limits::NODES_MAX).
    #[error("filter has too many conditions; at most {max}")]
    TooManyConditions { max: usize },
    /// More branches than [`BRANCHES_MAX`](crate::limits::BRANCHES_MAX).
    #[error("{operator} has too many filters; at most {max}")]
    TooManyBranches { operator: &'static str, max: usize },
    /// A list beyond [`LIST_LENGTH_MAX`](crate::limits::LIST_LENGTH_MAX).
    #[error("list for field `{field}` is too long; at most {max} values")]
    ListTooLong { field: String, max: usize },
    /// Lists together beyond [`LIST_TOTAL_MAX`](crate::limits::LIST_TOTAL_MAX).
    #[error("lists of the filter are too long; at most {max} values in total")]
    ListsTooLong { max: usize },
    /// Text beyond [`STRING_LENGTH_MAX`](crate::limits::STRING_LENGTH_MAX).
    #[error("text for field `{field}` is too long; at most {max} characters")]
    TextTooLong { field: String, max: usize },
    /// Search text beyond [`SEARCH_WORDS_MAX`](crate::limits::SEARCH_WORDS_MAX).
    #[error("operator {operator} for field `{field}` has too many words; at most {max}")]
    TooManyWords { field: String, operator: Operator, max: usize },
    /// `$and`, `$or` or `$nor` without a list of filters.
    #[error("{operator} expects a non-empty array of filters")]
    ExpectingBranches { operator: &'static str },
    /// A branch that is not an object.
    #[error("{operator} contains type {found}. expecting object")]
    BranchNotObject { operator: &'static str, found: &'static str },
    /// A key that begins with `$` where no such operator may stand.
    #[error("unknown operator {operator}")]
    UnknownOperator { operator: String },
    /// Like `UnknownOperator`, below a field.
    #[error("unknown operator {operator} for field `{field}`; allowed: {allowed}")]
    UnknownFieldOperator { field: String, operator: String, allowed: Operators },
    /// An operator that this field does not have.
    #[error("operator {operator} is not supported for field `{field}`; allowed: {allowed}")]
    OperatorNotAllowed { field: String, operator: Operator, allowed: Operators },
    /// A name that is neither built in nor allowed as custom.
    #[error("unknown field `{field}` for {resource}")]
    UnknownField { field: String, resource: &'static str },
    /// A field that can only be sorted by.
    #[error("field `{field}` cannot be used in a filter")]
    NotFilterable { field: String },
    /// A custom field name that is not a dotted path.
    #[error("field name `{field}` is not valid")]
    BadFieldName { field: String },
    /// A custom field name beyond the limits on its length.
    #[error(
        "field name `{field}` is too long; at most {max_characters} characters and {max_segments} segments"
    )]
    FieldNameTooLong { field: String, max_characters: usize, max_segments: usize },
    /// An operand object that holds no operator.
    #[error("field `{field}` contains type object. expecting a value or an operator; allowed: {allowed}")]
    ExpectingOperator { field: String, allowed: Operators },
    /// An operand of another type.
    #[error("field `{field}` contains type {found}. expecting {expected}")]
    WrongType { field: String, found: &'static str, expected: &'static str },
    /// A string that is not a time.
    #[error("field `{field}` contains a string that is not an RFC 3339 time")]
    BadTime { field: String },
    /// A value outside the fixed vocabulary of the field.
    #[error("field `{field}` contains an unknown value; allowed: {allowed}")]
    UnknownValue { field: String, allowed: String },
    /// A list of several types.
    #[error("list for field `{field}` contains values of different types")]
    MixedList { field: String },
    /// `$exists` without a boolean.
    #[error("$exists operator only support boolean values")]
    ExistsNotBoolean,
    /// A search text without a word.
    #[error("operator {operator} for field `{field}` expects at least one letter or digit")]
    NoWords { field: String, operator: Operator },
    /// Text with a NUL character, which databases cannot hold.
    #[error("text for field `{field}` contains a NUL character")]
    NulCharacter { field: String },
    /// A sort entry without a field.
    #[error("sort entry has no field")]
    SortWithoutField,
    /// A field that cannot be sorted by.
    #[error("cannot sort by field `{field}`")]
    NotSortable { field: String },
    /// A direction other than 1 and -1.
    #[error("direction {direction} for sort field `{field}` is not valid; allowed: 1, -1")]
    BadDirection { field: String, direction: i32 },
    /// A type other than `number` and `boolean`.
    #[error("type of sort field `{field}` is not valid; allowed: number, boolean")]
    BadSortType { field: String },
    /// More entries than the operation allows.
    #[error("sort has too many fields; at most {max}")]
    TooManySortFields { max: usize },
    /// The same field twice.
    #[error("sort names field `{field}` twice")]
    DuplicateSortField { field: String },
}

/// The start of a name from the caller, short enough for an error text.
pub(crate) fn clip(name: &str) -> String {
    const CHARACTERS_MAX: usize = 64;
    match name.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::clip;

    #[test]
    fn long_names_are_clipped_between_characters() {
        assert_eq!(clip("cid"), "cid");
        assert_eq!(clip(&"é".repeat(64)), "é".repeat(64));
        assert_eq!(clip(&"é".repeat(65)), "é".repeat(64) + "…");
    }
}
