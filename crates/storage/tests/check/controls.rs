//! What is wrong with a database for each rule.

/// What is changed by hand, which rule that breaks, and how it is taken back.
pub struct Control {
    pub rule: &'static str,
    pub damage: &'static str,
    pub repair: &'static str,
}

macro_rules! controls {
    ($($rule:literal: $damage:literal / $repair:literal;)*) => {
        &[$(Control { rule: $rule, damage: $damage, repair: $repair }),*]
    };
}

pub const CONTROLS: &[Control] = controls! {
    "users.app_pk":
        "UPDATE users SET app_pk = 99 WHERE id = 'zoe'" / "UPDATE users SET app_pk = 1 WHERE id = 'zoe'";
    "channels.app_pk":
        "UPDATE channels SET app_pk = 99 WHERE id = 'empty'" / "UPDATE channels SET app_pk = 1 WHERE id = 'empty'";
    "members.channel_pk":
        "INSERT INTO members (channel_pk, user_id, app_pk, channel_role, invited, banned, shadow_banned, \
         notifications_muted, hidden, read_seq, read_up_to, unread_less, last_read, created_at, updated_at) VALUES (99, 'zoe', 1, \
         'channel_member', FALSE, FALSE, FALSE, FALSE, FALSE, 0, 0, 0, 0, 0, 0)" /
        "DELETE FROM members WHERE channel_pk = 99";
    "members.user_id":
        "UPDATE members SET user_id = 'nobody' WHERE user_id = 'dan'" /
        "UPDATE members SET user_id = 'dan' WHERE user_id = 'nobody'";
    "messages.channel_pk":
        "UPDATE messages SET app_pk = 99 WHERE id = 'm2'" / "UPDATE messages SET app_pk = 1 WHERE id = 'm2'";
    "messages.parent_pk":
        "UPDATE messages SET parent_id = 'm1' WHERE id = 'r1'" / "UPDATE messages SET parent_id = 'm3' WHERE id = 'r1'";
    "messages.parent_pk":
        "UPDATE messages SET parent_id = 'm1' WHERE id = 'm2'" / "UPDATE messages SET parent_id = NULL WHERE id = 'm2'";
    "reactions.message_pk":
        "INSERT INTO reactions (message_pk, user_id, kind, score, created_at, updated_at) \
         VALUES (9999, 'ann', 'like', 1, 1, 1)" /
        "DELETE FROM reactions WHERE message_pk = 9999";
    "message_hidden_for.message_pk":
        "UPDATE message_hidden_for SET channel_pk = channel_pk + 99" /
        "UPDATE message_hidden_for SET channel_pk = channel_pk - 99";
    "threads.parent_pk":
        "UPDATE threads SET channel_pk = channel_pk + 99" / "UPDATE threads SET channel_pk = channel_pk - 99";
    "thread_participants.parent_pk":
        "UPDATE thread_participants SET app_pk = 99" / "UPDATE thread_participants SET app_pk = 1";
    "unread_gaps.channel_pk":
        "INSERT INTO unread_gaps (channel_pk, seq) VALUES (99, 1)" / "DELETE FROM unread_gaps WHERE channel_pk = 99";
    "thread_unread_gaps.parent_pk":
        "INSERT INTO thread_unread_gaps (parent_pk, seq) VALUES (9999, 1)" /
        "DELETE FROM thread_unread_gaps WHERE parent_pk = 9999";
    "channel_events.channel_pk":
        "INSERT INTO channel_events (channel_pk, seq, kind, created_at) VALUES (99, 1, 'channel.updated', 1)" /
        "DELETE FROM channel_events WHERE channel_pk = 99";

    "tasks.app_pk": "UPDATE tasks SET app_pk = 99" / "UPDATE tasks SET app_pk = 1";
    "tasks.status": "UPDATE tasks SET status = 'failed'" / "UPDATE tasks SET status = 'completed'";
    "users.deletion":
        "UPDATE users SET deleted_at = 5 WHERE id = 'zoe'" / "UPDATE users SET deleted_at = NULL WHERE id = 'zoe'";

    "channels.member_count":
        "UPDATE channels SET member_count = member_count + 1 WHERE id = 'one'" /
        "UPDATE channels SET member_count = member_count - 1 WHERE id = 'one'";
    "channels.message_count":
        "UPDATE channels SET message_count = message_count - 1 WHERE id = 'one'" /
        "UPDATE channels SET message_count = message_count + 1 WHERE id = 'one'";
    "channels.last_message_at":
        "UPDATE channels SET last_message_at = last_message_at + 1 WHERE id = 'one'" /
        "UPDATE channels SET last_message_at = last_message_at - 1 WHERE id = 'one'";
    "channels.last_message_at":
        "UPDATE channels SET last_message_at = last_message_at - 1 WHERE id = 'one'" /
        "UPDATE channels SET last_message_at = last_message_at + 1 WHERE id = 'one'";
    "channels.last_message_at":
        "UPDATE channels SET last_message_at = 1 WHERE id = 'empty'" /
        "UPDATE channels SET last_message_at = NULL WHERE id = 'empty'";
    "channels.clock_at":
        "UPDATE channels SET clock_at = clock_at - 100000000000 WHERE id = 'one'" /
        "UPDATE channels SET clock_at = clock_at + 100000000000 WHERE id = 'one'";
    "channels.unread_seq":
        "UPDATE messages SET unread_seq = unread_seq + 100 WHERE id = 'silent'" /
        "UPDATE messages SET unread_seq = unread_seq - 100 WHERE id = 'silent'";
    "channels.event_seq":
        "UPDATE channels SET event_seq = event_seq + 1 WHERE id = 'one'" /
        "UPDATE channels SET event_seq = event_seq - 1 WHERE id = 'one'";
    "channel_events.seq":
        "UPDATE channel_events SET seq = seq - 1000 WHERE seq = 1" /
        "UPDATE channel_events SET seq = seq + 1000 WHERE seq = -999";
    "users.event_seq":
        "UPDATE users SET event_seq = event_seq - 1 WHERE id = 'ann'" /
        "UPDATE users SET event_seq = event_seq + 1 WHERE id = 'ann'";
    "users.event_seq":
        "UPDATE user_events SET user_id = 'nobody'" / "UPDATE user_events SET user_id = 'ann'";

    "messages.created_at":
        "UPDATE messages SET created_at = created_at - 5000000000 WHERE id = 'm2'" /
        "UPDATE messages SET created_at = created_at + 5000000000 WHERE id = 'm2'";
    "messages.unread_seq":
        "UPDATE messages SET unread_seq = unread_seq - 1 WHERE id = 'm2'" /
        "UPDATE messages SET unread_seq = unread_seq + 1 WHERE id = 'm2'";
    "messages.counts_unread":
        "UPDATE messages SET silent = TRUE WHERE id = 'm1'" / "UPDATE messages SET silent = FALSE WHERE id = 'm1'";
    "messages.reply_count":
        "UPDATE messages SET reply_count = reply_count + 1 WHERE id = 'm3'" /
        "UPDATE messages SET reply_count = reply_count - 1 WHERE id = 'm3'";
    "messages.deleted_reply_count":
        "UPDATE messages SET deleted_reply_count = deleted_reply_count + 1 WHERE id = 'm3'" /
        "UPDATE messages SET deleted_reply_count = deleted_reply_count - 1 WHERE id = 'm3'";
    "messages.thread_seq":
        "UPDATE messages SET thread_seq = NULL WHERE id = 'r1'" / "UPDATE messages SET thread_seq = 1 WHERE id = 'r1'";
    "messages.thread_seq":
        "UPDATE messages SET thread_seq = 2 WHERE id = 'r1'" / "UPDATE messages SET thread_seq = 1 WHERE id = 'r1'";
    "threads.reply_seq":
        "UPDATE messages SET thread_seq = thread_seq + 100 WHERE id = 'r3'" /
        "UPDATE messages SET thread_seq = thread_seq - 100 WHERE id = 'r3'";
    "threads":
        "DELETE FROM thread_participants WHERE parent_pk = (SELECT pk FROM messages WHERE id = 'm6'); \
         DELETE FROM threads WHERE parent_pk = (SELECT pk FROM messages WHERE id = 'm6')" /
        "INSERT INTO threads (parent_pk, app_pk, channel_pk, created_by_id, title, reply_seq, last_message_at, \
         created_at, updated_at) SELECT pk, app_pk, channel_pk, user_id, '', 1, 1, 1, 1 FROM messages WHERE id = 'm6'";
    "thread_participants.read_seq":
        "UPDATE thread_participants SET read_seq = read_seq + 100 WHERE user_id = 'bob'" /
        "UPDATE thread_participants SET read_seq = read_seq - 100 WHERE user_id = 'bob'";
    "members.read_seq":
        "UPDATE members SET read_seq = read_seq + 100, unread_less = unread_less - 100 WHERE user_id = 'bob'" /
        "UPDATE members SET read_seq = read_seq - 100, unread_less = unread_less + 100 WHERE user_id = 'bob'";
    "members.unread":
        "UPDATE members SET unread_less = unread_less + 1 WHERE user_id = 'ann'" /
        "UPDATE members SET unread_less = unread_less - 1 WHERE user_id = 'ann'";
    "members.unread":
        "UPDATE members SET read_seq = read_seq - 1 WHERE user_id = 'bob' AND read_seq > 1; \
         UPDATE members SET unread_less = unread_less - 5 WHERE user_id = 'bob' AND read_seq > 1" /
        "UPDATE members SET unread_less = unread_less + 5 WHERE user_id = 'bob' AND read_seq > 1; \
         UPDATE members SET read_seq = read_seq + 1 WHERE user_id = 'bob' AND read_seq > 1";
    "unread_gaps.seq":
        "INSERT INTO unread_gaps (channel_pk, seq) SELECT pk, 1 FROM channels WHERE id = 'one'" /
        "DELETE FROM unread_gaps WHERE seq = 1";
    "messages.reactions":
        "UPDATE reactions SET score = score + 1 WHERE user_id = 'ann'" /
        "UPDATE reactions SET score = score - 1 WHERE user_id = 'ann'";
    "messages.reactions":
        "UPDATE reactions SET created_at = created_at - 1 WHERE kind = 'wow'" /
        "UPDATE reactions SET created_at = created_at + 1 WHERE kind = 'wow'";
    "messages.reactions":
        "UPDATE messages SET reactions = '{\"groups\":{},\"latest\":[]}' WHERE id = 'm2'; \
         UPDATE messages SET reactions = REPLACE(reactions, '\"count\"', '\"sum\"') WHERE id = 'm1'" /
        "UPDATE messages SET reactions = NULL WHERE id = 'm2'; \
         UPDATE messages SET reactions = REPLACE(reactions, '\"sum\"', '\"count\"') WHERE id = 'm1'";
};
