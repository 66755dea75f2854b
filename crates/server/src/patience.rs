//! A connection's stream that gives up on a client that does not say what it speaks, or does not take what it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::limits::{HEADER_TIME_MAX, WRITE_TIME_MAX};

/// What a client of HTTP/2 begins with. Until what comes differs from it, or is complete, nobody but this stream has a
/// deadline.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a client is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For a request's head, and before it for the first bytes, which say what version of HTTP it is in.
    pub(crate) head: Duration,
    /// For room to write more.
    pub(crate) write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: HEADER_TIME_MAX, write: WRITE_TIME_MAX }
    }
}

/// The stream of a connection as long as HTTP is spoken on it.
#[derive(Debug)]
pub(crate) struct PatientStream {
    stream: TcpStream,
    patience: Patience,
    /// How much of [`PREFACE`] has come; `None` when it is known what is spoken.
    preface: Option<usize>,
    /// Runs while something is waited for: at first for the preface, later for room to write. A client that keeps up has
    /// none.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl PatientStream {
    pub(crate) fn new(stream: TcpStream, patience: Patience) -> Self {
        Self { stream, patience, preface: Some(0), deadline: None }
    }

    /// The stream itself, for those who have deadlines of their own.
    pub(crate) fn into_inner(self) -> TcpStream {
        self.stream
    }

    fn poll_deadline(&mut self, time: Duration, context: &mut Context<'_>) -> Poll<io::Error> {
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        deadline.as_mut().poll(context).map(|()| io::ErrorKind::TimedOut.into())
    }

    fn note_read(&mut self, bytes: &[u8]) {
        let Some(read) = self.preface else { return };
        let rest = &PREFACE[read..];
        if bytes.len() < rest.len() && rest.starts_with(bytes) {
            self.preface = Some(read + bytes.len());
        } else {
            self.preface = None;
            self.deadline = None;
        }
    }

    fn note_written(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            return self.poll_deadline(self.patience.write, context).map(Err);
        }
        self.deadline = None;
        written
    }
}

impl AsyncRead for PatientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let filled = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if this.preface.is_some() {
            if read.is_pending() {
                return this.poll_deadline(this.patience.head, context).map(Err);
            }
            this.note_read(&buffer.filled()[filled..]);
        }
        read
    }
}

impl AsyncWrite for PatientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note_written(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.note_written(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // Neither waits for the client.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
