-- Channels that users muted. expires is NULL for a lasting mute; one that is over stays until it is taken back or renewed.
CREATE TABLE channel_mutes (
    channel_pk BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    app_pk BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires BIGINT,
    PRIMARY KEY (channel_pk, user_id)
);

CREATE INDEX channel_mutes_by_user ON channel_mutes (app_pk, user_id, created_at);

-- Users that users blocked.
CREATE TABLE user_blocks (
    app_pk BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    blocked_user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (app_pk, user_id, blocked_user_id)
);

CREATE INDEX user_blocks_by_blocked ON user_blocks (app_pk, blocked_user_id, user_id);

-- When a channel was quiet for a user, because it was muted or blocked: what was sent after from_at and before until_at
-- does not count for the user. from_seq is the channel's unread_seq at from_at; until_at is the greatest number
-- while no end is known. The spans of a user in a channel do not overlap.
CREATE TABLE quiet_spans (
    channel_pk BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    from_at BIGINT NOT NULL,
    from_seq BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (channel_pk, user_id, from_at)
);

-- blocked: the channel has two members, and this one blocked the other. quiet_until: the end of the member's last
-- quiet span, 0 when there is none.
ALTER TABLE members ADD COLUMN blocked BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE members ADD COLUMN quiet_until BIGINT NOT NULL DEFAULT 0;

-- A send looks for those who hid the channel and are to see it again, and passes by those for whom it is quiet.
DROP INDEX members_hidden;
CREATE INDEX members_hidden ON members (channel_pk, quiet_until) WHERE hidden;
