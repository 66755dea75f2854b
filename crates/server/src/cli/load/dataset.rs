use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

/// The greatest length of a line, in bytes.
const LINE_SIZE_MAX: u64 = 64 * 1024;

/// The greatest number of lines. All of them are kept in memory.
const LINES_MAX: usize = 10_000_000;

/// The first bytes of a gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The conversations of a file.
#[derive(Debug, Default)]
pub struct Dataset {
    /// In the order in which they appear.
    pub channels: Vec<Channel>,
    /// In the order in which they appear.
    pub users: Vec<Arc<User>>,
    pub lines: usize,
}

/// Somebody who says or does something.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    /// Made from the name by [`user_id`].
    pub id: String,
    pub name: String,
}

/// One conversation.
#[derive(Debug)]
pub struct Channel {
    pub id: String,
    /// One for each line, ordered by `n`.
    pub entries: Vec<Entry>,
}

/// One line of a conversation, which is one message.
#[derive(Debug)]
pub struct Entry {
    /// Id of the message.
    pub id: String,
    pub n: u64,
    pub kind: Kind,
    pub at: String,
    pub user: Arc<User>,
    pub text: String,
    /// What the line answers.
    pub reply: Option<Reply>,
}

/// What a line answers; both are places in [`Channel::entries`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The first line of the chain of answers: the parent of the thread.
    pub root: usize,
    /// The line that is answered.
    pub quoted: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Say,
    Action,
    Join,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Say => "say",
            Self::Action => "action",
            Self::Join => "join",
        }
    }
}

#[derive(Debug, Deserialize)]
struct Line {
    channel: String,
    n: u64,
    kind: Kind,
    at: String,
    user: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    reply_to: Option<u64>,
}

impl Dataset {
    /// Reads at most `limit` lines of a file.
    pub fn read(path: &Path, limit: usize) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut file = BufReader::new(file);
        let is_gzip = file.fill_buf()?.starts_with(&GZIP_MAGIC);
        let dataset = if is_gzip {
            Self::parse(BufReader::new(MultiGzDecoder::new(file)), limit)
        } else {
            Self::parse(file, limit)
        };
        dataset.with_context(|| format!("cannot read {}", path.display()))
    }

    fn parse(mut source: impl BufRead, limit: usize) -> Result<Self> {
        let mut builder = Builder::default();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            if number > limit || (&mut source).take(LINE_SIZE_MAX + 1).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            ensure!(number <= LINES_MAX, "more than {LINES_MAX} lines");
            ensure!(line.len() as u64 <= LINE_SIZE_MAX, "line {number}: longer than {LINE_SIZE_MAX} bytes");
            let parsed = serde_json::from_slice(&line).with_context(|| format!("line {number}"))?;
            builder.add(parsed).with_context(|| format!("line {number}"))?;
        }
        Ok(builder.dataset)
    }
}

/// A data set while it is read, and what finds things in it.
#[derive(Default)]
struct Builder {
    dataset: Dataset,
    channels: HashMap<String, usize>,
    users: HashMap<String, Arc<User>>,
}

impl Builder {
    fn add(&mut self, line: Line) -> Result<()> {
        let place = self.place_of(&line.channel)?;
        let user = self.user(&line.user)?;
        let channel = &mut self.dataset.channels[place];
        if let Some(last) = channel.entries.last() {
            ensure!(line.n > last.n, "n is {}, not above the {} of the line before", line.n, last.n);
        }
        let answered = line.reply_to.filter(|_| line.kind != Kind::Join).and_then(|n| channel.place_of(n));
        let reply = answered.map(|quoted| Reply {
            root: channel.entries[quoted].reply.map_or(quoted, |earlier| earlier.root),
            quoted,
        });
        let text = if line.kind == Kind::Join { format!("{} joined", user.name) } else { line.text };
        channel.entries.push(Entry {
            id: format!("{}-{}", channel.id, line.n),
            n: line.n,
            kind: line.kind,
            at: line.at,
            user,
            text,
            reply,
        });
        self.dataset.lines += 1;
        Ok(())
    }

    fn place_of(&mut self, id: &str) -> Result<usize> {
        if let Some(place) = self.channels.get(id) {
            return Ok(*place);
        }
        if id.is_empty() || id.len() > 64 || !id.bytes().all(stays_in_id) {
            bail!("channel {id:?} cannot be the id of a channel");
        }
        let place = self.dataset.channels.len();
        self.dataset.channels.push(Channel { id: id.to_owned(), entries: Vec::new() });
        self.channels.insert(id.to_owned(), place);
        Ok(place)
    }

    fn user(&mut self, name: &str) -> Result<Arc<User>> {
        if let Some(user) = self.users.get(name) {
            return Ok(Arc::clone(user));
        }
        let id = user_id(name);
        ensure!(!id.is_empty() && id.len() <= 255, "the user's name {name:?} is empty or too long");
        let user = Arc::new(User { id, name: name.to_owned() });
        self.users.insert(name.to_owned(), Arc::clone(&user));
        self.dataset.users.push(Arc::clone(&user));
        Ok(user)
    }
}

