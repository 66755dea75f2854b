use std::io::Write;

use serde::ser::{
    self, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::{Error, Value};

use super::{CUSTOM, NULL_WHEN_EMPTY, is_lent, keeps_custom};
use crate::Timestamp;

type Result<T, E = Error> = std::result::Result<T, E>;

/// What serde_json calls the types that it treats in a way of its own.
const PRIVATE: &str = "$serde_json::private::";
/// As many fields as a message has.
const FIELDS_USUAL: usize = 64;

/// A value as JSON text.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut text = Vec::with_capacity(512);
    to_writer(&mut text, value)?;
    Ok(text)
}

/// Writes a value as JSON text.
///
/// # Errors
/// When the value cannot be written as JSON, or the writer fails.
pub fn to_writer<W: Write, T: Serialize + ?Sized>(writer: W, value: &T) -> Result<()> {
    let mut serializer = serde_json::Serializer::new(writer);
    value.serialize(V1(&mut serializer))
}

/// A value as JSON in memory.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    serde_json::from_slice(&to_vec(value)?)
}

/// Writes in version 1 through a serializer of JSON.
struct V1<S>(S);

/// A value, written in version 1 by whatever serializer it is given.
struct Nested<'v, T: ?Sized>(&'v T);

impl<T: Serialize + ?Sized> Serialize for Nested<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(V1(serializer))
    }
}

macro_rules! forward {
    ($($name:ident: $type:ty),* $(,)?) => {
        $(fn $name(self, value: $type) -> Result<S::Ok, S::Error> {
            self.0.$name(value)
        })*
    };
}

impl<S: Serializer> Serializer for V1<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = V1<S::SerializeSeq>;
    type SerializeTuple = V1<S::SerializeTuple>;
    type SerializeTupleStruct = V1<S::SerializeTupleStruct>;
    type SerializeTupleVariant = V1<S::SerializeTupleVariant>;
    type SerializeMap = V1<S::SerializeMap>;
    type SerializeStruct = Fields<S::SerializeMap, S::SerializeStruct>;
    type SerializeStructVariant = V1<S::SerializeStructVariant>;

    forward! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_f32: f32, serialize_f64: f64, serialize_char: char, serialize_str: &str,
        serialize_bytes: &[u8], serialize_unit_struct: &'static str,
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Nested(value))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        if name == NULL_WHEN_EMPTY {
            return self.0.serialize_none();
        }
        if name != Timestamp::NEWTYPE_NAME {
            return self.0.serialize_newtype_struct(name, &Nested(value));
        }
        let nanoseconds = value.serialize(Nanoseconds).map_err(ser::Error::custom)?;
        self.0.collect_str(&Timestamp::from_nanoseconds(nanoseconds))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_variant(name, index, variant, &Nested(value))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.0.serialize_seq(length).map(V1)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.0.serialize_tuple(length).map(V1)
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.0.serialize_tuple_struct(name, length).map(V1)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.0.serialize_tuple_variant(name, index, variant, length).map(V1)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.0.serialize_map(length).map(V1)
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        if name.starts_with(PRIVATE) {
            return self.0.serialize_struct(name, length).map(Fields::AsTheyAre);
        }
        // A map, for the names of custom data are known only now.
        let map = self.0.serialize_map(None)?;
        Ok(Fields::Beside(Flat {
            map,
            type_name: name,
            keeps_custom: keeps_custom(name),
            names: Vec::with_capacity(FIELDS_USUAL),
            custom: Vec::new(),
        }))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.0.serialize_struct_variant(name, index, variant, length).map(V1)
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.collect_str(value)
    }
}

/// The fields of a struct.
enum Fields<M, S> {
    /// With its custom data beside them.
    Beside(Flat<M>),
    /// Of a type of serde_json's own.
    AsTheyAre(S),
}

/// The fields of a struct whose custom data is written beside them.
struct Flat<M> {
    map: M,
    type_name: &'static str,
    keeps_custom: bool,
    /// The struct's own fields, written or left out, but for those left out that are lent.
    names: Vec<&'static str>,
    /// Written last, when the names of all fields are known: custom data never stands in for one.
    custom: Taken,
}

