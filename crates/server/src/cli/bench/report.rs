//! What the benchmark has found, as JSON has it.

use std::time::Duration;

use serde::Serialize;

use super::child::Server;
use super::generator::Outcome;
use super::machine::{Machine, Resident, resident};

/// Everything that one run has found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where it was measured.
    pub machine: Machine,
    /// Seconds of one measurement.
    pub seconds: f64,
    /// One entry for each database.
    pub databases: Vec<Figures>,
}

/// The figures of one database.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    /// `sqlite` or `postgresql`.
    pub database: &'static str,
    /// What the database can do without a server.
    pub group_commits: Vec<GroupCommits>,
    /// Requests that do nothing: the limit of the HTTP stack.
    pub no_ops: Vec<Measurement>,
    /// What the server does.
    pub measurements: Vec<Measurement>,
    /// Messages loaded before the reads.
    pub messages: u64,
    /// Messages loaded a second.
    pub load_rate: f64,
    /// From making the process to being ready, in milliseconds, on an empty database.
    pub ready_empty_ms: f64,
    /// The same with all messages there.
    pub ready_loaded_ms: f64,
    /// Resident memory at the milestones.
    pub memory: Vec<Memory>,
    /// What truncating a channel of very many messages costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncation: Option<Truncation>,
    /// What was found about sockets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fan_out: Option<super::fanout::FanOut>,
    /// Whether what is asked of the server was reached.
    pub targets: Vec<Target>,
}

/// Times of writes with a sync, in microseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Sync {
    /// How many were measured.
    pub count: usize,
    /// The median.
    pub p50_us: f64,
    /// One in a hundred took longer.
    pub p99_us: f64,
}

impl Sync {
    /// Sums up measured times.
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |part: f64| times.get((times.len() as f64 * part) as usize).copied().unwrap_or_default();
        Self { count: times.len(), p50_us: micros(at(0.5)), p99_us: micros(at(0.99)) }
    }
}

/// Durable rows of the bare database.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct GroupCommits {
    /// Rows that share a sync, at most.
    pub group: usize,
    /// Rows a second.
    pub rows_per_second: f64,
    /// Small writes with their syncs to the disk of the folder, at about the same time.
    pub sync: Sync,
}

/// One measurement.
#[derive(Debug, Clone, Serialize)]
pub struct Measurement {
    /// What was asked of the server.
    pub name: String,
    /// Requests at the same time.
    pub in_flight: usize,
    /// Why there are no figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Requests answered.
    pub requests: u64,
    /// Requests a second over the whole measurement.
    pub per_second: f64,
    /// The median of the requests a second of its quarter seconds.
    pub per_second_median: f64,
    /// Median latency in microseconds.
    pub p50_us: f64,
    /// One request in a hundred took longer.
    pub p99_us: f64,
    /// The longest latency.
    pub max_us: f64,
    /// Processor time of the server per request.
    pub server_cpu_us: f64,
    /// Processor time of the load generator per request.
    pub generator_cpu_us: f64,
    /// Size of an answer with its head, on average.
    pub answer_bytes: f64,
    /// For durable writes: requests per row of the bare database with groups of `in_flight`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_group_commit: Option<f64>,
    /// Requests per no-op request at the same number in flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_no_op: Option<f64>,
}

impl Measurement {
    /// Sums up a load.
    pub fn new(name: &str, in_flight: usize, outcome: &anyhow::Result<Outcome>) -> Self {
        let mut summary = Self {
            name: name.to_owned(),
            in_flight,
            failure: None,
            requests: 0,
            per_second: 0.0,
            per_second_median: 0.0,
            p50_us: 0.0,
            p99_us: 0.0,
            max_us: 0.0,
            server_cpu_us: 0.0,
            generator_cpu_us: 0.0,
            answer_bytes: 0.0,
            of_group_commit: None,
            of_no_op: None,
        };
        match outcome {
            Ok(outcome) if outcome.requests > 0 => {
                let requests = outcome.requests as f64;
                let latency = |part| outcome.latencies.value_at_quantile(part) as f64 / 1000.0;
                summary.requests = outcome.requests;
                summary.per_second = requests / outcome.elapsed.as_secs_f64();
                summary.per_second_median = outcome.median_rate;
                summary.p50_us = latency(0.5);
                summary.p99_us = latency(0.99);
                summary.max_us = latency(1.0);
                summary.server_cpu_us = micros(outcome.server_cpu) / requests;
                summary.generator_cpu_us = micros(outcome.generator_cpu) / requests;
                summary.answer_bytes = outcome.received as f64 / requests;
            }
            Ok(_) => summary.failure = Some("no request was made".to_owned()),
            Err(error) => summary.failure = Some(format!("{error:#}")),
        }
        summary
    }
}

/// Resident memory at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Memory {
    /// Which moment.
    pub moment: &'static str,
    /// What the server has, and had at most.
    #[serde(flatten)]
    pub resident: Resident,
}

/// Truncating a channel of very many messages, and deleting it for good.
#[derive(Debug, Clone, Serialize)]
pub struct Truncation {
    /// Messages of the channel.
    pub messages: i64,
    /// Until the call was answered.
    pub answer_ms: f64,
    /// Sends a second to other channels before.
    pub sends_before: f64,
    /// The same while the messages were removed.
    pub sends_during: Option<f64>,
    /// Size of SQLite's file without the messages, with them, and when they were gone.
    pub file_mib: Option<[f64; 3]>,
}

impl Truncation {
    /// Of the space that the messages took, how much came back.
    pub fn given_back(&self) -> Option<f64> {
        self.file_mib.map(|[before, full, after]| (full - after) / (full - before))
    }
}

/// What is asked of the server, and what it does.
#[derive(Debug, Clone, Serialize)]
pub struct Target {
    /// What was measured, and in which unit.
    pub name: String,
    /// What was found.
    pub found: f64,
    /// What is asked for.
    pub limit: f64,
    /// Whether the least or the most is asked for.
    pub bound: Bound,
    /// Whether what was found is within the limit.
    pub met: bool,
}

/// Which side of a limit is the good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The limit or more.
    AtLeast,
    /// The limit or less.
    AtMost,
}

impl Figures {
    /// Reads the server's memory.
    pub fn record_memory(&mut self, moment: &'static str, server: &Server) -> anyhow::Result<()> {
        self.memory.push(Memory { moment, resident: resident(server.process())? });
        Ok(())
    }

    /// Adds a measurement, and how it compares with the limits measured before.
    pub fn record(&mut self, measurement: Option<Measurement>, durable: bool) {
        let Some(mut measurement) = measurement else { return };
        let rate = measurement.per_second;
        if measurement.failure.is_none() {
            let no_op = self.no_ops.iter().find(|no_op| no_op.in_flight == measurement.in_flight);
            measurement.of_no_op =
                no_op.filter(|no_op| no_op.per_second > 0.0).map(|no_op| rate / no_op.per_second);
            let bare = self.group_commit(measurement.in_flight).map(|commits| commits.rows_per_second);
            measurement.of_group_commit = bare.filter(|rows| durable && *rows > 0.0).map(|rows| rate / rows);
        }
        self.measurements.push(measurement);
    }

    /// The bare database with groups of that size.
    pub fn group_commit(&self, group: usize) -> Option<&GroupCommits> {
        self.group_commits.iter().find(|commits| commits.group == group)
    }
}

/// A time in microseconds.
pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// A time in milliseconds.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
