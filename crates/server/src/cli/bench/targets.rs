//! What is asked of the server, compared with what was measured.

use super::plan::{LISTS, SEND_ONE, SEND_SPREAD, page_name, send_name};
use super::report::{Bound, Figures, Measurement, Target};

/// Durable sends a second at 64 in flight.
const SENDS_MIN: f64 = 12_000.0;
/// Those sends as a part of the bare group commit.
const SENDS_OF_COMMIT_MIN: f64 = 0.4;
/// Processor time of the server for one of them, in microseconds.
const SEND_CPU_MAX: f64 = 100.0;
/// Sends a second to the largest channel as a part of those to the smallest.
const LARGE_CHANNEL_MIN: f64 = 0.9;
/// A lone send takes this many syncs, and this many microseconds on top.
const LONE_SEND_SYNCS: f64 = 1.5;
const LONE_SEND_EXTRA: f64 = 500.0;
/// 99 of 100 pages of messages take at most this, in microseconds.
const PAGE_MAX: f64 = 2000.0;
/// 99 of 100 pages of threads, pages of members and counts of unread messages take at most this, in microseconds.
const LIST_MAX: f64 = 3000.0;
/// Milliseconds until a truncation is answered.
const TRUNCATION_MAX: f64 = 50.0;
/// Sends a second while the messages of another channel are removed, as a part of those without.
const SENDS_BESIDE_PURGE_MIN: f64 = 0.75;
/// Of the disk space of a channel that was deleted for good, how much comes back.
const SPACE_MIN: f64 = 0.8;
/// Milliseconds from making the process to being ready, on a full database.
const READY_MAX: f64 = 300.0;
/// Resident memory in MiB without and after load.
const IDLE_MEMORY_MAX: f64 = 60.0;
const LOADED_MEMORY_MAX: f64 = 250.0;

/// Compares the figures with the targets. Figures that are missing have no line.
pub fn compare(figures: &Figures) -> Vec<Target> {
    let find = |name: &str, in_flight: usize| -> Option<&Measurement> {
        let mut found = figures.measurements.iter();
        found.find(|one| one.name == name && one.in_flight == in_flight && one.failure.is_none())
    };
    let mut lines = Vec::new();
    for (sends, label) in [(send_name(SEND_ONE), "one channel"), (SEND_SPREAD.to_owned(), "16 channels")] {
        let Some(found) = find(&sends, 64) else { continue };
        lines.push(at_least(format!("sends/s, 64 in flight, {label}"), found.per_second, SENDS_MIN));
        if let Some(part) = found.of_group_commit {
            lines.push(at_least(
                format!("… of the bare group commit of 64, {label}"),
                part,
                SENDS_OF_COMMIT_MIN,
            ));
        }
        lines.push(at_most(
            format!("… server CPU of a send in µs, {label}"),
            found.server_cpu_us,
            SEND_CPU_MAX,
        ));
    }
    for in_flight in [1, 16, 64, 256] {
        let pair = (find(&send_name(10_000), in_flight), find(&send_name(2), in_flight));
        let (Some(large), Some(small)) = pair else { continue };
        let name = format!("sends to 10,000 members of those to 2, {in_flight} in flight");
        lines.push(at_least(name, large.per_second / small.per_second, LARGE_CHANNEL_MIN));
    }
    if let (Some(lone), Some(bare)) = (find(&send_name(SEND_ONE), 1), figures.group_commit(1)) {
        let limit = LONE_SEND_SYNCS * bare.sync.p50_us + LONE_SEND_EXTRA;
        lines.push(at_most("p50 of a lone send in µs (1.5 syncs + 500)".to_owned(), lone.p50_us, limit));
    }
    for older in [false, true] {
        if let Some(page) = find(page_name(older), 1) {
            lines.push(at_most(format!("p99 of a {} in µs", page.name), page.p99_us, PAGE_MAX));
        }
    }
    for name in LISTS {
        if let Some(list) = find(name, 1) {
            lines.push(at_most(format!("p99 of {name} in µs"), list.p99_us, LIST_MAX));
        }
    }
    if let Some(truncation) = &figures.truncation {
        let name = format!("ms to truncate a channel of {} messages", truncation.messages);
        lines.push(at_most(name, truncation.answer_ms, TRUNCATION_MAX));
        if let Some(during) = truncation.sends_during {
            let name = "… sends elsewhere while they are removed, of those before".to_owned();
            lines.push(at_least(name, during / truncation.sends_before, SENDS_BESIDE_PURGE_MIN));
        }
        if let Some(part) = truncation.given_back() {
            let name = "… of its disk space that comes back when it is deleted for good".to_owned();
            lines.push(at_least(name, part, SPACE_MIN));
        }
    }
    let name = format!("ms until ready on {} messages", figures.messages);
    lines.push(at_most(name, figures.ready_loaded_ms, READY_MAX));
    for memory in &figures.memory {
        let limit = if memory.moment.starts_with("idle") { IDLE_MEMORY_MAX } else { LOADED_MEMORY_MAX };
        lines.push(at_most(format!("MiB resident {}", memory.moment), memory.resident.now_mib, limit));
    }
    lines
}

/// A target that is met by the limit or more.
pub fn at_least(name: String, found: f64, limit: f64) -> Target {
    Target { name, found, limit, bound: Bound::AtLeast, met: found >= limit }
}

/// A target that is met by the limit or less.
pub fn at_most(name: String, found: f64, limit: f64) -> Target {
    Target { name, found, limit, bound: Bound::AtMost, met: found <= limit }
}
