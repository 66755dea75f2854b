use std::time::{Duration, SystemTime};

use natterjack_protocol::Timestamp;

use crate::Error;

/// When a failed call is made again, and how long to wait before.
///
/// A call is repeated when its error [may go away](Error::is_retryable) and repeating it is safe:
///
/// - an operation that [may be repeated](natterjack_protocol::Operation::REPEATABLE) always;
/// - any other only when the server certainly did not carry it out: no connection was made, or it refused the call
///   (rate limit). After a timeout, a broken connection or a server error the call is not sent again.
///
/// The wait is random between nothing and `base_delay × 2ⁿ`, at most `max_delay` (full jitter), so that clients
/// that failed together do not come back together. A `Retry-After` of the server takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a call is sent at most, the first time included. `0` counts as `1`.
    pub max_attempts: u32,
    /// The greatest wait before the second attempt; it doubles with each attempt.
    pub base_delay: Duration,
    /// The greatest wait that the client chooses itself.
    pub max_delay: Duration,
    /// The greatest wait that the server may ask for. When it asks for more the call fails at once, since an earlier
    /// attempt would be refused again; the error holds the wait.
    pub max_retry_after: Duration,
}

impl Default for RetryPolicy {
    /// Three attempts, waits of at most 200 ms and 400 ms, 60 s when the server asks for it (one rate-limit window).
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(10),
            max_retry_after: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// Every call is sent once.
    pub fn none() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// How long to wait before the next attempt after `attempts` of them, the last of which gave `error`.
    /// `None` gives up.
    pub(crate) fn wait(&self, attempts: u32, repeatable: bool, error: &Error) -> Option<Duration> {
        if attempts >= self.max_attempts || !error.is_retryable() {
            return None;
        }
        if !repeatable && error.is_outcome_unknown() {
            return None;
        }
        match error.retry_after() {
            Some(wait) if wait > self.max_retry_after => None,
            Some(wait) => Some(wait),
            None => Some(self.jittered(attempts)),
        }
    }

    fn jittered(&self, attempts: u32) -> Duration {
        let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let greatest = self.base_delay.saturating_mul(factor).min(self.max_delay);
        greatest.mul_f64(rand::random_range(0.0..=1.0))
    }
}

/// Reads the value of `Retry-After`: seconds, or a date such as `Sun, 06 Nov 1994 08:49:37 GMT`, of which the past
/// means no wait. `None` when it is neither.
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = u64::try_from(parse_http_date(value)?.nanoseconds()).ok()?;
    let moment = SystemTime::UNIX_EPOCH + Duration::from_nanos(moment);
    Some(moment.duration_since(now).unwrap_or_default())
}

/// Reads the one date form that servers may still send, by turning it into RFC 3339.
fn parse_http_date(value: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_weekday, rest) = value.split_once(", ")?;
    let mut parts = rest.split(' ');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (time, zone) = (parts.next()?, parts.next()?);
    if zone != "GMT" || parts.next().is_some() {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    Timestamp::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{RetryPolicy, parse_retry_after};
    use crate::Error;

    fn refused(status: u16, code: i32, retry_after: Option<Duration>) -> Error {
        Error::Api {
            status,
            code: crate::protocol::ErrorCode::from_number(code),
            message: String::new(),
            retry_after,
            rate_limit: crate::RateLimit::default(),
            body: None,
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        assert_eq!(parse_retry_after("12", now), Some(Duration::from_secs(12)));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(7)));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now), Some(Duration::ZERO));
        for text in ["", "soon", "-1", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"] {
            assert_eq!(parse_retry_after(text, now), None, "{text}");
        }
    }

    #[test]
    fn waits_double_and_stay_below_the_maximum() {
        let policy = RetryPolicy {
            base_delay: Duration::from_millis(100),
            max_delay: Duration::from_millis(150),
            max_attempts: 5,
            ..RetryPolicy::default()
        };
        for _ in 0..50 {
            assert!(policy.jittered(1) <= Duration::from_millis(100));
            assert!(policy.jittered(4) <= Duration::from_millis(150));
        }
        assert!(policy.jittered(u32::MAX) <= Duration::from_millis(150));
    }

    #[test]
    fn only_safe_repetitions_are_made() {
        let policy = RetryPolicy::default();
        assert!(policy.wait(1, true, &refused(500, -1, None)).is_some());
        assert!(policy.wait(1, false, &refused(500, -1, None)).is_none());
        assert!(policy.wait(1, false, &refused(408, 23, None)).is_none());
        assert!(policy.wait(1, true, &refused(400, 4, None)).is_none());
        assert!(policy.wait(3, true, &refused(500, -1, None)).is_none());
        let second = Some(Duration::from_secs(1));
        assert_eq!(policy.wait(1, false, &refused(429, 9, second)), second);
        assert_eq!(policy.wait(1, true, &refused(429, 9, Some(Duration::from_secs(61)))), None);
    }
}
