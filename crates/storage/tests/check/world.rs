//! A database with a case of everything, written as a server writes it.

use natterjack_protocol::{Custom, Timestamp};
use natterjack_storage::{
    Advance, Advanced, Ban, ChannelEvent, ChannelMute, FlagTarget, KnownWords, Message, MessageChange,
    MessageExtra, MessageKind, NewApp, NewMember, NewMessage, NewTask, Reaction, ReactionSummary,
    ReadPosition, Result, Tx, UnreadQuery, UserBlock, UserChange, UserEvent, VersionEnd, WHOLE_APP,
};

use crate::databases::{at, new_channel};

/// The first app of a database.
const APP: i64 = 1;

/// Between two things that happen.
const STEP: i64 = 1_000_000_000;

/// Fills a database by the operations that a server uses, with a case of each kind.
pub async fn build(tx: &mut Tx) -> Result<()> {
    let app = NewApp { name: "test".to_owned(), api_key: "key".to_owned(), api_secret: "secret".to_owned() };
    tx.insert_app(&app, at(STEP)).await?;
    for id in ["ann", "bob", "eve", "dan", "zoe", "ike", "kim", "lea"] {
        tx.upsert_user(APP, &user(id), at(STEP)).await?;
    }
    let task = NewTask {
        id: "task".to_owned(),
        app_pk: APP,
        kind: "delete_users",
        payload: "{}".to_owned(),
        progress: None,
    };
    let task = tx.insert_task(&task, Some(at(2 * STEP)), at(STEP)).await?;
    assert!(tx.end_task(&task.lease(), &Default::default(), None, at(2 * STEP)).await?);
    let event =
        UserEvent { app_pk: APP, user_id: "ann", kind: "user.updated", channel_pk: None, payload: None };
    tx.append_user_event(event, at(STEP)).await?;
    tx.insert_channel(APP, &new_channel("empty"), at(STEP)).await?;
    let gone = World::create(tx, "gone", &["ann", "bob"]).await?;
    gone.send(tx, message("g1", "ann"), None).await?;
    tx.delete_channel_softly(gone.channel_pk, at(90 * STEP)).await?;
    build_quiet(tx).await?;
    build_blocked(tx).await?;

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
        read_up_to: second.created_at,
        last_read: second.created_at,
        last_read_message_id: Some(second.id.clone()),
    };
    assert!(tx.update_read_position(world.channel_pk, "ann", &position).await?);
    world.delete(tx, &soft, false).await?;
    world.delete(tx, &hard, true).await?;
    world.delete(tx, &soft_own, false).await?;
    world.delete(tx, &hard_other, true).await?;

    let back = world.send(tx, message("m8", "bob"), None).await?;
    world.delete(tx, &back, false).await?;
    world.undelete(tx, &back).await?;

    build_moderated(tx, &world, &first).await?;
    let system = NewMessage { kind: MessageKind::System, ..message("system", "eve") };
    world.send(tx, system, None).await?;
    let silent = NewMessage { silent: true, counts_unread: false, ..message("silent", "bob") };
    world.send(tx, silent, None).await?;
    react(tx, &first).await?;
    assert!(tx.hide_message_for(&first, "bob", at(STEP)).await?);
    let known = KnownWords::default();
    while tx.index_queued_messages(100, &known, at(STEP)).await?.messages == 100 {}
    // Its words stay in the index until the next round.
    let last = world.send(tx, message("m7", "bob"), None).await?;
    tx.index_queued_messages(100, &known, at(STEP)).await?;
    world.delete(tx, &last, true).await
}

