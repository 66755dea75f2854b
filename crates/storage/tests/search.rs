//! Searching messages, on both databases.

#![allow(clippy::unwrap_used)]

mod databases;

use std::sync::Arc;

use databases::{Databases, at, new_channel, read, write};
use natterjack_filter::{Expression, parse, parse_sort};
use natterjack_protocol::message_types::Attachment;
use natterjack_protocol::{Custom, SortParam, Timestamp};
use natterjack_storage::{
    Found, KnownWords, MESSAGES, MessageChange, MessageExtra, MessageKind, NewApp, NewMessage, Pin,
    SearchMode, SearchQuery, Store, UserChange,
};
use serde_json::{Value, json};

const BATCH: i64 = 50;
const NOW: i64 = 1_000_000;

/// One channel of one app.
struct Fixture<'a> {
    store: &'a Store,
    app_pk: i64,
    channel_pk: i64,
}

impl<'a> Fixture<'a> {
    async fn new(store: &'a Store) -> Self {
        let (app_pk, channel_pk) = write(store, (), |tx, ()| {
            Box::pin(async move {
                let app = NewApp { name: "app".into(), api_key: "key".into(), api_secret: "secret".into() };
                tx.insert_app(&app, at(1)).await?;
                let app_pk = tx.list_apps().await?[0].pk;
                for id in ["ann", "bob"] {
                    let user = UserChange {
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
                    };
                    tx.upsert_user(app_pk, &user, at(1)).await?;
                }
                let channel = new_channel("general");
                let channel = tx.insert_channel(app_pk, &channel, at(1)).await?.unwrap();
                Ok((app_pk, channel.pk))
            })
        })
        .await;
        Self { store, app_pk, channel_pk }
    }

    /// Sends a message and has it queued. Its time is its number among `sent`.
    async fn send(&self, message: NewMessage, time: i64) -> i64 {
        write(
            self.store,
            (self.app_pk, self.channel_pk, message, time),
            |tx, (app_pk, channel_pk, new, time)| {
                Box::pin(async move {
                    let time = at(*time);
                    tx.insert_message(*app_pk, *channel_pk, new, 1, None, time).await?.unwrap();
                    let message = tx.find_message(*app_pk, &new.id).await?.unwrap();
                    tx.follow_new_message(&message, time.nanoseconds(), false).await?;
                    Ok(message.pk)
                })
            },
        )
        .await
    }

    async fn send_texts(&self, texts: &[(&str, &str)]) {
        for (time, (id, text)) in texts.iter().enumerate() {
            self.send(message(id, text), 10 + time as i64).await;
        }
        self.index().await;
    }

    async fn index(&self) {
        while write(self.store, KnownWords::default(), |tx, known| {
            Box::pin(tx.index_queued_messages(BATCH, known, at(0)))
        })
        .await
        .messages
            > 0
        {}
        assert_eq!(write(self.store, (), |tx, ()| Box::pin(tx.count_search_queue(10))).await, 0);
    }

    fn query(&self, filter: Value) -> SearchQuery {
        SearchQuery {
            channels: vec![(self.channel_pk, Timestamp::default())],
            filter: expression(filter),
            sort: Vec::new(),
            limit: 100,
            offset: 0,
            mode: None,
            user_id: None,
            now: at(NOW),
        }
    }

    async fn find(&self, query: SearchQuery) -> Found {
        read(self.store, (self.app_pk, query), |tx, (app_pk, query)| {
            Box::pin(tx.search_messages(*app_pk, query))
        })
        .await
    }

    /// The ids of what matches, sorted.
    async fn ids(&self, filter: Value) -> String {
        let found = self.find(self.query(filter)).await;
        let mut ids = ids(&found);
        ids.sort();
        ids.join(" ")
    }

    #[track_caller]
    fn same(&self, found: &str, expected: &str, question: &str) {
        assert_eq!(found, expected, "{:?}: {question}", self.store.dialect());
    }

