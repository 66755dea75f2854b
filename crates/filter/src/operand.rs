use natterjack_protocol::Timestamp;
use serde_json::{Number, Value};

use crate::error::clip;
use crate::{Field, FieldRef, Kind, Operand, Operator, Problem, limits, words};

/// Floats up to here hold every integer exactly.
const EXACT_FLOAT_MAX: f64 = 9_007_199_254_740_992.0;

/// What a custom field is compared with, in error texts.
const CUSTOM_EXPECTED: &str = "string, number or boolean";

/// Reads the operands of one field.
pub(crate) struct OperandReader<'a> {
    pub field: &'a FieldRef,
    /// Elements of the lists read so far, over the whole filter.
    pub list_elements: &'a mut usize,
}

impl OperandReader<'_> {
    /// Reads the operand of `operator`, in the form that [`Operand`] documents.
    pub fn read(mut self, operator: Operator, value: &Value) -> Result<Operand, Problem> {
        match operator {
            Operator::Eq | Operator::Ne => self.equal_to(value),
            Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte => self.scalar(value),
            Operator::In | Operator::Nin => self.list(value).map(Operand::List),
            Operator::Exists => value.as_bool().map(Operand::Boolean).ok_or(Problem::ExistsNotBoolean),
            Operator::Contains => self.element(value),
            Operator::Autocomplete | Operator::Q | Operator::Any => self.search(operator, value),
        }
    }

    fn equal_to(&mut self, value: &Value) -> Result<Operand, Problem> {
        match (self.field, value) {
            (FieldRef::Custom(_), Value::Null) => Ok(Operand::Null),
            (FieldRef::Builtin(field), Value::Null) if field.nullable => Ok(Operand::Null),
            (FieldRef::Builtin(Field { kind: Kind::TextList, .. }), Value::Array(_)) => {
                let mut texts = self.list(value)?;
                if texts.is_empty() {
                    // An empty list is a missing value.
                    return Ok(Operand::Null);
                }
                texts.sort_by(|one, other| text_of(one).cmp(text_of(other)));
                texts.dedup();
                Ok(Operand::List(texts))
            }
            (FieldRef::Builtin(Field { kind: Kind::TextList, .. }), Value::String(_)) => {
                Ok(Operand::List(vec![self.element(value)?]))
            }
            (FieldRef::Builtin(field @ Field { kind: Kind::TextList, .. }), _) => {
                Err(self.wrong_type(value, field.kind.expected()))
            }
            _ => self.known(value),
        }
    }

    fn list(&mut self, value: &Value) -> Result<Vec<Operand>, Problem> {
        let Value::Array(elements) = value else {
            return Err(self.wrong_type(value, "array"));
        };
        if elements.len() > limits::LIST_LENGTH_MAX {
            return Err(Problem::ListTooLong { field: self.name(), max: limits::LIST_LENGTH_MAX });
        }
        *self.list_elements += elements.len();
        if *self.list_elements > limits::LIST_TOTAL_MAX {
            return Err(Problem::ListsTooLong { max: limits::LIST_TOTAL_MAX });
        }
        let list = elements.iter().map(|element| self.known(element)).collect::<Result<Vec<_>, _>>()?;
        let same_type =
            |pair: &[Operand]| std::mem::discriminant(&pair[0]) == std::mem::discriminant(&pair[1]);
        if !list.windows(2).all(same_type) {
            return Err(Problem::MixedList { field: self.name() });
        }
        Ok(list)
    }

    /// Reads one value and checks it against the vocabulary of the field.
    fn known(&self, value: &Value) -> Result<Operand, Problem> {
        let operand = self.element(value)?;
        match (self.field, &operand) {
            (FieldRef::Builtin(Field { values: Some(allowed), .. }), Operand::Text(text))
                if !allowed.contains(&text.as_str()) =>
            {
                Err(Problem::UnknownValue { field: self.name(), allowed: allowed.join(", ") })
            }
            _ => Ok(operand),
        }
    }

    /// Reads one value of the field, one element for a list field.
    fn element(&self, value: &Value) -> Result<Operand, Problem> {
        match self.field {
            FieldRef::Builtin(Field { kind: Kind::TextList, .. }) => self.text(value),
            _ => self.scalar(value),
        }
    }

    fn scalar(&self, value: &Value) -> Result<Operand, Problem> {
        let FieldRef::Builtin(field) = self.field else {
            return match value {
                Value::String(_) => self.text(value),
                Value::Bool(value) => Ok(Operand::Boolean(*value)),
                Value::Number(number) => number
                    .as_f64()
                    .map(Operand::Number)
                    .ok_or_else(|| self.wrong_type(value, CUSTOM_EXPECTED)),
                _ => Err(self.wrong_type(value, CUSTOM_EXPECTED)),
            };
        };
        let operand = match (field.kind, value) {
            (Kind::Text, _) => return self.text(value),
            (Kind::Time, Value::String(text)) => {
                return Timestamp::parse_rfc3339(text)
                    .map(Operand::Time)
                    .map_err(|_| Problem::BadTime { field: self.name() });
            }
            (Kind::Time, Value::Number(number)) => {
                number.as_i64().map(|moment| Operand::Time(Timestamp::from_nanoseconds(moment)))
            }
            (Kind::Integer, Value::Number(number)) => integer(number).map(Operand::Integer),
            (Kind::Number, Value::Number(number)) => number.as_f64().map(Operand::Number),
            (Kind::Boolean, Value::Bool(value)) => Some(Operand::Boolean(*value)),
            _ => None,
        };
        operand.ok_or_else(|| self.wrong_type(value, field.kind.expected()))
    }

    fn search(&self, operator: Operator, value: &Value) -> Result<Operand, Problem> {
        let operand = self.text(value)?;
        match words(text_of(&operand)).count() {
            0 => Err(Problem::NoWords { field: self.name(), operator }),
            1..=limits::SEARCH_WORDS_MAX => Ok(operand),
            _ => Err(Problem::TooManyWords { field: self.name(), operator, max: limits::SEARCH_WORDS_MAX }),
        }
    }

    fn text(&self, value: &Value) -> Result<Operand, Problem> {
        let Value::String(text) = value else {
            return Err(self.wrong_type(value, "string"));
        };
        if text.chars().nth(limits::STRING_LENGTH_MAX).is_some() {
            return Err(Problem::TextTooLong { field: self.name(), max: limits::STRING_LENGTH_MAX });
        }
        if text.contains('\0') {
            return Err(Problem::NulCharacter { field: self.name() });
        }
        Ok(Operand::Text(text.clone()))
    }

    fn name(&self) -> String {
        clip(&self.field.name())
    }

    fn wrong_type(&self, value: &Value, expected: &'static str) -> Problem {
        Problem::WrongType { field: self.name(), found: type_name(value), expected }
    }
}

/// The integer that `number` is. `5.0` is one: some clients have no other way to write 5.
fn integer(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|_| number.is_f64())?;
        (float.fract() == 0.0 && float.abs() <= EXACT_FLOAT_MAX).then_some(float as i64)
    })
}

fn text_of(operand: &Operand) -> &str {
    match operand {
        Operand::Text(text) => text,
        _ => "",
    }
}

/// The JSON type of `value` in error texts.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
