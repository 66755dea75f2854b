use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often progress is printed where there is no terminal to draw on.
const PRINT_EVERY: Duration = Duration::from_secs(5);

/// How far the work has come: a bar on a terminal, a line every few seconds elsewhere.
pub struct Progress {
    /// `None` where there is no terminal.
    bar: Option<ProgressBar>,
    what: &'static str,
    total: u64,
    done: AtomicU64,
    /// Of `done`, what was there before.
    skipped: AtomicU64,
    started: Instant,
    /// Milliseconds after `started` at which the last line was printed.
    printed: AtomicU64,
}

impl Progress {
    /// Starts counting `what` up to `total`.
    pub fn start(what: &'static str, total: usize) -> Self {
        let total = total as u64;
        let bar = std::io::stderr().is_terminal().then(|| {
            let template = format!("{{bar:30}} {{pos}} of {{len}} {what}, {{per_sec}}, {{eta}} left");
            let style =
                ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total).with_style(style)
        });
        Self {
            bar,
            what,
            total,
            done: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            started: Instant::now(),
            printed: AtomicU64::new(0),
        }
    }

    /// Counts what turned out to be done already.
    pub fn skip(&self, number: usize) {
        self.skipped.fetch_add(number as u64, Ordering::Relaxed);
        self.add(number);
        if let Some(bar) = &self.bar {
            bar.reset_eta();
        }
    }

    /// Counts what was just done.
    pub fn add(&self, number: usize) {
        let number = number as u64;
        let done = self.done.fetch_add(number, Ordering::Relaxed) + number;
        if let Some(bar) = &self.bar {
            bar.inc(number);
            return;
        }
        let now = milliseconds(self.started.elapsed());
        let printed = self.printed.load(Ordering::Relaxed);
        let is_due = now.saturating_sub(printed) >= milliseconds(PRINT_EVERY);
        // Of several that find it due at the same moment one prints.
        if is_due && self.printed.compare_exchange(printed, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            let (rate, left) = (self.rate(), self.total.saturating_sub(done) as f64);
            let left = if rate > 0.0 { format!(", {:.0} s left", left / rate) } else { String::new() };
            eprintln!("{done} of {} {}, {rate:.0}/s{left}", self.total, self.what);
        }
    }

    /// Ends the bar and answers what was done in which time.
    pub fn finish(&self) -> String {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let skipped = self.skipped.load(Ordering::Relaxed);
        let done = self.done.load(Ordering::Relaxed) - skipped;
        let seconds = self.started.elapsed().as_secs_f64();
        let before = if skipped > 0 { format!(" ({skipped} were there before)") } else { String::new() };
        format!("{done} {}{before} in {seconds:.1} s, {:.0}/s", self.what, self.rate())
    }

    fn rate(&self) -> f64 {
        let done = self.done.load(Ordering::Relaxed) - self.skipped.load(Ordering::Relaxed);
        let seconds = self.started.elapsed().as_secs_f64();
        if seconds > 0.0 { done as f64 / seconds } else { 0.0 }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
