use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{post, post_ok, sorted, texts};

const CHANNELS: &str = "/api/v2/chat/channels";

/// Creates a channel of type messaging by jane, or finds it.
async fn create(server: &TestServer, id: &str, mut data: Value) -> Value {
    data["created_by_id"] = json!("jane");
    post_ok(server, &format!("{CHANNELS}/messaging/{id}/query"), &json!({ "data": data })).await
}

/// Finds or creates the channel of these members.
async fn distinct(server: &TestServer, members: &[&str]) -> Value {
    let data = json!({ "created_by_id": "jane", "members": members });
    post_ok(server, &format!("{CHANNELS}/messaging/query"), &json!({ "data": data })).await
}

/// The state of the channel general, for a user or for nobody.
async fn state(server: &TestServer, user_id: &str) -> Value {
    let request = server.raw("GET", &format!("{CHANNELS}/messaging/general"));
    let reply = request.query("state", "true").query("user_id", user_id).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body
}

both_databases! {
    async fn a_channel_is_created_with_its_data(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let body = create(server, "general", json!({
            "members": ["jane", { "user_id": "joe" }],
            "custom": { "name": "General", "color": "blue" },
            "filter_tags": ["a", "b"], "team": "red", "frozen": true,
        })).await;
        let channel = &body["channel"];
        assert_eq!((&channel["cid"], &channel["type"]), (&json!("messaging:general"), &json!("messaging")));
        assert_eq!(channel["custom"], json!({ "name": "General", "color": "blue" }));
        assert_eq!(channel["filter_tags"], json!(["a", "b"]));
        assert_eq!((&channel["team"], &channel["frozen"]), (&json!("red"), &json!(true)));
        assert_eq!((&channel["disabled"], &channel["member_count"]), (&json!(false), &json!(2)));
        assert_eq!(channel["created_by"]["id"], "jane");
        assert_eq!(channel["config"]["name"], "messaging");
        for absent in ["last_message_at", "cooldown", "truncated_at", "members", "deleted_at"] {
            assert_eq!(channel.get(absent), None, "{absent}");
        }
    }

    async fn the_state_of_a_new_channel_has_all_its_lists(server: TestServer) {
        server.users(&["jane"]).await;
        let body = create(server, "general", json!({})).await;
        for list in ["members", "messages", "pinned_messages", "read", "threads"] {
            assert_eq!(body[list], json!([]), "{list}");
        }
        assert_eq!(body.get("membership"), None);
        assert_eq!(body.get("watcher_count"), None);
    }

    async fn members_are_shown_with_their_role_and_data(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let joe = json!({ "user_id": "joe", "channel_role": "channel_moderator", "custom": { "nick": "j" } });
        let body = create(server, "general", json!({ "members": ["jane", joe] })).await;
        let members = body["members"].as_array().unwrap();
        let [jane, joe] = ["jane", "joe"].map(|id| members.iter().find(|one| one["user_id"] == id).unwrap());
        assert_eq!(jane["channel_role"], "channel_member");
        assert_eq!((&jane["banned"], &jane["shadow_banned"]), (&json!(false), &json!(false)));
        assert_eq!(jane["notifications_muted"], false);
        assert_eq!((&jane["status"], &jane["user"]["id"]), (&json!("member"), &json!("jane")));
        assert_eq!((&joe["channel_role"], &joe["is_moderator"]), (&json!("channel_moderator"), &json!(true)));
        assert_eq!(joe["custom"], json!({ "nick": "j" }));
        assert_eq!(sorted(&body["read"], "/user/id"), ["jane", "joe"]);
    }

    async fn an_existing_channel_is_returned_untouched(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let first = create(server, "general", json!({ "custom": { "color": "blue" } })).await;
        let other = json!({ "custom": { "color": "red" }, "members": ["joe"] });
        let second = create(server, "general", other).await;
        assert_eq!(second["channel"], first["channel"]);
        assert_eq!(second["members"], json!([]));
        // Who created it need not be named again.
        let third = post_ok(server, &format!("{CHANNELS}/messaging/general/query"), &json!({})).await;
        assert_eq!(third["channel"], first["channel"]);
    }

    async fn a_server_that_creates_names_the_creator(server: TestServer) {
        server.users(&["jane"]).await;
        let path = format!("{CHANNELS}/messaging/general/query");
        let text = "either data.created_by or data.created_by_id must be provided when using server side \
                    auth.";
        post(server, &path, &json!({})).await.expect_error(400, 4, text);
        let both = json!({ "data": { "created_by_id": "jane", "created_by": { "id": "joe" } } });
        let text = "cannot set both data.created_by and data.created_by_id.";
        post(server, &path, &both).await.expect_error(400, 4, text);
        let same = json!({ "data": { "created_by_id": "jane", "created_by": { "id": "jane" } } });
        post(server, &path, &same).await.expect_error(400, 4, text);
        let unknown = json!({ "data": { "created_by_id": "nobody" } });
        post(server, &path, &unknown).await.expect_error(400, 4, "nobody");
    }

    async fn a_creator_given_as_an_object_is_created(server: TestServer) {
        let data = json!({ "created_by": { "id": "new", "name": "Newcomer" } });
        let path = format!("{CHANNELS}/messaging/general/query");
        let body = post_ok(server, &path, &json!({ "data": data })).await;
        assert_eq!(body["channel"]["created_by"]["name"], "Newcomer");
    }

    async fn unknown_members_are_named_in_one_error(server: TestServer) {
        server.users(&["jane"]).await;
        let data = json!({ "created_by_id": "jane", "members": ["jane", "zoe", "abe"] });
        let path = format!("{CHANNELS}/messaging/general/query");
        let reply = post(server, &path, &json!({ "data": data })).await;
        let text = "The following users are involved in channel create operation, but don't exist: \
                    [abe zoe]. \
                    Please create the user objects before setting up the channel.";
        reply.expect_error(400, 4, text);
    }

    async fn channel_ids_and_types_are_checked(server: TestServer) {
        server.users(&["jane"]).await;
        let body = json!({ "data": { "created_by_id": "jane" } });
        for id in ["a b", "a:b", "a.b", "!mine", "!members-x!", &"a".repeat(65)] {
            let id = id.replace(' ', "%20");
            let reply = post(server, &format!("{CHANNELS}/messaging/{id}/query"), &body).await;
            assert_eq!((reply.status, reply.code()), (400, 4), "{id}: {}", reply.text);
        }
        create(server, &format!("aZ09_-{}", "a".repeat(58)), json!({})).await;
        let kind = "a".repeat(65);
        post(server, &format!("{CHANNELS}/{kind}/x/query"), &body).await.expect_error(400, 4, "type");
        post(server, &format!("{CHANNELS}/nothing/x/query"), &body).await.expect_error(404, 16, "nothing");
    }

    async fn a_request_names_at_most_a_hundred_members_and_as_many_invites(server: TestServer) {
        let ids: Vec<String> = (0..101).map(|number| format!("u{number}")).collect();
        server.users(&["jane"]).await;
        server.users(&ids[..100].iter().map(String::as_str).collect::<Vec<_>>()).await;
        server.users(&[&ids[100]]).await;
        for field in ["members", "invites"] {
            let data = json!({ "created_by_id": "jane", field: ids });
            let path = format!("{CHANNELS}/messaging/{field}/query");
            post(server, &path, &json!({ "data": data })).await.expect_error(400, 4, field);
            let body = create(server, field, json!({ field: ids[..100] })).await;
            assert_eq!(body["channel"]["member_count"], 100);
        }
    }

    async fn channel_data_has_its_limits(server: TestServer) {
        server.users(&["jane"]).await;
        let path = format!("{CHANNELS}/messaging/general/query");
        let data = |name: &str, value: Value| json!({ "data": { "created_by_id": "jane", name: value } });
        let big = data("custom", json!({ "x": "y".repeat(5 * 1024) }));
        post(server, &path, &big).await.expect_error(413, 22, "custom");
        let tags: Vec<String> = (0..11).map(|number| number.to_string()).collect();
        post(server, &path, &data("filter_tags", json!(tags))).await.expect_error(400, 4, "filter_tags");
        for reserved in ["cooldown", "muted", "mute_expires_at", "created_at"] {
            let reply = post(server, &path, &data("custom", json!({ reserved: 1 }))).await;
            reply.expect_error(400, 4, &format!("data.{reserved} is a reserved field"));
        }
    }

    async fn member_data_to_be_shown_with_messages_is_limited(server: TestServer) {
        server.users(&["jane"]).await;
        let jane = json!({ "user_id": "jane", "custom": { "nick": "jj", "x": 1 } });
        create(server, "general", json!({ "members": [jane] })).await;
        server.send("general", "jane", "m1", "hello").await;
        let path = format!("{CHANNELS}/messaging/general/query");
        let body = post_ok(server, &path, &json!({ "state": true, "member_custom_include": ["nick"] })).await;
        assert_eq!(body["messages"][0]["member"]["custom"], json!({ "nick": "jj" }));
        let many = json!({ "member_custom_include": ["a", "b", "c", "d", "e", "f", "g", "h", "i"] });
        post(server, &path, &many).await.expect_error(400, 4, "member_custom_include");
        let long = json!({ "member_custom_include": ["a".repeat(65)] });
        post(server, &path, &long).await.expect_error(400, 4, "member_custom_include");
    }

    async fn a_server_cannot_watch_a_channel(server: TestServer) {
        server.users(&["jane"]).await;
        for field in ["watch", "presence"] {
            let body = json!({ field: true, "data": { "created_by_id": "jane" } });
            let reply = post(server, &format!("{CHANNELS}/messaging/general/query"), &body).await;
            reply.expect_error(400, 4, field);
        }
    }

    async fn a_channel_is_hidden_at_once_for_its_creator_until_a_message_arrives(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let data = json!({ "created_by_id": "jane", "members": ["jane", "joe"] });
        let body = json!({ "hide_for_creator": true, "data": data });
        post_ok(server, &format!("{CHANNELS}/messaging/general/query"), &body).await;
        assert_eq!(state(server, "jane").await["hidden"], true);
        assert_eq!(state(server, "joe").await.get("hidden"), None);
        server.send("general", "joe", "m1", "hello").await;
        assert_eq!(state(server, "jane").await.get("hidden"), None);
    }

    async fn pages_of_a_channel_s_state_follow_the_request(server: TestServer) {
        server.users(&["jane", "joe", "eve"]).await;
        server.channel("general", &["jane", "joe", "eve"]).await;
        for id in ["m1", "m2", "m3"] {
            server.send("general", "jane", id, id).await;
        }
        let path = format!("{CHANNELS}/messaging/general/query");
        let page =
            json!({ "messages": { "limit": 2, "id_lt": "m3" }, "members": { "limit": 1, "offset": 2 } });
        let body = post_ok(server, &path, &page).await;
        assert_eq!(texts(&body["messages"], "/id"), ["m1", "m2"]);
        assert_eq!(body["members"].as_array().unwrap().len(), 1);
        let newest = post_ok(server, &path, &json!({ "state": true, "messages": { "limit": 2 } })).await;
        assert_eq!(texts(&newest["messages"], "/id"), ["m2", "m3"]);
        let many = json!({ "messages": { "limit": 301 } });
        post(server, &path, &many).await.expect_error(400, 4, "messages.limit must be 300 or less");
    }

    async fn a_distinct_channel_is_that_of_its_members_in_any_order(server: TestServer) {
        server.users(&["jane", "joe", "eve"]).await;
        let first = distinct(server, &["jane", "joe"]).await["channel"].clone();
        let id = first["id"].as_str().unwrap();
        assert!(id.starts_with("!members-") && id.len() <= 64, "{id}");
        assert_eq!(first["member_count"], 2);
        assert_eq!(distinct(server, &["joe", "jane", "joe"]).await["channel"]["id"], id);
        assert_ne!(distinct(server, &["joe", "jane", "eve"]).await["channel"]["id"], id);
        let by_id = post_ok(server, &format!("{CHANNELS}/messaging/{id}/query"), &json!({})).await;
        assert_eq!(by_id["channel"]["cid"], first["cid"]);
        let body = json!({ "data": { "created_by_id": "jane", "members": ["jane", "joe"] } });
        let other = post_ok(server, &format!("{CHANNELS}/team/query"), &body).await;
        assert_eq!(other["channel"]["type"], "team");
    }

    async fn members_of_a_distinct_channel_may_be_given_as_objects(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let id = distinct(server, &["jane", "joe"]).await["channel"]["id"].clone();
        let members = json!([{ "user_id": "joe" }, { "user_id": "jane" }]);
        let data = json!({ "created_by_id": "jane", "members": members });
        let body = post_ok(server, &format!("{CHANNELS}/messaging/query"), &json!({ "data": data })).await;
        assert_eq!(body["channel"]["id"], id);
    }

    async fn a_distinct_channel_has_at_least_two_members(server: TestServer) {
        server.users(&["jane"]).await;
        for members in [json!([]), json!(["jane"]), json!(["jane", "jane"])] {
            let body = json!({ "data": { "created_by_id": "jane", "members": members } });
            let reply = post(server, &format!("{CHANNELS}/messaging/query"), &body).await;
            reply.expect_error(400, 4, "When using member based IDs specify at least 2 members");
        }
        let reply = post(server, &format!("{CHANNELS}/messaging/query"), &json!({})).await;
        reply.expect_error(400, 4, "When using member based IDs specify at least 2 members");
    }

    async fn outsiders_do_not_get_into_a_distinct_channel(server: TestServer) {
        server.users(&["jane", "joe", "eve"]).await;
        let channel = distinct(server, &["jane", "joe"]).await["channel"].clone();
        let path = format!("{CHANNELS}/messaging/{}", channel["id"].as_str().unwrap());
        let text = "cannot add members to the distinct channel they don't belong to";
        for change in ["add_members", "invites", "add_moderators"] {
            post(server, &path, &json!({ change: ["eve"] })).await.expect_error(403, 17, text);
        }
        let left = post_ok(server, &path, &json!({ "remove_members": ["joe"] })).await;
        assert_eq!(sorted(&left["members"], "/user_id"), ["jane"]);
        let back = post_ok(server, &path, &json!({ "add_members": ["joe"] })).await;
        assert_eq!(sorted(&back["members"], "/user_id"), ["jane", "joe"]);
    }

    async fn reading_a_channel_never_creates_it(server: TestServer) {
        let reply = server.raw("GET", &format!("{CHANNELS}/messaging/general")).send().await;
        reply.expect_error(404, 16, "messaging:general");
        server.raw("GET", &format!("{CHANNELS}/messaging/general")).send().await.expect_error(404, 16, "");
    }

    async fn a_channel_is_read_with_its_state_when_asked(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.send("general", "jane", "m1", "hello").await;
        let plain = server.raw("GET", &format!("{CHANNELS}/messaging/general")).send().await;
        assert_eq!((plain.status, &plain.body["channel"]["cid"]), (200, &json!("messaging:general")));
        assert_eq!((&plain.body["messages"], &plain.body["members"]), (&json!([]), &json!([])));
        let full = state(server, "").await;
        assert_eq!(texts(&full["messages"], "/id"), ["m1"]);
        assert_eq!(sorted(&full["members"], "/user_id"), ["jane", "joe"]);
        assert_eq!(sorted(&full["read"], "/user/id"), ["jane", "joe"]);
        assert_eq!(full.get("membership"), None);
        assert_eq!(full["channel"]["last_message_at"], full["messages"][0]["created_at"]);
        assert_eq!(full["channel"]["message_count"], 1);
        assert_eq!(state(server, "joe").await["membership"]["user_id"], "joe");
    }

    async fn a_channel_is_read_in_pages(server: TestServer) {
        server.users(&["jane"]).await;
        server.channel("general", &["jane"]).await;
        for id in ["m1", "m2", "m3", "m4"] {
            server.send("general", "jane", id, id).await;
        }
        let path = format!("{CHANNELS}/messaging/general");
        for (name, expected) in [
            ("messages_id_lt", ["m1", "m2"]),
            ("messages_id_lte", ["m2", "m3"]),
            ("messages_id_gte", ["m3", "m4"]),
        ] {
            let request = server.raw("GET", &path).query("state", "true").query("messages_limit", "2");
            let reply = request.query(name, "m3").send().await;
            assert_eq!(texts(&reply.body["messages"], "/id"), expected, "{name}");
        }
        let reply = server.raw("GET", &path).query("messages_limit", "301").send().await;
        reply.expect_error(400, 4, "messages_limit must be 300 or less");
    }

    async fn a_deleted_channel_is_hidden_from_every_read(server: TestServer) {
        server.users(&["jane"]).await;
        server.channel("general", &["jane"]).await;
        server.send("general", "jane", "m1", "hello").await;
        let path = format!("{CHANNELS}/messaging/general");
        let deleted = server.raw("DELETE", &path).send().await;
        assert_eq!(deleted.status, 200, "{}", deleted.text);
        assert!(deleted.body["channel"]["deleted_at"].is_i64());
        server.raw("GET", &path).send().await.expect_error(404, 16, "messaging:general");
        server.raw("DELETE", &path).send().await.expect_error(404, 16, "messaging:general");
        post(server, &path, &json!({ "data": {} })).await.expect_error(404, 16, "messaging:general");
        let found = post_ok(server, CHANNELS, &json!({ "filter_conditions": {} })).await;
        assert_eq!(found["channels"], json!([]));
        let message = server.raw("GET", "/api/v2/chat/messages/m1").send().await;
        assert_eq!((message.status, message.code()), (404, 16), "{}", message.text);
    }

    async fn a_channel_that_never_was_cannot_be_deleted(server: TestServer) {
        let reply = server.raw("DELETE", &format!("{CHANNELS}/messaging/general")).send().await;
        reply.expect_error(404, 16, "messaging:general");
    }

    async fn a_deleted_channel_comes_back_empty_of_messages(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.send("general", "jane", "m1", "hello").await;
        server.raw("DELETE", &format!("{CHANNELS}/messaging/general")).send().await;
        let back = create(server, "general", json!({ "members": ["jane"], "custom": { "new": true } })).await;
        assert_eq!(back["messages"], json!([]));
        assert_eq!(back["channel"].get("deleted_at"), None);
        assert_eq!(back["channel"].get("last_message_at"), None);
        assert_eq!(back["channel"]["message_count"], 0);
        let count = back["members"].as_array().unwrap().len();
        assert_eq!(back["channel"]["member_count"], count);
        for read in back["read"].as_array().unwrap() {
            assert_eq!(read["unread_messages"], 0, "{read}");
        }
        server.send("general", "jane", "m2", "again").await;
        assert_eq!(texts(&state(server, "").await["messages"], "/id"), ["m2"]);
    }

    async fn hard_deletion_leaves_nothing(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.send("general", "jane", "m1", "hello").await;
        let path = format!("{CHANNELS}/messaging/general");
        let deleted = server.raw("DELETE", &path).query("hard_delete", "true").send().await;
        assert_eq!(deleted.status, 200, "{}", deleted.text);
        assert!(deleted.body["channel"]["deleted_at"].is_i64());
        server.raw("GET", &path).send().await.expect_error(404, 16, "messaging:general");
        server.raw("DELETE", &path).send().await.expect_error(404, 16, "messaging:general");
        let new = create(server, "general", json!({ "members": ["jane"] })).await;
        assert_eq!((&new["messages"], &new["channel"]["member_count"]), (&json!([]), &json!(1)));
        // The id of its message is free again.
        server.send("general", "jane", "m1", "hello").await;
    }

    async fn what_was_deleted_softly_a_server_may_remove_for_good(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.send("general", "jane", "m1", "hello").await;
        let path = format!("{CHANNELS}/messaging/general");
        server.raw("DELETE", &path).send().await;
        server.raw("DELETE", &path).send().await.expect_error(404, 16, "messaging:general");
        let by_jane = server.raw("DELETE", &path).query("hard_delete", "true").as_user("jane").send().await;
        by_jane.expect_error(404, 16, "messaging:general");
        let deleted = server.raw("DELETE", &path).query("hard_delete", "true").send().await;
        assert_eq!(deleted.status, 200, "{}", deleted.text);
        assert!(deleted.body["channel"]["deleted_at"].is_i64());
        let again = server.raw("DELETE", &path).query("hard_delete", "true").send().await;
        again.expect_error(404, 16, "messaging:general");
        let new = create(server, "general", json!({ "members": ["jane"] })).await;
        assert_eq!((&new["messages"], &new["channel"]["member_count"]), (&json!([]), &json!(1)));
        server.send("general", "jane", "m1", "hello").await;
        server.check().await;
    }

    async fn roles_of_a_hard_deleted_channel_do_not_come_back(server: TestServer) {
        server.users(&["jane"]).await;
        create(server, "general", json!({ "members": ["jane"] })).await;
        let first = server.send("general", "jane", "m1", "hello").await;
        assert_eq!(first.member.unwrap().channel_role, "channel_member");
        let path = format!("{CHANNELS}/messaging/general");
        server.raw("DELETE", &path).query("hard_delete", "true").send().await;
        let jane = json!({ "user_id": "jane", "channel_role": "channel_moderator" });
        create(server, "general", json!({ "members": [jane] })).await;
        let second = server.send("general", "jane", "m2", "hello").await;
        assert_eq!(second.member.unwrap().channel_role, "channel_moderator");
    }
}
