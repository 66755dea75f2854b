//! A channel as a client shows it: what a read gave, kept up to date by events.
//!
//! ```
//! use natterjack_client::protocol::channel_state::ChannelStateResponse;
//! use natterjack_client::protocol::events::Event;
//! use natterjack_client::state::ChannelState;
//!
//! # fn a_read() -> ChannelStateResponse {
//! #     serde_json::from_str(r#"{"channel": {"cid": "messaging:general"}}"#).expect("is a channel's state")
//! # }
//! # fn an_event() -> Event {
//! #     let text = r#"{"type": "message.new", "cid": "messaging:general", "created_at": 1,
//! #         "message": {"id": "m1", "text": "hello", "user": {"id": "joe"}}}"#;
//! #     serde_json::from_str(text).expect("is an event")
//! # }
//! let mut general = ChannelState::new(a_read(), "jane");
//! general.apply(&an_event());
//! assert_eq!(general.messages()[0].text, "hello");
//! ```
//!
//! After any number of events the state is what a new read would give, but for messages older than the first read's page,
//! of which it knows only what has to do with newer ones.

mod members;
mod messages;
mod reads;
mod typing;
mod users;

use std::sync::Arc;
use std::time::{Duration, Instant};

use natterjack_protocol::channel_state::{ChannelResponse, ChannelStateResponse};
use natterjack_protocol::events::Event;
use natterjack_protocol::members::ChannelMemberResponse;
use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::reads::ReadStateResponse;
use natterjack_protocol::users::UserResponse;

use typing::Typing;

/// Who is said to type is forgotten after this time without another word.
pub const TYPING_TIME_MAX: Duration = Duration::from_secs(7);

/// Messages that a state holds; older ones are forgotten.
pub const MESSAGES_MAX: usize = 1000;

/// A channel as one user sees it.
#[derive(Debug, Clone)]
pub struct ChannelState {
    user_id: String,
    state: ChannelStateResponse,
    typing: Typing,
}

impl ChannelState {
    /// Begins with what a read by this user gave.
    pub fn new(state: ChannelStateResponse, user_id: impl Into<String>) -> Self {
        Self { user_id: user_id.into(), state, typing: Typing::default() }
    }

    /// `<type>:<id>` of the channel.
    pub fn cid(&self) -> &str {
        self.state.channel.as_ref().map_or("", |channel| &channel.cid)
    }

    /// The channel; `deleted_at` is set once it has been deleted.
    pub fn channel(&self) -> Option<&ChannelResponse> {
        self.state.channel.as_deref()
    }

    /// The newest messages, oldest first, at most [`MESSAGES_MAX`].
    pub fn messages(&self) -> &[MessageResponse] {
        &self.state.messages
    }

    /// The members that the read gave and those who have come since.
    pub fn members(&self) -> &[ChannelMemberResponse] {
        &self.state.members
    }

    /// How far others and the user have read.
    pub fn reads(&self) -> &[ReadStateResponse] {
        self.state.read.as_deref().unwrap_or_default()
    }

    /// Messages that the user has not read.
    pub fn unread(&self) -> i64 {
        let own = self.reads().iter().find(|read| read.user.id == self.user_id);
        own.map_or(0, |read| read.unread_messages)
    }

    /// Everybody else who types in the channel now, or in the thread of the message `parent_id`.
    pub fn typing(&self, parent_id: Option<&str>) -> Vec<Arc<UserResponse>> {
        self.typing_at(parent_id, Instant::now())
    }

    /// As [`typing`](Self::typing), at another moment.
    pub fn typing_at(&self, parent_id: Option<&str>, now: Instant) -> Vec<Arc<UserResponse>> {
        self.typing.users(parent_id, now)
    }

    /// All of it, in the shape of a read.
    pub fn response(&self) -> &ChannelStateResponse {
        &self.state
    }

    /// Follows an event. Events of other channels are passed over, but for what they say about users.
    pub fn apply(&mut self, event: &Event) {
        self.apply_at(event, Instant::now());
    }

