//! Rules for the schema itself, read from the migrations and the engine's catalog.

use crate::testing::Api;
use crate::testing::snapshot::TABLES;

#[tokio::test]
async fn the_snapshot_that_guards_refusals_sees_every_table() {
    let api = Api::new().await;
    let known: Vec<_> = TABLES.iter().map(|(table, _)| *table).collect();
    assert_eq!(api.tables().await, known);
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let numbers: Vec<_> = crate::migrations().iter().map(|migration| migration.number).collect();
    assert_eq!(numbers, (1..=u32::try_from(numbers.len()).expect("few")).collect::<Vec<_>>());
}

#[test]
fn every_table_has_named_keys_that_begin_with_the_organization() {
    for migration in crate::migrations() {
        for statement in migration.text.split(";\n") {
            let text = statement.split_whitespace().collect::<Vec<_>>().join(" ");
            let Some((_, columns)) = text.split_once("PRIMARY KEY (") else { continue };
            let first = columns.split([',', ')']).next();
            let is_tenant = text.contains("CREATE TABLE IF NOT EXISTS organizations");
            assert_eq!(
                first,
                Some(if is_tenant { "id" } else { "organization_id" }),
                "{}",
                migration.name
            );
            for reference in text.split("FOREIGN KEY").skip(1) {
                assert!(
                    reference.contains(" ON DELETE "),
                    "{}: a foreign key names its delete rule",
                    migration.name
                );
            }
        }
        for index in migration.text.split("CREATE INDEX").skip(1) {
            let columns = index.split_once('(').map(|(_, columns)| columns).unwrap_or_default();
            assert!(
                columns.starts_with("organization_id"),
                "{}: an index begins with the organization",
                migration.name
            );
        }
    }
}

#[test]
fn migrations_use_the_neutral_types_only() {
    for migration in crate::migrations() {
        let words: Vec<_> =
            migration.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        for word in [
            "INTEGER",
            "INT",
            "SERIAL",
            "VARCHAR",
            "TIMESTAMP",
            "JSON",
            "JSONB",
            "BLOB",
            "BYTEA",
            "UUID",
            "DEFAULT",
            "CHECK",
            "TRIGGER",
        ] {
            assert!(!words.contains(&word), "{} uses {word}", migration.name);
        }
    }
}
