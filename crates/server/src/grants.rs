//! The permissions that each role has in the built-in channel types, and in the app.

use std::collections::BTreeMap;

/// Every permission of a channel.
const ALL: &[&str] = &[
    "add-links",
    "ban-channel-member",
    "ban-user",
    "create-attachment",
    "create-call",
    "create-channel",
    "create-mention",
    "create-message",
    "create-reaction",
    "create-system-message",
    "delete-attachment",
    "delete-channel",
    "delete-message",
    "delete-reaction",
    "flag-message",
    "join-call",
    "mute-channel",
    "pin-message",
    "read-channel",
    "read-channel-members",
    "read-message-flags",
    "recreate-channel",
    "remove-own-channel-membership",
    "run-message-action",
    "send-custom-event",
    "skip-channel-cooldown",
    "skip-message-moderation",
    "truncate-channel",
    "unblock-message",
    "update-channel",
    "update-channel-cooldown",
    "update-channel-frozen",
    "update-channel-members",
    "update-message",
    "upload-attachment",
];

/// What a member may do.
const MEMBER: &[&str] = &[
    "add-links",
    "create-attachment",
    "create-call",
    "create-mention",
    "create-message",
    "create-reaction",
    "flag-message",
    "join-call",
    "mute-channel",
    "pin-message",
    "read-channel",
    "read-channel-members",
    "remove-own-channel-membership",
    "run-message-action",
    "send-custom-event",
    "upload-attachment",
];

/// What a channel moderator may do beyond a member.
const MODERATOR_MORE: &[&str] = &[
    "ban-channel-member",
    "create-system-message",
    "delete-attachment",
    "delete-message",
    "delete-reaction",
    "read-message-flags",
    "skip-channel-cooldown",
    "skip-message-moderation",
    "unblock-message",
    "update-channel",
    "update-channel-cooldown",
    "update-channel-frozen",
    "update-channel-members",
    "update-message",
];

/// What a user may do as the creator of a channel, or with own messages, in the types for private conversations.
const OWNER: &[&str] = &[
    "add-links-owner",
    "create-attachment-owner",
    "create-mention-owner",
    "create-message-owner",
    "create-reaction-owner",
    "delete-attachment-owner",
    "delete-channel-owner",
    "delete-message-owner",
    "delete-reaction-owner",
    "flag-message-owner",
    "mute-channel-owner",
    "pin-message-owner",
    "read-channel-members-owner",
    "read-channel-owner",
    "recreate-channel-owner",
    "remove-own-channel-membership-owner",
    "run-message-action-owner",
    "send-custom-event-owner",
    "truncate-channel-owner",
    "update-channel-members-owner",
    "update-channel-owner",
    "update-message-owner",
    "upload-attachment-owner",
];

/// What a user may do in a livestream channel without being its member.
const LIVESTREAM_USER: &[&str] = &[
    "add-links",
    "create-attachment",
    "create-channel",
    "create-mention",
    "create-message",
    "create-reaction",
    "delete-attachment-owner",
    "delete-message-owner",
    "delete-reaction-owner",
    "flag-message",
    "join-call",
    "mute-channel",
    "pin-message-owner",
    "read-channel",
    "read-channel-members",
    "run-message-action",
    "send-custom-event",
    "update-message-owner",
    "upload-attachment",
];

/// What a channel moderator may do in a livestream channel.
const LIVESTREAM_MODERATOR: &[&str] = &[
    "ban-channel-member",
    "create-call",
    "create-system-message",
    "delete-attachment",
    "delete-message",
    "delete-reaction",
    "pin-message",
    "read-message-flags",
    "skip-channel-cooldown",
    "skip-message-moderation",
    "unblock-message",
    "update-channel-cooldown",
    "update-channel-frozen",
    "update-message",
];

/// What a guest may do in a commerce channel.
const COMMERCE_GUEST: &[&str] = &[
    "add-links",
    "create-channel",
    "delete-attachment-owner",
    "delete-message-owner",
    "delete-reaction-owner",
    "flag-message-owner",
    "mute-channel-owner",
    "pin-message-owner",
    "read-channel-members-owner",
    "read-channel-owner",
    "update-channel-members-owner",
    "update-message-owner",
    "upload-attachment",
];

