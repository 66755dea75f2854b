use natterjack_filter::{Expression, Field, FieldRef, Kind, Operators, Schema, SortKey};
use natterjack_protocol::Timestamp;

use super::{COMPARABLE, SAME};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_sql::{Column, Resolve, SqlWriter, write_expression, write_order_by};
use crate::tx::Tx;
use crate::users::{USER_COLUMNS, User, user_from_row};

/// What may be asked of users.
pub static USERS: Schema = Schema {
    resource: "users",
    fields: &[
        Field::new(
            "id",
            Kind::Text,
            COMPARABLE.union(Operators::NE).union(Operators::NIN).union(Operators::AUTOCOMPLETE),
        )
        .sortable(),
        Field::new("name", Kind::Text, COMPARABLE.union(Operators::AUTOCOMPLETE)).nullable().sortable(),
        Field::new("username", Kind::Text, Operators::EQ.union(Operators::AUTOCOMPLETE)).sortable(),
        Field::new("role", Kind::Text, COMPARABLE).sortable(),
        Field::new("created_at", Kind::Time, COMPARABLE).sortable(),
        Field::new("updated_at", Kind::Time, COMPARABLE).sortable(),
        Field::new("last_active", Kind::Time, COMPARABLE).nullable().sortable(),
        Field::new("banned", Kind::Boolean, SAME).sortable(),
        Field::new("shadow_banned", Kind::Boolean, SAME),
        Field::new("bypass_moderation", Kind::Boolean, SAME),
        Field::new("teams", Kind::TextList, Operators::EQUALITY.union(Operators::CONTAINS)).nullable().open(),
        Field::new("language", Kind::Text, Operators::EQ).sortable(),
        Field::new("email", Kind::Text, Operators::EQUALITY),
    ],
    custom: Some(COMPARABLE.union(Operators::CONTAINS)),
};

/// A page of users.
#[derive(Debug, Clone, PartialEq)]
pub struct UserQuery {
    /// Parsed against [`USERS`].
    pub filter: Expression,
    /// Parsed against [`USERS`]; empty: newest first.
    pub sort: Vec<SortKey>,
    pub limit: i64,
    pub offset: i64,
    /// Whether deactivated users are found too. Deleted ones never are.
    pub include_deactivated: bool,
    /// The moment of the query, on which it depends who is banned.
    pub now: Timestamp,
}

pub(super) struct UserFields;

impl Resolve for UserFields {
    fn column(&self, dialect: Dialect, field: &FieldRef) -> Column {
        let FieldRef::Builtin(field) = field else {
            return Column::Custom("u.custom");
        };
        match field.name {
            "id" => Column::text("u.id"),
            "name" => Column::text("u.name"),
            "role" => Column::text("u.role"),
            "created_at" => Column::time("u.created_at"),
            "updated_at" => Column::time("u.updated_at"),
            "last_active" => Column::time("u.last_active"),
            "banned" => {
                Column::boolean("(u.banned AND (u.ban_expires IS NULL OR u.ban_expires > moment.now))")
            }
            "shadow_banned" => {
                Column::boolean("(u.shadow_banned AND (u.ban_expires IS NULL OR u.ban_expires > moment.now))")
            }
            // Nobody is exempt from moderation yet.
            "bypass_moderation" => Column::boolean("FALSE"),
            "teams" => Column::TextList("u.teams"),
            "language" => Column::text("u.language"),
            // username, email
            name => Column::custom_text(dialect, "u.custom", name),
        }
    }
}

impl Tx {
    /// A page of the app's users that match. At most `limit`.
    pub async fn query_users(&mut self, app_pk: i64, query: &UserQuery) -> Result<Vec<User>> {
        let mut writer = SqlWriter::new(self.dialect());
        writer.push(&format!("SELECT {USER_COLUMNS} FROM users u CROSS JOIN (SELECT CAST("));
        writer.bind(query.now);
        writer.push(" AS BIGINT) AS now) AS moment WHERE u.app_pk = ");
        writer.bind(app_pk);
        writer.push(" AND u.deleted_at IS NULL");
        if !query.include_deactivated {
            writer.push(" AND u.deactivated_at IS NULL");
        }
        writer.push(" AND ");
        write_expression(&mut writer, &query.filter, &UserFields);
        let tie = if query.sort.is_empty() { "u.created_at DESC, u.id" } else { "u.id" };
        write_order_by(&mut writer, &query.sort, &UserFields, tie);
        writer.push_page(query.limit, query.offset);
        self.query(&writer.sql, &writer.params, user_from_row).await
    }
}
