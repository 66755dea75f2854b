//! Turns what is stored into what travels on the wire.

mod bundle;
mod markdown;

pub(crate) use bundle::{Bundle, MessageContext};

use std::collections::HashMap;
use std::sync::Arc;

use natterjack_protocol::channel_state::ChannelResponse;
use natterjack_protocol::channel_types::ChannelTypeConfig;
use natterjack_protocol::members::ChannelMemberResponse;
use natterjack_protocol::reactions::ReactionResponse;
use natterjack_protocol::reads::ReadStateResponse;
use natterjack_protocol::threads::{self, ThreadResponse};
use natterjack_protocol::users::{FullUserResponse, UserResponse};
use natterjack_protocol::{Custom, Timestamp};
use natterjack_storage::{
    BanKind, Channel, ChannelMute, Member, Message, Reaction, Thread, ThreadParticipant, UnreadChannels,
    UnreadThreads, User,
};

use crate::limits::TITLE_LENGTH_MAX;

/// Role of a member who moderates the channel.
pub(crate) const CHANNEL_MODERATOR: &str = "channel_moderator";

/// The users that a reply shows, by id. Whoever is banned without being told does not see it on himself or herself; what is
/// a user's own business is shown to that user and to servers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Users {
    by_id: HashMap<String, Arc<UserResponse>>,
    viewer: Viewer,
}

/// Who looks at users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Viewer {
    #[default]
    Server,
    User(String),
    /// All those to whom the same is told.
    Many,
}

impl Users {
    pub(crate) fn insert(&mut self, user: Arc<UserResponse>) {
        self.by_id.insert(user.id.clone(), user);
    }

    /// The user with this id. One whose row is gone is shown by the id alone.
    pub(crate) fn get(&self, id: &str) -> Arc<UserResponse> {
        self.find(id).unwrap_or_else(|| {
            Arc::new(UserResponse { id: id.to_owned(), role: "user".to_owned(), ..UserResponse::default() })
        })
    }

    /// The user with this id, where the row is there.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<UserResponse>> {
        self.by_id.get(id).map(|user| match &self.viewer {
            Viewer::Server => Arc::clone(user),
            Viewer::User(_) if self.is_viewer(id) => unaware(Arc::clone(user)),
            Viewer::User(_) | Viewer::Many => discreet(Arc::clone(user)),
        })
    }

    /// The ids of those who are banned from the app without being told.
    pub(crate) fn shadow_banned(&self) -> impl Iterator<Item = &str> {
        self.by_id.values().filter(|user| user.shadow_banned).map(|user| user.id.as_str())
    }

    /// The same as this user sees them; `None` is the server.
    pub(crate) fn seen_by(mut self, viewer: Option<&str>) -> Self {
        self.viewer = viewer.map_or(Viewer::Server, |viewer| Viewer::User(viewer.to_owned()));
        self
    }

    /// Shows from now on what everybody may see, for what is told to many at once.
    pub(crate) fn keep_what_all_see(&mut self) {
        self.viewer = Viewer::Many;
    }

    fn is_viewer(&self, id: &str) -> bool {
        matches!(&self.viewer, Viewer::User(viewer) if viewer == id)
    }
}

impl FromIterator<Arc<UserResponse>> for Users {
    fn from_iter<T: IntoIterator<Item = Arc<UserResponse>>>(users: T) -> Self {
        Self {
            by_id: users.into_iter().map(|user| (user.id.clone(), user)).collect(),
            viewer: Viewer::Server,
        }
    }
}

/// A user as he or she appears to himself or herself.
pub(crate) fn unaware(user: Arc<UserResponse>) -> Arc<UserResponse> {
    if !user.shadow_banned {
        return user;
    }
    Arc::new(UserResponse { shadow_banned: false, ban_expires: None, ..(*user).clone() })
}

/// A user as he or she appears to others: an invisible one is somebody who is away.
pub(crate) fn discreet(user: Arc<UserResponse>) -> Arc<UserResponse> {
    if !user.invisible && user.revoke_tokens_issued_before.is_none() {
        return user;
    }
    Arc::new(UserResponse { invisible: false, revoke_tokens_issued_before: None, ..(*user).clone() })
}

/// A user as of a moment, on which it depends who is banned, as servers see him or her.
pub(crate) fn user(user: &User, now: Timestamp) -> UserResponse {
    let ban = user.ban_at(now);
    UserResponse {
        id: user.id.clone(),
        name: user.name.clone(),
        image: user.image.clone(),
        role: user.role.clone(),
        language: user.language.clone(),
        teams: user.teams.clone(),
        teams_role: (!user.teams_role.is_empty()).then(|| user.teams_role.clone()),
        invisible: user.invisible,
        online: user.online,
        banned: ban == Some(BanKind::Open),
        shadow_banned: ban == Some(BanKind::Shadow),
        ban_expires: user.ban_expires.filter(|_| ban.is_some()),
        privacy_settings: user.privacy_settings.clone(),
        custom: user.custom.clone(),
        created_at: user.created_at,
        updated_at: user.updated_at,
        last_active: user.last_active,
        deactivated_at: user.deactivated_at,
        deleted_at: user.deleted_at,
        revoke_tokens_issued_before: user.revoke_tokens_issued_before,
        ..UserResponse::default()
    }
}

