//! Every operation runs on both databases and does the same.

#![allow(clippy::unwrap_used)]

mod databases;

use databases::{Databases, at, new_channel, read, write};
use natterjack_filter::{Expression, Operand, parse, parse_sort};
use natterjack_protocol::{Custom, SortParam};
use natterjack_storage::queries::{
    BanQuery, FlagQuery, FlagReportQuery, FutureBanQuery, KeyPage, MessageHistoryQuery, PageStart,
    ReactionQuery, THREADS,
};
use natterjack_storage::{
    Advance, Ban, BanKind, ChannelChange, ChannelEvent, ChannelMute, ChannelQuery, Error, FlagTarget,
    MemberQuery, Message, MessageChange, MessageExtra, MessageKind, MessagePage, NewApp, NewChannel,
    NewMember, NewMessage, Pin, PurgeKind, Reaction, ReactionGroup, ReactionSummary, Reactor, ReadPosition,
    Result, Review, Store, ThreadQuery, ThreadReadPosition, ToldChange, Tx, UnreadChannels, UnreadGroup,
    UnreadQuery, UnreadThreads, UserBlock, UserChange, UserEvent, UserQuery, VersionEnd, Visibility,
    WHOLE_APP,
};

const APP: i64 = 7;

fn user(id: &str) -> UserChange {
    UserChange {
        id: id.to_owned(),
        name: Some(format!("Name of {id}")),
        image: None,
        role: "user".to_owned(),
        language: String::new(),
        teams: vec!["red".to_owned()],
        teams_role: Default::default(),
        invisible: false,
        privacy_settings: None,
        custom: Custom::new().with("email", format!("{id}@example.org")),
    }
}

fn channel(id: &str) -> NewChannel {
    let change = ChannelChange { filter_tags: vec!["tag".to_owned()], ..ChannelChange::default() };
    NewChannel { change, ..new_channel(id) }
}

fn member(id: &str) -> NewMember {
    NewMember {
        user_id: id.to_owned(),
        channel_role: "channel_member".to_owned(),
        custom: Custom::new().with("x", 1),
        invited: false,
        hidden: false,
        hide_messages_before: None,
    }
}

fn message(id: &str, user_id: &str) -> NewMessage {
    NewMessage {
        id: id.to_owned(),
        user_id: user_id.to_owned(),
        kind: MessageKind::Regular,
        parent_pk: None,
        parent_id: None,
        in_channel: true,
        counts_unread: true,
        silent: false,
        shadowed: false,
        restricted_visibility: Vec::new(),
        change: MessageChange {
            text: format!("text of {id}"),
            quoted_message_id: None,
            mentioned_user_ids: vec!["bob".to_owned()],
            attachments: Vec::new(),
            custom: Custom::new().with("mood", "good"),
            extra: MessageExtra::default(),
            pin: None,
        },
    }
}

async fn users_and_channels(tx: &mut Tx) -> Result<i64> {
    for id in ["ann", "bob", "eve"] {
        let stored = tx.upsert_user(APP, &user(id), at(10)).await?;
        assert_eq!((stored.version, stored.custom["email"].as_str().is_some()), (1, true));
    }
    assert_eq!(tx.upsert_user(APP, &user("eve"), at(11)).await?.version, 2);
    let ids = || ["ann", "nobody"].map(str::to_owned).to_vec();
    assert_eq!(tx.list_users(APP, ids()).await?.len(), 1);
    assert_eq!(tx.lock_users(APP, ids()).await?.len(), 1);
    tx.append_user_event(
        UserEvent { app_pk: APP, user_id: "ann", kind: "user.updated", channel_pk: None, payload: None },
        at(12),
    )
    .await?;
    assert!(tx.prune_user_events((0, ""), at(5), 10).await?.is_some());

    let stored = tx.insert_channel(APP, &channel("one"), at(20)).await?.unwrap();
    assert!(tx.insert_channel(APP, &channel("one"), at(20)).await?.is_none());
    assert_eq!(tx.find_channel(APP, "messaging:one").await?, Some(stored.clone()));
    assert_eq!(tx.lock_channel(APP, "messaging:one").await?, Some(stored.clone()));
    assert_eq!(tx.list_channels(vec![stored.pk]).await?, std::slice::from_ref(&stored));
    let change = ChannelChange { team: Some("red".to_owned()), frozen: true, ..ChannelChange::from(&stored) };
    tx.update_channel(stored.pk, &change, at(21)).await?;
    assert!(tx.find_channel(APP, "messaging:one").await?.unwrap().frozen);
    Ok(stored.pk)
}

