//! Partial updates: `set` and `unset` with dotted keys, the same for users, channels, members, messages and threads.

use natterjack_protocol::{Custom, JsonMap};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::check_custom;
use crate::error::{Error, Result};
use crate::limits::{JSON_DEPTH_MAX, PARTIAL_KEY_LENGTH_MAX, PARTIAL_KEYS_MAX};

/// What a partial update asks for. Built-in fields are taken out with [`PartialUpdate::take`], what is left is custom
/// data.
#[derive(Debug, Clone)]
pub(crate) struct PartialUpdate {
    set: JsonMap,
    unset: Vec<String>,
}

impl PartialUpdate {
    /// Checks the keys: each a path of names joined by dots, leading no deeper than JSON may be, none of them in both
    /// lists.
    ///
    /// `custom.color` means the same as `color`; `custom` itself, an object, sets each of its keys, and unsetting it
    /// clears all custom data.
    pub(crate) fn check(set: &JsonMap, unset: &[String]) -> Result<Self> {
        if set.len() + unset.len() > PARTIAL_KEYS_MAX {
            return Err(Error::field(
                "set",
                format!("and unset must name at most {PARTIAL_KEYS_MAX} fields"),
            ));
        }
        let mut update = Self { set: JsonMap::new(), unset: Vec::with_capacity(unset.len()) };
        for (key, value) in set {
            check_key("set", key)?;
            match (key.as_str(), value) {
                ("custom", Value::Object(custom)) => {
                    for (key, value) in custom {
                        check_key("set.custom", key)?;
                        check_depth("set.custom", key, value)?;
                        update.set.insert(key.clone(), value.clone());
                    }
                }
                ("custom", _) => return Err(Error::field("set.custom", "must be an object")),
                _ => {
                    check_depth("set", without_prefix(key), value)?;
                    update.set.insert(without_prefix(key).to_owned(), value.clone());
                }
            }
        }
        for key in unset {
            check_key("unset", key)?;
            update.unset.push(without_prefix(key).to_owned());
        }
        if let Some(key) = update.unset.iter().find(|key| update.set.contains_key(*key)) {
            return Err(Error::field("unset", format!("names a field that is also set: {key}")));
        }
        Ok(update)
    }

    /// Whether nothing is left to be changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }

    /// Takes a built-in field out: `None` leaves it as it is, `Some(None)` takes its value away, and so does `null`.
    ///
    /// # Errors
    /// When the value is not of the field's type.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<Option<T>>> {
        if let Some(at) = self.unset.iter().position(|key| key == name) {
            self.unset.remove(at);
            return Ok(Some(None));
        }
        match self.set.shift_remove(name) {
            None => Ok(None),
            Some(value) => serde_json::from_value(value)
                .map(Some)
                .map_err(|error| Error::field(&format!("set.{name}"), format!("is not valid: {error}"))),
        }
    }

    /// Takes out the fields inside a built-in object: `privacy_settings.read_receipts` for `privacy_settings`. Each
    /// comes with the path below `name` and the value, `None` for one that is unset.
    pub(crate) fn take_inside(&mut self, name: &str) -> Vec<(String, Option<Value>)> {
        let below =
            |key: &str| key.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')).map(str::to_owned);
        let mut taken = Vec::new();
        self.set.retain(|key, value| match below(key) {
            Some(path) => {
                taken.push((path, Some(value.take())));
                false
            }
            None => true,
        });
        self.unset.retain(|key| match below(key) {
            Some(path) => {
                taken.push((path, None));
                false
            }
            None => true,
        });
        taken
    }

    /// Takes a built-in object out, and the fields inside it, which are changed in what the object is otherwise.
    /// Answers as [`PartialUpdate::take`].
    ///
    /// # Errors
    /// When the object, or what becomes of it, is not of the field's type.
    pub(crate) fn take_object<T>(&mut self, name: &str, was: Option<&T>) -> Result<Option<Option<T>>>
    where
        T: Serialize + DeserializeOwned + Clone,
    {
        let whole = self.take::<T>(name)?;
        let inside = self.take_inside(name);
        if inside.is_empty() {
            return Ok(whole);
        }
        let mut object = match serde_json::to_value(whole.unwrap_or_else(|| was.cloned())) {
            Ok(Value::Object(object)) => object,
            _ => JsonMap::new(),
        };
        for (path, value) in inside {
            match value {
                Some(value) => set_at(&mut object, &path, value)?,
                None => unset_at(&mut object, &path),
            }
        }
        serde_json::from_value(Value::Object(object))
            .map(Some)
            .map_err(|error| Error::field(&format!("set.{name}"), format!("is not valid: {error}")))
    }

    /// Refuses the fields, and everything inside them, that nobody may set this way.
    pub(crate) fn refuse(&self, names: &[&str], refusal: impl Fn(&str) -> Error) -> Result<()> {
        let root = |key: &'_ str| key.split('.').next().unwrap_or_default().to_owned();
        let named = self.set.keys().chain(&self.unset).map(|key| root(key));
        match named.into_iter().find(|key| names.contains(&key.as_str())) {
            Some(key) => Err(refusal(&key)),
            None => Ok(()),
        }
    }

    /// Applies what is left to custom data. `field` names the data in errors.
    ///
    /// # Errors
    /// When a path leads through a value that is no object, or the data becomes too big.
    pub(crate) fn apply(self, field: &str, custom: &Custom) -> Result<Custom> {
        let mut changed = custom.clone();
        if self.is_empty() {
            return Ok(changed);
        }
        for (key, value) in self.set {
            set_at(&mut changed, &key, value)?;
        }
        for key in &self.unset {
            if key == "custom" {
                changed.clear();
            } else {
                unset_at(&mut changed, key);
            }
        }
        check_custom(field, &changed)?;
        Ok(changed)
    }
}

