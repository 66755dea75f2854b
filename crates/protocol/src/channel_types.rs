//! Channel types: the settings that channels share, and what one channel may set differently.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ChannelTypePath, Timestamp, operation};

operation! {
    /// All channel types of the app, by name.
    ListChannelTypes = "list_channel_types", Get "/api/v2/chat/channeltypes",
        response: ListChannelTypesResponse, server_side_only: true,
}

operation! {
    /// One channel type; its settings stand at the top level of the answer. 16 when there is none of that
    /// name.
    GetChannelType = "get_channel_type", Get "/api/v2/chat/channeltypes/{name}",
        path: ChannelTypePath, response: GetChannelTypeResponse, server_side_only: true,
}

operation! {
    /// Creates a channel type; its settings stand at the top level of the answer, commands by name. 4 when the name is
    /// taken, a command is not known, or the app has 50 types.
    CreateChannelType = "create_channel_type", Post "/api/v2/chat/channeltypes",
        body: CreateChannelTypeRequest, response: CreateChannelTypeResponse, server_side_only: true,
}

operation! {
    /// Changes the settings of a channel type that are given; the answer has all of them. 16 when there is none of that
    /// name.
    UpdateChannelType = "update_channel_type", Put "/api/v2/chat/channeltypes/{name}",
        path: ChannelTypePath, body: UpdateChannelTypeRequest, response: UpdateChannelTypeResponse, server_side_only: true,
}

operation! {
    /// Deletes a channel type; a built-in one gets its defaults back. 4 while there are channels of that type, 16 when
    /// there is none of that name.
    DeleteChannelType = "delete_channel_type", Delete "/api/v2/chat/channeltypes/{name}",
        path: ChannelTypePath, response: DeleteChannelTypeResponse, server_side_only: true,
}

/// Names of permissions granted, by role.
pub type Grants = BTreeMap<String, Vec<String>>;

/// Settings of a channel type. In an update those that change, the others stay; in a creation what is not given is on
/// or off as for a new type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelTypeRequest {
    /// The type's name, 1 to 64 characters: letters, digits, `_`, `-`. Required in a creation; cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was created; cannot be changed.
    #[serde(deserialize_with = "crate::set_time", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed; cannot be changed.
    #[serde(deserialize_with = "crate::set_time", skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Kind of automatic moderation: `disabled`, `simple` or `AI`. Required in a creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automod: Option<String>,
    /// What it does with what it finds: `flag`, `block` or `shadow_block`. Required in a creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automod_behavior: Option<String>,
    /// Greatest length of a text, in characters, 1 to 20000. Required in a creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_message_length: Option<i64>,
    /// Whether watchers coming and going is signalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_events: Option<bool>,
    /// Whether channels keep a `message_count`, from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count_messages: Option<bool>,
    /// Whether clients may send events of their own kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_events: Option<bool>,
    /// Whether delivery is tracked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_events: Option<bool>,
    /// Whether new messages wait for a commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark_messages_pending: Option<bool>,
    /// `infinite`, or a number of days. Kept and shown; nothing is removed by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_retention: Option<String>,
    /// Whether users may mute each other here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutes: Option<bool>,
    /// Whether polls are allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polls: Option<bool>,
    /// Whether messages cause push notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_notifications: Option<bool>,
    /// Whether messages may quote others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quotes: Option<bool>,
    /// Whether reactions are allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reactions: Option<bool>,
    /// Whether reading is tracked; without it nothing counts as unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_events: Option<bool>,
    /// Whether mails remind of what was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminders: Option<bool>,
    /// Whether threads are allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<bool>,
    /// Whether messages can be searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<bool>,
    /// Whether locations may be shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_locations: Option<bool>,
    /// Whether system messages leave `last_message_at` as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_last_msg_update_for_system_msgs: Option<bool>,
    /// Whether typing is signalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typing_events: Option<bool>,
    /// Whether files may be uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploads: Option<bool>,
    /// Whether links get a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_enrichment: Option<bool>,
    /// Whether users may set reminders on messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_message_reminders: Option<bool>,
    /// Names of slash commands, or of groups of them: `fun_set`, `moderation_set`, `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<String>>,
    /// Older form of the permissions, at most 100. Kept and shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<PolicyRequest>>,
    /// Replaces the permissions of the roles that it names; an empty list takes all of a role's away. `null`
    /// (`Some(None)`) brings the defaults back, for all roles.
    #[serde(deserialize_with = "crate::nullable", skip_serializing_if = "Option::is_none")]
    pub grants: Option<Option<Grants>>,
    /// Name of the block list that text is checked against; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklist: Option<String>,
    /// What happens to text that matches: `flag`, `block` or `shadow_block`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklist_behavior: Option<String>,
    /// Block lists in use, each with its behaviour, at most 15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklists: Option<Vec<BlockListOptions>>,
    /// Splits bigger audiences into parts of this many watchers, at least 10; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_size: Option<i64>,
    /// How long a part lives, such as `2h30m0s`; empty for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_ttl: Option<String>,
    /// Which messages cause a push: `all`, `all_mentions`, `direct_mentions`, `mentions` (older) or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_level: Option<String>,
    /// Reasons that may be given when a message is flagged, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_flag_reasons: Option<Vec<String>>,
    /// From which scores on AI moderation acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automod_thresholds: Option<Thresholds>,
    /// Which kinds of messages cause a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_preferences: Option<ChatPreferences>,
}

