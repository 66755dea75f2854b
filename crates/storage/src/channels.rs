use natterjack_protocol::channel_types::ChannelConfigOverrides;
use natterjack_protocol::{Custom, Timestamp};

use crate::dialect::Dialect;
use crate::error::Result;
use crate::members::Member;
use crate::tx::Tx;
use crate::value::{Param, Row, json_unless_default, params};

/// A channel as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    pub pk: i64,
    pub app_pk: i64,
    pub kind: String,
    pub id: String,
    pub cid: String,
    pub team: Option<String>,
    pub created_by_id: Option<String>,
    /// The sorted members that a distinct channel was made for; empty for other channels.
    pub distinct_members: Vec<String>,
    pub custom: Custom,
    pub config_overrides: Option<ChannelConfigOverrides>,
    pub filter_tags: Vec<String>,
    pub frozen: bool,
    pub disabled: bool,
    /// Seconds between two messages of one user; 0 is off.
    pub cooldown: i64,
    pub auto_translation_enabled: bool,
    pub auto_translation_language: Option<String>,
    pub member_count: i64,
    /// Messages that are not deleted, replies included.
    pub message_count: i64,
    /// How many of these were there when the type began to count; `None` while it does not.
    pub messages_uncounted: Option<i64>,
    /// Changes with every change of the channel's data or members, not with messages.
    pub version: i64,
    /// The messages that counted as unread, ever.
    pub unread_seq: i64,
    /// Messages up to this time are seen by nobody; 0 when nothing is hidden.
    pub history_from: Timestamp,
    /// The `unread_seq` at that time: what came before is unread for nobody.
    pub history_seq: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_message_at: Option<Timestamp>,
    pub truncated_at: Option<Timestamp>,
    pub truncated_by_id: Option<String>,
    pub deleted_at: Option<Timestamp>,
}

/// A channel to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewChannel {
    pub kind: String,
    pub id: String,
    pub cid: String,
    pub created_by_id: String,
    pub distinct_members: Vec<String>,
    pub change: ChannelChange,
}

/// The state that a channel's data is to have.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChannelChange {
    pub team: Option<String>,
    pub custom: Custom,
    pub config_overrides: Option<ChannelConfigOverrides>,
    pub filter_tags: Vec<String>,
    pub frozen: bool,
    pub disabled: bool,
    pub cooldown: i64,
    pub auto_translation_enabled: bool,
    pub auto_translation_language: Option<String>,
}

impl From<&Channel> for ChannelChange {
    fn from(channel: &Channel) -> Self {
        Self {
            team: channel.team.clone(),
            custom: channel.custom.clone(),
            config_overrides: channel.config_overrides.clone(),
            filter_tags: channel.filter_tags.clone(),
            frozen: channel.frozen,
            disabled: channel.disabled,
            cooldown: channel.cooldown,
            auto_translation_enabled: channel.auto_translation_enabled,
            auto_translation_language: channel.auto_translation_language.clone(),
        }
    }
}

/// By how much a transaction moves a channel's counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Advance {
    /// Events that the transaction appends.
    pub events: i64,
    /// Messages that count as unread.
    pub unread: i64,
    /// Messages added, or taken away when negative.
    pub messages: i64,
    /// Members added, or taken away when negative.
    pub members: i64,
    /// Whether the moment becomes the channel's `last_message_at`.
    pub last_message: bool,
    /// Whether data or members of the channel change, so that what is cached becomes stale.
    pub version: bool,
    /// Whether the channel's type counts messages, for who adds one; `None` leaves it as it was. Counting begins with
    /// the first message that is sent under it.
    pub counting: Option<bool>,
}

/// By which versions it was decided that a transaction may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basis<'a> {
    /// Of the channel.
    pub channel: i64,
    /// Of its app.
    pub app: i64,
    /// Of a user of the app, where one is concerned.
    pub user: Option<(&'a str, i64)>,
}

/// A channel's counters after a transaction moved them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advanced {
    pub version: i64,
    /// The moment of the change: later than every earlier one of the channel.
    pub at: Timestamp,
    /// Sequence number of the last event reserved.
    pub event_seq: i64,
    pub unread_seq: i64,
    pub message_count: i64,
    pub member_count: i64,
    /// Whether there are members to whom a new message shows the channel again.
    pub is_hidden: bool,
    /// Messages up to this time are seen by nobody.
    pub history_from: Timestamp,
}

