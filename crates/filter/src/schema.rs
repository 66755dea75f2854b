use std::fmt;

/// What may be asked of one resource.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Name of the resource in error texts: `channels`, `users`.
    pub resource: &'static str,
    /// The built-in fields. Names are unique.
    pub fields: &'static [Field],
    /// Operators on custom fields. `None`: the resource has no custom fields, other names are errors.
    pub custom: Option<Operators>,
}

impl Schema {
    /// The built-in field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A built-in field.
///
/// ```
/// use natterjack_filter::{Field, Kind, Operators};
///
/// const INVITE: Field =
///     Field::new("invite", Kind::Text, Operators::EQ).values(&["pending", "accepted", "rejected"]);
/// const PINNED_AT: Field = Field::new("pinned_at", Kind::Time, Operators::NONE).sortable();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Name in filters and sort lists; may contain dots.
    pub name: &'static str,
    /// Type of its values.
    pub kind: Kind,
    /// Operators a filter may use. [`Operators::NONE`]: the field can only be sorted by.
    pub operators: Operators,
    /// Whether a sort list may name it.
    pub sortable: bool,
    /// Whether `$eq` and `$ne` take `null`.
    pub nullable: bool,
    /// The only values `$eq`, `$ne`, `$in` and `$nin` take, for text of a fixed vocabulary.
    pub values: Option<&'static [&'static str]>,
    /// Whether a filter may ask nothing of it, as in `{"team": {}}`.
    pub open: bool,
}

impl Field {
    /// A field that cannot be sorted by, is never `null` and takes any value of its kind.
    pub const fn new(name: &'static str, kind: Kind, operators: Operators) -> Self {
        Self { name, kind, operators, sortable: false, nullable: false, values: None, open: false }
    }

    /// This field, allowed in sort lists.
    #[must_use]
    pub const fn sortable(self) -> Self {
        Self { sortable: true, ..self }
    }

    /// This field, comparable with `null`.
    #[must_use]
    pub const fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// This field, limited to `values`.
    #[must_use]
    pub const fn values(self, values: &'static [&'static str]) -> Self {
        Self { values: Some(values), ..self }
    }

    /// This field, of which a filter may ask nothing.
    #[must_use]
    pub const fn open(self) -> Self {
        Self { open: true, ..self }
    }

    /// The operators a filter may really use: those of the schema that its kind has a meaning for.
    pub const fn accepted_operators(&self) -> Operators {
        self.operators.intersection(self.kind.operators())
    }
}

/// Type of a built-in field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A 64-bit integer.
    Integer,
    /// A 64-bit float.
    Number,
    /// True or false.
    Boolean,
    /// A moment in nanoseconds.
    Time,
    /// A set of texts: members, teams, tags.
    TextList,
}

impl Kind {
    /// The operators that have a meaning for values of this kind.
    pub const fn operators(self) -> Operators {
        let any_kind =
            Operators::EQUALITY.union(Operators::NE).union(Operators::NIN).union(Operators::EXISTS);
        match self {
            Self::Text => any_kind.union(Operators::ORDERING).union(Operators::WORDS),
            Self::Integer | Self::Number | Self::Time => any_kind.union(Operators::ORDERING),
            Self::Boolean => any_kind,
            Self::TextList => any_kind.union(Operators::CONTAINS),
        }
    }

    /// How an error text names what it expects.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Time => "RFC 3339 time or integer of nanoseconds",
            Self::TextList => "array of strings",
        }
    }
}

/// What a comparison asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `$eq`: equal.
    Eq,
    /// `$ne`: complement of `$eq`.
    Ne,
    /// `$gt`: greater.
    Gt,
    /// `$gte`: greater or equal.
    Gte,
    /// `$lt`: less.
    Lt,
    /// `$lte`: less or equal.
    Lte,
    /// `$in`: equal to one of a list.
    In,
    /// `$nin`: complement of `$in`.
    Nin,
    /// `$exists`: whether there is a value.
    Exists,
    /// `$contains`: the list has this element.
    Contains,
    /// `$autocomplete`: each word begins some word of the value.
    Autocomplete,
    /// `$q`: each word is a word of the value.
    Q,
    /// `$any`: one of the words is a word of the value.
    Any,
}

impl Operator {
    /// Every operator, in the order error texts list them.
    pub const ALL: [Self; 13] = [
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::In,
        Self::Nin,
        Self::Exists,
        Self::Contains,
        Self::Autocomplete,
        Self::Q,
        Self::Any,
    ];

