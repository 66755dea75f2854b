//! Changes of single fields of a channel.

use std::time::Duration;

use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{patch, patch_ok, post_ok, sorted};

const GENERAL: &str = "/api/v2/chat/channels/messaging/general";

/// The channel general, created by jane, has jane and joe.
async fn general(server: &TestServer) {
    server.users(&["jane", "joe"]).await;
    let data = json!({ "created_by_id": "jane", "members": ["jane", "joe"], "filter_tags": ["a"], "team": "red",
                       "custom": { "name": "General", "color": "blue", "address": { "city": "Delft" } } });
    post_ok(server, &format!("{GENERAL}/query"), &json!({ "data": data })).await;
}

async fn set(server: &TestServer, fields: Value) -> Value {
    patch_ok(server, GENERAL, &json!({ "set": fields })).await["channel"].clone()
}

async fn unset(server: &TestServer, fields: &[&str]) -> Value {
    patch_ok(server, GENERAL, &json!({ "unset": fields })).await["channel"].clone()
}

both_databases! {
    async fn a_partial_update_changes_what_it_names(server: TestServer) {
        general(server).await;
        let before = server.raw("GET", GENERAL).send().await.body["channel"].clone();
        server.advance(Duration::from_secs(1));
        let body = patch_ok(server, GENERAL, &json!({
            "set": { "color": "red", "address.zip": "1234", "new.deep.one": [1], "frozen": true },
            "unset": ["name", "never.there"], "user_id": "jane",
        })).await;
        let channel = &body["channel"];
        assert_eq!(channel["custom"], json!({
            "color": "red", "address": { "city": "Delft", "zip": "1234" }, "new": { "deep": { "one": [1] } },
        }));
        assert_eq!((&channel["frozen"], &channel["team"]), (&json!(true), &json!("red")));
        assert_eq!(channel["filter_tags"], json!(["a"]));
        assert!(channel["updated_at"].as_i64() > before["updated_at"].as_i64());
        assert_eq!(sorted(&body["members"], "/user_id"), ["jane", "joe"]);
        let as_jane = server.raw("GET", GENERAL).query("user_id", "jane").send().await;
        assert_eq!(as_jane.body["channel"], *channel);
        server.check().await;
    }

    async fn custom_data_may_be_named_as_such(server: TestServer) {
        general(server).await;
        let channel = set(server, json!({ "custom.color": "red", "custom": { "size": 3 } })).await;
        assert_eq!((&channel["custom"]["color"], &channel["custom"]["size"]), (&json!("red"), &json!(3)));
        assert_eq!(channel["custom"]["name"], "General");
        assert_eq!(unset(server, &["custom"]).await["custom"], json!({}));
    }

    async fn built_in_fields_are_set_and_go_back_to_those_of_a_new_channel(server: TestServer) {
        general(server).await;
        let fields = json!({
            "team": "blue", "frozen": true, "disabled": true, "cooldown": 30, "filter_tags": ["b", "c"],
            "auto_translation_enabled": true, "auto_translation_language": "en,nl",
        });
        let channel = set(server, fields.clone()).await;
        for (name, value) in fields.as_object().unwrap() {
            assert_eq!(channel[name], *value, "{name}");
        }
        assert_eq!(channel["custom"]["name"], "General");
        let names: Vec<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        let channel = unset(server, &names).await;
        assert_eq!((&channel["frozen"], &channel["disabled"]), (&json!(false), &json!(false)));
        for name in ["team", "cooldown", "filter_tags", "auto_translation_enabled", "auto_translation_language"] {
            assert_eq!(channel.get(name), None, "{name}");
        }
        set(server, json!({ "frozen": true })).await;
        assert_eq!(set(server, json!({ "frozen": null })).await["frozen"], false);
    }

    async fn settings_of_the_channel_are_changed_one_by_one(server: TestServer) {
        general(server).await;
        let channel = set(server, json!({ "config_overrides": { "reactions": false, "quotes": false } })).await;
        assert_eq!((&channel["config"]["reactions"], &channel["config"]["quotes"]), (&json!(false), &json!(false)));
        let channel = set(server, json!({ "config_overrides.max_message_length": 10 })).await;
        assert_eq!(channel["config"]["max_message_length"], 10);
        assert_eq!(channel["config"]["reactions"], false);
        let channel = unset(server, &["config_overrides.reactions"]).await;
        assert_eq!((&channel["config"]["reactions"], &channel["config"]["quotes"]), (&json!(true), &json!(false)));
        let channel = set(server, json!({ "config_overrides": {} })).await;
        assert_eq!((&channel["config"]["quotes"], &channel["config"]["max_message_length"]),
                   (&json!(true), &json!(5000)));
        for overrides in [json!({ "max_message_length": 0 }), json!({ "commands": ["none"] }), json!(5)] {
            let reply = patch(server, GENERAL, &json!({ "set": { "config_overrides": overrides } })).await;
            reply.expect_error(400, 4, "set.config_overrides");
        }
    }

    async fn what_follows_from_something_else_cannot_be_set(server: TestServer) {
        general(server).await;
        for name in ["members", "member_count", "created_at", "updated_at", "id", "cid", "created_by", "config"] {
            let text = format!("field `{name}` is reserved and cannot updated");
            for change in [
                json!({ "set": { name: 1 } }),
                json!({ "unset": [name] }),
                json!({ "set": { format!("custom.{name}"): 1 } }),
                json!({ "set": { format!("{name}.x"): 1 } }),
            ] {
                patch(server, GENERAL, &change).await.expect_error(403, 17, &text);
            }
        }
    }

    async fn fields_of_a_partial_update_are_checked(server: TestServer) {
        general(server).await;
        for (fields, text) in [
            (json!({ "cooldown": 121 }), "set.cooldown"),
            (json!({ "cooldown": "5" }), "set.cooldown"),
            (json!({ "frozen": "yes" }), "set.frozen"),
            (json!({ "team": "x".repeat(101) }), "set.team"),
            (json!({ "team.name": "x" }), "set.team"),
            (json!({ "filter_tags": (0..11).map(|tag| tag.to_string()).collect::<Vec<_>>() }), "set.filter_tags"),
            (json!({ "a..b": 1 }), "a..b"),
            (json!({ "a b": 1 }), "a b"),
            (json!({ ".a": 1 }), ".a"),
            (json!({ "color.shade": 1 }), "set.color.shade"),
        ] {
            patch(server, GENERAL, &json!({ "set": fields })).await.expect_error(400, 4, text);
        }
        let both = json!({ "set": { "a": 1 }, "unset": ["a"] });
        patch(server, GENERAL, &both).await.expect_error(400, 4, "unset");
        let big = json!({ "set": { "x": "y".repeat(5 * 1024) } });
        patch(server, GENERAL, &big).await.expect_error(413, 22, "custom");
        let nobody = json!({ "set": { "a": 1 }, "user_id": "nobody" });
        patch(server, GENERAL, &nobody).await.expect_error(400, 4, "nobody");
        let unknown = "/api/v2/chat/channels/messaging/nothing";
        patch(server, unknown, &json!({ "set": { "a": 1 } })).await.expect_error(404, 16, "messaging:nothing");
    }
}