type Permissions = Vec<String>;

fn list(permissions: &[&str]) -> Permissions {
    permissions.iter().map(|permission| (*permission).to_owned()).collect()
}

fn without(permissions: Permissions, revoked: &[&str]) -> Permissions {
    permissions.into_iter().filter(|permission| !revoked.contains(&permission.as_str())).collect()
}

fn and(mut permissions: Permissions, more: &[&str]) -> Permissions {
    permissions.extend(list(more));
    permissions.sort();
    permissions
}

/// The permissions by role in a channel type. A type that is not built in has those of `messaging`.
pub fn defaults(channel_type: &str) -> BTreeMap<String, Permissions> {
    const WHOLE_CHANNEL: &[&str] = &["delete-channel", "recreate-channel", "truncate-channel"];
    const WHOLE_CHANNEL_OWNER: &[&str] =
        &["delete-channel-owner", "recreate-channel-owner", "truncate-channel-owner"];
    let moderator = || and(list(MEMBER), MODERATOR_MORE);
    let commerce_user = || {
        without(
            list(OWNER),
            &[
                "delete-channel-owner",
                "recreate-channel-owner",
                "truncate-channel-owner",
                "update-channel-owner",
            ],
        )
    };
    let roles: Vec<(&str, Permissions)> = match channel_type {
        "livestream" => vec![
            ("admin", list(ALL)),
            (
                "moderator",
                without(
                    list(ALL),
                    &[
                        "delete-channel",
                        "recreate-channel",
                        "truncate-channel",
                        "update-channel",
                        "update-channel-members",
                        "remove-own-channel-membership",
                    ],
                ),
            ),
            ("user", list(LIVESTREAM_USER)),
            ("channel_moderator", list(LIVESTREAM_MODERATOR)),
            (
                "guest",
                list(&["flag-message", "join-call", "mute-channel", "read-channel", "read-channel-members"]),
            ),
            ("anonymous", list(&["join-call", "read-channel", "read-channel-members"])),
        ],
        "commerce" => vec![
            ("admin", list(ALL)),
            ("moderator", without(list(ALL), WHOLE_CHANNEL)),
            ("user", commerce_user()),
            ("channel_member", without(list(MEMBER), &["create-call", "pin-message"])),
            ("channel_moderator", moderator()),
            ("guest", list(COMMERCE_GUEST)),
        ],
        "gaming" => vec![
            ("admin", list(ALL)),
            (
                "moderator",
                without(
                    list(ALL),
                    &[
                        "create-channel",
                        "delete-channel",
                        "recreate-channel",
                        "truncate-channel",
                        "update-channel",
                        "update-channel-members",
                    ],
                ),
            ),
            ("user", without(commerce_user(), &["pin-message-owner", "update-channel-members-owner"])),
            ("channel_member", without(list(MEMBER), &["pin-message"])),
            ("channel_moderator", without(moderator(), &["update-channel", "update-channel-members"])),
        ],
        _ => vec![
            ("admin", list(ALL)),
            ("moderator", and(without(list(ALL), WHOLE_CHANNEL), WHOLE_CHANNEL_OWNER)),
            ("user", and(list(OWNER), &["create-channel"])),
            ("channel_member", list(MEMBER)),
            ("channel_moderator", moderator()),
        ],
    };
    roles.into_iter().map(|(role, permissions)| (role.to_owned(), permissions)).collect()
}

/// The permissions by role in the scope of the app.
pub fn app_defaults() -> BTreeMap<String, Permissions> {
    const OF_USER: &[&str] = &["flag-user", "mute-user", "search-user", "update-user-owner"];
    let moderator = || and(list(OF_USER), &["read-flag-reports", "update-flag-report"]);
    let roles = [
        ("admin", moderator()),
        ("moderator", moderator()),
        ("user", list(OF_USER)),
        ("guest", list(OF_USER)),
    ];
    roles.into_iter().map(|(role, permissions)| (role.to_owned(), permissions)).collect()
}
