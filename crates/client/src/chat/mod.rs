//! The chat operations, by resource.

mod channels;
mod events;
mod messages;
mod moderation;
mod mutes;
mod predefined_filters;
mod reactions;
mod reads;
mod streams;
mod threads;

use natterjack_protocol::{ChannelPath, MessagePath};

use crate::Client;

/// The operations on channels, messages, members, reactions, read state and threads, made by [`Client::chat`].
#[derive(Debug, Clone, Copy)]
pub struct Chat<'c> {
    pub(crate) client: &'c Client,
}

fn channel(kind: impl Into<String>, id: impl Into<String>) -> ChannelPath {
    ChannelPath { kind: kind.into(), id: id.into() }
}

fn message(id: impl Into<String>) -> MessagePath {
    MessagePath { id: id.into() }
}
