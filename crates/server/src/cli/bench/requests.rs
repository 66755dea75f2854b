//! The requests that are measured, written out once; only what differs is filled in while the load runs.

use std::sync::Arc;

use natterjack_client::protocol::{Operation, PathParams, QueryParams};
use url::form_urlencoded;

use super::generator::Fill;

/// Digits kept free for the length of a body.
const LENGTH_DIGITS: usize = 6;
/// Words that messages are made of.
const WORDS: u64 = 4096;
/// A word that more than half of the messages contain.
pub const COMMON_WORD: u64 = 0;
/// A word that one message in a thousand contains.
pub const RARE_WORD: u64 = WORDS - 7;

/// Writes requests to one server with one key.
#[derive(Debug, Clone)]
pub struct Encoder {
    /// Key of the app.
    pub api_key: String,
    /// The server's token.
    pub token: String,
}

impl Encoder {
    /// A request without a token, as health checks make it.
    pub fn plain(&self, path: &str) -> Vec<u8> {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
    }

    /// A request of an operation without a body.
    pub fn read<Op: Operation>(&self, path: &Op::Path, query: &Op::Query) -> Vec<u8> {
        let mut request = self.head::<Op>(path, query).into_bytes();
        request.extend_from_slice(b"\r\n");
        request
    }

    /// A request of an operation with a body.
    pub fn write<Op: Operation>(&self, path: &Op::Path, query: &Op::Query, body: &Op::Body) -> Vec<u8> {
        let body = serde_json::to_vec(body).unwrap_or_default();
        let mut request = Vec::new();
        self.template::<Op>(path, query).fill(&mut request, |buffer| buffer.extend_from_slice(&body));
        request
    }

    /// The head of a request whose body is filled in later.
    pub fn template<Op: Operation>(&self, path: &Op::Path, query: &Op::Query) -> Template {
        let mut head = self.head::<Op>(path, query);
        head.push_str("Content-Type: application/json\r\nContent-Length: ");
        Template { head: head.into_bytes() }
    }

    fn head<Op: Operation>(&self, path: &Op::Path, query: &Op::Query) -> String {
        let segments = path.segments();
        let mut segments = segments.iter();
        // The ids of the benchmark consist of letters, digits, `-` and `_`: nothing to encode.
        let parts = Op::PATH.split('/').map(|part| match part.strip_prefix('{') {
            Some(_) => segments.next().copied().unwrap_or_default(),
            None => part,
        });
        let path = parts.collect::<Vec<_>>().join("/");
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("api_key", &self.api_key);
        for (name, value) in query.encode() {
            pairs.append_pair(name, &value);
        }
        // A plus sign of the text itself is encoded by now.
        let pairs = pairs.finish().replace('+', "%20");
        format!(
            "{} {path}?{pairs} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nStream-Auth-Type: jwt\r\n",
            Op::METHOD,
            self.token
        )
    }
}

/// The head of a request, up to the length of its body.
#[derive(Debug, Clone)]
pub struct Template {
    head: Vec<u8>,
}

impl Template {
    /// Writes the request with the body that `body` writes.
    pub fn fill(&self, buffer: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
        buffer.extend_from_slice(&self.head);
        let length_at = buffer.len();
        buffer.extend_from_slice(&[b'0'; LENGTH_DIGITS]);
        buffer.extend_from_slice(b"\r\n\r\n");
        let body_at = buffer.len();
        body(buffer);
        let mut length = buffer.len() - body_at;
        for digit in buffer[length_at..length_at + LENGTH_DIGITS].iter_mut().rev() {
            *digit = b'0' + (length % 10) as u8;
            length /= 10;
        }
    }
}

/// Sends these requests in turn.
pub fn in_turn(requests: Vec<Vec<u8>>) -> Fill {
    Arc::new(move |number, buffer| {
        let index = number as usize % requests.len().max(1);
        buffer.extend_from_slice(requests.get(index).map_or(&[], Vec::as_slice));
    })
}

