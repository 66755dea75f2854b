//! What events do to messages.

use std::sync::Arc;

use natterjack_protocol::Timestamp;
use natterjack_protocol::events::Event;
use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::reactions::ReactionResponse;

use super::{ChannelState, MESSAGES_MAX};

/// Pinned messages of a read.
const PINNED_MAX: usize = 10;
/// The user's own reactions on a message of a read.
const OWN_REACTIONS_MAX: usize = 10;

impl ChannelState {
    pub(super) fn add_message(&mut self, event: &Event) {
        let Some(message) = &event.message else { return };
        self.add(message, true);
    }

    fn add(&mut self, message: &MessageResponse, counts: bool) {
        self.typing.stop(&message.user.id, message.parent_id.as_deref());
        if !is_listed(message) || self.find(&message.id).is_some() {
            return;
        }
        self.insert(self.quoting(message.clone()));
        self.count_unread(message, counts);
        self.move_last_message(message);
    }

    pub(super) fn replace_message(&mut self, event: &Event) {
        let Some(message) = &event.message else { return };
        let is_back = event.kind == "message.undeleted";
        let was_known = self.put(message);
        if is_back && !was_known && is_listed(message) && self.is_in_page(message) {
            self.insert(self.quoting(message.clone()));
        }
        if is_back {
            self.recount_unread();
        }
    }

    pub(super) fn delete_message(&mut self, event: &Event) {
        let Some(message) = &event.message else { return };
        if event.hard_delete == Some(true) {
            self.remove(|one| one.id == message.id);
        } else {
            self.put(message);
        }
        self.recount_unread();
    }

    pub(super) fn delete_messages_of(&mut self, event: &Event) {
        let Some(user) = &event.user else { return };
        if event.hard_delete == Some(true) {
            self.remove(|one| one.user.id == user.id);
        } else {
            let deleted: Vec<MessageResponse> = self
                .state
                .messages
                .iter()
                .filter(|message| message.user.id == user.id && message.deleted_at.is_none())
                .map(|message| MessageResponse {
                    kind: "deleted".to_owned(),
                    text: String::new(),
                    html: String::new(),
                    attachments: Vec::new(),
                    mentioned_users: Vec::new(),
                    pinned: false,
                    pinned_at: None,
                    pinned_by: None,
                    pin_expires: None,
                    deleted_at: Some(event.created_at),
                    ..message.clone()
                })
                .collect();
            for message in &deleted {
                self.put(message);
            }
        }
        self.recount_unread();
    }

    pub(super) fn apply_reaction(&mut self, event: &Event) {
        let (Some(message), Some(reaction)) = (&event.message, &event.reaction) else { return };
        self.put(message);
        if reaction.user_id != self.user_id {
            return;
        }
        let is_gone = event.kind == "reaction.deleted";
        self.each_copy(&message.id, |message| {
            let own = &mut message.own_reactions;
            own.retain(|one| one.kind != reaction.kind);
            if !is_gone {
                insert_newest_first(own, reaction.clone());
            }
        });
    }

    /// Forgets what a truncation took, and shows the message that tells of it.
    pub(super) fn truncate(&mut self, event: &Event) {
        self.replace_channel(event);
        let Some(at) = event.channel.as_ref().and_then(|channel| channel.truncated_at) else { return };
        self.remove(|message| message.created_at <= at);
        if let Some(channel) = self.state.channel.as_mut().map(Arc::make_mut) {
            channel.last_message_at = event.channel.as_ref().and_then(|channel| channel.last_message_at);
        }
        self.recount_unread();
        if let Some(message) = &event.message {
            self.add(message, false);
        }
    }

    fn find(&self, id: &str) -> Option<&MessageResponse> {
        self.state.messages.iter().rev().find(|message| message.id == id)
    }

    /// Inserts by time, and forgets the oldest where there are too many.
    fn insert(&mut self, message: MessageResponse) {
        let messages = &mut self.state.messages;
        let at =
            messages.partition_point(|one| (one.created_at, &one.id) < (message.created_at, &message.id));
        messages.insert(at, message);
        let excess = messages.len().saturating_sub(MESSAGES_MAX);
        messages.drain(..excess);
    }

    /// Whether a message belongs to what the state knows, and not to what is older.
    fn is_in_page(&self, message: &MessageResponse) -> bool {
        self.state.messages.first().is_none_or(|oldest| oldest.created_at <= message.created_at)
    }