async fn members(tx: &mut Tx, channel_pk: i64) -> Result<()> {
    let new = [
        member("ann"),
        NewMember { hidden: true, hide_messages_before: Some(at(1)), ..member("bob") },
        NewMember { invited: true, ..member("eve") },
    ];
    assert_eq!(tx.insert_members(APP, channel_pk, 0, &new, at(30)).await?, ["ann", "bob", "eve"]);
    assert!(tx.insert_members(APP, channel_pk, 0, &new, at(31)).await?.is_empty());
    let advance = Advance { members: 3, events: 1, version: true, ..Advance::default() };
    let advanced = tx.advance_channel(channel_pk, advance, at(30)).await?.unwrap();
    assert_eq!((advanced.member_count, advanced.is_hidden, advanced.version), (3, true, 2));
    tx.append_channel_event(
        ChannelEvent {
            channel_pk,
            seq: advanced.event_seq,
            kind: "member.added",
            user_id: Some("ann"),
            message_id: None,
            payload: Some("{}".to_owned()),
        },
        at(30),
    )
    .await?;
    assert!(tx.find_member(channel_pk, "ann").await?.is_some());
    assert!(tx.find_member(channel_pk, "nobody").await?.is_none());
    assert_eq!(tx.list_members_with_ids(channel_pk, vec!["bob".to_owned()]).await?.len(), 1);
    assert_eq!(tx.list_members_of_channels(&[channel_pk, -1], 2, 1).await?[0].len(), 2);
    assert_eq!(tx.list_memberships("ann", vec![channel_pk]).await?.len(), 1);
    assert!(tx.update_member_role(channel_pk, "bob", "channel_moderator", at(32)).await?);
    assert!(tx.show_hidden_channel(channel_pk, "ann", at(9), Some(vec!["ann".to_owned()])).await?.is_empty());
    assert_eq!(tx.show_hidden_channel(channel_pk, "ann", at(9), None).await?, ["bob"]);
    tx.hide_channel_for(channel_pk, "bob", true, None).await?;
    assert!(tx.find_member(channel_pk, "bob").await?.unwrap().hidden);
    tx.hide_channel_for(channel_pk, "bob", false, None).await?;
    tx.answer_invite(channel_pk, "eve", false, at(33)).await?;
    tx.answer_invite(channel_pk, "eve", true, at(34)).await?;
    assert!(!tx.find_member(channel_pk, "eve").await?.unwrap().is_pending());
    Ok(())
}

async fn messages(tx: &mut Tx, channel_pk: i64) -> Result<()> {
    let mut stored = Vec::new();
    for (number, id) in ["m1", "m2", "m3"].into_iter().enumerate() {
        let advance = Advance { events: 1, unread: 1, messages: 1, last_message: true, ..Advance::default() };
        let advanced = tx.advance_channel(channel_pk, advance, at(40)).await?.unwrap();
        assert_eq!(advanced.at, at(40 + number as i64), "time goes on within a channel");
        let new = message(id, "ann");
        let pk =
            tx.insert_message(APP, channel_pk, &new, advanced.unread_seq, None, advanced.at).await?.unwrap();
        let made = natterjack_storage::Message::from_new(
            new,
            pk,
            APP,
            channel_pk,
            advanced.unread_seq,
            None,
            advanced.at,
        );
        tx.follow_new_message(&made, advanced.event_seq, true).await?;
        assert_eq!(tx.find_message(APP, id).await?, Some(made.clone()));
        assert_eq!(tx.lock_message(APP, id).await?, Some(made.clone()));
        stored.push(made);
    }
    assert!(tx.insert_message(APP, channel_pk, &message("m1", "ann"), 0, None, at(60)).await?.is_none());
    let first = stored[0].clone();
    let change = MessageChange {
        text: "new text".to_owned(),
        pin: Some(Pin { at: at(50), by_id: "bob".to_owned(), expires: Some(at(90)) }),
        ..first.change()
    };
    tx.update_message(first.pk, &change, Some(at(50)), at(50)).await?;
    assert_eq!(tx.list_messages_with_ids(APP, vec!["m1".to_owned()]).await?[0].change(), change);

    let by_bob = Visibility { from: at(0), user_id: Some("bob".to_owned()) };
    for (page, expected) in [
        (MessagePage::Newest, vec!["m2", "m3"]),
        (MessagePage::Oldest, vec!["m1", "m2"]),
        (MessagePage::Before { at: at(41), inclusive: true }, vec!["m1", "m2"]),
        (MessagePage::After { at: at(41), inclusive: false }, vec!["m3"]),
        (MessagePage::Around { at: at(41) }, vec!["m1", "m2"]),
    ] {
        for visibility in [&Visibility::default(), &by_bob] {
            let page = tx.list_messages(channel_pk, page, 2, visibility).await?;
            let ids: Vec<_> = page.iter().map(|message| message.id.as_str()).collect();
            assert_eq!(ids, expected);
        }
    }
    for (page, moment, expected) in [
        (MessagePage::Newest, at(60), 1),
        (MessagePage::Newest, at(95), 0),
        (MessagePage::Before { at: at(0), inclusive: true }, at(60), 0),
        (MessagePage::After { at: at(0), inclusive: false }, at(60), 1),
        (MessagePage::Around { at: at(0) }, at(60), 1),
    ] {
        for visibility in [&Visibility::default(), &by_bob] {
            assert_eq!(tx.list_pinned_page(channel_pk, page, 2, visibility, moment).await?.len(), expected);
        }
    }
    for user_id in [None, Some("bob")] {
        assert_eq!(
            tx.list_newest_messages(&[(channel_pk, at(41)), (-1, at(0))], 9, user_id).await?[0].len(),
            1
        );
        assert_eq!(tx.list_pinned_messages(&[(channel_pk, at(0))], 9, user_id, at(60)).await?[0].len(), 1);
        assert_eq!(tx.list_pinned_messages(&[(channel_pk, at(0))], 9, user_id, at(95)).await?[0].len(), 0);
    }
    assert!(tx.hide_message_for(&first, "bob", at(61)).await?);
    assert!(!tx.hide_message_for(&first, "bob", at(61)).await?);
    assert_eq!(tx.count_messages_hidden_for(channel_pk, "bob").await?, 1);
    assert_eq!(tx.list_messages_hidden_for(vec![first.pk], "bob").await?, [first.pk]);

    thread(tx, channel_pk, first.pk).await?;
    reactions(tx, first.pk).await?;
    history(tx, first.pk).await?;

    tx.delete_message_softly(stored[2].pk, at(70)).await?;
    tx.insert_unread_gaps(channel_pk, &[3, 3]).await?;
    tx.undelete_message(stored[2].pk, at(71)).await?;
    tx.delete_unread_gap(channel_pk, 3).await?;
    tx.delete_thread_unread_gap(first.pk, 9, "bob").await?;
    assert_eq!(tx.find_message(APP, "m3").await?.unwrap().deleted_at, None);
    tx.delete_message_softly(stored[2].pk, at(72)).await?;
    tx.insert_unread_gaps(channel_pk, &[3]).await?;
    for without_system in [true, false] {
        tx.refresh_last_message_at(channel_pk, without_system).await?;
    }
    Ok(())
}

