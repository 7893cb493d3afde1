//! Sealing: moves what waits in the tail into the chain, in batches. It changes no event and reads none, and no change waits for it.
//!
//! A batch is read in one snapshot with the head of the chain and written under the next number, which only one can take. So an
//! event is in one seal, or still in the tail, whatever stops in between. Only an import that makes its store seals what it writes itself,
//! in the same transaction and without the tail ([`seal_written`]).

pub mod export;
mod read;
pub mod run;
#[cfg(test)]
mod tests;
pub mod verify;

use std::collections::HashMap;

use sql::{Stamp, Store, Tx, args};

use crate::audit::PREFIX;
use crate::audit::ready::Written;
use crate::audit::record::Framed;
use crate::domain::id::moment_of;
use crate::error::{Error, Result};

/// The most events in a seal.
pub const BATCH: usize = 2048;
/// How many passes whoever lost a number to another process leaves that organization alone.
const PASSES_AFTER_LOSS: u8 = 4;
/// How long an event may wait, in milliseconds, before it is sealed whoever else seems to seal its organization.
const PATIENCE: u64 = 1000;
/// So many events that wait are counted, and no more: what is counted is read.
const COUNTED: i64 = 100_000;
/// How many characters of an id a seal keeps.
const ID: usize = 24;

/// What seals. One a process.
#[derive(Debug, Default)]
pub struct Sealer {
    /// The largest id of each organization that waited a pass ago. What is larger waits one pass more, so that slower transactions
    /// with smaller ids come in before.
    seen: HashMap<String, String>,
    /// The state of the store in which nothing waited.
    empty_at: Option<Stamp>,
    /// How many passes to leave an organization to somebody else.
    losing: HashMap<String, u8>,
    behind: Behind,
}

/// What waited when the last pass began, less what it sealed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// How many events, as far as they are counted.
    pub events: i64,
    /// The moment of the oldest event that waited, in milliseconds.
    pub oldest: Option<u64>,
}

/// An organization in which events wait.
#[derive(Debug)]
struct Waiting {
    organization: String,
    smallest: String,
    largest: String,
    events: i64,
}

/// What a pass did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// How many events it sealed.
    pub sealed: usize,
    /// Whether more of them wait that could be sealed at once.
    pub is_behind: bool,
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of the last seal; 0 before the first.
    pub number: i64,
    /// The sequence that the next event gets.
    pub next: i64,
    /// The hash of the last seal.
    pub hash: Vec<u8>,
}

/// Events that are sealed together.
#[derive(Debug, Clone)]
struct Batch {
    organization: String,
    head: Head,
    ids: Vec<String>,
    records: Vec<u8>,
    sealed_at: i64,
}

impl Batch {
    /// These events, at the end of the chain.
    fn of<H: AsRef<[u8]>>(
        tx: &mut Tx<'_>,
        organization: &str,
        events: Vec<(String, H)>,
        now: i64,
    ) -> Result<Self> {
        let (mut ids, mut records) = (Vec::new(), Vec::new());
        for (id, hash) in events {
            let hash = hash.as_ref();
            let short =
                id.strip_prefix(PREFIX).filter(|short| short.len() == ID && hash.len() == 32);
            let Some(short) = short else {
                return Err(Error::internal(format!(
                    "{id} waits for its seal and cannot be sealed"
                )));
            };
            records.extend_from_slice(short.as_bytes());
            records.extend_from_slice(hash);
            ids.push(id);
        }
        let (organization, head) = (organization.to_owned(), head(tx, organization)?);
        Ok(Self { organization, head, ids, records, sealed_at: now })
    }
}

/// Why a batch was not sealed.
#[derive(Debug)]
enum Unsealed {
    /// Somebody else took the number.
    Lost,
    /// An event came in among those of the batch.
    Raced,
    Failed(sql::Error),
}

impl From<sql::Error> for Unsealed {
    fn from(error: sql::Error) -> Self {
        Self::Failed(error)
    }
}

