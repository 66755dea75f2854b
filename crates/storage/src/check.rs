//! Whether what is stored agrees with itself: the counters with the rows that they count, the copies with their
//! originals, the references with what they refer to.
//!
//! Most rules are one query each ([`rules`]), the same on both databases, which finds the rows that break it. The
//! others compute in Rust what the database should hold.

mod reactions;
mod rules;
mod unread;

use crate::dialect::Dialect;
use crate::error::Result;
use crate::store::Store;
use crate::tx::Tx;
use crate::value::params;

use rules::{RULES, Rule};

/// Violations of one rule that are described; the others are counted.
const DESCRIBED_MAX: usize = 100;

/// What [`Store::check`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each rule, in the order in which they were checked.
    pub outcomes: Vec<Outcome>,
    /// How many rows the tables have, by name.
    pub counts: Vec<(&'static str, i64)>,
}

/// What became of one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The rule's name: table and column, mostly.
    pub rule: &'static str,
    /// What has to hold.
    pub requires: &'static str,
    /// How often it does not hold.
    pub violations: u64,
    /// What is wrong, for the first violations.
    pub details: Vec<String>,
}

/// Something that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation<'a> {
    /// The rule's name.
    pub rule: &'static str,
    /// The row that breaks it, what it holds and what it should.
    pub detail: &'a str,
}

impl Report {
    /// Whether every rule holds.
    pub fn is_clean(&self) -> bool {
        self.violations_total() == 0
    }

    /// How many violations there are, those that are not described included.
    pub fn violations_total(&self) -> u64 {
        self.outcomes.iter().map(|outcome| outcome.violations).sum()
    }

    /// The violations that are described: of each rule at most a hundred.
    pub fn violations(&self) -> impl Iterator<Item = Violation<'_>> {
        self.outcomes
            .iter()
            .flat_map(|outcome| outcome.details.iter().map(|detail| Violation { rule: outcome.rule, detail }))
    }
}

impl Outcome {
    const fn new(rule: &'static str, requires: &'static str) -> Self {
        Self { rule, requires, violations: 0, details: Vec::new() }
    }

    fn add(&mut self, detail: impl FnOnce() -> String) {
        self.violations += 1;
        if self.details.len() < DESCRIBED_MAX {
            self.details.push(detail());
        }
    }
}

/// The tables whose rows are counted.
const TABLES: [&str; 22] = [
    "apps",
    "users",
    "channels",
    "members",
    "messages",
    "message_history",
    "reactions",
    "channel_mutes",
    "user_blocks",
    "quiet_spans",
    "bans",
    "user_mutes",
    "mute_spans",
    "thread_unread_gaps",
    "search_words",
    "flags",
    "threads",
    "thread_participants",
    "channel_events",
    "search_queue",
    "purges",
    "unread_gaps",
];

impl Store {
    /// Checks that what is stored agrees with itself, on one state of the database; a server may go on using it.
    /// `progress` is told the name of each rule before it is checked.
    ///
    /// # Errors
    /// When the database fails, or is damaged so much that it cannot be read.
    pub async fn check(&self, progress: impl Fn(&str) + Send + Sync + 'static) -> Result<Report> {
        self.read("check", progress, |tx, progress| Box::pin(tx.check(progress))).await
    }
}

impl Tx {
    /// As [`Store::check`], on the state that this transaction sees.
    pub async fn check(&mut self, progress: &(impl Fn(&str) + Sync)) -> Result<Report> {
        // A check reads everything, which takes longer than a request may.
        self.lift_time_limit().await?;
        let mut report = Report::default();
        if self.dialect() == Dialect::Sqlite {
            progress(FILE_RULE);
            report.outcomes.push(self.check_file().await?);
        }
        for rule in RULES {
            progress(rule.name);
            report.outcomes.push(self.check_rule(rule).await?);
        }
        progress(unread::RULE);
        report.outcomes.push(self.check_unread().await?);
        progress(reactions::RULE);
        report.outcomes.push(self.check_reactions().await?);
        for table in TABLES {
            let sql = format!("SELECT COUNT(*) FROM {table}");
            let count = self.query_optional(&sql, params![], |row| row.int(0)).await?;
            report.counts.push((table, count.unwrap_or_default()));
        }
        for (name, sql) in word_counts(self.dialect()) {
            let count = self.query_optional(sql, params![], |row| row.int(0)).await?;
            report.counts.push((name, count.unwrap_or_default()));
        }
        Ok(report)
    }

    async fn check_rule(&mut self, rule: &Rule) -> Result<Outcome> {
        let sql = format!(
            "SELECT CAST(subject AS TEXT), CAST(found AS BIGINT), CAST(expected AS BIGINT), COUNT(*) OVER () \
             FROM ({}) AS broken ORDER BY 1 LIMIT {DESCRIBED_MAX}",
            rule.broken
        );
        let found = self
            .query(&sql, params![], |row| {
                let detail = describe(&row.text(0)?, row.optional_int(1)?, row.optional_int(2)?);
                Ok((detail, row.int(3)?))
            })
            .await?;
        let mut outcome = Outcome::new(rule.name, rule.requires);
        for (detail, total) in found {
            outcome.violations = total.unsigned_abs();
            outcome.details.push(detail);
        }
        Ok(outcome)
    }

    /// Lets SQLite check its own structure: pages, indexes, the text index.
    async fn check_file(&mut self) -> Result<Outcome> {
        let mut outcome = Outcome::new(FILE_RULE, "SQLite finds no damage in the file");
        let sql = format!("PRAGMA integrity_check({DESCRIBED_MAX})");
        for line in self.query(&sql, params![], |row| row.text(0)).await? {
            if line != "ok" {
                outcome.add(|| line);
            }
        }
        Ok(outcome)
    }
}

const FILE_RULE: &str = "file";

fn describe(subject: &str, found: Option<i64>, expected: Option<i64>) -> String {
    match (found, expected) {
        (None, None) => subject.to_owned(),
        (Some(found), None) => format!("{subject}: {found}"),
        (None, Some(expected)) => format!("{subject}: nothing, expected {expected}"),
        (Some(found), Some(expected)) => format!("{subject}: {found}, expected {expected}"),
    }
}

/// How many messages are in the text index, and how many entries of it have no message any more: the indexer removes
/// them.
fn word_counts(dialect: Dialect) -> [(&'static str, &'static str); 2] {
    let [indexed, stale] = match dialect {
        Dialect::Sqlite => [
            "SELECT COUNT(*) FROM message_words_docsize",
            "SELECT COUNT(*) FROM message_words_docsize WHERE id NOT IN (SELECT pk FROM messages)",
        ],
        Dialect::Postgres => [
            "SELECT COUNT(*) FROM message_words",
            "SELECT COUNT(*) FROM message_words w \
             WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.pk = w.message_pk)",
        ],
    };
    [("message_words", indexed), ("message_words without message", stale)]
}
