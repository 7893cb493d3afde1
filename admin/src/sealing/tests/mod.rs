mod tampering;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sql::{Tx, args};
use tokio_util::sync::CancellationToken;

use super::{BATCH, Passed, Seal, Sealer, Unsealed, batch, hash, head, run, write};
use crate::testing::{Api, TestClock};

/// Before any event was made, so that none of them is old.
const NOW: u64 = 1_600_000_000_000;

/// What is sealed, in sequence: the end of each id, with its hash. The chain is checked on the way.
async fn sealed(api: &Api) -> Vec<(String, Vec<u8>)> {
    let organization = api.first.organization.id.clone();
    let read = move |tx: &mut Tx<'_>| {
        let sql = "SELECT number, first_sequence, events, sealed_at, records, hash FROM audit_seals
                   WHERE organization_id = $1 ORDER BY number";
        let seals = tx.all(sql, args![&organization], |row| {
            let numbers = (row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?);
            Ok((numbers, row.get::<i64>(3)?, row.get::<Vec<u8>>(4)?, row.get::<Vec<u8>>(5)?))
        })?;
        let (mut before, mut events) = (vec![0; 32], Vec::new());
        for (place, ((number, first_sequence, count, sealed_at), records, hashed)) in
            (1..).zip(seals.into_iter().map(|(a, b, c, d)| ((a.0, a.1, a.2, b), c, d)))
        {
            let next = i64::try_from(events.len()).expect("few") + 1;
            assert_eq!((number, first_sequence), (place, next), "nothing is left out");
            let seal = Seal {
                organization_id: &organization,
                number,
                first_sequence,
                events: count,
                sealed_at,
                before: &before,
                records: &records,
            };
            assert_eq!(hashed, hash(&seal), "seal {number}");
            assert_eq!(records.len(), usize::try_from(count).expect("few") * 56);
            for entry in records.chunks(56) {
                let id = String::from_utf8(entry[..24].to_vec()).expect("ids are text");
                events.push((format!("audit_log-{id}"), entry[24..].to_vec()));
            }
            before = hashed;
        }
        Ok::<_, sql::Error>(events)
    };
    api.app.store.read(read).await.expect("seals can be read")
}

/// What waits, with its hash.
async fn tail(api: &Api) -> Vec<(String, Vec<u8>)> {
    let organization = api.first.organization.id.clone();
    let read = move |tx: &mut Tx<'_>| {
        let sql = "SELECT id, hash FROM audit_tail WHERE organization_id = $1 ORDER BY id";
        tx.all(sql, args![&organization], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    api.app.store.read::<_, sql::Error>(read).await.expect("the tail can be read")
}

/// Every event is in one seal or in the tail, and in one only.
async fn assert_whole(api: &Api) {
    let mut counts = BTreeMap::new();
    for (id, _) in sealed(api).await.into_iter().chain(tail(api).await) {
        *counts.entry(id).or_insert(0) += 1;
    }
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    let organization = api.first.organization.id.clone();
    let read = move |tx: &mut Tx<'_>| {
        let sql = "SELECT id FROM audit_events WHERE organization_id = $1 ORDER BY id";
        tx.all(sql, args![&organization], |row| row.get::<String>(0))
    };
    let events = api.app.store.read::<_, sql::Error>(read).await.expect("events can be read");
    assert_eq!(events, counts.into_keys().collect::<Vec<_>>());
}

async fn pass(api: &Api, sealer: &mut Sealer) -> Passed {
    sealer.pass(&api.app.store, NOW, false).await.expect("a pass can be made")
}

#[tokio::test]
async fn what_has_waited_for_a_pass_is_sealed_once_with_its_hash() {
    let api = Api::new().await;
    let waited = tail(&api).await;
    let mut sealer = Sealer::default();
    assert_eq!(pass(&api, &mut sealer).await, Passed::default(), "it has only been seen");
    api.create_project("Engine").await;
    assert_eq!(pass(&api, &mut sealer).await.sealed, 4, "what was seen before, no more");
    assert_eq!(sealed(&api).await, waited);
    assert_eq!(pass(&api, &mut sealer).await.sealed, 1);
    assert_eq!(pass(&api, &mut sealer).await, Passed::default(), "nothing waits");
    assert_eq!((sealed(&api).await.len(), tail(&api).await.len()), (5, 0));
    assert_whole(&api).await;
    let before = api.app.store.stamp();
    assert_eq!(pass(&api, &mut sealer).await, Passed::default());
    assert_eq!(api.app.store.stamp(), before, "a quiet store is left alone");
    api.create_project("Second").await;
    let last = sealer.pass(&api.app.store, NOW, true).await;
    assert_eq!(last.expect("a pass can be made").sealed, 1, "the last pass waits for nobody");
}

/// Whoever stops between reading a batch and writing it leaves everything as it was, and whoever writes an old batch is refused.
#[tokio::test]
async fn a_batch_that_was_sealed_by_somebody_else_is_not_sealed_again() {
    let api = Api::new().await;
    let organization = api.first.organization.id.clone();
    let read = move |tx: &mut Tx<'_>| batch(tx, &organization, "~", 7);
    let old = api.app.store.read(read).await.expect("it can be read").expect("events wait");
    assert_whole(&api).await;
    let mut other = Sealer::default();
    other.pass(&api.app.store, NOW, true).await.expect("a pass can be made");
    for is_one_by_one in [false, true] {
        let done = write(&api.app.store, old.clone(), is_one_by_one).await;
        assert!(matches!(done, Err(Unsealed::Lost)), "{done:?}");
    }
    assert_eq!(sealed(&api).await.len(), 4);
    assert_whole(&api).await;
}

