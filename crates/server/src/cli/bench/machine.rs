//! Facts about this machine and its processes, as `/proc` tells them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

/// Length of the unit in which the kernel tells processor time.
const TICK: Duration = Duration::from_millis(10);

/// What the figures were measured on.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Processors that this program may use.
    pub cores: usize,
    /// The model of the first.
    pub cpu: String,
    /// Name and version of the kernel.
    pub kernel: String,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Version of this program.
    pub version: &'static str,
    /// False when this program was built without optimisation.
    pub optimised: bool,
}

impl Machine {
    /// Reads the facts. What cannot be read stays empty.
    pub fn read() -> Self {
        let kernel =
            |name: &str| fs::read_to_string(Path::new("/proc/sys/kernel").join(name)).unwrap_or_default();
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            cpu: field(&cpu, "model name").unwrap_or_default().to_owned(),
            kernel: format!("{} {}", kernel("ostype").trim(), kernel("osrelease").trim()),
            memory_mib: kibibytes(&memory, "MemTotal").unwrap_or_default() / 1024,
            version: env!("CARGO_PKG_VERSION"),
            optimised: !cfg!(debug_assertions),
        }
    }
}

/// The processor time that a process and its threads have used, in user and kernel mode; `self` is this process.
pub fn cpu_time(process: &str) -> Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).context("the server's CPU time")?;
    // The second field is a name in brackets that may hold anything; the 14th and 15th are the times.
    let ticks = text.rsplit_once(')').and_then(|(_, rest)| {
        let mut fields = rest.split_whitespace().skip(11).map(str::parse::<u32>);
        Some(fields.next()?.ok()? + fields.next()?.ok()?)
    });
    Ok(TICK * ticks.context("/proc/<pid>/stat is not as expected")?)
}

/// Resident memory of a process, in MiB.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Resident {
    /// Now.
    pub now_mib: f64,
    /// At most so far.
    pub peak_mib: f64,
}

/// Reads how much memory a process has resident.
pub fn resident(process: u32) -> Result<Resident> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).context("the server's memory")?;
    let mib =
        |name| kibibytes(&text, name).map(|size| size as f64 / 1024.0).context("/proc/<pid>/status lacks it");
    Ok(Resident { now_mib: mib("VmRSS")?, peak_mib: mib("VmHWM")? })
}

/// The rest of the line that begins with `name` and a colon.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim())
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    field(text, name)?.strip_suffix("kB")?.trim().parse().ok()
}
