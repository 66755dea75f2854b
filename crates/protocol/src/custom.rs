use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::JsonMap;

/// Custom data: what an app stores on a user, channel, member, message or reaction beyond the built-in fields.
///
/// In the v2 encoding it is the object under `custom`. `null` is read as empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Custom(pub JsonMap);

impl Custom {
    /// Name under which custom data announces itself to a serializer, so that an encoding that lifts it into the
    /// parent object can recognise it.
    pub const NEWTYPE_NAME: &'static str = "natterjack::Custom";

    /// No custom data.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This data with `key` set to `value`.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }
}

impl Deref for Custom {
    type Target = JsonMap;

    fn deref(&self) -> &JsonMap {
        &self.0
    }
}

impl DerefMut for Custom {
    fn deref_mut(&mut self) -> &mut JsonMap {
        &mut self.0
    }
}

impl From<JsonMap> for Custom {
    fn from(map: JsonMap) -> Self {
        Self(map)
    }
}

impl Serialize for Custom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(Self::NEWTYPE_NAME, &self.0)
    }
}

impl<'de> Deserialize<'de> for Custom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Option::<JsonMap>::deserialize(deserializer)?.unwrap_or_default()))
    }
}
