//! Roll-ups: what events come to by the minute, the hour and the day.
//!
//! A batch is in the tail until the roller adds it to segments, in one transaction, so each event is counted in exactly one place
//! at every moment. Segments never change; several of the same time are added up when they are read, and merged when they are many.

pub mod column;
pub mod dictionary;
mod merge;
mod pieces;
pub mod retention;
mod roll;
pub mod run;
pub mod segment;
pub mod table;
pub mod tail;
#[cfg(test)]
mod tests;
pub mod width;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sql::{Stamp, Tx, args};

use self::pieces::Time;
use crate::app::{App, Parts};
use crate::error::{Error, Result};
use crate::usage::ids;

/// How many passes whoever lost to another process leaves that organization alone.
const PASSES_AFTER_LOSS: u8 = 4;
/// So many portions of an organization are rolled up in a pass before it is the next one's turn.
const ROLLS_A_PASS: usize = 4;
/// So many times segments are merged in a pass.
const MERGES_A_PASS: usize = 4;

/// When and how segments are merged.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// So many segments of one time are merged.
    pub factor: usize,
    /// Segments of a time that nothing was added to for so many milliseconds are merged when they are two.
    pub quiet: u64,
    /// Segments are not merged into larger ones than this, in bytes, and so many are read at once.
    pub largest: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { factor: 8, quiet: 60_000, largest: 1 << 20 }
    }
}

/// What rolls up. One a process.
pub struct Roller {
    app: App,
    shape: Shape,
    /// The state of the store in which there was nothing to do.
    empty_at: Option<Stamp>,
    /// How many passes to leave an organization to somebody else.
    losing: HashMap<String, u8>,
    /// What may have to be merged, by organization; nothing for one that was not looked at yet.
    spread: HashMap<String, BTreeMap<Time, Spread>>,
    /// The organizations of whose ids there may be something to merge.
    unsettled: BTreeSet<String>,
    /// When it was looked last for what is too old, in milliseconds.
    removed_at: Option<u64>,
}

/// Segments of one time.
#[derive(Debug, Clone, Copy)]
struct Spread {
    /// How many there are, as far as this process knows.
    segments: usize,
    /// When the last one was added, in milliseconds.
    added_at: u64,
}

/// What a pass did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// How many batches it rolled up.
    pub rolled: usize,
    /// Whether there is more to do at once.
    pub is_behind: bool,
}

/// Why something was not written.
#[derive(Debug)]
enum Loss {
    /// Somebody else did it.
    Lost,
    Failed(Error),
}

impl From<sql::Error> for Loss {
    fn from(error: sql::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Error> for Loss {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Roller {
    /// A roller for this application.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self::shaped(app, Shape::default())
    }

    /// The same merging otherwise.
    #[must_use]
    pub fn shaped(app: App, shape: Shape) -> Self {
        let (losing, spread) = (HashMap::new(), HashMap::new());
        let unsettled = BTreeSet::new();
        Self { app, shape, empty_at: None, losing, spread, unsettled, removed_at: None }
    }

    /// Rolls up what has waited long enough, merges what is spread over many segments, and removes what is too old; the last time it
    /// rolls up all that waits. What is wrong in one organization keeps no other one waiting, and is told afterwards.
    pub async fn pass(&mut self, is_last: bool) -> Result<Passed> {
        let (mut passed, mut failed) = (Passed::default(), None);
        let waiting = self.waiting().await?;
        self.look_at_new(&waiting).await?;
        for organization in waiting {
            if !is_last && self.is_anothers(&organization) {
                continue;
            }
            match self.roll_some(&organization, is_last, &mut passed).await {
                Ok(()) => {}
                Err(Loss::Lost) => {
                    // Somebody else made the tail shorter.
                    self.app.usage_pace.rolled();
                    self.losing.insert(organization, PASSES_AFTER_LOSS);
                }
                Err(Loss::Failed(error)) => failed = Some(error),
            }
        }
        if !is_last {
            let settled = self.settle(&mut passed).await;
            failed = failed.or(settled.err());
        }
        failed.map_or(Ok(passed), Err)
    }

    /// Rolls up everything that waits, at once. For commands and tests.
    pub async fn roll_all(&mut self) -> Result<()> {
        while self.pass(true).await?.is_behind {}
        Ok(())
    }

    async fn roll_some(
        &mut self,
        organization: &str,
        is_last: bool,
        passed: &mut Passed,
    ) -> Result<(), Loss> {
        for _ in 0..ROLLS_A_PASS {
            let (batches, is_behind) = self.roll(organization, is_last).await?;
            passed.rolled += batches;
            if !is_behind {
                return Ok(());
            }
        }
        passed.is_behind = true;
        Ok(())
    }

    /// Everything but rolling up.
    async fn settle(&mut self, passed: &mut Passed) -> Result<()> {
        let organizations: Vec<_> = self.spread.keys().cloned().collect();
        for organization in organizations {
            passed.is_behind |= self.merge_some(&organization).await?;
        }
        for organization in self.unsettled.clone() {
            let Parts { store, usage_ids, ids: new_ids, aside, .. } = &*self.app;
            let merged = ids::maintain(store, aside, &organization, usage_ids, new_ids);
            if merged.await? {
                passed.is_behind = true;
            } else {
                self.unsettled.remove(&organization);
            }
        }
        self.remove_old().await
    }

    /// Merges, and answers whether there may be more.
    async fn merge_some(&mut self, organization: &str) -> Result<bool> {
        for _ in 0..MERGES_A_PASS {
            match self.merge(organization).await {
                Ok(true) => {}
                Ok(false) | Err(Loss::Lost) => return Ok(false),
                Err(Loss::Failed(error)) => return Err(error),
            }
        }
        Ok(true)
    }

    /// The organizations in whose tails something waits.
    async fn waiting(&mut self) -> Result<Vec<String>> {
        if self.empty_at.is_some() && self.app.store.stamp() == self.empty_at {
            return Ok(Vec::new());
        }
        let read = |tx: &mut Tx<'_>| Ok::<_, Error>((tx.stamp(), waiting(tx)?));
        let (stamp, waiting) = self.app.store.read(read).await?;
        self.empty_at = stamp.filter(|_| waiting.is_empty());
        Ok(waiting)
    }

    /// Whether another process seemed to roll this organization up lately.
    fn is_anothers(&mut self, organization: &str) -> bool {
        let Some(passes) = self.losing.get_mut(organization) else { return false };
        *passes -= 1;
        if *passes == 0 {
            self.losing.remove(organization);
        }
        true
    }
}

fn waiting(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let (mut found, mut after) = (Vec::new(), String::new());
    let sql = "SELECT organization_id FROM usage_tail WHERE organization_id > $1 ORDER BY organization_id, batch_id LIMIT 1";
    while let Some(organization) = tx.one(sql, args![&after], |row| row.get::<String>(0))? {
        after.clone_from(&organization);
        found.push(organization);
    }
    Ok(found)
}
