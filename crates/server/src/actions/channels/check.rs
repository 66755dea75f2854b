//! The checks that creating and updating channels share.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use natterjack_protocol::channel_types::{ChannelConfigOverrides, ChannelTypeConfig};
use natterjack_protocol::channels::ChannelInput;
use natterjack_protocol::members::ChannelMemberRequest;
use natterjack_protocol::{ErrorCode, UserId};
use natterjack_storage::{ChannelChange, NewMember};
use sha2::{Digest, Sha256};

use crate::actions::channel_types::{
    check_chat_preferences, check_message_length, check_one_of, check_push_level,
};
use crate::actions::permissions::check_grants;
use crate::actions::{check_count, check_custom, check_length, check_size, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{
    BATCH_MAX, COOLDOWN_MAX, CUSTOM_SIZE_MAX, FILTER_TAG_LENGTH_MAX, FILTER_TAGS_MAX, LANGUAGES_LENGTH_MAX,
    MEMBER_CUSTOM_INCLUDE_LENGTH_MAX, MEMBER_CUSTOM_INCLUDE_MAX, ROLE_LENGTH_MAX, TEAM_SIZE_MAX,
};
use crate::permissions::{Action, USER_ROLES};
use crate::state::State;
use crate::state::access::{self, Access};

/// What the id of a distinct channel begins with.
pub(super) const DISTINCT_PREFIX: &str = "!members-";
/// Role of a member for whom none was given.
pub(super) const MEMBER_ROLE_DEFAULT: &str = "channel_member";
/// Names in custom channel data that the API has a meaning of its own for.
pub(super) const RESERVED: [&str; 22] = [
    "id",
    "type",
    "cid",
    "created_at",
    "updated_at",
    "deleted_at",
    "created_by",
    "created_by_id",
    "last_message_at",
    "member_count",
    "message_count",
    "members",
    "config",
    "own_capabilities",
    "cooldown",
    "muted",
    "mute_expires_at",
    "hidden",
    "truncated_at",
    "truncated_by",
    "frozen",
    "disabled",
];

/// The id of the distinct channel of these members, whatever their order.
pub(crate) fn distinct_id(members: &[String]) -> String {
    let sorted: BTreeSet<&str> = members.iter().map(String::as_str).collect();
    let mut hash = Sha256::new();
    for member in sorted {
        hash.update(member.as_bytes());
        // No user id holds a comma, so that no two lists of members read the same.
        hash.update(b",");
    }
    format!("{DISTINCT_PREFIX}{}", URL_SAFE_NO_PAD.encode(hash.finalize()))
}

pub(crate) fn check_member_custom_include(keys: Vec<String>) -> Result<Vec<String>> {
    check_count("member_custom_include", keys.len(), MEMBER_CUSTOM_INCLUDE_MAX)?;
    for key in &keys {
        check_length("member_custom_include", key, MEMBER_CUSTOM_INCLUDE_LENGTH_MAX)?;
    }
    Ok(keys)
}

/// The data that a request gives to a channel. `was` is what stays where nothing is given.
pub(super) fn check_data(
    state: &State,
    caller: &Caller,
    config: &ChannelTypeConfig,
    data: &ChannelInput,
    was: ChannelChange,
) -> Result<ChannelChange> {
    if let Some(custom) = &data.custom {
        if let Some(reserved) = RESERVED.iter().find(|name| custom.contains_key(**name)) {
            return Err(Error::reserved(&format!("data.{reserved}")));
        }
        check_custom("data.custom", custom)?;
    }
    check_team("data.team", data.team.as_deref())?;
    if let Some(tags) = &data.filter_tags {
        check_filter_tags("data.filter_tags", tags)?;
    }
    check_language("data.auto_translation_language", data.auto_translation_language.as_deref())?;
    if let Some(overrides) = &data.config_overrides {
        check_overrides(state, caller, "data.config_overrides", config, overrides)?;
    }
    Ok(ChannelChange {
        team: data.team.clone().filter(|team| !team.is_empty()).or(was.team),
        custom: data.custom.clone().unwrap_or(was.custom),
        // An empty object clears all of them.
        config_overrides: match &data.config_overrides {
            Some(given) if *given == ChannelConfigOverrides::default() => None,
            Some(given) => Some(given.clone()),
            None => was.config_overrides,
        },
        filter_tags: data.filter_tags.clone().unwrap_or(was.filter_tags),
        frozen: data.frozen.unwrap_or(was.frozen),
        disabled: data.disabled.unwrap_or(was.disabled),
        cooldown: was.cooldown,
        auto_translation_enabled: data.auto_translation_enabled.unwrap_or(was.auto_translation_enabled),
        auto_translation_language: data.auto_translation_language.clone().or(was.auto_translation_language),
    })
}

pub(super) fn check_filter_tags(field: &str, tags: &[String]) -> Result<()> {
    check_count(field, tags.len(), FILTER_TAGS_MAX)?;
    tags.iter().try_for_each(|tag| check_length(field, tag, FILTER_TAG_LENGTH_MAX))
}

pub(super) fn check_team(field: &str, team: Option<&str>) -> Result<()> {
    if team.is_some_and(|team| team.len() > TEAM_SIZE_MAX) {
        return Err(Error::field(field, format!("must be at most {TEAM_SIZE_MAX} bytes long")));
    }
    Ok(())
}

pub(super) fn check_language(field: &str, language: Option<&str>) -> Result<()> {
    language.map_or(Ok(()), |language| check_length(field, language, LANGUAGES_LENGTH_MAX))
}

/// Slow mode, in seconds.
pub(super) fn check_cooldown(field: &str, cooldown: i64) -> Result<i64> {
    if !(0..=COOLDOWN_MAX).contains(&cooldown) {
        return Err(Error::field(field, format!("must be between 0 and {COOLDOWN_MAX}")));
    }
    Ok(cooldown)
}

pub(super) fn check_overrides(
    state: &State,
    caller: &Caller,
    field: &str,
    config: &ChannelTypeConfig,
    overrides: &ChannelConfigOverrides,
) -> Result<()> {
    let within = |name: &str| format!("{field}.{name}");
    check_message_length(&within("max_message_length"), overrides.max_message_length)?;
    check_one_of(&within("blocklist_behavior"), overrides.blocklist_behavior.as_deref(), &["flag", "block"])?;
    check_push_level(&within("push_level"), overrides.push_level.as_deref())?;
    check_chat_preferences(&within("chat_preferences"), overrides.chat_preferences.as_ref())?;
    let unknown = overrides
        .commands
        .iter()
        .flatten()
        .find(|name| !config.commands.iter().any(|command| command.name == **name));
    if let Some(name) = unknown {
        return Err(Error::field(
            &format!("{field}.commands"),
            format!("names a command that the channel type does not have: {name}"),
        ));
    }
    if let Some(grants) = &overrides.grants {
        check_grants(state, caller, &within("grants"), grants, true)?;
    }
    check_size(field, overrides, CUSTOM_SIZE_MAX)
}

/// Checks members to be added, and that all of them exist, or come to be by the user objects of a server. The first of two
/// entries for a user wins.
pub(super) async fn check_members(
    state: &State,
    caller: &Caller,
    field: &str,
    requests: &[ChannelMemberRequest],
    invited: bool,
) -> Result<Vec<NewMember>> {
    check_count(field, requests.len(), BATCH_MAX)?;
    let mut members: Vec<NewMember> = Vec::with_capacity(requests.len());
    for request in requests {
        let user_id = request.id();
        if user_id.is_empty() {
            return Err(Error::required(&format!("{field}.user_id")));
        }
        UserId::parse(user_id).map_err(|error| Error::id(&format!("{field}.user_id"), &error))?;
        check_custom(&format!("{field}.custom"), &request.custom)?;
        if members.iter().any(|member| member.user_id == user_id) {
            continue;
        }
        members.push(NewMember {
            user_id: user_id.to_owned(),
            channel_role: check_channel_role(field, request.channel_role.as_deref())?,
            custom: request.custom.clone(),
            invited,
            hidden: false,
            hide_messages_before: None,
        });
    }
    if caller.is_server() {
        let what = format!("{field}.user");
        if requests.iter().any(|request| request.user.as_ref().is_some_and(|user| user.id != request.id())) {
            return Err(Error::field(&format!("{what}.id"), "must be equal to user_id"));
        }
        users::accompany_all(state, caller, &what, requests.iter().filter_map(|one| one.user.as_ref()))
            .await?;
    }
    check_all_exist(state, caller, members.iter().map(|member| member.user_id.as_str())).await?;
    Ok(members)
}

/// Refuses members of other teams than the channel's, where the app keeps teams apart.
pub(super) async fn check_teams(
    state: &State,
    caller: &Caller,
    team: Option<&str>,
    members: impl Iterator<Item = &NewMember> + Clone,
) -> Result<()> {
    let (Some(team), Some(true)) = (team, state.current_app(&caller.app).app.settings.multi_tenant_enabled)
    else {
        return Ok(());
    };
    let users = state.users(caller.app.pk, members.map(|member| member.user_id.as_str())).await?;
    let mut strangers: Vec<&str> = users
        .values()
        .filter(|cached| !cached.user.teams.iter().any(|own| own == team))
        .map(|cached| cached.user.id.as_str())
        .collect();
    strangers.sort_unstable();
    if strangers.is_empty() {
        return Ok(());
    }
    Err(Error::input(format!("users [{}] are not in the channel's team {team:?}", strangers.join(" "))))
}

/// A role within a channel. Roles of users are not roles of members.
pub(crate) fn check_channel_role(field: &str, role: Option<&str>) -> Result<String> {
    let role = role.filter(|role| !role.is_empty()).unwrap_or(MEMBER_ROLE_DEFAULT);
    check_length(&format!("{field}.channel_role"), role, ROLE_LENGTH_MAX)?;
    if USER_ROLES.contains(&role) {
        return Err(Error::field(
            &format!("{field}.channel_role"),
            format!("must be a role of a channel, {role} is a role of users"),
        ));
    }
    Ok(role.to_owned())
}

/// Refuses changes of a channel's data that the caller may not make.
pub(super) fn check_may_change(access: &Access, change: &ChannelChange) -> Result<()> {
    if access.is_server() {
        return Ok(());
    }
    let was = ChannelChange::from(&access.channel);
    if change.team != was.team {
        return Err(protected("changing channel team is not allowed client-side"));
    }
    check_protected(
        change.config_overrides != was.config_overrides,
        change.disabled != was.disabled,
        change.auto_translation_enabled != was.auto_translation_enabled,
    )?;
    if change.frozen != was.frozen {
        access.require(Action::UpdateChannelFrozen)?;
    }
    if change.cooldown != was.cooldown {
        access.require(Action::UpdateChannelCooldown)?;
    }
    let rest = ChannelChange { frozen: was.frozen, cooldown: was.cooldown, ..change.clone() };
    // A change of nothing is told to the members all the same.
    if rest != was || *change == was { access.require(Action::UpdateChannel) } else { Ok(()) }
}

/// Refuses a client who sets what only servers set.
pub(super) fn check_protected(config_overrides: bool, disabled: bool, auto_translation: bool) -> Result<()> {
    for (name, is_set) in [
        ("config_overrides", config_overrides),
        ("disabled", disabled),
        ("auto_translation_enabled", auto_translation),
    ] {
        if is_set {
            return Err(protected(&format!("changing {name} is not allowed client-side")));
        }
    }
    Ok(())
}

/// A refusal to let a client change a setting that is the servers'.
pub(super) fn protected(text: &str) -> Error {
    Error::caller(ErrorCode::Authentication, text)
}

/// Refuses a client who gives roles to members.
pub(super) fn check_no_roles(requests: &[ChannelMemberRequest]) -> Result<()> {
    let mut roles = requests.iter().filter_map(|request| request.channel_role.as_deref());
    if roles.any(|role| !role.is_empty() && role != MEMBER_ROLE_DEFAULT) {
        return Err(roles_are_the_servers());
    }
    Ok(())
}

pub(super) fn roles_are_the_servers() -> Error {
    Error::denied("roles of members can only be changed with server-side auth")
}

/// Refuses users who do not exist, all of them in one message.
pub(super) async fn check_all_exist<'a>(
    state: &State,
    caller: &Caller,
    ids: impl Iterator<Item = &'a str> + Clone,
) -> Result<()> {
    let found = state.users(caller.app.pk, ids.clone()).await?;
    let client = access::subject(state, caller).await?;
    let is_there = |user| users::is_there(state, caller, client.as_ref(), user);
    let unknown: BTreeSet<&str> =
        ids.filter(|id| found.get(*id).is_none_or(|user| !is_there(user))).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let unknown: Vec<&str> = unknown.into_iter().collect();
    Err(Error::input(format!(
        "The following users are involved in channel create operation, but don't exist: [{}]. \
         Please create the user objects before setting up the channel.",
        unknown.join(" ")
    )))
}
