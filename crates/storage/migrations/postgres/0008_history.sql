-- What messages said before they were changed or deleted. updated_at and updated_by_id are those of the version kept.
CREATE TABLE message_history (
    pk BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_pk BIGINT NOT NULL,
    message_pk BIGINT NOT NULL,
    message_id TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    attachments TEXT COLLATE "C",
    custom TEXT COLLATE "C",
    is_deleted BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by_id TEXT COLLATE "C" NOT NULL
);

CREATE INDEX message_history_in_order ON message_history (app_pk, message_id, updated_at, pk);
CREATE INDEX message_history_of_message ON message_history (message_pk);
