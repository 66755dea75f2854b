//! Who is calling: the app's key, then the token.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::Arc;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use natterjack_protocol::{ErrorCode, Timestamp, UserId};
use natterjack_storage::App;
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::Value;

use crate::addresses;
use crate::error::{Error, Result};

/// Verified tokens kept in memory; what depends on the time is checked at every call.
const TOKENS_CACHED: usize = 10_000;
/// How far the clock of the one who made a token may be ahead.
const LEEWAY_SECONDS: i64 = 5;
/// A token's greatest size.
const TOKEN_SIZE_MAX: usize = 8 * 1024;

/// Who makes a request, and to which app.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(crate) app: Arc<App>,
    pub(crate) who: Who,
    /// From where, when that matters: a server is not asked.
    pub(crate) address: Option<IpAddr>,
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A server of the app's owner: may do everything, names the user on whose behalf it acts.
    Server,
    /// A user of the app.
    User(UserId),
    /// Somebody without a token. Nothing is stored of him or her.
    Anonymous,
}

impl Caller {
    /// The same caller, who was seen at the other end of a connection.
    pub(crate) fn at(self, peer: Option<IpAddr>) -> Self {
        let address = if self.is_server() { None } else { peer.and_then(addresses::of_client) };
        Self { address, ..self }
    }

    /// The user whose token was given.
    pub(crate) fn user_id(&self) -> Option<&UserId> {
        match &self.who {
            Who::User(id) => Some(id),
            Who::Server | Who::Anonymous => None,
        }
    }

    /// Whether this is the app's owner.
    pub(crate) fn is_server(&self) -> bool {
        self.who == Who::Server
    }
}

/// What a token says, or its absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who calls.
    pub who: Who,
    /// For how long the token holds; `None` where there is none.
    pub(crate) term: Option<Term>,
}

/// What ends a token, for as long as somebody is connected who showed it. Times are in seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term {
    issued_at: Option<i64>,
    expires_at: Option<i64>,
    /// Stands for the secret by which it was signed; `None` when that was not looked at.
    secret: Option<NonZeroU64>,
}

impl Term {
    fn of(claims: &Claims, app: &App) -> Self {
        Self { issued_at: claims.iat, expires_at: claims.exp, secret: secret_of(app) }
    }

    /// Refuses a token that does not hold any more in its app, which may have changed.
    ///
    /// # Errors
    /// Code 43 when the app has another secret, 40 when the token has expired or was revoked.
    pub(crate) fn check(&self, app: &App, now: Timestamp) -> Result<()> {
        let secret = secret_of(app);
        if secret.is_some() && secret != self.secret {
            return Err(bad_signature());
        }
        check_not_expired(self.expires_at, now.nanoseconds() / 1_000_000_000)?;
        self.check_not_revoked(app.settings.revoke_tokens_issued_before.flatten())
    }

    /// Refuses a token made before the moment up to which tokens were revoked, or one that does not say when it was made.
    /// The code is the one that makes clients fetch another.
    ///
    /// # Errors
    /// Code 40.
    pub(crate) fn check_not_revoked(&self, revoked_before: Option<Timestamp>) -> Result<()> {
        let Some(revoked_before) = revoked_before else { return Ok(()) };
        let issued_at = self.issued_at.map(|seconds| seconds.saturating_mul(1_000_000_000));
        if issued_at.is_some_and(|issued_at| issued_at >= revoked_before.nanoseconds()) {
            return Ok(());
        }
        Err(Error::caller(ErrorCode::TokenExpired, "Token was revoked"))
    }
}

/// A number that stands for the secret of an app; `None` for one that accepts any signature.
fn secret_of(app: &App) -> Option<NonZeroU64> {
    if app.settings.disable_auth_checks == Some(true) {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    app.api_secret.hash(&mut hasher);
    Some(NonZeroU64::new(hasher.finish()).unwrap_or(NonZeroU64::MIN))
}

/// The claims of a token that the server looks at. Their types are strict: a number in a string is refused.
#[derive(Debug, Clone, Deserialize)]
struct Claims {
    server: Option<bool>,
    user_id: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "seconds")]
    exp: Option<i64>,
    #[serde(default, deserialize_with = "seconds")]
    nbf: Option<i64>,
}

/// Seconds since the epoch, as an integer or a number with a fraction.
fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = match Option::<Value>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Value::Number(number)) => number,
        Some(_) => return Err(serde::de::Error::custom("expecting a number of seconds")),
    };
    let whole = number.as_i64().or_else(|| number.as_f64().map(|fraction| fraction.floor() as i64));
    whole.map(Some).ok_or_else(|| serde::de::Error::custom("expecting a number of seconds"))
}

/// Verifies tokens.
#[derive(Debug)]
pub struct Authenticator {
    /// By app, its version, in which its secret may change, and token.
    verified: Cache<(i64, i64, String), Arc<Claims>>,
}

