-- Times are nanoseconds since the Unix epoch. Lists and maps are JSON text, NULL when empty.
-- Every row carries its app, directly or through its channel or message. Keys are never given out twice
-- (AUTOINCREMENT), so that what refers to a deleted row cannot come to mean another one.

CREATE TABLE apps (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    api_key TEXT NOT NULL UNIQUE,
    api_secret TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

CREATE TABLE users (
    app_pk INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    image TEXT,
    role TEXT NOT NULL,
    language TEXT NOT NULL,
    teams TEXT,
    teams_role TEXT,
    invisible BOOLEAN NOT NULL,
    banned BOOLEAN NOT NULL,
    privacy_settings TEXT,
    custom TEXT,
    version INTEGER NOT NULL,
    event_seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_active INTEGER,
    deactivated_at INTEGER,
    deleted_at INTEGER,
    revoke_tokens_issued_before INTEGER,
    PRIMARY KEY (app_pk, id)
) WITHOUT ROWID;

-- A channel row also holds the channel's counters, so that a send writes one row whatever the number of members:
-- event_seq numbers the channel's events, unread_seq counts the messages that count as unread,
-- clock_at is the newest created_at given out, so that times strictly increase within the channel,
-- history_from hides every message up to that time from everybody.
CREATE TABLE channels (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    app_pk INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    cid TEXT NOT NULL,
    team TEXT,
    created_by_id TEXT,
    distinct_members TEXT,
    custom TEXT,
    config_overrides TEXT,
    filter_tags TEXT,
    frozen BOOLEAN NOT NULL,
    disabled BOOLEAN NOT NULL,
    cooldown INTEGER NOT NULL,
    auto_translation_enabled BOOLEAN NOT NULL,
    auto_translation_language TEXT,
    member_count INTEGER NOT NULL,
    message_count INTEGER NOT NULL,
    version INTEGER NOT NULL,
    event_seq INTEGER NOT NULL,
    unread_seq INTEGER NOT NULL,
    clock_at INTEGER NOT NULL,
    history_from INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_message_at INTEGER,
    truncated_at INTEGER,
    truncated_by_id TEXT,
    deleted_at INTEGER,
    UNIQUE (app_pk, cid)
);

-- read_seq is the channel's unread_seq up to which the member has read, read_up_to the moment of that place in the
-- channel; unread_less is what to take off the difference for the member's own messages behind it.
CREATE TABLE members (
    channel_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    app_pk INTEGER NOT NULL,
    channel_role TEXT NOT NULL,
    custom TEXT,
    invited BOOLEAN NOT NULL,
    invite_accepted_at INTEGER,
    invite_rejected_at INTEGER,
    banned BOOLEAN NOT NULL,
    shadow_banned BOOLEAN NOT NULL,
    ban_expires INTEGER,
    notifications_muted BOOLEAN NOT NULL,
    hidden BOOLEAN NOT NULL,
    hide_messages_before INTEGER,
    pinned_at INTEGER,
    archived_at INTEGER,
    read_seq INTEGER NOT NULL,
    unread_less INTEGER NOT NULL,
    read_up_to INTEGER NOT NULL,
    last_read INTEGER NOT NULL,
    last_read_message_id TEXT,
    last_delivered_at INTEGER,
    last_delivered_message_id TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (channel_pk, user_id)
) WITHOUT ROWID;

-- Pages of members come in this order.
CREATE INDEX members_in_order ON members (channel_pk, created_at, user_id);
CREATE INDEX members_by_user ON members (app_pk, user_id, channel_pk);
-- Those who hid a channel are few: a send looks for them in this index.
CREATE INDEX members_hidden ON members (channel_pk) WHERE hidden;

-- unread_seq is the channel's counter when the message was sent, thread_seq that of its thread.
CREATE TABLE messages (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    app_pk INTEGER NOT NULL,
    channel_pk INTEGER NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    parent_pk INTEGER,
    parent_id TEXT,
    in_channel BOOLEAN NOT NULL,
    counts_unread BOOLEAN NOT NULL,
    silent BOOLEAN NOT NULL,
    shadowed BOOLEAN NOT NULL,
    quoted_message_id TEXT,
    unread_seq INTEGER NOT NULL,
    thread_seq INTEGER,
    reply_count INTEGER NOT NULL,
    deleted_reply_count INTEGER NOT NULL,
    mentioned_user_ids TEXT,
    attachments TEXT,
    restricted_visibility TEXT,
    custom TEXT,
    extra TEXT,
    reactions TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    text_updated_at INTEGER,
    deleted_at INTEGER,
    pinned_at INTEGER,
    pin_expires INTEGER,
    pinned_by_id TEXT
);

CREATE UNIQUE INDEX messages_by_id ON messages (app_pk, id);
CREATE INDEX messages_of_channel ON messages (channel_pk, created_at) WHERE in_channel;
CREATE INDEX messages_of_thread ON messages (parent_pk, created_at) WHERE parent_pk IS NOT NULL;
CREATE INDEX messages_pinned ON messages (channel_pk, pinned_at) WHERE pinned_at IS NOT NULL;

-- Messages that counted as unread and were deleted since: taken off the unread number of those who had not read them.
CREATE TABLE unread_gaps (
    channel_pk INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (channel_pk, seq)
) WITHOUT ROWID;

CREATE TABLE message_hidden_for (
    message_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    channel_pk INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (message_pk, user_id)
) WITHOUT ROWID;

CREATE INDEX message_hidden_for_user ON message_hidden_for (channel_pk, user_id);

CREATE TABLE reactions (
    message_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    score INTEGER NOT NULL,
    custom TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (message_pk, user_id, kind)
) WITHOUT ROWID;

CREATE INDEX reactions_by_time ON reactions (message_pk, created_at);

CREATE TABLE threads (
    parent_pk INTEGER PRIMARY KEY,
    app_pk INTEGER NOT NULL,
    channel_pk INTEGER NOT NULL,
    created_by_id TEXT NOT NULL,
    title TEXT NOT NULL,
    custom TEXT,
    reply_seq INTEGER NOT NULL,
    last_message_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

CREATE INDEX threads_of_channel ON threads (channel_pk);

CREATE TABLE thread_participants (
    parent_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    app_pk INTEGER NOT NULL,
    read_seq INTEGER NOT NULL,
    last_read INTEGER NOT NULL,
    last_read_message_id TEXT,
    last_thread_message_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (parent_pk, user_id)
) WITHOUT ROWID;

CREATE INDEX thread_participants_by_user ON thread_participants (app_pk, user_id, parent_pk);

CREATE TABLE thread_unread_gaps (
    parent_pk INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (parent_pk, seq)
) WITHOUT ROWID;

-- What happened, in order. The payload is NULL where it can be read from the rows the event names.
CREATE TABLE channel_events (
    channel_pk INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    user_id TEXT,
    message_id TEXT,
    payload TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (channel_pk, seq)
) WITHOUT ROWID;

CREATE TABLE user_events (
    app_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    channel_pk INTEGER,
    payload TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app_pk, user_id, seq)
) WITHOUT ROWID;

-- Messages whose words have to be indexed again, or removed when they are gone.
CREATE TABLE search_queue (message_pk INTEGER PRIMARY KEY);

-- Every word that ever was indexed, for finding the words that contain a part.
CREATE TABLE search_words (
    app_pk INTEGER NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (app_pk, word)
) WITHOUT ROWID;
