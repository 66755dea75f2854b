//! A fresh database of each kind.

#![allow(dead_code, reason = "not every test binary uses all of it")]

use natterjack_protocol::Timestamp;
use natterjack_storage::{ChannelChange, DatabaseUrl, Error, NewChannel, OpFuture, Store, Tx};

pub struct Databases {
    /// SQLite first.
    pub stores: Vec<Store>,
    pub postgres_url: String,
    _folder: tempfile::TempDir,
}

impl Databases {
    /// Fails when there is no PostgreSQL.
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let cluster = xtask::postgres::shared().expect("the tests need PostgreSQL");
        let postgres_url = xtask::postgres::fresh_database(cluster).await.expect("a fresh database");
        let urls =
            [DatabaseUrl::Sqlite(folder.path().join("test.db")), DatabaseUrl::Postgres(postgres_url.clone())];
        let mut stores = Vec::new();
        for url in urls {
            stores.push(Store::open(&url).await.expect("a migrated database"));
        }
        Self { stores, postgres_url, _folder: folder }
    }

    pub async fn close(self) {
        for store in self.stores {
            store.close().await;
        }
        xtask::postgres::drop_database(&self.postgres_url).await.expect("it is ours");
    }
}

/// Runs a write that must succeed.
pub async fn write<I, F, R>(store: &Store, input: I, operation: F) -> R
where
    I: Send + Sync + 'static,
    F: for<'t> Fn(&'t mut Tx, &'t I) -> OpFuture<'t, R, Error> + Send + Sync + 'static,
    R: Send + 'static,
{
    let dialect = store.dialect();
    store.write("test", input, operation).await.unwrap_or_else(|error| panic!("{dialect:?}: {error:?}"))
}

/// Runs a read that must succeed.
pub async fn read<I, F, R>(store: &Store, input: I, operation: F) -> R
where
    I: Send + Sync + 'static,
    F: for<'t> Fn(&'t mut Tx, &'t I) -> OpFuture<'t, R, Error> + Send + Sync + 'static,
    R: Send + 'static,
{
    let dialect = store.dialect();
    store.read("test", input, operation).await.unwrap_or_else(|error| panic!("{dialect:?}: {error:?}"))
}

pub fn at(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanoseconds(nanoseconds)
}

/// A channel of the type `messaging` by ann.
pub fn new_channel(id: &str) -> NewChannel {
    NewChannel {
        kind: "messaging".to_owned(),
        id: id.to_owned(),
        cid: format!("messaging:{id}"),
        created_by_id: "ann".to_owned(),
        distinct_members: Vec::new(),
        change: ChannelChange::default(),
    }
}
