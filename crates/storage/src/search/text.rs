//! What is asked of the text index, apart from how an index is asked.

use natterjack_filter::{Comparison, Operand, Operator, words};

/// Longest word that the index tells from others, in bytes; the rest of a longer one is cut off, in the index and in
/// what is looked for. PostgreSQL takes no more.
const WORD_BYTES_MAX: usize = 2046;
/// Words of one message that are indexed.
const WORDS_MAX: usize = 10_000;
/// Bytes of one message's words that are indexed. PostgreSQL takes a million.
const WORDS_BYTES_MAX: usize = 512 * 1024;

/// The words of a message as the index has them, in order.
pub(crate) fn indexed_words(text: &str) -> Vec<String> {
    let mut bytes = 0;
    words(text)
        .take(WORDS_MAX)
        .map(cut)
        .take_while(|word| {
            bytes += word.len();
            bytes <= WORDS_BYTES_MAX
        })
        .collect()
}

fn cut(mut word: String) -> String {
    if word.len() > WORD_BYTES_MAX {
        let end = (0..=WORD_BYTES_MAX).rev().find(|end| word.is_char_boundary(*end));
        word.truncate(end.unwrap_or(0));
    }
    word
}

/// A question to the text of messages: terms of which all must be found, or one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextQuery {
    pub every: bool,
    pub terms: Vec<Term>,
}

/// Something to be found: one of several phrases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// Each is one word, or several that stand next to each other. Empty: cannot be found.
    pub alternatives: Vec<Vec<String>>,
    /// Whether the last word of a phrase may go on.
    pub prefix: bool,
}

impl TextQuery {
    /// What a `$q`, `$autocomplete` or `$any` with this operand asks.
    ///
    /// Characters that are words of their own because their script has no spaces, and that follow each other in the
    /// operand, are looked for next to each other: 東京 is not found where 京 precedes 東. In that the index is
    /// stricter than [`Expression::matches`](natterjack_filter::Expression::matches).
    pub(crate) fn new(operator: Operator, operand: &str) -> Self {
        let mut phrases: Vec<Vec<String>> = Vec::new();
        for part in operand.split_whitespace() {
            let mut in_run = false;
            for word in words(part).map(cut) {
                let alone = is_alone(&word);
                match phrases.last_mut() {
                    Some(run) if in_run && alone => run.push(word),
                    _ => phrases.push(vec![word]),
                }
                in_run = alone;
            }
        }
        phrases.sort();
        phrases.dedup();
        let prefix = operator == Operator::Autocomplete;
        let terms = phrases.into_iter().map(|phrase| Term { alternatives: vec![phrase], prefix }).collect();
        Self { every: operator != Operator::Any, terms }
    }

    /// The words of a `$q`, which may be looked for as parts.
    pub(crate) fn of_parts(comparison: &Comparison) -> Option<Self> {
        match (comparison.operator, &comparison.operand) {
            (Operator::Q, Operand::Text(text)) => Some(Self::new(Operator::Q, text)),
            _ => None,
        }
    }

    /// Whether no text can match.
    pub(crate) fn is_impossible(&self) -> bool {
        let mut impossible = self.terms.iter().map(|term| term.alternatives.is_empty());
        if self.every { impossible.any(|one| one) } else { impossible.all(|one| one) }
    }

    /// The words that could be parts of other words.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(Term::part)
    }

    /// Replaces each word that could be a part of others by those that contain it.
    #[must_use]
    pub(crate) fn with_parts(mut self, containing: impl Fn(&str) -> Vec<String>) -> Self {
        for term in &mut self.terms {
            if let Some(part) = term.part() {
                term.alternatives = containing(part).into_iter().map(|word| vec![word]).collect();
            }
        }
        self
    }
}

impl Term {
    /// The word, when it is one that could be a part of others. A single letter is a part of nearly all words, and
    /// characters of scripts without spaces are never parts.
    fn part(&self) -> Option<&str> {
        match self.alternatives.as_slice() {
            [phrase] => match phrase.as_slice() {
                [word] if word.chars().nth(1).is_some() && !is_alone(word) => Some(word),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Whether `word` is a word although its neighbours are letters: its first character takes no second one.
pub(crate) fn is_alone(word: &str) -> bool {
    word.chars()
        .next()
        .is_some_and(|first| !first.is_ascii() && words(&String::from_iter([first, first])).nth(1).is_some())
}

#[cfg(test)]
mod tests {
    use natterjack_filter::Operator;

    use super::{TextQuery, WORD_BYTES_MAX, WORDS_MAX, indexed_words, is_alone};

    fn phrases(operand: &str) -> Vec<String> {
        let query = TextQuery::new(Operator::Q, operand);
        query.terms.iter().map(|term| term.alternatives[0].join("+")).collect()
    }

    #[test]
    fn neighbours_without_spaces_are_a_phrase() {
        assert_eq!(phrases("hello Hello world"), ["hello", "world"]);
        assert_eq!(phrases("abc東京xy"), ["abc", "xy", "東+京"]);
        assert_eq!(phrases("東 京タワー"), ["京+タ+ワ+ー", "東"]);
        assert_eq!(phrases("กรุง"), ["ก+รุ+ง"]);
        assert_eq!(phrases("한국어"), ["한국어"]);
        assert!(is_alone("が") && !is_alone("é") && !is_alone("한") && !is_alone("7"));
    }

    #[test]
    fn what_cannot_be_found_is_known() {
        let none = |_: &str| Vec::new();
        assert!(!TextQuery::new(Operator::Q, "ab cd").is_impossible());
        assert!(TextQuery::new(Operator::Q, "ab 東").with_parts(none).is_impossible());
        assert!(!TextQuery::new(Operator::Any, "ab 東").with_parts(none).is_impossible());
        assert_eq!(TextQuery::new(Operator::Q, "ab c 東京").parts().collect::<Vec<_>>(), ["ab"]);
    }

    #[test]
    fn words_are_bounded() {
        let long = indexed_words(&"€uro ".repeat(3));
        assert_eq!(long, ["uro", "uro", "uro"]);
        let long = indexed_words(&"東".repeat(20_000));
        assert_eq!(long.len(), WORDS_MAX);
        let long = indexed_words(&format!("a{}", "ж".repeat(5000)));
        assert_eq!(long.iter().map(String::len).collect::<Vec<_>>(), [WORD_BYTES_MAX - 1]);
    }
}
