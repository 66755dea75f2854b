pub(crate) mod access;
mod decided;

use std::array;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use natterjack_protocol::channel_types::ChannelTypeConfig;
use natterjack_protocol::users::UserResponse;
use natterjack_protocol::{ErrorCode, Timestamp};
use natterjack_storage::{App, Ban, Basis, Channel, KnownWords, Member, NewApp, Store, User};
use quick_cache::sync::Cache;
use tokio::sync::Notify;

use crate::apps::{Apps, CachedApp};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::live::Live;
use crate::permissions::Scope;
use crate::present;
use crate::rate_limits::RateLimits;

pub(crate) use decided::Decided;

/// Users kept in memory.
const USERS_CACHED: usize = 20_000;
/// Channels kept in memory.
const CHANNELS_CACHED: usize = 20_000;
/// Memberships kept in memory.
const MEMBERSHIPS_CACHED: usize = 50_000;

/// Everything that requests share: the database, the clock, the apps and what is cached of channels and users.
///
/// What is cached carries the version of its row, and channels that of their app, whose types they are configured by.
/// The transactions that send messages and reactions and update channels read the versions with the row they update
/// anyway; when they differ they end with [`Error::Stale`], the entry is dropped and the checks are repeated. Reads take
/// the channel from the database.
#[derive(Debug)]
pub struct State {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    apps: Apps,
    users: Cache<(i64, String), Arc<CachedUser>>,
    channels: Cache<(i64, String), Arc<CachedChannel>>,
    dropped: Drops,
    memberships: Cache<(i64, String), CachedMembership>,
    /// From where users last called.
    pub(crate) last_addresses: Cache<(i64, String), LastAddress>,
    /// Words that the search index is known to have.
    pub(crate) known_words: Arc<KnownWords>,
    /// Notified when a task waits.
    pub(crate) tasks: Notify,
    /// Who is connected.
    pub(crate) live: Live,
    pub(crate) rate_limits: RateLimits,
}

/// From where a user last called, as stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastAddress {
    /// `None` for who was never seen.
    pub(crate) address: Option<IpAddr>,
    /// When this process wrote it.
    pub(crate) noted_at: Timestamp,
}

/// A user together with its form on the wire.
#[derive(Debug)]
pub(crate) struct CachedUser {
    pub(crate) user: User,
    pub(crate) response: Arc<UserResponse>,
}

/// A channel together with the configuration that holds in it.
///
/// The counters in `channel` are those of the moment of reading; only its identity, data and settings may be used.
#[derive(Debug)]
pub(crate) struct CachedChannel {
    pub(crate) channel: Channel,
    pub(crate) config: Arc<ChannelTypeConfig>,
    /// What roles may do in it.
    pub(crate) scope: Arc<Scope>,
    /// The version of the app whose types the configuration comes from.
    app_version: i64,
}

impl CachedChannel {
    /// What a transaction goes by that was decided by this channel and its configuration, and by a user.
    pub(crate) fn basis<'a>(&self, user: Option<&'a User>) -> Basis<'a> {
        Basis {
            channel: self.channel.version,
            app: self.app_version,
            user: user.map(|user| (user.id.as_str(), user.version)),
        }
    }
}

/// What a user is in a channel.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Membership {
    /// `None` for one who is not a member.
    pub(crate) channel_role: Option<Arc<str>>,
    /// The ban from the channel, which need not be one of a member and may be over.
    pub(crate) ban: Option<Arc<Ban>>,
}

impl Membership {
    fn of(member: Option<Member>, ban: Option<Ban>) -> Self {
        Self { channel_role: member.map(|member| member.channel_role.into()), ban: ban.map(Arc::new) }
    }
}

/// What a user is in a channel, as of a version of the channel.
#[derive(Debug, Clone)]
struct CachedMembership {
    channel_version: i64,
    membership: Membership,
}

