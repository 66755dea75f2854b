//! Channels that users mute: what it does to what they have not read, what they have hidden and what they are shown.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_client::protocol::mutes::MuteChannelRequest;
use serde_json::{Value, json};

use crate::chat::{delete, get, ids, jane_and_joe, ok, post, sent, state, state_for, update_channel};

const GENERAL: &str = "messaging:general";

async fn mute(server: &TestServer, request: Value) -> RawReply {
    post(server, "/moderation/mute/channel", request).await
}

async fn unmute(server: &TestServer, request: Value) -> RawReply {
    post(server, "/moderation/unmute/channel", request).await
}

/// Joe mutes the channel for so many milliseconds, or for good.
async fn joe_mutes(server: &TestServer, expiration: Option<i64>) -> Value {
    let mut request = json!({ "channel_cids": [GENERAL], "user_id": "joe" });
    if let Some(expiration) = expiration {
        request["expiration"] = json!(expiration);
    }
    ok(mute(server, request).await)
}

async fn joe_unmutes(server: &TestServer) {
    ok(unmute(server, json!({ "channel_cids": [GENERAL], "user_id": "joe" })).await);
}

/// What joe has not read, wherever it is told: in all, in the channel's read state, with the user, and in an order.
async fn unread(server: &TestServer) -> i64 {
    let counts = ok(get(server, "/unread", &[("user_id", "joe")]).await);
    let total = counts["total_unread_count"].as_i64().unwrap();
    assert_eq!(counts["channels"].as_array().unwrap().len(), usize::from(total > 0));
    let reads = state(server, "general").await["read"].clone();
    let read = reads.as_array().unwrap().iter().find(|read| read["user"]["id"] == "joe").unwrap().clone();
    assert_eq!(read["unread_messages"], total);
    let user = full_user(server, "joe").await;
    assert_eq!((&user["total_unread_count"], &user["unread_count"]), (&json!(total), &json!(total)));
    assert_eq!(user["unread_channels"], i64::from(total > 0));
    let found = query(server, "joe", json!({ "has_unread": true })).await;
    assert_eq!(found.len(), usize::from(total > 0));
    total
}

async fn full_user(server: &TestServer, id: &str) -> Value {
    let payload = json!({ "filter_conditions": { "id": id } }).to_string();
    ok(server.raw("GET", "/api/v2/users").query("payload", &payload).send().await)["users"][0].clone()
}

/// The ids of the channels that a filter finds for a user.
async fn query(server: &TestServer, user_id: &str, filter: Value) -> Vec<String> {
    let request = json!({ "filter_conditions": filter, "user_id": user_id, "sort": [{ "field": "cid" }] });
    let found = ok(post(server, "/channels", request).await);
    let channels = found["channels"].as_array().unwrap().iter();
    channels.map(|found| found["channel"]["id"].as_str().unwrap().to_owned()).collect()
}

async fn by_jane(server: &TestServer, ids: &[&str]) {
    for id in ids {
        server.send("general", "jane", id, "a").await;
    }
}

async fn read_up_to(server: &TestServer, id: &str) {
    let request = json!({ "user_id": "joe", "message_id": id });
    ok(post(server, "/channels/messaging/general/read", request).await);
}

