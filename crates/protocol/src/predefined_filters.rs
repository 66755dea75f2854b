//! Filters and orders that are stored under a name, with placeholders that a query fills in.

use serde::{Deserialize, Serialize};

use crate::{JsonMap, PredefinedFilterPath, SortParam, Timestamp, operation};

operation! {
    /// The app's stored filters, by name.
    ListPredefinedFilters = "list_predefined_filters", Get "/api/v2/chat/predefined_filters",
        response: ListPredefinedFiltersResponse, server_side_only: true,
}

operation! {
    /// Stores a filter. 4 when the name is taken, the filter is not valid, or the app has 100 of them.
    CreatePredefinedFilter = "create_predefined_filter", Post "/api/v2/chat/predefined_filters",
        body: CreatePredefinedFilterRequest, response: PredefinedFilterResponse, server_side_only: true,
}

operation! {
    /// One stored filter. 16 when there is none of that name.
    GetPredefinedFilter = "get_predefined_filter", Get "/api/v2/chat/predefined_filters/{name}",
        path: PredefinedFilterPath, response: PredefinedFilterResponse, server_side_only: true,
}

operation! {
    /// Replaces a stored filter: a sort and a description that are not given vanish. 16 when there is none of that name.
    UpdatePredefinedFilter = "update_predefined_filter", Put "/api/v2/chat/predefined_filters/{name}",
        path: PredefinedFilterPath, body: UpdatePredefinedFilterRequest, response: PredefinedFilterResponse, server_side_only: true,
}

operation! {
    /// Removes a stored filter. 16 when there is none of that name.
    DeletePredefinedFilter = "delete_predefined_filter", Delete "/api/v2/chat/predefined_filters/{name}",
        path: PredefinedFilterPath, response: DeletePredefinedFilterResponse, server_side_only: true,
}

/// The operation that stored filters are for.
pub const QUERY_CHANNELS: &str = "QueryChannels";

/// A filter to be stored.
///
/// The values in `filter` and the fields in `sort` may hold placeholders, `{{name}}`. One that is the whole of a text is
/// replaced by the value that the query gives, of whatever type; one within a text by the value as text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CreatePredefinedFilterRequest {
    /// Its name, 1 to 255 letters, digits, `_` and `-`. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for: [`QUERY_CHANNELS`]. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The filter. Required; at most 16 KiB together with `sort`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<JsonMap>,
    /// Order, at most 5 entries.
    #[serde(deserialize_with = "crate::sort_list", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
    /// For people, at most 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a stored filter becomes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdatePredefinedFilterRequest {
    /// What it is for: [`QUERY_CHANNELS`], which it is when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The filter. Required; at most 16 KiB together with `sort`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<JsonMap>,
    /// Order, at most 5 entries.
    #[serde(deserialize_with = "crate::sort_list", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
    /// For people, at most 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A stored filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PredefinedFilter {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub operation: String,
    /// The filter, placeholders and all.
    #[serde(deserialize_with = "crate::null_default")]
    pub filter: JsonMap,
    /// The order.
    #[serde(deserialize_with = "crate::sort_list")]
    pub sort: Vec<SortParam>,
    /// For people; empty when none was given.
    pub description: String,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was last replaced.
    pub updated_at: Timestamp,
}

/// One stored filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PredefinedFilterResponse {
    /// The filter.
    pub predefined_filter: PredefinedFilter,
}

/// The app's stored filters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListPredefinedFiltersResponse {
    /// By name.
    #[serde(deserialize_with = "crate::null_default")]
    pub predefined_filters: Vec<PredefinedFilter>,
}

/// The filter is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeletePredefinedFilterResponse {}
