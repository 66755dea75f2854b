use std::collections::BTreeMap;

use natterjack_protocol::Timestamp;

use crate::dialect::Dialect;
use crate::error::Result;
use crate::members::{MEMBER_COLUMNS, Member, is_in_history_of, member_from_row};
use crate::messages::{Message, id_key};
use crate::together;
use crate::tx::Tx;
use crate::unread::{quiet_at, unread};
use crate::user_mutes::{muted_at, mutes_now};
use crate::value::{Param, json_unless_default, params};

/// Up to where a member has read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadPosition {
    /// The channel's `unread_seq` at that place.
    pub read_seq: i64,
    /// The moment of that place: when the message read last was sent, or now.
    pub read_up_to: Timestamp,
    /// Messages behind it that do not count for this member.
    pub unread_less: i64,
    pub last_read: Timestamp,
    pub last_read_message_id: Option<String>,
}

/// What a user has not read in channels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnreadChannels {
    /// All of it, by channel type and team.
    pub groups: Vec<UnreadGroup>,
    /// The channels with the latest messages, as many as were asked for.
    pub listed: Vec<ChannelUnread>,
}

impl UnreadChannels {
    /// From the channels with their types and teams; at most `limit` of them are listed.
    fn new(rows: Vec<((String, Option<String>), ChannelUnread)>, limit: usize) -> Self {
        let mut groups: BTreeMap<_, (i64, i64)> = BTreeMap::new();
        let mut listed = Vec::new();
        for (group, channel) in rows.into_iter().filter(|(_, channel)| channel.unread > 0) {
            let (channels, unread) = groups.entry(group).or_default();
            *channels += 1;
            *unread += channel.unread;
            listed.push(channel);
        }
        listed.sort_by(|one, other| {
            other.last_message_at.cmp(&one.last_message_at).then_with(|| one.cid.cmp(&other.cid))
        });
        listed.truncate(limit);
        let groups = groups.into_iter().map(|((channel_kind, team), (channels, unread))| UnreadGroup {
            channel_kind,
            team,
            channels,
            unread,
        });
        Self { groups: groups.collect(), listed }
    }

    /// All of it together.
    pub fn totals(&self) -> UnreadTotals {
        UnreadTotals {
            messages: self.groups.iter().map(|group| group.unread).sum(),
            channels: self.groups.iter().map(|group| group.channels).sum(),
        }
    }
}

/// What a user has not read in the channels of one type and team.
#[derive(Debug, Clone, PartialEq)]
pub struct UnreadGroup {
    pub channel_kind: String,
    pub team: Option<String>,
    pub channels: i64,
    pub unread: i64,
}

/// A channel in which a user has unread messages.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelUnread {
    pub cid: String,
    pub unread: i64,
    pub last_read: Timestamp,
    pub last_message_at: Option<Timestamp>,
}

/// What a user has not read in threads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnreadThreads {
    /// How many threads have unread replies.
    pub threads: i64,
    /// Those with the latest replies, as many as were asked for.
    pub listed: Vec<ThreadUnread>,
}

impl UnreadThreads {
    /// How many replies are unread in those that are listed.
    pub fn messages(&self) -> i64 {
        self.listed.iter().map(|thread| thread.unread).sum()
    }
}

/// A thread in which a user has unread replies.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreadUnread {
    pub parent_message_id: String,
    pub unread: i64,
    pub last_read: Timestamp,
    pub last_read_message_id: Option<String>,
}

/// Whose unread messages are counted, and which are listed.
#[derive(Debug, Clone, PartialEq)]
pub struct UnreadQuery {
    pub app_pk: i64,
    pub user_ids: Vec<String>,
    /// Channel types in which nothing counts.
    pub without_kinds: Vec<String>,
    /// Channels, and threads, that are listed for each user.
    pub limit: i64,
}

impl UnreadQuery {
    /// The parameters of the query about each user: app, user, types left out.
    fn params(&self) -> Vec<Vec<Param<'_>>> {
        let of_user = |user_id| {
            vec![Param::Int(self.app_pk), Param::Text(user_id), Param::Texts(self.without_kinds.clone())]
        };
        self.user_ids.iter().map(|user_id| of_user(user_id)).collect()
    }
}

/// What a user has not read, over all channels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnreadTotals {
    pub messages: i64,
    pub channels: i64,
}