both_databases! {
    async fn muting_a_channel_answers_with_the_mute_and_the_user(server: TestServer) {
        jane_and_joe(server).await;
        let request = MuteChannelRequest {
            channel_cids: vec![GENERAL.to_owned()],
            expiration: Some(90_000),
            user_id: Some("joe".to_owned()),
            ..MuteChannelRequest::default()
        };
        let reply = server.client().chat().mute_channel(request).await.unwrap();
        let mute = reply.channel_mute.as_ref().unwrap();
        assert_eq!(mute.channel.as_ref().unwrap().cid, GENERAL);
        assert_eq!(mute.channel.as_ref().unwrap().created_by.as_ref().unwrap().id, "jane");
        assert_eq!(mute.channel.as_ref().unwrap().member_count, Some(2));
        assert_eq!(mute.user.as_ref().unwrap().id, "joe");
        assert_eq!(mute.created_at, mute.updated_at);
        assert_eq!(mute.expires, Some(mute.created_at.plus_seconds(90)));
        assert!(reply.channel_mutes.is_none());
        let own = reply.own_user.as_ref().unwrap();
        assert_eq!((own.id.as_str(), own.channel_mutes.len()), ("joe", 1));
        assert_eq!(own.channel_mutes[0], *mute);
    }

    async fn several_channels_are_muted_by_one_call(server: TestServer) {
        jane_and_joe(server).await;
        server.channel("other", &["jane", "joe"]).await;
        let cids = json!(["messaging:other", GENERAL, "messaging:other"]);
        let body = ok(mute(server, json!({ "channel_cids": cids, "user_id": "joe" })).await);
        let mutes = body["channel_mutes"].as_array().unwrap();
        let muted: Vec<_> = mutes.iter().map(|mute| mute["channel"]["cid"].as_str().unwrap()).collect();
        assert_eq!(muted, ["messaging:other", GENERAL]);
        assert!(mutes.iter().all(|mute| mute.get("expires").is_none()));
        assert_eq!(body.get("channel_mute"), None);
        assert_eq!(body["own_user"]["channel_mutes"].as_array().unwrap().len(), 2);
        assert_eq!(query(server, "joe", json!({ "muted": true })).await, ["general", "other"]);
        ok(unmute(server, json!({ "channel_cids": cids, "user_id": "joe" })).await);
        assert_eq!(full_user(server, "joe").await["channel_mutes"], json!([]));
    }

    async fn a_mute_is_shown_to_its_user_only_and_until_it_is_taken_back(server: TestServer) {
        jane_and_joe(server).await;
        server.channel("other", &["jane", "joe"]).await;
        joe_mutes(server, Some(60_000)).await;
        let channel = &state_for(server, "general", "joe").await["channel"];
        assert_eq!(channel["muted"], true);
        assert_eq!(channel["mute_expires_at"], 1_767_323_105_000_000_000_i64);
        for user_id in ["jane", "joe"] {
            let muted = query(server, user_id, json!({ "muted": true })).await;
            assert_eq!(muted.len(), usize::from(user_id == "joe"));
            let others = query(server, user_id, json!({ "muted": false })).await;
            assert_eq!(others.len(), 2 - muted.len());
        }
        let of_jane = &state_for(server, "general", "jane").await["channel"];
        assert_eq!((of_jane.get("muted"), of_jane.get("mute_expires_at")), (None, None));
        assert_eq!(state(server, "general").await["channel"].get("muted"), None);
        let mutes = &full_user(server, "joe").await["channel_mutes"];
        assert_eq!((&mutes[0]["channel"]["cid"], &mutes[0]["user"]["id"]), (&json!(GENERAL), &json!("joe")));
        assert_eq!(full_user(server, "jane").await["channel_mutes"], json!([]));

        joe_unmutes(server).await;
        assert_eq!(state_for(server, "general", "joe").await["channel"].get("muted"), None);
        assert!(query(server, "joe", json!({ "muted": true })).await.is_empty());
        assert_eq!(full_user(server, "joe").await["channel_mutes"], json!([]));
    }

    async fn a_members_notifications_are_muted_for_as_long_as_the_channel_is(server: TestServer) {
        async fn who_is_muted(server: &TestServer) -> (Value, Vec<Value>) {
            let state = state_for(server, "general", "joe").await;
            let payload = json!({ "type": "messaging", "id": "general",
                                  "filter_conditions": { "notifications_muted": true } }).to_string();
            let found = ok(get(server, "/members", &[("payload", &payload)]).await);
            let found = found["members"].as_array().unwrap().iter();
            (state["membership"]["notifications_muted"].clone(), found.map(|member| member["user_id"].clone()).collect())
        }
        jane_and_joe(server).await;
        assert_eq!(who_is_muted(server).await, (json!(false), vec![]));
        joe_mutes(server, Some(60_000)).await;
        assert_eq!(who_is_muted(server).await, (json!(true), vec![json!("joe")]));
        server.advance(Duration::from_secs(60));
        assert_eq!(who_is_muted(server).await, (json!(false), vec![]));
        joe_mutes(server, None).await;
        assert_eq!(who_is_muted(server).await, (json!(true), vec![json!("joe")]));
        joe_unmutes(server).await;
        assert_eq!(who_is_muted(server).await, (json!(false), vec![]));
    }

    async fn an_expired_mute_is_gone_from_everything(server: TestServer) {
        jane_and_joe(server).await;
        joe_mutes(server, Some(60_000)).await;
        server.advance(Duration::from_millis(59_999));
        assert_eq!(query(server, "joe", json!({ "muted": true })).await, ["general"]);
        server.advance(Duration::from_millis(1));
        assert!(query(server, "joe", json!({ "muted": true })).await.is_empty());
        assert_eq!(query(server, "joe", json!({ "muted": false })).await, ["general"]);
        let channel = &state_for(server, "general", "joe").await["channel"];
        assert_eq!((channel.get("muted"), channel.get("mute_expires_at")), (None, None));
        assert_eq!(full_user(server, "joe").await["channel_mutes"], json!([]));
        by_jane(server, &["m1"]).await;
        assert_eq!(unread(server).await, 1);
        // A new mute is another one.
        let again = joe_mutes(server, None).await;
        assert_eq!(again["channel_mute"]["created_at"], 1_767_323_105_000_000_000_i64);
    }

    async fn muting_again_gives_the_mute_another_end(server: TestServer) {
        jane_and_joe(server).await;
        let first = joe_mutes(server, Some(60_000)).await["channel_mute"].clone();
        server.advance(Duration::from_secs(30));
        let second = joe_mutes(server, Some(60_000)).await["channel_mute"].clone();
        assert_eq!(second["created_at"], first["created_at"]);
        assert!(second["updated_at"].as_i64() > first["updated_at"].as_i64());
        server.advance(Duration::from_secs(45));
        by_jane(server, &["m1"]).await;
        assert_eq!(unread(server).await, 0);
        let lasting = joe_mutes(server, Some(0)).await["channel_mute"].clone();
        assert_eq!(lasting.get("expires"), None);
        server.advance(Duration::from_secs(1_000_000));
        by_jane(server, &["m2"]).await;
        assert_eq!(unread(server).await, 0);
        // And a nearer one.
        joe_mutes(server, Some(1000)).await;
        server.advance(Duration::from_secs(1));
        by_jane(server, &["m3"]).await;
        assert_eq!(unread(server).await, 1);
    }

    async fn what_is_sent_while_muted_never_counts(server: TestServer) {
        jane_and_joe(server).await;
        by_jane(server, &["m1", "m2"]).await;
        joe_mutes(server, None).await;
        assert_eq!(unread(server).await, 2, "what was unread before stays unread");
        by_jane(server, &["m3", "m4", "m5"]).await;
        assert_eq!(unread(server).await, 2);
        joe_unmutes(server).await;
        assert_eq!(unread(server).await, 2);
        by_jane(server, &["m6"]).await;
        assert_eq!(unread(server).await, 3);
        // A second mute, and reading up to the middle of the first.
        joe_mutes(server, None).await;
        by_jane(server, &["m7"]).await;
        assert_eq!(unread(server).await, 3);
        read_up_to(server, "m4").await;
        assert_eq!(unread(server).await, 1);
        read_up_to(server, "m1").await;
        assert_eq!(unread(server).await, 2);
        read_up_to(server, "m7").await;
        assert_eq!(unread(server).await, 0);
    }

    async fn what_is_sent_before_a_mute_expires_does_not_count_afterwards(server: TestServer) {
        jane_and_joe(server).await;
        by_jane(server, &["m1"]).await;
        joe_mutes(server, Some(60_000)).await;
        by_jane(server, &["m2", "m3"]).await;
        server.advance(Duration::from_secs(60));
        assert_eq!(unread(server).await, 1);
        by_jane(server, &["m4"]).await;
        assert_eq!(unread(server).await, 2);
        joe_unmutes(server).await;
        assert_eq!(unread(server).await, 2);
    }

    async fn a_mute_that_is_long_over_is_forgotten(server: TestServer) {
        jane_and_joe(server).await;
        by_jane(server, &["m1"]).await;
        joe_mutes(server, Some(60_000)).await;
        by_jane(server, &["m2", "m3"]).await;
        server.advance(Duration::from_secs(61));
        by_jane(server, &["m4"]).await;
        // Joe has not read past it: it still says what does not count.
        server.prune_quiet_spans().await;
        assert_eq!((server.count("quiet_spans").await, unread(server).await), (1, 2));
        read_up_to(server, "m4").await;
        server.prune_quiet_spans().await;
        assert_eq!((server.count("quiet_spans").await, unread(server).await), (0, 0));
        server.check().await;
        by_jane(server, &["m5"]).await;
        assert_eq!(unread(server).await, 1);
        server.check().await;
    }

    async fn deleting_a_message_of_a_mute_changes_nothing(server: TestServer) {
        jane_and_joe(server).await;
        by_jane(server, &["m1"]).await;
        joe_mutes(server, Some(60_000)).await;
        by_jane(server, &["m2", "m3", "m4"]).await;
        ok(delete(server, "/messages/m2", &[]).await);
        ok(delete(server, "/messages/m4", &[("hard", "true")]).await);
        assert_eq!(unread(server).await, 1);
        server.advance(Duration::from_secs(60));
        by_jane(server, &["m5"]).await;
        ok(delete(server, "/messages/m3", &[("hard", "true")]).await);
        assert_eq!(unread(server).await, 2);
        ok(delete(server, "/messages/m1", &[]).await);
        assert_eq!(unread(server).await, 1);
    }

    async fn own_messages_of_a_mute_are_taken_off_once(server: TestServer) {
        jane_and_joe(server).await;
        by_jane(server, &["m1", "m2"]).await;
        joe_mutes(server, None).await;
        server.send("general", "joe", "own", "a").await;
        by_jane(server, &["m3"]).await;
        server.send("general", "joe", "own2", "a").await;
        joe_unmutes(server).await;
        by_jane(server, &["m4"]).await;
        read_up_to(server, "m1").await;
        assert_eq!(unread(server).await, 2, "m2 and m4");
        ok(delete(server, "/messages/own", &[]).await);
        assert_eq!(unread(server).await, 2);
        ok(delete(server, "/messages/own2", &[("hard", "true")]).await);
        assert_eq!(unread(server).await, 2);
    }

    async fn restricted_messages_of_a_mute_do_not_count(server: TestServer) {
        jane_and_joe(server).await;
        let restricted = |id: &str| json!({ "id": id, "user_id": "jane", "text": "a", "restricted_visibility": ["joe"] });
        sent(server, "general", restricted("m1")).await;
        assert_eq!(unread(server).await, 1);
        joe_mutes(server, None).await;
        sent(server, "general", restricted("m2")).await;
        assert_eq!(unread(server).await, 1);
        joe_unmutes(server).await;
        sent(server, "general", restricted("m3")).await;
        assert_eq!(unread(server).await, 2);
        ok(delete(server, "/messages/m2", &[]).await);
        assert_eq!(unread(server).await, 2);
        read_up_to(server, "m1").await;
        assert_eq!(unread(server).await, 1);
        ok(delete(server, "/messages/m3", &[("hard", "true")]).await);
        assert_eq!(unread(server).await, 0);
    }

    async fn a_muted_channel_stays_hidden(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        let data = json!({ "created_by_id": "joe", "members": [{ "user_id": "jane" }, { "user_id": "joe" }] });
        let create = json!({ "hide_for_creator": true, "data": data });
        ok(post(server, "/channels/messaging/general/query", create).await);
        joe_mutes(server, Some(60_000)).await;
        by_jane(server, &["m1"]).await;
        assert_eq!(query(server, "joe", json!({ "hidden": true })).await, ["general"]);
        assert!(query(server, "joe", json!({ "members": { "$in": ["joe"] } })).await.is_empty());
        // The mute is over; that alone shows nothing.
        server.advance(Duration::from_secs(60));
        assert_eq!(query(server, "joe", json!({ "hidden": true })).await, ["general"]);
        by_jane(server, &["m2"]).await;
        assert!(query(server, "joe", json!({ "hidden": true })).await.is_empty());
        assert_eq!(query(server, "joe", json!({ "members": { "$in": ["joe"] } })).await, ["general"]);
    }

    async fn who_mutes_need_not_be_a_member(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["eve"]).await;
        ok(mute(server, json!({ "channel_cids": [GENERAL], "user": { "id": "new" } })).await);
        ok(mute(server, json!({ "channel_cids": [GENERAL], "user_id": "eve" })).await);
        assert_eq!(state_for(server, "general", "eve").await["channel"]["muted"], true);
        assert_eq!(query(server, "eve", json!({ "muted": true })).await, ["general"]);
        // Who joins later has muted it still.
        update_channel(server, "general", json!({ "add_members": [{ "user_id": "eve" }] })).await;
        by_jane(server, &["m1"]).await;
        let counts = ok(get(server, "/unread", &[("user_id", "eve")]).await);
        assert_eq!(counts["total_unread_count"], 0);
        ok(unmute(server, json!({ "channel_cids": [GENERAL], "user_id": "eve" })).await);
        by_jane(server, &["m2"]).await;
        let counts = ok(get(server, "/unread", &[("user_id", "eve")]).await);
        assert_eq!(counts["total_unread_count"], 1);
        assert_eq!(ids(&state_for(server, "general", "eve").await["messages"]), ["m1", "m2"]);
    }

    async fn mutes_are_checked(server: TestServer) {
        jane_and_joe(server).await;
        server.channel("doomed", &["jane"]).await;
        ok(delete(server, "/channels/messaging/doomed", &[]).await);
        for path in ["/moderation/mute/channel", "/moderation/unmute/channel"] {
            let call = async |request: Value| post(server, path, request).await;
            call(json!({ "user_id": "joe" })).await.expect_error(400, 4, "channel_cids is a required field");
            call(json!({ "channel_cids": [], "user_id": "joe" })).await.expect_error(400, 4, "channel_cids");
            call(json!({ "channel_cids": null, "user_id": "joe" })).await.expect_error(400, 4, "channel_cids");
            call(json!({ "channel_cids": [GENERAL] })).await
                .expect_error(400, 4, "either user or user_id must be provided when using server side auth.");
            call(json!({ "channel_cids": [GENERAL], "user_id": "joe", "user": { "id": "joe" } })).await
                .expect_error(400, 4, "cannot set both user and user_id.");
            call(json!({ "channel_cids": [GENERAL], "user_id": "nobody" })).await.expect_error(400, 4, "nobody");
            call(json!({ "channel_cids": ["general"], "user_id": "joe" })).await.expect_error(400, 4, "channel_cids");
            for cid in ["messaging:nowhere", "messaging:doomed"] {
                let text = format!("some channels do not exist or were deleted: ({cid})");
                call(json!({ "channel_cids": [GENERAL, cid], "user_id": "joe" })).await.expect_error(400, 4, &text);
            }
            for expiration in [json!(-1), json!(i64::MAX), json!("1")] {
                call(json!({ "channel_cids": [GENERAL], "user_id": "joe", "expiration": expiration })).await
                    .expect_error(400, 4, "expiration");
            }
            let many: Vec<_> = (0..26).map(|number| format!("messaging:c{number}")).collect();
            call(json!({ "channel_cids": many, "user_id": "joe" })).await.expect_error(400, 4, "at most 25");
        }
        assert_eq!(full_user(server, "joe").await["channel_mutes"], json!([]), "nothing was muted on the way");
        // What is not muted can be unmuted.
        joe_unmutes(server).await;
    }

    async fn a_deleted_channel_is_not_among_the_mutes(server: TestServer) {
        jane_and_joe(server).await;
        server.channel("other", &["jane", "joe"]).await;
        ok(mute(server, json!({ "channel_cids": [GENERAL, "messaging:other"], "user_id": "joe" })).await);
        ok(delete(server, "/channels/messaging/general", &[]).await);
        ok(delete(server, "/channels/messaging/other", &[("hard_delete", "true")]).await);
        assert_eq!(full_user(server, "joe").await["channel_mutes"], json!([]));
    }

    async fn twenty_five_channels_may_be_muted_at_once(server: TestServer) {
        server.users(&["jane"]).await;
        let names: Vec<_> = (0..25).map(|number| format!("c{number}")).collect();
        for name in &names {
            server.channel(name, &["jane"]).await;
        }
        let cids: Vec<_> = names.iter().map(|name| format!("messaging:{name}")).collect();
        let body = ok(mute(server, json!({ "channel_cids": cids, "user_id": "jane" })).await);
        assert_eq!(body["channel_mutes"].as_array().unwrap().len(), 25);
        assert_eq!(full_user(server, "jane").await["channel_mutes"].as_array().unwrap().len(), 25);
    }
}
