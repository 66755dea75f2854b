use natterjack_protocol::{Custom, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::tx::Tx;
use crate::unread::{muted_until, not_counted, read_seq};
use crate::user_mutes::mutes_now;
use crate::value::{Param, Row, json_unless_default, params};

/// A member of a channel as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub channel_pk: i64,
    pub user_id: String,
    pub channel_role: String,
    pub custom: Custom,
    /// Whether the member came by an invite, whatever became of it.
    pub invited: bool,
    pub invite_accepted_at: Option<Timestamp>,
    pub invite_rejected_at: Option<Timestamp>,
    pub banned: bool,
    pub shadow_banned: bool,
    pub ban_expires: Option<Timestamp>,
    /// When the member's mute of the channel ends or ended; a far moment when it does not end.
    pub muted_until: Option<Timestamp>,
    /// Whether the member has hidden the channel until the next message.
    pub hidden: bool,
    /// Whether the channel has two members and this one blocked the other.
    pub blocked: bool,
    /// Messages up to this time are not shown to the member.
    pub hide_messages_before: Option<Timestamp>,
    pub pinned_at: Option<Timestamp>,
    pub archived_at: Option<Timestamp>,
    /// The channel's `unread_seq` up to which nothing is unread for the member: what the member has read, or where the
    /// channel's history begins if that is later and it was looked for.
    pub read_seq: i64,
    /// What to take off the number of unread messages.
    pub unread_less: i64,
    pub last_read: Timestamp,
    pub last_read_message_id: Option<String>,
    pub last_delivered_at: Option<Timestamp>,
    pub last_delivered_message_id: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// What counted for others behind the position and does not count here: deleted messages, and those that were
    /// sent while the channel was quiet for the member. `None` where the operation does not look for it.
    pub not_counted: Option<i64>,
}

impl Member {
    /// Whether an invite waits for an answer or was turned down. Such a member is listed but gets no messages and
    /// counts no unread ones.
    pub fn is_pending(&self) -> bool {
        self.invited && self.invite_accepted_at.is_none()
    }
}

/// What events tell of a member who was removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemovedMember {
    pub user_id: String,
    pub channel_role: String,
    pub custom: Custom,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Whether the channel was blocked for the member, which [`Tx::settle_left`] brings to its end.
    #[serde(skip)]
    pub blocked: bool,
}

/// A member to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMember {
    pub user_id: String,
    pub channel_role: String,
    pub custom: Custom,
    pub invited: bool,
    pub hidden: bool,
    pub hide_messages_before: Option<Timestamp>,
}

/// The parts of a membership that a partial update changes, as they are to be.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberChange {
    pub channel_role: String,
    pub custom: Custom,
    pub pinned_at: Option<Timestamp>,
    pub archived_at: Option<Timestamp>,
}

macro_rules! without_unread {
    () => {
        concat!(
            "m.channel_pk, m.user_id, m.channel_role, m.custom, m.invited, \
            m.invite_accepted_at, m.invite_rejected_at, m.banned, m.shadow_banned, m.ban_expires, ",
            muted_until!("m"),
            ", m.hidden, m.hide_messages_before, m.pinned_at, m.archived_at, m.read_seq, m.unread_less, m.last_read, \
            m.last_read_message_id, m.last_delivered_at, m.last_delivered_message_id, m.created_at, m.updated_at, m.blocked"
        )
    };
}

pub(crate) const MEMBER_COLUMNS: &str =
    concat!(without_unread!(), ", ", read_seq!("m"), ", ", not_counted!("m"));

pub(crate) fn member_from_row(row: Row<'_>) -> Result<Member> {
    Ok(Member {
        read_seq: row.int(24)?,
        not_counted: Some(row.int(25)?),
        ..member_without_unread_from_row(row)?
    })
}

fn member_without_unread_from_row(row: Row<'_>) -> Result<Member> {
    Ok(Member {
        channel_pk: row.int(0)?,
        user_id: row.text(1)?,
        channel_role: row.text(2)?,
        custom: row.json(3, "members.custom")?,
        invited: row.bool(4)?,
        invite_accepted_at: row.optional_time(5)?,
        invite_rejected_at: row.optional_time(6)?,
        banned: row.bool(7)?,
        shadow_banned: row.bool(8)?,
        ban_expires: row.optional_time(9)?,
        muted_until: row.optional_time(10)?,
        hidden: row.bool(11)?,
        hide_messages_before: row.optional_time(12)?,
        pinned_at: row.optional_time(13)?,
        archived_at: row.optional_time(14)?,
        read_seq: row.int(15)?,
        unread_less: row.int(16)?,
        last_read: row.time(17)?,
        last_read_message_id: row.optional_text(18)?,
        last_delivered_at: row.optional_time(19)?,
        last_delivered_message_id: row.optional_text(20)?,
        created_at: row.time(21)?,
        updated_at: row.time(22)?,
        blocked: row.bool(23)?,
        not_counted: None,
    })
}

