//! A server that gives prepared answers and remembers what it was asked.

#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses a part; tests may unwrap")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use natterjack_client::{Client, RetryPolicy};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The greatest request that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// What the server does with one request.
pub enum Step {
    /// Answers with status, further headers and a body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Reads the whole request and closes the connection.
    Close,
    /// Reads the whole request and never answers.
    Hang,
}

impl Step {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Answer(status, Vec::new(), body.to_string())
    }

    pub fn error(status: u16, code: i32, message: &str) -> Self {
        let body = json!({"code": code, "message": message, "StatusCode": status, "duration": "0.10ms",
            "more_info": "", "details": []});
        Self::json(status, &body)
    }

    #[must_use]
    pub fn with_header(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.to_owned()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// The decoded query parameter `name`.
    pub fn query(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&format!("http://host{}", self.target)).unwrap();
        url.query_pairs().find(|(given, _)| given == name).map(|(_, value)| value.into_owned())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub struct Script {
    pub base_url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Script {
    /// Starts a server that takes one connection per step. Requests after the last step get a 400.
    pub async fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut steps = steps.into_iter();
            let mut hanging = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let Some(request) = read_request(&mut stream).await else { continue };
                remembered.lock().unwrap().push(request);
                match steps.next().unwrap_or_else(|| Step::error(400, 4, "no step is left")) {
                    Step::Answer(status, headers, body) => answer(&mut stream, status, &headers, &body).await,
                    Step::Close => {}
                    Step::Hang => hanging.push(stream),
                }
            }
        });
        Self { base_url, seen, task }
    }

    /// A client of this server that waits a millisecond at most before it repeats a call.
    pub fn client(&self) -> Client {
        let retry = RetryPolicy {
            base_delay: Duration::from_millis(1),
            max_delay: Duration::from_millis(1),
            ..RetryPolicy::default()
        };
        Client::builder("key", "secret").base_url(&self.base_url).retry(retry).build().unwrap()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(seen) = parse_request(&bytes) {
            return Some(seen);
        }
        let count = stream.read(&mut chunk).await.ok()?;
        if count == 0 || bytes.len() + count > REQUEST_BYTES_MAX {
            return None;
        }
        bytes.extend_from_slice(&chunk[..count]);
    }
}

/// The request, once all of it is there.
fn parse_request(bytes: &[u8]) -> Option<Seen> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    (body.len() >= length).then(|| Seen { method, target, headers, body: body.to_owned() })
}

async fn answer(stream: &mut TcpStream, status: u16, headers: &[(&str, String)], body: &str) {
    let mut text = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(body);
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}
