use natterjack_protocol::channel_types::{
    BlockListOptions, ChannelTypeConfig, ChannelTypeRequest, ChatPreferences, Grants, Thresholds,
};
use natterjack_protocol::{ChannelTypeName, Timestamp};
use natterjack_storage::Tx;

use super::permissions::check_grants;
use super::{check_count, check_length, check_size};
use crate::auth::Caller;
use crate::channel_types::{self, BUILT_IN, WrittenType};
use crate::commands;
use crate::error::{Error, Result};
use crate::limits::{
    BLOCKLISTS_MAX, CHANNEL_TYPE_SIZE_MAX, CHANNEL_TYPES_MAX, FLAG_REASONS_MAX, MESSAGE_LENGTH_MAX,
    NAME_LENGTH_MAX, PARTITION_SIZE_MIN, POLICIES_MAX, RETENTION_DAYS_MAX,
};
use crate::permissions::grants;
use crate::state::State;

/// What is to be done with the channel types of an app. Only the `check_*` functions make one.
struct TypePlan {
    app_pk: i64,
    app_created_at: Timestamp,
    name: String,
    request: ChannelTypeRequest,
    now: Timestamp,
}

/// Every channel type of the app, as it is in the database now.
pub(crate) async fn list_channel_types(state: &State, caller: &Caller) -> Result<Vec<ChannelTypeConfig>> {
    // Asked for seldom, and then to see what another process changed as well.
    state.reload_apps().await?;
    Ok(state
        .current_app(&caller.app)
        .types
        .values()
        .map(|found| ChannelTypeConfig::clone(&found.of_type))
        .collect())
}

/// One channel type, as it is in the database now.
pub(crate) async fn get_channel_type(
    state: &State,
    caller: &Caller,
    name: &str,
) -> Result<ChannelTypeConfig> {
    state.reload_apps().await?;
    let found = state.channel_type(&caller.app, name).ok_or_else(|| not_found(name))?;
    Ok(ChannelTypeConfig::clone(&found))
}

fn not_found(name: &str) -> Error {
    Error::not_found("channel type", name)
}

/// Creates a channel type. With `complete` the settings without which version 2 makes none must be given.
pub(crate) async fn create_channel_type(
    state: &State,
    caller: &Caller,
    request: ChannelTypeRequest,
    complete: bool,
) -> Result<WrittenType> {
    state.reload_apps().await?;
    let plan = check_create(state, caller, without_empty(request), complete)?;
    let created = state
        .store
        .write("create_channel_type", plan, |tx, plan| Box::pin(do_create_channel_type(tx, plan)))
        .await?;
    state.reload_apps().await?;
    Ok(shown(created))
}

/// Takes empty texts for missing where a setting cannot be empty.
fn without_empty(mut request: ChannelTypeRequest) -> ChannelTypeRequest {
    for text in [&mut request.automod, &mut request.automod_behavior, &mut request.message_retention] {
        *text = text.take().filter(|text| !text.is_empty());
    }
    request
}

fn check_create(
    state: &State,
    caller: &Caller,
    request: ChannelTypeRequest,
    complete: bool,
) -> Result<TypePlan> {
    let name = request.name.as_deref().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Error::required("name"))?;
    let name = ChannelTypeName::parse(name).map_err(|error| Error::id("name", &error))?.to_string();
    for (field, given) in [
        ("automod", request.automod.is_some()),
        ("automod_behavior", request.automod_behavior.is_some()),
        ("max_message_length", request.max_message_length.is_some()),
    ] {
        if complete && !given {
            return Err(Error::required(field));
        }
    }
    check_settings(state, caller, &request)?;
    Ok(TypePlan {
        app_pk: caller.app.pk,
        app_created_at: caller.app.created_at,
        name,
        request,
        now: state.now(),
    })
}

