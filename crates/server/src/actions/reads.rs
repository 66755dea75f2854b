//! What users have read and what they have not.

mod counts;
mod delivered;
mod mark_channels;
mod mark_read;
mod mark_unread;

pub(crate) use counts::{load_unread, unread_counts, unread_counts_batch};
pub(crate) use delivered::mark_delivered;
pub(crate) use mark_channels::mark_channels_read;
pub(crate) use mark_read::mark_read;
pub(crate) use mark_unread::mark_unread;

use natterjack_protocol::{Cid, ErrorCode};
use natterjack_storage::{Channel, Member, Message, Thread, Tx, Visibility};

use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::state::access::Access;
use crate::state::{State, access};

/// The channel, if its type has read events.
async fn check_read_events(state: &State, caller: &Caller, cid: &Cid) -> Result<Access> {
    let channel = access::channel(state, caller, &cid.to_string(), access::READ).await?;
    if !channel.config.read_events {
        let kind = &channel.channel.kind;
        return Err(Error::caller(
            ErrorCode::EventNotSupported,
            format!("Channel type {kind} does not support read events"),
        ));
    }
    Ok(channel)
}

/// Locks a channel that is not deleted, so that messages that arrive at the same time are either wholly read or wholly
/// unread.
async fn lock_channel(tx: &mut Tx, app_pk: i64, cid: &str) -> Result<Channel> {
    let channel = tx.lock_channel(app_pk, cid).await?;
    channel.filter(|channel| channel.deleted_at.is_none()).ok_or_else(|| Error::not_found("channel", cid))
}

/// The member who reads. `None` for somebody who is none, or whose invite is pending: there is nothing to read for them.
async fn find_reader(tx: &mut Tx, channel: &Channel, user_id: &str) -> Result<Option<Member>> {
    let member = tx.find_member(channel.pk, user_id).await?;
    Ok(member.filter(|member| !member.is_pending()))
}

/// What a member sees of a channel.
fn visibility_for(channel: &Channel, member: &Member) -> Visibility {
    Visibility { from: channel.shown_from(Some(member)), user_id: Some(member.user_id.clone()) }
}

/// A message that the field of a request names, as far as the channel shows it.
async fn find_shown(tx: &mut Tx, channel: &Channel, field: &str, id: &str) -> Result<Message> {
    let found = tx.find_message(channel.app_pk, id).await?;
    found
        .filter(|message| message.channel_pk == channel.pk && message.created_at > channel.history_from)
        .ok_or_else(|| Error::field(field, format!("names a message that doesn't exist here: {id}")))
}

/// A thread that `thread_id` names, by the message that it hangs on.
async fn find_shown_thread(tx: &mut Tx, channel: &Channel, id: &str) -> Result<(Message, Thread)> {
    const FIELD: &str = "thread_id";
    let parent = find_shown(tx, channel, FIELD, id).await?;
    let thread = tx.find_thread(parent.pk).await?;
    let thread =
        thread.ok_or_else(|| Error::field(FIELD, format!("names a message without a thread: {id}")))?;
    Ok((parent, thread))
}
