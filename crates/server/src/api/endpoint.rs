//! The way of every request: app, caller, path, query and body in; action; reply or error out.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, header, request};
use bytes::Bytes;
use flate2::read::GzDecoder;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use natterjack_protocol::{
    ErrorCode, NoBody, Operation, PathParams, QueryError, QueryParams, Timestamp, UserId, v1,
};
use natterjack_storage::App;
use serde::de::DeserializeOwned;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::reply::{self, Dialect};
use crate::actions::users;
use crate::auth::{Authenticator, Caller, Credentials, Term};
use crate::compress;
use crate::error::{Error, Result};
use crate::limits::{BODY_SIZE_MAX, BODY_TIME_MAX, JSON_DEPTH_MAX, UNWANTED_BODY_TIME_MAX};
use crate::rate_limits::{Platform, Standing};
use crate::serve::PeerAddress;
use crate::state::State;

/// What every request shares.
#[derive(Debug)]
pub struct Edge {
    pub(crate) state: Arc<State>,
    pub(crate) authenticator: Authenticator,
    /// Whatever a server that stops waits for.
    pub(crate) tasks: TaskTracker,
}

impl Edge {
    /// Carries out work in a task of its own: a client that hangs up must not keep what follows a commit from being done,
    /// such as dropping what is cached. `None` when the work panicked, which takes no other request with it.
    pub(crate) async fn carry_out<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        // Its type hidden, so that tasks are compiled once and not for each operation.
        let work: BoxFuture<'static, T> = Box::pin(work);
        self.tasks.spawn(work).await.ok()
    }
}

/// A request to one operation whose caller is known and whose parts are decoded.
pub(crate) struct Call<O: Operation> {
    pub(crate) state: Arc<State>,
    pub(crate) caller: Caller,
    /// The version of the API in which the call is made.
    pub(crate) dialect: Dialect,
    pub(crate) path: O::Path,
    pub(crate) query: O::Query,
    pub(crate) body: O::Body,
    /// The open connection that the call is about, as the client names it.
    pub(crate) connection_id: Option<String>,
}

/// Carries out one request to the operation `O` by handing it to `handler`. From when it is decoded it is carried out to
/// its end, whether or not the client waits for the answer.
pub(crate) async fn handle<O, H, F>(
    edge: Arc<Edge>,
    dialect: Dialect,
    request: Request,
    handler: H,
) -> Response<Body>
where
    O: Operation,
    H: FnOnce(Call<O>) -> F + Send + 'static,
    F: Future<Output = Result<O::Response>> + Send + 'static,
{
    let started = Instant::now();
    let (parts, mut body) = request.into_parts();
    let accepts_gzip = compress::accepts_gzip(&parts.headers);
    let now = edge.state.now();
    let mut standing = edge.state.rate_limits.untouched(O::NAME, now);
    let mut response = match decode::<O>(&edge, dialect, parts, &mut body, now, &mut standing).await {
        Ok(call) => {
            let span = tracing::debug_span!("api", operation = O::ID);
            let work = async move {
                users::note_address(&call.state, &call.caller).await;
                answer::<O>(handler(call).await, dialect, started)
            };
            edge.carry_out(work.instrument(span)).await.unwrap_or_else(|| {
                let panicked = natterjack_storage::Error::Database("the handler panicked".into());
                answer::<O>(Err(Error::Internal(panicked)), dialect, started)
            })
        }
        Err(error) => {
            pass_over(&mut body).await;
            answer::<O>(Err(error), dialect, started)
        }
    };
    standing.write_headers(response.headers_mut());
    metrics::counter!(
        "natterjack_requests_total",
        "operation" => O::ID, "status" => status_class(response.status().as_u16())
    )
    .increment(1);
    metrics::histogram!("natterjack_request_duration_seconds", "operation" => O::ID)
        .record(started.elapsed().as_secs_f64());
    if accepts_gzip { compress::compress(response).await } else { response }
}

/// What came of a request, as it is written. A failure of the server's is logged.
fn answer<O: Operation>(outcome: Result<O::Response>, dialect: Dialect, started: Instant) -> Response<Body> {
    let elapsed = started.elapsed();
    match outcome {
        Ok(reply) => reply::success(&reply, dialect, O::METHOD.success_status(), elapsed),
        Err(error) => {
            if let Error::Internal(source) = &error {
                let chain = crate::error_chain(source);
                tracing::error!(operation = O::ID, error = chain, "a request failed");
            }
            reply::failure(O::NAME, &error, elapsed)
        }
    }
}