    /// Replaces all copies of a message. False when it is not among the messages.
    fn put(&mut self, message: &MessageResponse) -> bool {
        let own = self.own_reactions(&message.id);
        let new = self.quoting(MessageResponse { own_reactions: own, ..message.clone() });
        let mut was_known = false;
        for one in self.state.messages.iter_mut().filter(|one| one.id == message.id) {
            *one = new.clone();
            was_known = true;
        }
        for quoting in &mut self.state.messages {
            if let Some(quoted) = quoting.quoted_message.as_mut().filter(|quoted| quoted.id == message.id) {
                **quoted = MessageResponse { quoted_message: None, ..new.clone() };
            }
        }
        self.pin(new);
        was_known
    }

    /// Lets a message quote what is known of the quoted one, which is more than an event tells.
    fn quoting(&self, mut message: MessageResponse) -> MessageResponse {
        if let Some(quoted) = &mut message.quoted_message
            && let Some(known) = self.find(&quoted.id)
        {
            **quoted = MessageResponse { quoted_message: None, ..known.clone() };
        }
        message
    }

    fn own_reactions(&self, id: &str) -> Vec<ReactionResponse> {
        let mut copies = self.state.messages.iter().chain(&self.state.pinned_messages);
        copies
            .find(|message| message.id == id)
            .map(|message| message.own_reactions.clone())
            .unwrap_or_default()
    }

    fn each_copy(&mut self, id: &str, change: impl Fn(&mut MessageResponse)) {
        let copies = self.state.messages.iter_mut().chain(&mut self.state.pinned_messages);
        copies.filter(|message| message.id == id).for_each(change);
    }

    /// Keeps the list of pinned messages, most recently pinned first.
    fn pin(&mut self, message: MessageResponse) {
        let pinned = &mut self.state.pinned_messages;
        pinned.retain(|one| one.id != message.id);
        if message.pinned && message.deleted_at.is_none() {
            let at = pinned.partition_point(|one| one.pinned_at >= message.pinned_at);
            pinned.insert(at, message);
            pinned.truncate(PINNED_MAX);
        }
    }

    fn remove(&mut self, is_gone: impl Fn(&MessageResponse) -> bool) {
        let removed_last = self.state.messages.last().is_some_and(&is_gone);
        self.state.messages.retain(|message| !is_gone(message));
        self.state.pinned_messages.retain(|message| !is_gone(message));
        for message in &mut self.state.messages {
            if message.quoted_message.as_ref().is_some_and(|quoted| is_gone(quoted)) {
                message.quoted_message = None;
            }
        }
        if removed_last && let Some(channel) = self.state.channel.as_mut().map(Arc::make_mut) {
            channel.last_message_at = self.state.messages.last().map(|message| message.created_at);
        }
    }

    fn move_last_message(&mut self, message: &MessageResponse) {
        let Some(channel) = self.state.channel.as_mut().map(Arc::make_mut) else { return };
        let skips = channel.config.as_ref().is_some_and(|config| config.skip_last_msg_update_for_system_msgs);
        if !(message.kind == "system" && skips) {
            channel.last_message_at = channel.last_message_at.max(Some(message.created_at));
        }
    }

    /// The messages behind a moment that count as unread for a user.
    pub(super) fn unread_since(&self, user_id: &str, since: Timestamp) -> i64 {
        let newer = self.state.messages.iter().rev().take_while(|message| message.created_at > since);
        i64::try_from(newer.filter(|message| counts_for(message, user_id)).count()).unwrap_or(i64::MAX)
    }
}

/// Whether a message stands among the channel's, and not only in a thread.
fn is_listed(message: &MessageResponse) -> bool {
    message.parent_id.is_none() || message.show_in_channel == Some(true)
}

/// Whether a message is unread for a user who has not read it.
pub(super) fn counts_for(message: &MessageResponse, user_id: &str) -> bool {
    let is_visible = message.restricted_visibility.is_empty()
        || message.restricted_visibility.iter().any(|one| one == user_id);
    message.user.id != user_id
        && is_visible
        && !message.silent
        && !message.shadowed
        && message.deleted_at.is_none()
}

fn insert_newest_first(reactions: &mut Vec<ReactionResponse>, reaction: ReactionResponse) {
    let at = reactions.partition_point(|one| one.created_at >= reaction.created_at);
    reactions.insert(at, reaction);
    reactions.truncate(OWN_REACTIONS_MAX);
}
