//! Reported messages for moderators: all reports of a message as one, and what was decided about it.

use natterjack_filter::parse;
use natterjack_protocol::Timestamp;
use natterjack_protocol::flags::{FlagReportResponse, QueryFlagReportsRequest, ReviewFlagReportRequest};
use natterjack_storage::queries::{FLAG_REPORTS, FlagReport, FlagReportQuery};
use natterjack_storage::{Flag, FlagTarget, Review, Tx};

use super::{FlaggedMessages, load_flagged};
use crate::actions::{check_length, check_size, given, limit, offset, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{
    CUSTOM_SIZE_MAX, FLAGS_OFFSET_MAX, FLAGS_PAGE_DEFAULT, FLAGS_PAGE_MAX, FLAGS_REVIEWED_MAX,
    REVIEW_RESULT_LENGTH_MAX,
};
use crate::permissions::Action;
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
    access::require_reports(state, caller, Action::ReadFlagReports).await?;
    let query = FlagReportQuery {
        filter: parse(&FLAG_REPORTS, &request.filter_conditions)
            .map_err(|error| Error::filter("filter_conditions", &error))?,
        limit: limit("limit", request.limit, FLAGS_PAGE_DEFAULT, FLAGS_PAGE_MAX)?,
        offset: offset("offset", request.offset, FLAGS_OFFSET_MAX)?,
    };
    state
        .store
        .read("query_flag_reports", (query, MessageContext::of(caller), state.now()), |tx, plan| {
            let (query, context, now) = plan;
            Box::pin(async move {
                let reports = tx.query_flag_reports(context.app_pk, query).await?;
                present(tx, &reports, context, *now).await
            })
        })
        .await
}

/// Records what was decided about a message that was reported.
pub(crate) async fn review_flag_report(
    state: &State,
    caller: &Caller,
    id: &str,
    request: ReviewFlagReportRequest,
) -> Result<FlagReportResponse> {
    let plan = check_review(state, caller, id, request).await?;
    state.store.write("review_flag_report", plan, |tx, plan| Box::pin(do_review(tx, plan))).await
}

async fn check_review(
    state: &State,
    caller: &Caller,
    id: &str,
    request: ReviewFlagReportRequest,
) -> Result<ReviewPlan> {
    access::require_reports(state, caller, Action::UpdateFlagReport).await?;
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

async fn do_review(tx: &mut Tx, plan: &ReviewPlan) -> Result<FlagReportResponse> {
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
    let shown = present(tx, &[report], &plan.context, plan.now).await?.pop();
    shown.ok_or_else(unknown)
}

async fn present(
    tx: &mut Tx,
    reports: &[FlagReport],
    context: &MessageContext,
    now: Timestamp,
) -> Result<Vec<FlagReportResponse>> {
    let flags: Vec<&Flag> = reports.iter().map(|report| &report.first).collect();
    let FlaggedMessages { messages, bundle } = load_flagged(tx, &flags, context, now).await?;
    let shown = reports.iter().map(|FlagReport { first, flags_count, updated_at }| {
        let message =
            first.message_pk.and_then(|pk| messages.get(&pk)).map(|message| bundle.message(message));
        FlagReportResponse {
            id: first.item_id.clone(),
            flags_count: *flags_count,
            message_user_id: first.creator_id.clone(),
            channel_cid: message.as_ref().map(|message| message.cid.clone()).unwrap_or_default(),
            message,
            created_at: first.created_at,
            updated_at: *updated_at,
            review_result: first.review_result.clone(),
            review_details: first.review_details.clone(),
            reviewed_at: first.reviewed_at,
            reviewed_by: first.reviewed_by_id.as_deref().map(|id| bundle.users.get(id)),
        }
    });
    Ok(shown.collect())
}
