use std::collections::{BTreeMap, BTreeSet};

use natterjack_protocol::message_types::Attachment;
use natterjack_protocol::{Custom, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::events::INSERT_CHANNEL_EVENT;
use crate::members::is_in_history_of;
use crate::reactions::Reaction;
use crate::tx::Tx;
use crate::value::{Param, Row, json_unless_default, params};

/// What a message was sent as. Whether it was deleted since is `deleted_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    Regular,
    Reply,
    System,
}

impl MessageKind {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Reply => "reply",
            Self::System => "system",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        match text {
            "regular" => Ok(Self::Regular),
            "reply" => Ok(Self::Reply),
            "system" => Ok(Self::System),
            other => Err(Error::Corrupt { column: "messages.kind", source: other.to_owned().into() }),
        }
    }
}

/// Rarely used parts of a message, stored together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageExtra {
    /// HTML given by a server in place of the rendered text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mml: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub i18n: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mentioned_here: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mentioned_channel: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentioned_roles: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentioned_group_ids: Vec<String>,
    /// Whether a reply is also shown in the channel, as its sender said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_in_channel: Option<bool>,
    /// The sender's role in the channel when the message was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_role: Option<String>,
}

/// The reactions to a message, counted, so that reading a message reads no other rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ReactionSummary {
    /// By type.
    pub groups: BTreeMap<String, ReactionGroup>,
    /// The newest ten, newest first.
    pub latest: Vec<Reaction>,
}

impl ReactionSummary {
    /// The users that the summary names, some of them more than once.
    pub fn user_ids(&self) -> impl Iterator<Item = &str> {
        let of_groups = self.groups.values().flat_map(|group| &group.latest_by);
        let of_groups = of_groups.map(|reactor| reactor.user_id.as_str());
        self.latest.iter().map(|reaction| reaction.user_id.as_str()).chain(of_groups)
    }
}

/// The reactions of one type to a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionGroup {
    pub count: i64,
    pub sum_scores: i64,
    pub first_reaction_at: Timestamp,
    pub last_reaction_at: Timestamp,
    /// The newest ten, newest first.
    #[serde(default)]
    pub latest_by: Vec<Reactor>,
}

/// Who reacted, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reactor {
    pub user_id: String,
    pub created_at: Timestamp,
}

/// A message as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub pk: i64,
    pub app_pk: i64,
    pub channel_pk: i64,
    pub id: String,
    pub user_id: String,
    pub kind: MessageKind,
    pub text: String,
    pub parent_pk: Option<i64>,
    pub parent_id: Option<String>,
    /// Whether it stands in the channel's list: all but the replies that stay in their thread.
    pub in_channel: bool,
    /// Whether it raised the channel's counter of unread messages.
    pub counts_unread: bool,
    pub silent: bool,
    pub shadowed: bool,
    pub quoted_message_id: Option<String>,
    /// The channel's `unread_seq` when the message was sent.
    pub unread_seq: i64,
    /// The number of a reply within its thread.
    pub thread_seq: Option<i64>,
    pub reply_count: i64,
    pub deleted_reply_count: i64,
    pub mentioned_user_ids: Vec<String>,
    pub attachments: Vec<Attachment>,
    /// The only users who see it beside its sender; empty when everybody does.
    pub restricted_visibility: Vec<String>,
    pub custom: Custom,
    pub extra: MessageExtra,
    pub reactions: ReactionSummary,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub text_updated_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub pin: Option<Pin>,
}

/// That a message is pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    pub at: Timestamp,
    pub by_id: String,
    pub expires: Option<Timestamp>,
}

/// A message to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    pub id: String,
    pub user_id: String,
    pub kind: MessageKind,
    pub parent_pk: Option<i64>,
    pub parent_id: Option<String>,
    pub in_channel: bool,
    pub counts_unread: bool,
    pub silent: bool,
    /// Sent by somebody who is banned without noticing it.
    pub shadowed: bool,
    pub restricted_visibility: Vec<String>,
    pub change: MessageChange,
}

/// The parts of a message that an update replaces.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageChange {
    pub text: String,
    pub quoted_message_id: Option<String>,
    pub mentioned_user_ids: Vec<String>,
    pub attachments: Vec<Attachment>,
    pub custom: Custom,
    pub extra: MessageExtra,
    pub pin: Option<Pin>,
}

