-- What a user's threads are listed and counted by stands in the row of the participation, so that the newest threads of
-- a user with thousands of them come from an index: has_unread says whether there are replies to read, last_message_at
-- is a copy of the thread's. unread_less is what to take off the difference of reply_seq and read_seq for own replies.
ALTER TABLE threads ADD COLUMN participant_count INTEGER NOT NULL DEFAULT 0;
UPDATE threads SET participant_count =
    (SELECT COUNT(*) FROM thread_participants p WHERE p.parent_pk = threads.parent_pk);

ALTER TABLE thread_participants ADD COLUMN channel_pk INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thread_participants ADD COLUMN unread_less INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thread_participants ADD COLUMN has_unread BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE thread_participants ADD COLUMN last_message_at INTEGER NOT NULL DEFAULT 0;
UPDATE thread_participants SET
    channel_pk = (SELECT t.channel_pk FROM threads t WHERE t.parent_pk = thread_participants.parent_pk),
    last_message_at = (SELECT t.last_message_at FROM threads t WHERE t.parent_pk = thread_participants.parent_pk),
    has_unread = (SELECT t.reply_seq FROM threads t WHERE t.parent_pk = thread_participants.parent_pk) - read_seq
        - (SELECT COUNT(*) FROM thread_unread_gaps g WHERE g.parent_pk = thread_participants.parent_pk
            AND g.seq > thread_participants.read_seq) > 0;

DROP INDEX thread_participants_by_user;
-- A user's threads, unread ones first, then the latest.
CREATE INDEX thread_participants_in_order
    ON thread_participants (app_pk, user_id, has_unread DESC, last_message_at DESC, parent_pk);
-- Counts a user's unread threads by channel, without a look at the rows.
CREATE INDEX thread_participants_unread
    ON thread_participants (app_pk, user_id, channel_pk, has_unread) WHERE has_unread;

-- Threads with so many participants that a job brings their rows up to date, those behind after_user_id next.
CREATE TABLE thread_queue (
    parent_pk INTEGER PRIMARY KEY,
    after_user_id TEXT NOT NULL
);
