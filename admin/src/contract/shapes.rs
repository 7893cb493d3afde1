//! Our document says the same as the published one, except where a difference is listed with its reason.

use std::collections::BTreeSet;

use serde_json::Value;

use super::accepted::{Difference, accepted};
use crate::testing::document::{OURS, Operation, REFERENCE};

#[test]
fn our_document_has_the_published_shapes() {
    let Some(reference) = REFERENCE.as_ref() else { return };
    let mut differences = BTreeSet::new();
    for (name, ours) in &OURS.operations {
        let theirs = &reference.operations[name];
        let place = format!("{} {}", name.0, name.1);
        compare_operations(&place, ours, theirs, &mut differences);
    }
    let matches = |difference: &str, (rule, _): &Difference| {
        rule.strip_prefix("* ").map_or(difference == *rule, |rule| {
            difference
                .strip_suffix(rule)
                .is_some_and(|place| place.ends_with(' ') && place.matches(' ').count() == 2)
        })
    };
    let unexplained: Vec<_> = differences
        .iter()
        .filter(|difference| !accepted().any(|rule| matches(difference, rule)))
        .collect();
    assert!(unexplained.is_empty(), "differences without a reason: {unexplained:#?}");
    let idle: Vec<_> = accepted()
        .filter(|rule| !differences.iter().any(|difference| matches(difference, rule)))
        .collect();
    assert!(idle.is_empty(), "rules that no longer apply: {idle:#?}");
}

fn compare_operations(
    place: &str,
    ours: &Operation,
    theirs: &Operation,
    found: &mut BTreeSet<String>,
) {
    let names: BTreeSet<_> = ours.parameters.keys().chain(theirs.parameters.keys()).collect();
    for key in names {
        let place = format!("{place} {} {}", key.0, key.1);
        match (ours.parameters.get(key), theirs.parameters.get(key)) {
            (Some((our_need, our_schema)), Some((their_need, their_schema))) => {
                if our_need != their_need {
                    found.insert(format!("{place}.required: {our_need} instead of {their_need}"));
                }
                compare_schemas(&place, our_schema, their_schema, found);
            }
            (ours, _) => {
                _ = found.insert(format!(
                    "{place}: {}",
                    if ours.is_some() { "ours only" } else { "theirs only" }
                ))
            }
        }
    }
    match (&ours.body, &theirs.body) {
        (Some((our_need, our_schema)), Some((their_need, their_schema))) => {
            if our_need != their_need {
                found.insert(format!("{place} body.required: {our_need} instead of {their_need}"));
            }
            compare_schemas(&format!("{place} body"), our_schema, their_schema, found);
        }
        (None, None) => {}
        (ours, _) => {
            _ = found.insert(format!(
                "{place} body: {}",
                if ours.is_some() { "ours only" } else { "theirs only" }
            ))
        }
    }
    for (status, schema) in &theirs.responses {
        match ours.responses.get(status) {
            Some(our_schema) => {
                compare_schemas(&format!("{place} {status}"), our_schema, schema, found)
            }
            None => _ = found.insert(format!("{place} {status}: theirs only")),
        }
    }
}

fn compare_schemas(place: &str, ours: &Value, theirs: &Value, found: &mut BTreeSet<String>) {
    let members = |schema: &Value| schema.as_object().cloned().unwrap_or_default();
    let (our_members, their_members) = (members(ours), members(theirs));
    let names: BTreeSet<_> = our_members.keys().chain(their_members.keys()).cloned().collect();
    for name in names {
        match (name.as_str(), our_members.get(&name), their_members.get(&name)) {
            ("properties", Some(ours), Some(theirs)) => {
                compare_properties(place, ours, theirs, found)
            }
            ("items", Some(ours), Some(theirs)) => {
                compare_schemas(&format!("{place}[]"), ours, theirs, found)
            }
            // Whoever reads them tries them in turn.
            ("anyOf", Some(Value::Array(ours)), Some(Value::Array(theirs)))
                if ours.len() == theirs.len() =>
            {
                for (ours, theirs) in ours.iter().zip(theirs) {
                    compare_schemas(&format!("{place} any"), ours, theirs, found);
                }
            }
            ("required", ours, theirs) => compare_required(place, ours, theirs, found),
            (_, Some(ours), Some(theirs)) if ours == theirs => {}
            (_, Some(ours), Some(theirs)) => {
                _ = found.insert(format!("{place}.{name}: {ours} instead of {theirs}"))
            }
            (_, ours, _) => {
                _ = found.insert(format!(
                    "{place}.{name}: {}",
                    if ours.is_some() { "ours only" } else { "theirs only" }
                ))
            }
        }
    }
}

fn compare_properties(place: &str, ours: &Value, theirs: &Value, found: &mut BTreeSet<String>) {
    let (ours, theirs) =
        (ours.as_object().expect("properties"), theirs.as_object().expect("properties"));
    let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    for name in names {
        let place = format!("{place} {name}");
        match (ours.get(name), theirs.get(name)) {
            (Some(ours), Some(theirs)) => compare_schemas(&place, ours, theirs, found),
            (ours, _) => {
                _ = found.insert(format!(
                    "{place}: {}",
                    if ours.is_some() { "ours only" } else { "theirs only" }
                ))
            }
        }
    }
}

fn compare_required(
    place: &str,
    ours: Option<&Value>,
    theirs: Option<&Value>,
    found: &mut BTreeSet<String>,
) {
    let set = |names: Option<&Value>| -> BTreeSet<String> {
        names
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    };
    let (ours, theirs) = (set(ours), set(theirs));
    if !theirs.is_subset(&ours) {
        found.insert(format!("{place} required: {:?} are theirs only", theirs.difference(&ours)));
    }
    if !ours.is_subset(&theirs) {
        found.insert(format!("{place} required: ours demands more"));
    }
}