/// As SQL, that a message `m` is not hidden from this user as a member who joined without the history, or lost it.
pub(crate) fn is_in_history_of(user_id: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM members h WHERE h.channel_pk = m.channel_pk AND h.user_id = {user_id} \
         AND h.hide_messages_before >= m.created_at)"
    )
}

impl Tx {
    /// The ids of a channel's members that have not an invite to answer, up to a limit.
    pub async fn list_member_ids(&mut self, channel_pk: i64, limit: i64) -> Result<Vec<String>> {
        self.query(
            "SELECT user_id FROM members WHERE channel_pk = $1 \
             AND NOT (invited AND invite_accepted_at IS NULL) LIMIT $2",
            params![channel_pk, limit],
            |row| row.text(0),
        )
        .await
    }

    /// Those of a channel's members to whom messages of this moment are not shown, each with the moment up to which none are.
    pub async fn list_members_not_shown(
        &mut self,
        channel_pk: i64,
        at: Timestamp,
        limit: i64,
    ) -> Result<Vec<(String, Timestamp)>> {
        self.query(
            "SELECT user_id, hide_messages_before FROM members WHERE channel_pk = $1 \
             AND hide_messages_before IS NOT NULL AND hide_messages_before >= $2 LIMIT $3",
            params![channel_pk, at, limit],
            |row| Ok((row.text(0)?, row.time(1)?)),
        )
        .await
    }

    /// The member of a channel with this user id.
    pub async fn find_member(&mut self, channel_pk: i64, user_id: &str) -> Result<Option<Member>> {
        let sql =
            format!("SELECT {MEMBER_COLUMNS} FROM members m WHERE m.channel_pk = $1 AND m.user_id = $2");
        self.query_optional(&sql, params![channel_pk, user_id], member_from_row).await
    }

    /// The members of a channel with these user ids, each of which is given once, without what they have not read.
    pub async fn list_members_with_ids(
        &mut self,
        channel_pk: i64,
        user_ids: Vec<String>,
    ) -> Result<Vec<Member>> {
        if user_ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.dialect().found_by_each("members", "user_id", "TEXT", "channel_pk");
        let sql = format!("SELECT {} FROM {found}", without_unread!());
        let params = params![user_ids, channel_pk];
        let mut members = self.query(&sql, params, member_without_unread_from_row).await?;
        // An order in the query makes SQLite walk through the whole channel in this order.
        members.sort_by(|one, other| {
            one.created_at.cmp(&other.created_at).then_with(|| one.user_id.cmp(&other.user_id))
        });
        Ok(members)
    }

