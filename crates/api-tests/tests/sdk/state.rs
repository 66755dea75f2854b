//! After each action the state that follows events is what a new read gives.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use natterjack_api_tests::{TestServer, both_databases};
use natterjack_client::Client;
use natterjack_client::protocol::channel_state::ChannelStateResponse;
use natterjack_client::protocol::channels::GetOrCreateChannelRequest;
use natterjack_client::socket::{ConnectOptions, Socket, Update, Updates};
use natterjack_client::state::ChannelState;
use natterjack_client::token::user_token;
use serde_json::{Value, json};

/// How long an event may take.
const EVENT_TIME_MAX: Duration = Duration::from_secs(10);

/// A client that acts as this user.
fn client_of(server: &TestServer, user_id: &str) -> Client {
    let token = user_token(TestServer::API_SECRET, user_id, &Default::default()).unwrap();
    Client::builder(TestServer::API_KEY, "").base_url(server.base_url()).token(token).build().unwrap()
}

/// A user who watches a channel and follows its events.
struct Follower<'s> {
    server: &'s TestServer,
    client: Client,
    updates: Updates,
    state: ChannelState,
    differences: Vec<String>,
    _socket: Socket,
}

impl<'s> Follower<'s> {
    async fn new(server: &'s TestServer, user_id: &str) -> Self {
        let client = client_of(server, user_id);
        let (socket, updates) = client.connect(ConnectOptions::new(user_id)).await.unwrap();
        let request = GetOrCreateChannelRequest { presence: Some(true), ..Default::default() };
        let state = socket.watch("messaging", "general", request).await.unwrap().into_inner();
        let state = ChannelState::new(state, user_id);
        Self { server, client, updates, state, differences: Vec::new(), _socket: socket }
    }

    /// Makes a call of the server and applies events until these have come.
    async fn act(&mut self, method: &str, path: &str, body: Value, expected: &[&str]) {
        // Different moments, so that an order by time is one.
        self.server.advance(Duration::from_secs(1));
        let path = path.replace('~', "/api/v2/chat/channels/messaging/general");
        let path = path.replace("messages/", "/api/v2/chat/messages/");
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let mut request = self.server.raw(method, path);
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            request = request.query(name, value);
        }
        if method != "DELETE" {
            request = request.json(&body);
        }
        let reply = request.send().await;
        assert!(reply.status < 300, "{method} {path}: {}", reply.text);
        let mut missing: HashMap<&str, usize> = HashMap::new();
        expected.iter().for_each(|kind| *missing.entry(kind).or_default() += 1);
        while !missing.is_empty() {
            let update = tokio::time::timeout(EVENT_TIME_MAX, self.updates.next()).await;
            let update = update.unwrap_or_else(|_| panic!("{method} {path} {body}: no {missing:?}"));
            let Some(Update::Event(event)) = update else { panic!("{method} {path}: {update:?}") };
            self.state.apply(&event);
            if let Some(left) = missing.get_mut(event.kind.as_str()) {
                *left -= 1;
                if *left == 0 {
                    missing.remove(event.kind.as_str());
                }
            }
        }
        self.compare(&format!("{method} {path} {body}")).await;
    }

    /// Compares with a new read. After a difference it goes on with what was read, so that one mistake is told once.
    async fn compare(&mut self, action: &str) {
        let request = GetOrCreateChannelRequest { state: Some(true), ..Default::default() };
        let fresh = self.client.chat().get_or_create_channel("messaging", "general", request).await.unwrap();
        let fresh = fresh.into_inner();
        let mut differences = Vec::new();
        for ((name, followed), (_, read)) in parts(self.state.response()).iter().zip(&parts(&fresh)) {
            collect(name, followed, read, &mut differences);
        }
        if !differences.is_empty() {
            self.differences.push(format!("after {action}:\n  {}", differences.join("\n  ")));
            self.state = ChannelState::new(fresh, "jane");
        }
    }
}

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.differences.is_empty(), "{}", self.differences.join("\n"));
        }
    }
}

/// Says where two values differ: first what followed events, then what was read.
fn collect(path: &str, followed: &Value, read: &Value, found: &mut Vec<String>) {
    match (followed, read) {
        (Value::Object(one), Value::Object(other)) => {
            let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let value =
                    |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                collect(&format!("{path}.{key}"), &value(one), &value(other), found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                collect(&format!("{path}[{index}]"), one, other, found);
            }
        }
        (one, other) if one == other => {}
        (one, other) => {
            let short = |value: &Value| value.to_string().chars().take(300).collect::<String>();
            found.push(format!("{path}: {} and not {}", short(one), short(other)));
        }
    }
}

