//! What users have read and what they have not.

use std::collections::BTreeMap;
use std::sync::Arc;

use natterjack_protocol::reads::{
    MarkReadRequest, MarkReadResponseEvent, UnreadCountsChannel, UnreadCountsChannelType, UnreadCountsQuery,
    UnreadCountsThread, WrappedUnreadCountsResponse,
};
use natterjack_protocol::threads::{self, ThreadResponse};
use natterjack_protocol::{Cid, ErrorCode, Timestamp};
use natterjack_storage::{
    Advance, Advanced, App, Channel, ChannelEvent, ChannelUnread, Member, Message, MessagePage, ReadPosition,
    Thread, ThreadParticipant, Tx, UserEvent, Visibility,
};

use super::{given, message_id, users};
use crate::error::{Error, Result};
use crate::limits::{THREAD_PARTICIPANTS_MAX, UNREAD_CHANNELS_MAX};
use crate::present::{self, Users};
use crate::state::{CachedUser, State};

/// The type of the event that tells of a reading.
const MESSAGE_READ: &str = "message.read";
/// Unread threads listed for a user.
const UNREAD_THREADS_MAX: usize = 100;

/// A reading that may be recorded. Only [`check_mark_read`] makes one.
struct ReadPlan {
    app_pk: i64,
    cid: String,
    user_id: String,
    upto: UpTo,
    now: Timestamp,
}

/// How far is read, as the request says it.
enum UpTo {
    LastMessage,
    Message(String),
    Thread(String),
}

/// How far is read, as found in the channel.
enum Target {
    LastMessage,
    Message(Message),
    Thread { parent: Message, thread: Thread },
}

/// What a reading changed.
struct Reading {
    channel: Channel,
    member: Member,
    at: Timestamp,
    last_read_message_id: Option<String>,
    thread: Option<ReadThread>,
}

/// The thread that was read.
struct ReadThread {
    parent: Message,
    thread: Thread,
    participants: Vec<ThreadParticipant>,
    participant_count: i64,
}

