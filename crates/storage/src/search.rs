//! Finding messages by the words of their text.
//!
//! A send only queues the message; [`Tx::index_queued_messages`] indexes later, in batches, between sends.
//!
//! # Another engine
//! `text.rs` says what is asked ([`TextQuery`]), `index.rs` is all that knows how the words are kept.
//! An external engine takes the place of `index.rs`: it is told of words as `put_words` and `remove_words` are, and it
//! resolves a text query to message keys with scores, which then stand where `index::source` and `index::contains`
//! name the table `message_words`. Everything else, who sees what above all, stays in the database.

mod fields;
mod index;
mod text;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use natterjack_filter::{Expression, SortKey};
use natterjack_protocol::Timestamp;
use quick_cache::Equivalent;
use quick_cache::sync::Cache;

pub use self::fields::MESSAGES;
use self::fields::{MessageFields, Parts, is_text_question};
use self::text::TextQuery;
use crate::error::Result;
use crate::filter_sql::{SqlWriter, write_expression, write_order_by};
use crate::messages::{MESSAGE_COLUMNS, Message, message_from_row};
use crate::tx::Tx;
use crate::value::{Param, json, params};

/// Different words that are looked for as parts of others in one search. Each costs a walk through all words of the
/// app.
const PARTS_MAX: usize = 8;
/// Words that one part stands for, the first ones in order.
const WORDS_PER_PART_MAX: i64 = 200;
/// Messages that are ranked, the newest that match: what a common word finds is more than anybody looks through, and
/// ranking costs more than finding.
const RANKED_MAX: i64 = 10_000;
/// Words that a server remembers to be listed.
const KNOWN_WORDS_MAX: usize = 50_000;
/// For how long a word is trusted to be listed, and how often at most that is written down.
const LISTED_FOR_SECONDS: i64 = 24 * 60 * 60;
/// Longest word that can be found by a part of it, in bytes. Longer ones are found whole and by their beginning.
const LISTED_WORD_BYTES_MAX: usize = 128;

/// What a search asks.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchQuery {
    /// The channels to search, at most 500, each with the moment after which its messages may be seen.
    pub channels: Vec<(i64, Timestamp)>,
    /// A filter by [`MESSAGES`].
    pub filter: Expression,
    /// The order; empty is relevance, the best of the newest 10,000 first. Messages that are equal in it are in the order
    /// of their ids.
    pub sort: Vec<SortKey>,
    /// Most messages wanted.
    pub limit: i64,
    /// Messages of the whole result to leave out, for pages after the first; a cursor is this and the mode. The
    /// caller bounds it, for the cost grows with it.
    pub offset: i64,
    /// How the first page was found, when this is a later one. `None` decides it.
    pub mode: Option<SearchMode>,
    /// The user who looks; `None` is the server, who sees restricted messages too.
    pub user_id: Option<String>,
    /// Pins that expired before do not count.
    pub now: Timestamp,
}

/// How the words of a `$q` are looked for. All pages of a search use the same mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchMode {
    /// As whole words.
    Words,
    /// Also as parts of words, because nothing has them as whole words.
    Parts,
}

/// A page of what a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The messages with their relevance: the larger, the better, 0 when the filter asks for no words. Scores of one
    /// search compare with each other, not with those of another search or database.
    pub messages: Vec<(Message, f64)>,
    /// Whether there are more after these.
    pub has_more: bool,
    /// How they were found: to be passed on for the next page.
    pub mode: SearchMode,
}

/// Words that are known to be listed in the database, of the last ones seen, so that common words are not written again
/// with every message. What was listed more than a day ago is not trusted any more: only words that are much longer listed
/// are taken off the list.
#[derive(Debug)]
pub struct KnownWords(Cache<(i64, String), Timestamp>);

impl Default for KnownWords {
    fn default() -> Self {
        Self(Cache::new(KNOWN_WORDS_MAX))
    }
}

