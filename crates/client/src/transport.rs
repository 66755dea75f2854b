//! Sends prepared requests, repeats them where that is safe, and reads the answers.

use natterjack_protocol::{ErrorBody, ErrorCode, Method, Operation, Timed, v1};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::retry::parse_retry_after;
use crate::token::now;
use crate::{Client, Error, RateLimit, Reply};

/// The greatest answer that is read, in bytes after decompression. The biggest pages are a few MiB.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How many characters of an answer that is not JSON become the error's text.
const MESSAGE_LENGTH_MAX: usize = 500;

/// A call written out, ready to be sent any number of times.
pub(crate) struct Request {
    method: reqwest::Method,
    url: reqwest::Url,
    body: Option<Vec<u8>>,
    /// Whether the operation exists in the older form of the API only, with its own encoding.
    is_older: bool,
}

/// What came of sending a request, repetitions included.
pub(crate) struct Attempts {
    pub(crate) result: Result<Answer, Error>,
    /// Whether an attempt before the last may have been carried out although it failed.
    pub(crate) earlier_may_have_succeeded: bool,
}

/// An answer that is a success, not yet decoded.
pub(crate) struct Answer {
    status: u16,
    rate_limit: RateLimit,
    body: Vec<u8>,
    is_older: bool,
}

impl Request {
    /// # Errors
    /// When the body cannot be written as JSON or the URL is not one.
    pub(crate) fn new<Op: Operation>(url: &str, body: &Op::Body) -> Result<Self, Error> {
        let is_older = Op::PATH == Op::V1_PATH;
        let write = || write_body(body, is_older);
        let (method, body) = match Op::METHOD {
            Method::Get => (reqwest::Method::GET, None),
            Method::Delete => (reqwest::Method::DELETE, None),
            Method::Post => (reqwest::Method::POST, Some(write()?)),
            Method::Put => (reqwest::Method::PUT, Some(write()?)),
            Method::Patch => (reqwest::Method::PATCH, Some(write()?)),
        };
        let url = reqwest::Url::parse(url).map_err(|error| Error::request(error.to_string()))?;
        Ok(Self { method, url, body, is_older })
    }

    /// Adds a query parameter.
    #[cfg(feature = "socket")]
    pub(crate) fn push_pair(&mut self, name: &str, value: &str) {
        self.url.query_pairs_mut().append_pair(name, value);
    }
}

fn write_body(body: &impl Serialize, is_older: bool) -> Result<Vec<u8>, Error> {
    let text = if is_older { v1::to_vec(body) } else { serde_json::to_vec(body) };
    let text = text.map_err(|error| Error::request(format!("the body: {error}")))?;
    // An operation without a body writes `null`; an empty object says the same and suits every server.
    Ok(if text == b"null" { b"{}".to_vec() } else { text })
}

impl Client {
    /// Sends `request` as often as the retry policy allows. A token that has expired is replaced once; the server has
    /// not carried out such a call.
    pub(crate) async fn send(&self, request: &Request, repeatable: bool) -> Attempts {
        let settings = &self.inner.settings;
        let mut attempts = 0_u32;
        let mut refreshed = false;
        let mut earlier_may_have_succeeded = false;
        loop {
            attempts += 1;
            let token = match settings.credentials.token(&settings.api_secret).await {
                Ok(token) => token,
                Err(error) => return Attempts { result: Err(error), earlier_may_have_succeeded },
            };
            let error = match self.send_once(request, &token).await {
                Ok(answer) => return Attempts { result: Ok(answer), earlier_may_have_succeeded },
                Err(error) => error,
            };
            if error.code() == Some(ErrorCode::TokenExpired)
                && !std::mem::replace(&mut refreshed, true)
                && settings.credentials.expire(&token)
            {
                continue;
            }
            let Some(wait) = settings.retry.wait(attempts, repeatable, &error) else {
                return Attempts { result: Err(error), earlier_may_have_succeeded };
            };
            earlier_may_have_succeeded |= error.is_outcome_unknown();
            tokio::time::sleep(wait).await;
        }
    }

    async fn send_once(&self, request: &Request, token: &HeaderValue) -> Result<Answer, Error> {
        let settings = &self.inner.settings;
        let mut builder = settings
            .http
            .request(request.method.clone(), request.url.clone())
            .header(AUTHORIZATION, token)
            .header("stream-auth-type", HeaderValue::from_static("jwt"))
            .header("x-stream-client", settings.client_name.clone());
        if let Some(body) = &request.body {
            let json = HeaderValue::from_static("application/json");
            builder = builder.header(CONTENT_TYPE, json).body(body.clone());
        }
        let mut response = builder.send().await.map_err(Error::transport)?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = read_body(response).await?;
        if status.is_success() {
            let rate_limit = RateLimit::read(&headers);
            return Ok(Answer { status: status.as_u16(), rate_limit, body, is_older: request.is_older });
        }
        Err(read_error(status.as_u16(), &headers, &body))
    }
}

pub(crate) async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Error::transport)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Error::Decode {
                status: response.status().as_u16(),
                path: ".".to_owned(),
                problem: format!("the answer is larger than {ANSWER_BYTES_MAX} bytes"),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(crate) fn read_error(status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let retry_after = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| parse_retry_after(value, now()));
    let rate_limit = RateLimit::read(headers);
    if let Ok(body) = serde_json::from_slice::<ErrorBody>(body) {
        let (code, message) = (body.code, body.message.clone());
        return Error::Api { status, code, message, retry_after, rate_limit, body: Some(Box::new(body)) };
    }
    let code = match status {
        408 => ErrorCode::Timeout,
        413 => ErrorCode::PayloadTooBig,
        429 => ErrorCode::RateLimited,
        431 => ErrorCode::HeadersTooLarge,
        500.. => ErrorCode::Internal,
        _ => ErrorCode::Other(0),
    };
    let message = String::from_utf8_lossy(body).trim().chars().take(MESSAGE_LENGTH_MAX).collect();
    Error::Api { status, code, message, retry_after, rate_limit, body: None }
}

impl Answer {
    /// Reads the answer as an operation's reply.
    pub(crate) fn decode<T: DeserializeOwned>(self) -> Result<Reply<T>, Error> {
        let value = if self.is_older { self.decode_older() } else { self.decode_newer() }?;
        let timed: Timed = serde_json::from_slice(&self.body).unwrap_or_default();
        Ok(Reply::new(value, timed.duration, self.rate_limit, self.status))
    }

    fn decode_newer<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(&self.body);
        let value = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| self.unreadable(error.path().to_string(), error.inner()))?;
        deserializer.end().map_err(|error| self.unreadable(".".to_owned(), &error))?;
        Ok(value)
    }

    fn decode_older<T: DeserializeOwned>(&self) -> Result<T, Error> {
        v1::from_slice(&self.body).map_err(|error| self.unreadable(".".to_owned(), &error))
    }

    fn unreadable(&self, path: String, problem: &serde_json::Error) -> Error {
        Error::Decode { status: self.status, path, problem: problem.to_string() }
    }
}
