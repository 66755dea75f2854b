//! Taking the messages of a channel away.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{get_ok, post, post_ok, texts};
use crate::chat::sent;

const GENERAL: &str = "/api/v2/chat/channels/messaging/general";

/// The channel general of jane, joe and eve with m1 (pinned), m2 and, after a moment, m3 of jane; r1 answers m1.
/// Answers the moment before m3.
async fn general(server: &TestServer) -> i64 {
    server.users(&["jane", "joe", "eve", "sam"]).await;
    server.channel("general", &["jane", "joe", "eve"]).await;
    sent(server, "general", json!({ "id": "m1", "text": "first", "user_id": "jane", "pinned": true })).await;
    server.send("general", "jane", "m2", "second").await;
    sent(server, "general", json!({ "id": "r1", "text": "r", "user_id": "joe", "parent_id": "m1" })).await;
    server.advance(Duration::from_secs(1));
    let between =
        server.raw("GET", "/api/v2/chat/messages/m2").send().await.body["message"]["created_at"].clone();
    server.send("general", "jane", "m3", "third").await;
    server.advance(Duration::from_secs(1));
    between.as_i64().unwrap() + 500_000_000
}

async fn truncate(server: &TestServer, body: Value) -> RawReply {
    post(server, &format!("{GENERAL}/truncate"), &body).await
}

async fn truncated(server: &TestServer, body: Value) -> Value {
    post_ok(server, &format!("{GENERAL}/truncate"), &body).await
}

async fn seen_by(server: &TestServer, user_id: &str) -> Value {
    server.raw("GET", GENERAL).query("state", "true").query("user_id", user_id).send().await.body
}

/// What a member has not read, by the read state and by the user's total, which are the same.
async fn unread(server: &TestServer, user_id: &str) -> i64 {
    let state = seen_by(server, user_id).await;
    let read =
        state["read"].as_array().unwrap().iter().find(|read| read["user"]["id"] == user_id).unwrap().clone();
    let counts = server.raw("GET", "/api/v2/chat/unread").query("user_id", user_id).send().await.body;
    assert_eq!(counts["total_unread_count"], read["unread_messages"], "{user_id}");
    read["unread_messages"].as_i64().unwrap()
}

