use std::collections::BTreeMap;

use natterjack_protocol::channels::{
    DeleteChannelsRequest, DeleteChannelsResponse, DeleteChannelsResultResponse,
};
use natterjack_protocol::{Cid, Timestamp};
use natterjack_storage::{Channel, Tx};
use serde::{Deserialize, Serialize};

use super::delete::{do_bury, do_mark_deleted, do_notify};
use crate::actions::check_count;
use crate::actions::tasks::{self, Context, Step, Work};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::BATCH_MAX;
use crate::state::State;

/// What is left to do once channels are hidden from everybody: their members are told, and with `hard` their rows go.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeleteChannels {
    channels: Vec<DeletedChannel>,
    hard: bool,
}

/// A channel as it was deleted. When it has been brought back since, it is another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct DeletedChannel {
    cid: String,
    pk: i64,
    deleted_at: Timestamp,
}

/// Deletions that may be carried out.
struct DeletePlan {
    app_pk: i64,
    task_id: String,
    cids: Vec<String>,
    hard: bool,
    now: Timestamp,
}

/// Deletes channels: all of them are hidden from everybody by the call, the rest is a task.
pub(crate) async fn delete_channels(
    state: &State,
    caller: &Caller,
    request: DeleteChannelsRequest,
) -> Result<DeleteChannelsResponse> {
    let plan = DeletePlan {
        app_pk: caller.app.pk,
        task_id: tasks::new_id(),
        cids: check_cids(&request.cids)?,
        hard: request.hard_delete == Some(true),
        now: state.now(),
    };
    let task_id = plan.task_id.clone();
    let deleted =
        state.store.write("delete_channels", plan, |tx, plan| Box::pin(do_delete_all(tx, plan))).await?;
    state.tasks.notify_one();
    let mut result = BTreeMap::new();
    for channel in deleted {
        state.forget_channel(caller.app.pk, &channel.cid);
        result
            .insert(channel.cid, Some(DeleteChannelsResultResponse { status: "ok".to_owned(), error: None }));
    }
    Ok(DeleteChannelsResponse { task_id: Some(task_id), result: Some(result) })
}

fn check_cids(cids: &[String]) -> Result<Vec<String>> {
    if cids.is_empty() {
        return Err(Error::required("cids"));
    }
    check_count("cids", cids.len(), BATCH_MAX)?;
    let mut checked = Vec::with_capacity(cids.len());
    for (place, cid) in cids.iter().enumerate() {
        let cid = Cid::parse(cid).map_err(|error| Error::id(&format!("cids[{place}]"), &error))?;
        checked.push(cid.to_string());
    }
    checked.sort();
    checked.dedup();
    Ok(checked)
}

/// Hides all channels, or none when one of them is not there. One that is deleted softly may still go for good.
async fn do_delete_all(tx: &mut Tx, plan: &DeletePlan) -> Result<Vec<Channel>> {
    let mut deleted = Vec::with_capacity(plan.cids.len());
    for cid in &plan.cids {
        let found = tx.lock_channel(plan.app_pk, cid).await?;
        let found = found.filter(|channel| plan.hard || channel.deleted_at.is_none());
        let channel = found.ok_or_else(|| Error::not_found("channel", cid))?;
        deleted.push(do_mark_deleted(tx, channel, plan.hard, plan.now).await?);
    }
    let channels = deleted.iter().map(|channel| DeletedChannel {
        cid: channel.cid.clone(),
        pk: channel.pk,
        deleted_at: channel.deleted_at.unwrap_or(plan.now),
    });
    let work = Work::DeleteChannels(DeleteChannels { channels: channels.collect(), hard: plan.hard });
    tasks::do_enqueue(tx, plan.app_pk, &plan.task_id, &work, plan.now).await?;
    Ok(deleted)
}

impl DeleteChannels {
    /// The cids of the channels.
    pub(crate) fn subjects(&self) -> Vec<&str> {
        self.channels.iter().map(|channel| channel.cid.as_str()).collect()
    }

    /// Finishes the deletion of one channel.
    pub(crate) async fn step(&self, tx: &mut Tx, context: &Context<'_>) -> Result<Step> {
        let deleted = self.channels.iter().find(|channel| channel.cid == context.subject);
        let found = tx.lock_channel(context.app_pk, context.subject).await?;
        if let (Some(deleted), Some(channel)) = (deleted, found)
            && channel.pk == deleted.pk
            && channel.deleted_at == Some(deleted.deleted_at)
        {
            do_notify(tx, &channel, self.hard, context.now).await?;
            if self.hard {
                do_bury(tx, &channel).await?;
            }
        }
        Ok(Step::done().touching_channel(context.subject))
    }
}
