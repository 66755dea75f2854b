//! What has reached users, who gets to see what others read, and the counts of several users.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::chat::{get, jane_and_joe, ok, post, sent, state, state_for};

async fn delivered(server: &TestServer, user_id: &str, messages: &[(&str, &str)]) -> RawReply {
    let latest: Vec<_> = messages.iter().map(|(cid, id)| json!({ "cid": cid, "id": id })).collect();
    let request = server.raw("POST", "/api/v2/chat/channels/delivered").query("user_id", user_id);
    request.json(&json!({ "latest_delivered_messages": latest })).send().await
}

/// A user's read state in the answer about a channel.
fn read_of<'a>(state: &'a Value, user_id: &str) -> Option<&'a Value> {
    state["read"].as_array().unwrap().iter().find(|read| read["user"]["id"] == user_id)
}

/// What reached joe last.
async fn joe_got(server: &TestServer) -> Option<String> {
    let state = state(server, "general").await;
    let id = read_of(&state, "joe").unwrap().get("last_delivered_message_id")?;
    id.as_str().map(str::to_owned)
}

async fn privacy(server: &TestServer, user_id: &str, settings: Value) {
    let body = json!({ "users": { user_id: { "id": user_id, "privacy_settings": settings } } });
    ok(server.raw("POST", "/api/v2/users").json(&body).send().await);
}

const CID: &str = "messaging:general";

