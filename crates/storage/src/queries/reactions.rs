use natterjack_filter::{Expression, Field, FieldRef, Kind, Operators, Schema};
use natterjack_protocol::Timestamp;
use serde::{Deserialize, Serialize};

use super::page::{Key, KeyPage, Page};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_sql::{Column, Resolve, SqlWriter, write_expression};
use crate::reactions::{REACTION_COLUMNS, Reaction, reaction_from_row};
use crate::tx::Tx;
use crate::value::Param;

/// What may be asked of the reactions to a message.
pub static REACTIONS: Schema = Schema {
    resource: "reactions",
    fields: &[
        Field::new("type", Kind::Text, Operators::EQUALITY),
        Field::new("user_id", Kind::Text, Operators::EQUALITY),
        Field::new("created_at", Kind::Time, Operators::COMPARISON.union(Operators::IN)).sortable(),
    ],
    custom: None,
};

/// A page of the reactions to a message, by the time at which they were made.
#[derive(Debug, Clone, PartialEq)]
pub struct ReactionQuery {
    /// Parsed against [`REACTIONS`].
    pub filter: Expression,
    pub page: KeyPage<ReactionKey>,
}

/// The place of a reaction among those to its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionKey {
    pub created_at: Timestamp,
    pub user_id: String,
    pub kind: String,
}

impl Key for ReactionKey {
    const COLUMNS: &'static [&'static str] = &["r.created_at", "r.user_id", "r.kind"];

    fn values(&self) -> Vec<Param<'static>> {
        vec![self.created_at.into(), self.user_id.clone().into(), self.kind.clone().into()]
    }
}

struct ReactionFields;

impl Resolve for ReactionFields {
    fn column(&self, _: Dialect, field: &FieldRef) -> Column {
        match field.name().as_ref() {
            "type" => Column::text("r.kind"),
            "user_id" => Column::text("r.user_id"),
            "created_at" => Column::time("r.created_at"),
            _ => Column::Special,
        }
    }
}

impl Tx {
    /// A page of the reactions to a message that match.
    pub async fn query_reactions(
        &mut self,
        message_pk: i64,
        query: &ReactionQuery,
    ) -> Result<Page<Reaction, ReactionKey>> {
        let mut writer = SqlWriter::new(self.dialect());
        writer.push(&format!("SELECT {REACTION_COLUMNS} FROM reactions r WHERE r.message_pk = "));
        writer.bind(message_pk);
        writer.push(" AND ");
        write_expression(&mut writer, &query.filter, &ReactionFields);
        query.page.write(&mut writer);
        let found = self.query(&writer.sql, &writer.params, reaction_from_row).await?;
        Ok(query.page.finish(found, |reaction| ReactionKey {
            created_at: reaction.created_at,
            user_id: reaction.user_id.clone(),
            kind: reaction.kind.clone(),
        }))
    }
}
