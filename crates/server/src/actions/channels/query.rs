use natterjack_filter::limits::SORT_FIELDS_MAX;
use natterjack_filter::{parse, parse_sort};
use natterjack_protocol::Cid;
use natterjack_protocol::channel_state::ChannelStateResponse;
use natterjack_protocol::channels::{
    GetChannelQuery, MessagePaginationParams, QueryChannelsRequest, QueryChannelsResponse,
};
use natterjack_storage::ChannelQuery;
use natterjack_storage::queries::{CHANNELS, needs_user};

use super::check::check_member_custom_include;
use super::reach::limit_to;
use super::state::{StateRequest, load_states, newest};
use crate::actions::pages::MessagePageRequest;
use crate::actions::watching::{Watch, WatchersPage, add_watchers};
use crate::actions::{limit, offset, predefined_filters, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{
    CHANNEL_MESSAGES_DEFAULT, CHANNELS_PAGE_DEFAULT, CHANNELS_PAGE_MAX, MEMBERS_PAGE_MAX, MESSAGES_PAGE_MAX,
    OFFSET_MAX, QUERY_MEMBERS_LIMIT_MAX, QUERY_MESSAGES_DEFAULT,
};
use crate::present::MessageContext;
use crate::state::{State, access};

/// One channel, which must exist.
pub(crate) async fn get_channel(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    query: GetChannelQuery,
) -> Result<ChannelStateResponse> {
    let user = users::optional_user(state, caller, "user", query.user_id.as_ref(), None).await?;
    access::channel(state, caller, &cid.to_string(), access::READ).await?;
    let viewer = access::viewer(state, caller, user.as_ref()).await?;
    let params = MessagePaginationParams {
        limit: query.messages_limit,
        id_lt: query.messages_id_lt,
        id_lte: query.messages_id_lte,
        id_gt: query.messages_id_gt,
        id_gte: query.messages_id_gte,
        id_around: query.messages_id_around,
        ..MessagePaginationParams::default()
    };
    let asks_for_page = params != MessagePaginationParams::default() || query.members_limit.is_some();
    let watchers = WatchersPage {
        limit: limit("watchers_limit", query.watchers_limit, QUERY_MEMBERS_LIMIT_MAX, MEMBERS_PAGE_MAX)?,
        offset: 0,
    };
    let request = StateRequest {
        full: query.state.unwrap_or(asks_for_page),
        messages: MessagePageRequest::new("messages_", &params, CHANNEL_MESSAGES_DEFAULT)?,
        members_limit: limit(
            "members_limit",
            query.members_limit,
            QUERY_MEMBERS_LIMIT_MAX,
            MEMBERS_PAGE_MAX,
        )?,
        members_offset: 0,
        context: MessageContext::of(caller).seen_by(user.as_ref()),
        now: state.now(),
    };
    let loaded = state
        .store
        .read("get_channel", (caller.app.pk, cid.to_string(), request), |tx, (app_pk, cid, request)| {
            Box::pin(async move {
                let found = tx.find_channel(*app_pk, cid).await?;
                let channel = found.filter(|channel| channel.deleted_at.is_none());
                let channel = channel.ok_or_else(|| Error::not_found("channel", cid))?;
                load_states(tx, vec![channel], request).await
            })
        })
        .await?;
    let pks = loaded.pks();
    let mut shown = loaded.present(state, caller, viewer.as_ref());
    add_watchers(state, caller, &pks, &mut shown, watchers).await?;
    Ok(shown.pop().unwrap_or_default())
}

/// Finds channels.
pub(crate) async fn query_channels(
    state: &State,
    caller: &Caller,
    request: QueryChannelsRequest,
    connection_id: Option<&str>,
) -> Result<QueryChannelsResponse> {
    let watch = Watch::check(state, caller, connection_id, request.watch, request.presence)?;
    let predefined_filter = predefined_filters::fill_in(state, caller, &request).await?;
    let (filter, sort) = match &predefined_filter {
        Some(stored) => (&stored.filter, stored.sort.as_deref().unwrap_or_default()),
        None => (&request.filter_conditions, request.sort.as_slice()),
    };
    let user =
        users::optional_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let viewer = access::viewer(state, caller, user.as_ref()).await?;
    let client = viewer.as_ref().filter(|_| !caller.is_server());
    let now = state.now();
    let query = ChannelQuery {
        filter: parse(&CHANNELS, filter).map_err(|error| Error::filter("filter_conditions", &error))?,
        sort: parse_sort(&CHANNELS, sort, SORT_FIELDS_MAX).map_err(|error| Error::filter("sort", &error))?,
        // The established service answers a page of 30 to whoever asks for more.
        limit: limit("limit", request.limit, CHANNELS_PAGE_DEFAULT, i64::MAX)?.min(CHANNELS_PAGE_MAX),
        offset: offset("offset", request.offset, OFFSET_MAX)?,
        user_id: user.as_ref().map(|user| user.user.id.clone()),
        now,
        without_kinds: state.kinds_without_read_events(&caller.app),
    };
    check_viewer(&query)?;
    let limited = limit_to(state, caller, client, query)?;
    let message_limit =
        limit("message_limit", request.message_limit, QUERY_MESSAGES_DEFAULT, MESSAGES_PAGE_MAX)?;
    let members_limit =
        limit("member_limit", request.member_limit, QUERY_MEMBERS_LIMIT_MAX, QUERY_MEMBERS_LIMIT_MAX)?;
    let state_request = StateRequest {
        full: request.state.unwrap_or(true),
        messages: newest(message_limit),
        members_limit,
        members_offset: 0,
        context: MessageContext {
            member_custom_include: check_member_custom_include(request.member_custom_include)?,
            ..MessageContext::of(caller).seen_by(user.as_ref())
        },
        now,
    };
    let watchers = WatchersPage { limit: QUERY_MEMBERS_LIMIT_MAX, offset: 0 };
    // Who is to watch is shown what there is once the watching has begun: until then it is enough to know the channels.
    let first = StateRequest { full: state_request.full && watch.is_none(), ..state_request.clone() };
    let mut loaded = state
        .store
        .read("query_channels", (limited.clone(), first), |tx, (limited, request)| {
            Box::pin(async move {
                let channels = tx.query_channels(request.context.app_pk, &limited.query).await?;
                load_states(tx, channels, request).await
            })
        })
        .await?;
    loaded.retain(state, caller, client, &limited);
    if loaded.is_empty() {
        limited.check_reach(state, caller, client).await?;
    }
    if let Some(watch) = &watch {
        // What happened before they were watched is read now, what happens after is told.
        watch.begin(state, &loaded.channels()).await?;
        loaded = state
            .store
            .read("load_channels", (loaded.pks(), state_request), |tx, (pks, request)| {
                Box::pin(async move {
                    let mut channels = tx.list_channels(pks.clone()).await?;
                    channels.retain(|channel| channel.deleted_at.is_none());
                    channels.sort_by_key(|channel| pks.iter().position(|pk| *pk == channel.pk));
                    load_states(tx, channels, request).await
                })
            })
            .await?;
        loaded.retain(state, caller, client, &limited);
    }
    let pks = loaded.pks();
    let mut channels = loaded.present(state, caller, viewer.as_ref());
    add_watchers(state, caller, &pks, &mut channels, watchers).await?;
    if let Some(watch) = &watch {
        watch.subscribe_to(state, &channels);
    }
    Ok(QueryChannelsResponse { channels, predefined_filter })
}

/// Refuses filters and sorts about a user when no user is named.
pub(crate) fn check_viewer(query: &ChannelQuery) -> Result<()> {
    match needs_user(&query.filter, &query.sort) {
        Some(field) if query.user_id.is_none() => {
            Err(Error::field("filter_conditions", format!("is not valid: {field} requires a valid user")))
        }
        _ => Ok(()),
    }
}
