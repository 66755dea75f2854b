use natterjack_filter::{Expression, FieldRef, Kind, Operand, Operator, SortKey, parse, parse_sort};
use natterjack_protocol::threads::{
    GetThreadQuery, QueryThreadsRequest, QueryThreadsResponse, ThreadStateResponse,
};
use natterjack_protocol::{MessageId, SortParam, Timestamp};
use natterjack_storage::ThreadQuery;
use natterjack_storage::queries::{CHANNELS, ListedThread, THREADS, WithinReach};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::state::{ThreadsRequest, load_threads};
use crate::actions::channels::within_reach;
use crate::actions::watching::Watch;
use crate::actions::{comparison, cursor, given, limit, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{THREADS_PAGE_DEFAULT, THREADS_PAGE_MAX};
use crate::present::MessageContext;
use crate::state::{State, access};

/// The orders that may be asked for, or the beginning of one.
const ORDERS: [&[&str]; 7] = [
    &["has_unread", "last_message_at", "parent_message_id"],
    &["last_message_at", "parent_message_id"],
    &["parent_message_id"],
    &["created_at"],
    &["updated_at"],
    &["reply_count"],
    &["participant_count"],
];
/// The count that has a name of its own until somebody can leave a thread.
const ACTIVE_PARTICIPANT_COUNT: &str = "active_participant_count";
/// What no two threads have in common.
const UNIQUE: &str = "parent_message_id";

/// Where a page begins. Opaque to clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Cursor {
    /// The order in which it was made, as the fields and whether they descend.
    sort: Vec<(String, bool)>,
    /// The value of each field in the thread next to the page.
    place: Vec<Value>,
}

/// Lets in the channels of which the user is a member, whatever their types grant: a single one may grant more.
fn or_member(within: WithinReach) -> WithinReach {
    let member = comparison(&CHANNELS, "channel_role", Operator::Exists, Operand::Boolean(true));
    WithinReach { channels: Expression::Any(vec![within.channels, member]), ..within }
}

/// Finds the threads of a user.
pub(crate) async fn query_threads(
    state: &State,
    caller: &Caller,
    request: QueryThreadsRequest,
    connection_id: Option<&str>,
) -> Result<QueryThreadsResponse> {
    let watch = Watch::check(state, caller, connection_id, request.watch, None)?;
    let user =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let sort = check_sort(&request.sort)?;
    let (sort, from, backward) = check_place(&request, sort)?;
    let page_limit = limit("limit", request.limit, THREADS_PAGE_DEFAULT, THREADS_PAGE_MAX)?;
    let viewer = access::viewer(state, caller, Some(&user)).await?;
    let client = viewer.as_ref().filter(|_| !caller.is_server());
    let query = ThreadQuery {
        user_id: user.user.id.clone(),
        filter: parse(&THREADS, &request.filter).map_err(|error| Error::filter("filter", &error))?,
        sort,
        from,
        backward,
        // One more shows that there are more.
        limit: page_limit + 1,
        within: within_reach(state, caller, client).map(or_member),
    };
    let context = MessageContext { viewer: Some(user.user.id.clone()), ..MessageContext::of(caller) };
    let asked = (request.reply_limit, request.participant_limit, request.member_limit);
    let shown = ThreadsRequest::check(asked, context, state.now())?;
    // Who is to watch is shown what there is once the watching has begun: until then it is enough to know the threads.
    let first = if watch.is_some() { shown.without_details() } else { shown.clone() };
    let (cursors, mut loaded) = state
        .store
        .read("query_threads", (query, first, page_limit), |tx, (query, shown, page_limit)| {
            Box::pin(async move {
                let mut listed = tx.query_threads(shown.context.app_pk, query).await?;
                let cursors = cut_page(&mut listed, query, *page_limit as usize);
                let threads = listed.into_iter().map(|listed| listed.thread).collect();
                Ok::<_, Error>((cursors, load_threads(tx, threads, shown).await?))
            })
        })
        .await?;
    loaded.retain(state, caller, client);
    if let Some(watch) = &watch {
        // What happened before they were watched is read now, what happens after is told.
        watch.begin(state, &loaded.channels()).await?;
        loaded = state
            .store
            .read("load_threads", (loaded.parent_pks(), shown), |tx, (pks, shown)| {
                Box::pin(async move {
                    let mut threads = Vec::with_capacity(pks.len());
                    for parent_pk in pks {
                        threads.extend(tx.find_thread(*parent_pk).await?);
                    }
                    load_threads(tx, threads, shown).await
                })
            })
            .await?;
    }
    let (next, prev) = cursors;
    loaded.retain(state, caller, client);
    Ok(QueryThreadsResponse { threads: loaded.present_states(state, caller, viewer.as_ref()), next, prev })
}