async fn thread(tx: &mut Tx, channel_pk: i64, parent_pk: i64) -> Result<()> {
    for (number, id) in [(1, "r1"), (2, "r2")] {
        let when = at(62 + number);
        assert_eq!(tx.advance_thread(APP, channel_pk, parent_pk, "ann", when).await?, number);
        let reply = NewMessage {
            kind: MessageKind::Reply,
            parent_pk: Some(parent_pk),
            parent_id: Some("m1".to_owned()),
            in_channel: false,
            counts_unread: false,
            restricted_visibility: vec!["ann".to_owned()],
            ..message(id, "bob")
        };
        let pk = tx.insert_message(APP, channel_pk, &reply, 3, Some(number), when).await?.unwrap();
        let reply = Message::from_new(reply, pk, APP, channel_pk, 3, Some(number), when);
        tx.follow_reply(&reply, &["ann"]).await?;
    }
    tx.update_reply_counts(parent_pk, 2, 0).await?;
    tx.update_thread(parent_pk, "Title", &Custom::new().with("color", "red"), at(64)).await?;
    let thread = tx.find_thread(parent_pk).await?.unwrap();
    assert_eq!((thread.reply_seq, thread.participant_count, thread.title.as_str()), (2, 2, "Title"));
    assert_eq!(tx.count_own_replies(parent_pk, "bob").await?, 2);
    assert_eq!(tx.list_thread_participants(&[parent_pk], 9).await?.len(), 2);
    for (user_id, expected) in [(None, 2), (Some("bob"), 2), (Some("ann"), 2), (Some("eve"), 0)] {
        let visibility = Visibility { from: at(0), user_id: user_id.map(str::to_owned) };
        assert_eq!(tx.list_replies(parent_pk, MessagePage::Newest, 9, &visibility).await?.len(), expected);
    }
    let unread = tx.list_unread_threads(&unread_of(&["ann", "bob"])).await?;
    assert_eq!(unread.iter().map(|one| one.threads).collect::<Vec<_>>(), [1, 0]);
    assert_eq!((unread[0].listed[0].unread, unread[1].listed.len()), (2, 0));
    let totals = UnreadQuery { limit: 0, ..unread_of(&["ann"]) };
    let totals = tx.list_unread_threads(&totals).await?;
    assert_eq!((totals[0].threads, totals[0].listed.len()), (1, 0));
    tx.insert_thread_unread_gap(parent_pk, 2, "bob").await?;
    assert_eq!(tx.list_unread_threads(&unread_of(&["ann"])).await?[0].listed[0].unread, 1);
    let without = UnreadQuery { without_kinds: vec!["messaging".to_owned()], ..unread_of(&["ann"]) };
    assert_eq!(tx.list_unread_threads(&without).await?, [UnreadThreads::default()]);
    let read = ThreadReadPosition {
        read_seq: 2,
        unread_less: 0,
        last_read: at(66),
        last_read_message_id: Some("r2".to_owned()),
    };
    assert!(tx.update_thread_read_position(parent_pk, "ann", &read).await?);
    assert!(!tx.update_thread_read_position(parent_pk, "eve", &read).await?);
    assert_eq!(tx.list_unread_threads(&unread_of(&["ann"])).await?, [UnreadThreads::default()]);
    let participant = tx.find_thread_participant(parent_pk, "ann").await?.unwrap();
    assert_eq!((participant.unread(2), participant.last_read), (0, at(66)));
    assert_eq!(tx.spread_queued_thread(0, 10).await?, None);
    threads_in_order(tx, parent_pk).await
}

/// Replies that keep coming do not keep a large thread's last participants from hearing of them.
async fn busy_thread(tx: &mut Tx, channel_pk: i64) -> Result<()> {
    const BATCH: i64 = 10;
    let others: Vec<String> = (0..150).map(|number| format!("p{number:03}")).collect();
    let parent_pk =
        tx.insert_message(APP, channel_pk, &message("busy", "ann"), 3, None, at(80)).await?.unwrap();
    for number in 1..=40 {
        let when = at(80 + number);
        let seq = tx.advance_thread(APP, channel_pk, parent_pk, "ann", when).await?;
        let reply = NewMessage {
            kind: MessageKind::Reply,
            parent_pk: Some(parent_pk),
            parent_id: Some("busy".to_owned()),
            in_channel: false,
            counts_unread: false,
            ..message(&format!("busy-{number}"), "ann")
        };
        let pk = tx.insert_message(APP, channel_pk, &reply, 3, Some(seq), when).await?.unwrap();
        let reply = Message::from_new(reply, pk, APP, channel_pk, 3, Some(seq), when);
        let joining = if number == 1 { others.iter().map(String::as_str).collect() } else { Vec::new() };
        tx.follow_reply(&reply, &joining).await?;
        if number == 1 {
            while tx.spread_queued_thread(0, BATCH).await?.is_some() {}
            let read = ThreadReadPosition {
                read_seq: 1,
                unread_less: 0,
                last_read: when,
                last_read_message_id: None,
            };
            assert!(tx.update_thread_read_position(parent_pk, "p149", &read).await?);
            assert_eq!(tx.list_unread_threads(&unread_of(&["p149"])).await?[0].threads, 0);
        } else {
            assert_eq!(tx.spread_queued_thread(0, BATCH).await?, Some(parent_pk));
        }
    }
    assert_eq!(tx.list_unread_threads(&unread_of(&["p149"])).await?[0].threads, 1);
    // When the replies end, so does the work, and nothing is left to be done.
    assert_eq!(tx.spread_queued_thread(parent_pk, BATCH).await?, None);
    while tx.spread_queued_thread(0, BATCH).await?.is_some() {}
    assert!(!tx.has_queued_thread().await?);
    Ok(())
}

