-- Times are nanoseconds since the Unix epoch. Lists and maps are JSON text, NULL when empty.
-- Every row carries its app, directly or through its channel or message.

CREATE TABLE apps (
    pk BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    api_key TEXT COLLATE "C" NOT NULL UNIQUE,
    api_secret TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE users (
    app_pk BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    image TEXT COLLATE "C",
    role TEXT COLLATE "C" NOT NULL,
    language TEXT COLLATE "C" NOT NULL,
    teams TEXT COLLATE "C",
    teams_role TEXT COLLATE "C",
    invisible BOOLEAN NOT NULL,
    banned BOOLEAN NOT NULL,
    privacy_settings TEXT COLLATE "C",
    custom TEXT COLLATE "C",
    version BIGINT NOT NULL,
    event_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_active BIGINT,
    deactivated_at BIGINT,
    deleted_at BIGINT,
    revoke_tokens_issued_before BIGINT,
    PRIMARY KEY (app_pk, id)
);

-- A channel row also holds the channel's counters, so that a send writes one row whatever the number of members:
-- event_seq numbers the channel's events, unread_seq counts the messages that count as unread,
-- clock_at is the newest created_at given out, so that times strictly increase within the channel,
-- history_from hides every message up to that time from everybody.
CREATE TABLE channels (
    pk BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_pk BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    cid TEXT COLLATE "C" NOT NULL,
    team TEXT COLLATE "C",
    created_by_id TEXT COLLATE "C",
    distinct_members TEXT COLLATE "C",
    custom TEXT COLLATE "C",
    config_overrides TEXT COLLATE "C",
    filter_tags TEXT COLLATE "C",
    frozen BOOLEAN NOT NULL,
    disabled BOOLEAN NOT NULL,
    cooldown BIGINT NOT NULL,
    auto_translation_enabled BOOLEAN NOT NULL,
    auto_translation_language TEXT COLLATE "C",
    member_count BIGINT NOT NULL,
    message_count BIGINT NOT NULL,
    version BIGINT NOT NULL,
    event_seq BIGINT NOT NULL,
    unread_seq BIGINT NOT NULL,
    clock_at BIGINT NOT NULL,
    history_from BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_message_at BIGINT,
    truncated_at BIGINT,
    truncated_by_id TEXT COLLATE "C",
    deleted_at BIGINT,
    UNIQUE (app_pk, cid)
);

-- read_seq is the channel's unread_seq up to which the member has read, read_up_to the moment of that place in the
-- channel; unread_less is what to take off the difference for the member's own messages behind it.
CREATE TABLE members (
    channel_pk BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    app_pk BIGINT NOT NULL,
    channel_role TEXT COLLATE "C" NOT NULL,
    custom TEXT COLLATE "C",
    invited BOOLEAN NOT NULL,
    invite_accepted_at BIGINT,
    invite_rejected_at BIGINT,
    banned BOOLEAN NOT NULL,
    shadow_banned BOOLEAN NOT NULL,
    ban_expires BIGINT,
    notifications_muted BOOLEAN NOT NULL,
    hidden BOOLEAN NOT NULL,
    hide_messages_before BIGINT,
    pinned_at BIGINT,
    archived_at BIGINT,
    read_seq BIGINT NOT NULL,
    unread_less BIGINT NOT NULL,
    read_up_to BIGINT NOT NULL,
    last_read BIGINT NOT NULL,
    last_read_message_id TEXT COLLATE "C",
    last_delivered_at BIGINT,
    last_delivered_message_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (channel_pk, user_id)
);

-- Pages of members come in this order.
CREATE INDEX members_in_order ON members (channel_pk, created_at, user_id);
CREATE INDEX members_by_user ON members (app_pk, user_id, channel_pk);
-- Those who hid a channel are few: a send looks for them in this index.
CREATE INDEX members_hidden ON members (channel_pk) WHERE hidden;

-- unread_seq is the channel's counter when the message was sent, thread_seq that of its thread.
CREATE TABLE messages (
    pk BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_pk BIGINT NOT NULL,
    channel_pk BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    parent_pk BIGINT,
    parent_id TEXT COLLATE "C",
    in_channel BOOLEAN NOT NULL,
    counts_unread BOOLEAN NOT NULL,
    silent BOOLEAN NOT NULL,
    shadowed BOOLEAN NOT NULL,
    quoted_message_id TEXT COLLATE "C",
    unread_seq BIGINT NOT NULL,
    thread_seq BIGINT,
    reply_count BIGINT NOT NULL,
    deleted_reply_count BIGINT NOT NULL,
    mentioned_user_ids TEXT COLLATE "C",
    attachments TEXT COLLATE "C",
    restricted_visibility TEXT COLLATE "C",
    custom TEXT COLLATE "C",
    extra TEXT COLLATE "C",
    reactions TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    text_updated_at BIGINT,
    deleted_at BIGINT,
    pinned_at BIGINT,
    pin_expires BIGINT,
    pinned_by_id TEXT COLLATE "C"
);

CREATE UNIQUE INDEX messages_by_id ON messages (app_pk, id);
CREATE INDEX messages_of_channel ON messages (channel_pk, created_at) WHERE in_channel;
CREATE INDEX messages_of_thread ON messages (parent_pk, created_at) WHERE parent_pk IS NOT NULL;
CREATE INDEX messages_pinned ON messages (channel_pk, pinned_at) WHERE pinned_at IS NOT NULL;

-- Messages that counted as unread and were deleted since: taken off the unread number of those who had not read them.
CREATE TABLE unread_gaps (
    channel_pk BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (channel_pk, seq)
);

CREATE TABLE message_hidden_for (
    message_pk BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    channel_pk BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (message_pk, user_id)
);

CREATE INDEX message_hidden_for_user ON message_hidden_for (channel_pk, user_id);

CREATE TABLE reactions (
    message_pk BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    score BIGINT NOT NULL,
    custom TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (message_pk, user_id, kind)
);

CREATE INDEX reactions_by_time ON reactions (message_pk, created_at);

CREATE TABLE threads (
    parent_pk BIGINT PRIMARY KEY,
    app_pk BIGINT NOT NULL,
    channel_pk BIGINT NOT NULL,
    created_by_id TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    custom TEXT COLLATE "C",
    reply_seq BIGINT NOT NULL,
    last_message_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX threads_of_channel ON threads (channel_pk);

CREATE TABLE thread_participants (
    parent_pk BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    app_pk BIGINT NOT NULL,
    read_seq BIGINT NOT NULL,
    last_read BIGINT NOT NULL,
    last_read_message_id TEXT COLLATE "C",
    last_thread_message_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (parent_pk, user_id)
);

CREATE INDEX thread_participants_by_user ON thread_participants (app_pk, user_id, parent_pk);

CREATE TABLE thread_unread_gaps (
    parent_pk BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (parent_pk, seq)
);

-- What happened, in order. The payload is NULL where it can be read from the rows the event names.
CREATE TABLE channel_events (
    channel_pk BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C",
    message_id TEXT COLLATE "C",
    payload TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    PRIMARY KEY (channel_pk, seq)
);

CREATE TABLE user_events (
    app_pk BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    channel_pk BIGINT,
    payload TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    PRIMARY KEY (app_pk, user_id, seq)
);

-- Messages whose words have to be indexed again, or removed when they are gone.
CREATE TABLE search_queue (message_pk BIGINT PRIMARY KEY);

-- Every word that ever was indexed, for finding the words that contain a part.
CREATE TABLE search_words (
    app_pk BIGINT NOT NULL,
    word TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (app_pk, word)
);
