use natterjack_protocol::{Custom, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::messages::{ReactionSummary, Reactor};
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

/// Newest reactions kept with a message, and users with each type.
pub(crate) const LATEST_MAX: usize = 10;

impl ReactionSummary {
    /// Counts in a reaction that is newer than all others to the message.
    pub fn add(&mut self, reaction: &Reaction) {
        let group = self.groups.entry(reaction.kind.clone()).or_default();
        if group.count == 0 {
            group.first_reaction_at = reaction.created_at;
        }
        group.count += 1;
        group.sum_scores += reaction.score;
        group.last_reaction_at = reaction.created_at;
        let reactor = Reactor { user_id: reaction.user_id.clone(), created_at: reaction.created_at };
        group.latest_by.insert(0, reactor);
        group.latest_by.truncate(LATEST_MAX);
        self.latest.insert(0, reaction.clone());
        self.latest.truncate(LATEST_MAX);
    }

    /// Counts a reaction in place of the one that it replaces, of the same user and type, whose time it keeps.
    pub fn replace(&mut self, old: &Reaction, reaction: &Reaction) {
        if let Some(group) = self.groups.get_mut(&reaction.kind) {
            group.sum_scores += reaction.score - old.score;
        }
        let is_same = |kept: &&mut Reaction| kept.user_id == reaction.user_id && kept.kind == reaction.kind;
        if let Some(kept) = self.latest.iter_mut().find(is_same) {
            *kept = reaction.clone();
        }
    }
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

    /// Takes a reaction, which is deleted already, off what is counted with its message. Of the other reactions only the
    /// first and the newest ones are looked at.
    pub async fn subtract_reaction(
        &mut self,
        message_pk: i64,
        summary: &mut ReactionSummary,
        reaction: &Reaction,
    ) -> Result<()> {
        let Some(group) = summary.groups.get_mut(&reaction.kind) else { return Ok(()) };
        group.count -= 1;
        group.sum_scores -= reaction.score;
        group.latest_by = self
            .query(
                "SELECT user_id, created_at FROM reactions WHERE message_pk = $1 AND kind = $2 \
                 ORDER BY created_at DESC, user_id LIMIT $3",
                params![message_pk, &reaction.kind, LATEST_MAX as i64],
                |row| Ok(Reactor { user_id: row.text(0)?, created_at: row.time(1)? }),
            )
            .await?;
        let first = self
            .query_optional(
                "SELECT created_at FROM reactions WHERE message_pk = $1 AND kind = $2 ORDER BY created_at LIMIT 1",
                params![message_pk, &reaction.kind],
                |row| row.time(0),
            )
            .await?;
        match (first, group.latest_by.first()) {
            (Some(first), Some(last)) => {
                group.first_reaction_at = first;
                group.last_reaction_at = last.created_at;
            }
            _ => {
                summary.groups.remove(&reaction.kind);
            }
        }
        summary.latest = self.list_reactions(message_pk, LATEST_MAX as i64, 0).await?;
        Ok(())
    }
}
