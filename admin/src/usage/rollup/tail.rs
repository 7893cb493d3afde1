//! Batches that are in no segment yet, counted by the minute.

use std::collections::HashMap;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sql::{Tx, args};

use super::table::Table;
use super::width::Width;
use crate::error::{Error, Result};
use crate::usage::batch;
use crate::usage::event::{Amount, Event, Series};
use crate::usage::kind::Kind;

/// How many bytes of batches are kept, and how many batches that is about.
const BYTES: u64 = 64 << 20;
const BATCHES: usize = 1024;
/// So many batches are read at once.
const PORTION: i64 = 32;

/// What the events of some batches come to, by kind.
#[derive(Debug, Default)]
pub struct Counted {
    parts: Vec<Part>,
}

/// What the events of one kind come to.
#[derive(Debug)]
pub struct Part {
    /// The kind.
    pub kind: Kind,
    /// The series; the table knows them by their places.
    pub series: Vec<Series>,
    /// The sums, by the narrowest bucket of the kind.
    pub table: Table,
}

/// A part that is being filled.
struct Filling {
    places: HashMap<Series, u32>,
    table: Table,
}

impl Counted {
    /// Counts events.
    #[must_use]
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut parts: HashMap<Kind, Filling> = HashMap::new();
        for event in events {
            let sums = event.measures.iter().map(|measure| Amount::from(*measure));
            count(&mut parts, event.series.clone(), event.time, sums);
            for cost in &event.costs {
                count(
                    &mut parts,
                    event.series_of(cost),
                    event.time,
                    [cost.quantity.into(), cost.amount],
                );
            }
        }
        let mut parts: Vec<_> =
            parts.into_iter().map(|(kind, filling)| filling.part(kind)).collect();
        parts.sort_unstable_by_key(|part| part.kind);
        Self { parts }
    }

    /// The parts.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// About how many bytes it takes in memory.
    fn weight(&self) -> u64 {
        let weigh = |part: &Part| {
            part.table.keys().len() * (16 + part.table.measures() * size_of::<Amount>())
                + part.series.len() * 256
        };
        self.parts.iter().map(weigh).sum::<usize>() as u64 + 256
    }
}

fn count(
    parts: &mut HashMap<Kind, Filling>,
    series: Series,
    time: i64,
    sums: impl IntoIterator<Item = Amount>,
) {
    let kind = series.kind;
    let new = || Filling { places: HashMap::new(), table: Table::new(kind.measures().len()) };
    let part = parts.entry(kind).or_insert_with(new);
    let next = u32::try_from(part.places.len()).unwrap_or(u32::MAX);
    let place = *part.places.entry(series).or_insert(next);
    part.table.push((Width::of(kind)[0].floor(time), place), sums);
}

impl Filling {
    fn part(self, kind: Kind) -> Part {
        let mut series: Vec<_> = self.places.into_iter().collect();
        series.sort_unstable_by_key(|(_, place)| *place);
        Part {
            kind,
            series: series.into_iter().map(|(series, _)| series).collect(),
            table: self.table.summed(),
        }
    }
}

/// Counted batches by organization and id. A batch never changes, so what is kept of it stays right.
pub struct Tails(Cache<Batch, Arc<Counted>, Weight>);

/// The ids of an organization and of a batch.
type Batch = (Arc<str>, String);

#[derive(Clone)]
struct Weight;

impl Weighter<Batch, Arc<Counted>> for Weight {
    fn weight(&self, _: &Batch, counted: &Arc<Counted>) -> u64 {
        counted.weight()
    }
}

impl Default for Tails {
    fn default() -> Self {
        Self(Cache::with_weighter(BATCHES, BYTES, Weight))
    }
}

impl Tails {
    /// Hands each batch over that this transaction sees in the tail.
    pub fn each(
        &self,
        tx: &mut Tx<'_>,
        organization: &str,
        mut take: impl FnMut(&Counted) -> Result<()>,
    ) -> Result<()> {
        let sql = "SELECT batch_id FROM usage_tail WHERE organization_id = $1 ORDER BY batch_id";
        let ids: Vec<String> = tx.all(sql, args![organization], |row| row.get(0))?;
        let owner: Arc<str> = Arc::from(organization);
        let mut read = Vec::new().into_iter().peekable();
        for id in ids {
            let key = (Arc::clone(&owner), id);
            if let Some(counted) = self.0.get(&key) {
                take(&counted)?;
                continue;
            }
            while read.peek().is_some_and(|(next, _): &(String, Vec<u8>)| *next < key.1) {
                read.next();
            }
            if read.peek().is_none() {
                read = bodies(tx, organization, &key.1)?.into_iter().peekable();
            }
            let Some((_, body)) = read.next_if(|(next, _)| *next == key.1) else {
                return Err(Error::internal(format!(
                    "{} waits to be rolled up and is no batch",
                    key.1
                )));
            };
            let counted = Arc::new(Counted::of(&batch::unpack(&body)?));
            take(&counted)?;
            self.0.insert(key, counted);
        }
        Ok(())
    }
}

/// Some batches of the tail from this one on.
fn bodies(tx: &mut Tx<'_>, organization: &str, from: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let sql = "SELECT b.id, b.body FROM (
                   SELECT batch_id FROM usage_tail WHERE organization_id = $1 AND batch_id >= $2 ORDER BY batch_id LIMIT $3) t
               JOIN usage_batches b ON b.organization_id = $1 AND b.id = t.batch_id ORDER BY b.id";
    Ok(tx.all(sql, args![organization, from, PORTION], |row| Ok((row.get(0)?, row.get(1)?)))?)
}
