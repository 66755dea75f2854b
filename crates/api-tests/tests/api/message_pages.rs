//! Every way of paging through the messages of a channel.

use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Value, json};

use crate::chat::{get, ids, jane_and_joe, ok, post, rfc3339, send};

/// A channel with the messages m0 to m9; answers their times.
async fn ten_messages(server: &TestServer) -> Vec<Value> {
    jane_and_joe(server).await;
    let mut times = Vec::new();
    for number in 0..10 {
        let sent = server.send("general", "jane", &format!("m{number}"), "a").await;
        times.push(json!(sent.created_at.nanoseconds()));
    }
    times
}

/// The page of messages that get-or-create answers, as numbers.
async fn page(server: &TestServer, messages: Value) -> Vec<usize> {
    let body = json!({ "state": true, "messages": messages });
    numbers(&ok(post(server, "/channels/messaging/general/query", body).await))
}

/// The page of messages that a plain read answers, as numbers.
async fn read_page(server: &TestServer, query: &[(&str, &str)]) -> Vec<usize> {
    let query: Vec<_> = query.iter().copied().chain([("state", "true")]).collect();
    numbers(&ok(get(server, "/channels/messaging/general", &query).await))
}

fn numbers(state: &Value) -> Vec<usize> {
    ids(&state["messages"]).iter().map(|id| id[1..].parse().unwrap()).collect()
}

fn range(from: usize, to: usize) -> Vec<usize> {
    (from..=to).collect()
}

