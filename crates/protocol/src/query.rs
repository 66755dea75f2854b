use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{NoQuery, Timestamp};

/// What is wrong with a query parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct QueryError {
    /// The parameter.
    pub name: String,
    /// What is wrong, as text for the caller.
    pub problem: String,
}

/// The parameters after the question mark of one operation. Implemented by [`query_params!`](crate::query_params!).
pub trait QueryParams: Sized + Default + Send + fmt::Debug {
    /// Reads decoded pairs. Names that the operation does not know are ignored, empty values count as absent.
    ///
    /// # Errors
    /// Names the parameter whose value is not valid.
    fn decode<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, QueryError>;

    /// The pairs that are set, not yet percent-encoded.
    fn encode(&self) -> Vec<(&'static str, String)>;
}

/// A value of one query parameter.
pub trait QueryParam: Sized {
    /// Reads the decoded text, which is not empty.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    fn decode(text: &str) -> Result<Self, String>;

    /// The text, or `None` when the parameter is not set.
    fn encode(&self) -> Option<String>;
}

/// Declares a struct of query parameters with the names and types of its fields, and its [`QueryParams`].
#[macro_export]
macro_rules! query_params {
    (
        $(#[$doc:meta])*
        pub struct $name:ident { $($(#[$field_doc:meta])* pub $field:ident: $type:ty,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl $crate::QueryParams for $name {
            fn decode<'a>(
                pairs: impl Iterator<Item = (&'a str, &'a str)>,
            ) -> Result<Self, $crate::QueryError> {
                let mut params = Self::default();
                for (name, text) in pairs.filter(|(_, text)| !text.is_empty()) {
                    match if name == "type" { "r#type" } else { name } {
                        $(stringify!($field) => {
                            params.$field = $crate::QueryParam::decode(text).map_err(|problem| {
                                $crate::QueryError { name: name.to_owned(), problem }
                            })?;
                        })*
                        _ => {}
                    }
                }
                Ok(params)
            }

            fn encode(&self) -> Vec<(&'static str, String)> {
                let mut pairs = Vec::new();
                $(if let Some(text) = $crate::QueryParam::encode(&self.$field) {
                    pairs.push((stringify!($field).trim_start_matches("r#"), text));
                })*
                pairs
            }
        }
    };
}

impl QueryParams for NoQuery {
    fn decode<'a>(_: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, QueryError> {
        Ok(Self)
    }

    fn encode(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

impl<T: QueryParam> QueryParam for Option<T> {
    fn decode(text: &str) -> Result<Self, String> {
        T::decode(text).map(Some)
    }

    fn encode(&self) -> Option<String> {
        self.as_ref().and_then(T::encode)
    }
}

impl QueryParam for String {
    fn decode(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn encode(&self) -> Option<String> {
        Some(self.clone())
    }
}

impl QueryParam for bool {
    fn decode(text: &str) -> Result<Self, String> {
        match text {
            "true" | "True" | "1" => Ok(true),
            "false" | "False" | "0" => Ok(false),
            other => Err(format!("expecting true or false, found {other:?}")),
        }
    }

    fn encode(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl QueryParam for i64 {
    fn decode(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("expecting an integer, found {text:?}"))
    }

    fn encode(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl QueryParam for Timestamp {
    fn decode(text: &str) -> Result<Self, String> {
        match text.parse::<i64>() {
            Ok(nanoseconds) => Ok(Self::from_nanoseconds(nanoseconds)),
            Err(_) => text.parse().map_err(|_| format!("expecting an RFC 3339 time, found {text:?}")),
        }
    }

    fn encode(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// A list of texts in one value, separated by commas, or a JSON list as older clients write it. Empty means absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommaList(pub Vec<String>);

impl QueryParam for CommaList {
    fn decode(text: &str) -> Result<Self, String> {
        if text.starts_with('[')
            && let Ok(list) = serde_json::from_str(text)
        {
            return Ok(Self(list));
        }
        Ok(Self(text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()))
    }

    fn encode(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join(","))
    }
}

/// A list of JSON objects in one value, separated by commas, with or without brackets. Empty and `null` mean absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JsonList<T>(pub Vec<T>);

impl<T: Serialize + DeserializeOwned> QueryParam for JsonList<T> {
    fn decode(text: &str) -> Result<Self, String> {
        let parsed = if text == "null" {
            Ok(Vec::new())
        } else if text.trim_start().starts_with('[') {
            serde_json::from_str(text)
        } else {
            serde_json::from_str(&format!("[{text}]"))
        };
        parsed.map(Self).map_err(|error| error.to_string())
    }

    fn encode(&self) -> Option<String> {
        let objects: Vec<String> =
            self.0.iter().filter_map(|object| serde_json::to_string(object).ok()).collect();
        (!objects.is_empty()).then(|| objects.join(","))
    }
}

/// One JSON object in one value: the `payload` of complex GET calls.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JsonParam<T>(pub T);

impl<T: Serialize + DeserializeOwned> QueryParam for JsonParam<T> {
    fn decode(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|error| match problem_at::<T>(text) {
            Some((place, problem)) => format!("{place}: {problem}"),
            None => error.to_string(),
        })
    }

    fn encode(&self) -> Option<String> {
        serde_json::to_string(&self.0).ok()
    }
}

/// The field of a JSON text that is wrong, and what is wrong with it. `None` when it is the text as a whole.
fn problem_at<T: DeserializeOwned>(text: &str) -> Option<(String, String)> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let error = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err()?;
    let place = error.path().to_string();
    (place != ".").then(|| (place, error.inner().to_string()))
}
