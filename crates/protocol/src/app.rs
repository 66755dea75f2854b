//! The app: its settings, and what it shows of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::channel_types::{ChannelTypeConfig, Grants};
use crate::{JsonMap, Timestamp, operation};

operation! {
    /// The app's settings, secrets masked.
    GetApp = "get_app", Get "/api/v2/app",
        response: GetApplicationResponse,
}

operation! {
    /// Changes the settings that are given; the others stay. 4 when one is not valid.
    UpdateApp = "update_app", Patch "/api/v2/app",
        body: UpdateAppRequest, response: UpdateAppResponse, server_side_only: true,
}

/// The settings that change. An empty or `null` list or map clears what was set.
pub type UpdateAppRequest = AppSettings;

/// The settings are changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpdateAppResponse {}

/// The app.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GetApplicationResponse {
    /// Its settings.
    pub app: AppResponseFields,
}

/// Declares a struct whose fields may all be missing.
macro_rules! optional_fields {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$meta])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
        }
    };
}

optional_fields! {
    /// Settings of an app: those that were set, or in a request those that change.
    pub struct AppSettings {
        /// Whether previews of links are made after the message is sent.
        async_url_enrich_enabled: bool,
        /// Whether messages are translated by themselves.
        auto_translation_enabled: bool,
        /// Milliseconds that one call of the hook before sending may take.
        before_message_send_hook_attempt_timeout_ms: i64,
        /// The hook that is asked before a message is sent; empty for none.
        before_message_send_hook_url: String,
        /// Seconds for which links to files are valid, 14400 to 1209600.
        cdn_expiration_seconds: i64,
        /// Whether only members can hide a channel.
        channel_hide_members_only: bool,
        /// What chat is used for, for people to read.
        chat_primary_use_case: String,
        /// Where custom commands are handled; `{type}` in it is filled in. Empty for none.
        custom_action_handler_url: String,
        /// Whether any signature of a token is accepted, for development.
        disable_auth_checks: bool,
        /// Whether every permission check passes, for development.
        disable_permissions_checks: bool,
        /// Whether the bodies of webhooks are compressed.
        enable_hook_payload_compression: bool,
        /// Where names of users are unique: `no`, `app` or `team`.
        enforce_unique_usernames: String,
        /// Of another product; kept and shown.
        feed_audit_logs_enabled: bool,
        /// Of another product; kept and shown.
        feeds_moderation_enabled: bool,
        /// Of another product; kept and shown.
        feeds_v2_region: String,
        /// Whether guests cannot be created.
        guest_user_creation_disabled: bool,
        /// Whether images are moderated.
        image_moderation_enabled: bool,
        /// Of another product; kept and shown.
        max_aggregated_activities_length: i64,
        /// Whether messages carry their sender's member data.
        member_custom_on_messages_enabled: bool,
        /// True makes `permission_version` `v2`.
        migrate_permissions_to_v2: bool,
        /// Whether moderation keeps statistics.
        moderation_analytics_enabled: bool,
        /// Whether moderation is on.
        moderation_enabled: bool,
        /// Whether moderation was introduced to its users.
        moderation_onboarding_complete: bool,
        /// Role under which moderation reads images.
        moderation_s3_image_access_role_arn: String,
        /// Where events of moderation are sent; empty for none.
        moderation_webhook_url: String,
        /// Whether users and channels of different teams are kept apart.
        multi_tenant_enabled: bool,
        /// Which permission system holds: `v1` or `v2`.
        permission_version: String,
        /// Seconds between two looks at what was not read, 60 to 86400.
        reminders_interval: i64,
        /// Members up to which a channel has reminders of unread messages, at least 2.
        reminders_max_members: i64,
        /// Reminders of one user, 1 to 100000.
        reminders_max_per_user: i64,
        /// Users' tokens issued before are not valid. `null` (`Some(None)`) lifts it.
        #[serde(deserialize_with = "crate::nullable")]
        revoke_tokens_issued_before: Option<Timestamp>,
        /// Key for SNS.
        sns_key: String,
        /// Secret for SNS.
        sns_secret: String,
        /// Topic in SNS.
        sns_topic_arn: String,
        /// Key for SQS.
        sqs_key: String,
        /// Secret for SQS.
        sqs_secret: String,
        /// Queue in SQS.
        sqs_url: String,
        /// Whether users' response times are measured.
        user_response_time_enabled: bool,
        /// Of another product; kept and shown.
        video_primary_use_case: String,
        /// Where events are sent, older form; empty for none.
        webhook_url: String,
        /// Reasons that may be given when something is flagged, at most 100.
        #[serde(deserialize_with = "crate::null_clears")]
        allowed_flag_reasons: Vec<String>,
        /// Where events are sent. Replaces the whole list, at most 50.
        #[serde(deserialize_with = "crate::null_clears")]
        event_hooks: Vec<EventHook>,
        /// Labels of images that are blocked.
        #[serde(deserialize_with = "crate::null_clears")]
        image_moderation_block_labels: Vec<String>,
        /// Labels of images that are flagged.
        #[serde(deserialize_with = "crate::null_clears")]
        image_moderation_labels: Vec<String>,
        /// Roles that cannot search for users, at most 10.
        #[serde(deserialize_with = "crate::null_clears")]
        user_search_disallowed_roles: Vec<String>,
        /// Which events are sent to `webhook_url`; empty for all.
        #[serde(deserialize_with = "crate::null_clears")]
        webhook_events: Vec<String>,
        /// Of another product; kept and shown.
        #[serde(deserialize_with = "crate::null_clears")]
        activity_metrics_config: BTreeMap<String, i64>,
        /// Push to Apple devices.
        apn_config: ApnConfig,
        /// Moderation after sending.
        async_moderation_config: AsyncModerationConfiguration,
        /// Metrics to Datadog.
        datadog_info: DataDogInfo,
        /// Which files may be uploaded.
        file_upload_config: FileUploadConfig,
        /// Push by Firebase.
        firebase_config: FirebaseConfig,
        /// Permissions in the scope of the app: replaces those of the roles that it names; `null` (`Some(None)`) brings the defaults back.
        #[serde(deserialize_with = "crate::nullable")]
        grants: Option<Grants>,
        /// Push to Huawei devices.
        huawei_config: HuaweiConfig,
        /// Which images may be uploaded.
        image_upload_config: FileUploadConfig,
        /// How moderators work.
        moderation_dashboard_preferences: ModerationDashboardPreferences,
        /// Push in general.
        push_config: PushConfig,
        /// Push to Xiaomi devices.
        xiaomi_config: XiaomiConfig,
    }
}

