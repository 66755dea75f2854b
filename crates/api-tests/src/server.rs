use std::sync::Arc;
use std::time::Duration;

use natterjack_client::Client;
use natterjack_client::protocol::Timestamp;
use natterjack_client::protocol::channels::{ChannelInput, GetOrCreateChannelRequest};
use natterjack_client::protocol::members::ChannelMemberRequest;
use natterjack_client::protocol::message_types::MessageResponse;
use natterjack_client::protocol::messages::{MessageRequest, SendMessageRequest};
use natterjack_client::protocol::users::{UpdateUsersRequest, UserRequest};
use natterjack_server::clock::ManualClock;
use natterjack_server::config::Access;
use natterjack_server::telemetry;
use natterjack_server::{Deliveries, Server, ServerParts};
use natterjack_storage::{DatabaseUrl, NewApp, Store};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::postgres;
use crate::raw::RawRequest;
use crate::socket::{Socket, SocketRequest};

/// Which database a test server stores its data in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file in a temporary folder.
    Sqlite,
    /// A database of its own in the cluster of the tests.
    Postgres,
}

/// A running server with an empty database.
#[derive(Debug)]
pub struct TestServer {
    base_url: String,
    database: DatabaseUrl,
    client: Client,
    /// Shared by the requests written by hand: making one loads certificates, which takes its time.
    http: reqwest::Client,
    clock: Arc<ManualClock>,
    store: Store,
    deliveries: Deliveries,
}

impl TestServer {
    /// The API key of every test server.
    pub const API_KEY: &'static str = "test-key";
    /// The API secret of every test server.
    pub const API_SECRET: &'static str = "test-secret-of-sufficient-length";

    /// Starts a server, runs a test against it, stops the server and removes its data.
    ///
    /// # Panics
    /// When the test does, or when the server cannot be started.
    pub fn run(database: Database, test: impl AsyncFnOnce(&TestServer)) {
        telemetry::start_metrics();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime can be started");
        runtime.block_on(async {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let url = match database {
                Database::Sqlite => DatabaseUrl::Sqlite(folder.path().join("natterjack.db")),
                Database::Postgres => {
                    let cluster = postgres::shared().expect("PostgreSQL is there");
                    let url = postgres::fresh_database(cluster).await.expect("a database can be created");
                    DatabaseUrl::Postgres(url)
                }
            };
            let (server, handle) = Self::start(&url).await;
            test(&handle).await;
            drop(handle);
            server.stop().await;
            if let DatabaseUrl::Postgres(url) = url {
                postgres::drop_database(&url).await.expect("the database of the test can be removed");
            }
        });
    }

