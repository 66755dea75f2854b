//! Pages by cursor: texts that clients hand back as they got them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use natterjack_filter::SortKey;
use natterjack_storage::queries::{Key, KeyPage, PageStart};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::given;
use crate::error::{Error, Result};

/// A place in a list, and the order that the list had.
#[derive(Serialize, Deserialize)]
struct Place<K> {
    descending: bool,
    key: K,
}

/// Writes a value as a cursor.
pub(crate) fn encode(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::json!(value).to_string())
}

/// Reads a cursor; `None` for what [`encode`] did not write, or for another list.
pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let value: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    // PostgreSQL takes no text with a NUL character, and no cursor has one.
    (!holds_nul(&value)).then(|| T::deserialize(value).ok())?
}

fn holds_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(entries) => entries.iter().any(holds_nul),
        serde_json::Value::Object(fields) => fields.values().any(holds_nul),
        _ => false,
    }
}

/// The page that a request asks for, of a list that is ordered by one field, the newest first when `sort` is empty.
///
/// # Errors
/// When both cursors are given, or one that belongs to no such list in this order.
pub(crate) fn key_page<K: Key>(
    limit: i64,
    sort: &[SortKey],
    next: Option<&String>,
    prev: Option<&String>,
) -> Result<KeyPage<K>> {
    let descending = sort.first().is_none_or(|key| key.descending);
    let read = |field: &str, text: &str| {
        decode::<Place<K>>(text)
            .filter(|place| place.descending == descending)
            .map(|place| place.key)
            .ok_or_else(|| Error::field(field, "is not a cursor of an earlier answer to this query"))
    };
    let from = match (given(next), given(prev)) {
        (Some(_), Some(_)) => return Err(Error::input("next and prev cannot be used together")),
        (Some(text), None) => Some(PageStart::After(read("next", text)?)),
        (None, Some(text)) => Some(PageStart::Before(read("prev", text)?)),
        (None, None) => None,
    };
    Ok(KeyPage { limit, descending, from })
}

/// The cursor of a place in the list that `page` is of.
pub(crate) fn write<K: Key>(page: &KeyPage<K>, key: Option<&K>) -> Option<String> {
    key.map(|key| encode(&Place { descending: page.descending, key }))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn cursors_come_back_as_they_went_out_and_nothing_else_is_one() {
        let place = (i64::MAX, "ü/+".to_owned());
        assert_eq!(decode(&encode(&place)), Some(place.clone()));
        assert_eq!(decode::<(i64, String)>(&encode(&("a", 1))), None);
        assert_eq!(decode::<(i64, String)>(&encode(&(1, "a\0"))), None);
        for text in ["", "a", "%%", "bnVsbA"] {
            assert_eq!(decode::<(i64, String)>(text), None, "{text}");
        }
    }
}
