-- history_seq is the channel's unread_seq at the moment history_from: nothing before it is unread for anybody, so that
-- taking the history away from all members writes one row.
ALTER TABLE channels ADD COLUMN history_seq INTEGER NOT NULL DEFAULT 0;

UPDATE channels SET history_seq = COALESCE((SELECT m.unread_seq FROM messages m WHERE m.channel_pk = channels.pk
    AND m.in_channel AND m.created_at <= channels.history_from ORDER BY m.created_at DESC LIMIT 1), 0)
WHERE history_from > 0;

-- Members whose unread number is corrected are few; those behind a new history_from are looked up here.
CREATE INDEX members_corrected ON members (channel_pk, user_id) WHERE unread_less <> 0;

-- Whether the message of a gap is still stored.
CREATE INDEX messages_deleted ON messages (channel_pk, unread_seq) WHERE deleted_at IS NOT NULL;

-- What nobody sees any more and is still to be removed, in small steps. upto is the moment up to which messages go;
-- stage and below say how far it got: messages are removed from the newest to the oldest, replies before their parents.
CREATE TABLE purges (
    pk INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_pk INTEGER NOT NULL,
    kind TEXT NOT NULL,
    upto INTEGER NOT NULL,
    stage TEXT NOT NULL,
    below INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE INDEX purges_of_channel ON purges (channel_pk);
