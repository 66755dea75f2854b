//! One connection to the server: how it is opened, and what its frames say.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use natterjack_protocol::events::Event;
use natterjack_protocol::own_user::OwnUserResponse;
use natterjack_protocol::{ErrorBody, ErrorCode, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::decode;
use crate::{Error, RateLimit, TransportFailure};

/// How long opening a connection may take, the first frame included.
const OPEN_TIME_MAX: Duration = Duration::from_secs(15);
/// How long the transport may take to accept a frame.
const SEND_TIME_MAX: Duration = Duration::from_secs(10);

/// What a connection runs over.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// A WebSocket after its handshake.
pub(crate) type Link = WebSocketStream<Box<dyn Transport>>;

/// An asynchronous answer of a [`Server`].
pub(crate) type Answer<'s, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 's>>;

/// What a socket needs of the server, so that tests can stand in for it.
pub(crate) trait Server: Send + Sync + 'static {
    /// Makes a connection and the handshake of the WebSocket.
    fn dial(&self) -> Answer<'_, Link>;

    /// Forgets the token of the last connection, which has expired. False when there is no other.
    fn expire_token(&self) -> bool;

    /// Watches channels on a new connection and asks what happened in them since `since`.
    fn recover(&self, connection_id: String, cids: Vec<String>, since: Timestamp) -> Answer<'_, Replay>;
}

/// What happened while there was no connection.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// In the order in which it happened.
    pub(crate) events: Vec<Event>,
    /// Channels of which it is too much to be replayed.
    pub(crate) missed: Vec<String>,
    /// Channels that the user may not read any more.
    pub(crate) inaccessible: Vec<String>,
}

/// A connection that the server has accepted.
pub(crate) struct Opened {
    pub(crate) link: Link,
    pub(crate) connection_id: String,
    pub(crate) me: OwnUserResponse,
    /// The server's time.
    pub(crate) at: Timestamp,
}

/// Opens a connection; once more with another token when the server calls the first one expired.
///
/// # Errors
/// What the server said, or [`Error::Transport`].
pub(crate) async fn open(server: &impl Server) -> Result<Opened, Error> {
    match open_once(server).await {
        Err(error) if error.code() == Some(ErrorCode::TokenExpired) && server.expire_token() => {
            open_once(server).await
        }
        other => other,
    }
}

async fn open_once(server: &impl Server) -> Result<Opened, Error> {
    let opening = async {
        let mut link = server.dial().await?;
        let text = loop {
            match link.next().await {
                Some(Ok(Message::Text(text))) => break text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(_)) | None => {
                    return Err(broken("the server closed the connection before its first frame"));
                }
                Some(Err(error)) => return Err(broken(error)),
            }
        };
        let first: Event = decode(text.as_bytes())?;
        if let Some(body) = first.error {
            return Err(refusal(body));
        }
        let (me, connection_id) = (first.me.map(|me| *me), first.connection_id.unwrap_or_default());
        Ok(Opened { link, connection_id, me: me.unwrap_or_default(), at: first.created_at })
    };
    match timeout(OPEN_TIME_MAX, opening).await {
        Ok(opened) => opened,
        Err(elapsed) => {
            Err(Error::Transport { failure: TransportFailure::Timeout, source: Box::new(elapsed) })
        }
    }
}

fn refusal(body: ErrorBody) -> Error {
    Error::Api {
        status: body.code.status(),
        code: body.code,
        message: body.message.clone(),
        retry_after: None,
        rate_limit: RateLimit::default(),
        body: Some(Box::new(body)),
    }
}

pub(crate) fn broken(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Transport { failure: TransportFailure::Interrupted, source: source.into() }
}

/// What arrived on a connection.
pub(crate) enum Arrival {
    /// An event, the health checks among them.
    Event(Box<Event>),
    /// Something without meaning for the caller.
    Nothing,
    /// An event that is none to this version.
    Unreadable(String),
    /// The token has expired in the middle of a connection.
    Refused(Error),
    /// The connection ended. True when the server does not want the client to come back.
    Ended(String, bool),
}

/// Makes sense of what a connection gives.
pub(crate) fn read(frame: Option<Result<Message, impl std::fmt::Display>>) -> Arrival {
    match frame {
        Some(Ok(Message::Text(text))) => read_text(text.as_bytes()),
        Some(Ok(Message::Close(close))) => match close {
            Some(close) => {
                Arrival::Ended(format!("{} {}", close.code, close.reason), close.code == CloseCode::Normal)
            }
            None => Arrival::Ended("closed without a reason".to_owned(), false),
        },
        Some(Ok(_)) => Arrival::Nothing,
        Some(Err(error)) => Arrival::Ended(error.to_string(), false),
        None => Arrival::Ended("the connection broke".to_owned(), false),
    }
}

fn read_text(text: &[u8]) -> Arrival {
    match decode::<Event>(text) {
        Ok(Event { error: Some(body), .. }) => Arrival::Refused(refusal(body)),
        Ok(event) => Arrival::Event(Box::new(event)),
        // One event that this version does not understand must not end the stream of all others.
        Err(error) => Arrival::Unreadable(error.to_string()),
    }
}

/// Sends a text.
///
/// # Errors
/// When the connection is broken or takes nothing.
pub(crate) async fn send(link: &mut Link, text: String) -> Result<(), String> {
    match timeout(SEND_TIME_MAX, link.send(Message::text(text))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the connection takes no frame".to_owned()),
    }
}
