//! Streams over pages.

use std::future::Future;

use futures_util::stream::{self, BoxStream, StreamExt};

use crate::Error;

/// The entries of all pages of a query, one after the other. Pages are fetched when they are needed.
///
/// The stream ends after its first error. Objects that come or go while it runs may be missed or seen twice where the
/// pages are counted by offset.
pub type Entries<T> = BoxStream<'static, Result<T, Error>>;

/// One page, and what it takes to fetch the next; `None` after the last.
pub(crate) type Page<T, S> = (Vec<T>, Option<S>);

/// Streams the entries of the pages that `fetch` gives, beginning with `first`.
pub(crate) fn entries<T, S, F, Fut>(first: S, fetch: F) -> Entries<T>
where
    T: Send + 'static,
    S: Send + 'static,
    F: Fn(S) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Page<T, S>, Error>> + Send,
{
    let state = (Vec::new().into_iter(), Some(first), fetch);
    let stream = stream::try_unfold(state, |(mut page, mut next, fetch)| async move {
        loop {
            if let Some(entry) = page.next() {
                return Ok(Some((entry, (page, next, fetch))));
            }
            let Some(cursor) = next.take() else { return Ok(None) };
            let (entries, after) = fetch(cursor).await?;
            page = entries.into_iter();
            next = after;
        }
    });
    stream.boxed()
}

/// The offset of the page after one of `found` entries at `offset`; `None` when that was the last one, because it is
/// short, or because the server takes no offset above [`OFFSET_MAX`].
pub(crate) fn next_offset(offset: i64, limit: i64, found: usize) -> Option<i64> {
    let found = i64::try_from(found).unwrap_or(i64::MAX);
    let next = offset.saturating_add(found);
    (found >= limit.max(1) && next <= OFFSET_MAX).then_some(next)
}

/// The greatest offset that servers take.
pub(crate) const OFFSET_MAX: i64 = 1000;

#[cfg(test)]
mod tests {
    use super::next_offset;

    #[test]
    fn offsets_end_with_a_short_page_or_at_the_maximum() {
        assert_eq!(next_offset(0, 30, 30), Some(30));
        assert_eq!(next_offset(30, 30, 29), None);
        assert_eq!(next_offset(0, 30, 0), None);
        assert_eq!(next_offset(970, 30, 30), Some(1000));
        assert_eq!(next_offset(990, 30, 30), None);
        assert_eq!(next_offset(0, 0, 0), None);
    }
}