/// A member who is banned, one whom another mutes and did before, and a message that was reported.
async fn build_moderated(tx: &mut Tx, world: &World, reported: &Message) -> Result<()> {
    let advanced = world.advance(tx, Advance::default()).await?;
    let ban = Ban {
        channel_pk: world.channel_pk,
        user_id: "eve".to_owned(),
        banned_by_id: "ann".to_owned(),
        reason: String::new(),
        shadow: true,
        ip: None,
        created_at: advanced.at,
        expires: None,
    };
    tx.upsert_ban(APP, &ban).await?;
    tx.upsert_ban(APP, &Ban { channel_pk: WHOLE_APP, shadow: false, ..ban.clone() }).await?;
    tx.settle_user_ban(APP, "eve").await?;
    assert!(tx.upsert_future_channel_ban(APP, &ban, 9).await?);
    let targets = vec!["bob".to_owned()];
    tx.upsert_user_mutes(APP, "ann", &targets, None, advanced.at).await?;
    world.send(tx, message("muted", "bob"), None).await?;
    tx.delete_user_mutes(APP, "ann", targets.clone(), advanced.at).await?;
    world.send(tx, message("heard", "bob"), None).await?;
    tx.upsert_user_mutes(APP, "ann", &targets, None, advanced.at).await?;
    world.send(tx, message("muted too", "bob"), None).await?;
    let shadowed = NewMessage { shadowed: true, counts_unread: false, ..message("shadowed", "eve") };
    world.send(tx, shadowed, None).await?;
    let target = FlagTarget {
        app_pk: APP,
        message: Some((reported.channel_pk, reported.pk)),
        creator_id: reported.user_id.clone(),
    };
    tx.insert_flag(&target, "item", "bob", "rude", &Custom::new(), advanced.at).await
}

/// A channel that was quiet for some of its members: until a moment, until it was taken back, and for good.
async fn build_quiet(tx: &mut Tx) -> Result<()> {
    let world = World::create(tx, "quiet", &["ike", "kim", "lea"]).await?;
    let first = world.send(tx, message("q1", "lea"), None).await?;
    let until = world.mute(tx, "kim", Some(20)).await?;
    world.mute(tx, "lea", None).await?;
    world.mute(tx, "ike", None).await?;
    for (id, user_id) in [("q2", "lea"), ("q3", "kim"), ("q4", "ike"), ("q5", "lea"), ("q6", "kim")] {
        world.send(tx, message(id, user_id), None).await?;
    }
    let secret = NewMessage {
        restricted_visibility: vec!["ike".to_owned(), "kim".to_owned()],
        counts_unread: false,
        ..message("q7", "lea")
    };
    let secret = world.send(tx, secret, None).await?;
    let last = world.send(tx, message("q8", "lea"), None).await?;
    assert!(last.created_at < until);
    world.unmute(tx, "lea").await?;
    world.wait(tx, until).await?;
    let soft = world.send(tx, message("q9", "ike"), None).await?;
    world.send(tx, message("q10", "kim"), None).await?;
    world.mute(tx, "kim", None).await?;
    world.send(tx, message("q11", "ike"), None).await?;
    for user_id in ["kim", "lea"] {
        // Back to the beginning: only what was sent while it was not quiet counts.
        let position = ReadPosition {
            read_seq: first.unread_seq,
            unread_less: tx.count_unread_less(world.channel_pk, user_id, first.created_at).await?,
            read_up_to: first.created_at,
            last_read: last.created_at,
            last_read_message_id: Some(first.id.clone()),
        };
        assert!(tx.update_read_position(world.channel_pk, user_id, &position).await?);
    }
    let counted = [("kim", 1), ("lea", 3)];
    for (user_id, unread) in counted {
        assert_eq!(unread_of(tx, user_id).await?, unread, "{user_id}");
    }
    // The last message before the end of a span, one's own in a span, and others.
    for (id, hard) in [("q8", true), ("q3", true), ("q6", false), ("q5", false), ("q4", true)] {
        let found = tx.find_message(APP, id).await?.unwrap();
        world.delete(tx, &found, hard).await?;
    }
    tx.settle_restricted(&secret, false).await?;
    tx.delete_message_softly(secret.pk, soft.created_at).await?;
    world.advance(tx, Advance { messages: -1, ..Advance::default() }).await?;
    for (user_id, unread) in counted {
        assert_eq!(unread_of(tx, user_id).await?, unread, "{user_id}");
    }
    world.delete(tx, &soft, false).await?;
    assert_eq!(unread_of(tx, "kim").await?, 0);
    assert_eq!(unread_of(tx, "lea").await?, 2);
    Ok(())
}

