//! Makes load: as many connections as requests in flight, on one thread, with as little work per request as can be, for
//! it shares the processors with the server.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::machine;

/// Over and above the planned time, how long a measurement may take.
const OVERTIME_MAX: Duration = Duration::from_secs(60);
/// Length of the pieces of time in which throughput is counted.
const SLICE: Duration = Duration::from_millis(250);
/// Greatest latency that is told apart.
const LATENCY_MAX: Duration = Duration::from_secs(120);
/// Size of a connection's buffer at first.
const BUFFER_SIZE: usize = 64 * 1024;

/// Writes the request of that number, head and body, to the end of the buffer.
pub type Fill = Arc<dyn Fn(u64, &mut Vec<u8>) + Send + Sync>;

/// What to send, how often and for how long.
#[derive(Clone)]
pub struct Load {
    /// Where to.
    pub address: SocketAddr,
    /// The server's process.
    pub process: u32,
    /// Number of connections; each has one request at a time.
    pub in_flight: usize,
    /// How long to send before measuring.
    pub warm_up: Duration,
    /// How long to measure.
    pub duration: Duration,
    /// Most requests, a tenth of which may be spent on warming up.
    pub requests_max: u64,
    /// The requests.
    pub fill: Fill,
}

impl fmt::Debug for Load {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Load").field("in_flight", &self.in_flight).finish_non_exhaustive()
    }
}

/// What was measured.
#[derive(Debug)]
pub struct Outcome {
    /// Requests answered with a 2xx status. There are no others: they end the measurement.
    pub requests: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Time of each request in nanoseconds.
    pub latencies: Histogram<u64>,
    /// The median over short pieces of time of the requests a second.
    pub median_rate: f64,
    /// Processor time of the server.
    pub server_cpu: Duration,
    /// Processor time of this process.
    pub generator_cpu: Duration,
    /// Bytes of all answers, heads included.
    pub received: u64,
}

impl Load {
    /// Warms up and measures, on a thread of its own.
    ///
    /// # Errors
    /// When a connection fails, or an answer does not have a 2xx status.
    pub async fn run(self) -> Result<Outcome> {
        let (sender, receiver) = oneshot::channel();
        std::thread::Builder::new().name("bench-load".to_owned()).spawn(move || {
            // Nobody listens any more when the benchmark was interrupted.
            drop(sender.send(self.run_here()));
        })?;
        receiver.await.context("the thread that makes load panicked")?
    }

    fn run_here(self) -> Result<Outcome> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, async {
            let mut connections = Vec::with_capacity(self.in_flight);
            for _ in 0..self.in_flight {
                connections.push(Connection::open(self.address).await?);
            }
            let warm_up = Phase::new(0, self.requests_max.div_ceil(10), self.warm_up, &self.fill)?;
            let connections = self.run_phase(&warm_up, connections).await?;
            let next = warm_up.next.get();
            let measured = Phase::new(next, self.requests_max, self.duration, &self.fill)?;
            let process = self.process.to_string();
            let (server, generator) = (machine::cpu_time(&process)?, machine::cpu_time("self")?);
            let connections = self.run_phase(&measured, connections).await?;
            let elapsed = measured.started.elapsed();
            let server_cpu = machine::cpu_time(&process)?.saturating_sub(server);
            let generator_cpu = machine::cpu_time("self")?.saturating_sub(generator);
            drop(connections);
            let latencies = measured.latencies.borrow().clone();
            Ok(Outcome {
                requests: latencies.len(),
                elapsed,
                median_rate: median_rate(&measured.slices.take(), latencies.len(), elapsed),
                latencies,
                server_cpu,
                generator_cpu,
                received: measured.received.get(),
            })
        })
    }

    async fn run_phase(&self, phase: &Rc<Phase>, connections: Vec<Connection>) -> Result<Vec<Connection>> {
        let tasks: Vec<_> = connections
            .into_iter()
            .map(|connection| tokio::task::spawn_local(connection.run(Rc::clone(phase))))
            .collect();
        let limit = phase.duration.saturating_add(OVERTIME_MAX);
        let all = async {
            let mut connections = Vec::with_capacity(tasks.len());
            for task in tasks {
                connections.push(task.await??);
            }
            anyhow::Ok(connections)
        };
        tokio::time::timeout(limit, all).await.with_context(|| format!("not done after {limit:?}"))?
    }
}

/// Warming up or measuring, shared by all connections.
struct Phase {
    next: Cell<u64>,
    end: u64,
    started: Instant,
    duration: Duration,
    fill: Fill,
    latencies: RefCell<Histogram<u64>>,
    slices: RefCell<Vec<u64>>,
    received: Cell<u64>,
}