impl State {
    /// Takes the database into use. In development mode the first app accepts development tokens.
    ///
    /// # Errors
    /// When the apps cannot be read.
    pub async fn new(store: Store, clock: Arc<dyn Clock>, development: bool) -> Result<Self> {
        let live = Live::new(&store);
        let state = Self {
            store,
            live,
            clock,
            apps: Apps::new(development),
            users: Cache::new(USERS_CACHED),
            channels: Cache::new(CHANNELS_CACHED),
            dropped: Drops::default(),
            memberships: Cache::new(MEMBERSHIPS_CACHED),
            last_addresses: Cache::new(USERS_CACHED),
            known_words: Arc::default(),
            tasks: Notify::new(),
            rate_limits: RateLimits::default(),
        };
        state.reload_apps().await?;
        Ok(state)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the server runs in development mode.
    pub(crate) fn is_development(&self) -> bool {
        self.apps.is_development()
    }

    /// Reads again the apps that were changed, by this process or by another.
    pub(crate) async fn reload_apps(&self) -> Result<()> {
        self.apps.reload(&self.store, self.now()).await
    }

    /// The app with this key.
    pub fn app(&self, api_key: &str) -> Option<Arc<App>> {
        self.apps.by_key(api_key)
    }

    /// The app that was created first.
    pub fn first_app(&self) -> Option<Arc<App>> {
        self.apps.first()
    }

    /// The newest that is known of an app: another process, or another request, may have changed it since it was looked
    /// up by its key.
    pub(crate) fn current_app(&self, app: &App) -> Arc<CachedApp> {
        self.apps.get(app.pk).expect("an app that was found once is never removed")
    }

    /// Creates the first app, or gives it another key and secret.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_first_app(&self, app: NewApp) -> Result<()> {
        let existing = self.first_app();
        if existing.as_ref().is_some_and(|was| was.api_key == app.api_key && was.api_secret == app.api_secret)
        {
            return Ok(());
        }
        let existing = existing.map(|app| app.pk);
        let now = self.now();
        self.store
            .write("set_first_app", (existing, app, now), |tx, (existing, app, now)| {
                Box::pin(async move {
                    match existing {
                        None => tx.insert_app(app, *now).await,
                        Some(pk) => tx.update_app_credentials(*pk, &app.api_key, &app.api_secret, *now).await,
                    }
                })
            })
            .await?;
        self.reload_apps().await
    }

