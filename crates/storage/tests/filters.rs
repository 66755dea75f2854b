//! Random filters give the same answer in SQLite, in PostgreSQL and in memory; both databases sort alike.

#![allow(clippy::unwrap_used)]

mod databases;

use std::borrow::Cow;
use std::sync::atomic::{AtomicI64, Ordering};

use databases::{Databases, at, read, write};
use natterjack_filter::{
    Expression, Field, FieldValue, Kind, Lookup, Operator, Operators, Schema, SortKey, parse, parse_sort,
};
use natterjack_protocol::{Custom, JsonMap, SortParam};
use natterjack_storage::queries::{CHANNELS, USERS};
use natterjack_storage::{
    Advance, Channel, ChannelChange, ChannelQuery, NewChannel, Result, Tx, User, UserChange, UserQuery,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

const ROWS: usize = 12;
const FILTERS: usize = 30;
const CASES: u32 = 20;

const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "b",
    "ab cd",
    "Zoë Ångström",
    "zoe",
    "東京 tower",
    "ﬁ ne",
    "10",
    "9",
    "true",
    "null",
    "é",
    "e\u{301}",
    "ΟΔΟΣ οδος",
    "😀 x",
    "a\"b\\c\n",
    "हिन्दी %_",
];
const KEYS: &[&str] = &["a", "b", "é", "0", "a b", "name", "email", "username"];
const PATHS: &[&str] = &["a", "b", "é", "0", "a b", "a.a", "a.0", "b.é", "a.b.0"];
/// The fields of channels that are the same for everybody and stand in the channel's row.
const CHANNEL_FIELDS: &[&str] = &[
    "cid",
    "id",
    "type",
    "team",
    "created_by_id",
    "frozen",
    "member_count",
    "message_count",
    "created_at",
    "updated_at",
    "last_message_at",
    "last_updated",
    "name",
    "disabled",
    "distinct",
    "filter_tags",
];

struct OfUser(User);
struct OfChannel(Channel);

fn text(value: &str) -> FieldValue<'_> {
    FieldValue::Text(Cow::Borrowed(value))
}

fn optional<'a, T>(value: Option<T>, wrap: impl Fn(T) -> FieldValue<'a>) -> FieldValue<'a> {
    value.map_or(FieldValue::Missing, wrap)
}

fn list(values: &[String]) -> FieldValue<'_> {
    FieldValue::TextList(values.iter().map(|value| Cow::Borrowed(value.as_str())).collect())
}

impl Lookup for OfUser {
    fn builtin(&self, name: &str) -> FieldValue<'_> {
        let user = &self.0;
        match name {
            "id" => text(&user.id),
            "name" => optional(user.name.as_deref(), text),
            "role" => text(&user.role),
            "language" => text(&user.language),
            "created_at" => FieldValue::Time(user.created_at),
            "updated_at" => FieldValue::Time(user.updated_at),
            "last_active" => optional(user.last_active, FieldValue::Time),
            "banned" => FieldValue::Boolean(user.banned),
            "shadow_banned" | "bypass_moderation" => FieldValue::Boolean(false),
            "teams" => list(&user.teams),
            name => optional(user.custom.get(name).and_then(Value::as_str), text),
        }
    }

    fn custom(&self) -> Option<&JsonMap> {
        Some(&self.0.custom)
    }
}

impl Lookup for OfChannel {
    fn builtin(&self, name: &str) -> FieldValue<'_> {
        let channel = &self.0;
        match name {
            "cid" => text(&channel.cid),
            "id" => text(&channel.id),
            "type" => text(&channel.kind),
            "team" => optional(channel.team.as_deref(), text),
            "created_by_id" => optional(channel.created_by_id.as_deref(), text),
            "frozen" => FieldValue::Boolean(channel.frozen),
            "disabled" => FieldValue::Boolean(channel.disabled),
            "distinct" => FieldValue::Boolean(!channel.distinct_members.is_empty()),
            "member_count" => FieldValue::Integer(channel.member_count),
            "message_count" => FieldValue::Integer(channel.message_count),
            "created_at" => FieldValue::Time(channel.created_at),
            "updated_at" => FieldValue::Time(channel.updated_at),
            "last_message_at" => optional(channel.last_message_at, FieldValue::Time),
            "last_updated" => {
                FieldValue::Time(channel.last_message_at.unwrap_or_default().max(channel.created_at))
            }
            "filter_tags" => list(&channel.filter_tags),
            "name" => optional(channel.custom.get("name").and_then(Value::as_str), text),
            other => panic!("the test does not know {other}"),
        }
    }

    fn custom(&self) -> Option<&JsonMap> {
        Some(&self.0.custom)
    }
}