impl Default for Authenticator {
    fn default() -> Self {
        Self { verified: Cache::new(TOKENS_CACHED) }
    }
}

/// What a request says about its caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// Header `Authorization`, with or without `Bearer`.
    pub authorization: Option<&'a str>,
    /// Header or query parameter `stream-auth-type`.
    pub auth_type: Option<&'a str>,
    /// Query parameter `user_id`, which clients with a user token add.
    pub user_id: Option<&'a str>,
}

/// What a development token has in place of a signature.
const DEVELOPMENT_SIGNATURE: &str = "devtoken";

impl Authenticator {
    /// Says who is calling.
    ///
    /// # Errors
    /// Code 5 when the auth type or the token is missing or malformed, 40 to 43 when the token does not hold.
    pub fn authenticate(&self, app: &App, credentials: Credentials<'_>, now: Timestamp) -> Result<Identity> {
        match credentials.auth_type {
            Some("jwt") => {}
            Some("anonymous") => return Ok(Identity { who: Who::Anonymous, term: None }),
            _ => return Err(refused("stream-auth-type missing or invalid")),
        }
        let token = credentials.authorization.map(str::trim).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| refused("Authorization header with a token is missing"))?;
        let token = token.strip_prefix("Bearer ").map_or(token, str::trim);
        let claims = self.verify(app, token)?;
        let term = Term::of(&claims, app);
        check_times(&claims, now.nanoseconds() / 1_000_000_000)?;
        let who = match (&claims.user_id, claims.server) {
            (Some(user_id), _) => {
                let user_id =
                    UserId::parse(user_id).map_err(|error| refused(&format!("token: user_id {error}")))?;
                if credentials.user_id.is_some_and(|named| named != user_id.as_str()) {
                    return Err(refused("user_id of the request differs from that of the token"));
                }
                term.check_not_revoked(app.settings.revoke_tokens_issued_before.flatten())?;
                Who::User(user_id)
            }
            (None, Some(true)) => Who::Server,
            (None, _) => return Err(refused("token holds neither user_id nor server")),
        };
        Ok(Identity { who, term: Some(term) })
    }

    fn verify(&self, app: &App, token: &str) -> Result<Arc<Claims>> {
        if token.len() > TOKEN_SIZE_MAX {
            return Err(refused("token is too long"));
        }
        let key = (app.pk, app.version, token.to_owned());
        if let Some(claims) = self.verified.get(&key) {
            return Ok(claims);
        }
        let claims = if app.settings.disable_auth_checks == Some(true) {
            unverified(token)?
        } else {
            verified(token, &app.api_secret)?
        };
        let claims = Arc::new(claims);
        self.verified.insert(key, Arc::clone(&claims));
        Ok(claims)
    }
}

/// The claims of a token with a good signature.
fn verified(token: &str, secret: &str) -> Result<Claims> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    // Checked apart, with codes of their own.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    if token.strip_suffix(DEVELOPMENT_SIGNATURE).is_some_and(|unsigned| unsigned.ends_with('.')) {
        return Err(bad_signature());
    }
    let secret = DecodingKey::from_secret(secret.as_bytes());
    let decoded = jsonwebtoken::decode::<Claims>(token, &secret, &validation);
    Ok(decoded
        .map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => bad_signature(),
            ErrorKind::InvalidAlgorithm => refused("token must be signed with HS256"),
            _ => refused("token is malformed"),
        })?
        .claims)
}

/// The claims of a token whatever its signature, for apps in development.
fn unverified(token: &str) -> Result<Claims> {
    jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| refused("token is malformed"))
}

fn bad_signature() -> Error {
    Error::caller(ErrorCode::TokenSignature, "Token signature is invalid")
}

/// A token for a user, which does not expire.
///
/// # Errors
/// When signing fails.
pub(crate) fn sign_user_token(app: &App, id: &UserId) -> Result<String> {
    let claims = serde_json::json!({ "user_id": id.as_str() });
    let secret = EncodingKey::from_secret(app.api_secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &secret)
        .map_err(|error| Error::Internal(natterjack_storage::Error::Database(error.into())))
}

fn check_not_expired(expires_at: Option<i64>, now: i64) -> Result<()> {
    if expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Error::caller(ErrorCode::TokenExpired, "Token is expired"));
    }
    Ok(())
}

fn check_times(claims: &Claims, now: i64) -> Result<()> {
    check_not_expired(claims.exp, now)?;
    if claims.nbf.is_some_and(|nbf| nbf > now + LEEWAY_SECONDS) {
        return Err(Error::caller(ErrorCode::TokenNotValidYet, "Token is not valid yet"));
    }
    if claims.iat.is_some_and(|iat| iat > now + LEEWAY_SECONDS) {
        return Err(Error::caller(ErrorCode::TokenDateIncorrect, "Token used before issue date"));
    }
    Ok(())
}

fn refused(text: &str) -> Error {
    Error::caller(ErrorCode::Authentication, text)
}
