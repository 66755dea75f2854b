//! Reacting to messages.

use std::sync::Arc;

use natterjack_filter::{parse, parse_sort};
use natterjack_protocol::reactions::{
    DeleteReactionQuery, DeleteReactionResponse, GetReactionsQuery, QueryReactionsRequest,
    QueryReactionsResponse, ReactionRequest, ReactionResponse, SendReactionRequest, SendReactionResponse,
};
use natterjack_protocol::{Custom, ErrorCode, MessageId, ReactionType, Timestamp};
use natterjack_storage::queries::{REACTIONS, ReactionQuery};
use natterjack_storage::{Advance, Advanced, ChannelEvent, Message, MessageKey, Reaction, Turn, Tx};

use super::{bans, check_size, cursor, limit, offset, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{
    OFFSET_MAX, QUERY_REACTIONS_PAGE_DEFAULT, QUERY_REACTIONS_PAGE_MAX, REACTION_CUSTOM_SIZE_MAX,
    REACTION_TYPES_MAX, REACTIONS_PAGE_DEFAULT, REACTIONS_PAGE_MAX,
};
use crate::permissions::Action;
use crate::present::{self, Bundle, MessageContext};
use crate::state::{CachedChannel, Decided, Freshness, State, access};

/// Score of a reaction for which none was given.
const SCORE_DEFAULT: i64 = 1;
/// Greatest score, either way: sums over many reactions stay far from overflowing.
const SCORE_MAX: i64 = 1_000_000_000;

/// A reaction that may be made. Only [`check_send`] makes one.
struct SendPlan {
    app_pk: i64,
    /// The channel and who reacts.
    decided: Decided,
    message_id: String,
    kind: String,
    score: i64,
    custom: Custom,
    enforce_unique: bool,
    now: Timestamp,
}

/// A reaction that may be taken back.
struct DeletePlan {
    app_pk: i64,
    channel: Arc<CachedChannel>,
    message_id: String,
    user_id: String,
    kind: String,
    now: Timestamp,
}

/// A reaction that was made or taken back, and its message as it is then.
struct Reacted {
    message: Message,
    reaction: Reaction,
    bundle: Bundle,
}

/// Makes a reaction to a message, in place of the user's one of the same type.
pub(crate) async fn send_reaction(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    request: SendReactionRequest,
) -> Result<SendReactionResponse> {
    let (_, channel) = access::message(state, caller, id, &[Action::CreateReaction]).await?;
    let cid = channel.channel.cid.clone();
    let given = &request.reaction;
    let user =
        users::acting_user(state, caller, "reaction.user", given.user_id.as_ref(), given.user.as_ref())
            .await?;
    let user_ids = [user.user.id.as_str()];
    let mut fresh = Freshness::new(caller.app.pk, Some(&cid), &user_ids);
    let reacted = loop {
        let plan = check_send(state, caller, &cid, id, &request).await?;
        let relied_on = Arc::clone(&plan.decided.channel);
        let outcome = state
            .store
            .write_in_channel(channel.channel.pk, Turn::OneByOne, "send_reaction", plan, |tx, plan| {
                Box::pin(do_send(tx, plan))
            })
            .await;
        if let Some((reacted, version)) = fresh.settle(state, outcome)? {
            fresh.note_version(state, &relied_on, version);
            break reacted;
        }
    };
    Ok(SendReactionResponse {
        message: reacted.bundle.message(&reacted.message),
        reaction: present::reaction(&reacted.reaction, &reacted.message.id, &reacted.bundle.users),
    })
}

async fn check_send(
    state: &State,
    caller: &Caller,
    cid: &str,
    id: &MessageId,
    request: &SendReactionRequest,
) -> Result<SendPlan> {
    let given = &request.reaction;
    let user =
        users::acting_user(state, caller, "reaction.user", given.user_id.as_ref(), given.user.as_ref())
            .await?;
    let (kind, score) = check_reaction(given)?;
    let access = access::channel(state, caller, cid, &[Action::CreateReaction]).await?;
    bans::check_not_banned(state, caller, Some(&access)).await?;
    check_enabled(&access)?;
    access.require_thawed()?;
    let membership = access.membership().cloned();
    Ok(SendPlan {
        app_pk: caller.app.pk,
        decided: Decided::new(state, access.cached, user, membership),
        message_id: id.as_str().to_owned(),
        kind: kind.as_str().to_owned(),
        score,
        // Times given by older clients are not looked at: the server sets its own.
        custom: given.custom.clone(),
        enforce_unique: request.enforce_unique == Some(true),
        now: state.now(),
    })
}

fn check_reaction(given: &ReactionRequest) -> Result<(ReactionType, i64)> {
    if given.kind.is_empty() {
        return Err(Error::required("reaction.type"));
    }
    let kind = ReactionType::parse(&given.kind).map_err(|error| Error::id("reaction.type", &error))?;
    let score = given.score.unwrap_or(SCORE_DEFAULT);
    if !(-SCORE_MAX..=SCORE_MAX).contains(&score) {
        return Err(Error::field("reaction.score", format!("must be between -{SCORE_MAX} and {SCORE_MAX}")));
    }
    check_size("reaction.custom", &given.custom, REACTION_CUSTOM_SIZE_MAX)?;
    Ok((kind, score))
}

fn check_enabled(channel: &CachedChannel) -> Result<()> {
    if channel.config.reactions {
        return Ok(());
    }
    Err(Error::caller(ErrorCode::FeatureDisabled, "reactions are disabled for this channel"))
}

/// Stores a checked reaction with the message's counts and the events. Answers the version of the channel, too.
async fn do_send(tx: &mut Tx, plan: &SendPlan) -> Result<(Reacted, i64)> {
    let Decided { channel, user, .. } = &plan.decided;
    let user = &user.user;
    let advance = Advance { events: 1, ..Advance::default() };
    let first = plan.decided.do_advance(tx, advance, plan.now).await?;
    let mut message = lock_message(tx, plan.app_pk, first, channel, &plan.message_id).await?;
    if message.deleted_at.is_some() {
        return Err(Error::field("id", format!("names a deleted message: {}", message.id)));
    }
    let existing = tx.list_reactions_by_user(message.pk, &user.id).await?;
    let (same, others): (Vec<_>, Vec<_>) = existing.into_iter().partition(|other| other.kind == plan.kind);
    let removed = if plan.enforce_unique { others } else { Vec::new() };
    let last = do_remove_others(tx, plan, &mut message, &removed, first).await?;
    let groups = &message.reactions.groups;
    if groups.len() >= REACTION_TYPES_MAX && !groups.contains_key(&plan.kind) {
        let text = format!("is one too many: a message has at most {REACTION_TYPES_MAX} types");
        return Err(Error::field("reaction.type", text));
    }
    let replaced = same.first();
    let reaction = Reaction {
        user_id: user.id.clone(),
        kind: plan.kind.clone(),
        score: plan.score,
        custom: plan.custom.clone(),
        created_at: replaced.map_or(last.at, |replaced| replaced.created_at),
        updated_at: last.at,
    };
    tx.upsert_reaction(message.pk, &reaction).await?;
    let kind = if replaced.is_some() { "reaction.updated" } else { "reaction.new" };
    append_event(tx, kind, &message, &reaction, last.event_seq, last.at).await?;
    match replaced {
        Some(replaced) => message.reactions.replace(replaced, &reaction),
        None => message.reactions.add(&reaction),
    }
    tx.update_reaction_summary(message.pk, &message.reactions).await?;
    let bundle = load(tx, plan.app_pk, channel, &message, &user.id, plan.now).await?;
    Ok((Reacted { message, reaction, bundle }, last.version))
}

/// Takes the user's other reactions back. Their events stand before that of the new one; answers the counters with
/// the place of the latter.
async fn do_remove_others(
    tx: &mut Tx,
    plan: &SendPlan,
    message: &mut Message,
    removed: &[Reaction],
    first: Advanced,
) -> Result<Advanced> {
    if removed.is_empty() {
        return Ok(first);
    }
    // Only now, with the channel locked, is it known how many events there are.
    let advance = Advance { events: removed.len() as i64, ..Advance::default() };
    let last = tx.advance_channel(message.channel_pk, advance, plan.now).await?.ok_or(Error::Stale)?;
    for (reaction, seq) in removed.iter().zip(first.event_seq..) {
        do_take_back(tx, message, reaction, seq, last.at).await?;
    }
    Ok(last)
}

/// The message, kept from changing, when it is still seen in the channel.
async fn lock_message(
    tx: &mut Tx,
    app_pk: i64,
    advanced: Advanced,
    channel: &CachedChannel,
    id: &str,
) -> Result<Message> {
    let channel_pk = channel.channel.pk;
    let found = tx.lock_message(app_pk, id).await?;
    found
        .filter(|message| message.channel_pk == channel_pk && message.created_at > advanced.history_from)
        .ok_or_else(|| Error::not_found("message", id))
}

/// Logs what happened to a reaction. The event has the reaction with it: its row may change or go at any time.
async fn append_event(
    tx: &mut Tx,
    kind: &'static str,
    message: &Message,
    reaction: &Reaction,
    seq: i64,
    at: Timestamp,
) -> Result<()> {
    let event = ChannelEvent {
        channel_pk: message.channel_pk,
        seq,
        kind,
        user_id: Some(&reaction.user_id),
        message_id: Some(&message.id),
        payload: Some(serde_json::json!({ "reaction": reaction }).to_string()),
    };
    Ok(tx.append_channel_event(event, at).await?)
}

/// Deletes a reaction, counts it off and logs that. What is counted with the message is not stored yet.
async fn do_take_back(
    tx: &mut Tx,
    message: &mut Message,
    reaction: &Reaction,
    seq: i64,
    at: Timestamp,
) -> Result<()> {
    tx.delete_reaction(message.pk, &reaction.user_id, &reaction.kind).await?;
    tx.subtract_reaction(message.pk, &mut message.reactions, reaction).await?;
    append_event(tx, "reaction.deleted", message, reaction, seq, at).await
}

/// Reads what is shown with the message to the user who reacted.
async fn load(
    tx: &mut Tx,
    app_pk: i64,
    channel: &CachedChannel,
    message: &Message,
    user_id: &str,
    now: Timestamp,
) -> Result<Bundle> {
    let context = MessageContext { app_pk, viewer: Some(user_id.to_owned()), ..MessageContext::default() };
    let mut bundle = Bundle::load(tx, context, &[message], [user_id.to_owned()], now).await?;
    bundle.add_channel(message.channel_pk, &channel.channel.cid);
    Ok(bundle)
}

/// Takes a user's reaction back, also where reactions have been switched off since.
pub(crate) async fn delete_reaction(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    kind: &str,
    query: DeleteReactionQuery,
) -> Result<DeleteReactionResponse> {
    let user = users::acting_user(state, caller, "user", query.user_id.as_ref(), None).await?;
    let kind = ReactionType::parse(kind).map_err(|error| Error::id("type", &error))?;
    let (_, access) = access::message(state, caller, id, access::ANY).await?;
    bans::check_not_banned(state, caller, Some(&access)).await?;
    access.require_to(Action::DeleteReaction, &user.user.id)?;
    access.require_thawed()?;
    let plan = DeletePlan {
        app_pk: caller.app.pk,
        channel: access.cached,
        message_id: id.as_str().to_owned(),
        user_id: user.user.id.clone(),
        kind: kind.as_str().to_owned(),
        now: state.now(),
    };
    let reacted =
        state.store.write("delete_reaction", plan, |tx, plan| Box::pin(do_delete(tx, plan))).await?;
    Ok(DeleteReactionResponse {
        message: reacted.bundle.message(&reacted.message),
        reaction: present::reaction(&reacted.reaction, &reacted.message.id, &reacted.bundle.users),
    })
}

async fn do_delete(tx: &mut Tx, plan: &DeletePlan) -> Result<Reacted> {
    let gone = || Error::not_found("message", &plan.message_id);
    let advance = Advance { events: 1, ..Advance::default() };
    let advanced = tx.advance_channel(plan.channel.channel.pk, advance, plan.now).await?.ok_or_else(gone)?;
    let mut message = lock_message(tx, plan.app_pk, advanced, &plan.channel, &plan.message_id).await?;
    let own = tx.list_reactions_by_user(message.pk, &plan.user_id).await?;
    let reaction = own
        .into_iter()
        .find(|reaction| reaction.kind == plan.kind)
        .ok_or_else(|| Error::not_found("reaction", &plan.kind))?;
    do_take_back(tx, &mut message, &reaction, advanced.event_seq, advanced.at).await?;
    tx.update_reaction_summary(message.pk, &message.reactions).await?;
    let bundle = load(tx, plan.app_pk, &plan.channel, &message, &plan.user_id, plan.now).await?;
    Ok(Reacted { message, reaction, bundle })
}

/// Takes every reaction of a user off a message, for one who is removed.
pub(crate) async fn do_take_back_all(
    tx: &mut Tx,
    app_pk: i64,
    key: &MessageKey,
    user_id: &str,
    now: Timestamp,
) -> Result<()> {
    let locked = tx.advance_any_channel(key.channel_pk, Advance::default(), now).await?;
    let message = tx.lock_message(app_pk, &key.id).await?.filter(|message| message.pk == key.pk);
    let (Some(_), Some(mut message)) = (locked, message) else { return Ok(()) };
    let removed = tx.list_reactions_by_user(message.pk, user_id).await?;
    let advance = Advance { events: removed.len() as i64, ..Advance::default() };
    let Some((last, _)) = tx.advance_any_channel(key.channel_pk, advance, now).await? else { return Ok(()) };
    for (reaction, seq) in removed.iter().zip(last.event_seq - advance.events + 1..) {
        do_take_back(tx, &mut message, reaction, seq, last.at).await?;
    }
    Ok(tx.update_reaction_summary(message.pk, &message.reactions).await?)
}

/// A page of the reactions to a message, newest first.
pub(crate) async fn get_reactions(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    query: GetReactionsQuery,
) -> Result<Vec<ReactionResponse>> {
    let limit = limit("limit", query.limit, REACTIONS_PAGE_DEFAULT, REACTIONS_PAGE_MAX)?;
    let offset = offset("offset", query.offset, OFFSET_MAX)?;
    let (message, channel) = access::message(state, caller, id, access::READ).await?;
    check_enabled(&channel)?;
    let reactions = state
        .store
        .read("get_reactions", (message.pk, limit, offset), |tx, (message_pk, limit, offset)| {
            Box::pin(tx.list_reactions(*message_pk, *limit, *offset))
        })
        .await?;
    present_reactions(state, caller, &message.id, &reactions).await
}

async fn present_reactions(
    state: &State,
    caller: &Caller,
    message_id: &str,
    reactions: &[Reaction],
) -> Result<Vec<ReactionResponse>> {
    let ids = reactions.iter().map(|reaction| reaction.user_id.as_str());
    let users = users::shown(state, caller, ids).await?;
    Ok(reactions.iter().map(|reaction| present::reaction(reaction, message_id, &users)).collect())
}

/// The reactions to a message that a filter selects, a page by cursor.
pub(crate) async fn query_reactions(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    request: QueryReactionsRequest,
) -> Result<QueryReactionsResponse> {
    let query = check_query(&request)?;
    let user =
        users::optional_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let (message, channel) = access::message(state, caller, id, access::READ).await?;
    if user.is_some_and(|user| !message.is_visible_to(&user.user.id)) {
        return Err(Error::not_found("message", id.as_str()));
    }
    check_enabled(&channel)?;
    let page = query.page.clone();
    let found = state
        .store
        .read("query_reactions", (message.pk, query), |tx, (message_pk, query)| {
            Box::pin(tx.query_reactions(*message_pk, query))
        })
        .await?;
    Ok(QueryReactionsResponse {
        reactions: present_reactions(state, caller, &message.id, &found.entries).await?,
        next: cursor::write(&page, found.next.as_ref()),
        prev: cursor::write(&page, found.previous.as_ref()),
    })
}

fn check_query(request: &QueryReactionsRequest) -> Result<ReactionQuery> {
    let limit = limit("limit", request.limit, QUERY_REACTIONS_PAGE_DEFAULT, QUERY_REACTIONS_PAGE_MAX)?;
    let sort = parse_sort(&REACTIONS, &request.sort, 1).map_err(|error| Error::filter("sort", &error))?;
    Ok(ReactionQuery {
        filter: parse(&REACTIONS, &request.filter).map_err(|error| Error::filter("filter", &error))?,
        page: cursor::key_page(limit, &sort, request.next.as_ref(), request.prev.as_ref())?,
    })
}
