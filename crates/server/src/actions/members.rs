//! Finding the members of a channel.

use std::sync::Arc;

use natterjack_filter::{Expression, parse, parse_sort};
use natterjack_protocol::members::{ChannelMemberResponse, QueryMembersPayload};
use natterjack_protocol::{ChannelId, ChannelTypeName, Cid, UserId};
use natterjack_storage::queries::MEMBERS;
use natterjack_storage::{App, MemberQuery};

use super::channels::distinct_id;
use super::{check_count, given, limit, offset, users};
use crate::error::{Error, Result};
use crate::limits::{BATCH_MAX, MEMBERS_OFFSET_MAX, MEMBERS_PAGE_MAX};
use crate::present::{self, Users};
use crate::state::State;

/// Members of a page without a limit.
const MEMBERS_PAGE_DEFAULT: i64 = 100;
/// Entries of the order of a query.
const SORT_MAX: usize = 1;

/// Finds members of one channel.
pub(crate) async fn query_members(
    state: &State,
    app: &App,
    payload: QueryMembersPayload,
) -> Result<Vec<ChannelMemberResponse>> {
    let cid = check_channel(&payload)?;
    let query = MemberQuery {
        filter: parse(&MEMBERS, &payload.filter_conditions)
            .map_err(|error| Error::filter("filter_conditions", &error))?,
        sort: parse_sort(&MEMBERS, &payload.sort, SORT_MAX).map_err(|error| Error::filter("sort", &error))?,
        limit: limit("limit", payload.limit, MEMBERS_PAGE_DEFAULT, MEMBERS_PAGE_MAX)?,
        offset: offset("offset", payload.offset, MEMBERS_OFFSET_MAX)?,
        ..MemberQuery::default()
    };
    let user =
        users::optional_user(state, app, "user", payload.user_id.as_ref(), payload.user.as_ref()).await?;
    if user.is_none() {
        check_needs_no_user(&query.filter)?;
    }
    let channel = state.channel(app, &cid.to_string()).await?;
    let members = state
        .store
        .read("query_members", (app.pk, channel.channel.pk, query), |tx, (app_pk, channel_pk, query)| {
            Box::pin(tx.query_members(*app_pk, *channel_pk, query))
        })
        .await?;
    let ids = members.iter().map(|member| member.user_id.as_str());
    let users: Users =
        state.users(app.pk, ids).await?.into_values().map(|user| Arc::clone(&user.response)).collect();
    let created_by = channel.channel.created_by_id.as_deref();
    Ok(members.iter().map(|member| present::member(member, &users, created_by)).collect())
}

/// The channel that a query names: by its id, or by the members that a distinct one was made for.
fn check_channel(payload: &QueryMembersPayload) -> Result<Cid> {
    if payload.kind.is_empty() {
        return Err(Error::required("type"));
    }
    let kind = ChannelTypeName::parse(&payload.kind).map_err(|error| Error::id("type", &error))?;
    let id = match given(payload.id.as_ref()) {
        Some(id) => id.to_owned(),
        None if payload.members.is_empty() => {
            return Err(Error::field(
                "id",
                "is a required field for a channel that is not named by its members",
            ));
        }
        None => {
            check_count("members", payload.members.len(), BATCH_MAX)?;
            let ids: Vec<String> = payload.members.iter().map(|member| member.user_id.clone()).collect();
            for id in &ids {
                UserId::parse(id).map_err(|error| Error::id("members.user_id", &error))?;
            }
            distinct_id(&ids)
        }
    };
    Ok(Cid { kind, id: ChannelId::parse(&id).map_err(|error| Error::id("id", &error))? })
}

/// Refuses filters that the API defines for the asking user, when there is none.
fn check_needs_no_user(filter: &Expression) -> Result<()> {
    match ["invite", "joined"].into_iter().find(|name| filter.mentions(name)) {
        Some(name) => {
            Err(Error::field("filter_conditions", format!("is not valid: {name} requires a valid user")))
        }
        None => Ok(()),
    }
}
