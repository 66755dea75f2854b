//! Operations that share a transaction do not share their failures.

#![allow(clippy::unwrap_used)]

mod databases;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use databases::{Databases, at, new_channel, read, write};
use futures_util::future::join_all;
use natterjack_storage::{Advance, Basis, DatabaseUrl, Error, NewApp, OpFuture, Store, Turn, Tx};

/// What an operation does in the middle of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Succeeds,
    FailsBeforeWriting,
    FailsAfterWriting,
    Panics,
}

const ENDS: [End; 4] = [End::Succeeds, End::FailsBeforeWriting, End::FailsAfterWriting, End::Panics];

fn app(number: usize) -> NewApp {
    NewApp {
        name: format!("app-{number}"),
        api_key: format!("key-{number}"),
        api_secret: "secret".to_owned(),
    }
}

async fn write_one(store: &Store, number: usize, end: End) -> bool {
    let turn = if number.is_multiple_of(3) { Turn::OneByOne } else { Turn::Any };
    let outcome = store
        .write_in_channel(number as i64 % 5, turn, "test", (number, end), |tx, (number, end)| {
            Box::pin(async move {
                if *end != End::FailsBeforeWriting {
                    tx.insert_app(&app(*number), at(1)).await?;
                }
                match end {
                    End::Succeeds => Ok(()),
                    End::Panics => panic!("an operation that the test makes panic"),
                    End::FailsBeforeWriting | End::FailsAfterWriting => {
                        Err(Error::Unusable("a test".to_owned()))
                    }
                }
            })
        })
        .await;
    outcome.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_fails_takes_no_other_with_it_and_leaves_nothing() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        // More than one group has room for, so that each kind of failure meets each place in a group.
        let all = join_all((0..600).map(|number| {
            let end = ENDS[number * 7 / 3 % ENDS.len()];
            async move { (number, end, write_one(store, number, end).await) }
        }))
        .await;
        let mut expected = Vec::new();
        for (number, end, succeeded) in all {
            assert_eq!(succeeded, end == End::Succeeds, "{number} {end:?} on {:?}", store.dialect());
            if succeeded {
                expected.push(app(number).name);
            }
        }
        expected.sort();
        let mut stored: Vec<String> = read(store, (), |tx, ()| Box::pin(tx.list_apps()))
            .await
            .into_iter()
            .map(|app| app.name)
            .collect();
        stored.sort();
        assert_eq!(stored, expected, "{:?}", store.dialect());
    }
    databases.close().await;
}

/// A channel, and what it is decided by.
async fn create_channel(store: &Store) -> (i64, Basis<'static>) {
    let created = write(store, (), |tx, ()| {
        Box::pin(async move {
            tx.insert_app(&app(0), at(1)).await?;
            let app_pk = tx.list_apps().await?[0].pk;
            let new = new_channel("general");
            let channel = tx.insert_channel(app_pk, &new, at(1)).await?.unwrap();
            let basis =
                Basis { channel: channel.version, app: tx.find_app_version(app_pk).await?, user: None };
            Ok((channel.pk, basis))
        })
    });
    created.await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_whose_basis_is_gone_undoes_no_other() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        let (channel_pk, basis) = create_channel(store).await;
        let runs = Arc::new(AtomicUsize::new(0));
        let all = join_all((0..300).map(|number| {
            let basis = Basis { channel: basis.channel + i64::from(number % 3 == 0), ..basis };
            let input = (channel_pk, basis, Arc::clone(&runs));
            store.write_in_channel(channel_pk, Turn::Any, "test", input, |tx, (channel_pk, basis, runs)| {
                Box::pin(async move {
                    runs.fetch_add(1, Ordering::Relaxed);
                    let advance = Advance { events: 1, ..Advance::default() };
                    let advanced = tx.advance_channel_on(*channel_pk, *basis, advance, at(2)).await?;
                    advanced.map(drop).ok_or_else(|| Error::Unusable("a test".to_owned()))
                })
            })
        }));
        let succeeded = all.await.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!((succeeded, runs.load(Ordering::Relaxed)), (200, 300), "{:?}", store.dialect());
    }
    databases.close().await;
}

/// A connection prepares each statement when it first meets it, which takes a way to the database and back.
#[tokio::test(flavor = "multi_thread")]
async fn operations_of_a_channel_keep_their_order_on_a_new_connection() {
    let databases = Databases::open().await;
    let (channel_pk, basis) = create_channel(&databases.stores[1]).await;
    let url = DatabaseUrl::Postgres(databases.postgres_url.clone());
    for round in 0..10 {
        let store = Store::open(&url).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..100 {
            let (store, basis) = (store.clone(), basis);
            tasks.spawn(async move {
                let input = (channel_pk, basis, 1 + round * 100 + number);
                let written = store.write_in_channel(
                    channel_pk,
                    Turn::Any,
                    "test",
                    input,
                    |tx, (channel_pk, basis, number)| {
                        Box::pin(async move {
                            let advance = Advance { events: 1, ..Advance::default() };
                            let advanced = tx.advance_channel_on(*channel_pk, *basis, advance, at(2)).await?;
                            tx.insert_app(&app(*number), advanced.expect("the basis holds").at).await
                        })
                    },
                );
                written.await.unwrap();
            });
            // Some come while others are under way.
            tokio::time::sleep(std::time::Duration::from_micros(20)).await;
        }
        tasks.join_all().await;
        let apps = read(&store, (), |tx, ()| Box::pin(tx.list_apps())).await;
        assert!(apps.is_sorted_by_key(|app| app.created_at), "round {round}");
        store.close().await;
    }
    databases.close().await;
}

/// The second statement violates a unique key, which PostgreSQL answers by undoing the first as well.
fn carry_on_after_a_failure<'t>(tx: &'t mut Tx, number: &'t usize) -> OpFuture<'t, (), Error> {
    Box::pin(async move {
        tx.insert_app(&app(*number), at(1)).await?;
        assert!(tx.insert_app(&app(*number), at(1)).await.is_err());
        Ok(())
    })
}

#[tokio::test]
async fn what_goes_on_after_a_failed_statement_is_not_acknowledged_unless_it_is_stored() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        for (number, turn) in [None, Some(Turn::Any)].into_iter().enumerate() {
            let outcome = match turn {
                None => store.write("test", number, carry_on_after_a_failure).await,
                Some(turn) => store.write_in_channel(1, turn, "test", number, carry_on_after_a_failure).await,
            };
            let apps = read(store, (), |tx, ()| Box::pin(tx.list_apps())).await;
            let is_stored = apps.iter().any(|found| found.name == app(number).name);
            assert_eq!(outcome.is_ok(), is_stored, "{turn:?} on {:?}", store.dialect());
        }
    }
    databases.close().await;
}
