//! What is measured, in which order, on one database.

mod threads;
mod truncation;

use std::time::Duration;

use anyhow::{Context, Result};
use natterjack_client::protocol::channel_types::GetChannelType;
use natterjack_client::protocol::channels::{
    GetChannel, GetChannelQuery, QueryChannels, QueryChannelsRequest,
};
use natterjack_client::protocol::messages::SendMessage;
use natterjack_client::protocol::reads::{MarkRead, MarkReadRequest};
use natterjack_client::protocol::search::{Search, SearchPayload, SearchQuery};
use natterjack_client::protocol::{ChannelPath, ChannelTypePath, JsonParam, NoPath, NoQuery};
use natterjack_client::{Client, filter, sort};
use natterjack_storage::{DatabaseUrl, probe};

use super::child::{Server, Setup};
use super::generator::{Fill, Load};
use super::progress::Progress;
use super::report::{Figures, GroupCommits, Measurement, Sync, millis};
use super::requests::{COMMON_WORD, Encoder, RARE_WORD, Template, in_turn, sends, word};
use super::{machine, setup, targets};

pub use threads::LISTS;

/// Requests in flight of the sends, and rows in a group of the bare database.
const IN_FLIGHT: [usize; 4] = [1, 16, 64, 256];
/// Requests in flight of everything else.
const READS_IN_FLIGHT: [usize; 2] = [1, 16];
/// Requests in flight while the set is loaded.
const LOAD_IN_FLIGHT: usize = 256;
/// After the start, how long to wait before memory is read.
const IDLE_TIME: Duration = Duration::from_millis(500);
/// How long the server must have had nothing to do before reads are measured, and how often that is looked at.
const SETTLE_LOOK: Duration = Duration::from_millis(200);
const SETTLE_LOOKS_MAX: usize = 300;
/// Messages of a page.
const PAGE: i64 = 100;
/// Members of the channel that stands for all in the targets.
pub const SEND_ONE: usize = 2;
/// Name of the sends to several channels.
pub const SEND_SPREAD: &str = "send_message, 16 channels of 2";
/// Steps of the plan, for the progress bar.
pub const STEPS: usize = 1 + 4 + 2 + 1 + 4 * 5 + 1 + 1 + 8 * 2 + 1 + 1 + 3 * 2 + 1 + 1 + 4;

/// Name of the sends to the channel with that many members.
pub fn send_name(members: usize) -> String {
    format!("send_message, channel of {members}")
}

/// Name of the reads of a page of messages.
pub const fn page_name(older: bool) -> &'static str {
    if older { "page of 100 older messages" } else { "page of the newest 100 messages" }
}

/// How long to measure, and on how much.
#[derive(Debug, Clone)]
pub struct Effort {
    /// Time of one measurement.
    pub duration: Duration,
    /// Messages of the loaded set.
    pub messages: u64,
    /// Leaves out the measurements whose names do not contain this.
    pub only: Option<String>,
}

impl Effort {
    fn includes(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|part| name.contains(part))
    }
}

/// One database under test.
#[derive(Debug)]
pub struct Run<'r> {
    /// How to start the server.
    pub setup: &'r Setup,
    /// How long to measure.
    pub effort: Effort,
    /// Tells how far it has come.
    pub progress: &'r Progress,
    /// What was found so far.
    pub figures: Figures,
    salt: u64,
}

impl<'r> Run<'r> {
    /// Nothing is measured yet.
    pub fn new(setup: &'r Setup, effort: Effort, progress: &'r Progress) -> Self {
        let database = if setup.database_url.is_some() { "postgresql" } else { "sqlite" };
        Self { setup, effort, progress, figures: Figures { database, ..Figures::default() }, salt: 0 }
    }

    /// Measures everything.
    ///
    /// # Errors
    /// When the server does not start or the set-up fails. Measurements that fail are reported as such.
    pub async fn run(mut self) -> Result<Figures> {
        self.progress.step("starting the server");
        let server = self.start().await?;
        self.figures.ready_empty_ms = millis(server.ready_after);
        tokio::time::sleep(IDLE_TIME).await;
        self.figures.record_memory("idle", &server)?;
        let client = self.client(&server)?;
        let encoder = Encoder { api_key: self.setup.api_key.clone(), token: client.create_server_token()? };

        self.measure_no_ops(&server, &encoder).await;
        self.progress.step("making users and channels");
        setup::create(&client).await?;
        self.measure_sends(&server, &encoder).await?;
        self.load_set(&server, &encoder).await?;
        self.settle(&server).await?;
        self.figures.record_memory("after the load", &server)?;
        self.measure_reads(&server, &encoder, &client).await?;
        self.measure_lists(&server, &encoder, &client).await?;
        self.figures.record_memory("after the reads", &server)?;

        self.progress.step("stopping the server");
        tokio::task::spawn_blocking(move || server.stop()).await??;
        self.progress.step("starting the server on the loaded database");
        let server = self.start().await?;
        self.figures.ready_loaded_ms = millis(server.ready_after);
        tokio::time::sleep(IDLE_TIME).await;
        self.figures.record_memory("idle on the loaded database", &server)?;
        tokio::task::spawn_blocking(move || server.stop()).await??;
        self.measure_truncation(&encoder).await?;
        self.figures.targets = targets::compare(&self.figures);
        Ok(self.figures)
    }

