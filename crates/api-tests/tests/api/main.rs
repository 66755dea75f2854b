//! Every operation, from outside. A file per resource, named like those in `server/src/api/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod auth;
mod bodies;
mod channel_types;
mod channel_updates;
mod channels;
mod chat;
mod input;
mod members;
mod message_changes;
mod message_pages;
mod messages;
mod mutations;
mod query_channels;
mod reactions;
mod reads;
mod replies;
mod requests;
mod search;
mod tasks;
mod user_changes;
mod user_deactivation;
mod user_deletion;
mod users;
