//! Builds events out of the entries of logs.

use std::collections::HashSet;
use std::sync::Arc;

use natterjack_protocol::Timestamp;
use natterjack_protocol::channel_state::ChannelResponse;
use natterjack_protocol::channel_types::ChannelTypeConfig;
use natterjack_protocol::events::{Event, KINDS, Receivers};
use natterjack_protocol::members::ChannelMemberResponse;
use natterjack_protocol::message_types::MessageResponse;
use natterjack_storage::{Channel, LogEntry, Member, Message, Reaction, RemovedMember};
use serde_json::Value;

use super::load::{Batch, Rows, payload};
use crate::limits::MANY_WATCHERS;
use crate::present;
use crate::state::access::Rights;

/// An event and to whom it goes.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) event: Event,
    pub(super) scope: Scope,
    pub(super) audience: Audience,
    pub(super) totals: ShownTotals,
}

/// To whom an event of a channel goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    Watchers,
    /// Those who watch, and the sender's connections that do not.
    WatchersAndSender(String),
    /// Connections of members that do not watch, except those of the sender, who gets it as one who watches.
    OtherMembers {
        except: Option<String>,
    },
    /// Every connection of the user.
    Own(String),
    /// The connections of these users that do not watch.
    NotWatching(Vec<String>),
}

/// Who of them may see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Audience {
    /// Only these, when it is restricted.
    only: Option<HashSet<String>>,
    /// Whether those see it, too, who may read what is restricted to others.
    is_restricted: bool,
    /// Not these.
    except: HashSet<String>,
    /// The only ones who get the event in this form, who are not to notice something that others see.
    only_form_of: Option<HashSet<String>>,
}

impl Audience {
    /// Whether a user who has these rights in the channel may be told.
    pub(super) fn may_receive(&self, user_id: &str, rights: Rights) -> bool {
        let is_meant = self.only.as_ref().is_none_or(|only| only.contains(user_id))
            || (self.is_restricted && rights.reads_restricted);
        let is_for = self.only_form_of.as_ref().is_none_or(|only| only.contains(user_id));
        rights.reads && is_meant && is_for && !self.except.contains(user_id)
    }
}

/// Which totals of its receiver stand in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShownTotals {
    None,
    Messages,
    Threads,
}

impl Delivery {
    /// The event in two forms: changed for these users, and as it is for all others.
    fn apart(mut self, users: HashSet<String>, change: impl FnOnce(&mut Event)) -> [Self; 2] {
        let mut event = self.event.clone();
        change(&mut event);
        let mut audience = self.audience.clone();
        self.audience.except.extend(users.iter().cloned());
        audience.only_form_of = Some(match audience.only_form_of {
            Some(only) => only.intersection(&users).cloned().collect(),
            None => users,
        });
        let changed = Self { event, scope: self.scope.clone(), audience, totals: self.totals };
        [changed, self]
    }
}

/// Each of these in two forms, as [`Delivery::apart`], when there are such users.
fn set_apart(told: Vec<Delivery>, users: &HashSet<String>, change: fn(&mut Event)) -> Vec<Delivery> {
    if users.is_empty() {
        return told;
    }
    told.into_iter().flat_map(|told| told.apart(users.clone(), change)).collect()
}

/// What a channel's events are built from.
pub(super) struct Source<'a> {
    pub(super) channel: &'a Channel,
    pub(super) config: &'a Arc<ChannelTypeConfig>,
    pub(super) rows: &'a Rows,
    /// Users who watch, where that is told.
    pub(super) watcher_count: i64,
}

impl<'a> Source<'a> {
    pub(super) fn new(
        batch: &'a Batch,
        channel: &'a Channel,
        config: &'a Arc<ChannelTypeConfig>,
        watcher_count: i64,
    ) -> Self {
        Self { channel, config, rows: &batch.rows, watcher_count }
    }

