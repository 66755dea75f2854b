//! Every event that an operation causes, to its receivers and to nobody else.

use natterjack_api_tests::{Socket, TestServer, both_databases};
use serde_json::{Value, json};

/// What sockets of four users were told: one who watches, a member who does not, the one who acts, and a stranger.
struct Told {
    watcher: Vec<String>,
    member: Vec<String>,
    actor: Vec<String>,
    stranger: Vec<String>,
}

struct Audience {
    watcher: Socket,
    member: Socket,
    actor: Socket,
    stranger: Socket,
}

impl Audience {
    /// Jane watches, joe is a member, mary acts, eve is nobody here.
    async fn open(server: &TestServer) -> Self {
        server.users(&["jane", "joe", "mary", "eve"]).await;
        server.channel("general", &["jane", "joe", "mary"]).await;
        let mut all = Self {
            watcher: server.watch("jane", "general").await,
            member: server.socket("joe").open().await,
            actor: server.socket("mary").open().await,
            stranger: server.socket("eve").open().await,
        };
        // That the others came online.
        all.told(server).await;
        all
    }

    async fn told(&mut self, server: &TestServer) -> Told {
        Told {
            watcher: self.watcher.drain_types(server).await,
            member: self.member.drain_types(server).await,
            actor: self.actor.drain_types(server).await,
            stranger: self.stranger.drain_types(server).await,
        }
    }
}

impl Told {
    fn expect(&self, watcher: &[&str], member: &[&str], actor: &[&str]) {
        assert_eq!(self.watcher, watcher, "the one who watches");
        assert_eq!(self.member, member, "the member who does not watch");
        assert_eq!(self.actor, actor, "the one who acts");
        assert!(self.stranger.is_empty(), "{:?}", self.stranger);
    }
}

/// Calls an operation as a server and requires that it succeeds.
async fn call(server: &TestServer, method: &str, path: &str, body: Value) -> Value {
    let request = server.raw(method, path);
    let reply = if body.is_null() { request.send().await } else { request.json(&body).send().await };
    assert!(reply.status < 300, "{method} {path}: {}", reply.text);
    reply.body
}

const CHANNEL: &str = "/api/v2/chat/channels/messaging/general";

