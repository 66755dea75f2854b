//! For operators: is it alive, is it ready, what is it doing.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use natterjack_protocol::ErrorCode;

use super::endpoint::Edge;
use crate::limits::READY_TIME_MAX;

/// The process answers.
pub(crate) async fn healthz() -> &'static str {
    "ok"
}

/// The database answers and can be written to.
pub(crate) async fn readyz(State(edge): State<Arc<Edge>>) -> impl IntoResponse {
    let store = &edge.state.store;
    if store.is_stopped() {
        return (StatusCode::SERVICE_UNAVAILABLE, "writing has stopped after a failed sync to disk");
    }
    let read = store.read("ready", (), |tx, ()| Box::pin(tx.find_app_version(0)));
    match tokio::time::timeout(READY_TIME_MAX, read).await {
        Ok(Ok(_)) => (StatusCode::OK, "ready"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer"),
    }
}

/// Numbers in the text format of Prometheus.
pub(crate) async fn metrics() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], crate::telemetry::render_metrics())
}

/// What the error codes mean; replies point here.
pub(crate) async fn errors() -> String {
    let mut page = String::from("code  status  name\n");
    for code in ErrorCode::ALL {
        let retry = if code.is_retryable() { "  (may be repeated)" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{:>4}  {:>6}  {code:?}{retry}", code.number(), code.status());
    }
    page
}
