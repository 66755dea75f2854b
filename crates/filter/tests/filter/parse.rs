use natterjack_filter::{Comparison, Expression, FieldRef, Operand, Operator, Problem, limits, parse};
use natterjack_protocol::Timestamp;
use serde_json::{Map, Value, json};

use crate::sample::{CLOSED, SCHEMA, parse_value};

fn comparison(name: &str, operator: Operator, operand: Operand) -> Expression {
    let field = match SCHEMA.field(name) {
        Some(field) => FieldRef::Builtin(field),
        None => FieldRef::Custom(name.split('.').map(str::to_owned).collect()),
    };
    Expression::Comparison(Comparison { field, operator, operand })
}

fn text(text: &str) -> Operand {
    Operand::Text(text.to_owned())
}

fn texts(list: &[&str]) -> Operand {
    Operand::List(list.iter().copied().map(text).collect())
}

#[track_caller]
fn reads(filter: &Value, expected: &Expression) {
    assert_eq!(parse_value(filter).as_ref(), Ok(expected), "{filter}");
}

#[track_caller]
fn refused(filter: &Value, path: &str, message: &str) {
    let error = parse_value(filter).expect_err("the filter is wrong");
    assert_eq!((error.path.as_str(), error.to_string().as_str()), (path, message), "{filter}");
}

#[test]
fn a_plain_value_is_equality_and_entries_are_all_required() {
    let cid = comparison("cid", Operator::Eq, text("a:b"));
    reads(&json!({}), &Expression::All(vec![]));
    reads(&json!({"cid": "a:b"}), &cid);
    reads(&json!({"cid": {"$eq": "a:b"}}), &cid);
    reads(
        &json!({"cid": "a:b", "member_count": {"$gt": 1, "$lte": 5}}),
        &Expression::All(vec![
            cid,
            comparison("member_count", Operator::Gt, Operand::Integer(1)),
            comparison("member_count", Operator::Lte, Operand::Integer(5)),
        ]),
    );
}

#[test]
fn logical_operators_nest() {
    let frozen = comparison("frozen", Operator::Eq, Operand::Boolean(true));
    reads(
        &json!({"$and": [{"$or": [{"frozen": true}]}, {"$nor": [{"frozen": true}, {}]}]}),
        &Expression::All(vec![
            Expression::Any(vec![frozen.clone()]),
            Expression::None(vec![frozen, Expression::All(vec![])]),
        ]),
    );
}

#[test]
fn operands_take_the_type_of_the_field() {
    let moment = Operand::Time(Timestamp::from_nanoseconds(1_500_000_000));
    reads(
        &json!({"created_at": "1970-01-01T00:00:01.5Z"}),
        &comparison("created_at", Operator::Eq, moment.clone()),
    );
    reads(&json!({"created_at": 1_500_000_000}), &comparison("created_at", Operator::Eq, moment));
    reads(&json!({"score": 3}), &comparison("score", Operator::Eq, Operand::Number(3.0)));
    reads(&json!({"member_count": 3.0}), &comparison("member_count", Operator::Eq, Operand::Integer(3)));
    reads(&json!({"parent_id": null}), &comparison("parent_id", Operator::Eq, Operand::Null));
    reads(&json!({"name": {"$in": []}}), &comparison("name", Operator::In, Operand::List(vec![])));
    reads(&json!({"invite": "pending"}), &comparison("invite", Operator::Eq, text("pending")));
}

#[test]
fn equality_with_a_list_field_is_a_set() {
    reads(&json!({"members": ["b", "a", "b"]}), &comparison("members", Operator::Eq, texts(&["a", "b"])));
    reads(&json!({"members": "a"}), &comparison("members", Operator::Eq, texts(&["a"])));
    reads(&json!({"members": []}), &comparison("members", Operator::Eq, Operand::Null));
    reads(&json!({"members": {"$in": ["b", "a"]}}), &comparison("members", Operator::In, texts(&["b", "a"])));
    reads(&json!({"members": {"$contains": "a"}}), &comparison("members", Operator::Contains, text("a")));
}

#[test]
fn other_names_are_paths_into_custom_data() {
    reads(&json!({"a.b": 1}), &comparison("a.b", Operator::Eq, Operand::Number(1.0)));
    reads(&json!({"colour": null}), &comparison("colour", Operator::Eq, Operand::Null));
    reads(&json!({"größe": {"$gte": "m"}}), &comparison("größe", Operator::Gte, text("m")));
    let error = parse(&CLOSED, json!({"colour": 1}).as_object().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "unknown field `colour` for samples");
    for name in ["", ".", "a..b", "a.", "a\"b", "a\\b", "a\nb", "a\0"] {
        let filter = Map::from_iter([(name.to_owned(), json!(1))]);
        let error = parse(&SCHEMA, &filter).unwrap_err();
        assert!(matches!(error.problem, Problem::BadFieldName { .. }), "{name:?}: {error}");
    }
}

