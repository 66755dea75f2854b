//! What becomes of memberships in the channels of teams that users leave, where teams are kept apart.

use std::collections::BTreeMap;

use natterjack_protocol::Timestamp;
use natterjack_storage::{Tx, User};
use serde::{Deserialize, Serialize};

use super::delete::do_remove_member;
use crate::actions::tasks::{self, Context, Step, Work};
use crate::auth::Caller;
use crate::error::Result;
use crate::state::State;

/// Users who left teams, with these teams.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct LeaveTeams {
    teams: BTreeMap<String, Vec<String>>,
}

/// The task that takes users out of channels, should a call make them leave teams.
pub(super) struct LeavePlan {
    task_id: String,
    /// Whether teams are kept apart.
    multi_tenant: bool,
}

impl LeavePlan {
    /// As the app is set.
    pub(super) fn of(state: &State, caller: &Caller) -> Self {
        let multi_tenant = state.current_app(&caller.app).app.settings.multi_tenant_enabled == Some(true);
        Self { task_id: tasks::new_id(), multi_tenant }
    }

    /// Notes the teams that a user leaves, when he or she is a member of channels of theirs.
    pub(super) async fn do_note(
        &self,
        tx: &mut Tx,
        work: &mut LeaveTeams,
        stored: &User,
        teams: &[String],
    ) -> Result<()> {
        let left: Vec<String> = stored.teams.iter().filter(|team| !teams.contains(team)).cloned().collect();
        if !self.multi_tenant || left.is_empty() {
            return Ok(());
        }
        if tx.find_channel_of_member_in_teams(stored.app_pk, &stored.id, &left, 0).await?.is_some() {
            work.teams.entry(stored.id.clone()).or_default().extend(left);
        }
        Ok(())
    }

    /// Stores the task, when there is something to do. Answers its id.
    pub(super) async fn do_enqueue(
        &self,
        tx: &mut Tx,
        app_pk: i64,
        work: LeaveTeams,
        now: Timestamp,
    ) -> Result<Option<String>> {
        if work.teams.is_empty() {
            return Ok(None);
        }
        tasks::do_enqueue(tx, app_pk, &self.task_id, &Work::LeaveTeams(work), now).await?;
        Ok(Some(self.task_id.clone()))
    }
}

impl LeaveTeams {
    /// The ids of the users.
    pub(crate) fn subjects(&self) -> Vec<&str> {
        self.teams.keys().map(String::as_str).collect()
    }

    /// Takes one user out of the next channel.
    pub(crate) async fn step(&self, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
        let users = tx.list_users(context.app_pk, vec![context.subject.to_owned()]).await?;
        // Who has come back meanwhile stays.
        let teams = users.first().map(|user| user.teams.as_slice()).unwrap_or_default();
        let left = self.teams.get(context.subject).into_iter().flatten();
        let left: Vec<String> = left.filter(|team| !teams.contains(team)).cloned().collect();
        if left.is_empty() {
            return Ok(Step::done());
        }
        let after = context.position.channel_pk;
        let found = tx.find_channel_of_member_in_teams(context.app_pk, context.subject, &left, after).await?;
        match found {
            Some(channel_pk) => do_remove_member(tx, context, channel_pk).await,
            None => Ok(Step::done()),
        }
    }
}
