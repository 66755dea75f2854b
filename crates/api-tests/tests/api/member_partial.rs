//! Changes of single fields of a member: pinning, archiving, custom data, role.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{post_ok, texts};

const CHANNELS: &str = "/api/v2/chat/channels";

/// Three channels of jane and joe.
async fn channels(server: &TestServer) {
    server.users(&["jane", "joe", "eve"]).await;
    for channel in ["one", "two", "three"] {
        server.channel(channel, &["jane", "joe"]).await;
        server.advance(Duration::from_secs(1));
    }
}

async fn change(server: &TestServer, channel: &str, user_id: &str, body: &Value) -> RawReply {
    let path = format!("{CHANNELS}/messaging/{channel}/member");
    server.raw("PATCH", &path).query("user_id", user_id).json(body).send().await
}

async fn changed(server: &TestServer, channel: &str, user_id: &str, body: &Value) -> Value {
    let reply = change(server, channel, user_id, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body["channel_member"].clone()
}

/// The channels that a user finds.
async fn found(server: &TestServer, user_id: &str, filter: Value, sort: Value) -> Vec<String> {
    let body = json!({ "filter_conditions": filter, "user_id": user_id, "sort": sort });
    texts(&post_ok(server, CHANNELS, &body).await["channels"], "/channel/id")
}

both_databases! {
    async fn a_member_pins_and_archives_channels(server: TestServer) {
        channels(server).await;
        for channel in ["one", "three"] {
            server.advance(Duration::from_secs(1));
            let member = changed(server, channel, "jane", &json!({ "set": { "pinned": true } })).await;
            assert!(member["pinned_at"].is_i64());
            assert_eq!((&member["user_id"], member.get("archived_at")), (&json!("jane"), None));
        }
        let archived = changed(server, "two", "jane", &json!({ "set": { "archived": true } })).await;
        assert!(archived["archived_at"].is_i64());
        let newest_pin = json!([{ "field": "pinned_at", "direction": -1 }]);
        assert_eq!(found(server, "jane", json!({ "pinned": true }), newest_pin.clone()).await, ["three", "one"]);
        assert_eq!(found(server, "jane", json!({ "pinned": false }), json!([])).await, ["two"]);
        assert_eq!(found(server, "jane", json!({ "archived": true }), json!([])).await, ["two"]);
        assert_eq!(found(server, "jane", json!({ "archived": false }), newest_pin).await, ["three", "one"]);
        // Nobody else is concerned.
        assert_eq!(found(server, "joe", json!({ "pinned": true }), json!([])).await, Vec::<String>::new());
        let one = changed(server, "one", "jane", &json!({ "set": { "pinned": false } })).await;
        assert_eq!(one.get("pinned_at"), None);
        let two = changed(server, "two", "jane", &json!({ "unset": ["archived"] })).await;
        assert_eq!(two.get("archived_at"), None);
        server.check().await;
    }

    async fn pinning_twice_changes_nothing(server: TestServer) {
        channels(server).await;
        let pin = json!({ "set": { "pinned": true } });
        let first = changed(server, "one", "jane", &pin).await;
        server.advance(Duration::from_secs(1));
        assert_eq!(changed(server, "one", "jane", &pin).await["pinned_at"], first["pinned_at"]);
    }

    async fn custom_data_of_a_member_is_changed_in_part(server: TestServer) {
        channels(server).await;
        let body = json!({ "set": { "nick": "j", "a.b": 1 } });
        assert_eq!(changed(server, "one", "jane", &body).await["custom"], json!({ "nick": "j", "a": { "b": 1 } }));
        let body = json!({ "set": { "a.c": 2 }, "unset": ["nick", "none"] });
        assert_eq!(changed(server, "one", "jane", &body).await["custom"], json!({ "a": { "b": 1, "c": 2 } }));
        let big = json!({ "set": { "x": "y".repeat(5 * 1024) } });
        change(server, "one", "jane", &big).await.expect_error(413, 22, "custom");
    }

    async fn a_server_gives_members_roles(server: TestServer) {
        channels(server).await;
        server.send("one", "joe", "m1", "before").await;
        let role = json!({ "set": { "channel_role": "channel_moderator" } });
        let member = changed(server, "one", "joe", &role).await;
        assert_eq!((&member["channel_role"], &member["is_moderator"]), (&json!("channel_moderator"), &json!(true)));
        let sent = server.send("one", "joe", "m2", "after").await;
        assert_eq!(sent.member.unwrap().channel_role, "channel_moderator");
        let member = changed(server, "one", "joe", &json!({ "unset": ["channel_role"] })).await;
        assert_eq!(member["channel_role"], "channel_member");
        let user_role = json!({ "set": { "channel_role": "admin" } });
        change(server, "one", "joe", &user_role).await.expect_error(400, 4, "set.channel_role");
    }

    async fn other_fields_of_a_member_are_reserved(server: TestServer) {
        channels(server).await;
        for name in ["user_id", "created_at", "updated_at", "banned", "invited", "is_moderator", "pinned_at"] {
            let text = format!("{name} is a reserved field");
            change(server, "one", "jane", &json!({ "set": { name: true } })).await.expect_error(400, 4, &text);
            change(server, "one", "jane", &json!({ "unset": [name] })).await.expect_error(400, 4, &text);
        }
        change(server, "one", "jane", &json!({ "set": { "pinned": "yes" } })).await
            .expect_error(400, 4, "set.pinned");
    }

    async fn only_members_are_changed(server: TestServer) {
        channels(server).await;
        let pin = json!({ "set": { "pinned": true } });
        change(server, "one", "eve", &pin).await.expect_error(400, 4, "\"eve\" is not a member");
        change(server, "one", "nobody", &pin).await.expect_error(400, 4, "nobody");
        change(server, "none", "jane", &pin).await.expect_error(404, 16, "messaging:none");
        let text = "either user or user_id must be provided when using server side auth.";
        change(server, "one", "", &pin).await.expect_error(400, 4, text);
    }
}
