use serde_json::{Value, json};

use crate::sample::{Sample, parse_value};

fn sample() -> Sample {
    Sample {
        name: Some("Crème brûlée, 東京".to_owned()),
        member_names: vec!["Ann Lee".to_owned(), "Bob".to_owned()],
        member_count: Some(3),
        score: Some(1.5),
        frozen: Some(false),
        created_at: Some(1_500_000_000),
        members: vec!["b".to_owned(), "a".to_owned()],
        custom: json!({
            "colour": "red", "size": 10, "on": true, "nothing": null,
            "tags": ["x", 2, true], "deep": {"er": "yes"}, "empty": [],
        })
        .as_object()
        .cloned(),
    }
}

#[track_caller]
fn check(value: &Sample, filters: &[(Value, bool)]) {
    for (filter, expected) in filters {
        assert_eq!(parse_value(filter).unwrap().matches(value), *expected, "{filter}");
    }
}

#[test]
fn groups() {
    let (yes, no) = (json!({"size": 10}), json!({"size": 11}));
    check(
        &sample(),
        &[
            (json!({}), true),
            (json!({"$and": [yes, yes]}), true),
            (json!({"$and": [yes, no]}), false),
            (json!({"$or": [no, yes]}), true),
            (json!({"$or": [no, no]}), false),
            (json!({"$nor": [no, no]}), true),
            (json!({"$nor": [no, yes]}), false),
        ],
    );
}

#[test]
fn ordering() {
    check(
        &sample(),
        &[
            (json!({"member_count": {"$gt": 3}}), false),
            (json!({"member_count": {"$gte": 3}}), true),
            (json!({"member_count": {"$lt": 3}}), false),
            (json!({"member_count": {"$lte": 3}}), true),
            (json!({"score": {"$gt": 1}}), true),
            (json!({"created_at": {"$lt": "1970-01-01T00:00:02Z", "$gt": 1_499_999_999}}), true),
            (json!({"colour": {"$gt": "Z"}}), true),
            (json!({"size": {"$gt": 9}}), true),
            (json!({"on": {"$gt": false}}), true),
            (json!({"frozen": {"$in": [true]}}), false),
            (json!({"frozen": {"$in": [true, false]}}), true),
        ],
    );
}

#[test]
fn text_compares_by_code_point() {
    let named = |name: &str| Sample { name: Some(name.to_owned()), ..Sample::default() };
    check(&named("é"), &[(json!({"name": {"$gt": "z"}}), true), (json!({"name": "e\u{301}"}), false)]);
    // In UTF-16 the order of these two is the other way round.
    check(&named("\u{1F600}"), &[(json!({"name": {"$gt": "\u{FFFD}"}}), true)]);
}

#[test]
fn missing_values_answer_only_absence_and_complements() {
    let missing = Sample::default();
    for (field, value, search) in [
        ("name", json!("x"), true),
        ("member_count", json!(0), false),
        ("created_at", json!(0), false),
        ("frozen", json!(false), false),
        ("colour", json!("red"), true),
        ("size", json!(0), true),
    ] {
        for operator in ["$eq", "$gt", "$gte", "$lt", "$lte"] {
            if field != "frozen" || operator == "$eq" {
                check(&missing, &[(json!({field: {operator: value}}), false)]);
            }
        }
        check(
            &missing,
            &[
                (json!({field: {"$in": [value]}}), false),
                (json!({field: {"$ne": value}}), true),
                (json!({field: {"$nin": [value]}}), true),
                (json!({field: {"$exists": false}}), true),
                (json!({field: {"$exists": true}}), false),
            ],
        );
        if search {
            for operator in ["$autocomplete", "$q", "$any"] {
                check(&missing, &[(json!({field: {operator: "x"}}), false)]);
            }
        }
    }
    check(
        &missing,
        &[
            (json!({"parent_id": null}), true),
            (json!({"parent_id": {"$ne": null}}), false),
            (json!({"members": []}), true),
            (json!({"members": {"$exists": true}}), false),
            (json!({"members": {"$contains": "a"}}), false),
            (json!({"colour": null}), true),
        ],
    );
    check(
        &sample(),
        &[
            (json!({"nothing": null}), true),
            (json!({"nothing": {"$exists": true}}), false),
            (json!({"empty": {"$exists": true}}), true),
            (json!({"colour": null}), false),
            (json!({"colour": {"$ne": null}}), true),
            (json!({"colour": {"$exists": true}}), true),
            (json!({"members": {"$exists": true}}), true),
            (json!({"members": {"$ne": []}}), true),
        ],
    );
}

