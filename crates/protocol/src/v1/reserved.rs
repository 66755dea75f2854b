/// Fields that a type has on its way out only, by the type on its way in. In version 2 nobody sends them, for custom data
/// has a place of its own; here they would become custom data.
#[derive(Debug)]
pub struct Reserved {
    /// The type that is read.
    pub type_name: &'static str,
    /// Clients that send these are told so: they mean to set what only the server sets.
    pub refused: &'static [&'static str],
    /// Clients send these when they give an object back that they got.
    pub ignored: &'static [&'static str],
}

const USER: (&[&str], &[&str]) = (
    &["created_at", "deactivated_at", "deleted_at", "last_active", "updated_at"],
    &[
        "avg_response_time",
        "ban_expires",
        "banned",
        "blocked_user_ids",
        "bypass_moderation",
        "channel_mutes",
        "devices",
        "invite_accepted_at",
        "latest_hidden_channels",
        "mutes",
        "online",
        "push_preferences",
        "revoke_tokens_issued_before",
        "shadow_banned",
        "total_unread_count",
        "total_unread_count_by_team",
        "unread_channels",
        "unread_count",
        "unread_threads",
    ],
);

/// By the type that is read.
pub const RESERVED: &[Reserved] = &[
    Reserved { type_name: "UserRequest", refused: USER.0, ignored: USER.1 },
    Reserved {
        type_name: "MessageRequest",
        refused: &["created_at", "i18n", "updated_at"],
        ignored: &[
            "before_message_send_failed",
            "channel",
            "cid",
            "command",
            "command_info",
            "deleted_at",
            "deleted_for_me",
            "deleted_reply_count",
            "draft",
            "image_labels",
            "latest_reactions",
            "member",
            "message_text_updated_at",
            "moderation",
            "moderation_details",
            "own_reactions",
            "pinned_by",
            "poll",
            "quoted_message",
            "reaction_counts",
            "reaction_groups",
            "reaction_scores",
            "reminder",
            "reply_count",
            "shadowed",
            "thread_participants",
        ],
    },
    Reserved {
        type_name: "ChannelInput",
        refused: &["cooldown", "created_at", "mute_expires_at", "muted", "updated_at"],
        ignored: &CHANNEL,
    },
    Reserved {
        type_name: "ReactionRequest",
        refused: &[],
        ignored: &["message_id", "created_at", "updated_at"],
    },
    Reserved {
        type_name: "ChannelMemberRequest",
        refused: &[],
        ignored: &["created_at", "updated_at", "invited", "banned", "shadow_banned"],
    },
];

const CHANNEL: [&str; 18] = [
    "blocked",
    "cid",
    "config",
    "deleted_at",
    "hidden",
    "hide_messages_before",
    "id",
    "last_message_at",
    "member_count",
    "membership",
    "message_count",
    "own_capabilities",
    "read",
    "truncated_at",
    "truncated_by",
    "truncated_by_id",
    "type",
    "watcher_count",
];
