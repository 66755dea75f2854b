//! WebSocket frames, both ways, and events as bytes.

use bytes::Bytes;
use natterjack_protocol::events::Event;

use super::connection::Close;
use crate::limits::CLIENT_MESSAGE_SIZE_MAX;

const FINAL: u8 = 0x80;
const OPCODE_CONTINUE: u8 = 0x0;
const OPCODE_TEXT: u8 = 0x1;
const OPCODE_BINARY: u8 = 0x2;
const OPCODE_CLOSE: u8 = 0x8;
const OPCODE_PING: u8 = 0x9;
const OPCODE_PONG: u8 = 0xA;
/// The longest head of a frame that is not masked.
const HEAD_MAX: usize = 10;
/// The most that a control frame holds.
const CONTROL_SIZE_MAX: usize = 125;

/// An event as bytes: made once, sent to many.
#[derive(Debug, Clone)]
pub(super) struct Encoded {
    /// The head of a text frame, then the JSON.
    framed: Bytes,
    head: usize,
}

impl Encoded {
    /// Encodes an event as connections get it.
    pub(super) fn new(event: &Event) -> Self {
        // Room for the head, so that both lie in one piece.
        let mut bytes = vec![0; HEAD_MAX];
        if let Err(error) = write_json(&mut bytes, event) {
            tracing::error!(error = &error as &dyn std::error::Error, "an event could not be written");
            // Its receivers hear at least that there was one. These fields can always be written.
            let Event { kind, created_at, cid, .. } = event;
            let bare =
                Event { kind: kind.clone(), created_at: *created_at, cid: cid.clone(), ..Event::default() };
            bytes.truncate(HEAD_MAX);
            drop(write_json(&mut bytes, &bare));
        }
        let (head, length) = head(OPCODE_TEXT, bytes.len() - HEAD_MAX);
        let start = HEAD_MAX - length;
        bytes[start..HEAD_MAX].copy_from_slice(&head[..length]);
        Self { framed: Bytes::from(bytes).slice(start..), head: length }
    }

    /// The frame for a receiver for whom nothing differs.
    pub(super) fn frame(&self) -> Frame {
        Frame {
            head: [0; HEAD_MAX],
            head_length: 0,
            skip: self.head as u8,
            body: self.framed.clone(),
            tail: Bytes::new(),
        }
    }

    /// The frame for a receiver who gets some fields more: `tail` stands in place of the closing brace, with a comma in front
    /// and the brace at its end.
    pub(super) fn frame_with(&self, tail: &Bytes) -> Frame {
        let body = self.framed.slice(self.head..self.framed.len() - 1);
        let (head, length) = head(OPCODE_TEXT, body.len() + tail.len());
        Frame { head, head_length: length as u8, skip: 0, body, tail: tail.clone() }
    }
}

/// Writes an event in the encoding of connections, which is that of version 1.
fn write_json(bytes: &mut Vec<u8>, event: &Event) -> serde_json::Result<()> {
    natterjack_protocol::v1::to_writer(bytes, event)
}

/// The head of a frame that is not masked, and its length.
fn head(opcode: u8, size: usize) -> ([u8; HEAD_MAX], usize) {
    let mut head = [0; HEAD_MAX];
    head[0] = FINAL | opcode;
    match size {
        0..=125 => {
            head[1] = size as u8;
            (head, 2)
        }
        126..=0xFFFF => {
            head[1] = 126;
            head[2..4].copy_from_slice(&(size as u16).to_be_bytes());
            (head, 4)
        }
        _ => {
            head[1] = 127;
            head[2..10].copy_from_slice(&(size as u64).to_be_bytes());
            (head, 10)
        }
    }
}

/// A frame in the queue of one connection. The bytes are shared with the other receivers.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    head: [u8; HEAD_MAX],
    head_length: u8,
    /// Where in `body` the JSON begins.
    skip: u8,
    body: Bytes,
    tail: Bytes,
}

