//! Users whom users mute: what it does to what they have not read and have hidden, and how it ends.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_client::protocol::user_mutes::{MuteRequest, UnmuteRequest};
use serde_json::{Value, json};

use crate::chat::{delete, get, jane_and_joe, ok, post, sent, state, state_for};

async fn mute(server: &TestServer, request: Value) -> RawReply {
    server.raw("POST", "/api/v2/moderation/mute").json(&request).send().await
}

async fn unmute(server: &TestServer, request: Value) -> RawReply {
    server.raw("POST", "/api/v2/moderation/unmute").json(&request).send().await
}

/// Joe mutes jane for so many minutes, or for good.
async fn joe_mutes_jane(server: &TestServer, timeout: Option<i64>) -> Value {
    ok(mute(server, json!({ "target_ids": ["jane"], "user_id": "joe", "timeout": timeout })).await)
}

async fn joe_unmutes_jane(server: &TestServer) {
    ok(unmute(server, json!({ "target_ids": ["jane"], "user_id": "joe" })).await);
}

/// What joe has not read, wherever it is told, after a check of everything.
async fn unread(server: &TestServer) -> i64 {
    server.check().await;
    let counts = ok(get(server, "/unread", &[("user_id", "joe")]).await);
    let total = counts["total_unread_count"].as_i64().unwrap();
    let reads = state(server, "general").await["read"].clone();
    let read = reads.as_array().unwrap().iter().find(|read| read["user"]["id"] == "joe").unwrap().clone();
    assert_eq!(read["unread_messages"], total);
    assert_eq!(full_user(server, "joe").await["total_unread_count"], total);
    total
}

async fn full_user(server: &TestServer, id: &str) -> Value {
    let payload = json!({ "filter_conditions": { "id": id } }).to_string();
    ok(server.raw("GET", "/api/v2/users").query("payload", &payload).send().await)["users"][0].clone()
}

async fn three_in_general(server: &TestServer) {
    server.users(&["jane", "joe", "zoe"]).await;
    server.channel("general", &["jane", "joe", "zoe"]).await;
}

