use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use natterjack_client::protocol::channels::{GetChannelQuery, QueryChannelsRequest};
use natterjack_client::protocol::members::QueryMembersPayload;
use natterjack_client::protocol::message_types::MessageResponse;
use natterjack_client::protocol::reads::UnreadCountsQuery;
use natterjack_client::{Entries, Error, Filter};

use super::dataset::{Channel, Kind};
use super::{Context, search, send};
use crate::cli::progress::Progress;

/// Messages in a page.
const MESSAGES_PAGE: u32 = 300;

/// Members up to which the pages of a query reach.
const MEMBERS_MAX: usize = 1000;

/// Unread channels that the server lists for a user at most.
const UNREAD_CHANNELS_MAX: usize = 100;

/// Channels that one query names.
const QUERY_CHANNELS_MAX: usize = 500;

/// Differences that are printed; the others are counted.
const DIFFERENCES_SHOWN: usize = 20;

/// Where the server's answers differ from the file, and how much was compared.
#[derive(Default)]
pub struct Findings {
    differences: AtomicUsize,
    shown: Mutex<Vec<String>>,
    pub messages: AtomicUsize,
    pub replies: AtomicUsize,
    pub threads: AtomicUsize,
    pub members: AtomicUsize,
    pub reads: AtomicUsize,
    pub searches: AtomicUsize,
}

impl Findings {
    pub fn differ(&self, difference: String) {
        if self.differences.fetch_add(1, Ordering::Relaxed) < DIFFERENCES_SHOWN {
            self.shown.lock().unwrap_or_else(PoisonError::into_inner).push(difference);
        }
    }

    pub fn count(counter: &AtomicUsize, number: usize) {
        counter.fetch_add(number, Ordering::Relaxed);
    }

    fn compare<T: PartialEq + Debug>(&self, what: impl FnOnce() -> String, found: &T, expected: &T) {
        if found != expected {
            self.differ(format!("{}: found {found:?}, expected {expected:?}", what()));
        }
    }

    /// A call that fails is a difference too: the rest is still worth comparing.
    fn failed(&self, what: &str, result: Result<(), Error>) {
        if let Err(error) = result {
            self.differ(format!("{what}: {:#}", anyhow::Error::new(error)));
        }
    }

    fn report(&self) -> Result<()> {
        let number = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        println!(
            "compared {} messages (each paged both ways), {} threads with {} replies, {} members, \
             {} read states, {} searches",
            number(&self.messages),
            number(&self.threads),
            number(&self.replies),
            number(&self.members),
            number(&self.reads),
            number(&self.searches)
        );
        let differences = number(&self.differences);
        if differences == 0 {
            println!("the server and the file agree");
            return Ok(());
        }
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for difference in shown.iter() {
            println!("- {difference}");
        }
        bail!(
            "{differences} differences between the server and the file; the first {} are above",
            shown.len()
        )
    }
}

/// Reads everything back and compares it with the file.
pub async fn verify(context: &Context) -> Result<()> {
    let findings = Findings::default();
    let progress = Progress::start("channels", context.dataset.channels.len());
    stream::iter(&context.dataset.channels)
        .map(|channel| async {
            Check { context, channel, findings: &findings }.run().await;
            progress.add(1);
        })
        .buffer_unordered(context.in_flight)
        .collect::<()>()
        .await;
    check_listing(context, &findings).await;
    eprintln!("{}", progress.finish());
    search::verify(context, &findings).await;
    findings.report()
}

