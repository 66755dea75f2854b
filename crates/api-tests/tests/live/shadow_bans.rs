//! Who is banned without being told learns it from nothing that he or she is sent; everybody else may see it.

use natterjack_api_tests::{Socket, TestServer, both_databases};
use serde_json::{Value, json};

const GENERAL: &str = "/api/v2/chat/channels/messaging/general";
const OTHER: &str = "/api/v2/chat/channels/messaging/other";

/// Whether a text tells of a shadow ban.
fn tells(text: &str) -> bool {
    text.contains("\"shadow_banned\":true") || text.contains("\"shadowed\":true")
}

/// Calls an operation as a server.
async fn call(server: &TestServer, method: &str, path: &str, body: Value) -> Value {
    let reply = server.raw(method, path).json(&body).send().await;
    assert!(reply.status < 300, "{method} {path}: {}", reply.text);
    reply.body
}

/// Calls an operation as joe and requires that the answer does not give him away.
async fn as_joe(server: &TestServer, method: &str, path: &str, body: Value) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut request = server.raw(method, path).as_user("joe");
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        request = request.query(name, value);
    }
    let reply = if body.is_null() { request.send().await } else { request.json(&body).send().await };
    assert!(reply.status < 300, "{method} {path}: {}", reply.text);
    assert!(!tells(&reply.text), "{method} {path}: {}", reply.text);
    reply.body
}