fn some_text() -> impl Strategy<Value = String> {
    select(TEXTS).prop_map(str::to_owned)
}

fn number() -> impl Strategy<Value = Value> {
    let numbers =
        [json!(0), json!(-0.0), json!(1), json!(1.0), json!(-7), json!(2.5), json!(0.1), json!(1e300)];
    let large = [json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64), json!(u64::MAX)];
    select([numbers.as_slice(), large.as_slice()].concat())
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![some_text().prop_map(Value::from), number(), any::<bool>().prop_map(Value::from)]
}

fn custom_value() -> impl Strategy<Value = Value> {
    prop_oneof![5 => scalar(), 1 => Just(Value::Null)].prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((select(KEYS), inner), 0..4).prop_map(|entries| entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<JsonMap>()
                .into()),
        ]
    })
}

fn custom() -> impl Strategy<Value = Custom> {
    prop::collection::vec((select(KEYS), custom_value()), 0..5)
        .prop_map(|entries| Custom(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(some_text(), 0..3)
}

/// A field by name with what it may be asked.
fn asked(
    schema: &'static Schema,
    names: impl Fn(&str) -> bool,
) -> Vec<(String, Option<&'static Field>, Operators)> {
    let fields = schema.fields.iter().filter(|field| names(field.name));
    let fields = fields.map(|field| (field.name.to_owned(), Some(field), field.accepted_operators()));
    let custom = PATHS.iter().map(|path| ((*path).to_owned(), None, schema.custom.unwrap()));
    fields.filter(|(_, _, operators)| !operators.is_empty()).chain(custom).collect()
}

fn operand(field: Option<&'static Field>, operator: Operator) -> BoxedStrategy<Value> {
    let value = match field.map(|field| field.kind) {
        None => scalar().boxed(),
        Some(Kind::Text) => {
            let ids = ["u1", "u2", "u5", "messaging:u3", "admin"].map(str::to_owned).to_vec();
            prop_oneof![3 => some_text(), 1 => select(ids)].prop_map(Value::from).boxed()
        }
        Some(Kind::TextList) => some_text().prop_map(Value::from).boxed(),
        Some(Kind::Integer | Kind::Time | Kind::Number) => (0..20_i64).prop_map(Value::from).boxed(),
        Some(Kind::Boolean) => any::<bool>().prop_map(Value::from).boxed(),
    };
    let nullable = field.is_none_or(|field| field.nullable);
    match operator {
        Operator::Exists => any::<bool>().prop_map(Value::from).boxed(),
        Operator::In | Operator::Nin => prop::collection::vec(value, 0..4).prop_map(Value::from).boxed(),
        Operator::Eq | Operator::Ne if nullable => prop_oneof![4 => value, 1 => Just(Value::Null)].boxed(),
        Operator::Eq if matches!(field, Some(Field { kind: Kind::TextList, .. })) => {
            prop::collection::vec(value, 0..3).prop_map(Value::from).boxed()
        }
        Operator::Autocomplete | Operator::Q | Operator::Any => {
            let starts = ["a", "z", "zoe angs", "東", "fi", "οδ", "हि", "10 a", "cd AB"];
            select(starts.map(str::to_owned).to_vec()).prop_map(Value::from).boxed()
        }
        _ => value,
    }
}

/// A filter that the schema accepts.
fn filter(schema: &'static Schema, names: fn(&str) -> bool) -> impl Strategy<Value = Expression> {
    let comparison = select(asked(schema, names))
        .prop_flat_map(|(name, field, operators)| {
            let operator = select(operators.iter().collect::<Vec<_>>());
            (Just(name), operator.prop_flat_map(move |operator| (Just(operator), operand(field, operator))))
        })
        .prop_map(|(name, (operator, operand))| json!({ name: { operator.name(): operand } }));
    let tree = comparison.prop_recursive(3, 12, 3, |inner| {
        (select(&["$and", "$or", "$nor"][..]), prop::collection::vec(inner, 1..4))
            .prop_map(|(operator, branches)| json!({ operator: branches }))
    });
    tree.prop_filter_map("refused by the schema", move |filter| parse(schema, filter.as_object()?).ok())
}

fn sort(schema: &'static Schema, names: fn(&str) -> bool) -> impl Strategy<Value = Vec<SortKey>> {
    let built_in = schema.fields.iter().filter(|field| field.sortable && names(field.name));
    let fields: Vec<_> = built_in.map(|field| field.name).chain(PATHS.iter().copied()).collect();
    let key = (select(fields), select(&[1, -1][..]), select(&[None, Some("number"), Some("boolean")][..]));
    prop::collection::vec(key, 1..3).prop_filter_map("refused by the schema", move |keys| {
        let keys: Vec<SortParam> = keys
            .into_iter()
            .map(|(field, direction, kind)| SortParam {
                field: Some(field.to_owned()),
                direction: Some(direction),
                kind: kind.map(str::to_owned),
            })
            .collect();
        parse_sort(schema, &keys, 5).ok()
    })
}

/// Runs the cases on a thread that may wait for futures.
fn check<S: Strategy>(strategy: S, test: impl Fn(&tokio::runtime::Runtime, &Databases, S::Value)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let databases = runtime.block_on(Databases::open());
    let config =
        Config { cases: CASES, max_shrink_iters: 300, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&strategy, |value| {
            let run = std::panic::AssertUnwindSafe(|| test(&runtime, &databases, value));
            std::panic::catch_unwind(run).map_err(|panic| {
                let text = panic.downcast_ref::<String>().cloned();
                TestCaseError::fail(text.unwrap_or_else(|| "panicked".to_owned()))
            })
        })
        .unwrap_or_else(|error| panic!("{error}"));
    runtime.block_on(databases.close());
}

/// Each case has rows of its own.
fn next_app() -> i64 {
    static NEXT: AtomicI64 = AtomicI64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn compare<R: Lookup>(
    rows: &[R],
    id: impl Fn(&R) -> &str,
    filter: &Expression,
    sorted: &[SortKey],
    found: &[Vec<String>],
) {
    let mut expected: Vec<&str> = rows.iter().filter(|row| filter.matches(*row)).map(id).collect();
    expected.sort_unstable();
    for (ids, name) in found.iter().zip(["SQLite", "PostgreSQL"]) {
        let mut ids = ids.clone();
        ids.sort();
        assert_eq!(ids, expected, "{name} and memory differ on {filter:?}");
    }
    assert_eq!(found[0], found[1], "SQLite and PostgreSQL sort differently by {sorted:?}");
}

async fn insert_users(tx: &mut Tx, app_pk: i64, users: &[UserChange]) -> Result<()> {
    for (number, user) in users.iter().enumerate() {
        tx.upsert_user(app_pk, user, at(number as i64 + 1)).await?;
    }
    Ok(())
}

#[test]
fn users_agree() {
    let user = (prop::option::of(some_text()), select(&["user", "admin"][..]), texts(), custom());
    let users = prop::collection::vec(user, ROWS).prop_map(|users| {
        let change = |(number, (name, role, teams, custom)): (usize, (_, &str, _, _))| UserChange {
            id: format!("u{number}"),
            name,
            image: None,
            role: role.to_owned(),
            language: if number % 2 == 0 { "a".to_owned() } else { String::new() },
            teams,
            teams_role: Default::default(),
            invisible: false,
            privacy_settings: None,
            custom,
        };
        users.into_iter().enumerate().map(change).collect::<Vec<_>>()
    });
    let questions = prop::collection::vec((filter(&USERS, |_| true), sort(&USERS, |_| true)), FILTERS);
    check((users, questions), |runtime, databases, (users, questions)| {
        runtime.block_on(async {
            let app_pk = next_app();
            for store in &databases.stores {
                write(store, users.clone(), move |tx, users| Box::pin(insert_users(tx, app_pk, users))).await;
            }
            let query = |filter, sort| UserQuery {
                filter,
                sort,
                limit: 100,
                offset: 0,
                include_deactivated: true,
                now: at(1),
            };
            let run = async |store, query| {
                read(store, query, move |tx, query| Box::pin(tx.query_users(app_pk, query))).await
            };
            let everybody = query(Expression::All(Vec::new()), Vec::new());
            let rows: Vec<_> = run(&databases.stores[0], everybody).await.into_iter().map(OfUser).collect();
            assert_eq!(rows.len(), ROWS);
            for (filter, sort) in questions {
                let mut found = Vec::new();
                for store in &databases.stores {
                    let users = run(store, query(filter.clone(), sort.clone())).await;
                    found.push(users.into_iter().map(|user| user.id).collect::<Vec<_>>());
                }
                compare(&rows, |row| &row.0.id, &filter, &sort, &found);
            }
        });
    });
}

async fn insert_channels(tx: &mut Tx, app_pk: i64, channels: &[(NewChannel, Advance)]) -> Result<()> {
    for (number, (channel, advance)) in channels.iter().enumerate() {
        let stored = tx.insert_channel(app_pk, channel, at(number as i64 + 1)).await?.unwrap();
        tx.advance_channel(stored.pk, *advance, at(15 - number as i64)).await?;
    }
    Ok(())
}

#[test]
fn channels_agree() {
    let change = (prop::option::of(some_text()), custom(), texts(), any::<bool>(), any::<bool>()).prop_map(
        |(team, custom, filter_tags, frozen, disabled)| ChannelChange {
            team,
            custom,
            filter_tags,
            frozen,
            disabled,
            ..ChannelChange::default()
        },
    );
    let advance = (0..4_i64, 0..4_i64, any::<bool>()).prop_map(|(members, messages, last_message)| Advance {
        members,
        messages,
        last_message,
        counting: Some(true),
        ..Advance::default()
    });
    let channel = (select(&["messaging", "team"][..]), texts(), change, advance);
    let channels = prop::collection::vec(channel, ROWS).prop_map(|channels| {
        let channel = |(number, (kind, distinct_members, change, advance)): (usize, (&str, _, _, _))| {
            let id = format!("u{number}");
            let cid = format!("{kind}:{id}");
            let created_by_id = format!("u{}", number / 3);
            let kind = kind.to_owned();
            (NewChannel { kind, id, cid, created_by_id, distinct_members, change }, advance)
        };
        channels.into_iter().enumerate().map(channel).collect::<Vec<_>>()
    });
    let stored: fn(&str) -> bool = |name| CHANNEL_FIELDS.contains(&name);
    let questions = prop::collection::vec((filter(&CHANNELS, stored), sort(&CHANNELS, stored)), FILTERS);
    check((channels, questions), |runtime, databases, (channels, questions)| {
        runtime.block_on(async {
            let app_pk = next_app();
            for store in &databases.stores {
                write(store, channels.clone(), move |tx, channels| {
                    Box::pin(insert_channels(tx, app_pk, channels))
                })
                .await;
            }
            let query = |filter, sort| ChannelQuery {
                filter,
                sort,
                limit: 100,
                offset: 0,
                user_id: None,
                now: at(0),
                without_kinds: Vec::new(),
            };
            let run = async |store, query| {
                read(store, query, move |tx, query| Box::pin(tx.query_channels(app_pk, query))).await
            };
            let all = query(Expression::All(Vec::new()), Vec::new());
            let rows: Vec<_> = run(&databases.stores[0], all).await.into_iter().map(OfChannel).collect();
            assert_eq!(rows.len(), ROWS);
            for (filter, sort) in questions {
                let mut found = Vec::new();
                for store in &databases.stores {
                    let channels = run(store, query(filter.clone(), sort.clone())).await;
                    found.push(channels.into_iter().map(|channel| channel.cid).collect::<Vec<_>>());
                }
                compare(&rows, |row| &row.0.cid, &filter, &sort, &found);
            }
        });
    });
}
