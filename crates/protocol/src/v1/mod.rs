//! The older encoding of the API, version 1, which web and mobile clients and sockets speak: the same types, with times as
//! RFC 3339 text and custom data beside the built-in fields.
//!
//! Version 1 also writes `null` for numbers of reactions where there are none. The two encodings differ in nothing else, and
//! nothing but this module knows the difference: [`to_vec`] and [`to_writer`] write any type of this crate, [`from_value`]
//! reads it. Both go by the types' own descriptions of themselves, so that a new type needs nothing done for it.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

mod read;
mod reserved;
mod write;

pub use read::{Reader, from_slice, from_value};
pub use reserved::RESERVED;
pub use write::{to_value, to_vec, to_writer};

/// The name of the field that holds custom data.
const CUSTOM: &str = "custom";

/// Fields that an event of the app's own may use as it likes, where it does not have them as built-in ones. What they hold
/// when they are built in: text or an object.
fn is_lent(type_name: &str, field: &str) -> Option<Lent> {
    match field {
        _ if type_name != "Event" => None,
        "message_id" | "reason" | "thread_id" => Some(Lent::Text),
        "member" | "message" | "reaction" | "thread" => Some(Lent::Object),
        _ => None,
    }
}

/// What a field that is lent holds otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lent {
    Text,
    Object,
}

impl Lent {
    /// Whether an event of the app's own has put something else there.
    fn is_used(self, value: &Value) -> bool {
        let holds = match self {
            Self::Text => value.is_string(),
            Self::Object => value.is_object(),
        };
        !holds && !value.is_null()
    }
}

/// Marks an empty map that is `null` here.
const NULL_WHEN_EMPTY: &str = "natterjack::NullWhenEmpty";

/// Writes a map that is `null` in version 1 when it has no entries.
pub(crate) fn null_when_empty<S: Serializer>(
    map: &BTreeMap<String, i64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if map.is_empty() {
        return serializer.serialize_newtype_struct(NULL_WHEN_EMPTY, map);
    }
    map.serialize(serializer)
}

/// Types whose custom data stays under `custom` in this encoding too, and those whose `custom` is yes or no.
fn keeps_custom(type_name: &str) -> bool {
    type_name.starts_with("Draft")
        || type_name.starts_with("Thread")
        || ["MessageChangeSet", "Permission", "Role"].contains(&type_name)
}
