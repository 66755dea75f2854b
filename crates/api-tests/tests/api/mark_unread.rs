//! Taking back that something was read, in channels and threads, and reading many channels at once.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::chat::{delete, get, jane_and_joe, ok, post, sent, state, update_channel};

async fn unread_counts(server: &TestServer, user_id: &str) -> Value {
    ok(get(server, "/unread", &[("user_id", user_id)]).await)
}

/// What a user has not read, in all.
async fn unread(server: &TestServer, user_id: &str) -> i64 {
    unread_counts(server, user_id).await["total_unread_count"].as_i64().unwrap()
}

async fn mark_unread(server: &TestServer, request: Value) -> RawReply {
    post(server, "/channels/messaging/general/unread", request).await
}

async fn mark_read(server: &TestServer, user_id: &str) {
    ok(post(server, "/channels/messaging/general/read", json!({ "user_id": user_id })).await);
}

/// The read state of joe.
async fn joe(server: &TestServer) -> Value {
    let state = state(server, "general").await;
    let mut reads = state["read"].as_array().unwrap().iter();
    reads.find(|read| read["user"]["id"] == "joe").unwrap().clone()
}

/// Messages m0, m1, … by jane, all read by joe.
async fn read_messages(server: &TestServer, count: usize) {
    jane_and_joe(server).await;
    for number in 0..count {
        server.send("general", "jane", &format!("m{number}"), "a").await;
        server.advance(Duration::from_secs(1));
    }
    mark_read(server, "joe").await;
}

/// A thread of two replies by joe and one by jane below a message of jane, read by both.
async fn read_thread(server: &TestServer) {
    read_messages(server, 1).await;
    for (id, user_id) in [("r0", "joe"), ("r1", "jane"), ("r2", "joe")] {
        sent(server, "general", json!({ "id": id, "user_id": user_id, "text": "r", "parent_id": "m0" }))
            .await;
    }
    let read = json!({ "user_id": "jane", "thread_id": "m0" });
    ok(post(server, "/channels/messaging/general/read", read).await);
    assert_eq!(unread_counts(server, "jane").await["total_unread_threads_count"], 0);
}

