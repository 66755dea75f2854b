//! The way from a caller to a channel or a message: nobody else hands them out, and each asks for the actions of which the
//! caller must be allowed one.
//!
//! What belongs to another team looks as if it were not there.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use natterjack_protocol::channel_state::ChannelResponse;
use natterjack_protocol::{MessageId, Timestamp};
use natterjack_storage::{App, Channel, Member, Message};

use super::{CachedChannel, CachedUser, Membership, State};
use crate::auth::{Caller, Who};
use crate::error::{Error, Result};
use crate::permissions::{Action, InChannel, Subject, capabilities};
use crate::present::{self, Users};

/// The actions for whose permission nobody is asked: the channel must be there and in reach.
pub(crate) const ANY: &[Action] = &[];
/// What replying to a message needs. The second one includes the first.
pub(crate) const REPLY: &[Action] = &[Action::CreateReply, Action::CreateMessage];
/// What reading a channel needs.
pub(crate) const READ: &[Action] = &[Action::ReadChannel];

/// A channel as one caller may use it.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) cached: Arc<CachedChannel>,
    /// `None` for servers, which may do everything.
    client: Option<Client>,
}

/// A caller who is not a server, in a channel.
#[derive(Debug, Clone)]
struct Client {
    subject: Subject,
    channel_role: Option<Arc<str>>,
    /// The same with the ban; `None` where that was not looked up.
    membership: Option<Membership>,
    /// Up to when messages are hidden from the member; looked up with messages only.
    hidden_before: Timestamp,
}

impl Deref for Access {
    type Target = CachedChannel;

    fn deref(&self) -> &CachedChannel {
        &self.cached
    }
}

impl Access {
    fn view(&self) -> Option<InChannel<'_>> {
        let client = self.client.as_ref()?;
        let role = client.channel_role.as_deref();
        Some(client.subject.in_channel(&self.channel, role, &self.scope))
    }

    /// Whether the caller may do this.
    pub(crate) fn may(&self, action: Action) -> bool {
        self.view().is_none_or(|view| view.may(action))
    }

    /// Refuses the caller who may not do this.
    pub(crate) fn require(&self, action: Action) -> Result<()> {
        self.require_one(&[action])
    }

    /// Refuses the caller who may do none of these. No action at all is open to everybody.
    pub(crate) fn require_one(&self, actions: &[Action]) -> Result<()> {
        let (Some(view), Some(first)) = (self.view(), actions.first()) else { return Ok(()) };
        if actions.iter().any(|action| view.may(*action)) { Ok(()) } else { Err(view.refusal(*first)) }
    }

    /// Refuses the caller who may not do this to something in the channel that belongs to `owner`.
    pub(crate) fn require_to(&self, action: Action, owner: &str) -> Result<()> {
        match self.view() {
            Some(view) if !view.may_to(action, Some(owner)) => Err(view.refusal(action)),
            _ => Ok(()),
        }
    }

    /// Refuses the caller who may not write to the channel while it is frozen.
    pub(crate) fn require_thawed(&self) -> Result<()> {
        if self.channel.frozen { self.require(Action::UseFrozenChannel) } else { Ok(()) }
    }

    /// What the caller is in the channel, by which it was decided what he or she may. `None` for servers, and where it was
    /// not looked up as a whole.
    pub(crate) fn membership(&self) -> Option<&Membership> {
        self.client.as_ref()?.membership.as_ref()
    }

    /// Whether the caller is a server.
    pub(crate) fn is_server(&self) -> bool {
        self.client.is_none()
    }

    /// Whether the caller is a member. A server is none.
    pub(crate) fn is_member(&self) -> bool {
        self.client.as_ref().is_some_and(|client| client.channel_role.is_some())
    }

    /// Checks everything that holds for each use of a channel.
    fn check(self, actions: &[Action]) -> Result<Self> {
        let Some(client) = &self.client else { return Ok(self) };
        let channel = &self.channel;
        let in_reach = client.subject.is_of_team(channel.team.as_deref());
        // A permission in all teams is the only way to another one's channels.
        let probe = if actions.is_empty() { READ } else { actions };
        if !in_reach && self.require_one(probe).is_err() {
            return Err(Error::not_found("channel", &channel.cid));
        }
        self.require_one(actions)?;
        if channel.disabled {
            self.require(Action::ReadDisabledChannel)?;
        }
        Ok(self)
    }
}

