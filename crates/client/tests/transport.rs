//! What goes over the wire, what comes back, and what is repeated.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Script, Step};
use natterjack_client::protocol::ErrorCode;
use natterjack_client::protocol::channels::{
    GetChannelQuery, GetOrCreateChannelRequest, UpdateChannelRequest,
};
use natterjack_client::protocol::messages::{MessageRequest, SendMessageRequest};
use natterjack_client::protocol::users::QueryUsersPayload;
use natterjack_client::{Client, Error, Filter, RetryPolicy, TransportFailure};
use serde_json::json;

fn hello(id: Option<&str>) -> SendMessageRequest {
    let message = MessageRequest {
        id: id.map(str::to_owned),
        text: Some("hello".to_owned()),
        user_id: Some("jane".to_owned()),
        ..Default::default()
    };
    SendMessageRequest { message, ..Default::default() }
}

fn stored(cid: &str, author: &str) -> Step {
    let message = json!({"id": "m1", "cid": cid, "text": "hello", "user": {"id": author}});
    Step::json(200, &json!({"message": message, "duration": "1.00ms"}))
}

fn already_exists() -> Step {
    Step::error(400, 4, "SendMessage failed with error: \"a message with ID m1 already exists\"")
}

#[tokio::test]
async fn requests_carry_key_token_headers_and_encoded_path() {
    let script = Script::start(vec![Step::json(200, &json!({"duration": "1.00ms"}))]).await;
    let query = GetChannelQuery { state: Some(true), user_id: Some("a&b".to_owned()), ..Default::default() };
    script.client().chat().get_channel("mes/sage", "!members-ü ", query).await.unwrap();

    let seen = script.seen();
    let seen = &seen[0];
    assert_eq!(seen.method, "GET");
    assert_eq!(seen.path(), "/api/v2/chat/channels/mes%2Fsage/!members-%C3%BC%20");
    assert_eq!(seen.query("api_key").unwrap(), "key");
    assert_eq!(seen.query("state").unwrap(), "true");
    assert_eq!(seen.query("user_id").unwrap(), "a&b");
    assert_eq!(seen.query("messages_limit"), None);
    assert_eq!(seen.header("stream-auth-type").unwrap(), "jwt");
    assert!(seen.header("x-stream-client").unwrap().starts_with("natterjack-rust-client-"));
    assert!(seen.header("accept-encoding").unwrap().contains("gzip"));
    assert_eq!(seen.header("authorization").unwrap().split('.').count(), 3);
    assert_eq!(seen.header("content-type"), None);
    assert_eq!(seen.body, "");
}

#[tokio::test]
async fn payloads_and_bodies_are_json() {
    let script = Script::start(vec![
        Step::json(200, &json!({"users": []})),
        Step::json(201, &json!({"channel": {"id": "general"}})),
    ])
    .await;
    let client = script.client();
    let query = QueryUsersPayload {
        filter_conditions: Filter::eq("id", "jane").into(),
        limit: Some(2),
        ..Default::default()
    };
    client.common().query_users(query).await.unwrap();
    let reply = client
        .chat()
        .get_or_create_channel("messaging", "general", GetOrCreateChannelRequest::default())
        .await
        .unwrap();
    assert_eq!(reply.channel.as_ref().unwrap().id, "general");
    assert_eq!((reply.status, reply.duration.as_str()), (201, ""));

    let seen = script.seen();
    let payload: serde_json::Value = serde_json::from_str(&seen[0].query("payload").unwrap()).unwrap();
    assert_eq!(payload, json!({"filter_conditions": {"id": {"$eq": "jane"}}, "limit": 2}));
    assert_eq!(seen[1].json(), json!({}));
    assert_eq!(seen[1].header("content-type").unwrap(), "application/json");
    assert_eq!(seen[0].header("authorization"), seen[1].header("authorization"), "the token is kept");
}

#[tokio::test]
async fn a_given_token_and_name_are_sent() {
    let script = Script::start(vec![Step::json(200, &json!({}))]).await;
    let client = Client::builder("key", "")
        .base_url(&script.base_url)
        .token("a.b.c")
        .client_name("shop-1.2")
        .build()
        .unwrap();
    client.chat().list_channel_types().await.unwrap();
    let seen = script.seen();
    assert_eq!(seen[0].header("authorization").unwrap(), "a.b.c");
    assert_eq!(seen[0].header("x-stream-client").unwrap(), "shop-1.2");
    assert!(client.create_server_token().is_err());
}

