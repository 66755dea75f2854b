//! Tasks: work that goes on after the call that asked for it was answered.

use serde::{Deserialize, Serialize};

use crate::{JsonMap, TaskPath, Timestamp, operation};

operation! {
    /// How far a task has come. 16 when there is none with this id; tasks are kept for 30 days.
    GetTask = "get_task", Get "/api/v2/tasks/{id}",
        path: TaskPath, response: GetTaskResponse, server_side_only: true,
}

operation! {
    /// As [`GetTask`], by the name that version 1 has for what exports channels.
    GetExportChannelsStatus = "get_export_channels_status", Get "/export_channels/{id}",
        path: TaskPath, response: GetTaskResponse, server_side_only: true,
}

/// A task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GetTaskResponse {
    /// When it was created.
    pub created_at: Timestamp,
    /// Where it stands: `waiting` or `pending`, `running`, then `completed` or `failed`.
    pub status: String,
    /// The id.
    pub task_id: String,
    /// When it last made progress.
    pub updated_at: Timestamp,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorResult>,
    /// What became of each thing that it is about, as far as it has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<JsonMap>,
}

/// Why a task failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorResult {
    /// What happened, for people to read.
    pub description: String,
    /// The kind of failure.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<String>,
    /// Of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}
