use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares the error codes: constant, number on the wire, HTTP status, whether a client may repeat the call.
macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $status:literal, $retry:literal;)*) => {
        /// What went wrong, as a number that clients act upon.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
            /// A number that this table does not know.
            Other(i32),
        }

        impl ErrorCode {
            /// Every code that this table knows.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name),*];

            /// The number on the wire.
            pub const fn number(self) -> i32 {
                match self { $(Self::$name => $number,)* Self::Other(number) => number }
            }

            /// The HTTP status that the code is sent with; 400 for an unknown one.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* Self::Other(_) => 400 }
            }

            /// Whether the same call may succeed when it is repeated later.
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$name => $retry,)* Self::Other(_) => false }
            }

            /// The code with this number.
            pub const fn from_number(number: i32) -> Self {
                match number { $($number => Self::$name,)* other => Self::Other(other) }
            }
        }
    };
}

error_codes! {
    /// The server failed; nothing is known about the outcome.
    Internal = -1, 500, true;
    /// The API key is missing or unknown.
    ApiKey = 2, 401, false;
    /// The input is not valid: wrong shape, unknown reference, reserved field, limit exceeded.
    Input = 4, 400, false;
    /// Authentication failed: no token, malformed token, wrong auth type.
    Authentication = 5, 401, false;
    /// The user name is taken while names must be unique.
    DuplicateUsername = 6, 400, false;
    /// Too many requests; `Retry-After` says when to come back.
    RateLimited = 9, 429, true;
    /// The object does not exist.
    NotFound = 16, 404, false;
    /// The caller may not do this.
    NotAllowed = 17, 403, false;
    /// The channel type does not support this event.
    EventNotSupported = 18, 400, false;
    /// The feature is switched off for the channel.
    FeatureDisabled = 19, 400, false;
    /// The message text is longer than the channel allows.
    MessageTooLong = 20, 400, false;
    /// The parent of a reply is itself a reply.
    MultipleNesting = 21, 400, false;
    /// The body or an object's custom data is too big.
    PayloadTooBig = 22, 413, false;
    /// The request took too long.
    Timeout = 23, 408, true;
    /// The header section is too large.
    HeadersTooLarge = 24, 431, false;
    /// The token has expired: fetch a fresh one and repeat the call.
    TokenExpired = 40, 401, false;
    /// The token is not valid yet.
    TokenNotValidYet = 41, 401, false;
    /// The token's issue date is wrong.
    TokenDateIncorrect = 42, 401, false;
    /// The token's signature does not match.
    TokenSignature = 43, 401, false;
    /// A custom command was used but no handler is configured.
    CommandEndpointMissing = 44, 400, false;
    /// The handler of a custom command failed.
    CommandEndpointFailed = 45, 400, true;
    /// The connection id is unknown.
    ConnectionIdUnknown = 46, 400, false;
    /// Slow mode: the user has to wait before the next message.
    Cooldown = 60, 403, false;
    /// The caller has no access to the channels of the query.
    NoAccessToChannels = 70, 403, false;
    /// Too many connections.
    TooManyConnections = 71, 400, true;
    /// Moderation refused the message.
    Moderation = 73, 400, false;
    /// The app is suspended.
    AppSuspended = 99, 403, false;
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(self.number())
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i32::deserialize(deserializer).map(Self::from_number)
    }
}

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong.
    pub code: ErrorCode,
    /// `<OperationName> failed with error: "<text>"`.
    #[serde(default)]
    pub message: String,
    /// The HTTP status, repeated.
    #[serde(rename = "StatusCode", default)]
    pub status_code: u16,
    /// How long the server took, such as `0.31ms`.
    #[serde(default)]
    pub duration: String,
    /// Where the code is explained.
    #[serde(default)]
    pub more_info: String,
    /// Further numbers; usually empty.
    #[serde(default)]
    pub details: Vec<serde_json::Value>,
    /// What is wrong with single fields, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exception_fields: BTreeMap<String, String>,
    /// True when repeating the call can never help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrecoverable: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;

    #[test]
    fn numbers_lead_back_to_their_codes() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_number(code.number()), *code);
        }
        assert_eq!(ErrorCode::from_number(12345), ErrorCode::Other(12345));
    }
}
