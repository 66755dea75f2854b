use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use natterjack_protocol::{ErrorCode, Timestamp};

use super::connection::{Close, Connection};
use super::deliver::Pending;
use crate::error::{Error, Result};
use crate::limits::{
    CONNECTIONS_OF_ADDRESS_MAX, CONNECTIONS_OF_USER_MAX, PRESENCE_SUBSCRIPTIONS_MAX, SOCKETS_MAX, WATCHED_MAX,
};

/// Users who moved that are remembered. A channel that is told nothing for longer has all its receivers looked at.
const MOVES_KEPT_MAX: usize = 4096;

/// Connections that get the same thing. Shared, so that who sends to them holds no lock; changed in place while nobody
/// does.
pub(super) type Connections = Arc<Vec<Arc<Connection>>>;

/// Who is connected, what they watch and whose presence they want to know.
///
/// One lock, held for as long as a few look-ups take; nothing is encoded or written under it.
#[derive(Debug)]
pub(crate) struct Hub {
    inner: Mutex<Inner>,
    /// How many connections there are, for who only wants to know whether there are any.
    open: AtomicUsize,
    /// Moves when the last connection ends: what was followed until then is forgotten.
    emptied: AtomicU64,
    /// Stops noting what nobody would be told.
    pending: Arc<Pending>,
    /// Users whose rights have to be looked at again.
    moves: Mutex<Moves>,
}

/// The users who were changed, connected or began to watch last, in this order.
#[derive(Debug, Default)]
struct Moves {
    /// How many there were until now.
    number: u64,
    last: VecDeque<(i64, Arc<str>)>,
}

#[derive(Debug, Default)]
struct Inner {
    by_id: HashMap<String, Arc<Connection>>,
    /// By app and user.
    users: HashMap<i64, HashMap<Arc<str>, Vec<Arc<Connection>>>>,
    channels: HashMap<i64, Watchers>,
    /// Who wants to know whether a user is online, by app and user.
    presence: HashMap<i64, HashMap<Arc<str>, Vec<Arc<Connection>>>>,
    addresses: HashMap<IpAddr, usize>,
}

#[derive(Debug, Default)]
struct Watchers {
    connections: Connections,
    /// With how many connections each user watches.
    users: HashMap<Arc<str>, usize>,
    /// When somebody was last told that the number has changed.
    told_at: Timestamp,
}

/// How the watchers of a channel changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watching {
    /// Users who watch now.
    pub(crate) watcher_count: i64,
    /// Whether a user began, or ended, and not just another connection of a user who watches.
    pub(crate) is_news: bool,
}

