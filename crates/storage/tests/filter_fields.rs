//! The fields whose SQL is more than a column: what each finds, on both databases.

#![allow(clippy::unwrap_used)]

mod databases;

use databases::{Databases, at, read, write};
use natterjack_filter::{parse, parse_sort};
use natterjack_protocol::{Custom, SortParam};
use natterjack_storage::queries::{CHANNELS, MEMBERS, USERS, needs_user};
use natterjack_storage::{
    Advance, ChannelChange, ChannelMute, ChannelQuery, MemberQuery, NewChannel, NewMember, ReadPosition,
    Result, Store, Tx, UserChange, UserQuery,
};
use serde_json::{Value, json};

const APP: i64 = 3;

fn user(id: &str, name: &str, custom: Custom) -> UserChange {
    UserChange {
        id: id.to_owned(),
        name: Some(name.to_owned()),
        image: None,
        role: "user".to_owned(),
        language: "en".to_owned(),
        teams: Vec::new(),
        teams_role: Default::default(),
        invisible: false,
        privacy_settings: None,
        custom,
    }
}

fn member(id: &str) -> NewMember {
    NewMember {
        user_id: id.to_owned(),
        channel_role: "channel_member".to_owned(),
        custom: Custom::new(),
        invited: false,
        hidden: false,
        hide_messages_before: None,
    }
}

async fn channel(tx: &mut Tx, app_pk: i64, id: &str, members: &[NewMember], unread: i64) -> Result<i64> {
    let channel = NewChannel {
        kind: "messaging".to_owned(),
        id: id.to_owned(),
        cid: format!("messaging:{id}"),
        created_by_id: "me".to_owned(),
        distinct_members: if id == "pair" { vec!["me".to_owned()] } else { Vec::new() },
        change: ChannelChange {
            custom: Custom::new().with("name", format!("The {id}")),
            disabled: id == "three",
            filter_tags: vec![id.to_owned(), "every".to_owned()],
            ..ChannelChange::default()
        },
    };
    let stored = tx.insert_channel(app_pk, &channel, at(1)).await?.unwrap();
    tx.insert_members(app_pk, stored.pk, 0, members, at(2)).await?;
    let advance =
        Advance { members: members.len() as i64, unread, last_message: unread > 0, ..Advance::default() };
    tx.advance_channel(stored.pk, advance, at(10 + stored.pk)).await?;
    Ok(stored.pk)
}

/// The channels of `me`: `pair` with ann, all read; `three` with ann and bob, two unread; `hid`, hidden, one unread of
/// two; `asked`, `agreed` and `refused` by invite, three unread; and `other`, of others.
async fn fill(tx: &mut Tx) -> Result<()> {
    for change in [
        user("me", "Mé Myself", Custom::new().with("email", "me@example.org")),
        user(
            "ann",
            "Ann Lee",
            Custom::new().with("username", "annie").with("score", 9_007_199_254_740_993_u64),
        ),
        UserChange {
            teams: ["x", "y", "x"].map(str::to_owned).to_vec(),
            ..user("bob", "Bob Ångström", Custom::new())
        },
    ] {
        tx.upsert_user(APP, &change, at(1)).await?;
    }
    let [me, ann, bob] = ["me", "ann", "bob"].map(member);
    let invited = NewMember { invited: true, ..me.clone() };
    channel(tx, APP, "pair", &[me.clone(), ann.clone()], 0).await?;
    let three = channel(tx, APP, "three", &[me.clone(), ann.clone(), bob.clone()], 2).await?;
    tx.update_member_role(three, "me", "channel_moderator", at(3)).await?;
    let hid = channel(tx, APP, "hid", &[NewMember { hidden: true, ..me.clone() }], 1).await?;
    let position = ReadPosition {
        read_seq: 1,
        unread_less: 0,
        read_up_to: at(1),
        last_read: at(1),
        last_read_message_id: None,
    };
    tx.update_read_position(hid, "me", &position).await?;
    let mute = |channel_pk, expires| ChannelMute {
        channel_pk,
        user_id: "me".to_owned(),
        expires,
        created_at: at(5),
        updated_at: at(5),
    };
    tx.upsert_channel_mute(APP, &mute(three, None), at(5), 2).await?;
    tx.upsert_channel_mute(APP, &mute(hid, Some(at(100))), at(5), 2).await?;
    tx.advance_channel(hid, Advance { unread: 1, ..Advance::default() }, at(10)).await?;
    channel(tx, APP, "asked", &[invited.clone(), bob.clone()], 3).await?;
    for (id, accepted) in [("agreed", true), ("refused", false)] {
        let pk = channel(tx, APP, id, std::slice::from_ref(&invited), 3).await?;
        tx.answer_invite(pk, "me", accepted, at(4)).await?;
    }
    channel(tx, APP, "other", &[ann.clone(), bob], 1).await?;
    // Another app with the same names.
    channel(tx, APP + 1, "pair", &[me, ann], 0).await?;
    Ok(())
}