    /// The users with these ids that exist, cached ones first, the others from the database.
    pub(crate) async fn users(
        &self,
        app_pk: i64,
        ids: impl IntoIterator<Item = &str>,
    ) -> Result<HashMap<String, Arc<CachedUser>>> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        for id in ids {
            if found.contains_key(id) {
                continue;
            }
            match self.cached_user(app_pk, id) {
                Some(user) => {
                    found.insert(id.to_owned(), user);
                }
                None => missing.push(id.to_owned()),
            }
        }
        if !missing.is_empty() {
            let dropped = self.dropped();
            let read = self
                .store
                .read("list_users", (app_pk, missing), |tx, (app_pk, ids)| {
                    Box::pin(tx.list_users(*app_pk, ids.clone()))
                })
                .await?;
            for user in read {
                let cached = self.remember_read_user(user, &dropped);
                found.insert(cached.user.id.clone(), cached);
            }
        }
        Ok(found)
    }

    /// The user with this id.
    pub(crate) async fn user(&self, app_pk: i64, id: &str) -> Result<Option<Arc<CachedUser>>> {
        if let Some(user) = self.cached_user(app_pk, id) {
            return Ok(Some(user));
        }
        Ok(self.users(app_pk, [id]).await?.remove(id))
    }

    /// A user from the cache. One whose ban is over by now is shown anew.
    fn cached_user(&self, app_pk: i64, id: &str) -> Option<Arc<CachedUser>> {
        let key = (app_pk, id.to_owned());
        let cached = self.users.get(&key)?;
        let shows_ban = cached.response.banned || cached.response.shadow_banned;
        if !shows_ban || cached.user.ban_at(self.now()).is_some() {
            return Some(cached);
        }
        let response = Arc::new(present::user(&cached.user, self.now()));
        // Kept as long as it is asked for: what is in the cache may be a newer version by now.
        Some(Arc::new(CachedUser { user: cached.user.clone(), response }))
    }

    /// What was dropped so far: what is read after this may be kept if it was not dropped since.
    pub(crate) fn dropped(&self) -> Dropped {
        self.dropped.so_far()
    }

    /// Keeps what was read of a user, unless it was dropped since `dropped`.
    fn remember_read_user(&self, user: User, dropped: &Dropped) -> Arc<CachedUser> {
        let key = (user.app_pk, user.id.clone());
        let response = Arc::new(present::user(&user, self.now()));
        let cached = Arc::new(CachedUser { user, response });
        self.users.insert(key.clone(), Arc::clone(&cached));
        if self.dropped.has_moved(&key, dropped) {
            self.users.remove(&key);
        }
        cached
    }

    /// What a transaction wrote of a user. It is not kept: another may have written something newer meanwhile, and told of
    /// it before this one.
    pub(crate) fn written_user(&self, user: User) -> Arc<CachedUser> {
        let response = Arc::new(present::user(&user, self.now()));
        Arc::new(CachedUser { user, response })
    }

    /// The configuration of a channel type.
    pub(crate) fn channel_type(&self, app: &App, name: &str) -> Option<Arc<ChannelTypeConfig>> {
        self.current_app(app).types.get(name).map(|found| Arc::clone(&found.of_type))
    }

    /// The channel types in which nothing is read or unread.
    pub(crate) fn kinds_without_read_events(&self, app: &App) -> Vec<String> {
        self.kinds_without_read_events_of(app.pk)
    }

    /// As [`State::kinds_without_read_events`], for an app by its key.
    pub(crate) fn kinds_without_read_events_of(&self, app_pk: i64) -> Vec<String> {
        let Some(of_app) = self.apps.get(app_pk) else { return Vec::new() };
        let types = &of_app.types;
        types.iter().filter(|(_, kind)| !kind.of_type.read_events).map(|(name, _)| name.clone()).collect()
    }

    /// The channel with this cid that is not deleted. Actions get it from [`access`], which asks whether they may.
    ///
    /// # Errors
    /// When it does not exist.
    async fn channel(&self, app: &App, cid: &str) -> Result<Arc<CachedChannel>> {
        let key = (app.pk, cid.to_owned());
        let app_version = self.current_app(app).app.version;
        if let Some(cached) = self.channels.get(&key).filter(|cached| cached.app_version == app_version) {
            return Ok(cached);
        }
        let dropped = self.dropped();
        if let Some(cached) = self.channels.get(&key) {
            return Ok(self.remember_channel(app, cached.channel.clone(), &dropped));
        }
        let (found, app_version) = self
            .store
            .read("find_channel", key, |tx, (app_pk, cid)| {
                Box::pin(async move {
                    let channel = tx.find_channel(*app_pk, cid).await?;
                    Ok::<_, Error>((channel, tx.find_app_version(*app_pk).await?))
                })
            })
            .await?;
        if app_version != self.current_app(app).app.version {
            self.reload_apps().await?;
        }
        match found {
            Some(channel) if channel.deleted_at.is_none() => {
                Ok(self.remember_channel(app, channel, &dropped))
            }
            _ => Err(Error::not_found("channel", cid)),
        }
    }

    /// Keeps what was read of a channel, unless it was dropped since `dropped`.
    pub(crate) fn remember_channel(
        &self,
        app: &App,
        channel: Channel,
        dropped: &Dropped,
    ) -> Arc<CachedChannel> {
        let key = (app.pk, channel.cid.clone());
        let cached = Arc::new(self.configured(app, channel));
        self.channels.insert(key.clone(), Arc::clone(&cached));
        if self.dropped.has_moved(&key, dropped) {
            self.channels.remove(&key);
        }
        cached
    }

    /// A channel with what holds in it.
    fn configured(&self, app: &App, channel: Channel) -> CachedChannel {
        let of_app = self.current_app(app);
        CachedChannel {
            config: configure(&of_app, &channel),
            scope: scope_in(&of_app, &channel),
            app_version: of_app.app.version,
            channel,
        }
    }

    /// What roles may do in a channel.
    pub(crate) fn channel_scope(&self, app: &App, channel: &Channel) -> Arc<Scope> {
        scope_in(&self.current_app(app), channel)
    }

    /// The channel types of an app whose `last_message_at` passes over system messages.
    pub(crate) fn types_without_system(&self, app_pk: i64) -> Vec<String> {
        let app = self.apps.get(app_pk);
        let types = app.iter().flat_map(|app| &app.types);
        let skipping = types.filter(|(_, kind)| kind.of_type.skip_last_msg_update_for_system_msgs);
        skipping.map(|(name, _)| name.clone()).collect()
    }

    /// The configuration that holds in a channel.
    pub(crate) fn channel_config(&self, app: &App, channel: &Channel) -> Arc<ChannelTypeConfig> {
        configure(&self.current_app(app), channel)
    }

    /// As [`State::channel_config`], for a channel whose app is not at hand.
    pub(crate) fn channel_config_of(&self, channel: &Channel) -> Arc<ChannelTypeConfig> {
        self.apps.get(channel.app_pk).map(|of_app| configure(&of_app, channel)).unwrap_or_default()
    }

    /// Whether what may be done in the channels of an app depends on how many members they have.
    pub(crate) fn asks_member_count(&self, app_pk: i64) -> bool {
        self.apps.get(app_pk).is_some_and(|of_app| of_app.asks_member_count)
    }

    /// The app with this key.
    pub(crate) fn app_with_pk(&self, app_pk: i64) -> Option<Arc<App>> {
        self.apps.get(app_pk).map(|of_app| Arc::clone(&of_app.app))
    }

    /// Drops what is cached of a channel, after a change or when it was found stale.
    pub(crate) fn forget_channel(&self, app_pk: i64, cid: &str) {
        let key = (app_pk, cid.to_owned());
        self.dropped.note(&key);
        self.channels.remove(&key);
    }

    /// Drops what is cached of a user, after a change or when it was found stale.
    pub(crate) fn forget_user(&self, app_pk: i64, id: &str) {
        let key = (app_pk, id.to_owned());
        self.dropped.note(&key);
        self.users.remove(&key);
        self.live.hub.note_moved(app_pk, id);
    }

    /// The role of a user in a channel, `None` for one who is not a member.
    pub(crate) async fn channel_role(&self, channel: &Channel, user_id: &str) -> Result<Option<Arc<str>>> {
        Ok(self.membership(channel, user_id).await?.channel_role)
    }

    /// What a user is in a channel.
    pub(crate) async fn membership(&self, channel: &Channel, user_id: &str) -> Result<Membership> {
        let key = (channel.pk, user_id.to_owned());
        if let Some(cached) = self.memberships.get(&key)
            && cached.channel_version == channel.version
        {
            return Ok(cached.membership);
        }
        let (member, ban) = self
            .store
            .read("find_member", (channel.app_pk, key.clone()), |tx, (app_pk, (channel_pk, user_id))| {
                Box::pin(async move {
                    let member = tx.find_member(*channel_pk, user_id).await?;
                    Ok::<_, Error>((member, tx.find_ban(*app_pk, *channel_pk, user_id).await?))
                })
            })
            .await?;
        let membership = Membership::of(member, ban);
        let cached = CachedMembership { channel_version: channel.version, membership: membership.clone() };
        self.memberships.insert(key, cached);
        Ok(membership)
    }
}

