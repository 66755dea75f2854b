use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use natterjack_protocol::Timestamp;
use natterjack_protocol::channel_state::ChannelResponse;
use natterjack_protocol::reads::ReadStateResponse;
use natterjack_protocol::threads::{ThreadResponse, ThreadStateResponse};
use natterjack_storage::{Channel, Member, Message, Thread, ThreadParticipant, Tx, together};

use crate::actions::limit;
use crate::auth::Caller;
use crate::error::Result;
use crate::limits::{
    QUERY_MEMBERS_LIMIT_MAX, THREAD_PARTICIPANTS_MAX, THREAD_REPLIES_DEFAULT, THREAD_REPLIES_MAX,
};
use crate::permissions::Subject;
use crate::present::{self, Bundle, MessageContext};
use crate::state::{State, access};

/// What to show of threads.
#[derive(Debug, Clone)]
pub(super) struct ThreadsRequest {
    pub(super) replies_limit: i64,
    pub(super) participants_limit: i64,
    pub(super) members_limit: i64,
    pub(super) context: MessageContext,
    pub(super) now: Timestamp,
}

impl ThreadsRequest {
    /// The same for who only wants to know which threads there are.
    pub(super) fn without_details(&self) -> Self {
        Self { replies_limit: 0, participants_limit: 0, members_limit: 0, ..self.clone() }
    }

    /// Checks the limits of a request: of replies, participants and members.
    pub(super) fn check(
        (replies, participants, members): (Option<i64>, Option<i64>, Option<i64>),
        context: MessageContext,
        now: Timestamp,
    ) -> Result<Self> {
        let participants_max = THREAD_PARTICIPANTS_MAX;
        let members_max = QUERY_MEMBERS_LIMIT_MAX;
        Ok(Self {
            replies_limit: limit("reply_limit", replies, THREAD_REPLIES_DEFAULT, THREAD_REPLIES_MAX)?,
            participants_limit: limit("participant_limit", participants, participants_max, participants_max)?,
            members_limit: limit("member_limit", members, members_max, members_max)?,
            context,
            now,
        })
    }
}

/// Threads and what is shown of them, as stored.
#[derive(Debug)]
pub(super) struct LoadedThreads {
    threads: Vec<LoadedThread>,
    channels: HashMap<i64, LoadedChannel>,
    bundle: Bundle,
}

#[derive(Debug)]
struct LoadedThread {
    thread: Thread,
    parent: Message,
    replies: Vec<Message>,
    participants: Vec<ThreadParticipant>,
    /// The acting user's part in it, which may be beyond the participants shown.
    own: Option<ThreadParticipant>,
}

#[derive(Debug)]
struct LoadedChannel {
    channel: Channel,
    membership: Option<Member>,
    members: Vec<Member>,
}

/// Reads what is shown of these threads.
pub(super) async fn load_threads(
    tx: &mut Tx,
    threads: Vec<Thread>,
    request: &ThreadsRequest,
) -> Result<LoadedThreads> {
    let viewer = request.context.viewer.as_deref();
    let channel_pks: BTreeSet<i64> = threads.iter().map(|thread| thread.channel_pk).collect();
    let parent_pks: Vec<i64> = threads.iter().map(|thread| thread.parent_pk).collect();
    let (channels, parents, found) = together!(tx:
        load_channels(tx, channel_pks.into_iter().collect(), request),
        tx.list_messages_with_pks(parent_pks.clone()),
        tx.list_thread_participants(&parent_pks, request.participants_limit),
    );
    let mut parents: HashMap<i64, Message> = parents.into_iter().map(|parent| (parent.pk, parent)).collect();
    let mut participants: HashMap<i64, Vec<ThreadParticipant>> = HashMap::new();
    for participant in found {
        participants.entry(participant.parent_pk).or_default().push(participant);
    }
    let from: Vec<(i64, Timestamp)> = threads
        .iter()
        .map(|thread| {
            let shown_from = |found: &LoadedChannel| found.channel.shown_from(found.membership.as_ref());
            (thread.parent_pk, channels.get(&thread.channel_pk).map(shown_from).unwrap_or_default())
        })
        .collect();
    let replies = tx.list_newest_replies(&from, request.replies_limit, viewer).await?;
    let mut loaded = Vec::with_capacity(threads.len());
    for (thread, replies) in threads.into_iter().zip(replies) {
        let Some(parent) = parents.remove(&thread.parent_pk) else { continue };
        let participants = participants.remove(&thread.parent_pk).unwrap_or_default();
        let own = match viewer {
            Some(viewer) if participants.iter().all(|one| one.user_id != viewer) => {
                tx.find_thread_participant(thread.parent_pk, viewer).await?
            }
            _ => None,
        };
        loaded.push(LoadedThread { thread, parent, replies, participants, own });
    }
    let bundle = load_bundle(tx, &loaded, &channels, request).await?;
    Ok(LoadedThreads { threads: loaded, channels, bundle })
}

