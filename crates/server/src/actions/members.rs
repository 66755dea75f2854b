//! Members of channels: finding them, and changing one.

use natterjack_filter::{parse, parse_sort};
use natterjack_protocol::members::{
    ChannelMemberResponse, QueryMembersPayload, UpdateMemberPartialQuery, UpdateMemberPartialRequest,
};
use natterjack_protocol::{ChannelId, ChannelTypeName, Cid, Timestamp, UserId};
use natterjack_storage::queries::MEMBERS;
use natterjack_storage::{
    Advance, Channel, ChannelEvent, Member, MemberChange, MemberQuery, RemovedMember, Tx,
};
use serde_json::json;

use super::channels::{check_channel_role, distinct_id};
use super::partial::PartialUpdate;
use super::{check_count, given, limit, offset, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{BATCH_MAX, MEMBERS_OFFSET_MAX, MEMBERS_PAGE_MAX};
use crate::permissions::Action;
use crate::present;
use crate::state::{State, access};

/// Members of a page without a limit.
const MEMBERS_PAGE_DEFAULT: i64 = 100;
/// Entries of the order of a query.
const SORT_MAX: usize = 1;

/// Fields of a member that follow from something else, or that other calls change.
const RESERVED: [&str; 25] = [
    "user_id",
    "user",
    "cid",
    "channel_id",
    "channel_type",
    "created_at",
    "updated_at",
    "deleted_at",
    "banned",
    "shadow_banned",
    "ban_expires",
    "ban_from_future_channels",
    "future_channel_ban_expires",
    "invited",
    "invite_accepted_at",
    "invite_rejected_at",
    "is_moderator",
    "role",
    "status",
    "notifications_muted",
    "pinned_at",
    "archived_at",
    "hidden",
    "hide_messages_before",
    "deleted_messages",
];
/// Fields of a member that a partial update changes beside custom data, and that have nothing inside.
const BUILT_IN: [&str; 3] = ["pinned", "archived", "channel_role"];

/// A change of a member that may be made. Only [`check_update`] makes one.
struct UpdatePlan {
    channel_pk: i64,
    cid: String,
    user_id: String,
    /// `Some(false)` and unsetting mean the same.
    pinned: Option<bool>,
    archived: Option<bool>,
    channel_role: Option<String>,
    custom: PartialUpdate,
    now: Timestamp,
}

/// Changes single fields of one member.
pub(crate) async fn update_member_partial(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    query: UpdateMemberPartialQuery,
    request: UpdateMemberPartialRequest,
) -> Result<ChannelMemberResponse> {
    let user = users::acting_user(state, caller, "user", query.user_id.as_ref(), None).await?;
    let channel = access::channel(state, caller, &cid.to_string(), access::READ).await?;
    if request.set.contains_key("channel_role") && !channel.is_server() {
        return Err(Error::denied("channel_role can only be set with server-side auth"));
    }
    let plan = check_update(state.now(), &channel.channel, &user.user.id, &request)?;
    let changes_role = plan.channel_role.is_some();
    let member =
        state.store.write("update_member_partial", plan, |tx, plan| Box::pin(do_update(tx, plan))).await?;
    if changes_role {
        state.forget_channel(caller.app.pk, &channel.channel.cid);
    }
    let users = users::shown(state, caller, [user.user.id.as_str()]).await?;
    Ok(present::member(&member, &users, channel.channel.created_by_id.as_deref(), state.now()))
}

fn check_update(
    now: Timestamp,
    channel: &Channel,
    user_id: &str,
    request: &UpdateMemberPartialRequest,
) -> Result<UpdatePlan> {
    let mut update = PartialUpdate::check(&request.set, &request.unset)?;
    let pinned = update.take("pinned")?.map(Option::unwrap_or_default);
    let archived = update.take("archived")?.map(Option::unwrap_or_default);
    let channel_role = match update.take::<String>("channel_role")? {
        Some(role) => Some(check_channel_role("set", role.as_deref())?),
        None => None,
    };
    update.refuse(&RESERVED, Error::reserved)?;
    update.refuse(&BUILT_IN, |name| Error::field(&format!("set.{name}"), "has no fields inside"))?;
    Ok(UpdatePlan {
        channel_pk: channel.pk,
        cid: channel.cid.clone(),
        user_id: user_id.to_owned(),
        pinned,
        archived,
        channel_role,
        custom: update,
        now,
    })
}

async fn do_update(tx: &mut Tx, plan: &UpdatePlan) -> Result<Member> {
    // The role of a member is cached with the channel's version.
    let advance = Advance { events: 1, version: plan.channel_role.is_some(), ..Advance::default() };
    let advanced = tx.advance_channel(plan.channel_pk, advance, plan.now).await?;
    let advanced = advanced.ok_or_else(|| Error::not_found("channel", &plan.cid))?;
    let member = tx.find_member(plan.channel_pk, &plan.user_id).await?;
    let member = member.ok_or_else(|| not_a_member(&plan.user_id, &plan.cid))?;
    // Who pins twice has pinned since the first time.
    let since = |wanted: Option<bool>, was: Option<Timestamp>| match wanted {
        None => was,
        Some(true) => was.or(Some(advanced.at)),
        Some(false) => None,
    };
    let change = MemberChange {
        channel_role: plan.channel_role.clone().unwrap_or(member.channel_role),
        custom: plan.custom.clone().apply("custom", &member.custom)?,
        pinned_at: since(plan.pinned, member.pinned_at),
        archived_at: since(plan.archived, member.archived_at),
    };
    tx.update_member(plan.channel_pk, &plan.user_id, &change, advanced.at).await?;
    let event = ChannelEvent {
        channel_pk: plan.channel_pk,
        seq: advanced.event_seq,
        kind: "member.updated",
        user_id: Some(&plan.user_id),
        message_id: None,
        payload: None,
    };
    tx.append_channel_event(event, advanced.at).await?;
    let updated = tx.find_member(plan.channel_pk, &plan.user_id).await?;
    updated.ok_or_else(|| not_a_member(&plan.user_id, &plan.cid))
}

/// What an event says of a member of whom there is no row any more.
pub(crate) fn removal(removed: &RemovedMember) -> String {
    json!({ "removed": removed }).to_string()
}

/// What concerns a membership is refused for everybody else.
pub(crate) fn not_a_member(user_id: &str, cid: &str) -> Error {
    Error::input(format!("user {user_id:?} is not a member of channel {cid}"))
}

/// Finds members of one channel.
pub(crate) async fn query_members(
    state: &State,
    caller: &Caller,
    payload: QueryMembersPayload,
) -> Result<Vec<ChannelMemberResponse>> {
    let cid = check_channel(&payload)?;
    let now = state.now();
    let query = MemberQuery {
        filter: parse(&MEMBERS, &payload.filter_conditions)
            .map_err(|error| Error::filter("filter_conditions", &error))?,
        sort: parse_sort(&MEMBERS, &payload.sort, SORT_MAX).map_err(|error| Error::filter("sort", &error))?,
        limit: limit("limit", payload.limit, MEMBERS_PAGE_DEFAULT, MEMBERS_PAGE_MAX)?,
        offset: offset("offset", payload.offset, MEMBERS_OFFSET_MAX)?,
        user_id_lt: given(payload.user_id_lt.as_ref()).map(str::to_owned),
        user_id_lte: given(payload.user_id_lte.as_ref()).map(str::to_owned),
        user_id_gt: given(payload.user_id_gt.as_ref()).map(str::to_owned),
        user_id_gte: given(payload.user_id_gte.as_ref()).map(str::to_owned),
        created_at_before: payload.created_at_before,
        created_at_before_or_equal: payload.created_at_before_or_equal,
        created_at_after: payload.created_at_after,
        created_at_after_or_equal: payload.created_at_after_or_equal,
        now,
    };
    users::optional_user(state, caller, "user", payload.user_id.as_ref(), payload.user.as_ref()).await?;
    let channel = access::channel(state, caller, &cid.to_string(), &[Action::ReadChannelMembers]).await?;
    let members = state
        .store
        .read("query_members", (channel.channel.pk, query), |tx, (channel_pk, query)| {
            Box::pin(tx.query_members(*channel_pk, query))
        })
        .await?;
    let ids = members.iter().map(|member| member.user_id.as_str());
    let users = users::shown(state, caller, ids).await?;
    let created_by = channel.channel.created_by_id.as_deref();
    Ok(members.iter().map(|member| present::member(member, &users, created_by, now)).collect())
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
            let ids: Vec<String> = payload.members.iter().map(|member| member.id().to_owned()).collect();
            for id in &ids {
                UserId::parse(id).map_err(|error| Error::id("members.user_id", &error))?;
            }
            distinct_id(&ids)
        }
    };
    Ok(Cid { kind, id: ChannelId::parse(&id).map_err(|error| Error::id("id", &error))? })
}
