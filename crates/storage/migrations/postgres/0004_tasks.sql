-- Work that goes on after the call that asked for it was answered. payload is what to do, progress how far it has come,
-- result what became of each thing it is about, all as JSON. Whoever works on a task holds it until leased_until and
-- knows the number of the lease; attempts counts the leases since the last progress.
CREATE TABLE tasks (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    app_pk BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    progress TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL,
    result TEXT COLLATE "C",
    error TEXT COLLATE "C",
    attempts BIGINT NOT NULL,
    lease BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The next task to be worked on is the one whose lease ran out first.
CREATE INDEX tasks_open ON tasks (leased_until, id) WHERE status IN ('waiting', 'running');
CREATE INDEX tasks_ended ON tasks (updated_at) WHERE status IN ('completed', 'failed');

-- How a deleted user was deleted: soft, pruning or hard. A soft deletion can be undone.
ALTER TABLE users ADD COLUMN deletion TEXT COLLATE "C";

-- The deactivated_at of the deactivation of its author that deleted a message, or of its creator that deleted a
-- channel, so that reactivation brings back exactly these. history_before and
-- history_seq_before are where the channel's history began until then.
ALTER TABLE messages ADD COLUMN deleted_with_user_at BIGINT;
ALTER TABLE channels ADD COLUMN deleted_with_user_at BIGINT;
ALTER TABLE channels ADD COLUMN history_before BIGINT;
ALTER TABLE channels ADD COLUMN history_seq_before BIGINT;

-- What is a user's, for deactivation and deletion.
CREATE INDEX messages_of_user ON messages (app_pk, user_id, channel_pk, pk);
CREATE INDEX messages_deleted_with_user ON messages (app_pk, user_id, channel_pk, pk)
    WHERE deleted_with_user_at IS NOT NULL;
CREATE INDEX channels_of_creator ON channels (app_pk, created_by_id, pk);
CREATE INDEX reactions_of_user ON reactions (user_id, message_pk);