/// As SQL, what the user `$2` of the app `$1` has not read in each channel, as `unread`, behind other columns of `members
/// m` and `channels c`; without channels of the types `$3`, and without most in which that is nothing.
fn unread_channels(dialect: Dialect, columns: &str) -> String {
    format!(
        "SELECT {columns}{} AS unread FROM members m JOIN channels c ON c.pk = m.channel_pk \
         WHERE m.app_pk = $1 AND m.user_id = $2 AND c.unread_seq - m.read_seq - m.unread_less > 0 \
         AND c.unread_seq - c.history_seq - m.unread_less > 0 AND c.deleted_at IS NULL AND {}",
        unread!("m", "c"),
        dialect.is_not_in("c.kind", 3)
    )
}

/// As SQL, joins `members h`, the membership of the user `$2` of the app `$1` in the channel of `p`, where it hides the
/// channel's beginning. Such memberships are few and have an index.
const HIDDEN_FROM: &str = "LEFT JOIN members h ON h.app_pk = $1 AND h.user_id = $2 AND h.channel_pk = p.channel_pk \
    AND h.hide_messages_before IS NOT NULL";

/// When the message was sent that was delivered last to a member; when it is gone, the moment of its delivery.
const DELIVERED_UP_TO: &str = concat!(
    "COALESCE((SELECT d.created_at FROM messages d WHERE d.app_pk = members.app_pk AND d.id_key = ",
    id_key!("members.last_delivered_message_id"),
    "), members.last_delivered_at, 0)"
);

/// As SQL, how many gaps behind the position `$1`, at the moment `$2`, are pruned: everybody had read past them, and
/// whoever goes back behind them has them made up for.
const PRUNED_GAPS: &str = "COALESCE((SELECT c.unread_seq - CASE WHEN c.history_seq > $1 THEN c.history_seq ELSE $1 END \
    - (SELECT COUNT(*) FROM messages o WHERE o.channel_pk = c.pk AND o.in_channel AND o.counts_unread \
    AND o.deleted_at IS NULL AND o.created_at > $2 AND o.created_at > c.history_from) \
    - (SELECT COUNT(*) FROM unread_gaps g WHERE g.channel_pk = c.pk AND g.seq > $1 AND g.seq > c.history_seq) \
    FROM channels c WHERE c.pk = members.channel_pk AND c.unread_seq > $1), 0)";

/// As SQL, what the difference of the counters says too much or too little for the user about the messages of the
/// channel behind `after`: the user's own ones count there but not for the user, restricted ones that the user may see
/// the other way round. What was sent while the channel was quiet for the user is taken off elsewhere.
pub(crate) fn corrections(dialect: Dialect, user_id: &str, channel_pk: &str, after: &str) -> String {
    format!(
        "SELECT CAST(COALESCE(SUM(CASE WHEN o.counts_unread AND o.user_id = {user_id} AND o.deleted_at IS NULL THEN 1 \
         WHEN o.restricted_visibility IS NOT NULL AND o.deleted_at IS NULL AND NOT o.silent AND NOT o.shadowed \
         AND o.user_id <> {user_id} AND EXISTS (SELECT 1 FROM {} WHERE each.value = {user_id}) AND NOT {} THEN -1 ELSE 0 END), 0) \
         AS BIGINT) FROM messages o WHERE o.channel_pk = {channel_pk} AND o.in_channel AND o.created_at > {after} AND NOT {}",
        dialect.json_texts("o.restricted_visibility"),
        muted_at("o", user_id),
        quiet_at(channel_pk, user_id, "o.created_at")
    )
}

