//! The SDK's socket on a real server, over a line that can be cut.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use natterjack_api_tests::{TestServer, both_databases};
use natterjack_client::protocol::events::Event;
use natterjack_client::socket::{ConnectOptions, Socket, Update, Updates};
use natterjack_client::state::ChannelState;
use natterjack_client::token::{TokenOptions, user_token};
use natterjack_client::{Client, RetryPolicy};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the clock of a new test server shows, in seconds.
const NOW: u64 = 1_767_323_045;
/// How long an update may take.
const UPDATE_TIME_MAX: Duration = Duration::from_secs(10);

/// Passes bytes on to a server until it is cut.
struct Line {
    address: SocketAddr,
    open: Arc<Mutex<Vec<JoinHandle<()>>>>,
    is_up: Arc<tokio::sync::watch::Sender<bool>>,
}

impl Line {
    async fn to(server: &TestServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = server.base_url().trim_start_matches("http://").to_owned();
        let open = Arc::new(Mutex::new(Vec::new()));
        let is_up = Arc::new(tokio::sync::watch::channel(true).0);
        let (handles, up) = (Arc::clone(&open), Arc::clone(&is_up));
        tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                if !*up.borrow() {
                    continue;
                }
                let target = target.clone();
                let passing = tokio::spawn(async move {
                    let Ok(mut there) = TcpStream::connect(target).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
                });
                handles.lock().unwrap().push(passing);
            }
        });
        Self { address, open, is_up }
    }

    /// The same, to a server on which jane and joe are members of `general`.
    async fn to_jane_and_joe(server: &TestServer) -> Self {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        Self::to(server).await
    }

    /// Cuts everything; nothing passes until [`mend`](Self::mend).
    fn cut(&self) {
        self.is_up.send_replace(false);
        self.open.lock().unwrap().drain(..).for_each(|passing| passing.abort());
    }

    fn mend(&self) {
        self.is_up.send_replace(true);
    }

    /// A client of one user, whose first token ends a minute after the server's start, and later ones a year.
    fn client(&self, user_id: &'static str, tokens: &Arc<AtomicUsize>) -> Client {
        let tokens = Arc::clone(tokens);
        let provider = move || {
            let seconds = if tokens.fetch_add(1, Ordering::SeqCst) == 0 { 60 } else { 365 * 24 * 3600 };
            let expires_at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + seconds));
            let options = TokenOptions { expires_at, ..Default::default() };
            let token = user_token(TestServer::API_SECRET, user_id, &options);
            async move { token }
        };
        let builder = Client::builder(TestServer::API_KEY, "").base_url(format!("http://{}", self.address));
        let retry = RetryPolicy { base_delay: Duration::from_millis(1), ..RetryPolicy::default() };
        builder.token_provider(provider).retry(retry).build().unwrap()
    }

    async fn connect(&self, user_id: &'static str) -> (Socket, Updates) {
        let client = self.client(user_id, &Arc::default());
        client.connect(options(user_id)).await.unwrap()
    }
}

/// Waits of a millisecond before a new connection.
fn options(user_id: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(user_id);
    options.reconnect_delay_base = Duration::from_millis(1);
    options.reconnect_delay_max = Duration::from_millis(50);
    options
}

async fn next(updates: &mut Updates) -> Update {
    tokio::time::timeout(UPDATE_TIME_MAX, updates.next())
        .await
        .expect("an update")
        .expect("the socket is open")
}

/// The next event of this type; others are passed over.
async fn event(updates: &mut Updates, kind: &str) -> Event {
    loop {
        match next(updates).await {
            Update::Event(event) if event.kind == kind => return *event,
            Update::Closed { error } => panic!("{error}"),
            _ => {}
        }
    }
}

/// The ids of the messages that come until the socket has caught up, and what it says then.
async fn until_recovered(updates: &mut Updates) -> (Vec<String>, Vec<String>, Vec<String>) {
    let mut ids = Vec::new();
    loop {
        match next(updates).await {
            Update::Event(event) if event.kind == "message.new" => ids.push(event.message.unwrap().id),
            Update::Recovered { missed, inaccessible } => return (ids, missed, inaccessible),
            _ => {}
        }
    }
}

async fn disconnected(updates: &mut Updates) {
    while !matches!(next(updates).await, Update::Disconnected { .. }) {}
}

