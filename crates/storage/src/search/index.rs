//! The text index in the database: the only module that knows how it is written and asked.
//!
//! SQLite has an FTS5 table without content. Its tokenizer is `ascii`, which splits at ASCII characters other than
//! letters and digits and leaves all others alone, so that words joined by spaces come out as they went in;
//! `unicode61` has an older idea of letters and would split words of some scripts again. PostgreSQL has a `tsvector`,
//! built from words and positions rather than text, so that no dictionary has a say.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::text::{Term, TextQuery};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Param, params};

/// Positions of one word in one message that PostgreSQL keeps.
const POSITIONS_MAX: usize = 255;

impl Tx {
    /// Sets the words of messages.
    pub(super) async fn put_words(&mut self, messages: &[(i64, Vec<String>)]) -> Result<()> {
        let dialect = self.dialect();
        let sql = match dialect {
            Dialect::Sqlite => "INSERT OR REPLACE INTO message_words (rowid, words) VALUES ($1, $2)",
            Dialect::Postgres => {
                "INSERT INTO message_words (message_pk, words) VALUES ($1, CAST(CAST($2 AS TEXT) AS TSVECTOR)) \
                 ON CONFLICT (message_pk) DO UPDATE SET words = excluded.words"
            }
        };
        let params: Vec<[Param<'_>; 2]> = messages
            .iter()
            .map(|(pk, words)| {
                let words = match dialect {
                    Dialect::Sqlite => words.join(" "),
                    Dialect::Postgres => tsvector(words),
                };
                [Param::Int(*pk), Param::Owned(words)]
            })
            .collect();
        let statements: Vec<_> = params.iter().map(|params| (sql, params.as_slice())).collect();
        self.execute_all(&statements).await?;
        Ok(())
    }

    /// Takes messages that are about to be removed out of the index and out of its queue.
    pub(crate) async fn unlist_words(&mut self, message_pks: Vec<i64>) -> Result<()> {
        // Waits for whoever is indexing one of them, so that its words are not put in after they are taken out.
        let sql = format!("DELETE FROM search_queue WHERE {}", self.dialect().is_in("message_pk", 1));
        self.execute(&sql, params![message_pks.clone()]).await?;
        self.remove_words(message_pks).await
    }

    /// Whether messages, of any app, have each of these words.
    pub(super) async fn are_words_used(&mut self, words: &[&str]) -> Result<Vec<bool>> {
        let dialect = self.dialect();
        let whole = Term { alternatives: Vec::new(), prefix: false };
        let params: Vec<Vec<Param<'_>>> = words
            .iter()
            .map(|word| vec![Param::Owned(write_phrase(dialect, &[(*word).to_owned()], &whole))])
            .collect();
        let sql =
            format!("SELECT {} FROM message_words WHERE {} LIMIT 1", key(dialect), matches(dialect, "$1"));
        let found = self.query_each(&sql, &params, |row| row.int(0)).await?;
        Ok(found.iter().map(|rows| !rows.is_empty()).collect())
    }

    /// Takes messages out. Those that are not in it are just passed over.
    pub(super) async fn remove_words(&mut self, message_pks: Vec<i64>) -> Result<()> {
        let dialect = self.dialect();
        let sql = format!("DELETE FROM message_words WHERE {}", dialect.is_in(key(dialect), 1));
        self.execute(&sql, params![message_pks]).await?;
        Ok(())
    }
}

/// The column that has the message's key.
const fn key(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "message_words.rowid",
        Dialect::Postgres => "message_words.message_pk",
    }
}

/// The condition that `message_words` matches what the parameter `question` asks, which [`question`] wrote.
fn matches(dialect: Dialect, question: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("message_words MATCH {question}"),
        Dialect::Postgres => {
            format!("message_words.words @@ CAST(CAST({question} AS TEXT) AS TSQUERY)")
        }
    }
}

/// The condition that the message with key `pk` matches what the parameter `question` asks.
pub(super) fn contains(dialect: Dialect, pk: &str, question: &str) -> String {
    format!("{pk} IN (SELECT {} FROM message_words WHERE {})", key(dialect), matches(dialect, question))
}

/// `FROM` and `WHERE` of the messages `m` that match what the parameter `question` asks. The index comes first, so that
/// it decides which messages are read.
pub(super) fn source(dialect: Dialect, question: &str) -> String {
    // SQLite does not change the order of a CROSS JOIN.
    let join = match dialect {
        Dialect::Sqlite => "CROSS JOIN",
        Dialect::Postgres => "JOIN",
    };
    let (key, matches) = (key(dialect), matches(dialect, question));
    format!("message_words {join} messages m ON m.pk = {key} WHERE {matches}")
}