    /// As [`Source::deliveries`]. Each of `unaware` gets the events in a form of his or her own, as these rows have it.
    pub(super) fn deliveries_with(&self, entry: &LogEntry, unaware: &[(String, Rows)]) -> Vec<Delivery> {
        let mut deliveries = self.deliveries(entry);
        for delivery in &mut deliveries {
            delivery.audience.except.extend(unaware.iter().map(|(user_id, _)| user_id.clone()));
        }
        for (user_id, rows) in unaware {
            let own = Source { rows, ..*self }.deliveries(entry).into_iter().map(|mut delivery| {
                let is_for =
                    delivery.audience.only_form_of.as_ref().is_none_or(|only| only.contains(user_id));
                delivery.audience.only_form_of = Some(is_for.then(|| user_id.clone()).into_iter().collect());
                delivery
            });
            deliveries.extend(own);
        }
        deliveries
    }

    /// The events that an entry of the channel's log stands for, with their receivers.
    pub(super) fn deliveries(&self, entry: &LogEntry) -> Vec<Delivery> {
        // What is not known to be for those who are connected reaches none of them.
        let known = KINDS.iter().find(|known| known.name == entry.kind);
        if known.is_none_or(|known| known.receivers == Receivers::Servers) {
            return Vec::new();
        }
        let payload = payload(entry);
        if let Some(id) = &entry.message_id
            && entry.kind != "channel.updated"
            && entry.kind != "channel.truncated"
        {
            return self.of_message(entry, &payload, id);
        }
        let event = self.event(entry, &payload);
        let mut audience = Audience { except: self.rows.blockers.clone(), ..Audience::default() };
        if payload["shadow"] == true {
            // Who is banned without noticing is not told.
            audience.except.extend(entry.user_id.clone());
        }
        let delivery =
            |scope, event| Delivery { event, scope, audience: audience.clone(), totals: ShownTotals::None };
        match entry.kind.as_str() {
            "channel.created" => {
                let creator = entry.user_id.clone().unwrap_or_default();
                vec![delivery(Scope::Own(creator), Event { channel: Some(self.channel()), ..event })]
            }
            "channel.updated" => {
                let message = self.posted(entry);
                let event = Event { channel: Some(self.channel()), ..self.with_posted(event, message) };
                self.with_posted_in_forms(vec![delivery(Scope::Watchers, event)], message)
            }
            kind @ ("channel.deleted" | "channel.truncated") => {
                let message = self.posted(entry);
                let mut channel = present::channel(self.channel, self.config, &self.rows.bundle.users, None);
                // One that is deleted for good goes by another name until it is gone.
                channel.cid = event.cid.clone().unwrap_or_default();
                channel.id = event.channel_id.clone().unwrap_or_default();
                channel.own_capabilities = None;
                let event = Event { channel: Some(Arc::new(channel)), ..self.with_posted(event, message) };
                let notification =
                    Event { kind: format!("notification.{}", kind.replace('.', "_")), ..event.clone() };
                let told = Delivery {
                    totals: ShownTotals::Messages,
                    ..delivery(Scope::OtherMembers { except: None }, notification)
                };
                self.with_posted_in_forms(vec![delivery(Scope::Watchers, event), told], message)
            }
            "message.read" if self.watcher_count > MANY_WATCHERS => Vec::new(),
            "message.read" => {
                let thread_id = event.thread_id.clone();
                let thread = thread_id.as_deref().and_then(|id| self.thread(id));
                let mut told = delivery(Scope::Watchers, Event { thread, ..event });
                told.audience.except.extend(self.not_shown_to(thread_id.as_deref()));
                vec![told]
            }
            kind if kind.starts_with("member.") => {
                let user_id = entry.user_id.as_deref().unwrap_or_default();
                let member = Some(self.member(user_id, &payload));
                vec![delivery(Scope::Watchers, Event { channel: Some(self.channel()), member, ..event })]
            }
            _ => vec![delivery(Scope::Watchers, event)],
        }
    }