optional_fields! {
    /// Where events are sent.
    pub struct EventHook {
        /// When it was created; set by the server.
        #[serde(deserialize_with = "crate::set_time")]
        created_at: Timestamp,
        /// Whether it is in use.
        enabled: bool,
        /// `webhook`, `sqs`, `sns` or `pending_message`.
        hook_type: String,
        /// Its id; made by the server when it is not given.
        id: String,
        /// `all`, `chat`, `video`, `moderation` or `feeds`.
        product: String,
        /// Whether events of clients' own kinds are sent.
        should_send_custom_events: bool,
        /// SNS auth type.
        sns_auth_type: String,
        /// Whether events make their own groups.
        sns_event_based_message_group_id_enabled: bool,
        /// SNS key.
        sns_key: String,
        /// SNS region.
        sns_region: String,
        /// SNS role arn.
        sns_role_arn: String,
        /// SNS secret.
        sns_secret: String,
        /// SNS topic arn.
        sns_topic_arn: String,
        /// SQS auth type.
        sqs_auth_type: String,
        /// SQS key.
        sqs_key: String,
        /// SQS queue url.
        sqs_queue_url: String,
        /// SQS region.
        sqs_region: String,
        /// SQS role arn.
        sqs_role_arn: String,
        /// SQS secret.
        sqs_secret: String,
        /// Milliseconds that one call may take.
        timeout_ms: i64,
        /// When it was last changed; set by the server.
        #[serde(deserialize_with = "crate::set_time")]
        updated_at: Timestamp,
        /// Where a webhook is sent.
        webhook_url: String,
        /// Which events; empty for all.
        event_types: Vec<String>,
        /// How moderation answers.
        callback: AsyncModerationCallbackConfig,
        /// Where events go that could not be delivered.
        failover_config: WebhookFailoverConfig,
    }
}

