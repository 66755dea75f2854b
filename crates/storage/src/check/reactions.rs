use std::collections::{BTreeMap, HashMap};

use super::Outcome;
use crate::error::Result;
use crate::messages::{ReactionGroup, ReactionSummary, Reactor};
use crate::reactions::{LATEST_MAX, Reaction};
use crate::tx::Tx;
use crate::value::params;

pub(super) const RULE: &str = "messages.reactions";

/// Messages whose reactions are looked at together.
const MESSAGES_BATCH: i64 = 200;

/// A message and its reactions as they are counted in its row.
struct Summarised {
    pk: i64,
    id: String,
    summary: Option<String>,
}

impl Tx {
    /// Whether the reactions counted in each shown message's row are those in their own table.
    pub(super) async fn check_reactions(&mut self) -> Result<Outcome> {
        // Those that nobody sees any more may be about to lose their reactions.
        const MESSAGES: &str = "SELECT pk, id, reactions FROM messages WHERE pk > $1 AND (reactions IS NOT NULL \
            OR EXISTS (SELECT 1 FROM reactions r WHERE r.message_pk = messages.pk)) AND created_at > \
            (SELECT c.history_from FROM channels c WHERE c.pk = messages.channel_pk) ORDER BY pk LIMIT $2";
        let mut outcome = Outcome::new(RULE, "the reactions counted with a message are those that there are");
        let mut after = 0;
        loop {
            let messages = self
                .query(MESSAGES, params![after, MESSAGES_BATCH], |row| {
                    Ok(Summarised { pk: row.int(0)?, id: row.text(1)?, summary: row.optional_text(2)? })
                })
                .await?;
            let Some(last) = messages.last() else { return Ok(outcome) };
            after = last.pk;
            let mut stored =
                self.list_all_reactions(messages.iter().map(|message| message.pk).collect()).await?;
            for message in &messages {
                let reactions = stored.remove(&message.pk).unwrap_or_default();
                if let Some(problem) = difference(message.summary.as_deref(), &reactions) {
                    outcome.add(|| format!("{}: {problem}", message.id));
                }
            }
        }
    }

    /// The reactions to each of these messages, newest first.
    async fn list_all_reactions(&mut self, message_pks: Vec<i64>) -> Result<HashMap<i64, Vec<Reaction>>> {
        let sql = format!(
            "SELECT message_pk, user_id, kind, score, custom, created_at, updated_at FROM reactions \
             WHERE {} ORDER BY message_pk, created_at DESC, user_id, kind",
            self.dialect().is_in("message_pk", 1)
        );
        let rows = self
            .query(&sql, params![message_pks], |row| {
                let reaction = Reaction {
                    user_id: row.text(1)?,
                    kind: row.text(2)?,
                    score: row.int(3)?,
                    custom: row.json(4, "reactions.custom")?,
                    created_at: row.time(5)?,
                    updated_at: row.time(6)?,
                };
                Ok((row.int(0)?, reaction))
            })
            .await?;
        let mut by_message: HashMap<i64, Vec<Reaction>> = HashMap::new();
        for (message_pk, reaction) in rows {
            by_message.entry(message_pk).or_default().push(reaction);
        }
        Ok(by_message)
    }
}

/// What is wrong with a summary of these reactions, which come newest first.
fn difference(summary: Option<&str>, reactions: &[Reaction]) -> Option<String> {
    let summary: ReactionSummary = match summary.map(serde_json::from_str).transpose() {
        Ok(summary) => summary.unwrap_or_default(),
        Err(error) => return Some(format!("cannot be read: {error}")),
    };
    let groups = groups_of(reactions);
    if summary.groups != groups {
        return Some(format!("groups {:?}, expected {groups:?}", summary.groups));
    }
    let latest = &reactions[..reactions.len().min(LATEST_MAX)];
    // Of reactions of the same moment any may come first.
    let is_newest_first = summary
        .latest
        .iter()
        .map(|reaction| reaction.created_at)
        .eq(latest.iter().map(|reaction| reaction.created_at));
    let are_there = summary.latest.iter().all(|reaction| reactions.contains(reaction));
    let are_distinct = summary
        .latest
        .iter()
        .enumerate()
        .all(|(place, reaction)| !summary.latest[..place].contains(reaction));
    (!is_newest_first || !are_there || !are_distinct)
        .then(|| format!("latest {:?}, expected {latest:?}", summary.latest))
}

fn groups_of(reactions: &[Reaction]) -> BTreeMap<String, ReactionGroup> {
    let mut groups: BTreeMap<String, ReactionGroup> = BTreeMap::new();
    for Reaction { kind, score, created_at, user_id, .. } in reactions {
        let first = ReactionGroup {
            first_reaction_at: *created_at,
            last_reaction_at: *created_at,
            ..ReactionGroup::default()
        };
        let group = groups.entry(kind.clone()).or_insert(first);
        group.count += 1;
        group.sum_scores += score;
        group.first_reaction_at = group.first_reaction_at.min(*created_at);
        group.last_reaction_at = group.last_reaction_at.max(*created_at);
        if group.latest_by.len() < LATEST_MAX {
            group.latest_by.push(Reactor { user_id: user_id.clone(), created_at: *created_at });
        }
    }
    groups
}
