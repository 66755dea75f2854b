//! Browsers ask first whether a page from elsewhere may call. No cookies are used, so that any page may, unless the
//! operator names those that do.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// How long a browser need not ask again; more than two hours is too much for some.
const MAX_AGE: Duration = Duration::from_secs(2 * 60 * 60);

/// Answers preflight requests at any path, and marks the other answers as readable.
pub(crate) fn layer(allowed_origins: Option<&[HeaderValue]>) -> CorsLayer {
    let origins = match allowed_origins {
        None => AllowOrigin::any(),
        Some(origins) => AllowOrigin::list(origins.to_vec()),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        // Those that are asked for: libraries add headers of their own to those that the API names.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            HeaderName::from_static("x-ratelimit-limit"),
            HeaderName::from_static("x-ratelimit-remaining"),
            HeaderName::from_static("x-ratelimit-reset"),
            header::RETRY_AFTER,
        ])
        .max_age(MAX_AGE)
}
