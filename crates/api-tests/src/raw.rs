use natterjack_client::token;
use serde_json::{Value, json};

use crate::TestServer;
use crate::pairs::Pairs;

/// A request written by hand, for what the client would not send.
#[derive(Debug)]
pub struct RawRequest {
    http: reqwest::Client,
    url: String,
    method: String,
    query: Pairs,
    headers: Pairs,
    body: Option<Vec<u8>>,
}

/// The answer to a [`RawRequest`].
#[derive(Debug)]
pub struct RawReply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, `null` when it is not JSON.
    pub body: Value,
    /// The body as text.
    pub text: String,
}

/// A server token without dates, valid whatever the clock of the server shows.
pub(crate) fn server_token(secret: &str) -> String {
    let claims = json!({ "server": true });
    jsonwebtoken::encode(
        &jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256),
        &claims,
        &jsonwebtoken::EncodingKey::from_secret(secret.as_bytes()),
    )
    .expect("a token can be signed")
}

impl RawRequest {
    pub(crate) fn new(http: &reqwest::Client, base_url: &str, method: &str, path: &str) -> Self {
        Self {
            http: http.clone(),
            url: format!("{base_url}{path}"),
            method: method.to_owned(),
            query: Pairs::new([("api_key", TestServer::API_KEY)]),
            headers: Pairs::new([
                ("authorization", &server_token(TestServer::API_SECRET)),
                ("stream-auth-type", "jwt"),
                ("content-type", "application/json"),
            ]),
            body: None,
        }
    }

    /// Calls another app than the first one.
    #[must_use]
    pub fn of_app(self, key: &str, secret: &str) -> Self {
        self.query("api_key", key).header("authorization", &server_token(secret))
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

    /// Sets a header, in place of one of the same name (in lower case).
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.set(name, value);
        self
    }

    /// Leaves a header out.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Signs as this user instead of as a server.
    #[must_use]
    pub fn as_user(self, user_id: &str) -> Self {
        let options = token::TokenOptions::default();
        let token =
            token::user_token(TestServer::API_SECRET, user_id, &options).expect("a token can be signed");
        self.header("authorization", &token)
    }

    /// Comes from this address, as a proxy says.
    #[must_use]
    pub fn from_address(self, address: &str) -> Self {
        self.header("x-forwarded-for", address)
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.bytes(body.to_string().into_bytes())
    }

    /// Sets any body.
    #[must_use]
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends the request.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn send(self) -> RawReply {
        let method = self.method.parse().expect("the method is one of HTTP");
        let mut request = self.http.request(method, self.query.behind(&self.url));
        for (name, value) in self.headers.iter() {
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let response = request.send().await.expect("the server answers");
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let text = response.text().await.expect("the answer is complete");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        RawReply { status, headers, body, text }
    }
}

impl RawReply {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The error code of the answer, 0 when it has none.
    pub fn code(&self) -> i64 {
        self.body["code"].as_i64().unwrap_or_default()
    }

    /// The error text of the answer.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// Requires this HTTP status, this code and a message that contains `text`.
    ///
    /// # Panics
    /// When one of them differs.
    pub fn expect_error(&self, status: u16, code: i64, text: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        assert!(self.message().contains(text), "{:?} does not contain {text:?}", self.message());
    }
}

/// JSON in the words of a parser that once took this name for its own: each level would be JSON within JSON, with a depth of
/// its own.
pub fn json_within_json(levels: usize) -> String {
    let mut stacked = "1".to_owned();
    for _ in 0..levels {
        let text = stacked.replace('\\', "\\u005c").replace('"', "\\u0022");
        let within = format!(r#"{{"$serde_json::private::RawValue":"{text}"}}"#);
        stacked = format!("{}{within}{}", "[".repeat(50), "]".repeat(50));
    }
    stacked
}
