//! A database that was written properly passes the check; whatever is then changed by hand breaks one rule.

#![allow(clippy::unwrap_used)]

#[path = "check/controls.rs"]
mod controls;
mod databases;
#[path = "check/world.rs"]
mod world;

use controls::{CONTROLS, Control};
use databases::{Databases, write};
use natterjack_storage::{Dialect, Report, Store};

/// A second connection to the database, for changes that storage operations do not make.
enum Raw {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

impl Raw {
    async fn connect(store: &Store, databases: &Databases) -> Self {
        match store.file() {
            Some(file) => Self::Sqlite(rusqlite::Connection::open(file).unwrap()),
            None => {
                let connected = tokio_postgres::connect(&databases.postgres_url, tokio_postgres::NoTls).await;
                let (client, connection) = connected.unwrap();
                tokio::spawn(connection);
                Self::Postgres(client)
            }
        }
    }

    async fn run(&self, sql: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql).unwrap(),
            Self::Postgres(client) => client.batch_execute(sql).await.unwrap(),
        }
    }
}

fn broken(report: &Report) -> Vec<&'static str> {
    report.outcomes.iter().filter(|outcome| outcome.violations > 0).map(|outcome| outcome.rule).collect()
}

#[tokio::test]
async fn what_was_written_properly_passes_and_every_damage_is_found() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        write(store, (), |tx, ()| Box::pin(world::build(tx))).await;
        let dialect = store.dialect();
        let raw = Raw::connect(store, &databases).await;
        let clean = store.check(|_| ()).await.unwrap();
        assert!(clean.is_clean(), "{dialect:?}: {:#?}", clean.violations().collect::<Vec<_>>());
        let count = |name| clean.counts.iter().find(|(counted, _)| *counted == name).unwrap().1;
        assert_eq!((count("channels"), count("members"), count("reactions")), (5, 11, 12), "{dialect:?}");
        assert_eq!((count("message_words"), count("message_words without message")), (21, 1), "{dialect:?}");

        for Control { rule, damage, repair } in CONTROLS {
            raw.run(damage).await;
            let report = store.check(|_| ()).await.unwrap();
            assert_eq!(broken(&report), [*rule], "{dialect:?}: {damage}: {report:#?}");
            assert!(
                report.violations().all(|violation| violation.rule == *rule && !violation.detail.is_empty())
            );
            raw.run(repair).await;
        }
        let rules = clean.outcomes.iter().map(|outcome| outcome.rule);
        let uncontrolled: Vec<_> =
            rules.filter(|rule| CONTROLS.iter().all(|control| control.rule != *rule)).collect();
        assert_eq!(uncontrolled, if dialect == Dialect::Sqlite { vec!["file"] } else { vec![] });
        assert!(store.check(|_| ()).await.unwrap().is_clean(), "{dialect:?}");

        raw.run(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150) \
             INSERT INTO unread_gaps (channel_pk, seq) SELECT 99, i FROM n",
        )
        .await;
        let many = store.check(|_| ()).await.unwrap();
        assert_eq!((many.violations_total(), many.violations().count()), (150, 100), "{dialect:?}");
        raw.run("DELETE FROM unread_gaps WHERE channel_pk = 99").await;

        if dialect == Dialect::Sqlite {
            raw.run("DELETE FROM message_words_data WHERE id > 10").await;
            assert_eq!(broken(&store.check(|_| ()).await.unwrap()), ["file"]);
        }
    }
    databases.close().await;
}

#[tokio::test]
async fn progress_names_the_rules() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let report = store.check(move |rule| tell.send(rule.to_owned()).unwrap()).await.unwrap();
        for outcome in &report.outcomes {
            assert_eq!(told.recv().await.as_deref(), Some(outcome.rule));
        }
        assert_eq!(told.recv().await, None);
    }
    databases.close().await;
}
