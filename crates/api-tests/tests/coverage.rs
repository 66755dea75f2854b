//! Which operations of the API the server answers, and which are still missing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};

use natterjack_server::api;

/// Id, method and path of every operation of the API.
const OPERATIONS: &str = include_str!("../operations.tsv");
/// Ids of the operations that the server does not answer yet. The list only shrinks.
const NOT_BUILT: &str = include_str!("../not-built.txt");

/// Method and path of the API's operations, by id.
fn listed() -> BTreeMap<&'static str, (&'static str, &'static str)> {
    let rows = OPERATIONS.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [id, method, path] = columns[..] else { panic!("{line:?} has not three columns") };
        (id, (method, path))
    });
    rows.collect()
}

/// Method and path of the operations that the router has, by id.
fn built() -> BTreeMap<&'static str, (&'static str, &'static str)> {
    api::operations().into_iter().map(|(id, method, path)| (id, (method.as_str(), path))).collect()
}

fn not_built() -> BTreeSet<&'static str> {
    NOT_BUILT.lines().collect()
}

#[test]
fn the_list_of_operations_has_the_expected_form() {
    assert_eq!(OPERATIONS.lines().next(), Some("id\tmethod\tpath"));
    assert_eq!(listed().len(), OPERATIONS.lines().count() - 1, "an id stands there twice");
    assert!(OPERATIONS.lines().skip(1).is_sorted(), "the list is not sorted");
}

#[test]
fn every_operation_of_the_router_is_one_of_the_api() {
    let listed = listed();
    for (id, place) in built() {
        assert_eq!(listed.get(id), Some(&place), "{id}");
    }
    assert_eq!(built().len(), api::operations().len(), "the router has an operation twice");
}

#[test]
fn every_operation_of_the_api_is_either_built_or_known_to_be_missing() {
    let (built, not_built) = (built(), not_built());
    for id in listed().into_keys() {
        assert!(
            built.contains_key(id) || not_built.contains(id),
            "{id} is neither built nor in not-built.txt"
        );
    }
}

#[test]
fn what_is_listed_as_missing_is_an_operation_that_is_missing() {
    let (built, listed) = (built(), listed());
    for id in not_built() {
        assert!(listed.contains_key(id), "{id} in not-built.txt is no operation of the API");
        assert!(!built.contains_key(id), "{id} is built: take it out of not-built.txt");
    }
    assert!(NOT_BUILT.lines().is_sorted_by(|one, other| one < other), "not-built.txt is not sorted");
}
