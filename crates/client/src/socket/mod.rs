//! Events as they happen: a user's connection to the server, made by [`Client::connect`].
//!
//! ```no_run
//! use futures_util::StreamExt as _;
//! use natterjack_client::Client;
//! use natterjack_client::socket::{ConnectOptions, Update};
//! use natterjack_client::state::ChannelState;
//!
//! # async fn ask_my_server() -> Result<String, std::io::Error> { Ok(String::new()) }
//! # async fn run() -> Result<(), natterjack_client::Error> {
//! let client = Client::builder("key", "").token_provider(ask_my_server).build()?;
//! let (socket, mut updates) = client.connect(ConnectOptions::new("jane")).await?;
//! let general = socket.watch("messaging", "general", Default::default()).await?.into_inner();
//! let mut general = ChannelState::new(general, "jane");
//! while let Some(update) = updates.next().await {
//!     match update {
//!         Update::Event(event) => general.apply(&event),
//!         Update::Recovered { missed, .. } if !missed.is_empty() => {
//!             let fresh = socket.watch("messaging", "general", Default::default()).await?.into_inner();
//!             general = ChannelState::new(fresh, "jane");
//!         }
//!         _ => {}
//!     }
//!     println!("{} messages", general.messages().len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # When the connection breaks
//! A new one is made, after a wait that doubles with each failure and differs from client to client. A token that has
//! expired is fetched anew. The new connection watches what the old one watched, and what happened in these channels
//! meanwhile comes as events, each once; then [`Update::Recovered`] names the channels of which it was too much.
//!
//! # What a slow reader causes
//! Updates that are not taken wait in a buffer; when it is full nothing more is read, and the server may close the
//! connection. What was missed then comes like after any other break.

mod backoff;
mod heartbeat;
mod http;
mod link;
mod outbox;
mod run;
mod seen;
mod sync;
#[cfg(test)]
mod tests;
mod typing;

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use natterjack_protocol::channel_state::ChannelStateResponse;
use natterjack_protocol::channels::{
    GetOrCreateChannel, GetOrCreateChannelRequest, QueryChannels, QueryChannelsRequest, QueryChannelsResponse,
};
use natterjack_protocol::events::{Event, StopWatching, StopWatchingRequest};
use natterjack_protocol::own_user::OwnUserResponse;
use natterjack_protocol::users::UserRequest;
use natterjack_protocol::{ChannelPath, NoPath, v1};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

pub use typing::TypingNotifier;

use crate::{Client, Error, Reply};
use http::HttpServer;
use run::Runner;

/// Updates that may wait for the caller unless the options say otherwise.
const BUFFER: usize = 1000;

/// Who connects, and how connections are made anew.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// The user, who has to be the token's. What is given beside the id changes the stored user; a user who does not
    /// exist is created.
    pub user: UserRequest,
    /// How many updates may wait to be taken before nothing more is read. Default: 1000.
    pub buffer: usize,
    /// The greatest wait before the first attempt to connect anew; it doubles with each failure. Default: 0.5 s.
    pub reconnect_delay_base: Duration,
    /// The greatest wait of all. Default: 25 s.
    pub reconnect_delay_max: Duration,
}

impl ConnectOptions {
    /// Connects as this user.
    pub fn new(user_id: impl Into<String>) -> Self {
        Self::with_user(UserRequest { id: user_id.into(), ..UserRequest::default() })
    }

    /// Connects as this user and changes what is given beside the id.
    pub fn with_user(user: UserRequest) -> Self {
        Self {
            user,
            buffer: BUFFER,
            reconnect_delay_base: Duration::from_millis(500),
            reconnect_delay_max: Duration::from_secs(25),
        }
    }
}

/// Something that happened, to the user's channels or to the connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum Update {
    /// An event of the server. Each comes once, those of one channel in their order.
    Event(Box<Event>),
    /// An event that this version of the SDK cannot read. What it was about is known after a new read only.
    Unreadable {
        /// What is wrong, for people to read.
        problem: String,
    },
    /// The connection broke; a new one is made after `retry_in`.
    Disconnected {
        /// What happened, for people to read.
        reason: String,
        /// How long to wait.
        retry_in: Duration,
    },
    /// There is a new connection. What happened meanwhile follows.
    Reconnected {
        /// The user, with the totals of now.
        me: Box<OwnUserResponse>,
    },
    /// All that happened while there was no connection has been told, but for what is named here.
    Recovered {
        /// Channels, as `<type>:<id>`, in which too much happened to be told, or too long ago: read them anew.
        missed: Vec<String>,
        /// Channels that the user may not read any more. They are not watched any more.
        inaccessible: Vec<String>,
    },
    /// The server will not have this user back. Nothing comes after it.
    Closed {
        /// What the server said.
        error: Error,
    },
}

