use std::collections::BTreeMap;

use natterjack_protocol::app::{
    ApnConfigFields, AppResponseFields, AppSettings, EventHook, FileUploadConfig, FirebaseConfigFields,
    HuaweiConfigFields, PushNotificationFields, XiaomiConfigFields,
};
use natterjack_protocol::events::Event;
use natterjack_protocol::{JsonMap, Timestamp};
use natterjack_storage::{App, Tx};
use serde_json::Value;
use uuid::Uuid;

use super::channel_types::{check_flag_reasons, check_one_of, replace_grants};
use super::permissions::check_grants;
use super::{check_count, check_length, check_size};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{
    APP_SETTINGS_SIZE_MAX, EVENT_HOOKS_MAX, NAME_LENGTH_MAX, SETTING_LIST_MAX, UPLOAD_SIZE_MAX,
    URL_LENGTH_MAX,
};
use crate::live::tell_app;
use crate::permissions::grants;
use crate::state::State;

/// What is shown in place of a secret. Given back in an update it leaves the secret as it is.
const MASK: &str = "********";
/// The settings, wherever they stand, that are secrets.
const SECRETS: [&str; 9] = [
    "sns_secret",
    "sqs_secret",
    "auth_key",
    "p12_cert",
    "credentials_json",
    "server_key",
    "secret",
    "api_key",
    "gcs_credentials",
];
/// Seconds for which links to files are valid.
const CDN_EXPIRATION_DEFAULT: i64 = 1_209_600;
/// Seconds between two looks at what was not read.
const REMINDERS_INTERVAL_DEFAULT: i64 = 300;

/// Settings to be changed, checked.
struct UpdatePlan {
    app_pk: i64,
    given: AppSettings,
    now: Timestamp,
}

/// The app with its settings, as they are in the database now.
pub(crate) async fn get_app(state: &State, caller: &Caller) -> Result<AppResponseFields> {
    state.reload_apps().await?;
    let current = state.current_app(&caller.app);
    let types = current.types.values().map(|found| {
        let config = found.of_type.as_ref().clone();
        let commands = config.commands.iter().map(|command| command.name.clone()).collect();
        let mut config = config.with_commands(commands);
        (config.permissions, config.grants) = (None, None);
        (config.name.clone(), config)
    });
    let mut shown = present(&current.app);
    shown.channel_configs = types.collect();
    if caller.is_server() { Ok(shown) } else { Ok(for_clients(shown)) }
}

/// What clients need to know of the app: what they may upload and what is switched on, not where it sends its events.
fn for_clients(all: AppResponseFields) -> AppResponseFields {
    AppResponseFields {
        id: all.id,
        name: all.name,
        placement: all.placement,
        permission_version: all.permission_version,
        channel_configs: all.channel_configs,
        file_upload_config: all.file_upload_config,
        image_upload_config: all.image_upload_config,
        multi_tenant_enabled: all.multi_tenant_enabled,
        enforce_unique_usernames: all.enforce_unique_usernames,
        guest_user_creation_disabled: all.guest_user_creation_disabled,
        auto_translation_enabled: all.auto_translation_enabled,
        async_url_enrich_enabled: all.async_url_enrich_enabled,
        cdn_expiration_seconds: all.cdn_expiration_seconds,
        reminders_interval: all.reminders_interval,
        ..AppResponseFields::default()
    }
}

/// Changes the settings that are given, and tells everybody who is connected.
pub(crate) async fn update_app(state: &State, caller: &Caller, given: AppSettings) -> Result<()> {
    state.reload_apps().await?;
    check_settings(state, caller, &given)?;
    let plan = UpdatePlan { app_pk: caller.app.pk, given, now: state.now() };
    state.store.write("update_app", plan, |tx, plan| Box::pin(do_update_app(tx, plan))).await?;
    state.reload_apps().await?;
    let app = for_clients(present(&state.current_app(&caller.app).app));
    let event = Event {
        kind: "app.updated".to_owned(),
        created_at: state.now(),
        app: Some(Box::new(app)),
        ..Event::default()
    };
    tell_app(state, caller.app.pk, &event).await;
    Ok(())
}

