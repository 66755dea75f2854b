//! Reactions to messages.

use natterjack_protocol::reactions::{
    DeleteReaction, DeleteReactionResponse, GetReactions, GetReactionsResponse, QueryReactions,
    QueryReactionsResponse, SendReaction, SendReactionResponse,
};

use super::Call;
use crate::actions::{message_id, reactions};
use crate::error::Result;

pub(crate) async fn send_reaction(call: Call<SendReaction>) -> Result<SendReactionResponse> {
    let Call { state, caller, path, body, .. } = call;
    reactions::send_reaction(&state, &caller, &message_id("id", &path.id)?, body).await
}

pub(crate) async fn delete_reaction(call: Call<DeleteReaction>) -> Result<DeleteReactionResponse> {
    let Call { state, caller, path, query, .. } = call;
    reactions::delete_reaction(&state, &caller, &message_id("id", &path.id)?, &path.kind, query).await
}

pub(crate) async fn get_reactions(call: Call<GetReactions>) -> Result<GetReactionsResponse> {
    let Call { state, caller, path, query, .. } = call;
    let reactions = reactions::get_reactions(&state, &caller, &message_id("id", &path.id)?, query).await?;
    Ok(GetReactionsResponse { reactions })
}

pub(crate) async fn query_reactions(call: Call<QueryReactions>) -> Result<QueryReactionsResponse> {
    let Call { state, caller, path, body, .. } = call;
    reactions::query_reactions(&state, &caller, &message_id("id", &path.id)?, body).await
}
