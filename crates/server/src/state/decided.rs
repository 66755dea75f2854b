use std::sync::Arc;

use natterjack_protocol::Timestamp;
use natterjack_storage::{Advance, Advanced, Basis, Channel, Tx};

use super::{CachedChannel, CachedUser, Membership, State};
use crate::error::{Error, Result};

/// By what it was decided that a user may write to a channel.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) channel: Arc<CachedChannel>,
    pub(crate) user: Arc<CachedUser>,
    /// `None` where nothing depends on it.
    membership: Option<Membership>,
    /// Whether it may depend on how many members there are.
    by_member_count: bool,
}

impl Decided {
    pub(crate) fn new(
        state: &State,
        channel: Arc<CachedChannel>,
        user: Arc<CachedUser>,
        membership: Option<Membership>,
    ) -> Self {
        let by_member_count = state.asks_member_count(channel.channel.app_pk);
        Self { channel, user, membership, by_member_count }
    }

    /// Moves the channel's counters, when everything still is as it was when it was decided.
    ///
    /// Members come and go in a busy channel more often than a message is sent by the same user. That moves the version of
    /// the channel, and decides nothing for others: so that they do not begin again and again, it is looked at here, with
    /// the channel locked, what has changed.
    ///
    /// # Errors
    /// [`Error::Stale`], with nothing written, when it has to be decided again.
    pub(crate) async fn do_advance(&self, tx: &mut Tx, advance: Advance, now: Timestamp) -> Result<Advanced> {
        let was = &self.channel.channel;
        let basis = self.channel.basis(Some(&self.user.user));
        if let Some(advanced) = tx.advance_channel_on(was.pk, basis, advance, now).await? {
            return Ok(advanced);
        }
        let channel = tx.lock_channel(was.app_pk, &was.cid).await?.ok_or(Error::Stale)?;
        if !self.is_same(&channel) {
            return Err(Error::Stale);
        }
        if let Some(membership) = &self.membership {
            let user_id = &self.user.user.id;
            let member = tx.find_member(was.pk, user_id).await?;
            let ban = tx.find_ban(was.app_pk, was.pk, user_id).await?;
            if Membership::of(member, ban) != *membership {
                return Err(Error::Stale);
            }
        }
        let basis = Basis { channel: channel.version, ..basis };
        tx.advance_channel_on(was.pk, basis, advance, now).await?.ok_or(Error::Stale)
    }

    /// Whether nothing of the channel has changed but what moves with its members and messages.
    fn is_same(&self, channel: &Channel) -> bool {
        let was = &self.channel.channel;
        let same = Channel {
            version: channel.version,
            member_count: if self.by_member_count { was.member_count } else { channel.member_count },
            message_count: channel.message_count,
            messages_uncounted: channel.messages_uncounted,
            unread_seq: channel.unread_seq,
            updated_at: channel.updated_at,
            last_message_at: channel.last_message_at,
            ..was.clone()
        };
        same == *channel
    }
}
