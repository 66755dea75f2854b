use std::collections::HashMap;

use super::Outcome;
use crate::error::Result;
use crate::tx::Tx;
use crate::unread::{not_counted, read_seq};
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
    /// What the database takes off for gaps and quiet spans.
    not_counted: i64,
}

/// A message that counts: its key, its number in the channel, and when it was sent.
#[derive(Clone, Copy)]
struct Place {
    pk: i64,
    seq: i64,
    at: i64,
}

/// When a user had muted another: behind which message, up to which, and until when.
struct MuteSpan {
    target_id: String,
    from_pk: i64,
    until_pk: i64,
    until_at: i64,
}

/// The messages of one channel that count, in ascending order.
#[derive(Default)]
struct Countable {
    all: Vec<Place>,
    by_author: HashMap<String, Vec<Place>>,
    /// Those of restricted visibility and their authors, by a user for whom they count.
    restricted: HashMap<String, Vec<(String, Place)>>,
    /// Whom members had muted, and when.
    mutes: HashMap<String, Vec<MuteSpan>>,
    /// When the channel was quiet, by the user for whom: after a moment and before another.
    quiet: HashMap<String, Vec<(i64, i64)>>,
}

impl Tx {
    /// Whether the number of unread messages that the counters give each member is the number of messages behind the
    /// member's read position that are not deleted, not the member's own, and were sent neither while it was quiet nor by whom the member had muted.
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
        const READERS: &str = concat!(
            "SELECT m.user_id, ",
            read_seq!("m"),
            ", m.unread_less, ",
            not_counted!("m"),
            ", m.read_up_to FROM members m \
             WHERE m.channel_pk = $1 AND NOT (m.invited AND m.invite_accepted_at IS NULL) ORDER BY m.user_id"
        );
        let readers = self
            .query(READERS, params![channel.pk], |row| {
                Ok(Reader {
                    user_id: row.text(0)?,
                    read_seq: row.int(1)?,
                    unread_less: row.int(2)?,
                    not_counted: row.int(3)?,
                    read_up_to: row.int(4)?,
                })
            })
            .await?;
        if readers.is_empty() {
            return Ok(());
        }
        let countable = self.list_countable(channel.pk).await?;
        for reader in readers {
            let found = channel.unread_seq - reader.read_seq - reader.unread_less - reader.not_counted;
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
        const COUNTED: &str = "SELECT user_id, unread_seq, created_at, pk FROM messages WHERE channel_pk = $1 AND in_channel \
            AND created_at > (SELECT c.history_from FROM channels c WHERE c.pk = $1) \
            AND counts_unread AND deleted_at IS NULL ORDER BY unread_seq";
        let mut countable = Countable::default();
        let counted = self
            .query(COUNTED, params![channel_pk], |row| {
                Ok((row.text(0)?, Place { seq: row.int(1)?, at: row.int(2)?, pk: row.int(3)? }))
            })
            .await?;
        for (author, place) in counted {
            countable.all.push(place);
            countable.by_author.entry(author).or_default().push(place);
        }
        let restricted = format!(
            "SELECT DISTINCT each.value, m.created_at, m.unread_seq, m.user_id, m.pk FROM messages m, {} WHERE m.channel_pk = $1 AND m.in_channel \
             AND m.created_at > (SELECT c.history_from FROM channels c WHERE c.pk = $1) \
             AND m.restricted_visibility IS NOT NULL AND m.deleted_at IS NULL AND NOT m.silent AND NOT m.shadowed \
             AND m.user_id <> each.value ORDER BY m.created_at",
            self.dialect().json_texts("m.restricted_visibility")
        );
        let restricted = self
            .query(&restricted, params![channel_pk], |row| {
                let place = Place { at: row.int(1)?, seq: row.int(2)?, pk: row.int(4)? };
                Ok((row.text(0)?, (row.text(3)?, place)))
            })
            .await?;
        for (viewer, place) in restricted {
            countable.restricted.entry(viewer).or_default().push(place);
        }
        const QUIET: &str = "SELECT user_id, from_at, until_at FROM quiet_spans WHERE channel_pk = $1";
        for (user_id, from, until) in
            self.query(QUIET, params![channel_pk], |row| Ok((row.text(0)?, row.int(1)?, row.int(2)?))).await?
        {
            countable.quiet.entry(user_id).or_default().push((from, until));
        }
        // Only spans of members matter here, and only as many as there are members who muted somebody.
        const MUTES: &str = "SELECT k.user_id, k.target_id, k.from_pk, k.until_pk, k.until_at FROM members m \
            JOIN mute_spans k ON k.app_pk = m.app_pk AND k.user_id = m.user_id WHERE m.channel_pk = $1";
        let mutes = self
            .query(MUTES, params![channel_pk], |row| {
                let span = MuteSpan {
                    target_id: row.text(1)?,
                    from_pk: row.int(2)?,
                    until_pk: row.int(3)?,
                    until_at: row.int(4)?,
                };
                Ok((row.text(0)?, span))
            })
            .await?;
        for (user_id, span) in mutes {
            countable.mutes.entry(user_id).or_default().push(span);
        }
        Ok(countable)
    }
}

impl MuteSpan {
    fn holds(&self, author: &str, place: &Place) -> bool {
        self.target_id == author
            && (self.from_pk + 1..=self.until_pk).contains(&place.pk)
            && place.at < self.until_at
    }
}

impl Countable {
    /// How many messages count for this reader.
    fn unread(&self, reader: &Reader) -> i64 {
        let by_seq = |place: &Place| place.seq <= reader.read_seq;
        let own = self.by_author.get(&reader.user_id).map_or(0, |own| self.count(own, reader, by_seq));
        let others = self.count(&self.all, reader, by_seq) - own - self.muted(reader);
        // What is restricted is little: it is looked at one by one.
        let restricted = self.restricted.get(&reader.user_id).into_iter().flatten();
        let counted = restricted.filter(|(author, place)| {
            place.at > reader.read_up_to
                && !self.is_quiet(reader, place)
                && !self.mutes_of(reader).any(|span| span.holds(author, place))
        });
        others + counted.count() as i64
    }

    fn mutes_of(&self, reader: &Reader) -> impl Iterator<Item = &MuteSpan> {
        self.mutes.get(&reader.user_id).into_iter().flatten()
    }

    fn is_quiet(&self, reader: &Reader, place: &Place) -> bool {
        let spans = self.quiet.get(&reader.user_id).into_iter().flatten();
        spans.into_iter().any(|(from, until)| place.at > *from && place.at < *until)
    }

    /// How many messages behind the read position were sent by users whom the reader had muted.
    fn muted(&self, reader: &Reader) -> i64 {
        let of_span = |span: &MuteSpan| {
            let sent = self.by_author.get(&span.target_id).into_iter().flatten();
            let muted = sent.filter(|place| {
                place.seq > reader.read_seq
                    && span.holds(&span.target_id, place)
                    && !self.is_quiet(reader, place)
            });
            muted.count() as i64
        };
        self.mutes_of(reader).map(of_span).sum()
    }

    /// How many of these places are not read and lie in no quiet span of the reader.
    fn count(&self, places: &[Place], reader: &Reader, is_read: impl Fn(&Place) -> bool) -> i64 {
        let behind = &places[places.partition_point(is_read)..];
        let spans = self.quiet.get(&reader.user_id).into_iter().flatten();
        let quiet: usize = spans
            .map(|(from, until)| {
                let end = behind.partition_point(|place| place.at < *until);
                end.saturating_sub(behind.partition_point(|place| place.at <= *from))
            })
            .sum();
        (behind.len() - quiet) as i64
    }
}