impl Sealer {
    /// Seals at most a batch for each organization of what has waited since the pass before; the last time, of all that waits.
    /// What is wrong in one organization keeps no other one waiting, and is told afterwards.
    pub async fn pass(&mut self, store: &Store, now_ms: u64, is_last: bool) -> Result<Passed> {
        if self.empty_at.is_some() && store.stamp() == self.empty_at {
            return Ok(Passed::default());
        }
        let read = |tx: &mut Tx<'_>| Ok::<_, Error>((tx.stamp(), waiting(tx)?));
        let (stamp, waiting) = store.read(read).await?;
        self.empty_at = stamp.filter(|_| waiting.is_empty());
        self.seen
            .retain(|organization, _| waiting.iter().any(|one| one.organization == *organization));
        self.behind = Behind {
            events: waiting.iter().map(|one| one.events).sum(),
            oldest: waiting.iter().filter_map(|one| moment_of(&one.smallest)).min(),
        };
        let (mut passed, mut failed) = (Passed::default(), None);
        for one in waiting {
            let seen = self.seen.insert(one.organization.clone(), one.largest.clone());
            let is_old = moment_of(&one.smallest).is_some_and(|at| at + PATIENCE < now_ms);
            let until = if is_last { Some(one.largest) } else { seen };
            let is_mine = is_last || self.is_mine(&one.organization) || is_old;
            let Some(until) = until.filter(|_| is_mine) else { continue };
            match self.seal(store, one.organization, until, now_ms).await {
                Ok(sealed) => {
                    passed.sealed += sealed;
                    passed.is_behind |= sealed == BATCH;
                }
                Err(error) => failed = Some(error),
            }
        }
        let sealed = i64::try_from(passed.sealed).unwrap_or(i64::MAX);
        self.behind.events = (self.behind.events - sealed).max(0);
        failed.map_or(Ok(passed), Err)
    }

    /// What waits, as the last pass saw it.
    #[must_use]
    pub fn behind(&self) -> Behind {
        self.behind
    }

    /// Whether no other process seemed to seal this organization lately.
    fn is_mine(&mut self, organization: &str) -> bool {
        let Some(passes) = self.losing.get_mut(organization) else { return true };
        *passes -= 1;
        if *passes == 0 {
            self.losing.remove(organization);
        }
        false
    }

    async fn seal(
        &mut self,
        store: &Store,
        organization: String,
        until: String,
        now_ms: u64,
    ) -> Result<usize> {
        let now = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
        let name = organization.clone();
        let read = move |tx: &mut Tx<'_>| batch(tx, &organization, &until, now);
        let Some(batch) = store.read(read).await? else { return Ok(0) };
        let sealed = batch.ids.len();
        let mut done = write(store, batch.clone(), false).await;
        if matches!(done, Err(Unsealed::Raced)) {
            done = write(store, batch, true).await;
        }
        match done {
            Ok(()) => Ok(sealed),
            Err(Unsealed::Lost | Unsealed::Raced) => {
                self.losing.insert(name, PASSES_AFTER_LOSS);
                Ok(0)
            }
            Err(Unsealed::Failed(error)) => Err(error.into()),
        }
    }
}

/// Seals what was just written, behind everything that waits in its organization: within the same transaction, beside which nobody else
/// writes.
pub(crate) fn seal_written(tx: &mut Tx<'_>, written: Written) -> Result<()> {
    let Written { by, waits: mut own } = written;
    // Above every id.
    let until = "\u{10ffff}";
    while let Some(batch) = batch(tx, by.organization_id(), until, by.now)? {
        alone(write_in(tx, &batch, false))?;
    }
    while !own.is_empty() {
        let later = own.split_off(own.len().min(BATCH));
        let batch = Batch::of(tx, by.organization_id(), own, by.now)?;
        alone(add(tx, &batch))?;
        own = later;
    }
    Ok(())
}

/// What became of a batch beside which nobody can have written.
fn alone(sealed: Result<(), Unsealed>) -> Result<()> {
    sealed.map_err(|unsealed| match unsealed {
        Unsealed::Failed(error) => error.into(),
        Unsealed::Lost | Unsealed::Raced => {
            Error::internal("somebody else seals beside a transaction of its own")
        }
    })
}

/// The organizations in which events wait.
fn waiting(tx: &mut Tx<'_>) -> Result<Vec<Waiting>> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let first = "SELECT organization_id, id FROM audit_tail WHERE organization_id > $1
                     ORDER BY organization_id, id LIMIT 1";
        let first =
            tx.one(first, args![&after], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
        let Some((organization, smallest)) = first else { return Ok(found) };
        let last = "SELECT id FROM audit_tail WHERE organization_id = $1 ORDER BY id DESC LIMIT 1";
        let last = tx.one(last, args![&organization], |row| row.get::<String>(0))?;
        let events = "SELECT COUNT(*) FROM (SELECT id FROM audit_tail WHERE organization_id = $1 LIMIT $2) few";
        let events = tx.one(events, args![&organization, COUNTED], |row| row.get::<i64>(0))?;
        let largest = last.unwrap_or_else(|| smallest.clone());
        after.clone_from(&organization);
        found.push(Waiting { organization, smallest, largest, events: events.unwrap_or_default() });
    }
}

