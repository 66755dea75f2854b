//! Opens connections: who connects, and the first thing that is said.

use std::net::IpAddr;
use std::sync::Arc;

use natterjack_protocol::events::Event;
use natterjack_protocol::own_user::OwnUserResponse;
use natterjack_protocol::{ErrorCode, JsonMap};
use serde::Deserialize;

use super::connection::Connection;
use super::fleeting::tell_watching;
use super::frame::Encoded;
use super::hub::Watching;
use super::user_log::me;
use crate::actions::users::{connect_user, note_address};
use crate::api::{Edge, check_user, identify, query_pairs};
use crate::auth::{Credentials, Who};
use crate::error::{Error, Result};
use crate::state::State;

/// Beginning of the id of somebody without a token.
const ANONYMOUS_PREFIX: &str = "!anon";
/// The longest id of somebody without a token.
const ANONYMOUS_LENGTH_MAX: usize = 255;

/// What a client says of itself, in the query parameter `json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Hello {
    user_id: Option<String>,
    user_details: Option<JsonMap>,
    // `device` and `client_request_id` are of no use here.
}

/// What the query of a connection holds.
#[derive(Debug)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// # Errors
    /// Code 4 for a NUL character, or JSON that is too deep.
    pub(super) fn parse(query: &str) -> Result<Self> {
        let pairs = query_pairs(query)?;
        let pairs = pairs.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        Ok(Self { pairs })
    }

    /// A parameter that is given and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// Who calls, as far as the query says it.
    pub(super) fn credentials<'a>(&'a self, header: Credentials<'a>) -> Credentials<'a> {
        Credentials {
            authorization: header.authorization.or(self.get("authorization")),
            auth_type: header.auth_type.or(self.get("stream-auth-type")),
            user_id: self.get("user_id"),
        }
    }
}

/// Opens a connection for who calls. It is told of events from now on; the first in its queue is a health check with the
/// user's own data.
///
/// # Errors
/// Code 2, 5 or 40 to 43 for who may not connect, 4 for data that is not valid, 17 for a user who was deactivated or
/// deleted, 71 when there are too many connections.
pub(super) async fn open(
    edge: &Edge,
    query: &Query,
    header: Credentials<'_>,
    peer: Option<IpAddr>,
    polls: bool,
) -> Result<Arc<Connection>> {
    let state = &edge.state;
    let now = state.now();
    let api_key = query.get("api_key");
    let api_key =
        api_key.ok_or_else(|| Error::caller(ErrorCode::ApiKey, "api_key or app_id not provided"))?;
    let (caller, term) = identify(edge, api_key, query.credentials(header), now).await?;
    let caller = caller.at(peer);
    let hello: Hello = match query.get("json") {
        None => Hello::default(),
        Some(json) => serde_json::from_str(json)
            .map_err(|error| Error::field("json", format!("is not valid: {error}")))?,
    };
    let details = hello.user_details.unwrap_or_default();
    let app_pk = caller.app.pk;
    let connection = match &caller.who {
        Who::Server => {
            return Err(Error::field("authorization", "is a server's token; only users connect"));
        }
        Who::Anonymous => {
            let id = anonymous_id(hello.user_id, &details);
            let connection = Connection::new(app_pk, &id, true, None, peer, polls, now);
            register(state, connection)?
        }
        Who::User(id) => {
            if hello.user_id.is_some_and(|named| named != id.as_str()) {
                let text = "user_id of the request differs from that of the token";
                return Err(Error::caller(ErrorCode::Authentication, text));
            }
            if state.user(app_pk, id.as_str()).await?.is_some() {
                check_user(state, &caller.app, id, term).await?;
            }
            connect_user(state, &caller, id, details).await?;
            note_address(state, &caller).await;
            let connection = Connection::new(app_pk, id.as_str(), false, term, peer, polls, now);
            let connection = register(state, connection)?;
            // It may have changed while the connection was not known yet, and so was not closed.
            if let Err(error) = check_user(state, &caller.app, id, term).await {
                close(state, &connection).await;
                return Err(error);
            }
            state.live.presences.settle(app_pk, id.as_str()).await;
            connection
        }
    };
    match first_event(state, &connection).await {
        Ok(event) => {
            connection.outbox.push_first(Encoded::new(&event).frame());
            metrics::counter!("natterjack_connections_opened_total").increment(1);
            Ok(connection)
        }
        Err(error) => {
            close(state, &connection).await;
            Err(error)
        }
    }
}

fn register(state: &State, connection: Connection) -> Result<Arc<Connection>> {
    let connection = Arc::new(connection);
    state.live.hub.register(&connection)?;
    Ok(connection)
}

/// The id under which somebody without a token is counted. Each connection has its own.
fn anonymous_id(named: Option<String>, details: &JsonMap) -> String {
    let named = named.or_else(|| details.get("id").and_then(|id| id.as_str()).map(str::to_owned));
    let fitting = named.filter(|id| id.starts_with(ANONYMOUS_PREFIX) && id.len() <= ANONYMOUS_LENGTH_MAX / 2);
    let unique = uuid::Uuid::new_v4();
    fitting.map_or_else(|| format!("{ANONYMOUS_PREFIX}-{unique}"), |id| format!("{id}-{unique}"))
}

async fn first_event(state: &State, connection: &Connection) -> Result<Event> {
    let me = if connection.is_anonymous {
        OwnUserResponse {
            id: connection.user_id.to_string(),
            role: "anonymous".to_owned(),
            online: true,
            ..OwnUserResponse::default()
        }
    } else {
        let own = me(state, connection.app_pk, &connection.user_id).await?;
        own.ok_or_else(|| Error::not_found("user", &connection.user_id))?
    };
    Ok(Event {
        kind: "health.check".to_owned(),
        created_at: state.now(),
        cid: Some("*".to_owned()),
        connection_id: Some(connection.id.clone()),
        me: Some(Box::new(me)),
        ..Event::default()
    })
}

/// Forgets a connection that has ended, and tells those who watch what it watched.
pub(super) async fn close(state: &State, connection: &Arc<Connection>) {
    let left = state.live.hub.unregister(connection);
    if !connection.is_anonymous {
        state.live.presences.note(connection.app_pk, &connection.user_id);
    }
    let left: Vec<(i64, Watching)> =
        left.into_iter().filter(|(_, watching)| watching.is_news && watching.watcher_count > 0).collect();
    if left.is_empty() {
        return;
    }
    let pks: Vec<i64> = left.iter().map(|(channel_pk, _)| *channel_pk).collect();
    let channels =
        state.store.read("list_channels", pks, |tx, pks| Box::pin(tx.list_channels(pks.clone()))).await;
    let user = watching_user(state, connection).await;
    let (Ok(channels), Ok(user)) = (channels, user) else { return };
    for (channel_pk, watching) in left {
        if let Some(channel) = channels.iter().find(|channel| channel.pk == channel_pk) {
            let config = state.channel_config_of(channel);
            tell_watching(state, channel, &config, Arc::clone(&user), watching, false).await;
        }
    }
}

/// The user of a connection as others see him or her.
pub(crate) async fn watching_user(
    state: &State,
    connection: &Connection,
) -> Result<Arc<natterjack_protocol::users::UserResponse>> {
    let stored = if connection.is_anonymous {
        None
    } else {
        state.user(connection.app_pk, &connection.user_id).await?
    };
    Ok(stored.map(|user| Arc::clone(&user.response)).unwrap_or_else(|| {
        Arc::new(natterjack_protocol::users::UserResponse {
            id: connection.user_id.to_string(),
            role: "anonymous".to_owned(),
            ..Default::default()
        })
    }))
}