/// Which messages of a list are wanted. Lists always come in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessagePage {
    /// The newest ones.
    Newest,
    /// The oldest ones.
    Oldest,
    /// The ones right before a moment.
    Before { at: Timestamp, inclusive: bool },
    /// The ones right after a moment.
    After { at: Timestamp, inclusive: bool },
    /// Half before a moment, the other half at and after it.
    Around { at: Timestamp },
}

impl MessagePage {
    /// The two pages that make up one of `limit` messages around a moment, which counts to the later half.
    pub(crate) fn halves(at: Timestamp, limit: i64) -> [(Self, i64); 2] {
        let before = Self::Before { at, inclusive: false };
        [(before, limit / 2), (Self::After { at, inclusive: true }, limit - limit / 2)]
    }

    /// How the moments of a page's messages compare with which one, and whether the page is read from its end. Not for
    /// a page around a moment, which is two pages.
    pub(crate) fn bound(self) -> (&'static str, i64, bool) {
        match self {
            Self::Newest | Self::Around { .. } => ("<=", i64::MAX, true),
            Self::Oldest => (">=", i64::MIN, false),
            Self::Before { at, inclusive } => (if inclusive { "<=" } else { "<" }, at.nanoseconds(), true),
            Self::After { at, inclusive } => (if inclusive { ">=" } else { ">" }, at.nanoseconds(), false),
        }
    }
}

/// Who looks, and from when on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visibility {
    /// Messages up to this time are left out.
    pub from: Timestamp,
    /// The user who looks; `None` is the server, who sees restricted messages too.
    pub user_id: Option<String>,
}

pub(crate) const MESSAGE_COLUMNS: &str = "m.pk, m.app_pk, m.channel_pk, m.id, m.user_id, m.kind, m.text, \
    m.parent_pk, m.parent_id, m.in_channel, m.counts_unread, m.silent, m.shadowed, m.quoted_message_id, \
    m.unread_seq, m.thread_seq, m.reply_count, m.deleted_reply_count, m.mentioned_user_ids, m.attachments, \
    m.restricted_visibility, m.custom, m.extra, m.reactions, m.created_at, m.updated_at, m.text_updated_at, \
    m.deleted_at, m.pinned_at, m.pin_expires, m.pinned_by_id";

pub(crate) fn message_from_row(row: Row<'_>) -> Result<Message> {
    let kind = match row {
        Row::Sqlite(row) => MessageKind::parse(row.get_ref(5)?.as_str().unwrap_or_default())?,
        Row::Postgres(row) => MessageKind::parse(row.try_get(5)?)?,
    };
    let pin = match row.optional_time(28)? {
        None => None,
        Some(at) => Some(Pin {
            at,
            expires: row.optional_time(29)?,
            by_id: row.optional_text(30)?.unwrap_or_default(),
        }),
    };
    Ok(Message {
        pk: row.int(0)?,
        app_pk: row.int(1)?,
        channel_pk: row.int(2)?,
        id: row.text(3)?,
        user_id: row.text(4)?,
        kind,
        text: row.text(6)?,
        parent_pk: row.optional_int(7)?,
        parent_id: row.optional_text(8)?,
        in_channel: row.bool(9)?,
        counts_unread: row.bool(10)?,
        silent: row.bool(11)?,
        shadowed: row.bool(12)?,
        quoted_message_id: row.optional_text(13)?,
        unread_seq: row.int(14)?,
        thread_seq: row.optional_int(15)?,
        reply_count: row.int(16)?,
        deleted_reply_count: row.int(17)?,
        mentioned_user_ids: row.json(18, "messages.mentioned_user_ids")?,
        attachments: row.json(19, "messages.attachments")?,
        restricted_visibility: row.json(20, "messages.restricted_visibility")?,
        custom: row.json(21, "messages.custom")?,
        extra: row.json(22, "messages.extra")?,
        reactions: row.json(23, "messages.reactions")?,
        created_at: row.time(24)?,
        updated_at: row.time(25)?,
        text_updated_at: row.optional_time(26)?,
        deleted_at: row.optional_time(27)?,
        pin,
    })
}

/// As SQL, what the index of message ids has in place of an id; the columns `id_key` are defined by the same words.
macro_rules! id_key {
    ($id:literal) => {
        concat!(
            "CASE WHEN length(",
            $id,
            ") > 37 AND octet_length(",
            $id,
            ") = length(",
            $id,
            ") AND substr(",
            $id,
            ", length(",
            $id,
            ") - 36, 1) = '-' THEN substr(",
            $id,
            ", length(",
            $id,
            ") - 35) || ',' || substr(",
            $id,
            ", 1, length(",
            $id,
            ") - 37) ELSE ",
            $id,
            " END"
        )
    };
}
pub(crate) use id_key;

