//! Finding reactions by filter.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_client::filter::reactions;
use natterjack_client::protocol::reactions::QueryReactionsRequest;
use serde_json::{Value, json};

use crate::chat::{jane_and_joe, ok, post, sent, update_channel};

/// A message m1 to which joe and jane react with a, b and c, ten seconds apart: joe first.
async fn reacted(server: &TestServer) {
    jane_and_joe(server).await;
    server.send("general", "jane", "m1", "a").await;
    for kind in ["a", "b", "c"] {
        for user_id in ["joe", "jane"] {
            let body = json!({ "reaction": { "type": kind, "user_id": user_id, "score": 2 } });
            ok(post(server, "/messages/m1/reaction", body).await);
            server.advance(Duration::from_secs(10));
        }
    }
}

async fn query(server: &TestServer, body: Value) -> RawReply {
    post(server, "/messages/m1/reactions", body).await
}

/// Reactions as `user type`.
fn names(found: &Value) -> Vec<String> {
    let reactions = found["reactions"].as_array().unwrap().iter();
    reactions
        .map(|one| format!("{} {}", one["user_id"].as_str().unwrap(), one["type"].as_str().unwrap()))
        .collect()
}

async fn found(server: &TestServer, filter: Value) -> Vec<String> {
    names(&ok(query(server, json!({ "filter": filter })).await))
}

both_databases! {
    async fn reactions_are_found_whole_and_newest_first(server: TestServer) {
        reacted(server).await;
        let all = query(server, json!({})).await;
        assert_eq!(all.status, 201);
        assert_eq!(names(&all.body), ["jane c", "joe c", "jane b", "joe b", "jane a", "joe a"]);
        let reaction = &all.body["reactions"][0];
        assert_eq!((&reaction["message_id"], &reaction["score"]), (&json!("m1"), &json!(2)));
        assert_eq!(reaction["user"]["id"], "jane");
        assert!(all.body.get("next").is_none() && all.body.get("prev").is_none());
    }

    async fn reactions_are_filtered(server: TestServer) {
        reacted(server).await;
        assert_eq!(found(server, json!({ "type": "b" })).await, ["jane b", "joe b"]);
        assert_eq!(found(server, json!({ "user_id": { "$eq": "joe" } })).await, ["joe c", "joe b", "joe a"]);
        let both = json!({ "type": { "$in": ["a", "c"] }, "user_id": { "$in": ["jane", "nobody"] } });
        assert_eq!(found(server, both).await, ["jane c", "jane a"]);
        let late = json!({ "created_at": { "$gte": "2026-01-02T03:04:45Z" } });
        assert_eq!(found(server, late).await, ["jane c", "joe c"]);
        let request = QueryReactionsRequest {
            filter: reactions::kind().eq("a").and(reactions::user_id().eq("joe")).into(),
            ..Default::default()
        };
        let typed = server.client().chat().query_reactions("m1", request).await.unwrap();
        assert_eq!(typed.reactions.len(), 1);
    }

    async fn reactions_come_in_pages_both_ways(server: TestServer) {
        reacted(server).await;
        for (direction, expected) in [
            (-1, ["jane c", "joe c", "jane b", "joe b", "jane a", "joe a"]),
            (1, ["joe a", "jane a", "joe b", "jane b", "joe c", "jane c"]),
        ] {
            let page = async |next: &Value, prev: &Value| {
                let sort = json!([{ "field": "created_at", "direction": direction }]);
                let body = json!({ "limit": 4, "sort": sort, "next": next, "prev": prev });
                ok(query(server, body).await)
            };
            let first = page(&Value::Null, &Value::Null).await;
            assert_eq!(names(&first), expected[..4]);
            let second = page(&first["next"], &Value::Null).await;
            assert_eq!(names(&second), expected[4..]);
            let back = page(&Value::Null, &second["prev"]).await;
            assert_eq!(names(&back), expected[..4]);
            assert_eq!(back["next"], first["next"]);
            for (page, end) in [(&first, "prev"), (&second, "next"), (&back, "prev")] {
                assert!(page.get(end).is_none(), "{end}: {page}");
            }
        }
    }

    async fn a_page_has_a_hundred_reactions_at_most(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "a").await;
        for number in 0..101 {
            let body = json!({ "reaction": { "type": format!("t{number}"), "user_id": "joe" } });
            ok(post(server, "/messages/m1/reaction", body).await);
        }
        let page = ok(query(server, json!({ "limit": 100 })).await);
        assert_eq!(page["reactions"].as_array().unwrap().len(), 100);
        let rest = ok(query(server, json!({ "limit": 100, "next": page["next"] })).await);
        assert_eq!(names(&rest), ["joe t0"]);
        query(server, json!({ "limit": 101 })).await.expect_error(400, 4, "limit");
        query(server, json!({ "limit": -1 })).await.expect_error(400, 4, "limit");
    }

    async fn queries_of_reactions_are_checked(server: TestServer) {
        reacted(server).await;
        let refused = async |body: Value, text: &str| query(server, body).await.expect_error(400, 4, text);
        refused(json!({ "filter": { "score": 1 } }), "score").await;
        refused(json!({ "filter": { "type": { "$gt": "a" } } }), "$gt").await;
        refused(json!({ "filter": { "created_at": "yesterday" } }), "created_at").await;
        refused(json!({ "sort": [{ "field": "type" }] }), "type").await;
        refused(json!({ "next": "bm9uc2Vuc2U" }), "next").await;
        refused(json!({ "user_id": "nobody" }), "nobody").await;
        let first = ok(query(server, json!({ "limit": 1 })).await);
        let both = json!({ "next": first["next"], "prev": first["next"] });
        refused(both, "next and prev cannot be used together").await;
        let missing = post(server, "/messages/nothing/reactions", json!({})).await;
        missing.expect_error(404, 16, "nothing");
    }

    async fn reactions_that_are_off_are_not_found(server: TestServer) {
        reacted(server).await;
        let off = json!({ "data": { "config_overrides": { "reactions": false } }, "user_id": "jane" });
        update_channel(server, "general", off).await;
        let refused = query(server, json!({})).await;
        assert_eq!((refused.status, refused.code()), (400, 19), "{}", refused.text);
    }

    async fn who_may_not_see_a_message_does_not_see_its_reactions(server: TestServer) {
        server.users(&["jane", "joe", "eve"]).await;
        server.channel("general", &["jane", "joe", "eve"]).await;
        let secret = json!({ "id": "m1", "user_id": "jane", "text": "a", "restricted_visibility": ["joe"] });
        sent(server, "general", secret).await;
        for user_id in ["jane", "joe"] {
            ok(query(server, json!({ "user_id": user_id })).await);
        }
        query(server, json!({ "user_id": "eve" })).await.expect_error(404, 16, "m1");
        ok(query(server, json!({})).await);
    }
}
