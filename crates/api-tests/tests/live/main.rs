//! What those who are connected are told.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod events;
mod lifecycle;
mod order;
mod presence;
mod rights;
mod shadow_bans;
mod sockets;
