//! Bans together with the address: nobody writes from where the banned user was last seen.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_server::config::Access;
use serde_json::{Value, json};

use crate::bodies::post_ok;
use crate::chat::{jane_and_joe, ok};
use crate::tasks::ended;

const OF_JOE: &str = "203.0.113.5";
const ELSEWHERE: &str = "203.0.113.6";

/// Open to callers of whom the test says where they are.
fn behind_a_proxy() -> Access {
    Access { trusted_proxies: "127.0.0.1".parse().unwrap(), ..Access::default() }
}

/// A user writes to a channel from an address.
async fn write(server: &TestServer, id: &str, channel: &str, address: &str) -> RawReply {
    let path = format!("/api/v2/chat/channels/messaging/{channel}/message");
    let message = json!({ "message": { "text": "hi" } });
    server.raw("POST", &path).as_user(id).from_address(address).json(&message).send().await
}

/// A user reads a channel from an address.
async fn read(server: &TestServer, id: &str, address: &str) {
    let request = server.raw("GET", "/api/v2/chat/channels/messaging/first").as_user(id);
    ok(request.from_address(address).send().await);
}

fn assert_is_refused(reply: &RawReply) {
    reply.expect_error(403, 17, "banned together with the address");
}

/// Jane bans joe together with the address.
async fn ban_joe(server: &TestServer, more: Value) {
    let mut request = json!({ "target_user_id": "joe", "banned_by_id": "jane", "ip_ban": true });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ok(server.raw("POST", "/api/v2/moderation/ban").json(&request).send().await);
}

async fn unban_joe(server: &TestServer) {
    let request = server.raw("POST", "/api/v2/moderation/unban").query("target_user_id", "joe");
    ok(request.json(&json!({ "unbanned_by_id": "jane" })).send().await);
}

/// Channels of jane, joe and amy.
async fn two_channels(server: &TestServer) {
    jane_and_joe(server).await;
    server.users(&["amy"]).await;
    for id in ["first", "second"] {
        server.channel(id, &["jane", "joe", "amy"]).await;
    }
}

