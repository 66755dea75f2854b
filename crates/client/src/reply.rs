use std::ops::{Deref, DerefMut};

use natterjack_protocol::Timestamp;

/// An operation's answer, with what the server says about the call itself.
///
/// Reads like the answer: `reply.message` is `reply.value().message`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<T> {
    value: T,
    /// How long the server took, as its own text, such as `12.48ms`; empty when it does not say.
    pub duration: String,
    /// What is left of the rate limit.
    pub rate_limit: RateLimit,
    /// HTTP status of the answer.
    pub status: u16,
}

impl<T> Reply<T> {
    pub(crate) const fn new(value: T, duration: String, rate_limit: RateLimit, status: u16) -> Self {
        Self { value, duration, rate_limit, status }
    }

    /// The answer.
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The answer alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// This reply with another answer made from its own.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reply<U> {
        Reply::new(change(self.value), self.duration, self.rate_limit, self.status)
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Reply<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// What an answer's headers say about the rate limit of its operation. Servers without limits leave them out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls allowed in a window (`X-RateLimit-Limit`).
    pub limit: Option<u64>,
    /// Calls left in this window (`X-RateLimit-Remaining`).
    pub remaining: Option<u64>,
    /// When the window ends (`X-RateLimit-Reset`, on the wire in seconds).
    pub reset: Option<Timestamp>,
}

impl RateLimit {
    pub(crate) fn read(headers: &reqwest::header::HeaderMap) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let reset = number("x-ratelimit-reset").and_then(|seconds| i64::try_from(seconds).ok());
        Self {
            limit: number("x-ratelimit-limit"),
            remaining: number("x-ratelimit-remaining"),
            reset: reset.map(|seconds| Timestamp::from_nanoseconds(0).plus_seconds(seconds)),
        }
    }
}
