use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Value, json};

use crate::chat::{delete, get, ids, jane_and_joe, message, ok, send, sent, state, update_channel};

/// A reply by joe.
fn reply(id: &str, parent_id: &str) -> Value {
    json!({ "id": id, "user_id": "joe", "text": id, "parent_id": parent_id })
}

/// A message p by jane with replies r0 to r(count - 1) by joe.
async fn thread(server: &TestServer, count: usize) {
    jane_and_joe(server).await;
    server.send("general", "jane", "p", "parent").await;
    for number in 0..count {
        sent(server, "general", reply(&format!("r{number}"), "p")).await;
    }
}

/// A page of the replies to p.
async fn page(server: &TestServer, query: &[(&str, &str)]) -> Vec<String> {
    let found = ok(get(server, "/messages/p/replies", query).await);
    ids(&found["messages"]).into_iter().map(str::to_owned).collect()
}

both_databases! {
    async fn a_reply_is_of_its_own_type_and_names_its_parent(server: TestServer) {
        thread(server, 0).await;
        let sent = sent(server, "general", reply("r0", "p")).await;
        assert_eq!((&sent["type"], &sent["parent_id"]), (&json!("reply"), &json!("p")));
        assert_eq!(page(server, &[]).await, ["r0"]);
    }

    async fn a_parent_counts_its_replies_and_who_takes_part(server: TestServer) {
        thread(server, 2).await;
        sent(server, "general", json!({ "user_id": "jane", "text": "own", "parent_id": "p" })).await;
        let parent = message(server, "p").await;
        assert_eq!(parent["reply_count"], 3);
        let mut participants = ids(&parent["thread_participants"]);
        participants.sort_unstable();
        assert_eq!(participants, ["jane", "joe"]);
        assert_eq!(state(server, "general").await["messages"][0]["reply_count"], 3);
    }

    async fn silent_replies_count_too(server: TestServer) {
        thread(server, 1).await;
        let mut silent = reply("r1", "p");
        silent["silent"] = json!(true);
        sent(server, "general", silent).await;
        assert_eq!(message(server, "p").await["reply_count"], 2);
    }

    async fn a_parent_must_be_there_and_in_the_same_channel(server: TestServer) {
        thread(server, 0).await;
        server.channel("other", &["jane", "joe"]).await;
        server.send("other", "jane", "elsewhere", "a").await;
        for parent in ["nothing", "elsewhere"] {
            send(server, "general", reply("r0", parent)).await.expect_error(400, 4, parent);
        }
        assert_eq!(message(server, "elsewhere").await["reply_count"], 0);
    }

    async fn a_reply_cannot_be_replied_to(server: TestServer) {
        thread(server, 1).await;
        let nested = send(server, "general", reply("r1", "r0")).await;
        assert_eq!((nested.status, nested.code()), (400, 21), "{}", nested.text);
    }

    async fn replies_can_be_switched_off(server: TestServer) {
        thread(server, 1).await;
        let off = json!({ "data": { "config_overrides": { "replies": false } }, "user_id": "jane" });
        update_channel(server, "general", off).await;
        let refused = send(server, "general", reply("r1", "p")).await;
        assert_eq!((refused.status, refused.code()), (400, 19), "{}", refused.text);
        assert_eq!(message(server, "p").await["reply_count"], 1);
    }

    async fn replies_stand_in_the_channel_only_when_shown_there(server: TestServer) {
        thread(server, 1).await;
        let mut shown = reply("shown", "p");
        shown["show_in_channel"] = json!(true);
        assert_eq!(sent(server, "general", shown).await["show_in_channel"], true);
        assert_eq!(ids(&state(server, "general").await["messages"]), ["p", "shown"]);
        assert_eq!(page(server, &[]).await, ["r0", "shown"]);
    }

    async fn a_hidden_reply_does_not_move_the_channel(server: TestServer) {
        thread(server, 0).await;
        let before = state(server, "general").await["channel"]["last_message_at"].clone();
        sent(server, "general", reply("r0", "p")).await;
        assert_eq!(state(server, "general").await["channel"]["last_message_at"], before);
    }

    async fn a_soft_deleted_reply_moves_from_one_count_to_the_other(server: TestServer) {
        thread(server, 2).await;
        ok(delete(server, "/messages/r0", &[]).await);
        let parent = message(server, "p").await;
        assert_eq!((&parent["reply_count"], &parent["deleted_reply_count"]), (&json!(1), &json!(1)));
        ok(delete(server, "/messages/r0", &[]).await);
        let parent = message(server, "p").await;
        assert_eq!((&parent["reply_count"], &parent["deleted_reply_count"]), (&json!(1), &json!(1)));
    }

    async fn a_hard_deleted_reply_is_not_listed(server: TestServer) {
        thread(server, 2).await;
        ok(delete(server, "/messages/r0", &[("hard", "true")]).await);
        assert_eq!(page(server, &[]).await, ["r1"]);
        let parent = message(server, "p").await;
        assert_eq!((&parent["reply_count"], &parent["deleted_reply_count"]), (&json!(1), &json!(1)));
    }

    async fn those_mentioned_in_a_reply_take_part(server: TestServer) {
        thread(server, 0).await;
        server.users(&["eve"]).await;
        let mut mentioning = reply("r0", "p");
        mentioning["mentioned_users"] = json!(["eve"]);
        sent(server, "general", mentioning).await;
        assert!(ids(&message(server, "p").await["thread_participants"]).contains(&"eve"));
    }

    async fn racing_replies_are_all_counted(server: TestServer) {
        thread(server, 0).await;
        let mut racing = tokio::task::JoinSet::new();
        for number in 0..20 {
            let request = server.raw("POST", "/api/v2/chat/channels/messaging/general/message");
            let body = json!({ "message": reply(&format!("r{number}"), "p") });
            racing.spawn(async move { request.json(&body).send().await.status });
        }
        assert_eq!(racing.join_all().await, [201; 20]);
        assert_eq!(message(server, "p").await["reply_count"], 20);
        assert_eq!(page(server, &[]).await.len(), 20);
    }

    async fn pages_of_replies_are_oldest_first(server: TestServer) {
        thread(server, 6).await;
        assert_eq!(page(server, &[]).await, ["r0", "r1", "r2", "r3", "r4", "r5"]);
        assert_eq!(page(server, &[("id_lt", "r3"), ("limit", "2")]).await, ["r1", "r2"]);
        assert_eq!(page(server, &[("id_lte", "r3"), ("limit", "2")]).await, ["r2", "r3"]);
        assert_eq!(page(server, &[("id_gt", "r3"), ("limit", "2")]).await, ["r4", "r5"]);
        assert_eq!(page(server, &[("id_gte", "r3"), ("limit", "2")]).await, ["r3", "r4"]);
        assert_eq!(page(server, &[("id_around", "r3"), ("limit", "3")]).await, ["r2", "r3", "r4"]);
    }

    async fn replies_are_sorted_by_their_time_only(server: TestServer) {
        thread(server, 3).await;
        let newest_first = [("sort", r#"[{"field":"created_at","direction":-1}]"#)];
        assert_eq!(page(server, &newest_first).await, ["r2", "r1", "r0"]);
        let oldest_first = [("sort", r#"[{"field":"created_at","direction":1}]"#)];
        assert_eq!(page(server, &oldest_first).await, ["r0", "r1", "r2"]);
        for none in ["", "null", "[]"] {
            assert_eq!(page(server, &[("sort", none)]).await, ["r0", "r1", "r2"], "{none}");
        }
        let other = [("sort", r#"[{"field":"text","direction":1}]"#)];
        get(server, "/messages/p/replies", &other).await.expect_error(400, 4, "sort");
    }

    async fn pages_of_replies_are_limited(server: TestServer) {
        thread(server, 1).await;
        assert_eq!(page(server, &[("limit", "300")]).await, ["r0"]);
        for limit in ["301", "-1", "many"] {
            get(server, "/messages/p/replies", &[("limit", limit)]).await.expect_error(400, 4, "limit");
        }
        get(server, "/messages/p/replies", &[("id_lt", "nothing")]).await.expect_error(400, 4, "id_lt");
    }

    async fn replies_to_a_missing_message_are_not_found(server: TestServer) {
        get(server, "/messages/nothing/replies", &[]).await.expect_error(404, 16, "nothing");
    }

    async fn a_message_without_replies_has_none(server: TestServer) {
        thread(server, 0).await;
        assert_eq!(page(server, &[]).await, Vec::<String>::new());
        assert!(message(server, "p").await.get("thread_participants").is_none_or(|list| *list == json!([])));
    }
}
