//! What is deleted for good: gone for everybody at once, removed from the database step by step.

use std::time::Duration;

use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{post_ok, texts};
use crate::chat::sent;

const GENERAL: &str = "/api/v2/chat/channels/messaging/general";

/// A channel with everything that hangs on messages. Answers the moment before the last reply, r5, whose parent is older.
async fn general(server: &TestServer) -> i64 {
    server.users(&["jane", "joe", "eve"]).await;
    server.channel("general", &["jane", "joe", "eve"]).await;
    for id in ["m1", "m2", "m3", "m4"] {
        sent(
            server,
            "general",
            json!({ "id": id, "text": "words", "user_id": "jane", "pinned": id == "m2" }),
        )
        .await;
    }
    for (id, parent, shown) in
        [("r1", "m1", false), ("r2", "m1", true), ("r3", "m2", false), ("r4", "m3", true)]
    {
        sent(
            server,
            "general",
            json!({ "id": id, "text": "r", "user_id": "joe", "parent_id": parent,
                                        "mentioned_users": ["eve"], "show_in_channel": shown }),
        )
        .await;
    }
    for (id, kind) in [("m1", "like"), ("m1", "love"), ("r2", "like")] {
        let body = json!({ "reaction": { "type": kind, "user_id": "joe" } });
        post_ok(server, &format!("/api/v2/chat/messages/{id}/reaction"), &body).await;
    }
    let for_me = server.raw("DELETE", "/api/v2/chat/messages/m2").query("delete_for_me", "true");
    assert_eq!(for_me.query("deleted_by", "eve").send().await.status, 200);
    for (id, hard) in [("m4", "false"), ("r3", "true")] {
        server.raw("DELETE", &format!("/api/v2/chat/messages/{id}")).query("hard", hard).send().await;
    }
    sent(
        server,
        "general",
        json!({ "id": "s1", "text": "s", "user_id": "jane", "restricted_visibility": ["eve"] }),
    )
    .await;
    server.advance(Duration::from_secs(1));
    let last =
        server.raw("GET", "/api/v2/chat/messages/s1").send().await.body["message"]["created_at"].clone();
    sent(
        server,
        "general",
        json!({ "id": "r5", "text": "r", "user_id": "joe", "parent_id": "m1",
                                    "show_in_channel": true }),
    )
    .await;
    server.advance(Duration::from_secs(1));
    server.check().await;
    last.as_i64().unwrap() + 500_000_000
}

async fn state(server: &TestServer) -> Value {
    server.raw("GET", GENERAL).query("state", "true").send().await.body
}

/// Requires these numbers of rows.
async fn expect(server: &TestServer, rows: &[(&str, i64)]) {
    for (table, rows) in rows {
        assert_eq!(server.count(table).await, *rows, "{table}");
    }
}

const NOTHING: [(&str, i64); 5] =
    [("reactions", 0), ("threads", 0), ("thread_participants", 0), ("purges", 0), ("unread_gaps", 0)];

async fn truncate_hard(server: &TestServer, limit: i64) {
    general(server).await;
    post_ok(server, &format!("{GENERAL}/truncate"), &json!({ "hard_delete": true })).await;
    assert_eq!(state(server).await["messages"], json!([]));
    // The ids are free at once, also that of a parent.
    for id in ["m1", "r1", "m4"] {
        server.send("general", "jane", id, "again").await;
    }
    server.purge(limit).await;
    assert_eq!(texts(&state(server).await["messages"], "/id"), ["m1", "r1", "m4"]);
    expect(server, &NOTHING).await;
    expect(server, &[("messages", 3), ("members", 3)]).await;
}

async fn delete_hard(server: &TestServer, limit: i64) {
    general(server).await;
    let deleted = server.raw("DELETE", GENERAL).query("hard_delete", "true").send().await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    assert_eq!(deleted.body["channel"]["cid"], "messaging:general");
    // Its name and the ids of its messages are free at once, for another channel.
    server.channel("general", &["joe"]).await;
    server.send("general", "joe", "m1", "again").await;
    server.purge(limit).await;
    expect(server, &NOTHING).await;
    expect(server, &[("channels", 1), ("messages", 1), ("members", 1)]).await;
    assert_eq!(texts(&state(server).await["messages"], "/id"), ["m1"]);
}