/// Who acts, as permissions see it. `None` for servers, which may do everything.
pub(crate) async fn subject(state: &State, caller: &Caller) -> Result<Option<Subject>> {
    let user = match &caller.who {
        Who::Server => return Ok(None),
        Who::Anonymous => None,
        Who::User(id) => {
            let gone = || Error::denied(format!("user {:?} was deleted", id.as_str()));
            Some(state.user(caller.app.pk, id.as_str()).await?.ok_or_else(gone)?)
        }
    };
    Ok(Some(subject_of(state, &caller.app, user)))
}

fn subject_of(state: &State, app: &App, user: Option<Arc<CachedUser>>) -> Subject {
    let settings = &state.current_app(app).app.settings;
    Subject {
        user,
        multi_tenant: settings.multi_tenant_enabled == Some(true),
        unlimited: settings.disable_permissions_checks == Some(true),
    }
}

/// The user who looks at what is shown: the caller, or the one whom a server names.
pub(crate) async fn viewer(
    state: &State,
    caller: &Caller,
    named: Option<&Arc<CachedUser>>,
) -> Result<Option<Subject>> {
    match subject(state, caller).await? {
        Some(subject) => Ok(Some(subject)),
        None => Ok(named.map(|user| subject_of(state, &caller.app, Some(Arc::clone(user))))),
    }
}

/// Whether a client may have to do with a user: they share a team, or the client may find users of all teams.
pub(crate) fn may_meet(state: &State, caller: &Caller, subject: Option<&Subject>, user: &CachedUser) -> bool {
    let Some(subject) = subject else { return true };
    subject.shares_team(&user.user.teams)
        || subject.may(&state.current_app(&caller.app).scope, Action::SearchUser, false, &user.user.teams)
}

/// Refuses the caller who may not do this, in the app, to a user.
pub(crate) async fn require_in_app(
    state: &State,
    caller: &Caller,
    action: Action,
    user: &CachedUser,
) -> Result<()> {
    let Some(subject) = subject(state, caller).await? else { return Ok(()) };
    let is_own = subject.id() == Some(user.user.id.as_str());
    let scope = &state.current_app(&caller.app).scope;
    if subject.may(scope, action, is_own, &user.user.teams) { Ok(()) } else { Err(subject.refusal(action)) }
}

/// Refuses the caller who may not ban this user in the whole app: who may is who has the permission in a channel type, by
/// a role that is not one of channels.
pub(crate) async fn require_ban_in_app(state: &State, caller: &Caller, user: &CachedUser) -> Result<()> {
    const ACTION: Action = Action::BanUser;
    let Some(subject) = subject(state, caller).await? else { return Ok(()) };
    let app = state.current_app(&caller.app);
    let mut scopes = app.types.values().map(|of_type| &of_type.scope);
    if scopes.any(|scope| subject.may(scope, ACTION, false, &user.user.teams)) {
        return Ok(());
    }
    Err(subject.refusal(ACTION))
}

/// Refuses the caller who may not do this with what users report, and whom they ban. Answers who looks at it, who may not be
/// shown all of it; `None` for servers.
pub(crate) async fn require_reports(
    state: &State,
    caller: &Caller,
    action: Action,
) -> Result<Option<Subject>> {
    let Some(subject) = subject(state, caller).await? else { return Ok(None) };
    let app = state.current_app(&caller.app);
    if subject.may(&app.scope, action, false, subject.teams()) {
        Ok(Some(subject))
    } else {
        Err(subject.refusal(action))
    }
}

/// The channel with this cid, for a caller who may do one of these.
///
/// # Errors
/// Code 16 when it does not exist, or is out of the caller's reach; 17 when the caller may do none of these.
pub(crate) async fn channel(state: &State, caller: &Caller, cid: &str, actions: &[Action]) -> Result<Access> {
    let cached = state.channel(&caller.app, cid).await?;
    let client = client(state, caller, &cached.channel).await?;
    Access { cached, client }.check(actions)
}