impl Frame {
    /// A closing frame.
    pub(super) fn close(close: Close) -> Self {
        let (code, reason) = close.code();
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        Self::control(OPCODE_CLOSE, &payload)
    }

    pub(super) fn ping() -> Self {
        Self::control(OPCODE_PING, &[])
    }

    pub(super) fn pong(payload: &[u8]) -> Self {
        Self::control(OPCODE_PONG, payload)
    }

    fn control(opcode: u8, payload: &[u8]) -> Self {
        let (head, length) = head(opcode, payload.len());
        let body = Bytes::copy_from_slice(payload);
        Self { head, head_length: length as u8, skip: 0, body, tail: Bytes::new() }
    }

    /// The parts that are written, one after the other.
    pub(super) fn parts(&self) -> [&[u8]; 3] {
        [&self.head[..usize::from(self.head_length)], &self.body, &self.tail]
    }

    pub(super) fn size(&self) -> usize {
        usize::from(self.head_length) + self.body.len() + self.tail.len()
    }

    /// The event alone, as JSON, for those who poll. `None` for what is not an event.
    pub(super) fn json(&self) -> Option<[&[u8]; 2]> {
        let is_text = self.head_length == 0 || self.head[0] == FINAL | OPCODE_TEXT;
        is_text.then(|| [&self.body[usize::from(self.skip)..], &self.tail[..]])
    }
}

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// A whole text message.
    Text,
    Ping(Vec<u8>),
    Pong,
    Close,
}

/// Takes apart what a client sends. Keeps only what is not whole yet: a connection on which nothing arrives has no
/// buffer.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// A frame that has begun.
    partial: Vec<u8>,
    /// The parts of a message that has begun, unmasked.
    message: Vec<u8>,
    is_in_message: bool,
}

impl Parser {
    /// Takes in bytes and answers what they complete.
    ///
    /// # Errors
    /// Why the connection has to be closed.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Incoming>, Close> {
        let mut incoming = Vec::new();
        let buffer = if self.partial.is_empty() {
            bytes.to_vec()
        } else {
            let mut buffer = std::mem::take(&mut self.partial);
            buffer.extend_from_slice(bytes);
            buffer
        };
        let mut rest = &buffer[..];
        while let Some((frame, size)) = ClientFrame::parse(rest)? {
            let payload = frame.unmask(rest);
            rest = &rest[size..];
            incoming.extend(self.take(&frame, payload)?);
        }
        self.partial = rest.to_vec();
        Ok(incoming)
    }

    fn take(&mut self, frame: &ClientFrame, payload: Vec<u8>) -> Result<Option<Incoming>, Close> {
        match frame.opcode {
            OPCODE_TEXT | OPCODE_CONTINUE => {
                if (frame.opcode == OPCODE_CONTINUE) != self.is_in_message {
                    return Err(Close::Protocol);
                }
                self.is_in_message = !frame.is_final;
                if self.message.len() + payload.len() > CLIENT_MESSAGE_SIZE_MAX {
                    return Err(Close::TooBig);
                }
                self.message.extend_from_slice(&payload);
                if !frame.is_final {
                    return Ok(None);
                }
                let message = std::mem::take(&mut self.message);
                std::str::from_utf8(&message).map_err(|_| Close::NotText)?;
                Ok(Some(Incoming::Text))
            }
            OPCODE_PING => Ok(Some(Incoming::Ping(payload))),
            OPCODE_PONG => Ok(Some(Incoming::Pong)),
            OPCODE_CLOSE => Ok(Some(Incoming::Close)),
            // Events are text; so is what clients say.
            OPCODE_BINARY => Err(Close::Protocol),
            _ => Err(Close::Protocol),
        }
    }
}

/// The head of a client's frame.
struct ClientFrame {
    is_final: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Where the payload begins.
    start: usize,
    size: usize,
}

