-- Ids that the server makes are a user's id and a UUID that grows with time. The index of ids goes by the UUID first, so
-- that new messages lie together where it is written, whoever sends them. No id holds a comma, so two ids have two keys.
ALTER TABLE messages ADD COLUMN id_key TEXT COLLATE "C" GENERATED ALWAYS AS (
        CASE WHEN length(id) > 37 AND octet_length(id) = length(id)
            AND substr(id, length(id) - 36, 1) = '-'
        THEN substr(id, length(id) - 35) || ',' || substr(id, 1, length(id) - 37) ELSE id END
    ) STORED;
DROP INDEX messages_by_id;
CREATE UNIQUE INDEX messages_by_id ON messages (app_pk, id_key);