both_databases! {
    async fn without_a_pivot_the_newest_messages_come_oldest_first(server: TestServer) {
        ten_messages(server).await;
        assert_eq!(page(server, json!({ "limit": 3 })).await, range(7, 9));
        assert_eq!(page(server, json!({})).await, range(0, 9));
        assert_eq!(read_page(server, &[("messages_limit", "3")]).await, range(7, 9));
    }

    async fn an_offset_skips_messages_from_where_the_page_starts(server: TestServer) {
        ten_messages(server).await;
        assert_eq!(page(server, json!({ "limit": 3, "offset": 2 })).await, range(5, 7));
        assert_eq!(page(server, json!({ "limit": 3, "offset": 9 })).await, [0]);
        assert_eq!(page(server, json!({ "limit": 3, "offset": 20 })).await, Vec::<usize>::new());
        assert_eq!(page(server, json!({ "limit": 3, "offset": 1, "id_lt": "m5" })).await, range(1, 3));
        assert_eq!(page(server, json!({ "limit": 3, "offset": 1, "id_gt": "m5" })).await, range(7, 9));
        assert_eq!(page(server, json!({ "limit": 3, "offset": 0, "id_around": "m5" })).await, range(4, 6));
        for messages in [json!({ "offset": -1 }), json!({ "offset": 1001 }), json!({ "offset": 1, "id_around": "m5" })] {
            let body = json!({ "state": true, "messages": messages });
            post(server, "/channels/messaging/general/query", body).await.expect_error(400, 4, "messages.offset");
        }
    }

    async fn pages_before_a_message_end_at_it(server: TestServer) {
        ten_messages(server).await;
        assert_eq!(page(server, json!({ "id_lt": "m5", "limit": 3 })).await, range(2, 4));
        assert_eq!(page(server, json!({ "id_lte": "m5", "limit": 3 })).await, range(3, 5));
        assert_eq!(page(server, json!({ "id_lt": "m2", "limit": 5 })).await, range(0, 1));
        assert_eq!(page(server, json!({ "id_lt": "m0" })).await, Vec::<usize>::new());
        assert_eq!(page(server, json!({ "id_lte": "m0" })).await, [0]);
    }

    async fn pages_after_a_message_begin_at_it(server: TestServer) {
        ten_messages(server).await;
        assert_eq!(page(server, json!({ "id_gt": "m5", "limit": 3 })).await, range(6, 8));
        assert_eq!(page(server, json!({ "id_gte": "m5", "limit": 3 })).await, range(5, 7));
        assert_eq!(page(server, json!({ "id_gt": "m7", "limit": 5 })).await, range(8, 9));
        assert_eq!(page(server, json!({ "id_gt": "m9" })).await, Vec::<usize>::new());
        assert_eq!(page(server, json!({ "id_gte": "m9" })).await, [9]);
    }

    async fn pages_around_a_message_hold_it_and_both_sides(server: TestServer) {
        ten_messages(server).await;
        assert_eq!(page(server, json!({ "id_around": "m5", "limit": 5 })).await, range(3, 7));
        assert_eq!(page(server, json!({ "id_around": "m5", "limit": 1 })).await, [5]);
        let even = page(server, json!({ "id_around": "m5", "limit": 4 })).await;
        assert!(even == range(3, 6) || even == range(4, 7), "{even:?}");
    }

    async fn pages_around_an_end_still_hold_it(server: TestServer) {
        ten_messages(server).await;
        for (id, number) in [("m0", 0), ("m9", 9)] {
            let found = page(server, json!({ "id_around": id, "limit": 4 })).await;
            assert!(found.contains(&number) && found.len() >= 2 && found.len() <= 4, "{id}: {found:?}");
            assert!(found.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{found:?}");
        }
    }

    async fn a_plain_read_pages_by_id_too(server: TestServer) {
        ten_messages(server).await;
        let read = async |name, limit| read_page(server, &[(name, "m5"), ("messages_limit", limit)]).await;
        assert_eq!(read("messages_id_lt", "3").await, range(2, 4));
        assert_eq!(read("messages_id_lte", "3").await, range(3, 5));
        assert_eq!(read("messages_id_gt", "3").await, range(6, 8));
        assert_eq!(read("messages_id_gte", "3").await, range(5, 7));
        assert_eq!(read("messages_id_around", "3").await, range(4, 6));
    }

    async fn pages_by_time_begin_and_end_like_those_by_id(server: TestServer) {
        let times = ten_messages(server).await;
        let at = rfc3339(&times[5]);
        assert_eq!(page(server, json!({ "created_at_before": at, "limit": 3 })).await, range(2, 4));
        assert_eq!(page(server, json!({ "created_at_before_or_equal": at, "limit": 3 })).await, range(3, 5));
        assert_eq!(page(server, json!({ "created_at_after": at, "limit": 3 })).await, range(6, 8));
        assert_eq!(page(server, json!({ "created_at_after_or_equal": at, "limit": 3 })).await, range(5, 7));
        assert_eq!(page(server, json!({ "created_at_around": at, "limit": 3 })).await, range(4, 6));
    }

    async fn times_far_away_are_no_error(server: TestServer) {
        ten_messages(server).await;
        let (past, future) = ("1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z");
        assert_eq!(page(server, json!({ "created_at_before": past })).await, Vec::<usize>::new());
        assert_eq!(page(server, json!({ "created_at_after": past, "limit": 2 })).await, range(0, 1));
        assert_eq!(page(server, json!({ "created_at_after": future })).await, Vec::<usize>::new());
        assert_eq!(page(server, json!({ "created_at_before": future, "limit": 2 })).await, range(8, 9));
    }

    async fn paging_back_finds_every_message_once(server: TestServer) {
        ten_messages(server).await;
        let mut found = page(server, json!({ "limit": 3 })).await;
        while let Some(first) = found.first().filter(|first| **first > 0) {
            let earlier = page(server, json!({ "limit": 3, "id_lt": format!("m{first}") })).await;
            assert!(!earlier.is_empty());
            found.splice(0..0, earlier);
        }
        assert_eq!(found, range(0, 9));
    }

    async fn deleted_messages_keep_their_place_as_pivots(server: TestServer) {
        ten_messages(server).await;
        ok(crate::chat::delete(server, "/messages/m5", &[]).await);
        assert_eq!(page(server, json!({ "id_gt": "m5", "limit": 2 })).await, range(6, 7));
        assert_eq!(page(server, json!({ "id_around": "m5", "limit": 3 })).await, range(4, 6));
    }

    async fn an_unknown_pivot_is_refused(server: TestServer) {
        ten_messages(server).await;
        server.channel("other", &["jane"]).await;
        server.send("other", "jane", "elsewhere", "a").await;
        for pivot in ["id_lt", "id_lte", "id_gt", "id_gte", "id_around"] {
            for id in ["nothing", "elsewhere"] {
                let body = json!({ "state": true, "messages": { pivot: id } });
                let reply = post(server, "/channels/messaging/general/query", body).await;
                reply.expect_error(400, 4, pivot);
                let query = [("state", "true"), (&*format!("messages_{pivot}"), id)];
                get(server, "/channels/messaging/general", &query).await.expect_error(400, 4, pivot);
            }
        }
    }

    async fn what_is_no_longer_shown_is_no_pivot(server: TestServer) {
        ten_messages(server).await;
        let hide = json!({ "user_id": "joe", "clear_history": true });
        ok(post(server, "/channels/messaging/general/hide", hide).await);
        server.send("general", "jane", "m10", "a").await;
        let page_of = async |user_id: &str, messages: Value| {
            let request = server.raw("POST", "/api/v2/chat/channels/messaging/general/query").as_user(user_id);
            request.json(&json!({ "state": true, "messages": messages })).send().await
        };
        assert_eq!(numbers(&ok(page_of("jane", json!({ "id_gt": "m8" })).await)), [9, 10]);
        assert_eq!(numbers(&ok(page_of("joe", json!({ "id_gte": "m10" })).await)), [10]);
        page_of("joe", json!({ "id_gt": "m8" })).await.expect_error(400, 4, "id_gt");
        // Rows that are still to be removed are as little there as those that have been.
        ok(post(server, "/channels/messaging/general/truncate", json!({})).await);
        page_of("jane", json!({ "id_gt": "m8" })).await.expect_error(400, 4, "id_gt");
    }

    async fn only_one_pivot_is_allowed(server: TestServer) {
        ten_messages(server).await;
        let two = json!({ "id_lt": "m5", "created_at_after": "2026-01-01T00:00:00Z" });
        let body = json!({ "state": true, "messages": two });
        let reply = post(server, "/channels/messaging/general/query", body).await;
        reply.expect_error(400, 4, "id_lt");
    }

    async fn at_most_three_hundred_messages_come_at_once(server: TestServer) {
        ten_messages(server).await;
        assert_eq!(page(server, json!({ "limit": 300 })).await, range(0, 9));
        for limit in [301, -1, i64::MAX] {
            let body = json!({ "state": true, "messages": { "limit": limit } });
            let reply = post(server, "/channels/messaging/general/query", body).await;
            reply.expect_error(400, 4, "limit");
        }
        let query = [("state", "true"), ("messages_limit", "301")];
        get(server, "/channels/messaging/general", &query).await.expect_error(400, 4, "limit");
    }

    async fn replies_are_no_part_of_the_pages_unless_shown(server: TestServer) {
        ten_messages(server).await;
        let reply = |id: &str, shown: bool| {
            json!({ "id": id, "user_id": "joe", "text": "r", "parent_id": "m1", "show_in_channel": shown })
        };
        ok(send(server, "general", reply("m10", false)).await);
        ok(send(server, "general", reply("m11", true)).await);
        assert_eq!(page(server, json!({ "limit": 2 })).await, [9, 11]);
        assert_eq!(page(server, json!({ "id_lt": "m11", "limit": 2 })).await, [8, 9]);
        assert_eq!(page(server, json!({ "id_around": "m11", "limit": 3 })).await.last(), Some(&11));
    }

    async fn each_channel_of_a_query_shows_its_newest_messages(server: TestServer) {
        ten_messages(server).await;
        server.channel("other", &["jane"]).await;
        server.send("other", "jane", "m20", "a").await;
        let body = json!({
            "filter_conditions": { "type": "messaging" }, "sort": [{ "field": "cid" }], "message_limit": 2
        });
        let found = ok(post(server, "/channels", body).await);
        let pages: Vec<_> = found["channels"].as_array().unwrap().iter().map(numbers).collect();
        assert_eq!(pages.len(), 2);
        assert!(pages.contains(&vec![8, 9]) && pages.contains(&vec![20]), "{pages:?}");
    }
}