/// Everything that a socket got, none of which may give its user away.
async fn unaware(server: &TestServer, socket: &mut Socket) -> Vec<String> {
    let events = socket.drain(server).await;
    for event in &events {
        assert!(!tells(&event.to_string()), "{event}");
    }
    events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

fn message(id: &str, user_id: &str, more: Value) -> Value {
    let mut message = json!({ "id": id, "text": "hi", "user_id": user_id });
    let Value::Object(more) = more else { panic!("{more} is no object") };
    message.as_object_mut().unwrap().extend(more);
    json!({ "message": message })
}

/// Joe, banned in this channel or everywhere, with a channel that he watches and one that he does not.
async fn banned_joe(server: &TestServer, channel_cid: Option<&str>) -> (Socket, Socket) {
    server.users(&["jane", "joe", "mary"]).await;
    server.channel("general", &["joe", "jane", "mary"]).await;
    server.channel("other", &["joe", "jane", "mary"]).await;
    server.send("general", "joe", "m0", "before").await;
    let ban = json!({ "target_user_id": "joe", "banned_by_id": "jane", "shadow": true, "channel_cid": channel_cid });
    call(server, "POST", "/api/v2/moderation/ban", ban).await;
    let joe = server.watch("joe", "general").await;
    assert!(!tells(&joe.me.to_string()), "{}", joe.me);
    (joe, server.watch("jane", "general").await)
}

both_databases! {
    async fn events_do_not_tell_of_the_own_shadow_ban(server: TestServer) {
        let (mut joe, mut jane) = banned_joe(server, None).await;
        let mut mary = server.socket("mary").open().await;
        unaware(server, &mut joe).await;
        jane.drain(server).await;
        mary.drain(server).await;
        call(server, "POST", &format!("{GENERAL}/message"), message("m1", "joe", json!({}))).await;
        let about_joe = json!({ "mentioned_users": ["joe"], "quoted_message_id": "m0" });
        call(server, "POST", &format!("{GENERAL}/message"), message("m2", "jane", about_joe.clone())).await;
        call(server, "POST", &format!("{OTHER}/message"), message("m3", "jane", json!({ "mentioned_users": ["joe"] }))).await;
        let reply = json!({ "parent_id": "m0" });
        call(server, "POST", &format!("{GENERAL}/message"), message("r1", "joe", reply.clone())).await;
        call(server, "POST", &format!("{GENERAL}/message"), message("r2", "jane", reply)).await;
        for (user, id) in [("jane", "m1"), ("joe", "m2")] {
            let reaction = json!({ "reaction": { "type": "like", "user_id": user } });
            call(server, "POST", &format!("/api/v2/chat/messages/{id}/reaction"), reaction).await;
        }
        let pin = json!({ "set": { "pinned": true }, "user_id": "joe" });
        call(server, "PUT", "/api/v2/chat/messages/m2", pin).await;
        call(server, "POST", GENERAL, json!({ "add_moderators": ["joe"] })).await;
        call(server, "POST", GENERAL, json!({ "data": { "color": "red" }, "user_id": "jane" })).await;
        call(server, "POST", &format!("{GENERAL}/read"), json!({ "user_id": "joe" })).await;
        call(server, "POST", &format!("{OTHER}/truncate"), json!({ "user_id": "joe" })).await;
        for kind in ["typing.start", "smile"] {
            call(server, "POST", &format!("{GENERAL}/event"), json!({ "event": { "type": kind, "user_id": "joe" } })).await;
        }
        call(server, "POST", "/api/v2/chat/users/joe/event", json!({ "event": { "type": "smile" } })).await;
        call(server, "PATCH", "/api/v2/users", json!({ "users": [{ "id": "joe", "set": { "name": "Joe" } }] })).await;
        let told = unaware(server, &mut joe).await;
        for kind in ["message.new", "reaction.new", "message.updated", "member.updated", "channel.updated",
                     "message.read", "smile", "user.updated",
                     "notification.message_new", "notification.channel_truncated"] {
            assert!(told.iter().any(|told| told == kind), "{kind} {told:?}");
        }
        assert_eq!(told.iter().filter(|kind| *kind == "message.new").count(), 4, "each once: {told:?}");
        let seen = jane.drain(server).await;
        assert_eq!(seen.iter().filter(|event| event["type"] == "message.new").count(), 5, "and the one that she sent elsewhere");
        for kind in ["message.new", "reaction.new", "message.read"] {
            assert!(seen.iter().any(|event| event["type"] == kind && tells(&event.to_string())), "{kind}");
        }
        assert!(mary.drain(server).await.iter().any(|event| tells(&event.to_string())));
    }

    async fn events_do_not_tell_of_the_own_shadow_ban_from_a_channel(server: TestServer) {
        let (mut joe, mut jane) = banned_joe(server, Some("messaging:general")).await;
        unaware(server, &mut joe).await;
        jane.drain(server).await;
        call(server, "POST", GENERAL, json!({ "add_moderators": ["joe"] })).await;
        call(server, "POST", &format!("{GENERAL}/message"), message("m1", "joe", json!({}))).await;
        assert_eq!(unaware(server, &mut joe).await, ["member.updated", "channel.updated", "message.new"]);
        let seen = jane.drain(server).await;
        assert_eq!(seen[0]["member"]["shadow_banned"], true);
        assert_eq!((seen.len(), &seen[2]["message"]["shadowed"]), (3, &json!(true)));
        let since = json!({ "channel_cids": ["messaging:general"], "last_sync_at": "2026-01-02T03:04:00Z" });
        let events = as_joe(server, "POST", "/sync", since.clone()).await["events"].clone();
        assert!(events.as_array().unwrap().iter().any(|event| event["type"] == "member.updated"), "{events}");
        let reply = server.raw("POST", "/sync").as_user("jane").json(&since).send().await;
        assert!(tells(&reply.text), "{}", reply.text);
    }

    async fn messages_that_go_with_changes_of_a_channel_are_shadowed_too(server: TestServer) {
        let (mut joe, mut jane) = banned_joe(server, None).await;
        jane.drain(server).await;
        unaware(server, &mut joe).await;
        let unread = async || {
            let request = server.raw("GET", "/api/v2/chat/unread").query("user_id", "mary");
            request.send().await.body["total_unread_count"].clone()
        };
        assert_eq!(unread().await, 1);
        let posted = message("m1", "joe", json!({}));
        let answer = call(server, "POST", GENERAL, posted).await;
        assert_eq!(answer["message"]["shadowed"], true, "the answer is the server's");
        assert_eq!(unaware(server, &mut joe).await, ["channel.updated", "message.new"]);
        let leaving = json!({ "remove_members": ["joe"], "message": { "id": "m2", "text": "spam" } });
        as_joe(server, "POST", GENERAL, leaving).await;
        unaware(server, &mut joe).await;
        let told = jane.drain(server).await;
        let of_message: Vec<_> = told.iter().filter(|event| !event["message"].is_null()).collect();
        assert_eq!(of_message.len(), 4, "{told:?}");
        for event in of_message {
            assert_eq!(event["message"]["shadowed"], true, "{event}");
        }
        assert_eq!(unread().await, 1);
    }

    async fn answers_do_not_tell_of_the_own_shadow_ban(server: TestServer) {
        let (_joe, _jane) = banned_joe(server, None).await;
        let joes = |id: &str| json!({ "message": { "id": id, "text": "hi" } });
        as_joe(server, "POST", &format!("{GENERAL}/message"), joes("m1")).await;
        as_joe(server, "POST", &format!("{GENERAL}/message"),
            json!({ "message": { "id": "r1", "text": "hi", "parent_id": "m1" } })).await;
        as_joe(server, "POST", "/api/v2/chat/messages/m1", joes("m1")).await;
        as_joe(server, "PUT", "/api/v2/chat/messages/m1", json!({ "set": { "text": "ho" } })).await;
        as_joe(server, "POST", "/api/v2/chat/messages/m1/reaction", json!({ "reaction": { "type": "like" } })).await;
        for path in ["/api/v2/chat/messages/m1", "/api/v2/chat/messages/m1/reactions", "/api/v2/chat/messages/m1/replies",
                     "/api/v2/chat/threads/m1", "/api/v2/users/block", "/api/v2/chat/unread"] {
            as_joe(server, "GET", path, Value::Null).await;
        }
        as_joe(server, "POST", "/api/v2/chat/messages/m1/reactions", json!({})).await;
        as_joe(server, "POST", "/api/v2/chat/threads", json!({})).await;
        as_joe(server, "PATCH", "/api/v2/chat/threads/m1", json!({ "set": { "title": "talk" } })).await;
        let state = as_joe(server, "POST", &format!("{GENERAL}/query"), json!({ "state": true, "watchers": { "limit": 5 } })).await;
        assert_eq!(state["watchers"].as_array().unwrap().len(), 2);
        as_joe(server, "POST", "/api/v2/chat/channels",
            json!({ "filter_conditions": { "members": { "$in": ["joe"] } } })).await;
        as_joe(server, "GET", r#"/api/v2/chat/members?payload={"type":"messaging","id":"general","filter_conditions":{}}"#, Value::Null).await;
        as_joe(server, "GET", r#"/api/v2/chat/search?payload={"filter_conditions":{"cid":"messaging:general"},"query":"ho"}"#, Value::Null).await;
        as_joe(server, "POST", GENERAL, json!({ "data": { "color": "red" } })).await;
        as_joe(server, "PATCH", GENERAL, json!({ "set": { "color": "blue" } })).await;
        as_joe(server, "PATCH", &format!("{GENERAL}/member"), json!({ "set": { "pinned": true } })).await;
        as_joe(server, "POST", &format!("{GENERAL}/read"), json!({})).await;
        as_joe(server, "POST", &format!("{GENERAL}/event"), json!({ "event": { "type": "smile" } })).await;
        as_joe(server, "POST", "/api/v2/chat/moderation/mute/channel", json!({ "channel_cids": ["messaging:other"] })).await;
        as_joe(server, "POST", "/api/v2/moderation/mute", json!({ "target_ids": ["mary"] })).await;
        as_joe(server, "POST", "/api/v2/users/block", json!({ "blocked_user_id": "mary" })).await;
        as_joe(server, "GET", "/api/v2/users/block", Value::Null).await;
        as_joe(server, "POST", "/moderation/flag", json!({ "target_message_id": "m0" })).await;
        as_joe(server, "POST", "/api/v2/users", json!({ "users": { "joe": { "id": "joe", "name": "Joe" } } })).await;
        as_joe(server, "DELETE", "/api/v2/chat/messages/m1", Value::Null).await;
        as_joe(server, "POST", &format!("{GENERAL}/truncate"), json!({})).await;
        as_joe(server, "DELETE", OTHER, Value::Null).await;
        let state = call(server, "POST", &format!("{GENERAL}/query"), json!({ "state": true })).await;
        assert!(tells(&state.to_string()), "servers see it");
    }

    async fn a_search_for_users_does_not_tell_of_the_own_shadow_ban(server: TestServer) {
        let (_joe, _jane) = banned_joe(server, None).await;
        let ban = json!({ "target_user_id": "mary", "banned_by_id": "jane", "shadow": true });
        call(server, "POST", "/api/v2/moderation/ban", ban).await;
        for (filter, expected) in [
            (json!({ "shadow_banned": true }), vec!["mary"]),
            (json!({ "shadow_banned": false }), vec!["jane", "joe"]),
            (json!({ "shadow_banned": { "$ne": true } }), vec!["jane", "joe"]),
            (json!({ "$nor": [{ "shadow_banned": { "$ne": false } }] }), vec!["jane", "joe"]),
        ] {
            let payload = json!({ "filter_conditions": filter, "sort": [{ "field": "id", "direction": 1 }] });
            let request = server.raw("GET", "/api/v2/users").as_user("joe").query("payload", &payload.to_string());
            let found = request.send().await.body["users"].clone();
            let ids: Vec<&str> = found.as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect();
            assert_eq!(ids, expected, "{filter}");
        }
        // A moderator is not told either.
        call(server, "PATCH", "/api/v2/users", json!({ "users": [{ "id": "joe", "set": { "role": "moderator" } }] })).await;
        let request = server.raw("GET", "/api/v2/chat/query_banned_users").as_user("joe");
        let bans = request.query("payload", r#"{"filter_conditions":{}}"#).send().await.body["bans"].clone();
        assert_eq!((bans.as_array().unwrap().len(), &bans[0]["user"]["id"]), (1, &json!("mary")));
    }
}
