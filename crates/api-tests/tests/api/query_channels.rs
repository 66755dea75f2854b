use std::time::Duration;

use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{post, post_ok, sorted, texts};

const CHANNELS: &str = "/api/v2/chat/channels";
/// The channels that [`channels`] creates, as far as they have explicit ids.
const EXPLICIT: [&str; 3] = ["alpha", "beta", "gamma"];

/// Four channels, a second apart; at the end two messages in alpha. Answers the id of the distinct one.
async fn channels(server: &TestServer) -> String {
    let users = json!({ "jane": { "id": "jane", "name": "Jane Doe" }, "joe": { "id": "joe", "name": "Joe" },
                        "eve": { "id": "eve", "name": "Eve Janeway" } });
    post_ok(server, "/api/v2/users", &json!({ "users": users })).await;
    let create = async |path: &str, data: Value| {
        let body = post_ok(server, &format!("{CHANNELS}/{path}/query"), &json!({ "data": data })).await;
        server.advance(Duration::from_secs(1));
        body["channel"]["id"].as_str().unwrap().to_owned()
    };
    let jane = json!({ "user_id": "jane", "channel_role": "channel_moderator" });
    create(
        "messaging/alpha",
        json!({
            "created_by_id": "jane", "members": [jane, "joe"], "team": "red", "filter_tags": ["x", "y"],
            "custom": { "name": "Alpha Team", "color": "blue", "level": 9, "tags": ["new"] },
        }),
    )
    .await;
    create(
        "team/beta",
        json!({
            "created_by_id": "jane", "members": ["jane"], "invites": ["eve"], "frozen": true,
            "filter_tags": ["y"], "custom": { "name": "Beta Crew", "color": "Blue", "level": 10 },
        }),
    )
    .await;
    create(
        "livestream/gamma",
        json!({
            "created_by_id": "joe", "members": ["joe"], "disabled": true,
            "custom": { "name": "gamma", "level": "9" },
        }),
    )
    .await;
    let distinct = create("messaging", json!({ "created_by_id": "eve", "members": ["eve", "joe"] })).await;
    server.send("alpha", "joe", "m1", "hello").await;
    server.advance(Duration::from_secs(1));
    server.send("alpha", "joe", "m2", "hello again").await;
    distinct
}

/// The channels that a question finds, in order; the distinct one by the word.
async fn found(server: &TestServer, body: &Value) -> Vec<String> {
    let ids = texts(&post_ok(server, CHANNELS, body).await["channels"], "/channel/id");
    ids.into_iter().map(|id| if id.starts_with('!') { "distinct".to_owned() } else { id }).collect()
}

/// Requires of each filter that it finds these channels, on behalf of a user if one is named.
async fn check(server: &TestServer, user_id: Option<&str>, cases: &[(Value, &[&str])]) {
    for (filter, expected) in cases {
        let body = json!({ "filter_conditions": filter, "user_id": user_id });
        let mut found = found(server, &body).await;
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{filter}");
    }
}

