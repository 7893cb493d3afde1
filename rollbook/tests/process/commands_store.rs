//! Commands about a store and about the program itself.

use std::fs::{read, read_dir, write};

use serde_json::{Value, json};

use crate::commands::{Ran, on};
use crate::database::Database;
use crate::server::Start;

#[test]
fn a_store_that_is_not_there_or_not_current_is_told_with_its_remedy() {
    let database = Database::in_file();
    for arguments in [&["user", "list"][..], &["org", "list"], &["migrate", "--check"]] {
        let ran = on(&database, arguments);
        assert_eq!(ran.code, 1);
        assert!(
            ran.stderr.contains("rollbook migrate") && ran.stderr.contains("rollbook serve"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(read_dir(database.folder()).unwrap().count(), 0, "nothing was made");

    write(database.folder().join("store.db"), "").unwrap();
    let ran = on(&database, &["user", "list"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("0001_") && ran.stderr.contains("rollbook migrate"),
        "{}",
        ran.stderr
    );
    let memory = Ran::of(Start::program(&["user", "list", "--database", "sqlite::memory:"]));
    assert_eq!(memory.code, 2);
    let nonsense = Ran::of(Start::program(&["user", "list", "--database", "mysql://"]));
    assert_eq!(nonsense.code, 1);
    assert!(nonsense.stderr.contains("sqlite:PATH"), "{}", nonsense.stderr);
}

#[test]
fn migrate_applies_what_its_check_names() {
    let database = Database::fresh();
    // A file must be there to be checked, and a server's database is.
    if let Some(path) = database.url.strip_prefix("sqlite:") {
        write(path, "").unwrap();
    }
    let check = on(&database, &["migrate", "--check", "--json"]);
    assert_eq!(check.code, 1);
    let pending = serde_json::from_str::<Value>(&check.stdout).unwrap()["pending"].clone();
    assert_eq!(pending[0], "0001_organizations");
    let applied = on(&database, &["migrate", "--json"]).ok();
    assert_eq!(serde_json::from_str::<Value>(&applied).unwrap(), json!({ "applied": pending }));
    assert_eq!(on(&database, &["migrate", "--check"]).ok(), "The store is current.\n");
    assert_eq!(on(&database, &["migrate", "--json"]).ok(), "{\"applied\":[]}\n");
    let empty = on(&database, &["user", "list"]);
    assert_eq!(empty.code, 4);
    assert!(empty.stderr.contains("rollbook org create"), "{}", empty.stderr);
}

#[test]
fn a_store_and_a_server_cannot_both_be_meant() {
    let arguments = ["user", "list", "--database", "sqlite:x.db", "--server", "http://127.0.0.1:1"];
    let ran = Ran::of(Start::program(&arguments));
    assert_eq!(ran.code, 2);
    let start = Start::program(&["user", "list", "--server", "http://127.0.0.1:1"]);
    let ran = Ran::of(
        start.env("ROLLBOOK_DATABASE", "sqlite:x.db").env("OPENAI_ADMIN_KEY", "sk-admin-x"),
    );
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("cannot reach http://127.0.0.1:1"), "{}", ran.stderr);
}

fn check_config(database: &Database) -> Start {
    Start::program(&["check-config"]).flag("--database", &database.url)
}

#[test]
fn check_config_says_what_serve_would_use_and_leaves_the_store_alone() {
    let database = Database::in_file();
    let file = database.folder().join("rollbook.toml");
    write(&file, "listen = '127.0.0.1:9999'\nowner-name = 'File'").unwrap();
    let start =
        || check_config(&database).flag("--config", &file).env("ROLLBOOK_OWNER_NAME", "Variable");
    let shown = Ran::of(start()).ok();
    assert!(shown.contains("127.0.0.1:9999") && shown.contains("Variable"), "{shown}");
    assert!(shown.contains("does not exist yet"), "{shown}");
    assert!(!database.folder().join("store.db").exists());

    on(&database, &["migrate"]).ok();
    let before = read(database.folder().join("store.db")).unwrap();
    let shown = Ran::of(start()).ok();
    assert!(shown.contains("its tables are current"), "{shown}");
    assert_eq!(read(database.folder().join("store.db")).unwrap(), before);

    let (_, json, _) =
        check_config(&database).flag("--config", &file).flag("--listen", "127.0.0.1:1").run();
    assert!(json.contains("127.0.0.1:1"), "{json}");
}

#[test]
fn check_config_finds_what_is_wrong_without_telling_secrets() {
    let database = Database::in_file();
    let foreign = database.folder().join("store.db");
    write(&foreign, "not a database at all, but a text of some length").unwrap();
    let ran = Ran::of(check_config(&database));
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("not a SQLite file"), "{}", ran.stdout);
    assert_eq!(read(&foreign).unwrap()[..5], *b"not a");

    let url = "postgres://rollbook:hunter2@127.0.0.1:1/rollbook";
    let start = Start::program(&["check-config", "--json"]).flag("--database", url);
    let start = start.env("ROLLBOOK_BOOTSTRAP_KEY", "sk-admin-secret").env("ROLLBOOK_PORT", "1");
    let ran = Ran::of(start.flag("--tls-cert", "a.pem").flag("--tls-key", "b.pem"));
    assert_eq!(ran.code, 1);
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = |check: &Value, member: &str| check[member].as_str().unwrap().to_owned();
    let checks = answer["checks"].as_array().unwrap();
    let results: Vec<_> = checks
        .iter()
        .map(|check| format!("{} {}", text(check, "name"), text(check, "result")))
        .collect();
    assert_eq!(
        results,
        ["store wrong", "TLS wrong", "links note", "first key wrong", "environment note"]
    );
    for secret in ["hunter2", "sk-admin-secret"] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:?}");
    }
    let ran = Ran::of(check_config(&database).flag("--tls-cert", "a.pem"));
    assert_eq!(ran.code, 2);
}

#[test]
fn shells_and_man_get_what_they_read() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = Ran::of(Start::program(&["completions", shell])).ok();
        assert!(script.contains("rollbook") && script.contains("check-config"), "{script}");
    }
    assert_eq!(Start::program(&["completions", "cmd"]).run().0, 2);
    let page = Ran::of(Start::program(&["man"])).ok();
    assert!(page.contains(".TH rollbook 1"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    Ran::of(Start::program(&["man"]).flag("--out", folder.path().join("man1"))).ok();
    let pages: Vec<_> = read_dir(folder.path().join("man1"))
        .unwrap()
        .map(|page| page.unwrap().file_name())
        .collect();
    assert!(pages.iter().any(|name| name == "rollbook-member-add.1"), "{pages:?}");
    assert!(pages.len() > 20, "{pages:?}");
}