impl<M: SerializeMap, S: SerializeStruct<Ok = M::Ok, Error = M::Error>> SerializeStruct for Fields<M, S> {
    type Ok = M::Ok;
    type Error = M::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), M::Error> {
        let flat = match self {
            Self::AsTheyAre(fields) => return fields.serialize_field(name, value),
            Self::Beside(flat) => flat,
        };
        if name == CUSTOM && !flat.keeps_custom {
            flat.custom = value.serialize(Entries).map_err(ser::Error::custom)?;
            return Ok(());
        }
        flat.names.push(name);
        flat.map.serialize_entry(name, &Nested(value))
    }

    fn skip_field(&mut self, name: &'static str) -> Result<(), M::Error> {
        match self {
            Self::AsTheyAre(fields) => fields.skip_field(name)?,
            Self::Beside(flat) if is_lent(flat.type_name, name).is_some() => {}
            Self::Beside(flat) => flat.names.push(name),
        }
        Ok(())
    }

    fn end(self) -> Result<M::Ok, M::Error> {
        match self {
            Self::AsTheyAre(fields) => fields.end(),
            Self::Beside(mut flat) => {
                for (name, value) in flat.custom {
                    if !flat.names.contains(&name.as_str()) {
                        flat.map.serialize_entry(&name, &value)?;
                    }
                }
                flat.map.end()
            }
        }
    }
}

macro_rules! forward_elements {
    ($trait:ident, $method:ident) => {
        impl<S: $trait> $trait for V1<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                self.0.$method(&Nested(value))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        }
    };
}

forward_elements!(SerializeSeq, serialize_element);
forward_elements!(SerializeTuple, serialize_element);
forward_elements!(SerializeTupleStruct, serialize_field);
forward_elements!(SerializeTupleVariant, serialize_field);

impl<S: SerializeMap> SerializeMap for V1<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.0.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.0.serialize_value(&Nested(value))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.0.end()
    }
}

impl<S: SerializeStructVariant> SerializeStructVariant for V1<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), S::Error> {
        self.0.serialize_field(name, &Nested(value))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.0.end()
    }
}

macro_rules! refuse {
    ($ok:ty; $($name:ident: $type:ty),* $(,)?) => {
        type Ok = $ok;
        type Error = Error;
        type SerializeSeq = Impossible<$ok, Error>;
        type SerializeTuple = Impossible<$ok, Error>;
        type SerializeTupleStruct = Impossible<$ok, Error>;
        type SerializeTupleVariant = Impossible<$ok, Error>;
        type SerializeStruct = Impossible<$ok, Error>;
        type SerializeStructVariant = Impossible<$ok, Error>;

        $(fn $name(self, _: $type) -> Result<$ok> {
            Err(unexpected())
        })*

        fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<$ok> {
            Err(unexpected())
        }
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self, _: &'static str, _: u32, _: &'static str, _: &T,
        ) -> Result<$ok> {
            Err(unexpected())
        }
        fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq> {
            Err(unexpected())
        }
        fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
            Err(unexpected())
        }
        fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct> {
            Err(unexpected())
        }
        fn serialize_tuple_variant(
            self, _: &'static str, _: u32, _: &'static str, _: usize,
        ) -> Result<Self::SerializeTupleVariant> {
            Err(unexpected())
        }
        fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct> {
            Err(unexpected())
        }
        fn serialize_struct_variant(
            self, _: &'static str, _: u32, _: &'static str, _: usize,
        ) -> Result<Self::SerializeStructVariant> {
            Err(unexpected())
        }
    };
}

fn unexpected() -> Error {
    ser::Error::custom("a time is not a number, or custom data no object")
}

/// Takes the number out of a [`Timestamp`].
struct Nanoseconds;

impl Serializer for Nanoseconds {
    type SerializeMap = Impossible<i64, Error>;

    refuse! { i64;
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_u8: u8,
        serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32, serialize_f64: f64,
        serialize_char: char, serialize_str: &str, serialize_bytes: &[u8], serialize_unit_struct: &'static str,
    }

    fn serialize_i64(self, value: i64) -> Result<i64> {
        Ok(value)
    }

    fn serialize_none(self) -> Result<i64> {
        Err(unexpected())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<i64> {
        Err(unexpected())
    }

    fn serialize_unit(self) -> Result<i64> {
        Err(unexpected())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<i64> {
        value.serialize(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap> {
        Err(unexpected())
    }
}

/// Takes the entries out of custom data.
struct Entries;

type Taken = Vec<(String, Value)>;

impl Serializer for Entries {
    type SerializeMap = EntriesOfMap;

    refuse! { Taken;
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    fn serialize_none(self) -> Result<Taken> {
        Ok(Vec::new())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Taken> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Taken> {
        Ok(Vec::new())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Taken> {
        value.serialize(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<EntriesOfMap> {
        Ok(EntriesOfMap { entries: Vec::new(), key: String::new() })
    }
}

struct EntriesOfMap {
    entries: Taken,
    key: String,
}

impl SerializeMap for EntriesOfMap {
    type Ok = Taken;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        match serde_json::to_value(key)? {
            Value::String(key) => {
                self.key = key;
                Ok(())
            }
            _ => Err(unexpected()),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let value = serde_json::to_value(value)?;
        self.entries.push((std::mem::take(&mut self.key), value));
        Ok(())
    }

    fn end(self) -> Result<Taken> {
        Ok(self.entries)
    }
}
