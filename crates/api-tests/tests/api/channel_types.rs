use natterjack_api_tests::both_databases;
use serde_json::{Value, json};

const TYPES: &str = "/api/v2/chat/channeltypes";

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
}
