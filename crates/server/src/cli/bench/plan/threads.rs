//! The lists of a user with many channels and threads.

use std::time::Duration;

use anyhow::{Context, Result};
use natterjack_client::Client;
use natterjack_client::protocol::members::{QueryMembers, QueryMembersPayload, QueryMembersQuery};
use natterjack_client::protocol::messages::SendMessage;
use natterjack_client::protocol::reads::{UnreadCounts, UnreadCountsQuery};
use natterjack_client::protocol::threads::{QueryThreads, QueryThreadsRequest};
use natterjack_client::protocol::{JsonParam, NoPath, NoQuery};

use super::super::child::Server;
use super::super::generator::Load;
use super::super::requests::{Encoder, in_turn, threads};
use super::super::setup;
use super::{LOAD_IN_FLIGHT, Run, channel_path};

/// Threads of the reader.
const THREADS: u64 = 10_000;
/// Pages of threads that are asked for, one behind the other.
const THREAD_PAGES: usize = 30;
/// Members of a page.
const MEMBERS: usize = 100;
/// Names of the measurements.
pub const LISTS: [&str; 3] =
    ["query_threads, pages of 10", "unread_counts, of the reader", "query_members, pages of 100 of 10000"];

impl Run<'_> {
    /// Gives the reader threads, and asks for the lists of such a user.
    pub(super) async fn measure_lists(
        &mut self,
        server: &Server,
        encoder: &Encoder,
        client: &Client,
    ) -> Result<()> {
        self.progress.step(&format!("making {THREADS} threads"));
        if !LISTS.iter().any(|name| self.effort.includes(name)) {
            return Ok(());
        }
        // The parents first: a reply needs its own to be there.
        for replies in [false, true] {
            let channels = (0..setup::SET).map(setup::set_channel).map(|(id, members)| {
                let author = if replies { &members[1] } else { &members[0] };
                (encoder.template::<SendMessage>(&channel_path(id), &NoQuery), author.clone())
            });
            let load = Load {
                warm_up: Duration::ZERO,
                duration: Duration::from_secs(3600),
                requests_max: THREADS,
                ..self.load(server, LOAD_IN_FLIGHT, threads(channels.collect(), replies))
            };
            load.run().await.context("making threads")?;
        }
        self.settle(server).await?;
        let pages = thread_pages(client).await?;
        let requests = pages.iter().map(|page| encoder.write::<QueryThreads>(&NoPath {}, &NoQuery, page));
        self.measure_both(LISTS[0], server, &in_turn(requests.collect())).await;
        let query = UnreadCountsQuery { user_id: Some(setup::READER.to_owned()) };
        let request = encoder.read::<UnreadCounts>(&NoPath {}, &query);
        self.measure_both(LISTS[1], server, &in_turn(vec![request])).await;
        let size = setup::SIZES[2];
        let requests = (0..size / MEMBERS).map(|page| {
            let payload = QueryMembersPayload {
                kind: setup::KIND.to_owned(),
                id: Some(setup::sized_channel(size)),
                limit: i64::try_from(MEMBERS).ok(),
                offset: i64::try_from(page * MEMBERS).ok(),
                ..QueryMembersPayload::default()
            };
            let query = QueryMembersQuery { payload: Some(JsonParam(payload)) };
            encoder.read::<QueryMembers>(&NoPath {}, &query)
        });
        self.measure_both(LISTS[2], server, &in_turn(requests.collect())).await;
        Ok(())
    }
}

/// The reader's threads, page by page.
async fn thread_pages(client: &Client) -> Result<Vec<QueryThreadsRequest>> {
    let mut page =
        QueryThreadsRequest { user_id: Some(setup::READER.to_owned()), ..QueryThreadsRequest::default() };
    let mut pages = Vec::new();
    while pages.len() < THREAD_PAGES {
        pages.push(page.clone());
        let found = client.chat().query_threads(page.clone()).await.context("reading a page of threads")?;
        let Some(next) = found.next.clone() else { break };
        page.next = Some(next);
    }
    Ok(pages)
}