    async fn start(&self) -> Result<Server> {
        let setup = self.setup.clone();
        tokio::task::spawn_blocking(move || setup.start()).await?
    }

    fn client(&self, server: &Server) -> Result<Client> {
        let url = format!("http://{}", server.address);
        let builder = Client::builder(&self.setup.api_key, &self.setup.api_secret).base_url(url);
        Ok(builder.timeout(Duration::from_secs(60)).build()?)
    }

    /// What disk and database can do, measured right before the sends that are compared with it: disks have moods.
    async fn measure_limits(&mut self, group: usize) -> Result<()> {
        let (folder, duration) = (self.setup.folder.clone(), self.effort.duration);
        self.progress.step(&format!("bare database, groups of {group}"));
        let times = tokio::task::spawn_blocking(move || probe::measure_sync(&folder, duration / 2)).await?;
        let sync = Sync::new(times.context("measuring syncs")?);
        let url = match &self.setup.database_url {
            Some(url) => DatabaseUrl::Postgres(url.clone()),
            None => DatabaseUrl::Sqlite(self.setup.folder.join(format!("probe-{group}.db"))),
        };
        let found = probe::measure_group_commit(&url, group, duration).await?;
        let rows_per_second = found.rows as f64 / found.elapsed.as_secs_f64();
        self.figures.group_commits.push(GroupCommits { group, rows_per_second, sync });
        Ok(())
    }

    fn load(&self, server: &Server, in_flight: usize, fill: Fill) -> Load {
        let duration = self.effort.duration;
        Load {
            address: server.address,
            process: server.process(),
            in_flight,
            warm_up: (duration / 4).min(Duration::from_millis(500)),
            duration,
            requests_max: u64::MAX,
            fill,
        }
    }

    /// Waits until the server has nothing left to do in the background, such as indexing words: reads are measured
    /// without it.
    async fn settle(&self, server: &Server) -> Result<()> {
        self.progress.step("waiting for background work");
        let process = server.process().to_string();
        for _ in 0..SETTLE_LOOKS_MAX {
            let before = machine::cpu_time(&process)?;
            tokio::time::sleep(SETTLE_LOOK).await;
            if machine::cpu_time(&process)?.saturating_sub(before) < SETTLE_LOOK / 20 {
                break;
            }
        }
        Ok(())
    }

    /// Runs a measurement, unless it is one to be left out.
    async fn measure(&mut self, name: &str, load: Load) -> Option<Measurement> {
        let in_flight = load.in_flight;
        self.progress.step(&format!("{name}, {in_flight} in flight"));
        if !self.effort.includes(name) {
            return None;
        }
        Some(Measurement::new(name, in_flight, &load.run().await))
    }

    async fn measure_no_ops(&mut self, server: &Server, encoder: &Encoder) {
        for in_flight in IN_FLIGHT {
            let fill = in_turn(vec![encoder.plain("/healthz")]);
            let found = self.measure("GET /healthz", self.load(server, in_flight, fill)).await;
            self.figures.no_ops.extend(found);
        }
        for in_flight in [1, 64] {
            let path = ChannelTypePath { kind: setup::KIND.to_owned() };
            let fill = in_turn(vec![encoder.read::<GetChannelType>(&path, &NoQuery)]);
            let found = self.measure("get_channel_type", self.load(server, in_flight, fill)).await;
            self.figures.record(found, false);
        }
    }

    fn sends(&mut self, encoder: &Encoder, channels: impl Iterator<Item = (String, Vec<String>)>) -> Fill {
        self.salt += 1;
        let target = |(id, members)| -> (Template, Vec<String>) {
            (encoder.template::<SendMessage>(&channel_path(id), &NoQuery), members)
        };
        sends(channels.map(target).collect(), self.salt)
    }

    async fn measure_sends(&mut self, server: &Server, encoder: &Encoder) -> Result<()> {
        // The sizes take turns, so that what the disk does meanwhile meets all of them.
        for in_flight in IN_FLIGHT {
            self.measure_limits(in_flight).await?;
            for size in setup::SIZES {
                let channel = (setup::sized_channel(size), setup::members(size));
                let fill = self.sends(encoder, [channel].into_iter());
                let found = self.measure(&send_name(size), self.load(server, in_flight, fill)).await;
                self.figures.record(found, true);
            }
            let fill = self.sends(encoder, (0..setup::SPREAD).map(setup::spread_channel));
            let found = self.measure(SEND_SPREAD, self.load(server, in_flight, fill)).await;
            self.figures.record(found, true);
        }
        // One after the other reads better.
        let order =
            |one: &Measurement| (one.name.starts_with("send"), one.name == SEND_SPREAD, one.name.len());
        self.figures.measurements.sort_by_key(order);
        Ok(())
    }

