//! Rolling up: from the tail into segments.

use std::sync::PoisonError;

use sql::{Tx, args};

use super::dictionary::{self, Dictionary, Numbered, Shared};
use super::pieces::{self, Piece};
use super::table::Table;
use super::tail::{Counted, Part};
use super::width::Width;
use super::{Loss, Roller, Spread};
use crate::domain::id::{Ids, moment_of};
use crate::error::{Error, Result};
use crate::usage::batch;
use crate::usage::event::Series;
use crate::usage::ids::{self, Run};

/// A roll takes so many events, and the rest of a batch: its transaction must stay short for those who wait behind it.
const EVENTS: i64 = 8192;
/// And at most so many batches.
const BATCHES: usize = 256;
/// How long the first batch may wait for others, in milliseconds: each commit makes useless what is kept of the store.
const PATIENCE: u64 = 2000;
/// So many new series are written at once.
const NEW_SERIES: usize = 1000;

/// What waits of an organization, as far as it is rolled up together.
struct Listed {
    batches: Vec<String>,
    /// Whether it is as much as is rolled up at once.
    is_full: bool,
    is_behind: bool,
}

/// What is read of the tail.
struct Waiting {
    batches: Vec<String>,
    bodies: Vec<Vec<u8>>,
    last_time: i64,
    dictionary: Shared,
    is_behind: bool,
}

/// What is to be written.
#[derive(Clone)]
struct Rolled {
    organization: String,
    batches: Vec<String>,
    pieces: Vec<Piece>,
    run_id: String,
    run: Run,
}

impl Roller {
    /// Rolls a portion of what waits of an organization up, if it has waited long enough or is much. Answers how many batches that
    /// were, and whether more wait.
    pub(super) async fn roll(
        &mut self,
        organization: &str,
        is_pressing: bool,
    ) -> Result<(usize, bool), Loss> {
        let (name, app, now) = (organization.to_owned(), self.app.clone(), self.app.clock.now_ms());
        let read = move |tx: &mut Tx<'_>| {
            let listed = listed(tx, &name)?;
            let oldest = listed.batches.first().and_then(|id| moment_of(id)).unwrap_or_default();
            if listed.batches.is_empty()
                || !(is_pressing || listed.is_full || oldest + PATIENCE <= now)
            {
                return Ok(None);
            }
            let dictionary = app.usage.dictionaries.current(tx, &name)?;
            waiting(tx, &name, listed, dictionary).map(Some)
        };
        let Some(waiting) = self.app.store.read::<_, Error>(read).await? else {
            return Ok((0, false));
        };
        let (is_behind, app, name) = (waiting.is_behind, self.app.clone(), organization.to_owned());
        let prepared = self.app.aside.run(move || prepare(&waiting, name, &app.ids));
        let (new, rolled) = prepared.await??;
        self.write_series(organization, new).await?;
        let (batches, times) =
            (rolled.batches.len(), rolled.pieces.iter().map(|piece| piece.time).collect());
        self.app.store.write(move |tx| rolled.write(tx)).await?;
        self.app.usage_pace.rolled();
        self.note(organization, times);
        Ok((batches, is_behind))
    }

    /// Gives new series their numbers, some at a time. A series that no segment has does no harm.
    async fn write_series(&self, organization: &str, new: Vec<Numbered>) -> Result<(), Loss> {
        for portion in new.chunks(NEW_SERIES) {
            let (organization, portion) = (organization.to_owned(), portion.to_vec());
            let write = move |tx: &mut Tx<'_>| {
                let written = dictionary::write(tx, &organization, &portion)?;
                if written == portion.len() as u64 { Ok(()) } else { Err(Loss::Lost) }
            };
            self.app.store.write(write).await?;
        }
        Ok(())
    }

    /// Notes that each of these times has a segment more.
    fn note(&mut self, organization: &str, times: Vec<pieces::Time>) {
        self.unsettled.insert(organization.to_owned());
        // What was not looked at yet will be, and these with it.
        let Some(spread) = self.spread.get_mut(organization) else { return };
        let added_at = self.app.clock.now_ms();
        for time in times {
            // Of what is not known there may have been one.
            let segments = spread.get(&time).map_or(1, |known| known.segments) + 1;
            spread.insert(time, Spread { segments, added_at });
        }
    }
}