/// A message `m` has the id `$2` in the app `$1`.
pub(crate) const HAS_ID: &str = concat!("m.app_pk = $1 AND m.id_key = ", id_key!("CAST($2 AS TEXT)"));

/// A message as far as counters know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Its number when it counted as unread.
    pub unread_seq: Option<i64>,
    pub created_at: Timestamp,
}

/// Where a list of messages is read from.
#[derive(Clone, Copy)]
enum Source {
    Channel,
    Thread,
}

impl Tx {
    /// The message with this id.
    pub async fn find_message(&mut self, app_pk: i64, id: &str) -> Result<Option<Message>> {
        let sql = format!("SELECT {MESSAGE_COLUMNS} FROM messages m WHERE {HAS_ID}");
        self.query_optional(&sql, params![app_pk, id], message_from_row).await
    }

    /// As [`Tx::find_message`], and keeps the row from changing until the end of the transaction.
    pub async fn lock_message(&mut self, app_pk: i64, id: &str) -> Result<Option<Message>> {
        let sql =
            format!("SELECT {MESSAGE_COLUMNS} FROM messages m WHERE {HAS_ID}{}", self.dialect().for_update());
        self.query_optional(&sql, params![app_pk, id], message_from_row).await
    }

    /// The messages with these ids, oldest first.
    pub async fn list_messages_with_ids(&mut self, app_pk: i64, ids: Vec<String>) -> Result<Vec<Message>> {
        let params: Vec<Vec<Param<'_>>> =
            BTreeSet::from_iter(ids).into_iter().map(|id| vec![app_pk.into(), id.into()]).collect();
        let sql = format!("SELECT {MESSAGE_COLUMNS} FROM messages m WHERE {HAS_ID}");
        let mut found: Vec<Message> =
            self.query_each(&sql, &params, message_from_row).await?.into_iter().flatten().collect();
        found.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(found)
    }

