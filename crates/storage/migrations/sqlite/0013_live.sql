-- Who is connected, as far as others may know.
ALTER TABLE users ADD COLUMN online BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX users_online ON users (app_pk, id) WHERE online;

-- Those who see less of a channel than others: an event about an older message does not go to them.
CREATE INDEX members_history ON members (channel_pk, hide_messages_before) WHERE hide_messages_before IS NOT NULL;