    /// Starts a server on an existing or a new database.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start(url: &DatabaseUrl) -> (Server, Self) {
        Self::start_with(url, Access::default()).await
    }

    /// The same, open to callers as `access` says.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start_with(url: &DatabaseUrl, access: Access) -> (Server, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let clock =
            Arc::new(ManualClock::new(Timestamp::parse_rfc3339("2026-01-02T03:04:05Z").expect("is a time")));
        let store = Store::open(url).await.expect("the database opens");
        let parts = ServerParts {
            store: store.clone(),
            clock: clock.clone(),
            first_app: Some(NewApp {
                name: "test".to_owned(),
                api_key: Self::API_KEY.to_owned(),
                api_secret: Self::API_SECRET.to_owned(),
            }),
            development: false,
            listener,
            access,
        };
        let server = Server::start(parts).await.expect("the server starts");
        let base_url = format!("http://{}", server.address());
        // The clock of a test server stands still in the past, and with it what a token may be dated.
        let token = crate::raw::server_token(Self::API_SECRET);
        let client = Client::builder(Self::API_KEY, Self::API_SECRET)
            .base_url(&base_url)
            .token(token)
            .build()
            .expect("the client's settings are valid");
        let http = reqwest::Client::new();
        let deliveries = server.deliveries();
        (server, Self { deliveries, base_url, database: url.clone(), client, http, clock, store })
    }

    /// Starts a second server on the same database, runs a test against it and stops it.
    pub async fn beside(&self, test: impl AsyncFnOnce(&Self)) {
        self.beside_with(Access::default(), test).await;
    }

    /// The same, with a second server that is open to callers as `access` says.
    pub async fn beside_with(&self, access: Access, test: impl AsyncFnOnce(&Self)) {
        let (server, handle) = Self::start_with(&self.database, access).await;
        test(&handle).await;
        drop(handle);
        server.stop().await;
    }

    /// Opens the database of the server beside it, as another program does.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn store(&self) -> Store {
        Store::open(&self.database).await.expect("the database opens")
    }

    /// A client with a server token.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where the server listens, such as `http://127.0.0.1:4711`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Moves the server's clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Does the work of the job that purges, at most `limit` rows at a time, and checks the database after each step.
    ///
    /// # Panics
    /// When the check finds something.
    pub async fn purge(&self, limit: i64) {
        self.check().await;
        let step =
            async || self.store.write("purge", limit, |tx, limit| Box::pin(tx.run_purge_step(*limit))).await;
        let waits = async || self.store.read("has_purges", (), |tx, ()| Box::pin(tx.has_purges())).await;
        // The job itself may be in the middle of a step.
        while step().await.expect("purging succeeds") || waits().await.expect("reading succeeds") {
            self.check().await;
        }
    }

    /// Does the work of the job that prunes the corrections of unread counts.
    ///
    /// # Panics
    /// When it fails.
    pub async fn prune_unread_gaps(&self) {
        let mut after = 0;
        let step = async |after: i64| {
            self.store.write("prune", after, |tx, after| Box::pin(tx.prune_unread_gaps(*after, 1000))).await
        };
        while let Some((channel_pk, _)) = step(after).await.expect("pruning succeeds") {
            after = channel_pk;
        }
    }

    /// Does the work of the job that prunes the corrections of what is unread in threads.
    ///
    /// # Panics
    /// When it fails.
    pub async fn prune_thread_unread_gaps(&self) {
        let step =
            self.store.write("prune", (), |tx, ()| Box::pin(tx.prune_thread_unread_gaps(0, 100, 100))).await;
        step.expect("pruning succeeds");
    }

    /// Does the work of the job that forgets whom users had muted, for everything up to so long ago.
    ///
    /// # Panics
    /// When it fails.
    pub async fn prune_mute_spans(&self, ago: Duration) {
        let now = natterjack_server::clock::Clock::now(&*self.clock);
        let before = now.plus_seconds(-(ago.as_secs() as i64));
        let input = (natterjack_storage::SpanKey::default(), before);
        let step = self
            .store
            .write("prune", input, |tx, (after, before)| Box::pin(tx.prune_mute_spans(after, *before, 100)))
            .await;
        step.expect("pruning succeeds");
    }

    /// Does the work of the job that forgets when channels were quiet, for everything up to now.
    ///
    /// # Panics
    /// When it fails.
    pub async fn prune_quiet_spans(&self) {
        let input = natterjack_server::clock::Clock::now(&*self.clock);
        let step = self
            .store
            .write("prune", input, |tx, before| Box::pin(tx.prune_quiet_spans(0, *before, 100)))
            .await;
        step.expect("pruning succeeds");
    }

    /// Requires that what is stored agrees with itself.
    ///
    /// # Panics
    /// When it does not.
    pub async fn check(&self) {
        self.find_violations().await.expect("what is stored agrees with itself");
    }

    /// Whether what is stored agrees with itself, and where it does not.
    ///
    /// # Panics
    /// When the check does not run.
    pub async fn find_violations(&self) -> Result<(), String> {
        // On connections of its own, as `natterjack check` has them: on one that has read the text index before, SQLite
        // checks it by what it remembers of it.
        let store = self.store().await;
        let report = store.check(|_| ()).await.expect("the check runs");
        store.close().await;
        if report.is_clean() {
            Ok(())
        } else {
            Err(format!("{:#?}", report.violations().collect::<Vec<_>>()))
        }
    }

    /// Changes the database beside the server, by SQL for SQLite and for PostgreSQL.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn damage(&self, [sqlite, postgres]: [&str; 2]) {
        match &self.database {
            DatabaseUrl::Sqlite(file) => {
                let connection = rusqlite::Connection::open(file).expect("the database opens");
                connection.execute_batch(sqlite).expect("SQLite takes the change");
            }
            DatabaseUrl::Postgres(url) => {
                let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
                let (client, connection) = connected.expect("the database opens");
                tokio::spawn(connection);
                client.batch_execute(postgres).await.expect("PostgreSQL takes the change");
            }
        }
    }

    /// How many rows a table has.
    ///
    /// # Panics
    /// When the check does not count them.
    pub async fn count(&self, table: &str) -> i64 {
        // On connections of its own, as `natterjack check` has them: on one that has read the text index before, SQLite
        // checks it by what it remembers of it.
        let store = self.store().await;
        let report = store.check(|_| ()).await.expect("the check runs");
        store.close().await;
        let found = report.counts.iter().find(|(name, _)| *name == table);
        found.expect("the table is counted").1
    }

    /// A socket to be opened by a user.
    pub fn socket(&self, user_id: &str) -> SocketRequest {
        SocketRequest::new(&self.base_url, user_id)
    }

    /// Opens a socket of a user that watches a channel of type messaging.
    ///
    /// # Panics
    /// When the channel is not there.
    pub async fn watch(&self, user_id: &str, channel: &str) -> Socket {
        let socket = self.socket(user_id).open().await;
        self.watch_with(&socket, user_id, channel).await;
        socket
    }

    /// Has a socket watch a channel of type messaging. Answers the channel's state.
    ///
    /// # Panics
    /// When the channel is not there.
    pub async fn watch_with(&self, socket: &Socket, user_id: &str, channel: &str) -> Value {
        let reply = self
            .raw("POST", &format!("/api/v2/chat/channels/messaging/{channel}/query"))
            .as_user(user_id)
            .query("connection_id", &socket.connection_id)
            .json(&json!({ "watch": true, "presence": true, "state": true }))
            .send()
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.body
    }

    /// Waits until every event of what was done so far is on its way to those who are connected.
    pub async fn settle(&self) {
        self.deliveries.settled().await;
    }

    /// A request written by hand, with a valid key and token until told otherwise.
    pub fn raw(&self, method: &str, path: &str) -> RawRequest {
        RawRequest::new(&self.http, &self.base_url, method, path)
    }

    /// Creates users with nothing but an id.
    pub async fn users(&self, ids: &[&str]) {
        let users = ids
            .iter()
            .map(|id| ((*id).to_owned(), UserRequest { id: (*id).to_owned(), ..UserRequest::default() }));
        let request = UpdateUsersRequest { users: users.collect() };
        self.client.common().update_users(request).await.expect("the users are created");
    }

    /// Creates a channel of type messaging; the first member is its creator. The users must exist.
    pub async fn channel(&self, id: &str, members: &[&str]) {
        let data = ChannelInput {
            created_by_id: members.first().map(|id| (*id).to_owned()),
            members: Some(members.iter().map(|id| member(id)).collect()),
            ..ChannelInput::default()
        };
        let request = GetOrCreateChannelRequest { data: Some(data), ..GetOrCreateChannelRequest::default() };
        self.client
            .chat()
            .get_or_create_channel("messaging", id, request)
            .await
            .expect("the channel is created");
    }

    /// Sends a message with an id and a text to a channel of type messaging.
    pub async fn send(&self, channel: &str, user_id: &str, id: &str, text: &str) -> MessageResponse {
        let request = SendMessageRequest {
            message: MessageRequest {
                id: Some(id.to_owned()),
                text: Some(text.to_owned()),
                user_id: Some(user_id.to_owned()),
                ..MessageRequest::default()
            },
            ..SendMessageRequest::default()
        };
        let sent = self.client.chat().send_message("messaging", channel, request).await;
        sent.expect("the message is sent").into_inner().message
    }
}

/// A member to be added, with nothing but an id.
fn member(id: &str) -> ChannelMemberRequest {
    ChannelMemberRequest::new(id)
}