impl Channel {
    fn place_of(&self, n: u64) -> Option<usize> {
        self.entries.binary_search_by_key(&n, |entry| entry.n).ok()
    }

    /// Everybody who says something or joins, in that order, the creator first.
    pub fn members(&self) -> Vec<&Arc<User>> {
        let mut seen = std::collections::HashSet::new();
        std::iter::once(self.first_speaker())
            .chain(self.entries.iter().map(|entry| &entry.user))
            .filter(|user| seen.insert(user.id.as_str()))
            .collect()
    }

    /// Who speaks first: creates the channel, and reads it up to [`Channel::marked`].
    pub fn first_speaker(&self) -> &Arc<User> {
        let spoken = self.entries.iter().find(|entry| entry.kind != Kind::Join);
        &spoken.unwrap_or(&self.entries[0]).user
    }

    /// The place up to which the first speaker reads.
    pub fn marked(&self) -> usize {
        self.entries.len() / 2
    }

    /// The replies of each thread, by their places, under the place of its root.
    pub fn threads(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut threads: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, entry) in self.entries.iter().enumerate() {
            if let Some(reply) = entry.reply {
                threads.entry(reply.root).or_default().push(place);
            }
        }
        threads
    }
}

const fn stays_in_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The id of the user with this name: letters, digits, `_` and `-` stay, every other byte becomes `@` and two
/// hexadecimal digits. Different names have different ids.
fn user_id(name: &str) -> String {
    let mut id = String::with_capacity(name.len());
    for byte in name.bytes() {
        if stays_in_id(byte) {
            id.push(char::from(byte));
        } else {
            write!(id, "@{byte:02x}").expect("writing to a string does not fail");
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{Dataset, Kind, Reply, user_id};

    const LINES: &str = r#"
{"channel": "a", "n": 0, "kind": "join", "at": "2004-12-25T09:14:00Z", "user": "[x]", "text": ""}
{"channel": "a", "n": 2, "kind": "say", "at": "2004-12-25T09:14:00Z", "user": "y", "text": "hi"}
{"channel": "b", "n": 0, "kind": "say", "at": "2004-12-25T09:14:00Z", "user": "y", "text": "", "reply_to": 9}
{"channel": "a", "n": 3, "kind": "action", "at": "2004-12-25T09:15:00Z", "user": "z", "text": "waves", "reply_to": 2}
{"channel": "a", "n": 7, "kind": "say", "at": "2004-12-25T09:16:00Z", "user": "y", "text": "ho", "reply_to": 3}
"#;

    #[test]
    fn lines_become_messages() {
        let dataset = Dataset::parse(LINES.trim_start().as_bytes(), usize::MAX).unwrap();
        assert_eq!((dataset.lines, dataset.users.len(), dataset.channels.len()), (5, 3, 2));
        let channel = &dataset.channels[0];
        let ids: Vec<_> = channel.entries.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids, ["a-0", "a-2", "a-3", "a-7"]);
        assert_eq!((channel.entries[0].kind, channel.entries[0].text.as_str()), (Kind::Join, "[x] joined"));
        assert_eq!(channel.entries[2].reply, Some(Reply { root: 1, quoted: 1 }));
        assert_eq!(channel.entries[3].reply, Some(Reply { root: 1, quoted: 2 }));
        assert_eq!(channel.threads()[&1], [2, 3]);
        let members: Vec<_> = channel.members().iter().map(|user| user.name.as_str()).collect();
        assert_eq!(members, ["y", "[x]", "z"]);
        assert_eq!(dataset.channels[1].entries[0].reply, None);
    }

    #[test]
    fn gzip_is_recognised_and_the_limit_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.gz");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(LINES.trim_start().as_bytes()).unwrap();
        std::fs::write(&path, gzip.finish().unwrap()).unwrap();
        assert_eq!(Dataset::read(&path, 3).unwrap().lines, 3);
        std::fs::write(&path, LINES.trim_start()).unwrap();
        assert_eq!(Dataset::read(&path, 3).unwrap().lines, 3);
    }

    #[test]
    fn bad_lines_are_named() {
        let check = |text: &str, expected: &str| {
            let error = Dataset::parse(text.as_bytes(), usize::MAX).unwrap_err();
            assert!(format!("{error:#}").contains(expected), "{error:#}");
        };
        check("{}\n", "line 1");
        check(&"x".repeat(70_000), "longer than");
        let line = LINES.trim_start().lines().next().unwrap();
        check(&format!("{line}\n{line}\n"), "line 2: n is 0, not above");
        check(&line.replace("\"a\"", "\"a b\""), "cannot be the id of a channel");
    }

    #[test]
    fn user_ids_differ_when_names_do() {
        assert_eq!(user_id("kleedrac_-9"), "kleedrac_-9");
        assert_eq!(user_id("|QuaD-"), "@7cQuaD-");
        assert_eq!(user_id("@7cQuaD-"), "@407cQuaD-");
        assert_eq!(user_id("é"), "@c3@a9");
    }
}
