-- Counting a user's unread threads looks at the row of each as long as vacuum has not been there. In this index they come in
-- the order in which the rows lie, and each has an entry of its own, so that those of older versions can be passed over.
DROP INDEX thread_participants_unread;
CREATE INDEX thread_participants_unread ON thread_participants (app_pk, user_id) INCLUDE (channel_pk) WHERE has_unread;

-- The channels whose beginning a user does not see are few: they are looked for among these.
CREATE INDEX members_from_history ON members (app_pk, user_id, channel_pk, hide_messages_before)
    WHERE hide_messages_before IS NOT NULL;
