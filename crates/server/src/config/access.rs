use std::collections::HashMap;

use anyhow::{Context, bail};
use axum::http::HeaderValue;
use serde::Deserialize;

use crate::limits::CONNECTIONS_PER_ADDRESS_DEFAULT;
use crate::proxies::TrustedProxies;

/// Who may call from where, and how often.
#[derive(Debug, Clone)]
pub struct Access {
    /// Origins of the pages that may call; `None` are all.
    pub allowed_origins: Option<Vec<HeaderValue>>,
    /// Open connections of one address: an IPv4 address or a /64 network of IPv6.
    pub connections_per_address: usize,
    /// Whose word is taken for where a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// How many calls are allowed.
    pub rate_limits: RateLimitSettings,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            allowed_origins: None,
            connections_per_address: CONNECTIONS_PER_ADDRESS_DEFAULT,
            trusted_proxies: TrustedProxies::default(),
            rate_limits: RateLimitSettings::default(),
        }
    }
}

/// How many calls are allowed: the table `rate_limits` of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitSettings {
    /// Whether calls beyond the limits are refused.
    pub enabled: bool,
    /// Calls of each user to each operation within a minute. Servers have no such limit.
    pub per_user: u64,
    /// Calls of each platform of an app within a minute, by operation (`SendMessage`), where it is not the documented
    /// number.
    pub operations: HashMap<String, u64>,
}

impl Default for RateLimitSettings {
    fn default() -> Self {
        Self { enabled: false, per_user: 60, operations: HashMap::new() }
    }
}

/// Reads origins separated by commas; `*` are all.
pub(super) fn allowed_origins(text: Option<&str>) -> anyhow::Result<Option<Vec<HeaderValue>>> {
    let Some(text) = text.filter(|text| text.trim() != "*") else { return Ok(None) };
    let origin = |text: &str| {
        let is_origin = text.starts_with("http://") || text.starts_with("https://");
        if !is_origin || text.ends_with('/') {
            bail!("allowed-origins: {text:?} is not an origin, such as https://chat.example.org");
        }
        HeaderValue::from_str(text).with_context(|| format!("allowed-origins: {text:?}"))
    };
    text.split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(origin)
        .collect::<Result<_, _>>()
        .map(Some)
}
