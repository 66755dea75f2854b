//! What messages said before they were changed.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_client::filter::message_history;
use natterjack_client::protocol::messages::QueryMessageHistoryRequest;
use serde_json::{Value, json};

use crate::chat::{change, delete, jane_and_joe, ok, post, sent, update};

async fn query(server: &TestServer, body: Value) -> RawReply {
    post(server, "/messages/history", body).await
}

/// The history of m1, newest first.
async fn history(server: &TestServer) -> Vec<Value> {
    let found = ok(query(server, json!({ "filter": { "message_id": "m1" } })).await);
    found["message_history"].as_array().unwrap().clone()
}

fn texts(entries: &Value) -> Vec<&str> {
    entries["message_history"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect()
}

/// Changes m1, a while after whatever was before.
async fn edited(server: &TestServer, user_id: &str, set: Value) -> Value {
    server.advance(Duration::from_secs(10));
    ok(change(server, "m1", json!({ "user_id": user_id, "set": set })).await)["message"].clone()
}

/// A message m1 by jane, edited four times by joe: "0" to "4".
async fn edited_four_times(server: &TestServer) {
    jane_and_joe(server).await;
    server.send("general", "jane", "m1", "0").await;
    for text in ["1", "2", "3", "4"] {
        edited(server, "joe", json!({ "text": text })).await;
    }
}

both_databases! {
    async fn two_edits_leave_the_two_versions_before_them(server: TestServer) {
        jane_and_joe(server).await;
        let original = server.send("general", "jane", "m1", "original").await;
        assert!(history(server).await.is_empty());
        let first = edited(server, "joe", json!({ "text": "first" })).await;
        edited(server, "joe", json!({ "text": "second" })).await;
        let history = history(server).await;
        assert_eq!((&history[0]["text"], &history[1]["text"]), (&json!("first"), &json!("original")));
        assert_eq!(history.len(), 2);
        // Who wrote the version is named, not who replaced it.
        let editors = (&history[0]["message_updated_by_id"], &history[1]["message_updated_by_id"]);
        assert_eq!(editors, (&json!("joe"), &json!("jane")));
        assert_eq!(history[0]["message_updated_at"], first["updated_at"]);
        assert_eq!(history[1]["message_updated_at"], original.created_at.nanoseconds());
        assert_eq!((&history[0]["message_id"], &history[0]["is_deleted"]), (&json!("m1"), &json!(false)));
    }

    async fn version_1_names_who_ended_a_version(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "original").await;
        edited(server, "joe", json!({ "text": "first" })).await;
        edited(server, "jane", json!({ "text": "second" })).await;
        let seen = async |filter: Value| {
            let query = json!({ "filter": filter });
            let found = ok(server.raw("POST", "/messages/history").json(&query).send().await);
            let entries = found["message_history"].as_array().unwrap().clone();
            let seen = entries.iter().map(|one| (one["text"].clone(), one["message_updated_by_id"].clone()));
            seen.collect::<Vec<_>>()
        };
        let (first, original) = ((json!("first"), json!("jane")), (json!("original"), json!("joe")));
        assert_eq!(seen(json!({ "message_id": "m1" })).await, [first, original.clone()]);
        let by_joe = json!({ "message_id": "m1", "message_updated_by_id": "joe" });
        assert_eq!(seen(by_joe).await, [original]);
    }

    async fn what_was_brought_back_is_by_whoever_wrote_it(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "original").await;
        let written = edited(server, "joe", json!({ "text": "first" })).await;
        ok(delete(server, "/messages/m1", &[("deleted_by", "jane")]).await);
        ok(post(server, "/messages/m1/undelete", json!({ "undeleted_by": "jane" })).await);
        edited(server, "jane", json!({ "text": "second" })).await;
        let history = history(server).await;
        assert_eq!(history.len(), 3);
        for (version, is_deleted) in [(&history[0], false), (&history[1], true)] {
            assert_eq!((&version["text"], &version["is_deleted"]), (&json!("first"), &json!(is_deleted)));
            assert_eq!(version["message_updated_by_id"], "joe");
            assert_eq!(version["message_updated_at"], written["updated_at"]);
        }
        assert_eq!(history[2]["message_updated_by_id"], "jane");
    }

    async fn attachments_and_custom_data_make_versions_too(server: TestServer) {
        jane_and_joe(server).await;
        let message = json!({
            "id": "m1", "user_id": "jane", "text": "a", "attachments": [{ "type": "image" }],
            "custom": { "color": "red" }
        });
        sent(server, "general", message).await;
        edited(server, "jane", json!({ "attachments": [] })).await;
        edited(server, "jane", json!({ "color": "blue" })).await;
        ok(update(server, "m1", json!({ "user_id": "jane", "text": "b" })).await);
        let history = history(server).await;
        assert_eq!(history.len(), 3);
        assert_eq!(history[2]["attachments"][0]["type"], "image");
        assert_eq!((&history[1]["attachments"], &history[1]["custom"]["color"]), (&json!([]), &json!("red")));
        assert_eq!(history[0]["custom"], json!({ "color": "blue" }));
    }

    async fn what_changes_nothing_of_the_content_makes_no_version(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "same").await;
        edited(server, "joe", json!({ "pinned": true })).await;
        edited(server, "joe", json!({ "text": "same", "mentioned_users": ["joe"] })).await;
        ok(update(server, "m1", json!({ "user_id": "joe", "text": "same" })).await);
        let reaction = json!({ "reaction": { "type": "like", "user_id": "joe" } });
        ok(post(server, "/messages/m1/reaction", reaction).await);
        assert!(history(server).await.is_empty());
        edited(server, "joe", json!({ "text": "other" })).await;
        // The version is still jane's.
        assert_eq!(history(server).await[0]["message_updated_by_id"], "jane");
    }

    async fn a_soft_deletion_is_kept_and_a_hard_one_keeps_nothing(server: TestServer) {
        edited_four_times(server).await;
        ok(delete(server, "/messages/m1", &[("deleted_by", "jane")]).await);
        ok(delete(server, "/messages/m1", &[("deleted_by", "jane")]).await);
        let deleted = history(server).await;
        assert_eq!(deleted.len(), 5);
        assert_eq!((&deleted[0]["text"], &deleted[0]["is_deleted"]), (&json!("4"), &json!(true)));
        assert_eq!(deleted[0]["message_updated_by_id"], "joe");
        ok(post(server, "/messages/m1/undelete", json!({ "undeleted_by": "jane" })).await);
        assert_eq!(history(server).await, deleted);
        ok(delete(server, "/messages/m1", &[("hard", "true")]).await);
        assert!(history(server).await.is_empty());
    }

    async fn replies_that_go_with_their_parent_leave_no_history(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "parent", "parent").await;
        let reply = json!({ "id": "m1", "user_id": "joe", "text": "r", "parent_id": "parent" });
        sent(server, "general", reply).await;
        edited(server, "joe", json!({ "text": "edited" })).await;
        assert_eq!(history(server).await.len(), 1);
        ok(delete(server, "/messages/parent", &[("hard", "true")]).await);
        assert!(history(server).await.is_empty());
    }

    async fn a_channel_deleted_hard_leaves_no_history(server: TestServer) {
        edited_four_times(server).await;
        ok(delete(server, "/channels/messaging/general", &[("hard_delete", "true")]).await);
        assert!(history(server).await.is_empty());
    }

    async fn history_is_filtered(server: TestServer) {
        edited_four_times(server).await;
        server.send("general", "jane", "m2", "other").await;
        ok(change(server, "m2", json!({ "user_id": "jane", "set": { "color": "red" } })).await);
        ok(change(server, "m2", json!({ "user_id": "jane", "set": { "text": "changed" } })).await);
        let both = json!({ "message_id": { "$in": ["m1", "m2"] } });
        assert_eq!(texts(&ok(query(server, json!({ "filter": both })).await)).len(), 6);
        let by_jane = json!({ "message_id": { "$in": ["m1", "m2"] }, "message_updated_by_id": "jane" });
        let by_jane = ok(query(server, json!({ "filter": by_jane })).await);
        assert_eq!(texts(&by_jane), ["other", "other", "0"]);
        let red = ok(query(server, json!({ "filter": { "message_id": "m2", "color": "red" } })).await);
        assert_eq!(texts(&red), ["other"]);
        let early = json!({
            "message_id": { "$eq": "m1" }, "message_updated_at": { "$lt": "2026-01-02T03:04:20Z" }
        });
        assert_eq!(texts(&ok(query(server, json!({ "filter": early })).await)), ["1", "0"]);
        let none = ok(query(server, json!({ "filter": { "message_id": "nothing" } })).await);
        assert_eq!((&none["message_history"], none.get("next")), (&json!([]), None));
    }

    async fn history_comes_in_pages_both_ways(server: TestServer) {
        edited_four_times(server).await;
        let page = |more: Value| {
            let mut body = json!({ "filter": { "message_id": "m1" }, "limit": 2 });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let first = ok(query(server, page(json!({}))).await);
        assert_eq!((texts(&first), first.get("prev")), (vec!["3", "2"], None));
        let second = ok(query(server, page(json!({ "next": first["next"] }))).await);
        assert_eq!((texts(&second), second.get("next")), (vec!["1", "0"], None));
        // What comes meanwhile moves no page.
        edited(server, "jane", json!({ "text": "5" })).await;
        let back = ok(query(server, page(json!({ "prev": second["prev"] }))).await);
        assert_eq!(texts(&back), ["3", "2"]);
        let newest = ok(query(server, page(json!({ "prev": back["prev"] }))).await);
        assert_eq!((texts(&newest), newest.get("prev")), (vec!["4"], None));
        let ascending = json!({ "sort": [{ "field": "message_updated_at", "direction": 1 }] });
        let oldest = ok(query(server, page(ascending)).await);
        assert_eq!(texts(&oldest), ["0", "1"]);
        let request = QueryMessageHistoryRequest {
            filter: message_history::message_id().eq("m1").into(),
            limit: Some(1),
            ..Default::default()
        };
        let typed = server.client().chat().query_message_history(request).await.unwrap();
        assert_eq!(typed.message_history[0].text, "4");
    }

    async fn queries_of_history_are_checked(server: TestServer) {
        edited_four_times(server).await;
        let refused = async |body: Value, text: &str| query(server, body).await.expect_error(400, 4, text);
        refused(json!({}), "filter.message_id").await;
        refused(json!({ "filter": { "message_updated_by_id": "jane" } }), "filter.message_id").await;
        refused(json!({ "filter": { "$or": [{ "message_id": "m1" }, { "a": 1 }] } }), "filter.message_id").await;
        refused(json!({ "filter": { "message_id": { "$gt": "a" } } }), "$gt").await;
        let of_m1 = json!({ "message_id": "m1" });
        refused(json!({ "filter": of_m1, "limit": 101 }), "limit").await;
        refused(json!({ "filter": of_m1, "limit": -1 }), "limit").await;
        refused(json!({ "filter": of_m1, "sort": [{ "field": "text" }] }), "sort").await;
        refused(json!({ "filter": of_m1, "next": "x" }), "next").await;
        let first = ok(query(server, json!({ "filter": of_m1, "limit": 1 })).await);
        let both = json!({ "filter": of_m1, "next": first["next"], "prev": first["next"] });
        refused(both, "next and prev cannot be used together").await;
        let ascending = json!([{ "field": "message_updated_at", "direction": 1 }]);
        refused(json!({ "filter": of_m1, "next": first["next"], "sort": ascending }), "next").await;
        ok(query(server, json!({ "filter": of_m1, "limit": 100 })).await);
    }
}