fn check_key(field: &str, key: &str) -> Result<()> {
    let is_path = key.split('.').all(|name| !name.is_empty());
    if !is_path || key.contains(char::is_whitespace) || key.chars().count() > PARTIAL_KEY_LENGTH_MAX {
        return Err(Error::field(
            field,
            format!(
                "has a key that is not valid: {key:?}. Keys are names joined by single dots, without blanks, of at most \
                 {PARTIAL_KEY_LENGTH_MAX} characters."
            ),
        ));
    }
    Ok(())
}

/// Each name of a path but the last is an object.
fn check_depth(field: &str, key: &str, value: &Value) -> Result<()> {
    if key.split('.').count() + depth(value) > JSON_DEPTH_MAX {
        return Err(Error::field(
            field,
            format!("has a key whose value would be nested deeper than {JSON_DEPTH_MAX} levels: {key:?}"),
        ));
    }
    Ok(())
}

/// Objects and lists within one another. What came as JSON is not deep.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(entries) => 1 + entries.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn without_prefix(key: &str) -> &str {
    key.strip_prefix("custom.").unwrap_or(key)
}

/// Sets the value at a path, making the objects on the way.
pub(crate) fn set_at(map: &mut JsonMap, path: &str, value: Value) -> Result<()> {
    let mut map = map;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            map.insert(name.to_owned(), value);
            return Ok(());
        }
        let next = map.entry(name.to_owned()).or_insert_with(|| Value::Object(JsonMap::new()));
        map = match next {
            Value::Object(inner) => inner,
            _ => {
                return Err(Error::field(
                    &format!("set.{path}"),
                    format!("leads through {name:?}, which is not an object"),
                ));
            }
        };
    }
    Ok(())
}