    /// Fills the reader's channels.
    async fn load_set(&mut self, server: &Server, encoder: &Encoder) -> Result<()> {
        let messages = self.effort.messages;
        self.progress.step(&format!("loading {messages} messages"));
        let fill = self.sends(encoder, (0..setup::SET).map(setup::set_channel));
        let load = Load {
            warm_up: Duration::ZERO,
            duration: Duration::from_secs(24 * 3600),
            requests_max: messages,
            ..self.load(server, LOAD_IN_FLIGHT, fill)
        };
        let loaded = load.run().await.context("loading messages")?;
        self.figures.messages = loaded.requests;
        self.figures.load_rate = loaded.requests as f64 / loaded.elapsed.as_secs_f64();
        Ok(())
    }

    async fn measure_reads(&mut self, server: &Server, encoder: &Encoder, client: &Client) -> Result<()> {
        for (name, limit, messages) in
            [("query_channels, 10 with 25 messages", 10, 25), ("query_channels, 30 with 1 message", 30, 1)]
        {
            let request = encoder.write::<QueryChannels>(&NoPath {}, &NoQuery, &of_reader(limit, messages));
            self.measure_both(name, server, &in_turn(vec![request])).await;
        }
        // With few messages for each channel only those that got the sends have whole pages.
        let set = (0..64).map(|index| setup::set_channel(index * 7).0).collect();
        let mut pages = setup::find_pages(client, set, PAGE).await?;
        if pages.is_empty() {
            let spread = (0..setup::SPREAD).map(|index| setup::spread_channel(index).0).collect();
            pages = setup::find_pages(client, spread, PAGE).await?;
        }
        for older in [false, true] {
            let request = |page: &setup::Page| {
                let before = older.then(|| page.before.clone());
                let query = GetChannelQuery { messages_id_lt: before, ..setup::newest_page(PAGE) };
                encoder.read::<GetChannel>(&channel_path(page.channel.clone()), &query)
            };
            let fill = in_turn(pages.iter().map(request).collect());
            self.measure_both(page_name(older), server, &fill).await;
        }
        let searches = [
            ("search, a common word", vec![COMMON_WORD]),
            ("search, a rare word", vec![RARE_WORD]),
            ("search, a common and a rare word", vec![COMMON_WORD, RARE_WORD]),
        ];
        for (name, numbers) in searches {
            let words: Vec<String> = numbers.into_iter().map(word).collect();
            let query = SearchQuery { payload: Some(JsonParam(in_channels_of_reader(words.join(" ")))) };
            let request = encoder.read::<Search>(&NoPath {}, &query);
            self.measure_both(name, server, &in_turn(vec![request])).await;
        }
        self.measure_mark_read(server, encoder).await;
        Ok(())
    }

    async fn measure_both(&mut self, name: &str, server: &Server, fill: &Fill) {
        for in_flight in READS_IN_FLIGHT {
            let found = self.measure(name, self.load(server, in_flight, fill.clone())).await;
            self.figures.record(found, false);
        }
    }

    /// Every member of the largest channel reads it once: each request moves a read position.
    async fn measure_mark_read(&mut self, server: &Server, encoder: &Encoder) {
        let size = setup::SIZES[2];
        let path = channel_path(setup::sized_channel(size));
        let request = |user| {
            let body = MarkReadRequest { user_id: Some(user), ..MarkReadRequest::default() };
            encoder.write::<MarkRead>(&path, &NoQuery, &body)
        };
        let mut requests: Vec<Vec<u8>> = setup::members(size).into_iter().map(request).collect();
        // Each of the measurements has users of its own.
        for (in_flight, users) in [(1, 1000), (64, 9000)] {
            let rest = requests.split_off(users);
            let fill = in_turn(std::mem::replace(&mut requests, rest));
            let load = Load { requests_max: users as u64, ..self.load(server, in_flight, fill) };
            let found = self.measure("mark_read, channel of 10000", load).await;
            self.figures.record(found, true);
        }
    }
}

fn channel_path(id: String) -> ChannelPath {
    ChannelPath { kind: setup::KIND.to_owned(), id }
}

/// The reader's channels, the newest first.
fn of_reader(limit: i64, messages: i64) -> QueryChannelsRequest {
    QueryChannelsRequest {
        limit: Some(limit),
        message_limit: Some(messages),
        state: Some(true),
        user_id: Some(setup::READER.to_owned()),
        filter_conditions: filter::channels::members().is_in([setup::READER]).into(),
        sort: vec![sort::channels::last_message_at().descending()],
        ..QueryChannelsRequest::default()
    }
}

fn in_channels_of_reader(words: String) -> SearchPayload {
    SearchPayload {
        filter_conditions: filter::channels::members().is_in([setup::READER]).into(),
        query: Some(words),
        limit: Some(30),
        ..SearchPayload::default()
    }
}
