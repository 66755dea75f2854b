use natterjack_filter::Expression;
use natterjack_protocol::Timestamp;

use super::channels::ChannelFields;
use super::users::UserFields;
use crate::filter_sql::{SqlWriter, write_expression};

/// The channels and users of which somebody may be told, as a limit to lists of other things.
#[derive(Debug, Clone, PartialEq)]
pub struct WithinReach {
    /// Parsed against [`CHANNELS`](super::CHANNELS).
    pub channels: Expression,
    /// Parsed against [`USERS`](super::USERS).
    pub users: Expression,
    /// Whose membership in the channels it is asked about.
    pub user_id: Option<String>,
    /// The moment of the query.
    pub now: Timestamp,
}

impl WithinReach {
    /// Writes whether the channel with the key in `column` is one of them.
    pub(super) fn write_channel(&self, writer: &mut SqlWriter, app_pk: i64, column: &str) {
        let user_id = self.user_id.as_deref().unwrap_or_default();
        let fields = ChannelFields { app_pk, user_id, now: self.now };
        writer.push(
            "EXISTS (SELECT 1 FROM channels c LEFT JOIN members me ON me.channel_pk = c.pk AND me.user_id = ",
        );
        writer.bind(user_id.to_owned());
        writer.push(&format!(" WHERE c.pk = {column} AND "));
        write_expression(writer, &self.channels, &fields);
        writer.push(")");
    }

    /// Writes whether the user of the app with the id in `column` is one of them.
    pub(super) fn write_user(&self, writer: &mut SqlWriter, app_pk: i64, column: &str) {
        writer.push("EXISTS (SELECT 1 FROM users u WHERE u.app_pk = ");
        writer.bind(app_pk);
        writer.push(&format!(" AND u.id = {column} AND "));
        write_expression(writer, &self.users, &UserFields);
        writer.push(")");
    }
}
