-- version moves with every change of the app's secret, settings and channel types: what was cached under another one
-- is stale. settings is JSON of those that were set.
ALTER TABLE apps ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE apps ADD COLUMN settings TEXT COLLATE "C";

-- The app's own channel types, and the built-in ones that it changed. config is JSON of all settings; grants is
-- missing in it while those are the defaults.
CREATE TABLE channel_types (
    app_pk BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    config TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (app_pk, name)
);

CREATE TABLE predefined_filters (
    app_pk BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    filter TEXT COLLATE "C" NOT NULL,
    sort TEXT COLLATE "C",
    description TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (app_pk, name)
);

-- How many of a channel's messages are not counted in what is shown, because they were there when its type began to
-- count; NULL while it does not count.
ALTER TABLE channels ADD COLUMN messages_uncounted BIGINT;
UPDATE channels SET messages_uncounted = 0;

-- The user's name without white space and special characters, in lower case; NULL when nothing is left of it.
ALTER TABLE users ADD COLUMN name_key TEXT COLLATE "C";
UPDATE users SET name_key =
    NULLIF(LOWER(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(name, ' ', ''), '_', ''), '-', ''), '.', ''), '''', '')), '');
CREATE INDEX users_by_name ON users (app_pk, name_key) WHERE name_key IS NOT NULL;

-- Whether a type has channels is asked before it is deleted.
CREATE INDEX channels_of_type ON channels (app_pk, kind) WHERE deleted_at IS NULL;
