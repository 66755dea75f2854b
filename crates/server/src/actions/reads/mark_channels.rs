use std::sync::Arc;

use natterjack_protocol::Cid;
use natterjack_protocol::reads::MarkChannelsReadRequest;
use natterjack_storage::{Tx, UserEvent};

use super::check_read_events;
use super::counts::load_unread;
use super::mark_read::{MARK_READ, ReadPlan, UpTo, do_mark_read};
use crate::actions::{check_count, message_id, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{MARK_CHANNELS_READ_MAX, READ_ALL_CHANNELS_MAX};
use crate::present;
use crate::state::{CachedUser, State};

/// Readings that are recorded together, in the order of their cids, so that two such transactions wait for each other's
/// channels in the same order.
struct ReadingsPlan {
    app_pk: i64,
    user_id: String,
    readings: Vec<ReadPlan>,
    /// Whether they are the last ones, after which the reader's connections are told.
    is_last: bool,
}

/// Marks channels as read, each wholly or up to a message. Without a channel named every one is read in which the user
/// has unread messages: so many in a transaction as may be named, and so many in a call that it ends in a few seconds.
pub(crate) async fn mark_channels_read(
    state: &State,
    caller: &Caller,
    request: MarkChannelsReadRequest,
) -> Result<()> {
    let user =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let readings = match request.read_by_channel.is_empty() {
        true => list_unread(state, caller, &user).await?,
        false => check_mark_channels(state, caller, &user, request).await?,
    };
    let mut waiting = readings.into_iter().peekable();
    loop {
        let readings = waiting.by_ref().take(MARK_CHANNELS_READ_MAX).collect();
        let is_last = waiting.peek().is_none();
        let plan = ReadingsPlan { app_pk: caller.app.pk, user_id: user.user.id.clone(), readings, is_last };
        state
            .store
            .write("mark_channels_read", plan, |tx, plan| Box::pin(do_mark_channels(tx, plan)))
            .await?;
        if is_last {
            return Ok(());
        }
    }
}

async fn check_mark_channels(
    state: &State,
    caller: &Caller,
    user: &Arc<CachedUser>,
    request: MarkChannelsReadRequest,
) -> Result<Vec<ReadPlan>> {
    const FIELD: &str = "read_by_channel";
    check_count(FIELD, request.read_by_channel.len(), MARK_CHANNELS_READ_MAX)?;
    let mut readings = Vec::with_capacity(request.read_by_channel.len());
    for (cid, id) in request.read_by_channel {
        let cid = Cid::parse(&cid).map_err(|error| Error::id(FIELD, &error))?;
        let upto = match id.as_str() {
            "" => UpTo::LastMessage,
            id => UpTo::Message(message_id(FIELD, id)?.as_str().to_owned()),
        };
        let cid = check_read_events(state, caller, &cid).await?.channel.cid.clone();
        readings.push(reading(state, caller, user, cid, upto));
    }
    Ok(readings)
}

/// The channels in which the user has something to read, those with the latest messages.
async fn list_unread(state: &State, caller: &Caller, user: &Arc<CachedUser>) -> Result<Vec<ReadPlan>> {
    let mut unread = load_unread(state, caller, vec![user.user.id.clone()], READ_ALL_CHANNELS_MAX).await?;
    let (channels, _) = unread.pop().unwrap_or_default();
    let mut cids: Vec<String> = channels.listed.into_iter().map(|channel| channel.cid).collect();
    cids.sort();
    Ok(cids.into_iter().map(|cid| reading(state, caller, user, cid, UpTo::LastMessage)).collect())
}

fn reading(state: &State, caller: &Caller, user: &Arc<CachedUser>, cid: String, upto: UpTo) -> ReadPlan {
    ReadPlan {
        app_pk: caller.app.pk,
        cid,
        user_id: user.user.id.clone(),
        upto,
        is_public: present::shows_reads(&user.response),
        now: state.now(),
    }
}

async fn do_mark_channels(tx: &mut Tx, plan: &ReadingsPlan) -> Result<()> {
    for reading in &plan.readings {
        do_mark_read(tx, reading).await?;
    }
    if plan.is_last
        && let Some(reading) = plan.readings.last()
    {
        let event = UserEvent {
            app_pk: plan.app_pk,
            user_id: &plan.user_id,
            kind: MARK_READ,
            channel_pk: None,
            payload: None,
        };
        tx.append_user_event(event, reading.now).await?;
    }
    Ok(())
}
