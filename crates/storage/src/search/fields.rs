//! The fields of a message in the filter of a search, and where they are stored.

use std::collections::HashMap;

use natterjack_filter::{Field, FieldRef, Kind, Operand, Operator, Operators, Schema};

use super::index;
use super::text::TextQuery;
use crate::dialect::{Dialect, JsonKind, JsonValue};
use crate::filter_sql::{Column, Resolve, SqlWriter, texts, write_scalar};

/// What may be asked of messages in a search. `relevance` can only be sorted by.
pub static MESSAGES: Schema = Schema {
    resource: "messages",
    fields: &[
        Field::new("id", Kind::Text, COMPARABLE).sortable(),
        Field::new("type", Kind::Text, COMPARABLE).sortable(),
        Field::new("parent_id", Kind::Text, COMPARABLE).sortable().nullable(),
        Field::new("reply_count", Kind::Integer, COMPARABLE).sortable(),
        Field::new("created_at", Kind::Time, COMPARABLE).sortable(),
        Field::new("updated_at", Kind::Time, COMPARABLE).sortable(),
        Field::new("cid", Kind::Text, COMPARABLE).sortable(),
        Field::new(TEXT, Kind::Text, COMPARABLE.union(Operators::WORDS)).sortable(),
        Field::new("attachments", Kind::TextList, Operators::EXISTS),
        Field::new("attachments.type", Kind::Text, Operators::EQUALITY),
        Field::new("mentioned_users.id", Kind::TextList, Operators::CONTAINS),
        Field::new("user.id", Kind::Text, Operators::EQUALITY).sortable(),
        Field::new("user_id", Kind::Text, Operators::EQUALITY).sortable(),
        Field::new("pinned", Kind::Boolean, Operators::EQ).sortable(),
        Field::new("relevance", Kind::Number, Operators::NONE).sortable(),
    ],
    custom: Some(Operators::COMPARISON.union(Operators::IN)),
};

const COMPARABLE: Operators = Operators::COMPARISON.union(Operators::IN).union(Operators::EXISTS);

/// The field that the text index is for.
const TEXT: &str = "text";

/// Whether `operator` on `field` is a question to the text index.
pub(super) fn is_text_question(field: &FieldRef, operator: Operator) -> bool {
    matches!(field, FieldRef::Builtin(field) if field.name == TEXT) && Operators::WORDS.has(operator)
}

/// For each word that may be a part of others, the words that contain it.
pub(super) type Parts = HashMap<String, Vec<String>>;

/// Where the fields of messages `m` are stored.
pub(super) struct MessageFields<'a> {
    /// The words to look for in place of parts; `None` to look for whole words.
    pub parts: Option<&'a Parts>,
    /// The moment at which pins may have expired, as SQL.
    pub now: &'static str,
    /// The relevance, as SQL.
    pub score: String,
    /// Whether an order is written, not a condition.
    pub is_order: bool,
}

impl MessageFields<'_> {
    /// What a comparison of the text asks the index.
    pub(super) fn text_query(&self, operator: Operator, operand: &Operand) -> TextQuery {
        let Operand::Text(text) = operand else {
            debug_assert!(false, "words are looked for with text");
            return TextQuery { every: false, terms: Vec::new() };
        };
        let query = TextQuery::new(operator, text);
        match self.parts {
            Some(parts) if operator == Operator::Q => {
                query.with_parts(|part| parts.get(part).cloned().unwrap_or_default())
            }
            _ => query,
        }
    }
}

impl Resolve for MessageFields<'_> {
    fn column(&self, _: Dialect, field: &FieldRef) -> Column {
        let FieldRef::Builtin(field) = field else {
            return Column::Custom("m.custom");
        };
        match field.name {
            "id" => Column::text("m.id"),
            "type" => Column::text("m.kind"),
            "parent_id" => Column::text("m.parent_id"),
            "reply_count" => Column::integer("m.reply_count"),
            "created_at" => Column::time("m.created_at"),
            "updated_at" => Column::time("m.updated_at"),
            "cid" => Column::text("(SELECT c.cid FROM channels c WHERE c.pk = m.channel_pk)"),
            TEXT if self.is_order => Column::text("m.text"),
            "attachments" => Column::text("m.attachments"),
            "mentioned_users.id" => Column::TextList("m.mentioned_user_ids"),
            "user.id" | "user_id" => Column::text("m.user_id"),
            "pinned" => Column::Boolean(
                format!(
                    "(m.pinned_at IS NOT NULL AND (m.pin_expires IS NULL OR m.pin_expires > {}))",
                    self.now
                )
                .into(),
            ),
            "relevance" => Column::Text(self.score.clone().into()),
            _ => Column::Special,
        }
    }

    fn write_special(
        &self,
        writer: &mut SqlWriter,
        field: &'static Field,
        operator: Operator,
        operand: &Operand,
    ) {
        match field.name {
            TEXT if Operators::WORDS.has(operator) => {
                let query = self.text_query(operator, operand);
                match index::question(writer.dialect, &[query]) {
                    Some(question) => {
                        let placeholder = writer.reserve(question);
                        writer.push(&index::contains(writer.dialect, "m.pk", &placeholder));
                    }
                    None => writer.push("FALSE"),
                }
            }
            TEXT => write_scalar(writer, "m.text", operator, operand),
            "attachments.type" => {
                let kind = JsonValue::of_key(writer.dialect, "element.value", "type").get(JsonKind::Text);
                let elements = writer.dialect.json_elements("m.attachments");
                writer.push(&format!("EXISTS (SELECT 1 FROM {elements} WHERE "));
                let wanted = match operand {
                    Operand::List(list) => texts(list),
                    Operand::Text(text) => vec![text.clone()],
                    _ => Vec::new(),
                };
                writer.push_in(&kind, wanted);
                writer.push(")");
            }
            _ => {
                debug_assert!(false, "{} has no SQL of its own", field.name);
                writer.push("FALSE");
            }
        }
    }
}