/// The updates of one socket. Dropping it closes the connection.
#[derive(Debug)]
pub struct Updates {
    receiver: mpsc::Receiver<Update>,
}

impl Stream for Updates {
    type Item = Update;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Update>> {
        self.receiver.poll_recv(context)
    }
}

/// A user's connection, the present one and those after it. Cheap to clone; clones are the same socket.
#[derive(Clone)]
pub struct Socket {
    client: Client,
    shared: Arc<Shared>,
}

/// What the handles and the task of a socket share.
pub(crate) struct Shared {
    /// Id of the present connection, and the user as of its beginning.
    status: watch::Sender<Option<(String, OwnUserResponse)>>,
    /// Set once the caller wants no more.
    closing: watch::Sender<bool>,
    watched: Mutex<BTreeSet<String>>,
}

impl Client {
    /// Connects as a user, to get events as they happen. The client needs that user's token, best from a
    /// [provider](crate::ClientBuilder::token_provider), for a connection outlives tokens.
    ///
    /// This makes the first connection and fails when that fails; later ones are made by themselves.
    ///
    /// # Errors
    /// [`Error::Api`] when the server refuses the token or the user's data, any other kind when there is no connection.
    ///
    /// ```no_run
    /// use futures_util::StreamExt as _;
    /// use natterjack_client::socket::ConnectOptions;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let (socket, mut updates) = client.connect(ConnectOptions::new("jane")).await?;
    /// println!("{} messages to read", socket.me().map_or(0, |me| me.total_unread_count));
    /// while let Some(update) = updates.next().await {
    ///     println!("{update:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(&self, options: ConnectOptions) -> Result<(Socket, Updates), Error> {
        let user = json!({"user_id": options.user.id, "user_details": in_v1(&options.user)?});
        let server = HttpServer::new(self.clone(), user.to_string());
        let (shared, updates) = start(Arc::new(server), &options).await?;
        Ok((Socket { client: self.clone(), shared }, updates))
    }
}

/// Makes the first connection and starts the task that keeps it.
async fn start(
    server: Arc<impl link::Server>,
    options: &ConnectOptions,
) -> Result<(Arc<Shared>, Updates), Error> {
    let first = link::open(server.as_ref()).await?;
    let shared = Arc::new(Shared::default());
    shared.set_status(Some((first.connection_id.clone(), first.me.clone())));
    let (sender, receiver) = mpsc::channel(options.buffer.max(1));
    tokio::spawn(Runner::new(server, Arc::clone(&shared), sender, options).run(first));
    Ok((shared, Updates { receiver }))
}

impl Socket {
    /// The user as of the beginning of the present connection; `None` while there is none.
    pub fn me(&self) -> Option<OwnUserResponse> {
        self.shared.status.borrow().as_ref().map(|(_, me)| me.clone())
    }

    /// Id of the present connection; `None` while there is none.
    pub fn connection_id(&self) -> Option<String> {
        self.shared.status.borrow().as_ref().map(|(id, _)| id.clone())
    }

    /// Ends the connection. The updates end as well.
    pub fn close(&self) {
        self.shared.closing.send_replace(true);
    }

