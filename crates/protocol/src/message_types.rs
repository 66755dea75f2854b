//! A message as it is answered, and what hangs on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::channel_state::ChannelResponse;
use crate::members::ChannelMemberPartialResponse;
use crate::polls::PollResponseData;
use crate::reactions::{ReactionGroupResponse, ReactionResponse};
use crate::users::{UserGroupResponse, UserResponse};
use crate::{Custom, Timestamp};

/// A message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageResponse {
    /// `<type>:<id>` of the channel.
    pub cid: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Replies deleted.
    pub deleted_reply_count: i64,
    /// The text rendered from Markdown to safe HTML.
    pub html: String,
    /// Unique in the whole app.
    pub id: String,
    /// Whether every member is notified.
    pub mentioned_channel: bool,
    /// Whether members who are online are notified.
    pub mentioned_here: bool,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Replies, without deleted ones.
    pub reply_count: i64,
    /// True when a shadow ban or moderation keeps the message to its sender.
    pub shadowed: bool,
    /// True counts as read for everybody.
    pub silent: bool,
    /// The text.
    pub text: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// What it is: `regular`, `ephemeral`, `error`, `reply`, `system`, `deleted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// At most 30, together at most 5 KB.
    #[serde(deserialize_with = "crate::null_default")]
    pub attachments: Vec<Attachment>,
    /// At most 10, newest first.
    #[serde(deserialize_with = "crate::null_default")]
    pub latest_reactions: Vec<ReactionResponse>,
    /// Mentioned users.
    #[serde(deserialize_with = "crate::null_default")]
    pub mentioned_users: Vec<Arc<UserResponse>>,
    /// The acting user's, at most 10.
    #[serde(deserialize_with = "crate::null_default")]
    pub own_reactions: Vec<ReactionResponse>,
    /// Ids of the only users, besides the sender, who see the message; empty for all.
    #[serde(deserialize_with = "crate::null_default")]
    pub restricted_visibility: Vec<String>,
    /// The app's own fields, at most 5 KB.
    pub custom: Custom,
    /// Number of reactions, by type. In version 1 `null` when there are none.
    #[serde(deserialize_with = "crate::null_default", serialize_with = "crate::v1::null_when_empty")]
    pub reaction_counts: BTreeMap<String, i64>,
    /// Sum of the scores, by type.
    #[serde(deserialize_with = "crate::null_default")]
    pub reaction_scores: BTreeMap<String, i64>,
    /// The sender.
    pub user: Arc<UserResponse>,
    /// The slash command that the text began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// When it was deleted; absent while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// True when the acting user deleted it for themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_for_me: Option<bool>,
    /// When the text was last changed; absent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_text_updated_at: Option<Timestamp>,
    /// Message Markup Language form of the text; settable by servers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mml: Option<String>,
    /// The message that this one replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// When the pin ends; absent for a lasting one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin_expires: Option<Timestamp>,
    /// Since when it is pinned; absent while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_at: Option<Timestamp>,
    /// The attached poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_id: Option<String>,
    /// The message that this one quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message_id: Option<String>,
    /// For a reply: true shows it among the channel's messages too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_in_channel: Option<bool>,
    /// Mentioned user groups, at most 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentioned_group_ids: Option<Vec<String>>,
    /// Mentioned user groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentioned_groups: Option<Vec<UserGroupResponse>>,
    /// Mentioned roles, at most 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentioned_roles: Option<Vec<String>>,
    /// Users who replied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_participants: Option<Vec<Arc<UserResponse>>>,
    /// What the acting user has begun to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<Box<DraftResponse>>,
    /// Translations: `<language>_text` by language, and the source under `language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub i18n: Option<BTreeMap<String, String>>,
    /// What moderation saw in the images, by URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_labels: Option<BTreeMap<String, Vec<String>>>,
    /// The sender as a member of the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<ChannelMemberPartialResponse>,
    /// What moderation decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation: Option<Box<ModerationV2Response>>,
    /// Who pinned it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_by: Option<Arc<UserResponse>>,
    /// The attached poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<Box<PollResponseData>>,
    /// The quoted message, without what it quotes itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message: Option<Box<MessageResponse>>,
    /// Number, scores and latest users, by reaction type.
    #[serde(deserialize_with = "crate::without_nulls")]
    pub reaction_groups: BTreeMap<String, ReactionGroupResponse>,
    /// The acting user's reminder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminder: Option<Box<ReminderResponseData>>,
    /// The shared place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_location: Option<Box<SharedLocationResponseData>>,
    /// The message's channel; set by [`GetMessage`](crate::messages::GetMessage) and
    /// [`Search`](crate::search::Search) only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
}

/// A message whose `channel` is set.
pub type MessageWithChannelResponse = MessageResponse;