async fn load_channels(
    tx: &mut Tx,
    pks: Vec<i64>,
    request: &ThreadsRequest,
) -> Result<HashMap<i64, LoadedChannel>> {
    let (members, mut memberships, channels) = together!(tx:
        tx.list_members_of_channels(&pks, request.members_limit, 0),
        load_memberships(tx, &pks, request),
        tx.list_channels(pks.clone()),
    );
    let mut members: HashMap<i64, Vec<Member>> = pks.iter().copied().zip(members).collect();
    let channels = channels.into_iter().map(|channel| {
        let own = memberships.iter().position(|member| member.channel_pk == channel.pk);
        let loaded = LoadedChannel {
            membership: own.map(|own| memberships.swap_remove(own)),
            members: members.remove(&channel.pk).unwrap_or_default(),
            channel,
        };
        (loaded.channel.pk, loaded)
    });
    Ok(channels.collect())
}

async fn load_memberships(tx: &mut Tx, pks: &[i64], request: &ThreadsRequest) -> Result<Vec<Member>> {
    match &request.context.viewer {
        None => Ok(Vec::new()),
        Some(viewer) => Ok(tx.list_memberships(viewer, pks.to_vec()).await?),
    }
}

async fn load_bundle(
    tx: &mut Tx,
    threads: &[LoadedThread],
    channels: &HashMap<i64, LoadedChannel>,
    request: &ThreadsRequest,
) -> Result<Bundle> {
    let mut users: BTreeSet<String> = BTreeSet::new();
    let mut messages = Vec::new();
    for loaded in threads {
        users.insert(loaded.thread.created_by_id.clone());
        let participants = loaded.participants.iter().chain(&loaded.own);
        users.extend(participants.map(|participant| participant.user_id.clone()));
        messages.extend(loaded.replies.iter().chain([&loaded.parent]));
    }
    for LoadedChannel { channel, members, .. } in channels.values() {
        users.extend([&channel.created_by_id, &channel.truncated_by_id].into_iter().flatten().cloned());
        users.extend(members.iter().map(|member| member.user_id.clone()));
    }
    let mut bundle = Bundle::load(tx, request.context.clone(), &messages, users, request.now).await?;
    for LoadedChannel { channel, .. } in channels.values() {
        bundle.add_channel(channel.pk, &channel.cid);
    }
    Ok(bundle)
}

impl LoadedThreads {
    /// The channels in which these threads are.
    pub(super) fn channels(&self) -> Vec<Channel> {
        self.channels.values().map(|loaded| loaded.channel.clone()).collect()
    }

    /// The keys of the messages that the threads hang on.
    pub(super) fn parent_pks(&self) -> Vec<i64> {
        self.threads.iter().map(|loaded| loaded.parent.pk).collect()
    }

