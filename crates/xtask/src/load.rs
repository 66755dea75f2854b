//! `cargo xtask load FILE`: loads a data set into the built server and compares what it reads back.
//!
//! It does so once per database: start the server, load, verify, stop with SIGTERM, check the files.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use xtask::postgres::{Cluster, free_port};

use crate::{seconds, target_folder};

/// How long the server may take to become ready.
const READY_LIMIT: Duration = Duration::from_secs(60);

/// How long the server may take to stop after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// How long one run of the program may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(600);

/// How many lines of the server's log a failure shows.
const LOG_LINES: usize = 60;

/// Arguments of `cargo xtask load`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The data set: JSON lines, gzipped.
    file: PathBuf,
    /// The program to test; without it, the one that `cargo build --release` makes.
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// Runs the whole check on SQLite and then on PostgreSQL.
pub fn run(arguments: &Arguments) -> Result<()> {
    let binary = arguments.binary.clone().unwrap_or_else(|| target_folder().join("release/natterjack"));
    ensure!(binary.is_file(), "{} does not exist; cargo build --release makes it", binary.display());
    ensure!(arguments.file.is_file(), "{} does not exist", arguments.file.display());
    let binary = fs::canonicalize(binary)?;
    let file = fs::canonicalize(&arguments.file)?;
    check("SQLite", &binary, &file, None)?;
    let cluster = Cluster::start_durable()?;
    check("PostgreSQL", &binary, &file, Some(cluster.url()))
}

fn check(database: &str, binary: &Path, file: &Path, database_url: Option<&str>) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("natterjack-load-").tempdir()?;
    let log = folder.path().join("server.log");
    let result = Trial { binary, file, database_url, folder: folder.path(), log: &log }.run();
    match result {
        Ok(timings) => {
            println!("==> load on {database}: passed ({timings})");
            Ok(())
        }
        Err(error) => {
            let text = fs::read(&log).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<&str> = text.lines().collect();
            eprintln!("==> the last lines of the server's log:");
            for line in &lines[lines.len().saturating_sub(LOG_LINES)..] {
                eprintln!("    {line}");
            }
            Err(error.context(format!("load on {database} failed")))
        }
    }
}

/// One database, one run.
#[derive(Debug)]
struct Trial<'a> {
    binary: &'a Path,
    file: &'a Path,
    database_url: Option<&'a str>,
    folder: &'a Path,
    log: &'a Path,
}

impl Trial<'_> {
    /// Does everything and returns how long each part took.
    fn run(&self) -> Result<String> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let url = format!("http://{address}");
        let secret = format!("{:032x}", rand::random::<u128>());
        let keys = ["--api-key", "load", "--api-secret", &secret];
        let mut timings = Vec::new();
        let mut timed = |name: &str, started: Instant| {
            timings.push(format!("{name} {}", seconds(started.elapsed())));
        };

        let started = Instant::now();
        let mut server = self.start_server(address, &keys)?;
        server.wait_until_ready(address)?;
        timed("start", started);

        for (name, flag) in [("load", None), ("verify", Some("--verify"))] {
            let started = Instant::now();
            let mut command = Command::new(self.binary);
            command.arg("load").arg(self.file).args(flag).args(["--url", &url]).args(keys);
            expect_success(&format!("natterjack {name}"), &mut command)?;
            timed(name, started);
        }

        let started = Instant::now();
        let status = server.stop()?;
        ensure!(status.success(), "the server ended with {status} after SIGTERM, not with exit status 0");
        timed("stop", started);

        let started = Instant::now();
        let mut command = Command::new(self.binary);
        command.arg("check").args(self.storage_arguments());
        expect_success("natterjack check", &mut command)?;
        timed("check", started);
        Ok(timings.join(", "))
    }

    fn start_server(&self, address: SocketAddr, keys: &[&str]) -> Result<Server> {
        let log = File::create(self.log)?;
        let mut command = Command::new(self.binary);
        command.args(["serve", "--listen", &address.to_string()]).args(self.storage_arguments()).args(keys);
        let child = command
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start the server")?;
        Ok(Server { child })
    }

    fn storage_arguments(&self) -> Vec<String> {
        let data = self.folder.join("data").to_string_lossy().into_owned();
        let mut arguments = vec!["--data-dir".to_owned(), data];
        if let Some(url) = self.database_url {
            arguments.extend(["--database-url".to_owned(), url.to_owned()]);
        }
        arguments
    }
}

/// A running server; dropping it kills it.
#[derive(Debug)]
struct Server {
    child: Child,
}

impl Server {
    fn wait_until_ready(&mut self, address: SocketAddr) -> Result<()> {
        let started = Instant::now();
        while !is_ready(address) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status} while starting");
            }
            ensure!(started.elapsed() < READY_LIMIT, "the server is not ready after {READY_LIMIT:?}");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Asks the server to stop and waits for it.
    fn stop(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended with {status} before it was told to");
        }
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &id]).status().context("cannot run kill")?;
        ensure!(status.success(), "kill -TERM failed with {status}");
        wait(&mut self.child, STOP_LIMIT).context("after SIGTERM")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether `GET /readyz` answers 200.
fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let limit = Duration::from_secs(2);
        let mut stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(&start == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

/// Runs a command, showing what it prints, and requires exit status 0 within [`COMMAND_LIMIT`].
fn expect_success(name: &str, command: &mut Command) -> Result<()> {
    println!("==> {name}");
    let mut child = command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot run {name}"))?;
    let status = wait(&mut child, COMMAND_LIMIT).with_context(|| name.to_owned())?;
    ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

/// Waits for a process; one that takes too long is killed.
fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("did not end within {limit:?}");
        }
        thread::sleep(Duration::from_millis(20));
    }
}
