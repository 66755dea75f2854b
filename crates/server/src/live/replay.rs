//! What a log says to a user who was away.

use natterjack_protocol::Timestamp;
use natterjack_protocol::events::{Event, KINDS};
use natterjack_storage::{Channel, LogEntry, Member};

use super::deliver::unless_broken;
use super::load::{self, Batch, Reader};
use super::present::{Scope, Source};
use super::user_log;
use crate::error::Result;
use crate::state::State;
use crate::state::access::Rights;

/// Whether `/sync` repeats an event.
fn is_repeated(entry: &LogEntry) -> bool {
    KINDS.iter().any(|known| known.is_history && known.name == entry.kind)
}

/// What happened in a channel since a moment, at most `limit` events of its log, as the user would have been told.
pub(crate) async fn replay_channel(
    state: &State,
    channel: &Channel,
    user_id: &str,
    membership: Option<&Member>,
    rights: Rights,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Event>> {
    let shown_from = channel.shown_from(membership);
    let request = (channel.clone(), user_id.to_owned(), shown_from, since, limit, state.now());
    let batch = state
        .store
        .read("replay_channel", request, |tx, (channel, user_id, shown_from, since, limit, now)| {
            Box::pin(async move {
                let mut entries = tx.list_channel_events_since(channel.pk, *since, *limit).await?;
                entries.retain(is_repeated);
                let reader = Reader { user_id, shown_from: *shown_from };
                let rows = load::load_rows(tx, channel, &entries, Some(reader), *now).await?;
                Ok::<_, crate::error::Error>(Batch { entries, rows, ..Batch::default() })
            })
        })
        .await?;
    let config = state.channel_config_of(channel);
    let source = Source::new(&batch, channel, &config, 0);
    let of_user = |entry: &LogEntry| {
        let deliveries = unless_broken(entry, || source.deliveries(entry))?;
        let mut told = deliveries.into_iter().filter(|delivery| match &delivery.scope {
            Scope::Watchers | Scope::WatchersAndSender(_) => true,
            Scope::Own(own) => own == user_id,
            Scope::OtherMembers { .. } | Scope::NotWatching(_) => false,
        });
        let mut event = told.find(|told| told.audience.may_receive(user_id, rights))?.event;
        // How many watched is not known any more.
        event.watcher_count = None;
        Some(event)
    };
    Ok(batch.entries.iter().filter_map(of_user).collect())
}

/// What happened to a user since a moment, at most `limit` events of the log, each with the channel that it is about.
pub(crate) async fn replay_user(
    state: &State,
    app_pk: i64,
    user_id: &str,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<(Option<i64>, Event)>> {
    let types = state.kinds_without_read_events_of(app_pk);
    let request = (app_pk, user_id.to_owned(), since, limit, state.now(), types);
    let batch = state
        .store
        .read("replay_user", request, |tx, (app_pk, user_id, since, limit, now, types)| {
            Box::pin(async move {
                let mut entries = tx.list_user_events_since(*app_pk, user_id, *since, *limit).await?;
                entries.retain(is_repeated);
                user_log::load(tx, types, *app_pk, user_id, entries, *now).await
            })
        })
        .await?;
    let of_user = |entry: &LogEntry| {
        let event = unless_broken(entry, || batch.event(state, user_id, entry))??;
        Some((entry.channel_pk, event))
    };
    Ok(batch.entries.iter().filter_map(of_user).collect())
}
