//! Finding messages.

use std::collections::HashMap;
use std::sync::Arc;

use natterjack_filter::limits::SORT_FIELDS_MAX;
use natterjack_filter::{Expression, parse, parse_sort};
use natterjack_protocol::search::{SearchPayload, SearchResponse, SearchResult, SearchWarning};
use natterjack_protocol::{JsonMap, SortParam};
use natterjack_storage::queries::{CHANNELS, needs_user};
use natterjack_storage::{Channel, ChannelQuery, Found, MESSAGES, Member, SearchMode, SearchQuery, Tx};
use serde::{Deserialize, Serialize};

use super::channels::{Limited, check_member_custom_include, limit_to};
use super::{cursor, given, limit, offset};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::jobs::index_before_search;
use crate::limits::{OFFSET_MAX, SEARCH_CHANNELS_MAX, SEARCH_DEPTH_MAX, SEARCH_PAGE_MAX};
use crate::permissions::Subject;
use crate::present::{Bundle, MessageContext};
use crate::state::{State, access};

/// Number of the warning that channels were left out because their type is not searched.
const WARNING_SEARCH_OFF: i64 = 1;
/// Number of the warning that more channels matched than are searched.
const WARNING_TOO_MANY_CHANNELS: i64 = 2;

/// Where a page of results begins. Opaque to clients.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    offset: i64,
    /// Ends a page early, so that the page before one that began amid a page does not overlap with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<i64>,
    /// Whether words are looked for as parts of others, as the first page decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<bool>,
    /// The order of the results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sort: Vec<SortParam>,
}

/// A search that may be made. Only [`check_search`] makes one.
#[derive(Debug, Clone)]
struct SearchPlan {
    channels: Limited,
    query: SearchQuery,
    /// The order of the query, as it was asked for.
    sort: Vec<SortParam>,
    /// Results of a whole page; the query may ask for fewer.
    page_limit: i64,
    context: MessageContext,
}

/// What was found, with what is shown beside it.
struct Results {
    found: Found,
    bundle: Bundle,
}

/// Finds messages in the channels that a filter selects.
pub(crate) async fn search(state: &State, caller: &Caller, payload: SearchPayload) -> Result<SearchResponse> {
    let client = access::subject(state, caller).await?;
    let mut plan = check_search(state, caller, client.as_ref(), payload)?;
    index_before_search(state).await;
    let (channels, results_warning) = list_channels(state, caller, client.as_ref(), &plan.channels).await?;
    if channels.is_empty() {
        return Ok(SearchResponse { results_warning, ..SearchResponse::default() });
    }
    plan.query.channels =
        channels.iter().map(|(channel, member)| (channel.pk, channel.shown_from(member.as_ref()))).collect();
    let channels: HashMap<i64, (Channel, Option<Member>)> =
        channels.into_iter().map(|(channel, member)| (channel.pk, (channel, member))).collect();
    let input = (plan.clone(), channels.clone());
    let results = state
        .store
        .read("search", input, |tx, (plan, channels)| Box::pin(do_search(tx, plan, channels)))
        .await?;
    let (next, previous) = cursors(&plan, &results.found);
    let results = present_results(state, caller, client.as_ref(), &channels, results);
    Ok(SearchResponse { results, next, previous, results_warning })
}

fn check_search(
    state: &State,
    caller: &Caller,
    client: Option<&Subject>,
    payload: SearchPayload,
) -> Result<SearchPlan> {
    if payload.filter_conditions.is_empty() {
        return Err(Error::required("filter_conditions"));
    }
    let channels = ChannelQuery {
        filter: parse(&CHANNELS, &payload.filter_conditions)
            .map_err(|error| Error::filter("filter_conditions", &error))?,
        sort: Vec::new(),
        // One more shows that there are more.
        limit: SEARCH_CHANNELS_MAX + 1,
        offset: 0,
        user_id: client.and_then(Subject::id).map(str::to_owned),
        now: state.now(),
        without_kinds: state.kinds_without_read_events(&caller.app),
    };
    if let (Some(name), None) = (needs_user(&channels.filter, &channels.sort), &channels.user_id) {
        return Err(Error::field("filter_conditions", format!("is not valid: {name} requires a valid user")));
    }
    let channels = limit_to(state, caller, client, channels)?;
    let filter = check_question(&payload)?;
    let page_limit = limit("limit", payload.limit, SEARCH_PAGE_MAX, SEARCH_PAGE_MAX)?;
    let cursor = check_place(&payload)?;
    let sort = parse_sort(&MESSAGES, &cursor.sort, SORT_FIELDS_MAX)
        .map_err(|error| Error::filter("sort", &error))?;
    let limit = cursor.limit.unwrap_or(page_limit).min(page_limit).min(SEARCH_DEPTH_MAX - cursor.offset);
    let include = payload.message_options.map(|options| options.member_custom_include).unwrap_or_default();
    let context = MessageContext {
        member_custom_include: check_member_custom_include(include)?,
        ..MessageContext::of(caller)
    };
    let query = SearchQuery {
        channels: Vec::new(),
        filter,
        sort,
        limit,
        offset: cursor.offset,
        mode: cursor.parts.map(|parts| if parts { SearchMode::Parts } else { SearchMode::Words }),
        user_id: context.viewer.clone(),
        now: state.now(),
    };
    Ok(SearchPlan { channels, query, sort: cursor.sort, page_limit, context })
}

