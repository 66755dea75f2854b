use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response};
use axum::routing::{MethodFilter, get, on};
use natterjack_protocol::app::{GetApp, UpdateApp};
use natterjack_protocol::bans::{Ban, LiftBan, QueryBannedUsers, QueryFutureChannelBans, Unban};
use natterjack_protocol::blocks::{BlockUsers, GetBlockedUsers, UnblockUsers};
use natterjack_protocol::channel_types::{
    CreateChannelType, DeleteChannelType, GetChannelType, ListChannelTypes, UpdateChannelType,
};
use natterjack_protocol::channels::{
    DeleteChannel, DeleteChannels, GetChannel, GetOrCreateChannel, GetOrCreateDistinctChannel, HideChannel,
    QueryChannels, ShowChannel, TruncateChannel, UpdateChannel, UpdateChannelPartial,
};
use natterjack_protocol::events::{SendEvent, SendUserCustomEvent, StopWatching, Sync as SyncChannels};
use natterjack_protocol::flags::{Flag, QueryFlagReports, QueryMessageFlags, ReviewFlagReport, Unflag};
use natterjack_protocol::guests::CreateGuest;
use natterjack_protocol::members::{QueryMembers, UpdateMemberPartial, UpdateMemberPartialByPath};
use natterjack_protocol::messages::{
    DeleteMessage, GetManyMessages, GetMessage, GetPinnedMessages, GetReplies, QueryMessageHistory,
    SendMessage, UndeleteMessage, UpdateMessage, UpdateMessagePartial,
};
use natterjack_protocol::mutes::{MuteChannel, UnmuteChannel};
use natterjack_protocol::permissions::{
    CreatePermission, DeletePermission, GetPermission, ListPermissions, UpdatePermission,
};
use natterjack_protocol::predefined_filters::{
    CreatePredefinedFilter, DeletePredefinedFilter, GetPredefinedFilter, ListPredefinedFilters,
    UpdatePredefinedFilter,
};
use natterjack_protocol::rate_limits::GetRateLimits;
use natterjack_protocol::reactions::{DeleteReaction, GetReactions, QueryReactions, SendReaction};
use natterjack_protocol::reads::{
    MarkChannelsRead, MarkDelivered, MarkRead, MarkUnread, UnreadCounts, UnreadCountsBatch,
};
use natterjack_protocol::roles::{CreateRole, DeleteRole, ListRoles, SearchRoles};
use natterjack_protocol::search::Search;
use natterjack_protocol::tasks::GetTask;
use natterjack_protocol::threads::{GetThread, QueryThreads, UpdateThreadPartial};
use natterjack_protocol::user_mutes::{Mute, Unmute};
use natterjack_protocol::users::{
    DeactivateUser, DeactivateUsers, DeleteUser, DeleteUsers, QueryUsers, ReactivateUser, ReactivateUsers,
    RestoreUsers, UpdateUsers, UpdateUsersPartial,
};
use natterjack_protocol::{Method, Operation};

use super::endpoint::{Call, Edge, handle, pass_over};
use super::reply::Dialect;
use super::{
    app, bans, blocks, channel_types, channels, cors, demo, events, flags, health, members, messages, mutes,
    predefined_filters, rate_limits, reactions, reads, roles, search, tasks, threads, user_mutes, users,
};
use crate::error::{Error, Result};
use crate::live;

/// What the paths of version 2 begin with.
const V2_PREFIX: &str = "/api/v2/";

/// Collects routes and, for the test of coverage, what they are.
#[derive(Default)]
struct Routes {
    router: Router<Arc<Edge>>,
    operations: Vec<(&'static str, Method, &'static str)>,
    names: Vec<&'static str>,
}