/// A slow transaction may bring an event whose id lies among those of a batch that was read already.
#[tokio::test]
async fn an_event_that_comes_late_gets_a_later_sequence() {
    let api = Api::new().await;
    let late = tail(&api).await.remove(1);
    let (organization, id) = (api.first.organization.id.clone(), late.0.clone());
    let hide = move |tx: &mut Tx<'_>| {
        let sql = "DELETE FROM audit_tail WHERE organization_id = $1 AND id = $2";
        tx.execute(sql, args![&organization, &id])
    };
    api.app.store.write::<_, sql::Error>(hide).await.expect("the tail can be changed");
    let organization = api.first.organization.id.clone();
    let read = move |tx: &mut Tx<'_>| batch(tx, &organization, "~", 7);
    let old = api.app.store.read(read).await.expect("it can be read").expect("events wait");
    let (organization, (id, hashed)) = (api.first.organization.id.clone(), late.clone());
    let show = move |tx: &mut Tx<'_>| {
        let sql = "INSERT INTO audit_tail (organization_id, id, hash) VALUES ($1, $2, $3)";
        tx.execute(sql, args![&organization, &id, &hashed])
    };
    api.app.store.write::<_, sql::Error>(show).await.expect("the tail can be changed");
    let raced = write(&api.app.store, old.clone(), false).await;
    assert!(matches!(raced, Err(Unsealed::Raced)), "{raced:?}");
    assert_eq!((sealed(&api).await.len(), tail(&api).await.len()), (0, 4), "all undone");
    write(&api.app.store, old, true).await.expect("one by one it can be sealed");
    assert_eq!(tail(&api).await, std::slice::from_ref(&late));
    let mut sealer = Sealer::default();
    sealer.pass(&api.app.store, NOW, true).await.expect("a pass can be made");
    assert_eq!(sealed(&api).await.last(), Some(&late));
    assert_whole(&api).await;
}

#[tokio::test]
async fn a_full_batch_says_that_more_waits() {
    let api = Api::new().await.unwatched();
    let organization = api.first.organization.id.clone();
    let fill = move |tx: &mut Tx<'_>| {
        for number in 0..=BATCH {
            let id = format!("audit_log-{number:024}");
            let sql = "INSERT INTO audit_tail (organization_id, id, hash) VALUES ($1, $2, $3)";
            tx.execute(sql, args![&organization, &id, &[7_u8; 32]])?;
        }
        Ok::<_, sql::Error>(())
    };
    api.app.store.write(fill).await.expect("the tail can be changed");
    let mut sealer = Sealer::default();
    pass(&api, &mut sealer).await;
    assert_eq!(pass(&api, &mut sealer).await, Passed { sealed: BATCH, is_behind: true });
    assert_eq!(pass(&api, &mut sealer).await, Passed { sealed: 5, is_behind: false });
    let organization = api.first.organization.id.clone();
    let read = move |tx: &mut Tx<'_>| head(tx, &organization);
    let head = api.app.store.read(read).await.expect("it can be read");
    assert_eq!((head.number, head.next), (2, i64::try_from(BATCH).expect("few") + 6));
    assert_eq!(sealed(&api).await.len(), BATCH + 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_several_write_and_several_seal_no_event_is_lost_or_sealed_twice() {
    let api = Arc::new(Api::new().await.unwatched());
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let api = Arc::clone(&api);
            tokio::spawn(async move {
                for number in 0..30 {
                    api.create_project(&format!("{writer} {number}")).await;
                }
            })
        })
        .collect();
    let sealers: Vec<_> = (0..3)
        .map(|_| {
            let api = Arc::clone(&api);
            tokio::spawn(async move {
                let mut sealer = Sealer::default();
                for _ in 0..40 {
                    pass(&api, &mut sealer).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for task in writers.into_iter().chain(sealers) {
        task.await.expect("nobody fails");
    }
    assert_whole(&api).await;
    let mut last = Sealer::default();
    while !tail(&api).await.is_empty() {
        last.pass(&api.app.store, NOW, true).await.expect("a pass can be made");
    }
    assert_eq!(sealed(&api).await.len(), 4 + 90);
    assert_whole(&api).await;
}

/// The task of a serving process, with so much time between passes, stopped when this was done beside it.
async fn served(api: &Api, every: Duration, beside: impl Future<Output = ()>) {
    let stop = CancellationToken::new();
    let clock = Arc::new(TestClock::at(NOW / 1000));
    let task = tokio::spawn(run::run(api.app.store.clone(), clock, every, stop.clone()));
    beside.await;
    stop.cancel();
    task.await.expect("it ends by itself");
}

#[tokio::test]
async fn whoever_stops_seals_what_is_left_first() {
    let api = Api::new().await;
    served(&api, Duration::ZERO, async { drop(api.create_project("Engine").await) }).await;
    assert_eq!((sealed(&api).await.len(), tail(&api).await.len()), (0, 5), "never, if so told");
    let hour = Duration::from_hours(1);
    served(&api, hour, async { drop(api.create_project("Second").await) }).await;
    assert_eq!((sealed(&api).await.len(), tail(&api).await.len()), (6, 0));
}

#[tokio::test]
async fn a_store_that_fails_does_not_end_what_seals() {
    let api = Api::new().await.unwatched();
    let store = api.app.store.clone();
    tokio::task::spawn_blocking(move || store.close()).await.expect("it can be closed");
    let mut sealer = Sealer::default();
    assert!(sealer.pass(&api.app.store, NOW, false).await.is_err(), "nothing can be read");
    let passes = async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    };
    served(&api, Duration::from_nanos(1), passes).await;
}