pub(crate) const CHANNEL_COLUMNS: &str = "c.pk, c.app_pk, c.kind, c.id, c.cid, c.team, c.created_by_id, \
    c.distinct_members, c.custom, c.config_overrides, c.filter_tags, c.frozen, c.disabled, c.cooldown, \
    c.auto_translation_enabled, c.auto_translation_language, c.member_count, c.message_count, c.version, \
    c.unread_seq, c.history_from, c.created_at, c.updated_at, c.last_message_at, c.truncated_at, \
    c.truncated_by_id, c.deleted_at, c.messages_uncounted, c.history_seq";

pub(crate) fn channel_from_row(row: Row<'_>) -> Result<Channel> {
    Ok(Channel {
        pk: row.int(0)?,
        app_pk: row.int(1)?,
        kind: row.text(2)?,
        id: row.text(3)?,
        cid: row.text(4)?,
        team: row.optional_text(5)?,
        created_by_id: row.optional_text(6)?,
        distinct_members: row.json(7, "channels.distinct_members")?,
        custom: row.json(8, "channels.custom")?,
        config_overrides: row.json(9, "channels.config_overrides")?,
        filter_tags: row.json(10, "channels.filter_tags")?,
        frozen: row.bool(11)?,
        disabled: row.bool(12)?,
        cooldown: row.int(13)?,
        auto_translation_enabled: row.bool(14)?,
        auto_translation_language: row.optional_text(15)?,
        member_count: row.int(16)?,
        message_count: row.int(17)?,
        version: row.int(18)?,
        unread_seq: row.int(19)?,
        history_from: row.time(20)?,
        created_at: row.time(21)?,
        updated_at: row.time(22)?,
        last_message_at: row.optional_time(23)?,
        truncated_at: row.optional_time(24)?,
        truncated_by_id: row.optional_text(25)?,
        deleted_at: row.optional_time(26)?,
        messages_uncounted: row.optional_int(27)?,
        history_seq: row.int(28)?,
    })
}

impl Channel {
    /// The number of messages that is shown where the type counts them: those from the time when it began to.
    pub fn counted_messages(&self) -> i64 {
        self.messages_uncounted.map_or(0, |uncounted| (self.message_count - uncounted).max(0))
    }

    /// The moment up to which nothing is shown to who has this membership, or none.
    pub fn shown_from(&self, membership: Option<&Member>) -> Timestamp {
        let hidden_before = membership.and_then(|member| member.hide_messages_before);
        self.history_from.max(hidden_before.unwrap_or_default())
    }
}

impl Tx {
    /// The channel with this cid, deleted ones included.
    pub async fn find_channel(&mut self, app_pk: i64, cid: &str) -> Result<Option<Channel>> {
        let sql = format!("SELECT {CHANNEL_COLUMNS} FROM channels c WHERE c.app_pk = $1 AND c.cid = $2");
        self.query_optional(&sql, params![app_pk, cid], channel_from_row).await
    }

    /// As [`Tx::find_channel`], and keeps the row from changing until the end of the transaction.
    pub async fn lock_channel(&mut self, app_pk: i64, cid: &str) -> Result<Option<Channel>> {
        let sql = format!(
            "SELECT {CHANNEL_COLUMNS} FROM channels c WHERE c.app_pk = $1 AND c.cid = $2{}",
            self.dialect().for_update()
        );
        self.query_optional(&sql, params![app_pk, cid], channel_from_row).await
    }

    /// The channels with these keys, in no particular order.
    pub async fn list_channels(&mut self, pks: Vec<i64>) -> Result<Vec<Channel>> {
        let sql =
            format!("SELECT {CHANNEL_COLUMNS} FROM channels c WHERE {}", self.dialect().is_in("c.pk", 1));
        self.query(&sql, params![pks], channel_from_row).await
    }