    /// The events of an entry about a message. None when the message is not shown any more.
    fn of_message(&self, entry: &LogEntry, payload: &Value, id: &str) -> Vec<Delivery> {
        let gone = &payload["gone"];
        let stored = self.rows.messages.get(id);
        let (audience, message) = match stored {
            Some(message) if message.created_at <= self.channel.history_from => return Vec::new(),
            Some(message) => (
                self.audience(id, &message.user_id, &message.restricted_visibility),
                self.rows.bundle.message(message),
            ),
            None if !gone.is_object() => return Vec::new(),
            None => {
                let author = gone["user_id"].as_str().unwrap_or_default();
                let readers: Vec<String> =
                    serde_json::from_value(gone["restricted_visibility"].clone()).unwrap_or_default();
                (self.audience(id, author, &readers), self.gone(id, gone))
            }
        };
        let message_id = Some(id.to_owned());
        let event = Event { message: Some(message), message_id, ..self.event(entry, payload) };
        let watchers = |event| Delivery {
            event,
            scope: Scope::Watchers,
            audience: audience.clone(),
            totals: ShownTotals::None,
        };
        let deliveries = match entry.kind.as_str() {
            "message.new" => match stored {
                Some(stored) => self.of_new_message(stored, event, &audience),
                None => Vec::new(),
            },
            kind if kind.starts_with("reaction.") => {
                let reaction: Option<Reaction> = serde_json::from_value(payload["reaction"].clone()).ok();
                let reaction = reaction.map(|stored| present::reaction(&stored, id, &self.rows.bundle.users));
                let thread_participants =
                    event.message.as_ref().and_then(|message| message.thread_participants.clone());
                vec![watchers(Event { reaction, thread_participants, ..event })]
            }
            "message.delivered" => vec![watchers(Event { message: None, message_id: None, ..event })],
            "thread.updated" => {
                let thread = self.thread(id);
                vec![watchers(Event { thread, message: None, message_id: None, ..event })]
            }
            _ => vec![watchers(event)],
        };
        let is_shadowed = stored.is_some_and(|message| message.shadowed);
        // Nobody is notified of a shadowed message.
        let is_told = |told: &Delivery| {
            !is_shadowed || matches!(told.scope, Scope::Watchers | Scope::WatchersAndSender(_))
        };
        let deliveries = deliveries.into_iter().filter(is_told).collect();
        match stored {
            Some(message) => self.in_forms(deliveries, message),
            None => deliveries,
        }
    }

