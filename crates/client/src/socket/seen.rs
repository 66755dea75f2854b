//! What the caller has been told already.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use natterjack_protocol::Timestamp;
use natterjack_protocol::events::{Event, KINDS};

/// Events that are remembered: more than `/sync` gives in one answer.
const REMEMBERED_MAX: usize = 2000;
/// How far before the last event a replay begins. Events of different channels do not arrive in the order of their times.
const OVERLAP: Duration = Duration::from_secs(5);

/// Remembers which events have passed, so that a replay that overlaps them shows none twice.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    last_at: Option<Timestamp>,
    known: HashSet<u64>,
    order: VecDeque<u64>,
    hasher: RandomState,
}

impl Seen {
    /// The server's time when nothing had happened yet.
    pub(crate) fn starting_at(now: Timestamp) -> Self {
        Self { last_at: Some(now), ..Self::default() }
    }

    /// True for an event that has not passed before.
    pub(crate) fn is_new(&mut self, event: &Event) -> bool {
        // What a replay does not repeat comes once in any case, and twice in the same moment if need be.
        if !KINDS.iter().any(|kind| kind.is_history && kind.name == event.kind) {
            return true;
        }
        let Some(cid) = event.cid.as_deref().filter(|cid| *cid != "*") else { return true };
        self.last_at = self.last_at.max(Some(event.created_at));
        let subject = (
            event.message.as_ref().map(|message| message.id.as_str()),
            event.member.as_ref().and_then(|member| member.user_id.as_deref()),
            event.user.as_ref().map(|user| user.id.as_str()),
            event.reaction.as_ref().map(|reaction| reaction.kind.as_str()),
        );
        let key = self.hasher.hash_one((&event.kind, cid, event.created_at, subject));
        if !self.known.insert(key) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// From when on to replay.
    pub(crate) fn replay_from(&self) -> Option<Timestamp> {
        let overlap = i64::try_from(OVERLAP.as_nanos()).unwrap_or(i64::MAX);
        self.last_at.map(|last| Timestamp::from_nanoseconds(last.nanoseconds().saturating_sub(overlap)))
    }
}