#[tokio::test]
async fn replies_tell_duration_and_rate_limit() {
    let answer = Step::json(200, &json!({"duration": "12.48ms"}))
        .with_header("X-RateLimit-Limit", "1000")
        .with_header("X-RateLimit-Remaining", "998")
        .with_header("X-RateLimit-Reset", "1700000000");
    let script = Script::start(vec![answer]).await;
    let reply = script.client().chat().list_channel_types().await.unwrap();
    assert_eq!(reply.duration, "12.48ms");
    assert_eq!((reply.rate_limit.limit, reply.rate_limit.remaining), (Some(1000), Some(998)));
    assert_eq!(reply.rate_limit.reset.unwrap().nanoseconds(), 1_700_000_000_000_000_000);
}

#[tokio::test]
async fn errors_keep_what_the_server_says() {
    let body = json!({"code": 17, "message": "no", "StatusCode": 403, "exception_fields": {"a": "b"}});
    let steps =
        vec![Step::json(403, &body), Step::Answer(502, Vec::new(), "<h1>Bad gateway</h1>".to_owned())];
    let script = Script::start(steps).await;
    let client = Client::builder("key", "secret")
        .base_url(&script.base_url)
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let error = client.chat().list_channel_types().await.unwrap_err();
    assert_eq!((error.code(), error.status()), (Some(ErrorCode::NotAllowed), Some(403)));
    assert!(!error.is_retryable() && !error.is_outcome_unknown());
    let Error::Api { message, body: Some(body), .. } = error else { panic!("{error:?}") };
    assert_eq!((message.as_str(), body.exception_fields["a"].as_str()), ("no", "b"));

    let error = client.chat().list_channel_types().await.unwrap_err();
    assert!(error.is_retryable() && error.is_outcome_unknown());
    let Error::Api { code, message, body: None, .. } = error else { panic!("{error:?}") };
    assert_eq!((code, message.as_str()), (ErrorCode::Internal, "<h1>Bad gateway</h1>"));
}

#[tokio::test]
async fn wrong_shapes_are_named_by_path() {
    let script = Script::start(vec![
        Step::json(200, &json!({"message": {"id": "m1", "reply_count": "many"}})),
        Step::Answer(200, Vec::new(), "not json".to_owned()),
    ])
    .await;
    let client = script.client();
    for expected in ["message.reply_count", "."] {
        let error = client.chat().get_message("m1", Default::default()).await.unwrap_err();
        assert!(!error.is_retryable());
        let Error::Decode { path, status: 200, .. } = error else { panic!("{error:?}") };
        assert_eq!(path, expected);
    }
}

#[tokio::test]
async fn segments_that_change_the_path_are_not_sent() {
    let script = Script::start(Vec::new()).await;
    for id in ["", ".", ".."] {
        let error = script.client().chat().get_message(id, Default::default()).await.unwrap_err();
        assert!(matches!(error, Error::Request { .. }), "{error:?}");
    }
    assert_eq!(script.seen().len(), 0);
}

#[tokio::test]
async fn a_rate_limited_call_comes_back_after_the_asked_wait() {
    let script = Script::start(vec![
        Step::error(429, 9, "slow down").with_header("Retry-After", "0"),
        Step::error(429, 9, "slow down").with_header("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"),
        stored("messaging:general", "jane"),
    ])
    .await;
    // A refused call was not carried out, so even a message without an id is sent again.
    script.client().chat().send_message("messaging", "general", hello(None)).await.unwrap();
    assert_eq!(script.seen().len(), 3);
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_left_to_the_caller() {
    let script =
        Script::start(vec![Step::error(429, 9, "slow down").with_header("Retry-After", "3600")]).await;
    let error = script.client().chat().list_channel_types().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test]
async fn repeatable_calls_survive_lost_connections_and_server_errors() {
    let script =
        Script::start(vec![Step::Close, Step::error(500, -1, "oops"), Step::json(200, &json!({}))]).await;
    script.client().chat().list_channel_types().await.unwrap();
    assert_eq!(script.seen().len(), 3);
}

#[tokio::test]
async fn calls_are_made_three_times_at_most() {
    let script = Script::start(vec![Step::Close, Step::Close, Step::Close]).await;
    let error = script.client().chat().list_channel_types().await.unwrap_err();
    let Error::Transport { failure: TransportFailure::Interrupted, .. } = error else { panic!("{error:?}") };
    assert_eq!(script.seen().len(), 3);
}

#[tokio::test]
async fn refusals_are_final() {
    let body = json!({"code": -1, "message": "never", "StatusCode": 500, "unrecoverable": true});
    let script = Script::start(vec![Step::error(404, 16, "gone"), Step::json(500, &body)]).await;
    script.client().chat().list_channel_types().await.unwrap_err();
    script.client().chat().list_channel_types().await.unwrap_err();
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test]
async fn unreachable_servers_are_told_apart() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client =
        Client::builder("key", "secret").base_url(base_url).retry(RetryPolicy::none()).build().unwrap();
    let error = client.chat().list_channel_types().await.unwrap_err();
    assert!(error.is_retryable() && !error.is_outcome_unknown());
    let Error::Transport { failure: TransportFailure::Connect, source } = error else { panic!("{error:?}") };
    assert!(!source.to_string().contains("api_key"), "{source}");
}

