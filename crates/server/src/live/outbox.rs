use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::connection::Close;
use super::frame::Frame;
use crate::limits::OUTBOX_SIZE_MAX;

/// Pieces gathered into one write; a frame is one to three of them.
const PIECES_OF_WRITE: usize = 128;
/// Frames that a queue keeps room for when it is empty.
const CAPACITY_KEPT: usize = 4;

/// What waits to be sent to one connection, bounded in bytes: who does not read is closed, reconnects and asks what was
/// missed.
///
/// Whoever has queued something writes it to the socket too ([`Outbox::flush`]): waking the connection's task for it
/// would cost as much as the writing. Only what the socket does not take is left to that task.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    moved: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    unsent: Unsent,
    bytes: usize,
    end: Option<Close>,
    /// `None` until the first frame may be sent, and where the client polls.
    socket: Option<Arc<TcpStream>>,
}

impl Queue {
    /// Writes as much as the socket takes. Answers whether something is left.
    fn write(&mut self) -> io::Result<bool> {
        let Some(socket) = &self.socket else { return Ok(!self.unsent.frames.is_empty()) };
        let (written, result) = self.unsent.write(socket);
        self.bytes -= written;
        result
    }
}

impl Outbox {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame, unless the connection is about to end. Answers whether it is the only one, so that it is for the
    /// caller to flush: behind others it goes with them.
    #[must_use]
    pub(super) fn push(&self, frame: Frame) -> bool {
        let mut queue = self.queue();
        if queue.end.is_some() {
            return false;
        }
        let is_first = queue.unsent.frames.is_empty();
        queue.bytes += frame.size();
        queue.unsent.frames.push_back(frame);
        if queue.bytes > OUTBOX_SIZE_MAX {
            metrics::counter!("natterjack_connections_too_slow_total").increment(1);
            queue.unsent.drop_unwritten();
            queue.end = Some(Close::TooSlow);
            drop(queue);
            self.moved.notify_one();
            return false;
        }
        is_first
    }

    /// Queues the frame with which a connection begins, before what was queued since it is known.
    pub(super) fn push_first(&self, frame: Frame) {
        let mut queue = self.queue();
        queue.bytes += frame.size();
        queue.unsent.frames.push_front(frame);
    }

    /// Sends what is queued, and from now on what is flushed, to a socket.
    pub(super) fn attach(&self, socket: Arc<TcpStream>) {
        self.queue().socket = Some(socket);
        self.flush();
    }

    /// Sends nothing more. Answers what is left.
    pub(super) fn detach(&self) -> Unsent {
        let mut queue = self.queue();
        queue.socket = None;
        std::mem::take(&mut queue.unsent)
    }

    /// Writes what is queued. What cannot be written now is for the connection's task, or for the next poll.
    pub(super) fn flush(&self) {
        let written = self.queue().write();
        if !matches!(written, Ok(false)) {
            self.moved.notify_one();
        }
    }

    /// Writes what is queued. Answers whether something is left that the socket does not take yet.
    ///
    /// # Errors
    /// When the client is gone.
    pub(super) fn write(&self) -> io::Result<bool> {
        self.queue().write()
    }

    /// Ends the connection once what is queued is sent. The first reason stays.
    pub(super) fn close(&self, close: Close) {
        self.queue().end.get_or_insert(close);
        self.moved.notify_one();
    }

    /// Waits until there is something to do for who serves the connection.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Moves everything queued behind `frames`. Answers why the connection ends, when it does.
    pub(super) fn take(&self, frames: &mut VecDeque<Frame>) -> Option<Close> {
        let mut queue = self.queue();
        queue.bytes = 0;
        frames.append(&mut queue.unsent.frames);
        queue.end
    }

    /// Why the connection ends, when it does.
    pub(super) fn end(&self) -> Option<Close> {
        self.queue().end
    }
}

/// Frames on their way into a socket.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    frames: VecDeque<Frame>,
    /// Bytes of the first frame that are written.
    written: usize,
}

impl Unsent {
    /// Adds a frame.
    pub(super) fn push(&mut self, frame: Frame) {
        self.frames.push_back(frame);
    }

    /// Forgets all frames but one that has begun: without its end the client would understand nothing more.
    fn drop_unwritten(&mut self) {
        self.frames.truncate(usize::from(self.written > 0));
    }

    /// Writes as much as the socket takes, many frames at once. Answers how many bytes that is, and whether something is
    /// left.
    pub(super) fn write(&mut self, socket: &TcpStream) -> (usize, io::Result<bool>) {
        let mut written = 0;
        while !self.frames.is_empty() {
            match self.write_some(socket) {
                Ok(size) => {
                    written += size;
                    self.advance(size);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (written, Ok(true)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (written, Err(error)),
            }
        }
        // A burst leaves no room behind.
        if self.frames.capacity() > CAPACITY_KEPT {
            self.frames = VecDeque::new();
        }
        (written, Ok(false))
    }

    fn write_some(&self, socket: &TcpStream) -> io::Result<usize> {
        let mut pieces = [IoSlice::new(&[]); PIECES_OF_WRITE];
        let mut skip = self.written;
        let rest = self.frames.iter().flat_map(Frame::parts).filter_map(|part| {
            let skipped = skip.min(part.len());
            skip -= skipped;
            (skipped < part.len()).then(|| IoSlice::new(&part[skipped..]))
        });
        let mut count = 0;
        for (piece, part) in pieces.iter_mut().zip(rest) {
            *piece = part;
            count += 1;
        }
        let size = match &pieces[..count] {
            [one] => socket.try_write(one)?,
            several => socket.try_write_vectored(several)?,
        };
        if size == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(size) }
    }

    fn advance(&mut self, size: usize) {
        self.written += size;
        while let Some(size) = self.frames.front().map(Frame::size).filter(|size| self.written >= *size) {
            self.written -= size;
            self.frames.pop_front();
        }
    }
}
