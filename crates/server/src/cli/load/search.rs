//! Compares what searches find with what the file holds.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use natterjack_client::protocol::JsonMap;
use natterjack_client::protocol::search::SearchPayload;
use natterjack_client::{Error, Filter};
use natterjack_filter::words;

use super::Context;
use super::dataset::{Dataset, Kind};
use super::verify::Findings;
use crate::cli::progress::Progress;

/// Channels that a search looks into at most.
const CHANNELS_MAX: usize = 500;

/// Messages that a search may find so that it is made: more would take more time and show nothing new.
const HITS_MAX: usize = 900;

/// How many words are looked up, by how many messages hold them: rare words, common ones, very common ones.
const BANDS: [(std::ops::RangeInclusive<usize>, usize); 3] = [(1..=1, 60), (2..=20, 70), (21..=HITS_MAX, 70)];

/// How many pairs of words are looked up.
const PAIRS: usize = 20;

/// How many beginnings of words are looked up.
const PREFIXES: usize = 20;

/// Letters of such a beginning.
const PREFIX_LENGTH: usize = 4;

/// How long the server may take to index what it was sent.
const INDEXING_TIME_MAX: Duration = Duration::from_secs(60);

/// The wait before a search is made again that did not find what it should.
const INDEXING_WAIT: Duration = Duration::from_millis(500);

/// The messages that hold each word, by their places in `ids`.
#[derive(Debug, Default)]
struct Index<'a> {
    ids: Vec<&'a str>,
    words: BTreeMap<String, Vec<usize>>,
}

/// A search and the ids of the messages that it has to find, sorted.
#[derive(Debug, PartialEq)]
struct Query {
    name: String,
    payload: SearchPayload,
    expected: Vec<String>,
}

/// Makes the searches and reports those that find something else than the file holds.
pub async fn verify(context: &Context, findings: &Findings) {
    let cids = context.dataset.channels.iter().take(CHANNELS_MAX).map(|channel| context.cid(channel));
    let channels: JsonMap = Filter::is_in("cid", cids).into();
    let queries = Index::of(&context.dataset).queries();
    let progress = Progress::start("searches", queries.len());
    let deadline = Instant::now() + INDEXING_TIME_MAX;
    stream::iter(&queries)
        .map(|query| async {
            if let Err(error) = check(context, &channels, query, deadline, findings).await {
                findings.differ(format!("search for {}: {:#}", query.name, anyhow::Error::new(error)));
            }
            Findings::count(&findings.searches, 1);
            progress.add(1);
        })
        .buffer_unordered(context.in_flight)
        .collect::<()>()
        .await;
    eprintln!("{}", progress.finish());
}

async fn check(
    context: &Context,
    channels: &JsonMap,
    query: &Query,
    deadline: Instant,
    findings: &Findings,
) -> Result<(), Error> {
    loop {
        let payload = SearchPayload { filter_conditions: channels.clone(), ..query.payload.clone() };
        let results = context.client.chat().search_stream(payload).try_collect::<Vec<_>>().await?;
        let mut found: Vec<String> =
            results.into_iter().filter_map(|result| Some(result.message?.id)).collect();
        found.sort_unstable();
        if found == query.expected {
            return Ok(());
        }
        if Instant::now() < deadline {
            tokio::time::sleep(INDEXING_WAIT).await;
            continue;
        }
        let only_in = |these: &[String], those: &[String]| {
            these.iter().find(|id| those.binary_search(id).is_err()).cloned()
        };
        findings.differ(format!(
            "search for {}: {} found, {} expected; missing {:?}, too many {:?}",
            query.name,
            found.len(),
            query.expected.len(),
            only_in(&query.expected, &found),
            only_in(&found, &query.expected)
        ));
        return Ok(());
    }
}

impl<'a> Index<'a> {
    fn of(dataset: &'a Dataset) -> Self {
        let mut index = Self::default();
        let entries = dataset.channels.iter().take(CHANNELS_MAX).flat_map(|channel| &channel.entries);
        // System messages are never found.
        for entry in entries.filter(|entry| entry.kind != Kind::Join) {
            let place = index.ids.len();
            index.ids.push(&entry.id);
            for word in words(&entry.text) {
                let places = index.words.entry(word).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        index
    }

    /// The searches to make: always the same for the same file.
    fn queries(&self) -> Vec<Query> {
        let mut queries = Vec::new();
        let mut common = Vec::new();
        for (hits, number) in BANDS {
            let band: Vec<_> = self.words.iter().filter(|(_, places)| hits.contains(&places.len())).collect();
            for (word, places) in spread(&band, number) {
                queries.push(self.words_query(word, places));
            }
            common = band;
        }
        for (word, places) in spread(&common, PAIRS) {
            // Together with another word of the first message that holds this one.
            let beside = self
                .words
                .iter()
                .find(|(other, those)| other != word && those.binary_search(&places[0]).is_ok());
            if let Some((other, those)) = beside {
                let both: Vec<_> =
                    places.iter().filter(|place| those.binary_search(place).is_ok()).copied().collect();
                queries.push(self.words_query(&format!("{other} {word}"), &both));
            }
        }
        let long = self.words.keys().filter(|word| word.chars().count() > PREFIX_LENGTH);
        let mut prefixes: Vec<String> = long.map(|word| word.chars().take(PREFIX_LENGTH).collect()).collect();
        prefixes.dedup();
        queries.extend(spread(&prefixes, PREFIXES).filter_map(|prefix| self.prefix_query(prefix)));
        queries
    }

    fn words_query(&self, text: &str, places: &[usize]) -> Query {
        Query {
            name: format!("{text:?}"),
            payload: SearchPayload { query: Some(text.to_owned()), ..Default::default() },
            expected: self.sorted_ids(places),
        }
    }

    /// `None` when too many words begin so.
    fn prefix_query(&self, prefix: &str) -> Option<Query> {
        let beginning =
            self.words.range(prefix.to_owned()..).take_while(|(word, _)| word.starts_with(prefix));
        let mut places: Vec<_> = beginning.flat_map(|(_, places)| places.iter().copied()).collect();
        places.sort_unstable();
        places.dedup();
        let conditions = Filter::autocomplete("text", prefix).into();
        (places.len() <= HITS_MAX).then(|| Query {
            name: format!("{prefix:?}…"),
            payload: SearchPayload { message_filter_conditions: conditions, ..Default::default() },
            expected: self.sorted_ids(&places),
        })
    }

    fn sorted_ids(&self, places: &[usize]) -> Vec<String> {
        let mut ids: Vec<_> = places.iter().map(|place| self.ids[*place].to_owned()).collect();
        ids.sort_unstable();
        ids
    }
}

/// At most `number` of the items, evenly spread.
fn spread<T>(items: &[T], number: usize) -> impl Iterator<Item = &T> {
    items.iter().step_by(items.len().div_ceil(number).max(1)).take(number)
}
