//! What is shown of channels: members, messages, read states.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use natterjack_protocol::Timestamp;
use natterjack_protocol::channel_state::{ChannelResponse, ChannelStateResponse};
use natterjack_storage::{Channel, ChannelMute, Member, Message, MessagePage, Tx, Visibility, together};

use super::reach::Limited;
use crate::actions::pages::MessagePageRequest;
use crate::auth::Caller;
use crate::error::Result;
use crate::limits::{PINNED_MESSAGES_MAX, READS_MAX};
use crate::permissions::Subject;
use crate::present::{self, Bundle, MessageContext};
use crate::state::{State, access};

/// What to show of channels.
#[derive(Debug, Clone)]
pub(super) struct StateRequest {
    /// Messages, members and read states, or the channels alone.
    pub(super) full: bool,
    pub(super) messages: MessagePageRequest,
    pub(super) members_limit: i64,
    pub(super) members_offset: i64,
    pub(super) context: MessageContext,
    pub(super) now: Timestamp,
}

/// Channels and what is shown of them, as stored.
#[derive(Debug)]
pub(super) struct LoadedChannels {
    channels: Vec<LoadedChannel>,
    bundle: Bundle,
}

#[derive(Debug)]
struct LoadedChannel {
    channel: Channel,
    membership: Option<Member>,
    /// That the viewer has muted it.
    mute: Option<ChannelMute>,
    members: Vec<Member>,
    messages: Vec<Message>,
    pinned: Vec<Message>,
    reads: Vec<Member>,
}

/// Reads what is asked for of each of these channels.
pub(super) async fn load_states(
    tx: &mut Tx,
    channels: Vec<Channel>,
    request: &StateRequest,
) -> Result<LoadedChannels> {
    let context = &request.context;
    let pks: Vec<i64> = channels.iter().map(|channel| channel.pk).collect();
    let (memberships, mutes) = match &context.viewer {
        None => Default::default(),
        Some(user_id) => together!(tx:
            tx.list_memberships(user_id, pks.clone()),
            tx.list_channel_mutes_in(user_id, pks.clone(), request.now),
        ),
    };
    let mut memberships: HashMap<i64, Member> =
        memberships.into_iter().map(|member| (member.channel_pk, member)).collect();
    let mut mutes: HashMap<i64, ChannelMute> =
        mutes.into_iter().map(|mute| (mute.channel_pk, mute)).collect();
    let mut loaded: Vec<LoadedChannel> = channels
        .into_iter()
        .map(|channel| LoadedChannel {
            membership: memberships.remove(&channel.pk),
            mute: mutes.remove(&channel.pk),
            channel,
            members: Vec::new(),
            messages: Vec::new(),
            pinned: Vec::new(),
            reads: Vec::new(),
        })
        .collect();
    if request.full {
        load_full(tx, &mut loaded, &pks, request).await?;
    }
    let mut users: BTreeSet<String> = BTreeSet::new();
    let mut messages = Vec::new();
    for state in &loaded {
        users.extend(state.channel.created_by_id.iter().cloned());
        users.extend(state.channel.truncated_by_id.iter().cloned());
        let members = state.members.iter().chain(&state.reads).chain(&state.membership);
        users.extend(members.map(|member| member.user_id.clone()));
        messages.extend(state.messages.iter().chain(&state.pinned));
    }
    let bundle = Bundle::load(tx, context.clone(), &messages, users, request.now).await?;
    Ok(LoadedChannels { channels: loaded, bundle })
}

async fn load_full(
    tx: &mut Tx,
    loaded: &mut [LoadedChannel],
    pks: &[i64],
    request: &StateRequest,
) -> Result<()> {
    let viewer = request.context.viewer.as_deref();
    let from: Vec<(i64, Timestamp)> = loaded
        .iter()
        .map(|state| (state.channel.pk, state.channel.shown_from(state.membership.as_ref())))
        .collect();
    let (members, pinned, messages) = together!(tx:
        tx.list_members_of_channels(pks, request.members_limit, request.members_offset),
        tx.list_pinned_messages(&from, PINNED_MESSAGES_MAX, viewer, request.now),
        load_messages(tx, &from, request),
    );
    for (((state, members), pinned), messages) in loaded.iter_mut().zip(members).zip(pinned).zip(messages) {
        // The read states are those of the earliest members; they are read apart only when the page has others.
        let holds_earliest = request.members_offset == 0
            && (request.members_limit >= READS_MAX || (members.len() as i64) < request.members_limit);
        state.reads = if holds_earliest {
            members.iter().filter(|member| !member.is_pending()).take(READS_MAX as usize).cloned().collect()
        } else {
            tx.list_reads(state.channel.pk, READS_MAX).await?
        };
        if let Some(own) = state.membership.as_ref().filter(|own| !own.is_pending())
            && state.reads.iter().all(|read| read.user_id != own.user_id)
        {
            state.reads.truncate(READS_MAX as usize - 1);
            state.reads.insert(0, own.clone());
        }
        state.members = members;
        state.pinned = pinned;
        state.messages = messages;
    }
    Ok(())
}

