use std::time::Duration;

use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{get, get_ok, post_ok, sorted, texts};

const MEMBERS: &str = "/api/v2/chat/members";
const GENERAL: &str = "/api/v2/chat/channels/messaging/general";

/// A channel whose members joined a second after one another: ann, a moderator; bob; eve, who was invited.
async fn general(server: &TestServer) {
    let users = json!({
        "ann": { "id": "ann", "name": "Ann Smith", "custom": { "email": "ann@example.com" } },
        "bob": { "id": "bob", "name": "Bob Annson", "custom": { "email": "bob@example.com" } },
        "eve": { "id": "eve" },
    });
    post_ok(server, "/api/v2/users", &json!({ "users": users })).await;
    let ann = json!({ "user_id": "ann", "channel_role": "channel_moderator", "custom": { "color": "blue" } });
    let data = json!({ "created_by_id": "ann", "members": [ann] });
    post_ok(server, &format!("{GENERAL}/query"), &json!({ "data": data })).await;
    let bob = json!({ "user_id": "bob", "custom": { "level": 5, "tags": ["new"] } });
    for change in [json!({ "add_members": [bob] }), json!({ "invites": ["eve"] })] {
        server.advance(Duration::from_secs(1));
        post_ok(server, GENERAL, &change).await;
    }
}

/// A question about the channel general.
fn about(mut payload: Value) -> Value {
    payload["type"] = json!("messaging");
    payload["id"] = json!("general");
    if payload.get("filter_conditions").is_none() {
        payload["filter_conditions"] = json!({});
    }
    payload
}

async fn found(server: &TestServer, payload: Value) -> Vec<String> {
    texts(&get_ok(server, MEMBERS, &about(payload)).await["members"], "/user_id")
}

/// The user as servers see him or her.
async fn user(server: &TestServer, id: &str) -> Value {
    let query = json!({ "filter_conditions": { "id": id } });
    get_ok(server, "/api/v2/users", &query).await["users"][0].clone()
}