/// A channel type to be created: `name`, `automod`, `automod_behavior` and `max_message_length` are required.
pub type CreateChannelTypeRequest = ChannelTypeRequest;

/// The settings of a channel type that change.
pub type UpdateChannelTypeRequest = ChannelTypeRequest;

/// The channel type as it was created, commands by name.
pub type CreateChannelTypeResponse = ChannelTypeConfig<String>;

/// The channel type after the change, commands by name.
pub type UpdateChannelTypeResponse = ChannelTypeConfig<String>;

/// The type is gone, or has its defaults back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeleteChannelTypeResponse {}

/// The app's channel types.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListChannelTypesResponse {
    /// By name.
    #[serde(deserialize_with = "crate::without_nulls")]
    pub channel_types: BTreeMap<String, ChannelTypeConfig>,
}

/// Settings of a channel type, or those in effect on one channel. Commands come with their descriptions (`Command`), or
/// by name (`String`) where a type is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, bound(deserialize = "C: Deserialize<'de> + Default"))]
pub struct ChannelTypeConfig<C = Command> {
    /// Kind of automatic moderation: `disabled`, `simple` or `AI`.
    pub automod: String,
    /// What it does with what it finds: `flag`, `block` or `shadow_block`.
    pub automod_behavior: String,
    /// Whether watchers coming and going is signalled.
    pub connect_events: bool,
    /// Whether the channel keeps a `message_count`.
    pub count_messages: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether clients may send events of their own kinds.
    pub custom_events: bool,
    /// Whether delivery is tracked.
    pub delivery_events: bool,
    /// Whether new messages wait for a commit.
    pub mark_messages_pending: bool,
    /// Greatest length of a text, in characters, at most 20000.
    pub max_message_length: i64,
    /// Whether users may mute each other here.
    pub mutes: bool,
    /// The type's name, 1 to 64 characters; on a channel, the name of its type.
    pub name: String,
    /// Whether polls are allowed.
    pub polls: bool,
    /// Whether messages cause push notifications.
    pub push_notifications: bool,
    /// Whether messages may quote others.
    pub quotes: bool,
    /// Whether reactions are allowed.
    pub reactions: bool,
    /// Whether reading is tracked; without it nothing counts as unread.
    pub read_events: bool,
    /// Whether mails remind of what was not read.
    pub reminders: bool,
    /// Whether threads are allowed.
    pub replies: bool,
    /// Whether messages can be searched.
    pub search: bool,
    /// Whether locations may be shared.
    pub shared_locations: bool,
    /// Whether system messages leave `last_message_at` as it is.
    pub skip_last_msg_update_for_system_msgs: bool,
    /// Whether typing is signalled.
    pub typing_events: bool,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Whether files may be uploaded.
    pub uploads: bool,
    /// Whether links get a preview.
    pub url_enrichment: bool,
    /// Whether users may set reminders on messages.
    pub user_message_reminders: bool,
    /// Slash commands that can be used.
    #[serde(deserialize_with = "crate::null_default")]
    pub commands: Vec<C>,
    /// `infinite`, or a number of days. Absent until it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_retention: Option<String>,
    /// Older form of the permissions. Present on a channel type, absent on a channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<PolicyRequest>>,
    /// Names of permissions granted, by role. Always present on a channel type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<Grants>,
    /// Name of the block list that text is checked against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklist: Option<String>,
    /// What happens to text that matches: `flag`, `block` or `shadow_block`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklist_behavior: Option<String>,
    /// Splits bigger audiences into parts of this many watchers, at least 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_size: Option<i64>,
    /// How long a part lives, such as `2h30m0s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_ttl: Option<String>,
    /// Which messages cause a push: `all`, `all_mentions`, `direct_mentions`, `mentions` (older) or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_level: Option<String>,
    /// Reasons that may be given when a message is flagged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_flag_reasons: Option<Vec<String>>,
    /// Block lists in use, each with its behaviour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklists: Option<Vec<BlockListOptions>>,
    /// From which scores on AI moderation acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automod_thresholds: Option<Thresholds>,
    /// Which kinds of messages cause a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_preferences: Option<ChatPreferences>,
}