/// One thread, which must exist.
pub(crate) async fn get_thread(
    state: &State,
    caller: &Caller,
    parent_id: &MessageId,
    query: GetThreadQuery,
) -> Result<ThreadStateResponse> {
    let context = MessageContext::of(caller);
    let asked = (query.reply_limit, query.participant_limit, query.member_limit);
    let shown = ThreadsRequest::check(asked, context, state.now())?;
    let (parent, _) = access::message(state, caller, parent_id, access::READ).await?;
    let loaded = state
        .store
        .read("get_thread", (parent.id, parent.pk, shown), |tx, (id, parent_pk, shown)| {
            Box::pin(async move {
                let thread = tx.find_thread(*parent_pk).await?;
                let thread = thread.ok_or_else(|| Error::not_found("thread", id))?;
                load_threads(tx, vec![thread], shown).await
            })
        })
        .await?;
    let viewer = access::viewer(state, caller, None).await?;
    Ok(loaded.present_states(state, caller, viewer.as_ref()).pop().unwrap_or_default())
}

/// The keys of the order asked for, so many that no two threads are equal in all.
fn check_sort(sort: &[SortParam]) -> Result<Vec<SortKey>> {
    let parse =
        |sort: &[SortParam]| parse_sort(&THREADS, sort, 3).map_err(|error| Error::filter("sort", &error));
    if sort.is_empty() {
        let default: Vec<SortParam> = ORDERS[0].iter().map(|name| SortParam::descending(*name)).collect();
        return parse(&default);
    }
    let mut keys = parse(sort)?;
    let names: Vec<String> = keys.iter().map(|key| key.field.name().into_owned()).collect();
    let is_known =
        names == [ACTIVE_PARTICIPANT_COUNT] || ORDERS.iter().any(|order| is_beginning(&names, order));
    if !is_known {
        return Err(Error::field(
            "sort",
            format!(
                "by {} is not supported; see the documentation for the orders of threads",
                names.join(", ")
            ),
        ));
    }
    if names.last().is_some_and(|last| last != UNIQUE) {
        let descending = keys.last().is_some_and(|last| last.descending);
        let unique = if descending { SortParam::descending(UNIQUE) } else { SortParam::ascending(UNIQUE) };
        keys.extend(parse(&[unique])?);
    }
    Ok(keys)
}

fn is_beginning(names: &[String], order: &[&str]) -> bool {
    names.len() <= order.len() && names.iter().zip(order).all(|(name, of_order)| name == of_order)
}

/// The order of the page, behind, or before, which thread it begins, and whether it lies before it. A page that goes on
/// from another one goes on in its order.
fn check_place(
    request: &QueryThreadsRequest,
    sort: Vec<SortKey>,
) -> Result<(Vec<SortKey>, Option<Vec<Operand>>, bool)> {
    let (field, text) = match (given(request.next.as_ref()), given(request.prev.as_ref())) {
        (None, None) => return Ok((sort, None, false)),
        (Some(next), None) => ("next", next),
        (None, Some(prev)) => ("prev", prev),
        (Some(_), Some(_)) => return Err(Error::input("next and prev cannot be used together")),
    };
    let decoded = Cursor::decode(text);
    let (sort, place) = decoded.ok_or_else(|| Error::field(field, "is not a cursor of an earlier answer"))?;
    Ok((sort, Some(place), field == "prev"))
}

/// Takes off what is beyond the page. Answers the cursors of the pages behind and before it.
fn cut_page(
    listed: &mut Vec<ListedThread>,
    query: &ThreadQuery,
    page_limit: usize,
) -> (Option<String>, Option<String>) {
    let has_more = listed.len() > page_limit;
    if has_more && query.backward {
        listed.remove(0);
    } else {
        listed.truncate(page_limit);
    }
    let (has_next, has_prev) =
        if query.backward { (true, has_more) } else { (has_more, query.from.is_some()) };
    let cursor = |thread: &ListedThread| Cursor::new(&query.sort, &thread.place).encode();
    let next = listed.last().filter(|_| has_next).map(cursor);
    let prev = listed.first().filter(|_| has_prev).map(cursor);
    (next, prev)
}

impl Cursor {
    fn new(sort: &[SortKey], place: &[Operand]) -> Self {
        let place = place.iter().map(|value| match value {
            Operand::Boolean(value) => Value::from(*value),
            Operand::Integer(value) => Value::from(*value),
            Operand::Time(value) => Value::from(value.nanoseconds()),
            Operand::Text(value) => Value::from(value.as_str()),
            Operand::Null | Operand::Number(_) | Operand::List(_) => Value::Null,
        });
        Self { sort: names_of(sort), place: place.collect() }
    }