impl Routes {
    /// Answers the operation `O` with `handler`, in both versions of the API.
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
        let route = |dialect| {
            let handler = handler.clone();
            on(filter, move |State(edge): State<Arc<Edge>>, request: Request| {
                handle::<O, H, F>(edge, dialect, request, handler.clone())
            })
        };
        self.router = self.router.route(O::V1_PATH, route(Dialect::V1));
        if O::PATH.starts_with(V2_PREFIX) {
            self.router = self.router.route(O::PATH, route(Dialect::V2));
            self.operations.push((O::ID, O::METHOD, O::PATH));
        }
        self.names.push(O::NAME);
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
        .add::<DeleteUser, _, _>(users::delete_user)
        .add::<RestoreUsers, _, _>(users::restore_users)
        .add::<CreateGuest, _, _>(users::create_guest)
        .add::<QueryUsers, _, _>(users::query_users)
        .add::<BlockUsers, _, _>(blocks::block_users)
        .add::<UnblockUsers, _, _>(blocks::unblock_users)
        .add::<GetBlockedUsers, _, _>(blocks::get_blocked_users)
        .add::<GetApp, _, _>(app::get_app)
        .add::<UpdateApp, _, _>(app::update_app)
        .add::<GetRateLimits, _, _>(rate_limits::get_rate_limits)
        .add::<ListRoles, _, _>(roles::list_roles)
        .add::<CreateRole, _, _>(roles::create_role)
        .add::<DeleteRole, _, _>(roles::delete_role)
        .add::<SearchRoles, _, _>(roles::search_roles)
        .add::<ListPermissions, _, _>(roles::list_permissions)
        .add::<GetPermission, _, _>(roles::get_permission)
        .add::<CreatePermission, _, _>(roles::create_permission)
        .add::<UpdatePermission, _, _>(roles::update_permission)
        .add::<DeletePermission, _, _>(roles::delete_permission)
        .add::<GetTask, _, _>(tasks::get_task)
        .add::<ListChannelTypes, _, _>(channel_types::list_channel_types)
        .add::<GetChannelType, _, _>(channel_types::get_channel_type)
        .add::<CreateChannelType, _, _>(channel_types::create_channel_type)
        .add::<UpdateChannelType, _, _>(channel_types::update_channel_type)
        .add::<DeleteChannelType, _, _>(channel_types::delete_channel_type)
        .add::<ListPredefinedFilters, _, _>(predefined_filters::list_predefined_filters)
        .add::<CreatePredefinedFilter, _, _>(predefined_filters::create_predefined_filter)
        .add::<GetPredefinedFilter, _, _>(predefined_filters::get_predefined_filter)
        .add::<UpdatePredefinedFilter, _, _>(predefined_filters::update_predefined_filter)
        .add::<DeletePredefinedFilter, _, _>(predefined_filters::delete_predefined_filter)
        .add::<QueryChannels, _, _>(channels::query_channels)
        .add::<GetOrCreateDistinctChannel, _, _>(channels::get_or_create_distinct_channel)
        .add::<GetOrCreateChannel, _, _>(channels::get_or_create_channel)
        .add::<GetChannel, _, _>(channels::get_channel)
        .add::<UpdateChannel, _, _>(channels::update_channel)
        .add::<UpdateChannelPartial, _, _>(channels::update_channel_partial)
        .add::<HideChannel, _, _>(channels::hide_channel)
        .add::<ShowChannel, _, _>(channels::show_channel)
        .add::<TruncateChannel, _, _>(channels::truncate_channel)
        .add::<DeleteChannel, _, _>(channels::delete_channel)
        .add::<DeleteChannels, _, _>(channels::delete_channels)
        .add::<QueryMembers, _, _>(members::query_members)
        .add::<UpdateMemberPartial, _, _>(members::update_member_partial)
        .add::<UpdateMemberPartialByPath, _, _>(members::update_member_partial_by_path)
        .add::<Ban, _, _>(bans::ban)
        .add::<Unban, _, _>(bans::unban)
        .add::<LiftBan, _, _>(bans::lift_ban)
        .add::<QueryBannedUsers, _, _>(bans::query_banned_users)
        .add::<QueryFutureChannelBans, _, _>(bans::query_future_channel_bans)
        .add::<Mute, _, _>(user_mutes::mute)
        .add::<Unmute, _, _>(user_mutes::unmute)
        .add::<Flag, _, _>(flags::flag)
        .add::<Unflag, _, _>(flags::unflag)
        .add::<QueryMessageFlags, _, _>(flags::query_message_flags)
        .add::<QueryFlagReports, _, _>(flags::query_flag_reports)
        .add::<ReviewFlagReport, _, _>(flags::review_flag_report)
        .add::<MuteChannel, _, _>(mutes::mute_channel)
        .add::<UnmuteChannel, _, _>(mutes::unmute_channel)
        .add::<SendMessage, _, _>(messages::send_message)
        .add::<GetManyMessages, _, _>(messages::get_many_messages)
        .add::<GetMessage, _, _>(messages::get_message)
        .add::<UpdateMessage, _, _>(messages::update_message)
        .add::<UpdateMessagePartial, _, _>(messages::update_message_partial)
        .add::<DeleteMessage, _, _>(messages::delete_message)
        .add::<UndeleteMessage, _, _>(messages::undelete_message)
        .add::<QueryMessageHistory, _, _>(messages::query_message_history)
        .add::<GetReplies, _, _>(messages::get_replies)
        .add::<GetPinnedMessages, _, _>(messages::get_pinned_messages)
        .add::<SendEvent, _, _>(events::send_event)
        .add::<SendUserCustomEvent, _, _>(events::send_user_custom_event)
        .add::<StopWatching, _, _>(events::stop_watching)
        .add::<SyncChannels, _, _>(events::sync)
        .add::<Search, _, _>(search::search)
        .add::<SendReaction, _, _>(reactions::send_reaction)
        .add::<DeleteReaction, _, _>(reactions::delete_reaction)
        .add::<GetReactions, _, _>(reactions::get_reactions)
        .add::<QueryReactions, _, _>(reactions::query_reactions)
        .add::<MarkRead, _, _>(reads::mark_read)
        .add::<MarkChannelsRead, _, _>(reads::mark_channels_read)
        .add::<MarkUnread, _, _>(reads::mark_unread)
        .add::<MarkDelivered, _, _>(reads::mark_delivered)
        .add::<UnreadCounts, _, _>(reads::unread_counts)
        .add::<UnreadCountsBatch, _, _>(reads::unread_counts_batch)
        .add::<QueryThreads, _, _>(threads::query_threads)
        .add::<GetThread, _, _>(threads::get_thread)
        .add::<UpdateThreadPartial, _, _>(threads::update_thread_partial)
}

