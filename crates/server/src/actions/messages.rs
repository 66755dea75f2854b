//! Sending, updating and deleting messages.

mod check;
mod delete;
mod read;
mod send;
mod sweep;
mod update;

pub(crate) use delete::delete_message;
pub(crate) use read::{find_with_channel, get_many_messages, get_message};
pub(crate) use send::{NewSystemMessage, do_send_system_message, send_message};
pub(crate) use sweep::{Sweep, do_restore, do_sweep};
pub(crate) use update::update_message;
