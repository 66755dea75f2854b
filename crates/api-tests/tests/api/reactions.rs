use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::chat::{delete, get, jane_and_joe, message, ok, post, rfc3339, update_channel};

/// Reacts to m1.
async fn react(server: &TestServer, reaction: Value) -> RawReply {
    post(server, "/messages/m1/reaction", json!({ "reaction": reaction })).await
}

/// Reacts to m1 with nothing but a type; answers the message.
async fn like(server: &TestServer, user_id: &str, kind: &str) -> Value {
    ok(react(server, json!({ "type": kind, "user_id": user_id })).await)["message"].clone()
}

async fn message_by_jane(server: &TestServer) {
    jane_and_joe(server).await;
    server.send("general", "jane", "m1", "a").await;
}

/// The reactions to m1 as `user type`.
async fn listed(server: &TestServer, query: &[(&str, &str)]) -> Vec<String> {
    let found = ok(get(server, "/messages/m1/reactions", query).await);
    let reactions = found["reactions"].as_array().unwrap().iter();
    reactions
        .map(|reaction| {
            format!("{} {}", reaction["user_id"].as_str().unwrap(), reaction["type"].as_str().unwrap())
        })
        .collect()
}

both_databases! {
    async fn a_reaction_comes_back_with_its_message(server: TestServer) {
        message_by_jane(server).await;
        let custom = json!({ "emoji": "👍", "deep": [1, { "a": null }] });
        let given = json!({ "type": "like", "user_id": "joe", "custom": custom });
        let reply = react(server, given).await;
        assert_eq!(reply.status, 201);
        let reaction = &reply.body["reaction"];
        assert_eq!((&reaction["type"], &reaction["score"]), (&json!("like"), &json!(1)));
        assert_eq!((&reaction["user_id"], &reaction["user"]["id"]), (&json!("joe"), &json!("joe")));
        assert_eq!((&reaction["message_id"], &reaction["custom"]), (&json!("m1"), &custom));
        let message = &reply.body["message"];
        assert_eq!(message["reaction_counts"], json!({ "like": 1 }));
        assert_eq!(message["own_reactions"][0]["type"], "like");
        assert_eq!(message["latest_reactions"][0]["user"]["id"], "joe");
    }

    async fn reacting_again_replaces_score_and_custom_data(server: TestServer) {
        message_by_jane(server).await;
        let first = json!({ "type": "clap", "user_id": "joe", "score": 3, "custom": { "a": 1 } });
        ok(react(server, first).await);
        let again = json!({ "type": "clap", "user_id": "joe", "score": 5, "custom": { "b": 2 } });
        let again = ok(react(server, again).await);
        assert_eq!(again["reaction"]["custom"], json!({ "b": 2 }));
        let message = message(server, "m1").await;
        assert_eq!(message["reaction_counts"], json!({ "clap": 1 }));
        assert_eq!(message["reaction_scores"], json!({ "clap": 5 }));
        assert_eq!(listed(server, &[]).await, ["joe clap"]);
    }

    async fn counts_scores_and_groups_add_up(server: TestServer) {
        message_by_jane(server).await;
        ok(react(server, json!({ "type": "clap", "user_id": "joe", "score": 3 })).await);
        server.advance(Duration::from_secs(10));
        ok(react(server, json!({ "type": "clap", "user_id": "jane", "score": 4 })).await);
        like(server, "jane", "like").await;
        let message = message(server, "m1").await;
        assert_eq!(message["reaction_counts"], json!({ "clap": 2, "like": 1 }));
        assert_eq!(message["reaction_scores"], json!({ "clap": 7, "like": 1 }));
        let group = &message["reaction_groups"]["clap"];
        assert_eq!((&group["count"], &group["sum_scores"]), (&json!(2), &json!(7)));
        assert!(group["first_reaction_at"].as_i64().unwrap() < group["last_reaction_at"].as_i64().unwrap());
        let by = group["latest_reactions_by"].as_array().unwrap();
        let by: Vec<_> = by.iter().map(|one| one["user_id"].as_str().unwrap()).collect();
        assert_eq!(by, ["jane", "joe"]);
    }

    async fn a_unique_reaction_takes_the_others_back(server: TestServer) {
        message_by_jane(server).await;
        like(server, "joe", "like").await;
        like(server, "joe", "love").await;
        like(server, "jane", "like").await;
        let body = json!({ "reaction": { "type": "wow", "user_id": "joe" }, "enforce_unique": true });
        let unique = ok(post(server, "/messages/m1/reaction", body).await);
        assert_eq!(unique["message"]["reaction_counts"], json!({ "like": 1, "wow": 1 }));
        assert_eq!(unique["message"]["reaction_groups"].as_object().unwrap().len(), 2);
        assert_eq!(listed(server, &[]).await, ["joe wow", "jane like"]);
    }

    async fn a_reaction_taken_back_leaves_nothing(server: TestServer) {
        message_by_jane(server).await;
        like(server, "joe", "like").await;
        let taken = ok(delete(server, "/messages/m1/reaction/like", &[("user_id", "joe")]).await);
        assert_eq!(taken["reaction"]["type"], "like");
        for message in [&taken["message"], &message(server, "m1").await] {
            for map in ["reaction_counts", "reaction_scores", "reaction_groups"] {
                assert_eq!(message[map], json!({}), "{map}");
            }
            assert_eq!(message["latest_reactions"], json!([]));
        }
        assert_eq!(listed(server, &[]).await, Vec::<String>::new());
    }

    async fn the_types_of_reactions_to_a_message_are_bounded(server: TestServer) {
        message_by_jane(server).await;
        for number in 0..200 {
            like(server, "joe", &format!("type{number}")).await;
        }
        let refused = react(server, json!({ "type": "more", "user_id": "jane" })).await;
        refused.expect_error(400, 4, "reaction.type");
        like(server, "jane", "type7").await;
        let unique = json!({ "reaction": { "type": "more", "user_id": "joe" }, "enforce_unique": true });
        ok(post(server, "/messages/m1/reaction", unique).await);
        assert_eq!(message(server, "m1").await["reaction_counts"], json!({ "more": 1, "type7": 1 }));
    }

    async fn only_an_own_reaction_is_taken_back(server: TestServer) {
        message_by_jane(server).await;
        like(server, "joe", "like").await;
        let of_jane = delete(server, "/messages/m1/reaction/like", &[("user_id", "jane")]).await;
        assert_eq!((of_jane.status, of_jane.code()), (404, 16));
        let other = delete(server, "/messages/m1/reaction/love", &[("user_id", "joe")]).await;
        assert_eq!((other.status, other.code()), (404, 16));
        let nobody = delete(server, "/messages/m1/reaction/like", &[]).await;
        nobody.expect_error(400, 4, "either user or user_id must be provided when using server side auth.");
        assert_eq!(message(server, "m1").await["reaction_counts"], json!({ "like": 1 }));
    }

    async fn types_may_be_any_thirty_characters(server: TestServer) {
        message_by_jane(server).await;
        for kind in ["👍🏽", "a/b c?d#e", "50%", "ü".repeat(30).as_str()] {
            assert_eq!(like(server, "joe", kind).await["reaction_counts"][kind], 1, "{kind}");
        }
        let percent = delete(server, "/messages/m1/reaction/50%25", &[("user_id", "joe")]).await;
        assert_eq!(percent.status, 200, "{}", percent.text);
        let slashed = delete(server, "/messages/m1/reaction/a%2Fb%20c%3Fd%23e", &[("user_id", "joe")]).await;
        assert_eq!(slashed.status, 200, "{}", slashed.text);
        for kind in ["", &"x".repeat(31)] {
            let refused = react(server, json!({ "type": kind, "user_id": "joe" })).await;
            refused.expect_error(400, 4, "reaction.type");
        }
    }

    async fn custom_data_is_limited_to_one_kilobyte(server: TestServer) {
        message_by_jane(server).await;
        let sized = |size| json!({ "type": "like", "user_id": "joe", "custom": { "a": "x".repeat(size) } });
        react(server, sized(1024)).await.expect_error(413, 22, "custom");
        ok(react(server, sized(1000)).await);
    }

    async fn reactions_to_what_is_not_there_are_not_found(server: TestServer) {
        jane_and_joe(server).await;
        let body = json!({ "type": "like", "user_id": "joe" });
        react(server, body).await.expect_error(404, 16, "m1");
        get(server, "/messages/m1/reactions", &[]).await.expect_error(404, 16, "m1");
        let deleted = delete(server, "/messages/m1/reaction/like", &[("user_id", "joe")]).await;
        deleted.expect_error(404, 16, "m1");
    }

    async fn who_reacts_must_be_given_once_and_exist(server: TestServer) {
        message_by_jane(server).await;
        let text = "either reaction.user or reaction.user_id must be provided when using server side auth.";
        react(server, json!({ "type": "like" })).await.expect_error(400, 4, text);
        let both = json!({ "type": "like", "user_id": "joe", "user": { "id": "joe" } });
        let text = "cannot set both reaction.user and reaction.user_id.";
        react(server, both).await.expect_error(400, 4, text);
        react(server, json!({ "type": "like", "user_id": "nobody" })).await.expect_error(400, 4, "nobody");
        ok(react(server, json!({ "type": "like", "user": { "id": "new", "name": "New" } })).await);
        assert_eq!(listed(server, &[]).await, ["new like"]);
    }

    async fn reactions_can_be_switched_off(server: TestServer) {
        message_by_jane(server).await;
        let off = json!({ "data": { "config_overrides": { "reactions": false } }, "user_id": "jane" });
        update_channel(server, "general", off).await;
        let sent = react(server, json!({ "type": "like", "user_id": "joe" })).await;
        assert_eq!((sent.status, sent.code()), (400, 19), "{}", sent.text);
        let list = get(server, "/messages/m1/reactions", &[]).await;
        assert_eq!((list.status, list.code()), (400, 19), "{}", list.text);
    }

    async fn the_newest_reactions_come_first_in_pages(server: TestServer) {
        message_by_jane(server).await;
        for kind in ["a", "b", "c", "d"] {
            like(server, "joe", kind).await;
        }
        assert_eq!(listed(server, &[]).await, ["joe d", "joe c", "joe b", "joe a"]);
        assert_eq!(listed(server, &[("limit", "2"), ("offset", "1")]).await, ["joe c", "joe b"]);
        assert_eq!(listed(server, &[("offset", "4")]).await, Vec::<String>::new());
    }

    async fn pages_of_reactions_are_limited(server: TestServer) {
        message_by_jane(server).await;
        for (name, value) in [("limit", "301"), ("limit", "-1"), ("offset", "1001"), ("offset", "-1")] {
            get(server, "/messages/m1/reactions", &[(name, value)]).await.expect_error(400, 4, name);
        }
        for (name, value) in [("limit", "300"), ("offset", "1000")] {
            ok(get(server, "/messages/m1/reactions", &[(name, value)]).await);
        }
    }

    async fn a_message_shows_its_ten_newest_reactions(server: TestServer) {
        message_by_jane(server).await;
        for number in 0..12 {
            like(server, "joe", &format!("t{number}")).await;
        }
        let message = message(server, "m1").await;
        let latest = message["latest_reactions"].as_array().unwrap();
        assert_eq!(latest.len(), 10);
        assert_eq!((&latest[0]["type"], &latest[9]["type"]), (&json!("t11"), &json!("t2")));
        assert_eq!(message["reaction_counts"].as_object().unwrap().len(), 12);
    }

    async fn each_group_shows_its_own_ten_newest_users(server: TestServer) {
        message_by_jane(server).await;
        let ids: Vec<String> = (0..12).map(|number| format!("u{number}")).collect();
        server.users(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
        like(server, "joe", "first").await;
        for id in &ids {
            like(server, id, "like").await;
        }
        let shown = message(server, "m1").await;
        let by = |message: &Value, kind: &str| {
            let by = message["reaction_groups"][kind]["latest_reactions_by"].as_array().unwrap().clone();
            by.iter().map(|one| one["user"]["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let newest: Vec<String> = ids.iter().rev().take(10).cloned().collect();
        assert_eq!((by(&shown, "first"), by(&shown, "like")), (vec!["joe".to_owned()], newest));
        assert!(shown["reaction_groups"]["first"]["latest_reactions_by"][0]["user"]["created_at"].is_i64());
        ok(delete(server, "/messages/m1/reaction/like", &[("user_id", "u11")]).await);
        assert_eq!(by(&message(server, "m1").await, "like")[..2], ["u10", "u9"]);
    }

    async fn a_replaced_reaction_keeps_its_place(server: TestServer) {
        message_by_jane(server).await;
        let first = ok(react(server, json!({ "type": "clap", "user_id": "joe" })).await)["reaction"].clone();
        server.advance(Duration::from_secs(10));
        like(server, "jane", "clap").await;
        let again = json!({ "type": "clap", "user_id": "joe", "score": -4 });
        let again = ok(react(server, again).await)["reaction"].clone();
        assert_eq!(again["created_at"], first["created_at"]);
        assert!(again["updated_at"].as_i64() > first["updated_at"].as_i64());
        assert_eq!(listed(server, &[]).await, ["jane clap", "joe clap"]);
        assert_eq!(message(server, "m1").await["reaction_scores"]["clap"], -3);
    }

    async fn own_reactions_are_those_of_who_looks(server: TestServer) {
        message_by_jane(server).await;
        like(server, "joe", "like").await;
        let seen = async |user_id| {
            let state = crate::chat::state_for(server, "general", user_id).await;
            state["messages"][0]["own_reactions"].as_array().unwrap().len()
        };
        assert_eq!((seen("joe").await, seen("jane").await), (1, 0));
        assert_eq!(message(server, "m1").await["own_reactions"], json!([]));
    }

    async fn racing_reactions_are_all_counted(server: TestServer) {
        message_by_jane(server).await;
        let ids: Vec<String> = (0..20).map(|number| format!("u{number}")).collect();
        server.users(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let mut racing = tokio::task::JoinSet::new();
        for id in ids {
            let request = server.raw("POST", "/api/v2/chat/messages/m1/reaction");
            let body = json!({ "reaction": { "type": "like", "user_id": id, "score": 2 } });
            racing.spawn(async move { request.json(&body).send().await.status });
        }
        assert_eq!(racing.join_all().await, [201; 20]);
        let message = message(server, "m1").await;
        assert_eq!(message["reaction_counts"]["like"], 20);
        assert_eq!(message["reaction_scores"]["like"], 40);
    }

    async fn the_server_sets_the_time_of_a_reaction(server: TestServer) {
        message_by_jane(server).await;
        let dated = json!({ "type": "like", "user_id": "joe", "created_at": "2001-01-01T00:00:00Z" });
        let sent = ok(react(server, dated).await);
        assert!(rfc3339(&sent["reaction"]["created_at"]).starts_with("2026-01-02"));
    }
}
