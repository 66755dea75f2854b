use natterjack_protocol::message_types::Attachment;
use natterjack_protocol::{Custom, Timestamp};

use crate::error::Result;
use crate::messages::Message;
use crate::tx::Tx;
use crate::value::{Row, json_unless_default, params};

/// A version of a message that another one replaced, or that was deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageHistoryEntry {
    pub pk: i64,
    pub message_id: String,
    pub text: String,
    pub attachments: Vec<Attachment>,
    pub custom: Custom,
    /// Whether a deletion ended this version.
    pub is_deleted: bool,
    /// When the change was made that the query asks for.
    pub updated_at: Timestamp,
    /// Who made it.
    pub updated_by_id: String,
}

/// Of which change the entry of a version tells when and by whom it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldChange {
    /// Of the one that made the version, at first the sending.
    Making,
    /// Of the one that ended it.
    Ending,
}

/// What ends a version of a message.
#[derive(Debug, Clone, Copy)]
pub struct VersionEnd<'a> {
    pub is_deletion: bool,
    pub at: Timestamp,
    pub by_id: &'a str,
}

pub(crate) const HISTORY_COLUMNS: &str =
    "h.pk, h.message_id, h.text, h.attachments, h.custom, h.is_deleted, h.updated_at, h.updated_by_id";

pub(crate) fn history_entry_from_row(row: Row<'_>) -> Result<MessageHistoryEntry> {
    Ok(MessageHistoryEntry {
        pk: row.int(0)?,
        message_id: row.text(1)?,
        text: row.text(2)?,
        attachments: row.json(3, "message_history.attachments")?,
        custom: row.json(4, "message_history.custom")?,
        is_deleted: row.bool(5)?,
        updated_at: row.time(6)?,
        updated_by_id: row.text(7)?,
    })
}

impl Tx {
    /// Keeps what a message says before it is changed or deleted.
    pub async fn insert_message_history(&mut self, message: &Message, end: VersionEnd<'_>) -> Result<()> {
        self.execute(
            "INSERT INTO message_history (app_pk, message_pk, message_id, text, attachments, custom, is_deleted, \
             updated_at, updated_by_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            params![
                message.app_pk,
                message.pk,
                &message.id,
                &message.text,
                json_unless_default(&message.attachments),
                json_unless_default(&message.custom),
                end.is_deletion,
                end.at,
                end.by_id
            ],
        )
        .await?;
        Ok(())
    }
}
