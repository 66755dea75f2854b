//! Who watches, who is online, who types.

use std::time::Duration;

use natterjack_api_tests::{TestServer, both_databases, fault};
use serde_json::{Value, json};

/// Sends an event to the channel `general` as a user.
async fn send(server: &TestServer, user_id: &str, event: Value) -> natterjack_api_tests::RawReply {
    server
        .raw("POST", "/api/v2/chat/channels/messaging/general/event")
        .as_user(user_id)
        .json(&json!({ "event": event }))
        .send()
        .await
}

/// Whether the server shows a user as online.
async fn is_online(server: &TestServer, user_id: &str) -> bool {
    let payload = json!({ "filter_conditions": { "id": user_id } }).to_string();
    let reply = server.raw("GET", "/api/v2/users").query("payload", &payload).send().await;
    reply.body["users"][0]["online"].as_bool().expect("is a truth value")
}

/// A user as somebody finds him or her; `None` is a server.
async fn shown(server: &TestServer, user_id: &str, viewer: Option<&str>) -> Value {
    let payload = json!({ "filter_conditions": { "id": user_id } }).to_string();
    let request = server.raw("GET", "/api/v2/users").query("payload", &payload);
    let request = if let Some(viewer) = viewer { request.as_user(viewer) } else { request };
    request.send().await.body["users"][0].clone()
}

