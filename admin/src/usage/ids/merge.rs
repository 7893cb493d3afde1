//! Small runs become large ones, so that few have to be asked.

use std::collections::BTreeMap;

use sql::{Store, Tx, args};

use super::known::Known;
use super::leave::{CHUNK, write_chunks, write_run};
use super::run::{Hash, Run, unpack};
use crate::aside::Aside;
use crate::domain::id::{Ids, moment_of};
use crate::error::{Error, Result};

/// So many portions are read or written at once: half a megabyte, so that nobody waits for long.
const PORTIONS: usize = 8;
/// Portions without a run are somebody's who is about to write it, for so many milliseconds.
const UNFINISHED_MS: u64 = 3_600_000;
/// What the ids of merged runs begin with.
const PREFIX: &str = "idrun_";

/// How runs are cut and merged.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// So many hashes are in a portion.
    pub chunk: usize,
    /// So many runs of about one size become one.
    pub factor: usize,
    /// No run that was merged has more hashes.
    pub largest: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { chunk: CHUNK, factor: 8, largest: 1 << 20 }
    }
}

/// A run without what is in it.
#[derive(Debug, Clone)]
struct Listed {
    id: String,
    ids: usize,
    last_time: i64,
}

impl Shape {
    /// The runs that should become one: the smallest of a size of which there are enough, as far as they fit.
    fn choose(&self, runs: &[Listed]) -> Option<Vec<Listed>> {
        let mut sizes: BTreeMap<u32, Vec<&Listed>> = BTreeMap::new();
        for run in runs {
            sizes.entry(run.ids.max(1).ilog(self.factor)).or_default().push(run);
        }
        let mut enough = sizes.into_values().filter(|alike| alike.len() >= self.factor);
        enough.find_map(|mut alike| {
            alike.sort_by(|a, b| (a.ids, &a.id).cmp(&(b.ids, &b.id)));
            let mut ids = 0;
            let fitting = alike.into_iter().take(self.factor).take_while(|run| {
                ids += run.ids;
                ids <= self.largest
            });
            let fitting: Vec<_> = fitting.cloned().collect();
            (fitting.len() > 1).then_some(fitting)
        })
    }
}

/// Merges runs of one size, if there are enough of them, and clears away what is left of those that are gone. Answers whether there
/// is more to do. Called by the roller once a pass; two processes may do it at once, and one of them gives up.
pub async fn maintain(
    store: &Store,
    aside: &Aside,
    organization: &str,
    known: &Known,
    new_ids: &Ids,
) -> Result<bool> {
    maintain_in(Shape::default(), store, aside, organization, known, new_ids).await
}

/// The same in another shape.
pub async fn maintain_in(
    shape: Shape,
    store: &Store,
    aside: &Aside,
    organization: &str,
    known: &Known,
    new_ids: &Ids,
) -> Result<bool> {
    let work = Work { shape, store, organization: organization.to_owned() };
    let new_id = new_ids.make(PREFIX);
    let (runs, leftover) = work.survey(moment_of(&new_id).unwrap_or_default()).await?;
    if let Some(leftover) = &leftover {
        work.clear(leftover).await?;
    }
    let Some(chosen) = shape.choose(&runs) else { return Ok(leftover.is_some()) };
    let Some(hashes) = work.hashes(&chosen).await? else { return Ok(true) };
    let last_time = chosen.iter().map(|run| run.last_time).max().unwrap_or_default();
    let run = aside.run(move || Run::of(hashes, last_time)).await??;
    if work.replace(&chosen, &new_id, run, known).await? {
        for old in &chosen {
            while work.clear(&old.id).await? {}
        }
    } else {
        while work.clear(&new_id).await? {}
    }
    Ok(true)
}

struct Work<'a> {
    shape: Shape,
    store: &'a Store,
    organization: String,
}

