//! Limits on the number of calls. They are not enforced yet on servers, who have no limit of their own; the headers
//! that clients expect are always there.

use axum::http::HeaderMap;
use natterjack_protocol::{Operation, Timestamp};

use crate::api::number_header;

/// Length of a window, in seconds.
const WINDOW_SECONDS: i64 = 60;

/// The documented number of calls to an operation within a window.
const fn calls_per_window(operation: &str) -> u64 {
    match operation.as_bytes() {
        b"get_or_create_channel"
        | b"get_or_create_distinct_channel"
        | b"get_channel"
        | b"mark_read"
        | b"get_app"
        | b"query_channels" => 10_000,
        b"search"
        | b"query_members"
        | b"mute_channel"
        | b"ban"
        | b"unban"
        | b"mute"
        | b"unmute"
        | b"flag"
        | b"unmute_channel"
        | b"update_channel"
        | b"update_channel_partial"
        | b"update_member_partial"
        | b"hide_channel"
        | b"show_channel"
        | b"update_users"
        | b"update_users_partial"
        | b"restore_users" => 300,
        b"update_app"
        | b"list_channel_types"
        | b"get_channel_type"
        | b"create_channel_type"
        | b"update_channel_type"
        | b"delete_channel_type"
        | b"truncate_channel"
        | b"delete_channel"
        | b"delete_channels"
        | b"delete_users"
        | b"deactivate_user"
        | b"deactivate_users"
        | b"reactivate_user"
        | b"reactivate_users" => 60,
        _ => 1000,
    }
}

/// Writes the headers that tell clients their limit, what is left of it, and when it starts anew.
pub(crate) fn write_headers<O: Operation>(headers: &mut HeaderMap, now: Timestamp) {
    let limit = const { calls_per_window(O::ID) };
    let seconds = now.nanoseconds() / 1_000_000_000;
    let reset = (seconds / WINDOW_SECONDS + 1) * WINDOW_SECONDS;
    headers.extend(
        [
            number_header("x-ratelimit-limit", limit),
            number_header("x-ratelimit-remaining", limit),
            number_header("x-ratelimit-reset", u64::try_from(reset).unwrap_or_default()),
        ]
        .map(|(name, value)| (Some(name), value)),
    );
}
