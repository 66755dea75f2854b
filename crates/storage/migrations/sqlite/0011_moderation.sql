-- Bans: of a channel, or of the whole app where channel_pk is 0. A ban that is over stays until it is taken back or
-- another one takes its place. ip is the banned user's last address, when the ban is one of that too.
CREATE TABLE bans (
    app_pk INTEGER NOT NULL,
    channel_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    banned_by_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    shadow BOOLEAN NOT NULL,
    ip TEXT,
    created_at INTEGER NOT NULL,
    expires INTEGER,
    PRIMARY KEY (app_pk, channel_pk, user_id)
) WITHOUT ROWID;

CREATE INDEX bans_in_order ON bans (app_pk, created_at, user_id, channel_pk);
CREATE INDEX bans_of_user ON bans (app_pk, user_id, created_at);
CREATE INDEX bans_of_channel ON bans (channel_pk, created_at);
CREATE INDEX bans_by_author ON bans (app_pk, banned_by_id, created_at);
CREATE INDEX bans_of_address ON bans (app_pk, ip) WHERE ip IS NOT NULL;

-- Bans from the channels that banned_by_id will create.
CREATE TABLE future_channel_bans (
    app_pk INTEGER NOT NULL,
    banned_by_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    shadow BOOLEAN NOT NULL,
    created_at INTEGER NOT NULL,
    expires INTEGER,
    PRIMARY KEY (app_pk, banned_by_id, user_id)
) WITHOUT ROWID;

CREATE INDEX future_channel_bans_in_order ON future_channel_bans (app_pk, created_at, banned_by_id, user_id);
CREATE INDEX future_channel_bans_of_user ON future_channel_bans (app_pk, user_id, created_at);

-- Copies of the ban from the whole app, so that who acts is known with the row.
ALTER TABLE users ADD COLUMN shadow_banned BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN ban_expires INTEGER;
-- From where the user was last seen.
ALTER TABLE users ADD COLUMN last_ip TEXT;

-- Users whom users muted. expires is NULL for a lasting mute; one that is over stays until it is taken back or renewed.
CREATE TABLE user_mutes (
    app_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires INTEGER,
    PRIMARY KEY (app_pk, user_id, target_id)
) WITHOUT ROWID;

CREATE INDEX user_mutes_in_order ON user_mutes (app_pk, user_id, created_at);
CREATE INDEX user_mutes_by_target ON user_mutes (app_pk, target_id, user_id);

-- What target_id sent while user_id had muted him or her: messages behind from_pk up to until_pk, sent before until_at.
-- It does not count for user_id. The last span of an active mute has the greatest number as its until_pk.
CREATE TABLE mute_spans (
    app_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    from_pk INTEGER NOT NULL,
    until_pk INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    PRIMARY KEY (app_pk, user_id, target_id, from_pk)
) WITHOUT ROWID;

CREATE INDEX mute_spans_by_target ON mute_spans (app_pk, target_id);

-- Messages and users that users reported. item_id is the same for all flags of one thing. message_pk and channel_pk are
-- NULL for a user; creator_id is who is reported, or who wrote what is.
CREATE TABLE flags (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    app_pk INTEGER NOT NULL,
    item_id TEXT NOT NULL,
    message_pk INTEGER,
    channel_pk INTEGER,
    creator_id TEXT NOT NULL,
    reporter_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    custom TEXT,
    review_result TEXT,
    review_details TEXT,
    reviewed_by_id TEXT,
    reviewed_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

CREATE UNIQUE INDEX flags_of_message ON flags (message_pk, reporter_id) WHERE message_pk IS NOT NULL;
CREATE UNIQUE INDEX flags_of_user ON flags (app_pk, creator_id, reporter_id) WHERE message_pk IS NULL;
CREATE INDEX flags_in_order ON flags (app_pk, created_at, pk);
CREATE INDEX flags_by_reporter ON flags (app_pk, reporter_id);
CREATE INDEX flags_by_creator ON flags (app_pk, creator_id);
