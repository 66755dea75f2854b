//! `cargo xtask test`: everything that must pass before a change is merged.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use xtask::postgres::{Cluster, Installation, URL_VARIABLE};

use crate::seconds;

/// Set to `required` where a test that needs a browser must not be skipped.
const BROWSER_VARIABLE: &str = "NATTERJACK_TEST_BROWSER";

/// Runs the steps in order and stops at the first that fails.
pub fn run(fast: bool) -> Result<()> {
    install_browser()?;
    let started = Instant::now();
    step("formatting", &["fmt", "--all", "--check"], &[])?;
    if !fast {
        step("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[])?;
    }
    tests().with_context(|| format!("after {}", seconds(started.elapsed())))?;
    if !fast {
        let flags = [("RUSTDOCFLAGS", "-D warnings")];
        step("documentation", &["doc", "--workspace", "--no-deps"], &flags)?;
    }
    println!("==> all steps passed in {}", seconds(started.elapsed()));
    Ok(())
}

/// Runs the tests with one PostgreSQL for all of them.
fn tests() -> Result<()> {
    let arguments = ["test", "--workspace", "--no-fail-fast"];
    if env::var(URL_VARIABLE).is_ok_and(|url| !url.is_empty()) {
        println!("==> PostgreSQL: the one in {URL_VARIABLE}");
        return step("tests", &arguments, &[]);
    }
    let started = Instant::now();
    let installation = find_or_install()?;
    let cluster =
        Cluster::start().context("step \"PostgreSQL\" failed; repeat it with: cargo xtask postgres")?;
    println!("==> PostgreSQL {} started in {}", installation.version, seconds(started.elapsed()));
    let result = step("tests", &arguments, &[(URL_VARIABLE, cluster.url())]);
    drop(cluster);
    result
}

/// Runs cargo with these arguments and environment variables, showing what it prints.
fn step(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    let command_line = format!("cargo {}", arguments.join(" "));
    println!("==> {name}: {command_line}");
    let started = Instant::now();
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(xtask::workspace_root())
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {command_line}"))?;
    let time = seconds(started.elapsed());
    if status.success() {
        println!("==> {name}: passed in {time}");
        return Ok(());
    }
    // Without the variable the tests start a PostgreSQL of their own.
    let kept = environment.iter().filter(|(key, _)| *key != URL_VARIABLE);
    let prefix: String = kept.map(|(key, value)| format!("{key}={value:?} ")).collect();
    bail!("step {name:?} failed after {time} ({status}); repeat it with: {prefix}{command_line}")
}

/// Finds PostgreSQL; where we may install packages, installs it first if need be.
fn find_or_install() -> Result<Installation> {
    let missing = match Installation::find() {
        Ok(installation) => return Ok(installation),
        Err(error) => error,
    };
    let Some(prefix) = installing_prefix() else { return Err(missing) };
    println!("==> PostgreSQL is missing: installing the package postgresql");
    install(prefix, &["postgresql"]).with_context(|| format!("PostgreSQL is missing: {missing:#}"))?;
    Installation::find()
}

/// Installs Chromium where the test of the chat page must not be skipped, and the symbols that the page shows.
fn install_browser() -> Result<()> {
    let is_required = env::var(BROWSER_VARIABLE).is_ok_and(|value| value == "required");
    if !is_required || Path::new("/usr/bin/chromium").exists() {
        return Ok(());
    }
    // Without the right to install, the test itself says what is missing.
    let Some(prefix) = installing_prefix() else { return Ok(()) };
    println!("==> Chromium is missing: installing the packages chromium and fonts-noto-color-emoji");
    install(prefix, &["chromium", "fonts-dejavu-core", "fonts-noto-color-emoji"])
}

/// The words that make a command install packages; `None` where we cannot or may not.
fn installing_prefix() -> Option<&'static [&'static str]> {
    let prefix = administrator_prefix()?;
    succeeds(Command::new("apt-get").arg("--version")).then_some(prefix)
}

/// Installs packages of the system.
fn install(prefix: &[&str], packages: &[&str]) -> Result<()> {
    let apt = |arguments: &[&str]| -> Result<()> {
        let words: Vec<&str> = prefix
            .iter()
            .copied()
            .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .chain(arguments.iter().copied())
            .collect();
        let status = Command::new(words[0]).args(&words[1..]).stdin(Stdio::null()).status()?;
        ensure!(status.success(), "{} failed ({status})", words.join(" "));
        Ok(())
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

/// The words that make a command run as administrator; `None` when we may not.
fn administrator_prefix() -> Option<&'static [&'static str]> {
    let user = Command::new("id").arg("-u").output().ok()?;
    if String::from_utf8_lossy(&user.stdout).trim() == "0" {
        return Some(&[]);
    }
    succeeds(Command::new("sudo").args(["-n", "true"])).then_some(&["sudo", "-n"])
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