/// Whether a query over all channels finds each once, with the right counters.
async fn check_listing(context: &Context, findings: &Findings) {
    for channels in context.dataset.channels.chunks(QUERY_CHANNELS_MAX) {
        let mut expected: BTreeMap<String, &Channel> =
            channels.iter().map(|channel| (context.cid(channel), channel)).collect();
        let request = QueryChannelsRequest {
            filter_conditions: Filter::is_in("cid", expected.keys().cloned()).into(),
            message_limit: Some(1),
            member_limit: Some(1),
            state: Some(true),
            ..Default::default()
        };
        let mut found = context.client.chat().query_channels_stream(request);
        loop {
            let state = match found.try_next().await {
                Ok(Some(state)) => state,
                Ok(None) => break,
                Err(error) => return findings.failed("query_channels", Err(error)),
            };
            let Some(data) = &state.channel else {
                findings.differ("query_channels: an entry without its channel".to_owned());
                continue;
            };
            let Some(channel) = expected.remove(&data.cid) else {
                findings.differ(format!("query_channels: {} is not asked for, or found twice", data.cid));
                continue;
            };
            let what = |field| move || format!("query_channels: {field} of {}", channel.id);
            findings.compare(
                what("member_count"),
                &data.member_count,
                &Some(integer(channel.members().len())),
            );
            if data.message_count.is_some() {
                let messages = Some(integer(channel.entries.len()));
                findings.compare(what("message_count"), &data.message_count, &messages);
            }
            let newest = state.messages.last().map(|message| message.id.as_str());
            findings.compare(
                what("the newest message"),
                &newest,
                &channel.entries.last().map(|entry| entry.id.as_str()),
            );
        }
        for cid in expected.keys() {
            findings.differ(format!("query_channels: {cid} is not found"));
        }
    }
}

/// The comparison of one channel.
struct Check<'a> {
    context: &'a Context,
    channel: &'a Channel,
    findings: &'a Findings,
}

