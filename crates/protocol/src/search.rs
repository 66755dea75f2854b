//! Full-text search over messages.

use serde::{Deserialize, Serialize};

use crate::message_types::MessageResponse;
use crate::{JsonMap, JsonParam, SortParam, operation, query_params};

operation! {
    /// Finds messages in the channels that a filter selects. 4 for a filter or page that is not allowed.
    Search = "search", Get "/api/v2/chat/search",
        query: SearchQuery, response: SearchResponse,
}

query_params! {
    /// Carries the question as one JSON object.
    pub struct SearchQuery {
        /// Channels, words, order and page.
        pub payload: Option<JsonParam<SearchPayload>>,
    }
}

/// Channels, words, order and page of a search.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchPayload {
    /// Which channels, as a filter object.
    #[serde(deserialize_with = "crate::null_default")]
    pub filter_conditions: JsonMap,
    /// Picks the hosted service's default search engine; has no effect here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_default_search: Option<bool>,
    /// Picks one of the hosted service's search engines; has no effect here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_sql_v2_backend: Option<bool>,
    /// Greatest number of results, at most 100, 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Where to go on: `next` or `previous` of an earlier answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many results to skip, at most 1000. Excludes `sort` and `next`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Words to find. Excludes `message_filter_conditions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Order of the results. Excludes `offset`.
    #[serde(default, deserialize_with = "crate::sort_list", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
    /// Which messages, as a filter object. Excludes `query`.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub message_filter_conditions: JsonMap,
    /// What to add to the messages found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_options: Option<MessageOptions>,
}

/// What to add to the messages found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageOptions {
    /// True adds the users who replied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_thread_participants: Option<bool>,
    /// Keys of the sender's member data to copy into each message's `member.custom`: at most 8, of 64
    /// characters each.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub member_custom_include: Vec<String>,
}

/// One page of results.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchResponse {
    /// In the order asked for.
    #[serde(deserialize_with = "crate::null_default")]
    pub results: Vec<SearchResult>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Cursor of the page before; absent on the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// What was left out of the search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results_warning: Option<SearchWarning>,
}

/// A message found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchResult {
    /// Its `channel` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageResponse>,
}

/// A message found, its `channel` set.
pub type SearchResultMessage = MessageResponse;

/// Says that not every channel was searched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchWarning {
    /// Number of the warning.
    pub warning_code: i64,
    /// What was left out, for people to read.
    pub warning_description: String,
    /// Number of channels that the warning is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_search_count: Option<i64>,
    /// The channels that the warning is about, as `<type>:<id>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_search_cids: Option<Vec<String>>,
}
