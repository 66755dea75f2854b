//! What the SDK makes of a user's connection to a real server.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod socket;
mod state;
