//! Bounds on what a caller may ask. Whoever exceeds one gets an error that names it.

/// Levels of `$and`, `$or` and `$nor` inside one another. People write two or three; reading and compiling
/// recurse.
pub const DEPTH_MAX: usize = 10;

/// Comparisons in one filter, an empty branch counting as one. Each becomes a condition the database plans.
pub const NODES_MAX: usize = 100;

/// Branches of one `$and`, `$or` or `$nor`.
pub const BRANCHES_MAX: usize = 100;

/// Elements of one list operand.
pub const LIST_LENGTH_MAX: usize = 1000;

/// Elements of all list operands of one filter together. Below the number of parameters either database
/// takes.
pub const LIST_TOTAL_MAX: usize = 5000;

/// Characters of one text operand.
pub const STRING_LENGTH_MAX: usize = 2048;

/// Words of one `$autocomplete`, `$q` or `$any` operand.
pub const SEARCH_WORDS_MAX: usize = 64;

/// Characters of the name of a custom field, dots included.
pub const FIELD_NAME_LENGTH_MAX: usize = 255;

/// Segments of the dotted name of a custom field.
pub const PATH_SEGMENTS_MAX: usize = 8;

/// Entries of a sort list, where the operation does not set another maximum.
pub const SORT_FIELDS_MAX: usize = 5;