/// What is compared, with lists whose order says nothing in an order.
fn parts(state: &ChannelStateResponse) -> Vec<(&'static str, Value)> {
    let mut members = state.members.clone();
    members.sort_by(|one, other| one.user_id.cmp(&other.user_id));
    let mut read = state.read.clone().unwrap_or_default();
    read.sort_by(|one, other| one.user.id.cmp(&other.user.id));
    vec![
        ("messages", json!(state.messages)),
        ("pinned_messages", json!(state.pinned_messages)),
        ("read", json!(read)),
        ("members", json!(members)),
        ("membership", json!(state.membership)),
        ("channel", json!(state.channel)),
        ("hidden", json!(state.hidden)),
    ]
}

fn message(id: &str, user_id: &str, more: Value) -> Value {
    let mut message = json!({"id": id, "text": format!("text of {id}"), "user_id": user_id});
    let Value::Object(more) = more else { panic!("{more} is no object") };
    message.as_object_mut().unwrap().extend(more);
    json!({"message": message})
}

async fn general(server: &TestServer) -> Follower<'_> {
    server.users(&["jane", "joe", "ann", "sam"]).await;
    server.channel("general", &["jane", "joe", "ann"]).await;
    Follower::new(server, "jane").await
}

both_databases! {
    async fn messages_follow(server: TestServer) {
        let mut jane = general(server).await;
        let none = || json!({});
        jane.act("POST", "~/message", message("m1", "joe", none()), &["message.new"]).await;
        jane.act("POST", "~/message", message("m2", "jane", none()), &["message.new"]).await;
        jane.act("POST", "~/message", message("m3", "joe", json!({"quoted_message_id": "m1"})), &["message.new"]).await;
        jane.act("POST", "~/message", message("m4", "joe", json!({"silent": true})), &["message.new"]).await;
        let private = json!({"restricted_visibility": ["jane"]});
        jane.act("POST", "~/message", message("m5", "joe", private), &["message.new"]).await;
        jane.act("POST", "~/message", message("r1", "ann", json!({"parent_id": "m1"})), &["message.new", "message.updated"]).await;
        let shown = json!({"parent_id": "m1", "show_in_channel": true});
        jane.act("POST", "~/message", message("r2", "joe", shown), &["message.new", "message.updated"]).await;
        let change = json!({"message": {"text": "changed", "user_id": "joe", "custom": {"a": 1}}});
        jane.act("POST", "messages/m1", change, &["message.updated"]).await;
        let set = json!({"set": {"text": "again", "b": 2}, "user_id": "joe"});
        jane.act("PUT", "messages/m1", set, &["message.updated"]).await;
        jane.act("PUT", "messages/m1", json!({"set": {"pinned": true}, "user_id": "joe"}), &["message.updated"]).await;
        jane.act("PUT", "messages/m2", json!({"set": {"pinned": true}, "user_id": "ann"}), &["message.updated"]).await;
        jane.act("PUT", "messages/m1", json!({"set": {"pinned": false}, "user_id": "joe"}), &["message.updated"]).await;
        jane.act("DELETE", "messages/r1", none(), &["message.deleted", "message.updated"]).await;
        jane.act("POST", "messages/r1/undelete", json!({"undeleted_by": "joe"}), &["message.undeleted", "message.updated"]).await;
        jane.act("DELETE", "messages/m1", none(), &["message.deleted"]).await;
        jane.act("POST", "messages/m1/undelete", json!({"undeleted_by": "joe"}), &["message.undeleted"]).await;
        jane.act("POST", "~/message", message("m6", "joe", none()), &["message.new"]).await;
        jane.act("DELETE", "messages/m6?hard=true", none(), &["message.deleted"]).await;
        jane.act("DELETE", "messages/m3?delete_for_me=true&deleted_by=jane", none(), &["message.deleted"]).await;
    }

    async fn reactions_follow(server: TestServer) {
        let mut jane = general(server).await;
        jane.act("POST", "~/message", message("m1", "joe", json!({})), &["message.new"]).await;
        let reaction = |kind: &str, user_id: &str| json!({"reaction": {"type": kind, "user_id": user_id}});
        jane.act("POST", "messages/m1/reaction", reaction("like", "joe"), &["reaction.new"]).await;
        jane.act("POST", "messages/m1/reaction", reaction("like", "jane"), &["reaction.new"]).await;
        jane.act("POST", "messages/m1/reaction", reaction("wow", "jane"), &["reaction.new"]).await;
        let score = json!({"reaction": {"type": "like", "user_id": "jane", "score": 5}});
        jane.act("POST", "messages/m1/reaction", score, &["reaction.updated"]).await;
        let only = json!({"reaction": {"type": "sad", "user_id": "jane"}, "enforce_unique": true});
        jane.act("POST", "messages/m1/reaction", only, &["reaction.deleted", "reaction.deleted", "reaction.new"]).await;
        jane.act("DELETE", "messages/m1/reaction/like?user_id=joe", json!({}), &["reaction.deleted"]).await;
        jane.act("DELETE", "messages/m1/reaction/sad?user_id=jane", json!({}), &["reaction.deleted"]).await;
    }

    async fn reads_follow(server: TestServer) {
        let mut jane = general(server).await;
        for id in ["m1", "m2", "m3"] {
            jane.act("POST", "~/message", message(id, "joe", json!({})), &["message.new"]).await;
        }
        jane.act("POST", "~/read", json!({"user_id": "ann"}), &["message.read"]).await;
        jane.act("POST", "~/read", json!({"user_id": "jane", "message_id": "m2"}), &["message.read", "notification.mark_read"]).await;
        jane.act("POST", "~/read", json!({"user_id": "jane"}), &["message.read", "notification.mark_read"]).await;
        jane.act("POST", "~/unread", json!({"user_id": "jane", "message_id": "m2"}), &["notification.mark_unread"]).await;
        let delivered = json!({"latest_delivered_messages": [{"cid": "messaging:general", "id": "m3"}]});
        let path = "/api/v2/chat/channels/delivered?user_id=joe";
        jane.act("POST", path, delivered, &[]).await;
        jane.act("POST", "~/message", message("m4", "ann", json!({})), &["message.new"]).await;
        let delivered = json!({"latest_delivered_messages": [{"cid": "messaging:general", "id": "m4"}]});
        jane.act("POST", path, delivered, &["message.delivered"]).await;
        jane.act("DELETE", "messages/m4", json!({}), &["message.deleted"]).await;
        jane.act("POST", "/api/v2/chat/channels/read", json!({"user_id": "jane"}), &["notification.mark_read"]).await;
    }

    async fn members_follow(server: TestServer) {
        let mut jane = general(server).await;
        jane.act("POST", "~/message", message("m1", "joe", json!({})), &["message.new"]).await;
        jane.act("POST", "~", json!({"add_members": [{"user_id": "sam"}]}), &["member.added"]).await;
        jane.act("POST", "~/message", message("m2", "joe", json!({})), &["message.new"]).await;
        jane.act("POST", "~", json!({"add_moderators": ["joe"]}), &["member.updated"]).await;
        jane.act("PATCH", "~/member?user_id=ann", json!({"set": {"nick": "annie"}}), &["member.updated"]).await;
        jane.act("PATCH", "~/member?user_id=jane", json!({"set": {"pinned": true}}), &["member.updated"]).await;
        jane.act("POST", "~", json!({"remove_members": ["ann"]}), &["member.removed"]).await;
        jane.act("POST", "~", json!({"demote_moderators": ["joe"]}), &["member.updated"]).await;
    }

    async fn invites_follow(server: TestServer) {
        let mut jane = general(server).await;
        jane.act("POST", "~/message", message("m1", "joe", json!({})), &["message.new"]).await;
        jane.act("POST", "~", json!({"invites": [{"user_id": "sam"}]}), &["member.added", "channel.updated"]).await;
        jane.act("POST", "~/message", message("m2", "joe", json!({})), &["message.new"]).await;
        let answer = json!({"accept_invite": true, "user_id": "sam"});
        jane.act("POST", "~", answer, &["member.updated", "channel.updated"]).await;
        jane.act("POST", "~/message", message("m3", "joe", json!({})), &["message.new"]).await;
        jane.act("POST", "~", json!({"remove_members": ["sam"]}), &["member.removed", "channel.updated"]).await;
        jane.act("POST", "~", json!({"invites": [{"user_id": "sam"}]}), &["member.added", "channel.updated"]).await;
        let answer = json!({"reject_invite": true, "user_id": "sam"});
        jane.act("POST", "~", answer, &["member.updated", "channel.updated"]).await;
    }

    async fn bans_follow(server: TestServer) {
        let mut jane = general(server).await;
        jane.act("POST", "~/message", message("m1", "joe", json!({})), &["message.new"]).await;
        let ban = |more: Value| {
            let mut ban = json!({
                "target_user_id": "joe", "banned_by_id": "jane", "channel_cid": "messaging:general"
            });
            ban.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            ban
        };
        let path = "/api/v2/moderation/ban";
        jane.act("POST", path, ban(json!({"reason": "spam", "timeout": 5})), &["user.banned"]).await;
        jane.act("POST", path, ban(json!({})), &["user.banned"]).await;
        jane.act("POST", "~/message", message("m2", "joe", json!({})), &["message.new"]).await;
        let unban = "/api/v2/moderation/unban?target_user_id=joe&channel_cid=messaging:general";
        jane.act("POST", unban, json!({"unbanned_by_id": "jane"}), &["user.unbanned"]).await;
        jane.act("POST", path, ban(json!({"shadow": true})), &["user.banned"]).await;
        jane.act("POST", "~/message", message("m3", "joe", json!({})), &["message.new"]).await;
        jane.act("POST", unban, json!({"unbanned_by_id": "jane"}), &["user.unbanned"]).await;
        jane.act("POST", "~/message", message("m4", "joe", json!({})), &["message.new"]).await;
    }

    async fn deletions_of_users_follow(server: TestServer) {
        let mut jane = general(server).await;
        jane.act("POST", "~/message", message("m1", "joe", json!({})), &["message.new"]).await;
        let quote = json!({"quoted_message_id": "m1"});
        jane.act("POST", "~/message", message("m2", "ann", quote), &["message.new"]).await;
        let reaction = json!({"reaction": {"type": "like", "user_id": "joe"}});
        jane.act("POST", "messages/m2/reaction", reaction, &["reaction.new"]).await;
        let path = "/api/v2/users/delete";
        jane.act("POST", path, json!({"user_ids": ["joe"], "user": "soft"}), &["user.deleted"]).await;
        let restored = "/api/v2/users/restore";
        jane.act("POST", restored, json!({"user_ids": ["joe"]}), &["user.updated"]).await;
        let all = json!({"user_ids": ["joe"], "user": "soft", "messages": "soft"});
        jane.act("POST", path, all, &["user.deleted", "message.deleted", "user.messages.deleted"]).await;
        let all = json!({
            "user_ids": ["ann"], "user": "hard", "messages": "hard", "conversations": "hard"
        });
        let gone = &["user.deleted", "message.deleted", "user.messages.deleted", "member.removed"];
        jane.act("POST", path, all, gone).await;
    }

    async fn deletions_of_the_messages_of_a_user_follow(server: TestServer) {
        let mut jane = general(server).await;
        let path = "/api/v2/moderation/ban";
        for (mode, author) in [("soft", "joe"), ("pruning", "ann"), ("hard", "joe")] {
            let id = |number: usize| format!("{mode}{number}");
            // More than are deleted in one transaction.
            for number in 0..25 {
                jane.act("POST", "~/message", message(&id(number), author, json!({})), &["message.new"]).await;
            }
            let quote = json!({"quoted_message_id": id(1)});
            jane.act("POST", "~/message", message(&format!("quote-{mode}"), "jane", quote), &["message.new"]).await;
            let pin = json!({"set": {"pinned": true}, "user_id": "jane"});
            jane.act("PUT", &format!("messages/{}", id(2)), pin, &["message.updated"]).await;
            let ban = json!({
                "target_user_id": author, "banned_by_id": "jane", "channel_cid": "messaging:general",
                "delete_messages": mode,
            });
            jane.act("POST", path, ban, &["user.banned", "user.messages.deleted"]).await;
        }
        assert!(jane.state.messages().iter().all(|message| message.user.id != "joe"));
        server.check().await;
    }

    async fn channels_follow(server: TestServer) {
        let mut jane = general(server).await;
        for id in ["m1", "m2"] {
            jane.act("POST", "~/message", message(id, "joe", json!({})), &["message.new"]).await;
        }
        let data = json!({"data": {"custom": {"name": "Lobby"}, "frozen": false}});
        jane.act("POST", "~", data, &["channel.updated"]).await;
        jane.act("PATCH", "~", json!({"set": {"topic": "frogs"}}), &["channel.updated"]).await;
        let note = json!({"message": {"id": "s1", "text": "renamed", "user_id": "joe"}});
        jane.act("POST", "~", note, &["channel.updated", "message.new"]).await;
        jane.act("POST", "~/hide", json!({"user_id": "jane"}), &["channel.hidden"]).await;
        jane.act("POST", "~/show", json!({"user_id": "jane"}), &["channel.visible"]).await;
        let mute = json!({"channel_cids": ["messaging:general"], "user_id": "jane"});
        let changed = &["notification.channel_mutes_updated"];
        jane.act("POST", "/api/v2/chat/moderation/mute/channel", mute.clone(), changed).await;
        jane.act("POST", "~/message", message("m3", "joe", json!({})), &["message.new"]).await;
        jane.act("POST", "/api/v2/chat/moderation/unmute/channel", mute, changed).await;
        jane.act("POST", "~/truncate", json!({}), &["channel.truncated"]).await;
        jane.act("POST", "~/message", message("m4", "joe", json!({})), &["message.new"]).await;
        let note = json!({"message": {"id": "s2", "text": "all gone", "user_id": "joe"}});
        jane.act("POST", "~/truncate", note, &["channel.truncated"]).await;
        let name = json!({"users": [{"id": "joe", "set": {"name": "Joseph"}}]});
        jane.act("PATCH", "/api/v2/users", name, &["user.updated"]).await;
    }
}
