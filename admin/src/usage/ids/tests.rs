//! The set of ids beside a set in memory.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use sql::args;

use super::leave::write_chunks;
use super::*;
use crate::aside::Aside;
use crate::domain::id::Ids;
use crate::error::Error;
use crate::testing::{SeededRandom, TestClock, TestStore};
use crate::usage::batch;
use crate::usage::event::{Event, Series};
use crate::usage::kind::Kind;

const SMALL: Shape = Shape { chunk: 3, factor: 3, largest: 40 };
const ORGANIZATION: &str = "org-a";

/// A set in a store, with what two processes know of it.
struct Set {
    store: TestStore,
    known: [Arc<Known>; 2],
    ids: Ids,
}

impl Set {
    async fn new() -> Self {
        let clock = Arc::new(TestClock::at(1_750_000_000));
        let ids = Ids::new(clock, Arc::new(SeededRandom::new(1)));
        Self { store: TestStore::new(None).await, known: Default::default(), ids }
    }

    /// Adds those of these numbers that are not in the set, as a batch in the tail; answers which.
    async fn add(&self, process: usize, numbers: &[u16]) -> Vec<u16> {
        self.add_while(process, numbers, Meanwhile::Nothing).await
    }

    /// The same while something happens to the runs, between looking for the numbers and settling what is in doubt.
    async fn add_while(&self, process: usize, numbers: &[u16], what: Meanwhile) -> Vec<u16> {
        let mut numbers = numbers.to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        let hashes: Vec<Hash> = numbers.iter().map(|number| hash(&number.to_string())).collect();
        let known = Arc::clone(&self.known[process]);
        let store = &self.store.store;
        let read = store.read(move |tx| Sieve::read(tx, ORGANIZATION, &known, &Probed::default()));
        let sifted = read.await.expect("it is read").sift(&hashes);
        match what {
            Meanwhile::Nothing => {}
            Meanwhile::Leave => self.leave().await,
            Meanwhile::Merge => drop(self.merge(1 - process).await),
        }
        let settle = store.read(move |tx| {
            let mut sifted = sifted.clone();
            sifted.settle(tx, ORGANIZATION, &hashes)?;
            Ok::<_, Error>(sifted.end())
        });
        let (found, probed) = settle.await.expect("it is settled");
        let new: Vec<u16> = numbers
            .iter()
            .zip(&found)
            .filter(|(_, found)| !**found)
            .map(|(number, _)| *number)
            .collect();
        let (id, known) = (self.ids.make("usage_"), Arc::clone(&self.known[process]));
        let write = self.store.store.write(move |tx| {
            // What was in doubt in a run that was merged meanwhile is found now.
            let hashes: Vec<Hash> = new.iter().map(|number| hash(&number.to_string())).collect();
            let (late, _) = probe(tx, ORGANIZATION, &known, &hashes, &probed)?;
            assert!(what == Meanwhile::Merge || !late.contains(&true));
            let counted = new.iter().zip(&late).filter(|(_, late)| !**late);
            let counted: Vec<u16> = counted.map(|(number, _)| *number).collect();
            if counted.is_empty() {
                return Ok(counted);
            }
            let events: Vec<Event> = counted.iter().map(|number| event(*number)).collect();
            let sql = "INSERT INTO usage_batches (organization_id, id, received_at, first_time, last_time, events, body)
                VALUES ($1, $2, 0, 0, 0, 0, $3)";
            tx.execute(sql, args![ORGANIZATION, &id, &batch::pack(&events)?])?;
            let sql = "INSERT INTO usage_tail (organization_id, batch_id) VALUES ($1, $2)";
            tx.execute(sql, args![ORGANIZATION, &id])?;
            Ok::<_, Error>(counted)
        });
        write.await.expect("it is written")
    }

    /// Takes the whole tail out into one run.
    async fn leave(&self) {
        let read = self.store.store.read(|tx| {
            let sql = "SELECT b.id, b.body FROM usage_tail t
                JOIN usage_batches b ON b.organization_id = t.organization_id AND b.id = t.batch_id
                WHERE t.organization_id = $1";
            tx.all(sql, args![ORGANIZATION], |row| Ok((row.get(0)?, row.get(1)?)))
        });
        let tail: Vec<(String, Vec<u8>)> =
            read.await.map_err(|error: sql::Error| error).expect("it is read");
        if tail.is_empty() {
            return;
        }
        let unpacked =
            tail.iter().flat_map(|(_, body)| batch::unpack(body).expect("it was packed"));
        let run = Run::of(unpacked.map(|event| hash(&event.id)).collect(), 0).expect("it is made");
        let id = self.ids.make("idrun_");
        let write = self.store.store.write(move |tx| {
            for (batch, _) in &tail {
                let sql = "DELETE FROM usage_tail WHERE organization_id = $1 AND batch_id = $2";
                tx.execute(sql, args![ORGANIZATION, batch])?;
            }
            leave(tx, ORGANIZATION, &id, &run)
        });
        write.await.expect("it leaves");
    }

    async fn merge(&self, process: usize) -> bool {
        let (store, known, aside) = (&self.store.store, &self.known[process], Aside::default());
        let merged = maintain_in(SMALL, store, &aside, ORGANIZATION, known, &self.ids);
        merged.await.expect("it is merged")
    }

