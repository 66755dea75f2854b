//! The server under test: a process of its own, on a port and a folder of its own.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long the server may take to become ready.
const READY_TIME_MAX: Duration = Duration::from_secs(120);
/// How long the server may take to stop after SIGTERM.
const STOP_TIME_MAX: Duration = Duration::from_secs(120);
/// Time between two looks at whether the server is ready.
const READY_POLL: Duration = Duration::from_millis(1);
/// Lines of the server's log that a failure shows.
const LOG_LINES: usize = 40;

/// How to start the server under test, as often as needed.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The program.
    pub program: PathBuf,
    /// Holds the data and the log.
    pub folder: PathBuf,
    /// Set for PostgreSQL.
    pub database_url: Option<String>,
    /// Key of the app.
    pub api_key: String,
    /// Secret of the app.
    pub api_secret: String,
}

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From before the process was made until `/readyz` answered 200.
    pub ready_after: Duration,
}

impl Setup {
    fn log_path(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// Starts the server and waits until it is ready. Blocks.
    pub fn start(&self) -> Result<Server> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let log = File::options().create(true).append(true).open(self.log_path())?;
        let mut command = Command::new(&self.program);
        // The settings of this shell are those of another server.
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        command.args(["serve", "--listen", &address.to_string()]);
        command.arg("--data-dir").arg(self.folder.join("data"));
        command.args(["--api-key", &self.api_key, "--api-secret", &self.api_secret]);
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot run {}", self.program.display()))?;
        let mut server = Server { child, address, ready_after: Duration::ZERO };
        while !is_ready(address) {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended with {status} while starting");
            }
            ensure!(started.elapsed() < READY_TIME_MAX, "the server is not ready after {READY_TIME_MAX:?}");
            std::thread::sleep(READY_POLL);
        }
        server.ready_after = started.elapsed();
        Ok(server)
    }

    /// The last lines of what the server has logged.
    pub fn log_tail(&self) -> String {
        let bytes = std::fs::read(self.log_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

impl Server {
    /// Id of the server's process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to stop and waits for it. Blocks.
    pub fn stop(mut self) -> Result<()> {
        let process = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &process]).status().context("cannot run kill")?;
        ensure!(told.success(), "kill -TERM failed with {told}");
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the server ended with {status} after SIGTERM");
                return Ok(());
            }
            ensure!(
                started.elapsed() < STOP_TIME_MAX,
                "the server has not stopped {STOP_TIME_MAX:?} after SIGTERM"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already when it was stopped.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn is_setting(name: &OsString) -> bool {
    name.to_string_lossy().starts_with("NATTERJACK_")
}

/// Whether `GET /readyz` answers 200.
fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(&start == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}
