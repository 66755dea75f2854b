use std::sync::Arc;

use natterjack_protocol::channel_state::ChannelStateResponse;
use natterjack_protocol::channel_types::ChannelTypeConfig;
use natterjack_protocol::channels::{ChannelInput, GetOrCreateChannelRequest};
use natterjack_protocol::{ChannelTypeName, Cid, Timestamp};
use natterjack_storage::{
    Advance, Channel, ChannelChange, ChannelEvent, NewChannel, NewMember, Tx, UserEvent,
};

use super::check::{
    DISTINCT_PREFIX, check_data, check_member_custom_include, check_members, check_no_roles, check_protected,
    check_teams, distinct_id, protected,
};
use super::state::{StateRequest, load_states};
use super::update::rejoin;
use crate::actions::pages::MessagePageRequest;
use crate::actions::watching::{Watch, WatchersPage, add_watchers};
use crate::actions::{bans, blocks, limit, offset, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{
    CHANNEL_MESSAGES_DEFAULT, MEMBERS_OFFSET_MAX, MEMBERS_PAGE_MAX, QUERY_MEMBERS_LIMIT_MAX,
};
use crate::permissions::Action;
use crate::present::MessageContext;
use crate::state::access::{self, Access};
use crate::state::{Freshness, State};

/// A channel that may be created, or brought back. Only [`check_create`] makes one.
struct CreatePlan {
    app_pk: i64,
    /// The version of the app by whose channel types the plan was checked.
    app_version: i64,
    new: NewChannel,
    members: Vec<NewMember>,
    invites: Vec<NewMember>,
    now: Timestamp,
}

/// Finds the channel with an explicit id, creates it when it is missing, and shows its state.
pub(crate) async fn get_or_create_channel(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    request: GetOrCreateChannelRequest,
    connection_id: Option<&str>,
) -> Result<ChannelStateResponse> {
    let watch = Watch::check(state, caller, connection_id, request.watch, request.presence)?;
    check_type(state, caller, &cid.kind).await?;
    let is_distinct = cid.id.as_str().starts_with(DISTINCT_PREFIX);
    if cid.id.as_str().starts_with('!') && !is_distinct {
        return Err(reserved_id());
    }
    get_or_create(state, caller, cid, Vec::new(), request, !is_distinct, watch).await
}

/// Who gives an id chooses it freely, except that it must not look like one made of members.
fn reserved_id() -> Error {
    Error::field("id", "must not begin with !, which is reserved for channels made by their members")
}

/// Finds or creates the channel of a set of members.
pub(crate) async fn get_or_create_distinct_channel(
    state: &State,
    caller: &Caller,
    kind: ChannelTypeName,
    request: GetOrCreateChannelRequest,
    connection_id: Option<&str>,
) -> Result<ChannelStateResponse> {
    let watch = Watch::check(state, caller, connection_id, request.watch, request.presence)?;
    check_type(state, caller, &kind).await?;
    let listed = request.data.as_ref().and_then(|data| data.members.as_ref());
    let mut members: Vec<String> =
        listed.into_iter().flatten().map(|member| member.id().to_owned()).collect();
    members.sort();
    members.dedup();
    if members.len() < 2 {
        return Err(Error::field(
            "data.members",
            "is too short: When using member based IDs specify at least 2 members",
        ));
    }
    let id = distinct_id(&members);
    let cid = Cid::parse(&format!("{kind}:{id}")).map_err(|error| Error::id("type", &error))?;
    get_or_create(state, caller, &cid, members, request, true, watch).await
}

async fn check_type(
    state: &State,
    caller: &Caller,
    kind: &ChannelTypeName,
) -> Result<Arc<ChannelTypeConfig>> {
    if let Some(config) = state.channel_type(&caller.app, kind.as_str()) {
        return Ok(config);
    }
    // Another process may have created it a moment ago.
    state.reload_apps().await?;
    state
        .channel_type(&caller.app, kind.as_str())
        .ok_or_else(|| Error::not_found("channel type", kind.as_str()))
}

async fn get_or_create(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    distinct_members: Vec<String>,
    request: GetOrCreateChannelRequest,
    may_create: bool,
    watch: Option<Watch>,
) -> Result<ChannelStateResponse> {
    let (state_request, watchers) = check_state(caller, &request, state.now())?;
    let cid_text = cid.to_string();
    let mut found = find(state, caller, &cid_text).await?;
    if found.as_ref().is_none_or(|channel| channel.deleted_at.is_some()) {
        if !may_create {
            return Err(reserved_id());
        }
        // A new channel holds no message to page from; that is found out before it is created.
        state_request.messages.check_empty()?;
        let mut fresh = Freshness::new(caller.app.pk, &cid_text, None);
        let created = loop {
            let deleted = found.as_ref();
            let plan = check_create(state, caller, cid, distinct_members.clone(), deleted, &request).await?;
            let outcome =
                state.store.write("create_channel", plan, |tx, plan| Box::pin(do_create(tx, plan))).await;
            if let Some(created) = fresh.settle(state, outcome)? {
                break created;
            }
            // The type may have been changed, or deleted, by another process.
            state.reload_apps().await?;
        };
        state.forget_channel(caller.app.pk, &cid_text);
        found = Some(created);
    } else if let Some(channel) = &found {
        let access = access::this_channel(state, caller, channel.clone(), access::ANY).await?;
        if is_away(caller, &access) {
            rejoin(state, caller, access.cached).await?;
            found = find(state, caller, &cid_text).await?;
        } else {
            access.require(Action::ReadChannel)?;
        }
    }
    let channel = found.ok_or_else(|| Error::not_found("channel", &cid_text))?;
    let viewer = access::viewer(state, caller, None).await?;
    if let Some(watch) = &watch {
        watch.begin(state, std::slice::from_ref(&channel)).await?;
    }
    let channel_pk = channel.pk;
    let loaded = state
        .store
        .read("load_channel", (channel, state_request), |tx, (channel, request)| {
            Box::pin(load_states(tx, vec![channel.clone()], request))
        })
        .await?;
    let mut shown = loaded.present(state, caller, viewer.as_ref());
    add_watchers(state, caller, &[channel_pk], &mut shown, watchers).await?;
    if let Some(watch) = &watch {
        watch.subscribe_to(state, &shown);
    }
    Ok(shown.pop().unwrap_or_default())
}

/// Whether the caller is one of those that a distinct channel was made for, and has left it.
fn is_away(caller: &Caller, access: &Access) -> bool {
    let made_for = &access.channel.distinct_members;
    let is_one = caller.user_id().is_some_and(|id| made_for.iter().any(|of| of == id.as_str()));
    is_one && !access.is_member()
}

/// The channel with this cid, also when it is deleted softly.
pub(super) async fn find(state: &State, caller: &Caller, cid: &str) -> Result<Option<Channel>> {
    let key = (caller.app.pk, cid.to_owned());
    Ok(state
        .store
        .read("find_channel", key, |tx, (app_pk, cid)| Box::pin(tx.find_channel(*app_pk, cid)))
        .await?)
}

/// What to show of the channel.
fn check_state(
    caller: &Caller,
    request: &GetOrCreateChannelRequest,
    now: Timestamp,
) -> Result<(StateRequest, WatchersPage)> {
    let members = request.members.clone().unwrap_or_default();
    let watchers = request.watchers.clone().unwrap_or_default();
    let watchers = WatchersPage {
        limit: limit("watchers.limit", watchers.limit, QUERY_MEMBERS_LIMIT_MAX, MEMBERS_PAGE_MAX)?,
        offset: offset("watchers.offset", watchers.offset, MEMBERS_OFFSET_MAX)?,
    };
    let messages = request.messages.clone().unwrap_or_default();
    let state_request = StateRequest {
        // Who asks for a page of something wants to see it.
        full: request.state.unwrap_or(true) || request.messages.is_some() || request.members.is_some(),
        messages: MessagePageRequest::new("messages.", &messages, CHANNEL_MESSAGES_DEFAULT)?,
        members_limit: limit("members.limit", members.limit, QUERY_MEMBERS_LIMIT_MAX, MEMBERS_PAGE_MAX)?,
        members_offset: offset("members.offset", members.offset, MEMBERS_OFFSET_MAX)?,
        context: MessageContext {
            member_custom_include: check_member_custom_include(request.member_custom_include.clone())?,
            ..MessageContext::of(caller)
        },
        now,
    };
    Ok((state_request, watchers))
}

async fn check_create(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    distinct_members: Vec<String>,
    deleted: Option<&Channel>,
    request: &GetOrCreateChannelRequest,
) -> Result<CreatePlan> {
    let none = ChannelInput::default();
    let data = request.data.as_ref().unwrap_or(&none);
    let creator = users::acting_user(
        state,
        caller,
        "data.created_by",
        data.created_by_id.as_ref(),
        data.created_by.as_ref(),
    )
    .await?;
    bans::check_not_banned(state, caller, None).await?;
    let app_version = state.current_app(&caller.app).app.version;
    let config = check_type(state, caller, &cid.kind).await?;
    let change = check_data(state, caller, &config, data, ChannelChange::default())?;
    check_may_create(state, caller, cid, &distinct_members, deleted, data).await?;
    let members = data.members.as_deref().unwrap_or_default();
    let mut members = check_members(state, caller, "data.members", members, false).await?;
    let invites = data.invites.as_deref().unwrap_or_default();
    let mut invites = check_members(state, caller, "data.invites", invites, true).await?;
    check_teams(state, caller, change.team.as_deref(), members.iter().chain(&invites)).await?;
    if !distinct_members.is_empty()
        && let Some(stranger) = invites.iter().find(|invite| !distinct_members.contains(&invite.user_id))
    {
        return Err(not_of_distinct(&stranger.user_id));
    }
    // Who is invited is a member in waiting, also when listed among the members.
    members.retain(|member| invites.iter().all(|invite| invite.user_id != member.user_id));
    if request.hide_for_creator == Some(true) {
        for member in members.iter_mut().chain(&mut invites) {
            member.hidden = member.user_id == creator.user.id;
        }
    }
    let new = NewChannel {
        kind: cid.kind.to_string(),
        id: cid.id.to_string(),
        cid: cid.to_string(),
        created_by_id: creator.user.id.clone(),
        distinct_members,
        change,
    };
    Ok(CreatePlan { app_pk: caller.app.pk, app_version, new, members, invites, now: state.now() })
}

/// Refuses a client who may not create this channel, or not with this data.
async fn check_may_create(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    distinct_members: &[String],
    deleted: Option<&Channel>,
    data: &ChannelInput,
) -> Result<()> {
    let Some(subject) = access::subject(state, caller).await? else { return Ok(()) };
    if let Some(deleted) = deleted {
        access::this_channel(state, caller, deleted.clone(), &[Action::RecreateChannel]).await?;
    }
    let of_app = state.current_app(&caller.app);
    let kind = cid.kind.as_str();
    let scope = of_app.types.get(kind).map(|of_type| Arc::clone(&of_type.scope)).unwrap_or_default();
    let team = data.team.as_deref().filter(|team| !team.is_empty());
    let require = |action| match subject.may_with_new(&scope, action, team) {
        true => Ok(()),
        false if !subject.is_of_team(team) => Err(protected(
            "a channel must be created with a team to which the user belongs; without one by users without teams",
        )),
        false => Err(subject.refusal_in(action, team, kind)),
    };
    if deleted.is_none() {
        require(Action::CreateChannel)?;
    }
    let is_for_others = !distinct_members.is_empty()
        && subject.id().is_none_or(|id| !distinct_members.iter().any(|member| member == id));
    if is_for_others {
        require(Action::CreateDistinctChannelForOthers)?;
    }
    check_protected(
        data.config_overrides.is_some(),
        data.disabled == Some(true),
        data.auto_translation_enabled == Some(true),
    )?;
    check_no_roles(data.members.as_deref().unwrap_or_default())?;
    check_no_roles(data.invites.as_deref().unwrap_or_default())?;
    if data.frozen == Some(true) { require(Action::UpdateChannelFrozen) } else { Ok(()) }
}

/// Nobody joins a distinct channel who is not one of those it was made for.
pub(super) fn not_of_distinct(user_id: &str) -> Error {
    Error::denied(format!("cannot add members to the distinct channel they don't belong to: {user_id}"))
}

async fn do_create(tx: &mut Tx, plan: &CreatePlan) -> Result<Channel> {
    // A type is not deleted while channels of it are made.
    if tx.hold_app(plan.app_pk).await? != plan.app_version {
        return Err(Error::Stale);
    }
    let inserted = tx.insert_channel(plan.app_pk, &plan.new, plan.now).await?;
    let channel = match inserted {
        Some(channel) => channel,
        None => {
            let existing = tx.lock_channel(plan.app_pk, &plan.new.cid).await?.ok_or(Error::Stale)?;
            if existing.deleted_at.is_none() {
                // Another request was faster; what this one wanted to create is there.
                return Ok(existing);
            }
            tx.revive_channel(existing.pk, plan.now).await?;
            tx.update_channel(existing.pk, &plan.new.change, plan.now).await?;
            existing
        }
    };
    tx.ban_from_new_channel(plan.app_pk, channel.pk, &plan.new.created_by_id, plan.now).await?;
    let mut all: Vec<NewMember> = plan.members.iter().chain(&plan.invites).cloned().collect();
    let created_by = plan.new.created_by_id.as_str();
    let ignoring = blocks::list_ignoring(tx, plan.app_pk, Some(created_by), &all).await?;
    all.retain(|member| !ignoring.contains(&member.user_id));
    let added = tx.insert_members(plan.app_pk, channel.pk, channel.unread_seq, &all, plan.now).await?;
    let advance = Advance {
        events: 1 + added.len() as i64,
        members: added.len() as i64,
        version: true,
        ..Advance::default()
    };
    let advanced = tx.advance_channel(channel.pk, advance, plan.now).await?.ok_or(Error::Stale)?;
    let first = advanced.event_seq - advance.events + 1;
    let log = std::iter::once(("channel.created", created_by))
        .chain(added.iter().map(|user_id| ("member.added", user_id.as_str())));
    for (seq, (kind, user_id)) in (first..).zip(log) {
        let event = ChannelEvent {
            channel_pk: channel.pk,
            seq,
            kind,
            user_id: Some(user_id),
            message_id: None,
            payload: None,
        };
        tx.append_channel_event(event, advanced.at).await?;
    }
    notify_added(tx, plan.app_pk, channel.pk, &added, &plan.invites, advanced.at).await?;
    if advanced.member_count == 2 || channel.deleted_at.is_some() {
        blocks::do_settle_blocks(tx, plan.app_pk, channel.pk, advanced).await?;
    }
    tx.find_channel(plan.app_pk, &plan.new.cid).await?.ok_or(Error::Stale)
}

/// Tells the users who were added, or invited.
pub(super) async fn notify_added(
    tx: &mut Tx,
    app_pk: i64,
    channel_pk: i64,
    added: &[String],
    invites: &[NewMember],
    at: Timestamp,
) -> Result<()> {
    // In one order everywhere: two calls that lock the rows of the same users never wait for each other in a circle.
    let mut added: Vec<&String> = added.iter().collect();
    added.sort();
    for user_id in added {
        let is_invited = invites.iter().any(|invite| invite.user_id == *user_id);
        let event = UserEvent {
            app_pk,
            user_id,
            kind: if is_invited { "notification.invited" } else { "notification.added_to_channel" },
            channel_pk: Some(channel_pk),
            payload: None,
        };
        tx.append_user_event(event, at).await?;
    }
    Ok(())
}