both_databases! {
    async fn a_delivery_moves_forward_only(server: TestServer) {
        jane_and_joe(server).await;
        for id in ["m0", "m1", "m2"] {
            server.send("general", "jane", id, "a").await;
        }
        assert_eq!(joe_got(server).await, None);
        server.advance(Duration::from_secs(60));
        let reply = delivered(server, "joe", &[(CID, "m1")]).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!(joe_got(server).await.as_deref(), Some("m1"));
        let shown = state(server, "general").await;
        let read = read_of(&shown, "joe").unwrap();
        assert!(crate::chat::rfc3339(&read["last_delivered_at"]).starts_with("2026-01-02T03:05:05"));
        assert_eq!(read["unread_messages"], 3);
        ok(delivered(server, "joe", &[(CID, "m0")]).await);
        assert_eq!(joe_got(server).await.as_deref(), Some("m1"));
        ok(delivered(server, "joe", &[(CID, "m2"), (CID, "m0")]).await);
        assert_eq!(joe_got(server).await.as_deref(), Some("m2"));
    }

    async fn what_was_read_was_delivered(server: TestServer) {
        jane_and_joe(server).await;
        for id in ["m0", "m1", "m2"] {
            server.send("general", "jane", id, "a").await;
        }
        let read = async |id: &str| {
            let request = json!({ "user_id": "joe", "message_id": id });
            ok(post(server, "/channels/messaging/general/read", request).await);
        };
        read("m1").await;
        assert_eq!(joe_got(server).await.as_deref(), Some("m1"));
        read("m0").await;
        assert_eq!(joe_got(server).await.as_deref(), Some("m1"));
        ok(post(server, "/channels/messaging/general/unread", json!({ "user_id": "joe", "message_id": "m0" })).await);
        assert_eq!(joe_got(server).await.as_deref(), Some("m1"));
    }

    async fn what_is_not_there_is_passed_over(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["eve"]).await;
        server.channel("other", &["jane", "joe"]).await;
        server.send("general", "jane", "m0", "a").await;
        sent(server, "general", json!({ "id": "r0", "user_id": "jane", "text": "r", "parent_id": "m0" })).await;
        let strange = [(CID, "nothing"), ("messaging:nowhere", "m0"), ("messaging:other", "m0"), (CID, "r0"), ("", "")];
        ok(delivered(server, "joe", &strange).await);
        assert_eq!(joe_got(server).await, None);
        ok(delivered(server, "eve", &[(CID, "m0")]).await);
        ok(delivered(server, "joe", &[(CID, "nothing"), (CID, "m0")]).await);
        assert_eq!(joe_got(server).await.as_deref(), Some("m0"));
    }

    async fn deliveries_are_checked(server: TestServer) {
        jane_and_joe(server).await;
        let path = "/channels/delivered";
        let body = json!({ "latest_delivered_messages": [{ "cid": CID, "id": "m0" }] });
        post(server, path, body).await.expect_error(400, 4, "either user or user_id must be provided");
        delivered(server, "nobody", &[(CID, "m0")]).await.expect_error(400, 4, "nobody");
        delivered(server, "joe", &[]).await.expect_error(400, 4, "latest_delivered_messages is a required field");
        delivered(server, "joe", &[(CID, "m0"); 101]).await.expect_error(400, 4, "latest_delivered_messages");
        server.send("general", "jane", "m0", "a").await;
        let older = json!({ "user_id": "joe", "latest_delivered_messages": [{ "cid": CID, "id": "m0" }] });
        ok(post(server, path, older).await);
        assert_eq!(joe_got(server).await.as_deref(), Some("m0"));
        server.send("general", "jane", "m1", "a").await;
        let object = json!({ "user": { "id": "joe" }, "latest_delivered_messages": [{ "cid": CID, "id": "m1" }] });
        ok(post(server, path, object.clone()).await);
        assert_eq!(joe_got(server).await.as_deref(), Some("m1"));
        ok(post(server, &format!("{path}?user_id=joe"), object.clone()).await);
        post(server, &format!("{path}?user_id=jane"), object).await.expect_error(400, 4, "cannot set both");
    }

    async fn who_keeps_readings_private_is_left_out_for_others(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m0", "a").await;
        privacy(server, "joe", json!({ "read_receipts": { "enabled": false } })).await;
        let read = ok(post(server, "/channels/messaging/general/read", json!({ "user_id": "joe" })).await);
        assert_eq!(read["event"]["user"]["id"], "joe");
        let janes = state_for(server, "general", "jane").await;
        assert!(read_of(&janes, "joe").is_none() && read_of(&janes, "jane").is_some(), "{janes}");
        let joes = state_for(server, "general", "joe").await;
        assert!(read_of(&joes, "joe").is_some() && read_of(&joes, "jane").is_some(), "{joes}");
        assert!(read_of(&state(server, "general").await, "joe").is_some());
        privacy(server, "joe", json!({ "read_receipts": { "enabled": true } })).await;
        assert!(read_of(&state_for(server, "general", "jane").await, "joe").is_some());
    }

    async fn who_keeps_deliveries_private_shows_none_to_others(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m0", "a").await;
        privacy(server, "joe", json!({ "delivery_receipts": { "enabled": false } })).await;
        ok(delivered(server, "joe", &[(CID, "m0")]).await);
        let janes = state_for(server, "general", "jane").await;
        assert!(read_of(&janes, "joe").unwrap().get("last_delivered_message_id").is_none());
        let joes = state_for(server, "general", "joe").await;
        assert_eq!(read_of(&joes, "joe").unwrap()["last_delivered_message_id"], "m0");
    }

    async fn counts_of_several_users_come_together(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["eve"]).await;
        server.send("general", "jane", "m0", "a").await;
        sent(server, "general", json!({ "id": "r0", "user_id": "joe", "text": "r", "parent_id": "m0" })).await;
        let ids = json!({ "user_ids": ["jane", "joe", "eve", "nobody", "joe"] });
        let reply = post(server, "/unread_batch", ids).await;
        assert_eq!(reply.status, 201);
        let counts = reply.body["counts_by_user"].as_object().unwrap();
        assert_eq!(counts.keys().collect::<Vec<_>>(), ["eve", "jane", "joe"]);
        for user_id in ["jane", "joe", "eve"] {
            let mut alone = ok(get(server, "/unread", &[("user_id", user_id)]).await);
            alone.as_object_mut().unwrap().remove("duration");
            assert_eq!(counts[user_id], alone);
        }
        assert_eq!((&counts["joe"]["total_unread_count"], &counts["joe"]["total_unread_threads_count"]), (&json!(1), &json!(0)));
        assert_eq!(counts["jane"]["total_unread_threads_count"], 1);
        assert_eq!((&counts["eve"]["total_unread_count"], &counts["eve"]["channels"]), (&json!(0), &json!([])));
        assert!(counts["eve"].get("total_unread_count_by_team").is_none());
        // Version 1 has those alone who have something to read.
        let older = server.raw("POST", "/unread_batch").json(&json!({ "user_ids": ["jane", "joe", "eve"] })).send().await;
        let counts = older.body["counts_by_user"].as_object().unwrap();
        assert_eq!(counts.keys().collect::<Vec<_>>(), ["jane", "joe"], "{}", older.text);
    }

    async fn batches_of_counts_are_bounded(server: TestServer) {
        post(server, "/unread_batch", json!({})).await.expect_error(400, 4, "user_ids is a required field");
        let many: Vec<String> = (0..101).map(|number| format!("u{number}")).collect();
        post(server, "/unread_batch", json!({ "user_ids": many })).await.expect_error(400, 4, "user_ids");
        let nobody = ok(post(server, "/unread_batch", json!({ "user_ids": &many[..100] })).await);
        assert_eq!(nobody["counts_by_user"], json!({}));
    }

    async fn lists_of_unread_channels_end_and_totals_do_not(server: TestServer) {
        jane_and_joe(server).await;
        for number in 0..102 {
            let channel = format!("c{number}");
            server.channel(&channel, &["jane", "joe"]).await;
            server.send(&channel, "jane", &format!("m{number}"), "a").await;
            server.advance(Duration::from_millis(1));
        }
        let counts = ok(get(server, "/unread", &[("user_id", "joe")]).await);
        assert_eq!(counts["total_unread_count"], 102);
        assert_eq!(counts["channel_type"][0]["channel_count"], 102);
        let channels = counts["channels"].as_array().unwrap();
        assert_eq!((channels.len(), &channels[0]["channel_id"]), (100, &json!("messaging:c101")));
        assert_eq!(channels[99]["channel_id"], "messaging:c2");
    }
}
