//! Full-text search over messages.

use natterjack_protocol::search::{Search, SearchResponse};

use super::Call;
use crate::actions::search as actions;
use crate::error::{Error, Result};

pub(crate) async fn search(call: Call<Search>) -> Result<SearchResponse> {
    let Call { state, caller, query, .. } = call;
    let payload = query.payload.ok_or_else(|| Error::required("payload"))?.0;
    actions::search(&state, &caller, payload).await
}