async fn do_update_app(tx: &mut Tx, plan: &UpdatePlan) -> Result<()> {
    // Locks the app, so that of two updates at the same time neither is lost.
    tx.advance_app(plan.app_pk, plan.now).await?;
    let Some(app) = tx.find_app(plan.app_pk).await? else { return Ok(()) };
    let settings = merge(&app.settings, &plan.given, plan.now)?;
    Ok(tx.update_app_settings(plan.app_pk, &settings).await?)
}

/// The settings with those in place that are given. A secret that is given masked stays what it was.
fn merge(was: &AppSettings, given: &AppSettings, now: Timestamp) -> Result<AppSettings> {
    let mut merged = fields_of(was);
    for (name, mut value) in fields_of(given) {
        unmask(&mut value, merged.get(&name));
        merged.insert(name, value);
    }
    merged.retain(|_, value| !value.is_null());
    let mut settings: AppSettings = serde_json::from_value(Value::Object(merged))
        .map_err(|error| Error::input(format!("the settings cannot be put together: {error}")))?;
    if let Some(Some(grants)) = &given.grants {
        let was = was.grants.clone().flatten().unwrap_or_else(grants::app_defaults);
        settings.grants = Some(Some(replace_grants(was, grants)));
    }
    if settings.migrate_permissions_to_v2.take() == Some(true) {
        settings.permission_version = Some("v2".to_owned());
    }
    let known = was.event_hooks.as_deref().unwrap_or_default();
    for hook in settings.event_hooks.iter_mut().flatten().filter(|_| given.event_hooks.is_some()) {
        let id = hook.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| Uuid::new_v4().to_string());
        let created_at = known.iter().find(|was| was.id.as_ref() == Some(&id)).and_then(|was| was.created_at);
        hook.id = Some(id);
        hook.product = hook.product.take().filter(|product| !product.is_empty());
        hook.created_at = Some(created_at.unwrap_or(now));
        hook.updated_at = Some(now);
    }
    check_size("the settings of the app", &settings, APP_SETTINGS_SIZE_MAX)?;
    Ok(settings)
}

fn fields_of(settings: &AppSettings) -> JsonMap {
    match serde_json::to_value(settings) {
        Ok(Value::Object(fields)) => fields,
        _ => JsonMap::new(),
    }
}

/// Puts what was there in the place of masked secrets. Entries of a list belong together by their id.
fn unmask(given: &mut Value, was: Option<&Value>) {
    match given {
        Value::String(text) if text == MASK => *given = was.cloned().unwrap_or(Value::Null),
        Value::Object(fields) => {
            for (name, value) in fields {
                unmask(value, was.and_then(|was| was.get(name)));
            }
        }
        Value::Array(entries) => {
            for entry in entries {
                let same = |was: &&Value| !entry["id"].is_null() && was["id"] == entry["id"];
                let was = was.and_then(Value::as_array).and_then(|list| list.iter().find(same)).cloned();
                unmask(entry, was.as_ref());
            }
        }
        _ => {}
    }
}

/// Puts the mask in the place of secrets.
fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if SECRETS.contains(&name.as_str()) && !text.is_empty() => {
                        *value = Value::String(MASK.to_owned());
                    }
                    other => mask(other),
                }
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(mask),
        _ => {}
    }
}

