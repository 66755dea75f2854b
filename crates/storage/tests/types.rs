//! Apps, their channel types and stored filters, and names that are unique, on both databases.

#![allow(clippy::unwrap_used)]

mod databases;

use databases::{Databases, at, write};
use natterjack_protocol::app::AppSettings;
use natterjack_protocol::channel_types::ChannelTypeConfig;
use natterjack_protocol::predefined_filters::PredefinedFilter;
use natterjack_protocol::{JsonMap, SortParam};
use natterjack_storage::{
    Advance, Basis, ChannelChange, NewApp, NewChannel, Result, Tx, UserChange, name_key,
};

fn config(name: &str) -> ChannelTypeConfig<String> {
    ChannelTypeConfig {
        name: name.to_owned(),
        commands: vec!["giphy".to_owned()],
        created_at: at(1),
        updated_at: at(2),
        ..ChannelTypeConfig::default()
    }
}

fn user(id: &str, name: &str, teams: &[&str]) -> UserChange {
    UserChange {
        id: id.to_owned(),
        name: Some(name.to_owned()),
        image: None,
        role: "user".to_owned(),
        language: String::new(),
        teams: teams.iter().map(|team| (*team).to_owned()).collect(),
        teams_role: Default::default(),
        invisible: false,
        privacy_settings: None,
        custom: Default::default(),
    }
}

async fn apps(tx: &mut Tx) -> Result<i64> {
    let app = NewApp { name: "n".to_owned(), api_key: "k".to_owned(), api_secret: "s".to_owned() };
    tx.insert_app(&app, at(1)).await?;
    let (pk, version) = tx.list_app_versions().await?[0];
    assert_eq!((tx.find_app_version(pk).await?, tx.hold_app(pk).await?), (version, version));
    assert_eq!((tx.find_app_version(99).await?, tx.hold_app(99).await?), (0, 0));
    assert_eq!(tx.advance_app(pk, at(2)).await?, Some(version + 1));
    assert_eq!(tx.advance_app(99, at(2)).await?, None);
    tx.update_app_credentials(pk, "k2", "s2", at(3)).await?;
    let settings = AppSettings { multi_tenant_enabled: Some(true), ..AppSettings::default() };
    tx.update_app_settings(pk, &settings).await?;
    let found = tx.find_app(pk).await?.unwrap();
    assert_eq!((found.version, found.api_key.as_str(), found.settings), (version + 2, "k2", settings));
    assert!(tx.find_app(99).await?.is_none());
    Ok(pk)
}

async fn types(tx: &mut Tx, app_pk: i64) -> Result<()> {
    tx.put_channel_type(app_pk, &config("two")).await?;
    tx.put_channel_type(app_pk, &config("one")).await?;
    tx.put_channel_type(app_pk + 1, &config("one")).await?;
    let changed =
        ChannelTypeConfig { reactions: true, created_at: at(9), updated_at: at(9), ..config("one") };
    tx.put_channel_type(app_pk, &changed).await?;
    // The time of its creation stays.
    let stored = ChannelTypeConfig { created_at: at(1), ..changed };
    assert_eq!(tx.list_channel_types(app_pk).await?, [stored, config("two")]);
    tx.delete_channel_type(app_pk, "two").await?;
    assert_eq!(tx.list_channel_types(app_pk).await?.len(), 1);
    assert_eq!(tx.list_channel_types(app_pk + 1).await?, [config("one")]);
    Ok(())
}

async fn counting(tx: &mut Tx, app_pk: i64) -> Result<()> {
    let new = NewChannel {
        kind: "one".to_owned(),
        id: "a".to_owned(),
        cid: "one:a".to_owned(),
        created_by_id: "ann".to_owned(),
        distinct_members: Vec::new(),
        change: ChannelChange::default(),
    };
    let pk = tx.insert_channel(app_pk, &new, at(1)).await?.unwrap().pk;
    assert!(tx.has_channels_of_type(app_pk, "one").await?);
    assert!(!tx.has_channels_of_type(app_pk, "two").await?);
    assert!(!tx.has_channels_of_type(app_pk + 1, "one").await?);
    let version = tx.find_app_version(app_pk).await?;
    for (counting, messages, expected) in [
        (Some(false), 1, 0),
        (None, 1, 0),
        (Some(true), 1, 1),
        (Some(true), 2, 3),
        (None, -1, 2),
        // Deleting those that were not counted lowers the number no further than to 0.
        (None, -3, 0),
        (Some(true), 1, 1),
        (Some(false), 1, 0),
    ] {
        let advance = Advance { messages, counting, ..Advance::default() };
        let basis = Basis { channel: 1, app: version, user: None };
        let moved = Basis { app: version + 1, ..basis };
        assert!(tx.advance_channel_on(pk, moved, advance, at(2)).await?.is_none());
        tx.advance_channel_on(pk, basis, advance, at(2)).await?.unwrap();
        let channel = tx.find_channel(app_pk, "one:a").await?.unwrap();
        assert_eq!(channel.counted_messages(), expected, "{counting:?} {messages}");
    }
    tx.delete_channel_softly(pk, at(3)).await?;
    assert!(!tx.has_channels_of_type(app_pk, "one").await?);
    Ok(())
}

