use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use natterjack_client::token;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderName;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::TestServer;
use crate::pairs::Pairs;

/// How long a test waits for an event that has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A socket of a user, as a client written by others opens it.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What the server called the connection.
    pub connection_id: String,
    /// The user as the first event showed it.
    pub me: Value,
    user_id: String,
    /// Events that came while another was waited for.
    passed: VecDeque<Value>,
    /// Every text that ever came.
    texts: Vec<String>,
}

/// How a socket is opened.
#[derive(Debug, Clone)]
pub struct SocketRequest {
    url: String,
    user_id: String,
    query: Pairs,
    headers: Pairs,
}

impl SocketRequest {
    pub(crate) fn new(base_url: &str, user_id: &str) -> Self {
        let options = token::TokenOptions::default();
        let token =
            token::user_token(TestServer::API_SECRET, user_id, &options).expect("a token can be signed");
        let details = json!({ "user_id": user_id, "user_details": { "id": user_id } });
        Self {
            url: format!("{}/connect", base_url.replacen("http", "ws", 1)),
            user_id: user_id.to_owned(),
            query: Pairs::new([
                ("api_key", TestServer::API_KEY),
                ("authorization", &token),
                ("stream-auth-type", "jwt"),
                ("json", &details.to_string()),
            ]),
            headers: Pairs::default(),
        }
    }

    /// Sets a query parameter, in place of one of the same name.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.set(name, value);
        self
    }

    /// Leaves a query parameter out.
    #[must_use]
    pub fn without_query(mut self, name: &str) -> Self {
        self.query.remove(name);
        self
    }

    /// Comes from this address, as a proxy says.
    #[must_use]
    pub fn from_address(mut self, address: &str) -> Self {
        self.headers.set("x-forwarded-for", address);
        self
    }

    /// Sets what the client says of its user.
    #[must_use]
    pub fn details(self, details: &Value) -> Self {
        let json = json!({ "user_id": self.user_id, "user_details": details });
        self.query("json", &json.to_string())
    }

    /// Opens the socket, which has to succeed.
    ///
    /// # Panics
    /// When it does not.
    pub async fn open(self) -> Socket {
        let (socket, first) = self.begin().await;
        assert_eq!(first["type"], "health.check", "{first}");
        Socket {
            connection_id: first["connection_id"].as_str().expect("has an id").to_owned(),
            me: first["me"].clone(),
            ..socket
        }
    }

    /// Opens the socket, which has to be refused. Answers the error and the code with which the socket closes.
    ///
    /// # Panics
    /// When it is not refused.
    pub async fn refused(self) -> (Value, u16) {
        let (mut socket, first) = self.begin().await;
        assert_eq!(first["type"], "connection.error", "{first}");
        (first["error"].clone(), socket.closed().await)
    }

    async fn begin(self) -> (Socket, Value) {
        let url = self.query.behind(&self.url);
        let mut request = url.as_str().into_client_request().expect("the URL is valid");
        for (name, value) in self.headers.iter() {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("the name is one of a header");
            request.headers_mut().insert(name, value.parse().expect("the value is one of a header"));
        }
        let (stream, _) = tokio_tungstenite::connect_async(request).await.expect("the handshake succeeds");
        let mut socket = Socket {
            stream,
            connection_id: String::new(),
            me: Value::Null,
            user_id: self.user_id,
            passed: VecDeque::new(),
            texts: Vec::new(),
        };
        let first = socket.receive().await.expect("something is said first");
        (socket, first)
    }
}

impl Socket {
    /// The next event, whatever it is. `None` when the socket is closed.
    async fn receive(&mut self) -> Option<Value> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match next.unwrap_or_else(|_| panic!("nothing came for {}", self.user_id))? {
                Ok(Message::Text(text)) => {
                    self.texts.push(text.to_string());
                    return Some(serde_json::from_str(&text).expect("events are JSON"));
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Waits for the next event of this type and passes over others, which stay for later.
    ///
    /// # Panics
    /// When none comes.
    pub async fn expect(&mut self, kind: &str) -> Value {
        if let Some(place) = self.passed.iter().position(|event| event["type"] == kind) {
            return self.passed.remove(place).expect("it is there");
        }
        loop {
            let event = self.receive().await;
            let event = event.unwrap_or_else(|| panic!("closed before {kind} came for {}", self.user_id));
            if event["type"] == kind {
                return event;
            }
            self.passed.push_back(event);
        }
    }

    /// Everything that came and will come up to what is sent to the user now: an event that is sent after all others.
    /// Health checks are left out.
    ///
    /// # Panics
    /// When the socket is closed.
    pub async fn drain(&mut self, server: &TestServer) -> Vec<Value> {
        const MARK: &str = "end_of_drain";
        // What is on its way through the logs comes before what is sent once they have been delivered.
        server.settle().await;
        let sent = server
            .raw("POST", &format!("/api/v2/chat/users/{}/event", self.user_id))
            .json(&json!({ "event": { "type": MARK } }))
            .send()
            .await;
        assert_eq!(sent.status, 201, "{}", sent.text);
        let mut events: Vec<Value> = self.passed.drain(..).collect();
        loop {
            let event = self.receive().await.expect("the socket is open");
            if event["type"] == MARK {
                break;
            }
            events.push(event);
        }
        events.retain(|event| event["type"] != "health.check");
        events
    }

    /// The types of what [`Socket::drain`] answers.
    pub async fn drain_types(&mut self, server: &TestServer) -> Vec<String> {
        let events = self.drain(server).await;
        events.iter().map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Sends a text.
    ///
    /// # Panics
    /// When the socket is closed.
    pub async fn say(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.expect("the socket is open");
    }

    /// Waits until the server closes the socket. Answers the code.
    ///
    /// # Panics
    /// When it does not.
    pub async fn closed(&mut self) -> u16 {
        loop {
            let next =
                tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("the socket is closed");
            match next {
                Some(Ok(Message::Close(frame))) => return frame.map_or(1005, |frame| frame.code.into()),
                Some(Ok(Message::Text(text))) => self.texts.push(text.to_string()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return 1006,
            }
        }
    }

    /// Closes the socket from this side.
    pub async fn close(mut self) {
        // The other side may have been faster.
        let _ = self.stream.close(None).await;
        while let Some(Ok(_)) = self.stream.next().await {}
    }

    /// Every text that ever came.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}