both_databases! {
    async fn messages_and_reactions(server: TestServer) {
        let mut all = Audience::open(server).await;
        server.send("general", "mary", "m1", "hello").await;
        all.told(server).await.expect(&["message.new"], &["notification.message_new"], &["message.new"]);

        let message = "/api/v2/chat/messages/m1";
        call(server, "POST", message, json!({ "message": { "text": "hallo", "user_id": "mary" } })).await;
        let updated = all.watcher.drain(server).await;
        assert_eq!(updated[0]["type"], "message.updated");
        assert_eq!(updated[0]["message"]["text"], "hallo");
        assert_eq!(updated[0]["message_update"].get("old_text"), None);
        assert_eq!(updated[0]["message_update"]["change_set"]["text"], true);
        all.told(server).await.expect(&[], &[], &[]);

        let reaction = json!({ "reaction": { "type": "like", "user_id": "joe", "custom": { "size": 3 } } });
        call(server, "POST", &format!("{message}/reaction"), reaction).await;
        let reacted = all.watcher.drain(server).await;
        assert_eq!(reacted.len(), 1, "{reacted:?}");
        assert_eq!(reacted[0]["type"], "reaction.new");
        assert_eq!(reacted[0]["reaction"]["type"], "like");
        assert_eq!(reacted[0]["reaction"]["size"], 3, "custom data is flat");
        assert_eq!(reacted[0]["user"]["id"], "joe");
        assert_eq!(reacted[0]["message"]["reaction_counts"]["like"], 1);
        call(server, "DELETE", &format!("{message}/reaction/like?user_id=joe"), Value::Null).await;
        all.told(server).await.expect(&["reaction.deleted"], &[], &[]);

        call(server, "DELETE", message, Value::Null).await;
        let deleted = all.watcher.drain(server).await;
        assert_eq!(deleted[0]["type"], "message.deleted");
        assert_eq!(deleted[0]["message"]["type"], "deleted");
        assert_eq!(deleted[0]["message"]["text"], "");
        assert_eq!(deleted[0]["hard_delete"], false);
        call(server, "POST", &format!("{message}/undelete"), json!({ "undeleted_by": "mary" })).await;
        all.told(server).await.expect(&["message.undeleted"], &[], &[]);

        server.send("general", "mary", "m2", "gone soon").await;
        all.told(server).await;
        call(server, "DELETE", "/api/v2/chat/messages/m2?hard=true", Value::Null).await;
        let gone = all.watcher.drain(server).await;
        assert_eq!(gone[0]["type"], "message.deleted");
        assert_eq!(gone[0]["hard_delete"], true);
        assert_eq!(gone[0]["message"]["id"], "m2");
        assert_eq!(gone[0]["message"]["user"]["id"], "mary");
        assert!(!gone[0].to_string().contains("gone soon"));
    }

    async fn threads(server: TestServer) {
        let mut all = Audience::open(server).await;
        server.send("general", "joe", "m1", "who comes?").await;
        all.told(server).await;
        let reply = json!({ "message": { "id": "r1", "text": "me", "user_id": "mary", "parent_id": "m1" } });
        call(server, "POST", &format!("{CHANNEL}/message"), reply).await;
        // Joe wrote the message that was answered, so he takes part in the thread.
        let watcher = all.watcher.drain(server).await;
        assert_eq!(watcher[0]["type"], "message.new");
        assert_eq!(watcher[0]["message"]["parent_id"], "m1");
        assert_eq!(watcher[0]["parent_author"], "joe");
        assert_eq!(watcher[1]["type"], "message.updated");
        assert_eq!(watcher[1]["message"]["reply_count"], 1);
        let member = all.member.drain(server).await;
        assert_eq!(member.len(), 1, "{member:?}");
        assert_eq!(member[0]["type"], "notification.thread_message_new");
        assert_eq!(member[0]["thread_id"], "m1");
        assert_eq!(member[0]["unread_threads"], 1);
        assert_eq!(member[0]["unread_thread_messages"], 1);
        all.told(server).await.expect(&[], &[], &["message.new"]);

        call(server, "PATCH", "/api/v2/chat/threads/m1", json!({ "set": { "title": "lunch" }, "user_id": "mary" })).await;
        let updated = all.watcher.drain(server).await;
        assert_eq!(updated[0]["type"], "thread.updated");
        assert_eq!(updated[0]["thread"]["title"], "lunch");
    }

    async fn reading(server: TestServer) {
        let mut all = Audience::open(server).await;
        server.send("general", "mary", "m1", "hello").await;
        all.told(server).await;
        call(server, "POST", &format!("{CHANNEL}/read"), json!({ "user_id": "joe" })).await;
        let watcher = all.watcher.drain(server).await;
        assert_eq!(watcher.len(), 1, "{watcher:?}");
        assert_eq!(watcher[0]["type"], "message.read");
        assert_eq!(watcher[0]["user"]["id"], "joe");
        assert_eq!(watcher[0]["last_read_message_id"], "m1");
        let member = all.member.drain(server).await;
        assert_eq!(member.len(), 1, "{member:?}");
        assert_eq!(member[0]["type"], "notification.mark_read");
        assert_eq!(member[0]["total_unread_count"], 0);
        assert_eq!(member[0]["unread_channels"], 0);
        assert_eq!(member[0]["channel"]["id"], "general");

        let unread = json!({ "user_id": "joe", "message_id": "m1" });
        call(server, "POST", &format!("{CHANNEL}/unread"), unread).await;
        let member = all.member.drain(server).await;
        assert_eq!(member[0]["type"], "notification.mark_unread");
        assert_eq!(member[0]["first_unread_message_id"], "m1");
        assert_eq!(member[0]["unread_messages"], 1);
        assert_eq!(member[0]["total_unread_count"], 1);
        all.told(server).await.expect(&[], &[], &[]);

        call(server, "POST", "/api/v2/chat/channels/read", json!({ "user_id": "joe" })).await;
        let told = all.told(server).await;
        told.expect(&["message.read"], &["notification.mark_read"], &[]);

        server.send("general", "mary", "m2", "again").await;
        all.told(server).await;
        let delivered = json!({ "latest_delivered_messages": [{ "cid": "messaging:general", "id": "m2" }] });
        call(server, "POST", "/api/v2/chat/channels/delivered?user_id=joe", delivered).await;
        let watcher = all.watcher.drain(server).await;
        assert_eq!(watcher[0]["type"], "message.delivered");
        assert_eq!(watcher[0]["last_delivered_message_id"], "m2");
        assert!(watcher[0].get("message").is_none());
    }

    async fn channels_and_members(server: TestServer) {
        let mut all = Audience::open(server).await;
        call(server, "PATCH", CHANNEL, json!({ "set": { "color": "red" }, "user_id": "mary" })).await;
        let updated = all.watcher.drain(server).await;
        assert_eq!(updated[0]["type"], "channel.updated");
        assert_eq!(updated[0]["channel"]["color"], "red");
        assert_eq!(updated[0]["channel_custom"]["color"], "red");
        all.told(server).await.expect(&[], &[], &[]);

        call(server, "POST", CHANNEL, json!({ "add_members": [{ "user_id": "eve" }] })).await;
        let added = all.watcher.drain(server).await;
        assert_eq!(added[0]["type"], "member.added");
        assert_eq!(added[0]["member"]["user_id"], "eve");
        assert_eq!(added[0]["channel_member_count"], 4);
        assert_eq!(added[1]["type"], "channel.updated");
        let eve = all.stranger.drain(server).await;
        assert_eq!(eve.len(), 1, "{eve:?}");
        assert_eq!(eve[0]["type"], "notification.added_to_channel");
        assert_eq!(eve[0]["channel"]["id"], "general");
        assert_eq!(eve[0]["member"]["user_id"], "eve");

        server.send("general", "mary", "m1", "hello").await;
        assert_eq!(all.stranger.drain_types(server).await, ["notification.message_new"]);
        let set = json!({ "set": { "color": "red" } });
        call(server, "PATCH", &format!("{CHANNEL}/member?user_id=eve"), set).await;
        all.told(server).await;
        call(server, "POST", CHANNEL, json!({ "remove_members": ["eve"] })).await;
        let watcher = all.watcher.drain(server).await;
        let removed = all.stranger.drain(server).await;
        assert_eq!(watcher[0]["type"], "member.removed");
        assert_eq!(removed.len(), 1, "{removed:?}");
        assert_eq!(removed[0]["type"], "notification.removed_from_channel");
        for member in [&watcher[0]["member"], &removed[0]["member"]] {
            assert_eq!((&member["user_id"], &member["color"]), (&json!("eve"), &json!("red")));
            assert_eq!(member["created_at"], added[0]["member"]["created_at"], "as it was");
        }
        server.send("general", "mary", "m2", "without eve").await;
        assert!(all.stranger.drain(server).await.is_empty());
        all.told(server).await;

        let message = json!({ "text": "a new rule", "user_id": "mary" });
        call(server, "POST", CHANNEL, json!({ "data": {}, "message": message, "user_id": "mary" })).await;
        let watcher = all.watcher.drain(server).await;
        assert_eq!(watcher[0]["type"], "channel.updated");
        assert_eq!(watcher[0]["message"]["text"], "a new rule");
        assert_eq!(watcher[1]["type"], "message.new");
        all.told(server).await;

        call(server, "POST", &format!("{CHANNEL}/hide"), json!({ "user_id": "joe", "clear_history": true })).await;
        let hidden = all.member.drain(server).await;
        assert_eq!((&hidden[0]["type"], &hidden[0]["clear_history"]), (&json!("channel.hidden"), &json!(true)));
        call(server, "POST", &format!("{CHANNEL}/show"), json!({ "user_id": "joe" })).await;
        all.told(server).await.expect(&[], &["channel.visible"], &[]);

        call(server, "POST", &format!("{CHANNEL}/truncate"), json!({})).await;
        let told = all.told(server).await;
        let truncated = "notification.channel_truncated";
        told.expect(&["channel.truncated"], &[truncated], &[truncated]);
    }

    async fn who_has_just_come_is_told_the_totals(server: TestServer) {
        let mut all = Audience::open(server).await;
        let message = json!({ "text": "eve is here", "user_id": "mary" });
        let add = json!({ "add_members": ["eve"], "message": message, "user_id": "mary" });
        let reply = server.raw("POST", "/channels/messaging/general").json(&add).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let told = all.stranger.drain(server).await;
        assert_eq!(told.len(), 2, "{told:?}");
        let notified = told.iter().find(|event| event["type"] == "notification.message_new").unwrap();
        assert_eq!((&notified["total_unread_count"], &notified["unread_channels"]), (&json!(1), &json!(1)));
    }

    async fn events_name_the_message_that_they_are_about(server: TestServer) {
        let mut all = Audience::open(server).await;
        server.send("general", "mary", "m1", "hello").await;
        call(server, "POST", "/api/v2/chat/messages/m1", json!({ "message": { "text": "hallo", "user_id": "mary" } })).await;
        let reaction = json!({ "reaction": { "type": "like", "user_id": "joe" } });
        call(server, "POST", "/api/v2/chat/messages/m1/reaction", reaction).await;
        call(server, "DELETE", "/api/v2/chat/messages/m1?delete_for_me=true&deleted_by=jane", Value::Null).await;
        let mut told = all.watcher.drain(server).await;
        call(server, "DELETE", "/api/v2/chat/messages/m1?hard=true", Value::Null).await;
        told.extend(all.watcher.drain(server).await);
        assert_eq!(told.len(), 5, "{told:?}");
        for event in &told {
            assert_eq!(event["message_id"], "m1", "{event}");
        }
        let for_me = told.iter().find(|event| event["deleted_for_me"] == true).unwrap();
        assert_eq!(for_me["hard_delete"], false);
        let notified = all.member.drain(server).await;
        assert_eq!((&notified[0]["type"], &notified[0]["message_id"]), (&json!("notification.message_new"), &json!("m1")));
    }

    async fn invites(server: TestServer) {
        let mut all = Audience::open(server).await;
        call(server, "POST", CHANNEL, json!({ "invites": [{ "user_id": "eve" }] })).await;
        let added = all.watcher.drain(server).await;
        assert_eq!((&added[0]["type"], &added[1]["type"]), (&json!("member.added"), &json!("channel.updated")));
        assert_eq!((&added[0]["member"]["user_id"], &added[0]["member"]["invited"]), (&json!("eve"), &json!(true)));
        let invited = all.stranger.drain(server).await;
        assert_eq!(invited.len(), 1, "{invited:?}");
        assert_eq!(invited[0]["type"], "notification.invited");
        assert_eq!(invited[0]["channel"]["id"], "general");
        assert_eq!((&invited[0]["member"]["user_id"], &invited[0]["user"]["id"]), (&json!("eve"), &json!("eve")));
        all.told(server).await.expect(&[], &[], &[]);

        // Who has not answered is told of no messages, and does not watch either.
        let mut watching = server.watch("eve", "general").await;
        server.send("general", "mary", "m1", "hello").await;
        assert!(all.stranger.drain(server).await.is_empty());
        // What ends the list of the one socket comes to the other, too.
        watching.expect("end_of_drain").await;
        assert!(!watching.texts().iter().any(|text| text.contains("message.new")), "{:?}", watching.texts());
        watching.close().await;
        all.told(server).await;

        call(server, "POST", CHANNEL, json!({ "accept_invite": true, "user_id": "eve" })).await;
        let accepted = all.watcher.drain(server).await;
        assert_eq!(accepted[0]["type"], "member.updated");
        assert!(accepted[0]["member"]["invite_accepted_at"].is_string(), "{}", accepted[0]);
        assert_eq!(all.stranger.drain_types(server).await, ["notification.invite_accepted"]);
        all.told(server).await.expect(&[], &[], &[]);
        // Repeating it is no news to the one who was invited.
        call(server, "POST", CHANNEL, json!({ "accept_invite": true, "user_id": "eve" })).await;
        assert!(all.stranger.drain(server).await.is_empty());
        all.told(server).await;
        server.send("general", "mary", "m2", "welcome").await;
        assert_eq!(all.stranger.drain_types(server).await, ["notification.message_new"]);
        let mut watching = server.watch("eve", "general").await;
        server.send("general", "mary", "m3", "do you see me?").await;
        watching.expect("message.new").await;
    }

    async fn invites_that_are_rejected(server: TestServer) {
        let mut all = Audience::open(server).await;
        call(server, "POST", CHANNEL, json!({ "invites": [{ "user_id": "eve" }] })).await;
        all.stranger.expect("notification.invited").await;
        all.told(server).await;
        call(server, "POST", CHANNEL, json!({ "reject_invite": true, "user_id": "eve" })).await;
        let rejected = all.watcher.drain(server).await;
        assert_eq!(rejected[0]["type"], "member.updated");
        assert!(rejected[0]["member"]["invite_rejected_at"].is_string(), "{}", rejected[0]);
        let told = all.stranger.drain(server).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["type"], "notification.invite_rejected");
        assert!(told[0]["member"]["invite_rejected_at"].is_string(), "{}", told[0]);
        all.told(server).await.expect(&[], &[], &[]);
        server.send("general", "mary", "m1", "hello").await;
        assert!(all.stranger.drain(server).await.is_empty());
    }

    async fn a_deleted_channel_is_watched_no_more(server: TestServer) {
        let mut all = Audience::open(server).await;
        call(server, "DELETE", CHANNEL, Value::Null).await;
        let deleted = "notification.channel_deleted";
        all.told(server).await.expect(&["channel.deleted"], &[deleted], &[deleted]);
        // Created again it is a channel that nobody watches.
        server.channel("general", &["jane", "mary"]).await;
        server.send("general", "mary", "m1", "hello").await;
        let told = all.watcher.drain_types(server).await;
        assert!(told.contains(&"notification.message_new".to_owned()), "{told:?}");
        assert!(!told.contains(&"message.new".to_owned()), "{told:?}");
    }

    async fn users(server: TestServer) {
        let mut all = Audience::open(server).await;
        // Jane asked for the presence of the members.
        call(server, "PATCH", "/api/v2/users", json!({ "users": [{ "id": "joe", "set": { "color": "red" } }] })).await;
        let told = all.told(server).await;
        told.expect(&["user.updated"], &["user.updated"], &[]);

        let cids = json!({ "user_id": "joe", "channel_cids": ["messaging:general"] });
        call(server, "POST", "/api/v2/chat/moderation/mute/channel", cids).await;
        let muted = all.member.drain(server).await;
        assert_eq!(muted.len(), 1, "{muted:?}");
        assert_eq!(muted[0]["type"], "notification.channel_mutes_updated");
        assert_eq!(muted[0]["me"]["channel_mutes"][0]["channel"]["id"], "general");
        // The message arrives all the same, and counts for nothing.
        server.send("general", "mary", "m1", "hello").await;
        let told = all.member.drain(server).await;
        assert_eq!(told[0]["type"], "notification.message_new");
        assert_eq!(told[0]["total_unread_count"], 0);
    }

    async fn restricted_messages_reach_their_readers_only(server: TestServer) {
        let mut all = Audience::open(server).await;
        let message = json!({
            "id": "m1", "text": "for joe", "user_id": "mary", "restricted_visibility": ["joe"],
        });
        call(server, "POST", &format!("{CHANNEL}/message"), json!({ "message": message })).await;
        let reaction = json!({ "reaction": { "type": "like", "user_id": "joe" } });
        call(server, "POST", "/api/v2/chat/messages/m1/reaction", reaction).await;
        let quoting = json!({ "text": "see above", "user_id": "mary", "quoted_message_id": "m1" });
        call(server, "POST", &format!("{CHANNEL}/message"), json!({ "message": quoting })).await;
        // Before it is deleted, since nobody is told of a message that is gone by then.
        let watcher = all.watcher.drain(server).await;
        assert_eq!(watcher.len(), 1, "{watcher:?}");
        assert_eq!(watcher[0]["message"]["text"], "see above");
        assert!(!watcher[0].to_string().contains("for joe"));
        let told = all.told(server).await;
        assert_eq!(told.member, ["notification.message_new", "notification.message_new"]);
        call(server, "DELETE", "/api/v2/chat/messages/m1?hard=true", Value::Null).await;
        let told = all.told(server).await;
        assert_eq!((told.watcher.len(), told.member.len()), (0, 0));
    }

    async fn shadowed_messages_are_told_as_such_to_all_but_their_author(server: TestServer) {
        let mut all = Audience::open(server).await;
        let ban = json!({ "target_user_id": "mary", "banned_by_id": "jane", "shadow": true });
        call(server, "POST", "/api/v2/moderation/ban", ban).await;
        all.told(server).await.expect(&[], &[], &[]);
        let message = json!({ "message": { "id": "m1", "text": "spam", "user_id": "mary" } });
        let sent = call(server, "POST", &format!("{CHANNEL}/message"), message).await;
        assert_eq!(sent["message"]["shadowed"], true, "the answer is the server's");
        let watcher = all.watcher.drain(server).await;
        assert_eq!((watcher.len(), &watcher[0]["type"]), (1, &json!("message.new")));
        assert_eq!(watcher[0]["message"]["shadowed"], true);
        assert_eq!(watcher[0]["total_unread_count"], 0);
        let author = all.actor.drain(server).await;
        assert_eq!((author.len(), &author[0]["type"]), (1, &json!("message.new")));
        assert_eq!(author[0]["message"]["shadowed"], false);
        assert!(!author[0].to_string().contains("\"shadow_banned\":true"), "{}", author[0]);
        all.told(server).await.expect(&[], &[], &[]);
        let reply = json!({ "message": { "id": "r1", "text": "more", "user_id": "mary", "parent_id": "m1" } });
        call(server, "POST", &format!("{CHANNEL}/message"), reply).await;
        all.told(server).await.expect(&["message.new", "message.updated"], &[], &["message.new"]);
    }

    async fn who_blocked_the_other_is_told_nothing(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("pair", &["jane", "joe"]).await;
        let mut jane = server.watch("jane", "pair").await;
        call(server, "POST", "/api/v2/users/block", json!({ "user_id": "jane", "blocked_user_id": "joe" })).await;
        assert_eq!(jane.drain_types(server).await, ["channel.hidden"]);
        server.send("pair", "joe", "m1", "hello?").await;
        assert!(jane.drain(server).await.is_empty());
        call(server, "POST", "/api/v2/users/unblock", json!({ "user_id": "jane", "blocked_user_id": "joe" })).await;
        server.send("pair", "joe", "m2", "hello again").await;
        // One is of the user's log, the other of the channel's: only each log keeps its order.
        let mut told = jane.drain_types(server).await;
        told.sort_unstable();
        assert_eq!(told, ["channel.visible", "message.new"]);
    }

    async fn history_that_is_hidden_stays_hidden(server: TestServer) {
        let mut all = Audience::open(server).await;
        server.send("general", "mary", "m1", "before").await;
        all.told(server).await;
        let clear = json!({ "user_id": "jane", "clear_history": true });
        call(server, "POST", &format!("{CHANNEL}/hide"), clear).await;
        let update = json!({ "message": { "text": "changed", "user_id": "mary" } });
        call(server, "POST", "/api/v2/chat/messages/m1", update).await;
        assert_eq!(all.watcher.drain_types(server).await, ["channel.hidden"]);
    }

    async fn nobody_is_told_who_reported_what(server: TestServer) {
        let mut all = Audience::open(server).await;
        server.send("general", "mary", "m1", "hello").await;
        all.told(server).await;
        for (kind, id) in [("stream:chat:v1:message", "m1"), ("stream:user", "mary")] {
            let flag = json!({ "entity_type": kind, "entity_id": id, "reason": "horrible", "user_id": "joe" });
            call(server, "POST", "/api/v2/moderation/flag", flag).await;
        }
        all.told(server).await.expect(&[], &[], &[]);
    }

    async fn a_quote_is_told_without_what_the_receiver_does_not_see(server: TestServer) {
        let mut all = Audience::open(server).await;
        server.send("general", "mary", "m1", "old secret").await;
        server.users(&["sam"]).await;
        call(server, "POST", CHANNEL, json!({ "add_members": ["sam"], "hide_history": true })).await;
        let mut sam = server.watch("sam", "general").await;
        all.told(server).await;
        sam.drain(server).await;
        let quoting = json!({ "id": "m2", "text": "look", "user_id": "mary", "quoted_message_id": "m1" });
        call(server, "POST", &format!("{CHANNEL}/message"), json!({ "message": quoting })).await;
        let reaction = json!({ "reaction": { "type": "like", "user_id": "joe" } });
        call(server, "POST", "/api/v2/chat/messages/m2/reaction", reaction).await;
        let watcher = all.watcher.drain(server).await;
        let told = sam.drain(server).await;
        for events in [&watcher, &told] {
            let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
            assert_eq!(types, ["message.new", "reaction.new"]);
        }
        for (for_watcher, for_sam) in watcher.iter().zip(&told) {
            assert_eq!(for_watcher["message"]["quoted_message"]["text"], "old secret");
            assert_eq!(for_sam["message"]["quoted_message_id"], "m1");
            assert!(!for_sam.to_string().contains("old secret"), "{for_sam}");
        }
    }

    async fn watchers_are_told_once_that_the_messages_of_a_user_are_gone(server: TestServer) {
        let mut all = Audience::open(server).await;
        server.channel("other", &["jane", "mary"]).await;
        // More than go in one transaction, the first of them already deleted.
        for number in 0..45 {
            server.send("general", "mary", &format!("m{number}"), "spam").await;
        }
        server.send("other", "mary", "elsewhere", "spam").await;
        call(server, "DELETE", "/api/v2/chat/messages/m44", Value::Null).await;
        all.told(server).await;
        let ban = json!({
            "target_user_id": "mary", "banned_by_id": "jane", "channel_cid": "messaging:general", "delete_messages": "soft",
        });
        call(server, "POST", "/api/v2/moderation/ban", ban).await;
        let told = all.watcher.drain(server).await;
        let kinds: Vec<&str> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == "message.deleted").count(), 44, "{kinds:?}");
        assert_eq!(kinds.iter().filter(|kind| **kind == "user.messages.deleted").count(), 1);
        let gone = told.last().unwrap();
        assert_eq!((&gone["type"], &gone["cid"]), (&json!("user.messages.deleted"), &json!("messaging:general")));
        assert_eq!((&gone["channel_id"], &gone["channel_type"]), (&json!("general"), &json!("messaging")));
        assert_eq!((&gone["user"]["id"], &gone["channel_member_count"]), (&json!("mary"), &json!(3)));
        assert_eq!((&gone["hard_delete"], &gone["soft_delete"]), (&json!(false), &json!(true)));
        all.told(server).await.expect(&[], &[], &["user.banned"]);
        // Where nothing was left to delete, nothing is told.
        let ban = json!({
            "target_user_id": "mary", "banned_by_id": "jane", "channel_cid": "messaging:general", "delete_messages": "soft",
        });
        call(server, "POST", "/api/v2/moderation/ban", ban).await;
        all.told(server).await.expect(&["user.banned"], &[], &["user.banned"]);
        let deletion = json!({ "user_ids": ["mary"], "user": "soft", "messages": "hard" });
        call(server, "POST", "/api/v2/users/delete", deletion).await;
        let gone = all.watcher.expect("user.messages.deleted").await;
        assert_eq!((&gone["hard_delete"], &gone["cid"]), (&json!(true), &json!("messaging:general")));
        server.check().await;
    }
}