impl Check<'_> {
    async fn run(&self) {
        let cid = self.context.cid(self.channel);
        let (kind, id) = (&self.context.channel_type, &self.channel.id);
        let chat = self.context.client.chat();
        let places: Vec<usize> = (0..self.channel.entries.len()).collect();
        let newest_first: Vec<usize> = places.iter().rev().copied().collect();
        let threads = self.channel.threads();
        let mut counts = vec![0; places.len()];
        for (root, replies) in &threads {
            counts[*root] = replies.len();
        }
        let what = format!("{cid}, oldest first");
        let stream = chat.messages_stream_oldest_first(kind, id, MESSAGES_PAGE);
        self.findings.failed(&what, self.compare_list(&what, stream, &places, &counts).await);
        let what = format!("{cid}, newest first");
        let stream = chat.messages_stream(kind, id, MESSAGES_PAGE);
        self.findings.failed(&what, self.compare_list(&what, stream, &newest_first, &counts).await);
        Findings::count(&self.findings.messages, places.len());
        for (root, replies) in &threads {
            let root = &self.channel.entries[*root].id;
            let what = format!("replies to {root}");
            let stream = chat.replies_stream(root);
            self.findings.failed(&what, self.compare_list(&what, stream, replies, &counts).await);
            Findings::count(&self.findings.replies, replies.len());
        }
        Findings::count(&self.findings.threads, threads.len());
        self.findings.failed(&format!("members of {cid}"), self.check_members(&cid).await);
        self.findings.failed(&format!("read state of {cid}"), self.check_read_state(&cid).await);
    }

    /// Compares a list with the entries at `places`. After the first message that is out of place only their number
    /// is compared, since all behind it would differ.
    async fn compare_list(
        &self,
        what: &str,
        mut messages: Entries<MessageResponse>,
        places: &[usize],
        reply_counts: &[usize],
    ) -> Result<(), Error> {
        let mut found = 0;
        let mut in_step = true;
        while let Some(message) = messages.try_next().await? {
            let place = places.get(found).copied();
            found += 1;
            let Some(place) = place.filter(|_| in_step) else { continue };
            let expected = &self.channel.entries[place].id;
            if message.id == *expected {
                self.compare_message(what, &message, place, reply_counts[place]);
            } else {
                in_step = false;
                self.findings.differ(format!(
                    "{what}: number {found} is {}, expected {expected}; no further ones are compared",
                    message.id
                ));
            }
        }
        self.findings.compare(|| format!("{what}: number of messages"), &found, &places.len());
        Ok(())
    }

    fn compare_message(&self, list: &str, message: &MessageResponse, place: usize, reply_count: usize) {
        let entry = &self.channel.entries[place];
        let what = |field: &'static str| move || format!("{list}: {field} of {}", entry.id);
        let id_of = |place: usize| self.channel.entries[place].id.as_str();
        let parent_id = entry.reply.map(|reply| id_of(reply.root));
        let quoted_id = entry.reply.map(|reply| id_of(reply.quoted));
        let kind = match (entry.kind, entry.reply) {
            (Kind::Join, _) => "system",
            (_, Some(_)) => "reply",
            (_, None) => "regular",
        };
        let findings = self.findings;
        findings.compare(what("cid"), &message.cid, &self.context.cid(self.channel));
        findings.compare(what("text"), &message.text, &entry.text);
        findings.compare(what("type"), &message.kind.as_str(), &kind);
        findings.compare(what("user id"), &message.user.id, &entry.user.id);
        findings.compare(what("user name"), &message.user.name.as_deref(), &Some(entry.user.name.as_str()));
        findings.compare(what("custom data"), &message.custom, &send::custom(entry));
        findings.compare(what("reply_count"), &message.reply_count, &integer(reply_count));
        findings.compare(what("parent_id"), &message.parent_id.as_deref(), &parent_id);
        findings.compare(what("quoted_message_id"), &message.quoted_message_id.as_deref(), &quoted_id);
        let quoted = message.quoted_message.as_ref();
        findings.compare(what("quoted_message"), &quoted.map(|quoted| quoted.id.as_str()), &quoted_id);
        if entry.reply.is_some() {
            findings.compare(what("show_in_channel"), &message.show_in_channel, &Some(true));
        }
    }

    async fn check_members(&self, cid: &str) -> Result<(), Error> {
        let expected: BTreeSet<&str> =
            self.channel.members().into_iter().map(|user| user.id.as_str()).collect();
        if expected.len() > MEMBERS_MAX {
            return Ok(());
        }
        let query = QueryMembersPayload {
            kind: self.context.channel_type.clone(),
            id: Some(self.channel.id.clone()),
            ..Default::default()
        };
        let found: Vec<_> = self.context.client.chat().query_members_stream(query).try_collect().await?;
        self.findings.compare(|| format!("{cid}: number of members"), &found.len(), &expected.len());
        let found: BTreeSet<&str> = found.iter().filter_map(|member| member.user_id.as_deref()).collect();
        for user_id in expected.symmetric_difference(&found) {
            let whose = if expected.contains(user_id) { "the file" } else { "the server" };
            self.findings.differ(format!("{cid}: {user_id} is a member only for {whose}"));
        }
        Findings::count(&self.findings.members, expected.len());
        Ok(())
    }

    async fn check_read_state(&self, cid: &str) -> Result<(), Error> {
        let reader = self.channel.first_speaker();
        let marked = self.channel.marked();
        let behind = &self.channel.entries[marked + 1..];
        let unread = integer(behind.iter().filter(|entry| entry.user != *reader).count());

        let query = GetChannelQuery {
            state: Some(true),
            messages_limit: Some(1),
            members_limit: Some(1),
            user_id: Some(reader.id.clone()),
            ..Default::default()
        };
        let chat = self.context.client.chat();
        let state = chat.get_channel(&self.context.channel_type, &self.channel.id, query).await?;
        let read = state.read.iter().flatten().find(|read| read.user.id == reader.id);
        let what = |field| move || format!("{cid}: {field} of {}", reader.id);
        let found = read.map(|read| (read.unread_messages, read.last_read_message_id.as_deref()));
        let expected = Some((unread, Some(self.channel.entries[marked].id.as_str())));
        self.findings.compare(what("unread messages and last message read"), &found, &expected);

        let counts = chat.unread_counts(UnreadCountsQuery { user_id: Some(reader.id.clone()) }).await?;
        let listed = counts.channels.iter().find(|counted| counted.channel_id == cid);
        let is_whole = counts.channels.len() < UNREAD_CHANNELS_MAX;
        if is_whole || listed.is_some() {
            let found = listed.map_or(0, |counted| counted.unread_count);
            self.findings.compare(what("unread count"), &found, &unread);
        }
        Findings::count(&self.findings.reads, 1);
        Ok(())
    }
}

fn integer(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
