//! Events on their way to those who are connected.
//!
//! The transaction that changes something appends its events to the log of the channel or of the user. After the commit
//! the store tells the [`Broker`] which logs have moved, the [`Deliverer`](deliver) reads them from where it was, builds
//! each event once, encodes it once, puts the same bytes into the [`Outbox`](outbox) of every connection that the [`Hub`]
//! knows as its receiver, and writes them to the sockets ([`sending`]). What a socket does not take at once, its own task
//! ([`socket`]) writes later; who polls ([`long_poll`]) takes it from there.
//!
//! What is not history, such as typing and presence, goes to the hub without a log: see [`fleeting`].

mod broker;
mod connection;
mod deliver;
mod fleeting;
mod frame;
mod heartbeat;
mod hub;
mod load;
mod long_poll;
mod open;
mod outbox;
mod presence;
mod present;
mod replay;
mod rights;
mod sending;
mod socket;
mod user_log;

pub(crate) use connection::Connection;
pub(crate) use fleeting::{tell_app, tell_user, tell_watchers, tell_watching};
pub(crate) use long_poll::long_poll;
pub(crate) use open::watching_user;
pub(crate) use present::of_channel;
pub(crate) use replay::{replay_channel, replay_user};
pub(crate) use socket::connect;

use std::sync::Arc;

use natterjack_protocol::ErrorCode;
use natterjack_storage::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Caller, Who};
use crate::error::{Error, Result};
use crate::state::State;
use broker::{Broker, MemoryBroker};
use deliver::Pending;
use presence::Presences;

/// Everything that has to do with connections.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) hub: hub::Hub,
    pending: Arc<Pending>,
    presences: Presences,
    /// Tasks of the connections, so that a server that stops waits for their ends.
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Live {
    /// Listens to what the store commits.
    pub(crate) fn new(store: &Store) -> Self {
        let pending = Arc::new(Pending::default());
        let broker = Arc::new(MemoryBroker::default());
        broker.subscribe(Box::new({
            let pending = Arc::clone(&pending);
            move |moved| pending.note(moved)
        }));
        store.listen(Box::new(move |moved| broker.publish(moved)));
        Self {
            hub: hub::Hub::new(Arc::clone(&pending)),
            pending,
            presences: Presences::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Starts delivering.
    ///
    /// # Errors
    /// When it cannot be noted that nobody is connected yet.
    pub(crate) async fn start(
        state: &Arc<State>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<()> {
        presence::clear(state).await?;
        for worker in 0..deliver::WORKERS {
            tasks.spawn(deliver::run(Arc::clone(state), worker, stop.clone()));
        }
        tasks.spawn(presence::run(Arc::clone(state), stop.clone()));
        tasks.spawn(heartbeat::run(Arc::clone(state), stop.clone()));
        Ok(())
    }

    /// Whether every event that was committed is in the queues of its receivers.
    pub(crate) fn is_delivered(&self) -> bool {
        self.pending.is_read()
    }

    /// Closes every connection and waits until they are.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The connection that a call names by `connection_id`, for `field`, which needs one.
///
/// # Errors
/// Code 4 for servers and where none is named, 46 where it is not open or is somebody else's.
pub(crate) fn named_connection(
    state: &State,
    caller: &Caller,
    field: &str,
    connection_id: Option<&str>,
) -> Result<Arc<Connection>> {
    if caller.is_server() {
        return Err(Error::field(field, "needs a connected user; it must be false for servers"));
    }
    let id = connection_id
        .ok_or_else(|| Error::field(field, "needs a connection: connection_id is a required field"))?;
    let found = state.live.hub.connection(caller.app.pk, id);
    let found = found.filter(|connection| match &caller.who {
        Who::User(user_id) => user_id.as_str() == &*connection.user_id,
        Who::Anonymous => connection.is_anonymous,
        Who::Server => false,
    });
    found.ok_or_else(|| {
        Error::caller(
            ErrorCode::ConnectionIdUnknown,
            format!("connection_id {id:?} names no open connection"),
        )
    })
}
