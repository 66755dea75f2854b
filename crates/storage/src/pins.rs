//! Pinned messages.

use natterjack_protocol::Timestamp;

use crate::error::Result;
use crate::messages::{MESSAGE_COLUMNS, Message, MessagePage, Visibility, message_from_row};
use crate::tx::Tx;
use crate::value::{Param, params};

impl Tx {
    /// The pinned messages of several channels, most recently pinned first, at most `limit` each.
    pub async fn list_pinned_messages(
        &mut self,
        channels: &[(i64, Timestamp)],
        limit: i64,
        user_id: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<Vec<Message>>> {
        let restricted = match user_id {
            None => "",
            Some(_) => " AND m.restricted_visibility IS NULL",
        };
        let sql = format!(
            "SELECT {MESSAGE_COLUMNS} FROM messages m WHERE m.channel_pk = $1 AND m.pinned_at IS NOT NULL \
             AND m.created_at > $2 AND m.deleted_at IS NULL AND (m.pin_expires IS NULL OR m.pin_expires > $3){restricted} \
             ORDER BY m.pinned_at DESC, m.pk DESC LIMIT $4"
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
            let before = MessagePage::Before { at, inclusive: false };
            let after = MessagePage::After { at, inclusive: true };
            let earlier = self.list_pinned_page(channel_pk, before, limit / 2, visibility, now);
            let mut messages = Box::pin(earlier).await?;
            let later = self.list_pinned_page(channel_pk, after, limit - limit / 2, visibility, now);
            messages.extend(Box::pin(later).await?);
            return Ok(messages);
        }
        let (comparison, bound, descending) = page.bound();
        let restricted = match visibility.user_id {
            None => "",
            Some(_) => " AND m.restricted_visibility IS NULL",
        };
        let order = if descending { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT {MESSAGE_COLUMNS} FROM messages m WHERE m.channel_pk = $1 AND m.pinned_at IS NOT NULL \
             AND m.created_at > $2 AND m.deleted_at IS NULL AND (m.pin_expires IS NULL OR m.pin_expires > $3) \
             AND m.pinned_at {comparison} $4{restricted} ORDER BY m.pinned_at {order}, m.pk {order} LIMIT $5"
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
