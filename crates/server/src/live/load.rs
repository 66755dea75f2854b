//! Reads what the log of a channel says since it was read last, and the rows that it names.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use natterjack_protocol::Timestamp;
use natterjack_storage::{
    BanKind, Channel, LogEntry, Member, Message, Thread, ThreadParticipant, Tx, UnreadChannels, UnreadQuery,
    UnreadThreads, UnreadTotals, together,
};
use serde_json::Value;

use super::connection::Connection;
use crate::error::Result;
use crate::limits::{MEMBERS_TOLD_MAX, THREAD_PARTICIPANTS_MAX, TOTALS_RECEIVERS_MAX, UNREAD_LISTED_MAX};
use crate::present::{Bundle, MessageContext};
use crate::state::State;

/// Events read at a time.
pub(super) const BATCH: i64 = 100;

/// Ids of users.
pub(super) type Ids = HashSet<Arc<str>>;

/// What to read of a channel's log.
pub(super) struct Request {
    pub(super) state: Arc<State>,
    pub(super) channel_pk: i64,
    pub(super) after: i64,
    /// The members as of `after`, when they are known.
    pub(super) members: Option<Arc<Ids>>,
}

/// A part of a channel's log with everything that its events show.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) entries: Vec<LogEntry>,
    pub(super) channel: Option<Channel>,
    /// The members as of the first entry.
    pub(super) members: Arc<Ids>,
    pub(super) rows: Rows,
    /// What connected receivers have not read, where they are few.
    pub(super) totals: HashMap<String, Totals>,
    /// Whether there may be more behind it.
    pub(super) is_full: bool,
}

/// The rows that events of a channel name.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) messages: HashMap<String, Message>,
    pub(super) bundle: Bundle,
    /// By user.
    pub(super) members: HashMap<String, Member>,
    pub(super) threads: HashMap<String, (Thread, Vec<ThreadParticipant>)>,
    /// Members to whom a message is not shown, by the message's id: of those that are told about and those that they quote.
    pub(super) not_shown: HashMap<String, HashSet<String>>,
    /// Members of a channel of two who blocked the other.
    pub(super) blockers: HashSet<String>,
}

impl Rows {
    /// The users who are shown to be banned without having been told.
    pub(super) fn shadow_banned(&self) -> BTreeSet<&str> {
        let now = self.bundle.now();
        let members = self.members.values().filter(|member| member.ban_at(now) == Some(BanKind::Shadow));
        members.map(|member| member.user_id.as_str()).chain(self.bundle.users.shadow_banned()).collect()
    }

    /// The same as one of them may see it.
    pub(super) fn seen_by(mut self, user_id: &str) -> Self {
        self.bundle = self.bundle.shown_to(user_id.to_owned());
        self
    }
}

/// What a user has not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) messages: i64,
    pub(super) channels: i64,
    pub(super) threads: i64,
    pub(super) thread_messages: i64,
}

impl Totals {
    pub(super) fn new(channels: &UnreadChannels, threads: &UnreadThreads) -> Self {
        let UnreadTotals { messages, channels } = channels.totals();
        Self { messages, channels, threads: threads.threads, thread_messages: threads.messages() }
    }
}

/// Reads the next part of a log.
pub(super) async fn load(tx: &mut Tx, request: &Request) -> Result<Batch> {
    let entries = tx.list_channel_events(request.channel_pk, request.after, BATCH).await?;
    let channel = tx.list_channels(vec![request.channel_pk]).await?.pop();
    let Some(channel) = channel.filter(|_| !entries.is_empty()) else { return Ok(Batch::default()) };
    let state = &request.state;
    let rows = load_rows(tx, &channel, &entries, None, state.now()).await?;
    let members = match &request.members {
        Some(members) => Arc::clone(members),
        None => {
            let now = tx.list_member_ids(channel.pk, MEMBERS_TOLD_MAX).await?;
            // Up to the end of the log, of which these entries may be only a part.
            let moves = tx.list_comings_and_goings(channel.pk, request.after, MEMBERS_TOLD_MAX).await?;
            Arc::new(members_before(now, &moves))
        }
    };
    let totals = load_totals(tx, request, &channel, &members, &entries, &rows).await?;
    let is_full = entries.len() as i64 == BATCH;
    Ok(Batch { entries, channel: Some(channel), members, rows, totals, is_full })
}

/// Who the members were before these events, by who they are after them.
fn members_before(now: Vec<String>, entries: &[LogEntry]) -> Ids {
    let mut members: Ids = now.into_iter().map(Arc::from).collect();
    for entry in entries.iter().rev() {
        let Some(user_id) = entry.user_id.as_deref() else { continue };
        match entry.kind.as_str() {
            "member.added" => {
                members.remove(user_id);
            }
            "member.removed" => {
                members.insert(user_id.into());
            }
            _ => {}
        }
    }
    members
}

