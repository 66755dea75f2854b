//! What users have read and what they have not.

use natterjack_protocol::reads::{
    MarkChannelsRead, MarkDelivered, MarkDeliveredResponse, MarkRead, MarkReadResponse, MarkUnread,
    MarkUnreadResponse, UnreadCounts, UnreadCountsBatch, UnreadCountsBatchResponse,
    WrappedUnreadCountsResponse,
};

use super::Call;
use super::reply::Dialect;
use crate::actions::{cid_of, reads};
use crate::error::Result;

pub(crate) async fn mark_read(call: Call<MarkRead>) -> Result<MarkReadResponse> {
    let Call { state, caller, path, body, .. } = call;
    let event = reads::mark_read(&state, &caller, &cid_of(&path)?, body).await?;
    Ok(MarkReadResponse { event })
}

pub(crate) async fn mark_channels_read(call: Call<MarkChannelsRead>) -> Result<MarkReadResponse> {
    let Call { state, caller, body, .. } = call;
    reads::mark_channels_read(&state, &caller, body).await?;
    // The event has a channel, and there is none that it could name.
    Ok(MarkReadResponse::default())
}

pub(crate) async fn mark_unread(call: Call<MarkUnread>) -> Result<MarkUnreadResponse> {
    let Call { state, caller, path, body, .. } = call;
    reads::mark_unread(&state, &caller, &cid_of(&path)?, body).await?;
    Ok(MarkUnreadResponse {})
}

pub(crate) async fn mark_delivered(call: Call<MarkDelivered>) -> Result<MarkDeliveredResponse> {
    let Call { state, caller, query, body, .. } = call;
    reads::mark_delivered(&state, &caller, &query, body).await?;
    Ok(MarkDeliveredResponse {})
}

pub(crate) async fn unread_counts(call: Call<UnreadCounts>) -> Result<WrappedUnreadCountsResponse> {
    let Call { state, caller, query, .. } = call;
    reads::unread_counts(&state, &caller, query).await
}

pub(crate) async fn unread_counts_batch(call: Call<UnreadCountsBatch>) -> Result<UnreadCountsBatchResponse> {
    let Call { state, caller, dialect, body, .. } = call;
    let mut counts_by_user = reads::unread_counts_batch(&state, &caller, body).await?;
    if dialect == Dialect::V1 {
        counts_by_user
            .retain(|_, counts| counts.total_unread_count > 0 || counts.total_unread_threads_count > 0);
    }
    Ok(UnreadCountsBatchResponse { counts_by_user })
}
