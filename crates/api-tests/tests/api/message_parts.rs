//! Partial updates of messages.

use std::time::Duration;

use natterjack_api_tests::{TestServer, both_databases};
use natterjack_client::protocol::messages::UpdateMessagePartialRequest;
use serde_json::{Map, Value, json};

use crate::chat::{
    change, delete, get, ids, jane_and_joe, message, ok, post, sent, state, update, update_channel,
};

/// A message m1 by jane with a bit of everything.
async fn rich_message(server: &TestServer) -> Value {
    jane_and_joe(server).await;
    let message = json!({
        "id": "m1", "user_id": "jane", "text": "before", "mentioned_users": ["joe"],
        "attachments": [{ "type": "image" }], "custom": { "color": "red", "deep": { "a": 1, "b": 2 } },
    });
    sent(server, "general", message).await
}

/// Changes m1 on behalf of jane.
async fn by_jane(server: &TestServer, set: Value, unset: &[&str]) -> natterjack_api_tests::RawReply {
    change(server, "m1", json!({ "user_id": "jane", "set": set, "unset": unset })).await
}

/// How many messages a user has not read.
async fn unread(server: &TestServer, user_id: &str) -> i64 {
    let counts = ok(get(server, "/unread", &[("user_id", user_id)]).await);
    counts["total_unread_count"].as_i64().unwrap()
}

