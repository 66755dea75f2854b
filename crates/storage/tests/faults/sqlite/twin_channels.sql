-- Each channel that is created is there twice, as when two creators did not see each other.
CREATE TRIGGER fault AFTER INSERT ON channels WHEN NEW.cid NOT LIKE '%-twin' BEGIN
    INSERT INTO channels (app_pk, kind, id, cid, created_by_id, frozen, disabled, cooldown, auto_translation_enabled,
        created_at, updated_at, clock_at, member_count, message_count, version, event_seq, unread_seq, history_from)
    VALUES (NEW.app_pk, NEW.kind, NEW.id || '-twin', NEW.cid || '-twin', NEW.created_by_id, FALSE, FALSE, 0, FALSE,
        NEW.created_at, NEW.updated_at, NEW.clock_at, 0, 0, 1, 0, 0, 0);
END;