both_databases! {
    async fn a_message_and_those_after_it_become_unread(server: TestServer) {
        read_messages(server, 5).await;
        let third = server.client().chat().get_message("m2", Default::default()).await.unwrap();
        assert_eq!(unread(server, "joe").await, 0);
        assert_eq!(mark_unread(server, json!({ "user_id": "joe", "message_id": "m2" })).await.status, 201);
        assert_eq!(unread(server, "joe").await, 3);
        let read = joe(server).await;
        assert_eq!((&read["unread_messages"], &read["last_read_message_id"]), (&json!(3), &json!("m1")));
        assert!(read["last_read"].as_i64().unwrap() < third.message.created_at.nanoseconds());
        server.send("general", "jane", "later", "a").await;
        assert_eq!(unread(server, "joe").await, 4);
        mark_read(server, "joe").await;
        assert_eq!(unread(server, "joe").await, 0);
    }

    async fn the_first_message_becomes_unread_with_nothing_read_before_it(server: TestServer) {
        read_messages(server, 2).await;
        ok(mark_unread(server, json!({ "user_id": "joe", "message_id": "m0" })).await);
        assert_eq!(unread(server, "joe").await, 2);
        assert!(joe(server).await.get("last_read_message_id").is_none());
    }

    async fn own_silent_and_deleted_messages_stay_uncounted(server: TestServer) {
        read_messages(server, 2).await;
        server.send("general", "joe", "own", "a").await;
        let silent = json!({ "id": "silent", "user_id": "jane", "text": "a", "silent": true });
        sent(server, "general", silent).await;
        server.send("general", "jane", "last", "a").await;
        ok(delete(server, "/messages/m1", &[]).await);
        ok(mark_unread(server, json!({ "user_id": "joe", "message_id": "m0" })).await);
        assert_eq!(unread(server, "joe").await, 2);
        ok(mark_unread(server, json!({ "user_id": "joe", "message_id": "silent" })).await);
        assert_eq!(unread(server, "joe").await, 1);
        ok(mark_unread(server, json!({ "user_id": "joe", "message_id": "own" })).await);
        assert_eq!(unread(server, "joe").await, 1);
        ok(delete(server, "/messages/own", &[]).await);
        assert_eq!(unread(server, "joe").await, 1);
    }

    async fn what_was_sent_since_a_moment_becomes_unread(server: TestServer) {
        read_messages(server, 4).await;
        let third = ok(get(server, "/messages/m2", &[]).await)["message"]["created_at"].clone();
        let moment = crate::chat::rfc3339(&third);
        ok(mark_unread(server, json!({ "user_id": "joe", "message_timestamp": moment })).await);
        assert_eq!(unread(server, "joe").await, 2);
        assert_eq!(joe(server).await["last_read_message_id"], "m1");
        let between = third.as_i64().unwrap() - 1;
        ok(mark_unread(server, json!({ "user_id": "joe", "message_timestamp": between })).await);
        assert_eq!(unread(server, "joe").await, 2);
        let later = json!({ "user_id": "joe", "message_timestamp": "2030-01-01T00:00:00Z" });
        mark_unread(server, later).await.expect_error(400, 4, "message_timestamp");
        assert_eq!(unread(server, "joe").await, 2);
    }

    async fn only_the_newest_hundred_messages_can_become_unread(server: TestServer) {
        read_messages(server, 101).await;
        let oldest = mark_unread(server, json!({ "user_id": "joe", "message_id": "m0" })).await;
        oldest.expect_error(
            400,
            4,
            r#"Either the message with ID "m0" does not exist, or it is older than last 100 channel messages."#,
        );
        let unknown = mark_unread(server, json!({ "user_id": "joe", "message_id": "nothing" })).await;
        unknown.expect_error(
            400,
            4,
            r#"Either the message with ID "nothing" does not exist, or it is older than last 100 channel messages."#,
        );
        let early = json!({ "user_id": "joe", "message_timestamp": "2020-01-01T00:00:00Z" });
        mark_unread(server, early).await.expect_error(400, 4, "older than last 100 channel messages");
        assert_eq!(unread(server, "joe").await, 0);
        ok(mark_unread(server, json!({ "user_id": "joe", "message_id": "m1" })).await);
        assert_eq!(unread(server, "joe").await, 100);
        assert_eq!(joe(server).await["last_read_message_id"], "m0");
    }

    async fn exactly_one_place_is_named(server: TestServer) {
        read_thread(server).await;
        let places = [
            json!({}),
            json!({ "message_id": "m0", "thread_id": "m0" }),
            json!({ "message_id": "m0", "message_timestamp": "2026-01-01T00:00:00Z" }),
            json!({ "message_timestamp": "2026-01-01T00:00:00Z", "thread_id": "m0" }),
            json!({ "message_id": "", "thread_id": "" }),
        ];
        for mut request in places {
            request["user_id"] = json!("joe");
            mark_unread(server, request).await.expect_error(400, 4, "exactly one of message_id");
        }
        mark_unread(server, json!({ "message_id": "m0" })).await
            .expect_error(400, 4, "either user or user_id must be provided");
        let nowhere = json!({ "user_id": "joe", "message_id": "m0" });
        post(server, "/channels/messaging/nowhere/unread", nowhere).await.expect_error(404, 16, "nowhere");
        let none = json!({ "user_id": "joe", "thread_id": "r0" });
        mark_unread(server, none).await.expect_error(400, 4, "thread_id");
    }

    async fn who_is_no_member_has_nothing_to_become_unread(server: TestServer) {
        read_messages(server, 1).await;
        server.users(&["eve"]).await;
        ok(mark_unread(server, json!({ "user_id": "eve", "message_id": "m0" })).await);
        assert_eq!(unread(server, "eve").await, 0);
    }

    async fn a_livestream_cannot_become_unread(server: TestServer) {
        server.users(&["jane"]).await;
        let body = json!({ "data": { "created_by_id": "jane", "members": [{ "user_id": "jane" }] } });
        ok(post(server, "/channels/livestream/live/query", body).await);
        let request = json!({ "user_id": "jane", "message_id": "m0" });
        post(server, "/channels/livestream/live/unread", request).await
            .expect_error(400, 18, "does not support read events");
    }

    async fn a_thread_becomes_unread_without_its_channel(server: TestServer) {
        read_thread(server).await;
        ok(mark_unread(server, json!({ "user_id": "jane", "thread_id": "m0" })).await);
        let counts = unread_counts(server, "jane").await;
        assert_eq!((&counts["total_unread_threads_count"], &counts["total_unread_count"]), (&json!(1), &json!(0)));
        let thread = &counts["threads"][0];
        assert_eq!((&thread["parent_message_id"], &thread["unread_count"]), (&json!("m0"), &json!(2)));
        assert_eq!(thread["last_read_message_id"], "");
        ok(mark_unread(server, json!({ "user_id": "joe", "thread_id": "m0" })).await);
        assert_eq!(unread_counts(server, "joe").await["threads"][0]["unread_count"], 1);
        let read = json!({ "user_id": "jane", "thread_id": "m0" });
        ok(post(server, "/channels/messaging/general/read", read).await);
        assert_eq!(unread_counts(server, "jane").await["total_unread_threads_count"], 0);
    }

    async fn own_replies_of_an_unread_thread_may_be_deleted(server: TestServer) {
        read_thread(server).await;
        ok(mark_unread(server, json!({ "user_id": "joe", "thread_id": "m0" })).await);
        ok(delete(server, "/messages/r0", &[]).await);
        ok(delete(server, "/messages/r2", &[("hard", "true")]).await);
        assert_eq!(unread_counts(server, "joe").await["threads"][0]["unread_count"], 1);
        ok(delete(server, "/messages/r1", &[]).await);
        assert_eq!(unread_counts(server, "joe").await["total_unread_threads_count"], 0);
    }

    async fn named_channels_are_read_together(server: TestServer) {
        read_messages(server, 0).await;
        server.channel("other", &["jane", "joe"]).await;
        server.channel("third", &["jane", "joe"]).await;
        for channel in ["general", "other", "third"] {
            for number in 0..3 {
                server.send(channel, "jane", &format!("{channel}{number}"), "a").await;
            }
            server.advance(Duration::from_secs(1));
        }
        let request = json!({
            "user_id": "joe", "read_by_channel": { "messaging:general": "general1", "messaging:other": "" }
        });
        let reply = post(server, "/channels/read", request).await;
        assert_eq!((reply.status, reply.body.get("event")), (201, None));
        let counts = unread_counts(server, "joe").await;
        let listed = counts["channels"].as_array().unwrap().iter();
        let listed: Vec<_> = listed
            .map(|one| (one["channel_id"].as_str().unwrap(), one["unread_count"].as_i64().unwrap()))
            .collect();
        assert_eq!(listed, [("messaging:third", 3), ("messaging:general", 1)]);
    }

    async fn reading_named_channels_is_all_or_nothing(server: TestServer) {
        read_messages(server, 0).await;
        server.send("general", "jane", "m0", "a").await;
        let unknown = json!({ "user_id": "joe", "read_by_channel": { "messaging:general": "m0", "messaging:no": "" } });
        post(server, "/channels/read", unknown).await.expect_error(404, 16, "messaging:no");
        let unknown = json!({ "user_id": "joe", "read_by_channel": { "messaging:general": "nothing" } });
        post(server, "/channels/read", unknown).await.expect_error(400, 4, "nothing");
        let malformed = json!({ "user_id": "joe", "read_by_channel": { "general": "" } });
        post(server, "/channels/read", malformed).await.expect_error(400, 4, "read_by_channel");
        let many: serde_json::Map<_, _> = (0..31).map(|n| (format!("messaging:c{n}"), json!(""))).collect();
        let many = json!({ "user_id": "joe", "read_by_channel": many });
        post(server, "/channels/read", many).await.expect_error(400, 4, "at most 30");
        post(server, "/channels/read", json!({})).await.expect_error(400, 4, "either user or user_id");
        assert_eq!(unread(server, "joe").await, 1);
    }

    async fn everything_is_read_at_once(server: TestServer) {
        jane_and_joe(server).await;
        for number in 0..35 {
            let channel = format!("c{number}");
            server.channel(&channel, &["jane", "joe"]).await;
            server.send(&channel, "jane", &format!("m{number}"), "a").await;
        }
        update_channel(server, "general", json!({ "message": { "text": "a", "user_id": "jane" } })).await;
        let counts = unread_counts(server, "joe").await;
        assert_eq!((&counts["total_unread_count"], &counts["channel_type"][0]["channel_count"]), (&json!(36), &json!(36)));
        ok(post(server, "/channels/read", json!({ "user_id": "joe", "read_by_channel": null })).await);
        assert_eq!((unread(server, "joe").await, unread(server, "jane").await), (0, 0));
        assert_eq!(joe(server).await["unread_messages"], 0);
        ok(post(server, "/channels/read", json!({ "user_id": "joe" })).await);
    }
}
