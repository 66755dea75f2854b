use std::sync::Arc;

use natterjack_protocol::Cid;
use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::messages::GetPinnedMessagesPayload;
use natterjack_storage::{MessagePage, Visibility};

use crate::actions::pages::{MessagePageRequest, is_descending};
use crate::actions::users;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::PINNED_PAGE_DEFAULT;
use crate::present::{Bundle, MessageContext};
use crate::state::{State, access};

/// A page of the pinned messages of a channel, in the order asked for.
pub(crate) async fn get_pinned_messages(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    payload: GetPinnedMessagesPayload,
) -> Result<Vec<MessageResponse>> {
    let page = MessagePageRequest::of_pins(&payload, PINNED_PAGE_DEFAULT)?;
    let descending = is_descending(&payload.sort, "pinned_at")?.unwrap_or(true);
    let unpivoted = if descending { MessagePage::Newest } else { MessagePage::Oldest };
    let user =
        users::optional_user(state, caller, "user", payload.user_id.as_ref(), payload.user.as_ref()).await?;
    let context = MessageContext::of(caller).seen_by(user.as_ref());
    let channel = access::channel(state, caller, &cid.to_string(), access::READ).await?;
    let input = (Arc::clone(&channel.cached), page, unpivoted, context, state.now());
    let (pinned, mut bundle) = state
        .store
        .read("get_pinned_messages", input, |tx, (cached, page, unpivoted, context, now)| {
            Box::pin(async move {
                let channel = &cached.channel;
                let member = match &context.viewer {
                    Some(viewer) => tx.find_member(channel.pk, viewer).await?,
                    None => None,
                };
                let visibility =
                    Visibility { from: channel.shown_from(member.as_ref()), user_id: context.viewer.clone() };
                let at = page.resolve(tx, context.app_pk, |message| {
                    let belongs = message.channel_pk == channel.pk && message.created_at > visibility.from;
                    message.pin.as_ref().filter(|_| belongs).map(|pin| pin.at)
                });
                let at = at.await?.unwrap_or(*unpivoted);
                let pinned = tx.list_pinned_page(channel.pk, at, page.limit, &visibility, *now).await?;
                let referring: Vec<_> = pinned.iter().collect();
                let bundle = Bundle::load(tx, context.clone(), &referring, [], *now).await?;
                Ok::<_, Error>((pinned, bundle))
            })
        })
        .await?;
    bundle.add_channel(channel.channel.pk, &channel.channel.cid);
    let mut messages: Vec<_> = pinned.iter().map(|message| bundle.message(message)).collect();
    if descending {
        messages.reverse();
    }
    Ok(messages)
}
