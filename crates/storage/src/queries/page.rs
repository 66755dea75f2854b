use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::filter_sql::SqlWriter;
use crate::value::Param;

/// A place in a list: the values of an entry in the columns that the list is ordered by, which no other entry has.
pub trait Key: Clone + Serialize + DeserializeOwned {
    /// The columns, all in the same direction.
    const COLUMNS: &'static [&'static str];

    /// The values, in the order of the columns.
    fn values(&self) -> Vec<Param<'static>>;
}

/// Which part of a list is wanted. Entries that come or go meanwhile move no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPage<K> {
    pub limit: i64,
    /// Whether the list has the greatest first.
    pub descending: bool,
    /// Where the page begins; `None` is the beginning of the list.
    pub from: Option<PageStart<K>>,
}

/// Beside which entry a page lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageStart<K> {
    /// Right behind this one.
    After(K),
    /// Right before this one.
    Before(K),
}

/// A page of a list, in the list's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T, K> {
    pub entries: Vec<T>,
    /// The last entry, when others follow.
    pub next: Option<K>,
    /// The first entry, when others stand before it.
    pub previous: Option<K>,
}

impl<K: Key> KeyPage<K> {
    /// Writes the end of a statement whose conditions are complete: the place, the order, and one entry more than
    /// the page has, which shows whether there are others.
    pub(crate) fn write(&self, writer: &mut SqlWriter) {
        let backwards = matches!(self.from, Some(PageStart::Before(_)));
        let falling = self.descending != backwards;
        if let Some(PageStart::After(key) | PageStart::Before(key)) = &self.from {
            writer.push(" AND (");
            writer.push(&K::COLUMNS.join(", "));
            writer.push(if falling { ") < (" } else { ") > (" });
            for (position, value) in key.values().into_iter().enumerate() {
                if position > 0 {
                    writer.push(", ");
                }
                writer.bind(value);
            }
            writer.push(")");
        }
        let direction = if falling { " DESC" } else { " ASC" };
        let order: Vec<String> = K::COLUMNS.iter().map(|column| format!("{column}{direction}")).collect();
        writer.push(" ORDER BY ");
        writer.push(&order.join(", "));
        writer.push(" LIMIT ");
        writer.bind(self.limit + 1);
    }

    /// Makes the page of the rows that the statement found.
    pub(crate) fn finish<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> K) -> Page<T, K> {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let (has_previous, has_next) = match &self.from {
            None => (false, has_more),
            Some(PageStart::After(_)) => (true, has_more),
            Some(PageStart::Before(_)) => {
                rows.reverse();
                (has_more, true)
            }
        };
        Page {
            next: rows.last().filter(|_| has_next).map(&key),
            previous: rows.first().filter(|_| has_previous).map(&key),
            entries: rows,
        }
    }
}
