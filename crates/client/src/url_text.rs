//! Builds the text of a request's URL: percent-encoded path segments and query pairs.

use std::fmt::Write as _;

use crate::Error;

/// Puts `segments` into the `{name}` places of `template`, encoded.
///
/// # Errors
/// When a segment is empty or a relative one (`.`, `..`), which would change which path is meant, or when their number
/// is not that of the places.
pub(crate) fn fill_path(template: &str, segments: &[&str]) -> Result<String, Error> {
    let mut path = String::with_capacity(template.len() + 32);
    let mut segments = segments.iter();
    for part in template.split('/').skip(1) {
        path.push('/');
        if !part.starts_with('{') {
            path.push_str(part);
            continue;
        }
        let Some(segment) = segments.next() else {
            return Err(Error::request(format!("no value for {part} in {template}")));
        };
        if matches!(*segment, "" | "." | "..") {
            return Err(Error::request(format!("{segment:?} cannot stand for {part} in {template}")));
        }
        push_encoded(&mut path, segment);
    }
    match segments.next() {
        Some(_) => Err(Error::request(format!("too many values for {template}"))),
        None => Ok(path),
    }
}

/// Appends `name=value` to `url`, encoded.
pub(crate) fn push_pair(url: &mut String, name: &str, value: &str) {
    url.push(if url.contains('?') { '&' } else { '?' });
    push_encoded(url, name);
    url.push('=');
    push_encoded(url, value);
}

/// Everything but unreserved characters and `!` is encoded.
fn push_encoded(target: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'!') {
            target.push(char::from(byte));
        } else {
            let _ = write!(target, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{fill_path, push_pair};

    #[test]
    fn segments_are_encoded_and_checked() {
        let template = "/api/v2/chat/channels/{type}/{id}/query";
        assert_eq!(
            fill_path(template, &["a/b", "!members-x_1.:é +"]).unwrap(),
            "/api/v2/chat/channels/a%2Fb/!members-x_1.%3A%C3%A9%20%2B/query"
        );
        for wrong in [&["a"][..], &["a", "b", "c"], &["a", ""], &["..", "b"]] {
            assert!(fill_path(template, wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(fill_path("/api/v2/users", &[]).unwrap(), "/api/v2/users");
    }

    #[test]
    fn pairs_are_joined() {
        let mut url = "http://host/x".to_owned();
        push_pair(&mut url, "a", "1&2");
        push_pair(&mut url, "payload", "{\"k\": []}");
        assert_eq!(url, "http://host/x?a=1%262&payload=%7B%22k%22%3A%20%5B%5D%7D");
    }
}