/// Sends messages: each to one of `channels`, from one of its members, with a text of its own. `salt` makes the texts
/// differ from those of another measurement.
pub fn sends(channels: Vec<(Template, Vec<String>)>, salt: u64) -> Fill {
    Arc::new(move |number, buffer| {
        let mut random = Random::new(salt.wrapping_shl(40) ^ number);
        let Some((template, members)) = channels.get(random.below(channels.len() as u64) as usize) else {
            return;
        };
        let Some(member) = members.get(random.below(members.len() as u64) as usize) else {
            return;
        };
        template.fill(buffer, |buffer| {
            buffer.extend_from_slice(b"{\"message\":{\"text\":\"");
            push_text(buffer, &mut random);
            buffer.extend_from_slice(b"\",\"user_id\":\"");
            buffer.extend_from_slice(member.as_bytes());
            buffer.extend_from_slice(b"\"}}");
        });
    })
}

/// Sends the messages that begin threads, or one reply to each of them: number N in channel N, again from the first one
/// when all had theirs, from the user beside it.
pub fn threads(channels: Vec<(Template, String)>, replies: bool) -> Fill {
    Arc::new(move |number, buffer| {
        let Some((template, user_id)) = channels.get(number as usize % channels.len().max(1)) else { return };
        template.fill(buffer, |buffer| {
            let name = if replies { "parent_id" } else { "id" };
            let head = format!("{{\"message\":{{\"{name}\":\"thread-{number}\",\"text\":\"");
            buffer.extend_from_slice(head.as_bytes());
            push_text(buffer, &mut Random::new(number));
            buffer.extend_from_slice(b"\",\"user_id\":\"");
            buffer.extend_from_slice(user_id.as_bytes());
            buffer.extend_from_slice(b"\"}}");
        });
    })
}

/// A text as the messages of the benchmark have them.
pub fn text(number: u64) -> String {
    let mut buffer = Vec::new();
    push_text(&mut buffer, &mut Random::new(number));
    buffer.into_iter().map(char::from).collect()
}

/// A text of 60 to 120 characters, of words of which some are far more frequent than others.
fn push_text(buffer: &mut Vec<u8>, random: &mut Random) {
    let start = buffer.len();
    let length = 55 + random.below(60) as usize;
    while buffer.len() - start < length {
        if buffer.len() > start {
            buffer.push(b' ');
        }
        let place = random.below(1 << 20) as f64 / f64::from(1 << 20);
        push_word(buffer, (place.powi(3) * WORDS as f64) as u64);
    }
}

/// Three syllables: the word of that number.
fn push_word(buffer: &mut Vec<u8>, number: u64) {
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    for shift in [0, 4, 8] {
        let index = (number >> shift) as usize % 16;
        buffer.push(CONSONANTS[index]);
        buffer.push(b"aeio"[(index + shift) % 4]);
    }
}

/// The word of that number.
pub fn word(number: u64) -> String {
    let mut buffer = Vec::new();
    push_word(&mut buffer, number);
    buffer.into_iter().map(char::from).collect()
}

/// Numbers that look random, made in next to no time and the same in every run.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The generator `SplitMix64`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(mixed ^ (mixed >> 31)) * u128::from(end)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use natterjack_client::protocol::messages::SendMessage;
    use natterjack_client::protocol::{ChannelPath, NoQuery};

    use super::{COMMON_WORD, Encoder, sends, word};

    #[test]
    fn sends_are_requests_with_texts_of_their_own() {
        let encoder = Encoder { api_key: "key".to_owned(), token: "token".to_owned() };
        let path = ChannelPath { kind: "messaging".to_owned(), id: "general".to_owned() };
        let fill =
            sends(vec![(encoder.template::<SendMessage>(&path, &NoQuery), vec!["jane".to_owned()])], 1);
        let (mut texts, mut common) = (HashSet::new(), 0);
        for number in 0..1000 {
            let mut request = Vec::new();
            fill(number, &mut request);
            let request = String::from_utf8(request).unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(
                "POST /api/v2/chat/channels/messaging/general/message?api_key=key HTTP/1.1\r\n"
            ));
            let length = head.rsplit_once("Content-Length: ").unwrap().1;
            assert_eq!(length.parse::<usize>().unwrap(), body.len());
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["message"]["user_id"], "jane");
            let text = body["message"]["text"].as_str().unwrap();
            assert!((55..=125).contains(&text.len()), "{text}");
            common += usize::from(text.split(' ').any(|found| found == word(COMMON_WORD)));
            assert!(texts.insert(text.to_owned()), "{text}");
        }
        assert!((400..800).contains(&common), "{common}");
    }
}