#[test]
fn errors_say_where_and_what() {
    refused(
        &json!({"cid": {"$gt": "a"}}),
        "cid",
        "operator $gt is not supported for field `cid`; allowed: $eq, $in",
    );
    refused(
        &json!({"$and": [{}, {"created_at": {"$gt": true}}]}),
        "$and[1].created_at",
        "field `created_at` contains type boolean. expecting RFC 3339 time or integer of nanoseconds",
    );
    refused(&json!({"cid": 1}), "cid", "field `cid` contains type number. expecting string");
    refused(&json!({"name": {"$exists": "yes"}}), "name", "$exists operator only support boolean values");
    refused(&json!({"$where": "1"}), "$where", "unknown operator $where");
    refused(
        &json!({"cid": {"$where": 1}}),
        "cid",
        "unknown operator $where for field `cid`; allowed: $eq, $in",
    );
    refused(&json!({"$or": [{"$nor": []}]}), "$or[0].$nor", "$nor expects a non-empty array of filters");
    refused(
        &json!({"$or": [{"$and": [1]}]}),
        "$or[0].$and[0]",
        "$and contains type number. expecting object",
    );
    refused(&json!({"pinned_at": 1}), "pinned_at", "field `pinned_at` cannot be used in a filter");
    refused(
        &json!({"invite": {"$in": ["pending", "lost"]}}),
        "invite",
        "field `invite` contains an unknown value; allowed: pending, accepted, rejected",
    );
    refused(
        &json!({"name": {"$autocomplete": "!?"}}),
        "name",
        "operator $autocomplete for field `name` expects at least one letter or digit",
    );
}

#[test]
fn limits_are_inclusive() {
    let nested = |levels| (0..levels).fold(json!({"frozen": true}), |inner, _| json!({"$or": [inner]}));
    assert!(parse_value(&nested(limits::DEPTH_MAX)).is_ok());
    assert!(matches!(
        parse_value(&nested(limits::DEPTH_MAX + 1)).unwrap_err().problem,
        Problem::TooDeep { .. }
    ));

    let wide = |count| json!({"$or": vec![json!({"frozen": true}); count]});
    assert!(parse_value(&wide(limits::BRANCHES_MAX)).is_ok());
    assert!(matches!(
        parse_value(&wide(limits::BRANCHES_MAX + 1)).unwrap_err().problem,
        Problem::TooManyBranches { .. }
    ));

    let many = |leaf: Value, count: usize| json!({"$or": vec![json!({"$and": vec![leaf; count / 10]}); 10]});
    for leaf in [json!({"frozen": true}), json!({})] {
        assert!(parse_value(&many(leaf.clone(), limits::NODES_MAX)).is_ok());
        assert!(matches!(
            parse_value(&many(leaf, limits::NODES_MAX + 10)).unwrap_err().problem,
            Problem::TooManyConditions { .. }
        ));
    }

    let list = |length| json!({"name": {"$in": vec!["x"; length]}});
    assert!(parse_value(&list(limits::LIST_LENGTH_MAX)).is_ok());
    assert!(matches!(
        parse_value(&list(limits::LIST_LENGTH_MAX + 1)).unwrap_err().problem,
        Problem::ListTooLong { .. }
    ));
    let lists = |count| json!({"$or": vec![list(limits::LIST_LENGTH_MAX); count]});
    assert!(parse_value(&lists(limits::LIST_TOTAL_MAX / limits::LIST_LENGTH_MAX)).is_ok());
    assert!(matches!(
        parse_value(&lists(limits::LIST_TOTAL_MAX / limits::LIST_LENGTH_MAX + 1)).unwrap_err().problem,
        Problem::ListsTooLong { .. }
    ));

    let long = |length| json!({"name": "é".repeat(length)});
    assert!(parse_value(&long(limits::STRING_LENGTH_MAX)).is_ok());
    assert!(matches!(
        parse_value(&long(limits::STRING_LENGTH_MAX + 1)).unwrap_err().problem,
        Problem::TextTooLong { .. }
    ));
    let search = |count| json!({"name": {"$q": "w ".repeat(count)}});
    assert!(parse_value(&search(limits::SEARCH_WORDS_MAX)).is_ok());
    assert!(matches!(
        parse_value(&search(limits::SEARCH_WORDS_MAX + 1)).unwrap_err().problem,
        Problem::TooManyWords { .. }
    ));

    let path = |segments| json!({vec!["a"; segments].join("."): 1});
    assert!(parse_value(&path(limits::PATH_SEGMENTS_MAX)).is_ok());
    assert!(matches!(
        parse_value(&path(limits::PATH_SEGMENTS_MAX + 1)).unwrap_err().problem,
        Problem::FieldNameTooLong { .. }
    ));
    assert!(parse_value(&json!({"a".repeat(limits::FIELD_NAME_LENGTH_MAX): 1})).is_ok());
    assert!(parse_value(&json!({"a".repeat(limits::FIELD_NAME_LENGTH_MAX + 1): 1})).is_err());
}
