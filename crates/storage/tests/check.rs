//! A database that was written properly passes the check; whatever is then changed by hand breaks one rule.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
mod databases;

use databases::{Databases, at, write};
use natterjack_protocol::{Custom, Timestamp};
use natterjack_storage::{
    Advance, Advanced, ChannelChange, ChannelEvent, Dialect, Message, MessageChange, MessageExtra,
    MessageKind, NewApp, NewChannel, NewMember, NewMessage, Reaction, ReactionSummary, ReadPosition, Report,
    Result, Store, Tx, UserChange, UserEvent,
};

/// The first app of a database.
const APP: i64 = 1;

/// Between two things that happen.
const STEP: i64 = 1_000_000_000;

/// What is changed by hand, which rule that breaks, and how it is taken back.
struct Control {
    rule: &'static str,
    damage: &'static str,
    repair: &'static str,
}

macro_rules! controls {
    ($($rule:literal: $damage:literal / $repair:literal;)*) => {
        &[$(Control { rule: $rule, damage: $damage, repair: $repair }),*]
    };
}

const CONTROLS: &[Control] = controls! {
    "users.app_pk":
        "UPDATE users SET app_pk = 99 WHERE id = 'zoe'" / "UPDATE users SET app_pk = 1 WHERE id = 'zoe'";
    "channels.app_pk":
        "UPDATE channels SET app_pk = 99 WHERE id = 'empty'" / "UPDATE channels SET app_pk = 1 WHERE id = 'empty'";
    "members.channel_pk":
        "INSERT INTO members (channel_pk, user_id, app_pk, channel_role, invited, banned, shadow_banned, \
         notifications_muted, hidden, read_seq, unread_less, last_read, created_at, updated_at) VALUES (99, 'zoe', 1, \
         'channel_member', FALSE, FALSE, FALSE, FALSE, FALSE, 0, 0, 0, 0, 0)" /
        "DELETE FROM members WHERE channel_pk = 99";
    "members.user_id":
        "UPDATE members SET user_id = 'nobody' WHERE user_id = 'dan'" /
        "UPDATE members SET user_id = 'dan' WHERE user_id = 'nobody'";
    "messages.channel_pk":
        "UPDATE messages SET app_pk = 99 WHERE id = 'm2'" / "UPDATE messages SET app_pk = 1 WHERE id = 'm2'";
    "messages.parent_pk":
        "UPDATE messages SET parent_id = 'm1' WHERE id = 'r1'" / "UPDATE messages SET parent_id = 'm3' WHERE id = 'r1'";
    "messages.parent_pk":
        "UPDATE messages SET parent_id = 'm1' WHERE id = 'm2'" / "UPDATE messages SET parent_id = NULL WHERE id = 'm2'";
    "reactions.message_pk":
        "INSERT INTO reactions (message_pk, user_id, kind, score, created_at, updated_at) \
         VALUES (9999, 'ann', 'like', 1, 1, 1)" /
        "DELETE FROM reactions WHERE message_pk = 9999";
    "message_hidden_for.message_pk":
        "UPDATE message_hidden_for SET channel_pk = channel_pk + 99" /
        "UPDATE message_hidden_for SET channel_pk = channel_pk - 99";
    "threads.parent_pk":
        "UPDATE threads SET channel_pk = channel_pk + 99" / "UPDATE threads SET channel_pk = channel_pk - 99";
    "thread_participants.parent_pk":
        "UPDATE thread_participants SET app_pk = 99" / "UPDATE thread_participants SET app_pk = 1";
    "unread_gaps.channel_pk":
        "INSERT INTO unread_gaps (channel_pk, seq) VALUES (99, 1)" / "DELETE FROM unread_gaps WHERE channel_pk = 99";
    "thread_unread_gaps.parent_pk":
        "INSERT INTO thread_unread_gaps (parent_pk, seq) VALUES (9999, 1)" /
        "DELETE FROM thread_unread_gaps WHERE parent_pk = 9999";
    "channel_events.channel_pk":
        "INSERT INTO channel_events (channel_pk, seq, kind, created_at) VALUES (99, 1, 'channel.updated', 1)" /
        "DELETE FROM channel_events WHERE channel_pk = 99";

    "channels.member_count":
        "UPDATE channels SET member_count = member_count + 1 WHERE id = 'one'" /
        "UPDATE channels SET member_count = member_count - 1 WHERE id = 'one'";
    "channels.message_count":
        "UPDATE channels SET message_count = message_count - 1 WHERE id = 'one'" /
        "UPDATE channels SET message_count = message_count + 1 WHERE id = 'one'";
    "channels.last_message_at":
        "UPDATE channels SET last_message_at = last_message_at + 1 WHERE id = 'one'" /
        "UPDATE channels SET last_message_at = last_message_at - 1 WHERE id = 'one'";
    "channels.last_message_at":
        "UPDATE channels SET last_message_at = last_message_at - 1 WHERE id = 'one'" /
        "UPDATE channels SET last_message_at = last_message_at + 1 WHERE id = 'one'";
    "channels.last_message_at":
        "UPDATE channels SET last_message_at = 1 WHERE id = 'empty'" /
        "UPDATE channels SET last_message_at = NULL WHERE id = 'empty'";
    "channels.clock_at":
        "UPDATE channels SET clock_at = clock_at - 100000000000 WHERE id = 'one'" /
        "UPDATE channels SET clock_at = clock_at + 100000000000 WHERE id = 'one'";
    "channels.unread_seq":
        "UPDATE messages SET unread_seq = unread_seq + 100 WHERE id = 'silent'" /
        "UPDATE messages SET unread_seq = unread_seq - 100 WHERE id = 'silent'";
    "channels.event_seq":
        "UPDATE channels SET event_seq = event_seq + 1 WHERE id = 'one'" /
        "UPDATE channels SET event_seq = event_seq - 1 WHERE id = 'one'";
    "channel_events.seq":
        "UPDATE channel_events SET seq = seq - 1000 WHERE seq = 1" /
        "UPDATE channel_events SET seq = seq + 1000 WHERE seq = -999";
    "users.event_seq":
        "UPDATE users SET event_seq = event_seq - 1 WHERE id = 'ann'" /
        "UPDATE users SET event_seq = event_seq + 1 WHERE id = 'ann'";
    "users.event_seq":
        "UPDATE user_events SET user_id = 'nobody'" / "UPDATE user_events SET user_id = 'ann'";

    "messages.created_at":
        "UPDATE messages SET created_at = created_at - 5000000000 WHERE id = 'm2'" /
        "UPDATE messages SET created_at = created_at + 5000000000 WHERE id = 'm2'";
    "messages.unread_seq":
        "UPDATE messages SET unread_seq = unread_seq - 1 WHERE id = 'm2'" /
        "UPDATE messages SET unread_seq = unread_seq + 1 WHERE id = 'm2'";
    "messages.counts_unread":
        "UPDATE messages SET silent = TRUE WHERE id = 'm1'" / "UPDATE messages SET silent = FALSE WHERE id = 'm1'";
    "messages.reply_count":
        "UPDATE messages SET reply_count = reply_count + 1 WHERE id = 'm3'" /
        "UPDATE messages SET reply_count = reply_count - 1 WHERE id = 'm3'";
    "messages.deleted_reply_count":
        "UPDATE messages SET deleted_reply_count = deleted_reply_count + 1 WHERE id = 'm3'" /
        "UPDATE messages SET deleted_reply_count = deleted_reply_count - 1 WHERE id = 'm3'";
    "messages.thread_seq":
        "UPDATE messages SET thread_seq = NULL WHERE id = 'r1'" / "UPDATE messages SET thread_seq = 1 WHERE id = 'r1'";
    "messages.thread_seq":
        "UPDATE messages SET thread_seq = 2 WHERE id = 'r1'" / "UPDATE messages SET thread_seq = 1 WHERE id = 'r1'";
    "threads.reply_seq":
        "UPDATE messages SET thread_seq = thread_seq + 100 WHERE id = 'r3'" /
        "UPDATE messages SET thread_seq = thread_seq - 100 WHERE id = 'r3'";
    "threads":
        "DELETE FROM thread_participants WHERE parent_pk = (SELECT pk FROM messages WHERE id = 'm6'); \
         DELETE FROM threads WHERE parent_pk = (SELECT pk FROM messages WHERE id = 'm6')" /
        "INSERT INTO threads (parent_pk, app_pk, channel_pk, created_by_id, title, reply_seq, last_message_at, \
         created_at, updated_at) SELECT pk, app_pk, channel_pk, user_id, '', 1, 1, 1, 1 FROM messages WHERE id = 'm6'";
    "thread_participants.read_seq":
        "UPDATE thread_participants SET read_seq = read_seq + 100 WHERE user_id = 'bob'" /
        "UPDATE thread_participants SET read_seq = read_seq - 100 WHERE user_id = 'bob'";
    "members.read_seq":
        "UPDATE members SET read_seq = read_seq + 100, unread_less = unread_less - 100 WHERE user_id = 'bob'" /
        "UPDATE members SET read_seq = read_seq - 100, unread_less = unread_less + 100 WHERE user_id = 'bob'";
    "members.unread":
        "UPDATE members SET unread_less = unread_less + 1 WHERE user_id = 'ann'" /
        "UPDATE members SET unread_less = unread_less - 1 WHERE user_id = 'ann'";
    "members.unread":
        "UPDATE members SET read_seq = read_seq - 1 WHERE user_id = 'bob' AND read_seq > 1; \
         UPDATE members SET unread_less = unread_less - 5 WHERE user_id = 'bob' AND read_seq > 1" /
        "UPDATE members SET unread_less = unread_less + 5 WHERE user_id = 'bob' AND read_seq > 1; \
         UPDATE members SET read_seq = read_seq + 1 WHERE user_id = 'bob' AND read_seq > 1";
    "unread_gaps.seq":
        "INSERT INTO unread_gaps (channel_pk, seq) SELECT pk, 1 FROM channels WHERE id = 'one'" /
        "DELETE FROM unread_gaps WHERE seq = 1";
    "messages.reactions":
        "UPDATE reactions SET score = score + 1 WHERE user_id = 'ann'" /
        "UPDATE reactions SET score = score - 1 WHERE user_id = 'ann'";
    "messages.reactions":
        "UPDATE reactions SET created_at = created_at - 1 WHERE kind = 'wow'" /
        "UPDATE reactions SET created_at = created_at + 1 WHERE kind = 'wow'";
    "messages.reactions":
        "UPDATE messages SET reactions = '{\"groups\":{},\"latest\":[]}' WHERE id = 'm2'; \
         UPDATE messages SET reactions = REPLACE(reactions, '\"count\"', '\"sum\"') WHERE id = 'm1'" /
        "UPDATE messages SET reactions = NULL WHERE id = 'm2'; \
         UPDATE messages SET reactions = REPLACE(reactions, '\"sum\"', '\"count\"') WHERE id = 'm1'";
};

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
        write(store, (), |tx, ()| Box::pin(build(tx))).await;
        let dialect = store.dialect();
        let raw = Raw::connect(store, &databases).await;
        let clean = store.check(|_| ()).await.unwrap();
        assert!(clean.is_clean(), "{dialect:?}: {:#?}", clean.violations().collect::<Vec<_>>());
        let count = |name| clean.counts.iter().find(|(counted, _)| *counted == name).unwrap().1;
        assert_eq!((count("channels"), count("members"), count("reactions")), (3, 6, 12), "{dialect:?}");
        assert_eq!((count("message_words"), count("message_words without message")), (7, 1), "{dialect:?}");

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