optional_fields! {
    /// What may be uploaded. Of allowed and blocked ones only one can be given.
    pub struct FileUploadConfig {
        /// Greatest size in bytes, at most 104857600; 0 for that.
        size_limit: i64,
        /// Extensions that may be uploaded.
        allowed_file_extensions: Vec<String>,
        /// Media types that may be uploaded.
        allowed_mime_types: Vec<String>,
        /// Extensions that may not.
        blocked_file_extensions: Vec<String>,
        /// Media types that may not.
        blocked_mime_types: Vec<String>,
    }
}

optional_fields! {
    /// Push to Apple devices.
    pub struct ApnConfig {
        /// Key of authentication; shown masked.
        auth_key: String,
        /// `certificate` or `token`.
        auth_type: String,
        /// The program's id.
        bundle_id: String,
        /// Whether the development service is used.
        development: bool,
        /// Whether it is off.
        #[serde(rename = "Disabled")]
        disabled: bool,
        /// The service's host.
        host: String,
        /// Id of the key.
        key_id: String,
        /// Template of notifications.
        notification_template: String,
        /// Certificate; shown masked.
        p12_cert: String,
        /// Id of the team.
        team_id: String,
    }
}

optional_fields! {
    /// Push by Firebase.
    pub struct FirebaseConfig {
        /// Template for Apple devices.
        apn_template: String,
        /// Credentials; shown masked.
        credentials_json: String,
        /// Template of data.
        data_template: String,
        /// Whether it is off.
        #[serde(rename = "Disabled")]
        disabled: bool,
        /// Template of notifications.
        notification_template: String,
        /// Key of the service; shown masked.
        server_key: String,
    }
}

optional_fields! {
    /// Push to Huawei devices.
    pub struct HuaweiConfig {
        /// Whether it is off.
        #[serde(rename = "Disabled")]
        disabled: bool,
        /// Id there.
        id: String,
        /// Secret there; shown masked.
        secret: String,
    }
}

optional_fields! {
    /// Push to Xiaomi devices.
    pub struct XiaomiConfig {
        /// Whether it is off.
        #[serde(rename = "Disabled")]
        disabled: bool,
        /// Name of the package.
        package_name: String,
        /// Secret there; shown masked.
        secret: String,
    }
}

optional_fields! {
    /// Push in general.
    pub struct PushConfig {
        /// `v1`, `v2` or `v3`.
        version: String,
        /// Whether only users who are offline get a push.
        offline_only: bool,
    }
}

optional_fields! {
    /// Moderation after sending.
    pub struct AsyncModerationConfiguration {
        /// Milliseconds that it may take.
        timeout_ms: i64,
        /// How it answers.
        callback: AsyncModerationCallbackConfig,
    }
}

optional_fields! {
    /// How moderation answers.
    pub struct AsyncModerationCallbackConfig {
        /// When it does.
        mode: String,
        /// Where to.
        server_url: String,
    }
}

optional_fields! {
    /// Metrics to Datadog.
    pub struct DataDogInfo {
        /// The key there; shown masked.
        api_key: String,
        /// Whether they are sent.
        enabled: bool,
        /// Where to.
        site: String,
    }
}

optional_fields! {
    /// How moderators work. Kept and shown.
    pub struct ModerationDashboardPreferences {
        /// Async review queue upsert.
        async_review_queue_upsert: bool,
        /// Block foreign cdn attachments.
        block_foreign_cdn_attachments: bool,
        /// Custom views enabled.
        custom_views_enabled: bool,
        /// Disable audit logs.
        disable_audit_logs: bool,
        /// Disable flagging reviewed entity.
        disable_flagging_reviewed_entity: bool,
        /// Escalation queue enabled.
        escalation_queue_enabled: bool,
        /// Flag user on flagged content.
        flag_user_on_flagged_content: bool,
        /// Include attachment payload.
        include_attachment_payload: bool,
        /// Media queue blur enabled.
        media_queue_blur_enabled: bool,
        /// Allowed moderation action reasons.
        allowed_moderation_action_reasons: Vec<String>,
        /// Escalation reasons.
        escalation_reasons: Vec<String>,
        /// Filterable custom keys.
        filterable_custom_keys: Vec<String>,
        /// Keyframe classifications map.
        keyframe_classifications_map: BTreeMap<String, BTreeMap<String, bool>>,
        /// Overview dashboard.
        overview_dashboard: OverviewDashboardConfig,
    }
}