/// The operations that the router answers: id, method and path.
pub fn operations() -> Vec<(&'static str, Method, &'static str)> {
    routes().operations
}

/// The names of the same in CamelCase.
pub(crate) fn operation_names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| routes().names);
    &NAMES
}

/// The whole HTTP interface. Pages of `allowed_origins` may call, `None` are all.
pub fn router(edge: Arc<Edge>, allowed_origins: Option<&[HeaderValue]>) -> Router {
    let router = routes().router;
    let router = if edge.state.is_development() { router.merge(demo::routes()) } else { router };
    router
        .route("/connect", get(live::connect))
        .route("/longpoll", get(live::long_poll))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/errors", get(health::errors))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(cors::layer(allowed_origins))
        .with_state(edge)
}

async fn unknown_path(mut request: Request) -> Response<Body> {
    pass_over(request.body_mut()).await;
    let error = Error::caller(
        natterjack_protocol::ErrorCode::NotFound,
        format!("Not Found: {} is not found, or not enabled on this server", request.uri().path()),
    );
    super::reply::failure("Request", &error, std::time::Duration::ZERO)
}

async fn unknown_method(mut request: Request) -> Response<Body> {
    pass_over(request.body_mut()).await;
    let error = Error::input(format!("{} is not allowed at {}", request.method(), request.uri().path()));
    let status = axum::http::StatusCode::METHOD_NOT_ALLOWED.as_u16();
    super::reply::failure_with_status("Request", &error, status, std::time::Duration::ZERO)
}
