//! Updates of channels: data, members, invites, roles.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use serde_json::{Value, json};

use crate::bodies::{post, post_ok, sorted, texts};

const GENERAL: &str = "/api/v2/chat/channels/messaging/general";

/// Four users; the channel general, created by jane, has jane and joe.
async fn general(server: &TestServer) {
    server.users(&["jane", "joe", "eve", "sam"]).await;
    let data = json!({ "created_by_id": "jane", "members": ["jane", "joe"],
                       "custom": { "name": "General", "color": "blue" }, "filter_tags": ["a"],
                       "team": "red" });
    post_ok(server, &format!("{GENERAL}/query"), &json!({ "data": data })).await;
}

async fn update(server: &TestServer, change: Value) -> Value {
    post_ok(server, GENERAL, &change).await
}

async fn refused(server: &TestServer, change: Value) -> RawReply {
    post(server, GENERAL, &change).await
}

/// The channel as a user sees it.
async fn seen_by(server: &TestServer, user_id: &str) -> Value {
    let reply = server.raw("GET", GENERAL).query("state", "true").query("user_id", user_id).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body
}

/// What a user has not read, in all channels.
async fn total_unread(server: &TestServer, user_id: &str) -> i64 {
    let counts = server.raw("GET", "/api/v2/chat/unread").query("user_id", user_id).send().await.body;
    counts["total_unread_count"].as_i64().unwrap()
}

/// One member in a reply.
fn member<'a>(body: &'a Value, user_id: &str) -> &'a Value {
    body["members"].as_array().unwrap().iter().find(|member| member["user_id"] == user_id).unwrap()
}