both_databases! {
    async fn what_happens_while_the_line_is_cut_is_told_once(server: TestServer) {
        let line = Line::to_jane_and_joe(server).await;
        let tokens = Arc::default();
        let client = line.client("jane", &tokens);
        let (socket, mut updates) = client.connect(options("jane")).await.unwrap();
        assert_eq!(socket.me().unwrap().id, "jane");
        let first = socket.connection_id().unwrap();
        socket.watch("messaging", "general", Default::default()).await.unwrap();
        server.send("general", "joe", "m1", "hello").await;
        assert_eq!(event(&mut updates, "message.new").await.message.unwrap().id, "m1");

        line.cut();
        disconnected(&mut updates).await;
        // By now the token has expired, too.
        server.advance(Duration::from_secs(120));
        server.send("general", "joe", "m2", "are you there").await;
        server.send("general", "joe", "m3", "I see").await;
        line.mend();
        let (ids, missed, inaccessible) = until_recovered(&mut updates).await;
        assert_eq!(ids, ["m2", "m3"]);
        assert!(missed.is_empty() && inaccessible.is_empty(), "{missed:?} {inaccessible:?}");
        assert_ne!(socket.connection_id().unwrap(), first);
        assert_eq!(socket.me().unwrap().total_unread_count, 3);
        assert_eq!(tokens.load(Ordering::SeqCst), 2);

        server.send("general", "joe", "m4", "there you are").await;
        assert_eq!(event(&mut updates, "message.new").await.message.unwrap().id, "m4");
        socket.close();
        while updates.next().await.is_some() {}
    }

    async fn a_token_that_ends_is_followed_by_another(server: TestServer) {
        let line = Line::to_jane_and_joe(server).await;
        let tokens = Arc::default();
        let client = line.client("jane", &tokens);
        let (socket, mut updates) = client.connect(options("jane")).await.unwrap();
        socket.watch("messaging", "general", Default::default()).await.unwrap();
        server.advance(Duration::from_secs(60));
        disconnected(&mut updates).await;
        server.send("general", "joe", "m1", "hello").await;
        let (mut ids, ..) = until_recovered(&mut updates).await;
        if ids.is_empty() {
            ids.push(event(&mut updates, "message.new").await.message.unwrap().id);
        }
        assert_eq!((ids, tokens.load(Ordering::SeqCst)), (vec!["m1".to_owned()], 2));
    }

    async fn channels_that_cannot_be_told_of_are_named(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        for channel in ["general", "secret"] {
            server.channel(channel, &["joe", "jane"]).await;
        }
        let line = Line::to(server).await;
        let (socket, mut updates) = line.connect("jane").await;
        for channel in ["general", "secret"] {
            socket.watch("messaging", channel, Default::default()).await.unwrap();
        }
        line.cut();
        disconnected(&mut updates).await;
        let remove = json!({"remove_members": ["jane"]});
        let path = "/api/v2/chat/channels/messaging/secret";
        assert_eq!(server.raw("POST", path).json(&remove).send().await.status, 201);
        line.mend();
        let (_, missed, inaccessible) = until_recovered(&mut updates).await;
        assert!(missed.is_empty(), "{missed:?}");
        assert_eq!(inaccessible, ["messaging:secret"]);

        // For longer than the server remembers.
        line.cut();
        disconnected(&mut updates).await;
        server.advance(Duration::from_secs(31 * 24 * 3600));
        line.mend();
        loop {
            match next(&mut updates).await {
                Update::Closed { error } => panic!("{error}"),
                Update::Recovered { missed, .. } => {
                    assert_eq!(missed, ["messaging:general"]);
                    break;
                }
                _ => {}
            }
        }
        server.send("general", "joe", "m1", "hello").await;
        assert_eq!(event(&mut updates, "message.new").await.message.unwrap().id, "m1");
    }

    async fn watching_ends_when_asked(server: TestServer) {
        let line = Line::to_jane_and_joe(server).await;
        let (socket, mut updates) = line.connect("jane").await;
        socket.watch("messaging", "general", Default::default()).await.unwrap();
        server.send("general", "joe", "m1", "hello").await;
        event(&mut updates, "message.new").await;
        socket.stop_watching("messaging", "general").await.unwrap();
        server.send("general", "joe", "m2", "hello").await;
        let told = event(&mut updates, "notification.message_new").await;
        assert_eq!(told.message.unwrap().id, "m2");
    }

    async fn typing_is_seen_and_ends(server: TestServer) {
        let line = Line::to_jane_and_joe(server).await;
        let (jane, mut updates) = line.connect("jane").await;
        let state = jane.watch("messaging", "general", Default::default()).await.unwrap().into_inner();
        let mut state = ChannelState::new(state, "jane");
        let (joe, _joes_updates) = line.connect("joe").await;
        let mut typing = joe.typing("messaging", "general", None);
        typing.keystroke().await.unwrap();
        typing.keystroke().await.unwrap();
        state.apply(&event(&mut updates, "typing.start").await);
        assert_eq!(state.typing(None)[0].id, "joe");
        assert!(state.typing(Some("m1")).is_empty());
        typing.stop().await.unwrap();
        let Update::Event(stop) = next(&mut updates).await else { panic!("no event") };
        assert_eq!(stop.kind, "typing.stop", "the second key was not told of");
        state.apply(&stop);
        assert!(state.typing(None).is_empty());

        let mut in_thread = joe.typing("messaging", "general", Some("m1"));
        in_thread.keystroke().await.unwrap();
        let start = event(&mut updates, "typing.start").await;
        let now = std::time::Instant::now();
        state.apply_at(&start, now);
        assert_eq!(state.typing_at(Some("m1"), now + Duration::from_secs(6)).len(), 1);
        assert!(state.typing_at(Some("m1"), now + Duration::from_secs(7)).is_empty());
    }

    async fn a_refused_connection_says_why(server: TestServer) {
        let token = user_token("not-the-secret-of-this-app-at-all", "jane", &Default::default()).unwrap();
        let builder = Client::builder(TestServer::API_KEY, "").base_url(server.base_url());
        let client = builder.token(token).build().unwrap();
        let refused = client.connect(ConnectOptions::new("jane")).await.unwrap_err();
        assert_eq!(refused.code().map(natterjack_client::protocol::ErrorCode::number), Some(43));
    }

    async fn who_connects_is_created_and_changed(server: TestServer) {
        let line = Line::to(server).await;
        let client = line.client("jane", &Arc::default());
        let mut options = options("jane");
        options.user.name = Some("Jane".to_owned());
        options.user.custom = Some(natterjack_client::protocol::Custom::new().with("color", "green"));
        let (socket, _updates) = client.connect(options).await.unwrap();
        let me = socket.me().unwrap();
        assert_eq!((me.name.as_deref(), me.role.as_str()), (Some("Jane"), "user"));
        assert_eq!(me.custom.get("color"), Some(&json!("green")));
        assert!(me.online);
    }
}
