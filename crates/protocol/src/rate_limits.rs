//! How many calls an app may make.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CommaList, operation, query_params};

operation! {
    /// How many calls to each operation are allowed within a minute, and left of the one that runs.
    GetRateLimits = "get_rate_limits", Get "/api/v2/rate_limits",
        query: GetRateLimitsQuery, response: GetRateLimitsResponse, server_side_only: true,
}

query_params! {
    /// Which limits are asked for. Without a platform, those of all platforms.
    pub struct GetRateLimitsQuery {
        /// Those of servers.
        pub server_side: Option<bool>,
        /// Those of Android apps.
        pub android: Option<bool>,
        /// Those of iOS apps.
        pub ios: Option<bool>,
        /// Those of browsers.
        pub web: Option<bool>,
        /// Those of Unity apps.
        pub unity: Option<bool>,
        /// Operations by their names in CamelCase, such as `SendMessage`; all without any. 4 when one is not known.
        pub endpoints: CommaList,
    }
}

/// Limits by operation (`SendMessage`), for each platform asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GetRateLimitsResponse {
    /// Those of Android apps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub android: Option<BTreeMap<String, LimitInfoResponse>>,
    /// Those of iOS apps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ios: Option<BTreeMap<String, LimitInfoResponse>>,
    /// Those of servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_side: Option<BTreeMap<String, LimitInfoResponse>>,
    /// Those of Unity apps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unity: Option<BTreeMap<String, LimitInfoResponse>>,
    /// Those of browsers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web: Option<BTreeMap<String, LimitInfoResponse>>,
}

/// The limit of an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitInfoResponse {
    /// Calls within a minute.
    pub limit: u64,
    /// Calls left in the minute that runs.
    pub remaining: u64,
    /// When the next minute begins, in seconds since the Unix epoch.
    pub reset: i64,
}
