//! Limits on the number of calls: by app, operation and platform, and by user. They are enforced where the operator
//! switches them on; calls are counted, and told in the headers that clients expect, in any case.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use natterjack_protocol::Timestamp;
use natterjack_protocol::rate_limits::LimitInfoResponse;

use crate::api::number_header;
use crate::auth::{Caller, Who};
use crate::config::RateLimitSettings;
use crate::error::Error;
use crate::limits::{RATE_LIMIT_WINDOWS_MAX, RATE_LIMITED_USERS_MAX};

/// Length of a window, in seconds.
const WINDOW_SECONDS: i64 = 60;
/// The part of a window's calls that may come within one second.
const BURST_PART: u64 = 30;

/// The documented number of calls to an operation within a window.
fn calls_per_window(operation: &str) -> u64 {
    match operation {
        "GetOrCreateChannel"
        | "GetOrCreateDistinctChannel"
        | "GetChannel"
        | "MarkRead"
        | "MarkChannelsRead"
        | "GetApp"
        | "QueryChannels"
        | "SendEvent" => 10_000,
        "Search"
        | "QueryMembers"
        | "MuteChannel"
        | "UnmuteChannel"
        | "UpdateChannel"
        | "UpdateChannelPartial"
        | "UpdateMemberPartial"
        | "HideChannel"
        | "ShowChannel"
        | "UpdateUsers"
        | "UpdateUsersPartial"
        | "RestoreUsers"
        | "Ban"
        | "Unban"
        | "Mute"
        | "Unmute"
        | "Flag" => 300,
        "UpdateApp" | "ListChannelTypes" | "GetChannelType" | "CreateChannelType" | "UpdateChannelType"
        | "DeleteChannelType" | "TruncateChannel" | "DeleteChannel" | "DeleteChannels" | "DeleteUsers"
        | "DeactivateUser" | "DeactivateUsers" | "ReactivateUser" | "ReactivateUsers" => 60,
        _ => 1000,
    }
}

/// What kind of program calls. Each has windows of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Platform {
    ServerSide,
    Android,
    Ios,
    Web,
    Unity,
}

impl Platform {
    /// The platform of a caller, by what its library says about itself (`X-Stream-Client`). Whoever has a server token is
    /// a server; what is not known counts as a browser.
    pub(crate) fn of(caller: &Caller, library: Option<&str>) -> Self {
        if caller.is_server() {
            return Self::ServerSide;
        }
        let library = library.unwrap_or_default().to_ascii_lowercase();
        let names = |words: &[&str]| words.iter().any(|word| library.contains(word));
        if names(&["unity"]) {
            Self::Unity
        } else if names(&["android", "kotlin"]) {
            Self::Android
        } else if names(&["ios", "swift"]) {
            Self::Ios
        } else {
            Self::Web
        }
    }
}

/// What a caller has left, for the headers of the answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    info: LimitInfoResponse,
    /// When the call is refused: seconds until one may be allowed.
    retry_after: Option<u64>,
}

impl Standing {
    /// The error of a call that is one too many.
    pub(crate) fn check(&self, operation: &str) -> Result<(), Error> {
        match self.retry_after {
            None => Ok(()),
            Some(seconds) => Err(Error::caller(
                natterjack_protocol::ErrorCode::RateLimited,
                format!("Too many requests to {operation}, try again in {seconds} seconds"),
            )),
        }
    }

    /// Writes the headers that tell clients their limit, what is left of it, and when it starts anew.
    pub(crate) fn write_headers(&self, headers: &mut HeaderMap) {
        headers.extend(
            [
                number_header("x-ratelimit-limit", self.info.limit),
                number_header("x-ratelimit-remaining", self.info.remaining),
                number_header("x-ratelimit-reset", u64::try_from(self.info.reset).unwrap_or_default()),
            ]
            .map(|(name, value)| (Some(name), value)),
        );
        if let Some(seconds) = self.retry_after {
            let (name, value) = number_header("retry-after", seconds);
            headers.insert(name, value);
        }
    }
}

/// Counts the calls of the minute that runs.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    settings: RateLimitSettings,
    windows: Mutex<Windows>,
}

