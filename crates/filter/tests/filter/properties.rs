use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::sample::{Sample, parse_value};

const OPERATORS: [&str; 13] = [
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$exists",
    "$contains",
    "$autocomplete",
    "$q",
    "$any",
];

/// Few values, so that they often meet.
fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "ab", "A b", "é", "東京", "\u{1F600}z", ""]).prop_map(str::to_owned)
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        word().prop_map(Value::from),
        (-2i64..3).prop_map(Value::from),
        prop::sample::select(vec![-0.0, 0.5, 1.0, 1e300]).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

/// JSON that often looks like a filter and is often wrong.
fn anything() -> impl Strategy<Value = Value> {
    let mut keys = OPERATORS.to_vec();
    keys.extend([
        "$and",
        "$or",
        "$nor",
        "$where",
        "cid",
        "name",
        "members",
        "created_at",
        "a.b",
        "a..b",
        "invite",
    ]);
    let key = prop_oneof![8 => prop::sample::select(keys).prop_map(str::to_owned), 1 => any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        scalar(),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(key.clone(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A filter that is right.
fn filter() -> impl Strategy<Value = Value> {
    let order = || prop::sample::select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]);
    let text_field = || prop::sample::select(vec!["name", "member.user.name", "c1", "c2.x"]);
    let custom = || prop::sample::select(vec!["c1", "c2.x", "c3"]);
    let search = prop::sample::select(vec!["$autocomplete", "$q", "$any"]);
    let leaf = prop_oneof![
        (text_field(), order(), word())
            .prop_map(|(field, operator, value)| json!({field: {operator: value}})),
        (text_field(), search, "[ab東] ?[ab]?")
            .prop_map(|(field, operator, value)| json!({field: {operator: value}})),
        (custom(), order(), scalar()).prop_map(|(field, operator, value)| json!({field: {operator: value}})),
        (custom(), scalar()).prop_map(|(field, value)| json!({field: {"$contains": value}})),
        (custom(), any::<bool>()).prop_map(|(field, value)| json!({field: {"$exists": value}})),
        (order(), -2i64..3).prop_map(|(operator, value)| json!({"member_count": {operator: value}})),
        (order(), -2i64..3).prop_map(|(operator, value)| json!({"created_at": {operator: value}})),
        any::<bool>().prop_map(|value| json!({"frozen": value})),
        vec(word(), 0..3).prop_map(|value| json!({"members": value})),
        vec(word(), 0..3).prop_map(|value| json!({"members": {"$in": value}})),
        Just(json!({})),
    ];
    leaf.prop_recursive(3, 20, 3, |inner| {
        (prop::sample::select(vec!["$and", "$or", "$nor"]), vec(inner, 1..4))
            .prop_map(|(operator, branches)| json!({operator: branches}))
    })
}

fn sample() -> impl Strategy<Value = Sample> {
    let custom_value = prop_oneof![
        3 => scalar(),
        1 => Just(Value::Null),
        1 => vec(scalar(), 0..3).prop_map(Value::from),
        1 => scalar().prop_map(|value| json!({"x": value})),
    ];
    let custom =
        btree_map(prop::sample::select(vec!["c1", "c2", "c3"]).prop_map(str::to_owned), custom_value, 0..4)
            .prop_map(|map| map.into_iter().collect::<Map<_, _>>());
    (
        prop::option::of(word()),
        vec(word(), 0..3),
        prop::option::of(-2i64..3),
        prop::option::of(any::<bool>()),
        prop::option::of(-2i64..3),
        vec(word(), 0..3),
        prop::option::of(custom),
    )
        .prop_map(|(name, member_names, member_count, frozen, created_at, members, custom)| Sample {
            name,
            member_names,
            member_count,
            score: None,
            frozen,
            created_at,
            members,
            custom,
        })
}

fn matches(filter: &Value, sample: &Sample) -> bool {
    parse_value(filter).unwrap_or_else(|error| panic!("{filter}: {error}")).matches(sample)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_json_never_panics(value in anything(), sample in sample()) {
        for filter in [json!({"name": value}), json!({"c1": value}), json!({"members": value}), value] {
            if let Some(filter) = filter.as_object() {
                let first = natterjack_filter::parse(&crate::sample::SCHEMA, filter);
                let second = natterjack_filter::parse(&crate::sample::SCHEMA, filter);
                prop_assert_eq!(&first, &second);
                if let (Ok(first), Ok(second)) = (first, second) {
                    prop_assert_eq!(first.matches(&sample), second.matches(&sample));
                }
            }
        }
    }

    #[test]
    fn nor_is_the_complement_of_or(one in filter(), other in filter(), sample in sample()) {
        prop_assert_eq!(matches(&json!({"$nor": [one]}), &sample), !matches(&one, &sample));
        prop_assert_eq!(
            matches(&json!({"$nor": [one, other]}), &sample),
            !matches(&json!({"$or": [one, other]}), &sample)
        );
        prop_assert_eq!(
            matches(&json!({"$and": [one, other]}), &sample),
            matches(&one, &sample) && matches(&other, &sample)
        );
    }

    #[test]
    fn ne_and_nin_are_complements(
        sample in sample(),
        texts in vec(word(), 0..4),
        field in prop::sample::select(vec!["name", "member.user.name", "members", "c1", "c2.x", "c3"]),
    ) {
        let within = matches(&json!({field: {"$in": texts}}), &sample);
        prop_assert_eq!(matches(&json!({field: {"$nin": texts}}), &sample), !within);
        if field != "members" {
            let one_by_one = texts.iter().any(|text| matches(&json!({field: text}), &sample));
            prop_assert_eq!(within, one_by_one);
        }
        for text in &texts {
            let equal = matches(&json!({field: {"$eq": text}}), &sample);
            prop_assert_eq!(matches(&json!({field: {"$ne": text}}), &sample), !equal);
        }
    }

    #[test]
    fn whole_words_are_also_beginnings(sample in sample(), search in "[ab東] ?[ab]?") {
        let all = matches(&json!({"name": {"$q": search}}), &sample);
        let beginnings = matches(&json!({"name": {"$autocomplete": search}}), &sample);
        let some = matches(&json!({"name": {"$any": search}}), &sample);
        prop_assert!(!all || beginnings && some);
    }

    #[test]
    fn folding_twice_changes_nothing(text in any::<String>()) {
        let folded = natterjack_filter::fold(&text);
        prop_assert_eq!(natterjack_filter::fold(&folded), folded.clone());
        let words: Vec<_> = natterjack_filter::words(&text).collect();
        prop_assert_eq!(natterjack_filter::words(&words.join(" ")).collect::<Vec<_>>(), words);
    }
}
