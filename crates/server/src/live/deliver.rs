use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use natterjack_protocol::users::UserResponse;
use natterjack_storage::{Channel, LogEntry, Moved};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::{Close, Connection};
use super::fleeting::tell_watching;
use super::frame::Encoded;
use super::hub::Connections;
use super::load::{self, Batch, Ids, Rows, Totals};
use super::present::{Delivery, Scope, ShownTotals, Source};
use super::rights::KnownRights;
use super::sending::Sending;
use super::user_log;
use crate::error::{Error, Result};
use crate::limits::MEMBERS_TOLD_MAX;
use crate::state::State;

/// Tasks that read logs and fill queues. A log is always read by the same one, so that its events keep their order.
pub(super) const WORKERS: usize = 4;
/// Logs that wait to be read. Beyond it news is lost, and its events come with the next of the same log.
const PENDING_MAX: usize = 100_000;
/// Logs of which is remembered how far they were read.
const FOLLOWED_MAX: usize = 100_000;
/// Members of channels kept in memory by each worker.
const MEMBERS_KEPT_MAX: usize = 1_000_000;
/// Rounds of reading between two counts of what is kept.
const ROUNDS_BETWEEN_COUNTS: u32 = 1024;
/// Times that a log is read when the database fails, with a longer pause after each: six seconds together. Then those who
/// would have been told are closed.
const ATTEMPTS_MAX: u32 = 7;
/// The first of these pauses; each is twice as long as the one before.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// Users remembered who caused the news of a log.
const CAUSERS_MAX: usize = 16;

/// A log that has moved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Log {
    Channel(i64),
    User(i64, String),
}

/// How a log has moved since it was read.
#[derive(Debug, Clone)]
pub(super) struct News {
    /// The first event that was appended.
    first: i64,
    /// Whether somebody came to the channel or left it.
    of_members: bool,
    /// Who caused it, who may be told without being a member; not all when there are many.
    causers: Vec<String>,
}

impl News {
    /// The news of both.
    fn add(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.of_members |= other.of_members;
        for causer in other.causers {
            if self.causers.len() < CAUSERS_MAX && !self.causers.contains(&causer) {
                self.causers.push(causer);
            }
        }
    }
}

/// A log that could not be read, and is to be read again.
#[derive(Debug)]
struct Postponed {
    news: News,
    /// How often it was read in vain.
    attempts: u32,
    due: Instant,
}

/// The logs that have moved, each once however often it did.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Whether there is anybody to be told.
    listening: AtomicBool,
    /// Logs that wait or are being read.
    unread: AtomicUsize,
    shards: [Shard; WORKERS],
}

#[derive(Debug, Default)]
struct Shard {
    logs: Mutex<HashMap<Log, News>>,
    moved: Notify,
}

impl Pending {
    /// Says whether there is anybody to be told.
    pub(super) fn listen(&self, listening: bool) {
        self.listening.store(listening, Ordering::Release);
    }

    /// Notes that logs have moved.
    pub(super) fn note(&self, moved: Vec<Moved>) {
        if !self.listening.load(Ordering::Acquire) {
            return;
        }
        for moved in moved {
            let (log, news) = match moved {
                Moved::Channel { channel_pk, seq, of_members, user_id } => {
                    let causers = user_id.into_iter().collect();
                    (Log::Channel(channel_pk), News { first: seq, of_members, causers })
                }
                Moved::User { app_pk, user_id, seq } => {
                    let news = News { first: seq, of_members: false, causers: Vec::new() };
                    (Log::User(app_pk, user_id), news)
                }
            };
            let shard = &self.shards[shard_of(&log)];
            let mut logs = shard.logs.lock().unwrap_or_else(PoisonError::into_inner);
            if logs.len() >= PENDING_MAX {
                continue;
            }
            match logs.entry(log) {
                Entry::Occupied(known) => known.into_mut().add(news),
                Entry::Vacant(place) => {
                    self.unread.fetch_add(1, Ordering::AcqRel);
                    place.insert(news);
                }
            }
            drop(logs);
            shard.moved.notify_one();
        }
    }

    /// Whether everything that has moved was read.
    pub(super) fn is_read(&self) -> bool {
        self.unread.load(Ordering::Acquire) == 0
    }