/// Moves a member's read position in a channel or in one of its threads. `None` when the user has none there.
pub(crate) async fn mark_read(
    state: &State,
    app: &App,
    cid: &Cid,
    request: MarkReadRequest,
) -> Result<Option<MarkReadResponseEvent>> {
    let user =
        users::acting_user(state, app, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let plan = check_mark_read(state, app, cid, &user, &request).await?;
    let reading = state.store.write("mark_read", plan, |tx, plan| Box::pin(do_mark_read(tx, plan))).await?;
    match reading {
        Some(reading) => Ok(Some(present_reading(state, app, &user, reading).await?)),
        None => Ok(None),
    }
}

async fn check_mark_read(
    state: &State,
    app: &App,
    cid: &Cid,
    user: &CachedUser,
    request: &MarkReadRequest,
) -> Result<ReadPlan> {
    let upto = match (given(request.message_id.as_ref()), given(request.thread_id.as_ref())) {
        (Some(_), Some(_)) => {
            return Err(Error::input("message_id and thread_id cannot be used together"));
        }
        (Some(id), None) => UpTo::Message(message_id("message_id", id)?.as_str().to_owned()),
        (None, Some(id)) => UpTo::Thread(message_id("thread_id", id)?.as_str().to_owned()),
        (None, None) => UpTo::LastMessage,
    };
    let cid = cid.to_string();
    let channel = state.channel(app, &cid).await?;
    if !channel.config.read_events {
        let kind = &channel.channel.kind;
        return Err(Error::caller(
            ErrorCode::EventNotSupported,
            format!("Channel type {kind} does not support read events"),
        ));
    }
    Ok(ReadPlan { app_pk: app.pk, cid, user_id: user.user.id.clone(), upto, now: state.now() })
}

/// Records a reading with its events. What it goes by is read here, under the channel's lock: messages that arrive
/// at the same time are either wholly read or wholly unread.
async fn do_mark_read(tx: &mut Tx, plan: &ReadPlan) -> Result<Option<Reading>> {
    let gone = || Error::not_found("channel", &plan.cid);
    let channel = tx.lock_channel(plan.app_pk, &plan.cid).await?;
    let channel = channel.filter(|channel| channel.deleted_at.is_none()).ok_or_else(gone)?;
    let target = find_target(tx, plan, &channel).await?;
    let Some(member) = tx.find_member(channel.pk, &plan.user_id).await?.filter(|member| !member.is_pending())
    else {
        return Ok(None);
    };
    if let Target::Thread { parent, .. } = &target
        && tx.find_thread_participant(parent.pk, &plan.user_id).await?.is_none()
    {
        return Ok(None);
    }
    let advance = Advance { events: 1, ..Advance::default() };
    let advanced = tx.advance_channel(channel.pk, advance, plan.now).await?.ok_or_else(gone)?;
    let hidden_before = member.hide_messages_before.unwrap_or_default();
    let visibility =
        Visibility { from: channel.history_from.max(hidden_before), user_id: Some(plan.user_id.clone()) };
    let (last_read_message_id, thread) = match target {
        Target::Thread { parent, thread } => {
            do_read_thread(tx, plan, parent, thread, &visibility, advanced).await?
        }
        Target::Message(message) => (do_read_up_to(tx, plan, message, advanced).await?, None),
        Target::LastMessage => (do_read_all(tx, plan, channel.pk, &visibility, advanced).await?, None),
    };
    let reading = Reading { channel, member, at: advanced.at, last_read_message_id, thread };
    append_events(tx, plan, &reading, advanced).await?;
    Ok(Some(reading))
}

/// Finds what the request names, as far as it is seen in the channel.
async fn find_target(tx: &mut Tx, plan: &ReadPlan, channel: &Channel) -> Result<Target> {
    let (field, id) = match &plan.upto {
        UpTo::LastMessage => return Ok(Target::LastMessage),
        UpTo::Message(id) => ("message_id", id),
        UpTo::Thread(id) => ("thread_id", id),
    };
    let found = tx.find_message(plan.app_pk, id).await?;
    let message = found
        .filter(|message| message.channel_pk == channel.pk && message.created_at > channel.history_from)
        .ok_or_else(|| Error::field(field, format!("names a message that doesn't exist here: {id}")))?;
    if let UpTo::Message(_) = plan.upto {
        return Ok(Target::Message(message));
    }
    let thread = tx.find_thread(message.pk).await?;
    let thread =
        thread.ok_or_else(|| Error::field(field, format!("names a message without a thread: {id}")))?;
    Ok(Target::Thread { parent: message, thread })
}

/// Moves the position in the channel to a message, forwards or back.
async fn do_read_up_to(
    tx: &mut Tx,
    plan: &ReadPlan,
    message: Message,
    advanced: Advanced,
) -> Result<Option<String>> {
    let channel_pk = message.channel_pk;
    let position = ReadPosition {
        read_seq: message.unread_seq,
        read_up_to: message.created_at,
        unread_less: tx.count_unread_less(channel_pk, &plan.user_id, message.created_at).await?,
        last_read: advanced.at,
        last_read_message_id: Some(message.id),
    };
    tx.update_read_position(channel_pk, &plan.user_id, &position).await?;
    Ok(position.last_read_message_id)
}

/// Moves the position in the channel to its end.
async fn do_read_all(
    tx: &mut Tx,
    plan: &ReadPlan,
    channel_pk: i64,
    visibility: &Visibility,
    advanced: Advanced,
) -> Result<Option<String>> {
    let last = tx.list_messages(channel_pk, MessagePage::Newest, 1, visibility).await?.pop();
    let position = ReadPosition {
        read_seq: advanced.unread_seq,
        read_up_to: advanced.at,
        unread_less: 0,
        last_read: advanced.at,
        last_read_message_id: last.map(|message| message.id),
    };
    tx.update_read_position(channel_pk, &plan.user_id, &position).await?;
    Ok(position.last_read_message_id)
}

/// Moves the position in the thread only; that in the channel stays.
async fn do_read_thread(
    tx: &mut Tx,
    plan: &ReadPlan,
    parent: Message,
    thread: Thread,
    visibility: &Visibility,
    advanced: Advanced,
) -> Result<(Option<String>, Option<ReadThread>)> {
    let last = tx.list_replies(parent.pk, MessagePage::Newest, 1, visibility).await?.pop();
    let last_read_message_id = last.map(|reply| reply.id);
    tx.read_thread(parent.pk, &plan.user_id, last_read_message_id.as_deref(), advanced.at).await?;
    let participants = tx.list_thread_participants(&[parent.pk], THREAD_PARTICIPANTS_MAX).await?;
    let participant_count = tx.count_thread_participants(parent.pk).await?;
    Ok((last_read_message_id, Some(ReadThread { parent, thread, participants, participant_count })))
}

/// Tells those who watch the channel, and the reader's own connections.
async fn append_events(tx: &mut Tx, plan: &ReadPlan, reading: &Reading, advanced: Advanced) -> Result<()> {
    let thread_id = reading.thread.as_ref().map(|read| &read.parent.id);
    let payload = serde_json::json!({
        "last_read_message_id": reading.last_read_message_id,
        "thread_id": thread_id,
    })
    .to_string();
    let event = ChannelEvent {
        channel_pk: reading.channel.pk,
        seq: advanced.event_seq,
        kind: MESSAGE_READ,
        user_id: Some(&plan.user_id),
        message_id: None,
        payload: Some(payload.clone()),
    };
    tx.append_channel_event(event, advanced.at).await?;
    let event = UserEvent {
        app_pk: plan.app_pk,
        user_id: &plan.user_id,
        kind: "notification.mark_read",
        channel_pk: Some(reading.channel.pk),
        payload: Some(payload),
    };
    Ok(tx.append_user_event(event, advanced.at).await?)
}

async fn present_reading(
    state: &State,
    app: &App,
    user: &CachedUser,
    reading: Reading,
) -> Result<MarkReadResponseEvent> {
    let channel = &reading.channel;
    let of_channel = [&channel.created_by_id, &channel.truncated_by_id];
    let mut ids: Vec<&str> = of_channel.into_iter().flatten().map(String::as_str).collect();
    if let Some(read) = &reading.thread {
        ids.push(&read.thread.created_by_id);
        ids.extend(read.participants.iter().map(|participant| participant.user_id.as_str()));
    }
    let users: Users =
        state.users(app.pk, ids).await?.into_values().map(|user| Arc::clone(&user.response)).collect();
    let config = state.channel_config(app, channel);
    Ok(MarkReadResponseEvent {
        kind: MESSAGE_READ.to_owned(),
        cid: channel.cid.clone(),
        channel_id: channel.id.clone(),
        channel_type: channel.kind.clone(),
        created_at: reading.at,
        channel_last_message_at: channel.last_message_at,
        last_read_message_id: reading.last_read_message_id,
        team: channel.team.clone(),
        channel: Some(Arc::new(present::channel(channel, &config, &users, Some(&reading.member)))),
        thread: reading.thread.map(|read| present_thread(&channel.cid, read, &users)),
        user: Some(Arc::clone(&user.response)),
    })
}

fn present_thread(cid: &str, read: ReadThread, users: &Users) -> ThreadResponse {
    let ReadThread { parent, thread, participants, participant_count } = read;
    let participants = participants.into_iter().map(|participant| threads::ThreadParticipant {
        channel_cid: cid.to_owned(),
        created_at: participant.created_at,
        last_read_at: participant.last_read,
        last_thread_message_at: participant.last_thread_message_at,
        thread_id: Some(parent.id.clone()),
        user: users.get(&participant.user_id),
        user_id: Some(participant.user_id),
        ..threads::ThreadParticipant::default()
    });
    ThreadResponse {
        thread_participants: Some(participants.collect()),
        // Nobody can leave a thread yet.
        active_participant_count: participant_count,
        participant_count,
        channel_cid: cid.to_owned(),
        created_at: thread.created_at,
        updated_at: thread.updated_at,
        created_by: Some(users.get(&thread.created_by_id)),
        created_by_user_id: thread.created_by_id,
        parent_message_id: parent.id,
        reply_count: parent.reply_count,
        title: thread.title,
        custom: thread.custom,
        last_message_at: Some(thread.last_message_at),
        ..ThreadResponse::default()
    }
}

/// How much a user has not read, where the channel type has read events.
pub(crate) async fn unread_counts(
    state: &State,
    app: &App,
    query: UnreadCountsQuery,
) -> Result<WrappedUnreadCountsResponse> {
    let user = users::acting_user(state, app, "user", query.user_id.as_ref(), None).await?;
    let (mut channels, mut threads) = state
        .store
        .read("unread_counts", (app.pk, user.user.id.clone()), |tx, (app_pk, user_id)| {
            Box::pin(async move {
                let channels = tx.list_unread_channels(*app_pk, vec![user_id.clone()]).await?;
                let threads = tx.list_unread_threads(*app_pk, vec![user_id.clone()]).await?;
                Ok::<_, Error>((channels, threads))
            })
        })
        .await?;
    let counts = |kind: &str| state.channel_type(app, kind).is_some_and(|config| config.read_events);
    channels.retain(|channel| counts(&channel.channel_kind));
    threads.retain(|thread| counts(&thread.channel_kind));
    Ok(WrappedUnreadCountsResponse {
        total_unread_count: channels.iter().map(|channel| channel.unread).sum(),
        total_unread_threads_count: threads.len() as i64,
        channel_type: by_type(&channels),
        channels: channels
            .into_iter()
            .take(UNREAD_CHANNELS_MAX)
            .map(|channel| UnreadCountsChannel {
                channel_id: channel.cid,
                last_read: channel.last_read,
                unread_count: channel.unread,
            })
            .collect(),
        threads: threads
            .into_iter()
            .take(UNREAD_THREADS_MAX)
            .map(|thread| UnreadCountsThread {
                parent_message_id: thread.parent_message_id,
                last_read: thread.last_read,
                last_read_message_id: thread.last_read_message_id.unwrap_or_default(),
                unread_count: thread.unread,
            })
            .collect(),
        // Apps have no teams that are kept apart.
        total_unread_count_by_team: None,
    })
}

/// The same counts added up by channel type.
fn by_type(channels: &[ChannelUnread]) -> Vec<UnreadCountsChannelType> {
    let mut by_type: BTreeMap<&str, UnreadCountsChannelType> = BTreeMap::new();
    for channel in channels {
        let of_type = by_type.entry(&channel.channel_kind).or_default();
        of_type.channel_count += 1;
        of_type.unread_count += channel.unread;
    }
    let named = by_type
        .into_iter()
        .map(|(kind, of_type)| UnreadCountsChannelType { channel_type: kind.to_owned(), ..of_type });
    named.collect()
}