impl Work<'_> {
    /// The runs, and one that is gone and has left portions behind, or that was never finished.
    async fn survey(&self, now_ms: u64) -> Result<(Vec<Listed>, Option<String>)> {
        let organization = self.organization.clone();
        let look = move |tx: &mut Tx<'_>| {
            let runs = list(tx, &organization)?;
            let leftover = leftover(tx, &organization, &runs, now_ms)?;
            Ok((runs, leftover))
        };
        self.store.read(look).await
    }

    /// Every hash of these runs, unless one of them is gone.
    async fn hashes(&self, runs: &[Listed]) -> Result<Option<Vec<Hash>>> {
        let mut all = Vec::with_capacity(runs.iter().map(|run| run.ids).sum());
        for run in runs {
            let before = all.len();
            let mut above = Vec::new();
            loop {
                let portions = self.portions(&run.id, above).await?;
                for (_, hashes) in &portions {
                    all.extend_from_slice(unpack(hashes)?);
                }
                match portions.into_iter().next_back() {
                    Some((first, _)) => above = first,
                    None => break,
                }
            }
            if all.len() != before + run.ids {
                return Ok(None);
            }
        }
        Ok(Some(all))
    }

    async fn portions(&self, run: &str, above: Vec<u8>) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let (organization, run) = (self.organization.clone(), run.to_owned());
        let most = i64::try_from(PORTIONS).unwrap_or(i64::MAX);
        let read = move |tx: &mut Tx<'_>| {
            let sql = "SELECT first, hashes FROM usage_id_chunks
                WHERE organization_id = $1 AND run_id = $2 AND first > $3 ORDER BY first LIMIT $4";
            let this = args![&organization, &run, &above, most];
            Ok(tx.all(sql, this, |row| Ok((row.get(0)?, row.get(1)?)))?)
        };
        self.store.read(read).await
    }

    /// Puts one run in the place of several, unless one of them is gone. What the new one consists of is written before, little by
    /// little: without its row it does not count.
    async fn replace(&self, old: &[Listed], new_id: &str, run: Run, known: &Known) -> Result<bool> {
        let run = std::sync::Arc::new(run);
        let (shape, mut from) = (self.shape, 0);
        while from < run.hashes().len() {
            let to = run.hashes().len().min(from + PORTIONS * shape.chunk);
            let (organization, id) = (self.organization.clone(), new_id.to_owned());
            let portion = std::sync::Arc::clone(&run);
            let write = move |tx: &mut Tx<'_>| {
                write_chunks(tx, &organization, &id, &portion.hashes()[from..to], shape.chunk)
            };
            self.store.write(write).await?;
            from = to;
        }
        let (organization, id) = (self.organization.clone(), new_id.to_owned());
        let old: Vec<_> = old.iter().map(|run| run.id.clone()).collect();
        let portions = run.hashes().len().div_ceil(shape.chunk);
        let written = std::sync::Arc::clone(&run);
        let swap = move |tx: &mut Tx<'_>| {
            let there = list(tx, &organization)?;
            let is_there = |id: &String| there.iter().any(|run| run.id == *id);
            if !old.iter().all(is_there) || firsts(tx, &organization, &id)? != portions {
                return Ok(false);
            }
            for id in &old {
                let sql = "DELETE FROM usage_id_runs WHERE organization_id = $1 AND id = $2";
                tx.execute(sql, args![&organization, id])?;
            }
            write_run(tx, &organization, &id, &written)?;
            Ok(true)
        };
        let is_done = self.store.write::<_, Error>(swap).await?;
        if is_done {
            let filter = std::sync::Arc::new(run.filter().clone());
            known.keep_filter(&self.organization, new_id, filter);
        }
        Ok(is_done)
    }

    /// Removes a few portions of a run that does not count, and answers whether there were any.
    async fn clear(&self, run: &str) -> Result<bool> {
        let (organization, run) = (self.organization.clone(), run.to_owned());
        let most = i64::try_from(PORTIONS).unwrap_or(i64::MAX);
        let clear = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM usage_id_chunks WHERE organization_id = $1 AND run_id = $2 AND first IN (
                SELECT first FROM usage_id_chunks WHERE organization_id = $1 AND run_id = $2 ORDER BY first LIMIT $3)";
            Ok(tx.execute(sql, args![&organization, &run, most])? > 0)
        };
        self.store.write(clear).await
    }
}

fn list(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<Listed>> {
    let sql = "SELECT id, ids, last_time FROM usage_id_runs WHERE organization_id = $1 ORDER BY id";
    let read = |row: &sql::Row<'_>| {
        let ids: i64 = row.get(1)?;
        let ids = usize::try_from(ids).unwrap_or(0);
        Ok(Listed { id: row.get(0)?, ids, last_time: row.get(2)? })
    };
    Ok(tx.all(sql, args![organization], read)?)
}

/// How many portions of a run there are.
fn firsts(tx: &mut Tx<'_>, organization: &str, run: &str) -> Result<usize> {
    let sql = "SELECT first FROM usage_id_chunks WHERE organization_id = $1 AND run_id = $2";
    let firsts: Vec<Vec<u8>> = tx.all(sql, args![organization, run], |row| row.get(0))?;
    Ok(firsts.len())
}

/// A run that has portions and no row, and that nobody is about to write. From run to run, without reading their portions.
fn leftover(
    tx: &mut Tx<'_>,
    organization: &str,
    runs: &[Listed],
    now_ms: u64,
) -> Result<Option<String>> {
    let sql = "SELECT run_id FROM usage_id_chunks
        WHERE organization_id = $1 AND run_id > $2 ORDER BY run_id LIMIT 1";
    let mut at = String::new();
    while let Some(id) = tx.one(sql, args![organization, &at], |row| row.get::<String>(0))? {
        let counts = runs.iter().any(|run| run.id == id);
        let is_old = moment_of(&id).is_none_or(|made| made + UNFINISHED_MS < now_ms);
        if !counts && is_old {
            return Ok(Some(id));
        }
        at = id;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(sizes: &[usize]) -> Vec<Listed> {
        let run = |(place, ids): (usize, &usize)| Listed {
            id: format!("r{place}"),
            ids: *ids,
            last_time: 0,
        };
        sizes.iter().enumerate().map(run).collect()
    }

    #[test]
    fn runs_of_one_size_are_merged_as_far_as_they_fit() {
        let shape = Shape { chunk: 4, factor: 4, largest: 100 };
        let chosen = |sizes: &[usize]| {
            shape.choose(&listed(sizes)).map(|runs| runs.iter().map(|run| run.ids).sum::<usize>())
        };
        assert_eq!(chosen(&[1, 1, 1]), None);
        assert_eq!(chosen(&[1, 1, 1, 1, 16]), Some(4));
        assert_eq!(chosen(&[1, 16, 17, 18, 63]), Some(51));
        assert_eq!(chosen(&[16, 17, 18, 60]), Some(51), "and the largest waits");
        assert_eq!(chosen(&[60, 60, 60, 60, 60]), None, "no two of them fit");
        assert_eq!(chosen(&[64, 90, 99, 70]), None);
    }
}