optional_fields! {
    /// What moderators see first.
    pub struct OverviewDashboardConfig {
        /// Default date range days.
        default_date_range_days: i64,
        /// Visible charts.
        visible_charts: Vec<String>,
    }
}

optional_fields! {
    /// Where events go that could not be delivered.
    pub struct WebhookFailoverConfig {
        /// GCS bucket.
        gcs_bucket: String,
        /// GCS credentials.
        gcs_credentials: String,
        /// GCS path.
        gcs_path: String,
        /// Type.
        #[serde(rename = "type")]
        kind: String,
    }
}

/// Every setting of an app, secrets masked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppResponseFields {
    /// Whether a device may belong to several users.
    pub allow_multi_user_devices: bool,
    /// Whether previews of links are made after the message is sent.
    pub async_url_enrich_enabled: bool,
    /// Whether messages are translated by themselves.
    pub auto_translation_enabled: bool,
    /// Whether campaigns are on.
    pub campaign_enabled: bool,
    /// Seconds for which links to files are valid, 14400 to 1209600.
    pub cdn_expiration_seconds: i64,
    /// Where custom commands are handled; `{type}` in it is filled in. Empty for none.
    pub custom_action_handler_url: String,
    /// Whether any signature of a token is accepted, for development.
    pub disable_auth_checks: bool,
    /// Whether every permission check passes, for development.
    pub disable_permissions_checks: bool,
    /// Where names of users are unique: `no`, `app` or `team`.
    pub enforce_unique_usernames: String,
    /// Of another product; kept and shown.
    pub feed_audit_logs_enabled: bool,
    /// Whether guests cannot be created.
    pub guest_user_creation_disabled: bool,
    /// Number of the app in this server.
    pub id: i64,
    /// Whether images are moderated.
    pub image_moderation_enabled: bool,
    /// Of another product; kept and shown.
    pub max_aggregated_activities_length: i64,
    /// Whether messages carry their sender's member data.
    pub member_custom_on_messages_enabled: bool,
    /// Of another product.
    pub moderation_audio_call_moderation_enabled: bool,
    /// Whether moderation is on.
    pub moderation_enabled: bool,
    /// Of another product.
    pub moderation_llm_configurability_enabled: bool,
    /// Whether block lists belong to teams.
    pub moderation_multitenant_blocklist_enabled: bool,
    /// Of another product.
    pub moderation_video_call_moderation_enabled: bool,
    /// Where events of moderation are sent; empty for none.
    pub moderation_webhook_url: String,
    /// Whether users and channels of different teams are kept apart.
    pub multi_tenant_enabled: bool,
    /// The app's name.
    pub name: String,
    /// Who the app belongs to; empty.
    pub organization: String,
    /// Which permission system holds: `v1` or `v2`.
    pub permission_version: String,
    /// Where the app runs.
    pub placement: String,
    /// Seconds between two looks at what was not read, 60 to 86400.
    pub reminders_interval: i64,
    /// Key for SNS.
    pub sns_key: String,
    /// Secret for SNS.
    pub sns_secret: String,
    /// Topic in SNS.
    pub sns_topic_arn: String,
    /// Key for SQS.
    pub sqs_key: String,
    /// Secret for SQS.
    pub sqs_secret: String,
    /// Queue in SQS.
    pub sqs_url: String,
    /// Whether the app is suspended.
    pub suspended: bool,
    /// Why.
    pub suspended_explanation: String,
    /// Whether `event_hooks` are in use.
    pub use_hook_v2: bool,
    /// Whether users' response times are measured.
    pub user_response_time_enabled: bool,
    /// Where events are sent, older form; empty for none.
    pub webhook_url: String,
    /// Where events are sent, secrets masked.
    #[serde(deserialize_with = "crate::null_default")]
    pub event_hooks: Vec<EventHook>,
    /// Roles that cannot search for users, at most 10.
    #[serde(deserialize_with = "crate::null_default")]
    pub user_search_disallowed_roles: Vec<String>,
    /// Which events are sent to `webhook_url`; empty for all.
    #[serde(deserialize_with = "crate::null_default")]
    pub webhook_events: Vec<String>,
    /// Of another product; empty.
    #[serde(deserialize_with = "crate::null_default")]
    pub call_types: BTreeMap<String, JsonMap>,
    /// The channel types by name, commands by name.
    #[serde(deserialize_with = "crate::null_default")]
    pub channel_configs: BTreeMap<String, ChannelTypeConfig<String>>,
    /// Which files may be uploaded.
    pub file_upload_config: FileUploadConfig,
    /// Permissions in the scope of the app, by role.
    #[serde(deserialize_with = "crate::null_default")]
    pub grants: Grants,
    /// Which images may be uploaded.
    pub image_upload_config: FileUploadConfig,
    /// Older form of the permissions; empty.
    #[serde(deserialize_with = "crate::null_default")]
    pub policies: BTreeMap<String, Vec<JsonMap>>,
    /// Push.
    pub push_notifications: PushNotificationFields,
    /// Milliseconds that one call of the hook before sending may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_message_send_hook_attempt_timeout_ms: Option<i64>,
    /// The hook that is asked before a message is sent; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_message_send_hook_url: Option<String>,
    /// What chat is used for, for people to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_primary_use_case: Option<String>,
    /// Whether moderation was introduced to its users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation_onboarding_complete: Option<bool>,
    /// Role under which moderation reads images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation_s3_image_access_role_arn: Option<String>,
    /// Users' tokens issued before are not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke_tokens_issued_before: Option<Timestamp>,
    /// Of another product; kept and shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_primary_use_case: Option<String>,
    /// Reasons that may be given when something is flagged, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_flag_reasons: Option<Vec<String>>,
    /// Of another product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geofences: Option<Vec<JsonMap>>,
    /// Labels of images that are flagged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_moderation_labels: Option<Vec<String>>,
    /// Of another product; kept and shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity_metrics_config: Option<BTreeMap<String, i64>>,
    /// Metrics to Datadog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datadog_info: Option<DataDogInfo>,
    /// How moderators work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation_dashboard_preferences: Option<ModerationDashboardPreferences>,
    /// Whether only members can hide a channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_hide_members_only: Option<bool>,
    /// Whether the bodies of webhooks are compressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_hook_payload_compression: Option<bool>,
    /// Of another product; kept and shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feeds_moderation_enabled: Option<bool>,
    /// Of another product; kept and shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feeds_v2_region: Option<String>,
    /// Labels of images that are blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_moderation_block_labels: Option<Vec<String>>,
    /// Whether moderation keeps statistics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation_analytics_enabled: Option<bool>,
    /// Members up to which a channel has reminders of unread messages, at least 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminders_max_members: Option<i64>,
    /// Reminders of one user, 1 to 100000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminders_max_per_user: Option<i64>,
    /// Moderation after sending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub async_moderation_config: Option<AsyncModerationConfiguration>,
}

