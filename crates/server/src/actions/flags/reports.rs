//! Reported messages for moderators: all reports of a message as one, and what was decided about it.

use natterjack_filter::parse;
use natterjack_protocol::Timestamp;
use natterjack_protocol::flags::{FlagReportResponse, QueryFlagReportsRequest, ReviewFlagReportRequest};
use natterjack_protocol::message_types::MessageResponse;
use natterjack_storage::queries::{FLAG_REPORTS, FlagReport, FlagReportQuery};
use natterjack_storage::{Flag, FlagTarget, Review, Tx};

use super::{FlaggedMessages, load_flagged};
use crate::actions::channels::within_reach;
use crate::actions::{check_length, check_size, given, limit, offset, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{
    CUSTOM_SIZE_MAX, FLAGS_OFFSET_MAX, FLAGS_PAGE_DEFAULT, FLAGS_PAGE_MAX, FLAGS_REVIEWED_MAX,
    REVIEW_RESULT_LENGTH_MAX,
};
use crate::permissions::{Action, Subject};
use crate::present::MessageContext;
use crate::state::{State, access};

/// A decision that may be recorded. Only [`check_review`] makes one.
struct ReviewPlan {
    app_pk: i64,
    id: String,
    review: Review,
    context: MessageContext,
    now: Timestamp,
}

/// Finds messages that were reported.
pub(crate) async fn query_flag_reports(
    state: &State,
    caller: &Caller,
    request: QueryFlagReportsRequest,
) -> Result<Vec<FlagReportResponse>> {
    let client = access::require_reports(state, caller, Action::ReadFlagReports).await?;
    let query = FlagReportQuery {
        filter: parse(&FLAG_REPORTS, &request.filter_conditions)
            .map_err(|error| Error::filter("filter_conditions", &error))?,
        limit: limit("limit", request.limit, FLAGS_PAGE_DEFAULT, FLAGS_PAGE_MAX)?,
        offset: offset("offset", request.offset, FLAGS_OFFSET_MAX)?,
        within: within_reach(state, caller, client.as_ref()),
    };
    let (reports, flagged) = state
        .store
        .read("query_flag_reports", (query, MessageContext::of(caller), state.now()), |tx, plan| {
            let (query, context, now) = plan;
            Box::pin(async move {
                let reports = tx.query_flag_reports(context.app_pk, query).await?;
                let flagged = load_reported(tx, &reports, context, *now).await?;
                Ok::<_, Error>((reports, flagged))
            })
        })
        .await?;
    let shown = reports.iter().filter_map(|report| {
        let message = flagged.show(state, caller, client.as_ref(), &report.first)?;
        Some(present(report, message, &flagged))
    });
    Ok(shown.collect())
}

/// Records what was decided about a message that was reported.
pub(crate) async fn review_flag_report(
    state: &State,
    caller: &Caller,
    id: &str,
    request: ReviewFlagReportRequest,
) -> Result<FlagReportResponse> {
    let plan = check_review(state, caller, id, request).await?;
    let (report, flagged) =
        state.store.write("review_flag_report", plan, |tx, plan| Box::pin(do_review(tx, plan))).await?;
    // Who may decide about it has been found out before.
    let message = flagged.show(state, caller, None, &report.first);
    Ok(present(&report, message.ok_or_else(|| Error::not_found("report", id))?, &flagged))
}

async fn check_review(
    state: &State,
    caller: &Caller,
    id: &str,
    request: ReviewFlagReportRequest,
) -> Result<ReviewPlan> {
    let client = access::require_reports(state, caller, Action::UpdateFlagReport).await?;
    check_reach(state, caller, client.as_ref(), id).await?;
    let by = users::optional_user(state, caller, "user", request.user_id.as_ref(), None).await?;
    let result = given(Some(&request.review_result)).ok_or_else(|| Error::required("review_result"))?;
    check_length("review_result", result, REVIEW_RESULT_LENGTH_MAX)?;
    check_size("review_details", &request.review_details, CUSTOM_SIZE_MAX)?;
    let review = Review {
        result: result.to_owned(),
        details: request.review_details,
        reviewed_by_id: by.map(|by| by.user.id.clone()),
    };
    Ok(ReviewPlan {
        app_pk: caller.app.pk,
        id: id.to_owned(),
        review,
        // Often the message was deleted first.
        context: MessageContext { show_deleted: true, ..MessageContext::of(caller) },
        now: state.now(),
    })
}

/// Refuses a client who may not see the reported message, as if it were not there.
async fn check_reach(state: &State, caller: &Caller, client: Option<&Subject>, id: &str) -> Result<()> {
    let Some(client) = client else { return Ok(()) };
    let input = (MessageContext::of(caller), id.to_owned(), state.now());
    let found = state
        .store
        .read("find_flag_report", input, |tx, (context, id, now)| {
            Box::pin(async move {
                let Some(report) = tx.find_flag_report(context.app_pk, id).await? else { return Ok(None) };
                let flagged = load_flagged(tx, &[&report.first], context, *now).await?;
                Ok::<_, Error>(Some((report, flagged)))
            })
        })
        .await?;
    let seen = found.and_then(|(report, flagged)| flagged.show(state, caller, Some(client), &report.first));
    seen.map(|_| ()).ok_or_else(|| Error::not_found("report", id))
}

async fn do_review(tx: &mut Tx, plan: &ReviewPlan) -> Result<(FlagReport, FlaggedMessages)> {
    let unknown = || Error::not_found("report", &plan.id);
    let report = tx.find_flag_report(plan.app_pk, &plan.id).await?.ok_or_else(unknown)?;
    let target = FlagTarget {
        app_pk: plan.app_pk,
        message: report.first.channel_pk.zip(report.first.message_pk),
        creator_id: report.first.creator_id,
    };
    tx.lock_flags(&target).await?;
    tx.review_flags(plan.app_pk, &plan.id, &plan.review, plan.now, FLAGS_REVIEWED_MAX).await?;
    let report = tx.find_flag_report(plan.app_pk, &plan.id).await?.ok_or_else(unknown)?;
    let flagged = load_flagged(tx, &[&report.first], &plan.context, plan.now).await?;
    Ok((report, flagged))
}

async fn load_reported(
    tx: &mut Tx,
    reports: &[FlagReport],
    context: &MessageContext,
    now: Timestamp,
) -> Result<FlaggedMessages> {
    let flags: Vec<&Flag> = reports.iter().map(|report| &report.first).collect();
    load_flagged(tx, &flags, context, now).await
}

fn present(report: &FlagReport, message: MessageResponse, flagged: &FlaggedMessages) -> FlagReportResponse {
    let FlagReport { first, flags_count, updated_at } = report;
    FlagReportResponse {
        id: first.item_id.clone(),
        flags_count: *flags_count,
        message_user_id: first.creator_id.clone(),
        channel_cid: message.cid.clone(),
        message: Some(message),
        created_at: first.created_at,
        updated_at: *updated_at,
        review_result: first.review_result.clone(),
        review_details: first.review_details.clone(),
        reviewed_at: first.reviewed_at,
        reviewed_by: first.reviewed_by_id.as_deref().map(|id| flagged.bundle.users.get(id)),
    }
}
