//! Who works on a task, and what happens when that one is gone.

#![allow(clippy::unwrap_used)]

mod databases;

use databases::{Databases, at, write};
use natterjack_protocol::JsonMap;
use natterjack_storage::{NewTask, Result, TaskError, TaskStatus, Tx};

const APP: i64 = 1;

fn task(id: &str) -> NewTask {
    let payload = "{}".to_owned();
    NewTask { id: id.to_owned(), app_pk: APP, kind: "delete_users", payload, progress: None }
}

async fn leases(tx: &mut Tx) -> Result<()> {
    tx.insert_task(&task("one"), None, at(10)).await?;
    tx.insert_task(&task("two"), None, at(11)).await?;
    assert!(tx.find_task(APP + 1, "one").await?.is_none(), "a task belongs to its app");
    assert_eq!(tx.find_task(APP, "one").await?.unwrap().status, TaskStatus::Waiting);

    let first = tx.claim_task(at(100), at(20)).await?.unwrap();
    assert_eq!((first.id.as_str(), first.status, first.attempts), ("one", TaskStatus::Running, 1));
    assert_eq!(tx.claim_task(at(100), at(20)).await?.unwrap().id, "two");
    assert!(tx.claim_task(at(100), at(99)).await?.is_none(), "both are held");

    // Who held it gave no sign of life.
    let second = tx.claim_task(at(200), at(100)).await?.unwrap();
    assert_eq!((second.id.as_str(), second.attempts), ("one", 2));
    let result = JsonMap::new();
    assert!(!tx.advance_task(&first.lease(), "{}", &result, at(300), at(101)).await?, "the lease is lost");
    assert!(!tx.end_task(&first.lease(), &result, None, at(101)).await?, "the lease is lost");
    assert!(tx.advance_task(&second.lease(), "{\"a\":1}", &result, at(300), at(101)).await?);
    let stored = tx.find_task(APP, "one").await?.unwrap();
    assert_eq!((stored.progress.as_deref(), stored.attempts), (Some("{\"a\":1}"), 0));

    let error = TaskError { kind: "internal".to_owned(), description: "no".to_owned() };
    assert!(tx.end_task(&second.lease(), &result, Some(&error), at(102)).await?);
    let stored = tx.find_task(APP, "one").await?.unwrap();
    assert_eq!((stored.status, stored.error), (TaskStatus::Failed, Some(error)));
    assert!(!tx.end_task(&second.lease(), &result, None, at(103)).await?, "it has ended");

    assert_eq!(tx.prune_tasks(at(102), 10).await?, 0);
    assert_eq!(tx.prune_tasks(at(103), 10).await?, 1);
    assert!(tx.find_task(APP, "one").await?.is_none());
    assert!(tx.find_task(APP, "two").await?.is_some(), "it has not ended");
    Ok(())
}

#[tokio::test]
async fn a_task_is_worked_on_by_one_at_a_time() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        write(store, (), |tx, ()| Box::pin(leases(tx))).await;
    }
    databases.close().await;
}