async fn client(state: &State, caller: &Caller, channel: &Channel) -> Result<Option<Client>> {
    let Some(subject) = subject(state, caller).await? else { return Ok(None) };
    let membership = match subject.id() {
        Some(id) => state.membership(channel, id).await?,
        None => Membership::default(),
    };
    Ok(Some(Client {
        subject,
        channel_role: membership.channel_role.clone(),
        membership: Some(membership),
        hidden_before: Timestamp::default(),
    }))
}

/// A channel that was read by other means, or one that is about to be created, for a caller who may do one of these.
///
/// # Errors
/// As [`channel`].
pub(crate) async fn this_channel(
    state: &State,
    caller: &Caller,
    channel: Channel,
    actions: &[Action],
) -> Result<Access> {
    let client = client(state, caller, &channel).await?;
    let cached = Arc::new(state.configured(&caller.app, channel));
    Access { cached, client }.check(actions)
}

/// The message with this id and the channel in which it is seen, for a caller who may do one of these there.
///
/// # Errors
/// Code 16 when there is no such message, its channel is deleted, it lies before what the channel shows, or it is not to be
/// seen by the caller; 17 when the caller may do none of these.
pub(crate) async fn message(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    actions: &[Action],
) -> Result<(Message, Access)> {
    let dropped = state.dropped();
    let user_id = caller.user_id().cloned();
    let found = state
        .store
        .read(
            "find_message_with_channel",
            (caller.app.pk, id.clone(), user_id),
            |tx, (app_pk, id, user_id)| {
                Box::pin(async move {
                    let Some(message) = tx.find_message(*app_pk, id.as_str()).await? else { return Ok(None) };
                    let Some(channel) = tx.list_channels(vec![message.channel_pk]).await?.pop() else {
                        return Ok(None);
                    };
                    let member = match user_id {
                        Some(user_id) => tx.find_member(channel.pk, user_id.as_str()).await?,
                        None => None,
                    };
                    Ok::<_, Error>(Some((message, channel, member)))
                })
            },
        )
        .await?;
    let gone = || Error::not_found("message", id.as_str());
    let (message, channel, member) = found
        .filter(|(message, channel, _)| {
            channel.deleted_at.is_none() && message.created_at > channel.history_from
        })
        .ok_or_else(gone)?;
    let cached = state.remember_channel(&caller.app, channel, &dropped);
    let client = subject(state, caller).await?.map(|subject| Client {
        subject,
        channel_role: member.as_ref().map(|member| member.channel_role.as_str().into()),
        membership: None,
        hidden_before: member.and_then(|member| member.hide_messages_before).unwrap_or_default(),
    });
    let access = Access { cached, client }.check(actions).map_err(|error| match error {
        Error::Caller(fault) if fault.code == natterjack_protocol::ErrorCode::NotFound => gone(),
        error => error,
    })?;
    let is_seen = message.created_at > access.shown_from() && access.sees(&message);
    if is_seen { Ok((message, access)) } else { Err(gone()) }
}

/// The message with this id, when it stands in a channel that the caller may use and the caller sees it there.
pub(crate) async fn message_in(
    state: &State,
    caller: &Caller,
    access: &Access,
    id: &MessageId,
) -> Result<Option<Message>> {
    let request = (caller.app.pk, access.channel.pk, id.clone(), caller.user_id().cloned());
    let (found, member) = state
        .store
        .read("find_message_in_channel", request, |tx, (app_pk, channel_pk, id, user_id)| {
            Box::pin(async move {
                let found = tx.find_message(*app_pk, id.as_str()).await?;
                let found = found.filter(|message| message.channel_pk == *channel_pk);
                let member = match user_id {
                    Some(user_id) if found.is_some() => tx.find_member(*channel_pk, user_id.as_str()).await?,
                    _ => None,
                };
                Ok::<_, Error>((found, member))
            })
        })
        .await?;
    let shown_from = access.channel.shown_from(member.as_ref());
    Ok(found.filter(|message| message.created_at > shown_from && access.sees(message)))
}

