//! All or nothing, and the same errors on both engines.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use rollbook_sql::{Engine, Error, Result, args};

use crate::harness::{Fixture, block_on, count, enqueue, gate, insert, number, text};

#[test]
fn an_error_drops_what_was_written() {
    let fixture = Fixture::new();
    let answer = fixture.store.write_blocking(|tx| {
        insert(tx, "a", 1)?;
        Err::<(), _>(Error::Migration("the closure's own reason".into()))
    });
    assert_eq!(answer, Err(Error::Migration("the closure's own reason".into())));
    assert_eq!(fixture.store.read_blocking(count), Ok(0));
}

#[test]
fn a_panic_drops_what_was_written_and_the_store_goes_on() {
    let fixture = Fixture::new();
    let answer = fixture.store.write_blocking(|tx| {
        insert(tx, "a", 1)?;
        assert_eq!(count(tx)?, 100, "a panic the test wants");
        Ok(())
    });
    assert_eq!(answer, Err(Error::Panicked));
    let answer = fixture.store.read_blocking(|_| -> Result<()> { panic!("another one") });
    assert_eq!(answer, Err(Error::Panicked));
    assert_eq!(fixture.store.write_blocking(|tx| insert(tx, "b", 1)), Ok(1));
    assert_eq!(fixture.store.read_blocking(count), Ok(1));
}

#[test]
fn a_duplicate_sticks_even_if_the_closure_ignores_it() {
    let fixture = Fixture::new();
    let answer = fixture.store.write_blocking(|tx| {
        insert(tx, "a", 1)?;
        assert_eq!(insert(tx, "a", 2), Err(Error::Duplicate));
        assert_eq!(insert(tx, "b", 3), Err(Error::Duplicate), "later statements do not run");
        assert_eq!(count(tx), Err(Error::Duplicate));
        Ok(())
    });
    assert_eq!(answer, Err(Error::Duplicate));
    assert_eq!(fixture.store.read_blocking(count), Ok(0));
}

#[test]
fn an_ignored_error_fails_a_read_too() {
    let fixture = Fixture::new();
    let answer = fixture.store.read_blocking(|tx| {
        let _ = tx.one("SELECT nonsense FROM nowhere", args![], number);
        Ok(())
    });
    assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
}

#[test]
fn the_closure_may_say_what_a_duplicate_means() {
    #[derive(Debug, PartialEq)]
    enum Rule {
        NameTaken,
        Store(Error),
    }
    impl From<Error> for Rule {
        fn from(error: Error) -> Self {
            if error == Error::Duplicate { Self::NameTaken } else { Self::Store(error) }
        }
    }
    let fixture = Fixture::new();
    let write = || fixture.store.write_blocking(|tx| Ok::<_, Rule>(insert(tx, "a", 1)?));
    assert_eq!(write(), Ok(1));
    assert_eq!(write(), Err(Rule::NameTaken));
    fixture.store.close();
    assert_eq!(write(), Err(Rule::Store(Error::Closed)));
}

#[test]
fn every_unique_rule_is_a_duplicate() {
    let fixture = Fixture::new();
    let make = "CREATE UNIQUE INDEX items_n ON items (n)";
    fixture.store.write_blocking(move |tx| tx.execute(make, args![])).unwrap();
    fixture.store.write_blocking(|tx| insert(tx, "a", 1)).unwrap();
    assert_eq!(fixture.store.write_blocking(|tx| insert(tx, "b", 1)), Err(Error::Duplicate));
    let number = "INSERT INTO samples (id) VALUES (7)";
    fixture.store.write_blocking(move |tx| tx.execute(number, args![])).unwrap();
    let again = fixture.store.write_blocking(move |tx| tx.execute(number, args![]));
    assert_eq!(again, Err(Error::Duplicate));
}

#[test]
fn a_reference_must_exist_and_keeps_its_row() {
    let fixture = Fixture::new();
    let part = "INSERT INTO parts (id, item) VALUES ($1, $2)";
    let dangling = fixture.store.write_blocking(move |tx| tx.execute(part, args!["p", "a"]));
    assert_eq!(dangling, Err(Error::MissingReference));
    let both = fixture.store.write_blocking(move |tx| {
        insert(tx, "a", 1)?;
        tx.execute(part, args!["p", "a"])
    });
    assert_eq!(both, Ok(1));
    let delete = "DELETE FROM items WHERE id = $1";
    let used = fixture.store.write_blocking(move |tx| tx.execute(delete, args!["a"]));
    assert_eq!(used, Err(Error::MissingReference));
    let rename = "UPDATE items SET id = 'z' WHERE id = $1";
    let used = fixture.store.write_blocking(move |tx| tx.execute(rename, args!["a"]));
    assert_eq!(used, Err(Error::MissingReference));
    assert_eq!(fixture.store.read_blocking(count), Ok(1));
}

