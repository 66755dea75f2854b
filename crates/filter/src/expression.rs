use std::borrow::Cow;

use natterjack_protocol::Timestamp;

use crate::{Field, Operator};

/// A checked filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// All hold. Empty: true.
    All(Vec<Expression>),
    /// At least one holds. Empty: false.
    Any(Vec<Expression>),
    /// None holds (`$nor`). Empty: true.
    None(Vec<Expression>),
    /// One question to one field.
    Comparison(Comparison),
}

impl Expression {
    /// Whether it is the empty filter, which every value matches.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::All(parts) if parts.is_empty())
    }

    /// Every comparison at any depth, in the order they were written. For rules such as "this field needs a
    /// user".
    pub fn comparisons(&self) -> impl Iterator<Item = &Comparison> {
        self.walk(|_| true)
    }

    /// The comparisons that hold for everything that matches: the filter itself, or its parts that all hold.
    pub fn demands(&self) -> impl Iterator<Item = &Comparison> {
        self.walk(|within| matches!(within, Self::All(_)))
    }

    /// The comparisons within those expressions that are entered.
    fn walk(&self, enters: fn(&Self) -> bool) -> impl Iterator<Item = &Comparison> {
        let mut pending = vec![self];
        std::iter::from_fn(move || {
            while let Some(next) = pending.pop() {
                match next {
                    Self::Comparison(comparison) => return Some(comparison),
                    Self::All(parts) | Self::Any(parts) | Self::None(parts) if enters(next) => {
                        pending.extend(parts.iter().rev());
                    }
                    _ => {}
                }
            }
            None
        })
    }

    /// Whether any comparison asks the built-in field `name`.
    pub fn mentions(&self, name: &str) -> bool {
        self.comparisons().any(|comparison| comparison.field.builtin() == Some(name))
    }
}

/// One question to one field. The operand has the type its field and operator call for; see [`Operand`].
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What is asked.
    pub field: FieldRef,
    /// How it is compared.
    pub operator: Operator,
    /// What it is compared with.
    pub operand: Operand,
}

/// A field of a filter or a sort list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldRef {
    /// A field of the schema.
    Builtin(&'static Field),
    /// A path into custom data: at least one segment, none empty, none with `"`, `\` or a control character.
    Custom(Vec<String>),
}

impl FieldRef {
    /// The name of a field of the schema.
    pub fn builtin(&self) -> Option<&'static str> {
        match self {
            Self::Builtin(field) => Some(field.name),
            Self::Custom(_) => None,
        }
    }

    /// The name as the caller writes it.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Builtin(field) => Cow::Borrowed(field.name),
            Self::Custom(path) => Cow::Owned(path.join(".")),
        }
    }
}

/// What a field is compared with.
///
/// | field | `$eq` `$ne` | ordering | `$in` `$nin` |
/// |---|---|---|---|
/// | Text | `Text`, `Null` | `Text` | `List` of `Text` |
/// | Integer | `Integer`, `Null` | `Integer` | `List` of `Integer` |
/// | Number | `Number`, `Null` | `Number` | `List` of `Number` |
/// | Boolean | `Boolean`, `Null` | | `List` of `Boolean` |
/// | Time | `Time`, `Null` | `Time` | `List` of `Time` |
/// | TextList | `List` of `Text`, sorted, without repeats, never empty; `Null` for the empty set | | `List` of `Text` |
/// | custom | `Text`, `Number`, `Boolean`, `Null` | `Text`, `Number`, `Boolean` | `List` of one of these |
///
/// `$exists` has a `Boolean`. `$autocomplete`, `$q` and `$any` have a `Text` of at least one word.
/// `$contains` has a `Text`, on custom fields also a `Number` or a `Boolean`. Floats are finite. Text never
/// contains NUL.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// The missing value.
    Null,
    /// True or false.
    Boolean(bool),
    /// Compared with an integer field.
    Integer(i64),
    /// Compared with a number field or a custom number.
    Number(f64),
    /// Text.
    Text(String),
    /// A moment.
    Time(Timestamp),
    /// Several values of one type; no `Null` and no list in it.
    List(Vec<Operand>),
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Expression, FieldRef, Operand};
    use crate::{Field, Kind, Operator, Operators};

    static ID: Field = Field::new("id", Kind::Text, Operators::EQ);

    fn id(text: &str) -> Expression {
        Expression::Comparison(Comparison {
            field: FieldRef::Builtin(&ID),
            operator: Operator::Eq,
            operand: Operand::Text(text.to_owned()),
        })
    }

    #[test]
    fn comparisons_are_visited_in_order_at_any_depth() {
        let expression = Expression::All(vec![
            id("a"),
            Expression::None(vec![Expression::Any(vec![id("b"), id("c")]), id("d")]),
        ]);
        let seen: Vec<_> = expression.comparisons().map(|comparison| comparison.operand.clone()).collect();
        assert_eq!(seen, ["a", "b", "c", "d"].map(|text| Operand::Text(text.to_owned())));
        let demanded: Vec<_> = expression.demands().map(|comparison| comparison.operand.clone()).collect();
        assert_eq!(demanded, [Operand::Text("a".to_owned())]);
        assert!(expression.mentions("id"));
        assert!(!expression.mentions("cid"));
        assert!(!expression.is_empty());
        assert!(Expression::All(Vec::new()).is_empty());
        assert!(!Expression::Any(Vec::new()).is_empty());
    }
}
