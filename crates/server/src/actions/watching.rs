//! Watching channels and the presence of users: what a connection is told of from now on.

use std::sync::Arc;

use natterjack_protocol::Cid;
use natterjack_protocol::channel_state::ChannelStateResponse;
use natterjack_storage::Channel;

use super::users;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::live::{Connection, named_connection, tell_watching, watching_user};
use crate::state::{State, access};

/// That a connection wants to be told about what a call answers.
#[derive(Debug)]
pub(crate) struct Watch {
    connection: Arc<Connection>,
    channels: bool,
    presence: bool,
}

impl Watch {
    /// What a call asks for; `None` when that is nothing.
    ///
    /// # Errors
    /// Code 4 for servers and for callers that name no connection, 46 when it is not open.
    pub(crate) fn check(
        state: &State,
        caller: &Caller,
        connection_id: Option<&str>,
        watch: Option<bool>,
        presence: Option<bool>,
    ) -> Result<Option<Self>> {
        let (channels, presence) = (watch == Some(true), presence == Some(true));
        if !channels && !presence {
            return Ok(None);
        }
        let field = if channels { "watch" } else { "presence" };
        let connection = named_connection(state, caller, field, connection_id)?;
        Ok(Some(Self { connection, channels, presence }))
    }

    /// Begins to watch these channels. Done before they are read, so that nothing falls between what is read and what
    /// is told. The others who watch are told.
    ///
    /// # Errors
    /// Code 4 when the connection watches too many.
    pub(crate) async fn begin(&self, state: &State, channels: &[Channel]) -> Result<()> {
        if !self.channels {
            return Ok(());
        }
        for channel in channels {
            let watching = state.live.hub.watch(&self.connection, channel.pk)?;
            if watching.is_news {
                let user = watching_user(state, &self.connection).await?;
                let config = state.channel_config_of(channel);
                tell_watching(state, channel, &config, user, watching, true).await;
            }
        }
        Ok(())
    }

    /// Asks for the presence of everybody who stands in these answers.
    pub(crate) fn subscribe_to(&self, state: &State, shown: &[ChannelStateResponse]) {
        let members =
            shown.iter().flat_map(|channel| &channel.members).filter_map(|member| member.user_id.as_deref());
        let watchers =
            shown.iter().flat_map(|channel| channel.watchers.iter().flatten()).map(|user| user.id.as_str());
        self.subscribe(state, members.chain(watchers));
    }

    /// Asks for the presence of these users.
    pub(crate) fn subscribe<'a>(&self, state: &State, user_ids: impl IntoIterator<Item = &'a str>) {
        if self.presence {
            state.live.hub.subscribe(&self.connection, user_ids);
        }
    }
}

/// A page of those who watch a channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WatchersPage {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// Adds to the states of channels who watches them, where that is told.
pub(crate) async fn add_watchers(
    state: &State,
    caller: &Caller,
    channels: &[i64],
    shown: &mut [ChannelStateResponse],
    page: WatchersPage,
) -> Result<()> {
    let (limit, offset) = (page.limit as usize, page.offset as usize);
    for (channel_pk, shown) in channels.iter().zip(shown) {
        let config = shown.channel.as_ref().and_then(|channel| channel.config.as_ref());
        if config.is_none_or(|config| !config.connect_events) {
            continue;
        }
        let (count, ids) = state.live.hub.watching_users(*channel_pk, limit, offset);
        if count == 0 {
            continue;
        }
        let users = users::shown(state, caller, ids.iter().map(|id| &**id)).await?;
        // Those who are not stored are counted only.
        let watchers = ids.iter().filter_map(|id| users.find(id));
        shown.watchers = Some(watchers.collect());
        shown.watcher_count = Some(count);
    }
    Ok(())
}

/// Ends the watching of a channel by a connection.
pub(crate) async fn stop_watching(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    connection_id: Option<&str>,
) -> Result<()> {
    if connection_id.is_none() {
        return Err(Error::required("connection_id"));
    }
    let connection = named_connection(state, caller, "connection_id", connection_id)?;
    let channel = access::channel(state, caller, &cid.to_string(), access::ANY).await?;
    if let Some(watching) = state.live.hub.unwatch(&connection, channel.channel.pk) {
        let user = watching_user(state, &connection).await?;
        tell_watching(state, &channel.channel, &channel.config, user, watching, false).await;
    }
    Ok(())
}