fn present(app: &App) -> AppResponseFields {
    let mut masked = Value::Object(fields_of(&app.settings));
    mask(&mut masked);
    // What is masked has the types that it had before.
    let set: AppSettings = serde_json::from_value(masked).unwrap_or_default();
    let is_on = Option::unwrap_or_default;
    AppResponseFields {
        id: app.pk,
        name: app.name.clone(),
        placement: "self-hosted".to_owned(),
        use_hook_v2: true,
        permission_version: set.permission_version.unwrap_or_else(|| "v2".to_owned()),
        enforce_unique_usernames: set.enforce_unique_usernames.unwrap_or_else(|| "no".to_owned()),
        cdn_expiration_seconds: set.cdn_expiration_seconds.unwrap_or(CDN_EXPIRATION_DEFAULT),
        reminders_interval: set.reminders_interval.unwrap_or(REMINDERS_INTERVAL_DEFAULT),
        grants: set.grants.flatten().unwrap_or_else(grants::app_defaults),
        async_url_enrich_enabled: is_on(set.async_url_enrich_enabled),
        auto_translation_enabled: is_on(set.auto_translation_enabled),
        disable_auth_checks: is_on(set.disable_auth_checks),
        disable_permissions_checks: is_on(set.disable_permissions_checks),
        feed_audit_logs_enabled: is_on(set.feed_audit_logs_enabled),
        guest_user_creation_disabled: is_on(set.guest_user_creation_disabled),
        image_moderation_enabled: is_on(set.image_moderation_enabled),
        member_custom_on_messages_enabled: is_on(set.member_custom_on_messages_enabled),
        moderation_enabled: is_on(set.moderation_enabled),
        multi_tenant_enabled: is_on(set.multi_tenant_enabled),
        user_response_time_enabled: is_on(set.user_response_time_enabled),
        max_aggregated_activities_length: set.max_aggregated_activities_length.unwrap_or_default(),
        custom_action_handler_url: set.custom_action_handler_url.unwrap_or_default(),
        moderation_webhook_url: set.moderation_webhook_url.unwrap_or_default(),
        webhook_url: set.webhook_url.unwrap_or_default(),
        sns_key: set.sns_key.unwrap_or_default(),
        sns_secret: set.sns_secret.unwrap_or_default(),
        sns_topic_arn: set.sns_topic_arn.unwrap_or_default(),
        sqs_key: set.sqs_key.unwrap_or_default(),
        sqs_secret: set.sqs_secret.unwrap_or_default(),
        sqs_url: set.sqs_url.unwrap_or_default(),
        event_hooks: set.event_hooks.unwrap_or_default(),
        user_search_disallowed_roles: set.user_search_disallowed_roles.unwrap_or_default(),
        webhook_events: set.webhook_events.unwrap_or_default(),
        file_upload_config: set.file_upload_config.unwrap_or_else(any_upload),
        image_upload_config: set.image_upload_config.unwrap_or_else(any_upload),
        push_notifications: PushNotificationFields {
            version: set
                .push_config
                .as_ref()
                .and_then(|push| push.version.clone())
                .unwrap_or_else(|| "v2".to_owned()),
            offline_only: set.push_config.and_then(|push| push.offline_only).unwrap_or_default(),
            apn: set
                .apn_config
                .map(|apn| ApnConfigFields {
                    enabled: apn.disabled != Some(true),
                    development: is_on(apn.development),
                    auth_key: apn.auth_key,
                    auth_type: apn.auth_type,
                    bundle_id: apn.bundle_id,
                    host: apn.host,
                    key_id: apn.key_id,
                    notification_template: apn.notification_template,
                    p12_cert: apn.p12_cert,
                    team_id: apn.team_id,
                })
                .unwrap_or_default(),
            firebase: set
                .firebase_config
                .map(|firebase| FirebaseConfigFields {
                    enabled: firebase.disabled != Some(true),
                    apn_template: firebase.apn_template,
                    credentials_json: firebase.credentials_json,
                    data_template: firebase.data_template,
                    notification_template: firebase.notification_template,
                    server_key: firebase.server_key,
                })
                .unwrap_or_default(),
            huawei: set
                .huawei_config
                .map(|huawei| HuaweiConfigFields {
                    enabled: huawei.disabled != Some(true),
                    id: huawei.id,
                    secret: huawei.secret,
                })
                .unwrap_or_default(),
            xiaomi: set
                .xiaomi_config
                .map(|xiaomi| XiaomiConfigFields {
                    enabled: xiaomi.disabled != Some(true),
                    package_name: xiaomi.package_name,
                    secret: xiaomi.secret,
                })
                .unwrap_or_default(),
        },
        before_message_send_hook_attempt_timeout_ms: set.before_message_send_hook_attempt_timeout_ms,
        before_message_send_hook_url: set.before_message_send_hook_url,
        chat_primary_use_case: set.chat_primary_use_case,
        moderation_onboarding_complete: set.moderation_onboarding_complete,
        moderation_s3_image_access_role_arn: set.moderation_s3_image_access_role_arn,
        revoke_tokens_issued_before: set.revoke_tokens_issued_before.flatten(),
        video_primary_use_case: set.video_primary_use_case,
        allowed_flag_reasons: set.allowed_flag_reasons,
        image_moderation_labels: set.image_moderation_labels,
        image_moderation_block_labels: set.image_moderation_block_labels,
        activity_metrics_config: set.activity_metrics_config,
        datadog_info: set.datadog_info,
        moderation_dashboard_preferences: set.moderation_dashboard_preferences,
        channel_hide_members_only: set.channel_hide_members_only,
        enable_hook_payload_compression: set.enable_hook_payload_compression,
        feeds_moderation_enabled: set.feeds_moderation_enabled,
        feeds_v2_region: set.feeds_v2_region,
        moderation_analytics_enabled: set.moderation_analytics_enabled,
        reminders_max_members: set.reminders_max_members,
        reminders_max_per_user: set.reminders_max_per_user,
        async_moderation_config: set.async_moderation_config,
        policies: BTreeMap::new(),
        ..AppResponseFields::default()
    }
}