both_databases! {
    async fn messages_disappear_from_every_read(server: TestServer) {
        general(server).await;
        let quoting = json!({ "id": "q1", "text": "q", "user_id": "jane", "quoted_message_id": "m1" });
        sent(server, "general", quoting).await;
        server.advance(Duration::from_secs(1));
        assert!(unread(server, "joe").await > 0);
        let body = truncated(server, json!({ "user_id": "jane" })).await;
        let channel = &body["channel"];
        assert!(channel["truncated_at"].is_i64());
        assert_eq!(channel["truncated_by"]["id"], "jane");
        assert_eq!((&channel["message_count"], channel.get("last_message_at")), (&json!(0), None));
        assert_eq!(body.get("message"), None);
        let state = seen_by(server, "joe").await;
        assert_eq!((&state["messages"], &state["pinned_messages"]), (&json!([]), &json!([])));
        assert_eq!(state["channel"]["truncated_at"], channel["truncated_at"]);
        for user in ["jane", "joe", "eve"] {
            assert_eq!(unread(server, user).await, 0, "{user}");
        }
        for path in ["/messages/m1", "/messages/m1/replies", "/messages/r1", "/messages/m1/reactions"] {
            server.raw("GET", &format!("/api/v2/chat{path}")).send().await.expect_error(404, 16, "");
        }
        let many = server.raw("GET", &format!("{GENERAL}/messages")).query("ids", "m1,m2,m3").send().await;
        assert_eq!(many.body["messages"], json!([]));
        let question = json!({ "filter_conditions": { "type": "messaging" }, "query": "first" });
        assert_eq!(get_ok(server, "/api/v2/chat/search", &question).await["results"], json!([]));
        server.check().await;
        server.purge(3).await;
        server.send("general", "jane", "m4", "later").await;
        assert_eq!((unread(server, "joe").await, unread(server, "jane").await), (1, 0));
        assert_eq!(seen_by(server, "").await["channel"]["message_count"], 1);
        server.check().await;
    }

    async fn messages_up_to_a_moment_disappear(server: TestServer) {
        let moment = general(server).await;
        let body = truncated(server, json!({ "truncated_at": moment })).await;
        assert_eq!(body["channel"]["truncated_at"], moment);
        assert_eq!(body["channel"].get("truncated_by"), None);
        let state = seen_by(server, "joe").await;
        assert_eq!(texts(&state["messages"], "/id"), ["m3"]);
        assert_eq!((&state["channel"]["message_count"], &state["pinned_messages"]), (&json!(1), &json!([])));
        assert_eq!(state["channel"]["last_message_at"], state["messages"][0]["created_at"]);
        assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (1, 1));
        assert_eq!(unread(server, "jane").await, 0);
        server.purge(1).await;
        // An earlier moment brings nothing back.
        let again = truncated(server, json!({ "truncated_at": "2026-01-01T00:00:00Z" })).await;
        assert_eq!(again["channel"]["truncated_at"], moment);
        assert_eq!(texts(&seen_by(server, "").await["messages"], "/id"), ["m3"]);
        server.purge(1).await;
    }

    async fn what_corrects_unread_counts_is_cut_as_well(server: TestServer) {
        let moment = general(server).await;
        // Each of these makes the count of a member something else than the difference of two numbers.
        let secret = |id: &str| {
            json!({ "id": id, "text": "s", "user_id": "jane", "restricted_visibility": ["eve"] })
        };
        sent(server, "general", secret("s1")).await;
        server.send("general", "joe", "j1", "of joe").await;
        let back = json!({ "user_id": "joe", "message_id": "m1" });
        post_ok(server, &format!("{GENERAL}/read"), &back).await;
        server.raw("DELETE", "/api/v2/chat/messages/m2").send().await;
        assert_eq!(unread(server, "joe").await, 1);
        assert_eq!(unread(server, "eve").await, 4);
        server.check().await;
        server.advance(Duration::from_secs(1));
        truncated(server, json!({ "truncated_at": moment })).await;
        server.check().await;
        assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (1, 3));
        sent(server, "general", secret("s2")).await;
        assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (1, 4));
        server.advance(Duration::from_secs(1));
        truncated(server, json!({})).await;
        server.check().await;
        for user in ["jane", "joe", "eve"] {
            assert_eq!(unread(server, user).await, 0, "{user}");
        }
        sent(server, "general", secret("s3")).await;
        assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (0, 1));
        server.purge(2).await;
        assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (0, 1));
    }

    async fn a_message_may_stand_at_the_new_beginning(server: TestServer) {
        general(server).await;
        let message = json!({ "id": "t1", "text": "all gone", "user_id": "jane" });
        let body = truncated(server, json!({ "message": message, "skip_push": true })).await;
        assert_eq!((&body["message"]["id"], &body["message"]["type"]), (&json!("t1"), &json!("system")));
        let created_at = body["message"]["created_at"].as_i64().unwrap();
        assert!(created_at > body["channel"]["truncated_at"].as_i64().unwrap());
        assert_eq!(body["channel"]["last_message_at"], created_at);
        assert_eq!(body["channel"]["message_count"], 1);
        assert_eq!(texts(&seen_by(server, "joe").await["messages"], "/id"), ["t1"]);
        for user in ["jane", "joe"] {
            assert_eq!(unread(server, user).await, 0, "{user}");
        }
        server.purge(1).await;
        assert_eq!(texts(&seen_by(server, "joe").await["messages"], "/id"), ["t1"]);
    }

    async fn the_message_of_a_truncation_is_checked(server: TestServer) {
        general(server).await;
        let secret = json!({ "text": "t", "user_id": "jane", "restricted_visibility": ["joe"] });
        truncate(server, json!({ "message": secret })).await
            .expect_error(400, 4, "message.restricted_visibility");
        let text = "either message.user or message.user_id must be provided when using server side auth.";
        truncate(server, json!({ "message": { "text": "t" } })).await.expect_error(400, 4, text);
        let taken = json!({ "id": "m3", "text": "t", "user_id": "jane" });
        truncate(server, json!({ "message": taken })).await.expect_error(400, 4, "already exists");
        assert_eq!(texts(&seen_by(server, "").await["messages"], "/id"), ["m1", "m2", "m3"]);
        // The acting user stands in for the sender.
        let body = truncated(server, json!({ "message": { "text": "t" }, "user_id": "joe" })).await;
        assert_eq!(body["message"]["user"]["id"], "joe");
    }

    async fn some_members_alone_lose_the_messages(server: TestServer) {
        let moment = general(server).await;
        let body = truncated(server, json!({ "member_ids": ["joe"], "truncated_at": moment, "user_id": "jane" })).await;
        assert_eq!(body["channel"].get("truncated_at"), None);
        assert_eq!(body["channel"]["message_count"], 4);
        let joe = seen_by(server, "joe").await;
        assert_eq!(texts(&joe["messages"], "/id"), ["m3"]);
        assert_eq!((&joe["pinned_messages"], &joe["hide_messages_before"]), (&json!([]), &json!(moment)));
        let eve = seen_by(server, "eve").await;
        assert_eq!(texts(&eve["messages"], "/id"), ["m1", "m2", "m3"]);
        assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (1, 3));
        truncated(server, json!({ "member_ids": ["joe", "eve", "joe"] })).await;
        assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (0, 0));
        assert_eq!(texts(&seen_by(server, "jane").await["messages"], "/id"), ["m1", "m2", "m3"]);
        server.check().await;
    }

    async fn truncations_that_make_no_sense_are_refused(server: TestServer) {
        general(server).await;
        let many: Vec<String> = (0..101).map(|number| format!("u{number}")).collect();
        for (body, text) in [
            (json!({ "truncated_at": "2026-02-01T00:00:00Z" }), "truncated_at"),
            (json!({ "member_ids": ["joe"], "hard_delete": true }), "hard_delete"),
            (json!({ "member_ids": ["joe", "sam"] }), "\"sam\" is not a member"),
            (json!({ "member_ids": ["not valid"] }), "member_ids"),
            (json!({ "member_ids": many }), "member_ids"),
            (json!({ "user_id": "nobody" }), "nobody"),
        ] {
            truncate(server, body).await.expect_error(400, 4, text);
        }
        let none = "/api/v2/chat/channels/messaging/none/truncate";
        post(server, none, &json!({})).await.expect_error(404, 16, "messaging:none");
        assert_eq!(texts(&seen_by(server, "joe").await["messages"], "/id"), ["m1", "m2", "m3"]);
    }
}
