use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{post, post_ok};

const TYPES: &str = "/api/v2/chat/channeltypes";

/// What creating a channel type needs, and `more`.
fn settings(name: &str, more: &Value) -> Value {
    let mut body = json!({ "name": name, "automod": "disabled", "automod_behavior": "flag",
                           "max_message_length": 1000 });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn update(server: &TestServer, name: &str, change: Value) -> RawReply {
    server.raw("PUT", &format!("{TYPES}/{name}")).json(&change).send().await
}

async fn updated(server: &TestServer, name: &str, change: Value) -> Value {
    let reply = update(server, name, change).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.body
}

async fn delete(server: &TestServer, name: &str) -> RawReply {
    server.raw("DELETE", &format!("{TYPES}/{name}")).send().await
}

async fn read(server: &TestServer, name: &str) -> Value {
    let reply = server.raw("GET", &format!("{TYPES}/{name}")).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body
}

/// Without what every reply has of its own.
fn plain(mut body: Value) -> Value {
    let fields = body.as_object_mut().unwrap();
    fields.remove("duration");
    // By name in one, described in the other.
    fields.remove("commands");
    body
}

both_databases! {
    async fn the_built_in_types_are_a_map_by_name(server: TestServer) {
        let reply = server.raw("GET", TYPES).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let types = reply.body["channel_types"].as_object().unwrap();
        let mut names: Vec<&String> = types.keys().collect();
        names.sort();
        assert_eq!(names, ["commerce", "gaming", "livestream", "messaging", "team"]);
        for (name, config) in types {
            assert_eq!(config["name"], *name);
        }
    }

    async fn commands_are_shown_as_objects(server: TestServer) {
        let reply = server.raw("GET", TYPES).send().await;
        let commands = &reply.body["channel_types"]["messaging"]["commands"];
        let giphy = commands.as_array().unwrap().iter().find(|command| command["name"] == "giphy").unwrap();
        assert_eq!((&giphy["args"], &giphy["set"]), (&json!("[text]"), &json!("fun_set")));
        assert!(!giphy["description"].as_str().unwrap().is_empty());
    }

    async fn a_single_type_stands_at_the_top_level_with_its_defaults(server: TestServer) {
        let reply = server.raw("GET", &format!("{TYPES}/team")).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        for (setting, value) in [
            ("name", json!("team")),
            ("automod", json!("disabled")),
            ("automod_behavior", json!("flag")),
            ("blocklist_behavior", json!("flag")),
            ("max_message_length", json!(5000)),
        ] {
            assert_eq!(reply.body[setting], value, "{setting}");
        }
        let on = [
            "typing_events", "read_events", "connect_events", "delivery_events", "custom_events", "reactions",
            "replies", "quotes", "search", "mutes", "uploads", "url_enrichment", "push_notifications",
        ];
        for setting in on {
            assert_eq!(reply.body[setting], true, "{setting}");
        }
        for setting in ["mark_messages_pending", "reminders", "skip_last_msg_update_for_system_msgs"] {
            assert_eq!(reply.body[setting], false, "{setting}");
        }
        assert!(reply.body["grants"]["channel_member"].is_array());
        assert!(reply.body["created_at"].is_i64());
    }

    async fn livestream_has_no_typing_read_and_connect_events_and_no_previews(server: TestServer) {
        let reply = server.raw("GET", &format!("{TYPES}/livestream")).send().await;
        for setting in ["typing_events", "read_events", "connect_events", "url_enrichment"] {
            assert_eq!(reply.body[setting], Value::Bool(false), "{setting}");
        }
        assert_eq!(reply.body["reactions"], true);
    }

    async fn an_unknown_type_is_not_found(server: TestServer) {
        let reply = server.raw("GET", &format!("{TYPES}/nothing")).send().await;
        reply.expect_error(404, 16, "nothing");
    }

    async fn a_type_is_created_with_the_defaults_of_a_new_one(server: TestServer) {
        let created = post_ok(server, TYPES, &settings("support", &json!({ "reactions": false }))).await;
        assert_eq!((&created["name"], &created["max_message_length"]), (&json!("support"), &json!(1000)));
        for setting in ["typing_events", "read_events", "connect_events", "delivery_events", "custom_events",
                        "replies", "quotes", "search", "mutes", "uploads", "url_enrichment",
                        "push_notifications"] {
            assert_eq!(created[setting], true, "{setting}");
        }
        for setting in ["reactions", "count_messages", "user_message_reminders", "polls", "shared_locations",
                        "mark_messages_pending", "reminders", "skip_last_msg_update_for_system_msgs"] {
            assert_eq!(created[setting], false, "{setting}");
        }
        assert_eq!((&created["commands"], &created["permissions"]), (&json!([]), &json!([])));
        assert_eq!(created["blocklist_behavior"], "flag");
        let messaging = read(server, "messaging").await;
        assert_eq!(created["grants"], messaging["grants"], "a type without grants copies messaging");
        assert_eq!(plain(read(server, "support").await), plain(created));
        let all = server.raw("GET", TYPES).send().await;
        assert!(all.body["channel_types"]["support"].is_object());
        server.users(&["jane"]).await;
        let data = json!({ "data": { "created_by_id": "jane" } });
        let channel = post_ok(server, "/api/v2/chat/channels/support/one/query", &data).await;
        assert_eq!(channel["channel"]["config"]["reactions"], false);
    }

    async fn creating_needs_its_four_fields(server: TestServer) {
        for field in ["name", "automod", "automod_behavior", "max_message_length"] {
            let mut body = settings("support", &json!({}));
            body.as_object_mut().unwrap().remove(field);
            post(server, TYPES, &body).await.expect_error(400, 4, &format!("{field} is a required field"));
        }
    }

    async fn the_older_version_fills_in_what_is_left_out(server: TestServer) {
        let created = post_ok(server, "/channeltypes", &json!({ "name": "support", "reactions": false })).await;
        assert_eq!(created["automod"], "disabled");
        assert_eq!(created["automod_behavior"], "flag");
        assert_eq!(created["max_message_length"], 5000);
        assert_eq!((&created["reactions"], &created["replies"]), (&json!(false), &json!(true)));
        post(server, "/channeltypes", &json!({})).await.expect_error(400, 4, "name is a required field");
    }

    async fn a_name_is_taken_once_and_built_in_ones_are_taken(server: TestServer) {
        post_ok(server, TYPES, &settings("support", &json!({}))).await;
        for name in ["support", "messaging"] {
            post(server, TYPES, &settings(name, &json!({}))).await.expect_error(400, 4, "already exists");
        }
    }

    async fn an_empty_text_leaves_what_cannot_be_empty(server: TestServer) {
        let of_a_client = json!({
            "blocklist": "", "blocklist_behavior": "", "message_retention": "", "partition_ttl": "", "push_level": "",
        });
        let created = post_ok(server, TYPES, &settings("support", &of_a_client)).await;
        for field in of_a_client.as_object().unwrap().keys() {
            assert_eq!(created.get(field), None, "{created}");
        }
        let set = json!({ "automod": "simple", "automod_behavior": "block", "message_retention": "30" });
        post_ok(server, TYPES, &settings("other", &set)).await;
        let empty = json!({ "automod": "", "automod_behavior": "", "message_retention": "" });
        let updated = update(server, "other", empty.clone()).await.body;
        for (field, value) in set.as_object().unwrap() {
            assert_eq!(&updated[field], value, "{updated}");
        }
        let none = settings("third", &json!({ "automod": "" }));
        post(server, TYPES, &none).await.expect_error(400, 4, "automod is a required field");
    }

    async fn settings_that_are_not_valid_are_refused_by_name(server: TestServer) {
        for (field, value) in [
            ("name", json!("not valid")),
            ("name", json!("x".repeat(65))),
            ("automod", json!("sometimes")),
            ("automod_behavior", json!("cry")),
            ("max_message_length", json!(0)),
            ("max_message_length", json!(20_001)),
            ("blocklist_behavior", json!("cry")),
            ("push_level", json!("loud")),
            ("message_retention", json!("forever")),
            ("partition_size", json!(9)),
            ("partition_ttl", json!("soon")),
            ("commands", json!(["dance"])),
            ("blocklists", json!([{ "behavior": "flag" }])),
            ("automod_thresholds", json!({ "spam": { "flag": 2.0 } })),
            ("chat_preferences", json!({ "here_mentions": "sometimes" })),
            ("grants", json!({ "user": ["not valid"] })),
            ("grants", json!({ "": ["read-channel"] })),
        ] {
            let body = settings("support", &json!({ field: value }));
            post(server, TYPES, &body).await.expect_error(400, 4, field);
            if field != "name" {
                update(server, "messaging", json!({ field: value })).await.expect_error(400, 4, field);
            }
        }
        let reply = server.raw("GET", &format!("{TYPES}/support")).send().await;
        reply.expect_error(404, 16, "support");
    }

    async fn an_app_has_at_most_fifty_types(server: TestServer) {
        for number in 0..45 {
            post_ok(server, TYPES, &settings(&format!("t{number}"), &json!({}))).await;
        }
        post(server, TYPES, &settings("one-more", &json!({}))).await.expect_error(400, 4, "50");
        assert_eq!(delete(server, "t7").await.status, 200);
        post_ok(server, TYPES, &settings("one-more", &json!({}))).await;
    }

    async fn an_update_changes_what_it_names_and_shows_it_at_once(server: TestServer) {
        let before = read(server, "team").await;
        server.advance(Duration::from_secs(1));
        let change = json!({ "replies": false, "max_message_length": 20_000, "push_level": "mentions",
                             "partition_size": 100, "partition_ttl": "2h30m0s",
                             "allowed_flag_reasons": ["spam"] });
        let after = updated(server, "team", change.clone()).await;
        for (setting, value) in change.as_object().unwrap() {
            assert_eq!(after[setting], *value, "{setting}");
        }
        assert_eq!((&after["reactions"], &after["created_at"]), (&json!(true), &before["created_at"]));
        assert!(after["updated_at"].as_i64() > before["updated_at"].as_i64());
        assert_eq!(plain(read(server, "team").await), plain(after.clone()));
        let cleared = json!({ "push_level": "", "partition_size": 0, "partition_ttl": "" });
        let cleared = updated(server, "team", cleared).await;
        for setting in ["push_level", "partition_size", "partition_ttl"] {
            assert_eq!(cleared.get(setting), None, "{setting}");
        }
        assert_eq!(cleared["replies"], false);
    }

    async fn name_and_times_cannot_be_changed(server: TestServer) {
        let was = read(server, "team").await;
        for field in ["name", "created_at", "updated_at"] {
            let other = if field == "name" { json!("gang") } else { json!(1) };
            update(server, "team", json!({ field: other })).await.expect_error(400, 4, field);
            updated(server, "gaming", json!({ "name": "gaming" })).await;
        }
        assert_eq!(read(server, "team").await["updated_at"], was["updated_at"]);
    }

    async fn commands_are_written_by_name_or_by_set(server: TestServer) {
        let all = updated(server, "team", json!({ "commands": ["all"] })).await;
        assert_eq!(all["commands"], json!(["giphy", "ban", "unban", "mute", "unmute", "flag"]));
        let moderation = updated(server, "team", json!({ "commands": ["moderation_set", "ban"] })).await;
        assert_eq!(moderation["commands"], json!(["ban", "unban", "mute", "unmute", "flag"]));
        let described = read(server, "team").await["commands"].clone();
        for (name, args) in [("ban", "[@username] [text]"), ("mute", "[@username]")] {
            let found = described.as_array().unwrap().iter().find(|command| command["name"] == name).unwrap();
            assert_eq!((&found["args"], &found["set"]), (&json!(args), &json!("moderation_set")));
        }
        assert_eq!(updated(server, "team", json!({ "commands": [] })).await["commands"], json!([]));
        update(server, "team", json!({ "commands": ["dance"] })).await.expect_error(400, 4, "dance");
    }

    async fn grants_replace_those_of_the_roles_that_they_name(server: TestServer) {
        let before = read(server, "team").await["grants"].clone();
        let change = json!({ "grants": { "channel_member": ["read-channel"], "moderator": [] } });
        let after = updated(server, "team", change).await["grants"].clone();
        assert_eq!(after["channel_member"], json!(["read-channel"]));
        assert_eq!((after.get("moderator"), &after["user"]), (None, &before["user"]));
        let more = updated(server, "team", json!({ "grants": { "user": ["create-channel"] } })).await;
        assert_eq!(more["grants"]["channel_member"], json!(["read-channel"]));
        assert_eq!(more["grants"].get("moderator"), None);
        assert_eq!(updated(server, "team", json!({ "grants": null })).await["grants"], before);
    }

    async fn a_type_without_grants_copies_those_that_messaging_has_now(server: TestServer) {
        updated(server, "messaging", json!({ "grants": { "user": ["create-channel"] } })).await;
        let created = post_ok(server, TYPES, &settings("support", &json!({}))).await;
        assert_eq!(created["grants"]["user"], json!(["create-channel"]));
        let own = settings("own", &json!({ "grants": { "channel_member": ["read-channel"] } }));
        assert_eq!(post_ok(server, TYPES, &own).await["grants"]["channel_member"], json!(["read-channel"]));
    }

    async fn what_is_not_there_is_neither_updated_nor_deleted(server: TestServer) {
        update(server, "nothing", json!({ "replies": false })).await.expect_error(404, 16, "nothing");
        delete(server, "nothing").await.expect_error(404, 16, "nothing");
    }

    async fn a_type_is_deleted_when_it_has_no_channels(server: TestServer) {
        post_ok(server, TYPES, &settings("support", &json!({}))).await;
        server.users(&["jane"]).await;
        let data = json!({ "data": { "created_by_id": "jane" } });
        let channel = "/api/v2/chat/channels/support/one";
        post_ok(server, &format!("{channel}/query"), &data).await;
        delete(server, "support").await.expect_error(400, 4, "support");
        assert_eq!(server.raw("DELETE", channel).send().await.status, 200);
        assert_eq!(delete(server, "support").await.status, 200);
        server.raw("GET", &format!("{TYPES}/support")).send().await.expect_error(404, 16, "support");
        post(server, &format!("{channel}/query"), &data).await.expect_error(404, 16, "support");
        delete(server, "support").await.expect_error(404, 16, "support");
    }

    async fn deleting_a_built_in_type_brings_its_defaults_back(server: TestServer) {
        let before = read(server, "gaming").await;
        updated(server, "gaming", json!({ "reactions": false, "grants": { "user": [] } })).await;
        assert_eq!(delete(server, "gaming").await.status, 200);
        assert_eq!(plain(read(server, "gaming").await), plain(before));
    }

    async fn servers_on_one_database_see_each_others_types(server: TestServer) {
        server.users(&["jane"]).await;
        server.channel("general", &["jane"]).await;
        server.beside(async |other| {
            let message = json!({ "message": { "text": "long enough", "user_id": "jane" } });
            let path = "/api/v2/chat/channels/messaging/general/message";
            // Both have the channel and its type in memory.
            for server in [server, other] {
                post_ok(server, path, &message).await;
            }
            updated(server, "messaging", json!({ "max_message_length": 5 })).await;
            // The transaction finds that what the check went by is old.
            post(other, path, &message).await.expect_error(400, 20, "5");
            updated(server, "messaging", json!({ "max_message_length": 50 })).await;
            assert_eq!(read(other, "messaging").await["max_message_length"], 50);
            post_ok(other, path, &message).await;
            post_ok(other, TYPES, &settings("support", &json!({}))).await;
            assert_eq!(read(server, "support").await["name"], "support");
            assert_eq!(delete(other, "support").await.status, 200);
            let data = json!({ "data": { "created_by_id": "jane" } });
            // A type that another server has just deleted.
            let made = post(server, "/api/v2/chat/channels/support/one/query", &data).await;
            made.expect_error(404, 16, "support");
        }).await;
    }
}
