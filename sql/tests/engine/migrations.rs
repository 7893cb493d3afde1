//! The schema and its history.

use std::sync::Barrier;

use rollbook_sql::{Error, Migration, Store, args};

use crate::harness::{Fixture, block_on, number};

const FIRST: Migration<'_> = Migration {
    number: 1,
    name: "first",
    text: "
-- A comment with KEYTEXT; and a semicolon.
CREATE TABLE one (id KEYTEXT PRIMARY KEY, BYTES_LEFT BIGINT, data BYTES) CLUSTERED;
INSERT INTO one (id, BYTES_LEFT) VALUES ('a;b', 1);
",
};
const SECOND: Migration<'_> = Migration {
    number: 2,
    name: "second",
    text: "ALTER TABLE one ADD COLUMN more BIGINT;\nUPDATE one SET more = 1;",
};

fn message(answer: Result<Vec<u32>, Error>) -> String {
    match answer {
        Err(Error::Migration(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn pending(store: &Store, migrations: &[Migration<'_>]) -> Result<Vec<u32>, Error> {
    block_on(store.pending(migrations))
}

#[test]
fn what_is_missing_is_applied_once() {
    let fixture = Fixture::empty(|_| ());
    let store = &fixture.store;
    assert_eq!(pending(store, &[FIRST, SECOND]), Ok(vec![1, 2]));
    assert_eq!(store.migrate(&[FIRST]), Ok(vec![1]));
    assert_eq!(store.migrate(&[FIRST]), Ok(vec![]));
    assert_eq!(pending(store, &[FIRST, SECOND]), Ok(vec![2]));
    assert_eq!(store.migrate(&[FIRST, SECOND]), Ok(vec![2]));
    assert_eq!(store.migrate(&[FIRST, SECOND]), Ok(vec![]));
    assert_eq!(pending(store, &[FIRST, SECOND]), Ok(vec![]));
    let sum = "SELECT COUNT(*) + MAX(BYTES_LEFT) + MAX(more) FROM one WHERE id = 'a;b'";
    assert_eq!(store.read_blocking(move |tx| tx.one(sum, args![], number)), Ok(Some(3)));
}

#[test]
fn a_changed_migration_is_refused() {
    let fixture = Fixture::empty(|_| ());
    fixture.store.migrate(&[FIRST, SECOND]).unwrap();
    let changed = Migration { text: "UPDATE one SET more = 2;", ..SECOND };
    let text = message(fixture.store.migrate(&[FIRST, changed]));
    assert!(text.contains("migration 2 (second) was changed"), "{text}");
    let text = message(pending(&fixture.store, &[FIRST, changed]));
    assert!(text.contains("unmodified rollbook"), "{text}");
}

#[test]
fn a_newer_store_is_refused() {
    let fixture = Fixture::empty(|_| ());
    fixture.store.migrate(&[FIRST, SECOND]).unwrap();
    let text = message(fixture.store.migrate(&[FIRST]));
    assert!(text.contains("newer rollbook") && text.contains("2 (second)"), "{text}");
    message(pending(&fixture.store, &[FIRST]));
}

#[test]
fn a_failing_statement_leaves_nothing() {
    let fixture = Fixture::empty(|_| ());
    let broken = Migration { text: "CREATE TABLE two (id BIGINT);\nNONSENSE;", ..SECOND };
    let text = message(fixture.store.migrate(&[FIRST, broken]));
    assert!(text.contains("migration 2 (second) failed") && text.contains("NONSENSE"), "{text}");
    assert_eq!(pending(&fixture.store, &[FIRST, SECOND]), Ok(vec![1, 2]));
    assert_eq!(fixture.store.migrate(&[FIRST, SECOND]), Ok(vec![1, 2]));
    let two = fixture.store.read_blocking(|tx| tx.one("SELECT 1 FROM two", args![], number));
    assert!(matches!(two, Err(Error::Statement(_))), "{two:?}");
}

#[test]
fn numbers_must_rise() {
    let fixture = Fixture::empty(|_| ());
    message(fixture.store.migrate(&[SECOND, FIRST]));
    message(fixture.store.migrate(&[FIRST, FIRST]));
    assert_eq!(pending(&fixture.store, &[FIRST]), Ok(vec![1]));
}

#[test]
fn processes_may_migrate_at_the_same_time() {
    for _ in 0..5 {
        let fixture = Fixture::empty(|_| ());
        let stores: Vec<Store> =
            (0..4).map(|_| fixture.second().unwrap_or_else(|| fixture.store.clone())).collect();
        let together = Barrier::new(stores.len());
        let applied: Vec<u32> = std::thread::scope(|scope| {
            let migrate = |store: &Store| {
                together.wait();
                store.migrate(&[FIRST, SECOND]).unwrap()
            };
            let threads: Vec<_> = stores.iter().map(|s| scope.spawn(move || migrate(s))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(applied, [1, 2], "each once, by one of them");
    }
}

#[test]
fn running_statements_survive_a_change_of_the_schema() {
    let fixture = Fixture::empty(|_| ());
    let store = fixture.second().unwrap_or_else(|| fixture.store.clone());
    fixture.store.migrate(&[FIRST]).unwrap();
    let read = || store.read_blocking(|tx| tx.all("SELECT * FROM one", args![], |_| Ok(())));
    assert_eq!(read().map(|rows| rows.len()), Ok(1));
    fixture.store.migrate(&[FIRST, SECOND]).unwrap();
    assert_eq!(read().map(|rows| rows.len()), Ok(1));
}