impl Tx {
    /// Moves a member's read position. Does nothing for a user who is not a member. What was read was delivered too;
    /// a position that lies behind what was delivered does not take that back.
    pub async fn update_read_position(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        position: &ReadPosition,
    ) -> Result<bool> {
        let sql = format!(
            "UPDATE members SET read_seq = $1, read_up_to = $2, unread_less = $3 + {PRUNED_GAPS}, last_read = $4, \
             last_read_message_id = $5, \
             last_delivered_at = CASE WHEN {DELIVERED_UP_TO} < $2 THEN $4 ELSE last_delivered_at END, \
             last_delivered_message_id = CASE WHEN {DELIVERED_UP_TO} < $2 THEN $5 \
             ELSE last_delivered_message_id END \
             WHERE channel_pk = $6 AND user_id = $7"
        );
        let changed = self
            .execute(
                &sql,
                params![
                    position.read_seq,
                    position.read_up_to,
                    position.unread_less,
                    position.last_read,
                    position.last_read_message_id.as_deref(),
                    channel_pk,
                    user_id
                ],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Notes that a message reached one of a member's devices. `false` when a later one did already, or when the user
    /// is not a member or has not accepted the invite.
    pub async fn update_delivered(
        &mut self,
        message: &Message,
        user_id: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let sql = format!(
            "UPDATE members SET last_delivered_at = $1, last_delivered_message_id = $2 \
             WHERE channel_pk = $3 AND user_id = $4 AND NOT (invited AND invite_accepted_at IS NULL) \
             AND {DELIVERED_UP_TO} < $5"
        );
        let changed = self
            .execute(&sql, params![now, &message.id, message.channel_pk, user_id, message.created_at])
            .await?;
        Ok(changed == 1)
    }

    /// What the difference of the counters says too much or too little for `user_id` about the messages behind
    /// `after`: the user's own ones count there but not for the user, restricted ones that the user may see the
    /// other way round. What was sent while the channel was quiet for the user is taken off elsewhere.
    pub async fn count_unread_less(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        after: Timestamp,
    ) -> Result<i64> {
        let sql = format!(
            "{} AND o.created_at > (SELECT c.history_from FROM channels c WHERE c.pk = $2)",
            corrections(self.dialect(), "$1", "$2", "$3")
        );
        let count = self.query_optional(&sql, params![user_id, channel_pk, after], |row| row.int(0)).await?;
        Ok(count.unwrap_or(0))
    }

    /// Counts a message that was just sent, over which the channel's counter passed, for the members who alone see it,
    /// except those for whom the channel is quiet or who muted the sender.
    pub async fn count_restricted(&mut self, message: &Message) -> Result<()> {
        let mut user_ids = message.restricted_visibility.clone();
        user_ids.retain(|user_id| *user_id != message.user_id);
        user_ids.sort();
        for user_id in &user_ids {
            // Whoever mutes the sender at this moment does it before the message is sent, or after it has counted.
            self.lock_user_mutes(message.app_pk, user_id).await?;
        }
        let sql = format!(
            "UPDATE members SET unread_less = unread_less - 1 WHERE channel_pk = $1 AND {} AND NOT {} AND NOT {}",
            self.dialect().is_in("user_id", 2),
            quiet_at("members.channel_pk", "members.user_id", "$3"),
            mutes_now("members.app_pk", "members.user_id", "$4", "$3")
        );
        let params = params![message.channel_pk, user_ids, message.created_at, &message.user_id];
        self.execute(&sql, params).await?;
        Ok(())
    }

    /// Before a message is deleted: a member who had not read an own message that counts does not need the gap that
    /// is about to be left by it, since it was taken off already. With `tree` the same for the authors of replies.
    pub async fn restore_own_unread(&mut self, message: &Message, tree: bool) -> Result<()> {
        let sql = format!(
            "UPDATE members SET unread_less = unread_less - (SELECT COUNT(*) FROM messages o \
             WHERE (o.pk = $1 OR (o.parent_pk = $1 AND $2)) AND o.counts_unread AND o.deleted_at IS NULL \
             AND o.user_id = members.user_id AND o.unread_seq > members.read_seq AND NOT {}) WHERE channel_pk = $3 AND user_id IN (SELECT user_id FROM messages \
             WHERE pk = $1 OR (parent_pk = $1 AND $2))",
            quiet_at("o.channel_pk", "o.user_id", "o.created_at")
        );
        self.execute(&sql, params![message.pk, tree, message.channel_pk]).await?;
        Ok(())
    }

    /// Before a message is deleted, with its replies when `tree` says so: takes what of it is restricted off the
    /// number of unread messages of those who see it and have not read it.
    pub async fn settle_restricted(&mut self, message: &Message, tree: bool) -> Result<()> {
        let restricted = self
            .query(
                "SELECT user_id, restricted_visibility, created_at, pk FROM messages \
                 WHERE (pk = $1 OR (parent_pk = $1 AND $2)) AND restricted_visibility IS NOT NULL \
                 AND in_channel AND NOT silent AND NOT shadowed AND deleted_at IS NULL",
                params![message.pk, tree],
                |row| {
                    let readers: Vec<String> = row.json(1, "messages.restricted_visibility")?;
                    Ok((row.text(0)?, readers, row.time(2)?, row.int(3)?))
                },
            )
            .await?;
        for (author, readers, created_at, pk) in restricted {
            self.move_restricted(message.channel_pk, (pk, created_at), &author, readers, 1).await?;
        }
        Ok(())
    }

    /// Changes by how much the numbers of unread messages are corrected of those who alone see a message, count it, and
    /// have not read it.
    async fn move_restricted(
        &mut self,
        channel_pk: i64,
        (message_pk, created_at): (i64, Timestamp),
        author: &str,
        readers: Vec<String>,
        by: i64,
    ) -> Result<()> {
        let sql = format!(
            "UPDATE members SET unread_less = unread_less + $1 WHERE channel_pk = $2 AND read_up_to < $3 \
             AND user_id <> $4 AND {} AND NOT {} AND NOT EXISTS (SELECT 1 FROM messages o WHERE o.pk = $6 AND {})",
            self.dialect().is_in("user_id", 5),
            quiet_at("members.channel_pk", "members.user_id", "$3"),
            muted_at("o", "members.user_id")
        );
        self.execute(&sql, params![by, channel_pk, created_at, author, readers, message_pk]).await?;
        Ok(())
    }

    /// Shows a message of restricted visibility to these users from now on, instead of those who saw it before, and
    /// corrects the numbers of unread messages of both.
    pub async fn update_readers(&mut self, message: &Message, readers: Vec<String>) -> Result<()> {
        self.execute(
            "UPDATE messages SET restricted_visibility = $1 WHERE pk = $2",
            params![json_unless_default(&readers), message.pk],
        )
        .await?;
        if !message.counts_for_its_readers() {
            return Ok(());
        }
        let place = (message.pk, message.created_at);
        let was = &message.restricted_visibility;
        let gone = was.iter().filter(|id| !readers.contains(id)).cloned().collect();
        let new = readers.iter().filter(|id| !was.contains(id)).cloned().collect();
        self.move_restricted(message.channel_pk, place, &message.user_id, gone, 1).await?;
        self.move_restricted(message.channel_pk, place, &message.user_id, new, -1).await
    }

    /// After a message was undeleted: what the counters say too much for its author, who does not count it, and too
    /// little for those who alone see it, each as far as they have not read it.
    pub async fn settle_undeleted(&mut self, message: &Message) -> Result<()> {
        if message.counts_unread {
            let sql = format!(
                "UPDATE members SET unread_less = unread_less + 1 WHERE channel_pk = $1 AND user_id = $2 \
                 AND read_seq < $3 AND NOT {}",
                quiet_at("members.channel_pk", "members.user_id", "$4")
            );
            let params =
                params![message.channel_pk, &message.user_id, message.unread_seq, message.created_at];
            self.execute(&sql, params).await?;
        }
        if !message.counts_for_its_readers() {
            return Ok(());
        }
        let place = (message.pk, message.created_at);
        let readers = message.restricted_visibility.clone();
        self.move_restricted(message.channel_pk, place, &message.user_id, readers, -1).await
    }

    /// The read states of the earliest members of a channel. Those whose invite is pending have none.
    pub async fn list_reads(&mut self, channel_pk: i64, limit: i64) -> Result<Vec<Member>> {
        let sql = format!(
            "SELECT {MEMBER_COLUMNS} FROM members m WHERE m.channel_pk = $1 \
             AND NOT (m.invited AND m.invite_accepted_at IS NULL) \
             ORDER BY m.created_at, m.user_id LIMIT $2"
        );
        self.query(&sql, params![channel_pk, limit], member_from_row).await
    }

    /// What each of these users has not read in channels: one pass over the user's memberships.
    pub async fn list_unread_channels(&mut self, query: &UnreadQuery) -> Result<Vec<UnreadChannels>> {
        let columns = "c.cid, c.kind, c.team, m.last_read, c.last_message_at, ";
        let sql = unread_channels(self.dialect(), columns);
        // Sorted and added up here, since a database would make two tables of it first.
        let found = self
            .query_each(&sql, &query.params(), |row| {
                let group = (row.text(1)?, row.optional_text(2)?);
                let channel = ChannelUnread {
                    cid: row.text(0)?,
                    unread: row.int(5)?,
                    last_read: row.time(3)?,
                    last_message_at: row.optional_time(4)?,
                };
                Ok((group, channel))
            })
            .await?;
        Ok(found.into_iter().map(|rows| UnreadChannels::new(rows, query.limit as usize)).collect())
    }

    /// How many messages each of these users has not read, and in how many channels.
    pub async fn count_unread(&mut self, query: &UnreadQuery) -> Result<Vec<UnreadTotals>> {
        let sql = unread_channels(self.dialect(), "");
        let unread = self.query_each(&sql, &query.params(), |row| row.int(0)).await?;
        let totals = unread.into_iter().map(|channels| UnreadTotals {
            messages: channels.iter().sum(),
            channels: channels.iter().filter(|unread| **unread > 0).count() as i64,
        });
        Ok(totals.collect())
    }

    /// What each of these users has not read in threads, without those that a channel does not show any more, or not to the
    /// user.
    pub async fn list_unread_threads(&mut self, query: &UnreadQuery) -> Result<Vec<UnreadThreads>> {
        let kind_counts = self.dialect().is_not_in("c.kind", 3);
        let in_history = is_in_history_of("$2");
        let whole = "c.history_from = 0 AND h.hide_messages_before IS NULL";
        // Only where a channel hides its beginning, or a member does, do the parents have to be looked at.
        let count = format!(
            "SELECT CAST(COALESCE(SUM(CASE WHEN n.whole THEN n.number END), 0) \
             + CASE WHEN MIN(CASE WHEN n.whole THEN 1 ELSE 0 END) = 0 THEN (SELECT COUNT(*) \
             FROM thread_participants p JOIN messages m ON m.pk = p.parent_pk JOIN channels c \
             ON c.pk = p.channel_pk {HIDDEN_FROM} WHERE p.app_pk = $1 AND p.user_id = $2 AND p.has_unread \
             AND NOT ({whole}) AND m.created_at > c.history_from AND {in_history} \
             AND c.deleted_at IS NULL AND {kind_counts}) ELSE 0 END AS BIGINT) \
             FROM (SELECT p.number, {whole} AS whole FROM (SELECT p.channel_pk, COUNT(*) AS number \
             FROM thread_participants p WHERE p.app_pk = $1 AND p.user_id = $2 AND p.has_unread GROUP BY p.channel_pk) p \
             JOIN channels c ON c.pk = p.channel_pk {HIDDEN_FROM} WHERE c.deleted_at IS NULL AND {kind_counts}) n"
        );
        let list = format!(
            "SELECT m.id, t.reply_seq - p.read_seq - p.unread_less - \
             (SELECT COUNT(*) FROM thread_unread_gaps g WHERE g.parent_pk = p.parent_pk AND g.seq > p.read_seq), \
             p.last_read, p.last_read_message_id \
             FROM thread_participants p {} JOIN threads t ON t.parent_pk = p.parent_pk \
             JOIN messages m ON m.pk = p.parent_pk JOIN channels c ON c.pk = p.channel_pk \
             WHERE p.app_pk = $1 AND p.user_id = $2 AND p.has_unread = TRUE AND c.deleted_at IS NULL \
             AND m.created_at > c.history_from AND {in_history} \
             AND {kind_counts} ORDER BY p.last_message_at DESC, p.parent_pk DESC LIMIT $4",
            self.dialect().indexed_by("thread_participants_in_order"),
        );
        let params = query.params();
        let mut to_list = if query.limit > 0 { query.params() } else { Vec::new() };
        to_list.iter_mut().for_each(|params| params.push(Param::Int(query.limit)));
        let tx = self;
        let (counts, lists) = together!(tx:
            tx.query_each(&count, &params, |row| row.int(0)),
            tx.query_each(&list, &to_list, |row| {
                Ok(ThreadUnread {
                    parent_message_id: row.text(0)?,
                    unread: row.int(1)?,
                    last_read: row.time(2)?,
                    last_read_message_id: row.optional_text(3)?,
                })
            }),
        );
        let mut lists = lists.into_iter();
        let of_users = counts.into_iter().map(|counts| UnreadThreads {
            threads: counts.first().copied().unwrap_or(0),
            listed: lists.next().unwrap_or_default(),
        });
        Ok(of_users.collect())
    }
}
