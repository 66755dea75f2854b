//! Messages and users that users report.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::message_types::MessageResponse;
use crate::users::{UserRequest, UserResponse};
use crate::{Custom, JsonMap, JsonParam, ReportPath, SortParam, Timestamp, operation, query_params};

operation! {
    /// Reports a message or a user. Reporting the same again gives the report another reason. 4 for another kind of
    /// thing, a user who does not exist, or a reason that is too long; 16 for a message that does not exist.
    Flag = "flag", Post "/api/v2/moderation/flag",
        body: FlagRequest, response: FlagItemResponse, repeatable: true,
}

/// What is reported, by whom and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FlagRequest {
    /// The id of the message or user.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub entity_id: String,
    /// `message` or `stream:chat:v1:message`, `user` or `stream:user`.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub entity_type: String,
    /// Who wrote the message. When given, it must be so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_creator_id: Option<String>,
    /// Why, at most 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who reports, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The app's own fields, at most 5 KB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
    /// What a moderator is shown of a thing that this server does not know. Not looked at: messages and users are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation_payload: Option<JsonMap>,
    /// Who reports as an object; created when missing. Excludes `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
    /// The older form of `entity_id` for a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_message_id: Option<String>,
    /// The older form of `entity_id` for a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_user_id: Option<String>,
}

/// The report is recorded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlagItemResponse {
    /// The same for all reports of the same thing.
    pub item_id: String,
    /// The report, when it was made in the older form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<FlagResponse>,
}

operation! {
    /// Takes a report back, in the older form: `target_message_id` or `target_user_id`. 4 when the user has not reported it.
    Unflag = "unflag", Post "/moderation/unflag",
        body: FlagRequest, response: UnflagResponse,
}

/// The report that was taken back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnflagResponse {
    /// The report.
    pub flag: FlagResponse,
}

/// A report in the older form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlagResponse {
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Whether a filter made it.
    pub created_by_automod: bool,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The message that is reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_message_id: Option<String>,
    /// The user who is reported, or who wrote the message.
    pub target_user: Arc<UserResponse>,
    /// Who reports.
    pub user: Arc<UserResponse>,
}

operation! {
    /// Finds reports of messages by a filter. 4 for a field or operator that is not allowed.
    QueryMessageFlags = "query_message_flags", Get "/api/v2/chat/moderation/flags/message",
        query: QueryMessageFlagsQuery, response: QueryMessageFlagsResponse,
}

query_params! {
    /// Carries the question as one JSON object.
    pub struct QueryMessageFlagsQuery {
        /// Filter, order and page.
        pub payload: Option<JsonParam<QueryMessageFlagsPayload>>,
    }
}

/// Filter, order and page of a query for reports of messages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryMessageFlagsPayload {
    /// Greatest number of reports, at most 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many reports to skip, at most 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// True finds reports of deleted messages too, and shows what they said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_deleted_messages: Option<bool>,
    /// The acting user, when a server calls on behalf of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// By `created_at`; left out, newest first.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
    /// Which ones, as a filter object over `channel_cid`, `message_id`, `user_id` (the author), `reporter_id`, `team`,
    /// `reason`, `is_reviewed` and `created_at`; empty means all.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub filter_conditions: JsonMap,
    /// The acting user as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// A page of reports.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryMessageFlagsResponse {
    /// The reports that match.
    #[serde(deserialize_with = "crate::null_default")]
    pub flags: Vec<MessageFlagResponse>,
}

/// A report of a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageFlagResponse {
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether the server made it itself.
    pub created_by_automod: bool,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Why, when that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When a moderator looked at it; absent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Timestamp>,
    /// The app's own fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
    /// What is reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageResponse>,
    /// Who looked at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_by: Option<Arc<UserResponse>>,
    /// Who reported it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
}

operation! {
    /// Finds messages that were reported, each with how often, by a filter; newest first. In the older form only. 4 for a
    /// field or operator that is not allowed.
    QueryFlagReports = "query_flag_reports", Post "/moderation/reports",
        body: QueryFlagReportsRequest, response: QueryFlagReportsResponse, repeatable: true,
}

/// Filter and page of a query for reported messages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryFlagReportsRequest {
    /// Which ones, as a filter object over `report_id`, `message_id`, `channel_cid`, `user_id` (the author), `team`,
    /// `is_reviewed`, `review_result`, `reviewed_by` and `created_at`; empty means all.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub filter_conditions: JsonMap,
    /// Greatest number of messages, at most 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many messages to skip, at most 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
}

/// A page of messages that were reported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueryFlagReportsResponse {
    /// Those that match.
    #[serde(deserialize_with = "crate::null_default")]
    pub flag_reports: Vec<FlagReportResponse>,
}

operation! {
    /// Records what a moderator decided about a message that was reported. Deciding again replaces it. In the older form
    /// only. 4 for a result that is missing or too long; 16 when nothing with this id is reported.
    ReviewFlagReport = "review_flag_report", Patch "/moderation/reports/{id}",
        path: ReportPath, body: ReviewFlagReportRequest, response: ReviewFlagReportResponse,
}

/// What a moderator decided.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ReviewFlagReportRequest {
    /// The decision, 1 to 255 characters of the app's own choice, such as `reviewed`.
    #[serde(default, deserialize_with = "crate::null_default")]
    pub review_result: String,
    /// Who decided, when a server calls; left out, nobody is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The app's own fields, at most 5 KB.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub review_details: JsonMap,
}

/// The reported message with what was decided.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReviewFlagReportResponse {
    /// The message and its reports.
    pub flag_report: FlagReportResponse,
}

/// A message that was reported, by one user or more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlagReportResponse {
    /// The `item_id` of its reports.
    pub id: String,
    /// What is reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageResponse>,
    /// How many users reported it.
    pub flags_count: i64,
    /// Who wrote it.
    pub message_user_id: String,
    /// Where it was written.
    pub channel_cid: String,
    /// When it was reported first.
    pub created_at: Timestamp,
    /// When it was last reported, or decided about.
    pub updated_at: Timestamp,
    /// What a moderator decided; absent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_result: Option<String>,
    /// The app's own fields of the decision.
    #[serde(skip_serializing_if = "JsonMap::is_empty")]
    pub review_details: JsonMap,
    /// When it was decided; absent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Timestamp>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_by: Option<Arc<UserResponse>>,
}
