//! Partial updates of users.

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::post_ok;

const USERS: &str = "/api/v2/users";

async fn patch(server: &TestServer, users: Value) -> RawReply {
    server.raw("PATCH", USERS).json(&json!({ "users": users })).send().await
}

/// Changes one user and answers it as the server shows it.
async fn patched(server: &TestServer, change: Value) -> Value {
    let id = change["id"].as_str().unwrap().to_owned();
    let reply = patch(server, json!([change])).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.body["membership_deletion_task_id"], "");
    reply.body["users"][id].clone()
}

async fn jane(server: &TestServer) {
    let jane = json!({ "id": "jane", "name": "Jane", "image": "https://example.org/j.png", "teams": ["red"],
        "custom": { "color": "red", "address": { "city": "Bonn", "street": "Hof" } } });
    post_ok(server, USERS, &json!({ "users": { "jane": jane } })).await;
}

both_databases! {
    async fn only_what_is_named_changes(server: TestServer) {
        jane(server).await;
        let set = json!({ "name": "Jane Doe", "role": "admin", "address.city": "Ulm", "invisible": true });
        let user = patched(server, json!({ "id": "jane", "set": set, "unset": ["image", "color"] })).await;
        assert_eq!((&user["name"], &user["role"], &user["invisible"]), (&json!("Jane Doe"), &json!("admin"), &json!(true)));
        assert_eq!(user.get("image"), None);
        assert_eq!(user["teams"], json!(["red"]));
        assert_eq!(user["custom"], json!({ "address": { "city": "Ulm", "street": "Hof" } }));
    }

    async fn privacy_settings_are_merged_key_by_key(server: TestServer) {
        jane(server).await;
        let first = json!({ "privacy_settings": { "read_receipts": { "enabled": false } } });
        patched(server, json!({ "id": "jane", "set": first })).await;
        let second = json!({ "privacy_settings": { "typing_indicators": { "enabled": false } } });
        let user = patched(server, json!({ "id": "jane", "set": second })).await;
        let expected = json!({ "read_receipts": { "enabled": false }, "typing_indicators": { "enabled": false } });
        assert_eq!(user["privacy_settings"], expected);
        let user = patched(server, json!({ "id": "jane", "unset": ["privacy_settings.read_receipts"] })).await;
        assert_eq!(user["privacy_settings"], json!({ "typing_indicators": { "enabled": false } }));
        let user = patched(server, json!({ "id": "jane", "unset": ["privacy_settings"] })).await;
        assert_eq!(user.get("privacy_settings"), None);
    }

    async fn tokens_are_revoked_and_the_revocation_lifted(server: TestServer) {
        jane(server).await;
        let set = json!({ "revoke_tokens_issued_before": "2026-01-01T00:00:00Z" });
        let user = patched(server, json!({ "id": "jane", "set": set })).await;
        assert_eq!(user["revoke_tokens_issued_before"], json!(1_767_225_600_000_000_000_i64));
        let user = patched(server, json!({ "id": "jane", "set": { "revoke_tokens_issued_before": null } })).await;
        assert_eq!(user.get("revoke_tokens_issued_before"), None);
    }

    async fn one_bad_entry_fails_the_call(server: TestServer) {
        jane(server).await;
        let good = json!({ "id": "jane", "set": { "name": "Changed" } });
        let cases = [
            (json!({ "id": "nobody", "set": { "a": 1 } }), 400, 4, "nobody"),
            (json!({ "id": "jane", "set": { "a..b": 1 } }), 400, 4, "a..b"),
            (json!({ "id": "jane", "set": { ".a": 1 } }), 400, 4, ".a"),
            (json!({ "id": "jane", "set": { "a b": 1 } }), 400, 4, "a b"),
            (json!({ "id": "jane", "unset": ["a."] }), 400, 4, "a."),
            (json!({ "id": "jane", "set": { "created_at": 1 } }), 400, 4, "created_at is a reserved field"),
            (json!({ "id": "jane", "set": { "name": 5 } }), 400, 4, "name"),
            (json!({ "id": "jane", "set": { "a": "x".repeat(6000) } }), 413, 22, "custom"),
            (json!({ "set": {} }), 400, 4, "id"),
        ];
        for (bad, status, code, text) in cases {
            patch(server, json!([good, bad])).await.expect_error(status, code, text);
        }
        let found = crate::bodies::get_ok(server, USERS, &json!({ "filter_conditions": { "id": "jane" } })).await;
        assert_eq!(found["users"][0]["name"], "Jane");
    }

    async fn the_list_has_one_to_a_hundred_users(server: TestServer) {
        patch(server, json!([])).await.expect_error(400, 4, "users is a required field");
        let many: Vec<Value> = (0..101).map(|number| json!({ "id": format!("u{number}") })).collect();
        patch(server, json!(many)).await.expect_error(400, 4, "users");
    }

    async fn what_was_taken_away_meanwhile_is_not_kept_by_repeating_it(server: TestServer) {
        for (id, role) in [("jane", "user"), ("eve", "moderator")] {
            let user = json!({ "id": id, "role": role, "teams": ["red"] });
            post_ok(server, USERS, &json!({ "users": { id: user } })).await;
        }
        server.beside(async |other| {
            // From now on the other server knows them with their teams and roles.
            for id in ["jane", "eve"] {
                let same = json!({ "users": { id: { "id": id, "teams": ["red"] } } });
                let reply = other.raw("POST", USERS).as_user(id).json(&same).send().await;
                assert_eq!(reply.status, 201, "{}", reply.text);
            }
            patched(server, json!({ "id": "jane", "set": { "teams": [] } })).await;
            patched(server, json!({ "id": "eve", "set": { "role": "user" } })).await;

            let jane = json!({ "users": { "jane": { "id": "jane", "teams": ["red"] } } });
            other.raw("POST", USERS).as_user("jane").json(&jane).send().await.expect_error(401, 5, "teams");
            let eve = json!({ "users": { "eve": { "id": "eve", "role": "moderator" } } });
            let refused = other.raw("POST", USERS).as_user("eve").json(&eve).send().await;
            refused.expect_error(403, 17, "UpdateUserRole");
            let user = patched(server, json!({ "id": "eve", "set": { "name": "Eve" } })).await;
            assert_eq!((&user["role"], &user["teams"]), (&json!("user"), &json!(["red"])));
            let user = patched(server, json!({ "id": "jane", "set": { "name": "Jane" } })).await;
            assert_eq!(user["teams"], json!([]));

            // The same by a partial update.
            let change = |role: &str| json!({ "users": [{ "id": "eve", "set": { "role": role } }] });
            let same = other.raw("PATCH", USERS).as_user("eve").json(&change("user")).send().await;
            assert_eq!(same.status, 200, "{}", same.text);
            patched(server, json!({ "id": "eve", "set": { "role": "guest" } })).await;
            let refused = other.raw("PATCH", USERS).as_user("eve").json(&change("user")).send().await;
            refused.expect_error(403, 17, "UpdateUser");
            assert_eq!(patched(server, json!({ "id": "eve", "set": { "name": "E" } })).await["role"], "guest");
        })
        .await;
    }
}
