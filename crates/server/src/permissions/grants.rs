//! The permissions that each role has in the built-in channel types, and in the app, where nothing else is set.

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

/// Polls, for those who take part in a channel.
const POLLS: &[&str] = &["cast-vote", "query-votes", "send-poll"];
/// Messages that only some see, for those who see all of them.
const RESTRICTED: &[&str] = &["create-restricted-visibility-message", "read-restricted-visibility-message"];

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
    let everything = || and(list(ALL), POLLS);
    let admin = || and(everything(), RESTRICTED);
    let member = || and(list(MEMBER), POLLS);
    let moderator = || and(member(), MODERATOR_MORE);
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
            ("admin", admin()),
            (
                "moderator",
                without(
                    everything(),
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
            ("user", and(list(LIVESTREAM_USER), POLLS)),
            ("channel_moderator", list(LIVESTREAM_MODERATOR)),
            (
                "guest",
                list(&["flag-message", "join-call", "mute-channel", "read-channel", "read-channel-members"]),
            ),
            ("anonymous", list(&["join-call", "read-channel", "read-channel-members"])),
        ],
        "commerce" => vec![
            ("admin", admin()),
            ("moderator", without(everything(), WHOLE_CHANNEL)),
            ("user", commerce_user()),
            ("channel_member", without(member(), &["create-call", "pin-message"])),
            ("channel_moderator", moderator()),
            ("guest", list(COMMERCE_GUEST)),
        ],
        "gaming" => vec![
            ("admin", admin()),
            (
                "moderator",
                without(
                    everything(),
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
            ("channel_member", without(member(), &["pin-message"])),
            ("channel_moderator", without(moderator(), &["update-channel", "update-channel-members"])),
        ],
        _ => vec![
            ("admin", admin()),
            ("moderator", and(without(everything(), WHOLE_CHANNEL), WHOLE_CHANNEL_OWNER)),
            ("user", and(list(OWNER), &["create-channel"])),
            ("channel_member", member()),
            ("channel_moderator", moderator()),
        ],
    };
    with_global_roles(roles)
}

/// The permissions by role, the global roles among them: those of their role, in all teams.
fn with_global_roles(roles: Vec<(&str, Permissions)>) -> BTreeMap<String, Permissions> {
    let mut all: BTreeMap<String, Permissions> =
        roles.into_iter().map(|(role, permissions)| (role.to_owned(), permissions)).collect();
    for (global, role) in [("global_admin", "admin"), ("global_moderator", "moderator")] {
        let of_role = all.get(role).map(Vec::as_slice).unwrap_or_default();
        let of_all_teams = of_role.iter().map(|permission| format!("{permission}-any-team")).collect();
        all.insert(global.to_owned(), of_all_teams);
    }
    all
}

/// The permissions by role in the scope of the app.
pub fn app_defaults() -> BTreeMap<String, Permissions> {
    const OF_USER: &[&str] = &["flag-user", "mute-user", "search-user", "update-user-owner"];
    const OWN_POLLS: &[&str] =
        &["close-poll-owner", "create-poll", "delete-poll-owner", "query-polls", "update-poll-owner"];
    let user = || and(list(OF_USER), OWN_POLLS);
    let moderator = || and(user(), &["read-flag-reports", "update-flag-report"]);
    with_global_roles(vec![
        ("admin", moderator()),
        ("moderator", moderator()),
        ("user", user()),
        ("guest", list(OF_USER)),
    ])
}