impl Access {
    /// The moment up to which nothing is shown to the caller, of an access by a message.
    pub(crate) fn shown_from(&self) -> Timestamp {
        let hidden_before = self.client.as_ref().map(|client| client.hidden_before);
        self.channel.history_from.max(hidden_before.unwrap_or_default())
    }

    /// Whether a message is not kept from the caller.
    pub(crate) fn sees(&self, message: &Message) -> bool {
        let Some(client) = &self.client else { return true };
        message.restricted_visibility.is_empty()
            || client.subject.id().is_some_and(|user_id| message.is_visible_to(user_id))
            || self.may(Action::ReadRestrictedVisibilityMessage)
    }
}

/// What somebody may read of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rights {
    /// Anything at all.
    pub(crate) reads: bool,
    /// Messages that are restricted to others.
    pub(crate) reads_restricted: bool,
    /// Also while the channel is disabled.
    pub(crate) reads_disabled: bool,
}

impl Rights {
    /// Whether what was said in the channel may be read.
    pub(crate) fn read_messages_of(self, channel: &Channel) -> bool {
        self.reads && (self.reads_disabled || !channel.disabled)
    }
}

/// What a user, or somebody without a token, may read of a channel in which he or she has this role.
pub(crate) fn rights(
    state: &State,
    app: &App,
    user: Option<Arc<CachedUser>>,
    channel: &Channel,
    channel_role: Option<&str>,
) -> Rights {
    rights_of(state, app, &subject_of(state, app, user), channel, channel_role)
}

/// As [`rights`], of a subject.
pub(crate) fn rights_of(
    state: &State,
    app: &App,
    subject: &Subject,
    channel: &Channel,
    channel_role: Option<&str>,
) -> Rights {
    let scope = state.channel_scope(app, channel);
    let view = subject.in_channel(channel, channel_role, &scope);
    Rights {
        reads: view.may(Action::ReadChannel),
        reads_restricted: view.may(Action::ReadRestrictedVisibilityMessage),
        reads_disabled: view.may(Action::ReadDisabledChannel),
    }
}

/// Whether a message may be shown to a subject, whose membership is known.
pub(crate) fn may_see(
    state: &State,
    caller: &Caller,
    subject: &Subject,
    channel: &Channel,
    membership: Option<&Member>,
    message: &Message,
) -> bool {
    let role = membership.map(|member| member.channel_role.as_str());
    let rights = rights_of(state, &caller.app, subject, channel, role);
    rights.read_messages_of(channel)
        && message.created_at > channel.shown_from(membership)
        && (rights.reads_restricted
            || message.restricted_visibility.is_empty()
            || subject.id().is_some_and(|id| message.is_visible_to(id)))
}

/// A channel as it travels on the wire, for a viewer whose membership is known.
pub(crate) fn show(
    state: &State,
    caller: &Caller,
    viewer: Option<&Subject>,
    channel: &Channel,
    users: &Users,
    membership: Option<&Member>,
) -> ChannelResponse {
    let role = membership.map(|member| member.channel_role.as_str());
    show_as(state, caller, viewer, role, channel, users, membership)
}

/// As [`show`], for a viewer whose role is still to be found out.
pub(crate) async fn show_alone(
    state: &State,
    caller: &Caller,
    viewer: Option<&Subject>,
    channel: &Channel,
    users: &Users,
) -> Result<ChannelResponse> {
    let role = match viewer.and_then(Subject::id) {
        Some(id) => state.channel_role(channel, id).await?,
        None => None,
    };
    Ok(show_as(state, caller, viewer, role.as_deref(), channel, users, None))
}

fn show_as(
    state: &State,
    caller: &Caller,
    viewer: Option<&Subject>,
    role: Option<&str>,
    channel: &Channel,
    users: &Users,
    membership: Option<&Member>,
) -> ChannelResponse {
    let config = state.channel_config(&caller.app, channel);
    let own_capabilities: Vec<Cow<'static, str>> = match viewer {
        None => Vec::new(),
        Some(viewer) => {
            let scope = state.channel_scope(&caller.app, channel);
            capabilities(&viewer.in_channel(channel, role, &scope), &config)
        }
    };
    ChannelResponse {
        own_capabilities: Some(own_capabilities),
        ..present::channel(channel, &config, users, membership)
    }
}
