//! How many database statements an operation takes. In a binary of its own: all servers of a process count
//! together.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use natterjack_api_tests::{Database, TestServer};
use serde_json::json;

/// The counters of a metric, by operation.
async fn counters(server: &TestServer, metric: &str) -> BTreeMap<String, u64> {
    let text = server.raw("GET", "/metrics").send().await.text;
    let prefix = format!("{metric}{{operation=\"");
    let lines = text.lines().filter_map(|line| line.strip_prefix(&prefix)?.split_once("\"} "));
    lines.map(|(operation, count)| (operation.to_owned(), count.parse().unwrap())).collect()
}

/// The statements that each kind of transaction took, while `work` ran, per transaction.
async fn statements(server: &TestServer, work: impl AsyncFnOnce()) -> BTreeMap<String, u64> {
    let both = async || {
        let statements = counters(server, "natterjack_db_statements_total").await;
        (statements, counters(server, "natterjack_db_operations_total").await)
    };
    let before = both().await;
    work().await;
    let after = both().await;
    let mut taken = BTreeMap::new();
    for (operation, count) in &after.1 {
        let count = count - before.1.get(operation).copied().unwrap_or_default();
        // A job that ran for the first time between the two looks is in one of them only.
        let Some(statements) = after.0.get(operation) else { continue };
        let statements = statements - before.0.get(operation).copied().unwrap_or_default();
        if count > 0 {
            taken.insert(operation.clone(), statements.div_ceil(count));
        }
    }
    taken
}

/// A channel with so many members, warmed up by a first message.
async fn channel(server: &TestServer, id: &str, size: usize) {
    let members: Vec<String> = (0..size).map(|number| format!("u{number}")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    server.users(&members).await;
    server.channel(id, &members).await;
    server.send(id, "u0", &format!("{id}-first"), "a").await;
}

async fn sends(server: &TestServer, channel: &str) -> BTreeMap<String, u64> {
    statements(server, async || {
        for number in 0..5 {
            server.send(channel, "u0", &format!("{channel}-{number}"), "a").await;
        }
    })
    .await
}

async fn calls(
    server: &TestServer,
    method: &str,
    path: &str,
    body: serde_json::Value,
) -> BTreeMap<String, u64> {
    statements(server, async || {
        for _ in 0..3 {
            let reply = server.raw(method, path).query("state", "true").json(&body).send().await;
            assert!(reply.status < 300, "{}", reply.text);
        }
    })
    .await
}

/// Measures on one database; the numbers of statements a channel of 100 members needs.
fn measure(database: Database) -> Vec<BTreeMap<String, u64>> {
    let mut taken = Vec::new();
    TestServer::run(database, async |server| {
        channel(server, "small", 2).await;
        channel(server, "large", 100).await;
        let (small, large) = (sends(server, "small").await, sends(server, "large").await);
        assert_eq!(small["send_message"], large["send_message"], "a send costs more among many members");
        let read = json!({ "user_id": "u1" });
        let list = json!({ "filter_conditions": { "members": { "$in": ["u1"] } }, "user_id": "u1" });
        taken.push(large);
        taken.push(calls(server, "GET", "/api/v2/chat/channels/messaging/large", json!(null)).await);
        taken.push(calls(server, "POST", "/api/v2/chat/channels/messaging/large/read", read).await);
        taken.push(calls(server, "POST", "/api/v2/chat/channels", list).await);
        send_after_a_join(server).await;
    });
    taken
}

/// Requires that a send which was checked before somebody else came is not begun again.
async fn send_after_a_join(server: &TestServer) {
    server
        .beside(async |other| {
            other.send("small", "u0", "early", "a").await;
            // The other server is not told, and finds out when it sends.
            let join = json!({ "add_members": ["u7"] });
            let joined = server.raw("POST", "/api/v2/chat/channels/messaging/small").json(&join).send().await;
            assert_eq!(joined.status, 201, "{}", joined.text);
            let before = counters(server, "natterjack_db_operations_total").await;
            other.send("small", "u0", "late", "a").await;
            let after = counters(server, "natterjack_db_operations_total").await;
            assert_eq!(after["send_message"] - before["send_message"], 1);
        })
        .await;
}

/// Requires that none of these transactions takes more statements than it may.
fn require(taken: &[BTreeMap<String, u64>], allowed: &[(&str, u64)]) {
    let all: BTreeMap<&str, u64> =
        taken.iter().flatten().map(|(operation, count)| (operation.as_str(), *count)).collect();
    for (operation, most) in allowed {
        let count = *all.get(operation).unwrap_or_else(|| panic!("{operation} is not in {all:?}"));
        assert!(count > 0 && count <= *most, "{operation} takes {count} statements, not {most}: {all:?}");
    }
}

#[test]
fn operations_take_no_more_statements_than_they_need() {
    // SQLite reads with one more what an update made of a channel.
    for (database, more) in [(Database::Sqlite, 1), (Database::Postgres, 0)] {
        let (send, read) = (5 + more, 8 + more);
        let allowed =
            [("send_message", send), ("get_channel", 6), ("mark_read", read), ("query_channels", 12)];
        require(&measure(database), &allowed);
    }
}