/// Fills a database by the operations that a server uses, with a case of each kind.
async fn build(tx: &mut Tx) -> Result<()> {
    let app = NewApp { name: "test".to_owned(), api_key: "key".to_owned(), api_secret: "secret".to_owned() };
    tx.insert_app(&app, at(STEP)).await?;
    for id in ["ann", "bob", "eve", "dan", "zoe"] {
        tx.upsert_user(APP, &user(id), at(STEP)).await?;
    }
    let event =
        UserEvent { app_pk: APP, user_id: "ann", kind: "user.updated", channel_pk: None, payload: None };
    tx.append_user_event(event, at(STEP)).await?;
    tx.insert_channel(APP, &channel("empty"), at(STEP)).await?;
    let gone = World::create(tx, "gone", &["ann", "bob"]).await?;
    gone.send(tx, message("g1", "ann"), None).await?;
    tx.delete_channel_softly(gone.channel_pk, at(90 * STEP)).await?;

    let world = World::create(tx, "one", &["ann", "bob", "eve"]).await?;
    let invited = NewMember { invited: true, ..member("dan") };
    world.add(tx, &[invited]).await?;
    let first = world.send(tx, message("m1", "ann"), None).await?;
    let second = world.send(tx, message("m2", "bob"), None).await?;
    let third = world.send(tx, message("m3", "eve"), None).await?;
    world.send(tx, reply("r1", "bob", false), Some(&third)).await?;
    world.send(tx, reply("r2", "ann", true), Some(&third)).await?;
    let soft = world.send(tx, reply("r3", "eve", false), Some(&third)).await?;
    let hard = world.send(tx, reply("r4", "bob", true), Some(&third)).await?;
    let secret = NewMessage {
        restricted_visibility: vec!["eve".to_owned()],
        counts_unread: false,
        ..message("secret", "ann")
    };
    world.send(tx, secret, None).await?;
    let soft_own = world.send(tx, message("m4", "ann"), None).await?;
    let hard_other = world.send(tx, message("m5", "bob"), None).await?;
    let sixth = world.send(tx, message("m6", "ann"), None).await?;
    world.send(tx, reply("r5", "eve", false), Some(&sixth)).await?;

    let position = ReadPosition {
        read_seq: second.unread_seq,
        unread_less: tx.count_unread_less(world.channel_pk, "ann", second.created_at).await?,
        last_read: second.created_at,
        last_read_message_id: Some(second.id.clone()),
    };
    assert!(tx.update_read_position(world.channel_pk, "ann", &position).await?);
    world.delete(tx, &soft, false).await?;
    world.delete(tx, &hard, true).await?;
    world.delete(tx, &soft_own, false).await?;
    world.delete(tx, &hard_other, true).await?;

    let system = NewMessage { kind: MessageKind::System, ..message("system", "eve") };
    world.send(tx, system, None).await?;
    let silent = NewMessage { silent: true, counts_unread: false, ..message("silent", "bob") };
    world.send(tx, silent, None).await?;
    react(tx, &first).await?;
    assert!(tx.hide_message_for(&first, "bob", at(STEP)).await?);
    while tx.index_queued_messages(100).await? == 100 {}
    // Its words stay in the index until the next round.
    let last = world.send(tx, message("m7", "bob"), None).await?;
    tx.index_queued_messages(100).await?;
    world.delete(tx, &last, true).await
}