/// Counts what is dropped from the caches, so that a read that began before does not bring an old entry back. Many keys
/// share a counter; what was not kept for the sake of another is read once more.
#[derive(Debug)]
struct Drops([AtomicU64; Self::COUNTERS]);

/// The counters of [`Drops`] at one moment.
#[derive(Debug)]
pub(crate) struct Dropped([u64; Drops::COUNTERS]);

impl Default for Drops {
    fn default() -> Self {
        Self(array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Drops {
    const COUNTERS: usize = 64;

    fn place(key: &(i64, String)) -> usize {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish() as usize % Self::COUNTERS
    }

    fn note(&self, key: &(i64, String)) {
        self.0[Self::place(key)].fetch_add(1, Ordering::AcqRel);
    }

    fn so_far(&self) -> Dropped {
        Dropped(array::from_fn(|place| self.0[place].load(Ordering::Acquire)))
    }

    fn has_moved(&self, key: &(i64, String), since: &Dropped) -> bool {
        let place = Self::place(key);
        self.0[place].load(Ordering::Acquire) != since.0[place]
    }
}

/// The configuration of a channel: its type's, with its own settings on top.
fn configure(of_app: &CachedApp, channel: &Channel) -> Arc<ChannelTypeConfig> {
    let of_type = of_app.types.get(&channel.kind);
    of_type.map(|of_type| of_type.effective(channel.config_overrides.as_ref())).unwrap_or_default()
}

/// The permissions of a channel: its type's, with its own changes on top.
fn scope_in(of_app: &CachedApp, channel: &Channel) -> Arc<Scope> {
    let of_type = of_app.types.get(&channel.kind);
    of_type
        .map(|of_type| of_type.scope_in(channel.config_overrides.as_ref(), &of_app.custom_permissions))
        .unwrap_or_default()
}

/// Repeats checks and their write for as long as they find what was cached to be stale.
#[derive(Debug)]
pub(crate) struct Freshness<'a> {
    app_pk: i64,
    cid: Option<&'a str>,
    user_ids: &'a [&'a str],
    attempts: usize,
}

impl<'a> Freshness<'a> {
    /// Changes of the same channel or user that may get in between.
    const ATTEMPTS_MAX: usize = 500;