    fn encode(&self) -> String {
        cursor::encode(self)
    }

    /// An order and the place in it. `None` when the text is no cursor.
    fn decode(text: &str) -> Option<(Vec<SortKey>, Vec<Operand>)> {
        let cursor: Self = cursor::decode(text)?;
        let sort = cursor.order()?;
        if cursor.place.len() != sort.len() {
            return None;
        }
        let values = sort.iter().zip(&cursor.place).map(|(key, value)| place_value(key, value));
        let place = values.collect::<Option<Vec<_>>>()?;
        Some((sort, place))
    }

    /// The order in which it was made, when there is such an order. Its last key may have been added to the one asked for.
    fn order(&self) -> Option<Vec<SortKey>> {
        let param = |(name, descending): &(String, bool)| {
            if *descending { SortParam::descending(name) } else { SortParam::ascending(name) }
        };
        let asked: Vec<SortParam> = self.sort.iter().map(param).collect();
        let (_, shorter) = asked.split_last()?;
        let orders = [asked.as_slice(), shorter].into_iter().filter(|order| !order.is_empty());
        orders.filter_map(|order| check_sort(order).ok()).find(|order| names_of(order) == self.sort)
    }
}

fn names_of(sort: &[SortKey]) -> Vec<(String, bool)> {
    sort.iter().map(|key| (key.field.name().into_owned(), key.descending)).collect()
}

/// A value of a cursor as a sort key compares it. `None` when it is of another kind.
fn place_value(key: &SortKey, value: &Value) -> Option<Operand> {
    let FieldRef::Builtin(field) = &key.field else { return None };
    match field.kind {
        Kind::Boolean => value.as_bool().map(Operand::Boolean),
        Kind::Integer => value.as_i64().map(Operand::Integer),
        Kind::Time => value.as_i64().map(Timestamp::from_nanoseconds).map(Operand::Time),
        _ => value.as_str().map(str::to_owned).map(Operand::Text),
    }
}

#[cfg(test)]
mod tests {
    use natterjack_filter::Operand;
    use natterjack_protocol::{SortParam, Timestamp};

    use super::{Cursor, check_sort};

    fn orders(names: &[&str]) -> bool {
        check_sort(&names.iter().map(|name| SortParam::ascending(*name)).collect::<Vec<_>>()).is_ok()
    }

    #[test]
    fn cursors_bring_their_order() {
        let sort = check_sort(&[]).unwrap();
        let place = [
            Operand::Boolean(true),
            Operand::Time(Timestamp::from_nanoseconds(5)),
            Operand::Text("m1".to_owned()),
        ];
        let text = Cursor::new(&sort, &place).encode();
        assert_eq!(Cursor::decode(&text), Some((sort.clone(), place.to_vec())));
        let single = check_sort(&[SortParam::ascending("created_at")]).unwrap();
        let text = Cursor::new(&single, &place[1..]).encode();
        assert_eq!(Cursor::decode(&text), Some((single.clone(), place[1..].to_vec())));
        let unknown = Cursor { sort: vec![("color".to_owned(), true)], place: vec![1.into()] };
        assert_eq!(Cursor::decode(&unknown.encode()), None);
        let empty = Cursor { sort: Vec::new(), place: Vec::new() };
        assert_eq!(Cursor::decode(&empty.encode()), None);
        assert_eq!(Cursor::decode("abc"), None);
        let forged = Operand::Text("m\0".to_owned());
        let forged = Cursor::new(&sort, &[place[0].clone(), place[1].clone(), forged]).encode();
        assert_eq!(Cursor::decode(&forged), None);
        let mixed = Cursor::new(&sort, &[place[2].clone(), place[1].clone(), place[0].clone()]).encode();
        assert_eq!(Cursor::decode(&mixed), None);
    }

    #[test]
    fn only_documented_orders_are_accepted() {
        assert!(orders(&["has_unread", "last_message_at", "parent_message_id"]));
        assert!(orders(&["last_message_at", "parent_message_id"]));
        assert!(orders(&["last_message_at"]) && orders(&["has_unread"]));
        for single in
            ["created_at", "updated_at", "reply_count", "participant_count", "active_participant_count"]
        {
            assert!(orders(&[single]), "{single}");
            assert!(!orders(&[single, "last_message_at"]), "{single}");
        }
        assert!(!orders(&["last_message_at", "has_unread"]));
        assert!(!orders(&["color"]));
        assert!(!orders(&["channel_cid"]));
        assert_eq!(check_sort(&[SortParam::descending("reply_count")]).unwrap().len(), 2);
    }
}
