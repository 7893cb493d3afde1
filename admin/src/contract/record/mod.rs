//! What is on record is what happened: whatever is asked for, each change is told by the events that appendix A of the contract
//! names, each once, and what fails or changes nothing is not told.

mod bodies;
mod life;
mod state;
mod told;

use std::collections::BTreeSet;
use std::fmt;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sql::args;

use self::bodies::Dice;
use self::life::{Life, Way};
pub use self::told::LINES;
use self::told::Told;

use crate::domain::clock::Random;
use crate::sealing::{Sealer, verify};
use crate::testing::document::{Operation, OperationName, operations};
use crate::testing::{Api, SeededRandom};

/// A request: which operation, what kind of body, and the dice for the rest.
#[derive(Clone)]
struct Step {
    operation: usize,
    way: Way,
    dice: Vec<u8>,
    seconds: u64,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One line, however it is asked for.
        write!(f, "{} {:?} {:?} {}", self.operation, self.way, self.dice, self.seconds)
    }
}

type Named = (&'static OperationName, &'static Operation);

/// Whatever can change something, and with it, last of all, whatever only reads.
fn writing() -> Vec<Named> {
    operations().filter(|(name, _)| name.0 != "GET").collect()
}

fn reading() -> Vec<Named> {
    operations().filter(|(name, _)| name.0 == "GET").collect()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let way = prop_oneof![
        8 => Just(Way::Right), 2 => Just(Way::Wrong), 3 => Just(Way::Same), 3 => Just(Way::Again),
    ];
    let (writing, reading) = (writing().len(), reading().len());
    // One step in ten reads, and one in twenty lets somebody in.
    let operation = prop_oneof![
        17 => 0..writing, 2 => writing..writing + reading, 1 => Just(writing + reading),
    ];
    let dice = prop::collection::vec(any::<u8>(), 24);
    let step = (operation, way, dice, 0_u64..3).prop_map(|(operation, way, dice, seconds)| Step {
        operation,
        way,
        dice,
        seconds,
    });
    prop::collection::vec(step, 1..=80)
}

#[test]
fn whatever_happens_the_record_says_it_once() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let all: Vec<_> = writing().into_iter().chain(reading()).collect();
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        runtime.block_on(async {
            let api = Api::new().await.unwatched();
            let mut life = Life::of(&api).await;
            for (number, step) in steps.iter().enumerate() {
                api.clock.advance(step.seconds);
                let mut dice = Dice(step.dice.iter());
                match all.get(step.operation) {
                    Some(named) => _ = life.ask(*named, step.way, &mut dice).await,
                    None => life.admit(number).await,
                }
            }
            life.assert_listed().await;
            seal(&api).await;
            assert_intact(&api).await;
        });
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Every operation that can change something does so here, and is told as its line says; the same request again is told only if it
/// changes something again.
#[tokio::test]
async fn each_operation_is_told_as_its_line_says() {
    for (name, operation) in writing() {
        let api = Api::new().await.unwatched();
        let mut life = Life::of(&api).await;
        // Some of so many throws of the dice ask for a change.
        let random = SeededRandom::new(7);
        for _ in 0..200 {
            let mut dice = [0; 24];
            random.fill(&mut dice);
            api.clock.advance(1);
            life.ask((name, operation), Way::Right, &mut Dice(dice.iter())).await;
            if life.changes.contains_key(name) {
                break;
            }
        }
        assert!(life.changes.contains_key(name), "{name:?} changed nothing");
        life.ask((name, operation), Way::Again, &mut Dice([].iter())).await;
    }
}

/// Each operation that writes has a line, and no line is of an operation that is not there.
#[test]
fn every_operation_has_its_line() {
    let lines = LINES.iter().map(|(_, method, template, _)| (*method, *template));
    let lines: BTreeSet<_> = lines.collect();
    assert_eq!(lines.len(), LINES.len(), "no operation has two lines");
    let names = writing().into_iter().map(|(name, _)| (name.0.as_str(), name.1.as_str()));
    assert_eq!(lines, names.collect::<BTreeSet<_>>());
}

/// Appendix A, 26† and 28†: who is in a group is the one change that the record has no type of event for. What was used is no change.
#[test]
fn nothing_but_who_is_in_a_group_changes_untold() {
    let untold = LINES.iter().filter(|(_, _, _, told)| matches!(told, Told::Nothing));
    let untold: Vec<_> = untold.map(|(line, _, _, _)| *line).collect();
    assert_eq!(untold, ["26†", "28†", "ours"]);
}

/// Seals until nothing waits.
async fn seal(api: &Api) {
    let mut sealer = Sealer::default();
    loop {
        let passed = sealer.pass(&api.app.store, 1_750_000_000_000, true).await;
        if passed.expect("a pass can be made").sealed == 0 {
            return;
        }
    }
}

/// Everything that is on record is sealed, and what is sealed is intact.
async fn assert_intact(api: &Api) {
    let count = |sql: &'static str| async move {
        let read = move |tx: &mut sql::Tx<'_>| tx.one(sql, args![], |row| row.get::<i64>(0));
        let read = api.app.store.read::<_, sql::Error>(read).await;
        read.expect("the store can be read").expect("a count is one row")
    };
    let events = count("SELECT COUNT(*) FROM audit_events").await;
    assert_eq!(count("SELECT COUNT(*) FROM audit_tail").await, 0, "nothing waits");
    let sealed = count("SELECT CAST(SUM(events) AS BIGINT) FROM audit_seals").await;
    assert_eq!(sealed, events, "each event is in one seal");
    let store = &api.app.store;
    for organization in verify::organizations(store).await.expect("the store can be read") {
        let report = verify::verify(store, &organization, None, &mut |_| ()).await;
        let report = report.expect("the record can be read");
        assert_eq!((report.findings, report.waiting), (vec![], 0), "{organization}");
    }
}