/// The end of an organization's chain.
pub fn head(tx: &mut Tx<'_>, organization: &str) -> Result<Head> {
    let sql = "SELECT number, first_sequence + events, hash FROM audit_seals
               WHERE organization_id = $1 ORDER BY number DESC LIMIT 1";
    let head = tx.one(sql, args![organization], |row| {
        Ok(Head { number: row.get(0)?, next: row.get(1)?, hash: row.get(2)? })
    })?;
    Ok(head.unwrap_or_else(|| Head { number: 0, next: 1, hash: vec![0; 32] }))
}

/// The next batch, up to this id.
fn batch(tx: &mut Tx<'_>, organization: &str, until: &str, now: i64) -> Result<Option<Batch>> {
    let most = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let waiting = tx.all(
        "SELECT id, hash FROM audit_tail WHERE organization_id = $1 AND id <= $2 ORDER BY id LIMIT $3",
        args![organization, until, most],
        |row| Ok((row.get::<String>(0)?, row.get::<Vec<u8>>(1)?)),
    )?;
    if waiting.is_empty() {
        return Ok(None);
    }
    Batch::of(tx, organization, waiting, now).map(Some)
}

/// Writes the seal and empties the tail of what is in it, one by one where something else came in between.
async fn write(store: &Store, batch: Batch, is_one_by_one: bool) -> Result<(), Unsealed> {
    store.write(move |tx| write_in(tx, &batch, is_one_by_one)).await
}

/// Adds a batch to the chain.
fn add(tx: &mut Tx<'_>, batch: &Batch) -> Result<(), Unsealed> {
    let Batch { organization, head, ids, records, sealed_at } = batch;
    let seal = Seal {
        organization_id: organization,
        number: head.number + 1,
        first_sequence: head.next,
        events: i64::try_from(ids.len()).unwrap_or(i64::MAX),
        sealed_at: *sealed_at,
        before: &head.hash,
        records,
    };
    let written = tx.execute(
        "INSERT INTO audit_seals (organization_id, number, first_sequence, events, sealed_at, records, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        args![
            organization,
            seal.number,
            seal.first_sequence,
            seal.events,
            seal.sealed_at,
            records,
            &hash(&seal)
        ],
    )?;
    if written == 1 { Ok(()) } else { Err(Unsealed::Lost) }
}

fn write_in(tx: &mut Tx<'_>, batch: &Batch, is_one_by_one: bool) -> Result<(), Unsealed> {
    add(tx, batch)?;
    let Batch { organization, ids, .. } = batch;
    let (first, last) = (&ids[0], &ids[ids.len() - 1]);
    let removed = if is_one_by_one {
        remove(tx, organization, ids)?
    } else {
        tx.execute(
            "DELETE FROM audit_tail WHERE organization_id = $1 AND id >= $2 AND id <= $3",
            args![organization, first, last],
        )?
    };
    let is_all = removed == u64::try_from(ids.len()).unwrap_or(u64::MAX);
    if is_all { Ok(()) } else { Err(Unsealed::Raced) }
}

/// Removes exactly these from the tail.
fn remove(tx: &mut Tx<'_>, organization: &str, ids: &[String]) -> sql::Result<u64> {
    let mut arguments = args![organization].to_vec();
    let ids = sql::list(&mut arguments, ids);
    let sql = format!("DELETE FROM audit_tail WHERE organization_id = $1 AND id IN ({ids})");
    tx.execute(&sql, &arguments)
}

/// What a seal says.
#[derive(Debug)]
pub struct Seal<'a> {
    /// Whose chain it is in.
    pub organization_id: &'a str,
    /// Its place in the chain, from 1.
    pub number: i64,
    /// The sequence of its first event.
    pub first_sequence: i64,
    /// How many events it has.
    pub events: i64,
    /// When it was made, in seconds.
    pub sealed_at: i64,
    /// The hash of the seal before; zeros for the first.
    pub before: &'a [u8],
    /// The end of the id and the hash of each event.
    pub records: &'a [u8],
}

/// The hash of a seal, which the next one covers.
#[must_use]
pub fn hash(seal: &Seal<'_>) -> [u8; 32] {
    let mut framed = Framed::new("rollbook audit seal 1");
    framed.text(Some(seal.organization_id));
    for number in [seal.number, seal.first_sequence, seal.events, seal.sealed_at] {
        framed.number(number);
    }
    framed.bytes(seal.before);
    framed.bytes(seal.records);
    framed.finish()
}
