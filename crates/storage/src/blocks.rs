use natterjack_protocol::Timestamp;

use crate::channels::Advanced;
use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Row, params};

/// That a user blocked another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserBlock {
    pub user_id: String,
    pub blocked_user_id: String,
    pub created_at: Timestamp,
}

/// A member for whom a channel came to be blocked, or no longer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockChange {
    pub user_id: String,
    pub blocked: bool,
    /// Whether the member saw the channel before.
    pub was_hidden: bool,
}

/// As SQL: whether the channel `c` has two members of whom `m` blocked the other.
const IS_BLOCKED: &str = "(c.member_count = 2 AND EXISTS (SELECT 1 FROM members o JOIN user_blocks b \
    ON b.app_pk = o.app_pk AND b.blocked_user_id = o.user_id WHERE o.channel_pk = m.channel_pk \
    AND o.user_id <> m.user_id AND b.user_id = m.user_id))";

fn block_from_row(row: Row<'_>) -> Result<UserBlock> {
    Ok(UserBlock { user_id: row.text(0)?, blocked_user_id: row.text(1)?, created_at: row.time(2)? })
}

impl Tx {
    /// Members of a channel of two who blocked the other.
    pub async fn list_blockers_in(&mut self, channel_pk: i64) -> Result<Vec<String>> {
        self.query(
            "SELECT m.user_id FROM channels c JOIN members m ON m.channel_pk = c.pk \
             WHERE c.pk = $1 AND c.member_count <= 2 AND m.blocked LIMIT 2",
            params![channel_pk],
            |row| row.text(0),
        )
        .await
    }

    /// Keeps others from changing whom this user blocks, and from making channels of two to which that matters, until
    /// the end of the transaction.
    pub async fn lock_user_blocks(&mut self, app_pk: i64, user_id: &str) -> Result<()> {
        self.lock_key("user_blocks", app_pk, user_id).await
    }

    /// Records a block. `false` when it is there already.
    pub async fn insert_user_block(&mut self, app_pk: i64, block: &UserBlock) -> Result<bool> {
        let inserted = self
            .execute(
                "INSERT INTO user_blocks (app_pk, user_id, blocked_user_id, created_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (app_pk, user_id, blocked_user_id) DO NOTHING",
                params![app_pk, &block.user_id, &block.blocked_user_id, block.created_at],
            )
            .await?;
        Ok(inserted == 1)
    }

    /// Takes a block back. `false` when there is none.
    pub async fn delete_user_block(
        &mut self,
        app_pk: i64,
        user_id: &str,
        blocked_user_id: &str,
    ) -> Result<bool> {
        let deleted = self
            .execute(
                "DELETE FROM user_blocks WHERE app_pk = $1 AND user_id = $2 AND blocked_user_id = $3",
                params![app_pk, user_id, blocked_user_id],
            )
            .await?;
        Ok(deleted == 1)
    }

    /// The block of one user by another.
    pub async fn find_user_block(
        &mut self,
        app_pk: i64,
        user_id: &str,
        blocked_user_id: &str,
    ) -> Result<Option<UserBlock>> {
        self.query_optional(
            "SELECT user_id, blocked_user_id, created_at FROM user_blocks \
             WHERE app_pk = $1 AND user_id = $2 AND blocked_user_id = $3",
            params![app_pk, user_id, blocked_user_id],
            block_from_row,
        )
        .await
    }

    /// Whom each of these users has blocked, newest block first, at most `limit` for each.
    pub async fn list_user_blocks(
        &mut self,
        app_pk: i64,
        user_ids: &[String],
        limit: i64,
    ) -> Result<Vec<UserBlock>> {
        let params: Vec<_> = user_ids
            .iter()
            .map(|user_id| vec![app_pk.into(), user_id.as_str().into(), limit.into()])
            .collect();
        let sql = "SELECT user_id, blocked_user_id, created_at FROM user_blocks WHERE app_pk = $1 AND user_id = $2 \
            ORDER BY created_at DESC, blocked_user_id LIMIT $3";
        Ok(self.query_each(sql, &params, block_from_row).await?.into_iter().flatten().collect())
    }

    /// Which of these users have blocked `blocked_user_id`.
    pub async fn list_blockers(
        &mut self,
        app_pk: i64,
        blocked_user_id: &str,
        user_ids: Vec<String>,
    ) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT user_id FROM user_blocks WHERE app_pk = $1 AND blocked_user_id = $2 AND {} ORDER BY user_id",
            self.dialect().is_in("user_id", 3)
        );
        self.query(&sql, params![app_pk, blocked_user_id, user_ids], |row| row.text(0)).await
    }

    /// The channels that have just these two members, by their keys: those behind `after`, at most `limit`.
    pub async fn list_channels_of_pair(
        &mut self,
        app_pk: i64,
        user_ids: (&str, &str),
        after: i64,
        limit: i64,
    ) -> Result<Vec<i64>> {
        self.query(
            "SELECT c.pk FROM members m JOIN members o ON o.channel_pk = m.channel_pk \
             JOIN channels c ON c.pk = m.channel_pk WHERE m.app_pk = $1 AND m.user_id = $2 AND o.user_id = $3 \
             AND c.member_count = 2 AND c.deleted_at IS NULL AND m.channel_pk > $4 ORDER BY c.pk LIMIT $5",
            params![app_pk, user_ids.0, user_ids.1, after, limit],
            |row| row.int(0),
        )
        .await
    }

    /// Brings the members of a channel in line with whom they block: a channel of two is hidden from a member who
    /// blocked the other, and quiet; otherwise it is shown again. Answers those for whom it changed.
    ///
    /// For a channel that has two members or had two before the transaction, whose lock is held; `advanced` is what
    /// the lock gave.
    pub async fn settle_blocks(
        &mut self,
        app_pk: i64,
        channel_pk: i64,
        advanced: &Advanced,
    ) -> Result<Vec<BlockChange>> {
        if advanced.member_count == 2 {
            let members = self
                .query(
                    "SELECT user_id FROM members WHERE channel_pk = $1 ORDER BY user_id LIMIT 2",
                    params![channel_pk],
                    |row| row.text(0),
                )
                .await?;
            for user_id in members {
                self.lock_user_blocks(app_pk, &user_id).await?;
            }
        }
        let sql = format!(
            "SELECT m.user_id, NOT m.blocked, m.hidden FROM members m JOIN channels c ON c.pk = m.channel_pk \
             WHERE m.channel_pk = $1 AND m.blocked <> {IS_BLOCKED} ORDER BY m.user_id"
        );
        let changes = self
            .query(&sql, params![channel_pk], |row| {
                Ok(BlockChange { user_id: row.text(0)?, blocked: row.bool(1)?, was_hidden: row.bool(2)? })
            })
            .await?;
        for change in &changes {
            self.execute(
                "UPDATE members SET blocked = $1, hidden = $1 WHERE channel_pk = $2 AND user_id = $3",
                params![change.blocked, channel_pk, &change.user_id],
            )
            .await?;
            self.settle_quiet(channel_pk, &change.user_id, advanced.at, advanced.unread_seq).await?;
        }
        Ok(changes)
    }

    /// After a member has gone for whom the channel was quiet because of a block: it is so no longer, should he or she
    /// come back. `advanced` is what the channel's lock gave.
    pub async fn settle_left(&mut self, channel_pk: i64, user_id: &str, advanced: &Advanced) -> Result<()> {
        self.settle_quiet(channel_pk, user_id, advanced.at, advanced.unread_seq).await
    }
}
