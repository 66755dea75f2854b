//! Chores of the workspace: `cargo xtask --help`.

mod load;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::postgres::Cluster;

/// Chores of the workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Everything that must pass before a change is merged.
    Test {
        /// Only formatting and tests: no clippy, no documentation.
        #[arg(long)]
        fast: bool,
    },
    /// Run a private PostgreSQL until Ctrl-C.
    Postgres,
    /// Check the house rules.
    Tidy,
    /// Load a data set into the built server and compare it, once per database.
    Load(load::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().chore {
        Chore::Test { fast } => test::run(fast),
        Chore::Postgres => postgres(),
        Chore::Tidy => tidy(),
        Chore::Load(arguments) => load::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a cluster until Ctrl-C.
fn postgres() -> Result<()> {
    let cluster = Cluster::start()?;
    println!("{}", cluster.url());
    eprintln!("export {}={}", xtask::postgres::URL_VARIABLE, cluster.url());
    eprintln!("Ctrl-C stops it and removes its data.");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}

/// Prints what breaks a house rule.
fn tidy() -> Result<()> {
    let complaints = xtask::tidy::check(&xtask::workspace_root())?;
    for complaint in &complaints {
        println!("{complaint}");
    }
    anyhow::ensure!(complaints.is_empty(), "{} house rules broken", complaints.len());
    println!("tidy");
    Ok(())
}

/// A duration as people read it.
fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// The folder into which cargo builds.
fn target_folder() -> PathBuf {
    let root = xtask::workspace_root();
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}
