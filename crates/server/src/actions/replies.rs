//! Reading the replies to a message.

use natterjack_protocol::MessageId;
use natterjack_protocol::channels::MessagePaginationParams;
use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::messages::GetRepliesQuery;
use natterjack_storage::{MessagePage, Visibility};

use super::channels::check_member_custom_include;
use super::pages::{MessagePageRequest, is_descending};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::limits::REPLIES_DEFAULT;
use crate::present::{Bundle, MessageContext};
use crate::state::{State, access};

/// A page of the replies to a message, in the order asked for.
pub(crate) async fn get_replies(
    state: &State,
    caller: &Caller,
    parent_id: &MessageId,
    query: GetRepliesQuery,
) -> Result<Vec<MessageResponse>> {
    let params = MessagePaginationParams {
        id_lt: query.id_lt,
        id_lte: query.id_lte,
        id_gt: query.id_gt,
        id_gte: query.id_gte,
        id_around: query.id_around,
        limit: query.limit,
        ..MessagePaginationParams::default()
    };
    let page = MessagePageRequest::new("", &params, REPLIES_DEFAULT)?;
    // Without an order clients expect the newest replies, and page back from them.
    let (descending, unpivoted) = match is_descending(&query.sort.0, "created_at")? {
        None => (false, MessagePage::Newest),
        Some(false) => (false, MessagePage::Oldest),
        Some(true) => (true, MessagePage::Newest),
    };
    let context = MessageContext {
        member_custom_include: check_member_custom_include(query.member_custom_include.0)?,
        ..MessageContext::of(caller)
    };
    let (parent, channel) = access::message(state, caller, parent_id, access::READ).await?;
    let cid = channel.channel.cid.clone();
    let visibility = Visibility { from: channel.shown_from(), user_id: context.viewer.clone() };
    let input = (parent.pk, page, unpivoted, visibility, context, state.now());
    let (replies, mut bundle) = state
        .store
        .read("get_replies", input, |tx, (parent_pk, page, unpivoted, visibility, context, now)| {
            Box::pin(async move {
                let at = page
                    .resolve(tx, context.app_pk, |message| {
                        let belongs = message.parent_pk == Some(*parent_pk) || message.pk == *parent_pk;
                        belongs.then_some(message.created_at)
                    })
                    .await?
                    .unwrap_or(*unpivoted);
                let replies = tx.list_replies(*parent_pk, at, page.limit, visibility).await?;
                let referring: Vec<_> = replies.iter().collect();
                let bundle = Bundle::load(tx, context.clone(), &referring, [], *now).await?;
                Ok::<_, Error>((replies, bundle))
            })
        })
        .await?;
    bundle.add_channel(channel.channel.pk, &cid);
    let mut messages: Vec<_> = replies.iter().map(|reply| bundle.message(reply)).collect();
    if descending {
        messages.reverse();
    }
    Ok(messages)
}
