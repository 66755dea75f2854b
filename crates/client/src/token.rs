//! Tokens: what a client or a server shows to prove who it is. JSON Web Tokens, HS256, signed with the API secret.
//!
//! Give user tokens to browsers and apps; keep the secret and server tokens on your servers.

use std::time::{Duration, SystemTime};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use natterjack_protocol::JsonMap;

use crate::Error;

/// How far the issue time of a server token lies in the past, so that a server whose clock is behind takes it.
const BACKDATED: Duration = Duration::from_secs(5);

/// What a user token says beside the user. Everything may be left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenOptions {
    /// When the token stops to be valid (`exp`, whole seconds). Without it the token is valid for ever.
    pub expires_at: Option<SystemTime>,
    /// When the token was made (`iat`, whole seconds). Without it the token ends as soon as the tokens of the user or
    /// of the app are revoked, whatever the date of the revocation.
    pub issued_at: Option<SystemTime>,
    /// The role in which the user acts (`role`).
    pub role: Option<String>,
    /// Channels to which the token is limited (`channel_cids`).
    pub channel_cids: Vec<String>,
    /// Further claims. They do not replace the ones above.
    pub claims: JsonMap,
}

/// Makes a token with which `user_id` may act.
///
/// # Errors
/// [`Error::Config`] when the secret or the user id is empty.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use natterjack_client::token::{TokenOptions, user_token};
///
/// let now = SystemTime::now();
/// let token = user_token("secret", "jane", &TokenOptions {
///     issued_at: Some(now),
///     expires_at: Some(now + Duration::from_secs(3600)),
///     ..Default::default()
/// })?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), natterjack_client::Error>(())
/// ```
pub fn user_token(secret: &str, user_id: &str, options: &TokenOptions) -> Result<String, Error> {
    if user_id.is_empty() {
        return Err(Error::config("a user token needs a user id"));
    }
    let mut claims = options.claims.clone();
    claims.insert("user_id".to_owned(), user_id.into());
    for (name, moment) in [("iat", options.issued_at), ("exp", options.expires_at)] {
        if let Some(moment) = moment {
            claims.insert(name.to_owned(), seconds(moment).into());
        }
    }
    if let Some(role) = &options.role {
        claims.insert("role".to_owned(), role.as_str().into());
    }
    if !options.channel_cids.is_empty() {
        claims.insert("channel_cids".to_owned(), options.channel_cids.clone().into());
    }
    sign(secret, &claims)
}

/// Makes a token with which a server may do everything. It does not expire; its issue time lies 5 s in the past.
///
/// # Errors
/// [`Error::Config`] when the secret is empty.
///
/// ```
/// let token = natterjack_client::token::server_token("secret")?;
/// assert_eq!(token.split('.').count(), 3);
/// # Ok::<(), natterjack_client::Error>(())
/// ```
pub fn server_token(secret: &str) -> Result<String, Error> {
    let mut claims = JsonMap::new();
    claims.insert("server".to_owned(), true.into());
    claims.insert("iat".to_owned(), seconds(now() - BACKDATED).into());
    sign(secret, &claims)
}

fn sign(secret: &str, claims: &JsonMap) -> Result<String, Error> {
    if secret.is_empty() {
        return Err(Error::config("a token cannot be signed without the API secret"));
    }
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
        .map_err(|error| Error::config(format!("the token cannot be signed: {error}")))
}

/// The wall clock. An SDK has no clock given to it, and tokens and `Retry-After` dates are about real time.
#[expect(clippy::disallowed_methods, reason = "the one place where the SDK reads the wall clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

fn seconds(moment: SystemTime) -> u64 {
    moment.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    use natterjack_protocol::JsonMap;
    use serde_json::json;

    use super::{TokenOptions, server_token, user_token};

    fn claims(token: &str) -> JsonMap {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        decode::<JsonMap>(token, &DecodingKey::from_secret(b"secret"), &validation).unwrap().claims
    }

    #[test]
    fn server_tokens_are_backdated() {
        let claims = claims(&server_token("secret").unwrap());
        assert_eq!(claims["server"], json!(true));
        let now = super::seconds(super::now());
        assert!(claims["iat"].as_u64().unwrap() <= now - 5);
    }

    #[test]
    fn user_tokens_hold_what_was_asked_for() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let options = TokenOptions {
            expires_at: at(200),
            issued_at: at(100),
            role: Some("admin".to_owned()),
            channel_cids: vec!["messaging:general".to_owned()],
            claims: json!({"team": "red", "user_id": "mallory"}).as_object().unwrap().clone(),
        };
        let full = claims(&user_token("secret", "jane", &options).unwrap());
        let expected = json!({
            "user_id": "jane", "exp": 200, "iat": 100, "role": "admin", "team": "red",
            "channel_cids": ["messaging:general"],
        });
        assert_eq!(serde_json::Value::from(full), expected);
        let bare = claims(&user_token("secret", "jane", &TokenOptions::default()).unwrap());
        assert_eq!(serde_json::Value::from(bare), json!({"user_id": "jane"}));
        assert!(user_token("", "jane", &TokenOptions::default()).is_err());
        assert!(user_token("secret", "", &TokenOptions::default()).is_err());
    }
}
