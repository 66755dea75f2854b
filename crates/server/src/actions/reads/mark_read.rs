use std::sync::Arc;

use natterjack_protocol::channel_state::ChannelResponse;
use natterjack_protocol::reads::{MarkReadRequest, MarkReadResponseEvent};
use natterjack_protocol::{Cid, Timestamp};
use natterjack_storage::{
    Advance, Advanced, Channel, ChannelEvent, Member, Message, MessagePage, ReadPosition, Thread,
    ThreadParticipant, ThreadReadPosition, Turn, Tx, UserEvent, Visibility,
};

use super::{check_read_events, find_reader, find_shown, find_shown_thread, lock_channel, visibility_for};
use crate::actions::{given, message_id, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::THREAD_PARTICIPANTS_MAX;
use crate::present;
use crate::state::{CachedUser, State};

/// The type of the event that tells of a reading.
const MESSAGE_READ: &str = "message.read";
/// The type of the event that tells the reader's own connections.
pub(super) const MARK_READ: &str = "notification.mark_read";

/// A reading that may be recorded. Only [`check_mark_read`] and the marking of several channels make one.
pub(super) struct ReadPlan {
    pub(super) app_pk: i64,
    pub(super) cid: String,
    pub(super) user_id: String,
    pub(super) upto: UpTo,
    /// Whether others get to know.
    pub(super) is_public: bool,
    pub(super) now: Timestamp,
}

/// How far is read, as the request says it.
pub(super) enum UpTo {
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
pub(super) struct Reading {
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
}

/// Moves a member's read position in a channel or in one of its threads. `None` when the user has none there.
pub(crate) async fn mark_read(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    request: MarkReadRequest,
) -> Result<Option<MarkReadResponseEvent>> {
    let user =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let (channel_pk, plan) = check_mark_read(state, caller, cid, &user, &request).await?;
    let reading = state
        .store
        .write_in_channel(channel_pk, Turn::OneByOne, "mark_read", plan, |tx, plan| {
            Box::pin(async move {
                let reading = do_mark_read(tx, plan).await?;
                if let Some(reading) = &reading {
                    append_notification(tx, plan, reading).await?;
                }
                Ok::<_, Error>(reading)
            })
        })
        .await?;
    match reading {
        Some(reading) => Ok(Some(present_reading(state, caller, &user, reading).await?)),
        None => Ok(None),
    }
}

async fn check_mark_read(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    user: &CachedUser,
    request: &MarkReadRequest,
) -> Result<(i64, ReadPlan)> {
    let upto = match (given(request.message_id.as_ref()), given(request.thread_id.as_ref())) {
        (Some(_), Some(_)) => {
            return Err(Error::input("message_id and thread_id cannot be used together"));
        }
        (Some(id), None) => UpTo::Message(message_id("message_id", id)?.as_str().to_owned()),
        (None, Some(id)) => UpTo::Thread(message_id("thread_id", id)?.as_str().to_owned()),
        (None, None) => UpTo::LastMessage,
    };
    let access = check_read_events(state, caller, cid).await?;
    let plan = ReadPlan {
        app_pk: caller.app.pk,
        cid: access.channel.cid.clone(),
        user_id: user.user.id.clone(),
        upto,
        is_public: present::shows_reads(&user.response),
        now: state.now(),
    };
    Ok((access.channel.pk, plan))
}

/// Records a reading and tells those who watch the channel. What it goes by is read here, under the channel's lock.
pub(super) async fn do_mark_read(tx: &mut Tx, plan: &ReadPlan) -> Result<Option<Reading>> {
    let channel = lock_channel(tx, plan.app_pk, &plan.cid).await?;
    let target = find_target(tx, plan, &channel).await?;
    let Some(member) = find_reader(tx, &channel, &plan.user_id).await? else { return Ok(None) };
    if let Target::Thread { parent, .. } = &target
        && tx.find_thread_participant(parent.pk, &plan.user_id).await?.is_none()
    {
        return Ok(None);
    }
    let advance = Advance { events: i64::from(plan.is_public), ..Advance::default() };
    let advanced = tx.advance_channel(channel.pk, advance, plan.now).await?;
    let advanced = advanced.ok_or_else(|| Error::not_found("channel", &plan.cid))?;
    let visibility = visibility_for(&channel, &member);
    let (last_read_message_id, thread) = match target {
        Target::Thread { parent, thread } => {
            do_read_thread(tx, plan, parent, thread, &visibility, advanced).await?
        }
        Target::Message(message) => (do_read_up_to(tx, plan, message, advanced).await?, None),
        Target::LastMessage => (do_read_all(tx, plan, channel.pk, &visibility, advanced).await?, None),
    };
    let reading = Reading { channel, member, at: advanced.at, last_read_message_id, thread };
    if plan.is_public {
        let event = ChannelEvent {
            channel_pk: reading.channel.pk,
            seq: advanced.event_seq,
            kind: MESSAGE_READ,
            user_id: Some(&plan.user_id),
            message_id: None,
            payload: Some(reading.payload()),
        };
        tx.append_channel_event(event, advanced.at).await?;
    }
    Ok(Some(reading))
}

/// Finds what the request names, as far as it is seen in the channel.
async fn find_target(tx: &mut Tx, plan: &ReadPlan, channel: &Channel) -> Result<Target> {
    Ok(match &plan.upto {
        UpTo::LastMessage => Target::LastMessage,
        UpTo::Message(id) => Target::Message(find_shown(tx, channel, "message_id", id).await?),
        UpTo::Thread(id) => {
            let (parent, thread) = find_shown_thread(tx, channel, id).await?;
            Target::Thread { parent, thread }
        }
    })
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
    let position = ThreadReadPosition {
        read_seq: thread.reply_seq,
        unread_less: 0,
        last_read: advanced.at,
        last_read_message_id: last.map(|reply| reply.id),
    };
    tx.update_thread_read_position(parent.pk, &plan.user_id, &position).await?;
    let participants = tx.list_thread_participants(&[parent.pk], THREAD_PARTICIPANTS_MAX).await?;
    Ok((position.last_read_message_id, Some(ReadThread { parent, thread, participants })))
}

impl Reading {
    /// What its events say beside the names of channel and user.
    fn payload(&self) -> String {
        let thread_id = self.thread.as_ref().map(|read| &read.parent.id);
        let payload =
            serde_json::json!({ "last_read_message_id": self.last_read_message_id, "thread_id": thread_id });
        payload.to_string()
    }
}

/// Tells the reader's own connections.
async fn append_notification(tx: &mut Tx, plan: &ReadPlan, reading: &Reading) -> Result<()> {
    let event = UserEvent {
        app_pk: plan.app_pk,
        user_id: &plan.user_id,
        kind: MARK_READ,
        channel_pk: Some(reading.channel.pk),
        payload: Some(reading.payload()),
    };
    Ok(tx.append_user_event(event, reading.at).await?)
}

async fn present_reading(
    state: &State,
    caller: &Caller,
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
    ids.push(&user.user.id);
    let users = users::shown(state, caller, ids).await?;
    let config = state.channel_config(&caller.app, channel);
    // Events do not tell what somebody may do.
    let shown = ChannelResponse {
        own_capabilities: None,
        ..present::channel(channel, &config, &users, Some(&reading.member))
    };
    Ok(MarkReadResponseEvent {
        kind: MESSAGE_READ.to_owned(),
        cid: channel.cid.clone(),
        channel_id: channel.id.clone(),
        channel_type: channel.kind.clone(),
        created_at: reading.at,
        channel_last_message_at: channel.last_message_at,
        last_read_message_id: reading.last_read_message_id,
        team: channel.team.clone(),
        channel: Some(Arc::new(shown)),
        thread: reading.thread.map(|read| {
            present::thread(&channel.cid, &read.parent, &read.thread, &read.participants, &users)
        }),
        user: Some(users.get(&user.user.id)),
    })
}