async fn channels(store: &Store, filter: Value, sort: &[(&str, i32)], user_id: Option<&str>) -> Vec<String> {
    let sort: Vec<_> = sort
        .iter()
        .map(|(field, direction)| SortParam {
            field: Some((*field).to_owned()),
            direction: Some(*direction),
            kind: None,
        })
        .collect();
    let query = ChannelQuery {
        filter: parse(&CHANNELS, filter.as_object().unwrap()).unwrap(),
        sort: parse_sort(&CHANNELS, &sort, 5).unwrap(),
        limit: 30,
        offset: 0,
        user_id: user_id.map(str::to_owned),
        now: at(100),
        without_kinds: Vec::new(),
    };
    let found = read(store, query, |tx, query| Box::pin(tx.query_channels(APP, query))).await;
    found.into_iter().map(|channel| channel.id).collect()
}

#[tokio::test]
async fn channels_are_found() {
    // Newest first, as the default order has them; `three` has a message, `pair` has none.
    const ALL: &[&str] = &["other", "refused", "agreed", "asked", "three", "pair"];
    let of_me: &[(Value, &[&str])] = &[
        (json!({}), ALL),
        (json!({"hidden": false}), ALL),
        (json!({"hidden": true}), &["hid"]),
        (json!({"$or": [{"hidden": true}, {"id": "pair"}]}), &["hid", "pair"]),
        (json!({"members": {"$in": ["me"]}}), &["refused", "agreed", "asked", "three", "pair"]),
        (json!({"members": {"$in": ["bob", "nobody"]}}), &["other", "asked", "three"]),
        (json!({"members": {"$in": []}}), &[]),
        (json!({"members": {"$contains": "bob"}}), &["other", "asked", "three"]),
        (json!({"members": ["ann", "me"]}), &["pair"]),
        (json!({"members": ["me", "ann", "me", "bob"]}), &["three"]),
        (json!({"members": ["me", "bob", "ann", "nobody"]}), &[]),
        (json!({"$nor": [{"members": {"$in": ["me"]}}]}), &["other"]),
        (json!({"$or": [{"members": ["ann", "me"]}, {"id": "other"}]}), &["other", "pair"]),
        (json!({"member.user.name": "Ann Lee"}), &["other", "three", "pair"]),
        (json!({"member.user.name": {"$autocomplete": "ANG b"}}), &["other", "asked", "three"]),
        (json!({"name": {"$autocomplete": "thr"}}), &["three"]),
        (json!({"name": {"$q": "PAIR the"}}), &["pair"]),
        (json!({"name": "The pair"}), &["pair"]),
        (json!({"archived": true}), &[]),
        (json!({"archived": false, "members": {"$in": ["ann"]}}), &["other", "three", "pair"]),
        (json!({"pinned": true}), &[]),
        (json!({"muted": true}), &["three"]),
        (json!({"muted": false, "members": {"$in": ["me"]}}), &["refused", "agreed", "asked", "pair"]),
        (json!({"muted": false, "hidden": true}), &["hid"]),
        (json!({"blocked": false}), ALL),
        (json!({"blocked": true}), &[]),
        (json!({"disabled": true}), &["three"]),
        (json!({"distinct": true}), &["pair"]),
        (json!({"joined": true}), &["agreed", "three", "pair"]),
        (json!({"joined": false}), &["other", "refused", "asked"]),
        (json!({"invite": "pending"}), &["asked"]),
        (json!({"invite": "accepted"}), &["agreed"]),
        (json!({"invite": "rejected"}), &["refused"]),
        // Accepting an invite reads everything.
        (json!({"has_unread": true}), &["three"]),
        (json!({"has_unread": true, "hidden": true}), &["hid"]),
        (json!({"channel_role": "channel_moderator"}), &["three"]),
        (json!({"channel_role": {"$in": ["channel_member"]}}), &["refused", "agreed", "asked", "pair"]),
        (json!({"app_banned": "only"}), &[]),
        (json!({"app_banned": "excluded"}), ALL),
        (json!({"filter_tags": {"$in": ["pair", "three"]}}), &["three", "pair"]),
        (json!({"filter_tags": ["every", "pair"]}), &["pair"]),
        (json!({"filter_tags": ["every"]}), &[]),
        (json!({"last_updated": {"$lte": 1}}), &["pair"]),
    ];
    let databases = Databases::open().await;
    for store in &databases.stores {
        write(store, (), |tx, ()| Box::pin(fill(tx))).await;
        for (filter, expected) in of_me {
            let found = channels(store, filter.clone(), &[], Some("me")).await;
            assert_eq!(found, *expected, "{:?} {filter}", store.dialect());
        }
        let of_nobody = channels(store, json!({}), &[("cid", 1)], None).await;
        assert_eq!(of_nobody, ["agreed", "asked", "hid", "other", "pair", "refused", "three"]);
        let by_unread =
            channels(store, json!({"joined": true}), &[("unread_count", -1), ("name", -1)], Some("me")).await;
        assert_eq!(by_unread, ["three", "pair", "agreed"]);
        let by_flag =
            channels(store, json!({"joined": true}), &[("has_unread", -1), ("pinned_at", -1)], Some("me"))
                .await;
        assert_eq!(by_flag, ["three", "agreed", "pair"]);
        let by_time = channels(store, json!({"joined": true}), &[("last_message_at", 1)], Some("me")).await;
        assert_eq!(by_time, ["three", "agreed", "pair"], "those without messages come last");
    }
    databases.close().await;
}

