//! Channels: finding, creating, updating, truncating, deleting them, and the state that is shown of them.

mod check;
mod create;
mod delete;
mod delete_many;
mod hide;
mod query;
mod reach;
mod state;
mod truncate;
mod update;
mod update_partial;

pub(crate) use check::{check_channel_role, check_member_custom_include, distinct_id};
pub(crate) use create::{get_or_create_channel, get_or_create_distinct_channel};
pub(crate) use delete::{delete_channel, do_bury, do_delete_channel};
pub(crate) use delete_many::{DeleteChannels, delete_channels};
pub(crate) use hide::{hide_channel, show_channel};
pub(crate) use query::{get_channel, query_channels};
pub(crate) use reach::{Limited, NamedChannels, limit_to, within_reach};
pub(crate) use truncate::truncate_channel;
pub(crate) use update::update_channel;
pub(crate) use update_partial::update_channel_partial;