/// The only one who is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) user_id: &'a str,
    /// The moment up to which nothing of the channel is shown.
    pub(super) shown_from: Timestamp,
}

/// Reads the rows that these events of a channel name, for one reader or for all who are connected.
pub(super) async fn load_rows(
    tx: &mut Tx,
    channel: &Channel,
    entries: &[LogEntry],
    reader: Option<Reader<'_>>,
    now: Timestamp,
) -> Result<Rows> {
    let payloads: Vec<Value> = entries.iter().map(payload).collect();
    let thread_ids: BTreeSet<String> = payloads
        .iter()
        .filter_map(|payload| payload["thread_id"].as_str().map(str::to_owned))
        .chain(
            entries
                .iter()
                .filter(|entry| entry.kind == "thread.updated")
                .filter_map(|e| e.message_id.clone()),
        )
        .collect();
    let ids: BTreeSet<String> = entries
        .iter()
        .filter_map(|entry| entry.message_id.clone())
        .chain(thread_ids.iter().cloned())
        .collect();
    let mut messages = Vec::new();
    if !ids.is_empty() {
        messages = tx.list_messages_with_ids(channel.app_pk, ids.into_iter().collect()).await?;
        messages.retain(|message| message.channel_pk == channel.pk);
    }
    // The parents of replies: who takes part in their threads is told.
    let parents: BTreeSet<String> = messages.iter().filter_map(|message| message.parent_id.clone()).collect();
    let known: HashSet<&str> = messages.iter().map(|message| message.id.as_str()).collect();
    let missing: Vec<String> = parents.into_iter().filter(|id| !known.contains(id.as_str())).collect();
    drop(known);
    if !missing.is_empty() {
        let found = tx.list_messages_with_ids(channel.app_pk, missing).await?;
        messages.extend(found.into_iter().filter(|message| message.channel_pk == channel.pk));
    }
    let mut rows = Rows::default();
    for message in
        messages.iter().filter(|message| thread_ids.contains(&message.id) || message.reply_count > 0)
    {
        if let Some(thread) = tx.find_thread(message.pk).await? {
            let participants = tx.list_thread_participants(&[message.pk], THREAD_PARTICIPANTS_MAX).await?;
            rows.threads.insert(message.id.clone(), (thread, participants));
        }
    }
    let member_ids: BTreeSet<String> = entries
        .iter()
        .filter(|entry| entry.kind.starts_with("member."))
        .filter_map(|entry| entry.user_id.clone())
        .collect();
    if !member_ids.is_empty() {
        let found = tx.list_members_with_ids(channel.pk, member_ids.into_iter().collect()).await?;
        rows.members = found.into_iter().map(|member| (member.user_id.clone(), member)).collect();
    }
    if channel.member_count <= 2 {
        rows.blockers = tx.list_blockers_in(channel.pk).await?.into_iter().collect();
    }

    let mut users: BTreeSet<String> = entries.iter().filter_map(|entry| entry.user_id.clone()).collect();
    users.extend(payloads.iter().filter_map(|payload| payload["created_by_id"].as_str().map(str::to_owned)));
    users
        .extend(payloads.iter().filter_map(|payload| payload["gone"]["user_id"].as_str().map(str::to_owned)));
    users.extend([&channel.created_by_id, &channel.truncated_by_id].into_iter().flatten().cloned());
    for (thread, participants) in rows.threads.values() {
        users.insert(thread.created_by_id.clone());
        users.extend(participants.iter().map(|participant| participant.user_id.clone()));
    }
    let viewer = reader.map(|reader| reader.user_id.to_owned());
    let context = MessageContext { app_pk: channel.app_pk, viewer, ..MessageContext::default() };
    let shown: Vec<&Message> = messages.iter().collect();
    rows.bundle = Bundle::load(tx, context, &shown, users, now).await?;
    if reader.is_none() {
        rows.bundle.keep_what_all_see();
    }
    rows.bundle.add_channel(channel.pk, &channel.cid);
    // A message that is told about when it is new is newer than what anybody hides, unless it is told about late.
    let is_late = reader.is_some()
        || entries.len() as i64 >= BATCH
        || entries.iter().any(|entry| entry.kind == "member.added");
    let moments = moments(entries, &payloads, &messages, &rows.bundle, is_late);
    rows.not_shown = match reader {
        Some(reader) => not_shown_to(reader, moments),
        None => load_not_shown(tx, channel, moments).await?,
    };
    rows.messages = messages.into_iter().map(|message| (message.id.clone(), message)).collect();
    Ok(rows)
}

