use natterjack_protocol::reads::MarkUnreadRequest;
use natterjack_protocol::{Cid, Timestamp};
use natterjack_storage::{
    Channel, Member, Message, MessagePage, ReadPosition, ThreadReadPosition, Tx, UserEvent,
};

use super::{check_read_events, find_reader, find_shown_thread, lock_channel, visibility_for};
use crate::actions::{given, message_id, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::MARK_UNREAD_REACH;
use crate::state::State;

/// A read position that may be moved back. Only [`check_mark_unread`] makes one.
struct UnreadPlan {
    app_pk: i64,
    cid: String,
    user_id: String,
    from: From,
    now: Timestamp,
}

/// Where the unread begins, as the request says it.
enum From {
    Message(String),
    Moment(Timestamp),
    Thread(String),
}

/// What is unread now.
struct Unread {
    first_unread_message_id: Option<String>,
    last_read: Timestamp,
    last_read_message_id: Option<String>,
    count: i64,
}

/// Moves a member's read position back to before a message or a moment, or to the beginning of a thread. Does nothing
/// for a user who has no position there.
pub(crate) async fn mark_unread(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    request: MarkUnreadRequest,
) -> Result<()> {
    let user =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let plan = check_mark_unread(state, caller, cid, &user.user.id, &request).await?;
    state.store.write("mark_unread", plan, |tx, plan| Box::pin(do_mark_unread(tx, plan))).await
}

async fn check_mark_unread(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    user_id: &str,
    request: &MarkUnreadRequest,
) -> Result<UnreadPlan> {
    let message = given(request.message_id.as_ref());
    let from = match (message, request.message_timestamp, given(request.thread_id.as_ref())) {
        (Some(id), None, None) => From::Message(message_id("message_id", id)?.as_str().to_owned()),
        (None, Some(moment), None) => From::Moment(moment),
        (None, None, Some(id)) => From::Thread(message_id("thread_id", id)?.as_str().to_owned()),
        _ => {
            return Err(Error::input(
                "exactly one of message_id, message_timestamp and thread_id must be provided",
            ));
        }
    };
    let cid = check_read_events(state, caller, cid).await?.channel.cid.clone();
    Ok(UnreadPlan { app_pk: caller.app.pk, cid, user_id: user_id.to_owned(), from, now: state.now() })
}

async fn do_mark_unread(tx: &mut Tx, plan: &UnreadPlan) -> Result<()> {
    let channel = lock_channel(tx, plan.app_pk, &plan.cid).await?;
    let Some(member) = find_reader(tx, &channel, &plan.user_id).await? else { return Ok(()) };
    let (unread, thread_id) = match &plan.from {
        From::Message(id) => (do_unread_from(tx, plan, &channel, &member, id).await?, None),
        From::Moment(moment) => {
            let first = find_at(tx, &channel, &member, *moment).await?;
            (do_unread_from(tx, plan, &channel, &member, &first.id).await?, None)
        }
        From::Thread(id) => match do_unread_thread(tx, plan, &channel, &member, id).await? {
            Some(unread) => (unread, Some(id)),
            None => return Ok(()),
        },
    };
    let payload = serde_json::json!({
        "first_unread_message_id": unread.first_unread_message_id,
        "last_read_at": unread.last_read,
        "last_read_message_id": unread.last_read_message_id,
        "unread_messages": unread.count,
        "thread_id": thread_id,
    });
    let event = UserEvent {
        app_pk: plan.app_pk,
        user_id: &plan.user_id,
        kind: "notification.mark_unread",
        channel_pk: Some(channel.pk),
        payload: Some(payload.to_string()),
    };
    Ok(tx.append_user_event(event, plan.now).await?)
}

/// The first message at or after a moment.
async fn find_at(tx: &mut Tx, channel: &Channel, member: &Member, moment: Timestamp) -> Result<Message> {
    let page = MessagePage::After { at: moment, inclusive: true };
    let found = tx.list_messages(channel.pk, page, 1, &visibility_for(channel, member)).await?.pop();
    found.ok_or_else(|| Error::field("message_timestamp", format!("lies behind the last message: {moment}")))
}

/// Moves the position in the channel to before a message, which must be one of the newest.
async fn do_unread_from(
    tx: &mut Tx,
    plan: &UnreadPlan,
    channel: &Channel,
    member: &Member,
    id: &str,
) -> Result<Unread> {
    let visibility = visibility_for(channel, member);
    // One more: the message before the first that may be named has been read then.
    let limit = MARK_UNREAD_REACH + 1;
    let mut newest = tx.list_messages(channel.pk, MessagePage::Newest, limit, &visibility).await?;
    let reach_begins = newest.len().saturating_sub(MARK_UNREAD_REACH as usize);
    let at = newest.iter().position(|message| message.id == id).filter(|at| *at >= reach_begins);
    let Some(at) = at else {
        return Err(Error::input(format!(
            "Either the message with ID \"{id}\" does not exist, or it is older than last {MARK_UNREAD_REACH} \
             channel messages."
        )));
    };
    let first = newest.swap_remove(at);
    let before = just_before(first.created_at);
    let position = ReadPosition {
        read_seq: first.unread_seq - i64::from(first.counts_unread),
        read_up_to: before,
        unread_less: tx.count_unread_less(channel.pk, &plan.user_id, before).await?,
        last_read: before,
        last_read_message_id: at.checked_sub(1).map(|previous| newest[previous].id.clone()),
    };
    tx.update_read_position(channel.pk, &plan.user_id, &position).await?;
    let member = find_reader(tx, channel, &plan.user_id).await?;
    Ok(Unread {
        first_unread_message_id: Some(first.id),
        last_read: position.last_read,
        last_read_message_id: position.last_read_message_id,
        count: member.map_or(0, |member| member.unread(channel.unread_seq)),
    })
}

/// Moves the position in a thread to its beginning. `None` when the user does not take part.
async fn do_unread_thread(
    tx: &mut Tx,
    plan: &UnreadPlan,
    channel: &Channel,
    member: &Member,
    id: &str,
) -> Result<Option<Unread>> {
    let (parent, thread) = find_shown_thread(tx, channel, id).await?;
    let position = ThreadReadPosition {
        read_seq: 0,
        unread_less: tx.count_own_replies(parent.pk, &plan.user_id).await?,
        last_read: just_before(thread.created_at),
        last_read_message_id: None,
    };
    if !tx.update_thread_read_position(parent.pk, &plan.user_id, &position).await? {
        return Ok(None);
    }
    let visibility = visibility_for(channel, member);
    let first = tx.list_replies(parent.pk, MessagePage::Oldest, 1, &visibility).await?.pop();
    let participant = tx.find_thread_participant(parent.pk, &plan.user_id).await?;
    Ok(Some(Unread {
        first_unread_message_id: first.map(|reply| reply.id),
        last_read: position.last_read,
        last_read_message_id: None,
        count: participant.map_or(0, |participant| participant.unread(thread.reply_seq)),
    }))
}

fn just_before(moment: Timestamp) -> Timestamp {
    Timestamp::from_nanoseconds(moment.nanoseconds() - 1)
}
