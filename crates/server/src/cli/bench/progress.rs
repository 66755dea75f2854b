//! Shows how far the benchmark has come: a bar on a terminal, a line for each step elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// How far the benchmark has come.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Begins with nothing done.
    pub fn new(steps: usize) -> Self {
        let bar = ProgressBar::new(steps as u64);
        if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {bar:40} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(std::time::Duration::from_millis(500));
        Self { bar }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Begins the next step.
    pub fn step(&self, name: &str) {
        self.bar.inc(1);
        if self.bar.is_hidden() {
            eprintln!("{name}");
        }
        self.bar.set_message(name.to_owned());
    }
}
