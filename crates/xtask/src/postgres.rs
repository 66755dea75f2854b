//! A private PostgreSQL for tests and benchmarks.
//!
//! [`Cluster::start`] finds an installed PostgreSQL, creates a cluster in a temporary folder and runs it
//! on a free port of 127.0.0.1. Tests ask for [`shared`], one cluster per process, and then for a
//! [`fresh_database`] in it:
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use xtask::postgres::{drop_database, fresh_database, shared};
//!
//! let url = fresh_database(shared()?).await?;
//! // … open the storage at `url`, test it …
//! drop_database(&url).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Nothing is left behind
//!
//! Between this process and PostgreSQL stands a small shell script that holds the reading end of a pipe.
//! When this process ends, in whatever way, `kill -9` included, the system closes the writing end; the
//! script then stops PostgreSQL and removes the folder. Dropping the [`Cluster`] does the same and waits.
//!
//! # Root
//!
//! PostgreSQL refuses to run as root. When we are root, it runs as the system user `postgres`, or as
//! `nobody` when that does not exist.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokio_postgres::NoTls;
use url::Url;

/// The environment variable with the URL of a running cluster, which [`shared`] then uses.
pub const URL_VARIABLE: &str = "NATTERJACK_TEST_POSTGRES_URL";

/// The oldest major version that the tests run on.
pub const OLDEST_VERSION: u32 = 15;

/// What the names of all databases made by [`fresh_database`] start with.
const DATABASE_PREFIX: &str = "natterjack_test_";

/// How long a cluster may take until it accepts connections.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How often to start over with another port when somebody else took ours first.
const START_ATTEMPTS: usize = 5;

/// Runs the command in `$2…` and stops it when standard input closes; then removes the folder `$1`.
///
/// It asks `postmaster.pid` for the process to stop, because the command may be a wrapper that changes
/// the user. SIGQUIT is PostgreSQL's immediate shutdown.
const WATCHDOG: &str = r#"
folder=$1
shift
( "$@"; echo "$?" >"$folder/exited" ) &
read -r _
until [ -e "$folder/exited" ]; do
    pid=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null)
    [ -z "$pid" ] || kill -QUIT "$pid" 2>/dev/null
    sleep 0.05
done
rm -rf "$folder"
"#;

/// What a commit promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Durability {
    /// Nothing is flushed to the disk: fast, and lost when the machine stops.
    None,
    /// PostgreSQL's default: a commit is on the disk when it returns.
    Full,
}

/// The programs of an installed PostgreSQL.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The major version, such as 17.
    pub version: u32,
    /// The program that creates a cluster.
    pub initdb: PathBuf,
    /// The server.
    pub postgres: PathBuf,
}

impl Installation {
    /// Finds a PostgreSQL of at least [`OLDEST_VERSION`]: on the `PATH` first, then in the folders where
    /// distributions put it, newest first.
    ///
    /// The error says what to install and which folders were searched.
    pub fn find() -> Result<Installation> {
        let mut too_old = Vec::new();
        let folders = candidate_folders();
        for folder in &folders {
            let (initdb, postgres) = (folder.join("initdb"), folder.join("postgres"));
            if !initdb.is_file() || !postgres.is_file() {
                continue;
            }
            match major_version(&postgres) {
                Ok(version) if version >= OLDEST_VERSION => {
                    return Ok(Installation { version, initdb, postgres });
                }
                Ok(version) => too_old.push(format!("{} (version {version})", folder.display())),
                Err(error) => too_old.push(format!("{} ({error:#})", folder.display())),
            }
        }
        let searched: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let mut message = format!(
            "PostgreSQL {OLDEST_VERSION} or newer was not found.\n\
             On Debian and Ubuntu: apt-get install postgresql\n\
             Or set {URL_VARIABLE} to a server on which databases may be created and dropped.\n\
             No folder with both initdb and postgres among: {}",
            searched.join(", ")
        );
        if !too_old.is_empty() {
            message.push_str("\nFound, but not usable: ");
            message.push_str(&too_old.join(", "));
        }
        bail!(message)
    }
}

