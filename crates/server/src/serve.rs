//! Accepts connections and ends them in good order.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use natterjack_storage::{App, NewApp, Store};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::addresses::Addresses;
use crate::api::{Edge, router};
use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::config::Access;
use crate::error::Result;
use crate::jobs;
use crate::limits::{CONNECTIONS_MAX, DRAIN_TIME_MAX, HEADER_SIZE_MAX};
use crate::live::Live;
use crate::patience::{Patience, PatientStream};
use crate::proxies::TrustedProxies;
use crate::rate_limits::RateLimits;
use crate::state::State;

/// What a server is made of.
#[derive(Debug)]
pub struct ServerParts {
    /// The opened database.
    pub store: Store,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Key and secret of the first app; `None` keeps those that are stored.
    pub first_app: Option<NewApp>,
    /// Development mode: the first app accepts development tokens, and `/demo` is a chat page.
    pub development: bool,
    /// The address to listen on, already bound.
    pub listener: TcpListener,
    /// Who may call from where, and how often.
    pub access: Access,
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    state: Arc<State>,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Starts listening and the background jobs.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn start(parts: ServerParts) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let Access { allowed_origins, connections_per_address, trusted_proxies, rate_limits } = parts.access;
        let mut state = State::new(parts.store, parts.clock, parts.development).await?;
        state.rate_limits = RateLimits::new(rate_limits);
        let state = Arc::new(state);
        if let Some(app) = parts.first_app {
            state.set_first_app(app).await?;
        }
        let address = parts.listener.local_addr()?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let edge =
            Edge { state: Arc::clone(&state), authenticator: Authenticator::default(), tasks: tasks.clone() };
        let router = router(Arc::new(edge), allowed_origins.as_deref());
        let addresses = Arc::new(Addresses::new(connections_per_address));
        let proxies = Arc::new(trusted_proxies);
        let front = Front { router, addresses, proxies, patience: Patience::default() };
        tasks.spawn(accept(parts.listener, front, stop.clone(), tasks.clone()));
        jobs::start(&state, &tasks, &stop);
        Live::start(&state, &tasks, &stop).await?;
        Ok(Self { state, address, stop, tasks })
    }

    /// The address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The app that was created first.
    pub fn first_app(&self) -> Option<Arc<App>> {
        self.state.first_app()
    }

    /// Tells when what was committed has been delivered. For tests.
    pub fn deliveries(&self) -> Deliveries {
        Deliveries(Arc::downgrade(&self.state))
    }

    /// Stops accepting, lets requests that are under way finish within a bound, and closes the database.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(DRAIN_TIME_MAX, self.state.live.stop()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        self.tasks.close();
        if tokio::time::timeout(DRAIN_TIME_MAX, self.tasks.wait()).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
        if let Some(state) = Arc::into_inner(self.state) {
            state.store.close().await;
        }
    }
}

/// Tells when what was committed has been delivered.
#[derive(Debug, Clone)]
pub struct Deliveries(Weak<State>);

