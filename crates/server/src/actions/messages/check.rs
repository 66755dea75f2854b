//! The checks that sending and updating share.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use natterjack_protocol::channel_types::ChannelTypeConfig;
use natterjack_protocol::messages::MessageRequest;
use natterjack_protocol::{ErrorCode, Timestamp};
use natterjack_storage::{Message, MessageChange, MessageExtra, Pin};

use crate::actions::{check_count, check_custom, check_size, given, message_id, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::{
    ATTACHMENTS_MAX, ATTACHMENTS_SIZE_MAX, MARKUP_SIZE_MAX, MENTIONED_ROLES_MAX, MENTIONED_USERS_MAX,
    RESTRICTED_VISIBILITY_MAX,
};
use crate::permissions::Action;
use crate::state::access::{self, Access};
use crate::state::{CachedUser, State};

/// The content of a message, checked, and the users that it mentions.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) change: MessageChange,
    pub(super) mentioned: HashMap<String, Arc<CachedUser>>,
    pub(super) quoted: Option<Message>,
}

/// Checks what a new message says.
pub(super) async fn check_content(
    state: &State,
    caller: &Caller,
    access: &Access,
    request: &MessageRequest,
    pin: Option<Pin>,
) -> Result<Content> {
    let content = check_parts(state, caller, access, "message", request).await?;
    check_says_something("message", &content.change)?;
    Ok(Content { change: MessageChange { pin, ..content.change }, ..content })
}

/// Checks the parts of a message, for a sender or an updater, who may give only some of them. `place` is where they
/// stand in the request.
pub(super) async fn check_parts(
    state: &State,
    caller: &Caller,
    access: &Access,
    place: &str,
    request: &MessageRequest,
) -> Result<Content> {
    let at = |name: &str| format!("{place}.{name}");
    let text = request.text.clone().unwrap_or_default();
    check_text(&access.config, &at("text"), &text)?;
    check_features(place, request)?;
    check_custom(&at("custom"), &request.custom)?;
    check_count(&at("attachments"), request.attachments.len(), ATTACHMENTS_MAX)?;
    check_size(&at("attachments"), &request.attachments, ATTACHMENTS_SIZE_MAX)?;
    check_count(&at("mentioned_users"), request.mentioned_users.len(), MENTIONED_USERS_MAX)?;
    check_count(&at("mentioned_roles"), request.mentioned_roles.len(), MENTIONED_ROLES_MAX)?;
    for (name, markup) in [("html", &request.html), ("mml", &request.mml)] {
        check_size(&at(name), markup, MARKUP_SIZE_MAX)?;
    }
    let mentioned =
        users::all_existing(state, caller, &at("mentioned_users"), &request.mentioned_users).await?;
    let quoted_id = given(request.quoted_message_id.as_ref());
    let quoted = check_quoted(state, caller, access, &at("quoted_message_id"), quoted_id).await?;
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
        pin: None,
    };
    Ok(Content { change, mentioned, quoted })
}

/// Checks for whom alone a message is.
pub(super) async fn check_readers(state: &State, caller: &Caller, place: &str, ids: &[String]) -> Result<()> {
    let field = format!("{place}.restricted_visibility");
    check_count(&field, ids.len(), RESTRICTED_VISIBILITY_MAX)?;
    users::all_existing(state, caller, &field, ids).await.map(|_| ())
}

/// The ids in order, none of them twice.
pub(super) fn each_once(ids: &[String]) -> Vec<String> {
    BTreeSet::from_iter(ids.to_vec()).into_iter().collect()
}

/// Refuses the parts of a message that the caller may not write.
pub(super) fn check_may_say(access: &Access, place: &str, request: &MessageRequest) -> Result<()> {
    if access.is_server() {
        return Ok(());
    }
    for (name, markup) in [("html", &request.html), ("mml", &request.mml)] {
        if given(markup.as_ref()).is_some() {
            return Err(Error::reserved(&format!("{place}.{name}")));
        }
    }
    let text = request.text.as_deref().unwrap_or_default();
    if text.contains("http://") || text.contains("https://") || text.contains("www.") {
        access.require(Action::AddLinks)?;
    }
    if !request.attachments.is_empty() {
        access.require(Action::CreateAttachment)?;
    }
    let mentions = !request.mentioned_users.is_empty()
        || !request.mentioned_roles.is_empty()
        || !request.mentioned_group_ids.is_empty()
        || request.mentioned_here == Some(true)
        || request.mentioned_channel == Some(true);
    if mentions {
        access.require(Action::CreateMention)?;
    }
    Ok(())
}

