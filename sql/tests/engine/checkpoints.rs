//! The write-ahead log of a file is brought into it while others write, and begins anew before it is large.

use std::fs::metadata;

use rollbook_sql::{Engine, args};

use crate::harness::{Fixture, skip};

/// What is written in all, and at once.
const WRITES: i64 = 160;
const BYTES: usize = 400_000;
/// The log begins anew at 32 MiB; a transaction and what the thread has not done yet come on top.
const MOST: u64 = 40 << 20;

#[test]
fn the_log_begins_anew_while_somebody_writes_all_the_time() {
    let fixture = Fixture::new();
    let path = fixture.url.strip_prefix("sqlite:").unwrap_or(":memory:").to_owned();
    if fixture.store.engine() != Engine::Sqlite || path == ":memory:" {
        return skip("only a file has a log");
    }
    let (log, mut largest) = (format!("{path}-wal"), 0);
    for number in 0..WRITES {
        let bytes = vec![u8::try_from(number).unwrap(); BYTES];
        let insert = move |tx: &mut rollbook_sql::Tx<'_>| {
            tx.execute("INSERT INTO samples (id, y) VALUES ($1, $2)", args![number, &bytes])
        };
        fixture.store.write_blocking::<_, rollbook_sql::Error>(insert).unwrap();
        largest = largest.max(metadata(&log).unwrap().len());
    }
    assert!(largest < MOST, "the log grew to {largest} bytes");
    assert!(metadata(&path).unwrap().len() > 32 << 20, "most of it is in the file");
    let read = |tx: &mut rollbook_sql::Tx<'_>| {
        tx.all("SELECT y FROM samples ORDER BY id", args![], |row| row.get::<Vec<u8>>(0))
    };
    let found = fixture.store.read_blocking::<_, rollbook_sql::Error>(read).unwrap();
    assert_eq!(found.len(), usize::try_from(WRITES).unwrap());
    let is_whole = |(number, bytes): (usize, &Vec<u8>)| {
        bytes.len() == BYTES && bytes.iter().all(|byte| usize::from(*byte) == number)
    };
    assert!(found.iter().enumerate().all(is_whole));
    fixture.store.close();
    assert_eq!(metadata(&log).map_or(0, |log| log.len()), 0, "nothing is left in the log");
}