fn status_class(status: u16) -> &'static str {
    match status {
        200..=299 => "2xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

async fn decode<O: Operation>(
    edge: &Edge,
    dialect: Dialect,
    mut parts: request::Parts,
    body: &mut Body,
    now: Timestamp,
    standing: &mut Standing,
) -> Result<Call<O>> {
    let pairs = query_pairs(parts.uri.query().unwrap_or_default())?;
    let parameter = |name: &str| {
        pairs.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| &**value)
    };

    let api_key = parameter("api_key")
        .or_else(|| header_text(&parts.headers, "api_key"))
        .ok_or_else(|| Error::caller(ErrorCode::ApiKey, "api_key or app_id not provided"))?;
    let credentials = Credentials {
        authorization: header_text(&parts.headers, "authorization").or(parameter("authorization")),
        auth_type: header_text(&parts.headers, "stream-auth-type").or(parameter("stream-auth-type")),
        user_id: parameter("user_id"),
    };
    let peer = parts.extensions.get::<PeerAddress>().map(|peer| peer.0);
    let caller = caller(edge, api_key, credentials, now).await?.at(peer);
    let library = header_text(&parts.headers, "x-stream-client").or(parameter("x-stream-client"));
    let library = library.or(parameter("X-Stream-Client"));
    *standing = edge.state.rate_limits.take(&caller, O::NAME, Platform::of(&caller, library), now);
    standing.check(O::NAME)?;
    if O::SERVER_SIDE_ONLY && !caller.is_server() {
        return Err(Error::denied("this operation is only allowed with server-side auth"));
    }

    let connection_id = parameter("connection_id").map(str::to_owned);
    let query = O::Query::decode(pairs.iter().map(|(name, value)| (&**name, &**value)))
        .map_err(|error| query_error(&error))?;
    let path = decode_path::<O>(&mut parts).await?;
    let body = if std::any::TypeId::of::<O::Body>() == std::any::TypeId::of::<NoBody>() {
        // Some clients send `null` or `{}` where nothing is expected.
        pass_over(body).await;
        O::Body::default()
    } else {
        decode_body(dialect, &read_body(&parts.headers, body).await?)?
    };
    Ok(Call { state: Arc::clone(&edge.state), caller, dialect, path, query, body, connection_id })
}

/// The app that a key belongs to and who calls, who exists and may.
pub(crate) async fn caller(
    edge: &Edge,
    api_key: &str,
    credentials: Credentials<'_>,
    now: Timestamp,
) -> Result<Caller> {
    let (caller, term) = identify(edge, api_key, credentials, now).await?;
    if let Some(id) = caller.user_id() {
        check_user(&edge.state, &caller.app, id, term).await?;
    }
    Ok(caller)
}

/// The app that a key belongs to, who calls, and for how long the token holds; whether the user exists is not looked at. Key
/// and secret may be newer than what is in memory: what does not fit is looked at again.
pub(crate) async fn identify(
    edge: &Edge,
    api_key: &str,
    credentials: Credentials<'_>,
    now: Timestamp,
) -> Result<(Caller, Option<Term>)> {
    let authenticate = |app: Arc<App>| {
        let identity = edge.authenticator.authenticate(&app, credentials, now)?;
        Ok((Caller { app, who: identity.who, address: None }, identity.term))
    };
    let known = match edge.state.app(api_key).map(authenticate) {
        Some(Err(Error::Caller(fault))) if fault.code == ErrorCode::TokenSignature => None,
        known => known.transpose()?,
    };
    match known {
        Some(known) => Ok(known),
        None => {
            edge.state.reload_apps().await?;
            let unknown = || Error::caller(ErrorCode::ApiKey, "api_key is not known");
            authenticate(edge.state.app(api_key).ok_or_else(unknown)?)
        }
    }
}

/// Refuses the token of somebody who does not exist, may not act any more, or whose tokens were revoked.
pub(crate) async fn check_user(state: &State, app: &App, id: &UserId, term: Option<Term>) -> Result<()> {
    let Some(user) = state.user(app.pk, id.as_str()).await? else {
        return Err(Error::caller(
            ErrorCode::Authentication,
            format!("user {:?} does not exist", id.as_str()),
        ));
    };
    users::check_active(&user)?;
    term.map_or(Ok(()), |term| term.check_not_revoked(user.user.revoke_tokens_issued_before))
}

