use std::time::Duration;

use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Map, Value, json};

use crate::bodies::{get, get_ok, post, post_ok, sorted, texts};

const USERS: &str = "/api/v2/users";

/// A map of users by id, as the call takes it.
fn by_id(users: &[Value]) -> Value {
    let entries = users.iter().map(|user| (user["id"].as_str().unwrap().to_owned(), user.clone()));
    json!({ "users": entries.collect::<Map<_, _>>() })
}

/// Writes a user and answers it as the server shows it.
async fn write(server: &TestServer, user: Value) -> Value {
    let body = post_ok(server, USERS, &by_id(std::slice::from_ref(&user))).await;
    body["users"][user["id"].as_str().unwrap()].clone()
}

/// The ids that a question finds, in order.
async fn found(server: &TestServer, payload: Value) -> Vec<String> {
    texts(&get_ok(server, USERS, &payload).await["users"], "/id")
}

/// Three users, created a second apart.
async fn three_users(server: &TestServer) {
    let users = [
        json!({ "id": "ann", "name": "Ann Smith", "role": "admin", "teams": ["red"], "language": "en",
                "custom": { "email": "ann@example.com", "username": "annie smith", "color": "blue",
                            "level": 3, "tags": ["new", "vip"], "nested": { "deep": true } } }),
        json!({ "id": "bob", "name": "Bob Annson", "teams": ["red", "blue"], "language": "fr",
                "custom": { "color": "green", "level": 10 } }),
        json!({ "id": "eve", "custom": { "color": "Blue", "level": "3" } }),
    ];
    for user in users {
        write(server, user).await;
        server.advance(Duration::from_secs(1));
    }
}

