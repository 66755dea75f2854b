-- Work that goes on after the call that asked for it was answered. payload is what to do, progress how far it has come,
-- result what became of each thing it is about, all as JSON. Whoever works on a task holds it until leased_until and
-- knows the number of the lease; attempts counts the leases since the last progress.
CREATE TABLE tasks (
    id TEXT NOT NULL PRIMARY KEY,
    app_pk INTEGER NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    progress TEXT,
    status TEXT NOT NULL,
    result TEXT,
    error TEXT,
    attempts INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;

-- The next task to be worked on is the one whose lease ran out first.
CREATE INDEX tasks_open ON tasks (leased_until, id) WHERE status IN ('waiting', 'running');
CREATE INDEX tasks_ended ON tasks (updated_at) WHERE status IN ('completed', 'failed');

-- How a deleted user was deleted: soft, pruning or hard. A soft deletion can be undone.
ALTER TABLE users ADD COLUMN deletion TEXT;

-- The deactivated_at of the deactivation of its author that deleted a message, or of its creator that deleted a
-- channel, so that reactivation brings back exactly these. history_before and
-- history_seq_before are where the channel's history began until then.
ALTER TABLE messages ADD COLUMN deleted_with_user_at INTEGER;
ALTER TABLE channels ADD COLUMN deleted_with_user_at INTEGER;
ALTER TABLE channels ADD COLUMN history_before INTEGER;
ALTER TABLE channels ADD COLUMN history_seq_before INTEGER;

-- What is a user's, for deactivation and deletion.
CREATE INDEX messages_of_user ON messages (app_pk, user_id, channel_pk, pk);
CREATE INDEX messages_deleted_with_user ON messages (app_pk, user_id, channel_pk, pk)
    WHERE deleted_with_user_at IS NOT NULL;
CREATE INDEX channels_of_creator ON channels (app_pk, created_by_id, pk);
CREATE INDEX reactions_of_user ON reactions (user_id, message_pk);
