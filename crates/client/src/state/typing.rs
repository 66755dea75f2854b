//! Who types.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use natterjack_protocol::users::UserResponse;

use super::TYPING_TIME_MAX;

/// Users who type at the same time, beyond which nobody is added.
const TYPING_MAX: usize = 100;

/// Those who type, by the thread (none for the channel) and their id, and since when that is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Typing {
    known: BTreeMap<(Option<String>, String), (Arc<UserResponse>, Instant)>,
}

impl Typing {
    pub(super) fn start(&mut self, user: &Arc<UserResponse>, parent_id: Option<&str>, now: Instant) {
        self.known.retain(|_, (_, since)| now.saturating_duration_since(*since) < TYPING_TIME_MAX);
        let key = (parent_id.map(str::to_owned), user.id.clone());
        if self.known.len() < TYPING_MAX || self.known.contains_key(&key) {
            self.known.insert(key, (Arc::clone(user), now));
        }
    }

    pub(super) fn stop(&mut self, user_id: &str, parent_id: Option<&str>) {
        self.known.remove(&(parent_id.map(str::to_owned), user_id.to_owned()));
    }

    pub(super) fn users(&self, parent_id: Option<&str>, now: Instant) -> Vec<Arc<UserResponse>> {
        let here = self.known.iter().filter(|((parent, _), _)| parent.as_deref() == parent_id);
        here.filter(|(_, (_, since))| now.saturating_duration_since(*since) < TYPING_TIME_MAX)
            .map(|(_, (user, _))| Arc::clone(user))
            .collect()
    }
}
