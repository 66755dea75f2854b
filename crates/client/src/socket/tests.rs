#![allow(clippy::unwrap_used, reason = "tests")]

//! The socket against a server that does as the test says, in a time that stands still until everybody waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use natterjack_protocol::events::Event;
use natterjack_protocol::{ErrorCode, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::link::{Answer, Link, Replay, Server, Transport, broken};
use super::{ConnectOptions, Shared, Update, Updates, start};
use crate::Error;

/// The server's end of a connection.
type Peer = WebSocketStream<tokio::io::DuplexStream>;

/// Hands the server's end of each connection to the test, or refuses while `down`.
struct Fake {
    peers: mpsc::UnboundedSender<Peer>,
    down: AtomicUsize,
    dialled: AtomicUsize,
    expired: AtomicUsize,
    replay: Mutex<Option<Replay>>,
    asked: Mutex<Vec<(Vec<String>, Timestamp)>>,
}

impl Server for Fake {
    fn dial(&self) -> Answer<'_, Link> {
        Box::pin(async move {
            self.dialled.fetch_add(1, Ordering::SeqCst);
            if self.down.load(Ordering::SeqCst) > 0 {
                self.down.fetch_sub(1, Ordering::SeqCst);
                return Err(broken("refused"));
            }
            let (client, server) = tokio::io::duplex(64 * 1024);
            let peer = WebSocketStream::from_raw_socket(server, Role::Server, None).await;
            self.peers.send(peer).unwrap();
            let transport: Box<dyn Transport> = Box::new(client);
            Ok(WebSocketStream::from_raw_socket(transport, Role::Client, None).await)
        })
    }

    fn expire_token(&self) -> bool {
        self.expired.fetch_add(1, Ordering::SeqCst);
        true
    }

    fn recover(&self, _: String, cids: Vec<String>, since: Timestamp) -> Answer<'_, Replay> {
        self.asked.lock().unwrap().push((cids, since));
        let replay = self.replay.lock().unwrap().take().unwrap_or_default();
        Box::pin(async move {
            // Long enough for live events to arrive before it.
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(replay)
        })
    }
}

struct Stage {
    fake: Arc<Fake>,
    peers: mpsc::UnboundedReceiver<Peer>,
}

impl Stage {
    fn new() -> Self {
        let (sender, peers) = mpsc::unbounded_channel();
        let fake = Fake {
            peers: sender,
            down: AtomicUsize::default(),
            dialled: AtomicUsize::default(),
            expired: AtomicUsize::default(),
            replay: Mutex::default(),
            asked: Mutex::default(),
        };
        Self { fake: Arc::new(fake), peers }
    }

    /// The next connection, greeted.
    async fn accept(&mut self, id: &str) -> Peer {
        let mut peer = self.peers.recv().await.unwrap();
        let hello = json!({"type": "health.check", "connection_id": id, "cid": "*", "me": {"id": "jane"},
            "created_at": "2026-01-02T03:04:05Z"});
        say(&mut peer, &hello).await;
        peer
    }

    async fn connect(&mut self) -> (Arc<Shared>, Updates, Peer) {
        let fake = Arc::clone(&self.fake);
        let starting = tokio::spawn(async move { start(fake, &ConnectOptions::new("jane")).await });
        let peer = self.accept("c1").await;
        let (shared, updates) = starting.await.unwrap().unwrap();
        (shared, updates, peer)
    }
}

async fn say(peer: &mut Peer, frame: &Value) {
    peer.send(Message::text(frame.to_string())).await.unwrap();
}

async fn close(peer: &mut Peer, code: u16) {
    let frame = CloseFrame { code: CloseCode::from(code), reason: "over".into() };
    peer.close(Some(frame)).await.unwrap();
}

fn message(id: &str, second: u32) -> Value {
    json!({"type": "message.new", "cid": "messaging:general", "message": {"id": id, "text": id},
        "created_at": format!("2026-01-02T03:04:{second:02}Z")})
}

fn event(value: Value) -> Event {
    serde_json::from_value(value).unwrap()
}

