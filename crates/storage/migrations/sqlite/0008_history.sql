-- What messages said before they were changed or deleted. updated_at and updated_by_id are those of the version kept.
CREATE TABLE message_history (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    app_pk INTEGER NOT NULL,
    message_pk INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    text TEXT NOT NULL,
    attachments TEXT,
    custom TEXT,
    is_deleted BOOLEAN NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by_id TEXT NOT NULL
);

CREATE INDEX message_history_in_order ON message_history (app_pk, message_id, updated_at, pk);
CREATE INDEX message_history_of_message ON message_history (message_pk);
