use std::collections::BTreeMap;
use std::sync::Arc;

use natterjack_protocol::channel_state::ChannelContextResponse;
use natterjack_protocol::messages::{MessageRequest, SendMessageRequest, SendMessageResponse};
use natterjack_protocol::{Cid, ErrorCode, Timestamp};
use natterjack_storage::{
    Advance, Advanced, ChannelEvent, Message, MessageChange, MessageExtra, MessageKind, NewMessage, Turn, Tx,
    UserEvent,
};
use uuid::Uuid;

use super::check::{
    Content, PinRequest, check_content, check_may_say, check_readers, each_once, find_in_channel,
};
use crate::actions::{bans, given, message_id, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::permissions::Action;
use crate::present::{Bundle, MessageContext, Users};
use crate::state::access::{self, Access};
use crate::state::{CachedChannel, CachedUser, Freshness, State};

/// A message that may be sent, with everything that its transaction needs. Only [`check_send`] makes one.
struct SendPlan {
    app_pk: i64,
    channel: Arc<CachedChannel>,
    sender: Arc<CachedUser>,
    sender_is_member: bool,
    parent: Option<Parent>,
    new: NewMessage,
    keep_channel_hidden: bool,
    /// The seconds that must lie between two messages of the sender.
    cooldown: Option<i64>,
    now: Timestamp,
}

impl SendPlan {
    /// Slow mode looks at the message before, a reply at its thread, a restricted message at who has read how far.
    fn turn(&self) -> Turn {
        let is_plain =
            self.cooldown.is_none() && self.parent.is_none() && self.new.restricted_visibility.is_empty();
        if is_plain { Turn::Any } else { Turn::OneByOne }
    }
}

/// The message that a reply answers.
#[derive(Debug, Clone)]
struct Parent {
    pk: i64,
    id: String,
    author_id: String,
}

/// What a reply needs beside the plan.
struct Checked {
    plan: SendPlan,
    content_users: Users,
    quoted: Option<Message>,
}

/// Sends a message to a channel.
pub(crate) async fn send_message(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    request: SendMessageRequest,
) -> Result<SendMessageResponse> {
    let cid_text = cid.to_string();
    let message = &request.message;
    let find_sender =
        || users::sender(state, caller, &cid_text, message.user_id.as_ref(), message.user.as_ref());
    let first = find_sender().await?;
    let mut sender = Arc::clone(&first);
    let mut fresh = Freshness::new(caller.app.pk, &cid_text, Some(&first.user.id));
    loop {
        let Checked { plan, content_users, quoted } =
            check_send(state, caller, &cid_text, &request, sender).await?;
        let channel = Arc::clone(&plan.channel);
        let (channel_pk, turn) = (channel.channel.pk, plan.turn());
        let outcome = state
            .store
            .write_in_channel(channel_pk, turn, "send_message", plan, |tx, plan| Box::pin(do_send(tx, plan)))
            .await;
        if let Some(sent) = fresh.settle(state, outcome)? {
            return present_sent(state, caller, &channel, &request, sent, content_users, quoted).await;
        }
        sender = find_sender().await?;
    }
}

async fn present_sent(
    state: &State,
    caller: &Caller,
    channel: &CachedChannel,
    request: &SendMessageRequest,
    message: Message,
    users: Users,
    quoted: Option<Message>,
) -> Result<SendMessageResponse> {
    let context = MessageContext::of(caller);
    let mut bundle = Bundle::of_users(users, context, message.created_at);
    bundle.add_channel(message.channel_pk, &channel.channel.cid);
    if let Some(quoted) = quoted {
        bundle.add_quoted(quoted);
    }
    let channel_context = || ChannelContextResponse {
        cid: channel.channel.cid.clone(),
        id: channel.channel.id.clone(),
        kind: channel.channel.kind.clone(),
        created_by: None,
    };
    Ok(SendMessageResponse {
        message: bundle.message(&message),
        channel_context: (request.include_channel_context == Some(true)).then(channel_context),
        mentioned_members: match request.include_mentioned_members {
            Some(true) => Some(mentioned_members(state, channel, &message).await?),
            _ => None,
        },
        pending_message_metadata: None,
    })
}

/// Which of the mentioned users are members.
async fn mentioned_members(
    state: &State,
    channel: &CachedChannel,
    message: &Message,
) -> Result<BTreeMap<String, bool>> {
    let mut members = BTreeMap::new();
    for id in &message.mentioned_user_ids {
        members.insert(id.clone(), state.channel_role(&channel.channel, id).await?.is_some());
    }
    Ok(members)
}

async fn check_send(
    state: &State,
    caller: &Caller,
    cid: &str,
    request: &SendMessageRequest,
    sender: Arc<CachedUser>,
) -> Result<Checked> {
    let message = &request.message;
    let is_reply = given(message.parent_id.as_ref()).is_some();
    let needed = if is_reply { access::REPLY } else { &[Action::CreateMessage] };
    let access = access::channel(state, caller, cid, needed).await?;
    if request.pending == Some(true) {
        return Err(Error::field("pending", "is refused: pending messages not enabled"));
    }
    bans::check_not_banned(state, caller, Some(&access)).await?;
    let now = state.now();
    let is_system = check_kind(message)?;
    check_may_send(&access, message, is_system)?;
    let channel = Arc::clone(&access.cached);
    let is_restricted = !message.restricted_visibility.is_empty();
    let pin =
        PinRequest::check("message", message.pinned, message.pin_expires.map(Some), is_restricted, now)?
            .apply(None, &sender.user.id, now);
    check_readers(state, caller, "message", &message.restricted_visibility).await?;
    let id = match given(message.id.as_ref()) {
        Some(id) => message_id("message.id", id)?.as_str().to_owned(),
        None => generated_id(&sender.user.id, now),
    };
    let parent = check_parent(state, caller, &channel, message).await?;
    let Content { mut change, mentioned, quoted } =
        check_content(state, caller, &channel, message, pin).await?;
    let role = state.channel_role(&channel.channel, &sender.user.id).await?;
    let shadowed = bans::is_shadow_banned(state, &sender, &channel).await?;
    change.extra.channel_role = role.as_deref().map(str::to_owned);
    if parent.is_some() {
        change.extra.show_in_channel = Some(message.show_in_channel == Some(true));
    }
    let in_channel = parent.is_none() || message.show_in_channel == Some(true);
    let silent = message.silent == Some(true);
    let new = NewMessage {
        id,
        user_id: sender.user.id.clone(),
        kind: match (&parent, is_system) {
            (_, true) => MessageKind::System,
            (Some(_), false) => MessageKind::Reply,
            (None, false) => MessageKind::Regular,
        },
        parent_pk: parent.as_ref().map(|parent| parent.pk),
        parent_id: parent.as_ref().map(|parent| parent.id.clone()),
        in_channel,
        counts_unread: in_channel && !silent && !shadowed && message.restricted_visibility.is_empty(),
        silent,
        shadowed,
        restricted_visibility: each_once(&message.restricted_visibility),
        change,
    };
    let mut content_users: Users = mentioned.values().map(|user| Arc::clone(&user.response)).collect();
    if let Some(quoted) = &quoted {
        let ids = std::iter::once(quoted.user_id.as_str())
            .chain(quoted.mentioned_user_ids.iter().map(String::as_str))
            .chain(quoted.reactions.user_ids());
        for user in state.users(caller.app.pk, ids).await?.into_values() {
            content_users.insert(Arc::clone(&user.response));
        }
    }
    content_users.insert(Arc::clone(&sender.response));
    let cooldown = channel.channel.cooldown;
    let plan = SendPlan {
        app_pk: caller.app.pk,
        channel,
        sender_is_member: role.is_some(),
        sender,
        parent,
        new,
        keep_channel_hidden: request.keep_channel_hidden == Some(true),
        cooldown: (!access.may(Action::SkipChannelCooldown)).then_some(cooldown).filter(|it| *it > 0),
        now,
    };
    Ok(Checked { plan, content_users, quoted })
}

/// Refuses what the sender may not send here.
fn check_may_send(access: &Access, message: &MessageRequest, is_system: bool) -> Result<()> {
    if is_system {
        access.require(Action::CreateSystemMessage)?;
    }
    if message.pinned == Some(true) {
        access.require(Action::PinMessage)?;
    }
    if !message.restricted_visibility.is_empty() {
        access.require(Action::CreateRestrictedVisibilityMessage)?;
    }
    if given(message.poll_id.as_ref()).is_some() {
        access.require(Action::SendPoll)?;
    }
    check_may_say(access, "message", message)?;
    access.require_thawed()
}

/// Whether the message is one of the system's.
fn check_kind(message: &MessageRequest) -> Result<bool> {
    match given(message.kind.as_ref()) {
        None | Some("regular" | "reply") => Ok(false),
        Some("system") => Ok(true),
        Some(other) => {
            Err(Error::field("message.type", format!("must be regular or system, found {other:?}")))
        }
    }
}

async fn check_parent(
    state: &State,
    caller: &Caller,
    channel: &CachedChannel,
    message: &MessageRequest,
) -> Result<Option<Parent>> {
    const FIELD: &str = "message.parent_id";
    let Some(id) = given(message.parent_id.as_ref()) else { return Ok(None) };
    if !channel.config.replies {
        return Err(Error::caller(ErrorCode::FeatureDisabled, "replies are disabled for this channel"));
    }
    let parent = find_in_channel(state, caller, channel, &message_id(FIELD, id)?).await?;
    let parent =
        parent.ok_or_else(|| Error::field(FIELD, format!("names a message that doesn't exist: {id}")))?;
    if parent.parent_pk.is_some() {
        return Err(Error::caller(
            ErrorCode::MultipleNesting,
            "message.parent_id names a reply; replies to replies are not supported",
        ));
    }
    Ok(Some(Parent { pk: parent.pk, id: parent.id, author_id: parent.user_id }))
}

/// An id for a message whose sender chose none.
fn generated_id(user_id: &str, now: Timestamp) -> String {
    // Ids that grow with time keep the index of ids together where it is written.
    let nanoseconds = u64::try_from(now.nanoseconds()).unwrap_or_default();
    let at = uuid::Timestamp::from_unix(
        uuid::NoContext,
        nanoseconds / 1_000_000_000,
        (nanoseconds % 1_000_000_000) as u32,
    );
    let unique = Uuid::new_v7(at);
    let id = format!("{user_id}-{unique}");
    if id.len() > natterjack_protocol::MessageId::LENGTH_MAX { unique.to_string() } else { id }
}

/// Stores a checked message with its counters and events.
async fn do_send(tx: &mut Tx, plan: &SendPlan) -> Result<Message> {
    let events = if plan.parent.is_some() { 2 } else { 1 };
    let channel = &plan.channel.channel;
    let skips_last_message =
        plan.new.kind == MessageKind::System && plan.channel.config.skip_last_msg_update_for_system_msgs;
    let advance = Advance {
        events,
        unread: i64::from(plan.new.counts_unread),
        messages: 1,
        last_message: plan.new.in_channel && !skips_last_message,
        counting: Some(plan.channel.config.count_messages),
        ..Advance::default()
    };
    let sender = &plan.sender.user;
    let (advanced, sender_version) = tx
        .advance_channel_for(channel.pk, advance, plan.now, plan.app_pk, &sender.id)
        .await?
        .ok_or(Error::Stale)?;
    if !plan.channel.is_fresh(&advanced) || sender_version != Some(sender.version) {
        return Err(Error::Stale);
    }
    if let Some(cooldown) = plan.cooldown {
        check_cooled_down(tx, plan, cooldown, advanced.at).await?;
    }
    let thread_seq = match &plan.parent {
        None => None,
        Some(parent) => Some(do_advance_thread(tx, plan, parent, advanced).await?),
    };
    let inserted = tx
        .insert_message(plan.app_pk, channel.pk, &plan.new, advanced.unread_seq, thread_seq, advanced.at)
        .await?;
    let Some(pk) = inserted else {
        return Err(Error::field(
            "message.id",
            format!("is taken: a message with ID {} already exists", plan.new.id),
        ));
    };
    let message = Message::from_new(
        plan.new.clone(),
        pk,
        plan.app_pk,
        channel.pk,
        advanced.unread_seq,
        thread_seq,
        advanced.at,
    );
    let moves_read_position = plan.sender_is_member && message.in_channel;
    tx.follow_new_message(&message, advanced.event_seq - events + 1, moves_read_position).await?;
    if message.counts_for_its_readers() {
        tx.count_restricted(&message).await?;
    }
    if let Some(parent) = &plan.parent {
        do_follow_reply(tx, parent, &message, advanced).await?;
    }
    if advanced.is_hidden && !plan.keep_channel_hidden && message.in_channel && !message.shadowed {
        do_show_hidden(tx, &message).await?;
    }
    Ok(message)
}

/// Refuses the sender whose last message in the channel, which is locked, is too young.
async fn check_cooled_down(tx: &mut Tx, plan: &SendPlan, cooldown: i64, at: Timestamp) -> Result<()> {
    let channel = &plan.channel.channel;
    let user_id = &plan.sender.user.id;
    let last = tx.find_last_sent_at(plan.app_pk, user_id, channel.pk).await?;
    let age = last.map(|last| at.nanoseconds() - last.nanoseconds());
    if age.is_none_or(|age| age >= cooldown * 1_000_000_000) {
        return Ok(());
    }
    Err(Error::caller(
        ErrorCode::Cooldown,
        format!(
            "user {user_id} is not allowed to send messages on channel {} under cool down period({cooldown}s)",
            channel.cid
        ),
    ))
}

/// Counts the reply into its thread, after making sure that its parent is still there.
async fn do_advance_thread(tx: &mut Tx, plan: &SendPlan, parent: &Parent, advanced: Advanced) -> Result<i64> {
    if !tx.update_reply_counts(parent.pk, 1, 0).await? {
        return Err(Error::field(
            "message.parent_id",
            format!("names a message that doesn't exist: {}", parent.id),
        ));
    }
    let channel_pk = plan.channel.channel.pk;
    Ok(tx.advance_thread(plan.app_pk, channel_pk, parent.pk, &plan.new.user_id, advanced.at).await?)
}

/// Lets the sender, the parent's author and those mentioned take part in the thread.
async fn do_follow_reply(tx: &mut Tx, parent: &Parent, reply: &Message, advanced: Advanced) -> Result<()> {
    let others: Vec<&str> =
        std::iter::once(&parent.author_id).chain(&reply.mentioned_user_ids).map(String::as_str).collect();
    tx.follow_reply(reply, &others).await?;
    if let (true, Some(seq)) = (reply.shadowed, reply.thread_seq) {
        tx.insert_thread_unread_gap(parent.pk, seq, &reply.user_id).await?;
    }
    let event = ChannelEvent {
        channel_pk: reply.channel_pk,
        seq: advanced.event_seq,
        kind: "message.updated",
        user_id: Some(&parent.author_id),
        message_id: Some(&parent.id),
        payload: None,
    };
    tx.append_channel_event(event, advanced.at).await?;
    Ok(())
}

/// A new message shows the channel again to those who had hidden it and see the message, unless it
/// is quiet for them.
async fn do_show_hidden(tx: &mut Tx, message: &Message) -> Result<()> {
    let only = (!message.restricted_visibility.is_empty()).then(|| {
        let mut readers = message.restricted_visibility.clone();
        readers.push(message.user_id.clone());
        readers
    });
    let shown =
        tx.show_hidden_channel(message.channel_pk, &message.user_id, message.created_at, only).await?;
    let event = UserEvent {
        app_pk: message.app_pk,
        user_id: "",
        kind: "channel.visible",
        channel_pk: Some(message.channel_pk),
        payload: None,
    };
    Ok(tx.append_user_events(&shown, event, message.created_at).await?)
}

/// A message that goes with a change of the channel, such as an update of its members.
#[derive(Debug, Clone)]
pub(crate) struct NewSystemMessage {
    pub(crate) id: String,
    pub(crate) user_id: String,
    /// Whether it is unread for the members.
    pub(crate) counts_unread: bool,
    pub(crate) change: MessageChange,
}

impl NewSystemMessage {
    /// Checks a message given with a change of the channel. `user` stands in where the message names nobody.
    pub(crate) async fn check(
        state: &State,
        caller: &Caller,
        channel: &CachedChannel,
        request: &MessageRequest,
        user: Option<&Arc<CachedUser>>,
    ) -> Result<Self> {
        let named = users::optional_user(
            state,
            caller,
            "message.user",
            request.user_id.as_ref(),
            request.user.as_ref(),
        )
        .await?;
        let user = named.or_else(|| user.cloned()).ok_or_else(|| {
            Error::input(
                "either message.user or message.user_id must be provided when using server side auth.",
            )
        })?;
        if !request.restricted_visibility.is_empty() {
            return Err(Error::field("message.restricted_visibility", "is not allowed here"));
        }
        let id = match given(request.id.as_ref()) {
            Some(id) => message_id("message.id", id)?.as_str().to_owned(),
            None => generated_id(&user.user.id, state.now()),
        };
        let content = check_content(state, caller, channel, request, None).await?;
        let change = MessageChange {
            extra: MessageExtra { channel_role: None, ..content.change.extra },
            ..content.change
        };
        Ok(Self { id, user_id: user.user.id.clone(), counts_unread: true, change })
    }
}

/// Stores a system message inside a transaction that has already moved the channel's counters by one message, by one
/// unread if it counts, and by an event, the last one.
pub(crate) async fn do_send_system_message(
    tx: &mut Tx,
    app_pk: i64,
    channel_pk: i64,
    new: &NewSystemMessage,
    advanced: Advanced,
) -> Result<Message> {
    let new = NewMessage {
        id: new.id.clone(),
        user_id: new.user_id.clone(),
        kind: MessageKind::System,
        parent_pk: None,
        parent_id: None,
        in_channel: true,
        counts_unread: new.counts_unread,
        silent: false,
        shadowed: false,
        restricted_visibility: Vec::new(),
        change: new.change.clone(),
    };
    let inserted =
        tx.insert_message(app_pk, channel_pk, &new, advanced.unread_seq, None, advanced.at).await?;
    let Some(pk) = inserted else {
        return Err(Error::field(
            "message.id",
            format!("is taken: a message with ID {} already exists", new.id),
        ));
    };
    let message = Message::from_new(new, pk, app_pk, channel_pk, advanced.unread_seq, None, advanced.at);
    tx.follow_new_message(&message, advanced.event_seq, true).await?;
    if advanced.is_hidden {
        do_show_hidden(tx, &message).await?;
    }
    Ok(message)
}