pub(crate) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
}

/// The decoded pairs of a query string.
pub(crate) fn query_pairs(query: &str) -> Result<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    for (name, value) in &pairs {
        if value.contains('\0') || holds_escaped_nul(value) {
            return Err(Error::field(name, "contains a NUL character"));
        }
        if value.trim_ascii_start().starts_with(['{', '[']) && is_too_deep(value) {
            return Err(Error::field(name, format!("is nested deeper than {JSON_DEPTH_MAX} levels")));
        }
    }
    Ok(pairs)
}

/// The decoded segments that stand where the path has parameters.
async fn decode_path<O: Operation>(parts: &mut request::Parts) -> Result<O::Path> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|_| Error::input("the path is not valid UTF-8 text"))?;
    let segments: Vec<String> = params.iter().map(|(_, value)| value.to_owned()).collect();
    if segments.iter().any(|segment| segment.contains('\0')) {
        return Err(Error::input("the path contains a NUL character"));
    }
    O::Path::from_segments(segments).ok_or_else(|| Error::input("the path has too few parts"))
}

/// Reads the whole body, decompressed, within its limits of size and time.
async fn read_body(headers: &HeaderMap, body: &mut Body) -> Result<Bytes> {
    let too_big = || Error::too_big("the request body", BODY_SIZE_MAX);
    let collected = tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, BODY_SIZE_MAX).collect())
        .await
        .map_err(|_| Error::caller(ErrorCode::Timeout, "the request body did not arrive in time"))?;
    let bytes = match collected {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_big()),
        Err(_) => return Err(Error::input("the request body could not be read")),
    };
    match header_text(headers, header::CONTENT_ENCODING.as_str()) {
        None | Some("identity") => Ok(bytes),
        Some("gzip") => {
            let mut plain = Vec::new();
            let read = GzDecoder::new(bytes.as_ref())
                .take(BODY_SIZE_MAX as u64 + 1)
                .read_to_end(&mut plain)
                .map_err(|_| Error::input("the request body is not valid gzip"))?;
            if read > BODY_SIZE_MAX { Err(too_big()) } else { Ok(plain.into()) }
        }
        Some(other) => Err(Error::input(format!("content-encoding {other:?} is not supported; use gzip"))),
    }
}

/// Reads what there is of a body that nobody wants. An answer before its end would close the connection, under the hands
/// of a client that is still writing.
pub(super) async fn pass_over(body: &mut Body) {
    if body.is_end_stream() {
        return;
    }
    let rest = async {
        let mut passed = 0;
        while let Some(Ok(frame)) = body.frame().await {
            passed += frame.data_ref().map_or(0, Bytes::len);
            if passed > BODY_SIZE_MAX {
                break;
            }
        }
    };
    // Whoever is slower than that sees the connection closed.
    tokio::time::timeout(UNWANTED_BODY_TIME_MAX, rest).await.ok();
}

/// Reads a JSON body and names the field that is wrong with it. No body at all is an empty object.
fn decode_body<T: DeserializeOwned>(dialect: Dialect, bytes: &[u8]) -> Result<T> {
    // Checked as a whole: a field that nobody reads is skipped without a look at its text.
    let text =
        std::str::from_utf8(bytes).map_err(|_| Error::input("the request body is not valid UTF-8 text"))?;
    let text = match text.trim_ascii() {
        "" | "null" => "{}",
        _ => text,
    };
    if holds_escaped_nul(text) {
        return Err(Error::input("the request body contains a NUL character"));
    }
    if is_too_deep(text) {
        return Err(Error::input(format!("the request body is nested deeper than {JSON_DEPTH_MAX} levels")));
    }
    let body = match dialect {
        Dialect::V1 => v1::from_slice(text.as_bytes()),
        Dialect::V2 => serde_json::from_str(text),
    };
    // Only now, so that a good body does not pay for it.
    body.map_err(|_| why_not::<T>(dialect, text))
}

