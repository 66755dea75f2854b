use std::error::Error as StdError;
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use reqwest::header::HeaderValue;
use url::Url;

use crate::credentials::{self, Credentials, Provider};
use crate::{Client, Error, RetryPolicy};

/// Where calls go unless the settings say otherwise.
pub const DEFAULT_BASE_URL: &str = "https://chat.stream-io-api.com";

/// The time limit of one attempt unless the settings say otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The greatest time that making a connection may take, within the limit of the attempt.
const CONNECT_TIMEOUT_MAX: Duration = Duration::from_secs(5);

/// The name that the SDK gives itself in `X-Stream-Client`.
const DEFAULT_CLIENT_NAME: &str = concat!("natterjack-rust-client-", env!("CARGO_PKG_VERSION"));

/// Settings of a [`Client`], made by [`Client::builder`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    api_key: String,
    api_secret: String,
    token: Option<String>,
    provider: Option<Provider>,
    base_url: String,
    timeout: Duration,
    retry: RetryPolicy,
    client_name: String,
}

/// What the builder's settings come to once they are checked.
pub(crate) struct Settings {
    pub(crate) api_key: String,
    pub(crate) api_secret: String,
    pub(crate) credentials: Credentials,
    /// Without a slash at the end.
    pub(crate) base_url: String,
    pub(crate) retry: RetryPolicy,
    pub(crate) client_name: HeaderValue,
    pub(crate) http: reqwest::Client,
}

impl ClientBuilder {
    pub(crate) fn new(api_key: String, api_secret: String) -> Self {
        Self {
            api_key,
            api_secret,
            token: None,
            provider: None,
            base_url: DEFAULT_BASE_URL.to_owned(),
            timeout: DEFAULT_TIMEOUT,
            retry: RetryPolicy::default(),
            client_name: DEFAULT_CLIENT_NAME.to_owned(),
        }
    }

    /// Where calls go: `http` or `https`, host, and a path if the API does not live at the root. Default:
    /// [`DEFAULT_BASE_URL`].
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// The time limit of one attempt, from connecting to the last byte of the answer. A call that is repeated may take
    /// several times as long, plus the waits between. Default: [`DEFAULT_TIMEOUT`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// When failed calls are made again. Default: [`RetryPolicy::default`].
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The name by which the server knows this client (`X-Stream-Client`). Default:
    /// `natterjack-rust-client-<version>`.
    pub fn client_name(mut self, client_name: impl Into<String>) -> Self {
        self.client_name = client_name.into();
        self
    }

    /// Uses this token for every call, instead of server tokens signed with the secret, which may then be empty.
    /// With a user's token the calls are that user's.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Fetches tokens with this function, from where they are made: before the first call, and anew whenever the server
    /// says that the last one has expired. Takes the place of the secret and of [`token`](Self::token).
    ///
    /// ```
    /// use natterjack_client::Client;
    ///
    /// # async fn ask_my_server() -> Result<String, std::io::Error> { Ok("a.b.c".to_owned()) }
    /// let client = Client::builder("key", "").token_provider(ask_my_server).build()?;
    /// # let _ = client;
    /// # Ok::<(), natterjack_client::Error>(())
    /// ```
    pub fn token_provider<F, Fut, E>(mut self, fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.provider = Some(credentials::provider(fetch));
        self
    }

    /// Checks the settings and makes the client. Nothing is sent.
    ///
    /// # Errors
    /// [`Error::Config`] when the key is empty, neither a secret nor a token nor a provider is given, the base URL is not one, or the
    /// HTTP client cannot be set up.
    ///
    /// ```
    /// use std::time::Duration;
    /// use natterjack_client::{Client, RetryPolicy};
    ///
    /// let client = Client::builder("key", "secret")
    ///     .base_url("http://localhost:8080")
    ///     .timeout(Duration::from_secs(3))
    ///     .retry(RetryPolicy::none())
    ///     .build()?;
    /// # let _ = client;
    /// # Ok::<(), natterjack_client::Error>(())
    /// ```
    pub fn build(self) -> Result<Client, Error> {
        if self.api_key.is_empty() {
            return Err(Error::config("the API key is empty"));
        }
        let token = self.token.as_deref().map(secret_header).transpose()?;
        let credentials = match (self.provider, token) {
            (Some(provider), _) => Credentials::Provider(provider, Mutex::new(None)),
            (None, Some(token)) => Credentials::Token(token),
            (None, None) if self.api_secret.is_empty() => {
                return Err(Error::config("neither an API secret nor a token is given"));
            }
            (None, None) => Credentials::Secret(Mutex::new(None)),
        };
        let http = reqwest::Client::builder()
            .timeout(self.timeout)
            .connect_timeout(self.timeout.min(CONNECT_TIMEOUT_MAX))
            .gzip(true)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::config(format!("the HTTP client cannot be set up: {error}")))?;
        Ok(Client::new(Settings {
            base_url: check_base_url(&self.base_url)?,
            credentials,
            client_name: HeaderValue::from_str(&self.client_name)
                .map_err(|_| Error::config("the client name cannot stand in a header"))?,
            api_key: self.api_key,
            api_secret: self.api_secret,
            retry: self.retry,
            http,
        }))
    }
}

/// Leaves out the secret and the token.
impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("api_key", &self.api_key)
            .field("base_url", &self.base_url)
            .field("timeout", &self.timeout)
            .field("retry", &self.retry)
            .field("client_name", &self.client_name)
            .finish_non_exhaustive()
    }
}

/// A header value that does not show up in logs.
pub(crate) fn secret_header(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Error::config("the token is not one"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn check_base_url(text: &str) -> Result<String, Error> {
    let url = Url::parse(text).map_err(|error| Error::config(format!("base URL {text:?}: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Error::config(format!("base URL {text:?}: it must start with http:// or https://")));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::config(format!("base URL {text:?}: it must end with the path")));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::check_base_url;
    use crate::Client;

    #[test]
    fn settings_are_checked() {
        assert!(Client::builder("key", "").build().is_err());
        assert!(Client::builder("", "secret").build().is_err());
        assert!(Client::builder("key", "").token("a.b.c").build().is_ok());
        assert!(Client::builder("key", "").token("a\nb").build().is_err());
        for wrong in ["localhost:8080", "ftp://host", "http://", "http://host/?a=1", "http://host/#x"] {
            assert!(check_base_url(wrong).is_err(), "{wrong}");
        }
        assert_eq!(check_base_url("http://host:1/").unwrap(), "http://host:1");
        assert_eq!(check_base_url("https://host/chat/").unwrap(), "https://host/chat");
    }

    #[test]
    fn secrets_are_not_printed() {
        let builder = Client::builder("key", "hush").token("quiet");
        let printed = format!("{builder:?} {:?}", builder.clone().build().unwrap());
        assert!(!printed.contains("hush") && !printed.contains("quiet"), "{printed}");
    }
}
