use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use natterjack_client::Error;
use natterjack_client::protocol::channels::{ChannelInput, GetOrCreateChannelRequest, UpdateChannelRequest};
use natterjack_client::protocol::members::ChannelMemberRequest;
use natterjack_client::protocol::messages::{MessageRequest, SendMessageRequest};
use natterjack_client::protocol::reads::MarkReadRequest;
use natterjack_client::protocol::users::{UpdateUsersRequest, UserRequest};
use natterjack_client::protocol::{Custom, ErrorCode};

use super::Context;
use super::dataset::{Channel, Entry, Kind, User};
use crate::cli::progress::Progress;

/// Users or members in one call.
const BATCH: usize = 100;

/// Messages in a page while looking for the last one that was loaded.
const RESUME_PAGE: u32 = 25;

/// Sends the whole data set, as far as it is not there yet.
pub async fn load(context: &Context) -> Result<()> {
    let progress = Progress::start("users", context.dataset.users.len());
    stream::iter(context.dataset.users.chunks(BATCH))
        .map(|users| write_users(context, users, &progress))
        .buffer_unordered(context.in_flight)
        .try_collect::<()>()
        .await?;
    eprintln!("{}", progress.finish());

    let progress = Progress::start("lines", context.dataset.lines);
    stream::iter(&context.dataset.channels)
        .map(|channel| async {
            let loaded = load_channel(context, channel, &progress).await;
            loaded.with_context(|| format!("channel {}", context.cid(channel)))
        })
        .buffer_unordered(context.in_flight)
        .try_collect::<()>()
        .await?;
    println!("loaded {}", progress.finish());
    Ok(())
}

async fn write_users(context: &Context, users: &[Arc<User>], progress: &Progress) -> Result<()> {
    let entry = |user: &Arc<User>| {
        let request =
            UserRequest { id: user.id.clone(), name: Some(user.name.clone()), ..Default::default() };
        (user.id.clone(), request)
    };
    let request = UpdateUsersRequest { users: users.iter().map(entry).collect() };
    context.client.common().update_users(request).await.context("writing users")?;
    progress.add(users.len());
    Ok(())
}

/// Brings one channel up to the file: its members, then its messages in order, then the mark of its first speaker.
async fn load_channel(context: &Context, channel: &Channel, progress: &Progress) -> Result<()> {
    let loaded = match count_loaded(context, channel).await {
        Ok(loaded) => {
            add_members(context, channel, 0).await?;
            loaded
        }
        Err(error) if error.code() == Some(ErrorCode::NotFound) => {
            create_channel(context, channel).await?;
            add_members(context, channel, BATCH).await?;
            0
        }
        Err(error) => return Err(error).context("looking for what is there"),
    };
    progress.skip(loaded);
    for entry in &channel.entries[loaded..] {
        send_message(context, channel, entry).await.with_context(|| format!("message {}", entry.id))?;
        progress.add(1);
    }
    let request = MarkReadRequest {
        message_id: Some(channel.entries[channel.marked()].id.clone()),
        user_id: Some(channel.first_speaker().id.clone()),
        ..Default::default()
    };
    context
        .client
        .chat()
        .mark_read(&context.channel_type, &channel.id, request)
        .await
        .context("marking read")?;
    Ok(())
}

/// How many of a channel's lines are there. They were sent one after the other, so the newest tells.
async fn count_loaded(context: &Context, channel: &Channel) -> Result<usize, Error> {
    let mut newest = context.client.chat().messages_stream(&context.channel_type, &channel.id, RESUME_PAGE);
    while let Some(message) = newest.try_next().await? {
        if let Some(place) = channel.entries.iter().rposition(|entry| entry.id == message.id) {
            return Ok(place + 1);
        }
    }
    Ok(0)
}

async fn create_channel(context: &Context, channel: &Channel) -> Result<()> {
    let data = ChannelInput {
        created_by_id: Some(channel.first_speaker().id.clone()),
        members: Some(channel.members().into_iter().take(BATCH).map(|user| member(user)).collect()),
        ..Default::default()
    };
    let request = GetOrCreateChannelRequest { data: Some(data), ..Default::default() };
    context
        .client
        .chat()
        .get_or_create_channel(&context.channel_type, &channel.id, request)
        .await
        .context("creating the channel")?;
    Ok(())
}

/// Adds the channel's members but for the first `skip`. Those that are members already stay as they are.
async fn add_members(context: &Context, channel: &Channel, skip: usize) -> Result<()> {
    let members: Vec<_> = channel.members().into_iter().skip(skip).map(|user| member(user)).collect();
    for batch in members.chunks(BATCH) {
        let request = UpdateChannelRequest { add_members: batch.to_vec(), ..Default::default() };
        context
            .client
            .chat()
            .update_channel(&context.channel_type, &channel.id, request)
            .await
            .context("adding members")?;
    }
    Ok(())
}

fn member(user: &User) -> ChannelMemberRequest {
    ChannelMemberRequest { user_id: user.id.clone(), ..Default::default() }
}

async fn send_message(context: &Context, channel: &Channel, entry: &Entry) -> Result<()> {
    let id_of = |place: usize| channel.entries[place].id.clone();
    let message = MessageRequest {
        id: Some(entry.id.clone()),
        user_id: Some(entry.user.id.clone()),
        text: Some(entry.text.clone()),
        kind: (entry.kind == Kind::Join).then(|| "system".to_owned()),
        parent_id: entry.reply.map(|reply| id_of(reply.root)),
        quoted_message_id: entry.reply.map(|reply| id_of(reply.quoted)),
        show_in_channel: entry.reply.map(|_| true),
        custom: custom(entry),
        ..Default::default()
    };
    let request = SendMessageRequest {
        message,
        skip_enrich_url: Some(true),
        skip_push: Some(true),
        ..Default::default()
    };
    match context.client.chat().send_message(&context.channel_type, &channel.id, request).await {
        Ok(_) => Ok(()),
        Err(error) if already_exists(&error) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The custom data of a line's message.
pub fn custom(entry: &Entry) -> Custom {
    Custom::new().with("at", entry.at.as_str()).with("n", entry.n).with("kind", entry.kind.as_str())
}

fn already_exists(error: &Error) -> bool {
    matches!(error, Error::Api { code: ErrorCode::Input, message, .. } if message.contains("already exists"))
}