both_databases! {
    async fn a_mute_begins_behind_the_one_before_although_the_newest_message_is_gone(server: TestServer) {
        three_in_general(server).await;
        joe_mutes_jane(server, None).await;
        for id in ["unheard-1", "unheard-2"] {
            sent(server, "general", json!({ "id": id, "text": "hi", "user_id": "jane" })).await;
        }
        joe_unmutes_jane(server).await;
        ok(delete(server, "/messages/unheard-2", &[("hard", "true")]).await);
        joe_mutes_jane(server, None).await;
        assert_eq!(unread(server).await, 0);
        joe_unmutes_jane(server).await;
        sent(server, "general", json!({ "id": "heard", "text": "hi", "user_id": "jane" })).await;
        assert_eq!(unread(server).await, 1);
    }

    async fn muting_users_answers_with_the_mutes_and_the_user(server: TestServer) {
        three_in_general(server).await;
        let request = MuteRequest {
            target_ids: ["zoe", "nobody", "jane", "zoe"].map(str::to_owned).into(),
            timeout: Some(90),
            user_id: Some("joe".to_owned()),
            ..MuteRequest::default()
        };
        let reply = server.client().moderation().mute(request).await.unwrap();
        let mutes = reply.mutes.as_ref().unwrap();
        let targets: Vec<_> = mutes.iter().map(|mute| mute.target.as_ref().unwrap().id.as_str()).collect();
        assert_eq!(targets, ["zoe", "jane"]);
        assert_eq!(mutes[0].user.as_ref().unwrap().id, "joe");
        assert_eq!(mutes[0].expires, Some(mutes[0].created_at.plus_seconds(90 * 60)));
        assert_eq!(reply.non_existing_users.as_deref(), Some(&["nobody".to_owned()][..]));
        assert_eq!(reply.own_user.as_ref().unwrap().mutes.len(), 2);
        assert!(reply.mute.is_none());
        assert_eq!(full_user(server, "joe").await["mutes"].as_array().unwrap().len(), 2);
        assert_eq!(full_user(server, "jane").await["mutes"], json!([]));
        let request = UnmuteRequest {
            target_ids: vec!["zoe".to_owned(), "nobody".to_owned()],
            user_id: Some("joe".to_owned()),
            ..UnmuteRequest::default()
        };
        let reply = server.client().moderation().unmute(request).await.unwrap();
        assert_eq!(reply.non_existing_users.as_deref(), Some(&["nobody".to_owned()][..]));
        let left = full_user(server, "joe").await["mutes"].clone();
        assert_eq!(left.as_array().unwrap().len(), 1);
        assert_eq!(left[0]["target"]["id"], "jane");
    }

    async fn muting_again_gives_the_mute_another_end(server: TestServer) {
        jane_and_joe(server).await;
        let first = joe_mutes_jane(server, Some(1)).await["mutes"][0].clone();
        server.advance(Duration::from_secs(1));
        let second = joe_mutes_jane(server, None).await["mutes"][0].clone();
        assert_eq!(second["created_at"], first["created_at"]);
        assert_ne!(second["updated_at"], first["updated_at"]);
        assert_eq!(second.get("expires"), None);
        assert_eq!(full_user(server, "joe").await["mutes"].as_array().unwrap().len(), 1);
        server.check().await;
    }

    async fn the_older_form_names_one_user(server: TestServer) {
        jane_and_joe(server).await;
        let request = json!({ "target_id": "jane", "target_ids": null, "user_id": "joe" });
        let body = ok(mute(server, request.clone()).await);
        assert_eq!(body["mute"]["target"]["id"], "jane");
        assert_eq!(body["mutes"].as_array().unwrap().len(), 1);
        ok(unmute(server, request).await);
        assert_eq!(full_user(server, "joe").await["mutes"], json!([]));
    }

    async fn what_a_muted_user_sends_is_not_unread(server: TestServer) {
        three_in_general(server).await;
        server.send("general", "jane", "m1", "a").await;
        joe_mutes_jane(server, None).await;
        assert_eq!(unread(server).await, 1);
        server.send("general", "jane", "m2", "a").await;
        server.send("general", "zoe", "m3", "a").await;
        server.send("general", "jane", "m4", "a").await;
        assert_eq!(unread(server).await, 2);
        joe_unmutes_jane(server).await;
        assert_eq!(unread(server).await, 2);
        server.send("general", "jane", "m5", "a").await;
        assert_eq!(unread(server).await, 3);
        let read = json!({ "user_id": "joe", "message_id": "m3" });
        ok(post(server, "/channels/messaging/general/read", read).await);
        assert_eq!(unread(server).await, 1);
        let again = json!({ "user_id": "joe", "message_id": "m1" });
        ok(post(server, "/channels/messaging/general/unread", again).await);
        assert_eq!(unread(server).await, 3);
    }

    async fn a_mute_ends_by_itself(server: TestServer) {
        jane_and_joe(server).await;
        joe_mutes_jane(server, Some(1)).await;
        server.send("general", "jane", "m1", "a").await;
        server.advance(Duration::from_secs(60));
        assert_eq!(full_user(server, "joe").await["mutes"], json!([]));
        server.send("general", "jane", "m2", "a").await;
        assert_eq!(unread(server).await, 1);
        joe_mutes_jane(server, Some(1)).await;
        server.send("general", "jane", "m3", "a").await;
        assert_eq!(unread(server).await, 1);
        joe_unmutes_jane(server).await;
        server.send("general", "jane", "m4", "a").await;
        assert_eq!(unread(server).await, 2);
    }

    async fn deleting_what_a_muted_user_sent_takes_it_off_once(server: TestServer) {
        three_in_general(server).await;
        joe_mutes_jane(server, None).await;
        for (author, id) in [("jane", "m1"), ("zoe", "m2"), ("jane", "m3")] {
            server.send("general", author, id, "a").await;
        }
        assert_eq!(unread(server).await, 1);
        ok(delete(server, "/messages/m1", &[]).await);
        assert_eq!(unread(server).await, 1);
        ok(delete(server, "/messages/m3", &[("hard", "true")]).await);
        assert_eq!(unread(server).await, 1);
        ok(post(server, "/messages/m1/undelete", json!({ "undeleted_by": "zoe" })).await);
        assert_eq!(unread(server).await, 1);
        ok(delete(server, "/messages/m2", &[]).await);
        assert_eq!(unread(server).await, 0);
        ok(post(server, "/channels/messaging/general/truncate", json!({})).await);
        assert_eq!(unread(server).await, 0);
    }

    async fn a_muted_user_in_a_muted_channel_is_taken_off_once(server: TestServer) {
        three_in_general(server).await;
        let channel = json!({ "channel_cids": ["messaging:general"], "user_id": "joe" });
        joe_mutes_jane(server, None).await;
        server.send("general", "jane", "m1", "a").await;
        ok(post(server, "/moderation/mute/channel", channel.clone()).await);
        server.send("general", "jane", "m2", "a").await;
        server.send("general", "zoe", "m3", "a").await;
        assert_eq!(unread(server).await, 0);
        ok(post(server, "/moderation/unmute/channel", channel).await);
        server.send("general", "jane", "m4", "a").await;
        server.send("general", "zoe", "m5", "a").await;
        assert_eq!(unread(server).await, 1);
    }

    async fn restricted_messages_of_a_muted_user_are_not_unread(server: TestServer) {
        jane_and_joe(server).await;
        let restricted = async |id: &str| {
            let message = json!({ "id": id, "text": "a", "user_id": "jane", "restricted_visibility": ["joe"] });
            sent(server, "general", message).await;
        };
        restricted("m1").await;
        joe_mutes_jane(server, None).await;
        restricted("m2").await;
        assert_eq!(unread(server).await, 1);
        ok(delete(server, "/messages/m2", &[]).await);
        assert_eq!(unread(server).await, 1);
        ok(post(server, "/messages/m2/undelete", json!({ "undeleted_by": "jane" })).await);
        ok(delete(server, "/messages/m1", &[]).await);
        assert_eq!(unread(server).await, 0);
        joe_unmutes_jane(server).await;
        restricted("m3").await;
        assert_eq!(unread(server).await, 1);
    }

    async fn a_muted_user_shows_no_hidden_channel(server: TestServer) {
        three_in_general(server).await;
        joe_mutes_jane(server, None).await;
        ok(post(server, "/channels/messaging/general/hide", json!({ "user_id": "joe" })).await);
        server.send("general", "jane", "m1", "a").await;
        assert_eq!(state_for(server, "general", "joe").await["hidden"], true);
        server.send("general", "zoe", "m2", "a").await;
        assert_eq!(state_for(server, "general", "joe").await.get("hidden"), None);
        server.check().await;
    }

    async fn mutes_that_make_no_sense_are_refused(server: TestServer) {
        jane_and_joe(server).await;
        let many: Vec<String> = (0..1001).map(|number| format!("u{number}")).collect();
        for (request, text) in [
            (json!({ "user_id": "joe" }), "target_ids"),
            (json!({ "target_ids": [], "user_id": "joe" }), "target_ids"),
            (json!({ "target_ids": ["joe"], "user_id": "joe" }), "target_ids"),
            (json!({ "target_ids": ["a b"], "user_id": "joe" }), "target_ids"),
            (json!({ "target_ids": many, "user_id": "joe" }), "target_ids"),
            (json!({ "target_ids": ["jane"], "user_id": "joe", "timeout": -1 }), "timeout"),
            (json!({ "target_ids": ["jane"], "user_id": "nobody" }), "user_id"),
            (json!({ "target_ids": ["jane"] }), "user"),
        ] {
            mute(server, request.clone()).await.expect_error(400, 4, text);
        }
        assert_eq!(full_user(server, "joe").await["mutes"], json!([]));
    }

    async fn a_user_mutes_with_a_token_of_his_own(server: TestServer) {
        jane_and_joe(server).await;
        let request = json!({ "target_ids": ["jane"] });
        let reply = server.raw("POST", "/api/v2/moderation/mute").as_user("joe").json(&request).send().await;
        assert_eq!(ok(reply)["own_user"]["id"], "joe");
        let other = json!({ "target_ids": ["jane"], "user_id": "zoe" });
        let reply = server.raw("POST", "/api/v2/moderation/mute").as_user("joe").json(&other).send().await;
        reply.expect_error(401, 5, "zoe");
    }

    async fn mutes_that_are_over_are_forgotten_when_nothing_in_them_is_unread(server: TestServer) {
        const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
        three_in_general(server).await;
        server.channel("other", &["jane", "joe"]).await;
        server.send("general", "zoe", "m0", "before").await;
        joe_mutes_jane(server, None).await;
        server.send("general", "jane", "m1", "muted").await;
        server.send("other", "jane", "o1", "muted").await;
        server.advance(Duration::from_secs(1));
        joe_unmutes_jane(server).await;
        server.advance(Duration::from_secs(1));
        // One that the clock ends, and one that lasts.
        joe_mutes_jane(server, Some(1)).await;
        server.send("general", "jane", "m2", "muted").await;
        ok(mute(server, json!({ "target_ids": ["zoe"], "user_id": "joe" })).await);
        server.send("general", "zoe", "m3", "muted").await;
        assert_eq!((unread(server).await, server.count("mute_spans").await), (1, 3));
        let read = async |channel: &str| {
            ok(post(server, &format!("/channels/messaging/{channel}/read"), json!({ "user_id": "joe" })).await)
        };
        server.advance(MONTH + Duration::from_secs(120));
        server.prune_mute_spans(MONTH).await;
        assert_eq!((unread(server).await, server.count("mute_spans").await), (1, 3), "nothing is read");
        assert_eq!(server.count("user_mutes").await, 1, "the one that lasts");
        read("general").await;
        server.prune_mute_spans(MONTH).await;
        // In the other channel something of the first is unread.
        assert_eq!((unread(server).await, server.count("mute_spans").await), (0, 2));
        read("other").await;
        server.prune_mute_spans(MONTH).await;
        assert_eq!((unread(server).await, server.count("mute_spans").await), (0, 1));
        // Who goes back finds unread what was sent then, but not what is muted still.
        let back = json!({ "user_id": "joe", "message_id": "m0" });
        ok(post(server, "/channels/messaging/general/unread", back).await);
        assert_eq!(unread(server).await, 3);
        joe_mutes_jane(server, None).await;
        assert_eq!((unread(server).await, server.count("mute_spans").await), (3, 2));
    }

    async fn mutes_that_ended_lately_are_kept(server: TestServer) {
        three_in_general(server).await;
        joe_mutes_jane(server, Some(1)).await;
        server.send("general", "jane", "m1", "muted").await;
        ok(post(server, "/channels/messaging/general/read", json!({ "user_id": "joe" })).await);
        server.advance(Duration::from_secs(120));
        server.prune_mute_spans(Duration::from_secs(3600)).await;
        assert_eq!((unread(server).await, server.count("mute_spans").await), (0, 1));
    }
}
