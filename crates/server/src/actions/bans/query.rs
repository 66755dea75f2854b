use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use natterjack_filter::{parse, parse_sort};
use natterjack_protocol::bans::{
    BanResponse, FutureChannelBanResponse, QueryBannedUsersPayload, QueryFutureChannelBansPayload,
    QueryFutureChannelBansResponse,
};
use natterjack_storage::queries::{BANS, BanQuery, FutureBanQuery};
use natterjack_storage::{Ban, Channel, Tx, WHOLE_APP};

use crate::actions::channels::{NamedChannels, within_reach};
use crate::actions::{given, limit, offset, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{BANS_OFFSET_MAX, BANS_PAGE_DEFAULT, BANS_PAGE_MAX, FUTURE_CHANNEL_BANS_COUNTED_MAX};
use crate::permissions::Action;
use crate::present::{self, Users};
use crate::state::{State, access};

/// Keys that a list of bans is sorted by.
const SORT_MAX: usize = 1;

/// Finds bans.
pub(crate) async fn query_banned_users(
    state: &State,
    caller: &Caller,
    payload: QueryBannedUsersPayload,
) -> Result<Vec<BanResponse>> {
    users::optional_user(state, caller, "user", payload.user_id.as_ref(), payload.user.as_ref()).await?;
    let client = access::require_reports(state, caller, Action::ReadFlagReports).await?;
    let query = BanQuery {
        filter: parse(&BANS, &payload.filter_conditions)
            .map_err(|error| Error::filter("filter_conditions", &error))?,
        sort: parse_sort(&BANS, &payload.sort, SORT_MAX).map_err(|error| Error::filter("sort", &error))?,
        limit: limit("limit", payload.limit, BANS_PAGE_DEFAULT, BANS_PAGE_MAX)?,
        offset: offset("offset", payload.offset, BANS_OFFSET_MAX)?,
        active_at: (payload.exclude_expired_bans == Some(true)).then(|| state.now()),
        within: within_reach(state, caller, client.as_ref()),
    };
    let (mut bans, named) = state
        .store
        .read("query_banned_users", (caller.app.pk, query), |tx, (app_pk, query)| {
            Box::pin(load(tx, *app_pk, query))
        })
        .await?;
    let NamedChannels { channels, members } = named;
    if let Some(client) = &client {
        bans.retain(|ban| match channels.get(&ban.channel_pk) {
            Some(channel) => {
                let role = members.get(&channel.pk).map(|member| member.channel_role.as_str());
                access::rights_of(state, &caller.app, client, channel, role).reads
            }
            None => true,
        });
    }
    let users = load_users(state, caller, &bans, &channels).await?;
    let shown = bans.iter().map(|ban| {
        let channel = channels.get(&ban.channel_pk).map(|channel| {
            let config = state.channel_config(&caller.app, channel);
            Arc::new(present::channel(channel, &config, &users, None))
        });
        BanResponse {
            created_at: ban.created_at,
            expires: ban.expires,
            reason: Some(ban.reason.clone()).filter(|reason| !reason.is_empty()),
            shadow: Some(ban.shadow),
            banned_by: Some(users.get(&ban.banned_by_id)),
            channel,
            user: Some(users.get(&ban.user_id)),
        }
    });
    Ok(shown.collect())
}

async fn load(tx: &mut Tx, app_pk: i64, query: &BanQuery) -> Result<(Vec<Ban>, NamedChannels)> {
    let bans = tx.query_bans(app_pk, query).await?;
    let pks: BTreeSet<i64> = bans.iter().map(|ban| ban.channel_pk).filter(|pk| *pk != WHOLE_APP).collect();
    let viewer = query.within.as_ref().and_then(|within| within.user_id.as_deref());
    let named = NamedChannels::load(tx, viewer, pks).await?;
    Ok((bans, named))
}

async fn load_users(
    state: &State,
    caller: &Caller,
    bans: &[Ban],
    channels: &HashMap<i64, Channel>,
) -> Result<Users> {
    let mut ids: Vec<&str> =
        bans.iter().flat_map(|ban| [ban.user_id.as_str(), ban.banned_by_id.as_str()]).collect();
    for channel in channels.values() {
        ids.extend(channel.created_by_id.as_deref());
        ids.extend(channel.truncated_by_id.as_deref());
    }
    users::shown(state, caller, ids).await
}

/// Lists bans from channels that are created later. A user is shown his or her own.
pub(crate) async fn query_future_channel_bans(
    state: &State,
    caller: &Caller,
    payload: QueryFutureChannelBansPayload,
) -> Result<QueryFutureChannelBansResponse> {
    let banned_by =
        users::optional_user(state, caller, "user", payload.user_id.as_ref(), payload.user.as_ref()).await?;
    if banned_by.is_none() && !caller.is_server() {
        return Err(Error::denied("anonymous users are not allowed to perform this operation"));
    }
    let query = FutureBanQuery {
        banned_by_id: banned_by.map(|user| user.user.id.clone()),
        target_user_id: given(payload.target_user_id.as_ref()).map(str::to_owned),
        limit: limit("limit", payload.limit, BANS_PAGE_DEFAULT, BANS_PAGE_MAX)?,
        offset: offset("offset", payload.offset, BANS_OFFSET_MAX)?,
        active_at: (payload.exclude_expired_bans == Some(true)).then(|| state.now()),
    };
    let counts = payload.include_total == Some(true);
    let (bans, total) = state
        .store
        .read("query_future_channel_bans", (caller.app.pk, query, counts), |tx, (app_pk, query, counts)| {
            Box::pin(async move {
                let bans = tx.query_future_channel_bans(*app_pk, query).await?;
                let total = if *counts {
                    let max = FUTURE_CHANNEL_BANS_COUNTED_MAX;
                    Some(tx.count_future_channel_bans(*app_pk, query, max).await?)
                } else {
                    None
                };
                Ok::<_, Error>((bans, total))
            })
        })
        .await?;
    let users = load_users(state, caller, &bans, &HashMap::new()).await?;
    let shown = bans.iter().map(|ban| FutureChannelBanResponse {
        created_at: ban.created_at,
        expires: ban.expires,
        reason: Some(ban.reason.clone()).filter(|reason| !reason.is_empty()),
        shadow: Some(ban.shadow),
        banned_by: Some(users.get(&ban.banned_by_id)),
        user: Some(users.get(&ban.user_id)),
    });
    Ok(QueryFutureChannelBansResponse { bans: shown.collect(), total })
}
