//! Polls, as far as they are seen on a message.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::users::UserResponse;
use crate::{Custom, Timestamp};

/// A poll.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PollResponseData {
    /// Whether users may answer in their own words.
    pub allow_answers: bool,
    /// Whether users may add options.
    pub allow_user_suggested_options: bool,
    /// Number of answers in users' own words.
    pub answers_count: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// Id of the creator.
    pub created_by_id: String,
    /// What it is about, in more words.
    pub description: String,
    /// Whether each user has one vote.
    pub enforce_unique_vote: bool,
    /// The id.
    pub id: String,
    /// The question.
    pub name: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Number of votes.
    pub vote_count: i64,
    /// Who sees who voted for what: `public` or `anonymous`.
    pub voting_visibility: String,
    /// Newest first.
    #[serde(deserialize_with = "crate::null_default")]
    pub latest_answers: Vec<PollVoteResponseData>,
    /// What can be voted for.
    #[serde(deserialize_with = "crate::null_default")]
    pub options: Vec<PollOptionResponseData>,
    /// The acting user's.
    #[serde(deserialize_with = "crate::null_default")]
    pub own_votes: Vec<PollVoteResponseData>,
    /// The app's own fields, at most 5 KB.
    pub custom: Custom,
    /// Newest first, by option id.
    #[serde(deserialize_with = "crate::null_default")]
    pub latest_votes_by_option: BTreeMap<String, Vec<PollVoteResponseData>>,
    /// By option id.
    #[serde(deserialize_with = "crate::null_default")]
    pub vote_counts_by_option: BTreeMap<String, i64>,
    /// True when nobody can vote any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_closed: Option<bool>,
    /// Greatest number of votes of one user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_votes_allowed: Option<i64>,
    /// Who created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Arc<UserResponse>>,
}

/// An option of a poll.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PollOptionResponseData {
    /// The id.
    pub id: String,
    /// The text.
    pub text: String,
    /// The app's own fields, at most 5 KB.
    pub custom: Custom,
}

/// A vote, or an answer in a user's own words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PollVoteResponseData {
    /// When it was created.
    pub created_at: Timestamp,
    /// The id.
    pub id: String,
    /// The option voted for; empty for an answer.
    pub option_id: String,
    /// The poll.
    pub poll_id: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_text: Option<String>,
    /// True for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_answer: Option<bool>,
    /// Who voted; absent in an anonymous poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Who voted, as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
}
