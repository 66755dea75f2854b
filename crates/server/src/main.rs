//! The `natterjack` program: reads arguments and runs a subcommand.

use clap::Parser;
use natterjack_server::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    Cli::parse().run()
}
