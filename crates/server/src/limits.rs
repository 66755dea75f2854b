//! Every limit of the API in one place. Sizes are in bytes, lengths in characters.

use std::time::Duration;

/// A request's body after decompression.
pub const BODY_SIZE_MAX: usize = 4 * 1024 * 1024;
/// Objects and lists within one another in JSON that is sent. What is stored is read and shown inside others, and JSON is
/// read to a depth of 128.
pub const JSON_DEPTH_MAX: usize = 64;
/// Time in which a request's body must have arrived.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);
/// Time for which a body that is not wanted is passed over, so that the answer does not meet a client that is writing.
pub const UNWANTED_BODY_TIME_MAX: Duration = Duration::from_secs(5);
/// Time for which a connection may stay without a complete request head.
pub const HEADER_TIME_MAX: Duration = Duration::from_secs(120);
/// Time for which a connection may take nothing of what is written to it.
pub const WRITE_TIME_MAX: Duration = Duration::from_secs(60);
/// A request's head.
pub const HEADER_SIZE_MAX: usize = 64 * 1024;
/// Open connections of the whole server.
pub const CONNECTIONS_MAX: usize = 20_000;
/// Open connections of one address, unless set otherwise: enough for a proxy in front, too few to take them all.
pub const CONNECTIONS_PER_ADDRESS_DEFAULT: usize = 15_000;
/// Windows of calls that are counted, one by app, operation and platform.
pub const RATE_LIMIT_WINDOWS_MAX: usize = 100_000;
/// Users whose calls are counted, each for every operation.
pub const RATE_LIMITED_USERS_MAX: usize = 200_000;
/// Time in which the database answers when it is ready.
pub const READY_TIME_MAX: Duration = Duration::from_secs(5);
/// Time that requests get to finish when the server is told to stop.
pub const DRAIN_TIME_MAX: Duration = Duration::from_secs(20);

/// The type of an event of the app's own.
pub const EVENT_TYPE_LENGTH_MAX: usize = 255;
/// Open sockets, and clients that poll, of the whole server.
pub const SOCKETS_MAX: usize = 20_000;
/// Open sockets of one user.
pub const CONNECTIONS_OF_USER_MAX: usize = 100;
/// Open sockets from one address. Generous: a proxy, or the network of a company, is one address.
pub const CONNECTIONS_OF_ADDRESS_MAX: usize = 20_000;
/// Channels that one connection watches.
pub const WATCHED_MAX: usize = 1000;
/// Users whose presence one connection is told of.
pub const PRESENCE_SUBSCRIPTIONS_MAX: usize = 3000;
/// What a client says in one message over its socket.
pub const CLIENT_MESSAGE_SIZE_MAX: usize = 64 * 1024;
/// Events that wait for one connection; beyond that it is closed.
pub const OUTBOX_SIZE_MAX: usize = 1024 * 1024;
/// Time between two health checks.
pub const HEALTH_CHECK_INTERVAL: Duration = Duration::from_secs(30);
/// Silence of a client after which it is asked whether it is there.
pub const PING_AFTER: Duration = Duration::from_secs(60);
/// Silence of a client after which its connection is closed.
pub const IDLE_MAX: Duration = Duration::from_secs(90);
/// Time that a poll waits for something to happen.
pub const POLL_TIME_MAX: Duration = Duration::from_secs(20);
/// Time in which a socket that is closed takes note of it.
pub const CLOSE_TIME_MAX: Duration = Duration::from_secs(2);
/// Time between two notes that a connected user is still there.
pub const LAST_ACTIVE_INTERVAL: Duration = Duration::from_secs(15 * 60);
/// Watchers of a channel beyond whom they are not told of typing and reading, and seldom of each other.
pub const MANY_WATCHERS: i64 = 100;
/// Time between two notices that the number of many watchers changed.
pub const WATCHING_PAUSE: Duration = Duration::from_secs(5);
/// Receivers of an event who are told with it what they have not read.
pub const TOTALS_RECEIVERS_MAX: usize = 100;
/// Members of a channel who are told, while they do not watch it, of what happens there.
pub const MEMBERS_TOLD_MAX: i64 = 100_000;
/// Channels that a client asks about after it was away.
pub const SYNC_CHANNELS_MAX: usize = 255;
/// Events that such an answer holds.
pub const SYNC_EVENTS_MAX: usize = 1000;
/// How long a client may have been away.
pub const SYNC_AGE_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// Custom data of a user, channel, member or message, as JSON.
pub const CUSTOM_SIZE_MAX: usize = 5 * 1024;
/// Custom data of a reaction, as JSON.
pub const REACTION_CUSTOM_SIZE_MAX: usize = 1024;
/// Attachments of a message.
pub const ATTACHMENTS_MAX: usize = 30;
/// All attachments of a message together, as JSON.
pub const ATTACHMENTS_SIZE_MAX: usize = 5 * 1024;
/// Users mentioned by a message.
pub const MENTIONED_USERS_MAX: usize = 100;
/// Roles, and groups, mentioned by a message.
pub const MENTIONED_ROLES_MAX: usize = 10;
/// Users who may see a restricted message.
pub const RESTRICTED_VISIBILITY_MAX: usize = 10;
/// HTML or MML given with a message.
pub const MARKUP_SIZE_MAX: usize = 64 * 1024;
/// Messages asked for by id in one call.
pub const MANY_MESSAGES_MAX: usize = 50;
/// Messages that one user may delete for himself or herself alone, by channel.
pub const DELETE_FOR_ME_MAX: i64 = 100;