    /// Checks what texts with an operator find.
    async fn check(&self, operator: &str, expected: &[(&str, &str)]) {
        for (operand, expected) in expected {
            let found = self.ids(json!({ "text": { operator: operand } })).await;
            self.same(&found, expected, &format!("{operator} {operand}"));
        }
    }
}

fn expression(filter: Value) -> Expression {
    let Value::Object(filter) = filter else { panic!("filters are objects") };
    parse(&MESSAGES, &filter).unwrap()
}

fn ids(found: &Found) -> Vec<String> {
    found.messages.iter().map(|(message, _)| message.id.clone()).collect()
}

fn change(text: &str) -> MessageChange {
    MessageChange {
        text: text.to_owned(),
        quoted_message_id: None,
        mentioned_user_ids: Vec::new(),
        attachments: Vec::new(),
        custom: Custom::new(),
        extra: MessageExtra::default(),
        pin: None,
    }
}

fn message(id: &str, text: &str) -> NewMessage {
    NewMessage {
        id: id.to_owned(),
        user_id: "ann".to_owned(),
        kind: MessageKind::Regular,
        parent_pk: None,
        parent_id: None,
        in_channel: true,
        counts_unread: true,
        silent: false,
        shadowed: false,
        restricted_visibility: Vec::new(),
        change: change(text),
    }
}