/// What is wrong with a body that could not be read.
fn why_not<T: DeserializeOwned>(dialect: Dialect, text: &str) -> Error {
    let read = match dialect {
        Dialect::V1 => match serde_json::from_str(text) {
            Ok(value) => serde_path_to_error::deserialize::<_, T>(v1::Reader(value)),
            Err(error) => {
                let problem = error.to_string();
                return Error::input(format!(
                    "the request body is not valid JSON: {}",
                    without_position(&problem)
                ));
            }
        },
        Dialect::V2 => serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text)),
    };
    match read {
        Ok(_) => Error::input("the request body goes on after its end"),
        Err(error) => body_error(&error),
    }
}

fn body_error(error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let path = error.path().to_string();
    let problem = error.inner().to_string();
    let problem = without_position(&problem);
    if error.inner().is_syntax() || error.inner().is_eof() {
        return Error::input(format!("the request body is not valid JSON: {problem}"));
    }
    if let Some(field) = v1::Reader::reserved_field(problem) {
        let place = if matches!(path.as_str(), "." | "") { String::new() } else { format!("{path}.") };
        return Error::reserved(&format!("{place}{field}"));
    }
    match (missing_field(problem), path.as_str()) {
        (Some(field), "." | "") => Error::required(field),
        (Some(field), path) => Error::required(&format!("{path}.{field}")),
        (None, "." | "") => Error::input(format!("the request body: {problem}")),
        (None, path) => Error::field(path, format!("is not valid: {problem}")),
    }
}

fn query_error(error: &QueryError) -> Error {
    let problem = without_position(&error.problem);
    match missing_field(problem) {
        Some(field) => Error::required(&format!("{}.{field}", error.name)),
        None => Error::field(&error.name, format!("is not valid: {problem}")),
    }
}

/// The field, when the problem is that it is not there.
fn missing_field(problem: &str) -> Option<&str> {
    problem.strip_prefix("missing field `")?.strip_suffix('`')
}

/// A problem with JSON without its place, which means nothing to who wrote it with a library.
fn without_position(problem: &str) -> &str {
    problem.split(" at line ").next().unwrap_or_default()
}

/// Whether JSON text spells a NUL character, which PostgreSQL cannot store in a text. Refused on both databases.
fn holds_escaped_nul(json: &str) -> bool {
    let mut rest = json;
    while let Some(at) = rest.find("\\u0000") {
        let backslashes = rest[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 0 {
            return true;
        }
        rest = &rest[at + 2..];
    }
    false
}

/// Whether JSON text, valid or not, has more objects and lists within one another than it may.
fn is_too_deep(json: &str) -> bool {
    // Most texts have too few of them altogether. The two brackets differ in one bit.
    if json.bytes().filter(|byte| byte | 0x20 == b'{').count() <= JSON_DEPTH_MAX {
        return false;
    }
    let (mut depth, mut in_string) = (0_usize, false);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => drop(bytes.next()),
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > JSON_DEPTH_MAX {
            return true;
        }
    }
    false
}

/// Makes a header of a number.
pub(crate) fn number_header(name: &'static str, number: u64) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::from(number))
}

#[cfg(test)]
mod tests {
    use super::{holds_escaped_nul, is_too_deep};

    #[test]
    fn sees_how_deep_it_is_only_outside_of_texts() {
        let nested =
            |inside: &str, levels: usize| format!("{}{inside}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(!is_too_deep(&nested("", 64)));
        assert!(is_too_deep(&nested("", 65)));
        assert!(is_too_deep(&nested(r#"{"a":1}"#, 64)));
        assert!(!is_too_deep(&format!("[{}1]", "[{}],".repeat(100))));
        let brackets = "[".repeat(100);
        for text in
            [format!(r#"["{brackets}"]"#), format!(r#"["\"{brackets}"]"#), format!(r#"["\\\"{brackets}"]"#)]
        {
            assert!(!is_too_deep(&text), "{text}");
        }
        assert!(is_too_deep(&format!(r#"["\\",{brackets}"#)));
        assert!(!is_too_deep(&format!("{}{}", "]".repeat(100), nested("", 64))));
    }

    #[test]
    fn sees_a_nul_only_where_the_backslash_escapes() {
        assert!(holds_escaped_nul(r#"{"text":"a\u0000b"}"#));
        assert!(!holds_escaped_nul(r#"{"text":"a\\u0000b"}"#));
        assert!(holds_escaped_nul(r#"{"text":"a\\\u0000b"}"#));
        assert!(!holds_escaped_nul(r#"{"text":"u0000"}"#));
    }
}