impl Hub {
    pub(super) fn new(pending: Arc<Pending>) -> Self {
        Self {
            inner: Mutex::default(),
            open: AtomicUsize::new(0),
            emptied: AtomicU64::new(0),
            pending,
            moves: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection that may be told of from now on.
    ///
    /// # Errors
    /// Code 71 when there are too many, of all, of the user or of the address.
    pub(super) fn register(&self, connection: &Arc<Connection>) -> Result<()> {
        let mut inner = self.inner();
        let of_address = connection.peer.and_then(|peer| inner.addresses.get(&peer)).copied().unwrap_or(0);
        let of_user = inner.of_user(connection.app_pk, &connection.user_id).len();
        let what = match (inner.by_id.len(), of_user, of_address) {
            (SOCKETS_MAX.., _, _) => "server",
            (_, CONNECTIONS_OF_USER_MAX.., _) => "user",
            (_, _, CONNECTIONS_OF_ADDRESS_MAX..) => "address",
            _ => {
                inner.insert(connection);
                self.push_moved(connection.app_pk, &connection.user_id);
                self.open.store(inner.by_id.len(), Ordering::Release);
                self.pending.listen(true);
                return Ok(());
            }
        };
        Err(Error::caller(
            ErrorCode::TooManyConnections,
            format!("this {what} has too many connections; close others first"),
        ))
    }

    /// Forgets a connection. Answers the channels that it watched, with what that changes.
    pub(super) fn unregister(&self, connection: &Arc<Connection>) -> Vec<(i64, Watching)> {
        let mut inner = self.inner();
        if inner.by_id.remove(&connection.id).is_none() {
            return Vec::new();
        }
        inner.remove_user(connection);
        let (channels, users) = {
            let mut interests = connection.interests();
            (std::mem::take(&mut interests.channels), std::mem::take(&mut interests.users))
        };
        for user_id in users {
            inner.unsubscribe(connection, &user_id);
        }
        let left =
            channels.into_iter().filter_map(|channel| Some((channel, inner.leave(connection, channel)?)));
        let left = left.collect();
        self.open.store(inner.by_id.len(), Ordering::Release);
        if inner.by_id.is_empty() {
            self.emptied.fetch_add(1, Ordering::AcqRel);
            self.pending.listen(false);
        }
        left
    }

    /// Notes that a user was changed, after what was cached of him or her was dropped.
    pub(crate) fn note_moved(&self, app_pk: i64, user_id: &str) {
        if self.open() > 0 && self.is_connected(app_pk, user_id) {
            self.push_moved(app_pk, &user_id.into());
        }
    }

    fn push_moved(&self, app_pk: i64, user_id: &Arc<str>) {
        let mut moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        moves.number += 1;
        moves.last.push_back((app_pk, Arc::clone(user_id)));
        if moves.last.len() > MOVES_KEPT_MAX {
            moves.last.pop_front();
        }
    }

    /// How many users have moved until now, and who of an app did since there were `since` of them: `None` when that is
    /// not known any more.
    pub(super) fn moved_since(&self, app_pk: i64, since: Option<u64>) -> (u64, Option<HashSet<Arc<str>>>) {
        let moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        let news =
            since.map(|since| (moves.number - since) as usize).filter(|news| *news <= moves.last.len());
        let moved = news.map(|news| {
            let last = moves.last.range(moves.last.len() - news..);
            last.filter(|(of_app, _)| *of_app == app_pk).map(|(_, id)| Arc::clone(id)).collect()
        });
        (moves.number, moved)
    }

    /// How often the last connection has ended.
    pub(super) fn emptied(&self) -> u64 {
        self.emptied.load(Ordering::Acquire)
    }

    /// The number of connections.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// The connection with this id.
    pub(super) fn connection(&self, app_pk: i64, id: &str) -> Option<Arc<Connection>> {
        self.inner().by_id.get(id).filter(|connection| connection.app_pk == app_pk).cloned()
    }

    /// Every connection.
    pub(super) fn all(&self) -> Vec<Arc<Connection>> {
        self.inner().by_id.values().cloned().collect()
    }

    /// The connections of a user.
    pub(super) fn of_user(&self, app_pk: i64, user_id: &str) -> Vec<Arc<Connection>> {
        self.inner().of_user(app_pk, user_id).to_vec()
    }

    pub(super) fn is_connected(&self, app_pk: i64, user_id: &str) -> bool {
        !self.inner().of_user(app_pk, user_id).is_empty()
    }

    /// Closes the connections of a user, because he or she may not have any.
    pub(crate) fn close_user(&self, app_pk: i64, user_id: &str, close: Close) {
        for connection in self.of_user(app_pk, user_id) {
            connection.close(close);
        }
    }

    /// Makes a connection watch a channel.
    ///
    /// # Errors
    /// Code 4 when it watches too many.
    pub(crate) fn watch(&self, connection: &Arc<Connection>, channel_pk: i64) -> Result<Watching> {
        let mut inner = self.inner();
        let is_open = inner.by_id.contains_key(&connection.id);
        let mut interests = connection.interests();
        let is_new = is_open && !interests.channels.contains(&channel_pk);
        if is_new && interests.channels.len() >= WATCHED_MAX {
            return Err(Error::field(
                "watch",
                format!("is refused: a connection watches at most {WATCHED_MAX} channels"),
            ));
        }
        if !is_new {
            let watcher_count = inner.watcher_count(channel_pk);
            return Ok(Watching { watcher_count, is_news: false });
        }
        interests.channels.insert(channel_pk);
        self.push_moved(connection.app_pk, &connection.user_id);
        let watchers = inner.channels.entry(channel_pk).or_default();
        Arc::make_mut(&mut watchers.connections).push(Arc::clone(connection));
        let of_user = watchers.users.entry(Arc::clone(&connection.user_id)).or_default();
        *of_user += 1;
        let is_news = *of_user == 1;
        Ok(Watching { watcher_count: watchers.users.len() as i64, is_news })
    }

    /// Ends the watching of a channel by a connection. `None` when it did not watch it.
    pub(crate) fn unwatch(&self, connection: &Arc<Connection>, channel_pk: i64) -> Option<Watching> {
        let mut inner = self.inner();
        let watched = connection.interests().channels.remove(&channel_pk);
        if watched { inner.leave(connection, channel_pk) } else { None }
    }

    /// Ends the watching of a channel by all connections of a user, who may not read it any more.
    pub(super) fn unwatch_user(&self, app_pk: i64, user_id: &str, channel_pk: i64) -> Option<Watching> {
        self.of_user(app_pk, user_id).iter().filter_map(|own| self.unwatch(own, channel_pk)).last()
    }

    /// Ends all watching of a channel that is gone.
    pub(super) fn drop_channel(&self, channel_pk: i64) {
        let mut inner = self.inner();
        if let Some(watchers) = inner.channels.remove(&channel_pk) {
            for connection in watchers.connections.iter() {
                connection.interests().channels.remove(&channel_pk);
            }
        }
    }

    /// The connections that watch a channel.
    pub(super) fn watchers(&self, channel_pk: i64) -> Connections {
        self.inner().channels.get(&channel_pk).map(|found| Arc::clone(&found.connections)).unwrap_or_default()
    }

    /// The users who watch a channel: how many they are, and a page of their ids.
    pub(crate) fn watching_users(
        &self,
        channel_pk: i64,
        limit: usize,
        offset: usize,
    ) -> (i64, Vec<Arc<str>>) {
        let inner = self.inner();
        let Some(watchers) = inner.channels.get(&channel_pk) else { return (0, Vec::new()) };
        let mut ids: Vec<Arc<str>> = watchers.users.keys().cloned().collect();
        drop(inner);
        let count = ids.len() as i64;
        ids.sort();
        (count, ids.into_iter().skip(offset).take(limit).collect())
    }

    /// Users who watch a channel.
    pub(super) fn watcher_count(&self, channel_pk: i64) -> i64 {
        self.inner().watcher_count(channel_pk)
    }

    /// Whether the watchers may be told now that their number changed. In a large channel they are not each time.
    pub(super) fn may_tell_watching(
        &self,
        channel_pk: i64,
        now: Timestamp,
        many: i64,
        pause_nanoseconds: i64,
    ) -> bool {
        let mut inner = self.inner();
        let Some(watchers) = inner.channels.get_mut(&channel_pk) else { return false };
        let is_early = now.nanoseconds() - watchers.told_at.nanoseconds() < pause_nanoseconds;
        if watchers.users.len() as i64 > many && is_early {
            return false;
        }
        watchers.told_at = now;
        true
    }

    /// Who gets an event of a channel: those who watch, and of these members those who are connected and do not. Taken
    /// together, so that no connection is in both.
    pub(super) fn receivers(
        &self,
        app_pk: i64,
        channel_pk: i64,
        members: &HashSet<Arc<str>>,
    ) -> (Connections, Vec<Arc<Connection>>) {
        let inner = self.inner();
        let watchers = inner.channels.get(&channel_pk).map(|found| Arc::clone(&found.connections));
        let Some(connected) = inner.users.get(&app_pk) else { return (Arc::default(), Vec::new()) };
        let is_watching = |own: &Arc<Connection>| own.interests().channels.contains(&channel_pk);
        let mut others = Vec::new();
        let mut add =
            |own: &[Arc<Connection>]| others.extend(own.iter().filter(|own| !is_watching(own)).cloned());
        if members.len() < connected.len() {
            members.iter().filter_map(|id| connected.get(id)).for_each(|own| add(own));
        } else {
            connected.iter().filter(|(id, _)| members.contains(*id)).for_each(|(_, own)| add(own));
        }
        (watchers.unwrap_or_default(), others)
    }

    /// Whether one of these users is connected.
    pub(super) fn is_any_connected(&self, app_pk: i64, members: &HashSet<Arc<str>>) -> bool {
        let inner = self.inner();
        let Some(connected) = inner.users.get(&app_pk) else { return false };
        if members.len() < connected.len() {
            members.iter().any(|id| connected.contains_key(id))
        } else {
            connected.keys().any(|id| members.contains(id))
        }
    }

    /// Tells a connection from now on when one of these users comes or goes. Beyond the greatest number of users they
    /// are passed over.
    pub(crate) fn subscribe<'a>(
        &self,
        connection: &Arc<Connection>,
        user_ids: impl IntoIterator<Item = &'a str>,
    ) {
        let mut inner = self.inner();
        if !inner.by_id.contains_key(&connection.id) {
            return;
        }
        let mut interests = connection.interests();
        for user_id in user_ids {
            if interests.users.len() >= PRESENCE_SUBSCRIPTIONS_MAX {
                return;
            }
            let user_id: Arc<str> = user_id.into();
            if interests.users.insert(Arc::clone(&user_id)) {
                let of_app = inner.presence.entry(connection.app_pk).or_default();
                of_app.entry(user_id).or_default().push(Arc::clone(connection));
            }
        }
    }

    /// Who asked for the presence of a user.
    pub(super) fn subscribers(&self, app_pk: i64, user_id: &str) -> Vec<Arc<Connection>> {
        let inner = self.inner();
        inner.presence.get(&app_pk).and_then(|of_app| of_app.get(user_id)).cloned().unwrap_or_default()
    }
}

impl Inner {
    fn insert(&mut self, connection: &Arc<Connection>) {
        self.by_id.insert(connection.id.clone(), Arc::clone(connection));
        let of_app = self.users.entry(connection.app_pk).or_default();
        of_app.entry(Arc::clone(&connection.user_id)).or_default().push(Arc::clone(connection));
        if let Some(peer) = connection.peer {
            *self.addresses.entry(peer).or_default() += 1;
        }
    }

