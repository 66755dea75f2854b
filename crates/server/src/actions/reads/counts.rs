use std::collections::{BTreeMap, BTreeSet};

use natterjack_protocol::reads::{
    UnreadCountsBatchRequest, UnreadCountsChannel, UnreadCountsChannelType, UnreadCountsQuery,
    UnreadCountsResponse, UnreadCountsThread,
};
use natterjack_storage::{UnreadChannels, UnreadGroup, UnreadQuery, UnreadThreads, together};

use crate::actions::{check_count, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{BATCH_MAX, UNREAD_LISTED_MAX};
use crate::state::State;

/// How much a user has not read, where the channel type has read events.
pub(crate) async fn unread_counts(
    state: &State,
    caller: &Caller,
    query: UnreadCountsQuery,
) -> Result<UnreadCountsResponse> {
    let user = users::acting_user(state, caller, "user", query.user_id.as_ref(), None).await?;
    let mut unread = load_unread(state, caller, vec![user.user.id.clone()], UNREAD_LISTED_MAX).await?;
    let (channels, threads) = unread.pop().unwrap_or_default();
    Ok(present_counts(is_multi_tenant(state, caller), channels, threads))
}

/// As [`unread_counts`], for several users. Ids that name nobody are missing in the answer.
pub(crate) async fn unread_counts_batch(
    state: &State,
    caller: &Caller,
    request: UnreadCountsBatchRequest,
) -> Result<BTreeMap<String, UnreadCountsResponse>> {
    if request.user_ids.is_empty() {
        return Err(Error::required("user_ids"));
    }
    check_count("user_ids", request.user_ids.len(), BATCH_MAX)?;
    let known = state.users(caller.app.pk, request.user_ids.iter().map(String::as_str)).await?;
    let known: BTreeSet<String> = known
        .into_values()
        .filter(|user| user.user.deleted_at.is_none())
        .map(|user| user.user.id.clone())
        .collect();
    let ids: Vec<String> = known.into_iter().collect();
    let unread = load_unread(state, caller, ids.clone(), UNREAD_LISTED_MAX).await?;
    let counts = ids.into_iter().zip(unread);
    Ok(counts
        .map(|(id, (channels, threads))| {
            (id, present_counts(is_multi_tenant(state, caller), channels, threads))
        })
        .collect())
}

/// What each of these users has not read, with at most `limit` channels and threads listed.
pub(crate) async fn load_unread(
    state: &State,
    caller: &Caller,
    user_ids: Vec<String>,
    limit: i64,
) -> Result<Vec<(UnreadChannels, UnreadThreads)>> {
    let without_kinds = state.kinds_without_read_events(&caller.app);
    let query = UnreadQuery { app_pk: caller.app.pk, user_ids, without_kinds, limit };
    state
        .store
        .read("unread_counts", query, |tx, query| {
            Box::pin(async move {
                let (channels, threads) =
                    together!(tx: tx.list_unread_channels(query), tx.list_unread_threads(query));
                Ok::<_, Error>(channels.into_iter().zip(threads).collect())
            })
        })
        .await
}

/// Whether the app keeps teams apart, so that totals are told by team.
fn is_multi_tenant(state: &State, caller: &Caller) -> bool {
    state.current_app(&caller.app).app.settings.multi_tenant_enabled == Some(true)
}

fn present_counts(by_teams: bool, channels: UnreadChannels, threads: UnreadThreads) -> UnreadCountsResponse {
    let total_unread_count = channels.totals().messages;
    let listed_channels = channels.listed.into_iter().map(|channel| UnreadCountsChannel {
        channel_id: channel.cid,
        last_read: channel.last_read,
        unread_count: channel.unread,
    });
    let listed_threads = threads.listed.into_iter().map(|thread| UnreadCountsThread {
        parent_message_id: thread.parent_message_id,
        last_read: thread.last_read,
        last_read_message_id: thread.last_read_message_id.unwrap_or_default(),
        unread_count: thread.unread,
    });
    UnreadCountsResponse {
        total_unread_count,
        total_unread_threads_count: threads.threads,
        channel_type: by_type(&channels.groups),
        channels: listed_channels.collect(),
        threads: listed_threads.collect(),
        total_unread_count_by_team: by_teams.then(|| by_team(&channels.groups)),
    }
}

fn by_type(groups: &[UnreadGroup]) -> Vec<UnreadCountsChannelType> {
    let mut by_type: BTreeMap<&str, UnreadCountsChannelType> = BTreeMap::new();
    for group in groups {
        let of_type = by_type.entry(&group.channel_kind).or_default();
        of_type.channel_count += group.channels;
        of_type.unread_count += group.unread;
    }
    let named = by_type
        .into_iter()
        .map(|(kind, of_type)| UnreadCountsChannelType { channel_type: kind.to_owned(), ..of_type });
    named.collect()
}

/// By team; the empty key stands for channels without one.
fn by_team(groups: &[UnreadGroup]) -> BTreeMap<String, i64> {
    let mut by_team = BTreeMap::new();
    for group in groups {
        *by_team.entry(group.team.clone().unwrap_or_default()).or_default() += group.unread;
    }
    by_team
}

#[cfg(test)]
mod tests {
    use natterjack_storage::UnreadGroup;

    use super::{by_team, by_type};

    fn group(kind: &str, team: Option<&str>, channels: i64, unread: i64) -> UnreadGroup {
        UnreadGroup { channel_kind: kind.to_owned(), team: team.map(str::to_owned), channels, unread }
    }

    #[test]
    fn totals_are_added_up_by_team_and_by_type() {
        let groups = [
            group("messaging", None, 1, 2),
            group("messaging", Some("red"), 2, 5),
            group("team", Some("red"), 1, 3),
        ];
        let teams = by_team(&groups);
        assert_eq!(teams.into_iter().collect::<Vec<_>>(), [(String::new(), 2), ("red".to_owned(), 8)]);
        let types = by_type(&groups);
        let types: Vec<_> = types
            .iter()
            .map(|one| (one.channel_type.as_str(), one.channel_count, one.unread_count))
            .collect();
        assert_eq!(types, [("messaging", 3, 7), ("team", 1, 3)]);
    }
}
