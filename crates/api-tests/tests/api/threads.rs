//! Threads: finding, reading and naming them.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::chat::{delete, get, ids, jane_and_joe, ok, post, sent, update_channel};

async fn reply(server: &TestServer, parent: &str, user_id: &str, id: &str) {
    server.advance(Duration::from_secs(1));
    sent(server, "general", json!({ "id": id, "user_id": user_id, "text": "r", "parent_id": parent })).await;
}

async fn query(server: &TestServer, request: Value) -> RawReply {
    post(server, "/threads", request).await
}

/// The threads that a query finds, by their parents.
async fn found(server: &TestServer, request: Value) -> Vec<String> {
    parents(&ok(query(server, request).await))
}

fn parents(answer: &Value) -> Vec<String> {
    let threads = answer["threads"].as_array().unwrap().iter();
    threads.map(|thread| thread["parent_message_id"].as_str().unwrap().to_owned()).collect()
}

async fn thread(server: &TestServer, id: &str) -> Value {
    ok(get(server, &format!("/threads/{id}"), &[]).await)["thread"].clone()
}

async fn patch(server: &TestServer, id: &str, request: Value) -> RawReply {
    server.raw("PATCH", &format!("/api/v2/chat/threads/{id}")).json(&request).send().await
}

async fn read_thread(server: &TestServer, user_id: &str, id: &str) {
    let request = json!({ "user_id": user_id, "thread_id": id });
    ok(post(server, "/channels/messaging/general/read", request).await);
}

/// Messages m0 to m4 by jane, each with a reply by joe, in this order.
async fn five_threads(server: &TestServer) {
    jane_and_joe(server).await;
    for number in 0..5 {
        server.send("general", "jane", &format!("m{number}"), "a").await;
    }
    for number in 0..5 {
        reply(server, &format!("m{number}"), "joe", &format!("r{number}")).await;
    }
}

