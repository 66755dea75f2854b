use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{get, get_ok, patch_ok, post_ok, texts};
use crate::chat::{delete, jane_and_joe, sent};

const PINNED: &str = "/channels/messaging/general/pinned_messages";
const GENERAL: &str = "/api/v2/chat/channels/messaging/general";

async fn pin(server: &TestServer, id: &str, expires: Value) -> RawReply {
    server.advance(Duration::from_secs(1));
    let body = json!({ "set": { "pinned": true, "pin_expires": expires }, "user_id": "jane" });
    let reply = server.raw("PUT", &format!("/api/v2/chat/messages/{id}")).json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply
}

/// Messages m0 to m5 by jane, of which m4, m1, m3 and m0 are pinned, in this order.
async fn pins(server: &TestServer) {
    jane_and_joe(server).await;
    for number in 0..6 {
        server.send("general", "jane", &format!("m{number}"), "hello").await;
    }
    for id in ["m4", "m1", "m3", "m0"] {
        pin(server, id, Value::Null).await;
    }
}

async fn found(server: &TestServer, payload: Value) -> Vec<String> {
    texts(&get_ok(server, PINNED, &payload).await["messages"], "/id")
}

both_databases! {
    async fn pinned_messages_come_in_the_order_of_their_pins(server: TestServer) {
        pins(server).await;
        assert_eq!(found(server, json!({})).await, ["m0", "m3", "m1", "m4"]);
        assert_eq!(found(server, json!({ "limit": 2 })).await, ["m0", "m3"]);
        let ascending = json!([{ "field": "pinned_at", "direction": 1 }]);
        assert_eq!(found(server, json!({ "sort": ascending, "limit": 3 })).await, ["m4", "m1", "m3"]);
        let page = json!({ "sort": { "pinned_at": -1 }, "limit": 1, "user_id": "joe" });
        assert_eq!(found(server, page).await, ["m0"]);
        let plain = server.raw("GET", PINNED).as_user("joe").send().await;
        assert_eq!(texts(&plain.body["messages"], "/id"), ["m0", "m3", "m1", "m4"]);
        assert_eq!(plain.body["messages"][0]["pinned_by"]["id"], "jane");
        assert_eq!(plain.body["messages"][0]["cid"], "messaging:general");
    }

    async fn pinned_messages_are_paged_from_a_message_or_a_moment(server: TestServer) {
        pins(server).await;
        let all = get_ok(server, PINNED, &json!({})).await;
        let then = &all["messages"][2]["pinned_at"];
        let cases: &[(Value, &[&str])] = &[
            (json!({ "id_lt": "m3" }), &["m1", "m4"]),
            (json!({ "id_lte": "m3", "limit": 2 }), &["m3", "m1"]),
            (json!({ "id_gt": "m4", "limit": 2 }), &["m3", "m1"]),
            (json!({ "id_gte": "m1" }), &["m0", "m3", "m1"]),
            (json!({ "id_around": "m3", "limit": 2 }), &["m3", "m1"]),
            (json!({ "pinned_at_before": then }), &["m4"]),
            (json!({ "pinned_at_before_or_equal": then }), &["m1", "m4"]),
            (json!({ "pinned_at_after": then }), &["m0", "m3"]),
            (json!({ "pinned_at_after_or_equal": then }), &["m0", "m3", "m1"]),
            (json!({ "pinned_at_around": then, "limit": 3 }), &["m3", "m1", "m4"]),
            (json!({ "id_gt": "m4", "sort": [{ "field": "pinned_at" }] }), &["m1", "m3", "m0"]),
        ];
        for (payload, expected) in cases {
            assert_eq!(found(server, payload.clone()).await, *expected, "{payload}");
        }
    }

    async fn a_page_of_pins_is_checked(server: TestServer) {
        pins(server).await;
        for (payload, text) in [
            (json!({ "id_lt": "m2" }), "m2"),
            (json!({ "id_lt": "nothing" }), "nothing"),
            (json!({ "id_lt": "m1", "pinned_at_after": "2020-01-01T00:00:00Z" }), "cannot be used together"),
            (json!({ "limit": 301 }), "limit must be 300 or less"),
            (json!({ "sort": [{ "field": "created_at" }] }), "sort"),
            (json!({ "user_id": "nobody" }), "nobody"),
        ] {
            get(server, PINNED, &payload).await.expect_error(400, 4, text);
        }
        let elsewhere = "/channels/messaging/nothing/pinned_messages";
        get(server, elsewhere, &json!({})).await.expect_error(404, 16, "nothing");
        server.users(&["eve"]).await;
        server.raw("GET", PINNED).as_user("eve").send().await.expect_error(403, 17, "ReadChannel");
    }

    async fn pins_that_ended_and_messages_that_went_are_not_listed(server: TestServer) {
        pins(server).await;
        pin(server, "m5", json!("2100-01-01T00:00:00Z")).await;
        assert_eq!(found(server, json!({ "limit": 1 })).await, ["m5"]);
        let unpin = json!({ "set": { "pinned": false }, "user_id": "jane" });
        server.raw("PUT", "/api/v2/chat/messages/m5").json(&unpin).send().await;
        assert_eq!(delete(server, "/messages/m3", &[]).await.status, 200);
        assert_eq!(found(server, json!({})).await, ["m0", "m1", "m4"]);
        // Pinned again it is the newest.
        pin(server, "m5", Value::Null).await;
        assert_eq!(found(server, json!({})).await, ["m5", "m0", "m1", "m4"]);
        // Who joined without the history is not shown what was pinned before.
        server.users(&["eve"]).await;
        post_ok(server, GENERAL, &json!({ "add_members": ["eve"], "hide_history": true })).await;
        sent(server, "general", json!({ "id": "new", "user_id": "jane", "text": "hello" })).await;
        pin(server, "new", Value::Null).await;
        assert_eq!(found(server, json!({ "user_id": "eve" })).await, ["new"]);
        let eve = server.raw("GET", PINNED).as_user("eve").query("payload", r#"{"id_lt":"m0"}"#).send().await;
        eve.expect_error(400, 4, "m0");
        post_ok(server, &format!("{GENERAL}/truncate"), &json!({})).await;
        assert_eq!(found(server, json!({})).await, [""; 0]);
        patch_ok(server, GENERAL, &json!({ "set": { "disabled": true } })).await;
        server.raw("GET", PINNED).as_user("joe").send().await.expect_error(403, 17, "");
    }
}
