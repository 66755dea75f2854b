use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use natterjack_protocol::Timestamp;

use super::frame::Frame;
use super::outbox::Outbox;
use crate::auth::Term;

/// An open connection of a user: a socket, or a client that polls.
#[derive(Debug)]
pub(crate) struct Connection {
    /// What clients name it by.
    pub(crate) id: String,
    pub(crate) app_pk: i64,
    pub(crate) user_id: Arc<str>,
    pub(crate) is_anonymous: bool,
    /// For how long the token holds by which it was opened; `None` for who has none.
    pub(super) term: Option<Term>,
    pub(super) peer: Option<IpAddr>,
    pub(super) outbox: Outbox,
    /// Whether its client polls instead of holding a socket.
    pub(super) polls: bool,
    interests: Mutex<Interests>,
    /// When the client was heard of last, and when it was last sent a health check, in nanoseconds.
    heard_at: AtomicI64,
    checked_at: AtomicI64,
}

/// What a connection asked to be told about.
#[derive(Debug, Default)]
pub(super) struct Interests {
    /// Channels that it watches.
    pub(super) channels: HashSet<i64>,
    /// Users whose presence it asked for.
    pub(super) users: HashSet<Arc<str>>,
}

impl Connection {
    pub(super) fn new(
        app_pk: i64,
        user_id: &str,
        is_anonymous: bool,
        term: Option<Term>,
        peer: Option<IpAddr>,
        polls: bool,
        now: Timestamp,
    ) -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            app_pk,
            user_id: user_id.into(),
            is_anonymous,
            term,
            peer,
            outbox: Outbox::default(),
            polls,
            interests: Mutex::default(),
            heard_at: AtomicI64::new(now.nanoseconds()),
            checked_at: AtomicI64::new(now.nanoseconds()),
        }
    }

    /// What it asked for. The hub changes it under its own lock.
    pub(super) fn interests(&self) -> MutexGuard<'_, Interests> {
        self.interests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a frame. One that does not keep up is closed.
    pub(super) fn send(&self, frame: Frame) {
        if self.outbox.push(frame) {
            self.outbox.flush();
        }
    }

    /// Ends the connection after what is queued.
    pub(crate) fn close(&self, close: Close) {
        self.outbox.close(close);
    }

    pub(super) fn note_heard(&self, now: Timestamp) {
        self.heard_at.store(now.nanoseconds(), Ordering::Relaxed);
    }

    /// Nanoseconds since the client was heard of.
    pub(super) fn silence(&self, now: Timestamp) -> i64 {
        now.nanoseconds() - self.heard_at.load(Ordering::Relaxed)
    }

    /// Whether a health check is due; notes that it is sent.
    pub(super) fn is_check_due(&self, now: Timestamp, interval_nanoseconds: i64) -> bool {
        let due = now.nanoseconds() - self.checked_at.load(Ordering::Relaxed) >= interval_nanoseconds;
        if due {
            self.checked_at.store(now.nanoseconds(), Ordering::Relaxed);
        }
        due
    }
}

/// Why a connection is closed by the server. Clients come back after any code but 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    /// The client wants it, or the user may not be connected any more.
    Normal,
    /// The server stops.
    GoingAway,
    /// What the client sent is no WebSocket.
    Protocol,
    /// The client sent a text that is not UTF-8.
    NotText,
    /// The client sent more than is read of it.
    TooBig,
    /// The token does not hold, or not any longer.
    Token,
    /// The client does not read what is sent to it.
    TooSlow,
    /// The client was not heard of for too long.
    Idle,
    /// There are too many connections.
    TooMany,
    /// What the client was to be told could not be read.
    Missed,
}

impl Close {
    /// Number and reason in the closing frame.
    pub(super) const fn code(self) -> (u16, &'static str) {
        match self {
            Self::Normal => (1000, ""),
            Self::GoingAway => (1001, "the server stops"),
            Self::Protocol => (1002, "not a WebSocket frame"),
            Self::NotText => (1007, "not UTF-8"),
            Self::TooBig => (1009, "too long"),
            Self::Token => (4001, "the token does not hold"),
            Self::TooSlow => (4002, "events are not read fast enough"),
            Self::Idle => (4003, "no sign of life"),
            Self::TooMany => (4004, "too many connections"),
            Self::Missed => (4005, "events could not be read"),
        }
    }
}