    fn remove_user(&mut self, connection: &Arc<Connection>) {
        if let Some(peer) = connection.peer
            && let Some(number) = self.addresses.get_mut(&peer)
        {
            *number -= 1;
            if *number == 0 {
                self.addresses.remove(&peer);
            }
        }
        remove_from(&mut self.users, connection, &connection.user_id);
    }

    fn unsubscribe(&mut self, connection: &Arc<Connection>, user_id: &str) {
        remove_from(&mut self.presence, connection, user_id);
    }

    fn of_user(&self, app_pk: i64, user_id: &str) -> &[Arc<Connection>] {
        self.users.get(&app_pk).and_then(|of_app| of_app.get(user_id)).map(Vec::as_slice).unwrap_or_default()
    }

    fn watcher_count(&self, channel_pk: i64) -> i64 {
        self.channels.get(&channel_pk).map_or(0, |watchers| watchers.users.len() as i64)
    }

    /// Takes a connection off the watchers of a channel.
    fn leave(&mut self, connection: &Arc<Connection>, channel_pk: i64) -> Option<Watching> {
        let watchers = self.channels.get_mut(&channel_pk)?;
        let connections = Arc::make_mut(&mut watchers.connections);
        let place = connections.iter().position(|other| Arc::ptr_eq(other, connection))?;
        connections.swap_remove(place);
        let of_user = watchers.users.get_mut(&connection.user_id)?;
        *of_user -= 1;
        let is_news = *of_user == 0;
        if is_news {
            watchers.users.remove(&connection.user_id);
        }
        let watcher_count = watchers.users.len() as i64;
        if watcher_count == 0 {
            self.channels.remove(&channel_pk);
        }
        Some(Watching { watcher_count, is_news })
    }
}

/// Takes a connection out of a list by app and user, and removes what becomes empty.
fn remove_from(
    lists: &mut HashMap<i64, HashMap<Arc<str>, Vec<Arc<Connection>>>>,
    connection: &Arc<Connection>,
    user_id: &str,
) {
    let Some(of_app) = lists.get_mut(&connection.app_pk) else { return };
    if let Some(list) = of_app.get_mut(user_id) {
        list.retain(|other| !Arc::ptr_eq(other, connection));
        if list.is_empty() {
            of_app.remove(user_id);
        }
    }
    if of_app.is_empty() {
        lists.remove(&connection.app_pk);
    }
}
