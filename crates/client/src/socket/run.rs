//! The task behind a socket: reads frames, keeps the connection alive, and makes a new one when it ends.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use natterjack_protocol::ErrorCode;
use natterjack_protocol::events::Event;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::backoff::Backoff;
use super::heartbeat::{Beat, Heartbeat};
use super::link::{self, Answer, Arrival, Opened, Replay, Server, open};
use super::outbox::Outbox;
use super::seen::Seen;
use super::{ConnectOptions, Shared, Update};
use crate::Error;

/// Events that wait for the end of a replay. With more nothing is read until it has ended.
const HELD_MAX: usize = 10_000;

/// Runs a socket from its first connection to its end.
pub(crate) struct Runner<S> {
    server: Arc<S>,
    shared: Arc<Shared>,
    outbox: Outbox,
    backoff: Backoff,
    seen: Seen,
}

/// Why a connection is no more.
enum End {
    /// The caller wants no more, or is gone.
    Closed,
    /// The server wants the client to stay away.
    Dismissed(Error),
    /// Anything else: a new connection may do.
    Lost(String),
}

impl<S: Server> Runner<S> {
    pub(crate) fn new(
        server: Arc<S>,
        shared: Arc<Shared>,
        sender: mpsc::Sender<Update>,
        options: &ConnectOptions,
    ) -> Self {
        Self {
            server,
            shared,
            outbox: Outbox::new(sender),
            backoff: Backoff::new(options.reconnect_delay_base, options.reconnect_delay_max),
            seen: Seen::default(),
        }
    }

    /// Runs until the caller or the server ends it.
    pub(crate) async fn run(mut self, first: Opened) {
        self.seen = Seen::starting_at(first.at);
        let mut opened = first;
        let mut is_first = true;
        loop {
            let started = Instant::now();
            let end = self.serve(opened, is_first).await;
            self.shared.set_status(None);
            self.backoff.ended(started, Instant::now());
            let reason = match end {
                End::Closed => return,
                End::Dismissed(error) => return self.finish(error).await,
                End::Lost(reason) => reason,
            };
            opened = match self.reconnect(reason).await {
                Some(Ok(opened)) => opened,
                Some(Err(error)) => return self.finish(error).await,
                None => return,
            };
            is_first = false;
        }
    }

    /// Tells the caller why there will be no more.
    async fn finish(&mut self, error: Error) {
        self.outbox.push(Update::Closed { error });
        while !self.outbox.is_empty() && self.outbox.hand_over().await {}
    }

    /// Makes a new connection, however often it takes. `None` when the caller wants no more.
    async fn reconnect(&mut self, mut reason: String) -> Option<Result<Opened, Error>> {
        loop {
            let retry_in = self.backoff.wait(rand::random());
            self.outbox.push(Update::Disconnected { reason, retry_in });
            self.meanwhile(sleep(retry_in)).await?;
            let server = Arc::clone(&self.server);
            match self.meanwhile(open(server.as_ref())).await? {
                Ok(opened) => return Some(Ok(opened)),
                Err(error) if is_final(&error) => return Some(Err(error)),
                Err(error) => reason = error.to_string(),
            }
        }
    }