    /// For each channel a page of its members, oldest first.
    pub async fn list_members_of_channels(
        &mut self,
        channel_pks: &[i64],
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Vec<Member>>> {
        let sql = format!(
            "SELECT {MEMBER_COLUMNS} FROM members m WHERE m.channel_pk = $1 \
             ORDER BY m.created_at, m.user_id LIMIT $2 OFFSET $3"
        );
        let params: Vec<_> = channel_pks
            .iter()
            .map(|pk| vec![Param::Int(*pk), Param::Int(limit), Param::Int(offset)])
            .collect();
        self.query_each(&sql, &params, member_from_row).await
    }

    /// The memberships of one user in these channels.
    pub async fn list_memberships(&mut self, user_id: &str, channel_pks: Vec<i64>) -> Result<Vec<Member>> {
        let found = self.dialect().found_by_each("members", "channel_pk", "BIGINT", "user_id");
        let sql = format!("SELECT {MEMBER_COLUMNS} FROM {found}");
        self.query(&sql, params![channel_pks, user_id], member_from_row).await
    }

    /// Adds members who have read everything so far. Those who are members already stay as they are.
    /// Answers the ids of those who were added.
    pub async fn insert_members(
        &mut self,
        app_pk: i64,
        channel_pk: i64,
        unread_seq: i64,
        members: &[NewMember],
        now: Timestamp,
    ) -> Result<Vec<String>> {
        const INSERT: &str = "INSERT INTO members (channel_pk, user_id, app_pk, channel_role, custom, invited, \
            hidden, hide_messages_before, read_seq, read_up_to, last_read, created_at, updated_at, banned, shadow_banned, \
            ban_expires, notifications_muted, unread_less, quiet_until) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10, $10, \
            EXISTS (SELECT 1 FROM bans WHERE app_pk = $3 AND channel_pk = $1 AND user_id = $2 AND NOT shadow), \
            EXISTS (SELECT 1 FROM bans WHERE app_pk = $3 AND channel_pk = $1 AND user_id = $2 AND shadow), \
            (SELECT expires FROM bans WHERE app_pk = $3 AND channel_pk = $1 AND user_id = $2), FALSE, 0, \
            COALESCE((SELECT MAX(until_at) FROM quiet_spans WHERE channel_pk = $1 AND user_id = $2), 0)) \
            ON CONFLICT (channel_pk, user_id) DO NOTHING RETURNING user_id";
        let params: Vec<_> = members
            .iter()
            .map(|member| {
                vec![
                    Param::Int(channel_pk),
                    Param::Text(&member.user_id),
                    Param::Int(app_pk),
                    Param::Text(&member.channel_role),
                    json_unless_default(&member.custom).into(),
                    Param::Bool(member.invited),
                    Param::Bool(member.hidden),
                    member.hide_messages_before.into(),
                    Param::Int(unread_seq),
                    now.into(),
                ]
            })
            .collect();
        let added = self.write_each(INSERT, &params, |row| row.text(0)).await?;
        Ok(added.into_iter().flatten().collect())
    }

    /// Removes members. Answers the ids of those who were members.
    pub async fn delete_members(
        &mut self,
        channel_pk: i64,
        user_ids: Vec<String>,
    ) -> Result<Vec<RemovedMember>> {
        let sql = format!(
            "DELETE FROM members WHERE channel_pk = $1 AND {} \
             RETURNING user_id, channel_role, custom, created_at, updated_at, blocked",
            self.dialect().is_in("user_id", 2)
        );
        self.query(&sql, params![channel_pk, user_ids], |row| {
            Ok(RemovedMember {
                user_id: row.text(0)?,
                channel_role: row.text(1)?,
                custom: row.json(2, "members.custom")?,
                created_at: row.time(3)?,
                updated_at: row.time(4)?,
                blocked: row.bool(5)?,
            })
        })
        .await
    }

    /// Gives a member another role in the channel. `false` when the user is not a member.
    pub async fn update_member_role(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        channel_role: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let changed = self
            .execute(
                "UPDATE members SET channel_role = $1, updated_at = $2 WHERE channel_pk = $3 AND user_id = $4",
                params![channel_role, now, channel_pk, user_id],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Sets what a partial update changes of a member.
    pub async fn update_member(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        change: &MemberChange,
        now: Timestamp,
    ) -> Result<()> {
        self.execute(
            "UPDATE members SET channel_role = $1, custom = $2, pinned_at = $3, archived_at = $4, updated_at = $5 \
             WHERE channel_pk = $6 AND user_id = $7",
            params![
                &change.channel_role,
                json_unless_default(&change.custom),
                change.pinned_at,
                change.archived_at,
                now,
                channel_pk,
                user_id
            ],
        )
        .await?;
        Ok(())
    }

    /// Hides a channel from a member or shows it. A moment in `hide_messages_before` takes the messages up to it away
    /// from the member.
    pub async fn hide_channel_for(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        hidden: bool,
        hide_messages_before: Option<Timestamp>,
    ) -> Result<()> {
        self.execute(
            "UPDATE members SET hidden = $1, hide_messages_before = COALESCE($2, hide_messages_before) \
             WHERE channel_pk = $3 AND user_id = $4",
            params![hidden, hide_messages_before, channel_pk, user_id],
        )
        .await?;
        Ok(())
    }

    /// Records the answer to an invite. An accepting member has read everything so far.
    pub async fn answer_invite(
        &mut self,
        channel_pk: i64,
        user_id: &str,
        accepted: bool,
        now: Timestamp,
    ) -> Result<()> {
        let sql = if accepted {
            "UPDATE members SET invite_accepted_at = $1, invite_rejected_at = NULL, updated_at = $1, \
             read_seq = (SELECT unread_seq FROM channels WHERE pk = $2), unread_less = 0, last_read = $1, read_up_to = $1 \
             WHERE channel_pk = $2 AND user_id = $3"
        } else {
            "UPDATE members SET invite_rejected_at = $1, invite_accepted_at = NULL, updated_at = $1 \
             WHERE channel_pk = $2 AND user_id = $3"
        };
        self.execute(sql, params![now, channel_pk, user_id]).await?;
        Ok(())
    }

    /// A message sent at `at` shows a channel again to everybody who had hidden it, or to these alone, except those for
    /// whom the channel is quiet, or who muted the sender. Answers their ids, in order.
    pub async fn show_hidden_channel(
        &mut self,
        channel_pk: i64,
        sender_id: &str,
        at: Timestamp,
        only: Option<Vec<String>>,
    ) -> Result<Vec<String>> {
        let those = only.as_ref().map(|_| format!(" AND {}", self.dialect().is_in("user_id", 4)));
        let sql = format!(
            "UPDATE members {} SET hidden = FALSE WHERE channel_pk = $1 AND hidden AND quiet_until <= $2 \
             AND NOT {}{} RETURNING user_id",
            self.dialect().indexed_by("members_hidden"),
            mutes_now("members.app_pk", "members.user_id", "$3", "$2"),
            those.unwrap_or_default()
        );
        let params: Vec<Param<'_>> = [channel_pk.into(), at.into(), sender_id.into()]
            .into_iter()
            .chain(only.map(Param::Texts))
            .collect();
        let mut shown = self.query(&sql, &params, |row| row.text(0)).await?;
        // In one order everywhere: who writes to the rows of the same users never waits in a circle.
        shown.sort();
        Ok(shown)
    }
}