async fn unread_of(tx: &mut Tx, user_id: &str) -> Result<i64> {
    let query =
        UnreadQuery { app_pk: APP, user_ids: vec![user_id.to_owned()], without_kinds: Vec::new(), limit: 10 };
    let unread = tx.list_unread_channels(&query).await?;
    Ok(unread[0].groups.iter().map(|group| group.unread).sum())
}

/// A channel of two of whom one blocked the other.
async fn build_blocked(tx: &mut Tx) -> Result<()> {
    let world = World::create(tx, "pair", &["ike", "kim"]).await?;
    let block =
        UserBlock { user_id: "ike".to_owned(), blocked_user_id: "kim".to_owned(), created_at: at(STEP) };
    assert!(tx.insert_user_block(APP, &block).await?);
    let advanced = world.advance(tx, Advance::default()).await?;
    let changes = tx.settle_blocks(APP, world.channel_pk, &advanced).await?;
    assert_eq!(changes.iter().map(|change| change.user_id.as_str()).collect::<Vec<_>>(), ["ike"]);
    world.send(tx, message("p1", "kim"), None).await?;
    Ok(())
}

/// A channel and what the server does with it.
struct World {
    channel_pk: i64,
}

impl World {
    async fn create(tx: &mut Tx, id: &str, members: &[&str]) -> Result<Self> {
        let stored = tx.insert_channel(APP, &new_channel(id), at(STEP)).await?.unwrap();
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

    /// Mutes the channel for so many steps. Answers the end.
    async fn mute(&self, tx: &mut Tx, user_id: &str, steps: Option<i64>) -> Result<Timestamp> {
        let advanced = self.advance(tx, Advance::default()).await?;
        let expires = steps.map(|steps| advanced.at.plus_seconds(steps));
        let mute = ChannelMute {
            channel_pk: self.channel_pk,
            user_id: user_id.to_owned(),
            expires,
            created_at: advanced.at,
            updated_at: advanced.at,
        };
        tx.upsert_channel_mute(APP, &mute, advanced.at, advanced.unread_seq).await?;
        Ok(expires.unwrap_or_default())
    }

    async fn unmute(&self, tx: &mut Tx, user_id: &str) -> Result<()> {
        let advanced = self.advance(tx, Advance::default()).await?;
        assert!(tx.delete_channel_mute(self.channel_pk, user_id, advanced.at, advanced.unread_seq).await?);
        Ok(())
    }

    /// Lets time pass in the channel.
    async fn wait(&self, tx: &mut Tx, until: Timestamp) -> Result<()> {
        tx.advance_channel(self.channel_pk, Advance::default(), until).await?.unwrap();
        Ok(())
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
        if message.counts_for_its_readers() {
            tx.count_restricted(&message).await?;
        }
        if let Some(parent) = parent {
            tx.follow_reply(&message, &[&parent.user_id]).await?;
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
            tx.refresh_last_message_at(self.channel_pk, false).await?;
        } else {
            let end = VersionEnd { is_deletion: true, at: advanced.at, by_id: &message.user_id };
            tx.insert_message_history(message, end).await?;
            tx.delete_message_softly(message.pk, advanced.at).await?;
        }
        if let (Some(parent_pk), Some(seq)) = (message.parent_pk, message.thread_seq) {
            assert!(tx.update_reply_counts(parent_pk, -1, 1).await?);
            tx.insert_thread_unread_gap(parent_pk, seq, &message.user_id).await?;
            self.append(tx, advanced.event_seq, "message.updated", advanced.at).await?;
        }
        self.append(tx, advanced.event_seq - events + 1, "message.deleted", advanced.at).await
    }

    async fn undelete(&self, tx: &mut Tx, message: &Message) -> Result<()> {
        let advance = Advance { events: 1, messages: 1, ..Advance::default() };
        let advanced = self.advance(tx, advance).await?;
        tx.undelete_message(message.pk, advanced.at).await?;
        tx.delete_unread_gap(self.channel_pk, message.unread_seq).await?;
        tx.settle_undeleted(message).await?;
        self.append(tx, advanced.event_seq, "message.undeleted", advanced.at).await
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
            summary.add(&reaction);
        }
    }
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
        shadowed: false,
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
