//! What events do to members.

use natterjack_protocol::events::Event;
use natterjack_protocol::members::ChannelMemberResponse;
use natterjack_protocol::reads::ReadStateResponse;

use super::ChannelState;

/// Members that a state holds, as many as a read gives.
const MEMBERS_MAX: usize = 100;

impl ChannelState {
    pub(super) fn put_member(&mut self, event: &Event) {
        let Some(member) = &event.member else { return };
        let Some(user_id) = id_of(member, event) else { return };
        if user_id == self.user_id {
            self.state.membership = Some(member.clone());
        }
        let members = &mut self.state.members;
        let was_pending = match members.iter().position(|one| one.user_id.as_deref() == Some(&user_id)) {
            Some(known) => is_pending(&std::mem::replace(&mut members[known], member.clone())),
            None => {
                if members.len() < MEMBERS_MAX {
                    members.push(member.clone());
                }
                false
            }
        };
        if (event.kind == "member.added" || was_pending) && !is_pending(member) {
            self.begin_reading(member, &user_id);
        }
    }

    /// A new member has read what was there before, and so has one who accepts an invite.
    fn begin_reading(&mut self, member: &ChannelMemberResponse, user_id: &str) {
        let Some(user) = &member.user else { return };
        let reads = self.state.read.get_or_insert_default();
        if reads.len() < MEMBERS_MAX && !reads.iter().any(|read| read.user.id == user_id) {
            reads.push(ReadStateResponse {
                user: user.clone(),
                last_read: member.invite_accepted_at.unwrap_or(member.created_at),
                ..ReadStateResponse::default()
            });
        }
    }

    pub(super) fn remove_member(&mut self, event: &Event) {
        let named = event.member.as_ref().and_then(|member| id_of(member, event));
        // Older servers name the member as the user only.
        let Some(user_id) = named.or_else(|| event.user.as_ref().map(|user| user.id.clone())) else { return };
        self.state.members.retain(|member| member.user_id.as_ref() != Some(&user_id));
        if let Some(reads) = &mut self.state.read {
            reads.retain(|read| read.user.id != user_id);
        }
        if user_id == self.user_id {
            self.state.membership = None;
        }
    }

    pub(super) fn apply_ban(&mut self, event: &Event) {
        let Some(user) = &event.user else { return };
        let banned = event.kind == "user.banned";
        let shadow = event.shadow == Some(true);
        let members = self.state.members.iter_mut().chain(&mut self.state.membership);
        for member in members.filter(|member| member.user_id.as_ref() == Some(&user.id)) {
            member.banned = banned && !shadow;
            member.shadow_banned = banned && shadow;
            member.ban_expires = event.expiration.filter(|_| banned);
        }
    }
}

/// Whether a member was invited and has not accepted: nothing is read or unread then.
fn is_pending(member: &ChannelMemberResponse) -> bool {
    member.invited == Some(true) && member.invite_accepted_at.is_none()
}

fn id_of(member: &ChannelMemberResponse, event: &Event) -> Option<String> {
    let object = member.user.as_ref().or(event.user.as_ref());
    member.user_id.clone().or_else(|| object.map(|user| user.id.clone()))
}
