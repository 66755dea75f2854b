//! Deleting and bringing back many messages of one user, a few of one channel at a time.

use natterjack_protocol::Timestamp;
use natterjack_storage::{Advance, Advanced, ChannelEvent, Deletion, MessageKey, Tx};

use super::delete::{TakenAway, deletion_payload, do_take_away};
use super::undelete::do_bring_back;
use crate::error::Result;

/// How messages of a user go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sweep<'a> {
    pub(crate) app_pk: i64,
    pub(crate) deletion: Deletion,
    /// The deactivation of their author that they go with.
    pub(crate) with_user_at: Option<Timestamp>,
    /// Who is said to have deleted them.
    pub(crate) deleted_by: Option<&'a str>,
    /// The channel types whose `last_message_at` passes over system messages.
    pub(crate) without_system: &'a [String],
    pub(crate) now: Timestamp,
}

/// An event that stands in the channel's log once it is known how many there are.
struct Logged {
    kind: &'static str,
    message_id: String,
    payload: Option<String>,
}

impl Logged {
    fn new(kind: &'static str, message_id: &str) -> Self {
        Self { kind, message_id: message_id.to_owned(), payload: None }
    }
}

/// Deletes messages of one channel.
pub(crate) async fn do_sweep(tx: &mut Tx, keys: &[MessageKey], sweep: Sweep<'_>) -> Result<()> {
    let Some(first) = keys.first() else { return Ok(()) };
    let locked = tx.advance_any_channel(first.channel_pk, Advance::default(), sweep.now).await?;
    let Some((locked, channel)) = locked else { return Ok(()) };
    let is_buried = channel.cid.contains(',');
    if is_buried || channel.deleted_at.is_some() && sweep.deletion == Deletion::Soft {
        // Nobody sees them any more; those of a buried channel are being purged.
        return Ok(());
    }
    let hard = sweep.deletion == Deletion::Hard;
    let without_system = sweep.without_system.contains(&channel.kind);
    let taken = TakenAway { hard, without_system, by: sweep.deleted_by, at: locked.at };
    let mut log = Vec::new();
    let mut fewer = 0;
    for key in keys {
        // A reply may have gone with its parent meanwhile.
        let found = tx.find_message(sweep.app_pk, &key.id).await?;
        let Some(found) = found.filter(|found| found.pk == key.pk) else { continue };
        let is_live = found.deleted_at.is_none();
        if is_live || hard {
            fewer += do_take_away(tx, &found, taken, channel.history_from).await?;
            let payload = Some(deletion_payload(&found, hard));
            log.push(Logged { payload, ..Logged::new("message.deleted", &found.id) });
        }
        if sweep.deletion == Deletion::Pruning {
            tx.prune_message(found.pk).await?;
        }
        if let (true, Some(at)) = (is_live, sweep.with_user_at) {
            tx.mark_message_deleted_with_user(found.pk, at).await?;
        }
        if let (true, Some(parent_id)) = (is_live, &found.parent_id) {
            log.push(Logged::new("message.updated", parent_id));
        }
    }
    do_log(tx, first.channel_pk, -fewer, &log, sweep.deleted_by, sweep.now).await
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
        log.push(Logged::new("message.undeleted", &found.id));
        if let Some(parent_id) = &found.parent_id {
            log.push(Logged::new("message.updated", parent_id));
        }
    }
    do_log(tx, first.channel_pk, more, &log, None, now).await
}

/// Moves the channel's counters and writes its log.
async fn do_log(
    tx: &mut Tx,
    channel_pk: i64,
    messages: i64,
    log: &[Logged],
    user_id: Option<&str>,
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
            user_id,
            message_id: Some(&logged.message_id),
            payload: logged.payload.clone(),
        };
        tx.append_channel_event(event, at).await?;
    }
    Ok(())
}
