//! Deleting and bringing back many messages of one user, a few of one channel at a time.

use natterjack_protocol::Timestamp;
use natterjack_storage::{Advance, Advanced, ChannelEvent, Deletion, MessageKey, Tx};
use serde_json::json;

use super::delete::{TakenAway, deletion_payload, do_take_away};
use super::undelete::do_bring_back;
use crate::actions::tasks::{Context, Position};
use crate::actions::users::of_one_channel;
use crate::error::Result;
use crate::limits::SWEEP_BATCH;

/// How messages of a user go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sweep<'a> {
    pub(crate) deletion: Deletion,
    /// The only channel of which they go; `None` for all.
    pub(crate) channel_pk: Option<i64>,
    /// The deactivation of their author that they go with.
    pub(crate) with_user_at: Option<Timestamp>,
    /// Who is said to have deleted them.
    pub(crate) deleted_by: Option<&'a str>,
}

/// An event that stands in the channel's log once it is known how many there are.
struct Logged<'a> {
    kind: &'static str,
    user_id: Option<&'a str>,
    message_id: Option<String>,
    payload: Option<String>,
}

impl<'a> Logged<'a> {
    fn new(kind: &'static str, message_id: &str, user_id: Option<&'a str>) -> Self {
        Self { kind, user_id, message_id: Some(message_id.to_owned()), payload: None }
    }
}

/// Deletes the next few messages of the user whom a task is about, all of one channel. With the last ones there it is told
/// that the user's messages are gone from the channel. Answers how far that is, `None` when there were none.
pub(crate) async fn do_sweep_next(
    tx: &mut Tx,
    context: &Context<'_>,
    sweep: Sweep<'_>,
) -> Result<Option<Position>> {
    let position = context.position;
    let after = (position.channel_pk.max(sweep.channel_pk.unwrap_or_default()), position.pk);
    // One more shows whether there are others in the channel.
    let listed = tx.list_messages_of_user(context.app_pk, context.subject, after, SWEEP_BATCH + 1).await?;
    let mut keys = of_one_channel(listed);
    keys.retain(|key| sweep.channel_pk.is_none_or(|only| only == key.channel_pk));
    let is_end = keys.len() as i64 <= SWEEP_BATCH;
    keys.truncate(SWEEP_BATCH as usize);
    let Some(last) = keys.last() else { return Ok(None) };
    let next = position.behind_message(last.channel_pk, last.pk);
    let has_swept = position.channel_pk == last.channel_pk && position.has_swept;
    let has_swept = do_sweep(tx, &keys, context, sweep, has_swept, is_end).await?;
    Ok(Some(Position { has_swept, ..next }))
}

/// Deletes messages of one channel. Answers whether some of the channel were deleted by now: by this, or by what went
/// before it (`has_swept`).
async fn do_sweep(
    tx: &mut Tx,
    keys: &[MessageKey],
    context: &Context<'_>,
    sweep: Sweep<'_>,
    mut has_swept: bool,
    is_end: bool,
) -> Result<bool> {
    let Some(first) = keys.first() else { return Ok(false) };
    let locked = tx.advance_any_channel(first.channel_pk, Advance::default(), context.now).await?;
    let Some((locked, channel)) = locked else { return Ok(false) };
    let is_buried = channel.cid.contains(',');
    if is_buried || channel.deleted_at.is_some() && sweep.deletion == Deletion::Soft {
        // Nobody sees them any more; those of a buried channel are being purged.
        return Ok(false);
    }
    let hard = sweep.deletion == Deletion::Hard;
    let without_system = context.without_system.contains(&channel.kind);
    let taken = TakenAway { hard, without_system, by: sweep.deleted_by, at: locked.at };
    let mut log = Vec::new();
    let mut fewer = 0;
    for key in keys {
        // A reply may have gone with its parent meanwhile.
        let found = tx.find_message(context.app_pk, &key.id).await?;
        let Some(found) = found.filter(|found| found.pk == key.pk) else { continue };
        let is_live = found.deleted_at.is_none();
        if is_live || hard {
            fewer += do_take_away(tx, &found, taken, channel.history_from).await?;
            let payload = Some(deletion_payload(&found, hard));
            log.push(Logged { payload, ..Logged::new("message.deleted", &found.id, sweep.deleted_by) });
            has_swept = true;
        }
        if sweep.deletion == Deletion::Pruning {
            tx.prune_message(found.pk).await?;
        }
        if let (true, Some(at)) = (is_live, sweep.with_user_at) {
            tx.mark_message_deleted_with_user(found.pk, at).await?;
        }
        if let (true, Some(parent_id)) = (is_live, &found.parent_id) {
            log.push(Logged::new("message.updated", parent_id, sweep.deleted_by));
        }
    }
    if is_end && has_swept {
        let payload = json!({ "hard_delete": hard, "soft_delete": !hard }).to_string();
        log.push(Logged {
            kind: "user.messages.deleted",
            user_id: Some(context.subject),
            message_id: None,
            payload: Some(payload),
        });
    }
    do_log(tx, first.channel_pk, -fewer, &log, context.now).await?;
    Ok(has_swept)
}

/// Brings back messages of one channel that a deactivation deleted.
pub(crate) async fn do_restore(tx: &mut Tx, app_pk: i64, keys: &[MessageKey], now: Timestamp) -> Result<()> {
    let Some(first) = keys.first() else { return Ok(()) };
    let locked = tx.advance_any_channel(first.channel_pk, Advance::default(), now).await?;
    let Some((locked, channel)) = locked else { return Ok(()) };
    if channel.deleted_at.is_some() {
        return Ok(());
    }
    let mut log = Vec::new();
    let mut more = 0;
    for key in keys {
        let found = tx.find_message(app_pk, &key.id).await?;
        let found = found.filter(|found| found.pk == key.pk && found.deleted_at.is_some());
        let Some(found) = found else { continue };
        do_bring_back(tx, &found, locked.at).await?;
        more += i64::from(found.created_at > channel.history_from);
        log.push(Logged::new("message.undeleted", &found.id, None));
        if let Some(parent_id) = &found.parent_id {
            log.push(Logged::new("message.updated", parent_id, None));
        }
    }
    do_log(tx, first.channel_pk, more, &log, now).await
}

/// Moves the channel's counters and writes its log.
async fn do_log(
    tx: &mut Tx,
    channel_pk: i64,
    messages: i64,
    log: &[Logged<'_>],
    now: Timestamp,
) -> Result<()> {
    if log.is_empty() {
        return Ok(());
    }
    let advance = Advance { events: log.len() as i64, messages, ..Advance::default() };
    let Some((Advanced { event_seq, at, .. }, _)) = tx.advance_any_channel(channel_pk, advance, now).await?
    else {
        return Ok(());
    };
    for (seq, logged) in (event_seq - advance.events + 1..).zip(log) {
        let event = ChannelEvent {
            channel_pk,
            seq,
            kind: logged.kind,
            user_id: logged.user_id,
            message_id: logged.message_id.as_deref(),
            payload: logged.payload.clone(),
        };
        tx.append_channel_event(event, at).await?;
    }
    Ok(())
}
