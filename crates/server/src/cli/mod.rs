//! The subcommands of the program, a file each.

mod app;
mod backup;
pub mod bench;
pub mod check;
mod database;
pub mod load;
mod progress;
mod serve;
mod token;
mod transfer;

use clap::{Parser, Subcommand};

/// A self-hosted chat server compatible with the Stream Chat API.
#[derive(Debug, Parser)]
#[command(name = "natterjack", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server.
    Serve(serve::ServeArgs),
    /// Make a token for a user or a server.
    Token(token::TokenArgs),
    /// Create and list the apps of a server, or give one a new secret.
    App(app::AppArgs),
    /// Load a conversation file through the API, or verify that it is there.
    Load(load::LoadArgs),
    /// Verify the invariants of a database.
    Check(check::CheckArgs),
    /// Write everything to one file, beside a running server.
    Backup(backup::BackupArgs),
    /// Put a backup into a new database.
    Restore(backup::RestoreArgs),
    /// Copy everything from one database to another, SQLite or PostgreSQL.
    Move(transfer::MoveArgs),
    /// Measure the server and the limits of this machine.
    Bench(bench::BenchArgs),
}

/// Lets this process, and those that it starts, have as many open sockets as the system allows: the usual limit is a
/// thousand, and each connection is one.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it is not allowed, connecting fails later and says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

impl Cli {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// What went wrong, for the operator.
    pub fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            match self.command {
                Command::Serve(args) => serve::run(args).await,
                Command::Token(args) => token::run(&args),
                Command::App(args) => app::run(args).await,
                Command::Load(args) => load::run(args).await,
                Command::Check(args) => check::run(args).await,
                Command::Backup(args) => backup::backup(args).await,
                Command::Restore(args) => backup::restore(args).await,
                Command::Move(args) => transfer::run(args).await,
                Command::Bench(args) => bench::run(args).await,
            }
        })
    }
}
