//! What waits for the caller.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::Update;

/// Updates that the caller has not taken yet. While there are any, nothing is read from the socket, so that a caller who
/// does not keep up slows the server down instead of filling memory.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: VecDeque<Update>,
    sender: mpsc::Sender<Update>,
}

impl Outbox {
    pub(crate) fn new(sender: mpsc::Sender<Update>) -> Self {
        Self { queue: VecDeque::new(), sender }
    }

    pub(crate) fn push(&mut self, update: Update) {
        self.queue.push_back(update);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Hands over one update as soon as there is one and the caller has room for it. False once the caller is gone.
    /// Nothing is lost when this is not waited for to the end.
    pub(crate) async fn hand_over(&mut self) -> bool {
        if self.queue.is_empty() {
            self.sender.closed().await;
            return false;
        }
        let Ok(permit) = self.sender.reserve().await else { return false };
        if let Some(update) = self.queue.pop_front() {
            permit.send(update);
        }
        true
    }
}
