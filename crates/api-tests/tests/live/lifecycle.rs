//! How connections end, what a client asks that was away, and clients that poll.

use std::time::{Duration, SystemTime};

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_client::protocol::Timestamp;
use natterjack_client::token::{self, TokenOptions};
use serde_json::{Value, json};

/// What the clock of a new test server shows, in seconds.
const NOW: u64 = 1_767_323_045;

/// A token of jane that ends at a moment in seconds.
fn token_until(seconds: u64) -> String {
    let expires_at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    token::user_token(TestServer::API_SECRET, "jane", &TokenOptions { expires_at, ..TokenOptions::default() })
        .unwrap()
}

async fn sync(server: &TestServer, body: Value) -> RawReply {
    server.raw("POST", "/sync").as_user("jane").json(&body).send().await
}

/// A request of a client that polls.
async fn poll(server: &TestServer, user_id: &str, query: &[(&str, &str)]) -> RawReply {
    let details = json!({ "user_id": user_id, "user_details": { "id": user_id } }).to_string();
    let mut request = server.raw("GET", "/longpoll").as_user(user_id).query("json", &details);
    for (name, value) in query {
        request = request.query(name, value);
    }
    request.send().await
}

both_databases! {
    async fn a_client_was_away_at_most_since_the_beginning_of_time(server: TestServer) {
        server.users(&["jane"]).await;
        server.channel("general", &["jane"]).await;
        for moment in [i64::MIN, i64::MIN + 1, -1, 0] {
            let body = json!({ "channel_cids": ["messaging:general"], "last_sync_at": moment });
            sync(server, body).await.expect_error(400, 4, "last_sync_at");
        }
        let body = json!({ "channel_cids": ["messaging:general"], "last_sync_at": i64::MAX });
        assert_eq!(sync(server, body).await.status, 201);
    }

    async fn connections_of_a_user_who_is_gone_are_closed(server: TestServer) {
        server.users(&["jane", "joe", "mary"]).await;
        let mut jane = server.socket("jane").open().await;
        server.raw("POST", "/api/v2/users/jane/deactivate").json(&json!({})).send().await;
        jane.expect("user.deactivated").await;
        assert_eq!(jane.closed().await, 1000, "nobody is to come back");
        let (error, close) = server.socket("jane").refused().await;
        assert!(error["message"].as_str().unwrap().contains("was deactivated"), "{error}");
        assert_eq!(close, 1000);

        let mut joe = server.socket("joe").open().await;
        let gone = json!({ "user_ids": ["joe"], "user": "soft" });
        server.raw("POST", "/api/v2/users/delete").json(&gone).send().await;
        assert_eq!(joe.closed().await, 1000);

        let mut mary = server.socket("mary").open().await;
        let revoke = json!({ "users": [{ "id": "mary", "set": {
            "revoke_tokens_issued_before": "2030-01-01T00:00:00Z" } }] });
        server.raw("PATCH", "/api/v2/users").json(&revoke).send().await;
        assert_eq!(mary.expect("connection.error").await["error"]["code"], 40);
        assert_eq!(mary.closed().await, 4001);
        let (error, _) = server.socket("mary").refused().await;
        assert_eq!(error["code"], 40, "{error}");
    }

    async fn tokens_of_all_users_are_revoked(server: TestServer) {
        server.users(&["jane"]).await;
        let mut jane = server.socket("jane").open().await;
        let revoke = json!({ "revoke_tokens_issued_before": "2030-01-01T00:00:00Z" });
        let reply = server.raw("PATCH", "/api/v2/app").json(&revoke).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(jane.expect("connection.error").await["error"]["code"], 40);
        assert_eq!(jane.closed().await, 4001);
    }

    async fn a_socket_ends_with_its_token(server: TestServer) {
        server.users(&["jane"]).await;
        let token = token_until(NOW + 10);
        let mut jane = server.socket("jane").query("authorization", &token).open().await;
        let mut other = server.socket("jane").open().await;
        server.advance(Duration::from_secs(9));
        assert_eq!(jane.drain_types(server).await, [""; 0], "it holds for a second");
        server.advance(Duration::from_secs(1));
        let told = jane.expect("connection.error").await;
        assert_eq!((&told["error"]["code"], &told["error"]["StatusCode"]), (&json!(40), &json!(401)), "{told}");
        assert_eq!(told["connection_id"], jane.connection_id.as_str());
        assert_eq!(jane.closed().await, 4001);
        assert_eq!(other.drain_types(server).await, [""; 0], "this token holds for ever");
    }

    async fn who_polls_is_told_that_the_token_has_ended(server: TestServer) {
        server.users(&["jane"]).await;
        let details = json!({ "user_id": "jane", "user_details": { "id": "jane" } }).to_string();
        let opened = server.raw("GET", "/longpoll").header("authorization", &token_until(NOW + 10));
        let opened = opened.query("json", &details).send().await;
        let id = opened.body["event"]["connection_id"].as_str().unwrap().to_owned();
        server.advance(Duration::from_secs(10));
        let polled = poll(server, "jane", &[("connection_id", &id)]).await;
        match polled.status {
            200 => {
                assert_eq!(polled.body["events"][0]["type"], "connection.error", "{}", polled.text);
                assert_eq!(polled.body["events"][0]["error"]["code"], 40, "{}", polled.text);
            }
            // It was ended before it was asked.
            _ => polled.expect_error(400, 46, "connection_id"),
        }
        poll(server, "jane", &[("connection_id", &id)]).await.expect_error(400, 46, "connection_id");
    }

    async fn a_socket_ends_with_the_secret_of_its_token(server: TestServer) {
        server.users(&["jane"]).await;
        let mut jane = server.socket("jane").open().await;
        // As `natterjack app rotate-secret` does.
        let store = server.store().await;
        let rotated = store.write("test", (), |tx, ()| {
            Box::pin(async move {
                let app = tx.list_apps().await?.remove(0);
                let now = Timestamp::from_nanoseconds(2);
                tx.update_app_credentials(app.pk, &app.api_key, "another-secret-of-sufficient-length", now).await
            })
        });
        rotated.await.unwrap();
        store.close().await;
        let told = jane.expect("connection.error").await;
        assert_eq!((&told["error"]["code"], &told["error"]["StatusCode"]), (&json!(43), &json!(401)), "{told}");
        assert_eq!(jane.closed().await, 4001);
    }

    async fn an_expired_token_says_so(server: TestServer) {
        server.users(&["jane"]).await;
        let (error, close) = server.socket("jane").query("authorization", &token_until(1)).refused().await;
        assert_eq!((&error["code"], close), (&json!(40), 4001), "{error}");
    }

    async fn connecting_merges_what_the_client_says(server: TestServer) {
        let socket = server.socket("new").details(&json!({ "id": "new", "name": "Nell", "color": "red" }));
        let socket = socket.open().await;
        assert_eq!((&socket.me["role"], &socket.me["name"]), (&json!("user"), &json!("Nell")));
        assert_eq!(socket.me["color"], "red");
        let updated_at = socket.me["updated_at"].clone();
        server.advance(Duration::from_secs(5));
        let details = json!({ "id": "new", "role": "admin", "size": 3 });
        let again = server.socket("new").details(&details).open().await;
        assert_eq!((&again.me["role"], &again.me["name"]), (&json!("user"), &json!("Nell")));
        assert_eq!((&again.me["color"], &again.me["size"]), (&json!("red"), &json!(3)));
        assert_ne!(again.me["updated_at"], updated_at);
        let same = server.socket("new").open().await;
        assert_eq!(same.me["updated_at"], again.me["updated_at"], "nothing has changed");
        let (error, _) = server.socket("new").details(&json!({ "id": "new", "teams": ["red"] })).refused().await;
        assert_eq!(error["code"], 5);
        let text = error["message"].as_str().unwrap();
        assert!(text.contains("user teams can only be updated server-side"), "{text}");
        let details = json!({ "id": "new", "created_at": "2020-01-01T00:00:00Z" });
        let (error, _) = server.socket("new").details(&details).refused().await;
        assert_eq!(error["code"], 4, "{error}");
        let details = json!({ "id": "new", "text": "x".repeat(6000) });
        let (error, _) = server.socket("new").details(&details).refused().await;
        assert_eq!(error["code"], 22, "{error}");
    }

    async fn anonymous_users_connect_and_are_not_stored(server: TestServer) {
        let request = server.socket("x").without_query("authorization").query("stream-auth-type", "anonymous");
        let socket = request.details(&json!({ "id": "!anon" })).open().await;
        assert!(socket.me["id"].as_str().unwrap().starts_with("!anon"));
        assert_eq!(socket.me["role"], "anonymous");
        assert_eq!(server.count("users").await, 0);
    }

    async fn watching_needs_a_connection_of_ones_own(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let joe = server.socket("joe").open().await;
        let query = |connection_id: &str| {
            let path = "/api/v2/chat/channels/messaging/general/query";
            let request = server.raw("POST", path).json(&json!({ "watch": true }));
            if connection_id.is_empty() { request } else { request.query("connection_id", connection_id) }
        };
        query("").send().await.expect_error(400, 4, "watch");
        query("").as_user("jane").send().await.expect_error(400, 4, "connection_id");
        query("nonsense").as_user("jane").send().await.expect_error(400, 46, "connection_id");
        query(&joe.connection_id).as_user("jane").send().await.expect_error(400, 46, "connection_id");
        assert_eq!(query(&joe.connection_id).as_user("joe").send().await.status, 201);
    }

    async fn who_was_away_asks_what_happened(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.channel("other", &["joe"]).await;
        server.send("general", "joe", "m0", "seen").await;
        server.advance(Duration::from_secs(60));
        let since = "2026-01-02T03:04:45Z";
        server.send("general", "joe", "m1", "hello").await;
        server.send("other", "joe", "m2", "not for jane").await;
        let update = json!({ "message": { "text": "seen, and edited", "user_id": "joe" } });
        server.raw("POST", "/api/v2/chat/messages/m0").json(&update).send().await;
        let cids = json!(["messaging:general", "messaging:other", "messaging:nowhere"]);
        let body = json!({ "channel_cids": cids, "last_sync_at": since, "with_inaccessible_cids": true });
        let reply = sync(server, body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let events = reply.body["events"].as_array().unwrap();
        let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["message.new", "message.updated"]);
        assert_eq!(events[0]["message"]["id"], "m1");
        assert_eq!(reply.body["inaccessible_cids"], json!(["messaging:nowhere", "messaging:other"]));
        assert!(!reply.text.contains("not for jane"));

        sync(server, json!({ "channel_cids": [], "last_sync_at": since })).await.expect_error(400, 4, "channel_cids");
        sync(server, json!({ "channel_cids": cids })).await.expect_error(400, 4, "last_sync_at");
        let old = json!({ "channel_cids": cids, "last_sync_at": "2025-11-01T00:00:00Z" });
        let text = "Too old last_sync_at time, please have last_sync_at argument no later than 30 days ago";
        sync(server, old).await.expect_error(400, 4, text);
        let many: Vec<String> = vec!["messaging:general".to_owned(); 256];
        let many = json!({ "channel_cids": many, "last_sync_at": since });
        sync(server, many).await.expect_error(400, 4, "channel_cids");
    }

    async fn who_joined_without_the_history_does_not_learn_it_by_asking(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["joe"]).await;
        let since = "2026-01-02T03:04:00Z";
        let call = async |path: &str, body: Value| {
            let reply = server.raw("POST", &format!("/api/v2/chat/{path}")).json(&body).send().await;
            assert_eq!(reply.status, 201, "{path}: {}", reply.text);
        };
        let general = "channels/messaging/general";
        server.send("general", "joe", "m0", "old secret").await;
        server.send("general", "joe", "m1", "old secret").await;
        let reply = json!({ "id": "r1", "text": "old secret", "user_id": "joe", "parent_id": "m0" });
        call(&format!("{general}/message"), json!({ "message": reply })).await;
        call(general, json!({ "message": { "id": "m2", "text": "old secret", "user_id": "joe" } })).await;
        call("messages/m1/reaction", json!({ "reaction": { "type": "old secret", "user_id": "joe" } })).await;
        let deletion = server.raw("DELETE", "/api/v2/chat/messages/m1").query("hard", "true").send().await;
        assert_eq!(deletion.status, 200, "{}", deletion.text);
        server.advance(Duration::from_secs(1));
        call(general, json!({ "add_members": ["jane"], "hide_history": true })).await;
        server.advance(Duration::from_secs(1));
        call("messages/m0", json!({ "message": { "text": "old secret still", "user_id": "joe" } })).await;
        let quoting = json!({ "id": "m3", "text": "new", "user_id": "joe", "quoted_message_id": "m0" });
        call(&format!("{general}/message"), json!({ "message": quoting })).await;
        call(&format!("{general}/read"), json!({ "user_id": "joe", "thread_id": "m0" })).await;

        let reply = sync(server, json!({ "channel_cids": ["messaging:general"], "last_sync_at": since })).await;
        assert!(!reply.text.contains("old secret"), "{}", reply.text);
        let events = reply.body["events"].as_array().unwrap();
        let about: Vec<_> = events.iter().filter_map(|event| event["message"]["id"].as_str()).collect();
        assert_eq!(about, ["m3"], "{}", reply.text);
        assert_eq!(events.iter().filter(|event| event["type"] == "channel.updated").count(), 2);
    }

    async fn the_log_does_not_keep_what_a_message_said_before(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.send("general", "joe", "m1", "my password is hunter2").await;
        let update = json!({ "message": { "text": "oops", "user_id": "joe" } });
        let reply = server.raw("POST", "/api/v2/chat/messages/m1").json(&update).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let since = "2026-01-02T03:04:00Z";
        let synced = sync(server, json!({ "channel_cids": ["messaging:general"], "last_sync_at": since })).await;
        assert!(!synced.text.contains("hunter2"), "{}", synced.text);
        let log = server
            .store()
            .await
            .read("list_channel_events", (), |tx, ()| {
                Box::pin(async move {
                    let channel = tx.find_message(1, "m1").await?.expect("it is there").channel_pk;
                    tx.list_channel_events(channel, 0, 100).await
                })
            })
            .await
            .expect("the log is read");
        assert!(log.iter().any(|entry| entry.kind == "message.updated"));
        assert!(!format!("{log:?}").contains("hunter2"), "{log:?}");
    }

    async fn who_was_invited_and_has_not_accepted_gets_no_messages_afterwards(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["joe"]).await;
        let path = "/api/v2/chat/channels/messaging/general";
        server.raw("POST", path).json(&json!({ "invites": [{ "user_id": "jane" }] })).send().await;
        server.advance(Duration::from_secs(60));
        server.send("general", "joe", "m1", "hello").await;
        let body = json!({ "channel_cids": ["messaging:general"], "last_sync_at": "2026-01-02T03:04:00Z",
                           "with_inaccessible_cids": true });
        let types = |reply: &RawReply| {
            let events = reply.body["events"].as_array().unwrap_or_else(|| panic!("{}", reply.text));
            events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect::<Vec<String>>()
        };
        let pending = sync(server, body.clone()).await;
        let told = types(&pending);
        assert!(!told.iter().any(|kind| kind.starts_with("message.") || kind.starts_with("member.")), "{told:?}");
        assert_eq!(pending.body["inaccessible_cids"], json!([]), "what happened is not told, but it may be read");
        let accept = json!({ "accept_invite": true });
        let accepted = server.raw("POST", path).as_user("jane").json(&accept).send().await;
        assert_eq!(accepted.status, 201, "{}", accepted.text);
        server.send("general", "joe", "m2", "hello").await;
        let told = types(&sync(server, body).await);
        assert_eq!(told.iter().filter(|kind| *kind == "message.new").count(), 2, "{told:?}");
    }

    async fn a_client_may_poll(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let opened = poll(server, "jane", &[]).await;
        assert_eq!(opened.status, 200, "{}", opened.text);
        assert_eq!(opened.body["event"]["type"], "health.check");
        assert_eq!(opened.body["event"]["me"]["id"], "jane");
        let id = opened.body["event"]["connection_id"].as_str().unwrap().to_owned();
        server.send("general", "joe", "m1", "hello").await;
        server.settle().await;
        let events = poll(server, "jane", &[("connection_id", &id)]).await;
        assert_eq!(events.body["events"][0]["type"], "notification.message_new", "{}", events.text);
        assert_eq!(events.body["events"][0]["total_unread_count"], 1);
        poll(server, "joe", &[("connection_id", &id)]).await.expect_error(400, 46, "connection_id");
        let closed = poll(server, "jane", &[("connection_id", &id), ("close", "true")]).await;
        assert_eq!(closed.body["events"], json!([]));
        poll(server, "jane", &[("connection_id", &id)]).await.expect_error(400, 46, "connection_id");
    }
}
