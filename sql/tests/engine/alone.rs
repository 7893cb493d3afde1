//! A file that one process has for itself, and indexes that are made after the rows.

use rollbook_sql::{Error, Options, Store, args};

use crate::harness::{Fixture, count, insert};

fn alone(url: &str) -> Result<Store, Error> {
    Store::open(Options { is_alone: true, ..Options::new(url) })
}

#[test]
fn nobody_else_is_let_in_until_it_is_closed() {
    let fixture = Fixture::new();
    if !fixture.is_file() {
        return;
    }
    fixture.store.write_blocking(|tx| insert(tx, "before", 1)).unwrap();
    assert_eq!(alone(&fixture.url).err(), Some(Error::Busy), "somebody has it open");
    fixture.store.close();

    let filling = alone(&fixture.url).unwrap();
    let hasty =
        Options { deadline: std::time::Duration::from_millis(20), ..Options::new(&fixture.url) };
    assert!(matches!(Store::open(hasty), Err(Error::Unavailable(_))));
    filling.write_blocking(|tx| insert(tx, "alone", 2)).unwrap();
    assert_eq!(filling.read_blocking(count), Ok(2));
    filling.close();

    let after = fixture.second().unwrap();
    assert_eq!(after.read_blocking(count), Ok(2));
    let mode = after.read_blocking(|tx| {
        tx.one("SELECT journal_mode FROM pragma_journal_mode", args![], |row| row.get::<String>(0))
    });
    assert_eq!(mode, Ok(Some("wal".to_owned())));
}

#[test]
fn what_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    assert!(matches!(alone(&format!("sqlite:{}", path.display())), Err(Error::Unavailable(_))));
    assert!(!path.exists());
}

#[test]
fn indexes_are_made_of_the_rows_or_were_never_gone() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let by_owner = |tx: &mut rollbook_sql::Tx<'_>| {
        let sql = "SELECT id FROM items WHERE owner = $1 ORDER BY id";
        tx.all(sql, args!["ann"], |row| row.get::<String>(0))
    };
    let fill = |fails: bool| {
        store.write_blocking(move |tx| {
            let indexes = tx.take_indexes(&["items"])?;
            tx.insert("items (id, owner, n)", args!["b", "ann", 1_i64, "a", "ann", 2_i64])?;
            // One of the two makes the index refuse the rows: it is unique.
            if fails {
                return Err(Error::Duplicate);
            }
            indexes.make(tx)
        })
    };
    assert_eq!(fill(true), Err(Error::Duplicate));
    assert_eq!(store.read_blocking(count), Ok(0));
    assert_eq!(fill(false), Ok(()));
    assert_eq!(store.read_blocking(by_owner), Ok(vec!["a".to_owned(), "b".to_owned()]));
    let again =
        store.write_blocking(|tx| tx.insert("items (id, owner, n)", args!["c", "ann", 3_i64]));
    assert_eq!(again, Ok(()));
    let twice =
        store.write_blocking(|tx| tx.insert("items (id, owner, n)", args!["c", "ann", 4_i64]));
    assert_eq!(twice, Err(Error::Duplicate));
}
