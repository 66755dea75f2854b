//! Where the token of a call comes from.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;

use crate::config::secret_header;
use crate::{Error, token};

/// How long a server token is used before a new one is signed.
const SERVER_TOKEN_AGE_MAX: Duration = Duration::from_secs(3600);

type Fetched = Pin<Box<dyn Future<Output = Result<String, Box<dyn StdError + Send + Sync>>> + Send>>;

/// Fetches a token from where tokens are made.
pub(crate) type Provider = Arc<dyn Fn() -> Fetched + Send + Sync>;

/// Proof of who the client is.
pub(crate) enum Credentials {
    /// The client signs server tokens with its secret; the last one, and when it was signed.
    Secret(Mutex<Option<(HeaderValue, Instant)>>),
    /// One token for ever.
    Token(HeaderValue),
    /// Tokens that run out, and the one in use.
    Provider(Provider, Mutex<Option<HeaderValue>>),
}

/// Makes a provider of a function that returns a future.
pub(crate) fn provider<F, Fut, E>(fetch: F) -> Provider
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<String, E>> + Send + 'static,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    Arc::new(move || {
        let fetched = fetch();
        Box::pin(async move { fetched.await.map_err(Into::into) })
    })
}

impl Credentials {
    /// The token of the next call: the one in use, or a new one.
    ///
    /// # Errors
    /// [`Error::Token`] when the provider fails, [`Error::Config`] when there is no secret or the token is not one.
    pub(crate) async fn token(&self, secret: &str) -> Result<HeaderValue, Error> {
        match self {
            Self::Token(token) => Ok(token.clone()),
            Self::Secret(last) => {
                let mut last = lock(last);
                if let Some((token, made)) = last.as_ref()
                    && made.elapsed() < SERVER_TOKEN_AGE_MAX
                {
                    return Ok(token.clone());
                }
                let token = secret_header(&token::server_token(secret)?)?;
                *last = Some((token.clone(), Instant::now()));
                Ok(token)
            }
            Self::Provider(fetch, current) => {
                let known = lock(current).clone();
                if let Some(token) = known {
                    return Ok(token);
                }
                // Calls that find no token at the same time each fetch one; the last stays, and all are good.
                let token = fetch().await.map_err(|source| Error::Token { source })?;
                let token = secret_header(&token)?;
                *lock(current) = Some(token.clone());
                Ok(token)
            }
        }
    }

    /// Forgets a token that the server calls expired, unless another call has replaced it. True when the next call
    /// will have another one.
    pub(crate) fn expire(&self, token: &HeaderValue) -> bool {
        let Self::Provider(_, current) = self else { return false };
        let mut current = lock(current);
        if current.as_ref() == Some(token) {
            *current = None;
        }
        true
    }
}

/// A panic while the lock is held cannot leave half a token behind, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
