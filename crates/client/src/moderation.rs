//! The moderation operations.

use natterjack_protocol::bans::{
    Ban, BanRequest, ModerationBanResponse, Unban, UnbanQuery, UnbanRequest, UnbanResponse,
};
use natterjack_protocol::flags::{Flag, FlagItemResponse, FlagRequest};
use natterjack_protocol::mutes::UnmuteResponse;
use natterjack_protocol::user_mutes::{Mute, MuteRequest, MuteResponse, Unmute, UnmuteRequest};
use natterjack_protocol::{NoPath, NoQuery};

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
}
