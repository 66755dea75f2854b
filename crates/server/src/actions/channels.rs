//! Channels: finding, creating, updating, deleting them, and the state that is shown of them.

mod check;
mod create;
mod delete;
mod delete_many;
mod query;
mod state;
mod update;

pub(crate) use check::{check_member_custom_include, distinct_id};
pub(crate) use create::{get_or_create_channel, get_or_create_distinct_channel};
pub(crate) use delete::{delete_channel, do_delete_channel};
pub(crate) use delete_many::{DeleteChannels, delete_channels};
pub(crate) use query::{get_channel, query_channels};
pub(crate) use update::update_channel;
