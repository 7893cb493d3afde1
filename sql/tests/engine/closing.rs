//! The end of a store.

use rollbook_sql::Error;

use crate::harness::{Fixture, SCHEMA, block_on, count, enqueue, gate, insert};

#[test]
fn closing_finishes_what_waits_and_refuses_the_rest() {
    let fixture = Fixture::with(|options| options.connections = 1);
    let (door, hold) = gate();
    let store = fixture.store.clone();
    let running = enqueue(async move {
        let job = store.write(move |_| {
            hold.wait();
            Ok(())
        });
        job.await
    });
    door.entered();
    let store = fixture.store.clone();
    let waiting = enqueue(async move { store.write(|tx| insert(tx, "a", 1)).await });
    std::thread::scope(|scope| {
        scope.spawn(|| fixture.store.close());
        scope.spawn(|| fixture.store.close());
        door.open();
    });
    fixture.store.close();
    assert_eq!(block_on(running), Ok(()));
    // It waited in the queue before the store was closed.
    assert_eq!(block_on(waiting), Ok(1));
    assert_eq!(fixture.store.read_blocking(count), Err(Error::Closed));
    assert_eq!(fixture.store.write_blocking(count), Err(Error::Closed));
    assert_eq!(fixture.store.migrate(SCHEMA), Err(Error::Closed));
    assert_eq!(block_on(fixture.store.pending(SCHEMA)), Err(Error::Closed));
    assert_eq!(block_on(fixture.store.clone().read(count)), Err(Error::Closed));
    if let Some(store) = fixture.second() {
        assert_eq!(store.read_blocking(count), Ok(1));
    }
}

#[test]
fn closing_leaves_one_complete_file() {
    let fixture = Fixture::new();
    fixture.store.write_blocking(|tx| insert(tx, "a", 1)).unwrap();
    fixture.store.close();
    let Some(path) = fixture.path() else { return };
    let folder = std::path::Path::new(path).parent().unwrap();
    let files: Vec<_> = folder.read_dir().unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(files, ["store.db"], "the log is merged and gone");
}

#[test]
fn dropping_the_last_handle_finishes_what_waits() {
    let fixture = Fixture::new();
    let Some(store) = fixture.second() else { return };
    let (door, hold) = gate();
    let clone = store.clone();
    let running = enqueue(async move {
        let job = clone.write(move |tx| {
            hold.wait();
            insert(tx, "a", 1)
        });
        drop(clone.clone());
        job.await
    });
    door.entered();
    drop(store);
    door.open();
    assert_eq!(block_on(running), Ok(1));
    assert_eq!(fixture.store.read_blocking(count), Ok(1));
}
