//! Bringing deleted messages back.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_client::protocol::messages::UndeleteMessageRequest;
use natterjack_storage::{DatabaseUrl, Store};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::chat::{change, delete, get, ids, jane_and_joe, message, ok, post, sent, state, state_for};

async fn undelete(server: &TestServer, id: &str, body: Value) -> RawReply {
    post(server, &format!("/messages/{id}/undelete"), body).await
}

/// Undeletes a message, which has to be accepted.
async fn undeleted(server: &TestServer, id: &str) -> Value {
    ok(undelete(server, id, json!({ "undeleted_by": "jane" })).await)["message"].clone()
}

async fn softly_deleted(server: &TestServer, id: &str) {
    ok(delete(server, &format!("/messages/{id}"), &[]).await);
}

/// How many messages of the channel a member has not read.
async fn unread(server: &TestServer, user_id: &str) -> Value {
    let state = state_for(server, "general", user_id).await;
    let reads = state["read"].as_array().unwrap().clone();
    reads.iter().find(|read| read["user"]["id"] == user_id).unwrap()["unread_messages"].clone()
}

/// How many replies of threads a user has not read.
async fn unread_replies(server: &TestServer, user_id: &str) -> Value {
    ok(get(server, "/unread", &[("user_id", user_id)]).await)["total_unread_threads_count"].clone()
}

