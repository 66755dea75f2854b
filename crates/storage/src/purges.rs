//! Removing what nobody sees any more: in small steps, so that others write in between, and so that it goes on where it
//! stopped when the server was stopped.

use natterjack_protocol::Timestamp;

use crate::error::{Error, Result};
use crate::messages::HAS_ID;
use crate::tx::Tx;
use crate::value::params;

/// What is to be removed of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurgeKind {
    /// The pins and gaps of messages that stay stored though nobody sees them.
    History,
    /// The messages up to a moment.
    Messages,
    /// All of it. Its row goes last.
    Channel,
}

impl PurgeKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Messages => "messages",
            Self::Channel => "channel",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        [Self::History, Self::Messages, Self::Channel]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| Error::Corrupt { column: "purges.kind", source: text.into() })
    }

    /// What is removed one after the other.
    const fn stages(self) -> &'static [Stage] {
        use Stage::{
            Bans, Channel, Events, Gaps, Members, Messages, Mutes, Pins, QuietSpans, Replies, Space,
        };
        match self {
            Self::History => &[Pins, Gaps],
            Self::Messages => &[Replies, Messages, Gaps, Space],
            Self::Channel => {
                &[Replies, Messages, Members, Mutes, Bans, QuietSpans, Gaps, Events, Space, Channel]
            }
        }
    }
}

/// A part of a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Pins,
    /// The replies that stay in their threads.
    Replies,
    /// The messages of the channel's list.
    Messages,
    Members,
    Mutes,
    Bans,
    QuietSpans,
    Gaps,
    Events,
    /// Gives the space back to the disk.
    Space,
    Channel,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pins => "pins",
            Self::Replies => "replies",
            Self::Messages => "messages",
            Self::Members => "members",
            Self::Mutes => "mutes",
            Self::Bans => "bans",
            Self::QuietSpans => "quiet_spans",
            Self::Gaps => "gaps",
            Self::Events => "events",
            Self::Space => "space",
            Self::Channel => "channel",
        }
    }
}

/// A purge and how far it got.
struct Purge {
    pk: i64,
    channel_pk: i64,
    kind: PurgeKind,
    upto: Timestamp,
    stage: Stage,
    /// Messages of the stage that are older than this are still there.
    below: i64,
}

impl Purge {
    /// Goes on to the next stage. `false` when there is none.
    fn advance(&mut self) -> bool {
        let mut stages = self.kind.stages().iter().skip_while(|stage| **stage != self.stage);
        let Some(next) = stages.nth(1) else { return false };
        self.stage = *next;
        self.below = self.upto.nanoseconds().saturating_add(1);
        true
    }
}

