//! The requests of the fan-out measurements.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anyhow::Result;
use natterjack_client::protocol::channels::{GetOrCreateChannel, GetOrCreateChannelRequest};
use natterjack_client::protocol::messages::SendMessage;
use natterjack_client::protocol::{ChannelPath, NoQuery};
use natterjack_client::token::user_token;
use url::form_urlencoded;

use super::super::child::Setup;
use super::super::generator::Connection;
use super::super::requests::{Encoder, Template};
use super::super::setup;

/// Characters of a message.
const TEXT_LENGTH: usize = 200;

/// The request that opens a user's socket.
pub fn connect(setup: &Setup, user: &str) -> Result<Vec<u8>> {
    let token = user_token(&setup.api_secret, user, &Default::default())?;
    let json = serde_json::json!({"user_id": user, "user_details": {"id": user}}).to_string();
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("json", &json);
    query.append_pair("api_key", &setup.api_key);
    query.append_pair("authorization", &token);
    query.append_pair("stream-auth-type", "jwt");
    let mut request = format!("GET /connect?{} HTTP/1.1\r\nHost: localhost\r\n", query.finish());
    request.push_str("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    request.push_str("Sec-WebSocket-Key: YmVuY2htYXJrIG9ubHkhIQ==\r\n\r\n");
    Ok(request.into_bytes())
}

/// The request by which a user's socket begins to watch a channel.
pub fn watch(setup: &Setup, user: &str, connection_id: &str, channel: &str) -> Result<Vec<u8>> {
    let token = user_token(&setup.api_secret, user, &Default::default())?;
    let encoder = Encoder { api_key: setup.api_key.clone(), token };
    let path = channel_path(channel);
    let body = GetOrCreateChannelRequest { watch: Some(true), state: Some(false), ..Default::default() };
    let request = encoder.write::<GetOrCreateChannel>(&path, &NoQuery, &body);
    // The id consists of letters, digits and hyphens.
    let request = String::from_utf8(request)?;
    Ok(request.replacen("?api_key=", &format!("?connection_id={connection_id}&api_key="), 1).into_bytes())
}

/// Sends messages of 200 characters to one channel, by a server on behalf of one of its members.
#[derive(Debug, Clone)]
pub struct Sends {
    template: Option<Template>,
    user: String,
}

impl Sends {
    /// To the server.
    pub fn to_channel(encoder: &Encoder, channel: &str) -> Self {
        let template = encoder.template::<SendMessage>(&channel_path(channel), &NoQuery);
        Self { template: Some(template), user: setup::user(0) }
    }

    /// To the program that only writes.
    pub const fn bare() -> Self {
        Self { template: None, user: String::new() }
    }

    /// Writes the request of that number.
    fn fill(&self, number: u64, buffer: &mut Vec<u8>) {
        let Some(template) = &self.template else {
            return buffer.extend_from_slice(b"POST /send HTTP/1.1\r\nHost: localhost\r\n\r\n");
        };
        template.fill(buffer, |buffer| {
            let mut text = format!("{number} ");
            text.extend("lorem ipsum dolor sit amet ".chars().cycle().take(TEXT_LENGTH - text.len()));
            let mut body = String::with_capacity(300);
            // Writing to a string does not fail.
            let _ = write!(body, r#"{{"message":{{"text":"{text}","user_id":"{}"}}}}"#, self.user);
            buffer.extend_from_slice(body.as_bytes());
        });
    }
}

/// Keeps connections for sending.
pub struct Sender {
    sends: Sends,
    connections: Vec<Connection>,
    number: u64,
}

impl Sender {
    /// Opens that many.
    pub async fn open(address: SocketAddr, connections: usize, sends: Sends) -> Result<Self> {
        let mut open = Vec::with_capacity(connections);
        for _ in 0..connections {
            open.push(Connection::open(address).await?);
        }
        Ok(Self { sends, connections: open, number: 0 })
    }

    /// Sends one message on each of the first `count` connections and waits for all answers.
    pub async fn send(&mut self, count: usize) -> Result<()> {
        let first = self.number;
        self.number += count as u64;
        let sends = &self.sends;
        let calls = self.connections.iter_mut().take(count).enumerate().map(|(index, connection)| {
            connection.call(move |buffer| sends.fill(first + index as u64, buffer))
        });
        futures_util::future::try_join_all(calls).await.map(drop)
    }
}

/// The path of a channel.
pub fn channel_path(id: &str) -> ChannelPath {
    ChannelPath { kind: setup::KIND.to_owned(), id: id.to_owned() }
}
