//! When to speak, and when to give the server up.

use std::time::Duration;

use tokio::time::Instant;

/// Time between two health checks of the client.
pub(crate) const PING_EVERY: Duration = Duration::from_secs(25);
/// A connection on which nothing arrives for so long is dead.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(35);

/// The two deadlines of a connection.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    ping_at: Instant,
    dead_at: Instant,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Nothing yet.
    Wait,
    /// A health check.
    Ping,
    /// Nothing arrived for [`SILENCE_MAX`].
    Dead,
}

impl Heartbeat {
    pub(crate) fn new(now: Instant) -> Self {
        Self { ping_at: now + PING_EVERY, dead_at: now + SILENCE_MAX }
    }

    /// Something arrived, or could not have arrived because nobody looked.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.dead_at = now + SILENCE_MAX;
    }

    /// When to look again.
    pub(crate) fn next(&self) -> Instant {
        self.ping_at.min(self.dead_at)
    }

    /// What is due now. A ping is due once.
    pub(crate) fn due(&mut self, now: Instant) -> Beat {
        if now >= self.dead_at {
            Beat::Dead
        } else if now >= self.ping_at {
            self.ping_at = now + PING_EVERY;
            Beat::Ping
        } else {
            Beat::Wait
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Beat, Heartbeat, PING_EVERY, SILENCE_MAX};
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn pings_are_due_every_25_seconds_and_silence_ends_after_35() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        assert_eq!(heartbeat.due(start + Duration::from_secs(24)), Beat::Wait);
        assert_eq!(heartbeat.next(), start + PING_EVERY);
        assert_eq!(heartbeat.due(start + PING_EVERY), Beat::Ping);
        assert_eq!(heartbeat.due(start + PING_EVERY), Beat::Wait);
        assert_eq!(heartbeat.next(), start + SILENCE_MAX);
        heartbeat.heard(start + Duration::from_secs(26));
        assert_eq!(heartbeat.next(), start + 2 * PING_EVERY);
        assert_eq!(heartbeat.due(start + 2 * PING_EVERY), Beat::Ping);
        assert_eq!(heartbeat.due(start + Duration::from_secs(26) + SILENCE_MAX), Beat::Dead);
    }
}
