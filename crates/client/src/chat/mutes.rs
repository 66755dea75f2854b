use natterjack_protocol::mutes::{
    MuteChannel, MuteChannelRequest, MuteChannelResponse, UnmuteChannel, UnmuteChannelRequest, UnmuteResponse,
};
use natterjack_protocol::{NoPath, NoQuery};

use super::Chat;
use crate::{Error, Reply};

impl Chat<'_> {
    /// Mutes channels for a user, at most 25 in one call: nothing that is sent from now on counts as unread. Muting again
    /// gives the mutes another end.
    ///
    /// # Errors
    /// [`Error::Api`] when one of the channels does not exist; then none is muted. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::mutes::MuteChannelRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = MuteChannelRequest {
    ///     channel_cids: vec!["messaging:general".to_owned()],
    ///     expiration: Some(60 * 60 * 1000),
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// let reply = client.chat().mute_channel(request).await?;
    /// println!("{:?}", reply.channel_mute);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn mute_channel(
        &self,
        request: MuteChannelRequest,
    ) -> Result<Reply<MuteChannelResponse>, Error> {
        self.client.call::<MuteChannel>(NoPath {}, NoQuery, request).await
    }

    /// Takes mutes of channels back. What was sent in the meantime stays uncounted.
    ///
    /// # Errors
    /// [`Error::Api`] when one of the channels does not exist. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::mutes::UnmuteChannelRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = UnmuteChannelRequest {
    ///     channel_cids: vec!["messaging:general".to_owned()],
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// client.chat().unmute_channel(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn unmute_channel(
        &self,
        request: UnmuteChannelRequest,
    ) -> Result<Reply<UnmuteResponse>, Error> {
        self.client.call::<UnmuteChannel>(NoPath {}, NoQuery, request).await
    }
}