/// The oldest batches of the tail.
fn listed(tx: &mut Tx<'_>, organization: &str) -> Result<Listed> {
    let sql = "SELECT t.batch_id, b.events FROM (
                   SELECT batch_id FROM usage_tail WHERE organization_id = $1 ORDER BY batch_id LIMIT $2) t
               JOIN usage_batches b ON b.organization_id = $1 AND b.id = t.batch_id ORDER BY t.batch_id";
    let most = i64::try_from(BATCHES).unwrap_or(i64::MAX) + 1;
    let found: Vec<(String, i64)> =
        tx.all(sql, args![organization, most], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (mut events, mut batches, all) = (0, Vec::new(), found.len());
    for (id, more) in found {
        if events >= EVENTS || batches.len() == BATCHES {
            break;
        }
        events += more;
        batches.push(id);
    }
    let is_full = events >= EVENTS || batches.len() == BATCHES;
    Ok(Listed { is_behind: batches.len() < all, is_full, batches })
}

/// The bodies of listed batches.
fn waiting(
    tx: &mut Tx<'_>,
    organization: &str,
    listed: Listed,
    dictionary: Shared,
) -> Result<Waiting> {
    let sql = "SELECT b.last_time, b.body FROM usage_tail t
               JOIN usage_batches b ON b.organization_id = t.organization_id AND b.id = t.batch_id
               WHERE t.organization_id = $1 AND t.batch_id >= $2 AND t.batch_id <= $3 ORDER BY t.batch_id";
    let Listed { batches, is_behind, .. } = listed;
    let arguments = args![organization, &batches[0], &batches[batches.len() - 1]];
    let read: Vec<(i64, Vec<u8>)> = tx.all(sql, arguments, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let last_time = read.iter().map(|(last, _)| *last).max().unwrap_or_default();
    let bodies = read.into_iter().map(|(_, body)| body).collect();
    Ok(Waiting { batches, bodies, last_time, dictionary, is_behind })
}

/// Counts what was read.
fn prepare(waiting: &Waiting, organization: String, ids: &Ids) -> Result<(Vec<Numbered>, Rolled)> {
    let mut events = Vec::new();
    for body in &waiting.bodies {
        events.append(&mut batch::unpack(body)?);
    }
    let hashes = events.iter().map(|event| ids::hash(&event.id)).collect();
    let run = Run::of(hashes, waiting.last_time)?;
    let counted = Counted::of(&events);
    let dictionary = waiting.dictionary.read().unwrap_or_else(PoisonError::into_inner);
    let mut numbers =
        Numbers { dictionary: &dictionary, next: dictionary.last() + 1, new: Vec::new() };
    let mut all = Vec::new();
    for part in counted.parts() {
        let narrow = numbers.number(part);
        for (place, width) in Width::of(part.kind).iter().enumerate() {
            let table = if place == 0 { &narrow } else { &narrow.by(*width) };
            all.extend(pieces::pieces(part.kind, *width, table, ids));
        }
    }
    let rolled = Rolled {
        organization,
        batches: waiting.batches.clone(),
        pieces: all,
        run_id: ids.make("run_"),
        run,
    };
    Ok((numbers.new, rolled))
}

/// Numbers for series, of which some are new.
struct Numbers<'d> {
    dictionary: &'d Dictionary,
    next: u32,
    new: Vec<Numbered>,
}

impl Numbers<'_> {
    /// The table of a part with the numbers of its series.
    fn number(&mut self, part: &Part) -> Table {
        let numbers: Vec<_> = part.series.iter().map(|series| self.of(series)).collect();
        let mut table = Table::new(part.table.measures());
        for ((time, place), sums) in part.table.rows() {
            table.push((time, numbers[place as usize]), sums.iter().copied());
        }
        table.summed()
    }

    /// Each series comes up once.
    fn of(&mut self, series: &Series) -> u32 {
        self.dictionary.number(series).unwrap_or_else(|| {
            let number = self.next;
            self.new.push(Numbered { number, series: series.clone() });
            self.next += 1;
            number
        })
    }
}

impl Rolled {
    /// Moves the batches from the tail into the segments.
    fn write(&self, tx: &mut Tx<'_>) -> Result<(), Loss> {
        let Self { organization, batches, pieces, run_id, run } = self;
        let mut arguments = args![organization].to_vec();
        let places = sql::list(&mut arguments, batches);
        let sql =
            format!("DELETE FROM usage_tail WHERE organization_id = $1 AND batch_id IN ({places})");
        if tx.execute(&sql, &arguments)? != batches.len() as u64 {
            return Err(Loss::Lost);
        }
        pieces::write(tx, organization, pieces)?;
        ids::leave(tx, organization, run_id, run)?;
        Ok(())
    }
}
