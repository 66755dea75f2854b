/// A rule that one query checks.
pub(super) struct Rule {
    pub(super) name: &'static str,
    /// What has to hold.
    pub(super) requires: &'static str,
    /// Finds the rows that break it: `subject` names the row, `found` and `expected` are numbers or `NULL`.
    pub(super) broken: &'static str,
}

macro_rules! rules {
    ($($name:literal, $requires:literal, $broken:literal;)*) => {
        &[$(Rule { name: $name, requires: $requires, broken: $broken }),*]
    };
}

pub(super) const RULES: &[Rule] = rules! {
    "users.app_pk", "the app of every user is there",
        "SELECT u.id AS subject, u.app_pk AS found, NULL AS expected \
         FROM users u LEFT JOIN apps a ON a.pk = u.app_pk WHERE a.pk IS NULL";
    "channels.app_pk", "the app of every channel is there",
        "SELECT c.cid AS subject, c.app_pk AS found, NULL AS expected \
         FROM channels c LEFT JOIN apps a ON a.pk = c.app_pk WHERE a.pk IS NULL";
    "channel_types.app_pk", "the app of every channel type is there",
        "SELECT t.name AS subject, t.app_pk AS found, NULL AS expected \
         FROM channel_types t LEFT JOIN apps a ON a.pk = t.app_pk WHERE a.pk IS NULL";
    "channels.kind", "the type of every channel that is not deleted is built in or stored",
        "SELECT c.cid AS subject, NULL AS found, NULL AS expected FROM channels c \
         LEFT JOIN channel_types t ON t.app_pk = c.app_pk AND t.name = c.kind \
         WHERE c.deleted_at IS NULL AND t.name IS NULL \
         AND c.kind NOT IN ('commerce', 'gaming', 'livestream', 'messaging', 'team')";
    "predefined_filters.app_pk", "the app of every predefined filter is there",
        "SELECT f.name AS subject, f.app_pk AS found, NULL AS expected \
         FROM predefined_filters f LEFT JOIN apps a ON a.pk = f.app_pk WHERE a.pk IS NULL";
    "roles.app_pk", "the app of every role is there",
        "SELECT r.name AS subject, r.app_pk AS found, NULL AS expected \
         FROM roles r LEFT JOIN apps a ON a.pk = r.app_pk WHERE a.pk IS NULL";
    "permissions.app_pk", "the app of every permission is there",
        "SELECT p.id AS subject, p.app_pk AS found, NULL AS expected \
         FROM permissions p LEFT JOIN apps a ON a.pk = p.app_pk WHERE a.pk IS NULL";
    "members.channel_pk", "the channel of every member is there, in the same app",
        "SELECT m.user_id AS subject, m.channel_pk AS found, NULL AS expected \
         FROM members m LEFT JOIN channels c ON c.pk = m.channel_pk AND c.app_pk = m.app_pk WHERE c.pk IS NULL";
    "members.user_id", "the user of every member is there",
        "SELECT m.user_id AS subject, m.channel_pk AS found, NULL AS expected \
         FROM members m LEFT JOIN users u ON u.app_pk = m.app_pk AND u.id = m.user_id WHERE u.id IS NULL";
    "messages.channel_pk", "the channel of every message is there, in the same app",
        "SELECT m.id AS subject, m.channel_pk AS found, NULL AS expected \
         FROM messages m LEFT JOIN channels c ON c.pk = m.channel_pk AND c.app_pk = m.app_pk WHERE c.pk IS NULL";
    "messages.parent_pk",
        "the parent of every reply is there, in the same channel, under the given id unless that was needed before the \
         message is purged, and is no reply; what is not a reply stands in the channel",
        "SELECT m.id AS subject, m.parent_pk AS found, NULL AS expected \
         FROM messages m LEFT JOIN messages p ON p.pk = m.parent_pk \
         WHERE CASE WHEN m.parent_pk IS NULL THEN m.parent_id IS NOT NULL OR NOT m.in_channel \
         ELSE p.pk IS NULL OR p.channel_pk <> m.channel_pk OR m.parent_id IS NULL OR p.parent_pk IS NOT NULL \
         OR (p.id <> m.parent_id AND p.id NOT LIKE ',%') END";
    "reactions.message_pk", "the message of every reaction is there",
        "SELECT r.user_id AS subject, r.message_pk AS found, NULL AS expected \
         FROM reactions r LEFT JOIN messages m ON m.pk = r.message_pk WHERE m.pk IS NULL";
    "message_hidden_for.message_pk", "the message of every deletion for one user is there, in the given channel",
        "SELECT h.user_id AS subject, h.message_pk AS found, NULL AS expected FROM message_hidden_for h \
         LEFT JOIN messages m ON m.pk = h.message_pk AND m.channel_pk = h.channel_pk WHERE m.pk IS NULL";
    "message_history.message_pk", "the message of every version kept is there, in the given app, under the given id",
        "SELECT h.message_id AS subject, h.message_pk AS found, NULL AS expected FROM message_history h \
         LEFT JOIN messages m ON m.pk = h.message_pk AND m.app_pk = h.app_pk AND m.id = h.message_id \
         WHERE m.pk IS NULL";
    "threads.parent_pk", "the parent of every thread is there, in the given channel and app",
        "SELECT CAST(t.parent_pk AS TEXT) AS subject, t.channel_pk AS found, NULL AS expected FROM threads t \
         LEFT JOIN messages m ON m.pk = t.parent_pk AND m.channel_pk = t.channel_pk AND m.app_pk = t.app_pk \
         WHERE m.pk IS NULL";
    "thread_participants.parent_pk", "the thread of everyone who takes part is there, in the same channel and app",
        "SELECT p.user_id AS subject, p.parent_pk AS found, NULL AS expected FROM thread_participants p \
         LEFT JOIN threads t ON t.parent_pk = p.parent_pk AND t.app_pk = p.app_pk AND t.channel_pk = p.channel_pk \
         WHERE t.parent_pk IS NULL";
    "unread_gaps.channel_pk", "the channel of every gap is there",
        "SELECT CAST(g.channel_pk AS TEXT) AS subject, g.seq AS found, NULL AS expected \
         FROM unread_gaps g LEFT JOIN channels c ON c.pk = g.channel_pk WHERE c.pk IS NULL";
    "thread_unread_gaps.parent_pk", "the thread of every gap is there",
        "SELECT CAST(g.parent_pk AS TEXT) AS subject, g.seq AS found, NULL AS expected \
         FROM thread_unread_gaps g LEFT JOIN threads t ON t.parent_pk = g.parent_pk WHERE t.parent_pk IS NULL";
    "channel_mutes.channel_pk", "the channel of every mute is there, in the same app",
        "SELECT x.user_id AS subject, x.channel_pk AS found, NULL AS expected \
         FROM channel_mutes x LEFT JOIN channels c ON c.pk = x.channel_pk AND c.app_pk = x.app_pk WHERE c.pk IS NULL";
    "channel_mutes.user_id", "the user of every mute is there",
        "SELECT x.user_id AS subject, x.channel_pk AS found, NULL AS expected \
         FROM channel_mutes x LEFT JOIN users u ON u.app_pk = x.app_pk AND u.id = x.user_id WHERE u.id IS NULL";
    "user_blocks.user_id", "both users of every block are there, and are two",
        "SELECT b.user_id AS subject, b.app_pk AS found, NULL AS expected FROM user_blocks b \
         LEFT JOIN users u ON u.app_pk = b.app_pk AND u.id = b.user_id \
         LEFT JOIN users o ON o.app_pk = b.app_pk AND o.id = b.blocked_user_id \
         WHERE u.id IS NULL OR o.id IS NULL OR b.user_id = b.blocked_user_id";
    "bans.user_id", "the user of every ban is there",
        "SELECT b.user_id AS subject, b.channel_pk AS found, NULL AS expected FROM bans b \
         LEFT JOIN users u ON u.app_pk = b.app_pk AND u.id = b.user_id WHERE u.id IS NULL";
    "bans.channel_pk", "the channel of every ban is there, in the same app, unless it is one from the whole app",
        "SELECT b.user_id AS subject, b.channel_pk AS found, NULL AS expected FROM bans b \
         LEFT JOIN channels c ON c.pk = b.channel_pk AND c.app_pk = b.app_pk WHERE b.channel_pk <> 0 AND c.pk IS NULL";
    "future_channel_bans.user_id", "both users of every ban from later channels are there",
        "SELECT b.user_id AS subject, NULL AS found, NULL AS expected FROM future_channel_bans b \
         LEFT JOIN users u ON u.app_pk = b.app_pk AND u.id = b.user_id \
         LEFT JOIN users o ON o.app_pk = b.app_pk AND o.id = b.banned_by_id WHERE u.id IS NULL OR o.id IS NULL";
    "users.banned", "what a user's row says about a ban from the whole app is what the ban says",
        "SELECT u.id AS subject, u.ban_expires AS found, b.expires AS expected FROM users u \
         LEFT JOIN bans b ON b.app_pk = u.app_pk AND b.channel_pk = 0 AND b.user_id = u.id \
         WHERE u.banned <> COALESCE(NOT b.shadow, FALSE) OR u.shadow_banned <> COALESCE(b.shadow, FALSE) \
         OR COALESCE(u.ban_expires, 0) <> COALESCE(b.expires, 0)";
    "members.banned", "what a member's row says about a ban from the channel is what the ban says",
        "SELECT m.user_id AS subject, m.ban_expires AS found, b.expires AS expected FROM members m \
         LEFT JOIN bans b ON b.app_pk = m.app_pk AND b.channel_pk = m.channel_pk AND b.user_id = m.user_id \
         WHERE NOT EXISTS (SELECT 1 FROM purges p WHERE p.channel_pk = m.channel_pk AND p.kind = 'channel') \
         AND (m.banned <> COALESCE(NOT b.shadow, FALSE) OR m.shadow_banned <> COALESCE(b.shadow, FALSE) \
         OR COALESCE(m.ban_expires, 0) <> COALESCE(b.expires, 0))";
    "user_mutes.user_id", "both users of every mute are there, and are two",
        "SELECT x.user_id AS subject, NULL AS found, NULL AS expected FROM user_mutes x \
         LEFT JOIN users u ON u.app_pk = x.app_pk AND u.id = x.user_id \
         LEFT JOIN users o ON o.app_pk = x.app_pk AND o.id = x.target_id \
         WHERE u.id IS NULL OR o.id IS NULL OR x.user_id = x.target_id";
    "mute_spans.until_at", "the span that goes on of every mute ends with it, and there is no other that goes on",
        "SELECT COALESCE(x.user_id, k.user_id) AS subject, k.until_at AS found, x.expires AS expected FROM \
         (SELECT * FROM mute_spans WHERE until_pk = 9223372036854775807) k \
         FULL JOIN user_mutes x ON x.app_pk = k.app_pk AND x.user_id = k.user_id AND x.target_id = k.target_id \
         WHERE COALESCE(k.until_at, 0) <> COALESCE(x.expires, CASE WHEN x.user_id IS NULL THEN 0 ELSE 9223372036854775807 END)";
    "mute_spans.from_pk", "the spans of a mute begin before they end and do not overlap",
        "SELECT n.user_id AS subject, n.from_pk AS found, n.earlier AS expected FROM (SELECT k.user_id, k.from_pk, \
         k.until_pk, LAG(k.until_pk) OVER (PARTITION BY k.app_pk, k.user_id, k.target_id ORDER BY k.from_pk) AS earlier \
         FROM mute_spans k) n WHERE n.until_pk < n.from_pk OR n.from_pk < n.earlier";
    "flags.message_pk", "the message of every flag is there, in the same channel and by the same user",
        "SELECT f.reporter_id AS subject, f.message_pk AS found, NULL AS expected FROM flags f \
         LEFT JOIN messages m ON m.pk = f.message_pk AND m.app_pk = f.app_pk AND m.channel_pk = f.channel_pk \
         AND m.user_id = f.creator_id WHERE (f.message_pk IS NULL) <> (f.channel_pk IS NULL) \
         OR (f.message_pk IS NOT NULL AND m.pk IS NULL)";
    "flags.reporter_id", "the users of every flag are there",
        "SELECT f.reporter_id AS subject, f.pk AS found, NULL AS expected FROM flags f \
         LEFT JOIN users u ON u.app_pk = f.app_pk AND u.id = f.reporter_id \
         LEFT JOIN users o ON o.app_pk = f.app_pk AND o.id = f.creator_id WHERE u.id IS NULL OR o.id IS NULL";
    "flags.reviewed_at", "what was decided about a flag is known with the time",
        "SELECT f.reporter_id AS subject, f.reviewed_at AS found, NULL AS expected FROM flags f \
         WHERE (f.review_result IS NULL) <> (f.reviewed_at IS NULL) \
         OR (f.review_result IS NULL AND (f.review_details IS NOT NULL OR f.reviewed_by_id IS NOT NULL))";
    "flags.item_id", "all flags of one thing have the same item_id",
        "SELECT MIN(f.item_id) AS subject, COUNT(DISTINCT f.item_id) AS found, 1 AS expected FROM flags f \
         GROUP BY f.app_pk, f.message_pk, CASE WHEN f.message_pk IS NULL THEN f.creator_id END \
         HAVING COUNT(DISTINCT f.item_id) <> 1";
    "quiet_spans.channel_pk", "the channel of every quiet span is there",
        "SELECT q.user_id AS subject, q.channel_pk AS found, NULL AS expected \
         FROM quiet_spans q LEFT JOIN channels c ON c.pk = q.channel_pk WHERE c.pk IS NULL";
    "channel_events.channel_pk", "the channel of every event is there",
        "SELECT CAST(e.channel_pk AS TEXT) AS subject, MIN(e.seq) AS found, NULL AS expected \
         FROM channel_events e LEFT JOIN channels c ON c.pk = e.channel_pk WHERE c.pk IS NULL \
         GROUP BY e.channel_pk";

    "tasks.app_pk", "the app of every task is there",
        "SELECT t.id AS subject, t.app_pk AS found, NULL AS expected \
         FROM tasks t LEFT JOIN apps a ON a.pk = t.app_pk WHERE a.pk IS NULL";
    "tasks.status", "a task that failed says why, and no other does; one that nobody has begun has no result",
        "SELECT t.id AS subject, NULL AS found, NULL AS expected FROM tasks t \
         WHERE (t.status = 'failed') <> (t.error IS NOT NULL) OR (t.status = 'waiting' AND t.result IS NOT NULL)";
    "users.deletion", "it is known how every deleted user was deleted, and of nobody else",
        "SELECT u.id AS subject, NULL AS found, NULL AS expected FROM users u \
         WHERE (u.deleted_at IS NULL) <> (u.deletion IS NULL)";

    "purges.channel_pk", "the channel of every purge is there",
        "SELECT p.kind AS subject, p.channel_pk AS found, NULL AS expected \
         FROM purges p LEFT JOIN channels c ON c.pk = p.channel_pk WHERE c.pk IS NULL";
    "channels.cid", "a channel's cid is its type and id, unless the channel is being purged and its cid free",
        "SELECT c.cid AS subject, c.pk AS found, NULL AS expected FROM channels c \
         WHERE c.cid <> CASE WHEN EXISTS (SELECT 1 FROM purges p WHERE p.channel_pk = c.pk AND p.kind = 'channel') \
         THEN c.kind || ':' || c.id || ',' || CAST(c.pk AS TEXT) ELSE c.kind || ':' || c.id END";

    "channels.member_count", "a channel's member_count is the number of its members, unless it is being purged",
        "SELECT c.cid AS subject, c.member_count AS found, COALESCE(n.number, 0) AS expected FROM channels c \
         LEFT JOIN (SELECT channel_pk, COUNT(*) AS number FROM members GROUP BY channel_pk) n \
         ON n.channel_pk = c.pk WHERE c.member_count <> COALESCE(n.number, 0) \
         AND NOT EXISTS (SELECT 1 FROM purges p WHERE p.channel_pk = c.pk AND p.kind = 'channel')";
    "channels.message_count", "a channel's message_count is the number of messages shown that are not deleted",
        "SELECT c.cid AS subject, c.message_count AS found, COALESCE(n.number, 0) AS expected FROM channels c \
         LEFT JOIN (SELECT m.channel_pk, COUNT(*) AS number FROM messages m JOIN channels h ON h.pk = m.channel_pk \
         WHERE m.deleted_at IS NULL AND m.created_at > h.history_from GROUP BY m.channel_pk) n \
         ON n.channel_pk = c.pk WHERE c.deleted_at IS NULL AND c.message_count <> COALESCE(n.number, 0)";
    "channels.messages_uncounted", "a channel's messages_uncounted is not more than its message_count",
        "SELECT c.cid AS subject, c.messages_uncounted AS found, c.message_count AS expected FROM channels c \
         WHERE c.deleted_at IS NULL AND (c.messages_uncounted < 0 OR c.messages_uncounted > c.message_count)";
    "channels.last_message_at",
        "a channel's last_message_at is the time of its newest message, unless that is a system message, which may \
         be left out",
        "SELECT c.cid AS subject, c.last_message_at AS found, n.newest AS expected FROM channels c \
         LEFT JOIN (SELECT m.channel_pk, MAX(m.created_at) AS newest, \
         MAX(CASE WHEN m.kind <> 'system' THEN m.created_at END) AS newest_sent \
         FROM messages m JOIN channels h ON h.pk = m.channel_pk \
         WHERE m.in_channel AND m.created_at > h.history_from GROUP BY m.channel_pk) n ON n.channel_pk = c.pk \
         WHERE c.deleted_at IS NULL AND (COALESCE(c.last_message_at, 0) < COALESCE(n.newest_sent, 0) \
         OR COALESCE(c.last_message_at, 0) > COALESCE(n.newest, 0))";
    "channels.clock_at", "a channel's clock is not behind its messages",
        "SELECT c.cid AS subject, c.clock_at AS found, MAX(m.created_at) AS expected \
         FROM channels c JOIN messages m ON m.channel_pk = c.pk GROUP BY c.pk, c.cid, c.clock_at \
         HAVING MAX(m.created_at) > c.clock_at";
    "channels.unread_seq", "a channel's unread_seq is not behind its messages",
        "SELECT c.cid AS subject, c.unread_seq AS found, MAX(m.unread_seq) AS expected \
         FROM channels c JOIN messages m ON m.channel_pk = c.pk GROUP BY c.pk, c.cid, c.unread_seq \
         HAVING MAX(m.unread_seq) > c.unread_seq";
    "channels.history_seq",
        "a channel's history_seq lies between the unread_seq of the messages up to its history_from and of those after",
        "SELECT c.cid AS subject, c.history_seq AS found, MAX(m.unread_seq) AS expected \
         FROM channels c JOIN messages m ON m.channel_pk = c.pk AND m.in_channel \
         WHERE CASE WHEN m.created_at <= c.history_from THEN m.unread_seq > c.history_seq \
         ELSE m.unread_seq < c.history_seq + CASE WHEN m.counts_unread THEN 1 ELSE 0 END END \
         GROUP BY c.pk, c.cid, c.history_seq";
    "channels.event_seq", "a channel's event_seq is the number of its last event",
        "SELECT c.cid AS subject, c.event_seq AS found, MAX(e.seq) AS expected \
         FROM channels c JOIN channel_events e ON e.channel_pk = c.pk GROUP BY c.pk, c.cid, c.event_seq \
         HAVING MAX(e.seq) <> c.event_seq";
    "channel_events.seq", "the events of a channel are numbered without a gap behind the first one kept",
        "SELECT CAST(e.channel_pk AS TEXT) AS subject, COUNT(*) AS found, MAX(e.seq) - MIN(e.seq) + 1 AS expected \
         FROM channel_events e GROUP BY e.channel_pk HAVING COUNT(*) <> MAX(e.seq) - MIN(e.seq) + 1";
    "users.event_seq", "a user's event_seq is not behind the user's events, and the user is there",
        "SELECT e.user_id AS subject, u.event_seq AS found, MAX(e.seq) AS expected FROM user_events e \
         LEFT JOIN users u ON u.app_pk = e.app_pk AND u.id = e.user_id \
         GROUP BY e.app_pk, e.user_id, u.event_seq HAVING u.event_seq IS NULL OR MAX(e.seq) > u.event_seq";

    "messages.created_at", "each message of a channel is later than the one stored before it",
        "SELECT n.id AS subject, n.created_at AS found, n.earlier AS expected FROM (SELECT m.id, m.created_at, \
         LAG(m.created_at) OVER (PARTITION BY m.channel_pk ORDER BY m.pk) AS earlier FROM messages m) n \
         WHERE n.created_at <= n.earlier";
    "messages.unread_seq", "the unread_seq of a channel's messages goes up by one at least where a message counts",
        "SELECT n.id AS subject, n.unread_seq AS found, n.earlier AS expected FROM (SELECT m.id, m.unread_seq, \
         CASE WHEN m.counts_unread THEN 1 ELSE 0 END AS step, \
         LAG(m.unread_seq) OVER (PARTITION BY m.channel_pk ORDER BY m.pk) AS earlier FROM messages m) n \
         WHERE n.unread_seq < n.earlier + n.step";
    "messages.counts_unread", "no message counts that is silent, shadowed, restricted, or only in its thread",
        "SELECT m.id AS subject, NULL AS found, NULL AS expected FROM messages m \
         WHERE m.counts_unread AND (NOT m.in_channel OR m.silent OR m.shadowed OR m.restricted_visibility IS NOT NULL)";
    "messages.reply_count", "a message's reply_count is the number of its replies that are not deleted",
        "SELECT p.id AS subject, p.reply_count AS found, COALESCE(r.live, 0) AS expected FROM messages p \
         LEFT JOIN (SELECT parent_pk, COUNT(*) AS live FROM messages \
         WHERE parent_pk IS NOT NULL AND deleted_at IS NULL GROUP BY parent_pk) r ON r.parent_pk = p.pk \
         WHERE p.reply_count <> COALESCE(r.live, 0)";
    "messages.deleted_reply_count", "a message's deleted_reply_count is the number of replies sent less those left",
        "SELECT p.id AS subject, p.deleted_reply_count AS found, \
         COALESCE(t.reply_seq - COALESCE(r.live, 0), 0) AS expected \
         FROM messages p LEFT JOIN threads t ON t.parent_pk = p.pk \
         LEFT JOIN (SELECT parent_pk, COUNT(*) AS live FROM messages \
         WHERE parent_pk IS NOT NULL AND deleted_at IS NULL GROUP BY parent_pk) r ON r.parent_pk = p.pk \
         WHERE p.deleted_reply_count <> COALESCE(t.reply_seq - COALESCE(r.live, 0), 0)";
    "messages.thread_seq", "the replies of a thread are numbered in the order in which they were sent",
        "SELECT n.id AS subject, n.thread_seq AS found, n.earlier AS expected FROM (SELECT m.id, m.thread_seq, \
         LAG(m.thread_seq) OVER (PARTITION BY m.parent_pk ORDER BY m.pk) AS earlier FROM messages m \
         WHERE m.parent_pk IS NOT NULL) n WHERE n.thread_seq IS NULL OR n.thread_seq <= n.earlier";
    "threads.reply_seq", "a thread's reply_seq is not behind its replies, of which there was one at least",
        "SELECT CAST(t.parent_pk AS TEXT) AS subject, t.reply_seq AS found, COALESCE(MAX(m.thread_seq), 1) AS expected \
         FROM threads t LEFT JOIN messages m ON m.parent_pk = t.parent_pk GROUP BY t.parent_pk, t.reply_seq \
         HAVING t.reply_seq < COALESCE(MAX(m.thread_seq), 1)";
    "threads", "a message that has or had replies has a thread",
        "SELECT p.id AS subject, NULL AS found, NULL AS expected FROM messages p \
         LEFT JOIN threads t ON t.parent_pk = p.pk WHERE t.parent_pk IS NULL AND (p.deleted_reply_count > 0 \
         OR EXISTS (SELECT 1 FROM messages r WHERE r.parent_pk = p.pk))";
    "threads.participant_count", "a thread's participant_count is the number of those who take part",
        "SELECT CAST(t.parent_pk AS TEXT) AS subject, t.participant_count AS found, COALESCE(n.number, 0) AS expected \
         FROM threads t LEFT JOIN (SELECT parent_pk, COUNT(*) AS number FROM thread_participants \
         GROUP BY parent_pk) n ON n.parent_pk = t.parent_pk JOIN messages o ON o.pk = t.parent_pk \
         JOIN channels c ON c.pk = o.channel_pk WHERE o.created_at > c.history_from \
         AND t.participant_count <> COALESCE(n.number, 0)";
    "thread_participants.unread",
        "what a participant has not read is the replies behind the read position that are neither deleted, shadowed nor own, in threads that are shown",
        "SELECT n.user_id AS subject, n.unread AS found, n.replies AS expected FROM (SELECT p.user_id, \
         t.reply_seq - p.read_seq - p.unread_less - (SELECT COUNT(*) FROM thread_unread_gaps g \
         WHERE g.parent_pk = p.parent_pk AND g.seq > p.read_seq) AS unread, \
         (SELECT COUNT(*) FROM messages m WHERE m.parent_pk = p.parent_pk AND m.thread_seq > p.read_seq \
         AND m.deleted_at IS NULL AND NOT m.shadowed AND m.user_id <> p.user_id) AS replies \
         FROM thread_participants p JOIN threads t ON t.parent_pk = p.parent_pk \
         JOIN messages o ON o.pk = p.parent_pk JOIN channels c ON c.pk = o.channel_pk \
         WHERE o.created_at > c.history_from) n WHERE n.unread <> n.replies";
    "thread_participants.has_unread",
        "what a participant's row holds about the thread agrees with it, unless the thread waits in thread_queue",
        "SELECT p.user_id AS subject, p.last_message_at AS found, t.last_message_at AS expected \
         FROM thread_participants p JOIN threads t ON t.parent_pk = p.parent_pk \
         WHERE NOT EXISTS (SELECT 1 FROM thread_queue q WHERE q.parent_pk = p.parent_pk) \
         AND (p.last_message_at <> t.last_message_at OR p.has_unread <> (t.reply_seq - p.read_seq - p.unread_less - (SELECT COUNT(*) FROM thread_unread_gaps g \
         WHERE g.parent_pk = p.parent_pk AND g.seq > p.read_seq) > 0))";
    "thread_participants.read_seq", "nobody has read more of a thread than there is",
        "SELECT p.user_id AS subject, p.read_seq AS found, t.reply_seq AS expected FROM thread_participants p \
         JOIN threads t ON t.parent_pk = p.parent_pk WHERE p.read_seq < 0 OR p.read_seq > t.reply_seq";
    "members.read_seq", "no member has read more of a channel than there is",
        "SELECT m.user_id AS subject, m.read_seq AS found, c.unread_seq AS expected FROM members m \
         JOIN channels c ON c.pk = m.channel_pk WHERE m.read_seq < 0 OR m.read_seq > c.unread_seq";
    "members.blocked", "a channel is blocked for the member of two who blocked the other, and for nobody else",
        "SELECT m.user_id AS subject, m.channel_pk AS found, NULL AS expected FROM members m \
         JOIN channels c ON c.pk = m.channel_pk WHERE c.deleted_at IS NULL AND m.blocked <> \
         ((SELECT COUNT(*) FROM members n WHERE n.channel_pk = m.channel_pk) = 2 AND EXISTS (SELECT 1 FROM members o \
         JOIN user_blocks b ON b.app_pk = o.app_pk AND b.blocked_user_id = o.user_id \
         WHERE o.channel_pk = m.channel_pk AND b.user_id = m.user_id))";
    "members.quiet_until", "a member's quiet_until is the end of the last quiet span",
        "SELECT m.user_id AS subject, m.quiet_until AS found, COALESCE(q.until_at, 0) AS expected FROM members m \
         LEFT JOIN (SELECT channel_pk, user_id, MAX(until_at) AS until_at FROM quiet_spans \
         GROUP BY channel_pk, user_id) q ON q.channel_pk = m.channel_pk AND q.user_id = m.user_id \
         WHERE m.quiet_until <> COALESCE(q.until_at, 0)";
    "quiet_spans.from_at", "the quiet spans of a user in a channel end behind their beginning and do not overlap",
        "SELECT n.user_id AS subject, n.from_at AS found, n.earlier AS expected FROM (SELECT q.user_id, q.from_at, \
         q.until_at, LAG(q.until_at) OVER (PARTITION BY q.channel_pk, q.user_id ORDER BY q.from_at) AS earlier \
         FROM quiet_spans q) n WHERE n.until_at <= n.from_at OR n.from_at < n.earlier";
    "quiet_spans.from_seq", "the from_seq of a quiet span lies between the messages before and behind its beginning",
        "SELECT n.user_id AS subject, n.from_seq AS found, n.before AS expected FROM (SELECT q.user_id, q.from_seq, \
         (SELECT m.unread_seq FROM messages m WHERE m.channel_pk = q.channel_pk AND m.in_channel \
         AND m.created_at <= q.from_at ORDER BY m.created_at DESC LIMIT 1) AS before, \
         (SELECT m.unread_seq FROM messages m WHERE m.channel_pk = q.channel_pk AND m.in_channel \
         AND m.created_at > q.from_at ORDER BY m.created_at LIMIT 1) AS behind FROM quiet_spans q) n \
         WHERE n.from_seq < n.before OR n.from_seq > n.behind";
    "quiet_spans.until_at",
        "the last quiet span of a user in a channel ends with the mute, and never while the channel is blocked",
        "SELECT w.user_id AS subject, MAX(q.until_at) AS found, MAX(w.until_at) AS expected FROM \
         (SELECT channel_pk, user_id, COALESCE(expires, 9223372036854775807) AS until_at FROM channel_mutes \
         UNION ALL SELECT channel_pk, user_id, 9223372036854775807 FROM members WHERE blocked) w \
         LEFT JOIN quiet_spans q ON q.channel_pk = w.channel_pk AND q.user_id = w.user_id \
         GROUP BY w.channel_pk, w.user_id HAVING COALESCE(MAX(q.until_at), 0) < MAX(w.until_at)";
    "quiet_spans.ends", "a quiet span without an end has a mute without an end, or a block",
        "SELECT q.user_id AS subject, q.channel_pk AS found, NULL AS expected FROM quiet_spans q \
         WHERE q.until_at = 9223372036854775807 AND NOT EXISTS (SELECT 1 FROM channel_mutes x \
         WHERE x.channel_pk = q.channel_pk AND x.user_id = q.user_id AND x.expires IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM members m WHERE m.channel_pk = q.channel_pk AND m.user_id = q.user_id AND m.blocked)";
    "unread_gaps.seq", "a gap stands for a message that counted and is deleted",
        "SELECT c.cid AS subject, g.seq AS found, c.unread_seq AS expected FROM unread_gaps g \
         JOIN channels c ON c.pk = g.channel_pk LEFT JOIN messages m ON m.channel_pk = g.channel_pk \
         AND m.unread_seq = g.seq AND m.in_channel AND m.counts_unread AND m.deleted_at IS NULL \
         WHERE g.seq > c.unread_seq OR m.pk IS NOT NULL";
    "thread_unread_gaps.seq", "a gap in a thread stands for a reply that is deleted or shadowed",
        "SELECT CAST(g.parent_pk AS TEXT) AS subject, g.seq AS found, t.reply_seq AS expected \
         FROM thread_unread_gaps g JOIN threads t ON t.parent_pk = g.parent_pk \
         LEFT JOIN messages m ON m.parent_pk = g.parent_pk AND m.thread_seq = g.seq AND m.deleted_at IS NULL \
         AND NOT m.shadowed \
         WHERE g.seq > t.reply_seq OR m.pk IS NOT NULL";
    "message_history.updated_at", "no version kept is older than its message or newer than its last change",
        "SELECT h.message_id AS subject, h.updated_at AS found, m.updated_at AS expected FROM message_history h \
         JOIN messages m ON m.pk = h.message_pk \
         WHERE h.updated_at < m.created_at OR h.updated_at > m.updated_at";
};
