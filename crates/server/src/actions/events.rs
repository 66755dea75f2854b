//! Events that clients and servers send: typing, reading, and those of the app's own. Nothing is stored.

use std::collections::HashSet;
use std::sync::Arc;

use natterjack_protocol::events::{Event, EventRequest, UserCustomEventRequest, is_built_in};
use natterjack_protocol::reads::MarkReadRequest;
use natterjack_protocol::users::UserResponse;
use natterjack_protocol::{Cid, Custom, ErrorCode, UserId};

use super::{bans, check_custom, check_length, given, message_id, reads, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{EVENT_TYPE_LENGTH_MAX, MANY_WATCHERS};
use crate::live::{of_channel, tell_user, tell_watchers};
use crate::permissions::Action;
use crate::present;
use crate::state::{CachedChannel, State, access};

/// Sends an event to those who watch a channel.
pub(crate) async fn send_event(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    request: EventRequest,
) -> Result<Event> {
    if request.kind.is_empty() {
        return Err(Error::required("event.type"));
    }
    check_length("event.type", &request.kind, EVENT_TYPE_LENGTH_MAX)?;
    let custom = request.custom.clone().unwrap_or_default();
    check_custom("event.custom", &custom)?;
    let user =
        users::acting_user(state, caller, "event.user", request.user_id.as_ref(), request.user.as_ref())
            .await?;
    let access = access::channel(state, caller, &cid.to_string(), access::READ).await?;
    if !matches!(request.kind.as_str(), "message.read" | "health.check") {
        bans::check_not_banned(state, caller, Some(&access)).await?;
    }
    let channel = Arc::clone(&access.cached);
    let parent_id = match given(request.parent_id.as_ref()) {
        Some(id) => Some(message_id("event.parent_id", id)?.as_str().to_owned()),
        None => None,
    };
    let event = Event {
        // Told to the user, too.
        user: Some(present::discreet(present::unaware(user.response.clone()))),
        user_id: Some(user.user.id.clone()),
        parent_id,
        custom,
        ..of_channel(&channel.channel, &channel.config, &request.kind, state.now())
    };
    match request.kind.as_str() {
        "typing.start" | "typing.stop" => tell_typing(state, &channel, &event, &user.response).await?,
        "message.read" => {
            let named = |name: &str| event.custom.get(name).and_then(|id| id.as_str()).map(str::to_owned);
            let request = MarkReadRequest {
                message_id: named("message_id").or_else(|| named("last_read_message_id")),
                thread_id: event.parent_id.clone(),
                user_id: (caller.is_server()).then(|| user.user.id.clone()),
                ..MarkReadRequest::default()
            };
            reads::mark_read(state, caller, cid, request).await?;
        }
        "ai_indicator.update" | "ai_indicator.clear" | "ai_indicator.stop" => {
            tell_members(state, &channel, &event, None).await?;
        }
        "health.check" => {}
        kind if is_built_in(kind) => {
            let text = format!("event.type {kind:?} is built in and cannot be sent");
            return Err(Error::caller(ErrorCode::EventNotSupported, text));
        }
        _ => {
            access.require(Action::SendCustomEvent)?;
            if !channel.config.custom_events {
                let kind = &channel.channel.kind;
                let text = format!("Channel type {kind} does not support custom events");
                return Err(Error::caller(ErrorCode::EventNotSupported, text));
            }
            tell_members(state, &channel, &event, None).await?;
        }
    }
    Ok(event)
}

/// Tells that somebody types, unless that user keeps it to himself or herself. Many watchers are not told.
async fn tell_typing(
    state: &State,
    channel: &CachedChannel,
    event: &Event,
    user: &UserResponse,
) -> Result<()> {
    if !channel.config.typing_events {
        let kind = &channel.channel.kind;
        let text = format!("Channel type {kind} does not support typing events");
        return Err(Error::caller(ErrorCode::EventNotSupported, text));
    }
    let setting = user.privacy_settings.as_ref().and_then(|settings| settings.typing_indicators.as_ref());
    let shows_typing = setting.is_none_or(|setting| setting.enabled);
    let (watchers, _) = state.live.hub.watching_users(channel.channel.pk, 0, 0);
    if !shows_typing || watchers > MANY_WATCHERS {
        return Ok(());
    }
    tell_members(state, channel, event, Some(&user.id)).await
}

/// Tells those who watch, except one user, and who in a channel of two has blocked the other.
async fn tell_members(
    state: &State,
    channel: &CachedChannel,
    event: &Event,
    except: Option<&str>,
) -> Result<()> {
    let channel_pk = channel.channel.pk;
    if state.live.hub.watching_users(channel_pk, 0, 0).0 == 0 || channel.channel.disabled {
        return Ok(());
    }
    let blockers: HashSet<String> = state
        .store
        .read("list_blockers_in", channel_pk, |tx, pk| Box::pin(tx.list_blockers_in(*pk)))
        .await?
        .into_iter()
        .collect();
    tell_watchers(state, &channel.channel, event, except, &blockers).await;
    Ok(())
}

/// Sends an event to all connections of a user.
pub(crate) async fn send_user_custom_event(
    state: &State,
    caller: &Caller,
    user_id: &str,
    request: UserCustomEventRequest,
) -> Result<()> {
    let id = UserId::parse(user_id).map_err(|error| Error::id("user_id", &error))?;
    if request.kind.is_empty() {
        return Err(Error::required("event.type"));
    }
    check_length("event.type", &request.kind, EVENT_TYPE_LENGTH_MAX)?;
    if request.kind.contains('.') {
        return Err(Error::field("event.type", "must not contain a dot, which the API's own types have"));
    }
    let custom: Custom = request.custom.unwrap_or_default();
    check_custom("event.custom", &custom)?;
    let user = state.user(caller.app.pk, id.as_str()).await?;
    let user = user.filter(|user| user.user.deleted_at.is_none());
    let user = user.ok_or_else(|| Error::not_found("user", id.as_str()))?;
    let event = Event {
        kind: request.kind,
        created_at: state.now(),
        user: Some(present::unaware(user.response.clone())),
        custom,
        ..Event::default()
    };
    tell_user(state, caller.app.pk, id.as_str(), &event).await;
    Ok(())
}