/// What messages are looked for: words, or those that a filter selects.
fn check_question(payload: &SearchPayload) -> Result<Expression> {
    let conditions = &payload.message_filter_conditions;
    match (given(payload.query.as_ref()), conditions.is_empty()) {
        (Some(words), true) => {
            let mut filter = JsonMap::new();
            filter.insert("text".to_owned(), serde_json::json!({ "$q": words }));
            parse(&MESSAGES, &filter).map_err(|error| Error::filter("query", &error))
        }
        (None, false) => {
            parse(&MESSAGES, conditions).map_err(|error| Error::filter("message_filter_conditions", &error))
        }
        (None, true) => Err(Error::input("either query or message_filter_conditions must be provided")),
        (Some(_), false) => Err(Error::input("query and message_filter_conditions cannot be used together")),
    }
}

/// Where the page begins, and in which order: at an offset, or where a cursor says, which goes on in its own order.
fn check_place(payload: &SearchPayload) -> Result<Cursor> {
    let offset = offset("offset", payload.offset, OFFSET_MAX)?;
    let next = given(payload.next.as_ref());
    if offset > 0 && next.is_some() {
        return Err(Error::input("offset and next cannot be used together"));
    }
    if offset > 0 && !payload.sort.is_empty() {
        return Err(Error::input("offset and sort cannot be used together; use next"));
    }
    match next {
        None => Ok(Cursor { offset, sort: payload.sort.clone(), ..Cursor::default() }),
        Some(text) => {
            Cursor::decode(text).ok_or_else(|| Error::field("next", "is not a cursor of an earlier answer"))
        }
    }
}

impl Cursor {
    fn encode(&self) -> String {
        cursor::encode(self)
    }

    fn decode(text: &str) -> Option<Self> {
        let cursor: Self = cursor::decode(text)?;
        let is_valid = (0..SEARCH_DEPTH_MAX).contains(&cursor.offset)
            && cursor.limit.is_none_or(|limit| (1..=SEARCH_PAGE_MAX).contains(&limit));
        is_valid.then_some(cursor)
    }
}

/// A channel and the caller's membership in it.
type WithMember = (Channel, Option<Member>);

/// The channels to be searched, and a warning about those that are not.
async fn list_channels(
    state: &State,
    caller: &Caller,
    client: Option<&Subject>,
    limited: &Limited,
) -> Result<(Vec<WithMember>, Option<SearchWarning>)> {
    let mut matching: Vec<WithMember> = state
        .store
        .read("search_channels", (caller.app.pk, limited.clone()), |tx, (app_pk, limited)| {
            Box::pin(async move {
                let channels = tx.query_channels(*app_pk, &limited.query).await?;
                let mut members: HashMap<i64, Member> = match &limited.query.user_id {
                    None => HashMap::new(),
                    Some(user_id) => {
                        let pks = channels.iter().map(|channel| channel.pk).collect();
                        let members = tx.list_memberships(user_id, pks).await?;
                        members.into_iter().map(|member| (member.channel_pk, member)).collect()
                    }
                };
                let with_member = channels.into_iter().map(|channel| {
                    let member = members.remove(&channel.pk);
                    (channel, member)
                });
                Ok::<_, Error>(with_member.collect())
            })
        })
        .await?;
    let has_more = matching.len() as i64 > SEARCH_CHANNELS_MAX;
    matching.truncate(SEARCH_CHANNELS_MAX as usize);
    limited.retain(state, caller, client, &mut matching, |(channel, member)| (channel, member.as_ref()));
    if matching.is_empty() {
        limited.check_reach(state, caller, client).await?;
    }
    if client.is_some() {
        // Nothing of a disabled channel is read by clients.
        matching.retain(|(channel, _)| !channel.disabled);
    }
    let (searched, skipped): (Vec<_>, Vec<_>) = matching.into_iter().partition(|(channel, _)| {
        state.channel_type(&caller.app, &channel.kind).is_some_and(|config| config.search)
    });
    let skipped = skipped.into_iter().map(|(channel, _)| channel.cid).collect();
    Ok((searched, warning(skipped, has_more)))
}

