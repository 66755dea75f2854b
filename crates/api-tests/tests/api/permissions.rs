//! What the tokens of users allow, beyond the table of `authorization.rs`.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{patch_ok, post_ok, sorted, texts};

const GENERAL: &str = "/api/v2/chat/channels/messaging/general";
const CHANNELS: &str = "/api/v2/chat/channels";
const USERS: &str = "/api/v2/users";

async fn call(server: &TestServer, user_id: &str, method: &str, path: &str, body: Value) -> RawReply {
    server.raw(method, path).as_user(user_id).json(&body).send().await
}

async fn ok(server: &TestServer, user_id: &str, method: &str, path: &str, body: Value) -> Value {
    let reply = call(server, user_id, method, path, body).await;
    assert!(reply.status < 300, "{}", reply.text);
    reply.body
}

async fn read(server: &TestServer, user_id: &str) -> RawReply {
    call(server, user_id, "POST", &format!("{GENERAL}/query"), json!({})).await
}

async fn send(server: &TestServer, user_id: &str, message: Value) -> RawReply {
    call(server, user_id, "POST", &format!("{GENERAL}/message"), json!({ "message": message })).await
}

async fn say(server: &TestServer, user_id: &str, text: &str) -> RawReply {
    send(server, user_id, json!({ "text": text })).await
}

async fn set(server: &TestServer, set: Value) {
    patch_ok(server, GENERAL, &json!({ "set": set })).await;
}

async fn capabilities(server: &TestServer, user_id: &str) -> Vec<String> {
    let reply = read(server, user_id).await;
    let list =
        reply.body["channel"]["own_capabilities"].as_array().unwrap_or_else(|| panic!("{}", reply.text));
    list.iter().map(|capability| capability.as_str().unwrap().to_owned()).collect()
}

async fn query_channels(server: &TestServer, user_id: &str, filter: Value) -> RawReply {
    call(server, user_id, "POST", CHANNELS, json!({ "filter_conditions": filter })).await
}

async fn query_users(server: &TestServer, user_id: &str, filter: Value) -> RawReply {
    let payload = json!({ "filter_conditions": filter }).to_string();
    server.raw("GET", USERS).as_user(user_id).query("payload", &payload).send().await
}

/// Users of two teams and a channel of each, in an app that keeps teams apart.
async fn teams(server: &TestServer) {
    patch_ok(server, "/api/v2/app", &json!({ "multi_tenant_enabled": true })).await;
    let users = json!({ "users": {
        "ann": { "id": "ann", "teams": ["red"] }, "bob": { "id": "bob", "teams": ["blue"] },
        "eve": { "id": "eve" }, "root": { "id": "root", "role": "global_admin" },
        "lead": { "id": "lead", "teams": ["red"], "teams_role": { "red": "admin" } },
    } });
    post_ok(server, USERS, &users).await;
    for (id, team, member) in [("red", "red", "ann"), ("blue", "blue", "bob")] {
        let data = json!({ "created_by_id": member, "team": team, "members": [{ "user_id": member }] });
        post_ok(server, &format!("{CHANNELS}/messaging/{id}/query"), &json!({ "data": data })).await;
    }
}

async fn read_in_teams(server: &TestServer, user_id: &str, id: &str) -> RawReply {
    server.raw("GET", &format!("{CHANNELS}/messaging/{id}")).as_user(user_id).send().await
}

