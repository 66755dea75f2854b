//! What is measured about sockets, in which order.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hdrhistogram::Histogram;
use natterjack_client::Client;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::super::child::{Server, Setup};
use super::super::generator::Connection;
use super::super::machine::{cpu_time, resident};
use super::super::progress::Progress;
use super::super::report::micros;
use super::super::requests::Encoder;
use super::super::setup;
use super::bare::Bare;
use super::http::{self, Sender, Sends};
use super::outcome::{Connections, Delivery, FanOut, Slow, Target};
use super::swarm::{Swarm, times};

/// Sockets that get each message.
const SOCKETS: [usize; 3] = [100, 1000, 10_000];
/// Messages that are sent together where messages queue up.
const BURST: usize = 32;
/// Sockets beside the slow readers.
const SLOW_SOCKETS: usize = 1000;
/// Fewest rounds of a measurement.
const ROUNDS_MIN: u64 = 5;
/// Calls that begin to watch, at the same time.
const WATCHING: usize = 16;
/// After connecting, how long to wait before memory is read.
const IDLE_TIME: Duration = Duration::from_secs(3);
/// How long the server may take to give up those who do not read, while messages flow.
const GIVE_UP_TIME_MAX: Duration = Duration::from_secs(60);
/// The channel that all sockets watch.
const WATCHED: &str = "fan-out";
/// The channel whose members are connected and do not watch.
const QUIET: &str = "fan-out-quiet";
/// Steps of the plan, for the progress bar.
pub const STEPS: usize = 1 + 3 * 3 + 2 + 2 + 3 * 2;

/// Measures everything about sockets, on a server with a database of its own.
///
/// # Errors
/// When the server does not start or the users and channels cannot be made. What fails later is reported as such.
pub async fn measure(
    setup: &Setup,
    duration: Duration,
    sockets_max: usize,
    progress: &Progress,
) -> Result<FanOut> {
    progress.step("making users and channels for sockets");
    let mut setup = setup.clone();
    setup.folder = setup.folder.join("fan-out");
    std::fs::create_dir_all(&setup.folder)?;
    let starting = setup.clone();
    let server = tokio::task::spawn_blocking(move || starting.start()).await??;
    let url = format!("http://{}", server.address);
    let client = Client::builder(&setup.api_key, &setup.api_secret).base_url(url);
    let client = client.timeout(Duration::from_secs(60)).build()?;
    let sizes: Vec<usize> = SOCKETS.into_iter().filter(|size| *size <= sockets_max).collect();
    let most = *sizes.last().context("--sockets must be at least 100")?;
    setup::create_users(&client, setup::members(most)).await?;
    setup::create_channels(&client, [WATCHED, QUIET].map(|id| (id.to_owned(), setup::members(most)))).await?;
    let encoder = Encoder { api_key: setup.api_key.clone(), token: client.create_server_token()? };

    let (sender, receiver) = oneshot::channel();
    let progress = progress.clone();
    // The thread holds the sockets: they are many, and their tasks are not to be moved about.
    std::thread::Builder::new().name("bench-sockets".to_owned()).spawn(move || {
        let run = Run { setup, encoder, sizes, duration, progress, found: FanOut::default() };
        // Nobody listens any more when the benchmark was interrupted.
        drop(sender.send(run.run_here(server)));
    })?;
    receiver.await.context("the thread that holds the sockets panicked")?
}

struct Run {
    setup: Setup,
    encoder: Encoder,
    /// Numbers of sockets, growing.
    sizes: Vec<usize>,
    duration: Duration,
    progress: Progress,
    found: FanOut,
}

