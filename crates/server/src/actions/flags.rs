//! Messages and users that users report.

mod reports;

pub(crate) use reports::{query_flag_reports, review_flag_report};

use std::collections::{BTreeSet, HashMap};

use natterjack_filter::{parse, parse_sort};
use natterjack_protocol::flags::{
    FlagItemResponse, FlagRequest, FlagResponse, MessageFlagResponse, QueryMessageFlagsPayload,
    UnflagResponse,
};
use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::{Custom, Timestamp};
use natterjack_storage::queries::{FLAGS, FlagQuery};
use natterjack_storage::{Advance, ChannelEvent, Flag, FlagTarget, Message, Tx, UserEvent};
use serde_json::json;
use uuid::Uuid;

use super::channels::{NamedChannels, within_reach};
use super::{check_custom, check_length, given, limit, message_id, offset, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{FLAG_REASON_LENGTH_MAX, FLAGS_OFFSET_MAX, FLAGS_PAGE_DEFAULT, FLAGS_PAGE_MAX};
use crate::permissions::{Action, Subject};
use crate::present::{Bundle, MessageContext};
use crate::state::{CachedUser, State, access};

/// Keys that a list of flags is sorted by.
const SORT_MAX: usize = 1;

/// A report that may be made. Only [`check_flag`] makes one.
struct FlagPlan {
    target: FlagTarget,
    /// The id of the message that is reported.
    message_id: Option<String>,
    reporter_id: String,
    reason: String,
    custom: Custom,
    /// The id for the thing, when nobody has reported it before.
    item_id: String,
    /// Whether it is named in the older form, in which nothing is reported twice.
    is_older_form: bool,
    now: Timestamp,
}

/// What a request names.
enum Entity<'a> {
    Message(&'a str),
    User(&'a str),
}

/// Reports a message or a user.
pub(crate) async fn flag(state: &State, caller: &Caller, request: FlagRequest) -> Result<FlagItemResponse> {
    let plan = check_flag(state, caller, &request).await?;
    let (is_older, message_id) = (plan.is_older_form, plan.message_id.clone());
    let flag = state.store.write("flag", plan, |tx, plan| Box::pin(do_flag(tx, plan))).await?;
    let item_id = flag.item_id.clone();
    let flag = if is_older { Some(present_flag(state, caller, flag, message_id).await?) } else { None };
    Ok(FlagItemResponse { item_id, flag })
}

/// Takes a report back.
pub(crate) async fn unflag(state: &State, caller: &Caller, request: FlagRequest) -> Result<UnflagResponse> {
    let plan = check_flag(state, caller, &request).await?;
    let message_id = plan.message_id.clone();
    let flag = state.store.write("unflag", plan, |tx, plan| Box::pin(do_unflag(tx, plan))).await?;
    Ok(UnflagResponse { flag: present_flag(state, caller, flag, message_id).await? })
}

async fn do_unflag(tx: &mut Tx, plan: &FlagPlan) -> Result<Flag> {
    tx.lock_flags(&plan.target).await?;
    let flag = tx.find_flag(&plan.target, &plan.reporter_id).await?;
    let flag =
        flag.ok_or_else(|| Error::input(format!("user {:?} has not flagged this", plan.reporter_id)))?;
    tx.delete_flag(flag.pk).await?;
    Ok(flag)
}

/// A report as the older form has it.
async fn present_flag(
    state: &State,
    caller: &Caller,
    flag: Flag,
    message_id: Option<String>,
) -> Result<FlagResponse> {
    let ids = [flag.creator_id.as_str(), flag.reporter_id.as_str()];
    let users = users::shown(state, caller, ids).await?;
    Ok(FlagResponse {
        created_at: flag.created_at,
        updated_at: flag.updated_at,
        created_by_automod: false,
        target_user: users.get(&flag.creator_id),
        user: users.get(&flag.reporter_id),
        reason: Some(flag.reason).filter(|reason| !reason.is_empty()),
        target_message_id: message_id,
    })
}

fn check_entity(request: &FlagRequest) -> Result<Entity<'_>> {
    if let Some(id) = given(request.target_message_id.as_ref()) {
        return Ok(Entity::Message(id));
    }
    if let Some(id) = given(request.target_user_id.as_ref()) {
        return Ok(Entity::User(id));
    }
    let id = given(Some(&request.entity_id)).ok_or_else(|| Error::required("entity_id"))?;
    match request.entity_type.as_str() {
        "" => Err(Error::required("entity_type")),
        "message" | "stream:chat:v1:message" => Ok(Entity::Message(id)),
        "user" | "stream:user" => Ok(Entity::User(id)),
        other => Err(Error::field(
            "entity_type",
            format!("must be stream:chat:v1:message or stream:user, found {other:?}"),
        )),
    }
}

async fn check_flag(state: &State, caller: &Caller, request: &FlagRequest) -> Result<FlagPlan> {
    let reason = given(request.reason.as_ref()).unwrap_or_default();
    check_length("reason", reason, FLAG_REASON_LENGTH_MAX)?;
    let custom = request.custom.clone().unwrap_or_default();
    check_custom("custom", &custom)?;
    let entity = check_entity(request)?;
    let reporter =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let (target, message_id) = match entity {
        Entity::User(id) => {
            let user = users::existing(state, caller, "entity_id", id).await?;
            access::require_in_app(state, caller, Action::FlagUser, &user).await?;
            (target_of_user(caller, &user), None)
        }
        Entity::Message(id) => {
            let id = message_id("entity_id", id)?;
            let (message, _) = access::message(state, caller, &id, &[Action::FlagMessage]).await?;
            check_creator(request, &message)?;
            (target_of_message(caller, &message), Some(message.id))
        }
    };
    Ok(FlagPlan {
        target,
        message_id,
        reporter_id: reporter.user.id.clone(),
        reason: reason.to_owned(),
        custom,
        item_id: Uuid::new_v4().to_string(),
        is_older_form: [&request.target_message_id, &request.target_user_id]
            .into_iter()
            .any(|id| given(id.as_ref()).is_some()),
        now: state.now(),
    })
}

fn target_of_user(caller: &Caller, user: &CachedUser) -> FlagTarget {
    FlagTarget { app_pk: caller.app.pk, message: None, creator_id: user.user.id.clone() }
}

fn target_of_message(caller: &Caller, message: &Message) -> FlagTarget {
    FlagTarget {
        app_pk: caller.app.pk,
        message: Some((message.channel_pk, message.pk)),
        creator_id: message.user_id.clone(),
    }
}

fn check_creator(request: &FlagRequest, message: &Message) -> Result<()> {
    match given(request.entity_creator_id.as_ref()) {
        Some(id) if id != message.user_id => {
            Err(Error::field("entity_creator_id", format!("is not the author of the message: {id}")))
        }
        _ => Ok(()),
    }
}

async fn do_flag(tx: &mut Tx, plan: &FlagPlan) -> Result<Flag> {
    let target = &plan.target;
    let mut advanced = None;
    if let Some((channel_pk, _)) = target.message {
        let gone = || Error::not_found("message", plan.message_id.as_deref().unwrap_or_default());
        let advance = Advance { events: 1, ..Advance::default() };
        advanced = Some(tx.advance_channel(channel_pk, advance, plan.now).await?.ok_or_else(gone)?);
        let id = plan.message_id.as_deref().unwrap_or_default();
        let found = tx.find_message(target.app_pk, id).await?;
        found.filter(|message| Some((channel_pk, message.pk)) == target.message).ok_or_else(gone)?;
    }
    tx.lock_flags(target).await?;
    let (count, item_id) = tx.count_flags(target).await?;
    let item_id = item_id.unwrap_or_else(|| plan.item_id.clone());
    let total = match tx.find_flag(target, &plan.reporter_id).await? {
        Some(_) if plan.is_older_form => {
            return Err(Error::input(format!("user {:?} has already flagged this", plan.reporter_id)));
        }
        Some(flag) => {
            tx.update_flag(flag.pk, &plan.reason, &plan.custom, plan.now).await?;
            count
        }
        None => {
            let (reporter, reason) = (&plan.reporter_id, &plan.reason);
            tx.insert_flag(target, &item_id, reporter, reason, &plan.custom, plan.now).await?;
            count + 1
        }
    };
    let payload = json!({
        "reason": plan.reason, "custom": plan.custom, "total_flags": total,
        "target_user_id": plan.target.creator_id,
    });
    let payload = Some(payload.to_string());
    match (target.message, advanced) {
        (Some((channel_pk, _)), Some(advanced)) => {
            let event = ChannelEvent {
                channel_pk,
                seq: advanced.event_seq,
                kind: "message.flagged",
                user_id: Some(&plan.reporter_id),
                message_id: plan.message_id.as_deref(),
                payload,
            };
            tx.append_channel_event(event, advanced.at).await?;
        }
        _ => {
            let user_id = &plan.reporter_id;
            let event =
                UserEvent { app_pk: target.app_pk, user_id, kind: "user.flagged", channel_pk: None, payload };
            tx.append_user_event(event, plan.now).await?;
        }
    }
    let flag = tx.find_flag(target, &plan.reporter_id).await?;
    flag.ok_or_else(|| Error::not_found("flag", &item_id))
}

/// The messages that flags are about, and what is needed to show them.
struct FlaggedMessages {
    messages: HashMap<i64, Message>,
    named: NamedChannels,
    bundle: Bundle,
}

impl FlaggedMessages {
    /// The message of a flag as the client may see it. Servers, without a subject, see all.
    fn show(
        &self,
        state: &State,
        caller: &Caller,
        client: Option<&Subject>,
        flag: &Flag,
    ) -> Option<MessageResponse> {
        let message = self.messages.get(&flag.message_pk?)?;
        let NamedChannels { channels, members } = &self.named;
        let (channel, member) = (channels.get(&message.channel_pk)?, members.get(&message.channel_pk));
        let is_seen =
            client.is_none_or(|subject| access::may_see(state, caller, subject, channel, member, message));
        is_seen.then(|| self.bundle.message(message))
    }
}

/// Finds reports of messages.
pub(crate) async fn query_message_flags(
    state: &State,
    caller: &Caller,
    payload: QueryMessageFlagsPayload,
) -> Result<Vec<MessageFlagResponse>> {
    users::optional_user(state, caller, "user", payload.user_id.as_ref(), payload.user.as_ref()).await?;
    let client = access::require_reports(state, caller, Action::ReadFlagReports).await?;
    let show_deleted = payload.show_deleted_messages == Some(true);
    let query = FlagQuery {
        filter: parse(&FLAGS, &payload.filter_conditions)
            .map_err(|error| Error::filter("filter_conditions", &error))?,
        sort: parse_sort(&FLAGS, &payload.sort, SORT_MAX).map_err(|error| Error::filter("sort", &error))?,
        limit: limit("limit", payload.limit, FLAGS_PAGE_DEFAULT, FLAGS_PAGE_MAX)?,
        offset: offset("offset", payload.offset, FLAGS_OFFSET_MAX)?,
        include_deleted: show_deleted,
        within: within_reach(state, caller, client.as_ref()),
    };
    let context = MessageContext { show_deleted, ..MessageContext::of(caller) };
    let (flags, flagged) = state
        .store
        .read("query_message_flags", (query, context, state.now()), |tx, (query, context, now)| {
            Box::pin(async move {
                let flags = tx.query_message_flags(context.app_pk, query).await?;
                let flagged = load_flagged(tx, &flags.iter().collect::<Vec<_>>(), context, *now).await?;
                Ok::<_, Error>((flags, flagged))
            })
        })
        .await?;
    let users = &flagged.bundle.users;
    let shown = flags.iter().filter_map(|flag| {
        Some(MessageFlagResponse {
            created_at: flag.created_at,
            created_by_automod: false,
            updated_at: flag.updated_at,
            reason: Some(flag.reason.clone()).filter(|reason| !reason.is_empty()),
            reviewed_at: flag.reviewed_at,
            custom: Some(flag.custom.clone()).filter(|custom| !custom.is_empty()),
            message: Some(flagged.show(state, caller, client.as_ref(), flag)?),
            reviewed_by: flag.reviewed_by_id.as_deref().map(|id| users.get(id)),
            user: Some(users.get(&flag.reporter_id)),
        })
    });
    Ok(shown.collect())
}

/// Reads what is needed to show flags.
async fn load_flagged(
    tx: &mut Tx,
    flags: &[&Flag],
    context: &MessageContext,
    now: Timestamp,
) -> Result<FlaggedMessages> {
    let pks: BTreeSet<i64> = flags.iter().filter_map(|flag| flag.message_pk).collect();
    let messages = tx.list_messages_with_pks(pks.into_iter().collect()).await?;
    let mut users = Vec::new();
    for flag in flags {
        users.push(flag.reporter_id.clone());
        users.extend(flag.reviewed_by_id.clone());
    }
    let all: Vec<&Message> = messages.iter().collect();
    let mut bundle = Bundle::load(tx, context.clone(), &all, users, now).await?;
    let pks: BTreeSet<i64> = messages.iter().map(|message| message.channel_pk).collect();
    let named = NamedChannels::load(tx, context.viewer.as_deref(), pks).await?;
    for channel in named.channels.values() {
        bundle.add_channel(channel.pk, &channel.cid);
    }
    Ok(FlaggedMessages {
        messages: messages.into_iter().map(|message| (message.pk, message)).collect(),
        named,
        bundle,
    })
}