both_databases! {
    async fn a_refusal_names_user_role_action_and_scope(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["joe"]).await;
        let text = "User 'jane' with role 'user' is not allowed to perform action ReadChannel in scope 'messaging'";
        read(server, "jane").await.expect_error(403, 17, text);
        let reply = say(server, "jane", "hi").await;
        reply.expect_error(403, 17, "is not allowed to perform action CreateMessage in scope 'messaging'");
    }

    async fn the_creator_has_the_documented_capabilities(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let expected = "cast-poll-vote connect-events create-attachment create-mention delete-channel \
            delete-own-message delivery-events flag-message join-channel leave-channel mute-channel pin-message \
            query-poll-votes quote-message read-events search-messages send-custom-events send-links send-message \
            send-poll send-reaction send-reply send-typing-events share-location typing-events update-channel \
            update-channel-members update-own-message update-thread upload-file";
        set(server, json!({ "config_overrides": { "shared_locations": true } })).await;
        assert_eq!(capabilities(server, "jane").await, expected.split_whitespace().collect::<Vec<_>>());
        let member = capabilities(server, "joe").await;
        for missing in ["update-channel", "delete-channel", "update-channel-members", "join-channel"] {
            assert!(!member.contains(&missing.to_owned()), "{missing}");
        }
    }

    async fn capabilities_follow_the_settings_of_the_channel(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let has = async |name: &str| capabilities(server, "joe").await.contains(&name.to_owned());
        assert!(has("send-reaction").await && has("send-message").await && !has("slow-mode").await);
        set(server, json!({ "config_overrides": { "reactions": false, "replies": false }, "cooldown": 5 })).await;
        assert!(!has("send-reaction").await && !has("send-reply").await && has("slow-mode").await);
        set(server, json!({ "config_overrides": {}, "frozen": true })).await;
        assert!(!has("send-message").await && !has("send-reply").await && has("delete-own-message").await);
        let found = query_channels(server, "joe", json!({ "members": { "$in": ["joe"] } })).await;
        let listed = found.body["channels"][0]["channel"]["own_capabilities"].as_array().unwrap();
        assert_eq!(listed.len(), capabilities(server, "joe").await.len());
    }

    async fn slow_mode_makes_members_wait(server: TestServer) {
        server.users(&["jane", "joe", "meg"]).await;
        server.channel("general", &["jane", "joe"]).await;
        post_ok(server, GENERAL, &json!({ "add_moderators": ["meg"] })).await;
        set(server, json!({ "cooldown": 10 })).await;
        let first = say(server, "joe", "one").await;
        assert_eq!(first.status, 201, "{}", first.text);
        let text = "user joe is not allowed to send messages on channel messaging:general under cool down period(10s)";
        say(server, "joe", "two").await.expect_error(403, 60, text);
        let reply = json!({ "text": "two", "parent_id": first.body["message"]["id"] });
        send(server, "joe", reply).await.expect_error(403, 60, "cool down");
        let path = format!("/api/v2/chat/messages/{}", first.body["message"]["id"].as_str().unwrap());
        ok(server, "joe", "PUT", &path, json!({ "set": { "text": "edited" } })).await;
        for _ in 0..2 {
            assert_eq!(say(server, "meg", "I moderate").await.status, 201);
            server.send("general", "joe", &format!("s{}", rand::random::<u32>()), "by a server").await;
        }
        server.advance(Duration::from_secs(11));
        assert_eq!(say(server, "joe", "two").await.status, 201);
    }

    async fn a_frozen_channel_takes_nothing_new_from_anybody(server: TestServer) {
        server.users(&["jane"]).await;
        post_ok(server, USERS, &json!({ "users": { "root": { "id": "root", "role": "admin" } } })).await;
        server.channel("general", &["jane"]).await;
        server.send("general", "jane", "m1", "hello").await;
        set(server, json!({ "frozen": true })).await;
        for user in ["jane", "root"] {
            say(server, user, "hi").await.expect_error(403, 17, "UseFrozenChannel");
            let reaction = json!({ "reaction": { "type": "like" } });
            let reply = call(server, user, "POST", "/api/v2/chat/messages/m1/reaction", reaction).await;
            reply.expect_error(403, 17, "UseFrozenChannel");
        }
        ok(server, "jane", "POST", "/api/v2/chat/messages/m1", json!({ "message": { "text": "edited" } })).await;
        ok(server, "jane", "DELETE", "/api/v2/chat/messages/m1", json!({})).await;
        server.send("general", "jane", "m2", "by a server").await;
    }

    async fn a_disabled_channel_is_closed_to_clients(server: TestServer) {
        server.users(&["jane"]).await;
        server.channel("general", &["jane"]).await;
        server.send("general", "jane", "m1", "hello").await;
        set(server, json!({ "disabled": true })).await;
        read(server, "jane").await.expect_error(403, 17, "ReadDisabledChannel");
        say(server, "jane", "hi").await.expect_error(403, 17, "ReadDisabledChannel");
        let message = call(server, "jane", "GET", "/api/v2/chat/messages/m1", json!({})).await;
        message.expect_error(403, 17, "ReadDisabledChannel");
        let found = query_channels(server, "jane", json!({ "members": { "$in": ["jane"] } })).await;
        assert_eq!(texts(&found.body["channels"], "/channel/id"), ["general"]);
        server.send("general", "jane", "m2", "by a server").await;
    }

    async fn a_channel_grants_and_revokes_at_once(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        assert_eq!(say(server, "joe", "hi").await.status, 201);
        let grants = json!({ "channel_member": ["!create-message", "update-channel"] });
        set(server, json!({ "config_overrides": { "grants": grants } })).await;
        say(server, "joe", "hi").await.expect_error(403, 17, "CreateMessage");
        ok(server, "joe", "PATCH", GENERAL, json!({ "set": { "color": "red" } })).await;
        set(server, json!({ "config_overrides": {} })).await;
        assert_eq!(say(server, "joe", "hi").await.status, 201);
    }

    async fn a_role_of_a_member_is_enough(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        post_ok(server, "/api/v2/roles", &json!({ "name": "host" })).await;
        let change = json!({ "grants": { "host": ["truncate-channel"] } });
        server.raw("PUT", "/api/v2/chat/channeltypes/messaging").json(&change).send().await;
        let truncate = format!("{GENERAL}/truncate");
        call(server, "joe", "POST", &truncate, json!({})).await.expect_error(403, 17, "TruncateChannel");
        let assign = json!({ "assign_roles": [{ "user_id": "joe", "channel_role": "host" }] });
        post_ok(server, GENERAL, &assign).await;
        ok(server, "joe", "POST", &truncate, json!({})).await;
    }

    async fn a_permission_holds_under_its_condition(server: TestServer) {
        let users = json!({ "users": {
            "jane": { "id": "jane" },
            "novice": { "id": "novice", "custom": { "rank": 1 } },
            "expert": { "id": "expert", "custom": { "rank": 3 } },
        } });
        post_ok(server, USERS, &users).await;
        server.channel("general", &["jane", "novice", "expert"]).await;
        let condition = json!({ "$subject.rank": { "$gte": 3 }, "$resource.frozen": false });
        let permission = json!({ "id": "by-experts", "action": "UpdateChannel", "condition": condition });
        post_ok(server, "/permissions", &permission).await;
        let change = json!({ "grants": { "user": ["by-experts", "create-channel"] } });
        server.raw("PUT", "/api/v2/chat/channeltypes/messaging").json(&change).send().await;
        let change = json!({ "set": { "color": "red" } });
        call(server, "novice", "PATCH", GENERAL, change.clone()).await.expect_error(403, 17, "UpdateChannel");
        ok(server, "expert", "PATCH", GENERAL, change.clone()).await;
        set(server, json!({ "frozen": true })).await;
        call(server, "expert", "PATCH", GENERAL, change).await.expect_error(403, 17, "UpdateChannel");
    }

    async fn an_app_in_development_may_check_nothing(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["joe"]).await;
        read(server, "jane").await.expect_error(403, 17, "ReadChannel");
        patch_ok(server, "/api/v2/app", &json!({ "disable_permissions_checks": true })).await;
        assert_eq!(read(server, "jane").await.status, 201);
        assert_eq!(query_channels(server, "jane", json!({})).await.body["channels"].as_array().unwrap().len(), 1);
    }

    async fn only_channels_that_may_be_read_are_found(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        for (id, members) in [("a", ["jane"].as_slice()), ("b", &["joe"]), ("c", &["joe", "jane"])] {
            server.channel(id, members).await;
        }
        let data = json!({ "data": { "created_by_id": "joe" } });
        post_ok(server, &format!("{CHANNELS}/livestream/open/query"), &data).await;
        let found = query_channels(server, "jane", json!({})).await;
        assert_eq!(sorted(&found.body["channels"], "/channel/id"), ["a", "c", "open"]);
        let found = query_channels(server, "jane", json!({ "type": "messaging", "id": { "$in": ["a", "b"] } })).await;
        assert_eq!(sorted(&found.body["channels"], "/channel/id"), ["a"]);
        query_channels(server, "jane", json!({ "cid": "messaging:b" })).await.expect_error(403, 70, "");
        let found = query_channels(server, "jane", json!({ "cid": "messaging:nothing" })).await;
        assert_eq!((found.status, &found.body["channels"]), (201, &json!([])));
    }

    async fn an_answer_never_tells_what_stands_in_a_channel_that_may_not_be_read(server: TestServer) {
        let users = json!({ "users": { "jane": { "id": "jane" }, "joe": { "id": "joe" }, "meg": { "id": "meg" },
                                       "lost": { "id": "lost", "role": "guest" } } });
        post_ok(server, USERS, &users).await;
        server.channel("own", &["jane"]).await;
        let data = json!({ "created_by_id": "joe", "custom": { "name": "Falcon" },
                           "members": [{ "user_id": "joe" }, { "user_id": "meg" }] });
        post_ok(server, &format!("{CHANNELS}/messaging/secret/query"), &json!({ "data": data })).await;
        post_ok(server, &format!("{CHANNELS}/messaging/closed/query"), &json!({ "data": {
            "created_by_id": "jane", "custom": { "name": "Falcon" }, "members": [{ "user_id": "jane" }] } })).await;
        let closed = json!({ "set": { "config_overrides": { "grants": {
            "channel_member": ["!read-channel"], "user": ["!read-channel-owner"] } } } });
        patch_ok(server, &format!("{CHANNELS}/messaging/closed"), &closed).await;
        // Whether the second filter finds something depends on what stands in the channel; the answer does not.
        let none: [Value; 0] = [];
        for (user, found, missed, expected) in [
            ("jane", json!({ "name": "Falcon" }), json!({ "name": "Eagle" }), None),
            ("jane", json!({ "type": "messaging", "name": { "$gte": "F", "$lt": "G" } }),
             json!({ "type": "messaging", "name": { "$gte": "G", "$lt": "H" } }), None),
            ("jane", json!({ "members": { "$eq": ["joe", "meg"] } }), json!({ "members": { "$eq": ["joe", "ann"] } }), None),
            ("jane", json!({ "cid": "messaging:secret", "name": "Falcon" }), json!({ "cid": "messaging:secret", "name": "x" }), Some(70)),
            ("jane", json!({ "$and": [{ "id": { "$in": ["secret"] } }, { "name": "Falcon" }] }),
             json!({ "$and": [{ "id": { "$in": ["secret"] } }, { "name": "x" }] }), Some(70)),
            ("jane", json!({ "cid": "messaging:closed", "name": "Falcon" }), json!({ "cid": "messaging:closed", "name": "x" }), Some(70)),
            ("jane", json!({ "members": { "$in": ["jane"] }, "name": "Falcon" }),
             json!({ "members": { "$in": ["jane"] }, "name": "x" }), None),
            ("lost", json!({ "type": "messaging", "name": "Falcon" }), json!({ "type": "messaging", "name": "x" }), Some(70)),
            ("lost", json!({ "type": "messaging", "joined": true }), json!({ "type": "messaging", "joined": true }), None),
            ("lost", json!({ "name": "Falcon" }), json!({ "name": "x" }), None),
        ] {
            for filter in [found, missed] {
                let payload = json!({ "filter_conditions": filter, "query": "word" }).to_string();
                let search = server.raw("GET", "/api/v2/chat/search").as_user(user).query("payload", &payload).send().await;
                let reply = query_channels(server, user, filter.clone()).await;
                match expected {
                    Some(code) => {
                        assert_eq!((reply.status, reply.code()), (403, code), "{user} {filter} {}", reply.text);
                        assert_eq!((search.status, search.code()), (403, code), "{user} {filter} {}", search.text);
                    }
                    None => {
                        assert_eq!((reply.status, &reply.body["channels"]), (201, &json!(none)), "{user} {filter} {}", reply.text);
                        assert_eq!((search.status, &search.body["results"]), (200, &json!(none)), "{user} {filter} {}", search.text);
                    }
                }
            }
        }
        // What may be read and does not fit is just not found, and so is what does not exist.
        for filter in [
            json!({ "cid": "messaging:own", "name": "x" }),
            json!({ "id": { "$in": ["own", "secret"] }, "name": "Falcon" }),
            json!({ "cid": "messaging:nothing", "name": "Falcon" }),
            json!({ "type": "nothing" }),
        ] {
            let reply = query_channels(server, "jane", filter.clone()).await;
            assert_eq!((reply.status, &reply.body["channels"]), (201, &json!(none)), "{filter} {}", reply.text);
        }
    }

    async fn a_disabled_channel_is_found_without_what_was_said_in_it(server: TestServer) {
        let users = json!({ "users": { "jane": { "id": "jane" }, "joe": { "id": "joe" },
                                       "root": { "id": "root", "role": "admin" } } });
        post_ok(server, USERS, &users).await;
        server.channel("general", &["jane", "joe", "root"]).await;
        server.send("general", "joe", "m1", "whispered talk").await;
        let pinned = json!({ "id": "m2", "text": "whispered pin", "user_id": "joe", "pinned": true });
        post_ok(server, &format!("{GENERAL}/message"), &json!({ "message": pinned })).await;
        let reply = json!({ "id": "r", "text": "whispered reply", "user_id": "jane", "parent_id": "m1" });
        post_ok(server, &format!("{GENERAL}/message"), &json!({ "message": reply })).await;
        set(server, json!({ "disabled": true })).await;
        read(server, "jane").await.expect_error(403, 17, "ReadDisabledChannel");
        let socket = server.socket("jane").open().await;
        let watching = json!({ "filter_conditions": { "cid": "messaging:general" }, "watch": true });
        let watched = server.raw("POST", CHANNELS).as_user("jane").query("connection_id", &socket.connection_id);
        let found = [
            query_channels(server, "jane", json!({ "cid": "messaging:general" })).await,
            watched.json(&watching).send().await,
        ];
        for found in found {
            let shown = &found.body["channels"][0];
            assert_eq!((&shown["channel"]["cid"], &shown["channel"]["disabled"]), (&json!("messaging:general"), &json!(true)));
            assert_eq!(shown["members"].as_array().unwrap().len(), 3);
            assert_eq!((&shown["messages"], &shown["pinned_messages"]), (&json!([]), &json!([])));
            assert!(!found.text.contains("whispered"), "{}", found.text);
        }
        let threads = "/api/v2/chat/threads";
        let own = call(server, "jane", "POST", threads, json!({})).await;
        assert_eq!((own.status, &own.body["threads"]), (201, &json!([])), "{}", own.text);
        // Servers and those with the permission see it all.
        let grants = json!({ "grants": { "admin": ["read-disabled-channel"] } });
        set(server, json!({ "config_overrides": grants })).await;
        let all = query_channels(server, "root", json!({ "cid": "messaging:general" })).await;
        assert_eq!(texts(&all.body["channels"][0]["messages"], "/id"), ["m1", "m2"]);
        let all = post_ok(server, threads, &json!({ "user_id": "jane" })).await;
        assert_eq!(texts(&all["threads"], "/parent_message_id"), ["m1"]);
        set(server, json!({ "disabled": false })).await;
        let found = query_channels(server, "jane", json!({ "cid": "messaging:general" })).await;
        assert_eq!(texts(&found.body["channels"][0]["messages"], "/id"), ["m1", "m2"]);
    }

    async fn somebody_without_a_token_reads_livestreams_only(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane"]).await;
        let stream = format!("{CHANNELS}/livestream/open");
        let data = json!({ "data": { "created_by_id": "jane" } });
        post_ok(server, &format!("{stream}/query"), &data).await;
        let restricted = json!({ "id": "r", "text": "word", "user_id": "jane", "restricted_visibility": ["joe"] });
        post_ok(server, &format!("{stream}/message"), &json!({ "message": restricted })).await;
        let anonymous = |method: &str, path: &str| {
            server.raw(method, path).without_header("authorization").header("stream-auth-type", "anonymous")
        };
        let read = anonymous("POST", &format!("{stream}/query")).json(&json!({})).send().await;
        assert_eq!((read.status, &read.body["messages"]), (201, &json!([])), "{}", read.text);
        anonymous("GET", "/api/v2/chat/messages/r").send().await.expect_error(404, 16, "message");
        let message = json!({ "message": { "text": "hi" } });
        let sent = anonymous("POST", &format!("{stream}/message")).json(&message).send().await;
        assert_eq!((sent.status, sent.code()), (403, 17), "{}", sent.text);
        let read = anonymous("POST", &format!("{GENERAL}/query")).json(&json!({})).send().await;
        read.expect_error(403, 17, "with role 'anonymous'");
    }

    async fn messages_kept_from_a_user_are_not_there(server: TestServer) {
        server.users(&["jane", "joe", "meg"]).await;
        post_ok(server, USERS, &json!({ "users": { "root": { "id": "root", "role": "admin" } } })).await;
        server.channel("general", &["jane", "joe"]).await;
        let message = json!({ "id": "r", "text": "word", "user_id": "jane", "restricted_visibility": ["joe"] });
        post_ok(server, &format!("{GENERAL}/message"), &json!({ "message": message })).await;
        post_ok(server, GENERAL, &json!({ "add_members": [{ "user_id": "meg" }], "hide_history": true })).await;
        let get = async |user: &str| call(server, user, "GET", "/api/v2/chat/messages/r", json!({})).await;
        assert_eq!(get("joe").await.status, 200);
        assert_eq!(get("root").await.status, 200);
        get("meg").await.expect_error(404, 16, "message");
        server.send("general", "jane", "after", "hello").await;
        let many = format!("{GENERAL}/messages");
        let found = server.raw("GET", &many).as_user("meg").query("ids", "r,after").send().await;
        assert_eq!(texts(&found.body["messages"], "/id"), ["after"]);
    }

    async fn one_of_a_distinct_channel_comes_back(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let body = json!({ "data": { "members": [{ "user_id": "jane" }, { "user_id": "joe" }] } });
        let created = ok(server, "jane", "POST", &format!("{CHANNELS}/messaging/query"), body.clone()).await;
        let path = format!("{CHANNELS}/messaging/{}", created["channel"]["id"].as_str().unwrap());
        ok(server, "joe", "POST", &path, json!({ "remove_members": ["joe"] })).await;
        let get = server.raw("GET", &path).as_user("joe").send().await;
        get.expect_error(403, 17, "ReadChannel");
        let again = ok(server, "joe", "POST", &format!("{CHANNELS}/messaging/query"), body).await;
        assert_eq!(again["channel"]["member_count"], 2);
        assert_eq!(again["membership"]["user_id"], "joe");
    }

    async fn a_deleted_channel_is_created_again_by_those_who_may(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        assert_eq!(server.raw("DELETE", GENERAL).send().await.status, 200);
        read(server, "joe").await.expect_error(403, 17, "RecreateChannel");
        assert_eq!(read(server, "jane").await.status, 201);
    }

    async fn what_concerns_a_user_alone_is_shown_to_nobody_else(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.send("general", "jane", "m1", "hello").await;
        let mute = json!({ "channel_cids": ["messaging:general"] });
        ok(server, "joe", "POST", "/api/v2/chat/moderation/mute/channel", mute).await;
        ok(server, "joe", "POST", "/api/v2/users/block", json!({ "blocked_user_id": "jane" })).await;
        let own = query_users(server, "joe", json!({ "id": "joe" })).await.body["users"][0].clone();
        assert_eq!((own["channel_mutes"].as_array().unwrap().len(), &own["blocked_user_ids"]), (1, &json!(["jane"])));
        let others = query_users(server, "jane", json!({ "id": "joe" })).await.body["users"][0].clone();
        assert_eq!((&others["channel_mutes"], &others["blocked_user_ids"]), (&json!([]), &json!([])));
        assert_eq!(others["total_unread_count"], 0);
    }

    async fn roles_may_be_kept_from_finding_users(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        patch_ok(server, "/api/v2/app", &json!({ "user_search_disallowed_roles": ["user"] })).await;
        query_users(server, "jane", json!({})).await.expect_error(403, 17, "SearchUser in scope '.app'");
    }

    async fn teams_are_out_of_reach_of_each_other(server: TestServer) {
        teams(server).await;
        assert_eq!(read_in_teams(server, "ann", "red").await.status, 200);
        let foreign = read_in_teams(server, "ann", "blue").await;
        let missing = read_in_teams(server, "ann", "none").await;
        foreign.expect_error(404, 16, "messaging:blue");
        assert_eq!(foreign.message().replace("blue", "none"), missing.message());
        assert_eq!(read_in_teams(server, "root", "blue").await.status, 200);
        assert_eq!(read_in_teams(server, "lead", "red").await.status, 200);
        let refused = server.raw("DELETE", &format!("{CHANNELS}/messaging/red")).as_user("ann").send().await;
        assert_eq!(refused.status, 200, "the creator may: {}", refused.text);
        let message = json!({ "message": { "text": "hi", "mentioned_users": ["ann"] } });
        let path = format!("{CHANNELS}/messaging/blue/message");
        call(server, "bob", "POST", &path, message).await.expect_error(400, 4, "ann");
    }

    async fn a_refusal_names_the_team(server: TestServer) {
        teams(server).await;
        let users = json!({ "users": { "amy": { "id": "amy", "teams": ["red"] } } });
        post_ok(server, USERS, &users).await;
        let text = "User 'amy' with role 'user' from team 'red' is not allowed to perform action ReadChannel";
        read_in_teams(server, "amy", "red").await.expect_error(403, 17, text);
    }

    async fn queries_stay_in_the_own_teams(server: TestServer) {
        teams(server).await;
        let found = query_channels(server, "lead", json!({})).await;
        assert_eq!(texts(&found.body["channels"], "/channel/id"), ["red"]);
        let found = query_channels(server, "root", json!({})).await;
        assert_eq!(sorted(&found.body["channels"], "/channel/id"), ["blue", "red"]);
        query_channels(server, "ann", json!({ "team": "blue" }))
            .await
            .expect_error(403, 17, "search by team \"blue\" is not allowed");
        // Whoever asks for all teams finds those that he or she may see.
        let all = |found: &str| if found == "root" { vec!["blue", "red"] } else { vec!["red"] };
        for user in ["lead", "root"] {
            let found = query_channels(server, user, json!({ "team": {} })).await;
            assert_eq!(sorted(&found.body["channels"], "/channel/id"), all(user));
        }
        for (user, expected) in [("ann", ["ann", "lead"].as_slice()), ("root", &["ann", "bob", "eve", "lead", "root"])] {
            let found = query_users(server, user, json!({ "teams": {} })).await;
            assert_eq!(sorted(&found.body["users"], "/id"), expected);
        }
        query_users(server, "root", json!({ "name": {} })).await.expect_error(400, 4, "expecting a value or an operator");
        query_channels(server, "ann", json!({ "$nor": [{ "team": "red" }] })).await.expect_error(400, 4, "team");
        query_channels(server, "ann", json!({ "team": { "$gt": "a" } })).await.expect_error(400, 4, "team");

        let found = query_users(server, "ann", json!({})).await;
        assert_eq!(sorted(&found.body["users"], "/id"), ["ann", "lead"]);
        let found = query_users(server, "ann", json!({ "teams": null })).await;
        assert_eq!(sorted(&found.body["users"], "/id"), ["eve", "root"]);
        let found = query_users(server, "root", json!({ "teams": { "$contains": "blue" } })).await;
        assert_eq!(sorted(&found.body["users"], "/id"), ["bob"]);
        query_users(server, "ann", json!({ "teams": { "$in": ["blue"] } })).await.expect_error(403, 17, "blue");
        query_users(server, "ann", json!({ "teams": "" })).await.expect_error(400, 4, "teams");
        let found = query_users(server, "eve", json!({})).await;
        assert_eq!(sorted(&found.body["users"], "/id"), ["eve", "root"]);
    }

    async fn a_channel_is_created_in_an_own_team(server: TestServer) {
        teams(server).await;
        let create = async |data: Value| {
            let path = format!("{CHANNELS}/messaging/new/query");
            call(server, "ann", "POST", &path, json!({ "data": data })).await
        };
        create(json!({})).await.expect_error(401, 5, "team");
        create(json!({ "team": "blue" })).await.expect_error(401, 5, "team");
        create(json!({ "team": "red", "members": [{ "user_id": "bob" }] })).await.expect_error(400, 4, "bob");
        assert_eq!(create(json!({ "team": "red", "members": [{ "user_id": "ann" }] })).await.status, 201);
        let change = json!({ "set": { "team": "blue" } });
        call(server, "ann", "PATCH", &format!("{CHANNELS}/messaging/new"), change)
            .await
            .expect_error(401, 5, "changing channel team is not allowed client-side");
    }
}