    /// As [`apply`](Self::apply), at another moment. The time matters only to who types.
    pub fn apply_at(&mut self, event: &Event, now: Instant) {
        match event.kind.as_str() {
            "user.presence.changed"
            | "user.updated"
            | "user.deleted"
            | "user.deactivated"
            | "user.reactivated" => return self.replace_user(event),
            "notification.channel_mutes_updated" => return self.apply_mutes(event),
            // One that marks all channels as read names none.
            "notification.mark_read" if event.cid.is_none() => return self.read_all(event),
            _ => {}
        }
        if event.cid.as_deref() != Some(self.cid()) {
            return;
        }
        self.apply_common(event);
        match event.kind.as_str() {
            "message.new" | "notification.message_new" => self.add_message(event),
            "message.updated" | "message.undeleted" => self.replace_message(event),
            "message.deleted" => self.delete_message(event),
            "user.messages.deleted" => self.delete_messages_of(event),
            "reaction.new" | "reaction.updated" | "reaction.deleted" => self.apply_reaction(event),
            "message.read" | "notification.mark_read" => self.apply_read(event),
            "notification.mark_unread" => self.apply_unread(event),
            "message.delivered" => self.apply_delivered(event),
            "typing.start" | "typing.stop" => self.apply_typing(event, now),
            "member.added" | "member.updated" => self.put_member(event),
            "member.removed" => self.remove_member(event),
            "user.banned" | "user.unbanned" => self.apply_ban(event),
            "user.watching.start" | "user.watching.stop" => self.apply_watching(event),
            "channel.updated" | "channel.deleted" | "notification.channel_deleted" => {
                self.replace_channel(event);
            }
            "channel.truncated" | "notification.channel_truncated" => self.truncate(event),
            "channel.hidden" | "channel.visible" => self.apply_hidden(event),
            _ => {}
        }
    }

    /// What every event of a channel may say about it.
    fn apply_common(&mut self, event: &Event) {
        let Some(channel) = self.state.channel.as_mut().map(Arc::make_mut) else { return };
        channel.member_count = event.channel_member_count.or(channel.member_count);
        channel.message_count = event.channel_message_count.or(channel.message_count);
        channel.last_message_at = event.channel_last_message_at.or(channel.last_message_at);
    }

    /// Takes the event's channel, and keeps of the old one what concerns the user alone.
    fn replace_channel(&mut self, event: &Event) {
        let Some(new) = &event.channel else { return };
        let old = self.state.channel.take().unwrap_or_default();
        self.state.channel = Some(Arc::new(ChannelResponse {
            own_capabilities: old.own_capabilities.clone(),
            hidden: old.hidden,
            hide_messages_before: old.hide_messages_before,
            muted: old.muted,
            mute_expires_at: old.mute_expires_at,
            blocked: old.blocked,
            members: None,
            config: new.config.clone().or_else(|| old.config.clone()),
            member_count: new.member_count.or(old.member_count),
            message_count: new.message_count.or(old.message_count),
            last_message_at: new.last_message_at.or(old.last_message_at),
            ..ChannelResponse::clone(new)
        }));
    }

    fn apply_hidden(&mut self, event: &Event) {
        let hidden = event.kind == "channel.hidden";
        self.state.hidden = hidden.then_some(true);
        let before = (hidden && event.clear_history == Some(true)).then_some(event.created_at);
        if let Some(channel) = self.state.channel.as_mut().map(Arc::make_mut) {
            channel.hidden = hidden.then_some(true);
            channel.hide_messages_before = before.or(channel.hide_messages_before);
        }
        if let Some(before) = before {
            self.state.hide_messages_before = Some(before);
            self.state.messages.retain(|message| message.created_at > before);
            self.state.pinned_messages.retain(|message| message.created_at > before);
        }
    }

    fn apply_mutes(&mut self, event: &Event) {
        let Some(me) = event.me.as_ref().filter(|me| me.id == self.user_id) else { return };
        let cid = self.cid();
        let mute =
            me.channel_mutes.iter().find(|mute| mute.channel.as_ref().is_some_and(|one| one.cid == cid));
        let (muted, expires) = (mute.is_some(), mute.and_then(|mute| mute.expires));
        if let Some(channel) = self.state.channel.as_mut().map(Arc::make_mut) {
            channel.muted = muted.then_some(true);
            channel.mute_expires_at = expires;
        }
        if let Some(member) = &mut self.state.membership {
            member.notifications_muted = muted;
        }
        let own = self.state.members.iter_mut();
        for member in own.filter(|member| member.user_id.as_ref() == Some(&self.user_id)) {
            member.notifications_muted = muted;
        }
    }

    fn apply_watching(&mut self, event: &Event) {
        self.state.watcher_count = event.watcher_count.filter(|count| *count > 0);
        let (Some(watchers), Some(user)) = (&mut self.state.watchers, &event.user) else { return };
        watchers.retain(|watcher| watcher.id != user.id);
        if event.kind == "user.watching.start" {
            watchers.push(Arc::clone(user));
        }
    }

    fn apply_typing(&mut self, event: &Event, now: Instant) {
        let Some(user) = event.user.as_ref().filter(|user| user.id != self.user_id) else { return };
        if event.kind == "typing.start" {
            self.typing.start(user, event.parent_id.as_deref(), now);
        } else {
            self.typing.stop(&user.id, event.parent_id.as_deref());
        }
    }
}
