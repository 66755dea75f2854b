//! What is purged goes in steps of the size asked for, and its space goes back to the disk.

#![allow(clippy::unwrap_used)]

mod databases;

use std::time::{Duration, Instant};

use databases::{Databases, at, new_channel, read, write};
use natterjack_protocol::Custom;
use natterjack_storage::{
    Advance, Dialect, MessageChange, MessageExtra, MessageKind, NewApp, NewMember, NewMessage, PurgeKind,
    Result, Store, Tx,
};

const APP: i64 = 1;
const MESSAGES: i64 = 1500;

async fn fill(tx: &mut Tx) -> Result<i64> {
    let app = NewApp { name: "test".to_owned(), api_key: "key".to_owned(), api_secret: "secret".to_owned() };
    tx.insert_app(&app, at(1)).await?;
    let channel = new_channel("big");
    let channel_pk = tx.insert_channel(APP, &channel, at(1)).await?.unwrap().pk;
    let members: Vec<NewMember> = (0..20)
        .map(|number| NewMember {
            user_id: format!("u{number}"),
            channel_role: "channel_member".to_owned(),
            custom: Custom::new(),
            invited: false,
            hidden: false,
            hide_messages_before: None,
        })
        .collect();
    tx.insert_members(APP, channel_pk, 0, &members, at(1)).await?;
    for number in 0..MESSAGES {
        let message = NewMessage {
            id: format!("m{number}"),
            user_id: "u0".to_owned(),
            kind: MessageKind::Regular,
            parent_pk: None,
            parent_id: None,
            in_channel: true,
            counts_unread: true,
            silent: false,
            shadowed: false,
            restricted_visibility: Vec::new(),
            change: MessageChange {
                text: "words ".repeat(400),
                quoted_message_id: None,
                mentioned_user_ids: Vec::new(),
                attachments: Vec::new(),
                custom: Custom::new(),
                extra: MessageExtra::default(),
                pin: None,
            },
        };
        let advance = Advance { unread: 1, messages: 1, last_message: true, ..Advance::default() };
        let advanced = tx.advance_channel(channel_pk, advance, at(10)).await?.unwrap();
        tx.insert_message(APP, channel_pk, &message, advanced.unread_seq, None, advanced.at).await?;
    }
    Ok(channel_pk)
}

/// Purges until nothing is left. Answers in how many steps.
async fn purge(store: &Store, limit: i64) -> i64 {
    let mut steps = 0;
    while write(store, limit, |tx, limit| Box::pin(tx.run_purge_step(*limit))).await {
        steps += 1;
    }
    steps
}

/// Pages of the file that are in use or free, and those that are free.
fn pages(store: &Store) -> (i64, i64) {
    let raw = rusqlite::Connection::open(store.file().unwrap()).unwrap();
    let pragma = |name: &str| raw.pragma_query_value(None, name, |row| row.get(0)).unwrap();
    (pragma("page_count"), pragma("freelist_count"))
}

#[tokio::test]
async fn a_channel_goes_in_small_steps_and_gives_its_space_back() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        let dialect = store.dialect();
        let channel_pk = write(store, (), |tx, ()| Box::pin(fill(tx))).await;
        let before = (dialect == Dialect::Sqlite).then(|| pages(store));
        write(store, channel_pk, |tx, channel_pk| {
            Box::pin(async move {
                tx.bury_channel(*channel_pk, at(9000)).await?;
                tx.insert_purge(*channel_pk, PurgeKind::Channel, at(9000), at(9000)).await
            })
        })
        .await;
        assert!(read(store, (), |tx, ()| Box::pin(tx.has_purges())).await);
        let steps = purge(store, 100).await;
        assert!(steps >= MESSAGES / 100, "{dialect:?}: {steps} steps");
        assert!(!read(store, (), |tx, ()| Box::pin(tx.has_purges())).await);
        let report = store.check(|_| ()).await.unwrap();
        assert!(report.is_clean(), "{dialect:?}: {report:#?}");
        for (table, rows) in &report.counts {
            assert_eq!(*rows, i64::from(*table == "apps"), "{dialect:?}: {table}");
        }
        if let Some((before, _)) = before {
            let (after, free) = pages(store);
            assert!(after < before / 4 && free < 10, "{before} pages, then {after}, {free} of them free");
        }
    }
    databases.close().await;
}

#[tokio::test]
async fn cutting_a_long_history_is_a_matter_of_a_few_rows() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        let dialect = store.dialect();
        let channel_pk = write(store, (), |tx, ()| Box::pin(fill(tx))).await;
        let started = Instant::now();
        write(store, channel_pk, |tx, channel_pk| {
            Box::pin(async move {
                let advanced = tx.advance_channel(*channel_pk, Advance::default(), at(9000)).await?.unwrap();
                tx.truncate_channel(*channel_pk, advanced.at, None, advanced.at).await?;
                tx.insert_purge(*channel_pk, PurgeKind::Messages, advanced.at, advanced.at).await
            })
        })
        .await;
        assert!(started.elapsed() < Duration::from_millis(500), "{dialect:?}: {:?}", started.elapsed());
        let channel =
            read(store, channel_pk, |tx, pk| Box::pin(tx.list_channels(vec![*pk]))).await.pop().unwrap();
        assert_eq!((channel.message_count, channel.last_message_at), (0, None), "{dialect:?}");
        assert_eq!((channel.history_seq, channel.unread_seq), (MESSAGES, MESSAGES), "{dialect:?}");
        let members = read(store, channel_pk, |tx, pk| {
            Box::pin(async move { tx.list_members_of_channels(&[*pk], 100, 0).await })
        })
        .await;
        assert!(members[0].iter().all(|member| member.unread(channel.unread_seq) == 0), "{dialect:?}");
        purge(store, 500).await;
        let left = store.check(|_| ()).await.unwrap();
        let counts: Vec<_> = left.counts.iter().filter(|(table, _)| *table == "messages").collect();
        assert_eq!(counts, [&("messages", 0)], "{dialect:?}");
    }
    databases.close().await;
}