#[tokio::test]
async fn a_message_without_id_is_not_sent_twice() {
    for step in [Step::Close, Step::error(500, -1, "oops"), Step::error(408, 23, "timeout")] {
        let script = Script::start(vec![step, stored("messaging:general", "jane")]).await;
        let error =
            script.client().chat().send_message("messaging", "general", hello(None)).await.unwrap_err();
        assert!(error.is_outcome_unknown(), "{error:?}");
        assert_eq!(script.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_message_without_id_is_not_sent_twice_after_a_timeout() {
    let script = Script::start(vec![Step::Hang, stored("messaging:general", "jane")]).await;
    let client = Client::builder("key", "secret")
        .base_url(&script.base_url)
        .timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    let error = client.chat().send_message("messaging", "general", hello(None)).await.unwrap_err();
    let Error::Transport { failure: TransportFailure::Timeout, .. } = error else { panic!("{error:?}") };
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test]
async fn a_message_with_id_that_was_stored_is_fetched() {
    let script =
        Script::start(vec![Step::Close, already_exists(), stored("messaging:general", "jane")]).await;
    let sent = script.client().chat().send_message("messaging", "general", hello(Some("m1"))).await.unwrap();
    assert_eq!(sent.message.text, "hello");
    let seen = script.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].json(), seen[1].json());
    assert_eq!((seen[2].method.as_str(), seen[2].path()), ("GET", "/api/v2/chat/messages/m1"));
}

#[tokio::test]
async fn an_id_that_was_taken_before_stays_an_error() {
    // Nothing went wrong before the refusal, so the message is somebody else's.
    let script = Script::start(vec![already_exists()]).await;
    let error =
        script.client().chat().send_message("messaging", "general", hello(Some("m1"))).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::Input));
    assert_eq!(script.seen().len(), 1);

    for other in [stored("messaging:other", "jane"), stored("messaging:general", "joe")] {
        let script = Script::start(vec![Step::Close, already_exists(), other]).await;
        let error =
            script.client().chat().send_message("messaging", "general", hello(Some("m1"))).await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::Input));
    }
}

#[tokio::test]
async fn a_channel_update_with_a_message_is_not_made_twice() {
    let script = Script::start(vec![Step::Close]).await;
    let message = Some(MessageRequest { text: Some("joe joined".to_owned()), ..Default::default() });
    let request = UpdateChannelRequest { message, ..Default::default() };
    script.client().chat().update_channel("messaging", "general", request).await.unwrap_err();
    assert_eq!(script.seen().len(), 1);

    let script = Script::start(vec![Step::Close, Step::json(201, &json!({}))]).await;
    let request = UpdateChannelRequest::default();
    script.client().chat().update_channel("messaging", "general", request).await.unwrap();
    assert_eq!(script.seen().len(), 2);
}

#[test]
fn clients_and_calls_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    fn is_shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let client = Client::builder("key", "secret").build().unwrap();
    is_shared(&client);
    let chat = client.chat();
    is_send(&chat.send_message("messaging", "general", SendMessageRequest::default()));
    is_send(&chat.query_channels_stream(Default::default()));
}

#[tokio::test]
async fn a_provider_is_asked_once_and_again_when_its_token_has_expired() {
    let expired = || Step::error(401, 40, "Token is expired");
    let script = Script::start(vec![
        Step::json(200, &json!({})),
        expired(),
        Step::json(200, &json!({})),
        expired(),
        expired(),
    ])
    .await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let provider = move || {
        let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Ok::<_, std::io::Error>(format!("token.{number}.x")) }
    };
    let client =
        Client::builder("key", "").base_url(&script.base_url).token_provider(provider).build().unwrap();
    client.chat().list_channel_types().await.unwrap();
    client.chat().list_channel_types().await.unwrap();
    let refused = client.chat().list_channel_types().await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::TokenExpired));

    let seen = script.seen();
    let tokens: Vec<&str> = seen.iter().map(|seen| seen.header("authorization").unwrap()).collect();
    assert_eq!(tokens, ["token.1.x", "token.1.x", "token.2.x", "token.2.x", "token.3.x"]);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_provider_that_fails_sends_nothing() {
    let script = Script::start(Vec::new()).await;
    let provider = || async { Err::<String, _>("no session") };
    let client =
        Client::builder("key", "").base_url(&script.base_url).token_provider(provider).build().unwrap();
    let failed = client.chat().list_channel_types().await.unwrap_err();
    assert!(matches!(failed, Error::Token { .. }), "{failed:?}");
    assert!(script.seen().is_empty());
}