    /// The message that was posted with a change of the channel, while it is shown.
    fn posted(&self, entry: &LogEntry) -> Option<&'a Message> {
        let message = self.rows.messages.get(entry.message_id.as_ref()?)?;
        (message.created_at > self.channel.history_from).then_some(message)
    }

    fn with_posted(&self, event: Event, message: Option<&Message>) -> Event {
        Event {
            message: message.map(|message| self.rows.bundle.message(message)),
            message_id: message.map(|message| message.id.clone()),
            ..event
        }
    }

    /// As [`Source::in_forms`], of events that are told also to those who do not see the message itself.
    fn with_posted_in_forms(&self, deliveries: Vec<Delivery>, message: Option<&Message>) -> Vec<Delivery> {
        let Some(message) = message else { return deliveries };
        let without = set_apart(deliveries, &self.not_shown_to(Some(&message.id)), |event| {
            event.message = None;
            event.message_id = None;
        });
        self.in_forms(without, message)
    }

    /// Events with this message, in the forms in which they are told: its author does not notice that it is shadowed, and
    /// who does not see the message that it quotes is told without.
    fn in_forms(&self, mut deliveries: Vec<Delivery>, message: &Message) -> Vec<Delivery> {
        if message.shadowed {
            let author = HashSet::from([message.user_id.clone()]);
            deliveries = set_apart(deliveries, &author, |event| {
                event.message.iter_mut().for_each(|message| message.shadowed = false);
            });
        }
        let users = self.not_shown_to(message.quoted_message_id.as_deref());
        set_apart(deliveries, &users, |event| {
            event.message.iter_mut().for_each(|message| message.quoted_message = None);
        })
    }

    /// Members to whom a message is not shown.
    fn not_shown_to(&self, message_id: Option<&str>) -> HashSet<String> {
        message_id.and_then(|id| self.rows.not_shown.get(id)).cloned().unwrap_or_default()
    }

    fn of_new_message(&self, message: &Message, event: Event, audience: &Audience) -> Vec<Delivery> {
        let users = &self.rows.bundle.users;
        let thread = message.parent_id.as_deref().and_then(|id| Some((id, self.rows.threads.get(id)?)));
        let participants = thread.map(|(_, (_, participants))| participants.as_slice()).unwrap_or_default();
        let parent = message.parent_id.as_ref().and_then(|id| self.rows.messages.get(id));
        let event = Event {
            watcher_count: Some(self.watcher_count),
            thread_participants: thread
                .map(|_| participants.iter().map(|participant| users.get(&participant.user_id)).collect()),
            parent_author: parent.map(|parent| parent.user_id.clone()),
            ..event
        };
        let delivery = |scope, totals, event| Delivery { event, scope, totals, audience: audience.clone() };
        let mut deliveries = Vec::with_capacity(3);
        if message.in_channel {
            let kind = "notification.message_new".to_owned();
            let notification = Event { kind, channel: Some(self.channel()), ..event.clone() };
            let scope = Scope::OtherMembers { except: Some(message.user_id.clone()) };
            deliveries.push(delivery(scope, ShownTotals::Messages, notification));
        }
        if let Some((thread_id, _)) = thread {
            let others = participants.iter().map(|participant| participant.user_id.clone());
            let others = others.filter(|id| *id != message.user_id).collect();
            let event = Event {
                kind: "notification.thread_message_new".to_owned(),
                channel: Some(self.channel()),
                thread_id: Some(thread_id.to_owned()),
                ..event.clone()
            };
            deliveries.push(delivery(Scope::NotWatching(others), ShownTotals::Threads, event));
        }
        let watchers = Scope::WatchersAndSender(message.user_id.clone());
        deliveries.insert(0, delivery(watchers, ShownTotals::Messages, event));
        deliveries
    }

    /// The event with what stands in each of a channel.
    pub(super) fn event(&self, entry: &LogEntry, payload: &Value) -> Event {
        let users = &self.rows.bundle.users;
        let said = said(payload);
        let mut event = of_channel(self.channel, self.config, &entry.kind, entry.created_at);
        if let Some(cid) = said.cid.clone().filter(|cid| *cid != self.channel.cid) {
            event.channel_id = cid.split_once(':').map(|(_, id)| id.to_owned());
            event.cid = Some(cid);
        }
        Event {
            user: entry.user_id.as_deref().map(|id| users.get(id)),
            created_by: payload["created_by_id"].as_str().map(|id| users.get(id)),
            cid: event.cid,
            channel_id: event.channel_id,
            channel_type: event.channel_type,
            team: event.team,
            channel_member_count: event.channel_member_count,
            channel_message_count: event.channel_message_count,
            channel_custom: event.channel_custom,
            kind: event.kind,
            created_at: event.created_at,
            channel: None,
            reaction: None,
            ..said
        }
    }

    fn audience(&self, id: &str, author: &str, readers: &[String]) -> Audience {
        let mut except = self.rows.blockers.clone();
        except.extend(self.not_shown_to(Some(id)));
        let all = readers.iter().cloned().chain([author.to_owned()]);
        let only = (!readers.is_empty()).then(|| all.collect());
        Audience { only, is_restricted: !readers.is_empty(), except, only_form_of: None }
    }

    /// The channel as it stands in events: with nothing of a single user.
    pub(super) fn channel(&self) -> Arc<ChannelResponse> {
        channel_of_all(self.channel, self.config, &self.rows.bundle.users)
    }

    /// What is left to say of a message that was deleted for good.
    fn gone(&self, id: &str, gone: &Value) -> MessageResponse {
        let text = |name: &str| gone[name].as_str().map(str::to_owned);
        let created_at = serde_json::from_value(gone["created_at"].clone()).unwrap_or_default();
        MessageResponse {
            id: id.to_owned(),
            cid: self.channel.cid.clone(),
            kind: "deleted".to_owned(),
            user: self.rows.bundle.users.get(gone["user_id"].as_str().unwrap_or_default()),
            parent_id: text("parent_id"),
            show_in_channel: gone["show_in_channel"].as_bool(),
            created_at,
            updated_at: created_at,
            ..MessageResponse::default()
        }
    }

    fn member(&self, user_id: &str, payload: &Value) -> ChannelMemberResponse {
        let member = self.rows.members.get(user_id);
        let users = &self.rows.bundle.users;
        present_member(self.channel, member, payload, user_id, users, self.rows.bundle.now())
    }

    fn thread(&self, parent_id: &str) -> Option<natterjack_protocol::threads::ThreadResponse> {
        let parent = self.rows.messages.get(parent_id)?;
        let (thread, participants) = self.rows.threads.get(parent_id)?;
        Some(present::thread(&self.channel.cid, parent, thread, participants, &self.rows.bundle.users))
    }
}

