//! How long to wait before the next attempt.

use std::time::Duration;

use tokio::time::Instant;

/// A connection that lasted so long was a good one: the next failure is the first again.
const GOOD_AFTER: Duration = Duration::from_secs(10);

/// Counts failures in a row.
#[derive(Debug)]
pub(crate) struct Backoff {
    base: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(base: Duration, max: Duration) -> Self {
        Self { base, max, failures: 0 }
    }

    /// A connection that began at `since` has ended.
    pub(crate) fn ended(&mut self, since: Instant, now: Instant) {
        if now.saturating_duration_since(since) >= GOOD_AFTER {
            self.failures = 0;
        }
    }

    /// How long to wait now. `luck`, from 0 to 1, spreads clients that lost their connections together; nobody waits
    /// less than half of the time, so that a server that is down is left alone.
    pub(crate) fn wait(&mut self, luck: f64) -> Duration {
        let factor = 2_u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        let greatest = self.base.saturating_mul(factor).min(self.max);
        greatest.mul_f64(0.5 + luck.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn waits_double_up_to_the_maximum_and_begin_again_after_a_good_connection() {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(3));
        let waits: Vec<u128> = (0..5).map(|_| backoff.wait(1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 3000, 3000]);
        let start = Instant::now();
        backoff.ended(start, start + Duration::from_secs(9));
        assert_eq!(backoff.wait(0.0), Duration::from_millis(1500));
        backoff.ended(start, start + Duration::from_secs(10));
        assert_eq!(backoff.wait(0.0), Duration::from_millis(250));
    }
}
