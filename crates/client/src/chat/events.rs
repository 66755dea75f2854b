use natterjack_protocol::events::{
    EventRequest, EventResponse, SendEvent, SendEventRequest, SendUserCustomEvent,
    SendUserCustomEventRequest, SendUserCustomEventResponse, UserCustomEventRequest,
};
use natterjack_protocol::{NoQuery, UserPath};

use super::{Chat, channel};
use crate::{Error, Reply};

impl Chat<'_> {
    /// Sends an event to those who watch a channel: `typing.start`, `typing.stop`, `message.read`, an `ai_indicator`, or
    /// one of the app's own. Nothing is stored, except that `message.read` marks the channel as read.
    ///
    /// # Errors
    /// [`Error::Api`] with code 18 when the type is built in and not for clients to send, or when the channel's type does
    /// not support it; 22 when `custom` exceeds 5 KB. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::events::EventRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let event = EventRequest {
    ///     kind: "typing.start".to_owned(),
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// client.chat().send_event("messaging", "general", event).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_event(
        &self,
        kind: impl Into<String>,
        id: impl Into<String>,
        event: EventRequest,
    ) -> Result<Reply<EventResponse>, Error> {
        self.client.call::<SendEvent>(channel(kind, id), NoQuery, SendEventRequest { event }).await
    }

    /// Sends an event of the app's own to all connections of a user. Its type holds no dot.
    ///
    /// # Errors
    /// [`Error::Api`] with code 16 when the user does not exist, 4 when the type holds a dot, 22 when `custom` exceeds
    /// 5 KB. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::events::UserCustomEventRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let event = UserCustomEventRequest { kind: "friendship_request".to_owned(), ..Default::default() };
    /// client.chat().send_user_custom_event("jane", event).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_user_custom_event(
        &self,
        user_id: impl Into<String>,
        event: UserCustomEventRequest,
    ) -> Result<Reply<SendUserCustomEventResponse>, Error> {
        let path = UserPath { user_id: user_id.into() };
        self.client.call::<SendUserCustomEvent>(path, NoQuery, SendUserCustomEventRequest { event }).await
    }
}
