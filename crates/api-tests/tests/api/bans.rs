//! Users who are banned: what they may no longer do, what others see of them, and how bans are found and end.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_client::protocol::bans::{
    BanRequest, QueryBannedUsersPayload, QueryFutureChannelBansPayload, UnbanQuery, UnbanRequest,
};
use serde_json::{Value, json};

use crate::chat::{get, ids, jane_and_joe, message, ok, post, sent, state, state_for, update_channel};

const GENERAL: &str = "messaging:general";

async fn ban(server: &TestServer, request: Value) -> RawReply {
    server.raw("POST", "/api/v2/moderation/ban").json(&request).send().await
}

/// Jane bans joe.
async fn jane_bans_joe(server: &TestServer, more: Value) {
    let mut request = json!({ "target_user_id": "joe", "banned_by_id": "jane" });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ok(ban(server, request).await);
}

async fn unban(server: &TestServer, query: &[(&str, &str)]) -> RawReply {
    let request = server.raw("POST", "/api/v2/moderation/unban").query("target_user_id", "joe");
    let request = query.iter().fold(request, |request, (name, value)| request.query(name, value));
    request.json(&json!({ "unbanned_by_id": "jane" })).send().await
}

/// Joe sends with a token of his own.
async fn joe_sends(server: &TestServer, channel: &str, id: &str) -> RawReply {
    let path = format!("/api/v2/chat/channels/messaging/{channel}/message");
    let message = json!({ "message": { "id": id, "text": "hi" } });
    server.raw("POST", &path).as_user("joe").json(&message).send().await
}

async fn user(server: &TestServer, id: &str) -> Value {
    let payload = json!({ "filter_conditions": { "id": id } }).to_string();
    ok(server.raw("GET", "/api/v2/users").query("payload", &payload).send().await)["users"][0].clone()
}

/// The member joe as the server sees him.
async fn joe_in_general(server: &TestServer) -> Value {
    let members = state(server, "general").await["members"].clone();
    members.as_array().unwrap().iter().find(|member| member["user_id"] == "joe").unwrap().clone()
}

async fn bans(server: &TestServer, payload: Value) -> RawReply {
    get(server, "/query_banned_users", &[("payload", &payload.to_string())]).await
}

