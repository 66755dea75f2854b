//! A chat page for development, at `/demo`: files that are part of the program, and the key of the app for them.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use sha2::{Digest, Sha256};

use super::endpoint::Edge;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The page may load what is part of it and talk to this server, and nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

macro_rules! asset {
    ($path:literal, $file:literal, $content_type:ident) => {
        ($path, $content_type, include_str!(concat!("../../demo/", $file)))
    };
}

/// Path, content type and content.
const FILES: &[(&str, &str, &str)] = &[
    asset!("/demo", "index.html", HTML),
    asset!("/demo/style.css", "style.css", CSS),
    asset!("/demo/icon.svg", "icon.svg", SVG),
    asset!("/demo/api.js", "api.js", SCRIPT),
    asset!("/demo/app.js", "app.js", SCRIPT),
    asset!("/demo/channel-list.js", "channel-list.js", SCRIPT),
    asset!("/demo/composer.js", "composer.js", SCRIPT),
    asset!("/demo/dom.js", "dom.js", SCRIPT),
    asset!("/demo/format.js", "format.js", SCRIPT),
    asset!("/demo/message.js", "message.js", SCRIPT),
    asset!("/demo/model.js", "model.js", SCRIPT),
    asset!("/demo/new-channel.js", "new-channel.js", SCRIPT),
    asset!("/demo/pane.js", "pane.js", SCRIPT),
];

/// The page's routes.
pub(super) fn routes() -> Router<Arc<Edge>> {
    let mut router = Router::new().route("/demo/config.json", get(config));
    for (path, content_type, content) in FILES {
        let etag = etag(content);
        router = router
            .route(path, get(async move |headers: HeaderMap| file(&headers, content_type, content, etag)));
    }
    router
}

/// A name for this very content.
fn etag(content: &str) -> HeaderValue {
    let digest = Sha256::digest(content);
    let text: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{text}\"")).expect("hexadecimal digits may stand in a header")
}

fn file(
    headers: &HeaderMap,
    content_type: &'static str,
    content: &'static str,
    etag: HeaderValue,
) -> Response<Body> {
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == etag);
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(content) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let out = response.headers_mut();
    out.insert(header::ETAG, etag);
    // A new program has new files: the browser asks each time whether its own are still good.
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    out.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    out.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    out.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// What the page must know: the key of the app. In development mode the key alone opens the app, so it is not for pages
/// of other sites that a developer may have open.
async fn config(State(edge): State<Arc<Edge>>, headers: HeaderMap) -> Response<Body> {
    let is_foreign =
        headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    let app = edge.state.first_app().filter(|_| !is_foreign);
    let Some(app) = app else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let body = serde_json::json!({ "api_key": app.api_key }).to_string();
    let mut response = Response::new(Body::from(body));
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
