//! `natterjack bench`: what this machine allows, and what the server makes of it.

mod child;
mod fanout;
mod generator;
mod machine;
mod plan;
mod progress;
mod report;
mod requests;
mod setup;
mod table;
mod targets;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use child::Setup;
use machine::Machine;
use plan::{Effort, Run};
use progress::Progress;
use report::{Figures, Report};

/// Arguments of `natterjack bench`.
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// Seconds of each measurement [default: 3, or 0.5 with --quick].
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    /// Messages to load before the reads are measured and the server is started anew [default: 200000, or 20000 with
    /// --quick].
    #[arg(long, value_name = "NUMBER")]
    messages: Option<u64>,
    /// Measures for a short time on few messages.
    #[arg(long)]
    quick: bool,
    /// Leaves out the measurements whose names do not contain this, such as send_message.
    #[arg(long, value_name = "PART")]
    only: Option<String>,
    /// Measures sockets only: connections and messages to many of them.
    #[arg(long, conflicts_with = "only")]
    fan_out: bool,
    /// Most sockets at the same time, from 100; the process must be allowed to open as many files.
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    sockets: usize,
    /// Leaves out the measurements of sockets.
    #[arg(long, conflicts_with = "fan_out")]
    no_fan_out: bool,
    /// Is the bare broadcaster that sockets are compared with; the benchmark starts it itself.
    #[arg(long, hide = true, value_name = "BYTES")]
    broadcaster: Option<usize>,
    /// Also measures on this PostgreSQL database, which has to be empty and is not cleaned up: postgres://….
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Leaves out the measurements on SQLite.
    #[arg(long, requires = "postgres")]
    no_sqlite: bool,
    /// Makes the temporary folder of the data in this one, to measure its disk [default: the system's temporary
    /// folder].
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Also writes all figures to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Starts a server of its own, measures the limits of the machine and what the server reaches, and prints both.
///
/// # Errors
/// When the server does not start, or the users, channels and messages cannot be made.
pub async fn run(args: BenchArgs) -> Result<()> {
    if let Some(frame_bytes) = args.broadcaster {
        return fanout::serve_bare(frame_bytes).await;
    }
    super::raise_file_limit();
    let seconds = args.seconds.unwrap_or(if args.quick { 0.5 } else { 3.0 });
    ensure!((0.1..=3600.0).contains(&seconds), "--seconds must be from 0.1 to 3600");
    let effort = Effort {
        duration: Duration::from_secs_f64(seconds),
        messages: args.messages.unwrap_or(if args.quick { 20_000 } else { 200_000 }).max(1),
        only: args.only,
    };
    let sqlite = (!args.no_sqlite).then_some(None);
    let databases: Vec<Option<String>> = sqlite.into_iter().chain(args.postgres.map(Some)).collect();
    // A part of the requests was asked for, or sockets.
    let sockets = !args.no_fan_out && effort.only.is_none();
    let parts = Parts { requests: !args.fan_out, sockets, sockets_max: args.sockets };
    let steps = usize::from(parts.requests) * plan::STEPS + usize::from(parts.sockets) * fanout::STEPS;
    let progress = Progress::new(steps * databases.len());
    let mut report = Report { machine: Machine::read(), seconds, databases: Vec::new() };
    for database_url in databases {
        let measured = measure(database_url, args.folder.clone(), effort.clone(), parts, &progress);
        let figures = tokio::select! {
            figures = measured => figures?,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        };
        report.databases.push(figures);
    }
    progress.finish();
    print!("{}", table::write(&report));
    if let Some(path) = args.json {
        let text = serde_json::to_string_pretty(&report)? + "\n";
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// What is measured.
#[derive(Debug, Clone, Copy)]
struct Parts {
    /// Requests and their answers.
    requests: bool,
    /// Sockets.
    sockets: bool,
    /// Most sockets at the same time.
    sockets_max: usize,
}

/// Runs the whole plan on one database, in a folder that is removed afterwards.
async fn measure(
    database_url: Option<String>,
    parent: Option<PathBuf>,
    effort: Effort,
    parts: Parts,
    progress: &Progress,
) -> Result<Figures> {
    let parent = parent.unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("natterjack-bench-").tempdir_in(&parent)?;
    let setup = Setup {
        program: std::env::current_exe().context("finding this program")?,
        folder: folder.path().canonicalize()?,
        database_url,
        api_key: format!("bench{:016x}", rand::random::<u64>()),
        api_secret: format!("{:032x}", rand::random::<u128>()),
    };
    let duration = effort.duration;
    let measuring = async {
        let run = Run::new(&setup, effort, progress);
        let mut figures = if parts.requests { run.run().await? } else { run.figures };
        if parts.sockets {
            let found = fanout::measure(&setup, duration, parts.sockets_max, progress).await?;
            figures.targets.extend(fanout::compare(&found));
            figures.fan_out = Some(found);
        }
        Ok(figures)
    };
    let figures: Result<Figures> = measuring.await;
    figures.with_context(|| format!("the last lines of the server's log:\n{}\n", setup.log_tail()))
}
