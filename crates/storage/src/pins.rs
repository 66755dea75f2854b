//! Pinned messages.

use natterjack_protocol::Timestamp;

use crate::error::Result;
use crate::messages::{MESSAGE_COLUMNS, Message, MessagePage, Visibility, message_from_row};
use crate::tx::Tx;
use crate::value::{Param, params};

/// Which messages `m` of channel `$1`, sent after `$2`, are pinned at the moment `$3`.
const PINNED: &str = "m.channel_pk = $1 AND m.pinned_at IS NOT NULL AND m.created_at > $2 AND m.deleted_at IS NULL \
    AND (m.pin_expires IS NULL OR m.pin_expires > $3)";

/// Keeps restricted messages from who looks, if that is a user.
const fn unrestricted(user_id: Option<&str>) -> &'static str {
    if user_id.is_none() { "" } else { " AND m.restricted_visibility IS NULL" }
}

impl Tx {
    /// The pinned messages of several channels, most recently pinned first, at most `limit` each.
    pub async fn list_pinned_messages(
        &mut self,
        channels: &[(i64, Timestamp)],
        limit: i64,
        user_id: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<Vec<Message>>> {
        let unrestricted = unrestricted(user_id);
        let sql = format!(
            "SELECT {MESSAGE_COLUMNS} FROM messages m WHERE {PINNED}{unrestricted} ORDER BY m.pinned_at DESC, m.pk DESC LIMIT $4"
        );
        let params: Vec<Vec<Param<'_>>> = channels
            .iter()
            .map(|(pk, from)| vec![(*pk).into(), (*from).into(), now.into(), limit.into()])
            .collect();
        self.query_each(&sql, &params, message_from_row).await
    }

    /// A page of a channel's pinned messages, in the order in which they were pinned.
    pub async fn list_pinned_page(
        &mut self,
        channel_pk: i64,
        page: MessagePage,
        limit: i64,
        visibility: &Visibility,
        now: Timestamp,
    ) -> Result<Vec<Message>> {
        if let MessagePage::Around { at } = page {
            let mut messages = Vec::new();
            for (page, limit) in MessagePage::halves(at, limit) {
                let half = self.list_pinned_page(channel_pk, page, limit, visibility, now);
                messages.extend(Box::pin(half).await?);
            }
            return Ok(messages);
        }
        let (comparison, bound, descending) = page.bound();
        let unrestricted = unrestricted(visibility.user_id.as_deref());
        let order = if descending { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT {MESSAGE_COLUMNS} FROM messages m WHERE {PINNED}{unrestricted} \
             AND m.pinned_at {comparison} $4 ORDER BY m.pinned_at {order}, m.pk {order} LIMIT $5"
        );
        let mut messages = self
            .query(&sql, params![channel_pk, visibility.from, now, bound, limit], message_from_row)
            .await?;
        if descending {
            messages.reverse();
        }
        Ok(messages)
    }
}