#[tokio::test]
async fn members_are_found() {
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["ann", "bob", "me"]),
        (json!({"id": "me"}), &["me"]),
        (json!({"user_id": {"$gt": "ann"}}), &["bob", "me"]),
        (json!({"cid": "messaging:three"}), &["ann", "bob", "me"]),
        (json!({"cid": "messaging:pair"}), &[]),
        (json!({"name": {"$autocomplete": "ang"}}), &["bob"]),
        (json!({"name": {"$q": "me"}}), &["me"]),
        (json!({"user.email": "me@example.org"}), &["me"]),
        (json!({"user.email": {"$q": "example"}}), &["me"]),
        (json!({"channel_role": "channel_moderator"}), &["me"]),
        (json!({"is_moderator": false}), &["ann", "bob"]),
        (json!({"banned": false}), &["ann", "bob", "me"]),
        (json!({"notifications_muted": true}), &["me"]),
        (json!({"invite": "pending"}), &[]),
        (json!({"joined": true}), &["ann", "bob", "me"]),
        (json!({"created_at": 2}), &["ann", "bob", "me"]),
        (json!({"last_active": {"$exists": true}}), &[]),
        (json!({"user.nd_deactivated": false}), &["ann", "bob", "me"]),
        (json!({"x": {"$exists": false}}), &["ann", "bob", "me"]),
    ];
    let databases = Databases::open().await;
    for store in &databases.stores {
        write(store, (), |tx, ()| Box::pin(fill(tx))).await;
        for (filter, expected) in cases {
            let filter_text = filter.to_string();
            let filter = parse(&MEMBERS, filter.as_object().unwrap()).unwrap();
            let query = MemberQuery { filter, ..MemberQuery::default() };
            let found = read(store, query, |tx, query| {
                Box::pin(async {
                    let channel = tx.find_channel(APP, "messaging:three").await?.unwrap();
                    tx.query_members(channel.pk, query).await
                })
            })
            .await;
            let found: Vec<_> = found.into_iter().map(|member| member.user_id).collect();
            assert_eq!(found, *expected, "{:?} {filter_text}", store.dialect());
        }
    }
    databases.close().await;
}

#[tokio::test]
async fn users_are_found() {
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["ann", "bob", "me"]),
        (json!({"id": {"$autocomplete": "an"}}), &["ann"]),
        (json!({"username": {"$autocomplete": "ANN"}}), &["ann"]),
        (json!({"username": {"$eq": "annie"}}), &["ann"]),
        (json!({"email": {"$in": ["me@example.org"]}}), &["me"]),
        (json!({"shadow_banned": true}), &[]),
        (json!({"bypass_moderation": {"$ne": true}}), &["ann", "bob", "me"]),
        // As floats, these are the same number.
        (json!({"score": 9_007_199_254_740_992_u64}), &["ann"]),
        (json!({"score": {"$gt": 9_007_199_254_740_992_u64}}), &[]),
        (json!({"score": "9007199254740993"}), &[]),
        (json!({"teams": null}), &["ann", "me"]),
        (json!({"teams": ["y", "x"]}), &["bob"]),
        (json!({"teams": ["x"]}), &[]),
        (json!({"teams": {"$contains": "x"}}), &["bob"]),
    ];
    let databases = Databases::open().await;
    for store in &databases.stores {
        write(store, (), |tx, ()| Box::pin(fill(tx))).await;
        for (filter, expected) in cases {
            let filter_text = filter.to_string();
            let filter = parse(&USERS, filter.as_object().unwrap()).unwrap();
            let query = UserQuery {
                filter,
                sort: Vec::new(),
                limit: 30,
                offset: 0,
                include_deactivated: false,
                now: at(1),
            };
            let found = read(store, query, |tx, query| Box::pin(tx.query_users(APP, query))).await;
            let found: Vec<_> = found.into_iter().map(|user| user.id).collect();
            assert_eq!(found, *expected, "{:?} {filter_text}", store.dialect());
        }
    }
    databases.close().await;
}

#[test]
fn fields_of_the_asking_user_are_named() {
    let filter = |filter: Value| parse(&CHANNELS, filter.as_object().unwrap()).unwrap();
    assert_eq!(needs_user(&filter(json!({"$or": [{"id": "x"}, {"joined": true}]})), &[]), Some("joined"));
    assert_eq!(needs_user(&filter(json!({"id": "x", "app_banned": "only"})), &[]), None);
    let pinned = SortParam { field: Some("pinned_at".to_owned()), ..SortParam::default() };
    let sort = parse_sort(&CHANNELS, &[pinned], 5).unwrap();
    assert_eq!(needs_user(&filter(json!({})), &sort), Some("pinned_at"));
}
