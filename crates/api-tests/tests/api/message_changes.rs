//! Updating and deleting messages.

use std::time::Duration;

use natterjack_api_tests::{TestServer, both_databases};
use serde_json::{Value, json};

use crate::chat::{delete, get, ids, jane_and_joe, message, ok, send, sent, state, state_for, update};

/// A message m1 by jane with a bit of everything.
async fn rich_message(server: &TestServer) -> Value {
    jane_and_joe(server).await;
    let message = json!({
        "id": "m1", "user_id": "jane", "text": "before", "mentioned_users": ["joe"],
        "attachments": [{ "type": "image" }], "custom": { "color": "red" },
    });
    sent(server, "general", message).await
}

async fn count_of(server: &TestServer) -> Value {
    state(server, "general").await["channel"]["message_count"].clone()
}

both_databases! {
    async fn an_update_replaces_everything_that_can_change(server: TestServer) {
        let before = rich_message(server).await;
        server.advance(Duration::from_secs(5));
        let after = ok(update(server, "m1", json!({ "user_id": "jane", "text": "*after*" })).await);
        assert_eq!(after["message"]["text"], "*after*");
        let read = message(server, "m1").await;
        assert_eq!(read["html"], "<p><em>after</em></p>\n");
        assert_eq!((&read["attachments"], &read["mentioned_users"]), (&json!([]), &json!([])));
        assert_eq!(read["custom"], json!({}));
        assert_eq!(read["created_at"], before["created_at"]);
        assert!(read["updated_at"].as_i64() > before["updated_at"].as_i64());
    }

    async fn an_update_by_another_user_keeps_the_author(server: TestServer) {
        rich_message(server).await;
        ok(update(server, "m1", json!({ "user_id": "joe", "text": "after" })).await);
        assert_eq!(message(server, "m1").await["user"]["id"], "jane");
    }

    async fn an_update_needs_a_user(server: TestServer) {
        rich_message(server).await;
        let nobody = update(server, "m1", json!({ "text": "after" })).await;
        nobody.expect_error(400, 4, "either message.user or message.user_id must be provided");
        let unknown = update(server, "m1", json!({ "text": "after", "user_id": "nobody" })).await;
        unknown.expect_error(400, 4, "nobody");
        assert_eq!(message(server, "m1").await["text"], "before");
    }

    async fn the_time_of_the_text_is_that_of_its_last_edit(server: TestServer) {
        let before = rich_message(server).await;
        assert!(before.get("message_text_updated_at").is_none());
        let same = ok(update(server, "m1", json!({ "user_id": "jane", "text": "before" })).await);
        assert!(same["message"].get("message_text_updated_at").is_none());
        let edited = ok(update(server, "m1", json!({ "user_id": "jane", "text": "after" })).await);
        assert_eq!(edited["message"]["message_text_updated_at"], edited["message"]["updated_at"]);
    }

    async fn what_is_fixed_cannot_be_updated(server: TestServer) {
        rich_message(server).await;
        server.send("general", "jane", "parent", "parent").await;
        let fixed = [
            ("silent", json!(true)), ("parent_id", json!("parent")), ("type", json!("reply")),
            ("restricted_visibility", json!(["joe"])),
        ];
        for (field, value) in fixed {
            let mut change = json!({ "user_id": "jane", "text": "after" });
            change[field] = value;
            update(server, "m1", change).await.expect_error(400, 4, field);
        }
        assert_eq!(message(server, "m1").await["text"], "before");
    }

    async fn a_silent_message_stays_silent(server: TestServer) {
        jane_and_joe(server).await;
        sent(server, "general", json!({ "id": "m1", "user_id": "jane", "text": "a", "silent": true })).await;
        let loud = json!({ "user_id": "jane", "text": "b", "silent": false });
        update(server, "m1", loud).await.expect_error(400, 4, "silent");
        ok(update(server, "m1", json!({ "user_id": "jane", "text": "b" })).await);
        assert_eq!(message(server, "m1").await["silent"], true);
    }

    async fn a_missing_or_deleted_message_cannot_be_updated(server: TestServer) {
        rich_message(server).await;
        let change = json!({ "user_id": "jane", "text": "after" });
        update(server, "nothing", change.clone()).await.expect_error(404, 16, "nothing");
        ok(delete(server, "/messages/m1", &[]).await);
        update(server, "m1", change).await.expect_error(400, 4, "deleted");
    }

    async fn an_update_pins_and_unpins(server: TestServer) {
        rich_message(server).await;
        let pin = json!({ "user_id": "joe", "text": "before", "pinned": true });
        let pinned = ok(update(server, "m1", pin).await)["message"].clone();
        assert_eq!((&pinned["pinned"], &pinned["pinned_by"]["id"]), (&json!(true), &json!("joe")));
        let unpin = json!({ "user_id": "joe", "text": "before", "pinned": false });
        let unpinned = ok(update(server, "m1", unpin).await)["message"].clone();
        assert_eq!(unpinned["pinned"], false);
        assert!(unpinned.get("pinned_at").is_none() && unpinned.get("pinned_by").is_none());
        let past = json!({
            "user_id": "joe", "text": "a", "pinned": true, "pin_expires": "2020-01-01T00:00:00Z"
        });
        update(server, "m1", past).await.expect_error(400, 4, "pin_expires");
    }

    async fn pinning_again_takes_the_new_time(server: TestServer) {
        rich_message(server).await;
        let change = |pinned| json!({ "user_id": "jane", "text": "before", "pinned": pinned });
        let first = ok(update(server, "m1", change(true)).await)["message"]["pinned_at"].clone();
        ok(update(server, "m1", change(false)).await);
        server.advance(Duration::from_secs(10));
        let second = ok(update(server, "m1", change(true)).await)["message"]["pinned_at"].clone();
        assert!(second.as_i64() > first.as_i64());
    }

    async fn a_restricted_message_cannot_be_pinned_later(server: TestServer) {
        jane_and_joe(server).await;
        let message = json!({ "id": "m1", "user_id": "jane", "text": "a", "restricted_visibility": ["joe"] });
        sent(server, "general", message).await;
        let pin = json!({ "user_id": "jane", "text": "a", "pinned": true });
        update(server, "m1", pin).await.expect_error(400, 4, "pinned");
        ok(update(server, "m1", json!({ "user_id": "jane", "text": "b" })).await);
        assert_eq!(crate::chat::message(server, "m1").await["restricted_visibility"], json!(["joe"]));
    }

    async fn a_quote_can_be_changed_and_cleared(server: TestServer) {
        rich_message(server).await;
        server.send("general", "joe", "m2", "two").await;
        let quote = json!({ "user_id": "jane", "text": "a", "quoted_message_id": "m2" });
        let quoting = ok(update(server, "m1", quote).await);
        assert_eq!(quoting["message"]["quoted_message"]["text"], "two");
        let cleared = ok(update(server, "m1", json!({ "user_id": "jane", "text": "a" })).await);
        assert!(cleared["message"].get("quoted_message_id").is_none());
        assert!(cleared["message"].get("quoted_message").is_none());
    }

    async fn an_update_keeps_reactions_and_replies(server: TestServer) {
        rich_message(server).await;
        let reply = json!({ "user_id": "joe", "text": "r", "parent_id": "m1" });
        sent(server, "general", reply).await;
        let reaction = json!({ "reaction": { "type": "like", "user_id": "joe" } });
        ok(crate::chat::post(server, "/messages/m1/reaction", reaction).await);
        let after = ok(update(server, "m1", json!({ "user_id": "jane", "text": "after" })).await);
        assert_eq!(after["message"]["reply_count"], 1);
        assert_eq!(after["message"]["reaction_counts"], json!({ "like": 1 }));
    }

    async fn an_update_moves_nothing_in_the_channel(server: TestServer) {
        rich_message(server).await;
        server.send("general", "joe", "m2", "two").await;
        let before = state(server, "general").await["channel"]["last_message_at"].clone();
        server.advance(Duration::from_secs(60));
        ok(update(server, "m1", json!({ "user_id": "jane", "text": "after" })).await);
        let state = state(server, "general").await;
        assert_eq!(ids(&state["messages"]), ["m1", "m2"]);
        assert_eq!(state["channel"]["last_message_at"], before);
        assert_eq!(state["channel"]["message_count"], 2);
    }

    async fn a_soft_deleted_message_stays_as_a_tombstone(server: TestServer) {
        rich_message(server).await;
        let deleted = ok(delete(server, "/messages/m1", &[("deleted_by", "joe")]).await);
        assert_eq!(deleted["message"]["type"], "deleted");
        let listed = state(server, "general").await["messages"][0].clone();
        for shown in [&listed, &message(server, "m1").await] {
            assert_eq!((&shown["type"], &shown["text"]), (&json!("deleted"), &json!("")));
            assert_eq!((&shown["attachments"], &shown["html"]), (&json!([]), &json!("")));
            assert!(shown["deleted_at"].is_i64());
        }
    }

    async fn a_server_can_still_read_a_soft_deleted_message(server: TestServer) {
        rich_message(server).await;
        ok(delete(server, "/messages/m1", &[]).await);
        let shown = ok(get(server, "/messages/m1", &[("show_deleted_message", "true")]).await);
        assert_eq!(shown["message"]["text"], "before");
        assert_eq!(shown["message"]["attachments"][0]["type"], "image");
        assert_eq!(shown["message"]["type"], "deleted");
    }

    async fn deleting_a_pinned_message_unpins_it(server: TestServer) {
        jane_and_joe(server).await;
        sent(server, "general", json!({ "id": "m1", "user_id": "jane", "text": "a", "pinned": true })).await;
        let deleted = ok(delete(server, "/messages/m1", &[]).await);
        assert_eq!(deleted["message"]["pinned"], false);
        assert_eq!(message(server, "m1").await["pinned"], false);
        assert_eq!(state(server, "general").await["pinned_messages"], json!([]));
    }

    async fn a_soft_deleted_message_keeps_reactions_and_replies(server: TestServer) {
        rich_message(server).await;
        let reply = json!({ "id": "r1", "user_id": "joe", "text": "r", "parent_id": "m1" });
        sent(server, "general", reply).await;
        let reaction = json!({ "reaction": { "type": "like", "user_id": "joe" } });
        ok(crate::chat::post(server, "/messages/m1/reaction", reaction).await);
        ok(delete(server, "/messages/m1", &[]).await);
        let shown = message(server, "m1").await;
        assert_eq!((&shown["reply_count"], &shown["reaction_counts"]["like"]), (&json!(1), &json!(1)));
        assert_eq!(ids(&ok(get(server, "/messages/m1/replies", &[]).await)["messages"]), ["r1"]);
    }

    async fn a_hard_deleted_message_is_gone_with_its_replies(server: TestServer) {
        rich_message(server).await;
        server.advance(Duration::from_secs(5));
        server.send("general", "jane", "m2", "two").await;
        let reply = json!({ "id": "r1", "user_id": "joe", "text": "r", "parent_id": "m2" });
        sent(server, "general", reply).await;
        ok(delete(server, "/messages/m2", &[("hard", "true")]).await);
        for id in ["m2", "r1"] {
            get(server, &format!("/messages/{id}"), &[]).await.expect_error(404, 16, id);
        }
        let state = state(server, "general").await;
        assert_eq!(ids(&state["messages"]), ["m1"]);
        assert_eq!(state["channel"]["message_count"], 1);
        assert_eq!(state["channel"]["last_message_at"], state["messages"][0]["created_at"]);
    }

    async fn the_last_message_hard_deleted_leaves_no_last_message(server: TestServer) {
        rich_message(server).await;
        ok(delete(server, "/messages/m1", &[("hard", "true")]).await);
        let channel = state(server, "general").await["channel"].clone();
        assert!(channel.get("last_message_at").is_none_or(Value::is_null), "{channel}");
        assert_eq!(channel["message_count"], 0);
    }

    async fn a_soft_deleted_message_can_be_deleted_hard(server: TestServer) {
        rich_message(server).await;
        ok(delete(server, "/messages/m1", &[]).await);
        let soft = count_of(server).await;
        ok(delete(server, "/messages/m1", &[("hard", "true")]).await);
        get(server, "/messages/m1", &[]).await.expect_error(404, 16, "m1");
        assert_eq!((soft, count_of(server).await), (json!(0), json!(0)));
    }

    async fn deleting_twice_counts_once(server: TestServer) {
        rich_message(server).await;
        server.send("general", "jane", "m2", "two").await;
        for _ in 0..2 {
            ok(delete(server, "/messages/m1", &[]).await);
        }
        assert_eq!(count_of(server).await, 1);
    }

    async fn a_quote_outlives_the_message_quoted(server: TestServer) {
        rich_message(server).await;
        let quoting = json!({ "id": "m2", "user_id": "jane", "text": "a", "quoted_message_id": "m1" });
        sent(server, "general", quoting).await;
        ok(delete(server, "/messages/m1", &[("hard", "true")]).await);
        let read = message(server, "m2").await;
        assert_eq!(read["text"], "a");
        assert!(read.get("quoted_message").is_none());
    }

    async fn deletions_are_checked(server: TestServer) {
        rich_message(server).await;
        delete(server, "/messages/nothing", &[]).await.expect_error(404, 16, "nothing");
        delete(server, "/messages/m1", &[("deleted_by", "nobody")]).await.expect_error(400, 4, "nobody");
        delete(server, "/messages/m1", &[("delete_for_me", "true")]).await.expect_error(400, 4, "deleted_by");
        delete(server, "/messages/m1", &[("hard", "maybe")]).await.expect_error(400, 4, "hard");
        assert_eq!(message(server, "m1").await["text"], "before");
    }

    async fn a_message_deleted_for_one_user_stays_for_the_others(server: TestServer) {
        rich_message(server).await;
        let for_joe = [("delete_for_me", "true"), ("deleted_by", "joe")];
        for _ in 0..2 {
            let deleted = ok(delete(server, "/messages/m1", &for_joe).await);
            assert_eq!(deleted["message"]["deleted_for_me"], true);
        }
        let joes = state_for(server, "general", "joe").await["messages"][0].clone();
        assert_eq!((&joes["deleted_for_me"], &joes["type"]), (&json!(true), &json!("deleted")));
        assert_eq!(joes["text"], "");
        let janes = state_for(server, "general", "jane").await["messages"][0].clone();
        assert_eq!((&janes["text"], &janes["type"]), (&json!("before"), &json!("regular")));
        assert!(janes.get("deleted_for_me").is_none_or(|flag| *flag == json!(false)));
        assert_eq!(count_of(server).await, 1);
    }

    async fn a_user_deletes_a_hundred_messages_of_a_channel_for_themselves(server: TestServer) {
        jane_and_joe(server).await;
        for number in 0..=100 {
            server.send("general", "jane", &format!("m{number}"), "a").await;
        }
        let for_joe = [("delete_for_me", "true"), ("deleted_by", "joe")];
        for number in 0..100 {
            ok(delete(server, &format!("/messages/m{number}"), &for_joe).await);
        }
        delete(server, "/messages/m100", &for_joe).await.expect_error(400, 4, "100");
        ok(delete(server, "/messages/m0", &for_joe).await);
        let for_jane = [("delete_for_me", "true"), ("deleted_by", "jane")];
        ok(delete(server, "/messages/m100", &for_jane).await);
    }

    async fn a_message_deleted_for_a_user_is_not_read_in_a_quote_either(server: TestServer) {
        rich_message(server).await;
        let quoting = json!({ "id": "m2", "user_id": "jane", "text": "a", "quoted_message_id": "m1" });
        sent(server, "general", quoting).await;
        ok(delete(server, "/messages/m1", &[("delete_for_me", "true"), ("deleted_by", "joe")]).await);
        for (user_id, text) in [("joe", ""), ("jane", "before")] {
            let state = state_for(server, "general", user_id).await;
            assert_eq!(state["messages"][1]["quoted_message"]["text"], text, "{user_id}");
        }
    }

    async fn unread_counts_go_down_when_an_unread_message_is_deleted(server: TestServer) {
        jane_and_joe(server).await;
        for id in ["m1", "m2", "m3"] {
            server.send("general", "jane", id, id).await;
        }
        let unread = async || {
            let unread = ok(get(server, "/unread", &[("user_id", "joe")]).await);
            unread["total_unread_count"].clone()
        };
        assert_eq!(unread().await, 3);
        ok(delete(server, "/messages/m1", &[]).await);
        assert_eq!(unread().await, 2);
        ok(delete(server, "/messages/m2", &[("hard", "true")]).await);
        assert_eq!(unread().await, 1);
        ok(delete(server, "/messages/m3", &[("delete_for_me", "true"), ("deleted_by", "jane")]).await);
        assert_eq!(unread().await, 1);
    }

    async fn a_deleted_reply_changes_the_counts_of_its_parent(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "parent").await;
        for id in ["r1", "r2", "r3"] {
            let reply = json!({ "id": id, "user_id": "joe", "text": id, "parent_id": "m1", "silent": true });
            sent(server, "general", reply).await;
        }
        ok(delete(server, "/messages/r1", &[]).await);
        ok(delete(server, "/messages/r2", &[("hard", "true")]).await);
        ok(delete(server, "/messages/r1", &[("hard", "true")]).await);
        let parent = message(server, "m1").await;
        assert_eq!((&parent["reply_count"], &parent["deleted_reply_count"]), (&json!(1), &json!(2)));
        assert_eq!(ids(&ok(get(server, "/messages/m1/replies", &[]).await)["messages"]), ["r3"]);
        assert_eq!(state(server, "general").await["channel"]["message_count"], 2);
    }

    async fn nothing_is_sent_to_a_deleted_channel(server: TestServer) {
        rich_message(server).await;
        ok(delete(server, "/channels/messaging/general", &[]).await);
        let late = send(server, "general", json!({ "user_id": "jane", "text": "late" })).await;
        assert_eq!((late.status, late.code()), (404, 16), "{}", late.text);
        get(server, "/messages/m1", &[]).await.expect_error(404, 16, "m1");
    }
}