/// A member, or what the payload says of one who was removed.
pub(super) fn present_member(
    channel: &Channel,
    member: Option<&Member>,
    payload: &Value,
    user_id: &str,
    users: &present::Users,
    now: Timestamp,
) -> ChannelMemberResponse {
    let removed: Option<RemovedMember> = serde_json::from_value(payload["removed"].clone()).ok();
    let none = ChannelMemberResponse {
        user_id: Some(user_id.to_owned()),
        user: Some(users.get(user_id)),
        channel_role: "channel_member".to_owned(),
        ..ChannelMemberResponse::default()
    };
    match (removed, member) {
        (Some(RemovedMember { channel_role, custom, created_at, updated_at, .. }), _) => {
            ChannelMemberResponse { channel_role, custom, created_at, updated_at, ..none }
        }
        (None, Some(member)) => present::member(member, users, channel.created_by_id.as_deref(), now),
        (None, None) => none,
    }
}

/// The channel as it stands in events: with nothing of a single user.
pub(super) fn channel_of_all(
    channel: &Channel,
    config: &Arc<ChannelTypeConfig>,
    users: &present::Users,
) -> Arc<ChannelResponse> {
    Arc::new(ChannelResponse { own_capabilities: None, ..present::channel(channel, config, users, None) })
}

/// An event of a channel with nothing in it yet.
pub(crate) fn of_channel(channel: &Channel, config: &ChannelTypeConfig, kind: &str, at: Timestamp) -> Event {
    Event {
        kind: kind.to_owned(),
        created_at: at,
        cid: Some(channel.cid.clone()),
        channel_id: Some(channel.id.clone()),
        channel_type: Some(channel.kind.clone()),
        team: channel.team.clone(),
        channel_member_count: Some(channel.member_count),
        channel_message_count: config.count_messages.then_some(channel.counted_messages()),
        channel_custom: (!channel.custom.is_empty())
            .then(|| channel.custom.iter().map(|(key, value)| (key.clone(), value.clone())).collect()),
        ..Event::default()
    }
}

/// What a payload says: its keys are those of events.
pub(super) fn said(payload: &Value) -> Event {
    let mut payload = payload.clone();
    if let Some(fields) = payload.as_object_mut() {
        // Rows as they are stored, which are shown apart.
        fields.remove("reaction");
    }
    serde_json::from_value(payload).unwrap_or_default()
}