async fn threads_in_order(tx: &mut Tx, parent_pk: i64) -> Result<()> {
    let names = ["has_unread", "last_message_at", "parent_message_id"];
    let sort: Vec<SortParam> = names.into_iter().map(SortParam::descending).collect();
    let page = ThreadQuery {
        user_id: "ann".to_owned(),
        filter: Expression::All(Vec::new()),
        sort: parse_sort(&THREADS, &sort, 3).unwrap(),
        from: None,
        backward: false,
        limit: 10,
        within: None,
    };
    let listed = tx.query_threads(APP, &page).await?;
    assert_eq!(listed.iter().map(|one| one.thread.parent_pk).collect::<Vec<_>>(), [parent_pk]);
    let place = listed[0].place.clone();
    assert_eq!(place, [Operand::Boolean(false), Operand::Time(at(64)), Operand::Text("m1".to_owned())]);
    for backward in [false, true] {
        let beyond = ThreadQuery { from: Some(place.clone()), backward, ..page.clone() };
        assert!(tx.query_threads(APP, &beyond).await?.is_empty());
    }
    let earlier = vec![Operand::Boolean(true), Operand::Time(at(1)), Operand::Text(String::new())];
    let after = ThreadQuery { from: Some(earlier), ..page.clone() };
    assert_eq!(tx.query_threads(APP, &after).await?, listed);
    let of_eve = ThreadQuery { user_id: "eve".to_owned(), ..page };
    assert!(tx.query_threads(APP, &of_eve).await?.is_empty());
    let named = serde_json::json!({ "parent_message_id": "m1", "has_unread": false });
    let filter = parse(&THREADS, named.as_object().unwrap()).unwrap();
    let named = ThreadQuery { filter, ..of_eve };
    assert_eq!(tx.query_threads(APP, &named).await?, listed);
    assert!(tx.query_threads(APP + 1, &named).await?.is_empty());
    for backward in [false, true] {
        let beyond = ThreadQuery { from: Some(place.clone()), backward, ..named.clone() };
        assert!(tx.query_threads(APP, &beyond).await?.is_empty());
    }
    Ok(())
}

/// Asks for what these users have not read.
fn unread_of(user_ids: &[&str]) -> UnreadQuery {
    let user_ids = user_ids.iter().map(|id| (*id).to_owned()).collect();
    UnreadQuery { app_pk: APP, user_ids, without_kinds: Vec::new(), limit: 10 }
}

async fn reactions(tx: &mut Tx, message_pk: i64) -> Result<()> {
    let reaction = |user_id: &str, score, moment| Reaction {
        user_id: user_id.to_owned(),
        kind: "like".to_owned(),
        score,
        custom: Custom::new().with("e", "x"),
        created_at: at(moment),
        updated_at: at(moment + score),
    };
    let (first, replaced) = (reaction("bob", 1, 67), reaction("bob", 5, 67));
    let mut summary = ReactionSummary::default();
    tx.upsert_reaction(message_pk, &first).await?;
    summary.add(&first);
    tx.upsert_reaction(message_pk, &replaced).await?;
    summary.replace(&first, &replaced);
    for (user_id, moment) in [("ann", 68), ("eve", 69)] {
        let other = reaction(user_id, 2, moment);
        tx.upsert_reaction(message_pk, &other).await?;
        summary.add(&other);
        tx.delete_reaction(message_pk, user_id, "like").await?;
        tx.subtract_reaction(message_pk, &mut summary, &other).await?;
    }
    let group = ReactionGroup {
        count: 1,
        sum_scores: 5,
        first_reaction_at: at(67),
        last_reaction_at: at(67),
        latest_by: vec![Reactor { user_id: "bob".to_owned(), created_at: at(67) }],
    };
    assert_eq!(summary.groups, [("like".to_owned(), group)].into());
    let latest = tx.list_reactions(message_pk, 10, 0).await?;
    assert_eq!(summary.latest, latest);
    assert_eq!(tx.list_reactions_by_user(message_pk, "bob").await?, latest);
    assert_eq!(tx.list_own_reactions(vec![message_pk], "bob").await?, [(message_pk, latest[0].clone())]);
    tx.update_reaction_summary(message_pk, &summary).await?;
    assert_eq!(tx.find_message(APP, "m1").await?.unwrap().reactions, summary);
    assert!(tx.delete_reaction(message_pk, "bob", "like").await?);
    assert!(!tx.delete_reaction(message_pk, "bob", "like").await?);
    pages(tx, message_pk).await
}