/// Says which channels were not searched, `None` when all were.
fn warning(skipped: Vec<String>, has_more: bool) -> Option<SearchWarning> {
    let too_many = format!("only the {SEARCH_CHANNELS_MAX} channels updated last were searched");
    if skipped.is_empty() {
        return has_more.then(|| SearchWarning {
            warning_code: WARNING_TOO_MANY_CHANNELS,
            warning_description: format!("{too_many}; narrow filter_conditions to search others"),
            ..SearchWarning::default()
        });
    }
    let off = "channels whose type has search disabled were skipped";
    Some(SearchWarning {
        warning_code: WARNING_SEARCH_OFF,
        warning_description: if has_more { format!("{off}; {too_many}") } else { off.to_owned() },
        channel_search_count: Some(skipped.len() as i64),
        channel_search_cids: Some(skipped),
    })
}

async fn do_search(tx: &mut Tx, plan: &SearchPlan, channels: &HashMap<i64, WithMember>) -> Result<Results> {
    let found = tx.search_messages(plan.context.app_pk, &plan.query).await?;
    let messages: Vec<_> = found.messages.iter().map(|(message, _)| message).collect();
    let of_channels: Vec<String> = messages
        .iter()
        .filter_map(|message| channels.get(&message.channel_pk))
        .flat_map(|(channel, _)| [&channel.created_by_id, &channel.truncated_by_id])
        .flatten()
        .cloned()
        .collect();
    let bundle = Bundle::load(tx, plan.context.clone(), &messages, of_channels, plan.query.now).await?;
    Ok(Results { found, bundle })
}

/// The cursors of the pages after and before this one.
fn cursors(plan: &SearchPlan, found: &Found) -> (Option<String>, Option<String>) {
    let parts = Some(found.mode == SearchMode::Parts);
    let offset = plan.query.offset;
    let end = offset + plan.query.limit;
    let next = Cursor { offset: end, limit: None, parts, sort: plan.sort.clone() };
    let previous = Cursor {
        offset: (offset - plan.page_limit).max(0),
        limit: (offset < plan.page_limit).then_some(offset),
        parts,
        sort: plan.sort.clone(),
    };
    let next = (found.has_more && end < SEARCH_DEPTH_MAX).then(|| next.encode());
    (next, (offset > 0).then(|| previous.encode()))
}

fn present_results(
    state: &State,
    caller: &Caller,
    client: Option<&Subject>,
    channels: &HashMap<i64, WithMember>,
    results: Results,
) -> Vec<SearchResult> {
    let Results { found, mut bundle } = results;
    let mut shown = HashMap::new();
    for (message, _) in &found.messages {
        if let Some((channel, member)) = channels.get(&message.channel_pk)
            && !shown.contains_key(&channel.pk)
        {
            bundle.add_channel(channel.pk, &channel.cid);
            let response = access::show(state, caller, client, channel, &bundle.users, member.as_ref());
            shown.insert(channel.pk, Arc::new(response));
        }
    }
    let results = found.messages.iter().map(|(message, _)| {
        let mut response = bundle.message(message);
        response.channel = shown.get(&message.channel_pk).cloned();
        SearchResult { message: Some(response) }
    });
    results.collect()
}

#[cfg(test)]
mod tests {
    use natterjack_protocol::SortParam;
    use natterjack_protocol::search::SearchPayload;

    use super::{Cursor, check_place, check_question};

    #[test]
    fn cursors_come_back_as_they_went_out() {
        for cursor in [
            Cursor { limit: Some(50), parts: Some(true), ..Cursor::default() },
            Cursor { offset: 9_999, sort: vec![SortParam::descending("created_at")], ..Cursor::default() },
        ] {
            assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }
    }

    #[test]
    fn forged_cursors_are_refused() {
        let beyond = Cursor { offset: 10_000, ..Cursor::default() };
        let negative = Cursor { offset: -1, ..Cursor::default() };
        let endless = Cursor { limit: Some(1_000_000), ..Cursor::default() };
        for cursor in [beyond, negative, endless] {
            assert_eq!(Cursor::decode(&cursor.encode()), None);
        }
        assert_eq!(Cursor::decode("abc"), None);
        assert_eq!(Cursor::decode("%%"), None);
    }

    #[test]
    fn exactly_one_question_and_one_place() {
        let payload = |json| serde_json::from_value::<SearchPayload>(json).unwrap();
        let empty = payload(serde_json::json!({ "filter_conditions": {} }));
        assert!(check_question(&empty).is_err());
        let both = serde_json::json!({
            "filter_conditions": {}, "query": "a", "message_filter_conditions": { "text": "a" }
        });
        assert!(check_question(&payload(both)).is_err());
        let words = serde_json::json!({ "filter_conditions": {}, "query": "a", "sort": [], "offset": 5 });
        assert!(check_question(&payload(words.clone())).is_ok());
        assert_eq!(check_place(&payload(words)).unwrap().offset, 5);
        let sorted = serde_json::json!({
            "filter_conditions": {}, "query": "a", "offset": 5, "sort": [{ "field": "created_at" }]
        });
        assert!(check_place(&payload(sorted)).is_err());
        let next = serde_json::json!({ "filter_conditions": {}, "query": "a", "offset": 5, "next": "x" });
        assert!(check_place(&payload(next)).is_err());
    }
}
