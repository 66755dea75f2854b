use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_server::api;
use serde_json::{Value, json};

const PATH: &str = "/api/v2/chat/channeltypes";
/// What the clock of a new test server shows, in seconds.
const NOW: i64 = 1_767_323_045;

/// A token with these claims, signed with the secret of the server.
fn token(claims: &Value) -> String {
    signed(claims, TestServer::API_SECRET, Algorithm::HS256)
}

fn signed(claims: &Value, secret: &str, algorithm: Algorithm) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// The answer to a harmless call with this token.
async fn with_token(server: &TestServer, token: &str) -> RawReply {
    server.raw("GET", PATH).header("authorization", token).send().await
}

/// Every operation, its path filled in.
fn operations() -> Vec<(&'static str, String)> {
    let filled = |path: &str| {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    api::operations().into_iter().map(|(_, method, path)| (method.as_str(), filled(path))).collect()
}

both_databases! {
    async fn every_operation_refuses_calls_without_a_token(server: TestServer) {
        for (method, path) in operations() {
            let reply = server.raw(method, &path).without_header("authorization").send().await;
            reply.expect_error(401, 5, "");
        }
    }

    async fn every_operation_refuses_calls_without_an_auth_type(server: TestServer) {
        for (method, path) in operations() {
            let request = server.raw(method, &path).without_header("authorization");
            let reply = request.without_header("stream-auth-type").send().await;
            reply.expect_error(401, 5, "stream-auth-type missing or invalid");
        }
    }

    async fn every_operation_refuses_calls_without_an_api_key(server: TestServer) {
        for (method, path) in operations() {
            let reply = server.raw(method, &path).without_query("api_key").send().await;
            reply.expect_error(401, 2, "api_key or app_id not provided");
        }
    }

    async fn what_is_for_servers_refuses_user_tokens(server: TestServer) {
        server.users(&["jane"]).await;
        let jane = token(&json!({ "user_id": "jane" }));
        for (method, path) in [
            ("GET", PATH),
            ("POST", PATH),
            ("PUT", "/api/v2/chat/channeltypes/messaging"),
            ("DELETE", "/api/v2/chat/channeltypes/messaging"),
            ("PATCH", "/api/v2/app"),
            ("POST", "/api/v2/users/deactivate"),
            ("POST", "/api/v2/users/jane/deactivate"),
            ("POST", "/api/v2/users/reactivate"),
            ("POST", "/api/v2/users/delete"),
            ("POST", "/api/v2/users/restore"),
            ("GET", "/api/v2/rate_limits"),
            ("GET", "/api/v2/tasks/x"),
            ("POST", "/api/v2/chat/unread_batch"),
            ("POST", "/api/v2/chat/channels/delete"),
            ("POST", "/api/v2/chat/messages/x/undelete"),
        ] {
            let reply = server.raw(method, path).header("authorization", &jane).send().await;
            reply.expect_error(403, 17, "only allowed with server-side auth");
        }
    }

    async fn errors_have_the_documented_form(server: TestServer) {
        let reply = server.raw("GET", PATH).without_query("api_key").send().await;
        assert_eq!(reply.body["StatusCode"], 401);
        assert_eq!(
            reply.message(),
            r#"ListChannelTypes failed with error: "api_key or app_id not provided""#
        );
        assert_eq!(reply.body["details"], json!([]));
        assert!(reply.body["duration"].as_str().unwrap().ends_with("ms"));
        assert!(reply.body["more_info"].is_string());
    }

    async fn an_unknown_api_key_is_refused(server: TestServer) {
        let reply = server.raw("GET", PATH).query("api_key", "other").send().await;
        reply.expect_error(401, 2, "api_key");
    }

    async fn an_auth_type_other_than_jwt_and_anonymous_is_refused(server: TestServer) {
        let reply = server.raw("GET", PATH).header("stream-auth-type", "basic").send().await;
        reply.expect_error(401, 5, "stream-auth-type missing or invalid");
    }

    async fn anonymous_callers_may_not_use_what_is_for_servers(server: TestServer) {
        let request = server.raw("GET", PATH).without_header("authorization");
        let reply = request.header("stream-auth-type", "anonymous").send().await;
        reply.expect_error(403, 17, "");
    }

    async fn the_auth_type_may_be_a_query_parameter(server: TestServer) {
        let request = server.raw("GET", PATH).without_header("stream-auth-type");
        assert_eq!(request.query("stream-auth-type", "jwt").send().await.status, 200);
    }

    async fn a_token_may_stand_behind_the_word_bearer(server: TestServer) {
        let token = token(&json!({ "server": true }));
        assert_eq!(with_token(server, &token).await.status, 200);
        assert_eq!(with_token(server, &format!("Bearer {token}")).await.status, 200);
    }

    async fn an_expired_token_is_refused_with_the_code_that_makes_clients_fetch_another(server: TestServer) {
        let expired = token(&json!({ "server": true, "exp": NOW - 1 }));
        with_token(server, &expired).await.expect_error(401, 40, "expired");
        let valid = token(&json!({ "server": true, "exp": NOW + 60 }));
        assert_eq!(with_token(server, &valid).await.status, 200);
        // The server remembers tokens that it has verified; what they say about time it looks at each time.
        server.advance(std::time::Duration::from_secs(120));
        with_token(server, &valid).await.expect_error(401, 40, "expired");
    }

    async fn a_token_of_the_future_is_refused(server: TestServer) {
        let early = token(&json!({ "server": true, "nbf": NOW + 60 }));
        with_token(server, &early).await.expect_error(401, 41, "not valid yet");
        let issued_later = with_token(server, &token(&json!({ "server": true, "iat": NOW + 60 }))).await;
        assert_eq!(issued_later.status, 401);
        assert!([41, 42].contains(&issued_later.code()), "{}", issued_later.text);
        let just_now = token(&json!({ "server": true, "iat": NOW - 5, "nbf": NOW }));
        assert_eq!(with_token(server, &just_now).await.status, 200);
    }

    async fn a_token_signed_with_another_secret_is_refused(server: TestServer) {
        let other = signed(&json!({ "server": true }), "secret-of-another-app-entirely", Algorithm::HS256);
        with_token(server, &other).await.expect_error(401, 43, "signature is invalid");
    }

    async fn a_development_token_is_refused(server: TestServer) {
        let token = token(&json!({ "user_id": "jane" }));
        let (unsigned, _) = token.rsplit_once('.').unwrap();
        let reply = with_token(server, &format!("{unsigned}.devtoken")).await;
        reply.expect_error(401, 43, "signature is invalid");
    }

    async fn a_token_whose_claims_were_changed_is_refused(server: TestServer) {
        let (user, server_token) = (token(&json!({ "user_id": "jane" })), token(&json!({ "server": true })));
        let signature = user.rsplit_once('.').unwrap().1;
        let forged = format!("{}.{signature}", server_token.rsplit_once('.').unwrap().0);
        with_token(server, &forged).await.expect_error(401, 43, "signature is invalid");
    }

    async fn only_the_agreed_algorithm_is_accepted(server: TestServer) {
        // {"alg":"none","typ":"JWT"} and {"server":true}, without a signature and with some other one.
        let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzZXJ2ZXIiOnRydWV9.";
        with_token(server, unsigned).await.expect_error(401, 5, "");
        with_token(server, &format!("{unsigned}c2lnbmVk")).await.expect_error(401, 5, "");
        let longer = signed(&json!({ "server": true }), TestServer::API_SECRET, Algorithm::HS512);
        with_token(server, &longer).await.expect_error(401, 5, "");
    }

    async fn claims_of_the_wrong_type_are_refused(server: TestServer) {
        for claims in [
            json!({ "server": "true" }),
            json!({ "server": 1 }),
            json!({ "user_id": 5 }),
            json!({ "server": true, "exp": "1" }),
            json!({ "server": true, "iat": "soon" }),
            json!({ "server": true, "nbf": [] }),
            json!({ "server": false }),
            json!({}),
            json!({ "user_id": "not valid" }),
            json!({ "user_id": "" }),
            json!([]),
        ] {
            with_token(server, &token(&claims)).await.expect_error(401, 5, "");
        }
    }

    async fn what_is_no_token_at_all_is_refused(server: TestServer) {
        for text in ["Bearer", "a", "a.b", "a.b.c", "....", "Basic amFuZTpqYW5l", &"a".repeat(20_000)] {
            with_token(server, text).await.expect_error(401, 5, "");
        }
    }

    async fn a_user_token_for_somebody_else_is_refused(server: TestServer) {
        let jane = token(&json!({ "user_id": "jane" }));
        let request = server.raw("GET", "/api/v2/chat/unread").header("authorization", &jane);
        request.query("user_id", "joe").send().await.expect_error(401, 5, "user_id");
    }
}
