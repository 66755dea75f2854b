use std::collections::BTreeSet;
use std::sync::Arc;

use natterjack_protocol::channels::{UpdateChannelRequest, UpdateChannelResponse};
use natterjack_protocol::members::ChannelMemberRequest;
use natterjack_protocol::{Cid, Timestamp};
use natterjack_storage::{
    Advance, Advanced, Channel, ChannelChange, ChannelEvent, Member, Message, NewMember, RemovedMember, Tx,
    UserEvent,
};

use super::check::{
    MEMBER_ROLE_DEFAULT, check_all_exist, check_channel_role, check_cooldown, check_data, check_filter_tags,
    check_may_change, check_members, check_no_roles, check_teams, roles_are_the_servers,
};
use super::create::{not_of_distinct, notify_added};
use crate::actions::members::{not_a_member, removal};
use crate::actions::messages::{NewSystemMessage, do_send_system_message};
use crate::actions::{bans, blocks, check_count, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{BATCH_MAX, QUERY_MEMBERS_LIMIT_MAX};
use crate::permissions::Action;
use crate::present::{self, Bundle, CHANNEL_MODERATOR, MessageContext};
use crate::state::access::{self, Access};
use crate::state::{CachedChannel, CachedUser, Freshness, State};

/// An update that may be made. Only checks make one.
pub(super) struct UpdatePlan {
    app_pk: i64,
    channel: Arc<CachedChannel>,
    /// `None` leaves the channel's data alone.
    change: Option<ChannelChange>,
    add: Vec<NewMember>,
    invite: Vec<NewMember>,
    remove: Vec<String>,
    /// Members and the roles that they are given.
    roles: Vec<(String, String)>,
    answer: Option<InviteAnswer>,
    message: Option<NewSystemMessage>,
    user_id: Option<String>,
    now: Timestamp,
}

impl UpdatePlan {
    /// An update of nothing but the channel's data.
    pub(super) fn of_data(
        app_pk: i64,
        channel: Arc<CachedChannel>,
        change: ChannelChange,
        user_id: Option<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            app_pk,
            channel,
            change: Some(change),
            add: Vec::new(),
            invite: Vec::new(),
            remove: Vec::new(),
            roles: Vec::new(),
            answer: None,
            message: None,
            user_id,
            now,
        }
    }
}

/// Makes the caller a member again of a distinct channel that he or she has left.
pub(super) async fn rejoin(state: &State, caller: &Caller, channel: Arc<CachedChannel>) -> Result<()> {
    let Some(user_id) = caller.user_id().map(|id| id.as_str().to_owned()) else { return Ok(()) };
    let cid = channel.channel.cid.clone();
    let change = ChannelChange::from(&channel.channel);
    let member = NewMember {
        user_id: user_id.clone(),
        channel_role: MEMBER_ROLE_DEFAULT.to_owned(),
        custom: Default::default(),
        invited: false,
        hidden: false,
        hide_messages_before: None,
    };
    let plan = UpdatePlan {
        change: None,
        add: vec![member],
        ..UpdatePlan::of_data(caller.app.pk, channel, change, Some(user_id), state.now())
    };
    let outcome = state.store.write("rejoin_channel", plan, |tx, plan| Box::pin(do_update(tx, plan))).await;
    state.forget_channel(caller.app.pk, &cid);
    match outcome {
        // Somebody changed the channel meanwhile; the membership is asked for again by the next call.
        Err(Error::Stale) => {
            let text = "the channel changed while it was joined; repeat the call";
            Err(Error::caller(natterjack_protocol::ErrorCode::Timeout, text))
        }
        outcome => outcome.map(|_| ()),
    }
}

/// What an invited user says.
#[derive(Debug, Clone)]
struct InviteAnswer {
    user_id: String,
    accepted: bool,
}

/// What an update did.
pub(super) struct Updated {
    channel: Channel,
    members: Vec<Member>,
    message: Option<Message>,
    bundle: Bundle,
}

