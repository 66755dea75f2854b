//! The built-in channel types and what a channel makes of them.

use std::collections::BTreeMap;

use natterjack_protocol::Timestamp;
use natterjack_protocol::channel_types::{ChannelConfigOverrides, ChannelTypeConfig, Command};

use crate::grants;

/// Names of the types that every app has.
pub const BUILT_IN: [&str; 5] = ["commerce", "gaming", "livestream", "messaging", "team"];

/// Message length of a type without a setting of its own.
const MESSAGE_LENGTH_DEFAULT: i64 = 5000;

/// The configuration of a built-in type, without grants. `None` for another name.
pub fn built_in(name: &str, created_at: Timestamp) -> Option<ChannelTypeConfig> {
    let name = BUILT_IN.into_iter().find(|built_in| *built_in == name)?;
    let live = name == "livestream";
    Some(ChannelTypeConfig {
        name: name.to_owned(),
        created_at,
        updated_at: created_at,
        automod: "disabled".to_owned(),
        automod_behavior: "flag".to_owned(),
        blocklist_behavior: Some("flag".to_owned()),
        max_message_length: MESSAGE_LENGTH_DEFAULT,
        typing_events: !live,
        read_events: !live,
        connect_events: !live,
        delivery_events: true,
        custom_events: true,
        reactions: true,
        replies: true,
        quotes: true,
        search: true,
        mutes: true,
        uploads: true,
        url_enrichment: !live,
        push_notifications: true,
        // Nothing speaks against counting here, and clients show the number.
        count_messages: name == "messaging",
        commands: vec![Command {
            name: "giphy".to_owned(),
            description: "Post a random gif to the channel".to_owned(),
            args: "[text]".to_owned(),
            set: "fun_set".to_owned(),
            ..Command::default()
        }],
        ..ChannelTypeConfig::default()
    })
}

/// As a channel type is shown: with its grants.
pub fn with_grants(config: ChannelTypeConfig) -> ChannelTypeConfig {
    let grants = grants::defaults(&config.name);
    ChannelTypeConfig { permissions: Some(Vec::new()), grants: Some(grants), ..config }
}

/// The configuration of one channel: that of its type with the channel's own settings on top.
pub fn effective(
    config: &ChannelTypeConfig,
    overrides: Option<&ChannelConfigOverrides>,
) -> ChannelTypeConfig {
    let mut config = config.clone();
    let Some(overrides) = overrides else { return config };
    macro_rules! set {
        ($($field:ident),*) => { $(if let Some(value) = &overrides.$field { config.$field = value.clone(); })* };
    }
    macro_rules! set_optional {
        ($($field:ident),*) => { $(if overrides.$field.is_some() { config.$field = overrides.$field.clone(); })* };
    }
    set!(
        count_messages,
        max_message_length,
        quotes,
        reactions,
        replies,
        shared_locations,
        typing_events,
        uploads,
        url_enrichment,
        user_message_reminders
    );
    set_optional!(blocklist, blocklist_behavior, push_level, chat_preferences);
    if let Some(names) = &overrides.commands {
        config.commands.retain(|command| names.contains(&command.name));
    }
    if let Some(changes) = &overrides.grants {
        config.grants = Some(apply_grants(grants::defaults(&config.name), changes));
    }
    config
}

/// Adds the listed permissions to each role; one that begins with `!` is taken away.
fn apply_grants(
    mut grants: BTreeMap<String, Vec<String>>,
    changes: &BTreeMap<String, Vec<String>>,
) -> BTreeMap<String, Vec<String>> {
    for (role, permissions) in changes {
        let granted = grants.entry(role.clone()).or_default();
        for permission in permissions {
            match permission.strip_prefix('!') {
                Some(revoked) => granted.retain(|granted| granted != revoked),
                None if !granted.contains(permission) => granted.push(permission.clone()),
                None => {}
            }
        }
    }
    grants
}
