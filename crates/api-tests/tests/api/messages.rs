use std::time::Duration;

use natterjack_api_tests::both_databases;
use natterjack_client::protocol::messages::GetMessageQuery;
use serde_json::{Value, json};

use crate::chat::{get, ids, jane_and_joe, message, ok, post, send, sent, state, state_for, update_channel};

/// A message by jane.
fn by_jane(id: &str, more: Value) -> Value {
    let mut message = json!({ "id": id, "user_id": "jane", "text": "hello" });
    let Value::Object(more) = more else { panic!("{more} is not an object of fields") };
    message.as_object_mut().unwrap().extend(more);
    message
}

both_databases! {
    async fn a_sent_message_is_read_back(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let sent = server.send("general", "jane", "m1", "**hello**").await;
        assert_eq!(sent.cid, "messaging:general");
        assert_eq!(sent.html, "<p><strong>hello</strong></p>\n");
        let read = server.client().chat().get_message("m1", GetMessageQuery::default()).await.unwrap();
        assert_eq!(read.message.text, "**hello**");
        assert_eq!(read.message.created_at, sent.created_at);
        assert_eq!(read.message.user.id, "jane");
        assert_eq!(read.message.channel.as_ref().unwrap().cid, "messaging:general");
    }

    async fn a_plain_message_has_all_fields_of_the_wire(server: TestServer) {
        jane_and_joe(server).await;
        let message = sent(server, "general", by_jane("m1", json!({}))).await;
        assert_eq!(message["html"], "<p>hello</p>\n");
        assert_eq!(message["type"], "regular");
        for list in ["attachments", "mentioned_users", "latest_reactions", "own_reactions"] {
            assert_eq!(message[list], json!([]), "{list}");
        }
        for map in ["custom", "reaction_counts", "reaction_scores"] {
            assert_eq!(message[map], json!({}), "{map}");
        }
        for flag in ["silent", "shadowed", "pinned", "mentioned_here", "mentioned_channel"] {
            assert_eq!(message[flag], false, "{flag}");
        }
        assert_eq!((&message["reply_count"], &message["deleted_reply_count"]), (&json!(0), &json!(0)));
        assert_eq!(message["member"]["channel_role"], "channel_member");
        assert!(message["created_at"].is_i64() && message.get("deleted_at").is_none());
    }

    async fn a_message_without_an_id_gets_one_of_its_senders_name(server: TestServer) {
        jane_and_joe(server).await;
        let first = sent(server, "general", json!({ "user_id": "jane", "text": "a" })).await;
        let second = sent(server, "general", json!({ "user_id": "jane", "text": "a" })).await;
        assert!(first["id"].as_str().unwrap().starts_with("jane-"));
        assert_ne!(first["id"], second["id"]);
    }

    async fn ids_are_checked(server: TestServer) {
        jane_and_joe(server).await;
        for id in ["a,b", "100%", &"x".repeat(256)] {
            send(server, "general", by_jane(id, json!({}))).await.expect_error(400, 4, "message.id");
        }
        let longest = "ü".repeat(255);
        assert_eq!(sent(server, "general", by_jane(&longest, json!({}))).await["id"], longest.as_str());
    }

    async fn an_id_is_taken_in_every_channel(server: TestServer) {
        jane_and_joe(server).await;
        server.channel("other", &["jane", "joe"]).await;
        server.send("general", "jane", "m1", "first").await;
        for channel in ["general", "other"] {
            let second = send(server, channel, by_jane("m1", json!({}))).await;
            second.expect_error(400, 4, "a message with ID m1 already exists");
            assert!(second.message().starts_with("SendMessage failed with error: "));
        }
        assert_eq!(message(server, "m1").await["text"], "first");
        assert_eq!(ids(&state(server, "other").await["messages"]).len(), 0);
    }

    async fn the_id_of_a_soft_deleted_message_stays_taken(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "first").await;
        crate::chat::ok(crate::chat::delete(server, "/messages/m1", &[]).await);
        send(server, "general", by_jane("m1", json!({}))).await.expect_error(400, 4, "already exists");
    }

    async fn of_fifty_racing_sends_of_one_id_one_is_stored(server: TestServer) {
        jane_and_joe(server).await;
        let mut racing = tokio::task::JoinSet::new();
        for number in 0..50 {
            let request = server.raw("POST", "/api/v2/chat/channels/messaging/general/message");
            let body = json!({ "message": { "id": "m1", "user_id": "jane", "text": number.to_string() } });
            racing.spawn(async move { (number, request.json(&body).send().await) });
        }
        let mut stored = Vec::new();
        for (number, reply) in racing.join_all().await {
            match reply.status {
                201 => stored.push(number),
                _ => reply.expect_error(400, 4, "already exists"),
            }
        }
        assert_eq!(stored.len(), 1);
        assert_eq!(message(server, "m1").await["text"], stored[0].to_string());
        let state = state(server, "general").await;
        assert_eq!(ids(&state["messages"]), ["m1"]);
        assert_eq!(state["channel"]["message_count"], 1);
    }

    async fn the_sender_must_be_given_once(server: TestServer) {
        jane_and_joe(server).await;
        let neither = send(server, "general", json!({ "text": "a" })).await;
        let text = "either message.user or message.user_id must be provided when using server side auth.";
        neither.expect_error(400, 4, text);
        let both = send(server, "general", by_jane("m1", json!({ "user": { "id": "jane" } }))).await;
        both.expect_error(400, 4, "cannot set both message.user and message.user_id.");
        let odd = send(server, "general", json!({ "text": "a", "user_id": "no body" })).await;
        odd.expect_error(400, 4, "message.user_id");
    }

    async fn a_sender_whom_nobody_knows_comes_to_be(server: TestServer) {
        jane_and_joe(server).await;
        let first = sent(server, "general", json!({ "text": "a", "user_id": "bot" })).await;
        assert_eq!((&first["user"]["id"], &first["user"]["role"]), (&json!("bot"), &json!("user")));
        sent(server, "general", json!({ "text": "b", "user_id": "bot" })).await;
        let payload = json!({ "filter_conditions": { "id": "bot" } }).to_string();
        let found = server.raw("GET", "/api/v2/users").query("payload", &payload).send().await;
        assert_eq!(ok(found)["users"].as_array().unwrap().len(), 1);
        // Other calls want somebody who is there, and so do clients.
        let reaction = json!({ "reaction": { "type": "like", "user_id": "nobody" } });
        let id = first["id"].as_str().unwrap();
        post(server, &format!("/messages/{id}/reaction"), reaction).await
            .expect_error(400, 4, "nobody");
        ok(server.raw("POST", "/api/v2/users/delete").json(&json!({ "user_ids": ["bot"] })).send().await);
        let gone = send(server, "general", json!({ "text": "c", "user_id": "bot" })).await;
        gone.expect_error(400, 4, "was deleted");
    }

    async fn a_sender_given_as_an_object_is_created_and_updated(server: TestServer) {
        jane_and_joe(server).await;
        let user = json!({ "id": "guest", "name": "Guest", "custom": { "color": "red" } });
        let first = sent(server, "general", json!({ "text": "a", "user": user })).await;
        assert_eq!((&first["user"]["id"], &first["user"]["name"]), (&json!("guest"), &json!("Guest")));
        assert_eq!(first["user"]["custom"]["color"], "red");
        let user = json!({ "id": "guest", "name": "Renamed" });
        let second = sent(server, "general", json!({ "text": "b", "user": user })).await;
        assert_eq!(second["user"]["name"], "Renamed");
    }

    async fn a_missing_channel_is_not_found(server: TestServer) {
        jane_and_joe(server).await;
        send(server, "nowhere", by_jane("m1", json!({}))).await.expect_error(404, 16, "nowhere");
    }

    async fn the_text_is_as_long_as_the_channel_allows(server: TestServer) {
        jane_and_joe(server).await;
        let longest = json!({ "text": "ä".repeat(5000) });
        sent(server, "general", by_jane("m1", longest)).await;
        let too_long = send(server, "general", by_jane("m2", json!({ "text": "a".repeat(5001) }))).await;
        too_long.expect_error(400, 20, "too long");
        let overrides = json!({ "config_overrides": { "max_message_length": 10 } });
        update_channel(server, "general", json!({ "data": overrides, "user_id": "jane" })).await;
        sent(server, "general", by_jane("m3", json!({ "text": "a".repeat(10) }))).await;
        let too_long = send(server, "general", by_jane("m4", json!({ "text": "a".repeat(11) }))).await;
        too_long.expect_error(400, 20, "10");
        let edited = by_jane("m3", json!({ "text": "a".repeat(11) }));
        let edited = crate::chat::update(server, "m3", edited).await;
        assert_eq!(edited.status, 400, "{}", edited.text);
    }

    async fn only_regular_and_system_messages_can_be_sent(server: TestServer) {
        jane_and_joe(server).await;
        for kind in ["regular", "system"] {
            let message = sent(server, "general", by_jane(kind, json!({ "type": kind }))).await;
            assert_eq!(message["type"], kind);
        }
        for kind in ["error", "deleted", "ephemeral", "shout"] {
            let message = send(server, "general", by_jane(kind, json!({ "type": kind }))).await;
            message.expect_error(400, 4, "type");
        }
    }

    async fn a_message_must_say_something(server: TestServer) {
        jane_and_joe(server).await;
        let empty = send(server, "general", json!({ "user_id": "jane", "text": "" })).await;
        empty.expect_error(400, 4, "text");
        let attachments = json!([{ "type": "image", "image_url": "https://example.org/a.png" }]);
        let picture = json!({ "user_id": "jane", "attachments": attachments });
        let picture = sent(server, "general", picture).await;
        assert_eq!(picture["attachments"][0]["image_url"], "https://example.org/a.png");
        assert_eq!(picture["text"], "");
    }

    async fn a_silent_message_says_so(server: TestServer) {
        jane_and_joe(server).await;
        sent(server, "general", by_jane("m1", json!({ "silent": true }))).await;
        assert_eq!(message(server, "m1").await["silent"], true);
    }

    async fn a_pinned_message_knows_when_and_by_whom(server: TestServer) {
        jane_and_joe(server).await;
        let pinned = sent(server, "general", by_jane("m1", json!({ "pinned": true }))).await;
        assert_eq!((&pinned["pinned"], &pinned["pinned_by"]["id"]), (&json!(true), &json!("jane")));
        assert!(pinned["pinned_at"].is_i64());
        assert_eq!(ids(&state(server, "general").await["pinned_messages"]), ["m1"]);
    }

    async fn a_pin_ends_when_it_expires(server: TestServer) {
        jane_and_joe(server).await;
        let past = json!({ "pinned": true, "pin_expires": "2026-01-02T03:04:04Z" });
        send(server, "general", by_jane("m1", past)).await.expect_error(400, 4, "pin_expires");
        let soon = json!({ "pinned": true, "pin_expires": "2026-01-02T03:05:05Z" });
        let pinned = sent(server, "general", by_jane("m1", soon)).await;
        assert_eq!(crate::chat::rfc3339(&pinned["pin_expires"]), "2026-01-02T03:05:05Z");
        server.advance(Duration::from_secs(59));
        assert_eq!(message(server, "m1").await["pinned"], true);
        server.advance(Duration::from_secs(2));
        assert_eq!(message(server, "m1").await["pinned"], false);
        let state = state(server, "general").await;
        assert_eq!(state["messages"][0]["pinned"], false);
        assert_eq!(state["pinned_messages"], json!([]));
    }

    async fn a_restricted_message_is_seen_by_those_listed_and_the_sender(server: TestServer) {
        server.users(&["jane", "joe", "eve"]).await;
        server.channel("general", &["jane", "joe", "eve"]).await;
        let message = by_jane("m1", json!({ "restricted_visibility": ["joe"] }));
        assert_eq!(sent(server, "general", message).await["restricted_visibility"], json!(["joe"]));
        for (user_id, sees) in [("jane", true), ("joe", true), ("eve", false)] {
            let state = state_for(server, "general", user_id).await;
            assert_eq!(ids(&state["messages"]).contains(&"m1"), sees, "{user_id}");
        }
    }

    async fn restrictions_are_checked(server: TestServer) {
        jane_and_joe(server).await;
        let pinned = json!({ "restricted_visibility": ["joe"], "pinned": true });
        send(server, "general", by_jane("m1", pinned)).await.expect_error(400, 4, "pinned");
        let unknown = json!({ "restricted_visibility": ["nobody"] });
        send(server, "general", by_jane("m1", unknown)).await.expect_error(400, 4, "nobody");
        let many: Vec<String> = (0..11).map(|number| format!("u{number}")).collect();
        server.users(&many.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let eleven = json!({ "restricted_visibility": many });
        send(server, "general", by_jane("m1", eleven)).await.expect_error(400, 4, "restricted_visibility");
        let ten = json!({ "restricted_visibility": many[..10] });
        sent(server, "general", by_jane("m1", ten)).await;
    }

    async fn mentioned_users_are_answered_whole(server: TestServer) {
        jane_and_joe(server).await;
        let mentioning = sent(server, "general", by_jane("m1", json!({ "mentioned_users": ["joe"] }))).await;
        assert_eq!(mentioning["mentioned_users"][0]["id"], "joe");
        assert!(mentioning["mentioned_users"][0]["created_at"].is_i64());
        let unknown = json!({ "mentioned_users": ["joe", "nobody"] });
        send(server, "general", by_jane("m2", unknown)).await.expect_error(400, 4, "nobody");
        assert_eq!(ids(&state(server, "general").await["messages"]), ["m1"]);
    }

    async fn mentions_are_limited(server: TestServer) {
        jane_and_joe(server).await;
        let many: Vec<String> = (0..101).map(|number| format!("u{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        server.users(&many[..100]).await;
        server.users(&many[100..]).await;
        let users = json!({ "mentioned_users": many });
        send(server, "general", by_jane("m1", users)).await.expect_error(400, 4, "mentioned_users");
        let roles = json!({ "mentioned_roles": many[..11] });
        send(server, "general", by_jane("m1", roles)).await.expect_error(400, 4, "mentioned_roles");
        let hundred = sent(server, "general", by_jane("m1", json!({ "mentioned_users": many[..100] }))).await;
        assert_eq!(hundred["mentioned_users"].as_array().unwrap().len(), 100);
    }

    async fn mentions_of_all_are_kept(server: TestServer) {
        jane_and_joe(server).await;
        let all = json!({ "mentioned_here": true, "mentioned_channel": true, "mentioned_roles": ["admin"] });
        sent(server, "general", by_jane("m1", all)).await;
        let read = message(server, "m1").await;
        assert_eq!((&read["mentioned_here"], &read["mentioned_channel"]), (&json!(true), &json!(true)));
        assert_eq!(read["mentioned_roles"], json!(["admin"]));
    }

    async fn a_quoted_message_is_embedded_one_level_deep(server: TestServer) {
        jane_and_joe(server).await;
        sent(server, "general", by_jane("m1", json!({}))).await;
        let quoting = sent(server, "general", by_jane("m2", json!({ "quoted_message_id": "m1" }))).await;
        assert_eq!(quoting["quoted_message"]["id"], "m1");
        assert_eq!(quoting["quoted_message"]["user"]["id"], "jane");
        let deep = sent(server, "general", by_jane("m3", json!({ "quoted_message_id": "m2" }))).await;
        assert_eq!(deep["quoted_message"]["id"], "m2");
        assert!(deep["quoted_message"].get("quoted_message").is_none_or(Value::is_null));
        let unknown = by_jane("m4", json!({ "quoted_message_id": "nothing" }));
        send(server, "general", unknown).await.expect_error(400, 4, "nothing");
    }

    async fn what_the_sender_does_not_see_is_neither_quoted_nor_answered(server: TestServer) {
        server.users(&["jane", "joe", "eve"]).await;
        server.channel("general", &["jane", "joe", "eve"]).await;
        sent(server, "general", by_jane("m1", json!({ "restricted_visibility": ["joe"] }))).await;
        sent(server, "general", by_jane("m2", json!({ "text": "old secret" }))).await;
        server.advance(Duration::from_secs(1));
        server.users(&["sam"]).await;
        update_channel(server, "general", json!({ "add_members": ["sam"], "hide_history": true })).await;
        server.advance(Duration::from_secs(1));
        let path = "/api/v2/chat/channels/messaging/general/message";
        let say = async |user_id: &str, message: Value| {
            server.raw("POST", path).as_user(user_id).json(&json!({ "message": message })).send().await
        };
        for (user_id, hidden) in [("eve", "m1"), ("sam", "m2"), ("sam", "m1")] {
            for name in ["quoted_message_id", "parent_id"] {
                let text = format!("names a message that doesn't exist: {hidden}");
                say(user_id, json!({ "text": "a", name: hidden })).await.expect_error(400, 4, &text);
            }
        }
        assert_eq!(say("joe", json!({ "text": "a", "quoted_message_id": "m1" })).await.status, 201);
        assert_eq!(say("eve", json!({ "id": "m3", "text": "a", "quoted_message_id": "m2" })).await.status, 201);
        let own = json!({ "id": "m4", "text": "a" });
        assert_eq!(say("sam", own).await.status, 201);
        let quote = json!({ "set": { "quoted_message_id": "m2" } });
        let update = server.raw("PUT", "/api/v2/chat/messages/m4").as_user("sam").json(&quote).send().await;
        update.expect_error(400, 4, "set.quoted_message_id");

        // What others quote is not shown to who does not see it.
        let state = server.raw("GET", "/api/v2/chat/channels/messaging/general").query("state", "true");
        let state = state.as_user("sam").send().await;
        assert!(state.text.contains("\"m3\"") && !state.text.contains("old secret"), "{}", state.text);
        let read = async |user_id: &str| {
            let request = server.raw("GET", "/api/v2/chat/messages/m3").as_user(user_id);
            request.send().await.body["message"].clone()
        };
        assert_eq!(read("eve").await["quoted_message"]["text"], "old secret");
        let shown = read("sam").await;
        assert_eq!((&shown["quoted_message_id"], shown.get("quoted_message")), (&json!("m2"), None));
    }

    async fn quotes_can_be_switched_off(server: TestServer) {
        jane_and_joe(server).await;
        sent(server, "general", by_jane("m1", json!({}))).await;
        let off = json!({ "data": { "config_overrides": { "quotes": false } }, "user_id": "jane" });
        update_channel(server, "general", off).await;
        let quoting = by_jane("m2", json!({ "quoted_message_id": "m1" }));
        assert_eq!(send(server, "general", quoting).await.code(), 19);
    }

    async fn custom_data_comes_back_as_it_was_given(server: TestServer) {
        jane_and_joe(server).await;
        let custom = json!({
            "text": "inner", "id": 7, "deep": { "list": [1, 2.5, null, true, "ü🦀"] }, "": "empty key",
            "large": 9_007_199_254_740_993_i64, "$set": { "a.b": 1 }
        });
        sent(server, "general", by_jane("m1", json!({ "custom": custom }))).await;
        assert_eq!(message(server, "m1").await["custom"], custom);
    }

    async fn custom_data_is_limited_to_five_kilobytes(server: TestServer) {
        jane_and_joe(server).await;
        let big = json!({ "custom": { "big": "x".repeat(5 * 1024) } });
        send(server, "general", by_jane("m1", big)).await.expect_error(413, 22, "custom");
        sent(server, "general", by_jane("m1", json!({ "custom": { "big": "x".repeat(4900) } }))).await;
    }

    async fn attachments_are_limited_in_number_and_size(server: TestServer) {
        jane_and_joe(server).await;
        let attachments = |count: usize| json!({ "attachments": vec![json!({ "type": "a" }); count] });
        send(server, "general", by_jane("m1", attachments(31))).await.expect_error(400, 4, "attachments");
        sent(server, "general", by_jane("m1", attachments(30))).await;
        let big = json!({ "attachments": vec![json!({ "text": "x".repeat(600) }); 10] });
        send(server, "general", by_jane("m2", big)).await.expect_error(413, 22, "attachments");
    }

    async fn attachments_keep_their_fields_and_custom_data(server: TestServer) {
        jane_and_joe(server).await;
        let attachment = json!({
            "type": "file", "title": "T", "asset_url": "https://example.org/f",
            "fields": [{ "short": true, "title": "a", "value": "b" }],
            "actions": [{ "name": "n", "text": "t", "type": "button", "style": "primary", "value": "v" }],
            "original_height": 10, "custom": { "size": 5 }
        });
        sent(server, "general", by_jane("m1", json!({ "attachments": [attachment] }))).await;
        assert_eq!(message(server, "m1").await["attachments"], json!([attachment]));
    }

    async fn html_made_from_text_runs_nothing(server: TestServer) {
        jane_and_joe(server).await;
        let texts = [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "[click](javascript:alert(1))",
            "[click](JaVaScRiPt:alert(1))",
            "![x](data:text/html;base64,PHNjcmlwdD4=)",
            "[click](<https://example.org/\"onmouseover=alert(1)>)",
        ];
        for (number, text) in texts.iter().enumerate() {
            let message = by_jane(&format!("m{number}"), json!({ "text": text }));
            let sent = sent(server, "general", message).await;
            assert_eq!(sent["text"], *text);
            let html = sent["html"].as_str().unwrap().to_lowercase();
            for danger in ["<script", "<img src=x", "href=\"javascript:", "src=\"data:", "org/\"onmouse"] {
                assert!(!html.contains(danger), "{text}: {html}");
            }
        }
    }

    async fn times_of_a_channel_rise_while_the_clock_stands_still(server: TestServer) {
        jane_and_joe(server).await;
        let mut last = 0;
        for number in 0..20 {
            let message = sent(server, "general", by_jane(&format!("m{number}"), json!({}))).await;
            let created_at = message["created_at"].as_i64().unwrap();
            assert!(created_at > last, "{created_at} is not after {last}");
            last = created_at;
        }
        let state = state(server, "general").await;
        let times: Vec<i64> = state["messages"].as_array().unwrap().iter()
            .map(|message| message["created_at"].as_i64().unwrap()).collect();
        assert!(times.is_sorted_by(|one, other| one < other));
        assert_eq!(state["channel"]["last_message_at"], last);
    }

    async fn the_sender_does_not_choose_the_time(server: TestServer) {
        jane_and_joe(server).await;
        let dated = json!({ "created_at": "2001-01-01T00:00:00Z", "updated_at": "2001-01-01T00:00:00Z" });
        let reply = send(server, "general", by_jane("m1", dated)).await;
        if reply.status == 201 {
            assert!(crate::chat::rfc3339(&reply.body["message"]["created_at"]).starts_with("2026-01-02"));
            assert!(crate::chat::rfc3339(&reply.body["message"]["updated_at"]).starts_with("2026-01-02"));
        } else {
            reply.expect_error(400, 4, "reserved");
        }
    }

    async fn a_pending_message_is_refused_where_there_are_none(server: TestServer) {
        jane_and_joe(server).await;
        let body = json!({ "message": by_jane("m1", json!({})), "pending": true });
        let reply = post(server, "/channels/messaging/general/message", body).await;
        assert!(reply.status == 400 || reply.status == 403, "{}", reply.text);
        assert!(reply.message().contains("pending messages not enabled"), "{}", reply.text);
    }

    async fn a_missing_message_is_not_found(server: TestServer) {
        get(server, "/messages/nothing", &[]).await.expect_error(404, 16, "nothing");
    }

    async fn many_messages_are_read_by_id(server: TestServer) {
        jane_and_joe(server).await;
        server.channel("other", &["jane"]).await;
        for id in ["m1", "m2", "m3"] {
            server.send("general", "jane", id, id).await;
        }
        server.send("other", "jane", "elsewhere", "a").await;
        let path = "/channels/messaging/general/messages";
        let found = get(server, path, &[("ids", "m3,nothing,elsewhere,m1")]).await;
        assert_eq!(ids(&found.body["messages"]), ["m1", "m3"]);
        assert_eq!(found.status, 200);
        // As older clients write a list.
        let found = get(server, path, &[("ids", r#"["m3","nothing","m1"]"#)]).await;
        assert_eq!(ids(&found.body["messages"]), ["m1", "m3"]);
    }

    async fn one_to_fifty_messages_are_read_at_once(server: TestServer) {
        jane_and_joe(server).await;
        let path = "/channels/messaging/general/messages";
        get(server, path, &[]).await.expect_error(400, 4, "ids");
        get(server, path, &[("ids", "")]).await.expect_error(400, 4, "ids");
        let ids: Vec<String> = (0..51).map(|number| format!("m{number}")).collect();
        get(server, path, &[("ids", &ids.join(","))]).await.expect_error(400, 4, "ids");
        let fifty = get(server, path, &[("ids", &ids[..50].join(","))]).await;
        assert_eq!((fifty.status, &fifty.body["messages"]), (200, &json!([])));
        let nowhere = get(server, "/channels/messaging/nowhere/messages", &[("ids", "m1")]).await;
        nowhere.expect_error(404, 16, "nowhere");
    }
}
