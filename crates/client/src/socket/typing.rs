//! Says that a user types, no more often than others need to hear it.

use std::time::Duration;

use natterjack_protocol::events::{EventRequest, SendEvent, SendEventRequest};
use natterjack_protocol::{ChannelPath, NoQuery};
use tokio::time::Instant;

use crate::{Client, Error};

/// While a user goes on typing, others are told again after this time. They forget it after
/// [`TYPING_TIME_MAX`](crate::state::TYPING_TIME_MAX).
pub(crate) const REPEAT_AFTER: Duration = Duration::from_secs(2);

/// Whether others know that the user types.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    told_at: Option<Instant>,
}

impl Throttle {
    /// The user pressed a key. True when others have to be told.
    pub(crate) fn keystroke(&mut self, now: Instant) -> bool {
        let is_due =
            self.told_at.is_none_or(|told_at| now.saturating_duration_since(told_at) >= REPEAT_AFTER);
        if is_due {
            self.told_at = Some(now);
        }
        is_due
    }

    /// The user stopped. True when others have to be told.
    pub(crate) fn stop(&mut self) -> bool {
        self.told_at.take().is_some()
    }
}

/// Tells others that the user types, made by [`Socket::typing`](super::Socket::typing).
#[derive(Debug)]
pub struct TypingNotifier {
    client: Client,
    path: ChannelPath,
    parent_id: Option<String>,
    throttle: Throttle,
}

impl TypingNotifier {
    pub(crate) fn new(client: Client, path: ChannelPath, parent_id: Option<String>) -> Self {
        Self { client, path, parent_id, throttle: Throttle::default() }
    }

    /// The user pressed a key. Others are told at once, and again every 2 seconds as long as this is called.
    ///
    /// # Errors
    /// [`Error::Api`] with code 19 when the channel has no typing events. Any other kind of [`Error`].
    pub async fn keystroke(&mut self) -> Result<(), Error> {
        if self.throttle.keystroke(Instant::now()) { self.send("typing.start").await } else { Ok(()) }
    }

    /// The user stopped typing without sending. Does nothing when others have not been told that the user types.
    ///
    /// # Errors
    /// As [`keystroke`](Self::keystroke).
    pub async fn stop(&mut self) -> Result<(), Error> {
        if self.throttle.stop() { self.send("typing.stop").await } else { Ok(()) }
    }

    async fn send(&self, kind: &str) -> Result<(), Error> {
        let event =
            EventRequest { kind: kind.to_owned(), parent_id: self.parent_id.clone(), ..Default::default() };
        let request = SendEventRequest { event };
        self.client.call::<SendEvent>(self.path.clone(), NoQuery, request).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::{REPEAT_AFTER, Throttle};
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn typing_is_told_once_in_a_while_and_its_end_once() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        assert!(!throttle.stop());
        assert!(throttle.keystroke(start));
        assert!(!throttle.keystroke(start + REPEAT_AFTER - Duration::from_millis(1)));
        assert!(throttle.keystroke(start + REPEAT_AFTER));
        assert!(throttle.stop());
        assert!(!throttle.stop());
        assert!(throttle.keystroke(start + REPEAT_AFTER));
    }
}