both_databases! {
    async fn watchers_see_each_other_come_and_go(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let mut jane = server.watch("jane", "general").await;
        let joe = server.socket("joe").open().await;
        let state = server.watch_with(&joe, "joe", "general").await;
        assert_eq!(state["watcher_count"], 2);
        let watchers: Vec<&str> =
            state["watchers"].as_array().unwrap().iter().filter_map(|user| user["id"].as_str()).collect();
        assert_eq!(watchers, ["jane", "joe"]);
        let start = jane.expect("user.watching.start").await;
        assert_eq!((&start["user"]["id"], &start["watcher_count"]), (&json!("joe"), &json!(2)));

        // A second connection of the same user is no news.
        let again = server.watch("joe", "general").await;
        again.close().await;
        let stopped = server
            .raw("POST", "/channels/messaging/general/stop-watching")
            .as_user("joe")
            .query("connection_id", &joe.connection_id)
            .json(&json!({}))
            .send()
            .await;
        assert_eq!(stopped.status, 201, "{}", stopped.text);
        let stop = jane.expect("user.watching.stop").await;
        assert_eq!((&stop["user"]["id"], &stop["watcher_count"]), (&json!("joe"), &json!(1)));
        server.send("general", "jane", "m1", "hello").await;
        jane.drain(server).await;
    }

    async fn many_watchers_are_counted_and_told_of_seldom(server: TestServer) {
        const MANY: usize = 100;
        let ids: Vec<String> = (0..MANY + 2).map(|number| format!("w{number:03}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let (first, others) = ids.split_at(MANY);
        server.users(first).await;
        server.users(others).await;
        server.channel("general", first).await;
        let path = "/api/v2/chat/channels/messaging/general";
        let added = server.raw("POST", path).json(&json!({ "add_members": others })).send().await;
        assert_eq!(added.status, 201, "{}", added.text);
        let mut seer = server.watch(first[0], "general").await;
        let mut sockets = Vec::new();
        for id in &first[1..] {
            sockets.push(server.watch(id, "general").await);
        }
        let started = seer.drain(server).await;
        let started: Vec<_> = started.iter().filter(|event| event["type"] == "user.watching.start").collect();
        assert_eq!(started.len(), MANY - 1);
        assert_eq!(started.last().unwrap()["watcher_count"], MANY);
        send(server, first[1], json!({ "type": "typing.start" })).await;
        seer.expect("typing.start").await;

        // One more, and only messages are told one by one.
        sockets.push(server.watch(others[0], "general").await);
        send(server, first[1], json!({ "type": "typing.start" })).await;
        server.send("general", first[1], "m1", "hello").await;
        let read = json!({ "user_id": first[2] });
        assert_eq!(server.raw("POST", &format!("{path}/read")).json(&read).send().await.status, 201);
        let told = seer.drain_types(server).await;
        let told: Vec<&str> = told.iter().map(String::as_str).filter(|kind| *kind != "user.presence.changed").collect();
        assert_eq!(told, ["message.new"]);
        let query = json!({ "state": true, "user_id": first[0], "watchers": { "limit": 3, "offset": 1 } });
        let state = server.raw("POST", &format!("{path}/query")).json(&query).send().await.body;
        assert_eq!(state["watcher_count"], MANY + 1);
        let shown: Vec<&str> =
            state["watchers"].as_array().unwrap().iter().filter_map(|user| user["id"].as_str()).collect();
        assert_eq!(shown, ids[1..4]);
        server.advance(std::time::Duration::from_secs(5));
        sockets.push(server.watch(others[1], "general").await);
        let start = seer.expect("user.watching.start").await;
        assert_eq!((&start["user"]["id"], &start["watcher_count"]), (&json!(others[1]), &json!(MANY + 2)));
    }

    async fn who_is_online_is_told_to_those_who_asked(server: TestServer) {
        server.users(&["jane", "joe", "eve"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let mut jane = server.watch("jane", "general").await;
        let mut eve = server.socket("eve").open().await;
        assert!(!is_online(server, "joe").await);
        let joe = server.socket("joe").open().await;
        let joe_again = server.socket("joe").open().await;
        assert!(is_online(server, "joe").await);
        let changed = jane.expect("user.presence.changed").await;
        assert_eq!((&changed["user"]["id"], &changed["user"]["online"]), (&json!("joe"), &json!(true)));
        assert!(changed["user"]["last_active"].is_string());
        joe.close().await;
        assert!(is_online(server, "joe").await);
        joe_again.close().await;
        let changed = jane.expect("user.presence.changed").await;
        assert_eq!((&changed["user"]["id"], &changed["user"]["online"]), (&json!("joe"), &json!(false)));
        assert!(!is_online(server, "joe").await);
        assert!(eve.drain(server).await.is_empty());
    }

    async fn invisible_users_are_offline_to_everybody(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let mut jane = server.watch("jane", "general").await;
        let details = json!({ "id": "joe", "invisible": true });
        let joe = server.socket("joe").details(&details).open().await;
        assert_eq!(joe.me["invisible"], true);
        assert!(!is_online(server, "joe").await);
        let told = jane.drain_types(server).await;
        assert!(!told.contains(&"user.presence.changed".to_owned()), "{told:?}");
        // It stays so without being said again, and ends when it is taken back.
        joe.close().await;
        let _joe = server.socket("joe").open().await;
        assert!(!is_online(server, "joe").await);
        let visible = json!({ "users": [{ "id": "joe", "set": { "invisible": false } }] });
        server.raw("PATCH", "/api/v2/users").json(&visible).send().await;
        let changed = jane.expect("user.presence.changed").await;
        assert_eq!(changed["user"]["online"], true);
    }

    async fn an_invisible_user_looks_like_one_who_is_away(server: TestServer) {
        server.users(&["jane", "joe", "meg"]).await;
        server.channel("general", &["jane", "joe", "meg"]).await;
        server.send("general", "joe", "m1", "hello").await;
        server.socket("joe").open().await.close().await;
        server.settle().await;
        let before = shown(server, "joe", None).await["last_active"].clone();
        assert!(before.is_number());
        let mut jane = server.watch("jane", "general").await;
        let change = json!({ "users": [
            { "id": "joe", "set": { "invisible": true } },
            { "id": "meg", "set": { "revoke_tokens_issued_before": "2020-01-01T00:00:00Z" } },
        ] });
        server.raw("PATCH", "/api/v2/users").json(&change).send().await;
        server.advance(Duration::from_secs(60));
        let mut joe = server.socket("joe").open().await;
        assert_eq!(joe.me["invisible"], true);
        let rename = json!({ "users": [{ "id": "joe", "set": { "name": "Joe" } }] });
        server.raw("PATCH", "/api/v2/users").json(&rename).send().await;
        let told = joe.drain(server).await;
        let own = told.iter().rfind(|event| event["type"] == "user.updated").unwrap();
        assert_eq!(own["user"]["invisible"], true, "{own}");

        let state = server.raw("POST", "/api/v2/chat/channels/messaging/general/query").as_user("jane");
        let state = state.json(&json!({ "state": true })).send().await.body;
        let member = state["members"].as_array().unwrap().iter().find(|member| member["user_id"] == "joe").unwrap();
        server.send("general", "joe", "m2", "hello").await;
        let told = jane.drain(server).await;
        let of_type = |kind: &str| told.iter().rfind(|event| event["type"] == kind).unwrap()["user"].clone();
        for user in [
            shown(server, "joe", Some("jane")).await,
            member["user"].clone(),
            state["messages"][0]["user"].clone(),
            of_type("user.updated"),
            of_type("message.new"),
        ] {
            assert_eq!((&user["id"], &user["online"]), (&json!("joe"), &json!(false)), "{user}");
            assert_ne!(user["invisible"], true, "{user}");
            // Events write times as texts.
            let is_before = user["last_active"] == before
                || user["last_active"].as_str().is_some_and(|at| at.starts_with("2026-01-02T03:04:05"));
            assert!(is_before, "{user}");
        }
        for truth in [shown(server, "joe", None).await, shown(server, "joe", Some("joe")).await] {
            assert_eq!(truth["invisible"], true);
        }
        // Which tokens hold is nobody else's business either.
        const REVOKED: &str = "revoke_tokens_issued_before";
        let members = state["members"].as_array().unwrap();
        let meg = members.iter().find(|member| member["user_id"] == "meg").unwrap()["user"].clone();
        for user in [shown(server, "meg", Some("jane")).await, meg] {
            assert!(user["id"] == "meg" && user.get(REVOKED).is_none(), "{user}");
        }
        assert!(shown(server, "meg", None).await[REVOKED].is_number());
        let message = server.raw("GET", "/api/v2/chat/messages/m1").send().await.body;
        assert_eq!(message["message"]["user"]["invisible"], true);
    }

    async fn who_is_online_is_noted_once_the_database_takes_it(server: TestServer) {
        server.users(&["joe"]).await;
        let joe = server.socket("joe").open().await;
        assert!(is_online(server, "joe").await);
        server.damage(fault!("stuck_presence")).await;
        joe.close().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(is_online(server, "joe").await);
        server.damage(["DROP TRIGGER stuck", "DROP TRIGGER stuck ON users"]).await;
        for _ in 0..100 {
            if !is_online(server, "joe").await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("joe is online for ever");
    }

    async fn typing_is_told_to_the_others(server: TestServer) {
        server.users(&["jane", "joe", "mary"]).await;
        server.channel("general", &["jane", "joe", "mary"]).await;
        let mut jane = server.watch("jane", "general").await;
        let mut joe = server.watch("joe", "general").await;
        let mut mary = server.socket("mary").open().await;
        jane.drain(server).await;
        joe.drain(server).await;
        let sent = send(server, "joe", json!({ "type": "typing.start", "parent_id": "m1" })).await;
        assert_eq!(sent.status, 201, "{}", sent.text);
        assert_eq!(sent.body["event"]["type"], "typing.start");
        let typing = jane.drain(server).await;
        assert_eq!(typing.len(), 1, "{typing:?}");
        assert_eq!(typing[0]["user"]["id"], "joe");
        assert_eq!(typing[0]["parent_id"], "m1");
        assert_eq!(typing[0]["cid"], "messaging:general");
        assert!(joe.drain(server).await.is_empty(), "no echo");
        assert!(mary.drain(server).await.is_empty(), "only who watches");

        let private = json!({ "users": [{ "id": "joe", "set": {
            "privacy_settings": { "typing_indicators": { "enabled": false } } } }] });
        server.raw("PATCH", "/api/v2/users").json(&private).send().await;
        jane.drain(server).await;
        send(server, "joe", json!({ "type": "typing.stop" })).await;
        assert!(jane.drain(server).await.is_empty());
    }

    async fn events_of_the_app_pass_and_built_in_ones_do_not(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let mut jane = server.watch("jane", "general").await;
        let event = json!({ "type": "friendship_request", "custom": { "text": "hey" } });
        assert_eq!(send(server, "joe", event).await.status, 201);
        let told = jane.drain(server).await;
        assert_eq!((&told[0]["type"], &told[0]["text"]), (&json!("friendship_request"), &json!("hey")));
        let event = json!({ "type": "alert", "custom": { "message": "hey", "reason": "fire", "total_unread_count": 9 } });
        assert_eq!(send(server, "joe", event).await.status, 201);
        let told = jane.drain(server).await;
        assert_eq!((&told[0]["message"], &told[0]["reason"]), (&json!("hey"), &json!("fire")));
        assert!(told[0].get("total_unread_count").is_none(), "{}", told[0]);
        let event = json!({ "event": { "type": "ai_indicator.update", "message_id": "m1", "ai_state": "AI_STATE_THINKING" } });
        let thinking = server.raw("POST", "/channels/messaging/general/event").as_user("joe").json(&event).send().await;
        assert_eq!(thinking.body["event"]["message_id"], "m1", "{}", thinking.text);
        let told = jane.drain(server).await;
        assert_eq!((&told[0]["message_id"], &told[0]["ai_state"]), (&json!("m1"), &json!("AI_STATE_THINKING")));
        for kind in ["message.new", "user.banned", "notification.mine", "channel.deleted"] {
            send(server, "joe", json!({ "type": kind })).await.expect_error(400, 18, "built in");
        }
        let big = json!({ "type": "big", "custom": { "text": "x".repeat(6000) } });
        send(server, "joe", big).await.expect_error(413, 22, "event.custom");
        send(server, "joe", json!({ "type": "" })).await.expect_error(400, 4, "event.type");

        // Reading by event is reading.
        server.send("general", "jane", "m1", "hello").await;
        assert_eq!(send(server, "joe", json!({ "type": "message.read" })).await.status, 201);
        let told = jane.drain_types(server).await;
        assert_eq!(told, ["message.new", "message.read"]);

        let as_server = server.raw("POST", "/api/v2/chat/channels/messaging/general/event");
        let nobody = as_server.json(&json!({ "event": { "type": "mine" } })).send().await;
        nobody.expect_error(400, 4, "either event.user or event.user_id must be provided when using server side auth.");
    }

    async fn events_for_a_user_reach_all_connections(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let mut first = server.socket("jane").open().await;
        let mut second = server.socket("jane").open().await;
        let mut joe = server.socket("joe").open().await;
        let post = |user: &str, body: Value| {
            server.raw("POST", &format!("/api/v2/chat/users/{user}/event")).json(&body)
        };
        let event = json!({ "event": { "type": "points", "custom": { "number": 7 } } });
        assert_eq!(post("jane", event.clone()).send().await.status, 201);
        for socket in [&mut first, &mut second] {
            let told = socket.drain(server).await;
            assert!(told.iter().any(|event| event["type"] == "points" && event["number"] == 7), "{told:?}");
        }
        assert!(joe.drain(server).await.is_empty());
        post("nobody", event.clone()).send().await.expect_error(404, 16, "nobody");
        post("jane", json!({ "event": { "type": "a.b" } })).send().await.expect_error(400, 4, "dot");
        post("jane", event).as_user("joe").send().await.expect_error(403, 17, "server-side auth");
    }

    async fn a_change_of_the_app_is_told_to_everybody(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let (mut jane, mut joe) = (server.socket("jane").open().await, server.socket("joe").open().await);
        let settings = json!({ "multi_tenant_enabled": true, "webhook_url": "https://example.org/hook" });
        assert_eq!(server.raw("PATCH", "/api/v2/app").json(&settings).send().await.status, 200);
        for socket in [&mut jane, &mut joe] {
            let told = socket.expect("app.updated").await;
            assert_eq!(told["app"]["multi_tenant_enabled"], true);
            assert!(!told.to_string().contains("example.org"), "where the app sends its events is its own business");
        }
    }

    async fn health_checks_come_every_half_minute(server: TestServer) {
        server.users(&["jane"]).await;
        let mut jane = server.socket("jane").open().await;
        jane.say(r#"[{"type":"health.check","client_id":"x"}]"#).await;
        let answer = jane.expect("health.check").await;
        assert_eq!(answer["connection_id"], jane.connection_id.as_str());
        server.advance(Duration::from_secs(31));
        let check = jane.expect("health.check").await;
        assert_eq!(check["cid"], "*");
        server.advance(Duration::from_secs(120));
        assert_eq!(jane.closed().await, 4003, "who is silent is closed");
    }
}
