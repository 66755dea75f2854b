//! Members of channels.

use std::fmt;
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::users::{UserRequest, UserResponse};
use crate::{
    ChannelPath, Custom, JsonMap, JsonParam, MemberPath, SortParam, Timestamp, operation, query_params, v1,
};

operation! {
    /// Finds members of one channel, named by `id` or, when distinct, by its members. 4 for a field or
    /// operator that is not allowed.
    QueryMembers = "query_members", Get "/api/v2/chat/members",
        query: QueryMembersQuery, response: MembersResponse,
}

query_params! {
    /// Carries the question as one JSON object.
    pub struct QueryMembersQuery {
        /// Channel, filter, order and page.
        pub payload: Option<JsonParam<QueryMembersPayload>>,
    }
}

/// Channel, filter, order and page of a member query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueryMembersPayload {
    /// The channel type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which ones, as a filter object; empty means all.
    #[serde(deserialize_with = "crate::null_default")]
    pub filter_conditions: JsonMap,
    /// Id within the type; left out for a distinct channel named by `members`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Greatest number of members, at most 100, 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many members to skip, at most 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// The acting user, when a server calls on behalf of one. Excludes `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Only members whose user's id comes before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id_lt: Option<String>,
    /// The same, with the one who has this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id_lte: Option<String>,
    /// Only members whose user's id comes after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id_gt: Option<String>,
    /// The same, with the one who has this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id_gte: Option<String>,
    /// Only who became a member before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_before: Option<Timestamp>,
    /// The same, or at this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_before_or_equal: Option<Timestamp>,
    /// Only who became a member after this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_after: Option<Timestamp>,
    /// The same, or at this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at_after_or_equal: Option<Timestamp>,
    /// The members that make up a distinct channel.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<ChannelMemberRequest>,
    /// Order, at most 5 entries.
    #[serde(default, deserialize_with = "crate::sort_list", skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<SortParam>,
    /// The acting user as an object, when a server calls on behalf of one; created when missing. Excludes
    /// `user_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

/// The members found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MembersResponse {
    /// In the order asked for.
    #[serde(deserialize_with = "crate::null_default")]
    pub members: Vec<ChannelMemberResponse>,
}

operation! {
    /// Changes single fields of a membership; what is named neither in `set` nor in `unset` stays. 4 for a user
    /// who is not a member and for reserved fields such as `banned`, 22 when the custom data grows above 5 KB.
    UpdateMemberPartial = "update_member_partial", Patch "/api/v2/chat/channels/{type}/{id}/member",
        path: ChannelPath,
        query: UpdateMemberPartialQuery,
        body: UpdateMemberPartialRequest,
        response: UpdateMemberPartialResponse,
        repeatable: true,
}

operation! {
    /// [`UpdateMemberPartial`] as version 1 also has it: the path names the member.
    UpdateMemberPartialByPath = "update_member_partial", Patch "/channels/{type}/{id}/member/{user_id}",
        path: MemberPath,
        body: UpdateMemberPartialRequest,
        response: UpdateMemberPartialResponse,
        repeatable: true,
        named: "UpdateMemberPartial",
}

query_params! {
    /// Which member.
    pub struct UpdateMemberPartialQuery {
        /// Whose membership, when a server calls.
        pub user_id: Option<String>,
    }
}

/// Which fields of a membership change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateMemberPartialRequest {
    /// Fields that go back to what they are for a new member. Unknown ones are passed over.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// New values by field: `pinned` and `archived` are true or false, `channel_role` is a role of channels, all
    /// others are paths into custom data.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "JsonMap::is_empty")]
    pub set: JsonMap,
}

/// The membership after the change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateMemberPartialResponse {
    /// The member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_member: Option<ChannelMemberResponse>,
}

/// A user to add, invite or give a role. In requests a bare user id may stand in its place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct ChannelMemberRequest {
    /// Id of the user, who has to exist.
    #[serde(default, deserialize_with = "crate::null_default", skip_serializing_if = "String::is_empty")]
    pub user_id: String,
    /// Role in the channel: `channel_member`, `channel_moderator` or one of the app's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_role: Option<String>,
    /// The app's own fields, at most 5 KB.
    #[serde(default, skip_serializing_if = "Custom::is_empty")]
    pub custom: Custom,
    /// The user as an object, in the place of `user_id` or beside it, when a server adds or invites; created when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserRequest>,
}

impl ChannelMemberRequest {
    /// The user with this id, as an ordinary member.
    pub fn new(user_id: impl Into<String>) -> Self {
        Self { user_id: user_id.into(), ..Self::default() }
    }

    /// Id of the user, however the entry names it.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.user {
            Some(user) if self.user_id.is_empty() => &user.id,
            _ => &self.user_id,
        }
    }
}

// `remote` above turns what is derived into plain functions, so that the forms of an entry can be told apart here.
impl Serialize for ChannelMemberRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for ChannelMemberRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entry;
        impl<'de> Visitor<'de> for Entry {
            type Value = ChannelMemberRequest;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a user id or an object with user_id or user")
            }

            fn visit_str<E: de::Error>(self, user_id: &str) -> Result<Self::Value, E> {
                Ok(ChannelMemberRequest::new(user_id))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                // Both encodings take keys that are not known for custom data: here, where an id may stand as well, they
                // cannot be told apart.
                let object = JsonMap::deserialize(MapAccessDeserializer::new(map))?;
                let mut path = serde_path_to_error::Track::new();
                let reader = v1::Reader(object.into());
                let member = ChannelMemberRequest::deserialize(serde_path_to_error::Deserializer::new(
                    reader, &mut path,
                ));
                member.map_err(|problem| match path.path().to_string() {
                    here if here == "." => de::Error::custom(problem),
                    field => de::Error::custom(format_args!("{field}: {problem}")),
                })
            }
        }
        deserializer.deserialize_any(Entry)
    }
}

/// A user's membership of a channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelMemberResponse {
    /// Banned from the channel.
    pub banned: bool,
    /// Role in the channel: `channel_member`, `channel_moderator` or one of the app's own.
    pub channel_role: String,
    /// When the user became a member.
    pub created_at: Timestamp,
    /// Whether the member has muted the channel.
    pub notifications_muted: bool,
    /// Banned from the channel without noticing it.
    pub shadow_banned: bool,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The app's own fields, at most 5 KB.
    pub custom: Custom,
    /// Since when the member has archived the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Timestamp>,
    /// When the ban ends; absent for a permanent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban_expires: Option<Timestamp>,
    /// Whether the ban covers channels that its author creates later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban_from_future_channels: Option<bool>,
    /// When it was deleted; absent while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// When the ban from later channels ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub future_channel_ban_expires: Option<Timestamp>,
    /// When the invitation was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_accepted_at: Option<Timestamp>,
    /// When the invitation was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_rejected_at: Option<Timestamp>,
    /// Whether the member came by invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited: Option<bool>,
    /// Whether the member is a moderator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_moderator: Option<bool>,
    /// Since when the member has pinned the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at: Option<Timestamp>,
    /// Older form of `channel_role`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// `member`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Ids of messages that the member deleted for themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_messages: Option<Vec<String>>,
    /// The member as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
}

/// A message's sender as a member of the channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelMemberPartialResponse {
    /// Role in the channel: `channel_member`, `channel_moderator` or one of the app's own.
    pub channel_role: String,
    /// Whether the member has muted the channel.
    pub notifications_muted: bool,
    /// The keys that `member_custom_include` asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Custom>,
}
