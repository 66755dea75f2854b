//! Streams over pages: which pages they ask for and when they end.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Script, Step};
use futures_util::{StreamExt as _, TryStreamExt as _};
use natterjack_client::protocol::channels::QueryChannelsRequest;
use natterjack_client::protocol::message_types::MessageResponse;
use natterjack_client::protocol::messages::QueryMessageHistoryRequest;
use natterjack_client::protocol::reactions::QueryReactionsRequest;
use natterjack_client::protocol::search::SearchPayload;
use serde_json::{Value, json};

fn messages(ids: &[&str]) -> Step {
    let messages: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    Step::json(200, &json!({"messages": messages}))
}

fn ids(messages: &[MessageResponse]) -> Vec<&str> {
    messages.iter().map(|message| message.id.as_str()).collect()
}

#[tokio::test]
async fn channels_are_counted_by_offset() {
    let page = |ids: &[&str]| {
        let channels: Vec<Value> = ids.iter().map(|id| json!({"channel": {"id": id}})).collect();
        Step::json(201, &json!({"channels": channels}))
    };
    let script = Script::start(vec![page(&["a", "b"]), page(&["c"])]).await;
    let request = QueryChannelsRequest { limit: Some(2), offset: Some(10), ..Default::default() };
    let found: Vec<_> = script.client().chat().query_channels_stream(request).try_collect().await.unwrap();
    assert_eq!(found.len(), 3);
    let seen = script.seen();
    assert_eq!(seen[0].json(), json!({"limit": 2, "offset": 10}));
    assert_eq!(seen[1].json(), json!({"limit": 2, "offset": 12}));
}

#[tokio::test]
async fn searches_follow_the_cursor() {
    let results = json!([{"message": {"id": "a"}}]);
    let script = Script::start(vec![
        Step::json(200, &json!({"results": results, "next": "further"})),
        Step::json(200, &json!({"results": results, "next": ""})),
    ])
    .await;
    let query = SearchPayload { query: Some("x".to_owned()), ..Default::default() };
    let found: Vec<_> = script.client().chat().search_stream(query).try_collect().await.unwrap();
    assert_eq!(found.len(), 2);
    let payload: Value = serde_json::from_str(&script.seen()[1].query("payload").unwrap()).unwrap();
    assert_eq!(payload["next"], json!("further"));
}

#[tokio::test]
async fn reactions_and_history_follow_the_cursor() {
    let page = |list: &str, next: Value| Step::json(201, &json!({list: [{}], "next": next}));
    let script = Script::start(vec![
        page("reactions", json!("further")),
        page("reactions", Value::Null),
        page("message_history", json!("on")),
        page("message_history", json!("")),
    ])
    .await;
    let request =
        QueryReactionsRequest { limit: Some(1), prev: Some("back".to_owned()), ..Default::default() };
    let client = script.client();
    let found: Vec<_> = client.chat().query_reactions_stream("m1", request).try_collect().await.unwrap();
    assert_eq!(found.len(), 2);
    let request = QueryMessageHistoryRequest::default();
    let found: Vec<_> = client.chat().query_message_history_stream(request).try_collect().await.unwrap();
    assert_eq!(found.len(), 2);
    let seen = script.seen();
    assert_eq!(seen[1].json(), json!({"limit": 1, "next": "further"}));
    assert_eq!(seen[3].json(), json!({"filter": {}, "next": "on"}));
}

#[tokio::test]
async fn messages_are_walked_from_the_newest() {
    let script = Script::start(vec![messages(&["c", "d"]), messages(&["a", "b"]), messages(&[])]).await;
    let stream = script.client().chat().messages_stream("messaging", "general", 2);
    let found: Vec<_> = stream.try_collect().await.unwrap();
    assert_eq!(ids(&found), ["d", "c", "b", "a"]);
    let pivots: Vec<_> = script.seen().iter().map(|seen| seen.query("messages_id_lt")).collect();
    assert_eq!(pivots, [None, Some("c".to_owned()), Some("a".to_owned())]);
}

#[tokio::test]
async fn messages_are_walked_from_the_oldest() {
    let script = Script::start(vec![messages(&["c"]), messages(&["a", "b"]), messages(&["c"])]).await;
    let stream = script.client().chat().messages_stream_oldest_first("messaging", "general", 2);
    let found: Vec<_> = stream.try_collect().await.unwrap();
    assert_eq!(ids(&found), ["a", "b", "c"]);
    let seen = script.seen();
    assert_eq!(seen[1].json()["messages"], json!({"created_at_after_or_equal": 0, "limit": 2}));
    assert_eq!(seen[2].query("messages_id_gt").unwrap(), "b");
}

#[tokio::test]
async fn a_missing_channel_is_not_created() {
    let script = Script::start(vec![Step::error(404, 16, "no such channel")]).await;
    let stream = script.client().chat().messages_stream_oldest_first("messaging", "general", 2);
    assert_eq!(stream.try_collect::<Vec<_>>().await.unwrap_err().status(), Some(404));
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test]
async fn a_stream_ends_after_its_first_error() {
    let script = Script::start(vec![Step::error(400, 4, "no")]).await;
    let mut stream = script.client().chat().replies_stream("m1");
    assert!(stream.next().await.unwrap().is_err());
    assert!(stream.next().await.is_none());
    let sort: Value = serde_json::from_str(&script.seen()[0].query("sort").unwrap()).unwrap();
    assert_eq!(sort, json!({"field": "created_at", "direction": 1}));
}

#[tokio::test]
async fn pages_are_fetched_when_they_are_needed() {
    let script = Script::start(vec![messages(&["a", "b"])]).await;
    let mut stream = script.client().chat().messages_stream("messaging", "general", 2);
    assert_eq!(script.seen().len(), 0);
    assert_eq!(stream.try_next().await.unwrap().unwrap().id, "b");
    assert_eq!(script.seen().len(), 1);
}