/// What may be uploaded where nothing is set.
fn any_upload() -> FileUploadConfig {
    FileUploadConfig {
        size_limit: Some(UPLOAD_SIZE_MAX),
        allowed_file_extensions: Some(Vec::new()),
        allowed_mime_types: Some(Vec::new()),
        blocked_file_extensions: Some(Vec::new()),
        blocked_mime_types: Some(Vec::new()),
    }
}

/// Refuses settings that no app may have.
fn check_settings(state: &State, caller: &Caller, given: &AppSettings) -> Result<()> {
    check_one_of(
        "enforce_unique_usernames",
        given.enforce_unique_usernames.as_deref(),
        &["no", "app", "team"],
    )?;
    check_one_of("permission_version", given.permission_version.as_deref(), &["v1", "v2"])?;
    for (field, number, min, max) in [
        ("cdn_expiration_seconds", given.cdn_expiration_seconds, 14_400, 1_209_600),
        ("reminders_interval", given.reminders_interval, 60, 86_400),
        ("reminders_max_members", given.reminders_max_members, 2, i64::MAX),
        ("reminders_max_per_user", given.reminders_max_per_user, 1, 100_000),
        (
            "before_message_send_hook_attempt_timeout_ms",
            given.before_message_send_hook_attempt_timeout_ms,
            0,
            60_000,
        ),
        ("max_aggregated_activities_length", given.max_aggregated_activities_length, 0, i64::MAX),
    ] {
        if number.is_some_and(|number| !(min..=max).contains(&number)) {
            let bounds =
                if max == i64::MAX { format!("{min} or more") } else { format!("between {min} and {max}") };
            return Err(Error::field(field, format!("must be {bounds}")));
        }
    }
    for (field, url) in [
        ("before_message_send_hook_url", &given.before_message_send_hook_url),
        ("custom_action_handler_url", &given.custom_action_handler_url),
        ("moderation_webhook_url", &given.moderation_webhook_url),
        ("webhook_url", &given.webhook_url),
    ] {
        check_url(field, url.as_deref().unwrap_or_default())?;
    }
    for (field, list, count_max) in [
        ("user_search_disallowed_roles", &given.user_search_disallowed_roles, 10),
        ("webhook_events", &given.webhook_events, SETTING_LIST_MAX),
        ("image_moderation_labels", &given.image_moderation_labels, SETTING_LIST_MAX),
        ("image_moderation_block_labels", &given.image_moderation_block_labels, SETTING_LIST_MAX),
    ] {
        let list = list.as_deref().unwrap_or_default();
        check_count(field, list.len(), count_max)?;
        list.iter().try_for_each(|text| check_length(field, text, NAME_LENGTH_MAX))?;
    }
    check_flag_reasons("allowed_flag_reasons", given.allowed_flag_reasons.as_deref().unwrap_or_default())?;
    check_upload("file_upload_config", given.file_upload_config.as_ref())?;
    check_upload("image_upload_config", given.image_upload_config.as_ref())?;
    let hooks = given.event_hooks.as_deref().unwrap_or_default();
    check_count("event_hooks", hooks.len(), EVENT_HOOKS_MAX)?;
    hooks.iter().try_for_each(check_hook)?;
    let version = given.push_config.as_ref().and_then(|push| push.version.as_deref());
    check_one_of("push_config.version", version, &["v1", "v2", "v3"])?;
    if let Some(Some(grants)) = &given.grants {
        check_grants(state, caller, "grants", grants, false)?;
    }
    check_size("the settings of the app", given, APP_SETTINGS_SIZE_MAX)
}