/// The folders that may hold `initdb` and `postgres`, best first, each once.
fn candidate_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),          // Debian, Ubuntu
        ("/usr", "pgsql-"),                   // PostgreSQL's own packages for Red Hat
        ("/opt/homebrew/opt", "postgresql@"), // Homebrew on ARM
        ("/usr/local/opt", "postgresql@"),    // Homebrew on Intel
    ] {
        folders.extend(versioned_folders(Path::new(parent), prefix));
    }
    folders.extend(["/opt/homebrew/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    let mut seen = BTreeSet::new();
    folders.retain(|folder| folder.is_absolute() && seen.insert(folder.clone()));
    folders
}

/// The folders `parent/<prefix><number>/bin`, highest number first; `parent/<prefix>*/bin` when none.
fn versioned_folders(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let version = name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse().ok());
        if let Some(version) = version {
            found.push((version, entry.path().join("bin")));
        }
    }
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    if found.is_empty() {
        return vec![parent.join(format!("{prefix}*")).join("bin")]; // only for the error text
    }
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// The major version that `postgres --version` prints: 15 in `postgres (PostgreSQL) 15.18 (Debian …)`.
fn major_version(postgres: &Path) -> Result<u32> {
    let printed = output(Command::new(postgres).arg("--version"))?;
    let number = printed.split_whitespace().nth(2).unwrap_or_default();
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().with_context(|| format!("cannot read a version in {printed:?}"))
}

/// A system user that may run PostgreSQL when we are root.
#[derive(Clone, Debug)]
struct OtherUser {
    name: &'static str,
    uid: u32,
    gid: u32,
    /// The program that changes the user: `setpriv` or `runuser`.
    tool: &'static str,
}

impl OtherUser {
    /// The user to change to, or `None` when we are not root.
    fn needed() -> Result<Option<OtherUser>> {
        if output(Command::new("id").arg("-u"))? != "0" {
            return Ok(None);
        }
        let id = |flag: &str, name: &str| -> Result<u32> {
            Ok(output(Command::new("id").args([flag, name]))?.parse()?)
        };
        let tool = ["setpriv", "runuser"]
            .into_iter()
            .find(|tool| output(Command::new(tool).arg("--version")).is_ok())
            .context(
                "PostgreSQL cannot run as root, and neither setpriv nor runuser is here (package util-linux)",
            )?;
        for name in ["postgres", "nobody"] {
            if let (Ok(uid), Ok(gid)) = (id("-u", name), id("-g", name)) {
                return Ok(Some(OtherUser { name, uid, gid, tool }));
            }
        }
        bail!("PostgreSQL cannot run as root, and there is neither a user postgres nor a user nobody")
    }

    /// The words to put in front of a command to run it as this user.
    fn prefix(&self) -> Vec<String> {
        match self.tool {
            "setpriv" => vec![
                "setpriv".to_owned(),
                format!("--reuid={}", self.uid),
                format!("--regid={}", self.gid),
                "--clear-groups".to_owned(),
                "--".to_owned(),
            ],
            tool => [tool, "-u", self.name, "--"].map(str::to_owned).to_vec(),
        }
    }
}

/// A running PostgreSQL of our own; dropping it stops the server and removes its files.
#[derive(Debug)]
pub struct Cluster {
    url: String,
    folder: PathBuf,
    watchdog: Child,
}

impl Cluster {
    /// Starts a cluster for tests: nothing is flushed to the disk.
    pub fn start() -> Result<Cluster> {
        Cluster::start_with(Durability::None)
    }

    /// Starts a cluster for benchmarks: commits are as durable as in production.
    pub fn start_durable() -> Result<Cluster> {
        Cluster::start_with(Durability::Full)
    }