/// A channel and what the server does with it.
struct World {
    channel_pk: i64,
}

impl World {
    async fn create(tx: &mut Tx, id: &str, members: &[&str]) -> Result<Self> {
        let stored = tx.insert_channel(APP, &channel(id), at(STEP)).await?.unwrap();
        let world = Self { channel_pk: stored.pk };
        let members: Vec<_> = members.iter().map(|id| member(id)).collect();
        world.add(tx, &members).await?;
        Ok(world)
    }

    async fn advance(&self, tx: &mut Tx, advance: Advance) -> Result<Advanced> {
        let later = tx.list_channels(vec![self.channel_pk]).await?.pop().and_then(|it| it.last_message_at);
        let now = Timestamp::from_nanoseconds(later.unwrap_or(at(10 * STEP)).nanoseconds() + STEP);
        Ok(tx.advance_channel(self.channel_pk, advance, now).await?.unwrap())
    }

    async fn append(&self, tx: &mut Tx, seq: i64, kind: &'static str, now: Timestamp) -> Result<()> {
        let event = ChannelEvent {
            channel_pk: self.channel_pk,
            seq,
            kind,
            user_id: None,
            message_id: None,
            payload: None,
        };
        tx.append_channel_event(event, now).await
    }

    async fn add(&self, tx: &mut Tx, members: &[NewMember]) -> Result<()> {
        let advance = Advance { events: 1, members: members.len() as i64, ..Advance::default() };
        let advanced = self.advance(tx, advance).await?;
        tx.insert_members(APP, self.channel_pk, advanced.unread_seq, members, advanced.at).await?;
        self.append(tx, advanced.event_seq, "member.added", advanced.at).await
    }