/// A URL, or nothing.
fn check_url(field: &str, url: &str) -> Result<()> {
    check_length(field, url, URL_LENGTH_MAX)?;
    if !url.is_empty() && !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(Error::field(field, "must be a URL that begins with http:// or https://"));
    }
    Ok(())
}

fn check_upload(field: &str, config: Option<&FileUploadConfig>) -> Result<()> {
    let Some(config) = config else { return Ok(()) };
    if config.size_limit.is_some_and(|size| !(0..=UPLOAD_SIZE_MAX).contains(&size)) {
        let field = format!("{field}.size_limit");
        return Err(Error::field(&field, format!("must be between 0 and {UPLOAD_SIZE_MAX}")));
    }
    for (name, allowed, blocked) in [
        ("file_extensions", &config.allowed_file_extensions, &config.blocked_file_extensions),
        ("mime_types", &config.allowed_mime_types, &config.blocked_mime_types),
    ] {
        let (allowed, blocked) =
            (allowed.as_deref().unwrap_or_default(), blocked.as_deref().unwrap_or_default());
        if !allowed.is_empty() && !blocked.is_empty() {
            return Err(Error::field(
                &format!("{field}.allowed_{name}"),
                format!("cannot be used together with blocked_{name}"),
            ));
        }
        check_count(&format!("{field}.{name}"), allowed.len().max(blocked.len()), SETTING_LIST_MAX)?;
    }
    Ok(())
}

fn check_hook(hook: &EventHook) -> Result<()> {
    let kind = hook.hook_type.as_deref().filter(|kind| !kind.is_empty());
    let kind = kind.ok_or_else(|| Error::required("event_hooks.hook_type"))?;
    check_one_of("event_hooks.hook_type", Some(kind), &["webhook", "sqs", "sns", "pending_message"])?;
    let products = ["all", "chat", "video", "moderation", "feeds"];
    check_one_of("event_hooks.product", hook.product.as_deref(), &products)?;
    let url = hook.webhook_url.as_deref().unwrap_or_default();
    if url.is_empty() && matches!(kind, "webhook" | "pending_message") {
        return Err(Error::required("event_hooks.webhook_url"));
    }
    check_url("event_hooks.webhook_url", url)?;
    check_length("event_hooks.id", hook.id.as_deref().unwrap_or_default(), NAME_LENGTH_MAX)?;
    check_count("event_hooks.event_types", hook.event_types.as_ref().map_or(0, Vec::len), SETTING_LIST_MAX)
}