    /// Its spelling in a filter, such as `$eq`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eq => "$eq",
            Self::Ne => "$ne",
            Self::Gt => "$gt",
            Self::Gte => "$gte",
            Self::Lt => "$lt",
            Self::Lte => "$lte",
            Self::In => "$in",
            Self::Nin => "$nin",
            Self::Exists => "$exists",
            Self::Contains => "$contains",
            Self::Autocomplete => "$autocomplete",
            Self::Q => "$q",
            Self::Any => "$any",
        }
    }

    /// The operator spelled `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.name() == name)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A set of operators.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Operators(u16);

impl Operators {
    /// No operator.
    pub const NONE: Self = Self(0);
    /// `$eq`.
    pub const EQ: Self = Self::of(Operator::Eq);
    /// `$ne`.
    pub const NE: Self = Self::of(Operator::Ne);
    /// `$gt`.
    pub const GT: Self = Self::of(Operator::Gt);
    /// `$gte`.
    pub const GTE: Self = Self::of(Operator::Gte);
    /// `$lt`.
    pub const LT: Self = Self::of(Operator::Lt);
    /// `$lte`.
    pub const LTE: Self = Self::of(Operator::Lte);
    /// `$in`.
    pub const IN: Self = Self::of(Operator::In);
    /// `$nin`.
    pub const NIN: Self = Self::of(Operator::Nin);
    /// `$exists`.
    pub const EXISTS: Self = Self::of(Operator::Exists);
    /// `$contains`.
    pub const CONTAINS: Self = Self::of(Operator::Contains);
    /// `$autocomplete`.
    pub const AUTOCOMPLETE: Self = Self::of(Operator::Autocomplete);
    /// `$q`.
    pub const Q: Self = Self::of(Operator::Q);
    /// `$any`.
    pub const ANY: Self = Self::of(Operator::Any);

    /// `$gt $gte $lt $lte`.
    pub const ORDERING: Self = Self::GT.union(Self::GTE).union(Self::LT).union(Self::LTE);
    /// `$eq $gt $gte $lt $lte`.
    pub const COMPARISON: Self = Self::EQ.union(Self::ORDERING);
    /// `$eq $in`.
    pub const EQUALITY: Self = Self::EQ.union(Self::IN);
    /// `$autocomplete $q $any`.
    pub const WORDS: Self = Self::AUTOCOMPLETE.union(Self::Q).union(Self::ANY);
    /// Every operator.
    pub const ALL: Self = Self::COMPARISON
        .union(Self::NE)
        .union(Self::IN)
        .union(Self::NIN)
        .union(Self::EXISTS)
        .union(Self::CONTAINS)
        .union(Self::WORDS);

    /// Only `operator`.
    pub const fn of(operator: Operator) -> Self {
        Self(1 << operator as u16)
    }

    /// The operators in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The operators in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether every operator of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether `operator` is in this set.
    pub const fn has(self, operator: Operator) -> bool {
        self.contains(Self::of(operator))
    }

    /// Whether there is no operator in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The operators, in the order of [`Operator::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Operator> {
        Operator::ALL.into_iter().filter(move |operator| self.has(*operator))
    }
}

/// Prints `$eq, $in`.
impl fmt::Display for Operators {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, operator) in self.iter().enumerate() {
            if position > 0 {
                formatter.write_str(", ")?;
            }
            formatter.write_str(operator.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Operators {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Operators({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Kind, Operator, Operators};

    #[test]
    fn every_operator_has_its_own_bit_and_name() {
        for operator in Operator::ALL {
            assert_eq!(Operators::of(operator).iter().collect::<Vec<_>>(), [operator]);
            assert_eq!(Operator::from_name(operator.name()), Some(operator));
            assert!(Operators::ALL.has(operator));
            assert!(!Operators::NONE.has(operator));
        }
        assert_eq!(Operator::from_name("$where"), None);
        assert_eq!(Operator::from_name("eq"), None);
    }

    #[test]
    fn sets_print_in_a_fixed_order() {
        assert_eq!(Operators::IN.union(Operators::EQ).to_string(), "$eq, $in");
        assert_eq!(Operators::COMPARISON.to_string(), "$eq, $gt, $gte, $lt, $lte");
        assert!(Operators::COMPARISON.contains(Operators::ORDERING));
        assert!(!Operators::ORDERING.contains(Operators::COMPARISON));
    }

    #[test]
    fn operators_without_meaning_for_the_kind_are_not_accepted() {
        let field = Field::new("teams", Kind::TextList, Operators::ALL);
        assert!(!field.accepted_operators().has(Operator::Gt));
        assert!(!field.accepted_operators().has(Operator::Q));
        assert!(field.accepted_operators().has(Operator::Contains));
        assert!(!Field::new("id", Kind::Text, Operators::EQ).accepted_operators().has(Operator::In));
    }
}