/// Pages by cursor through reactions of which most were made at the same moment.
async fn pages(tx: &mut Tx, message_pk: i64) -> Result<()> {
    let kinds = ["a", "b", "c", "d", "e"];
    for kind in kinds {
        let moment = at(if kind == "a" { 67 } else { 68 });
        let reaction = Reaction {
            user_id: "bob".to_owned(),
            kind: kind.to_owned(),
            created_at: moment,
            updated_at: moment,
            ..Reaction::default()
        };
        tx.upsert_reaction(message_pk, &reaction).await?;
    }
    for descending in [false, true] {
        let mut expected = kinds.to_vec();
        if descending {
            expected.reverse();
        }
        let mut query = ReactionQuery {
            filter: Expression::All(Vec::new()),
            page: KeyPage { limit: 2, descending, from: None },
        };
        let (mut forwards, mut starts) = (Vec::new(), Vec::new());
        loop {
            let page = tx.query_reactions(message_pk, &query).await?;
            assert_eq!(page.previous.is_some(), query.page.from.is_some());
            forwards.extend(page.entries.into_iter().map(|reaction| reaction.kind));
            starts.extend(page.previous);
            let Some(next) = page.next else { break };
            query.page.from = Some(PageStart::After(next));
        }
        assert_eq!(forwards, expected);
        query.page.from = starts.pop().map(PageStart::Before);
        let before = tx.query_reactions(message_pk, &query).await?;
        let before_kinds: Vec<_> = before.entries.iter().map(|reaction| reaction.kind.as_str()).collect();
        assert_eq!(before_kinds, expected[2..4]);
        assert!(before.next.is_some());
        query.page.from = before.previous.map(PageStart::Before);
        let first = tx.query_reactions(message_pk, &query).await?;
        assert_eq!((first.entries.len(), first.previous), (2, None));
    }
    for kind in kinds {
        assert!(tx.delete_reaction(message_pk, "bob", kind).await?);
    }
    Ok(())
}

async fn history(tx: &mut Tx, message_pk: i64) -> Result<()> {
    let message = tx.find_message(APP, "m1").await?.unwrap();
    assert_eq!(message.pk, message_pk);
    for (is_deletion, by_id, second) in [(false, "ann", 50), (true, "bob", 51)] {
        tx.insert_message_history(&message, VersionEnd { is_deletion, at: at(second), by_id }).await?;
    }
    let mut query = MessageHistoryQuery {
        filter: Expression::All(Vec::new()),
        told: ToldChange::Ending,
        page: KeyPage { limit: 9, descending: true, from: None },
    };
    let found = tx.query_message_history(APP, &query).await?;
    let seen: Vec<_> =
        found.entries.iter().map(|entry| (entry.updated_by_id.as_str(), entry.is_deleted)).collect();
    assert_eq!(seen, [("bob", true), ("ann", false)]);
    assert_eq!(found.entries[1].updated_at, at(50));
    assert!(tx.query_message_history(APP + 1, &query).await?.entries.is_empty());
    query.told = ToldChange::Making;
    let found = tx.query_message_history(APP, &query).await?;
    let seen: Vec<_> =
        found.entries.iter().map(|entry| (entry.updated_by_id.as_str(), entry.is_deleted)).collect();
    assert_eq!(seen, [("ann", true), (message.user_id.as_str(), false)]);
    assert_eq!(found.entries[1].updated_at, message.created_at);
    Ok(())
}

async fn mutes_and_blocks(tx: &mut Tx, channel_pk: i64) -> Result<()> {
    let advanced = tx.advance_channel(channel_pk, Advance::default(), at(200)).await?.unwrap();
    let mute = ChannelMute {
        channel_pk,
        user_id: "bob".to_owned(),
        expires: Some(at(300)),
        created_at: at(200),
        updated_at: at(200),
    };
    let stored = tx.upsert_channel_mute(APP, &mute, advanced.at, advanced.unread_seq).await?;
    assert_eq!(stored, mute);
    let later = ChannelMute { created_at: at(210), updated_at: at(210), ..mute.clone() };
    let again = tx.upsert_channel_mute(APP, &later, at(210), advanced.unread_seq).await?;
    assert_eq!(again, ChannelMute { updated_at: at(210), ..mute.clone() });
    let bob = || vec!["ann".to_owned(), "bob".to_owned()];
    assert_eq!(tx.list_channel_mutes(APP, &bob(), at(299), 5).await?, std::slice::from_ref(&again));
    assert!(tx.list_channel_mutes(APP, &bob(), at(300), 5).await?.is_empty());
    assert_eq!(tx.list_channel_mutes_in("bob", vec![channel_pk, -1], at(299)).await?, [again]);
    assert!(tx.list_channel_mutes_in("bob", vec![channel_pk], at(300)).await?.is_empty());
    assert!(!tx.delete_channel_mute(channel_pk, "ann", at(250), advanced.unread_seq).await?);
    assert!(tx.delete_channel_mute(channel_pk, "bob", at(250), advanced.unread_seq).await?);

    let block =
        UserBlock { user_id: "ann".to_owned(), blocked_user_id: "bob".to_owned(), created_at: at(200) };
    tx.lock_user_blocks(APP, "ann").await?;
    assert!(tx.insert_user_block(APP, &block).await?);
    assert!(!tx.insert_user_block(APP, &block).await?);
    assert_eq!(tx.find_user_block(APP, "ann", "bob").await?, Some(block.clone()));
    assert_eq!(tx.find_user_block(APP, "bob", "ann").await?, None);
    assert_eq!(tx.list_user_blocks(APP, &bob(), 5).await?, [block]);
    assert_eq!(tx.list_blockers(APP, "bob", bob()).await?, ["ann"]);
    // It has three members.
    assert!(tx.list_channels_of_pair(APP, ("ann", "bob"), 0, 5).await?.is_empty());
    assert!(tx.settle_blocks(APP, channel_pk, &advanced).await?.is_empty());
    assert!(tx.delete_user_block(APP, "ann", "bob").await?);
    assert!(!tx.delete_user_block(APP, "ann", "bob").await?);
    Ok(())
}

