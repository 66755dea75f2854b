use natterjack_api_tests::{both_databases, json_within_json};
use natterjack_client::token::{self, TokenOptions};
use serde_json::json;

both_databases! {
    async fn a_socket_begins_with_the_own_user(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.send("general", "joe", "m1", "hello").await;
        let socket = server.socket("jane").open().await;
        assert_eq!(socket.me["id"], "jane");
        assert_eq!(socket.me["total_unread_count"], 1);
        assert_eq!(socket.me["unread_count"], 1);
        assert_eq!(socket.me["unread_channels"], 1);
        assert_eq!(socket.me["online"], true);
        for list in ["devices", "mutes", "channel_mutes", "blocked_user_ids", "teams"] {
            assert!(socket.me[list].is_array(), "{list}");
        }
    }

    async fn a_socket_begins_with_the_replies_that_were_not_read(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        for (parent, replies) in [("m1", 2), ("m2", 1)] {
            server.send("general", "jane", parent, "who comes?").await;
            for number in 0..replies {
                let message = json!({ "message": {
                    "id": format!("{parent}-{number}"), "text": "me", "user_id": "joe", "parent_id": parent
                } });
                let path = "/api/v2/chat/channels/messaging/general/message";
                assert_eq!(server.raw("POST", path).json(&message).send().await.status, 201);
            }
        }
        let unread = |me: &serde_json::Value| (me["unread_threads"].as_i64(), me["unread_thread_messages"].as_i64());
        let socket = server.socket("jane").open().await;
        assert_eq!(unread(&socket.me), (Some(2), Some(3)));
        assert_eq!(unread(&server.socket("joe").open().await.me), (Some(0), Some(0)));
        let mute = json!({ "target_ids": ["joe"], "user_id": "jane" });
        let muted = server.raw("POST", "/api/v2/moderation/mute").json(&mute).send().await;
        assert_eq!(unread(&muted.body["own_user"]), (Some(2), Some(3)));
        let read = json!({ "user_id": "jane", "thread_id": "m1" });
        let reply = server.raw("POST", "/api/v2/chat/channels/messaging/general/read").json(&read).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!(unread(&server.socket("jane").open().await.me), (Some(1), Some(1)));
    }

    async fn who_is_banned_unnoticed_does_not_learn_it_by_connecting(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let mute = json!({ "channel_cids": ["messaging:general"], "user_id": "joe" });
        server.raw("POST", "/api/v2/chat/moderation/mute/channel").json(&mute).send().await;
        let mute = json!({ "target_ids": ["jane"], "user_id": "joe" });
        server.raw("POST", "/api/v2/moderation/mute").json(&mute).send().await;
        let ban = json!({ "target_user_id": "joe", "banned_by_id": "jane", "shadow": true });
        assert_eq!(server.raw("POST", "/api/v2/moderation/ban").json(&ban).send().await.status, 201);
        let socket = server.socket("joe").open().await;
        assert_eq!((&socket.me["shadow_banned"], &socket.me["banned"]), (&json!(false), &json!(false)));
        assert_eq!(socket.me["channel_mutes"].as_array().unwrap().len(), 1);
        assert_eq!(socket.me["mutes"].as_array().unwrap().len(), 1);
        assert!(!socket.me.to_string().contains("\"shadow_banned\":true"), "{}", socket.me);
    }

    async fn bad_tokens_are_told_on_the_socket(server: TestServer) {
        server.users(&["jane"]).await;
        let (error, close) = server.socket("jane").query("authorization", "nonsense").refused().await;
        assert_eq!((&error["code"], close), (&json!(5), 4001), "{error}");
        let wrong = token::user_token("another-secret-of-sufficient-length", "jane", &TokenOptions::default());
        let (error, _) = server.socket("jane").query("authorization", &wrong.unwrap()).refused().await;
        assert_eq!(error["code"], 43, "{error}");
        let (error, _) = server.socket("jane").without_query("stream-auth-type").refused().await;
        assert_eq!(error["code"], 5, "{error}");
        let (error, _) = server.socket("jane").query("api_key", "unknown").refused().await;
        assert_eq!(error["code"], 2, "{error}");
        let (error, _) = server.socket("jane").query("json", "{").refused().await;
        assert_eq!(error["code"], 4, "{error}");
        let both = server.socket("jane").query("json", "{");
        let (error, _) = both.query("authorization", "nonsense").refused().await;
        assert_eq!(error["code"], 5, "who calls comes first: {error}");
        let (error, _) = server.socket("jane").query("json", "{").query("api_key", "unknown").refused().await;
        assert_eq!(error["code"], 2, "who calls comes first: {error}");
        let (error, _) = server.socket("jane").details(&json!({ "id": "joe" })).refused().await;
        assert_eq!(error["code"], 5, "{error}");
    }

    async fn what_a_client_says_of_itself_is_no_deeper_than_other_json(server: TestServer) {
        server.users(&["jane"]).await;
        let details = |levels: usize| {
            let deep = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
            format!(r#" {{"user_details":{{"id":"jane","deep":{deep}}}}}"#)
        };
        let (error, _) = server.socket("jane").query("json", &details(63)).refused().await;
        assert_eq!(error["code"], 4, "{error}");
        assert!(error["message"].as_str().unwrap().contains("64"), "{error}");
        let socket = server.socket("jane").query("json", &details(62)).open().await;
        assert!(socket.me["deep"].is_array(), "{}", socket.me);

        let raw = "$serde_json::private::RawValue";
        let stacked = json_within_json(16);
        let json = format!(r#"{{"user_id":"jane","user_details":{{"id":"jane","x":{stacked}}}}}"#);
        let refused = server.socket("jane").query("json", &json).query("authorization", "nonsense");
        assert_eq!(refused.refused().await.0["code"], 5);
        let socket = server.socket("jane").query("json", &json).open().await;
        let mut shown = &socket.me["x"];
        while shown.is_array() {
            shown = &shown[0];
        }
        assert!(shown[raw].is_string(), "{}", socket.me);
    }

    async fn watchers_get_messages_and_other_members_notifications(server: TestServer) {
        server.users(&["jane", "joe", "mary", "eve"]).await;
        server.channel("general", &["jane", "joe", "mary"]).await;
        let mut joe = server.socket("joe").open().await;
        let mut sender = server.socket("mary").open().await;
        let mut eve = server.socket("eve").open().await;
        let mut jane = server.watch("jane", "general").await;
        server.send("general", "mary", "m1", "hello").await;

        let events = jane.drain(server).await;
        assert_eq!(events.len(), 1, "{events:?}");
        let event = &events[0];
        assert_eq!(event["type"], "message.new");
        assert_eq!(event["cid"], "messaging:general");
        assert_eq!(event["channel_id"], "general");
        assert_eq!(event["channel_type"], "messaging");
        assert_eq!(event["message"]["text"], "hello");
        assert_eq!(event["user"]["id"], "mary");
        assert_eq!(event["watcher_count"], 1);
        assert_eq!(event["channel_member_count"], 3);
        assert_eq!(event["total_unread_count"], 1);
        assert_eq!(event["unread_channels"], 1);
        assert_eq!(event["unread_count"], 1);

        let events = joe.drain(server).await;
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0]["type"], "notification.message_new");
        assert_eq!(events[0]["channel"]["cid"], "messaging:general");
        assert!(events[0]["channel"].get("own_capabilities").is_none());
        assert_eq!(events[0]["message"]["id"], "m1");
        assert_eq!(events[0]["total_unread_count"], 1);

        assert_eq!(sender.drain_types(server).await, ["message.new"]);
        assert!(eve.drain(server).await.is_empty());
    }
}