both_databases! {
    async fn new_data_replaces_all_custom_data_and_leaves_what_is_built_in(server: TestServer) {
        general(server).await;
        server.advance(Duration::from_secs(1));
        let before = seen_by(server, "").await["channel"].clone();
        let body = update(server, json!({ "data": { "custom": { "name": "New" }, "frozen": true } })).await;
        let channel = &body["channel"];
        assert_eq!(channel["custom"], json!({ "name": "New" }));
        assert_eq!((&channel["frozen"], &channel["team"]), (&json!(true), &json!("red")));
        assert_eq!(channel["filter_tags"], json!(["a"]));
        assert_eq!(sorted(&body["members"], "/user_id"), ["jane", "joe"]);
        assert_eq!(body.get("message"), None);
        assert_eq!(channel["created_at"], before["created_at"]);
        assert!(channel["updated_at"].as_i64() > before["updated_at"].as_i64());
        let again = update(server, json!({ "data": {} })).await;
        assert_eq!((&again["channel"]["custom"], &again["channel"]["frozen"]), (&json!({}), &json!(true)));
        assert_eq!(seen_by(server, "").await["channel"], again["channel"]);
    }

    async fn an_update_with_nothing_in_it_leaves_the_data_alone(server: TestServer) {
        general(server).await;
        let body = update(server, json!({})).await;
        assert_eq!(body["channel"]["custom"], json!({ "name": "General", "color": "blue" }));
    }

    async fn a_server_may_disable_a_channel_and_move_it_to_a_team(server: TestServer) {
        general(server).await;
        let body = update(server, json!({ "data": { "disabled": true, "team": "blue" } })).await;
        assert_eq!((&body["channel"]["disabled"], &body["channel"]["team"]), (&json!(true), &json!("blue")));
        // Servers keep their access.
        server.send("general", "jane", "m1", "hello").await;
        assert_eq!(texts(&seen_by(server, "").await["messages"], "/id"), ["m1"]);
    }

    async fn changing_members_leaves_custom_data_alone(server: TestServer) {
        general(server).await;
        for change in [
            json!({ "add_members": ["eve"] }),
            json!({ "remove_members": ["eve"] }),
            json!({ "invites": ["sam"] }),
            json!({ "add_moderators": ["joe"] }),
            json!({ "demote_moderators": ["joe"] }),
            json!({ "assign_roles": [{ "user_id": "joe", "channel_role": "channel_moderator" }] }),
            json!({ "accept_invite": true, "user_id": "sam" }),
            json!({ "add_filter_tags": ["b"] }),
            json!({ "cooldown": 5 }),
            json!({ "message": { "text": "hello", "user_id": "jane" } }),
        ] {
            let body = update(server, change.clone()).await;
            assert_eq!(body["channel"]["custom"]["color"], "blue", "{change}");
        }
    }

    async fn an_unknown_channel_cannot_be_updated(server: TestServer) {
        let reply = post(server, "/api/v2/chat/channels/messaging/nothing", &json!({ "data": {} })).await;
        reply.expect_error(404, 16, "messaging:nothing");
    }

    async fn members_are_added_and_removed(server: TestServer) {
        general(server).await;
        let eve = json!({ "user_id": "eve", "custom": { "nick": "e" } });
        let added = update(server, json!({ "add_members": [eve, "sam"] })).await;
        assert_eq!(added["channel"]["member_count"], 4);
        assert_eq!(member(&added, "eve")["custom"], json!({ "nick": "e" }));
        assert_eq!(member(&added, "sam")["channel_role"], "channel_member");
        let removed = update(server, json!({ "remove_members": ["sam", "eve", "nobody"] })).await;
        assert_eq!(sorted(&removed["members"], "/user_id"), ["jane", "joe"]);
        assert_eq!(removed["channel"]["member_count"], 2);
    }

    async fn adding_who_is_a_member_changes_nothing(server: TestServer) {
        general(server).await;
        let joe = json!({ "user_id": "joe", "channel_role": "channel_moderator" });
        let body = update(server, json!({ "add_members": [joe, "joe"] })).await;
        assert_eq!((&body["channel"]["member_count"], &member(&body, "joe")["channel_role"]),
                   (&json!(2), &json!("channel_member")));
    }

    async fn who_is_added_exists_and_is_not_removed_by_the_same_call(server: TestServer) {
        general(server).await;
        refused(server, json!({ "add_members": ["nobody"] })).await.expect_error(400, 4, "nobody");
        refused(server, json!({ "add_members": ["eve"], "remove_members": ["eve"] }))
            .await
            .expect_error(400, 4, "eve");
        assert_eq!(seen_by(server, "").await["channel"]["member_count"], 2);
    }

    async fn lists_of_an_update_have_at_most_a_hundred_entries(server: TestServer) {
        general(server).await;
        let ids: Vec<String> = (0..101).map(|number| format!("u{number}")).collect();
        server.users(&ids[..100].iter().map(String::as_str).collect::<Vec<_>>()).await;
        server.users(&[&ids[100]]).await;
        for list in ["add_members", "remove_members", "invites", "add_moderators", "demote_moderators"] {
            refused(server, json!({ list: ids })).await.expect_error(400, 4, list);
        }
    }

    async fn moderators_come_and_go(server: TestServer) {
        general(server).await;
        let body = update(server, json!({ "add_moderators": ["joe"] })).await;
        let joe = member(&body, "joe");
        assert_eq!((&joe["channel_role"], &joe["is_moderator"]), (&json!("channel_moderator"), &json!(true)));
        let body = update(server, json!({ "demote_moderators": ["joe"] })).await;
        let joe = member(&body, "joe");
        assert_eq!((&joe["channel_role"], joe.get("is_moderator")), (&json!("channel_member"), None));
    }

    async fn only_members_are_given_roles_of_channels(server: TestServer) {
        general(server).await;
        let assign = |user: &str, role: &str| {
            json!({ "assign_roles": [{ "user_id": user, "channel_role": role }] })
        };
        let body = update(server, assign("joe", "channel_moderator")).await;
        assert_eq!(member(&body, "joe")["channel_role"], "channel_moderator");
        let body = update(server, assign("joe", "host")).await;
        assert_eq!(member(&body, "joe")["channel_role"], "host");
        refused(server, assign("eve", "channel_moderator")).await.expect_error(400, 4, "eve");
        refused(server, assign("joe", "admin")).await.expect_error(400, 4, "admin");
        assert_eq!(member(&seen_by(server, "").await, "joe")["channel_role"], "host");
    }

    async fn an_invited_user_is_a_pending_member_until_accepting(server: TestServer) {
        general(server).await;
        let body = update(server, json!({ "invites": ["eve"] })).await;
        let eve = member(&body, "eve");
        assert_eq!(eve["invited"], true);
        assert_eq!((eve.get("invite_accepted_at"), eve.get("invite_rejected_at")), (None, None));
        server.send("general", "jane", "m1", "hello").await;
        let body = update(server, json!({ "accept_invite": true, "user_id": "eve" })).await;
        assert!(member(&body, "eve")["invite_accepted_at"].is_i64());
        // What was sent while the invite was pending does not count as unread.
        server.send("general", "jane", "m2", "hello").await;
        let state = seen_by(server, "eve").await;
        let read = state["read"].as_array().unwrap().iter().find(|read| read["user"]["id"] == "eve").unwrap();
        assert_eq!(read["unread_messages"], 1);
    }

    async fn an_invite_is_answered_once(server: TestServer) {
        general(server).await;
        update(server, json!({ "invites": ["eve", "sam"] })).await;
        let accept = json!({ "accept_invite": true, "user_id": "eve",
                             "message": { "text": "eve has joined", "user_id": "eve" } });
        let first = update(server, accept.clone()).await;
        assert_eq!(first["message"]["type"], "system");
        server.advance(Duration::from_secs(1));
        let second = update(server, accept).await;
        assert_eq!(member(&second, "eve")["invite_accepted_at"], member(&first, "eve")["invite_accepted_at"]);
        assert_eq!(texts(&seen_by(server, "").await["messages"], "/text"), ["eve has joined"]);
        let rejected = update(server, json!({ "reject_invite": true, "user_id": "sam" })).await;
        assert!(member(&rejected, "sam")["invite_rejected_at"].is_i64());
    }

    async fn who_was_not_invited_cannot_accept(server: TestServer) {
        general(server).await;
        for user in ["joe", "eve"] {
            let reply = refused(server, json!({ "accept_invite": true, "user_id": user })).await;
            reply.expect_error(400, 4, user);
        }
        let text = "either user or user_id must be provided when using server side auth.";
        refused(server, json!({ "accept_invite": true })).await.expect_error(400, 4, text);
    }

    async fn filter_tags_are_added_and_removed(server: TestServer) {
        general(server).await;
        let body = update(server, json!({ "add_filter_tags": ["b", "a", "c"] })).await;
        assert_eq!(body["channel"]["filter_tags"], json!(["a", "b", "c"]));
        let body = update(server, json!({ "remove_filter_tags": ["a", "x"] })).await;
        assert_eq!(body["channel"]["filter_tags"], json!(["b", "c"]));
        let many: Vec<String> = (0..9).map(|number| number.to_string()).collect();
        refused(server, json!({ "add_filter_tags": many })).await.expect_error(400, 4, "filter_tags");
        update(server, json!({ "add_filter_tags": many[..8] })).await;
    }

    async fn slow_mode_lasts_up_to_two_minutes(server: TestServer) {
        general(server).await;
        assert_eq!(update(server, json!({ "cooldown": 120 })).await["channel"]["cooldown"], 120);
        assert_eq!(update(server, json!({ "cooldown": 0 })).await["channel"].get("cooldown"), None);
        for cooldown in [-1, 121] {
            refused(server, json!({ "cooldown": cooldown })).await.expect_error(400, 4, "cooldown");
        }
    }

    async fn history_may_be_hidden_from_those_who_are_added(server: TestServer) {
        general(server).await;
        server.send("general", "jane", "m1", "before").await;
        server.advance(Duration::from_secs(10));
        server.send("general", "jane", "m2", "between").await;
        server.advance(Duration::from_secs(10));
        update(server, json!({ "add_members": ["eve"], "hide_history": true })).await;
        let before = json!({ "add_members": ["sam"], "hide_history": true,
                             "hide_history_before": "2026-01-02T03:04:10Z" });
        update(server, before).await;
        server.advance(Duration::from_secs(1));
        server.send("general", "jane", "m3", "after").await;
        let eve = seen_by(server, "eve").await;
        assert_eq!(texts(&eve["messages"], "/id"), ["m3"]);
        assert!(eve["hide_messages_before"].is_i64());
        let sam = seen_by(server, "sam").await;
        assert_eq!(texts(&sam["messages"], "/id"), ["m2", "m3"]);
        assert_eq!(sam["hide_messages_before"], 1_767_323_050_000_000_000_i64);
        let joe = seen_by(server, "joe").await;
        assert_eq!(texts(&joe["messages"], "/id"), ["m1", "m2", "m3"]);
        assert_eq!(joe.get("hide_messages_before"), None);
    }

    async fn history_is_hidden_before_a_moment_of_the_past_only(server: TestServer) {
        general(server).await;
        let future = json!({ "add_members": ["eve"], "hide_history_before": "2026-01-03T00:00:00Z" });
        refused(server, future).await.expect_error(400, 4, "hide_history_before");
    }

    async fn settings_of_one_channel_stand_above_those_of_its_type(server: TestServer) {
        general(server).await;
        let overrides = json!({
            "typing_events": false, "reactions": false, "replies": false, "quotes": false, "uploads": false,
            "url_enrichment": false, "commands": [], "max_message_length": 10, "blocklist_behavior": "block",
            "count_messages": false, "user_message_reminders": true, "shared_locations": true,
            "push_level": "mentions",
        });
        let body = update(server, json!({ "data": { "config_overrides": overrides } })).await;
        for (setting, value) in overrides.as_object().unwrap() {
            assert_eq!(body["channel"]["config"][setting], *value, "{setting}");
        }
        assert_eq!(seen_by(server, "").await["channel"]["config"], body["channel"]["config"]);
        let body = update(server, json!({ "data": { "config_overrides": {} } })).await;
        assert_eq!(body["channel"]["config"]["max_message_length"], 5000);
        assert_eq!(body["channel"]["config"]["reactions"], true);
    }

    async fn grants_of_one_channel_are_added_and_revoked(server: TestServer) {
        general(server).await;
        let grants = json!({ "channel_member": ["!create-reaction", "truncate-channel"] });
        let body = update(server, json!({ "data": { "config_overrides": { "grants": grants } } })).await;
        let granted = body["channel"]["config"]["grants"]["channel_member"].as_array().unwrap();
        assert!(!granted.contains(&json!("create-reaction")) && granted.contains(&json!("truncate-channel")));
    }

    async fn settings_that_make_no_sense_are_refused(server: TestServer) {
        general(server).await;
        for overrides in [
            json!({ "max_message_length": 20_001 }),
            json!({ "max_message_length": 0 }),
            json!({ "blocklist_behavior": "shadow_block" }),
            json!({ "commands": ["unknown"] }),
        ] {
            let reply = refused(server, json!({ "data": { "config_overrides": overrides } })).await;
            reply.expect_error(400, 4, "config_overrides");
        }
    }

    async fn a_message_that_goes_with_an_update_is_of_the_system(server: TestServer) {
        general(server).await;
        let message = json!({ "id": "m1", "text": "eve has joined", "user_id": "jane" });
        let body = update(server, json!({ "add_members": ["eve"], "message": message })).await;
        let posted = &body["message"];
        assert_eq!((&posted["type"], &posted["user"]["id"]), (&json!("system"), &json!("jane")));
        assert_eq!(texts(&seen_by(server, "").await["messages"], "/id"), ["m1"]);
        assert_eq!(body["channel"]["last_message_at"], body["message"]["created_at"]);
        let text = "either message.user or message.user_id must be provided when using server side auth.";
        refused(server, json!({ "message": { "text": "hello" } })).await.expect_error(400, 4, text);
        refused(server, json!({ "message": message })).await.expect_error(400, 4, "already exists");
    }

    async fn a_message_that_goes_with_an_update_says_no_more_than_one_that_is_sent(server: TestServer) {
        general(server).await;
        update(server, json!({ "data": { "team": null } })).await;
        update(server, json!({ "add_moderators": ["sam"] })).await;
        let leave = async |message: Value| {
            let body = json!({ "remove_members": ["joe"], "message": message });
            server.raw("POST", GENERAL).as_user("joe").json(&body).send().await
        };
        let html = json!({ "text": "bye", "html": "<img src=x onerror=alert(1)>" });
        leave(html.clone()).await.expect_error(400, 4, "message.html");
        leave(json!({ "text": "bye", "mml": "<mml/>" })).await.expect_error(400, 4, "message.mml");
        let truncate = json!({ "message": html });
        let reply = server.raw("POST", &format!("{GENERAL}/truncate")).as_user("jane").json(&truncate);
        reply.send().await.expect_error(400, 4, "message.html");
        leave(json!({ "text": "x".repeat(5001) })).await.expect_error(400, 20, "message.text");

        let revoked = json!(["!add-links", "!create-mention", "!create-attachment", "!create-message"]);
        let restrict = async |grants: Value| {
            let overrides = json!({ "config_overrides": { "grants": { "channel_member": grants } } });
            update(server, json!({ "data": overrides })).await;
        };
        restrict(json!([revoked[0], revoked[1], revoked[2]])).await;
        leave(json!({ "text": "see https://evil.example" })).await.expect_error(403, 17, "AddLinks");
        leave(json!({ "text": "bye", "mentioned_users": ["jane"] })).await.expect_error(403, 17, "CreateMention");
        let attached = json!({ "text": "bye", "attachments": [{ "type": "image" }] });
        leave(attached).await.expect_error(403, 17, "CreateAttachment");
        restrict(json!([revoked[3]])).await;
        leave(json!({ "text": "bye" })).await.expect_error(403, 17, "CreateMessage");
        restrict(json!([])).await;
        assert_eq!(texts(&seen_by(server, "jane").await["messages"], "/id"), [""; 0]);

        update(server, json!({ "data": { "frozen": true } })).await;
        leave(json!({ "text": "bye" })).await.expect_error(403, 17, "UseFrozenChannel");
        let thaw = json!({ "data": { "frozen": false }, "message": { "id": "m1", "text": "go on" } });
        let reply = server.raw("POST", GENERAL).as_user("sam").json(&thaw).send().await;
        assert_eq!((reply.status, &reply.body["message"]["type"]), (201, &json!("system")), "{}", reply.text);
        let reply = leave(json!({ "id": "m2", "text": "**bye**" })).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!(reply.body["message"]["html"], "<p><strong>bye</strong></p>\n");
        assert_eq!(texts(&seen_by(server, "jane").await["messages"], "/id"), ["m1", "m2"]);
    }

    async fn data_of_an_update_is_checked(server: TestServer) {
        general(server).await;
        let big = json!({ "data": { "custom": { "x": "y".repeat(5 * 1024) } } });
        refused(server, big).await.expect_error(413, 22, "custom");
        let reserved = json!({ "data": { "custom": { "cooldown": 1 } } });
        refused(server, reserved).await.expect_error(400, 4, "data.cooldown is a reserved field");
        assert_eq!(seen_by(server, "").await["channel"]["custom"]["color"], "blue");
    }

    async fn a_pending_or_rejected_invite_has_nothing_unread(server: TestServer) {
        general(server).await;
        update(server, json!({ "invites": ["eve"] })).await;
        server.send("general", "jane", "m1", "hello").await;
        assert_eq!(total_unread(server, "eve").await, 0);
        update(server, json!({ "reject_invite": true, "user_id": "eve" })).await;
        server.send("general", "jane", "m2", "hello").await;
        assert_eq!(total_unread(server, "eve").await, 0);
        // Who rejected an invite may think better of it, but not the other way round.
        let accepted = update(server, json!({ "accept_invite": true, "user_id": "eve" })).await;
        assert!(member(&accepted, "eve")["invite_accepted_at"].is_i64());
        assert_eq!(member(&accepted, "eve").get("invite_rejected_at"), None);
        server.send("general", "jane", "m3", "hello").await;
        assert_eq!(total_unread(server, "eve").await, 1);
        let again = update(server, json!({ "reject_invite": true, "user_id": "eve" })).await;
        assert_eq!(member(&again, "eve").get("invite_rejected_at"), None);
        server.check().await;
    }

    async fn who_is_removed_has_nothing_unread_and_starts_anew(server: TestServer) {
        general(server).await;
        server.send("general", "jane", "m1", "hello").await;
        assert_eq!(total_unread(server, "joe").await, 1);
        update(server, json!({ "remove_members": ["joe"] })).await;
        assert_eq!(total_unread(server, "joe").await, 0);
        update(server, json!({ "add_members": ["joe"] })).await;
        assert_eq!(total_unread(server, "joe").await, 0);
        server.send("general", "jane", "m2", "hello").await;
        assert_eq!(total_unread(server, "joe").await, 1);
        server.check().await;
    }

    async fn a_deleted_channel_has_nothing_unread(server: TestServer) {
        general(server).await;
        server.send("general", "jane", "m1", "hello").await;
        server.raw("DELETE", GENERAL).send().await;
        assert_eq!(total_unread(server, "joe").await, 0);
        server.check().await;
    }

    async fn a_new_moderator_becomes_a_member_under_the_same_rules(server: TestServer) {
        general(server).await;
        server.send("general", "jane", "m1", "before").await;
        server.advance(Duration::from_secs(1));
        let body = update(server, json!({ "add_moderators": ["eve"], "hide_history": true })).await;
        assert_eq!(member(&body, "eve")["channel_role"], "channel_moderator");
        assert_eq!(body["channel"]["member_count"], 3);
        server.send("general", "jane", "m2", "after").await;
        assert_eq!(texts(&seen_by(server, "eve").await["messages"], "/id"), ["m2"]);
        assert_eq!(total_unread(server, "eve").await, 1);
        server.check().await;
    }

    async fn servers_are_not_held_to_slow_mode_and_frozen_channels(server: TestServer) {
        general(server).await;
        update(server, json!({ "cooldown": 60, "data": { "frozen": true } })).await;
        server.send("general", "jane", "m1", "one").await;
        server.send("general", "jane", "m2", "two").await;
        assert_eq!(texts(&seen_by(server, "").await["messages"], "/id"), ["m1", "m2"]);
    }

    async fn another_node_goes_by_what_a_sender_is_now(server: TestServer) {
        general(server).await;
        server.beside(async |other| {
            let joe_sends = async || {
                let message = json!({ "message": { "text": "a" } });
                other.raw("POST", &format!("{GENERAL}/message")).as_user("joe").json(&message).send().await
            };
            let joe_reacts = async |id: &str| {
                let path = format!("/api/v2/chat/messages/{id}/reaction");
                let reaction = json!({ "reaction": { "type": "like" } });
                other.raw("POST", &path).as_user("joe").json(&reaction).send().await
            };
            let first = joe_sends().await;
            assert_eq!(first.status, 201, "{}", first.text);
            let id = first.body["message"]["id"].as_str().unwrap();
            // Who comes and goes is none of joe's business.
            update(server, json!({ "add_members": ["eve"] })).await;
            assert_eq!(joe_sends().await.status, 201);
            update(server, json!({ "remove_members": ["eve"] })).await;
            assert_eq!(joe_reacts(id).await.status, 201);
            update(server, json!({ "assign_roles": [{ "user_id": "joe", "channel_role": "channel_moderator" }] })).await;
            let sent = joe_sends().await;
            assert_eq!(sent.body["message"]["member"]["channel_role"], "channel_moderator", "{}", sent.text);
            update(server, json!({ "remove_members": ["joe"], "add_members": ["sam"] })).await;
            joe_sends().await.expect_error(403, 17, "CreateMessage");
            update(server, json!({ "add_members": ["joe"] })).await;
            // Somebody else's send lets the other server see that there is news of the channel.
            other.send("general", "jane", "m1", "a").await;
            assert_eq!(joe_sends().await.status, 201);
            update(server, json!({ "data": { "name": "General", "frozen": true } })).await;
            joe_sends().await.expect_error(403, 17, "UseFrozenChannel");
        })
        .await;
    }
}