async fn do_create_channel_type(tx: &mut Tx, plan: &TypePlan) -> Result<WrittenType> {
    tx.advance_app(plan.app_pk, plan.now).await?;
    let stored = tx.list_channel_types(plan.app_pk).await?;
    let taken = stored.iter().map(|stored| stored.name.as_str()).chain(BUILT_IN);
    if taken.into_iter().any(|name| name == plan.name) {
        return Err(Error::field("name", format!("is taken: a channel type {} already exists", plan.name)));
    }
    let own = stored.iter().filter(|stored| !BUILT_IN.contains(&stored.name.as_str())).count();
    if own + BUILT_IN.len() >= CHANNEL_TYPES_MAX {
        return Err(Error::input(format!("an app has at most {CHANNEL_TYPES_MAX} channel types")));
    }
    // A type without grants of its own copies those of messaging, also where the app changed them.
    let messaging = stored.iter().find(|stored| stored.name == "messaging");
    let base = WrittenType {
        grants: messaging.and_then(|messaging| messaging.grants.clone()),
        ..channel_types::new_type(&plan.name, plan.now)
    };
    let created = changed(base, &plan.request)?;
    tx.put_channel_type(plan.app_pk, &created).await?;
    Ok(created)
}

/// Changes the settings of a channel type that are given.
pub(crate) async fn update_channel_type(
    state: &State,
    caller: &Caller,
    name: &str,
    request: ChannelTypeRequest,
) -> Result<WrittenType> {
    state.reload_apps().await?;
    let request = without_empty(request);
    check_settings(state, caller, &request)?;
    let plan = TypePlan {
        app_pk: caller.app.pk,
        app_created_at: caller.app.created_at,
        name: name.to_owned(),
        request,
        now: state.now(),
    };
    let updated = state
        .store
        .write("update_channel_type", plan, |tx, plan| Box::pin(do_update_channel_type(tx, plan)))
        .await?;
    state.reload_apps().await?;
    Ok(shown(updated))
}

async fn do_update_channel_type(tx: &mut Tx, plan: &TypePlan) -> Result<WrittenType> {
    tx.advance_app(plan.app_pk, plan.now).await?;
    let stored =
        tx.list_channel_types(plan.app_pk).await?.into_iter().find(|stored| stored.name == plan.name);
    let was = stored.or_else(|| channel_types::built_in(&plan.name, plan.app_created_at));
    let was = was.ok_or_else(|| not_found(&plan.name))?;
    let request = &plan.request;
    for (field, is_other) in [
        ("name", request.name.as_ref().is_some_and(|name| *name != was.name)),
        ("created_at", request.created_at.is_some_and(|at| at != was.created_at)),
        ("updated_at", request.updated_at.is_some_and(|at| at != was.updated_at)),
    ] {
        if is_other {
            return Err(Error::field(field, "cannot be changed"));
        }
    }
    let updated = changed(WrittenType { updated_at: plan.now, ..was }, request)?;
    tx.put_channel_type(plan.app_pk, &updated).await?;
    Ok(updated)
}

/// Deletes a channel type, or brings back the defaults of a built-in one.
pub(crate) async fn delete_channel_type(state: &State, caller: &Caller, name: &str) -> Result<()> {
    let input = (caller.app.pk, name.to_owned(), state.now());
    state
        .store
        .write("delete_channel_type", input, |tx, (app_pk, name, now)| {
            Box::pin(do_delete_channel_type(tx, *app_pk, name, *now))
        })
        .await?;
    state.reload_apps().await
}

async fn do_delete_channel_type(tx: &mut Tx, app_pk: i64, name: &str, now: Timestamp) -> Result<()> {
    // From here on no channel is created that did not see the type go.
    tx.advance_app(app_pk, now).await?;
    let is_stored = tx.list_channel_types(app_pk).await?.iter().any(|stored| stored.name == name);
    if !is_stored && !BUILT_IN.contains(&name) {
        return Err(not_found(name));
    }
    if tx.has_channels_of_type(app_pk, name).await? {
        return Err(Error::field(
            "name",
            format!("is in use: there are channels of type {name}; delete them first"),
        ));
    }
    Ok(tx.delete_channel_type(app_pk, name).await?)
}

/// A type as creating and updating it answers: with its grants.
fn shown(written: WrittenType) -> WrittenType {
    let grants = channel_types::grants_of(&written);
    WrittenType {
        grants: Some(grants),
        permissions: Some(written.permissions.clone().unwrap_or_default()),
        ..written
    }
}