impl Tx {
    /// Has what is left of a channel, or of its messages up to a moment, removed in the background.
    pub async fn insert_purge(
        &mut self,
        channel_pk: i64,
        kind: PurgeKind,
        upto: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let first = kind.stages()[0];
        self.execute(
            "INSERT INTO purges (channel_pk, kind, upto, stage, below, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            params![
                channel_pk,
                kind.as_str(),
                upto,
                first.as_str(),
                upto.nanoseconds().saturating_add(1),
                now
            ],
        )
        .await?;
        Ok(())
    }

    /// Whether anything waits to be purged.
    pub async fn has_purges(&mut self) -> Result<bool> {
        let first = self.query_optional("SELECT pk FROM purges LIMIT 1", params![], |row| row.int(0)).await?;
        Ok(first.is_some())
    }

    /// Removes at most `limit` rows of the oldest purge that nobody else is working on. `false` when there is none.
    pub async fn run_purge_step(&mut self, limit: i64) -> Result<bool> {
        let Some(mut purge) = self.claim_purge().await? else { return Ok(false) };
        let mut left = limit;
        loop {
            let removed = self.run_stage(&mut purge, left).await?;
            left -= removed;
            if left <= 0 {
                // There may be more of this stage.
                self.execute(
                    "UPDATE purges SET stage = $1, below = $2 WHERE pk = $3",
                    params![purge.stage.as_str(), purge.below, purge.pk],
                )
                .await?;
                return Ok(true);
            }
            if !purge.advance() {
                self.execute("DELETE FROM purges WHERE pk = $1", params![purge.pk]).await?;
                return Ok(true);
            }
        }
    }

    async fn claim_purge(&mut self) -> Result<Option<Purge>> {
        let sql = format!(
            "SELECT pk, channel_pk, kind, upto, stage, below FROM purges ORDER BY pk LIMIT 1{}",
            self.dialect().for_update_skip_locked()
        );
        self.query_optional(&sql, params![], |row| {
            let kind = PurgeKind::parse(&row.text(2)?)?;
            let stage = row.text(4)?;
            let stage =
                kind.stages().iter().find(|known| known.as_str() == stage).copied().ok_or_else(|| {
                    Error::Corrupt { column: "purges.stage", source: stage.as_str().into() }
                })?;
            Ok(Purge {
                pk: row.int(0)?,
                channel_pk: row.int(1)?,
                kind,
                upto: row.time(3)?,
                stage,
                below: row.int(5)?,
            })
        })
        .await
    }

    /// Removes rows of one stage. Answers how many; fewer than `limit` means that the stage is done.
    async fn run_stage(&mut self, purge: &mut Purge, limit: i64) -> Result<i64> {
        let sql = match purge.stage {
            Stage::Replies => return self.purge_messages(purge, false, limit).await,
            Stage::Messages => return self.purge_messages(purge, true, limit).await,
            Stage::Space => return self.release_pages(limit).await,
            Stage::Pins => {
                let sql = "UPDATE messages SET pinned_at = NULL, pin_expires = NULL, pinned_by_id = NULL \
                    WHERE pk IN (SELECT pk FROM messages WHERE channel_pk = $1 AND pinned_at IS NOT NULL \
                    AND created_at <= $2 LIMIT $3)";
                let changed = self.execute(sql, params![purge.channel_pk, purge.upto, limit]).await?;
                return Ok(changed as i64);
            }
            Stage::Members => {
                "DELETE FROM members WHERE channel_pk = $1 AND user_id IN \
                 (SELECT user_id FROM members WHERE channel_pk = $1 ORDER BY user_id LIMIT $2)"
            }
            Stage::Mutes => {
                "DELETE FROM channel_mutes WHERE channel_pk = $1 AND user_id IN \
                 (SELECT user_id FROM channel_mutes WHERE channel_pk = $1 ORDER BY user_id LIMIT $2)"
            }
            Stage::Bans => {
                "DELETE FROM bans WHERE channel_pk = $1 AND user_id IN \
                 (SELECT user_id FROM bans WHERE channel_pk = $1 ORDER BY created_at LIMIT $2)"
            }
            Stage::QuietSpans => {
                "DELETE FROM quiet_spans WHERE channel_pk = $1 AND (user_id, from_at) IN \
                 (SELECT user_id, from_at FROM quiet_spans WHERE channel_pk = $1 ORDER BY user_id, from_at LIMIT $2)"
            }
            Stage::Gaps => {
                "DELETE FROM unread_gaps WHERE channel_pk = $1 AND seq IN (SELECT g.seq FROM unread_gaps g \
                 WHERE g.channel_pk = $1 AND g.seq <= (SELECT c.history_seq FROM channels c WHERE c.pk = $1) \
                 ORDER BY g.seq LIMIT $2)"
            }
            // The oldest first, so that the numbers of those that are left have no hole.
            Stage::Events => {
                "DELETE FROM channel_events WHERE channel_pk = $1 AND seq IN \
                 (SELECT seq FROM channel_events WHERE channel_pk = $1 ORDER BY seq LIMIT $2)"
            }
            Stage::Channel => {
                self.execute("DELETE FROM channels WHERE pk = $1", params![purge.channel_pk]).await?;
                return Ok(0);
            }
        };
        Ok(self.execute(sql, params![purge.channel_pk, limit]).await? as i64)
    }

    /// Removes the newest messages that are left, with everything that hangs on them.
    async fn purge_messages(&mut self, purge: &mut Purge, in_channel: bool, limit: i64) -> Result<i64> {
        // Each half of the messages has an index of its own.
        let half = if in_channel { "in_channel" } else { "NOT in_channel" };
        let sql = format!(
            "SELECT pk, created_at FROM messages WHERE channel_pk = $1 AND {half} AND created_at < $2 \
             ORDER BY created_at DESC LIMIT $3"
        );
        let batch = self
            .query(&sql, params![purge.channel_pk, purge.below, limit], |row| Ok((row.int(0)?, row.int(1)?)))
            .await?;
        let Some((_, oldest)) = batch.last() else { return Ok(0) };
        let all: Vec<i64> = batch.iter().map(|(pk, _)| *pk).collect();
        let kept = self.list_parents_of_newer(all.clone(), purge.upto).await?;
        let gone: Vec<i64> = all.iter().copied().filter(|pk| !kept.contains(pk)).collect();
        if self.purge_hanging(&all, &gone, limit).await? >= limit {
            // More hangs on them than goes into one step: the messages come with a later one.
            return Ok(limit);
        }
        self.uncount_replies(all.clone()).await?;
        self.unlist_words(all).await?;
        for (table, key) in [("threads", "parent_pk"), ("messages", "pk")] {
            let sql = format!("DELETE FROM {table} WHERE {}", self.dialect().is_in(key, 1));
            self.execute(&sql, params![gone.clone()]).await?;
        }
        if !kept.is_empty() {
            self.blank_messages(kept, purge.upto).await?;
        }
        purge.below = *oldest;
        Ok(batch.len() as i64)
    }

    /// Which of these messages have replies that stay, being newer than what is purged.
    async fn list_parents_of_newer(&mut self, message_pks: Vec<i64>, upto: Timestamp) -> Result<Vec<i64>> {
        let sql = format!(
            "SELECT m.pk FROM messages m WHERE {} AND EXISTS \
             (SELECT 1 FROM messages r WHERE r.parent_pk = m.pk AND r.created_at > $2)",
            self.dialect().is_in("m.pk", 1)
        );
        self.query(&sql, params![message_pks, upto], |row| row.int(0)).await
    }

    /// Removes the rows of messages and threads in other tables, at most `limit`. Answers how many.
    async fn purge_hanging(&mut self, all: &[i64], gone: &[i64], limit: i64) -> Result<i64> {
        let tables = [
            ("reactions", "message_pk", "message_pk, user_id, kind", all),
            ("message_hidden_for", "message_pk", "message_pk, user_id", all),
            ("message_history", "message_pk", "pk", all),
            ("flags", "message_pk", "pk", all),
            ("thread_participants", "parent_pk", "parent_pk, user_id", gone),
            ("thread_unread_gaps", "parent_pk", "parent_pk, seq", gone),
        ];
        let mut removed = 0;
        for (table, of, key, messages) in tables {
            let sql = format!(
                "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {} LIMIT $2)",
                self.dialect().is_in(of, 1)
            );
            removed += self.execute(&sql, params![messages.to_vec(), limit - removed]).await? as i64;
            if removed >= limit {
                break;
            }
        }
        Ok(removed)
    }

    /// Takes replies that are about to go off the counts of their parents.
    async fn uncount_replies(&mut self, message_pks: Vec<i64>) -> Result<()> {
        let sql = format!(
            "SELECT parent_pk, COUNT(*) FROM messages WHERE {} AND parent_pk IS NOT NULL AND deleted_at IS NULL \
             GROUP BY parent_pk ORDER BY parent_pk",
            self.dialect().is_in("pk", 1)
        );
        let replies = self.query(&sql, params![message_pks], |row| Ok((row.int(0)?, row.int(1)?))).await?;
        for (parent_pk, number) in replies {
            self.update_reply_counts(parent_pk, -number, number).await?;
        }
        Ok(())
    }

    /// Empties messages whose replies are newer than what is purged: only their place is left.
    async fn blank_messages(&mut self, message_pks: Vec<i64>, deleted_at: Timestamp) -> Result<()> {
        let sql = format!(
            "UPDATE messages SET text = '', mentioned_user_ids = NULL, attachments = NULL, custom = NULL, \
             extra = NULL, reactions = NULL, quoted_message_id = NULL, pinned_at = NULL, pin_expires = NULL, \
             pinned_by_id = NULL, deleted_at = COALESCE(deleted_at, $1) WHERE {}",
            self.dialect().is_in("pk", 2)
        );
        self.execute(&sql, params![deleted_at, message_pks]).await?;
        Ok(())
    }

    /// Gives the id of a message that waits to be purged to whoever wants it. `false` when it is not free.
    pub(crate) async fn free_message_id(&mut self, app_pk: i64, id: &str) -> Result<bool> {
        // No id that is given from outside holds a comma. A message that stays as the parent of newer replies keeps
        // its id, since they name it.
        let sql = format!(
            "UPDATE messages AS m SET id = ',' || CAST(pk AS TEXT) WHERE {HAS_ID} AND EXISTS \
             (SELECT 1 FROM purges p WHERE p.channel_pk = m.channel_pk AND p.kind <> 'history' \
             AND m.created_at <= p.upto AND NOT EXISTS (SELECT 1 FROM messages r \
             WHERE r.parent_pk = m.pk AND r.created_at > p.upto)) RETURNING pk"
        );
        let freed = self.query_optional(&sql, params![app_pk, id], |row| row.int(0)).await?;
        let Some(message_pk) = freed else { return Ok(false) };
        self.execute(
            "UPDATE message_history SET message_id = ',' || CAST(message_pk AS TEXT) WHERE message_pk = $1",
            params![message_pk],
        )
        .await?;
        Ok(true)
    }

    /// Removes gaps of the first channel behind `after` that has any, at most `limit`: those before its history, and
    /// those that every member has read past and whose messages are gone for good. Answers the channel and whether
    /// there may be more of them. A channel that was quiet for somebody keeps its gaps: how many of those that are gone
    /// lie in a quiet span could not be told any more.
    pub async fn prune_unread_gaps(&mut self, after: i64, limit: i64) -> Result<Option<(i64, bool)>> {
        let next = self
            .query_optional(
                "SELECT channel_pk FROM unread_gaps WHERE channel_pk > $1 ORDER BY channel_pk, seq LIMIT 1",
                params![after],
                |row| row.int(0),
            )
            .await?;
        let Some(channel_pk) = next else { return Ok(None) };
        // Read positions move under the channel's lock.
        let sql = format!("SELECT pk FROM channels WHERE pk = $1{}", self.dialect().for_update());
        self.query_optional(&sql, params![channel_pk], |row| row.int(0)).await?;
        let all_have_read = self
            .query_optional(
                "SELECT MIN(read_seq) FROM members WHERE channel_pk = $1 \
                 AND NOT (invited AND invite_accepted_at IS NULL)",
                params![channel_pk],
                |row| row.optional_int(0),
            )
            .await?
            .flatten();
        let sql = "DELETE FROM unread_gaps WHERE channel_pk = $1 AND seq IN (SELECT g.seq FROM unread_gaps g \
            JOIN channels c ON c.pk = g.channel_pk WHERE g.channel_pk = $1 AND (g.seq <= c.history_seq \
            OR (g.seq <= $2 AND NOT EXISTS (SELECT 1 FROM quiet_spans q WHERE q.channel_pk = g.channel_pk) \
            AND NOT EXISTS (SELECT 1 FROM messages d WHERE d.channel_pk = g.channel_pk \
            AND d.unread_seq = g.seq AND d.deleted_at IS NOT NULL AND d.counts_unread))) ORDER BY g.seq LIMIT $3)";
        let removed =
            self.execute(sql, params![channel_pk, all_have_read.unwrap_or(i64::MAX), limit]).await?;
        Ok(Some((channel_pk, removed as i64 == limit)))
    }

    /// Removes gaps of the `limit` threads with gaps behind `after`: all of those that nobody sees any more, and of each
    /// other at most `gaps_limit` that everybody has read past and whose replies are gone for good. Answers
    /// the last thread looked at, `None` when there are no more.
    pub async fn prune_thread_unread_gaps(
        &mut self,
        after: i64,
        limit: i64,
        gaps_limit: i64,
    ) -> Result<Option<i64>> {
        let parents = self
            .query(
                "SELECT DISTINCT parent_pk FROM thread_unread_gaps WHERE parent_pk > $1 ORDER BY parent_pk LIMIT $2",
                params![after, limit],
                |row| row.int(0),
            )
            .await?;
        let last = parents.last().copied();
        // Read positions in threads move under the channel's lock.
        let sql = format!(
            "SELECT DISTINCT channel_pk FROM messages WHERE {} ORDER BY channel_pk",
            self.dialect().is_in("pk", 1)
        );
        let channels = self.query(&sql, params![parents.clone()], |row| row.int(0)).await?;
        let lock = format!("SELECT pk FROM channels WHERE pk = $1{}", self.dialect().for_update());
        for channel_pk in channels {
            self.query_optional(&lock, params![channel_pk], |row| row.int(0)).await?;
        }
        // A reply that is there may come back, or be deleted a second time: its gap has to stay.
        const READ_PAST: &str = "DELETE FROM thread_unread_gaps WHERE parent_pk = $1 AND seq IN \
            (SELECT g.seq FROM thread_unread_gaps g WHERE g.parent_pk = $1 AND g.seq <= COALESCE((SELECT MIN(p.read_seq) \
            FROM thread_participants p WHERE p.parent_pk = $1), g.seq) AND g.seq NOT IN (SELECT m.thread_seq \
            FROM messages m WHERE m.parent_pk = $1 AND m.thread_seq IS NOT NULL AND (m.deleted_at IS NOT NULL OR m.shadowed)) \
            ORDER BY g.seq LIMIT $2)";
        for parent_pk in &parents {
            self.execute(READ_PAST, params![*parent_pk, gaps_limit]).await?;
        }
        let sql = format!(
            "DELETE FROM thread_unread_gaps WHERE parent_pk IN (SELECT m.pk FROM messages m \
             JOIN channels c ON c.pk = m.channel_pk WHERE {} AND m.created_at <= c.history_from)",
            self.dialect().is_in("m.pk", 1)
        );
        self.execute(&sql, params![parents]).await?;
        Ok(last)
    }
}