/// Push, secrets masked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PushNotificationFields {
    /// Whether only users who are offline get a push.
    pub offline_only: bool,
    /// `v1`, `v2` or `v3`.
    pub version: String,
    /// To Apple devices.
    pub apn: ApnConfigFields,
    /// By Firebase.
    pub firebase: FirebaseConfigFields,
    /// To Huawei devices.
    pub huawei: HuaweiConfigFields,
    /// To Xiaomi devices.
    pub xiaomi: XiaomiConfigFields,
}

/// Push to Apple devices, secrets masked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApnConfigFields {
    /// Whether the development service is used.
    pub development: bool,
    /// Whether it is on.
    pub enabled: bool,
    /// Key of authentication; shown masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_key: Option<String>,
    /// `certificate` or `token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_type: Option<String>,
    /// The program's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_id: Option<String>,
    /// The service's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Id of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Template of notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_template: Option<String>,
    /// Certificate; shown masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p12_cert: Option<String>,
    /// Id of the team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
}

/// Push by Firebase, secrets masked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FirebaseConfigFields {
    /// Whether it is on.
    pub enabled: bool,
    /// Template for Apple devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apn_template: Option<String>,
    /// Credentials; shown masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_json: Option<String>,
    /// Template of data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_template: Option<String>,
    /// Template of notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_template: Option<String>,
    /// Key of the service; shown masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_key: Option<String>,
}

/// Push to Huawei devices, secrets masked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HuaweiConfigFields {
    /// Whether it is on.
    pub enabled: bool,
    /// Id there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Secret there; shown masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Push to Xiaomi devices, secrets masked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct XiaomiConfigFields {
    /// Whether it is on.
    pub enabled: bool,
    /// Name of the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_name: Option<String>,
    /// Secret there; shown masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}