/// Updates a channel's data, its members, or both.
pub(crate) async fn update_channel(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    request: UpdateChannelRequest,
) -> Result<UpdateChannelResponse> {
    let cid_text = cid.to_string();
    let user =
        users::optional_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let mut fresh = Freshness::new(caller.app.pk, &cid_text, None);
    let updated = loop {
        let plan = check_update(state, caller, &cid_text, &request, user.as_ref()).await?;
        let outcome =
            state.store.write("update_channel", plan, |tx, plan| Box::pin(do_update(tx, plan))).await;
        if let Some(updated) = fresh.settle(state, outcome)? {
            break updated;
        }
    };
    state.forget_channel(caller.app.pk, &cid_text);
    present_updated(state, caller, user.as_ref(), updated).await
}

/// The updated channel as it travels on the wire.
pub(super) async fn present_updated(
    state: &State,
    caller: &Caller,
    user: Option<&Arc<CachedUser>>,
    updated: Updated,
) -> Result<UpdateChannelResponse> {
    let Updated { channel, members, message, bundle } = updated;
    let mut bundle = bundle.seen_by(caller);
    bundle.add_channel(channel.pk, &channel.cid);
    let viewer = access::viewer(state, caller, user).await?;
    let shown = access::show_alone(state, caller, viewer.as_ref(), &channel, &bundle.users).await?;
    let creator = channel.created_by_id.as_deref();
    Ok(UpdateChannelResponse {
        channel: Some(Arc::new(shown)),
        members: members
            .iter()
            .map(|member| present::member(member, &bundle.users, creator, bundle.now()))
            .collect(),
        message: message.map(|message| bundle.message(&message)),
    })
}

async fn check_update(
    state: &State,
    caller: &Caller,
    cid: &str,
    request: &UpdateChannelRequest,
    user: Option<&Arc<CachedUser>>,
) -> Result<UpdatePlan> {
    let access = access::channel(state, caller, cid, access::ANY).await?;
    bans::check_not_banned(state, caller, Some(&access)).await?;
    let channel = Arc::clone(&access.cached);
    check_may_change_members(&access, request, user)?;
    let mut add = check_members(state, caller, "add_members", &request.add_members, false).await?;
    let invite = check_members(state, caller, "invites", &request.invites, true).await?;
    check_count("remove_members", request.remove_members.len(), BATCH_MAX)?;
    let roles = check_roles(state, caller, request).await?;
    for moderator in &request.add_moderators {
        // Who is made a moderator becomes a member.
        let is_member = state.channel_role(&channel.channel, moderator).await?.is_some();
        if !is_member && add.iter().all(|member| member.user_id != *moderator) {
            add.push(NewMember {
                user_id: moderator.clone(),
                channel_role: CHANNEL_MODERATOR.to_owned(),
                custom: Default::default(),
                invited: false,
                hidden: false,
                hide_messages_before: None,
            });
        }
    }
    let both = add.iter().chain(&invite).find(|member| request.remove_members.contains(&member.user_id));
    if let Some(member) = both {
        return Err(Error::field(
            "remove_members",
            format!("names a user who is added by the same call: {}", member.user_id),
        ));
    }
    if channel.channel.id.starts_with(super::check::DISTINCT_PREFIX) {
        let members = &channel.channel.distinct_members;
        let stranger = add.iter().chain(&invite).find(|member| !members.contains(&member.user_id));
        if let Some(stranger) = stranger {
            return Err(not_of_distinct(&stranger.user_id));
        }
    }
    let now = state.now();
    let hide_before = check_hide_history(request, now)?;
    for member in &mut add {
        member.hide_messages_before = hide_before;
    }
    let answer = check_answer(request, user)?;
    let message = match &request.message {
        None => None,
        Some(message) => Some(NewSystemMessage::check(state, caller, &channel, message, user).await?),
    };
    let change = check_change(state, caller, &channel, request)?;
    if let Some(change) = &change {
        check_may_change(&access, change)?;
    } else if !changes_members(request) {
        access.require(Action::UpdateChannel)?;
    }
    let team = change.as_ref().map_or(&channel.channel.team, |change| &change.team).as_deref();
    check_teams(state, caller, team, add.iter().chain(&invite)).await?;
    Ok(UpdatePlan {
        app_pk: caller.app.pk,
        channel,
        change,
        add,
        invite,
        remove: request.remove_members.clone(),
        roles,
        answer,
        message,
        user_id: user.map(|user| user.user.id.clone()),
        now,
    })
}

