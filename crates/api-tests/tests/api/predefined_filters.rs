use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{post, post_ok, texts};

const FILTERS: &str = "/api/v2/chat/predefined_filters";
const CHANNELS: &str = "/api/v2/chat/channels";

fn stored(name: &str, filter: &Value, sort: &Value) -> Value {
    json!({ "name": name, "operation": "QueryChannels", "filter": filter, "sort": sort,
            "description": "for tests" })
}

async fn create(server: &TestServer, name: &str, filter: Value, sort: Value) -> Value {
    post_ok(server, FILTERS, &stored(name, &filter, &sort)).await["predefined_filter"].clone()
}

async fn put(server: &TestServer, name: &str, body: Value) -> RawReply {
    server.raw("PUT", &format!("{FILTERS}/{name}")).json(&body).send().await
}

/// Three channels: jane is in a and b, joe in b and c.
async fn channels(server: &TestServer) {
    server.users(&["jane", "joe"]).await;
    for (id, members) in [("a", ["jane"].as_slice()), ("b", &["jane", "joe"]), ("c", &["joe"])] {
        server.advance(std::time::Duration::from_secs(1));
        server.channel(id, members).await;
    }
}

/// The ids of the channels found.
async fn found(server: &TestServer, query: &Value) -> Vec<String> {
    texts(&post_ok(server, CHANNELS, query).await["channels"], "/channel/id")
}

