//! Users who block others.

use natterjack_protocol::UserId;
use natterjack_protocol::blocks::{
    BlockUsersRequest, BlockUsersResponse, BlockedUserResponse, GetBlockedUsersQuery,
};
use natterjack_storage::{Advance, Advanced, NewMember, RemovedMember, Tx, UserBlock, UserEvent};

use super::users;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::BLOCKS_SHOWN_MAX;
use crate::state::State;

/// Channels of the same two users that are looked up at a time.
const CHANNELS_BATCH: i64 = 100;

/// A block that may be made or taken back.
struct BlockPlan {
    app_pk: i64,
    block: UserBlock,
}

/// Blocks a user for another.
pub(crate) async fn block_users(
    state: &State,
    caller: &Caller,
    request: BlockUsersRequest,
) -> Result<BlockUsersResponse> {
    let plan = check_block(state, caller, &request).await?;
    if plan.block.user_id == plan.block.blocked_user_id {
        return Err(Error::field("blocked_user_id", "must not be the user who blocks"));
    }
    users::existing(state, caller, "blocked_user_id", &plan.block.blocked_user_id).await?;
    let block = state.store.write("block_users", plan, |tx, plan| Box::pin(do_block(tx, plan))).await?;
    Ok(BlockUsersResponse {
        blocked_by_user_id: block.user_id,
        blocked_user_id: block.blocked_user_id,
        created_at: block.created_at,
    })
}

/// Takes a block back.
pub(crate) async fn unblock_users(state: &State, caller: &Caller, request: BlockUsersRequest) -> Result<()> {
    let plan = check_block(state, caller, &request).await?;
    let blocked = &plan.block.blocked_user_id;
    if state.user(caller.app.pk, blocked).await?.is_none() {
        // Says who does not exist. Users who were deleted may be unblocked.
        users::existing(state, caller, "blocked_user_id", blocked).await?;
    }
    state.store.write("unblock_users", plan, |tx, plan| Box::pin(do_unblock(tx, plan))).await
}

async fn check_block(state: &State, caller: &Caller, request: &BlockUsersRequest) -> Result<BlockPlan> {
    const FIELD: &str = "blocked_user_id";
    if request.blocked_user_id.is_empty() {
        return Err(Error::required(FIELD));
    }
    let blocked = UserId::parse(&request.blocked_user_id).map_err(|error| Error::id(FIELD, &error))?;
    let user =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let block = UserBlock {
        user_id: user.user.id.clone(),
        blocked_user_id: blocked.as_str().to_owned(),
        created_at: state.now(),
    };
    Ok(BlockPlan { app_pk: caller.app.pk, block })
}

async fn do_block(tx: &mut Tx, plan: &BlockPlan) -> Result<UserBlock> {
    let block = &plan.block;
    tx.lock_user_blocks(plan.app_pk, &block.user_id).await?;
    if tx.insert_user_block(plan.app_pk, block).await? {
        do_settle_pair(tx, plan).await?;
        return Ok(block.clone());
    }
    let stored = tx.find_user_block(plan.app_pk, &block.user_id, &block.blocked_user_id).await?;
    Ok(stored.unwrap_or_else(|| block.clone()))
}

async fn do_unblock(tx: &mut Tx, plan: &BlockPlan) -> Result<()> {
    let block = &plan.block;
    tx.lock_user_blocks(plan.app_pk, &block.user_id).await?;
    if tx.delete_user_block(plan.app_pk, &block.user_id, &block.blocked_user_id).await? {
        do_settle_pair(tx, plan).await?;
    }
    Ok(())
}

/// Hides or shows the channels that have just the two users, a batch at a time, in the order of their keys.
async fn do_settle_pair(tx: &mut Tx, plan: &BlockPlan) -> Result<()> {
    let UserBlock { user_id, blocked_user_id, created_at: now } = &plan.block;
    let mut after = 0;
    loop {
        let pair = (user_id.as_str(), blocked_user_id.as_str());
        let channels = tx.list_channels_of_pair(plan.app_pk, pair, after, CHANNELS_BATCH).await?;
        let Some(last) = channels.last() else { return Ok(()) };
        after = *last;
        for channel_pk in channels {
            // A channel that was deleted meanwhile is hidden from everybody.
            if let Some(advanced) = tx.advance_channel(channel_pk, Advance::default(), *now).await? {
                do_settle_blocks(tx, plan.app_pk, channel_pk, advanced).await?;
            }
        }
    }
}

/// After members have gone from a channel: ends what a block did to them there.
pub(super) async fn do_settle_left(
    tx: &mut Tx,
    channel_pk: i64,
    removed: &[RemovedMember],
    advanced: Advanced,
) -> Result<()> {
    for gone in removed.iter().filter(|gone| gone.blocked) {
        tx.settle_left(channel_pk, &gone.user_id, &advanced).await?;
    }
    Ok(())
}

/// After the members of a channel have changed, or whom they block: hides it from who blocked the only other member,
/// and shows it to those for whom that is no longer so, with an event for each.
pub(super) async fn do_settle_blocks(
    tx: &mut Tx,
    app_pk: i64,
    channel_pk: i64,
    advanced: Advanced,
) -> Result<()> {
    for change in tx.settle_blocks(app_pk, channel_pk, &advanced).await? {
        if change.blocked == change.was_hidden {
            continue;
        }
        let (kind, payload) = if change.blocked {
            ("channel.hidden", Some(serde_json::json!({ "clear_history": false }).to_string()))
        } else {
            ("channel.visible", None)
        };
        let user_id = &change.user_id;
        let event = UserEvent { app_pk, user_id, kind, channel_pk: Some(channel_pk), payload };
        tx.append_user_event(event, advanced.at).await?;
    }
    Ok(())
}

/// Which of these new members have blocked the user who adds them: to them nothing happens.
pub(super) async fn list_ignoring(
    tx: &mut Tx,
    app_pk: i64,
    acting_user_id: Option<&str>,
    members: &[NewMember],
) -> Result<Vec<String>> {
    match acting_user_id {
        Some(user_id) if !members.is_empty() => {
            let ids = members.iter().map(|member| member.user_id.clone()).collect();
            Ok(tx.list_blockers(app_pk, user_id, ids).await?)
        }
        _ => Ok(Vec::new()),
    }
}

/// Whom a user has blocked.
pub(crate) async fn get_blocked_users(
    state: &State,
    caller: &Caller,
    query: GetBlockedUsersQuery,
) -> Result<Vec<BlockedUserResponse>> {
    let user = users::acting_user(state, caller, "user", query.user_id.as_ref(), None).await?;
    let blocks = state
        .store
        .read("get_blocked_users", (caller.app.pk, vec![user.user.id.clone()]), |tx, (app_pk, ids)| {
            Box::pin(tx.list_user_blocks(*app_pk, ids, BLOCKS_SHOWN_MAX))
        })
        .await?;
    let ids = blocks.iter().map(|block| block.blocked_user_id.as_str()).chain([user.user.id.as_str()]);
    let found = users::shown(state, caller, ids).await?;
    let blocks = blocks.into_iter().map(|block| BlockedUserResponse {
        blocked_user: found.get(&block.blocked_user_id),
        blocked_user_id: block.blocked_user_id,
        created_at: block.created_at,
        user: found.get(&block.user_id),
        user_id: block.user_id,
    });
    Ok(blocks.collect())
}
