//! What those who are connected are told.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod sockets;
