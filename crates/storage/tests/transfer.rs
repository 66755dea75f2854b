//! Everything is copied from one database to another, whatever they are, and differences are found.

#![allow(clippy::unwrap_used)]

mod databases;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};

use databases::{Databases, at, read, write};
use futures_util::FutureExt as _;
use natterjack_storage::{DatabaseUrl, Error, NewApp, Phase, Step, Store, TableChecksum, UserChange};

/// More than two pages.
const USERS: usize = 2345;

fn user(number: usize) -> UserChange {
    UserChange {
        id: format!("user-{number}"),
        name: (!number.is_multiple_of(3)).then(|| format!("Ünal \"{number}\" 東")),
        image: None,
        role: "user".to_owned(),
        language: String::new(),
        teams: vec!["red".to_owned()],
        teams_role: Default::default(),
        invisible: number.is_multiple_of(2),
        privacy_settings: None,
        custom: Default::default(),
    }
}

async fn fill(store: &Store) {
    write(store, (), |tx, ()| {
        Box::pin(async move {
            let app = |name: &str| NewApp {
                name: name.to_owned(),
                api_key: name.to_owned(),
                api_secret: "secret".to_owned(),
            };
            tx.insert_app(&app("one"), at(1)).await?;
            tx.insert_app(&app("two"), at(2)).await?;
            for number in 0..USERS {
                tx.upsert_user(1, &user(number), at(number as i64)).await?;
            }
            Ok(())
        })
    })
    .await;
}

async fn open(folder: &tempfile::TempDir, name: &str) -> Store {
    Store::open(&DatabaseUrl::Sqlite(folder.path().join(name))).await.unwrap()
}

async fn transfer(from: &Store, to: &Store) -> Result<Vec<TableChecksum>, Error> {
    let copied = from.transfer(to, &mut |_| ()).await?;
    to.finish_transfer().await?;
    Ok(copied)
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_again_nothing_is_lost() {
    let databases = Databases::open().await;
    let [sqlite, postgres] = &databases.stores[..] else { panic!("two databases") };
    fill(sqlite).await;
    let expected = sqlite.checksums().await.unwrap();
    assert_eq!(expected.iter().find(|table| table.table == "users").unwrap().rows, USERS as u64);

    assert_eq!(transfer(sqlite, postgres).await.unwrap(), expected);
    assert_eq!(postgres.checksums().await.unwrap(), expected);
    let folder = tempfile::tempdir().unwrap();
    let back = open(&folder, "back.db").await;
    assert_eq!(transfer(postgres, &back).await.unwrap(), expected);
    assert!(!back.is_half_transferred().await.unwrap());

    // Keys go on where they were.
    for store in [postgres, &back] {
        let app = NewApp { name: "three".to_owned(), api_key: "3".to_owned(), api_secret: "s".to_owned() };
        write(store, app, |tx, app| Box::pin(tx.insert_app(app, at(3)))).await;
        let pks: Vec<i64> =
            read(store, (), |tx, ()| Box::pin(tx.list_apps())).await.into_iter().map(|app| app.pk).collect();
        assert_eq!(pks, [1, 2, 3], "{:?}", store.dialect());
    }
    back.close().await;
    databases.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_transfer_goes_on_where_it_stopped() {
    let databases = Databases::open().await;
    let [sqlite, postgres] = &databases.stores[..] else { panic!("two databases") };
    fill(sqlite).await;
    // The first attempt ends after the second page of users.
    let mut users = 0;
    let mut progress = |step: Step<'_>| {
        users += if step.table == "users" { step.rows } else { 0 };
        assert!(users < 2000, "the interruption of this test");
    };
    let first = AssertUnwindSafe(sqlite.transfer(postgres, &mut progress)).catch_unwind().await;
    assert!(first.is_err(), "it was to be interrupted");
    assert!(postgres.is_half_transferred().await.unwrap());

    let first = AtomicU64::new(0);
    let copied = sqlite
        .transfer(postgres, &mut |step| {
            if step.phase == Phase::Copying && step.table == "users" {
                let _ = first.compare_exchange(0, step.rows, Ordering::Relaxed, Ordering::Relaxed);
            }
        })
        .await
        .unwrap();
    assert!(first.into_inner() >= 2000, "the pages that were there were copied again");
    assert_eq!(copied, sqlite.checksums().await.unwrap());
    databases.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_and_a_target_in_use_are_refused() {
    let databases = Databases::open().await;
    let [sqlite, postgres] = &databases.stores[..] else { panic!("two databases") };
    fill(sqlite).await;
    fill(postgres).await;
    let refused = sqlite.transfer(postgres, &mut |_| ()).await.unwrap_err().to_string();
    assert!(refused.contains("not empty"), "{refused}");

    let folder = tempfile::tempdir().unwrap();
    let target = open(&folder, "target.db").await;
    sqlite.transfer(&target, &mut |_| ()).await.unwrap();
    // Somebody writes to the target before the transfer is repeated.
    write(&target, (), |tx, ()| {
        Box::pin(async move { tx.upsert_user(1, &user(USERS), at(1)).await.map(|_| ()) })
    })
    .await;
    let refused = sqlite.transfer(&target, &mut |_| ()).await.unwrap_err().to_string();
    assert!(refused.contains("users differs"), "{refused}");
    target.close().await;
    databases.close().await;
}