both_databases! {
    async fn a_thread_shows_everything_about_it(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["eve"]).await;
        server.send("general", "jane", "m0", "parent").await;
        reply(server, "m0", "joe", "r0").await;
        let mention = json!({
            "id": "r1", "user_id": "jane", "text": "r", "parent_id": "m0", "mentioned_users": ["eve"]
        });
        sent(server, "general", mention).await;
        reply(server, "m0", "joe", "r2").await;
        let shown = thread(server, "m0").await;
        assert_eq!((&shown["parent_message_id"], &shown["channel_cid"]), (&json!("m0"), &json!("messaging:general")));
        assert_eq!((&shown["title"], &shown["custom"]), (&json!("parent"), &json!({})));
        assert_eq!((&shown["created_by_user_id"], &shown["created_by"]["id"]), (&json!("joe"), &json!("joe")));
        assert_eq!((&shown["reply_count"], &shown["participant_count"]), (&json!(3), &json!(3)));
        assert_eq!(shown["active_participant_count"], 3);
        assert_eq!(ids(&shown["latest_replies"]), ["r1", "r2"]);
        assert_eq!(shown["last_message_at"], shown["latest_replies"][1]["created_at"]);
        assert_eq!((&shown["parent_message"]["id"], &shown["parent_message"]["text"]), (&json!("m0"), &json!("parent")));
        assert_eq!((&shown["channel"]["cid"], shown["channel"]["members"].as_array().unwrap().len()), (&json!("messaging:general"), 2));
        let participants = shown["thread_participants"].as_array().unwrap();
        let mut names: Vec<_> = participants.iter().map(|one| one["user_id"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["eve", "jane", "joe"]);
        for participant in participants {
            assert_eq!(participant["channel_cid"], "messaging:general");
            assert_eq!(participant["user"]["id"], participant["user_id"]);
            assert!(participant["created_at"].is_i64() && participant["last_read_at"].is_i64());
            assert_eq!(participant.get("last_thread_message_at").is_some(), participant["user_id"] != "eve");
        }
        let reads = shown["read"].as_array().unwrap().iter();
        let mut unread: Vec<_> = reads
            .map(|read| (read["user"]["id"].as_str().unwrap(), read["unread_messages"].as_i64().unwrap()))
            .collect();
        unread.sort_unstable();
        assert_eq!(unread, [("eve", 2), ("jane", 1), ("joe", 0)]);
    }

    async fn a_message_without_replies_has_no_thread(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m0", "a").await;
        get(server, "/threads/m0", &[]).await.expect_error(404, 16, "m0");
        get(server, "/threads/nothing", &[]).await.expect_error(404, 16, "nothing");
        let change = json!({ "set": { "title": "t" } });
        patch(server, "m0", change.clone()).await.expect_error(404, 16, "m0");
        patch(server, "nothing", change).await.expect_error(404, 16, "nothing");
        reply(server, "m0", "joe", "r0").await;
        ok(delete(server, "/messages/m0", &[("hard", "true")]).await);
        get(server, "/threads/m0", &[]).await.expect_error(404, 16, "m0");
        assert!(found(server, json!({ "user_id": "joe" })).await.is_empty());
    }

    async fn what_is_shown_of_a_thread_is_limited(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m0", "a").await;
        for number in 0..4 {
            reply(server, "m0", if number % 2 == 0 { "joe" } else { "jane" }, &format!("r{number}")).await;
        }
        let limits = [("reply_limit", "3"), ("participant_limit", "1"), ("member_limit", "1")];
        let shown = ok(get(server, "/threads/m0", &limits).await)["thread"].clone();
        assert_eq!(ids(&shown["latest_replies"]), ["r1", "r2", "r3"]);
        assert_eq!(shown["thread_participants"].as_array().unwrap().len(), 1);
        assert_eq!((&shown["participant_count"], shown["channel"]["members"].as_array().unwrap().len()), (&json!(2), 1));
        for (name, above, text) in [
            ("reply_limit", 11, "reply_limit must be 10 or less"),
            ("participant_limit", 101, "participant_limit must be 100 or less"),
            ("member_limit", 101, "member_limit must be 100 or less"),
        ] {
            get(server, "/threads/m0", &[(name, &above.to_string())]).await.expect_error(400, 4, text);
            query(server, json!({ "user_id": "joe", name: above })).await.expect_error(400, 4, text);
            query(server, json!({ "user_id": "joe", name: -1 })).await.expect_error(400, 4, name);
        }
        query(server, json!({ "user_id": "joe", "limit": 101 })).await.expect_error(400, 4, "limit must be 100 or less");
        let mut of_joe = ok(query(server, json!({ "user_id": "joe", "participant_limit": 1, "reply_limit": 1 })).await);
        let of_joe = of_joe["threads"][0].take();
        assert_eq!((of_joe["thread_participants"].as_array().unwrap().len(), ids(&of_joe["latest_replies"])), (1, vec!["r3"]));
        assert!(of_joe["read"].as_array().unwrap().iter().any(|read| read["user"]["id"] == "joe"));
    }

    async fn a_user_finds_the_threads_of_his_own(server: TestServer) {
        five_threads(server).await;
        server.users(&["eve"]).await;
        server.send("general", "joe", "j0", "a").await;
        let reply = json!({ "user_id": "joe", "text": "r", "parent_id": "j0", "mentioned_users": ["eve"] });
        sent(server, "general", reply).await;
        assert_eq!(found(server, json!({ "user_id": "jane" })).await, ["m4", "m3", "m2", "m1", "m0"]);
        assert_eq!(found(server, json!({ "user_id": "eve" })).await, ["j0"]);
        assert_eq!(found(server, json!({ "user_id": "joe" })).await.len(), 6);
        query(server, json!({})).await.expect_error(400, 4, "either user or user_id must be provided");
        query(server, json!({ "user_id": "nobody" })).await.expect_error(400, 4, "nobody");
    }

    async fn unread_threads_come_first_then_the_latest(server: TestServer) {
        five_threads(server).await;
        for id in ["m4", "m2", "m1"] {
            read_thread(server, "jane", id).await;
        }
        assert_eq!(found(server, json!({ "user_id": "jane" })).await, ["m3", "m0", "m4", "m2", "m1"]);
        reply(server, "m1", "joe", "again").await;
        assert_eq!(found(server, json!({ "user_id": "jane" })).await, ["m1", "m3", "m0", "m4", "m2"]);
        ok(delete(server, "/messages/r3", &[]).await);
        assert_eq!(found(server, json!({ "user_id": "jane" })).await, ["m1", "m0", "m4", "m3", "m2"]);
        let unread = json!({ "user_id": "jane", "filter": { "has_unread": true } });
        assert_eq!(found(server, unread).await, ["m1", "m0"]);
        let read = json!({ "user_id": "jane", "filter": { "has_unread": { "$eq": false } } });
        assert_eq!(found(server, read).await, ["m4", "m3", "m2"]);
        let request = json!({ "user_id": "jane", "thread_id": "m2" });
        ok(post(server, "/channels/messaging/general/unread", request).await);
        assert_eq!(found(server, json!({ "user_id": "jane" })).await[..3], ["m1", "m2", "m0"]);
    }

    async fn pages_lead_forth_and_back(server: TestServer) {
        five_threads(server).await;
        read_thread(server, "jane", "m4").await;
        let page = async |more: Value| {
            let mut request = json!({ "user_id": "jane", "limit": 2 });
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            ok(query(server, request).await)
        };
        let first = page(json!({})).await;
        assert_eq!((parents(&first), first.get("prev")), (vec!["m3".to_owned(), "m2".to_owned()], None));
        let second = page(json!({ "next": first["next"] })).await;
        assert_eq!(parents(&second), ["m1", "m0"]);
        let third = page(json!({ "next": second["next"] })).await;
        assert_eq!((parents(&third), third.get("next")), (vec!["m4".to_owned()], None));
        let back = page(json!({ "prev": third["prev"] })).await;
        assert_eq!((parents(&back), back["next"].is_string()), (vec!["m1".to_owned(), "m0".to_owned()], true));
        let back = page(json!({ "prev": back["prev"] })).await;
        assert_eq!((parents(&back), back.get("prev")), (vec!["m3".to_owned(), "m2".to_owned()], None));
        let again = page(json!({ "next": back["next"] })).await;
        assert_eq!(parents(&again), ["m1", "m0"]);
        let both = json!({ "user_id": "jane", "next": first["next"], "prev": third["prev"] });
        query(server, both).await.expect_error(400, 4, "next and prev");
        query(server, json!({ "user_id": "jane", "next": "nothing" })).await.expect_error(400, 4, "next");
        // A cursor goes on in its own order.
        let other = json!({ "user_id": "jane", "prev": third["prev"], "sort": [{ "field": "created_at" }] });
        assert_eq!(found(server, other).await, ["m3", "m2", "m1", "m0"]);
    }

    async fn every_documented_order_pages_through_all(server: TestServer) {
        five_threads(server).await;
        reply(server, "m1", "joe", "again").await;
        read_thread(server, "jane", "m3").await;
        let asked = |names: &[(&str, i64)]| {
            let keys = names.iter().map(|(field, direction)| json!({ "field": field, "direction": direction }));
            keys.collect::<Vec<_>>()
        };
        for (sort, expected) in [
            (asked(&[("has_unread", 1), ("last_message_at", -1), ("parent_message_id", 1)]), ["m3", "m1", "m4", "m2", "m0"]),
            (asked(&[("last_message_at", -1), ("parent_message_id", -1)]), ["m1", "m4", "m3", "m2", "m0"]),
            (asked(&[("last_message_at", 1)]), ["m0", "m2", "m3", "m4", "m1"]),
            (asked(&[("created_at", -1)]), ["m4", "m3", "m2", "m1", "m0"]),
            (asked(&[("updated_at", 1)]), ["m0", "m2", "m3", "m4", "m1"]),
            (asked(&[("reply_count", -1)]), ["m1", "m4", "m3", "m2", "m0"]),
            (asked(&[("participant_count", 1)]), ["m0", "m1", "m2", "m3", "m4"]),
            (asked(&[("active_participant_count", -1)]), ["m4", "m3", "m2", "m1", "m0"]),
            (asked(&[("parent_message_id", 1)]), ["m0", "m1", "m2", "m3", "m4"]),
        ] {
            let (mut seen, mut next) = (Vec::new(), json!(null));
            loop {
                let request = json!({ "user_id": "jane", "limit": 2, "sort": sort, "next": next });
                let page = ok(query(server, request).await);
                seen.extend(parents(&page));
                match page.get("next") {
                    Some(cursor) => next = cursor.clone(),
                    None => break,
                }
            }
            assert_eq!(seen, expected, "{sort:?}");
        }
        for sort in [asked(&[("color", 1)]), asked(&[("created_at", 1), ("updated_at", 1)]), asked(&[("last_message_at", 1), ("has_unread", 1)])] {
            query(server, json!({ "user_id": "jane", "sort": sort })).await.expect_error(400, 4, "sort");
        }
        query(server, json!({ "user_id": "jane", "sort": asked(&[("created_at", 5)]) })).await.expect_error(400, 4, "sort");
    }

    async fn filters_select_threads(server: TestServer) {
        five_threads(server).await;
        reply(server, "m1", "joe", "again").await;
        server.channel("other", &["jane", "joe"]).await;
        server.send("other", "joe", "o0", "a").await;
        sent(server, "other", json!({ "id": "or", "user_id": "jane", "text": "r", "parent_id": "o0" })).await;
        ok(patch(server, "m2", json!({ "set": { "color": "red", "size": 5 } })).await);
        let created = thread(server, "m3").await["created_at"].clone();
        for (filter, expected) in [
            (json!({ "channel_cid": "messaging:other" }), vec!["o0"]),
            (json!({ "channel_cid": { "$in": ["messaging:other", "messaging:nowhere"] } }), vec!["o0"]),
            (json!({ "parent_message_id": { "$in": ["m1", "m3", "nothing"] } }), vec!["m1", "m3"]),
            (json!({ "created_by_user_id": "jane" }), vec!["o0"]),
            (json!({ "created_by_user_id": { "$eq": "joe" }, "parent_message_id": "m4" }), vec!["m4"]),
            (json!({ "channel.disabled": true }), vec![]),
            (json!({ "channel.disabled": false, "parent_message_id": "m0" }), vec!["m0"]),
            (json!({ "channel.team": "red" }), vec![]),
            (json!({ "reply_count": { "$gt": 1 } }), vec!["m1"]),
            (json!({ "participant_count": { "$gte": 3 } }), vec![]),
            (json!({ "active_participant_count": { "$eq": 2 }, "parent_message_id": "m0" }), vec!["m0"]),
            (json!({ "created_at": { "$gt": created }, "channel_cid": "messaging:general" }), vec!["m4"]),
            (json!({ "last_message_at": { "$lte": created }, "parent_message_id": { "$in": ["m1", "m0"] } }), vec!["m0"]),
            (json!({ "updated_at": { "$lt": "2020-01-01T00:00:00Z" } }), vec![]),
            (json!({ "color": "red" }), vec!["m2"]),
            (json!({ "size": { "$gt": 4 }, "color": { "$in": ["red", "blue"] } }), vec!["m2"]),
            (json!({ "$or": [{ "parent_message_id": "m0" }, { "color": "red" }] }), vec!["m2", "m0"]),
        ] {
            let mut seen = found(server, json!({ "user_id": "jane", "filter": filter })).await;
            seen.sort_unstable_by(|one, other| other.cmp(one));
            let mut expected = expected;
            expected.sort_unstable_by(|one, other| other.cmp(one));
            assert_eq!(seen, expected, "{filter}");
        }
        for filter in [
            json!({ "channel_cid": { "$gt": "a" } }),
            json!({ "has_unread": { "$in": [true] } }),
            json!({ "has_unread": "yes" }),
            json!({ "reply_count": "many" }),
            json!({ "channel.disabled": { "$exists": true } }),
        ] {
            query(server, json!({ "user_id": "jane", "filter": filter })).await.expect_error(400, 4, "filter");
        }
    }

    async fn who_names_a_channel_finds_threads_of_others_too(server: TestServer) {
        five_threads(server).await;
        server.users(&["eve"]).await;
        update_channel(server, "general", json!({ "add_members": ["eve"] })).await;
        reply(server, "m1", "joe", "again").await;
        let secret = json!({ "id": "secret", "user_id": "jane", "text": "s", "restricted_visibility": ["joe"] });
        sent(server, "general", secret).await;
        reply(server, "secret", "joe", "rs").await;
        assert!(found(server, json!({ "user_id": "eve" })).await.is_empty());
        let named = |more: Value| {
            let mut request = json!({ "user_id": "eve", "filter": { "channel_cid": "messaging:general" } });
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            request
        };
        let answer = ok(query(server, named(json!({}))).await);
        assert_eq!(parents(&answer), ["m1", "m4", "m3", "m2", "m0"]);
        // How far others have read is not for who takes no part.
        assert_eq!(answer["threads"][0].get("read"), None);
        assert_eq!(answer["threads"][0]["thread_participants"].as_array().unwrap().len(), 2);
        let ascending = json!({ "sort": [{ "field": "created_at", "direction": 1 }], "limit": 3 });
        let first = ok(query(server, named(ascending.clone())).await);
        assert_eq!(parents(&first), ["m0", "m1", "m2"]);
        let next = json!({ "next": first["next"], "sort": ascending["sort"] });
        assert_eq!(parents(&ok(query(server, named(next)).await)), ["m3", "m4"]);
        let one = json!({ "parent_message_id": "m2", "has_unread": false });
        assert_eq!(found(server, json!({ "user_id": "eve", "filter": one })).await, ["m2"]);
        let of_joe = json!({ "user_id": "joe", "filter": { "parent_message_id": { "$in": ["secret", "m0"] } } });
        let answer = ok(query(server, of_joe).await);
        assert_eq!(parents(&answer), ["secret", "m0"]);
        let titles = (&answer["threads"][0]["title"], &answer["threads"][1]["title"]);
        assert_eq!(titles, (&json!(""), &json!("a")), "a text that some see names nothing that others hear of");
        // What was before a new member came is as hidden here as elsewhere.
        server.users(&["ann"]).await;
        update_channel(server, "general", json!({ "add_members": ["ann"], "hide_history": true })).await;
        reply(server, "m3", "joe", "later").await;
        let ann = json!({ "user_id": "ann", "filter": { "channel_cid": "messaging:general" } });
        assert!(found(server, ann).await.is_empty());
        // A client finds nothing where it may not read.
        server.users(&["zoe"]).await;
        let request = server.raw("POST", "/api/v2/chat/threads").as_user("zoe");
        let filter = json!({ "filter": { "channel_cid": "messaging:general" } });
        assert!(parents(&ok(request.json(&filter).send().await)).is_empty());
    }

    async fn pages_of_clients_are_full_and_tell_nothing_of_what_they_may_not_read(server: TestServer) {
        five_threads(server).await;
        server.channel("quiet", &["jane", "joe"]).await;
        server.send("quiet", "jane", "q0", "a").await;
        sent(server, "quiet", json!({ "id": "q1", "user_id": "joe", "text": "r", "parent_id": "q0" })).await;
        let page = async |user_id: &str, request: Value| {
            ok(server.raw("POST", "/api/v2/chat/threads").as_user(user_id).json(&request).send().await)
        };
        let oldest = json!({ "limit": 2, "sort": [{ "field": "created_at", "direction": 1 }] });
        assert_eq!(parents(&page("joe", oldest.clone()).await), ["m0", "m1"]);
        // Who left the channel takes part in its threads, which is what a page begins with.
        update_channel(server, "general", json!({ "remove_members": ["joe"] })).await;
        let answer = page("joe", oldest).await;
        assert_eq!((parents(&answer), answer.get("next")), (vec!["q0".to_owned()], None));
        // A cursor would tell of a thread that is not shown, and that the filter matches it.
        server.users(&["zoe"]).await;
        let filter = json!({ "channel_cid": "messaging:general", "created_by_user_id": "joe" });
        let answer = page("zoe", json!({ "limit": 2, "filter": filter })).await;
        assert_eq!((parents(&answer), answer.get("next")), (Vec::new(), None));
    }

    async fn threads_of_hidden_history_and_deleted_channels_are_not_found(server: TestServer) {
        five_threads(server).await;
        ok(delete(server, "/channels/messaging/general", &[]).await);
        assert!(found(server, json!({ "user_id": "jane" })).await.is_empty());
        let counts = ok(get(server, "/unread", &[("user_id", "jane")]).await);
        assert_eq!(counts["total_unread_threads_count"], 0);
        server.channel("general", &["jane", "joe"]).await;
        server.send("general", "jane", "new", "a").await;
        reply(server, "new", "joe", "rn").await;
        assert_eq!(found(server, json!({ "user_id": "jane" })).await, ["new"]);
        let counts = ok(get(server, "/unread", &[("user_id", "jane")]).await);
        assert_eq!(counts["total_unread_threads_count"], 1);
        assert_eq!(counts["threads"].as_array().unwrap().len(), 1);
        get(server, "/threads/m0", &[]).await.expect_error(404, 16, "m0");
    }

    async fn who_joined_without_the_history_does_not_find_its_threads(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["eve"]).await;
        server.send("general", "jane", "m1", "old secret").await;
        let mention = json!({ "id": "r1", "user_id": "joe", "text": "r", "parent_id": "m1", "mentioned_users": ["eve"] });
        sent(server, "general", mention).await;
        server.advance(Duration::from_secs(1));
        update_channel(server, "general", json!({ "add_members": ["eve"], "hide_history": true })).await;
        assert_eq!(found(server, json!({ "user_id": "eve" })).await, [""; 0]);
        let unread = ok(get(server, "/unread", &[("user_id", "eve")]).await);
        assert_eq!((&unread["total_unread_threads_count"], &unread["threads"]), (&json!(0), &json!([])));
        assert_eq!(found(server, json!({ "user_id": "jane" })).await, ["m1"]);
    }

    async fn unread_threads_are_added_up_over_whole_channels_and_those_whose_beginning_is_hidden(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["eve"]).await;
        server.channel("whole", &["jane", "joe", "eve"]).await;
        let mention = |channel: &'static str, parent: &str| {
            let reply = json!({ "user_id": "joe", "text": "r", "parent_id": parent, "mentioned_users": ["eve"] });
            sent(server, channel, reply)
        };
        for (channel, parent) in [("general", "old"), ("whole", "w1"), ("whole", "w2")] {
            server.send(channel, "jane", parent, "a").await;
            mention(channel, parent).await;
        }
        server.advance(Duration::from_secs(1));
        update_channel(server, "general", json!({ "add_members": ["eve"], "hide_history": true })).await;
        server.send("general", "jane", "new", "a").await;
        mention("general", "new").await;
        let unread = ok(get(server, "/unread", &[("user_id", "eve")]).await);
        assert_eq!(unread["total_unread_threads_count"], 3);
        assert_eq!(unread["threads"].as_array().unwrap().len(), 3);
        let users = json!({ "user_ids": ["eve", "jane"] });
        let both = ok(post(server, "/unread_batch", users).await);
        let count = |user_id: &str| both["counts_by_user"][user_id]["total_unread_threads_count"].clone();
        assert_eq!((count("eve"), count("jane")), (json!(3), json!(4)));
    }

    async fn the_thread_of_a_softly_deleted_message_goes_on(server: TestServer) {
        five_threads(server).await;
        ok(delete(server, "/messages/m0", &[]).await);
        let shown = thread(server, "m0").await;
        assert_eq!((&shown["parent_message"]["type"], &shown["reply_count"]), (&json!("deleted"), &json!(1)));
        assert!(shown["deleted_at"].is_i64());
        assert_eq!(found(server, json!({ "user_id": "jane" })).await.len(), 5);
    }

    async fn title_and_custom_data_change_by_name(server: TestServer) {
        five_threads(server).await;
        let before = thread(server, "m0").await["updated_at"].as_i64().unwrap();
        server.advance(Duration::from_secs(60));
        let change = json!({ "set": { "title": "Parcels", "color": "red", "box.size": 5 }, "user_id": "joe" });
        let reply = patch(server, "m0", change).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let changed = &reply.body["thread"];
        assert_eq!((&changed["title"], &changed["custom"]), (&json!("Parcels"), &json!({ "color": "red", "box": { "size": 5 } })));
        assert!(changed["updated_at"].as_i64().unwrap() > before);
        assert_eq!((&changed["channel"]["id"], &changed["parent_message"]["id"]), (&json!("general"), &json!("m0")));
        let change = json!({ "set": { "custom": { "a": 1 } }, "unset": ["color", "box.size"] });
        ok(patch(server, "m0", change).await);
        let shown = thread(server, "m0").await;
        assert_eq!((&shown["title"], &shown["custom"]), (&json!("Parcels"), &json!({ "box": {}, "a": 1 })));
        // Without a name it is called by what it is about.
        ok(patch(server, "m0", json!({ "unset": ["title"] })).await);
        assert_eq!(thread(server, "m0").await["title"], "a");
        ok(delete(server, "/messages/m0", &[]).await);
        assert_eq!(thread(server, "m0").await["title"], "");
    }

    async fn changes_of_a_thread_are_checked(server: TestServer) {
        five_threads(server).await;
        for field in ["reply_count", "created_at", "channel_cid", "parent_message_id", "thread_participants"] {
            let refused = patch(server, "m0", json!({ "set": { field: 1 } })).await;
            refused.expect_error(400, 4, &format!("{field} is a reserved field"));
            let refused = patch(server, "m0", json!({ "unset": [field] })).await;
            refused.expect_error(400, 4, &format!("{field} is a reserved field"));
        }
        patch(server, "m0", json!({ "set": { "title": 5 } })).await.expect_error(400, 4, "set.title");
        patch(server, "m0", json!({ "set": { "title": "t".repeat(256) } })).await.expect_error(400, 4, "set.title");
        patch(server, "m0", json!({})).await.expect_error(400, 4, "either set or unset");
        patch(server, "m0", json!({ "set": { "a": 1 }, "unset": ["a"] })).await.expect_error(400, 4, "unset");
        patch(server, "m0", json!({ "set": { "a": 1 }, "user_id": "nobody" })).await.expect_error(400, 4, "nobody");
        patch(server, "m0", json!({ "set": { "big": "a".repeat(5200) } })).await.expect_error(413, 22, "custom");
        assert_eq!(thread(server, "m0").await["custom"], json!({}));
    }

    async fn private_readings_are_not_shown_with_a_thread(server: TestServer) {
        five_threads(server).await;
        let body = json!({ "users": { "joe": { "id": "joe", "privacy_settings": { "read_receipts": { "enabled": false } } } } });
        ok(server.raw("POST", "/api/v2/users").json(&body).send().await);
        for (user_id, expected) in [("jane", vec!["jane"]), ("joe", vec!["jane", "joe"])] {
            let answer = ok(query(server, json!({ "user_id": user_id, "limit": 1 })).await);
            let reads = answer["threads"][0]["read"].as_array().unwrap().iter();
            let mut names: Vec<_> = reads.map(|read| read["user"]["id"].as_str().unwrap()).collect();
            names.sort_unstable();
            assert_eq!(names, expected);
        }
    }

    async fn a_thread_of_very_many_is_new_to_all_of_them(server: TestServer) {
        let users: Vec<String> = (0..120).map(|number| format!("u{number}")).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        server.users(&users[..100]).await;
        server.users(&users[100..]).await;
        server.channel("general", &users[..100]).await;
        let rest: Vec<Value> = users[100..].iter().map(|id| json!({ "user_id": id })).collect();
        update_channel(server, "general", json!({ "add_members": rest })).await;
        server.send("general", "u0", "m0", "a").await;
        for half in [&users[1..61], &users[61..]] {
            let reply = json!({ "user_id": "u0", "text": "r", "parent_id": "m0", "mentioned_users": half });
            sent(server, "general", reply).await;
        }
        for user_id in ["u1", "u119"] {
            read_thread(server, user_id, "m0").await;
        }
        reply(server, "m0", "u0", "last").await;
        // A job tells them, soon.
        let unread = json!({ "user_id": "u119", "filter": { "has_unread": true } });
        let mut asked = 0;
        while found(server, unread.clone()).await.is_empty() {
            asked += 1;
            assert!(asked < 5000, "nobody tells the participants");
        }
        for user_id in ["u1", "u60", "u119"] {
            assert_eq!(found(server, json!({ "user_id": user_id, "filter": { "has_unread": true } })).await, ["m0"]);
        }
        assert!(found(server, json!({ "user_id": "u0", "filter": { "has_unread": true } })).await.is_empty());
        assert_eq!(thread(server, "m0").await["participant_count"], 120);
    }

    async fn gaps_of_a_thread_that_everybody_has_read_past_go_and_nobody_notices(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.send("general", "jane", "p1", "parent").await;
        reply(server, "p1", "joe", "r0").await;
        for id in ["r1", "r2", "r3", "r4"] {
            reply(server, "p1", "jane", id).await;
        }
        for (id, hard) in [("r1", "true"), ("r2", "false")] {
            let path = format!("/api/v2/chat/messages/{id}");
            server.raw("DELETE", &path).query("hard", hard).send().await;
        }
        server.prune_thread_unread_gaps().await;
        assert_eq!(server.count("thread_unread_gaps").await, 2, "joe has not read past them");
        read_thread(server, "joe", "p1").await;
        server.prune_thread_unread_gaps().await;
        // That of a reply that is still stored stays: it may come back.
        assert_eq!(server.count("thread_unread_gaps").await, 1);
        server.check().await;
        for user_id in ["joe", "jane"] {
            let body = json!({ "user_id": user_id, "thread_id": "p1" });
            let path = "/api/v2/chat/channels/messaging/general/unread";
            assert_eq!(server.raw("POST", path).json(&body).send().await.status, 201);
        }
        server.check().await;
        let undelete = json!({ "undeleted_by": "jane" });
        server.raw("POST", "/api/v2/chat/messages/r2/undelete").json(&undelete).send().await;
        server.check().await;
        server.prune_thread_unread_gaps().await;
        let counts = server.raw("GET", "/api/v2/chat/unread").query("user_id", "joe").send().await.body;
        assert_eq!(counts["threads"][0]["unread_count"], 3, "{counts}");
        server.raw("DELETE", "/api/v2/chat/messages/r4").query("hard", "true").send().await;
        server.check().await;
    }
}