    fn start_with(durability: Durability) -> Result<Cluster> {
        let installation = Installation::find()?;
        let user = OtherUser::needed()?;
        let mut attempt = 1;
        loop {
            match Cluster::try_start(&installation, user.as_ref(), durability) {
                Err(error) if attempt < START_ATTEMPTS && port_was_taken(&error) => attempt += 1,
                result => return result,
            }
        }
    }

    fn try_start(
        installation: &Installation,
        user: Option<&OtherUser>,
        durability: Durability,
    ) -> Result<Cluster> {
        let temporary = tempfile::Builder::new().prefix("natterjack-postgres-").tempdir()?;
        let folder = temporary.path().to_path_buf();
        let log = File::create(folder.join("log"))?;
        if let Some(user) = user {
            chown(&folder, Some(user.uid), Some(user.gid)).context("cannot give the folder to PostgreSQL")?;
        }
        let prefix = user.map(OtherUser::prefix).unwrap_or_default();
        create_files(installation, &prefix, &folder)?;

        let port = free_port()?;
        let mut command = Command::new("sh");
        command.args(["-c", WATCHDOG, "natterjack-postgres-watchdog"]).arg(&folder);
        command.args(&prefix).arg(&installation.postgres);
        command.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]);
        for setting in settings(durability) {
            command.args(["-c", setting]);
        }
        let watchdog = command
            .current_dir(&folder)
            .env("LC_ALL", "C")
            .process_group(0) // Ctrl-C in a terminal is for us, not for PostgreSQL
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot run sh")?;
        let folder = temporary.keep(); // from here on the watchdog removes it
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let cluster = Cluster { url, folder, watchdog };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// The URL of the database `postgres` in this cluster; its user may do everything.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(self.folder.join("log"))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Waits for the state `ready` in `postmaster.pid`, which is what `pg_ctl start` does.
    fn wait_until_ready(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            let state = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|state| state.trim() == "ready") {
                return Ok(());
            }
            if self.folder.join("exited").exists() {
                return Err(anyhow!("PostgreSQL stopped while starting:\n{}", self.log()));
            }
            if started.elapsed() > START_LIMIT {
                let log = self.log();
                bail!("PostgreSQL does not accept connections after {START_LIMIT:?}:\n{log}");
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// Runs `initdb` in `folder/data`.
fn create_files(installation: &Installation, prefix: &[String], folder: &Path) -> Result<()> {
    let words = prefix.iter().map(AsRef::as_ref).chain([installation.initdb.as_os_str()]);
    let words: Vec<_> = words.collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg("-D").arg(folder.join("data"));
    command.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
    output(command.current_dir(folder).env("LC_ALL", "C")).with_context(|| {
        format!("cannot create a PostgreSQL cluster in {} (TMPDIR chooses the place)", folder.display())
    })?;
    Ok(())
}

/// The settings of a cluster, as arguments of `-c`.
fn settings(durability: Durability) -> Vec<&'static str> {
    let mut settings = vec![
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=400", // many tests at once, a pool each
        "shared_buffers=128MB",
        "timezone=UTC",
        "log_timezone=UTC",
        "logging_collector=off", // to standard error, which is the file `log`
    ];
    if durability == Durability::None {
        settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
        settings.extend(["autovacuum=off", "max_wal_size=4GB"]);
    }
    settings
}

/// Whether a start failed because another process listens on the chosen port.
fn port_was_taken(error: &anyhow::Error) -> bool {
    format!("{error:#}").contains("Address already in use")
}

/// A port of 127.0.0.1 on which nobody listens at the moment.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Runs a command to its end and returns what it printed, without white space around it.
fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let result = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {program}"))?;
    let complaint = String::from_utf8_lossy(&result.stderr);
    ensure!(result.status.success(), "{program} failed ({}): {}", result.status, complaint.trim());
    Ok(String::from_utf8_lossy(&result.stdout).trim().to_owned())
}

