//! The program as a user starts it: settings, start, tokens, stop, and what survives a kill.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod running;

use std::path::Path;
use std::process::{Command, Output};

use natterjack_client::protocol::channels::{ChannelInput, GetOrCreateChannelRequest};
use natterjack_client::protocol::messages::{GetMessageQuery, MessageRequest, SendMessageRequest};
use natterjack_client::protocol::users::{UpdateUsersRequest, UserRequest};
use natterjack_client::{Client, RetryPolicy};
use running::{Running, command};

fn run(data_dir: &Path, arguments: &[&str]) -> Output {
    command(data_dir).args(arguments).output().unwrap()
}

async fn try_to_send(client: &Client, id: &str) -> Result<(), natterjack_client::Error> {
    let message = MessageRequest {
        id: Some(id.to_owned()),
        text: Some("hello".to_owned()),
        user_id: Some("jane".to_owned()),
        ..MessageRequest::default()
    };
    let request = SendMessageRequest { message, ..SendMessageRequest::default() };
    client.chat().send_message("messaging", "general", request).await.map(drop)
}

async fn send(client: &Client, id: &str) {
    try_to_send(client, id).await.unwrap();
}

async fn set_up(client: &Client) {
    let jane = UserRequest { id: "jane".to_owned(), ..UserRequest::default() };
    let users = [("jane".to_owned(), jane)].into_iter().collect();
    client.common().update_users(UpdateUsersRequest { users }).await.unwrap();
    let data = ChannelInput { created_by_id: Some("jane".to_owned()), ..ChannelInput::default() };
    let request = GetOrCreateChannelRequest { data: Some(data), ..GetOrCreateChannelRequest::default() };
    client.chat().get_or_create_channel("messaging", "general", request).await.unwrap();
}

#[test]
fn a_wrong_setting_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "lisen = \"127.0.0.1:0\"").unwrap();
    let config = config.to_str().unwrap();
    for (arguments, name) in [
        (["serve", "--listen", "here"], "listen"),
        (["serve", "--database-url", "mysql://x"], "database-url"),
        (["serve", "--api-key", "not a key"], "api-key"),
        (["serve", "--log", "a=b=c"], "log"),
        (["serve", "--config", config], "lisen"),
    ] {
        let output = run(folder.path(), &arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{arguments:?} was accepted");
        assert!(text.contains(name), "{arguments:?} gave {text}");
    }
}

#[tokio::test]
async fn a_second_server_does_not_take_the_database_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path());
    set_up(&server.client()).await;
    let second = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let text = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success() && text.contains("another server runs on"), "{text}");
    send(&server.client(), "m1").await;
    assert!(run(folder.path(), &["check"]).status.success(), "other commands may use it");
    server.kill();
    Running::start(folder.path());
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path());
    let client = server.client();
    set_up(&client).await;
    for number in 0..20 {
        send(&client, &format!("m{number}")).await;
    }
    server.child.kill().unwrap();
    server.child.wait().unwrap();

    let server = Running::start(folder.path());
    for number in 0..20 {
        let id = format!("m{number}");
        server.client().chat().get_message(id, GetMessageQuery::default()).await.unwrap();
    }
    let check = run(folder.path(), &["check"]);
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_refuses_what_is_written_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start_on_small_disk(folder.path());
    set_up(&server.client()).await;
    let client = Client::builder("key", "a-secret").base_url(&server.url).retry(RetryPolicy::none());
    let client = client.build().unwrap();
    let (mut ids, mut refused) = (Vec::new(), None);
    for number in 0..5000 {
        let id = format!("m{number}");
        if let Err(error) = try_to_send(&client, &id).await {
            refused = Some((id, error));
            break;
        }
        ids.push(id);
    }
    let (refused, error) = refused.expect("the disk is full some time");
    assert_eq!(error.status(), Some(500), "{error}");
    try_to_send(&client, "another").await.unwrap_err();
    assert_eq!(text_of(&client, &ids[0]).await, "hello", "what is there can be read");

    server.make_room();
    send(&client, &refused).await;
    ids.push(refused);
    server.kill();
    succeed(folder.path(), &["check"]);
    assert_eq!(count_missing(folder.path(), &ids).await, 0);
    assert_eq!(count_missing(folder.path(), &["another".to_owned()]).await, 1);
}