/// Refuses a message that would say nothing.
pub(super) fn check_says_something(place: &str, change: &MessageChange) -> Result<()> {
    if change.text.is_empty() && change.attachments.is_empty() && change.custom.is_empty() {
        return Err(Error::field(
            &format!("{place}.text"),
            "is a required field for a message without attachments and custom data",
        ));
    }
    Ok(())
}

/// Checks the length of a message's text.
fn check_text(config: &ChannelTypeConfig, field: &str, text: &str) -> Result<()> {
    let length_max = usize::try_from(config.max_message_length).unwrap_or_default();
    if text.len() > length_max && text.chars().count() > length_max {
        return Err(Error::caller(
            ErrorCode::MessageTooLong,
            format!("{field} is too long: at most {length_max} characters are allowed"),
        ));
    }
    Ok(())
}

/// Refuses what this server cannot do, rather than dropping it silently.
fn check_features(place: &str, request: &MessageRequest) -> Result<()> {
    if given(request.poll_id.as_ref()).is_some() {
        return Err(Error::denied("polls not enabled for this channel"));
    }
    if request.shared_location.is_some() {
        return Err(Error::caller(
            ErrorCode::FeatureDisabled,
            format!("{place}.shared_location: shared locations are not enabled for this channel"),
        ));
    }
    if let Some(group) = request.mentioned_group_ids.first() {
        return Err(Error::field(
            &format!("{place}.mentioned_group_ids"),
            format!("names a user group that doesn't exist: {group}"),
        ));
    }
    Ok(())
}

async fn check_quoted(
    state: &State,
    caller: &Caller,
    access: &Access,
    field: &str,
    id: Option<&str>,
) -> Result<Option<Message>> {
    let Some(id) = id else { return Ok(None) };
    if !access.config.quotes {
        return Err(Error::caller(ErrorCode::FeatureDisabled, "quotes are disabled for this channel"));
    }
    let message = access::message_in(state, caller, access, &message_id(field, id)?).await?;
    let message =
        message.ok_or_else(|| Error::field(field, format!("names a message that doesn't exist: {id}")))?;
    Ok(Some(message))
}

/// What a request says about a message's pin.
#[derive(Debug, Clone)]
pub(super) struct PinRequest {
    /// `None` leaves the message pinned or not, as it is.
    pinned: Option<bool>,
    /// `None` leaves the end of a pin as it is, `Some(None)` takes it away.
    expires: Option<Option<Timestamp>>,
}

impl PinRequest {
    /// Checks when the pin is to end, and that the message may be pinned. `place` is where this stands in the request.
    pub(super) fn check(
        place: &str,
        pinned: Option<bool>,
        expires: Option<Option<Timestamp>>,
        is_restricted: bool,
        now: Timestamp,
    ) -> Result<Self> {
        if pinned == Some(true) && is_restricted {
            let problem = "is not allowed for a message of restricted visibility";
            return Err(Error::field(&format!("{place}.pinned"), problem));
        }
        if pinned != Some(false) && expires.flatten().is_some_and(|expires| expires <= now) {
            return Err(Error::field(&format!("{place}.pin_expires"), "must be in the future"));
        }
        Ok(Self { pinned, expires })
    }

    /// The pin that a message has afterwards. One that has expired is no pin any more.
    pub(super) fn apply(&self, was: Option<&Pin>, user_id: &str, at: Timestamp) -> Option<Pin> {
        let was = was.filter(|pin| pin.expires.is_none_or(|expires| expires > at));
        if !self.pinned.unwrap_or(was.is_some()) {
            return None;
        }
        let mut pin = was.cloned().unwrap_or_else(|| Pin { at, by_id: user_id.to_owned(), expires: None });
        pin.expires = self.expires.unwrap_or(pin.expires);
        Some(pin)
    }
}
