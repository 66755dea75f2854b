//! Thousands of sockets on one thread, with as little work for each frame as can be.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::wire::{Frames, client_frame};

/// Connections that are being made at the same time.
const CONNECTING: usize = 64;
/// Client addresses over which the connections are spread, so that none of them runs out of ports.
const ADDRESSES: usize = 200;
/// How often a client says that it is there.
const HEALTH_CHECK_EVERY: Duration = Duration::from_secs(25);
/// Size of the buffer that all sockets read into.
const BUFFER_SIZE: usize = 64 * 1024;
/// Receive buffer of the sockets that stop reading.
const SLOW_BUFFER: u32 = 4096;
/// How long the last socket may take to get a message.
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(60);

/// What all sockets have got together.
#[derive(Debug, Default)]
struct Tally {
    messages: Cell<u64>,
    bytes: Cell<u64>,
    awaited: Cell<u64>,
    /// When the awaited number was reached.
    reached_at: Cell<Option<Instant>>,
    reached: Notify,
}

/// One socket.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    /// Its id on the server.
    pub connection_id: String,
    /// Its number, and that of its user.
    pub index: usize,
    stops_reading: Cell<bool>,
    messages: Cell<u64>,
    closed: Cell<bool>,
}

/// Sockets that are being read. Dropping it closes them.
#[derive(Debug, Default)]
pub struct Swarm {
    sockets: Vec<Rc<Socket>>,
    tally: Rc<Tally>,
    buffer: Rc<RefCell<Vec<u8>>>,
    tasks: Vec<AbortOnDropHandle<()>>,
    keeper: Option<AbortOnDropHandle<()>>,
}

impl Swarm {
    /// No sockets.
    pub fn new() -> Self {
        Self { buffer: Rc::new(RefCell::new(vec![0; BUFFER_SIZE])), ..Self::default() }
    }

    /// The sockets.
    pub fn sockets(&self) -> &[Rc<Socket>] {
        &self.sockets
    }

    /// Adds sockets, each with one of these requests, and begins to read them. Gives the time from the beginning of each
    /// to its first event, in nanoseconds.
    pub async fn open(&mut self, address: SocketAddr, requests: Vec<Vec<u8>>) -> Result<Histogram<u64>> {
        let mut times = times()?;
        let first = self.sockets.len();
        let opening = requests.into_iter().enumerate().map(|(index, request)| async move {
            let started = Instant::now();
            let socket = open(address, first + index, &request).await?;
            anyhow::Ok((socket, started.elapsed()))
        });
        let opened: Vec<(Socket, Duration)> =
            stream::iter(opening).buffer_unordered(CONNECTING).try_collect().await?;
        for (socket, time) in opened {
            times.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
            let socket = Rc::new(socket);
            self.sockets.push(Rc::clone(&socket));
            let (tally, buffer) = (Rc::clone(&self.tally), Rc::clone(&self.buffer));
            let reading = tokio::task::spawn_local(read(socket, tally, buffer));
            self.tasks.push(AbortOnDropHandle::new(reading));
        }
        let keeper = tokio::task::spawn_local(keep_alive(self.sockets.clone()));
        self.keeper = Some(AbortOnDropHandle::new(keeper));
        Ok(times)
    }

    /// From now on every hundredth socket leaves what it gets unread. Gives their number.
    pub fn stop_some(&self) -> u64 {
        let some = self.sockets.iter().filter(|socket| may_stop(socket.index));
        some.inspect(|socket| socket.stops_reading.set(true)).count() as u64
    }

    /// How many of the sockets that have stopped the server has closed. Looks, because they do not read.
    pub fn closed(&self) -> u64 {
        let stopped = self.sockets.iter().filter(|socket| socket.stops_reading.get());
        stopped.filter(|socket| socket.closed.get() || is_reset(&socket.stream)).count() as u64
    }

    /// Sockets that read.
    pub fn reading(&self) -> u64 {
        self.sockets.iter().filter(|socket| !socket.stops_reading.get()).count() as u64
    }

    /// Begins to wait for that many messages at each socket that reads.
    pub fn await_messages(&self, each: u64) {
        self.tally.messages.set(0);
        self.tally.bytes.set(0);
        self.tally.reached_at.set(None);
        self.tally.awaited.set(each * self.reading());
    }

    /// When the last awaited message arrived.
    pub async fn arrived(&self) -> Result<Instant> {
        let waiting = async {
            loop {
                let reached = self.tally.reached.notified();
                if let Some(at) = self.tally.reached_at.get() {
                    return at;
                }
                reached.await;
            }
        };
        match tokio::time::timeout(ARRIVAL_TIME_MAX, waiting).await {
            Ok(at) => Ok(at),
            Err(_) => {
                let closed = self.sockets.iter().filter(|socket| socket.closed.get()).count();
                let (found, awaited) = (self.tally.messages.get(), self.tally.awaited.get());
                bail!("{found} of {awaited} messages arrived; {closed} sockets were closed")
            }
        }
    }

