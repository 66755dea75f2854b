//! Every operation, from outside. A file per resource, named like those in `server/src/api/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod auth;
mod bodies;
mod channel_partial;
mod channel_types;
mod channel_updates;
mod channels;
mod chat;
mod hiding;
mod input;
mod member_partial;
mod members;
mod message_changes;
mod message_pages;
mod messages;
mod mutations;
mod purging;
mod query_channels;
mod reactions;
mod reads;
mod replies;
mod requests;
mod search;
mod truncation;
mod users;
