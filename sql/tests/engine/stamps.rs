//! Stamps: equal ones mean that nothing was acknowledged in between.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::scope;

use rollbook_sql::{Error, Result, Stamp, Store, Tx, args};

use crate::harness::{Fixture, count, insert, number, skip};

/// Writes that each of the writers makes.
const WRITES: i64 = 400;

fn stamp_of_a_read(store: &Store) -> Option<Stamp> {
    store.read_blocking(|tx| Ok::<_, Error>(tx.stamp())).unwrap()
}

#[test]
fn a_stamp_holds_until_somebody_writes() {
    let fixture = Fixture::new();
    if fixture.is_postgres() {
        return skip("PostgreSQL has no stamps");
    }
    let other = fixture.second().unwrap_or_else(|| fixture.store.clone());
    for n in 0..20 {
        let before = fixture.store.stamp();
        assert!(before.is_some());
        assert_eq!(fixture.store.stamp(), before);
        assert_eq!(stamp_of_a_read(&fixture.store), before);
        let writer = if n % 2 == 0 { &fixture.store } else { &other };
        writer.write_blocking(move |tx| insert(tx, &format!("i{n}"), n)).unwrap();
        assert_ne!(fixture.store.stamp(), before);
        assert_ne!(stamp_of_a_read(&fixture.store), before);
    }
}

#[test]
fn a_store_has_stamps_also_after_a_refused_write() {
    let fixture = Fixture::new();
    let refused = fixture.store.write_blocking(|tx| {
        insert(tx, "a", 1)?;
        Err::<(), _>(Error::Duplicate)
    });
    assert_eq!(refused, Err(Error::Duplicate));
    assert_eq!(fixture.store.read_blocking(count), Ok(0));
    assert_eq!(fixture.store.stamp().is_some(), !fixture.is_postgres());
}

#[test]
fn a_write_has_no_stamp() {
    let fixture = Fixture::new();
    assert_eq!(fixture.store.write_blocking(|tx| Ok::<_, Error>(tx.stamp())), Ok(None));
}

#[test]
fn a_closed_store_has_no_stamp_that_anything_could_be_kept_under() {
    let fixture = Fixture::new();
    fixture.store.close();
    assert_eq!(fixture.store.read_blocking(|tx| Ok(tx.stamp())), Err(Error::Closed));
}

/// What readers share: the latest number, with the stamp under which it was read.
type Shared = Mutex<Option<(Stamp, i64)>>;

fn latest(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one("SELECT n FROM items WHERE id = $1", args!["latest"], number)?.unwrap_or(0))
}

/// The number as a server answers it: what is kept if its stamp still holds, otherwise what is read, which is then kept.
fn answer(store: &Store, shared: &Shared) -> i64 {
    let lock = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = *lock();
    if let (Some(now), Some((stamp, number))) = (store.stamp(), kept)
        && now == stamp
    {
        return number;
    }
    let (stamp, number) =
        store.read_blocking(|tx| Ok::<_, Error>((tx.stamp(), latest(tx)?))).unwrap();
    if let Some(stamp) = stamp {
        *lock() = Some((stamp, number));
    }
    number
}

#[test]
fn nothing_kept_is_older_than_the_last_acknowledged_write() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    store.write_blocking(|tx| insert(tx, "latest", 0)).unwrap();
    let other = fixture.second().unwrap_or_else(|| store.clone());
    let (acknowledged, shared) = (AtomicI64::new(0), Shared::default());
    let writing = |store: &Store| {
        for _ in 0..WRITES {
            let now = store.write_blocking(|tx| {
                let text = "UPDATE items SET n = n + 1 WHERE id = $1";
                tx.execute(text, args!["latest"])?;
                latest(tx)
            });
            acknowledged.fetch_max(now.unwrap(), Ordering::SeqCst);
        }
    };
    scope(|scope| {
        let writers = [scope.spawn(|| writing(store)), scope.spawn(|| writing(&other))];
        for _ in 0..3 {
            scope.spawn(|| {
                while acknowledged.load(Ordering::SeqCst) < 2 * WRITES {
                    let least = acknowledged.load(Ordering::SeqCst);
                    let answered = answer(store, &shared);
                    assert!(answered >= least, "{answered} is older than {least}");
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
    });
    assert_eq!(answer(store, &shared), 2 * WRITES);
    other.close();
}
