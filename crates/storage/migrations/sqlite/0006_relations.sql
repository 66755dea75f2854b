-- Channels that users muted. expires is NULL for a lasting mute; one that is over stays until it is taken back or renewed.
CREATE TABLE channel_mutes (
    channel_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    app_pk INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires INTEGER,
    PRIMARY KEY (channel_pk, user_id)
) WITHOUT ROWID;

CREATE INDEX channel_mutes_by_user ON channel_mutes (app_pk, user_id, created_at);

-- Users that users blocked.
CREATE TABLE user_blocks (
    app_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    blocked_user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app_pk, user_id, blocked_user_id)
) WITHOUT ROWID;

CREATE INDEX user_blocks_by_blocked ON user_blocks (app_pk, blocked_user_id, user_id);

-- When a channel was quiet for a user, because it was muted or blocked: what was sent after from_at and before until_at
-- does not count for the user. from_seq is the channel's unread_seq at from_at; until_at is the greatest number
-- while no end is known. The spans of a user in a channel do not overlap.
CREATE TABLE quiet_spans (
    channel_pk INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    from_at INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    PRIMARY KEY (channel_pk, user_id, from_at)
) WITHOUT ROWID;

-- blocked: the channel has two members, and this one blocked the other. quiet_until: the end of the member's last
-- quiet span, 0 when there is none.
ALTER TABLE members ADD COLUMN blocked BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE members ADD COLUMN quiet_until INTEGER NOT NULL DEFAULT 0;

-- A send looks for those who hid the channel and are to see it again, and passes by those for whom it is quiet.
DROP INDEX members_hidden;
CREATE INDEX members_hidden ON members (channel_pk, quiet_until) WHERE hidden;