both_databases! {
    async fn an_empty_filter_finds_every_channel_the_last_updated_first(server: TestServer) {
        channels(server).await;
        assert_eq!(found(server, &json!({})).await, ["alpha", "distinct", "gamma", "beta"]);
        assert_eq!(found(server, &json!({ "filter_conditions": {} })).await.len(), 4);
    }

    async fn channels_are_found_by_identity(server: TestServer) {
        let distinct = channels(server).await;
        check(server, None, &[
            (json!({ "cid": "messaging:alpha" }), &["alpha"]),
            (json!({ "cid": { "$in": ["messaging:alpha", "team:beta", "team:none"] } }), &["alpha", "beta"]),
            (json!({ "cid": { "$gt": "messaging:alpha" } }), &["beta"]),
            (json!({ "id": "beta" }), &["beta"]),
            (json!({ "id": distinct }), &["distinct"]),
            (json!({ "id": { "$gte": "alpha", "$lt": "gamma" } }), &["alpha", "beta"]),
            (json!({ "type": "messaging" }), &["alpha", "distinct"]),
            (json!({ "type": { "$in": ["team", "livestream"] } }), &["beta", "gamma"]),
            (json!({ "distinct": true }), &["distinct"]),
            (json!({ "distinct": false }), &EXPLICIT),
        ]).await;
    }

    async fn channels_are_found_by_their_built_in_data(server: TestServer) {
        channels(server).await;
        check(server, None, &[
            (json!({ "team": "red" }), &["alpha"]),
            (json!({ "team": { "$exists": false } }), &["beta", "gamma", "distinct"]),
            (json!({ "created_by_id": "jane" }), &["alpha", "beta"]),
            (json!({ "created_by_id": { "$in": ["joe", "eve"] } }), &["gamma", "distinct"]),
            (json!({ "frozen": true }), &["beta"]),
            (json!({ "frozen": { "$in": [true] } }), &["beta"]),
            (json!({ "disabled": false }), &["alpha", "beta", "distinct"]),
            (json!({ "disabled": true }), &["gamma"]),
            (json!({ "member_count": 1 }), &["gamma"]),
            (json!({ "member_count": { "$gte": 2 } }), &["alpha", "beta", "distinct"]),
            (json!({ "message_count": { "$gt": 1 } }), &["alpha"]),
            (json!({ "filter_tags": { "$in": ["x", "z"] } }), &["alpha"]),
            (json!({ "filter_tags": { "$in": ["y"] } }), &["alpha", "beta"]),
            (json!({ "filter_tags": ["y", "x"] }), &["alpha"]),
            (json!({ "filter_tags": { "$eq": ["y"] } }), &["beta"]),
            (json!({ "blocked": false }), &["alpha", "beta", "gamma", "distinct"]),
            (json!({ "app_banned": "excluded" }), &["alpha", "beta", "gamma", "distinct"]),
            (json!({ "app_banned": "only" }), &[]),
        ]).await;
    }

    async fn channels_are_found_by_time(server: TestServer) {
        channels(server).await;
        check(server, None, &[
            (json!({ "created_at": { "$gt": "2026-01-02T03:04:06.5Z" } }), &["gamma", "distinct"]),
            (json!({ "created_at": { "$lte": "2026-01-02T03:04:05.5Z" } }), &["alpha"]),
            (json!({ "updated_at": { "$lt": "2026-01-02T03:04:06.5Z" } }), &["alpha", "beta"]),
            (json!({ "last_message_at": { "$exists": true } }), &["alpha"]),
            (json!({ "last_message_at": { "$gte": "2026-01-02T03:04:10Z" } }), &["alpha"]),
            (json!({ "last_message_at": null }), &["beta", "gamma", "distinct"]),
            (json!({ "last_updated": { "$gt": "2026-01-02T03:04:09Z" } }), &["alpha"]),
            (json!({ "last_updated": { "$lte": "2026-01-02T03:04:07.5Z" } }), &["beta", "gamma"]),
        ]).await;
    }

    async fn channels_are_found_by_their_members(server: TestServer) {
        channels(server).await;
        check(server, None, &[
            (json!({ "members": { "$in": ["jane"] } }), &["alpha", "beta"]),
            (json!({ "members": { "$in": ["jane", "eve", "nobody"] } }), &["alpha", "beta", "distinct"]),
            (json!({ "members": { "$in": [] } }), &[]),
            (json!({ "members": ["joe", "jane"] }), &["alpha"]),
            (json!({ "members": { "$eq": ["joe"] } }), &["gamma"]),
            (json!({ "members": ["joe", "nobody"] }), &[]),
            (json!({ "member.user.name": "Jane Doe" }), &["alpha", "beta"]),
            (json!({ "member.user.name": { "$autocomplete": "jane" } }), &["alpha", "beta", "distinct"]),
            (json!({ "$and": [{ "members": { "$in": ["jane"] } }, { "members": { "$in": ["joe"] } }] }),
             &["alpha"]),
            (json!({ "$nor": [{ "members": { "$in": ["jane"] } }] }), &["gamma", "distinct"]),
        ]).await;
    }

    async fn channels_are_found_by_name_and_custom_data(server: TestServer) {
        channels(server).await;
        check(server, None, &[
            (json!({ "name": "Alpha Team" }), &["alpha"]),
            (json!({ "name": { "$autocomplete": "al" } }), &["alpha"]),
            (json!({ "name": { "$autocomplete": "CRE" } }), &["beta"]),
            (json!({ "name": { "$q": "team" } }), &["alpha"]),
            (json!({ "name": { "$q": "tea" } }), &[]),
            (json!({ "name": { "$exists": false } }), &["distinct"]),
            (json!({ "name": { "$in": ["gamma", "Beta Crew"] } }), &["beta", "gamma"]),
            (json!({ "name": { "$gt": "Beta" } }), &["beta", "gamma"]),
            (json!({ "color": "blue" }), &["alpha"]),
            (json!({ "color": { "$ne": "blue" } }), &["beta", "gamma", "distinct"]),
            (json!({ "color": { "$autocomplete": "bl" } }), &["alpha", "beta"]),
            (json!({ "color": { "$q": "blue" } }), &["alpha", "beta"]),
            (json!({ "color": { "$exists": true } }), &["alpha", "beta"]),
            (json!({ "level": { "$gt": 9 } }), &["beta"]),
            (json!({ "level": { "$in": [9, 10] } }), &["alpha", "beta"]),
            (json!({ "level": { "$nin": [9, 10] } }), &["gamma", "distinct"]),
            (json!({ "level": { "$lte": "9" } }), &["gamma"]),
            (json!({ "tags": { "$contains": "new" } }), &["alpha"]),
        ]).await;
    }

    async fn channels_are_found_by_what_they_are_to_a_user(server: TestServer) {
        channels(server).await;
        check(server, Some("jane"), &[
            (json!({ "joined": true }), &["alpha", "beta"]),
            (json!({ "joined": false }), &["gamma", "distinct"]),
            (json!({ "channel_role": "channel_moderator" }), &["alpha"]),
            (json!({ "channel_role": { "$in": ["channel_member", "x"] } }), &["beta"]),
            (json!({ "has_unread": true }), &["alpha"]),
            (json!({ "pinned": true }), &[]),
            (json!({ "archived": true }), &[]),
            (json!({ "muted": true }), &[]),
            (json!({ "hidden": true }), &[]),
            (json!({ "members": { "$in": ["jane"] }, "pinned": false, "archived": false, "muted": false }),
             &["alpha", "beta"]),
        ]).await;
    }

    async fn channels_are_found_by_the_invites_of_a_user(server: TestServer) {
        channels(server).await;
        check(server, Some("eve"), &[
            (json!({ "invite": "pending" }), &["beta"]),
            (json!({ "invite": "accepted" }), &[]),
            (json!({ "joined": true }), &["distinct"]),
        ]).await;
        let beta = format!("{CHANNELS}/team/beta");
        post_ok(server, &beta, &json!({ "accept_invite": true, "user_id": "eve" })).await;
        check(server, Some("eve"), &[
            (json!({ "invite": "pending" }), &[]),
            (json!({ "invite": { "$eq": "accepted" } }), &["beta"]),
            (json!({ "joined": true }), &["beta", "distinct"]),
        ]).await;
        post_ok(server, &beta, &json!({ "invites": ["joe"] })).await;
        post_ok(server, &beta, &json!({ "reject_invite": true, "user_id": "joe" })).await;
        check(server, Some("joe"), &[
            (json!({ "invite": "rejected" }), &["beta"]),
            (json!({ "joined": true }), &["alpha", "gamma", "distinct"]),
        ]).await;
    }

    async fn hidden_channels_are_found_only_when_asked_for(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let data = json!({ "created_by_id": "jane", "members": ["jane", "joe"] });
        let body = json!({ "hide_for_creator": true, "data": data });
        post_ok(server, &format!("{CHANNELS}/messaging/secret/query"), &body).await;
        let mine = json!({ "members": { "$in": ["jane"] } });
        check(server, Some("jane"), &[(mine.clone(), &[]), (json!({ "hidden": true }), &["secret"])]).await;
        check(server, Some("joe"), &[(mine.clone(), &["secret"])]).await;
        check(server, None, &[(mine.clone(), &["secret"])]).await;
        server.send("secret", "joe", "m1", "hello").await;
        check(server, Some("jane"), &[(mine, &["secret"]), (json!({ "hidden": true }), &[])]).await;
    }

    async fn filters_about_a_user_need_one(server: TestServer) {
        for filter in [
            json!({ "muted": true }),
            json!({ "pinned": true }),
            json!({ "archived": true }),
            json!({ "hidden": true }),
            json!({ "invite": "pending" }),
            json!({ "joined": true }),
            json!({ "has_unread": true }),
            json!({ "channel_role": "channel_member" }),
            json!({ "$or": [{ "id": "a" }, { "$nor": [{ "joined": true }] }] }),
        ] {
            let reply = post(server, CHANNELS, &json!({ "filter_conditions": filter })).await;
            reply.expect_error(400, 4, "requires a valid user");
        }
        let unknown = json!({ "filter_conditions": { "joined": true }, "user_id": "nobody" });
        post(server, CHANNELS, &unknown).await.expect_error(400, 4, "nobody");
    }

    async fn operators_that_a_field_does_not_have_are_refused_by_name(server: TestServer) {
        server.users(&["jane"]).await;
        for (filter, text) in [
            (json!({ "cid": { "$ne": "a" } }), "$ne"),
            (json!({ "type": { "$autocomplete": "a" } }), "$autocomplete"),
            (json!({ "frozen": { "$nin": [true] } }), "$nin"),
            (json!({ "members": { "$nin": ["a"] } }), "$nin"),
            (json!({ "member.user.name": { "$in": ["a"] } }), "$in"),
            (json!({ "name": { "$contains": "a" } }), "$contains"),
            (json!({ "muted": { "$ne": true } }), "$ne"),
            (json!({ "joined": { "$exists": true } }), "$exists"),
            (json!({ "invite": { "$in": ["pending"] } }), "$in"),
            (json!({ "channel_role": { "$gt": "a" } }), "$gt"),
            (json!({ "app_banned": { "$in": ["only"] } }), "$in"),
            (json!({ "filter_tags": { "$gt": "a" } }), "$gt"),
            (json!({ "color": { "$regex": "a" } }), "$regex"),
            (json!({ "$xor": [{ "id": "a" }] }), "$xor"),
            (json!({ "pinned_at": { "$exists": true } }), "pinned_at"),
        ] {
            let body = json!({ "filter_conditions": filter, "user_id": "jane" });
            post(server, CHANNELS, &body).await.expect_error(400, 4, text);
        }
    }

    async fn values_of_the_wrong_type_are_refused(server: TestServer) {
        server.users(&["jane"]).await;
        for (filter, text) in [
            (json!({ "id": 1 }), "field `id` contains type number. expecting string"),
            (json!({ "frozen": 1 }), "field `frozen` contains type number. expecting boolean"),
            (json!({ "member_count": "2" }), "field `member_count` contains type string. expecting"),
            (json!({ "created_at": { "$gt": "soon" } }), "created_at"),
            (json!({ "id": { "$exists": "true" } }), "$exists operator only support boolean values"),
            (json!({ "members": { "$in": "jane" } }), "members"),
            (json!({ "members": { "$in": [1] } }), "members"),
            (json!({ "invite": "unknown" }), "invite"),
            (json!({ "app_banned": "all" }), "app_banned"),
            (json!({ "$and": {} }), "$and"),
            (json!({ "$or": [] }), "$or"),
            (json!({ "name": { "$autocomplete": "" } }), "$autocomplete"),
        ] {
            let body = json!({ "filter_conditions": filter, "user_id": "jane" });
            post(server, CHANNELS, &body).await.expect_error(400, 4, text);
        }
    }

    async fn channels_are_sorted_as_asked(server: TestServer) {
        channels(server).await;
        let by = |field: &str, direction: i32| json!([{ "field": field, "direction": direction }]);
        for (sort, expected) in [
            (by("created_at", 1), ["alpha", "beta", "gamma", "distinct"]),
            (by("created_at", -1), ["distinct", "gamma", "beta", "alpha"]),
            (by("updated_at", 1), ["alpha", "beta", "gamma", "distinct"]),
            (by("id", -1), ["gamma", "beta", "alpha", "distinct"]),
            (by("last_updated", 1), ["beta", "gamma", "distinct", "alpha"]),
            (json!([{ "field": "member_count" }, { "field": "created_at", "direction": -1 }]),
             ["gamma", "distinct", "beta", "alpha"]),
            (json!({ "created_at": -1 }), ["distinct", "gamma", "beta", "alpha"]),
            // Ties go by cid: livestream, messaging with the sign before the letter, team.
            (by("disabled_reason", 1), ["gamma", "distinct", "alpha", "beta"]),
        ] {
            assert_eq!(found(server, &json!({ "sort": sort })).await, expected, "{sort}");
        }
    }

    async fn channels_are_sorted_by_custom_fields_as_the_type_says(server: TestServer) {
        channels(server).await;
        let filter = json!({ "level": { "$in": [9, 10] } });
        let body = |sort: Value| json!({ "filter_conditions": filter, "sort": sort });
        let number = json!([{ "field": "level", "direction": -1, "type": "number" }]);
        assert_eq!(found(server, &body(number)).await, ["beta", "alpha"]);
        let text = json!([{ "field": "color", "direction": 1 }]);
        assert_eq!(found(server, &body(text)).await, ["beta", "alpha"]);
    }

    async fn channels_are_sorted_by_what_is_unread(server: TestServer) {
        channels(server).await;
        for field in ["unread_count", "has_unread"] {
            let newest = json!({ "field": "created_at", "direction": -1 });
            let sort = json!([{ "field": field, "direction": -1 }, newest]);
            let body = json!({ "user_id": "jane", "sort": sort, "filter_conditions": { "joined": true } });
            assert_eq!(found(server, &body).await, ["alpha", "beta"], "{field}");
        }
        let pinned = json!({ "user_id": "jane", "sort": [{ "field": "pinned_at", "direction": 1 }] });
        assert_eq!(found(server, &pinned).await.len(), 4);
    }

    async fn nothing_is_unread_where_reading_is_not_told(server: TestServer) {
        channels(server).await;
        let data = json!({ "data": { "created_by_id": "joe", "members": ["joe", "jane"] } });
        post_ok(server, &format!("{CHANNELS}/livestream/live/query"), &data).await;
        for number in 0..3 {
            let message = json!({ "message": { "id": format!("l{number}"), "user_id": "joe", "text": "hello" } });
            post_ok(server, &format!("{CHANNELS}/livestream/live/message"), &message).await;
        }
        let ask = async |filter: Value, sort: Value| {
            found(server, &json!({ "user_id": "jane", "filter_conditions": filter, "sort": sort })).await
        };
        let by_id = json!([{ "field": "id" }]);
        assert_eq!(ask(json!({ "has_unread": true }), by_id.clone()).await, ["alpha"]);
        assert_eq!(ask(json!({ "has_unread": false, "joined": true }), by_id).await, ["beta", "live"]);
        for field in ["unread_count", "has_unread"] {
            let sort = json!([{ "field": field, "direction": -1 }, { "field": "id" }]);
            assert_eq!(ask(json!({ "joined": true }), sort).await, ["alpha", "beta", "live"], "{field}");
        }
    }

    async fn a_sort_has_at_most_five_known_fields(server: TestServer) {
        let sort: Vec<Value> = ["a", "b", "c", "d", "e", "f"].map(|field| json!({ "field": field })).into();
        post(server, CHANNELS, &json!({ "sort": sort })).await.expect_error(400, 4, "sort");
        post_ok(server, CHANNELS, &json!({ "sort": sort[..5] })).await;
        for (entry, text) in [
            (json!({ "field": "created_at", "direction": 2 }), "direction"),
            (json!({ "field": "members" }), "members"),
            (json!({ "direction": 1 }), "field"),
        ] {
            post(server, CHANNELS, &json!({ "sort": [entry] })).await.expect_error(400, 4, text);
        }
    }

    async fn channels_come_in_pages_of_ten_and_never_more_than_thirty(server: TestServer) {
        server.users(&["jane"]).await;
        for number in 0..32 {
            server.channel(&format!("c{number:02}"), &["jane"]).await;
        }
        let page = |limit: Option<i64>, offset: i64| {
            json!({ "limit": limit, "offset": offset, "sort": [{ "field": "cid" }] })
        };
        assert_eq!(found(server, &page(None, 0)).await.len(), 10);
        assert_eq!(found(server, &page(Some(30), 0)).await.len(), 30);
        assert_eq!(found(server, &page(Some(100), 0)).await.len(), 30);
        assert_eq!(found(server, &page(Some(2), 29)).await, ["c29", "c30"]);
        assert_eq!(found(server, &page(Some(2), 1000)).await, [""; 0]);
        post(server, CHANNELS, &page(Some(2), 1001)).await.expect_error(400, 4, "offset");
        post(server, CHANNELS, &page(Some(-1), 0)).await.expect_error(400, 4, "limit");
    }

    async fn messages_and_members_of_each_channel_are_limited(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.channel("other", &["jane"]).await;
        for number in 0..26 {
            server.send("general", "jane", &format!("m{number:02}"), "hello").await;
        }
        let ask = async |body: Value| post_ok(server, CHANNELS, &body).await["channels"][0].clone();
        let channel = ask(json!({ "message_limit": 2, "member_limit": 1 })).await;
        assert_eq!(texts(&channel["messages"], "/id"), ["m24", "m25"]);
        assert_eq!(channel["members"].as_array().unwrap().len(), 1);
        assert_eq!(sorted(&channel["read"], "/user/id"), ["jane", "joe"]);
        let channel = ask(json!({})).await;
        assert_eq!(channel["messages"].as_array().unwrap().len(), 25);
        assert_eq!(channel["members"].as_array().unwrap().len(), 2);
        let member_limit = json!({ "member_limit": 101 });
        post(server, CHANNELS, &member_limit).await.expect_error(400, 4, "member_limit must be 100 or less");
        let message_limit = json!({ "message_limit": 301 });
        let text = "message_limit must be 300 or less";
        post(server, CHANNELS, &message_limit).await.expect_error(400, 4, text);
    }

    async fn without_state_channels_come_without_messages_members_and_reads(server: TestServer) {
        channels(server).await;
        let body = json!({ "filter_conditions": { "id": "alpha" }, "state": false });
        let channel = post_ok(server, CHANNELS, &body).await["channels"][0].clone();
        assert_eq!(channel["channel"]["member_count"], 2);
        assert_eq!((&channel["messages"], &channel["members"]), (&json!([]), &json!([])));
        assert!(channel.get("read").is_none_or(|read| *read == json!([])), "{channel}");
    }

    async fn a_user_s_view_of_a_channel_has_the_membership(server: TestServer) {
        channels(server).await;
        let body = |user: &str| json!({ "filter_conditions": { "id": "alpha" }, "user_id": user });
        let own = post_ok(server, CHANNELS, &body("jane")).await["channels"][0].clone();
        assert_eq!(own["membership"]["user_id"], "jane");
        assert_eq!(own["membership"]["channel_role"], "channel_moderator");
        let others = post_ok(server, CHANNELS, &body("eve")).await["channels"][0].clone();
        assert_eq!(others.get("membership"), None);
        // A user given as an object is created.
        let body = json!({ "user": { "id": "new" }, "filter_conditions": { "joined": true } });
        assert_eq!(found(server, &body).await, [""; 0]);
    }

    async fn a_server_cannot_watch(server: TestServer) {
        for field in ["watch", "presence"] {
            post(server, CHANNELS, &json!({ field: true })).await.expect_error(400, 4, field);
        }
    }

    async fn an_unknown_stored_filter_is_refused(server: TestServer) {
        let reply = post(server, CHANNELS, &json!({ "predefined_filter": "mine" })).await;
        reply.expect_error(400, 4, "mine");
    }
}
