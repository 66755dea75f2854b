//! Who may be told is asked when it is told: a watch outlives no permission.

use std::collections::HashSet;

use natterjack_api_tests::{Socket, TestServer, both_databases};
use serde_json::{Value, json};

async fn ok(server: &TestServer, method: &str, path: &str, body: Value) -> Value {
    let reply = server.raw(method, path).json(&body).send().await;
    assert!([200, 201].contains(&reply.status), "{method} {path}: {}", reply.text);
    reply.body
}

/// A channel of type livestream, created by boss, with this data.
async fn livestream(server: &TestServer, id: &str, data: Value) {
    let mut data = data;
    data["created_by_id"] = json!("boss");
    ok(server, "POST", &format!("/api/v2/chat/channels/livestream/{id}/query"), json!({ "data": data }))
        .await;
}

async fn say(server: &TestServer, id: &str, text: &str) {
    let body = json!({ "message": { "text": text, "user_id": "boss" } });
    ok(server, "POST", &format!("/api/v2/chat/channels/livestream/{id}/message"), body).await;
    // Who may be told is decided when it is delivered.
    server.settle().await;
}

async fn watch(server: &TestServer, socket: &Socket, user_id: &str, id: &str) {
    let reply = server
        .raw("POST", &format!("/api/v2/chat/channels/livestream/{id}/query"))
        .as_user(user_id)
        .query("connection_id", &socket.connection_id)
        .json(&json!({ "watch": true, "state": true }))
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text);
}

/// The texts of the new messages that came.
async fn heard(socket: &mut Socket, server: &TestServer) -> Vec<String> {
    let events = socket.drain(server).await;
    let new = events.iter().filter(|event| event["type"] == "message.new");
    new.map(|event| event["message"]["text"].as_str().unwrap().to_owned()).collect()
}

async fn set_user(server: &TestServer, id: &str, set: Value) {
    ok(server, "PATCH", "/api/v2/users", json!({ "users": [{ "id": id, "set": set }] })).await;
}

async fn override_config(server: &TestServer, id: &str, overrides: Value) {
    let path = format!("/api/v2/chat/channels/livestream/{id}");
    ok(server, "PATCH", &path, json!({ "set": { "config_overrides": overrides }, "user_id": "boss" })).await;
}

