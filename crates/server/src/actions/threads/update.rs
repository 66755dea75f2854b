use std::sync::Arc;

use natterjack_protocol::threads::{ThreadResponse, UpdateThreadPartialRequest};
use natterjack_protocol::{MessageId, Timestamp};
use natterjack_storage::{Advance, ChannelEvent, Message, Tx};

use super::state::{LoadedThreads, ThreadsRequest, load_threads};
use crate::actions::messages::find_with_channel;
use crate::actions::partial::PartialUpdate;
use crate::actions::{bans, check_length, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::TITLE_LENGTH_MAX;
use crate::present::MessageContext;
use crate::state::{CachedUser, State};

/// What a thread has beside its title and the app's own fields. Nobody may set it.
const RESERVED: [&str; 17] = [
    "active_participant_count",
    "channel",
    "channel_cid",
    "created_at",
    "created_by",
    "created_by_user_id",
    "deleted_at",
    "draft",
    "last_message_at",
    "latest_replies",
    "parent_message",
    "parent_message_id",
    "participant_count",
    "read",
    "reply_count",
    "thread_participants",
    "updated_at",
];

/// A change of a thread that may be made, as far as it can be known before. Only [`check_update`] makes one.
struct UpdatePlan {
    parent: Message,
    user: Option<Arc<CachedUser>>,
    /// The new title, empty for none.
    title: Option<String>,
    custom: PartialUpdate,
    shown: ThreadsRequest,
    now: Timestamp,
}

/// Changes the title and single fields of a thread.
pub(crate) async fn update_thread_partial(
    state: &State,
    caller: &Caller,
    parent_id: &MessageId,
    request: UpdateThreadPartialRequest,
) -> Result<ThreadResponse> {
    let plan = check_update(state, caller, parent_id, request).await?;
    let loaded =
        state.store.write("update_thread_partial", plan, |tx, plan| Box::pin(do_update(tx, plan))).await?;
    Ok(loaded.present_threads(state, caller).pop().unwrap_or_default())
}

async fn check_update(
    state: &State,
    caller: &Caller,
    parent_id: &MessageId,
    request: UpdateThreadPartialRequest,
) -> Result<UpdatePlan> {
    let user =
        users::optional_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    let mut custom = PartialUpdate::check(&request.set, &request.unset)?;
    if custom.is_empty() {
        return Err(Error::input("either set or unset must name a field"));
    }
    custom.refuse(&RESERVED, Error::reserved)?;
    let title = custom.take::<String>("title")?.map(Option::unwrap_or_default);
    check_length("set.title", title.as_deref().unwrap_or_default(), TITLE_LENGTH_MAX)?;
    let (parent, channel) = find_with_channel(state, caller, parent_id).await?;
    bans::check_not_banned(state, caller, Some(&channel)).await?;
    let now = state.now();
    let context = MessageContext {
        viewer: user.as_ref().map(|user| user.user.id.clone()),
        ..MessageContext::of(caller)
    };
    let shown = ThreadsRequest::check((None, None, None), context, now)?;
    Ok(UpdatePlan { parent, user, title, custom, shown, now })
}

async fn do_update(tx: &mut Tx, plan: &UpdatePlan) -> Result<LoadedThreads> {
    let parent = &plan.parent;
    let gone = || Error::not_found("thread", &parent.id);
    let advance = Advance { events: 1, ..Advance::default() };
    let advanced = tx.advance_channel(parent.channel_pk, advance, plan.now).await?.ok_or_else(gone)?;
    let thread = tx.find_thread(parent.pk).await?.ok_or_else(gone)?;
    let title = plan.title.as_ref().unwrap_or(&thread.title);
    let custom = plan.custom.clone().apply("custom", &thread.custom)?;
    tx.update_thread(parent.pk, title, &custom, advanced.at).await?;
    let event = ChannelEvent {
        channel_pk: parent.channel_pk,
        seq: advanced.event_seq,
        kind: "thread.updated",
        user_id: plan.user.as_ref().map(|user| user.user.id.as_str()),
        message_id: Some(&parent.id),
        payload: None,
    };
    tx.append_channel_event(event, advanced.at).await?;
    let thread = tx.find_thread(parent.pk).await?.ok_or_else(gone)?;
    load_threads(tx, vec![thread], &plan.shown).await
}
