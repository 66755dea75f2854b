//! Delivers the log of a user: to his or her connections, and to those who asked for the presence.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use natterjack_protocol::Timestamp;
use natterjack_protocol::events::{Event, KINDS, Receivers};
use natterjack_protocol::own_user::OwnUserResponse;
use natterjack_protocol::users::UserResponse;
use natterjack_storage::{Channel, LogEntry, Member, Message, Tx, UnreadQuery};

use super::connection::{Close, Connection};
use super::deliver::{Cursor, unless_broken};
use super::load::{BATCH, Totals, load_totals_of, payload};
use super::present::{channel_of_all, of_channel, present_member, said};
use super::sending::send_each;
use super::socket::refuse;
use crate::actions::users::own_user;
use crate::error::Result;
use crate::limits::UNREAD_LISTED_MAX;
use crate::present::{Bundle, MessageContext, discreet, unaware};
use crate::state::State;

struct Request {
    without_kinds: Vec<String>,
    now: Timestamp,
    app_pk: i64,
    user_id: String,
    after: i64,
}

/// A part of a user's log with the rows that it names.
#[derive(Debug, Default)]
pub(super) struct UserBatch {
    pub(super) entries: Vec<LogEntry>,
    channels: HashMap<i64, Channel>,
    /// The user's own memberships, by channel.
    members: HashMap<i64, Member>,
    messages: HashMap<String, Message>,
    bundle: Bundle,
    totals: Option<Totals>,
}

/// Delivers what is new in the log of a user. Answers up to where, or `None` when nobody is told.
pub(super) async fn deliver(
    state: &State,
    app_pk: i64,
    user_id: &str,
    was: Option<Cursor>,
    first: i64,
) -> Result<Option<Cursor>> {
    let hub = &state.live.hub;
    let mut cursor = Cursor::resume(was, first);
    loop {
        if !hub.is_connected(app_pk, user_id) && hub.subscribers(app_pk, user_id).is_empty() {
            return Ok(None);
        }
        let request = Request {
            without_kinds: state.kinds_without_read_events_of(app_pk),
            now: state.now(),
            app_pk,
            user_id: user_id.to_owned(),
            after: cursor.at,
        };
        let batch = state
            .store
            .read("deliver_to_user", request, |tx, request| {
                Box::pin(async move {
                    let entries =
                        tx.list_user_events(request.app_pk, &request.user_id, request.after, BATCH).await?;
                    load(tx, &request.without_kinds, request.app_pk, &request.user_id, entries, request.now)
                        .await
                })
            })
            .await?;
        let Some(last) = batch.entries.last() else { return Ok(Some(cursor)) };
        cursor.at = last.seq;
        let is_full = batch.entries.len() as i64 == BATCH;
        for entry in batch.entries.iter().filter(|entry| Cursor::is_due(was, entry)) {
            send(state, app_pk, user_id, &batch, entry).await?;
        }
        if !is_full {
            return Ok(Some(cursor));
        }
    }
}

/// Reads the rows that entries of a user's log name.
pub(super) async fn load(
    tx: &mut Tx,
    without_kinds: &[String],
    app_pk: i64,
    user_id: &str,
    entries: Vec<LogEntry>,
    now: Timestamp,
) -> Result<UserBatch> {
    if entries.is_empty() {
        return Ok(UserBatch::default());
    }
    let pks: BTreeSet<i64> = entries.iter().filter_map(|entry| entry.channel_pk).collect();
    let mut batch = UserBatch::default();
    if !pks.is_empty() {
        let pks: Vec<i64> = pks.into_iter().collect();
        let members = tx.list_memberships(user_id, pks.clone()).await?;
        batch.members = members.into_iter().map(|member| (member.channel_pk, member)).collect();
        let channels = tx.list_channels(pks).await?;
        batch.channels = channels.into_iter().map(|channel| (channel.pk, channel)).collect();
    }
    let payloads: Vec<_> = entries.iter().map(payload).collect();
    let message_ids: Vec<String> =
        payloads.iter().filter_map(|payload| payload["message_id"].as_str().map(str::to_owned)).collect();
    let mut messages = Vec::new();
    if !message_ids.is_empty() {
        messages = tx.list_messages_with_ids(app_pk, message_ids).await?;
        messages.retain(|message| batch.channels.contains_key(&message.channel_pk));
    }
    let mut users = BTreeSet::from([user_id.to_owned()]);
    users.extend(payloads.iter().filter_map(|payload| payload["created_by_id"].as_str().map(str::to_owned)));
    for channel in batch.channels.values() {
        users.extend([&channel.created_by_id, &channel.truncated_by_id].into_iter().flatten().cloned());
    }
    let context = MessageContext { app_pk, viewer: Some(user_id.to_owned()), ..MessageContext::default() };
    let shown: Vec<&Message> = messages.iter().collect();
    batch.bundle = Bundle::load(tx, context, &shown, users, now).await?;
    for channel in batch.channels.values() {
        batch.bundle.add_channel(channel.pk, &channel.cid);
    }
    batch.messages = messages.into_iter().map(|message| (message.id.clone(), message)).collect();
    if entries.iter().any(|entry| shows_totals(&entry.kind)) {
        let query = UnreadQuery {
            app_pk,
            user_ids: vec![user_id.to_owned()],
            without_kinds: without_kinds.to_vec(),
            limit: UNREAD_LISTED_MAX,
        };
        batch.totals = load_totals_of(tx, query).await?.remove(user_id);
    }
    batch.entries = entries;
    Ok(batch)
}

