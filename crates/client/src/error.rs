use std::time::Duration;

use natterjack_protocol::{ErrorBody, ErrorCode};

use crate::RateLimit;

/// Why a call did not give a reply.
///
/// The text of an error never repeats its source; walk [`std::error::Error::source`] for the whole chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered, and the answer is a refusal or a failure.
    #[error("the server answered {status}, code {}: {message}", code.number())]
    Api {
        /// HTTP status of the answer.
        status: u16,
        /// What went wrong. When the answer was not JSON, the code that stands for its status.
        code: ErrorCode,
        /// The server's text. When the answer was not JSON, the answer itself, shortened.
        message: String,
        /// How long the server asks to wait before the call is repeated.
        retry_after: Option<Duration>,
        /// What is left of the rate limit.
        rate_limit: RateLimit,
        /// The whole error object; `None` when the answer was not one.
        body: Option<Box<ErrorBody>>,
    },
    /// No answer arrived, or only a part of one.
    #[error("{}", failure.text())]
    Transport {
        /// How far the call got.
        failure: TransportFailure,
        /// What the layer below says. It does not hold the API key or the token.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is a success, but not of the operation's shape.
    #[error("the reply does not have the expected shape at `{path}`: {problem}")]
    Decode {
        /// HTTP status of the answer.
        status: u16,
        /// Where in the JSON the problem is, such as `message.reply_count`; `.` is the whole reply.
        path: String,
        /// What is wrong there.
        problem: String,
    },
    /// The request could not be built; nothing was sent.
    #[error("the request cannot be sent: {problem}")]
    Request {
        /// What is wrong with the arguments.
        problem: String,
    },
    /// The token provider failed; nothing was sent.
    #[error("there is no token")]
    Token {
        /// What the provider says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The client's settings are not usable.
    #[error("the client's settings are not usable: {problem}")]
    Config {
        /// Which setting, and what is wrong with it.
        problem: String,
    },
}

/// How far a call got that has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportFailure {
    /// No connection was made, so the server has not seen the call.
    Connect,
    /// The time ran out. Whether the server carried out the call is not known.
    Timeout,
    /// The connection broke. Whether the server carried out the call is not known.
    Interrupted,
}

impl TransportFailure {
    const fn text(self) -> &'static str {
        match self {
            Self::Connect => "no connection to the server",
            Self::Timeout => "no answer within the time limit",
            Self::Interrupted => "the connection broke before the whole answer arrived",
        }
    }
}

impl Error {
    /// The server's error code; `None` when the error does not come from the server.
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Api { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// The HTTP status of the answer; `None` when there was none.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Api { status, .. } | Self::Decode { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the same call may succeed later.
    ///
    /// True does not mean that repeating is harmless: look at [`is_outcome_unknown`](Self::is_outcome_unknown) too
    /// before repeating a call that must happen only once.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Api { status, code, body, .. } => {
                let hopeless = body.as_ref().is_some_and(|body| body.unrecoverable == Some(true));
                !hopeless && (code.is_retryable() || matches!(status, 408 | 429 | 500 | 502 | 503 | 504))
            }
            Self::Transport { .. } => true,
            Self::Token { .. } => true,
            Self::Decode { .. } | Self::Request { .. } | Self::Config { .. } => false,
        }
    }

    /// Whether the server may have carried out the call although it failed.
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Api { status, code, .. } => {
                *status >= 500 || *status == 408 || matches!(code, ErrorCode::Internal | ErrorCode::Timeout)
            }
            Self::Transport { failure, .. } => *failure != TransportFailure::Connect,
            Self::Decode { .. } => true,
            Self::Request { .. } | Self::Token { .. } | Self::Config { .. } => false,
        }
    }

    /// How long the server asks to wait before the call is repeated.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn config(problem: impl Into<String>) -> Self {
        Self::Config { problem: problem.into() }
    }

    pub(crate) fn request(problem: impl Into<String>) -> Self {
        Self::Request { problem: problem.into() }
    }

    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let failure = if error.is_connect() {
            TransportFailure::Connect
        } else if error.is_timeout() {
            TransportFailure::Timeout
        } else {
            TransportFailure::Interrupted
        };
        Self::Transport { failure, source: Box::new(error.without_url()) }
    }
}
