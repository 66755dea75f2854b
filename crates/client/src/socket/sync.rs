//! Brings a new connection up to date: watches what the last one watched, and asks what happened meanwhile.

use natterjack_protocol::channels::{QueryChannels, QueryChannelsRequest};
use natterjack_protocol::events::{Sync, SyncRequest, SyncResponse};
use natterjack_protocol::{ErrorCode, NoPath, Timestamp};

use super::link::Replay;
use crate::filter::channels;
use crate::{Client, Error, Reply};

/// Channels of one question for what happened.
const SYNC_CHANNELS_MAX: usize = 100;
/// Channels of one query.
const QUERY_CHANNELS_MAX: usize = 30;

/// Watches `cids` on the connection and reads what happened in them since `since`.
///
/// # Errors
/// Any kind of [`Error`]. Where too much has happened the channel counts as missed, which is none.
pub(crate) async fn catch_up(
    client: &Client,
    connection_id: &str,
    cids: &[String],
    since: Timestamp,
) -> Result<Replay, Error> {
    let mut replay = Replay::default();
    for some in cids.chunks(SYNC_CHANNELS_MAX) {
        match sync(client, connection_id, some, since).await {
            Ok(found) => {
                replay.events.extend(found.events);
                replay.inaccessible.extend(found.inaccessible_cids.unwrap_or_default());
            }
            // Too much, or too long ago: the caller has to read these channels anew.
            Err(error) if error.code() == Some(ErrorCode::Input) => {
                watch(client, connection_id, some).await?;
                replay.missed.extend_from_slice(some);
            }
            Err(error) => return Err(error),
        }
    }
    replay.events.sort_by_key(|event| event.created_at);
    Ok(replay)
}

async fn sync(
    client: &Client,
    connection_id: &str,
    cids: &[String],
    since: Timestamp,
) -> Result<SyncResponse, Error> {
    let request = SyncRequest {
        channel_cids: cids.to_vec(),
        last_sync_at: Some(since),
        watch: Some(true),
        with_inaccessible_cids: Some(true),
        ..SyncRequest::default()
    };
    client.call_on::<Sync>(connection_id, NoPath {}, request).await.map(Reply::into_inner)
}

async fn watch(client: &Client, connection_id: &str, cids: &[String]) -> Result<(), Error> {
    for some in cids.chunks(QUERY_CHANNELS_MAX) {
        let request = QueryChannelsRequest {
            filter_conditions: channels::cid().is_in(some.iter().map(String::as_str)).into(),
            limit: i64::try_from(some.len()).ok(),
            watch: Some(true),
            state: Some(false),
            ..Default::default()
        };
        match client.call_on::<QueryChannels>(connection_id, NoPath {}, request).await {
            Err(error) if error.code() != Some(ErrorCode::NoAccessToChannels) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
