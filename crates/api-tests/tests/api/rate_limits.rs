//! How often callers may call.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_client::protocol::CommaList;
use natterjack_client::protocol::rate_limits::GetRateLimitsQuery;
use natterjack_server::config::{Access, RateLimitSettings};
use serde_json::json;

/// A server that allows so many calls to `GetApp`, and 3 of each user.
fn limited(get_app: u64) -> Access {
    let operations = [("GetApp".to_owned(), get_app)].into();
    let rate_limits = RateLimitSettings { enabled: true, per_user: 3, operations };
    Access { rate_limits, ..Access::default() }
}

async fn get_app(server: &TestServer) -> RawReply {
    server.raw("GET", "/api/v2/app").send().await
}

/// Who has read which messages, asked by a user.
async fn unread(server: &TestServer, user_id: &str) -> RawReply {
    server.raw("GET", "/api/v2/chat/unread").as_user(user_id).send().await
}

fn number(reply: &RawReply, header: &str) -> u64 {
    reply.header(header).unwrap_or_else(|| panic!("{header} is missing")).parse().unwrap()
}

both_databases! {
    async fn every_answer_has_the_headers_and_nothing_is_refused_by_default(server: TestServer) {
        for calls in 1..70 {
            let reply = server.raw("GET", "/api/v2/chat/channeltypes").send().await;
            assert_eq!(reply.status, 200);
            assert_eq!(number(&reply, "x-ratelimit-limit"), 60);
            // They are counted, but another call is always allowed.
            assert_eq!(number(&reply, "x-ratelimit-remaining"), 60_u64.saturating_sub(calls).max(1));
            assert_eq!(number(&reply, "x-ratelimit-reset") % 60, 0);
        }
    }

    async fn calls_beyond_the_limit_are_refused_until_the_next_minute(server: TestServer) {
        server.beside_with(limited(60), async |server: &TestServer| {
            for second in 0..30 {
                for call in 0..2 {
                    let reply = get_app(server).await;
                    assert_eq!(reply.status, 200, "{}", reply.text);
                    assert_eq!(number(&reply, "x-ratelimit-remaining"), 59 - second * 2 - call);
                }
                server.advance(Duration::from_secs(1));
            }
            let reply = get_app(server).await;
            reply.expect_error(429, 9, "Too many requests");
            assert_eq!(number(&reply, "x-ratelimit-remaining"), 0);
            // The clock of the test began five seconds after the minute.
            assert_eq!(number(&reply, "retry-after"), 25);
            let other = server.raw("GET", "/api/v2/chat/channeltypes").send().await;
            assert_eq!(other.status, 200, "other operations have limits of their own");
            server.advance(Duration::from_secs(25));
            assert_eq!(get_app(server).await.status, 200);
        }).await;
    }

    async fn a_second_has_a_thirtieth_of_the_minutes_calls(server: TestServer) {
        server.beside_with(limited(90), async |server: &TestServer| {
            for _ in 0..3 {
                assert_eq!(get_app(server).await.status, 200);
            }
            let reply = get_app(server).await;
            reply.expect_error(429, 9, "Too many requests");
            assert_eq!(number(&reply, "retry-after"), 1);
            server.advance(Duration::from_secs(1));
            assert_eq!(get_app(server).await.status, 200);
        }).await;
    }

    async fn users_have_a_limit_each_and_servers_none(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.beside_with(limited(10_000), async |server: &TestServer| {
            for _ in 0..3 {
                assert_eq!(unread(server, "jane").await.status, 200);
            }
            unread(server, "jane").await.expect_error(429, 9, "Too many requests");
            assert_eq!(unread(server, "joe").await.status, 200);
            for _ in 0..5 {
                assert_eq!(get_app(server).await.status, 200);
            }
            server.advance(Duration::from_secs(60));
            assert_eq!(unread(server, "jane").await.status, 200);
        }).await;
    }

    async fn platforms_have_windows_of_their_own(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.beside_with(limited(10_000), async |server: &TestServer| {
            for library in ["stream-chat-swift-client-v4.0", "stream-chat-android-6.0"] {
                let request = server.raw("GET", "/api/v2/chat/unread").as_user("jane");
                let reply = request.header("x-stream-client", library).send().await;
                assert_eq!(number(&reply, "x-ratelimit-remaining"), 999, "{library}");
            }
            let request = server.raw("GET", "/api/v2/chat/unread").as_user("joe");
            let reply = request.query("X-Stream-Client", "stream-chat-swift-client-v4.0").send().await;
            assert_eq!(number(&reply, "x-ratelimit-remaining"), 998);
            let query = GetRateLimitsQuery {
                endpoints: CommaList(vec!["UnreadCounts".to_owned()]),
                ..GetRateLimitsQuery::default()
            };
            let limits = server.client().common().get_rate_limits(query).await.unwrap().into_inner();
            let left = |platform: Option<std::collections::BTreeMap<String, _>>| {
                let limit: natterjack_client::protocol::rate_limits::LimitInfoResponse =
                    platform.unwrap()["UnreadCounts"];
                (limit.limit, limit.remaining)
            };
            assert_eq!(left(limits.ios), (1000, 998));
            assert_eq!(left(limits.android), (1000, 999));
            assert_eq!(left(limits.web), (1000, 1000));
            assert_eq!(left(limits.unity), (1000, 1000));
            assert_eq!(left(limits.server_side), (1000, 1000));
        }).await;
    }

    async fn limits_are_told_for_what_is_asked(server: TestServer) {
        let request = server.raw("GET", "/api/v2/rate_limits").query("server_side", "true");
        let reply = request.query("endpoints", "SendMessage,GetApp").send().await;
        let reset = reply.body["server_side"]["GetApp"]["reset"].as_i64().unwrap();
        assert_eq!(reset % 60, 0);
        assert_eq!(reply.body["server_side"], json!({
            "GetApp": { "limit": 10_000, "remaining": 10_000, "reset": reset },
            "SendMessage": { "limit": 1000, "remaining": 1000, "reset": reset },
        }));
        for platform in ["android", "ios", "web", "unity"] {
            assert!(reply.body.get(platform).is_none(), "{}", reply.text);
        }
        let reply = server.raw("GET", "/api/v2/rate_limits").send().await;
        assert_eq!(reply.body["web"]["QueryChannels"]["limit"], 10_000);
    }

    async fn limits_are_told_in_the_older_form_too(server: TestServer) {
        let request = server.raw("GET", "/rate_limits").query("server_side", "true").query("web", "true");
        let reply = request.query("endpoints", "GetRateLimits").send().await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let reset = reply.body["web"]["GetRateLimits"]["reset"].as_i64().unwrap();
        let left = |calls: i64| json!({ "GetRateLimits": { "limit": 1000, "remaining": calls, "reset": reset } });
        // The call that asks is a server's.
        assert_eq!((&reply.body["web"], &reply.body["server_side"]), (&left(1000), &left(999)));
        for platform in ["android", "ios", "unity"] {
            assert!(reply.body.get(platform).is_none(), "{}", reply.text);
        }
    }

    async fn limits_of_an_unknown_operation_are_refused(server: TestServer) {
        let request = server.raw("GET", "/api/v2/rate_limits").query("endpoints", "Nothing");
        request.send().await.expect_error(400, 4, "endpoints names \"Nothing\"");
    }

    async fn one_address_has_only_so_many_connections(server: TestServer) {
        let access = Access { connections_per_address: 2, ..Access::default() };
        server.beside_with(access, async |server: &TestServer| {
            use tokio::io::AsyncReadExt;
            let address = server.base_url().strip_prefix("http://").unwrap();
            let first = tokio::net::TcpStream::connect(address).await.unwrap();
            let second = tokio::net::TcpStream::connect(address).await.unwrap();
            let mut third = tokio::net::TcpStream::connect(address).await.unwrap();
            let mut byte = [0];
            let ended = tokio::time::timeout(Duration::from_secs(10), third.read(&mut byte)).await;
            assert!(matches!(ended.unwrap(), Ok(0) | Err(_)), "the third connection is closed");
            drop((first, second));
        }).await;
    }

    async fn a_trusted_proxy_has_as_many_connections_as_it_needs(server: TestServer) {
        let trusted_proxies = "127.0.0.1".parse().unwrap();
        let access = Access { connections_per_address: 2, trusted_proxies, ..Access::default() };
        server.beside_with(access, async |server: &TestServer| {
            let address = server.base_url().strip_prefix("http://").unwrap();
            let mut open = Vec::new();
            for _ in 0..5 {
                open.push(tokio::net::TcpStream::connect(address).await.unwrap());
            }
            assert_eq!(get_app(server).await.status, 200);
            for mut one in open {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                one.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
                let mut answer = [0; 12];
                one.read_exact(&mut answer).await.unwrap();
                assert_eq!(&answer, b"HTTP/1.1 200");
            }
        }).await;
    }
}
