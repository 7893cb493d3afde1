//! Who may speak of what. The file's place says what belongs into it; this test reads the words.

use std::path::{Path, PathBuf};

/// Every source below a folder, with its text.
pub fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("entries can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("sources are text");
            found.push((path, text));
        }
    }
}

fn offenders(is_meant: impl Fn(&str) -> bool, words: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    let named = found.into_iter().map(|(path, text)| {
        (
            path.strip_prefix(&root).expect("it lies below").to_string_lossy().replace('\\', "/"),
            text,
        )
    });
    let meant: Vec<_> = named.filter(|(name, _)| is_meant(name)).collect();
    assert!(!meant.is_empty(), "the rule is about some file");
    let uses = |(name, text): &(String, String)| {
        words
            .iter()
            .filter(|word| text.contains(**word))
            .map(|word| format!("{name} says {word}"))
            .collect::<Vec<_>>()
    };
    meant.iter().flat_map(uses).collect()
}

fn is_in_resource(name: &str, file: &str) -> bool {
    name.starts_with("resources/") && name.ends_with(&format!("/{file}"))
}

const SQL_WORDS: [&str; 4] = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"];

#[test]
fn stores_know_nothing_of_http() {
    let words = ["axum", "http::", "StatusCode", "utoipa", "serde::"];
    assert_eq!(offenders(|name| is_in_resource(name, "store.rs"), &words), Vec::<String>::new());
}

#[test]
fn wire_shapes_know_nothing_of_the_store() {
    let words = ["sql::", "Tx<", "axum"];
    assert_eq!(offenders(|name| is_in_resource(name, "wire.rs"), &words), Vec::<String>::new());
}

#[test]
fn handlers_hold_no_sql() {
    assert_eq!(offenders(|name| is_in_resource(name, "mod.rs"), &SQL_WORDS), Vec::<String>::new());
    assert_eq!(offenders(|name| name.starts_with("http/"), &SQL_WORDS), Vec::<String>::new());
}

#[test]
fn domain_values_know_neither() {
    let words = ["sql::", "axum", "http::", "crate::http", "crate::resources", "utoipa"];
    assert_eq!(offenders(|name| name.starts_with("domain/"), &words), Vec::<String>::new());
}

#[test]
fn who_acts_and_what_is_recorded_know_nothing_of_http() {
    let files = ["access.rs", "founding.rs", "holdings.rs", "organization.rs"];
    let words = ["axum", "http::", "StatusCode", "utoipa"];
    let is_meant = |name: &str| {
        files.contains(&name)
            || ["import/", "audit/", "sealing/", "usage/"]
                .iter()
                .any(|place| name.starts_with(place))
    };
    assert_eq!(offenders(is_meant, &words), Vec::<String>::new());
}

#[test]
fn only_the_envelope_knows_statuses() {
    let is_meant = |name: &str| {
        let is_test = name.starts_with("testing/")
            || name.starts_with("contract/")
            || name.contains("/tests/")
            || name.ends_with("tests.rs");
        !is_test && name != "http/envelope.rs"
    };
    assert_eq!(offenders(is_meant, &["StatusCode::"]), Vec::<String>::new());
}

#[test]
fn lists_neither_count_nor_offset() {
    let is_meant = |name: &str| name.ends_with("store.rs");
    assert_eq!(offenders(is_meant, &["OFFSET", "COUNT(", "count("]), Vec::<String>::new());
}