/// A user as servers see it, with the numbers of what is unread.
pub(crate) fn full_user(
    user: &User,
    channels: &UnreadChannels,
    threads: &UnreadThreads,
    now: Timestamp,
) -> FullUserResponse {
    let ban = user.ban_at(now);
    let unread = channels.totals();
    FullUserResponse {
        id: user.id.clone(),
        name: user.name.clone(),
        image: user.image.clone(),
        role: user.role.clone(),
        language: user.language.clone(),
        teams: user.teams.clone(),
        teams_role: (!user.teams_role.is_empty()).then(|| user.teams_role.clone()),
        invisible: user.invisible,
        online: user.online,
        banned: ban == Some(BanKind::Open),
        shadow_banned: ban == Some(BanKind::Shadow),
        ban_expires: user.ban_expires.filter(|_| ban.is_some()),
        privacy_settings: user.privacy_settings.clone(),
        custom: user.custom.clone(),
        created_at: user.created_at,
        updated_at: user.updated_at,
        last_active: user.last_active,
        deactivated_at: user.deactivated_at,
        deleted_at: user.deleted_at,
        revoke_tokens_issued_before: user.revoke_tokens_issued_before,
        total_unread_count: unread.messages,
        unread_count: unread.messages,
        unread_channels: unread.channels,
        unread_threads: threads.threads,
        ..FullUserResponse::default()
    }
}

/// A user as others see him or her: without numbers and lists that are nobody else's business.
pub(crate) fn other_user(user: &User, now: Timestamp) -> FullUserResponse {
    FullUserResponse {
        invisible: false,
        revoke_tokens_issued_before: None,
        ..full_user(user, &UnreadChannels::default(), &UnreadThreads::default(), now)
    }
}

/// A channel. `viewer` is the membership of the user for whom it is shown.
pub(crate) fn channel(
    channel: &Channel,
    config: &Arc<ChannelTypeConfig>,
    users: &Users,
    viewer: Option<&Member>,
) -> ChannelResponse {
    ChannelResponse {
        cid: channel.cid.clone(),
        id: channel.id.clone(),
        kind: channel.kind.clone(),
        custom: channel.custom.clone(),
        team: channel.team.clone(),
        frozen: channel.frozen,
        disabled: channel.disabled,
        created_at: channel.created_at,
        updated_at: channel.updated_at,
        deleted_at: channel.deleted_at,
        last_message_at: channel.last_message_at,
        truncated_at: channel.truncated_at,
        truncated_by: channel.truncated_by_id.as_deref().map(|id| users.get(id)),
        created_by: channel.created_by_id.as_deref().map(|id| users.get(id)),
        cooldown: (channel.cooldown > 0).then_some(channel.cooldown),
        auto_translation_enabled: channel.auto_translation_enabled.then_some(true),
        auto_translation_language: channel.auto_translation_language.clone(),
        filter_tags: (!channel.filter_tags.is_empty()).then(|| channel.filter_tags.clone()),
        member_count: Some(channel.member_count),
        message_count: config.count_messages.then_some(channel.counted_messages()),
        hidden: viewer.filter(|member| member.hidden).map(|_| true),
        blocked: viewer.filter(|member| member.blocked).map(|_| true),
        hide_messages_before: viewer.and_then(|member| member.hide_messages_before),
        own_capabilities: Some(Vec::new()),
        config: Some(Arc::clone(config)),
        ..ChannelResponse::default()
    }
}

/// Shows with a channel that the user for whom it is shown has muted it.
pub(crate) fn mute(channel: &mut ChannelResponse, mute: Option<&ChannelMute>) {
    channel.muted = mute.map(|_| true);
    channel.mute_expires_at = mute.and_then(|mute| mute.expires);
}

/// A member as of a moment, on which it depends who is banned.
pub(crate) fn member(
    member: &Member,
    users: &Users,
    created_by: Option<&str>,
    now: Timestamp,
) -> ChannelMemberResponse {
    let is_own = users.is_viewer(&member.user_id);
    let ban = member.ban_at(now).filter(|kind| *kind == BanKind::Open || !is_own);
    let is_moderator = member.channel_role == CHANNEL_MODERATOR;
    // The older names of the roles.
    let role = match created_by {
        Some(creator) if creator == member.user_id => "owner",
        _ if is_moderator => "moderator",
        _ => "member",
    };
    ChannelMemberResponse {
        user_id: Some(member.user_id.clone()),
        user: Some(users.get(&member.user_id)),
        channel_role: member.channel_role.clone(),
        role: Some(role.to_owned()),
        status: Some("member".to_owned()),
        is_moderator: is_moderator.then_some(true),
        custom: member.custom.clone(),
        banned: ban == Some(BanKind::Open),
        shadow_banned: ban == Some(BanKind::Shadow),
        ban_expires: member.ban_expires.filter(|_| ban.is_some()),
        notifications_muted: member.is_muted(now),
        invited: member.invited.then_some(true),
        invite_accepted_at: member.invite_accepted_at,
        invite_rejected_at: member.invite_rejected_at,
        pinned_at: member.pinned_at,
        archived_at: member.archived_at,
        created_at: member.created_at,
        updated_at: member.updated_at,
        ..ChannelMemberResponse::default()
    }
}

