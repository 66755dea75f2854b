//! Several apps in one server: nothing is shared, and a running server notices a new app and a new secret.

use natterjack_api_tests::{RawRequest, TestServer, both_databases};
use natterjack_client::protocol::Timestamp;
use natterjack_storage::NewApp;
use serde_json::{Value, json};

const SECRET: &str = "secret-of-the-other-app-entirely";

/// Creates another app beside the server, as a command does.
async fn create_app(server: &TestServer, key: &str) {
    let app = NewApp { name: "other".to_owned(), api_key: key.to_owned(), api_secret: SECRET.to_owned() };
    let store = server.store().await;
    let now = Timestamp::from_nanoseconds(1);
    store.write("test", app, move |tx, app| Box::pin(tx.insert_app(app, now))).await.unwrap();
    store.close().await;
}

async fn change_secret(server: &TestServer, key: &str, secret: &str) {
    let store = server.store().await;
    let input = (key.to_owned(), secret.to_owned());
    store
        .write("test", input, |tx, (key, secret)| {
            Box::pin(async move {
                let apps = tx.list_apps().await?;
                let app = apps.iter().find(|app| app.api_key == *key).unwrap();
                tx.update_app_credentials(app.pk, key, secret, Timestamp::from_nanoseconds(2)).await
            })
        })
        .await
        .unwrap();
    store.close().await;
}

/// A request to the other app.
fn other(server: &TestServer, method: &str, path: &str) -> RawRequest {
    server.raw(method, path).of_app("other", SECRET)
}

async fn ok(request: RawRequest, body: &Value) -> Value {
    let reply = request.json(body).send().await;
    assert!(reply.status < 300, "{}", reply.text);
    reply.body
}