impl Run {
    fn run_here(mut self, server: Server) -> Result<FanOut> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, async {
            if let Err(error) = self.measure_server(&server).await {
                self.found.failures.push(format!("{error:#}"));
            }
            if let Err(error) = self.measure_slow(&server).await {
                self.found.failures.push(format!("slow readers: {error:#}"));
            }
            drop(server);
            if let Err(error) = self.measure_bare().await {
                self.found.failures.push(format!("the bare broadcaster: {error:#}"));
            }
            self.found.compare_with_bare();
            Ok(self.found)
        })
    }

    async fn measure_server(&mut self, server: &Server) -> Result<()> {
        let target = Target { address: server.address, process: server.process() };
        let mut swarm = Swarm::new();
        let before = resident(server.process())?.now_mib;
        for count in self.sizes.clone() {
            self.progress.step(&format!("connecting {count} sockets"));
            let (connected, times, watched) = self.connect(&mut swarm, server, count, true).await?;
            if Some(&count) == self.sizes.last() {
                tokio::time::sleep(IDLE_TIME).await;
                let grown = resident(server.process())?.now_mib - before;
                self.found.connections = Some(Connections {
                    sockets: count,
                    per_second: times.len() as f64 / connected.as_secs_f64(),
                    first_event_p50_us: times.value_at_quantile(0.5) as f64 / 1e3,
                    first_event_p99_us: p99_us(&times),
                    watches_per_second: times.len() as f64 / watched.as_secs_f64(),
                    kib_each: grown * 1024.0 / count as f64,
                });
            }
            self.measure_both(
                FanOut::WATCHING,
                &mut swarm,
                target,
                Sends::to_channel(&self.encoder, WATCHED),
            )
            .await?;
        }
        self.measure_both(
            "members who do not watch",
            &mut swarm,
            target,
            Sends::to_channel(&self.encoder, QUIET),
        )
        .await
    }

    /// Brings the swarm to `count` sockets. Gives the time it took, that of each socket, and the time of watching.
    async fn connect(
        &self,
        swarm: &mut Swarm,
        server: &Server,
        count: usize,
        watch: bool,
    ) -> Result<(Duration, Histogram<u64>, Duration)> {
        let first = swarm.sockets().len();
        let requests: Result<Vec<_>> =
            (first..count).map(|index| http::connect(&self.setup, &setup::user(index))).collect();
        let (requests, started) = (requests?, Instant::now());
        let times = swarm.open(server.address, requests).await?;
        let connected = started.elapsed();
        let mut watches = Vec::new();
        for socket in swarm.sockets().iter().skip(first).filter(|_| watch) {
            watches.push(http::watch(
                &self.setup,
                &setup::user(socket.index),
                &socket.connection_id,
                WATCHED,
            )?);
        }
        let started = Instant::now();
        let share = watches.len().div_ceil(WATCHING).max(1);
        let shares = watches.chunks(share).map(|requests| async move {
            let mut connection = Connection::open(server.address).await?;
            for request in requests {
                connection.call(|buffer| buffer.extend_from_slice(request)).await.context("watching")?;
            }
            anyhow::Ok(())
        });
        stream::iter(shares).buffer_unordered(WATCHING).try_collect::<()>().await?;
        Ok((connected, times, started.elapsed()))
    }

    async fn measure_both(
        &mut self,
        name: &str,
        swarm: &mut Swarm,
        target: Target,
        sends: Sends,
    ) -> Result<()> {
        for queued in [1, BURST] {
            self.progress.step(&format!("{} sockets, {name}, {queued} at a time", swarm.sockets().len()));
            let found = self.deliver(name, swarm, target, sends.clone(), queued, self.duration).await?;
            self.found.deliveries.push(found);
        }
        Ok(())
    }

    /// Sends `queued` messages together, waits until the last socket has the last of them, and so on.
    async fn deliver(
        &self,
        name: &str,
        swarm: &Swarm,
        target: Target,
        sends: Sends,
        queued: usize,
        duration: Duration,
    ) -> Result<Delivery> {
        let mut sender = Sender::open(target.address, queued, sends).await?;
        // Once for the caches.
        Rounds::one(swarm, &mut sender, queued).await?;
        swarm.begin_check();
        let process = target.process.to_string();
        let (server, generator) = (cpu_time(&process)?, cpu_time("self")?);
        let started = Instant::now();
        let Rounds { times, bytes } = Rounds::measure(swarm, &mut sender, queued, duration).await?;
        let elapsed = started.elapsed();
        let server = cpu_time(&process)?.saturating_sub(server);
        let generator = cpu_time("self")?.saturating_sub(generator);
        let messages = times.len() * queued as u64;
        swarm.check(messages)?;
        let each = queued as u64 * swarm.reading();
        let deliveries = (times.len() * each) as f64;
        Ok(Delivery {
            name: name.to_owned(),
            sockets: swarm.sockets().len(),
            queued,
            messages,
            per_second: deliveries / elapsed.as_secs_f64(),
            p50_us: times.value_at_quantile(0.5) as f64 / 1e3,
            p99_us: p99_us(&times),
            server_cpu_us: micros(server) / deliveries,
            generator_cpu_us: micros(generator) / deliveries,
            frame_bytes: bytes as f64 / each as f64,
            of_bare: None,
        })
    }

    /// One reader in a hundred stops: what that costs the others, and whether the server gives it up.
    async fn measure_slow(&mut self, server: &Server) -> Result<()> {
        let target = Target { address: server.address, process: server.process() };
        let most = self.sizes.last().copied().unwrap_or_default();
        self.progress.step("connecting sockets that will stop reading");
        let mut swarm = Swarm::new();
        self.connect(&mut swarm, server, SLOW_SOCKETS.min(most), true).await?;
        let sends = || Sends::to_channel(&self.encoder, WATCHED);
        let mut one = Sender::open(target.address, 1, sends()).await?;
        Rounds::one(&swarm, &mut one, 1).await?;
        let before = Rounds::measure(&swarm, &mut one, 1, self.duration).await?;
        let stopped = swarm.stop_some();
        self.progress.step("one reader in a hundred stops");
        let started = Instant::now();
        let mut sender = Sender::open(target.address, BURST, sends()).await?;
        let mut after = times()?;
        while swarm.closed() < stopped && started.elapsed() < GIVE_UP_TIME_MAX {
            after.add(&Rounds::measure(&swarm, &mut one, 1, self.duration / 2).await?.times)?;
            // So that it takes less long until they are given up.
            for _ in 0..20 {
                Rounds::one(&swarm, &mut sender, BURST).await?;
            }
        }
        let closed_after_seconds = started.elapsed().as_secs_f64();
        self.found.slow = Some(Slow {
            p99_before_us: p99_us(&before.times),
            p99_us: p99_us(&after),
            stopped,
            closed: swarm.closed(),
            closed_after_seconds,
        });
        Ok(())
    }

    async fn measure_bare(&mut self) -> Result<()> {
        let watching = self.found.deliveries.iter().find(|found| found.name == FanOut::WATCHING);
        let frame_bytes = watching.context("there is nothing to compare with")?.frame_bytes;
        for count in self.sizes.clone() {
            let bare = Bare::start(&self.setup.program, frame_bytes as usize)?;
            let target = Target { address: bare.address, process: bare.process() };
            let mut swarm = Swarm::new();
            let request = b"GET /connect HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec();
            swarm.open(bare.address, vec![request; count]).await?;
            ensure!(swarm.sockets().len() == count, "not all sockets are open");
            self.measure_both(FanOut::BARE, &mut swarm, target, Sends::bare()).await?;
        }
        Ok(())
    }
}

fn p99_us(times: &Histogram<u64>) -> f64 {
    times.value_at_quantile(0.99) as f64 / 1e3
}

/// Messages that were sent together and awaited, again and again.
struct Rounds {
    /// From the beginning of a round to the last byte at the last socket, in nanoseconds.
    times: Histogram<u64>,
    /// What the sockets got in the last round.
    bytes: u64,
}

impl Rounds {
    async fn measure(swarm: &Swarm, sender: &mut Sender, queued: usize, duration: Duration) -> Result<Self> {
        let mut measured = Self { times: times()?, bytes: 0 };
        let started = Instant::now();
        while measured.times.len() < ROUNDS_MIN || started.elapsed() < duration {
            let time = Self::one(swarm, sender, queued).await?;
            measured.times.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
            measured.bytes = swarm.bytes();
        }
        Ok(measured)
    }

    async fn one(swarm: &Swarm, sender: &mut Sender, queued: usize) -> Result<Duration> {
        swarm.await_messages(queued as u64);
        let sent = Instant::now();
        sender.send(queued).await?;
        Ok(swarm.arrived().await? - sent)
    }
}
