//! Time and room: deadlines, locks held by others, full queues.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rollbook_sql::{Error, args};

use crate::harness::{Fixture, block_on, count, endless, enqueue, gate, insert, is_ready, skip};

#[test]
fn a_job_whose_time_passed_in_the_queue_does_not_run() {
    let fixture = Fixture::empty(|options| options.deadline = Duration::ZERO);
    let ran = Arc::new(AtomicBool::new(false));
    let (in_read, in_write) = (Arc::clone(&ran), Arc::clone(&ran));
    let read = fixture.store.read_blocking(move |_| {
        in_read.store(true, Ordering::Relaxed);
        Ok(())
    });
    let write = fixture.store.write_blocking(move |_| {
        in_write.store(true, Ordering::Relaxed);
        Ok(())
    });
    assert_eq!((read, write), (Err(Error::Deadline), Err(Error::Deadline)));
    assert!(!ran.load(Ordering::Relaxed));
}

#[test]
fn a_statement_that_takes_too_long_is_stopped() {
    let fixture = Fixture::with(|options| options.deadline = Duration::from_millis(500));
    let started = Instant::now();
    assert_eq!(fixture.store.read_blocking(endless), Err(Error::Deadline));
    let write = fixture.store.write_blocking(|tx| {
        insert(tx, "a", 1)?;
        endless(tx)
    });
    assert_eq!(write, Err(Error::Deadline));
    let most = if fixture.is_file() { "1000000000000" } else { "2000000000" };
    let filling = format!(
        "INSERT INTO samples (id) WITH RECURSIVE c (n) AS \
         (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {most}) SELECT n FROM c"
    );
    let write = fixture.store.write_blocking(move |tx| tx.execute(&filling, args![]));
    assert_eq!(write, Err(Error::Deadline));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(fixture.store.read_blocking(count), Ok(0));
    assert_eq!(fixture.store.write_blocking(|tx| insert(tx, "b", 1)), Ok(1));
}

#[test]
fn a_closure_that_comes_back_late_is_stopped() {
    let fixture = Fixture::with(|options| options.deadline = Duration::from_millis(300));
    let answer = fixture.store.write_blocking(|tx| {
        insert(tx, "a", 1)?;
        let entered = Instant::now();
        while entered.elapsed() < Duration::from_millis(300) {
            std::hint::spin_loop();
        }
        insert(tx, "b", 1)
    });
    assert_eq!(answer, Err(Error::Deadline));
    assert_eq!(fixture.store.read_blocking(count), Ok(0));
}

#[test]
fn a_lock_held_elsewhere_makes_a_write_busy() {
    let fixture = Fixture::with(|options| options.deadline = Duration::from_millis(500));
    let write = || fixture.store.write_blocking(|tx| insert(tx, "a", 1));
    if let Some(path) = fixture.path() {
        let other = rusqlite::Connection::open(path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(write(), Err(Error::Busy));
        assert_eq!(fixture.store.read_blocking(count), Ok(0), "reads go on");
        other.execute_batch("ROLLBACK").unwrap();
    } else if fixture.is_memory() {
        return skip("nobody else can lock a store in memory");
    } else {
        let mut other = postgres::Client::connect(&fixture.url, postgres::NoTls).unwrap();
        other.batch_execute("BEGIN; LOCK TABLE items IN SHARE MODE").unwrap();
        assert_eq!(write(), Err(Error::Busy));
        assert_eq!(fixture.store.read_blocking(count), Ok(0), "reads go on");
        other.batch_execute("ROLLBACK").unwrap();
    }
    assert_eq!(write(), Ok(1));
}

#[test]
fn a_full_queue_answers_at_once() {
    let fixture = Fixture::with(|options| {
        options.queue = 1;
        options.connections = 1;
    });
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
    let mut waiting = enqueue(async move { store.write(|tx| insert(tx, "a", 1)).await });
    let answer = fixture.store.write_blocking(|tx| insert(tx, "b", 1));
    assert_eq!(answer, Err(Error::Busy));
    assert!(!is_ready(&mut waiting));
    door.open();
    assert_eq!(block_on(running), Ok(()));
    assert_eq!(block_on(waiting), Ok(1));
    assert_eq!(fixture.store.read_blocking(count), Ok(1));
}
