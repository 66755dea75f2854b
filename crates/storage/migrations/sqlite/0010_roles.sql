-- The roles and the permissions that an app made beside the built-in ones. An app's version moves with them.
CREATE TABLE roles (
    app_pk INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (app_pk, name)
) WITHOUT ROWID;

-- condition is JSON, missing where the permission holds under any.
CREATE TABLE permissions (
    app_pk INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    action TEXT NOT NULL,
    owner BOOLEAN NOT NULL,
    same_team BOOLEAN NOT NULL,
    condition TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (app_pk, id)
) WITHOUT ROWID;

-- Whether anybody still has a role is asked before it is deleted.
CREATE INDEX users_by_role ON users (app_pk, role) WHERE role <> 'user' AND deleted_at IS NULL;
CREATE INDEX members_by_role ON members (channel_role)
    WHERE channel_role <> 'channel_member' AND channel_role <> 'channel_moderator';
