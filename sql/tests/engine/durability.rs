//! What was acknowledged survives `kill -9`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use rollbook_sql::{Engine, Error, Options, Store, args};

use crate::harness::{Fixture, SCHEMA, insert, number, skip};

const FILE: &str = "ROLLBOOK_TEST_CHILD_FILE";
const START: &str = "ROLLBOOK_TEST_CHILD_START";
const ROUNDS: i64 = 5;
const PER_ROUND: usize = 300;

/// Not a test of its own: what the parent below runs and kills. It writes numbered rows from
/// several threads and prints each number once the store has acknowledged it.
#[test]
fn child() {
    let (Ok(file), Ok(start)) = (std::env::var(FILE), std::env::var(START)) else { return };
    let store = Store::open(Options::new(format!("sqlite:{file}"))).unwrap();
    store.migrate(SCHEMA).unwrap();
    let start: i64 = start.parse().unwrap();
    std::thread::scope(|scope| {
        for lane in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for n in (start + lane..).step_by(8) {
                    store.write_blocking(move |tx| insert(tx, &format!("{n}"), n)).unwrap();
                    writeln!(std::io::stdout(), "acknowledged {n};").unwrap();
                }
            });
        }
    });
}

#[test]
fn acknowledged_writes_survive_kill_9() {
    let fixture = Fixture::empty(|_| ());
    if fixture.store.engine() != Engine::Sqlite {
        return skip("the server's durability is the server's own");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db").display().to_string();
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        acknowledged.extend(run_and_kill(&file, round * 1_000_000));
        let found = rows(&file);
        let lost: Vec<_> = acknowledged.difference(&found).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} of {} are lost", acknowledged.len());
    }
}

/// Runs the child until it has acknowledged enough, kills it, and answers all it acknowledged.
fn run_and_kill(file: &str, start: i64) -> Vec<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["durability::child", "--exact", "--nocapture"])
        .env(FILE, file)
        .env(START, start.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    for line in lines {
        // The harness's own lines, and one the kill cut short, hold no number.
        let line = line.unwrap();
        let text = line.rsplit_once("acknowledged ").and_then(|(_, rest)| rest.strip_suffix(';'));
        acknowledged.extend(text.map(|number| number.parse::<i64>().unwrap()));
        if acknowledged.len() == PER_ROUND {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success(), "it was killed");
    assert!(acknowledged.len() >= PER_ROUND);
    acknowledged
}

fn rows(file: &str) -> BTreeSet<i64> {
    let store = Store::open(Options::new(format!("sqlite:{file}"))).unwrap();
    let check = store
        .read_blocking(|tx| tx.one("PRAGMA integrity_check", args![], |row| row.get::<String>(0)));
    assert_eq!(check, Ok(Some("ok".into())));
    let all = store.read_blocking(|tx| tx.all("SELECT n FROM items", args![], number));
    store.close();
    all.map_err(|e: Error| e.to_string()).unwrap().into_iter().collect()
}