    /// The threads with their replies and read states, as they travel on the wire.
    pub(super) fn present_states(
        &self,
        state: &State,
        caller: &Caller,
        viewer: Option<&Subject>,
    ) -> Vec<ThreadStateResponse> {
        let channels = self.present_channels(state, caller, viewer);
        let states = self.threads.iter().map(|loaded| {
            let thread = self.present_thread(loaded, &channels);
            let has_read_events = thread
                .channel
                .as_ref()
                .and_then(|channel| channel.config.as_ref())
                .is_none_or(|config| config.read_events);
            ThreadStateResponse {
                latest_replies: loaded.replies.iter().map(|reply| self.bundle.message(reply)).collect(),
                read: (has_read_events && self.shows_reads(loaded)).then(|| self.present_reads(loaded)),
                ..ThreadStateResponse::from(thread)
            }
        });
        states.collect()
    }

    /// The threads alone, as they travel on the wire.
    pub(super) fn present_threads(
        &self,
        state: &State,
        caller: &Caller,
        viewer: Option<&Subject>,
    ) -> Vec<ThreadResponse> {
        let channels = self.present_channels(state, caller, viewer);
        self.threads.iter().map(|loaded| self.present_thread(loaded, &channels)).collect()
    }

    /// Takes out the threads of channels that a client may not read, any more at least.
    pub(super) fn retain(&mut self, state: &State, caller: &Caller, client: Option<&Subject>) {
        let Some(client) = client else { return };
        self.threads.retain(|loaded| {
            let of = self.channels.get(&loaded.thread.channel_pk);
            of.is_some_and(|LoadedChannel { channel, membership, .. }| {
                let role = membership.as_ref().map(|member| member.channel_role.as_str());
                access::rights_of(state, &caller.app, client, channel, role).read_messages_of(channel)
            })
        });
    }

    fn present_channels(
        &self,
        state: &State,
        caller: &Caller,
        viewer: Option<&Subject>,
    ) -> HashMap<i64, Arc<ChannelResponse>> {
        let users = &self.bundle.users;
        let shown = self.channels.values().map(|LoadedChannel { channel, membership, members }| {
            let created_by = channel.created_by_id.as_deref();
            let members =
                members.iter().map(|member| present::member(member, users, created_by, self.bundle.now()));
            let response = ChannelResponse {
                members: Some(members.collect()),
                ..access::show(state, caller, viewer, channel, users, membership.as_ref())
            };
            (channel.pk, Arc::new(response))
        });
        shown.collect()
    }

    fn present_thread(
        &self,
        loaded: &LoadedThread,
        channels: &HashMap<i64, Arc<ChannelResponse>>,
    ) -> ThreadResponse {
        let LoadedThread { thread, parent, participants, .. } = loaded;
        let channel = channels.get(&thread.channel_pk);
        let cid = channel.map(|channel| channel.cid.as_str()).unwrap_or_default();
        let parent_message = self.bundle.message(parent);
        let shown = present::thread(cid, parent, thread, participants, &self.bundle.users);
        ThreadResponse {
            // Who deleted the message for himself or herself is not shown its text here either.
            title: if parent_message.deleted_for_me.is_some() { thread.title.clone() } else { shown.title },
            parent_message: Some(Box::new(parent_message)),
            channel: channel.cloned(),
            ..shown
        }
    }

    /// How far the participants have read is shown to those who take part, and to servers.
    fn shows_reads(&self, loaded: &LoadedThread) -> bool {
        let participants = || loaded.own.iter().chain(&loaded.participants);
        self.bundle.viewer().is_none_or(|viewer| participants().any(|one| one.user_id == viewer))
    }

    /// How far the participants have read, the acting user first when beyond those who are shown.
    fn present_reads(&self, loaded: &LoadedThread) -> Vec<ReadStateResponse> {
        let viewer = self.bundle.viewer();
        let reads = loaded.own.iter().chain(&loaded.participants).filter_map(|participant| {
            let user = self.bundle.users.get(&participant.user_id);
            let is_shown =
                viewer.is_none_or(|viewer| viewer == participant.user_id) || present::shows_reads(&user);
            is_shown.then(|| ReadStateResponse {
                user,
                last_read: participant.last_read,
                unread_messages: participant.unread(loaded.thread.reply_seq),
                last_read_message_id: participant.last_read_message_id.clone(),
                ..ReadStateResponse::default()
            })
        });
        reads.take(THREAD_PARTICIPANTS_MAX as usize).collect()
    }
}
