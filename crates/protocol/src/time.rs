use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: nanoseconds since the Unix epoch, UTC.
///
/// On the wire (v2) it is a JSON integer. It is read from an integer or an RFC 3339 string, never through a float.
/// The range is that of RFC 3339 within `i64` nanoseconds: the years 1678 to 2261.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Name under which a timestamp announces itself to a serializer, so that an encoding that prints it
    /// differently can recognise it.
    pub const NEWTYPE_NAME: &'static str = "natterjack::Timestamp";

    /// The moment `nanoseconds` after the Unix epoch.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// This moment moved by `seconds`, staying inside the range.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000_000)))
    }

    /// Reads an RFC 3339 date and time with offset, such as `2024-10-15T10:12:00.402858186Z`.
    ///
    /// # Errors
    /// When the text is not of that form or the moment does not fit.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimestampError> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        i64::try_from(parsed.as_nanosecond()).map(Self).map_err(|_| TimestampError)
    }
}

/// The text is not an RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expecting an RFC 3339 time or an integer of nanoseconds")]
pub struct TimestampError;

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse_rfc3339(text)
    }
}

/// Prints RFC 3339 in UTC, trailing zeros of the fraction dropped.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(moment) => write!(formatter, "{moment}"),
            Err(_) => write!(formatter, "{}ns", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(Self::NEWTYPE_NAME, &self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Moment;
        impl Visitor<'_> for Moment {
            type Value = Timestamp;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an RFC 3339 time or an integer of nanoseconds")
            }

            fn visit_i64<E: de::Error>(self, nanoseconds: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(nanoseconds))
            }

            fn visit_u64<E: de::Error>(self, nanoseconds: u64) -> Result<Timestamp, E> {
                i64::try_from(nanoseconds)
                    .map(Timestamp)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(nanoseconds), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Moment)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn is_written_as_an_integer_and_read_from_both_forms() {
        let moment = Timestamp::from_nanoseconds(1_728_987_120_402_858_186);
        assert_eq!(serde_json::to_string(&moment).unwrap(), "1728987120402858186");
        assert_eq!(serde_json::from_str::<Timestamp>("1728987120402858186").unwrap(), moment);
        assert_eq!(
            serde_json::from_str::<Timestamp>("\"2024-10-15T12:12:00.402858186+02:00\"").unwrap(),
            moment
        );
        assert_eq!(moment.to_string(), "2024-10-15T10:12:00.402858186Z");
    }

    #[test]
    fn refuses_what_is_not_a_time() {
        for text in ["1.5", "\"yesterday\"", "\"2024-10-15\"", "true", "18446744073709551615", "\"\""] {
            assert!(serde_json::from_str::<Timestamp>(text).is_err(), "{text}");
        }
    }
}