/// Ids of the users who are found.
async fn users_by(server: &TestServer, filter: Value) -> Vec<String> {
    let payload =
        json!({ "filter_conditions": filter, "sort": [{ "field": "id", "direction": 1 }] }).to_string();
    let found = ok(server.raw("GET", "/api/v2/users").query("payload", &payload).send().await);
    let users = found["users"].as_array().unwrap().iter();
    users.map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

async fn members_by(server: &TestServer, filter: Value) -> Vec<String> {
    let payload = json!({ "type": "messaging", "id": "general", "filter_conditions": filter }).to_string();
    let found = ok(get(server, "/members", &[("payload", &payload)]).await);
    let members = found["members"].as_array().unwrap().iter();
    members.map(|member| member["user_id"].as_str().unwrap().to_owned()).collect()
}

async fn unread_of_jane(server: &TestServer) -> i64 {
    ok(get(server, "/unread", &[("user_id", "jane")]).await)["total_unread_count"].as_i64().unwrap()
}

both_databases! {
    async fn a_user_banned_from_the_app_reads_and_does_not_write(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "hello").await;
        server.send("general", "joe", "m2", "hello").await;
        assert_eq!(joe_sends(server, "general", "m3").await.status, 201);
        let request = BanRequest {
            target_user_id: "joe".to_owned(),
            banned_by_id: Some("jane".to_owned()),
            reason: Some("spam".to_owned()),
            ..BanRequest::default()
        };
        server.client().moderation().ban(request).await.unwrap();
        joe_sends(server, "general", "m4").await.expect_error(403, 17, "banned");
        let as_joe = |method: &str, path: &str, body: Value| {
            let request = server.raw(method, &format!("/api/v2/chat{path}")).as_user("joe");
            async move { request.json(&body).send().await }
        };
        let reaction = json!({ "reaction": { "type": "like" } });
        as_joe("POST", "/messages/m1/reaction", reaction).await.expect_error(403, 17, "banned");
        let edit = json!({ "message": { "text": "changed" } });
        as_joe("POST", "/messages/m2", edit).await.expect_error(403, 17, "banned");
        as_joe("PUT", "/messages/m2", json!({ "set": { "text": "x" } })).await.expect_error(403, 17, "banned");
        as_joe("DELETE", "/messages/m2", json!({})).await.expect_error(403, 17, "banned");
        as_joe("POST", "/channels/messaging/general", json!({ "data": {} })).await.expect_error(403, 17, "banned");
        as_joe("POST", "/channels/messaging/new/query", json!({})).await.expect_error(403, 17, "banned");
        let reading = server.raw("GET", "/api/v2/chat/messages/m1").as_user("joe").send().await;
        assert_eq!(reading.status, 200, "{}", reading.text);
        server.send("general", "joe", "m5", "by the server").await;
        let joe = user(server, "joe").await;
        assert_eq!((&joe["banned"], &joe["shadow_banned"]), (&json!(true), &json!(false)));
        assert_eq!(joe.get("ban_expires"), None);
        assert_eq!(message(server, "m2").await["user"]["banned"], true);
        assert_eq!(users_by(server, json!({ "banned": true })).await, ["joe"]);
        assert_eq!(users_by(server, json!({ "banned": false })).await, ["jane"]);
        server.check().await;

        let query = UnbanQuery { target_user_id: Some("joe".to_owned()), ..UnbanQuery::default() };
        let by = UnbanRequest { unbanned_by_id: Some("jane".to_owned()), ..UnbanRequest::default() };
        server.client().moderation().unban(query, by).await.unwrap();
        assert_eq!(joe_sends(server, "general", "m6").await.status, 201);
        assert_eq!(user(server, "joe").await["banned"], false);
        server.check().await;
    }

    async fn a_ban_from_a_channel_holds_there_alone_and_survives_leaving(server: TestServer) {
        jane_and_joe(server).await;
        server.channel("other", &["jane", "joe"]).await;
        assert_eq!(joe_sends(server, "general", "m1").await.status, 201);
        jane_bans_joe(server, json!({ "channel_cid": GENERAL, "timeout": 10 })).await;
        joe_sends(server, "general", "m2").await.expect_error(403, 17, "banned from channel messaging:general");
        assert_eq!(joe_sends(server, "other", "m3").await.status, 201);
        let joe = joe_in_general(server).await;
        assert_eq!((&joe["banned"], &joe["user"]["banned"]), (&json!(true), &json!(false)));
        assert_eq!(joe["ban_expires"], 1_767_323_645_000_000_000_i64);
        assert_eq!(members_by(server, json!({ "banned": true })).await, ["joe"]);
        update_channel(server, "general", json!({ "remove_members": ["joe"] })).await;
        joe_sends(server, "general", "m4").await.expect_error(403, 17, "CreateMessage");
        update_channel(server, "general", json!({ "add_members": ["joe"] })).await;
        assert_eq!(joe_in_general(server).await["banned"], true);
        joe_sends(server, "general", "m5").await.expect_error(403, 17, "banned");
        server.check().await;
        // It is not the ban from the app that is taken back here.
        ok(unban(server, &[]).await);
        assert_eq!(joe_in_general(server).await["banned"], true);
        ok(unban(server, &[("channel_cid", GENERAL)]).await);
        assert_eq!(joe_in_general(server).await["banned"], false);
        assert_eq!(joe_sends(server, "general", "m6").await.status, 201);
        server.check().await;
    }

    async fn bans_lapse_by_themselves_and_are_replaced(server: TestServer) {
        jane_and_joe(server).await;
        jane_bans_joe(server, json!({ "timeout": 1 })).await;
        jane_bans_joe(server, json!({ "timeout": 1, "channel_cid": GENERAL })).await;
        assert_eq!(user(server, "joe").await["ban_expires"], 1_767_323_105_000_000_000_i64);
        joe_sends(server, "general", "m1").await.expect_error(403, 17, "banned");
        server.advance(Duration::from_secs(60));
        assert_eq!(joe_sends(server, "general", "m2").await.status, 201);
        let joe = user(server, "joe").await;
        assert_eq!((&joe["banned"], joe.get("ban_expires")), (&json!(false), None));
        let joe = joe_in_general(server).await;
        assert_eq!((&joe["banned"], joe.get("ban_expires")), (&json!(false), None));
        assert_eq!(joe["user"]["banned"], false);
        assert_eq!(users_by(server, json!({ "banned": true })).await, Vec::<String>::new());
        assert_eq!(members_by(server, json!({ "banned": true })).await, Vec::<String>::new());
        jane_bans_joe(server, json!({ "timeout": 5 })).await;
        jane_bans_joe(server, json!({ "shadow": true })).await;
        let joe = user(server, "joe").await;
        assert_eq!((&joe["banned"], &joe["shadow_banned"]), (&json!(false), &json!(true)));
        assert_eq!(joe.get("ban_expires"), None);
        assert_eq!(joe_sends(server, "general", "m3").await.status, 201);
        server.check().await;
    }

    async fn another_node_refuses_a_banned_user_too(server: TestServer) {
        jane_and_joe(server).await;
        server.beside(async |other| {
            assert_eq!(joe_sends(other, "general", "m1").await.status, 201);
            jane_bans_joe(server, json!({ "channel_cid": GENERAL })).await;
            joe_sends(other, "general", "m2").await.expect_error(403, 17, "banned");
            ok(unban(server, &[("channel_cid", GENERAL)]).await);
            other.send("general", "jane", "m3", "a").await;
            assert_eq!(joe_sends(other, "general", "m4").await.status, 201);
            jane_bans_joe(server, json!({})).await;
            joe_sends(other, "general", "m5").await.expect_error(403, 17, "banned");
        })
        .await;
    }

    async fn a_shadow_banned_user_notices_nothing(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "joe", "m0", "before").await;
        let before = unread_of_jane(server).await;
        jane_bans_joe(server, json!({ "channel_cid": GENERAL, "shadow": true })).await;
        let reply = ok(joe_sends(server, "general", "m1").await);
        assert_eq!(reply["message"]["shadowed"], false);
        assert_eq!(message(server, "m1").await["shadowed"], true);
        assert_eq!(message(server, "m0").await["shadowed"], false);
        let seen_by = async |id: &str| {
            let read = server.raw("GET", "/api/v2/chat/messages/m1").as_user(id).send().await;
            ok(read)["message"]["shadowed"].clone()
        };
        assert_eq!((seen_by("joe").await, seen_by("jane").await), (json!(false), json!(true)));
        assert_eq!(unread_of_jane(server).await, before);
        let joe = joe_in_general(server).await;
        assert_eq!((&joe["banned"], &joe["shadow_banned"]), (&json!(false), &json!(true)));
        let path = "/api/v2/chat/channels/messaging/general";
        let own = server.raw("GET", path).query("state", "true").as_user("joe").send().await;
        let members = ok(own)["members"].as_array().unwrap().clone();
        assert!(members.iter().all(|member| member["shadow_banned"] == false));
        server.check().await;
    }

    async fn servers_learn_when_they_send_what_a_shadow_ban_shadows(server: TestServer) {
        jane_and_joe(server).await;
        let send = async |path: &str, id: &str| {
            let message = json!({ "message": { "id": id, "text": "hi", "user_id": "joe" } });
            ok(server.raw("POST", path).json(&message).send().await)["message"]["shadowed"].clone()
        };
        let (v1, v2) = ("/channels/messaging/general/message", "/api/v2/chat/channels/messaging/general/message");
        assert_eq!(send(v2, "m0").await, false);
        jane_bans_joe(server, json!({ "shadow": true })).await;
        assert_eq!(send(v2, "m1").await, true);
        // Servers of version 1 hand the answer on to joe.
        assert_eq!(send(v1, "m2").await, false);
        assert_eq!(message(server, "m2").await["shadowed"], true);
    }

    async fn a_shadow_ban_from_the_app_is_kept_from_the_user(server: TestServer) {
        jane_and_joe(server).await;
        jane_bans_joe(server, json!({ "shadow": true })).await;
        assert_eq!(users_by(server, json!({ "shadow_banned": true })).await, ["joe"]);
        let payload = json!({ "filter_conditions": { "id": "joe" } }).to_string();
        let own = server.raw("GET", "/api/v2/users").query("payload", &payload).as_user("joe").send().await;
        assert_eq!(ok(own)["users"][0]["shadow_banned"], false);
        let sent = ok(joe_sends(server, "general", "m1").await);
        assert_eq!(sent["message"]["user"]["shadow_banned"], false);
        assert_eq!(user(server, "joe").await["shadow_banned"], true);
    }

    async fn shadowed_messages_show_no_channel_and_raise_no_unread_of_threads(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "parent").await;
        sent(server, "general", json!({ "id": "r0", "text": "a", "user_id": "joe", "parent_id": "m1" })).await;
        jane_bans_joe(server, json!({ "channel_cid": GENERAL, "shadow": true })).await;
        ok(post(server, "/channels/messaging/general/hide", json!({ "user_id": "jane" })).await);
        server.send("general", "joe", "m2", "hidden").await;
        assert_eq!(state_for(server, "general", "jane").await["hidden"], true);
        let reply = json!({ "id": "r1", "text": "a", "user_id": "joe", "parent_id": "m1" });
        assert_eq!(sent(server, "general", reply).await["shadowed"], true);
        assert_eq!(message(server, "r1").await["shadowed"], true);
        let unread = ok(get(server, "/unread", &[("user_id", "jane")]).await);
        assert_eq!(unread["threads"][0]["unread_count"], 1);
        server.check().await;
        let restricted = json!({ "id": "m3", "text": "a", "user_id": "joe", "restricted_visibility": ["jane"] });
        sent(server, "general", restricted).await;
        assert_eq!(unread_of_jane(server).await, 0);
        server.check().await;
        for id in ["r1", "m2", "m3"] {
            ok(crate::chat::delete(server, &format!("/messages/{id}"), &[]).await);
            server.check().await;
            ok(post(server, &format!("/messages/{id}/undelete"), json!({ "undeleted_by": "jane" })).await);
            server.check().await;
        }
    }

    async fn what_a_banned_user_sent_is_deleted_on_demand(server: TestServer) {
        jane_and_joe(server).await;
        server.channel("other", &["jane", "joe"]).await;
        for (channel, id) in [("general", "m1"), ("other", "m2")] {
            server.send(channel, "joe", id, "a").await;
        }
        server.send("general", "jane", "m3", "a").await;
        jane_bans_joe(server, json!({ "channel_cid": GENERAL, "delete_messages": "soft" })).await;
        assert_eq!(message(server, "m1").await["type"], "deleted");
        assert_eq!(message(server, "m2").await["type"], "regular");
        assert_eq!(message(server, "m3").await["type"], "regular");
        server.check().await;
        jane_bans_joe(server, json!({ "delete_messages": "hard" })).await;
        get(server, "/messages/m1", &[]).await.expect_error(404, 16, "m1");
        get(server, "/messages/m2", &[]).await.expect_error(404, 16, "m2");
        assert_eq!(ids(&state(server, "general").await["messages"]), ["m3"]);
        server.check().await;
        let request = json!({ "target_user_id": "joe", "banned_by_id": "jane", "delete_messages": "all" });
        ban(server, request).await.expect_error(400, 4, "delete_messages");
    }

    async fn bans_reach_channels_that_the_banner_creates_later(server: TestServer) {
        jane_and_joe(server).await;
        let more = json!({ "channel_cid": GENERAL, "ban_from_future_channels": true, "reason": "spam", "timeout": 60 });
        jane_bans_joe(server, more).await;
        server.users(&["zoe"]).await;
        server.channel("later", &["jane", "joe"]).await;
        server.channel("hers", &["zoe", "joe"]).await;
        joe_sends(server, "later", "m1").await.expect_error(403, 17, "banned");
        assert_eq!(joe_sends(server, "hers", "m2").await.status, 201);
        server.check().await;
        let query = QueryFutureChannelBansPayload {
            user_id: Some("jane".to_owned()),
            target_user_id: Some("joe".to_owned()),
            include_total: Some(true),
            ..QueryFutureChannelBansPayload::default()
        };
        let found = server.client().chat().query_future_channel_bans(query.clone()).await.unwrap();
        assert_eq!((found.bans.len(), found.total), (1, Some(1)));
        let ban = &found.bans[0];
        assert_eq!(ban.user.as_ref().unwrap().id, "joe");
        assert_eq!(ban.banned_by.as_ref().unwrap().id, "jane");
        assert_eq!((ban.reason.as_deref(), ban.shadow), (Some("spam"), Some(false)));
        assert_eq!(ban.expires, Some(ban.created_at.plus_seconds(3600)));
        server.advance(Duration::from_secs(3600));
        let active = QueryFutureChannelBansPayload { exclude_expired_bans: Some(true), ..query.clone() };
        assert!(server.client().chat().query_future_channel_bans(active).await.unwrap().bans.is_empty());
        server.channel("after", &["jane", "joe"]).await;
        assert_eq!(joe_sends(server, "after", "m3").await.status, 201);
        ok(unban(server, &[("remove_future_channels_ban", "true")]).await);
        let left = server.client().chat().query_future_channel_bans(query).await.unwrap();
        assert_eq!((left.bans.len(), left.total), (0, Some(0)));
        for (field, value) in [("limit", 301), ("offset", 10_001)] {
            let payload = json!({ field: value }).to_string();
            get(server, "/query_future_channel_bans", &[("payload", &payload)]).await.expect_error(400, 4, field);
        }
    }

    async fn bans_are_found_by_a_filter(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["zoe"]).await;
        jane_bans_joe(server, json!({ "reason": "swearing", "timeout": 1 })).await;
        server.advance(Duration::from_secs(1));
        jane_bans_joe(server, json!({ "channel_cid": GENERAL, "reason": "spam", "shadow": true })).await;
        server.advance(Duration::from_secs(1));
        ok(ban(server, json!({ "target_user_id": "zoe", "banned_by_id": "joe" })).await);
        let found = async |payload: Value| {
            let found = ok(bans(server, payload).await)["bans"].as_array().unwrap().clone();
            let names = found.iter().map(|ban| format!("{}/{}", ban["user"]["id"].as_str().unwrap(), ban["reason"].as_str().unwrap_or("")));
            names.collect::<Vec<_>>()
        };
        assert_eq!(found(json!({ "filter_conditions": {} })).await, ["zoe/", "joe/spam", "joe/swearing"]);
        let sort = json!([{ "field": "created_at", "direction": 1 }]);
        let page = json!({ "filter_conditions": {}, "sort": sort, "limit": 2, "offset": 1 });
        assert_eq!(found(page).await, ["joe/spam", "zoe/"]);
        for (filter, names) in [
            (json!({ "user_id": "joe" }), vec!["joe/spam", "joe/swearing"]),
            (json!({ "user_id": { "$in": ["zoe", "nobody"] } }), vec!["zoe/"]),
            (json!({ "banned_by_id": "jane" }), vec!["joe/spam", "joe/swearing"]),
            (json!({ "channel_cid": GENERAL }), vec!["joe/spam"]),
            (json!({ "channel_cid": { "$in": [GENERAL, "messaging:x"] } }), vec!["joe/spam"]),
            (json!({ "reason": { "$autocomplete": "swe" } }), vec!["joe/swearing"]),
            (json!({ "reason": { "$gt": "spam" } }), vec!["joe/swearing"]),
            (json!({ "created_at": { "$lte": "2026-01-02T03:04:05Z" } }), vec!["joe/swearing"]),
            (json!({ "created_at": { "$gt": "2026-01-02T03:04:06Z" } }), vec!["zoe/"]),
        ] {
            assert_eq!(found(json!({ "filter_conditions": filter.clone() })).await, names, "{filter}");
        }
        server.advance(Duration::from_secs(60));
        assert_eq!(found(json!({ "filter_conditions": { "user_id": "joe" } })).await.len(), 2);
        let active = json!({ "filter_conditions": { "user_id": "joe" }, "exclude_expired_bans": true });
        assert_eq!(found(active).await, ["joe/spam"]);
        let typed = QueryBannedUsersPayload {
            filter_conditions: natterjack_client::filter::bans::channel_cid().eq(GENERAL).into(),
            ..QueryBannedUsersPayload::default()
        };
        let reply = server.client().chat().query_banned_users(typed).await.unwrap();
        let ban = &reply.bans[0];
        assert_eq!(ban.channel.as_ref().unwrap().cid, GENERAL);
        assert_eq!((ban.shadow, ban.expires), (Some(true), None));
        assert_eq!(ban.banned_by.as_ref().unwrap().id, "jane");
        assert_eq!(ok(bans(server, json!({ "filter_conditions": { "user_id": "zoe" } })).await)["bans"][0].get("channel"), None);
        bans(server, json!({ "filter_conditions": { "team": "red" } })).await.expect_error(400, 4, "team");
        bans(server, json!({ "filter_conditions": {}, "limit": 301 })).await.expect_error(400, 4, "limit");
        bans(server, json!({ "filter_conditions": {}, "offset": 10_001 })).await.expect_error(400, 4, "offset");
        let twice = json!([{ "field": "created_at" }, { "field": "created_at" }]);
        bans(server, json!({ "filter_conditions": {}, "sort": twice })).await.expect_error(400, 4, "sort");
        get(server, "/query_banned_users", &[]).await.expect_error(400, 4, "payload");
    }

    async fn bans_that_make_no_sense_are_refused(server: TestServer) {
        jane_and_joe(server).await;
        let by_jane = |more: Value| {
            let mut request = json!({ "target_user_id": "joe", "banned_by_id": "jane" });
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            request
        };
        for (request, code, text) in [
            (json!({ "banned_by_id": "jane" }), 4, "target_user_id"),
            (json!({ "target_user_id": "joe" }), 4, "banned_by"),
            (by_jane(json!({ "target_user_id": "nobody" })), 4, "target_user_id"),
            (by_jane(json!({ "target_user_id": "jane" })), 4, "target_user_id"),
            (by_jane(json!({ "banned_by_id": "nobody" })), 4, "banned_by_id"),
            (by_jane(json!({ "timeout": -1 })), 4, "timeout"),
            (by_jane(json!({ "timeout": i64::MAX })), 4, "timeout"),
            (by_jane(json!({ "channel_cid": "general" })), 4, "channel_cid"),
            (by_jane(json!({ "channel_cid": "messaging:nowhere" })), 16, "messaging:nowhere"),
            (by_jane(json!({ "reason": "x".repeat(1025) })), 4, "reason"),
            (by_jane(json!({ "banned_by": { "id": "zoe" } })), 4, "banned_by"),
        ] {
            let reply = ban(server, request.clone()).await;
            assert_eq!(reply.code(), code, "{request} {}", reply.text);
            assert!(reply.message().contains(text), "{request} {}", reply.text);
        }
        ok(unban(server, &[]).await);
        unban(server, &[("channel_cid", "messaging:nowhere")]).await.expect_error(404, 16, "messaging:nowhere");
        let nobody = server.raw("POST", "/api/v2/moderation/unban").json(&json!({})).send().await;
        nobody.expect_error(400, 4, "target_user_id");
        server.check().await;
    }

    async fn an_older_form_of_the_request_names_channel_and_banner_in_parts(server: TestServer) {
        jane_and_joe(server).await;
        let parts = json!({ "target_user_id": "joe", "user_id": "jane", "type": "messaging", "id": "general" });
        ok(ban(server, parts).await);
        assert_eq!(joe_in_general(server).await["banned"], true);
        assert_eq!(user(server, "joe").await["banned"], false);
        ok(ban(server, json!({ "target_user_id": "joe", "user_id": "jane", "type": "", "id": "" })).await);
        assert_eq!(user(server, "joe").await["banned"], true);
    }

    async fn version_1_bans_and_takes_back_at_one_path(server: TestServer) {
        jane_and_joe(server).await;
        let parts = json!({ "target_user_id": "joe", "user_id": "jane", "type": "messaging", "id": "general" });
        ok(server.raw("POST", "/moderation/ban").json(&parts).send().await);
        assert_eq!(joe_in_general(server).await["banned"], true);
        let lift = server.raw("DELETE", "/moderation/ban").query("target_user_id", "joe");
        ok(lift.query("type", "messaging").query("id", "general").query("created_by", "jane").send().await);
        assert_eq!(joe_in_general(server).await["banned"], false);
        let half = server.raw("DELETE", "/moderation/ban").query("target_user_id", "joe");
        half.query("type", "messaging").send().await.expect_error(400, 4, "id");
    }

    async fn a_user_without_a_moderators_role_bans_nobody(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["zoe"]).await;
        let by_joe = async |channel: Option<&str>| {
            let request = json!({ "target_user_id": "zoe", "channel_cid": channel });
            server.raw("POST", "/api/v2/moderation/ban").as_user("joe").json(&request).send().await
        };
        by_joe(None).await.expect_error(403, 17, "");
        by_joe(Some(GENERAL)).await.expect_error(403, 17, "");
        update_channel(server, "general", json!({ "add_moderators": ["joe"] })).await;
        ok(by_joe(Some(GENERAL)).await);
        by_joe(None).await.expect_error(403, 17, "");
    }

    async fn the_ban_of_a_user_or_channel_that_is_removed_goes_too(server: TestServer) {
        jane_and_joe(server).await;
        server.channel("other", &["jane", "joe"]).await;
        for more in [json!({}), json!({ "channel_cid": GENERAL }), json!({ "channel_cid": "messaging:other", "ban_from_future_channels": true })] {
            jane_bans_joe(server, more).await;
        }
        assert_eq!(server.count("bans").await, 3);
        ok(crate::chat::delete(server, "/channels/messaging/other", &[("hard_delete", "true")]).await);
        server.purge(3).await;
        assert_eq!(server.count("bans").await, 2);
        assert_eq!(ok(bans(server, json!({ "filter_conditions": {} })).await)["bans"].as_array().unwrap().len(), 2);
    }

    async fn moderators_see_bans_of_their_own_teams_and_channels(server: TestServer) {
        let app = json!({ "multi_tenant_enabled": true });
        ok(server.raw("PATCH", "/api/v2/app").json(&app).send().await);
        let users = json!({ "users": {
            "ann": { "id": "ann", "teams": ["red"] }, "bob": { "id": "bob", "teams": ["blue"] },
            "of-red": { "id": "of-red", "role": "moderator", "teams": ["red"] },
            "of-all": { "id": "of-all", "role": "global_moderator" },
        } });
        ok(server.raw("POST", "/api/v2/users").json(&users).send().await);
        for (team, member) in [("red", "ann"), ("blue", "bob")] {
            let data = json!({ "created_by_id": member, "team": team, "members": [{ "user_id": member }] });
            ok(post(server, &format!("/channels/messaging/{team}/query"), json!({ "data": data })).await);
            for cid in [Value::Null, json!(format!("messaging:{team}"))] {
                let request = json!({ "target_user_id": member, "banned_by_id": "of-all", "channel_cid": cid });
                ok(ban(server, request).await);
            }
        }
        let banned = async |user_id: &str| {
            let list = server.raw("GET", "/api/v2/chat/query_banned_users").as_user(user_id);
            let found = ok(list.query("payload", r#"{"filter_conditions":{}}"#).send().await)["bans"].clone();
            let bans = found.as_array().unwrap().iter();
            let mut bans: Vec<String> =
                bans.map(|ban| format!("{} {}", ban["user"]["id"], ban["channel"]["id"])).collect();
            bans.sort();
            bans
        };
        assert_eq!(banned("of-red").await, [r#""ann" "red""#, r#""ann" null"#]);
        assert_eq!(banned("of-all").await.len(), 4);
        assert_eq!(ok(bans(server, json!({ "filter_conditions": {} })).await)["bans"].as_array().unwrap().len(), 4);
    }
}
