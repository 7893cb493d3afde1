//! Many writes, one commit (a `SQLite` file), and who shares whose fate.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rollbook_sql::{Error, Result, Store, Tx, args};

use crate::harness::{
    Fixture, Gate, Hold, Queued, block_on, count, enqueue, gate, insert, is_ready,
};
use crate::harness::{skip, text};

pub fn write<T: Send + 'static>(
    store: &Store,
    job: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
) -> Queued<T> {
    let store = store.clone();
    enqueue(async move { store.write(job).await })
}

fn blocker(store: &Store, hold: Hold) -> Queued<()> {
    write(store, move |_| {
        hold.wait();
        Ok(())
    })
}

/// A group that has begun and takes whatever is written until the door opens.
pub fn held(store: &Store) -> (Gate, Queued<()>) {
    let (door, hold) = gate();
    let blocked = blocker(store, hold);
    door.entered();
    (door, blocked)
}

#[test]
fn waiting_writes_are_committed_together_and_fail_alone() {
    let fixture = Fixture::new();
    if !fixture.is_file() {
        return skip("only the writer of a file groups");
    }
    let (first, blocked) = held(&fixture.store);
    let mut good: Vec<_> = (0..20)
        .map(|n| write(&fixture.store, move |tx| insert(tx, &format!("good {n:02}"), n)))
        .collect();
    let refused = write(&fixture.store, |tx| {
        insert(tx, "refused", 1)?;
        Err::<(), _>(Error::Migration("refused".into()))
    });
    let duplicate = write(&fixture.store, |tx| {
        insert(tx, "half", 1)?;
        insert(tx, "good 00", 1)
    });
    let panicking = write(&fixture.store, |tx| {
        insert(tx, "panic", 1)?;
        assert_eq!(count(tx)?, 0, "a panic the test wants");
        Ok(())
    });
    let (last, hold) = gate();
    let late = blocker(&fixture.store, hold);
    first.open();
    last.entered();
    // All of them ran, none is committed, so none may be answered or seen.
    assert_eq!(fixture.store.read_blocking(count), Ok(0));
    assert!(good.iter_mut().all(|job| !is_ready(job)));
    last.open();
    block_on(async {
        for job in good {
            assert_eq!(job.await, Ok(1));
        }
        assert_eq!(refused.await, Err(Error::Migration("refused".into())));
        assert_eq!(duplicate.await, Err(Error::Duplicate));
        assert_eq!(panicking.await, Err(Error::Panicked));
        assert_eq!((blocked.await, late.await), (Ok(()), Ok(())));
    });
    let ids = fixture.store.read_blocking(|tx| tx.all("SELECT id FROM items", args![], text));
    let expected: Vec<_> = (0..20).map(|n| format!("good {n:02}")).collect();
    assert_eq!(ids, Ok(expected));
}

/// Nearly all refusals change nothing before, and then nobody runs twice for them. Whoever did change something is undone with all
/// others, who run again.
#[test]
fn only_a_refusal_after_changes_makes_the_others_run_again() {
    for (changes, runs) in [(false, [1, 1]), (true, [2, 1])] {
        let fixture = Fixture::new();
        if !fixture.is_file() {
            return skip("only the writer of a file groups");
        }
        let (door, blocked) = held(&fixture.store);
        let counted = |name: &'static str| {
            let counter = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&counter);
            let job = write(&fixture.store, move |tx| {
                count.fetch_add(1, Ordering::SeqCst);
                insert(tx, name, 1)
            });
            (job, counter)
        };
        let (before, runs_before) = counted("before");
        // What it finds was written by others who are not committed: it must find the same when it runs again.
        let refused = write(&fixture.store, move |tx| {
            let found = count(tx)?;
            if changes {
                insert(tx, "refused", 1)?;
            }
            Err::<(), _>(Error::Migration(format!("found {found}")))
        });
        let (after, runs_after) = counted("after");
        door.open();
        block_on(async {
            assert_eq!((blocked.await, before.await, after.await), (Ok(()), Ok(1), Ok(1)));
            assert_eq!(refused.await, Err(Error::Migration("found 1".into())));
        });
        let seen = [runs_before, runs_after].map(|runs| runs.load(Ordering::SeqCst));
        assert_eq!(seen, runs, "with changes: {changes}");
        assert_eq!(fixture.store.read_blocking(count), Ok(2));
    }
}

/// What changes the schema is counted as no row, and must be undone all the same.
#[test]
fn a_refusal_after_a_change_of_the_schema_leaves_nothing() {
    let fixture = Fixture::new();
    if !fixture.is_file() {
        return skip("only the writer of a file groups");
    }
    let (door, blocked) = held(&fixture.store);
    let before = write(&fixture.store, |tx| insert(tx, "before", 1));
    let refused = write(&fixture.store, |tx| {
        tx.execute("CREATE TABLE two (id TEXT)", args![])?;
        Err::<(), _>(Error::Migration("refused".into()))
    });
    door.open();
    block_on(async {
        assert_eq!((blocked.await, before.await), (Ok(()), Ok(1)));
        assert_eq!(refused.await, Err(Error::Migration("refused".into())));
    });
    let tables = "SELECT name FROM sqlite_schema WHERE name = 'two'";
    let found = fixture.store.read_blocking(move |tx| tx.all(tables, args![], text));
    assert_eq!((found, fixture.store.read_blocking(count)), (Ok(vec![]), Ok(1)));
}

/// A full disk makes `SQLite` drop the whole transaction, the changes of other jobs included.
#[test]
fn a_full_disk_hurts_only_the_job_that_met_it() {
    let fixture = Fixture::new();
    if !fixture.is_file() {
        return skip("only the writer of a file groups");
    }
    let (door, blocked) = held(&fixture.store);
    let before = write(&fixture.store, |tx| insert(tx, "before", 1));
    let greedy = write(&fixture.store, |tx| {
        tx.one("PRAGMA max_page_count = 100", args![], |_| Ok(()))?;
        let much = vec![7_u8; 4 << 20];
        tx.execute("INSERT INTO samples (id, y) VALUES (1, $1)", args![&much])
    });
    let after = write(&fixture.store, |tx| insert(tx, "after", 1));
    door.open();
    block_on(async {
        assert_eq!((blocked.await, before.await, after.await), (Ok(()), Ok(1), Ok(1)));
        let full = greedy.await;
        assert!(matches!(full, Err(Error::Unavailable(_))), "{full:?}");
    });
    assert_eq!(fixture.store.read_blocking(count), Ok(2));
}

/// A commit that fails keeps nothing of anybody, and says so to everybody.
#[test]
fn a_failed_commit_fails_the_whole_group() {
    let fixture = Fixture::new();
    if !fixture.is_file() {
        return skip("only the writer of a file groups");
    }
    let table = "CREATE TABLE late (id TEXT REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED)";
    fixture.store.write_blocking(move |tx| tx.execute(table, args![])).unwrap();
    let (door, blocked) = held(&fixture.store);
    let innocent = write(&fixture.store, |tx| insert(tx, "a", 1));
    let guilty =
        write(&fixture.store, |tx| tx.execute("INSERT INTO late VALUES ('nobody')", args![]));
    door.open();
    block_on(async {
        assert_eq!(blocked.await, Err(Error::MissingReference));
        assert_eq!(innocent.await, Err(Error::MissingReference));
        assert_eq!(guilty.await, Err(Error::MissingReference));
    });
    assert_eq!(fixture.store.read_blocking(count), Ok(0));
    assert_eq!(fixture.store.write_blocking(|tx| insert(tx, "a", 1)), Ok(1));
}
