//! Fields of queries of users.

use super::Field;
use super::field::fields;
use super::kinds::Anything;

fields! {
    /// The user's id.
    id = "id": UserKey;
    /// The name.
    name = "name": UserName;
    /// The user name.
    username = "username": Completed;
    /// The role in the app.
    role = "role": Text;
    /// When the user was made.
    created_at = "created_at": Time;
    /// When the user was last changed.
    updated_at = "updated_at": Time;
    /// When the user was last active.
    last_active = "last_active": Time;
    /// Banned from the app.
    banned = "banned": Switch;
    /// Banned from the app without being told.
    shadow_banned = "shadow_banned": Switch;
    /// Whether moderation lets this user's messages through.
    bypass_moderation = "bypass_moderation": Switch;
    /// The user's teams.
    teams = "teams": List;
    /// The user's language, as a two-letter code.
    language = "language": Choice;
    /// The e-mail address.
    email = "email": Word;
}

/// A field of the user's custom data, dotted when nested.
pub fn custom(name: impl Into<String>) -> Field<Anything> {
    Field::named(name.into())
}