    /// Those of the messages with these ids that are still shown in their channels, to a viewer who may hide what was
    /// before a moment.
    pub async fn list_shown_messages_with_ids(
        &mut self,
        app_pk: i64,
        ids: Vec<String>,
        viewer: Option<&str>,
    ) -> Result<Vec<Message>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let shown = viewer.map_or_else(String::new, |_| format!(" AND {}", is_in_history_of("$3")));
        let sql = format!(
            "SELECT {MESSAGE_COLUMNS} FROM messages m JOIN channels c ON c.pk = m.channel_pk \
             WHERE {HAS_ID} AND c.deleted_at IS NULL AND m.created_at > c.history_from{shown}"
        );
        let of = |id: String| [app_pk.into(), id.into()].into_iter().chain(viewer.map(Param::from)).collect();
        let params: Vec<Vec<Param<'_>>> = ids.into_iter().map(of).collect();
        Ok(self.query_each(&sql, &params, message_from_row).await?.into_iter().flatten().collect())
    }

    /// A page of a channel's messages, ascending. Replies that stay in their thread are left out.
    pub async fn list_messages(
        &mut self,
        channel_pk: i64,
        page: MessagePage,
        limit: i64,
        visibility: &Visibility,
    ) -> Result<Vec<Message>> {
        let mut pages = self
            .list_message_pages(Source::Channel, page, limit, &[(channel_pk, visibility.from)], visibility)
            .await?;
        Ok(pages.pop().unwrap_or_default())
    }

    /// The newest messages of several channels, each from its own moment on, each ascending.
    pub async fn list_newest_messages(
        &mut self,
        channels: &[(i64, Timestamp)],
        limit: i64,
        user_id: Option<&str>,
    ) -> Result<Vec<Vec<Message>>> {
        let visibility = Visibility { from: Timestamp::default(), user_id: user_id.map(str::to_owned) };
        self.list_message_pages(Source::Channel, MessagePage::Newest, limit, channels, &visibility).await
    }

    /// The newest replies to several messages, each from its own moment on, each ascending.
    pub async fn list_newest_replies(
        &mut self,
        parents: &[(i64, Timestamp)],
        limit: i64,
        user_id: Option<&str>,
    ) -> Result<Vec<Vec<Message>>> {
        let visibility = Visibility { from: Timestamp::default(), user_id: user_id.map(str::to_owned) };
        self.list_message_pages(Source::Thread, MessagePage::Newest, limit, parents, &visibility).await
    }

    /// The messages with these keys, in no particular order.
    pub async fn list_messages_with_pks(&mut self, pks: Vec<i64>) -> Result<Vec<Message>> {
        let sql =
            format!("SELECT {MESSAGE_COLUMNS} FROM messages m WHERE {}", self.dialect().is_in("m.pk", 1));
        self.query(&sql, params![pks], message_from_row).await
    }

    /// A page of the replies to a message, ascending.
    pub async fn list_replies(
        &mut self,
        parent_pk: i64,
        page: MessagePage,
        limit: i64,
        visibility: &Visibility,
    ) -> Result<Vec<Message>> {
        let mut pages = self
            .list_message_pages(Source::Thread, page, limit, &[(parent_pk, visibility.from)], visibility)
            .await?;
        Ok(pages.pop().unwrap_or_default())
    }

    async fn list_message_pages(
        &mut self,
        source: Source,
        page: MessagePage,
        limit: i64,
        owners: &[(i64, Timestamp)],
        visibility: &Visibility,
    ) -> Result<Vec<Vec<Message>>> {
        if let MessagePage::Around { at } = page {
            let mut pages = vec![Vec::new(); owners.len()];
            for (page, limit) in MessagePage::halves(at, limit) {
                let half = Box::pin(self.list_message_pages(source, page, limit, owners, visibility)).await?;
                pages.iter_mut().zip(half).for_each(|(page, half)| page.extend(half));
            }
            return Ok(pages);
        }
        let (owner, partial) = match source {
            Source::Channel => ("m.channel_pk", "m.in_channel"),
            Source::Thread => ("m.parent_pk", "m.parent_pk IS NOT NULL"),
        };
        let (comparison, bound, descending) = page.bound();
        let restricted = match &visibility.user_id {
            None => String::new(),
            Some(_) => format!(
                " AND (m.restricted_visibility IS NULL OR m.user_id = $5 OR EXISTS \
                 (SELECT 1 FROM {} WHERE each.value = $5))",
                self.dialect().json_texts("m.restricted_visibility")
            ),
        };
        // `LIMIT` stands in a common place so that the parameters appear in order.
        let sql = format!(
            "WITH page AS (SELECT CAST($1 AS BIGINT) AS size) SELECT {MESSAGE_COLUMNS} FROM messages m \
             WHERE {owner} = $2 AND {partial} AND m.created_at > $3 AND m.created_at {comparison} $4{restricted} \
             ORDER BY m.created_at {} LIMIT (SELECT size FROM page)",
            if descending { "DESC" } else { "ASC" }
        );
        let params: Vec<Vec<Param<'_>>> = owners
            .iter()
            .map(|(pk, from)| {
                let mut params = vec![limit.into(), (*pk).into(), (*from).into(), bound.into()];
                params.extend(visibility.user_id.as_deref().map(Param::from));
                params
            })
            .collect();
        let mut pages = self.query_each(&sql, &params, message_from_row).await?;
        if descending {
            pages.iter_mut().for_each(|page| page.reverse());
        }
        Ok(pages)
    }

    /// Stores a message. `None` when its id is taken; that of a message that waits to be purged is not.
    pub async fn insert_message(
        &mut self,
        app_pk: i64,
        channel_pk: i64,
        message: &NewMessage,
        unread_seq: i64,
        thread_seq: Option<i64>,
        at: Timestamp,
    ) -> Result<Option<i64>> {
        let place = (app_pk, channel_pk);
        let inserted = self.try_insert_message(place, message, unread_seq, thread_seq, at).await?;
        if inserted.is_none() && self.free_message_id(app_pk, &message.id).await? {
            return self.try_insert_message(place, message, unread_seq, thread_seq, at).await;
        }
        Ok(inserted)
    }

    async fn try_insert_message(
        &mut self,
        (app_pk, channel_pk): (i64, i64),
        message: &NewMessage,
        unread_seq: i64,
        thread_seq: Option<i64>,
        at: Timestamp,
    ) -> Result<Option<i64>> {
        let change = &message.change;
        let pin = change.pin.as_ref();
        self.insert(
            "INSERT INTO messages (app_pk, channel_pk, id, user_id, kind, text, parent_pk, parent_id, in_channel, \
             counts_unread, silent, quoted_message_id, unread_seq, thread_seq, mentioned_user_ids, attachments, \
             restricted_visibility, custom, extra, created_at, updated_at, pinned_at, pin_expires, pinned_by_id, \
             shadowed, reply_count, deleted_reply_count) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20, \
             $21, $22, $23, $24, 0, 0) ON CONFLICT DO NOTHING",
            params![
                app_pk,
                channel_pk,
                &message.id,
                &message.user_id,
                message.kind.as_str(),
                &change.text,
                message.parent_pk,
                message.parent_id.as_deref(),
                message.in_channel,
                message.counts_unread,
                message.silent,
                change.quoted_message_id.as_deref(),
                unread_seq,
                thread_seq,
                json_unless_default(&change.mentioned_user_ids),
                json_unless_default(&change.attachments),
                json_unless_default(&message.restricted_visibility),
                json_unless_default(&change.custom),
                json_unless_default(&change.extra),
                at,
                pin.map(|_| at),
                pin.and_then(|pin| pin.expires),
                pin.map(|pin| pin.by_id.as_str()),
                message.shadowed,
            ],
        )
        .await
    }

    /// What goes with every new message: the sender has read up to it, the log has it, its words get indexed.
    pub async fn follow_new_message(
        &mut self,
        message: &Message,
        event_seq: i64,
        moves_read_position: bool,
    ) -> Result<()> {
        // Never back, whatever the order in which messages that share a transaction come here.
        const MOVE_READ_POSITION: &str = "UPDATE members SET read_seq = $1, read_up_to = $2, last_read = $2, \
            last_read_message_id = $3, unread_less = 0, last_delivered_at = $2, last_delivered_message_id = $3 \
            WHERE channel_pk = $4 AND user_id = $5 AND read_seq <= $1";
        let event = params![
            message.channel_pk,
            event_seq,
            "message.new",
            &message.user_id,
            &message.id,
            Param::Null,
            message.created_at
        ];
        let queue = params![message.pk];
        let read = params![
            message.unread_seq,
            message.created_at,
            &message.id,
            message.channel_pk,
            &message.user_id
        ];
        let statements =
            [(INSERT_CHANNEL_EVENT, event as &[_]), (QUEUE_FOR_SEARCH, queue), (MOVE_READ_POSITION, read)];
        let number = if moves_read_position { 3 } else { 2 };
        self.execute_all(&statements[..number]).await?;
        self.note_channel_event(message.channel_pk, event_seq, "message.new", Some(&message.user_id));
        Ok(())
    }

    /// Moves the counters of a parent message. `false` when it is gone.
    pub async fn update_reply_counts(
        &mut self,
        parent_pk: i64,
        replies: i64,
        deleted_replies: i64,
    ) -> Result<bool> {
        let changed = self
            .execute(
                "UPDATE messages SET reply_count = reply_count + $1, \
                 deleted_reply_count = deleted_reply_count + $2 WHERE pk = $3",
                params![replies, deleted_replies, parent_pk],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Replaces the parts of a message that may change, and has its words indexed again.
    pub async fn update_message(
        &mut self,
        message_pk: i64,
        change: &MessageChange,
        text_updated_at: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<()> {
        let pin = change.pin.as_ref();
        self.execute(
            "UPDATE messages SET text = $1, quoted_message_id = $2, mentioned_user_ids = $3, attachments = $4, \
             custom = $5, extra = $6, pinned_at = $7, pin_expires = $8, pinned_by_id = $9, text_updated_at = $10, \
             updated_at = $11 WHERE pk = $12",
            params![
                &change.text,
                change.quoted_message_id.as_deref(),
                json_unless_default(&change.mentioned_user_ids),
                json_unless_default(&change.attachments),
                json_unless_default(&change.custom),
                json_unless_default(&change.extra),
                pin.map(|pin| pin.at),
                pin.and_then(|pin| pin.expires),
                pin.map(|pin| pin.by_id.as_str()),
                text_updated_at,
                at,
                message_pk
            ],
        )
        .await?;
        self.queue_for_search(message_pk).await
    }

    /// Stores the counted reactions of a message.
    pub async fn update_reaction_summary(
        &mut self,
        message_pk: i64,
        summary: &ReactionSummary,
    ) -> Result<()> {
        self.execute(
            "UPDATE messages SET reactions = $1 WHERE pk = $2",
            params![json_unless_default(summary), message_pk],
        )
        .await?;
        Ok(())
    }

    /// Marks a message deleted. Text and attachments stay stored.
    pub async fn delete_message_softly(&mut self, message_pk: i64, at: Timestamp) -> Result<()> {
        self.execute(
            "UPDATE messages SET deleted_at = $1, updated_at = $1, pinned_at = NULL, pin_expires = NULL, \
             pinned_by_id = NULL, deleted_with_user_at = NULL WHERE pk = $2",
            params![at, message_pk],
        )
        .await?;
        self.queue_for_search(message_pk).await
    }

    /// Takes the mark of a deletion off again.
    pub async fn undelete_message(&mut self, message_pk: i64, at: Timestamp) -> Result<()> {
        self.execute(
            "UPDATE messages SET deleted_at = NULL, deleted_with_user_at = NULL, updated_at = $1 WHERE pk = $2",
            params![at, message_pk],
        )
        .await?;
        self.queue_for_search(message_pk).await
    }

    /// Removes a message with its reactions, its history, its replies and theirs.
    pub async fn delete_message_rows(&mut self, message_pk: i64) -> Result<()> {
        for sql in [
            "INSERT INTO search_queue (message_pk) SELECT pk FROM messages WHERE pk = $1 OR parent_pk = $1 \
             ON CONFLICT (message_pk) DO UPDATE SET message_pk = excluded.message_pk",
            "DELETE FROM reactions WHERE message_pk = $1 OR message_pk IN \
             (SELECT pk FROM messages WHERE parent_pk = $1)",
            "DELETE FROM message_hidden_for WHERE message_pk = $1 OR message_pk IN \
             (SELECT pk FROM messages WHERE parent_pk = $1)",
            "DELETE FROM message_history WHERE message_pk = $1 OR message_pk IN \
             (SELECT pk FROM messages WHERE parent_pk = $1)",
            "DELETE FROM flags WHERE message_pk = $1 OR message_pk IN \
             (SELECT pk FROM messages WHERE parent_pk = $1)",
            "DELETE FROM messages WHERE parent_pk = $1",
            "DELETE FROM messages WHERE pk = $1",
        ] {
            self.execute(sql, params![message_pk]).await?;
        }
        self.delete_thread(message_pk).await
    }

    /// What counts of a message that is not deleted and, with `tree`, of its replies.
    pub async fn list_counted(&mut self, message_pk: i64, tree: bool) -> Result<Vec<Counted>> {
        self.query(
            "SELECT CASE WHEN counts_unread THEN unread_seq END, created_at FROM messages \
             WHERE (pk = $1 OR (parent_pk = $1 AND $2)) AND deleted_at IS NULL",
            params![message_pk, tree],
            |row| Ok(Counted { unread_seq: row.optional_int(0)?, created_at: row.time(1)? }),
        )
        .await
    }

    /// Takes deleted messages off what members have not read.
    pub async fn insert_unread_gaps(&mut self, channel_pk: i64, seqs: &[i64]) -> Result<()> {
        let params: Vec<_> = seqs.iter().map(|seq| vec![Param::Int(channel_pk), Param::Int(*seq)]).collect();
        self.write_each(
            "INSERT INTO unread_gaps (channel_pk, seq) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING seq",
            &params,
            |row| row.int(0),
        )
        .await?;
        Ok(())
    }

    /// Counts an undeleted message as unread again for members who have not read so far.
    pub async fn delete_unread_gap(&mut self, channel_pk: i64, seq: i64) -> Result<()> {
        self.execute("DELETE FROM unread_gaps WHERE channel_pk = $1 AND seq = $2", params![channel_pk, seq])
            .await?;
        Ok(())
    }

    /// Shows a message as deleted to one user. `false` when it already is.
    pub async fn hide_message_for(
        &mut self,
        message: &Message,
        user_id: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let inserted = self
            .execute(
                "INSERT INTO message_hidden_for (message_pk, user_id, channel_pk, created_at) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT (message_pk, user_id) DO NOTHING",
                params![message.pk, user_id, message.channel_pk, now],
            )
            .await?;
        Ok(inserted == 1)
    }

    /// How many messages of a channel one user has deleted for himself or herself alone.
    pub async fn count_messages_hidden_for(&mut self, channel_pk: i64, user_id: &str) -> Result<i64> {
        let count = self
            .query_optional(
                "SELECT COUNT(*) FROM message_hidden_for WHERE channel_pk = $1 AND user_id = $2",
                params![channel_pk, user_id],
                |row| row.int(0),
            )
            .await?;
        Ok(count.unwrap_or(0))
    }

    /// Which of these messages a user has deleted for himself or herself alone.
    pub async fn list_messages_hidden_for(
        &mut self,
        message_pks: Vec<i64>,
        user_id: &str,
    ) -> Result<Vec<i64>> {
        let sql = format!(
            "SELECT message_pk FROM message_hidden_for WHERE {} AND user_id = $2",
            self.dialect().is_in("message_pk", 1)
        );
        self.query(&sql, params![message_pks, user_id], |row| row.int(0)).await
    }

    pub(crate) async fn queue_for_search(&mut self, message_pk: i64) -> Result<()> {
        self.execute(QUEUE_FOR_SEARCH, params![message_pk]).await?;
        Ok(())
    }
}

const QUEUE_FOR_SEARCH: &str = "INSERT INTO search_queue (message_pk) VALUES ($1) ON CONFLICT (message_pk) DO UPDATE SET message_pk = excluded.message_pk";

impl Message {
    /// Whether a user may see it: a restricted one only its sender and those who are listed.
    pub fn is_visible_to(&self, user_id: &str) -> bool {
        self.restricted_visibility.is_empty()
            || self.user_id == user_id
            || self.restricted_visibility.iter().any(|id| id == user_id)
    }

    /// The parts that an update may change, as they are.
    pub fn change(&self) -> MessageChange {
        MessageChange {
            text: self.text.clone(),
            quoted_message_id: self.quoted_message_id.clone(),
            mentioned_user_ids: self.mentioned_user_ids.clone(),
            attachments: self.attachments.clone(),
            custom: self.custom.clone(),
            extra: self.extra.clone(),
            pin: self.pin.clone(),
        }
    }

    /// Whether it is unread for those who alone see it, though the channel's counter passed over it.
    pub fn counts_for_its_readers(&self) -> bool {
        !self.restricted_visibility.is_empty() && self.in_channel && !self.silent && !self.shadowed
    }

    /// The message that a [`NewMessage`] became.
    pub fn from_new(
        new: NewMessage,
        pk: i64,
        app_pk: i64,
        channel_pk: i64,
        unread_seq: i64,
        thread_seq: Option<i64>,
        at: Timestamp,
    ) -> Self {
        let change = new.change;
        Self {
            pk,
            app_pk,
            channel_pk,
            id: new.id,
            user_id: new.user_id,
            kind: new.kind,
            text: change.text,
            parent_pk: new.parent_pk,
            parent_id: new.parent_id,
            in_channel: new.in_channel,
            counts_unread: new.counts_unread,
            silent: new.silent,
            shadowed: new.shadowed,
            quoted_message_id: change.quoted_message_id,
            unread_seq,
            thread_seq,
            reply_count: 0,
            deleted_reply_count: 0,
            mentioned_user_ids: change.mentioned_user_ids,
            attachments: change.attachments,
            restricted_visibility: new.restricted_visibility,
            custom: change.custom,
            extra: change.extra,
            reactions: ReactionSummary::default(),
            created_at: at,
            updated_at: at,
            text_updated_at: None,
            deleted_at: None,
            pin: change.pin.map(|pin| Pin { at, ..pin }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HAS_ID;

    #[test]
    fn the_key_of_an_id_begins_with_its_uuid() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let sql = concat!("SELECT ", id_key!("?1"));
        let key = |id: &str| connection.query_row(sql, [id], |row| row.get::<_, String>(0)).unwrap();
        let uuid = "0193c5a4-7d5e-7cc0-8a3b-1f2e3d4c5b6a";
        assert_eq!(key(&format!("jane-{uuid}")), format!("{uuid},jane"));
        for id in [uuid, &format!("jane_{uuid}"), "m1", "", &format!("jané-{uuid}")] {
            assert_eq!(key(id), id);
        }
    }

    #[test]
    fn the_index_of_ids_finds_a_message() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        crate::migrate::migrate_sqlite(&connection).unwrap();
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
        let sql = format!("EXPLAIN QUERY PLAN SELECT m.text FROM messages m WHERE {HAS_ID}");
        let plan: String = connection.query_row(&sql, (1, "id"), |row| row.get(3)).unwrap();
        assert!(plan.contains("messages_by_id (app_pk=? AND id_key=?)"), "{plan}");
    }
}
