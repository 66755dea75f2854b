use std::fmt;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// No characters at all.
    #[error("must not be empty")]
    Empty,
    /// More characters than the id may have.
    #[error("must be at most {max} characters long")]
    TooLong {
        /// The greatest length, in characters.
        max: usize,
    },
    /// A character outside the id's alphabet.
    #[error("contains {character:?}; allowed are {allowed}")]
    Character {
        /// The first character that is not allowed.
        character: char,
        /// The alphabet, in words.
        allowed: &'static str,
    },
}

/// Declares an id: a text with a greatest length and an alphabet, checked where it enters, opaque after that.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, max $max:literal, $allowed:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The greatest length, in characters.
            pub const LENGTH_MAX: usize = $max;

            /// Checks `text` and takes it as an id.
            ///
            /// # Errors
            /// When it is empty, too long, or holds a character that is not allowed.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                if text.is_empty() {
                    return Err(IdError::Empty);
                }
                if text.len() > $max && text.chars().count() > $max {
                    return Err(IdError::TooLong { max: $max });
                }
                let accepts: fn(char) -> bool = $accepts;
                match text.chars().find(|character| !accepts(*character)) {
                    Some(character) => Err(IdError::Character { character, allowed: $allowed }),
                    None => Ok(Self(text.into())),
                }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

id! {
    /// Names a user within an app.
    UserId, max 255, "letters a-z and A-Z, digits, @, _ and -",
    |character| character.is_ascii_alphanumeric() || matches!(character, '@' | '_' | '-')
}
id! {
    /// Names a channel within its type. Ids that start with `!` are made by the server.
    ChannelId, max 64, "letters a-z and A-Z, digits, !, _ and -",
    |character| character.is_ascii_alphanumeric() || matches!(character, '!' | '_' | '-')
}
id! {
    /// Names a channel type.
    ChannelTypeName, max 64, "letters a-z and A-Z, digits, _ and -",
    |character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}
id! {
    /// Names a message within an app. Chosen by the client or made by the server.
    MessageId, max 255, "all characters but comma, percent sign and control characters",
    |character| !matches!(character, ',' | '%') && !character.is_control()
}
id! {
    /// The kind of a reaction, such as `like` or an emoji.
    ReactionType, max 30, "all characters but control characters",
    |character| !character.is_control()
}

/// Names a channel within an app: its type and its id, written `type:id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    /// The channel's type.
    pub kind: ChannelTypeName,
    /// The channel's id within the type.
    pub id: ChannelId,
}

impl Cid {
    /// Reads `type:id`.
    ///
    /// # Errors
    /// When there is no colon or a part is not valid.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let (kind, id) = text
            .split_once(':')
            .ok_or(IdError::Character { character: ' ', allowed: "a cid, which is written type:id" })?;
        Ok(Self { kind: ChannelTypeName::parse(kind)?, id: ChannelId::parse(id)? })
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.kind, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cid, IdError, MessageId, UserId};

    #[test]
    fn ids_are_checked_where_they_enter() {
        assert_eq!(UserId::parse("jane@home_1-2").unwrap().as_str(), "jane@home_1-2");
        assert_eq!(UserId::parse(""), Err(IdError::Empty));
        assert_eq!(UserId::parse(&"a".repeat(256)), Err(IdError::TooLong { max: 255 }));
        assert!(UserId::parse("jane doe").is_err());
        assert!(MessageId::parse("100%").is_err());
        assert!(MessageId::parse("grüße 1:2").is_ok());
        assert_eq!(Cid::parse("messaging:general").unwrap().to_string(), "messaging:general");
        assert!(Cid::parse("messaging").is_err());
    }
}