async fn moderation(tx: &mut Tx, channel_pk: i64) -> Result<()> {
    let ban = Ban {
        channel_pk,
        user_id: "bob".to_owned(),
        banned_by_id: "ann".to_owned(),
        reason: "spam".to_owned(),
        shadow: false,
        ip: Some("10.0.0.1".to_owned()),
        created_at: at(300),
        expires: Some(at(400)),
    };
    tx.upsert_ban(APP, &ban).await?;
    assert_eq!(tx.find_ban(APP, channel_pk, "bob").await?, Some(ban.clone()));
    let member = tx.find_member(channel_pk, "bob").await?.unwrap();
    assert_eq!((member.ban_at(at(399)), member.ban_at(at(400))), (Some(BanKind::Open), None));
    assert_eq!(tx.list_address_bans(APP, at(399), 5).await?, std::slice::from_ref(&ban));
    assert_eq!(
        (tx.count_address_bans(APP, at(399)).await?, tx.count_address_bans(APP, at(400)).await?),
        (1, 0)
    );
    assert!(tx.list_address_bans(APP, at(400), 5).await?.is_empty());
    tx.update_last_address(APP, "bob", "10.0.0.2").await?;
    assert_eq!(tx.find_last_address(APP, "bob").await?.as_deref(), Some("10.0.0.2"));
    let shadow = Ban { channel_pk: WHOLE_APP, shadow: true, ip: None, expires: None, ..ban.clone() };
    tx.upsert_ban(APP, &shadow).await?;
    let user = tx.settle_user_ban(APP, "bob").await?.unwrap();
    assert_eq!(user.ban_at(at(500)), Some(BanKind::Shadow));
    assert_eq!(tx.count_bans(APP, "bob").await?, 2);
    let query = BanQuery {
        filter: Expression::All(Vec::new()),
        sort: Vec::new(),
        limit: 5,
        offset: 0,
        active_at: Some(at(400)),
        within: None,
    };
    assert_eq!(tx.query_bans(APP, &query).await?, std::slice::from_ref(&shadow));
    for channel_pk in [channel_pk, WHOLE_APP] {
        assert!(tx.delete_ban(APP, channel_pk, "bob").await?.is_some());
        assert!(tx.delete_ban(APP, channel_pk, "bob").await?.is_none());
    }
    assert_eq!(tx.settle_user_ban(APP, "bob").await?.unwrap().ban_at(at(500)), None);
    assert_eq!(tx.find_member(channel_pk, "bob").await?.unwrap().ban_at(at(300)), None);

    assert!(tx.upsert_future_channel_ban(APP, &ban, 1).await?);
    assert!(tx.upsert_future_channel_ban(APP, &ban, 1).await?);
    let other = Ban { user_id: "eve".to_owned(), ..ban.clone() };
    assert!(!tx.upsert_future_channel_ban(APP, &other, 1).await?);
    let future = FutureBanQuery {
        banned_by_id: Some("ann".to_owned()),
        target_user_id: Some("bob".to_owned()),
        limit: 5,
        offset: 0,
        active_at: None,
    };
    assert_eq!(tx.query_future_channel_bans(APP, &future).await?.len(), 1);
    assert_eq!(tx.count_future_channel_bans(APP, &future, 5).await?, 1);
    tx.ban_from_new_channel(APP, channel_pk, "ann", at(301)).await?;
    assert!(tx.delete_ban(APP, channel_pk, "bob").await?.is_some());
    assert_eq!(tx.delete_future_channel_bans(APP, "bob", Some("eve")).await?, 0);
    assert_eq!(tx.delete_future_channel_bans(APP, "bob", None).await?, 1);

    let targets = || vec!["eve".to_owned(), "ann".to_owned()];
    tx.lock_user_mutes(APP, "bob").await?;
    let mutes = tx.upsert_user_mutes(APP, "bob", &targets(), Some(at(400)), at(300)).await?;
    assert_eq!(mutes.iter().map(|mute| mute.target_id.as_str()).collect::<Vec<_>>(), ["eve", "ann"]);
    let again = tx.upsert_user_mutes(APP, "bob", &targets(), None, at(310)).await?;
    assert_eq!((again[0].created_at, again[0].updated_at, again[0].expires), (at(300), at(310), None));
    let listed = tx.list_user_mutes(APP, &["bob".to_owned(), "ann".to_owned()], at(310), 1).await?;
    assert_eq!(listed.len(), 1);
    assert_eq!(tx.delete_user_mutes(APP, "bob", targets(), at(320)).await?, ["ann", "eve"]);
    assert!(tx.delete_user_mutes(APP, "bob", targets(), at(320)).await?.is_empty());

    let message = tx.find_message(APP, "m1").await?.unwrap();
    let of_message = FlagTarget {
        app_pk: APP,
        message: Some((message.channel_pk, message.pk)),
        creator_id: message.user_id.clone(),
    };
    let of_user = FlagTarget { app_pk: APP, message: None, creator_id: "ann".to_owned() };
    for target in [&of_message, &of_user] {
        tx.lock_flags(target).await?;
        assert_eq!(tx.count_flags(target).await?, (0, None));
        tx.insert_flag(target, "item", "bob", "rude", &Custom::new(), at(330)).await?;
        assert_eq!(tx.count_flags(target).await?, (1, Some("item".to_owned())));
        let flag = tx.find_flag(target, "bob").await?.unwrap();
        tx.update_flag(flag.pk, "worse", &Custom::new(), at(331)).await?;
    }
    let review = Review {
        result: "nothing".to_owned(),
        details: serde_json::json!({ "why": "fine" }).as_object().unwrap().clone(),
        reviewed_by_id: Some("eve".to_owned()),
    };
    tx.review_flags(APP, "item", &review, at(332), 1).await?;
    let flag = tx.find_flag(&of_message, "bob").await?.unwrap();
    assert_eq!((flag.reason.as_str(), flag.reviewed_at), ("worse", Some(at(332))));
    assert_eq!((flag.review_result.as_deref(), &flag.review_details), (Some("nothing"), &review.details));
    assert_eq!(tx.find_flag(&of_user, "bob").await?.unwrap().reviewed_at, None);
    tx.insert_flag(&of_message, "item", "ann", "rude", &Custom::new(), at(333)).await?;
    let query = FlagReportQuery { filter: Expression::All(Vec::new()), limit: 5, offset: 0, within: None };
    let reports = tx.query_flag_reports(APP, &query).await?;
    assert_eq!((reports.len(), reports[0].flags_count, reports[0].updated_at), (1, 2, at(333)));
    assert_eq!(reports[0].first, flag);
    assert_eq!(tx.find_flag_report(APP, "item").await?.as_ref(), reports.first());
    assert_eq!(tx.find_flag_report(APP, "nothing").await?, None);
    let second = tx.find_flag(&of_message, "ann").await?.unwrap();
    tx.delete_flag(second.pk).await?;
    let all = FlagQuery {
        filter: Expression::All(Vec::new()),
        sort: Vec::new(),
        limit: 5,
        offset: 0,
        include_deleted: true,
        within: None,
    };
    assert_eq!(tx.query_message_flags(APP, &all).await?.len(), 1);
    for target in [&of_message, &of_user] {
        let flag = tx.find_flag(target, "bob").await?.unwrap();
        tx.delete_flag(flag.pk).await?;
        assert_eq!(tx.find_flag(target, "bob").await?, None);
    }
    Ok(())
}

