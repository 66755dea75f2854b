//! Deleting users and bringing them back.

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{get_ok, post, post_ok, texts};
use crate::chat::{self, jane_and_joe, message};
use crate::tasks::ended;

const USERS: &str = "/api/v2/users";

async fn delete(server: &TestServer, body: &Value) -> RawReply {
    post(server, "/api/v2/users/delete", body).await
}

async fn deleted(server: &TestServer, body: &Value) {
    let answer = post_ok(server, "/api/v2/users/delete", body).await;
    let task = ended(server, &answer).await;
    assert_eq!((&task["status"], &task["result"]["jane"]["status"]), (&json!("completed"), &json!("ok")));
}

async fn found(server: &TestServer) -> Vec<String> {
    let payload =
        json!({ "filter_conditions": {}, "sort": [{ "field": "id" }], "include_deactivated_users": true });
    texts(&get_ok(server, USERS, &payload).await["users"], "/id")
}

async fn restore(server: &TestServer, id: &str) -> RawReply {
    post(server, "/api/v2/users/restore", &json!({ "user_ids": [id] })).await
}

both_databases! {
    async fn a_soft_deletion_hides_the_user_and_can_be_undone(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "hello").await;
        post_ok(server, "/api/v2/users/delete", &json!({ "user_ids": ["jane"], "user": "soft" })).await;
        assert_eq!(found(server).await, ["joe"]);
        let again = json!({ "users": { "jane": { "id": "jane" } } });
        post(server, USERS, &again).await.expect_error(400, 4, "was deleted");
        let send = chat::send(server, "general", json!({ "user_id": "jane", "text": "hi" })).await;
        send.expect_error(400, 4, "was deleted");
        assert_eq!(message(server, "m1").await["type"], "regular");
        assert_eq!(restore(server, "jane").await.status, 201);
        assert_eq!(found(server).await, ["jane", "joe"]);
        restore(server, "jane").await.expect_error(400, 4, "jane");
        restore(server, "nobody").await.expect_error(400, 4, "nobody");
    }

    async fn pruning_empties_the_user_and_the_messages(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "hello").await;
        deleted(server, &json!({ "user_ids": ["jane"], "user": "pruning", "messages": "pruning" })).await;
        let path = "/messages/m1";
        let shown = chat::ok(chat::get(server, path, &[("show_deleted_message", "true")]).await);
        assert_eq!((&shown["message"]["type"], &shown["message"]["text"]), (&json!("deleted"), &json!("")));
        restore(server, "jane").await.expect_error(400, 4, "not soft");
    }

    async fn a_hard_deletion_leaves_nothing_of_the_user(server: TestServer) {
        server.users(&["jane", "joe", "ann"]).await;
        server.channel("pair", &["jane", "joe"]).await;
        server.channel("group", &["jane", "joe", "ann"]).await;
        server.send("group", "jane", "m1", "hello").await;
        server.send("group", "joe", "m2", "hello").await;
        for user_id in ["jane", "ann"] {
            let body = json!({ "reaction": { "type": "like", "user_id": user_id } });
            chat::ok(chat::post(server, "/messages/m2/reaction", body).await);
        }
        let body = json!({ "user_ids": ["jane"], "user": "hard", "messages": "hard", "conversations": "hard" });
        deleted(server, &body).await;
        chat::get(server, "/messages/m1", &[]).await.expect_error(404, 16, "");
        chat::get(server, "/channels/messaging/pair", &[]).await.expect_error(404, 16, "");
        assert_eq!(message(server, "m2").await["reaction_counts"], json!({ "like": 1 }));
        let group = chat::state(server, "group").await["channel"].clone();
        assert_eq!(group["member_count"], 2);
        assert!(group["created_by"]["id"].as_str().unwrap().starts_with("delete-user-"));
        server.users(&["jane"]).await;
        assert!(found(server).await.contains(&"jane".to_owned()));
    }

    async fn channels_go_to_the_owner_that_is_named(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["ann"]).await;
        server.channel("group", &["jane", "joe", "ann"]).await;
        deleted(server, &json!({ "user_ids": ["jane"], "user": "hard", "messages": "hard", "conversations": "hard",
            "new_channel_owner_id": "joe" })).await;
        assert_eq!(chat::state(server, "group").await["channel"]["created_by"]["id"], "joe");
    }

    async fn modes_that_do_not_fit_are_refused(server: TestServer) {
        server.users(&["jane"]).await;
        for (body, text) in [
            (json!({ "user_ids": ["jane"], "user": "hard" }), "messages"),
            (json!({ "user_ids": ["jane"], "user": "hard", "messages": "hard" }), "conversations"),
            (json!({ "user_ids": ["jane"], "user": "gone" }), "user"),
            (json!({ "user_ids": ["jane"], "conversations": "pruning" }), "conversations"),
            (json!({ "user_ids": ["jane", "nobody"] }), "nobody"),
            (json!({ "user_ids": [] }), "user_ids is a required field"),
            (json!({ "user_ids": ["jane"], "new_channel_owner_id": "jane" }), "new_channel_owner_id"),
        ] {
            delete(server, &body).await.expect_error(400, 4, text);
        }
        assert_eq!(found(server).await, ["jane"]);
    }
}
