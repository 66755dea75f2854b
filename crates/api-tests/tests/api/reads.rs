//! What counts as unread, and reading it.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::chat::{delete, get, jane_and_joe, ok, post, sent, state, update_channel};

/// What a user has not read, in all.
async fn unread(server: &TestServer, user_id: &str) -> i64 {
    unread_counts(server, user_id).await["total_unread_count"].as_i64().unwrap()
}

async fn unread_counts(server: &TestServer, user_id: &str) -> Value {
    ok(get(server, "/unread", &[("user_id", user_id)]).await)
}

async fn mark_read(server: &TestServer, request: Value) -> RawReply {
    post(server, "/channels/messaging/general/read", request).await
}

/// The read state of a member of the channel.
async fn read_state(server: &TestServer, user_id: &str) -> Value {
    let state = state(server, "general").await;
    let mut reads = state["read"].as_array().unwrap().iter();
    reads.find(|read| read["user"]["id"] == user_id).unwrap().clone()
}

/// Messages m0, m1, … by jane.
async fn messages(server: &TestServer, count: usize) {
    jane_and_joe(server).await;
    for number in 0..count {
        server.send("general", "jane", &format!("m{number}"), "a").await;
    }
}

/// Sends a message by jane with more fields.
async fn send_with(server: &TestServer, id: &str, more: Value) {
    let mut message = json!({ "id": id, "user_id": "jane", "text": "a" });
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    sent(server, "general", message).await;
}

