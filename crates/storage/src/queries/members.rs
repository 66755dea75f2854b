use std::collections::HashMap;

use natterjack_filter::{Expression, Field, FieldRef, Kind, Operators, Schema, SortKey};
use natterjack_protocol::Timestamp;

use super::{COMPARABLE, CUSTOM};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_sql::{Column, Resolve, SqlWriter, write_expression, write_order_by};
use crate::members::Member;
use crate::tx::Tx;
use crate::unread::muted_until;

/// `$autocomplete $eq $in $q`.
const NAMED: Operators = Operators::EQUALITY.union(Operators::AUTOCOMPLETE).union(Operators::Q);

/// What may be asked of the members of a channel.
pub static MEMBERS: Schema = Schema {
    resource: "members",
    fields: &[
        Field::new("id", Kind::Text, COMPARABLE),
        Field::new("user_id", Kind::Text, COMPARABLE).sortable(),
        Field::new("cid", Kind::Text, Operators::EQUALITY),
        Field::new("name", Kind::Text, NAMED).sortable(),
        Field::new("user.email", Kind::Text, NAMED),
        Field::new("channel_role", Kind::Text, Operators::EQUALITY),
        Field::new("banned", Kind::Boolean, Operators::EQ),
        Field::new("invite", Kind::Text, Operators::EQ).values(&["pending", "accepted", "rejected"]),
        Field::new("joined", Kind::Boolean, Operators::EQ),
        Field::new("is_moderator", Kind::Boolean, Operators::EQ),
        Field::new("notifications_muted", Kind::Boolean, Operators::EQ),
        Field::new("created_at", Kind::Time, COMPARABLE).sortable(),
        Field::new("updated_at", Kind::Time, COMPARABLE),
        Field::new("last_active", Kind::Time, COMPARABLE),
        Field::new("user.nd_deactivated", Kind::Boolean, Operators::EQ),
    ],
    custom: Some(CUSTOM),
};

/// A page of a channel's members.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberQuery {
    /// Parsed against [`MEMBERS`].
    pub filter: Expression,
    /// Parsed against [`MEMBERS`]; empty: oldest first.
    pub sort: Vec<SortKey>,
    pub limit: i64,
    pub offset: i64,
    pub user_id_lt: Option<String>,
    pub user_id_lte: Option<String>,
    pub user_id_gt: Option<String>,
    pub user_id_gte: Option<String>,
    pub created_at_before: Option<Timestamp>,
    pub created_at_before_or_equal: Option<Timestamp>,
    pub created_at_after: Option<Timestamp>,
    pub created_at_after_or_equal: Option<Timestamp>,
    /// The moment of the query, on which it depends who is banned.
    pub now: Timestamp,
}

impl Default for MemberQuery {
    /// The first 100 members.
    fn default() -> Self {
        Self {
            filter: Expression::All(Vec::new()),
            sort: Vec::new(),
            limit: 100,
            offset: 0,
            user_id_lt: None,
            user_id_lte: None,
            user_id_gt: None,
            user_id_gte: None,
            created_at_before: None,
            created_at_before_or_equal: None,
            created_at_after: None,
            created_at_after_or_equal: None,
            now: Timestamp::default(),
        }
    }
}

/// The fields that are the user's, not the member's.
const OF_USER: [&str; 4] = ["name", "user.email", "last_active", "user.nd_deactivated"];

impl MemberQuery {
    /// Whether the users have to be looked up to find the members.
    fn asks_for_users(&self) -> bool {
        let is_of_user = |field: &FieldRef| OF_USER.contains(&field.name().as_ref());
        OF_USER.iter().any(|name| self.filter.mentions(name))
            || self.sort.iter().any(|key| is_of_user(&key.field))
    }

