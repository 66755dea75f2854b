-- The roles and the permissions that an app made beside the built-in ones. An app's version moves with them.
CREATE TABLE roles (
    app_pk BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (app_pk, name)
);

-- condition is JSON, missing where the permission holds under any.
CREATE TABLE permissions (
    app_pk BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    owner BOOLEAN NOT NULL,
    same_team BOOLEAN NOT NULL,
    condition TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (app_pk, id)
);

-- Whether anybody still has a role is asked before it is deleted.
CREATE INDEX users_by_role ON users (app_pk, role) WHERE role <> 'user' AND deleted_at IS NULL;
CREATE INDEX members_by_role ON members (channel_role)
    WHERE channel_role <> 'channel_member' AND channel_role <> 'channel_moderator';
