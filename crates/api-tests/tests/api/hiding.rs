//! Hiding channels from single members.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{post, post_ok, texts};
use crate::chat::{ok, sent};

const CHANNELS: &str = "/api/v2/chat/channels";
const GENERAL: &str = "/api/v2/chat/channels/messaging/general";

/// The channel general of jane, joe and eve, with a message.
async fn general(server: &TestServer) {
    server.users(&["jane", "joe", "eve", "sam"]).await;
    server.channel("general", &["jane", "joe", "eve"]).await;
    server.send("general", "jane", "m1", "hello").await;
    server.advance(Duration::from_secs(1));
}

async fn hide(server: &TestServer, body: Value) -> RawReply {
    post(server, &format!("{GENERAL}/hide"), &body).await
}

async fn hidden(server: &TestServer, user_id: &str) {
    let reply = hide(server, json!({ "user_id": user_id })).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
}

async fn shown(server: &TestServer, user_id: &str) {
    post_ok(server, &format!("{GENERAL}/show"), &json!({ "user_id": user_id })).await;
}

/// Whether a user finds the channel among all.
async fn finds(server: &TestServer, user_id: &str) -> bool {
    let body = json!({ "filter_conditions": { "members": { "$in": [user_id] } }, "user_id": user_id });
    !post_ok(server, CHANNELS, &body).await["channels"].as_array().unwrap().is_empty()
}

async fn seen_by(server: &TestServer, user_id: &str) -> Value {
    server.raw("GET", GENERAL).query("state", "true").query("user_id", user_id).send().await.body
}

both_databases! {
    async fn a_hidden_channel_is_found_only_when_asked_for(server: TestServer) {
        general(server).await;
        hidden(server, "joe").await;
        assert!(!finds(server, "joe").await);
        assert!(finds(server, "jane").await);
        let body = json!({ "filter_conditions": { "hidden": true }, "user_id": "joe" });
        let found = post_ok(server, CHANNELS, &body).await["channels"].clone();
        assert_eq!(texts(&found, "/channel/id"), ["general"]);
        assert_eq!((&found[0]["hidden"], &found[0]["channel"]["hidden"]), (&json!(true), &json!(true)));
        let body = json!({ "filter_conditions": { "hidden": false }, "user_id": "joe" });
        assert_eq!(post_ok(server, CHANNELS, &body).await["channels"], json!([]));
        // Hiding does not touch what is unread, nor what is read.
        let counts = server.raw("GET", "/api/v2/chat/unread").query("user_id", "joe").send().await.body;
        assert_eq!(counts["total_unread_count"], 1);
        assert_eq!(texts(&seen_by(server, "joe").await["messages"], "/id"), ["m1"]);
        shown(server, "joe").await;
        assert!(finds(server, "joe").await);
        assert_eq!(seen_by(server, "joe").await.get("hidden"), None);
    }

    async fn a_new_message_shows_the_channel_again(server: TestServer) {
        general(server).await;
        hidden(server, "joe").await;
        hidden(server, "eve").await;
        let kept = json!({ "message": { "text": "psst", "user_id": "jane" }, "keep_channel_hidden": true });
        post_ok(server, &format!("{GENERAL}/message"), &kept).await;
        assert!(!finds(server, "joe").await && !finds(server, "eve").await);
        server.send("general", "jane", "m2", "hello").await;
        assert!(finds(server, "joe").await && finds(server, "eve").await);
    }

    async fn a_reply_in_its_thread_shows_nothing(server: TestServer) {
        general(server).await;
        hidden(server, "joe").await;
        sent(server, "general", json!({ "text": "r", "user_id": "jane", "parent_id": "m1" })).await;
        assert!(!finds(server, "joe").await);
    }

    async fn a_message_shows_the_channel_to_those_alone_who_see_it(server: TestServer) {
        general(server).await;
        hidden(server, "joe").await;
        hidden(server, "eve").await;
        let secret = json!({ "text": "psst", "user_id": "jane", "restricted_visibility": ["eve"] });
        sent(server, "general", secret).await;
        assert!(!finds(server, "joe").await);
        assert!(finds(server, "eve").await);
    }

    async fn a_message_of_the_system_shows_the_channel_too(server: TestServer) {
        general(server).await;
        hidden(server, "joe").await;
        let update = json!({ "add_members": ["sam"], "message": { "text": "sam is here", "user_id": "jane" } });
        post_ok(server, GENERAL, &update).await;
        assert!(finds(server, "joe").await);
    }

    async fn history_may_be_cleared_for_the_member_who_hides(server: TestServer) {
        general(server).await;
        let reply = hide(server, json!({ "user_id": "joe", "clear_history": true })).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let state = seen_by(server, "joe").await;
        assert_eq!((&state["messages"], &state["hidden"]), (&json!([]), &json!(true)));
        assert!(state["hide_messages_before"].is_i64());
        assert_eq!(state["channel"]["hide_messages_before"], state["hide_messages_before"]);
        assert_eq!(texts(&seen_by(server, "jane").await["messages"], "/id"), ["m1"]);
        server.send("general", "jane", "m2", "later").await;
        assert_eq!(texts(&seen_by(server, "joe").await["messages"], "/id"), ["m2"]);
        shown(server, "joe").await;
        assert_eq!(texts(&seen_by(server, "joe").await["messages"], "/id"), ["m2"]);
        server.check().await;
    }

    async fn hiding_and_showing_may_be_repeated(server: TestServer) {
        general(server).await;
        hidden(server, "joe").await;
        hidden(server, "joe").await;
        shown(server, "joe").await;
        shown(server, "joe").await;
        assert!(finds(server, "joe").await);
    }

    async fn only_members_hide_channels(server: TestServer) {
        general(server).await;
        ok(server.raw("PATCH", "/api/v2/app").json(&json!({ "channel_hide_members_only": true })).send().await);
        for verb in ["hide", "show"] {
            let path = format!("{GENERAL}/{verb}");
            post(server, &path, &json!({ "user_id": "sam" })).await.expect_error(400, 4, "\"sam\" is not a member");
            post(server, &path, &json!({ "user_id": "nobody" })).await.expect_error(400, 4, "nobody");
            let text = "either user or user_id must be provided when using server side auth.";
            post(server, &path, &json!({})).await.expect_error(400, 4, text);
            let none = format!("{CHANNELS}/messaging/none/{verb}");
            post(server, &none, &json!({ "user_id": "joe" })).await.expect_error(404, 16, "messaging:none");
        }
    }

    async fn a_server_hides_nothing_from_who_is_no_member_unless_that_is_refused(server: TestServer) {
        general(server).await;
        for verb in ["hide", "show"] {
            post_ok(server, &format!("{GENERAL}/{verb}"), &json!({ "user_id": "sam" })).await;
        }
        let body = json!({ "filter_conditions": { "hidden": true }, "user_id": "sam" });
        assert_eq!(post_ok(server, CHANNELS, &body).await["channels"], json!([]));
        let all = json!({ "filter_conditions": {}, "user_id": "sam" });
        assert_eq!(texts(&post_ok(server, CHANNELS, &all).await["channels"], "/channel/id"), ["general"]);
    }

    async fn a_channel_may_be_hidden_from_its_creator_from_the_start(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let data = json!({ "created_by_id": "jane", "members": ["jane", "joe"] });
        post_ok(server, &format!("{GENERAL}/query"), &json!({ "data": data, "hide_for_creator": true })).await;
        assert!(!finds(server, "jane").await);
        assert!(finds(server, "joe").await);
        server.send("general", "joe", "m1", "hello").await;
        assert!(finds(server, "jane").await);
    }
}
