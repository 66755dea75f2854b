//! The users and channels that the measurements need, made through the SDK.

use anyhow::{Context, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use natterjack_client::Client;
use natterjack_client::protocol::channels::{
    ChannelInput, GetChannelQuery, GetOrCreateChannelRequest, UpdateChannelRequest,
};
use natterjack_client::protocol::members::ChannelMemberRequest;
use natterjack_client::protocol::users::{UpdateUsersRequest, UserRequest};

/// Type of all channels.
pub const KIND: &str = "messaging";
/// Members of the channels that messages are sent to one at a time.
pub const SIZES: [usize; 3] = [2, 100, 10_000];
/// Channels of two members over which sends are spread.
pub const SPREAD: usize = 16;
/// Channels of the loaded set, all of them [`READER`]'s.
pub const SET: usize = 1000;
/// The channel that gets very many messages and is truncated.
pub const TRUNCATED: &str = "truncated";
/// The user with many channels.
pub const READER: &str = "bench-reader";

/// Most users or members in one call.
const BATCH: usize = 100;
/// Calls at the same time.
const CONCURRENCY: usize = 8;

/// Id of an ordinary user.
pub fn user(index: usize) -> String {
    format!("bench-{index}")
}

/// Members of a channel with that many of them.
pub fn members(size: usize) -> Vec<String> {
    (0..size).map(user).collect()
}

/// Id of the channel with that many members.
pub fn sized_channel(size: usize) -> String {
    format!("size-{size}")
}

/// Id and members of one of the [`SPREAD`] channels.
pub fn spread_channel(index: usize) -> (String, Vec<String>) {
    (format!("spread-{index}"), vec![user(2 * index), user(2 * index + 1)])
}

/// Id and members of one of the [`SET`] channels.
pub fn set_channel(index: usize) -> (String, Vec<String>) {
    (format!("set-{index}"), vec![READER.to_owned(), user(index)])
}

/// Makes all users and channels.
pub async fn create(client: &Client) -> Result<()> {
    let mut users = members(SIZES.into_iter().max().unwrap_or_default());
    users.push(READER.to_owned());
    create_users(client, users).await?;
    let mut channels: Vec<_> = SIZES.iter().map(|size| (sized_channel(*size), members(*size))).collect();
    channels.extend((0..SPREAD).map(spread_channel));
    channels.extend((0..SET).map(set_channel));
    channels.push((TRUNCATED.to_owned(), members(2)));
    create_channels(client, channels).await
}

/// Makes users.
pub async fn create_users(client: &Client, users: Vec<String>) -> Result<()> {
    let calls = users.chunks(BATCH).map(|ids| {
        let entry = |id: &String| (id.clone(), UserRequest { id: id.clone(), ..named(id) });
        let request = UpdateUsersRequest { users: ids.iter().map(entry).collect() };
        async move { client.common().update_users(request).await.map(drop).context("upserting users") }
    });
    together(calls).await
}

/// Makes channels, each with its members.
pub async fn create_channels(
    client: &Client,
    channels: impl IntoIterator<Item = (String, Vec<String>)>,
) -> Result<()> {
    together(channels.into_iter().map(|(id, members)| create_channel(client, id, members))).await
}

fn named(id: &str) -> UserRequest {
    UserRequest { name: Some(format!("User {id}")), ..UserRequest::default() }
}

async fn create_channel(client: &Client, id: String, members: Vec<String>) -> Result<()> {
    let entries = |ids: &[String]| -> Vec<ChannelMemberRequest> {
        let entry = |id: &String| ChannelMemberRequest { user_id: id.clone(), ..Default::default() };
        ids.iter().map(entry).collect()
    };
    let (first, rest) = members.split_at(members.len().min(BATCH));
    let data = ChannelInput {
        created_by_id: first.first().cloned(),
        members: Some(entries(first)),
        ..ChannelInput::default()
    };
    let request = GetOrCreateChannelRequest { data: Some(data), ..Default::default() };
    client.chat().get_or_create_channel(KIND, id.as_str(), request).await.context("creating a channel")?;
    let calls =
        rest.chunks(BATCH).map(|ids| {
            let request = UpdateChannelRequest { add_members: entries(ids), ..Default::default() };
            let id = id.as_str();
            async move {
                client.chat().update_channel(KIND, id, request).await.map(drop).context("adding members")
            }
        });
    together(calls).await
}

/// Runs a few calls at a time.
async fn together(calls: impl Iterator<Item = impl Future<Output = Result<()>>>) -> Result<()> {
    stream::iter(calls).buffer_unordered(CONCURRENCY).try_collect().await
}

/// A page of messages to ask for: a channel, and the message before which the page ends.
#[derive(Debug, Clone)]
pub struct Page {
    /// Id of the channel.
    pub channel: String,
    /// Id of the oldest of the newest `size` messages.
    pub before: String,
}

/// Finds, among `channels`, those with more than one page of messages.
pub async fn find_pages(client: &Client, channels: Vec<String>, size: i64) -> Result<Vec<Page>> {
    let pages: Vec<Option<Page>> = stream::iter(channels)
        .map(|channel| async move {
            let query = newest_page(size);
            let state =
                client.chat().get_channel(KIND, channel.as_str(), query).await.context("reading a page")?;
            let full = i64::try_from(state.messages.len()).is_ok_and(|found| found == size);
            let oldest = state.messages.first().filter(|_| full);
            anyhow::Ok(oldest.map(|message| Page { channel, before: message.id.clone() }))
        })
        .buffer_unordered(CONCURRENCY)
        .try_collect()
        .await?;
    Ok(pages.into_iter().flatten().collect())
}

/// Asks for the newest messages of a channel.
pub fn newest_page(size: i64) -> GetChannelQuery {
    GetChannelQuery { state: Some(true), messages_limit: Some(size), ..GetChannelQuery::default() }
}
