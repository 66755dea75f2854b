//! What each setting of a channel type does, in channels that are there already.

use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{get_ok, post, post_ok};
use crate::chat::{send, sent};
use crate::tasks::ended;

const GENERAL: &str = "/api/v2/chat/channels/messaging/general";

/// The channel general of jane and joe, with a message of jane's.
async fn general(server: &TestServer) {
    server.users(&["jane", "joe"]).await;
    server.channel("general", &["jane", "joe"]).await;
    server.send("general", "jane", "m1", "hello world").await;
}

/// Changes the type messaging.
async fn set(server: &TestServer, change: Value) {
    let reply = server.raw("PUT", "/api/v2/chat/channeltypes/messaging").json(&change).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text);
}

/// Changes the settings of the channel alone.
async fn set_for_channel(server: &TestServer, overrides: Value) {
    post_ok(server, GENERAL, &json!({ "data": { "config_overrides": overrides } })).await;
}

async fn state(server: &TestServer) -> Value {
    let reply = server.raw("GET", GENERAL).query("state", "true").send().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body
}

/// The number of messages that the channel shows.
async fn count(server: &TestServer) -> Option<i64> {
    state(server).await["channel"].get("message_count").map(|count| count.as_i64().unwrap())
}

both_databases! {
    async fn reactions(server: TestServer) {
        general(server).await;
        let path = "/api/v2/chat/messages/m1/reaction";
        let reaction = json!({ "reaction": { "type": "like", "user_id": "joe" } });
        set(server, json!({ "reactions": false })).await;
        post(server, path, &reaction).await.expect_error(400, 19, "reactions");
        server.raw("GET", "/api/v2/chat/messages/m1/reactions").send().await.expect_error(400, 19, "reactions");
        set(server, json!({ "reactions": true })).await;
        post_ok(server, path, &reaction).await;
    }

    async fn replies(server: TestServer) {
        general(server).await;
        let reply = json!({ "text": "r", "user_id": "joe", "parent_id": "m1" });
        set(server, json!({ "replies": false })).await;
        send(server, "general", reply.clone()).await.expect_error(400, 19, "replies");
        set(server, json!({ "replies": true })).await;
        sent(server, "general", reply).await;
    }

    async fn quotes(server: TestServer) {
        general(server).await;
        let quote = json!({ "text": "q", "user_id": "joe", "quoted_message_id": "m1" });
        set(server, json!({ "quotes": false })).await;
        send(server, "general", quote.clone()).await.expect_error(400, 19, "quotes");
        set(server, json!({ "quotes": true })).await;
        sent(server, "general", quote).await;
    }

    async fn search(server: TestServer) {
        general(server).await;
        let payload = json!({ "filter_conditions": { "cid": "messaging:general" }, "query": "hello" });
        let found = get_ok(server, "/api/v2/chat/search", &payload).await;
        assert_eq!(found["results"].as_array().unwrap().len(), 1);
        set(server, json!({ "search": false })).await;
        let nothing = get_ok(server, "/api/v2/chat/search", &payload).await;
        assert_eq!(nothing["results"], json!([]));
        assert_eq!(nothing["results_warning"]["channel_search_cids"], json!(["messaging:general"]));
    }

    async fn read_events(server: TestServer) {
        general(server).await;
        let path = format!("{GENERAL}/read");
        set(server, json!({ "read_events": false })).await;
        post(server, &path, &json!({ "user_id": "joe" })).await.expect_error(400, 18, "messaging");
        assert_eq!(state(server).await.get("read"), None);
        let unread = server.raw("GET", "/api/v2/chat/unread").query("user_id", "joe").send().await;
        assert_eq!(unread.body["total_unread_count"], 0, "{}", unread.text);
        set(server, json!({ "read_events": true })).await;
        let unread = server.raw("GET", "/api/v2/chat/unread").query("user_id", "joe").send().await;
        assert_eq!(unread.body["total_unread_count"], 1, "{}", unread.text);
        post_ok(server, &path, &json!({ "user_id": "joe" })).await;
    }

    async fn max_message_length(server: TestServer) {
        general(server).await;
        set(server, json!({ "max_message_length": 20_000 })).await;
        sent(server, "general", json!({ "text": "x".repeat(20_000), "user_id": "jane" })).await;
        set(server, json!({ "max_message_length": 3 })).await;
        send(server, "general", json!({ "text": "four", "user_id": "jane" })).await.expect_error(400, 20, "3");
        sent(server, "general", json!({ "text": "\u{e9}t\u{e9}", "user_id": "jane" })).await;
    }

    async fn messages_are_counted_from_when_counting_begins(server: TestServer) {
        general(server).await;
        assert_eq!(count(server).await, Some(1));
        set(server, json!({ "count_messages": false })).await;
        assert_eq!(count(server).await, None);
        server.send("general", "jane", "m2", "not counted").await;
        set(server, json!({ "count_messages": true })).await;
        assert_eq!(count(server).await, Some(0));
        server.send("general", "jane", "m3", "counted").await;
        server.send("general", "jane", "m4", "counted").await;
        assert_eq!(count(server).await, Some(2));
        let filter = json!({ "filter_conditions": { "message_count": 2, "type": "messaging" } });
        let found = post_ok(server, "/api/v2/chat/channels", &filter).await;
        assert_eq!(found["channels"][0]["channel"]["message_count"], 2);
        assert_eq!(server.raw("DELETE", "/api/v2/chat/messages/m4").send().await.status, 200);
        assert_eq!(count(server).await, Some(1));
    }

    async fn counting_is_switched_for_a_single_channel(server: TestServer) {
        general(server).await;
        set_for_channel(server, json!({ "count_messages": false })).await;
        assert_eq!(count(server).await, None);
        server.send("general", "jane", "m2", "not counted").await;
        set_for_channel(server, json!({})).await;
        assert_eq!(count(server).await, Some(0));
        server.send("general", "jane", "m3", "counted").await;
        assert_eq!(count(server).await, Some(1));
    }

    async fn system_messages_may_leave_the_last_message_as_it_is(server: TestServer) {
        general(server).await;
        let last = async || state(server).await["channel"]["last_message_at"].clone();
        let first = last().await;
        server.advance(std::time::Duration::from_secs(1));
        set(server, json!({ "skip_last_msg_update_for_system_msgs": true })).await;
        let system = json!({ "text": "s", "user_id": "jane", "type": "system" });
        sent(server, "general", system.clone()).await;
        let message = json!({ "text": "changed", "user_id": "jane" });
        post_ok(server, GENERAL, &json!({ "message": message })).await;
        assert_eq!(last().await, first);
        set(server, json!({ "skip_last_msg_update_for_system_msgs": false })).await;
        let posted = sent(server, "general", system).await;
        assert_eq!(last().await, posted["created_at"]);
    }

    async fn system_messages_are_passed_over_when_those_of_a_user_go(server: TestServer) {
        general(server).await;
        let last = async || state(server).await["channel"]["last_message_at"].clone();
        let first = last().await;
        set(server, json!({ "skip_last_msg_update_for_system_msgs": true })).await;
        server.send("general", "joe", "m2", "hello").await;
        sent(server, "general", json!({ "text": "s", "user_id": "jane", "type": "system" })).await;
        assert_ne!(last().await, first);
        let body = json!({ "user_ids": ["joe"], "user": "soft", "messages": "hard" });
        let answer = post_ok(server, "/api/v2/users/delete", &body).await;
        assert_eq!(ended(server, &answer).await["status"], "completed");
        assert_eq!(last().await, first);
        // So they are when a channel comes back with its creator.
        let body = json!({ "user_ids": ["jane"], "mark_channels_deleted": true });
        ended(server, &post_ok(server, "/api/v2/users/deactivate", &body).await).await;
        let body = json!({ "user_ids": ["jane"], "restore_channels": true });
        ended(server, &post_ok(server, "/api/v2/users/reactivate", &body).await).await;
        assert_eq!(last().await, first);
    }

    async fn what_a_channel_sets_itself_stays_when_its_type_changes(server: TestServer) {
        general(server).await;
        set_for_channel(server, json!({ "reactions": true, "max_message_length": 4 })).await;
        set(server, json!({ "reactions": false, "max_message_length": 100, "commands": ["all"] })).await;
        let config = state(server).await["channel"]["config"].clone();
        assert_eq!((&config["reactions"], &config["max_message_length"]), (&json!(true), &json!(4)));
        assert_eq!(config["commands"].as_array().unwrap().len(), 6);
        set_for_channel(server, json!({ "commands": ["ban"] })).await;
        let config = state(server).await["channel"]["config"].clone();
        assert_eq!((&config["reactions"], &config["max_message_length"]), (&json!(false), &json!(100)));
        assert_eq!(config["commands"][0]["name"], "ban");
        set_for_channel(server, json!({})).await;
        assert_eq!(state(server).await["channel"]["config"]["commands"].as_array().unwrap().len(), 6);
    }

    async fn grants_of_a_channel_change_those_that_its_type_has_now(server: TestServer) {
        general(server).await;
        set(server, json!({ "grants": { "channel_member": ["read-channel", "create-message"] } })).await;
        let grants = json!({ "channel_member": ["!create-message", "pin-message"] });
        set_for_channel(server, json!({ "grants": grants })).await;
        let config = state(server).await["channel"]["config"].clone();
        assert_eq!(config["grants"]["channel_member"], json!(["read-channel", "pin-message"]));
    }

    async fn settings_without_an_operation_yet_are_kept_and_shown_in_channels(server: TestServer) {
        general(server).await;
        let change = json!({
            "typing_events": false, "delivery_events": false, "custom_events": false, "connect_events": false,
            "mutes": false, "uploads": false, "url_enrichment": false, "push_notifications": false,
            "polls": true, "shared_locations": true, "user_message_reminders": true, "reminders": true,
            "mark_messages_pending": true, "automod": "simple", "automod_behavior": "block",
            "blocklist": "rude", "blocklist_behavior": "block", "push_level": "none",
        });
        set(server, change.clone()).await;
        let config = state(server).await["channel"]["config"].clone();
        for (setting, value) in change.as_object().unwrap() {
            assert_eq!(config[setting], *value, "{setting}");
        }
    }

    async fn settings_of_one_channel_are_checked(server: TestServer) {
        general(server).await;
        for overrides in [
            json!({ "push_level": "loud" }),
            json!({ "chat_preferences": { "here_mentions": "sometimes" } }),
            json!({ "max_message_length": -1 }),
        ] {
            let reply = post(server, GENERAL, &json!({ "data": { "config_overrides": overrides } })).await;
            reply.expect_error(400, 4, "config_overrides");
        }
    }
}