    /// Reads a channel, creates it when it does not exist, and gets its events from now on, over later connections too.
    /// Waits for a connection while there is none.
    ///
    /// # Errors
    /// As [`Chat::get_or_create_channel`](crate::Chat::get_or_create_channel).
    ///
    /// ```no_run
    /// # async fn run(socket: natterjack_client::socket::Socket) -> Result<(), natterjack_client::Error> {
    /// let general = socket.watch("messaging", "general", Default::default()).await?;
    /// println!("{} messages", general.messages.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn watch(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        request: GetOrCreateChannelRequest,
    ) -> Result<Reply<ChannelStateResponse>, Error> {
        let path = ChannelPath { kind: kind.into(), id: id.into() };
        let cid = format!("{}:{}", path.kind, path.id);
        let request =
            GetOrCreateChannelRequest { watch: Some(true), state: request.state.or(Some(true)), ..request };
        let connection_id = self.connected().await?;
        let found = self.client.call_on::<GetOrCreateChannel>(&connection_id, path, request).await?;
        self.shared.remember(cid);
        Ok(found)
    }

    /// Finds channels and gets the events of those found, like [`watch`](Self::watch).
    ///
    /// # Errors
    /// As [`Chat::query_channels`](crate::Chat::query_channels).
    ///
    /// ```no_run
    /// use natterjack_client::filter::channels;
    /// use natterjack_client::protocol::channels::QueryChannelsRequest;
    ///
    /// # async fn run(socket: natterjack_client::socket::Socket) -> Result<(), natterjack_client::Error> {
    /// let filter_conditions = channels::members().is_in(["jane"]).into();
    /// let mine = socket.watch_all(QueryChannelsRequest { filter_conditions, ..Default::default() }).await?;
    /// println!("{} channels", mine.channels.len());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn watch_all(
        &self,
        request: QueryChannelsRequest,
    ) -> Result<Reply<QueryChannelsResponse>, Error> {
        let request =
            QueryChannelsRequest { watch: Some(true), state: request.state.or(Some(true)), ..request };
        let connection_id = self.connected().await?;
        let found = self.client.call_on::<QueryChannels>(&connection_id, NoPath {}, request).await?;
        for channel in found.channels.iter().filter_map(|one| one.channel.as_ref()) {
            self.shared.remember(channel.cid.clone());
        }
        Ok(found)
    }

    /// Gets no more events of a channel, except what every member gets.
    ///
    /// # Errors
    /// Any kind of [`Error`]. Later connections do not watch the channel in any case.
    ///
    /// ```no_run
    /// # async fn run(socket: natterjack_client::socket::Socket) -> Result<(), natterjack_client::Error> {
    /// socket.stop_watching("messaging", "general").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stop_watching(&self, kind: impl Into<String>, id: impl Into<String>) -> Result<(), Error> {
        let path = ChannelPath { kind: kind.into(), id: id.into() };
        self.shared.forget(&format!("{}:{}", path.kind, path.id));
        let Some(connection_id) = self.connection_id() else { return Ok(()) };
        let request = StopWatchingRequest::default();
        self.client.call_on::<StopWatching>(&connection_id, path, request).await.map(drop)
    }

    /// Tells others that the user types in a channel, or in the thread of the message `parent_id`.
    ///
    /// ```no_run
    /// # async fn run(socket: natterjack_client::socket::Socket) -> Result<(), natterjack_client::Error> {
    /// let mut typing = socket.typing("messaging", "general", None);
    /// typing.keystroke().await?;
    /// typing.keystroke().await?; // Nothing is sent: others know.
    /// typing.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn typing(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        parent_id: Option<&str>,
    ) -> TypingNotifier {
        let path = ChannelPath { kind: kind.into(), id: id.into() };
        TypingNotifier::new(self.client.clone(), path, parent_id.map(str::to_owned))
    }

    /// Id of the present connection, or of the next one.
    async fn connected(&self) -> Result<String, Error> {
        let mut status = self.shared.status.subscribe();
        let ended = || Error::request("the socket is closed");
        tokio::select! {
            there = status.wait_for(Option::is_some) => {
                let there = there.map_err(|_| ended())?;
                there.as_ref().map(|(id, _)| id.clone()).ok_or_else(ended)
            }
            () = self.shared.closing() => Err(ended()),
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Socket").field("connection_id", &self.connection_id()).finish_non_exhaustive()
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self { status: watch::channel(None).0, closing: watch::channel(false).0, watched: Mutex::default() }
    }
}

impl Shared {
    fn set_status(&self, status: Option<(String, OwnUserResponse)>) {
        self.status.send_replace(status);
    }

    /// Waits until the caller wants no more.
    async fn closing(&self) {
        // It cannot fail: the sender lives in `self`.
        drop(self.closing.subscribe().wait_for(|closing| *closing).await);
    }

    /// What the client says to show that it is there.
    fn health_check(&self) -> String {
        let id = self.status.borrow().as_ref().map(|(id, _)| id.clone()).unwrap_or_default();
        json!([{"type": "health.check", "client_id": id}]).to_string()
    }

    fn watched(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    fn remember(&self, cid: String) {
        self.lock().insert(cid);
    }

    fn forget(&self, cid: &str) {
        self.lock().remove(cid);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        // A set is whole after every panic.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads what the server writes in the v1 form.
fn decode<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    v1::from_slice(text).map_err(|error| Error::Decode {
        status: 200,
        path: ".".to_owned(),
        problem: error.to_string(),
    })
}

/// Writes a value in the v1 form.
fn in_v1(value: &impl Serialize) -> Result<Value, Error> {
    v1::to_value(value).map_err(|error| Error::request(error.to_string()))
}