/// Whether the call is about members at all.
fn changes_members(request: &UpdateChannelRequest) -> bool {
    !request.add_members.is_empty()
        || !request.remove_members.is_empty()
        || !request.invites.is_empty()
        || !request.add_moderators.is_empty()
        || !request.demote_moderators.is_empty()
        || !request.assign_roles.is_empty()
        || request.accept_invite == Some(true)
        || request.reject_invite == Some(true)
}

/// Refuses changes of members that the caller may not make. Joining and leaving are permissions of their own; who was one
/// of those that a distinct channel was made for may always come back.
fn check_may_change_members(
    access: &Access,
    request: &UpdateChannelRequest,
    user: Option<&Arc<CachedUser>>,
) -> Result<()> {
    if access.is_server() {
        return Ok(());
    }
    let user_id = user.map(|user| user.user.id.as_str()).ok_or_else(users::anonymous)?;
    let gives_roles = !request.add_moderators.is_empty()
        || !request.demote_moderators.is_empty()
        || !request.assign_roles.is_empty();
    if gives_roles {
        return Err(roles_are_the_servers());
    }
    check_no_roles(&request.add_members)?;
    check_no_roles(&request.invites)?;
    let mut added = request.add_members.iter().map(ChannelMemberRequest::id);
    if added.len() > 0 {
        let is_back = access.channel.distinct_members.iter().any(|id| id == user_id);
        let joins = added.all(|id| id == user_id);
        let needed = [Action::AddOwnChannelMembership, Action::UpdateChannelMembers];
        if !(joins && is_back) {
            access.require_one(if joins { &needed } else { &needed[1..] })?;
        }
    }
    if !request.remove_members.is_empty() {
        let leaves = request.remove_members.iter().all(|id| id == user_id);
        let needed = [Action::RemoveOwnChannelMembership, Action::UpdateChannelMembers];
        access.require_one(if leaves { &needed } else { &needed[1..] })?;
    }
    if request.invites.is_empty() { Ok(()) } else { access.require(Action::UpdateChannelMembers) }
}

/// The channel's data after the update, `None` when the call is about members only.
fn check_change(
    state: &State,
    caller: &Caller,
    channel: &CachedChannel,
    request: &UpdateChannelRequest,
) -> Result<Option<ChannelChange>> {
    let was = ChannelChange::from(&channel.channel);
    let of_type = state.channel_type(&caller.app, &channel.channel.kind).unwrap_or_default();
    let mut change = match &request.data {
        None => was.clone(),
        // A full update: custom data that is not given vanishes.
        Some(data) => check_data(
            state,
            caller,
            &of_type,
            data,
            ChannelChange { custom: Default::default(), ..was.clone() },
        )?,
    };
    if let Some(cooldown) = request.cooldown {
        change.cooldown = check_cooldown("cooldown", cooldown)?;
    }
    change.filter_tags.retain(|tag| !request.remove_filter_tags.contains(tag));
    for tag in &request.add_filter_tags {
        if !change.filter_tags.contains(tag) {
            change.filter_tags.push(tag.clone());
        }
    }
    check_filter_tags("add_filter_tags", &change.filter_tags)?;
    Ok((change != was || request.data.is_some()).then_some(change))
}

async fn check_roles(
    state: &State,
    caller: &Caller,
    request: &UpdateChannelRequest,
) -> Result<Vec<(String, String)>> {
    check_count("add_moderators", request.add_moderators.len(), BATCH_MAX)?;
    check_count("demote_moderators", request.demote_moderators.len(), BATCH_MAX)?;
    check_count("assign_roles", request.assign_roles.len(), BATCH_MAX)?;
    let mut roles: Vec<(String, String)> = Vec::new();
    roles.extend(request.add_moderators.iter().map(|id| (id.clone(), CHANNEL_MODERATOR.to_owned())));
    roles.extend(request.demote_moderators.iter().map(|id| (id.clone(), MEMBER_ROLE_DEFAULT.to_owned())));
    for assignment in &request.assign_roles {
        let role = check_channel_role("assign_roles", assignment.channel_role.as_deref())?;
        roles.push((assignment.id().to_owned(), role));
    }
    check_all_exist(state, caller, roles.iter().map(|(id, _)| id.as_str())).await?;
    Ok(roles)
}