async fn next(updates: &mut Updates) -> Update {
    timeout(Duration::from_secs(600), updates.next()).await.unwrap().unwrap()
}

async fn next_message(updates: &mut Updates) -> String {
    match next(updates).await {
        Update::Event(event) => event.message.unwrap().id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn events_arrive_in_order_and_the_client_says_every_25_seconds_that_it_is_there() {
    let mut stage = Stage::new();
    let (shared, mut updates, mut peer) = stage.connect().await;
    say(&mut peer, &message("m1", 6)).await;
    say(&mut peer, &message("m2", 7)).await;
    assert_eq!(next_message(&mut updates).await, "m1");
    assert_eq!(next_message(&mut updates).await, "m2");
    let start = Instant::now();
    for _ in 0..3 {
        let Some(Ok(Message::Text(text))) = peer.next().await else { panic!("no health check") };
        let said: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(said, json!([{"type": "health.check", "client_id": "c1"}]));
        say(&mut peer, &json!({"type": "health.check", "connection_id": "c1", "cid": "*"})).await;
    }
    assert_eq!(start.elapsed().as_secs(), 75);
    assert_eq!(stage.fake.dialled.load(Ordering::SeqCst), 1);
    shared.closing.send_replace(true);
    assert!(updates.next().await.is_none());
    let Some(Ok(Message::Close(Some(frame)))) = peer.next().await else { panic!("no close frame") };
    assert_eq!(frame.code, CloseCode::Normal);
}

#[tokio::test(start_paused = true)]
async fn silence_of_35_seconds_ends_a_connection() {
    let mut stage = Stage::new();
    let (_shared, mut updates, _peer) = stage.connect().await;
    let start = Instant::now();
    let Update::Disconnected { reason, retry_in } = next(&mut updates).await else { panic!("still there") };
    assert!(reason.contains("35 seconds"), "{reason}");
    assert_eq!(start.elapsed().as_secs(), 35);
    assert!(retry_in >= Duration::from_millis(250) && retry_in <= Duration::from_millis(500));
    let _second = stage.accept("c2").await;
    assert!(matches!(next(&mut updates).await, Update::Reconnected { .. }));
    assert!(matches!(next(&mut updates).await, Update::Recovered { .. }));
}

#[tokio::test(start_paused = true)]
async fn attempts_wait_longer_and_longer() {
    let mut stage = Stage::new();
    let (_shared, mut updates, mut peer) = stage.connect().await;
    stage.fake.down.store(8, Ordering::SeqCst);
    close(&mut peer, 1001).await;
    let mut waits = Vec::new();
    for _ in 0..9 {
        let Update::Disconnected { retry_in, .. } = next(&mut updates).await else { panic!("connected") };
        waits.push(retry_in);
    }
    for (failures, wait) in waits.iter().enumerate() {
        let greatest = (Duration::from_millis(500) * 2_u32.pow(u32::try_from(failures).unwrap()))
            .min(Duration::from_secs(25));
        assert!(*wait >= greatest / 2 && *wait <= greatest, "{waits:?}");
    }
    let _peer = stage.accept("c2").await;
    assert!(matches!(next(&mut updates).await, Update::Reconnected { .. }));
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_comes_before_what_is_new_and_nothing_twice() {
    let mut stage = Stage::new();
    let (shared, mut updates, mut peer) = stage.connect().await;
    shared.remember("messaging:general".to_owned());
    shared.remember("messaging:gone".to_owned());
    say(&mut peer, &message("m1", 10)).await;
    assert_eq!(next_message(&mut updates).await, "m1");
    *stage.fake.replay.lock().unwrap() = Some(Replay {
        events: vec![event(message("m1", 10)), event(message("m2", 11)), event(message("m3", 12))],
        missed: vec!["messaging:busy".to_owned()],
        inaccessible: vec!["messaging:gone".to_owned()],
    });
    close(&mut peer, 1006 + 3000).await;
    assert!(matches!(next(&mut updates).await, Update::Disconnected { .. }));
    let mut peer = stage.accept("c2").await;
    // These arrive while the replay is under way.
    say(&mut peer, &message("m3", 12)).await;
    say(&mut peer, &message("m4", 13)).await;
    assert!(matches!(next(&mut updates).await, Update::Reconnected { .. }));
    for id in ["m2", "m3", "m4"] {
        assert_eq!(next_message(&mut updates).await, id);
    }
    let Update::Recovered { missed, inaccessible } = next(&mut updates).await else {
        panic!("not recovered")
    };
    assert_eq!(
        (missed, inaccessible),
        (vec!["messaging:busy".to_owned()], vec!["messaging:gone".to_owned()])
    );
    assert_eq!(shared.watched(), ["messaging:general"]);
    let asked = stage.fake.asked.lock().unwrap().clone();
    let (cids, since) = &asked[0];
    assert_eq!(cids, &["messaging:general", "messaging:gone"]);
    assert_eq!(*since, Timestamp::parse_rfc3339("2026-01-02T03:04:05Z").unwrap());
}

fn refusal(code: i32) -> Value {
    let error = json!({"code": code, "message": "no", "StatusCode": 401, "duration": "", "more_info": "", "details": []});
    json!({"type": "connection.error", "connection_id": "", "created_at": "2026-01-02T03:04:05Z", "error": error})
}

#[tokio::test(start_paused = true)]
async fn a_token_that_has_expired_is_replaced_at_once() {
    let mut stage = Stage::new();
    let fake = Arc::clone(&stage.fake);
    let starting = tokio::spawn(async move { start(fake, &ConnectOptions::new("jane")).await });
    let mut peer = stage.peers.recv().await.unwrap();
    say(&mut peer, &refusal(40)).await;
    let mut peer = stage.accept("c1").await;
    let (_shared, mut updates) = starting.await.unwrap().unwrap();
    assert_eq!(stage.fake.expired.load(Ordering::SeqCst), 1);

    // In the middle of a connection it is replaced before the next one.
    say(&mut peer, &refusal(40)).await;
    assert!(matches!(next(&mut updates).await, Update::Disconnected { .. }));
    assert_eq!(stage.fake.expired.load(Ordering::SeqCst), 2);
    let _peer = stage.accept("c2").await;
    assert!(matches!(next(&mut updates).await, Update::Reconnected { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_and_a_normal_close_are_final() {
    let mut stage = Stage::new();
    let fake = Arc::clone(&stage.fake);
    let starting = tokio::spawn(async move { start(fake, &ConnectOptions::new("jane")).await });
    say(&mut stage.peers.recv().await.unwrap(), &refusal(43)).await;
    let Err(error) = starting.await.unwrap() else { panic!("connected") };
    assert_eq!(error.code(), Some(ErrorCode::TokenSignature));

    let (_shared, mut updates, mut peer) = stage.connect().await;
    say(&mut peer, &refusal(5)).await;
    let Update::Closed { error: Error::Api { code, .. } } = next(&mut updates).await else {
        panic!("not closed")
    };
    assert_eq!(code, ErrorCode::Authentication);
    assert!(updates.next().await.is_none());

    let (_shared, mut updates, mut peer) = stage.connect().await;
    close(&mut peer, 1000).await;
    assert!(matches!(next(&mut updates).await, Update::Closed { .. }));
    assert!(updates.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_does_not_read_stops_the_reading_and_keeps_the_connection() {
    let mut stage = Stage::new();
    let fake = Arc::clone(&stage.fake);
    let options = ConnectOptions { buffer: 2, ..ConnectOptions::new("jane") };
    let starting = tokio::spawn(async move { start(fake, &options).await });
    let mut peer = stage.accept("c1").await;
    let (_shared, mut updates) = starting.await.unwrap().unwrap();
    for second in 10..20 {
        say(&mut peer, &message(&format!("m{second}"), second)).await;
    }
    tokio::time::sleep(Duration::from_secs(120)).await;
    for second in 10..20 {
        assert_eq!(next_message(&mut updates).await, format!("m{second}"));
    }
    assert_eq!(stage.fake.dialled.load(Ordering::SeqCst), 1);
}