/// Something attached to a message: a file, a link's preview, or a form with buttons.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attachment {
    /// The app's own fields. Unknown keys beside it are ignored.
    pub custom: Custom,
    /// URL of the file, video or sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_url: Option<String>,
    /// URL of the author's picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_icon: Option<String>,
    /// URL of the author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_link: Option<String>,
    /// The author or the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// Colour of the frame, such as `#3366ff`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Text for clients that cannot show the attachment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Text below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// URL of the picture beside the footer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer_icon: Option<String>,
    /// URL of the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// The link that this is the preview of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub og_scrape_url: Option<String>,
    /// Height of the image in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_height: Option<i64>,
    /// Width of the image in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_width: Option<i64>,
    /// Text above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretext: Option<String>,
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// URL of a small image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumb_url: Option<String>,
    /// Heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// URL behind the heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title_link: Option<String>,
    /// `image`, `file`, `video`, `audio`, `giphy` or one of the app's own.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Buttons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<Action>>,
    /// Table of names and values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<Field>>,
    /// Sizes of a Giphy image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub giphy: Option<Box<Images>>,
}

/// A button of an attachment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Action {
    /// Key of the button in the form.
    pub name: String,
    /// What stands on it.
    pub text: String,
    /// Kind of control, such as `button`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Look, such as `primary` or `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// What is sent when it is pressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A line in an attachment's table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Field {
    /// True when it fits beside another.
    pub short: bool,
    /// Its name.
    pub title: String,
    /// Its value.
    pub value: String,
}

/// One Giphy image in several sizes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Images {
    /// 200 pixels high.
    pub fixed_height: ImageData,
    /// 200 pixels high, with few frames.
    pub fixed_height_downsampled: ImageData,
    /// 200 pixels high, not moving.
    pub fixed_height_still: ImageData,
    /// 200 pixels wide.
    pub fixed_width: ImageData,
    /// 200 pixels wide, with few frames.
    pub fixed_width_downsampled: ImageData,
    /// 200 pixels wide, not moving.
    pub fixed_width_still: ImageData,
    /// As it was uploaded.
    pub original: ImageData,
}

/// One size of a Giphy image; Giphy writes numbers as text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageData {
    /// Number of frames.
    pub frames: String,
    /// Pixels.
    pub height: String,
    /// Bytes.
    pub size: String,
    /// Where it is.
    pub url: String,
    /// Pixels.
    pub width: String,
}

/// What moderation decided about a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModerationV2Response {
    /// What was done: `flag`, `bounce`, `remove` or `shadow`.
    pub action: String,
    /// The text before moderation changed it.
    pub original_text: String,
    /// The block list that matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklist_matched: Option<String>,
    /// True when the message draws users away from the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_circumvented: Option<bool>,
    /// The semantic filter that matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semantic_filter_matched: Option<String>,
    /// All block lists that matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocklists_matched: Option<Vec<String>>,
    /// What was found in images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_harms: Option<Vec<String>>,
    /// What was found in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_harms: Option<Vec<String>>,
}

/// A user's note to come back to a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReminderResponseData {
    /// `<type>:<id>` of the channel.
    pub channel_cid: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// The message.
    pub message_id: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Whose reminder.
    pub user_id: String,
    /// When to remind; absent when the message is only saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Timestamp>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<MessageResponse>>,
    /// Whose reminder, as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<UserResponse>>,
}

/// A shared place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SharedLocationResponseData {
    /// `<type>:<id>` of the channel.
    pub channel_cid: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// The device that shares the place.
    pub created_by_device_id: String,
    /// Degrees north of the equator.
    pub latitude: f64,
    /// Degrees east of Greenwich.
    pub longitude: f64,
    /// The message that shares it.
    pub message_id: String,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who shares it.
    pub user_id: String,
    /// When live sharing ends; absent for a place shared once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Timestamp>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// The message that shares it, as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<MessageResponse>>,
}

/// A message that a user has begun to write.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DraftResponse {
    /// `<type>:<id>` of the channel.
    pub channel_cid: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// What was written so far.
    pub message: DraftPayloadResponse,
    /// The message that it replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Arc<ChannelResponse>>,
    /// The message that it replies to, as an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_message: Option<Box<MessageResponse>>,
    /// The message that it quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message: Option<Box<MessageResponse>>,
}

/// Content of a draft.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DraftPayloadResponse {
    /// Id that the message will have.
    pub id: String,
    /// The text.
    pub text: String,
    /// The app's own fields, at most 5 KB.
    pub custom: Custom,
    /// The text rendered from Markdown to safe HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Message Markup Language form of the text; settable by servers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mml: Option<String>,
    /// The message that this one replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The attached poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_id: Option<String>,
    /// The message that this one quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted_message_id: Option<String>,
    /// For a reply: true shows it among the channel's messages too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_in_channel: Option<bool>,
    /// True counts as read for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent: Option<bool>,
    /// What it will be: `regular`, `system`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// At most 30, together at most 5 KB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<Attachment>>,
    /// Mentioned users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentioned_users: Option<Vec<Arc<UserResponse>>>,
}
