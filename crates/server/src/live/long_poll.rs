//! For clients that cannot hold a socket: each call waits for events and answers them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State as FromState};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, header};
use natterjack_protocol::ErrorCode;

use super::connection::{Close, Connection};
use super::frame::Frame;
use super::named_connection;
use super::open::{self, Query};
use crate::api::{Edge, check_user, failure, header_text, identify};
use crate::auth::Credentials;
use crate::error::{Error, Result};
use crate::limits::POLL_TIME_MAX;
use crate::serve::PeerAddress;

/// The name of the operation in error bodies.
const OPERATION: &str = "LongPoll";

/// Answers `GET /longpoll`: opens a connection, waits for its events, or ends it.
pub(crate) async fn long_poll(FromState(edge): FromState<Arc<Edge>>, request: Request) -> Response<Body> {
    let started = Instant::now();
    let (parts, _) = request.into_parts();
    // Only the waiting ends with the client: events that nobody takes are for the next call.
    let begun = edge.carry_out({
        let edge = Arc::clone(&edge);
        async move { begin(&edge, &parts).await }
    });
    let outcome = match begun.await {
        Some(Ok(Begun::Done(body))) => Ok(body),
        Some(Ok(Begun::Polls(connection))) => Ok(wait(&edge, &connection).await),
        Some(Err(error)) => Err(error),
        None => Err(Error::Internal(natterjack_storage::Error::Database("the handler panicked".into()))),
    };
    match outcome {
        Ok(body) => {
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => {
            if let Error::Internal(source) = &error {
                tracing::error!(
                    operation = OPERATION,
                    error = crate::error_chain(source),
                    "a request failed"
                );
            }
            failure(OPERATION, &error, started.elapsed())
        }
    }
}

/// How far a call has come before it waits.
enum Begun {
    /// It is answered by this.
    Done(Vec<u8>),
    /// It waits for events of this connection.
    Polls(Arc<Connection>),
}

async fn begin(edge: &Edge, parts: &Parts) -> Result<Begun> {
    let state = &edge.state;
    let query = Query::parse(parts.uri.query().unwrap_or_default())?;
    let header = Credentials {
        authorization: header_text(&parts.headers, "authorization"),
        auth_type: header_text(&parts.headers, "stream-auth-type"),
        user_id: None,
    };
    let Some(id) = query.get("connection_id") else {
        let peer = parts.extensions.get::<PeerAddress>().map(|peer| peer.0);
        let connection = open::open(edge, &query, header, peer, true).await?;
        let mut frames = VecDeque::new();
        connection.outbox.take(&mut frames);
        let first = frames.pop_front();
        // What came in the meantime is for the next call.
        for frame in frames {
            connection.send(frame);
        }
        let mut body = br#"{"event":"#.to_vec();
        write_event(&mut body, first.as_ref());
        body.push(b'}');
        return Ok(Begun::Done(body));
    };
    let api_key = query.get("api_key");
    let api_key =
        api_key.ok_or_else(|| Error::caller(ErrorCode::ApiKey, "api_key or app_id not provided"))?;
    let (caller, term) = identify(edge, api_key, query.credentials(header), state.now()).await?;
    if let Some(user_id) = caller.user_id() {
        check_user(state, &caller.app, user_id, term).await?;
    }
    let connection = named_connection(state, &caller, "connection_id", Some(id))?;
    if !connection.polls {
        return Err(Error::field("connection_id", "names a socket, which is not polled"));
    }
    connection.note_heard(state.now());
    if query.get("close") == Some("true") {
        open::close(state, &connection).await;
        return Ok(Begun::Done(br#"{"events":[]}"#.to_vec()));
    }
    Ok(Begun::Polls(connection))
}

/// Waits until there is something to tell, or for as long as a call may take.
async fn wait(edge: &Arc<Edge>, connection: &Arc<Connection>) -> Vec<u8> {
    let stop = &edge.state.live.stop;
    let mut frames = VecDeque::new();
    let waiting = async {
        loop {
            let end = connection.outbox.take(&mut frames);
            if end.is_some() || !frames.is_empty() {
                return end;
            }
            connection.outbox.moved().await;
        }
    };
    let ended = tokio::select! {
        ended = tokio::time::timeout(POLL_TIME_MAX, waiting) => ended.ok().flatten(),
        () = stop.cancelled() => Some(Close::GoingAway),
    };
    connection.note_heard(edge.state.now());
    if ended.is_some() {
        let (edge, connection) = (Arc::clone(edge), Arc::clone(connection));
        let closing = Arc::clone(&edge);
        edge.carry_out(async move { open::close(&closing.state, &connection).await }).await;
    }
    let mut body = br#"{"events":["#.to_vec();
    for frame in frames.iter().filter(|frame| frame.json().is_some()) {
        if !body.ends_with(b"[") {
            body.push(b',');
        }
        write_event(&mut body, Some(frame));
    }
    body.extend_from_slice(b"]}");
    body
}

fn write_event(body: &mut Vec<u8>, frame: Option<&Frame>) {
    for part in frame.and_then(Frame::json).into_iter().flatten() {
        body.extend_from_slice(part);
    }
}
