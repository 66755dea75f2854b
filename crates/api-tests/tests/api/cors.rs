//! Web pages from elsewhere.

use natterjack_api_tests::{TestServer, both_databases};
use natterjack_server::config::Access;

const ASKED: &str =
    "authorization,content-type,stream-auth-type,x-client-request-id,x-stream-client,x-stream-ext";

/// The answer to a browser that asks whether a page of `origin` may call.
async fn preflight(server: &TestServer, path: &str, origin: &str) -> natterjack_api_tests::RawReply {
    let request = server.raw("OPTIONS", path).without_query("api_key").without_header("authorization");
    let request = request.without_header("stream-auth-type").header("origin", origin);
    let request = request.header("access-control-request-method", "PATCH");
    request.header("access-control-request-headers", ASKED).send().await
}

both_databases! {
    async fn a_browser_that_asks_first_may_call_any_path(server: TestServer) {
        for path in ["/api/v2/chat/channels", "/api/v2/users", "/channels/messaging/general", "/nowhere"] {
            let reply = preflight(server, path, "https://example.org").await;
            assert_eq!(reply.status, 200, "{path}: {}", reply.text);
            assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{path}");
            let methods = reply.header("access-control-allow-methods").unwrap();
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                assert!(methods.contains(method), "{methods}");
            }
            let headers = reply.header("access-control-allow-headers").unwrap();
            for header in ASKED.split(',') {
                assert!(headers.contains(header), "{headers}");
            }
            assert!(reply.header("access-control-max-age").is_some());
        }
    }

    async fn a_page_may_read_answers_and_limits_also_of_what_went_wrong(server: TestServer) {
        for (path, status) in [("/api/v2/app", 200), ("/api/v2/tasks/none", 404), ("/nowhere", 404)] {
            let reply = server.raw("GET", path).header("origin", "https://example.org").send().await;
            assert_eq!(reply.status, status, "{}", reply.text);
            assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{path}");
            let exposed = reply.header("access-control-expose-headers").unwrap();
            for header in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"] {
                assert!(exposed.contains(header), "{exposed}");
            }
        }
    }

    async fn only_the_pages_that_are_named_may_call(server: TestServer) {
        let origins = Some(vec!["https://chat.example.org".parse().unwrap()]);
        let access = Access { allowed_origins: origins, ..Access::default() };
        server.beside_with(access, async |server: &TestServer| {
            let reply = preflight(server, "/api/v2/app", "https://chat.example.org").await;
            assert_eq!(reply.header("access-control-allow-origin"), Some("https://chat.example.org"));
            let reply = preflight(server, "/api/v2/app", "https://example.org").await;
            assert_eq!(reply.header("access-control-allow-origin"), None);
        }).await;
    }
}
