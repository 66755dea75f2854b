//! Threads: finding them, reading them, giving them a title.

mod query;
mod state;
mod update;

pub(crate) use query::{get_thread, query_threads};
pub(crate) use update::update_thread_partial;
