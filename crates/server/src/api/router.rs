use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use axum::routing::{MethodFilter, get, on};
use natterjack_protocol::channel_types::{GetChannelType, ListChannelTypes};
use natterjack_protocol::channels::{
    DeleteChannel, DeleteChannels, GetChannel, GetOrCreateChannel, GetOrCreateDistinctChannel, QueryChannels,
    UpdateChannel,
};
use natterjack_protocol::members::QueryMembers;
use natterjack_protocol::messages::{
    DeleteMessage, GetManyMessages, GetMessage, GetReplies, SendMessage, UpdateMessage,
};
use natterjack_protocol::reactions::{DeleteReaction, GetReactions, SendReaction};
use natterjack_protocol::reads::{MarkRead, UnreadCounts};
use natterjack_protocol::search::Search;
use natterjack_protocol::tasks::GetTask;
use natterjack_protocol::users::{
    DeactivateUser, DeactivateUsers, DeleteUsers, QueryUsers, ReactivateUser, ReactivateUsers, RestoreUsers,
    UpdateUsers, UpdateUsersPartial,
};
use natterjack_protocol::{Method, Operation};

use super::endpoint::{Call, Edge, handle};
use super::{channel_types, channels, health, members, messages, reactions, reads, search, tasks, users};
use crate::error::{Error, Result};

/// Collects routes and, for the test of coverage, what they are.
#[derive(Default)]
struct Routes {
    router: Router<Arc<Edge>>,
    operations: Vec<(&'static str, Method, &'static str)>,
}

impl Routes {
    /// Answers the operation `O` with `handler`.
    fn add<O, H, F>(mut self, handler: H) -> Self
    where
        O: Operation,
        H: Fn(Call<O>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<O::Response>> + Send,
    {
        let filter = match O::METHOD {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Put => MethodFilter::PUT,
            Method::Patch => MethodFilter::PATCH,
            Method::Delete => MethodFilter::DELETE,
        };
        let route = on(filter, move |State(edge): State<Arc<Edge>>, request: Request| {
            handle::<O, H, F>(edge, request, handler.clone())
        });
        self.router = self.router.route(O::PATH, route);
        self.operations.push((O::ID, O::METHOD, O::PATH));
        self
    }
}

/// Every operation that is built, a line each.
fn routes() -> Routes {
    Routes::default()
        .add::<UpdateUsers, _, _>(users::update_users)
        .add::<UpdateUsersPartial, _, _>(users::update_users_partial)
        .add::<DeactivateUsers, _, _>(users::deactivate_users)
        .add::<DeactivateUser, _, _>(users::deactivate_user)
        .add::<ReactivateUsers, _, _>(users::reactivate_users)
        .add::<ReactivateUser, _, _>(users::reactivate_user)
        .add::<DeleteUsers, _, _>(users::delete_users)
        .add::<RestoreUsers, _, _>(users::restore_users)
        .add::<QueryUsers, _, _>(users::query_users)
        .add::<GetTask, _, _>(tasks::get_task)
        .add::<ListChannelTypes, _, _>(channel_types::list_channel_types)
        .add::<GetChannelType, _, _>(channel_types::get_channel_type)
        .add::<QueryChannels, _, _>(channels::query_channels)
        .add::<GetOrCreateDistinctChannel, _, _>(channels::get_or_create_distinct_channel)
        .add::<GetOrCreateChannel, _, _>(channels::get_or_create_channel)
        .add::<GetChannel, _, _>(channels::get_channel)
        .add::<UpdateChannel, _, _>(channels::update_channel)
        .add::<DeleteChannel, _, _>(channels::delete_channel)
        .add::<DeleteChannels, _, _>(channels::delete_channels)
        .add::<QueryMembers, _, _>(members::query_members)
        .add::<SendMessage, _, _>(messages::send_message)
        .add::<GetManyMessages, _, _>(messages::get_many_messages)
        .add::<GetMessage, _, _>(messages::get_message)
        .add::<UpdateMessage, _, _>(messages::update_message)
        .add::<DeleteMessage, _, _>(messages::delete_message)
        .add::<GetReplies, _, _>(messages::get_replies)
        .add::<Search, _, _>(search::search)
        .add::<SendReaction, _, _>(reactions::send_reaction)
        .add::<DeleteReaction, _, _>(reactions::delete_reaction)
        .add::<GetReactions, _, _>(reactions::get_reactions)
        .add::<MarkRead, _, _>(reads::mark_read)
        .add::<UnreadCounts, _, _>(reads::unread_counts)
}

/// The operations that the router answers: id, method and path.
pub fn operations() -> Vec<(&'static str, Method, &'static str)> {
    routes().operations
}

/// The whole HTTP interface.
pub fn router(edge: Arc<Edge>) -> Router {
    routes()
        .router
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/errors", get(health::errors))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .with_state(edge)
}

async fn unknown_path(request: Request) -> Response<Body> {
    let error = Error::caller(
        natterjack_protocol::ErrorCode::NotFound,
        format!("there is nothing at {}", request.uri().path()),
    );
    super::reply::failure("Request", &error, std::time::Duration::ZERO)
}

async fn unknown_method(request: Request) -> Response<Body> {
    let error = Error::input(format!("{} is not allowed at {}", request.method(), request.uri().path()));
    let status = axum::http::StatusCode::METHOD_NOT_ALLOWED.as_u16();
    super::reply::failure_with_status("Request", &error, status, std::time::Duration::ZERO)
}