/// Users, members, invites, moderators in one request.
pub const BATCH_MAX: usize = 100;
/// Messages, reactions or channels of a user that are worked on in one transaction: few enough to keep no sender waiting.
pub const SWEEP_BATCH: i64 = 20;
/// A user's name.
pub const NAME_LENGTH_MAX: usize = 255;
/// A URL of an image.
pub const URL_LENGTH_MAX: usize = 2048;
/// A role's name.
pub const ROLE_LENGTH_MAX: usize = 64;
/// Teams of a user.
pub const TEAMS_MAX: usize = 250;
/// A team's name.
pub const TEAM_SIZE_MAX: usize = 100;
/// Filter tags of a channel.
pub const FILTER_TAGS_MAX: usize = 10;
/// A filter tag.
pub const FILTER_TAG_LENGTH_MAX: usize = 255;
/// Channels muted in one call.
pub const MUTED_CHANNELS_MAX: usize = 25;
/// Keys of member data copied onto messages.
pub const MEMBER_CUSTOM_INCLUDE_MAX: usize = 8;
/// One such key.
pub const MEMBER_CUSTOM_INCLUDE_LENGTH_MAX: usize = 64;
/// Fields that a partial update names.
pub const PARTIAL_KEYS_MAX: usize = 250;
/// One such field, with its path.
pub const PARTIAL_KEY_LENGTH_MAX: usize = 255;
/// The language codes that a channel's messages are translated into, all in one text.
pub const LANGUAGES_LENGTH_MAX: usize = 64;
/// Slow mode, in seconds.
pub const COOLDOWN_MAX: i64 = 120;
/// Channel types of an app, the built-in ones included.
pub const CHANNEL_TYPES_MAX: usize = 50;
/// All settings of a channel type, as JSON.
pub const CHANNEL_TYPE_SIZE_MAX: usize = 64 * 1024;
/// Roles that a channel type, or the app, grants permissions to.
pub const GRANTED_ROLES_MAX: usize = 50;
/// Permissions that one role is granted.
pub const GRANTS_OF_ROLE_MAX: usize = 250;
/// Roles that an app makes.
pub const CUSTOM_ROLES_MAX: usize = 25;
/// Roles of one page of a search.
pub const ROLES_PAGE_MAX: i64 = 100;
/// Roles of such a page without a limit.
pub const ROLES_PAGE_DEFAULT: i64 = 25;
/// Permissions that an app makes.
pub const CUSTOM_PERMISSIONS_MAX: usize = 100;
/// The name of a permission.
pub const PERMISSION_LENGTH_MAX: usize = 100;
/// Permissions in their older form.
pub const POLICIES_MAX: usize = 100;
/// Block lists in use in a channel type.
pub const BLOCKLISTS_MAX: usize = 15;
/// Reasons that may be given when something is flagged.
pub const FLAG_REASONS_MAX: usize = 100;
/// Days after which messages may be said to be removed.
pub const RETENTION_DAYS_MAX: u32 = 36_500;
/// Watchers in one part of a split audience.
pub const PARTITION_SIZE_MIN: i64 = 10;
/// Filters that an app stores.
pub const PREDEFINED_FILTERS_MAX: i64 = 100;
/// A stored filter and its order, as JSON.
pub const PREDEFINED_FILTER_SIZE_MAX: usize = 16 * 1024;
/// A description, for people.
pub const DESCRIPTION_LENGTH_MAX: usize = 1024;
/// Apps of a server.
pub const APPS_MAX: usize = 1000;
/// All settings of an app, as JSON.
pub const APP_SETTINGS_SIZE_MAX: usize = 256 * 1024;
/// Where events are sent.
pub const EVENT_HOOKS_MAX: usize = 50;
/// Entries of a list in the settings of an app.
pub const SETTING_LIST_MAX: usize = 500;
/// An uploaded file.
pub const UPLOAD_SIZE_MAX: i64 = 104_857_600;
/// Message length that a channel may be configured for.
pub const MESSAGE_LENGTH_MAX: i64 = 20_000;