impl KnownWords {
    fn contains(&self, app_pk: i64, word: &String, now: Timestamp) -> bool {
        self.0.get(&Key(app_pk, word)).is_some_and(|at| at > now.plus_seconds(-LISTED_FOR_SECONDS))
    }

    /// Remembers words whose transaction was committed.
    pub fn learn(&self, indexed: Indexed) {
        for (app_pk, words) in indexed.listed {
            for word in words {
                self.0.insert((app_pk, word), indexed.at);
            }
        }
    }
}

/// A key of [`KnownWords`], borrowed.
#[derive(Hash)]
struct Key<'w>(i64, &'w String);

impl Equivalent<(i64, String)> for Key<'_> {
    fn equivalent(&self, key: &(i64, String)) -> bool {
        (self.0, self.1) == (key.0, &key.1)
    }
}

/// What [`Tx::index_queued_messages`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexed {
    /// How many messages were taken from the queue.
    pub messages: usize,
    /// The moment of it.
    at: Timestamp,
    /// The words that were listed, by app.
    listed: BTreeMap<i64, BTreeSet<String>>,
}

impl Tx {
    /// Indexes up to `limit` messages that were sent, changed or deleted since. Fewer than `limit` means that the queue
    /// is empty, and what others were indexing is indexed. After the commit `known` is to
    /// [learn](KnownWords::learn) what this answers.
    pub async fn index_queued_messages(
        &mut self,
        limit: i64,
        known: &KnownWords,
        now: Timestamp,
    ) -> Result<Indexed> {
        // The rows are taken first: an edit from here on queues its message again. Rows that another transaction is
        // indexing are waited for, so that what was sent before this call is found after it.
        let sql = format!(
            "DELETE FROM search_queue WHERE message_pk IN \
             (SELECT message_pk FROM search_queue ORDER BY message_pk LIMIT $1{}) RETURNING message_pk",
            self.dialect().for_update()
        );
        let queued: BTreeSet<i64> =
            self.query(&sql, params![limit], |row| row.int(0)).await?.into_iter().collect();
        if queued.is_empty() {
            return Ok(Indexed::default());
        }
        let sql = format!(
            "SELECT m.pk, m.app_pk, m.text FROM messages m \
             WHERE {} AND m.deleted_at IS NULL AND m.kind <> 'system' ORDER BY m.pk",
            self.dialect().is_in("m.pk", 1)
        );
        let found = self
            .query(&sql, params![Vec::from_iter(queued.iter().copied())], |row| {
                Ok((row.int(0)?, row.int(1)?, text::indexed_words(&row.text(2)?)))
            })
            .await?;
        let mut listed: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        for (_, app_pk, words) in &found {
            let is_new = |word: &&String| {
                word.len() <= LISTED_WORD_BYTES_MAX
                    && !text::is_alone(word)
                    && !known.contains(*app_pk, word, now)
            };
            listed.entry(*app_pk).or_default().extend(words.iter().filter(is_new).cloned());
        }
        self.insert_search_words(&listed, now).await?;
        let put: Vec<(i64, Vec<String>)> = found
            .into_iter()
            .filter(|(_, _, words)| !words.is_empty())
            .map(|(pk, _, words)| (pk, words))
            .collect();
        let mut gone = queued.clone();
        for (pk, _) in &put {
            gone.remove(pk);
        }
        self.put_words(&put).await?;
        if !gone.is_empty() {
            self.remove_words(Vec::from_iter(gone)).await?;
        }
        Ok(Indexed { messages: queued.len(), at: now, listed })
    }

    /// How many messages wait to be indexed, counted up to `limit`.
    pub async fn count_search_queue(&mut self, limit: i64) -> Result<i64> {
        let count = self
            .query_optional(
                "SELECT COUNT(*) FROM (SELECT message_pk FROM search_queue LIMIT $1) AS queued",
                params![limit],
                |row| row.int(0),
            )
            .await?;
        Ok(count.unwrap_or(0))
    }