/// The type with the settings that a request names.
fn changed(was: WrittenType, request: &ChannelTypeRequest) -> Result<WrittenType> {
    let mut config = was;
    macro_rules! set {
        ($($field:ident),* $(,)?) => { $(if let Some(value) = &request.$field { config.$field = value.clone(); })* };
    }
    macro_rules! set_optional {
        ($($field:ident),* $(,)?) => {
            $(if request.$field.is_some() { config.$field = request.$field.clone(); })*
        };
    }
    set!(
        automod,
        automod_behavior,
        max_message_length,
        connect_events,
        count_messages,
        custom_events,
        delivery_events,
        mark_messages_pending,
        mutes,
        polls,
        push_notifications,
        quotes,
        reactions,
        read_events,
        reminders,
        replies,
        search,
        shared_locations,
        skip_last_msg_update_for_system_msgs,
        typing_events,
        uploads,
        url_enrichment,
        user_message_reminders,
    );
    set_optional!(
        message_retention,
        permissions,
        blocklist,
        blocklist_behavior,
        blocklists,
        partition_size,
        partition_ttl,
        push_level,
        allowed_flag_reasons,
        automod_thresholds,
        chat_preferences,
    );
    // Empty takes away what can be absent.
    config.blocklist = config.blocklist.filter(|name| !name.is_empty());
    config.blocklist_behavior = config.blocklist_behavior.filter(|behavior| !behavior.is_empty());
    config.partition_size = config.partition_size.filter(|size| *size > 0);
    config.partition_ttl = config.partition_ttl.filter(|time| !time.is_empty());
    config.push_level = config.push_level.filter(|level| !level.is_empty());
    if let Some(names) = &request.commands {
        config.commands = names.iter().flat_map(|name| commands::expand(name)).map(str::to_owned).collect();
        let mut seen = std::collections::HashSet::new();
        config.commands.retain(|name| seen.insert(name.clone()));
    }
    match &request.grants {
        None => {}
        Some(None) => config.grants = None,
        Some(Some(given)) => {
            let was = config.grants.take().unwrap_or_else(|| grants::defaults(&config.name));
            config.grants = Some(replace_grants(was, given));
        }
    }
    check_size("the channel type", &config, CHANNEL_TYPE_SIZE_MAX)?;
    Ok(config)
}

/// Gives the roles that are named the listed permissions and nothing else; an empty list takes all of a role's.
pub(crate) fn replace_grants(mut was: Grants, given: &Grants) -> Grants {
    for (role, permissions) in given {
        if permissions.is_empty() {
            was.remove(role);
        } else {
            was.insert(role.clone(), permissions.clone());
        }
    }
    was
}

/// Refuses settings that no channel type may have.
fn check_settings(state: &State, caller: &Caller, request: &ChannelTypeRequest) -> Result<()> {
    const BEHAVIORS: &[&str] = &["flag", "block", "shadow_block"];
    check_one_of("automod", request.automod.as_deref(), &["disabled", "simple", "AI"])?;
    check_one_of("automod_behavior", request.automod_behavior.as_deref(), BEHAVIORS)?;
    check_one_of("blocklist_behavior", request.blocklist_behavior.as_deref(), BEHAVIORS)?;
    check_message_length("max_message_length", request.max_message_length)?;
    check_push_level("push_level", request.push_level.as_deref())?;
    check_chat_preferences("chat_preferences", request.chat_preferences.as_ref())?;
    check_retention(request.message_retention.as_deref())?;
    check_partitions(request.partition_size, request.partition_ttl.as_deref())?;
    check_length("blocklist", request.blocklist.as_deref().unwrap_or_default(), NAME_LENGTH_MAX)?;
    let unknown = request.commands.iter().flatten().find(|name| commands::expand(name).next().is_none());
    if let Some(name) = unknown {
        return Err(Error::field("commands", format!("names a command that doesn't exist: {name}")));
    }
    for list in request.blocklists.iter().flatten() {
        let BlockListOptions { behavior, blocklist } = list;
        if blocklist.is_empty() {
            return Err(Error::required("blocklists.blocklist"));
        }
        check_length("blocklists.blocklist", blocklist, NAME_LENGTH_MAX)?;
        check_one_of("blocklists.behavior", Some(behavior), BEHAVIORS)?;
    }
    check_count("blocklists", request.blocklists.as_ref().map_or(0, Vec::len), BLOCKLISTS_MAX)?;
    check_count("permissions", request.permissions.as_ref().map_or(0, Vec::len), POLICIES_MAX)?;
    let reasons = request.allowed_flag_reasons.as_deref().unwrap_or_default();
    check_flag_reasons("allowed_flag_reasons", reasons)?;
    check_thresholds(request.automod_thresholds.as_ref())?;
    match &request.grants {
        Some(Some(grants)) => check_grants(state, caller, "grants", grants, false),
        _ => Ok(()),
    }
}