both_databases! {
    async fn an_undeleted_message_is_as_it_was(server: TestServer) {
        jane_and_joe(server).await;
        let message_sent = json!({
            "id": "m1", "user_id": "jane", "text": "back", "mentioned_users": ["joe"], "custom": { "a": 1 },
            "attachments": [{ "type": "image" }], "pinned": true
        });
        let before = sent(server, "general", message_sent).await;
        let reaction = json!({ "reaction": { "type": "like", "user_id": "joe" } });
        ok(post(server, "/messages/m1/reaction", reaction).await);
        softly_deleted(server, "m1").await;
        server.advance(Duration::from_secs(5));
        let request = UndeleteMessageRequest { undeleted_by: "joe".to_owned() };
        let reply = server.client().chat().undelete_message("m1", request).await.unwrap();
        assert_eq!((reply.message.kind.as_str(), reply.message.text.as_str()), ("regular", "back"));
        let read = message(server, "m1").await;
        for part in ["text", "html", "attachments", "custom", "mentioned_users", "created_at", "user"] {
            assert_eq!(read[part], before[part], "{part}");
        }
        assert!(read.get("deleted_at").is_none());
        assert_eq!(read["reaction_counts"], json!({ "like": 1 }));
        assert!(read["updated_at"].as_i64() > before["updated_at"].as_i64());
        // Deleting unpinned it.
        assert_eq!(read["pinned"], false);
        assert_eq!(state(server, "general").await["messages"][0]["text"], "back");
    }

    async fn an_undeleted_message_counts_again(server: TestServer) {
        jane_and_joe(server).await;
        for id in ["m1", "m2"] {
            server.send("general", "jane", id, id).await;
        }
        softly_deleted(server, "m1").await;
        assert_eq!((unread(server, "joe").await, unread(server, "jane").await), (json!(1), json!(0)));
        undeleted(server, "m1").await;
        assert_eq!((unread(server, "joe").await, unread(server, "jane").await), (json!(2), json!(0)));
        let channel = state(server, "general").await["channel"].clone();
        assert_eq!(channel["message_count"], 2);
        ok(post(server, "/channels/messaging/general/read", json!({ "user_id": "joe" })).await);
        softly_deleted(server, "m1").await;
        undeleted(server, "m1").await;
        assert_eq!(unread(server, "joe").await, 0);
    }

    async fn an_own_unread_message_does_not_count_for_its_author(server: TestServer) {
        jane_and_joe(server).await;
        for (id, user_id) in [("m1", "joe"), ("m2", "jane"), ("m3", "joe")] {
            server.send("general", user_id, id, id).await;
        }
        // Jane has read m1 only, and so not her own m2.
        let read = json!({ "user_id": "jane", "message_id": "m1" });
        ok(post(server, "/channels/messaging/general/read", read).await);
        assert_eq!(unread(server, "jane").await, 1);
        softly_deleted(server, "m2").await;
        assert_eq!(unread(server, "jane").await, 1);
        undeleted(server, "m2").await;
        assert_eq!((unread(server, "jane").await, unread(server, "joe").await), (json!(1), json!(0)));
    }

    async fn a_restricted_message_counts_again_for_those_who_see_it(server: TestServer) {
        server.users(&["jane", "joe", "eve"]).await;
        server.channel("general", &["jane", "joe", "eve"]).await;
        let secret = json!({ "id": "m1", "user_id": "jane", "text": "a", "restricted_visibility": ["joe"] });
        sent(server, "general", secret).await;
        assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (json!(1), json!(0)));
        softly_deleted(server, "m1").await;
        assert_eq!(unread(server, "joe").await, 0);
        undeleted(server, "m1").await;
        assert_eq!((unread(server, "joe").await, unread(server, "eve").await), (json!(1), json!(0)));
    }

    async fn an_undeleted_reply_is_back_in_its_thread(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "parent").await;
        for id in ["r1", "r2"] {
            let reply = json!({ "id": id, "user_id": "joe", "text": id, "parent_id": "m1" });
            sent(server, "general", reply).await;
        }
        let before = unread_replies(server, "jane").await;
        softly_deleted(server, "r1").await;
        let parent = message(server, "m1").await;
        assert_eq!((&parent["reply_count"], &parent["deleted_reply_count"]), (&json!(1), &json!(1)));
        let reply = undeleted(server, "r1").await;
        assert_eq!((&reply["type"], &reply["parent_id"]), (&json!("reply"), &json!("m1")));
        let parent = message(server, "m1").await;
        assert_eq!((&parent["reply_count"], &parent["deleted_reply_count"]), (&json!(2), &json!(0)));
        assert_eq!(unread_replies(server, "jane").await, before);
        let replies = ok(get(server, "/messages/m1/replies", &[]).await);
        assert_eq!(ids(&replies["messages"]), ["r1", "r2"]);
        assert_eq!(replies["messages"][0]["text"], "r1");
    }

    async fn a_reply_does_not_come_back_before_its_parent(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "parent").await;
        let reply = json!({ "id": "r1", "user_id": "joe", "text": "r", "parent_id": "m1" });
        sent(server, "general", reply).await;
        for id in ["r1", "m1"] {
            softly_deleted(server, id).await;
        }
        let refused = undelete(server, "r1", json!({ "undeleted_by": "jane" })).await;
        refused.expect_error(400, 4, "deleted");
        undeleted(server, "m1").await;
        undeleted(server, "r1").await;
        assert_eq!(message(server, "m1").await["reply_count"], 1);
    }

    async fn only_what_is_softly_deleted_comes_back(server: TestServer) {
        jane_and_joe(server).await;
        for id in ["m1", "m2"] {
            server.send("general", "jane", id, id).await;
        }
        let by_jane = json!({ "undeleted_by": "jane" });
        undelete(server, "m1", by_jane.clone()).await.expect_error(400, 4, "not deleted");
        ok(delete(server, "/messages/m2", &[("hard", "true")]).await);
        undelete(server, "m2", by_jane.clone()).await.expect_error(404, 16, "m2");
        undelete(server, "nothing", by_jane.clone()).await.expect_error(404, 16, "nothing");
        softly_deleted(server, "m1").await;
        undeleted(server, "m1").await;
        undelete(server, "m1", by_jane.clone()).await.expect_error(400, 4, "not deleted");
        softly_deleted(server, "m1").await;
        ok(delete(server, "/channels/messaging/general", &[]).await);
        undelete(server, "m1", by_jane).await.expect_error(404, 16, "m1");
    }

    async fn who_undeletes_must_be_named_and_exist(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "a").await;
        softly_deleted(server, "m1").await;
        undelete(server, "m1", json!({})).await.expect_error(400, 4, "undeleted_by is a required field");
        undelete(server, "m1", json!({ "undeleted_by": "" })).await.expect_error(400, 4, "undeleted_by");
        undelete(server, "m1", json!({ "undeleted_by": "nobody" })).await.expect_error(400, 4, "undeleted_by");
        assert_eq!(message(server, "m1").await["type"], "deleted");
    }

    async fn an_undeleted_message_can_be_found_and_edited(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "zebra").await;
        let found = async || {
            let payload = json!({ "filter_conditions": { "type": "messaging" }, "query": "zebra" });
            let found = ok(get(server, "/search", &[("payload", &payload.to_string())]).await);
            found["results"].as_array().unwrap().len()
        };
        assert_eq!(found().await, 1);
        softly_deleted(server, "m1").await;
        assert_eq!(found().await, 0);
        undeleted(server, "m1").await;
        assert_eq!(found().await, 1);
        ok(change(server, "m1", json!({ "user_id": "jane", "set": { "text": "lion" } })).await);
        assert_eq!(found().await, 0);
    }

    async fn racing_undeletions_count_once(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "a").await;
        softly_deleted(server, "m1").await;
        let mut racing = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let request = server.raw("POST", "/api/v2/chat/messages/m1/undelete");
            racing.spawn(async move { request.json(&json!({ "undeleted_by": "jane" })).send().await.status });
        }
        let mut outcomes = racing.join_all().await;
        outcomes.sort_unstable();
        assert_eq!((outcomes[0], outcomes[1]), (201, 400));
        assert_eq!(state(server, "general").await["channel"]["message_count"], 1);
        assert_eq!(unread(server, "joe").await, 1);
    }
}

