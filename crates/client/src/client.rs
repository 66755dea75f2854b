use std::fmt;
use std::sync::Arc;

use natterjack_protocol::{Operation, PathParams, QueryParams};

use crate::config::{ClientBuilder, Settings};
use crate::token::{self, TokenOptions};
use crate::transport::{Attempts, Request};
use crate::{Chat, Common, Error, Moderation, Reply, url_text};

/// Calls a server that speaks the Stream Chat API.
///
/// Cheap to clone: clones share connections and settings. Make one per API key and keep it.
///
/// ```no_run
/// use natterjack_client::Client;
///
/// # async fn run() -> Result<(), natterjack_client::Error> {
/// let client = Client::builder("key", "secret").base_url("http://localhost:8080").build()?;
/// let types = client.chat().list_channel_types().await?;
/// println!("{} channel types, {} calls left", types.channel_types.len(), types.rate_limit.remaining.unwrap_or(0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
}

impl Client {
    /// Starts the settings of a client for the app with this key and secret.
    ///
    /// ```
    /// # use natterjack_client::Client;
    /// let client = Client::builder("key", "secret").base_url("http://localhost:8080").build()?;
    /// # let _ = client;
    /// # Ok::<(), natterjack_client::Error>(())
    /// ```
    pub fn builder(api_key: impl Into<String>, api_secret: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(api_key.into(), api_secret.into())
    }

    /// Makes a client from the environment: `STREAM_API_KEY`, `STREAM_API_SECRET`, and `STREAM_BASE_URL` if it is set.
    ///
    /// # Errors
    /// [`Error::Config`] when the key or the secret is missing, or the URL is not one.
    ///
    /// ```no_run
    /// let client = natterjack_client::Client::from_env()?;
    /// # let _ = client;
    /// # Ok::<(), natterjack_client::Error>(())
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let required = |name: &str| read(name).ok_or_else(|| Error::config(format!("{name} is not set")));
        let mut builder = Self::builder(required("STREAM_API_KEY")?, required("STREAM_API_SECRET")?);
        if let Some(base_url) = read("STREAM_BASE_URL") {
            builder = builder.base_url(base_url);
        }
        builder.build()
    }

    pub(crate) fn new(settings: Settings) -> Self {
        Self { inner: Arc::new(Inner { settings }) }
    }

    /// The operations on channels, messages, members, reactions and read state.
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let kind = client.chat().get_channel_type("messaging").await?;
    /// # let _ = kind;
    /// # Ok(())
    /// # }
    /// ```
    pub fn chat(&self) -> Chat<'_> {
        Chat { client: self }
    }

    /// The operations that chat shares with the API's other products: users.
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let users = client.common().query_users(Default::default()).await?;
    /// # let _ = users;
    /// # Ok(())
    /// # }
    /// ```
    pub fn common(&self) -> Common<'_> {
        Common { client: self }
    }

    /// The operations that keep order: bans, mutes of users, reports.
    ///
    /// ```no_run
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = natterjack_client::protocol::user_mutes::MuteRequest {
    ///     target_ids: vec!["joe".to_owned()],
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// client.moderation().mute(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn moderation(&self) -> Moderation<'_> {
        Moderation { client: self }
    }

    /// Makes one call of any operation. Every method of [`Chat`], [`Common`] and [`Moderation`] ends here; use it for operations that
    /// have no method, yours included: declare them with [`operation!`](natterjack_protocol::operation!).
    ///
    /// Adds the key, the token and the headers, encodes path and query, repeats the call as the
    /// [`RetryPolicy`](crate::RetryPolicy) says, and decodes the answer. GET and DELETE send no body.
    ///
    /// # Errors
    /// All kinds of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::{ChannelTypePath, NoBody, NoQuery, channel_types::GetChannelType};
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let path = ChannelTypePath { kind: "messaging".to_owned() };
    /// let kind = client.call::<GetChannelType>(path, NoQuery, NoBody).await?;
    /// # let _ = kind;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn call<Op: Operation>(
        &self,
        path: Op::Path,
        query: Op::Query,
        body: Op::Body,
    ) -> Result<Reply<Op::Response>, Error> {
        let request = self.prepare::<Op>(&path, &query, &body)?;
        drop((path, query, body));
        let Attempts { result, .. } = self.send(&request, Op::REPEATABLE).await;
        result?.decode()
    }

    /// Makes a call that belongs to a socket: what it subscribes to, that socket gets.
    #[cfg(feature = "socket")]
    pub(crate) async fn call_on<Op: Operation>(
        &self,
        connection_id: &str,
        path: Op::Path,
        body: Op::Body,
    ) -> Result<Reply<Op::Response>, Error>
    where
        Op::Query: Default,
    {
        let mut request = self.prepare::<Op>(&path, &Op::Query::default(), &body)?;
        request.push_pair("connection_id", connection_id);
        drop((path, body));
        let Attempts { result, .. } = self.send(&request, Op::REPEATABLE).await;
        result?.decode()
    }

    /// Writes a call out, ready to be sent any number of times.
    pub(crate) fn prepare<Op: Operation>(
        &self,
        path: &Op::Path,
        query: &Op::Query,
        body: &Op::Body,
    ) -> Result<Request, Error> {
        let settings = &self.inner.settings;
        let mut url = settings.base_url.clone();
        url.push_str(&url_text::fill_path(Op::PATH, &path.segments())?);
        url_text::push_pair(&mut url, "api_key", &settings.api_key);
        for (name, value) in query.encode() {
            url_text::push_pair(&mut url, name, &value);
        }
        Request::new::<Op>(&url, body)
    }

    /// Makes a token with which `user_id` may act; see [`token::user_token`].
    ///
    /// # Errors
    /// [`Error::Config`] when the client has no secret or the user id is empty.
    ///
    /// ```
    /// # let client = natterjack_client::Client::builder("key", "secret").build()?;
    /// let token = client.create_user_token("jane", Default::default())?;
    /// # let _ = token;
    /// # Ok::<(), natterjack_client::Error>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "options are passed by value everywhere in this SDK")]
    pub fn create_user_token(&self, user_id: &str, options: TokenOptions) -> Result<String, Error> {
        token::user_token(&self.inner.settings.api_secret, user_id, &options)
    }

    /// Makes a server token; see [`token::server_token`]. The client makes its own: this one is for other programs.
    ///
    /// # Errors
    /// [`Error::Config`] when the client has no secret.
    ///
    /// ```
    /// # let client = natterjack_client::Client::builder("key", "secret").build()?;
    /// let token = client.create_server_token()?;
    /// # let _ = token;
    /// # Ok::<(), natterjack_client::Error>(())
    /// ```
    pub fn create_server_token(&self) -> Result<String, Error> {
        token::server_token(&self.inner.settings.api_secret)
    }
}

/// Leaves out the secret and the tokens.
impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.inner.settings;
        formatter
            .debug_struct("Client")
            .field("api_key", &settings.api_key)
            .field("base_url", &settings.base_url)
            .field("retry", &settings.retry)
            .finish_non_exhaustive()
    }
}
