//! Operations that share a transaction do not share their failures.

#![allow(clippy::unwrap_used)]

mod databases;

use databases::{Databases, at, read};
use futures_util::future::join_all;
use natterjack_storage::{Error, NewApp, OpFuture, Store, Turn, Tx};

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
