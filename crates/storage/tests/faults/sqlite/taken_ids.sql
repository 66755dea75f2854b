-- An id may be given to several messages.
DROP INDEX messages_by_id;
CREATE INDEX messages_by_id ON messages (app_pk, id_key);