    fn write_bounds(&self, writer: &mut SqlWriter) {
        let user_ids = [
            (&self.user_id_lt, " AND m.user_id < "),
            (&self.user_id_lte, " AND m.user_id <= "),
            (&self.user_id_gt, " AND m.user_id > "),
            (&self.user_id_gte, " AND m.user_id >= "),
        ];
        for (bound, condition) in user_ids {
            if let Some(bound) = bound {
                writer.push(condition);
                writer.bind(bound.clone());
            }
        }
        let times = [
            (self.created_at_before, " AND m.created_at < "),
            (self.created_at_before_or_equal, " AND m.created_at <= "),
            (self.created_at_after, " AND m.created_at > "),
            (self.created_at_after_or_equal, " AND m.created_at >= "),
        ];
        for (bound, condition) in times {
            if let Some(bound) = bound {
                writer.push(condition);
                writer.bind(bound);
            }
        }
    }
}

struct MemberFields;

impl Resolve for MemberFields {
    fn column(&self, dialect: Dialect, field: &FieldRef) -> Column {
        let FieldRef::Builtin(field) = field else {
            return Column::Custom("m.custom");
        };
        match field.name {
            "id" | "user_id" => Column::text("m.user_id"),
            "cid" => Column::text("(SELECT c.cid FROM channels c WHERE c.pk = m.channel_pk)"),
            "name" => Column::text("u.name"),
            "user.email" => Column::custom_text(dialect, "u.custom", "email"),
            "channel_role" => Column::text("m.channel_role"),
            "banned" => {
                Column::boolean("(m.banned AND (m.ban_expires IS NULL OR m.ban_expires > moment.now))")
            }
            "invite" => Column::text(
                "(CASE WHEN NOT m.invited THEN NULL WHEN m.invite_accepted_at IS NOT NULL THEN 'accepted' \
                 WHEN m.invite_rejected_at IS NOT NULL THEN 'rejected' ELSE 'pending' END)",
            ),
            "joined" => Column::boolean("(NOT m.invited OR m.invite_accepted_at IS NOT NULL)"),
            "is_moderator" => Column::boolean("(m.channel_role = 'channel_moderator')"),
            "notifications_muted" => {
                Column::boolean(concat!("(COALESCE(", muted_until!("m"), ", 0) > moment.now)"))
            }
            "created_at" => Column::time("m.created_at"),
            "updated_at" => Column::time("m.updated_at"),
            "last_active" => Column::time("u.last_active"),
            "user.nd_deactivated" => Column::boolean("(u.deactivated_at IS NOT NULL)"),
            _ => Column::Special,
        }
    }
}

impl Tx {
    /// A page of the channel's members that match, pending invites included, without what they have not read. At most
    /// `limit`.
    pub async fn query_members(&mut self, channel_pk: i64, query: &MemberQuery) -> Result<Vec<Member>> {
        // The ids first, mostly out of an index: of members that the page skips no row is read.
        let mut writer = SqlWriter::new(self.dialect());
        writer.push("SELECT m.user_id FROM members m");
        if query.asks_for_users() {
            writer.push(" LEFT JOIN users u ON u.app_pk = m.app_pk AND u.id = m.user_id");
        }
        writer.push(" CROSS JOIN (SELECT CAST(");
        writer.bind(query.now);
        writer.push(" AS BIGINT) AS now) AS moment WHERE m.channel_pk = ");
        writer.bind(channel_pk);
        query.write_bounds(&mut writer);
        writer.push(" AND ");
        write_expression(&mut writer, &query.filter, &MemberFields);
        let tie = if query.sort.is_empty() { "m.created_at, m.user_id" } else { "m.user_id" };
        write_order_by(&mut writer, &query.sort, &MemberFields, tie);
        writer.push_page(query.limit, query.offset);
        let user_ids = self.query(&writer.sql, &writer.params, |row| row.text(0)).await?;
        let members = self.list_members_with_ids(channel_pk, user_ids.clone()).await?;
        let mut members: HashMap<String, Member> =
            members.into_iter().map(|member| (member.user_id.clone(), member)).collect();
        Ok(user_ids.iter().filter_map(|user_id| members.remove(user_id)).collect())
    }
}