both_databases! {
    async fn servers_name_members_by_user_objects(server: TestServer) {
        general(server).await;
        let ann = json!({ "user": { "id": "ann", "custom": { "email": "a@example.com" } } });
        let data = json!({
            "created_by_id": "bob",
            "members": [ann, { "user_id": null, "user": { "id": "new", "name": "New" } }],
            "invites": [{ "user_id": "bob", "user": { "id": "bob" } }],
        });
        let path = "/api/v2/chat/channels/messaging/other";
        let made = post_ok(server, &format!("{path}/query"), &json!({ "data": data })).await;
        assert_eq!(sorted(&made["members"], "/user_id"), ["ann", "bob", "new"]);
        assert_eq!(user(server, "new").await["name"], "New");
        let ann = user(server, "ann").await;
        assert_eq!((&ann["name"], &ann["custom"]), (&json!("Ann Smith"), &json!({ "email": "a@example.com" })));
        let roles = json!({ "assign_roles": [{ "user": { "id": "ann" }, "channel_role": "channel_moderator" }] });
        let changed = post_ok(server, path, &roles).await;
        assert_eq!(changed["members"][0]["channel_role"], "channel_moderator");
        post_ok(server, path, &json!({ "add_members": [{ "user": { "id": "newer" } }] })).await;
        assert_eq!(user(server, "newer").await["id"], "newer");
        let refused = async |entry: Value, text: &str| {
            let change = json!({ "add_members": [entry] });
            server.raw("POST", path).json(&change).send().await.expect_error(400, 4, text);
        };
        refused(json!({ "channel_role": "channel_member" }), "add_members.user_id is a required field").await;
        refused(json!({ "user_id": "ann", "user": { "id": "eve" } }), "add_members.user.id").await;
        refused(json!({ "user": { "id": "a b" } }), "add_members").await;
    }

    async fn an_object_changes_nobody_when_a_client_adds_members(server: TestServer) {
        general(server).await;
        let add = async |entry: Value| {
            let change = json!({ "add_members": [entry] });
            server.raw("POST", GENERAL).as_user("ann").json(&change).send().await
        };
        add(json!({ "user": { "id": "nobody" } })).await.expect_error(400, 4, "don't exist: [nobody]");
        let added = add(json!({ "user_id": "bob", "user": { "id": "eve", "name": "Other" } })).await;
        assert_eq!(added.status, 201, "{}", added.text);
        assert_eq!(user(server, "bob").await["name"], "Bob Annson");
        assert_eq!(user(server, "eve").await.get("name"), None);
    }

    async fn an_empty_filter_finds_every_member_oldest_first(server: TestServer) {
        general(server).await;
        let body = get_ok(server, MEMBERS, &about(json!({}))).await;
        assert_eq!(texts(&body["members"], "/user_id"), ["ann", "bob", "eve"]);
        let ann = &body["members"][0];
        assert_eq!(ann["user"]["name"], "Ann Smith");
        assert_eq!(ann["channel_role"], "channel_moderator");
        assert_eq!(ann["custom"], json!({ "color": "blue" }));
        assert!(body["duration"].is_string());
    }

    async fn members_are_found_by_every_field(server: TestServer) {
        general(server).await;
        let cases: &[(Value, &[&str])] = &[
            (json!({ "id": "ann" }), &["ann"]),
            (json!({ "id": { "$in": ["ann", "eve"] } }), &["ann", "eve"]),
            (json!({ "user_id": { "$gt": "ann" } }), &["bob", "eve"]),
            (json!({ "user_id": { "$lte": "bob" } }), &["ann", "bob"]),
            (json!({ "cid": "messaging:general" }), &["ann", "bob", "eve"]),
            (json!({ "cid": "messaging:other" }), &[]),
            (json!({ "name": "Ann Smith" }), &["ann"]),
            (json!({ "name": { "$autocomplete": "ann" } }), &["ann", "bob"]),
            (json!({ "name": { "$q": "ann" } }), &["ann"]),
            (json!({ "name": { "$in": ["Bob Annson", "x"] } }), &["bob"]),
            (json!({ "user.email": "ann@example.com" }), &["ann"]),
            (json!({ "user.email": { "$autocomplete": "bob" } }), &["bob"]),
            (json!({ "user.email": { "$q": "example" } }), &["ann", "bob"]),
            (json!({ "user.email": { "$in": ["ann@example.com"] } }), &["ann"]),
            (json!({ "channel_role": "channel_moderator" }), &["ann"]),
            (json!({ "channel_role": { "$in": ["channel_member"] } }), &["bob", "eve"]),
            (json!({ "banned": false }), &["ann", "bob", "eve"]),
            (json!({ "banned": true }), &[]),
            (json!({ "is_moderator": true }), &["ann"]),
            (json!({ "notifications_muted": false }), &["ann", "bob", "eve"]),
            (json!({ "created_at": { "$gt": "2026-01-02T03:04:05.5Z" } }), &["bob", "eve"]),
            (json!({ "updated_at": { "$lt": "2026-01-02T03:04:05.5Z" } }), &["ann"]),
            (json!({ "last_active": { "$exists": false } }), &["ann", "bob", "eve"]),
            (json!({ "user.nd_deactivated": false }), &["ann", "bob", "eve"]),
            (json!({ "color": "blue" }), &["ann"]),
            (json!({ "level": { "$gte": 5 } }), &["bob"]),
            (json!({ "tags": { "$contains": "new" } }), &["bob"]),
            (json!({ "$or": [{ "id": "eve" }, { "is_moderator": true }] }), &["ann", "eve"]),
        ];
        for (filter, expected) in cases {
            let body = get_ok(server, MEMBERS, &about(json!({ "filter_conditions": filter }))).await;
            assert_eq!(sorted(&body["members"], "/user_id"), *expected, "{filter}");
        }
    }

    async fn members_are_found_by_their_invites(server: TestServer) {
        general(server).await;
        let cases: &[(Value, &[&str])] = &[
            (json!({ "invite": "pending" }), &["eve"]),
            (json!({ "invite": "accepted" }), &[]),
            (json!({ "joined": true }), &["ann", "bob"]),
            (json!({ "joined": false }), &["eve"]),
        ];
        for (filter, expected) in cases {
            for payload in [json!({ "filter_conditions": filter, "user_id": "ann" }), json!({ "filter_conditions": filter })] {
                assert_eq!(found(server, payload).await, *expected, "{filter}");
            }
        }
    }

    async fn a_member_whose_invite_was_rejected_has_not_joined(server: TestServer) {
        general(server).await;
        post_ok(server, GENERAL, &json!({ "reject_invite": true, "user_id": "eve" })).await;
        for filter in [json!({ "joined": false }), json!({ "invite": "rejected" })] {
            let payload = json!({ "filter_conditions": filter, "user_id": "ann" });
            assert_eq!(found(server, payload).await, ["eve"], "{filter}");
        }
    }

    async fn operators_and_values_are_checked(server: TestServer) {
        general(server).await;
        let cases = [
            (json!({ "name": { "$gt": "a" } }), "$gt"),
            (json!({ "channel_role": { "$ne": "a" } }), "$ne"),
            (json!({ "banned": { "$in": [true] } }), "$in"),
            (json!({ "created_at": { "$ne": "2026-01-02T03:04:05Z" } }), "$ne"),
            (json!({ "banned": "yes" }), "field `banned` contains type string. expecting boolean"),
            (json!({ "invite": "lost" }), "invite"),
        ];
        for (filter, text) in cases {
            let payload = about(json!({ "filter_conditions": filter, "user_id": "ann" }));
            get(server, MEMBERS, &payload).await.expect_error(400, 4, text);
        }
    }

    async fn members_are_sorted_as_asked(server: TestServer) {
        general(server).await;
        for (sort, expected) in [
            (json!([{ "field": "created_at", "direction": -1 }]), ["eve", "bob", "ann"]),
            (json!([{ "field": "user_id", "direction": -1 }]), ["eve", "bob", "ann"]),
            (json!([{ "field": "name", "direction": 1 }]), ["ann", "bob", "eve"]),
        ] {
            assert_eq!(found(server, json!({ "sort": sort })).await, expected, "{sort}");
        }
        let two = json!([{ "field": "name" }, { "field": "user_id" }]);
        get(server, MEMBERS, &about(json!({ "sort": two }))).await.expect_error(400, 4, "sort");
    }

    async fn members_come_in_pages(server: TestServer) {
        general(server).await;
        assert_eq!(found(server, json!({ "limit": 2 })).await, ["ann", "bob"]);
        assert_eq!(found(server, json!({ "limit": 2, "offset": 2 })).await, ["eve"]);
        assert_eq!(found(server, json!({ "limit": 300, "offset": 10_000 })).await, [""; 0]);
        for (page, text) in [
            (json!({ "limit": 301 }), "limit"),
            (json!({ "offset": 10_001 }), "offset"),
            (json!({ "limit": -1 }), "limit"),
        ] {
            get(server, MEMBERS, &about(page)).await.expect_error(400, 4, text);
        }
    }

    async fn members_come_in_pages_counted_from_an_id_or_a_moment(server: TestServer) {
        general(server).await;
        let bob = get_ok(server, MEMBERS, &about(json!({ "filter_conditions": { "id": "bob" } }))).await;
        let then = &bob["members"][0]["created_at"];
        let cases: &[(Value, &[&str])] = &[
            (json!({ "user_id_lt": "bob" }), &["ann"]),
            (json!({ "user_id_lte": "bob" }), &["ann", "bob"]),
            (json!({ "user_id_gt": "bob" }), &["eve"]),
            (json!({ "user_id_gte": "bob", "limit": 1 }), &["bob"]),
            (json!({ "user_id_gt": "ann", "user_id_lt": "eve" }), &["bob"]),
            (json!({ "user_id_gt": "" }), &["ann", "bob", "eve"]),
            (json!({ "created_at_before": then }), &["ann"]),
            (json!({ "created_at_before_or_equal": then }), &["ann", "bob"]),
            (json!({ "created_at_after": then }), &["eve"]),
            (json!({ "created_at_after_or_equal": then }), &["bob", "eve"]),
        ];
        for (page, expected) in cases {
            assert_eq!(found(server, page.clone()).await, *expected, "{page}");
        }
        get(server, MEMBERS, &about(json!({ "created_at_after": "noon" }))).await.expect_error(400, 4, "created_at_after");
    }

    async fn members_of_a_distinct_channel_are_found_by_naming_them(server: TestServer) {
        server.users(&["ann", "bob"]).await;
        let data = json!({ "created_by_id": "ann", "members": ["ann", "bob"] });
        post_ok(server, "/api/v2/chat/channels/messaging/query", &json!({ "data": data })).await;
        let members = json!([{ "user_id": "bob" }, { "user_id": "ann" }]);
        let payload = json!({ "type": "messaging", "members": members, "filter_conditions": {} });
        let body = get_ok(server, MEMBERS, &payload).await;
        assert_eq!(sorted(&body["members"], "/user_id"), ["ann", "bob"]);
        let plain = json!({ "type": "messaging", "members": ["bob", "ann"], "filter_conditions": {} });
        assert_eq!(get_ok(server, MEMBERS, &plain).await["members"], body["members"]);
    }

    async fn a_question_about_members_names_a_channel_that_exists(server: TestServer) {
        let unknown = json!({ "type": "messaging", "id": "nothing", "filter_conditions": {} });
        get(server, MEMBERS, &unknown).await.expect_error(404, 16, "messaging:nothing");
        let nameless = json!({ "type": "messaging", "filter_conditions": {} });
        get(server, MEMBERS, &nameless).await.expect_error(400, 4, "id");
        server.raw("GET", MEMBERS).send().await.expect_error(400, 4, "payload is a required field");
        server.raw("GET", MEMBERS).query("payload", "{").send().await.expect_error(400, 4, "payload");
    }
}
