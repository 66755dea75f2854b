//! Valid requests spoilt at random, always in the same way: no internal errors, and both databases agree.

use natterjack_api_tests::{Database, TestServer};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::requests::{self, Request};

const SEED: u64 = 20_260_102;
/// Spoilt requests to each operation.
const ROUNDS: usize = 20;

/// The places of all values in a JSON text, as pointers; the whole text is not among them.
fn places(at: &str, value: &Value, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(entries) => {
            entries.iter().enumerate().map(|(index, entry)| (index.to_string(), entry)).collect()
        }
        _ => Vec::new(),
    };
    for (name, child) in children {
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        found.push(at.clone());
        places(&at, child, found);
    }
}

/// A text of characters from all over Unicode.
fn random_text(random: &mut StdRng) -> String {
    let length = random.random_range(0..40);
    (0..length)
        .map(|_| match random.random_range(0..4) {
            0 => char::from(random.random_range(0x20..0x7f_u8)),
            1 => *['\0', '\u{7f}', '\u{202e}', '%', ',', '\'', '\\', '/', '$', '.'].choose(random).unwrap(),
            _ => random.random::<char>(),
        })
        .collect()
}

fn random_value(random: &mut StdRng) -> Value {
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(""),
        json!("x".repeat(300)),
        json!("nothing"),
        json!([]),
        json!({}),
        json!([[], {}, null]),
        json!({ "$in": [] }),
        json!({ "$gt": null }),
        json!({ "$exists": true }),
        json!("9999-12-31T23:59:59.999999999Z"),
        json!("0001-01-01T00:00:00Z"),
        json!("2026-13-45T00:00:00Z"),
        json!(["jane", "jane"]),
        json!({ "id": "jane" }),
    ];
    match random.random_range(0..3) {
        0 => json!(random_text(random)),
        _ => values.choose(random).unwrap().clone(),
    }
}

/// Changes one place of a JSON text.
fn spoil(random: &mut StdRng, value: &mut Value) {
    let mut all = Vec::new();
    places("", value, &mut all);
    let Some(at) = all.choose(random) else { return *value = random_value(random) };
    let (parent, name) = at.rsplit_once('/').unwrap();
    let old = value.pointer(at).unwrap().clone();
    let fresh = random_value(random);
    let fresh_name = random_text(random);
    let choice = random.random_range(0..7);
    let parent = value.pointer_mut(parent).unwrap();
    match (choice, parent) {
        (0, Value::Object(fields)) => drop(fields.remove(name)),
        (1, Value::Object(fields)) => drop(fields.insert(fresh_name, old)),
        (0, Value::Array(entries)) => drop(entries.pop()),
        (1, Value::Array(entries)) => entries.extend(vec![old; 3]),
        (2, _) => *value.pointer_mut(at).unwrap() = json!({ name: old }),
        (3, _) => *value.pointer_mut(at).unwrap() = json!([old]),
        _ => *value.pointer_mut(at).unwrap() = fresh,
    }
}

/// The requests, each operation in turn, each spoilt in one to three places.
fn spoilt_requests() -> Vec<Request> {
    let mut random = StdRng::seed_from_u64(SEED);
    let mut spoilt = Vec::new();
    for _ in 0..ROUNDS {
        for mut request in requests::all() {
            for _ in 0..random.random_range(1..=3) {
                let parts = request.query.iter_mut().map(|(_, value)| value).chain(&mut request.body);
                let mut parts: Vec<&mut Value> = parts.collect();
                if let Some(index) = (!parts.is_empty()).then(|| random.random_range(0..parts.len())) {
                    spoil(&mut random, parts[index]);
                }
            }
            spoilt.push(request);
        }
    }
    spoilt
}

/// Status and code of the answer to each request.
fn verdicts(database: Database, requests: &[Request]) -> Vec<(u16, i64)> {
    let mut verdicts = Vec::new();
    TestServer::run(database, async |server| {
        requests::prepare(server).await;
        for request in requests {
            let reply = request.send(server).await;
            assert!(reply.status < 500, "{database:?}: {request:?}: {}", reply.text);
            verdicts.push((reply.status, reply.code()));
            if reply.body["task_id"].is_string() {
                // What a task changes must not depend on when it gets to it.
                crate::tasks::ended(server, &reply.body).await;
            }
        }
        server.users(&["afterwards"]).await;
        server.channel("afterwards", &["afterwards"]).await;
        server.send("afterwards", "afterwards", "afterwards", "still here").await;
    });
    verdicts
}

#[test]
fn spoilt_requests_are_judged_alike_by_both_databases() {
    let requests = spoilt_requests();
    let sqlite = verdicts(Database::Sqlite, &requests);
    let postgres = verdicts(Database::Postgres, &requests);
    for ((request, sqlite), postgres) in requests.iter().zip(&sqlite).zip(&postgres) {
        assert_eq!(sqlite, postgres, "{request:?}");
    }
    let refused = sqlite.iter().filter(|(status, _)| *status >= 400).count();
    assert!(refused > requests.len() / 10 && refused < requests.len() * 9 / 10, "{refused} are refused");
}
