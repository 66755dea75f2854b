use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::chat::{delete, get, jane_and_joe, ok, post, sent, update};

/// A search in all channels of type messaging unless the payload names others.
async fn search(server: &TestServer, mut payload: Value) -> RawReply {
    if payload.get("filter_conditions").is_none() {
        payload["filter_conditions"] = json!({ "type": "messaging" });
    }
    get(server, "/search", &[("payload", &payload.to_string())]).await
}

/// The ids of the messages that a search finds, in their order.
async fn found(server: &TestServer, payload: Value) -> Vec<String> {
    ids(&ok(search(server, payload).await))
}

/// The ids of the messages found, sorted.
async fn found_any_order(server: &TestServer, payload: Value) -> Vec<String> {
    let mut found = found(server, payload).await;
    found.sort_unstable();
    found
}

fn ids(body: &Value) -> Vec<String> {
    let results = body["results"].as_array().unwrap().iter();
    results.map(|result| result["message"]["id"].as_str().unwrap().to_owned()).collect()
}

/// Messages by jane with these ids and texts.
async fn messages(server: &TestServer, texts: &[(&str, &str)]) {
    jane_and_joe(server).await;
    for (id, text) in texts {
        server.send("general", "jane", id, text).await;
    }
}

/// A message by jane with more fields.
async fn send_with(server: &TestServer, id: &str, more: Value) {
    let mut message = json!({ "id": id, "user_id": "jane", "text": "word" });
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    sent(server, "general", message).await;
}

/// The ids of the messages that a filter selects, sorted.
async fn filtered(server: &TestServer, filter: Value) -> Vec<String> {
    found_any_order(server, json!({ "message_filter_conditions": filter })).await
}

