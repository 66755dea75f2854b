use std::collections::HashMap;

use natterjack_filter::{Expression, Field, FieldRef, Kind, Operand, Operator, Operators, Schema, SortKey};
use natterjack_protocol::Timestamp;

use super::{COMPARABLE, CUSTOM};
use crate::channels::Channel;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_sql::{Column, Resolve, SqlWriter, texts, write_expression, write_order_by, write_scalar};
use crate::tx::Tx;
use crate::unread::unread;
use crate::value::Param;

/// What may be asked of channels.
pub static CHANNELS: Schema = Schema {
    resource: "channels",
    fields: &[
        Field::new("cid", Kind::Text, COMPARABLE).sortable(),
        Field::new("id", Kind::Text, COMPARABLE).sortable(),
        Field::new("type", Kind::Text, COMPARABLE),
        Field::new("team", Kind::Text, COMPARABLE).nullable().open(),
        Field::new("created_by_id", Kind::Text, COMPARABLE),
        Field::new("frozen", Kind::Boolean, COMPARABLE),
        Field::new("member_count", Kind::Integer, COMPARABLE).sortable(),
        Field::new("message_count", Kind::Integer, COMPARABLE),
        Field::new("created_at", Kind::Time, COMPARABLE).sortable(),
        Field::new("updated_at", Kind::Time, COMPARABLE).sortable(),
        Field::new("last_message_at", Kind::Time, COMPARABLE).nullable().sortable(),
        Field::new("last_updated", Kind::Time, COMPARABLE).sortable(),
        Field::new("members", Kind::TextList, Operators::EQUALITY.union(Operators::CONTAINS)),
        Field::new("member.user.name", Kind::Text, Operators::EQ.union(Operators::AUTOCOMPLETE)),
        Field::new("name", Kind::Text, COMPARABLE.union(Operators::AUTOCOMPLETE).union(Operators::Q))
            .sortable(),
        Field::new("archived", Kind::Boolean, Operators::EQ),
        Field::new("blocked", Kind::Boolean, Operators::EQ),
        Field::new("disabled", Kind::Boolean, Operators::EQ),
        Field::new("distinct", Kind::Boolean, Operators::EQ),
        Field::new("hidden", Kind::Boolean, Operators::EQ),
        Field::new("joined", Kind::Boolean, Operators::EQ),
        Field::new("muted", Kind::Boolean, Operators::EQ),
        Field::new("pinned", Kind::Boolean, Operators::EQ),
        Field::new("has_unread", Kind::Boolean, Operators::EQ).sortable(),
        Field::new("unread_count", Kind::Integer, Operators::NONE).sortable(),
        Field::new("pinned_at", Kind::Time, Operators::NONE).sortable(),
        Field::new("invite", Kind::Text, Operators::EQ).values(&["pending", "accepted", "rejected"]),
        Field::new("channel_role", Kind::Text, Operators::EQUALITY),
        Field::new("app_banned", Kind::Text, Operators::EQ).values(&["excluded", "only"]),
        Field::new("filter_tags", Kind::TextList, Operators::EQUALITY),
    ],
    custom: Some(CUSTOM),
};

/// The fields that say something about the asking user and the channel.
const OF_USER: [&str; 10] = [
    "archived",
    "hidden",
    "joined",
    "muted",
    "pinned",
    "has_unread",
    "unread_count",
    "pinned_at",
    "invite",
    "channel_role",
];

/// A page of channels.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelQuery {
    /// Parsed against [`CHANNELS`].
    pub filter: Expression,
    /// Parsed against [`CHANNELS`]; empty: the last updated first.
    pub sort: Vec<SortKey>,
    pub limit: i64,
    pub offset: i64,
    /// Whose view it is: channels that this user has hidden are left out unless the filter asks for `hidden`.
    pub user_id: Option<String>,
    /// The moment of the query, on which it depends what is muted.
    pub now: Timestamp,
    /// The types in whose channels nothing is unread.
    pub without_kinds: Vec<String>,
}

/// The first field of a filter or sort list, parsed against [`CHANNELS`], that has no meaning without a user.
pub fn needs_user(filter: &Expression, sort: &[SortKey]) -> Option<&'static str> {
    asked_fields(filter, sort).find(|field| OF_USER.contains(field))
}

/// The fields of [`CHANNELS`] that a filter or sort list names.
fn asked_fields<'a>(filter: &'a Expression, sort: &'a [SortKey]) -> impl Iterator<Item = &'static str> + 'a {
    let fields = filter.comparisons().map(|comparison| &comparison.field);
    fields.chain(sort.iter().map(|key| &key.field)).filter_map(FieldRef::builtin)
}

/// The unread messages of the asking user; none in channels of the types in `uncounted`.
const UNREAD: &str =
    concat!("(CASE WHEN c.kind IN (SELECT kind FROM uncounted) THEN 0 ELSE ", unread!("me", "c"), " END)");

/// The messages of a channel as `Channel::counted_messages` counts them.
const COUNTED_MESSAGES: &str = "(CASE WHEN c.messages_uncounted IS NULL THEN 0 \
    ELSE c.message_count - c.messages_uncounted END)";