/// One step of a random program of three users in the channel general.
async fn random_step(server: &TestServer, random: &mut StdRng, number: usize) {
    let user_id = ["jane", "joe", "eve"][random.random_range(0..3)];
    let id = format!("m{}", random.random_range(0..number.max(1)));
    let path = format!("/messages/{id}");
    // Refusals are part of it: what is meant may be deleted, or not deleted, or gone.
    let status = match random.random_range(0..12) {
        0..4 => {
            let mut message = json!({ "id": format!("m{number}"), "user_id": user_id, "text": "a" });
            match random.random_range(0..6) {
                0 => message["silent"] = json!(true),
                1 => message["restricted_visibility"] = json!(["joe"]),
                2 => message["parent_id"] = json!(id),
                3 => {
                    message["parent_id"] = json!(id);
                    message["show_in_channel"] = json!(true);
                }
                _ => {}
            }
            crate::chat::send(server, "general", message).await.status
        }
        4..6 => delete(server, &path, &[("deleted_by", user_id)]).await.status,
        6 => delete(server, &path, &[("hard", "true")]).await.status,
        7..10 => undelete(server, &id, json!({ "undeleted_by": user_id })).await.status,
        10 => {
            change(server, &id, json!({ "user_id": user_id, "set": { "text": number.to_string() } }))
                .await
                .status
        }
        _ => {
            let read = json!({ "user_id": user_id, "message_id": id });
            post(server, "/channels/messaging/general/read", read).await.status
        }
    };
    assert!(status < 500);
}

#[test]
fn counters_hold_after_deletions_and_undeletions_in_any_order() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let cluster = natterjack_api_tests::postgres::shared().unwrap();
        let postgres = natterjack_api_tests::postgres::fresh_database(cluster).await.unwrap();
        let sqlite = DatabaseUrl::Sqlite(folder.path().join("natterjack.db"));
        for url in [sqlite, DatabaseUrl::Postgres(postgres.clone())] {
            let (running, server) = TestServer::start(&url).await;
            server.users(&["jane", "joe", "eve"]).await;
            server.channel("general", &["jane", "joe", "eve"]).await;
            let mut random = StdRng::seed_from_u64(7);
            for number in 0..300 {
                random_step(&server, &mut random, number).await;
            }
            let store = Store::open(&url).await.unwrap();
            let report = store.check(|_| ()).await.unwrap();
            assert!(report.is_clean(), "{url:?}: {:#?}", report.violations().collect::<Vec<_>>());
            store.close().await;
            drop(server);
            running.stop().await;
        }
        natterjack_api_tests::postgres::drop_database(&postgres).await.unwrap();
    });
}
