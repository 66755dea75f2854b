use std::sync::OnceLock;

use natterjack_storage::Moved;

/// Is told which logs have moved.
pub(super) type Subscriber = dyn Fn(Vec<Moved>) + Send + Sync;

/// Carries the news that logs have moved to every process that may have connections.
///
/// It says "look", never what happened: that stands in the log. So it may lose news, repeat them and let them overtake
/// each other:
/// - **Delivery** is at most once. Who misses news finds the events with the next news of the same log, because it
///   reads from where it was. In one process nothing is lost but what the process itself loses when it ends, and with it
///   its connections.
/// - **Order** of news about one log is that of the commits in one process, and none between processes.
/// - **Publishing** returns at once and never fails: the transaction is committed, nobody waits for who is told.
/// - **Subscribing** happens once, before the first news; a second subscriber is not heard.
pub(super) trait Broker: Send + Sync {
    /// Tells everybody that these logs were appended to.
    fn publish(&self, moved: Vec<Moved>);

    /// Has this process told. The subscriber returns at once.
    fn subscribe(&self, subscriber: Box<Subscriber>);
}

/// The broker of a server that is one process. It cannot reach another.
#[derive(Default)]
pub(super) struct MemoryBroker(OnceLock<Box<Subscriber>>);

impl Broker for MemoryBroker {
    fn publish(&self, moved: Vec<Moved>) {
        if let Some(subscriber) = self.0.get() {
            subscriber(moved);
        }
    }

    fn subscribe(&self, subscriber: Box<Subscriber>) {
        let is_first = self.0.set(subscriber).is_ok();
        debug_assert!(is_first, "a broker has one subscriber");
    }
}