/// Fields of `channels c`, and of the asking user's membership `members me`, absent for others.
pub(super) struct ChannelFields<'a> {
    pub(super) app_pk: i64,
    pub(super) user_id: &'a str,
    pub(super) now: Timestamp,
}

impl Resolve for ChannelFields<'_> {
    fn column(&self, dialect: Dialect, field: &FieldRef) -> Column {
        let FieldRef::Builtin(field) = field else {
            return Column::Custom("c.custom");
        };
        match field.name {
            "cid" => Column::text("c.cid"),
            "id" => Column::text("c.id"),
            "type" => Column::text("c.kind"),
            "team" => Column::text("c.team"),
            "created_by_id" => Column::text("c.created_by_id"),
            "frozen" => Column::boolean("c.frozen"),
            "member_count" => Column::integer("c.member_count"),
            "message_count" => Column::integer(COUNTED_MESSAGES),
            "created_at" => Column::time("c.created_at"),
            "updated_at" => Column::time("c.updated_at"),
            "last_message_at" => Column::time("c.last_message_at"),
            "last_updated" => Column::time(LAST_UPDATED),
            "name" => Column::custom_text(dialect, "c.custom", "name"),
            "disabled" => Column::boolean("c.disabled"),
            "distinct" => Column::boolean("(c.distinct_members IS NOT NULL)"),
            "filter_tags" => Column::TextList("c.filter_tags"),
            "archived" => Column::boolean("(me.archived_at IS NOT NULL)"),
            "pinned" => Column::boolean("(me.pinned_at IS NOT NULL)"),
            "pinned_at" => Column::time("me.pinned_at"),
            "hidden" => Column::boolean("COALESCE(me.hidden, FALSE)"),
            "blocked" => Column::boolean("COALESCE(me.blocked, FALSE)"),
            "joined" => Column::boolean(
                "(me.user_id IS NOT NULL AND (NOT me.invited OR me.invite_accepted_at IS NOT NULL))",
            ),
            "invite" => Column::text(
                "(CASE WHEN me.user_id IS NULL OR NOT me.invited THEN NULL \
                 WHEN me.invite_accepted_at IS NOT NULL THEN 'accepted' \
                 WHEN me.invite_rejected_at IS NOT NULL THEN 'rejected' ELSE 'pending' END)",
            ),
            "channel_role" => Column::text("me.channel_role"),
            "has_unread" => Column::Boolean(format!("({UNREAD} > 0)").into()),
            "unread_count" => Column::integer(UNREAD),
            // members, member.user.name, muted, app_banned
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
            "members" => self.write_members(writer, operator, operand),
            "member.user.name" => {
                writer.push(
                    "EXISTS (SELECT 1 FROM members x JOIN users xu ON xu.app_pk = x.app_pk AND xu.id = x.user_id \
                     WHERE x.channel_pk = c.pk AND ",
                );
                write_scalar(writer, "xu.name", operator, operand);
                writer.push(")");
            }
            "muted" => self.write_muted(writer, *operand == Operand::Boolean(true)),
            "app_banned" => {
                writer.push(if *operand == Operand::Text("only".to_owned()) { "" } else { "NOT " });
                writer.push(
                    "(c.member_count = 2 AND EXISTS (SELECT 1 FROM members x \
                     JOIN users xu ON xu.app_pk = x.app_pk AND xu.id = x.user_id \
                     WHERE x.channel_pk = c.pk AND xu.banned AND x.user_id <> ",
                );
                writer.bind(self.user_id.to_owned());
                writer.push(" AND (xu.ban_expires IS NULL OR xu.ban_expires > ");
                writer.bind(self.now);
                writer.push(")))");
            }
            _ => {
                debug_assert!(false, "{} has no SQL of its own", field.name);
                writer.push("FALSE");
            }
        }
    }
}

const LAST_UPDATED: &str =
    "(CASE WHEN c.last_message_at > c.created_at THEN c.last_message_at ELSE c.created_at END)";