/// A text that must be one of a few; empty and absent are not looked at.
pub(crate) fn check_one_of(field: &str, given: Option<&str>, allowed: &[&str]) -> Result<()> {
    match given {
        Some(text) if !text.is_empty() && !allowed.contains(&text) => {
            Err(Error::field(field, format!("must be one of: {}", allowed.join(", "))))
        }
        _ => Ok(()),
    }
}

/// The length that messages may be configured to have.
pub(crate) fn check_message_length(field: &str, length: Option<i64>) -> Result<()> {
    if length.is_some_and(|length| !(1..=MESSAGE_LENGTH_MAX).contains(&length)) {
        return Err(Error::field(field, format!("must be between 1 and {MESSAGE_LENGTH_MAX}")));
    }
    Ok(())
}

pub(crate) fn check_push_level(field: &str, level: Option<&str>) -> Result<()> {
    check_one_of(field, level, &["all", "all_mentions", "mentions", "direct_mentions", "none"])
}

pub(crate) fn check_chat_preferences(field: &str, preferences: Option<&ChatPreferences>) -> Result<()> {
    let Some(given) = preferences else { return Ok(()) };
    for (name, preference) in [
        ("channel_mentions", &given.channel_mentions),
        ("default_preference", &given.default_preference),
        ("direct_mentions", &given.direct_mentions),
        ("distinct_channel_messages", &given.distinct_channel_messages),
        ("group_mentions", &given.group_mentions),
        ("here_mentions", &given.here_mentions),
        ("role_mentions", &given.role_mentions),
        ("thread_replies", &given.thread_replies),
    ] {
        check_one_of(&format!("{field}.{name}"), preference.as_deref(), &["all", "none"])?;
    }
    Ok(())
}

/// Reasons that may be given when something is flagged.
pub(crate) fn check_flag_reasons(field: &str, reasons: &[String]) -> Result<()> {
    check_count(field, reasons.len(), FLAG_REASONS_MAX)?;
    reasons.iter().try_for_each(|reason| check_length(field, reason, NAME_LENGTH_MAX))
}

fn check_retention(retention: Option<&str>) -> Result<()> {
    let is_valid = |text: &str| {
        text == "infinite" || text.parse().is_ok_and(|days: u32| (1..=RETENTION_DAYS_MAX).contains(&days))
    };
    match retention {
        Some(text) if !is_valid(text) => Err(Error::field(
            "message_retention",
            format!("must be infinite or a number of days from 1 to {RETENTION_DAYS_MAX}"),
        )),
        _ => Ok(()),
    }
}

fn check_partitions(size: Option<i64>, time: Option<&str>) -> Result<()> {
    if size.is_some_and(|size| size != 0 && size < PARTITION_SIZE_MIN) {
        return Err(Error::field("partition_size", format!("must be {PARTITION_SIZE_MIN} or more")));
    }
    match time {
        Some(time) if !time.is_empty() && !is_duration(time) => {
            Err(Error::field("partition_ttl", "must be a time such as 2h30m0s"))
        }
        _ => Ok(()),
    }
}

/// Whether a text is written as durations are: numbers, each followed by a unit.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let unit = number.trim_start_matches(|c: char| c.is_ascii_lowercase());
        let (digits, name) = (&rest[..rest.len() - number.len()], &number[..number.len() - unit.len()]);
        if digits.parse::<f64>().is_err() || !matches!(name, "h" | "m" | "s" | "ms") {
            return false;
        }
        rest = unit;
    }
    text.len() <= 32
}

fn check_thresholds(thresholds: Option<&Thresholds>) -> Result<()> {
    let Some(given) = thresholds else { return Ok(()) };
    for label in [&given.explicit, &given.spam, &given.toxic].into_iter().flatten() {
        if [label.block, label.flag].into_iter().flatten().any(|score| !(0.0..=1.0).contains(&score)) {
            return Err(Error::field("automod_thresholds", "must be scores from 0 to 1"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_duration;

    #[test]
    fn durations_are_numbers_with_units() {
        for good in ["2h30m0s", "90s", "1.5h", "250ms"] {
            assert!(is_duration(good), "{good}");
        }
        for bad in ["2", "h", "2 h", "-1h", "1d", "1h2", "1.2.3h"] {
            assert!(!is_duration(bad), "{bad}");
        }
    }
}
