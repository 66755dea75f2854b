//! The server: everything behind the `natterjack` program, as parts that tests can put together.
//!
//! A request comes in at [`api`], which finds out who calls and what is asked; the rules and all writes are in
//! `actions`; what is stored is in the `natterjack-storage` crate. [`Server`] puts the parts together.

mod actions;
mod addresses;
pub mod api;
mod apps;
mod auth;
mod channel_types;
pub mod cli;
pub mod clock;
mod commands;
mod compress;
pub mod config;
mod error;
mod jobs;
pub mod limits;
mod live;
mod patience;
mod permissions;
mod present;
mod proxies;
#[cfg(test)]
mod race_tests;
mod rate_limits;
mod serve;
mod state;
pub mod telemetry;

pub use serve::{Deliveries, Server, ServerParts};

pub(crate) use natterjack_storage::error_chain;
