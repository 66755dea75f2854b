use std::sync::Arc;

use natterjack_protocol::MessageId;
use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::messages::UpdateMessageRequest;
use natterjack_storage::{Advance, App, ChannelEvent, Message, MessageChange, Tx};

use super::check::{check_content, check_pin};
use super::read::find_with_channel;
use crate::actions::{given, users};
use crate::error::{Error, Result};
use crate::present::{Bundle, MessageContext};
use crate::state::{CachedChannel, State};

/// An update that may be made. Only [`check_update`] makes one.
struct UpdatePlan {
    app_pk: i64,
    channel: Arc<CachedChannel>,
    message_id: String,
    user_id: String,
    change: MessageChange,
    now: natterjack_protocol::Timestamp,
}

/// Replaces the text, the attachments, the mentions and all custom data of a message.
pub(crate) async fn update_message(
    state: &State,
    app: &App,
    id: &MessageId,
    request: UpdateMessageRequest,
) -> Result<MessageResponse> {
    let plan = check_update(state, app, id, &request).await?;
    let channel = Arc::clone(&plan.channel);
    let (message, mut bundle) =
        state.store.write("update_message", plan, |tx, plan| Box::pin(do_update(tx, plan))).await?;
    bundle.add_channel(message.channel_pk, &channel.channel.cid);
    Ok(bundle.message(&message))
}

async fn check_update(
    state: &State,
    app: &App,
    id: &MessageId,
    request: &UpdateMessageRequest,
) -> Result<UpdatePlan> {
    let update = &request.message;
    let user =
        users::acting_user(state, app, "message.user", update.user_id.as_ref(), update.user.as_ref()).await?;
    let (message, channel) = find_with_channel(state, app, id).await?;
    check_changeable(&message, update)?;
    let now = state.now();
    let pin = check_pin(update, &user.user.id, message.pin.as_ref(), now)?;
    if pin.is_some() && !message.restricted_visibility.is_empty() {
        return Err(Error::field("message.pinned", "is not allowed for a message of restricted visibility"));
    }
    let mut change = check_content(state, app, &channel, update, pin).await?.change;
    // What was fixed when the message was sent, and what the update has no field for.
    change.extra.show_in_channel = message.extra.show_in_channel;
    change.extra.channel_role.clone_from(&message.extra.channel_role);
    if change.text == message.text {
        change.extra.i18n.clone_from(&message.extra.i18n);
    }
    Ok(UpdatePlan {
        app_pk: app.pk,
        channel,
        message_id: message.id,
        user_id: user.user.id.clone(),
        change,
        now,
    })
}

/// Refuses to change what is fixed once a message is sent.
fn check_changeable(message: &Message, update: &natterjack_protocol::messages::MessageRequest) -> Result<()> {
    if message.deleted_at.is_some() {
        return Err(Error::field(
            "id",
            format!("names a deleted message, which cannot be updated: {}", message.id),
        ));
    }
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
    if !update.restricted_visibility.is_empty()
        && update.restricted_visibility != message.restricted_visibility
    {
        return Err(Error::field("message.restricted_visibility", "cannot be changed by an update"));
    }
    Ok(())
}

async fn do_update(tx: &mut Tx, plan: &UpdatePlan) -> Result<(Message, Bundle)> {
    let gone = || Error::not_found("message", &plan.message_id);
    let channel_pk = plan.channel.channel.pk;
    let advance = Advance { events: 1, ..Advance::default() };
    let advanced = tx.advance_channel(channel_pk, advance, plan.now).await?.ok_or_else(gone)?;
    let message = tx.lock_message(plan.app_pk, &plan.message_id).await?;
    let message = message.filter(|message| message.created_at > advanced.history_from).ok_or_else(gone)?;
    if message.deleted_at.is_some() {
        return Err(Error::field("id", "names a deleted message, which cannot be updated"));
    }
    let text_updated_at =
        if plan.change.text == message.text { message.text_updated_at } else { Some(advanced.at) };
    tx.update_message(message.pk, &plan.change, text_updated_at, advanced.at).await?;
    let event = ChannelEvent {
        channel_pk,
        seq: advanced.event_seq,
        kind: "message.updated",
        user_id: Some(&plan.user_id),
        message_id: Some(&message.id),
        payload: None,
    };
    tx.append_channel_event(event, advanced.at).await?;
    let updated = tx.find_message(plan.app_pk, &plan.message_id).await?.ok_or_else(gone)?;
    let context = MessageContext { app_pk: plan.app_pk, ..MessageContext::default() };
    let bundle = Bundle::load(tx, context, &[&updated], [], plan.now).await?;
    Ok((updated, bundle))
}