async fn reads(tx: &mut Tx, channel_pk: i64) -> Result<()> {
    // Three were sent by ann, who has read them; the third is deleted.
    let unread = tx.list_unread_channels(&unread_of(&["ann", "bob"])).await?;
    assert_eq!(unread[0], UnreadChannels::default());
    let group = UnreadGroup {
        channel_kind: "messaging".to_owned(),
        team: Some("red".to_owned()),
        channels: 1,
        unread: 2,
    };
    assert_eq!((&unread[1].groups, unread[1].listed[0].unread), (&vec![group], 2));
    assert_eq!(tx.count_unread_less(channel_pk, "ann", at(40)).await?, 1);
    assert_eq!(tx.count_unread_less(channel_pk, "bob", at(40)).await?, 0);
    let restricted = Message {
        restricted_visibility: vec!["bob".to_owned()],
        created_at: at(60),
        ..tx.find_message(APP, "m1").await?.unwrap()
    };
    tx.count_restricted(&restricted).await?;
    assert_eq!(tx.list_unread_channels(&unread_of(&["bob"])).await?[0].listed[0].unread, 3);
    tx.update_readers(&restricted, vec!["ann".to_owned()]).await?;
    assert_eq!(tx.list_unread_channels(&unread_of(&["bob"])).await?[0].listed[0].unread, 2);
    assert_eq!(tx.find_message(APP, "m1").await?.unwrap().restricted_visibility, ["ann"]);
    let of_ann = Message { restricted_visibility: vec!["ann".to_owned()], ..restricted };
    tx.update_readers(&of_ann, Vec::new()).await?;
    let position = ReadPosition {
        read_seq: 3,
        unread_less: 0,
        read_up_to: at(71),
        last_read: at(71),
        last_read_message_id: Some("m3".to_owned()),
    };
    assert!(tx.update_read_position(channel_pk, "bob", &position).await?);
    assert!(!tx.update_read_position(channel_pk, "nobody", &position).await?);
    assert_eq!(tx.list_unread_channels(&unread_of(&["bob"])).await?, [UnreadChannels::default()]);
    let first = tx.find_message(APP, "m1").await?.unwrap();
    assert!(!tx.update_delivered(&first, "bob", at(72)).await?);
    assert!(!tx.update_delivered(&first, "nobody", at(72)).await?);
    assert_eq!(tx.list_reads(channel_pk, 2).await?[0].user_id, "ann");
    Ok(())
}