/// The messages of each of these channels from the moment on from which the viewer sees them.
async fn load_messages(
    tx: &mut Tx,
    from: &[(i64, Timestamp)],
    request: &StateRequest,
) -> Result<Vec<Vec<Message>>> {
    let [(channel_pk, from)] = from else {
        let viewer = request.context.viewer.as_deref();
        return Ok(tx.list_newest_messages(from, request.messages.limit, viewer).await?);
    };
    let page = request
        .messages
        .resolve(tx, request.context.app_pk, |message| {
            let is_shown = message.channel_pk == *channel_pk && message.created_at > *from;
            is_shown.then_some(message.created_at)
        })
        .await?
        .unwrap_or(MessagePage::Newest);
    let visibility = Visibility { from: *from, user_id: request.context.viewer.clone() };
    let mut messages = tx.list_messages(*channel_pk, page, request.messages.reach(), &visibility).await?;
    request.messages.skip(&mut messages);
    Ok(vec![messages])
}

impl LoadedChannels {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// The channels' keys.
    pub(super) fn pks(&self) -> Vec<i64> {
        self.channels.iter().map(|loaded| loaded.channel.pk).collect()
    }

    /// The channels as stored.
    pub(super) fn channels(&self) -> Vec<Channel> {
        self.channels.iter().map(|loaded| loaded.channel.clone()).collect()
    }

    /// The channels as they travel on the wire.
    pub(super) fn present(
        mut self,
        state: &State,
        caller: &Caller,
        viewer: Option<&Subject>,
    ) -> Vec<ChannelStateResponse> {
        for loaded in &self.channels {
            self.bundle.add_channel(loaded.channel.pk, &loaded.channel.cid);
        }
        let bundle = &self.bundle;
        self.channels
            .iter()
            .map(|loaded| {
                let (channel, member) = (&loaded.channel, loaded.membership.as_ref());
                let shown = access::show(state, caller, viewer, channel, &bundle.users, member);
                present_state(loaded, shown, bundle)
            })
            .collect()
    }

    /// Takes out what a query found and the viewer may not read: channels, and what was said in those that are disabled.
    pub(super) fn retain(
        &mut self,
        state: &State,
        caller: &Caller,
        viewer: Option<&Subject>,
        limited: &Limited,
    ) {
        limited.retain(state, caller, viewer, &mut self.channels, |loaded| {
            (&loaded.channel, loaded.membership.as_ref())
        });
        let Some(viewer) = viewer else { return };
        for loaded in self.channels.iter_mut().filter(|loaded| loaded.channel.disabled) {
            let role = loaded.membership.as_ref().map(|member| member.channel_role.as_str());
            if !access::rights_of(state, &caller.app, viewer, &loaded.channel, role)
                .read_messages_of(&loaded.channel)
            {
                loaded.messages.clear();
                loaded.pinned.clear();
            }
        }
    }
}

fn present_state(
    loaded: &LoadedChannel,
    mut response: ChannelResponse,
    bundle: &Bundle,
) -> ChannelStateResponse {
    let users = &bundle.users;
    let channel = &loaded.channel;
    let viewer = loaded.membership.as_ref();
    let creator = channel.created_by_id.as_deref();
    let has_read_events = response.config.as_ref().is_some_and(|config| config.read_events);
    present::mute(&mut response, loaded.mute.as_ref());
    ChannelStateResponse {
        channel: Some(Arc::new(response)),
        members: loaded
            .members
            .iter()
            .map(|member| present::member(member, users, creator, bundle.now()))
            .collect(),
        messages: loaded.messages.iter().map(|message| bundle.message(message)).collect(),
        pinned_messages: loaded.pinned.iter().map(|message| bundle.message(message)).collect(),
        read: has_read_events
            .then(|| present::reads(&loaded.reads, bundle.viewer(), channel.unread_seq, users)),
        membership: viewer.map(|member| present::member(member, users, creator, bundle.now())),
        hidden: viewer.filter(|member| member.hidden).map(|_| true),
        hide_messages_before: viewer.and_then(|member| member.hide_messages_before),
        pending_messages: Some(Vec::new()),
        watchers: Some(Vec::new()),
        ..ChannelStateResponse::default()
    }
}

/// A page that cannot be anything but the newest messages.
pub(super) fn newest(limit: i64) -> MessagePageRequest {
    let params = natterjack_protocol::channels::MessagePaginationParams::default();
    let page = MessagePageRequest::new("messages.", &params, limit);
    page.expect("no limit and no pivot are always valid")
}