both_databases! {
    async fn a_message_is_unread_for_everybody_but_its_sender(server: TestServer) {
        messages(server, 3).await;
        assert_eq!((unread(server, "joe").await, unread(server, "jane").await), (3, 0));
        assert_eq!(read_state(server, "joe").await["unread_messages"], 3);
        assert_eq!(read_state(server, "jane").await["unread_messages"], 0);
    }

    async fn sending_reads_what_came_before(server: TestServer) {
        messages(server, 2).await;
        server.send("general", "joe", "own", "a").await;
        assert_eq!((unread(server, "joe").await, unread(server, "jane").await), (0, 1));
        assert_eq!(read_state(server, "joe").await["last_read_message_id"], "own");
        server.send("general", "jane", "later", "a").await;
        assert_eq!(unread(server, "joe").await, 1);
    }

    async fn marking_read_sets_time_message_and_count(server: TestServer) {
        messages(server, 2).await;
        server.advance(Duration::from_secs(60));
        let reply = mark_read(server, json!({ "user_id": "joe" })).await;
        assert_eq!(reply.status, 201);
        let event = &reply.body["event"];
        assert_eq!((&event["type"], &event["cid"]), (&json!("message.read"), &json!("messaging:general")));
        assert!(event["channel"].get("own_capabilities").is_none(), "{event}");
        assert_eq!((&event["channel_id"], &event["channel_type"]), (&json!("general"), &json!("messaging")));
        assert_eq!((&event["user"]["id"], &event["last_read_message_id"]), (&json!("joe"), &json!("m1")));
        let read = read_state(server, "joe").await;
        assert_eq!((&read["unread_messages"], &read["last_read_message_id"]), (&json!(0), &json!("m1")));
        assert!(crate::chat::rfc3339(&read["last_read"]).starts_with("2026-01-02T03:05:05"));
        assert_eq!(unread(server, "joe").await, 0);
    }

    async fn marking_read_up_to_a_message_leaves_those_after_it(server: TestServer) {
        messages(server, 5).await;
        ok(mark_read(server, json!({ "user_id": "joe", "message_id": "m2" })).await);
        assert_eq!(unread(server, "joe").await, 2);
        assert_eq!(read_state(server, "joe").await["last_read_message_id"], "m2");
        ok(mark_read(server, json!({ "user_id": "joe", "message_id": "m4" })).await);
        assert_eq!(unread(server, "joe").await, 0);
    }

    async fn marking_read_up_to_a_message_counts_only_what_counts(server: TestServer) {
        messages(server, 2).await;
        send_with(server, "silent", json!({ "silent": true })).await;
        server.send("general", "jane", "m2", "a").await;
        send_with(server, "reply", json!({ "parent_id": "m0" })).await;
        server.send("general", "jane", "m3", "a").await;
        ok(delete(server, "/messages/m3", &[]).await);
        ok(mark_read(server, json!({ "user_id": "joe", "message_id": "m0" })).await);
        assert_eq!(unread(server, "joe").await, 2);
        ok(mark_read(server, json!({ "user_id": "joe", "message_id": "silent" })).await);
        assert_eq!(unread(server, "joe").await, 1);
    }

    async fn marking_read_is_checked(server: TestServer) {
        messages(server, 1).await;
        mark_read(server, json!({})).await.expect_error(400, 4, "either user or user_id must be provided");
        let both = json!({ "user_id": "joe", "user": { "id": "joe" } });
        mark_read(server, both).await.expect_error(400, 4, "cannot set both user and user_id.");
        mark_read(server, json!({ "user_id": "nobody" })).await.expect_error(400, 4, "nobody");
        let unknown = json!({ "user_id": "joe", "message_id": "nothing" });
        mark_read(server, unknown).await.expect_error(400, 4, "nothing");
        let nowhere = post(server, "/channels/messaging/nowhere/read", json!({ "user_id": "joe" })).await;
        nowhere.expect_error(404, 16, "nowhere");
        assert_eq!(unread(server, "joe").await, 1);
    }

    async fn who_is_no_member_reads_without_effect(server: TestServer) {
        messages(server, 1).await;
        server.users(&["eve"]).await;
        let reply = mark_read(server, json!({ "user_id": "eve" })).await;
        assert!(reply.status == 201 || reply.status == 400, "{}", reply.text);
        assert_eq!(unread(server, "eve").await, 0);
        assert_eq!(state(server, "general").await["read"].as_array().unwrap().len(), 2);
    }

    async fn silent_messages_do_not_count(server: TestServer) {
        messages(server, 0).await;
        send_with(server, "m0", json!({ "silent": true })).await;
        assert_eq!(unread(server, "joe").await, 0);
        ok(delete(server, "/messages/m0", &[]).await);
        assert_eq!(unread(server, "joe").await, 0);
    }

    async fn replies_count_only_where_the_channel_shows_them(server: TestServer) {
        messages(server, 1).await;
        send_with(server, "hidden", json!({ "parent_id": "m0" })).await;
        assert_eq!(unread(server, "joe").await, 1);
        send_with(server, "shown", json!({ "parent_id": "m0", "show_in_channel": true })).await;
        assert_eq!(unread(server, "joe").await, 2);
    }

    async fn a_hidden_reply_does_not_read_the_channel(server: TestServer) {
        messages(server, 2).await;
        let reply = json!({ "user_id": "joe", "text": "r", "parent_id": "m0" });
        sent(server, "general", reply).await;
        assert_eq!(unread(server, "joe").await, 2);
    }

    async fn a_restricted_message_counts_for_those_who_see_it(server: TestServer) {
        server.users(&["jane", "joe", "eve"]).await;
        server.channel("general", &["jane", "joe", "eve"]).await;
        server.send("general", "jane", "m0", "a").await;
        send_with(server, "m1", json!({ "restricted_visibility": ["joe"] })).await;
        assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (2, 1));
        assert_eq!(unread(server, "jane").await, 0);
        ok(mark_read(server, json!({ "user_id": "joe" })).await);
        assert_eq!(unread(server, "joe").await, 0);
    }

    async fn a_deleted_restricted_message_counts_for_nobody(server: TestServer) {
        server.users(&["jane", "joe", "eve"]).await;
        server.channel("general", &["jane", "joe", "eve"]).await;
        for (id, hard) in [("m0", "false"), ("m1", "true")] {
            send_with(server, id, json!({ "restricted_visibility": ["joe"] })).await;
            assert_eq!(unread(server, "joe").await, 1);
            ok(delete(server, &format!("/messages/{id}"), &[("hard", hard)]).await);
            assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (0, 0));
        }
    }

    async fn reading_up_to_a_message_before_a_restricted_one_leaves_it(server: TestServer) {
        server.users(&["jane", "joe", "eve"]).await;
        server.channel("general", &["jane", "joe", "eve"]).await;
        server.send("general", "jane", "m0", "a").await;
        send_with(server, "m1", json!({ "restricted_visibility": ["joe"] })).await;
        server.send("general", "jane", "m2", "a").await;
        for user_id in ["joe", "eve"] {
            ok(mark_read(server, json!({ "user_id": user_id, "message_id": "m0" })).await);
        }
        assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (2, 1));
    }

    async fn a_deleted_unread_message_is_not_counted_any_more(server: TestServer) {
        messages(server, 4).await;
        ok(delete(server, "/messages/m1", &[]).await);
        assert_eq!(unread(server, "joe").await, 3);
        ok(delete(server, "/messages/m2", &[("hard", "true")]).await);
        assert_eq!(unread(server, "joe").await, 2);
        ok(delete(server, "/messages/m1", &[("hard", "true")]).await);
        assert_eq!(unread(server, "joe").await, 2);
        assert_eq!(read_state(server, "joe").await["unread_messages"], 2);
    }

    async fn a_deleted_read_message_changes_nothing(server: TestServer) {
        messages(server, 2).await;
        ok(mark_read(server, json!({ "user_id": "joe" })).await);
        server.send("general", "jane", "m2", "a").await;
        ok(delete(server, "/messages/m0", &[]).await);
        ok(delete(server, "/messages/m1", &[("hard", "true")]).await);
        assert_eq!(unread(server, "joe").await, 1);
    }

    async fn a_message_deleted_after_a_silent_one_lowers_by_one(server: TestServer) {
        messages(server, 1).await;
        send_with(server, "silent", json!({ "silent": true })).await;
        server.send("general", "jane", "m1", "a").await;
        ok(delete(server, "/messages/silent", &[("hard", "true")]).await);
        assert_eq!(unread(server, "joe").await, 2);
        ok(delete(server, "/messages/m1", &[]).await);
        assert_eq!(unread(server, "joe").await, 1);
    }

    async fn new_members_have_nothing_unread(server: TestServer) {
        messages(server, 3).await;
        server.users(&["eve"]).await;
        update_channel(server, "general", json!({ "add_members": [{ "user_id": "eve" }] })).await;
        assert_eq!(unread(server, "eve").await, 0);
        server.send("general", "jane", "later", "a").await;
        assert_eq!((unread(server, "eve").await, unread(server, "joe").await), (1, 4));
    }

    async fn an_old_message_deleted_is_nothing_to_a_new_member(server: TestServer) {
        messages(server, 3).await;
        server.users(&["eve"]).await;
        update_channel(server, "general", json!({ "add_members": [{ "user_id": "eve" }] })).await;
        server.send("general", "jane", "later", "a").await;
        ok(delete(server, "/messages/m1", &[]).await);
        assert_eq!((unread(server, "eve").await, unread(server, "joe").await), (1, 3));
    }

    async fn an_invitation_counts_nothing_until_it_is_accepted(server: TestServer) {
        messages(server, 1).await;
        server.users(&["eve"]).await;
        update_channel(server, "general", json!({ "invites": [{ "user_id": "eve" }] })).await;
        server.send("general", "jane", "pending", "a").await;
        assert_eq!(unread(server, "eve").await, 0);
        update_channel(server, "general", json!({ "accept_invite": true, "user_id": "eve" })).await;
        let accepted = unread(server, "eve").await;
        server.send("general", "jane", "later", "a").await;
        assert_eq!(unread(server, "eve").await, accepted + 1);
    }

    async fn members_who_leave_have_nothing_unread(server: TestServer) {
        messages(server, 3).await;
        update_channel(server, "general", json!({ "remove_members": ["joe"] })).await;
        assert_eq!(unread(server, "joe").await, 0);
        update_channel(server, "general", json!({ "add_members": [{ "user_id": "joe" }] })).await;
        assert_eq!(unread(server, "joe").await, 0);
    }

    async fn a_deleted_channel_has_nothing_unread(server: TestServer) {
        messages(server, 3).await;
        ok(delete(server, "/channels/messaging/general", &[]).await);
        assert_eq!(unread(server, "joe").await, 0);
    }

    async fn a_livestream_has_no_read_events(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let members = json!([{ "user_id": "jane" }, { "user_id": "joe" }]);
        let body = json!({ "data": { "created_by_id": "jane", "members": members } });
        ok(post(server, "/channels/livestream/live/query", body).await);
        let message = json!({ "message": { "text": "a", "user_id": "jane" } });
        ok(post(server, "/channels/livestream/live/message", message).await);
        assert_eq!(unread(server, "joe").await, 0);
        let read = post(server, "/channels/livestream/live/read", json!({ "user_id": "joe" })).await;
        assert_eq!((read.status, read.code()), (400, 18), "{}", read.text);
    }

    async fn unread_counts_are_listed_by_channel_and_type(server: TestServer) {
        messages(server, 2).await;
        server.channel("other", &["joe", "jane"]).await;
        server.channel("empty", &["joe", "jane"]).await;
        server.advance(Duration::from_secs(1));
        server.send("other", "jane", "o1", "a").await;
        let counts = unread_counts(server, "joe").await;
        assert_eq!((&counts["total_unread_count"], &counts["threads"]), (&json!(3), &json!([])));
        assert_eq!(counts["total_unread_threads_count"], 0);
        let by_type = json!([{ "channel_type": "messaging", "channel_count": 2, "unread_count": 3 }]);
        assert_eq!(counts["channel_type"], by_type);
        let channels = counts["channels"].as_array().unwrap();
        let listed: Vec<_> = channels.iter()
            .map(|one| (one["channel_id"].as_str().unwrap(), one["unread_count"].as_i64().unwrap()))
            .collect();
        assert_eq!(listed, [("messaging:other", 1), ("messaging:general", 2)]);
        assert!(channels[0]["last_read"].is_i64());
    }

    async fn a_user_without_channels_has_counts_of_zero(server: TestServer) {
        server.users(&["eve"]).await;
        let counts = unread_counts(server, "eve").await;
        assert_eq!((&counts["channels"], &counts["channel_type"]), (&json!([]), &json!([])));
        assert_eq!(counts["total_unread_count"], 0);
        get(server, "/unread", &[]).await.expect_error(400, 4, "user_id must be provided");
        get(server, "/unread", &[("user_id", "nobody")]).await.expect_error(400, 4, "nobody");
    }

    async fn a_thread_is_unread_for_those_who_take_part(server: TestServer) {
        messages(server, 1).await;
        let reply = |id: &str| json!({ "id": id, "user_id": "joe", "text": "r", "parent_id": "m0" });
        sent(server, "general", reply("r0")).await;
        sent(server, "general", reply("r1")).await;
        let janes = unread_counts(server, "jane").await;
        assert_eq!(janes["total_unread_threads_count"], 1);
        let thread = &janes["threads"][0];
        assert_eq!((&thread["parent_message_id"], &thread["unread_count"]), (&json!("m0"), &json!(2)));
        assert_eq!(unread_counts(server, "joe").await["total_unread_threads_count"], 0);
    }

    async fn reading_a_thread_leaves_the_channel_unread(server: TestServer) {
        messages(server, 1).await;
        server.send("general", "joe", "m1", "a").await;
        sent(server, "general", json!({ "user_id": "joe", "text": "r", "parent_id": "m0" })).await;
        let read = ok(mark_read(server, json!({ "user_id": "jane", "thread_id": "m0" })).await);
        assert_eq!(read["event"]["thread"]["parent_message_id"], "m0");
        let counts = unread_counts(server, "jane").await;
        assert_eq!(counts["total_unread_threads_count"], 0);
        assert_eq!(counts["total_unread_count"], 1);
        ok(mark_read(server, json!({ "user_id": "jane" })).await);
        assert_eq!(unread(server, "jane").await, 0);
    }

    async fn reading_the_channel_leaves_the_thread_unread(server: TestServer) {
        messages(server, 1).await;
        sent(server, "general", json!({ "user_id": "joe", "text": "r", "parent_id": "m0" })).await;
        ok(mark_read(server, json!({ "user_id": "jane" })).await);
        assert_eq!(unread_counts(server, "jane").await["total_unread_threads_count"], 1);
    }

    async fn a_deleted_reply_lowers_the_unread_of_its_thread(server: TestServer) {
        messages(server, 1).await;
        for id in ["r0", "r1"] {
            let reply = json!({ "id": id, "user_id": "joe", "text": "r", "parent_id": "m0" });
            sent(server, "general", reply).await;
        }
        ok(delete(server, "/messages/r0", &[]).await);
        assert_eq!(unread_counts(server, "jane").await["threads"][0]["unread_count"], 1);
        ok(delete(server, "/messages/r1", &[("hard", "true")]).await);
        assert_eq!(unread_counts(server, "jane").await["total_unread_threads_count"], 0);
    }

    async fn a_thread_that_is_none_cannot_be_read(server: TestServer) {
        messages(server, 1).await;
        let none = mark_read(server, json!({ "user_id": "joe", "thread_id": "m0" })).await;
        assert!(none.status == 400 || none.status == 404, "{}", none.text);
        let nothing = mark_read(server, json!({ "user_id": "joe", "thread_id": "nothing" })).await;
        assert!(nothing.status == 400 || nothing.status == 404, "{}", nothing.text);
    }

    async fn racing_sends_are_all_unread(server: TestServer) {
        messages(server, 0).await;
        let mut racing = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let request = server.raw("POST", "/api/v2/chat/channels/messaging/general/message");
            let body = json!({ "message": { "user_id": "jane", "text": "a" } });
            racing.spawn(async move { request.json(&body).send().await.status });
        }
        assert_eq!(racing.join_all().await, [201; 20]);
        assert_eq!(unread(server, "joe").await, 20);
    }
}
