use std::sync::Arc;

use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::messages::{MessageRequest, UpdateMessagePartialRequest, UpdateMessageRequest};
use natterjack_protocol::{Custom, MessageId, Timestamp};
use natterjack_storage::{Advance, ChannelEvent, Message, MessageChange, Tx, VersionEnd};
use serde_json::{Value, json};

use super::check::{PinRequest, check_may_say, check_parts, check_readers, check_says_something, each_once};
use super::read::lock_in_channel;
use crate::actions::partial::PartialUpdate;
use crate::actions::{bans, given, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::permissions::Action;
use crate::present::{Bundle, MessageContext};
use crate::state::access::{self, Access};
use crate::state::{CachedChannel, CachedUser, State};

/// The parts of a message that a partial update may name.
const PARTS: [&str; 14] = [
    "attachments",
    "html",
    "mentioned_channel",
    "mentioned_here",
    "mentioned_roles",
    "mentioned_users",
    "mml",
    "pin_expires",
    "pinned",
    "quoted_message_id",
    "text",
    // These are refused, as they are when a message is sent.
    "mentioned_group_ids",
    "poll_id",
    "shared_location",
];

/// What only the server sets.
const RESERVED: [&str; 31] = [
    "channel",
    "cid",
    "command",
    "created_at",
    "deleted_at",
    "deleted_for_me",
    "deleted_reply_count",
    "draft",
    "i18n",
    "id",
    "image_labels",
    "latest_reactions",
    "member",
    "mentioned_groups",
    "message_text_updated_at",
    "moderation",
    "own_reactions",
    "pinned_at",
    "pinned_by",
    "poll",
    "quoted_message",
    "reaction_counts",
    "reaction_groups",
    "reaction_scores",
    "reminder",
    "reply_count",
    "shadowed",
    "thread_participants",
    "updated_at",
    "user",
    "user_id",
];

/// Which parts of a message an update replaces.
#[derive(Debug)]
enum Scope {
    /// Every part, and all custom data.
    Whole,
    /// The parts that are named; what is left of the update is custom data.
    Named { names: Vec<&'static str>, custom: PartialUpdate },
}

/// An update in either form.
struct Update {
    /// Where the parts stand in the request.
    place: &'static str,
    scope: Scope,
    /// The parts; in a partial update those that are not named are missing.
    parts: MessageRequest,
    /// The end of the pin, `Some(None)` for one that is to have none.
    pin_expires: Option<Option<Timestamp>>,
    /// For whom alone the message is to be, `None` when that stays as it is.
    readers: Option<Vec<String>>,
}

/// An update that may be made. Only [`check_update`] makes one.
struct UpdatePlan {
    app_pk: i64,
    channel: Arc<CachedChannel>,
    /// As whom the updated message is shown.
    context: MessageContext,
    message_id: String,
    user_id: String,
    place: &'static str,
    scope: Scope,
    /// What the parts become.
    parts: MessageChange,
    pin: PinRequest,
    readers: Option<Vec<String>>,
    now: Timestamp,
}

/// Replaces the text, the attachments, the mentions and all custom data of a message.
pub(crate) async fn update_message(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    request: UpdateMessageRequest,
) -> Result<MessageResponse> {
    let parts = request.message;
    let user = users::acting_user(state, caller, "message.user", parts.user_id.as_ref(), parts.user.as_ref())
        .await?;
    let (message, access) = access::message(state, caller, id, access::ANY).await?;
    access.require_to(Action::UpdateMessage, &message.user_id)?;
    check_fixed(&message, &parts)?;
    let pin_expires = parts.pin_expires.map(Some);
    let readers = Some(parts.restricted_visibility.clone()).filter(|readers| !readers.is_empty());
    let update = Update { place: "message", scope: Scope::Whole, parts, pin_expires, readers };
    run(state, caller, &message, access, &user, update).await
}

/// Changes the parts of a message that are named.
pub(crate) async fn update_message_partial(
    state: &State,
    caller: &Caller,
    id: &MessageId,
    request: UpdateMessagePartialRequest,
) -> Result<MessageResponse> {
    let user =
        users::acting_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let mut custom = PartialUpdate::check(&request.set, &request.unset)?;
    if custom.is_empty() {
        return Err(Error::field("set", "and unset name nothing to be changed"));
    }
    let (message, access) = access::message(state, caller, id, access::ANY).await?;
    take_fixed(&mut custom, &message)?;
    let (names, parts) = take_parts(&mut custom)?;
    let pin_expires = custom.take("pin_expires")?;
    let readers = custom.take("restricted_visibility")?.map(Option::unwrap_or_default);
    let says = !names.is_empty() || !custom.is_empty() || readers.is_some();
    if says || (parts.pinned, pin_expires) == (None, None) {
        // Pinning what somebody else wrote does not change what it says.
        access.require_to(Action::UpdateMessage, &message.user_id)?;
    }
    custom.refuse(&PARTS, |name| Error::field(name, "can only be set as a whole"))?;
    custom.refuse(&RESERVED, Error::reserved)?;
    let scope = Scope::Named { names, custom };
    let update = Update { place: "set", scope, parts, pin_expires, readers };
    run(state, caller, &message, access, &user, update).await
}

async fn run(
    state: &State,
    caller: &Caller,
    message: &Message,
    access: Access,
    user: &CachedUser,
    update: Update,
) -> Result<MessageResponse> {
    bans::check_not_banned(state, caller, Some(&access)).await?;
    let cid = access.channel.cid.clone();
    let plan = check_update(state, caller, message, access, user, update).await?;
    let (message, mut bundle) =
        state.store.write("update_message", plan, |tx, plan| Box::pin(do_update(tx, plan))).await?;
    bundle.add_channel(message.channel_pk, &cid);
    Ok(bundle.message(&message))
}

async fn check_update(
    state: &State,
    caller: &Caller,
    message: &Message,
    access: Access,
    user: &CachedUser,
    update: Update,
) -> Result<UpdatePlan> {
    let Update { place, scope, parts, pin_expires, readers } = update;
    check_not_deleted(message)?;
    let now = state.now();
    let is_restricted = !message.restricted_visibility.is_empty();
    let is_pinned = message.pin.is_some();
    if parts.pinned.is_some_and(|pinned| pinned != is_pinned) || pin_expires.flatten().is_some() {
        access.require(Action::PinMessage)?;
    }
    check_may_say(&access, place, &parts)?;
    let pin = PinRequest::check(place, parts.pinned, pin_expires, is_restricted, now)?;
    let readers = readers.map(|readers| each_once(&readers));
    let readers = readers.filter(|readers| *readers != message.restricted_visibility);
    if let Some(readers) = &readers {
        access.require(Action::CreateRestrictedVisibilityMessage)?;
        if readers.is_empty() || !is_restricted {
            // What everybody sees counts for everybody, and what only some see for them alone.
            let problem = "can be changed only from some users to others";
            return Err(Error::field(&format!("{place}.restricted_visibility"), problem));
        }
        check_readers(state, caller, place, readers).await?;
    }
    let parts = check_parts(state, caller, &access, place, &parts).await?.change;
    if let Scope::Whole = scope {
        check_says_something(place, &parts)?;
    }
    Ok(UpdatePlan {
        app_pk: caller.app.pk,
        channel: access.cached,
        context: MessageContext::of(caller),
        message_id: message.id.clone(),
        user_id: user.user.id.clone(),
        place,
        scope,
        parts,
        pin,
        readers,
        now,
    })
}

fn check_not_deleted(message: &Message) -> Result<()> {
    if message.deleted_at.is_some() {
        return Err(Error::field(
            "id",
            format!("names a deleted message, which cannot be updated: {}", message.id),
        ));
    }
    Ok(())
}

/// Refuses to change what is fixed once a message is sent.
fn check_fixed(message: &Message, update: &MessageRequest) -> Result<()> {
    if update.silent.is_some_and(|silent| silent != message.silent) {
        return Err(Error::field("message.silent", "cannot be changed by an update"));
    }
    if let Some(parent) = given(update.parent_id.as_ref())
        && message.parent_id.as_deref() != Some(parent)
    {
        return Err(Error::field("message.parent_id", "cannot be changed by an update"));
    }
    if let Some(kind) = given(update.kind.as_ref()) {
        let was = message.kind.as_str();
        let same = kind == was || (kind == "regular" && was == "reply");
        if !same {
            return Err(Error::field("message.type", format!("cannot be changed from {was} to {kind}")));
        }
    }
    Ok(())
}

/// As [`check_fixed`], for a partial update: takes out what is fixed where it is named as it is.
fn take_fixed(update: &mut PartialUpdate, message: &Message) -> Result<()> {
    let fixed = [
        ("silent", json!(message.silent)),
        ("type", json!(message.kind.as_str())),
        ("parent_id", json!(message.parent_id)),
        ("show_in_channel", json!(message.extra.show_in_channel)),
    ];
    for (name, is) in fixed {
        let Some(value) = update.take::<Value>(name)? else { continue };
        let value = value.unwrap_or_default();
        let is_nothing = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
        if value != is && !(is_nothing(&value) && is_nothing(&is)) {
            return Err(Error::field(&format!("set.{name}"), "cannot be changed by an update"));
        }
    }
    Ok(())
}

/// Takes the parts of a message out of a partial update: their names and their values.
fn take_parts(update: &mut PartialUpdate) -> Result<(Vec<&'static str>, MessageRequest)> {
    let mut names = Vec::new();
    let mut parts = MessageRequest::default();
    macro_rules! take {
        ($($name:literal => $field:ident,)*) => { $(
            if let Some(value) = update.take($name)? {
                names.push($name);
                parts.$field = value;
            }
        )* };
        (lists: $($name:literal => $field:ident,)*) => { $(
            if let Some(value) = update.take($name)? {
                names.push($name);
                parts.$field = value.unwrap_or_default();
            }
        )* };
    }
    take! {
        "text" => text,
        "html" => html,
        "mml" => mml,
        "mentioned_here" => mentioned_here,
        "mentioned_channel" => mentioned_channel,
        "quoted_message_id" => quoted_message_id,
        "poll_id" => poll_id,
        "shared_location" => shared_location,
    }
    take! {
        lists:
        "attachments" => attachments,
        "mentioned_users" => mentioned_users,
        "mentioned_roles" => mentioned_roles,
        "mentioned_group_ids" => mentioned_group_ids,
    }
    if let Some(pinned) = update.take::<bool>("pinned")? {
        parts.pinned = Some(pinned.unwrap_or_default());
    }
    Ok((names, parts))
}

impl UpdatePlan {
    /// What the message, which is locked, becomes.
    fn apply(&self, message: &Message, at: Timestamp) -> Result<MessageChange> {
        let mut changed = message.change();
        let parts = &self.parts;
        let replaces = |name: &str| match &self.scope {
            Scope::Whole => true,
            Scope::Named { names, .. } => names.contains(&name),
        };
        if replaces("text") && parts.text != message.text {
            changed.text.clone_from(&parts.text);
            // They say what the old text said.
            changed.extra.i18n = None;
            changed.extra.html = None;
            changed.extra.mml = None;
        }
        if replaces("html") {
            changed.extra.html.clone_from(&parts.extra.html);
        }
        if replaces("mml") {
            changed.extra.mml.clone_from(&parts.extra.mml);
        }
        if replaces("attachments") {
            changed.attachments.clone_from(&parts.attachments);
        }
        if replaces("mentioned_users") {
            changed.mentioned_user_ids.clone_from(&parts.mentioned_user_ids);
        }
        if replaces("mentioned_roles") {
            changed.extra.mentioned_roles.clone_from(&parts.extra.mentioned_roles);
        }
        if replaces("mentioned_here") {
            changed.extra.mentioned_here = parts.extra.mentioned_here;
        }
        if replaces("mentioned_channel") {
            changed.extra.mentioned_channel = parts.extra.mentioned_channel;
        }
        if replaces("quoted_message_id") {
            changed.quoted_message_id.clone_from(&parts.quoted_message_id);
        }
        changed.custom = self.apply_custom(&message.custom)?;
        changed.pin = self.pin.apply(message.pin.as_ref(), &self.user_id, at);
        check_says_something(self.place, &changed)?;
        Ok(changed)
    }

    fn apply_custom(&self, was: &Custom) -> Result<Custom> {
        match &self.scope {
            Scope::Whole => Ok(self.parts.custom.clone()),
            Scope::Named { custom, .. } => custom.clone().apply("custom", was),
        }
    }
}

/// Whether a change makes another version of the message, so that the history keeps the one before.
fn is_new_version(message: &Message, changed: &MessageChange) -> bool {
    changed.text != message.text
        || changed.attachments != message.attachments
        || changed.custom != message.custom
}

async fn do_update(tx: &mut Tx, plan: &UpdatePlan) -> Result<(Message, Bundle)> {
    let gone = || Error::not_found("message", &plan.message_id);
    let channel_pk = plan.channel.channel.pk;
    let advance = Advance { events: 1, ..Advance::default() };
    let advanced = tx.advance_channel(channel_pk, advance, plan.now).await?.ok_or_else(gone)?;
    let message =
        lock_in_channel(tx, plan.app_pk, channel_pk, advanced.history_from, &plan.message_id).await?;
    check_not_deleted(&message)?;
    let changed = plan.apply(&message, advanced.at)?;
    if is_new_version(&message, &changed) {
        let end = VersionEnd { is_deletion: false, at: advanced.at, by_id: &plan.user_id };
        tx.insert_message_history(&message, end).await?;
    }
    let text_updated_at =
        if changed.text == message.text { message.text_updated_at } else { Some(advanced.at) };
    tx.update_message(message.pk, &changed, text_updated_at, advanced.at).await?;
    if let Some(readers) = &plan.readers {
        tx.update_readers(&message, readers.clone()).await?;
    }
    let event = ChannelEvent {
        channel_pk,
        seq: advanced.event_seq,
        kind: "message.updated",
        user_id: Some(&plan.user_id),
        message_id: Some(&message.id),
        payload: Some(change_set(&message, &changed).to_string()),
    };
    tx.append_channel_event(event, advanced.at).await?;
    let updated = tx.find_message(plan.app_pk, &plan.message_id).await?.ok_or_else(gone)?;
    let bundle = Bundle::load(tx, plan.context.clone(), &[&updated], [], plan.now).await?;
    Ok((updated, bundle))
}

/// What an update changed, for those who are told about it: the row holds only what the message is now. What it was before is
/// kept by the history alone, which goes with the message.
fn change_set(message: &Message, changed: &MessageChange) -> Value {
    let was = message.change();
    json!({ "message_update": {
        "change_set": {
            "text": was.text != changed.text,
            "html": was.text != changed.text || was.extra.html != changed.extra.html,
            "mml": was.extra.mml != changed.extra.mml,
            "attachments": was.attachments != changed.attachments,
            "custom": was.custom != changed.custom,
            "mentioned_user_ids": was.mentioned_user_ids != changed.mentioned_user_ids,
            "quoted_message_id": was.quoted_message_id != changed.quoted_message_id,
            "pin": was.pin != changed.pin,
            // Fixed when the message was sent.
            "silent": false,
        },
    } })
}
