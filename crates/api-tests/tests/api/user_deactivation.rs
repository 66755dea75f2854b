//! Deactivating users and taking that back.

use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{get_ok, post, post_ok, sorted};
use crate::chat::{self, jane_and_joe, message, state_for};
use crate::tasks::ended;

const USERS: &str = "/api/v2/users";

async fn found(server: &TestServer, include: bool) -> Vec<String> {
    let payload = json!({ "filter_conditions": {}, "include_deactivated_users": include });
    sorted(&get_ok(server, USERS, &payload).await["users"], "/id")
}

async fn deactivate(server: &TestServer, body: &Value) -> Value {
    post_ok(server, "/api/v2/users/jane/deactivate", body).await["user"].clone()
}

async fn reactivate(server: &TestServer, body: &Value) -> Value {
    post_ok(server, "/api/v2/users/jane/reactivate", body).await["user"].clone()
}

async fn is_deleted(server: &TestServer, id: &str) -> bool {
    message(server, id).await["type"] == "deleted"
}

both_databases! {
    async fn a_deactivated_user_cannot_act_and_is_left_out_of_queries(server: TestServer) {
        jane_and_joe(server).await;
        assert!(deactivate(server, &json!({ "created_by_id": "joe" })).await["deactivated_at"].is_i64());
        assert_eq!(found(server, false).await, ["joe"]);
        assert_eq!(found(server, true).await, ["jane", "joe"]);
        let refused = chat::send(server, "general", json!({ "user_id": "jane", "text": "hi" })).await;
        refused.expect_error(403, 17, "was deactivated");
        assert_eq!(state_for(server, "general", "joe").await["members"].as_array().unwrap().len(), 2);

        let user = reactivate(server, &json!({ "name": "Jane again" })).await;
        assert_eq!((user.get("deactivated_at"), &user["name"]), (None, &json!("Jane again")));
        assert_eq!(found(server, false).await, ["jane", "joe"]);
        server.send("general", "jane", "m1", "back").await;
    }

    async fn reactivation_restores_exactly_what_the_deactivation_deleted(server: TestServer) {
        jane_and_joe(server).await;
        for id in ["m1", "m2", "m3"] {
            server.send("general", "jane", id, "hello").await;
        }
        server.send("general", "joe", "other", "hello").await;
        chat::sent(server, "general", json!({ "id": "r1", "user_id": "jane", "text": "r", "parent_id": "other" })).await;
        server.send("general", "jane", "m4", "unread").await;
        chat::ok(chat::delete(server, "/messages/m2", &[]).await);
        deactivate(server, &json!({ "mark_messages_deleted": true })).await;
        for id in ["m1", "m2", "m3", "m4", "r1"] {
            assert!(is_deleted(server, id).await, "{id}");
        }
        assert!(!is_deleted(server, "other").await);
        assert_eq!(message(server, "other").await.get("reply_count"), Some(&json!(0)));
        let unread = |state: &Value| {
            let reads = state["read"].as_array().unwrap().clone();
            reads.into_iter().find(|read| read["user"]["id"] == "joe").unwrap()["unread_messages"].clone()
        };
        assert_eq!(unread(&state_for(server, "general", "joe").await), 0);
        reactivate(server, &json!({ "restore_messages": true })).await;
        for (id, deleted) in [("m1", false), ("m2", true), ("m3", false), ("m4", false), ("r1", false)] {
            assert_eq!(is_deleted(server, id).await, deleted, "{id}");
        }
        assert_eq!(message(server, "other").await["reply_count"], 1);
        assert_eq!(unread(&state_for(server, "general", "joe").await), 1);
    }

    async fn messages_of_an_earlier_deactivation_stay_deleted(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "hello").await;
        deactivate(server, &json!({ "mark_messages_deleted": true })).await;
        reactivate(server, &json!({})).await;
        server.advance(std::time::Duration::from_secs(1));
        deactivate(server, &json!({})).await;
        reactivate(server, &json!({ "restore_messages": true })).await;
        assert!(is_deleted(server, "m1").await);
    }

    async fn what_cannot_be_done_is_refused(server: TestServer) {
        server.users(&["jane"]).await;
        post(server, "/api/v2/users/jane/reactivate", &json!({})).await.expect_error(400, 4, "is not deactivated");
        for verb in ["deactivate", "reactivate"] {
            let path = format!("/api/v2/users/nobody/{verb}");
            post(server, &path, &json!({})).await.expect_error(404, 16, "nobody");
            let path = format!("/api/v2/users/{verb}");
            post(server, &path, &json!({ "user_ids": [] })).await.expect_error(400, 4, "user_ids is a required field");
            post(server, &path, &json!({ "user_ids": ["jane", "nobody"] })).await.expect_error(400, 4, "nobody");
            let by = json!({ "user_ids": ["jane"], "created_by_id": "nobody" });
            post(server, &path, &by).await.expect_error(400, 4, "created_by_id");
        }
    }

    async fn many_are_deactivated_and_reactivated_by_a_task(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "hello").await;
        let body = json!({ "user_ids": ["jane"], "mark_messages_deleted": true, "mark_channels_deleted": true });
        let task = ended(server, &post_ok(server, "/api/v2/users/deactivate", &body).await).await;
        assert_eq!(task["result"], json!({ "jane": { "status": "ok" } }));
        assert_eq!(found(server, false).await, ["joe"]);
        chat::get(server, "/channels/messaging/general", &[]).await.expect_error(404, 16, "");
        let body = json!({ "user_ids": ["jane", "joe"], "restore_messages": true, "restore_channels": true });
        let task = ended(server, &post_ok(server, "/api/v2/users/reactivate", &body).await).await;
        assert_eq!(task["status"], "completed");
        assert_eq!(task["result"]["jane"], json!({ "status": "ok" }));
        assert!(task["result"]["joe"]["error"].as_str().unwrap().contains("is not deactivated"));
        assert!(!is_deleted(server, "m1").await);
        let channel = chat::state(server, "general").await;
        assert_eq!(channel["channel"]["member_count"], 2);
    }
}