both_databases! {
    async fn a_new_user_has_the_defaults(server: TestServer) {
        let body = post_ok(server, USERS, &by_id(&[json!({ "id": "jane", "name": "Jane" })])).await;
        assert_eq!(body["membership_deletion_task_id"], "");
        assert!(body["duration"].as_str().unwrap().ends_with("ms"));
        let jane = &body["users"]["jane"];
        assert_eq!(jane["role"], "user");
        assert_eq!(jane["name"], "Jane");
        assert_eq!(jane["created_at"], 1_767_323_045_000_000_000_i64);
        assert_eq!(jane["custom"], json!({}));
        assert_eq!(jane.get("privacy_settings"), None);
        for list in ["teams", "mutes", "channel_mutes", "devices", "blocked_user_ids"] {
            assert_eq!(jane[list], json!([]), "{list}");
        }
        for total in ["total_unread_count", "unread_channels", "unread_threads"] {
            assert_eq!(jane[total], 0, "{total}");
        }
    }

    async fn writing_a_user_again_replaces_custom_data_and_keeps_role_teams_and_language(server: TestServer) {
        let first = json!({ "id": "jane", "role": "admin", "teams": ["red"], "language": "en",
                            "custom": { "color": "blue", "size": 1 } });
        let created = write(server, first).await;
        server.advance(Duration::from_secs(1));
        let jane = write(server, json!({ "id": "jane", "custom": { "color": "green" } })).await;
        assert_eq!(jane["custom"], json!({ "color": "green" }));
        assert_eq!(jane["role"], "admin");
        assert_eq!(jane["teams"], json!(["red"]));
        assert_eq!(jane["language"], "en");
        assert_eq!(jane["created_at"], created["created_at"]);
        assert!(jane["updated_at"].as_i64() > created["updated_at"].as_i64());
        let read = get_ok(server, USERS, &json!({ "filter_conditions": { "id": "jane" } })).await;
        assert_eq!(read["users"], json!([jane]));
    }

    async fn one_invalid_user_fails_the_whole_batch(server: TestServer) {
        let users = by_id(&[json!({ "id": "ann" }), json!({ "id": "not valid" })]);
        post(server, USERS, &users).await.expect_error(400, 4, "not valid");
        assert_eq!(found(server, json!({ "filter_conditions": {} })).await, [""; 0]);
    }

    async fn user_ids_consist_of_letters_digits_and_three_signs(server: TestServer) {
        for id in ["", "a b", "a:b", "a,b", "a.b", "ä", "a!b", &"a".repeat(256)] {
            post(server, USERS, &by_id(&[json!({ "id": id })])).await.expect_error(400, 4, "id");
        }
        for id in ["aZ09@_-", &"a".repeat(255)] {
            assert_eq!(write(server, json!({ "id": id })).await["id"], id);
        }
    }

    async fn a_batch_has_at_most_a_hundred_users(server: TestServer) {
        let users: Vec<Value> = (0..101).map(|number| json!({ "id": format!("u{number}") })).collect();
        post(server, USERS, &by_id(&users)).await.expect_error(400, 4, "users");
        let body = post_ok(server, USERS, &by_id(&users[..100])).await;
        assert_eq!(body["users"].as_object().unwrap().len(), 100);
    }

    async fn a_batch_without_users_is_refused(server: TestServer) {
        post(server, USERS, &json!({})).await.expect_error(400, 4, "users is a required field");
        post(server, USERS, &json!({ "users": {} })).await.expect_error(400, 4, "users is a required field");
    }

    async fn the_role_of_a_user_is_none_of_channels(server: TestServer) {
        for role in ["channel_member", "channel_moderator"] {
            for user in [json!({ "id": "jane", "role": role }), json!({ "id": "jane", "teams_role": { "red": role } })] {
                post(server, USERS, &by_id(&[user])).await.expect_error(400, 4, role);
            }
            let set = json!({ "users": [{ "id": "jane", "set": { "role": role } }] });
            server.users(&["jane"]).await;
            server.raw("PATCH", USERS).json(&set).send().await.expect_error(400, 4, role);
        }
    }

    async fn custom_data_of_a_user_has_at_most_five_kilobytes(server: TestServer) {
        let user = |size| json!({ "id": "jane", "custom": { "x": "y".repeat(size) } });
        post(server, USERS, &by_id(&[user(5 * 1024)])).await.expect_error(413, 22, "custom");
        write(server, user(5 * 1024 - 20)).await;
    }

    async fn a_user_has_at_most_250_teams_of_100_bytes(server: TestServer) {
        let teams: Vec<String> = (0..251).map(|number| format!("t{number}")).collect();
        let many = by_id(&[json!({ "id": "jane", "teams": teams })]);
        post(server, USERS, &many).await.expect_error(400, 4, "teams");
        let long = by_id(&[json!({ "id": "jane", "teams": ["t".repeat(101)] })]);
        post(server, USERS, &long).await.expect_error(400, 4, "teams");
        let jane = write(server, json!({ "id": "jane", "teams": teams[..250] })).await;
        assert_eq!(jane["teams"].as_array().unwrap().len(), 250);
    }

    async fn privacy_settings_are_shown_once_they_are_set(server: TestServer) {
        let settings = json!({ "typing_indicators": { "enabled": false } });
        let jane = write(server, json!({ "id": "jane", "privacy_settings": settings })).await;
        assert_eq!(jane["privacy_settings"]["typing_indicators"]["enabled"], false);
    }

    async fn users_are_found_by_every_field(server: TestServer) {
        three_users(server).await;
        let cases: &[(Value, &[&str])] = &[
            (json!({ "id": "ann" }), &["ann"]),
            (json!({ "id": { "$ne": "ann" } }), &["bob", "eve"]),
            (json!({ "id": { "$in": ["ann", "eve", "nobody"] } }), &["ann", "eve"]),
            (json!({ "id": { "$nin": ["ann", "eve"] } }), &["bob"]),
            (json!({ "id": { "$gt": "ann" } }), &["bob", "eve"]),
            (json!({ "id": { "$gte": "bob", "$lt": "eve" } }), &["bob"]),
            (json!({ "id": { "$lte": "bob" } }), &["ann", "bob"]),
            (json!({ "id": { "$autocomplete": "B" } }), &["bob"]),
            (json!({ "id": { "$exists": true } }), &["ann", "bob", "eve"]),
            (json!({ "name": "Ann Smith" }), &["ann"]),
            (json!({ "name": { "$autocomplete": "ann" } }), &["ann", "bob"]),
            (json!({ "name": { "$autocomplete": "SMI" } }), &["ann"]),
            (json!({ "name": { "$gt": "B" } }), &["bob"]),
            (json!({ "username": "annie smith" }), &["ann"]),
            (json!({ "username": { "$autocomplete": "smi" } }), &["ann"]),
            (json!({ "role": "admin" }), &["ann"]),
            (json!({ "role": { "$in": ["admin", "user"] } }), &["ann", "bob", "eve"]),
            (json!({ "created_at": { "$gt": "2026-01-02T03:04:05Z" } }), &["bob", "eve"]),
            (json!({ "created_at": "2026-01-02T03:04:06Z" }), &["bob"]),
            (json!({ "updated_at": { "$lte": "2026-01-02T03:04:06Z" } }), &["ann", "bob"]),
            (json!({ "last_active": { "$exists": false } }), &["ann", "bob", "eve"]),
            (json!({ "banned": true }), &[]),
            (json!({ "banned": { "$ne": true } }), &["ann", "bob", "eve"]),
            (json!({ "shadow_banned": false, "bypass_moderation": false }), &["ann", "bob", "eve"]),
            (json!({ "teams": { "$contains": "red" } }), &["ann", "bob"]),
            (json!({ "teams": { "$in": ["blue", "black"] } }), &["bob"]),
            (json!({ "teams": { "$eq": ["blue", "red"] } }), &["bob"]),
            (json!({ "teams": null }), &["eve"]),
            (json!({ "language": "fr" }), &["bob"]),
            (json!({ "email": "ann@example.com" }), &["ann"]),
            (json!({ "email": { "$in": ["ann@example.com"] } }), &["ann"]),
        ];
        for (filter, expected) in cases {
            let body = get_ok(server, USERS, &json!({ "filter_conditions": filter })).await;
            assert_eq!(sorted(&body["users"], "/id"), *expected, "{filter}");
        }
    }

    async fn users_are_found_by_custom_fields(server: TestServer) {
        three_users(server).await;
        let cases: &[(Value, &[&str])] = &[
            (json!({ "color": "blue" }), &["ann"]),
            (json!({ "color": { "$in": ["blue", "green"] } }), &["ann", "bob"]),
            (json!({ "level": 3 }), &["ann"]),
            (json!({ "level": { "$gt": 3 } }), &["bob"]),
            (json!({ "level": { "$gte": 3, "$lt": 11 } }), &["ann", "bob"]),
            (json!({ "level": { "$lte": "3" } }), &["eve"]),
            (json!({ "tags": { "$contains": "vip" } }), &["ann"]),
            (json!({ "tags": { "$exists": false } }), &["bob", "eve"]),
            (json!({ "nested.deep": true }), &["ann"]),
        ];
        for (filter, expected) in cases {
            let body = get_ok(server, USERS, &json!({ "filter_conditions": filter })).await;
            assert_eq!(sorted(&body["users"], "/id"), *expected, "{filter}");
        }
    }

    async fn filters_nest(server: TestServer) {
        three_users(server).await;
        let cases: &[(Value, &[&str])] = &[
            (json!({ "$and": [{ "teams": { "$contains": "red" } }, { "language": "en" }] }), &["ann"]),
            (json!({ "$or": [{ "id": "eve" }, { "$and": [{ "id": "bob" }, { "role": "user" }] }] }),
             &["bob", "eve"]),
            (json!({ "$nor": [{ "id": "ann" }, { "language": "fr" }] }), &["eve"]),
            (json!({ "role": "user", "id": { "$gt": "c" } }), &["eve"]),
        ];
        for (filter, expected) in cases {
            let body = get_ok(server, USERS, &json!({ "filter_conditions": filter })).await;
            assert_eq!(sorted(&body["users"], "/id"), *expected, "{filter}");
        }
    }

    async fn an_operator_that_a_field_does_not_have_is_refused_by_name(server: TestServer) {
        let cases = [
            (json!({ "id": { "$contains": "a" } }), "$contains"),
            (json!({ "id": { "$q": "a" } }), "$q"),
            (json!({ "name": { "$q": "a" } }), "$q"),
            (json!({ "username": { "$in": ["a"] } }), "$in"),
            (json!({ "role": { "$ne": "a" } }), "$ne"),
            (json!({ "created_at": { "$ne": "2026-01-02T03:04:05Z" } }), "$ne"),
            (json!({ "banned": { "$in": [true] } }), "$in"),
            (json!({ "teams": { "$gt": "a" } }), "$gt"),
            (json!({ "language": { "$in": ["a"] } }), "$in"),
            (json!({ "email": { "$exists": true } }), "$exists"),
            (json!({ "color": { "$ne": "a" } }), "$ne"),
            (json!({ "color": { "$autocomplete": "a" } }), "$autocomplete"),
            (json!({ "color": { "$where": "a" } }), "$where"),
            (json!({ "$not": [{ "id": "a" }] }), "$not"),
        ];
        for (filter, text) in cases {
            get(server, USERS, &json!({ "filter_conditions": filter })).await.expect_error(400, 4, text);
        }
    }

    async fn a_value_of_the_wrong_type_is_refused(server: TestServer) {
        let cases = [
            (json!({ "id": 5 }), "field `id` contains type number. expecting string"),
            (json!({ "id": { "$in": "a" } }), "field `id` contains type string. expecting array"),
            (json!({ "banned": "yes" }), "field `banned` contains type string. expecting boolean"),
            (json!({ "id": { "$exists": 1 } }), "$exists operator only support boolean values"),
            (json!({ "created_at": "yesterday" }), "created_at"),
            (json!({ "id": null }), "id"),
            (json!({ "name": { "$autocomplete": "" } }), "$autocomplete"),
            (json!({ "name": { "$autocomplete": "!?" } }), "$autocomplete"),
        ];
        for (filter, text) in cases {
            get(server, USERS, &json!({ "filter_conditions": filter })).await.expect_error(400, 4, text);
        }
    }

    async fn users_are_sorted_as_asked_and_newest_first_otherwise(server: TestServer) {
        three_users(server).await;
        let cases: &[(Value, &[&str])] = &[
            (json!([]), &["eve", "bob", "ann"]),
            (json!([{ "field": "created_at", "direction": 1 }]), &["ann", "bob", "eve"]),
            (json!([{ "field": "id" }]), &["ann", "bob", "eve"]),
            (json!([{ "field": "id", "direction": -1 }]), &["eve", "bob", "ann"]),
            (json!([{ "field": "role", "direction": -1 }, { "field": "id", "direction": -1 }]),
             &["eve", "bob", "ann"]),
            (json!({ "id": -1 }), &["eve", "bob", "ann"]),
        ];
        for (sort, expected) in cases {
            let found = found(server, json!({ "filter_conditions": {}, "sort": sort })).await;
            assert_eq!(found, *expected, "{sort}");
        }
    }

    async fn users_are_sorted_by_at_most_five_fields(server: TestServer) {
        let fields = ["id", "name", "role", "language", "a", "b"];
        let sort: Vec<Value> = fields.map(|field| json!({ "field": field })).into();
        let payload = |sort: &[Value]| json!({ "filter_conditions": {}, "sort": sort });
        get(server, USERS, &payload(&sort)).await.expect_error(400, 4, "sort");
        get_ok(server, USERS, &payload(&sort[..5])).await;
    }

    async fn users_come_in_pages(server: TestServer) {
        let ids: Vec<String> = (0..35).map(|number| format!("u{number:02}")).collect();
        server.users(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let payload = |limit: Value, offset: i64| {
            json!({ "filter_conditions": {}, "sort": [{ "field": "id" }], "limit": limit, "offset": offset })
        };
        assert_eq!(found(server, payload(Value::Null, 0)).await.len(), 30);
        assert_eq!(found(server, payload(json!(100), 0)).await, ids);
        assert_eq!(found(server, payload(json!(2), 33)).await, ids[33..]);
        assert_eq!(found(server, payload(json!(2), 1000)).await.len(), 0);
        get(server, USERS, &payload(json!(101), 0)).await.expect_error(400, 4, "limit must be 100 or less");
        get(server, USERS, &payload(json!(2), 1001)).await.expect_error(400, 4, "offset");
        get(server, USERS, &payload(json!(-1), 0)).await.expect_error(400, 4, "limit");
        get(server, USERS, &payload(json!(1), -1)).await.expect_error(400, 4, "offset");
    }

    async fn users_come_in_pages_counted_from_an_id(server: TestServer) {
        server.users(&["a", "b", "c"]).await;
        let cases: &[(Value, &[&str])] = &[
            (json!({ "id_lt": "b" }), &["a"]),
            (json!({ "id_lte": "b" }), &["a", "b"]),
            (json!({ "id_gt": "b" }), &["c"]),
            (json!({ "id_gte": "b", "limit": 1 }), &["b"]),
            (json!({ "id_gt": "a", "filter_conditions": { "id": { "$in": ["a", "b"] } } }), &["b"]),
            (json!({ "id_gt": "" }), &["a", "b", "c"]),
        ];
        for (page, expected) in cases {
            let mut payload = json!({ "filter_conditions": {}, "sort": [{ "field": "id", "direction": 1 }] });
            payload.as_object_mut().unwrap().extend(page.as_object().unwrap().clone());
            assert_eq!(found(server, payload).await, *expected, "{page}");
        }
    }

    async fn a_server_cannot_subscribe_to_presence(server: TestServer) {
        let payload = json!({ "filter_conditions": {}, "presence": true });
        get(server, USERS, &payload).await.expect_error(400, 4, "presence");
    }

    async fn users_are_found_with_what_they_have_not_read(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.send("general", "jane", "m1", "hello").await;
        server.send("general", "jane", "m2", "hello again").await;
        let body = get_ok(server, USERS, &json!({ "filter_conditions": { "id": "joe" } })).await;
        let joe = &body["users"][0];
        assert_eq!((&joe["total_unread_count"], &joe["unread_channels"]), (&json!(2), &json!(1)));
    }
}