async fn filters(tx: &mut Tx, app_pk: i64) -> Result<()> {
    let filter = |name: &str| PredefinedFilter {
        name: name.to_owned(),
        operation: "QueryChannels".to_owned(),
        filter: JsonMap::from_iter([("frozen".to_owned(), true.into())]),
        sort: vec![SortParam::ascending("cid")],
        description: "d".to_owned(),
        created_at: at(1),
        updated_at: at(1),
    };
    assert!(tx.insert_predefined_filter(app_pk, &filter("b"), 2).await?);
    assert!(!tx.insert_predefined_filter(app_pk, &filter("b"), 2).await?);
    assert!(tx.insert_predefined_filter(app_pk, &filter("a"), 2).await?);
    assert!(!tx.insert_predefined_filter(app_pk, &filter("c"), 2).await?);
    assert_eq!(tx.list_predefined_filters(app_pk, 9).await?, [filter("a"), filter("b")]);
    assert_eq!(tx.list_predefined_filters(app_pk, 1).await?.len(), 1);
    assert_eq!(tx.find_predefined_filter(app_pk, "a").await?, Some(filter("a")));
    assert_eq!(tx.find_predefined_filter(app_pk + 1, "a").await?, None);
    let changed = PredefinedFilter { sort: Vec::new(), ..filter("a") };
    let stored = tx.update_predefined_filter(app_pk, &changed, at(2)).await?;
    assert_eq!(stored, Some(PredefinedFilter { updated_at: at(2), ..changed }));
    assert_eq!(tx.update_predefined_filter(app_pk, &filter("c"), at(2)).await?, None);
    assert!(tx.delete_predefined_filter(app_pk, "a").await?);
    assert!(!tx.delete_predefined_filter(app_pk, "a").await?);
    Ok(())
}

async fn names(tx: &mut Tx, app_pk: i64) -> Result<()> {
    tx.lock_names(app_pk, vec!["b".to_owned(), "a".to_owned()]).await?;
    tx.upsert_user(app_pk, &user("ann", "Jane  Doe!", &["red", "blue"]), at(1)).await?;
    tx.upsert_user(app_pk, &user("bob", "Bob", &[]), at(1)).await?;
    let jane = name_key("jane_doe").unwrap();
    let blue = ["blue".to_owned()];
    let green = ["green".to_owned()];
    let teams = Some(vec!["red".to_owned(), "blue".to_owned()]);
    assert_eq!(tx.find_namesake(app_pk, &jane, "eve", None).await?, teams);
    assert_eq!(tx.find_namesake(app_pk, &jane, "eve", Some(&blue)).await?, teams);
    assert_eq!(tx.find_namesake(app_pk, &jane, "eve", Some(&green)).await?, None);
    assert_eq!(tx.find_namesake(app_pk, &jane, "eve", Some(&[])).await?, None);
    assert_eq!(tx.find_namesake(app_pk, "bob", "eve", Some(&[])).await?, Some(Vec::new()));
    // Nobody is his or her own namesake, or that of somebody in another app.
    assert_eq!(tx.find_namesake(app_pk, &jane, "ann", None).await?, None);
    assert_eq!(tx.find_namesake(app_pk + 1, &jane, "eve", None).await?, None);
    tx.upsert_user(app_pk, &user("ann", "Ann", &[]), at(2)).await?;
    assert_eq!(tx.find_namesake(app_pk, &jane, "eve", None).await?, None);
    Ok(())
}

#[tokio::test]
async fn operations_on_apps_do_the_same_on_both_databases() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        let pk = write(store, (), |tx, ()| Box::pin(apps(tx))).await;
        write(store, pk, |tx, pk| Box::pin(types(tx, *pk))).await;
        write(store, pk, |tx, pk| Box::pin(counting(tx, *pk))).await;
        write(store, pk, |tx, pk| Box::pin(filters(tx, *pk))).await;
        write(store, pk, |tx, pk| Box::pin(names(tx, *pk))).await;
    }
    databases.close().await;
}

#[test]
fn names_are_compared_by_letters_and_digits() {
    for same in ["Jane Doe", "jane_doe", "JANE-DOE", " j.a\tn'e d\u{a0}oe!"] {
        assert_eq!(name_key(same).as_deref(), Some("janedoe"), "{same}");
    }
    assert_eq!(name_key("J\u{e4}ne 2").as_deref(), Some("j\u{e4}ne2"));
    assert_eq!(name_key(" _-"), None);
}
