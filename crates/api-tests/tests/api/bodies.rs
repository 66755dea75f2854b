//! Short forms of calls whose replies the tests look at as JSON.

use natterjack_api_tests::{RawReply, TestServer};
use serde_json::Value;

/// Sends a body with a server token.
pub async fn post(server: &TestServer, path: &str, body: &Value) -> RawReply {
    server.raw("POST", path).json(body).send().await
}

/// Sends a body and requires that the call succeeds.
pub async fn post_ok(server: &TestServer, path: &str, body: &Value) -> Value {
    let reply = post(server, path, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.body
}

/// Sends a body that changes single fields.
pub async fn patch(server: &TestServer, path: &str, body: &Value) -> RawReply {
    server.raw("PATCH", path).json(body).send().await
}

/// Sends a body that changes single fields and requires that the call succeeds.
pub async fn patch_ok(server: &TestServer, path: &str, body: &Value) -> Value {
    let reply = patch(server, path, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body
}

/// Reads with the question in one parameter.
pub async fn get(server: &TestServer, path: &str, payload: &Value) -> RawReply {
    server.raw("GET", path).query("payload", &payload.to_string()).send().await
}

/// Reads with the question in one parameter and requires that the call succeeds.
pub async fn get_ok(server: &TestServer, path: &str, payload: &Value) -> Value {
    let reply = get(server, path, payload).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.body
}

/// The texts at `pointer` of each object in a list.
pub fn texts(list: &Value, pointer: &str) -> Vec<String> {
    let each = list.as_array().unwrap().iter();
    each.map(|object| object.pointer(pointer).unwrap().as_str().unwrap().to_owned()).collect()
}

/// The texts at `pointer` of each object in a list, sorted.
pub fn sorted(list: &Value, pointer: &str) -> Vec<String> {
    let mut texts = texts(list, pointer);
    texts.sort();
    texts
}