/// The order of the rows of [`source`] from the newest message to the oldest, which the index can give without sorting.
pub(super) const fn newest_first(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "message_words.rowid DESC",
        Dialect::Postgres => "m.pk DESC",
    }
}

/// How well a row of [`source`] matches: the larger, the better.
pub(super) fn score(dialect: Dialect, question: &str) -> String {
    match dialect {
        Dialect::Sqlite => "-bm25(message_words)".to_owned(),
        // 1: longer texts score less.
        Dialect::Postgres => format!(
            "CAST(ts_rank(message_words.words, CAST(CAST({question} AS TEXT) AS TSQUERY), 1) AS DOUBLE PRECISION)"
        ),
    }
}

/// The question whether all `queries` match, in the language of the index. `None` when nothing can match.
pub(super) fn question(dialect: Dialect, queries: &[TextQuery]) -> Option<String> {
    if queries.iter().any(TextQuery::is_impossible) {
        return None;
    }
    let (and, or) = match dialect {
        Dialect::Sqlite => (" AND ", " OR "),
        Dialect::Postgres => (" & ", " | "),
    };
    let queries: Vec<String> = queries
        .iter()
        .map(|query| {
            let terms: Vec<String> = query
                .terms
                .iter()
                .filter(|term| !term.alternatives.is_empty())
                .map(|term| {
                    let phrases: Vec<String> =
                        term.alternatives.iter().map(|phrase| write_phrase(dialect, phrase, term)).collect();
                    format!("({})", phrases.join(or))
                })
                .collect();
            format!("({})", terms.join(if query.every { and } else { or }))
        })
        .collect();
    Some(queries.join(and))
}

/// Writes words quoted, so that nothing in them is taken for syntax.
fn write_phrase(dialect: Dialect, phrase: &[String], term: &Term) -> String {
    match dialect {
        Dialect::Sqlite => {
            let mut text = format!("\"{}\"", phrase.join(" ").replace('"', "\"\""));
            if term.prefix {
                text.push_str(" *");
            }
            text
        }
        Dialect::Postgres => {
            let words: Vec<String> = phrase.iter().map(|word| quote_lexeme(word)).collect();
            format!("({}{})", words.join(" <-> "), if term.prefix { ":*" } else { "" })
        }
    }
}

/// A `tsvector` of words in this order, as text.
fn tsvector(words: &[String]) -> String {
    let mut positions: HashMap<&str, Vec<usize>> = HashMap::with_capacity(words.len());
    for (index, word) in words.iter().enumerate() {
        let of_word = positions.entry(word).or_default();
        if of_word.len() < POSITIONS_MAX {
            of_word.push(index + 1);
        }
    }
    let mut text = String::new();
    for (word, positions) in positions {
        text.push_str(&quote_lexeme(word));
        for (index, position) in positions.into_iter().enumerate() {
            text.push(if index == 0 { ':' } else { ',' });
            write!(text, "{position}").expect("writing to a string does not fail");
        }
        text.push(' ');
    }
    text
}

fn quote_lexeme(word: &str) -> String {
    format!("'{}'", word.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use natterjack_filter::Operator;

    use super::{question, tsvector};
    use crate::dialect::Dialect;
    use crate::search::text::{Term, TextQuery};

    #[test]
    fn questions_are_quoted() {
        let ask = |operator, operand: &str| {
            let queries = [TextQuery::new(operator, operand)];
            [Dialect::Sqlite, Dialect::Postgres].map(|dialect| question(dialect, &queries).unwrap())
        };
        assert_eq!(ask(Operator::Q, "b A"), [r#"(("a") AND ("b"))"#, "((('a')) & (('b')))"]);
        assert_eq!(ask(Operator::Any, "a b"), [r#"(("a") OR ("b"))"#, "((('a')) | (('b')))"]);
        assert_eq!(ask(Operator::Autocomplete, "東京"), [r#"(("東 京" *))"#, "((('東' <-> '京':*)))"]);
        let odd = [TextQuery {
            every: true,
            terms: vec![Term { alternatives: vec![vec![r#"'"\"#.to_owned()]], prefix: false }],
        }];
        assert_eq!(question(Dialect::Sqlite, &odd).unwrap(), r#"(("'""\"))"#);
        assert_eq!(question(Dialect::Postgres, &odd).unwrap(), r#"((('''"\\')))"#);
    }

    #[test]
    fn vectors_have_positions() {
        assert_eq!(tsvector(&["a".to_owned(), "a".to_owned()]), "'a':1,2 ");
        assert_eq!(tsvector(&[]), "");
    }
}
