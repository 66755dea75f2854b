//! Writes answers: the reply with its `duration`, or the error body.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use natterjack_protocol::{ErrorBody, ErrorCode, v1};
use serde::Serialize;

use crate::error::{Error, Fault};

/// Where the codes are explained: a page of this server.
const MORE_INFO: &str = "/errors";

/// A time as clients read it in `duration`.
fn duration_text(elapsed: Duration) -> String {
    format!("{:.2}ms", elapsed.as_secs_f64() * 1000.0)
}

/// In which of the API's two versions a call is made, and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Times are text, custom data stands beside the built-in fields.
    V1,
    /// Times are numbers, custom data stands under `custom`.
    V2,
}

/// The answer to a call that succeeded: the reply's fields and `duration`.
pub(crate) fn success(
    reply: &impl Serialize,
    dialect: Dialect,
    status: u16,
    elapsed: Duration,
) -> Response<Body> {
    let mut body = Vec::with_capacity(1024);
    body.extend_from_slice(br#"{"duration":""#);
    body.extend_from_slice(duration_text(elapsed).as_bytes());
    body.push(b'"');
    let start = body.len();
    let written = match dialect {
        Dialect::V1 => v1::to_writer(&mut body, reply),
        Dialect::V2 => serde_json::to_writer(&mut body, reply),
    };
    if let Err(error) = written {
        tracing::error!(error = &error as &dyn std::error::Error, "a reply could not be written");
        return failure(
            "Server",
            &Error::Internal(natterjack_storage::Error::Database(error.into())),
            elapsed,
        );
    }
    // The reply's opening brace becomes the comma behind `duration`, unless the reply has no fields.
    if body.get(start + 1) == Some(&b'}') {
        body.remove(start);
    } else if let Some(brace) = body.get_mut(start) {
        *brace = b',';
    }
    json_response(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body)
}

/// The answer to a call that was not carried out. `operation` is its name in CamelCase.
pub(crate) fn failure(operation: &str, error: &Error, elapsed: Duration) -> Response<Body> {
    let code = match error {
        Error::Caller(fault) => fault.code,
        Error::Stale | Error::Internal(_) => ErrorCode::Internal,
    };
    failure_with_status(operation, error, code.status(), elapsed)
}

/// The same, with a status that is not the code's own. It stands in the body too.
pub(crate) fn failure_with_status(
    operation: &str,
    error: &Error,
    status: u16,
    elapsed: Duration,
) -> Response<Body> {
    let body = error_body(operation, error, status, elapsed);
    let body = serde_json::to_vec(&body).unwrap_or_default();
    json_response(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
}

/// What clients are told of an error.
pub(crate) fn error_body(operation: &str, error: &Error, status: u16, elapsed: Duration) -> ErrorBody {
    let internal;
    let fault = match error {
        Error::Caller(fault) => fault.as_ref(),
        Error::Stale | Error::Internal(_) => {
            internal = Fault {
                code: ErrorCode::Internal,
                message: "internal error".to_owned(),
                fields: Default::default(),
            };
            &internal
        }
    };
    ErrorBody {
        code: fault.code,
        message: format!("{operation} failed with error: \"{}\"", fault.message),
        status_code: status,
        duration: duration_text(elapsed),
        more_info: MORE_INFO.to_owned(),
        details: Vec::new(),
        exception_fields: fault.fields.clone(),
        unrecoverable: None,
    }
}

fn json_response(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
