//! What is not history: typing, presence, watching, events of the app's own. No log has it, nobody is told of it later;
//! who is not connected misses nothing. In one channel these events keep no order with those of the log.

use std::collections::HashSet;
use std::sync::Arc;

use natterjack_protocol::channel_types::ChannelTypeConfig;
use natterjack_protocol::events::Event;
use natterjack_protocol::users::UserResponse;
use natterjack_storage::Channel;

use super::hub::Watching;
use super::present::of_channel;
use super::rights;
use super::sending::send_each;
use crate::limits::{MANY_WATCHERS, WATCHING_PAUSE};
use crate::present::discreet;
use crate::state::State;

/// Tells those who watch a channel, except one user and those who ignore the one who caused it.
pub(crate) async fn tell_watchers(
    state: &State,
    channel: &Channel,
    event: &Event,
    except: Option<&str>,
    ignoring: &HashSet<String>,
) {
    let watchers = state.live.hub.watchers(channel.pk);
    if watchers.is_empty() {
        return;
    }
    let ids: HashSet<Arc<str>> = watchers.iter().map(|watcher| Arc::clone(&watcher.user_id)).collect();
    let found = match rights::find(state, channel, ids.into_iter().collect(), &HashSet::new()).await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(
                error = crate::error_chain(&error),
                "an event that is in no log was told to nobody"
            );
            return;
        }
    };
    let readers: HashSet<Arc<str>> =
        found.into_iter().filter(|(_, rights)| rights.reads).map(|(id, _)| id).collect();
    let is_told = |user_id: &Arc<str>| {
        readers.contains(user_id) && except != Some(&**user_id) && !ignoring.contains(&**user_id)
    };
    send_each(event, watchers.iter().filter(|watcher| is_told(&watcher.user_id))).await;
}

/// Tells all connections of a user.
pub(crate) async fn tell_user(state: &State, app_pk: i64, user_id: &str, event: &Event) {
    send_each(event, state.live.hub.of_user(app_pk, user_id).iter()).await;
}

/// Tells all connections of an app.
pub(crate) async fn tell_app(state: &State, app_pk: i64, event: &Event) {
    let connections = state.live.hub.all();
    send_each(event, connections.iter().filter(|connection| connection.app_pk == app_pk)).await;
}

/// Tells those who watch a channel that somebody began or ended to watch it too. Many of them are told seldom.
pub(crate) async fn tell_watching(
    state: &State,
    channel: &Channel,
    config: &Arc<ChannelTypeConfig>,
    user: Arc<UserResponse>,
    watching: Watching,
    starts: bool,
) {
    let pause = WATCHING_PAUSE.as_nanos() as i64;
    let now = state.now();
    let hub = &state.live.hub;
    if !watching.is_news
        || !config.connect_events
        || !hub.may_tell_watching(channel.pk, now, MANY_WATCHERS, pause)
    {
        return;
    }
    let kind = if starts { "user.watching.start" } else { "user.watching.stop" };
    let user_id = user.id.clone();
    let event = Event {
        user: Some(discreet(user)),
        watcher_count: Some(watching.watcher_count),
        ..of_channel(channel, config, kind, now)
    };
    tell_watchers(state, channel, &event, Some(&user_id), &HashSet::new()).await;
}

/// Tells those who asked for it that a user came or went.
pub(crate) async fn tell_presence(state: &State, app_pk: i64, user: Arc<UserResponse>) {
    let subscribers = state.live.hub.subscribers(app_pk, &user.id);
    if subscribers.is_empty() {
        return;
    }
    let user_id = user.id.clone();
    let event = Event {
        kind: "user.presence.changed".to_owned(),
        created_at: state.now(),
        user: Some(discreet(user)),
        ..Event::default()
    };
    send_each(&event, subscribers.iter().filter(|connection| *connection.user_id != *user_id)).await;
}
