//! `PostgreSQL` connections that break.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rollbook_sql::{Engine, Error, args};

use crate::harness::{Fixture, count, gate, insert, skip};

const KILL: &str = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

/// A fixture with all connections in use, or `None` where there are none.
fn connected() -> Option<Fixture> {
    let fixture = Fixture::new();
    if fixture.store.engine() != Engine::Postgres {
        skip("SQLite has no connection to lose");
        return None;
    }
    std::thread::scope(|scope| {
        for n in 0..16_i64 {
            let store = &fixture.store;
            scope.spawn(move || store.write_blocking(move |tx| insert(tx, &format!("{n}"), n)));
        }
    });
    Some(fixture)
}

#[test]
fn idle_connections_that_were_cut_are_replaced() {
    let Some(fixture) = connected() else { return };
    for round in 0..3 {
        fixture.administer(KILL);
        std::thread::scope(|scope| {
            for n in 0..8_i64 {
                let store = &fixture.store;
                scope.spawn(move || {
                    let id = format!("round {round} {n}");
                    assert_eq!(store.write_blocking(move |tx| insert(tx, &id, n)), Ok(1));
                    assert!(store.read_blocking(count).is_ok());
                });
            }
        });
    }
    assert_eq!(fixture.store.read_blocking(count), Ok(16 + 24));
}

#[test]
fn a_job_cut_before_its_commit_runs_once_more() {
    let Some(fixture) = connected() else { return };
    let (door, hold) = gate();
    let runs = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&runs);
    let store = fixture.store.clone();
    let writer = std::thread::spawn(move || {
        store.write_blocking(move |tx| {
            insert(tx, "cut", 1)?;
            counter.fetch_add(1, Ordering::Relaxed);
            hold.wait();
            count(tx)
        })
    });
    door.entered();
    fixture.administer(KILL);
    door.open();
    assert_eq!(writer.join().unwrap(), Ok(17));
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}

#[test]
fn a_job_cut_twice_is_unavailable() {
    let Some(fixture) = connected() else { return };
    let suicide = "SELECT pg_terminate_backend(pg_backend_pid())";
    let answer = fixture.store.read_blocking(move |tx| tx.execute(suicide, args![]));
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    assert_eq!(fixture.store.read_blocking(count), Ok(16));
}

#[test]
fn a_connection_lost_during_the_commit_is_told_as_such() {
    let Some(fixture) = connected() else { return };
    let trigger = "
        CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER cut AFTER UPDATE ON items
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut();";
    fixture.administer(trigger);
    let runs = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&runs);
    let answer = fixture.store.write_blocking(move |tx| {
        counter.fetch_add(1, Ordering::Relaxed);
        tx.execute("UPDATE items SET n = 100 WHERE id = '1'", args![])
    });
    assert!(matches!(answer, Err(Error::OutcomeUnknown(_))), "{answer:?}");
    assert_eq!(runs.load(Ordering::Relaxed), 1, "never repeated");
    assert_eq!(fixture.store.write_blocking(|tx| insert(tx, "next", 1)), Ok(1));
}

#[test]
fn a_server_that_takes_no_writes_is_unavailable() {
    let Some(fixture) = connected() else { return };
    let read_only = format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        fixture.url.rsplit('/').next().unwrap()
    );
    fixture.administer(&read_only);
    fixture.administer(KILL);
    let answer = fixture.store.read_blocking(count);
    assert!(matches!(answer, Err(Error::Unavailable(_))), "a standby's past: {answer:?}");
}
