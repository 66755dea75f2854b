//! Deleting users and bringing them back.

use natterjack_api_tests::{RawReply, TestServer, both_databases, postgres as cluster};
use natterjack_storage::{DatabaseUrl, NewTask, Store};
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

    async fn version_1_deletes_one_user_and_shows_who_it_was(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        for (id, query) in [("jane", "mark_messages_deleted"), ("joe", "hard_delete")] {
            let reply = server.raw("DELETE", &format!("/users/{id}")).query(query, "true").send().await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            assert_eq!(reply.body["user"]["id"], id);
            assert!(reply.body["user"]["deleted_at"].is_string(), "{}", reply.text);
            assert_eq!(ended(server, &reply.body).await["status"], "completed");
        }
        assert_eq!(found(server).await, Vec::<String>::new());
        server.raw("DELETE", "/users/nobody").send().await.expect_error(400, 4, "nobody");
    }

    async fn version_1_takes_what_is_not_said_of_a_hard_deletion_as_hard(server: TestServer) {
        jane_and_joe(server).await;
        let path = "/users/delete";
        let soft = json!({ "user_ids": ["jane"], "user": "hard", "messages": "soft", "conversations": null });
        post(server, path, &soft).await.expect_error(400, 4, "messages");
        post(server, path, &json!({ "user_ids": ["nobody"], "user": "hard" })).await.expect_error(400, 4, "nobody");
        let body = json!({ "user_ids": ["nobody", "jane"], "user": "hard", "messages": null, "conversations": null });
        let task = ended(server, &post_ok(server, path, &body).await).await;
        assert_eq!((&task["status"], &task["result"]["jane"]["status"]), (&json!("completed"), &json!("ok")));
        assert_eq!(found(server).await, ["joe"]);
        chat::get(server, "/channels/messaging/general", &[]).await.expect_error(404, 16, "general");
        server.check().await;
    }
}

/// A conversation with everything that is counted: replies, reactions, unread and restricted messages.
async fn talk(server: &TestServer) {
    server.users(&["jane", "joe", "ann"]).await;
    server.channel("pair", &["jane", "joe"]).await;
    server.channel("group", &["joe", "jane", "ann"]).await;
    server.channel("own", &["jane", "joe", "ann"]).await;
    for (channel, prefix) in [("pair", "p"), ("group", "g"), ("own", "o")] {
        for (number, author) in ["jane", "joe", "jane", "joe", "jane"].into_iter().enumerate() {
            server.send(channel, author, &format!("{prefix}{number}"), "hello").await;
        }
        let parents = [(0, "joe"), (1, "jane"), (1, "joe"), (0, "jane")];
        for (number, (parent, author)) in parents.into_iter().enumerate() {
            let reply = json!({ "id": format!("{prefix}r{number}"), "user_id": author, "text": "reply",
                "parent_id": format!("{prefix}{parent}"), "show_in_channel": number % 2 == 0 });
            chat::sent(server, channel, reply).await;
        }
        for author in ["jane", "joe"] {
            let readers = if author == "jane" { ["joe"] } else { ["jane"] };
            let secret = json!({ "user_id": author, "text": "secret", "restricted_visibility": readers });
            chat::sent(server, channel, secret).await;
            let body = json!({ "reaction": { "type": "like", "user_id": author } });
            chat::ok(chat::post(server, &format!("/messages/{prefix}1/reaction"), body).await);
        }
        let read = json!({ "user_id": "joe", "message_id": format!("{prefix}1") });
        chat::ok(chat::post(server, &format!("/channels/messaging/{channel}/read"), read).await);
    }
    chat::ok(chat::delete(server, "/messages/g2", &[]).await);
    chat::ok(chat::delete(server, "/messages/gr1", &[]).await);
}