fn read(member: &Member, unread_seq: i64, users: &Users) -> ReadStateResponse {
    ReadStateResponse {
        user: users.get(&member.user_id),
        last_read: member.last_read,
        unread_messages: member.unread(unread_seq),
        last_read_message_id: member.last_read_message_id.clone(),
        last_delivered_at: member.last_delivered_at,
        last_delivered_message_id: member.last_delivered_message_id.clone(),
    }
}

/// Read states as `viewer` sees them, `None` being the server: those of others who keep what they read to themselves
/// are left out.
pub(crate) fn reads(
    members: &[Member],
    viewer: Option<&str>,
    unread_seq: i64,
    users: &Users,
) -> Vec<ReadStateResponse> {
    let shown = members.iter().filter_map(|member| {
        let state = read(member, unread_seq, users);
        let is_own = viewer.is_none_or(|viewer| viewer == member.user_id);
        if is_own {
            return Some(state);
        }
        let delivered = shows_deliveries(&state.user);
        shows_reads(&state.user).then(|| ReadStateResponse {
            last_delivered_at: state.last_delivered_at.filter(|_| delivered),
            last_delivered_message_id: state.last_delivered_message_id.filter(|_| delivered),
            ..state
        })
    });
    shown.collect()
}

/// Whether others get to see what the user has read.
pub(crate) fn shows_reads(user: &UserResponse) -> bool {
    let setting = user.privacy_settings.as_ref().and_then(|settings| settings.read_receipts.as_ref());
    setting.is_none_or(|setting| setting.enabled)
}

/// Whether others get to see what has reached the user.
pub(crate) fn shows_deliveries(user: &UserResponse) -> bool {
    let setting = user.privacy_settings.as_ref().and_then(|settings| settings.delivery_receipts.as_ref());
    setting.is_none_or(|setting| setting.enabled)
}

/// A thread with those who take part.
pub(crate) fn thread(
    cid: &str,
    parent: &Message,
    thread: &Thread,
    participants: &[ThreadParticipant],
    users: &Users,
) -> ThreadResponse {
    let shown = participants.iter().map(|participant| threads::ThreadParticipant {
        channel_cid: cid.to_owned(),
        created_at: participant.created_at,
        last_read_at: participant.last_read,
        last_thread_message_at: participant.last_thread_message_at,
        thread_id: Some(parent.id.clone()),
        user_id: Some(participant.user_id.clone()),
        user: users.get(&participant.user_id),
        ..threads::ThreadParticipant::default()
    });
    ThreadResponse {
        thread_participants: Some(shown.collect()),
        // Nobody can leave a thread.
        active_participant_count: thread.participant_count,
        participant_count: thread.participant_count,
        channel_cid: cid.to_owned(),
        created_at: thread.created_at,
        updated_at: thread.updated_at,
        created_by: Some(users.get(&thread.created_by_id)),
        created_by_user_id: thread.created_by_id.clone(),
        parent_message_id: parent.id.clone(),
        reply_count: parent.reply_count,
        title: title(thread, parent),
        custom: thread.custom.clone(),
        deleted_at: parent.deleted_at,
        last_message_at: Some(thread.last_message_at),
        ..ThreadResponse::default()
    }
}

/// What a thread is called: as somebody named it, or by what the message says that it hangs on, unless that is not for
/// everybody who hears of the thread.
fn title(thread: &Thread, parent: &Message) -> String {
    let is_secret = parent.deleted_at.is_some() || !parent.restricted_visibility.is_empty();
    if !thread.title.is_empty() || is_secret {
        return thread.title.clone();
    }
    parent.text.chars().take(TITLE_LENGTH_MAX).collect()
}

pub(crate) fn reaction(reaction: &Reaction, message_id: &str, users: &Users) -> ReactionResponse {
    ReactionResponse {
        message_id: message_id.to_owned(),
        user_id: reaction.user_id.clone(),
        user: users.get(&reaction.user_id),
        kind: reaction.kind.clone(),
        score: reaction.score,
        custom: reaction.custom.clone(),
        created_at: reaction.created_at,
        updated_at: reaction.updated_at,
    }
}

/// The listed keys of custom data.
pub(crate) fn only(custom: &Custom, keys: &[String]) -> Custom {
    keys.iter()
        .filter_map(|key| custom.get(key).map(|value| (key.clone(), value.clone())))
        .collect::<natterjack_protocol::JsonMap>()
        .into()
}