async fn queries(tx: &mut Tx, channel_pk: i64) -> Result<()> {
    let all = || Expression::All(Vec::new());
    let users = UserQuery {
        filter: all(),
        sort: Vec::new(),
        limit: 2,
        offset: 0,
        include_deactivated: false,
        now: at(1),
    };
    let ids: Vec<_> = tx.query_users(APP, &users).await?.into_iter().map(|user| user.id).collect();
    assert_eq!(ids, ["ann", "bob"]);
    let members = MemberQuery {
        user_id_gte: Some("b".to_owned()),
        user_id_gt: Some("a".to_owned()),
        user_id_lt: Some("z".to_owned()),
        user_id_lte: Some("e".to_owned()),
        created_at_after: Some(at(1)),
        created_at_after_or_equal: Some(at(30)),
        created_at_before: Some(at(100)),
        created_at_before_or_equal: Some(at(30)),
        ..MemberQuery::default()
    };
    let ids: Vec<_> =
        tx.query_members(channel_pk, &members).await?.into_iter().map(|member| member.user_id).collect();
    assert_eq!(ids, ["bob"]);
    let channels = ChannelQuery {
        filter: all(),
        sort: Vec::new(),
        limit: 9,
        offset: 0,
        user_id: None,
        now: at(9),
        without_kinds: Vec::new(),
    };
    assert_eq!(tx.query_channels(APP, &channels).await?.len(), 1);
    assert!(tx.query_channels(APP + 1, &channels).await?.is_empty());
    Ok(())
}

async fn removal(tx: &mut Tx, channel_pk: i64) -> Result<()> {
    let message_pk = tx.find_message(APP, "m1").await?.unwrap().pk;
    assert_eq!(tx.list_counted(message_pk, true).await?.iter().filter_map(|one| one.unread_seq).count(), 1);
    tx.delete_message_rows(message_pk).await?;
    assert!(tx.find_message(APP, "r1").await?.is_none());
    assert!(tx.find_thread(message_pk).await?.is_none());
    let removed = tx.delete_members(channel_pk, vec!["eve".to_owned()]).await?;
    assert_eq!(removed.iter().map(|member| member.user_id.as_str()).collect::<Vec<_>>(), ["eve"]);
    tx.delete_channel_softly(channel_pk, at(80)).await?;
    assert!(tx.advance_channel(channel_pk, Advance::default(), at(81)).await?.is_none());
    tx.revive_channel(channel_pk, at(82)).await?;
    assert_eq!(tx.prune_channel_events(0, at(1000), 10).await?, Some(channel_pk));
    let cut =
        tx.truncate_for_members(channel_pk, vec!["bob".to_owned(), "zoe".to_owned()], at(83), at(84)).await?;
    assert_eq!(cut, ["bob"]);
    assert_eq!(tx.find_member(channel_pk, "bob").await?.unwrap().hide_messages_before, Some(at(83)));
    tx.truncate_channel(channel_pk, at(85), Some("ann"), at(86)).await?;
    let cut = tx.list_channels(vec![channel_pk]).await?.pop().unwrap();
    assert_eq!((cut.truncated_at, cut.truncated_by_id.as_deref()), (Some(at(85)), Some("ann")));
    tx.prune_thread_unread_gaps(0, 100, 100).await?;
    let event =
        UserEvent { app_pk: APP, user_id: "", kind: "channel.visible", channel_pk: None, payload: None };
    let all = ["eve", "ann", "zoe"].map(str::to_owned);
    tx.append_user_events(&all, event, at(86)).await?;
    while tx.prune_unread_gaps(0, 100).await?.is_some_and(|(_, has_more)| has_more) {}
    tx.bury_channel(channel_pk, at(90)).await?;
    assert!(tx.find_channel(APP, "messaging:one").await?.is_none());
    tx.insert_purge(channel_pk, PurgeKind::Channel, at(1000), at(90)).await?;
    while tx.run_purge_step(1).await? {}
    assert!(tx.list_channels(vec![channel_pk]).await?.is_empty());
    let (app_pk, last) = tx.prune_user_events((0, ""), at(1000), 100).await?.unwrap();
    assert!(tx.prune_user_events((app_pk, &last), at(1000), 100).await?.is_none());
    Ok(())
}

async fn everything(store: &Store) {
    let app = NewApp { name: "n".to_owned(), api_key: "k".to_owned(), api_secret: "s".to_owned() };
    write(store, app.clone(), |tx, app| Box::pin(tx.insert_app(app, at(1)))).await;
    let again = store.write("test", app, |tx, app| Box::pin(tx.insert_app(app, at(1)))).await;
    assert!(matches!(again, Err(Error::Conflict { .. })), "{again:?}");
    let apps = read(store, (), |tx, ()| Box::pin(tx.list_apps())).await;
    write(store, apps[0].pk, |tx, pk| Box::pin(tx.update_app_credentials(*pk, "k2", "s2", at(2)))).await;
    assert_eq!(read(store, (), |tx, ()| Box::pin(tx.list_apps())).await[0].api_key, "k2");

    let pk = write(store, (), |tx, ()| Box::pin(users_and_channels(tx))).await;
    write(store, pk, |tx, pk| Box::pin(members(tx, *pk))).await;
    write(store, pk, |tx, pk| Box::pin(messages(tx, *pk))).await;
    write(store, pk, |tx, pk| Box::pin(reads(tx, *pk))).await;
    write(store, pk, |tx, pk| Box::pin(mutes_and_blocks(tx, *pk))).await;
    write(store, pk, |tx, pk| Box::pin(moderation(tx, *pk))).await;
    read(store, pk, |tx, pk| Box::pin(queries(tx, *pk))).await;
    write(store, pk, |tx, pk| Box::pin(removal(tx, *pk))).await;
}

#[tokio::test]
async fn every_operation_runs_on_both_databases() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        everything(store).await;
    }
    databases.close().await;
}

#[tokio::test]
async fn the_participants_of_a_busy_thread_hear_of_it() {
    let databases = Databases::open().await;
    for store in &databases.stores {
        let pk = write(store, (), |tx, ()| Box::pin(users_and_channels(tx))).await;
        write(store, pk, |tx, pk| Box::pin(busy_thread(tx, *pk))).await;
    }
    databases.close().await;
}
