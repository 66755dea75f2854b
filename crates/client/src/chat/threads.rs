use natterjack_protocol::threads::{
    GetThread, GetThreadQuery, GetThreadResponse, QueryThreads, QueryThreadsRequest, QueryThreadsResponse,
    UpdateThreadPartial, UpdateThreadPartialRequest, UpdateThreadPartialResponse,
};
use natterjack_protocol::{NoBody, NoPath, NoQuery, ThreadPath};

use super::Chat;
use crate::{Error, Reply};

impl Chat<'_> {
    /// Finds the threads in which a user takes part, unread ones first, then by the latest reply; the fields are in
    /// [`filter::threads`](crate::filter::threads). One page: at most 100 threads, 10 by default.
    ///
    /// # Errors
    /// [`Error::Api`] when the filter, the order or a limit is not valid. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::filter::threads;
    /// use natterjack_client::protocol::threads::QueryThreadsRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let request = QueryThreadsRequest {
    ///     filter: threads::has_unread().eq(true).into(),
    ///     user_id: Some("jane".to_owned()),
    ///     ..Default::default()
    /// };
    /// for thread in &client.chat().query_threads(request).await?.threads {
    ///     println!("{}: {} replies", thread.title, thread.reply_count);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_threads(
        &self,
        request: QueryThreadsRequest,
    ) -> Result<Reply<QueryThreadsResponse>, Error> {
        self.client.call::<QueryThreads>(NoPath {}, NoQuery, request).await
    }

    /// Reads one thread with its newest replies, by the message that it hangs on.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is no such message or it has no replies. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::threads::GetThreadQuery;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let query = GetThreadQuery { reply_limit: Some(10), ..Default::default() };
    /// let thread = client.chat().get_thread("order-4711", query).await?.into_inner().thread;
    /// println!("{} take part", thread.participant_count);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_thread(
        &self,
        message_id: impl Into<String>,
        query: GetThreadQuery,
    ) -> Result<Reply<GetThreadResponse>, Error> {
        self.client.call::<GetThread>(thread(message_id), query, NoBody).await
    }

    /// Changes the title and single fields of the custom data of a thread.
    ///
    /// # Errors
    /// [`Error::Api`] with `NotFound` when there is no such thread. Any other kind of [`Error`].
    ///
    /// ```no_run
    /// use natterjack_client::protocol::threads::UpdateThreadPartialRequest;
    ///
    /// # async fn run(client: natterjack_client::Client) -> Result<(), natterjack_client::Error> {
    /// let mut request = UpdateThreadPartialRequest { unset: vec!["color".to_owned()], ..Default::default() };
    /// request.set.insert("title".to_owned(), "Where is my parcel?".into());
    /// client.chat().update_thread_partial("order-4711", request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update_thread_partial(
        &self,
        message_id: impl Into<String>,
        request: UpdateThreadPartialRequest,
    ) -> Result<Reply<UpdateThreadPartialResponse>, Error> {
        self.client.call::<UpdateThreadPartial>(thread(message_id), NoQuery, request).await
    }
}

fn thread(message_id: impl Into<String>) -> ThreadPath {
    ThreadPath { message_id: message_id.into() }
}