impl Phase {
    fn new(first: u64, end: u64, duration: Duration, fill: &Fill) -> Result<Rc<Self>> {
        let highest = u64::try_from(LATENCY_MAX.as_nanos())?;
        Ok(Rc::new(Self {
            next: Cell::new(first),
            end,
            started: Instant::now(),
            duration,
            fill: Arc::clone(fill),
            latencies: RefCell::new(Histogram::new_with_bounds(1000, highest, 3)?),
            slices: RefCell::default(),
            received: Cell::default(),
        }))
    }

    /// The number of the next request, unless this was the last.
    fn take(&self) -> Option<u64> {
        let number = self.next.get();
        if number >= self.end || self.started.elapsed() >= self.duration {
            return None;
        }
        self.next.set(number + 1);
        Some(number)
    }

    fn record(&self, sent: Instant, received: usize) {
        let now = Instant::now();
        let latency = u64::try_from((now - sent).as_nanos()).unwrap_or(u64::MAX);
        self.latencies.borrow_mut().saturating_record(latency);
        let slice = (now - self.started).as_nanos() / SLICE.as_nanos();
        let slice = usize::try_from(slice).unwrap_or(usize::MAX);
        let mut slices = self.slices.borrow_mut();
        if slices.len() <= slice {
            slices.resize(slice + 1, 0);
        }
        slices[slice] += 1;
        self.received.set(self.received.get() + received as u64);
    }
}

/// The median over the whole slices; with few of them, the mean over everything.
fn median_rate(slices: &[u64], requests: u64, elapsed: Duration) -> f64 {
    let whole = usize::try_from(elapsed.as_nanos() / SLICE.as_nanos()).unwrap_or(usize::MAX);
    let mut counts = slices[..whole.min(slices.len())].to_vec();
    if counts.len() < 3 {
        return requests as f64 / elapsed.as_secs_f64();
    }
    counts.sort_unstable();
    counts[counts.len() / 2] as f64 / SLICE.as_secs_f64()
}

/// One connection, with one request at a time.
pub struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect to the server")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, request: Vec::with_capacity(1024), answer: Vec::with_capacity(BUFFER_SIZE) })
    }

    /// Sends the request that `fill` writes and waits for its answer.
    pub async fn call(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        self.request.clear();
        fill(&mut self.request);
        self.exchange().await.map(drop)
    }

    async fn run(mut self, phase: Rc<Phase>) -> Result<Self> {
        while let Some(number) = phase.take() {
            self.request.clear();
            (phase.fill)(number, &mut self.request);
            ensure!(!self.request.is_empty(), "there is nothing to ask for");
            let sent = Instant::now();
            let received = self.exchange().await?;
            phase.record(sent, received);
        }
        Ok(self)
    }

    /// Sends the request and reads the answer; gives the answer's size.
    async fn exchange(&mut self) -> Result<usize> {
        self.stream.write_all(&self.request).await.context("a request could not be sent")?;
        self.answer.clear();
        let mut size = None;
        loop {
            let read = self.stream.read_buf(&mut self.answer).await.context("an answer could not be read")?;
            ensure!(read > 0, "the server closed a connection before it had answered");
            if size.is_none() {
                size = answer_size(&self.answer)?;
            }
            if size.is_some_and(|size| self.answer.len() >= size) {
                break;
            }
        }
        let status = self.answer.get(9..12).unwrap_or_default();
        if status.first() != Some(&b'2') {
            bail!("the server answered\n{}", String::from_utf8_lossy(&self.answer));
        }
        Ok(self.answer.len())
    }
}

/// Size of head and body together, once the whole head is there.
fn answer_size(answer: &[u8]) -> Result<Option<usize>> {
    const NAME: &[u8] = b"content-length:";
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let length = answer[..end]
        .split(|byte| *byte == b'\n')
        .find_map(|line| {
            line.split_at_checked(NAME.len()).filter(|(name, _)| name.eq_ignore_ascii_case(NAME))
        })
        .and_then(|(_, value)| std::str::from_utf8(value).ok()?.trim().parse::<usize>().ok());
    match length {
        Some(length) => Ok(Some(end + 4 + length)),
        None => bail!("an answer has no Content-Length: {}", String::from_utf8_lossy(&answer[..end])),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{answer_size, median_rate};

    #[test]
    fn the_size_of_an_answer_is_head_and_body() {
        let answer = b"HTTP/1.1 201 Created\r\ncontent-type: x\r\nContent-Length: 12\r\ndate: y\r\n\r\nhello";
        assert_eq!(answer_size(answer).unwrap(), Some(answer.len() + 7));
        assert_eq!(answer_size(&answer[..40]).unwrap(), None);
        assert!(answer_size(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn the_median_rate_leaves_out_the_last_piece() {
        let elapsed = Duration::from_millis(1100);
        assert!((median_rate(&[10, 30, 20, 30, 1], 91, elapsed) - 120.0).abs() < 1e-9);
        assert!((median_rate(&[10], 10, Duration::from_millis(500)) - 20.0).abs() < 1e-9);
    }
}
