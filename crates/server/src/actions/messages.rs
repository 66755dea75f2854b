//! Sending, updating, deleting and undeleting messages, and their history.

mod check;
mod delete;
mod history;
mod pinned;
mod read;
mod send;
mod sweep;
mod undelete;
mod update;

pub(crate) use delete::delete_message;
pub(crate) use history::query_message_history;
pub(crate) use pinned::get_pinned_messages;
pub(crate) use read::{get_many_messages, get_message};
pub(crate) use send::{NewSystemMessage, do_send_system_message, send_message};
pub(crate) use sweep::{Sweep, do_restore, do_sweep_next};
pub(crate) use undelete::undelete_message;
pub(crate) use update::{update_message, update_message_partial};
