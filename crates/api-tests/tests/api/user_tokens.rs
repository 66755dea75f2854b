//! Calls made with the token of a user.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

/// What the clock of a new test server shows, in seconds.
const NOW: i64 = 1_767_323_045;

fn token(claims: &Value) -> String {
    let secret = EncodingKey::from_secret(TestServer::API_SECRET.as_bytes());
    encode(&Header::new(Algorithm::HS256), claims, &secret).unwrap()
}

/// A harmless call with this token.
async fn with_token(server: &TestServer, token: &str) -> RawReply {
    server.raw("GET", "/api/v2/chat/unread").header("authorization", token).send().await
}

async fn send(server: &TestServer, user_id: &str, message: Value) -> RawReply {
    let request = server.raw("POST", "/api/v2/chat/channels/messaging/general/message").as_user(user_id);
    request.json(&json!({ "message": message })).send().await
}

async fn patch_user(server: &TestServer, set: Value) {
    let users = json!({ "users": [{ "id": "jane", "set": set }] });
    let reply = server.raw("PATCH", "/api/v2/users").json(&users).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

async fn set_app(server: &TestServer, settings: Value) {
    assert_eq!(server.raw("PATCH", "/api/v2/app").json(&settings).send().await.status, 200);
}

both_databases! {
    async fn the_user_of_the_token_acts(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let reply = send(server, "jane", json!({ "text": "hi" })).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!(reply.body["message"]["user"]["id"], "jane");
        let reply = send(server, "jane", json!({ "text": "hi", "user_id": "jane" })).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
    }

    async fn a_user_acts_for_nobody_else(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        send(server, "jane", json!({ "text": "hi", "user_id": "joe" })).await.expect_error(401, 5, "joe");
        let reply = send(server, "jane", json!({ "text": "hi", "user": { "id": "joe", "role": "admin" } })).await;
        reply.expect_error(401, 5, "joe");
    }

    async fn a_user_object_in_a_clients_call_changes_nothing(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let message = json!({ "text": "hi", "user": { "id": "jane", "role": "admin", "teams": ["red"] } });
        assert_eq!(send(server, "jane", message).await.status, 201);
        let query = json!({ "filter_conditions": { "id": "jane" } }).to_string();
        let found = server.raw("GET", "/api/v2/users").query("payload", &query).send().await;
        assert_eq!(found.body["users"][0]["role"], "user");
        assert_eq!(found.body["users"][0]["teams"], json!([]));
    }

    async fn a_token_of_a_user_who_does_not_exist_is_refused(server: TestServer) {
        with_token(server, &token(&json!({ "user_id": "nobody" }))).await.expect_error(401, 5, "nobody");
    }

    async fn a_deactivated_user_cannot_act(server: TestServer) {
        server.users(&["jane"]).await;
        let reply = server.raw("POST", "/api/v2/users/jane/deactivate").json(&json!({})).send().await;
        assert_eq!(reply.status, 201);
        with_token(server, &token(&json!({ "user_id": "jane" }))).await.expect_error(403, 17, "was deactivated");
    }

    async fn a_deleted_user_cannot_act(server: TestServer) {
        server.users(&["jane"]).await;
        let delete = json!({ "user_ids": ["jane"], "user": "soft" });
        assert_eq!(server.raw("POST", "/api/v2/users/delete").json(&delete).send().await.status, 201);
        with_token(server, &token(&json!({ "user_id": "jane" }))).await.expect_error(403, 17, "was deleted");
    }

    async fn tokens_of_a_user_are_revoked_by_the_time_they_were_made(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        patch_user(server, json!({ "revoke_tokens_issued_before": "2026-01-02T03:04:00Z" })).await;
        let made_at = |user: &str, iat: i64| token(&json!({ "user_id": user, "iat": iat }));
        with_token(server, &made_at("jane", NOW - 60)).await.expect_error(401, 40, "revoked");
        with_token(server, &token(&json!({ "user_id": "jane" }))).await.expect_error(401, 40, "revoked");
        assert_eq!(with_token(server, &made_at("jane", NOW)).await.status, 200);
        assert_eq!(with_token(server, &token(&json!({ "user_id": "joe" }))).await.status, 200);
        patch_user(server, json!({ "revoke_tokens_issued_before": null })).await;
        assert_eq!(with_token(server, &made_at("jane", NOW - 60)).await.status, 200);
    }

    async fn tokens_of_all_users_of_an_app_are_revoked_but_not_those_of_servers(server: TestServer) {
        server.users(&["jane"]).await;
        set_app(server, json!({ "revoke_tokens_issued_before": "2026-01-02T03:04:00Z" })).await;
        with_token(server, &token(&json!({ "user_id": "jane" }))).await.expect_error(401, 40, "revoked");
        let later = token(&json!({ "user_id": "jane", "iat": NOW }));
        assert_eq!(with_token(server, &later).await.status, 200);
        let of_server = server.raw("GET", "/api/v2/chat/unread").query("user_id", "jane").send().await;
        assert_eq!(of_server.status, 200);
    }

    async fn a_development_token_holds_only_where_signatures_are_not_checked(server: TestServer) {
        server.users(&["jane"]).await;
        let signed = token(&json!({ "user_id": "jane" }));
        let (unsigned, _) = signed.rsplit_once('.').unwrap();
        let development = format!("{unsigned}.devtoken");
        with_token(server, &development).await.expect_error(401, 43, "signature is invalid");
        set_app(server, json!({ "disable_auth_checks": true })).await;
        assert_eq!(with_token(server, &development).await.status, 200);
        assert_eq!(with_token(server, &format!("{unsigned}.AAAA")).await.status, 200);
        set_app(server, json!({ "disable_auth_checks": false })).await;
        with_token(server, &development).await.expect_error(401, 43, "signature is invalid");
    }

    async fn anonymous_callers_do_nothing_that_needs_a_user(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let request = server.raw("POST", "/api/v2/chat/channels/messaging/general/message");
        let request = request.without_header("authorization").header("stream-auth-type", "anonymous");
        let reply = request.json(&json!({ "message": { "text": "hi", "user_id": "jane" } })).send().await;
        reply.expect_error(403, 17, "");
    }
}
