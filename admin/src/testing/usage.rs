//! Usage in a store, without the operation that takes it in.

use std::collections::HashSet;
use std::sync::Arc;

use sql::{Tx, args};

use crate::app::App;
use crate::usage::batch;
use crate::usage::event::{Amount, Cost, Event, Series};
use crate::usage::ids::{self, Probed};
use crate::usage::kind::{Dimension, Kind};

/// An event of a kind, with these values and measures. Its id is the number of the event among all that a test makes.
pub fn event(kind: Kind, time: i64, values: &[(Dimension, &str)], measures: &[u64]) -> Event {
    let value = |dimension: &Dimension| {
        let found = values.iter().find(|(given, _)| given == dimension);
        found.map(|(_, value)| (*value).to_owned())
    };
    let values = kind.dimensions().iter().map(value).collect();
    let mut all = measures.to_vec();
    all.resize(kind.measures().len(), 0);
    let series = Series { kind, values };
    Event { id: String::new(), time, series, measures: all, costs: Vec::new() }
}

/// The same event with a cost.
pub fn costing(
    mut event: Event,
    line_item: &str,
    quantity: u64,
    unit: Option<&str>,
    amount: Amount,
) -> Event {
    let (line_item, unit) = (line_item.to_owned(), unit.map(str::to_owned));
    event.costs.push(Cost { line_item, quantity, unit, amount });
    event
}

/// Puts events into the tail of an organization, as one batch. Those without an id get one.
pub async fn report(app: &App, organization: &str, mut events: Vec<Event>) {
    let (organization, id, now) =
        (organization.to_owned(), app.ids.make("usage_"), app.clock.now());
    for (place, event) in events.iter_mut().enumerate().filter(|(_, event)| event.id.is_empty()) {
        event.id = format!("{id} {place}");
    }
    let times = || events.iter().map(|event| event.time);
    let (first, last) = (times().min().unwrap_or(now), times().max().unwrap_or(now));
    let count = i64::try_from(events.len()).expect("a batch is small");
    let body = batch::pack(&events).expect("events can be packed");
    let write = move |tx: &mut Tx<'_>| {
        tx.execute(
            "INSERT INTO usage_batches (organization_id, id, received_at, first_time, last_time, events, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![&organization, &id, now, first, last, count, &body],
        )?;
        tx.execute(
            "INSERT INTO usage_tail (organization_id, batch_id) VALUES ($1, $2)",
            args![&organization, &id],
        )
        .map(drop)
    };
    app.store.write::<_, sql::Error>(write).await.expect("a batch can be written");
}

/// Those of these events whose ids were not counted yet, each once: what the operation that takes events in asks before it writes.
pub async fn new_ones(app: &App, organization: &str, mut events: Vec<Event>) -> Vec<Event> {
    let mut seen = HashSet::new();
    events.retain(|event| seen.insert(event.id.clone()));
    let hashes: Vec<_> = events.iter().map(|event| ids::hash(&event.id)).collect();
    let (organization, known) = (organization.to_owned(), Arc::clone(&app.usage_ids));
    let read = app
        .store
        .read(move |tx| ids::probe(tx, &organization, &known, &hashes, &Probed::default()));
    let (counted, _) = read.await.expect("it can be asked which ids were counted");
    events
        .into_iter()
        .zip(counted)
        .filter(|(_, counted)| !counted)
        .map(|(event, _)| event)
        .collect()
}

/// Numbers that look random, and are the same each time.
pub struct Dice(u64);

impl Dice {
    /// Dice that begin here.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below this one.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    /// One of these.
    pub fn of<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        let place = self.below(things.len() as u64);
        &things[usize::try_from(place).expect("a place is small")]
    }

    /// Whether one case of so many has come.
    pub fn one_in(&mut self, cases: u64) -> bool {
        self.below(cases) == 0
    }
}
