use std::sync::Arc;

use natterjack_protocol::events::Event;

use super::connection::Connection;
use super::frame::{Encoded, Frame};

/// Connections whose sockets are written by one task, one after the other: some tenths of a millisecond.
const SOCKETS_OF_TASK: usize = 64;

/// Frames for many connections: first queued for all of them, then written, so that a connection gets several in one
/// write.
#[derive(Debug, Default)]
pub(super) struct Sending {
    unwritten: Vec<Arc<Connection>>,
}

impl Sending {
    /// Queues a frame. One that does not keep up is closed.
    pub(super) fn queue(&mut self, connection: &Arc<Connection>, frame: Frame) {
        if connection.outbox.push(frame) {
            self.unwritten.push(Arc::clone(connection));
        }
    }

    /// Writes what was queued, many sockets on all cores. It is written also when nobody waits for it.
    pub(super) fn write(mut self) -> impl Future<Output = ()> {
        let mut unwritten = std::mem::take(&mut self.unwritten);
        let mut tasks = Vec::new();
        while unwritten.len() > SOCKETS_OF_TASK {
            let part = Self { unwritten: unwritten.split_off(unwritten.len() - SOCKETS_OF_TASK) };
            tasks.push(tokio::spawn(async move { drop(part) }));
        }
        drop(Self { unwritten });
        async move {
            for task in tasks {
                let _ = task.await;
            }
        }
    }
}

impl Drop for Sending {
    /// Nobody else would write what is queued.
    fn drop(&mut self) {
        for connection in &self.unwritten {
            connection.outbox.flush();
        }
    }
}

/// Sends the same event to each of these connections. Without any it is not even encoded.
pub(super) async fn send_each(event: &Event, connections: impl Iterator<Item = &Arc<Connection>>) {
    let mut encoded = None;
    let mut sending = Sending::default();
    for connection in connections {
        let encoded = encoded.get_or_insert_with(|| Encoded::new(event));
        sending.queue(connection, encoded.frame());
    }
    sending.write().await;
}
