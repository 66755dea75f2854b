use natterjack_protocol::{Custom, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::messages::{ReactionGroup, Reactor};
use crate::tx::Tx;
use crate::value::{Row, json_unless_default, params};

/// A reaction as stored: one per message, user and type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reaction {
    pub user_id: String,
    pub kind: String,
    pub score: i64,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub custom: Custom,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

fn is_empty(custom: &Custom) -> bool {
    custom.is_empty()
}

pub(crate) const REACTION_COLUMNS: &str =
    "r.user_id, r.kind, r.score, r.custom, r.created_at, r.updated_at, r.message_pk";

pub(crate) fn reaction_from_row(row: Row<'_>) -> Result<Reaction> {
    Ok(Reaction {
        user_id: row.text(0)?,
        kind: row.text(1)?,
        score: row.int(2)?,
        custom: row.json(3, "reactions.custom")?,
        created_at: row.time(4)?,
        updated_at: row.time(5)?,
    })
}

impl Tx {
    /// Stores a reaction or replaces score and custom data of the one that is there.
    pub async fn upsert_reaction(&mut self, message_pk: i64, reaction: &Reaction) -> Result<()> {
        self.execute(
            "INSERT INTO reactions (message_pk, user_id, kind, score, custom, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (message_pk, user_id, kind) DO UPDATE SET \
             score = excluded.score, custom = excluded.custom, updated_at = excluded.updated_at",
            params![
                message_pk,
                &reaction.user_id,
                &reaction.kind,
                reaction.score,
                json_unless_default(&reaction.custom),
                reaction.created_at,
                reaction.updated_at
            ],
        )
        .await?;
        Ok(())
    }

    /// The reactions of one user to a message.
    pub async fn list_reactions_by_user(&mut self, message_pk: i64, user_id: &str) -> Result<Vec<Reaction>> {
        let sql = format!(
            "SELECT {REACTION_COLUMNS} FROM reactions r WHERE r.message_pk = $1 AND r.user_id = $2 \
             ORDER BY r.created_at DESC, r.kind"
        );
        self.query(&sql, params![message_pk, user_id], reaction_from_row).await
    }

    /// The reactions of one user to several messages, newest first, with the key of the message.
    pub async fn list_own_reactions(
        &mut self,
        message_pks: Vec<i64>,
        user_id: &str,
    ) -> Result<Vec<(i64, Reaction)>> {
        let sql = format!(
            "SELECT {REACTION_COLUMNS} FROM reactions r WHERE {} AND r.user_id = $2 \
             ORDER BY r.created_at DESC, r.kind",
            self.dialect().is_in("r.message_pk", 1)
        );
        self.query(&sql, params![message_pks, user_id], |row| Ok((row.int(6)?, reaction_from_row(row)?)))
            .await
    }

    /// A page of the reactions to a message, newest first.
    pub async fn list_reactions(
        &mut self,
        message_pk: i64,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Reaction>> {
        let sql = format!(
            "SELECT {REACTION_COLUMNS} FROM reactions r WHERE r.message_pk = $1 \
             ORDER BY r.created_at DESC, r.user_id, r.kind LIMIT $2 OFFSET $3"
        );
        self.query(&sql, params![message_pk, limit, offset], reaction_from_row).await
    }

    /// Removes a reaction. `false` when there was none.
    pub async fn delete_reaction(&mut self, message_pk: i64, user_id: &str, kind: &str) -> Result<bool> {
        let deleted = self
            .execute(
                "DELETE FROM reactions WHERE message_pk = $1 AND user_id = $2 AND kind = $3",
                params![message_pk, user_id, kind],
            )
            .await?;
        Ok(deleted == 1)
    }

    /// Counts the reactions of one type to a message, with the users of at most `latest` of them. `None` when there
    /// are none.
    pub async fn count_reaction_group(
        &mut self,
        message_pk: i64,
        kind: &str,
        latest: i64,
    ) -> Result<Option<ReactionGroup>> {
        let group = self
            .query_optional(
                "SELECT COUNT(*), CAST(COALESCE(SUM(score), 0) AS BIGINT), COALESCE(MIN(created_at), 0), \
                 COALESCE(MAX(created_at), 0) FROM reactions WHERE message_pk = $1 AND kind = $2",
                params![message_pk, kind],
                |row| {
                    Ok(ReactionGroup {
                        count: row.int(0)?,
                        sum_scores: row.int(1)?,
                        first_reaction_at: row.time(2)?,
                        last_reaction_at: row.time(3)?,
                        latest_by: Vec::new(),
                    })
                },
            )
            .await?;
        let Some(group) = group.filter(|group| group.count > 0) else { return Ok(None) };
        let latest_by = self
            .query(
                "SELECT user_id, created_at FROM reactions WHERE message_pk = $1 AND kind = $2 \
                 ORDER BY created_at DESC, user_id LIMIT $3",
                params![message_pk, kind, latest],
                |row| Ok(Reactor { user_id: row.text(0)?, created_at: row.time(1)? }),
            )
            .await?;
        Ok(Some(ReactionGroup { latest_by, ..group }))
    }
}