    fn take(&self, worker: usize) -> HashMap<Log, News> {
        std::mem::take(&mut *self.shards[worker].logs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn shard_of(log: &Log) -> usize {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    log.hash(&mut hasher);
    (hasher.finish() % WORKERS as u64) as usize
}

/// How far logs were read.
#[derive(Debug, Default)]
struct Followed {
    /// As of which end of the last connection this is.
    emptied: u64,
    /// How often logs were taken up.
    rounds: u32,
    channels: HashMap<i64, FollowedChannel>,
    users: HashMap<(i64, String), Cursor>,
    /// Logs that are to be read again; others go on meanwhile.
    postponed: HashMap<Log, Postponed>,
}

/// Up to where a log was delivered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    /// Behind which event following began.
    since: i64,
    /// The last event delivered.
    pub(super) at: i64,
}

impl Cursor {
    /// Where to read on, given that the event `first` was appended. With PostgreSQL the news of two transactions may
    /// overtake each other, so that `first` lies before where following began.
    pub(super) fn resume(was: Option<Self>, first: i64) -> Self {
        was.filter(|was| first > was.since).unwrap_or(Self { since: first - 1, at: first - 1 })
    }

    /// Whether an event is still to be delivered, when the log was followed to `was`.
    pub(super) fn is_due(was: Option<Self>, entry: &LogEntry) -> bool {
        was.is_none_or(|was| entry.seq <= was.since || entry.seq > was.at)
    }
}

#[derive(Debug, Default)]
struct FollowedChannel {
    app_pk: i64,
    cursor: Option<Cursor>,
    /// The members as of the cursor, or of any event since at which none came or left.
    members: Option<Arc<Ids>>,
    rights: KnownRights,
}

/// Delivers the events of the logs that fall to one worker, until the server stops.
pub(super) async fn run(state: Arc<State>, worker: usize, stop: CancellationToken) {
    let pending = Arc::clone(&state.live.pending);
    let mut followed = Followed::default();
    loop {
        let due = followed.postponed.values().map(|postponed| postponed.due).min();
        tokio::select! {
            () = stop.cancelled() => return,
            () = pending.shards[worker].moved.notified() => {}
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
        followed.trim(state.live.hub.emptied());
        let mut logs = Vec::new();
        for (log, news) in pending.take(worker) {
            match followed.postponed.get_mut(&log) {
                Some(postponed) => {
                    postponed.news.add(news);
                    pending.unread.fetch_sub(1, Ordering::AcqRel);
                }
                None => logs.push((log, news, 0)),
            }
        }
        let now = Instant::now();
        let again = followed.postponed.extract_if(|_, postponed| postponed.due <= now);
        logs.extend(again.map(|(log, postponed)| (log, postponed.news, postponed.attempts)));
        for (log, news, attempts) in logs {
            if stop.is_cancelled() {
                return;
            }
            if followed.deliver(&state, log, news, attempts).await {
                pending.unread.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }
}

impl Followed {
    /// Forgets what is of no use any more, or too much. How much there is, is counted now and then.
    fn trim(&mut self, emptied: u64) {
        self.rounds = self.rounds.wrapping_add(1);
        if emptied == self.emptied && !self.rounds.is_multiple_of(ROUNDS_BETWEEN_COUNTS) {
            return;
        }
        let kept = |channel: &FollowedChannel| {
            channel.members.as_ref().map_or(0, |members| members.len()) + channel.rights.len()
        };
        let members: usize = self.channels.values().map(kept).sum();
        let is_too_much = self.channels.len() + self.users.len() > FOLLOWED_MAX || members > MEMBERS_KEPT_MAX;
        if emptied != self.emptied || is_too_much {
            let postponed = std::mem::take(&mut self.postponed);
            *self = Self { emptied, postponed, ..Self::default() };
        }
    }

    /// Delivers what is new in a log that was read so often in vain. Answers whether that is over, and it is not to be read
    /// again.
    async fn deliver(&mut self, state: &Arc<State>, log: Log, news: News, attempts: u32) -> bool {
        let delivering = async {
            match &log {
                Log::Channel(channel_pk) => {
                    let channel = self.channels.entry(*channel_pk).or_default();
                    channel.deliver(state, *channel_pk, &news).await
                }
                Log::User(app_pk, user_id) => {
                    let key = (*app_pk, user_id.clone());
                    let cursor = self.users.get(&key).copied();
                    let moved = user_log::deliver(state, *app_pk, user_id, cursor, news.first).await?;
                    match moved {
                        Some(cursor) => self.users.insert(key, cursor),
                        None => self.users.remove(&key),
                    };
                    Ok(())
                }
            }
        };
        match AssertUnwindSafe(delivering).catch_unwind().await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => {
                let attempts = attempts + 1;
                tracing::warn!(
                    error = crate::error_chain(&error),
                    ?log,
                    attempts,
                    "events could not be read"
                );
                if attempts < ATTEMPTS_MAX {
                    let due = Instant::now() + RETRY_PAUSE * 2_u32.pow(attempts - 1);
                    self.postponed.insert(log, Postponed { news, attempts, due });
                    return false;
                }
            }
            Err(_) => {}
        }
        tracing::error!(?log, "events could not be delivered: those who would have been told are closed");
        match log {
            Log::Channel(channel_pk) => {
                let known = self.channels.remove(&channel_pk).unwrap_or_default();
                known.close_receivers(state, channel_pk, &news).await;
            }
            Log::User(app_pk, user_id) => {
                let hub = &state.live.hub;
                let receivers = [hub.of_user(app_pk, &user_id), hub.subscribers(app_pk, &user_id)];
                close_all(receivers.iter().flatten());
                self.users.remove(&(app_pk, user_id));
            }
        }
        true
    }
}

/// Has these connections opened again, so that their clients ask for what they missed.
fn close_all<'a>(connections: impl Iterator<Item = &'a Arc<Connection>>) {
    for connection in connections {
        connection.close(Close::Missed);
    }
}

impl FollowedChannel {
    /// Delivers what is new in the log of a channel.
    async fn deliver(&mut self, state: &Arc<State>, channel_pk: i64, news: &News) -> Result<()> {
        let hub = &state.live.hub;
        let is_wanted = !hub.watchers(channel_pk).is_empty()
            || self.members.as_ref().is_none_or(|members| hub.is_any_connected(self.app_pk, members))
            // Who sends is told, member or not.
            || news.causers.len() >= CAUSERS_MAX
            || news.causers.iter().any(|user_id| hub.is_connected(self.app_pk, user_id));
        if !is_wanted {
            self.cursor = None;
            self.rights = KnownRights::default();
            if news.of_members {
                self.members = None;
            }
            return Ok(());
        }
        let was = self.cursor;
        let mut cursor = Cursor::resume(was, news.first);
        if was.is_some_and(|was| was.at > cursor.at) {
            // The members are those of a later event.
            self.members = None;
        }
        loop {
            let request = load::Request {
                state: Arc::clone(state),
                channel_pk,
                after: cursor.at,
                members: self.members.clone(),
            };
            let batch =
                state.store.read("deliver", request, |tx, request| Box::pin(load::load(tx, request))).await?;
            let Some(last) = batch.entries.last() else { return Ok(()) };
            cursor.at = last.seq;
            self.send(state, &batch, was).await?;
            self.cursor = Some(cursor);
            if !batch.is_full {
                return Ok(());
            }
        }
    }

    /// Puts the events of a batch into the queues of their receivers, in the order of the log.
    async fn send(&mut self, state: &State, batch: &Batch, was: Option<Cursor>) -> Result<()> {
        let Some(channel) = &batch.channel else { return Ok(()) };
        let hub = &state.live.hub;
        let config = state.channel_config_of(channel);
        self.app_pk = channel.app_pk;
        let mut members = Arc::clone(&batch.members);
        let lost = self.rights.refresh(state, channel, batch).await?;
        for user in state.users(channel.app_pk, lost.iter().map(|id| &**id)).await?.values() {
            end_watch(state, channel, &user.response).await;
        }
        // Who is banned unnoticed is told of it by nothing, at the price of an encoding for each of those connected.
        let unaware: Vec<(String, Rows)> = batch
            .rows
            .shadow_banned()
            .into_iter()
            .filter(|user_id| hub.is_connected(channel.app_pk, user_id))
            .map(|user_id| (user_id.to_owned(), batch.rows.clone().seen_by(user_id)))
            .collect();
        let tails: HashMap<&str, Tails> =
            batch.totals.iter().map(|(user_id, totals)| (user_id.as_str(), Tails::new(totals))).collect();
        let mut sending = Sending::default();
        for entry in batch.entries.iter().filter(|entry| Cursor::is_due(was, entry)) {
            // A channel that is disabled is closed to most; that it is, its watchers are told.
            let is_open = !channel.disabled || entry.kind.starts_with("channel.");
            let source = Source::new(batch, channel, &config, hub.watcher_count(channel.pk));
            unless_broken(entry, || {
                let deliveries = source.deliveries_with(entry, &unaware);
                let to_others =
                    deliveries.iter().any(|delivery| matches!(delivery.scope, Scope::OtherMembers { .. }));
                let others = to_others.then_some(&*members);
                let receivers = Receivers::new(state, channel, &self.rights, is_open, others);
                for delivery in &deliveries {
                    receivers.send(delivery, &tails, &mut sending);
                }
            });
            match (entry.kind.as_str(), entry.user_id.as_deref()) {
                ("member.added" | "member.updated", Some(user_id)) => {
                    let member = batch.rows.members.get(user_id);
                    if member.is_some_and(|member| !member.is_pending()) {
                        Arc::make_mut(&mut members).insert(user_id.into());
                    }
                    self.rights.set_member(state, channel, &batch.rows, user_id, true);
                }
                ("member.removed", Some(user_id)) => {
                    Arc::make_mut(&mut members).remove(user_id);
                    let may_read = self.rights.set_member(state, channel, &batch.rows, user_id, false);
                    // Who came back by now may have begun to watch again.
                    if !may_read && !batch.rows.members.contains_key(user_id) {
                        let user = source.rows.bundle.users.get(user_id);
                        end_watch(state, channel, &user).await;
                    }
                }
                ("channel.deleted", _) => hub.drop_channel(channel.pk),
                _ => {}
            }
        }
        self.members = Some(members);
        // What comes meanwhile goes out together.
        sending.write().await;
        Ok(())
    }
}

impl FollowedChannel {
    /// Closes those who would be told of the channel. When it cannot be found out who they are, that is everybody.
    async fn close_receivers(self, state: &State, channel_pk: i64, news: &News) {
        let hub = &state.live.hub;
        let read = state.store.read("find_receivers", channel_pk, |tx, channel_pk| {
            Box::pin(async move {
                let channel = tx.list_channels(vec![*channel_pk]).await?.pop();
                let members = tx.list_member_ids(*channel_pk, MEMBERS_TOLD_MAX).await?;
                Ok::<_, Error>((channel.map(|channel| channel.app_pk), members))
            })
        });
        let (app_pk, members) = match read.await {
            Ok((Some(app_pk), members)) => (app_pk, members),
            Ok((None, _)) => return,
            Err(_) => return close_all(hub.all().iter()),
        };
        let told: Ids = members.into_iter().chain(news.causers.iter().cloned()).map(Arc::from).collect();
        for members in [Some(Arc::new(told)), self.members].into_iter().flatten() {
            let (watchers, others) = hub.receivers(app_pk, channel_pk, &members);
            close_all(watchers.iter().chain(&others));
        }
    }
}

/// Does something for an event. One that cannot be presented must not keep the others from their receivers: it is passed
/// over. Answers nothing then.
pub(super) fn unless_broken<T>(entry: &LogEntry, present: impl FnOnce() -> T) -> Option<T> {
    let presented = std::panic::catch_unwind(AssertUnwindSafe(present));
    if presented.is_err() {
        let LogEntry { seq, kind, user_id, channel_pk, .. } = entry;
        tracing::error!(seq, kind, user_id, channel_pk, "an event could not be presented");
    }
    presented.ok()
}

/// Ends the watching of a channel by a user who may not read it any more.
async fn end_watch(state: &State, channel: &Channel, user: &Arc<UserResponse>) {
    if let Some(watching) = state.live.hub.unwatch_user(channel.app_pk, &user.id, channel.pk) {
        let config = state.channel_config_of(channel);
        tell_watching(state, channel, &config, Arc::clone(user), watching, false).await;
    }
}

/// The connections that may be told of one event of a channel. A connection is in one of the lists only.
struct Receivers<'a> {
    state: &'a State,
    app_pk: i64,
    channel_pk: i64,
    rights: &'a KnownRights,
    /// Whether the event is for all who may read the channel, and not only for those who may while it is disabled.
    is_open: bool,
    watchers: Connections,
    others: Vec<Arc<Connection>>,
}

impl<'a> Receivers<'a> {
    /// `members` where those are told, too, who do not watch.
    fn new(
        state: &'a State,
        channel: &Channel,
        rights: &'a KnownRights,
        is_open: bool,
        members: Option<&Ids>,
    ) -> Self {
        let (app_pk, channel_pk) = (channel.app_pk, channel.pk);
        let (watchers, others) = match members {
            Some(members) => state.live.hub.receivers(app_pk, channel_pk, members),
            None => (state.live.hub.watchers(channel_pk), Vec::new()),
        };
        Self { state, app_pk, channel_pk, rights, is_open, watchers, others }
    }

    /// Encodes an event once and hands it to everybody who may see it.
    fn send(&self, delivery: &Delivery, tails: &HashMap<&str, Tails>, sending: &mut Sending) {
        let hub = &self.state.live.hub;
        let not_watching = |user_id: &str| {
            let mut own = hub.of_user(self.app_pk, user_id);
            own.retain(|own| !self.watchers.iter().any(|watcher| Arc::ptr_eq(watcher, own)));
            own
        };
        let more: Vec<Arc<Connection>>;
        let lists: [&[Arc<Connection>]; 2] = match &delivery.scope {
            Scope::Watchers => [&self.watchers, &[]],
            Scope::WatchersAndSender(sender) => {
                more = not_watching(sender);
                [&self.watchers, &more]
            }
            Scope::OtherMembers { .. } => [&self.others, &[]],
            Scope::Own(user_id) => {
                more = hub.of_user(self.app_pk, user_id);
                [&more, &[]]
            }
            Scope::NotWatching(user_ids) => {
                more = user_ids.iter().flat_map(|user_id| not_watching(user_id)).collect();
                [&more, &[]]
            }
        };
        let mut encoded = None;
        for connection in lists.into_iter().flatten() {
            let user_id = &*connection.user_id;
            let is_sender = delivery.excepted_sender() == Some(user_id);
            let rights = self.rights.of(user_id);
            let may_receive = delivery.audience.may_receive(user_id, rights);
            if is_sender || !may_receive || !(self.is_open || rights.reads_disabled) {
                continue;
            }
            let encoded = encoded.get_or_insert_with(|| Encoded::new(&delivery.event));
            let tails = tails.get(user_id).filter(|_| !connection.is_anonymous);
            let frame = match tails.and_then(|tails| tails.of(delivery.totals)) {
                Some(tail) => encoded.frame_with(tail),
                None => encoded.frame(),
            };
            sending.queue(connection, frame);
        }
        tracing::trace!(channel_pk = self.channel_pk, kind = delivery.event.kind, "delivered");
    }
}

impl Delivery {
    /// The user who does not get this form of the event, because his or her connections get another.
    fn excepted_sender(&self) -> Option<&str> {
        match &self.scope {
            Scope::OtherMembers { except } => except.as_deref(),
            _ => None,
        }
    }
}

/// What of the totals of a receiver stands at the end of an event, in place of its closing brace.
struct Tails {
    messages: Bytes,
    threads: Bytes,
}

impl Tails {
    fn new(totals: &Totals) -> Self {
        let Totals { messages, channels, threads, thread_messages } = totals;
        let messages = format!(
            r#","total_unread_count":{messages},"unread_channels":{channels},"unread_count":{messages}}}"#
        );
        let threads = format!(r#","unread_threads":{threads},"unread_thread_messages":{thread_messages}}}"#);
        Self { messages: messages.into(), threads: threads.into() }
    }

    fn of(&self, shown: ShownTotals) -> Option<&Bytes> {
        match shown {
            ShownTotals::None => None,
            ShownTotals::Messages => Some(&self.messages),
            ShownTotals::Threads => Some(&self.threads),
        }
    }
}

#[cfg(test)]
mod tests {
    use natterjack_protocol::Timestamp;
    use natterjack_storage::LogEntry;

    use super::{CAUSERS_MAX, News, unless_broken};

    #[test]
    fn an_event_that_cannot_be_presented_is_passed_over() {
        let entry = |seq| LogEntry {
            seq,
            kind: "message.new".to_owned(),
            user_id: None,
            channel_pk: Some(1),
            message_id: None,
            payload: None,
            created_at: Timestamp::default(),
        };
        let entries = [entry(1), entry(2), entry(3)];
        let present = |entry: &LogEntry| if entry.seq == 2 { panic!("it is broken") } else { entry.seq };
        let told = entries.iter().filter_map(|entry| unless_broken(entry, || present(entry)));
        assert_eq!(told.collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn news_of_a_log_add_up() {
        let news = |first: i64, of_members| News { first, of_members, causers: vec![format!("user{first}")] };
        let mut all = news(5, false);
        all.add(news(3, true));
        all.add(news(3, false));
        assert_eq!((all.first, all.of_members, all.causers.len()), (3, true, 2));
        for first in 10..100 {
            all.add(news(first, false));
        }
        assert_eq!((all.first, all.causers.len()), (3, CAUSERS_MAX));
    }
}