/// All windows begin and end with the minute, so what was counted is dropped as a whole. Beyond the greatest number of
/// entries further callers are not counted.
#[derive(Debug, Default)]
struct Windows {
    minute: i64,
    apps: HashMap<(i64, &'static str, Platform), Count>,
    users: HashMap<(i64, &'static str, String), u64>,
}

/// The calls of a minute, and those of its newest second.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    calls: u64,
    second: i64,
    in_second: u64,
}

impl RateLimits {
    pub(crate) fn new(settings: RateLimitSettings) -> Self {
        Self { settings, windows: Mutex::default() }
    }

    fn limit(&self, operation: &str) -> u64 {
        self.settings.operations.get(operation).copied().unwrap_or_else(|| calls_per_window(operation))
    }

    /// What everybody has who made no call yet.
    pub(crate) fn untouched(&self, operation: &str, now: Timestamp) -> Standing {
        let limit = self.limit(operation);
        Standing { info: LimitInfoResponse { limit, remaining: limit, reset: reset(now) }, retry_after: None }
    }

    /// Counts a call, unless it is one too many: of the app's minute, of its second, or of the user's minute.
    pub(crate) fn take(
        &self,
        caller: &Caller,
        operation: &'static str,
        platform: Platform,
        now: Timestamp,
    ) -> Standing {
        let mut standing = self.untouched(operation, now);
        let limit = standing.info.limit;
        let second = seconds(now);
        let rest_of_minute = u64::try_from(standing.info.reset - second).unwrap_or(1).max(1);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let windows = windows.of(now);

        let user = match &caller.who {
            Who::User(id) if self.settings.enabled => {
                Some((caller.app.pk, operation, id.as_str().to_owned()))
            }
            Who::User(_) | Who::Server | Who::Anonymous => None,
        };
        let used = user.as_ref().and_then(|user| windows.users.get(user)).copied().unwrap_or_default();
        let key = (caller.app.pk, operation, platform);
        let mut count = windows.apps.get(&key).copied().unwrap_or_default();
        if count.second != second {
            (count.second, count.in_second) = (second, 0);
        }
        let user_is_done = user.is_some() && used >= self.settings.per_user;
        standing.retry_after = if !self.settings.enabled {
            None
        } else if count.calls >= limit || user_is_done {
            Some(rest_of_minute)
        } else if count.in_second >= (limit / BURST_PART).max(1) {
            Some(1)
        } else {
            None
        };
        if standing.retry_after.is_none() {
            count.calls += 1;
            count.in_second += 1;
            if windows.apps.len() < RATE_LIMIT_WINDOWS_MAX || windows.apps.contains_key(&key) {
                windows.apps.insert(key, count);
            }
            if let Some(user) = user
                && (windows.users.len() < RATE_LIMITED_USERS_MAX || windows.users.contains_key(&user))
            {
                windows.users.insert(user, used + 1);
            }
        }
        standing.info.remaining = self.remaining(limit, count.calls);
        standing
    }

    /// What is left of a limit after so many calls. One that is not enforced always leaves a call, so that no client
    /// waits for the next minute.
    fn remaining(&self, limit: u64, calls: u64) -> u64 {
        let least = u64::from(!self.settings.enabled).min(limit);
        limit.saturating_sub(calls).max(least)
    }

    /// What an app has left.
    pub(crate) fn of_app(
        &self,
        app_pk: i64,
        operation: &'static str,
        platform: Platform,
        now: Timestamp,
    ) -> LimitInfoResponse {
        let mut info = self.untouched(operation, now).info;
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = windows.of(now).apps.get(&(app_pk, operation, platform)) {
            info.remaining = self.remaining(info.limit, count.calls);
        }
        info
    }
}

impl Windows {
    /// Those of the minute that runs.
    fn of(&mut self, now: Timestamp) -> &mut Self {
        let minute = seconds(now) / WINDOW_SECONDS;
        if self.minute != minute {
            *self = Self { minute, ..Self::default() };
        }
        self
    }
}

fn seconds(now: Timestamp) -> i64 {
    now.nanoseconds() / 1_000_000_000
}

/// When the window ends, in seconds since the epoch.
fn reset(now: Timestamp) -> i64 {
    (seconds(now) / WINDOW_SECONDS + 1) * WINDOW_SECONDS
}
