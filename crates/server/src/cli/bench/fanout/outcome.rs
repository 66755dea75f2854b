//! What was found about sockets.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde::Serialize;

use super::super::report;
use super::super::table::{columns_of, count, time};
use super::super::targets::{at_least, at_most};

/// Deliveries as a part of those of the bare broadcaster, one message at a time.
const OF_BARE_MIN: f64 = 0.8;
/// The same where messages queue up: frames that are gathered beat frames that are written alone.
const OF_BARE_QUEUED_MIN: f64 = 2.0;
/// Processor time of the server for a delivery, in microseconds, alone and gathered.
const CPU_MAX: f64 = 8.0;
const CPU_QUEUED_MAX: f64 = 4.0;
/// Resident memory for a connection that watches a channel, in KiB.
const CONNECTION_KIB_MAX: f64 = 8.0;
/// Connections a second, from the handshake with its token to the first event.
const CONNECTS_MIN: f64 = 3000.0;
/// The p99 of the others as a part of what it was, when one reader in a hundred stops.
const SLOW_MAX: f64 = 1.1;

/// Where to send, and whose processor time to read.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// The process.
    pub process: u32,
}

/// Everything about sockets.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FanOut {
    /// Messages to many sockets.
    pub deliveries: Vec<Delivery>,
    /// Connections as such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<Connections>,
    /// What readers that stop cost the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow: Option<Slow>,
    /// What could not be measured, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
}

/// Messages to that many sockets.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// Who gets them.
    pub name: String,
    /// How many sockets.
    pub sockets: usize,
    /// Messages that are sent together.
    pub queued: usize,
    /// Messages sent.
    pub messages: u64,
    /// Frames that arrived, a second.
    pub per_second: f64,
    /// From the start of the calls to the last frame of the last socket: the median, in microseconds.
    pub p50_us: f64,
    /// One in a hundred took longer.
    pub p99_us: f64,
    /// Processor time of the server for a frame.
    pub server_cpu_us: f64,
    /// Processor time of the sockets' other side for a frame.
    pub generator_cpu_us: f64,
    /// Size of a frame.
    pub frame_bytes: f64,
    /// Frames a second as a part of those of the bare broadcaster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_bare: Option<f64>,
}

/// Connections.
#[derive(Debug, Clone, Serialize)]
pub struct Connections {
    /// How many.
    pub sockets: usize,
    /// Made a second, to their first events.
    pub per_second: f64,
    /// From the start to the first event: the median, in microseconds.
    pub first_event_p50_us: f64,
    /// One in a hundred took longer.
    pub first_event_p99_us: f64,
    /// Calls a second by which they began to watch a channel.
    pub watches_per_second: f64,
    /// Resident memory of the server for each, in KiB.
    pub kib_each: f64,
}

/// One reader in a hundred stops.
#[derive(Debug, Clone, Serialize)]
pub struct Slow {
    /// The p99 of a message to all, before.
    pub p99_before_us: f64,
    /// The same for the others, afterwards.
    pub p99_us: f64,
    /// How many stopped.
    pub stopped: u64,
    /// How many of them the server closed.
    pub closed: u64,
    /// How long that took.
    pub closed_after_seconds: f64,
}

impl FanOut {
    /// Name of what the bare broadcaster does.
    pub const BARE: &'static str = "bare broadcaster";
    /// Name of messages to those who watch.
    pub const WATCHING: &'static str = "watching";

    /// Sets messages to those who watch beside what the bare broadcaster does with as many sockets and as large frames.
    /// What other members get is larger.
    pub fn compare_with_bare(&mut self) {
        let bare: Vec<Delivery> =
            self.deliveries.iter().filter(|found| found.name == Self::BARE).cloned().collect();
        for found in self.deliveries.iter_mut().filter(|found| found.name == Self::WATCHING) {
            let same = bare.iter().find(|bare| (bare.sockets, bare.queued) == (found.sockets, found.queued));
            found.of_bare = same.map(|bare| found.per_second / bare.per_second);
        }
    }
}

/// Compares with the targets.
pub fn compare(found: &FanOut) -> Vec<report::Target> {
    let mut lines = Vec::new();
    for one in found.deliveries.iter().filter(|one| one.name != FanOut::BARE) {
        let (part_min, cpu_max) =
            if one.queued == 1 { (OF_BARE_MIN, CPU_MAX) } else { (OF_BARE_QUEUED_MIN, CPU_QUEUED_MAX) };
        let label = format!("{} sockets, {}, {} at a time", count(one.sockets as f64), one.name, one.queued);
        if let Some(part) = one.of_bare {
            lines.push(at_least(format!("deliveries/s of the bare broadcast: {label}"), part, part_min));
        }
        lines.push(at_most(format!("… server CPU of a delivery in µs: {label}"), one.server_cpu_us, cpu_max));
    }
    if let Some(connections) = &found.connections {
        let sockets = count(connections.sockets as f64);
        lines.push(at_least("connections/s".to_owned(), connections.per_second, CONNECTS_MIN));
        let name = format!("KiB resident for a connection, of {sockets}");
        lines.push(at_most(name, connections.kib_each, CONNECTION_KIB_MAX));
    }
    if let Some(slow) = &found.slow {
        let part = slow.p99_us / slow.p99_before_us.max(1.0);
        lines.push(at_most("p99 of the others when 1 reader in 100 stops".to_owned(), part, SLOW_MAX));
        let closed = slow.closed as f64 / slow.stopped.max(1) as f64;
        lines.push(at_least("… part of these readers that is closed".to_owned(), closed, 1.0));
    }
    lines
}

/// Writes it for people.
pub fn write(text: &mut String, found: &FanOut) -> std::fmt::Result {
    writeln!(text, "\nSockets")?;
    let header = [
        "messages to",
        "sockets",
        "at a time",
        "deliveries/s",
        "p50",
        "p99",
        "server CPU",
        "client CPU",
        "frame",
        "of bare",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for one in &found.deliveries {
        rows.push(vec![
            one.name.clone(),
            count(one.sockets as f64),
            one.queued.to_string(),
            count(one.per_second),
            time(one.p50_us),
            time(one.p99_us),
            time(one.server_cpu_us),
            time(one.generator_cpu_us),
            format!("{:.0} B", one.frame_bytes),
            one.of_bare.map(|part| format!("{part:.2}")).unwrap_or_default(),
        ]);
    }
    text.push_str(&columns_of(&rows));
    if let Some(connections) = &found.connections {
        writeln!(
            text,
            "  {} connections: {} a second, first event p50 {}, p99 {}; {} watch calls a second; {:.1} KiB each",
            count(connections.sockets as f64),
            count(connections.per_second),
            time(connections.first_event_p50_us),
            time(connections.first_event_p99_us),
            count(connections.watches_per_second),
            connections.kib_each
        )?;
    }
    if let Some(slow) = &found.slow {
        writeln!(
            text,
            "  {} of {} sockets stop reading: p99 of the others {} before, {} after; {} closed in {:.1} s",
            slow.stopped,
            count(slow.stopped as f64 * 100.0),
            time(slow.p99_before_us),
            time(slow.p99_us),
            slow.closed,
            slow.closed_after_seconds
        )?;
    }
    for failure in &found.failures {
        writeln!(text, "  failed: {failure}")?;
    }
    Ok(())
}
