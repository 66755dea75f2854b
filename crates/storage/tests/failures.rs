//! What becomes of writes when something happens to the database.

#![allow(clippy::unwrap_used)]

mod databases;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use databases::{Databases, at, read};
use natterjack_storage::{DatabaseUrl, Error, NewApp, Store, Turn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The text of the query that commits, as it travels.
const COMMIT: &[u8] = b"COMMIT\0";
/// What the database sends to a connection that an operator ends.
const TERMINATED: &[u8] = b"E\0\0\0\x26SFATAL\0VFATAL\0C57P01\0Mterminated\0\0";

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Fate {
    Answered,
    /// It does not arrive.
    Lost,
    /// It arrives and is carried out, and the connection breaks.
    CarriedOut,
    /// As before, and the last word of the database is that the connection was ended.
    CarriedOutAndTerminated,
}

const FATES: [Fate; 4] = [Fate::Answered, Fate::Lost, Fate::CarriedOut, Fate::CarriedOutAndTerminated];

/// Passes on what a client and the database say to each other, until the commit that has another fate.
async fn pass_on(mut client: TcpStream, mut database: TcpStream, fate: Arc<AtomicU8>) {
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(read @ 1..) = read else { return };
                let fate = FATES[fate.load(Ordering::Relaxed) as usize];
                let is_commit = asked[..read].windows(COMMIT.len()).any(|part| part == COMMIT);
                if is_commit && fate == Fate::Lost {
                    return;
                }
                database.write_all(&asked[..read]).await.unwrap();
                if is_commit && fate != Fate::Answered {
                    // The answer to a commit comes in one piece.
                    assert!(database.read(&mut answered).await.unwrap() > 0);
                    if fate == Fate::CarriedOutAndTerminated {
                        client.write_all(TERMINATED).await.unwrap();
                    }
                    return;
                }
            }
            read = database.read(&mut answered) => {
                let Ok(read @ 1..) = read else { return };
                if client.write_all(&answered[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Listens in front of a database, and answers its address.
async fn listen(database: String, fate: Arc<AtomicU8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let database = TcpStream::connect(&database).await.unwrap();
            tokio::spawn(pass_on(client, database, Arc::clone(&fate)));
        }
    });
    address
}

async fn write_one(store: &Store, name: &str, turn: Option<Turn>) -> Result<(), Error> {
    let app = NewApp { name: name.to_owned(), api_key: name.to_owned(), api_secret: "secret".to_owned() };
    match turn {
        None => store.write("test", app, |tx, app| Box::pin(tx.insert_app(app, at(1)))).await,
        Some(turn) => {
            store.write_in_channel(1, turn, "test", app, |tx, app| Box::pin(tx.insert_app(app, at(1)))).await
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_neither_acknowledged_nor_repeated() {
    let databases = Databases::open().await;
    let mut url = url::Url::parse(&databases.postgres_url).unwrap();
    let database = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
    let fate = Arc::new(AtomicU8::new(0));
    let proxy = listen(database, Arc::clone(&fate)).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(proxy.rsplit(':').next().unwrap().parse().ok()).unwrap();
    let store = Store::open(&DatabaseUrl::Postgres(url.into())).await.unwrap();
    for (number, expected) in FATES.into_iter().enumerate() {
        for turn in [None, Some(Turn::Any)] {
            let name = format!("app-{number}-{turn:?}");
            fate.store(number as u8, Ordering::Relaxed);
            let outcome = write_one(&store, &name, turn).await;
            fate.store(0, Ordering::Relaxed);
            assert_eq!(outcome.is_ok(), expected == Fate::Answered, "{name}: {outcome:?}");
            if let Err(error) = outcome {
                assert!(matches!(error, Error::CommitUnknown(_)), "{name}: {error:?}");
            }
            let apps = read(&store, (), |tx, ()| Box::pin(tx.list_apps())).await;
            let stored = apps.iter().filter(|app| app.name == name).count();
            assert_eq!(stored, usize::from(expected != Fate::Lost), "{name}");
        }
    }
    store.close().await;
    databases.close().await;
}

/// The number that SQLite gives to its log whenever it begins to write it from the start.
fn log_number(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("test.db-wal")).unwrap()[12..16].to_vec()
}

#[tokio::test]
async fn nothing_is_written_behind_what_a_killed_server_left_in_its_log() {
    let (folder, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("test.db"))).await.unwrap();
    write_one(&store, "before", None).await.unwrap();
    for file in ["test.db", "test.db-wal"] {
        std::fs::copy(folder.path().join(file), killed.path().join(file)).unwrap();
    }
    store.close().await;
    let left = log_number(killed.path());
    let store = Store::open(&DatabaseUrl::Sqlite(killed.path().join("test.db"))).await.unwrap();
    write_one(&store, "after", None).await.unwrap();
    assert_ne!(log_number(killed.path()), left);
    let apps = read(&store, (), |tx, ()| Box::pin(tx.list_apps())).await;
    assert_eq!(apps.len(), 2);
    store.close().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_that_goes_into_a_file_that_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("test.db"), folder.path().join("aside.db"));
    let store = Store::open(&DatabaseUrl::Sqlite(path.clone())).await.unwrap();
    write_one(&store, "before", None).await.unwrap();
    std::fs::rename(&path, &aside).unwrap();
    let error = write_one(&store, "meanwhile", None).await.unwrap_err();
    assert!(natterjack_storage::error_chain(&error).contains("removed"), "{error:?}");
    std::fs::rename(&aside, &path).unwrap();
    write_one(&store, "after", None).await.unwrap();
    assert_eq!(read(&store, (), |tx, ()| Box::pin(tx.list_apps())).await.len(), 2);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_for_another_program_are_refused_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Store::open(&DatabaseUrl::Sqlite(path.clone())).await.unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..3 {
        let store = store.clone();
        writes.spawn(async move { write_one(&store, &format!("app-{number}"), None).await });
    }
    // The first of them has waited for five seconds.
    let mut refused = vec![writes.join_next().await.unwrap().unwrap()];
    other.execute_batch("ROLLBACK").unwrap();
    refused.extend(writes.join_all().await);
    assert!(refused.iter().all(|outcome| matches!(outcome, Err(Error::Busy(_)))), "{refused:?}");
    write_one(&store, "after", None).await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_closed_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    for number in 0..10 {
        let store = Store::open(&DatabaseUrl::Sqlite(path.clone())).await.unwrap();
        write_one(&store, &format!("app-{number}"), None).await.unwrap();
        read(&store, (), |tx, ()| Box::pin(tx.list_apps())).await;
        store.close().await;
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["test.db"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_go_on_while_all_writes_wait_for_a_lock() {
    let databases = Databases::open().await;
    let store = &databases.stores[1];
    let (other, connection) =
        tokio_postgres::connect(&databases.postgres_url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    other.batch_execute("BEGIN; LOCK TABLE apps IN SHARE MODE").await.unwrap();
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..40 {
        let store = store.clone();
        writes.spawn(async move { write_one(&store, &format!("app-{number}"), None).await });
    }
    let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'apps'::regclass";
    while other.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) < 10 {}
    let reading = read(store, (), |tx, ()| Box::pin(tx.list_apps()));
    let apps = tokio::time::timeout(Duration::from_secs(10), reading).await;
    assert_eq!(apps.expect("reads do not wait").len(), 0);
    other.batch_execute("ROLLBACK").await.unwrap();
    assert!(writes.join_all().await.iter().all(Result::is_ok));
    assert_eq!(read(store, (), |tx, ()| Box::pin(tx.list_apps())).await.len(), 40);
    drop(other);
    connection.await.unwrap().unwrap();
    databases.close().await;
}
