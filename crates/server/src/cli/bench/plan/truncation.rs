//! A channel of very many messages goes: how soon that is answered, what it costs others, and whether the space comes
//! back.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use natterjack_client::Client;
use natterjack_client::protocol::channels::{DeleteChannelQuery, TruncateChannelRequest};
use natterjack_storage::{DatabaseUrl, KnownWords, Store};

use super::super::child::Server;
use super::super::report::{Measurement, Truncation, millis};
use super::super::requests::{Encoder, text};
use super::super::setup;
use super::Run;
use crate::clock::{Clock as _, SystemClock};

/// How many times the messages of the loaded set the channel has.
const TIMES: u64 = 5;
/// Messages stored in one transaction, and rows removed in one when nobody waits.
const BATCH: i64 = 1000;
/// Sends in flight while the messages are removed.
const IN_FLIGHT: usize = 64;
/// How long the job takes to notice that there is something to remove, at most.
const NOTICED_AFTER: Duration = Duration::from_millis(1500);

impl Run<'_> {
    /// Fills a channel while no server runs, truncates it beside sends to other channels, and deletes it for good.
    pub(super) async fn measure_truncation(&mut self, encoder: &Encoder) -> Result<()> {
        let messages = i64::try_from(self.effort.messages * TIMES)?;
        self.progress.step(&format!("storing {messages} messages in one channel"));
        if !self.effort.includes("truncate_channel") {
            return Ok(());
        }
        let size_before = self.file_mib()?;
        self.fill(messages).await.context("filling a channel")?;
        let size_full = self.file_mib()?;

        let server = self.start().await?;
        let client = self.client(&server)?;
        setup::find_pages(&client, vec![setup::TRUNCATED.to_owned()], 100).await?;
        self.progress.step("sends, before a channel is truncated");
        let sends_before = self.send_elsewhere(&server, encoder).await?;
        self.progress.step("sends, while its messages are removed");
        let answered = truncate(&client).await?;
        tokio::time::sleep(NOTICED_AFTER).await;
        let sends_during = self.send_elsewhere(&server, encoder).await?;
        let still_busy = self.has_purges().await?;

        let query = DeleteChannelQuery { hard_delete: Some(true) };
        client.chat().delete_channel(setup::KIND, setup::TRUNCATED, query).await?;
        self.progress.step("removing the rest");
        tokio::task::spawn_blocking(move || server.stop()).await??;
        self.purge().await?;
        let sizes = [size_before, size_full, self.file_mib()?];
        self.figures.truncation = Some(Truncation {
            messages,
            answer_ms: millis(answered),
            sends_before,
            // When it was over before the sends were, they say nothing.
            sends_during: still_busy.then_some(sends_during),
            file_mib: self.setup.database_url.is_none().then_some(sizes),
        });
        Ok(())
    }

    async fn send_elsewhere(&mut self, server: &Server, encoder: &Encoder) -> Result<f64> {
        let fill = self.sends(encoder, (0..setup::SPREAD).map(setup::spread_channel));
        let outcome = self.load(server, IN_FLIGHT, fill).run().await;
        let measured = Measurement::new("send_message", IN_FLIGHT, &outcome);
        ensure!(measured.failure.is_none(), "sending failed: {:?}", measured.failure);
        Ok(measured.per_second)
    }

    async fn open(&self) -> Result<Store> {
        let url = match &self.setup.database_url {
            Some(url) => DatabaseUrl::Postgres(url.clone()),
            None => DatabaseUrl::Sqlite(self.file()),
        };
        Ok(Store::open(&url).await?)
    }

    fn file(&self) -> PathBuf {
        self.setup.folder.join("data").join("natterjack.db")
    }

    /// Size of the database's file; its log is empty while nobody has it open.
    fn file_mib(&self) -> Result<f64> {
        if self.setup.database_url.is_some() {
            return Ok(0.0);
        }
        Ok(std::fs::metadata(self.file())?.len() as f64 / f64::from(1 << 20))
    }

    /// Stores messages as sends do, and indexes their words.
    async fn fill(&self, messages: i64) -> Result<()> {
        let store = self.open().await?;
        let apps = store.read("list_apps", (), |tx, ()| Box::pin(tx.list_apps())).await?;
        let app =
            apps.into_iter().find(|app| app.api_key == self.setup.api_key).context("the app is gone")?;
        let cid = format!("{}:{}", setup::KIND, setup::TRUNCATED);
        let channel = store
            .read("find_channel", (app.pk, cid), |tx, (app_pk, cid)| Box::pin(tx.find_channel(*app_pk, cid)))
            .await?;
        let channel_pk = channel.context("the channel is gone")?.pk;
        let known = Arc::new(KnownWords::default());
        let mut stored = 0;
        while stored < messages {
            let number = BATCH.min(messages - stored);
            let input = (setup::user(2), text(stored as u64), SystemClock.now(), Arc::clone(&known));
            let indexed = store
                .write("fill_channel", input, move |tx, (user_id, text, now, known)| {
                    Box::pin(async move {
                        tx.fill_channel(channel_pk, user_id, text, number, *now).await?;
                        tx.index_queued_messages(2 * number, known, *now).await
                    })
                })
                .await?;
            known.learn(indexed);
            stored += number;
        }
        store.close().await;
        Ok(())
    }

    async fn has_purges(&self) -> Result<bool> {
        let store = self.open().await?;
        let waits = store.read("has_purges", (), |tx, ()| Box::pin(tx.has_purges())).await?;
        store.close().await;
        Ok(waits)
    }

    /// Does what the job would do, without its rests.
    async fn purge(&self) -> Result<()> {
        let store = self.open().await?;
        while store.write("purge", (), |tx, ()| Box::pin(tx.run_purge_step(BATCH))).await? {}
        store.close().await;
        Ok(())
    }
}

async fn truncate(client: &Client) -> Result<Duration> {
    let request = TruncateChannelRequest { hard_delete: Some(true), ..TruncateChannelRequest::default() };
    let started = Instant::now();
    client.chat().truncate_channel(setup::KIND, setup::TRUNCATED, request).await?;
    Ok(started.elapsed())
}