both_databases! {
    async fn a_watch_ends_with_the_permission_to_read(server: TestServer) {
        server.users(&["boss", "jane"]).await;
        livestream(server, "show", json!({})).await;
        let mut jane = server.socket("jane").open().await;
        watch(server, &jane, "jane", "show").await;
        say(server, "show", "one").await;
        assert_eq!(heard(&mut jane, server).await, ["one"]);
        override_config(server, "show", json!({ "grants": { "user": ["!read-channel"] } })).await;
        say(server, "show", "two").await;
        assert!(heard(&mut jane, server).await.is_empty());
        override_config(server, "show", json!({})).await;
        say(server, "show", "three").await;
        assert!(heard(&mut jane, server).await.is_empty(), "who was sent away has to come back");
        watch(server, &jane, "jane", "show").await;
        say(server, "show", "four").await;
        assert_eq!(heard(&mut jane, server).await, ["four"]);
    }

    async fn a_condition_on_the_number_of_members_counts_at_once(server: TestServer) {
        server.users(&["boss", "jane", "ann", "ben", "cat"]).await;
        let small = json!({ "id": "read-small", "name": "Read what is small", "action": "ReadChannel",
                            "condition": { "$resource.member_count": { "$lte": 2 } } });
        ok(server, "POST", "/permissions", small).await;
        livestream(server, "show", json!({})).await;
        override_config(server, "show", json!({ "grants": { "user": ["!read-channel", "read-small"] } })).await;
        let mut jane = server.socket("jane").open().await;
        watch(server, &jane, "jane", "show").await;
        say(server, "show", "one").await;
        assert_eq!(heard(&mut jane, server).await, ["one"]);
        let path = "/api/v2/chat/channels/livestream/show";
        let read = async || server.raw("GET", path).as_user("jane").send().await;
        ok(server, "POST", path, json!({ "add_members": ["ann", "ben", "cat"] })).await;
        read().await.expect_error(403, 17, "");
        say(server, "show", "two").await;
        assert_eq!(heard(&mut jane, server).await, Vec::<String>::new());
        ok(server, "POST", path, json!({ "remove_members": ["cat"] })).await;
        assert_eq!(read().await.status, 200);
        watch(server, &jane, "jane", "show").await;
        say(server, "show", "three").await;
        assert_eq!(heard(&mut jane, server).await, ["three"]);
    }

    async fn a_role_without_the_permission_is_told_nothing(server: TestServer) {
        server.users(&["boss", "jane"]).await;
        ok(server, "POST", "/api/v2/roles", json!({ "name": "outsider" })).await;
        livestream(server, "show", json!({})).await;
        let mut jane = server.socket("jane").open().await;
        watch(server, &jane, "jane", "show").await;
        set_user(server, "jane", json!({ "role": "outsider" })).await;
        say(server, "show", "secret").await;
        assert!(heard(&mut jane, server).await.is_empty());
    }

    async fn a_removed_member_of_an_open_channel_still_reads(server: TestServer) {
        server.users(&["boss", "jane"]).await;
        livestream(server, "show", json!({ "members": [{ "user_id": "jane" }] })).await;
        let mut jane = server.socket("jane").open().await;
        watch(server, &jane, "jane", "show").await;
        ok(server, "POST", "/api/v2/chat/channels/livestream/show", json!({ "remove_members": ["jane"] })).await;
        say(server, "show", "one").await;
        assert_eq!(heard(&mut jane, server).await, ["one"]);
    }

    async fn who_is_banned_still_reads(server: TestServer) {
        server.users(&["boss", "jane"]).await;
        livestream(server, "show", json!({})).await;
        let mut jane = server.socket("jane").open().await;
        watch(server, &jane, "jane", "show").await;
        for cid in [json!("livestream:show"), Value::Null] {
            let mut ban = json!({ "target_user_id": "jane", "banned_by_id": "boss" });
            if !cid.is_null() {
                ban["channel_cid"] = cid;
            }
            ok(server, "POST", "/api/v2/moderation/ban", ban).await;
            say(server, "show", "news").await;
            assert_eq!(heard(&mut jane, server).await, ["news"]);
        }
    }

    async fn a_disabled_channel_is_told_to_who_may_read_it_still(server: TestServer) {
        server.users(&["boss", "jane"]).await;
        livestream(server, "show", json!({})).await;
        let mut jane = server.socket("jane").open().await;
        watch(server, &jane, "jane", "show").await;
        let path = "/api/v2/chat/channels/livestream/show";
        ok(server, "PATCH", path, json!({ "set": { "disabled": true }, "user_id": "boss" })).await;
        assert_eq!(jane.drain_types(server).await, ["channel.updated"]);
        say(server, "show", "closed").await;
        assert!(heard(&mut jane, server).await.is_empty());
        ok(server, "PATCH", path, json!({ "set": { "disabled": false }, "user_id": "boss" })).await;
        jane.drain(server).await;
        say(server, "show", "open").await;
        assert_eq!(heard(&mut jane, server).await, ["open"]);
    }

    async fn what_is_restricted_is_told_to_who_may_read_it(server: TestServer) {
        server.users(&["boss", "jane", "joe", "ada"]).await;
        set_user(server, "ada", json!({ "role": "admin" })).await;
        livestream(server, "show", json!({})).await;
        let mut sockets = Vec::new();
        for user in ["jane", "joe", "ada"] {
            let socket = server.socket(user).open().await;
            watch(server, &socket, user, "show").await;
            sockets.push(socket);
        }
        let grants = json!({ "grants": { "admin": ["read-restricted-visibility-message"] } });
        override_config(server, "show", grants).await;
        let body = json!({ "message": { "text": "psst", "user_id": "boss", "restricted_visibility": ["jane"] } });
        ok(server, "POST", "/api/v2/chat/channels/livestream/show/message", body).await;
        let mut all = Vec::new();
        for socket in &mut sockets {
            all.push(heard(socket, server).await.len());
        }
        assert_eq!(all, [1, 0, 1]);
    }

    async fn sync_answers_for_what_may_be_read(server: TestServer) {
        server.users(&["boss", "jane"]).await;
        let since = "2026-01-02T03:04:00Z";
        livestream(server, "open", json!({})).await;
        livestream(server, "shut", json!({})).await;
        override_config(server, "shut", json!({ "grants": { "user": ["!read-channel"] } })).await;
        say(server, "open", "one").await;
        say(server, "shut", "two").await;
        let body = json!({ "channel_cids": ["livestream:open", "livestream:shut"], "last_sync_at": since,
            "with_inaccessible_cids": true });
        let reply = server.raw("POST", "/sync").as_user("jane").json(&body).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert!(reply.text.contains("\"one\"") && !reply.text.contains("\"two\""), "{}", reply.text);
        assert_eq!(reply.body["inaccessible_cids"], json!(["livestream:shut"]));
    }

    async fn no_channel_is_overheard_while_teams_and_grants_change(server: TestServer) {
        const ROUNDS: usize = 12;
        const TEAMS: [&str; 2] = ["red", "blue"];
        let users = ["ann", "ben", "cat"];
        server.users(&users).await;
        server.users(&["boss"]).await;
        ok(server, "PATCH", "/api/v2/app", json!({ "multi_tenant_enabled": true })).await;
        set_user(server, "boss", json!({ "teams": TEAMS })).await;
        for team in TEAMS {
            livestream(server, team, json!({ "team": team })).await;
        }
        let mut sockets = Vec::new();
        for user in users {
            sockets.push(server.socket(user).open().await);
        }
        let mut may = vec![HashSet::new(); users.len()];
        let mut may_not = vec![HashSet::new(); users.len()];
        for round in 0..ROUNDS {
            for (place, user) in users.iter().enumerate() {
                let team = TEAMS[(place + round) % 2];
                set_user(server, user, json!({ "teams": [team] })).await;
                watch(server, &sockets[place], user, team).await;
            }
            // Who is banned, from a channel or from all, still reads what he or she could read before, and no more.
            let whom = round % 3;
            let mut ban = json!({ "target_user_id": users[whom], "banned_by_id": "boss" });
            if round % 3 != 1 {
                ban["channel_cid"] = json!(format!("livestream:{}", TEAMS[(round / 3) % 2]));
            }
            ok(server, "POST", "/api/v2/moderation/ban", ban.clone()).await;
            for team in TEAMS {
                let text = format!("canary-{team}-{round}-");
                say(server, team, &text).await;
                for place in 0..users.len() {
                    let own = TEAMS[(place + round) % 2] == team;
                    if own { may[place].insert(text.clone()) } else { may_not[place].insert(text.clone()) };
                }
            }
            let shut = TEAMS[round % 2];
            override_config(server, shut, json!({ "grants": { "user": ["!read-channel"] } })).await;
            let text = format!("shut-{shut}-{round}-");
            say(server, shut, &text).await;
            may_not.iter_mut().for_each(|may_not| may_not.extend([text.clone()]));
            override_config(server, shut, json!({})).await;
            if round % 2 == 0 {
                let cid = ban["channel_cid"].as_str().unwrap_or_default();
                let unban = server.raw("POST", "/api/v2/moderation/unban").query("target_user_id", users[whom]);
                let reply = unban.query("channel_cid", cid).json(&json!({ "unbanned_by_id": "boss" })).send().await;
                assert_eq!(reply.status, 201, "{}", reply.text);
            }
        }
        for (place, user) in users.iter().enumerate() {
            sockets[place].drain(server).await;
            let said = sockets[place].texts().join("\n");
            for text in &may_not[place] {
                assert!(!said.contains(text), "{user} and {text}");
            }
            for text in &may[place] {
                assert!(said.contains(text), "{user} misses {text}");
            }
        }
    }
}