#[test]
fn custom_values_compare_by_json_type() {
    check(
        &sample(),
        &[
            (json!({"size": 10.0}), true),
            (json!({"size": "10"}), false),
            (json!({"size": {"$gt": "1"}}), false),
            (json!({"size": {"$ne": "10"}}), true),
            (json!({"on": 1}), false),
            (json!({"colour": {"$in": ["blue", "red"]}}), true),
            (json!({"colour": {"$in": []}}), false),
            (json!({"colour": {"$nin": []}}), true),
            (json!({"deep.er": "yes"}), true),
            (json!({"deep.er.st": {"$exists": false}}), true),
            (json!({"tags.0": {"$exists": true}}), false),
            (json!({"deep": {"$exists": true}}), true),
            (json!({"tags": "x"}), false),
        ],
    );
}

#[test]
fn contains_compares_elements() {
    check(
        &sample(),
        &[
            (json!({"tags": {"$contains": "x"}}), true),
            (json!({"tags": {"$contains": 2}}), true),
            (json!({"tags": {"$contains": true}}), true),
            (json!({"tags": {"$contains": "2"}}), false),
            (json!({"colour": {"$contains": "red"}}), false),
            (json!({"members": {"$contains": "a"}}), true),
            (json!({"members": {"$contains": "c"}}), false),
        ],
    );
}

#[test]
fn list_fields_are_sets() {
    check(
        &sample(),
        &[
            (json!({"members": ["a", "b"]}), true),
            (json!({"members": ["b", "a", "a"]}), true),
            (json!({"members": ["a"]}), false),
            (json!({"members": "a"}), false),
            (json!({"members": ["a", "b", "c"]}), false),
            (json!({"members": {"$ne": ["a", "b"]}}), false),
            (json!({"members": {"$in": ["c", "a"]}}), true),
            (json!({"members": {"$in": ["c"]}}), false),
            (json!({"members": {"$nin": ["c"]}}), true),
        ],
    );
}

#[test]
fn one_of_several_texts_is_enough() {
    check(
        &sample(),
        &[
            (json!({"member.user.name": "Bob"}), true),
            (json!({"member.user.name": "Ann"}), false),
            (json!({"member.user.name": {"$autocomplete": "le an"}}), true),
            (json!({"member.user.name": {"$q": "ann bob"}}), false),
            (json!({"member.user.name": {"$ne": "Bob"}}), false),
            (json!({"member.user.name": {"$ne": "Eve"}}), true),
        ],
    );
}

#[test]
fn words() {
    check(
        &sample(),
        &[
            (json!({"name": {"$autocomplete": "BRU cre"}}), true),
            (json!({"name": {"$autocomplete": "rème"}}), false),
            (json!({"name": {"$autocomplete": "cre xyz"}}), false),
            (json!({"name": {"$autocomplete": "京"}}), true),
            (json!({"name": {"$q": "creme"}}), true),
            (json!({"name": {"$q": "crem"}}), false),
            (json!({"name": {"$q": "brulee CREME"}}), true),
            (json!({"name": {"$q": "brulee tart"}}), false),
            (json!({"name": {"$q": "東京"}}), true),
            (json!({"name": {"$any": "tart brulee"}}), true),
            (json!({"name": {"$any": "tart brul"}}), false),
            (json!({"colour": {"$q": "RED"}}), true),
            (json!({"size": {"$q": "10"}}), false),
        ],
    );
}