    /// Adds words, by app, to those that can be found by their parts.
    async fn insert_search_words(
        &mut self,
        words: &BTreeMap<i64, BTreeSet<String>>,
        now: Timestamp,
    ) -> Result<()> {
        // In order, so that two nodes do not wait for each other. A word is written once a day at most.
        let sql = format!(
            "INSERT INTO search_words (app_pk, word, listed_at) SELECT $1, value, CAST($2 AS BIGINT) FROM {} WHERE TRUE \
             ORDER BY value ON CONFLICT (app_pk, word) DO UPDATE SET listed_at = excluded.listed_at \
             WHERE search_words.listed_at < excluded.listed_at - {}",
            self.dialect().listed(3, "TEXT"),
            LISTED_FOR_SECONDS * 1_000_000_000
        );
        for (app_pk, words) in words.iter().filter(|(_, words)| !words.is_empty()) {
            let words = Vec::from_iter(words.iter().cloned());
            self.execute(&sql, params![*app_pk, now, words]).await?;
        }
        Ok(())
    }

    /// Takes words off the list that no message has any more, of the `limit` words behind `after` those that were listed
    /// last up to `before`: much longer ago than [`KnownWords`] trusts what it knows. Those that are in use count as
    /// listed `now`. Answers the last word looked at, `None` when there are no more.
    pub async fn prune_search_words(
        &mut self,
        after: (i64, &str),
        before: Timestamp,
        now: Timestamp,
        limit: i64,
    ) -> Result<Option<(i64, String)>> {
        let listed = self
            .query(
                "SELECT app_pk, word, listed_at FROM search_words WHERE (app_pk, word) > ($1, $2) \
                 ORDER BY app_pk, word LIMIT $3",
                params![after.0, after.1, limit],
                |row| Ok((row.int(0)?, row.text(1)?, row.time(2)?)),
            )
            .await?;
        let last = listed.last().map(|(app_pk, word, _)| (*app_pk, word.clone()));
        let old: Vec<(i64, String)> = listed
            .into_iter()
            .filter(|(_, _, at)| *at <= before)
            .map(|(app_pk, word, _)| (app_pk, word))
            .collect();
        let words: Vec<&str> = old.iter().map(|(_, word)| word.as_str()).collect();
        let used = self.are_words_used(&words).await?;
        for ((app_pk, word), is_used) in old.iter().zip(used) {
            // Whoever lists one of them meanwhile makes it newer, and it stays.
            if is_used {
                self.execute(
                    "UPDATE search_words SET listed_at = $1 WHERE app_pk = $2 AND word = $3 AND listed_at <= $4",
                    params![now, *app_pk, word, before],
                )
                .await?;
            } else {
                self.execute(
                    "DELETE FROM search_words WHERE app_pk = $1 AND word = $2 AND listed_at <= $3",
                    params![*app_pk, word, before],
                )
                .await?;
            }
        }
        Ok(last)
    }

    /// Finds messages. Deleted and system messages are never found, replies in threads are.
    ///
    /// Text is asked through the index, which is stricter than [`Expression::matches`]: characters of scripts without
    /// spaces that follow each other in the operand must follow each other in the text. When a filter with `$q` finds
    /// nothing at all, each word of a `$q` stands for all words that contain it.
    pub async fn search_messages(&mut self, app_pk: i64, query: &SearchQuery) -> Result<Found> {
        if query.mode != Some(SearchMode::Parts) {
            let found = self.search_page(query, None).await?;
            let decided = query.mode.is_some()
                || !found.messages.is_empty()
                || query.offset > 0 && self.finds_anything(query).await?;
            if decided {
                return Ok(found);
            }
        }
        match self.list_words_with_parts(app_pk, query).await? {
            // Nothing to put in place of the words: still what was found, nothing.
            None => Ok(Found { messages: Vec::new(), has_more: false, mode: SearchMode::Words }),
            Some(parts) => self.search_page(query, Some(&parts)).await,
        }
    }

