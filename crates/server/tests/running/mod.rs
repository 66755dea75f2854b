//! The program, started as a user starts it.
#![allow(dead_code, reason = "not every test program needs everything")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use natterjack_client::Client;

const BINARY: &str = env!("CARGO_BIN_EXE_natterjack");

/// A running server that is killed when the test ends.
pub struct Running {
    pub child: Child,
    pub url: String,
}

impl Running {
    /// Starts `natterjack serve` on a free port and waits for the line that says where it listens.
    pub fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, "127.0.0.1:0", &[])
    }

    /// The same at an address, with further arguments.
    pub fn start_with(data_dir: &Path, listen: &str, arguments: &[&str]) -> Self {
        Self::serve(command(data_dir), listen, arguments)
    }

    /// The same with a disk that has no room for the log of the database beyond a few MiB.
    pub fn start_on_small_disk(data_dir: &Path) -> Self {
        let mut command = command_by(Command::new("sh"), data_dir);
        command.args(["-c", r#"trap '' XFSZ; ulimit -S -f 4096; exec "$0" "$@""#, BINARY]);
        Self::serve(command, "127.0.0.1:0", &[])
    }

    /// Makes room on such a disk.
    pub fn make_room(&self) {
        let id = self.child.id().to_string();
        let raised = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &id]).status();
        assert!(raised.unwrap().success());
    }

    fn serve(mut command: Command, listen: &str, arguments: &[&str]) -> Self {
        let mut child = command
            .args(["serve", "--listen", listen, "--api-key", "key", "--api-secret", "a-secret"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url =
            lines.find_map(|line| line.unwrap().trim().strip_prefix("URL").map(|url| url.trim().to_owned()));
        Self { child, url: url.expect("the server says where it listens") }
    }

    pub fn client(&self) -> Client {
        Client::builder("key", "a-secret").base_url(&self.url).build().unwrap()
    }

    /// Kills the server, as a crash does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn command(data_dir: &Path) -> Command {
    command_by(Command::new(BINARY), data_dir)
}

fn command_by(mut command: Command, data_dir: &Path) -> Command {
    // What the developer has set for a server of his or her own is not for these.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("NATTERJACK_")) {
        command.env_remove(name);
    }
    command.env("NATTERJACK_DATA_DIR", data_dir);
    command
}
