//! The apps of the server, kept in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use natterjack_protocol::Timestamp;
use natterjack_storage::{App, CustomPermissionRow, Role, Store};
use tokio::sync::Mutex;

use crate::addresses::BannedAddresses;
use crate::channel_types::{self, ChannelType, WrittenType};
use crate::error::Result;
use crate::limits::ADDRESS_BANS_MAX;
use crate::permissions::{Action, CustomPermission, CustomPermissions, Permission, Scope, condition, grants};

/// The field of a condition that holds the number of a channel's members.
const MEMBER_COUNT: &str = "$resource.member_count";

/// Every app with its channel types and what else its version covers, as of the version of its row.
///
/// What is kept may be older than the database: another process may have changed it. It is read again when a
/// transaction finds another version, when a key or a signature is not known, when channel types or settings are
/// asked for, and once a second by a job.
#[derive(Debug, Default)]
pub(crate) struct Apps {
    /// Whether the first app accepts any signature, as `disable_auth_checks` says, without its being stored: a server that
    /// is started again without development mode must not go on with it.
    development: bool,
    current: RwLock<Current>,
    /// Held while reading, so that what is older never replaces what is newer.
    turn: Mutex<()>,
    /// How many times reading began.
    begun: AtomicU64,
    /// The last of them that ended well.
    ended: AtomicU64,
}

#[derive(Debug, Default)]
struct Current {
    by_pk: BTreeMap<i64, Arc<CachedApp>>,
    by_key: HashMap<String, i64>,
}

/// An app and its channel types, roles and permissions.
#[derive(Debug)]
pub(crate) struct CachedApp {
    pub(crate) app: Arc<App>,
    pub(crate) types: BTreeMap<String, ChannelType>,
    /// The roles that the app has made.
    pub(crate) roles: Vec<Role>,
    /// The permissions that the app has made.
    pub(crate) custom_permissions: CustomPermissions,
    /// What may be done outside of channels.
    pub(crate) scope: Scope,
    /// Whether a condition of them asks for the number of a channel's members.
    pub(crate) asks_member_count: bool,
    /// From where nobody may write.
    pub(crate) banned_addresses: BannedAddresses,
}

impl CachedApp {
    fn new(
        app: App,
        types: Vec<WrittenType>,
        roles: Vec<Role>,
        permissions: Vec<CustomPermissionRow>,
        banned_addresses: BannedAddresses,
    ) -> Self {
        let compiled: CustomPermissions = permissions.into_iter().filter_map(compiled).collect();
        let asks = |custom: &Arc<CustomPermission>| {
            custom.condition.as_ref().is_some_and(|condition| condition::names(condition, MEMBER_COUNT))
        };
        let grants = app.settings.grants.clone().flatten().unwrap_or_else(grants::app_defaults);
        Self {
            types: channel_types::all(types, app.created_at, &compiled),
            roles,
            scope: Scope::compile(&grants, &compiled),
            asks_member_count: compiled.values().any(asks),
            custom_permissions: compiled,
            banned_addresses,
            app: Arc::new(app),
        }
    }
}

/// A stored permission, ready to be asked. One whose action this version does not know allows nothing.
fn compiled(row: CustomPermissionRow) -> Option<(String, Arc<CustomPermission>)> {
    let action = Action::named(&row.action)?;
    let permission = Permission { action, owner: row.owner, same_team: row.same_team };
    Some((row.id, Arc::new(CustomPermission { permission, condition: row.condition })))
}

impl Apps {
    /// No apps yet. In development mode the first one will accept development tokens.
    pub(crate) fn new(development: bool) -> Self {
        Self { development, ..Self::default() }
    }

    /// Whether the server runs in development mode.
    pub(crate) fn is_development(&self) -> bool {
        self.development
    }

    /// The app with this key.
    pub(crate) fn by_key(&self, api_key: &str) -> Option<Arc<App>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.by_pk.get(current.by_key.get(api_key)?).map(|cached| Arc::clone(&cached.app))
    }

    /// The newest that is known of an app.
    pub(crate) fn get(&self, app_pk: i64) -> Option<Arc<CachedApp>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).by_pk.get(&app_pk).cloned()
    }

    /// The app that was created first.
    pub(crate) fn first(&self) -> Option<Arc<App>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.by_pk.values().next().map(|cached| Arc::clone(&cached.app))
    }

    /// Reads the apps that changed. Calls that come together share one look at the database, so that requests with
    /// made-up keys cost no more than one at a time.
    pub(crate) async fn reload(&self, store: &Store, now: Timestamp) -> Result<()> {
        let begun_before = self.begun.load(Ordering::Acquire);
        let _turn = self.turn.lock().await;
        if self.ended.load(Ordering::Acquire) > begun_before {
            return Ok(());
        }
        let number = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let versions = store.read("list_app_versions", (), |tx, ()| Box::pin(tx.list_app_versions())).await?;
        let first = versions.iter().map(|(app_pk, _)| *app_pk).min();
        for (app_pk, version) in versions {
            if self.get(app_pk).is_some_and(|cached| cached.app.version == version) {
                continue;
            }
            let is_open = self.development && Some(app_pk) == first;
            let found = store
                .read("find_app", (app_pk, is_open, now), |tx, (app_pk, is_open, now)| {
                    Box::pin(async move {
                        let Some(mut app) = tx.find_app(*app_pk).await? else { return Ok(None) };
                        if *is_open {
                            app.settings.disable_auth_checks = Some(true);
                        }
                        let types = tx.list_channel_types(*app_pk).await?;
                        let roles = tx.list_roles(*app_pk).await?;
                        let permissions = tx.list_custom_permissions(*app_pk).await?;
                        let bans = tx.list_address_bans(*app_pk, *now, ADDRESS_BANS_MAX).await?;
                        Ok::<_, natterjack_storage::Error>(Some(CachedApp::new(
                            app,
                            types,
                            roles,
                            permissions,
                            bans.into_iter().collect(),
                        )))
                    })
                })
                .await?;
            if let Some(cached) = found {
                self.put(cached);
            }
        }
        self.ended.store(number, Ordering::Release);
        Ok(())
    }

    fn put(&self, cached: CachedApp) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let (app_pk, api_key) = (cached.app.pk, cached.app.api_key.clone());
        current.by_key.retain(|_, pk| *pk != app_pk);
        current.by_key.insert(api_key, app_pk);
        current.by_pk.insert(app_pk, Arc::new(cached));
    }
}