#[test]
fn broken_rules_of_a_column_are_our_defect() {
    let fixture = Fixture::new();
    let missing = "INSERT INTO items (id, owner) VALUES ('a', 'o')";
    let answer = fixture.store.write_blocking(move |tx| tx.execute(missing, args![]));
    assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
}

#[test]
fn a_read_cannot_write() {
    let fixture = Fixture::new();
    fixture.store.write_blocking(|tx| insert(tx, "a", 1)).unwrap();
    for sql in [
        "INSERT INTO items (id, owner, n) VALUES ('b', 'o', 1)",
        "INSERT INTO items (id, owner, n) VALUES ('b', 'o', 1) RETURNING id",
        "UPDATE items SET n = 2",
        "DELETE FROM items",
        "CREATE TABLE more (id BIGINT PRIMARY KEY)",
        "DROP TABLE parts",
    ] {
        let answer = fixture.store.read_blocking(move |tx| tx.execute(sql, args![]));
        assert!(matches!(answer, Err(Error::Statement(_))), "{sql}: {answer:?}");
    }
    let sum = "SELECT COUNT(*) + MAX(n) FROM items";
    let seen = fixture.store.read_blocking(move |tx| tx.one(sum, args![], number));
    assert_eq!(seen, Ok(Some(2)));
    assert_eq!(fixture.store.write_blocking(|tx| insert(tx, "b", 1)), Ok(1));
}

#[test]
fn statements_tell_what_they_did() {
    let fixture = Fixture::new();
    let answer = fixture.store.write_blocking(|tx| {
        for id in ["a", "b", "c"] {
            insert(tx, id, 1)?;
        }
        let upsert = "INSERT INTO items (id, owner, n) VALUES ($1, 'o', 5)
                      ON CONFLICT (id) DO UPDATE SET n = items.n + excluded.n RETURNING n";
        assert_eq!(tx.one(upsert, args!["a"], number)?, Some(6));
        let ids = tx.all("DELETE FROM items WHERE n = 1 RETURNING id", args![], text)?;
        assert_eq!(ids.len(), 2);
        assert_eq!(tx.execute("UPDATE items SET n = 0", args![])?, 1);
        assert_eq!(tx.execute("DELETE FROM items WHERE id = 'nobody'", args![])?, 0);
        tx.one("SELECT id FROM items WHERE id = 'nobody'", args![], text)
    });
    assert_eq!(answer, Ok(None));
}

#[test]
fn one_refuses_a_second_row() {
    let fixture = Fixture::new();
    let answer = fixture.store.write_blocking(|tx| {
        insert(tx, "a", 1)?;
        insert(tx, "b", 1)?;
        tx.one("SELECT id FROM items", args![], text)
    });
    assert!(matches!(answer, Err(Error::Statement(_))), "{answer:?}");
}

#[test]
fn a_write_goes_on_when_its_caller_leaves() {
    let fixture = Fixture::new();
    let (door, hold) = gate();
    let store = fixture.store.clone();
    let job = enqueue(async move {
        let job = store.write(move |tx| {
            insert(tx, "a", 1)?;
            hold.wait();
            Ok::<_, Error>(())
        });
        job.await
    });
    door.entered();
    drop(job);
    door.open();
    fixture.store.close();
    let Some(store) = fixture.second() else { return };
    assert_eq!(block_on(store.read(count)), Ok(1));
}

#[test]
fn increments_from_many_threads_are_all_kept() {
    let fixture = Fixture::new();
    fixture.store.write_blocking(|tx| insert(tx, "a", 0)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let answer = fixture.store.write_blocking(|tx| {
                        let n = tx.one("SELECT n FROM items WHERE id = 'a'", args![], number)?;
                        let next = n.unwrap_or_default() + 1;
                        tx.execute("UPDATE items SET n = $1 WHERE id = 'a'", args![next])
                    });
                    assert_eq!(answer, Ok(1));
                }
            });
        }
    });
    let sum = fixture.store.read_blocking(|tx| tx.one("SELECT n FROM items", args![], number));
    assert_eq!(sum, Ok(Some(320)));
}

/// Each of two writers looks for a row and adds one if there is none. Any order of the two leaves
/// one row; under weaker isolation both would add theirs.
#[test]
fn two_writers_cannot_both_be_first() {
    let fixture = Fixture::new();
    let together = Arc::new(Barrier::new(2));
    std::thread::scope(|scope| {
        for id in ["a", "b"] {
            let (store, together) = (&fixture.store, Arc::clone(&together));
            scope.spawn(move || {
                let first_run = AtomicBool::new(true);
                let answer = store.write_blocking(move |tx| {
                    let empty = count(tx)? == 0;
                    // SQLite has one writer at a time; there is nobody to wait for.
                    if tx.engine() == Engine::Postgres && first_run.swap(false, Ordering::Relaxed) {
                        together.wait();
                    }
                    if empty { insert(tx, id, 1) } else { Ok(0) }
                });
                assert!(answer.is_ok(), "{answer:?}");
            });
        }
    });
    assert_eq!(fixture.store.read_blocking(count), Ok(1));
}
