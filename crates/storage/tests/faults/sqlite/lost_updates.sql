-- The number of members is written back as it was before somebody left, as a lost update leaves it.
CREATE TRIGGER fault AFTER DELETE ON members BEGIN
    UPDATE channels SET member_count = member_count + 1 WHERE pk = OLD.channel_pk;
END;