impl ChannelFields<'_> {
    /// Starts from the user's mutes, who need not be a member.
    fn write_muted(&self, writer: &mut SqlWriter, muted: bool) {
        writer.push(if muted { "c.pk IN " } else { "c.pk NOT IN " });
        writer.push("(SELECT x.channel_pk FROM channel_mutes x WHERE x.app_pk = ");
        writer.bind(self.app_pk);
        writer.push(" AND x.user_id = ");
        writer.bind(self.user_id.to_owned());
        writer.push(" AND (x.expires IS NULL OR x.expires > ");
        writer.bind(self.now);
        writer.push("))");
    }

    /// Starts from the users, so that the index of members by user finds the channels.
    fn write_members(&self, writer: &mut SqlWriter, operator: Operator, operand: &Operand) {
        let (user_ids, is_whole_set) = match (operator, operand) {
            (Operator::In, Operand::List(list)) => (texts(list), false),
            (Operator::Eq, Operand::List(list)) => (texts(list), true),
            (Operator::Contains, Operand::Text(user_id)) => (vec![user_id.clone()], false),
            _ => {
                let missing = (operator, operand) != (Operator::Exists, &Operand::Boolean(true));
                writer.push(if missing { "NOT " } else { "" });
                return writer.push("EXISTS (SELECT 1 FROM members x WHERE x.channel_pk = c.pk)");
            }
        };
        let count = user_ids.len() as i64;
        writer.push("c.pk IN (SELECT x.channel_pk FROM members x WHERE x.app_pk = ");
        writer.bind(self.app_pk);
        writer.push(" AND ");
        writer.push_in("x.user_id", user_ids.clone());
        if is_whole_set {
            // All of them are members, and nobody else is.
            writer.push(" GROUP BY x.channel_pk HAVING COUNT(*) = ");
            writer.bind(count);
            writer.push(") AND NOT EXISTS (SELECT 1 FROM members x WHERE x.channel_pk = c.pk AND NOT ");
            writer.push_in("x.user_id", user_ids);
        }
        writer.push(")");
    }
}

/// Whether only channels with certain members match.
fn demands_members(filter: &Expression) -> bool {
    filter.demands().any(|demand| {
        demand.field.builtin() == Some("members")
            && matches!(demand.operator, Operator::In | Operator::Contains | Operator::Eq)
            && demand.operand != Operand::Null
    })
}

/// Whether only channels that the asking user has muted match.
fn demands_mute(filter: &Expression) -> bool {
    filter
        .demands()
        .any(|demand| demand.field.builtin() == Some("muted") && demand.operand == Operand::Boolean(true))
}

/// Whether only channels of the asking user match.
fn demands_membership(filter: &Expression) -> bool {
    filter.demands().any(|demand| match demand.field.builtin() {
        Some("archived" | "blocked" | "hidden" | "joined" | "pinned" | "has_unread") => {
            demand.operand == Operand::Boolean(true)
        }
        Some("invite" | "channel_role") => matches!(demand.operator, Operator::Eq | Operator::In),
        _ => false,
    })
}

impl Tx {
    /// A page of the app's channels that match and are not deleted, in order. At most `limit`.
    ///
    /// Whether the user may read them is not checked.
    pub async fn query_channels(&mut self, app_pk: i64, query: &ChannelQuery) -> Result<Vec<Channel>> {
        // Sorting keys alone is cheaper than sorting whole rows.
        let writer = write_query(self.dialect(), app_pk, query);
        let pks = self.query(&writer.sql, &writer.params, |row| row.int(0)).await?;
        if pks.is_empty() {
            return Ok(Vec::new());
        }
        let mut channels: HashMap<i64, Channel> =
            self.list_channels(pks.clone()).await?.into_iter().map(|channel| (channel.pk, channel)).collect();
        Ok(pks.iter().filter_map(|pk| channels.remove(pk)).collect())
    }
}

fn write_query(dialect: Dialect, app_pk: i64, query: &ChannelQuery) -> SqlWriter {
    // No user has the empty id.
    let fields =
        ChannelFields { app_pk, user_id: query.user_id.as_deref().unwrap_or_default(), now: query.now };
    let mut writer = SqlWriter::new(dialect);
    let demands_membership = demands_membership(&query.filter);
    if asked_fields(&query.filter, &query.sort).any(|field| ["has_unread", "unread_count"].contains(&field)) {
        writer.params.push(Param::Texts(query.without_kinds.clone()));
        let kinds = dialect.listed(writer.params.len(), "TEXT");
        writer.push(&format!("WITH uncounted (kind) AS (SELECT each.value FROM {kinds}) "));
    }
    writer.push("SELECT c.pk FROM channels c ");
    writer.push(if demands_membership { "JOIN" } else { "LEFT JOIN" });
    writer.push(" members me ON me.channel_pk = c.pk AND me.user_id = ");
    writer.bind(fields.user_id.to_owned());
    let app = writer.reserve(app_pk);
    if demands_membership {
        // The user's memberships lead to the channels. Elsewhere PostgreSQL, which guesses that there are few of them,
        // would go through all of them for each channel.
        writer.push(&format!(" AND me.app_pk = {app}"));
    }
    writer.push(" WHERE ");
    if demands_membership || demands_members(&query.filter) || demands_mute(&query.filter) {
        // The members, or the mutes, lead to the channels, not the app, which may have any number of them.
        writer.push(dialect.no_index());
    }
    writer.push(&format!("c.app_pk = {app}"));
    writer.push(" AND c.deleted_at IS NULL AND ");
    write_expression(&mut writer, &query.filter, &fields);
    if query.user_id.is_some() && !query.filter.mentions("hidden") {
        writer.push(" AND (me.hidden IS NULL OR NOT me.hidden)");
    }
    let last_updated = format!("{LAST_UPDATED} DESC, c.cid");
    let tie = if query.sort.is_empty() { &last_updated } else { "c.cid" };
    write_order_by(&mut writer, &query.sort, &fields, tie);
    writer.push_page(query.limit, query.offset);
    writer
}