    /// Waits for something while the caller takes what waits. `None` when the caller wants no more.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let shared = Arc::clone(&self.shared);
        let mut closing = pin!(shared.closing());
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                () = &mut closing => return None,
                there = self.outbox.hand_over() => if !there { return None },
            }
        }
    }

    /// Serves one connection to its end.
    async fn serve(&mut self, opened: Opened, is_first: bool) -> End {
        let Opened { mut link, connection_id, me, .. } = opened;
        let server = Arc::clone(&self.server);
        let mut replay = None;
        if !is_first {
            self.outbox.push(Update::Reconnected { me: Box::new(me.clone()) });
            replay = Some(self.replay(&server, &connection_id));
        }
        self.shared.set_status(Some((connection_id, me)));
        let end = self.converse(&mut link, replay).await;
        if matches!(end, End::Closed) {
            let close = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            // The server closes the connection without it, too, only later.
            drop(tokio::time::timeout(std::time::Duration::from_secs(1), link.close(Some(close))).await);
        }
        end
    }

    fn replay<'s>(&self, server: &'s Arc<S>, connection_id: &str) -> Answer<'s, Replay> {
        let cids = self.shared.watched();
        match self.seen.replay_from() {
            Some(since) if !cids.is_empty() => server.recover(connection_id.to_owned(), cids, since),
            _ => Box::pin(std::future::ready(Ok(Replay::default()))),
        }
    }

    async fn converse(&mut self, link: &mut link::Link, mut replay: Option<Answer<'_, Replay>>) -> End {
        let mut heartbeat = Heartbeat::new(Instant::now());
        let shared = Arc::clone(&self.shared);
        let mut closing = pin!(shared.closing());
        let mut held: VecDeque<Box<Event>> = VecDeque::new();
        loop {
            let reads = if replay.is_some() { held.len() < HELD_MAX } else { self.outbox.is_empty() };
            if !reads {
                heartbeat.heard(Instant::now());
            }
            tokio::select! {
                () = &mut closing => return End::Closed,
                there = self.outbox.hand_over() => if !there { return End::Closed },
                frame = link.next(), if reads => match link::read(frame) {
                    Arrival::Event(event) => {
                        heartbeat.heard(Instant::now());
                        if replay.is_some() { held.push_back(event) } else { self.pass_on(event) }
                    }
                    Arrival::Nothing => heartbeat.heard(Instant::now()),
                    Arrival::Unreadable(problem) => {
                        heartbeat.heard(Instant::now());
                        self.outbox.push(Update::Unreadable { problem });
                    }
                    Arrival::Refused(error) => return self.refused(error),
                    Arrival::Ended(reason, true) => return End::Dismissed(link::broken(reason)),
                    Arrival::Ended(reason, false) => return End::Lost(reason),
                },
                () = sleep_until(heartbeat.next()) => match heartbeat.due(Instant::now()) {
                    Beat::Wait => {}
                    Beat::Ping => if let Err(reason) = link::send(link, self.shared.health_check()).await {
                        return End::Lost(reason);
                    },
                    Beat::Dead => return End::Lost("nothing was heard for 35 seconds".to_owned()),
                },
                replayed = wait_for(&mut replay) => {
                    replay = None;
                    match replayed {
                        Ok(replayed) => self.replayed(replayed, std::mem::take(&mut held)),
                        Err(error) => return End::Lost(error.to_string()),
                    }
                }
            }
        }
    }

    /// The server ends the connection with an error: with another token a new one may do. The signature was good when the
    /// connection was made; if it is not any longer, the secret is another one.
    fn refused(&self, error: Error) -> End {
        let is_of_token = matches!(error.code(), Some(ErrorCode::TokenExpired | ErrorCode::TokenSignature));
        if is_of_token && self.server.expire_token() || !is_final(&error) {
            End::Lost(error.to_string())
        } else {
            End::Dismissed(error)
        }
    }

    /// What was missed comes before what has happened since.
    fn replayed(&mut self, replay: Replay, held: VecDeque<Box<Event>>) {
        for cid in &replay.inaccessible {
            self.shared.forget(cid);
        }
        for event in replay.events.into_iter().map(Box::new).chain(held) {
            self.pass_on(event);
        }
        self.outbox.push(Update::Recovered { missed: replay.missed, inaccessible: replay.inaccessible });
    }

    fn pass_on(&mut self, event: Box<Event>) {
        if event.kind != "health.check" && self.seen.is_new(&event) {
            self.outbox.push(Update::Event(event));
        }
    }
}

/// Waits for ever when there is nothing to wait for.
async fn wait_for<T>(work: &mut Option<Answer<'_, T>>) -> Result<T, Error> {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

/// Whether another attempt will be refused as well.
fn is_final(error: &Error) -> bool {
    match error {
        Error::Api { .. } => !error.is_retryable(),
        Error::Config { .. } | Error::Request { .. } => true,
        _ => false,
    }
}
