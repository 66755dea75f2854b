use natterjack_storage::{Ban, Deletion, Tx, WHOLE_APP};
use serde::{Deserialize, Serialize};

use crate::actions::messages::{Sweep, do_sweep_next};
use crate::actions::tasks::{Context, Step};
use crate::error::Result;

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
        let sweep = Sweep {
            deletion: self.deletion,
            channel_pk: (self.channel_pk != WHOLE_APP).then_some(self.channel_pk),
            with_user_at: None,
            deleted_by: Some(&self.deleted_by),
        };
        Ok(do_sweep_next(tx, context, sweep).await?.map_or_else(Step::done, Step::go_on))
    }
}
