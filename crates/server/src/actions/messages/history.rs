use natterjack_filter::{Expression, FieldRef, parse, parse_sort};
use natterjack_protocol::messages::{
    MessageHistoryEntryResponse, QueryMessageHistoryRequest, QueryMessageHistoryResponse,
};
use natterjack_storage::queries::{MESSAGE_HISTORY, MessageHistoryQuery};
use natterjack_storage::{MessageHistoryEntry, ToldChange};

use crate::actions::{cursor, limit};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{HISTORY_PAGE_DEFAULT, HISTORY_PAGE_MAX};
use crate::state::State;

/// Finds what messages said before they were changed or deleted.
pub(crate) async fn query_message_history(
    state: &State,
    caller: &Caller,
    request: QueryMessageHistoryRequest,
    told: ToldChange,
) -> Result<QueryMessageHistoryResponse> {
    let query = check_query(&request, told)?;
    let page = query.page.clone();
    let found = state
        .store
        .read("query_message_history", (caller.app.pk, query), |tx, (app_pk, query)| {
            Box::pin(tx.query_message_history(*app_pk, query))
        })
        .await?;
    Ok(QueryMessageHistoryResponse {
        next: cursor::write(&page, found.next.as_ref()),
        prev: cursor::write(&page, found.previous.as_ref()),
        message_history: found.entries.into_iter().map(present).collect(),
    })
}

fn check_query(request: &QueryMessageHistoryRequest, told: ToldChange) -> Result<MessageHistoryQuery> {
    let filter = parse(&MESSAGE_HISTORY, &request.filter).map_err(|error| Error::filter("filter", &error))?;
    if !names_messages(&filter) {
        return Err(Error::required("filter.message_id"));
    }
    let sort =
        parse_sort(&MESSAGE_HISTORY, &request.sort, 1).map_err(|error| Error::filter("sort", &error))?;
    if sort.iter().any(|key| matches!(key.field, FieldRef::Custom(_))) {
        return Err(Error::field("sort", "must be one entry for message_updated_at"));
    }
    let limit = limit("limit", request.limit, HISTORY_PAGE_DEFAULT, HISTORY_PAGE_MAX)?;
    let page = cursor::key_page(limit, &sort, request.next.as_ref(), request.prev.as_ref())?;
    Ok(MessageHistoryQuery { filter, told, page })
}

/// Whether a filter says which messages it is about, so that only their history is read.
fn names_messages(filter: &Expression) -> bool {
    match filter {
        Expression::All(parts) => parts.iter().any(names_messages),
        Expression::Comparison(comparison) => comparison.field.name() == "message_id",
        Expression::Any(_) | Expression::None(_) => false,
    }
}

fn present(entry: MessageHistoryEntry) -> MessageHistoryEntryResponse {
    MessageHistoryEntryResponse {
        is_deleted: entry.is_deleted,
        message_id: entry.message_id,
        message_updated_at: entry.updated_at,
        message_updated_by_id: entry.updated_by_id,
        text: entry.text,
        attachments: entry.attachments,
        custom: entry.custom,
    }
}