    async fn counts(&self) -> (usize, usize) {
        let read = self.store.store.read(|tx| {
            let mut ids = |sql| tx.all(sql, args![], |row| row.get::<String>(0));
            let runs = ids("SELECT id FROM usage_id_runs")?;
            let portions = ids("SELECT run_id FROM usage_id_chunks")?;
            Ok((runs.len(), portions.iter().filter(|id| !runs.contains(id)).count()))
        });
        read.await.map_err(|error: sql::Error| error).expect("it is read")
    }
}

fn event(number: u16) -> Event {
    let series = Series { kind: Kind::VectorStores, values: vec![None] };
    Event { id: number.to_string(), time: 0, series, measures: vec![1], costs: Vec::new() }
}

/// What happens while somebody adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    /// The tail is emptied.
    Leave,
    /// Another process merges.
    Merge,
}

/// What happens to the set.
#[derive(Debug, Clone)]
enum Step {
    /// A process adds these.
    Add(usize, Vec<u16>, Meanwhile),
    /// The tail is emptied.
    Leave,
    /// A process merges once.
    Merge(usize),
    /// A process starts anew.
    Restart(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let what =
        prop_oneof![Just(Meanwhile::Nothing), Just(Meanwhile::Leave), Just(Meanwhile::Merge)];
    let add = (0..2_usize, proptest::collection::vec(0..120_u16, 1..12), what);
    prop_oneof![
        4 => add.prop_map(|(process, numbers, what)| Step::Add(process, numbers, what)),
        2 => Just(Step::Leave),
        2 => (0..2_usize).prop_map(Step::Merge),
        1 => (0..2_usize).prop_map(Step::Restart),
    ]
}

async fn live(steps: &[Step]) {
    let mut set = Set::new().await;
    let mut model = HashSet::new();
    for step in steps {
        match step {
            Step::Add(process, numbers, what) => {
                let mut expected: Vec<_> =
                    numbers.iter().copied().filter(|number| model.insert(*number)).collect();
                expected.sort_unstable();
                let counted = set.add_while(*process, numbers, *what).await;
                assert_eq!(counted, expected, "{steps:?}");
            }
            Step::Leave => set.leave().await,
            Step::Merge(process) => drop(set.merge(*process).await),
            Step::Restart(process) => set.known[*process] = Arc::default(),
        }
    }
    while set.merge(0).await {}
    let (runs, strays) = set.counts().await;
    assert_eq!(strays, 0, "what was merged leaves nothing behind");
    assert!(runs <= 12, "{runs} runs are left");
    let all: Vec<u16> = (0..120).collect();
    let rest: Vec<_> = all.iter().copied().filter(|number| !model.contains(number)).collect();
    assert_eq!(set.add(1, &all).await, rest);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_set_is_a_set(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("it is built");
        runtime.block_on(live(&steps));
    }
}

/// Two who merge at once: one gives up, and nothing is lost or left behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_merge_one_gives_up() {
    let set = Set::new().await;
    for first in 0..27 {
        set.add(0, &[first * 2, first * 2 + 1]).await;
        set.leave().await;
    }
    loop {
        let (one, other) = tokio::join!(set.merge(0), set.merge(1));
        if !one && !other {
            break;
        }
    }
    assert_eq!(set.counts().await.1, 0);
    let all: Vec<u16> = (0..60).collect();
    assert_eq!(set.add(0, &all).await, [54, 55, 56, 57, 58, 59]);
}

/// What a process left behind that died while it merged is cleared away, but not what somebody may still be writing.
#[tokio::test]
async fn what_was_never_finished_is_cleared_away() {
    let set = Set::new().await;
    let (old, fresh) = (
        set.ids.make("idrun_"),
        Ids::new(Arc::new(TestClock::at(1_750_003_601)), Arc::new(SeededRandom::new(3))),
    );
    let write = set.store.store.write(move |tx| {
        let hashes: Vec<Hash> = (0..50).map(|number| [number; 16]).collect();
        write_chunks(tx, ORGANIZATION, &old, &hashes, 2)
    });
    write.await.expect("it is written");
    assert_eq!(set.counts().await, (0, 25));
    assert!(!set.merge(0).await);
    assert_eq!(set.counts().await, (0, 25), "an hour has not passed");
    let (store, known) = (&set.store.store, &set.known[0]);
    let aside = Aside::default();
    while maintain_in(SMALL, store, &aside, ORGANIZATION, known, &fresh)
        .await
        .expect("it is cleared")
    {}
    assert_eq!(set.counts().await, (0, 0));
}

/// Runs of which all is older than anything that is taken are forgotten, one at a time.
#[tokio::test]
async fn what_is_old_is_forgotten() {
    let set = Set::new().await;
    for last_time in [5, 20, 10] {
        let id = set.ids.make("idrun_");
        let write = set.store.store.write(move |tx| {
            let run = Run::of(vec![hash(&last_time.to_string())], last_time)?;
            leave(tx, ORGANIZATION, &id, &run)
        });
        write.await.expect("it is written");
    }
    let forget = async |before: i64| {
        let forgotten = set.store.store.write(move |tx| forget(tx, ORGANIZATION, before)).await;
        forgotten.expect("it is asked")
    };
    assert!(!forget(5).await);
    assert!(forget(11).await && forget(11).await && !forget(11).await);
    assert_eq!(set.add(0, &[5, 10, 20]).await, [5, 10]);
}