both_databases! {
    async fn a_partial_update_changes_only_what_it_names(server: TestServer) {
        let before = rich_message(server).await;
        server.advance(Duration::from_secs(5));
        let request = UpdateMessagePartialRequest {
            set: Map::from_iter([("text".to_owned(), json!("*after*")), ("deep.a".to_owned(), json!(3))]),
            unset: vec!["color".to_owned(), "deep.b".to_owned()],
            user_id: Some("jane".to_owned()),
            skip_enrich_url: Some(true),
            skip_push: Some(true),
            ..Default::default()
        };
        let after = server.client().chat().update_message_partial("m1", request).await.unwrap();
        assert_eq!(after.message.as_ref().unwrap().text, "*after*");
        let read = message(server, "m1").await;
        assert_eq!((&read["text"], &read["html"]), (&json!("*after*"), &json!("<p><em>after</em></p>\n")));
        assert_eq!(read["custom"], json!({ "deep": { "a": 3 } }));
        assert_eq!(read["mentioned_users"][0]["id"], "joe");
        assert_eq!(read["attachments"], before["attachments"]);
        assert_eq!(read["message_text_updated_at"], read["updated_at"]);
        assert!(read["updated_at"].as_i64() > before["updated_at"].as_i64());
    }

    async fn custom_data_is_changed_without_touching_the_text(server: TestServer) {
        rich_message(server).await;
        ok(by_jane(server, json!({ "custom": { "size": 5 }, "new.inner": [1] }), &[]).await);
        let read = message(server, "m1").await;
        assert_eq!(read["text"], "before");
        assert!(read.get("message_text_updated_at").is_none());
        let custom = json!({
            "color": "red", "deep": { "a": 1, "b": 2 }, "size": 5, "new": { "inner": [1] }
        });
        assert_eq!(read["custom"], custom);
        ok(by_jane(server, json!({}), &["custom"]).await);
        assert_eq!(message(server, "m1").await["custom"], json!({}));
    }

    async fn parts_are_set_and_taken_away(server: TestServer) {
        rich_message(server).await;
        server.send("general", "joe", "m2", "two").await;
        let set = json!({
            "attachments": [{ "type": "file", "title": "T" }], "mentioned_users": ["jane", "joe"],
            "quoted_message_id": "m2", "mentioned_here": true, "mentioned_roles": ["admin"], "mml": "<mml/>"
        });
        let set = ok(by_jane(server, set, &[]).await)["message"].clone();
        assert_eq!(set["attachments"][0]["title"], "T");
        assert_eq!(set["mentioned_users"].as_array().unwrap().len(), 2);
        assert_eq!(set["quoted_message"]["text"], "two");
        assert_eq!((&set["mentioned_here"], &set["mentioned_roles"]), (&json!(true), &json!(["admin"])));
        assert_eq!(set["mml"], "<mml/>");
        let names = ["attachments", "mentioned_users", "quoted_message_id", "mentioned_here", "mml"];
        let unset = ok(by_jane(server, json!({ "mentioned_roles": null }), &names).await)["message"].clone();
        assert_eq!((&unset["attachments"], &unset["mentioned_users"]), (&json!([]), &json!([])));
        for name in ["quoted_message", "quoted_message_id", "mml", "mentioned_roles"] {
            assert!(unset.get(name).is_none(), "{name}");
        }
        assert_eq!(unset["mentioned_here"], false);
    }

    async fn a_partial_update_pins_until_a_time_and_unpins(server: TestServer) {
        rich_message(server).await;
        let by_joe = json!({
            "user_id": "joe", "set": { "pinned": true, "pin_expires": "2026-01-02T03:05:05Z" }
        });
        let pinned = ok(change(server, "m1", by_joe).await)["message"].clone();
        assert_eq!((&pinned["pinned"], &pinned["pinned_by"]["id"]), (&json!(true), &json!("joe")));
        ok(by_jane(server, json!({ "text": "other" }), &[]).await);
        let kept = message(server, "m1").await;
        assert_eq!((&kept["pinned_at"], &kept["pin_expires"]), (&pinned["pinned_at"], &pinned["pin_expires"]));
        assert_eq!(kept["pinned_by"]["id"], "joe");
        let lasting = ok(by_jane(server, json!({ "pin_expires": null }), &[]).await)["message"].clone();
        assert!(lasting["pinned"] == true && lasting.get("pin_expires").is_none());
        server.advance(Duration::from_secs(3600));
        assert_eq!(message(server, "m1").await["pinned"], true);
        let unpinned = ok(by_jane(server, json!({ "pinned": false }), &[]).await)["message"].clone();
        assert!(unpinned["pinned"] == false && unpinned.get("pinned_at").is_none());
        assert_eq!(state(server, "general").await["pinned_messages"], json!([]));
    }

    async fn a_message_is_pinned_anew_after_its_pin_expired(server: TestServer) {
        rich_message(server).await;
        let soon = json!({ "pinned": true, "pin_expires": "2026-01-02T03:05:05Z" });
        let first = ok(by_jane(server, soon, &[]).await)["message"]["pinned_at"].as_i64();
        server.advance(Duration::from_secs(61));
        assert_eq!(message(server, "m1").await["pinned"], false);
        let edited = ok(by_jane(server, json!({ "text": "edited" }), &[]).await)["message"].clone();
        assert_eq!(edited["pinned"], false);
        let again = ok(by_jane(server, json!({ "pinned": true }), &[]).await)["message"].clone();
        assert!(again["pinned_at"].as_i64() > first && again.get("pin_expires").is_none());
        by_jane(server, json!({ "pin_expires": "2026-01-02T03:04:05Z" }), &[]).await
            .expect_error(400, 4, "set.pin_expires must be in the future");
    }

    async fn what_is_fixed_stays_as_it_is(server: TestServer) {
        rich_message(server).await;
        server.send("general", "jane", "parent", "parent").await;
        let fixed = [
            ("silent", json!(true)), ("parent_id", json!("parent")), ("type", json!("reply")),
            ("show_in_channel", json!(true)),
        ];
        for (field, value) in fixed {
            let refused = by_jane(server, json!({ field: value }), &[]).await;
            refused.expect_error(400, 4, &format!("set.{field} cannot be changed"));
        }
        let same = json!({
            "silent": false, "parent_id": null, "type": "regular", "restricted_visibility": [], "text": "after"
        });
        ok(by_jane(server, same, &[]).await);
        let reply = json!({ "id": "r1", "user_id": "joe", "text": "r", "parent_id": "parent" });
        sent(server, "general", reply).await;
        let orphan = json!({ "user_id": "joe", "unset": ["parent_id"] });
        change(server, "r1", orphan).await.expect_error(400, 4, "parent_id");
    }

    async fn a_restricted_message_goes_from_some_to_others(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["eve", "ann"]).await;
        update_channel(server, "general", json!({ "add_members": ["eve", "ann"] })).await;
        let secret = json!({ "id": "m1", "user_id": "jane", "text": "a", "restricted_visibility": ["joe", "eve"] });
        sent(server, "general", secret).await;
        let counts = async || [unread(server, "joe").await, unread(server, "eve").await, unread(server, "ann").await];
        assert_eq!(counts().await, [1, 1, 0]);
        let changed = ok(by_jane(server, json!({ "restricted_visibility": ["eve", "ann"] }), &[]).await);
        assert_eq!(changed["message"]["restricted_visibility"], json!(["ann", "eve"]));
        assert_eq!(counts().await, [0, 1, 1]);
        server.check().await;
        let gone = server.raw("GET", "/api/v2/chat/messages/m1").as_user("joe").send().await;
        gone.expect_error(404, 16, "m1");
        let read = server.raw("GET", "/api/v2/chat/messages/m1").as_user("ann").send().await;
        assert_eq!(ok(read)["message"]["text"], "a");
        // Who has read beyond it has nothing more to read, and nothing less.
        server.send("general", "jane", "m2", "b").await;
        for user_id in ["joe", "eve"] {
            ok(post(server, "/channels/messaging/general/read", json!({ "user_id": user_id })).await);
        }
        let whole = json!({ "user_id": "jane", "text": "c", "restricted_visibility": ["joe"] });
        ok(update(server, "m1", whole).await);
        assert_eq!(counts().await, [0, 0, 1]);
        // An update that says nothing of it leaves it.
        ok(update(server, "m1", json!({ "user_id": "jane", "text": "d" })).await);
        assert_eq!(message(server, "m1").await["restricted_visibility"], json!(["joe"]));
        server.check().await;
    }

    async fn what_all_see_and_what_some_see_stays_so(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "for all").await;
        let secret = json!({ "id": "m2", "user_id": "jane", "text": "a", "restricted_visibility": ["joe"] });
        sent(server, "general", secret).await;
        let by = |names: &[&str]| json!({ "user_id": "jane", "set": { "restricted_visibility": names } });
        let field = "set.restricted_visibility";
        change(server, "m1", by(&["joe"])).await.expect_error(400, 4, field);
        change(server, "m2", by(&[])).await.expect_error(400, 4, field);
        change(server, "m2", json!({ "user_id": "jane", "unset": ["restricted_visibility"] })).await
            .expect_error(400, 4, field);
        change(server, "m2", by(&["nobody"])).await.expect_error(400, 4, "nobody");
        change(server, "m2", by(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"])).await
            .expect_error(400, 4, field);
        let set = json!({ "set": { "restricted_visibility": ["jane"] } });
        let by_joe = server.raw("PUT", "/api/v2/chat/messages/m2").as_user("joe").json(&set);
        by_joe.send().await.expect_error(403, 17, "UpdateMessage");
        let own = json!({ "id": "m3", "user_id": "joe", "text": "a", "restricted_visibility": ["jane"] });
        sent(server, "general", own).await;
        let set = json!({ "set": { "restricted_visibility": ["joe"] } });
        let by_joe = server.raw("PUT", "/api/v2/chat/messages/m3").as_user("joe").json(&set);
        by_joe.send().await.expect_error(403, 17, "CreateRestrictedVisibilityMessage");
    }

    async fn what_the_server_sets_is_reserved(server: TestServer) {
        rich_message(server).await;
        for field in ["id", "cid", "created_at", "updated_at", "deleted_at", "user", "reply_count", "i18n"] {
            let refused = by_jane(server, json!({ field: 1 }), &[]).await;
            refused.expect_error(400, 4, &format!("{field} is a reserved field"));
            by_jane(server, json!({}), &[field]).await.expect_error(400, 4, field);
        }
        let inside = by_jane(server, json!({ "i18n.fr_text": "x" }), &[]).await;
        inside.expect_error(400, 4, "i18n is a reserved field");
        by_jane(server, json!({ "attachments.a": 1 }), &[]).await.expect_error(400, 4, "attachments");
        assert_eq!(message(server, "m1").await["custom"]["color"], "red");
    }

    async fn parts_are_checked_as_when_a_message_is_sent(server: TestServer) {
        rich_message(server).await;
        let refused = async |set: Value, status: u16, code: i64, text: &str| {
            by_jane(server, set, &[]).await.expect_error(status, code, text);
        };
        refused(json!({ "text": "a".repeat(5001) }), 400, 20, "set.text").await;
        refused(json!({ "text": 5 }), 400, 4, "set.text").await;
        refused(json!({ "mentioned_users": ["nobody"] }), 400, 4, "set.mentioned_users").await;
        refused(json!({ "quoted_message_id": "nothing" }), 400, 4, "set.quoted_message_id").await;
        refused(json!({ "attachments": vec![json!({ "type": "a" }); 31] }), 400, 4, "set.attachments").await;
        refused(json!({ "attachments": [{ "text": "x".repeat(6000) }] }), 413, 22, "set.attachments").await;
        refused(json!({ "big": "x".repeat(5 * 1024) }), 413, 22, "custom").await;
        refused(json!({ "poll_id": "p" }), 403, 17, "polls not enabled").await;
        refused(json!({ "color.inner": 1 }), 400, 4, "set.color.inner").await;
        let nothing = by_jane(server, json!({}), &["text", "attachments", "custom"]).await;
        nothing.expect_error(400, 4, "set.text");
        let off = json!({ "data": { "config_overrides": { "quotes": false } }, "user_id": "jane" });
        update_channel(server, "general", off).await;
        refused(json!({ "quoted_message_id": "m1" }), 400, 19, "quotes").await;
        assert_eq!(message(server, "m1").await["text"], "before");
    }

    async fn a_partial_update_names_a_user_and_something_to_change(server: TestServer) {
        rich_message(server).await;
        let nobody = change(server, "m1", json!({ "set": { "text": "a" } })).await;
        nobody.expect_error(400, 4, "either user or user_id must be provided when using server side auth.");
        let unknown = change(server, "m1", json!({ "user_id": "nobody", "set": { "text": "a" } })).await;
        unknown.expect_error(400, 4, "nobody");
        change(server, "m1", json!({ "user_id": "jane" })).await.expect_error(400, 4, "set");
        let both = json!({ "user_id": "jane", "set": { "text": "a" }, "unset": ["text"] });
        change(server, "m1", both).await.expect_error(400, 4, "text");
        let new = json!({ "user": { "id": "new" }, "set": { "text": "a" } });
        ok(change(server, "m1", new).await);
        assert_eq!(message(server, "m1").await["user"]["id"], "jane");
    }

    async fn a_missing_or_deleted_message_has_no_parts_to_change(server: TestServer) {
        rich_message(server).await;
        let text = json!({ "user_id": "jane", "set": { "text": "a" } });
        change(server, "nothing", text.clone()).await.expect_error(404, 16, "nothing");
        ok(delete(server, "/messages/m1", &[]).await);
        change(server, "m1", text).await.expect_error(400, 4, "deleted");
    }

    async fn a_restricted_message_is_not_pinned_by_a_partial_update(server: TestServer) {
        jane_and_joe(server).await;
        let restricted = json!({ "id": "m1", "user_id": "jane", "text": "a", "restricted_visibility": ["joe"] });
        sent(server, "general", restricted).await;
        by_jane(server, json!({ "pinned": true }), &[]).await.expect_error(400, 4, "set.pinned");
        ok(by_jane(server, json!({ "text": "b" }), &[]).await);
        assert_eq!(message(server, "m1").await["restricted_visibility"], json!(["joe"]));
    }

    async fn given_html_goes_with_the_text_that_it_was_given_for(server: TestServer) {
        rich_message(server).await;
        ok(by_jane(server, json!({ "html": "<b>given</b>", "mml": "<mml/>" }), &[]).await);
        ok(by_jane(server, json!({ "color": "blue" }), &[]).await);
        assert_eq!(message(server, "m1").await["html"], "<b>given</b>");
        let edited = ok(by_jane(server, json!({ "text": "<script>x</script>" }), &[]).await)["message"].clone();
        assert!(!edited["html"].as_str().unwrap().contains("<script"), "{edited}");
        assert!(edited.get("mml").is_none());
    }

    async fn racing_partial_updates_lose_nothing(server: TestServer) {
        rich_message(server).await;
        let mut racing = tokio::task::JoinSet::new();
        for number in 0..20 {
            let request = server.raw("PUT", "/api/v2/chat/messages/m1");
            let body = json!({ "user_id": "jane", "set": { format!("key{number}"): number } });
            racing.spawn(async move { request.json(&body).send().await.status });
        }
        assert_eq!(racing.join_all().await, [201; 20]);
        let custom = message(server, "m1").await["custom"].as_object().unwrap().clone();
        assert!((0..20).all(|number| custom[&format!("key{number}")] == number), "{custom:?}");
    }

    async fn pins_come_newest_first(server: TestServer) {
        jane_and_joe(server).await;
        for id in ["m1", "m2", "m3"] {
            server.send("general", "jane", id, id).await;
        }
        for id in ["m2", "m3", "m1"] {
            ok(change(server, id, json!({ "user_id": "jane", "set": { "pinned": true } })).await);
        }
        assert_eq!(ids(&state(server, "general").await["pinned_messages"]), ["m1", "m3", "m2"]);
        for pinned in [false, true] {
            ok(change(server, "m2", json!({ "user_id": "jane", "set": { "pinned": pinned } })).await);
        }
        assert_eq!(ids(&state(server, "general").await["pinned_messages"]), ["m2", "m1", "m3"]);
    }

    async fn a_full_update_keeps_the_end_of_a_pin(server: TestServer) {
        rich_message(server).await;
        ok(by_jane(server, json!({ "pinned": true, "pin_expires": "2026-01-03T00:00:00Z" }), &[]).await);
        let after = ok(update(server, "m1", json!({ "user_id": "jane", "text": "b" })).await)["message"].clone();
        assert_eq!(after["pinned"], true);
        assert!(after["pin_expires"].is_i64());
    }
}