/// When the messages were sent that these events tell about, by their ids.
fn moments(
    entries: &[LogEntry],
    payloads: &[Value],
    messages: &[Message],
    bundle: &Bundle,
    is_late: bool,
) -> HashMap<String, Timestamp> {
    let mut moments: HashMap<String, Timestamp> = HashMap::new();
    for (entry, payload) in entries.iter().zip(payloads) {
        let named = entry.message_id.as_deref().filter(|_| is_late || entry.kind != "message.new");
        for id in named.into_iter().chain(payload["thread_id"].as_str()) {
            let stored = messages.iter().find(|message| message.id == id).map(|message| message.created_at);
            let gone = || serde_json::from_value(payload["gone"]["created_at"].clone()).ok();
            if let Some(at) = stored.or_else(gone) {
                moments.insert(id.to_owned(), at);
            }
        }
    }
    moments.extend(bundle.quoted().map(|message| (message.id.clone(), message.created_at)));
    moments
}

fn not_shown_to(reader: Reader<'_>, moments: HashMap<String, Timestamp>) -> HashMap<String, HashSet<String>> {
    let hidden = moments.into_iter().filter(|(_, at)| *at <= reader.shown_from);
    hidden.map(|(id, _)| (id, HashSet::from([reader.user_id.to_owned()]))).collect()
}

/// Members to whom messages of these moments are not shown.
async fn load_not_shown(
    tx: &mut Tx,
    channel: &Channel,
    moments: HashMap<String, Timestamp>,
) -> Result<HashMap<String, HashSet<String>>> {
    let mut not_shown: HashMap<String, HashSet<String>> = HashMap::new();
    let Some(earliest) = moments.values().min() else { return Ok(not_shown) };
    for (user_id, hidden) in tx.list_members_not_shown(channel.pk, *earliest, MEMBERS_TOLD_MAX).await? {
        for (id, _) in moments.iter().filter(|(_, at)| **at <= hidden) {
            not_shown.entry(id.clone()).or_default().insert(user_id.clone());
        }
    }
    Ok(not_shown)
}

/// Reads what the connected receivers of these events have not read, unless there are too many.
async fn load_totals(
    tx: &mut Tx,
    request: &Request,
    channel: &Channel,
    members: &Ids,
    entries: &[LogEntry],
    rows: &Rows,
) -> Result<HashMap<String, Totals>> {
    const WITH_TOTALS: [&str; 3] = ["message.new", "channel.deleted", "channel.truncated"];
    if !entries.iter().any(|entry| WITH_TOTALS.contains(&entry.kind.as_str())) {
        return Ok(HashMap::new());
    }
    let state = &request.state;
    let mut users: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut are_few = |connections: &[Arc<Connection>]| {
        connections.iter().filter(|connection| !connection.is_anonymous).all(|connection| {
            users.insert(Arc::clone(&connection.user_id));
            users.len() <= TOTALS_RECEIVERS_MAX
        })
    };
    let hub = &state.live.hub;
    // Who watches is at hand; which of many members is connected is asked only where few watch.
    if !are_few(&hub.watchers(channel.pk)) {
        return Ok(HashMap::new());
    }
    let (watchers, others) = hub.receivers(channel.app_pk, channel.pk, members);
    if !are_few(&watchers) || !are_few(&others) {
        return Ok(HashMap::new());
    }
    let participants = rows.threads.values().flat_map(|(_, participants)| participants);
    // Who comes to the channel with one of these events is told of those behind it.
    let more = participants
        .map(|participant| participant.user_id.as_str())
        .chain(rows.members.keys().map(String::as_str));
    users.extend(more.filter(|id| hub.is_connected(channel.app_pk, id)).map(Arc::from));
    let query = UnreadQuery {
        app_pk: channel.app_pk,
        user_ids: users.iter().map(ToString::to_string).collect(),
        without_kinds: state.kinds_without_read_events_of(channel.app_pk),
        limit: UNREAD_LISTED_MAX,
    };
    if !rows.threads.is_empty() {
        return load_totals_of(tx, query).await;
    }
    let totals = tx
        .count_unread(&query)
        .await?
        .into_iter()
        .map(|UnreadTotals { messages, channels }| Totals { messages, channels, ..Totals::default() });
    Ok(query.user_ids.iter().cloned().zip(totals).collect())
}

/// Reads what these users have not read.
pub(super) async fn load_totals_of(tx: &mut Tx, query: UnreadQuery) -> Result<HashMap<String, Totals>> {
    let (channels, threads) = together!(tx: tx.list_unread_channels(&query), tx.list_unread_threads(&query));
    let totals = channels.iter().zip(&threads).map(|(channels, threads)| Totals::new(channels, threads));
    Ok(query.user_ids.iter().cloned().zip(totals).collect())
}

/// What an entry says beside the rows that it names.
pub(super) fn payload(entry: &LogEntry) -> Value {
    let parsed = entry.payload.as_deref().and_then(|payload| serde_json::from_str(payload).ok());
    parsed.unwrap_or(Value::Null)
}