both_databases! {
    async fn a_word_is_found_in_any_case_right_after_it_was_sent(server: TestServer) {
        messages(server, &[("m1", "The quick brown fox"), ("m2", "A lazy dog")]).await;
        for query in ["fox", "FOX", "quick fox", "Brown"] {
            assert_eq!(found(server, json!({ "query": query })).await, ["m1"], "{query}");
        }
        assert_eq!(found(server, json!({ "query": "cat" })).await, Vec::<String>::new());
    }

    async fn a_result_holds_the_message_with_its_channel(server: TestServer) {
        messages(server, &[("m1", "hello")]).await;
        let body = ok(search(server, json!({ "query": "hello" })).await);
        let message = &body["results"][0]["message"];
        assert_eq!((&message["text"], &message["user"]["id"]), (&json!("hello"), &json!("jane")));
        assert_eq!(message["channel"]["cid"], "messaging:general");
        assert!(body.get("next").is_none_or(|next| next == "") && body.get("results_warning").is_none());
    }

    async fn a_query_is_short_for_a_filter_of_words(server: TestServer) {
        messages(server, &[("m1", "red apple"), ("m2", "red car"), ("m3", "apple")]).await;
        for words in ["red", "apple", "red apple"] {
            let by_query = found(server, json!({ "query": words })).await;
            let filter = json!({ "message_filter_conditions": { "text": { "$q": words } } });
            assert_eq!(found(server, filter).await, by_query, "{words}");
            assert!(!by_query.is_empty());
        }
    }

    async fn exactly_one_question_is_asked(server: TestServer) {
        messages(server, &[]).await;
        let both = json!({ "query": "a", "message_filter_conditions": { "text": { "$q": "a" } } });
        search(server, both).await.expect_error(400, 4, "message_filter_conditions");
        search(server, json!({})).await.expect_error(400, 4, "message_filter_conditions");
        search(server, json!({ "query": "" })).await.expect_error(400, 4, "query");
        let without = get(server, "/search", &[("payload", r#"{"query":"a"}"#)]).await;
        without.expect_error(400, 4, "filter_conditions is a required field");
        search(server, json!({ "query": "a", "filter_conditions": {} })).await
            .expect_error(400, 4, "filter_conditions");
        get(server, "/search", &[]).await.expect_error(400, 4, "payload");
    }

    async fn only_the_channels_asked_for_are_searched(server: TestServer) {
        messages(server, &[("m1", "word")]).await;
        server.channel("other", &["jane"]).await;
        server.send("other", "jane", "m2", "word").await;
        for (filter, expected) in [
            (json!({ "cid": "messaging:other" }), vec!["m2"]),
            (json!({ "members": { "$in": ["joe"] } }), vec!["m1"]),
            (json!({ "cid": { "$in": ["messaging:general", "messaging:other"] } }), vec!["m1", "m2"]),
            (json!({ "cid": "messaging:nowhere" }), vec![]),
        ] {
            let payload = json!({ "query": "word", "filter_conditions": filter });
            assert_eq!(found_any_order(server, payload).await, expected, "{filter}");
        }
    }

    async fn words_are_completed_from_their_beginning(server: TestServer) {
        messages(server, &[("m1", "Extraordinary weather"), ("m2", "an extra day"), ("m3", "textra")]).await;
        let complete = async |start| filtered(server, json!({ "text": { "$autocomplete": start } })).await;
        assert_eq!(complete("extra").await, ["m1", "m2"]);
        assert_eq!(complete("EXTRAO").await, ["m1"]);
        assert_eq!(complete("wea").await, ["m1"]);
        assert_eq!(complete("xyz").await, Vec::<String>::new());
    }

    async fn there_is_nothing_to_complete_in_symbols(server: TestServer) {
        messages(server, &[("m1", "word")]).await;
        for text in ["", "!!!", " - "] {
            let filter = json!({ "text": { "$autocomplete": text } });
            search(server, json!({ "message_filter_conditions": filter })).await.expect_error(400, 4, "text");
        }
    }

    async fn parts_of_words_are_found_when_no_word_fits(server: TestServer) {
        messages(server, &[("m1", "The conversation"), ("m2", "nothing here")]).await;
        assert_eq!(found(server, json!({ "query": "versati" })).await, ["m1"]);
        server.send("general", "jane", "m3", "versati").await;
        assert_eq!(found(server, json!({ "query": "versati" })).await, ["m3"]);
    }

    async fn words_of_many_scripts_are_found(server: TestServer) {
        let texts = [
            ("cyrillic", "Привет мир"), ("greek", "Καλημέρα κόσμε"), ("arabic", "مرحبا بالعالم"),
            ("hebrew", "שלום עולם"), ("chinese", "你好世界"), ("japanese", "こんにちは世界中"),
            ("korean", "안녕하세요 세계"), ("hindi", "नमस्ते दुनिया"), ("german", "Straßenbahn fährt"),
            ("thai", "สวัสดีชาวโลก"),
        ];
        messages(server, &texts).await;
        for (query, id) in [
            ("ПРИВЕТ", "cyrillic"), ("καλημέρα", "greek"), ("مرحبا", "arabic"), ("שלום", "hebrew"),
            ("你好", "chinese"), ("こんにちは", "japanese"), ("안녕하세요", "korean"), ("नमस्ते", "hindi"),
            ("FÄHRT", "german"), ("สวัสดี", "thai"),
        ] {
            let found = found(server, json!({ "query": query })).await;
            assert!(found.contains(&id.to_owned()), "{query}: {found:?}");
        }
    }

    async fn operators_of_a_search_engine_are_just_text(server: TestServer) {
        messages(server, &[("m1", "alpha beta"), ("m2", "gamma OR delta")]).await;
        for query in [
            "alpha OR gamma", "\"alpha", "alpha AND", "NOT alpha", "(", "*", "alpha*", "text:alpha", "'",
            "a:b:*",
            "NEAR(alpha beta)", "alpha & | !", "%", "_", "\\", "-alpha", "^alpha", "{}", "🦀", "a\u{301}",
        ] {
            let reply = search(server, json!({ "query": query })).await;
            assert!(reply.status == 200 || reply.code() == 4, "{query}: {}", reply.text);
        }
        assert_eq!(found(server, json!({ "query": "gamma or delta" })).await, ["m2"]);
    }

    async fn messages_are_filtered_by_their_fields(server: TestServer) {
        messages(server, &[("m1", "word")]).await;
        let reply = json!({ "id": "m2", "user_id": "joe", "text": "a", "parent_id": "m1" });
        sent(server, "general", reply).await;
        send_with(server, "m3", json!({ "mentioned_users": ["joe"], "pinned": true })).await;
        send_with(server, "m4", json!({ "attachments": [{ "type": "image" }, { "type": "file" }] })).await;
        for (filter, expected) in [
            (json!({ "id": { "$in": ["m1", "m4", "nothing"] } }), vec!["m1", "m4"]),
            (json!({ "id": "m3" }), vec!["m3"]),
            (json!({ "type": "reply" }), vec!["m2"]),
            (json!({ "parent_id": "m1" }), vec!["m2"]),
            (json!({ "parent_id": { "$exists": true } }), vec!["m2"]),
            (json!({ "parent_id": { "$exists": false } }), vec!["m1", "m3", "m4"]),
            (json!({ "reply_count": { "$gt": 0 } }), vec!["m1"]),
            (json!({ "text": "a" }), vec!["m2"]),
            (json!({ "cid": "messaging:general", "user.id": "joe" }), vec!["m2"]),
            (json!({ "user_id": { "$in": ["joe"] } }), vec!["m2"]),
            (json!({ "mentioned_users.id": { "$contains": "joe" } }), vec!["m3"]),
            (json!({ "pinned": true }), vec!["m3"]),
            (json!({ "attachments": { "$exists": true } }), vec!["m4"]),
            (json!({ "attachments": { "$exists": false } }), vec!["m1", "m2", "m3"]),
            (json!({ "attachments.type": "file" }), vec!["m4"]),
            (json!({ "attachments.type": { "$in": ["image", "audio"] } }), vec!["m4"]),
            (json!({ "$or": [{ "id": "m1" }, { "pinned": true }] }), vec!["m1", "m3"]),
            (json!({ "$nor": [{ "id": "m1" }, { "pinned": true }] }), vec!["m2", "m4"]),
            (json!({ "$and": [{ "user_id": "jane" }, { "text": { "$q": "word" } }] }), vec!["m1", "m3", "m4"])
        ] {
            assert_eq!(filtered(server, filter.clone()).await, expected, "{filter}");
        }
    }

    async fn messages_are_filtered_by_custom_data(server: TestServer) {
        messages(server, &[("m0", "word")]).await;
        for (id, color, size) in [("m1", "red", 9), ("m2", "blue", 10), ("m3", "red", 100)] {
            let custom = json!({ "color": color, "size": size, "ok": size > 9 });
            send_with(server, id, json!({ "custom": custom })).await;
        }
        for (filter, expected) in [
            (json!({ "color": "red" }), vec!["m1", "m3"]),
            (json!({ "color": { "$in": ["blue", "green"] } }), vec!["m2"]),
            (json!({ "size": { "$gt": 9 } }), vec!["m2", "m3"]),
            (json!({ "size": 10 }), vec!["m2"]),
            (json!({ "size": { "$lte": 10 } }), vec!["m1", "m2"]),
            (json!({ "ok": true }), vec!["m2", "m3"]),
            (json!({ "size": "10" }), vec![]),
        ] {
            assert_eq!(filtered(server, filter.clone()).await, expected, "{filter}");
        }
    }

    async fn messages_are_filtered_by_time(server: TestServer) {
        messages(server, &[("m1", "word")]).await;
        server.advance(std::time::Duration::from_secs(3600));
        server.send("general", "jane", "m2", "word").await;
        let moment = "2026-01-02T03:30:00Z";
        assert_eq!(filtered(server, json!({ "created_at": { "$lt": moment } })).await, ["m1"]);
        assert_eq!(filtered(server, json!({ "created_at": { "$gte": moment } })).await, ["m2"]);
        assert_eq!(filtered(server, json!({ "updated_at": { "$gt": moment } })).await, ["m2"]);
    }

    async fn filters_are_checked(server: TestServer) {
        messages(server, &[]).await;
        for (filter, named) in [
            (json!({ "text": { "$contains": "a" } }), "$contains"),
            (json!({ "text": { "$near": "a" } }), "$near"),
            (json!({ "text": { "$q": 5 } }), "text"),
            (json!({ "reply_count": "many" }), "reply_count"),
            (json!({ "created_at": { "$gt": "yesterday" } }), "created_at"),
            (json!({ "parent_id": { "$exists": "yes" } }), "$exists"),
            (json!({ "pinned": { "$in": [true] } }), "pinned"),
            (json!({ "$or": {} }), "$or"),
        ] {
            let reply = search(server, json!({ "message_filter_conditions": filter })).await;
            reply.expect_error(400, 4, named);
        }
        let channels = json!({ "query": "a", "filter_conditions": { "cid": { "$near": "a" } } });
        search(server, channels).await.expect_error(400, 4, "$near");
    }

    async fn results_come_in_the_order_asked_for(server: TestServer) {
        messages(server, &[("b", "word"), ("a", "word"), ("c", "word")]).await;
        for (id, size) in [("d", 2), ("e", 10), ("f", 1)] {
            send_with(server, id, json!({ "custom": { "size": size } })).await;
        }
        let sorted = async |sort: Value| found(server, json!({ "query": "word", "sort": sort })).await;
        let by_time = json!([{ "field": "created_at", "direction": 1 }]);
        assert_eq!(sorted(by_time).await, ["b", "a", "c", "d", "e", "f"]);
        let newest = json!([{ "field": "created_at", "direction": -1 }]);
        assert_eq!(sorted(newest).await, ["f", "e", "d", "c", "a", "b"]);
        assert_eq!(sorted(json!([{ "field": "id", "direction": -1 }])).await, ["f", "e", "d", "c", "b", "a"]);
        assert_eq!(sorted(json!({ "id": -1 })).await, ["f", "e", "d", "c", "b", "a"]);
        let filter = json!({ "size": { "$gt": 0 } });
        let sort = json!([{ "field": "size", "direction": 1, "type": "number" }]);
        let by_size = json!({ "message_filter_conditions": filter, "sort": sort });
        assert_eq!(found(server, by_size).await, ["f", "d", "e"]);
    }

    async fn without_an_order_the_best_come_first_then_by_id(server: TestServer) {
        let filler = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor";
        let weak = format!("zebra {filler}");
        messages(server, &[("m3", &weak), ("m2", "zebra zebra"), ("m5", "crab"), ("m4", "crab")]).await;
        assert_eq!(found(server, json!({ "query": "zebra" })).await, ["m2", "m3"]);
        assert_eq!(found(server, json!({ "query": "crab" })).await, ["m4", "m5"]);
    }

    async fn cursors_lead_forward_and_back(server: TestServer) {
        let texts: Vec<String> = (0..7).map(|number| format!("m{number}")).collect();
        messages(server, &texts.iter().map(|id| (id.as_str(), "word")).collect::<Vec<_>>()).await;
        let page = async |next: Option<&str>| {
            let sort = json!([{ "field": "created_at", "direction": 1 }]);
            ok(search(server, json!({ "query": "word", "sort": sort, "limit": 3, "next": next })).await)
        };
        let first = page(None).await;
        assert_eq!(ids(&first), ["m0", "m1", "m2"]);
        let second = page(first["next"].as_str()).await;
        assert_eq!(ids(&second), ["m3", "m4", "m5"]);
        let third = page(second["next"].as_str()).await;
        assert_eq!(ids(&third), ["m6"]);
        assert!(third.get("next").is_none_or(|next| next == ""));
        assert_eq!(ids(&page(third["previous"].as_str()).await), ["m3", "m4", "m5"]);
        assert_eq!(ids(&page(second["previous"].as_str()).await), ["m0", "m1", "m2"]);
    }

    async fn a_cursor_goes_on_in_its_own_order(server: TestServer) {
        let texts: Vec<String> = (0..5).map(|number| format!("m{number}")).collect();
        messages(server, &texts.iter().map(|id| (id.as_str(), "word")).collect::<Vec<_>>()).await;
        let sort = json!([{ "field": "created_at", "direction": -1 }, { "field": "id" }]);
        let first = ok(search(server, json!({ "query": "word", "sort": sort, "limit": 2 })).await);
        assert_eq!(ids(&first), ["m4", "m3"]);
        let second = ok(search(server, json!({ "query": "word", "limit": 2, "next": first["next"] })).await);
        assert_eq!(ids(&second), ["m2", "m1"]);
        let other = json!([{ "field": "created_at", "direction": 1 }]);
        let third = json!({ "query": "word", "sort": other, "limit": 2, "next": second["next"] });
        let third = ok(search(server, third).await);
        assert_eq!(ids(&third), ["m0"]);
        let back = ok(search(server, json!({ "query": "word", "limit": 2, "next": second["previous"] })).await);
        assert_eq!(ids(&back), ["m4", "m3"]);
    }

    async fn pages_are_limited(server: TestServer) {
        messages(server, &[("m1", "word"), ("m2", "word"), ("m3", "word")]).await;
        assert_eq!(found(server, json!({ "query": "word", "limit": 2, "offset": 1 })).await, ["m2", "m3"]);
        assert_eq!(found(server, json!({ "query": "word", "offset": 1000 })).await, Vec::<String>::new());
        for (name, value) in [("offset", 1001), ("offset", -1), ("limit", 101), ("limit", -1)] {
            search(server, json!({ "query": "word", name: value })).await.expect_error(400, 4, name);
        }
        let first = ok(search(server, json!({ "query": "word", "limit": 1 })).await);
        let both = json!({ "query": "word", "limit": 1, "offset": 1, "next": first["next"] });
        search(server, both).await.expect_error(400, 4, "offset");
        search(server, json!({ "query": "word", "next": "forged" })).await.expect_error(400, 4, "next");
        let sort = json!([{ "field": "created_at" }]);
        ok(search(server, json!({ "query": "word", "offset": 0, "sort": sort })).await);
    }

    async fn deleted_and_system_messages_are_never_found(server: TestServer) {
        messages(server, &[("soft", "word"), ("hard", "word"), ("kept", "word")]).await;
        send_with(server, "system", json!({ "type": "system" })).await;
        assert_eq!(found(server, json!({ "query": "word" })).await.len(), 3);
        ok(delete(server, "/messages/soft", &[]).await);
        ok(delete(server, "/messages/hard", &[("hard", "true")]).await);
        assert_eq!(found(server, json!({ "query": "word" })).await, ["kept"]);
        let all = json!({ "created_at": { "$gt": "2020-01-01T00:00:00Z" } });
        assert_eq!(filtered(server, all).await, ["kept"]);
        let never = json!({ "type": { "$in": ["system", "deleted"] } });
        assert_eq!(filtered(server, never).await, Vec::<String>::new());
    }

    async fn a_message_deleted_before_it_was_indexed_is_not_found(server: TestServer) {
        messages(server, &[("m1", "word"), ("m2", "word")]).await;
        ok(delete(server, "/messages/m1", &[]).await);
        ok(delete(server, "/messages/m2", &[("hard", "true")]).await);
        assert_eq!(found(server, json!({ "query": "word" })).await, Vec::<String>::new());
    }

    async fn an_edited_message_is_found_by_its_new_text_only(server: TestServer) {
        messages(server, &[("m1", "before common")]).await;
        assert_eq!(found(server, json!({ "query": "before" })).await, ["m1"]);
        ok(update(server, "m1", json!({ "user_id": "jane", "text": "after common" })).await);
        assert_eq!(found(server, json!({ "query": "before" })).await, Vec::<String>::new());
        assert_eq!(found(server, json!({ "query": "after" })).await, ["m1"]);
        assert_eq!(found(server, json!({ "query": "common" })).await, ["m1"]);
    }

    async fn replies_are_found_too(server: TestServer) {
        messages(server, &[("m1", "parent")]).await;
        let reply = json!({ "id": "r1", "user_id": "joe", "text": "answer", "parent_id": "m1" });
        sent(server, "general", reply).await;
        assert_eq!(found(server, json!({ "query": "answer" })).await, ["r1"]);
    }

    async fn a_deleted_channel_is_not_searched(server: TestServer) {
        messages(server, &[("m1", "word")]).await;
        ok(delete(server, "/channels/messaging/general", &[]).await);
        assert_eq!(found(server, json!({ "query": "word" })).await, Vec::<String>::new());
    }

    async fn links_and_marked_words_are_found(server: TestServer) {
        messages(server, &[("m1", "see **bold** at https://example.org/page, foo_bar@example.com!")]).await;
        for query in ["bold", "example", "foo_bar"] {
            assert_eq!(found(server, json!({ "query": query })).await, ["m1"], "{query}");
        }
    }

    async fn any_of_several_words_can_be_asked_for(server: TestServer) {
        messages(server, &[("m1", "red"), ("m2", "blue"), ("m3", "green")]).await;
        let any = json!({ "text": { "$any": "red blue" } });
        assert_eq!(filtered(server, any).await, ["m1", "m2"]);
    }

    async fn a_search_does_not_cross_the_types_asked_for(server: TestServer) {
        messages(server, &[("m1", "word")]).await;
        let body = json!({ "data": { "created_by_id": "jane" } });
        ok(post(server, "/channels/team/red/query", body).await);
        let message = json!({ "message": { "id": "m2", "text": "word", "user_id": "jane" } });
        ok(post(server, "/channels/team/red/message", message).await);
        let teams = json!({ "query": "word", "filter_conditions": { "type": "team" } });
        assert_eq!(found(server, teams).await, ["m2"]);
    }

    async fn who_joined_without_the_history_does_not_find_it(server: TestServer) {
        messages(server, &[("m1", "an old word")]).await;
        server.users(&["eve"]).await;
        let change = json!({ "add_members": ["eve"], "hide_history": true });
        ok(post(server, "/channels/messaging/general", change).await);
        server.send("general", "jane", "m2", "a new word").await;
        let payload = json!({ "filter_conditions": { "type": "messaging" }, "query": "word" }).to_string();
        for (user_id, expected) in [("joe", vec!["m1", "m2"]), ("eve", vec!["m2"])] {
            let request = server.raw("GET", "/api/v2/chat/search").query("payload", &payload).as_user(user_id);
            let mut found = ids(&ok(request.send().await));
            found.sort_unstable();
            assert_eq!(found, expected, "{user_id}");
        }
    }
}