/// The URL of a cluster that all tests of this process use.
///
/// It is the value of [`URL_VARIABLE`] if that is set, and otherwise a cluster that starts with the first
/// call and stops with the process.
pub fn shared() -> Result<&'static str> {
    static CLUSTER: OnceLock<Result<(String, Option<Cluster>), String>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| match env::var(URL_VARIABLE) {
        Ok(url) if !url.is_empty() => Ok((url, None)),
        _ => match Cluster::start() {
            Ok(cluster) => Ok((cluster.url().to_owned(), Some(cluster))),
            Err(error) => Err(format!("{error:#}")),
        },
    });
    match cluster {
        Ok((url, _)) => Ok(url),
        Err(message) => Err(anyhow!("{message}")),
    }
}

/// Creates an empty database in the cluster at `url` and returns its URL.
pub async fn fresh_database(url: &str) -> Result<String> {
    let name = format!("{DATABASE_PREFIX}{:016x}", rand::random::<u64>());
    // The sort order "C" is the same on every machine, whatever cluster we were pointed at. Copying files
    // takes 13 ms, half of what the default strategy takes (four at a time, two cores, template0).
    let statement = format!(
        "CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy \
         ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    );
    execute(url, &statement).await.with_context(|| format!("cannot create the database {name}"))?;
    Ok(with_database(url, &name)?.to_string())
}

/// Drops a database made by [`fresh_database`], closing the connections that are still open.
///
/// Other databases are refused.
pub async fn drop_database(url: &str) -> Result<()> {
    let name = Url::parse(url)?.path().trim_start_matches('/').to_owned();
    let ours = name
        .strip_prefix(DATABASE_PREFIX)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    ensure!(ours, "{name:?} is not a database made by fresh_database, so it stays");
    let maintenance = with_database(url, "postgres")?;
    execute(maintenance.as_str(), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        .await
        .with_context(|| format!("cannot drop the database {name}"))
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> Result<Url> {
    let mut url = Url::parse(url).context("not a URL of the form postgres://user@host:port/database")?;
    url.set_path(name);
    Ok(url)
}

/// Runs one statement on a connection of its own.
async fn execute(url: &str, statement: &str) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("cannot connect")?;
    let driver = tokio::spawn(connection);
    client.batch_execute(statement).await?;
    drop(client);
    driver.await??;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(url: &str, question: &str) -> String {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.query_one(question, &[]).await.unwrap().get(0)
    }

    #[tokio::test]
    async fn a_cluster_starts_makes_databases_and_leaves_nothing() {
        let cluster = Cluster::start().unwrap();
        let first = fresh_database(cluster.url()).await.unwrap();
        let second = fresh_database(cluster.url()).await.unwrap();
        assert_ne!(first, second);
        for url in [&first, &second] {
            assert_eq!(ask(url, "select 1::text").await, "1");
            assert_eq!(
                ask(url, "select datcollate::text from pg_database where datname = current_database()").await,
                "C"
            );
        }
        drop_database(&first).await.unwrap();
        assert!(tokio_postgres::connect(&first, NoTls).await.is_err());
        assert!(drop_database(cluster.url()).await.is_err(), "the database postgres is not ours to drop");

        let folder = cluster.folder.clone();
        drop(cluster);
        assert!(!folder.exists());
        assert!(tokio_postgres::connect(&second, NoTls).await.is_err());
    }

    #[tokio::test]
    async fn only_the_durable_cluster_flushes_to_disk() {
        for (durability, expected) in [(Durability::None, "off"), (Durability::Full, "on")] {
            let cluster = Cluster::start_with(durability).unwrap();
            for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
                let value = ask(cluster.url(), &format!("select current_setting('{setting}')")).await;
                assert_eq!(value, expected, "{setting} with {durability:?}");
            }
        }
    }

    #[test]
    fn the_database_of_a_url_is_replaced_and_its_options_stay() {
        let url = with_database("postgres://me:secret@db:5433/postgres?connect_timeout=3", "other").unwrap();
        assert_eq!(url.as_str(), "postgres://me:secret@db:5433/other?connect_timeout=3");
    }
}
