//! `rollbook audit`, on the store of a server that was stopped: everything is sealed then.

use std::fs::{OpenOptions, read_to_string};
use std::io::Write;

use serde_json::{Value, json};
use sql::{Options, Store, args};

use crate::database::Database;
use crate::server::Start;
use crate::wire::Client;

fn with_projects(database: &Database, names: &[&str]) {
    let server = Start::with_key(database).start();
    let client = Client::of(&server);
    for name in names {
        let made = client.try_post("/v1/organization/projects", &json!({ "name": name })).unwrap();
        assert_eq!(made.0, 200, "{}", made.1);
    }
    server.stop();
}

fn audit(database: &Database, arguments: &[&str]) -> (i32, String, String) {
    let start = Start::program(&[&["audit"], arguments].concat());
    start.flag("--database", &database.url).run()
}

/// What a check of an intact record tells.
pub fn verified(database: &Database) -> Value {
    let (code, out, err) = audit(database, &["verify", "--json"]);
    assert_eq!(code, 0, "{out}{err}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn a_check_tells_the_head_of_the_chain_and_holds_the_chain_against_an_earlier_one() {
    let database = Database::fresh();
    with_projects(&database, &["One"]);
    let first = verified(&database);
    assert_eq!((&first["intact"], &first["waiting"]), (&json!(true), &json!(0)));
    assert_eq!(first["sequence"], first["records"]);
    let head = format!("{}:{}", first["sequence"], first["hash"].as_str().unwrap());
    with_projects(&database, &["Two"]);
    let (code, out, err) = audit(&database, &["verify", "--expect", &head]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains(": intact. Sealed up to "), "{out}");
    let other = format!("{}:{}", first["sequence"], "0".repeat(64));
    assert_eq!(audit(&database, &["verify", "--expect", &other]).0, 1);
    assert_eq!(audit(&database, &["verify", "--expect", "7"]).0, 2);
    let (code, out, _) = audit(&database, &["seal"]);
    assert_eq!((code, &*out), (0, "Nothing waits to be sealed.\n"));
}

#[test]
fn an_export_goes_on_behind_its_last_whole_line_and_ends_before_what_was_changed() {
    let database = Database::fresh();
    with_projects(&database, &["One"]);
    let path = database.folder().join("audit.jsonl");
    let export = ["export", "--out", path.to_str().unwrap()];
    assert_eq!(audit(&database, &export).0, 0);
    let before = read_to_string(&path).unwrap();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"actor\":{").unwrap();
    with_projects(&database, &["Two"]);
    assert_eq!(audit(&database, &export).0, 0);
    let text = read_to_string(&path).unwrap();
    assert!(text.starts_with(&before) && text.len() > before.len());
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sequences: Vec<_> = lines.iter().map(|line| line["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=lines.len() as u64).collect::<Vec<_>>());
    let (code, piped, _) = audit(&database, &["export", "--after", "2"]);
    assert_eq!((code, piped.lines().count()), (0, lines.len() - 2));

    let changed = lines.last().unwrap()["id"].as_str().unwrap().to_owned();
    let (store, id) = (Store::open(Options::new(&database.url)).unwrap(), changed.clone());
    let change = "UPDATE audit_events SET payload = '{}' WHERE id = $1";
    let done = store.write_blocking(move |tx| tx.execute(change, args![&id]));
    assert_eq!(done, Ok(1));
    store.close();
    let (code, piped, err) = audit(&database, &["export"]);
    assert_eq!((code, piped.lines().count()), (1, lines.len() - 1));
    assert!(err.contains(&changed), "{err}");
    let (code, out, _) = audit(&database, &["verify"]);
    assert!(code == 1 && out.contains(&format!("record {changed} (sequence ")), "{out}");
}

#[test]
fn a_file_that_is_no_export_is_left_alone() {
    let database = Database::fresh();
    with_projects(&database, &[]);
    let path = database.folder().join("notes.txt");
    for text in ["precious", "precious\n"] {
        std::fs::write(&path, text).unwrap();
        let (code, _, err) = audit(&database, &["export", "--out", path.to_str().unwrap()]);
        assert!(code == 1 && err.contains("is no export"), "{err}");
        assert_eq!(read_to_string(&path).unwrap(), text);
    }
}
