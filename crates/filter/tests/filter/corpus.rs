//! Bad filters kept as files: `{"filter": …, "error": "part of the text"}`.

use std::path::Path;

use serde_json::Value;

use crate::sample::parse_value;

#[test]
fn every_bad_filter_is_refused_with_its_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let expected =
            case["error"].as_str().filter(|text| !text.is_empty()).expect("a case names its error");
        let error = parse_value(&case["filter"]).expect_err(&path.display().to_string()).to_string();
        assert!(error.contains(expected), "{}: {error}", path.display());
        // An error text must stay short however large the filter was.
        assert!(error.chars().count() < 400, "{}", path.display());
        count += 1;
    }
    assert!(count >= 30, "only {count} files were read");
}