#[tokio::test]
async fn it_stops_in_good_order_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start(folder.path());
    set_up(&server.client()).await;
    let id = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn a_token_needs_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(folder.path(), &["token", "--server"]);
    assert!(!refused.status.success());
    let made = run(folder.path(), &["token", "--user", "jane", "--api-secret", "a-secret"]);
    assert!(made.status.success());
    assert_eq!(String::from_utf8_lossy(&made.stdout).trim().split('.').count(), 3);
    let wrong = run(folder.path(), &["token", "--user", "jane doe", "--api-secret", "a-secret"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("user"));
}

/// Runs a command that must succeed and answers what it printed.
fn succeed(data_dir: &Path, arguments: &[&str]) -> String {
    let output = run(data_dir, arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// What a command that must fail says.
fn fail(data_dir: &Path, arguments: &[&str]) -> String {
    let output = run(data_dir, arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn text_of(client: &Client, id: &str) -> String {
    client.chat().get_message(id, GetMessageQuery::default()).await.unwrap().into_inner().message.text
}

#[tokio::test]
async fn a_backup_is_made_beside_the_server_and_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("copy.db"));
    let file = file.to_str().unwrap();
    let server = Running::start(&data);
    set_up(&server.client()).await;
    send(&server.client(), "before").await;
    let printed = succeed(&data, &["backup", file]);
    assert!(printed.contains("1 messages"), "{printed}");
    send(&server.client(), "after").await;
    assert!(fail(&data, &["backup", file]).contains("is there already"));
    drop(server);
    assert!(fail(&data, &["restore", file]).contains("is there already"));
    let left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(left.iter().all(|name| name == "data" || name == "copy.db"), "{left:?}");

    let restored = folder.path().join("restored");
    succeed(&restored, &["restore", file]);
    succeed(&restored, &["check"]);
    let server = Running::start(&restored);
    assert_eq!(text_of(&server.client(), "before").await, "hello");
    let missing = server.client().chat().get_message("after", GetMessageQuery::default()).await;
    assert!(missing.is_err(), "what was sent after the backup is not in it");

    // A file that is damaged is noticed, and nothing is restored.
    let mut bytes = std::fs::read(file).unwrap();
    bytes[5000..9000].fill(0x5a);
    std::fs::write(file, bytes).unwrap();
    let other = folder.path().join("other");
    fail(&other, &["restore", file]);
    assert!(!other.join("natterjack.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_moves_to_postgresql_and_into_a_backup() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Running::start(&data);
    set_up(&server.client()).await;
    send(&server.client(), "m1").await;
    drop(server);

    let cluster = xtask::postgres::shared().unwrap();
    let url = xtask::postgres::fresh_database(cluster).await.unwrap();
    let from = format!("sqlite:{}", data.join("natterjack.db").display());
    let moved = succeed(&data, &["move", "--from", &from, "--to", &url]);
    assert!(moved.contains("messages: 1 rows"), "{moved}");
    assert!(fail(&data, &["move", "--from", &from, "--to", &url]).contains("not empty"));

    let file = folder.path().join("copy.db");
    succeed(&data, &["backup", file.to_str().unwrap(), "--database-url", &url]);
    let restored = folder.path().join("restored");
    succeed(&restored, &["restore", file.to_str().unwrap()]);
    let server = Running::start(&restored);
    assert_eq!(text_of(&server.client(), "m1").await, "hello");
    xtask::postgres::drop_database(&url).await.unwrap();
}

#[tokio::test]
async fn apps_are_made_and_their_secrets_changed_beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let text = |output: Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let made = text(run(folder.path(), &["app", "create", "Second app", "--key", "second"]));
    let secret = made.lines().find_map(|line| line.strip_prefix("secret")).unwrap().trim().to_owned();
    let client = |secret: &str| Client::builder("second", secret).base_url(&server.url).build().unwrap();
    assert_eq!(client(&secret).common().get_app().await.unwrap().app.name, "Second app");
    let listed = text(run(folder.path(), &["app", "list"]));
    assert_eq!(listed.lines().count(), 2);
    assert!(listed.lines().nth(1).unwrap().starts_with("second "), "{listed}");
    assert!(!listed.contains(&secret));

    let renewed = text(run(folder.path(), &["app", "rotate-secret", "second"])).trim().to_owned();
    assert_ne!(renewed, secret);
    client(&renewed).common().get_app().await.unwrap();
    client(&secret).common().get_app().await.unwrap_err();
    for arguments in [
        ["app", "rotate-secret", "nothing"].as_slice(),
        &["app", "create", "Third", "--key", "second"],
        &["app", "create", "Third", "--key", "not a key"],
        &["app", "create", ""],
    ] {
        assert!(!run(folder.path(), arguments).status.success(), "{arguments:?}");
    }
    // The first app's secret is kept beside the database, for `token`.
    let first = text(run(folder.path(), &["app", "rotate-secret", "key"])).trim().to_owned();
    let kept = std::fs::read_to_string(folder.path().join("credentials.toml")).unwrap();
    assert!(kept.contains(&first));
}

/// Sends until the server is gone, and tells the id of each message that it acknowledged.
async fn send_until_killed(
    client: Client,
    prefix: String,
    acknowledged: tokio::sync::mpsc::UnboundedSender<String>,
) {
    for number in 0.. {
        let id = format!("{prefix}-{number}");
        match try_to_send(&client, &id).await {
            Ok(()) => drop(acknowledged.send(id)),
            Err(_) => return,
        }
    }
}

/// Sends from several tasks until so many sends are acknowledged, kills the server in the middle of others, and answers
/// the ids of all that were acknowledged.
async fn send_and_kill(mut server: Running, round: usize) -> Vec<String> {
    const SENDERS: usize = 8;
    /// Acknowledged messages after which the server is killed.
    const KILLED_AFTER: usize = 100;
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let tasks: Vec<_> = (0..SENDERS)
        .map(|task| {
            let prefix = format!("m{round}-{task}");
            // A send that fails is over: its outcome is not known.
            let client = Client::builder("key", "a-secret").base_url(&server.url);
            let client = client.retry(RetryPolicy::none()).build().unwrap();
            tokio::spawn(send_until_killed(client, prefix, sender.clone()))
        })
        .collect();
    drop(sender);
    let mut acknowledged = Vec::new();
    for _ in 0..KILLED_AFTER {
        acknowledged.push(receiver.recv().await.unwrap());
    }
    // The others are in the middle of theirs.
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    while let Some(id) = receiver.recv().await {
        acknowledged.push(id);
    }
    for task in tasks {
        task.await.unwrap();
    }
    acknowledged
}

/// How many of these messages a server that is started on the data does not have.
async fn count_missing(data_dir: &Path, ids: &[String]) -> usize {
    let server = Running::start(data_dir);
    let client = server.client();
    let mut missing = 0;
    for id in ids {
        match client.chat().get_message(id, GetMessageQuery::default()).await {
            Ok(found) => assert_eq!(found.message.text, "hello", "{id}"),
            Err(_) => missing += 1,
        }
    }
    missing
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills_in_the_middle_of_sends() {
    const ROUNDS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let server = Running::start(folder.path());
        if round == 0 {
            set_up(&server.client()).await;
        }
        acknowledged.extend(send_and_kill(server, round).await);
        succeed(folder.path(), &["check"]);
    }
    assert_eq!(count_missing(folder.path(), &acknowledged).await, 0);
}

/// The same test on a disk that did not keep what it was asked to keep, as with a server that acknowledges before it
/// has committed.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_messages_that_a_kill_took_would_be_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    set_up(&server.client()).await;
    let acknowledged = send_and_kill(server, 0).await;
    let log = std::fs::File::options().write(true).open(folder.path().join("natterjack.db-wal")).unwrap();
    log.set_len(log.metadata().unwrap().len() / 2).unwrap();
    let missing = count_missing(folder.path(), &acknowledged).await;
    assert!(missing > 0 && missing < acknowledged.len(), "{missing} of {}", acknowledged.len());
    // What is left is still whole: the last transactions are gone, none is there in part.
    succeed(folder.path(), &["check"]);
}
