use serde::Deserialize;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde_json::{Error, Result, Value};

use super::reserved::RESERVED;
use super::{CUSTOM, is_lent, keeps_custom};
use crate::JsonMap;

/// What a problem with a reserved field begins with; its name follows.
pub(super) const RESERVED_FIELD: &str = "reserved field ";

/// Reads a value from JSON text in version 1.
///
/// # Errors
/// When the text is not JSON, or not of this type.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    from_value(serde_json::from_slice(text)?)
}

/// Reads a value from JSON in version 1.
///
/// # Errors
/// When the JSON is not of this type.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    T::deserialize(Reader(value))
}

/// Reads version 1: what a type with custom data does not know is its custom data.
#[derive(Debug)]
pub struct Reader(pub Value);

impl Reader {
    /// The name of the field, when this is the problem that a reserved field was given.
    pub fn reserved_field(problem: &str) -> Option<&str> {
        problem.strip_prefix(RESERVED_FIELD)
    }

    fn invalid_type(&self, expected: &dyn de::Expected) -> Error {
        let unexpected = match &self.0 {
            Value::Null => de::Unexpected::Unit,
            Value::Bool(value) => de::Unexpected::Bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => de::Unexpected::Unsigned(number),
                (_, Some(number), _) => de::Unexpected::Signed(number),
                (.., number) => de::Unexpected::Float(number.unwrap_or_default()),
            },
            Value::String(text) => de::Unexpected::Str(text),
            Value::Array(_) => de::Unexpected::Seq,
            Value::Object(_) => de::Unexpected::Map,
        };
        de::Error::invalid_type(unexpected, expected)
    }
}

/// The fields of an object as the type has them, custom data under its name.
fn gather(
    type_name: &str,
    fields: &[&str],
    object: JsonMap,
) -> Result<impl Iterator<Item = (String, Reader, bool)> + use<>> {
    let reserved = RESERVED.iter().find(|reserved| reserved.type_name == type_name);
    let mut custom = JsonMap::new();
    let mut known = Vec::with_capacity(object.len() + 1);
    for (name, value) in object {
        if name == CUSTOM && value.is_object() {
            // Other objects stay as they are, so that a field of that name is refused when it is something else.
            if let Value::Object(given) = value {
                custom.extend(given);
            }
        } else if fields.contains(&name.as_str())
            && !is_lent(type_name, &name).is_some_and(|lent| lent.is_used(&value))
        {
            known.push((name, Reader(value), false));
        } else if reserved.is_some_and(|reserved| reserved.refused.contains(&name.as_str())) {
            return Err(de::Error::custom(format_args!("{RESERVED_FIELD}{name}")));
        } else if reserved.is_none_or(|reserved| !reserved.ignored.contains(&name.as_str())) {
            custom.insert(name, value);
        }
    }
    if !custom.is_empty() {
        known.push((CUSTOM.to_owned(), Reader(Value::Object(custom)), true));
    }
    Ok(known.into_iter())
}

macro_rules! forward {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.0.$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Error;

    forward! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_unit deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Array(elements) => visitor.visit_seq(Elements(elements.into_iter())),
            Value::Object(object) => visitor.visit_map(Entries::of(object)),
            scalar => scalar.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(Self(value)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        self.0.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name.starts_with("$serde_json::private::") {
            return self.0.deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Array(elements) => visitor.visit_seq(Elements(elements.into_iter())),
            other => Err(Self(other).invalid_type(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Object(object) => visitor.visit_map(Entries::of(object)),
            other => Err(Self(other).invalid_type(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.0 {
            Value::Object(object) if fields.contains(&CUSTOM) && !keeps_custom(name) => {
                visitor.visit_map(Entries::gathered(gather(name, fields, object)?))
            }
            Value::Object(object) => visitor.visit_map(Entries::of(object)),
            other => Err(Self(other).invalid_type(&visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.0 {
            Value::Object(object) => {
                let mut entries = object.into_iter();
                match (entries.next(), entries.next()) {
                    (Some((variant, value)), None) => visitor.visit_enum(Variant(variant, Self(value))),
                    _ => Err(de::Error::invalid_value(de::Unexpected::Map, &"an object of one entry")),
                }
            }
            other => other.deserialize_enum(name, variants, visitor),
        }
    }
}

impl<'de> IntoDeserializer<'de, Error> for Reader {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The elements of a list.
struct Elements(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Elements {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.0.next().map(|element| seed.deserialize(Reader(element))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// The entries of an object. Custom data is read as it stands: its own entries are nobody's fields.
struct Entries {
    entries: std::vec::IntoIter<(String, Reader, bool)>,
    value: Option<(Reader, bool)>,
}

impl Entries {
    fn of(object: JsonMap) -> Self {
        let entries: Vec<_> = object.into_iter().map(|(key, value)| (key, Reader(value), false)).collect();
        Self { entries: entries.into_iter(), value: None }
    }

    fn gathered(entries: impl Iterator<Item = (String, Reader, bool)>) -> Self {
        Self { entries: entries.collect::<Vec<_>>().into_iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some((key, value, is_custom)) = self.entries.next() else { return Ok(None) };
        self.value = Some((value, is_custom));
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        match self.value.take() {
            Some((Reader(custom), true)) => seed.deserialize(custom),
            Some((value, false)) => seed.deserialize(value),
            None => Err(de::Error::custom("a value without a key")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A variant that holds something.
struct Variant(String, Reader);

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Reader;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Reader)> {
        let name: de::value::StringDeserializer<Error> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, self.1))
    }
}

impl<'de> VariantAccess<'de> for Reader {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        <()>::deserialize(self)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_struct("", fields, visitor)
    }
}
