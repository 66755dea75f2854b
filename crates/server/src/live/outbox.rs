use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::connection::Close;
use super::frame::Frame;
use crate::limits::OUTBOX_SIZE_MAX;

/// Frames that a queue keeps room for when it is empty.
const CAPACITY_KEPT: usize = 8;

/// What waits to be sent to one connection, bounded in bytes: who does not read is closed, reconnects and asks what was
/// missed.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    moved: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    end: Option<Close>,
}

impl Outbox {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame, unless the connection is about to end.
    pub(super) fn push(&self, frame: Frame) {
        let mut queue = self.queue();
        if queue.end.is_some() {
            return;
        }
        queue.bytes += frame.size();
        if queue.bytes > OUTBOX_SIZE_MAX {
            metrics::counter!("natterjack_connections_too_slow_total").increment(1);
            *queue = Queue { end: Some(Close::TooSlow), ..Queue::default() };
        } else {
            queue.frames.push_back(frame);
        }
        drop(queue);
        self.moved.notify_one();
    }

    /// Queues the frame with which a connection begins, before what was queued since it is known.
    pub(super) fn push_first(&self, frame: Frame) {
        let mut queue = self.queue();
        queue.bytes += frame.size();
        queue.frames.push_front(frame);
        drop(queue);
        self.moved.notify_one();
    }

    /// Ends the connection once what is queued is sent. The first reason stays.
    pub(super) fn close(&self, close: Close) {
        self.queue().end.get_or_insert(close);
        self.moved.notify_one();
    }

    /// Waits until something has changed.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Moves everything queued behind `frames`. Answers why the connection ends, when it does.
    pub(super) fn take(&self, frames: &mut VecDeque<Frame>) -> Option<Close> {
        let mut queue = self.queue();
        queue.bytes = 0;
        if frames.is_empty() {
            std::mem::swap(frames, &mut queue.frames);
        } else {
            frames.append(&mut queue.frames);
        }
        if queue.frames.capacity() > CAPACITY_KEPT {
            queue.frames = VecDeque::new();
        }
        queue.end
    }

    /// Why the connection ends, when it does.
    pub(super) fn end(&self) -> Option<Close> {
        self.queue().end
    }

    /// Bytes that wait.
    pub(super) fn is_empty(&self) -> bool {
        self.queue().frames.is_empty()
    }
}
