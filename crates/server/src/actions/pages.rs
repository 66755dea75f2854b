//! Which part of a list a request asks for.

use natterjack_protocol::Timestamp;
use natterjack_protocol::channels::MessagePaginationParams;
use natterjack_storage::{Message, MessagePage, Tx};

use super::{given, limit};
use crate::error::{Error, Result};
use crate::limits::MESSAGES_PAGE_MAX;

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

/// A page of messages as a request asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessagePageRequest {
    pub(crate) limit: i64,
    pivot: Option<(Side, Pivot, &'static str)>,
}

impl MessagePageRequest {
    /// Reads the page of a request. `at` is its place in the request, empty when the fields stand at the top.
    ///
    /// # Errors
    /// When the limit is out of bounds or more than one pivot is given.
    pub(crate) fn new(at: &str, params: &MessagePaginationParams, default: i64) -> Result<Self> {
        let before = |inclusive| Side::Before { inclusive };
        let after = |inclusive| Side::After { inclusive };
        let ids = [
            ("id_lt", before(false), &params.id_lt),
            ("id_lte", before(true), &params.id_lte),
            ("id_gt", after(false), &params.id_gt),
            ("id_gte", after(true), &params.id_gte),
            ("id_around", Side::Around, &params.id_around),
        ];
        let moments = [
            ("created_at_before", before(false), params.created_at_before),
            ("created_at_before_or_equal", before(true), params.created_at_before_or_equal),
            ("created_at_after", after(false), params.created_at_after),
            ("created_at_after_or_equal", after(true), params.created_at_after_or_equal),
            ("created_at_around", Side::Around, params.created_at_around),
        ];
        let ids = ids.into_iter().filter_map(|(name, side, id)| {
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
        let limit = limit(&format!("{at}limit"), params.limit, default, MESSAGES_PAGE_MAX)?;
        Ok(Self { limit, pivot })
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
    /// When there is no such message in the list, which `belongs` decides.
    pub(crate) async fn resolve(
        &self,
        tx: &mut Tx,
        app_pk: i64,
        belongs: impl Fn(&Message) -> bool,
    ) -> Result<Option<MessagePage>> {
        let Some((side, pivot, name)) = &self.pivot else { return Ok(None) };
        let at = match pivot {
            Pivot::Moment(moment) => *moment,
            Pivot::Message(id) => {
                let found = tx.find_message(app_pk, id).await?.filter(&belongs);
                found.ok_or_else(|| unknown_pivot(name, id))?.created_at
            }
        };
        Ok(Some(match *side {
            Side::Before { inclusive } => MessagePage::Before { at, inclusive },
            Side::After { inclusive } => MessagePage::After { at, inclusive },
            Side::Around => MessagePage::Around { at },
        }))
    }
}

fn unknown_pivot(name: &str, id: &str) -> Error {
    Error::field(name, format!("names a message that doesn't exist here: {id}"))
}
