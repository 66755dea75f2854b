//! As much of the WebSocket protocol as the benchmark needs, without a copy of anything.

/// Longest frame header that a server sends.
const HEADER_MAX: usize = 10;
/// How much of a frame's content tells what it is.
const PREFIX: usize = 48;

/// What has arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Frames that hold a new message.
    pub messages: u64,
    /// Bytes of these, headers included.
    pub bytes: u64,
    /// Whether the server said that it closes the connection.
    pub closed: bool,
}

/// Takes the bytes of a connection apart into frames, however they are cut.
#[derive(Debug)]
pub struct Frames {
    header: [u8; HEADER_MAX],
    header_len: u8,
    prefix: [u8; PREFIX],
    prefix_len: u8,
    /// Bytes of the frame that have not arrived.
    missing: u64,
    length: u64,
}

impl Frames {
    /// At the beginning of a frame.
    pub const fn new() -> Self {
        Self {
            header: [0; HEADER_MAX],
            header_len: 0,
            prefix: [0; PREFIX],
            prefix_len: 0,
            missing: 0,
            length: 0,
        }
    }

    /// Takes what has arrived.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Arrived {
        let mut arrived = Arrived::default();
        while !bytes.is_empty() {
            if self.missing == 0 {
                self.header[usize::from(self.header_len)] = bytes[0];
                self.header_len += 1;
                bytes = &bytes[1..];
                if let Some(length) = self.header_length() {
                    (self.length, self.missing, self.prefix_len) = (length, length, 0);
                    if length == 0 {
                        self.finish(&mut arrived);
                    }
                }
                continue;
            }
            let taken = usize::try_from(self.missing).unwrap_or(usize::MAX).min(bytes.len());
            let room = (PREFIX - usize::from(self.prefix_len)).min(taken);
            let at = usize::from(self.prefix_len);
            self.prefix[at..at + room].copy_from_slice(&bytes[..room]);
            self.prefix_len += u8::try_from(room).unwrap_or_default();
            self.missing -= taken as u64;
            bytes = &bytes[taken..];
            if self.missing == 0 {
                self.finish(&mut arrived);
            }
        }
        arrived
    }

    /// The length of the content, once the header is whole.
    fn header_length(&self) -> Option<u64> {
        let header = &self.header[..usize::from(self.header_len)];
        match (header.get(1)? & 0x7f, header.len()) {
            (126, 4) => Some(u64::from(u16::from_be_bytes([header[2], header[3]]))),
            (127, 10) => Some(u64::from_be_bytes(header[2..10].try_into().ok()?)),
            (126 | 127, _) => None,
            (length, _) => Some(u64::from(length)),
        }
    }

    fn finish(&mut self, arrived: &mut Arrived) {
        match self.header[0] & 0x0f {
            1 if is_message(&self.prefix[..usize::from(self.prefix_len)]) => {
                arrived.messages += 1;
                arrived.bytes += self.length + u64::from(self.header_len);
            }
            8 => arrived.closed = true,
            _ => {}
        }
        self.header_len = 0;
    }
}

fn is_message(prefix: &[u8]) -> bool {
    [&br#"{"type":"message.new""#[..], br#"{"type":"notification.message_new""#]
        .iter()
        .any(|start| prefix.starts_with(start))
}

/// A frame as a server sends it.
pub fn server_frame(content: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match content.len() {
        length @ 0..126 => frame.push(u8::try_from(length).unwrap_or_default()),
        length => {
            frame.push(126);
            frame.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(content);
    frame
}

/// A short frame as a client sends it: masked, here with zeros.
pub fn client_frame(content: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | u8::try_from(content.len().min(125)).unwrap_or_default(), 0, 0, 0, 0];
    frame.extend_from_slice(&content.as_bytes()[..content.len().min(125)]);
    frame
}

#[cfg(test)]
mod tests {
    use super::{Arrived, Frames, server_frame};

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let message = format!(r#"{{"type":"message.new","message":{{"text":"{}"}}}}"#, "x".repeat(200));
        let mut bytes = server_frame(message.as_bytes());
        let frame = bytes.len() as u64;
        bytes.extend(server_frame(br#"{"type":"health.check"}"#));
        bytes.extend(server_frame(message.as_bytes()));
        bytes.extend([0x8a, 0x00]);
        for size in [1, 2, 3, 7, 50, bytes.len()] {
            let mut frames = Frames::new();
            let mut sum = Arrived::default();
            for piece in bytes.chunks(size) {
                let found = frames.feed(piece);
                sum.messages += found.messages;
                sum.bytes += found.bytes;
            }
            assert_eq!(sum, Arrived { messages: 2, bytes: 2 * frame, closed: false }, "pieces of {size}");
        }
        let mut frames = Frames::new();
        assert!(frames.feed(&[0x88, 0x02, 0x03, 0xe9]).closed);
    }
}
