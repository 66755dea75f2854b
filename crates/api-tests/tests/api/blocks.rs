//! Users who block others: what it does to the channels of the two.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_client::protocol::blocks::{BlockUsersRequest, GetBlockedUsersQuery};
use serde_json::{Value, json};

use crate::chat::{delete, get, ids, ok, post, state, state_for, update_channel};

const BLOCK: &str = "/api/v2/users/block";

async fn call(server: &TestServer, path: &str, request: Value) -> RawReply {
    server.raw("POST", path).json(&request).send().await
}

async fn block(server: &TestServer, user_id: &str, blocked: &str) -> Value {
    ok(call(server, BLOCK, json!({ "user_id": user_id, "blocked_user_id": blocked })).await)
}

async fn unblock(server: &TestServer, user_id: &str, blocked: &str) {
    let request = json!({ "user_id": user_id, "blocked_user_id": blocked });
    ok(call(server, "/api/v2/users/unblock", request).await);
}

/// The ids of those whom a user has blocked.
async fn blocked(server: &TestServer, user_id: &str) -> Vec<String> {
    let body = ok(server.raw("GET", BLOCK).query("user_id", user_id).send().await);
    let blocks = body["blocks"].as_array().unwrap().iter();
    blocks.map(|block| block["blocked_user_id"].as_str().unwrap().to_owned()).collect()
}

async fn blocked_user_ids(server: &TestServer, user_id: &str) -> Value {
    let payload = json!({ "filter_conditions": { "id": user_id } }).to_string();
    let body = ok(server.raw("GET", "/api/v2/users").query("payload", &payload).send().await);
    body["users"][0]["blocked_user_ids"].clone()
}

/// The channels that a filter finds for a user.
async fn query(server: &TestServer, user_id: &str, filter: Value) -> Vec<Value> {
    let request = json!({ "filter_conditions": filter, "user_id": user_id, "sort": [{ "field": "cid" }] });
    let found = ok(post(server, "/channels", request).await);
    found["channels"].as_array().unwrap().iter().map(|found| found["channel"].clone()).collect()
}

async fn found(server: &TestServer, user_id: &str, filter: Value) -> Vec<String> {
    let channels = query(server, user_id, filter).await;
    channels.iter().map(|channel| channel["id"].as_str().unwrap().to_owned()).collect()
}

/// The channels that a user sees.
async fn seen(server: &TestServer, user_id: &str) -> Vec<String> {
    found(server, user_id, json!({ "members": { "$in": [user_id] } })).await
}

async fn unread(server: &TestServer, user_id: &str) -> Value {
    ok(get(server, "/unread", &[("user_id", user_id)]).await)["total_unread_count"].clone()
}

/// The ids of the members of a channel.
async fn members(server: &TestServer, channel: &str) -> Vec<String> {
    let state = state(server, channel).await;
    let members = state["members"].as_array().unwrap().iter();
    members.map(|member| member["user_id"].as_str().unwrap().to_owned()).collect()
}

/// Three users, a channel of two and one of all.
async fn three(server: &TestServer) {
    server.users(&["jane", "joe", "eve"]).await;
    server.channel("pair", &["jane", "joe"]).await;
    server.channel("group", &["jane", "joe", "eve"]).await;
}

