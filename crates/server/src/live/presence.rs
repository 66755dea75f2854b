//! Who is online: kept in the database, so that everything that shows a user says the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use natterjack_storage::{Presence, User};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

use super::fleeting::tell_presence;
use crate::error::Result;
use crate::limits::BATCH_MAX;
use crate::state::State;

/// Users who were connected are taken for disconnected so many at a time, when a server starts.
const CLEAR_BATCH: i64 = 1000;
/// Users of whom it could not be noted that are kept to try again. Of others it is noted when their connections change.
const KEPT_MAX: usize = 100_000;
/// Time until what could not be noted is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Who waits until it is noted whether a user is online.
type Waiting = Vec<oneshot::Sender<()>>;

/// Users whose connections have changed, and who waits until that is noted.
#[derive(Debug)]
pub(super) struct Presences {
    /// `None` once the server stops: nobody waits for what is not noted any more.
    changed: Mutex<Option<HashMap<(i64, String), Waiting>>>,
    moved: Notify,
}

impl Default for Presences {
    fn default() -> Self {
        Self { changed: Mutex::new(Some(HashMap::new())), moved: Notify::new() }
    }
}

impl Presences {
    /// Has it noted whether a user is online.
    pub(super) fn note(&self, app_pk: i64, user_id: &str) {
        self.queue(app_pk, user_id, None);
    }

    /// As [`Presences::note`], and waits until it is.
    pub(super) async fn settle(&self, app_pk: i64, user_id: &str) {
        let (sender, settled) = oneshot::channel();
        self.queue(app_pk, user_id, Some(sender));
        // A server that stops settles nothing more.
        let _ = settled.await;
    }

    fn queue(&self, app_pk: i64, user_id: &str, waiting: Option<oneshot::Sender<()>>) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(changed) = changed.as_mut() else { return };
        changed.entry((app_pk, user_id.to_owned())).or_default().extend(waiting);
        self.moved.notify_one();
    }

    /// Everybody who was queued.
    fn take(&self) -> HashMap<(i64, String), Waiting> {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Keeps users of whom it could not be noted for another time.
    fn put_back(&self, users: impl Iterator<Item = (i64, String)>) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(changed) = changed.as_mut() else { return };
        for user in users {
            if changed.len() >= KEPT_MAX {
                return;
            }
            changed.entry(user).or_default();
        }
    }

    /// Lets go of everybody who waits, now and later.
    fn close(&self) {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Takes everybody for disconnected.
pub(super) async fn clear(state: &State) -> Result<()> {
    while state.store.write("clear_online", (), |tx, ()| Box::pin(tx.clear_online(CLEAR_BATCH))).await? {}
    Ok(())
}

/// Notes who came and who went, many in one transaction, until the server stops.
pub(super) async fn run(state: Arc<State>, stop: CancellationToken) {
    let presences = &state.live.presences;
    let mut retries = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return presences.close(),
            () = presences.moved.notified() => {}
            () = tokio::time::sleep(RETRY_PAUSE), if retries => {}
        }
        retries = false;
        let mut changed = presences.take().into_iter().peekable();
        while changed.peek().is_some() {
            let batch: Vec<_> = changed.by_ref().take(BATCH_MAX).collect();
            let users: Vec<_> = batch.iter().map(|(user, _)| user.clone()).collect();
            if let Err(error) = note(&state, &users).await {
                tracing::warn!(error = crate::error_chain(&error), "it could not be noted who is online");
                presences.put_back(users.into_iter());
                retries = true;
            }
            for waiting in batch.into_iter().flat_map(|(_, waiting)| waiting) {
                let _ = waiting.send(());
            }
        }
    }
}

/// Compares what is stored of these users with their connections, and tells those who asked what has changed.
async fn note(state: &State, users: &[(i64, String)]) -> Result<()> {
    let now = state.now();
    let mut presences = Vec::with_capacity(users.len());
    let mut turned = Vec::new();
    for user in find(state, users).await? {
        let User { app_pk, id: user_id, invisible, online: was_online, .. } = user;
        let is_connected = state.live.hub.is_connected(app_pk, &user_id);
        let online = is_connected && !invisible;
        if online != was_online {
            turned.push((app_pk, user_id.clone()));
        }
        if online != was_online || online {
            // Who is invisible was active when he or she was last seen.
            let last_active = online.then_some(now);
            presences.push(Presence { app_pk, user_id, online, last_active });
        }
    }
    if presences.is_empty() {
        return Ok(());
    }
    let told: Vec<(i64, String)> =
        presences.iter().map(|presence| (presence.app_pk, presence.user_id.clone())).collect();
    state.store.write("update_presence", presences, |tx, all| Box::pin(tx.update_presence(all))).await?;
    for (app_pk, user_id) in &told {
        state.forget_user(*app_pk, user_id);
    }
    for (app_pk, user_id) in turned {
        if let Some(user) = state.user(app_pk, &user_id).await? {
            tell_presence(state, app_pk, Arc::clone(&user.response)).await;
        }
    }
    Ok(())
}

/// The users as they are stored: what is cached may be older than the change that this is about.
async fn find(state: &State, users: &[(i64, String)]) -> Result<Vec<User>> {
    let mut by_app: HashMap<i64, Vec<String>> = HashMap::new();
    for (app_pk, user_id) in users {
        by_app.entry(*app_pk).or_default().push(user_id.clone());
    }
    let mut found = Vec::new();
    for (app_pk, ids) in by_app {
        let read = state.store.read("list_users", (app_pk, ids), |tx, (app_pk, ids)| {
            Box::pin(tx.list_users(*app_pk, ids.clone()))
        });
        found.extend(read.await?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::Presences;

    #[tokio::test]
    async fn nobody_waits_for_a_server_that_stops() {
        let presences = Arc::new(Presences::default());
        let settle = |user: &'static str| {
            let presences = Arc::clone(&presences);
            tokio::spawn(async move { presences.settle(1, user).await })
        };
        let before = settle("jane");
        tokio::task::yield_now().await;
        assert!(!before.is_finished());
        presences.close();
        let after = settle("joe");
        for waiting in [before, after] {
            let settled = tokio::time::timeout(Duration::from_secs(5), waiting).await;
            settled.expect("nobody is kept waiting").expect("the task ends");
        }
    }
}
