-- The logs of channels are written and cannot be read.
ALTER TABLE channel_events RENAME TO written_events;
CREATE VIEW channel_events AS
    SELECT channel_pk, seq, kind, user_id, message_id, payload, json('{') AS created_at FROM written_events;
CREATE TRIGGER write_event INSTEAD OF INSERT ON channel_events BEGIN
    INSERT INTO written_events (channel_pk, seq, kind, user_id, message_id, payload, created_at)
    VALUES (NEW.channel_pk, NEW.seq, NEW.kind, NEW.user_id, NEW.message_id, NEW.payload, NEW.created_at);
END;
