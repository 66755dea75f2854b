use natterjack_storage::{Ban, Deletion, Tx, WHOLE_APP};
use serde::{Deserialize, Serialize};

use crate::actions::messages::{Sweep, do_sweep};
use crate::actions::tasks::{Context, Step};
use crate::actions::users::of_one_channel;
use crate::error::Result;
use crate::limits::SWEEP_BATCH;

/// What is deleted of a user who was banned: the messages in the channel, or everywhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeleteMessages {
    user_id: String,
    channel_pk: i64,
    deletion: Deletion,
    deleted_by: String,
}

impl DeleteMessages {
    pub(super) fn new(ban: &Ban, deletion: Deletion) -> Self {
        Self {
            user_id: ban.user_id.clone(),
            channel_pk: ban.channel_pk,
            deletion,
            deleted_by: ban.banned_by_id.clone(),
        }
    }

    /// The id of the user.
    pub(crate) fn subjects(&self) -> Vec<&str> {
        vec![&self.user_id]
    }

    /// Deletes a few messages, all of one channel.
    pub(crate) async fn step(&self, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
        let position = context.position;
        let after = (position.channel_pk.max(self.channel_pk), position.pk);
        let found = tx.list_messages_of_user(context.app_pk, context.subject, after, SWEEP_BATCH).await?;
        let mut keys = of_one_channel(found);
        if self.channel_pk != WHOLE_APP {
            keys.retain(|key| key.channel_pk == self.channel_pk);
        }
        let Some(last) = keys.last() else { return Ok(Step::done()) };
        let sweep = Sweep {
            app_pk: context.app_pk,
            deletion: self.deletion,
            with_user_at: None,
            deleted_by: Some(&self.deleted_by),
            without_system: context.without_system,
            now: context.now,
        };
        do_sweep(tx, &keys, sweep).await?;
        Ok(Step::go_on(position.behind_message(last.channel_pk, last.pk)))
    }
}