/// Whether an event tells what its receiver has not read.
fn shows_totals(kind: &str) -> bool {
    ["notification.mark_read", "notification.mark_unread", "channel.truncated"].contains(&kind)
}

impl UserBatch {
    /// The event that an entry stands for. `None` for what is about a message that is gone.
    pub(super) fn event(&self, state: &State, user_id: &str, entry: &LogEntry) -> Option<Event> {
        let payload = payload(entry);
        let users = &self.bundle.users;
        let mut event = said(&payload);
        if let Some(channel) = entry.channel_pk.and_then(|pk| self.channels.get(&pk)) {
            let config = state.channel_config_of(channel);
            let common = of_channel(channel, &config, &entry.kind, entry.created_at);
            let is_of_member = entry.kind.starts_with("notification.")
                && ["notification.mark_read", "notification.mark_unread"]
                    .iter()
                    .all(|kind| *kind != entry.kind);
            event = Event {
                cid: common.cid,
                channel_id: common.channel_id,
                channel_type: common.channel_type,
                team: common.team,
                channel_member_count: common.channel_member_count,
                channel_message_count: common.channel_message_count,
                channel_custom: common.channel_custom,
                channel_last_message_at: channel.last_message_at,
                channel: Some(channel_of_all(channel, &config, users)),
                member: is_of_member.then(|| {
                    let member = self.members.get(&channel.pk);
                    present_member(channel, member, &payload, user_id, users, self.bundle.now())
                }),
                ..event
            };
        }
        if let Some(id) = payload["message_id"].as_str() {
            let message = self.messages.get(id)?;
            event.message = Some(self.bundle.message(message));
        }
        if shows_totals(&entry.kind)
            && let Some(totals) = self.totals
        {
            event.total_unread_count = Some(totals.messages);
            event.unread_count = Some(totals.messages);
            event.unread_channels = Some(totals.channels);
            event.unread_threads = Some(totals.threads);
            event.unread_thread_messages = Some(totals.thread_messages);
        }
        Some(Event {
            kind: entry.kind.clone(),
            created_at: entry.created_at,
            user: Some(users.get(user_id)),
            // Who follows the user may be told of an own act.
            created_by: payload["created_by_id"].as_str().map(|id| unaware(users.get(id))),
            ..event
        })
    }
}

async fn send(state: &State, app_pk: i64, user_id: &str, batch: &UserBatch, entry: &LogEntry) -> Result<()> {
    let hub = &state.live.hub;
    let event = unless_broken(entry, || batch.event(state, user_id, entry)).flatten();
    let Some(mut event) = event else { return Ok(()) };
    let kind = entry.kind.as_str();
    let mut receivers = hub.of_user(app_pk, user_id);
    let mut others = Vec::new();
    match KINDS.iter().find(|known| known.name == kind).map(|known| known.receivers) {
        // What follows from the log of the channel was delivered with it, and what is not known is for nobody.
        Some(Receivers::Servers | Receivers::OtherMembers) | None => return Ok(()),
        // Who was removed watches no more, whichever log is read first.
        _ if kind == "notification.removed_from_channel" => {}
        // A ban from a channel stands in the log of the channel too.
        Some(receivers_of) if receivers_of == Receivers::OwnNotWatching || kind.ends_with("banned") => {
            if let Some(channel_pk) = entry.channel_pk {
                receivers.retain(|own| !own.interests().channels.contains(&channel_pk));
            }
        }
        Some(Receivers::Presence) => {
            let own: BTreeSet<&str> = receivers.iter().map(|own| own.id.as_str()).collect();
            others = hub.subscribers(app_pk, user_id);
            others.retain(|other| !own.contains(other.id.as_str()));
        }
        _ => {}
    }
    if ["notification.channel_mutes_updated", "notification.mutes_updated"].contains(&kind) {
        event.me = me(state, app_pk, user_id).await?.map(Box::new);
    }
    send_each(&event, receivers.iter()).await;
    if !others.is_empty() {
        event.user = event.user.map(discreet);
        event.created_by = event.created_by.map(discreet);
        send_each(&event, others.iter()).await;
    }
    close_if_gone(state, app_pk, user_id, kind, &batch.bundle.users.get(user_id));
    Ok(())
}

/// The user as he or she sees himself or herself.
pub(super) async fn me(state: &State, app_pk: i64, user_id: &str) -> Result<Option<OwnUserResponse>> {
    match state.user(app_pk, user_id).await? {
        Some(user) => Ok(Some(own_user(state, app_pk, &user.user).await?)),
        None => Ok(None),
    }
}

/// Ends the connections of a user who may not have any after this event, or not by the token they were opened with.
fn close_if_gone(state: &State, app_pk: i64, user_id: &str, kind: &str, user: &UserResponse) {
    let hub = &state.live.hub;
    if ["user.deactivated", "user.deleted"].contains(&kind) {
        hub.close_user(app_pk, user_id, Close::Normal);
    }
    if kind == "user.updated" {
        close_revoked(state, &hub.of_user(app_pk, user_id), user.revoke_tokens_issued_before);
        // Who became invisible is offline to others, and the other way round.
        state.live.presences.note(app_pk, user_id);
    }
}

/// Ends those of these connections whose tokens were revoked.
fn close_revoked(state: &State, connections: &[Arc<Connection>], revoked_before: Option<Timestamp>) {
    for connection in connections {
        let held = connection.term.map_or(Ok(()), |term| term.check_not_revoked(revoked_before));
        if let Err(error) = held {
            refuse(state, connection, &error);
        }
    }
}