    /// Bytes of the messages that were awaited.
    pub fn bytes(&self) -> u64 {
        self.tally.bytes.get()
    }

    /// Whether each socket that reads has got that many messages in its life.
    pub fn check(&self, each: u64) -> Result<()> {
        let wrong = self.sockets.iter().filter(|socket| !socket.stops_reading.get());
        let wrong = wrong.filter(|socket| socket.messages.get() != each).count();
        ensure!(wrong == 0, "{wrong} sockets did not get each message once");
        Ok(())
    }

    /// Forgets how many messages each socket has got.
    pub fn begin_check(&self) {
        self.sockets.iter().for_each(|socket| socket.messages.set(0));
    }
}

/// Room for times in nanoseconds, from a microsecond on.
pub fn times() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1000, u64::try_from(2 * ARRIVAL_TIME_MAX.as_nanos())?, 3)?)
}

/// Whether a socket is one of those that may stop reading.
const fn may_stop(index: usize) -> bool {
    index % 100 == 50
}

async fn open(address: SocketAddr, index: usize, request: &[u8]) -> Result<Socket> {
    let socket = TcpSocket::new_v4()?;
    let host = u8::try_from(2 + index % ADDRESSES)?;
    if may_stop(index) {
        socket.set_recv_buffer_size(SLOW_BUFFER)?;
    }
    socket.bind((Ipv4Addr::new(127, 0, 0, host), 0).into())?;
    let mut stream = socket.connect(address).await.context("cannot connect a socket")?;
    stream.write_all(request).await?;
    let mut answer = Vec::with_capacity(2048);
    // The head, and the first event behind it, which is a small JSON object.
    loop {
        let read = stream.read_buf(&mut answer).await?;
        ensure!(read > 0, "the server closed a connection: {}", String::from_utf8_lossy(&answer));
        if answer.windows(4).any(|bytes| bytes == b"\r\n\r\n") && answer.ends_with(b"}") {
            break;
        }
    }
    let text = String::from_utf8_lossy(&answer);
    ensure!(text.starts_with("HTTP/1.1 101"), "the server does not take a socket: {text}");
    let id = text.split_once(r#""connection_id":""#).and_then(|(_, rest)| rest.split_once('"'));
    let Some((connection_id, _)) = id.filter(|(id, _)| !id.is_empty()) else {
        bail!("the first event has no connection id: {text}")
    };
    Ok(Socket {
        connection_id: connection_id.to_owned(),
        index,
        stream,
        stops_reading: Cell::default(),
        messages: Cell::default(),
        closed: Cell::default(),
    })
}

async fn read(socket: Rc<Socket>, tally: Rc<Tally>, buffer: Rc<RefCell<Vec<u8>>>) {
    let mut frames = Frames::new();
    loop {
        if socket.stream.readable().await.is_err() || socket.stops_reading.get() {
            return;
        }
        let mut buffer = buffer.borrow_mut();
        match socket.stream.try_read(&mut buffer) {
            Ok(0) => return socket.closed.set(true),
            Ok(length) => {
                let arrived = frames.feed(&buffer[..length]);
                socket.messages.set(socket.messages.get() + arrived.messages);
                tally.add(arrived.messages, arrived.bytes);
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return socket.closed.set(true),
        }
    }
}

impl Tally {
    fn add(&self, messages: u64, bytes: u64) {
        let before = self.messages.get();
        self.messages.set(before + messages);
        self.bytes.set(self.bytes.get() + bytes);
        let awaited = self.awaited.get();
        if before < awaited && before + messages >= awaited {
            self.reached_at.set(Some(Instant::now()));
            self.reached.notify_waiters();
        }
    }
}

/// Says for all sockets that they are there, a few at a time.
async fn keep_alive(sockets: Vec<Rc<Socket>>) {
    let frame = client_frame(r#"[{"type":"health.check","client_id":"bench"}]"#);
    loop {
        for some in sockets.chunks(100) {
            let pause = HEALTH_CHECK_EVERY.mul_f64(some.len() as f64 / sockets.len().max(1) as f64);
            tokio::time::sleep(pause).await;
            for socket in some.iter().filter(|socket| !socket.stops_reading.get()) {
                // A socket that takes nothing now does so the next time.
                drop(socket.stream.try_write(&frame));
            }
        }
    }
}

/// Whether the other side has given a connection up although nobody reads it.
fn is_reset(stream: &TcpStream) -> bool {
    matches!(stream.take_error(), Ok(Some(_)))
        || stream
            .try_write(&[0x8a, 0x80, 0, 0, 0, 0])
            .is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock)
}