    /// Creates a channel. `None` when the cid is taken: another request was faster.
    pub async fn insert_channel(
        &mut self,
        app_pk: i64,
        channel: &NewChannel,
        now: Timestamp,
    ) -> Result<Option<Channel>> {
        let sql = format!(
            "INSERT INTO channels (app_pk, kind, id, cid, created_by_id, distinct_members, team, custom, \
             config_overrides, filter_tags, frozen, disabled, cooldown, auto_translation_enabled, \
             auto_translation_language, created_at, updated_at, clock_at, member_count, message_count, \
             version, event_seq, unread_seq, history_from) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $16, \
             0, 0, 1, 0, 0, 0) \
             ON CONFLICT (app_pk, cid) DO NOTHING RETURNING {}",
            CHANNEL_COLUMNS.replace("c.", "")
        );
        let change = &channel.change;
        let params: &[Param<'_>] = params![
            app_pk,
            &channel.kind,
            &channel.id,
            &channel.cid,
            &channel.created_by_id,
            json_unless_default(&channel.distinct_members),
            change.team.as_deref(),
            json_unless_default(&change.custom),
            json_unless_default(&change.config_overrides),
            json_unless_default(&change.filter_tags),
            change.frozen,
            change.disabled,
            change.cooldown,
            change.auto_translation_enabled,
            change.auto_translation_language.as_deref(),
            now,
        ];
        self.query_optional(&sql, params, channel_from_row).await
    }

    /// Sets a channel's data. Goes together with [`Tx::advance_channel`], which changes the version.
    pub async fn update_channel(
        &mut self,
        channel_pk: i64,
        change: &ChannelChange,
        now: Timestamp,
    ) -> Result<()> {
        self.execute(
            "UPDATE channels SET team = $1, custom = $2, config_overrides = $3, filter_tags = $4, frozen = $5, \
             disabled = $6, cooldown = $7, auto_translation_enabled = $8, auto_translation_language = $9, \
             updated_at = $10 WHERE pk = $11",
            params![
                change.team.as_deref(),
                json_unless_default(&change.custom),
                json_unless_default(&change.config_overrides),
                json_unless_default(&change.filter_tags),
                change.frozen,
                change.disabled,
                change.cooldown,
                change.auto_translation_enabled,
                change.auto_translation_language.as_deref(),
                now,
                channel_pk
            ],
        )
        .await?;
        Ok(())
    }

    /// Moves a channel's counters and its clock, and keeps others from doing so until the end of the transaction.
    /// `None` when the channel was deleted.
    pub async fn advance_channel(
        &mut self,
        channel_pk: i64,
        advance: Advance,
        now: Timestamp,
    ) -> Result<Option<Advanced>> {
        self.advance(channel_pk, advance, now, None).await
    }

    /// As [`Tx::advance_channel`], for who has decided by what was cached: one statement writes and sees whether it still
    /// holds. `None`, with nothing written, when it does not: others in the same transaction are not undone for it.
    pub async fn advance_channel_on(
        &mut self,
        channel_pk: i64,
        basis: Basis<'_>,
        advance: Advance,
        now: Timestamp,
    ) -> Result<Option<Advanced>> {
        self.advance(channel_pk, advance, now, Some(basis)).await
    }

