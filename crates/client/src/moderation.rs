//! The moderation operations.

use natterjack_protocol::bans::{
    Ban, BanRequest, ModerationBanResponse, Unban, UnbanQuery, UnbanRequest, UnbanResponse,
};
use natterjack_protocol::flags::{
    Flag, FlagItemResponse, FlagRequest, QueryFlagReports, QueryFlagReportsRequest, QueryFlagReportsResponse,
    ReviewFlagReport, ReviewFlagReportRequest, ReviewFlagReportResponse, Unflag, UnflagResponse,
};
use natterjack_protocol::mutes::UnmuteResponse;
use natterjack_protocol::user_mutes::{Mute, MuteRequest, MuteResponse, Unmute, UnmuteRequest};
use natterjack_protocol::{NoPath, NoQuery, ReportPath};

use crate::{Client, Error, Reply};

/// The operations on bans, mutes of users and reports, made by [`Client::moderation`].
#[derive(Debug, Clone, Copy)]
pub struct Moderation<'c> {
    pub(crate) client: &'c Client,
}

impl Moderation<'_> {
    /// Bans a user from writing, in one channel or in the whole app, in place of an earlier ban of the same kind.
    ///
    /// # Errors
    /// [`Error::Api`] when user or channel do not exist, or when the caller may not ban. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::bans::BanRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = BanRequest {
    ///     target_user_id: "joe".to_owned(),
    ///     banned_by_id: Some("jane".to_owned()),
    ///     channel_cid: Some("messaging:general".to_owned()),
    ///     timeout: Some(60),
    ///     ..Default::default()
    /// };
    /// client.moderation().ban(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ban(&self, request: BanRequest) -> Result<Reply<ModerationBanResponse>, Error> {
        self.client.call::<Ban>(NoPath {}, NoQuery, request).await
    }

    /// Takes a ban back: the one from the channel that is named, or else the one from the whole app. Does nothing where
    /// there is none.
    ///
    /// # Errors
    /// [`Error::Api`] when user or channel do not exist, or when the caller may not ban. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::bans::{UnbanQuery, UnbanRequest};
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = UnbanQuery { target_user_id: Some("joe".to_owned()), ..Default::default() };
    /// let request = UnbanRequest { unbanned_by_id: Some("jane".to_owned()), ..Default::default() };
    /// client.moderation().unban(query, request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unban(
        &self,
        query: UnbanQuery,
        request: UnbanRequest,
    ) -> Result<Reply<UnbanResponse>, Error> {
        self.client.call::<Unban>(NoPath {}, query, request).await
    }

    /// Mutes users for a user, at most 1000 in one call: nothing that they send from now on counts as unread. Muting again
    /// gives the mutes another end.
    ///
    /// # Errors
    /// [`Error::Api`] when the acting user does not exist or is named. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::user_mutes::MuteRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = MuteRequest {
    ///     target_ids: vec!["joe".to_owned()],
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// let reply = client.moderation().mute(request).await?;
    /// println!("{:?}", reply.mutes);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mute(&self, request: MuteRequest) -> Result<Reply<MuteResponse>, Error> {
        self.client.call::<Mute>(NoPath {}, NoQuery, request).await
    }

    /// Takes mutes of users back. What was sent in the meantime stays uncounted.
    ///
    /// # Errors
    /// [`Error::Api`] when the acting user does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::user_mutes::UnmuteRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = UnmuteRequest {
    ///     target_ids: vec!["joe".to_owned()],
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// client.moderation().unmute(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unmute(&self, request: UnmuteRequest) -> Result<Reply<UnmuteResponse>, Error> {
        self.client.call::<Unmute>(NoPath {}, NoQuery, request).await
    }

    /// Reports a message or a user.
    ///
    /// # Errors
    /// [`Error::Api`] when message or user do not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::flags::FlagRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = FlagRequest {
    ///     entity_type: "stream:chat:v1:message".to_owned(),
    ///     entity_id: "m1".to_owned(),
    ///     reason: Some("spam".to_owned()),
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// println!("{}", client.moderation().flag(request).await?.item_id);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn flag(&self, request: FlagRequest) -> Result<Reply<FlagItemResponse>, Error> {
        self.client.call::<Flag>(NoPath {}, NoQuery, request).await
    }

    /// Takes a user's report of a message or a user back, named by `target_message_id` or `target_user_id`.
    ///
    /// # Errors
    /// [`Error::Api`] when the user has not reported it, or it does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::flags::FlagRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = FlagRequest {
    ///     target_message_id: Some("m1".to_owned()),
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// client.moderation().unflag(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unflag(&self, request: FlagRequest) -> Result<Reply<UnflagResponse>, Error> {
        self.client.call::<Unflag>(NoPath {}, NoQuery, request).await
    }

    /// Finds messages that were reported, each with how often, by a filter, a page at a time.
    ///
    /// # Errors
    /// [`Error::Api`] when the filter is not valid, or the caller may not see reports. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::filter::flag_reports;
    /// use natterjack_client::protocol::flags::QueryFlagReportsRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = QueryFlagReportsRequest {
    ///     filter_conditions: flag_reports::is_reviewed().eq(false).into(),
    ///     ..Default::default()
    /// };
    /// for report in &client.moderation().query_flag_reports(request).await?.flag_reports {
    ///     println!("{} was reported {} times", report.message_user_id, report.flags_count);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_flag_reports(
        &self,
        request: QueryFlagReportsRequest,
    ) -> Result<Reply<QueryFlagReportsResponse>, Error> {
        self.client.call::<QueryFlagReports>(NoPath {}, NoQuery, request).await
    }

    /// Records what a moderator decided about a message that was reported, in place of an earlier decision.
    ///
    /// # Errors
    /// [`Error::Api`] when there is no such report, or the caller may not review it. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::flags::ReviewFlagReportRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// # let report_id = "6ec1f1c5-17d1-4d3e-a4a2-2b0a1c4a1a5e";
    /// let request = ReviewFlagReportRequest {
    ///     review_result: "reviewed".to_owned(),
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// client.moderation().review_flag_report(report_id, request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn review_flag_report(
        &self,
        id: impl Into<String>,
        request: ReviewFlagReportRequest,
    ) -> Result<Reply<ReviewFlagReportResponse>, Error> {
        self.client.call::<ReviewFlagReport>(ReportPath { id: id.into() }, NoQuery, request).await
    }
}
