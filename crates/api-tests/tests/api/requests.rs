//! A valid request to each operation, to be spoilt by tests.

use natterjack_api_tests::{RawReply, TestServer};
use serde_json::{Value, json};

use crate::chat::sent;

/// A request to one operation, valid on a server that [`prepare`] has filled.
#[derive(Debug, Clone)]
pub struct Request {
    pub operation: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    /// Query parameters; those that are JSON are written as it.
    pub query: Vec<(&'static str, Value)>,
    pub body: Option<Value>,
}

impl Request {
    /// Sends the request.
    pub async fn send(&self, server: &TestServer) -> RawReply {
        let mut path = self.path.to_owned();
        if self.operation == "get_task" {
            // The id of a task is known once there is one.
            let body = json!({ "user_ids": ["idle"] });
            let answer = server.raw("POST", "/api/v2/users/deactivate").json(&body).send().await;
            path = path.replace("none", answer.body["task_id"].as_str().unwrap());
        }
        let mut request = server.raw(self.method, &path);
        for (name, value) in &self.query {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            request = request.query(name, &text);
        }
        match &self.body {
            Some(body) => request.json(body).send().await,
            None => request.send().await,
        }
    }

    fn get(operation: &'static str, path: &'static str, query: Vec<(&'static str, Value)>) -> Self {
        Self { operation, method: "GET", path, query, body: None }
    }

    fn delete(operation: &'static str, path: &'static str, query: Vec<(&'static str, Value)>) -> Self {
        Self { operation, method: "DELETE", path, query, body: None }
    }

    fn patch(operation: &'static str, path: &'static str, body: Value) -> Self {
        Self { operation, method: "PATCH", path, query: Vec::new(), body: Some(body) }
    }

    fn put(operation: &'static str, path: &'static str, body: Value) -> Self {
        Self { operation, method: "PUT", path, query: Vec::new(), body: Some(body) }
    }

    fn post(operation: &'static str, path: &'static str, body: Value) -> Self {
        Self { operation, method: "POST", path, query: Vec::new(), body: Some(body) }
    }
}

/// Fills a server with what the requests name.
pub async fn prepare(server: &TestServer) {
    server.users(&["jane", "joe", "doomed", "idle", "gone"]).await;
    for channel in ["general", "doomed", "doomed2", "cut"] {
        server.channel(channel, &["jane", "joe"]).await;
    }
    for name in ["support", "unused"] {
        let body = json!({ "name": name, "automod": "disabled", "automod_behavior": "flag",
                           "max_message_length": 500 });
        crate::bodies::post_ok(server, "/api/v2/chat/channeltypes", &body).await;
    }
    for name in ["stored", "unneeded"] {
        let body = json!({ "name": name, "operation": "QueryChannels", "filter": { "frozen": false } });
        crate::bodies::post_ok(server, "/api/v2/chat/predefined_filters", &body).await;
    }
    crate::bodies::post_ok(server, "/api/v2/roles", &json!({ "name": "unworn" })).await;
    for id in ["experts", "unneeded"] {
        let body = json!({ "id": id, "action": "ReadChannel" });
        crate::bodies::post_ok(server, "/permissions", &body).await;
    }
    for id in ["m1", "m2", "m9"] {
        server.send("general", "jane", id, "a word").await;
    }
    server.send("general", "jane", "d1", "deleted").await;
    crate::chat::ok(crate::chat::delete(server, "/messages/d1", &[]).await);
    sent(server, "general", json!({ "id": "r1", "user_id": "joe", "text": "r", "parent_id": "m1" })).await;
    for kind in ["like", "gone"] {
        let body = json!({ "reaction": { "type": kind, "user_id": "joe" } });
        crate::chat::ok(crate::chat::post(server, "/messages/m1/reaction", body).await);
    }
}

/// A request to each operation that is built.
pub fn all() -> Vec<Request> {
    let mut all = of_users_and_types();
    all.extend(of_the_life_of_users());
    all.extend(of_channels());
    all.extend(of_single_fields_and_history());
    all.extend(of_messages());
    all.extend(of_reactions_and_reads());
    all.extend(of_threads());
    all.extend(of_mutes_and_blocks());
    all.extend(of_moderation_and_events());
    all.extend(of_roles());
    all
}

fn of_roles() -> Vec<Request> {
    let permission = json!({
        "id": "fresh", "name": "Fresh", "description": "New.", "action": "ReadChannel", "owner": false,
        "same_team": true, "condition": { "$or": [{ "$subject.rank": { "$gte": 3 } }, { "$resource.open": true }] }
    });
    let change = json!({ "action": "DeleteMessage", "owner": true, "condition": { "$subject.id": "jane" } });
    vec![
        Request::get("list_roles", "/api/v2/roles", vec![]),
        Request::post("create_role", "/api/v2/roles", json!({ "name": "fresh" })),
        Request::get(
            "search_roles",
            "/api/v2/roles/search",
            vec![("query", json!("a")), ("limit", json!(2)), ("role_type", json!("user"))],
        ),
        Request::delete("delete_role", "/api/v2/roles/unworn", vec![]),
        Request::get("list_permissions", "/api/v2/permissions", vec![]),
        Request::get("get_permission", "/api/v2/permissions/experts", vec![]),
        Request::post("create_permission", "/permissions", permission),
        Request::put("update_permission", "/permissions/experts", change),
        Request::delete("delete_permission", "/permissions/unneeded", vec![]),
    ]
}

/// The requests that have a JSON body.
pub fn with_body() -> Vec<Request> {
    all().into_iter().filter(|request| request.body.is_some()).collect()
}

fn of_users_and_types() -> Vec<Request> {
    let user = json!({
        "id": "jane", "name": "Jane", "image": "https://example.org/j.png", "role": "user", "language": "en",
        "teams": [], "custom": { "color": "red", "size": 5 }
    });
    let payload = json!({
        "filter_conditions": { "id": { "$in": ["jane", "joe"] } }, "limit": 10, "offset": 0,
        "include_deactivated_users": true, "sort": [{ "field": "created_at", "direction": -1 }]
    });
    let settings = json!({
        "name": "fresh", "automod": "simple", "automod_behavior": "block", "max_message_length": 1000,
        "commands": ["fun_set", "ban"], "reactions": true, "read_events": false, "push_level": "mentions",
        "grants": { "channel_member": ["read-channel"] }, "partition_size": 10, "partition_ttl": "1h",
        "blocklists": [{ "blocklist": "rude", "behavior": "flag" }], "message_retention": "30",
        "automod_thresholds": { "spam": { "flag": 0.5 } }, "chat_preferences": { "here_mentions": "all" },
        "permissions": [{ "name": "a", "action": "Allow", "owner": false, "priority": 1, "resources": ["b"],
                          "roles": ["user"] }]
    });
    let change = json!({
        "quotes": false, "blocklist": "rude", "blocklist_behavior": "block", "commands": ["all"],
        "allowed_flag_reasons": ["spam"], "grants": { "user": [] }, "count_messages": true
    });
    let app = json!({
        "webhook_url": "https://example.org", "reminders_interval": 60, "webhook_events": ["message.new"],
        "event_hooks": [{ "hook_type": "webhook", "webhook_url": "https://example.org", "timeout_ms": 5 }],
        "file_upload_config": { "size_limit": 5, "allowed_file_extensions": [".md"] },
        "grants": { "user": ["search-user"] }, "apn_config": { "auth_key": "k", "development": true },
        "revoke_tokens_issued_before": "2020-01-01T00:00:00Z", "activity_metrics_config": { "a": 1 }
    });
    vec![
        Request::get("get_app", "/api/v2/app", vec![]),
        Request::patch("update_app", "/api/v2/app", app),
        Request::post("create_channel_type", "/api/v2/chat/channeltypes", settings),
        Request::put("update_channel_type", "/api/v2/chat/channeltypes/support", change),
        Request::delete("delete_channel_type", "/api/v2/chat/channeltypes/unused", vec![]),
        Request::post("update_users", "/api/v2/users", json!({ "users": { "jane": user } })),
        Request::get("query_users", "/api/v2/users", vec![("payload", payload)]),
        Request::post(
            "create_guest",
            "/api/v2/guest",
            json!({ "user": { "id": "tommaso", "name": "Tommaso" } }),
        ),
        Request::get("list_channel_types", "/api/v2/chat/channeltypes", vec![]),
        Request::get("get_channel_type", "/api/v2/chat/channeltypes/messaging", vec![]),
    ]
}

/// Tasks go on beside the requests, so that what they change is asked for by none of them.
fn of_the_life_of_users() -> Vec<Request> {
    let change = json!({ "users": [{
        "id": "jane", "unset": ["nickname"],
        "set": { "name": "Jane", "a.b": 1, "privacy_settings": { "read_receipts": { "enabled": false } } }
    }] });
    let deactivation = json!({ "created_by_id": "jane", "mark_messages_deleted": true });
    let reactivation = json!({ "created_by_id": "jane", "name": "Idle", "restore_messages": true });
    let deactivations = json!({
        "user_ids": ["doomed"], "created_by_id": "jane", "mark_channels_deleted": true,
        "mark_messages_deleted": true
    });
    let reactivations = json!({
        "user_ids": ["doomed"], "created_by_id": "jane", "restore_channels": true, "restore_messages": true
    });
    let deletion = json!({
        "user_ids": ["gone"], "user": "soft", "messages": "soft", "conversations": "soft", "calls": "soft",
        "files": false, "new_channel_owner_id": "jane", "new_call_owner_id": "jane"
    });
    vec![
        Request::patch("update_users_partial", "/api/v2/users", change),
        Request::post("deactivate_user", "/api/v2/users/idle/deactivate", deactivation),
        Request::post("reactivate_user", "/api/v2/users/idle/reactivate", reactivation),
        Request::post("deactivate_users", "/api/v2/users/deactivate", deactivations),
        Request::post("reactivate_users", "/api/v2/users/reactivate", reactivations),
        Request::post("delete_users", "/api/v2/users/delete", deletion),
        Request::post("restore_users", "/api/v2/users/restore", json!({ "user_ids": ["gone"] })),
        Request::get("get_rate_limits", "/api/v2/rate_limits", vec![("server_side", json!(true))]),
        Request::get("get_task", "/api/v2/tasks/none", vec![]),
        Request::post(
            "delete_channels",
            "/api/v2/chat/channels/delete",
            json!({ "cids": ["messaging:doomed2"], "hard_delete": false }),
        ),
    ]
}

fn of_channels() -> Vec<Request> {
    let query = json!({
        "filter_conditions": { "members": { "$in": ["jane"] } }, "sort": [{ "field": "last_message_at" }],
        "limit": 10, "offset": 0, "member_limit": 5, "message_limit": 5, "state": true, "user_id": "jane"
    });
    let member = json!({ "user_id": "jane", "channel_role": "channel_member", "custom": { "a": 1 } });
    let get_or_create = json!({
        "data": { "created_by_id": "jane", "members": [member], "custom": { "topic": "a" }, "frozen": false },
        "messages": { "limit": 5, "id_lt": "m2" }, "members": { "limit": 5, "offset": 0 }, "state": true,
        "hide_for_creator": false, "thread_unread_counts": false, "member_custom_include": ["a"]
    });
    let distinct = json!({
        "data": { "created_by_id": "jane", "members": [{ "user_id": "jane" }, { "user_id": "joe" }] },
    });
    let update = json!({
        "data": { "custom": { "topic": "b" }, "frozen": false, "filter_tags": ["a"] }, "user_id": "jane",
        "add_members": [{ "user_id": "joe" }], "remove_members": [], "cooldown": 0, "skip_push": true,
        "message": { "text": "changed", "user_id": "jane" }
    });
    let members = json!({
        "type": "messaging", "id": "general", "filter_conditions": { "name": { "$autocomplete": "j" } },
        "sort": [{ "field": "user_id", "direction": 1 }], "limit": 10, "offset": 0
    });
    let read = vec![
        ("state", json!(true)),
        ("messages_limit", json!(5)),
        ("messages_id_lt", json!("m2")),
        ("members_limit", json!(5)),
        ("user_id", json!("jane")),
    ];
    let filter = json!({
        "name": "new", "operation": "QueryChannels", "filter": { "members": { "$in": ["{{who}}"] } },
        "sort": [{ "field": "created_at", "direction": -1 }], "description": "for tests"
    });
    let replaced = json!({
        "operation": "QueryChannels", "filter": { "type": "messaging" }, "sort": [{ "field": "cid" }],
        "description": "for tests"
    });
    const STORED: &str = "/api/v2/chat/predefined_filters/stored";
    vec![
        Request::get("list_predefined_filters", "/api/v2/chat/predefined_filters", vec![]),
        Request::post("create_predefined_filter", "/api/v2/chat/predefined_filters", filter),
        Request::get("get_predefined_filter", STORED, vec![]),
        Request::put("update_predefined_filter", STORED, replaced),
        Request::delete("delete_predefined_filter", "/api/v2/chat/predefined_filters/unneeded", vec![]),
        Request::post("query_channels", "/api/v2/chat/channels", query),
        Request::post(
            "get_or_create_channel",
            "/api/v2/chat/channels/messaging/general/query",
            get_or_create,
        ),
        Request::post("get_or_create_distinct_channel", "/api/v2/chat/channels/messaging/query", distinct),
        Request::get("get_channel", "/api/v2/chat/channels/messaging/general", read),
        Request::post("update_channel", "/api/v2/chat/channels/messaging/general", update),
        Request::get("query_members", "/api/v2/chat/members", vec![("payload", members)]),
        Request::delete(
            "delete_channel",
            "/api/v2/chat/channels/messaging/doomed",
            vec![("hard_delete", json!(false))],
        ),
    ]
}

fn of_single_fields_and_history() -> Vec<Request> {
    let partial = json!({
        "set": { "color": "red", "address.city": "Utrecht", "cooldown": 0, "filter_tags": ["a"],
                 "config_overrides.max_message_length": 4000 },
        "unset": ["topic"], "user_id": "jane"
    });
    let of_member = json!({ "set": { "pinned": true, "archived": false, "nick": "j" }, "unset": ["a"] });
    let mut member =
        Request::patch("update_member_partial", "/api/v2/chat/channels/messaging/general/member", of_member);
    member.query.push(("user_id", json!("jane")));
    let hide = json!({ "user_id": "joe", "clear_history": false });
    let truncate = json!({
        "hard_delete": true, "skip_push": true, "truncated_at": "2026-01-01T00:00:00Z", "user_id": "jane",
        "member_ids": [], "message": { "text": "all gone", "user_id": "jane" }
    });
    vec![
        Request::patch("update_channel_partial", "/api/v2/chat/channels/messaging/general", partial),
        member,
        Request::post("hide_channel", "/api/v2/chat/channels/messaging/cut/hide", hide),
        Request::post(
            "show_channel",
            "/api/v2/chat/channels/messaging/cut/show",
            json!({ "user_id": "joe" }),
        ),
        Request::post("truncate_channel", "/api/v2/chat/channels/messaging/cut/truncate", truncate),
    ]
}

fn of_messages() -> Vec<Request> {
    let send = json!({
        "message": {
            "text": "hello", "user_id": "jane", "type": "regular", "silent": false, "show_in_channel": true,
            "parent_id": "m1", "quoted_message_id": "m2", "mentioned_users": ["joe"], "custom": { "a": [1] },
            "attachments": [{ "type": "image", "title": "t", "original_width": 5, "custom": { "a": 1 } }],
            "pinned": true, "pin_expires": "2030-01-01T00:00:00Z", "mentioned_roles": ["user"],
            "mentioned_here": false, "mentioned_channel": false, "html": "", "mml": ""
        },
        "skip_push": true, "include_channel_context": true, "include_mentioned_members": true,
        "keep_channel_hidden": false, "pending": false, "skip_enrich_url": true, "force_moderation": false
    });
    let update = json!({
        "message": { "text": "edited", "user_id": "jane", "custom": { "a": 1 }, "attachments": [] },
        "skip_enrich_url": true, "skip_push": true
    });
    let partial = json!({
        "set": {
            "text": "edited", "attachments": [{ "type": "image" }], "mentioned_users": ["joe"], "x.y": 1,
            "pinned": true, "pin_expires": "2030-01-01T00:00:00Z", "custom": { "c": 2 }, "silent": false
        },
        "unset": ["quoted_message_id", "html", "d.e"], "user_id": "jane",
        "skip_enrich_url": true, "skip_push": true
    });
    let history = json!({
        "filter": {
            "message_id": { "$in": ["m1", "d1"] }, "message_updated_by_id": "jane", "x.y": { "$exists": false },
            "message_updated_at": { "$gt": "2020-01-01T00:00:00Z" }
        },
        "limit": 10, "sort": [{ "field": "message_updated_at", "direction": 1 }], "next": "", "prev": ""
    });
    let payload = json!({
        "filter_conditions": { "type": "messaging" }, "limit": 10,
        "message_filter_conditions": {
            "text": { "$q": "word" }, "created_at": { "$gt": "2020-01-01T00:00:00Z" },
            "$or": [{ "pinned": true }, { "color": { "$in": ["red"] } }, { "id": "m1" }]
        },
        "sort": [{ "field": "created_at", "direction": -1 }]
    });
    let replies = vec![
        ("limit", json!(5)),
        ("id_gte", json!("r1")),
        ("sort", json!([{ "field": "created_at", "direction": 1 }])),
    ];
    let deletion = vec![("hard", json!(true)), ("deleted_by", json!("jane"))];
    let many = "/api/v2/chat/channels/messaging/general/messages";
    let pinned = json!({ "limit": 2, "pinned_at_before": "2040-01-01T00:00:00Z", "sort": [{ "field": "pinned_at", "direction": -1 }],
                         "user_id": "jane" });
    vec![
        Request::post("send_message", "/api/v2/chat/channels/messaging/general/message", send),
        Request::get("get_message", "/api/v2/chat/messages/m1", vec![("show_deleted_message", json!(true))]),
        Request::get("get_many_messages", many, vec![("ids", json!("m1,m2"))]),
        Request::post("update_message", "/api/v2/chat/messages/m2", update),
        Request::put("update_message_partial", "/api/v2/chat/messages/m2", partial),
        Request::post(
            "undelete_message",
            "/api/v2/chat/messages/d1/undelete",
            json!({ "undeleted_by": "jane" }),
        ),
        Request::post("query_message_history", "/api/v2/chat/messages/history", history),
        Request::delete("delete_message", "/api/v2/chat/messages/m9", deletion),
        Request::get("get_replies", "/api/v2/chat/messages/m1/replies", replies),
        Request::get(
            "get_pinned_messages",
            "/channels/messaging/general/pinned_messages",
            vec![("payload", pinned)],
        ),
        Request::get("search", "/api/v2/chat/search", vec![("payload", payload)]),
    ]
}

fn of_mutes_and_blocks() -> Vec<Request> {
    let mute = json!({ "channel_cids": ["messaging:general"], "expiration": 60_000, "user_id": "jane" });
    let block = json!({ "blocked_user_id": "joe", "user_id": "jane" });
    vec![
        Request::post("mute_channel", "/api/v2/chat/moderation/mute/channel", mute.clone()),
        Request::post("unmute_channel", "/api/v2/chat/moderation/unmute/channel", mute),
        Request::post("block_users", "/api/v2/users/block", block.clone()),
        Request::get("get_blocked_users", "/api/v2/users/block", vec![("user_id", json!("jane"))]),
        Request::post("unblock_users", "/api/v2/users/unblock", block),
    ]
}

fn of_moderation_and_events() -> Vec<Request> {
    let ban = json!({
        "target_user_id": "joe", "banned_by_id": "jane", "channel_cid": "messaging:general", "timeout": 5,
        "reason": "spam", "shadow": true, "ip_ban": true, "delete_messages": "soft",
        "ban_from_future_channels": true
    });
    let mute = json!({ "target_ids": ["joe"], "timeout": 5, "user_id": "jane" });
    let flag = json!({
        "entity_type": "message", "entity_id": "m1", "reason": "spam", "user_id": "joe", "custom": { "a": 1 },
        "moderation_payload": { "texts": ["a"] }
    });
    let bans = json!({
        "filter_conditions": {
            "user_id": "joe", "channel_cid": { "$in": ["messaging:general"] }, "reason": { "$autocomplete": "s" },
            "created_at": { "$gt": "2020-01-01T00:00:00Z" }
        },
        "sort": [{ "field": "created_at", "direction": 1 }], "exclude_expired_bans": true, "limit": 5, "offset": 0,
        "user_id": "jane"
    });
    let future = json!({
        "target_user_id": "joe", "exclude_expired_bans": true, "include_total": true, "limit": 5, "offset": 0,
        "user_id": "jane"
    });
    let flags = json!({
        "filter_conditions": { "message_id": { "$in": ["m1"] }, "is_reviewed": false }, "limit": 5, "offset": 0,
        "sort": [{ "field": "created_at", "direction": -1 }], "show_deleted_messages": true, "user_id": "jane"
    });
    let reports = json!({ "filter_conditions": { "is_reviewed": false }, "limit": 5, "offset": 0 });
    let unban = vec![
        ("target_user_id", json!("joe")),
        ("channel_cid", json!("messaging:general")),
        ("remove_future_channels_ban", json!(true)),
    ];
    let event = json!({
        "event": { "type": "party", "user_id": "jane", "parent_id": "m1", "custom": { "a": 1 } }
    });
    let own = json!({ "event": { "type": "party", "custom": { "a": 1 } } });
    vec![
        Request::post("send_event", "/api/v2/chat/channels/messaging/general/event", event),
        Request::post("send_user_custom_event", "/api/v2/chat/users/jane/event", own),
        Request::post("flag", "/api/v2/moderation/flag", flag),
        Request::get(
            "query_message_flags",
            "/api/v2/chat/moderation/flags/message",
            vec![("payload", flags)],
        ),
        Request::post("query_flag_reports", "/moderation/reports", reports),
        Request::post("ban", "/api/v2/moderation/ban", ban),
        Request::get("query_banned_users", "/api/v2/chat/query_banned_users", vec![("payload", bans)]),
        Request::get(
            "query_future_channel_bans",
            "/api/v2/chat/query_future_channel_bans",
            vec![("payload", future)],
        ),
        Request {
            query: unban,
            ..Request::post("unban", "/api/v2/moderation/unban", json!({ "unbanned_by_id": "jane" }))
        },
        Request::post("mute", "/api/v2/moderation/mute", mute.clone()),
        Request::post("unmute", "/api/v2/moderation/unmute", mute),
    ]
}

fn of_reactions_and_reads() -> Vec<Request> {
    let reaction = json!({
        "reaction": { "type": "like", "user_id": "jane", "score": 2, "custom": { "a": 1 } },
        "enforce_unique": false, "skip_push": true
    });
    let page = vec![("limit", json!(5)), ("offset", json!(0))];
    let user = vec![("user_id", json!("joe"))];
    let query = json!({
        "filter": {
            "type": { "$in": ["like", "gone"] }, "user_id": "joe", "created_at": { "$gt": "2020-01-01T00:00:00Z" }
        },
        "sort": [{ "field": "created_at", "direction": -1 }], "limit": 5, "next": "", "prev": "",
        "user_id": "joe"
    });
    vec![
        Request::post("query_reactions", "/api/v2/chat/messages/m1/reactions", query),
        Request::post("send_reaction", "/api/v2/chat/messages/m1/reaction", reaction),
        Request::delete("delete_reaction", "/api/v2/chat/messages/m1/reaction/gone", user.clone()),
        Request::get("get_reactions", "/api/v2/chat/messages/m1/reactions", page),
        Request::post(
            "mark_read",
            "/api/v2/chat/channels/messaging/general/read",
            json!({ "user_id": "joe", "message_id": "m1" }),
        ),
        Request::get("unread_counts", "/api/v2/chat/unread", user.clone()),
        Request::post(
            "mark_channels_read",
            "/api/v2/chat/channels/read",
            json!({ "user_id": "joe", "read_by_channel": { "messaging:general": "m1" } }),
        ),
        Request::post(
            "mark_unread",
            "/api/v2/chat/channels/messaging/general/unread",
            json!({ "user_id": "joe", "message_id": "m1" }),
        ),
        Request {
            query: user,
            ..Request::post(
                "mark_delivered",
                "/api/v2/chat/channels/delivered",
                json!({ "latest_delivered_messages": [{ "cid": "messaging:general", "id": "m1" }] }),
            )
        },
        Request::post(
            "unread_counts_batch",
            "/api/v2/chat/unread_batch",
            json!({ "user_ids": ["jane", "joe", "nobody"] }),
        ),
    ]
}

fn of_threads() -> Vec<Request> {
    let query = json!({
        "user_id": "joe", "limit": 5, "reply_limit": 2, "participant_limit": 5, "member_limit": 5,
        "filter": {
            "has_unread": false, "channel_cid": { "$in": ["messaging:general"] }, "reply_count": { "$gte": 1 },
            "created_at": { "$gt": "2020-01-01T00:00:00Z" }
        },
        "sort": [{ "field": "last_message_at", "direction": -1 }, { "field": "parent_message_id" }]
    });
    let limits = vec![("reply_limit", json!(2)), ("participant_limit", json!(5)), ("member_limit", json!(5))];
    let update = json!({ "set": { "title": "t", "color.a": "red" }, "unset": ["size"], "user_id": "joe" });
    vec![
        Request::post("query_threads", "/api/v2/chat/threads", query),
        Request::get("get_thread", "/api/v2/chat/threads/m1", limits),
        Request {
            method: "PATCH",
            ..Request::post("update_thread_partial", "/api/v2/chat/threads/m1", update)
        },
    ]
}
