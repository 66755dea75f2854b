//! Every operation, from outside. A file per resource, named like those in `server/src/api/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod app;
mod apps;
mod auth;
mod blocks;
mod bodies;
mod channel_type_settings;
mod channel_types;
mod channel_updates;
mod channels;
mod chat;
mod input;
mod mark_unread;
mod members;
mod message_changes;
mod message_history;
mod message_pages;
mod message_parts;
mod messages;
mod mutations;
mod mutes;
mod predefined_filters;
mod query_channels;
mod query_reactions;
mod reactions;
mod reads;
mod receipts;
mod replies;
mod requests;
mod search;
mod threads;
mod undeletions;
mod users;
