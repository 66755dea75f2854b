//! Sockets: the handshake, and one task for each that writes what is queued and reads what the client says.

use std::io;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State as FromState};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade;
use natterjack_protocol::ErrorCode;
use natterjack_protocol::events::Event;
use sha1::{Digest, Sha1};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::connection::{Close, Connection};
use super::frame::{Encoded, Frame, Incoming, Parser};
use super::heartbeat::health_check;
use super::open::{self, Query};
use super::outbox::Unsent;
use crate::api::{Edge, failure, header_text};
use crate::auth::Credentials;
use crate::error::{Error, Result};
use crate::limits::CLOSE_TIME_MAX;
use crate::patience::PatientStream;
use crate::serve::PeerAddress;
use crate::state::State;

/// What the key of a handshake is hashed with (RFC 6455).
const HANDSHAKE_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Read at a time; on the stack, so that a silent connection has no buffer.
const READ_SIZE: usize = 4096;
/// The name of the operation in error bodies.
const OPERATION: &str = "Connect";

/// Answers a request for a socket. Who calls is found out on the socket, where clients read errors.
pub(crate) async fn connect(FromState(edge): FromState<Arc<Edge>>, mut request: Request) -> Response<Body> {
    let accept = match check_handshake(&request) {
        Ok(accept) => accept,
        Err(error) => return failure(OPERATION, &error, Duration::ZERO),
    };
    let upgraded = hyper::upgrade::on(&mut request);
    let (head, _) = request.into_parts();
    let live = &edge.state.live;
    live.tasks.spawn({
        let edge = Arc::clone(&edge);
        async move {
            // A client that is gone before the handshake is over was never there.
            let Ok(upgraded) = upgraded.await else { return };
            let Ok(parts) = upgrade::downcast::<TokioIo<PatientStream>>(upgraded) else { return };
            let upgrade::Parts { io, read_buf, .. } = parts;
            // Copied, since what was read with the request keeps the whole buffer of the request.
            let first = read_buf.to_vec();
            drop(read_buf);
            let stream = io.into_inner().into_inner();
            release_task(&stream);
            serve(&edge, head, Arc::new(stream), first).await;
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

/// Lets go of the task that spoke HTTP on a stream. The stream keeps the wakers of who polled it last until there is something
/// to read or room to write, and each of them all the memory of its task.
fn release_task(stream: &TcpStream) {
    let mut nobody = Context::from_waker(Waker::noop());
    let _ = stream.poll_read_ready(&mut nobody);
    let _ = stream.poll_write_ready(&mut nobody);
}

/// The answer to the key of a handshake.
fn check_handshake(request: &Request) -> Result<HeaderValue> {
    let holds = |name: header::HeaderName, token: &str| {
        let value = header_text(request.headers(), name.as_str()).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token))
    };
    if !holds(header::CONNECTION, "upgrade") || !holds(header::UPGRADE, "websocket") {
        return Err(Error::input("this is a WebSocket: the headers of a handshake are missing"));
    }
    if header_text(request.headers(), header::SEC_WEBSOCKET_VERSION.as_str()) != Some("13") {
        return Err(Error::input("sec-websocket-version must be 13"));
    }
    let key = header_text(request.headers(), header::SEC_WEBSOCKET_KEY.as_str())
        .ok_or_else(|| Error::required("sec-websocket-key"))?;
    let hash = Sha1::new().chain_update(key).chain_update(HANDSHAKE_SUFFIX).finalize();
    HeaderValue::from_str(&STANDARD.encode(hash)).map_err(|_| Error::required("sec-websocket-key"))
}

/// Opens the connection and serves it until one side ends it. What happens once is boxed: the task of a connection stays
/// as large as the largest thing that it ever does.
async fn serve(edge: &Edge, head: Parts, stream: Arc<TcpStream>, first: Vec<u8>) {
    let state = &edge.state;
    let (unsent, close) = match Box::pin(open_for(edge, head)).await {
        Ok(connection) => {
            connection.outbox.attach(Arc::clone(&stream));
            let mut parser = Parser::default();
            let close = match hear(state, &connection, &mut parser, &first) {
                Ok(()) => run(state, &stream, &connection, &mut parser).await,
                Err(close) => Some(close),
            };
            Box::pin(open::close(state, &connection)).await;
            (connection.outbox.detach(), close)
        }
        Err(error) => {
            let (frame, close) = refusal(state, "", &error);
            let mut unsent = Unsent::default();
            unsent.push(frame);
            (unsent, Some(close))
        }
    };
    // Nobody else writes to it any more.
    if let (Some(close), Some(stream)) = (close, Arc::into_inner(stream)) {
        let mut unsent = unsent;
        unsent.push(Frame::close(close));
        Box::pin(end(stream, unsent)).await;
    }
}

/// Opens the connection that a request asks for.
async fn open_for(edge: &Edge, head: Parts) -> Result<Arc<Connection>> {
    let peer = head.extensions.get::<PeerAddress>().map(|peer| peer.0);
    let header = Credentials {
        authorization: header_text(&head.headers, "authorization"),
        auth_type: header_text(&head.headers, "stream-auth-type"),
        user_id: None,
    };
    let query = Query::parse(head.uri.query().unwrap_or_default())?;
    open::open(edge, &query, header, peer, false).await
}

/// Ends a connection that could not be opened now.
pub(super) fn refuse(state: &State, connection: &Connection, error: &Error) {
    if connection.outbox.end().is_none() {
        let (frame, close) = refusal(state, &connection.id, error);
        connection.send(frame);
        connection.close(close);
    }
}

/// What a client is told that may not connect, or not any longer, and whether it may come back.
fn refusal(state: &State, connection_id: &str, error: &Error) -> (Frame, Close) {
    let (code, close) = match error {
        Error::Caller(fault) => (
            fault.code,
            match fault.code {
                ErrorCode::TooManyConnections => Close::TooMany,
                ErrorCode::NotAllowed => Close::Normal,
                _ => Close::Token,
            },
        ),
        Error::Stale | Error::Internal(_) => {
            tracing::error!(error = crate::error_chain(error), "a connection failed");
            (ErrorCode::Internal, Close::GoingAway)
        }
    };
    let event = Event {
        kind: "connection.error".to_owned(),
        created_at: state.now(),
        connection_id: Some(connection_id.to_owned()),
        error: Some(crate::api::error_body(OPERATION, error, code.status(), Duration::ZERO)),
        ..Event::default()
    };
    (Encoded::new(&event).frame(), close)
}

/// Reads, and writes what was left, until the connection ends. Answers what to say at the end, `None` when nobody listens
/// any more.
async fn run(
    state: &State,
    stream: &TcpStream,
    connection: &Arc<Connection>,
    parser: &mut Parser,
) -> Option<Close> {
    let stop = &state.live.stop;
    loop {
        let is_left = connection.outbox.write().ok()?;
        if let Some(close) = connection.outbox.end() {
            return Some(close);
        }
        tokio::select! {
            () = connection.outbox.moved() => {}
            ready = stream.writable(), if is_left => ready.ok()?,
            ready = stream.readable() => {
                ready.ok()?;
                let mut buffer = [0; READ_SIZE];
                match stream.try_read(&mut buffer) {
                    Ok(0) => return None,
                    Ok(size) => {
                        if let Err(close) = hear(state, connection, parser, &buffer[..size]) {
                            return Some(close);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return None,
                }
            }
            () = stop.cancelled() => return Some(Close::GoingAway),
        }
    }
}

/// Takes note of what a client says and queues the answers.
fn hear(state: &State, connection: &Arc<Connection>, parser: &mut Parser, bytes: &[u8]) -> Result<(), Close> {
    if bytes.is_empty() {
        return Ok(());
    }
    let now = state.now();
    connection.note_heard(now);
    for incoming in parser.feed(bytes)? {
        match incoming {
            // Clients expect some frame in answer to theirs.
            Incoming::Text => connection.send(health_check(state, connection)),
            Incoming::Ping(payload) => connection.send(Frame::pong(&payload)),
            Incoming::Pong => {}
            Incoming::Close => return Err(Close::Normal),
        }
    }
    Ok(())
}

/// Writes what is left and waits a moment for the client to take note: closed at once, the last frames may be lost.
async fn end(mut stream: TcpStream, mut unsent: Unsent) {
    let ending = async {
        while unsent.write(&stream).1? {
            stream.writable().await?;
        }
        stream.shutdown().await?;
        let mut buffer = [0; 512];
        loop {
            stream.readable().await?;
            match stream.try_read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    };
    // How the client ends its side is the client's business.
    let _: Result<io::Result<()>, _> = tokio::time::timeout(CLOSE_TIME_MAX, ending).await;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Wake, Waker};

    use tokio::net::{TcpListener, TcpStream};

    use super::release_task;

    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    #[tokio::test]
    async fn a_stream_lets_go_of_who_polled_it_last() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let task = Arc::new(Task);
        let waker = Waker::from(Arc::clone(&task));
        assert!(stream.poll_read_ready(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        assert_eq!(Arc::strong_count(&task), 2);
        release_task(&stream);
        assert_eq!(Arc::strong_count(&task), 1);
    }
}