/// Takes away what is at a path. Nothing there is fine.
pub(crate) fn unset_at(map: &mut JsonMap, path: &str) {
    let mut map = map;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            map.shift_remove(name);
            return;
        }
        match map.get_mut(name) {
            Some(Value::Object(inner)) => map = inner,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use natterjack_protocol::Custom;
    use serde_json::{Value, json};

    use super::PartialUpdate;

    fn map(value: &Value) -> natterjack_protocol::JsonMap {
        value.as_object().unwrap().clone()
    }

    fn applied(was: &Value, set: &Value, unset: &[&str]) -> Result<Value, String> {
        let unset: Vec<String> = unset.iter().map(|key| (*key).to_owned()).collect();
        PartialUpdate::check(&map(set), &unset)
            .and_then(|update| update.apply("custom", &Custom(map(was))))
            .map(|custom| Value::Object(custom.0))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn paths_lead_into_objects() {
        let was = json!({ "a": { "b": 1, "c": 2 }, "d": 3 });
        assert_eq!(
            applied(&was, &json!({ "a.b": 4, "e.f": 5 }), &["d"]),
            Ok(json!({ "a": { "b": 4, "c": 2 }, "e": { "f": 5 } }))
        );
        assert_eq!(applied(&was, &json!({}), &["a.b", "x", "d.y"]), Ok(json!({ "a": { "c": 2 }, "d": 3 })));
        assert!(applied(&was, &json!({ "d.x": 1 }), &[]).unwrap_err().contains("set.d.x"));
    }

    #[test]
    fn custom_names_the_custom_data_itself() {
        let was = json!({ "a": 1, "b": 2 });
        assert_eq!(applied(&was, &json!({ "custom.a": 3 }), &["custom.b"]), Ok(json!({ "a": 3 })));
        assert_eq!(
            applied(&was, &json!({ "custom": { "c": 4 } }), &[]),
            Ok(json!({ "a": 1, "b": 2, "c": 4 }))
        );
        assert_eq!(applied(&was, &json!({}), &["custom"]), Ok(json!({})));
    }

    #[test]
    fn keys_are_checked() {
        for key in ["a..b", ".a", "a.", "a b", ""] {
            assert!(
                applied(&json!({}), &json!({ key: 1 }), &[]).unwrap_err().starts_with("set has a key"),
                "{key}"
            );
            assert!(
                applied(&json!({}), &json!({}), &[key]).unwrap_err().starts_with("unset has a key"),
                "{key}"
            );
        }
        assert!(applied(&json!({}), &json!({ "a": 1 }), &["a"]).unwrap_err().contains("also set"));
    }

    #[test]
    fn paths_are_as_deep_as_json_may_be() {
        let set = |names: usize, value: &Value| {
            let path = vec!["a"; names].join(".");
            applied(&json!({}), &json!({ &path: value }), &[])
                .and(applied(&json!({}), &json!({ format!("custom.{path}"): value }), &[]))
                .and(applied(&json!({}), &json!({ "custom": { path: value } }), &[]))
        };
        assert!(set(64, &json!(1)).is_ok());
        assert!(set(62, &json!([{ "a": 1 }, 2])).is_ok());
        assert!(set(65, &json!(1)).unwrap_err().contains("64 levels"));
        assert!(set(63, &json!([{ "a": 1 }, 2])).unwrap_err().contains("64 levels"));
    }

    #[test]
    fn built_in_objects_are_changed_inside() {
        let taken = |set: &Value, unset: &[&str]| {
            let unset: Vec<String> = unset.iter().map(|key| (*key).to_owned()).collect();
            let mut update = PartialUpdate::check(&map(set), &unset).unwrap();
            let taken = update.take_object("a", Some(&json!({ "b": 1, "c": 2 }))).unwrap();
            assert!(update.is_empty());
            taken
        };
        assert_eq!(taken(&json!({ "a.b": 3 }), &["a.c"]), Some(Some(json!({ "b": 3 }))));
        assert_eq!(taken(&json!({ "a": { "d": 4 }, "a.e": 5 }), &[]), Some(Some(json!({ "d": 4, "e": 5 }))));
        assert_eq!(taken(&json!({}), &["a"]), Some(None));
        assert_eq!(taken(&json!({}), &[]), None);
    }

    #[test]
    fn built_in_fields_are_taken_out() {
        let set = map(&json!({ "name": "Jane", "pinned": "yes", "privacy.read": true, "a": 1 }));
        let mut update = PartialUpdate::check(&set, &["image".to_owned()]).unwrap();
        assert_eq!(update.take::<String>("name").unwrap(), Some(Some("Jane".to_owned())));
        assert_eq!(update.take::<String>("image").unwrap(), Some(None));
        assert_eq!(update.take::<String>("role").unwrap(), None);
        assert!(update.take::<bool>("pinned").unwrap_err().to_string().contains("set.pinned"));
        assert_eq!(update.take_inside("privacy"), [("read".to_owned(), Some(json!(true)))]);
        assert_eq!(update.take_object::<Value>("privacy", None).unwrap(), None);
        assert!(!update.is_empty());
        assert!(update.refuse(&["a"], super::Error::reserved).is_err());
        assert_eq!(update.apply("custom", &Custom::new()).unwrap().0, map(&json!({ "a": 1 })));
    }
}
