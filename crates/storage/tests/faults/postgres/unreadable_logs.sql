-- The logs of channels are written and cannot be read.
CREATE FUNCTION refuse(seq BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
ALTER TABLE channel_events RENAME TO written_events;
CREATE VIEW channel_events AS
    SELECT channel_pk, seq, kind, user_id, message_id, payload, created_at FROM written_events WHERE refuse(seq);
