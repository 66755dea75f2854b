//! What users have read and what they have not.

use natterjack_protocol::reads::{MarkRead, MarkReadResponse, UnreadCounts, WrappedUnreadCountsResponse};

use super::Call;
use crate::actions::{cid_of, reads};
use crate::error::Result;

pub(crate) async fn mark_read(call: Call<MarkRead>) -> Result<MarkReadResponse> {
    let Call { state, app, path, body, .. } = call;
    let event = reads::mark_read(&state, &app, &cid_of(&path)?, body).await?;
    Ok(MarkReadResponse { event })
}

pub(crate) async fn unread_counts(call: Call<UnreadCounts>) -> Result<WrappedUnreadCountsResponse> {
    let Call { state, app, query, .. } = call;
    reads::unread_counts(&state, &app, query).await
}