both_databases! {
    async fn a_filter_is_stored_read_replaced_and_removed(server: TestServer) {
        let filter = json!({ "members": { "$in": ["{{me}}"] } });
        let sort = json!([{ "field": "created_at", "direction": -1 }]);
        let created = create(server, "mine", filter.clone(), sort.clone()).await;
        assert_eq!((&created["name"], &created["operation"]), (&json!("mine"), &json!("QueryChannels")));
        assert_eq!((&created["filter"], &created["sort"]), (&filter, &sort));
        assert_eq!(created["description"], "for tests");
        let one = server.raw("GET", &format!("{FILTERS}/mine")).send().await;
        assert_eq!((one.status, &one.body["predefined_filter"]), (200, &created), "{}", one.text);
        create(server, "all", json!({}), json!([])).await;
        let all = server.raw("GET", FILTERS).send().await;
        assert_eq!(texts(&all.body["predefined_filters"], "/name"), ["all", "mine"]);

        server.advance(std::time::Duration::from_secs(1));
        let replaced = put(server, "mine", json!({ "filter": { "frozen": false } })).await;
        assert_eq!(replaced.status, 201, "{}", replaced.text);
        let replaced = &replaced.body["predefined_filter"];
        assert_eq!((&replaced["filter"], &replaced["sort"]), (&json!({ "frozen": false }), &json!([])));
        assert_eq!((&replaced["description"], &replaced["created_at"]), (&json!(""), &created["created_at"]));
        assert!(replaced["updated_at"].as_i64() > created["updated_at"].as_i64());

        let path = format!("{FILTERS}/mine");
        assert_eq!(server.raw("DELETE", &path).send().await.status, 200);
        server.raw("GET", &path).send().await.expect_error(404, 16, "mine");
        server.raw("DELETE", &path).send().await.expect_error(404, 16, "mine");
        put(server, "mine", json!({ "filter": {} })).await.expect_error(404, 16, "mine");
    }

    async fn what_is_not_valid_is_not_stored(server: TestServer) {
        let valid = stored("mine", &json!({ "frozen": false }), &json!([]));
        for (field, value) in [
            ("name", json!(null)),
            ("name", json!("")),
            ("name", json!("not valid")),
            ("name", json!("x".repeat(256))),
            ("operation", json!(null)),
            ("operation", json!("QueryUsers")),
            ("filter", json!(null)),
            ("filter", json!({ "frozen": { "$gt": {} } })),
            ("filter", json!({ "$dance": 1 })),
            ("sort", json!([{ "field": "created_by_id", "direction": 5 }])),
            ("sort", json!(vec![json!({ "field": "created_at" }); 6])),
            ("description", json!("x".repeat(1025))),
        ] {
            let mut body = valid.clone();
            body[field] = value;
            post(server, FILTERS, &body).await.expect_error(400, 4, field);
        }
        let big = stored("mine", &json!({ "topic": "x".repeat(17_000) }), &json!([]));
        post(server, FILTERS, &big).await.expect_error(413, 22, "filter");
        post_ok(server, FILTERS, &valid).await;
        post(server, FILTERS, &valid).await.expect_error(400, 4, "already exists");
        put(server, "mine", json!({})).await.expect_error(400, 4, "filter is a required field");
    }

    async fn an_app_stores_at_most_a_hundred(server: TestServer) {
        for number in 0..100 {
            create(server, &format!("f{number}"), json!({}), json!([])).await;
        }
        let more = stored("one-more", &json!({}), &json!([]));
        post(server, FILTERS, &more).await.expect_error(400, 4, "at most 100");
    }

    async fn a_query_fills_in_the_placeholders(server: TestServer) {
        channels(server).await;
        let filter = json!({ "members": { "$in": "{{who}}" }, "type": "{{ kind }}", "frozen": "{{frozen}}" });
        create(server, "of", filter, json!([{ "field": "{{by}}", "direction": 1 }])).await;
        let query = json!({
            "predefined_filter": "of",
            "filter_values": { "who": ["jane"], "kind": "messaging", "frozen": false },
            "sort_values": { "by": "created_at" },
        });
        let reply = post_ok(server, CHANNELS, &query).await;
        assert_eq!(texts(&reply["channels"], "/channel/id"), ["a", "b"]);
        let applied = &reply["predefined_filter"];
        assert_eq!(applied["name"], "of");
        assert_eq!(
            applied["filter"],
            json!({ "members": { "$in": ["jane"] }, "type": "messaging", "frozen": false })
        );
        assert_eq!(applied["sort"], json!([{ "field": "created_at", "direction": 1 }]));
        let plain = post_ok(server, CHANNELS, &json!({ "filter_conditions": { "id": "a" } })).await;
        assert_eq!(plain.get("predefined_filter"), None);
    }

    async fn placeholders_stand_within_texts_and_lists_too(server: TestServer) {
        channels(server).await;
        let filter = json!({ "$or": [{ "cid": "{{kind}}:{{id}}" }, { "id": { "$in": ["{{id2}}", "z"] } }] });
        create(server, "one", filter, json!([{ "field": "created_at" }])).await;
        let values = json!({ "kind": "messaging", "id": "a", "id2": "c" });
        let query = json!({ "predefined_filter": "one", "filter_values": values });
        assert_eq!(found(server, &query).await, ["a", "c"]);
        let values = json!({ "kind": ["messaging"], "id": "a", "id2": "c" });
        let query = json!({ "predefined_filter": "one", "filter_values": values });
        post(server, CHANNELS, &query).await.expect_error(400, 4, "filter_values.kind");
    }

    async fn placeholders_without_a_value_are_refused(server: TestServer) {
        channels(server).await;
        let sort = json!([{ "field": "{{by}}" }]);
        create(server, "of", json!({ "members": { "$in": ["{{who}}"] } }), sort).await;
        let query = |filter: Value, sort: Value| {
            json!({ "predefined_filter": "of", "filter_values": filter, "sort_values": sort })
        };
        let by = json!({ "by": "created_at" });
        let reply = post(server, CHANNELS, &query(json!({}), by.clone())).await;
        reply.expect_error(400, 4, "who");
        let who = json!({ "who": "jane" });
        post(server, CHANNELS, &query(who.clone(), json!({}))).await.expect_error(400, 4, "by");
        post(server, CHANNELS, &query(who.clone(), json!({ "by": 5 }))).await.expect_error(400, 4, "sort_values");
        post(server, CHANNELS, &query(json!({ "who": { "$gt": 1 } }), by)).await.expect_error(400, 4, "members");
        assert_eq!(found(server, &query(who, json!({ "by": "created_at" }))).await, ["a", "b"]);
    }

    async fn a_stored_filter_stands_in_place_of_one_in_the_query(server: TestServer) {
        create(server, "all", json!({}), json!([])).await;
        for more in [json!({ "filter_conditions": { "id": "a" } }), json!({ "sort": [{ "field": "cid" }] })] {
            let mut query = json!({ "predefined_filter": "all" });
            query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            post(server, CHANNELS, &query).await.expect_error(400, 4, "predefined_filter");
        }
        let query = json!({ "predefined_filter": "all", "filter_conditions": null, "sort": null });
        assert_eq!(found(server, &query).await, [""; 0]);
    }
}
