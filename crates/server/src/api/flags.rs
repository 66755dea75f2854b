use natterjack_protocol::flags::{
    Flag, FlagItemResponse, QueryFlagReports, QueryFlagReportsResponse, QueryMessageFlags,
    QueryMessageFlagsResponse, ReviewFlagReport, ReviewFlagReportResponse, Unflag, UnflagResponse,
};

use super::Call;
use crate::actions::flags;
use crate::error::Result;

pub(crate) async fn flag(call: Call<Flag>) -> Result<FlagItemResponse> {
    let Call { state, caller, body, .. } = call;
    flags::flag(&state, &caller, body).await
}

pub(crate) async fn unflag(call: Call<Unflag>) -> Result<UnflagResponse> {
    let Call { state, caller, body, .. } = call;
    flags::unflag(&state, &caller, body).await
}

pub(crate) async fn query_message_flags(call: Call<QueryMessageFlags>) -> Result<QueryMessageFlagsResponse> {
    let Call { state, caller, query, .. } = call;
    let payload = query.payload.map(|payload| payload.0).unwrap_or_default();
    Ok(QueryMessageFlagsResponse { flags: flags::query_message_flags(&state, &caller, payload).await? })
}

pub(crate) async fn query_flag_reports(call: Call<QueryFlagReports>) -> Result<QueryFlagReportsResponse> {
    let Call { state, caller, body, .. } = call;
    Ok(QueryFlagReportsResponse { flag_reports: flags::query_flag_reports(&state, &caller, body).await? })
}

pub(crate) async fn review_flag_report(call: Call<ReviewFlagReport>) -> Result<ReviewFlagReportResponse> {
    let Call { state, caller, path, body, .. } = call;
    let flag_report = flags::review_flag_report(&state, &caller, &path.id, body).await?;
    Ok(ReviewFlagReportResponse { flag_report })
}
