use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_client::protocol::permissions::PermissionRequest;
use natterjack_client::protocol::roles::{CreateRoleRequest, SearchRolesQuery};
use serde_json::{Value, json};

use crate::bodies::{patch_ok, post, post_ok, texts};

const ROLES: &str = "/api/v2/roles";
const PERMISSIONS: &str = "/permissions";

async fn create(server: &TestServer, name: &str) -> RawReply {
    post(server, ROLES, &json!({ "name": name })).await
}

async fn delete(server: &TestServer, name: &str) -> RawReply {
    server.raw("DELETE", &format!("{ROLES}/{name}")).send().await
}

async fn put(server: &TestServer, path: &str, body: &Value) -> RawReply {
    server.raw("PUT", path).json(body).send().await
}

async fn search(server: &TestServer, query: SearchRolesQuery) -> Vec<String> {
    let found = server.client().common().search_roles(query).await.unwrap();
    found.roles.iter().map(|role| role.name.clone()).collect()
}

both_databases! {
    async fn roles_are_made_listed_and_removed(server: TestServer) {
        let created = post_ok(server, ROLES, &json!({ "name": "helper" })).await;
        assert_eq!((&created["role"]["name"], &created["role"]["custom"]), (&json!("helper"), &json!(true)));
        let listed = server.raw("GET", ROLES).send().await;
        let names = texts(&listed.body["roles"], "/name");
        let expected = ["admin", "anonymous", "channel_member", "channel_moderator", "global_admin",
                        "global_moderator", "guest", "helper", "moderator", "user"];
        assert_eq!(names, expected);
        let role = |name: &str| {
            listed.body["roles"].as_array().unwrap().iter().find(|role| role["name"] == name).unwrap().clone()
        };
        assert_eq!(role("admin")["custom"], false);
        assert_eq!(role("anonymous")["scopes"], json!(["livestream"]));
        assert_eq!(role("guest")["scopes"], json!([".app", "commerce", "livestream"]));
        assert_eq!(role("helper")["scopes"], json!([]));
        assert_eq!(delete(server, "helper").await.status, 200);
        delete(server, "helper").await.expect_error(404, 16, "helper");
    }

    async fn a_role_that_cannot_be_is_refused(server: TestServer) {
        post(server, ROLES, &json!({})).await.expect_error(400, 4, "name is a required field");
        create(server, &"x".repeat(65)).await.expect_error(400, 4, "name");
        create(server, "not valid").await.expect_error(400, 4, "name");
        create(server, "admin").await.expect_error(400, 4, "already exists");
        create(server, "channel_member").await.expect_error(400, 4, "already exists");
        create(server, "helper").await;
        create(server, "helper").await.expect_error(400, 4, "already exists");
        for number in 1..25 {
            assert_eq!(create(server, &format!("role{number}")).await.status, 201);
        }
        create(server, "one_more").await.expect_error(400, 4, "at most 25");
    }

    async fn a_role_in_use_stays(server: TestServer) {
        delete(server, "user").await.expect_error(400, 4, "built-in");
        for name in ["granted", "worn", "worn_in_a_team", "of_a_member"] {
            create(server, name).await;
        }
        let change = json!({ "grants": { "granted": ["read-channel"] } });
        put(server, "/api/v2/chat/channeltypes/team", &change).await;
        let users = json!({ "users": {
            "jane": { "id": "jane", "role": "worn", "teams": ["red"], "teams_role": { "red": "worn_in_a_team" } }
        } });
        post_ok(server, "/api/v2/users", &users).await;
        server.channel("general", &["jane"]).await;
        let assign = json!({ "assign_roles": [{ "user_id": "jane", "channel_role": "of_a_member" }] });
        post_ok(server, "/api/v2/chat/channels/messaging/general", &assign).await;
        delete(server, "granted").await.expect_error(400, 4, "scope team");
        delete(server, "worn").await.expect_error(400, 4, "jane");
        delete(server, "worn_in_a_team").await.expect_error(400, 4, "jane");
        delete(server, "of_a_member").await.expect_error(400, 4, "messaging:general");
        put(server, "/api/v2/chat/channeltypes/team", &json!({ "grants": { "granted": [] } })).await;
        assert_eq!(delete(server, "granted").await.status, 200);
    }

    async fn roles_are_found_by_the_beginning_of_their_names(server: TestServer) {
        server.client().common().create_role(CreateRoleRequest { name: Some("Guardian".to_owned()) }).await.unwrap();
        let query = |text: &str| SearchRolesQuery { query: Some(text.to_owned()), ..Default::default() };
        assert_eq!(search(server, query("gu")).await, ["Guardian", "guest"]);
        assert_eq!(search(server, query("g")).await, ["Guardian", "guest"]);
        let global = SearchRolesQuery { include_global_roles: Some(true), ..query("g") };
        assert_eq!(search(server, global.clone()).await, ["Guardian", "global_admin", "global_moderator", "guest"]);
        let page = SearchRolesQuery { limit: Some(2), name_gt: Some("Guardian".to_owned()), ..global };
        assert_eq!(search(server, page).await, ["global_admin", "global_moderator"]);
        let of_channels = SearchRolesQuery { role_type: Some("channel".to_owned()), ..query("g") };
        assert_eq!(search(server, of_channels).await, ["Guardian"]);
        server.raw("GET", "/api/v2/roles/search").send().await.expect_error(400, 4, "query is a required field");
        let wrong = server.raw("GET", "/api/v2/roles/search").query("query", "a").query("role_type", "x");
        wrong.send().await.expect_error(400, 4, "role_type");
    }

    async fn permissions_are_listed_in_all_their_forms(server: TestServer) {
        let listed = server.client().common().list_permissions().await.unwrap();
        assert!(listed.permissions.iter().map(|permission| &permission.id).is_sorted());
        let one = server.client().common().get_permission("update-message-owner-any-team").await.unwrap();
        let permission = &one.permission;
        assert_eq!((permission.action.as_str(), permission.level.as_str()), ("UpdateMessage", "channel"));
        assert_eq!((permission.owner, permission.same_team, permission.custom), (true, false, false));
        assert_eq!(permission.owner_resource, "message");
        assert!(listed.permissions.contains(permission));
        assert!(listed.permissions.iter().all(|permission| permission.condition.is_none()));
        // In version 1 the owner's form in all teams asks for ownership alone, the plain one for a team in common.
        let listed = server.raw("GET", "/permissions").send().await;
        for (id, condition) in [
            ("update-message-owner-any-team", json!({ "$resource.user_id": "$subject.id" })),
            ("create-channel", json!({ "$resource.team": { "$in": "$subject.teams" } })),
        ] {
            let one = server.raw("GET", &format!("/permissions/{id}")).send().await;
            assert_eq!(one.body["permission"]["condition"], condition, "{id}");
            assert!(listed.body["permissions"].as_array().unwrap().contains(&one.body["permission"]), "{id}");
        }
        let of_app = server.client().common().get_permission("search-user").await.unwrap();
        assert_eq!((of_app.permission.level.as_str(), of_app.permission.same_team), ("app", true));
        server.raw("GET", "/api/v2/permissions/fly").send().await.expect_error(404, 16, "fly");
    }

    async fn a_permission_is_made_replaced_and_removed(server: TestServer) {
        let common = server.client().common();
        let condition = json!({ "$subject.rank": { "$gte": 3 } });
        let request = PermissionRequest {
            id: Some("experts".to_owned()),
            action: Some("DeleteMessage".to_owned()),
            condition: condition.as_object().cloned(),
            ..PermissionRequest::default()
        };
        common.create_permission(request.clone()).await.unwrap();
        let made = common.get_permission("experts").await.unwrap().permission.clone();
        assert_eq!((made.name.as_str(), made.custom, made.same_team), ("experts", true, true));
        assert_eq!(made.condition, request.condition);
        post(server, PERMISSIONS, &json!(request)).await.expect_error(400, 4, "already exists");
        let change = json!({ "action": "UpdateMessage", "owner": true, "same_team": false });
        assert_eq!(put(server, "/permissions/experts", &change).await.status, 201);
        let changed = common.get_permission("experts").await.unwrap().permission.clone();
        assert_eq!((changed.action.as_str(), changed.owner, changed.same_team), ("UpdateMessage", true, false));
        assert_eq!(changed.condition, None);
        common.delete_permission("experts").await.unwrap();
        server.raw("GET", "/api/v2/permissions/experts").send().await.expect_error(404, 16, "experts");
        put(server, "/permissions/experts", &change).await.expect_error(404, 16, "experts");
        server.raw("DELETE", "/permissions/experts").send().await.expect_error(404, 16, "experts");
    }

    async fn a_permission_that_cannot_be_is_refused(server: TestServer) {
        for (field, body) in [
            ("id", json!({ "action": "ReadChannel" })),
            ("id", json!({ "id": "not valid", "action": "ReadChannel" })),
            ("already exists", json!({ "id": "read-channel-owner", "action": "ReadChannel" })),
            ("action", json!({ "id": "own" })),
            ("action", json!({ "id": "own", "action": "Fly" })),
            ("condition", json!({ "id": "own", "action": "ReadChannel", "condition": { "rank": 1 } })),
            ("condition", json!({ "id": "own", "action": "ReadChannel", "condition": { "$subject.a": { "$x": 1 } } })),
        ] {
            post(server, PERMISSIONS, &body).await.expect_error(400, 4, field);
        }
        let change = json!({ "action": "ReadChannel" });
        put(server, "/permissions/read-channel", &change).await.expect_error(400, 4, "built-in");
        server.raw("DELETE", "/permissions/read-channel").send().await.expect_error(400, 4, "built-in");
    }

    async fn grants_name_roles_and_permissions_that_exist(server: TestServer) {
        let types = "/api/v2/chat/channeltypes/team";
        let change = json!({ "grants": { "helper": ["experts"] } });
        put(server, types, &change).await.expect_error(400, 4, "helper");
        create(server, "helper").await;
        put(server, types, &change).await.expect_error(400, 4, "experts");
        post_ok(server, PERMISSIONS, &json!({ "id": "experts", "action": "ReadChannel" })).await;
        let changed = put(server, types, &change).await;
        assert_eq!(changed.body["grants"]["helper"], json!(["experts"]), "{}", changed.text);
        let app = json!({ "grants": { "user": ["fly"] } });
        server.raw("PATCH", "/api/v2/app").json(&app).send().await.expect_error(400, 4, "fly");
        patch_ok(server, "/api/v2/app", &json!({ "grants": { "helper": ["search-user"] } })).await;
    }
}