    async fn finds_anything(&mut self, query: &SearchQuery) -> Result<bool> {
        let first = SearchQuery { limit: 1, offset: 0, ..query.clone() };
        Ok(!self.search_page(&first, None).await?.messages.is_empty())
    }

    /// For each word of the `$q` comparisons the words that contain it. `None` when there is no such word, or there
    /// are too many.
    async fn list_words_with_parts(&mut self, app_pk: i64, query: &SearchQuery) -> Result<Option<Parts>> {
        let parts: BTreeSet<String> = query
            .filter
            .comparisons()
            .filter(|comparison| is_text_question(&comparison.field, comparison.operator))
            .filter_map(TextQuery::of_parts)
            .flat_map(|query| query.parts().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        if parts.is_empty() || parts.len() > PARTS_MAX {
            return Ok(None);
        }
        let params: Vec<Vec<Param<'_>>> = parts
            .iter()
            .map(|part| {
                let pattern = part.replace('!', "!!").replace('%', "!%").replace('_', "!_");
                vec![app_pk.into(), format!("%{pattern}%").into(), WORDS_PER_PART_MAX.into()]
            })
            .collect();
        let words = self
            .query_each(
                "SELECT word FROM search_words WHERE app_pk = $1 AND word LIKE $2 ESCAPE '!' \
                 ORDER BY word LIMIT $3",
                &params,
                |row| row.text(0),
            )
            .await?;
        Ok(Some(parts.into_iter().zip(words).collect()))
    }

    /// A page of a search, with words in place of parts or as they are.
    async fn search_page(&mut self, query: &SearchQuery, parts: Option<&Parts>) -> Result<Found> {
        let mode = if parts.is_some() { SearchMode::Parts } else { SearchMode::Words };
        let nothing = Found { messages: Vec::new(), has_more: false, mode };
        let Some((sql, params)) = self.write_search(query, parts) else {
            return Ok(nothing);
        };
        let mut found = self.query(&sql, &params, |row| Ok((row.int(0)?, row.real(1)?))).await?;
        let has_more = found.len() as i64 > query.limit;
        found.truncate(usize::try_from(query.limit).unwrap_or(0));
        if found.is_empty() {
            return Ok(Found { has_more, ..nothing });
        }
        let sql =
            format!("SELECT {MESSAGE_COLUMNS} FROM messages m WHERE {}", self.dialect().is_in("m.pk", 1));
        let pks: Vec<i64> = found.iter().map(|(pk, _)| *pk).collect();
        let messages = self.query(&sql, params![pks], message_from_row).await?;
        let mut messages: HashMap<i64, Message> =
            messages.into_iter().map(|message| (message.pk, message)).collect();
        let messages =
            found.into_iter().filter_map(|(pk, score)| Some((messages.remove(&pk)?, score))).collect();
        Ok(Found { messages, has_more, mode })
    }

    /// The query for keys and scores of one page and one message more. `None` when nothing can match.
    fn write_search(
        &self,
        query: &SearchQuery,
        parts: Option<&Parts>,
    ) -> Option<(String, Vec<Param<'static>>)> {
        let dialect = self.dialect();
        let mut fields =
            MessageFields { parts, now: "(SELECT now FROM page)", score: String::new(), is_order: false };
        let mut scored = Vec::new();
        let filter = split_scored(query.filter.clone(), &fields, &mut scored);
        let question = if scored.is_empty() { None } else { Some(index::question(dialect, &scored)?) };

        let mut writer = SqlWriter::new(dialect);
        writer.push("WITH page (size, start, now) AS (SELECT ");
        for (position, value) in
            [query.limit + 1, query.offset, query.now.nanoseconds()].into_iter().enumerate()
        {
            writer.push(if position > 0 { ", CAST(" } else { "CAST(" });
            writer.bind(value);
            writer.push(" AS BIGINT)");
        }
        writer.push(")");
        // Most channels are seen from their beginning on; the others are compared one by one with every message.
        let limited: Vec<(i64, i64)> = query
            .channels
            .iter()
            .filter(|(_, from)| *from > Timestamp::default())
            .map(|(pk, from)| (*pk, from.nanoseconds()))
            .collect();
        if !limited.is_empty() {
            writer.params.push(Param::Owned(json(&limited)));
            let pairs = dialect.listed_pairs(writer.params.len());
            writer.push(&format!(", limited (channel_pk, from_at) AS MATERIALIZED ({pairs})"));
        }
        let question = question.map(|question| writer.reserve(question));
        fields.score = match &question {
            Some(question) => index::score(dialect, question),
            None => "CAST(0 AS DOUBLE PRECISION)".to_owned(),
        };
        // The newest matches are chosen first, in the order in which the index has them, and then ranked.
        let ranked = question.is_some() && query.sort.is_empty();
        writer.push(&if ranked {
            format!(" SELECT pk, score FROM (SELECT m.pk AS pk, m.id AS id, {} AS score FROM ", fields.score)
        } else {
            format!(" SELECT m.pk, {} AS score FROM ", fields.score)
        });
        let channels: Vec<i64> = query.channels.iter().map(|(pk, _)| *pk).collect();
        match &question {
            Some(question) => {
                writer.push(&index::source(dialect, question));
                writer.push(" AND ");
                writer.push_in("m.channel_pk", channels);
            }
            None => {
                writer.params.push(Param::Ints(channels));
                let of_channels = dialect.is_in("l.channel_pk", writer.params.len());
                writer.push(&format!(
                    "messages m WHERE m.pk IN (SELECT l.pk FROM messages l WHERE {of_channels} AND l.in_channel \
                     UNION ALL SELECT l.pk FROM messages l WHERE {of_channels} AND NOT l.in_channel)"
                ));
            }
        }
        writer.push(" AND m.deleted_at IS NULL AND m.kind <> 'system'");
        if !limited.is_empty() {
            writer.push(
                " AND NOT EXISTS (SELECT 1 FROM limited WHERE limited.channel_pk = m.channel_pk \
                 AND limited.from_at >= m.created_at)",
            );
        }
        if let Some(user_id) = &query.user_id {
            let user = writer.reserve(user_id.clone());
            writer.push(&format!(
                " AND (m.restricted_visibility IS NULL OR m.user_id = {user} OR EXISTS \
                 (SELECT 1 FROM {} WHERE each.value = {user})) AND NOT EXISTS (SELECT 1 FROM message_hidden_for h \
                 WHERE h.message_pk = m.pk AND h.user_id = {user})",
                dialect.json_texts("m.restricted_visibility")
            ));
        }
        writer.push(" AND ");
        write_expression(&mut writer, &filter, &fields);
        if ranked {
            let newest = index::newest_first(dialect);
            writer.push(&format!(" ORDER BY {newest} LIMIT {RANKED_MAX}) AS newest ORDER BY score DESC, id"));
        } else if query.sort.is_empty() {
            writer.push(" ORDER BY m.id");
        } else {
            fields.is_order = true;
            write_order_by(&mut writer, &query.sort, &fields, "m.id");
        }
        writer.push(" LIMIT (SELECT size FROM page) OFFSET (SELECT start FROM page)");
        Some((writer.sql, writer.params))
    }
}

/// Takes the text questions that every found message must match out of `filter`: they are the ones to rank by.
fn split_scored(filter: Expression, fields: &MessageFields<'_>, scored: &mut Vec<TextQuery>) -> Expression {
    match filter {
        Expression::All(parts) => {
            Expression::All(parts.into_iter().map(|part| split_scored(part, fields, scored)).collect())
        }
        Expression::Comparison(comparison) if is_text_question(&comparison.field, comparison.operator) => {
            scored.push(fields.text_query(comparison.operator, &comparison.operand));
            Expression::All(Vec::new())
        }
        other => other,
    }
}
