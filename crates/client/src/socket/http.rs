//! The server as it is: the socket's handshake over the HTTP client, and the calls that bring a new connection up to date.

use std::sync::{Mutex, OnceLock, PoisonError};

use natterjack_protocol::Timestamp;
use reqwest::header::{
    CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::link::{Answer, Link, Replay, Server, Transport, broken};
use super::sync;
use crate::transport::{read_body, read_error};
use crate::{Client, Error, url_text};

/// The greatest message that is read, in bytes.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Size of the buffer for reading, in bytes.
const READ_BUFFER_BYTES: usize = 16 * 1024;

/// Makes connections for one user.
pub(crate) struct HttpServer {
    client: Client,
    /// The `json` parameter of the handshake.
    user: String,
    /// The token of the last connection.
    token: Mutex<Option<HeaderValue>>,
}

impl HttpServer {
    pub(crate) fn new(client: Client, user: String) -> Self {
        Self { client, user, token: Mutex::new(None) }
    }

    async fn connect(&self) -> Result<Link, Error> {
        let settings = &self.client.inner.settings;
        let token = settings.credentials.token(&settings.api_secret).await?;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        let key = generate_key();
        let request = http()?
            .get(self.url(&token)?)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, key.as_str());
        let response = request.send().await.map_err(Error::transport)?;
        if response.status() != reqwest::StatusCode::SWITCHING_PROTOCOLS {
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            return Err(read_error(status, &headers, &read_body(response).await?));
        }
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
        if accepted != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(broken("the server's answer to the handshake is not one"));
        }
        let transport: Box<dyn Transport> = Box::new(response.upgrade().await.map_err(Error::transport)?);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        Ok(WebSocketStream::from_raw_socket(transport, Role::Client, Some(config)).await)
    }

    fn url(&self, token: &HeaderValue) -> Result<String, Error> {
        let settings = &self.client.inner.settings;
        let mut url = format!("{}/connect", settings.base_url);
        let text = |value: &HeaderValue| {
            value.to_str().map(str::to_owned).map_err(|_| Error::config("the token cannot stand in a URL"))
        };
        url_text::push_pair(&mut url, "json", &self.user);
        url_text::push_pair(&mut url, "api_key", &settings.api_key);
        url_text::push_pair(&mut url, "authorization", &text(token)?);
        url_text::push_pair(&mut url, "stream-auth-type", "jwt");
        url_text::push_pair(&mut url, "X-Stream-Client", &text(&settings.client_name)?);
        Ok(url)
    }
}

impl Server for HttpServer {
    fn dial(&self) -> Answer<'_, Link> {
        Box::pin(self.connect())
    }

    fn expire_token(&self) -> bool {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        token.is_some_and(|token| self.client.inner.settings.credentials.expire(&token))
    }

    fn recover(&self, connection_id: String, cids: Vec<String>, since: Timestamp) -> Answer<'_, Replay> {
        Box::pin(async move { sync::catch_up(&self.client, &connection_id, &cids, since).await })
    }
}

/// The HTTP client of all sockets: without a time limit, and without HTTP/2, which cannot be turned into a WebSocket here.
fn http() -> Result<&'static reqwest::Client, Error> {
    static HTTP: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = HTTP.get() {
        return Ok(client);
    }
    let client = reqwest::Client::builder()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| Error::config(format!("the HTTP client cannot be set up: {error}")))?;
    Ok(HTTP.get_or_init(|| client))
}
