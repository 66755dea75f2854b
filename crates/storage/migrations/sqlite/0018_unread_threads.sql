-- The channels whose beginning a user does not see are few: they are looked for among these.
CREATE INDEX members_from_history ON members (app_pk, user_id, channel_pk, hide_messages_before)
    WHERE hide_messages_before IS NOT NULL;