    /// For a write that relies on what is cached of this channel and these users.
    pub(crate) fn new(app_pk: i64, cid: Option<&'a str>, user_ids: &'a [&'a str]) -> Self {
        Self { app_pk, cid, user_ids, attempts: 0 }
    }

    /// What the write answered, or `None` when the checks have to be repeated with fresh data.
    ///
    /// # Errors
    /// The write's own error, or that something changed under it too often.
    pub(crate) fn settle<T>(&mut self, state: &State, outcome: Result<T>) -> Result<Option<T>> {
        match outcome {
            Err(Error::Stale) if self.attempts < Self::ATTEMPTS_MAX => {
                self.attempts += 1;
                if let Some(cid) = self.cid {
                    state.forget_channel(self.app_pk, cid);
                }
                self.user_ids.iter().for_each(|user_id| state.forget_user(self.app_pk, user_id));
                Ok(None)
            }
            Err(Error::Stale) => {
                let text = match self.cid {
                    Some(_) => "the channel changed too often while it was written to; repeat the call",
                    None => "the users changed too often while they were written to; repeat the call",
                };
                Err(Error::caller(ErrorCode::Timeout, text))
            }
            outcome => outcome.map(Some),
        }
    }

    /// Drops the channel that a write relied on which went on although the channel had another version: for others more may
    /// have changed than for this one.
    pub(crate) fn note_version(&self, state: &State, relied_on: &CachedChannel, version: i64) {
        if let Some(cid) = self.cid.filter(|_| relied_on.channel.version != version) {
            state.forget_channel(self.app_pk, cid);
        }
    }
}