both_databases! {
    async fn a_hard_truncation_leaves_nothing(server: TestServer) {
        truncate_hard(server, 100).await;
    }

    async fn a_hard_truncation_goes_step_by_step(server: TestServer) {
        truncate_hard(server, 1).await;
    }

    async fn a_hard_deletion_of_a_channel_leaves_nothing(server: TestServer) {
        delete_hard(server, 100).await;
    }

    async fn a_hard_deletion_of_a_channel_goes_step_by_step(server: TestServer) {
        delete_hard(server, 1).await;
    }

    async fn the_parent_of_a_newer_reply_leaves_its_place(server: TestServer) {
        let moment = general(server).await;
        let body = json!({ "hard_delete": true, "truncated_at": moment });
        post_ok(server, &format!("{GENERAL}/truncate"), &body).await;
        server.purge(2).await;
        let left = state(server).await;
        assert_eq!(texts(&left["messages"], "/id"), ["r5"]);
        assert_eq!((&left["channel"]["message_count"], server.count("messages").await), (&json!(1), 2));
        assert_eq!(server.count("reactions").await, 0);
        server.raw("GET", "/api/v2/chat/messages/m1").send().await.expect_error(404, 16, "m1");
        server.raw("DELETE", "/api/v2/chat/messages/r5").query("hard", "true").send().await;
        server.check().await;
        post_ok(server, &format!("{GENERAL}/truncate"), &json!({ "hard_delete": true })).await;
        server.purge(5).await;
        assert_eq!(server.count("messages").await, 0);
    }

    async fn a_soft_truncation_keeps_the_messages_without_their_pins_and_gaps(server: TestServer) {
        general(server).await;
        let before = server.count("messages").await;
        post_ok(server, &format!("{GENERAL}/truncate"), &json!({})).await;
        server.purge(1).await;
        assert_eq!((server.count("messages").await, server.count("unread_gaps").await), (before, 0));
        let taken = json!({ "message": { "id": "m1", "text": "again", "user_id": "jane" } });
        let reply = server.raw("POST", &format!("{GENERAL}/message")).json(&taken).send().await;
        reply.expect_error(400, 4, "already exists");
    }

    async fn a_channel_that_comes_back_is_empty_for_its_members(server: TestServer) {
        general(server).await;
        server.raw("DELETE", GENERAL).send().await;
        post_ok(server, &format!("{GENERAL}/query"), &json!({ "data": { "created_by_id": "jane" } })).await;
        server.check().await;
        let counts = server.raw("GET", "/api/v2/chat/unread").query("user_id", "eve").send().await.body;
        assert_eq!(counts["total_unread_count"], 0);
        server.send("general", "jane", "n1", "new").await;
        let counts = server.raw("GET", "/api/v2/chat/unread").query("user_id", "eve").send().await.body;
        assert_eq!(counts["total_unread_count"], 1);
        server.check().await;
    }

    async fn gaps_that_everybody_has_read_past_go_and_nobody_notices(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        for id in ["m1", "m2", "m3", "m4"] {
            server.send("general", "jane", id, "words").await;
        }
        for (id, hard) in [("m2", "true"), ("m3", "false")] {
            server.raw("DELETE", &format!("/api/v2/chat/messages/{id}")).query("hard", hard).send().await;
        }
        server.prune_unread_gaps().await;
        assert_eq!(server.count("unread_gaps").await, 2, "joe has not read past them");
        post_ok(server, &format!("{GENERAL}/read"), &json!({ "user_id": "joe" })).await;
        server.prune_unread_gaps().await;
        // That of a message that is still stored stays: the message may come back.
        assert_eq!(server.count("unread_gaps").await, 1);
        for user in ["joe", "jane"] {
            post_ok(server, &format!("{GENERAL}/read"), &json!({ "user_id": user, "message_id": "m1" })).await;
        }
        server.check().await;
        let counts = server.raw("GET", "/api/v2/chat/unread").query("user_id", "joe").send().await.body;
        assert_eq!(counts["total_unread_count"], 1);
        server.raw("DELETE", "/api/v2/chat/messages/m4").query("hard", "true").send().await;
        server.check().await;
    }
}