    async fn send(&self, tx: &mut Tx, new: NewMessage, parent: Option<&Message>) -> Result<Message> {
        let new = NewMessage {
            parent_pk: parent.map(|parent| parent.pk),
            parent_id: parent.map(|parent| parent.id.clone()),
            ..new
        };
        let events = if parent.is_some() { 2 } else { 1 };
        let advance = Advance {
            events,
            unread: i64::from(new.counts_unread),
            messages: 1,
            last_message: new.in_channel && new.kind != MessageKind::System,
            ..Advance::default()
        };
        let advanced = self.advance(tx, advance).await?;
        let thread_seq = match parent {
            None => None,
            Some(parent) => {
                assert!(tx.update_reply_counts(parent.pk, 1, 0).await?);
                let channel_pk = self.channel_pk;
                Some(tx.advance_thread(APP, channel_pk, parent.pk, &new.user_id, advanced.at).await?)
            }
        };
        let pk = tx
            .insert_message(APP, self.channel_pk, &new, advanced.unread_seq, thread_seq, advanced.at)
            .await?;
        let (seq, channel_pk) = (advanced.unread_seq, self.channel_pk);
        let message = Message::from_new(new, pk.unwrap(), APP, channel_pk, seq, thread_seq, advanced.at);
        tx.follow_new_message(&message, advanced.event_seq - events + 1, message.in_channel).await?;
        let readers = message.restricted_visibility.clone();
        tx.lower_unread(channel_pk, readers, -1).await?;
        if let (Some(parent), Some(seq)) = (parent, thread_seq) {
            tx.join_thread(APP, parent.pk, &[&parent.user_id], seq - 1, advanced.at).await?;
            tx.join_thread_by_reply(APP, parent.pk, &message.user_id, seq, &message.id, advanced.at).await?;
            self.append(tx, advanced.event_seq, "message.updated", advanced.at).await?;
        }
        Ok(message)
    }

