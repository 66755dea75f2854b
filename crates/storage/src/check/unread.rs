use std::collections::HashMap;

use super::Outcome;
use crate::error::Result;
use crate::tx::Tx;
use crate::value::params;

pub(super) const RULE: &str = "members.unread";

/// Channels that are looked up at a time.
const CHANNELS_BATCH: i64 = 1000;

/// A channel as far as it is needed to count what is unread.
struct CountedChannel {
    pk: i64,
    cid: String,
    unread_seq: i64,
}

/// A member's read position.
struct Reader {
    user_id: String,
    read_seq: i64,
    unread_less: i64,
    read_up_to: i64,
    /// Gaps behind the position.
    gaps: i64,
}

/// The messages of one channel that count, by their numbers in ascending order.
#[derive(Default)]
struct Countable {
    all: Vec<i64>,
    by_author: HashMap<String, Vec<i64>>,
    /// When those of restricted visibility were sent, by a user for whom they count.
    restricted: HashMap<String, Vec<i64>>,
}

impl Tx {
    /// Whether the number of unread messages that the counters give each member is the number of messages behind the
    /// member's read position that are not deleted and not the member's own.
    pub(super) async fn check_unread(&mut self) -> Result<Outcome> {
        const CHANNELS: &str = "SELECT pk, cid, unread_seq FROM channels WHERE pk > $1 AND deleted_at IS NULL \
            ORDER BY pk LIMIT $2";
        let mut outcome = Outcome::new(
            RULE,
            "what the counters say a member has not read is what counts behind the member's read position",
        );
        let mut after = 0;
        loop {
            let channels = self
                .query(CHANNELS, params![after, CHANNELS_BATCH], |row| {
                    Ok(CountedChannel { pk: row.int(0)?, cid: row.text(1)?, unread_seq: row.int(2)? })
                })
                .await?;
            let Some(last) = channels.last() else { return Ok(outcome) };
            after = last.pk;
            for channel in &channels {
                self.check_unread_of(channel, &mut outcome).await?;
            }
        }
    }

    async fn check_unread_of(&mut self, channel: &CountedChannel, outcome: &mut Outcome) -> Result<()> {
        const READERS: &str = "SELECT m.user_id, CASE WHEN c.history_seq > m.read_seq THEN c.history_seq \
            ELSE m.read_seq END, m.unread_less, (SELECT COUNT(*) FROM unread_gaps g \
            WHERE g.channel_pk = m.channel_pk AND g.seq > m.read_seq AND g.seq > c.history_seq), m.read_up_to \
            FROM members m JOIN channels c ON c.pk = m.channel_pk \
            WHERE m.channel_pk = $1 AND NOT (m.invited AND m.invite_accepted_at IS NULL) ORDER BY m.user_id";
        let readers = self
            .query(READERS, params![channel.pk], |row| {
                Ok(Reader {
                    user_id: row.text(0)?,
                    read_seq: row.int(1)?,
                    unread_less: row.int(2)?,
                    gaps: row.int(3)?,
                    read_up_to: row.int(4)?,
                })
            })
            .await?;
        if readers.is_empty() {
            return Ok(());
        }
        let countable = self.list_countable(channel.pk).await?;
        for reader in readers {
            let found = channel.unread_seq - reader.read_seq - reader.unread_less - reader.gaps;
            let expected = countable.unread(&reader);
            if found != expected {
                outcome
                    .add(|| format!("{} in {}: {found}, expected {expected}", reader.user_id, channel.cid));
            }
        }
        Ok(())
    }

    async fn list_countable(&mut self, channel_pk: i64) -> Result<Countable> {
        // Only messages of the channel's list count that are not taken away from everybody.
        const COUNTED: &str = "SELECT user_id, unread_seq FROM messages WHERE channel_pk = $1 AND in_channel \
            AND created_at > (SELECT c.history_from FROM channels c WHERE c.pk = $1) \
            AND counts_unread AND deleted_at IS NULL ORDER BY unread_seq";
        let mut countable = Countable::default();
        for (author, seq) in
            self.query(COUNTED, params![channel_pk], |row| Ok((row.text(0)?, row.int(1)?))).await?
        {
            countable.all.push(seq);
            countable.by_author.entry(author).or_default().push(seq);
        }
        let restricted = format!(
            "SELECT DISTINCT each.value, m.created_at FROM messages m, {} WHERE m.channel_pk = $1 AND m.in_channel \
             AND m.created_at > (SELECT c.history_from FROM channels c WHERE c.pk = $1) \
             AND m.restricted_visibility IS NOT NULL AND m.deleted_at IS NULL AND NOT m.silent \
             AND m.user_id <> each.value ORDER BY m.created_at",
            self.dialect().json_texts("m.restricted_visibility")
        );
        for (viewer, seq) in
            self.query(&restricted, params![channel_pk], |row| Ok((row.text(0)?, row.int(1)?))).await?
        {
            countable.restricted.entry(viewer).or_default().push(seq);
        }
        Ok(countable)
    }
}

impl Countable {
    /// How many messages count for this reader.
    fn unread(&self, reader: &Reader) -> i64 {
        let behind = |places: Option<&Vec<i64>>, position: i64| {
            places.map_or(0, |places| places.len() - places.partition_point(|place| *place <= position))
                as i64
        };
        let own = behind(self.by_author.get(&reader.user_id), reader.read_seq);
        let others = behind(Some(&self.all), reader.read_seq) - own;
        others + behind(self.restricted.get(&reader.user_id), reader.read_up_to)
    }
}