/// Carries out what tasks do, and requires after each that what is stored agrees with itself.
async fn counters_agree_on(url: &DatabaseUrl) {
    let (running, server) = TestServer::start(url).await;
    let store = Store::open(url).await.unwrap();
    let check = async |after: &str| {
        let report = store.check(|_| ()).await.unwrap();
        let violations: Vec<_> = report.violations().collect();
        assert!(violations.is_empty(), "after {after}: {violations:#?}");
    };
    talk(&server).await;
    check("the talk").await;
    let everything =
        json!({ "user_ids": ["jane"], "mark_messages_deleted": true, "mark_channels_deleted": true });
    ended(&server, &post_ok(&server, "/api/v2/users/deactivate", &everything).await).await;
    check("deactivation").await;
    let back = json!({ "user_ids": ["jane"], "restore_messages": true, "restore_channels": true });
    ended(&server, &post_ok(&server, "/api/v2/users/reactivate", &back).await).await;
    check("reactivation").await;
    let one = json!({ "mark_messages_deleted": true });
    post_ok(&server, "/api/v2/users/joe/deactivate", &one).await;
    check("deactivation of another").await;
    post_ok(&server, "/api/v2/users/joe/reactivate", &json!({ "restore_messages": true })).await;
    check("reactivation of another").await;
    deleted(
        &server,
        &json!({ "user_ids": ["jane"], "user": "soft", "messages": "soft", "conversations": "soft" }),
    )
    .await;
    check("soft deletion").await;
    deleted(&server, &json!({ "user_ids": ["jane"], "user": "pruning", "messages": "pruning" })).await;
    check("pruning").await;
    deleted(
        &server,
        &json!({ "user_ids": ["jane"], "user": "hard", "messages": "hard", "conversations": "hard" }),
    )
    .await;
    check("hard deletion").await;
    let cids = json!({ "cids": ["messaging:group", "messaging:own"], "hard_delete": true });
    ended(&server, &post_ok(&server, "/api/v2/chat/channels/delete", &cids).await).await;
    check("deletion of channels").await;
    drop(server);
    running.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_agree_after_every_step_of_a_users_life() {
    let folder = tempfile::tempdir().unwrap();
    counters_agree_on(&DatabaseUrl::Sqlite(folder.path().join("natterjack.db"))).await;
    let shared = cluster::shared().unwrap();
    let url = cluster::fresh_database(shared).await.unwrap();
    counters_agree_on(&DatabaseUrl::Postgres(url.clone())).await;
    cluster::drop_database(&url).await.unwrap();
}

/// A task is stored as held by a process that is gone; the server takes it up once its lease has run out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_a_crash_left_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("natterjack.db"));
    let (running, server) = TestServer::start(&url).await;
    server.users(&["jane"]).await;
    let payload = json!({ "deactivate_users": {
        "user_ids": ["jane"], "created_by_id": null, "messages": true, "channels": false
    } });
    let task = NewTask {
        id: "left".to_owned(),
        app_pk: 1,
        kind: "deactivate_users",
        payload: payload.to_string(),
        progress: None,
    };
    let store = Store::open(&url).await.unwrap();
    let held_until = natterjack_client::protocol::Timestamp::parse_rfc3339("2026-01-02T03:05:05Z").unwrap();
    store
        .write("test", (task, held_until), |tx, (task, until)| {
            Box::pin(async move { tx.insert_task(task, Some(*until), *until).await.map(|_| ()) })
        })
        .await
        .map_err(|error: natterjack_storage::Error| error)
        .unwrap();
    let task = get_ok(&server, "/api/v2/tasks/left", &json!({})).await;
    assert_eq!(task["status"], "running");
    assert_eq!(found(&server).await, ["jane"]);
    server.advance(std::time::Duration::from_secs(61));
    let task = ended(&server, &json!({ "task_id": "left" })).await;
    assert_eq!(task["result"], json!({ "jane": { "status": "ok" } }));
    drop(server);
    running.stop().await;
    store.close().await;
}