/// Up to when messages are hidden from the members who are added.
fn check_hide_history(request: &UpdateChannelRequest, now: Timestamp) -> Result<Option<Timestamp>> {
    match request.hide_history_before {
        Some(before) if before > now => Err(Error::field("hide_history_before", "must be in the past")),
        Some(before) => Ok(Some(before)),
        None => Ok((request.hide_history == Some(true)).then_some(now)),
    }
}

fn check_answer(
    request: &UpdateChannelRequest,
    user: Option<&Arc<CachedUser>>,
) -> Result<Option<InviteAnswer>> {
    let accepted = match (request.accept_invite == Some(true), request.reject_invite == Some(true)) {
        (false, false) => return Ok(None),
        (true, true) => {
            return Err(Error::input("accept_invite and reject_invite cannot be used together"));
        }
        (accepted, _) => accepted,
    };
    let user = user.ok_or_else(|| {
        Error::input("either user or user_id must be provided when using server side auth.")
    })?;
    Ok(Some(InviteAnswer { user_id: user.user.id.clone(), accepted }))
}

pub(super) async fn do_update(tx: &mut Tx, plan: &UpdatePlan) -> Result<Updated> {
    let before = &plan.channel.channel;
    // Locks the channel; how far its counters move is known only after the members have been looked at.
    let locked = tx.advance_channel(before.pk, Advance::default(), plan.now).await?;
    let locked = locked.ok_or_else(|| Error::not_found("channel", &before.cid))?;
    if !plan.channel.is_fresh(&locked) {
        return Err(Error::Stale);
    }
    let at = locked.at;
    let mut new: Vec<NewMember> = plan.add.iter().chain(&plan.invite).cloned().collect();
    let ignoring = blocks::list_ignoring(tx, plan.app_pk, plan.user_id.as_deref(), &new).await?;
    new.retain(|member| !ignoring.contains(&member.user_id));
    // Everything up to now is everything up to this update, which in the channel may be a little later.
    for member in new.iter_mut().filter(|member| member.hide_messages_before == Some(plan.now)) {
        member.hide_messages_before = Some(at);
    }
    let added = tx.insert_members(plan.app_pk, before.pk, locked.unread_seq, &new, at).await?;
    let removed = match plan.remove.as_slice() {
        [] => Vec::new(),
        some => tx.delete_members(before.pk, some.to_vec()).await?,
    };
    let mut changed: BTreeSet<String> = BTreeSet::new();
    for (user_id, role) in plan.roles.iter().filter(|(user_id, _)| !ignoring.contains(user_id)) {
        if !tx.update_member_role(before.pk, user_id, role, at).await? {
            return Err(not_a_member(user_id, &before.cid));
        }
        if !added.contains(user_id) {
            changed.insert(user_id.clone());
        }
    }
    let answered = match &plan.answer {
        Some(answer) => do_answer(tx, before, answer, at).await?,
        None => false,
    };
    if let (true, Some(answer)) = (answered, &plan.answer) {
        changed.insert(answer.user_id.clone());
    }
    if let Some(change) = &plan.change {
        tx.update_channel(before.pk, change, at).await?;
    }
    // A message that goes with an answer is posted only when the answer is new.
    let message = plan.message.as_ref().filter(|_| plan.answer.is_none() || answered);
    let mut log: Vec<(&'static str, Option<&str>, Option<String>)> = Vec::new();
    log.extend(added.iter().map(|id| ("member.added", Some(id.as_str()), None)));
    log.extend(
        removed.iter().map(|gone| ("member.removed", Some(gone.user_id.as_str()), Some(removal(gone)))),
    );
    log.extend(changed.iter().map(|id| ("member.updated", Some(id.as_str()), None)));
    log.push(("channel.updated", plan.user_id.as_deref(), None));
    let skips_last_message = plan.channel.config.skip_last_msg_update_for_system_msgs;
    let advance = Advance {
        events: log.len() as i64 + i64::from(message.is_some()),
        unread: i64::from(message.is_some()),
        messages: i64::from(message.is_some()),
        members: added.len() as i64 - removed.len() as i64,
        last_message: message.is_some() && !skips_last_message,
        version: true,
        counting: message.map(|_| plan.channel.config.count_messages),
    };
    let advanced = tx.advance_channel(before.pk, advance, plan.now).await?.ok_or(Error::Stale)?;
    do_log(tx, before.pk, log, message.map(|new| new.id.as_str()), advanced, advance).await?;
    notify_added(tx, plan.app_pk, before.pk, &added, &plan.invite, at).await?;
    do_notify(tx, plan, &removed, answered, at).await?;
    let changes_members = !added.is_empty() || !removed.is_empty();
    if changes_members && [advanced.member_count, advanced.member_count - advance.members].contains(&2) {
        blocks::do_settle_blocks(tx, plan.app_pk, before.pk, advanced).await?;
    }
    let message = match message {
        None => None,
        Some(new) => Some(do_send_system_message(tx, plan.app_pk, before.pk, new, advanced).await?),
    };
    load_updated(tx, plan, message).await
}

/// Records an answer to an invite. `false` when it repeats the one that was given before.
async fn do_answer(tx: &mut Tx, channel: &Channel, answer: &InviteAnswer, at: Timestamp) -> Result<bool> {
    let member = tx.find_member(channel.pk, &answer.user_id).await?.filter(|member| member.invited);
    let member = member.ok_or_else(|| {
        Error::input(format!("user {:?} has no invite to channel {}", answer.user_id, channel.cid))
    })?;
    let repeats = if answer.accepted {
        member.invite_accepted_at.is_some()
    } else {
        member.invite_rejected_at.is_some() || member.invite_accepted_at.is_some()
    };
    if !repeats {
        tx.answer_invite(channel.pk, &answer.user_id, answer.accepted, at).await?;
    }
    Ok(!repeats)
}

async fn do_log(
    tx: &mut Tx,
    channel_pk: i64,
    log: Vec<(&'static str, Option<&str>, Option<String>)>,
    message_id: Option<&str>,
    advanced: Advanced,
    advance: Advance,
) -> Result<()> {
    let first = advanced.event_seq - advance.events + 1;
    for (seq, (kind, user_id, payload)) in (first..).zip(log) {
        // The message that was posted with the change of the channel.
        let message_id = message_id.filter(|_| kind == "channel.updated");
        let event = ChannelEvent { channel_pk, seq, kind, user_id, message_id, payload };
        tx.append_channel_event(event, advanced.at).await?;
    }
    Ok(())
}

/// Tells the users who were removed, and who answered an invite.
async fn do_notify(
    tx: &mut Tx,
    plan: &UpdatePlan,
    removed: &[RemovedMember],
    answered: bool,
    at: Timestamp,
) -> Result<()> {
    let answer = plan.answer.as_ref().filter(|_| answered).map(|answer| {
        let kind =
            if answer.accepted { "notification.invite_accepted" } else { "notification.invite_rejected" };
        (kind, answer.user_id.as_str(), None)
    });
    let removed = removed
        .iter()
        .map(|gone| ("notification.removed_from_channel", gone.user_id.as_str(), Some(removal(gone))));
    let mut notices: Vec<_> = removed.chain(answer).collect();
    notices.sort_by_key(|(_, user_id, _)| *user_id);
    for (kind, user_id, payload) in notices {
        let channel_pk = Some(plan.channel.channel.pk);
        let event = UserEvent { app_pk: plan.app_pk, user_id, kind, channel_pk, payload };
        tx.append_user_event(event, at).await?;
    }
    Ok(())
}

async fn load_updated(tx: &mut Tx, plan: &UpdatePlan, message: Option<Message>) -> Result<Updated> {
    let before = &plan.channel.channel;
    let channel = tx.find_channel(plan.app_pk, &before.cid).await?.ok_or(Error::Stale)?;
    let members = tx
        .list_members_of_channels(&[channel.pk], QUERY_MEMBERS_LIMIT_MAX, 0)
        .await?
        .pop()
        .unwrap_or_default();
    let mut users: Vec<String> = members.iter().map(|member| member.user_id.clone()).collect();
    users.extend([&channel.created_by_id, &channel.truncated_by_id].into_iter().flatten().cloned());
    let context = MessageContext { app_pk: plan.app_pk, ..MessageContext::default() };
    let messages: Vec<&Message> = message.iter().collect();
    let bundle = Bundle::load(tx, context, &messages, users, plan.now).await?;
    Ok(Updated { channel, members, message, bundle })
}