    async fn advance(
        &mut self,
        channel_pk: i64,
        advance: Advance,
        now: Timestamp,
        basis: Option<Basis<'_>>,
    ) -> Result<Option<Advanced>> {
        const ADVANCE: &str = "UPDATE channels SET \
             clock_at = CASE WHEN clock_at >= $1 THEN clock_at + 1 ELSE $1 END, \
             event_seq = event_seq + $2, unread_seq = unread_seq + $3, message_count = message_count + $4, \
             member_count = member_count + $5, version = version + $6, \
             last_message_at = CASE WHEN $7 THEN CASE WHEN clock_at >= $1 THEN clock_at + 1 ELSE $1 END \
             ELSE last_message_at END, \
             messages_uncounted = CASE WHEN $8 = 'off' THEN NULL \
             WHEN $8 = 'on' AND messages_uncounted IS NULL THEN message_count \
             WHEN messages_uncounted > message_count + $4 THEN message_count + $4 ELSE messages_uncounted END \
             WHERE pk = $9 AND deleted_at IS NULL";
        const HOLDS: &str = " AND version = $10 \
             AND (SELECT apps.version FROM apps WHERE apps.pk = channels.app_pk) = $11";
        const HOLDS_FOR_USER: &str = " AND (SELECT users.version FROM users \
             WHERE users.app_pk = channels.app_pk AND users.id = $12) = $13";
        let indexed_by = self.dialect().indexed_by("members_hidden");
        let advanced = format!(
            "version, clock_at, event_seq, unread_seq, message_count, member_count, \
             EXISTS (SELECT 1 FROM members {indexed_by} WHERE members.channel_pk = channels.pk \
             AND members.hidden AND members.quiet_until <= channels.clock_at), history_from"
        );
        let mut sql = ADVANCE.to_owned();
        let mut params: Vec<Param<'_>> = params![
            now,
            advance.events,
            advance.unread,
            advance.messages,
            advance.members,
            i64::from(advance.version),
            advance.last_message,
            match advance.counting {
                None => "",
                Some(true) => "on",
                Some(false) => "off",
            },
            channel_pk
        ]
        .to_vec();
        if let Some(basis) = basis {
            sql.push_str(HOLDS);
            params.extend_from_slice(params![basis.channel, basis.app]);
            if let Some((user_id, version)) = basis.user {
                sql.push_str(HOLDS_FOR_USER);
                params.extend_from_slice(params![user_id, version]);
            }
        }
        let from_row = |row: Row<'_>| {
            Ok(Advanced {
                version: row.int(0)?,
                at: row.time(1)?,
                event_seq: row.int(2)?,
                unread_seq: row.int(3)?,
                message_count: row.int(4)?,
                member_count: row.int(5)?,
                is_hidden: row.bool(6)?,
                history_from: row.time(7)?,
            })
        };
        match self.dialect() {
            // `RETURNING` would cost a table for the row, and a journal of what the statement changes.
            Dialect::Sqlite => {
                if self.execute(&sql, &params).await? == 0 {
                    return Ok(None);
                }
                let sql = format!("SELECT {advanced} FROM channels WHERE pk = $1");
                self.query_optional(&sql, params![channel_pk], from_row).await
            }
            Dialect::Postgres => {
                let sql = format!("{sql} RETURNING {advanced}");
                self.query_optional(&sql, &params, from_row).await
            }
        }
    }

    /// Marks a channel deleted. Its rows stay; nobody sees them.
    pub async fn delete_channel_softly(&mut self, channel_pk: i64, now: Timestamp) -> Result<()> {
        self.execute(
            "UPDATE channels SET deleted_at = $1, updated_at = $1, history_from = clock_at, \
             history_seq = unread_seq, deleted_with_user_at = NULL, history_before = NULL, \
             history_seq_before = NULL WHERE pk = $2",
            params![now, channel_pk],
        )
        .await?;
        Ok(())
    }

    /// Brings back a deleted channel, empty of messages.
    pub async fn revive_channel(&mut self, channel_pk: i64, now: Timestamp) -> Result<()> {
        self.execute(
            "UPDATE channels SET deleted_at = NULL, last_message_at = NULL, message_count = 0, \
             messages_uncounted = NULL, \
             truncated_at = NULL, truncated_by_id = NULL, history_from = clock_at, history_seq = unread_seq, \
             updated_at = $1, version = version + 1 WHERE pk = $2",
            params![now, channel_pk],
        )
        .await?;
        self.settle_members(channel_pk).await
    }

    /// Marks a channel deleted and makes its cid free for another one. It is gone for everybody; its rows go with
    /// [`Tx::insert_purge`].
    pub async fn bury_channel(&mut self, channel_pk: i64, now: Timestamp) -> Result<()> {
        // No cid that is given from outside holds a comma.
        self.execute(
            "UPDATE channels SET cid = cid || ',' || CAST(pk AS TEXT), deleted_at = $1, updated_at = $1, \
             history_from = clock_at, history_seq = unread_seq WHERE pk = $2",
            params![now, channel_pk],
        )
        .await?;
        Ok(())
    }

    /// Sets `last_message_at` to that of the newest message left, none when there is none. `without_system` passes
    /// over system messages.
    pub async fn refresh_last_message_at(&mut self, channel_pk: i64, without_system: bool) -> Result<()> {
        self.execute(
            "UPDATE channels SET last_message_at = (SELECT MAX(created_at) FROM messages \
             WHERE channel_pk = $1 AND in_channel AND created_at > channels.history_from \
             AND (kind <> 'system' OR NOT $2)) WHERE pk = $1",
            params![channel_pk, without_system],
        )
        .await?;
        Ok(())
    }
}
