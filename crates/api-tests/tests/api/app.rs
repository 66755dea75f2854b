//! The app's settings: stored, shown, and what they do.

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{get_ok, post, post_ok, sorted};
use crate::tasks::ended;

const APP: &str = "/api/v2/app";
const USERS: &str = "/api/v2/users";
const GENERAL: &str = "/api/v2/chat/channels/messaging/general";

async fn patch(server: &TestServer, change: Value) -> RawReply {
    server.raw("PATCH", APP).json(&change).send().await
}

async fn set(server: &TestServer, change: Value) {
    let reply = patch(server, change).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

async fn app(server: &TestServer) -> Value {
    let reply = server.raw("GET", APP).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body["app"].clone()
}

/// Upserts one user with a name.
async fn name(server: &TestServer, id: &str, name: &str, teams: &[&str]) -> RawReply {
    post(server, USERS, &json!({ "users": { id: { "id": id, "name": name, "teams": teams } } })).await
}

both_databases! {
    async fn a_new_app_shows_every_setting_with_its_default(server: TestServer) {
        let app = app(server).await;
        for (setting, value) in [
            ("name", json!("test")),
            ("enforce_unique_usernames", json!("no")),
            ("cdn_expiration_seconds", json!(1_209_600)),
            ("reminders_interval", json!(300)),
            ("multi_tenant_enabled", json!(false)),
            ("disable_auth_checks", json!(false)),
            ("event_hooks", json!([])),
            ("webhook_url", json!("")),
            ("suspended", json!(false)),
            ("call_types", json!({})),
            ("user_search_disallowed_roles", json!([])),
        ] {
            assert_eq!(app[setting], value, "{setting}");
        }
        assert_eq!(app["grants"]["user"], json!([
            "close-poll-owner", "create-poll", "delete-poll-owner", "flag-user", "mute-user", "query-polls",
            "search-user", "update-poll-owner", "update-user-owner"
        ]));
        assert_eq!(app["channel_configs"]["messaging"]["commands"], json!(["giphy"]));
        assert_eq!(app["file_upload_config"]["size_limit"], 104_857_600);
        assert_eq!(app["push_notifications"]["apn"]["enabled"], false);
    }

    async fn every_setting_is_stored_and_shown(server: TestServer) {
        let plain = json!({
            "async_url_enrich_enabled": true, "auto_translation_enabled": true,
            "before_message_send_hook_attempt_timeout_ms": 500,
            "before_message_send_hook_url": "https://example.org/before", "cdn_expiration_seconds": 14_400,
            "channel_hide_members_only": true, "chat_primary_use_case": "support",
            "custom_action_handler_url": "https://example.org/{type}", "disable_auth_checks": true,
            "disable_permissions_checks": true, "enable_hook_payload_compression": true,
            "enforce_unique_usernames": "team", "feed_audit_logs_enabled": true,
            "feeds_moderation_enabled": true, "feeds_v2_region": "eu", "guest_user_creation_disabled": true,
            "image_moderation_enabled": true, "max_aggregated_activities_length": 5,
            "member_custom_on_messages_enabled": true, "moderation_analytics_enabled": true,
            "moderation_enabled": true, "moderation_onboarding_complete": true,
        });
        let more = json!({
            "moderation_s3_image_access_role_arn": "arn", "moderation_webhook_url": "https://example.org/m",
            "multi_tenant_enabled": true, "permission_version": "v1", "reminders_interval": 60,
            "reminders_max_members": 2, "reminders_max_per_user": 100_000, "sns_key": "k",
            "sns_topic_arn": "arn", "sqs_key": "k", "sqs_url": "https://example.org/q",
            "user_response_time_enabled": true, "video_primary_use_case": "none",
            "webhook_url": "https://example.org/w", "allowed_flag_reasons": ["spam"],
            "image_moderation_block_labels": ["a"], "image_moderation_labels": ["b"],
            "user_search_disallowed_roles": ["guest"], "webhook_events": ["message.new"],
            "activity_metrics_config": { "a": 1 }, "async_moderation_config": { "timeout_ms": 100 },
            "file_upload_config": { "size_limit": 5, "allowed_file_extensions": [".md"] },
            "image_upload_config": { "size_limit": 0, "blocked_mime_types": ["image/svg+xml"] },
            "moderation_dashboard_preferences": { "media_queue_blur_enabled": true },
        });
        set(server, plain.clone()).await;
        set(server, more.clone()).await;
        let shown = app(server).await;
        for (setting, value) in plain.as_object().unwrap().iter().chain(more.as_object().unwrap()) {
            assert_eq!(shown[setting], *value, "{setting}");
        }
        set(server, json!({ "revoke_tokens_issued_before": "2026-01-01T00:00:00Z" })).await;
        assert_eq!(app(server).await["revoke_tokens_issued_before"], 1_767_225_600_000_000_000_i64);
        set(server, json!({ "revoke_tokens_issued_before": null, "migrate_permissions_to_v2": true })).await;
        let shown = app(server).await;
        assert_eq!(shown.get("revoke_tokens_issued_before"), None);
        assert_eq!(shown["permission_version"], "v2");
        // What was not named stays.
        assert_eq!(shown["webhook_url"], "https://example.org/w");
        set(server, json!({})).await;
        assert_eq!(app(server).await, shown);
    }

    async fn push_settings_are_shown_with_push(server: TestServer) {
        set(server, json!({
            "apn_config": { "bundle_id": "org.example", "auth_key": "very secret", "development": true },
            "firebase_config": { "credentials_json": "very secret", "Disabled": true },
            "huawei_config": { "id": "h", "secret": "very secret" },
            "xiaomi_config": { "package_name": "x", "secret": "very secret" },
            "push_config": { "version": "v3", "offline_only": true },
        })).await;
        let push = app(server).await["push_notifications"].clone();
        assert_eq!((&push["version"], &push["offline_only"]), (&json!("v3"), &json!(true)));
        assert_eq!((&push["apn"]["bundle_id"], &push["apn"]["enabled"]), (&json!("org.example"), &json!(true)));
        assert_eq!((&push["huawei"]["id"], &push["xiaomi"]["package_name"]), (&json!("h"), &json!("x")));
        assert_eq!(push["firebase"]["enabled"], false);
    }

    async fn secrets_are_masked_and_a_mask_given_back_leaves_them(server: TestServer) {
        set(server, json!({
            "sns_secret": "very secret", "sqs_secret": "very secret",
            "apn_config": { "auth_key": "very secret", "p12_cert": "very secret" },
            "firebase_config": { "credentials_json": "very secret", "server_key": "very secret" },
            "huawei_config": { "secret": "very secret" }, "xiaomi_config": { "secret": "very secret" },
            "datadog_info": { "api_key": "very secret", "site": "here" },
            "event_hooks": [{ "id": "q", "hook_type": "sqs", "sqs_secret": "very secret" }],
        })).await;
        let reply = server.raw("GET", APP).send().await;
        assert!(!reply.text.contains("very secret"), "{}", reply.text);
        let shown = &reply.body["app"];
        let masked = shown["sns_secret"].as_str().unwrap();
        assert!(!masked.is_empty());
        set(server, json!({ "sns_secret": masked, "datadog_info": shown["datadog_info"],
                            "event_hooks": shown["event_hooks"] })).await;
        let stored = server.store().await;
        let apps = stored.read("test", (), |tx, ()| Box::pin(tx.list_apps()));
        let settings = apps.await.unwrap().remove(0).settings;
        stored.close().await;
        assert_eq!(settings.sns_secret.as_deref(), Some("very secret"));
        assert_eq!(settings.datadog_info.unwrap().api_key.as_deref(), Some("very secret"));
        assert_eq!(settings.event_hooks.unwrap()[0].sqs_secret.as_deref(), Some("very secret"));
        set(server, json!({ "sns_secret": "" })).await;
        assert_eq!(app(server).await["sns_secret"], "");
    }

    async fn hooks_are_replaced_as_a_list(server: TestServer) {
        let hook = json!({ "hook_type": "webhook", "webhook_url": "https://example.org/a", "enabled": true,
                           "event_types": ["message.new"] });
        set(server, json!({ "event_hooks": [hook, hook] })).await;
        let hooks = app(server).await["event_hooks"].clone();
        assert_ne!(hooks[0]["id"], hooks[1]["id"]);
        assert!(hooks[0]["id"].is_string() && hooks[0]["created_at"].is_i64());
        server.advance(std::time::Duration::from_secs(1));
        set(server, json!({ "event_hooks": [hooks[1]] })).await;
        let left = app(server).await["event_hooks"].clone();
        assert_eq!(left.as_array().unwrap().len(), 1);
        assert_eq!((&left[0]["id"], &left[0]["created_at"]), (&hooks[1]["id"], &hooks[1]["created_at"]));
        assert!(left[0]["updated_at"].as_i64() > left[0]["created_at"].as_i64());
        for empty in [json!([]), json!(null)] {
            set(server, json!({ "event_hooks": [hook] })).await;
            set(server, json!({ "event_hooks": empty })).await;
            assert_eq!(app(server).await["event_hooks"], json!([]));
        }
    }

    async fn an_empty_product_of_a_hook_is_none(server: TestServer) {
        let hook = json!({ "hook_type": "webhook", "webhook_url": "https://example.org/a", "product": "" });
        set(server, json!({ "event_hooks": [hook] })).await;
        assert_eq!(app(server).await["event_hooks"][0].get("product"), None);
    }

    async fn grants_of_the_app_are_replaced_by_role(server: TestServer) {
        let before = app(server).await["grants"].clone();
        set(server, json!({ "grants": { "user": ["search-user"], "guest": [] } })).await;
        let grants = app(server).await["grants"].clone();
        assert_eq!((&grants["user"], grants.get("guest")), (&json!(["search-user"]), None));
        assert_eq!(grants["admin"], before["admin"]);
        set(server, json!({ "grants": null })).await;
        assert_eq!(app(server).await["grants"], before);
    }

    async fn settings_that_are_not_valid_are_refused_by_name(server: TestServer) {
        let before = app(server).await;
        for (field, value) in [
            ("enforce_unique_usernames", json!("yes")),
            ("permission_version", json!("v3")),
            ("cdn_expiration_seconds", json!(14_399)),
            ("cdn_expiration_seconds", json!(1_209_601)),
            ("reminders_interval", json!(59)),
            ("reminders_interval", json!(86_401)),
            ("reminders_max_members", json!(1)),
            ("reminders_max_per_user", json!(0)),
            ("reminders_max_per_user", json!(100_001)),
            ("user_search_disallowed_roles", json!(vec!["a"; 11])),
            ("webhook_url", json!("example.org")),
            ("event_hooks", json!([{ "hook_type": "pigeon" }])),
            ("event_hooks", json!([{ "hook_type": "webhook" }])),
            ("event_hooks", json!([{}])),
            ("file_upload_config", json!({ "size_limit": 104_857_601 })),
            ("file_upload_config",
             json!({ "size_limit": 1, "allowed_file_extensions": [".a"], "blocked_file_extensions": [".b"] })),
            ("image_upload_config",
             json!({ "size_limit": 1, "allowed_mime_types": ["a/b"], "blocked_mime_types": ["c/d"] })),
            ("grants", json!({ "user": ["not valid"] })),
        ] {
            let reply = patch(server, json!({ "multi_tenant_enabled": true, field: value })).await;
            reply.expect_error(400, 4, field);
        }
        assert_eq!(app(server).await, before);
    }

    async fn names_are_unique_in_the_app(server: TestServer) {
        assert_eq!(name(server, "jane", "Jane Doe", &[]).await.status, 201);
        // Two who have the same name already keep it.
        assert_eq!(name(server, "other", "jane doe", &["red"]).await.status, 201);
        set(server, json!({ "enforce_unique_usernames": "app" })).await;
        for taken in ["Jane Doe", "jane_doe", "JANE-DOE", " j.a.n.e d o e! "] {
            let refused = name(server, "joe", taken, &["blue"]).await;
            refused.expect_error(400, 6, &format!("username '{taken}' already exists"));
        }
        assert_eq!(name(server, "jane", "Jane Doe", &[]).await.status, 201);
        assert_eq!(name(server, "joe", "Joe", &[]).await.status, 201);
        let two = json!({ "users": { "a": { "id": "a", "name": "Same" }, "b": { "id": "b", "name": "same" } } });
        post(server, USERS, &two).await.expect_error(400, 6, "already exists");
        // A user given with another call is no exception.
        let data = json!({ "data": { "created_by": { "id": "eve", "name": "JOE" } } });
        post(server, &format!("{GENERAL}/query"), &data).await.expect_error(400, 6, "username 'JOE' already exists");
        // Nor is a change of one field, nor a new name for who is reactivated.
        assert_eq!(name(server, "eve", "Eve", &[]).await.status, 201);
        for patches in [json!([{ "id": "eve", "set": { "name": "jane-doe" } }]),
                        json!([{ "id": "eve", "set": { "name": "Same" } }, { "id": "joe", "set": { "name": "same" } }])] {
            let refused = server.raw("PATCH", USERS).json(&json!({ "users": patches })).send().await;
            refused.expect_error(400, 6, "already exists");
        }
        post_ok(server, "/api/v2/users/eve/deactivate", &json!({})).await;
        let renamed = json!({ "name": "jane_doe" });
        post(server, "/api/v2/users/eve/reactivate", &renamed).await.expect_error(400, 6, "already exists");
        set(server, json!({ "enforce_unique_usernames": "no" })).await;
        post_ok(server, "/api/v2/users/eve/reactivate", &renamed).await;
        assert_eq!(name(server, "eve", "JOE", &[]).await.status, 201);
    }

    async fn names_are_unique_in_a_team(server: TestServer) {
        set(server, json!({ "enforce_unique_usernames": "team" })).await;
        assert_eq!(name(server, "jane", "Jane", &["red", "green"]).await.status, 201);
        assert_eq!(name(server, "b", "Jane", &["blue"]).await.status, 201);
        assert_eq!(name(server, "c", "Jane", &[]).await.status, 201);
        name(server, "d", "jane", &["green"]).await.expect_error(400, 6, "username 'jane' already exists in team 'green'");
        name(server, "d", "jane", &[]).await.expect_error(400, 6, "username 'jane' already exists");
        // Changing the team counts as taking the name there.
        name(server, "b", "Jane", &["red"]).await.expect_error(400, 6, "in team 'red'");
    }

    async fn members_are_of_the_channels_team(server: TestServer) {
        for (id, teams) in [("jane", ["red"].as_slice()), ("joe", &["blue"]), ("eve", &["blue", "red"])] {
            assert_eq!(name(server, id, id, teams).await.status, 201);
        }
        set(server, json!({ "multi_tenant_enabled": true })).await;
        let data = |members: &[&str]| {
            json!({ "data": { "created_by_id": "jane", "team": "red", "members": members } })
        };
        let path = format!("{GENERAL}/query");
        post(server, &path, &data(&["jane", "joe"])).await.expect_error(400, 4, "joe");
        post_ok(server, &path, &data(&["jane", "eve"])).await;
        post(server, GENERAL, &json!({ "add_members": ["joe"] })).await.expect_error(400, 4, "joe");
        post(server, GENERAL, &json!({ "invites": ["joe"] })).await.expect_error(400, 4, "joe");
        set(server, json!({ "multi_tenant_enabled": false })).await;
        post_ok(server, GENERAL, &json!({ "add_members": ["joe"] })).await;
    }

    async fn who_leaves_a_team_leaves_its_channels(server: TestServer) {
        for (id, teams) in [("jane", ["red", "blue"].as_slice()), ("joe", &["red"]), ("eve", &["blue", "red"])] {
            assert_eq!(name(server, id, id, teams).await.status, 201);
        }
        set(server, json!({ "multi_tenant_enabled": true })).await;
        for (channel, team, members) in
            [("r1", "red", ["jane", "joe", "eve"].as_slice()), ("r2", "red", &["jane"]), ("b", "blue", &["jane", "eve"])]
        {
            let data = json!({ "data": { "created_by_id": "jane", "team": team, "members": members } });
            post_ok(server, &format!("/api/v2/chat/channels/messaging/{channel}/query"), &data).await;
        }
        // Nothing to do for who was no member there, or gets a team.
        assert_eq!(name(server, "joe", "joe", &["red", "blue"]).await.body["membership_deletion_task_id"], "");
        assert_eq!(name(server, "joe", "joe", &["red"]).await.body["membership_deletion_task_id"], "");
        let jane = name(server, "jane", "jane", &["blue"]).await.body;
        let change = json!({ "users": [{ "id": "eve", "set": { "teams": ["red"] } }] });
        let eve = server.raw("PATCH", USERS).json(&change).send().await.body;
        for (answer, id) in [(jane, "jane"), (eve, "eve")] {
            let task = ended(server, &json!({ "task_id": answer["membership_deletion_task_id"] })).await;
            assert_eq!(task["status"], "completed", "{task}");
            assert_eq!(task["result"], json!({ id: { "status": "ok" } }));
        }
        for (channel, expected) in [("r1", ["eve", "joe"].as_slice()), ("r2", &[]), ("b", &["jane"])] {
            let payload = json!({ "type": "messaging", "id": channel, "filter_conditions": {} });
            let found = get_ok(server, "/api/v2/chat/members", &payload).await;
            assert_eq!(sorted(&found["members"], "/user_id"), expected, "{channel}");
        }
        // Teams that are not kept apart keep nobody out.
        set(server, json!({ "multi_tenant_enabled": false })).await;
        assert_eq!(name(server, "joe", "joe", &[]).await.body["membership_deletion_task_id"], "");
    }
}
