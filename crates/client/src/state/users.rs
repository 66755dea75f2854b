//! What events do to users, wherever they are shown.

use std::sync::Arc;

use natterjack_protocol::events::Event;
use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::users::UserResponse;

use super::ChannelState;

impl ChannelState {
    pub(super) fn replace_user(&mut self, event: &Event) {
        let Some(new) = &event.user else { return };
        let state = &mut self.state;
        let members = state.members.iter_mut().chain(&mut state.membership);
        for user in members.filter_map(|member| member.user.as_mut()) {
            replace(user, new);
        }
        for read in state.read.iter_mut().flatten() {
            replace(&mut read.user, new);
        }
        for watcher in state.watchers.iter_mut().flatten() {
            replace(watcher, new);
        }
        for message in state.messages.iter_mut().chain(&mut state.pinned_messages) {
            replace_in_message(message, new);
        }
        if let Some(channel) = state.channel.as_mut().map(Arc::make_mut) {
            for user in [&mut channel.created_by, &mut channel.truncated_by].into_iter().flatten() {
                replace(user, new);
            }
        }
    }
}

fn replace_in_message(message: &mut MessageResponse, new: &Arc<UserResponse>) {
    replace(&mut message.user, new);
    message.mentioned_users.iter_mut().for_each(|user| replace(user, new));
    message.thread_participants.iter_mut().flatten().for_each(|user| replace(user, new));
    for reaction in message.latest_reactions.iter_mut().chain(&mut message.own_reactions) {
        replace(&mut reaction.user, new);
    }
    let groups = message.reaction_groups.values_mut().flat_map(|group| &mut group.latest_reactions_by);
    groups.filter_map(|one| one.user.as_mut()).for_each(|user| replace(user, new));
    if let Some(user) = &mut message.pinned_by {
        replace(user, new);
    }
    if let Some(quoted) = &mut message.quoted_message {
        replace_in_message(quoted, new);
    }
}

fn replace(user: &mut Arc<UserResponse>, new: &Arc<UserResponse>) {
    if user.id == new.id {
        *user = Arc::clone(new);
    }
}
