use natterjack_filter::{CustomKind, FieldRef, SortKey, limits, parse_sort};
use natterjack_protocol::SortParam;

use crate::sample::{CLOSED, SCHEMA};

fn typed(field: &str, kind: &str) -> SortParam {
    SortParam { kind: Some(kind.to_owned()), ..SortParam::ascending(field) }
}

#[track_caller]
fn refused(sort: &[SortParam], path: &str, message: &str) {
    let error = parse_sort(&SCHEMA, sort, limits::SORT_FIELDS_MAX).expect_err("the sort list is wrong");
    assert_eq!((error.path.as_str(), error.to_string().as_str()), (path, message));
}

#[test]
fn reads_fields_directions_and_types() {
    let builtin = |name| FieldRef::Builtin(SCHEMA.field(name).unwrap());
    let custom = |path: &[&str]| FieldRef::Custom(path.iter().copied().map(str::to_owned).collect());
    let plain = |direction| SortParam { field: Some("cid".to_owned()), direction, kind: None };
    for direction in [None, Some(0), Some(1)] {
        let keys = parse_sort(&SCHEMA, &[plain(direction)], 1).unwrap();
        assert_eq!(keys, [SortKey { field: builtin("cid"), descending: false, kind: None }]);
    }
    let sort = [
        SortParam::descending("created_at"),
        typed("member_count", "number"),
        SortParam::ascending("colour"),
        typed("deep.size", "number"),
        typed("on", "boolean"),
    ];
    let key = |field, descending, kind| SortKey { field, descending, kind };
    assert_eq!(
        parse_sort(&SCHEMA, &sort, limits::SORT_FIELDS_MAX).unwrap(),
        [
            key(builtin("created_at"), true, None),
            key(builtin("member_count"), false, None),
            key(custom(&["colour"]), false, None),
            key(custom(&["deep", "size"]), false, Some(CustomKind::Number)),
            key(custom(&["on"]), false, Some(CustomKind::Boolean)),
        ]
    );
    assert_eq!(parse_sort(&SCHEMA, &[], 0).unwrap(), []);
    assert!(parse_sort(&SCHEMA, &[typed("pinned_at", "")], 1).is_ok());
}

#[test]
fn refuses_with_a_reason() {
    let good = || SortParam::ascending("cid");
    refused(&[good(), SortParam::default()], "sort[1]", "sort entry has no field");
    refused(&[SortParam::ascending("")], "sort[0]", "sort entry has no field");
    refused(&[SortParam::ascending("frozen")], "sort[0]", "cannot sort by field `frozen`");
    refused(&[good(), SortParam::descending("cid")], "sort[1]", "sort names field `cid` twice");
    refused(&[SortParam::ascending("a..b")], "sort[0]", "field name `a..b` is not valid");
    refused(&[SortParam::ascending("$eq")], "sort[0]", "field name `$eq` is not valid");
    refused(
        &[SortParam { direction: Some(2), ..good() }],
        "sort[0]",
        "direction 2 for sort field `cid` is not valid; allowed: 1, -1",
    );
    refused(
        &[typed("colour", "text")],
        "sort[0]",
        "type of sort field `colour` is not valid; allowed: number, boolean",
    );
    let many: Vec<_> =
        (0..=limits::SORT_FIELDS_MAX).map(|number| SortParam::ascending(format!("f{number}"))).collect();
    refused(&many, "sort", "sort has too many fields; at most 5");
    let error = parse_sort(&CLOSED, &[SortParam::ascending("colour")], 1).unwrap_err();
    assert_eq!(error.to_string(), "unknown field `colour` for samples");
}
