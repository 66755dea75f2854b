//! Which part of a list a request asks for.

use natterjack_protocol::channels::MessagePaginationParams;
use natterjack_protocol::messages::GetPinnedMessagesPayload;
use natterjack_protocol::{SortParam, Timestamp};
use natterjack_storage::{Message, MessagePage, Tx};

use super::{given, limit, offset};
use crate::error::{Error, Result};
use crate::limits::{MESSAGES_PAGE_MAX, OFFSET_MAX};

/// Where a page of messages begins or ends: at a moment, or at a message that has still to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pivot {
    Moment(Timestamp),
    Message(String),
}

/// On which side of the pivot the page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before { inclusive: bool },
    After { inclusive: bool },
    Around,
}

const BEFORE: Side = Side::Before { inclusive: false };
const UP_TO: Side = Side::Before { inclusive: true };
const AFTER: Side = Side::After { inclusive: false };
const FROM: Side = Side::After { inclusive: true };

/// The fields that name a message to page from.
const IDS: [(&str, Side); 5] =
    [("id_lt", BEFORE), ("id_lte", UP_TO), ("id_gt", AFTER), ("id_gte", FROM), ("id_around", Side::Around)];

/// A page of messages as a request asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessagePageRequest {
    pub(crate) limit: i64,
    /// How many messages are skipped before the page begins.
    offset: i64,
    pivot: Option<(Side, Pivot, &'static str)>,
}

impl MessagePageRequest {
    /// Reads the page of a request. `at` is its place in the request, empty when the fields stand at the top.
    ///
    /// # Errors
    /// When the limit is out of bounds or more than one pivot is given.
    pub(crate) fn new(at: &str, params: &MessagePaginationParams, default: i64) -> Result<Self> {
        let ids = [&params.id_lt, &params.id_lte, &params.id_gt, &params.id_gte, &params.id_around];
        let moments = [
            ("created_at_before", BEFORE, params.created_at_before),
            ("created_at_before_or_equal", UP_TO, params.created_at_before_or_equal),
            ("created_at_after", AFTER, params.created_at_after),
            ("created_at_after_or_equal", FROM, params.created_at_after_or_equal),
            ("created_at_around", Side::Around, params.created_at_around),
        ];
        let offset = offset(&format!("{at}offset"), params.offset, OFFSET_MAX)?;
        let page = Self { offset, ..Self::read(at, ids, moments, params.limit, default)? };
        match page.pivot {
            Some((Side::Around, _, name)) if offset > 0 => {
                Err(Error::input(format!("{at}offset and {at}{name} cannot be used together")))
            }
            _ => Ok(page),
        }
    }

    /// The same for a list of pinned messages, whose moments are those of the pins.
    ///
    /// # Errors
    /// When the limit is out of bounds or more than one pivot is given.
    pub(crate) fn of_pins(params: &GetPinnedMessagesPayload, default: i64) -> Result<Self> {
        let ids = [&params.id_lt, &params.id_lte, &params.id_gt, &params.id_gte, &params.id_around];
        let moments = [
            ("pinned_at_before", BEFORE, params.pinned_at_before),
            ("pinned_at_before_or_equal", UP_TO, params.pinned_at_before_or_equal),
            ("pinned_at_after", AFTER, params.pinned_at_after),
            ("pinned_at_after_or_equal", FROM, params.pinned_at_after_or_equal),
            ("pinned_at_around", Side::Around, params.pinned_at_around),
        ];
        Self::read("", ids, moments, params.limit, default)
    }

    fn read(
        at: &str,
        ids: [&Option<String>; 5],
        moments: [(&'static str, Side, Option<Timestamp>); 5],
        size: Option<i64>,
        default: i64,
    ) -> Result<Self> {
        let ids = IDS.into_iter().zip(ids).filter_map(|((name, side), id)| {
            given(id.as_ref()).map(|id| (side, Pivot::Message(id.to_owned()), name))
        });
        let moments = moments
            .into_iter()
            .filter_map(|(name, side, moment)| moment.map(|moment| (side, Pivot::Moment(moment), name)));
        let mut pivots = ids.chain(moments);
        let pivot = pivots.next();
        if let (Some((.., first)), Some((.., second))) = (&pivot, pivots.next()) {
            return Err(Error::input(format!(
                "{at}{first} and {at}{second} cannot be used together; give one place to page from"
            )));
        }
        let limit = limit(&format!("{at}limit"), size, default, MESSAGES_PAGE_MAX)?;
        Ok(Self { limit, offset: 0, pivot })
    }

    /// How many messages to read for the page.
    pub(crate) fn reach(&self) -> i64 {
        self.limit + self.offset
    }

    /// Takes the messages that are skipped out of what was read, oldest first.
    pub(crate) fn skip(&self, messages: &mut Vec<Message>) {
        let skipped = messages.len().min(usize::try_from(self.offset).unwrap_or_default());
        match self.pivot {
            Some((Side::After { .. }, ..)) => drop(messages.drain(..skipped)),
            _ => messages.truncate(messages.len() - skipped),
        }
    }

    /// Refuses a page that is counted from a message, for a list that cannot hold one yet.
    ///
    /// # Errors
    /// When the request names a message.
    pub(crate) fn check_empty(&self) -> Result<()> {
        match &self.pivot {
            Some((_, Pivot::Message(id), name)) => Err(unknown_pivot(name, id)),
            _ => Ok(()),
        }
    }

    /// Finds the moment of the message that the page is counted from. `None` when the request names no place.
    ///
    /// # Errors
    /// When there is no such message in the list, in which `place` says its moment.
    pub(crate) async fn resolve(
        &self,
        tx: &mut Tx,
        app_pk: i64,
        place: impl Fn(&Message) -> Option<Timestamp>,
    ) -> Result<Option<MessagePage>> {
        let Some((side, pivot, name)) = &self.pivot else { return Ok(None) };
        let at = match pivot {
            Pivot::Moment(moment) => *moment,
            Pivot::Message(id) => {
                let found = tx.find_message(app_pk, id).await?;
                found.as_ref().and_then(&place).ok_or_else(|| unknown_pivot(name, id))?
            }
        };
        Ok(Some(match *side {
            Side::Before { inclusive } => MessagePage::Before { at, inclusive },
            Side::After { inclusive } => MessagePage::After { at, inclusive },
            Side::Around => MessagePage::Around { at },
        }))
    }
}

/// Whether a list that can only be sorted by `field` is asked for in descending order. `None` when no order is given.
///
/// # Errors
/// When the order is by something else, or has another direction than 1 and -1.
pub(crate) fn is_descending(sort: &[SortParam], field: &str) -> Result<Option<bool>> {
    match sort {
        [] => Ok(None),
        [only] if only.field.as_deref() == Some(field) => match only.direction {
            None | Some(0 | 1) => Ok(Some(false)),
            Some(-1) => Ok(Some(true)),
            Some(_) => Err(Error::field("sort", "must have direction 1 or -1")),
        },
        _ => Err(Error::field("sort", format!("must be one entry for {field}"))),
    }
}

fn unknown_pivot(name: &str, id: &str) -> Error {
    Error::field(name, format!("names a message that doesn't exist here: {id}"))
}