both_databases! {
    async fn who_comes_back_after_a_block_counts_again(server: TestServer) {
        three(server).await;
        block(server, "jane", "joe").await;
        let change = |more: Value| update_channel(server, "pair", more);
        change(json!({ "remove_members": ["jane"] })).await;
        server.check().await;
        change(json!({ "add_members": ["jane", "eve"] })).await;
        assert_eq!(unread(server, "jane").await, 0);
        server.send("pair", "eve", "back", "hello").await;
        assert_eq!(unread(server, "jane").await, 1);
        server.check().await;
    }

    async fn blocks_are_listed_newest_first(server: TestServer) {
        three(server).await;
        let request = BlockUsersRequest {
            blocked_user_id: "joe".to_owned(),
            user_id: Some("jane".to_owned()),
            ..BlockUsersRequest::default()
        };
        let reply = server.client().common().block_users(request.clone()).await.unwrap();
        assert_eq!((reply.blocked_by_user_id.as_str(), reply.blocked_user_id.as_str()), ("jane", "joe"));
        let first = reply.created_at;
        server.advance(Duration::from_secs(1));
        block(server, "jane", "eve").await;
        // Blocking again changes nothing.
        let again = server.client().common().block_users(request).await.unwrap();
        assert_eq!(again.created_at, first);
        let query = GetBlockedUsersQuery { user_id: Some("jane".to_owned()) };
        let listed = server.client().common().get_blocked_users(query).await.unwrap();
        assert_eq!(blocked(server, "jane").await, ["eve", "joe"]);
        let oldest = &listed.blocks[1];
        assert_eq!((oldest.user_id.as_str(), oldest.user.id.as_str()), ("jane", "jane"));
        assert_eq!((oldest.blocked_user.id.as_str(), oldest.created_at), ("joe", first));
        assert!(blocked(server, "joe").await.is_empty());
        assert_eq!(blocked_user_ids(server, "jane").await, json!(["eve", "joe"]));
        assert_eq!(blocked_user_ids(server, "joe").await, json!([]));

        unblock(server, "jane", "joe").await;
        unblock(server, "jane", "joe").await;
        assert_eq!(blocked(server, "jane").await, ["eve"]);
        assert_eq!(blocked_user_ids(server, "jane").await, json!(["eve"]));
    }

    async fn others_do_not_see_whom_a_user_blocks(server: TestServer) {
        three(server).await;
        block(server, "jane", "joe").await;
        let group = state_for(server, "group", "joe").await;
        let member = group["members"].as_array().unwrap().iter().find(|it| it["user_id"] == "jane").unwrap();
        assert_eq!(member["user"]["blocked_user_ids"], json!([]));
    }

    async fn a_channel_of_two_is_hidden_from_who_blocks(server: TestServer) {
        three(server).await;
        block(server, "jane", "joe").await;
        assert_eq!(seen(server, "jane").await, ["group"]);
        assert_eq!(seen(server, "joe").await, ["group", "pair"]);
        let hidden = query(server, "jane", json!({ "hidden": true })).await;
        assert_eq!(hidden.len(), 1);
        assert_eq!((&hidden[0]["id"], &hidden[0]["blocked"]), (&json!("pair"), &json!(true)));
        assert_eq!(hidden[0]["hidden"], true);
        let of_joe = query(server, "joe", json!({ "id": "pair" })).await;
        assert_eq!((of_joe[0].get("blocked"), of_joe[0].get("hidden")), (None, None));
        assert_eq!(state_for(server, "group", "jane").await["channel"].get("blocked"), None);
        assert_eq!(found(server, "jane", json!({ "blocked": true, "hidden": true })).await, ["pair"]);
        assert_eq!(found(server, "jane", json!({ "blocked": false })).await, ["group"]);
        assert!(found(server, "joe", json!({ "blocked": true })).await.is_empty());
    }

    async fn what_is_sent_to_a_blocked_channel_neither_shows_it_nor_counts(server: TestServer) {
        three(server).await;
        server.send("pair", "joe", "m1", "a").await;
        block(server, "jane", "joe").await;
        assert_eq!(unread(server, "jane").await, 1, "what was unread before stays unread");
        server.send("pair", "joe", "m2", "a").await;
        assert_eq!(unread(server, "jane").await, 1);
        assert_eq!(seen(server, "jane").await, ["group"]);
        server.send("group", "joe", "g1", "a").await;
        assert_eq!(unread(server, "jane").await, 2, "groups are not affected");
        // The other one notices nothing.
        server.send("pair", "jane", "m3", "a").await;
        assert_eq!(unread(server, "joe").await, 1);
    }

    async fn unblocking_shows_the_channel_and_all_its_messages(server: TestServer) {
        three(server).await;
        server.send("pair", "joe", "m1", "a").await;
        block(server, "jane", "joe").await;
        server.send("pair", "joe", "m2", "a").await;
        unblock(server, "jane", "joe").await;
        assert_eq!(seen(server, "jane").await, ["group", "pair"]);
        let pair = state_for(server, "pair", "jane").await;
        assert_eq!(ids(&pair["messages"]), ["m1", "m2"]);
        assert_eq!((pair["channel"].get("blocked"), pair["channel"].get("hidden")), (None, None));
        assert_eq!(unread(server, "jane").await, 1, "what was sent meanwhile does not count");
        server.send("pair", "joe", "m3", "a").await;
        assert_eq!(unread(server, "jane").await, 2);
        assert!(found(server, "jane", json!({ "hidden": true })).await.is_empty());
    }

    async fn both_may_block_each_other(server: TestServer) {
        three(server).await;
        block(server, "jane", "joe").await;
        block(server, "joe", "jane").await;
        assert_eq!((seen(server, "jane").await, seen(server, "joe").await), (vec!["group".to_owned()], vec!["group".to_owned()]));
        unblock(server, "jane", "joe").await;
        assert_eq!(seen(server, "jane").await, ["group", "pair"]);
        assert_eq!(seen(server, "joe").await, ["group"]);
    }

    async fn a_mute_and_a_block_together_end_one_by_one(server: TestServer) {
        three(server).await;
        let mute = json!({ "channel_cids": ["messaging:pair"], "user_id": "jane", "expiration": 60_000 });
        ok(post(server, "/moderation/mute/channel", mute.clone()).await);
        block(server, "jane", "joe").await;
        server.send("pair", "joe", "m1", "a").await;
        unblock(server, "jane", "joe").await;
        server.send("pair", "joe", "m2", "a").await;
        assert_eq!(unread(server, "jane").await, 0, "it is still muted");
        server.advance(Duration::from_secs(60));
        server.send("pair", "joe", "m3", "a").await;
        assert_eq!(unread(server, "jane").await, 1);
        block(server, "jane", "joe").await;
        ok(post(server, "/moderation/mute/channel", mute.clone()).await);
        ok(post(server, "/moderation/unmute/channel", mute).await);
        server.send("pair", "joe", "m4", "a").await;
        assert_eq!(unread(server, "jane").await, 1, "it is still blocked");
        let hidden = query(server, "jane", json!({ "hidden": true })).await;
        assert_eq!((&hidden[0]["blocked"], hidden[0].get("muted")), (&json!(true), None));
    }

    async fn a_blocked_user_cannot_add_who_blocks(server: TestServer) {
        three(server).await;
        block(server, "jane", "joe").await;
        server.channel("club", &["joe"]).await;
        for change in [
            json!({ "user_id": "joe", "add_members": [{ "user_id": "jane" }, { "user_id": "eve" }] }),
            json!({ "user_id": "joe", "invites": [{ "user_id": "jane" }] }),
            json!({ "user_id": "joe", "add_moderators": ["jane"] }),
        ] {
            update_channel(server, "club", change).await;
            assert_eq!(members(server, "club").await, ["joe", "eve"]);
        }
        let all = json!([{ "user_id": "joe" }, { "user_id": "jane" }, { "user_id": "eve" }]);
        let create = json!({ "data": { "created_by_id": "joe", "members": all } });
        let created = ok(post(server, "/channels/messaging/party/query", create.clone()).await);
        assert_eq!(created["channel"]["member_count"], 2);
        let mut of_party = members(server, "party").await;
        of_party.sort();
        assert_eq!(of_party, ["eve", "joe"]);
        let distinct = ok(post(server, "/channels/messaging/query", create).await);
        assert_eq!(distinct["channel"]["member_count"], 2);
        assert_eq!(seen(server, "jane").await, ["group"]);

        // Anybody else may, and a server that names nobody.
        update_channel(server, "club", json!({ "user_id": "eve", "add_members": [{ "user_id": "jane" }] })).await;
        update_channel(server, "party", json!({ "add_members": [{ "user_id": "jane" }] })).await;
        assert_eq!(seen(server, "jane").await, ["club", "group", "party"]);
        unblock(server, "jane", "joe").await;
        server.channel("late", &["joe"]).await;
        update_channel(server, "late", json!({ "user_id": "joe", "add_members": [{ "user_id": "jane" }] })).await;
        assert_eq!(members(server, "late").await, ["joe", "jane"]);
    }

    async fn a_channel_that_comes_to_have_two_members_is_blocked_as_well(server: TestServer) {
        three(server).await;
        block(server, "jane", "joe").await;
        update_channel(server, "group", json!({ "remove_members": ["eve"] })).await;
        assert!(seen(server, "jane").await.is_empty());
        assert_eq!(found(server, "jane", json!({ "hidden": true, "blocked": true })).await, ["group", "pair"]);
        server.send("group", "joe", "m1", "a").await;
        assert_eq!(unread(server, "jane").await, 0);
        // And no longer, when somebody joins.
        for channel in ["group", "pair"] {
            update_channel(server, channel, json!({ "add_members": [{ "user_id": "eve" }] })).await;
        }
        assert_eq!(seen(server, "jane").await, ["group", "pair"]);
        server.send("group", "joe", "m2", "a").await;
        assert_eq!(unread(server, "jane").await, 1);
        // One goes and another comes: still two, but others.
        update_channel(server, "pair", json!({ "remove_members": ["eve"] })).await;
        assert_eq!(seen(server, "jane").await, ["group"]);
        let exchange = json!({ "remove_members": ["joe"], "add_members": [{ "user_id": "eve" }] });
        update_channel(server, "pair", exchange).await;
        assert_eq!(seen(server, "jane").await, ["group", "pair"]);
        server.channel("new", &["jane", "joe"]).await;
        assert_eq!(found(server, "jane", json!({ "hidden": true, "blocked": true })).await, ["new"]);
    }

    async fn a_revived_channel_is_blocked_by_who_blocks_now(server: TestServer) {
        three(server).await;
        ok(delete(server, "/channels/messaging/pair", &[]).await);
        block(server, "jane", "joe").await;
        server.channel("pair", &["eve"]).await;
        assert_eq!(found(server, "jane", json!({ "id": "pair" })).await, ["pair"], "eve is the third member");
        update_channel(server, "pair", json!({ "remove_members": ["eve"] })).await;
        assert!(found(server, "jane", json!({ "id": "pair" })).await.is_empty());
        ok(delete(server, "/channels/messaging/pair", &[]).await);
        unblock(server, "jane", "joe").await;
        server.channel("pair", &["joe"]).await;
        assert_eq!(found(server, "jane", json!({ "id": "pair" })).await, ["pair"]);
        server.send("pair", "joe", "m1", "a").await;
        assert_eq!(unread(server, "jane").await, 1);
    }

    async fn blocks_are_checked(server: TestServer) {
        three(server).await;
        for path in [BLOCK, "/api/v2/users/unblock"] {
            let send = async |request: Value| call(server, path, request).await;
            send(json!({ "user_id": "jane" })).await.expect_error(400, 4, "blocked_user_id is a required field");
            send(json!({ "blocked_user_id": "joe" })).await
                .expect_error(400, 4, "either user or user_id must be provided when using server side auth.");
            send(json!({ "blocked_user_id": "joe", "user_id": "jane", "user": { "id": "jane" } })).await
                .expect_error(400, 4, "cannot set both user and user_id.");
            send(json!({ "blocked_user_id": "joe", "user_id": "nobody" })).await.expect_error(400, 4, "nobody");
            send(json!({ "blocked_user_id": "nobody", "user_id": "jane" })).await
                .expect_error(400, 4, "blocked_user_id");
            send(json!({ "blocked_user_id": "not valid", "user_id": "jane" })).await
                .expect_error(400, 4, "blocked_user_id");
        }
        let oneself = json!({ "blocked_user_id": "jane", "user": { "id": "jane" } });
        call(server, BLOCK, oneself).await.expect_error(400, 4, "blocked_user_id");
        server.raw("GET", BLOCK).send().await
            .expect_error(400, 4, "either user or user_id must be provided when using server side auth.");
        server.raw("GET", BLOCK).query("user_id", "nobody").send().await.expect_error(400, 4, "nobody");
        assert!(blocked(server, "jane").await.is_empty());
    }

    async fn blocks_are_made_on_behalf_of_a_user_object_as_well(server: TestServer) {
        three(server).await;
        ok(call(server, BLOCK, json!({ "blocked_user_id": "joe", "user": { "id": "new" } })).await);
        assert_eq!(blocked(server, "new").await, ["joe"]);
    }
}
