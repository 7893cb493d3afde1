//! That nothing is forgotten: every table is in documents or named here with a reason, and every document fits the schema.

use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::document::schema;
use crate::testing::Api;

/// Tables that documents hold.
const COVERED: &[&str] = &[
    "admin_api_keys",
    "certificate_activations",
    "certificates",
    "group_members",
    "groups",
    "invites",
    "models",
    "organizations",
    "policies",
    "project_api_keys",
    "project_groups",
    "project_members",
    "projects",
    "rate_limits",
    "role_assignments",
    "roles",
    "service_accounts",
    "spend_alerts",
    "users",
];

/// Tables that they do not hold, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("audit_actors", "the record tells of one store, and is exported by a command of its own"),
    ("audit_events", "the same"),
    ("audit_resources", "the same"),
    ("audit_seals", "the same"),
    ("audit_tail", "the same"),
    ("fired_alerts", "what was used and what it cost stays with the store that counted it"),
    ("former_names", "the same"),
    ("prices", "the same: a price holds from a time on for what is counted there"),
    ("usage_batches", "the same"),
    ("usage_id_chunks", "the same"),
    ("usage_id_runs", "the same"),
    ("usage_segments", "the same"),
    ("usage_series", "the same"),
    ("usage_spend", "the same"),
    ("usage_tail", "the same"),
];

/// Whether a line of a snapshot is about a table that documents hold.
pub fn is_covered(row: &str) -> bool {
    row.split(' ').next().is_some_and(|table| COVERED.contains(&table))
}

/// Columns that are no part of what a table says. What is not named in one of these lists must come back from a round trip.
const LEFT_OUT_COLUMNS: &[&str] = &["last_used_at"];

static SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&schema()).expect("it is a schema"));

/// Refuses a document that does not fit the schema.
pub fn assert_valid(text: &str) {
    let document: Value = serde_json::from_str(text).expect("it is JSON");
    let faults: Vec<_> = SCHEMA
        .iter_errors(&document)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert_eq!(faults, Vec::<String>::new());
}

/// `UPDATE_DOCS=1 cargo test -p rollbook-admin document` writes the file anew.
#[test]
fn the_schema_that_is_published_is_the_one_that_is_used() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/organization.schema.json");
    let made = serde_json::to_string_pretty(&schema()).expect("it can be written") + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &made).expect("the file can be written");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), made);
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    for wrong in [r#"{"user": []}"#, r#"{"users": [{"id": "u"}]}"#, r#"{"projects": {}}"#] {
        let document: Value = serde_json::from_str(wrong).expect("it is JSON");
        assert!(!SCHEMA.is_valid(&document), "{wrong}");
        assert!(crate::document::parse(wrong).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn every_table_is_covered_or_left_out_for_a_reason() {
    let api = Api::new().await;
    let left_out = LEFT_OUT.iter().map(|(table, _)| *table);
    let mut known: Vec<_> = COVERED.iter().copied().chain(left_out).collect();
    known.sort_unstable();
    let tables = api.tables().await;
    assert_eq!(
        tables, known,
        "a new table belongs into documents, or into the list of those left out"
    );
    assert!(LEFT_OUT.iter().all(|(_, reason)| !reason.is_empty()));
}

/// Every column is read by an export and written by a restoration: by name, in the sources of both.
#[test]
fn every_column_is_read_and_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/document");
    let text = |place: &str| {
        let mut found = Vec::new();
        crate::contract::layering::sources(&folder.join(place), &mut found);
        found.into_iter().map(|(_, text)| text).collect::<String>()
    };
    let (reads, writes) = (text("export"), text("restore"));
    // What is made of other columns again.
    let derived =
        ["email_folded", "shown", "subject", "fingerprint", "valid_at", "reaches_projects"];
    for (table, columns) in columns() {
        if !COVERED.contains(&table.as_str()) {
            continue;
        }
        for column in columns {
            if LEFT_OUT_COLUMNS.contains(&column.as_str()) {
                continue;
            }
            assert!(writes.contains(&column), "{table}.{column} is not written");
            let is_derived = derived.contains(&column.as_str())
                || (table == "certificates" && column == "expires_at");
            assert!(is_derived || reads.contains(&column), "{table}.{column} is not read");
        }
    }
}

/// The columns of every table, from the migrations.
fn columns() -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for migration in crate::migrations() {
        for part in migration.text.split("CREATE TABLE IF NOT EXISTS ").skip(1) {
            let (name, rest) = part.split_once(" (").expect("a table has columns");
            let lines =
                rest.lines().take_while(|line| !line.trim_start().starts_with("CONSTRAINT"));
            let names = lines.filter_map(|line| line.split_whitespace().next());
            all.push((name.to_owned(), names.map(str::to_owned).collect()));
        }
    }
    assert!(all.len() >= COVERED.len() + LEFT_OUT.len());
    all
}
