//! Version 1 of the API: the same operations without the prefix in their paths, times as text, custom data beside the
//! built-in fields.

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

/// A channel of Jane and Joe.
async fn general(server: &TestServer) {
    server.users(&["jane", "joe"]).await;
    let data = json!({ "name": "General", "color": "red", "members": ["jane", "joe"], "created_by": { "id": "jane" } });
    let reply =
        post(server, "/channels/messaging/general/query", json!({ "data": data, "state": true })).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
}

async fn post(server: &TestServer, path: &str, body: Value) -> RawReply {
    server.raw("POST", path).json(&body).send().await
}

async fn send(server: &TestServer, message: Value) -> RawReply {
    post(server, "/channels/messaging/general/message", json!({ "message": message })).await
}

both_databases! {
    async fn custom_data_of_a_channel_stands_beside_its_fields(server: TestServer) {
        general(server).await;
        let reply = post(server, "/channels", json!({ "filter_conditions": { "name": "General" }, "sort": [] })).await;
        let channel = &reply.body["channels"][0]["channel"];
        assert_eq!((&channel["name"], &channel["color"]), (&json!("General"), &json!("red")));
        assert_eq!(channel.get("custom"), None);
        let same = server.raw("GET", "/api/v2/chat/channels/messaging/general").send().await;
        assert_eq!(same.body["channel"]["custom"], json!({ "name": "General", "color": "red" }));
    }

    async fn channels_are_also_found_by_get(server: TestServer) {
        general(server).await;
        let get = async |payload: &str| server.raw("GET", "/channels").query("payload", payload).send().await;
        let payload = json!({ "filter_conditions": { "name": "General" }, "sort": null, "state": true, "watch": false });
        let reply = get(&payload.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.body["channels"][0]["channel"]["cid"], "messaging:general");
        assert_eq!(reply.body["channels"][0]["members"].as_array().unwrap().len(), 2);
        get("[").await.expect_error(400, 4, "payload");
        get("{\"limit\":-1}").await.expect_error(400, 4, "QueryChannels");
    }

    async fn what_is_written_in_one_version_is_read_in_the_other(server: TestServer) {
        general(server).await;
        let message = json!({ "id": "m1", "text": "hi", "mood": "good", "attachments": [{ "type": "x", "size": 3 }] });
        let reply = send(server, json!({ "user_id": "jane", "mood": "good", "id": "m1", "text": "hi",
            "attachments": message["attachments"] })).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!(reply.body["message"]["mood"], "good");
        assert_eq!(reply.body["message"]["attachments"][0]["size"], 3);
        let same = server.raw("GET", "/api/v2/chat/messages/m1").send().await.body;
        assert_eq!(same["message"]["custom"], json!({ "mood": "good" }));
        assert_eq!(same["message"]["attachments"][0]["custom"], json!({ "size": 3 }));
        let change = json!({ "set": { "custom": { "mood": "better" } }, "user_id": "jane" });
        assert_eq!(server.raw("PUT", "/api/v2/chat/messages/m1").json(&change).send().await.status, 201);
        let read = server.raw("GET", "/messages/m1").send().await;
        assert_eq!(read.body["message"]["mood"], "better");
    }

    async fn no_reactions_are_counted_as_null(server: TestServer) {
        general(server).await;
        let sent = send(server, json!({ "user_id": "jane", "text": "hi", "id": "m1" })).await;
        assert_eq!(sent.body["message"].get("reaction_counts"), Some(&Value::Null), "{}", sent.text);
        let reaction = json!({ "reaction": { "type": "like", "user_id": "jane" } });
        let reacted = post(server, "/messages/m1/reaction", reaction).await;
        assert_eq!(reacted.body["message"]["reaction_counts"], json!({ "like": 1 }), "{}", reacted.text);
    }

    async fn times_are_text(server: TestServer) {
        general(server).await;
        let reply = send(server, json!({ "user_id": "jane", "text": "hi" })).await;
        let at = reply.body["message"]["created_at"].as_str().unwrap();
        assert!(at.starts_with("2026-01-02T03:04:05") && at.ends_with('Z'), "{at}");
        assert!(reply.body["duration"].as_str().unwrap().ends_with("ms"));
    }

    async fn users_have_custom_data_beside_their_fields(server: TestServer) {
        let reply = post(server, "/users", json!({ "users": { "jane": { "id": "jane", "color": "red", "name": "Jane" } } })).await;
        assert_eq!(reply.body["users"]["jane"]["color"], "red");
        let patch = json!({ "users": [{ "id": "jane", "set": { "color": "blue" }, "unset": ["name"] }] });
        let reply = server.raw("PATCH", "/users").json(&patch).send().await;
        assert_eq!(reply.body["users"]["jane"]["color"], "blue");
        assert_eq!(reply.body["users"]["jane"].get("name"), None);
    }

    async fn a_user_who_was_read_is_given_back_with_one_change(server: TestServer) {
        general(server).await;
        let read = post(server, "/users", json!({ "users": { "jane": { "id": "jane", "color": "red" } } })).await;
        let mut jane = read.body["users"]["jane"].clone();
        assert!(jane["created_at"].is_string());
        jane["privacy_settings"] = json!({ "read_receipts": { "enabled": false } });
        let reply = post(server, "/users", json!({ "users": { "jane": jane } })).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!(reply.body["users"]["jane"]["privacy_settings"], jane["privacy_settings"]);
        let same = server.raw("GET", "/api/v2/users").query("payload", "{\"filter_conditions\":{\"id\":\"jane\"}}");
        assert_eq!(same.send().await.body["users"][0]["custom"], json!({ "color": "red" }));
        let message = json!({ "text": "blue", "user": jane });
        let reply = post(server, "/channels/messaging/general", json!({ "data": {}, "message": message })).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
    }

    async fn roles_and_permissions_say_whether_they_are_custom(server: TestServer) {
        let made = post(server, "/roles", json!({ "name": "host" })).await;
        assert_eq!((made.status, &made.body["role"]["custom"]), (201, &json!(true)), "{}", made.text);
        let roles = server.raw("GET", "/roles").send().await;
        let roles = roles.body["roles"].as_array().unwrap();
        assert!(roles.iter().any(|role| role["name"] == "admin" && role["custom"] == false));
        let own = json!({ "id": "own", "action": "ReadChannel", "condition": { "$subject.rank": 1 } });
        assert_eq!(post(server, "/permissions", own).await.status, 201);
        let own = server.raw("GET", "/permissions/own").send().await;
        assert_eq!((own.status, &own.body["permission"]["custom"]), (200, &json!(true)), "{}", own.text);
        assert_eq!(own.body["permission"]["condition"], json!({ "$subject.rank": 1 }));
        let listed = server.raw("GET", "/permissions").send().await;
        assert!(listed.body["permissions"].as_array().unwrap().iter().any(|one| one["custom"] == false));
    }

    async fn times_that_were_never_set_count_as_missing(server: TestServer) {
        let never = "0001-01-01T00:00:00Z";
        let kind = json!({ "name": "lobby", "automod": "disabled", "automod_behavior": "flag", "max_message_length": 5000,
            "commands": ["all"], "permissions": null, "grants": null, "created_at": never, "updated_at": never });
        let made = post(server, "/channeltypes", kind).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert!(made.body["created_at"].as_str().unwrap().starts_with("2026-01-02"), "{}", made.text);
        let change = json!({ "reactions": false, "created_at": never, "updated_at": never });
        let changed = server.raw("PUT", "/channeltypes/lobby").json(&change).send().await;
        assert_eq!((changed.status, &changed.body["created_at"]), (201, &made.body["created_at"]), "{}", changed.text);
        let other = json!({ "created_at": "2020-01-01T00:00:00Z" });
        let refused = server.raw("PUT", "/channeltypes/lobby").json(&other).send().await;
        refused.expect_error(400, 4, "created_at");
        let hook = json!({ "id": "", "hook_type": "webhook", "enabled": true, "event_types": ["message.new"],
            "webhook_url": "http://example.org", "created_at": never, "updated_at": never });
        let set = server.raw("PATCH", "/app").json(&json!({ "event_hooks": [hook] })).send().await;
        assert_eq!(set.status, 200, "{}", set.text);
        let app = server.raw("GET", "/app").send().await.body["app"].clone();
        let shown = &app["event_hooks"][0];
        assert!(shown["created_at"].as_str().unwrap().starts_with("2026-01-02"), "{shown}");
        assert!(!shown["id"].as_str().unwrap().is_empty());
    }

    async fn what_only_the_server_sets_is_refused_by_name(server: TestServer) {
        general(server).await;
        let reply = send(server, json!({ "user_id": "jane", "text": "hi", "created_at": "2020-01-01T00:00:00Z" })).await;
        reply.expect_error(400, 4, "message.created_at is a reserved field");
        let body = json!({ "data": { "cooldown": 5, "created_by_id": "jane" } });
        let reply = post(server, "/channels/messaging/other/query", body).await;
        reply.expect_error(400, 4, "data.cooldown is a reserved field");
    }

    async fn a_bad_body_is_refused_by_field(server: TestServer) {
        general(server).await;
        send(server, json!({ "user_id": "jane", "text": 5 })).await.expect_error(400, 4, "message.text");
        let request = server.raw("POST", "/channels/messaging/general/message");
        request.bytes("{\"message\":").send().await.expect_error(400, 4, "not valid JSON");
    }

    async fn a_member_may_be_named_in_the_path(server: TestServer) {
        general(server).await;
        let change = json!({ "set": { "seat": 4, "pinned": true } });
        let request = server.raw("PATCH", "/channels/messaging/general/member/joe").json(&change);
        let reply = request.send().await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.body["channel_member"]["seat"], 4);
        assert!(reply.body["channel_member"]["pinned_at"].is_string());
    }
}
