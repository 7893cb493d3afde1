//! Many rows in few statements.

use rollbook_sql::{Arg, Error, Result, Tx, args};

use crate::groups::{held, write};
use crate::harness::{Fixture, block_on, count, insert, number};

const INTO: &str = "items (id, owner, n)";

/// Does something with rows of these numbers, whose ids are made of them.
fn with_rows<T>(numbers: &[i64], work: impl FnOnce(&[Arg<'_>]) -> T) -> T {
    let ids: Vec<_> = numbers.iter().map(|n| format!("id {n:05}")).collect();
    let rows = ids.iter().zip(numbers);
    work(&rows.flat_map(|(id, n)| [Arg::from(id), "o".into(), n.into()]).collect::<Vec<_>>())
}

fn all(tx: &mut Tx<'_>) -> Result<Vec<i64>> {
    tx.all("SELECT n FROM items ORDER BY id", args![], number)
}

#[test]
fn as_many_rows_as_there_are_go_in_and_those_that_were_new_are_told() {
    let counts = [0, 1, 2, 63, 64, 65, 1000];
    // The first that was there is the first of all, or somewhere in a statement.
    for (rows, first) in counts.into_iter().flat_map(|rows| [(rows, 0), (rows, 40)]) {
        let fixture = Fixture::new();
        let old: Vec<i64> = (first..rows).step_by(3).collect();
        // One of them twice.
        let numbers: Vec<i64> = (0..rows).chain((1..rows).take(1)).collect();
        let told = fixture.store.write_blocking(move |tx| {
            with_rows(&old, |cells| tx.insert(INTO, cells))?;
            with_rows(&numbers, |cells| tx.insert_new(INTO, cells, &[1, 0]))
        });
        let is_new = |n: i64| n < first || (n - first) % 3 != 0;
        let expected = (0..rows).map(is_new).chain((1..rows).take(1).map(|_| false));
        assert_eq!(told, Ok(expected.collect()), "{rows} rows, some there from {first} on");
        assert_eq!(fixture.store.read_blocking(all), Ok((0..rows).collect()));
    }
}

#[test]
fn a_row_that_fails_takes_all_of_its_transaction_with_it_and_nothing_else() {
    // In the middle of a statement, as the first change of the transaction, and after others.
    let spoilt: Vec<i64> = (0..40).chain([7]).chain(40..63).collect();
    for comes_first in [true, false] {
        let (fixture, spoilt) = (Fixture::new(), spoilt.clone());
        let store = &fixture.store;
        // On a file all of them share one commit.
        let (door, blocked) = held(store);
        let first = write(store, |tx| insert(tx, "first", 1));
        let failing = write(store, move |tx| {
            if !comes_first {
                insert(tx, "before", 1)?;
            }
            // Whoever goes on as if nothing had happened is not committed either.
            let _ = with_rows(&spoilt, |cells| tx.insert(INTO, cells));
            Ok(())
        });
        let last = write(store, |tx| insert(tx, "last", 1));
        door.open();
        block_on(async {
            assert_eq!((blocked.await, first.await, last.await), (Ok(()), Ok(1), Ok(1)));
            assert_eq!(failing.await, Err(Error::Duplicate));
        });
        assert_eq!(store.read_blocking(count), Ok(2));
    }
}

#[test]
fn a_duplicate_that_was_ignored_is_answered_again() {
    let fixture = Fixture::new();
    let answer = fixture.store.write_blocking(|tx| {
        let spoilt: Vec<i64> = (0..40).chain([7]).collect();
        assert_eq!(with_rows(&spoilt, |cells| tx.insert(INTO, cells)), Err(Error::Duplicate));
        let new = with_rows(&[100, 101], |cells| tx.insert_new(INTO, cells, &[1, 0]));
        assert_eq!(new, Err(Error::Duplicate));
        Ok(())
    });
    assert_eq!(answer, Err(Error::Duplicate));
    assert_eq!(fixture.store.read_blocking(count), Ok(0));
}

#[test]
fn a_reference_to_nothing_is_found_also_before_a_duplicate() {
    let fixture = Fixture::new();
    let parts = "parts (id, item)";
    let answer = fixture.store.write_blocking(|tx| {
        insert(tx, "item", 1)?;
        tx.insert(parts, args!["there", "item"])?;
        tx.insert_new(parts, args!["new", "nothing", "there", "item"], &[0])
    });
    assert_eq!(answer, Err(Error::MissingReference));
    assert_eq!(fixture.store.read_blocking(count), Ok(0));
}

#[test]
fn cells_that_are_no_rows_are_refused_before_anything_is_written() {
    let fixture = Fixture::new();
    let refused = fixture.store.write_blocking(|tx| tx.insert(INTO, args!["a", "o", 1_i64, "b"]));
    assert!(matches!(refused, Err(Error::Statement(_))), "{refused:?}");
    assert_eq!(fixture.store.read_blocking(count), Ok(0));
}
