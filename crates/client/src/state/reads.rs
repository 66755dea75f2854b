//! What events do to read states.

use natterjack_protocol::events::Event;
use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::reads::ReadStateResponse;

use super::ChannelState;
use super::messages::counts_for;

impl ChannelState {
    /// A new message: one more to read for those whom it concerns, if it `counts`; its sender has read everything.
    pub(super) fn count_unread(&mut self, message: &MessageResponse, counts: bool) {
        let (quiet, user_id) = (self.is_muted(), self.user_id.clone());
        for read in self.state.read.iter_mut().flatten() {
            if read.user.id == message.user.id {
                read.last_read = message.created_at;
                read.last_read_message_id = Some(message.id.clone());
                read.unread_messages = 0;
                read.last_delivered_at = Some(message.created_at);
                read.last_delivered_message_id = Some(message.id.clone());
            } else if counts && counts_for(message, &read.user.id) && !(quiet && read.user.id == user_id) {
                read.unread_messages += 1;
            }
        }
    }

    /// Messages went or came back: counts what is there. What lies before the oldest known message stays as it is.
    pub(super) fn recount_unread(&mut self) {
        let oldest = self.state.messages.first().map(|message| message.created_at);
        let mut reads = self.state.read.take();
        for read in reads.iter_mut().flatten() {
            let all_known = oldest.is_none_or(|oldest| oldest <= read.last_read)
                || i64::try_from(self.state.messages.len()).is_ok_and(|known| known >= read.unread_messages);
            if all_known {
                let counted = self.unread_since(&read.user.id, read.last_read);
                read.unread_messages = counted.min(read.unread_messages.max(counted));
            }
        }
        self.state.read = reads;
    }

    pub(super) fn apply_read(&mut self, event: &Event) {
        if event.thread_id.is_some() || event.thread.is_some() || event.parent_id.is_some() {
            return;
        }
        let Some(user) = &event.user else { return };
        let id = event.last_read_message_id.as_deref();
        let up_to = self.state.messages.iter().rev().find(|message| Some(message.id.as_str()) == id);
        let unread = up_to.map_or(0, |message| self.unread_since(&user.id, message.created_at));
        self.change_read(&user.id, |read| {
            read.last_read = event.last_read_at.unwrap_or(event.created_at);
            read.last_read_message_id = id.map(str::to_owned);
            read.unread_messages = unread;
            // What is read has arrived.
            read.last_delivered_at = read.last_delivered_at.max(Some(read.last_read));
            read.last_delivered_message_id = read.last_read_message_id.clone();
        });
    }

    pub(super) fn read_all(&mut self, event: &Event) {
        let user_id = self.user_id.clone();
        let last = self.state.messages.last().map(|message| message.id.clone());
        self.change_read(&user_id, |read| {
            read.last_read = event.created_at;
            read.last_read_message_id.clone_from(&last);
            read.unread_messages = 0;
            read.last_delivered_at = Some(event.created_at);
            read.last_delivered_message_id = last;
        });
    }

    pub(super) fn apply_unread(&mut self, event: &Event) {
        if event.thread_id.is_some() {
            return;
        }
        let user_id = self.user_id.clone();
        self.change_read(&user_id, |read| {
            read.last_read = event.last_read_at.unwrap_or(read.last_read);
            read.last_read_message_id.clone_from(&event.last_read_message_id);
            read.unread_messages = event.unread_messages.unwrap_or(read.unread_messages);
        });
    }

    pub(super) fn apply_delivered(&mut self, event: &Event) {
        let Some(user) = &event.user else { return };
        self.change_read(&user.id, |read| {
            read.last_delivered_at = event.last_delivered_at.or(read.last_delivered_at);
            if event.last_delivered_message_id.is_some() {
                read.last_delivered_message_id.clone_from(&event.last_delivered_message_id);
            }
        });
    }

    fn is_muted(&self) -> bool {
        self.state.channel.as_ref().is_some_and(|channel| channel.muted == Some(true))
    }

    fn change_read(&mut self, user_id: &str, change: impl FnOnce(&mut ReadStateResponse)) {
        if let Some(read) = self.state.read.iter_mut().flatten().find(|read| read.user.id == user_id) {
            change(read);
        }
    }
}
