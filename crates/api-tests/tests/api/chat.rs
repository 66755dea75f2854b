//! Short ways to call the operations on messages with JSON written by hand.

use natterjack_api_tests::{RawReply, TestServer};
use serde_json::{Value, json};

/// A POST of a JSON body.
pub async fn post(server: &TestServer, path: &str, body: Value) -> RawReply {
    server.raw("POST", &format!("/api/v2/chat{path}")).json(&body).send().await
}

/// A GET with query parameters.
pub async fn get(server: &TestServer, path: &str, query: &[(&str, &str)]) -> RawReply {
    let request = server.raw("GET", &format!("/api/v2/chat{path}"));
    query.iter().fold(request, |request, (name, value)| request.query(name, value)).send().await
}

/// A DELETE with query parameters.
pub async fn delete(server: &TestServer, path: &str, query: &[(&str, &str)]) -> RawReply {
    let request = server.raw("DELETE", &format!("/api/v2/chat{path}"));
    query.iter().fold(request, |request, (name, value)| request.query(name, value)).send().await
}

/// Sends a message as it is written to a channel of type messaging.
pub async fn send(server: &TestServer, channel: &str, message: Value) -> RawReply {
    post(server, &format!("/channels/messaging/{channel}/message"), json!({ "message": message })).await
}

/// Sends a message that has to be accepted.
pub async fn sent(server: &TestServer, channel: &str, message: Value) -> Value {
    ok(send(server, channel, message).await)["message"].clone()
}

/// Updates a message.
pub async fn update(server: &TestServer, id: &str, message: Value) -> RawReply {
    post(server, &format!("/messages/{id}"), json!({ "message": message })).await
}

/// Changes parts of a message.
pub async fn change(server: &TestServer, id: &str, change: Value) -> RawReply {
    server.raw("PUT", &format!("/api/v2/chat/messages/{id}")).json(&change).send().await
}

/// Reads a message that has to be there.
pub async fn message(server: &TestServer, id: &str) -> Value {
    ok(get(server, &format!("/messages/{id}"), &[]).await)["message"].clone()
}

/// Changes a channel of type messaging; the change has to be accepted.
pub async fn update_channel(server: &TestServer, id: &str, change: Value) {
    ok(post(server, &format!("/channels/messaging/{id}"), change).await);
}

/// The state of a channel of type messaging as a user sees it.
pub async fn state_for(server: &TestServer, channel: &str, user_id: &str) -> Value {
    let path = format!("/channels/messaging/{channel}");
    ok(get(server, &path, &[("state", "true"), ("user_id", user_id)]).await)
}

/// The state of a channel of type messaging as the server sees it.
pub async fn state(server: &TestServer, channel: &str) -> Value {
    ok(get(server, &format!("/channels/messaging/{channel}"), &[("state", "true")]).await)
}

/// Two users and a channel of theirs.
pub async fn jane_and_joe(server: &TestServer) {
    server.users(&["jane", "joe"]).await;
    server.channel("general", &["jane", "joe"]).await;
}

/// The body of an answer that has to be a success.
pub fn ok(reply: RawReply) -> Value {
    assert!(reply.status == 200 || reply.status == 201, "{}", reply.text);
    reply.body
}

/// The ids of messages, in their order.
pub fn ids(messages: &Value) -> Vec<&str> {
    messages.as_array().unwrap().iter().map(|message| message["id"].as_str().unwrap()).collect()
}

/// A moment that an answer gave as nanoseconds, as requests write it.
pub fn rfc3339(moment: &Value) -> String {
    natterjack_client::protocol::Timestamp::from_nanoseconds(moment.as_i64().unwrap()).to_string()
}
