//! Who may do what: actions, the permissions that roles are granted, and what follows from them.
//!
//! Grants are written as lists of permission ids by role, in the scope of the app or of a channel type. They are compiled
//! into sets of bits when an app or a channel is read into memory, so that a check on the way of a message costs a look
//! into a small table.

mod actions;
mod capabilities;
pub(crate) mod condition;
pub(crate) mod grants;
mod rights;
mod subject;

pub(crate) use actions::{Action, Permission};
pub(crate) use capabilities::capabilities;
pub(crate) use rights::{CustomPermission, CustomPermissions, Reach, Scope};
pub(crate) use subject::{InChannel, Subject};

/// The roles of users that every app has.
pub(crate) const USER_ROLES: [&str; 7] =
    ["admin", "anonymous", "global_admin", "global_moderator", "guest", "moderator", "user"];
/// The roles of members that every app has.
pub(crate) const CHANNEL_ROLES: [&str; 2] = ["channel_member", "channel_moderator"];
/// The scope of what is not done in a channel.
pub(crate) const APP_SCOPE: &str = ".app";