impl Deliveries {
    /// Waits until every event that was committed before is in the queues of those who are connected.
    pub async fn settled(&self) {
        while self.0.upgrade().is_some_and(|state| !state.live.is_delivered()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Takes connections until it is told to stop. Beyond the greatest number of them, new ones wait to be accepted; those
/// of an address that has as many as it may are closed. Trusted proxies may have as many as there are.
async fn accept(listener: TcpListener, front: Front, stop: CancellationToken, tasks: TaskTracker) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = async {
                let permit = Arc::clone(&permits).acquire_owned().await;
                (listener.accept().await, permit)
            } => accepted,
        };
        match accepted {
            (Ok((stream, peer)), Ok(permit)) => {
                // A proxy opens the connections of many.
                let is_client = !front.proxies.trusts(peer.ip());
                let open = if is_client { front.addresses.open(peer.ip()) } else { None };
                if is_client && open.is_none() {
                    metrics::counter!("natterjack_connections_refused_total").increment(1);
                    continue;
                }
                let connection = serve_connection(stream, peer.ip(), front.clone(), stop.clone());
                tasks.spawn(async move {
                    connection.await;
                    drop((open, permit));
                });
            }
            (Err(error), _) => {
                // Out of file descriptors, or a client that went away: others still want to be served.
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            (Ok(_), Err(_)) => return,
        }
    }
}

/// What answers the requests of a connection, and what bounds it.
#[derive(Debug, Clone)]
struct Front {
    router: Router,
    addresses: Arc<Addresses>,
    proxies: Arc<TrustedProxies>,
    patience: Patience,
}

/// Where a request comes from, for those who bound what one address may do: the other end of the connection, or for whom
/// a trusted proxy calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub(crate) IpAddr);

async fn serve_connection(stream: TcpStream, peer: IpAddr, front: Front, stop: CancellationToken) {
    // Answers are written whole; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let Front { router, proxies, patience, .. } = front;
    let service = router.map_request(move |mut request: hyper::Request<Incoming>| {
        let client = PeerAddress(proxies.client(peer, request.headers()));
        request.extensions_mut().insert(client);
        request.map(axum::body::Body::new)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(HEADER_SIZE_MAX)
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_SIZE_MAX as u32)
        .keep_alive_interval(Duration::from_secs(30));
    let service = TowerToHyperService::new(service);
    let stream = PatientStream::new(stream, patience);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // How a client ends its connection is the client's business.
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpSocket, TcpStream};
    use tokio::task::JoinHandle;
    use tokio_util::sync::CancellationToken;

    use super::{Front, serve_connection};
    use crate::addresses::Addresses;
    use crate::patience::Patience;
    use crate::proxies::TrustedProxies;

    const ASK: &[u8] = b"GET /small HTTP/1.1\r\nhost: test\r\n\r\n";
    const ASK_MUCH: &[u8] = b"GET /big HTTP/1.1\r\nhost: test\r\n\r\n";
    /// What both ends of a connection may keep for each other, and much more than that.
    const BUFFER: u32 = 16 * 1024;
    const MUCH: usize = 4 * 1024 * 1024;
    const SHORT: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(60);

    /// A client's end of a connection, and the task that serves the other.
    async fn connect(patience: Patience) -> (TcpStream, JoinHandle<()>) {
        let router = Router::new()
            .route("/small", get(async || "little"))
            .route("/big", get(async || vec![b'x'; MUCH]))
            .route("/slow", get(async || tokio::time::sleep(SHORT * 5).await));
        let front = Front {
            router,
            addresses: Arc::new(Addresses::new(1)),
            proxies: Arc::new(TrustedProxies::default()),
            patience,
        };
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(BUFFER).unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(BUFFER).unwrap();
        let client = socket.connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let stop = CancellationToken::new();
        (client, tokio::spawn(serve_connection(stream, peer.ip(), front, stop)))
    }

    /// Waits for the end of a connection.
    async fn ended(serving: JoinHandle<()>) {
        tokio::time::timeout(LONG, serving).await.expect("the connection ends").unwrap();
    }

    async fn read_some(client: &mut TcpStream) -> usize {
        let mut buffer = vec![0; 64 * 1024];
        let read = tokio::time::timeout(LONG, client.read(&mut buffer)).await.expect("something comes");
        read.unwrap()
    }

    #[tokio::test]
    async fn who_does_not_say_what_it_speaks_is_not_waited_for() {
        let said: [&[u8]; 5] =
            [b"", b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r", b"POST /small", b"GET /small HTTP/1.1\r\n"];
        for said in said {
            let (mut client, serving) = connect(Patience { head: SHORT, write: LONG }).await;
            client.write_all(said).await.unwrap();
            ended(serving).await;
        }
    }

    #[tokio::test]
    async fn who_takes_nothing_is_not_waited_for() {
        let (mut client, serving) = connect(Patience { head: LONG, write: SHORT }).await;
        client.write_all(&ASK_MUCH.repeat(4)).await.unwrap();
        ended(serving).await;
        assert!(read_some(&mut client).await > 0, "what was taken before is there");
    }

    #[tokio::test]
    async fn who_takes_its_time_is_served() {
        let (mut client, serving) = connect(Patience { head: LONG, write: SHORT * 20 }).await;
        client.write_all(ASK_MUCH).await.unwrap();
        let mut taken = 0;
        // Longer altogether than it may take nothing.
        for _ in 0..25 {
            taken += read_some(&mut client).await;
            tokio::time::sleep(SHORT).await;
        }
        while taken < MUCH {
            taken += read_some(&mut client).await;
        }
        client.write_all(ASK).await.unwrap();
        assert!(read_some(&mut client).await > 0);
        drop(client);
        ended(serving).await;
    }

    #[tokio::test]
    async fn waiting_for_the_next_request_is_no_waiting_to_write() {
        let (mut client, serving) = connect(Patience { head: SHORT * 20, write: SHORT }).await;
        for _ in 0..3 {
            client.write_all(ASK).await.unwrap();
            assert!(read_some(&mut client).await > 0);
            tokio::time::sleep(SHORT * 2).await;
        }
        client.write_all(b"GET /slow HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
        assert!(read_some(&mut client).await > 0);
        ended(serving).await;
        assert_eq!(read_some(&mut client).await, 0, "an idle connection is closed");
    }
}