impl ClientFrame {
    /// The frame at the beginning of `bytes` and its whole length. `None` when it is not all there.
    fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Close> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        if first & 0x70 != 0 || second & 0x80 == 0 {
            // No extension was agreed upon, and clients mask.
            return Err(Close::Protocol);
        }
        let (size, start) = match (second & 0x7F, rest) {
            (126, [a, b, ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 4),
            (127, [a, b, c, d, e, f, g, h, ..]) => (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 10),
            (126 | 127, _) => return Ok(None),
            (size, _) => (u64::from(size), 2),
        };
        let (is_final, opcode) = (first & FINAL != 0, first & 0x0F);
        if size > CLIENT_MESSAGE_SIZE_MAX as u64 {
            return Err(Close::TooBig);
        }
        let size = size as usize;
        if opcode >= OPCODE_CLOSE && (!is_final || size > CONTROL_SIZE_MAX) {
            return Err(Close::Protocol);
        }
        let Some(mask) = bytes.get(start..start + 4) else { return Ok(None) };
        let mask = [mask[0], mask[1], mask[2], mask[3]];
        let start = start + 4;
        if bytes.len() < start + size {
            return Ok(None);
        }
        Ok(Some((Self { is_final, opcode, mask, start, size }, start + size)))
    }

    fn unmask(&self, bytes: &[u8]) -> Vec<u8> {
        let payload = &bytes[self.start..self.start + self.size];
        payload.iter().zip(self.mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use natterjack_protocol::events::Event;

    use super::{Close, Encoded, Incoming, Parser};

    /// A client's frame, masked.
    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            size @ 0..=125 => frame.push(0x80 | size as u8),
            size => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(size as u16).to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    #[test]
    fn a_frame_may_arrive_byte_by_byte_and_a_message_in_parts() {
        let mut parser = Parser::default();
        let mut bytes = masked(0x01, b"[{\"type\":");
        bytes.extend(masked(0x89, b"are you there"));
        bytes.extend(masked(0x80, &[b' '; 300]));
        let mut seen = Vec::new();
        for byte in bytes {
            seen.extend(parser.feed(&[byte]).expect("the frames are good"));
        }
        assert_eq!(seen, [Incoming::Ping(b"are you there".to_vec()), Incoming::Text]);
        assert!(parser.partial.is_empty() && parser.message.is_empty());
    }

    #[test]
    fn frames_that_break_the_protocol_close_the_connection() {
        let unmasked = [0x81, 0x00];
        let reserved_bit = masked(0xC1, b"");
        let binary = masked(0x82, b"x");
        let orphan = masked(0x80, b"x");
        let long_ping = masked(0x89, &[0; 126]);
        for bytes in [&unmasked[..], &reserved_bit, &binary, &orphan, &long_ping] {
            assert_eq!(Parser::default().feed(bytes), Err(Close::Protocol), "{bytes:?}");
        }
        assert_eq!(Parser::default().feed(&masked(0x81, &[0xFF])), Err(Close::NotText));
        let endless = [0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
        assert_eq!(Parser::default().feed(&endless), Err(Close::TooBig));
    }

    #[test]
    fn fields_of_one_receiver_stand_behind_those_of_all() {
        let event = Event { kind: "message.new".to_owned(), ..Event::default() };
        let encoded = Encoded::new(&event);
        let plain = encoded.frame().json().expect("is text").concat();
        let frame = encoded.frame_with(&Bytes::from_static(br#","unread_count":3}"#));
        let with = frame.json().expect("is text").concat();
        let plain: serde_json::Value = serde_json::from_slice(&plain).expect("is JSON");
        let mut with: serde_json::Value = serde_json::from_slice(&with).expect("is JSON");
        assert_eq!(with["unread_count"].take(), 3);
        with.as_object_mut().expect("is an object").remove("unread_count");
        assert_eq!(with, plain);
        let [head, body, tail] = frame.parts();
        assert_eq!(head[1] as usize, body.len() + tail.len());
    }
}