/// Channels of one page.
pub const CHANNELS_PAGE_MAX: i64 = 30;
/// Channels of a page without a limit.
pub const CHANNELS_PAGE_DEFAULT: i64 = 10;
/// Messages of one page.
pub const MESSAGES_PAGE_MAX: i64 = 300;
/// Messages of each channel of a query without a limit.
pub const QUERY_MESSAGES_DEFAULT: i64 = 25;
/// Messages of a single channel without a limit.
pub const CHANNEL_MESSAGES_DEFAULT: i64 = 100;
/// Replies without a limit.
pub const REPLIES_DEFAULT: i64 = 100;
/// Members of each channel of a query.
pub const QUERY_MEMBERS_LIMIT_MAX: i64 = 100;
/// Members and watchers of a single channel's page.
pub const MEMBERS_PAGE_MAX: i64 = 300;
/// Offset of the members of a channel.
pub const MEMBERS_OFFSET_MAX: i64 = 10_000;
/// Read states of a channel.
pub const READS_MAX: i64 = 100;
/// Pinned messages of a page without a limit.
pub const PINNED_PAGE_DEFAULT: i64 = 100;
/// Pinned messages of a channel's state.
pub const PINNED_MESSAGES_MAX: i64 = 10;
/// Users of one page.
pub const USERS_PAGE_MAX: i64 = 100;
/// Users of a page without a limit.
pub const USERS_PAGE_DEFAULT: i64 = 30;
/// Offset of most lists.
pub const OFFSET_MAX: i64 = 1000;
/// Reactions of one page.
pub const REACTIONS_PAGE_MAX: i64 = 300;
/// Reactions of a page without a limit.
pub const REACTIONS_PAGE_DEFAULT: i64 = 100;
/// Reactions of one page by cursor.
pub const QUERY_REACTIONS_PAGE_MAX: i64 = 100;
/// Reactions of a page by cursor without a limit.
pub const QUERY_REACTIONS_PAGE_DEFAULT: i64 = 25;
/// Entries of one page of the history of messages.
pub const HISTORY_PAGE_MAX: i64 = 100;
/// Entries of such a page without a limit.
pub const HISTORY_PAGE_DEFAULT: i64 = 100;
/// Types of the reactions to a message: each stands in every reply that shows it.
pub const REACTION_TYPES_MAX: usize = 200;
/// Newest reactions shown with a message, and users with each type of them.
pub const LATEST_REACTIONS_MAX: usize = 10;
/// Participants shown with a thread's parent.
pub const THREAD_PARTICIPANTS_MAX: i64 = 100;
/// Threads of one page.
pub const THREADS_PAGE_MAX: i64 = 100;
/// Threads of a page without a limit.
pub const THREADS_PAGE_DEFAULT: i64 = 10;
/// Newest replies shown with a thread.
pub const THREAD_REPLIES_MAX: i64 = 10;
/// Newest replies shown with a thread without a limit.
pub const THREAD_REPLIES_DEFAULT: i64 = 2;
/// A thread's title.
pub const TITLE_LENGTH_MAX: usize = 255;
/// Results of one page of a search.
pub const SEARCH_PAGE_MAX: i64 = 100;
/// Channels that a search looks into.
pub const SEARCH_CHANNELS_MAX: i64 = 500;
/// Users that one call mutes, or lets be heard again.
pub const MUTED_USERS_MAX: usize = 1000;
/// Muted users shown with a user, the last muted first.
pub const USER_MUTES_SHOWN_MAX: i64 = 1000;
/// Why somebody is banned, in characters.
pub const BAN_REASON_LENGTH_MAX: usize = 1024;
/// Users whom one user bans from channels that are created later.
pub const FUTURE_CHANNEL_BANS_MAX: i64 = 1000;
/// Bans from later channels that are counted.
pub const FUTURE_CHANNEL_BANS_COUNTED_MAX: i64 = 100_000;
/// Bans of addresses that an app has at a time; they are kept in memory.
pub const ADDRESS_BANS_MAX: i64 = 10_000;
/// How long the address of a user stays the last one at least: others are not noted before.
pub const LAST_ADDRESS_TIME_MIN: Duration = Duration::from_secs(60);
/// Bans of one page.
pub const BANS_PAGE_MAX: i64 = 300;
/// Bans of a page without a limit.
pub const BANS_PAGE_DEFAULT: i64 = 100;
/// Offset of a list of bans.
pub const BANS_OFFSET_MAX: i64 = 10_000;
/// Why something is reported, in characters.
pub const FLAG_REASON_LENGTH_MAX: usize = 255;
/// Reports of one page.
pub const FLAGS_PAGE_MAX: i64 = 300;
/// Reports of a page without a limit.
pub const FLAGS_PAGE_DEFAULT: i64 = 100;
/// What a moderator decided about a report, in characters.
pub const REVIEW_RESULT_LENGTH_MAX: usize = 255;
/// Reports of one thing to which a decision is written, the earliest first.
pub const FLAGS_REVIEWED_MAX: i64 = 10_000;
/// Offset of a list of reports.
pub const FLAGS_OFFSET_MAX: i64 = 10_000;
/// Muted channels shown with a user, the last muted first.
pub const CHANNEL_MUTES_SHOWN_MAX: i64 = 100;
/// Blocked users shown with a user, the last blocked first.
pub const BLOCKS_SHOWN_MAX: i64 = 1000;
/// Unread channels, and threads, listed for a user.
pub const UNREAD_LISTED_MAX: i64 = 100;
/// Newest messages of a channel from which it can be marked as unread.
pub const MARK_UNREAD_REACH: i64 = 100;
/// Channels marked as read that a call names, and that a transaction changes.
pub const MARK_CHANNELS_READ_MAX: usize = 30;
/// Channels marked as read by a call that means all of them.
pub const READ_ALL_CHANNELS_MAX: i64 = 1000;
/// Messages that one call tells to have arrived.
pub const DELIVERED_MESSAGES_MAX: usize = 100;
/// Results of a search up to which pages reach.
pub const SEARCH_DEPTH_MAX: i64 = 10_000;
