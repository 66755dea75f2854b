//! The checks that sending and updating share.

use std::collections::HashMap;
use std::sync::Arc;

use natterjack_protocol::channel_types::ChannelTypeConfig;
use natterjack_protocol::messages::MessageRequest;
use natterjack_protocol::{ErrorCode, Timestamp};
use natterjack_storage::{App, Message, MessageChange, MessageExtra, Pin};

use crate::actions::{check_count, check_custom, check_size, given, message_id, users};
use crate::error::{Error, Result};
use crate::limits::{
    ATTACHMENTS_MAX, ATTACHMENTS_SIZE_MAX, MARKUP_SIZE_MAX, MENTIONED_ROLES_MAX, MENTIONED_USERS_MAX,
};
use crate::state::{CachedChannel, CachedUser, State};

/// The content of a message, checked, and the users that it mentions.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) change: MessageChange,
    pub(super) mentioned: HashMap<String, Arc<CachedUser>>,
    pub(super) quoted: Option<Message>,
}

/// Checks what a message says, for a sender or an updater.
pub(super) async fn check_content(
    state: &State,
    app: &App,
    channel: &CachedChannel,
    request: &MessageRequest,
    pin: Option<Pin>,
) -> Result<Content> {
    let config = &channel.config;
    let text = request.text.clone().unwrap_or_default();
    check_text(config, &text)?;
    check_features(request)?;
    check_custom("message.custom", &request.custom)?;
    check_count("message.attachments", request.attachments.len(), ATTACHMENTS_MAX)?;
    check_size("message.attachments", &request.attachments, ATTACHMENTS_SIZE_MAX)?;
    check_count("message.mentioned_users", request.mentioned_users.len(), MENTIONED_USERS_MAX)?;
    check_count("message.mentioned_roles", request.mentioned_roles.len(), MENTIONED_ROLES_MAX)?;
    for (field, markup) in [("message.html", &request.html), ("message.mml", &request.mml)] {
        check_size(field, markup, MARKUP_SIZE_MAX)?;
    }
    if text.is_empty() && request.attachments.is_empty() && request.custom.is_empty() {
        return Err(Error::field(
            "message.text",
            "is a required field for a message without attachments and custom data",
        ));
    }
    let mentioned =
        users::all_existing(state, app, "message.mentioned_users", &request.mentioned_users).await?;
    let quoted = check_quoted(state, app, channel, given(request.quoted_message_id.as_ref())).await?;
    let mut mentioned_user_ids = request.mentioned_users.clone();
    let mut seen = std::collections::HashSet::new();
    mentioned_user_ids.retain(|id| seen.insert(id.clone()));
    let change = MessageChange {
        text,
        quoted_message_id: quoted.as_ref().map(|message| message.id.clone()),
        mentioned_user_ids,
        attachments: request.attachments.clone(),
        custom: request.custom.clone(),
        extra: MessageExtra {
            html: given(request.html.as_ref()).map(str::to_owned),
            mml: given(request.mml.as_ref()).map(str::to_owned),
            mentioned_here: request.mentioned_here == Some(true),
            mentioned_channel: request.mentioned_channel == Some(true),
            mentioned_roles: request.mentioned_roles.clone(),
            ..MessageExtra::default()
        },
        pin,
    };
    Ok(Content { change, mentioned, quoted })
}

/// Checks the length of a message's text.
pub(super) fn check_text(config: &ChannelTypeConfig, text: &str) -> Result<()> {
    let length_max = usize::try_from(config.max_message_length).unwrap_or_default();
    if text.len() > length_max && text.chars().count() > length_max {
        return Err(Error::caller(
            ErrorCode::MessageTooLong,
            format!("message.text is too long: at most {length_max} characters are allowed"),
        ));
    }
    Ok(())
}

/// Refuses what this server cannot do, rather than dropping it silently.
fn check_features(request: &MessageRequest) -> Result<()> {
    if given(request.poll_id.as_ref()).is_some() {
        return Err(Error::denied("polls not enabled for this channel"));
    }
    if request.shared_location.is_some() {
        return Err(Error::caller(
            ErrorCode::FeatureDisabled,
            "message.shared_location: shared locations are not enabled for this channel",
        ));
    }
    if let Some(group) = request.mentioned_group_ids.first() {
        return Err(Error::field(
            "message.mentioned_group_ids",
            format!("names a user group that doesn't exist: {group}"),
        ));
    }
    Ok(())
}

async fn check_quoted(
    state: &State,
    app: &App,
    channel: &CachedChannel,
    id: Option<&str>,
) -> Result<Option<Message>> {
    const FIELD: &str = "message.quoted_message_id";
    let Some(id) = id else { return Ok(None) };
    if !channel.config.quotes {
        return Err(Error::caller(ErrorCode::FeatureDisabled, "quotes are disabled for this channel"));
    }
    let message = find_in_channel(state, app, channel, &message_id(FIELD, id)?).await?;
    let message =
        message.ok_or_else(|| Error::field(FIELD, format!("names a message that doesn't exist: {id}")))?;
    Ok(Some(message))
}

/// The message with this id, when it stands in this channel and is seen there.
pub(super) async fn find_in_channel(
    state: &State,
    app: &App,
    channel: &CachedChannel,
    id: &natterjack_protocol::MessageId,
) -> Result<Option<Message>> {
    let found = state
        .store
        .read("find_message", (app.pk, id.clone()), |tx, (app_pk, id)| {
            Box::pin(tx.find_message(*app_pk, id.as_str()))
        })
        .await?;
    Ok(found.filter(|message| {
        message.channel_pk == channel.channel.pk && message.created_at > channel.channel.history_from
    }))
}

/// How a message is to be pinned: as asked, or as it was.
pub(super) fn check_pin(
    request: &MessageRequest,
    user_id: &str,
    was: Option<&Pin>,
    now: Timestamp,
) -> Result<Option<Pin>> {
    let was_active = was.filter(|pin| pin.expires.is_none_or(|expires| expires > now));
    let pinned = request.pinned.unwrap_or(was_active.is_some());
    if !pinned {
        return Ok(None);
    }
    if request.pin_expires.is_some_and(|expires| expires <= now) {
        return Err(Error::field("message.pin_expires", "must be in the future"));
    }
    Ok(Some(match was_active {
        Some(pin) => Pin { expires: request.pin_expires.or(pin.expires), ..pin.clone() },
        None => Pin { at: now, by_id: user_id.to_owned(), expires: request.pin_expires },
    }))
}