    async fn delete(&self, tx: &mut Tx, message: &Message, hard: bool) -> Result<()> {
        let events = if message.parent_pk.is_some() { 2 } else { 1 };
        let advance = Advance { events, messages: -1, ..Advance::default() };
        let advanced = self.advance(tx, advance).await?;
        if message.counts_unread {
            tx.insert_unread_gaps(self.channel_pk, &[message.unread_seq]).await?;
        }
        tx.restore_own_unread(message, hard).await?;
        if hard {
            tx.delete_message_rows(message.pk).await?;
            tx.refresh_last_message_at(self.channel_pk).await?;
        } else {
            tx.delete_message_softly(message.pk, advanced.at).await?;
        }
        if let (Some(parent_pk), Some(seq)) = (message.parent_pk, message.thread_seq) {
            assert!(tx.update_reply_counts(parent_pk, -1, 1).await?);
            tx.insert_thread_unread_gap(parent_pk, seq).await?;
            self.append(tx, advanced.event_seq, "message.updated", advanced.at).await?;
        }
        self.append(tx, advanced.event_seq - events + 1, "message.deleted", advanced.at).await
    }
}

/// Twelve reactions, two more than the newest that are kept with the message.
async fn react(tx: &mut Tx, message: &Message) -> Result<()> {
    let mut summary = ReactionSummary::default();
    for (row, kind) in ["like", "love", "wow", "sad"].into_iter().enumerate() {
        for (column, user_id) in ["ann", "bob", "eve"].into_iter().enumerate() {
            let moment = at((50 + 3 * row as i64 + column as i64) * STEP);
            let reaction = Reaction {
                user_id: user_id.to_owned(),
                kind: kind.to_owned(),
                score: 1 + column as i64,
                custom: Custom::new(),
                created_at: moment,
                updated_at: moment,
            };
            tx.upsert_reaction(message.pk, &reaction).await?;
        }
        let group = tx.count_reaction_group(message.pk, kind).await?;
        summary.groups.insert(kind.to_owned(), group.unwrap());
    }
    summary.latest = tx.list_reactions(message.pk, 10, 0).await?;
    tx.update_reaction_summary(message.pk, &summary).await
}

fn user(id: &str) -> UserChange {
    UserChange {
        id: id.to_owned(),
        name: None,
        image: None,
        role: "user".to_owned(),
        language: String::new(),
        teams: Vec::new(),
        teams_role: Default::default(),
        invisible: false,
        privacy_settings: None,
        custom: Custom::new(),
    }
}

fn channel(id: &str) -> NewChannel {
    NewChannel {
        kind: "messaging".to_owned(),
        id: id.to_owned(),
        cid: format!("messaging:{id}"),
        created_by_id: "ann".to_owned(),
        distinct_members: Vec::new(),
        change: ChannelChange::default(),
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
        restricted_visibility: Vec::new(),
        change: MessageChange {
            text: format!("text of {id}"),
            quoted_message_id: None,
            mentioned_user_ids: Vec::new(),
            attachments: Vec::new(),
            custom: Custom::new(),
            extra: MessageExtra::default(),
            pin: None,
        },
    }
}

/// A reply, shown in the channel or only in its thread.
fn reply(id: &str, user_id: &str, in_channel: bool) -> NewMessage {
    NewMessage { kind: MessageKind::Reply, in_channel, counts_unread: in_channel, ..message(id, user_id) }
}
