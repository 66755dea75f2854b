//! Tasks, and the deletion of many channels, which is one.

use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{get_ok, post, post_ok};
use crate::chat;

const DELETE: &str = "/api/v2/chat/channels/delete";

/// Waits until a task has ended, and answers it.
pub async fn ended(server: &TestServer, answer: &Value) -> Value {
    let path = format!("/api/v2/tasks/{}", answer["task_id"].as_str().unwrap());
    for _ in 0..500 {
        let task = get_ok(server, &path, &json!({})).await;
        if task["status"] == "completed" || task["status"] == "failed" {
            return task;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the task did not end");
}

both_databases! {
    async fn an_unknown_task_is_not_found(server: TestServer) {
        let reply = server.raw("GET", "/api/v2/tasks/nothing").send().await;
        reply.expect_error(404, 16, "Can't find task with id \"nothing\"");
        let export = server.raw("GET", "/export_channels/nothing").send().await;
        export.expect_error(404, 16, "Can't find task with id \"nothing\"");
    }

    async fn channels_are_deleted_at_once_and_stay_deleted(server: TestServer) {
        for hard in [false, true] {
            server.users(&["jane", "joe"]).await;
            server.channel("one", &["jane", "joe"]).await;
            server.channel("two", &["jane"]).await;
            server.send("one", "jane", &format!("m{hard}"), "hello").await;
            let body = json!({ "cids": ["messaging:one", "messaging:two"], "hard_delete": hard });
            let answer = post_ok(server, DELETE, &body).await;
            let expected = json!({ "messaging:one": { "status": "ok" }, "messaging:two": { "status": "ok" } });
            assert_eq!(answer["result"], expected);
            chat::get(server, "/channels/messaging/one", &[]).await.expect_error(404, 16, "messaging:one");
            let task = ended(server, &answer).await;
            assert_eq!((&task["status"], &task["result"]), (&json!("completed"), &expected));
            assert_eq!(task["task_id"], answer["task_id"]);
            chat::get(server, &format!("/messages/m{hard}"), &[]).await.expect_error(404, 16, "");
        }
    }

    async fn what_was_deleted_softly_goes_for_good_with_the_rest(server: TestServer) {
        server.users(&["jane"]).await;
        server.channel("one", &["jane"]).await;
        server.channel("two", &["jane"]).await;
        server.send("one", "jane", "m1", "hello").await;
        let one = json!({ "cids": ["messaging:one"] });
        ended(server, &post_ok(server, DELETE, &one).await).await;
        post(server, DELETE, &one).await.expect_error(404, 16, "messaging:one");
        let both = json!({ "cids": ["messaging:one", "messaging:two"], "hard_delete": true });
        let task = ended(server, &post_ok(server, DELETE, &both).await).await;
        assert_eq!(task["status"], "completed");
        server.channel("two", &["jane"]).await;
        server.send("two", "jane", "m1", "the id is free").await;
        post(server, DELETE, &json!({ "cids": ["messaging:one"], "hard_delete": true })).await
            .expect_error(404, 16, "messaging:one");
        server.check().await;
    }

    async fn one_bad_cid_deletes_nothing(server: TestServer) {
        server.users(&["jane"]).await;
        server.channel("one", &["jane"]).await;
        for (cids, status, code, text) in [
            (json!(["messaging:one", "messaging:none"]), 404, 16, "messaging:none"),
            (json!(["messaging:one", "nonsense"]), 400, 4, "cids"),
            (json!([]), 400, 4, "cids is a required field"),
            (json!(vec!["messaging:one"; 101]), 400, 4, "cids"),
        ] {
            post(server, DELETE, &json!({ "cids": cids })).await.expect_error(status, code, text);
        }
        chat::ok(chat::get(server, "/channels/messaging/one", &[]).await);
    }
}