both_databases! {
    async fn a_running_server_notices_a_new_app(server: TestServer) {
        let request = other(server, "GET", "/api/v2/app").send().await;
        request.expect_error(401, 2, "api_key");
        create_app(server, "other").await;
        let reply = other(server, "GET", "/api/v2/app").send().await;
        assert_eq!((reply.status, &reply.body["app"]["name"]), (200, &json!("other")), "{}", reply.text);
    }

    async fn a_running_server_notices_a_new_secret(server: TestServer) {
        create_app(server, "other").await;
        assert_eq!(other(server, "GET", "/api/v2/app").send().await.status, 200);
        change_secret(server, "other", "another-secret-of-sufficient-length").await;
        let renewed = server.raw("GET", "/api/v2/app").of_app("other", "another-secret-of-sufficient-length");
        assert_eq!(renewed.send().await.status, 200);
        other(server, "GET", "/api/v2/app").send().await.expect_error(401, 43, "signature is invalid");
    }

    async fn a_token_of_one_app_is_worth_nothing_in_another(server: TestServer) {
        create_app(server, "other").await;
        let crossed = server.raw("GET", "/api/v2/app").of_app("other", TestServer::API_SECRET);
        crossed.send().await.expect_error(401, 43, "signature is invalid");
        let crossed = server.raw("GET", "/api/v2/app").of_app(TestServer::API_KEY, SECRET);
        crossed.send().await.expect_error(401, 43, "signature is invalid");
    }

    async fn nothing_crosses_between_apps_with_the_same_ids(server: TestServer) {
        create_app(server, "other").await;
        // The first app.
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.send("general", "jane", "m1", "hello from the first").await;
        // The same ids in the second, which starts empty.
        let general = "/api/v2/chat/channels/messaging/general";
        let payload = json!({ "filter_conditions": {} }).to_string();
        let users = other(server, "GET", "/api/v2/users").query("payload", &payload).send().await;
        assert_eq!(users.body["users"], json!([]), "{}", users.text);
        other(server, "GET", general).send().await.expect_error(404, 16, "");
        other(server, "GET", "/api/v2/chat/messages/m1").send().await.expect_error(404, 16, "m1");
        let send = other(server, "POST", &format!("{general}/message"));
        let message = json!({ "message": { "id": "m1", "text": "hello from the second", "user_id": "jane" } });
        send.json(&message).send().await.expect_error(404, 16, "general");
        let users = other(server, "GET", "/api/v2/users").query("payload", &payload).send().await;
        assert_eq!(users.body["users"], json!([]), "nobody comes to be by sending to nowhere");
        let users = json!({ "users": { "jane": { "id": "jane", "name": "Second Jane" } } });
        ok(other(server, "POST", "/api/v2/users"), &users).await;
        let data = json!({ "data": { "created_by_id": "jane", "members": ["jane"] } });
        let data_with_joe = json!({ "data": { "created_by_id": "jane", "members": ["jane", "joe"] } });
        let refused = other(server, "POST", &format!("{general}/query")).json(&data_with_joe).send().await;
        refused.expect_error(400, 4, "joe");
        ok(other(server, "POST", &format!("{general}/query")), &data).await;
        ok(other(server, "POST", &format!("{general}/message")), &message).await;

        let text = async |request: RawRequest| request.send().await.body["message"]["text"].clone();
        assert_eq!(text(server.raw("GET", "/api/v2/chat/messages/m1")).await, "hello from the first");
        assert_eq!(text(other(server, "GET", "/api/v2/chat/messages/m1")).await, "hello from the second");
        let state = server.raw("GET", general).query("state", "true").send().await.body;
        assert_eq!((&state["channel"]["member_count"], &state["messages"][0]["user"]["name"]), (&json!(2), &Value::Null));
        let state = other(server, "GET", general).query("state", "true").send().await.body;
        assert_eq!(state["channel"]["member_count"], 1);
        assert_eq!(state["messages"][0]["user"]["name"], "Second Jane");

        // Searches and queries stay inside.
        let search = json!({ "filter_conditions": { "type": "messaging" }, "query": "hello" }).to_string();
        for (request, expected) in [
            (server.raw("GET", "/api/v2/chat/search"), "hello from the first"),
            (other(server, "GET", "/api/v2/chat/search"), "hello from the second"),
        ] {
            let found = request.query("payload", &search).send().await.body;
            let results = found["results"].as_array().unwrap();
            assert_eq!(results.len(), 1);
            assert_eq!(results[0]["message"]["text"], expected);
        }
        let unread = other(server, "GET", "/api/v2/chat/unread").query("user_id", "jane").send().await.body;
        assert_eq!(unread["total_unread_count"], 0);

        // What one changes or deletes is still in the other.
        let reaction = json!({ "reaction": { "type": "like", "user_id": "jane" } });
        ok(other(server, "POST", "/api/v2/chat/messages/m1/reaction"), &reaction).await;
        let first = server.raw("GET", "/api/v2/chat/messages/m1").send().await.body;
        assert_eq!(first["message"]["reaction_counts"], json!({}));
        let gone = other(server, "DELETE", general).query("hard_delete", "true").send().await;
        assert_eq!(gone.status, 200, "{}", gone.text);
        assert_eq!(text(server.raw("GET", "/api/v2/chat/messages/m1")).await, "hello from the first");
    }

    async fn types_settings_and_filters_belong_to_one_app(server: TestServer) {
        create_app(server, "other").await;
        let types = "/api/v2/chat/channeltypes";
        let body = json!({ "name": "support", "automod": "disabled", "automod_behavior": "flag",
                           "max_message_length": 10 });
        ok(other(server, "POST", types), &body).await;
        server.raw("GET", &format!("{types}/support")).send().await.expect_error(404, 16, "support");
        ok(other(server, "PUT", &format!("{types}/team")), &json!({ "reactions": false })).await;
        assert_eq!(server.raw("GET", &format!("{types}/team")).send().await.body["reactions"], true);
        ok(other(server, "PATCH", "/api/v2/app"), &json!({ "multi_tenant_enabled": true })).await;
        assert_eq!(server.raw("GET", "/api/v2/app").send().await.body["app"]["multi_tenant_enabled"], false);
        let filters = "/api/v2/chat/predefined_filters";
        let body = json!({ "name": "mine", "operation": "QueryChannels", "filter": {} });
        ok(other(server, "POST", filters), &body).await;
        server.raw("GET", &format!("{filters}/mine")).send().await.expect_error(404, 16, "mine");
        ok(server.raw("POST", filters), &body).await;
    }
}
