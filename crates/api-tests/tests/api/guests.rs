use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

/// What a browser sends that has no token yet.
async fn create(server: &TestServer, user: Value) -> RawReply {
    let request = server.raw("POST", "/api/v2/guest").without_header("authorization");
    request.header("stream-auth-type", "anonymous").json(&json!({ "user": user })).send().await
}

both_databases! {
    async fn a_guest_needs_no_token_and_gets_one(server: TestServer) {
        let reply = create(server, json!({ "id": "tommaso", "name": "Tommaso" })).await;
        assert_eq!(reply.status, 201);
        let id = reply.body["user"]["id"].as_str().unwrap();
        assert!(id.contains("tommaso") && id != "tommaso", "{id}");
        assert_eq!(reply.body["user"]["role"], "guest");
        assert_eq!(reply.body["user"]["name"], "Tommaso");
        let token = reply.body["access_token"].as_str().unwrap();
        let request = server.raw("GET", "/api/v2/chat/unread").header("authorization", token);
        assert_eq!(request.query("user_id", id).send().await.status, 200);
    }

    async fn two_guests_of_one_name_are_two_users(server: TestServer) {
        let user = || json!({ "id": "tommaso" });
        let (first, second) = (create(server, user()).await, create(server, user()).await);
        assert_ne!(first.body["user"]["id"], second.body["user"]["id"]);
    }

    async fn a_guest_cannot_choose_another_role_or_teams(server: TestServer) {
        let reply = create(server, json!({ "id": "eve", "role": "admin", "teams": ["red"] })).await;
        assert_eq!(reply.body["user"]["role"], "guest");
        assert_eq!(reply.body["user"]["teams"], json!([]));
    }

    async fn a_guest_without_a_good_id_is_refused(server: TestServer) {
        create(server, json!({})).await.expect_error(400, 4, "user.id");
        create(server, json!({ "id": "not good" })).await.expect_error(400, 4, "user.id");
    }

    async fn an_app_may_switch_guests_off(server: TestServer) {
        for setting in ["guest_user_creation_disabled", "multi_tenant_enabled"] {
            let set = |value: bool| server.raw("PATCH", "/api/v2/app").json(&json!({ setting: value }));
            assert_eq!(set(true).send().await.status, 200);
            create(server, json!({ "id": "eve" })).await.expect_error(403, 17, "guest");
            assert_eq!(set(false).send().await.status, 200);
        }
        assert_eq!(create(server, json!({ "id": "eve" })).await.status, 201);
    }
}