/// Runs a test on each database.
async fn on_each(test: impl AsyncFn(Fixture<'_>)) {
    let databases = Databases::open().await;
    for store in &databases.stores {
        test(Fixture::new(store).await).await;
    }
    databases.close().await;
}

#[tokio::test]
async fn words_beginnings_and_alternatives() {
    on_each(async |fixture| {
        fixture
            .send_texts(&[
                ("a", "The quick brown fox"),
                ("b", "A quick-witted, QUICK reply: foxtrot!"),
                ("c", "snake_case 42 and 4.2"),
            ])
            .await;
        let expected = [("quick", "a b"), ("Fox", "a"), ("quick fox", "a"), ("42", "c"), ("case snake", "c")];
        fixture.check("$q", &expected).await;
        fixture
            .check("$autocomplete", &[("fo", "a b"), ("qui fo", "a b"), ("snake c", "c"), ("x", "")])
            .await;
        fixture.check("$any", &[("fox reply", "a b"), ("nothing 42", "c"), ("nothing", "")]).await;
    })
    .await;
}

#[tokio::test]
async fn a_part_is_found_when_no_word_is() {
    on_each(async |fixture| {
        fixture
            .send_texts(&[("a", "Donaudampfschiff fährt"), ("b", "ein Schiff"), ("c", "100%ig under_score")])
            .await;
        let expected = [
            ("schiff", "b"),
            ("dampf", "a"),
            ("dampf AHR", "a"),
            ("dampf schif", "a"),
            ("chif", "a b"),
            ("missing dampf", ""),
            ("a", ""),
            ("nde cor", "c"),
        ];
        fixture.check("$q", &expected).await;
        let query = SearchQuery { limit: 1, ..fixture.query(json!({"text": {"$q": "chif"}})) };
        let first = fixture.find(query.clone()).await;
        assert_eq!((first.mode, first.has_more), (SearchMode::Parts, true));
        // Later pages stay with it, whether or not they say so.
        for mode in [None, Some(SearchMode::Parts)] {
            let second = fixture.find(SearchQuery { offset: 1, mode, ..query.clone() }).await;
            assert_eq!((second.mode, second.has_more), (SearchMode::Parts, false));
            assert_ne!(ids(&second), ids(&first));
        }
        let words = fixture.find(SearchQuery { mode: Some(SearchMode::Words), ..query }).await;
        assert_eq!((words.mode, words.messages.len()), (SearchMode::Words, 0));
        let query = SearchQuery { offset: 5, ..fixture.query(json!({"text": {"$q": "schiff"}})) };
        let beyond = fixture.find(query).await;
        assert_eq!((beyond.mode, beyond.messages.len()), (SearchMode::Words, 0));
        // As a condition among others too.
        let filter = json!({"$or": [{"text": {"$q": "dampf"}}, {"id": "c"}]});
        fixture.same(&fixture.ids(filter).await, "c", "$or");
        let filter = json!({"$or": [{"text": {"$q": "dampf"}}, {"id": "x"}]});
        fixture.same(&fixture.ids(filter).await, "a", "$or");
    })
    .await;
}

#[tokio::test]
async fn all_scripts() {
    on_each(async |fixture| {
        // Longer than a word may be in the index, and than the operand of a filter.
        let long = format!("{} end", "ж".repeat(3000));
        fixture
            .send_texts(&[
                ("a", "Schöne Grüße, naïve CAFÉ"),
                ("b", "Привет, Ёлка"),
                ("c", "我在東京工作"),
                ("d", "京都の東にある"),
                ("e", "party 🎉🎉 time"),
                ("f", "กรุงเทพ हिन्दी भाषा"),
                ("g", "שָׁלוֹם مُحَمَّد 𝒳𝓎𝓏 Ⓐ ② 한국어"),
                ("h", &long),
                ("i", "🏳️‍🌈 \u{1F130} ⅻ ꙮ 𞤀𞤁 ᏣᎳᎩ ꭳ"),
            ])
            .await;
        let expected = [
            ("schone", "a"),
            ("GRÜSSE", ""),
            ("grüße cafe", "a"),
            ("елка", "b"),
            ("ПРИВЕТ", "b"),
            ("東京", "c"),
            ("京東", ""),
            ("東", "c d"),
            ("東 京", "c d"),
            ("工作 我在", "c"),
            ("の東", "d"),
            ("party time", "e"),
            ("กรุง", "f"),
            ("हिन्दी", "f"),
            ("שלום", "g"),
            ("محمد xyz a 2", "g"),
            ("한국어", "g"),
            (&"Ж".repeat(2000), "h"),
            ("end", "h"),
            ("ꙮ", "i"),
            ("𞤀𞤁", "i"),
            ("ꮳꮃꭹ", "i"),
            ("XII", "i"),
        ];
        fixture.check("$q", &expected).await;
        fixture
            .check(
                "$autocomplete",
                &[("сч", ""), ("Приве ел", "b"), ("हिन्", "f"), ("東京", "c"), ("한", "g")],
            )
            .await;
        fixture.check("$any", &[("京東 の東", "d"), ("🎉 time", "e")]).await;
    })
    .await;
}

#[tokio::test]
async fn nothing_in_a_text_is_syntax() {
    on_each(async |fixture| {
        let odd = r#""AND OR NOT near(a) ( ) : ^ - * ' \ & | ! <-> a:* {words}: + %_"#;
        fixture.send_texts(&[("a", odd), ("b", "and or not"), ("c", "x'; DROP TABLE messages --")]).await;
        let expected = [(odd, "a"), ("NOT AND OR", "a b"), ("a:* near", "a"), ("drop'TABLE", "c")];
        fixture.check("$q", &expected).await;
        fixture.check("$autocomplete", &expected).await;
        fixture.check("$any", &[(odd, "a b"), (r#"\ " x'"#, "c")]).await;
        // Parts of words are looked for with a pattern.
        fixture.check("$q", &[("n%d", ""), ("n_t", ""), ("!ropp", "")]).await;
    })
    .await;
}

#[tokio::test]
async fn edits_and_deletions() {
    on_each(async |fixture| {
        let first = fixture.send(message("a", "first draft"), 10).await;
        let second = fixture.send(message("b", "second draft"), 11).await;
        let system = NewMessage { kind: MessageKind::System, ..message("s", "system draft") };
        fixture.send(system, 12).await;
        fixture.check("$q", &[("draft", "")]).await;
        fixture.index().await;
        fixture.check("$q", &[("draft", "a b"), ("first", "a")]).await;
        fixture.same(&fixture.ids(json!({"created_at": {"$gt": 0}})).await, "a b", "no text");

        write(fixture.store, first, |tx, pk| {
            Box::pin(async move { tx.update_message(*pk, &change("final version"), None, at(20)).await })
        })
        .await;
        write(fixture.store, second, |tx, pk| {
            Box::pin(async move { tx.delete_message_softly(*pk, at(21)).await })
        })
        .await;
        // At once, whatever the index still says.
        fixture.check("$q", &[("second", "")]).await;
        fixture.index().await;
        fixture.check("$q", &[("draft", ""), ("first", ""), ("final", "a"), ("second", "")]).await;

        write(fixture.store, first, |tx, pk| Box::pin(async move { tx.delete_message_rows(*pk).await }))
            .await;
        fixture.index().await;
        fixture.check("$q", &[("final", "")]).await;
    })
    .await;
}

#[tokio::test]
async fn who_sees_what() {
    on_each(async |fixture| {
        fixture.send(message("a", "word"), 10).await;
        let restricted = NewMessage { restricted_visibility: vec!["bob".into()], ..message("b", "word") };
        fixture.send(restricted, 11).await;
        let parent_pk = fixture.send(message("c", "word"), 12).await;
        let reply = NewMessage {
            kind: MessageKind::Reply,
            parent_pk: Some(parent_pk),
            parent_id: Some("c".into()),
            in_channel: false,
            ..message("d", "word")
        };
        fixture.send(reply, 13).await;
        fixture.index().await;
        write(fixture.store, fixture.app_pk, |tx, app_pk| {
            Box::pin(async move {
                let message = tx.find_message(*app_pk, "c").await?.unwrap();
                tx.hide_message_for(&message, "bob", at(20)).await
            })
        })
        .await;
        for filter in [json!({"text": {"$q": "word"}}), json!({"reply_count": 0})] {
            for (user, from, expected) in [
                (None, 0, "a b c d"),
                (Some("ann"), 0, "a b c d"),
                (Some("bob"), 0, "a b d"),
                (Some("eve"), 0, "a c d"),
                (Some("eve"), 12, "d"),
            ] {
                let query = SearchQuery {
                    user_id: user.map(str::to_owned),
                    channels: vec![(fixture.channel_pk, at(from))],
                    ..fixture.query(filter.clone())
                };
                let mut found = ids(&fixture.find(query).await);
                found.sort();
                fixture.same(&found.join(" "), expected, &format!("{user:?} {from}"));
            }
            for channels in [vec![], vec![(fixture.channel_pk + 1, at(0))]] {
                let query = SearchQuery { channels, ..fixture.query(filter.clone()) };
                assert!(fixture.find(query).await.messages.is_empty());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn fields() {
    on_each(async |fixture| {
        fixture.send(message("a", "word"), 10).await;
        let mut rich = message("b", "word word");
        rich.user_id = "bob".into();
        rich.change.mentioned_user_ids = vec!["ann".into()];
        let attachment = |kind: &str| Attachment { kind: Some(kind.to_owned()), ..Attachment::default() };
        rich.change.attachments = vec![attachment("image"), attachment("video"), Attachment::default()];
        rich.change.custom = Custom::new().with("priority", 10).with("tag", "x");
        rich.change.pin = Some(Pin { at: at(11), by_id: "ann".into(), expires: None });
        fixture.send(rich, 11).await;
        let mut expired = message("c", "other");
        expired.change.pin = Some(Pin { at: at(12), by_id: "ann".into(), expires: Some(at(13)) });
        expired.change.custom = Custom::new().with("priority", 9);
        fixture.send(expired, 12).await;
        fixture.index().await;
        for (filter, expected) in [
            (json!({"id": "a"}), "a"),
            (json!({"type": {"$in": ["regular"]}}), "a b c"),
            (json!({"parent_id": {"$exists": false}}), "a b c"),
            (json!({"reply_count": {"$gte": 1}}), ""),
            (json!({"created_at": {"$gt": 10}}), "b c"),
            (json!({"cid": "messaging:general"}), "a b c"),
            (json!({"cid": {"$in": ["messaging:other"]}}), ""),
            (json!({"text": "word"}), "a"),
            (json!({"text": {"$gt": "p"}}), "a b"),
            (json!({"attachments": {"$exists": true}}), "b"),
            (json!({"attachments": {"$exists": false}}), "a c"),
            (json!({"attachments.type": "video"}), "b"),
            (json!({"attachments.type": {"$in": ["file", "image"]}}), "b"),
            (json!({"attachments.type": "file"}), ""),
            (json!({"mentioned_users.id": {"$contains": "ann"}}), "b"),
            (json!({"user.id": "bob"}), "b"),
            (json!({"user_id": {"$in": ["ann"]}}), "a c"),
            (json!({"pinned": true}), "b"),
            (json!({"pinned": false}), "a c"),
            (json!({"priority": {"$gt": 9}}), "b"),
            (json!({"tag": {"$in": ["x", "y"]}}), "b"),
            (json!({"text": {"$q": "word"}, "user_id": "bob"}), "b"),
            (json!({"$nor": [{"text": {"$q": "word"}}]}), "c"),
            (json!({"$or": [{"text": {"$q": "other"}}, {"text": {"$autocomplete": "wo"}, "pinned": true}]}), "b c"),
            (json!({"$and": [{"text": {"$q": "word"}}, {"text": {"$autocomplete": "w"}}]}), "a b"),
            (json!({"$and": [{"text": {"$q": "word"}}, {"text": {"$q": "other"}}]}), ""),
            (json!({"$nor": [{"text": {"$any": "word nothing"}}, {"text": {"$q": "nothing"}}]}), "c"),
        ] {
            fixture.same(&fixture.ids(filter.clone()).await, expected, &filter.to_string());
        }
        let sort = |field: &str, direction, kind: Option<&str>| SortParam {
            field: Some(field.to_owned()),
            direction: Some(direction),
            kind: kind.map(str::to_owned),
        };
        for (sort, expected) in [
            (vec![sort("created_at", -1, None)], "c b a"),
            (vec![sort("priority", 1, Some("number"))], "c b a"),
            (vec![sort("text", -1, None)], "b a c"),
            (vec![sort("pinned", -1, None), sort("id", -1, None)], "b c a"),
            (vec![sort("cid", 1, None), sort("user_id", -1, None)], "b a c"),
            (vec![sort("relevance", 1, None)], "a b c"),
            (vec![], "a b c"),
        ] {
            let sort = parse_sort(&MESSAGES, &sort, 5).unwrap();
            let query = SearchQuery { sort: sort.clone(), ..fixture.query(json!({"reply_count": 0})) };
            fixture.same(&ids(&fixture.find(query).await).join(" "), expected, &format!("{sort:?}"));
        }
        let sort = parse_sort(&MESSAGES, &[sort("relevance", -1, None), sort("tag", 1, None)], 5).unwrap();
        let query = SearchQuery { sort, ..fixture.query(json!({"text": {"$q": "word"}, "priority": 10})) };
        fixture.same(&ids(&fixture.find(query).await).join(" "), "b", "relevance");
    })
    .await;
}

#[tokio::test]
async fn the_best_comes_first() {
    on_each(async |fixture| {
        let long = format!("a {} b", "something else entirely ".repeat(20));
        fixture
            .send_texts(&[
                ("a", &format!("{long} needle {long}")),
                ("b", "needle"),
                ("c", "no match here"),
                ("d", &long),
            ])
            .await;
        let found = fixture.find(fixture.query(json!({"text": {"$q": "needle"}}))).await;
        assert_eq!(ids(&found), ["b", "a"], "{:?}", fixture.store.dialect());
        assert!(found.messages[0].1 > found.messages[1].1 && found.messages[1].1 > 0.0);
        let found = fixture.find(fixture.query(json!({"reply_count": 0}))).await;
        assert!(found.messages.iter().all(|(_, score)| *score == 0.0));
    })
    .await;
}

#[tokio::test]
async fn pages_have_no_gaps_and_no_repeats() {
    on_each(async |fixture| {
        for number in 0..120_i64 {
            let text = format!("page {} number{number}", "filler ".repeat((number % 4) as usize));
            fixture.send(message(&format!("m{number:03}"), &text), 10 + number).await;
        }
        let queued = write(fixture.store, (), |tx, ()| Box::pin(tx.count_search_queue(100))).await;
        assert_eq!(queued, 100);
        fixture.index().await;
        for filter in
            [json!({"text": {"$q": "page"}}), json!({"text": {"$q": "umber"}}), json!({"reply_count": 0})]
        {
            let mut seen = Vec::new();
            let mut query = SearchQuery { limit: 50, ..fixture.query(filter.clone()) };
            loop {
                let found = fixture.find(query.clone()).await;
                seen.extend(ids(&found));
                query.offset += query.limit;
                query.mode = Some(found.mode);
                if !found.has_more {
                    break;
                }
            }
            assert_eq!(seen.len(), 120, "{:?}: {filter}", fixture.store.dialect());
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 120, "{:?}: {filter}", fixture.store.dialect());
        }
    })
    .await;
}

/// How many words are listed for finding them by their parts.
async fn listed_words(store: &Store) -> i64 {
    let report = store.check(|_| ()).await.unwrap();
    report.counts.iter().find(|(name, _)| *name == "search_words").unwrap().1
}

#[tokio::test]
async fn words_that_no_message_has_go_when_they_are_old() {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;
    on_each(async |fixture| {
        let store = fixture.store;
        let known = Arc::new(KnownWords::default());
        let index = async |now: i64| {
            let indexed = write(store, (Arc::clone(&known), at(now)), |tx, (known, now)| {
                Box::pin(tx.index_queued_messages(BATCH, known, *now))
            })
            .await;
            known.learn(indexed);
        };
        let prune = async |before: i64, now: i64| {
            let mut after = (0, String::new());
            loop {
                let input = (after, at(before), at(now));
                let last = write(store, input, |tx, ((app_pk, word), before, now)| {
                    Box::pin(tx.prune_search_words((*app_pk, word), *before, *now, 2))
                })
                .await;
                match last {
                    Some(last) => after = last,
                    None => return,
                }
            }
        };
        let gone = fixture.send(message("a", "Donaudampfschiff fährt"), 10).await;
        fixture.send(message("b", "ein Schiff fährt"), 11).await;
        index(DAY).await;
        assert_eq!(listed_words(store).await, 4);
        write(store, gone, |tx, pk| Box::pin(async move { tx.delete_message_softly(*pk, at(20)).await }))
            .await;
        index(DAY).await;
        prune(DAY - 1, 2 * DAY).await;
        assert_eq!(listed_words(store).await, 4, "they are not old yet");
        prune(2 * DAY, 40 * DAY).await;
        assert_eq!(listed_words(store).await, 3, "the others are in use");
        assert_eq!(fixture.ids(json!({ "text": { "$q": "schif" } })).await, "b");
        // What was known to be listed is listed anew.
        fixture.send(message("c", "Donaudampfschiff"), 12).await;
        index(41 * DAY).await;
        assert_eq!(listed_words(store).await, 4);
        assert_eq!(fixture.ids(json!({ "text": { "$q": "dampf" } })).await, "c");
    })
    .await;
}