both_databases! {
    async fn nobody_writes_from_the_address_of_a_banned_user(server: TestServer) {
        two_channels(server).await;
        server.beside_with(behind_a_proxy(), async |server| {
            read(server, "joe", OF_JOE).await;
            ban_joe(server, json!({})).await;
            assert_is_refused(&write(server, "amy", "first", OF_JOE).await);
            let new = server.raw("POST", "/api/v2/chat/channels/messaging/new/query").as_user("amy");
            assert_is_refused(&new.from_address(OF_JOE).json(&json!({})).send().await);
            // The user is banned wherever he is.
            write(server, "joe", "first", ELSEWHERE).await.expect_error(403, 17, "\"joe\" was banned");
            ok(write(server, "amy", "first", ELSEWHERE).await);
            read(server, "amy", OF_JOE).await;
            let by_server = json!({ "message": { "text": "hi", "user_id": "amy" } });
            let request = server.raw("POST", "/api/v2/chat/channels/messaging/first/message");
            ok(request.from_address(OF_JOE).json(&by_server).send().await);
            unban_joe(server).await;
            ok(write(server, "amy", "first", OF_JOE).await);
            server.check().await;
        }).await;
    }

    async fn a_ban_from_a_channel_bans_the_address_there(server: TestServer) {
        two_channels(server).await;
        server.beside_with(behind_a_proxy(), async |server| {
            read(server, "joe", OF_JOE).await;
            ban_joe(server, json!({ "channel_cid": "messaging:first" })).await;
            assert_is_refused(&write(server, "amy", "first", OF_JOE).await);
            ok(write(server, "amy", "second", OF_JOE).await);
        }).await;
    }

    async fn a_ban_of_an_address_ends_with_the_ban_or_by_another(server: TestServer) {
        two_channels(server).await;
        server.beside_with(behind_a_proxy(), async |server| {
            read(server, "joe", OF_JOE).await;
            ban_joe(server, json!({ "timeout": 5 })).await;
            assert_is_refused(&write(server, "amy", "first", OF_JOE).await);
            server.advance(Duration::from_secs(301));
            ok(write(server, "amy", "first", OF_JOE).await);
            ban_joe(server, json!({})).await;
            assert_is_refused(&write(server, "amy", "first", OF_JOE).await);
            ban_joe(server, json!({ "ip_ban": false })).await;
            ok(write(server, "amy", "first", OF_JOE).await);
            // Who is not told of a ban is told by nobody else's either.
            ban_joe(server, json!({ "shadow": true })).await;
            ok(write(server, "amy", "first", OF_JOE).await);
        }).await;
    }

    async fn a_ban_is_one_of_the_last_address(server: TestServer) {
        two_channels(server).await;
        server.beside_with(behind_a_proxy(), async |server| {
            read(server, "joe", OF_JOE).await;
            // Who calls from two places at once has the first of them for a minute.
            read(server, "joe", ELSEWHERE).await;
            ban_joe(server, json!({})).await;
            ok(write(server, "amy", "first", ELSEWHERE).await);
            unban_joe(server).await;
            server.advance(Duration::from_secs(60));
            read(server, "joe", ELSEWHERE).await;
            ban_joe(server, json!({})).await;
            assert_is_refused(&write(server, "amy", "first", ELSEWHERE).await);
            ok(write(server, "amy", "first", OF_JOE).await);
        }).await;
    }

    async fn the_address_of_a_socket_counts(server: TestServer) {
        two_channels(server).await;
        server.beside_with(behind_a_proxy(), async |server| {
            let socket = server.socket("joe").from_address(OF_JOE).open().await;
            ban_joe(server, json!({})).await;
            assert_is_refused(&write(server, "amy", "first", OF_JOE).await);
            socket.close().await;
            // Connecting from there is nothing that others would see.
            server.socket("amy").from_address(OF_JOE).open().await.close().await;
        }).await;
    }

    async fn a_network_of_ipv6_is_one_address_to_bans(server: TestServer) {
        two_channels(server).await;
        server.beside_with(behind_a_proxy(), async |server| {
            read(server, "joe", "2001:db8::5").await;
            ban_joe(server, json!({})).await;
            assert_is_refused(&write(server, "amy", "first", "2001:db8::6").await);
            ok(write(server, "amy", "first", "2001:db8:0:1::5").await);
        }).await;
    }

    async fn a_header_that_anybody_may_send_is_not_believed(server: TestServer) {
        two_channels(server).await;
        read(server, "joe", OF_JOE).await;
        ban_joe(server, json!({})).await;
        ok(write(server, "amy", "first", OF_JOE).await);
        // Nor is what calls from this machine: it may be a proxy.
        ok(write(server, "amy", "first", "127.0.0.1").await);
        server.beside_with(behind_a_proxy(), async |server| {
            ok(write(server, "amy", "first", OF_JOE).await);
        }).await;
    }

    async fn a_ban_made_in_another_process_holds_at_once(server: TestServer) {
        two_channels(server).await;
        server.beside_with(behind_a_proxy(), async |first| {
            read(first, "joe", OF_JOE).await;
            first.beside_with(behind_a_proxy(), async |second| {
                ok(write(second, "amy", "first", OF_JOE).await);
                ban_joe(first, json!({})).await;
                assert_is_refused(&write(second, "amy", "first", OF_JOE).await);
            }).await;
        }).await;
    }

    async fn the_address_of_a_user_who_is_removed_is_free_again(server: TestServer) {
        two_channels(server).await;
        server.beside_with(behind_a_proxy(), async |server| {
            read(server, "joe", OF_JOE).await;
            ban_joe(server, json!({})).await;
            assert_is_refused(&write(server, "amy", "first", OF_JOE).await);
            let deletion = json!({ "user_ids": ["joe"], "user": "hard", "messages": "hard", "conversations": "hard" });
            let answer = post_ok(server, "/api/v2/users/delete", &deletion).await;
            assert_eq!(ended(server, &answer).await["status"], "completed");
            // Settings that are asked for are looked up.
            ok(server.raw("GET", "/api/v2/app").send().await);
            ok(write(server, "amy", "first", OF_JOE).await);
        }).await;
    }
}
