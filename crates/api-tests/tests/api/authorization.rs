//! Who may do what: every operation, by everybody, in and outside the channel. The table is `authorization.txt`.

use std::collections::{BTreeMap, BTreeSet};

use natterjack_api_tests::{Database, RawReply, TestServer};
use natterjack_server::api;
use serde_json::{Value, json};

use crate::bodies::{patch_ok, post_ok};
use crate::requests;

const TABLE: &str = include_str!("authorization.txt");

/// The columns of the table: who acts, and whether as a member of the channel.
const COLUMNS: [(&str, Place); 11] = [
    ("anonymous", Place::Outside),
    ("guest", Place::Inside),
    ("guest", Place::Outside),
    ("user", Place::Inside),
    ("user", Place::Outside),
    ("user", Place::Banned),
    ("moderator", Place::Moderating),
    ("admin", Place::Inside),
    ("admin", Place::Outside),
    ("stranger", Place::Outside),
    ("server", Place::Inside),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Inside,
    Outside,
    /// A member who is banned from the channel.
    Banned,
    /// A member who is the channel's moderator.
    Moderating,
}

/// A call whose places in braces are filled in for each case.
struct Template {
    name: &'static str,
    operation: &'static str,
    method: &'static str,
    path: &'static str,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
}

fn get(name: &'static str, path: &'static str, query: &[(&'static str, &str)]) -> Template {
    let query = query.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Template { name, operation: name, method: "GET", path, query, body: None }
}

fn delete(name: &'static str, path: &'static str, query: &[(&'static str, &str)]) -> Template {
    Template { method: "DELETE", ..get(name, path, query) }
}

fn post(name: &'static str, path: &'static str, body: Value) -> Template {
    Template { method: "POST", body: Some(body), ..get(name, path, &[]) }
}

fn put(name: &'static str, path: &'static str, body: Value) -> Template {
    Template { method: "PUT", ..post(name, path, body) }
}

fn patch(name: &'static str, path: &'static str, body: Value) -> Template {
    Template { method: "PATCH", ..post(name, path, body) }
}

const CHANNEL: &str = "/api/v2/chat/channels/messaging/{id}";
const CREATE: &str = "/api/v2/chat/channels/messaging/{new}/query";
const DISTINCT: &str = "/api/v2/chat/channels/messaging/query";
const MESSAGE: &str = "/api/v2/chat/channels/messaging/{id}/message";
const USERS: &str = "/api/v2/users";

fn templates() -> Vec<Template> {
    let mut all = of_channels();
    all.extend(of_updates());
    all.extend(of_members());
    all.extend(of_messages());
    all.extend(of_reactions_and_reads());
    all.extend(of_users());
    all.extend(of_moderation());
    all
}

fn of_channels() -> Vec<Template> {
    let created = |more: Value| {
        let mut data = json!({ "created_by_id": "{me}", "team": "{team}" });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "data": data })
    };
    let query = json!({ "filter_conditions": { "cid": "messaging:{id}" }, "user_id": "{me}" });
    let payload = json!({ "filter_conditions": { "cid": "messaging:{id}" }, "query": "word" }).to_string();
    let members = json!({ "type": "messaging", "id": "{id}", "filter_conditions": {} }).to_string();
    let role = json!({ "members": [{ "user_id": "{me}", "channel_role": "channel_moderator" }] });
    vec![
        post("get_or_create_channel", "/api/v2/chat/channels/messaging/{id}/query", json!({})),
        post("create a channel", CREATE, created(json!({ "members": [{ "user_id": "{me}" }] }))),
        post("freeze at creation", CREATE, created(json!({ "frozen": true }))),
        post("disable at creation", CREATE, created(json!({ "disabled": true }))),
        post("translate at creation", CREATE, created(json!({ "auto_translation_enabled": true }))),
        post("give a role at creation", CREATE, created(role)),
        post(
            "get_or_create_distinct_channel",
            DISTINCT,
            created(json!({ "members": [{ "user_id": "{me}" }, { "user_id": "{fresh}" }] })),
        ),
        post(
            "create it for others",
            DISTINCT,
            created(json!({ "members": [{ "user_id": "owner" }, { "user_id": "{fresh}" }] })),
        ),
        get("get_channel", CHANNEL, &[]),
        post("query_channels", "/api/v2/chat/channels", query),
        get("search", "/api/v2/chat/search", &[("payload", &payload)]),
        get("query_members", "/api/v2/chat/members", &[("payload", &members)]),
        post("truncate_channel", "/api/v2/chat/channels/messaging/{id}/truncate", json!({})),
        delete("delete_channel", CHANNEL, &[]),
    ]
}

fn of_updates() -> Vec<Template> {
    let set = |set: Value| json!({ "set": set, "user_id": "{me}" });
    vec![
        post("update_channel", CHANNEL, json!({ "data": { "custom": { "a": 1 } }, "user_id": "{me}" })),
        post("change nothing", CHANNEL, json!({ "user_id": "{me}" })),
        post(
            "post a message with an update",
            CHANNEL,
            json!({ "message": { "text": "hi", "user_id": "{me}" }, "user_id": "{me}" }),
        ),
        patch("update_channel_partial", CHANNEL, set(json!({ "a": 2 }))),
        patch("freeze", CHANNEL, set(json!({ "frozen": true }))),
        patch("slow down", CHANNEL, set(json!({ "cooldown": 5 }))),
        patch("disable", CHANNEL, set(json!({ "disabled": true }))),
        patch("translate", CHANNEL, set(json!({ "auto_translation_enabled": true }))),
        patch("change the team", CHANNEL, set(json!({ "team": "green" }))),
        patch("change the configuration", CHANNEL, set(json!({ "config_overrides": { "replies": false } }))),
    ]
}

fn of_members() -> Vec<Template> {
    let of_me = |more: Value| {
        let mut body = json!({ "user_id": "{me}" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let member = "/api/v2/chat/channels/messaging/{id}/member";
    let me = vec![("user_id", "{me}".to_owned())];
    let own_data = json!({ "set": { "color": "red" } });
    let own_role = json!({ "set": { "channel_role": "channel_moderator" } });
    let mute = json!({ "channel_cids": ["messaging:{id}"], "user_id": "{me}" });
    vec![
        post("add a member", CHANNEL, of_me(json!({ "add_members": [{ "user_id": "{fresh}" }] }))),
        post("join", CHANNEL, of_me(json!({ "add_members": [{ "user_id": "{me}" }] }))),
        post("leave", CHANNEL, of_me(json!({ "remove_members": ["{me}"] }))),
        post("remove a member", CHANNEL, of_me(json!({ "remove_members": ["owner"] }))),
        post("invite", CHANNEL, of_me(json!({ "invites": [{ "user_id": "{fresh}" }] }))),
        post("make a moderator", CHANNEL, of_me(json!({ "add_moderators": ["owner"] }))),
        Template { query: me.clone(), ..patch("update_member_partial", member, own_data) },
        Template { query: me, ..patch("give oneself a role", member, own_role) },
        post("hide_channel", "/api/v2/chat/channels/messaging/{id}/hide", of_me(json!({}))),
        post("show_channel", "/api/v2/chat/channels/messaging/{id}/show", of_me(json!({}))),
        post("mute_channel", "/api/v2/chat/moderation/mute/channel", mute.clone()),
        post("unmute_channel", "/api/v2/chat/moderation/unmute/channel", mute),
    ]
}

fn of_messages() -> Vec<Template> {
    let send = |name, more: Value| {
        let mut message = json!({ "text": "hello", "user_id": "{me}" });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        post(name, MESSAGE, json!({ "message": message }))
    };
    let (theirs, mine) = ("/api/v2/chat/messages/t-{id}", "/api/v2/chat/messages/m-{id}");
    let text = json!({ "message": { "text": "changed", "user_id": "{me}" } });
    let set = |set: Value| json!({ "set": set, "user_id": "{me}" });
    vec![
        send("send_message", json!({})),
        send("send a reply", json!({ "parent_id": "t-{id}" })),
        send("send a link", json!({ "text": "see https://example.org" })),
        send("send an attachment", json!({ "attachments": [{ "type": "image" }] })),
        send("mention", json!({ "mentioned_users": ["owner"] })),
        send("send a system message", json!({ "type": "system" })),
        send("send a pinned message", json!({ "pinned": true })),
        send("send a restricted message", json!({ "restricted_visibility": ["owner"] })),
        send("send html", json!({ "html": "<b>hello</b>" })),
        get("get_message", theirs, &[]),
        get("get_many_messages", "/api/v2/chat/channels/messaging/{id}/messages", &[("ids", "t-{id}")]),
        get("get_replies", "/api/v2/chat/messages/t-{id}/replies", &[]),
        get("get_pinned_messages", "/channels/messaging/{id}/pinned_messages", &[]),
        post("update_message", theirs, text.clone()),
        post("update an own message", mine, text),
        put("update_message_partial", theirs, set(json!({ "text": "changed" }))),
        put("pin", theirs, set(json!({ "pinned": true }))),
        delete("delete_message", theirs, &[]),
        delete("delete an own message", mine, &[]),
        delete("delete for me", theirs, &[("delete_for_me", "true"), ("deleted_by", "{me}")]),
    ]
}

fn of_reactions_and_reads() -> Vec<Template> {
    let reaction = json!({ "reaction": { "type": "wow", "user_id": "{me}" } });
    let me = json!({ "user_id": "{me}" });
    let unread = json!({ "message_id": "t-{id}", "user_id": "{me}" });
    let channels = json!({ "read_by_channel": { "messaging:{id}": "" }, "user_id": "{me}" });
    let delivered = json!({
        "latest_delivered_messages": [{ "cid": "messaging:{id}", "id": "t-{id}" }], "user_id": "{me}"
    });
    vec![
        post("send_reaction", "/api/v2/chat/messages/t-{id}/reaction", reaction),
        delete("delete_reaction", "/api/v2/chat/messages/t-{id}/reaction/own", &[("user_id", "{me}")]),
        get("get_reactions", "/api/v2/chat/messages/t-{id}/reactions", &[]),
        post("query_reactions", "/api/v2/chat/messages/t-{id}/reactions", me.clone()),
        post("mark_read", "/api/v2/chat/channels/messaging/{id}/read", me.clone()),
        post("mark_unread", "/api/v2/chat/channels/messaging/{id}/unread", unread),
        post("mark_channels_read", "/api/v2/chat/channels/read", channels),
        post("mark_delivered", "/api/v2/chat/channels/delivered", delivered),
        get("unread_counts", "/api/v2/chat/unread", &[("user_id", "{me}")]),
        post("query_threads", "/api/v2/chat/threads", me),
        get("get_thread", "/api/v2/chat/threads/t-{id}", &[]),
        patch(
            "update_thread_partial",
            "/api/v2/chat/threads/t-{id}",
            json!({ "set": { "title": "New" }, "user_id": "{me}" }),
        ),
    ]
}

fn of_users() -> Vec<Template> {
    let users = |id: &str, more: Value| {
        let mut user = json!({ "id": id, "name": "New name" });
        user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "users": { id: user } })
    };
    let partial = |id: &str, set: Value| json!({ "users": [{ "id": id, "set": set }] });
    let found = json!({ "filter_conditions": { "id": "owner" } }).to_string();
    let block = json!({ "blocked_user_id": "owner", "user_id": "{me}" });
    vec![
        get("query_users", USERS, &[("payload", &found)]),
        post("update oneself", USERS, users("{me}", json!({}))),
        post("update_users", USERS, users("{fresh}", json!({}))),
        post("promote oneself", USERS, users("{me}", json!({ "role": "global_admin" }))),
        post("change the own team", USERS, users("{me}", json!({ "teams": ["green"] }))),
        patch("update oneself in part", USERS, partial("{me}", json!({ "color": "red" }))),
        patch("update_users_partial", USERS, partial("{fresh}", json!({ "color": "red" }))),
        patch("lift a revocation", USERS, partial("{me}", json!({ "revoke_tokens_issued_before": null }))),
        post("block_users", "/api/v2/users/block", block.clone()),
        get("get_app", "/api/v2/app", &[]),
        get("get_blocked_users", "/api/v2/users/block", &[("user_id", "{me}")]),
        post("unblock_users", "/api/v2/users/unblock", block),
    ]
}

fn of_moderation() -> Vec<Template> {
    let target = |more: Value| {
        let mut body = json!({ "target_user_id": "owner", "banned_by_id": "{me}" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let event = |name, kind: &str| {
        let body = json!({ "event": { "type": kind, "user_id": "{me}" } });
        post(name, "/api/v2/chat/channels/messaging/{id}/event", body)
    };
    let flag = |name, kind: &str, id: &str| {
        let body = json!({ "entity_type": kind, "entity_id": id, "user_id": "{me}" });
        post(name, "/api/v2/moderation/flag", body)
    };
    let all = json!({ "filter_conditions": {}, "user_id": "{me}" }).to_string();
    let mute = json!({ "target_ids": ["owner"], "user_id": "{me}" });
    let (cid, unban) = (json!({ "channel_cid": "messaging:{id}" }), json!({ "unbanned_by_id": "{me}" }));
    let of_owner = ("target_user_id", "owner".to_owned());
    let in_channel = vec![of_owner.clone(), ("channel_cid", "messaging:{id}".to_owned())];
    vec![
        event("send_event", "party"),
        event("type", "typing.start"),
        post("ban", "/api/v2/moderation/ban", target(cid)),
        post("ban in the app", "/api/v2/moderation/ban", target(json!({}))),
        Template { query: in_channel, ..post("unban", "/api/v2/moderation/unban", unban.clone()) },
        Template { query: vec![of_owner], ..post("unban in the app", "/api/v2/moderation/unban", unban) },
        post("mute", "/api/v2/moderation/mute", mute.clone()),
        post("unmute", "/api/v2/moderation/unmute", mute),
        flag("flag", "stream:chat:v1:message", "t-{id}"),
        flag("flag a user", "stream:user", "owner"),
        get("query_banned_users", "/api/v2/chat/query_banned_users", &[("payload", &all)]),
        get(
            "query_future_channel_bans",
            "/api/v2/chat/query_future_channel_bans",
            &[("payload", r#"{"user_id":"{me}"}"#)],
        ),
        get("query_message_flags", "/api/v2/chat/moderation/flags/message", &[("payload", &all)]),
        post("query_flag_reports", "/moderation/reports", json!({})),
        patch("review_flag_report", "/moderation/reports/x", json!({ "review_result": "reviewed" })),
    ]
}

/// The expected codes of each call, in the order of [`COLUMNS`].
fn table() -> BTreeMap<&'static str, Vec<i64>> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (name, codes) = line.split_at(31);
        let codes: Vec<i64> = codes.split_whitespace().map(|code| code.parse().unwrap()).collect();
        assert_eq!(codes.len(), COLUMNS.len(), "{line}");
        (name.trim(), codes)
    });
    rows.collect()
}

/// A channel with two messages, for one case or for all that change nothing.
struct World {
    actor: String,
    channel: String,
    fresh: String,
    team: &'static str,
}

/// Makes a channel of the owner, an actor with a name of its own who is in it or not, and somebody who is not.
async fn prepare(server: &TestServer, number: usize, who: &str, place: Place, is_teamed: bool) -> World {
    let (actor, fresh) = (format!("{who}{number}"), format!("fresh{number}"));
    let role = if matches!(who, "guest" | "admin") { who } else { "user" };
    let team = |name: &str| if is_teamed { json!([name]) } else { json!([]) };
    let users = json!({ "users": {
        actor.as_str(): { "id": actor, "role": role, "teams": team("blue") },
        fresh.as_str(): { "id": fresh, "teams": team("red") },
    } });
    post_ok(server, USERS, &users).await;
    let channel = format!("c{number}");
    let mut members = vec![json!({ "user_id": "owner" })];
    match place {
        Place::Outside => {}
        Place::Inside | Place::Banned => members.push(json!({ "user_id": actor })),
        Place::Moderating => members.push(json!({ "user_id": actor, "channel_role": "channel_moderator" })),
    }
    let mut data = json!({ "created_by_id": "owner", "members": members });
    if is_teamed {
        data["team"] = json!("red");
    }
    let path = format!("/api/v2/chat/channels/messaging/{channel}");
    post_ok(server, &format!("{path}/query"), &json!({ "data": data })).await;
    let messages = [
        json!({ "id": format!("m-{channel}"), "text": "a word", "user_id": actor }),
        json!({ "id": format!("t-{channel}"), "text": "a word", "user_id": "owner" }),
        json!({ "id": format!("r-{channel}"), "text": "a word", "user_id": "owner",
                "parent_id": format!("t-{channel}") }),
    ];
    for message in messages {
        post_ok(server, &format!("{path}/message"), &json!({ "message": message })).await;
    }
    let reaction = json!({ "reaction": { "type": "own", "user_id": actor } });
    post_ok(server, &format!("/api/v2/chat/messages/t-{channel}/reaction"), &reaction).await;
    if place == Place::Banned {
        let ban = json!({
            "target_user_id": actor, "banned_by_id": "owner", "channel_cid": format!("messaging:{channel}")
        });
        post_ok(server, "/api/v2/moderation/ban", &ban).await;
    }
    World { actor, channel, fresh, team: "" }
}

impl World {
    fn fill_in(&self, template: &str) -> String {
        template
            .replace("{me}", &self.actor)
            .replace("{fresh}", &self.fresh)
            .replace("{new}", &format!("new-{}", self.channel))
            .replace("{id}", &self.channel)
            .replace("{team}", self.team)
    }

    async fn call(&self, server: &TestServer, who: &str, template: &Template) -> RawReply {
        let mut request = server.raw(template.method, &self.fill_in(template.path));
        request = match who {
            "anonymous" => request.without_header("authorization").header("stream-auth-type", "anonymous"),
            "server" => request,
            _ => request.as_user(&self.actor),
        };
        for (name, value) in &template.query {
            request = request.query(name, &self.fill_in(value));
        }
        match &template.body {
            Some(body) => request.bytes(self.fill_in(&body.to_string()).into_bytes()).send().await,
            None => request.send().await,
        }
    }
}

/// What is stored, but for the search index, which a job brings up to date at any time.
async fn stored(server: &TestServer) -> Vec<(String, u64, String)> {
    let store = server.store().await;
    let tables = store.checksums().await.unwrap();
    store.close().await;
    let tables = tables.into_iter().filter(|table| !table.table.starts_with("search_"));
    tables.map(|table| (table.table, table.rows, table.checksum)).collect()
}

fn judge(who: &str, place: Place, template: &Template, expected: i64, reply: &RawReply) -> Option<String> {
    let found = if reply.status < 300 { 0 } else { reply.code() };
    let differs = found != expected || (found == 0) != (reply.status < 300);
    differs
        .then(|| format!("{who} {place:?}: {}: {found} instead of {expected}: {}", template.name, reply.text))
}

/// Makes the calls of one column. Those that are to be refused share a world, which must stay as it is; each of the others
/// has its own.
async fn check_column(server: &TestServer, number: usize, wrong: &mut Vec<String>) {
    let (who, place) = COLUMNS[number];
    let (table, templates) = (table(), templates());
    let is_teamed = who == "stranger";
    let expected = |template: &Template| table[template.name][number];
    let mut world_number = number * 1000;
    let world = prepare(server, world_number, who, place, is_teamed).await;
    let before = stored(server).await;
    for template in templates.iter().filter(|template| expected(template) != 0) {
        let reply = world.call(server, who, template).await;
        wrong.extend(judge(who, place, template, expected(template), &reply));
    }
    if who != "server" {
        for request in requests::all().iter().filter(|request| is_for_servers(request.operation)) {
            let mut raw = server.raw(request.method, request.path);
            raw = match who {
                "anonymous" => raw.without_header("authorization").header("stream-auth-type", "anonymous"),
                _ => raw.as_user(&world.actor),
            };
            let reply = raw.json(&request.body.clone().unwrap_or_default()).send().await;
            if (reply.status, reply.code()) != (403, 17) {
                wrong.push(format!("{who}: {}: {}", request.operation, reply.text));
            }
        }
    }
    let changed: Vec<_> = stored(server).await.into_iter().filter(|now| !before.contains(now)).collect();
    if !changed.is_empty() {
        wrong.push(format!("{who} {place:?}: refused calls changed {changed:?}"));
    }
    for template in templates.iter().filter(|template| expected(template) == 0) {
        world_number += 1;
        let world = prepare(server, world_number, who, place, is_teamed).await;
        let reply = world.call(server, who, template).await;
        wrong.extend(judge(who, place, template, 0, &reply));
    }
}

/// The operations that only servers may call.
fn is_for_servers(operation: &str) -> bool {
    const OTHERS: [&str; 1] = ["create_guest"];
    !templates().iter().any(|template| template.operation == operation) && !OTHERS.contains(&operation)
}

fn check_all(database: Database, columns: std::ops::Range<usize>) {
    TestServer::run(database, async |server| {
        let owner = json!({ "users": { "owner": { "id": "owner", "teams": ["red"] } } });
        if columns.contains(&9) {
            patch_ok(server, "/api/v2/app", &json!({ "multi_tenant_enabled": true })).await;
            post_ok(server, USERS, &owner).await;
        } else {
            server.users(&["owner"]).await;
        }
        let mut wrong = Vec::new();
        for column in columns {
            check_column(server, column, &mut wrong).await;
        }
        server.check().await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

/// With the check of permissions switched off, the calls of the outsider who has no special role are no longer refused as
/// the table says.
fn check_that_it_would_be_noticed(database: Database) {
    const OUTSIDER: usize = 4;
    TestServer::run(database, async |server| {
        server.users(&["owner"]).await;
        patch_ok(server, "/api/v2/app", &json!({ "disable_permissions_checks": true })).await;
        let mut wrong = Vec::new();
        check_column(server, OUTSIDER, &mut wrong).await;
        let (who, place) = COLUMNS[OUTSIDER];
        let is_noticed =
            |name: &str| wrong.iter().any(|line| line.starts_with(&format!("{who} {place:?}: {name}: ")));
        let refused: Vec<&str> =
            table().into_iter().filter(|(_, codes)| codes[OUTSIDER] == 17).map(|(name, _)| name).collect();
        let missed: Vec<&str> = refused.iter().copied().filter(|name| !is_noticed(name)).collect();
        assert_eq!(missed, NO_PERMISSIONS, "of {refused:?}");
        assert!(wrong.iter().any(|line| line.contains("refused calls changed")), "{wrong:?}");
    });
}

/// What is refused to users whatever they have permissions for.
const NO_PERMISSIONS: [&str; 1] = ["lift a revocation"];

#[test]
fn the_table_names_every_operation() {
    let (table, templates) = (table(), templates());
    let named: BTreeSet<&str> = templates.iter().map(|template| template.name).collect();
    assert_eq!(named, table.keys().copied().collect(), "the table and the calls have the same rows");
    let for_servers: BTreeSet<&str> = requests::all().iter().map(|request| request.operation).collect();
    for (operation, _, _) in api::operations() {
        assert!(
            named.contains(operation) || for_servers.contains(operation),
            "{operation} stands neither in the table nor among the calls for servers"
        );
    }
}

#[test]
fn sqlite_a_check_that_is_missing_would_be_noticed() {
    check_that_it_would_be_noticed(Database::Sqlite);
}

#[test]
fn postgres_a_check_that_is_missing_would_be_noticed() {
    check_that_it_would_be_noticed(Database::Postgres);
}

#[test]
fn sqlite_clients_do_what_they_may() {
    check_all(Database::Sqlite, 0..9);
}

#[test]
fn sqlite_strangers_do_what_they_may() {
    check_all(Database::Sqlite, 9..10);
}

#[test]
fn sqlite_servers_do_everything() {
    check_all(Database::Sqlite, 10..11);
}

#[test]
fn postgres_clients_do_what_they_may() {
    check_all(Database::Postgres, 0..9);
}

#[test]
fn postgres_strangers_do_what_they_may() {
    check_all(Database::Postgres, 9..10);
}

#[test]
fn postgres_servers_do_everything() {
    check_all(Database::Postgres, 10..11);
}
