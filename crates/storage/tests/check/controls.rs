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
    "channel_types.app_pk":
        "INSERT INTO channel_types (app_pk, name, config, created_at, updated_at) VALUES (99, 'x', '{}', 1, 1)" /
        "DELETE FROM channel_types WHERE app_pk = 99";
    "channels.kind":
        "UPDATE channels SET kind = 'nothing', cid = 'nothing:empty' WHERE id = 'empty'" /
        "UPDATE channels SET kind = 'messaging', cid = 'messaging:empty' WHERE id = 'empty'";
    "predefined_filters.app_pk":
        "INSERT INTO predefined_filters (app_pk, name, operation, filter, description, created_at, updated_at) \
         VALUES (99, 'x', 'QueryChannels', '{}', '', 1, 1)" /
        "DELETE FROM predefined_filters WHERE app_pk = 99";
    "roles.app_pk":
        "INSERT INTO roles (app_pk, name, created_at, updated_at) VALUES (99, 'x', 1, 1)" /
        "DELETE FROM roles WHERE app_pk = 99";
    "permissions.app_pk":
        "INSERT INTO permissions (app_pk, id, name, description, action, owner, same_team, created_at, updated_at) \
         VALUES (99, 'x', 'x', '', 'ReadChannel', FALSE, TRUE, 1, 1)" /
        "DELETE FROM permissions WHERE app_pk = 99";
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
    "message_history.message_pk":
        "UPDATE message_history SET message_id = 'm1' WHERE message_id = 'm4'" /
        "UPDATE message_history SET message_id = 'm4' WHERE message_id = 'm1'";
    "threads.parent_pk":
        "UPDATE threads SET channel_pk = channel_pk + 99; \
         UPDATE thread_participants SET channel_pk = channel_pk + 99" /
        "UPDATE threads SET channel_pk = channel_pk - 99; \
         UPDATE thread_participants SET channel_pk = channel_pk - 99";
    "thread_participants.parent_pk":
        "UPDATE thread_participants SET app_pk = 99" / "UPDATE thread_participants SET app_pk = 1";
    "thread_participants.parent_pk":
        "UPDATE thread_participants SET channel_pk = channel_pk + 99" /
        "UPDATE thread_participants SET channel_pk = channel_pk - 99";
    "unread_gaps.channel_pk":
        "INSERT INTO unread_gaps (channel_pk, seq) VALUES (99, 1)" / "DELETE FROM unread_gaps WHERE channel_pk = 99";
    "thread_unread_gaps.parent_pk":
        "INSERT INTO thread_unread_gaps (parent_pk, seq) VALUES (9999, 1)" /
        "DELETE FROM thread_unread_gaps WHERE parent_pk = 9999";
    "channel_mutes.channel_pk":
        "INSERT INTO channel_mutes (channel_pk, user_id, app_pk, created_at, updated_at, expires) \
         VALUES (99, 'ann', 1, 1, 1, 0)" /
        "DELETE FROM channel_mutes WHERE channel_pk = 99";
    "channel_mutes.user_id":
        "INSERT INTO channel_mutes (channel_pk, user_id, app_pk, created_at, updated_at, expires) \
         SELECT pk, 'nobody', 1, 1, 1, 0 FROM channels WHERE id = 'one'" /
        "DELETE FROM channel_mutes WHERE user_id = 'nobody'";
    "bans.user_id":
        "INSERT INTO bans (app_pk, channel_pk, user_id, banned_by_id, reason, shadow, created_at) \
         VALUES (1, 0, 'nobody', 'ann', '', FALSE, 1)" /
        "DELETE FROM bans WHERE user_id = 'nobody'";
    "bans.channel_pk":
        "INSERT INTO bans (app_pk, channel_pk, user_id, banned_by_id, reason, shadow, created_at) \
         VALUES (1, 99, 'zoe', 'ann', '', FALSE, 1)" /
        "DELETE FROM bans WHERE channel_pk = 99";
    "future_channel_bans.user_id":
        "INSERT INTO future_channel_bans (app_pk, banned_by_id, user_id, reason, shadow, created_at) \
         VALUES (1, 'ann', 'nobody', '', FALSE, 1)" /
        "DELETE FROM future_channel_bans WHERE user_id = 'nobody'";
    "users.banned":
        "UPDATE users SET banned = TRUE WHERE id = 'zoe'" / "UPDATE users SET banned = FALSE WHERE id = 'zoe'";
    "users.banned":
        "INSERT INTO bans (app_pk, channel_pk, user_id, banned_by_id, reason, shadow, created_at, expires) \
         VALUES (1, 0, 'zoe', 'ann', '', TRUE, 1, 5); \
         UPDATE users SET shadow_banned = TRUE, ban_expires = 6 WHERE id = 'zoe'" /
        "DELETE FROM bans WHERE user_id = 'zoe'; \
         UPDATE users SET shadow_banned = FALSE, ban_expires = NULL WHERE id = 'zoe'";
    "members.banned":
        "UPDATE members SET shadow_banned = TRUE WHERE user_id = 'ann'" /
        "UPDATE members SET shadow_banned = FALSE WHERE user_id = 'ann'";
    "user_mutes.user_id":
        "INSERT INTO user_mutes (app_pk, user_id, target_id, created_at, updated_at) VALUES (1, 'zoe', 'nobody', 1, 1); \
         INSERT INTO mute_spans (app_pk, user_id, target_id, from_pk, until_pk, until_at) \
         VALUES (1, 'zoe', 'nobody', 0, 9223372036854775807, 9223372036854775807)" /
        "DELETE FROM user_mutes WHERE target_id = 'nobody'; DELETE FROM mute_spans WHERE target_id = 'nobody'";
    "mute_spans.until_at":
        "INSERT INTO user_mutes (app_pk, user_id, target_id, created_at, updated_at) VALUES (1, 'zoe', 'ann', 1, 1)" /
        "DELETE FROM user_mutes WHERE user_id = 'zoe'";
    "mute_spans.until_at":
        "INSERT INTO mute_spans (app_pk, user_id, target_id, from_pk, until_pk, until_at) \
         VALUES (1, 'zoe', 'ann', 0, 9223372036854775807, 5)" /
        "DELETE FROM mute_spans WHERE user_id = 'zoe'";
    "mute_spans.from_pk":
        "INSERT INTO mute_spans (app_pk, user_id, target_id, from_pk, until_pk, until_at) VALUES (1, 'zoe', 'ann', 0, 5, 5); \
         INSERT INTO mute_spans (app_pk, user_id, target_id, from_pk, until_pk, until_at) VALUES (1, 'zoe', 'ann', 4, 6, 5)" /
        "DELETE FROM mute_spans WHERE user_id = 'zoe'";
    "flags.message_pk":
        "INSERT INTO flags (app_pk, item_id, message_pk, channel_pk, creator_id, reporter_id, reason, created_at, updated_at) \
         VALUES (1, 'i', 9999, 1, 'ann', 'zoe', '', 1, 1)" /
        "DELETE FROM flags WHERE item_id = 'i'";
    "flags.reporter_id":
        "INSERT INTO flags (app_pk, item_id, creator_id, reporter_id, reason, created_at, updated_at) \
         VALUES (1, 'i', 'ann', 'nobody', '', 1, 1)" /
        "DELETE FROM flags WHERE item_id = 'i'";
    "flags.reviewed_at":
        "INSERT INTO flags (app_pk, item_id, creator_id, reporter_id, reason, review_result, created_at, updated_at) \
         VALUES (1, 'i', 'ann', 'zoe', '', 'fine', 1, 1)" /
        "DELETE FROM flags WHERE item_id = 'i'";
    "flags.item_id":
        "INSERT INTO flags (app_pk, item_id, creator_id, reporter_id, reason, created_at, updated_at) \
         VALUES (1, 'i', 'ann', 'zoe', '', 1, 1); \
         INSERT INTO flags (app_pk, item_id, creator_id, reporter_id, reason, created_at, updated_at) \
         VALUES (1, 'j', 'ann', 'bob', '', 1, 1)" /
        "DELETE FROM flags WHERE item_id IN ('i', 'j')";
    "user_blocks.user_id":
        "INSERT INTO user_blocks (app_pk, user_id, blocked_user_id, created_at) VALUES (1, 'zoe', 'nobody', 1)" /
        "DELETE FROM user_blocks WHERE user_id = 'zoe'";
    "user_blocks.user_id":
        "INSERT INTO user_blocks (app_pk, user_id, blocked_user_id, created_at) VALUES (1, 'zoe', 'zoe', 1)" /
        "DELETE FROM user_blocks WHERE user_id = 'zoe'";
    "quiet_spans.channel_pk":
        "INSERT INTO quiet_spans (channel_pk, user_id, from_at, from_seq, until_at) VALUES (99, 'ann', 1, 0, 2)" /
        "DELETE FROM quiet_spans WHERE channel_pk = 99";
    "channel_events.channel_pk":
        "INSERT INTO channel_events (channel_pk, seq, kind, created_at) VALUES (99, 1, 'channel.updated', 1)" /
        "DELETE FROM channel_events WHERE channel_pk = 99";

    "purges.channel_pk":
        "INSERT INTO purges (channel_pk, kind, upto, stage, below, created_at) VALUES (99, 'history', 1, 'pins', 1, 1)" /
        "DELETE FROM purges WHERE channel_pk = 99";
    "channels.cid":
        "UPDATE channels SET cid = cid || ',1' WHERE id = 'empty'" /
        "UPDATE channels SET cid = 'messaging:empty' WHERE id = 'empty'";
    "channels.history_seq":
        "UPDATE channels SET history_seq = history_seq - 1 WHERE id = 'gone'" /
        "UPDATE channels SET history_seq = history_seq + 1 WHERE id = 'gone'";
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
    "channels.messages_uncounted":
        "UPDATE channels SET messages_uncounted = message_count + 1 WHERE id = 'one'" /
        "UPDATE channels SET messages_uncounted = NULL WHERE id = 'one'";
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
    "threads.participant_count":
        "UPDATE threads SET participant_count = participant_count + 1" /
        "UPDATE threads SET participant_count = participant_count - 1";
    "thread_participants.unread":
        "UPDATE thread_participants SET unread_less = unread_less - 1 WHERE user_id = 'ann' AND has_unread" /
        "UPDATE thread_participants SET unread_less = unread_less + 1 WHERE user_id = 'ann' AND has_unread";
    "thread_participants.has_unread":
        "UPDATE thread_participants SET has_unread = NOT has_unread WHERE user_id = 'ann'" /
        "UPDATE thread_participants SET has_unread = NOT has_unread WHERE user_id = 'ann'";
    "thread_participants.has_unread":
        "UPDATE thread_participants SET last_message_at = last_message_at - 1 WHERE user_id = 'eve'" /
        "UPDATE thread_participants SET last_message_at = last_message_at + 1 WHERE user_id = 'eve'";
    "thread_participants.read_seq":
        "UPDATE thread_participants SET read_seq = read_seq + 100, unread_less = unread_less - 100 \
         WHERE user_id = 'bob'" /
        "UPDATE thread_participants SET read_seq = read_seq - 100, unread_less = unread_less + 100 \
         WHERE user_id = 'bob'";
    "threads":
        "DELETE FROM thread_participants WHERE parent_pk = (SELECT pk FROM messages WHERE id = 'm6'); \
         DELETE FROM threads WHERE parent_pk = (SELECT pk FROM messages WHERE id = 'm6')" /
        "INSERT INTO threads (parent_pk, app_pk, channel_pk, created_by_id, title, reply_seq, last_message_at, \
         created_at, updated_at) SELECT pk, app_pk, channel_pk, user_id, '', 1, 1, 1, 1 FROM messages WHERE id = 'm6'";
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
    "members.blocked":
        "INSERT INTO user_blocks (app_pk, user_id, blocked_user_id, created_at) VALUES (1, 'kim', 'ike', 1)" /
        "DELETE FROM user_blocks WHERE user_id = 'kim'";
    "members.quiet_until":
        "UPDATE members SET quiet_until = quiet_until - 1 WHERE user_id = 'lea'" /
        "UPDATE members SET quiet_until = quiet_until + 1 WHERE user_id = 'lea'";
    "quiet_spans.from_at":
        "INSERT INTO quiet_spans (channel_pk, user_id, from_at, from_seq, until_at) \
         SELECT pk, 'zoe', 5, 0, 8 FROM channels WHERE id = 'empty'; \
         INSERT INTO quiet_spans (channel_pk, user_id, from_at, from_seq, until_at) \
         SELECT pk, 'zoe', 7, 0, 9 FROM channels WHERE id = 'empty'" /
        "DELETE FROM quiet_spans WHERE user_id = 'zoe'";
    "quiet_spans.from_seq":
        "INSERT INTO quiet_spans (channel_pk, user_id, from_at, from_seq, until_at) \
         SELECT pk, 'zoe', 5, 9, 8 FROM channels WHERE id = 'one'" /
        "DELETE FROM quiet_spans WHERE user_id = 'zoe'";
    "quiet_spans.until_at":
        "INSERT INTO channel_mutes (channel_pk, user_id, app_pk, created_at, updated_at) \
         SELECT pk, 'zoe', 1, 1, 1 FROM channels WHERE id = 'empty'" /
        "DELETE FROM channel_mutes WHERE user_id = 'zoe'";
    "quiet_spans.ends":
        "INSERT INTO quiet_spans (channel_pk, user_id, from_at, from_seq, until_at) \
         SELECT pk, 'zoe', 5, 0, 9223372036854775807 FROM channels WHERE id = 'empty'" /
        "DELETE FROM quiet_spans WHERE user_id = 'zoe'";
    "members.unread":
        "UPDATE quiet_spans SET until_at = until_at + 2000000000 WHERE user_id = 'kim' AND from_at = \
         (SELECT MIN(from_at) FROM quiet_spans WHERE user_id = 'kim'); \
         UPDATE members SET unread_less = unread_less - 1 WHERE user_id = 'kim'" /
        "UPDATE quiet_spans SET until_at = until_at - 2000000000 WHERE user_id = 'kim' AND from_at = \
         (SELECT MIN(from_at) FROM quiet_spans WHERE user_id = 'kim'); \
         UPDATE members SET unread_less = unread_less + 1 WHERE user_id = 'kim'";
    "unread_gaps.seq":
        "INSERT INTO unread_gaps (channel_pk, seq) SELECT pk, 1 FROM channels WHERE id = 'one'" /
        "DELETE FROM unread_gaps WHERE seq = 1";
    "thread_unread_gaps.seq":
        "INSERT INTO thread_unread_gaps (parent_pk, seq) SELECT pk, 1 FROM messages WHERE id = 'm3'" /
        "DELETE FROM thread_unread_gaps WHERE seq = 1";
    "message_history.updated_at":
        "UPDATE message_history SET updated_at = 1 WHERE message_id = 'm4'" /
        "UPDATE message_history SET updated_at = (SELECT created_at FROM messages WHERE id = 'm4') \
         WHERE message_id = 'm4'";
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
