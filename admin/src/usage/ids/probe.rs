//! Which ids were counted before.

use std::collections::HashSet;
use std::sync::Arc;

use sql::{Tx, args};

use super::known::Known;
use super::run::{Hash, Run, RunFilter, hash, unpack};
use crate::error::Result;
use crate::usage::batch;

/// The runs in which none of the hashes was found that are still asked for.
#[derive(Debug, Default, Clone)]
pub struct Probed {
    batches: HashSet<String>,
    runs: HashSet<String>,
}

/// The runs of a snapshot, as far as they are not among those of before, with what tells nearly always that an id is in none of them.
#[derive(Debug)]
pub struct Sieve {
    batches: Vec<Arc<Run>>,
    filters: Vec<(String, Arc<RunFilter>)>,
    all: Probed,
}

/// What became of hashes in a sieve.
#[derive(Debug, Clone)]
pub struct Sifted {
    counted: Vec<bool>,
    /// The runs that may hold some, and the places of these.
    doubts: Vec<(String, Vec<usize>)>,
    probed: Probed,
}

impl Sieve {
    /// Reads of the runs what this process does not know yet.
    ///
    /// That no other run comes into being in a transaction that counts is for the engine to see to: the lists of batches and of runs are
    /// read as ranges, so of two transactions that would count the same id one is run again.
    pub fn read(
        tx: &mut Tx<'_>,
        organization: &str,
        known: &Known,
        before: &Probed,
    ) -> Result<Self> {
        let batches = list(
            tx,
            organization,
            "SELECT batch_id FROM usage_tail WHERE organization_id = $1 ORDER BY batch_id",
        )?;
        let runs = list(
            tx,
            organization,
            "SELECT id FROM usage_id_runs WHERE organization_id = $1 ORDER BY id",
        )?;
        let mut sieve = Self { batches: Vec::new(), filters: Vec::new(), all: Probed::default() };
        for id in batches.iter().filter(|id| !before.batches.contains(*id)) {
            sieve.batches.push(batch_run(tx, organization, known, id)?);
        }
        for id in runs.iter().filter(|id| !before.runs.contains(*id)) {
            sieve.filters.push((id.clone(), run_filter(tx, organization, known, id)?));
        }
        known.prune(organization, &batches, &runs);
        sieve.all =
            Probed { batches: batches.into_iter().collect(), runs: runs.into_iter().collect() };
        Ok(sieve)
    }

    /// How many events are in the tail.
    #[must_use]
    pub fn tail(&self) -> usize {
        self.batches.iter().map(|run| run.hashes().len()).sum()
    }

    /// Sifts hashes. It computes, and asks nobody: what is in doubt is for [`Sifted::settle`].
    #[must_use]
    pub fn sift(self, hashes: &[Hash]) -> Sifted {
        let mut counted = vec![false; hashes.len()];
        for run in &self.batches {
            for (counted, hash) in counted.iter_mut().zip(hashes) {
                *counted = *counted || run.contains(hash);
            }
        }
        let mut doubts = Vec::new();
        for (id, filter) in self.filters {
            let open = hashes.iter().enumerate().filter(|(place, _)| !counted[*place]);
            let places: Vec<_> =
                open.filter(|(_, hash)| filter.may_contain(hash)).map(|(place, _)| place).collect();
            if !places.is_empty() {
                doubts.push((id, places));
            }
        }
        Sifted { counted, doubts, probed: self.all }
    }
}

impl Sifted {
    /// Whether something has to be settled.
    #[must_use]
    pub fn has_doubts(&self) -> bool {
        !self.doubts.is_empty()
    }

    /// Looks up what is in doubt. In a run that is gone meanwhile nothing may be found: it has become part of another one, which whoever
    /// counts asks.
    pub fn settle(&mut self, tx: &mut Tx<'_>, organization: &str, hashes: &[Hash]) -> Result<()> {
        for (run, places) in std::mem::take(&mut self.doubts) {
            look(tx, organization, &run, hashes, places, &mut self.counted)?;
        }
        Ok(())
    }

    /// Which hashes were counted before, at their places, and where they were looked for.
    #[must_use]
    pub fn end(self) -> (Vec<bool>, Probed) {
        (self.counted, self.probed)
    }
}

/// Which of these hashes are in a run, at their places, asked within one transaction. Runs of `before`, in which the same hashes were
/// looked for, are not asked again.
pub fn probe(
    tx: &mut Tx<'_>,
    organization: &str,
    known: &Known,
    hashes: &[Hash],
    before: &Probed,
) -> Result<(Vec<bool>, Probed)> {
    let mut sifted = Sieve::read(tx, organization, known, before)?.sift(hashes);
    sifted.settle(tx, organization, hashes)?;
    Ok(sifted.end())
}

fn list(tx: &mut Tx<'_>, organization: &str, sql: &str) -> Result<Vec<String>> {
    Ok(tx.all(sql, args![organization], |row| row.get(0))?)
}

/// The ids of a batch in the tail. Only what another process wrote has to be read.
fn batch_run(tx: &mut Tx<'_>, organization: &str, known: &Known, id: &str) -> Result<Arc<Run>> {
    if let Some(run) = known.batch(organization, id) {
        return Ok(run);
    }
    let sql = "SELECT body, last_time FROM usage_batches WHERE organization_id = $1 AND id = $2";
    let read: Option<(Vec<u8>, i64)> =
        tx.one(sql, args![organization, id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (body, last_time) = read.ok_or_else(|| missing("a batch of the tail", id))?;
    let hashes = batch::unpack(&body)?.iter().map(|event| hash(&event.id)).collect();
    let run = Arc::new(Run::of(hashes, last_time)?);
    known.keep_batch(organization, id, Arc::clone(&run));
    Ok(run)
}

fn run_filter(
    tx: &mut Tx<'_>,
    organization: &str,
    known: &Known,
    id: &str,
) -> Result<Arc<RunFilter>> {
    if let Some(filter) = known.filter(organization, id) {
        return Ok(filter);
    }
    let sql = "SELECT filter FROM usage_id_runs WHERE organization_id = $1 AND id = $2";
    let read: Option<Vec<u8>> = tx.one(sql, args![organization, id], |row| row.get(0))?;
    let filter = RunFilter::read(&read.ok_or_else(|| missing("a run of ids", id))?)?;
    let filter = Arc::new(filter);
    known.keep_filter(organization, id, Arc::clone(&filter));
    Ok(filter)
}

/// Looks for hashes in the portions of a run: in order, so that each portion is read once.
fn look(
    tx: &mut Tx<'_>,
    organization: &str,
    run: &str,
    hashes: &[Hash],
    mut places: Vec<usize>,
    found: &mut [bool],
) -> Result<()> {
    let sql = "SELECT hashes FROM usage_id_chunks
        WHERE organization_id = $1 AND run_id = $2 AND first <= $3 ORDER BY first DESC LIMIT 1";
    places.sort_unstable_by_key(|place| hashes[*place]);
    let mut chunk: Vec<u8> = Vec::new();
    for place in places {
        let hash = &hashes[place];
        if unpack(&chunk)?.last().is_none_or(|last| last < hash) {
            let read = tx.one(sql, args![organization, run, hash], |row| row.get(0))?;
            chunk = read.unwrap_or_default();
        }
        found[place] = found[place] || unpack(&chunk)?.binary_search(hash).is_ok();
    }
    Ok(())
}

fn missing(what: &str, id: &str) -> crate::error::Error {
    crate::error::Error::internal(format!("{what} is missing: {id}"))
}