impl<C> ChannelTypeConfig<C> {
    /// The same settings with the commands in another form.
    pub fn with_commands<D>(self, commands: Vec<D>) -> ChannelTypeConfig<D> {
        ChannelTypeConfig {
            commands,
            automod: self.automod,
            automod_behavior: self.automod_behavior,
            connect_events: self.connect_events,
            count_messages: self.count_messages,
            created_at: self.created_at,
            custom_events: self.custom_events,
            delivery_events: self.delivery_events,
            mark_messages_pending: self.mark_messages_pending,
            max_message_length: self.max_message_length,
            mutes: self.mutes,
            name: self.name,
            polls: self.polls,
            push_notifications: self.push_notifications,
            quotes: self.quotes,
            reactions: self.reactions,
            read_events: self.read_events,
            reminders: self.reminders,
            replies: self.replies,
            search: self.search,
            shared_locations: self.shared_locations,
            skip_last_msg_update_for_system_msgs: self.skip_last_msg_update_for_system_msgs,
            typing_events: self.typing_events,
            updated_at: self.updated_at,
            uploads: self.uploads,
            url_enrichment: self.url_enrichment,
            user_message_reminders: self.user_message_reminders,
            message_retention: self.message_retention,
            permissions: self.permissions,
            grants: self.grants,
            blocklist: self.blocklist,
            blocklist_behavior: self.blocklist_behavior,
            partition_size: self.partition_size,
            partition_ttl: self.partition_ttl,
            push_level: self.push_level,
            allowed_flag_reasons: self.allowed_flag_reasons,
            blocklists: self.blocklists,
            automod_thresholds: self.automod_thresholds,
            chat_preferences: self.chat_preferences,
        }
    }
}

/// One channel type, its settings at the top level.
pub type GetChannelTypeResponse = ChannelTypeConfig;

/// The settings in effect on a channel: its type's, overridden by its own. Has no `permissions`.
pub type ChannelConfigWithInfo = ChannelTypeConfig;

/// A slash command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Command {
    /// What stands after the command, such as `[text]`.
    pub args: String,
    /// What it does.
    pub description: String,
    /// The word after the slash.
    pub name: String,
    /// Group of commands that it belongs to: `fun_set`, `moderation_set` or one of the app's own.
    pub set: String,
    /// When it was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// A rule of the older permission system.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyRequest {
    /// `Allow` or `Deny`.
    pub action: String,
    /// The rule's name.
    pub name: String,
    /// True applies to the owner of the object only.
    pub owner: bool,
    /// The rule with the highest number decides.
    pub priority: i64,
    /// What the rule is about.
    #[serde(deserialize_with = "crate::null_default")]
    pub resources: Vec<String>,
    /// Whom the rule is about.
    #[serde(deserialize_with = "crate::null_default")]
    pub roles: Vec<String>,
}

/// A block list in use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlockListOptions {
    /// What happens to text that matches: `flag`, `block`, `shadow_block`.
    pub behavior: String,
    /// Name of the list.
    pub blocklist: String,
}

/// From which scores on AI moderation acts, by kind of content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thresholds {
    /// For explicit content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explicit: Option<LabelThresholds>,
    /// For spam.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spam: Option<LabelThresholds>,
    /// For insults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toxic: Option<LabelThresholds>,
}

/// From which scores on AI moderation acts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LabelThresholds {
    /// From this score on a message is blocked, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<f64>,
    /// From this score on a message is flagged, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<f64>,
}

/// Which kinds of messages cause a push: `all` or `none` for each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatPreferences {
    /// Mentions of the whole channel: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_mentions: Option<String>,
    /// Whatever no other field covers: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_preference: Option<String>,
    /// Mentions of the user: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct_mentions: Option<String>,
    /// Messages in distinct channels: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct_channel_messages: Option<String>,
    /// Mentions of the user's groups: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_mentions: Option<String>,
    /// Mentions of everybody online: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub here_mentions: Option<String>,
    /// Mentions of the user's role: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_mentions: Option<String>,
    /// Replies in the user's threads: `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_replies: Option<String>,
}

/// What one channel sets differently from its type. An object without any field clears all overrides.
/// Servers only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelConfigOverrides {
    /// Name of the block list that text is checked against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklist: Option<String>,
    /// What happens to text that matches the block list: `flag` or `block`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklist_behavior: Option<String>,
    /// Whether the channel keeps a `message_count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count_messages: Option<bool>,
    /// Greatest length of a text, in characters, at most 20000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_message_length: Option<i64>,
    /// Which messages cause a push: `all`, `all_mentions`, `direct_mentions`, `mentions` (older) or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_level: Option<String>,
    /// Whether messages may quote others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quotes: Option<bool>,
    /// Whether reactions are allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reactions: Option<bool>,
    /// Whether threads are allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<bool>,
    /// Whether locations may be shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_locations: Option<bool>,
    /// Whether typing is signalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typing_events: Option<bool>,
    /// Whether files may be uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploads: Option<bool>,
    /// Whether links get a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_enrichment: Option<bool>,
    /// Whether users may set reminders on messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_message_reminders: Option<bool>,
    /// Names of the slash commands that can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<String>>,
    /// Which kinds of messages cause a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_preferences: Option<ChatPreferences>,
    /// Permissions granted, by role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<Grants>,
}

/// What one channel sets differently from its type, in an update.
pub type ConfigOverridesRequest = ChannelConfigOverrides;
