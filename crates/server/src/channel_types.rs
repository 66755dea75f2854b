//! The built-in channel types, what an app makes of them, and what a channel makes of its type.

use std::collections::BTreeMap;
use std::sync::Arc;

use natterjack_protocol::Timestamp;
use natterjack_protocol::channel_types::{ChannelConfigOverrides, ChannelTypeConfig, Grants};

use crate::commands;
use crate::permissions::{CustomPermissions, Scope, grants};

/// Names of the types that every app has.
pub const BUILT_IN: [&str; 5] = ["commerce", "gaming", "livestream", "messaging", "team"];

/// Message length of a type without a setting of its own.
const MESSAGE_LENGTH_DEFAULT: i64 = 5000;

/// A channel type as it is written, commands by name; without grants it has the defaults.
pub type WrittenType = ChannelTypeConfig<String>;

/// A channel type in its two forms.
#[derive(Debug, Clone)]
pub struct ChannelType {
    /// As a type is shown: with its grants.
    pub of_type: Arc<ChannelTypeConfig>,
    /// As a channel without settings of its own shows it: without grants.
    of_channel: Arc<ChannelTypeConfig>,
    /// What the grants allow.
    pub(crate) scope: Arc<Scope>,
}

/// The settings of a type for which nothing is given but its name.
pub fn new_type(name: &str, now: Timestamp) -> WrittenType {
    WrittenType {
        name: name.to_owned(),
        created_at: now,
        updated_at: now,
        automod: "disabled".to_owned(),
        automod_behavior: "flag".to_owned(),
        blocklist_behavior: Some("flag".to_owned()),
        max_message_length: MESSAGE_LENGTH_DEFAULT,
        typing_events: true,
        read_events: true,
        connect_events: true,
        delivery_events: true,
        custom_events: true,
        reactions: true,
        replies: true,
        quotes: true,
        search: true,
        mutes: true,
        uploads: true,
        url_enrichment: true,
        push_notifications: true,
        ..WrittenType::default()
    }
}

/// The settings of a built-in type that the app did not change. `None` for another name.
pub fn built_in(name: &str, created_at: Timestamp) -> Option<WrittenType> {
    let name = BUILT_IN.into_iter().find(|built_in| *built_in == name)?;
    let live = name == "livestream";
    Some(WrittenType {
        typing_events: !live,
        read_events: !live,
        connect_events: !live,
        url_enrichment: !live,
        // Nothing speaks against counting here, and clients show the number.
        count_messages: name == "messaging",
        commands: vec!["giphy".to_owned()],
        ..new_type(name, created_at)
    })
}

/// Every type of an app, by name: the built-in ones, and `stored` ones beside them or in their place.
pub(crate) fn all(
    stored: Vec<WrittenType>,
    created_at: Timestamp,
    custom: &CustomPermissions,
) -> BTreeMap<String, ChannelType> {
    let built_in = BUILT_IN.into_iter().filter_map(|name| built_in(name, created_at));
    built_in.chain(stored).map(|written| (written.name.clone(), ChannelType::new(written, custom))).collect()
}

/// The permissions that are granted in a type.
pub fn grants_of(written: &WrittenType) -> Grants {
    written.grants.clone().unwrap_or_else(|| grants::defaults(&written.name))
}

impl ChannelType {
    fn new(written: WrittenType, custom: &CustomPermissions) -> Self {
        let commands = written.commands.iter().filter_map(|name| commands::find(name)).collect();
        let grants = grants_of(&written);
        let scope = Arc::new(Scope::compile(&grants, custom));
        let permissions = written.permissions.clone().unwrap_or_default();
        let config = written.with_commands(commands);
        let of_channel = ChannelTypeConfig { permissions: None, grants: None, ..config };
        Self {
            of_type: Arc::new(ChannelTypeConfig {
                permissions: Some(permissions),
                grants: Some(grants),
                ..of_channel.clone()
            }),
            of_channel: Arc::new(of_channel),
            scope,
        }
    }

    /// What the grants allow in one channel: those of its type with the channel's own changes.
    pub(crate) fn scope_in(
        &self,
        overrides: Option<&ChannelConfigOverrides>,
        custom: &CustomPermissions,
    ) -> Arc<Scope> {
        let Some(changes) = overrides.and_then(|overrides| overrides.grants.as_ref()) else {
            return Arc::clone(&self.scope);
        };
        let grants = apply_grants(self.of_type.grants.clone().unwrap_or_default(), changes);
        Arc::new(Scope::compile(&grants, custom))
    }

    /// The configuration of one channel: that of its type with the channel's own settings on top.
    pub fn effective(&self, overrides: Option<&ChannelConfigOverrides>) -> Arc<ChannelTypeConfig> {
        let Some(overrides) = overrides else { return Arc::clone(&self.of_channel) };
        let mut config = ChannelTypeConfig::clone(&self.of_channel);
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
            config.grants = Some(apply_grants(self.of_type.grants.clone().unwrap_or_default(), changes));
        }
        Arc::new(config)
    }
}

/// Adds the listed permissions to each role; one that begins with `!` is taken away.
fn apply_grants(mut grants: Grants, changes: &Grants) -> Grants {
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
